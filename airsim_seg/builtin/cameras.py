"""The cameras that AirSim bolts to each kind of vehicle."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from airsim_seg.builtin.settings import CameraSettings, CaptureSettings, SimMode
from airsim_seg.types import Pose

# "" is front_center, and the numbers of AirSim before 1.2 still work (docs/image_apis.md).
NUMBERED_DRONE = ("front_center", "front_right", "front_left", "bottom_center", "back_center")
NUMBERED_CAR = ("front_center", "front_right", "front_left", "fpv", "back_center")
DEFAULT_CAMERA = "front_center"
# Half the distance between front_left and front_right (UE CarPawn.cpp; issue 2827 reads the same off ComputerVision).
STEREO_M = 0.125
# The drone's cameras sit 46 cm before its centre (issue 323, from the FlyingPawn blueprint).
DRONE_FRONT_M = 0.46


@dataclass(eq=False)
class Camera:
    """One camera of one vehicle.

    Attributes:
        mount: relative to the vehicle's body, metres.
        captures: size and field of view of the image types that settings.json lists; the others have the defaults.
        fov_deg: set over RPC, for all types; None leaves it to captures.
    """

    mount: Pose
    captures: Mapping[int, CaptureSettings] = field(default_factory=dict)
    fov_deg: float | None = None

    def capture(self, image_type: int) -> CaptureSettings:
        """Size and field of view of one image type."""
        settings = self.captures.get(image_type, CaptureSettings())
        return settings if self.fov_deg is None else CaptureSettings(settings.size_hw, self.fov_deg)


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


def rig(
    mode: SimMode, defaults: Mapping[int, CaptureSettings], configured: Mapping[str, CameraSettings]
) -> dict[str, Camera]:
    """Every name under which a vehicle's pictures can be asked for, aliases included.

    A camera of settings.json is a new one under exactly its key: configuring "front_center" leaves "0" and "" on the
    one that was built in, as in AirSim (UE PawnSimApi.cpp).

    Args:
        mode: the kind of vehicle.
        defaults: CameraDefaults of settings.json, by image type.
        configured: the vehicle's own Cameras.
    """
    cameras = {name: Camera(mount, defaults) for name, mount in _mounts(mode).items()}
    numbered = NUMBERED_CAR if mode == "Car" else NUMBERED_DRONE
    cameras |= {str(number): cameras[name] for number, name in enumerate(numbered)}
    cameras[""] = cameras[DEFAULT_CAMERA]
    return cameras | {name: Camera(own.mount, own.captures) for name, own in configured.items()}
