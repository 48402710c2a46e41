"""From sticks to AirSim's commands: one pilot for each kind of vehicle.

A pilot is asked again and again while keys are held and told once when the last is let go. What it commands ends by
itself soon after, so that a vehicle whose page has died stops.
"""

import asyncio
import contextlib
import math
from typing import Protocol

import numpy as np

from airsim_seg.errors import SimulatorError
from airsim_seg.types import Float64Array, Pose
from airsim_seg.viewer.keys import Sticks
from airsim_seg.viewer.link import Link

# A drone's command outlives this many askings.
_COMMAND_S = 0.5
_BRAKING_S = 1.5
TURN_RATE_DPS = 60.0
TILT_RATE_DPS = 40.0
# A stick that is pushed sideways on the ground lifts first: the legs would drag.
LIFT_MPS = 1.0
REVERSING_MPS = 0.5  # slower than this ahead, and the brake becomes the reverse gear
THROTTLE_PER_MPS = 0.25  # a proportional cruise control: full throttle 4 m/s below the speed that is asked for
# Half lock when standing, the less the faster: at 10 m/s the car of both simulators turns on 20 m.
_STEERING, _STEERING_FADES_MPS = 0.6, 8.0
_MAX_TILT_RAD = math.radians(89)


class Pilot(Protocol):
    """Someone at the controls.

    Attributes:
        period_s: how often steer() wants to be called while keys are held.
    """

    period_s: float

    async def steer(self, sticks: Sticks, speed_mps: float, dt_s: float) -> None:
        """Do what the sticks say for a little while.

        Args:
            sticks: what is asked for.
            speed_mps: how fast at full stick.
            dt_s: seconds since the last call, or until the next.
        """
        ...

    async def release(self) -> None:
        """Come to rest."""
        ...


def pilot_for(link: Link) -> Pilot:
    """The pilot of a link's vehicle."""
    match link.identity.kind:
        case "drone":
            return DronePilot(link)
        case "car":
            return CarPilot(link)
        case "camera":
            return CameraPilot(link)


class DronePilot:
    """moveByVelocityBodyFrame, a braking and a hover."""

    period_s = 0.1

    def __init__(self, link: Link) -> None:
        self._link = link
        self._is_flying = False
        self._on_ground = False
        self._moves: set[asyncio.Task[None]] = set()

    async def steer(self, sticks: Sticks, speed_mps: float, dt_s: float) -> None:  # noqa: ARG002
        """Fly along and across the heading, climb, turn."""
        if not self._is_flying:
            await self._link.take_control()
            self._is_flying = True
            self._on_ground = await self._link.is_landed()
        elif self._on_ground:
            self._on_ground = await self._link.is_landed()
        up_mps = sticks.up * speed_mps / 2
        if self._on_ground and sticks.up == 0:
            up_mps = LIFT_MPS
        self._start(sticks.forward * speed_mps, sticks.right * speed_mps, -up_mps, sticks.turn * TURN_RATE_DPS)

    async def release(self) -> None:
        """Brake, then hover where that ended: a hover at speed would fly back to where it was ordered."""
        self._is_flying = False
        task = asyncio.create_task(self._brake())
        self._moves.add(task)
        task.add_done_callback(self._moves.discard)

    async def _brake(self) -> None:
        with contextlib.suppress(SimulatorError):
            if await self._link.fly(0.0, 0.0, 0.0, 0.0, _BRAKING_S):
                await self._link.hover()

    def _start(self, forward_mps: float, right_mps: float, down_mps: float, yaw_rate_dps: float) -> None:
        """Order a move without waiting for its end: the next one replaces it."""

        async def fly() -> None:
            with contextlib.suppress(SimulatorError):  # the state loop tells of a simulator that is gone
                await self._link.fly(forward_mps, right_mps, down_mps, yaw_rate_dps, _COMMAND_S)

        task = asyncio.create_task(fly())
        self._moves.add(task)
        task.add_done_callback(self._moves.discard)


