"""The whole City through the renderer: ids against brute force, moving things included, and how much is in sight."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from ray_caster import disagreements
from small_scenes import looking

from airsim_seg.builtin.environments import ENVIRONMENTS, build, prefix_of
from airsim_seg.builtin.objects import ObjectTable
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import STILL, Moment, Scene, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE, TRAIN_ID_OF

pytestmark = pytest.mark.slow

LATER = 17 * 10**9
VIEWS = {
    "drone": looking((-60, -38, -10), yaw_deg=8, pitch_deg=-6, size_hw=(480, 640)),
    "car": looking((-20, 34.5, -1.6), size_hw=(480, 640)),
    "straight down": looking((0, 0, -75), pitch_deg=-90, size_hw=(480, 640)),
    "over the roofs, rolled": looking((-70, -70, -30), yaw_deg=45, pitch_deg=-20, roll_deg=25, size_hw=(480, 640)),
}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("City", 1)


@pytest.fixture(scope="module")
def renderer(scene: Scene) -> Rasteriser:
    return Rasteriser(scene, shadow_map_size=512)


def at(scene: Scene, moment: Moment) -> Scene:
    """The scene with everything where the moment has it."""
    corners = scene.triangles_m.copy()
    for index, matrix in moment.placements.items():
        own = scene.object_index == index
        corners[own] = scene.triangles_m[own].astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    return replace(scene, triangles_m=corners)


@pytest.mark.parametrize("name", VIEWS)
@pytest.mark.parametrize("time_ns", [0, LATER])
def test_ids_and_depths_equal_brute_force(scene: Scene, renderer: Rasteriser, name: str, time_ns: int) -> None:
    moment = Moment(Traffic(scene.traffic).placements(time_ns)) if time_ns else STILL
    picture = renderer.render(VIEWS[name], moment)
    assert disagreements(at(scene, moment), VIEWS[name], picture, 100, seed=4) == []


def test_traffic_is_in_the_picture_and_elsewhere_later(scene: Scene, renderer: Rasteriser) -> None:
    view = looking((0, 0, -75), pitch_deg=-90, size_hw=(480, 640))
    first = renderer.render(view).object_index
    later = renderer.render(view, Moment(Traffic(scene.traffic).placements(LATER))).object_index
    moving = list(scene.movers)
    assert np.isin(first, moving).sum() > 200
    assert (np.isin(first, moving) != np.isin(later, moving)).sum() > 200


def test_the_same_seed_makes_the_same_bytes_and_another_seed_another_world(scene: Scene) -> None:
    again, other = build("City", 1), build("City", 2)
    for name in ("triangles_m", "normals", "uv", "materials", "object_index", "tints", "chunks"):
        assert getattr(scene, name).tobytes() == getattr(again, name).tobytes(), name
    assert scene.objects == again.objects
    assert [m.start_m for m in scene.traffic] == [m.start_m for m in again.traffic]
    assert scene.triangles_m.tobytes() != other.triangles_m.tobytes()


def labels(scene: Scene, renderer: Rasteriser, view: View) -> np.ndarray:
    """Train ids [H,W] of what a view sees, 255 for what has no class."""
    classes = ENVIRONMENTS["City"].class_of_prefix
    of_object = [TRAIN_ID_OF.get(classes[prefix_of(o.name)], IGNORE) for o in scene.objects] + [TRAIN_ID_OF["sky"]]
    return np.array(of_object)[renderer.render(view).object_index]


@pytest.mark.parametrize("seed", [0, 1])
def test_most_classes_and_two_hundred_ids_are_in_sight_of_drones(seed: int) -> None:
    """Level views from 10 m over the crossings: eight classes and more in each, all of them together."""
    world = build("City", seed)
    eye = Rasteriser(world, shadow_map_size=256)
    views = [looking((n, e, -10), yaw_deg=y, pitch_deg=-5, size_hw=(240, 320))
             for n in (-36, 36) for e in (-38, 32) for y in (20, 140, 260)]  # fmt: skip
    seen = [labels(world, eye, view) for view in views]
    assert min(len(set(np.unique(picture)) - {IGNORE}) for picture in seen) >= 8
    shares = np.mean([np.bincount(picture.ravel(), minlength=256)[:11] / picture.size for picture in seen], 0)
    assert {name for name, share in zip(CLASS_NAMES, shares, strict=True) if share < 0.0005} == set()
    raw_ids = ObjectTable(world).table()
    assert len({int(i) for view in views for i in np.unique(raw_ids[eye.render(view).object_index])}) >= 200


def test_roads_hang_together_seen_from_straight_above(scene: Scene, renderer: Rasteriser) -> None:
    """A planner that looks straight down must find its way around parked cars, lamps and crowns."""
    fov = 2 * float(np.degrees(np.arctan(20 / 75)))
    steps = np.arange(-100.0, 101.0, 40.0)
    rows = [
        [labels(scene, renderer, looking((n, e, -75), pitch_deg=-90, size_hw=(160, 160), fov_deg=fov)) for e in steps]
        for n in steps[::-1]
    ]
    road = np.vstack([np.hstack(row) for row in rows]) == TRAIN_ID_OF["road"]
    _, _, statistics, _ = cv2.connectedComponentsWithStats(road.astype(np.uint8), connectivity=4)
    largest = statistics[1:, cv2.CC_STAT_AREA].max()
    assert largest > 0.85 * road.sum()  # the rest is the car park
    assert largest / 16 > 11_000  # square metres
