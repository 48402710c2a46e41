"""What the multirotor's moves do: each makes a task for a drone and hands back the future of its outcome.

Semantics: AirSim's MultirotorApiBase.cpp. The order of arguments is the RPC's (api_multirotor.py).
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

from airsim_seg import elementary
from airsim_seg.builtin.api import no_such_vehicle
from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.geometry import ned_position
from airsim_seg.builtin.vehicles import moves
from airsim_seg.builtin.vehicles.moves import STEADY, YawMode
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.vehicles.paths import Lookahead, fly_path
from airsim_seg.builtin.vehicles.quadrotor import Vector
from airsim_seg.builtin.vehicles.simple_flight import Modes
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array

# MultirotorApiBase.cpp and Params.hpp: up 2 m at 0.5 m/s.
TAKEOFF_M, SLOW_MPS = 2.0, 0.5

Moved = Awaitable[bool]


class MoveApi:
    """The moves of every multirotor of a world."""

    def __init__(self, world: World) -> None:
        """Serve a world."""
        self._world = world

    def drone(self, name: str) -> Multirotor:
        """The multirotor that a call names.

        Raises:
            ApiError: there is none.
        """
        vehicle = self._world.vehicle(name)
        if not isinstance(vehicle, Multirotor):
            raise no_such_vehicle("Vehicle API", name)
        return vehicle

    def takeoff(self, timeout_s: float, name: str) -> Moved:
        """Climb 2 m; refused while moving."""
        drone = self.drone(name)
        speed = math.hypot(*drone.body.velocity_mps)
        if speed > moves.STANDING_MPS:
            raise ApiError(f"Cannot perform takeoff because vehicle is already moving with velocity {speed:f} m/s")
        north, east, down = drone.body.position_m
        return self._follow(drone, [(north, east, down - TAKEOFF_M)], SLOW_MPS, timeout_s)

    def land(self, timeout_s: float, name: str) -> Moved:
        """Sink until the ground is there."""
        drone = self.drone(name)
        return drone.fly(moves.land(drone, timeout_s))

    def go_home(self, timeout_s: float, name: str) -> Moved:
        """Fly straight to the start, at 0.5 m/s as AirSim does."""
        return self._follow(self.drone(name), [(0.0, 0.0, 0.0)], SLOW_MPS, timeout_s)

    def hover(self, name: str) -> Moved:
        """End the running move; without one, the pilot holds the place where it finds itself.

        AirSim makes this a moveToZ to the height of now, which is too short a path to move at all.
        """
        return self.drone(name).fly(moves.stop())

    def move_to_position(
        self,
        north_m: float,
        east_m: float,
        down_m: float,
        speed_mps: float,
        timeout_s: float,
        forward: bool,
        yaw: YawMode,
        lookahead_m: float,
        adaptive: float,
        name: str,
    ) -> Moved:
        """A path of one point."""
        point = (north_m, east_m, down_m)
        return self.move_on_path([point], speed_mps, timeout_s, forward, yaw, lookahead_m, adaptive, name)

    def move_to_gps(
        self,
        latitude_deg: float,
        longitude_deg: float,
        altitude_m: float,
        speed_mps: float,
        timeout_s: float,
        forward: bool,
        yaw: YawMode,
        lookahead_m: float,
        adaptive: float,
        name: str,
    ) -> Moved:
        """A path to a place on the Earth."""
        where = {"latitude": latitude_deg, "longitude": longitude_deg, "altitude": altitude_m}
        point = ned_position(where, self.drone(name).home) - self.drone(name).origin_m
        return self.move_on_path([point], speed_mps, timeout_s, forward, yaw, lookahead_m, adaptive, name)

    def move_on_path(
        self,
        points_m: Sequence[Float64Array | Vector],
        speed_mps: float,
        timeout_s: float,
        forward: bool,
        yaw: YawMode,
        lookahead_m: float,
        adaptive: float,
        name: str,
    ) -> Moved:
        """Follow points in local NED."""
        line = [(float(north), float(east), float(down)) for north, east, down in points_m]
        facing = replace(yaw, forward_only=forward)
        return self._follow(self.drone(name), line, speed_mps, timeout_s, facing, Lookahead(lookahead_m, adaptive))

    def move_to_z(
        self,
        down_m: float,
        speed_mps: float,
        timeout_s: float,
        yaw: YawMode,
        lookahead_m: float,
        adaptive: float,
        name: str,
    ) -> Moved:
        """Straight up or down."""
        drone = self.drone(name)
        north, east, _ = drone.body.position_m
        ahead = Lookahead(lookahead_m, adaptive)
        return self._follow(drone, [(north, east, down_m)], speed_mps, timeout_s, yaw, ahead)

    def _follow(
        self,
        drone: Multirotor,
        points_m: list[Vector],
        speed_mps: float,
        timeout_s: float,
        yaw: YawMode = STEADY,
        lookahead: Lookahead = Lookahead(),  # noqa: B008  frozen
    ) -> Moved:
        if not speed_mps > 0:
            raise ApiError(f"{speed_mps} m/s is no speed to fly a path with: give one above 0")
        return drone.fly(fly_path(drone, points_m, speed_mps, timeout_s, yaw, lookahead))

    def move_by_velocity(
        self, vx: float, vy: float, vz: float, duration_s: float, forward: bool, yaw: YawMode, name: str
    ) -> Moved:
        """Keep a velocity in local NED for a time; true at once where the time is not above 0."""
        drone, facing = self.drone(name), replace(yaw, forward_only=forward).along(vx, vy)
        return drone.fly(moves.keep(drone, partial(moves.fly_at, drone, (vx, vy, vz), facing), duration_s))

    def move_by_velocity_z(
        self, vx: float, vy: float, down_m: float, duration_s: float, forward: bool, yaw: YawMode, name: str
    ) -> Moved:
        """Keep a horizontal velocity and a height; false at once where the time is not above 0."""
        return self._fly_level((vx, vy), down_m, duration_s, forward, yaw, name, at_once=False)

    def move_by_velocity_body(
        self, vx: float, vy: float, vz: float, duration_s: float, forward: bool, yaw: YawMode, name: str
    ) -> Moved:
        """As move_by_velocity, forward and right of the heading at the time of the call."""
        north, east = self._turned(vx, vy, name)
        return self.move_by_velocity(north, east, vz, duration_s, forward, yaw, name)

    def move_by_velocity_z_body(
        self, vx: float, vy: float, down_m: float, duration_s: float, forward: bool, yaw: YawMode, name: str
    ) -> Moved:
        """As move_by_velocity_z, but forward and right of the heading, and true where that is false."""
        return self._fly_level(self._turned(vx, vy, name), down_m, duration_s, forward, yaw, name, at_once=True)

    def _turned(self, ahead: float, right: float, name: str) -> tuple[float, float]:
        """(north, east) of a velocity given along and across a drone's heading."""
        _, _, yaw = self.drone(name).body.euler_rad()
        return ahead * elementary.cos(yaw) - right * elementary.sin(yaw), ahead * elementary.sin(
            yaw
        ) + right * elementary.cos(yaw)

    def _fly_level(
        self,
        velocity_mps: tuple[float, float],
        down_m: float,
        duration_s: float,
        forward: bool,
        yaw: YawMode,
        name: str,
        *,
        at_once: bool,
    ) -> Moved:
        drone, (north, east) = self.drone(name), velocity_mps
        facing = replace(yaw, forward_only=forward).along(north, east)
        command = partial(moves.fly_level, drone, north, east, down_m, facing)
        return drone.fly(moves.keep(drone, command, duration_s, at_once))

    def move_by_manual(
        self,
        ahead_mps: float,
        aside_mps: float,
        lift_m: float,
        duration_s: float,
        forward: bool,
        yaw: YawMode,
        name: str,
    ) -> Moved:
        """Let the sticks of moveByRC fly for a time."""
        drone = self.drone(name)
        command = moves.by_remote(drone, ahead_mps, aside_mps, lift_m, replace(yaw, forward_only=forward))
        return drone.fly(moves.keep(drone, command, duration_s))

    def by_attitude(self, modes: Modes) -> Callable[[float, float, float, float, float, str], Moved]:
        """A move that keeps four numbers for a time: roll, pitch, yaw and the last, each as its mode says."""

        def move(roll: float, pitch: float, yaw: float, last: float, duration_s: float, name: str) -> Moved:
            drone = self.drone(name)
            return drone.fly(
                moves.keep(drone, partial(moves.turn_as, drone, modes, (roll, pitch, yaw, last)), duration_s)
            )

        return move

    def rotate_to(self, yaw_deg: float, timeout_s: float, margin_deg: float, name: str) -> Moved:
        """Turn on the spot to a heading, the short way."""
        drone = self.drone(name)
        return drone.fly(moves.rotate_to(drone, yaw_deg, timeout_s, margin_deg))

    def rotate_by_rate(self, rate_dps: float, duration_s: float, name: str) -> Moved:
        """Turn on the spot for a time."""
        drone = self.drone(name)
        command = partial(moves.stay_at, drone, drone.body.position_m, YawMode(True, rate_dps))
        return drone.fly(moves.keep(drone, command, duration_s))
