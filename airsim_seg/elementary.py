"""Sines and their kin that give the same bits on every machine.

The last bit of math.sin is up to the C library and the processor that it finds, that of np.sin to numpy's vector code;
a pose made of them differs from machine to machine. These are sums, products, quotients and square roots of doubles,
which IEEE 754 rounds in one way only, and exact operations (math.remainder, math.frexp, math.ldexp). They are right to
a few units in the last place, which the tests hold against many digits.

Source: the power series of each function, after the argument was brought near 0 (J.-M. Muller, Elementary Functions,
3rd edition, chapters 4 and 11).
"""

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

_QUARTER = math.pi / 2
_QUARTER_REST = 6.123233995736766e-17  # what the double nearest to pi/2 lacks
_LN2_HIGH = round(math.log(2) * 2**32) / 2**32  # times an exponent it is exact
_LN2_LOW = -4.2009150726810847e-11  # ln 2 less that
_FACTORIALS = tuple(accumulate(range(1, 20), lambda product, n: product * n, initial=1))
# Highest power first. The largest term that is left out is below 1e-18 of the sum.
_SINE = tuple((-1) ** k / _FACTORIALS[2 * k + 1] for k in reversed(range(1, 10)))
_COSINE = tuple((-1) ** k / _FACTORIALS[2 * k] for k in reversed(range(1, 10)))
_ARCTANGENT = tuple((-1) ** k / (2 * k + 1) for k in reversed(range(1, 13)))
_EXPONENTIAL = tuple(1 / _FACTORIALS[k] for k in reversed(range(16)))
_LOGARITHM = tuple(1 / (2 * k + 1) for k in reversed(range(12)))


def _series(coefficients: Sequence[float], x: float) -> float:
    total = 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


def _sine_cosine(angle_rad: float) -> tuple[float, float]:
    turned = math.remainder(angle_rad, math.tau)
    turns, quarters = round((angle_rad - turned) / math.tau), round(turned / _QUARTER)
    x = (turned - quarters * _QUARTER) - (4 * turns + quarters) * _QUARTER_REST
    square = x * x
    sine = x + x * (square * _series(_SINE, square))
    cosine = 1.0 + square * _series(_COSINE, square)
    return ((sine, cosine), (cosine, -sine), (-sine, -cosine), (-cosine, sine))[quarters % 4]


def sin(angle_rad: float) -> float:
    """Sine of an angle, which is finite."""
    return _sine_cosine(angle_rad)[0]


def cos(angle_rad: float) -> float:
    """Cosine of an angle, which is finite."""
    return _sine_cosine(angle_rad)[1]


def sines_cosines(
    angles_deg: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Sines and cosines of many angles; in degrees, so that whole quarters of a turn are taken off without rounding.

    Args:
        angles_deg: float64, any shape, degrees, finite.
    """
    quarters = np.rint(angles_deg / 90.0)
    x = (angles_deg - 90.0 * quarters) * (math.pi / 180.0)
    square = x * x
    sine, cosine = np.zeros_like(x), np.zeros_like(x)
    for of_sine, of_cosine in zip(_SINE, _COSINE, strict=True):
        sine, cosine = sine * square + of_sine, cosine * square + of_cosine
    sine, cosine = x + x * (square * sine), 1.0 + square * cosine
    turn = quarters.astype(np.int64) % 4
    return np.choose(turn, (sine, cosine, -sine, -cosine)), np.choose(turn, (cosine, -sine, -cosine, sine))


def tan(angle_rad: float) -> float:
    """Tangent of an angle, which is finite."""
    sine, cosine = _sine_cosine(angle_rad)
    return sine / cosine


def atan2(y: float, x: float) -> float:
    """Angle of the point (x, y), radians, in [-pi, pi]; 0 for the origin, whatever the signs of its zeros."""
    a, b = abs(x), abs(y)
    if a == b == 0:
        return 0.0
    ratio = min(a, b) / max(a, b)
    # Half the angle twice: at most pi/16 is left for the series.
    for _ in range(2):
        ratio = ratio / (1.0 + math.sqrt(1.0 + ratio * ratio))
    square = ratio * ratio
    angle = 4.0 * (ratio + ratio * (square * _series(_ARCTANGENT, square)))
    if b > a:
        angle = (_QUARTER - angle) + _QUARTER_REST
    if x < 0:
        angle = (math.pi - angle) + 2 * _QUARTER_REST
    return -angle if y < 0 else angle


def asin(sine: float) -> float:
    """Angle in [-pi/2, pi/2] with a sine in [-1, 1]."""
    return atan2(sine, math.sqrt((1.0 - sine) * (1.0 + sine)))


def acos(cosine: float) -> float:
    """Angle in [0, pi] with a cosine in [-1, 1]."""
    return atan2(math.sqrt((1.0 - cosine) * (1.0 + cosine)), cosine)


def exp(x: float) -> float:
    """e to the power of x.

    Args:
        x: at most 709; far below 0 the power is 0.
    """
    doublings = round(max(x, -1e5) / _LN2_HIGH)
    rest = (max(x, -1e5) - doublings * _LN2_HIGH) - doublings * _LN2_LOW
    return math.ldexp(_series(_EXPONENTIAL, rest), doublings)


def log(x: float) -> float:
    """Natural logarithm of x > 0."""
    part, doublings = math.frexp(x)
    if part < math.sqrt(0.5):
        part, doublings = 2 * part, doublings - 1
    # ln p = 2 artanh((p - 1) / (p + 1))
    ratio = (part - 1.0) / (part + 1.0)
    near = 2.0 * ratio * _series(_LOGARITHM, ratio * ratio)
    return doublings * _LN2_HIGH + (near + doublings * _LN2_LOW)


def power(base: float, exponent: float) -> float:
    """A base of at least 0 to any power above 0."""
    return exp(exponent * log(base)) if base > 0 else 0.0
