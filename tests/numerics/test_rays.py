"""Rays through the hierarchy meet what a loop over all triangles finds, in still and in moved worlds."""

import math
import threading
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import ray_caster
from small_scenes import floor, garden, looking, scene_of, triangle, wall

from airsim_seg.builtin import rays as rays_module
from airsim_seg.builtin.environments import build
from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.rays import NOTHING, Hits, Rays
from airsim_seg.builtin.rendering.camera import NEAR_M, chunks_at
from airsim_seg.builtin.rendering.cutouts import masks
from airsim_seg.builtin.rendering.materials import TEXTURE_SEED, Material, material_table
from airsim_seg.builtin.scene import STILL, Moment, Scene, Spawned
from airsim_seg.types import Float64Array, Pose, camera_matrix

AXES = np.concatenate([np.eye(3), -np.eye(3)])
SHED, TREE, FIR, FENCE = 1, 2, 3, 4


def every_triangle(scene: Scene, moment: Moment = STILL) -> tuple[Float64Array, np.ndarray, np.ndarray]:
    """Corners float64 [T,3,3] where the moment has them, object indices [T] and rows of the scene's triangles [T]."""
    solid = np.flatnonzero(np.repeat(chunks_at(scene, None), np.diff(scene.chunks, axis=1)[:, 0]))
    corners, owner = scene.triangles_m[solid].astype(np.float64), scene.object_index[solid]

    def moved(rows: np.ndarray, placement: Float64Array) -> Float64Array:
        return corners[rows] @ placement[:, :3].T + placement[:, 3]

    parts = [(corners[(rows := owner == index)], owner[rows], solid[rows]) for index in set(owner.tolist())
             if index not in moment.hidden and index not in moment.placements]  # fmt: skip
    for index, placement in moment.placements.items():
        if index not in moment.hidden:
            parts.append((moved(rows := owner == index, placement), owner[rows], solid[rows]))
    for copy in moment.spawned:
        rows = owner == copy.source
        parts.append((moved(rows, copy.placement), np.full(rows.sum(), copy.index), solid[rows]))
    merged = [np.concatenate([part[k] for part in parts]) for k in range(3)]
    return merged[0], merged[1], merged[2]


def brute_force(
    scene: Scene, origins: Float64Array, directions: Float64Array, far_m: float, moment: Moment = STILL
) -> Hits:
    """Each ray against each plane; the weights of the corners are the areas of the parts."""
    corners, owner, rows = every_triangle(scene, moment)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    normal = np.cross(b - a, c - a)
    square = (normal**2).sum(1)
    mask, patterns = material_table().cutout[scene.materials[rows]], masks(TEXTURE_SEED)
    uv, size = scene.uv[rows].astype(np.float64), patterns.shape[1]
    distance, index = np.full(len(origins), np.inf), np.full(len(origins), NOTHING, np.int32)
    for ray, (origin, direction) in enumerate(zip(origins, directions, strict=True)):
        with np.errstate(divide="ignore", invalid="ignore"):
            t = ((a - origin) * normal).sum(1) / (normal @ direction)
            near = np.flatnonzero((t >= 0) & (t <= far_m))
            point = origin + t[near, None] * direction
            parts = [np.cross(q[near] - point, r[near] - point) for q, r in ((b, c), (c, a), (a, b))]
            weights = np.stack([(part * normal[near]).sum(1) / square[near] for part in parts], 1)
        inside = (weights >= 0).all(1)
        at = np.floor(np.einsum("tk,tkj->tj", weights[inside], uv[near[inside]]) * size).astype(int) % size
        near = near[inside]
        solid = (mask[near] < 0) | patterns[mask[near], at[:, 1], at[:, 0]]
        if solid.any():
            best = near[solid][t[near[solid]].argmin()]
            distance[ray], index[ray] = t[best], owner[best]
    return Hits(distance, index)


def random_rays(count: int, low: tuple[float, ...], high: tuple[float, ...], seed: int = 0):
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(count, 3))
    return rng.uniform(low, high, (count, 3)), directions / np.linalg.norm(directions, axis=1, keepdims=True)


def assert_same(found: Hits, wanted: Hits) -> None:
    np.testing.assert_array_equal(found.object_index, wanted.object_index)
    np.testing.assert_allclose(found.distance_m, wanted.distance_m, rtol=1e-9, atol=1e-9)


def one(scene: Scene, origin, direction, far_m: float = 100.0, moment: Moment = STILL) -> tuple[float, int]:
    met = Rays(scene).cast(np.array([origin], float), np.array([direction], float), far_m, moment)
    return float(met.distance_m[0]), int(met.object_index[0])


