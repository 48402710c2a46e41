"""What falls through the air: rain, snow, leaves. It is drawn over the finished picture: no id or depth knows of it.

Drops are points in front of the camera, at fixed places across the picture and depths, that fall at their speed and
come in again at the top: a function of the time alone. What stands nearer hides them.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from airsim_seg.builtin.scene import View
from airsim_seg.builtin.weather import Weather
from airsim_seg.types import Float32Array, UInt8Array

NEAR_M, FAR_M = 2.0, 25.0
SUB_PIXELS = 4  # binary places of OpenCV's coordinates


@dataclass(frozen=True)
class Kind:
    """One thing that falls.

    Attributes:
        speed_mps: downwards; rain's is that of a 2 mm drop (Gunn and Kinzer 1949: 6.5 m/s).
        length_m: of the streak that it leaves while the shutter is open, its own size included.
        width_m: of the streak.
        most: how many there are in a picture of 640x480 at full strength.
        colour: sRGB.
        opacity: 0..1.
        sway_m: how far it swings sideways.
    """

    speed_mps: float
    length_m: float
    width_m: float
    most: int
    colour: tuple[int, int, int]
    opacity: float
    sway_m: float = 0.0


RAIN = Kind(6.5, 0.14, 0.004, 1100, (205, 212, 220), 0.38)
SNOW = Kind(1.2, 0.012, 0.011, 2200, (245, 247, 250), 0.8, 0.15)
LEAVES = Kind(0.9, 0.035, 0.03, 60, (168, 92, 24), 0.95, 0.5)


def fall(rgb: UInt8Array, depth_m: Float32Array, view: View, weather: Weather, time_ns: int) -> None:
    """Draw what falls at a time over a picture.

    Args:
        rgb: uint8 [H,W,3]; changed in place.
        depth_m: float32 [H,W], along the optical axis.
        view: of the picture.
        weather: how much of each falls.
        time_ns: of the simulation.
    """
    for seed, (kind, amount) in enumerate(((RAIN, weather.rain), (SNOW, weather.snow), (LEAVES, weather.maple_leaf))):
        if amount > 0:
            _draw(rgb, depth_m, view, kind, amount, seed, time_ns)


def _draw(
    rgb: UInt8Array, depth_m: Float32Array, view: View, kind: Kind, amount: float, seed: int, time_ns: int
) -> None:
    if view.is_parallel and kind.length_m * view.metre_px < 1:
        return  # on a map no drop is a pixel long
    height, width = depth_m.shape
    count = round(kind.most * amount * height * width / (480 * 640))
    # Places as shares of the picture, and depths so that every layer of air has as many: farther ones are smaller.
    across, down, layer, phase = np.random.default_rng(seed).random((4, count))
    depth = NEAR_M * (FAR_M / NEAR_M) ** layer
    seconds = time_ns % 10**12 / 1e9
    scale = np.full_like(depth, view.metre_px) if view.is_parallel else view.metre_px / depth
    tall = height + kind.length_m * scale
    y = (down * tall + kind.speed_mps * seconds * scale) % tall
    x = across * width + kind.sway_m * np.sin(2 * np.pi * (phase + 0.4 * seconds)) * scale
    column, row = np.clip(x, 0, width - 1).astype(int), np.clip(y, 0, height - 1).astype(int)
    seen = depth_m[row, column] > depth
    mask = np.zeros((height, width), np.uint8)
    ends = np.round(np.stack([x, y - kind.length_m * scale, x, y], 1)[seen] * 2**SUB_PIXELS).astype(int)
    thickness = np.maximum(np.round(kind.width_m * scale[seen]), 1).astype(int)
    # A streak thinner than a pixel is paler, not invisible.
    strength = 255 * kind.opacity * np.clip(kind.width_m * scale[seen] * 2, 0.25, 1)
    for (x0, y0, x1, y1), thick, value in zip(ends.tolist(), thickness.tolist(), strength.tolist(), strict=True):
        cv2.line(mask, (x0, y0), (x1, y1), (value,), thick, cv2.LINE_AA, SUB_PIXELS)
    alpha = mask[..., None].astype(np.float32) / np.float32(255)
    rgb[:] = np.rint(rgb + (np.array(kind.colour, np.float32) - rgb) * alpha)
