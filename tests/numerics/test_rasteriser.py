"""Exact ids and depths, on worlds small enough to work out on paper or to cast every ray through."""

import math
import threading
from functools import cache

import numpy as np
import pytest
from ray_caster import disagreements
from small_scenes import floor, garden, looking, scene_of, triangle, wall

from airsim_seg.builtin.environments.meshes import flat
from airsim_seg.builtin.rendering import compiling
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import FAR_DEPTH_M, SKY_INDEX, Picture, Scene, View
from airsim_seg.errors import UsageError
from airsim_seg.types import Pose, camera_matrix


def rasteriser(scene: Scene, **options: int) -> Rasteriser:
    return Rasteriser(scene, shadow_map_size=128, **options)


@cache
def garden_rasteriser(num_threads: int | None = None) -> Rasteriser:
    return Rasteriser(garden(), num_threads, shadow_map_size=512)


def draw(scene: Scene, view: View) -> Picture:
    return rasteriser(scene).render(view)


def test_quad_over_the_right_half_fills_exactly_the_right_half() -> None:
    picture = draw(scene_of(wall(10, (-200, 0), (-200, 200))), looking(size_hw=(48, 64)))
    assert (picture.object_index[:, :32] == SKY_INDEX).all()
    assert (picture.object_index[:, 32:] == 0).all()
    assert (picture.depth_m[:, :32] == FAR_DEPTH_M).all()
    np.testing.assert_allclose(picture.depth_m[:, 32:], 10, rtol=1e-5)


def test_edge_through_a_pixel_is_blended_in_colour_but_not_in_id_or_depth() -> None:
    # The wall's left edge lies 0.6 pixel into column 32: the centre (0.5) is sky, the sample at 1.0 is wall.
    focal = camera_matrix((48, 64), 90)[0, 0]
    picture = draw(scene_of(wall(10, (-200, -0.6 / focal * 10), (-200, 200))), looking(size_hw=(48, 64)))
    assert (picture.object_index[:, 32] == SKY_INDEX).all()
    assert (picture.depth_m[:, 32] == FAR_DEPTH_M).all()
    sky, edge, solid = (picture.rgb[10, column].astype(int) for column in (31, 32, 34))
    assert (np.minimum(sky, solid) - 1 <= edge).all()
    assert (edge <= np.maximum(sky, solid) + 1).all()
    assert (edge != sky).any()
    assert (edge != solid).any()


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(0, 0), (-30, 0), (-90, 0), (-20, 75), (10, 180)])
def test_depth_of_a_plane_is_the_analytic_one(pitch_deg: float, roll_deg: float) -> None:
    view = looking((0, 0, -3.0), pitch_deg=pitch_deg, roll_deg=roll_deg)
    picture = draw(scene_of(floor(0.0)), view)
    y, x = np.mgrid[0:48, 0:64] + 0.5
    rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(camera_matrix((48, 64), 90)).T
    down = (rays[..., [2, 0, 1]] @ view.pose.rotation().T)[..., 2]  # metres down a metre forward
    depth = np.where(down > 0, 3.0 / np.where(down > 0, down, 1), np.inf)
    near_enough = depth < 400
    assert (picture.object_index[near_enough] == 0).all()
    assert (picture.object_index[down <= 0] == SKY_INDEX).all()
    np.testing.assert_allclose(picture.depth_m[near_enough], depth[near_enough], rtol=1e-4)


def test_triangle_that_crosses_the_camera_plane_is_drawn_where_it_is_in_front() -> None:
    # A strip of floor from 50 m behind to 50 m ahead, 1 m below: it fills the picture below the horizon's 50 m line.
    strip = triangle((-50, -400, -1), (50, -400, -1), (50, 400, -1))
    other = triangle((-50, -400, -1), (50, 400, -1), (-50, 400, -1))
    picture = draw(scene_of(strip, other), looking())
    assert (picture.object_index[:24] == SKY_INDEX).all()
    assert (picture.object_index[26:] >= 0).all()
    rows = np.arange(26, 48) + 0.5 - 24
    np.testing.assert_allclose(picture.depth_m[26:], np.repeat((32 / rows)[:, None], 64, 1), rtol=1e-4)


