"""Boats, afloat at height 0, their bows along x."""

from functools import cache

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, quad
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_DRAUGHT_M = 0.35


def _outline(long_m: float, wide_m: float, up_m: float, *, sheer_m: float = 0.0, stern: float = 0.8) -> Float64Array:
    """float64 [N,3], a deck line from the bow over the port side, round the stern and back to starboard."""
    share = np.array((1.0, 0.72, 0.4, 0.0, -0.5, -1.0))
    half = 0.5 * wide_m * np.array((0.0, 0.52, 0.86, 1.0, 0.97, stern))
    rise = up_m + sheer_m * share.clip(0, 1) ** 2
    port = np.stack([share * long_m / 2, half, rise], 1)
    starboard = port[:0:-1] * (1, -1, 1)
    return np.concatenate([port, starboard])


def _skirt(low: Float64Array, high: Float64Array, material: Material) -> Mesh:
    """Faces between two closed lines of the same length, seen from outside where they run counter-clockwise."""
    a, b = low, np.roll(low, -1, 0)
    c, d = np.roll(high, -1, 0), high
    return flat(np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]), material, tile_m=2.0)


def _deck(line: Float64Array, material: Material) -> Mesh:
    """A lid on a closed line, fanned from its middle."""
    middle = np.array((0.0, 0.0, line[:, 2].mean()))
    after = np.roll(line, -1, 0)
    return flat(np.stack([np.broadcast_to(middle, line.shape), line, after], 1), material, tile_m=2.0)


@cache
def rowing_boat() -> Mesh:
    """An open wooden boat of 4.2 m with two thwarts and oars."""
    rim = _outline(4.2, 1.5, 0.42, sheer_m=0.25)
    keel = rim * (0.9, 0.62, 0.0) - (0.0, 0.0, _DRAUGHT_M)
    inner, floor = rim * (0.94, 0.88, 1.0), rim * (0.86, 0.62, 0.0) + (0.0, 0.0, 0.06)
    parts = [
        _skirt(keel, rim, Material.PAINT),
        _skirt(rim, inner, Material.BOARDS),
        _skirt(inner, floor, Material.WOOD),
        _deck(floor, Material.WOOD),
    ]
    for x in (-0.9, 0.3):
        parts.append(box((x - 0.13, -0.62, 0.26), (x + 0.13, 0.62, 0.31), Material.BOARDS, bottom=True))
    for side in (-1.0, 1.0):
        parts.append(
            cylinder((-1.3, side * 0.25, 0.36), (1.1, side * 0.45, 0.48), (0.035, 0.025), Material.BOARDS, sides=4)
        )
    return joined(parts)


@cache
def motor_boat() -> Mesh:
    """A runabout of 6 m with a cabin, a windscreen and an outboard engine."""
    rim = _outline(6.0, 2.2, 0.75, sheer_m=0.35, stern=0.92)
    keel = rim * (0.94, 0.72, 0.0) - (0.0, 0.0, _DRAUGHT_M)
    stripe = rim * (1.0, 1.01, 1.0) - (0.0, 0.0, 0.16)
    parts = [_skirt(keel, stripe, Material.PAINT), _skirt(stripe, rim, Material.TRIM), _deck(rim, Material.BOARDS)]
    parts.append(box((-0.6, -0.72, 0.7), (1.5, 0.72, 1.15), Material.TRIM))
    parts.append(
        quad((1.5, -0.7, 1.15), (1.5, 0.7, 1.15), (0.9, 0.62, 1.75), (0.9, -0.62, 1.75), material=Material.GLASS)
    )
    for side in (-1.0, 1.0):
        a, b, c = (1.5, side * 0.7, 1.15), (-0.4, side * 0.7, 1.15), (0.9, side * 0.62, 1.75)
        parts.append(flat([(a, b, c) if side > 0 else (b, a, c)], Material.GLASS))
        parts.append(box((-2.2, side * 0.6 - 0.2, 0.74), (-0.9, side * 0.6 + 0.2, 1.05), Material.PAINT))
    parts.append(box((-3.3, -0.2, 0.3), (-2.9, 0.2, 1.35), Material.RUBBER))
    return joined(parts)


@cache
def sailing_boat(sails: bool) -> Mesh:
    """A yacht of 7.5 m; her sails up, or furled on the boom."""
    rim = _outline(7.5, 2.5, 0.8, sheer_m=0.35, stern=0.7)
    keel = rim * (0.86, 0.6, 0.0) - (0.0, 0.0, _DRAUGHT_M)
    parts = [_skirt(keel, rim, Material.PAINT), _deck(rim, Material.BOARDS)]
    parts.append(box((-0.6, -0.75, 0.78), (2.0, 0.75, 1.2), Material.TRIM))
    for side in (-1.0, 1.0):
        y = side * 0.76
        pane = [(-0.3, y, 0.92), (1.6, y, 0.92), (1.5, y, 1.1), (-0.2, y, 1.1)]
        parts.append(quad(*(pane[::-1] if side > 0 else pane), material=Material.GLASS))
    mast, boom = 9.2, 1.7
    parts.append(cylinder((0.6, 0, 0.8), (0.6, 0, mast), (0.07, 0.045), Material.METAL, sides=6))
    parts.append(cylinder((0.6, 0, boom), (-2.8, 0.12, boom), (0.05, 0.05), Material.METAL, sides=5))
    for end in ((3.7, 0.0, 1.15), (-3.6, 0.0, 0.85), (0.4, 1.2, 0.85), (0.4, -1.2, 0.85)):
        parts.append(cylinder(end, (0.6, 0, mast), (0.012, 0.012), Material.RUBBER, sides=3))
    if sails:
        parts.append(_sail([(0.5, 0.0, boom + 0.1), (-2.7, 0.3, boom + 0.15), (0.5, 0.0, mast - 0.3)]))
        parts.append(_sail([(3.6, 0.0, 1.25), (0.9, 0.45, 1.35), (0.7, 0.0, mast - 1.2)]))
    else:
        parts.append(cylinder((0.5, 0, boom + 0.12), (-2.7, 0.12, boom + 0.12), (0.14, 0.09), Material.PAINT, sides=6))
    return joined(parts)


def _sail(corners: list[tuple[float, float, float]]) -> Mesh:
    """Both sides of a sail, a hand apart so that neither hides the other."""
    a, b, c = (np.array(p) for p in corners)
    thick = np.array((0.0, 0.02, 0.0))
    return flat([(a + thick, c + thick, b + thick), (a, b, c)], Material.PLASTER, tile_m=3.0)


@cache
def buoy() -> Mesh:
    """A mooring buoy."""
    low = cylinder((0, 0, -0.2), (0, 0, 0.15), (0.18, 0.3), Material.PAINT, sides=8)
    return joined([low, cylinder((0, 0, 0.15), (0, 0, 0.42), (0.3, 0.1), Material.PAINT, sides=8, cap=True)])


def jetty(long_m: float, wide_m: float, deck_up_m: float) -> Mesh:
    """A wooden landing stage from x = 0 to long_m, on piles; its height counts from the water."""
    half = wide_m / 2
    deck = box((0, -half, deck_up_m - 0.15), (long_m, half, deck_up_m), Material.WOOD, bottom=True, tile_m=2.5)
    piles = [
        cylinder(
            (x, side * half, -2.5), (x, side * half, deck_up_m + 0.55), (0.13, 0.12), Material.BARK, sides=6, cap=True
        )
        for x in np.arange(2.0, long_m, 3.0)
        for side in (-1.0, 1.0)
    ]
    return joined([deck, *piles])
