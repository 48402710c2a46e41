"""A camera that opens in the dark and closes in the light, where settings.json asks for it.

Without it every picture of one sun has one exposure, and that is what AirSim's own pictures show: in the reference
captures of AirSimNH (482 frames with road in them, at noon) the brightness of sunlit road does not follow that of the
picture around it (slope of the logarithms 0.08, r 0.15; full adaptation would be -1).

The adaptation is Unreal's in outline ("Auto Exposure (Eye Adaptation)", basic): a picture's mean luminance, held
between the least and the most brightness that the camera adapts to, is brought to a constant, and the bias moves that
by powers of two. It happens at once, as with AirSim's default speed of 100, and looks at the picture itself, not at
those before it: the same view gives the same bytes.
"""

from dataclasses import dataclass

import numpy as np

from airsim_seg import elementary
from airsim_seg.types import Float64Array, UInt8Array

# Mean linear luminance of the same captures: a picture as bright as they are stays as it is.
DAYLIGHT = 0.34
# AirSimSettings.hpp, CaptureSetting.
LEAST, MOST = 0.03, 0.64
_BGR_WEIGHTS = (0.0722, 0.7152, 0.2126)  # ITU-R BT.709 luminance


@dataclass(frozen=True)
class Exposure:
    """How bright the Scene is taken.

    Attributes:
        bias_ev: powers of two by which it is brighter.
        range: least and most mean luminance that the camera adapts to, linear, 0 to 1; None: it does not adapt.
    """

    bias_ev: float = 0.0
    range: tuple[float, float] | None = None


FIXED = Exposure()


def exposed(bgr: UInt8Array, exposure: Exposure) -> UInt8Array:
    """A picture as the camera takes it.

    Args:
        bgr: uint8 [H,W,3], sRGB, at the renderer's own exposure.
        exposure: of the camera.

    Returns:
        uint8 [H,W,3]; the same array where nothing changes.
    """
    if exposure == FIXED:
        return bgr
    linear = _linear()
    factor = float(elementary.power(2.0, exposure.bias_ev))
    if exposure.range is not None:
        least, most = exposure.range
        factor *= DAYLIGHT / min(most, max(least, _luminance(bgr, linear)))
    levels = [_encoded(min(1.0, light * factor)) for light in linear.tolist()]
    return np.array(levels, np.uint8)[bgr]


def _luminance(bgr: UInt8Array, linear: Float64Array) -> float:
    """The mean of a picture, 0 to 1, from counts of its levels: whole numbers, in any order the same."""
    lights: list[float] = linear.tolist()
    total = 0.0
    for k, weight in enumerate(_BGR_WEIGHTS):
        counts: list[int] = np.bincount(bgr[..., k].ravel(), minlength=256).tolist()
        total += weight * sum(light * count for light, count in zip(lights, counts, strict=True))
    return total / (bgr.size // 3)


def _linear() -> Float64Array:
    """float64 [256]: the light of each sRGB level (IEC 61966-2-1)."""
    levels = [k / 255 for k in range(256)]
    return np.array([v / 12.92 if v <= 0.04045 else elementary.power((v + 0.055) / 1.055, 2.4) for v in levels])


def _encoded(light: float) -> int:
    value = 12.92 * light if light <= 0.0031308 else 1.055 * elementary.power(light, 1 / 2.4) - 0.055
    return round(255 * value)
