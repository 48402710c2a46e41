"""Things that are moved, spawned, destroyed, labelled and measured, through the unmodified airsim client."""

import math
from dataclasses import replace

import airsim
import numpy as np
import pytest
from served_world import NAMES, tiny_scene
from small_scenes import floor, scene_of, wall

from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.settings import CaptureSettings, Settings, VehicleSettings
from airsim_seg.builtin.traffic import Mover, Way
from airsim_seg.palette import id_from_name, palette

SIZE_HW = (48, 64)
SMALL = Settings("ComputerVision", {"Eye": VehicleSettings()}, dict.fromkeys(range(10), CaptureSettings(SIZE_HW)))
FEET = np.array([100.0, 50.0, 5.0])  # of Ground, and the player start


def vector(v):
    return [v.x_val, v.y_val, v.z_val]


def by(point, *metres):
    return point + np.array(metres)


def placed(matrix, point):
    return matrix[:, :3] @ point + matrix[:, 3]


@pytest.fixture
def walls(serve):
    """A floor, a small wall 5 m ahead and a large one 10 m ahead, drawn by the real renderer."""
    scene = scene_of(floor(-1.0), wall(5, (-1, 1), (-1, 1)), wall(10, (-3, 3), (-3, 3)))
    return serve(SMALL, scene=scene, renderer=Rasteriser(scene, 1))


def ids_of(client):
    [response] = client.simGetImages([airsim.ImageRequest("0", 5, False, False)])
    bgr = np.frombuffer(response.image_data_uint8, np.uint8).reshape(*SIZE_HW, 3)
    table = {tuple(colour): raw_id for raw_id, colour in enumerate(palette())}
    return np.array([[table[tuple(rgb)] for rgb in row] for row in bgr[..., ::-1]])


def test_things_stand_where_the_scene_has_them_and_go_where_they_are_put(serve):
    running = serve()
    client = running.client()
    before = client.simGetObjectPose("Tree_1")
    assert vector(before.position) == [1, 0, 0]
    assert vars(before.orientation) == vars(airsim.Quaternionr(0, 0, 0, 1))
    there = airsim.Pose(airsim.Vector3r(7.1, -2.3, 0.7), airsim.to_quaternion(0.1, 0.2, 0.3))
    assert client.simSetObjectPose("Tree_1", there) is True
    after = client.simGetObjectPose("Tree_1")
    assert vars(after.position) == vars(there.position)
    assert vars(after.orientation) == vars(there.orientation)
    assert vars(client.simGetObjectPose("tree_1").position) == vars(there.position), "Unreal's names know no case"
    client.reset()
    assert vector(client.simGetObjectPose("Tree_1").position) == [7.1, -2.3, 0.7]


def test_what_is_unknown_is_nan_zero_or_false(serve):
    client = serve().client()
    nowhere = client.simGetObjectPose("Ghost")
    assert np.isnan([*vector(nowhere.position), nowhere.orientation.w_val]).all()
    assert vector(client.simGetObjectScale("Ghost")) == [0, 0, 0]
    assert client.simSetObjectPose("Ghost", airsim.Pose()) is False
    assert client.simSetObjectPose("Ghost", nowhere) is False, (
        "clients add to the pose that they were given and send it"
    )
    with pytest.raises(Exception, match="nan is not a number"):
        client.simSetObjectPose("Tree_1", nowhere)
    assert math.isfinite(client.simGetObjectPose("Tree_1").position.x_val)
    assert client.simSetObjectScale("Ghost", airsim.Vector3r(1, 1, 1)) is False
    assert client.simDestroyObject("Ghost") is False


def test_the_renderer_gets_size_about_the_foot_then_turn_then_place(serve):
    running = serve()
    client = running.client()
    index, foot = NAMES.index("Tree_1"), by(FEET, 1, 0, 0)
    assert not running.world.moment().placements
    assert vector(client.simGetObjectScale("Tree_1")) == [1, 1, 1]
    client.simSetObjectScale("Tree_1", airsim.Vector3r(2, 3, 4))
    east = airsim.Pose(airsim.Vector3r(10, 20, -5), airsim.to_quaternion(0, 0, math.pi / 2))
    client.simSetObjectPose("Tree_1", east)
    [(moved, matrix)] = running.world.moment().placements.items()
    assert moved == index
    there = by(FEET, 10, 20, -5)
    assert placed(matrix, foot) == pytest.approx(there)
    assert placed(matrix, by(foot, 1, 0, 0)) == pytest.approx(by(there, 0, 2, 0)), "north has become east, twice as far"
    assert placed(matrix, by(foot, 0, 1, 0)) == pytest.approx(by(there, -3, 0, 0))
    assert placed(matrix, by(foot, 0, 0, 1)) == pytest.approx(by(there, 0, 0, 4))
    assert running.world.moment() is running.world.moment(), "nothing has changed"
    client.simSetObjectScale("Tree_1", airsim.Vector3r(1, 1, 1))
    client.simSetObjectPose("Tree_1", airsim.Pose(airsim.Vector3r(1, 0, 0)))
    assert np.array_equal(running.world.moment().placements[index], np.eye(3, 4))


