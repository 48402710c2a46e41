"""Poles with wires, posts, lamps and signs beside roads. Things stand at the origin and look along x."""

from functools import cache
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, quad
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

POLE_M = 8.2
_ARM_UP_M = 7.7
_WIRE_LEFT_M = (-0.75, 0.0, 0.75)
_WIRE_RADIUS_M = 0.022  # a pixel wide from 20 m; a real one is half as thick
_SAG = 0.018  # of the distance between poles


@cache
def pole() -> Mesh:
    """A wooden pole with one arm across y and three insulators."""
    parts = [
        cylinder((0, 0, -0.8), (0, 0, POLE_M), (0.15, 0.10), Material.BARK, sides=7, cap=True),
        box((-0.06, -0.95, _ARM_UP_M - 0.07), (0.06, 0.95, _ARM_UP_M + 0.07), Material.BARK, bottom=True),
    ]
    for left in _WIRE_LEFT_M:
        foot = POLE_M if left == 0.0 else _ARM_UP_M + 0.07
        parts.append(cylinder((0, left, foot), (0, left, foot + 0.2), (0.05, 0.03), Material.TRIM, sides=5))
    return joined(parts)


def hooks_m(foot_m: Float64Array, turn_rad: float) -> Float64Array:
    """float64 [3,3]: where the wires of a pole at foot_m [3] hang, for span."""
    left = np.array((-np.sin(turn_rad), np.cos(turn_rad), 0.0))
    ups = [POLE_M + 0.2 if offset == 0.0 else _ARM_UP_M + 0.27 for offset in _WIRE_LEFT_M]
    return np.array([foot_m + left * offset + (0, 0, up) for offset, up in zip(_WIRE_LEFT_M, ups, strict=True)])


def span(start_m: Float64Array, end_m: Float64Array) -> Mesh:
    """Sagging wires between hooks float64 [N,3] of two poles, in the coordinates of the hooks."""
    share = np.linspace(0, 1, 8)[:, None]
    parts: list[Mesh] = []
    for a, b in zip(start_m, end_m, strict=True):
        sag = 4 * share * (1 - share) * _SAG * np.linalg.norm(b - a)
        points = a + (b - a) * share - sag * (0.0, 0.0, 1.0)
        parts.extend(
            cylinder(p, q, (_WIRE_RADIUS_M, _WIRE_RADIUS_M), Material.RUBBER, sides=3) for p, q in pairwise(points)
        )
    return joined(parts)


@cache
def reflector_post() -> Mesh:
    """The white post with a black band and a reflector that stands beside country roads."""
    white = cylinder((0, 0, -0.2), (0, 0, 1.0), (0.075, 0.06), Material.TRIM, sides=5, cap=True)
    band = cylinder((0, 0, 0.72), (0, 0, 0.9), (0.08, 0.08), Material.RUBBER, sides=5)
    eye = box((-0.085, -0.03, 0.76), (0.085, 0.03, 0.87), Material.PAINT)
    return joined([white, band, eye])


@cache
def lamp() -> Mesh:
    """A cast-iron lamp post, 4.2 m high, with a glazed head."""
    parts = [
        cylinder((0, 0, -0.3), (0, 0, 0.7), (0.16, 0.11), Material.METAL, sides=7),
        cylinder((0, 0, 0.6), (0, 0, 3.5), (0.06, 0.045), Material.METAL, sides=6),
        box((-0.3, -0.025, 3.1), (0.3, 0.025, 3.15), Material.METAL, bottom=True),
        cylinder((0, 0, 3.5), (0, 0, 4.0), (0.12, 0.2), Material.TRIM, sides=6),
        cylinder((0, 0, 4.0), (0, 0, 4.25), (0.27, 0.02), Material.METAL, sides=6),
    ]
    return joined(parts)


@cache
def guide_post(boards: int) -> Mesh:
    """A signpost whose boards point to both sides of y."""
    parts = [cylinder((0, 0, -0.3), (0, 0, 2.9), (0.06, 0.05), Material.BOARDS, sides=6)]
    for k in range(boards):
        side, up = (-1.0, 1.0)[k % 2], 2.65 - 0.3 * k
        low, tip = side * 0.06, side * 1.25
        outline = [
            (low, up),
            (tip - side * 0.15, up),
            (tip, up + 0.11),
            (tip - side * 0.15, up + 0.22),
            (low, up + 0.22),
        ]
        for x, ring in (
            (0.03, outline if side > 0 else outline[::-1]),
            (-0.03, outline[::-1] if side > 0 else outline),
        ):
            points = [(x, y, z) for y, z in ring]
            parts.append(flat([(points[0], points[j], points[j + 1]) for j in range(1, 4)], Material.PAINT))
    return joined(parts)


@cache
def village_sign() -> Mesh:
    """A wide yellow board on two posts that faces x."""
    posts = [cylinder((0, y, -0.3), (0, y, 1.9), (0.045, 0.045), Material.METAL, sides=6) for y in (-0.5, 0.5)]
    face = quad((0.05, -0.75, 1.2), (0.05, 0.75, 1.2), (0.05, 0.75, 1.95), (0.05, -0.75, 1.95), material=Material.PAINT)
    back = box((-0.05, -0.78, 1.17), (0.04, 0.78, 1.98), Material.METAL, bottom=True)
    return joined([*posts, face, back])


@cache
def chevrons() -> Mesh:
    """The red and white board at the outside of a sharp bend, faces x."""
    posts = [cylinder((0, y, -0.3), (0, y, 1.5), (0.045, 0.045), Material.METAL, sides=6) for y in (-0.6, 0.6)]
    board = box((-0.03, -0.9, 0.85), (0.03, 0.9, 1.45), Material.TRIM, bottom=True)
    arrows = [quad((0.04, y, 0.9), (0.04, y + 0.2, 0.9), (0.04, y + 0.2, 1.4), (0.04, y, 1.4), material=Material.PAINT)
              for y in (-0.8, -0.4, 0.0, 0.4)]  # fmt: skip
    return joined([*posts, board, *arrows])
