"""What the kernels of shading read and write, as gl/buffers.glsl has it for a device."""

from typing import NamedTuple

import numpy as np

from airsim_seg.types import Float32Array, Int32Array, UInt32Array

FACE_SIZE = 24


class Hits(NamedTuple):
    """What raster.fill left: seen int32 and nearness float32 [H*S,W*S], records float32 [R,16]."""

    seen: Int32Array
    nearness: Float32Array
    records: Float32Array


class Eye(NamedTuple):
    """The camera: S samples a side of a pixel, rays float32 [3,3] of camera.ray_matrix, origin_m float32 [3], NED.

    forward float32 [3] is the direction of all rays of a parallel view; None is a pinhole. Kernels are compiled for the
    one or for the other: see shading._sight.
    """

    samples: int
    rays: Float32Array
    origin_m: Float32Array
    focal_px: np.float32
    forward: Float32Array | None = None


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
