"""What colour is it? Deferred shading in numba: every distinct triangle of a pixel is lit once, eight at a time.

A row's samples are sorted into those of leaf cards, of solid things and of the sky; a pixel adds up what its samples
became.

Light: sun with a filtered shadow map, sky and ground as two colours darkened by ambient occlusion, reflections of the
sky, haze. Colours are linear RGB until the tone curve.
"""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math

import numpy as np

from airsim_seg.builtin.rendering.albedo import covered, leaf, level_of, stained, texture
from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece
from airsim_seg.builtin.rendering.lane_memory import columns, gather, load, store, store_threes
from airsim_seg.builtin.rendering.lanes import LANES, all_of, any_of, floats, lane, lane_numbers, truncated, where
from airsim_seg.builtin.rendering.lighting import openness, reflected, sky_at, sunlit
from airsim_seg.builtin.rendering.sorting import LEAVES, SKY, Jobs, sort_row

at = np.uint64  # a signed index is first tested for being negative, which every look-up would pay for
f32 = np.float32  # a bare literal is a double and would make the arithmetic around it double, and slower
BAND_ROWS = 8
WET_REFLECTANCE = np.float32(0.045)  # water in front of the eye and a rough road under it
WATER_BELOW = f32(0.048)  # the reflectance of pools and lakes is below this, that of paint and glass above


@inline
def _ray(eye, column, row):
    """The world ray of a sample, one metre long along the optical axis; with parallel rays, where it starts."""
    m = eye.rays
    return (
        m[0, 0] * column + m[0, 1] * row + m[0, 2],
        m[1, 0] * column + m[1, 1] * row + m[1, 2],
        m[2, 0] * column + m[2, 1] * row + m[2, 2],
    )


@inline
def _sight(eye, forward, column, row, depth, far):
    """Where a sample's ray meets its triangle, the ray's unit direction, and how long it is.

    `forward` is eye.forward: numba drops the branch of an argument that is None, so neither kind of camera pays for
    the other. With parallel rays w is 1, so `depth` is too, and eye.rays is from the eye to where a ray starts.
    """
    vx, vy, vz = _ray(eye, column, row)
    px, py, pz = eye.origin_m[0] + vx * depth, eye.origin_m[1] + vy * depth, eye.origin_m[2] + vz * depth
    if forward is None:
        long = math.sqrt(vx * vx + vy * vy + vz * vz)
        unit = 1.0 / long
        return px, py, pz, vx * unit, vy * unit, vz * unit, depth * long
    vx, vy, vz = floats(forward[0]), floats(forward[1]), floats(forward[2])
    return px + vx * far, py + vy * far, pz + vz * far, vx, vy, vz, far


@inline
def _shade(hits, eye, surfaces, skins, light, who, column, row, leafy):
    """Linear RGB of eight samples: of leaf cards all, or of other things all."""
    alike = all_of(who == lane(who, 0))  # one triangle, as on walls and roads
    a0, b0, c0, a1, b1, c1, a2, b2 = columns(hits.records, who, 0, alike)
    c2, az, bz, cz, triangle, left, top, _ = columns(hits.records, who, 8, alike)
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
    far = -(az * x + bz * y + cz)
    px, py, pz, vx, vy, vz, length_m = _sight(eye, eye.forward, column, row, depth, far)
    material = truncated(kind)
    slant = max(abs(nx * vx + ny * vy + nz * vz), 0.2)
    level = level_of(depth * density / (eye.focal_px * math.sqrt(slant)))
    if leafy:
        r, g, b = leaf(skins, material, u, v, level)
        mirror = floats(0.0)
    else:
        r, g, b = texture(skins, material, u, v, level)
        r, g, b = stained(skins, k1, r, g, b, px, py)
        mirror = k0
    r, g, b = r * red, g * green, b * blue
    wet = floats(0.0)
    water = (mirror > 0.0) & (mirror < WATER_BELOW)
    if light.wet + light.snow + light.litter > f32(0.0):
        up = where(water, floats(0.0), -nz)  # what falls on water sinks
        r, g, b, wet = covered(skins, light, r, g, b, px, py, up, leafy, depth / eye.focal_px)

    s = light.sun_direction
    facing = nx * s[0] + ny * s[1] + nz * s[2]
    if leafy:
        # Light passes through a leaf, weaker than it leaves the lit side; leaves hide the sky from one another.
        facing = where(facing > 0.0, 0.2 + 0.8 * facing, 0.2 - 0.1 * facing)
        lit, free = e0 * k0 + e1 * k1 + e2 * k2, 0.5 * k3
    else:
        lit, free = floats(0.0), openness(light, px, py, pz)
        if any_of(facing > 0.0):
            lit = where(facing > 0.0, sunlit(light, px, py, pz, nx, ny, nz, facing), 0.0)
    direct = facing * lit
    sky, ground = (0.5 - 0.5 * nz) * free, (0.5 + 0.5 * nz) * free
    r = r * (direct * light.sun[0] + sky * light.ambient[0] + ground * light.bounce[0])
    g = g * (direct * light.sun[1] + sky * light.ambient[1] + ground * light.bounce[1])
    b = b * (direct * light.sun[2] + sky * light.ambient[2] + ground * light.bounce[2])
    base = max(mirror, WET_REFLECTANCE * wet)
    if any_of(base > 0.0):
        pool = (mirror > 0.0) & (mirror < 0.04)
        r, g, b = reflected(light, r, g, b, base, px, py, pool, nx, ny, nz, vx, vy, vz, lit)
    # exp(-x) as (1 - x/4)^4: off by 0.012 at 400 m and by 0.07 at most, and no call into a library.
    clear = 1.0 - 0.25 * min(length_m * light.haze_per_m, 4.0)
    clear = clear * clear
    clear = clear * clear
    thick = 1.0 - clear
    return r * clear + light.haze[0] * thick, g * clear + light.haze[1] * thick, b * clear + light.haze[2] * thick


@inline
def _open_sky(light, eye, forward, column, row):
    """One colour where rays are parallel: the sky is endlessly far."""
    if forward is None:
        vx, vy, vz = _ray(eye, column, row)
        unit = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
        return sky_at(light, vx * unit, vy * unit, vz * unit)
    return sky_at(light, floats(forward[0]), floats(forward[1]), floats(forward[2]))


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
            r, g, b = _open_sky(light, eye, eye.forward, column, row)
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
            sort_row(hits, eye.samples, far_m, y, jobs, objects, depth_m)
            for x in range(jobs.sums.shape[1]):
                jobs.sums[0, x], jobs.sums[1, x], jobs.sums[2, x] = f32(0.0), f32(0.0), f32(0.0)
            for kind in range(3):  # one after the other, in one copy of the code: it takes seconds to compile
                _shade_row(hits, eye, surfaces, skins, light, y, jobs, kind)
            _tone_row(tone, y, jobs.sums, rgb)
        k = next_piece(counter)
