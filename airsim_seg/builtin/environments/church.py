"""A village church and a small lighthouse. Frames as in cottages.py."""

from functools import cache

import numpy as np

from airsim_seg.builtin.environments import houses
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, moved, quad
from airsim_seg.builtin.rendering.materials import Material

NAVE_DEEP_M, NAVE_WIDE_M, NAVE_UP_M, NAVE_RISE_M = 8.4, 16.0, 5.6, 5.6
TOWER_HALF_M, TOWER_UP_M, SPIRE_M = 2.5, 14.5, 9.5
_TOWER_Y_M = NAVE_WIDE_M / 2 + TOWER_HALF_M - 0.4


@cache
def church_walls(material: Material) -> Mesh:
    """Nave, tower and choir; the ridge along y, the tower at its left end."""
    x, y, top = NAVE_DEEP_M / 2, NAVE_WIDE_M / 2, NAVE_UP_M
    t, ty = TOWER_HALF_M, _TOWER_Y_M
    gable = [((x, -y, top), (0, -y, top + NAVE_RISE_M), (-x, -y, top)),
             ((-x, y, top), (0, y, top + NAVE_RISE_M), (x, y, top))]  # fmt: skip
    parts = [
        box((-x, -y, -1.5), (x, y, top), material, tile_m=2.0),
        flat(gable, material, tile_m=2.0),
        box((-t, ty - t, -1.5), (t, ty + t, TOWER_UP_M), material, tile_m=2.0),
        box((-2.4, -y - 3.4, -1.5), (2.4, -y, 4.2), material, tile_m=2.0),
    ]
    for along in np.linspace(-y + 2.2, y - 2.2, 5):
        for side, turn in ((x, 0.0), (-x, np.pi)):
            parts.append(moved(_arched(0.5, 1.5), (side, along, 2.9), turn))
    for turn, (px, py) in zip(np.arange(4) * np.pi / 2, ((t, ty), (0, ty + t), (-t, ty), (0, ty - t)), strict=True):
        parts.append(moved(_arched(0.55, 0.9), (px, py, TOWER_UP_M - 2.0), turn))
        parts.append(moved(_clock(), (px, py, TOWER_UP_M - 4.2), turn))
    parts.append(moved(box((0, -0.9, -1.0), (0.1, 0.9, 2.6), Material.WOOD, tile_m=2.0), (0.0, ty + t, 0.0), np.pi / 2))
    return joined(parts)


@cache
def _arched(half_m: float, half_high_m: float) -> Mesh:
    """A narrow window with a pointed top, in a frame of stone, facing x."""
    w, h = half_m, half_high_m
    rings = []
    for grow, x, material in ((0.16, 0.03, Material.CONCRETE), (0.0, 0.05, Material.GLASS)):
        a = w + grow
        points = [(x, -a, -h - grow), (x, a, -h - grow), (x, a, h - w), (x, 0.0, h + w + 1.4 * grow), (x, -a, h - w)]
        rings.append(flat([(points[0], points[k], points[k + 1]) for k in range(1, 4)], material))
    return joined(rings)


@cache
def _clock() -> Mesh:
    face = [
        (0.06, 0.8 * float(np.cos(a)), 0.8 * float(np.sin(a))) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ]
    disc = flat([(face[0], face[k], face[k + 1]) for k in range(1, 11)], Material.TRIM)
    x, half = 0.07, 0.05
    up = quad((x, -half, 0), (x, half, 0), (x, half, 0.62), (x, -half, 0.62), material=Material.RUBBER)
    aside = quad((x, 0, -half), (x, 0.45, -half), (x, 0.45, half), (x, 0, half), material=Material.RUBBER)
    return joined([disc, up, aside])


@cache
def church_roof() -> Mesh:
    """Steep roof of the nave, low one of the choir, the spire."""
    over = 0.35
    drop = NAVE_RISE_M * over / (NAVE_DEEP_M / 2)
    nave = houses.roof_slab(
        NAVE_DEEP_M / 2 + over, NAVE_WIDE_M / 2 + over, NAVE_UP_M - drop, NAVE_RISE_M + drop, hipped=False
    )
    choir = moved(houses.roof_slab(2.75, 2.1, 4.2, 2.6, hipped=True), (0.0, -NAVE_WIDE_M / 2 - 1.7, 0.0))
    t, low, high = TOWER_HALF_M + 0.3, TOWER_UP_M, TOWER_UP_M + SPIRE_M
    ring = [(t, -t), (t, t), (-t, t), (-t, -t)]
    tip = (0.0, _TOWER_Y_M, high)
    faces = []
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        faces.append(((ax, ay + _TOWER_Y_M, low), (bx, by + _TOWER_Y_M, low), tip))
    skirt = box((-t, _TOWER_Y_M - t, low - 0.2), (t, _TOWER_Y_M + t, low), Material.TRIM, bottom=True)
    rod = cylinder((0, _TOWER_Y_M, high - 0.3), (0, _TOWER_Y_M, high + 1.4), (0.06, 0.04), Material.METAL, sides=5)
    arm = box((-0.03, _TOWER_Y_M - 0.4, high + 0.8), (0.03, _TOWER_Y_M + 0.4, high + 0.9), Material.METAL, bottom=True)
    return joined([nave, choir, flat(faces, Material.SHINGLES, tile_m=3.0), skirt, rod, arm])


@cache
def lighthouse() -> Mesh:
    """A white tower of 9 m with two red bands, a gallery and a lantern room."""
    ups, radii = (-0.5, 2.5, 4.5, 6.5, 8.5), (1.9, 1.72, 1.6, 1.48, 1.36)
    parts = []
    for k in range(4):
        material = Material.PAINT if k in (1, 3) else Material.TRIM
        parts.append(cylinder((0, 0, ups[k]), (0, 0, ups[k + 1]), (radii[k], radii[k + 1]), material, sides=14))
    gallery = cylinder((0, 0, 8.3), (0, 0, 8.55), (1.3, 1.95), Material.CONCRETE, sides=14, cap=True)
    lantern = cylinder((0, 0, 8.5), (0, 0, 10.2), (0.9, 0.9), Material.GLASS, sides=8)
    door = box((1.55, -0.45, 0.0), (1.95, 0.45, 2.0), Material.WOOD)
    panes = [moved(box((1.2, -0.25, up), (radius + 0.04, 0.25, up + 0.7), Material.GLASS), (0, 0, 0), np.pi / 2)
             for up, radius in ((3.2, 1.68), (5.6, 1.54))]  # fmt: skip
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = 1.85 * np.stack([np.cos(turns), np.sin(turns)], 1)
    rail = [cylinder((x, y, 8.5), (x, y, 9.5), (0.03, 0.03), Material.METAL, sides=3) for x, y in ring]
    return joined([*parts, gallery, lantern, door, *panes, *rail])


@cache
def lantern_roof() -> Mesh:
    """The cap of the lighthouse."""
    cone = cylinder((0, 0, 10.2), (0, 0, 11.3), (1.1, 0.05), Material.SHINGLES, sides=8)
    ball = cylinder((0, 0, 11.2), (0, 0, 11.8), (0.12, 0.03), Material.METAL, sides=5)
    return joined([cone, ball])
