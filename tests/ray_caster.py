"""The oracle of the rasteriser: every ray against every triangle, in double precision (Moeller and Trumbore, 1997).

The triangles are the scene's own single-precision ones, put where a moment has them: what is tested is who sees them.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from airsim_seg.builtin.rendering.camera import NEAR_M, chunks_for
from airsim_seg.builtin.rendering.cutouts import masks
from airsim_seg.builtin.rendering.materials import FOLIAGE, TEXTURE_SEED, material_table
from airsim_seg.builtin.rendering.wind import offsets_m, sways_of
from airsim_seg.builtin.scene import FAR_DEPTH_M, SKY_INDEX, Moment, Picture, Scene, View


@njit(cache=True)
def _cast(origin, rays, corners, uv, mask_of, masks, near):  # type: ignore[no-untyped-def]
    """Nearest triangle (or -1) and its distance in units of each ray."""
    hit, far = np.full(len(rays), -1), np.full(len(rays), np.inf)
    side = masks.shape[1]
    for t in range(len(corners)):
        ax, ay, az = (
            corners[t, 1, 0] - corners[t, 0, 0],
            corners[t, 1, 1] - corners[t, 0, 1],
            corners[t, 1, 2] - corners[t, 0, 2],
        )
        bx, by, bz = (
            corners[t, 2, 0] - corners[t, 0, 0],
            corners[t, 2, 1] - corners[t, 0, 1],
            corners[t, 2, 2] - corners[t, 0, 2],
        )
        sx, sy, sz = origin[0] - corners[t, 0, 0], origin[1] - corners[t, 0, 1], origin[2] - corners[t, 0, 2]
        qx, qy, qz = sy * az - sz * ay, sz * ax - sx * az, sx * ay - sy * ax
        distance = bx * qx + by * qy + bz * qz
        for i in range(len(rays)):
            dx, dy, dz = rays[i, 0], rays[i, 1], rays[i, 2]
            px, py, pz = dy * bz - dz * by, dz * bx - dx * bz, dx * by - dy * bx
            det = ax * px + ay * py + az * pz
            if det == 0.0 or (det < 0.0 and mask_of[t] < 0):
                continue  # edge on, or the back of a closed surface
            u = (sx * px + sy * py + sz * pz) / det
            v = (dx * qx + dy * qy + dz * qz) / det
            if u < 0.0 or v < 0.0 or u + v > 1.0:
                continue
            w = distance / det
            if w < near or w >= far[i]:
                continue
            if mask_of[t] >= 0:
                tu = uv[t, 0, 0] * (1 - u - v) + uv[t, 1, 0] * u + uv[t, 2, 0] * v
                tv = uv[t, 0, 1] * (1 - u - v) + uv[t, 1, 1] * u + uv[t, 2, 1] * v
                if not masks[mask_of[t], math.floor(tv * side) % side, math.floor(tu * side) % side]:
                    continue
            hit[i], far[i] = t, w
    return hit, far


@njit(cache=True)
def _drop(points, corners, uv, mask_of, masks):  # type: ignore[no-untyped-def]
    """The same with parallel rays: places [N,2] on the picture, corners [T,3,3] forward, right and down; all metres."""
    hit, far = np.full(len(points), -1), np.full(len(points), np.inf)
    side = masks.shape[1]
    for t in range(len(corners)):
        (f0, x0, y0), (f1, x1, y1), (f2, x2, y2) = corners[t, 0], corners[t, 1], corners[t, 2]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area == 0.0 or (area > 0.0 and mask_of[t] < 0):
            continue
        for i in range(len(points)):
            px, py = points[i, 0] - x0, points[i, 1] - y0
            u, v = (px * (y2 - y0) - (x2 - x0) * py) / area, ((x1 - x0) * py - px * (y1 - y0)) / area
            if u < 0.0 or v < 0.0 or u + v > 1.0:
                continue
            depth = f0 + u * (f1 - f0) + v * (f2 - f0)
            if depth < 0.0 or depth >= far[i]:
                continue
            if mask_of[t] >= 0:
                tu = uv[t, 0, 0] * (1 - u - v) + uv[t, 1, 0] * u + uv[t, 2, 0] * v
                tv = uv[t, 0, 1] * (1 - u - v) + uv[t, 1, 1] * u + uv[t, 2, 1] * v
                if not masks[mask_of[t], math.floor(tv * side) % side, math.floor(tu * side) % side]:
                    continue
            hit[i], far[i] = t, depth
    return hit, far


def _moved(places: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """float32 [...,3] of places [...,3] under a placement [3,4], rounded once."""
    x, y, z = np.moveaxis(places.astype(np.float64), -1, 0)
    return np.stack([m[0] * x + m[1] * y + m[2] * z + m[3] for m in matrix], -1).astype(np.float32)


def _placed(corners: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Triangles [T,3,3] under a placement; what is mirrored is turned inside out, so that it still faces outwards."""
    moved = _moved(corners, matrix)
    return moved[:, [0, 2, 1]] if np.linalg.det(matrix[:, :3]) < 0 else moved


def _blown(scene: Scene, moment: Moment) -> np.ndarray:
    """float32 [T,1,3]: where the wind of a moment has put each triangle's corners."""
    leafy = np.isin(scene.materials, list(FOLIAGE))
    by_sway, offsets = offsets_m(moment.wind_mps, moment.time_ns), np.zeros((len(leafy), 1, 3), np.float32)
    for triangle, sway in enumerate(sways_of(scene, leafy).tolist()):
        offsets[triangle, 0] = by_sway[sway]
    return offsets


