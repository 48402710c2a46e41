"""What colour is it? Deferred shading in numba: every distinct triangle of a pixel is lit once, eight at a time.

A row's samples are sorted into those of leaf cards, of solid things and of the sky, so that the eight of a block go the
same way through the code; a pixel adds up what its samples became.

Light: sun with a filtered shadow map, sky and ground as two colours darkened by ambient occlusion, reflections of the
sky, haze. Colours are linear RGB until the tone curve.

One long file on purpose: numba's cache would not notice a change in a second one (see compiling.py).
"""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math
from typing import NamedTuple

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece
from airsim_seg.builtin.rendering.lanes import (
    LANES,
    all_of,
    any_of,
    columns,
    floats,
    fours,
    gather,
    ints,
    lane,
    lane_numbers,
    load,
    pairs,
    store,
    store_threes,
    taps,
    truncated,
    unzipped,
    where,
)
from airsim_seg.types import Float32Array, Int32Array, Int64Array, UInt32Array

at = np.uint64  # a signed index is first tested for being negative, which every look-up would pay for
f32 = np.float32  # a bare literal is a double and would make the arithmetic around it double, and slower
BAND_ROWS = 8
PATCH_TILE_M = 64.0
COVER_TILE_M = 23.0  # snow, water and leaves lie in smaller patches
LEAF_M = 0.09
WET_REFLECTANCE = np.float32(0.045)  # water in front of the eye and a rough road under it
WATER_BELOW = f32(0.048)  # the reflectance of pools and lakes is below this, that of paint and glass above


FACE_SIZE = 24
TEXTURE_SIZE = 256  # of textures.py
LEAVES, SOLID, SKY = 0, 1, 2


class Hits(NamedTuple):
    """What raster.fill left: seen int32 and nearness float32 [H*S,W*S], records float32 [R,16]."""

    seen: Int32Array
    nearness: Float32Array
    records: Float32Array


class Eye(NamedTuple):
    """The camera: S samples a side of a pixel, rays float32 [3,3] of camera.ray_matrix, origin_m float32 [3], NED."""

    samples: int
    rays: Float32Array
    origin_m: Float32Array
    focal_px: np.float32


class Surfaces(NamedTuple):
    """The scene's triangles: faces float32 [T,24].

    A face is all that shading has to know of a triangle in one row: three normals, three pairs of texture coordinates,
    texels a metre, material, and the colour (red, green, blue) that its texture is multiplied with. Of leaf cards the
    last four are the light that light_foliage found, of other things reflectance and patchiness.
    """

    faces: Float32Array


class Skins(NamedTuple):
    """What the materials look like: textures.paint_all, and a noise map of stains as smooth_table makes it."""

    textures: UInt32Array
    patches: Float32Array


class Light(NamedTuple):
    """The light of a still world.

    sun_direction, sun, ambient, bounce, haze float32 [3]; haze_per_m; shadow_map float32 [N,N], shadow_matrix
    float64 [3,4] (world -> column, row, nearness), shadow_shift (how much farther a surface must be behind its own
    shadow than with texels of 0.1 m, at least 1); heights float32 [M,M,4], smooth_table of metres up, blurred, over
    [-heights_extent_m, +heights_extent_m]; sky float32 [S,S,4] with sky_scale = texels a unit; wet, snow and litter
    0..1 on what faces up.
    """

    sun_direction: Float32Array
    sun: Float32Array
    ambient: Float32Array
    bounce: Float32Array
    haze: Float32Array
    haze_per_m: np.float32
    shadow_map: Float32Array
    shadow_matrix: Float32Array
    shadow_shift: np.float32
    heights: Float32Array
    heights_extent_m: np.float32
    sky: Float32Array
    sky_scale: np.float32
    wet: np.float32
    snow: np.float32
    litter: np.float32


