"""The whole Neighborhood through the renderer: ids against brute force, and what drone, car and planner rely on."""

import cv2
import numpy as np
import pytest
from ray_caster import disagreements
from small_scenes import looking

from airsim_seg.builtin.environments import CLASS_OF_PREFIX, build, prefix_of
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Scene, View
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE, TRAIN_ID_OF

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("Neighborhood", 1)


@pytest.fixture(scope="module")
def renderer(scene: Scene) -> Rasteriser:
    return Rasteriser(scene, shadow_map_size=1024)


def labels(scene: Scene, renderer: Rasteriser, view: View) -> np.ndarray:
    """Train ids [H,W] of what a view sees."""
    classes = [*(CLASS_OF_PREFIX[prefix_of(o.name)] for o in scene.objects), "sky"]
    of_object = [TRAIN_ID_OF.get(name, IGNORE) for name in classes]
    return np.array(of_object)[renderer.render(view).object_index]


def crown_of(scene: Scene, prefix: str) -> tuple[float, float, float]:
    """The middle of the first such tree's crown."""
    number = next(k for k, o in enumerate(scene.objects) if o.name == f"{prefix}_1")
    corners = scene.triangles_m[scene.object_index == number].reshape(-1, 3)
    north, east, _ = scene.objects[number].position_m
    return north, east, float(corners[:, 2].min()) * 0.6


VIEWS = {
    "drone": looking((-60, 2, -10), size_hw=(480, 640)),
    "drone, turned": looking((20, -74, -7), yaw_deg=140, pitch_deg=-15, size_hw=(480, 640)),
    "car": looking((-62, 2, -1.6), size_hw=(480, 640)),
    "straight down": looking((0, 0, -100), pitch_deg=-90, size_hw=(480, 640)),
    "straight up": looking((30, 8, -1.5), pitch_deg=90, size_hw=(480, 640)),
    "rolled": looking((-20, 1, -9), yaw_deg=35, pitch_deg=-12, roll_deg=63, size_hw=(480, 640)),
    "small, wide": looking((50, 1, -8), yaw_deg=190, size_hw=(144, 256), fov_deg=120),
}


@pytest.mark.parametrize("name", VIEWS)
def test_ids_and_depths_equal_brute_force(scene: Scene, renderer: Rasteriser, name: str) -> None:
    assert disagreements(scene, VIEWS[name], renderer.render(VIEWS[name]), 150, seed=4) == []


@pytest.mark.parametrize("prefix", ["Oak", "Fir"])
def test_ids_equal_brute_force_inside_a_crown(scene: Scene, renderer: Rasteriser, prefix: str) -> None:
    view = looking(crown_of(scene, prefix), yaw_deg=40, size_hw=(480, 640))
    assert disagreements(scene, view, renderer.render(view), 150, seed=5) == []


def test_ids_equal_brute_force_very_near_a_wall(scene: Scene, renderer: Rasteriser) -> None:
    house = next(k for k, o in enumerate(scene.objects) if o.name == "Small_House_1")
    corners = scene.triangles_m[scene.object_index == house].reshape(-1, 3)
    west = float(corners[:, 1].min())
    north = float(corners[:, 0].mean())
    view = looking((north, west - 0.12, -1.9), yaw_deg=90, size_hw=(480, 640))
    picture = renderer.render(view)
    assert picture.depth_m.min() < 0.6
    assert disagreements(scene, view, picture, 150, seed=6) == []


def test_the_same_seed_makes_the_same_bytes_and_another_seed_another_world(scene: Scene) -> None:
    again, other = build("Neighborhood", 1), build("Neighborhood", 2)
    for name in ("triangles_m", "normals", "uv", "materials", "object_index", "tints", "chunks"):
        assert getattr(scene, name).tobytes() == getattr(again, name).tobytes(), name
    assert scene.objects == again.objects
    assert scene.triangles_m.tobytes() != other.triangles_m.tobytes()


