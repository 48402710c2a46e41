"""The City's plan: four avenues north-south, four streets east-west, nine blocks between them. Metres, NED.

Everything is drawn in one frame for the whole city: x north, y west, z up, origin in the middle.
"""

from dataclasses import dataclass
from itertools import pairwise

from airsim_seg.builtin.scene import Terrain

AVENUES: tuple[tuple[float, float], ...] = ((-112.0, 6.0), (-38.0, 7.0), (32.0, 6.0), (106.0, 6.0))  # east, half width
STREETS: tuple[tuple[float, float], ...] = ((-106.0, 6.0), (-36.0, 6.0), (36.0, 7.0), (106.0, 6.0))  # north, half width
CORNER_M = 5.0  # radius of the kerb at a crossing
WALK_M = 4.0  # width of a pavement
ROAD_UP_M, WALK_UP_M = 0.03, 0.15
LANE_M = 2.5  # from the road's middle to the middle of a lane
PARKED_M = 1.15  # from the kerb to the middle of a parked car


@dataclass(frozen=True)
class Rectangle:
    """A piece of the plan.

    Attributes:
        south: north coordinate of its southern edge.
        west: east coordinate of its western edge.
        north: of its northern edge.
        east: of its eastern edge.
    """

    south: float
    west: float
    north: float
    east: float

    def inset(self, by_m: float) -> "Rectangle":
        """The same with all edges moved inwards."""
        return Rectangle(self.south + by_m, self.west + by_m, self.north - by_m, self.east - by_m)

    @property
    def middle(self) -> tuple[float, float]:
        """North and east."""
        return (self.south + self.north) / 2, (self.west + self.east) / 2

    @property
    def size(self) -> tuple[float, float]:
        """Extent north and east."""
        return self.north - self.south, self.east - self.west


@dataclass(frozen=True)
class Stretch:
    """A road between two crossings.

    Attributes:
        start: north and east of its southern or western end, on the middle line.
        length_m: to the other crossing.
        half_m: half its width.
        is_avenue: it runs north; else east.
        at_edge: it runs around the city, not through it.
    """

    start: tuple[float, float]
    length_m: float
    half_m: float
    is_avenue: bool
    at_edge: bool


def blocks() -> list[Rectangle]:
    """The nine blocks, kerb to kerb, from the south-west, row by row."""
    return [
        Rectangle(south + low_half, west + left_half, north - high_half, east - right_half)
        for (south, low_half), (north, high_half) in pairwise(STREETS)
        for (west, left_half), (east, right_half) in pairwise(AVENUES)
    ]


def outline() -> Rectangle:
    """The outer kerb of the roads around the city."""
    (south, low), (north, high) = STREETS[0], STREETS[-1]
    (west, left), (east, right) = AVENUES[0], AVENUES[-1]
    return Rectangle(south - low, west - left, north + high, east + right)


def stretches() -> list[Stretch]:
    """All roads between crossings; a crossing reaches as far as its rounded kerbs."""
    found = []
    for east, half in AVENUES:
        for (south, low), (north, high) in pairwise(STREETS):
            first, last = south + low + CORNER_M, north - high - CORNER_M
            found.append(Stretch((first, east), last - first, half, True, (east, half) in (AVENUES[0], AVENUES[-1])))
    for north, half in STREETS:
        for (west, left), (east, right) in pairwise(AVENUES):
            first, last = west + left + CORNER_M, east - right - CORNER_M
            found.append(Stretch((north, first), last - first, half, False, (north, half) in (STREETS[0], STREETS[-1])))
    return found


def crossings() -> list[Rectangle]:
    """The areas of all crossings, with what lies under the rounded kerbs."""
    found = []
    for north, half in STREETS:
        for east, across in AVENUES:
            n, e = half + CORNER_M, across + CORNER_M
            found.append(Rectangle(north - n, east - e, north + n, east + e))
    return found


def ground_down_m(north_m: float, east_m: float) -> float:
    """The Terrain of the City: level everywhere."""
    return 0.0 * (north_m + east_m)


def city_ground(seed: int) -> Terrain:  # noqa: ARG001
    """The ground of a seed's world, without the world."""
    return ground_down_m
