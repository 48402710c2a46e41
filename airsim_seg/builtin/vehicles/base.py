"""What every vehicle has: a name, a start, cameras, and a state of motion in a frame of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from airsim_seg.builtin.contacts import Contact
from airsim_seg.builtin.geometry import HOME, shifted
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.ground import RememberedGround
from airsim_seg.builtin.vehicles.hulls import Hull
from airsim_seg.builtin.vehicles.quadrotor import NOTHING, Rows, Vector, rows_of
from airsim_seg.types import Float64Array, Pose

if TYPE_CHECKING:
    # Cameras know the settings, the settings the sensors, and the sensors what a vehicle's motion is.
    from airsim_seg.builtin.cameras import Camera
    from airsim_seg.builtin.feeler import Feeler


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
    """A touch, as AirSim's CollisionInfo (CommonStructs.hpp).

    Attributes:
        time_ns: the clock.
        position_m: float64 [3], where the vehicle was, its local NED, metres.
        point_m: float64 [3], where it was touched, likewise.
        normal: float64 [3], unit vector from the other thing to the vehicle, NED.
        depth_m: how far the two overlapped.
        object_index: what it was; -1 is ground without an object, or a vehicle without a body.
        vehicle: the name of the other vehicle, or "".
    """

    time_ns: int
    position_m: Float64Array
    point_m: Float64Array
    normal: Float64Array
    depth_m: float = 0.0
    object_index: int = -1
    vehicle: str = ""


class Vehicle:
    """A body that stands where it is put; the kinds derive from it.

    Its local NED has the world's axes and its origin at the spawn point (UE NedTransform.cpp).

    Attributes:
        time_ns: the clock at the end of its last step.
        wind_mps: [3], NED; what flies feels it.
        drawn_pose: where pictures show it, local NED; None, as always but in strict mode, is where it is.
        home: where on the Earth the API's world NED begins.
        collision: the last touch, or None before the first.
        has_collided: whether there was one since somebody asked.
        passes_through: whether it only notices what it runs into, and goes on (EnableCollisionPassthrogh).
        hull: what of it meets other things; None meets nothing.
        is_traced_on_its_way: whether EnableTrace draws a line behind it as it moves; see traces.py.
    """

    hull: Hull | None = None
    is_traced_on_its_way = True

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
        self.has_collided = False
        self._feeler: Feeler | None = None
        self._offset_m: Vector = NOTHING
        self.time_ns = 0
        self.wind_mps = (0.0, 0.0, 0.0)
        self.drawn_pose: Pose | None = None
        self.home = HOME
        self.passes_through = False

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
        self._forget_touches()

    def _forget_touches(self) -> None:
        self.collision, self.has_collided = None, False
        if self._feeler is not None:
            self._feeler.forget()

    def place(self, pose: Pose) -> None:
        """Be somewhere else at once and at rest (simSetVehiclePose), local NED."""
        self._kinematics = Kinematics(pose)

    def set_kinematics(self, state: Kinematics) -> None:
        """Move as told from now on (simSetKinematics), local NED and body axes as in Kinematics."""
        self._kinematics = state

    def meet(self, feeler: "Feeler", offset_m: Vector) -> None:
        """Run into things from now on.

        Args:
            feeler: who knows how far they are.
            offset_m: the origin of its local NED in the scene's NED.
        """
        self._feeler, self._offset_m = feeler, offset_m

    def in_scene(self) -> Vector:
        """Where it is, the scene's NED, metres."""
        north, east, down = (self.kinematics.pose.position_m + self._offset_m).tolist()
        return (north, east, down)

    def turned(self) -> Rows:
        """The rows of its rotation matrix."""
        w, x, y, z = self.kinematics.pose.orientation_wxyz.tolist()
        return rows_of((w, x, y, z))

    def going_mps(self) -> Vector:
        """Its velocity, NED."""
        north, east, down = self.kinematics.linear_velocity_mps.tolist()
        return (north, east, down)

    def _touched(self, position_m: Vector, rows: Rows) -> Contact | None:
        """The deepest overlap with anything where it is, in local NED; it is remembered as a collision.

        None where there is none, or where it goes on through what it touches.
        """
        assert self._feeler is not None
        on, oe, od = self._offset_m
        north, east, down = position_m
        touch = self._feeler.contact((north + on, east + oe, down + od), rows, self.time_ns)
        if touch is None:
            return None
        pn, pe, pd = touch.point_m
        touch = replace(touch, point_m=(pn - on, pe - oe, pd - od))
        self.collide(
            Collision(
                self.time_ns, np.array(position_m), np.array(touch.point_m), np.array(touch.normal), touch.depth_m,
                touch.object_index, touch.vehicle,
            )
        )  # fmt: skip
        return None if self.passes_through else touch

    def collide(self, touch: Collision) -> None:
        """Remember a touch until somebody asks."""
        self.collision, self.has_collided = touch, True

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