class Jobs(NamedTuple):
    """A row's samples that are to be shaded, by kind, and what their pixels add up to; every thread has its own.

    who and code int32 [3,4W+8]: record, and pixel * 32 + corner * 8 + quarters of the pixel; counts int64 [3]; sums
    float32 [3,W+8], red, green and blue; block float32 [3,8], room for one block.
    """

    who: Int32Array
    code: Int32Array
    counts: Int64Array
    sums: Float32Array
    block: Float32Array


@inline
def _floor(x):
    whole = truncated(x)
    return whole - where(x < floats(whole), ints(1), 0)


@inline
def _sine(x):
    """Two parabolas, better by a third: off by 0.001, and no call into a library."""
    turns = x * (0.5 / math.pi)
    x = (turns - floats(_floor(turns + 0.5))) * 2.0  # -1..1 is -pi..pi
    y = 4.0 * x * (1.0 - abs(x))
    return y + 0.225 * (y * abs(y) - y)


@inline
def _level(footprint):
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
def _leaf(skins, material, u, v, level):
    """The nearest texel, linear RGB: leaves are smaller than pixels, and as random as an interpolation of them."""
    side = ints(TEXTURE_SIZE) >> level
    scale = floats(side)
    i, j = truncated(u * scale) & (side - 1), truncated(v * scale) & (side - 1)
    start = material * skins.textures.shape[1] + side * side
    return _squared(gather(skins.textures, start + j * (side + 1) + i), 1.0 / 255.0)


@inline
def _texture(skins, material, u, v, level):
    """Bilinear look-up; linear RGB."""
    side = ints(TEXTURE_SIZE) >> level
    scale = floats(side)
    x, y = u * scale - 0.5, v * scale - 0.5
    i, j = _floor(x), _floor(y)
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
def _smooth(table, row, column):
    """Bilinear look-up in a smooth_table."""
    side = np.int32(table.shape[0])
    mask = side - np.int32(1)
    i, j = _floor(row), _floor(column)
    y, x = row - floats(i), column - floats(j)
    here, right, below, across = fours(table, ((i & mask) * side + (j & mask)) * 4)
    upper, lower = here * (1.0 - x) + right * x, below * (1.0 - x) + across * x
    return upper * (1.0 - y) + lower * y


@inline
def _sunlit(light, px, py, pz, nx, ny, nz, facing):
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
def _openness(light, px, py, pz):
    """How much of the sky a point sees, 0..1: less where the blurred height of what stands around is above it."""
    side = f32(light.heights.shape[0])
    scale = side / (f32(2.0) * light.heights_extent_m)
    row, column = (px + light.heights_extent_m) * scale - 0.5, (py + light.heights_extent_m) * scale - 0.5
    last = side - f32(2.0)
    inside = (row >= 0.0) & (column >= 0.0) & (row <= last) & (column <= last)
    row, column = where(inside, row, 0.0), where(inside, column, 0.0)
    above = _smooth(light.heights, row, column) + pz  # heights are up, pz is down
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
            lit = _sunlit(light, x, y, z, zero, zero, zero, floats(1.0))
            for k in range(LANES):
                faces[rows[first + k], 20 + c] = lane(lit, k)
        free = _openness(light, north / 3.0, east / 3.0, down / 3.0)
        for k in range(LANES):
            faces[rows[first + k], 23] = lane(free, k)
        first = LANES * next_piece(counter)


