"""The ground of Lakeside: a winding shore, a gentle slope for the village, wooded hills behind and across the lake.

The lake lies in the west. Places as in ground.py: north and west, metres; the lake's surface is height 0.
"""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments import roads
from airsim_seg.builtin.environments.courses import Course, winding
from airsim_seg.builtin.environments.ground import Ground, Lattice
from airsim_seg.builtin.environments.land import Land, far_lattice, near_lattice
from airsim_seg.builtin.environments.roads import Pad, Road, smoothstep
from airsim_seg.types import Float64Array

HALF_M = 200.0
_CELL_M, _PARTS = 5.0, 2
QUAY_HALF_M = 78.0  # the shore is a quay so far north and south
_FAR_SHORE_M = 820.0
ROAD_HALF_M, LANE_HALF_M = 3.1, 2.1
_ROAD_INLAND_M, _BACK_INLAND_M = 12.5, 76.0


@dataclass(frozen=True)
class Shore:
    """The shore line, from south to north.

    Attributes:
        phases: of its bends, radians.
    """

    phases: tuple[float, float, float, float]

    def west_m(self, x: Float64Array) -> Float64Array:
        """How far west it is."""
        a, b, _, _ = self.phases
        return np.asarray(42 + 10 * np.sin(x / 41 + a) + 4 * np.sin(x / 17 + b), np.float64)

    def inland_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Distance of places to it, about; negative on the lake."""
        a, b, _, _ = self.phases
        slope = 10 / 41 * np.cos(x / 41 + a) + 4 / 17 * np.cos(x / 17 + b)
        return np.asarray((self.west_m(x) - y) / np.sqrt(1 + slope**2), np.float64)

    def west_at(self, x: float) -> float:
        """west_m of one place."""
        return float(self.west_m(np.array(x)))

    def inland_at(self, x: float, y: float) -> float:
        """inland_m of one place."""
        return float(self.inland_m(np.array(x), np.array(y)))

    def up_at(self, x: float, y: float) -> float:
        """up_m of one place."""
        return float(self.up_m(np.array(x), np.array(y)))

    def up_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Natural height of the ground."""
        inland = self.inland_m(x, y)
        _, _, c, d = self.phases
        quay = smoothstep((QUAY_HALF_M + 8 - np.abs(x)) / 16)
        beach = np.where(
            inland > 0, 1.3 * (1 - np.exp(-np.maximum(inland, 0) / 9)), -4 * (1 - np.exp(inland.clip(-200, 0) / 10))
        )
        wall = -2.4 + 3.4 * smoothstep((inland + 3.2) / 2.2)
        low = beach + (wall - beach) * quay
        waves = np.sin(x / 27 + c) * np.cos(y / 33 + d) + 0.6 * np.sin((x + y) / 19 + c - d)
        slope = 0.042 * np.maximum(inland - 6, 0) + 0.5 * waves * smoothstep((inland - 22) / 30)
        behind = np.maximum(inland - 100, 0)
        hills = 0.0016 * behind**2 / (1 + behind / 150) + 2.2 * waves * smoothstep(behind / 60)
        return np.asarray(low + slope + hills, np.float64)

    def far_up_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Height of what is farther than HALF_M: a lake without an end to the south-west, hills all around it."""
        near = self.up_m(x.clip(-320, 320), y.clip(-320, 320))
        _, _, c, d = self.phases
        ridge = 0.55 + 0.3 * np.sin(x / 230 + c) + 0.25 * np.sin(x / 97 + y / 180 + d) + 0.16 * np.sin((x - y) / 61 + c)
        across = smoothstep((y - _FAR_SHORE_M - 60 * np.sin(x / 170 + d)) / 420) * 190 * ridge
        behind = smoothstep((-y - 260) / 700) * 150 * (0.5 + ridge)
        ends = smoothstep((np.abs(x) - 700) / 600) * 120 * ridge * smoothstep((160 - y) / 300)
        return np.asarray(near + across + behind + ends, np.float64)

    def course(self) -> Course:
        """The line itself, from south to north: the lake is to its left."""
        x = np.arange(-HALF_M - 20, HALF_M + 21, 2.0)
        return Course(np.stack([x, self.west_m(x)], 1))


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the ways of the village run.

    Attributes:
        shore: its shore.
        lattice: of the near ground.
        main: the road along the lake, from south to north.
        back: the road through the upper village; it leaves the main road in the south and comes back in the north.
        lane: from the main road up to the back road.
        track: from the back road up into the woods.
    """

    shore: Shore
    lattice: Lattice
    main: Road
    back: Road
    lane: Road
    track: Road

    @property
    def roads(self) -> tuple[Road, ...]:
        """All of them, the most important first."""
        return self.main, self.back, self.lane, self.track