@pytest.mark.parametrize("yaw_deg", [0.0, 90.0, 45.0, 31.0])
def test_a_floor_of_many_tiles_has_no_crack(yaw_deg: float) -> None:
    # Straight down from 32 m at 64 pixels, tiles of 1/2 m: many edges run exactly through samples.
    lines = np.arange(-60, 60.5, 0.5)
    x, y = (a.ravel() for a in np.meshgrid(lines[:-1], lines[:-1]))
    corners = [np.stack([x + dx, y + dy, 0 * x], 1) for dx, dy in ((0, 0), (0.5, 0), (0.5, 0.5), (0, 0.5))]
    a, b, c, d = corners
    tiles = flat(np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]), Material.CONCRETE)
    eye = rasteriser(scene_of(tiles))
    for shift in (0.0, 0.25, 0.125):
        picture = eye.render(looking((shift, shift, -32.0), pitch_deg=-90, yaw_deg=yaw_deg, size_hw=(64, 64)))
        assert (picture.object_index == 0).all()
        np.testing.assert_allclose(picture.depth_m, 32, rtol=1e-4)
        assert picture.rgb.astype(int).sum(-1).std() < 60  # no sample saw the sky through a crack


def test_nothing_behind_the_camera_or_nearer_than_five_centimetres_is_drawn() -> None:
    behind = triangle((-5, -9, -9), (-5, 9, -9), (-5, 0, 9))
    near = wall(0.04, (-9, 9), (-9, 9))
    assert (draw(scene_of(behind, near), looking()).object_index == SKY_INDEX).all()
    assert (draw(scene_of(wall(0.06, (-9, 9), (-9, 9))), looking()).object_index == 0).all()


@pytest.mark.parametrize("order", [(5.0, 9.0), (9.0, 5.0)])
def test_the_nearer_wall_hides_the_farther(order: tuple[float, float]) -> None:
    picture = draw(scene_of(*(wall(d, (-99, 99), (-99, 99)) for d in order)), looking())
    assert (picture.object_index == order.index(5.0)).all()


def test_a_closed_surface_is_not_seen_from_behind() -> None:
    front = wall(5, (-9, 9), (-9, 9))
    assert (draw(scene_of(front), looking((10, 0, 0), yaw_deg=180)).object_index == SKY_INDEX).all()


@pytest.mark.parametrize("size_hw", [(1, 1), (144, 256), (480, 640), (481, 641), (7, 900)])
@pytest.mark.parametrize("fov_deg", [30, 90, 120])
def test_ids_and_depths_equal_brute_force_at_any_size_and_field_of_view(
    size_hw: tuple[int, int], fov_deg: float
) -> None:
    view = looking((-1.0, 0.4, -1.7), yaw_deg=-6, pitch_deg=4, roll_deg=7, size_hw=size_hw, fov_deg=fov_deg)
    picture = garden_rasteriser().render(view)
    assert picture.rgb.shape == (*size_hw, 3)
    assert picture.object_index.shape == picture.depth_m.shape == size_hw
    assert disagreements(garden(), view, picture, 60, seed=int(fov_deg)) == []


@pytest.mark.parametrize(
    "view",
    [
        looking((6, 0, -30), pitch_deg=-90),
        looking((6, -2, -0.3), pitch_deg=90),
        looking((6, -2, -4)),  # inside a crown
        looking((9.9, 0, -1.5)),  # 10 cm before a wall
        looking((0, 0, -2), roll_deg=101),
        looking((8, 4, -4), yaw_deg=123, pitch_deg=-40, roll_deg=-77),
    ],
    ids=["down", "up", "crown", "wall", "rolled", "tumbling"],
)
def test_ids_and_depths_equal_brute_force_from_awkward_places(view: View) -> None:
    assert disagreements(garden(), view, garden_rasteriser().render(view), 150, seed=3) == []


def test_the_oracle_sees_a_picture_that_is_one_pixel_off() -> None:
    view = looking((-1.0, 0.4, -1.7))
    picture = garden_rasteriser().render(view)
    shifted = Picture(picture.rgb, np.roll(picture.object_index, 1, 1), np.roll(picture.depth_m, 1, 1))
    assert disagreements(garden(), view, shifted, 60, seed=1)


