"""What keeps light away: the sun's shadow map, and the height of what stands around.

What stands still is drawn into the shadow map once. Things that move are drawn over it for each moment and wiped off
again: a street's cars touch a few thousand texels of sixteen million.
"""

# mypy: disable-error-code="no-untyped-def, call-arg"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math
from collections.abc import Callable

import cv2
import numpy as np

from airsim_seg.builtin.rendering import raster, triangles
from airsim_seg.builtin.rendering.camera import PARALLEL_EMPTY, Projection, chunks_at, parallel
from airsim_seg.builtin.rendering.compiling import Crew, inline, kernel
from airsim_seg.builtin.rendering.lane_memory import load, store
from airsim_seg.builtin.rendering.lanes import LANES, floats, lane_numbers, where
from airsim_seg.builtin.rendering.materials import MaterialTable
from airsim_seg.builtin.rendering.moving import Movement
from airsim_seg.builtin.scene import Moment, Scene
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array

_EMPTY = np.float32(PARALLEL_EMPTY)


def draw_parallel(
    scene: Scene, corners_m: Float32Array, projection: Projection, table: MaterialTable, masks: BoolArray, crew: Crew
) -> Float32Array:
    """Draw the nearness of the scene as seen along a direction; both sides of every triangle count.

    Args:
        scene: the world.
        corners_m: float32 [T,3,3], its triangles where they are.
        projection: an orthographic one.
        table: of the materials.
        masks: bool [K,N,N].
        crew: who draws.

    Returns:
        float32 [size,size]; -1e9 where nothing is.
    """
    count = len(corners_m)
    records, bounds = (
        np.empty((count, triangles.RECORD_SIZE), np.float32),
        np.empty((count, triangles.BOUNDS_SIZE), np.int32),
    )
    chunks = np.ascontiguousarray(scene.chunks, np.int32)
    near = np.flatnonzero(chunks_at(scene, None)).astype(np.int32)
    first = np.ascontiguousarray(chunks[near, 0])
    stop = np.empty((len(near), triangles.STOP_SIZE), np.int32)
    nearest = np.empty(len(near), np.float32)
    height, width = projection.size_hw
    nearness = np.empty((height, width + LANES), np.float32)
    seen = np.empty(nearness.shape, np.int32)
    both_sides = np.ones(len(table.cutout), np.uint8)
    crew.run(
        triangles.project, corners_m, *_at_rest(count), scene.materials, both_sides, table.cutout, scene.object_index,
        chunks, near, first, projection.matrix, projection.origin_m, projection.size_hw, projection.near_w,
        records, bounds, stop, nearest,
    )  # fmt: skip
    crew.run(
        raster.fill, first, stop, nearest, records, bounds, scene.uv, masks,
        np.float32(projection.nearest), _EMPTY, nearness, seen,
    )  # fmt: skip
    # Into memory that is at hand: to be given 64 MB more takes as long as the drawing.
    packed = seen.reshape(-1)[: height * width].view(np.float32).reshape(height, width)
    packed[:] = nearness[:, :width]
    return packed


def _at_rest(count: int) -> tuple[UInt8Array, Float32Array]:
    """Sways and offsets of triangles that no wind moves."""
    return np.zeros(count, np.uint8), np.zeros((1, 3), np.float32)


class SunShadows:
    """The sun's shadow map, kept up with what moves.

    Which objects are drawn over the map depends on the scene and the moment alone, not on what was drawn before: a
    moment's picture has the same bytes in every order. Call under PARALLEL_LOCK.

    Args:
        scene: the world.
        projection: along the sunlight, see sun_projection.
        table: of the materials.
        masks: bool [K,N,N].
        crew: who draws it.

    Attributes:
        map: float32 [N,N], nearness to the sun; changed in place, in another thread: see wait.
        changed: rows and columns of the rectangles that the last follow may have changed; a new list each time.
    """

    def __init__(
        self, scene: Scene, projection: Projection, table: MaterialTable, masks: BoolArray, crew: Crew
    ) -> None:
        self._scene, self._projection, self._table, self._masks = scene, projection, table, masks
        self._crew = crew
        self._matrix = np.ascontiguousarray(projection.matrix[[0, 1, 3]])
        self._dirty: list[tuple[slice, slice]] = []
        self.changed: list[tuple[slice, slice]] = []
        self._without = scene.movers
        self._done: Callable[[], None] = lambda: None
        self.map = self._draw_still(scene.movers)
        self._still = self.map.copy() if scene.movers else self.map

    def follow(self, movement: Movement, moment: Moment) -> None:
        """Begin to bring the map to a moment that the movement has followed before; wait says when it is done."""
        self.wait()
        away = moment.placements.keys() | moment.hidden
        without = frozenset(self._scene.movers | {index for index in away if 0 <= index < len(self._scene.objects)})
        if without != self._without:
            self._still, self._without = self._draw_still(without), without
            self.map[:] = self._still
            self.changed = [(slice(None), slice(None))]
        else:
            self.changed = self._dirty
        parts = movement.parts(without - moment.hidden)
        self._done = self._crew.beside(self._cast, movement.placed.corners_m, parts.triangles, parts.first)

    def wait(self) -> None:
        """Return when the map and what has changed are those of the moment that was followed last."""
        self._done()

    def _cast(self, corners_m: Float32Array, rows: Int64Array, first: Int64Array) -> None:
        """Wipe off the shadows of what moves, and draw them where they are now."""
        for lines, columns in self._dirty:
            self.map[lines, columns] = self._still[lines, columns]
        rectangles = np.zeros((len(first) - 1, 4), np.int64)
        _raise(corners_m, rows, first, self._matrix, self._projection.origin_m, self.map, rectangles)
        self._dirty = [(slice(top, bottom), slice(left, right)) for top, bottom, left, right in rectangles.tolist()]
        self.changed = [*self.changed, *self._dirty]

    def _draw_still(self, without: frozenset[int]) -> Float32Array:
        corners = corners_without(self._scene, without)
        return draw_parallel(self._scene, corners, self._projection, self._table, self._masks, self._crew)


