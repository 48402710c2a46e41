"""Paints one tileable picture a material and stacks its smaller versions (a mip pyramid) for the kernels.

Colours are linear light, 0..1. Texel density is set by each mesh's texture coordinates.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from airsim_seg.builtin.rendering.cutouts import leaf_sprite, needle_sprite
from airsim_seg.builtin.rendering.facade_textures import FACADE_PAINTERS
from airsim_seg.builtin.rendering.field_textures import FIELD_PAINTERS
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.noise import fractal_noise
from airsim_seg.types import Float64Array, UInt32Array

SIZE = 256
NUM_TEXELS = 2 * SIZE * SIZE + SIZE  # of a material, see paint_all
Painter = Callable[[np.random.Generator], Float64Array]


def _noise(rng: np.random.Generator, cells: int = 4, octaves: int = 6, persistence: float = 0.6) -> Float64Array:
    return fractal_noise(SIZE, rng, cells=cells, octaves=octaves, persistence=persistence)[..., None]


def _axes() -> tuple[Float64Array, Float64Array]:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    return columns, rows


def _grain(rng: np.random.Generator, strength: float) -> Float64Array:
    return 1 + strength * (rng.random((SIZE, SIZE, 1)) - 0.5)


def _asphalt(rng: np.random.Generator) -> Float64Array:
    grey = np.array((0.32, 0.325, 0.32)) * (0.72 + 0.5 * _noise(rng, 8, 6, 0.8)) * _grain(rng, 0.5)
    cracks = np.abs(_noise(rng, 3, 6, 0.6) - 0.5) < 0.004
    return np.where(cracks, grey * 0.55, grey)


def _grass(rng: np.random.Generator) -> Float64Array:
    dry = _noise(rng, 4, 5)
    green = np.array((0.125, 0.185, 0.055)) * (1 - dry) + np.array((0.31, 0.335, 0.16)) * dry
    grass: Float64Array = green * (0.45 + 1.1 * _noise(rng, 32, 4, 0.9)) * _grain(rng, 0.7)
    return grass


def _meadow(rng: np.random.Generator) -> Float64Array:
    meadow: Float64Array = _grass(rng) * np.array((1.1, 1.0, 0.9)) * (0.6 + 0.7 * _noise(rng, 6, 6, 0.8))
    return meadow


def _siding(rng: np.random.Generator) -> Float64Array:
    _, row = _axes()
    board = (row % 32) / 32
    lap = np.where(board < 0.08, 0.45, 0.86 + 0.16 * board)[..., None]
    return np.ones(3) * 0.8 * lap * (0.92 + 0.14 * _noise(rng, 4, 5))


def _brick(rng: np.random.Generator) -> Float64Array:
    column, row = _axes()
    shift = (row // 16 % 2) * 16
    joint = ((row % 16) < 2) | (((column + shift) % 32) < 2)
    tone = rng.random((16, 9))[(row // 16).astype(int), (((column + shift) // 32) % 9).astype(int)]
    bricks = np.array((0.42, 0.18, 0.12)) * (0.6 + 0.7 * tone)[..., None] * (0.8 + 0.4 * _noise(rng, 16, 4))
    return np.where(joint[..., None], np.array((0.5, 0.47, 0.43)), bricks)


def _shingles(rng: np.random.Generator) -> Float64Array:
    column, row = _axes()
    course = (row // 16).astype(int)
    shift = (course % 2) * 8 + (course * 5 % 7)
    tab = (((column + shift) // 16) % 16).astype(int)
    tone = rng.random((16, 16))[course, tab]
    edge = ((row % 16) < 2) | (((column + shift) % 16) < 1)
    body = 0.62 * (0.65 + 0.55 * tone) * (0.8 + 0.2 * (row % 16) / 16)
    shingles: Float64Array = (
        np.where(edge, 0.45 * body, body)[..., None] * np.ones(3) * (0.7 + 0.6 * _noise(rng, 16, 5, 0.8))
    )
    return shingles


def _concrete(rng: np.random.Generator) -> Float64Array:
    _, row = _axes()
    joint = np.where((row % 128) < 2, 0.6, 1.0)[..., None]
    return np.array((0.50, 0.49, 0.46)) * joint * (0.75 + 0.4 * _noise(rng, 4, 7, 0.75)) * _grain(rng, 0.25)


def _pavers(rng: np.random.Generator) -> Float64Array:
    column, row = _axes()
    shift = (row // 64 % 2) * 32
    joint = ((row % 64) < 4) | (((column + shift) % 64) < 4)
    tone = rng.random((4, 5))[(row // 64).astype(int), (((column + shift) // 64) % 5).astype(int)][..., None]
    slabs = np.array((0.50, 0.45, 0.39)) * (0.75 + 0.4 * tone) * (0.8 + 0.3 * _noise(rng, 8, 5))
    pavers: Float64Array = np.where(joint[..., None], slabs * 0.5, slabs)
    return pavers


def _bark(rng: np.random.Generator) -> Float64Array:
    column, _ = _axes()
    ridges = 0.6 + 0.4 * np.sin(column * 2 * np.pi * 12 / SIZE + 9 * _noise(rng, 4, 5)[..., 0])
    return np.array((0.13, 0.10, 0.075)) * (0.35 + 1.0 * ridges[..., None] * _noise(rng, 8, 6, 0.8))


def _birch_bark(rng: np.random.Generator) -> Float64Array:
    _, row = _axes()
    scars = (_noise(rng, 6, 5)[..., 0] + 0.25 * np.sin(row * 2 * np.pi * 9 / SIZE)) > 0.72
    return np.where(scars[..., None], np.array((0.06, 0.055, 0.05)), np.array((0.52, 0.50, 0.45))) * _grain(rng, 0.2)


def _leaves(rng: np.random.Generator) -> Float64Array:
    _, shade = leaf_sprite(SIZE, 11)
    return np.array((0.60, 0.80, 0.46)) * shade[..., None] * (0.8 + 0.4 * _noise(rng, 16, 4))


def _needles(rng: np.random.Generator) -> Float64Array:
    _, shade = needle_sprite(SIZE)
    return np.array((0.6, 0.78, 0.50)) * shade[..., None] * (0.7 + 0.6 * _noise(rng, 32, 3))


def _wood(rng: np.random.Generator) -> Float64Array:
    column, _ = _axes()
    fibre = np.sin(column * 2 * np.pi * 20 / SIZE + 8 * _noise(rng, 3, 4)[..., 0])[..., None]
    plank = np.where((column % 32) < 2, 0.4, 1.0)[..., None]
    return np.array((0.36, 0.26, 0.17)) * plank * (0.85 + 0.15 * fibre) * (0.6 + 0.6 * _noise(rng, 8, 5))


def _rock(rng: np.random.Generator) -> Float64Array:
    return np.array((0.42, 0.40, 0.375)) * (0.35 + 1.1 * _noise(rng, 4, 7, 0.8)) * _grain(rng, 0.3)


def _water(rng: np.random.Generator) -> Float64Array:
    caustics = np.abs(2 * _noise(rng, 8, 4) - 1) ** 0.5
    return np.ones(3) * (1.0 - 0.36 * caustics)  # the colour is the tint of each pool


def _tiles(rng: np.random.Generator) -> Float64Array:
    column, row = _axes()
    joint = ((row % 16) < 1) | ((column % 16) < 1)
    return np.where(joint[..., None], 0.6, np.array((0.32, 0.62, 0.72))) * _grain(rng, 0.2)


def _thicket(rng: np.random.Generator) -> Float64Array:
    return np.array((0.30, 0.42, 0.20)) * (0.15 + 1.1 * _noise(rng, 24, 4, 0.9)) * _grain(rng, 0.6)


def _plain(colour: tuple[float, float, float], variation: float) -> Painter:
    def paint(rng: np.random.Generator) -> Float64Array:
        return np.array(colour) * (1 - variation / 2 + variation * _noise(rng, 4, 5))

    return paint


PAINTERS: dict[Material, Painter] = {
    Material.ASPHALT: _asphalt,
    Material.GRASS: _grass,
    Material.SIDING: _siding,
    Material.BRICK: _brick,
    Material.SHINGLES: _shingles,
    Material.CONCRETE: _concrete,
    Material.BARK: _bark,
    Material.BIRCH_BARK: _birch_bark,
    Material.LEAVES: _leaves,
    Material.NEEDLES: _needles,
    Material.PICKETS: _plain((0.72, 0.73, 0.74), 0.2),
    Material.PAINT: _plain((0.9, 0.9, 0.9), 0.0),
    Material.GLASS: _plain((0.028, 0.036, 0.045), 0.6),
    Material.METAL: _plain((0.5, 0.5, 0.52), 0.3),
    Material.WOOD: _wood,
    Material.ROCK: _rock,
    Material.WATER: _water,
    Material.TILES: _tiles,
    Material.RUBBER: _plain((0.018, 0.018, 0.02), 0.4),
    Material.TRIM: _plain((0.72, 0.72, 0.70), 0.15),
    Material.PAVERS: _pavers,
    Material.MEADOW: _meadow,
    Material.THICKET: _thicket,
    Material.BOARDS: _plain((0.72, 0.73, 0.74), 0.3),
    Material.LITTER: _plain((0.30, 0.17, 0.035), 1.0),
    **FACADE_PAINTERS,
    **FIELD_PAINTERS,
}


@cache
def paint_all(seed: int) -> UInt32Array:
    """Paint every material with its pyramid; the array is shared by all who ask: do not write to it.

    Args:
        seed: of the noise.

    Returns:
        uint32 [M,texels], red + 256 green + 65536 blue, each the square root of linear light times 255. The level of
        side N, from 256 to 1, begins at texel N^2; its N rows have N + 1 texels, the last of them the first once more.
    """
    base = np.empty((len(Material), SIZE, SIZE, 3), np.float32)
    for material in Material:
        base[material] = np.clip(PAINTERS[material](np.random.default_rng((seed, material))), 0, 1)
    side = SIZE
    texels = np.zeros((len(base), NUM_TEXELS), np.uint32)
    while side:
        red, green, blue = np.moveaxis(np.rint(np.sqrt(base) * 255).astype(np.uint32), -1, 0)
        level = red | green << 8 | blue << 16
        rows = np.concatenate([level, level[:, :, :1]], 2)
        texels[:, side * side : 2 * side * side + side] = rows.reshape(len(base), -1)
        side //= 2
        if side:
            base = base.reshape(len(base), side, 2, side, 2, 3).mean((2, 4))
    return texels
