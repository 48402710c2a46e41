"""Streets and what stands along them. Frames as in meshes.py; x along the street."""

from functools import cache
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, moved, quad
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

ROAD_HALF_M = 5.0
KERB_M = 0.22
WALK_NEAR_M, WALK_FAR_M = 6.6, 8.2  # edges of the pavement, from the middle of the road
STRIP_HALF_M = WALK_FAR_M + 0.1  # of the whole strip of land that is the street's
ROAD_UP_M, VERGE_UP_M, WALK_UP_M = 0.03, 0.02, 0.09
_STEP_M = 20.0
POLE_M = 9.6
ARM_HEIGHTS_M = (9.1, 7.7)
_WIRE_OFFSETS_M = (-0.95, 0.95)


def carriageway(length_m: float, half_width_m: float) -> list[Mesh]:
    """Asphalt from x = 0 to length_m, in pieces that are culled apart."""
    edges = np.append(np.arange(0, length_m - 1e-6, _STEP_M), length_m)
    pieces = []
    for x0, x1 in pairwise(edges):
        y, z = half_width_m, ROAD_UP_M
        corners = ((x0, -y, z), (x1, -y, z), (x1, y, z), (x0, y, z))
        uv = np.array(corners)[:, :2] / 6.0
        pieces.append(flat([[corners[k] for k in t] for t in ((0, 1, 2), (0, 2, 3))], Material.ASPHALT,
                           uv=[[uv[k] for k in t] for t in ((0, 1, 2), (0, 2, 3))]))  # fmt: skip
    return pieces


def pavement(length_m: float, side: float) -> list[Mesh]:
    """Kerb and pavement along x = 0 to length_m on one side (+1 left, -1 right)."""
    kerb = sorted((side * ROAD_HALF_M, side * (ROAD_HALF_M + KERB_M)))
    walk = sorted((side * WALK_NEAR_M, side * WALK_FAR_M))
    edges = np.append(np.arange(0, length_m - 1e-6, _STEP_M), length_m)
    return [
        joined(
            [
                box((x0, kerb[0], -0.1), (x1, kerb[1], WALK_UP_M), Material.CONCRETE, tile_m=3.0),
                box((x0, walk[0], -0.1), (x1, walk[1], WALK_UP_M), Material.CONCRETE, tile_m=3.0),
            ]
        )
        for x0, x1 in pairwise(edges)
    ]


def verge(start_m: float, end_m: float, side: float) -> list[Mesh]:
    """The grass between kerb and pavement and a little beyond it, along x on one side (+1 left, -1 right)."""
    inner, outer = sorted((side * ROAD_HALF_M, side * STRIP_HALF_M))
    edges = np.append(np.arange(start_m, end_m - 1e-6, _STEP_M), end_m)
    return [
        quad(
            (x0, inner, VERGE_UP_M), (x1, inner, VERGE_UP_M), (x1, outer, VERGE_UP_M), (x0, outer, VERGE_UP_M),
            material=Material.GRASS, uv_scale=1 / 3.5,
        )
        for x0, x1 in pairwise(edges)
    ]  # fmt: skip


@cache
def pole() -> Mesh:
    """A wooden pole with two arms across y, insulators and a transformer."""
    parts = [cylinder((0, 0, -0.5), (0, 0, POLE_M), (0.17, 0.12), Material.BARK, sides=8, cap=True)]
    for height in ARM_HEIGHTS_M:
        parts.append(box((-0.07, -1.15, height - 0.08), (0.07, 1.15, height + 0.08), Material.BARK, bottom=True))
        for y in _WIRE_OFFSETS_M:
            parts.append(cylinder((0, y, height + 0.06), (0, y, height + 0.24), (0.05, 0.03), Material.METAL, sides=5))
    parts.append(cylinder((0.32, 0, 6.3), (0.32, 0, 7.2), (0.22, 0.22), Material.METAL, sides=8, cap=True))
    return joined(parts)


