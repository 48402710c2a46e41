"""Winding lines on the map that roads, walls and shores follow. Places as in ground.py: north and west, metres."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from airsim_seg.builtin.geometry import on_grid
from airsim_seg.builtin.traffic import PLACE_GRID_M
from airsim_seg.types import Float64Array

STEP_M = 2.0
# How far from the middle of a crossing a turn begins: nearer, and it is too sharp; farther, and it leaves the road.
_INNER_TURN_M, _OUTER_TURN_M = 4.5, 2.0
FAR_M = 1000.0  # stands for any distance beyond reach
Place = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Course:
    """An open line without corners.

    Attributes:
        points_m: float64 [K,2], about STEP_M apart. Kept rounded to the grid of all that is built: what is decided by
            lengths and sides along the line must not hang on the last bit of a sine.
    """

    points_m: Float64Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "points_m", on_grid(self.points_m, PLACE_GRID_M))

    @cached_property
    def arc_m(self) -> Float64Array:
        """float64 [K], length from the first point."""
        steps = np.linalg.norm(np.diff(self.points_m, axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)])

    @cached_property
    def _turns(self) -> Float64Array:
        """float64 [K], heading at each point, counter-clockwise from north, unwrapped."""
        along = np.gradient(self.points_m, axis=0)
        return np.unwrap(np.arctan2(along[:, 1], along[:, 0]))

    @property
    def length_m(self) -> float:
        """Of the whole line."""
        return float(self.arc_m[-1])

    def at(self, along_m: float, left_m: float = 0.0) -> tuple[float, float, float]:
        """A place beside the line, and the line's heading there: x, y and radians counter-clockwise from north."""
        x, y = (float(np.interp(along_m, self.arc_m, self.points_m[:, k])) for k in (0, 1))
        turn = float(np.interp(along_m, self.arc_m, self._turns))
        return x - left_m * float(np.sin(turn)), y + left_m * float(np.cos(turn)), turn

    def places_m(self, along_m: Float64Array, left_m: float) -> Float64Array:
        """Places float64 [N,2] beside the line, at distances float64 [N] along it."""
        x, y, turn = (np.interp(along_m, self.arc_m, v) for v in (*self.points_m.T, self._turns))
        return np.stack([x - left_m * np.sin(turn), y + left_m * np.cos(turn)], 1)

    def beside(self, left_m: float, start_m: float = 0.0, end_m: float | None = None) -> "Course":
        """The line shifted to the left, of a stretch of it; keep clear of the insides of narrow bends."""
        end_m = self.length_m if end_m is None else end_m
        stops = np.linspace(start_m, end_m, _stops(end_m - start_m, STEP_M))
        return Course(self.places_m(stops, left_m))

    def curvature(self, along_m: float) -> float:
        """1/m, positive where it bends to the left."""
        return float(np.interp(along_m, self.arc_m, np.gradient(self._turns, self.arc_m)))

    def project(self, axis_m: Float64Array, reach_m: float) -> tuple[Float64Array, Float64Array]:
        """Where the nodes of a lattice lie along the line.

        Args:
            axis_m: float64 [M], of the lattice on both axes.
            reach_m: how far from the line to look.

        Returns:
            float64 [M,M] each: metres to the left of the line (FAR_M beyond reach), and metres along it.
        """
        left = np.full((len(axis_m), len(axis_m)), FAR_M)
        along = np.zeros_like(left)
        for k in range(len(self.points_m) - 1):
            a, b = self.points_m[k], self.points_m[k + 1]
            window = tuple(
                slice(*np.searchsorted(axis_m, (min(a[i], b[i]) - reach_m, max(a[i], b[i]) + reach_m))) for i in (0, 1)
            )
            x, y = axis_m[window[0], None] - a[0], axis_m[None, window[1]] - a[1]
            (dx, dy), long = b - a, self.arc_m[k + 1] - self.arc_m[k]
            share = np.clip((x * dx + y * dy) / long**2, 0, 1)
            off_x, off_y = x - share * dx, y - share * dy
            distance = np.sqrt(off_x * off_x + off_y * off_y)
            better = (distance < np.abs(left[window])) & (distance < reach_m)
            side = np.where(dx * y - dy * x >= 0, distance, -distance)
            left[window] = np.where(better, side, left[window])
            along[window] = np.where(better, self.arc_m[k] + share * long, along[window])
        return left, along

    def along_m(self, north_m: float) -> float:
        """How far along the line it is so far north; for lines that run from south to north."""
        return float(np.interp(north_m, self.points_m[:, 0], self.arc_m))

    def place_at(self, north_m: float) -> Place:
        """The place of such a line that is so far north."""
        x, y, _ = self.at(self.along_m(north_m))
        return x, y

    def nearest(self, x: float, y: float) -> int:
        """Number of the point that is nearest to a place."""
        return int(((self.points_m - (x, y)) ** 2).sum(1).argmin())

    def distance_m(self, x: float, y: float) -> float:
        """From a place to the nearest point of the line."""
        return float(np.sqrt(((self.points_m - (x, y)) ** 2).sum(1).min()))


