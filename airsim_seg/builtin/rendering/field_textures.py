"""Pictures of fields, walls of field stones, tracks and open water; see textures.py."""

from collections.abc import Callable, Mapping

import numpy as np

from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.noise import fractal_noise
from airsim_seg.types import Float64Array

SIZE = 256  # textures.SIZE
_Painter = Callable[[np.random.Generator], Float64Array]


def _noise(rng: np.random.Generator, cells: int = 4, octaves: int = 6, persistence: float = 0.6) -> Float64Array:
    return fractal_noise(SIZE, rng, cells=cells, octaves=octaves, persistence=persistence)[..., None]


def _axes() -> tuple[Float64Array, Float64Array]:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    return columns, rows


def _grain(rng: np.random.Generator, strength: float) -> Float64Array:
    return 1 + strength * (rng.random((SIZE, SIZE, 1)) - 0.5)


def _stones(rng: np.random.Generator, wide: int, high: int) -> tuple[Float64Array, Float64Array]:
    """Cells of a jittered grid that repeats: distance to the joint in pixels, and a random shade of each, [N,N,1].

    Worley, A cellular texture basis function (1996): the nearest point and the second nearest.
    """
    column, row = _axes()
    jitter, shade = 0.12 + 0.76 * rng.random((2, high, wide)), rng.random((high, wide))
    at_row, at_column = row / SIZE * high, column / SIZE * wide
    nearest, second = np.full((SIZE, SIZE), np.inf), np.full((SIZE, SIZE), np.inf)
    tone = np.zeros((SIZE, SIZE))
    for step_row, step_column in np.ndindex(3, 3):
        i, j = (np.floor(at).astype(int) + step - 1 for at, step in ((at_row, step_row), (at_column, step_column)))
        own = i % high, j % wide
        distance = np.hypot(i + jitter[0][own] - at_row, j + jitter[1][own] - at_column) * SIZE / high
        closer = distance < nearest
        second = np.where(closer, nearest, np.minimum(second, distance))
        tone = np.where(closer, shade[own], tone)
        nearest = np.minimum(nearest, distance)
    return (second - nearest)[..., None], tone[..., None]


def _rubble(rng: np.random.Generator) -> Float64Array:
    joint, tone = _stones(rng, 7, 12)
    stone = np.array((0.46, 0.43, 0.38)) * (0.55 + 0.75 * tone) * (0.7 + 0.6 * _noise(rng, 16, 5, 0.7))
    return stone * np.clip(0.35 + joint / 5, 0, 1)


def _cobbles(rng: np.random.Generator) -> Float64Array:
    joint, tone = _stones(rng, 16, 16)
    stone = np.array((0.33, 0.32, 0.30)) * (0.7 + 0.5 * tone) * (0.8 + 0.4 * _noise(rng, 16, 4))
    return stone * np.clip(0.45 + joint / 5, 0, 1)


def _gravel(rng: np.random.Generator) -> Float64Array:
    return np.array((0.46, 0.42, 0.35)) * (0.6 + 0.6 * _noise(rng, 8, 6, 0.9)) * _grain(rng, 0.7)


def _rows(period_px: int, rng: np.random.Generator) -> Float64Array:
    """0 between the rows of a field and 1 on them, [N,N,1]; they run along v and waver a little."""
    column, _ = _axes()
    wave = np.cos((column + 5 * _noise(rng, 4, 4)[..., 0]) * 2 * np.pi / period_px)
    return (0.5 - 0.5 * wave)[..., None]


def _soil(rng: np.random.Generator) -> Float64Array:
    soil: Float64Array = np.array((0.25, 0.165, 0.10)) * (0.4 + 0.6 * _rows(32, rng)) * _grain(rng, 0.6)
    return soil * (0.6 + 0.8 * _noise(rng, 8, 6, 0.8))


def _crop(rng: np.random.Generator) -> Float64Array:
    leaf = np.clip(1.6 * _rows(32, rng) * (0.4 + 1.2 * _noise(rng, 24, 4, 0.8)), 0, 1)
    green, earth = np.array((0.13, 0.24, 0.05)), np.array((0.17, 0.13, 0.08))
    crop: Float64Array = (earth + (green - earth) * leaf) * _grain(rng, 0.5)
    return crop


def _grain_field(rng: np.random.Generator) -> Float64Array:
    """Ripe corn, and the two tracks that the sprayer leaves in it."""
    column, _ = _axes()
    track = np.minimum(np.abs(column - 110), np.abs(column - 146))[..., None] < 4
    ripe = np.array((0.50, 0.385, 0.155)) * (0.65 + 0.55 * _noise(rng, 40, 3, 0.9)) * _grain(rng, 0.5)
    return np.where(track, ripe * np.array((0.5, 0.55, 0.6)), ripe)


def _ribbed(rng: np.random.Generator) -> Float64Array:
    return np.ones(3) * 0.62 * (0.7 + 0.3 * _rows(16, np.random.default_rng(0))) * (0.8 + 0.3 * _noise(rng, 4, 6, 0.7))


def _hide(rng: np.random.Generator) -> Float64Array:
    patch = _noise(rng, 3, 4, 0.45) > 0.5
    return np.where(patch, np.array((0.05, 0.045, 0.04)), np.array((0.70, 0.66, 0.60))) * _grain(rng, 0.2)


def _lake(rng: np.random.Generator) -> Float64Array:
    """Crests of ripples, three times as long as wide; the colour is the tint of the water."""
    column, row = (axis.astype(int) for axis in _axes())
    noise = _noise(rng, 8, 4, 0.6)[row * 3 % SIZE, column]
    crest = 1 - np.abs(2 * noise - 1)
    ripples: Float64Array = np.ones(3) * (0.45 + 0.55 * crest**3)
    return ripples


FIELD_PAINTERS: Mapping[Material, _Painter] = {
    Material.RUBBLE: _rubble,
    Material.COBBLES: _cobbles,
    Material.GRAVEL: _gravel,
    Material.SOIL: _soil,
    Material.CROP: _crop,
    Material.GRAIN: _grain_field,
    Material.RIBBED: _ribbed,
    Material.HIDE: _hide,
    Material.LAKE: _lake,
}
