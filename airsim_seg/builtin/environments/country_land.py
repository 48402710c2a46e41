"""The ground of Country: rolling hills, roads that follow them, level farmyards, a pond in a hollow.

Places as in ground.py: north and west, metres.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from airsim_seg.builtin.environments import roads
from airsim_seg.builtin.environments.country_hills import SHORE_M, Hills, Pond
from airsim_seg.builtin.environments.country_places import YARD_HALF_M, gardens_beside, low_ponds, track_to, yard_spots
from airsim_seg.builtin.environments.courses import Course, Place, winding
from airsim_seg.builtin.environments.ground import Ground, Lattice
from airsim_seg.builtin.environments.land import Land, far_lattice, near_lattice
from airsim_seg.builtin.environments.roads import Pad, Road, smoothstep
from airsim_seg.builtin.scene import Terrain
from airsim_seg.types import Float64Array

HALF_M = 200.0
_CELL_M, _PARTS = 5.0, 3
ROAD_HALF_M, TRACK_HALF_M, DITCH_M = 3.1, 1.6, 0.7
_POND_BANK_M, _POND_DEEP_M = 0.45, 1.6


@dataclass(frozen=True, eq=False)
class Plan:
    """What the ground was shaped for.

    Attributes:
        hills: natural ground.
        lattice: of the near ground.
        main: a road across the map, from south to north.
        east, west: roads that leave it in the south and come back in the north.
        tracks: from roads to the yards.
        yards: of the farms.
        ponds: two of them.
        gardens: level ground for the cottages beside the roads.
    """

    hills: Hills
    lattice: Lattice
    main: Road
    east: Road
    west: Road
    tracks: tuple[Road, ...]
    yards: tuple[Pad, ...]
    ponds: tuple[Pond, ...]
    gardens: tuple[Pad, ...]

    @property
    def roads(self) -> tuple[Road, ...]:
        """Those with asphalt, the most important first."""
        return self.main, self.east, self.west

    @cached_property
    def _room_m(self) -> Float64Array:
        """float64 [M,M], free_m of the nodes."""
        x, y = self.lattice.nodes_m
        rooms = [road.beside_m for road in (*self.roads, *self.tracks)]
        rooms += [pad.outside_m(x, y) for pad in (*self.yards, *self.gardens)]
        rooms += [pond.outside_m(x, y) for pond in self.ponds]
        return np.asarray(np.minimum(np.min(rooms, 0), roads.REACH_M), np.float64)

    def free_m(self, x: float, y: float) -> float:
        """Distance of a place to the nearest edge of a road, track, yard, garden or pond; roads.REACH_M at most."""
        return self.lattice.sample(self._room_m, x, y)


def make_plan(rng: np.random.Generator) -> Plan:
    """Draw hills, and roads, farms and a pond among them."""
    a, b, c, d = (float(v) for v in rng.uniform(0, 2 * np.pi, 4))
    hills = Hills((a, b, c, d))
    courses = _courses(rng)
    spots = yard_spots(courses, rng)
    yards = tuple(Pad(x, y, turn, *YARD_HALF_M, hills.mean_up_m(x, y), 11.0) for x, y, turn, _ in spots)
    entries = [track_to(courses[k], x, y) for x, y, _, k in spots]
    gardens = gardens_beside(hills, courses, yards, rng)
    ponds = low_ponds(hills, [*courses, *entries], (*yards, *gardens))
    points = np.concatenate([course.points_m[::2] for course in [*courses, *entries]])

    def fine(x: Float64Array, y: Float64Array) -> np.ndarray:
        near_road = np.min([np.hypot(x - px, y - py) for px, py in points], 0)
        return np.asarray((near_road < 9.5) | (np.min([pond.outside_m(x, y) for pond in ponds], 0) < 6), np.bool_)

    lattice = near_lattice(HALF_M, _CELL_M, _PARTS, fine)
    main = roads.make_road(lattice, courses[0], hills.up_m, half_m=ROAD_HALF_M, ditch_m=DITCH_M)
    east, west = (
        roads.make_road(lattice, course, hills.up_m, half_m=ROAD_HALF_M - 0.2, ditch_m=DITCH_M,
                        ends_m=(main.level_at(course.points_m[0]), main.level_at(course.points_m[-1])))
        for course in courses[1:]
    )  # fmt: skip
    tracks = tuple(
        roads.make_road(lattice, entry, hills.up_m, half_m=TRACK_HALF_M,
                        ends_m=((main, east, west)[spot[3]].level_at(entry.points_m[0]), yard.up_m))
        for entry, spot, yard in zip(entries, spots, yards, strict=True)
    )  # fmt: skip
    return Plan(hills, lattice, main, east, west, tracks, yards, ponds, gardens)


def _courses(rng: np.random.Generator) -> list[Course]:
    """Main road, eastern and western road."""

    def shaken(corners: list[Place], by_m: float) -> list[Place]:
        moved = np.array(corners) + rng.uniform(-by_m, by_m, (len(corners), 2))
        return [(float(x), float(y)) for x, y in moved]

    bends = shaken([(-170, 12), (-122, -26), (-72, -24), (-26, 14), (20, 36), (68, 28), (114, -8), (165, -24)], 6)
    main = winding([(-245.0, 25.0), *bends, (245.0, 5.0)])
    south, north = main.place_at(-112.0), main.place_at(122.0)
    bends = shaken([(-88, -78), (-45, -112), (8, -120), (58, -102), (96, -66)], 6)
    east = winding([south, (-104, south[1] - 24), *bends, (114, north[1] - 26), north])
    south, north = main.place_at(-62.0), main.place_at(92.0)
    bends = shaken([(-62, 58), (-38, 104), (18, 128), (66, 112), (92, 74)], 6)
    west = winding([south, (-64, south[1] + 26), *bends, (96, north[1] + 26), north])
    return [main, east, west]


def make_land(plan: Plan) -> Land:
    """The ground with roads, yards and the pond cut into it."""
    outer = far_lattice(HALF_M)
    far = Ground(outer, plan.hills.far_up_m(*outer.nodes_m))
    x, y = plan.lattice.nodes_m
    natural = plan.hills.up_m(x, y)
    outside = [pond.outside_m(x, y) for pond in plan.ponds]
    for pond, off in zip(plan.ponds, outside, strict=True):
        natural += (pond.up_m + _POND_BANK_M - natural) * smoothstep(1 - (off - 2.5) / 12)
    up = roads.shaped(plan.lattice, natural, (*plan.roads, *plan.tracks), (*plan.yards, *plan.gardens))
    for off in outside:
        up -= (_POND_DEEP_M + _POND_BANK_M) * smoothstep((1.2 - off) / 4.5)
    edge = smoothstep((HALF_M - np.maximum(np.abs(x), np.abs(y))) / 36.0)
    near = Ground(plan.lattice, far.up_m(x, y) + (up - far.up_m(x, y)) * edge)

    def water_up_m(px: Float64Array, py: Float64Array) -> Float64Array:
        found = np.full(np.shape(px), -np.inf)
        for pond in plan.ponds:
            found = np.where(pond.outside_m(px, py) < SHORE_M, pond.up_m, found)
        return found

    return Land(near, far, HALF_M, water_up_m)


def country_ground(seed: int) -> Terrain:
    """The ground of a seed's world, without the world: a third of a second."""
    return make_land(make_plan(np.random.default_rng(seed))).ground_down_m
