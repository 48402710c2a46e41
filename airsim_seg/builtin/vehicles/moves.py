"""What a multirotor can be told to do: each move is a task that commands the pilot every 20 ms until it is done.

Rules, names and numbers are those of AirSim's MultirotorApiBase.cpp; local NED, metres, seconds of simulation. Paths
are in paths.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from airsim_seg import elementary
from airsim_seg.builtin.geometry import wrapped_rad
from airsim_seg.builtin.vehicles.errand import Task
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.vehicles.quadrotor import Vector
from airsim_seg.builtin.vehicles.simple_flight import Four, Mode, Modes

LAND_SPEED_MPS, STANDING_MPS, STANDING_RADPS = 0.2, 0.05, 0.01
# A landing is one that stays for more than this many commands.
LANDED_COMMANDS = 10
# SimpleFlightApi.hpp: what is nearer than this counts as reached, and a slower flight as no direction to look in.
ACCURACY_M = 0.5
# Beyond this a time is the client's "none": 3e38 s does not fit an integer clock.
NO_LIMIT_S = 1e9
# moveByManual: full sticks of a radio, the oldest word of it that counts, and the turn that its yaw stick adds.
FULL_STICK, STICK_AGE_NS, STICK_YAW = 10_000.0, 100_000_000, 100.0


@dataclass(frozen=True)
class YawMode:
    """AirSim's YawMode and DrivetrainType in one.

    Attributes:
        is_rate: turn at `value` degrees a second, else face `value` degrees.
        value: see is_rate.
        forward_only: a `value` in degrees is measured from the direction of flight.
    """

    is_rate: bool = True
    value: float = 0.0
    forward_only: bool = False

    def along(self, north: float, east: float, down: float = 0.0) -> "YawMode":
        """The mode for a flight in this direction; one too short to be a direction turns nothing."""
        if self.is_rate or not self.forward_only:
            return self
        if math.sqrt(north * north + east * east + down * down) <= ACCURACY_M:
            return STEADY
        return YawMode(False, self.value + math.degrees(elementary.atan2(east, north)))

    @property
    def goal(self) -> tuple[Mode, float]:
        """The mode of the yaw axis and its goal in radians."""
        return (Mode.RATE if self.is_rate else Mode.LEVEL, math.radians(self.value))


STEADY = YawMode()
Command = Callable[[], None]


class Deadline:
    """An instant on a drone's clock."""

    def __init__(self, drone: Multirotor, seconds: float) -> None:
        """So many seconds from now; beyond NO_LIMIT_S never."""
        self._drone = drone
        self._at_ns = None if seconds > NO_LIMIT_S else drone.time_ns + round(max(seconds, 0.0) * 1e9)

    @property
    def has_passed(self) -> bool:
        """Whether it is over."""
        return self._at_ns is not None and self._drone.time_ns >= self._at_ns


def keep(drone: Multirotor, command: Command, duration_s: float, at_once: bool = True) -> Task:
    """Repeat a command for a time: all of moveBy...; `at_once` is the answer where that time is not above 0."""
    if duration_s <= 0:
        return at_once
    end = Deadline(drone, duration_s)
    while True:
        command()
        if end.has_passed:
            return True
        yield


def stop() -> Task:
    """Nothing: whatever ran has ended, and after 60 ms without a command the pilot holds its place."""
    yield from ()
    return True


def turn_as(drone: Multirotor, modes: Modes, goal: Four) -> None:
    """Ask for angles or rates of turn, and a height or a throttle."""
    drone.pilot.command(modes, goal, drone.time_ns)


def fly_at(drone: Multirotor, velocity_mps: Vector, yaw: YawMode) -> None:
    """Ask for a velocity."""
    north, east, down = velocity_mps
    mode, turn = yaw.goal
    drone.pilot.command((Mode.VELOCITY, Mode.VELOCITY, mode, Mode.VELOCITY), (east, north, turn, down), drone.time_ns)


def fly_level(drone: Multirotor, north_mps: float, east_mps: float, down_m: float, yaw: YawMode) -> None:
    """Ask for a horizontal velocity and a height."""
    mode, turn = yaw.goal
    modes = (Mode.VELOCITY, Mode.VELOCITY, mode, Mode.POSITION)
    drone.pilot.command(modes, (east_mps, north_mps, turn, down_m), drone.time_ns)


def stay_at(drone: Multirotor, position_m: Vector, yaw: YawMode) -> None:
    """Ask for a place."""
    north, east, down = position_m
    mode, turn = yaw.goal
    drone.pilot.command((Mode.POSITION, Mode.POSITION, mode, Mode.POSITION), (east, north, turn, down), drone.time_ns)


def land(drone: Multirotor, timeout_s: float) -> Task:
    """Sink at 0.2 m/s until it sinks no more."""
    end, still = Deadline(drone, timeout_s), 0
    while timeout_s > 0:
        fly_at(drone, (0.0, 0.0, LAND_SPEED_MPS), STEADY)
        still = still + 1 if drone.body.velocity_mps[2] <= STANDING_MPS else 0
        if still > LANDED_COMMANDS:
            return True
        if end.has_passed:
            break
        yield
    return False


def rotate_to(drone: Multirotor, yaw_deg: float, timeout_s: float, margin_deg: float) -> Task:
    """Turn on the spot to a heading, the short way, and stop turning."""
    if timeout_s <= 0:
        return True
    end, here, target = Deadline(drone, timeout_s), drone.body.position_m, math.radians(yaw_deg)
    while True:
        _, _, yaw = drone.body.euler_rad()
        # AirSim compares without wrapping: at 180 degrees it may never be there.
        if abs(wrapped_rad(yaw - target)) <= math.radians(margin_deg):
            stay_at(drone, here, STEADY)
            if abs(drone.body.rate_radps[2]) <= STANDING_RADPS:
                return True
        else:
            stay_at(drone, here, YawMode(False, yaw_deg))
        if end.has_passed:
            return False
        yield


def by_remote(drone: Multirotor, ahead_mps: float, aside_mps: float, lift_m: float, yaw: YawMode) -> Command:
    """The command of moveByManual: sticks of moveByRC as horizontal velocity, height and turn.

    Args:
        drone: who flies.
        ahead_mps: speed at full roll stick (AirSim's vx_max), along y turned back by the heading of now, as there.
        aside_mps: speed at full pitch stick, along x turned likewise.
        lift_m: added to the height at full throttle stick (AirSim's z_min, below 0 is up).
        yaw: where to face; the yaw stick adds up to 100 degrees or degrees a second.
    """
    columns = tuple(zip(*drone.body.rows, strict=True))

    def command() -> None:
        sticks = drone.pilot.remote
        if not sticks.is_valid or (sticks.timestamp and drone.time_ns - sticks.timestamp > STICK_AGE_NS):
            return
        wanted = (sticks.pitch * aside_mps / FULL_STICK, sticks.roll * ahead_mps / FULL_STICK)
        north, east = (column[0] * wanted[0] + column[1] * wanted[1] for column in columns[:2])
        turned = YawMode(yaw.is_rate, yaw.value + sticks.yaw * STICK_YAW / FULL_STICK, yaw.forward_only)
        down = drone.body.position_m[2] + sticks.throttle / FULL_STICK * lift_m
        fly_level(drone, north, east, down, turned.along(north, east))

    return command
