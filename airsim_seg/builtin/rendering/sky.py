"""The sky as one square picture of the upper half of the world, and the light that falls from it.

The picture is stereographic: direction (north, east, up) lands at (north, east) / (1 + up), so the horizon is the
unit circle and the zenith its middle.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from airsim_seg.builtin.rendering.noise import fractal_noise
from airsim_seg.types import Float32Array, Float64Array, UInt8Array

MAP_SIZE = 1024
MAP_RADIUS = 1.25  # the picture reaches this far; a little below the horizon
_TONE_STEPS = 8193


@dataclass(frozen=True)
class Daylight:
    """One kind of light. Colours are linear RGB; 1.0 is the light that a white wall turned to the sun sends back.

    Attributes:
        sun_azimuth_deg: where the sun stands, clockwise from north.
        sun_elevation_deg: above the horizon.
        sun: its colour and strength.
        ambient: light from a clear zenith.
        bounce: light from the ground.
        horizon: colour of the sky at the horizon and of the haze.
        zenith: colour of the sky overhead.
        clouds: 0..1, how much of the sky they cover.
        haze_per_m: extinction of the air.
        exposure: factor before the tone curve.
        wet: 0..1, water on what faces up.
        snow: 0..1, snow on what faces up.
        litter: 0..1, fallen leaves on what faces up.
    """

    sun_azimuth_deg: float = 228.0
    sun_elevation_deg: float = 47.0
    sun: tuple[float, float, float] = (2.35, 2.3, 2.05)
    ambient: tuple[float, float, float] = (0.07, 0.115, 0.175)
    bounce: tuple[float, float, float] = (0.075, 0.08, 0.08)
    horizon: tuple[float, float, float] = (0.94, 1.13, 1.27)
    zenith: tuple[float, float, float] = (0.03, 0.34, 0.80)
    clouds: float = 0.3
    haze_per_m: float = 0.0006
    exposure: float = 1.0
    wet: float = 0.0
    snow: float = 0.0
    litter: float = 0.0


def sun_direction(light: Daylight) -> Float64Array:
    """float64 [3], unit vector towards the sun in NED."""
    azimuth, elevation = np.radians(light.sun_azimuth_deg), np.radians(light.sun_elevation_deg)
    flat = np.cos(elevation)
    return np.array((flat * np.cos(azimuth), flat * np.sin(azimuth), -np.sin(elevation)))


@lru_cache(maxsize=4)
def sky_map(light: Daylight, seed: int) -> Float32Array:
    """float32 [1024,1024,4], linear RGB and nothing; row = north, column = east, see above. Shared: do not write."""
    axis = ((np.arange(MAP_SIZE) + 0.5) / MAP_SIZE * 2 - 1) * MAP_RADIUS
    east, north = np.meshgrid(axis, axis)
    square = north**2 + east**2
    up = (1 - square) / (1 + square)
    direction = np.stack([north * (1 + up), east * (1 + up), -up], -1)
    height = np.clip(up, 0, 1)[..., None] ** 0.8
    colour = np.array(light.horizon) * (1 - height) + np.array(light.zenith) * height
    towards = np.clip(direction @ sun_direction(light), 0, 1)[..., None]
    colour = colour + np.array(light.sun) * (0.03 * towards**6 + 0.15 * towards**90)
    cover = _clouds(direction, light.clouds, seed)[..., None]
    white = 0.9 * np.array(light.horizon) + 0.1 * np.array(light.sun)
    table = np.zeros((MAP_SIZE, MAP_SIZE, 4), np.float32)  # four, since kernels read so many at once
    table[..., :3] = colour * (1 - cover) + white * cover
    return table


def _clouds(direction: Float64Array, amount: float, seed: int) -> Float64Array:
    """Cloud cover 0..1 a direction: noise on a flat layer overhead, fading into the haze."""
    up = -direction[..., 2]
    noise = fractal_noise(1024, np.random.default_rng(seed), octaves=7, persistence=0.55)
    far = 70 / np.maximum(up, 0.05)
    rows = (direction[..., 0] * far).astype(np.int64) % 1024
    columns = (direction[..., 1] * far * 0.6).astype(np.int64) % 1024
    cover: Float64Array = np.clip((noise[rows, columns] - 0.62 + 0.25 * amount) * 4, 0, 1) * np.clip(up * 4 - 0.1, 0, 1)
    return cover * 0.7


def tone_curve(exposure: float) -> UInt8Array:
    """uint8 [8193]: linear light times 1024 -> 8-bit sRGB, with a soft shoulder and a crushed toe.

    The real captures are as contrasty: a tenth of their tree pixels is black and the sky is almost white.
    """
    light = np.arange(_TONE_STEPS) / 1024 * exposure
    light = np.maximum(light - 0.012, 0)
    knee = 0.6
    over = np.maximum(light - knee, 0)
    shown = np.minimum(light, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))
    encoded = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * np.maximum(shown, 1e-9) ** (1 / 2.4) - 0.055)
    curve: UInt8Array = np.rint(np.clip(encoded, 0, 1) * 255).astype(np.uint8)
    return curve
