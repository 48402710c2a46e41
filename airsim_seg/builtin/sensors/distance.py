"""How far it is to the next surface straight ahead.

Source: AirSim's DistanceSimple.hpp and UE UnrealDistanceSensor.cpp.
"""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.geometry import attached, shifted
from airsim_seg.builtin.rays import Rays
from airsim_seg.builtin.scene import Moment
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.noise import White
from airsim_seg.builtin.sensors.parameters import DistanceSettings

# AirSim reads none of these from its settings.
UPDATE_FREQUENCY_HZ, NOISE_SIGMA_M = 50.0, 0.2


@dataclass(frozen=True, eq=False)
class DistanceReading:
    """What a distance sensor tells: the clock when it was measured, and metres, which noise can take below 0."""

    time_ns: int
    distance_m: float


class Distance(Sensor):
    """One ray a sample; it is cast when somebody reads it."""

    title = "distance sensor"

    def __init__(self, settings: DistanceSettings, carrier: Carrier, name: str) -> None:
        """See Sensor."""
        super().__init__(Schedule.of(UPDATE_FREQUENCY_HZ))
        self.settings = settings
        self._origin_m = carrier.origin_in_scene_m
        self._white = White(f"{carrier.seed}/{name}/white", 1)

    def measure(self, sample: Sample, rays: Rays, moment: Moment) -> DistanceReading:
        """Read it; any thread may.

        Args:
            sample: what is out.
            rays: of the scene.
            moment: where everything else was when the sample was taken.
        """
        own = self.settings
        eye = shifted(attached(sample.kinematics.pose, own.mount), self._origin_m)
        met = rays.cast(eye.position_m[None], eye.rotation()[:, 0][None], own.max_distance_m, moment)
        distance_m = float(np.minimum(met.distance_m[0], own.max_distance_m))
        if own.generate_noise:
            distance_m += NOISE_SIGMA_M * float(self._white.at(sample.number)[0])
        return DistanceReading(sample.time_ns, distance_m)
