"""What vehicles run into: everything of a scene but the ground, leaves, and what a moment has hidden.

Most steps cost a subtraction: after each look a vehicle knows how far it is from everything and looks again when it,
or what moves by itself, may have come so far.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from airsim_seg.builtin.contacts import Contact
from airsim_seg.builtin.gaps import nearest
from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.rays import IN_PLACE, Tree, near_form, tree_of
from airsim_seg.builtin.rendering.materials import FOLIAGE
from airsim_seg.builtin.scene import Moment, Scene, Terrain
from airsim_seg.builtin.traffic import Mover
from airsim_seg.builtin.vehicles.hulls import Hull
from airsim_seg.builtin.vehicles.quadrotor import NOTHING, Rows, Vector
from airsim_seg.types import BoolArray, Float64Array, Int32Array

# What is farther than this is looked for again later.
REACH_M = 4.0
# A triangle smaller than this is nothing to run into; and it has no direction.
LEAST_M2 = 1e-8
# Speeds of what drives are taken over this time.
_BEFORE_NS = 3_000_000
# A plane so far below that nothing of a moving thing is taken for the ground.
_NO_FLOOR = (1e9, 0.0, 0.0)
_POINT = np.zeros((1, 4))
NEVER_M = float("inf")
# What has just been freed still overlaps by the rounding of its place.
TOUCHING_M = 1e-6


class Other(Protocol):
    """Another vehicle, as the one that runs into it knows it; scene NED."""

    name: str
    hull: Hull | None

    def in_scene(self) -> Vector:
        """Where it is, metres."""
        ...

    def turned(self) -> Rows:
        """The rows of its rotation matrix."""
        ...

    def going_mps(self) -> Vector:
        """Its velocity."""
        ...


@dataclass(frozen=True, eq=False)
class Thing:
    """What does not stand where the scene has it.

    Attributes:
        index: its object index.
        tree: its triangles; of what drives in the place that the scene has, of all else where they are now.
        reach_m: how far from the point that is its place its triangles go.
        place_m: float64 [3], that point; of what drives at the start of its way.
        mover: how it drives, or None.
    """

    index: int
    tree: Tree
    reach_m: float
    place_m: Float64Array
    mover: Mover | None = None


@dataclass(eq=False)
class _Found:
    """The nearest of one look: the gap, and if there is an overlap what makes it."""

    gap_m: float
    contact: Contact | None = None


class Obstacles:
    """All that is in the way in one world.

    Attributes:
        version: changes whenever anything was put somewhere, so that whoever remembers a distance looks again.
        fastest_mps: no thing moves faster by itself.
        things: what does not stand where the scene has it.
    """

    def __init__(self, scene: Scene, epoch_ns: int) -> None:
        """Sort out what is solid; half a second for a whole town.

        Args:
            scene: the world.
            epoch_ns: the clock at which traffic begins its way.
        """
        self._scene, self._epoch_ns = scene, epoch_ns
        self._solid = solid(scene)
        own = [*(mover.object_index for mover in scene.traffic), *scene.bodies.values()]
        still = self._solid & ~np.isin(scene.object_index, own)
        self._still = self._tree(still)
        self._at_rest: dict[int, Tree | None] = {}
        self._moment: Moment | None = None
        self._absent: frozenset[int] = frozenset()
        self._skipped: BoolArray = np.zeros(len(scene.objects), bool)
        self.version = 0
        self.fastest_mps = 0.0
        self.things: tuple[Thing, ...] = ()

    def begin_traffic(self, epoch_ns: int) -> None:
        """Let traffic begin its way at another time."""
        self._epoch_ns = epoch_ns
        self.version += 1

    def _tree(self, chosen: BoolArray) -> Tree | None:
        numbers = np.flatnonzero(chosen).astype(np.int32)
        return tree_of(self._scene.triangles_m[numbers], numbers)

    def arrange(self, moment: Moment, absent: frozenset[int] = frozenset()) -> None:
        """Know where everything is from now on; nothing to do where that is what it was.

        Args:
            moment: what clients moved, hid and spawned; what drives by itself is not in it.
            absent: what of the traffic stays away; see Scenery.over.
        """
        if moment is self._moment and absent == self._absent:
            return
        self._moment, self._absent = moment, absent
        away = {*moment.placements, *moment.hidden, *absent}
        self._skipped = np.zeros(len(self._scene.objects), bool)
        self._skipped[[index for index in away if 0 <= index < len(self._skipped)]] = True
        driven = [self._driven(mover) for mover in self._scene.traffic if mover.object_index not in away]
        put = [(index, index, where) for index, where in moment.placements.items() if index not in moment.hidden]
        put += [(copy.index, copy.source, copy.placement) for copy in moment.spawned]
        self.things = tuple(thing for thing in (*driven, *(self._put(*one) for one in put)) if thing is not None)
        self.fastest_mps = max((thing.mover.speed_mps for thing in self.things if thing.mover), default=0.0)
        self.version += 1

    def _driven(self, mover: Mover) -> Thing | None:
        index = mover.object_index
        if index not in self._at_rest:
            self._at_rest[index] = self._tree(self._solid & (self._scene.object_index == index))
        tree, place_m = self._at_rest[index], mover.place(0)[:, 3]
        return None if tree is None else Thing(index, tree, _reach_m(tree, place_m), place_m, mover)

    def _put(self, index: int, source: int, placement: Float64Array) -> Thing | None:
        own = np.flatnonzero(self._solid & (self._scene.object_index == source)).astype(np.int32)
        corners = product(self._scene.triangles_m[own].astype(np.float64), placement[:, :3].T) + placement[:, 3]
        tree = tree_of(corners.astype(np.float32), own)
        place_m = corners.reshape(-1, 3).mean(0) if len(own) else placement[:, 3]
        return None if tree is None else Thing(index, tree, _reach_m(tree, place_m), place_m)

    def near_still(self, hull: Hull, place: Vector, rows: Rows, floor: Vector) -> _Found:
        """The nearest of what stands where the scene has it."""
        if self._still is None:
            return _Found(REACH_M)
        return self._look(self._still, self._skipped, IN_PLACE, hull, place, rows, floor)

    def ground_at(self, place: Vector) -> int:
        """The object nearest to a point on the ground, which is part of one; -1 where none is near."""
        if self._still is None:
            return -1
        level = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        owner: int = nearest(
            *self._still, self._scene.object_index, self._skipped, IN_PLACE, _POINT, place, level, _NO_FLOOR, REACH_M
        )[1]
        return owner

    def near_thing(self, thing: Thing, hull: Hull, place: Vector, rows: Rows, time_ns: int) -> _Found:
        """How near one of the things is, at least; exactly where it is within reach."""
        where = thing.place_m if thing.mover is None else thing.mover.place(time_ns - self._epoch_ns)[:, 3]
        gap_m = float(np.linalg.norm(where - place)) - thing.reach_m - hull.reach_m
        if gap_m > 0:
            return _Found(gap_m)
        to_rest, velocity = IN_PLACE, NOTHING
        if thing.mover is not None:
            now, built = thing.mover.place(time_ns - self._epoch_ns), thing.mover.place(0)
            back = product(built[:, :3], now[:, :3].T)
            to_rest = np.ascontiguousarray(np.column_stack([back, built[:, 3] - product(back, now[:, 3])]))
            before = thing.mover.place(max(0, time_ns - self._epoch_ns - _BEFORE_NS))[:, 3]
            north, east, down = ((where - before) * (1e9 / _BEFORE_NS)).tolist()
            velocity = (north, east, down)
        found = self._look(thing.tree, np.zeros_like(self._skipped), to_rest, hull, place, rows, _NO_FLOOR)
        if found.contact is not None:
            found.contact = replace(found.contact, velocity_mps=velocity, object_index=thing.index)
        return found

    def _look(
        self, tree: Tree, skipped: BoolArray, to_rest: Float64Array, hull: Hull, place: Vector, rows: Rows,
        floor: Vector,
    ) -> _Found:  # fmt: skip
        owners: Int32Array = self._scene.object_index
        gap, owner, *corners = nearest(*tree, owners, skipped, to_rest, hull.balls, place, rows, floor, REACH_M)
        if gap > -TOUCHING_M:
            return _Found(max(0.0, gap))
        point, centre, middle = (product(to_rest[:, :3].T, np.array(p) - to_rest[:, 3]) for p in corners)
        return _Found(gap, _contact(point, centre, middle, gap, int(owner)))


def solid(scene: Scene) -> BoolArray:
    """bool [T], triangles that can be run into: not leaves and needles, and only what is there for near cameras."""
    corners = scene.triangles_m.astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    chosen: BoolArray = near_form(scene) & ~np.isin(scene.materials, list(FOLIAGE)) & (areas > LEAST_M2)
    return chosen


def _reach_m(tree: Tree, place_m: Float64Array) -> float:
    return float(np.linalg.norm(tree.corners.reshape(-1, 3) - place_m, axis=1).max())


def _contact(point: Float64Array, centre: Float64Array, middle: Float64Array, gap_m: float, index: int) -> Contact:
    """The contact of a ball about a centre and a point of something else; a ball right on the point is lifted."""
    away = centre - point
    length = math.sqrt((away * away).sum())
    normal = away / length if length > 1e-9 else np.array([0.0, 0.0, -1.0])
    (nn, ne, nd), (pn, pe, pd) = normal.tolist(), middle.tolist()
    return Contact((nn, ne, nd), -gap_m, (pn, pe, pd), object_index=index)


class Feeler:
    """One vehicle's knowledge of how far it is from everything; scene NED."""

    def __init__(
        self, obstacles: Obstacles, hull: Hull, ground_down_m: Terrain, others: Callable[[], Mapping[str, Other]],
        name: str, slack_m: float,
    ) -> None:  # fmt: skip
        """Know nothing yet.

        Args:
            obstacles: of the world.
            hull: the vehicle's.
            ground_down_m: the terrain.
            others: all vehicles by name, its own among them.
            name: its own.
            slack_m: how far a ball may get by turning without being told as travel.
        """
        self._obstacles, self._hull, self._ground_down_m = obstacles, hull, ground_down_m
        self._others, self._name, self._slack_m = others, name, slack_m
        self.forget()

    def ground_at(self, place: Vector) -> int:
        """See Obstacles.ground_at."""
        return self._obstacles.ground_at(place)

    def forget(self) -> None:
        """The vehicle may be anywhere now."""
        self._version = -1
        self._still_m, self._odometer_m, self._due_m = 0.0, 0.0, 0.0
        self._dues_m: list[float] = []

    def is_free(self, travel_m: float, step_s: float) -> bool:
        """Whether nothing can have been reached by a step.

        Args:
            travel_m: no part of the vehicle has come farther in it.
            step_s: how long it took.
        """
        obstacles = self._obstacles
        if self._version != obstacles.version:
            self.forget()
            self._version = obstacles.version
            self._dues_m = [0.0] * len(obstacles.things)
            return False
        self._still_m -= travel_m
        self._odometer_m += travel_m + obstacles.fastest_mps * step_s
        return self._still_m > 0 and self._odometer_m < self._due_m and len(self._others()) == 1

    def contact(self, place: Vector, rows: Rows, time_ns: int) -> Contact | None:
        """The deepest overlap with anything, now.

        Args:
            place: where the vehicle is, scene NED, metres.
            rows: of its rotation matrix.
            time_ns: the clock.
        """
        found: list[Contact | None] = [self._touch_vehicle(place, rows)]
        if self._still_m <= 0:
            seen = self._obstacles.near_still(self._hull, place, rows, self._floor(place))
            self._still_m = seen.gap_m - self._slack_m
            found.append(seen.contact)
        if self._odometer_m >= self._due_m:
            found.extend(self._touch_things(place, rows, time_ns))
        return max((one for one in found if one is not None), key=lambda one: one.depth_m, default=None)

    def _touch_things(self, place: Vector, rows: Rows, time_ns: int) -> list[Contact | None]:
        found = []
        for k, thing in enumerate(self._obstacles.things):
            if self._dues_m[k] <= self._odometer_m:
                seen = self._obstacles.near_thing(thing, self._hull, place, rows, time_ns)
                self._dues_m[k] = self._odometer_m + max(0.0, seen.gap_m - self._slack_m)
                found.append(seen.contact)
        self._due_m = min(self._dues_m, default=NEVER_M)
        return found

    def _floor(self, place: Vector) -> Vector:
        """The plane through the ground below: a + b north + c east."""
        north, east, _ = place
        here = self._ground_down_m(north, east)
        b, c = self._ground_down_m(north + 0.5, east) - here, self._ground_down_m(north, east + 0.5) - here
        return (here - 2 * b * north - 2 * c * east, 2 * b, 2 * c)

    def _touch_vehicle(self, place: Vector, rows: Rows) -> Contact | None:
        """The deepest overlap with another vehicle, ball by ball."""
        deepest: Contact | None = None
        for other in self._others().values():
            hull = other.hull
            if other.name == self._name or hull is None:
                continue
            north, east, down = (a - b for a, b in zip(place, other.in_scene(), strict=True))
            if (north, east, down) == (0.0, 0.0, 0.0) and self._name < other.name:
                continue  # of two in one place one has to stay for the other to get out
            reach_m = self._hull.reach_m + hull.reach_m
            if north * north + east * east + down * down >= reach_m * reach_m:
                continue
            own, its = self._hull.placed(place, rows), hull.placed(other.in_scene(), other.turned())
            gaps = np.linalg.norm(own[:, None, :3] - its[None, :, :3], axis=2) - own[:, None, 3] - its[None, :, 3]
            i, j = np.unravel_index(np.argmin(gaps), gaps.shape)
            if gaps[i, j] < -TOUCHING_M and (deepest is None or -gaps[i, j] > deepest.depth_m):
                away = own[i, :3] - its[j, :3]
                point = its[j, :3] + away * (its[j, 3] / max(math.sqrt(float((away * away).sum())), 1e-9))
                touch = _contact(its[j, :3], own[i, :3], point, float(gaps[i, j]), -1)
                deepest = replace(touch, velocity_mps=other.going_mps(), vehicle=other.name)
        return deepest
