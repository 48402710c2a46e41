"""Orthographic views: every metre has as many pixels, however far away it is. Rays, paper and long lenses say so."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ray_caster import disagreements, standing
from small_scenes import floor, garden, looking, scene_of, triangle, wall

from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.flow import flow_px
from airsim_seg.builtin.geometry import shifted
from airsim_seg.builtin.rendering.camera import chunks_for
from airsim_seg.builtin.rendering.falling import fall
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.rendering.sky import Daylight
from airsim_seg.builtin.scene import FAR_DEPTH_M, SKY_INDEX, STILL, Moment, Picture, Scene, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.builtin.weather import Weather
from airsim_seg.errors import UsageError
from airsim_seg.types import Pose

PIXELS = 600
VIEWS = {
    "map": looking((7.0, 0.0, -30.0), pitch_deg=-90, size_hw=(120, 160), ortho_width_m=24.0),
    "map, turned": looking((7.1, 0.3, -30.0), pitch_deg=-90, yaw_deg=33, size_hw=(121, 163), ortho_width_m=20.3),
    "aslant": looking((-9.0, 1.0, -12.0), pitch_deg=-35, yaw_deg=8, roll_deg=5, size_hw=(120, 160), ortho_width_m=16.0),
    "level": looking((-3.0, 0.5, -2.0), size_hw=(90, 160), ortho_width_m=12.0),
    "among the leaves": looking((6.0, -2.0, -4.0), pitch_deg=-20, yaw_deg=130, size_hw=(96, 96), ortho_width_m=6.0),
    "through the shed": looking((11.5, 0.3, -1.7), pitch_deg=-50, yaw_deg=20, size_hw=(96, 96), ortho_width_m=30.0),
    "tall": looking((7.0, 0.0, -30.0), pitch_deg=-70, size_hw=(160, 60), ortho_width_m=9.0),
    "from far up": looking((7.0, 0.0, -3000.0), pitch_deg=-90, size_hw=(96, 128), ortho_width_m=20.0),
}


@cache
def garden_rasteriser(num_threads: int | None = None, samples: int = 2) -> Rasteriser:
    return Rasteriser(garden(), num_threads, shadow_map_size=512, samples=samples)


def draw(scene: Scene, view: View) -> Picture:
    return Rasteriser(scene, shadow_map_size=128).render(view)


@pytest.mark.parametrize("ahead_m", [0.5, 30.0, 2500.0])
def test_a_square_has_its_metres_in_pixels_at_any_distance(ahead_m: float) -> None:
    # 4 m wide and 3 m high, 16 pixels a metre.
    picture = draw(scene_of(wall(ahead_m, (-2, 2), (-1.5, 1.5))), looking(size_hw=(100, 160), ortho_width_m=10.0))
    rows, columns = np.nonzero(picture.object_index == 0)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (26, 74, 48, 112)
    assert len(rows) == 48 * 64
    np.testing.assert_allclose(picture.depth_m[rows, columns], ahead_m, rtol=1e-6)
    assert (picture.depth_m[picture.object_index == SKY_INDEX] == FAR_DEPTH_M).all()


def test_nothing_behind_the_camera_is_drawn_and_what_reaches_there_is_cut_at_its_plane() -> None:
    """The ground rises with the rows: at 45 degrees a row down is as much nearer as it is lower."""
    view = looking((0.0, 0.0, -1.0), pitch_deg=-45, size_hw=(64, 64), ortho_width_m=8.0)
    near, far = (
        triangle((-50, -400, 0), (50, -400, 0), (50, 400, 0)),
        triangle((-50, -400, 0), (50, 400, 0), (-50, 400, 0)),
    )
    behind = wall(-30, (-9, 9), (-9, 9))
    picture = draw(scene_of(near, far, behind), view)
    down_m = (np.arange(64) + 0.5 - 32) / 8
    depth = math.sqrt(2) - down_m
    seen = depth > 0
    assert ((picture.object_index >= 0) == seen[:, None]).all()
    assert (picture.object_index < 2).all()
    np.testing.assert_allclose(picture.depth_m[seen], np.repeat(depth[seen][:, None], 64, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("samples", [1, 2])
def test_ids_and_depths_are_those_that_parallel_rays_meet(name: str, samples: int) -> None:
    picture = garden_rasteriser(samples=samples).render(VIEWS[name])
    assert len(np.unique(picture.object_index)) >= 2, "there is something to see"
    assert disagreements(garden(), VIEWS[name], picture, PIXELS, seed=4) == []


def test_the_oracle_notices_a_camera_that_is_a_centimetre_off() -> None:
    view = VIEWS["map, turned"]
    beside = replace(view, pose=shifted(view.pose, (0.01, 0.01, 0.01)))
    assert disagreements(garden(), beside, garden_rasteriser().render(view), PIXELS, seed=4)


@pytest.mark.parametrize("yaw_deg", [0.0, 90.0, 45.0, 31.0])
@pytest.mark.parametrize("shift_m", [0.0, 0.125, 0.25, 1e-5])
def test_walls_seen_edge_on_hide_nothing(yaw_deg: float, shift_m: float) -> None:
    """Towers of a whole number of pixels: samples lie exactly in line with their walls."""
    towers = [box((x, y, 0), (x + 2, y + 2, 60), Material.SIDING) for x in range(-9, 9, 4) for y in range(-9, 9, 4)]
    scene = scene_of(floor(0.0), *towers)
    view = looking((shift_m, shift_m, -80.0), pitch_deg=-90, yaw_deg=yaw_deg, size_hw=(64, 64), ortho_width_m=16.0)
    picture = draw(scene, view)
    roof, ground = picture.object_index > 0, picture.object_index == 0
    assert (roof | ground).all()
    np.testing.assert_allclose(picture.depth_m[roof], 20.0, rtol=1e-5)
    np.testing.assert_allclose(picture.depth_m[ground], 80.0, rtol=1e-5)
    assert 0.2 < roof.mean() < 0.33, "towers are 8 pixels wide, or 9 where both edges run through pixels' centres"


@pytest.mark.parametrize(("tilt_rad", "yaw_deg", "shift_m"), [(5e-6, 31, 0.25), (3e-5, 31, 0.125)])
def test_nothing_is_higher_than_it_is_where_the_camera_is_almost_upright(
    tilt_rad: float, yaw_deg: float, shift_m: float
) -> None:
    """Walls are a hundredth of a pixel wide: a sample that is a ten-thousandth beside one must not see a steeple."""
    towers = [box((x, y, 0), (x + 2, y + 2, 60), Material.SIDING) for x in range(-9, 9, 4) for y in range(-9, 9, 4)]
    where = (shift_m, shift_m, -80.0)
    pitch_deg = math.degrees(tilt_rad) - 90
    view = looking(where, pitch_deg=pitch_deg, yaw_deg=yaw_deg, size_hw=(512, 512), ortho_width_m=16.0)
    depth_m = draw(scene_of(floor(0.0), *towers), view).depth_m
    assert depth_m.min() > 19.99
    assert depth_m.max() < 80.01


def test_neighbouring_maps_join() -> None:
    """Two tiles are the two halves of one map, pixel by pixel."""
    whole = garden_rasteriser().render(looking((7.0, 0.0, -30.0), pitch_deg=-90, size_hw=(96, 128), ortho_width_m=16.0))
    west, east = (
        garden_rasteriser().render(looking((7.0, side, -30.0), pitch_deg=-90, size_hw=(96, 64), ortho_width_m=8.0))
        for side in (-4.0, 4.0)
    )
    joined = np.hstack([west.object_index, east.object_index])
    assert (joined == whole.object_index).mean() > 0.999
    difference = np.abs(np.hstack([west.rgb, east.rgb]).astype(int) - whole.rgb)
    assert difference.mean() < 0.05


@pytest.mark.parametrize("name", ["map", "map, turned", "aslant"])
def test_colours_and_normals_are_those_of_a_long_lens_from_far_away(name: str) -> None:
    """One degree from 57 widths away: rays within half a degree of parallel. Shadows and textures must be in place."""
    near, still_air = VIEWS[name], Rasteriser(garden(), shadow_map_size=512, daylight=Daylight(haze_per_m=0.0))
    assert near.ortho_width_m is not None
    parallel = still_air.render(near, normals=True)
    middle_m = float(np.median(parallel.depth_m[parallel.object_index >= 0]))  # where both have the same size
    back_m = near.ortho_width_m / 2 / math.tan(math.radians(0.5)) - middle_m
    lens = still_air.render(
        View(shifted(near.pose, -back_m * near.pose.rotation()[:, 0]), near.size_hw, 1.0), normals=True
    )
    alike = parallel.object_index == lens.object_index
    assert alike.mean() > 0.98
    same = alike & (np.abs(lens.depth_m - back_m - parallel.depth_m) < 0.05)
    assert same.mean() > 0.75
    difference = np.abs(parallel.rgb.astype(int) - lens.rgb).max(-1)[same]
    assert (difference <= 8).mean() > 0.95
    assert parallel.normals is not None
    assert lens.normals is not None
    assert (np.abs(parallel.normals - lens.normals).max(-1)[same] < 1e-5).mean() > 0.99


def test_haze_is_that_of_the_distance_from_the_camera() -> None:
    scene = scene_of(wall(100, (-50, 50), (-50, 50)))
    near, far = (draw(scene, looking((100 - m, 0, 0), ortho_width_m=10.0)).rgb.astype(int) for m in (1.0, 900.0))
    pinhole = draw(scene, looking((100 - 900.0, 0, 0), fov_deg=1.0)).rgb.astype(int)
    assert np.abs(near - far).mean() > 5
    assert np.abs(pinhole - far).mean() < 3


def test_the_sky_has_one_colour() -> None:
    empty = scene_of(wall(-100, (-1, 1), (-1, 1)))
    for pitch_deg in (0.0, 30.0, 90.0):
        rgb = draw(empty, looking(pitch_deg=pitch_deg, ortho_width_m=10.0)).rgb
        pinhole = draw(empty, looking(pitch_deg=pitch_deg, fov_deg=10.0)).rgb
        assert (rgb == rgb[0, 0]).all()
        assert np.abs(rgb[24, 32].astype(int) - pinhole[24, 32]).max() <= 2


def test_pictures_are_the_same_bytes_whatever_was_drawn_before_and_by_however_many() -> None:
    alone = garden_rasteriser(1).render(VIEWS["aslant"], normals=True)
    garden_rasteriser().render(looking((-5.0, 0.0, -2.0), size_hw=(120, 160)))
    garden_rasteriser().render(VIEWS["through the shed"])
    after = garden_rasteriser().render(VIEWS["aslant"], normals=True)
    for one, other in zip(vars(alone).values(), vars(after).values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_pinholes_are_not_touched_by_what_parallel_views_leave_behind() -> None:
    view = looking((-5.0, 0.0, -2.0), size_hw=(120, 160))
    before = Rasteriser(garden(), shadow_map_size=512).render(view)
    garden_rasteriser().render(replace(VIEWS["through the shed"], size_hw=(120, 160)))
    after = garden_rasteriser().render(view)
    assert (before.object_index == after.object_index).all()
    assert (before.rgb == after.rgb).all()
    assert (before.depth_m == after.depth_m).all()


def two_forms() -> Scene:
    """One thing that is fine up to 50 m and coarse beyond."""
    scene = scene_of(wall(10, (-9, 9), (-9, 9)), wall(11, (-9, 9), (-9, 9)))
    ranges = np.array([[0, 50], [50, np.inf]], np.float32)
    return replace(scene, anchors_m=np.full((2, 3), 1.0, np.float32), ranges_m=ranges)


def test_how_finely_things_are_drawn_follows_from_their_size_in_the_picture_alone() -> None:
    """A usual camera, 640 pixels and 90 degrees, has a metre at 50 m as 6.4 pixels: that is 100 m on 640 pixels."""
    scene = two_forms()
    for up_m in (1.0, 3000.0):
        for width_m, fine in ((5.0, True), (99.0, True), (101.0, False), (5000.0, False)):
            view = looking((0, 0, -up_m), pitch_deg=-90, size_hw=(480, 640), ortho_width_m=width_m)
            assert chunks_for(view, scene).tolist() == [fine, not fine]


def test_rain_is_drawn_where_drops_are_a_pixel_long_and_not_on_maps() -> None:
    weather, far = Weather(rain=1.0), np.full((96, 128), 900.0, np.float32)
    for width_m, falls in ((4.0, True), (200.0, False)):
        rgb = np.zeros((96, 128, 3), np.uint8)
        fall(rgb, far, looking(size_hw=(96, 128), ortho_width_m=width_m), weather, 10**9)
        assert rgb.any() == falls
    drawn, closer = np.zeros((96, 128, 3), np.uint8), np.zeros((96, 128, 3), np.uint8)
    fall(drawn, far, looking(size_hw=(96, 128), ortho_width_m=4.0), weather, 10**9)
    fall(closer, np.full((96, 128), 1.0, np.float32), looking(size_hw=(96, 128), ortho_width_m=4.0), weather, 10**9)
    assert not closer.any(), "a wall in front of it hides it"


def test_flow_is_the_same_shift_at_every_depth() -> None:
    scene = scene_of(wall(10, (-50, 0), (-50, 50)), wall(400, (0, 50), (-50, 50)))
    rasteriser = Rasteriser(scene, shadow_map_size=128)
    before, now = (looking((0, east, down), ortho_width_m=16.0) for east, down in ((0.0, 0.0), (0.5, -0.25)))
    flow = flow_px(rasteriser.render(now), now, STILL, before, STILL)
    # 4 pixels a metre; the camera goes right and up, things left and down.
    np.testing.assert_allclose(flow[..., 0], -2.0, atol=1e-5)
    np.testing.assert_allclose(flow[..., 1], 1.0, atol=1e-5)


def test_flow_of_what_moves_between_a_pinhole_and_a_map_is_that_of_its_points() -> None:
    """Each pixel's point is followed by hand."""
    rasteriser, rng = garden_rasteriser(), np.random.default_rng(2)
    views = [VIEWS["aslant"], VIEWS["map, turned"], looking((-8, 0, -6), pitch_deg=-30, size_hw=(120, 160))]
    turn = Pose.from_euler((1.0, -0.5, 0.2), yaw_rad=0.2)
    there = Moment({1: np.column_stack([turn.rotation(), turn.position_m])})
    for now, before in ((views[0], views[1]), (views[1], views[2]), (views[2], views[0])):
        picture = rasteriser.render(now, there)
        flow = flow_px(picture, now, there, before, STILL)
        height, width = now.size_hw
        for y, x in zip(rng.integers(0, height, 80), rng.integers(0, width, 80), strict=True):
            depth, index = float(picture.depth_m[y, x]), picture.object_index[y, x]
            if index == SKY_INDEX:
                assert not flow[y, x].any()
                continue
            off = (np.array([x, y]) + 0.5 - (width / 2, height / 2)) / now.metre_px
            off = off if now.is_parallel else off * depth
            point = now.pose.position_m + now.pose.rotation() @ (depth, *off)
            if index == 1:
                point = turn.rotation().T @ (point - turn.position_m)
            ahead, *aside = before.pose.rotation().T @ (point - before.pose.position_m)
            if ahead <= 0:
                continue
            zoom = before.metre_px * width / before.size_hw[1]
            was = zoom * np.array(aside) / (1.0 if before.is_parallel else ahead)
            here = np.array((x + 0.5 - width / 2, y + 0.5 - height / 2))
            assert flow[y, x] == pytest.approx(here - was, abs=2e-2)


