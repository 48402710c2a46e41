"""A car as a bicycle on the terrain: throttle, brake, steering and gears, no suspension and no collisions.

Source: the kinematic bicycle model (R. Rajamani, Vehicle Dynamics and Control, 2nd ed., section 2.2), reference point
midway between the axles. The numbers are a mid-size car's: AirSim's own car is a PhysX model of many more.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.base import Kinematics, Vehicle
from airsim_seg.types import Float64Array, Pose

WHEELBASE_M, TRACK_M = 2.8, 1.6
MAX_SPEED_MPS, MAX_REVERSE_MPS = 30.0, 8.0
MAX_DRIVE_MPS2, MAX_BRAKE_MPS2, HANDBRAKE_MPS2, ROLLING_MPS2 = 4.0, 8.0, 6.0, 0.15
# 40 degrees is the steering angle of UE CarWheelFront.cpp; the tyres slip above 6 m/s2 and the car runs wide.
MAX_STEER_RAD, STEER_RATE_RADPS, MAX_LATERAL_MPS2 = math.radians(40), math.radians(90), 6.0
IDLE_RPM, MAX_RPM = 900.0, 6500.0
GEAR_TOP_MPS = (6.0, 11.0, 17.0, 23.0, MAX_SPEED_MPS)


@dataclass(frozen=True)
class CarControls:
    """The pedals and the wheel, named and ranged as AirSim's CarControls."""

    throttle: float = 0.0
    steering: float = 0.0
    brake: float = 0.0
    handbrake: bool = False
    is_manual_gear: bool = False
    manual_gear: int = 0
    gear_immediate: bool = True

    def drive(self) -> float:
        """Share of the engine's pull, -1 (full astern) to 1.

        A manual gear below 0 reverses whatever the throttle's sign, 0 is neutral; without one a negative throttle
        reverses.
        """
        throttle = max(-1.0, min(1.0, self.throttle))
        if not self.is_manual_gear:
            return throttle
        return math.copysign(abs(throttle), self.manual_gear) if self.manual_gear else 0.0


class Car(Vehicle):
    """Drives as its controls say; they hold until changed."""

    def __init__(self, name: str, origin_m: Float64Array, start: Pose, cameras: Mapping[str, Camera], ground: Terrain):
        """See Vehicle; it stands on the ground at the start."""
        super().__init__(name, origin_m, start, cameras, ground)
        self.api_control = False
        self.controls = CarControls()
        self._start = self._grounded(float(start.position_m[0]), float(start.position_m[1]), yaw_of(start))
        self._halt(self._start)

    def _halt(self, pose: Pose) -> None:
        self.kinematics = Kinematics(pose)
        self.speed_mps = 0.0
        self._steer_rad = 0.0
        self._yaw_rad = yaw_of(pose)

    def enable_api(self, enabled: bool) -> None:
        """Give the controls to the API or take them; either way they are let go (UE CarPawnApi.cpp)."""
        self.api_control = enabled
        self.controls = CarControls()

    def set_controls(self, controls: CarControls) -> None:
        """Take new controls; without API control they are ignored."""
        if self.api_control:
            self.controls = controls

    def reset(self) -> None:
        """Back to the start with the controls let go; API control survives, as in AirSim's PhysXCarApi."""
        self.controls = CarControls()
        self.collision = None
        self._halt(self._start)

    def place(self, pose: Pose) -> None:
        """Stand there; the pose is kept as given until the next step puts the wheels on the ground."""
        self._halt(pose)

    def step(self, time_ns: int, step_s: float) -> None:  # noqa: ARG002
        """Roll on. See Vehicle.step."""
        self.speed_mps = self._next_speed(step_s)
        wanted_rad = MAX_STEER_RAD * max(-1.0, min(1.0, self.controls.steering))
        most_rad = STEER_RATE_RADPS * step_s
        self._steer_rad += max(-most_rad, min(most_rad, wanted_rad - self._steer_rad))
        curvature = math.tan(self._steer_rad) / WHEELBASE_M
        grip = MAX_LATERAL_MPS2 / max(self.speed_mps**2, 1e-9)
        turned_rad = self.speed_mps * max(-grip, min(grip, curvature)) * step_s
        # The middle of the turn is the direction of the chord: exact for a circle.
        course = self._yaw_rad + turned_rad / 2
        north, east, _ = self.kinematics.pose.position_m
        self._yaw_rad += turned_rad
        pose = self._grounded(
            float(north) + self.speed_mps * math.cos(course) * step_s,
            float(east) + self.speed_mps * math.sin(course) * step_s,
            self._yaw_rad,
        )
        self.kinematics = self._moved(pose, self.speed_mps * pose.rotation()[:, 0], step_s)

    def _next_speed(self, step_s: float) -> float:
        controls, speed = self.controls, self.speed_mps
        drive = controls.drive()
        limit = MAX_SPEED_MPS if drive >= 0 else MAX_REVERSE_MPS
        along = speed * drive > 0
        speed += MAX_DRIVE_MPS2 * drive * (max(0.0, 1 - abs(speed) / limit) if along else 1.0) * step_s
        slowing = ROLLING_MPS2 + MAX_BRAKE_MPS2 * max(0.0, min(1.0, controls.brake))
        slowing += HANDBRAKE_MPS2 if controls.handbrake else 0.0
        # Brakes stop a car and never push it back.
        return math.copysign(max(0.0, abs(speed) - slowing * step_s), speed)

    def _grounded(self, north_m: float, east_m: float, yaw_rad: float) -> Pose:
        """The pose with the wheels on the terrain."""
        forward = np.array([math.cos(yaw_rad), math.sin(yaw_rad)])
        right = np.array([-forward[1], forward[0]])

        def down(along_m: float, aside_m: float) -> float:
            north, east = along_m * forward + aside_m * right
            return self.ground_down_m(north_m + float(north), east_m + float(east))

        front, rear = down(WHEELBASE_M / 2, 0), down(-WHEELBASE_M / 2, 0)
        left, right_down = down(0, -TRACK_M / 2), down(0, TRACK_M / 2)
        return Pose.from_euler(
            (north_m, east_m, (front + rear + left + right_down) / 4),
            yaw_rad=yaw_rad,
            pitch_rad=math.atan2(rear - front, WHEELBASE_M),
            roll_rad=math.atan2(right_down - left, TRACK_M),
        )

    def gear(self) -> int:
        """-1 in reverse, 0 in neutral or at rest, else 1 to 5 by speed."""
        drive = self.controls.drive()
        if self.speed_mps < 0 or (self.speed_mps == 0 and drive < 0):
            return -1
        if self.speed_mps == 0 and drive == 0:
            return 0
        return next((gear for gear, top in enumerate(GEAR_TOP_MPS, 1) if self.speed_mps < top), len(GEAR_TOP_MPS))

    def rpm(self) -> float:
        """Engine speed that goes with the gear: idle at rest, the maximum at the gear's top speed."""
        top_mps = MAX_REVERSE_MPS if self.gear() < 0 else GEAR_TOP_MPS[max(self.gear(), 1) - 1]
        return IDLE_RPM + (MAX_RPM - IDLE_RPM) * min(1.0, abs(self.speed_mps) / top_mps)
