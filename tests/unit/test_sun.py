"""The sun's place against published examples and against what everybody knows of it."""

import calendar
import math

import pytest

from airsim_seg.builtin.sun import Horizontal, equatorial, sun_position, towards


def at(*date):
    """Seconds since 1970 of a date and time, UTC."""
    return calendar.timegm((*date, 0, 0, 0))


def test_the_example_of_the_solar_position_algorithm():
    """Reda and Andreas, Solar Position Algorithm, NREL/TP-560-34302 (2008), table A5.1: Golden, Colorado."""
    place = sun_position(at(2003, 10, 17, 19, 30, 30), 39.742476, -105.1786)
    assert place.azimuth_deg == pytest.approx(194.340241, abs=0.01)
    assert place.altitude_deg == pytest.approx(39.872046, abs=0.01)  # without refraction


def test_the_example_of_astronomical_algorithms():
    """Meeus, example 25.a: 13 October 1992, 0 h dynamical time, which was 59 s ahead of the clocks."""
    sun = equatorial(at(1992, 10, 13, 0, 0, 0) - 59)
    assert math.degrees(sun.right_ascension) % 360 == pytest.approx(198.38083, abs=0.001)
    assert math.degrees(sun.declination) == pytest.approx(-7.78507, abs=0.001)


@pytest.mark.parametrize(
    ("date", "latitude", "azimuth", "altitude"),
    [
        ((2024, 6, 20, 12, 2, 0), 23.44, None, 90.0),  # solstice: overhead at noon on the Tropic of Cancer
        ((2024, 12, 21, 11, 58, 0), 50.0, 180.0, 90 - 50 - 23.44),
        ((2024, 3, 20, 12, 7, 0), 0.0, None, 90.0),  # equinox: overhead on the equator
        ((2024, 6, 20, 12, 2, 0), 90.0, 180.0, 23.44),  # the pole's sun turns at one height
    ],
)
def test_noon_in_greenwich(date, latitude, azimuth, altitude):
    place = sun_position(at(*date), latitude, 0.0)
    assert place.altitude_deg == pytest.approx(altitude, abs=0.5)
    assert azimuth is None or place.azimuth_deg == pytest.approx(azimuth, abs=1.0)


def test_it_rises_in_the_east_and_sets_in_the_west_at_an_equinox():
    assert sun_position(at(2024, 3, 20, 6, 7, 0), 45.0, 0.0).azimuth_deg == pytest.approx(90, abs=1)
    assert sun_position(at(2024, 3, 20, 18, 7, 0), 45.0, 0.0).azimuth_deg == pytest.approx(270, abs=1)


def test_a_place_on_the_sky_as_a_vector():
    assert towards(Horizontal(90.0, 0.0)) == pytest.approx((0, 1, 0))
    assert towards(Horizontal(180.0, 30.0)) == pytest.approx((-math.sqrt(0.75), 0, -0.5))
