"""A world from the shelf is the world that was built: array for array, name for name, and byte for byte as drawn."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_scenes

from airsim_seg.builtin import kept
from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.kept import kept_paint, kept_scene
from airsim_seg.builtin.rendering.paint import mixed_paint
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Moment, Scene, View
from airsim_seg.builtin.shelf import Box, Shelf
from airsim_seg.builtin.traffic import Mover, Traffic, Way
from airsim_seg.types import Pose


def _nobody(name: str, seed: int) -> Scene:
    raise AssertionError(f"{name} {seed} should have been on the shelf")


def _drawn(scene: Scene, paint: Any) -> list[bytes]:
    renderer = Rasteriser(scene, 1, shadow_map_size=1024, paint=paint)
    start = scene.player_start
    found = []
    for k in range(3):
        eye = Pose.from_euler(start.position_m - (0.0, 0.0, 3.0 + k), yaw_rad=2.0 * k)
        moment = Moment(Traffic(scene.traffic).placements(2_000_000_000 * k))
        picture = renderer.render(View(eye, (120, 160), 90.0), moment)
        found += [picture.rgb.tobytes(), picture.object_index.tobytes(), picture.depth_m.tobytes()]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seed"), [(name, k) for k, name in enumerate(ENVIRONMENTS)])
def test_a_kept_world_is_the_built_one(tmp_path: Path, name: str, seed: int) -> None:
    built = build(name, seed)
    assert kept_scene(name, seed, Shelf(tmp_path, "s"), lambda *_: built) is built
    found = kept_scene(name, seed, Shelf(tmp_path, "s"), _nobody)
    others = {"ground_down_m", "player_start", "traffic"}
    for field in fields(Scene):
        own, other = getattr(built, field.name), getattr(found, field.name)
        if isinstance(own, np.ndarray):
            assert (own.dtype, own.shape, own.tobytes()) == (other.dtype, other.shape, other.tobytes()), field.name
            assert (own.flags.c_contiguous, own.flags.writeable) == (True, True), "numba: one version for both"
            assert (other.flags.c_contiguous, other.flags.writeable) == (True, True)
        elif field.name not in others:
            assert own == other, field.name
    assert found.player_start.position_m.tobytes() == built.player_start.position_m.tobytes()
    assert found.player_start.orientation_wxyz.tobytes() == built.player_start.orientation_wxyz.tobytes()
    for time_ns in (0, 7_123_456_789):
        own, other = (Traffic(scene.traffic).placements(time_ns) for scene in (built, found))
        assert {k: v.tobytes() for k, v in own.items()} == {k: v.tobytes() for k, v in other.items()}
    places = np.random.default_rng(3).uniform(-260, 260, (300, 2)).tolist()
    assert [found.ground_down_m(*place) for place in places] == [built.ground_down_m(*place) for place in places]
    paint = mixed_paint()
    assert _drawn(found, paint) == _drawn(built, paint)


def test_kept_paint_is_the_mixed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mixed = kept_paint(Shelf(tmp_path, "s"))
    monkeypatch.setattr(kept, "mixed_paint", lambda: pytest.fail("it was on the shelf"))
    found = kept_paint(Shelf(tmp_path, "s"))
    assert found.textures.tobytes() == mixed.textures.tobytes()
    assert found.clear_sky.tobytes() == mixed.clear_sky.tobytes()
    scene = small_scenes.scene_of(small_scenes.wall(5.0, (-2.0, 2.0), (-1.0, 1.0)), small_scenes.floor(-2.0))
    assert _drawn(scene, found) == _drawn(scene, mixed)


def test_paint_of_another_size_is_mixed_anew(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "s")
    shelf.put("paint", Box({"textures": np.zeros((3, 3), np.uint32), "clear_sky": np.zeros((8, 8, 3), np.float32)}))
    assert kept_paint(shelf).textures.tobytes() == mixed_paint().textures.tobytes()


def _small() -> Scene:
    """A world that says it is a City: a floor, and a wall that drives around on it."""
    scene = small_scenes.scene_of(small_scenes.wall(5.0, (-2.0, 2.0), (-1.0, 1.0)), small_scenes.floor(-2.0))
    way = Way(np.array([(0.0, 0.0, 0.0), (9.0, 0.0, 0.0), (9.0, 9.0, 0.0)]))
    traffic = (Mover(0, way, 1.5, 2.0),)
    return replace(scene, environment="City", seed=4, traffic=traffic, movers=frozenset({0}))


def test_a_world_of_another_name_or_seed_is_not_kept(tmp_path: Path) -> None:
    for name, seed in (("Country", 4), ("City", 5)):
        kept_scene(name, seed, Shelf(tmp_path, "s"), lambda *_: _small())
    assert list(tmp_path.iterdir()) == []
    kept_scene("City", 4, Shelf(tmp_path, "s"), lambda *_: _small())
    assert [path.name for path in tmp_path.iterdir()] == ["City-4.kept"]


def _put(array: str, value: float) -> Callable[[Box], None]:
    def change(box: Box) -> None:
        box.arrays[array].reshape(-1)[-1] = value

    return change


def _say(key: str, value: Any) -> Callable[[Box], None]:
    def change(box: Box) -> None:
        box.facts[key] = value

    return change


def _shorten(array: str) -> Callable[[Box], None]:
    def change(box: Box) -> None:
        box.arrays[array] = box.arrays[array][:-1]  # type: ignore[index]

    return change


HOSTILE = {
    "a material that does not exist": _put("materials", 10_000),
    "a material below 0": _put("materials", -1),
    "an object that does not exist": _put("object_index", 2),
    "a chunk behind the end": _put("chunks", 10_000),
    "a corner nowhere": _put("triangles_m", float("nan")),
    "a texture nowhere": _put("uv", float("inf")),
    "too few normals": _shorten("normals"),
    "too few tints": _shorten("tints"),
    "too few chunks": _shorten("chunks"),
    "a way without end": _put("way_lengths", 2**30),
    "a way of two corners": _put("way_lengths", 2),
    "traffic that is nobody": _put("movers", 77),
    "a pace that is none": _put("paces", float("nan")),
    "no objects": _say("objects", []),
    "objects without names": _say("objects", [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5]]),
    "an object with an id of 256": _say("objects", [["a", 0, 0, 0, 256], ["b", 0, 0, 0, None]]),
    "an object nowhere": _say("objects", [["a", 0, 0, 10**400, 2], ["b", 0, 0, 0, None]]),
    "a start that is none": _say("player_start", [[1, 2], [1, 0, 0, 0]]),
    "a start that is text": _say("player_start", "here"),
    "a shelter that is text": _say("shelter_m", "high"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_box_with_what_no_world_has_is_built_anew(tmp_path: Path, change: Callable[[Box], None]) -> None:
    shelf, small = Shelf(tmp_path, "s"), _small()
    kept_scene("City", 4, shelf, lambda *_: small)
    box = shelf.get("City-4", kept._SCENE)
    assert box is not None
    shelf.put("City-4", box)
    assert kept_scene("City", 4, shelf, _nobody).object_index.tobytes() == small.object_index.tobytes()
    change(box)
    shelf.put("City-4", box)
    assert kept_scene("City", 4, shelf, lambda *_: small) is small
    assert kept_scene("City", 4, shelf, _nobody).tints.tobytes() == small.tints.tobytes(), "and put there again"
