"""What a straight line meets: for lidars, distance sensors and lines of sight.

The hierarchy over a scene's triangles is built when the first ray is cast, and never where none is. Things that move
have one of their own each, in which they rest: rays are carried to where the scene has the thing.
"""

import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.rays_tree import FAR, build, trace
from airsim_seg.builtin.rendering.camera import chunks_at
from airsim_seg.builtin.rendering.cutouts import masks
from airsim_seg.builtin.rendering.materials import TEXTURE_SEED, material_table
from airsim_seg.builtin.scene import STILL, Moment, Scene
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int32Array

NOTHING = -1
IN_PLACE = np.eye(3, 4)
# What has been scaled flatter than this (the volume left of a unit cube) is not met: no way leads back from it.
MIN_VOLUME = 1e-12


class Hits(NamedTuple):
    """What rays met.

    Attributes:
        distance_m: float64 [R], metres; infinite where nothing was met.
        object_index: int32 [R], index of the object, of the scene or spawned; -1 where nothing was met.
    """

    distance_m: Float64Array
    object_index: Int32Array


class Surfaces(NamedTuple):
    """What rays_tree.trace asks about a scene's T triangles; see there."""

    object_index: Int32Array
    mask: Int32Array
    uv: Float32Array
    masks: BoolArray


class Tree(NamedTuple):
    """A hierarchy over some of a scene's triangles; see rays_tree.build and trace."""

    bounds: Float32Array
    links: Int32Array
    corners: Float32Array
    numbers: Int32Array


class Rays:
    """Casts rays through one scene; any thread may."""

    def __init__(self, scene: Scene) -> None:
        """Take the scene; nothing is built yet."""
        self._scene = scene
        self._lock = threading.Lock()
        self._surfaces: Surfaces | None = None
        self._still: Tree | None = None
        self._things: dict[int, Tree | None] = {}

    def cast(
        self, origins_m: Float64Array, directions: Float64Array, max_range_m: float, moment: Moment = STILL
    ) -> Hits:
        """Find what is nearest along rays.

        Both faces of every triangle count, holes of leaves and fences let rays through, and a surface on which a ray
        begins is met at distance 0. Trees have the form that they show from near by.

        Args:
            origins_m: float64 [R,3], the scene's NED, metres.
            directions: float64 [R,3], of length 1.
            max_range_m: how far to look, metres; what is farther is not met.
            moment: where everything is.

        Raises:
            ValueError: a number that is not finite, a direction that is not of length 1, or a negative range.
        """
        # Copies: for arrays that must not be written, numba would compile everything once more.
        origins_m, directions = (np.array(of, np.float64, order="C") for of in (origins_m, directions))
        _check(origins_m, directions, max_range_m)
        count = len(origins_m)
        nearest, owner = np.full(count, min(max_range_m, FAR / 2), np.float64), np.full(count, NOTHING, np.int32)
        surfaces, still = self._ready()
        if still is not None:
            found = np.full(count, NOTHING, np.int32)
            trace(*still, surfaces, self._elsewhere(moment), IN_PLACE, origins_m, directions, nearest, found)
            owner = np.where(found == NOTHING, NOTHING, self._scene.object_index[found]).astype(np.int32)
        nobody = np.zeros(len(self._scene.objects), bool)
        for index, tree, placement in self._placed(moment):
            found = np.full(count, NOTHING, np.int32)
            trace(*tree, surfaces, nobody, _inverse(placement), origins_m, directions, nearest, found)
            owner[found != NOTHING] = index
        return Hits(np.where(owner == NOTHING, np.inf, nearest), owner)

    def _elsewhere(self, moment: Moment) -> BoolArray:
        """bool [K], which objects are not where the scene has them."""
        away = np.zeros(len(self._scene.objects), bool)
        away[[index for index in {*moment.placements, *moment.hidden} if 0 <= index < len(away)]] = True
        return away

    def _placed(self, moment: Moment) -> Iterator[tuple[int, Tree, Float64Array]]:
        """What has a tree of its own: index, tree, and where it is."""
        things = {index: (index, IN_PLACE) for index in self._scene.movers}
        things |= {index: (index, placement) for index, placement in moment.placements.items()}
        things |= {copy.index: (copy.source, copy.placement) for copy in moment.spawned}
        for index, (source, placement) in sorted(things.items(), key=lambda item: item[0]):
            tree = self._thing(source)
            if tree is not None and index not in moment.hidden and abs(np.linalg.det(placement[:, :3])) > MIN_VOLUME:
                yield index, tree, placement

    def _ready(self) -> tuple[Surfaces, Tree | None]:
        """Facts about all triangles, and the tree of what stands still."""
        with self._lock:
            if self._surfaces is None:
                scene = self._scene
                self._still = self._tree(near_form(self._scene) & ~np.isin(scene.object_index, list(scene.movers)))
                self._surfaces = Surfaces(
                    scene.object_index, material_table().cutout[scene.materials], scene.uv, masks(TEXTURE_SEED)
                )
            return self._surfaces, self._still

    def _thing(self, index: int) -> Tree | None:
        """The tree of one of the scene's objects."""
        with self._lock:
            if index not in self._things:
                self._things[index] = self._tree(near_form(self._scene) & (self._scene.object_index == index))
            return self._things[index]

    def _tree(self, chosen: BoolArray) -> Tree | None:
        numbers = np.flatnonzero(chosen).astype(np.int32)
        return tree_of(self._scene.triangles_m[numbers], numbers)


def near_form(scene: Scene) -> BoolArray:
    """bool [T]: a thing's shape is the one that it has from near by, wherever a camera is."""
    return np.repeat(chunks_at(scene, None), np.diff(scene.chunks, axis=1)[:, 0])


def tree_of(corners_m: Float32Array, numbers: Int32Array) -> Tree | None:
    """A hierarchy over triangles; None where there are none.

    Args:
        corners_m: float32 [N,3,3].
        numbers: int32 [N], what they are called.
    """
    if not len(numbers):
        return None
    order = np.arange(len(numbers), dtype=np.int32)
    bounds, links = np.empty((2 * len(numbers), 6), np.float32), np.empty((2 * len(numbers), 2), np.int32)
    nodes = build(corners_m.min(1), corners_m.max(1), order, bounds, links)
    return Tree(bounds[:nodes].copy(), links[:nodes].copy(), corners_m[order], numbers[order])


def _check(origins_m: Float64Array, directions: Float64Array, max_range_m: float) -> None:
    if not (np.isfinite(origins_m).all() and np.isfinite(directions).all()):
        raise ValueError("rays must have finite origins and directions")
    if not np.allclose(np.linalg.norm(directions, axis=1), 1.0, rtol=0, atol=1e-6):
        raise ValueError("directions of rays must have length 1")
    if not max_range_m >= 0:
        raise ValueError(f"a range of {max_range_m} m cannot be looked at: give 0 or more")


def _inverse(placement: Float64Array) -> Float64Array:
    """float64 [3,4], back from where a placement [3,4] has put things."""
    a, b, c = np.asarray(placement[:, :3], np.float64).T
    rows = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
    turned = rows / (a * rows[0]).sum()  # not of a library, whose order of summing is the processor's
    return np.column_stack([turned, -product(turned, placement[:, 3])])
