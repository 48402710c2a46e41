"""The built-in Lakeside: names, ids, triangles and pictures, and its lake."""

from collections.abc import Callable

import numpy as np
import pytest
from sound_scenes import check_arrays, check_chunks, check_triangles
from uneven_worlds import CHECKS, PICTURE_CHECKS, highest_down_m

from airsim_seg.builtin.environments import build, prefix_of
from airsim_seg.builtin.environments.lakeside_land import make_plan
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("Lakeside", 1)


@pytest.fixture(scope="module")
def renderer(scene: Scene) -> Rasteriser:
    return Rasteriser(scene, shadow_map_size=512)


@pytest.mark.parametrize("check", [check_arrays, check_chunks, check_triangles, *CHECKS])
def test_it_is_sound(scene: Scene, check: Callable[[Scene], None]) -> None:
    check(scene)


@pytest.mark.slow
@pytest.mark.parametrize("check", PICTURE_CHECKS)
def test_its_pictures_are_right(scene: Scene, renderer: Rasteriser, check: Callable[[Scene, Rasteriser], None]) -> None:
    check(scene, renderer)


def test_the_lake_is_level_and_wide_and_what_floats_floats_on_it(scene: Scene) -> None:
    assert scene.ground_down_m(0.0, -150.0) == scene.ground_down_m(80.0, -400.0) == 0.0
    assert scene.ground_down_m(0.0, 150.0) < -8.0  # hills behind the village
    afloat = [o for o in scene.objects if prefix_of(o.name) in ("Sailing_Boat", "Motor_Boat", "Duck", "Buoy")]
    assert len(afloat) >= 20
    places = np.array([o.position_m for o in afloat])
    np.testing.assert_allclose(places[:, 2], 0.0, atol=1e-3)
    np.testing.assert_allclose(highest_down_m(scene, ("Lake",), places[:, :2]), 0.0, atol=0.02)


def test_the_quay_stands_above_the_water_and_the_mole_in_it(scene: Scene) -> None:
    for prefix in ("Quay", "Mole"):
        own = [k for k, o in enumerate(scene.objects) if prefix_of(o.name) == prefix]
        down = scene.triangles_m[np.isin(scene.object_index, own)][..., 2]
        assert down.max() > 1.0
        assert -2.0 < down.min() < -0.9


def test_another_seed_is_another_shore_and_the_roads_are_level_enough() -> None:
    first, second = (make_plan(np.random.default_rng(seed)) for seed in (1, 2))
    assert np.abs(first.shore.course().points_m - second.shore.course().points_m).max() > 1.0
    for road in (*first.roads[:3], *second.roads[:3]):
        assert np.abs(np.diff(road.profile_m) / np.diff(road.course.arc_m)).max() < 0.085
