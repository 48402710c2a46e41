"""Traffic lights and road signs. Frames as in meshes.py: foot at the origin, front along x."""

from functools import cache

import numpy as np

from airsim_seg.builtin.environments.city_furniture import (
    AMBER_OFF,
    AMBER_ON,
    BLACK,
    GREEN_OFF,
    GREEN_ON,
    GREY,
    HOUSING,
    RED_OFF,
    RED_ON,
    SIGN_BLUE,
    SIGN_RED,
    SIGN_WHITE,
    disc,
    lettered,
    painted,
)
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, moved, quad
from airsim_seg.builtin.rendering.materials import Material


@cache
def traffic_light(lit: str) -> Mesh:
    """A post with three lamps that face along x, 3.9 m high, and a small one for those on foot.

    Args:
        lit: "red", "amber" or "green".
    """
    colours = {
        "red": (RED_ON, AMBER_OFF, GREEN_OFF),
        "amber": (RED_OFF, AMBER_ON, GREEN_OFF),
        "green": (RED_OFF, AMBER_OFF, GREEN_ON),
    }[lit]
    parts = [
        cylinder((0, 0, -0.2), (0, 0, 3.95), (0.075, 0.06), Material.METAL, sides=6),
        cylinder((0, 0, -0.05), (0, 0, 0.5), (0.13, 0.10), Material.METAL, sides=6, cap=True),
        painted(box((0.02, -0.30, 2.62), (0.06, 0.30, 3.98), Material.PAINT, bottom=True), HOUSING),
        painted(box((0.06, -0.17, 2.75), (0.24, 0.17, 3.85), Material.PAINT, bottom=True), HOUSING),
    ]
    for z, swatch in zip((3.63, 3.30, 2.97), colours, strict=True):
        parts.append(disc((0.245, 0.0, z), 0.13, swatch))
        hood = ((0.24, -0.15, z + 0.14), (0.42, -0.15, z + 0.12), (0.42, 0.15, z + 0.12), (0.24, 0.15, z + 0.14))
        parts += [painted(quad(*hood[::way], material=Material.PAINT), HOUSING) for way in (1, -1)]
    crossing = GREEN_ON if lit == "red" else RED_ON
    parts.append(painted(box((-0.13, -0.34, 2.15), (0.13, -0.08, 2.7), Material.PAINT, bottom=True), HOUSING))
    parts.append(
        moved(disc((0.345, 0.0, 2.55 if crossing == RED_ON else 2.3), 0.09, crossing, sides=8), (0, 0, 0), -np.pi / 2)
    )
    return joined(parts)


@cache
def round_sign(kind: str) -> Mesh:
    """A disc on a post, 2.7 m high, that faces along x: "no entry", "speed", "no parking" or "ahead"."""
    rim, face = {
        "no entry": (SIGN_RED, SIGN_RED), "speed": (SIGN_RED, SIGN_WHITE),
        "no parking": (SIGN_RED, SIGN_BLUE), "ahead": (SIGN_BLUE, SIGN_BLUE),
    }[kind]  # fmt: skip
    parts = [
        cylinder((0, 0, -0.2), (0, 0, 2.75), (0.045, 0.04), Material.METAL, sides=6),
        disc((0.055, 0, 2.35), 0.36, rim),
        disc((0.062, 0, 2.35), 0.28, face),
        moved(disc((0.05, 0, 2.35), 0.36, GREY), (0, 0, 0), np.pi),
    ]
    if kind == "no entry":
        parts.append(_plate(0.068, (-0.22, 2.30), (0.22, 2.40), SIGN_WHITE))
    elif kind == "speed":
        parts += [_plate(0.068, (y, 2.25), (y + 0.1, 2.45), BLACK) for y in (-0.13, 0.03)]
    elif kind == "no parking":
        bar = flat(np.array((((0.068, -0.24, 2.55), (0.068, 0.15, 2.11), (0.068, 0.24, 2.15)),)), Material.PAINT)
        parts.append(painted(bar, SIGN_RED))
    else:
        parts.append(_plate(0.068, (-0.05, 2.15), (0.05, 2.45), SIGN_WHITE))
        head = flat(np.array((((0.068, -0.14, 2.42), (0.068, 0.14, 2.42), (0.068, 0.0, 2.58)),)), Material.PAINT)
        parts.append(painted(head, SIGN_WHITE))
    return joined(parts)


def _plate(x: float, low: tuple[float, float], high: tuple[float, float], swatch: int) -> Mesh:
    (y0, z0), (y1, z1) = low, high
    return painted(quad((x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1), material=Material.PAINT), swatch)


@cache
def square_sign(swatch: int) -> Mesh:
    """A square board on a post: a car park, a one-way street, a zebra crossing."""
    post = cylinder((0, 0, -0.2), (0, 0, 2.6), (0.045, 0.04), Material.METAL, sides=6)
    board = painted(box((0.045, -0.32, 1.95), (0.065, 0.32, 2.6), Material.PAINT, bottom=True), swatch)
    mark = _plate(0.07, (-0.14, 2.1), (0.14, 2.45), SIGN_WHITE)
    return joined([post, board, mark])


@cache
def direction_board(column: int, row: int) -> Mesh:
    """A board with a place's name on two posts, 3.4 m high, facing along x."""
    posts = [cylinder((0, y, -0.2), (0, y, 3.3), (0.05, 0.045), Material.METAL, sides=6) for y in (-0.6, 0.6)]
    board = painted(box((0.05, -1.0, 2.6), (0.09, 1.0, 3.15), Material.PAINT, bottom=True), GREY)
    return joined([*posts, board, lettered((0.1, -0.97, 2.63), (0.1, 0.97, 3.12), column, row)])
