"""Masks of the see-through materials, and the leaf sprites that their textures share.

A leaf card is one triangle with texture corners (0, 0), (1, 0) and (0.5, 1); the sprite lies inside it.
"""

import numpy as np

from airsim_seg.builtin.rendering.materials import Cutout
from airsim_seg.types import BoolArray, Float64Array

MASK_SIZE = 128


def masks(seed: int) -> BoolArray:
    """bool [K,128,128], row = v, column = u, True where the surface is; one a Cutout, in its order."""
    painted = {
        Cutout.LEAVES: leaf_sprite(MASK_SIZE, seed)[0],
        Cutout.NEEDLES: needle_sprite(MASK_SIZE)[0],
        Cutout.PICKETS: picket_sprite(MASK_SIZE),
        Cutout.RAILINGS: railing_sprite(MASK_SIZE),
        Cutout.WIRE_MESH: wire_sprite(MASK_SIZE),
    }
    return np.stack([painted[cutout] for cutout in Cutout])


def _grid(size: int) -> tuple[Float64Array, Float64Array]:
    centre = (np.arange(size) + 0.5) / size
    u, v = np.meshgrid(centre, centre)
    return u, v


def _inside_triangle(u: Float64Array, v: Float64Array) -> BoolArray:
    margin = 0.015
    inside: BoolArray = (v > margin) & (v < 2 * u - 3 * margin) & (v < 2 * (1 - u) - 3 * margin)
    return inside


def leaf_sprite(size: int, seed: int) -> tuple[BoolArray, Float64Array]:
    """A handful of pointed leaves: mask [size,size] and brightness [size,size] about 1."""
    rng = np.random.default_rng(seed)
    u, v = _grid(size)
    mask = np.zeros((size, size), bool)
    shade = np.ones((size, size))
    placed = 0
    while placed < 26:
        cu, cv = rng.uniform(0.08, 0.92), rng.uniform(0.06, 0.85)
        if not _inside_triangle(np.array([cu]), np.array([cv]))[0]:
            continue
        angle = rng.uniform(0, np.pi)
        along = (u - cu) * np.cos(angle) + (v - cv) * np.sin(angle)
        across = (v - cv) * np.cos(angle) - (u - cu) * np.sin(angle)
        length, width = rng.uniform(0.075, 0.12), rng.uniform(0.035, 0.055)
        leaf = np.abs(across) / width + (along / length) ** 2 < 1
        vein = 1 - 0.25 * np.exp(-((across / (0.12 * width)) ** 2))
        shade[leaf] = (rng.uniform(0.6, 1.35) * vein)[leaf]
        mask |= leaf
        placed += 1
    return mask & _inside_triangle(u, v), shade


def needle_sprite(size: int) -> tuple[BoolArray, Float64Array]:
    """A drooping fir branch from the base (v = 0) to the tip: mask and brightness [size,size]."""
    u, v = _grid(size)
    off = np.abs(u - 0.5)
    reach = 0.46 * (1 - v) * (0.72 + 0.28 * np.sin(v * 40)) + 0.01
    comb = np.sin((v - 0.55 * off) * 2 * np.pi * 15)
    mask = (off < reach) & ((comb > -0.45) | (off < 0.03))
    shade = 0.75 + 0.35 * comb + 0.5 * off
    return mask & _inside_triangle(u, v), shade


def picket_sprite(size: int) -> BoolArray:
    """Four pointed pickets and two rails, u along the fence and v upwards: one metre of picket fence."""
    u, v = _grid(size)
    across = np.abs((u * 4) % 1.0 - 0.5)
    picket = (across < 0.29) & (v < 0.97 - 0.35 * across)
    rail = (np.abs(v - 0.24) < 0.05) | (np.abs(v - 0.7) < 0.05)
    result: BoolArray = picket | rail
    return result


def railing_sprite(size: int) -> BoolArray:
    """Eight iron bars with points and two rails: one metre of railings, u along and v upwards."""
    u, v = _grid(size)
    across = np.abs((u * 8) % 1.0 - 0.5)
    bar = (across < 0.13) & (v < 0.97)
    point = (across < 0.26) & (v > 0.86) & (v < 0.97)
    rail = (np.abs(v - 0.10) < 0.025) | (np.abs(v - 0.80) < 0.025)
    result: BoolArray = bar | point | rail
    return result


def wire_sprite(size: int) -> BoolArray:
    """Diagonal wires: one metre of mesh fence, u along and v upwards."""
    u, v = _grid(size)
    wires = np.minimum(np.abs((8 * (u + v)) % 1.0 - 0.5), np.abs((8 * (u - v)) % 1.0 - 0.5)) < 0.07
    result: BoolArray = wires | (np.abs(v - 0.97) < 0.02)
    return result
