"""Worlds and paint, from the shelf where they are on it, and put there where they are not: same bytes either way.

A box that can be read may still have been filled by somebody else: whatever would make a kernel read beside its arrays
is checked here.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from airsim_seg.builtin.environments import ENVIRONMENTS
from airsim_seg.builtin.environments.scene_builder import gridded
from airsim_seg.builtin.rendering import sky, textures
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.paint import Paint, mixed_paint
from airsim_seg.builtin.scene import Scene, SceneObject, Terrain
from airsim_seg.builtin.shelf import Box, Shelf
from airsim_seg.builtin.traffic import Mover, Way
from airsim_seg.types import Float64Array, Pose

_PAINT = {"textures": np.uint32, "clear_sky": np.float32}
# Scene's fields that are arrays, and all that moves: corners of the ways one after another; speed and start.
_FIELDS = {
    "triangles_m": np.float32,
    "normals": np.float32,
    "uv": np.float32,
    "materials": np.int32,
    "object_index": np.int32,
    "tints": np.float32,
    "chunks": np.int32,
    "anchors_m": np.float32,
    "ranges_m": np.float32,
}
_SCENE = _FIELDS | {"way_corners_m": np.float64, "way_lengths": np.int32, "movers": np.int32, "paces": np.float64}


def kept_paint(shelf: Shelf) -> Paint:
    """What mixed_paint makes."""
    box = shelf.get("paint", _PAINT)
    shapes = [(len(Material), textures.NUM_TEXELS), (sky.MAP_SIZE, sky.MAP_SIZE, 4)]
    if box is not None and [box.arrays[key].shape for key in _PAINT] == shapes:
        return Paint(**box.arrays)
    paint = mixed_paint()
    shelf.put("paint", Box({"textures": paint.textures, "clear_sky": paint.clear_sky}))
    return paint


def kept_scene(name: str, seed: int, shelf: Shelf, build: Callable[[str, int], Scene]) -> Scene:
    """The world of a seed.

    Args:
        name: one of ENVIRONMENTS.
        seed: of the world.
        shelf: where it may be.
        build: makes it, if it is not; what is no world of that name and seed is not kept.
    """
    box = shelf.get(f"{name}-{seed}", _SCENE)
    if box is not None:
        try:
            return _unpacked(name, seed, box, _Ground(lambda: gridded(ENVIRONMENTS[name].ground_of(seed))))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
            pass
    scene = build(name, seed)
    if (scene.environment, scene.seed) == (name, seed) and scene.anchors_m is not None and scene.ranges_m is not None:
        shelf.put(f"{name}-{seed}", _packed(scene))
    return scene


class _Ground:
    """A Terrain that is made when somebody first asks."""

    def __init__(self, make: Callable[[], Terrain]) -> None:
        self._make = make
        self._made: Terrain | None = None

    def __call__(self, north_m: float, east_m: float) -> float:
        if self._made is None:
            self._made = self._make()
        return self._made(north_m, east_m)


def _packed(scene: Scene) -> Box:
    ways = [mover.way.corners_m for mover in scene.traffic]
    arrays = {field: np.asarray(getattr(scene, field), kind) for field, kind in _FIELDS.items()}
    arrays["way_corners_m"] = np.concatenate([np.zeros((0, 3)), *ways])
    arrays["way_lengths"] = np.array([len(way) for way in ways], np.int32)
    arrays["movers"] = np.array([mover.object_index for mover in scene.traffic], np.int32)
    arrays["paces"] = np.array([(mover.speed_mps, mover.start_m) for mover in scene.traffic]).reshape(-1, 2)
    facts = {
        "objects": [[own.name, *own.position_m, own.raw_id] for own in scene.objects],
        "player_start": [scene.player_start.position_m.tolist(), scene.player_start.orientation_wxyz.tolist()],
        "shelter_m": None if math.isinf(scene.shelter_m) else scene.shelter_m,
    }
    return Box(arrays, facts)


def _unpacked(name: str, seed: int, box: Box, ground_down_m: Terrain) -> Scene:
    """The scene of a box; ValueError or another error of handling values where there is none in it."""
    facts = box.facts
    objects = tuple(_object(*row) for row in facts["objects"])
    place, turn = (np.array(values, np.float64) for values in facts["player_start"])
    start = Pose(place, turn)
    _demand((place.shape, turn.shape) == ((3,), (4,)) and bool(np.isfinite([*place, *turn]).all()))
    _check_triangles(box, len(objects))
    traffic = _traffic(box, len(objects))
    shelter_m = math.inf if facts["shelter_m"] is None else float(facts["shelter_m"])
    fields: dict[str, Any] = {field: box.arrays[field] for field in _FIELDS}
    return Scene(
        environment=name,
        seed=seed,
        **fields,
        objects=objects,
        player_start=start,
        ground_down_m=ground_down_m,
        movers=frozenset(mover.object_index for mover in traffic),
        traffic=traffic,
        shelter_m=shelter_m,
    )


def _object(name: Any, north_m: Any, east_m: Any, down_m: Any, raw_id: Any) -> SceneObject:
    _demand(isinstance(name, str) and (raw_id is None or (type(raw_id) is int and 0 <= raw_id <= 255)))
    place = float(north_m), float(east_m), float(down_m)
    _demand(all(map(math.isfinite, place)))
    return SceneObject(name, place, raw_id)


def _check_triangles(box: Box, num_objects: int) -> None:
    arrays = box.arrays
    count, chunks = len(arrays["materials"]), arrays["chunks"]
    shapes = {"triangles_m": (count, 3, 3), "normals": (count, 3, 3), "uv": (count, 3, 2), "materials": (count,)}
    shapes |= {"object_index": (count,), "tints": (num_objects, 3), "chunks": (len(chunks), 2)}
    shapes |= {"anchors_m": (len(chunks), 3), "ranges_m": (len(chunks), 2)}
    _demand(count > 0 and all(arrays[key].shape == shape for key, shape in shapes.items()))
    _demand(bool(np.isfinite(arrays["triangles_m"]).all() and np.isfinite(arrays["uv"]).all()))
    _demand(_all_in(arrays["materials"], len(Material)) and _all_in(arrays["object_index"], num_objects))
    # Chunks cover all triangles in order.
    edges = np.append(chunks[:, 0], count)
    _demand(edges[0] == 0 and bool((chunks[:, 1] == edges[1:]).all() and (np.diff(edges) > 0).all()))


def _traffic(box: Box, num_objects: int) -> tuple[Mover, ...]:
    corners, lengths, indices, paces = (box.arrays[key] for key in list(_SCENE)[-4:])
    count = len(indices)
    _demand((lengths.shape, indices.shape, paces.shape) == ((count,), (count,), (count, 2)))
    _demand(bool(np.isfinite(corners).all() and np.isfinite(paces).all() and (lengths >= 3).all()))
    _demand(corners.shape == (int(lengths.sum()), 3) and _all_in(indices, num_objects))
    ways: list[Float64Array] = np.split(corners, np.cumsum(lengths)[:-1]) if count else []
    found = zip(indices.tolist(), ways, paces.tolist(), strict=True)
    return tuple(Mover(index, Way(way), speed_mps, start_m) for index, way, (speed_mps, start_m) in found)


def _all_in(values: Any, stop: int) -> bool:
    """Whether all are from 0 to stop - 1."""
    return not len(values) or (int(values.min()) >= 0 and int(values.max()) < stop)


def _demand(holds: bool) -> None:
    if not holds:
        raise ValueError("no world")
