"""Where the sun stands, from the date, the time and the place.

Source: J. Meeus, Astronomical Algorithms, 2nd ed. (1998), chapters 12, 13, 22 and 25 (low accuracy, 0.01 degrees
between 1800 and 2200), as NOAA's solar calculator uses it. Refraction is left out, and so is the minute by which the
Earth's rotation lags behind atomic clocks: together less than the sun's own width above 5 degrees of altitude. Its
direction is the same bits on every machine.
"""

import math
from typing import NamedTuple

from airsim_seg.elementary import asin, atan2, cos, sin

# The Julian day numbers of 1 January 1970, 0 h, and of the epoch J2000.
UNIX_EPOCH_JD, J2000_JD = 2440587.5, 2451545.0
DAY_S, DAYS_PER_CENTURY = 86_400.0, 36_525.0


class Equatorial(NamedTuple):
    """A place on the sky, radians: right ascension and declination."""

    right_ascension: float
    declination: float


class Horizontal(NamedTuple):
    """A place on the sky, degrees: azimuth from north over east in [0, 360), altitude above the horizon."""

    azimuth_deg: float
    altitude_deg: float


def equatorial(unix_s: float) -> Equatorial:
    """The sun's apparent place (Meeus, chapter 25).

    Args:
        unix_s: seconds since 1970, UTC.
    """
    t = (unix_s / DAY_S + UNIX_EPOCH_JD - J2000_JD) / DAYS_PER_CENTURY
    mean_longitude = 280.46646 + t * (36_000.76983 + 0.0003032 * t)
    anomaly = math.radians(357.52911 + t * (35_999.05029 - 0.0001537 * t))
    centre = (
        (1.914602 - t * (0.004817 + 0.000014 * t)) * sin(anomaly)
        + (0.019993 - 0.000101 * t) * sin(2 * anomaly)
        + 0.000289 * sin(3 * anomaly)
    )
    node = math.radians(125.04 - 1934.136 * t)
    longitude = math.radians(mean_longitude + centre - 0.00569 - 0.00478 * sin(node))
    obliquity_s = 84_381.448 - t * (46.8150 + t * (0.00059 - 0.001813 * t))
    obliquity = math.radians(obliquity_s / 3600 + 0.00256 * cos(node))
    right_ascension = atan2(cos(obliquity) * sin(longitude), cos(longitude))
    return Equatorial(right_ascension, asin(sin(obliquity) * sin(longitude)))


def sun_position(unix_s: float, latitude_deg: float, longitude_deg: float) -> Horizontal:
    """Where somebody on the Earth sees the sun.

    Args:
        unix_s: seconds since 1970, UTC.
        latitude_deg: positive north.
        longitude_deg: positive east.
    """
    sun = equatorial(unix_s)
    days = unix_s / DAY_S + UNIX_EPOCH_JD - J2000_JD
    t = days / DAYS_PER_CENTURY
    # Meeus (12.4): the turn of the Earth, degrees.
    sidereal_deg = 280.46061837 + 360.98564736629 * days + 0.000387933 * t * t
    hour_angle = math.radians((sidereal_deg + longitude_deg) % 360) - sun.right_ascension
    latitude = math.radians(latitude_deg)
    east = -cos(sun.declination) * sin(hour_angle)
    towards_pole, across = sin(sun.declination), cos(sun.declination) * cos(hour_angle)
    north = towards_pole * cos(latitude) - across * sin(latitude)
    up = towards_pole * sin(latitude) + across * cos(latitude)
    return Horizontal(math.degrees(atan2(east, north)) % 360, math.degrees(asin(max(-1.0, min(1.0, up)))))


def towards(place: Horizontal) -> tuple[float, float, float]:
    """The unit vector (north, east, down) that points at a place on the sky."""
    azimuth, altitude = math.radians(place.azimuth_deg), math.radians(place.altitude_deg)
    return (
        cos(altitude) * cos(azimuth),
        cos(altitude) * sin(azimuth),
        -sin(altitude),
    )
