"""A multirotor that flies as told: velocity loop, tilt into the acceleration, one task at a time.

Kinematic, not aerodynamic. The wanted velocity v* of the goal becomes an acceleration (v* - v) / 0.4 s, limited, which
the attitude follows with a lag of 0.1 s: a second-order loop with damping 1 (0.4 = 4 x 0.1), so it does not overshoot.
Thrust points along acceleration minus gravity, which gives roll and pitch (the usual small-quadrotor model, e.g.
R. Mahony, V. Kumar, P. Corke, "Multirotor Aerial Vehicles", IEEE RAM 2012, eq. 1).
"""

import asyncio
import math
from collections.abc import Mapping

import numpy as np

from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.base import Collision, Kinematics, Vehicle
from airsim_seg.builtin.vehicles.goals import MAX_YAW_RATE_RADPS, Goal, Hold
from airsim_seg.types import Float64Array, Pose

GRAVITY_MPS2 = 9.80665
VELOCITY_LAG_S, ATTITUDE_LAG_S, YAW_LAG_S = 0.4, 0.1, 0.15
MAX_SPEED_MPS, MAX_ACCELERATION_MPS2 = 20.0, 6.0
# AirSim's default quadrotor rests with its centre 0.15 m above the ground and weighs 1 kg (SimpleFlight's QuadX frame).
REST_HEIGHT_M, MASS_KG = 0.15, 1.0
# Thrust = C_T rho n^2 D^4, torque = C_P rho n^2 D^5 / 2 pi (RotorParams.hpp), n in revolutions a second.
ROTOR_C_T, ROTOR_C_P, ROTOR_DIAMETER_M, AIR_KGPM3 = 0.109919, 0.040164, 0.2286, 1.225
ROTOR_TURNS = (-1, -1, 1, 1)


