"""Noise on a picture, by the NoiseSettings of settings.json.

AirSim draws it with a material that only Unreal can open (HUDAssets/CameraSensorNoise). These are our formulas, after
what its docs/settings.md says that each number does. In one place that cannot be meant: it calls RandSize the number of
pixels that share a value, and its default of 500 would leave one value for the whole picture; here it is how many
values there are across the picture.
"""

import math

import numpy as np

from airsim_seg import elementary
from airsim_seg.builtin.camera_settings import NoiseSettings
from airsim_seg.builtin.sensors.noise import generator
from airsim_seg.types import Float32Array, UInt8Array

# The bump runs down the picture once in this time, and is so high, as a share of the picture, at HorzWaveVertSize 1.
WAVE_PERIOD_S, WAVE_HEIGHT = 1.0, 0.1


def noisy(bgr: UInt8Array, own: NoiseSettings, key: str, time_ns: int) -> UInt8Array:
    """Disturb a picture.

    Args:
        bgr: uint8 [H,W,3].
        own: how.
        key: tells the camera and the world; the same key and time give the same noise.
        time_ns: the clock.

    Returns:
        uint8 [H,W,3].
    """
    values = _waved(bgr.astype(np.float32), own, time_ns)
    values = _shaken(values, own, generator(f"{key}/rows/{time_ns}"))
    # At a RandSpeed of 1 the pattern stands; at AirSim's default of 100,000 every picture has one of its own.
    pattern = math.floor(max(0.0, own.rand_speed - 1) * time_ns / 1e9)
    values = _speckled(values, own, generator(f"{key}/speckles/{pattern}"))
    values = _lined(values, own, generator(f"{key}/lines/{time_ns}"))
    disturbed: UInt8Array = np.rint(values.clip(0, 255)).astype(np.uint8)
    return disturbed


def _mixed(values: Float32Array, others: Float32Array, share: Float32Array | float) -> Float32Array:
    mixed: Float32Array = values + np.clip(share, 0.0, 1.0) * (others - values)
    return mixed


def _moved(values: Float32Array, shift_px: Float32Array) -> Float32Array:
    """Rows moved to the right by shift_px [H], to whole pixels; what leaves on one side repeats the other's edge."""
    height, width = values.shape[:2]
    columns = np.arange(width) - np.rint(shift_px).astype(np.int64)[:, None]
    moved: Float32Array = values[np.arange(height)[:, None], columns.clip(0, width - 1)]
    return moved


def _waved(values: Float32Array, own: NoiseSettings, time_ns: int) -> Float32Array:
    """A ghost of the rows under a bump, moved aside by HorzWaveStrength times the width."""
    height, width = values.shape[:2]
    centre = time_ns / 1e9 / WAVE_PERIOD_S % 1.0
    away = ((np.arange(height) + 0.5) / height - centre) / (WAVE_HEIGHT * max(own.horz_wave_vert_size, 1e-6))
    bump = (1 / (1 + away * away) ** 2).astype(np.float32)
    reached = (np.arange(width) < own.horz_wave_screen_size * width).astype(np.float32)
    ghost = _moved(values, min(own.horz_wave_strength, 1.0) * width * bump)
    return _mixed(values, ghost, own.horz_wave_contrib * bump[:, None, None] * reached[:, None])


def _shaken(values: Float32Array, own: NoiseSettings, rng: np.random.Generator) -> Float32Array:
    """Each row moved to either side by up to HorzDistortionStrength times the width."""
    height, width = values.shape[:2]
    reach_px = min(own.horz_distortion_strength, 1.0) * width
    return _mixed(
        values, _moved(values, reach_px * (2 * rng.random(height, np.float32) - 1)), own.horz_distortion_contrib
    )


def _speckled(values: Float32Array, own: NoiseSettings, rng: np.random.Generator) -> Float32Array:
    """Squares of grey, of which fewer are left the higher RandDensity is: one in e for each above 1."""
    height, width = values.shape[:2]
    side_px = max(1.0, width / max(own.rand_size, 1.0))
    rows = (np.arange(height) / side_px).astype(np.int64)
    columns = (np.arange(width) / side_px).astype(np.int64)
    shape = (rows[-1] + 1, columns[-1] + 1)
    grey = 255 * rng.random(shape, np.float32)
    shown = (rng.random(shape, np.float32) < elementary.exp(min(0.0, 1 - own.rand_density))).astype(np.float32)
    cells = np.ix_(rows, columns)
    return _mixed(values, grey[cells][..., None], own.rand_contrib * shown[cells][..., None])


def _lined(values: Float32Array, own: NoiseSettings, rng: np.random.Generator) -> Float32Array:
    """Grey pixels: HorzNoiseLinesDensityY of those of a row, in HorzNoiseLinesDensityXY of the rows."""
    height, width = values.shape[:2]
    in_row = rng.random((height, 1), np.float32) < own.horz_noise_lines_density_xy
    shown = (in_row & (rng.random((height, width), np.float32) < own.horz_noise_lines_density_y)).astype(np.float32)
    grey = 255 * rng.random((height, width), np.float32)
    return _mixed(values, grey[..., None], own.horz_noise_lines_contrib * shown[..., None])