def test_spawned_things_are_numbered_listed_moved_and_destroyed(serve):
    running = serve()
    client = running.client()
    assert client.simListAssets() == ["default_thing", "Ground", "Orangeball", "Tree"]
    here, size = airsim.Pose(airsim.Vector3r(3, 4, 0)), airsim.Vector3r(1, 1, 2)
    assert client.simSpawnObject("Bush", "Tree", here, size) == "Bush"
    assert client.simSpawnObject("Bush", "Orangeball", here, size) == "Bush1"
    assert client.simSpawnObject("Tree", "orangeball", here, size) == "Tree3", "AirSim: one more than any Tree_2 has"
    assert client.simListSceneObjects("Bush.*|Tree3") == ["Bush", "Bush1", "Tree3"]
    assert vector(client.simGetObjectPose("Bush").position) == [3, 4, 0]
    assert vector(client.simGetObjectScale("Bush")) == [1, 1, 2]
    first, second, _third = running.world.moment().spawned
    assert (first.source, second.source) == (NAMES.index("Tree_1"), NAMES.index("Orangeball"))
    assert (first.index, second.index) == (len(NAMES), len(NAMES) + 1)
    # The form of Tree_1, which stands 1 m north of the start, around the copy's own place.
    assert placed(first.placement, by(FEET, 1, 0, -1)) == pytest.approx(by(FEET, 3, 4, -2))
    assert client.simSetObjectPose("Bush", airsim.Pose(airsim.Vector3r(9, 9, 9))) is True
    assert placed(running.world.moment().spawned[0].placement, by(FEET, 1, 0, 0)) == pytest.approx(FEET + 9)
    assert client.simDestroyObject("Bush") is True
    assert [copy.index for copy in running.world.moment().spawned] == [len(NAMES) + 1, len(NAMES) + 2]
    assert math.isnan(client.simGetObjectPose("Bush").position.x_val)
    with pytest.raises(Exception, match="There were no objects with name Rocket found in the Registry"):
        client.simSpawnObject("Bush", "Rocket", here, size)


def test_copies_can_be_many_but_not_without_end(serve, monkeypatch):
    monkeypatch.setattr("airsim_seg.builtin.objects.MAX_SPAWNED", 2)
    client = serve().client()
    for _ in range(2):
        client.simSpawnObject("Bush", "Tree", airsim.Pose(), airsim.Vector3r(1, 1, 1))
    with pytest.raises(Exception, match="destroy some first"):
        client.simSpawnObject("Bush", "Tree", airsim.Pose(), airsim.Vector3r(1, 1, 1))


def test_an_id_of_ones_own_wins_over_the_names(serve):
    scene = tiny_scene()
    objects = (scene.objects[0], replace(scene.objects[1], raw_id=77), *scene.objects[2:])
    client = serve(scene=replace(scene, objects=objects)).client()
    assert client.simGetSegmentationObjectID("tree_1") == 77
    assert client.simGetSegmentationObjectID("tree_2") == id_from_name("Tree_2")


def test_an_id_below_zero_shows_what_lies_behind_and_only_in_the_segmentation(walls):
    client = walls.client()
    near, far = id_from_name("Thing_2"), id_from_name("Thing_3")
    assert near == far, "digits do not count"
    client.simSetSegmentationObjectID("Thing_3", 200)
    before, scene = ids_of(client), client.simGetImages([airsim.ImageRequest("0", 0, False, False)])
    assert (before == near)[24, 32]
    assert client.simSetSegmentationObjectID("Thing_2", -1) is True
    after = ids_of(client)
    assert (after[24, 32], (after == near).sum()) == (200, (before == near).sum() - (before != after).sum())
    depth, seen = client.simGetImages([airsim.ImageRequest("0", 1, True), airsim.ImageRequest("0", 0, False, False)])
    assert seen.image_data_uint8 == scene[0].image_data_uint8
    assert np.array(depth.image_data_float).reshape(SIZE_HW)[24, 32] == pytest.approx(5)
    assert client.simGetSegmentationObjectID("thing_2") == near, "the stored id stays"
    client.simSetSegmentationObjectID("Thing_2", near)
    assert np.array_equal(ids_of(client), before)


