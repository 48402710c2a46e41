"""The renderer on a device against rays and against the CPU's: every kind of surface, light and movement."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from gl_device import assert_alike, skip_without_device
from ray_caster import disagreements
from small_scenes import floor, garden, looking, scene_of

from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.rendering.gl.renderer import GlRenderer
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import STILL, Moment, Spawned
from airsim_seg.builtin.weather import Sun, Weather
from airsim_seg.errors import UsageError
from airsim_seg.types import Pose

VIEW = looking((-6.0, 0.5, -4.0), pitch_deg=-15, size_hw=(96, 128))
DOWN = looking((5.0, 0.5, -3.0), pitch_deg=-80, yaw_deg=20, roll_deg=9, size_hw=(120, 90), fov_deg=100.0)
INSIDE_THE_CROWN = looking((6.0, -2.0, -4.0), yaw_deg=130, size_hw=(80, 128))
ACROSS_THE_NEAR_PLANE = looking((9.0, 0.0, -0.04), yaw_deg=4, size_hw=(64, 96))
MAP = looking((7.1, 0.3, -30.0), pitch_deg=-90, yaw_deg=33, size_hw=(121, 163), ortho_width_m=20.3)
ASLANT = looking((-9.0, 1.0, -12.0), pitch_deg=-35, yaw_deg=8, size_hw=(120, 160), ortho_width_m=16.0)
THROUGH_THE_SHED = looking((11.5, 0.3, -1.7), pitch_deg=-50, yaw_deg=20, size_hw=(96, 96), ortho_width_m=30.0)
VIEWS = (VIEW, MAP, DOWN, ASLANT, INSIDE_THE_CROWN, THROUGH_THE_SHED, ACROSS_THE_NEAR_PLANE)
SHED, TREE, FENCE = 1, 2, 4


def placed(shift_m: tuple[float, float, float], yaw_deg: float = 0.0, scale: float = 1.0) -> np.ndarray:
    pose = Pose.from_euler(shift_m, yaw_rad=math.radians(yaw_deg))
    return np.column_stack([pose.rotation() * scale, pose.position_m])


COUNT = len(garden().objects)
COPIES = (Spawned(COUNT + 1, SHED, placed((3.0, -6.0, -0.5), 40.0)), Spawned(COUNT, TREE, placed((0, 4, 0), 0.0, 0.5)))
LOW_SUN = Sun((0.3, 0.9, -0.31), 14.0)
MOMENTS = {
    "still": STILL,
    "moved": Moment({SHED: placed((2.0, 1.0, -1.0), 30.0), FENCE: placed((0.5, 0.0, 0.0), -10.0, 1.4)}),
    "elsewhere": Moment({SHED: placed((-1.0, 4.0, 0.0)), TREE: placed((0.0, 1.0, 0.0), 0.0, 0.7)}),
    "hidden": Moment(hidden=frozenset({TREE, FENCE})),
    "copies": Moment({FENCE: placed((0.5, 0.0, 0.0))}, spawned=COPIES),
    "another sun": Moment(sun=LOW_SUN),
    "moved under it": Moment({SHED: placed((1.0, -2.0, 0.0), 60.0)}, sun=LOW_SUN),
    "leaves lie": Moment(weather=Weather(road_leaf=1.0)),
    "snow lies": Moment(weather=Weather(road_snow=0.6)),
    "wet": Moment(weather=Weather(road_wetness=1.0)),
    "a gale": Moment({TREE: placed((0.0, 1.0, 0.0), 0.0, 0.7)}, time_ns=10**9, wind_mps=(9.0, -5.0, 0.0)),
    "later in it": Moment(time_ns=10**9 + 40_000_000, wind_mps=(9.0, -5.0, 0.0)),
    "rain in fog": Moment(weather=Weather(rain=1.0, fog=0.4), time_ns=10**9),
}


@pytest.fixture(scope="module", autouse=True)
def _device() -> None:
    skip_without_device()


@pytest.fixture(scope="module")
def drawn() -> Iterator[GlRenderer]:
    renderer = GlRenderer(garden(), shadow_map_size=512)
    yield renderer
    renderer.release()


@pytest.fixture(scope="module")
def wanted() -> Rasteriser:
    return Rasteriser(garden(), shadow_map_size=512)


@pytest.mark.parametrize("view", VIEWS)
def test_ids_and_depths_are_those_that_rays_meet(drawn: GlRenderer, view) -> None:
    """Rays in double precision; an edge within 1/256 of a sample of the centre may fall on its other side."""
    assert len(disagreements(garden(), view, drawn.render(view), 400, seed=3)) <= 2


@pytest.mark.parametrize("view", VIEWS)
def test_it_draws_what_the_cpu_draws(drawn: GlRenderer, wanted: Rasteriser, view) -> None:
    assert_alike(drawn.render(view), wanted.render(view))


@pytest.mark.parametrize("name", MOMENTS)
def test_every_moment_looks_as_the_cpu_draws_it(drawn: GlRenderer, wanted: Rasteriser, name: str) -> None:
    """Each after the others: what a moment leaves on the device must not show in the next."""
    for view in (VIEW, ASLANT, DOWN):
        assert_alike(drawn.render(view, MOMENTS[name]), wanted.render(view, MOMENTS[name]))


def test_pictures_are_the_same_bytes_whatever_was_drawn_before(drawn: GlRenderer) -> None:
    first = {name: drawn.render(VIEW, moment, normals=True) for name, moment in reversed(MOMENTS.items())}
    for name, moment in MOMENTS.items():
        again = drawn.render(VIEW, moment, normals=True)
        for field, value in vars(first[name]).items():
            assert np.array_equal(getattr(again, field), value), (name, field)


def test_declared_movers_shade_the_place_where_they_are() -> None:
    """Their shadows are patches on the device's shadow map, wiped off when they go on."""
    world = replace(garden(), movers=frozenset({SHED, TREE}))
    device, host = GlRenderer(world, shadow_map_size=512), Rasteriser(world, shadow_map_size=512)
    for name in ("moved", "elsewhere", "still", "moved", "hidden"):
        assert_alike(device.render(DOWN, MOMENTS[name]), host.render(DOWN, MOMENTS[name]), what=name)
    device.release()


