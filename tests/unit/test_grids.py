"""Numbers that differ in their last bits make the same scene, the same ways and the same view."""

import numpy as np
import pytest
from small_scenes import scene_of

from airsim_seg.builtin.environments.meshes import box, turned
from airsim_seg.builtin.environments.scene_builder import CORNER_GRID_M, SceneBuilder
from airsim_seg.builtin.geometry import on_grid, product
from airsim_seg.builtin.objects import ObjectTable
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene, View
from airsim_seg.builtin.traffic import Mover, Traffic, Way
from airsim_seg.types import Float64Array, Pose

TURN = Pose.from_euler((3.3, -7.7, 0.1), yaw_rad=0.7, pitch_rad=-0.2)


def shaken(values: Float64Array) -> Float64Array:
    """Up to 4 units off in the last place."""
    return values * (1 + np.random.default_rng(1).integers(-4, 5, values.shape) * np.finfo(np.float64).eps)


def scene_with(placement: Float64Array) -> Scene:
    return scene_of(turned(box((0.1, 0.2, 0.3), (1.7, 2.9, 3.1), Material.BRICK), placement))


def test_scenes() -> None:
    placement = np.column_stack([TURN.rotation(), TURN.position_m])
    own, other = scene_with(placement), scene_with(shaken(placement))
    for name in ("triangles_m", "normals", "uv"):
        assert getattr(own, name).tobytes() == getattr(other, name).tobytes(), name
    steps = own.triangles_m.astype(np.float64) / CORNER_GRID_M
    assert (steps == np.rint(steps)).all()


def test_starts_and_grounds() -> None:
    def built(start: Pose, slope: float) -> Scene:
        builder = SceneBuilder()
        builder.add("Thing", start.position_m, [box((0, 0, 0), (1, 1, 1), Material.BRICK)])
        return builder.scene(
            environment="Tiny", seed=0, player_start=start, ground_down_m=lambda north, east: slope * (north + east)
        )

    own = built(TURN, 0.1)
    other = built(Pose(shaken(TURN.position_m), shaken(TURN.orientation_wxyz)), 0.1 * (1 + 2**-52))
    assert own.objects == other.objects
    assert own.player_start.position_m.tobytes() == other.player_start.position_m.tobytes()
    assert own.player_start.orientation_wxyz.tobytes() == other.player_start.orientation_wxyz.tobytes()
    assert np.linalg.norm(own.player_start.orientation_wxyz) == pytest.approx(1, abs=1e-15)
    assert [own.ground_down_m(n, 3.7) for n in range(9)] == [other.ground_down_m(n, 3.7) for n in range(9)]


def test_traffic() -> None:
    corners = np.array([(0.1, 0.2, 0.0), (40.3, 1.7, -1.1), (38.9, 50.3, 0.3)])
    own, other = (Traffic([Mover(0, Way(c), speed, 3.3)]) for c, speed in ((corners, 7.7), (shaken(corners), 7.7)))
    for time_ns in (0, 1, 10**9, 10**15 + 7):
        assert own.placements(time_ns)[0].tobytes() == other.placements(time_ns)[0].tobytes()


def test_views_and_things_that_were_put_somewhere() -> None:
    other = Pose(shaken(TURN.position_m), shaken(TURN.orientation_wxyz))
    own_view, other_view = (View(pose, (4, 4), 90.0) for pose in (TURN, other))
    assert own_view.pose.position_m.tobytes() == other_view.pose.position_m.tobytes()
    assert own_view.pose.orientation_wxyz.tobytes() == other_view.pose.orientation_wxyz.tobytes()
    np.testing.assert_allclose(own_view.pose.position_m, TURN.position_m, atol=1e-5)
    placements = []
    for pose in (TURN, other):
        things = ObjectTable(scene_with(np.eye(3, 4)))
        thing = things.find("Thing_1")
        assert thing is not None
        things.put(thing, pose, np.array([1.0, 2.0, 0.3]))
        placements.append(things.moment().placements[thing.index])
    assert placements[0].tobytes() == placements[1].tobytes()


def test_products_are_those_of_matrices() -> None:
    rng = np.random.default_rng(3)
    left, right, vector = rng.normal(size=(5, 3, 4)), rng.normal(size=(4, 3)), rng.normal(size=4)
    np.testing.assert_allclose(product(left, right), left @ right, rtol=1e-13)
    np.testing.assert_allclose(product(left, vector), left @ vector, rtol=1e-13)
    np.testing.assert_array_equal(on_grid([0.3, -0.3, 0.0], 0.25), [0.25, -0.25, 0.0])
