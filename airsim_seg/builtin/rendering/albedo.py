"""What colour is the surface itself? Textures, stains and what has fallen on it: linear RGB, eight samples at once."""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline
from airsim_seg.builtin.rendering.lane_memory import fours, gather, pairs
from airsim_seg.builtin.rendering.lanes import any_of, floats, ints, truncated, where
from airsim_seg.types import Float32Array

f32 = np.float32  # a bare literal is a double and would make the arithmetic around it double, and slower
PATCH_TILE_M = 64.0
COVER_TILE_M = 23.0  # snow, water and leaves lie in smaller patches
LEAF_M = 0.09
TEXTURE_SIZE = 256  # of textures.py


@inline
def floor_of(x):
    whole = truncated(x)
    return whole - where(x < floats(whole), ints(1), 0)


@inline
def level_of(footprint):
    """The pyramid level whose texels are about a pixel wide."""
    level, texels = ints(0), floats(1.7)
    for _ in range(6):
        level = level + where(footprint > texels, ints(1), 0)
        texels = texels + texels
    return level


@inline
def _squared(texel, scale):
    """Linear RGB of packed bytes, whose square roots they are."""
    red, green, blue = floats(texel & 255), floats((texel >> 8) & 255), floats((texel >> 16) & 255)
    red, green, blue = red * scale, green * scale, blue * scale
    return red * red, green * green, blue * blue


@inline
def leaf(skins, material, u, v, level):
    """The nearest texel, linear RGB: leaves are smaller than pixels, and as random as an interpolation of them."""
    side = ints(TEXTURE_SIZE) >> level
    scale = floats(side)
    i, j = truncated(u * scale) & (side - 1), truncated(v * scale) & (side - 1)
    start = material * skins.textures.shape[1] + side * side
    return _squared(gather(skins.textures, start + j * (side + 1) + i), 1.0 / 255.0)


@inline
def texture(skins, material, u, v, level):
    """Bilinear look-up; linear RGB."""
    side = ints(TEXTURE_SIZE) >> level
    scale = floats(side)
    x, y = u * scale - 0.5, v * scale - 0.5
    i, j = floor_of(x), floor_of(y)
    part_x, part_y = truncated((x - floats(i)) * 256.0), truncated((y - floats(j)) * 256.0)
    mask = side - 1
    first = material * skins.textures.shape[1] + side * side + (i & mask)
    t00, t10 = pairs(skins.textures, first + (j & mask) * (side + 1))
    t01, t11 = pairs(skins.textures, first + ((j + 1) & mask) * (side + 1))
    # Four texels of three bytes times four weights that add up to 256, red and blue in one multiplication.
    w11 = (part_x * part_y) >> 8
    w10, w01 = part_x - w11, part_y - w11
    w00 = 256 - part_x - w01
    odd, even = 0xFF00FF, 0x00FF00
    rb = (t00 & odd) * w00 + (t10 & odd) * w10 + (t01 & odd) * w01 + (t11 & odd) * w11
    g = (t00 & even) * w00 + (t10 & even) * w10 + (t01 & even) * w01 + (t11 & even) * w11
    k = 1.0 / (255.0 * 256.0)
    red, green, blue = floats(rb & 0xFFFF) * k, floats(g >> 8) * k, floats(rb >> 16) * k
    return red * red, green * green, blue * blue


def smooth_table(values: Float32Array) -> Float32Array:
    """What _smooth reads of a repeating square map [N,N], N a power of two: [N,N,4], each with its three neighbours."""
    below = np.roll(values, -1, 0)
    return np.ascontiguousarray(np.stack([values, np.roll(values, -1, 1), below, np.roll(below, -1, 1)], -1))


@inline
def smooth(table, row, column):
    """Bilinear look-up in a smooth_table."""
    side = np.int32(table.shape[0])
    mask = side - np.int32(1)
    i, j = floor_of(row), floor_of(column)
    y, x = row - floats(i), column - floats(j)
    here, right, below, across = fours(table, ((i & mask) * side + (j & mask)) * 4)
    upper, lower = here * (1.0 - x) + right * x, below * (1.0 - x) + across * x
    return upper * (1.0 - y) + lower * y


@inline
def stained(skins, patchy, r, g, b, px, py):
    """Under the large patches that a surface has outdoors."""
    if any_of(patchy > 0.0):
        scale = f32(skins.patches.shape[0] / PATCH_TILE_M)
        stain = patchy * smooth(skins.patches, px * scale, py * scale)
        r, g, b = r * (1.0 + stain), g * (1.0 + 0.75 * stain), b * (1.0 + 0.5 * stain)
    return r, g, b


@inline
def covered(skins, light, r, g, b, px, py, up, leafy, pixel_m):
    """Albedo under leaves, water and snow, and how wet the place is: all lie in patches on what faces up.

    On leaves, which hang at any angle, lies snow alone, and little of it. pixel_m: how wide a pixel is there.
    """
    scale = f32(skins.patches.shape[0] / COVER_TILE_M)
    stain = 0.5 + 0.5 * smooth(skins.patches, px * scale, py * scale)
    fine = 0.5 + 0.5 * smooth(skins.patches, px * scale * 9.0, py * scale * 9.0)
    flat = min(max((up - 0.35) * 3.0, 0.0), 1.0)
    snow_on, flat = flat * (f32(0.55) if leafy else f32(1.0)), flat * (f32(0.0) if leafy else f32(1.0))
    # Leaves lie in cells of their own size; where a pixel holds many of them, it shows their share.
    share = light.litter * min(0.35 + 0.9 * stain, 1.0)
    mixed = (floor_of(px * (1.0 / LEAF_M)) * 73856093) ^ (floor_of(py * (1.0 / LEAF_M)) * 19349663)
    mixed = (mixed ^ (mixed >> 13)) * 1274126177
    chance = floats(((mixed ^ (mixed >> 16)) >> 5) & 1023) * (1.0 / 1023.0)
    near = min(LEAF_M / pixel_m, 1.0)
    leaves = flat * (share + (where(chance < share, floats(1.0), 0.0) - share) * near)
    hue = 0.5 + chance
    r, g, b = r + (0.20 * hue - r) * leaves, g + (0.085 * hue - g) * leaves, b + (0.02 - b) * leaves
    wet = flat * light.wet * min(0.55 + 0.9 * max(stain - 0.3, 0.0), 1.0)
    dark = 1.0 - 0.5 * wet
    r, g, b = r * dark, g * dark, b * dark
    rough = 0.6 * stain + 0.4 * fine
    snow = snow_on * min(max((light.snow * f32(1.5) - rough) * 5.0, 0.0), 1.0)
    r, g, b = r + (0.80 - r) * snow, g + (0.83 - g) * snow, b + (0.88 - b) * snow
    return r, g, b, wet * (1.0 - snow)
