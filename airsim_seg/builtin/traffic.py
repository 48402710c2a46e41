"""Who drives and walks: things on closed ways, each at its own pace, for ever.

Where they are is a function of the time alone, in whole nanoseconds: no state, so any moment can be asked for in any
order. Only additions, products, quotients and square roots, and results on a fixed grid: equal on every machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from airsim_seg.types import Float64Array

PLACE_GRID_M = 2.0**-12  # a quarter of a millimetre
DIRECTION_GRID = 2.0**-20


@dataclass(frozen=True, eq=False)
class Way:
    """A closed line on the ground, followed in the order of its corners.

    Attributes:
        corners_m: float64 [K,3], scene NED; K at least 3, none straight above the next or equal to it.
    """

    corners_m: Float64Array

    @cached_property
    def _sides(self) -> Float64Array:
        """float64 [K,3], from each corner to the next."""
        sides: Float64Array = np.roll(self.corners_m, -1, 0) - self.corners_m
        return sides

    @cached_property
    def _lengths_m(self) -> Float64Array:
        """float64 [K], of the sides."""
        lengths: Float64Array = np.sqrt((self._sides**2).sum(1))
        return lengths

    @cached_property
    def _starts_m(self) -> Float64Array:
        """float64 [K], how far along the way each corner is."""
        return np.concatenate([[0.0], np.cumsum(self._lengths_m)[:-1]])

    @property
    def length_m(self) -> float:
        """Once around."""
        return float(self._lengths_m.sum())

    def placement(self, along_m: float) -> Float64Array:
        """Where something on the way is, float64 [3,4]: rotation, then place; its x axis points along the way.

        It turns evenly from the middle of one side to the middle of the next, as what has wheels does, and on hills it
        is pitched but never rolled: its y axis stays level.

        Args:
            along_m: metres from the first corner, any number.
        """
        along_m %= self.length_m
        k = int(np.searchsorted(self._starts_m, along_m, side="right")) - 1
        part = (along_m - self._starts_m[k]) / self._lengths_m[k]
        place = np.round((self.corners_m[k] + part * self._sides[k]) / PLACE_GRID_M) * PLACE_GRID_M
        neighbour = (k + (1 if part >= 0.5 else -1)) % len(self.corners_m)
        share = abs(part - 0.5) * self._lengths_m[k] / (0.5 * (self._lengths_m[k] + self._lengths_m[neighbour]))
        own, other = (self._sides[j] / self._lengths_m[j] for j in (k, neighbour))
        heading = own + share * (other - own)
        north, east, down = heading / np.sqrt((heading**2).sum())
        level = np.sqrt(north**2 + east**2)
        cos, sin = north / level, east / level
        # Columns: ahead, to the right, below.
        turn = np.array([[north, -sin, -down * cos], [east, cos, -down * sin], [down, 0.0, level]])
        return np.column_stack([np.round(turn / DIRECTION_GRID) * DIRECTION_GRID, place])


@dataclass(frozen=True, eq=False)
class Mover:
    """One thing on its way.

    Attributes:
        object_index: of the scene, which was built where it is at time 0.
        way: that it follows.
        speed_mps: at least 0.
        start_m: where on the way it is at time 0.
    """

    object_index: int
    way: Way
    speed_mps: float
    start_m: float

    def place(self, time_ns: int) -> Float64Array:
        """Where it is, float64 [3,4]: rotation, then place in the scene's NED.

        Args:
            time_ns: since the world began, nanoseconds.
        """
        # Whole rounds are taken off in integers: after a year a double would count in micrometres.
        round_ns = round(1e9 * self.way.length_m / self.speed_mps) if self.speed_mps > 0 else 1
        return self.way.placement(self.start_m + self.speed_mps * (time_ns % round_ns) / 1e9)

    def placement(self, time_ns: int) -> Float64Array:
        """The same from where it was built; see Moment.placements."""
        built, now = self.place(0), self.place(time_ns)
        turn = now[:, :3] @ built[:, :3].T
        return np.column_stack([turn, now[:, 3] - turn @ built[:, 3]])


def placements(movers: Sequence[Mover], time_ns: int) -> Mapping[int, Float64Array]:
    """Where all of them are, by object index."""
    return {mover.object_index: mover.placement(time_ns) for mover in movers}


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
