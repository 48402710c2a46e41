"""Who drives and walks: things on closed ways, each at its own pace, for ever.

Where they are is a function of the time alone, in whole nanoseconds: no state, so any moment can be asked for in any
order. Only additions, products, quotients and square roots, and results on a fixed grid: equal on every machine.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.geometry import on_grid
from airsim_seg.types import Float64Array

PLACE_GRID_M = 2.0**-12  # a quarter of a millimetre
DIRECTION_GRID = 2.0**-20


@dataclass(frozen=True, eq=False)
class Way:
    """A closed line on the ground, followed in the order of its corners.

    Attributes:
        corners_m: float64 [K,3], scene NED; K at least 3, none straight above the next or equal to it. Kept rounded
            to the grid: whoever made them may have asked for sines.
    """

    corners_m: Float64Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "corners_m", on_grid(self.corners_m, PLACE_GRID_M))

    @cached_property
    def sides_m(self) -> Float64Array:
        """float64 [K,3], from each corner to the next."""
        sides: Float64Array = np.roll(self.corners_m, -1, 0) - self.corners_m
        return sides

    @cached_property
    def lengths_m(self) -> Float64Array:
        """float64 [K], of the sides."""
        lengths: Float64Array = np.sqrt((self.sides_m**2).sum(1))
        return lengths

    @cached_property
    def starts_m(self) -> Float64Array:
        """float64 [K], how far along the way each corner is."""
        return np.concatenate([[0.0], np.cumsum(self.lengths_m)[:-1]])

    @cached_property
    def length_m(self) -> float:
        """Once around."""
        return float(self.lengths_m.sum())

    def distance_m(self, place_m: Float64Array) -> float:
        """How far a place [3] is from the nearest point of the way."""
        from_corner = place_m - self.corners_m
        share = np.clip((from_corner * self.sides_m).sum(1) / self.lengths_m**2, 0, 1)
        return float(np.sqrt(((from_corner - share[:, None] * self.sides_m) ** 2).sum(1).min()))

    def placement(self, along_m: float) -> Float64Array:
        """Where something on the way is, float64 [3,4]: rotation, then place; its x axis points along the way.

        It turns evenly from the middle of one side to the middle of the next, as what has wheels does, and on hills it
        is pitched but never rolled: its y axis stays level.

        Args:
            along_m: metres from the first corner, any number.
        """
        along_m %= self.length_m
        k = bisect_right(self.starts_m.tolist(), along_m) - 1
        part = (along_m - self.starts_m[k]) / self.lengths_m[k]
        neighbour = (k + (1 if part >= 0.5 else -1)) % len(self.corners_m)
        share = abs(part - 0.5) * self.lengths_m[k] / (0.5 * (self.lengths_m[k] + self.lengths_m[neighbour]))
        own, other = (self.sides_m[j] / self.lengths_m[j] for j in (k, neighbour))
        heading = own + share * (other - own)
        placed: Float64Array = _placed((self.corners_m[k] + part * self.sides_m[k])[None], heading[None])[0]
        return placed


@dataclass(frozen=True, eq=False)
class Mover:
    """One thing on its way.

    Attributes:
        object_index: of the scene, which was built where it is at time 0.
        way: that it follows.
        speed_mps: at least 0; kept rounded to the grid, as start_m is.
        start_m: where on the way it is at time 0.
    """

    object_index: int
    way: Way
    speed_mps: float
    start_m: float

    def __post_init__(self) -> None:
        for name in ("speed_mps", "start_m"):
            object.__setattr__(self, name, float(on_grid(getattr(self, name), PLACE_GRID_M)))

    def along_m(self, time_ns: int) -> float:
        """How far along its way it is, from 0 to the way's length, metres.

        Args:
            time_ns: since the world began, nanoseconds.
        """
        # Whole rounds are taken off in integers: after a year a double would count in micrometres.
        length_m = self.way.length_m
        round_ns = round(1e9 * length_m / self.speed_mps) if self.speed_mps > 0 else 1
        return (self.start_m + self.speed_mps * (time_ns % round_ns) / 1e9) % length_m

    def place(self, time_ns: int) -> Float64Array:
        """Where it is, float64 [3,4]: rotation, then place in the scene's NED."""
        return self.way.placement(self.along_m(time_ns))


