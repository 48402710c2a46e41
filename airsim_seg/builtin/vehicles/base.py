"""What every vehicle has: a name, a start, cameras, and a state of motion in a frame of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from airsim_seg.builtin.geometry import HOME, shifted
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.ground import RememberedGround
from airsim_seg.types import Float64Array, Pose

if TYPE_CHECKING:
    # Cameras know the settings, the settings the sensors, and the sensors what a vehicle's motion is.
    from airsim_seg.builtin.cameras import Camera


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

    Attributes:
        time_ns: the clock at the end of its last step.
        wind_mps: [3], NED; what flies feels it.
        drawn_pose: where pictures show it, local NED; None, as always but in strict mode, is where it is.
        home: where on the Earth the API's world NED begins.
    """

    def __init__(
        self, name: str, origin_m: Float64Array, start: Pose, cameras: "Mapping[str, Camera]", ground: Terrain
    ):
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
        self._ground = RememberedGround(ground)
        self._kinematics: Kinematics | None = Kinematics(start)
        self.collision: Collision | None = None
        self.time_ns = 0
        self.wind_mps = (0.0, 0.0, 0.0)
        self.drawn_pose: Pose | None = None
        self.home = HOME

    @property
    def kinematics(self) -> Kinematics:
        """How it moves now. A kind that steps in plain floats clears _kinematics, and makes it when somebody asks."""
        if self._kinematics is None:
            self._kinematics = self._observed()
        return self._kinematics

    def _observed(self) -> Kinematics:
        raise NotImplementedError("only a kind that clears its kinematics needs this")

    def step(self, time_ns: int, step_s: float) -> None:  # noqa: ARG002
        """Live through one physics step.

        Args:
            time_ns: the clock at its end.
            step_s: its length, seconds.
        """
        self.time_ns = time_ns

    def reset(self) -> None:
        """Go back to the start, at rest."""
        self._kinematics = Kinematics(self._start)
        self.collision = None

    def place(self, pose: Pose) -> None:
        """Be somewhere else at once and at rest (simSetVehiclePose), local NED."""
        self._kinematics = Kinematics(pose)

    def set_kinematics(self, state: Kinematics) -> None:
        """Move as told from now on (simSetKinematics), local NED and body axes as in Kinematics."""
        self._kinematics = state

    def world_pose(self) -> Pose:
        """Where it is in the API's world NED."""
        return shifted(self.kinematics.pose, self.origin_m)

    def camera_pose(self, camera: "Camera") -> Pose:
        """Where one of its cameras is, local NED."""
        return camera.pose_on(self.drawn_pose or self.kinematics.pose)

    def ground_down_m(self, north_m: float, east_m: float) -> float:
        """Down coordinate of the terrain under a point, all in local NED, metres."""
        north, east, down = self.origin_m
        return self._ground(north_m + float(north), east_m + float(east)) - float(down)