def corners_without(scene: Scene, objects: frozenset[int]) -> Float32Array:
    """The scene's triangles float32 [T,3,3], those of some objects shrunk to nothing."""
    if not objects:
        return scene.triangles_m
    corners = scene.triangles_m.copy()
    corners[np.isin(scene.object_index, list(objects))] = 0
    return corners


@inline
def _texel(matrix, origin, corners, t, c):
    """Column, row and nearness of a corner."""
    x, y, z = corners[t, c, 0] - origin[0], corners[t, c, 1] - origin[1], corners[t, c, 2] - origin[2]
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3],
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3],
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3],
    )


@kernel()
def _raise(corners, rows, first, matrix, origin, nearness, rectangles):
    """Draw objects into a map of nearness, where they are nearer; texels whose centre they cover.

    Args:
        corners: float32 [T,3,3], world NED.
        rows: int64 [N], triangles, object by object; masks are not looked at.
        first: int64 [M+1], each object's first in rows, and the end.
        matrix: float64 [3,4]: column, row and nearness of (point - origin, 1).
        origin: float64 [3].
        nearness: float32 [N,N] (in and out), N at least 8.
        rectangles: int64 [M,4] (out): first row and the one after the last, the same of columns, that may have changed.
    """
    size = nearness.shape[0]
    for m in range(len(first) - 1):
        r0, r1, c0, c1 = size, 0, size, 0
        for n in range(first[m], first[m + 1]):
            x0, y0, z0 = _texel(matrix, origin, corners, rows[n], 0)
            x1, y1, z1 = _texel(matrix, origin, corners, rows[n], 1)
            x2, y2, z2 = _texel(matrix, origin, corners, rows[n], 2)
            area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
            if abs(area) < 1e-12:
                continue
            left, right = max(math.ceil(min(x0, x1, x2)), 0), min(math.floor(max(x0, x1, x2)), size - 1)
            top, bottom = max(math.ceil(min(y0, y1, y2)), 0), min(math.floor(max(y0, y1, y2)), size - 1)
            if left > right or top > bottom:
                continue
            r0, r1, c0, c1 = min(r0, top), max(r1, bottom + 1), min(c0, left), max(c1, right + 1)
            # Weights of the second and third corner at column x of row y: (y - y0) * a + (x - x0) * b.
            a1, b1, a2, b2 = (x0 - x2) / area, (y2 - y0) / area, (x1 - x0) / area, (y0 - y1) / area
            for y in range(top, bottom + 1):
                for first_x in range(left, right + 1, LANES):
                    x = min(first_x, size - LANES)  # the last block of a line is drawn again in part
                    column = x - x0
                    w1 = np.float32((y - y0) * a1 + column * b1) + np.float32(b1) * floats(lane_numbers())
                    w2 = np.float32((y - y0) * a2 + column * b2) + np.float32(b2) * floats(lane_numbers())
                    here = np.float32(z0) + np.float32(z1 - z0) * w1 + np.float32(z2 - z0) * w2
                    inside = (w1 >= 0.0) & (w2 >= 0.0) & (w1 + w2 <= 1.0)
                    before = load(nearness, y * size + x)
                    store(nearness, y * size + x, max(where(inside, here, _EMPTY), before))
        if r0 < r1:
            rectangles[m, 0], rectangles[m, 1], rectangles[m, 2], rectangles[m, 3] = r0, r1, c0, c1


def sun_projection(sun: Float64Array, extent_m: float, size: int) -> Projection:
    """Look along the sunlight at the middle of the world.

    Args:
        sun: float64 [3], unit vector towards the sun, NED.
        extent_m: half side of the world that can be in shadow, metres.
        size: texels a side.
    """
    right = np.cross(sun, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return parallel(np.stack([right, np.cross(sun, right), -sun]), np.zeros(3), 2 * extent_m, (size, size))


def heights(
    scene: Scene, table: MaterialTable, masks: BoolArray, crew: Crew, extent_m: float, size: int, blur_m: float
) -> Float32Array:
    """Metres above the origin of the highest thing that stands still, at most Scene.shelter_m, at every place, blurred.

    Args:
        scene: the world.
        table: of the materials.
        masks: bool [K,N,N].
        crew: who draws.
        extent_m: the map covers [-extent_m, extent_m] north (rows) and east (columns).
        size: texels a side, a power of two.
        blur_m: side of the averaging square, metres.

    Returns:
        float32 [size,size].
    """
    axes = np.array(((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    corners = corners_without(scene, scene.movers)
    projection = parallel(axes, np.zeros(3), 2 * extent_m, (size, size))
    top = draw_parallel(scene, corners, projection, table, masks, crew)
    top = np.minimum(np.where(top < -1e8, np.float32(0.0), top), np.float32(scene.shelter_m))
    side = max(1, round(blur_m * size / (2 * extent_m)))
    blurred = cv2.blur(cv2.blur(top, (side, side)), (side, side))
    return np.ascontiguousarray(blurred, np.float32)