def winding(corners_m: Sequence[Place], *, rounds: int = 4, step_m: float = STEP_M) -> Course:
    """A line that starts and ends at the first and last of some corners and cuts the others.

    Chaikin's corner cutting (An algorithm for high-speed curve generation, 1974) tends to a quadratic B-spline.

    Args:
        corners_m: at least two.
        rounds: of cutting.
        step_m: between the points of the line.
    """
    points = np.asarray(corners_m, np.float64)
    for _ in range(rounds):
        near, far = 0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]
        cut = np.stack([near, far], 1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return Course(_even(points, step_m))


def _stops(length_m: float, step_m: float) -> int:
    """How many points a line gets; a length that is a half step more than whole ones counts as exactly that."""
    return max(2, round(float(on_grid(length_m, PLACE_GRID_M)) / step_m) + 1)


def _even(points: Float64Array, step_m: float) -> Float64Array:
    """Points of a line at even distances."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    stops = np.linspace(0, arc[-1], _stops(float(arc[-1]), step_m))
    return np.stack([np.interp(stops, arc, points[:, k]) for k in (0, 1)], 1)


def loop(corners_m: Float64Array, *, rounds: int = 3, step_m: float = STEP_M) -> Float64Array:
    """A closed line through or near the corners float64 [K,2], without sharp turns, for traffic.

    Returns:
        float64 [N,2], its corners, the last not equal to the first.
    """
    points = np.asarray(corners_m, np.float64)
    for _ in range(rounds):
        after = np.roll(points, -1, 0)
        points = np.stack([0.75 * points + 0.25 * after, 0.25 * points + 0.75 * after], 1).reshape(-1, 2)
    return _even(np.concatenate([points, points[:1]]), step_m)[:-1]


def there_and_back(course: Course, lefts_m: tuple[float, float], start_m: float, end_m: float) -> Float64Array:
    """A closed walk beside a line, float64 [N,2]: there at one distance to the left of it, back at another."""
    there, back = (course.beside(left, start_m, end_m).points_m for left in lefts_m)
    return loop(np.concatenate([there, back[::-1]])[::2], rounds=2, step_m=1.0)


def round_trip(main: Course, side: Course, left_m: float) -> Float64Array:
    """Once around by a side road and back by the main road that it leaves and comes back to.

    Args:
        main: the main road, from south to north.
        side: from one of its points to another, farther north.
        left_m: how far from the middle of the side road, to its left; on the other hand on the way back.

    Returns:
        float64 [N,2], northwards by the side road; reversed it keeps the same side of all roads.
    """
    ends = [float(main.arc_m[main.nearest(*(float(v) for v in side.points_m[k]))]) for k in (0, -1)]
    eastern = side.points_m[:, 1].mean() < main.points_m[:, 1].mean()
    turn = _INNER_TURN_M if eastern == (left_m > 0) else _OUTER_TURN_M
    parts = []
    stretches: list[tuple[Course, float, float, float]] = [
        (side, left_m, 0.0, side.length_m),
        (main, -left_m, ends[0], ends[1]),
    ]
    for course, left, start, end in stretches:
        stops = np.linspace(start + turn, end - turn, round((end - start) / 8.0))
        parts.append(course.places_m(stops, left))
    return loop(np.concatenate([parts[0], parts[1][::-1]]), rounds=2)