def placement(shift_m=(0.0, 0.0, 0.0), *, yaw_deg=0.0, roll_deg=0.0, scale=(1.0, 1.0, 1.0)) -> Float64Array:
    pose = Pose.from_euler(shift_m, yaw_rad=math.radians(yaw_deg), roll_rad=math.radians(roll_deg))
    return np.column_stack([pose.rotation() * np.array(scale), pose.position_m])


MOMENTS = {
    "still": STILL,
    "shifted": Moment({SHED: placement((1.0, -3.0, -0.5)), TREE: placement((-2.0, 1.5, 0.0))}),
    "turned and stretched": Moment({SHED: placement((2.0, 1.0, -1.0), yaw_deg=30, roll_deg=20, scale=(1.5, 0.5, -2))}),
    "hidden": Moment({TREE: placement((1.0, 0.0, 0.0))}, frozenset({SHED, TREE})),
    "copies": Moment(
        {SHED: placement((2.0, 2.0, 0.0))}, frozenset({FENCE}),
        (Spawned(5, SHED, placement((-8.0, 0.0, 0.0))), Spawned(7, FIR, placement((-4.0, 5.0, 0.0), scale=(2, 2, 2)))),
    ),
    "nobody's": Moment({99: placement()}, frozenset({77, -1}), (Spawned(6, 99, placement()),)),
}  # fmt: skip


@cache
def garden_rays(*movers: int) -> Rays:
    return Rays(replace(garden(), movers=frozenset(movers)))


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("movers", [(), (SHED, FIR)], ids=["all still", "made to move"])
def test_a_garden_is_met_as_by_a_loop_over_its_triangles(moment: Moment, movers: tuple[int, ...]) -> None:
    origins, directions = random_rays(120, (-10.0, -8.0, -8.0), (16.0, 8.0, 1.0))
    wanted = brute_force(garden(), origins, directions, 40.0, moment)
    assert len(set(wanted.object_index.tolist())) >= 3
    assert_same(garden_rays(*movers).cast(origins, directions, 40.0, moment), wanted)


def test_the_neighborhood_is_met_as_by_a_loop_over_its_triangles() -> None:
    scene = build("Neighborhood", 0)
    origins, directions = random_rays(16, (-60.0, -60.0, -8.0), (60.0, 60.0, -0.5))
    rays = Rays(scene)
    found = rays.cast(origins, directions, 200.0)
    assert_same(found, brute_force(scene, origins, directions, 200.0))
    assert (found.object_index != NOTHING).mean() > 0.4
    # Something that never moves is carried off: the same rays go on behind it.
    gone = int(found.object_index[found.object_index != NOTHING][0])
    away = Moment({gone: placement((0.0, 0.0, -5e3))})
    hidden = rays.cast(origins, directions, 200.0, Moment(hidden=frozenset({gone})))
    assert_same(rays.cast(origins, directions, 200.0, away), hidden)
    assert (hidden.distance_m >= found.distance_m).all()
    assert not (hidden.object_index == gone).any()


def test_a_camera_sees_what_its_rays_meet() -> None:
    view = looking((-6.0, 0.5, -4.0), pitch_deg=-15, size_hw=(24, 32))
    y, x = (part.ravel() + 0.5 for part in np.mgrid[0:24, 0:32])
    wanted, depth = ray_caster.cast(garden(), view, np.stack([x, y], 1))
    ahead = np.stack([x, y, np.ones_like(x)], 1) @ np.linalg.inv(camera_matrix(view.size_hw, view.fov_deg)).T
    lengths = np.linalg.norm(ahead, axis=1)
    directions = (ahead / lengths[:, None])[:, [2, 0, 1]] @ view.pose.rotation().T
    met = garden_rays().cast(np.tile(view.pose.position_m, (len(x), 1)), directions, 1e4)
    np.testing.assert_array_equal(met.object_index, wanted)
    seen = wanted != NOTHING
    assert seen.any()
    assert depth[seen].min() > NEAR_M
    np.testing.assert_allclose(met.distance_m[seen], depth[seen] * lengths[seen], rtol=1e-9)


def test_rays_along_the_axes_meet_the_sides_from_within_and_without() -> None:
    scene = scene_of(box((-1, -2, -3), (1, 2, 3), Material.SIDING))  # boxes have no underside
    rays, centre = Rays(scene), np.zeros((6, 3))
    assert rays.cast(centre, AXES, 100.0).distance_m.tolist() == [1, 2, math.inf, 1, 2, 3]
    assert rays.cast(10 * AXES, -AXES, 100.0).distance_m.tolist() == [9, 8, 13, 9, 8, 7]
    assert np.isinf(rays.cast(10 * AXES, AXES, 100.0).distance_m).all()


