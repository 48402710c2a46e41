"""What keeps light away, drawn once for a still world: the sun's shadow map and the height of what stands around."""

import cv2
import numba
import numpy as np

from airsim_seg.builtin.rendering import raster, triangles
from airsim_seg.builtin.rendering.camera import Projection, chunks_at, parallel
from airsim_seg.builtin.rendering.materials import MaterialTable
from airsim_seg.builtin.scene import Scene
from airsim_seg.types import BoolArray, Float32Array, Float64Array

_EMPTY = np.float32(-1e9)


def draw_parallel(scene: Scene, projection: Projection, table: MaterialTable, masks: BoolArray) -> Float32Array:
    """Draw the nearness of the scene as seen along a direction; both sides of every triangle count.

    Args:
        scene: the world.
        projection: an orthographic one.
        table: of the materials.
        masks: bool [K,N,N].

    Returns:
        float32 [size,size]; -1e9 where nothing is.
    """
    count = len(scene.triangles_m)
    records, bounds = np.empty((count, triangles.RECORD_SIZE), np.float32), np.empty((count, 6), np.int32)
    chunks = np.ascontiguousarray(scene.chunks, np.int32)
    near = np.flatnonzero(chunks_at(scene, None)).astype(np.int32)
    first = np.ascontiguousarray(chunks[near, 0])
    stop = np.empty((len(near), 3), np.int32)
    height, width = projection.size_hw
    nearness = np.empty((height, width + raster.LANES), np.float32)
    seen = np.empty(nearness.shape, np.int32)
    both_sides = np.ones(len(table.cutout), np.uint8)
    triangles.project(
        scene.triangles_m, scene.materials, both_sides, chunks, near, first,
        projection.matrix, projection.origin_m, projection.size_hw, projection.near_w, records, bounds, stop,
    )  # fmt: skip
    raster.fill(
        first, stop, records, bounds, scene.materials, table.cutout, scene.uv, masks,
        projection.near_w, _EMPTY, numba.get_num_threads(), np.zeros(1, np.int64), nearness, seen,
    )  # fmt: skip
    return np.ascontiguousarray(nearness[:, :width])


def sun_projection(sun: Float64Array, extent_m: float, size: int) -> Projection:
    """Look along the sunlight at the middle of the world.

    Args:
        sun: float64 [3], unit vector towards the sun, NED.
        extent_m: half side of the world that can be in shadow, metres.
        size: texels a side.
    """
    right = np.cross(sun, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return parallel(np.stack([right, np.cross(sun, right), -sun]), np.zeros(3), extent_m, size)


def heights(
    scene: Scene, table: MaterialTable, masks: BoolArray, extent_m: float, size: int, blur_m: float
) -> Float32Array:
    """Metres above the origin of the highest thing at every place, blurred.

    Args:
        scene: the world.
        table: of the materials.
        masks: bool [K,N,N].
        extent_m: the map covers [-extent_m, extent_m] north (rows) and east (columns).
        size: texels a side, a power of two.
        blur_m: side of the averaging square, metres.

    Returns:
        float32 [size,size].
    """
    axes = np.array(((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    top = draw_parallel(scene, parallel(axes, np.zeros(3), extent_m, size), table, masks)
    top = np.where(top < -1e8, np.float32(0.0), top)
    side = max(1, round(blur_m * size / (2 * extent_m)))
    blurred = cv2.blur(cv2.blur(top, (side, side)), (side, side))
    return np.ascontiguousarray(blurred, np.float32)
