"""What a multirotor can be told to do: each goal says, step by step, which velocity it wants and when it is reached."""

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from airsim_seg.builtin.geometry import wrapped_rad
from airsim_seg.types import Float64Array

# Braking that the velocity loop follows with ease, and the pull towards a point; see multirotor.py for the loop.
BRAKE_MPS2, POSITION_GAIN_PER_S = 2.0, 1.0
ARRIVED_M, STILL_MPS = 0.1, 0.2
MAX_YAW_RATE_RADPS, YAW_GAIN_PER_S = math.radians(120), 3.0
LAND_SPEED_MPS = 0.2


class Flight(Protocol):
    """What a goal may know of the body that flies it; local NED, metres and m/s."""

    position_m: Float64Array
    velocity_mps: Float64Array
    yaw_rad: float
    landed: bool


@dataclass(frozen=True)
class YawMode:
    """AirSim's YawMode and DrivetrainType in one.

    Attributes:
        is_rate: turn at `value` degrees a second, else face `value` degrees.
        value: see is_rate.
        forward_only: `value` is measured from the direction of flight.
    """

    is_rate: bool = True
    value: float = 0.0
    forward_only: bool = False

    def rate_radps(self, flight: Flight) -> float:
        """The yaw rate that this mode asks for now."""
        if self.is_rate:
            return math.radians(self.value)
        target = math.radians(self.value)
        if self.forward_only:
            north, east, _ = flight.velocity_mps
            if math.hypot(north, east) < STILL_MPS:
                return 0.0
            target += math.atan2(east, north)
        return towards_radps(target, flight)


def towards_radps(target_rad: float, flight: Flight) -> float:
    """Yaw rate that turns the short way to a heading and slows down before it."""
    wanted = YAW_GAIN_PER_S * wrapped_rad(target_rad - flight.yaw_rad)
    return max(-MAX_YAW_RATE_RADPS, min(MAX_YAW_RATE_RADPS, wanted))


class Goal(Protocol):
    """Something to fly."""

    def velocity_mps(self, flight: Flight) -> Float64Array:
        """The velocity that leads there, float64 [3]."""
        ...

    def yaw_rate_radps(self, flight: Flight) -> float:
        """The turn that goes with it."""
        ...

    def outcome(self, flight: Flight, time_ns: int) -> bool | None:
        """True: done. False: failed. None: still flying."""
        ...


def towards(point_m: Float64Array, flight: Flight, speed_mps: float) -> Float64Array:
    """Velocity straight to a point, slowing down so as to stop there."""
    offset = point_m - flight.position_m
    distance = math.hypot(*offset)
    if distance == 0:
        return np.zeros(3)
    speed = min(speed_mps, math.sqrt(2 * BRAKE_MPS2 * distance), POSITION_GAIN_PER_S * distance)
    return offset * (speed / distance)


@dataclass(eq=False)
class Hold:
    """Brake, then stay at the point where it came to rest. Done once it is still."""

    point_m: Float64Array | None = None

    def velocity_mps(self, flight: Flight) -> Float64Array:
        """See Goal."""
        if self.point_m is None:
            if math.hypot(*flight.velocity_mps) > STILL_MPS:
                return np.zeros(3)
            self.point_m = flight.position_m.copy()
        return towards(self.point_m, flight, 2.0)

    def yaw_rate_radps(self, flight: Flight) -> float:  # noqa: ARG002
        """See Goal."""
        return 0.0

    def outcome(self, flight: Flight, time_ns: int) -> bool | None:  # noqa: ARG002
        """See Goal."""
        return True if math.hypot(*flight.velocity_mps) <= STILL_MPS else None


