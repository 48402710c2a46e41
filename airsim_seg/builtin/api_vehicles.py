"""The RPCs that move vehicles: control and arming, the car's, the multirotor's (MultirotorRpcLibServer.cpp).

A flat table for each kind, arguments in the order in which the client sends them. Times are seconds of simulation.
"""

import math
from collections.abc import Awaitable

import numpy as np

from airsim_seg.builtin.api import Method, Methods, collision_map, kinematics_map, method, no_such_vehicle
from airsim_seg.builtin.arguments import (
    ApiError,
    BadCast,
    boolean,
    field,
    fields,
    finite,
    integer,
    list_of,
    real,
    text,
    vector,
)
from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.vehicles.car import MAX_RPM, Car, CarControls
from airsim_seg.builtin.vehicles.goals import FlyPath, FlyVelocity, Hold, Land, Turn, YawMode
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array

# Beyond this a time-out is the client's "none": 3e38 does not fit an integer clock.
NO_TIMEOUT_S = 1e9
# MultirotorApiBase.cpp and Params.hpp: up 2 m at 0.5 m/s; anything faster than 0.05 m/s is not standing.
TAKEOFF_M, SLOW_MPS, STANDING_MPS = 2.0, 0.5, 0.05
MIN_LOOKAHEAD_M = 0.5


def vehicle_methods(world: World) -> Methods:
    """Control and arming in every mode; the moves of the mode's own kind."""
    kinds = {"Car": _car_methods, "Multirotor": _multirotor_methods}
    own = kinds[world.mode](world) if world.mode in kinds else {}
    return _control_methods(world) | own


def _api_vehicle(world: World, name: str) -> Car | Multirotor:
    """The vehicle of a call that ComputerVision's camera does not have."""
    vehicle = world.vehicle(name)
    if not isinstance(vehicle, Car | Multirotor):
        raise no_such_vehicle("Vehicle API", name)
    return vehicle


def _control_methods(world: World) -> dict[str, Method]:
    def arm(armed: bool, name: str) -> bool:
        vehicle = _api_vehicle(world, name)
        return vehicle.arm(armed) if isinstance(vehicle, Multirotor) else True

    def cancel(name: str) -> None:
        vehicle = _api_vehicle(world, name)
        if isinstance(vehicle, Multirotor):
            vehicle.cancel()

    return {
        "enableApiControl": method(lambda on, name: _api_vehicle(world, name).enable_api(on), boolean, text),
        "isApiControlEnabled": method(lambda name: _api_vehicle(world, name).api_control, text),
        "armDisarm": method(arm, boolean, text),
        "cancelLastTask": method(cancel, text),
    }


def car_controls(value: object) -> CarControls:
    """A CarControls; missing keys keep their defaults."""
    of = fields(value)
    return CarControls(
        field(of, "throttle", finite, 0.0),
        field(of, "steering", finite, 0.0),
        field(of, "brake", finite, 0.0),
        field(of, "handbrake", boolean, False),
        field(of, "is_manual_gear", boolean, False),
        field(of, "manual_gear", integer, 0),
        field(of, "gear_immediate", boolean, True),
    )


def _car_methods(world: World) -> dict[str, Method]:
    def car(name: str) -> Car:
        vehicle = _api_vehicle(world, name)
        assert isinstance(vehicle, Car), "the mode is Car"
        return vehicle

    def state(name: str) -> dict[str, object]:
        own = car(name)
        return {
            "speed": own.speed_mps,
            "gear": own.gear(),
            "rpm": own.rpm(),
            "maxrpm": MAX_RPM,
            "handbrake": own.controls.handbrake,
            "kinematics_estimated": kinematics_map(own),
            "timestamp": world.now_ns,
        }

    return {
        "setCarControls": method(lambda controls, name: car(name).set_controls(controls), car_controls, text),
        "getCarControls": method(lambda name: dict(vars(car(name).controls)), text),
        "getCarState": method(state, text),
    }


def drivetrain(value: object) -> bool:
    """DrivetrainType: whether it is ForwardOnly (1), not MaxDegreeOfFreedom (0)."""
    number = integer(value)
    if number not in (0, 1):
        raise BadCast
    return number == 1


def yaw_mode(value: object) -> YawMode:
    """A YawMode in degrees."""
    of = fields(value)
    return YawMode(field(of, "is_rate", boolean, True), field(of, "yaw_or_rate", finite, 0.0))


