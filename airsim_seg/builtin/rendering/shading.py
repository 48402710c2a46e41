"""What colour is it? Deferred shading in numba: every distinct triangle of a pixel is lit once.

Light: sun with a filtered shadow map, sky and ground as two colours darkened by ambient occlusion, reflections of the
sky, haze. Colours are linear RGB until the tone curve.

One long file on purpose: numba's cache would not notice a change in a second one (see compiling.py).
"""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece
from airsim_seg.types import Float32Array, Int32Array, UInt8Array, UInt32Array

at = np.uint64  # a signed index is first tested for being negative, which every look-up would pay for
f32 = np.float32  # a bare literal is a double and would make the arithmetic around it double, and slower
BAND_ROWS = 8
PATCH_TILE_M = 64.0
COVER_TILE_M = 23.0  # snow, water and leaves lie in smaller patches
LEAF_M = 0.09
WET_REFLECTANCE = np.float32(0.045)  # water in front of the eye and a rough road under it


FACE_SIZE = 24


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
    """The scene's triangles: faces float32 [T,24], tints float32 [K,3] an object.

    A face is three normals, three pairs of texture coordinates, texels a metre, material, object and its own
    brightness in one row; for leaf cards also the light that light_foliage found and, last, how much warmer (towards
    autumn) than its tint the plant is.
    """

    faces: Float32Array
    tints: Float32Array


class Skins(NamedTuple):
    """What the materials look like: textures.paint_all, materials.material_table and a noise map of stains."""

    textures: UInt32Array
    levels: Int32Array
    tinted: UInt8Array
    foliage: UInt8Array
    reflectance: Float32Array
    patchiness: Float32Array
    patches: Float32Array