def test_a_ray_in_a_walls_plane_passes_it_and_meets_what_stands_across() -> None:
    scene = scene_of(wall(10, (-5, 5), (-5, 5)), box((8, -9, -1), (12, -8, 1), Material.SIDING))
    assert one(scene, (10, 0, 0), (0, 1, 0)) == (8.0, 1)
    assert one(scene, (10, -50, 0), (0, 1, 0)) == (58.0, 1)


def test_a_ray_that_begins_on_a_surface_meets_it_at_once_and_not_beside_it() -> None:
    scene = scene_of(triangle((5, 0, 0), (5, 4, 0), (5, 0, 4)))
    for way in (1, -1):
        assert one(scene, (5, -1, -1), (way, 0, 0)) == (0.0, 0)
        assert one(scene, (5, 1, 1), (way, 0, 0)) == (math.inf, NOTHING)


@pytest.mark.parametrize("way", [1, -1])
def test_both_faces_count_and_so_does_the_end_of_the_range(way: int) -> None:
    scene = scene_of(wall(0, (-5, 5), (-5, 5)))
    assert one(scene, (-10 * way, 1, 1), (way, 0, 0), 10.0) == (10.0, 0)
    assert one(scene, (-10 * way, 1, 1), (way, 0, 0), 9.999) == (math.inf, NOTHING)
    assert one(scene, (-10 * way, 1, 1), (way, 0, 0), math.inf) == (10.0, 0)
    assert one(scene, (-10 * way, 1, 1), (-way, 0, 0), math.inf) == (math.inf, NOTHING)


def test_of_two_things_in_one_place_the_first_is_met() -> None:
    panel = wall(10, (-5, 5), (-5, 5))
    assert one(scene_of(*[panel] * 12), (0, 0.5, 0.25), (1, 0, 0)) == (10.0, 0)


def test_things_without_extent_are_not_met() -> None:
    nothing = scene_of(triangle((5, 0, 0), (5, 0, 0), (5, 0, 0)), floor(0.0))
    assert one(nothing, (0, 0, 0), (1, 0, 0)) == (math.inf, NOTHING)
    flat = Moment({1: placement(scale=(1, 1, 0))})
    assert one(nothing, (0, 0, -5), (0, 0, 1)) == (5.0, 1)
    assert one(nothing, (0, 0, -5), (0, 0, 1), moment=flat) == (math.inf, NOTHING)


def test_a_form_that_only_far_cameras_see_is_not_met() -> None:
    scene = scene_of(wall(10, (-5, 5), (-5, 5)), wall(8, (-5, 5), (-5, 5)))
    ranges = np.array([[0.0, 45.0], [45.0, np.inf]], np.float32)
    two_forms = replace(scene, anchors_m=np.zeros((2, 3), np.float32), ranges_m=ranges)
    assert one(two_forms, (0, 0, 0), (1, 0, 0)) == (10.0, 0)
    assert one(two_forms, (-80, 0, 0), (1, 0, 0)) == (90.0, 0)


@pytest.mark.parametrize(
    ("origin", "direction", "far_m"),
    [((0, 0, 0), (0, 0, 0), 10.0), ((0, 0, 0), (2, 0, 0), 10.0), ((0, 0, 0), (math.nan, 0, 0), 10.0),
     ((0, math.inf, 0), (1, 0, 0), 10.0), ((0, 0, 0), (1, 0, 0), -1.0), ((0, 0, 0), (1, 0, 0), math.nan)],
)  # fmt: skip
def test_rays_that_cannot_be_meant_are_refused(origin, direction, far_m) -> None:
    with pytest.raises(ValueError, match=r"ray|range"):
        one(scene_of(floor(0.0)), origin, direction, far_m)


def test_no_rays_meet_nothing() -> None:
    assert len(garden_rays().cast(np.zeros((0, 3)), np.zeros((0, 3)), 10.0).distance_m) == 0


def test_nothing_is_built_before_the_first_ray_and_once_for_all_threads(monkeypatch) -> None:
    built = []
    original = rays_module.build
    monkeypatch.setattr(rays_module, "build", lambda *args: built.append(len(args[2])) or original(*args))
    rays = Rays(garden())
    assert built == []
    origins, directions = random_rays(50, (-10.0, -8.0, -8.0), (16.0, 8.0, 1.0))
    found: list[Hits] = []
    threads = [
        threading.Thread(target=lambda: found.append(rays.cast(origins, directions, 40.0, MOMENTS["shifted"])))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 3, "the still world, the shed, the tree"
    for hits in found[1:]:
        assert_same(hits, found[0])