def _multirotor_methods(world: World) -> dict[str, Method]:
    pilot = _Pilot(world)
    yaw = (drivetrain, yaw_mode)
    path = (finite, real, *yaw, finite, finite, text)
    timed = (finite, finite, finite, finite, *yaw, text)
    return {
        "takeoff": method(pilot.takeoff, real, text),
        "land": method(pilot.land, real, text),
        "goHome": method(pilot.go_home, real, text),
        "hover": method(pilot.hover, text),
        "moveToPosition": method(pilot.move_to_position, finite, finite, finite, *path),
        "moveOnPath": method(pilot.move_on_path, list_of(vector), *path),
        "moveToZ": method(pilot.move_to_z, finite, finite, real, yaw_mode, finite, finite, text),
        "moveByVelocity": method(pilot.move_by_velocity, *timed),
        "moveByVelocityZ": method(pilot.move_by_velocity_z, *timed),
        "moveByVelocityBodyFrame": method(pilot.move_by_velocity_body, *timed),
        "moveByVelocityZBodyFrame": method(pilot.move_by_velocity_z_body, *timed),
        "rotateToYaw": method(pilot.rotate_to, finite, real, finite, text),
        "rotateByYawRate": method(pilot.rotate_by_rate, finite, finite, text),
        "getMultirotorState": method(pilot.state, text),
        "getRotorStates": method(pilot.rotor_states, text),
    }


Moved = Awaitable[bool] | bool


