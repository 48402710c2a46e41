"""Gyroscope and accelerometer: white noise and a bias that walks.

Source: AirSim's ImuSimple.hpp; the model is O. Woodman's, "An introduction to inertial navigation" (2007), section 3.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.noise import Walk, White
from airsim_seg.builtin.sensors.parameters import ImuSettings
from airsim_seg.builtin.sensors.track import Track
from airsim_seg.types import Float64Array

GRAVITY_MPS2 = 9.80665
# It reads at every step of AirSim's physics (SimModeWorldBase.h), whatever the step of ours is.
PERIOD_NS = 3_000_000


@dataclass(frozen=True, eq=False)
class ImuReading:
    """What an IMU tells.

    Attributes:
        time_ns: the clock.
        orientation_wxyz: float64 [4], exact.
        angular_velocity_radps: float64 [3], body axes.
        linear_acceleration_mps2: float64 [3], body axes, without gravity's: at rest and level (0, 0, -9.8).
    """

    time_ns: int
    orientation_wxyz: Float64Array
    angular_velocity_radps: Float64Array
    linear_acceleration_mps2: Float64Array


class Imu(Sensor):
    """Samples at every step; its noise has a rhythm of its own, so that it does not depend on how the clock goes."""

    title = "IMU"

    def __init__(self, settings: ImuSettings, carrier: Carrier, name: str) -> None:
        """See Sensor."""
        super().__init__(Schedule(PERIOD_NS))
        root_s = math.sqrt(PERIOD_NS / 1e9)
        # degrees / sqrt(hour) to radians / sqrt(second), and the others likewise.
        gyro = math.radians(settings.angular_random_walk) / 60
        accel = settings.velocity_random_walk * GRAVITY_MPS2 / 1e3
        gyro_bias = math.radians(settings.gyro_bias_stability) / 3600 / math.sqrt(settings.gyro_bias_stability_tau_s)
        accel_bias = settings.accel_bias_stability * GRAVITY_MPS2 / 1e6 / math.sqrt(settings.accel_bias_stability_tau_s)
        self._noisy = settings.generate_noise
        self._sigma = np.repeat([gyro, accel], 3) / root_s
        self._white = White(f"{carrier.seed}/{name}/white", 6)
        self._bias = Walk(f"{carrier.seed}/{name}/bias", 6, np.repeat([gyro_bias, accel_bias], 3) * root_s)

    def sample(self, track: Track, now_ns: int) -> Sample:
        """The newest state, with the noise of its time."""
        number, _ = self.schedule.newest(now_ns - track.start_ns)
        return Sample(number, now_ns, now_ns - track.start_ns, track.now.kinematics)

    def measure(self, sample: Sample) -> ImuReading:
        """Read it."""
        state = sample.kinematics
        force_mps2 = state.linear_acceleration_mps2 - np.array([0.0, 0.0, GRAVITY_MPS2])
        exact = np.concatenate([state.angular_velocity_radps, product(state.pose.rotation().T, force_mps2)])
        if self._noisy:
            exact = exact + self._sigma * self._white.at(sample.number) + self._bias.at(sample.number)
        return ImuReading(sample.time_ns, state.pose.orientation_wxyz, exact[:3], exact[3:])