@dataclass(eq=False)
class FlyPath:
    """Follow a line of points by a carrot that runs ahead on it, and stop at its end.

    Attributes:
        points_m: float64 [P,3], P >= 2; the first is where the flight begins.
        speed_mps: cruising speed.
        lookahead_m: how far the carrot runs ahead.
        yaw: where to face.
        deadline_ns: give up then; None never does.
    """

    points_m: Float64Array
    speed_mps: float
    lookahead_m: float
    yaw: YawMode
    deadline_ns: int | None
    _leg: int = 0
    _lengths_m: Float64Array = field(init=False)

    def __post_init__(self) -> None:
        """Measure the legs."""
        self._lengths_m = np.sqrt((np.diff(self.points_m, axis=0) ** 2).sum(1))

    def velocity_mps(self, flight: Flight) -> Float64Array:
        """See Goal."""
        along = self._along_m(flight)
        last = len(self._lengths_m) - 1
        while self._leg < last and along >= self._lengths_m[self._leg]:
            self._leg += 1
            along = self._along_m(flight)
        along = max(0.0, along)
        left = float(self._lengths_m[self._leg :].sum()) - along
        if left <= self.lookahead_m or (self._leg == last and along > self._lengths_m[last]):
            return towards(self.points_m[-1], flight, self.speed_mps)
        offset = self._carrot_m(along) - flight.position_m
        speed = min(self.speed_mps, math.sqrt(2 * BRAKE_MPS2 * left))
        return offset * (speed / max(math.hypot(*offset), 1e-9))

    def _along_m(self, flight: Flight) -> float:
        """How far along its leg the body is."""
        start, length = self.points_m[self._leg], self._lengths_m[self._leg]
        if length == 0:
            return 0.0
        return float((flight.position_m - start) @ (self.points_m[self._leg + 1] - start) / length)

    def _carrot_m(self, along: float) -> Float64Array:
        ahead, leg = along + self.lookahead_m, self._leg
        while leg < len(self._lengths_m) - 1 and ahead > self._lengths_m[leg]:
            ahead -= float(self._lengths_m[leg])
            leg += 1
        start, stop = self.points_m[leg], self.points_m[leg + 1]
        share = min(1.0, ahead / max(float(self._lengths_m[leg]), 1e-9))
        point: Float64Array = start + (stop - start) * share
        return point

    def yaw_rate_radps(self, flight: Flight) -> float:
        """See Goal."""
        return self.yaw.rate_radps(flight)

    def outcome(self, flight: Flight, time_ns: int) -> bool | None:
        """See Goal."""
        near = (
            self._leg == len(self._lengths_m) - 1 and math.hypot(*(self.points_m[-1] - flight.position_m)) <= ARRIVED_M
        )
        if near and math.hypot(*flight.velocity_mps) <= STILL_MPS:
            return True
        return False if self.deadline_ns is not None and time_ns >= self.deadline_ns else None


@dataclass(eq=False)
class FlyVelocity:
    """Keep a velocity for a time.

    Attributes:
        wanted_mps: float64 [3].
        down_m: fly at this height instead of the wanted vertical speed; None does not.
        yaw: where to face.
        end_ns: the clock at which it is done.
    """

    wanted_mps: Float64Array
    down_m: float | None
    yaw: YawMode
    end_ns: int

    def velocity_mps(self, flight: Flight) -> Float64Array:
        """See Goal."""
        if self.down_m is None:
            return self.wanted_mps
        climb = max(-5.0, min(5.0, POSITION_GAIN_PER_S * (self.down_m - float(flight.position_m[2]))))
        return np.array([self.wanted_mps[0], self.wanted_mps[1], climb])

    def yaw_rate_radps(self, flight: Flight) -> float:
        """See Goal."""
        return self.yaw.rate_radps(flight)

    def outcome(self, flight: Flight, time_ns: int) -> bool | None:  # noqa: ARG002
        """See Goal."""
        return True if time_ns >= self.end_ns else None


@dataclass(eq=False)
class Turn:
    """Turn on the spot: to a heading (done within the margin), or at a rate until a time.

    Attributes:
        yaw: heading or rate.
        margin_rad: how near counts as there.
        end_ns: with a rate: done then; with a heading: given up then; None never is.
    """

    yaw: YawMode
    margin_rad: float
    end_ns: int | None
    _stay: Hold = field(default_factory=Hold)

    def velocity_mps(self, flight: Flight) -> Float64Array:
        """See Goal."""
        return self._stay.velocity_mps(flight)

    def yaw_rate_radps(self, flight: Flight) -> float:
        """See Goal."""
        return self.yaw.rate_radps(flight)

    def outcome(self, flight: Flight, time_ns: int) -> bool | None:
        """See Goal."""
        late = self.end_ns is not None and time_ns >= self.end_ns
        if self.yaw.is_rate:
            return True if late else None
        if abs(wrapped_rad(math.radians(self.yaw.value) - flight.yaw_rad)) <= self.margin_rad:
            return True
        return False if late else None


@dataclass(eq=False)
class Land:
    """Sink at 0.2 m/s (MultirotorApiBase.cpp) over one point until the ground is there."""

    deadline_ns: int | None
    _over: Hold = field(default_factory=Hold)

    def velocity_mps(self, flight: Flight) -> Float64Array:
        """See Goal."""
        north, east, _ = self._over.velocity_mps(flight)
        return np.array([north, east, LAND_SPEED_MPS])

    def yaw_rate_radps(self, flight: Flight) -> float:  # noqa: ARG002
        """See Goal."""
        return 0.0

    def outcome(self, flight: Flight, time_ns: int) -> bool | None:
        """See Goal."""
        if flight.landed:
            return True
        return False if self.deadline_ns is not None and time_ns >= self.deadline_ns else None
