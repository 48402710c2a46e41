"""Wind in the leaves: cards are exactly where it put them, nothing else moves, and flow follows them."""

import math
from dataclasses import replace

import numpy as np
import pytest
from ray_caster import disagreements, standing
from small_scenes import garden, looking, scene_of

from airsim_seg.builtin.environments.meshes import Mesh
from airsim_seg.builtin.flow import flow_px
from airsim_seg.builtin.rendering.materials import FOLIAGE, Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.rendering.wind import MOST_LEAN_M, MOST_TREMBLE_M, OFFSET_GRID_M, offsets_m, sways_of
from airsim_seg.builtin.scene import SKY_INDEX, STILL, Moment, Scene

VIEW = looking((-2.0, -1.0, -3.0), size_hw=(96, 128))
GALE = (6.0, -9.0, 0.5)
CALM = (0.0, 0.0, 0.0)
SECOND_NS = 1_000_000_000


def blown(time_ns: int, wind_mps: tuple[float, float, float] = GALE) -> Moment:
    return Moment(time_ns=time_ns, wind_mps=wind_mps)


def leafy(scene: Scene) -> np.ndarray:
    return np.isin(scene.materials, list(FOLIAGE))


@pytest.fixture(scope="module")
def drawn() -> Rasteriser:
    return Rasteriser(garden(), shadow_map_size=256)


def anchored(scene: Scene) -> Scene:
    """Chunks that are drawn from any distance, as the oracle wants to be told."""
    count = len(scene.chunks)
    return replace(
        scene, anchors_m=np.zeros((count, 3), np.float32), ranges_m=np.tile(np.float32([0, np.inf]), (count, 1))
    )


@pytest.mark.parametrize("time_ns", [0, 7 * SECOND_NS, 10**18 + 123_456_789])
def test_ids_and_depths_are_those_of_every_ray_against_the_swayed_leaves(drawn: Rasteriser, time_ns: int) -> None:
    scene, moment = anchored(garden()), blown(time_ns)
    picture = drawn.render(VIEW, moment)
    assert disagreements(standing(scene, moment), VIEW, picture, 600, seed=1) == []
    assert disagreements(scene, VIEW, picture, 600, seed=1), "the oracle must see that leaves have moved"


def test_only_leaves_move_and_come_back(drawn: Rasteriser) -> None:
    before = drawn.render(VIEW)
    during, after = drawn.render(VIEW, blown(3 * SECOND_NS)), drawn.render(VIEW, blown(3 * SECOND_NS, CALM))
    for name in ("rgb", "object_index", "depth_m"):
        assert (getattr(before, name) == getattr(after, name)).all()
    moved = before.depth_m != during.depth_m
    seen = {before.object_index[moved].tobytes(), during.object_index[moved].tobytes()}
    assert moved.mean() > 0.02
    assert len(seen) == 2
    nothing_leafy = ~np.isin(garden().object_index, np.unique(garden().object_index[leafy(garden())]))
    closed = np.unique(garden().object_index[nothing_leafy])
    same = np.isin(before.object_index, closed) & np.isin(during.object_index, closed)
    assert (before.depth_m[same] == during.depth_m[same]).all()
    assert (before.object_index[same] == during.object_index[same]).all()


def test_leaves_sway_by_plant_and_card_and_trunks_stand() -> None:
    scene = garden()
    sways = sways_of(scene, leafy(scene))
    assert ((sways > 0) == leafy(scene)).all()
    assert len(np.unique(sways)) > 20, "two trees of many cards"
    assert (sways == sways_of(scene, leafy(scene))).all()


def test_offsets_are_small_steady_and_on_the_grid() -> None:
    farthest, fastest = 0.0, 0.0
    for wind in ((1.5, 2.0, 0.0), GALE, (80.0, 0.0, -40.0)):
        path = np.array([offsets_m(wind, k * 40_000_000) for k in range(300)], np.float64)
        farthest = max(farthest, np.linalg.norm(path, axis=-1).max())
        fastest = max(fastest, np.linalg.norm(np.diff(path, axis=0), axis=-1).max())
        assert (path[:, 0] == 0).all()
        assert (path / OFFSET_GRID_M == np.rint(path / OFFSET_GRID_M)).all()
        along = path[:, 1:] @ (np.array(wind) / math.sqrt(sum(w * w for w in wind)))
        assert along.mean() > 0, "leaves lean with the wind"
    assert farthest < MOST_LEAN_M + 2 * MOST_TREMBLE_M
    assert fastest < 0.1, "metres from one of 25 frames a second to the next"
    assert not offsets_m(CALM, 5 * SECOND_NS).any()


def card(north_m: float, west_m: float, up_m: float, side_m: float) -> Mesh:
    """One leaf card, upright, about a point."""
    corners = np.array([[[0, 0.5, -0.5], [0, -0.5, -0.5], [0, 0, 0.5]]]) * side_m + (north_m, west_m, up_m)
    uv = np.array([[[0, 0], [1, 0], [0.5, 1]]], np.float64)
    return Mesh(corners, np.tile([-1.0, 0, 0], (1, 3, 1)), uv, np.array([Material.LEAVES], np.int32))


def test_leaves_beyond_the_rim_of_the_picture_sway_into_it() -> None:
    """Chunks are culled by where their leaves can be, not by where they are at rest."""
    half = math.tan(math.radians(30)) * 5.0
    scene = scene_of(card(5.0, -half - 0.2, 0.0, 0.2))  # its sphere, 14 cm, ends before the right rim
    renderer, view = Rasteriser(scene, shadow_map_size=64), looking(size_hw=(240, 320), fov_deg=60.0)
    assert (renderer.render(view).object_index == SKY_INDEX).all()
    winds = [blown(k * 100_000_000, (0.0, -14.0, 0.0)) for k in range(40)]
    assert any((renderer.render(view, moment).object_index >= 0).any() for moment in winds)


def test_flow_of_a_leaf_is_what_the_wind_did(drawn: Rasteriser) -> None:
    before, now = blown(2 * SECOND_NS), blown(2 * SECOND_NS + 40_000_000)
    picture = drawn.render(VIEW, now, normals=True)
    assert picture.sways is not None
    assert set(np.unique(picture.sways)) <= set(range(129))
    flow = flow_px(picture, VIEW, now, VIEW, before)
    was, is_now = (offsets_m(m.wind_mps, m.time_ns).astype(np.float64) for m in (before, now))
    focal_px = VIEW.size_hw[1] / 2 / math.tan(math.radians(VIEW.fov_deg) / 2)
    found = 0
    for y, x in np.argwhere(picture.sways > 0)[::7].tolist():
        sway, depth = int(picture.sways[y, x]), float(picture.depth_m[y, x])
        north, east, down = was[sway] - is_now[sway]
        right_px, down_px = x + 0.5 - 64, y + 0.5 - 48  # from the middle; the camera looks north
        then = (right_px / focal_px * depth + east, down_px / focal_px * depth + down, depth + north)
        expected = right_px - focal_px * then[0] / then[2], down_px - focal_px * then[1] / then[2]
        assert flow[y, x] == pytest.approx(expected, abs=1e-3)
        found += abs(expected[0]) > 0.05
    assert found > 20
    assert np.abs(flow[picture.sways == 0]).max() < 1e-4
    assert drawn.render(VIEW, STILL).sways is None