def test_a_second_picture_is_drawn_only_where_something_has_no_id(serve):
    running = serve()
    client = running.client()
    both = [airsim.ImageRequest("0", 0, False, False), airsim.ImageRequest("0", 5, False, False)]
    client.simGetImages(both)
    assert len(running.renderer.views) == 1
    client.simSetSegmentationObjectID("Orangeball", -5)
    client.simGetImages([*both, *both])
    assert len(running.renderer.views) == 3


def test_what_is_spawned_is_seen_at_once_but_has_no_id_until_it_is_given_one(walls):
    client = walls.client()
    before = ids_of(client)
    aside = airsim.Pose(airsim.Vector3r(-1, 2.5, 0))
    assert client.simSpawnObject("Post", "Thing", aside, airsim.Vector3r(1, 1, 1)) == "Post"
    assert client.simGetSegmentationObjectID("Post") == 0
    assert np.array_equal(ids_of(client), before), "the floor's copy is the first of its kind; it has no id"
    assert client.simSetSegmentationObjectID("P.*", 99, True) is True
    assert (ids_of(client) == 99).any()
    client.simDestroyObject("Post")
    assert np.array_equal(ids_of(client), before)


def test_what_is_moved_or_destroyed_is_so_in_the_picture(walls):
    client = walls.client()
    client.simSetSegmentationObjectID("Thing_3", 200)
    client.simSetObjectPose("Thing_2", airsim.Pose(airsim.Vector3r(0, 0, -100)))
    assert ids_of(client)[24, 32] == 200
    client.simSetObjectPose("Thing_2", airsim.Pose())
    assert ids_of(client)[24, 32] != 200
    client.simDestroyObject("Thing_2")
    assert ids_of(client)[24, 32] == 200
    assert client.simListSceneObjects("Thing_.*") == ["Thing_1", "Thing_3"]


def test_what_drives_by_itself_has_a_pose_until_somebody_puts_it_elsewhere(serve):
    square = Way(np.array([[102, 50, 5], [202, 50, 5], [202, 150, 5], [102, 150, 5.0]]))
    tree = NAMES.index("Tree_2")
    running = serve(scene=replace(tiny_scene(), traffic=(Mover(tree, square, 10.0, 0.0),)))
    client = running.client()
    start = client.simGetObjectPose("Tree_2")
    client.simContinueForTime(2)
    here = client.simGetObjectPose("Tree_2")
    assert vector(start.position) == pytest.approx([2, 0, 0], abs=1e-3)
    assert vector(here.position) == pytest.approx([22, 0, 0], abs=1e-3)
    foot = np.asarray(running.world.scene.objects[tree].position_m)
    assert placed(running.world.moment().placements[tree], foot) - FEET == pytest.approx(
        vector(here.position), abs=1e-3
    )
    client.simSetObjectScale("Tree_2", airsim.Vector3r(1, 1, 1))
    client.simContinueForTime(2)
    assert here.position.distance_to(client.simGetObjectPose("Tree_2").position) == 0


def test_a_console_command_puts_traffic_where_it_is_at_a_time_of_its_own(serve):
    square = Way(np.array([[102, 50, 5], [202, 50, 5], [202, 150, 5], [102, 150, 5.0]]))
    running = serve(scene=replace(tiny_scene(), traffic=(Mover(NAMES.index("Tree_2"), square, 10.0, 0.0),)))
    client = running.client()
    client.simContinueForTime(1)
    stamp = running.world.now_ns
    assert client.simRunConsoleCommand("airsim-seg.SceneryTime 7000000000") is True
    assert vector(client.simGetObjectPose("Tree_2").position) == pytest.approx([72, 0, 0], abs=1e-3)
    assert running.world.now_ns == stamp, "the clock is another matter"
    client.simContinueForTime(1)
    assert vector(client.simGetObjectPose("Tree_2").position) == pytest.approx([82, 0, 0], abs=1e-3)
    for nonsense in (
        "airsim-seg.SceneryTime",
        "airsim-seg.SceneryTime -1",
        "airsim-seg.SceneryTime 1e9",
        "SceneryTime 1",
    ):
        assert client.simRunConsoleCommand(nonsense) is False
    assert vector(client.simGetObjectPose("Tree_2").position) == pytest.approx([82, 0, 0], abs=1e-3)


