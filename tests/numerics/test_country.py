"""The built-in Country: names, ids, triangles and pictures, and roads over its hills."""

from collections.abc import Callable

import numpy as np
import pytest
from sound_scenes import check_arrays, check_chunks, check_triangles
from uneven_worlds import CHECKS, PICTURE_CHECKS, highest_down_m

from airsim_seg.builtin.environments import build
from airsim_seg.builtin.environments.country_land import Plan, make_land, make_plan
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("Country", 1)


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


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(np.random.default_rng(1))


def test_roads_follow_the_hills_and_are_nowhere_steep(plan: Plan) -> None:
    for road in plan.roads:
        steps = np.diff(road.course.arc_m)
        assert np.abs(np.diff(road.profile_m) / steps).max() < 0.085
        assert np.ptp(road.profile_m) > 3.0
        x, y = road.course.points_m.T
        assert np.abs(plan.hills.up_m(x, y) - road.profile_m).mean() < 2.0


def test_roads_meet_at_one_height(plan: Plan) -> None:
    main = plan.main.course
    for road in (plan.east, plan.west):
        for end in (0, -1):
            row = ((main.points_m - road.course.points_m[end]) ** 2).sum(1).argmin()
            assert road.profile_m[end] == pytest.approx(plan.main.profile_m[row], abs=1e-9)


def test_a_road_is_level_across_with_a_ditch_on_both_sides(plan: Plan) -> None:
    land = make_land(plan)
    course, edge = plan.east.course, plan.east.half_m
    across = np.array([course.places_m(np.linspace(60.0, 140.0, 9), left) for left in (-2.5, 0.0, 2.5)])
    np.testing.assert_allclose(np.ptp(land.up_m(across[..., 0], across[..., 1]), axis=0), 0, atol=0.08)
    for side in (-1.0, 1.0):
        shoulder, ditch, field = (
            land.up_m(*course.places_m(np.linspace(40.0, 160.0, 30), side * (edge + off)).T) for off in (0.4, 2.5, 4.6)
        )
        assert 0.2 < ((shoulder + field) / 2 - ditch).mean() < 0.7


def test_ponds_lie_in_hollows(scene: Scene, plan: Plan) -> None:
    for pond in plan.ponds:
        assert abs(scene.ground_down_m(pond.x, -pond.y) + pond.up_m) < 2.0**-12, "the grid of heights"
        turns = np.linspace(0, 2 * np.pi, 12)
        around = [scene.ground_down_m(float(pond.x + 16 * np.cos(t)), float(-pond.y - 16 * np.sin(t))) for t in turns]
        assert max(around) < -pond.up_m
        water = highest_down_m(scene, ("Pond",), np.array([[pond.x, -pond.y]]))
        np.testing.assert_allclose(water, -pond.up_m, atol=1e-3)
