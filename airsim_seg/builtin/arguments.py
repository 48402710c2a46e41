"""What a method accepts: rpclib's conversions, one function a type.

rpclib 2.3 takes an integer for a float, a bin for a string and a map with missing or extra keys; it refuses a float for
an integer or an enumeration and an integer for a bool. A refusal reads "std::bad_cast".
"""

import math
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from airsim_seg.types import Float64Array, Pose

T = TypeVar("T")
MAX_NUMBER = 1e9


class ApiError(Exception):
    """A call that AirSim would answer with an exception; the message is the exception's text, without full stop."""


class BadCast(ApiError):
    """An argument of the wrong type."""

    def __init__(self) -> None:
        super().__init__("std::bad_cast")


def boolean(value: object) -> bool:
    """A bool; nothing else."""
    if not isinstance(value, bool):
        raise BadCast
    return value


def integer(value: object) -> int:
    """An int that is no bool, 64 bits as msgpack carries it."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadCast
    return value


def real(value: object) -> float:
    """A float or an int of any size; NaN and infinity pass (see finite)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadCast
    return float(value)


def finite(value: object) -> float:
    """A real number that a vehicle can be given: at most a thousand million, so that no square of it overflows.

    Raises:
        ApiError: NaN, infinite or larger. Real AirSim takes such numbers and never recovers.
    """
    number = real(value)
    if not abs(number) <= MAX_NUMBER:
        raise ApiError(f"{number} is not a number that can be flown, driven or shown")
    return number


def text(value: object) -> str:
    """A str, or a bin of UTF-8."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise BadCast
    return value


def fields(value: object) -> Mapping[str, object]:
    """A map of names; the reader decides which keys it wants."""
    if not isinstance(value, Mapping):
        raise BadCast
    return value


def field(of: Mapping[str, object], key: str, convert: Callable[[object], T], default: T) -> T:
    """One entry of a map, or its default where it is missing."""
    return convert(of[key]) if key in of else default


def list_of(convert: Callable[[object], T]) -> Callable[[object], list[T]]:
    """A converter of arrays whose elements `convert` accepts."""

    def convert_all(value: object) -> list[T]:
        if not isinstance(value, list):
            raise BadCast
        return [convert(element) for element in value]

    return convert_all


def vector(value: object) -> Float64Array:
    """{x_val, y_val, z_val} as float64 [3]; missing components are 0."""
    of = fields(value)
    return np.array([field(of, key, finite, 0.0) for key in ("x_val", "y_val", "z_val")], np.float64)


def quaternion(value: object) -> Float64Array:
    """{w_val, x_val, y_val, z_val} as a unit float64 [4], w first; all zero (which clients do send) means no turn.

    What is a unit already, up to float32 rounding, keeps its bits.
    """
    of = fields(value)
    wxyz = np.array([field(of, key, finite, 0.0) for key in ("w_val", "x_val", "y_val", "z_val")], np.float64)
    norm = math.hypot(*wxyz)
    if norm == 0:
        return np.array([1.0, 0.0, 0.0, 0.0])
    return wxyz if abs(norm - 1) < 1e-6 else wxyz / norm


def pose(value: object) -> Pose:
    """{position, orientation}; see vector and quaternion."""
    of = fields(value)
    return Pose(
        field(of, "position", vector, np.zeros(3)),
        field(of, "orientation", quaternion, np.array([1.0, 0.0, 0.0, 0.0])),
    )


def vector_map(xyz: Float64Array) -> dict[str, float]:
    """A Vector3r for the client."""
    x, y, z = xyz
    return {"x_val": float(x), "y_val": float(y), "z_val": float(z)}


def quaternion_map(wxyz: Float64Array) -> dict[str, float]:
    """A Quaternionr for the client."""
    w, x, y, z = wxyz
    return {"w_val": float(w), "x_val": float(x), "y_val": float(y), "z_val": float(z)}


def pose_map(of: Pose) -> dict[str, dict[str, float]]:
    """A Pose for the client."""
    return {"position": vector_map(of.position_m), "orientation": quaternion_map(of.orientation_wxyz)}