def test_every_material_and_one_sample_a_pixel() -> None:
    """A box of each material, of which water, glass, paint and panes mirror the sky."""
    things = [box((3 * (m // 7), 3 * (m % 7) - 10, 0), (3 * (m // 7) + 2, 3 * (m % 7) - 8, 2), m) for m in Material]
    world = scene_of(floor(-0.5), *things)
    tints = np.random.default_rng(1).uniform(0.3, 1.0, world.tints.shape).astype(np.float32)
    world = replace(world, tints=tints)
    view = looking((-8.0, 0.0, -9.0), pitch_deg=-32, size_hw=(180, 240))
    for samples in (1, 2):
        device = GlRenderer(world, samples=samples, shadow_map_size=512)
        host = Rasteriser(world, samples=samples, shadow_map_size=512)
        for moment in (STILL, Moment(weather=Weather(road_wetness=1.0, road_snow=0.6, road_leaf=0.5))):
            picture = device.render(view, moment)
            assert len(np.unique(picture.object_index)) > 40
            assert_alike(picture, host.render(view, moment), what=(samples, moment.weather))
        device.release()


def test_normals_are_the_cpus(drawn: GlRenderer, wanted: Rasteriser) -> None:
    picture, other = drawn.render(VIEW, normals=True), wanted.render(VIEW, normals=True)
    assert picture.normals is not None
    assert other.normals is not None
    assert picture.sways is not None
    assert (picture.sways == other.sways).mean() > 0.998
    assert (np.abs(picture.normals - other.normals).max(2) < 1e-4).mean() > 0.998
    assert drawn.render(VIEW).normals is None


def test_far_from_the_origin_nothing_trembles() -> None:
    """Twenty kilometres out single precision has steps of 2 mm: here, half a pixel at the corner of a shed."""
    world = scene_of(floor(0.0, 30_000.0), box((20_003, 19_999, 0), (20_005, 20_001, 2), Material.SIDING))
    view = looking((20_002.0011, -20_000.0011, -1.0), yaw_deg=45, pitch_deg=-20, size_hw=(120, 160), fov_deg=10)
    device = GlRenderer(world, shadow_map_size=256)
    picture, wanted = device.render(view), Rasteriser(world, shadow_map_size=256).render(view)
    device.release()
    assert set(np.unique(wanted.object_index)) == {0, 1}
    assert (picture.object_index != wanted.object_index).sum() <= 5
    assert len(disagreements(world, view, picture, 300, seed=5)) <= 1


def test_a_view_that_cannot_be_drawn_is_refused(drawn: GlRenderer) -> None:
    with pytest.raises(UsageError, match="field of view"):
        drawn.render(replace(VIEW, fov_deg=175.0))
    assert drawn.render(replace(VIEW, size_hw=(1, 1))).rgb.shape == (1, 1, 3)


def test_sizes_come_and_go(drawn: GlRenderer) -> None:
    first = drawn.render(VIEW).rgb
    for side in range(8, 20):
        drawn.render(replace(VIEW, size_hw=(side, side + 3)))
    assert np.array_equal(drawn.render(VIEW).rgb, first)