@inline
def _sky(light, vx, vy, vz):
    """Colour of the sky in a unit direction (NED)."""
    scale = light.sky_scale / (1.0 + max(-vz, -0.15))
    size = np.int32(light.sky.shape[0])
    half, last = f32(size // 2), f32(size - np.int32(1))
    row, column = min(max(vx * scale + half, 0.0), last), min(max(vy * scale + half, 0.0), last)
    red, green, blue, _ = fours(light.sky, (truncated(row) * size + truncated(column)) * 4)
    return red, green, blue


@inline
def _reflect(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit):
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
    sr, sg, sb = _sky(light, rx, ry, rz)
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
    glint = glint * lit * 1.2
    keep = 1.0 - mirror
    there = base > 0.0
    return (
        where(there, r * keep + sr * mirror + glint, r),
        where(there, g * keep + sg * mirror + glint, g),
        where(there, b * keep + sb * mirror + glint, b),
    )


@inline
def _ray(eye, column, row):
    """The world ray of a sample, one metre long along the optical axis."""
    m = eye.rays
    return (
        m[0, 0] * column + m[0, 1] * row + m[0, 2],
        m[1, 0] * column + m[1, 1] * row + m[1, 2],
        m[2, 0] * column + m[2, 1] * row + m[2, 2],
    )


@inline
def _stained(skins, patchy, r, g, b, px, py):
    """Under the large patches that a surface has outdoors."""
    if any_of(patchy > 0.0):
        scale = f32(skins.patches.shape[0] / PATCH_TILE_M)
        stain = patchy * _smooth(skins.patches, px * scale, py * scale)
        r, g, b = r * (1.0 + stain), g * (1.0 + 0.75 * stain), b * (1.0 + 0.5 * stain)
    return r, g, b


@inline
def _covered(skins, light, r, g, b, px, py, up, leafy, pixel_m):
    """Albedo under leaves, water and snow, and how wet the place is: all lie in patches on what faces up.

    On leaves, which hang at any angle, lies snow alone, and little of it. pixel_m: how wide a pixel is there.
    """
    scale = f32(skins.patches.shape[0] / COVER_TILE_M)
    stain = 0.5 + 0.5 * _smooth(skins.patches, px * scale, py * scale)
    fine = 0.5 + 0.5 * _smooth(skins.patches, px * scale * 9.0, py * scale * 9.0)
    flat = min(max((up - 0.35) * 3.0, 0.0), 1.0)
    snow_on, flat = flat * (f32(0.55) if leafy else f32(1.0)), flat * (f32(0.0) if leafy else f32(1.0))
    # Leaves lie in cells of their own size; where a pixel holds many of them, it shows their share.
    share = light.litter * min(0.35 + 0.9 * stain, 1.0)
    mixed = (_floor(px * (1.0 / LEAF_M)) * 73856093) ^ (_floor(py * (1.0 / LEAF_M)) * 19349663)
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


@inline
def _shade(hits, eye, surfaces, skins, light, who, column, row, leafy):
    """Linear RGB of eight samples: of leaf cards all, or of other things all."""
    alike = all_of(who == lane(who, 0))  # one triangle, as on walls and roads
    a0, b0, c0, a1, b1, c1, a2, b2 = columns(hits.records, who, 0, alike)
    c2, _, _, _, triangle, left, top, _ = columns(hits.records, who, 8, alike)
    x, y, t = column - left, row - top, truncated(triangle)
    e0, e1, e2 = a0 * x + b0 * y + c0, a1 * x + b1 * y + c1, a2 * x + b2 * y + c2
    depth = 1.0 / (e0 + e1 + e2)
    e0, e1, e2 = e0 * depth, e1 * depth, e2 * depth
    nx0, ny0, nz0, nx1, ny1, nz1, nx2, ny2 = columns(surfaces.faces, t, 0, alike)
    nz2, u0, v0, u1, v1, u2, v2, density = columns(surfaces.faces, t, 8, alike)
    # The last four: a leaf's sun0, sun1, sun2 and dome, or what else is in Surfaces.
    kind, red, green, blue, k0, k1, k2, k3 = columns(surfaces.faces, t, 16, alike)
    nx, ny, nz = e0 * nx0 + e1 * nx1 + e2 * nx2, e0 * ny0 + e1 * ny1 + e2 * ny2, e0 * nz0 + e1 * nz1 + e2 * nz2
    u, v = e0 * u0 + e1 * u1 + e2 * u2, e0 * v0 + e1 * v1 + e2 * v2
    vx, vy, vz = _ray(eye, column, row)
    px, py, pz = eye.origin_m[0] + vx * depth, eye.origin_m[1] + vy * depth, eye.origin_m[2] + vz * depth
    long = math.sqrt(vx * vx + vy * vy + vz * vz)
    unit = 1.0 / long
    vx, vy, vz = vx * unit, vy * unit, vz * unit
    material = truncated(kind)
    slant = max(abs(nx * vx + ny * vy + nz * vz), 0.2)
    level = _level(depth * density / (eye.focal_px * math.sqrt(slant)))
    if leafy:
        r, g, b = _leaf(skins, material, u, v, level)
        mirror = floats(0.0)
    else:
        r, g, b = _texture(skins, material, u, v, level)
        r, g, b = _stained(skins, k1, r, g, b, px, py)
        mirror = k0
    r, g, b = r * red, g * green, b * blue
    wet = floats(0.0)
    water = (mirror > 0.0) & (mirror < WATER_BELOW)
    if light.wet + light.snow + light.litter > f32(0.0):
        up = where(water, floats(0.0), -nz)  # what falls on water sinks
        r, g, b, wet = _covered(skins, light, r, g, b, px, py, up, leafy, depth / eye.focal_px)

    s = light.sun_direction
    facing = nx * s[0] + ny * s[1] + nz * s[2]
    if leafy:
        # Light passes through a leaf, weaker than it leaves the lit side; leaves hide the sky from one another.
        facing = where(facing > 0.0, 0.2 + 0.8 * facing, 0.2 - 0.1 * facing)
        lit, free = e0 * k0 + e1 * k1 + e2 * k2, 0.5 * k3
    else:
        lit, free = floats(0.0), _openness(light, px, py, pz)
        if any_of(facing > 0.0):
            lit = where(facing > 0.0, _sunlit(light, px, py, pz, nx, ny, nz, facing), 0.0)
    direct = facing * lit
    sky, ground = (0.5 - 0.5 * nz) * free, (0.5 + 0.5 * nz) * free
    r = r * (direct * light.sun[0] + sky * light.ambient[0] + ground * light.bounce[0])
    g = g * (direct * light.sun[1] + sky * light.ambient[1] + ground * light.bounce[1])
    b = b * (direct * light.sun[2] + sky * light.ambient[2] + ground * light.bounce[2])
    base = max(mirror, WET_REFLECTANCE * wet)
    if any_of(base > 0.0):
        pool = (mirror > 0.0) & (mirror < 0.04)
        r, g, b = _reflect(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit)
    # exp(-x) as (1 - x/4)^4: off by 0.012 at 400 m and by 0.07 at most, and no call into a library.
    clear = 1.0 - 0.25 * min(depth * long * light.haze_per_m, 4.0)
    clear = clear * clear
    clear = clear * clear
    thick = 1.0 - clear
    return r * clear + light.haze[0] * thick, g * clear + light.haze[1] * thick, b * clear + light.haze[2] * thick


@inline
def _open_sky(light, eye, column, row):
    vx, vy, vz = _ray(eye, column, row)
    unit = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
    return _sky(light, vx * unit, vy * unit, vz * unit)


@inline
def _add(jobs, kind, who, x, corner, count):
    """One more sample to be shaded, worth `count` quarters of its pixel."""
    n = jobs.counts[kind]
    jobs.who[kind, n] = who
    jobs.code[kind, n] = (x << 5) | (corner << 3) | count
    jobs.counts[kind] = n + 1


@inline
def _kind(hits, who):
    """Of a record."""
    if who < 0:
        return SKY
    return LEAVES if int(hits.records[at(who), 15]) & 1 else SOLID


@inline
def _kinds(hits, who):
    """Kind and object of eight records."""
    nothing = who < 0
    label = truncated(gather(hits.records, where(nothing, 0, who) * np.int32(hits.records.shape[1]) + 15))
    return where(nothing, SKY, SOLID - (label & 1)), where(nothing, -1, label >> 1)


@inline
def _sort_pixel(hits, samples, x, y, jobs):
    """The samples of a pixel that are to be shaded: one for each triangle that it sees."""
    seen, row, column, other = hits.seen, y * samples, x * samples, samples - 1
    r0, r1 = seen[at(row), at(column)], seen[at(row), at(column + other)]
    r2, r3 = seen[at(row + other), at(column)], seen[at(row + other), at(column + other)]
    kind = _kind(hits, r0)
    if r0 == r1 and r0 == r2 and r0 == r3:
        _add(jobs, kind, r0, x, 0, 4)
        return
    for k in range(4):
        who = r0 if k == 0 else (r1 if k == 1 else (r2 if k == 2 else r3))
        if (k > 0 and who == r0) or (k > 1 and who == r1) or (k > 2 and who == r2):
            continue
        count = int(r0 == who) + int(r1 == who) + int(r2 == who) + int(r3 == who)
        _add(jobs, _kind(hits, who), who, x, k, count)


@inline
def _pixels(seen, samples, upper, lower):
    """What eight pixels see at their centres, and which of them see nothing else; upper, lower: their first samples."""
    who, below = load(seen, upper), load(seen, lower)
    if samples == 1:
        return who, who == below
    who, right = unzipped(who, load(seen, upper + LANES))
    below, across = unzipped(below, load(seen, lower + LANES))
    return who, (who == right) & (who == below) & (who == across)


@inline
def _sort_row(hits, samples, far_m, y, jobs, objects, depth_m):
    """Object and depth of every pixel of a row, and the samples to be shaded."""
    width, stride = objects.shape[1], hits.seen.shape[1]
    upper, lower = y * samples * stride, (y * samples + samples - 1) * stride
    for kind in range(3):
        jobs.counts[kind] = 0
    for x in range(0, width, LANES):
        if x + LANES > width:
            for rest in range(x, width):
                _sort_pixel(hits, samples, rest, y, jobs)
                who = hits.seen[at(y * samples), at(rest * samples)]
                objects[y, rest] = -1 if who < 0 else int(hits.records[at(who), 15]) >> 1
                near = hits.nearness[at(y * samples), at(rest * samples)]
                depth_m[y, rest] = f32(1.0) / near if near > f32(0.0) else far_m
            break
        column = x * samples
        near = gather(hits.nearness, lane_numbers() * np.int32(samples) + np.int32(upper + column))
        store(depth_m, y * width + x, where(near > 0.0, 1.0 / near, far_m))
        who, same = _pixels(hits.seen, samples, upper + column, lower + column)
        kinds, things = _kinds(hits, who)
        store(objects, y * width + x, things)
        kind = lane(kinds, 0)
        if all_of(same & (kinds == kind)):  # most pixels see one triangle, most neighbours things of a kind
            start, n = kind * jobs.who.shape[1], jobs.counts[kind]
            store(jobs.who, start + n, who)
            store(jobs.code, start + n, (lane_numbers() + np.int32(x)) * 32 + 4)
            jobs.counts[kind] = n + LANES
        else:
            for k in range(x, x + LANES):
                _sort_pixel(hits, samples, k, y, jobs)


@inline
def _shade_row(hits, eye, surfaces, skins, light, y, jobs, kind):
    """Shade the samples of a kind and add them to their pixels, eight at a time."""
    count = jobs.counts[kind]
    start = kind * jobs.who.shape[1]
    for k in range(LANES - 1):  # the last block is filled up with what is not added
        jobs.who[kind, count + k], jobs.code[kind, count + k] = jobs.who[kind, 0], 0
    for n in range(0, count, LANES):
        code = load(jobs.code, start + n)
        corner = code >> 3
        column = floats((code >> 5) * np.int32(eye.samples) + (corner & 1))
        row = floats(((corner >> 1) & 1) + np.int32(y * eye.samples))
        if kind == SKY:
            r, g, b = _open_sky(light, eye, column, row)
        else:
            who = load(jobs.who, start + n)
            r, g, b = _shade(hits, eye, surfaces, skins, light, who, column, row, kind == LEAVES)
        share = floats(code & 7) * 0.25
        r, g, b = r * share, g * share, b * share
        first = jobs.code[kind, n] >> 5
        width = jobs.sums.shape[1]
        if all_of((code >> 5) == first + lane_numbers()):  # neighbours, as most are
            store(jobs.sums, first, load(jobs.sums, first) + r)
            store(jobs.sums, width + first, load(jobs.sums, width + first) + g)
            store(jobs.sums, 2 * width + first, load(jobs.sums, 2 * width + first) + b)
        else:
            store(jobs.block, 0, r)
            store(jobs.block, LANES, g)
            store(jobs.block, 2 * LANES, b)
            for k in range(min(count - n, LANES)):
                x = at(jobs.code[kind, n + k] >> 5)
                jobs.sums[0, x] += jobs.block[0, k]
                jobs.sums[1, x] += jobs.block[1, k]
                jobs.sums[2, x] += jobs.block[2, k]


@inline
def _level_of(light, last):
    """Where in the tone curve a linear value is."""
    return truncated(min(max(light * 1024.0, 0.0), last))


@inline
def _tone_row(tone, y, sums, rgb):
    """From the sums of a row to its bytes."""
    width, row, last = rgb.shape[1], sums.shape[1], f32(len(tone) - 1)
    for x in range(0, width, LANES):
        red = gather(tone, _level_of(load(sums, x), last))
        green = gather(tone, _level_of(load(sums, row + x), last))
        blue = gather(tone, _level_of(load(sums, 2 * row + x), last))
        if x + LANES < width:
            store_threes(rgb, 3 * (y * width + x), red + green * 256 + blue * 65536)
            continue
        for k in range(width - x):
            rgb[y, x + k, 0], rgb[y, x + k, 1], rgb[y, x + k, 2] = lane(red, k), lane(green, k), lane(blue, k)


@kernel()
def resolve(counter, hits, eye, surfaces, skins, light, tone, far_m, rgb, objects, depth_m):
    """Turn records into colours, objects and depths.

    Args:
        counter: int64 [1], see Crew.
        hits: what every sample sees.
        eye: the camera.
        surfaces: of the scene.
        skins: of the materials.
        light: of the world.
        tone: uint8 [N], linear light * 1024 -> sRGB.
        far_m: the depth of nothing.
        rgb: uint8 [H,W,3] (out), mean of the samples.
        objects: int32 [H,W] (out), at the pixel's centre (sample 0), -1 for nothing.
        depth_m: float32 [H,W] (out), at the pixel's centre.
    """
    height, width = objects.shape
    jobs = Jobs(
        np.empty((3, 4 * width + LANES), np.int32),
        np.empty((3, 4 * width + LANES), np.int32),
        np.empty(3, np.int64),
        np.empty((3, width + LANES), np.float32),
        np.empty((3, LANES), np.float32),
    )
    bands = (height + BAND_ROWS - 1) // BAND_ROWS
    k = next_piece(counter)
    while k < bands:
        last = height - k * BAND_ROWS
        for y in range(max(last - BAND_ROWS, 0), last):
            _sort_row(hits, eye.samples, far_m, y, jobs, objects, depth_m)
            for x in range(jobs.sums.shape[1]):
                jobs.sums[0, x], jobs.sums[1, x], jobs.sums[2, x] = f32(0.0), f32(0.0), f32(0.0)
            for kind in range(3):  # one after the other, in one copy of the code: it takes seconds to compile
                _shade_row(hits, eye, surfaces, skins, light, y, jobs, kind)
            _tone_row(tone, y, jobs.sums, rgb)
        k = next_piece(counter)
