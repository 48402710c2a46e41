"""moveOnPath and all that is one: a drone after a point that runs ahead of it on a line (MultirotorApiBase.cpp).

The point runs `lookahead` ahead of how far along the path the drone is; with adaptive lookahead it runs further by how
far off the path the drone is. There is no braking at the end, because SimpleFlight sets its distance to 0. A path that
is shorter than the lookahead moves nothing and is false: AirSim's rule, "intended" (its issues 1677 and 3106).
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.vehicles.errand import COMMAND_PERIOD_NS, Task
from airsim_seg.builtin.vehicles.moves import ACCURACY_M, Deadline, YawMode, fly_at
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.vehicles.quadrotor import Vector

PERIOD_S = COMMAND_PERIOD_NS / 1e9
# Periods of flight that an automatic lookahead covers, with and without adaptive lookahead.
_ADAPTIVE_PERIODS, _FIXED_PERIODS = 30, 40
# A drone that stops half a metre before the end drifts on a little before it stands.
_NEAR_M = 2 * ACCURACY_M


@dataclass(frozen=True)
class Lookahead:
    """How far ahead of the drone the point runs.

    Attributes:
        distance_m: below 0: chosen from the speed.
        adaptive: how much of the distance off the path is added; 0 adds nothing.
    """

    distance_m: float = -1.0
    adaptive: float = 1.0

    def metres(self, speed_mps: float) -> float:
        """The distance at a speed.

        Raises:
            ApiError: it is too short for progress on the path.
        """
        ahead_m, step_m = self.distance_m, speed_mps * PERIOD_S
        if ahead_m < 0:
            periods = _ADAPTIVE_PERIODS if self.adaptive > 0 else _FIXED_PERIODS
            return max(step_m * periods, ACCURACY_M * 1.5)
        if ahead_m == 0:
            raise ApiError("lookahead distance cannot be 0")
        if step_m > ahead_m:
            raise ApiError(
                f"lookahead value {ahead_m:f} is too small for velocity {speed_mps:f}. It must be at least {step_m:f}"
            )
        if ahead_m < ACCURACY_M:
            raise ApiError(f"lookahead value {ahead_m:f} is smaller than drone's distance accuracy {ACCURACY_M:f}")
        return ahead_m


class Line:
    """A line of points, at least two, and places on it: (index of the last point passed, metres beyond it)."""

    def __init__(self, points_m: list[Vector]) -> None:
        """Measure the legs."""
        self._points_m = points_m
        self._lengths_m = [math.dist(a, b) for a, b in pairwise(points_m)]

    def further(self, place: tuple[int, float], by_m: float) -> tuple[int, float]:
        """The place so many metres on, at most the end. Legs without length are passed."""
        index, offset = place
        for length in self._lengths_m[index:]:
            if length > 0 and length >= by_m + offset:
                return (index, by_m + offset)
            by_m -= length - offset
            index, offset = index + 1, 0.0
        return (index, 0.0)

    def point_m(self, place: tuple[int, float]) -> Vector:
        """Where a place is."""
        index, offset = place
        if offset == 0:
            return self._points_m[index]
        share = offset / self._lengths_m[index]
        (x, y, z), (u, v, w) = self._points_m[index], self._points_m[index + 1]
        return (x + (u - x) * share, y + (v - y) * share, z + (w - z) * share)

    def is_end(self, place: tuple[int, float]) -> bool:
        """Whether no leg follows."""
        return place[0] == len(self._lengths_m)


def fly_path(
    drone: Multirotor,
    points_m: list[Vector],
    speed_mps: float,
    timeout_s: float,
    yaw: YawMode,
    lookahead: Lookahead,
) -> Task:
    """Fly from here along points.

    Returns:
        True where it has passed the end or come to rest within 1 m of it (AirSim: false where it has not passed);
        False where time ran out, or the path was too short to begin.

    Raises:
        ApiError: the yaw mode or the lookahead makes no sense.
    """
    if not points_m:
        return True
    if yaw.forward_only and yaw.is_rate:
        raise ApiError("Yaw cannot be specified as rate if drivetrain is ForwardOnly")
    ahead_m, off_m, progress_m = lookahead.metres(speed_mps), 0.0, 0.0
    line = Line([drone.body.position_m, *points_m])
    end, here = Deadline(drone, timeout_s), (0, 0.0)
    target = line.further(here, ahead_m)
    if line.is_end(target):
        return False
    while not (line.is_end(target) and progress_m <= 0):
        if end.has_passed:
            return False
        _fly_towards(drone, line.point_m(target), speed_mps, yaw)
        yield
        here_m, target_m = line.point_m(here), line.point_m(target)
        if here_m == target_m:
            return True
        progress_m, off_m = _progress(here_m, target_m, drone.body.position_m)
        if progress_m >= 0:
            here = line.further(here, progress_m)
        target = line.further(here, ahead_m + off_m * lookahead.adaptive)
    return math.dist(drone.body.position_m, points_m[-1]) <= _NEAR_M


def _progress(from_m: Vector, to_m: Vector, at_m: Vector) -> tuple[float, float]:
    """How far `at_m` is along the line between two points and how far off it, metres."""
    ahead = [b - a for a, b in zip(from_m, to_m, strict=True)]
    gone = [b - a for a, b in zip(from_m, at_m, strict=True)]
    length = math.hypot(*ahead)
    along = sum(a * g for a, g in zip(ahead, gone, strict=True)) / length
    return along, math.dist(gone, [a * along / length for a in ahead])


def _fly_towards(drone: Multirotor, to_m: Vector, speed_mps: float, yaw: YawMode) -> None:
    """Command the velocity that leads to a point; none of it where the point is reached, no climb at its height."""
    north, east, down = (b - a for a, b in zip(drone.body.position_m, to_m, strict=True))
    distance = math.sqrt(north * north + east * east + down * down)
    pace = 0.0 if distance < ACCURACY_M else min(speed_mps, distance / PERIOD_S) / distance
    climb = 0.0 if abs(down) <= ACCURACY_M else down * pace
    fly_at(drone, (north * pace, east * pace, climb), yaw.along(north, east, down))