class CarPilot:
    """Pedals and a wheel; the throttle keeps to the speed that the page asks for."""

    period_s = 0.1

    def __init__(self, link: Link) -> None:
        self._link = link
        self._is_driving = False

    async def steer(self, sticks: Sticks, speed_mps: float, dt_s: float) -> None:  # noqa: ARG002
        """Forward drives, back brakes and then reverses, up pulls the handbrake."""
        if not self._is_driving:
            await self._link.take_control()
            self._is_driving = True
        now_mps, _ = await self._link.car_state()
        throttle, brake = pedals(sticks.forward, now_mps, speed_mps)
        wheel = steering(sticks.right or sticks.turn, now_mps)
        await self._link.drive(throttle, wheel, brake, handbrake=sticks.up > 0)

    async def release(self) -> None:
        """Let the pedals go and brake gently."""
        self._is_driving = False
        await self._link.drive(0.0, 0.0, 0.3)


def pedals(forward: int, now_mps: float, wanted_mps: float) -> tuple[float, float]:
    """Throttle and brake of a car.

    Args:
        forward: -1, 0 or 1.
        now_mps: speed, negative backwards.
        wanted_mps: the speed to keep to, above 0.

    Returns:
        throttle -1..1, negative for reverse gear, and brake 0..1.
    """
    if forward > 0:
        if now_mps < -REVERSING_MPS:
            return 0.0, 1.0
        return min(1.0, max(0.0, (wanted_mps - now_mps) * THROTTLE_PER_MPS)), 0.0
    if forward < 0:
        if now_mps > REVERSING_MPS:
            return 0.0, 1.0
        return -min(1.0, max(0.0, (wanted_mps / 2 + now_mps) * THROTTLE_PER_MPS)), 0.0
    return 0.0, 0.0


def steering(turn: int, now_mps: float) -> float:
    """How far the wheel is turned, -1..1, less the faster the car is."""
    return turn * _STEERING / (1 + abs(now_mps) / _STEERING_FADES_MPS)


class CameraPilot:
    """Moves a ComputerVision camera freely, at the pace of the clock on the wall."""

    period_s = 1 / 30

    def __init__(self, link: Link) -> None:
        self._link = link
        self._angles: tuple[Float64Array, float, float] | None = None  # position, yaw, pitch

    async def steer(self, sticks: Sticks, speed_mps: float, dt_s: float) -> None:
        """Fly level along the heading, climb, turn, tilt; roll is taken out."""
        if self._angles is None:
            pose = (await self._link.motion()).pose
            yaw_rad, pitch_rad, _ = euler_rad(pose)
            self._angles = pose.position_m, yaw_rad, pitch_rad
        self._angles = moved(*self._angles, sticks, speed_mps, dt_s)
        position_m, yaw_rad, pitch_rad = self._angles
        await self._link.place(Pose.from_euler(position_m, yaw_rad=yaw_rad, pitch_rad=pitch_rad))

    async def release(self) -> None:
        """Stand where it is; somebody else may move it until the next key."""
        self._angles = None


def moved(
    position_m: Float64Array, yaw_rad: float, pitch_rad: float, sticks: Sticks, speed_mps: float, dt_s: float
) -> tuple[Float64Array, float, float]:
    """A free camera a moment later.

    Args:
        position_m: float64 [3], NED.
        yaw_rad: heading.
        pitch_rad: positive looks up.
        sticks: what is asked for.
        speed_mps: how fast.
        dt_s: how long.

    Returns:
        Position, yaw and pitch.
    """
    ahead = np.array([math.cos(yaw_rad), math.sin(yaw_rad), 0.0])
    aside = np.array([-ahead[1], ahead[0], 0.0])
    step_m = speed_mps * dt_s
    down = np.array([0.0, 0.0, -1.0])
    place_m = position_m + step_m * (sticks.forward * ahead + sticks.right * aside + sticks.up * down)
    tilt_rad = pitch_rad + sticks.tilt * math.radians(TILT_RATE_DPS) * dt_s
    limited_rad = min(_MAX_TILT_RAD, max(-_MAX_TILT_RAD, tilt_rad))
    return place_m, yaw_rad + sticks.turn * math.radians(TURN_RATE_DPS) * dt_s, limited_rad


def euler_rad(pose: Pose) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a pose: the inverse of Pose.from_euler, pitch within a quarter turn.

    Source: the entries of R = Rz(yaw) Ry(pitch) Rx(roll).
    """
    rotation = pose.rotation()
    pitch_rad = -math.asin(min(1.0, max(-1.0, float(rotation[2, 0]))))
    return math.atan2(rotation[1, 0], rotation[0, 0]), pitch_rad, math.atan2(rotation[2, 1], rotation[2, 2])
