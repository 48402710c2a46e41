"""Weather and hours: the light changes, ids and depths do not, and the order of moments is nothing."""

import math
from itertools import pairwise

import cv2
import numpy as np
import pytest
from small_scenes import floor, garden, looking, scene_of

from airsim_seg.builtin.environments.meshes import box, quad
from airsim_seg.builtin.rendering.falling import fall
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.rendering.sky import Daylight
from airsim_seg.builtin.rendering.weathered import NIGHT, air_mass, daylight_of
from airsim_seg.builtin.scene import STILL, Moment
from airsim_seg.builtin.weather import CLEAR, DAYLIGHT, EFFECTS, Sun, Weather

BASE = Daylight()
VIEW = looking((-6.0, 0.5, -4.0), pitch_deg=-15, size_hw=(96, 128))


def sun(elevation_deg: float, azimuth_deg: float = 228.0, intensity: float | None = None) -> Sun:
    e, a = math.radians(elevation_deg), math.radians(azimuth_deg)
    return Sun((math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), -math.sin(e)), intensity)


MOMENTS = {name: Moment(weather=Weather(**{name: 1.0})) for name in EFFECTS}
MOMENTS |= {f"sun {e}": Moment(sun=sun(e, 120.0)) for e in (60, 20, 1, -4, -40)}
MOMENTS |= {"bright": Moment(sun=Sun(None, 20.0)), "wet night": Moment(sun=sun(-9), weather=Weather(road_wetness=0.7))}


@pytest.fixture(scope="module")
def drawn() -> Rasteriser:
    return Rasteriser(garden(), shadow_map_size=512)


@pytest.mark.parametrize(("elevation_deg", "mass"), [(90, 1.0), (60, 1.154), (30, 1.995), (10, 5.586), (0, 37.92)])
def test_air_mass_is_kasten_and_youngs(elevation_deg: float, mass: float) -> None:
    """Their table II (1989) and the formula's own value at the horizon."""
    assert air_mass(elevation_deg) == pytest.approx(mass, rel=2e-3)


def test_nothing_changed_is_the_environments_own_light() -> None:
    assert daylight_of(BASE, DAYLIGHT, CLEAR) is BASE
    own = sun(BASE.sun_elevation_deg, BASE.sun_azimuth_deg)
    assert daylight_of(BASE, own, CLEAR) is BASE


def test_ids_and_depths_know_no_weather(drawn: Rasteriser) -> None:
    still = drawn.render(VIEW)
    for name, moment in MOMENTS.items():
        picture = drawn.render(VIEW, moment)
        assert np.array_equal(picture.object_index, still.object_index), name
        assert np.array_equal(picture.depth_m, still.depth_m), name


def test_every_effect_is_seen(drawn: Rasteriser) -> None:
    still = drawn.render(VIEW).rgb.astype(int)
    for name, moment in MOMENTS.items():
        assert np.abs(drawn.render(VIEW, moment).rgb - still).mean() > 0, name


@pytest.mark.parametrize("name", ["rain", "snow", "maple_leaf"])
def test_what_falls_falls_with_time_in_front_of_what_is_behind_it(name: str) -> None:
    weather = Weather(**{name: 1.0})

    def fallen(time_ns: int, depth_m: float) -> np.ndarray:
        rgb = np.full((240, 320, 3), 100, np.uint8)
        fall(rgb, np.full((240, 320), depth_m, np.float32), looking(size_hw=(240, 320)), weather, time_ns)
        return np.abs(rgb.astype(int) - 100).sum(2)

    first, later = fallen(0, 100.0), fallen(40_000_000, 100.0)
    assert (first > 0).any()
    assert not np.array_equal(first, later)
    assert np.array_equal(fallen(40_000_000, 100.0), later)
    assert 0 < (fallen(0, 6.0) > 0).sum() < (first > 0).sum()
    assert not fallen(0, 1.9).any()


def test_a_moment_looks_the_same_whatever_was_drawn_before(drawn: Rasteriser) -> None:
    before = {name: drawn.render(VIEW, moment).rgb for name, moment in MOMENTS.items()}
    for name in reversed(MOMENTS):
        assert np.array_equal(drawn.render(VIEW, MOMENTS[name]).rgb, before[name]), name
    fresh = Rasteriser(garden(), shadow_map_size=512)
    assert np.array_equal(drawn.render(VIEW, STILL).rgb, fresh.render(VIEW).rgb)
    assert np.array_equal(fresh.render(VIEW, MOMENTS["sun 20"]).rgb, before["sun 20"])


def test_days_get_darker_and_redder_towards_the_night() -> None:
    lights = [daylight_of(BASE, sun(e), CLEAR) for e in (60, 47, 30, 10, 2, -3, -20)]
    assert all(np.sum(a.sun) >= np.sum(b.sun) for a, b in pairwise(lights))
    assert all(np.sum(a.ambient) >= np.sum(b.ambient) for a, b in pairwise(lights))
    redness = [light.sun[0] / light.sun[2] for light in lights[:5]]
    assert redness == sorted(redness)
    assert lights[-1].sun == (0, 0, 0)
    assert lights[-1].ambient == NIGHT