@pytest.mark.parametrize("width_m", [0.0, -5.0, math.nan, math.inf, 1e6])
def test_a_width_that_cannot_be_drawn_is_refused(width_m: float) -> None:
    with pytest.raises(UsageError, match="orthographic width of"):
        garden_rasteriser().render(looking(ortho_width_m=width_m))


@pytest.mark.parametrize("width_m", [0.01, 100_000.0])
def test_the_widest_and_the_narrowest_are_drawn(width_m: float) -> None:
    view = looking((7.0, 0.0, -30.0), pitch_deg=-90, ortho_width_m=width_m)
    picture = garden_rasteriser().render(view)
    assert disagreements(garden(), view, picture, 200, seed=1) == []


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_maps_of_every_environment_are_what_parallel_rays_see(environment: str) -> None:
    """A map of 300 m, one of 60 m with its details, and a picture aslant; traffic on its way, leaves in a wind."""
    scene, rng = build(environment, 0), np.random.default_rng(5)
    rasteriser = Rasteriser(scene, shadow_map_size=256)
    north, east = (float(v) for v in scene.player_start.position_m[:2])
    ground = scene.ground_down_m(north, east)
    wrong = []
    for number, (width_m, up_m, pitch_deg) in enumerate(
        ((300.0, 150.0, -90.0), (60.0, 40.0, -90.0), (120.0, 30.0, -40.0))
    ):
        pose = Pose.from_euler(
            (north, east, ground - up_m), yaw_rad=rng.uniform(0, 6), pitch_rad=math.radians(pitch_deg)
        )
        view = View(pose, (480, 640), 90.0, width_m)
        driven = Traffic(scene.traffic).placements(int(rng.integers(0, 200 * 10**9)))
        moment = Moment(driven, wind_mps=(5.0, 3.0, 0.0), time_ns=10**9)
        picture = rasteriser.render(view, moment)
        wrong += disagreements(standing(scene, moment), view, picture, PIXELS, seed=number)
    assert wrong == []
