"""What light arrives, and from where? Sun and its shadows, the open sky, and what mirrors it."""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math

import numpy as np

from airsim_seg.builtin.rendering.albedo import floor_of, smooth
from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece
from airsim_seg.builtin.rendering.lane_memory import fours, gather, load, taps
from airsim_seg.builtin.rendering.lanes import LANES, any_of, floats, lane, truncated, where

f32 = np.float32  # a bare literal is a double and would make the arithmetic around it double, and slower
GLINT = f32(0.52)  # of the sunlight: enough to be white at noon, and none by night


@inline
def _sine(x):
    """Two parabolas, better by a third: off by 0.001, and no call into a library."""
    turns = x * (0.5 / math.pi)
    x = (turns - floats(floor_of(turns + 0.5))) * 2.0  # -1..1 is -pi..pi
    y = 4.0 * x * (1.0 - abs(x))
    return y + 0.225 * (y * abs(y) - y)


@inline
def sunlit(light, px, py, pz, nx, ny, nz, facing):
    """Share of the sun that arrives, 0..1: a 3x3 tent over the shadow map (16 comparisons)."""
    m = light.shadow_matrix
    shift = light.shadow_shift * (0.08 + 0.14 * (1.0 - facing))
    px, py, pz = px + nx * shift, py + ny * shift, pz + nz * shift
    x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + (m[0, 3] - f32(1.0))
    y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + (m[1, 3] - f32(1.0))
    nearness = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + (m[2, 3] + light.shadow_shift * f32(0.06))
    size = np.int32(light.shadow_map.shape[0])
    last = f32(size - np.int32(3))
    inside = (x >= 0.0) & (y >= 0.0) & (x < last) & (y < last)
    x, y = where(inside, x, 0.0), where(inside, y, 0.0)
    i, j = truncated(y), truncated(x)
    gx, gy = x - floats(j), y - floats(i)
    first, second, third, fourth = taps(light.shadow_map, i * size + j, nearness, 1.0 - gy, gy)
    total = first * (1.0 - gx) + second + third + fourth * gx
    return where(inside, total * (1.0 / 9.0), 1.0)


@inline
def openness(light, px, py, pz):
    """How much of the sky a point sees, 0..1: less where the blurred height of what stands around is above it."""
    side = f32(light.heights.shape[0])
    scale = side / (f32(2.0) * light.heights_extent_m)
    row, column = (px + light.heights_extent_m) * scale - 0.5, (py + light.heights_extent_m) * scale - 0.5
    last = side - f32(2.0)
    inside = (row >= 0.0) & (column >= 0.0) & (row <= last) & (column <= last)
    row, column = where(inside, row, 0.0), where(inside, column, 0.0)
    above = smooth(light.heights, row, column) + pz  # heights are up, pz is down
    return where(inside, 1.0 - 0.19 * min(max(above, 0.0), 4.8), 1.0)


@kernel()
def light_foliage(counter, corners, rows, light, faces):
    """Light the corners of leaf cards once: the world and its sun stand still, and cards are small.

    Args:
        counter: int64 [1], see Crew.
        corners: float32 [T,3,3], world NED.
        rows: int32 [N], the leaf cards, N a multiple of LANES.
        light: with its shadow map and heights.
        faces: float32 [T,24] (out): the sun at each corner in 20 to 22, the openness of the middle in 23.
    """
    first = LANES * next_piece(counter)
    while first < len(rows):
        t = load(rows, first)
        zero = floats(0.0)
        north, east, down = floats(0.0), floats(0.0), floats(0.0)
        for c in range(3):
            offset = t * 9 + 3 * c
            x, y, z = gather(corners, offset), gather(corners, offset + 1), gather(corners, offset + 2)
            north, east, down = north + x, east + y, down + z
            lit = sunlit(light, x, y, z, zero, zero, zero, floats(1.0))
            for k in range(LANES):
                faces[rows[first + k], 20 + c] = lane(lit, k)
        free = openness(light, north / 3.0, east / 3.0, down / 3.0)
        for k in range(LANES):
            faces[rows[first + k], 23] = lane(free, k)
        first = LANES * next_piece(counter)


@inline
def sky_at(light, vx, vy, vz):
    """Colour of the sky in a unit direction (NED)."""
    scale = light.sky_scale / (1.0 + max(-vz, -0.15))
    size = np.int32(light.sky.shape[0])
    half, last = f32(size // 2), f32(size - np.int32(1))
    row, column = min(max(vx * scale + half, 0.0), last), min(max(vy * scale + half, 0.0), last)
    red, green, blue, _ = fours(light.sky, (truncated(row) * size + truncated(column)) * 4)
    return red, green, blue


@inline
def reflected(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit):
    """Mix in the mirrored sky (Schlick's Fresnel) and a glint of the sun."""
    if any_of(pool):  # ripples
        wave = px * 5.0 + _sine(py * 3.0)
        nx = where(pool, 0.04 * _sine(wave + py * 2.0), nx)
        ny = where(pool, 0.04 * _sine(py * 6.0 - wave * 0.5), ny)
        nz = where(pool, -0.998, nz)
    facing = max(-(nx * vx + ny * vy + nz * vz), 0.0)
    rx, ry, rz = vx + 2.0 * facing * nx, vy + 2.0 * facing * ny, vz + 2.0 * facing * nz
    grazing = (1.0 - facing) * (1.0 - facing)
    mirror = base + (0.9 - base) * grazing * grazing * (1.0 - facing)
    sr, sg, sb = sky_at(light, rx, ry, rz)
    up = rz < 0.0
    haze = light.haze
    sr, sg, sb = (
        where(up, sr, haze[0] * f32(0.3)),
        where(up, sg, haze[1] * f32(0.3)),
        where(up, sb, haze[2] * f32(0.28)),
    )
    s = light.sun_direction
    glint = max(rx * s[0] + ry * s[1] + rz * s[2], 0.0)
    for _ in range(6):
        glint = glint * glint
    glint = glint * lit * GLINT
    keep = 1.0 - mirror
    there = base > 0.0
    return (
        where(there, r * keep + sr * mirror + glint * light.sun[0], r),
        where(there, g * keep + sg * mirror + glint * light.sun[1], g),
        where(there, b * keep + sb * mirror + glint * light.sun[2], b),
    )
