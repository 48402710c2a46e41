"""Where a car's body is and how it moves: four wheels that stay on the terrain, and no suspension.

Cornering is the kinematic bicycle model (R. Rajamani, Vehicle Dynamics and Control, 2nd ed., section 2.2) with the
reference point midway between the axles.
"""

from typing import NamedTuple

import numpy as np

from airsim_seg import elementary
from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.base import Kinematics
from airsim_seg.builtin.vehicles.quadrotor import NOTHING, Quaternion, Vector
from airsim_seg.types import Pose

# Ours, a mid-size car's: the blueprint that holds the axles' places is not public.
WHEELBASE_M, TRACK_M = 2.8, 1.6


class _Motion(NamedTuple):
    """Attitude, and how it moves: NED, but rates in body axes."""

    orientation: Quaternion
    velocity: Vector = NOTHING
    rate: Vector = NOTHING
    acceleration: Vector = NOTHING
    angular_acceleration: Vector = NOTHING


class Chassis:
    """A body on wheels, in the vehicle's local NED.

    Attributes:
        north_m, east_m, down_m: where it is.
        yaw_rad: where it heads to.
        pitch_rad: how steeply its nose points up, as the ground does under its axles.
        orientation: w, x, y, z, as it was put or as its last move left it.
        is_on_wheels: whether it has stood on the ground since it was put somewhere.
    """

    def __init__(self, pose: Pose, ground_down_m: Terrain) -> None:
        """Be there at rest, wheels not yet on the ground.

        Args:
            pose: local NED; until it moves it is kept as given.
            ground_down_m: down coordinate of the terrain, local NED.
        """
        self._ground_down_m = ground_down_m
        self.north_m, self.east_m, self.down_m = (float(v) for v in pose.position_m)
        self.yaw_rad, self.pitch_rad, self._roll_rad = yaw_of(pose), 0.0, 0.0
        w, x, y, z = pose.orientation_wxyz
        self.orientation: Quaternion = (float(w), float(x), float(y), float(z))
        self._motion: _Motion | None = None
        self.is_on_wheels = False

    @property
    def position_m(self) -> Vector:
        """Where it is."""
        return (self.north_m, self.east_m, self.down_m)

    @property
    def velocity_mps(self) -> Vector:
        """How it moves, NED."""
        return NOTHING if self._motion is None else self._motion.velocity

    def stand(self, north_m: float, east_m: float) -> None:
        """Put the wheels on the terrain there."""
        forward_n, forward_e = elementary.cos(self.yaw_rad), elementary.sin(self.yaw_rad)
        half_n, half_e = forward_n * WHEELBASE_M / 2, forward_e * WHEELBASE_M / 2
        side_n, side_e = -forward_e * TRACK_M / 2, forward_n * TRACK_M / 2
        front = self._ground_down_m(north_m + half_n, east_m + half_e)
        rear = self._ground_down_m(north_m - half_n, east_m - half_e)
        right = self._ground_down_m(north_m + side_n, east_m + side_e)
        left = self._ground_down_m(north_m - side_n, east_m - side_e)
        self.north_m, self.east_m, self.down_m = north_m, east_m, (front + rear + left + right) / 4
        self.pitch_rad = elementary.atan2(rear - front, WHEELBASE_M)
        self._roll_rad = elementary.atan2(right - left, TRACK_M)
        self.is_on_wheels = True

    def stop(self) -> bool:
        """Stop all motion where it is.

        Returns:
            Whether there was any.
        """
        moved, self._motion = self._motion is not None, None
        return moved

    def move(self, speed_mps: float, step_s: float) -> None:
        """Derive velocity, turn and accelerations from where it was a step ago.

        Args:
            speed_mps: along its nose.
            step_s: how long ago that was.
        """
        before, turn = self._motion or _Motion(self.orientation), self.turn()
        self.orientation = turn
        a, b, c, d = before.orientation
        w, x, y, z = turn
        # The small turn is conj(before) * now; q and -q are one attitude, and twice the vector part is the angle.
        sign = 2 / step_s if a * w + b * x + c * y + d * z >= 0 else -2 / step_s
        rate = (
            (a * x - b * w - c * z + d * y) * sign,
            (a * y + b * z - c * w - d * x) * sign,
            (a * z - b * y + c * x - d * w) * sign,
        )
        level = speed_mps * elementary.cos(self.pitch_rad)
        velocity = (
            level * elementary.cos(self.yaw_rad),
            level * elementary.sin(self.yaw_rad),
            -speed_mps * elementary.sin(self.pitch_rad),
        )
        self._motion = _Motion(
            turn, velocity, rate, _slope(before.velocity, velocity, step_s), _slope(before.rate, rate, step_s)
        )

    def turn(self) -> Quaternion:
        """Its attitude on the ground, as Pose.from_euler would have it."""
        half_yaw, half_pitch, half_roll = self.yaw_rad / 2, self.pitch_rad / 2, self._roll_rad / 2
        cy, sy = elementary.cos(half_yaw), elementary.sin(half_yaw)
        cp, sp = elementary.cos(half_pitch), elementary.sin(half_pitch)
        cr, sr = elementary.cos(half_roll), elementary.sin(half_roll)
        return (
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        )

    def kinematics(self) -> Kinematics:
        """The same for whoever asks."""
        motion = self._motion or _Motion(self.orientation)
        return Kinematics(
            Pose(np.array(self.position_m), np.array(motion.orientation)),
            np.array(motion.velocity),
            np.array(motion.rate),
            np.array(motion.acceleration),
            np.array(motion.angular_acceleration),
        )


def _slope(before: Vector, after: Vector, step_s: float) -> Vector:
    return ((after[0] - before[0]) / step_s, (after[1] - before[1]) / step_s, (after[2] - before[2]) / step_s)
