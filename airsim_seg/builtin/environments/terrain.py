"""The ground: level where people live, low hills in the woods around, a plain to the horizon."""

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, flat, placed, quad
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Terrain
from airsim_seg.types import Float64Array

HALF_M = 168.0
_CELL_M = 4.0
_CELLS_A_PATCH = 7
_LEVEL_NORTH_M, _LEVEL_EAST_M = 112.0, 116.0
_HILL_M = 4.0
_PLAIN_M = 1500.0


def ground_up_m(north_m: Float64Array, east_m: Float64Array) -> Float64Array:
    """Height of the ground above the streets, metres."""
    outside = np.maximum(np.abs(north_m) - _LEVEL_NORTH_M, np.abs(east_m) - _LEVEL_EAST_M)
    rise = np.clip(outside / 24.0, 0, 1)
    edge = np.clip((HALF_M - np.maximum(np.abs(north_m), np.abs(east_m))) / 16.0, 0, 1)
    waves = 0.65 + 0.35 * np.sin(north_m * 0.06) * np.cos(east_m * 0.05)
    height: Float64Array = _HILL_M * waves * rise * rise * (3 - 2 * rise) * edge
    return height


def ground_down_m(north_m: float, east_m: float) -> float:
    """Down coordinate of the ground, metres NED: the Terrain of the Neighborhood."""
    return -float(ground_up_m(np.array(north_m), np.array(east_m)))


def neighborhood_ground(seed: int) -> Terrain:  # noqa: ARG001
    """The ground of a seed's world, without the world."""
    return ground_down_m


def ground_meshes() -> list[Mesh]:
    """The ground in patches, NED."""
    lines = np.arange(-HALF_M, HALF_M + 1e-6, _CELL_M)
    starts = range(0, len(lines) - 1, _CELLS_A_PATCH)
    patches = [
        _patch(lines[i : i + _CELLS_A_PATCH + 1], lines[j : j + _CELLS_A_PATCH + 1]) for i in starts for j in starts
    ]
    return patches + _plain()


def _patch(north: Float64Array, left: Float64Array) -> Mesh:
    x, y = np.meshgrid(north, left, indexing="ij")
    points = np.stack([x, y, ground_up_m(x, -y)], -1)
    a, b, c, d = points[:-1, :-1], points[1:, :-1], points[1:, 1:], points[:-1, 1:]
    corners = np.concatenate([np.stack([a, b, c], 2).reshape(-1, 3, 3), np.stack([a, c, d], 2).reshape(-1, 3, 3)])
    wild = np.maximum(np.abs(corners[..., 0]) - _LEVEL_NORTH_M, np.abs(corners[..., 1]) - _LEVEL_EAST_M).max(1) > 0
    mesh = flat(corners, Material.GRASS, uv=corners[..., :2] / 3.5)
    mesh.materials[wild] = int(Material.MEADOW)
    return placed(mesh, (0.0, 0.0, 0.0))


def _plain() -> list[Mesh]:
    h, p = HALF_M, _PLAIN_M
    rectangles = [(-p, h, p, p), (-p, -p, p, -h), (h, -h, p, h), (-p, -h, -h, h)]
    return [
        placed(
            quad((x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0), material=Material.MEADOW, uv_scale=1 / 3.5),
            (0.0, 0.0, 0.0),
        )
        for x0, y0, x1, y1 in rectangles
    ]