class Traffic:
    """All that moves in a world, looked at together: a picture wants the places of fifty cars in a fraction of a ms."""

    def __init__(self, movers: Sequence[Mover]) -> None:
        """Take the movers; each keeps to its own way and pace."""
        self.movers = tuple(movers)
        # All ways in one list of sides; a way's first side is number _first of it.
        self._corners_m = np.concatenate([np.zeros((0, 3)), *[m.way.corners_m for m in movers]])
        sides_m = np.concatenate([np.zeros((0, 3)), *[m.way.sides_m for m in movers]])
        self._sides_m = sides_m
        self._lengths_m = np.concatenate([np.zeros(0), *[m.way.lengths_m for m in movers]])
        self._ahead = sides_m / self._lengths_m[:, None]
        self._counts = np.array([len(m.way.corners_m) for m in movers], np.int64)
        self._firsts = np.cumsum(self._counts) - self._counts
        self._starts_m = [m.way.starts_m.tolist() for m in movers]
        self._built = self.places(0)

    def places(self, time_ns: int) -> Float64Array:
        """Where each is, float64 [M,3,4], as Mover.place says, bit for bit."""
        along_m = np.array([mover.along_m(time_ns) for mover in self.movers])
        corner = np.array([bisect_right(s, a) - 1 for s, a in zip(self._starts_m, along_m, strict=True)], np.int64)
        k = self._firsts + corner
        starts_m = np.array([s[c] for s, c in zip(self._starts_m, corner, strict=True)])
        part = (along_m - starts_m) / self._lengths_m[k]
        neighbour = self._firsts + (corner + np.where(part >= 0.5, 1, -1)) % self._counts
        share = np.abs(part - 0.5) * self._lengths_m[k] / (0.5 * (self._lengths_m[k] + self._lengths_m[neighbour]))
        heading = self._ahead[k] + share[:, None] * (self._ahead[neighbour] - self._ahead[k])
        return _placed(self._corners_m[k] + part[:, None] * self._sides_m[k], heading)

    def placements(self, time_ns: int) -> dict[int, Float64Array]:
        """From where each was built to where it is, by object index; see Moment.placements.

        Args:
            time_ns: since the world began, nanoseconds.
        """
        return self.placements_at(self.places(time_ns))

    def placements_at(self, now: Float64Array) -> dict[int, Float64Array]:
        """The same from where everybody is, float64 [M,3,4] of places."""
        built = self._built
        # Not `@`: a library may round its sums another way on another processor.
        turn = (now[:, :, None, :3] * built[:, None, :, :3]).sum(-1)
        shift = now[..., 3] - (turn * built[:, None, :, 3]).sum(-1)
        moved = np.concatenate([turn, shift[..., None]], -1)
        return {mover.object_index: placement for mover, placement in zip(self.movers, moved, strict=True)}


def _placed(place_m: Float64Array, heading: Float64Array) -> Float64Array:
    """float64 [M,3,4] of places [M,3] and directions [M,3] of any length: pitched, never rolled, on the grids."""
    north, east, down = (heading / np.sqrt((heading**2).sum(-1))[:, None]).T
    level = np.sqrt(north**2 + east**2)
    cos, sin = north / level, east / level
    # Columns: ahead, to the right, below.
    columns = [[north, east, down], [-sin, cos, np.zeros_like(down)], [-down * cos, -down * sin, level]]
    turn, place = on_grid(np.array(columns), DIRECTION_GRID), on_grid(place_m, PLACE_GRID_M)
    return np.concatenate([turn.transpose(2, 1, 0), place[..., None]], -1)


def rounded_block(
    low_m: tuple[float, float], high_m: tuple[float, float], radius_m: float, down_m: float, *, points: int = 8
) -> Way:
    """A way around a block, clockwise seen from above, with round corners.

    Args:
        low_m: north and east of its south-western corner.
        high_m: of its north-eastern one.
        radius_m: of the corners; at most half of the shorter side.
        down_m: of the ground.
        points: corners of the way in each round corner, a power of two.
    """
    (south, west), (north, east) = low_m, high_m
    # From the western side northwards: the turns are right turns.
    centres = (
        ((north - radius_m, west + radius_m), (0.0, -1.0)),
        ((north - radius_m, east - radius_m), (1.0, 0.0)),
        ((south + radius_m, east - radius_m), (0.0, 1.0)),
        ((south + radius_m, west + radius_m), (-1.0, 0.0)),
    )
    corners = []
    for (centre_north, centre_east), (n, e) in centres:
        for a, b in _quarter_turn(points):
            # (n, e) turned clockwise by the angle with cosine a and sine b.
            corners.append(
                (centre_north + radius_m * (n * a - e * b), centre_east + radius_m * (e * a + n * b), down_m)
            )
    return Way(np.array(corners))


def _quarter_turn(points: int) -> list[tuple[float, float]]:
    """Cosine and sine of points + 1 angles from 0 to a right angle, by halving: square roots alone."""
    found = [(1.0, 0.0), (0.0, 1.0)]
    while len(found) <= points:
        between = []
        for (a, b), (c, d) in pairwise(found):
            length = ((a + c) ** 2 + (b + d) ** 2) ** 0.5
            between.append(((a + c) / length, (b + d) / length))
        found = [value for pair in zip(found, [*between, found[-1]], strict=True) for value in pair][:-1]
    return found
