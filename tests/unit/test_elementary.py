"""Our own sines against fifty digits, and against the C library's where a few units in the last place are enough."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest

from airsim_seg import elementary

RNG_SEED, COUNT = 7, 2000


def draws(low: float, high: float) -> list[float]:
    return np.random.default_rng(RNG_SEED).uniform(low, high, COUNT).tolist()


@pytest.mark.parametrize(
    ("own", "library", "arguments"),
    [
        (elementary.sin, math.sin, draws(-20, 20)),
        (elementary.cos, math.cos, draws(-20, 20)),
        (elementary.tan, math.tan, draws(-1.5, 1.5)),
        (elementary.asin, math.asin, [*draws(-1, 1), 1.0, -1.0]),
        (elementary.acos, math.acos, [*draws(-1, 1), 1.0, 0.0, -1.0]),
        (elementary.exp, math.exp, draws(-30, 30)),
        (elementary.log, math.log, draws(1e-9, 5)),
    ],
    ids=["sin", "cos", "tan", "asin", "acos", "exp", "log"],
)
def test_they_are_right_to_a_few_units_in_the_last_place(
    own: Callable[[float], float], library: Callable[[float], float], arguments: list[float]
) -> None:
    for x in arguments:
        assert abs(own(x) - library(x)) <= 6 * math.ulp(library(x)), x


def test_angles_are_right_in_every_quarter_and_on_the_axes() -> None:
    for x, y in np.random.default_rng(RNG_SEED).normal(size=(COUNT, 2)).tolist():
        assert abs(elementary.atan2(y, x) - math.atan2(y, x)) <= 6 * math.ulp(math.atan2(y, x)), (y, x)
    for x, y in ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1), (3, 3), (-3, 3), (1e-300, 1e300)):
        assert elementary.atan2(y, x) == pytest.approx(math.atan2(y, x), rel=1e-15)


def test_right_angles_are_as_the_library_has_them() -> None:
    for quarters in range(-8, 9):
        angle = quarters * math.pi / 2
        assert elementary.sin(angle) == math.sin(angle)
        assert elementary.cos(angle) == math.cos(angle)
    assert math.copysign(1, elementary.sin(0.0)) == 1


def test_many_angles_at_once_are_right_to_a_few_units_in_the_last_place() -> None:
    angles_deg = np.array([*draws(-720, 720), *range(-360, 361, 45)])
    sines, cosines = elementary.sines_cosines(angles_deg[:, None])
    for angle, sine, cosine in zip(angles_deg.tolist(), sines.ravel().tolist(), cosines.ravel().tolist(), strict=True):
        near = math.radians(math.remainder(angle, 360.0))  # exact but for one rounding
        assert (sine, cosine) == pytest.approx((math.sin(near), math.cos(near)), abs=4e-16), angle
    assert elementary.sines_cosines(np.array([90.0, 180.0, 270.0]))[0].tolist() == [1, 0, -1]


def test_powers_against_fifty_digits() -> None:
    with localcontext() as context:
        context.prec = 50
        for base in draws(0.5, 1.2):
            exact = (Decimal.from_float(4.25588) * Decimal.from_float(base).ln()).exp()
            assert abs(Decimal.from_float(elementary.power(base, 4.25588)) / exact - 1) < Decimal("3e-15")
    assert elementary.power(0.0, 4.25588) == 0.0
    assert elementary.exp(-1e9) == 0.0


def test_the_split_of_the_logarithm_of_two_is_exact() -> None:
    with localcontext() as context:
        context.prec = 50
        rest = Decimal(2).ln() - Decimal.from_float(elementary._LN2_HIGH)
        assert abs(rest / Decimal.from_float(elementary._LN2_LOW) - 1) < Decimal("1e-15")
    assert (elementary._LN2_HIGH * 2**32).is_integer()


def test_large_angles_stay_on_the_circle() -> None:
    for angle in (1e3, 1e6, -1e9):
        assert math.hypot(elementary.sin(angle), elementary.cos(angle)) == pytest.approx(1, rel=1e-15)
        assert elementary.sin(angle) == pytest.approx(math.sin(angle), abs=1e-6)
