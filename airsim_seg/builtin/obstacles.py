"""What vehicles run into: everything of a scene but the ground, leaves, and what a moment has hidden."""

from dataclasses import dataclass, replace

import numpy as np

from airsim_seg.builtin.contacts import TOUCHING_M, Contact, ball_contact
from airsim_seg.builtin.gaps import nearest
from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.rays import IN_PLACE, Tree, near_form, tree_of
from airsim_seg.builtin.rendering.materials import FOLIAGE
from airsim_seg.builtin.scene import Moment, Scene
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
        return _Found(gap, ball_contact(point, centre, middle, gap, int(owner)))


def solid(scene: Scene) -> BoolArray:
    """bool [T], triangles that can be run into: not leaves and needles, and only what is there for near cameras."""
    corners = scene.triangles_m.astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    chosen: BoolArray = near_form(scene) & ~np.isin(scene.materials, list(FOLIAGE)) & (areas > LEAST_M2)
    return chosen


def _reach_m(tree: Tree, place_m: Float64Array) -> float:
    return float(np.linalg.norm(tree.corners.reshape(-1, 3) - place_m, axis=1).max())