class Multirotor(Vehicle):
    """Flies one goal at a time and holds its place between goals."""

    def __init__(self, name: str, origin_m: Float64Array, start: Pose, cameras: Mapping[str, Camera], ground: Terrain):
        """See Vehicle; it stands on the ground at the start, armed (AirSim's DefaultVehicleState) and not under API."""
        super().__init__(name, origin_m, start, cameras, ground)
        north, east, _ = start.position_m
        rest_m = (north, east, self._floor_m(float(north), float(east)))
        self._start = Pose.from_euler(rest_m, yaw_rad=yaw_of(start))
        self.api_control, self.armed = False, True
        self._goal: Goal | None = None
        self._done: asyncio.Future[bool] | None = None
        self._halt(self._start, landed=True)

    def _halt(self, pose: Pose, *, landed: bool) -> None:
        self.kinematics = Kinematics(pose)
        self.position_m = pose.position_m.copy()
        self.velocity_mps, self._acceleration_mps2 = np.zeros(3), np.zeros(3)
        self.yaw_rad, self._yaw_rate_radps = yaw_of(pose), 0.0
        self.landed = landed
        self._hold = Hold()

    def _floor_m(self, north_m: float, east_m: float) -> float:
        """How low its centre can be, local NED down."""
        return self.ground_down_m(north_m, east_m) - REST_HEIGHT_M

    def fly(self, goal: Goal) -> asyncio.Future[bool]:
        """Start a goal; the one that runs ends with False (MultirotorApiBase.hpp, SingleCall).

        Returns:
            A future of the running event loop: True when done, False when cancelled or out of time. Without API control
            or disarmed it is False at once (real AirSim lets the time run out).
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if not (self.api_control and self.armed):
            done.set_result(False)
            return done
        self.cancel()
        self._goal, self._done = goal, done
        return done

    def cancel(self) -> None:
        """End the running goal with False; then it brakes and holds its place."""
        self._finish(False)

    def _finish(self, outcome: bool) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(outcome)
        if self._goal is not None:
            self._hold = Hold()
        self._goal, self._done = None, None

    def clamped_m(self, point_m: Float64Array) -> Float64Array:
        """The point, or the lowest one above it that can be flown to."""
        north, east, down = (float(v) for v in point_m)
        return np.array([north, east, min(down, self._floor_m(north, east))])

    def enable_api(self, enabled: bool) -> None:
        """Hand control to the API or take it; taking it ends the running goal."""
        self.api_control = enabled
        if not enabled:
            self.cancel()

    def arm(self, armed: bool) -> bool:
        """Arm, or disarm on the ground; in the air it stays armed and says False."""
        if not armed and not self.landed:
            return False
        self.armed = armed
        if not armed:
            self.cancel()
        return True

    def reset(self) -> None:
        """Back to the start: task cancelled, armed, API control dropped (OffboardApi.hpp)."""
        self.cancel()
        self.api_control, self.armed = False, True
        self.collision = None
        self._halt(self._start, landed=True)

    def place(self, pose: Pose) -> None:
        """Be there at once, also while paused (real AirSim: at the next step); the running goal goes on from there.

        The pose stays as given until the next step, which levels it. In the air it hovers.
        """
        north, east, down = (float(v) for v in pose.position_m)
        self._halt(pose, landed=down >= self._floor_m(north, east) - 1e-6)

    def step(self, time_ns: int, step_s: float) -> None:
        """Fly on. See Vehicle.step."""
        if self._goal is None and self.landed:
            self.kinematics = Kinematics(self.kinematics.pose)
            return
        goal = self._goal or self._hold
        self._accelerate(goal.velocity_mps(self), goal.yaw_rate_radps(self), step_s)
        self._touch_ground(time_ns)
        self.kinematics = self._moved(self._attitude(), self.velocity_mps.copy(), step_s)
        if self._goal is not None:
            outcome = self._goal.outcome(self, time_ns)
            if outcome is not None:
                self._finish(outcome)

    def _accelerate(self, wanted_mps: Float64Array, yaw_rate_radps: float, step_s: float) -> None:
        wanted_mps = _limited(wanted_mps, MAX_SPEED_MPS)
        wanted_mps2 = _limited((wanted_mps - self.velocity_mps) / VELOCITY_LAG_S, MAX_ACCELERATION_MPS2)
        self._acceleration_mps2 += (wanted_mps2 - self._acceleration_mps2) * (1 - math.exp(-step_s / ATTITUDE_LAG_S))
        # Semi-implicit Euler: stable at these steps, and at rest it rests.
        self.velocity_mps += self._acceleration_mps2 * step_s
        self.position_m += self.velocity_mps * step_s
        yaw_rate_radps = max(-MAX_YAW_RATE_RADPS, min(MAX_YAW_RATE_RADPS, yaw_rate_radps))
        self._yaw_rate_radps += (yaw_rate_radps - self._yaw_rate_radps) * (1 - math.exp(-step_s / YAW_LAG_S))
        self.yaw_rad += self._yaw_rate_radps * step_s

    def _touch_ground(self, time_ns: int) -> None:
        north, east, down = (float(v) for v in self.position_m)
        floor = self._floor_m(north, east)
        if down < floor:
            self.landed = self.landed and down > floor - 0.05
            return
        if self.velocity_mps[2] > 0 and not self.landed:
            self.collision = Collision(time_ns, np.array([north, east, floor + REST_HEIGHT_M]))
            self.landed = True
        self.position_m[2] = floor
        self.velocity_mps[2] = min(0.0, float(self.velocity_mps[2]))
        self._acceleration_mps2[2] = min(0.0, float(self._acceleration_mps2[2]))
        if self._goal is None:
            # It lies still: feet do not slide.
            self.velocity_mps[:], self._acceleration_mps2[:] = 0.0, 0.0

    def _attitude(self) -> Pose:
        """Nose along the yaw, thrust along acceleration minus gravity."""
        north, east, down = (float(v) for v in self._acceleration_mps2)
        cos_yaw, sin_yaw = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        forward, right = north * cos_yaw + east * sin_yaw, east * cos_yaw - north * sin_yaw
        lift = max(2.0, GRAVITY_MPS2 - down)
        roll = math.asin(right / math.hypot(forward, right, lift))
        return Pose.from_euler(
            self.position_m, yaw_rad=self.yaw_rad, pitch_rad=-math.atan2(forward, lift), roll_rad=roll
        )

    def rotors(self) -> list[dict[str, float]]:
        """Thrust (N), torque (N m) and speed (rad/s) of four equal rotors that bear weight and acceleration."""
        idle = self.landed and self._goal is None
        lift = 0.0 if idle else math.hypot(*(self._acceleration_mps2 - (0, 0, GRAVITY_MPS2)))
        thrust = MASS_KG * lift / len(ROTOR_TURNS)
        revolutions = math.sqrt(thrust / (ROTOR_C_T * AIR_KGPM3 * ROTOR_DIAMETER_M**4))
        torque = ROTOR_C_P * AIR_KGPM3 * revolutions**2 * ROTOR_DIAMETER_M**5 / math.tau
        return [
            {"thrust": thrust, "torque_scaler": turn * torque, "speed": turn * math.tau * revolutions}
            for turn in ROTOR_TURNS
        ]


def _limited(of: Float64Array, most: float) -> Float64Array:
    length = math.hypot(*of)
    return of if length <= most else of * (most / length)
