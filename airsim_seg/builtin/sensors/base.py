"""What sensors have in common: when they sample, and what they measure from.

A sensor keeps no clock. Asked at a time, it works out which of its samples is out by then, looks up where its vehicle
was when that was taken, and measures. So nothing is done for sensors that nobody reads, and a reading does not depend
on earlier ones: the same clock, track and seed give the same numbers.
"""

from dataclasses import dataclass
from typing import ClassVar

from airsim_seg.builtin.geometry import HOME, GeoPoint
from airsim_seg.builtin.sensors.track import Track
from airsim_seg.builtin.vehicles.base import Kinematics
from airsim_seg.types import Float64Array


@dataclass(frozen=True)
class Schedule:
    """When a sensor samples, and when a sample is out.

    The first sample is taken when it is switched on; the next after the start-up delay, then one a period. At each of
    those times the newest sample that is as old as the latency comes out (FrequencyLimiter.hpp, DelayLine.hpp). AirSim
    looks only every 3 ms and starts a period anew when it does, so that its 20 ms are 21; these are 20.
    """

    period_ns: int
    latency_ns: int = 0
    startup_ns: int = 0

    @staticmethod
    def of(frequency_hz: float, latency_s: float = 0.0, startup_s: float = 0.0) -> "Schedule":
        """The same in AirSim's units."""
        return Schedule(round(1e9 / frequency_hz), round(latency_s * 1e9), round(startup_s * 1e9))

    @property
    def horizon_ns(self) -> int:
        """No sample is out for longer than this after it was taken, but for the very first."""
        return self.latency_ns + 2 * self.period_ns

    def newest(self, elapsed_ns: int) -> tuple[int, int]:
        """Which sample is out so long after the start, 0 the first; and how long after the start it was taken."""
        ticks = (elapsed_ns - self.startup_ns) // self.period_ns
        index = ticks + -self.latency_ns // self.period_ns
        if ticks < 0 or index < 0:
            return 0, 0
        return index + 1, self.startup_ns + index * self.period_ns

    def next_ns(self, elapsed_ns: int) -> int:
        """How long after the start the first sample later than this is taken."""
        ticks = (elapsed_ns - self.startup_ns) // self.period_ns
        return self.startup_ns + max(0, ticks + 1) * self.period_ns


@dataclass(frozen=True, eq=False)
class Sample:
    """What a sensor measures from.

    Attributes:
        number: counts its samples from 0.
        time_ns: the clock when it was taken.
        age_ns: how long after the start of the sensor that was.
        kinematics: the vehicle's state then.
        has_started: whether the start-up delay is over by now.
    """

    number: int
    time_ns: int
    age_ns: int
    kinematics: Kinematics
    has_started: bool = True


@dataclass(frozen=True, eq=False)
class Carrier:
    """The vehicle on which a sensor sits.

    Attributes:
        origin_m: float64 [3], origin of its local NED in the API's world NED, metres.
        origin_in_scene_m: float64 [3], the same point in the scene's NED.
        seed: tells it from every vehicle of every world.
        home: where on the Earth the API's world NED begins.
    """

    origin_m: Float64Array
    origin_in_scene_m: Float64Array
    seed: str
    home: GeoPoint = HOME


class Sensor:
    """One sensor on one vehicle; the types derive from it and measure.

    They are made from their settings, their carrier and their name; two of one vehicle err differently.
    """

    title: ClassVar[str]
    """What AirSim's error texts call its type (VehicleApiBase.hpp)."""

    def __init__(self, schedule: Schedule) -> None:
        """Say when it samples."""
        self.schedule = schedule

    def sample(self, track: Track, now_ns: int) -> Sample:
        """The sample that is out."""
        elapsed_ns = now_ns - track.start_ns
        number, age_ns = self.schedule.newest(elapsed_ns)
        time_ns, kinematics = track.at(track.start_ns + age_ns)
        has_started = elapsed_ns >= self.schedule.startup_ns
        return Sample(number, time_ns, time_ns - track.start_ns, kinematics, has_started)
