"""A satellite receiver: late, and at first without a fix; its position itself is exact.

Source: AirSim's GpsSimple.hpp.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from airsim_seg import elementary
from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.parameters import GpsSettings
from airsim_seg.types import Float64Array

# GpsBase.hpp, GnssFixType.
NO_FIX, FIX_2D, FIX_3D = 0, 2, 3


@dataclass(frozen=True, eq=False)
class GpsReading:
    """What a receiver tells.

    Attributes:
        time_ns: the clock when it was measured.
        geo_point: latitude and longitude, degrees; altitude, metres.
        eph: horizontal dilution of precision.
        epv: vertical dilution of precision.
        velocity_mps: float64 [3], NED.
        fix_type: 0 none, 2 in the plane, 3 in space.
        is_valid: whether the receiver has started up.
    """

    time_ns: int
    geo_point: Mapping[str, float]
    eph: float
    epv: float
    velocity_mps: Float64Array
    fix_type: int
    is_valid: bool


class Gps(Sensor):
    """Until it has started up it tells where it was switched on, and that this is not valid (AirSim: all zeros)."""

    title = "gps"

    def __init__(self, settings: GpsSettings, carrier: Carrier, name: str) -> None:  # noqa: ARG002
        """See Sensor."""
        super().__init__(Schedule.of(settings.update_frequency_hz, settings.update_latency_s, settings.startup_delay_s))
        self._settings = settings
        self._origin_m, self._home = carrier.origin_m, carrier.home

    def measure(self, sample: Sample) -> GpsReading:
        """Read it."""
        own, state = self._settings, sample.kinematics
        eph = _settling(own.eph_initial, own.eph_final, own.eph_time_constant_s, sample.age_ns)
        epv = _settling(own.epv_initial, own.epv_final, own.epv_time_constant_s, sample.age_ns)
        fix = FIX_3D if eph <= own.eph_min3d else FIX_2D if eph <= own.eph_min2d else NO_FIX
        where = geo_point(state.pose.position_m + self._origin_m, self._home)
        return GpsReading(sample.time_ns, where, eph, epv, state.linear_velocity_mps, fix, sample.has_started)


def _settling(initial: float, final: float, time_constant_s: float, age_ns: int) -> float:
    """A first-order filter's answer to a constant (FirstOrderFilter.hpp)."""
    return final + (initial - final) * elementary.exp(-age_ns / 1e9 / time_constant_s)
