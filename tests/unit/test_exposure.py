"""Exposure against a naive one, pixel by pixel."""

import math

import numpy as np
import pytest

from airsim_seg.builtin.exposure import DAYLIGHT, FIXED, Exposure, exposed

RNG = np.random.default_rng(4)
PICTURE = RNG.integers(0, 256, (20, 30, 3), np.uint8)


def light(level: int) -> float:
    v = level / 255
    return v / 12.92 if v <= 0.04045 else math.pow((v + 0.055) / 1.055, 2.4)


def mean_luminance(bgr: np.ndarray) -> float:
    return float(np.mean([0.0722 * light(b) + 0.7152 * light(g) + 0.2126 * light(r) for b, g, r in bgr.reshape(-1, 3)]))


def brightened(bgr: np.ndarray, factor: float) -> np.ndarray:
    def one(level: int) -> int:
        value = min(1.0, light(level) * factor)
        return round(255 * (12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))

    return np.array([[one(int(level)) for level in pixel] for pixel in bgr.reshape(-1, 3)]).reshape(bgr.shape)


def test_nothing_asked_for_is_the_picture_itself() -> None:
    assert exposed(PICTURE, FIXED) is PICTURE
    assert (exposed(PICTURE, Exposure(0.0, (DAYLIGHT, DAYLIGHT))) == PICTURE).all(), (
        "a fixed exposure, by Unreal's trick"
    )


@pytest.mark.parametrize("bias_ev", [-2.7, -0.5, 1.1, 2.5])
def test_bias_is_a_power_of_two_of_light(bias_ev: float) -> None:
    assert (exposed(PICTURE, Exposure(bias_ev)) == brightened(PICTURE, 2.0**bias_ev)).all()


@pytest.mark.parametrize("scale", [0.15, 0.5, 1.0])
@pytest.mark.parametrize("limits", [(0.03, 0.64), (0.2, 0.25), (1e-4, 100.0)])
def test_brightness_is_brought_to_daylight_within_the_limits(scale: float, limits: tuple[float, float]) -> None:
    picture = (PICTURE * scale).astype(np.uint8)
    adapted_to = min(limits[1], max(limits[0], mean_luminance(picture)))
    assert (exposed(picture, Exposure(0.0, limits)) == brightened(picture, DAYLIGHT / adapted_to)).all()


def test_black_and_white_stay() -> None:
    for level in (0, 255):
        flat = np.full((4, 4, 3), level, np.uint8)
        assert set(np.unique(exposed(flat, Exposure(3.0)))) <= {level}
        assert np.isfinite(exposed(flat, Exposure(0.0, (1e-4, 1.0)))).all()
