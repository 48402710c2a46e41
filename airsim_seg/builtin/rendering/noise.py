"""Tileable value noise: the raw material of textures, clouds and stains."""

import numpy as np

from airsim_seg.types import Float64Array


def fractal_noise(
    size: int, rng: np.random.Generator, *, cells: int = 4, octaves: int = 6, persistence: float = 0.55
) -> Float64Array:
    """Sum of smoothed random grids, each twice as fine as the last.

    Args:
        size: side of the square, pixels.
        rng: where the grids come from.
        cells: grid cells along a side of the coarsest octave.
        octaves: how many grids.
        persistence: strength of each octave relative to the one before.

    Returns:
        float64 [size,size], 0..1, repeating without a seam.
    """
    total = np.zeros((size, size))
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        count = min(cells << octave, size)
        total += weight * _smooth_grid(rng.random((count, count)), size)
        weights += weight
        weight *= persistence
    return total / weights


def _smooth_grid(grid: Float64Array, size: int) -> Float64Array:
    count = len(grid)
    at = np.arange(size) * count / size
    left = at.astype(np.int64)
    part = at - left
    part = part * part * (3 - 2 * part)
    right = (left + 1) % count
    rows = grid[left] * (1 - part)[:, None] + grid[right] * part[:, None]
    result: Float64Array = rows[:, left] * (1 - part) + rows[:, right] * part
    return result
