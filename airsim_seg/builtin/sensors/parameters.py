"""The numbers of AirSim's sensors, under the names that settings.json has for them.

Each type's class has its keys as fields, with AirSim's defaults (the *SimpleParams.hpp files of AirLib) and what may
stand there. sensor_settings.py reads them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar

from airsim_seg.types import Pose

MAX_NUMBER = 1e9
# Frames in which a lidar gives its points.
INERTIAL_FRAME, LOCAL_FRAME = "VehicleInertialFrame", "SensorLocalFrame"


class SensorType(IntEnum):
    """AirSim's numbers (SensorBase.hpp, SensorType)."""

    BAROMETER = 1
    IMU = 2
    GPS = 3
    MAGNETOMETER = 4
    DISTANCE = 5
    LIDAR = 6


@dataclass(frozen=True)
class Key:
    """How settings.json calls a value, and what may stand there."""

    names: tuple[str, ...]
    wanted: str
    accepts: Callable[[object], bool]


def number_key(low: float, high: float, *names: str) -> Key:
    """A number, not NaN, from low to high."""

    def accepts(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

    return Key(names, f"a number from {low:g} to {high:g}", accepts)


def switch_key(name: str) -> Key:
    """True or false."""
    return Key((name,), "true or false", lambda value: isinstance(value, bool))


def _keyed(default: object, key: Key) -> Any:
    return field(default=default, metadata={"key": key})


def _number(name: str, default: float, low: float = 0.0, high: float = MAX_NUMBER, *, alias: str = "") -> Any:
    return _keyed(default, number_key(low, high, *filter(None, (name, alias))))


def _whole(name: str, default: int, low: int, high: int) -> Any:
    def accepts(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return _keyed(default, Key((name,), f"a whole number from {low} to {high}", accepts))


def _choice(name: str, *options: str) -> Any:
    return _keyed(options[0], Key((name,), f"one of {options}", lambda value: value in options))


def _on_the_body() -> Pose:
    return Pose.from_euler((0.0, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class SensorSettings:
    """What settings.json says about a sensor that is enabled; one class derives from it for each type.

    Attributes:
        generate_noise: false makes a sensor exact. AirSim itself has no such key: its sensors always err.
    """

    type: ClassVar[SensorType]
    generate_noise: bool = _keyed(True, switch_key("GenerateNoise"))


@dataclass(frozen=True, eq=False)
class ImuSettings(SensorSettings):
    """SensorType 2; the numbers of an InvenSense MPU-6000.

    Attributes:
        angular_random_walk: degrees / sqrt(hour).
        gyro_bias_stability: degrees / hour, over a time of
        gyro_bias_stability_tau_s: seconds.
        velocity_random_walk: thousandths of gravity times sqrt(second).
        accel_bias_stability: millionths of gravity, over a time of
        accel_bias_stability_tau_s: seconds.
    """

    type: ClassVar[SensorType] = SensorType.IMU
    angular_random_walk: float = _number("AngularRandomWalk", 0.3)
    gyro_bias_stability: float = _number("GyroBiasStability", 4.6)
    gyro_bias_stability_tau_s: float = _number("GyroBiasStabilityTau", 500.0, 1e-3)
    velocity_random_walk: float = _number("VelocityRandomWalk", 0.24)
    accel_bias_stability: float = _number("AccelBiasStability", 36.0)
    accel_bias_stability_tau_s: float = _number("AccelBiasStabilityTau", 800.0, 1e-3)


@dataclass(frozen=True, eq=False)
class _TimedSettings(SensorSettings):
    """What three types have in common.

    Attributes:
        update_frequency_hz: how often there is a reading,
        update_latency_s: how old it is,
        startup_delay_s: and when the first comes.
    """

    update_frequency_hz: float = _number("UpdateFrequency", 50.0, 1e-2, 1e3)
    update_latency_s: float = _number("UpdateLatency", 0.0, 0.0, 60.0)
    startup_delay_s: float = _number("StartupDelay", 0.0, 0.0, 3600.0)


@dataclass(frozen=True, eq=False)
class BarometerSettings(_TimedSettings):
    """SensorType 1; the noise of a MEAS MS5611.

    Attributes:
        pressure_factor_sigma: strength of the drift, a share of the pressure.
        pressure_factor_tau_s: seconds in which it forgets.
        uncorrelated_noise_sigma_pa: standard deviation of the noise, pascals.
    """

    type: ClassVar[SensorType] = SensorType.BAROMETER
    pressure_factor_sigma: float = _number("PressureFactorSigma", 0.0365 / 20, 0.0, 1.0)
    pressure_factor_tau_s: float = _number("PressureFactorTau", 3600.0, 1e-3)
    uncorrelated_noise_sigma_pa: float = _number("UncorrelatedNoiseSigma", 2.7, 0.0, 1e5)


@dataclass(frozen=True, eq=False)
class MagnetometerSettings(_TimedSettings):
    """SensorType 4.

    Attributes:
        noise_sigma_gauss: standard deviation of the noise, each axis.
        scale_factor: what the true field is multiplied by.
        noise_bias_gauss: a constant error is drawn once, each axis evenly from minus to plus this.
    """

    type: ClassVar[SensorType] = SensorType.MAGNETOMETER
    noise_sigma_gauss: float = _number("NoiseSigma", 0.005)
    scale_factor: float = _number("ScaleFactor", 1.0, -MAX_NUMBER)
    noise_bias_gauss: float = _number("NoiseBias", 0.0)


@dataclass(frozen=True, eq=False)
class GpsSettings(_TimedSettings):
    """SensorType 3; GenerateNoise makes no difference.

    Two names: AirSim's documentation has the first, its code the second.

    Attributes:
        eph_time_constant_s: seconds in which the horizontal dilution of precision comes down by a factor e,
        eph_initial: from this,
        eph_final: to this.
        epv_time_constant_s: the same of the vertical one,
        epv_initial: from this,
        epv_final: to this.
        eph_min3d: at this dilution there is a fix in space,
        eph_min2d: and at this in the plane.
    """

    type: ClassVar[SensorType] = SensorType.GPS
    eph_time_constant_s: float = _number("EphTimeConstant", 0.9, 1e-3, alias="EPH_TimeConstant")
    epv_time_constant_s: float = _number("EpvTimeConstant", 0.9, 1e-3, alias="EPV_TimeConstant")
    eph_initial: float = _number("EphInitial", 100.0)
    epv_initial: float = _number("EpvInitial", 100.0)
    eph_final: float = _number("EphFinal", 0.1)
    epv_final: float = _number("EpvFinal", 0.1)
    eph_min3d: float = _number("EphMin3d", 3.0)
    eph_min2d: float = _number("EphMin2d", 4.0)
    update_latency_s: float = _number("UpdateLatency", 0.2, 0.0, 60.0)
    startup_delay_s: float = _number("StartupDelay", 1.0, 0.0, 3600.0)


@dataclass(frozen=True, eq=False)
class DistanceSettings(SensorSettings):
    """SensorType 5, with X, Y, Z, Roll, Pitch and Yaw.

    Attributes:
        min_distance_m: only told to whoever asks.
        max_distance_m: what it measures where nothing is nearer.
        mount: where it sits on the body; it looks forward.
    """

    type: ClassVar[SensorType] = SensorType.DISTANCE
    min_distance_m: float = _number("MinDistance", 0.2)
    max_distance_m: float = _number("MaxDistance", 40.0)
    mount: Pose = field(default_factory=_on_the_body)


@dataclass(frozen=True, eq=False)
class LidarSettings(SensorSettings):
    """SensorType 6, with X, Y, Z, Roll, Pitch and Yaw; the numbers of a Velodyne VLP-16.

    GenerateNoise makes no difference.

    Attributes:
        number_of_channels: lasers.
        range_m: what is farther gives no point.
        points_per_second: of all lasers together.
        rotations_per_second: turns a second.
        horizontal_fov_start_deg: first direction that is measured, clockwise from the front seen from above;
        horizontal_fov_end_deg: and the last.
        vertical_fov_upper_deg: of the first laser, up is positive; +10 on anything but a multirotor,
        vertical_fov_lower_deg: and of the last; -10 there.
        data_frame: what the points are relative to; "" is VehicleInertialFrame.
        mount: where it sits on the body.
    """

    type: ClassVar[SensorType] = SensorType.LIDAR
    number_of_channels: int = _whole("NumberOfChannels", 16, 1, 1024)
    range_m: float = _number("Range", 100.0)
    points_per_second: int = _whole("PointsPerSecond", 100_000, 1, 10_000_000)
    rotations_per_second: int = _whole("RotationsPerSecond", 10, 0, 1000)
    horizontal_fov_start_deg: float = _number("HorizontalFOVStart", 0.0, -360.0, 360.0)
    horizontal_fov_end_deg: float = _number("HorizontalFOVEnd", 359.0, -360.0, 360.0)
    vertical_fov_upper_deg: float = _number("VerticalFOVUpper", -15.0, -90.0, 90.0)
    vertical_fov_lower_deg: float = _number("VerticalFOVLower", -45.0, -90.0, 90.0)
    data_frame: str = _choice("DataFrame", INERTIAL_FRAME, LOCAL_FRAME, "")
    mount: Pose = field(default_factory=_on_the_body)
