"""What every vehicle has: a name, a start, cameras, and a state of motion in a frame of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.geometry import attached, quaternion_product, shifted
from airsim_seg.builtin.scene import Terrain
from airsim_seg.types import Float64Array, Pose


def _zeros() -> Float64Array:
    return np.zeros(3)


@dataclass(frozen=True, eq=False)
class Kinematics:
    """A state of motion; float64 throughout.

    Attributes:
        pose: in the vehicle's local NED, metres.
        linear_velocity_mps: [3], local NED.
        angular_velocity_radps: [3], body axes.
        linear_acceleration_mps2: [3], local NED.
        angular_acceleration_radps2: [3], body axes.
    """

    pose: Pose
    linear_velocity_mps: Float64Array = field(default_factory=_zeros)
    angular_velocity_radps: Float64Array = field(default_factory=_zeros)
    linear_acceleration_mps2: Float64Array = field(default_factory=_zeros)
    angular_acceleration_radps2: Float64Array = field(default_factory=_zeros)


@dataclass(frozen=True, eq=False)
class Collision:
    """A touch; only the ground can be touched so far, and only by a multirotor."""

    time_ns: int
    position_m: Float64Array
    object_name: str = "Ground"
    object_id: int = -1


class Vehicle:
    """A body that stands where it is put; the kinds derive from it.

    Its local NED has the world's axes and its origin at the spawn point (UE NedTransform.cpp).
    """

    def __init__(self, name: str, origin_m: Float64Array, start: Pose, cameras: Mapping[str, Camera], ground: Terrain):
        """Put a vehicle at its start.

        Args:
            name: as listVehicles gives it.
            origin_m: its spawn point [3] in the API's world NED, metres.
            start: its first pose, in its own local NED.
            cameras: by every name they answer to.
            ground: down coordinate of the terrain, in the API's world NED.
        """
        self.name = name
        self.origin_m = origin_m
        self.cameras = cameras
        self._start = start
        self._ground = ground
        self.kinematics = Kinematics(start)
        self.collision: Collision | None = None

    def step(self, time_ns: int, step_s: float) -> None:
        """Live through one physics step.

        Args:
            time_ns: the clock at its end.
            step_s: its length, seconds.
        """

    def reset(self) -> None:
        """Go back to the start, at rest."""
        self.kinematics = Kinematics(self._start)
        self.collision = None

    def place(self, pose: Pose) -> None:
        """Be somewhere else at once and at rest (simSetVehiclePose), local NED."""
        self.kinematics = Kinematics(pose)

    def world_pose(self) -> Pose:
        """Where it is in the API's world NED."""
        return shifted(self.kinematics.pose, self.origin_m)

    def camera_pose(self, camera: Camera) -> Pose:
        """Where one of its cameras is, local NED."""
        return attached(self.kinematics.pose, camera.mount)

    def ground_down_m(self, north_m: float, east_m: float) -> float:
        """Down coordinate of the terrain under a point, all in local NED, metres."""
        north, east, down = self.origin_m
        return self._ground(north_m + float(north), east_m + float(east)) - float(down)

    def _moved(self, pose: Pose, velocity_mps: Float64Array, step_s: float) -> Kinematics:
        """The state after a step, with the rates that its differences make."""
        before = self.kinematics
        conjugate = before.pose.orientation_wxyz * (1, -1, -1, -1)
        turned = quaternion_product(conjugate, pose.orientation_wxyz)
        # q and -q are one attitude; 2 * vector part / time is the body rate of a small turn.
        rate_radps = 2 * turned[1:] / step_s * (1.0 if turned[0] >= 0 else -1.0)
        return Kinematics(
            pose,
            velocity_mps,
            rate_radps,
            (velocity_mps - before.linear_velocity_mps) / step_s,
            (rate_radps - before.angular_velocity_radps) / step_s,
        )