def test_twice_the_intensity_is_twice_the_sun() -> None:
    assert daylight_of(BASE, Sun(None, 20.0), CLEAR).sun == pytest.approx([2 * s for s in BASE.sun])
    assert daylight_of(BASE, Sun(None, 0.0), CLEAR).sun == (0, 0, 0)


@pytest.mark.parametrize("azimuth_deg", [0.0, 90.0, 180.0, 270.0])
def test_shadows_fall_away_from_the_sun(azimuth_deg: float) -> None:
    post = box((-0.25, -0.25, 0), (0.25, 0.25, 3), Material.SIDING)
    far = box((29, 29, 0), (30, 30, 1), Material.SIDING)
    view = looking((0.0, 0.0, -12.0), pitch_deg=-90, size_hw=(128, 128))  # north is up, east is right
    rgb = (
        Rasteriser(scene_of(floor(0.0), post, far), shadow_map_size=1024)
        .render(view, Moment(sun=sun(45, azimuth_deg)))
        .rgb
    )
    dark = rgb.astype(int).sum(2) < 0.6 * np.median(rgb.astype(int).sum(2))
    rows, columns = np.nonzero(dark)
    away = np.array([64 - rows.mean(), columns.mean() - 64])  # north, east
    direction = -np.array([math.cos(math.radians(azimuth_deg)), math.sin(math.radians(azimuth_deg))])
    assert away @ direction > 0.9 * np.linalg.norm(away) > 3


def test_fog_hides_what_is_far_and_snow_lies_on_what_faces_up() -> None:
    near, far = box((8, -2, 0), (9, 2, 4), Material.BRICK), box((80, -30, 0), (81, 30, 40), Material.BRICK)
    renderer = Rasteriser(scene_of(floor(0.0), near, far), shadow_map_size=512)
    view = looking((0.0, 0.0, -2.0), size_hw=(96, 128))
    clear, fog, snow = (
        renderer.render(view, Moment(weather=w)) for w in (CLEAR, Weather(fog=1.0), Weather(road_snow=1.0))
    )
    wall, hidden, ground = (clear.object_index == k for k in (1, 2, 0))
    grey = np.median(fog.rgb[fog.object_index < 0], axis=0)
    unlike_fog = [np.abs(fog.rgb[seen] - grey).mean() for seen in (wall, hidden)]
    assert unlike_fog[0] > 25 > 6 > unlike_fog[1]
    against_sky = [abs(int(np.median(p.rgb[hidden])) - int(np.median(p.rgb[p.object_index < 0]))) for p in (fog, clear)]
    assert against_sky[0] < 12 < 40 < against_sky[1]
    assert snow.rgb[ground].mean() > clear.rgb[ground].mean() + 10
    upright = np.abs(snow.rgb[wall].astype(int) - clear.rgb[wall]).max(1)  # at its foot pixels are half ground
    assert (upright == 0).mean() > 0.9


def test_nothing_that_falls_lies_on_water() -> None:
    """A pool and a lake in a concrete floor, in snow, leaves and wet, each under the same sky as without."""
    north, south = (
        quad((n, -4, 0.1), (n + 4, -4, 0.1), (n + 4, 4, 0.1), (n, 4, 0.1), material=material)
        for n, material in ((2, Material.WATER), (8, Material.LAKE))
    )
    renderer = Rasteriser(scene_of(floor(0.0), north, south), shadow_map_size=512)
    view = looking((0.0, 0.0, -4.0), pitch_deg=-40, size_hw=(96, 128))
    plain = renderer.render(view)
    for lying in (Weather(road_snow=1.0), Weather(road_leaf=1.0), Weather(road_wetness=1.0)):
        picture = renderer.render(view, Moment(weather=lying))
        inside = [pure(plain.object_index == k) for k in (1, 2)]
        assert all((picture.rgb[seen] == plain.rgb[seen]).all() and seen.sum() > 50 for seen in inside), lying
        assert (picture.rgb != plain.rgb).any(2)[plain.object_index == 0].mean() > 0.5


def pure(seen: np.ndarray) -> np.ndarray:
    """Without the pixels at the rim, of which other things have a share."""
    return np.asarray(cv2.erode(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)


def test_no_sun_glints_in_water_by_night() -> None:
    """The light's direction stays a little above the horizon when the sun is below it."""
    lake = quad((5, -60, 0), (400, -60, 0), (400, 60, 0), (5, 60, 0), material=Material.LAKE)
    renderer = Rasteriser(scene_of(lake), shadow_map_size=64)
    towards_sun = looking((0.0, 0.0, -2.0), pitch_deg=-5, size_hw=(96, 128))
    evening, night = (renderer.render(towards_sun, Moment(sun=sun(e, 0.0))) for e in (4, -20))
    water = [p.rgb[pure(p.object_index == 0)].max() for p in (evening, night)]
    assert water[0] > 240 > 110 > water[1]