class _Pilot:
    """The moves of every multirotor: each makes a goal and hands back the future of its outcome."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _drone(self, name: str) -> Multirotor:
        vehicle = _api_vehicle(self._world, name)
        assert isinstance(vehicle, Multirotor), "the mode is Multirotor"
        return vehicle

    def _after_ns(self, seconds: float) -> int | None:
        """The clock in so many seconds; None where that is no limit at all."""
        if math.isnan(seconds):
            raise ApiError("a time limit cannot be NaN")
        return None if seconds > NO_TIMEOUT_S else self._world.now_ns + round(max(0.0, seconds) * 1e9)

    def takeoff(self, timeout_s: float, name: str) -> Moved:
        """Climb 2 m; refused while moving."""
        drone = self._drone(name)
        speed = math.hypot(*drone.velocity_mps)
        if speed > STANDING_MPS:
            raise ApiError(f"Cannot perform takeoff because vehicle is already moving with velocity {speed:f} m/s")
        return self._go(drone, [drone.position_m - (0, 0, TAKEOFF_M)], SLOW_MPS, timeout_s)

    def land(self, timeout_s: float, name: str) -> Moved:
        """Sink until the ground is there."""
        return self._drone(name).fly(Land(self._after_ns(timeout_s)))

    def go_home(self, timeout_s: float, name: str) -> Moved:
        """Fly straight to the start, at 0.5 m/s as AirSim does."""
        return self._go(self._drone(name), [np.zeros(3)], SLOW_MPS, timeout_s)

    def hover(self, name: str) -> Moved:
        """Brake and hold."""
        return self._drone(name).fly(Hold())

    def move_to_position(
        self,
        north_m: float,
        east_m: float,
        down_m: float,
        speed_mps: float,
        timeout_s: float,
        forward_only: bool,
        yaw: YawMode,
        lookahead_m: float,
        adaptive: float,
        name: str,
    ) -> Moved:
        """A path of one point."""
        point = np.array([north_m, east_m, down_m])
        return self.move_on_path([point], speed_mps, timeout_s, forward_only, yaw, lookahead_m, adaptive, name)

    def move_on_path(
        self,
        points_m: list[Float64Array],
        speed_mps: float,
        timeout_s: float,
        forward_only: bool,
        yaw: YawMode,
        lookahead_m: float,
        adaptive: float,  # noqa: ARG002
        name: str,
    ) -> Moved:
        """Follow points in local NED and stop at the last; adaptive lookahead is accepted and makes no difference."""
        if forward_only and yaw.is_rate:
            raise ApiError("Yaw cannot be specified as rate if drivetrain is ForwardOnly")
        facing = YawMode(yaw.is_rate, yaw.value, forward_only)
        return self._go(self._drone(name), points_m, speed_mps, timeout_s, facing, lookahead_m)

    def move_to_z(
        self, down_m: float, speed_mps: float, timeout_s: float, yaw: YawMode, lookahead_m: float, _: float, name: str
    ) -> Moved:
        """Straight up or down."""
        drone = self._drone(name)
        point = np.array([drone.position_m[0], drone.position_m[1], down_m])
        return self._go(drone, [point], speed_mps, timeout_s, yaw, lookahead_m)

    def _go(
        self,
        drone: Multirotor,
        points_m: list[Float64Array],
        speed_mps: float,
        timeout_s: float,
        yaw: YawMode = YawMode(is_rate=False),  # noqa: B008  frozen
        lookahead_m: float = -1.0,
    ) -> Moved:
        if not points_m:
            raise ApiError("a path needs at least one point")
        if not speed_mps > 0:
            raise ApiError(f"{speed_mps} m/s is no speed to fly a path with: give one above 0")
        least_m = max(MIN_LOOKAHEAD_M, speed_mps / 50)
        if 0 <= lookahead_m < least_m:
            raise ApiError(f"a lookahead of {lookahead_m} m is too short: give {least_m} or more, or -1 for automatic")
        ahead_m = lookahead_m if lookahead_m > 0 else max(1.0, speed_mps / 2)
        line = np.stack([drone.position_m, *(drone.clamped_m(point) for point in points_m)])
        return drone.fly(FlyPath(line, speed_mps, ahead_m, yaw, self._after_ns(timeout_s)))

    def move_by_velocity(
        self, vx: float, vy: float, vz: float, duration_s: float, forward_only: bool, yaw: YawMode, name: str
    ) -> Moved:
        """Keep a velocity in local NED for a time; true at once where the time is not above 0."""
        return self._keep(self._drone(name), (vx, vy, vz), None, duration_s, forward_only, yaw)

    def move_by_velocity_z(
        self, vx: float, vy: float, down_m: float, duration_s: float, forward_only: bool, yaw: YawMode, name: str
    ) -> Moved:
        """Keep a horizontal velocity and a height; false at once where the time is not above 0."""
        return self._keep(self._drone(name), (vx, vy, 0.0), down_m, duration_s, forward_only, yaw)

    def move_by_velocity_body(
        self, vx: float, vy: float, vz: float, duration_s: float, forward_only: bool, yaw: YawMode, name: str
    ) -> Moved:
        """As move_by_velocity, forward and right of the heading at the time of the call."""
        drone = self._drone(name)
        return self._keep(drone, (*_turned(vx, vy, drone.yaw_rad), vz), None, duration_s, forward_only, yaw)

    def move_by_velocity_z_body(
        self, vx: float, vy: float, down_m: float, duration_s: float, forward_only: bool, yaw: YawMode, name: str
    ) -> Moved:
        """As move_by_velocity_z, forward and right of the heading at the time of the call."""
        drone = self._drone(name)
        return self._keep(drone, (*_turned(vx, vy, drone.yaw_rad), 0.0), down_m, duration_s, forward_only, yaw)

    def _keep(
        self,
        drone: Multirotor,
        velocity_mps: tuple[float, float, float],
        down_m: float | None,
        duration_s: float,
        forward_only: bool,
        yaw: YawMode,
    ) -> Moved:
        if duration_s <= 0:
            return down_m is None
        # ForwardOnly: the nose follows the flight, and a rate means nothing.
        facing = YawMode(False, 0.0 if yaw.is_rate else yaw.value, True) if forward_only else yaw
        end_ns = self._world.now_ns + round(min(duration_s, NO_TIMEOUT_S) * 1e9)
        return drone.fly(FlyVelocity(np.array(velocity_mps, np.float64), down_m, facing, end_ns))

    def rotate_to(self, yaw_deg: float, timeout_s: float, margin_deg: float, name: str) -> Moved:
        """Turn on the spot to a heading, the short way."""
        goal = Turn(YawMode(False, yaw_deg), math.radians(margin_deg), self._after_ns(timeout_s))
        return self._drone(name).fly(goal)

    def rotate_by_rate(self, rate_dps: float, duration_s: float, name: str) -> Moved:
        """Turn on the spot for a time."""
        if duration_s <= 0:
            return True
        return self._drone(name).fly(Turn(YawMode(True, rate_dps), 0.0, self._after_ns(duration_s)))

    def state(self, name: str) -> dict[str, object]:
        """A MultirotorState with the keys that AirSim sends; ready and can_arm are not among them."""
        drone = self._drone(name)
        return {
            "collision": collision_map(drone),
            "kinematics_estimated": kinematics_map(drone),
            "gps_location": geo_point(drone.world_pose().position_m),
            "timestamp": self._world.now_ns,
            "landed_state": 0 if drone.landed else 1,
            "rc_data": {
                "timestamp": 0,
                "pitch": 0.0,
                "roll": 0.0,
                "throttle": 0.0,
                "yaw": 0.0,
                "left_z": 0.0,
                "right_z": 0.0,
                "switches": 0,
                "vendor_id": "",
                "is_initialized": False,
                "is_valid": False,
            },
        }

    def rotor_states(self, name: str) -> dict[str, object]:
        """Four rotors and the clock."""
        return {"rotors": self._drone(name).rotors(), "timestamp": self._world.now_ns}


def _turned(forward: float, right: float, yaw_rad: float) -> tuple[float, float]:
    """(north, east) of a velocity given along and across a heading."""
    cos_yaw, sin_yaw = math.cos(yaw_rad), math.sin(yaw_rad)
    return forward * cos_yaw - right * sin_yaw, forward * sin_yaw + right * cos_yaw
