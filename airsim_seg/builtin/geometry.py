"""Turning and joining poses, and a flat piece of the Earth: what vehicles and cameras share."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from airsim_seg import elementary
from airsim_seg.types import Float64Array, Pose

EARTH_RADIUS_M = 6378137.0


def on_grid(values: npt.ArrayLike, step: float) -> Float64Array:
    """The nearest multiples of a step, float64: numbers that differ in their last bits become equal.

    Args:
        values: any shape.
        step: a power of two, so that dividing by it is exact.
    """
    rounded: Float64Array = np.rint(np.asarray(values, np.float64) / step) * step + 0.0  # no -0
    return rounded


def product(left: Float64Array, right: Float64Array) -> Float64Array:
    """Matrix times matrices or vectors: left [...,I,J] @ right [J,K] or [J], summed in the order of J.

    What `@` sums, and with how many roundings, is up to the processor that BLAS finds: ids, poses and all that they
    depend on are products of this kind.
    """
    columns = right[:, None] if right.ndim == 1 else right
    total: Float64Array = left[..., :1] * columns[0]
    for j in range(1, len(columns)):
        total = total + left[..., j : j + 1] * columns[j]
    return total[..., 0] if right.ndim == 1 else total


class GeoPoint(NamedTuple):
    """A place on the Earth: degrees, positive north and east, and metres above the sea."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float


# AirSim's default origin (AirSimSettings.hpp, OriginGeopoint): Redmond, Washington.
HOME = GeoPoint(47.641468, -122.140165, 122.0)


def quaternion_product(left_wxyz: Float64Array, right_wxyz: Float64Array) -> Float64Array:
    """Hamilton product, float64 [4], w first: the turn of `right` in the frame that `left` made."""
    a, b, c, d = left_wxyz
    w, x, y, z = right_wxyz
    return np.array(
        [
            a * w - b * x - c * y - d * z,
            a * x + b * w + c * z - d * y,
            a * y - b * z + c * w + d * x,
            a * z + b * y - c * x + d * w,
        ],
        np.float64,
    )


def attached(parent: Pose, offset: Pose) -> Pose:
    """Pose of a thing that is bolted to `parent` at `offset` (metres in the parent's body axes).

    An offset of zero gives the parent's own numbers back, bit for bit.
    """
    position = parent.position_m + product(parent.rotation(), offset.position_m)
    return Pose(position, quaternion_product(parent.orientation_wxyz, offset.orientation_wxyz))


def shifted(pose: Pose, by_m: npt.ArrayLike) -> Pose:
    """The same pose with `by_m` [3] metres added to its position."""
    return Pose(pose.position_m + np.asarray(by_m, np.float64), pose.orientation_wxyz)


def yaw_of(pose: Pose) -> float:
    """Heading of a pose, radians, 0 = north, positive to the east, in (-pi, pi]."""
    w, x, y, z = pose.orientation_wxyz
    return elementary.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def euler_of(pose: Pose) -> tuple[float, float, float]:
    """Roll, pitch and yaw of a pose, radians, in the order that Pose.from_euler undoes: yaw first, roll last."""
    w, x, y, z = pose.orientation_wxyz
    pitch = elementary.asin(max(-1.0, min(1.0, 2 * (w * y - x * z))))
    return elementary.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)), pitch, yaw_of(pose)


def wrapped_rad(angle_rad: float) -> float:
    """The same angle in [-pi, pi)."""
    return (angle_rad + math.pi) % math.tau - math.pi


def geo_point(position_m: Float64Array, home: GeoPoint = HOME) -> dict[str, float]:
    """Latitude and longitude (degrees) and altitude (metres) of a point of the API's world NED.

    Args:
        position_m: [3], metres.
        home: where the origin is.

    Source: the spherical projection of AirSim's EarthUtils.hpp (azimuthal equidistant about the home point).
    """
    north, east, down = (float(v) for v in position_m)
    x, y = north / EARTH_RADIUS_M, east / EARTH_RADIUS_M
    latitude, longitude = math.radians(home.latitude_deg), math.radians(home.longitude_deg)
    angle = math.hypot(x, y)
    if angle > 0:
        sin_c, cos_c = elementary.sin(angle), elementary.cos(angle)
        sin_home, cos_home = elementary.sin(latitude), elementary.cos(latitude)
        latitude = elementary.asin(cos_c * sin_home + x * sin_c * cos_home / angle)
        longitude += elementary.atan2(y * sin_c, angle * cos_home * cos_c - x * sin_home * sin_c)
    return {
        "latitude": math.degrees(latitude),
        "longitude": math.degrees(longitude),
        "altitude": home.altitude_m - down,
    }


def ned_position(where: Mapping[str, float], home: GeoPoint = HOME) -> Float64Array:
    """The point of the API's world NED, float64 [3], metres, that has a geo_point; its inverse.

    Args:
        where: latitude and longitude, degrees; altitude, metres.
        home: where the origin is.

    Source: the same projection (J. Snyder, Map Projections, 1987, section 25, equations 22-4, 22-5 and 25-2), with
        differences of cosines written as sines, which keeps micrometres near home.
    """
    start, latitude = math.radians(home.latitude_deg), math.radians(where["latitude"])
    north_of_home = math.radians(where["latitude"] - home.latitude_deg)
    turn = math.radians(where["longitude"] - home.longitude_deg)
    x = (
        elementary.sin(north_of_home)
        + 2 * elementary.sin(start) * elementary.cos(latitude) * elementary.sin(turn / 2) ** 2
    )
    y = elementary.cos(latitude) * elementary.sin(turn)
    sine = math.hypot(x, y)
    cosine = (
        elementary.cos(north_of_home)
        - 2 * elementary.cos(start) * elementary.cos(latitude) * elementary.sin(turn / 2) ** 2
    )
    scale = EARTH_RADIUS_M * (elementary.atan2(sine, cosine) / sine if sine > 0 else 1.0)
    return np.array([scale * x, scale * y, home.altitude_m - where["altitude"]])
