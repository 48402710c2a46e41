"""A camera of settings.json: where it sits, and how each of its image types is taken.

Source: AirSim's AirSimSettings.hpp (createCameraSetting, createCaptureSettings, loadNoiseSetting, createGimbalSetting)
and docs/settings.md. One default differs: pictures are 640x480 (AirSim: 256x144). An image type that a list names has
that record alone: it takes nothing from another type, nor from the record of CameraDefaults that it replaces.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from airsim_seg.builtin import exposure
from airsim_seg.builtin.exposure import FIXED, Exposure
from airsim_seg.builtin.settings_table import Table
from airsim_seg.types import Pose

T = TypeVar("T")
NUM_IMAGE_TYPES = 10
# What the renderer can draw.
MAX_SIDE_PX = 8192
MIN_FOV_DEG, MAX_FOV_DEG = 1.0, 170.0
MIN_ORTHO_WIDTH_M, MAX_ORTHO_WIDTH_M = 0.01, 100_000.0
# Unreal's default where the file says nothing, 512 cm (USceneCaptureComponent2D; AirSim's docs/settings.md).
ORTHO_WIDTH_M = 5.12
# AirSim's CaptureSetting::kSceneTargetGamma: pictures are encoded as they are where nothing else is said.
SCENE_GAMMA = 1.4
# The kinds under which docs/settings.md lists the keys.
CAMERA, CAPTURE, NOISE, GIMBAL = "Camera", "CaptureSettings[]", "NoiseSettings[]", "Gimbal"
# Pictures here adapt at once and stand still.
_NOT_DRAWN = (
    "AutoExposureSpeed",
    "MotionBlurAmount",
)


@dataclass(frozen=True)
class CaptureSettings:
    """How one image type is taken.

    Attributes:
        size_hw: (height, width), pixels.
        fov_deg: horizontal field of view, degrees.
        gamma: of the Scene; above 1.4 is brighter, below darker.
        exposure: of the Scene.
        ortho_width_m: how many metres are as wide as the picture, at every distance; None is a pinhole.
    """

    size_hw: tuple[int, int] = (480, 640)
    fov_deg: float = 90.0
    gamma: float = SCENE_GAMMA
    exposure: Exposure = FIXED
    ortho_width_m: float | None = None


@dataclass(frozen=True)
class NoiseSettings:
    """Noise on one image type, with AirSim's defaults (NoiseSetting); its keys are the fields' names in camel case.

    Attributes:
        enabled: whether there is any.
        rand_contrib: how much of a noisy pixel is noise, 0..1,
        rand_speed: how fast it changes,
        rand_size: how many pixels share a value, and
        rand_density: how few are noisy.
        horz_wave_contrib, horz_wave_strength, horz_wave_vert_size, horz_wave_screen_size: a bump that runs down.
        horz_noise_lines_contrib, horz_noise_lines_density_y, horz_noise_lines_density_xy: lines of noise.
        horz_distortion_contrib, horz_distortion_strength: rows that shake.
    """

    enabled: bool = False
    rand_contrib: float = 0.2
    rand_speed: float = 100_000.0
    rand_size: float = 500.0
    rand_density: float = 2.0
    horz_wave_contrib: float = 0.03
    horz_wave_strength: float = 0.08
    horz_wave_vert_size: float = 1.0
    horz_wave_screen_size: float = 1.0
    horz_noise_lines_contrib: float = 1.0
    horz_noise_lines_density_y: float = 0.01
    horz_noise_lines_density_xy: float = 0.5
    horz_distortion_contrib: float = 1.0
    horz_distortion_strength: float = 0.002


_AMOUNTS: Mapping[str, float] = {name: value for name, value in vars(NoiseSettings()).items() if name != "enabled"}


@dataclass(frozen=True)
class GimbalSettings:
    """What holds a camera still while its vehicle turns.

    Attributes:
        stabilization: 0, none, to 1, completely.
        yaw_deg, pitch_deg, roll_deg: the angles in the world that it is held at; None leaves that one to the vehicle.
    """

    stabilization: float = 0.0
    yaw_deg: float | None = None
    pitch_deg: float | None = None
    roll_deg: float | None = None


@dataclass(frozen=True, eq=False)
class CameraSettings:
    """One camera.

    Attributes:
        mount: where it sits on the body, or in the world where it is an external one; metres.
        captures: by image type; the others have CaptureSettings().
        noises: by image type; the others have none.
        gimbal: see GimbalSettings.
    """

    mount: Pose = field(default_factory=lambda: Pose.from_euler((0.0, 0.0, 0.0)))
    captures: dict[int, CaptureSettings] = field(default_factory=dict)
    noises: dict[int, NoiseSettings] = field(default_factory=dict)
    gimbal: GimbalSettings = field(default_factory=GimbalSettings)


def read_pose(*tables: Table) -> Pose:
    """X, Y, Z in metres, Yaw, Pitch, Roll in degrees; what the last table does not say, the one before it does."""

    def read(key: str) -> float:
        value = 0.0
        for table in tables:
            value = table.number(key, value)
        return value

    yaw, pitch, roll = (math.radians(read(key)) for key in ("Yaw", "Pitch", "Roll"))
    return Pose.from_euler([read(key) for key in ("X", "Y", "Z")], yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)


class CameraReader:
    """Reads the cameras of one settings.json.

    Attributes:
        defaults: CameraDefaults: every built-in camera, and what the others do not say.
    """

    def __init__(self, defaults: Table) -> None:
        """Read CameraDefaults."""
        self._table = defaults
        self.defaults = _camera(defaults, CameraSettings(), read_pose(defaults))

    def read(self, table: Table) -> CameraSettings:
        """Read one camera of Cameras or ExternalCameras."""
        return _camera(table, self.defaults, read_pose(self._table, table))


def _camera(table: Table, base: CameraSettings, mount: Pose) -> CameraSettings:
    table.ignore("UnrealEngine")
    captures = dict(map(_capture, table.listed("CaptureSettings", CAPTURE)))
    noises = base.noises | dict(map(_noise, table.listed("NoiseSettings", NOISE)))
    gimbal = _gimbal(table.table("Gimbal", GIMBAL)) if table.has("Gimbal") else base.gimbal
    return CameraSettings(mount, _pictures(base.captures | captures), _pictures(noises), gimbal)


def _pictures(by_type: Mapping[int, T]) -> dict[int, T]:
    return {kind: own for kind, own in by_type.items() if kind >= 0}


def _capture(table: Table) -> tuple[int, CaptureSettings]:
    kind = _image_type(table)
    table.ignore(*_NOT_DRAWN)
    return kind, CaptureSettings(
        (table.whole("Height", 480, 1, MAX_SIDE_PX), table.whole("Width", 640, 1, MAX_SIDE_PX)),
        table.number("FOV_Degrees", 90.0, MIN_FOV_DEG, MAX_FOV_DEG),
        table.number("TargetGamma", SCENE_GAMMA, 0.1, 10.0),
        _exposure(table),
        _ortho_width_m(table),
    )


def _ortho_width_m(table: Table) -> float | None:
    """Where the rays are parallel; else the width means nothing, and may be anything."""
    if table.choice("ProjectionMode", ("perspective", "orthographic")) == "perspective":
        table.value("OrthoWidth")
        return None
    return table.number("OrthoWidth", ORTHO_WIDTH_M, MIN_ORTHO_WIDTH_M, MAX_ORTHO_WIDTH_M)


def _exposure(table: Table) -> Exposure:
    """The camera adapts where the file says to which brightness."""
    least = table.number("AutoExposureMinBrightness", exposure.LEAST, 1e-4, 100.0)
    most = table.number("AutoExposureMaxBrightness", exposure.MOST, 1e-4, 100.0)
    if most < least:
        raise table.bad("AutoExposureMaxBrightness", f"at least AutoExposureMinBrightness, which is {least:g}")
    adapts = table.has("AutoExposureMinBrightness") or table.has("AutoExposureMaxBrightness")
    return Exposure(table.number("AutoExposureBias", 0.0, -16.0, 16.0), (least, most) if adapts else None)


def _image_type(table: Table) -> int:
    """One of the pictures; -1 is the window on the screen, which is not there."""
    return table.whole("ImageType", 0, -1, NUM_IMAGE_TYPES - 1)


def _noise(table: Table) -> tuple[int, NoiseSettings]:
    kind = _image_type(table)
    enabled = table.boolean("Enabled", False)
    amounts = {name: table.number(_key(name), default, 0.0, 1e9) for name, default in _AMOUNTS.items()}
    return kind, NoiseSettings(enabled, **amounts)


def _key(name: str) -> str:
    """The key of a field: rand_size is RandSize, horz_noise_lines_density_xy HorzNoiseLinesDensityXY."""
    return "".join(word.upper() if word == "xy" else word.capitalize() for word in name.split("_"))


def _gimbal(table: Table) -> GimbalSettings:
    def angle_deg(key: str) -> float | None:
        value = table.value(key)
        # AirSim's documentation writes NaN for an angle that is left to the vehicle.
        left = value is None or (isinstance(value, float) and math.isnan(value))
        return None if left else table.number(key, 0.0, -360.0, 360.0)

    # AirSim cuts it to 0..1.
    stabilization = min(1.0, max(0.0, table.number("Stabilization", 0.0)))
    return GimbalSettings(stabilization, angle_deg("Yaw"), angle_deg("Pitch"), angle_deg("Roll"))
