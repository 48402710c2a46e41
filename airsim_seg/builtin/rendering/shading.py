"""What colour is it? Deferred shading in numba: every distinct triangle of a pixel is lit once.

Light: sun with a filtered shadow map, sky and ground as two colours darkened by ambient occlusion, reflections of the
sky, haze. Colours are linear RGB until the tone curve.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from airsim_seg.builtin.rendering.compiling import inline, kernel
from airsim_seg.types import Float32Array, Int32Array, UInt8Array

BAND_ROWS = 8
PATCH_TILE_M = 64.0


class Surfaces(NamedTuple):
    """The scene's triangles, [T] rows.

    uv float32 [T,3,2]; normals float32 [T,3,3]; materials, objects int32 [T]; texels_per_m float32 [T];
    tints float32 [K,3] an object.
    """

    uv: Float32Array
    normals: Float32Array
    materials: Int32Array
    objects: Int32Array
    texels_per_m: Float32Array
    tints: Float32Array


class Skins(NamedTuple):
    """What the materials look like: textures.paint_all, materials.material_table and a noise map of stains."""

    textures: UInt8Array
    levels: Int32Array
    tinted: UInt8Array
    foliage: UInt8Array
    reflectance: Float32Array
    patchiness: Float32Array
    patches: Float32Array


class Light(NamedTuple):
    """The light of a still world.

    sun_direction, sun, ambient, bounce, haze float32 [3]; haze_per_m; shadow_map float32 [N,N], shadow_matrix
    float64 [3,4] (world -> column, row, nearness); heights float32 [M,M], metres up, blurred, over
    [-heights_extent_m, +heights_extent_m]; sky float32 [S,S,3] with sky_scale = texels a unit.
    """

    sun_direction: Float32Array
    sun: Float32Array
    ambient: Float32Array
    bounce: Float32Array
    haze: Float32Array
    haze_per_m: float
    shadow_map: Float32Array
    shadow_matrix: Float32Array
    heights: Float32Array
    heights_extent_m: float
    sky: Float32Array
    sky_scale: float


@inline
def _texture(skins, material, u, v, footprint):  # type: ignore[no-untyped-def]
    """Bilinear look-up in the level whose texels are about a pixel wide; linear RGB."""
    level = 0
    while footprint > 1.7 and level < 8:
        footprint *= 0.5
        level += 1
    side = 256 >> level
    x, y = u * side - 0.5, v * side - 0.5
    i, j = int(math.floor(x)), int(math.floor(y))
    x -= i
    y -= j
    mask = side - 1
    top = skins.levels[level] + (j & mask) * side
    below = skins.levels[level] + ((j + 1) & mask) * side
    left, right = i & mask, (i + 1) & mask
    w11 = x * y
    w10, w01 = y - w11, x - w11
    w00 = 1.0 - x - w10
    t = skins.textures[material]
    r = t[top + left, 0] * w00 + t[top + right, 0] * w01 + t[below + left, 0] * w10 + t[below + right, 0] * w11
    g = t[top + left, 1] * w00 + t[top + right, 1] * w01 + t[below + left, 1] * w10 + t[below + right, 1] * w11
    b = t[top + left, 2] * w00 + t[top + right, 2] * w01 + t[below + left, 2] * w10 + t[below + right, 2] * w11
    k = 1.0 / (255.0 * 255.0)
    return r * r * k, g * g * k, b * b * k


@inline
def _smooth(table, row, column, mask):  # type: ignore[no-untyped-def]
    """Bilinear look-up in a repeating square map whose side is mask + 1."""
    i, j = int(math.floor(row)), int(math.floor(column))
    y, x = row - i, column - j
    i0, i1, j0, j1 = i & mask, (i + 1) & mask, j & mask, (j + 1) & mask
    upper = table[i0, j0] * (1.0 - x) + table[i0, j1] * x
    lower = table[i1, j0] * (1.0 - x) + table[i1, j1] * x
    return upper * (1.0 - y) + lower * y


@inline
def _sunlit(light, px, py, pz, nx, ny, nz, facing):  # type: ignore[no-untyped-def]
    """Share of the sun that arrives, 0..1: a 3x3 tent over the shadow map (16 comparisons)."""
    m = light.shadow_matrix
    shift = 0.08 + 0.14 * (1.0 - facing)
    px, py, pz = px + nx * shift, py + ny * shift, pz + nz * shift
    x = m[0, 0] * px + m[0, 1] * py + m[0, 2] * pz + m[0, 3] - 1.0
    y = m[1, 0] * px + m[1, 1] * py + m[1, 2] * pz + m[1, 3] - 1.0
    nearness = m[2, 0] * px + m[2, 1] * py + m[2, 2] * pz + m[2, 3] + 0.06
    i, j = int(math.floor(y)), int(math.floor(x))
    size = light.shadow_map.shape[0]
    if i < 0 or j < 0 or i > size - 4 or j > size - 4:
        return 1.0
    gx, gy = x - j, y - i
    total = 0.0
    for k in range(4):
        row = light.shadow_map[i + k]
        weight = 1.0 - gy if k == 0 else (gy if k == 3 else 1.0)
        part = (1.0 - gx) if row[j] <= nearness else 0.0
        part += 1.0 if row[j + 1] <= nearness else 0.0
        part += 1.0 if row[j + 2] <= nearness else 0.0
        part += gx if row[j + 3] <= nearness else 0.0
        total += part * weight
    return total * (1.0 / 9.0)


@inline
def _openness(light, px, py, pz):  # type: ignore[no-untyped-def]
    """How much of the sky a point sees, 0..1: less where the blurred height of what stands around is above it."""
    side = light.heights.shape[0]
    scale = side / (2.0 * light.heights_extent_m)
    row, column = (px + light.heights_extent_m) * scale - 0.5, (py + light.heights_extent_m) * scale - 0.5
    if row < 0.0 or column < 0.0 or row > side - 2 or column > side - 2:
        return 1.0
    above = _smooth(light.heights, row, column, side - 1) + pz  # heights are up, pz is down
    return 1.0 - 0.17 * min(max(above, 0.0), 4.6)


@inline
def _sky(light, vx, vy, vz):  # type: ignore[no-untyped-def]
    """Colour of the sky in a unit direction (NED)."""
    scale = light.sky_scale / (1.0 + max(-vz, -0.15))
    half = light.sky.shape[0] // 2
    row = min(max(int(vx * scale + half), 0), light.sky.shape[0] - 1)
    column = min(max(int(vy * scale + half), 0), light.sky.shape[0] - 1)
    return light.sky[row, column, 0], light.sky[row, column, 1], light.sky[row, column, 2]


@inline
def _reflect(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit):  # type: ignore[no-untyped-def]
    """Mix in the mirrored sky (Schlick's Fresnel) and a glint of the sun."""
    if pool:  # ripples
        wave = px * 5.0 + math.sin(py * 3.0)
        nx, ny, nz = 0.04 * math.sin(wave + py * 2.0), 0.04 * math.sin(py * 6.0 - wave * 0.5), -0.998
    facing = max(-(nx * vx + ny * vy + nz * vz), 0.0)
    rx, ry, rz = vx + 2.0 * facing * nx, vy + 2.0 * facing * ny, vz + 2.0 * facing * nz
    grazing = (1.0 - facing) * (1.0 - facing)
    mirror = base + (0.9 - base) * grazing * grazing * (1.0 - facing)
    sr, sg, sb = light.haze[0] * 0.3, light.haze[1] * 0.3, light.haze[2] * 0.28
    if rz < 0.0:
        sr, sg, sb = _sky(light, rx, ry, rz)
    s = light.sun_direction
    glint = max(rx * s[0] + ry * s[1] + rz * s[2], 0.0)
    glint *= glint
    glint *= glint
    glint *= glint
    glint *= glint
    glint *= glint
    glint = glint * glint * lit * 1.2
    keep = 1.0 - mirror
    return r * keep + sr * mirror + glint, g * keep + sg * mirror + glint, b * keep + sb * mirror + glint


@inline
def _shade(record, left, top, t, column, row, rays, origin, focal_px, surfaces, skins, light):  # type: ignore[no-untyped-def]
    """Linear RGB of triangle t at a sample."""
    x, y = column - left, row - top
    e0 = record[0] * x + record[1] * y + record[2]
    e1 = record[3] * x + record[4] * y + record[5]
    e2 = record[6] * x + record[7] * y + record[8]
    depth = 1.0 / (e0 + e1 + e2)
    e0, e1, e2 = e0 * depth, e1 * depth, e2 * depth
    n = surfaces.normals[t]
    nx = e0 * n[0, 0] + e1 * n[1, 0] + e2 * n[2, 0]
    ny = e0 * n[0, 1] + e1 * n[1, 1] + e2 * n[2, 1]
    nz = e0 * n[0, 2] + e1 * n[1, 2] + e2 * n[2, 2]
    vx = rays[0, 0] * column + rays[0, 1] * row + rays[0, 2]
    vy = rays[1, 0] * column + rays[1, 1] * row + rays[1, 2]
    vz = rays[2, 0] * column + rays[2, 1] * row + rays[2, 2]
    px, py, pz = origin[0] + vx * depth, origin[1] + vy * depth, origin[2] + vz * depth
    long = math.sqrt(vx * vx + vy * vy + vz * vz)
    distance = depth * long
    vx, vy, vz = vx / long, vy / long, vz / long
    material = surfaces.materials[t]
    foliage = skins.foliage[material]

    uv = surfaces.uv[t]
    u = e0 * uv[0, 0] + e1 * uv[1, 0] + e2 * uv[2, 0]
    v = e0 * uv[0, 1] + e1 * uv[1, 1] + e2 * uv[2, 1]
    slant = max(abs(nx * vx + ny * vy + nz * vz), 0.2)
    footprint = depth * surfaces.texels_per_m[t] / (focal_px * math.sqrt(slant))
    r, g, b = _texture(skins, material, u, v, footprint)
    if skins.tinted[material]:
        tint = surfaces.tints[surfaces.objects[t]]
        r, g, b = r * tint[0], g * tint[1], b * tint[2]
    patchy = skins.patchiness[material]
    if patchy > 0.0:
        side = skins.patches.shape[0]
        stain = _smooth(skins.patches, px * (side / PATCH_TILE_M), py * (side / PATCH_TILE_M), side - 1)
        r, g, b = r * (1.0 + patchy * stain), g * (1.0 + 0.8 * patchy * stain), b * (1.0 + 0.9 * patchy * stain)

    s = light.sun_direction
    facing = nx * s[0] + ny * s[1] + nz * s[2]
    if foliage:
        # Each card its own brightness; light passes through a leaf, weaker than it leaves the lit side.
        own = 0.7 + 0.6 * (((t * 40503) >> 4) & 255) * (1.0 / 255.0)
        r, g, b = r * own, g * own, b * own
        facing = 0.2 + 0.8 * facing if facing > 0.0 else 0.2 - 0.1 * facing
    lit = 0.0
    if facing > 0.0:
        lit = _sunlit(light, px, py, pz, nx, ny, nz, facing)
    direct = facing * lit
    free = _openness(light, px, py, pz)
    sky, ground = (0.5 - 0.5 * nz) * free, (0.5 + 0.5 * nz) * free
    r *= direct * light.sun[0] + sky * light.ambient[0] + ground * light.bounce[0]
    g *= direct * light.sun[1] + sky * light.ambient[1] + ground * light.bounce[1]
    b *= direct * light.sun[2] + sky * light.ambient[2] + ground * light.bounce[2]
    base = skins.reflectance[material]
    if base > 0.0:
        pool = base < 0.04
        r, g, b = _reflect(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit)
    clear = math.exp(-distance * light.haze_per_m)
    thick = 1.0 - clear
    return r * clear + light.haze[0] * thick, g * clear + light.haze[1] * thick, b * clear + light.haze[2] * thick


@kernel(parallel=True)
def resolve(
    seen,
    nearness,
    records,
    bounds,
    samples,
    rays,
    origin,
    focal_px,
    far_m,
    surfaces,
    skins,
    light,
    tone,
    rgb,
    objects,
    depth_m,
):  # type: ignore[no-untyped-def]
    """Turn records into colours, objects and depths.

    Args:
        seen: int32 [H*S,W*S] of raster.fill.
        nearness: float32 [H*S,W*S], 1 / depth.
        records, bounds: of raster.project.
        samples: S, 1 or 2.
        rays: float32 [3,3] of camera.ray_matrix.
        origin: float64 [3], the camera.
        focal_px: focal length in pixels.
        far_m: the depth of nothing.
        surfaces, skins, light: see the classes.
        tone: uint8 [N], linear light * 1024 -> sRGB.
        rgb: uint8 [H,W,3] (out), mean of the samples.
        objects: int32 [H,W] (out), at the pixel's centre (sample 0), -1 for nothing.
        depth_m: float32 [H,W] (out), at the pixel's centre.
    """
    height, width = objects.shape
    last = len(tone) - 1
    other = samples - 1
    for band in prange((height + BAND_ROWS - 1) // BAND_ROWS):
        for y in range(band * BAND_ROWS, min((band + 1) * BAND_ROWS, height)):
            for x in range(width):
                row, column = y * samples, x * samples
                r0, r1 = seen[row, column], seen[row, column + other]
                r2, r3 = seen[row + other, column], seen[row + other, column + other]
                if r0 < 0:
                    objects[y, x] = -1
                    depth_m[y, x] = far_m
                else:
                    objects[y, x] = surfaces.objects[bounds[r0, 0]]
                    depth_m[y, x] = np.float32(1.0) / nearness[row, column]
                red, green, blue = 0.0, 0.0, 0.0
                count = 1 if (r0 == r1 and r0 == r2 and r0 == r3) else 4
                for k in range(count):
                    who = r0 if k == 0 else (r1 if k == 1 else (r2 if k == 2 else r3))
                    if (k > 0 and who == r0) or (k > 1 and who == r1) or (k > 2 and who == r2):
                        continue
                    weight = 1.0
                    if count == 4:
                        weight = 0.25 * ((r0 == who) * 1.0 + (r1 == who) * 1.0 + (r2 == who) * 1.0 + (r3 == who) * 1.0)
                    i, j = column + (k & 1), row + (k >> 1)
                    if who >= 0:
                        r, g, b = _shade(
                            records[who], bounds[who, 1], bounds[who, 3], bounds[who, 0],
                            i, j, rays, origin, focal_px, surfaces, skins, light,
                        )  # fmt: skip
                    else:
                        vx = rays[0, 0] * i + rays[0, 1] * j + rays[0, 2]
                        vy = rays[1, 0] * i + rays[1, 1] * j + rays[1, 2]
                        vz = rays[2, 0] * i + rays[2, 1] * j + rays[2, 2]
                        long = math.sqrt(vx * vx + vy * vy + vz * vz)
                        r, g, b = _sky(light, vx / long, vy / long, vz / long)
                    red, green, blue = red + r * weight, green + g * weight, blue + b * weight
                rgb[y, x, 0] = tone[min(int(red * 1024.0), last)]
                rgb[y, x, 1] = tone[min(int(green * 1024.0), last)]
                rgb[y, x, 2] = tone[min(int(blue * 1024.0), last)]