@cache
def wires(length_m: float) -> Mesh:
    """Four sagging wires from a pole at the origin to one at x = length_m."""
    at = np.linspace(0, 1, 9)
    sag = 0.55 * 4 * at * (1 - at)
    parts: list[Mesh] = []
    for height in ARM_HEIGHTS_M:
        for y in _WIRE_OFFSETS_M:
            points = np.stack([at * length_m, np.full_like(at, y), height + 0.22 - sag], 1)
            parts.extend(_wire(a, b) for a, b in pairwise(points))
    return joined(parts)


def _wire(a: Float64Array, b: Float64Array) -> Mesh:
    return cylinder(a, b, (0.014, 0.014), Material.RUBBER, sides=3)


@cache
def lantern() -> Mesh:
    """A street lamp: a post with an arm along x and a lamp head, 6.4 m high."""
    post = cylinder((0, 0, -0.3), (0, 0, 6.2), (0.11, 0.07), Material.METAL, sides=8)
    foot = cylinder((0, 0, -0.1), (0, 0, 0.6), (0.18, 0.14), Material.METAL, sides=8, cap=True)
    arm = cylinder((0, 0, 6.1), (1.7, 0, 6.5), (0.06, 0.05), Material.METAL, sides=6)
    head = box((1.5, -0.19, 6.38), (2.25, 0.19, 6.56), Material.METAL, bottom=True)
    glass = box((1.6, -0.15, 6.32), (2.2, 0.15, 6.38), Material.TRIM, bottom=True)
    return joined([post, foot, arm, head, glass])


_OCTAGON = tuple((float(np.cos(a)), float(np.sin(a))) for a in (np.arange(8) + 0.5) * np.pi / 4)
_DIAMOND = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
_PLATE = ((0.8, -1.0), (0.8, 1.0), (-0.8, 1.0), (-0.8, -1.0))
SIGN_KINDS = ("stop", "warning", "limit")
_SIGN_SHAPE = {"stop": (_OCTAGON, 0.48), "warning": (_DIAMOND, 0.58), "limit": (_PLATE, 0.46)}
SIGN_TINTS = {"stop": (0.55, 0.02, 0.02), "warning": (0.85, 0.50, 0.02), "limit": (0.85, 0.85, 0.85)}


@cache
def sign(kind: str) -> Mesh:
    """A sign that faces along x, its board 2.6 m up: "stop", "warning" or "limit"."""
    outline, radius = _SIGN_SHAPE[kind]
    post = cylinder((0, 0, -0.3), (0, 0, 2.95), (0.055, 0.05), Material.RUBBER, sides=6)
    rim = _board(outline, radius, 0.075, Material.TRIM)
    face = _board(outline, radius * 0.88, 0.082, Material.PAINT)
    back = moved(_board(outline, radius, 0.05, Material.METAL), (0.0, 0.0, 0.0), np.pi)
    return joined([post, rim, face, back])


def _board(outline: tuple[tuple[float, float], ...], radius: float, x: float, material: Material) -> Mesh:
    """A flat board at x that faces +x; outline in (up, sideways), times its radius."""
    ring = np.array([(x, sideways * radius, 2.6 + up * radius) for up, sideways in outline])
    if np.cross(ring[1] - ring[0], ring[2] - ring[0])[0] < 0:
        ring = ring[::-1]
    return flat([(ring[0], ring[k], ring[k + 1]) for k in range(1, len(ring) - 1)], material)


@cache
def name_plates() -> Mesh:
    """Two street-name blades on a post at a crossing."""
    post = cylinder((0, 0, -0.3), (0, 0, 3.1), (0.05, 0.045), Material.METAL, sides=6)
    along = box((-0.55, -0.02, 2.75), (0.55, 0.02, 2.98), Material.PAINT, bottom=True)
    across = box((-0.02, -0.55, 3.0), (0.02, 0.55, 3.23), Material.PAINT, bottom=True)
    return joined([post, along, across])


def driveway(length_m: float, width_m: float) -> Mesh:
    """A concrete slab from x = 0 to length_m, centred on y = 0."""
    y = width_m / 2
    z = 0.055
    return quad((0, -y, z), (length_m, -y, z), (length_m, y, z), (0, y, z), material=Material.CONCRETE)
