"""What a farm has: barns, silos, tractors, trailers. Frames as in cottages.py; vehicles with their noses along x."""

from functools import cache
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import houses
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, moved, quad
from airsim_seg.builtin.rendering.materials import Material

_FOOT_M = 1.6


def barn_walls(deep_m: float, long_m: float, wall_m: float, rise_m: float) -> Mesh:
    """Boards on a foot of stone, a large door in front, small ones in the gables; the ridge along y."""
    x, y = deep_m / 2, long_m / 2
    gable = [((x, -y, wall_m), (0, -y, wall_m + rise_m), (-x, -y, wall_m)),
             ((-x, y, wall_m), (0, y, wall_m + rise_m), (x, y, wall_m))]  # fmt: skip
    parts = [
        box((-x - 0.1, -y - 0.1, -_FOOT_M), (x + 0.1, y + 0.1, 0.9), Material.RUBBLE, tile_m=2.2),
        box((-x, -y, 0.85), (x, y, wall_m), Material.WOOD, tile_m=2.5),
        flat(gable, Material.WOOD, tile_m=2.5),
        box((x, -2.2, 0.0), (x + 0.16, 2.2, min(4.2, wall_m - 0.4)), Material.BOARDS),
        box((x + 0.1, -0.05, 0.0), (x + 0.2, 0.05, min(4.2, wall_m - 0.4)), Material.RUBBER),
    ]
    for side in (-1.0, 1.0):
        hatch = box((0.0, -0.7, 0.0), (0.07, 0.7, 1.6), Material.BOARDS)
        parts.append(moved(hatch, (0.0, side * y, wall_m - 0.2), side * np.pi / 2))
    for along in np.arange(-y + 3.0, y - 2.0, 3.4):
        if abs(along) > 3.0:
            pane = quad(
                (0.05, -0.6, -0.4), (0.05, 0.6, -0.4), (0.05, 0.6, 0.4), (0.05, -0.6, 0.4), material=Material.GLASS
            )
            parts.append(moved(pane, (x, along, 2.2)))
    return joined(parts)


def barn_roof(deep_m: float, long_m: float, wall_m: float, rise_m: float, material: Material) -> Mesh:
    """Its slopes, of shingles or ribbed sheets."""
    over = 0.6
    drop = rise_m * over / (deep_m / 2)
    slab = houses.roof_slab(deep_m / 2 + over, long_m / 2 + over, wall_m - drop, rise_m + drop, hipped=False)
    return Mesh(
        slab.corners,
        slab.normals,
        slab.uv,
        np.where(slab.materials == Material.SHINGLES, int(material), slab.materials),
    )


@cache
def silo() -> Mesh:
    """A tower of sheet metal, 11 m high, with a ladder."""
    tower = cylinder((0, 0, -0.8), (0, 0, 11.0), (2.1, 2.1), Material.RIBBED, sides=16)
    rings = [
        cylinder((0, 0, up), (0, 0, up + 0.12), (2.15, 2.15), Material.METAL, sides=16) for up in (0.2, 3.7, 7.2, 10.7)
    ]
    sides = [box((2.15, y - 0.03, 0.3), (2.22, y + 0.03, 11.2), Material.METAL) for y in (-0.25, 0.25)]
    return joined([tower, *rings, *sides])


@cache
def silo_roof() -> Mesh:
    """The dome of the silo."""
    steps = ((2.15, 11.0), (1.75, 11.75), (1.0, 12.3), (0.15, 12.5))
    return joined(
        [
            cylinder((0, 0, z0), (0, 0, z1), (r0, r1), Material.RIBBED, sides=16)
            for (r0, z0), (r1, z1) in pairwise(steps)
        ]
    )


def _wheel(x: float, y: float, radius: float, wide: float) -> Mesh:
    inner, outer = (y - wide / 2, y + wide / 2) if y > 0 else (y + wide / 2, y - wide / 2)
    ends, radii = ((x, inner, radius), (x, outer, radius)), (radius, radius)
    tyre = [cylinder(*pair, radii, Material.RUBBER, sides=14, cap=True) for pair in (ends, ends[::-1])]
    hub = cylinder(
        (x, inner, radius), (x, outer * 1.01, radius), (0.5 * radius, 0.45 * radius), Material.PAINT, sides=8, cap=True
    )
    return joined([*tyre, hub])


@cache
def tractor() -> Mesh:
    """A tractor of 4 m with a cab."""
    parts = [_wheel(-0.75, y, 0.85, 0.5) for y in (-0.82, 0.82)] + [_wheel(1.25, y, 0.5, 0.34) for y in (-0.72, 0.72)]
    parts.append(box((-0.2, -0.38, 0.75), (1.85, 0.38, 1.55), Material.PAINT, bottom=True))
    parts.append(box((1.85, -0.33, 0.85), (1.9, 0.33, 1.5), Material.RUBBER))
    parts.append(box((-1.3, -0.62, 0.95), (-0.1, 0.62, 1.3), Material.PAINT, bottom=True))
    for side in (-1.0, 1.0):
        parts.append(box((-1.45, side * 0.82 - 0.3, 1.72), (-0.1, side * 0.82 + 0.3, 1.8), Material.PAINT, bottom=True))
    parts.append(box((-1.25, -0.6, 1.3), (-0.1, 0.6, 2.45), Material.GLASS))
    parts.append(box((-1.4, -0.7, 2.45), (0.05, 0.7, 2.6), Material.PAINT, bottom=True))
    parts.append(cylinder((0.9, 0.25, 1.5), (0.9, 0.25, 2.4), (0.05, 0.05), Material.RUBBER, sides=6))
    parts.append(cylinder((-1.5, 0, 0.6), (1.6, 0, 0.6), (0.22, 0.22), Material.RUBBER, sides=6, cap=True))
    return joined(parts)


@cache
def trailer() -> Mesh:
    """A trailer of 4.6 m with a drawbar."""
    parts = [_wheel(x, y, 0.45, 0.26) for x in (-1.3, 0.6) for y in (-0.85, 0.85)]
    parts.append(box((-2.2, -1.1, 0.8), (1.6, 1.1, 0.95), Material.BOARDS, bottom=True))
    for y in (-1.1, 1.05):
        parts.append(box((-2.2, y, 0.95), (1.6, y + 0.05, 1.5), Material.PAINT))
    for x in (-2.2, 1.55):
        parts.append(box((x, -1.1, 0.95), (x + 0.05, 1.1, 1.5), Material.PAINT))
    parts.append(cylinder((1.6, 0, 0.75), (2.9, 0, 0.55), (0.06, 0.05), Material.RUBBER, sides=5))
    return joined(parts)


@cache
def hay_load() -> Mesh:
    """What lies on a trailer: the same frame."""
    return box((-2.1, -1.0, 0.95), (1.5, 1.0, 2.1), Material.GRAIN, tile_m=12.0)


def trough() -> Mesh:
    """A stone trough for the cattle."""
    body = box((-0.9, -0.35, -0.1), (0.9, 0.35, 0.55), Material.CONCRETE, tile_m=1.5)
    water = quad(
        (-0.8, -0.26, 0.56), (0.8, -0.26, 0.56), (0.8, 0.26, 0.56), (-0.8, 0.26, 0.56), material=Material.GLASS
    )
    return joined([body, water])