def test_two_renderers_of_one_world_draw_the_same_bytes(scene: Scene, renderer: Rasteriser) -> None:
    other = Rasteriser(scene, num_threads=1, shadow_map_size=1024)
    first, second = (r.render(VIEWS["drone"]) for r in (renderer, other))
    assert first.rgb.tobytes() == second.rgb.tobytes()
    assert first.object_index.tobytes() == second.object_index.tobytes()
    assert first.depth_m.tobytes() == second.depth_m.tobytes()


def test_a_flight_repeats_to_the_byte_picture_for_picture(renderer: Rasteriser) -> None:
    """Buffers are kept between pictures: what was drawn before must not show, in any order."""
    flight = [
        looking((0.8 * k, 0, -3), yaw_deg=float(np.degrees(0.3 * np.sin(4 * k / 9))), size_hw=(120 + k % 3, 160))
        for k in range(20)
    ]
    there = [renderer.render(view) for view in flight]
    back = [renderer.render(view) for view in reversed(flight)][::-1]
    for first, second in zip(there, back, strict=True):
        assert first.rgb.tobytes() == second.rgb.tobytes()
        assert first.object_index.tobytes() == second.object_index.tobytes()
        assert first.depth_m.tobytes() == second.depth_m.tobytes()


TILE_M, ALTITUDE_M, HALF_MAP_M = 30.0, 75.0, 120.0


def map_from_above(scene: Scene, renderer: Rasteriser) -> np.ndarray:
    """Train ids of what is on top, four cells a metre, row 0 in the north, from narrow views straight down."""
    fov = 2 * float(np.degrees(np.arctan(TILE_M / 2 / ALTITUDE_M)))
    steps = np.arange(-HALF_MAP_M + TILE_M / 2, HALF_MAP_M, TILE_M)
    rows = [
        [labels(scene, renderer, looking((n, e, -ALTITUDE_M), pitch_deg=-90, size_hw=(120, 120), fov_deg=fov))
         for e in steps]
        for n in steps[::-1]
    ]  # fmt: skip
    return np.vstack([np.hstack(row) for row in rows])


@pytest.mark.parametrize("seed", [1, 5])
def test_roads_hang_together_seen_from_straight_above(seed: int) -> None:
    """A planner that looks straight down must find its way: crowns, cars and wires leave the roads in one piece."""
    world = build("Neighborhood", seed)
    road = map_from_above(world, Rasteriser(world, shadow_map_size=256)) == TRAIN_ID_OF["road"]
    _, _, statistics, _ = cv2.connectedComponentsWithStats(road.astype(np.uint8), connectivity=4)
    assert statistics[1:, cv2.CC_STAT_AREA].max() > 0.95 * road.sum()
    streets_m2 = 10 * (3 * 210 + 3 * 160) - 9 * 100
    assert road.sum() / 16 > 0.75 * streets_m2


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_all_classes_are_in_sight_of_drones(seed: int) -> None:
    """Over a dozen level views from 10 m, each class is met as often as a small network needs to learn it."""
    world = build("Neighborhood", seed)
    eye = Rasteriser(world, shadow_map_size=256)
    views = [looking((n, e, -10), yaw_deg=y, size_hw=(144, 256))
             for e in (-74, 1, 76) for n, y in ((-90, 0), (-20, 25), (30, 170), (80, 200))]  # fmt: skip
    shares = np.mean([np.bincount(labels(world, eye, v).ravel(), minlength=11)[:11] / (144 * 256) for v in views], 0)
    rare = {name: float(share) for name, share in zip(CLASS_NAMES, shares, strict=True) if share < 0.001}
    assert rare == {}
    assert 0.2 < shares[TRAIN_ID_OF["tree"]] < 0.45
    assert 0.15 < shares[TRAIN_ID_OF["sky"]] < 0.45
    assert shares[TRAIN_ID_OF["road"]] > 0.05
