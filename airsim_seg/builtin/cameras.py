"""The cameras that AirSim bolts to each kind of vehicle."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from airsim_seg.builtin.camera_settings import CameraSettings, CaptureSettings, GimbalSettings, NoiseSettings
from airsim_seg.builtin.distortion import Distortion, Warp
from airsim_seg.builtin.geometry import attached, euler_of, wrapped_rad
from airsim_seg.builtin.vehicle_settings import SimMode
from airsim_seg.types import Pose

# "" is front_center, and the numbers of AirSim before 1.2 still work (docs/image_apis.md).
NUMBERED_DRONE = ("front_center", "front_right", "front_left", "bottom_center", "back_center")
NUMBERED_CAR = ("front_center", "front_right", "front_left", "fpv", "back_center")
DEFAULT_CAMERA = "front_center"
# Half the distance between front_left and front_right (UE CarPawn.cpp; issue 2827 reads the same off ComputerVision).
STEREO_M = 0.125
# The drone's cameras sit 46 cm before its centre (issue 323, from the FlyingPawn blueprint).
DRONE_FRONT_M = 0.46
MAX_WARPS = 4


@dataclass(eq=False)
class Camera:
    """One camera of one vehicle.

    Attributes:
        mount: relative to the vehicle's body, metres.
        captures: size and field of view of the image types that settings.json lists; the others have the defaults.
        noises: by image type; the others have none.
        gimbal: what holds it still while its vehicle turns.
        distortion: set over RPC, for all types.
        fov_deg: set over RPC, for all types; None leaves it to captures.
    """

    mount: Pose
    captures: Mapping[int, CaptureSettings] = field(default_factory=dict)
    noises: Mapping[int, NoiseSettings] = field(default_factory=dict)
    gimbal: GimbalSettings = field(default_factory=GimbalSettings)
    distortion: Distortion = field(default_factory=Distortion)
    fov_deg: float | None = None
    _warps: dict[object, Warp] = field(default_factory=dict)

    def capture(self, image_type: int) -> CaptureSettings:
        """Size and field of view of one image type."""
        settings = self.captures.get(image_type, CaptureSettings())
        return settings if self.fov_deg is None else replace(settings, fov_deg=self.fov_deg)

    @property
    def has_parallel_rays(self) -> bool:
        """Whether any of its image types is orthographic."""
        return any(capture.ortho_width_m is not None for capture in self.captures.values())

    def warp(self, capture: CaptureSettings) -> Warp | None:
        """What bends its pictures of that size and field of view; None where lines stay straight."""
        if self.distortion.is_none:
            return None
        key = (self.distortion, capture.size_hw, capture.fov_deg)
        if key not in self._warps:
            # A map is 8 bytes a pixel: no more are kept than a call is likely to ask for.
            if len(self._warps) >= MAX_WARPS:
                self._warps.clear()
            self._warps[key] = Warp(self.distortion, capture.size_hw, capture.fov_deg)
        return self._warps[key]

    def put(self, mount: Pose) -> None:
        """Move it (simSetCameraPose); with a gimbal the turn is what that holds (UE PIPCamera.cpp)."""
        if self.gimbal.stabilization > 0:
            roll, pitch, yaw = (math.degrees(angle) for angle in euler_of(mount))
            self.gimbal = GimbalSettings(self.gimbal.stabilization, yaw, pitch, roll)
            mount = Pose(mount.position_m, self.mount.orientation_wxyz)
        self.mount = mount

    def pose_on(self, body: Pose) -> Pose:
        """Where it is in the world when its body is there."""
        pose, held = attached(body, self.mount), self.gimbal
        if held.stabilization == 0:
            return pose
        roll, pitch, yaw = (
            angle if fixed_deg is None else angle + held.stabilization * wrapped_rad(math.radians(fixed_deg) - angle)
            for angle, fixed_deg in zip(euler_of(pose), (held.roll_deg, held.pitch_deg, held.yaw_deg), strict=True)
        )
        return Pose.from_euler(pose.position_m, yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)


def _mounts(mode: SimMode) -> dict[str, Pose]:
    """By name, metres in body axes; the car's are UE CarPawn.cpp's, ComputerVision's front_center is the body."""
    forward_m = {"Car": 2.0, "Multirotor": DRONE_FRONT_M, "ComputerVision": 0.0}[mode]
    down_m = -1.0 if mode == "Car" else 0.0
    mounts = {
        "front_center": Pose.from_euler((forward_m, 0, down_m)),
        "front_right": Pose.from_euler((forward_m, STEREO_M, down_m)),
        "front_left": Pose.from_euler((forward_m, -STEREO_M, down_m)),
        "back_center": Pose.from_euler((-forward_m, 0, down_m), yaw_rad=math.pi),
    }
    if mode == "Car":
        return mounts | {"fpv": Pose.from_euler((0, -0.25, -1.25))}
    return mounts | {"bottom_center": Pose.from_euler(np.zeros(3), pitch_rad=-math.pi / 2)}


def camera_at(mount: Pose, own: CameraSettings) -> Camera:
    """A camera as settings.json describes it, at a place."""
    return Camera(mount, own.captures, own.noises, own.gimbal)


def rig(mode: SimMode, defaults: CameraSettings, configured: Mapping[str, CameraSettings]) -> dict[str, Camera]:
    """Every name under which a vehicle's pictures can be asked for, aliases included.

    A camera of settings.json is a new one under exactly its key: configuring "front_center" leaves "0" and "" on the
    one that was built in, as in AirSim (UE PawnSimApi.cpp).

    Args:
        mode: the kind of vehicle.
        defaults: CameraDefaults of settings.json; where they sit means nothing to the built-in ones.
        configured: the vehicle's own Cameras.
    """
    cameras = {name: camera_at(mount, defaults) for name, mount in _mounts(mode).items()}
    numbered = NUMBERED_CAR if mode == "Car" else NUMBERED_DRONE
    cameras |= {str(number): cameras[name] for number, name in enumerate(numbered)}
    cameras[""] = cameras[DEFAULT_CAMERA]
    return cameras | {name: camera_at(own.mount, own) for name, own in configured.items()}