def standing(scene: Scene, moment: Moment) -> Scene:
    """The scene with all that a moment moved, hid and spawned, as if it had been built so."""
    chunk_of = np.repeat(np.arange(len(scene.chunks)), np.diff(scene.chunks, axis=1)[:, 0])
    assert scene.anchors_m is not None
    assert scene.ranges_m is not None
    corners, anchors = scene.triangles_m.copy(), scene.anchors_m.copy()
    for index, matrix in moment.placements.items():
        own = scene.object_index == index
        corners[own] = _placed(scene.triangles_m[own], matrix)
        for chunk in np.unique(chunk_of[own]):
            if scene.anchors_m[chunk].any():  # others are drawn from any distance
                anchors[chunk] = _moved(scene.anchors_m[chunk], matrix)
    corners[np.isin(scene.object_index, list(moment.hidden))] = 0
    offsets = _blown(scene, moment)
    corners += offsets
    rows, places, indices = [np.arange(len(corners))], [corners], [scene.object_index]
    chunks, points, ranges = [chunk_of], [anchors], [scene.ranges_m]
    for copy in moment.spawned:
        own = np.flatnonzero(scene.object_index == copy.source)
        of, number = np.unique(chunk_of[own], return_inverse=True)
        rows.append(own)
        places.append(_placed(scene.triangles_m[own], copy.placement) + offsets[own])
        indices.append(np.full(len(own), copy.index, np.int32))
        chunks.append(sum(map(len, points)) + number)
        still = ~scene.anchors_m[of].any(1, keepdims=True)
        points.append(np.where(still, scene.anchors_m[of], _moved(scene.anchors_m[of], copy.placement)))
        ranges.append(scene.ranges_m[of])
    chosen = np.concatenate(rows)
    ends = np.cumsum(np.bincount(np.concatenate(chunks)))
    return replace(
        scene,
        triangles_m=np.concatenate(places),
        normals=scene.normals[chosen],
        uv=scene.uv[chosen],
        materials=scene.materials[chosen],
        object_index=np.concatenate(indices),
        chunks=np.stack([np.append(0, ends[:-1]), ends], 1).astype(np.int32),
        anchors_m=np.concatenate(points),
        ranges_m=np.concatenate(ranges),
    )


def cast(scene: Scene, view: View, pixels_xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Object index and depth along the optical axis at points of a picture.

    Args:
        scene: the world.
        view: the camera.
        pixels_xy: float64 [N,2], pixel coordinates; the centre of pixel (x, y) is (x + 0.5, y + 0.5).
    """
    height, width = view.size_hw
    drawn = np.repeat(chunks_for(view, scene), np.diff(scene.chunks, axis=1)[:, 0])
    corners, uv = scene.triangles_m[drawn].astype(np.float64), scene.uv[drawn].astype(np.float64)
    holes = (material_table().cutout[scene.materials[drawn]], masks(TEXTURE_SEED))
    eye, axes = np.asarray(view.pose.position_m, np.float64), np.asarray(view.pose.rotation(), np.float64)
    off_axis = pixels_xy - (width / 2, height / 2)
    if view.ortho_width_m is not None:
        hit, depth = _drop(off_axis * view.ortho_width_m / width, (corners - eye) @ axes, uv, *holes)
    else:
        focal = width / 2 / math.tan(math.radians(view.fov_deg) / 2)
        rays = np.column_stack([np.ones(len(off_axis)), off_axis / focal]) @ axes.T
        hit, depth = _cast(eye, rays, corners, uv, *holes, NEAR_M)
    nothing = hit < 0
    return np.where(nothing, SKY_INDEX, scene.object_index[drawn][hit]), np.where(nothing, FAR_DEPTH_M, depth)


_NUDGES = 1e-3 * np.array(((1, 0), (-1, 0), (0, 1), (0, -1)))


def disagreements(scene: Scene, view: View, picture: Picture, count: int, seed: int) -> list[dict[str, Any]]:
    """Random pixels where the picture shows what no ray within a thousandth of a pixel of the centre sees.

    Depths must agree to 1e-4, relative, wherever the objects do.
    """
    rng = np.random.default_rng(seed)
    height, width = view.size_hw
    x, y = rng.integers(0, width, count), rng.integers(0, height, count)
    centres = np.stack([x, y], 1) + 0.5
    drawn, drawn_depth = picture.object_index[y, x], picture.depth_m[y, x].astype(np.float64)
    wanted, depth = cast(scene, view, centres)
    right = (drawn == wanted) & (np.abs(drawn_depth - depth) <= 1e-4 * depth)
    for nudge in _NUDGES:
        doubt = np.flatnonzero(~right)
        if len(doubt) == 0:
            break
        wanted_near, depth_near = cast(scene, view, centres[doubt] + nudge)
        agrees = np.abs(drawn_depth[doubt] - depth_near) <= 1e-3 * depth_near
        right[doubt] |= (drawn[doubt] == wanted_near) & agrees
    return [
        {"pixel": (int(x[k]), int(y[k])), "drawn": int(drawn[k]), "wanted": int(wanted[k]),
         "depth": float(drawn_depth[k]), "wanted_depth": float(depth[k])}
        for k in np.flatnonzero(~right)
    ]  # fmt: skip