def lane(east_m):
    """A way that leads past the player start, so far to its right."""
    start_m = tiny_scene().player_start.position_m
    corners = start_m + np.array([[-50, east_m, 0], [50, east_m, 0], [50, 100, 0], [-50, 100, 0.0]])
    return replace(tiny_scene(), traffic=(Mover(NAMES.index("Tree_2"), Way(corners), 10.0, 0.0),))


def test_what_drives_through_a_camera_without_a_body_is_gone_meanwhile(serve):
    running = serve("ComputerVision", scene=lane(0.0))
    for seconds, gone in ((4.6, False), (4.8, True), (5.2, True), (5.4, False)):
        running.client().simRunConsoleCommand(f"airsim-seg.SceneryTime {round(seconds * 1e9)}")
        assert (NAMES.index("Tree_2") in running.world.moment().hidden) == gone


@pytest.mark.parametrize(("east_m", "gone"), [(0.0, True), (2.9, True), (3.1, False)])
@pytest.mark.parametrize("mode", ["Car", "Multirotor"])
def test_nobody_drives_over_the_place_where_a_vehicle_starts(serve, mode, east_m, gone):
    running = serve(mode, scene=lane(east_m))
    assert (NAMES.index("Tree_2") in running.world.moment().hidden) == gone


def test_rain_falls_as_time_goes_by(serve):
    running = serve()
    client = running.client()
    assert running.world.moment().time_ns == 0, "where nothing moves the same moment is drawn"
    client.simEnableWeather(True)
    client.simSetWeatherParameter(airsim.WeatherParameter.Rain, 0.5)
    client.simContinueForTime(0.5)
    before = running.world.moment().time_ns
    client.simContinueForTime(0.5)
    assert running.world.moment().time_ns - before == 500_000_000


def test_the_worlds_extents_leave_out_the_gigantic_floor(walls):
    low, high = walls.client().simGetWorldExtents()
    assert vars(low) == geo_point(np.array([5.0, -3.0, 3.0]))
    assert vars(high) == geo_point(np.array([10.0, 3.0, -3.0]))


def test_meshes_come_in_unreals_frame(walls):
    client = walls.client()
    client.simSetObjectPose("Thing_2", airsim.Pose(airsim.Vector3r(1, 0, 0), airsim.to_quaternion(0, 0, 0.5)))
    floor_, near, _far = client.simGetMeshPositionVertexBuffers()
    assert (floor_.name, near.name) == ("thing_1", "thing_2")
    assert vector(near.position) == [100, 0, 0]
    # Turning right is turning about an axis that points up in one frame and down in the other; both are left-handed.
    assert (near.orientation.w_val, near.orientation.z_val) == pytest.approx((math.cos(0.25), math.sin(0.25)))
    corners = np.array(near.vertices).reshape(-1, 3)
    assert len(corners) == 4
    assert len(near.indices) == 6
    ahead, right, up = 5.0, 1.0, 1.0
    cos, sin = math.cos(0.5), math.sin(0.5)
    corner = 100 * np.array([1 + ahead * cos - right * sin, ahead * sin + right * cos, up])
    assert np.abs(corners - corner).max(1).min() < 1e-3
    floor_corners = np.array(floor_.vertices).reshape(-1, 3)
    assert (floor_corners[:, 2] == -100).all(), "a floor 1 m below, centimetres, up positive"


def test_a_voxel_grid_is_written_where_the_client_says(walls, tmp_path):
    client = walls.client()
    path = tmp_path / "grid.binvox"
    assert client.simCreateVoxelGrid(airsim.Vector3r(5, 0, 0), 8, 6, 4, 1.0, str(path)) is True
    head, runs = path.read_bytes().split(b"data\n", 1)
    assert head == b"#binvox 1\ndim 8 4 6\ntranslate -4 -3 -2\nscale 0.125\n"
    cells = np.repeat(*np.frombuffer(runs, np.uint8).reshape(-1, 2).T).reshape(6, 4, 8)  # east, up, north
    # Cell i spans 0.5 to 1.5, 1.5 to 2.5 ... m north: the near wall, at 5 m, is in the fifth; it is 2 m wide and high.
    assert cells[:, :, 4].astype(bool).T.tolist() == [
        [False] * 6,
        [True] * 6,  # the floor, 1 m down
        [False, False, True, True, True, False],
        [False, False, True, True, True, False],
    ]
    assert client.simCreateVoxelGrid(airsim.Vector3r(), 4, 4, 4, 1.0, str(tmp_path / "no" / "grid")) is False
    with pytest.raises(Exception, match="cells"):
        client.simCreateVoxelGrid(airsim.Vector3r(), 10_000, 10_000, 10_000, 0.1, str(path))
