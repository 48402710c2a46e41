"""Things that move: their ids and depths are exact, shadows go along, and the order of moments is nothing."""

from dataclasses import replace

import numpy as np
import pytest
from ray_caster import disagreements
from small_scenes import floor, garden, looking, scene_of, wall

from airsim_seg.builtin.environments.meshes import Mesh, box
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.moving import cofactors
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import SKY_INDEX, STILL, Moment, Scene, Spawned
from airsim_seg.types import Float64Array, Pose, camera_matrix

VIEW = looking((-6.0, 0.5, -4.0), pitch_deg=-15, size_hw=(96, 128))
SHED, TREE, FENCE = 1, 2, 4


def placement(shift_m=(0.0, 0.0, 0.0), *, yaw_deg=0.0, roll_deg=0.0, scale=(1.0, 1.0, 1.0)) -> Float64Array:
    pose = Pose.from_euler(shift_m, yaw_rad=np.radians(yaw_deg), roll_rad=np.radians(roll_deg))
    return np.column_stack([pose.rotation() * np.array(scale), pose.position_m])


MOMENTS = {
    "shifted": Moment({SHED: placement((1.0, -3.0, -0.5)), TREE: placement((-2.0, 1.5, 0.0))}),
    "turned": Moment({SHED: placement((2.0, 1.0, -1.0), yaw_deg=30, roll_deg=20)}),
    "stretched": Moment({SHED: placement((-3.0, 0.0, 0.0), scale=(1.5, 0.5, 2.0)), FENCE: placement(scale=(1, 1, 2))}),
    "hidden": Moment(hidden=frozenset({SHED, FENCE})),
    "hidden and shifted": Moment({TREE: placement((0.0, 3.0, 0.0))}, frozenset({TREE, SHED})),
    "nobody's": Moment({99: placement((1.0, 1.0, 1.0)), -1: placement()}, frozenset({77})),
}


def rasteriser(scene: Scene) -> Rasteriser:
    return Rasteriser(scene, shadow_map_size=1024)


def yard(*things: Mesh) -> Scene:
    """A floor, things on it from object 1 on, and a post far away: how far a world reaches is part of its light."""
    return scene_of(floor(0.0), *things, box((49, 49, 0), (50, 50, 1), Material.SIDING))


def at(scene: Scene, moment: Moment) -> Scene:
    """The scene as the moment has it, by a loop over triangles."""
    corners = scene.triangles_m.copy()
    for t, index in enumerate(scene.object_index):
        if index in moment.hidden:
            corners[t] = 0
        elif int(index) in moment.placements:
            matrix = moment.placements[int(index)]
            for c in range(3):
                corners[t, c] = matrix[:, :3] @ scene.triangles_m[t, c].astype(np.float64) + matrix[:, 3]
    return replace(scene, triangles_m=corners)


def with_copies(scene: Scene, moment: Moment) -> Scene:
    """The scene as the moment has it, what was spawned included."""
    stands = at(scene, moment)
    corners, uv, materials, indices = [stands.triangles_m], [scene.uv], [scene.materials], [scene.object_index]
    for copy in moment.spawned:
        rows = np.flatnonzero(scene.object_index == copy.source)
        corners.append(at(scene, Moment({copy.source: copy.placement})).triangles_m[rows])
        uv.append(scene.uv[rows])
        materials.append(scene.materials[rows])
        indices.append(np.full(len(rows), copy.index, np.int32))
    return replace(
        scene,
        triangles_m=np.concatenate(corners),
        uv=np.concatenate(uv),
        materials=np.concatenate(materials),
        object_index=np.concatenate(indices),
        chunks=np.array([[0, sum(map(len, corners))]], np.int32),
        anchors_m=None,
        ranges_m=None,
    )


@pytest.fixture(scope="module")
def drawn() -> Rasteriser:
    return rasteriser(garden())


