"""The Earth's magnetic field as a dipole's, in gauss.

Source: AirSim's MagnetometerSimple.hpp and EarthUtils.hpp (getMagField).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.geometry import EARTH_RADIUS_M, geo_point, product
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.noise import White, generator
from airsim_seg.builtin.sensors.parameters import MagnetometerSettings
from airsim_seg.elementary import acos, asin, atan2, cos, sin
from airsim_seg.types import Float64Array

# The geomagnetic pole of 2015, and the mean field at the magnetic equator.
POLE_LATITUDE_DEG, POLE_LONGITUDE_DEG, EQUATOR_GAUSS = 80.31, -72.62, 0.312


@dataclass(frozen=True, eq=False)
class MagnetometerReading:
    """What a magnetometer tells: the clock when it was measured, and the field, float64 [3], body axes, gauss."""

    time_ns: int
    field_gauss: Float64Array


class Magnetometer(Sensor):
    """Knows where it is: the field turns and changes with the place."""

    title = "magnetometer"

    def __init__(self, settings: MagnetometerSettings, carrier: Carrier, name: str) -> None:
        """See Sensor."""
        super().__init__(Schedule.of(settings.update_frequency_hz, settings.update_latency_s, settings.startup_delay_s))
        self._settings = settings
        self._origin_m, self._home = carrier.origin_m, carrier.home
        self._white = White(f"{carrier.seed}/{name}/white", 3)
        limit = settings.noise_bias_gauss
        self._bias_gauss = generator(f"{carrier.seed}/{name}/bias").uniform(-limit, limit, 3)

    def measure(self, sample: Sample) -> MagnetometerReading:
        """Read it."""
        pose = sample.kinematics.pose
        field = dipole_field_gauss(geo_point(pose.position_m + self._origin_m, self._home))
        field = product(pose.rotation().T, field) * self._settings.scale_factor
        if self._settings.generate_noise:
            noise = self._settings.noise_sigma_gauss * self._white.at(sample.number)
            field = field + noise + self._bias_gauss
        return MagnetometerReading(sample.time_ns, field)


def dipole_field_gauss(where: Mapping[str, float]) -> Float64Array:
    """The field of AirSim's Earth, float64 [3], NED, gauss.

    AirSim's angle to the pole has sines and cosines of the latitudes changed about; its field is what clients were
    made for, so it stays: within a factor of two of the true one in strength, and its signs are right.

    Args:
        where: latitude and longitude, degrees; altitude, metres.
    """
    latitude, pole = math.radians(where["latitude"]), math.radians(POLE_LATITUDE_DEG)
    turn = math.radians(where["longitude"] - POLE_LONGITUDE_DEG)
    cosine = cos(latitude) * cos(pole) + sin(latitude) * sin(pole) * cos(turn)
    colatitude = acos(max(-1.0, min(1.0, cosine)))
    # Straight above the pole the field has no horizontal part, and east and west mean nothing.
    sine = max(sin(colatitude), 1e-9)
    distance = max(where["altitude"] / EARTH_RADIUS_M + 1, 1e-3)
    strength = EQUATOR_GAUSS / (distance * distance * distance) * math.sqrt(1 + 3 * cosine * cosine)
    across = sin(turn) if cosine > sin(pole) * sin(latitude) else cos(turn)
    declination = asin(max(-1.0, min(1.0, across * cos(pole) / sine)))
    inclination = atan2(2 * cosine, sine)
    level = strength * cos(inclination)
    return np.array([level * cos(declination), level * sin(declination), strength * sin(inclination)], np.float64)