class Light(NamedTuple):
    """The light of a still world.

    sun_direction, sun, ambient, bounce, haze float32 [3]; haze_per_m; shadow_map float32 [N,N], shadow_matrix
    float64 [3,4] (world -> column, row, nearness), shadow_shift (how much farther a surface must be behind its own
    shadow than with texels of 0.1 m, at least 1); heights float32 [M,M], metres up, blurred, over
    [-heights_extent_m, +heights_extent_m]; sky float32 [S,S,3] with sky_scale = texels a unit; wet, snow and litter
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


@inline
def _floor(x):
    """math.floor of a single-precision number is a call into a library; this is three instructions."""
    whole = int(x)
    return whole - int(x < f32(whole))


@inline
def _level(footprint):
    """The pyramid level whose texels are about a pixel wide."""
    level, texels = 0, f32(1.7)
    for _ in range(6):  # counted, not searched for: a jump that nobody can predict costs more than all six
        level += int(footprint > texels)
        texels += texels
    return level


@inline
def _leaf(skins, material, u, v, level):
    """The nearest texel, linear RGB: leaves are smaller than pixels, and as random as an interpolation of them."""
    side = 256 >> level
    i, j = int(u * f32(side)) & (side - 1), int(v * f32(side)) & (side - 1)
    texel = skins.textures[material, at(skins.levels[at(level)] + j * side + i)]
    k = f32(1.0 / 255.0)
    red, green, blue = f32(texel & 0xFF) * k, f32((texel >> 8) & 0xFF) * k, f32((texel >> 16) & 0xFF) * k
    return red * red, green * green, blue * blue


@inline
def _texture(skins, material, u, v, level):
    """Bilinear look-up; linear RGB."""
    side = 256 >> level
    x, y = u * f32(side) - f32(0.5), v * f32(side) - f32(0.5)
    i, j = _floor(x), _floor(y)
    part_x, part_y = np.uint32((x - f32(i)) * f32(256.0)), np.uint32((y - f32(j)) * f32(256.0))
    mask = side - 1
    top = skins.levels[at(level)] + (j & mask) * side
    below = skins.levels[at(level)] + ((j + 1) & mask) * side
    left, right = i & mask, (i + 1) & mask
    # Four texels of three bytes times four weights that add up to 256, red and blue in one multiplication.
    w11 = np.uint32((part_x * part_y) >> np.uint32(8))
    w10, w01 = np.uint32(part_x - w11), np.uint32(part_y - w11)
    w00 = np.uint32(np.uint32(256) - part_x - w01)
    t = skins.textures
    t00, t10 = t[at(material), at(top + left)], t[at(material), at(top + right)]
    t01, t11 = t[at(material), at(below + left)], t[at(material), at(below + right)]
    odd, even = np.uint32(0xFF00FF), np.uint32(0x00FF00)
    rb = (t00 & odd) * w00 + (t10 & odd) * w10 + (t01 & odd) * w01 + (t11 & odd) * w11
    g = (t00 & even) * w00 + (t10 & even) * w10 + (t01 & even) * w01 + (t11 & even) * w11
    k = f32(1.0 / (255.0 * 256.0))
    red, green, blue = f32(rb & 0xFFFF) * k, f32(g >> 8) * k, f32((rb >> 16) & 0xFFFF) * k
    return red * red, green * green, blue * blue


@inline
def _smooth(table, row, column, mask):
    """Bilinear look-up in a repeating square map whose side is mask + 1."""
    i, j = _floor(row), _floor(column)
    y, x = row - f32(i), column - f32(j)
    i0, i1, j0, j1 = i & mask, (i + 1) & mask, j & mask, (j + 1) & mask
    upper = table[at(i0), at(j0)] * (f32(1.0) - x) + table[at(i0), at(j1)] * x
    lower = table[at(i1), at(j0)] * (f32(1.0) - x) + table[at(i1), at(j1)] * x
    return upper * (f32(1.0) - y) + lower * y


@inline
def _sunlit(light, px, py, pz, nx, ny, nz, facing):
    """Share of the sun that arrives, 0..1: a 3x3 tent over the shadow map (16 comparisons)."""
    m = light.shadow_matrix
    shift = light.shadow_shift * (f32(0.08) + f32(0.14) * (f32(1.0) - facing))
    px, py, pz = px + nx * shift, py + ny * shift, pz + nz * shift
    x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3] - f32(1.0)
    y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3] - f32(1.0)
    nearness = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3] + light.shadow_shift * f32(0.06)
    i, j = _floor(y), _floor(x)
    depths = light.shadow_map
    size = depths.shape[0]
    if i < 0 or j < 0 or i > size - 4 or j > size - 4:
        return f32(1.0)
    gx, gy = x - f32(j), y - f32(i)
    total = f32(0.0)
    for k in range(4):
        weight = f32(1.0) - gy if k == 0 else (gy if k == 3 else f32(1.0))
        part = (f32(1.0) - gx) if depths[at(i + k), at(j)] <= nearness else f32(0.0)
        part += f32(1.0) if depths[at(i + k), at(j + 1)] <= nearness else f32(0.0)
        part += f32(1.0) if depths[at(i + k), at(j + 2)] <= nearness else f32(0.0)
        part += gx if depths[at(i + k), at(j + 3)] <= nearness else f32(0.0)
        total += part * weight
    return total * f32(1.0 / 9.0)


@inline
def _openness(light, px, py, pz):
    """How much of the sky a point sees, 0..1: less where the blurred height of what stands around is above it."""
    side = light.heights.shape[0]
    scale = f32(side) / (f32(2.0) * light.heights_extent_m)
    row, column = (px + light.heights_extent_m) * scale - f32(0.5), (py + light.heights_extent_m) * scale - f32(0.5)
    if row < f32(0.0) or column < f32(0.0) or row > f32(side - 2) or column > f32(side - 2):
        return f32(1.0)
    above = _smooth(light.heights, row, column, side - 1) + pz  # heights are up, pz is down
    return f32(1.0) - f32(0.19) * min(max(above, f32(0.0)), f32(4.8))


@kernel(parallel=True)
def light_foliage(corners, rows, light, faces):
    """Light the corners of leaf cards once: the world and its sun stand still, and cards are small.

    Args:
        corners: float32 [T,3,3], world NED.
        rows: int64 [N], the leaf cards.
        light: with its shadow map and heights.
        faces: float32 [T,24] (out): the sun at each corner in 19 to 21, the openness of the middle in 22.
    """
    for k in prange(len(rows)):
        t = rows[k]
        north = (corners[t, 0, 0] + corners[t, 1, 0] + corners[t, 2, 0]) / f32(3.0)
        east = (corners[t, 0, 1] + corners[t, 1, 1] + corners[t, 2, 1]) / f32(3.0)
        down = (corners[t, 0, 2] + corners[t, 1, 2] + corners[t, 2, 2]) / f32(3.0)
        for c in range(3):
            faces[t, 19 + c] = _sunlit(
                light, corners[t, c, 0], corners[t, c, 1], corners[t, c, 2], f32(0.0), f32(0.0), f32(0.0), f32(1.0)
            )
        faces[t, 22] = _openness(light, north, east, down)


@inline
def _sky(light, vx, vy, vz):
    """Colour of the sky in a unit direction (NED)."""
    scale = light.sky_scale / (f32(1.0) + max(-vz, -f32(0.15)))
    half = light.sky.shape[0] // 2
    row = min(max(int(vx * scale + f32(half)), 0), light.sky.shape[0] - 1)
    column = min(max(int(vy * scale + f32(half)), 0), light.sky.shape[0] - 1)
    return light.sky[at(row), at(column), 0], light.sky[at(row), at(column), 1], light.sky[at(row), at(column), 2]


@inline
def _reflect(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit):
    """Mix in the mirrored sky (Schlick's Fresnel) and a glint of the sun."""
    if pool:  # ripples
        wave = px * f32(5.0) + math.sin(py * f32(3.0))
        nx, ny, nz = (
            f32(0.04) * math.sin(wave + py * f32(2.0)),
            f32(0.04) * math.sin(py * f32(6.0) - wave * f32(0.5)),
            -f32(0.998),
        )
    facing = max(-(nx * vx + ny * vy + nz * vz), f32(0.0))
    rx, ry, rz = vx + f32(2.0) * facing * nx, vy + f32(2.0) * facing * ny, vz + f32(2.0) * facing * nz
    grazing = (f32(1.0) - facing) * (f32(1.0) - facing)
    mirror = base + (f32(0.9) - base) * grazing * grazing * (f32(1.0) - facing)
    sr, sg, sb = light.haze[0] * f32(0.3), light.haze[1] * f32(0.3), light.haze[2] * f32(0.28)
    if rz < f32(0.0):
        sr, sg, sb = _sky(light, rx, ry, rz)
    s = light.sun_direction
    glint = max(rx * s[0] + ry * s[1] + rz * s[2], f32(0.0))
    glint *= glint
    glint *= glint
    glint *= glint
    glint *= glint
    glint *= glint
    glint = glint * glint * lit * f32(1.2)
    keep = f32(1.0) - mirror
    return r * keep + sr * mirror + glint, g * keep + sg * mirror + glint, b * keep + sb * mirror + glint


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
def _albedo(surfaces, skins, t, material, u, v, footprint, px, py):
    """Linear RGB of the surface itself."""
    level = _level(footprint)
    if skins.foliage[material]:
        r, g, b = _leaf(skins, material, u, v, level)
        own, warm = surfaces.faces[t, 18], surfaces.faces[t, 23]
        r, g, b = (
            r * own * (f32(1.0) + warm),
            g * own * (f32(1.0) + f32(0.2) * warm),
            b * own * (f32(1.0) - f32(0.4) * warm),
        )
    else:
        r, g, b = _texture(skins, material, u, v, level)
    if skins.tinted[material]:
        tints, k = surfaces.tints, at(surfaces.faces[t, 17])
        r, g, b = r * tints[k, 0], g * tints[k, 1], b * tints[k, 2]
    patchy = skins.patchiness[material]
    if patchy > f32(0.0):
        side = skins.patches.shape[0]
        scale = f32(side / PATCH_TILE_M)
        stain = patchy * _smooth(skins.patches, px * scale, py * scale, side - 1)
        r, g, b = r * (f32(1.0) + stain), g * (f32(1.0) + f32(0.75) * stain), b * (f32(1.0) + f32(0.5) * stain)
    return r, g, b


@inline
def _covered(skins, light, r, g, b, px, py, up, leafy, pixel_m):
    """Albedo under leaves, water and snow, and how wet the place is: all lie in patches on what faces up.

    On leaves, which hang at any angle, lies snow alone, and little of it. pixel_m: how wide a pixel is there.
    """
    side = skins.patches.shape[0]
    scale = f32(side / COVER_TILE_M)
    stain = f32(0.5) + f32(0.5) * _smooth(skins.patches, px * scale, py * scale, side - 1)
    fine = f32(0.5) + f32(0.5) * _smooth(skins.patches, px * scale * f32(9.0), py * scale * f32(9.0), side - 1)
    flat = min(max((up - f32(0.35)) * f32(3.0), f32(0.0)), f32(1.0))
    snow_on, flat = (f32(0.55) * flat, f32(0.0)) if leafy else (flat, flat)
    # Leaves lie in cells of their own size; where a pixel holds many of them, it shows their share.
    share = light.litter * min(f32(0.35) + f32(0.9) * stain, f32(1.0))
    i, j = _floor(px * f32(1.0 / LEAF_M)), _floor(py * f32(1.0 / LEAF_M))
    mixed = (np.int64(i) * np.int64(73856093)) ^ (np.int64(j) * np.int64(19349663))
    mixed = ((mixed ^ (mixed >> 13)) & np.int64(0xFFFFFFF)) * np.int64(1274126177)
    chance = f32((mixed ^ (mixed >> 16)) >> 5 & 1023) * f32(1.0 / 1023.0)
    near = min(f32(LEAF_M) / pixel_m, f32(1.0))
    leaves = flat * (share + ((f32(1.0) if chance < share else f32(0.0)) - share) * near)
    hue = f32(0.5) + chance
    r, g, b = r + (f32(0.20) * hue - r) * leaves, g + (f32(0.085) * hue - g) * leaves, b + (f32(0.02) - b) * leaves
    wet = flat * light.wet * min(f32(0.55) + f32(0.9) * max(stain - f32(0.3), f32(0.0)), f32(1.0))
    dark = f32(1.0) - f32(0.5) * wet
    r, g, b = r * dark, g * dark, b * dark
    rough = f32(0.6) * stain + f32(0.4) * fine
    snow = snow_on * min(max((light.snow * f32(1.5) - rough) * f32(5.0), f32(0.0)), f32(1.0))
    r, g, b = r + (f32(0.80) - r) * snow, g + (f32(0.83) - g) * snow, b + (f32(0.88) - b) * snow
    return r, g, b, wet * (f32(1.0) - snow)


@inline
def _shade(hits, eye, surfaces, skins, light, who, column, row):
    """Linear RGB of record `who` at a sample."""
    e, f = hits.records, surfaces.faces
    t, x, y = at(e[who, 12]), column - e[who, 13], row - e[who, 14]
    e0 = e[who, 0] * x + e[who, 1] * y + e[who, 2]
    e1 = e[who, 3] * x + e[who, 4] * y + e[who, 5]
    e2 = e[who, 6] * x + e[who, 7] * y + e[who, 8]
    depth = f32(1.0) / (e0 + e1 + e2)
    e0, e1, e2 = e0 * depth, e1 * depth, e2 * depth
    nx = e0 * f[t, 0] + e1 * f[t, 3] + e2 * f[t, 6]
    ny = e0 * f[t, 1] + e1 * f[t, 4] + e2 * f[t, 7]
    nz = e0 * f[t, 2] + e1 * f[t, 5] + e2 * f[t, 8]
    u = e0 * f[t, 9] + e1 * f[t, 11] + e2 * f[t, 13]
    v = e0 * f[t, 10] + e1 * f[t, 12] + e2 * f[t, 14]
    vx, vy, vz = _ray(eye, column, row)
    px, py, pz = eye.origin_m[0] + vx * depth, eye.origin_m[1] + vy * depth, eye.origin_m[2] + vz * depth
    long = math.sqrt(vx * vx + vy * vy + vz * vz)
    unit = f32(1.0) / long
    vx, vy, vz = vx * unit, vy * unit, vz * unit
    material = at(f[t, 16])
    slant = max(abs(nx * vx + ny * vy + nz * vz), f32(0.2))
    footprint = depth * f[t, 15] / (eye.focal_px * math.sqrt(slant))
    r, g, b = _albedo(surfaces, skins, t, material, u, v, footprint, px, py)
    wet = f32(0.0)
    if light.wet + light.snow + light.litter > f32(0.0):
        r, g, b, wet = _covered(skins, light, r, g, b, px, py, -nz, skins.foliage[material], depth / eye.focal_px)

    s = light.sun_direction
    facing = nx * s[0] + ny * s[1] + nz * s[2]
    lit, free = f32(0.0), f32(1.0)
    if skins.foliage[material]:
        # Light passes through a leaf, weaker than it leaves the lit side; leaves hide the sky from one another.
        facing = f32(0.2) + f32(0.8) * facing if facing > f32(0.0) else f32(0.2) - f32(0.1) * facing
        lit = e0 * f[t, 19] + e1 * f[t, 20] + e2 * f[t, 21]
        free = f32(0.5) * f[t, 22]
    else:
        if facing > f32(0.0):
            lit = _sunlit(light, px, py, pz, nx, ny, nz, facing)
        free = _openness(light, px, py, pz)
    direct = facing * lit
    sky, ground = (f32(0.5) - f32(0.5) * nz) * free, (f32(0.5) + f32(0.5) * nz) * free
    r *= direct * light.sun[0] + sky * light.ambient[0] + ground * light.bounce[0]
    g *= direct * light.sun[1] + sky * light.ambient[1] + ground * light.bounce[1]
    b *= direct * light.sun[2] + sky * light.ambient[2] + ground * light.bounce[2]
    own = skins.reflectance[material]
    base = max(own, WET_REFLECTANCE * wet)
    if base > f32(0.0):
        pool = own > f32(0.0) and own < f32(0.04)
        r, g, b = _reflect(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit)
    # exp(-x) as (1 - x/4)^4: off by 0.012 at 400 m and by 0.07 at most, and no call into a library.
    clear = f32(1.0) - f32(0.25) * min(depth * long * light.haze_per_m, f32(4.0))
    clear *= clear
    clear *= clear
    thick = f32(1.0) - clear
    return r * clear + light.haze[0] * thick, g * clear + light.haze[1] * thick, b * clear + light.haze[2] * thick


@inline
def _sample(hits, eye, surfaces, skins, light, who, column, row):
    """Linear RGB of a sample, the sky where nothing is."""
    if who >= 0:
        return _shade(hits, eye, surfaces, skins, light, at(who), column, row)
    vx, vy, vz = _ray(eye, column, row)
    unit = f32(1.0) / math.sqrt(vx * vx + vy * vy + vz * vz)
    return _sky(light, vx * unit, vy * unit, vz * unit)


@inline
def _resolve_row(hits, eye, surfaces, skins, light, tone, far_m, y, rgb, objects, depth_m):
    other, last = eye.samples - 1, len(tone) - 1
    row, seen = y * eye.samples, hits.seen
    for x in range(objects.shape[1]):
        column = x * eye.samples
        r0, r1 = seen[at(row), at(column)], seen[at(row), at(column + other)]
        r2, r3 = seen[at(row + other), at(column)], seen[at(row + other), at(column + other)]
        objects[y, x] = int(surfaces.faces[at(hits.records[at(r0), 12]), 17]) if r0 >= 0 else -1
        depth_m[y, x] = f32(1.0) / hits.nearness[at(row), at(column)] if r0 >= 0 else far_m
        red, green, blue = f32(0.0), f32(0.0), f32(0.0)
        for k in range(1 if r0 == r1 and r0 == r2 and r0 == r3 else 4):
            who = r0 if k == 0 else (r1 if k == 1 else (r2 if k == 2 else r3))
            if (k > 0 and who == r0) or (k > 1 and who == r1) or (k > 2 and who == r2):
                continue  # one shading a triangle
            weight = f32(0.25) * f32(int(r0 == who) + int(r1 == who) + int(r2 == who) + int(r3 == who))
            r, g, b = _sample(hits, eye, surfaces, skins, light, who, f32(column + (k & 1)), f32(row + (k >> 1)))
            red, green, blue = red + r * weight, green + g * weight, blue + b * weight
        rgb[y, x, 0] = tone[at(min(int(red * f32(1024.0)), last))]
        rgb[y, x, 1] = tone[at(min(int(green * f32(1024.0)), last))]
        rgb[y, x, 2] = tone[at(min(int(blue * f32(1024.0)), last))]


@kernel(parallel=True)
def resolve(hits, eye, surfaces, skins, light, tone, far_m, threads, counter, rgb, objects, depth_m):
    """Turn records into colours, objects and depths.

    Args:
        hits: what every sample sees.
        eye: the camera.
        surfaces: of the scene.
        skins: of the materials.
        light: of the world.
        tone: uint8 [N], linear light * 1024 -> sRGB.
        far_m: the depth of nothing.
        threads: how many share the work.
        counter: int64 [1], zero.
        rgb: uint8 [H,W,3] (out), mean of the samples.
        objects: int32 [H,W] (out), at the pixel's centre (sample 0), -1 for nothing.
        depth_m: float32 [H,W] (out), at the pixel's centre.
    """
    height = objects.shape[0]
    bands = (height + BAND_ROWS - 1) // BAND_ROWS
    for _ in prange(threads):
        k = next_piece(counter)
        while k < bands:
            last = height - k * BAND_ROWS
            for y in range(max(last - BAND_ROWS, 0), last):
                _resolve_row(hits, eye, surfaces, skins, light, tone, far_m, y, rgb, objects, depth_m)
            k = next_piece(counter)
