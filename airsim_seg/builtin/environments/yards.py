"""What stands in gardens: fences, pools, rocks, benches. Frames as in meshes.py: foot at the origin."""

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, Point, blob, box, flat, joined, quad, rectangle_uv
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_POST_EVERY_M = 2.4


def picket_fence(start: Point, end: Point, height_m: float) -> Mesh:
    """A see-through picket fence with solid posts, between two points on the ground (own frame)."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    long = float(np.linalg.norm(b - a))
    up = np.array((0.0, 0.0, height_m))
    corners = np.array(((a, b, b + up), (a, b + up, a + up)))
    panel = flat(corners, Material.PICKETS, uv=rectangle_uv(long, 1.0))
    return joined([panel, _posts(a, b, height_m + 0.08)])


def board_fence(start: Point, end: Point, height_m: float) -> Mesh:
    """A closed wooden fence between two points on the ground (own frame)."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    up = np.array((0.0, 0.0, height_m))
    along = (b - a) / np.linalg.norm(b - a)
    out = 0.03 * np.array((along[1], -along[0], 0.0))
    sides = [
        quad(a + out, b + out, b + out + up, a + out + up, material=Material.WOOD, uv_scale=0.5),
        quad(b - out, a - out, a - out + up, b - out + up, material=Material.WOOD, uv_scale=0.5),
        quad(a + out + up, b + out + up, b - out + up, a - out + up, material=Material.WOOD, uv_scale=0.5),
    ]
    return joined([*sides, _posts(a, b, height_m + 0.1)])


def low_wall(long_m: float) -> Mesh:
    """A knee-high wall of rubble under pale slabs, along y and centred at the origin."""
    y = long_m / 2
    stones = box((-0.16, -y, -0.2), (0.16, y, 0.62), Material.RUBBLE, tile_m=1.6)
    slabs = box((-0.22, -y - 0.06, 0.62), (0.22, y + 0.06, 0.72), Material.CONCRETE, bottom=True, tile_m=1.5)
    return joined([stones, slabs])


def _posts(a: Float64Array, b: Float64Array, height_m: float) -> Mesh:
    long = float(np.linalg.norm(b - a))
    count = max(2, round(long / _POST_EVERY_M) + 1)
    half = np.array((0.06, 0.06, 0.0))
    feet = a + (b - a) * np.linspace(0, 1, count)[:, None]
    return joined([box(f - half - (0, 0, 0.2), f + half + (0, 0, height_m), Material.BOARDS) for f in feet])


def pool(long_m: float, wide_m: float) -> Mesh:
    """Water just below a rim of tiles; x along its length."""
    x, y = long_m / 2, wide_m / 2
    water = quad((x, -y, 0.11), (x, y, 0.11), (-x, y, 0.11), (-x, -y, 0.11), material=Material.WATER, uv_scale=0.3)
    rims = [
        box((-x - 0.3, s * y - 0.15, -0.1), (x + 0.3, s * y + 0.15, 0.17), Material.TILES, tile_m=2.0) for s in (-1, 1)
    ]
    rims += [box((s * x - 0.15, -y, -0.1), (s * x + 0.15, y, 0.17), Material.TILES, tile_m=2.0) for s in (-1, 1)]
    return joined([water, *rims])


def terrace(long_m: float, wide_m: float, thick_m: float = 0.08) -> Mesh:
    """A paved rectangle; x along its length."""
    return box((-long_m / 2, -wide_m / 2, -0.2), (long_m / 2, wide_m / 2, thick_m), Material.PAVERS, tile_m=3.0)


def rock(rng: np.random.Generator, radius_m: float) -> Mesh:
    """A boulder half in the ground."""
    radii = np.array((1.3, 1.0, 0.75)) * radius_m * rng.uniform(0.8, 1.2, 3)
    return blob((0.0, 0.0, radius_m * 0.15), radii, Material.ROCK, rng, roughness=0.45)


def bench() -> Mesh:
    """A stone bench, 1.8 m long along y."""
    feet = [box((-0.22, y - 0.12, -0.1), (0.22, y + 0.12, 0.42), Material.CONCRETE, tile_m=1.5) for y in (-0.7, 0.7)]
    seat = box((-0.28, -0.95, 0.42), (0.28, 0.95, 0.52), Material.CONCRETE, bottom=True, tile_m=1.5)
    back = box((-0.28, -0.95, 0.52), (-0.18, 0.95, 0.95), Material.CONCRETE, tile_m=1.5)
    return joined([*feet, seat, back])