@pytest.mark.parametrize("name", MOMENTS)
def test_ids_and_depths_of_what_moved_are_those_of_brute_force(drawn: Rasteriser, name: str) -> None:
    picture = drawn.render(VIEW, MOMENTS[name])
    assert disagreements(at(garden(), MOMENTS[name]), VIEW, picture, 400, seed=1) == []
    for hidden in MOMENTS[name].hidden:
        assert hidden not in picture.object_index


def test_a_moment_looks_the_same_whatever_was_drawn_before(drawn: Rasteriser) -> None:
    before = {name: drawn.render(VIEW, moment) for name, moment in reversed(MOMENTS.items())}
    fresh = rasteriser(garden())
    for name, moment in MOMENTS.items():
        for renderer in (fresh, drawn):
            again = renderer.render(VIEW, moment)
            for field, value in vars(before[name]).items():
                assert np.array_equal(getattr(again, field), value), (name, field)
    still = fresh.render(VIEW)
    assert np.array_equal(still.rgb, rasteriser(garden()).render(VIEW).rgb)
    assert np.array_equal(still.rgb, drawn.render(VIEW, MOMENTS["nobody's"]).rgb)


def test_copies_are_exact_and_come_and_go_without_a_trace(drawn: Rasteriser) -> None:
    count = len(garden().objects)
    copies = (
        Spawned(count + 2, SHED, placement((3.0, -6.0, -0.5), yaw_deg=40)),
        Spawned(count, TREE, placement((0.0, 4.0, 0.0), scale=(0.5, 0.5, 0.5))),
    )
    moment = Moment({FENCE: placement((0.5, 0.0, 0.0))}, spawned=copies)
    picture = drawn.render(VIEW, moment)
    assert disagreements(with_copies(garden(), moment), VIEW, picture, 400, seed=2) == []
    assert {count, count + 2} <= set(np.unique(picture.object_index))
    assert np.array_equal(drawn.render(VIEW).rgb, rasteriser(garden()).render(VIEW).rgb)
    assert np.array_equal(drawn.render(VIEW, moment).rgb, picture.rgb)


def test_what_is_moved_looks_as_if_it_had_been_built_there() -> None:
    """A quarter turn and a shift of a box with its shadow, against the box built there; edges may round otherwise."""
    moved_box, built_box = box((2, -1, 0), (4, 1, 2), Material.SIDING), box((4, -4, 0), (6, -2, 2), Material.SIDING)
    view = looking((-4.0, 3.0, -6.0), pitch_deg=-35, size_hw=(96, 128))
    turned_there = Moment({1: placement((5.0 - 0.0, 3.0 - 3.0, 0.0), yaw_deg=90)})
    center = turned_there.placements[1] @ (3, 0, 0, 1)
    assert center.tolist() == pytest.approx([5, 3, 0])
    moved = rasteriser(yard(moved_box)).render(view, turned_there)
    built = rasteriser(yard(built_box)).render(view)
    same = moved.object_index == built.object_index
    assert same.mean() > 0.999
    difference = np.abs(moved.rgb.astype(int) - built.rgb)[same].max(1)
    assert (difference <= 6).mean() > 0.97
    empty = rasteriser(yard()).render(view).rgb
    dark_moved, dark_built = (np.flatnonzero(picture.rgb.sum(2) < 0.6 * empty.sum(2)) for picture in (moved, built))
    assert len(np.intersect1d(dark_moved, dark_built)) > 0.9 * len(np.union1d(dark_moved, dark_built)) > 0