def make_plan(rng: np.random.Generator) -> Plan:
    """Draw a shore, and roads along it."""
    a, b, c, d = (float(v) for v in rng.uniform(0, 2 * np.pi, 4))
    shore = Shore((a, b, c, d))
    courses = _courses(shore, rng)

    def fine(x: Float64Array, y: Float64Array) -> np.ndarray:
        near_road = np.min([np.hypot(x - px, y - py) for k in courses for px, py in k.points_m[::3]], 0)
        inland = shore.inland_m(x, y)
        return np.asarray((near_road < 8) | ((inland > -8) & (inland < 10)), np.bool_)

    lattice = near_lattice(HALF_M, _CELL_M, _PARTS, fine)
    main = roads.make_road(lattice, courses[0], shore.up_m, half_m=ROAD_HALF_M)
    ends = tuple(main.level_at(courses[1].points_m[k]) for k in (0, -1))
    back = roads.make_road(lattice, courses[1], shore.up_m, half_m=ROAD_HALF_M - 0.3, ends_m=(ends[0], ends[1]))
    ends = (main.level_at(courses[2].points_m[0]), back.level_at(courses[2].points_m[-1]))
    lane = roads.make_road(lattice, courses[2], shore.up_m, half_m=LANE_HALF_M, ends_m=ends)
    start = back.level_at(courses[3].points_m[0])
    track = roads.make_road(lattice, courses[3], shore.up_m, half_m=1.7, ends_m=(start, None))
    return Plan(shore, lattice, main, back, lane, track)


def _courses(shore: Shore, rng: np.random.Generator) -> list[Course]:
    """Main road, back road, lane and track."""

    def inland(x: float, by_m: float) -> tuple[float, float]:
        return x, shore.west_at(x) - by_m

    main = winding([inland(x, _ROAD_INLAND_M) for x in np.arange(-240.0, 241.0, 20.0)])
    south, north = rng.uniform(-140, -122), rng.uniform(122, 140)
    wave = rng.uniform(-7, 7, 8)
    middle = [
        inland(float(x), _BACK_INLAND_M + w) for x, w in zip(np.linspace(south + 45, north - 45, 8), wave, strict=True)
    ]
    back = winding(
        [main.place_at(south), inland(south + 7, _ROAD_INLAND_M + 22), inland(south + 22, 56.0), *middle,
         inland(north - 22, 56.0), inland(north - 7, _ROAD_INLAND_M + 22), main.place_at(north)]
    )  # fmt: skip
    at = rng.uniform(-18, 4)
    lane = winding(
        [main.place_at(at), inland(at + 1, 28.0), inland(at + 14, 40.0), inland(at + 8, 58.0), back.place_at(at + 14)]
    )
    at = rng.uniform(30, 60)
    x, y = back.place_at(at)
    track = winding([(x, y), (x + 5, y - 25), (x - 12, y - 60), (x + 15, y - 95), (x, y - 150), (x + 10, -240.0)])
    return [main, back, lane, track]


def make_land(plan: Plan, pads: list[Pad]) -> Land:
    """The ground with roads and pads cut into it."""
    outer = far_lattice(HALF_M)
    far = Ground(outer, plan.shore.far_up_m(*outer.nodes_m))
    x, y = plan.lattice.nodes_m
    natural = plan.shore.up_m(x, y)
    edge = smoothstep((HALF_M - np.maximum(np.abs(x), np.abs(y))) / 36.0)
    up = roads.shaped(plan.lattice, natural, plan.roads, pads)
    # At the edge the near ground is exactly the far one, which knows nothing of roads.
    near = Ground(plan.lattice, far.up_m(x, y) + (up - far.up_m(x, y)) * edge)
    return Land(near, far, HALF_M, lambda x, _: np.zeros_like(x))
