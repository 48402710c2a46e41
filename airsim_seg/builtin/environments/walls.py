"""What runs along a line on uneven ground: walls of stone, fences, guard rails, hedgerows. In map coordinates."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.ground import Ground
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, moved, rectangle_uv
from airsim_seg.builtin.environments.trees import cards
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

Profile = Sequence[tuple[float, float]]  # (metres to the left of the line, metres above it)
_RAIL_UP_M = 0.62
_UP = np.array((0.0, 0.0, 1.0))


def on_ground(ground: Ground, places_m: Float64Array, up_m: float = 0.0) -> Float64Array:
    """Places float64 [K,2] as points float64 [K,3] that much above the ground."""
    return np.column_stack([places_m, ground.up_m(places_m[:, 0], places_m[:, 1]) + up_m])


def draped(mesh: Mesh, ground: Ground) -> Mesh:
    """A mesh that was made for level ground at height 0, every corner lifted by the ground under it."""
    up = ground.up_m(mesh.corners[..., 0], mesh.corners[..., 1])
    return Mesh(mesh.corners + up[..., None] * (0.0, 0.0, 1.0), mesh.normals, mesh.uv, mesh.materials)


def swept(
    path_m: Float64Array, profile: Profile, material: Material, *, tile_m: float = 3.0, capped: bool = True
) -> Mesh:
    """A cross-section drawn along a line.

    Args:
        path_m: float64 [K,3], K at least 2.
        profile: from its left foot over the top to its right foot, which gives faces outside; convex where capped.
        material: of all.
        tile_m: how many metres the picture spans.
        capped: close both ends.
    """
    along = np.gradient(path_m[:, :2], axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    left = np.column_stack([-along[:, 1], along[:, 0], np.zeros(len(along))])
    section = np.asarray(profile, np.float64)
    points = path_m[:, None] + left[:, None] * section[None, :, :1] + section[None, :, 1:] * (0.0, 0.0, 1.0)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path_m, axis=0), axis=1))]) / tile_m
    high = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(section, axis=0), axis=1))]) / tile_m
    uv = np.stack(np.broadcast_arrays(arc[:, None], high[None]), -1)
    triangles, pictures = (np.concatenate([_faces(grid, (0, 1, 2)), _faces(grid, (0, 2, 3))]) for grid in (points, uv))
    parts = [flat(triangles, material, uv=pictures)]
    if capped:
        first, last = points[0, ::-1], points[-1]
        parts.append(flat([(end[0], end[k], end[k + 1]) for end in (first, last) for k in range(1, len(end) - 1)],
                          material, tile_m=tile_m))  # fmt: skip
    return joined(parts)


def _faces(grid: Float64Array, order: tuple[int, int, int]) -> Float64Array:
    """Half of the quadrangles of a grid [K,P,D] as triangles [(K-1)(P-1),3,D]."""
    corners = (grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1])
    chosen = np.stack([corners[k] for k in order], 2)
    return chosen.reshape(-1, 3, grid.shape[-1])


def stone_wall(path_m: Float64Array, rng: np.random.Generator, *, height_m: float = 1.0, wide_m: float = 0.5) -> Mesh:
    """A wall of field stones without mortar; its crest is uneven."""
    uneven = path_m + np.array((0.0, 0.0, 1.0)) * rng.normal(0, 0.05, (len(path_m), 1)).clip(-0.1, 0.1)
    half = wide_m / 2
    profile = ((half, -0.4), (0.8 * half, height_m - 0.12), (0.45 * half, height_m))
    return swept(uneven, (*profile, *[(-left, up) for left, up in profile[::-1]]), Material.RUBBLE, tile_m=2.2)


def rail_fence(path_m: Float64Array, *, height_m: float = 1.15, rails: int = 2) -> Mesh:
    """Posts at every point of the line, and rails between them."""
    parts = [_post(point, height_m + 0.1, 0.06) for point in path_m]
    for k in range(rails):
        up = height_m * (k + 1) / rails - 0.12
        parts.append(swept(path_m, ((0.03, up - 0.07), (0.03, up + 0.07), (-0.03, up + 0.07), (-0.03, up - 0.07)),
                           Material.BOARDS, capped=False))  # fmt: skip
    return joined(parts)


def wire_fence(path_m: Float64Array, *, height_m: float = 1.1) -> Mesh:
    """Thin posts and see-through wire."""
    parts = [_post(point, height_m + 0.08, 0.05) for point in path_m]
    for a, b in pairwise(path_m):
        up = height_m * _UP
        corners = np.array(((a, b, b + up), (a, b + up, a + up)))
        wide = float(np.linalg.norm(b - a)) / height_m
        parts.append(flat(corners, Material.WIRE_MESH, uv=rectangle_uv(wide, 1.0)))
    return joined(parts)


def picket_fence(path_m: Float64Array, *, height_m: float = 1.0) -> Mesh:
    """See-through pickets between posts."""
    parts = [_post(point, height_m + 0.08, 0.06) for point in path_m]
    for a, b in pairwise(path_m):
        up = height_m * _UP
        corners = np.array(((a, b, b + up), (a, b + up, a + up)))
        parts.append(flat(corners, Material.PICKETS, uv=rectangle_uv(float(np.linalg.norm(b - a)), 1.0)))
    return joined(parts)


def _post(foot: Float64Array, height_m: float, half_m: float) -> Mesh:
    half = np.array((half_m, half_m, 0.0))
    return box(foot - half - 0.3 * _UP, foot + half + height_m * _UP, Material.BOARDS)


def gate(wide_m: float) -> Mesh:
    """A field gate of five bars along y, its middle at the origin."""
    half = wide_m / 2
    bars = [box((-0.025, -half, z), (0.025, half, z + 0.09), Material.BOARDS, bottom=True)
            for z in (0.25, 0.45, 0.65, 0.85, 1.1)]  # fmt: skip
    posts = [box((-0.1, y - 0.1, -0.4), (0.1, y + 0.1, 1.35), Material.BOARDS) for y in (-half, half)]
    return joined([*bars, *posts])


def guard_rail(path_m: Float64Array) -> Mesh:
    """A steel beam with a fold along it, on posts at every second point."""
    z = _RAIL_UP_M
    beam = ((0.05, z - 0.16), (0.05, z - 0.05), (0.0, z), (0.05, z + 0.05), (0.05, z + 0.16),
            (-0.05, z + 0.16), (-0.05, z - 0.16))  # fmt: skip
    half = np.array((0.05, 0.05, 0.0))
    posts = [box(p - half - 0.4 * _UP, p + half + (z + 0.1) * _UP, Material.METAL) for p in path_m[1:-1:2]]
    return joined([swept(path_m, beam, Material.METAL, capped=False), *posts])


def railing(path_m: Float64Array, *, height_m: float = 1.05) -> Mesh:
    """An iron railing: a hand rail, two thinner ones, posts at every point."""
    parts = [cylinder(p - 0.2 * _UP, p + height_m * _UP, (0.035, 0.03), Material.METAL, sides=5) for p in path_m]
    for up, half in ((height_m, 0.035), (0.35 * height_m, 0.015), (0.68 * height_m, 0.015)):
        parts.append(swept(path_m, ((half, up - half), (half, up + half), (-half, up + half), (-half, up - half)),
                           Material.METAL, capped=False))  # fmt: skip
    return joined(parts)


def hedgerow(
    path_m: Float64Array,
    rng: np.random.Generator,
    *,
    height_m: float = 1.8,
    wide_m: float = 1.5,
    density: float = 2.4,
    leaf_m: float = 0.8,
) -> Mesh:
    """A hedge that nobody clips: leaf cards around a dark heart.

    Args:
        path_m: float64 [K,3], on the ground.
        rng: of its leaves.
        height_m: to the top, about.
        wide_m: across.
        density: cards a square metre of its surface.
        leaf_m: side of a card, about.
    """
    steps = np.linalg.norm(np.diff(path_m, axis=0), axis=1)
    count = int(steps.sum() * (2 * height_m + wide_m) * density)
    at = rng.uniform(0, steps.sum(), count)
    arc = np.concatenate([[0.0], np.cumsum(steps)])
    foot = np.stack([np.interp(at, arc, path_m[:, k]) for k in range(3)], 1)
    along = np.diff(path_m, axis=0)[np.clip(np.searchsorted(arc, at) - 1, 0, len(steps) - 1)]
    across = np.stack([-along[:, 1], along[:, 0], 0 * at], 1) / np.linalg.norm(along[:, :2], axis=1, keepdims=True)
    # Around the arch of its cross-section, from the left foot to the right one.
    angle = rng.uniform(0.02, 0.98, count) * np.pi
    swell = 1 + 0.22 * np.sin(at * 0.9 + rng.uniform(0, 6)) + 0.12 * np.sin(at * 2.3)
    flat_part, up_part = np.cos(angle), np.sin(angle) ** 0.6
    depth = rng.uniform(0.75, 1.05, count)
    centres = foot + across * (0.5 * wide_m * flat_part * depth)[:, None]
    centres[:, 2] += height_m * up_part * depth * swell
    outward = across * flat_part[:, None] + up_part[:, None] * (0.0, 0.0, 1.0)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    leaves = cards(centres, outward, leaf_m * rng.uniform(0.7, 1.3, count), Material.LEAVES, rng)
    half = 0.3 * wide_m
    heart = swept(path_m, ((half, -0.2), (0.7 * half, 0.6 * height_m), (-0.7 * half, 0.6 * height_m), (-half, -0.2)),
                  Material.THICKET)  # fmt: skip
    return joined([leaves, heart])


def hay_bale(*, radius_m: float = 0.75, wide_m: float = 1.25) -> Mesh:
    """A round bale on its side, its axis along y."""
    ends = [cylinder((0, 0, radius_m), (0, side * wide_m / 2, radius_m), (radius_m, radius_m), Material.GRAIN,
                     sides=12, cap=True) for side in (-1.0, 1.0)]  # fmt: skip
    return moved(joined(ends), (0.0, 0.0, -0.06))