def test_the_same_view_gives_the_same_bytes_with_any_number_of_threads() -> None:
    view = looking((-1.0, 0.4, -1.7), size_hw=(97, 131))
    first, again, single = (
        r.render(view) for r in (garden_rasteriser(), garden_rasteriser(), garden_rasteriser(num_threads=1))
    )
    for name in ("rgb", "object_index", "depth_m"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes() == getattr(single, name).tobytes()


def test_anti_aliasing_changes_no_id() -> None:
    view = looking((-1.0, 0.4, -1.7), size_hw=(96, 128))
    plain = Rasteriser(garden(), samples=1, shadow_map_size=128).render(view)
    smooth = garden_rasteriser().render(view)
    assert (plain.object_index != smooth.object_index).mean() < 1e-3
    assert (plain.rgb != smooth.rgb).any()


def test_two_threads_may_draw_at_once() -> None:
    views = [looking((-1.0, 0.1 * k, -1.7)) for k in range(6)]
    alone = [garden_rasteriser().render(v).rgb.tobytes() for v in views]
    together: dict[int, bytes] = {}

    def work(numbers: range) -> None:
        for k in numbers:
            together[k] = garden_rasteriser().render(views[k]).rgb.tobytes()

    threads = [threading.Thread(target=work, args=(range(a, 6, 2),)) for a in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[k] for k in range(6)] == alone


def test_a_shadow_falls_away_from_the_sun() -> None:
    scene = scene_of(floor(0.0, 40.0), wall(3, (-1, 1), (0, 2)))
    view = looking((0, 0, -12), pitch_deg=-90, size_hw=(240, 320))
    rgb = Rasteriser(scene, shadow_map_size=1024).render(view).rgb.astype(int).sum(-1)
    # The sun stands in the south-west (azimuth 228 degrees): the wall's shadow lies to its north-east.
    metre = 160 / 12
    north, south = int(120 - 3.9 * metre), int(120 - 2.1 * metre)
    east, west = int(160 + 1.2 * metre), int(160 - 1.2 * metre)
    assert rgb[north, east] < 0.6 * min(rgb[north, west], rgb[south, west], rgb[south, east])


@pytest.mark.parametrize(
    ("position_m", "wxyz"),
    [((math.nan, 0, 0), (1, 0, 0, 0)), ((0, 0, math.inf), (1, 0, 0, 0)), ((0, 0, 0), (0, 0, 0, 0)),
     ((0, 0, 0), (1, math.nan, 0, 0))],
)  # fmt: skip
def test_a_pose_that_is_not_finite_is_refused(position_m: tuple[float, ...], wxyz: tuple[float, ...]) -> None:
    pose = Pose(np.array(position_m, np.float64), np.array(wxyz, np.float64))
    with pytest.raises(UsageError, match="not a finite pose"):
        garden_rasteriser().render(View(pose, (4, 4), 90.0))


@pytest.mark.parametrize("size_hw", [(0, 4), (4, 0), (-1, 4), (4, 8193)])
def test_a_size_that_cannot_be_drawn_is_refused(size_hw: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="pixels cannot be drawn"):
        garden_rasteriser().render(looking(size_hw=size_hw))


@pytest.mark.parametrize("fov_deg", [0.0, -5.0, 180.0, math.nan])
def test_a_field_of_view_that_cannot_be_drawn_is_refused(fov_deg: float) -> None:
    with pytest.raises(UsageError, match="field of view"):
        garden_rasteriser().render(looking(fov_deg=fov_deg))


def test_kernels_compile_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def njit_without_a_folder(**options: object) -> object:
        asked.append(options.get("cache"))
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compiling, "njit", njit_without_a_folder)
    assert compiling.kernel()(abs)(-3) == 3
    assert asked == [True, None]


def test_a_camera_far_away_sees_the_sky() -> None:
    assert (garden_rasteriser().render(looking((1e7, -1e7, -1e6))).object_index == SKY_INDEX).all()
