"""What surfaces are made of: the table that environments write into Scene.materials and the renderer reads.

A material says how light meets it; its picture is painted in textures.py; its holes, if any, in cutouts.py.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from airsim_seg.types import Float32Array, Int32Array, UInt8Array

TEXTURE_SEED = 11  # of pictures and holes; they are the renderer's own: two worlds share their textures


class Cutout(IntEnum):
    """A see-through pattern: where it is open, neither colour nor id is drawn."""

    LEAVES = 0
    NEEDLES = 1
    PICKETS = 2
    RAILINGS = 3
    WIRE_MESH = 4


class Material(IntEnum):
    """Index into every per-material table."""

    ASPHALT = 0
    GRASS = 1
    SIDING = 2
    BRICK = 3
    SHINGLES = 4
    CONCRETE = 5
    BARK = 6
    BIRCH_BARK = 7
    LEAVES = 8
    NEEDLES = 9
    PICKETS = 10
    PAINT = 11
    GLASS = 12
    METAL = 13
    WOOD = 14
    ROCK = 15
    WATER = 16
    TILES = 17
    RUBBER = 18
    TRIM = 19
    PAVERS = 20
    MEADOW = 21
    THICKET = 22
    BOARDS = 23
    LITTER = 24
    CLINKER = 25
    PLASTER = 26
    ASHLAR = 27
    PANES = 28
    CURTAIN_WALL = 29
    SHOP_WINDOW = 30
    SIGN_BOARD = 31
    AWNING = 32
    SWATCHES = 33
    ROOFING = 34
    SLABS = 35
    MARKING = 36
    CLADDING = 37
    RAILINGS = 38
    WIRE_MESH = 39
    RUBBLE = 40
    COBBLES = 41
    GRAVEL = 42
    SOIL = 43
    CROP = 44
    GRAIN = 45
    RIBBED = 46
    HIDE = 47
    LAKE = 48


CUTOUTS = {
    Material.LEAVES: Cutout.LEAVES,
    Material.NEEDLES: Cutout.NEEDLES,
    Material.PICKETS: Cutout.PICKETS,
    Material.RAILINGS: Cutout.RAILINGS,
    Material.WIRE_MESH: Cutout.WIRE_MESH,
}
FOLIAGE = frozenset({Material.LEAVES, Material.NEEDLES})
UNTINTED = frozenset(
    {
        Material.BARK,
        Material.BIRCH_BARK,
        Material.GLASS,
        Material.RUBBER,
        Material.TRIM,
        Material.TILES,
        Material.LITTER,
        Material.PANES,
        Material.SHOP_WINDOW,
        Material.SIGN_BOARD,
        Material.AWNING,
        Material.SWATCHES,
        Material.MARKING,
    }
)
# Reflectance at normal incidence; 0 is matt. Water and glass are 0.02 and 0.04 in air (Fresnel, n = 1.33 and 1.5);
# a window pane reflects on both sides and hides a dark room, car paint has a clear coat.
REFLECTANCE = {
    Material.GLASS: 0.10,
    Material.WATER: 0.03,
    Material.LAKE: 0.045,  # calm: a mirror without ripples, which would flicker where they are small
    Material.PAINT: 0.05,
    Material.METAL: 0.15,
    Material.PANES: 0.10,
    Material.CURTAIN_WALL: 0.22,
    Material.SHOP_WINDOW: 0.06,
}
# Strength of large stains, metres across, that hide the repeating texture.
# On walls they are streaks.
PATCHINESS = {
    Material.GRASS: 0.75,
    Material.MEADOW: 0.75,
    Material.ASPHALT: 0.32,
    Material.CONCRETE: 0.25,
    Material.CLINKER: 0.22,
    Material.PLASTER: 0.16,
    Material.ROOFING: 0.45,
    Material.SLABS: 0.28,
    Material.COBBLES: 0.3,
    Material.GRAVEL: 0.4,
    Material.SOIL: 0.35,
    Material.CROP: 0.4,
    Material.GRAIN: 0.35,
    Material.LAKE: 0.3,
}


@dataclass(frozen=True, eq=False)
class MaterialTable:
    """The same facts as arrays, one entry a material, for the kernels.

    Attributes:
        cutout: int32 [M], a Cutout or -1.
        tinted: uint8 [M], 1 where the object's tint multiplies the texture.
        foliage: uint8 [M], 1 where light shines through.
        reflectance: float32 [M], 0..1, at normal incidence.
        patchiness: float32 [M], 0..1.
    """

    cutout: Int32Array
    tinted: UInt8Array
    foliage: UInt8Array
    reflectance: Float32Array
    patchiness: Float32Array


def material_table() -> MaterialTable:
    """Build the arrays."""
    return MaterialTable(
        cutout=np.array([CUTOUTS.get(m, -1) for m in Material], np.int32),
        tinted=np.array([m not in UNTINTED for m in Material], np.uint8),
        foliage=np.array([m in FOLIAGE for m in Material], np.uint8),
        reflectance=np.array([REFLECTANCE.get(m, 0.0) for m in Material], np.float32),
        patchiness=np.array([PATCHINESS.get(m, 0.0) for m in Material], np.float32),
    )