def test_movers_leave_no_shadow_where_they_were_built() -> None:
    """The same things, declared to move or not, in the same moment."""
    scene = yard(box((2, -1, 0), (4, 1, 2), Material.SIDING))
    away = Moment({1: placement((0.0, 30.0, 0.0))})
    view = looking((-2.0, 0.0, -6.0), pitch_deg=-50, size_hw=(64, 96))
    empty = rasteriser(yard()).render(view).rgb.astype(int)
    for movers in (frozenset[int](), frozenset({1})):
        picture = rasteriser(replace(scene, movers=movers)).render(view, away)
        assert (picture.object_index == 0).all()
        assert np.abs(picture.rgb - empty).max() <= 8  # how high things stood around darkens the ground a little
    still, declared = (rasteriser(replace(scene, movers=m)).render(view).rgb.astype(int) for m in (frozenset(), {1}))
    assert (np.abs(still - declared).max(2) > 12).mean() < 0.02


def test_normals_of_pictures_are_those_of_the_triangles_that_rays_meet(drawn: Rasteriser) -> None:
    """In double precision, over triangles that may stand in the way: the depth says which one it is."""
    moment = MOMENTS["turned"]
    picture = drawn.render(VIEW, moment, normals=True)
    assert picture.normals is not None
    corners = at(garden(), moment).triangles_m.astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    camera = camera_matrix(VIEW.size_hw, VIEW.fov_deg)
    rng = np.random.default_rng(0)
    for y, x in rng.integers(0, VIEW.size_hw, (200, 2)):
        found = picture.normals[y, x]
        if picture.object_index[y, x] == SKY_INDEX:
            assert (found == 0).all()
            continue
        ray = VIEW.pose.rotation() @ [
            1,
            (x + 0.5 - camera[0, 2]) / camera[0, 0],
            (y + 0.5 - camera[1, 2]) / camera[1, 1],
        ]
        point = VIEW.pose.position_m + ray * float(picture.depth_m[y, x])
        near = np.abs(((corners[:, 0] - point) * normals).sum(1)) < 2e-3
        candidates = normals[near & (garden().object_index == picture.object_index[y, x])]
        assert np.abs(candidates @ found).max() == pytest.approx(1, abs=1e-5)
        assert found @ ray <= 0
    assert drawn.render(VIEW, moment).normals is None


def test_normals_turn_with_their_faces_and_stretch_against_them() -> None:
    normals = np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.8, 0]], np.float32)
    assert normals @ cofactors(placement((9, 9, 9), yaw_deg=90)[None])[0] == pytest.approx(
        np.array([[0, 1, 0], [-1, 0, 0], [-0.8, 0.6, 0]]), abs=1e-6
    )
    # A face along (0.8, -0.6), stretched twice in x: the face is (1.6, -0.6), its normal (0.6, 1.6).
    assert normals[2] @ cofactors(placement(scale=(2, 1, 1))[None])[0] == pytest.approx([0.6, 1.6, 0])


def test_a_mirrored_thing_is_closed_and_lit_from_outside() -> None:
    """A box in the mirror is a box: the same picture, but for what is painted on it."""
    thing, view = (
        box((4, -3, 0), (6, -1, 2), Material.TRIM),
        looking((-4.0, 0.0, -5.0), pitch_deg=-25, size_hw=(96, 128)),
    )
    mirrored = rasteriser(yard(thing)).render(view, Moment({1: placement(scale=(1.0, -1.0, 1.0))}))
    built = rasteriser(yard(box((4, 1, 0), (6, 3, 2), Material.TRIM))).render(view)
    assert (mirrored.object_index == built.object_index).mean() > 0.999
    assert np.abs(mirrored.depth_m - built.depth_m)[mirrored.object_index == built.object_index].max() < 0.01
    same = (mirrored.object_index == built.object_index) & (built.object_index == 1)
    assert np.abs(mirrored.rgb.astype(int) - built.rgb)[same].mean() < 6


def test_a_flattened_thing_is_drawn_flat() -> None:
    flat = Moment({1: placement(scale=(1.0, 1.0, 0.0))})
    picture = rasteriser(scene_of(floor(1.0), wall(5.0, (-2, 2), (-2, 2)))).render(looking(), flat)
    assert set(np.unique(picture.object_index)) <= {SKY_INDEX, 0}
    assert STILL.placements == {}
