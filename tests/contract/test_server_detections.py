"""Object detection: boxes around what the real renderer draws."""

import airsim
import numpy as np
import pytest
from small_scenes import floor, scene_of, wall

from airsim_seg.builtin.detections import matches_wildcard
from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.settings import CaptureSettings, Settings, VehicleSettings

SIZE_HW = (48, 64)
SMALL = Settings("ComputerVision", {"Eye": VehicleSettings()}, dict.fromkeys(range(10), CaptureSettings(SIZE_HW)))


def vector(v):
    return [v.x_val, v.y_val, v.z_val]


def box(detection):
    low, high = detection.box2D.min, detection.box2D.max
    return [low.x_val, low.y_val, high.x_val, high.y_val]


@pytest.fixture
def client(serve):
    """Floor (Thing_1), a wall of 2 m 5 m ahead (Thing_2), one of 6 m 10 m ahead and 10 m to the right (Thing_3)."""
    scene = scene_of(floor(-1.0), wall(5, (-1, 1), (-1, 1)), wall(10, (-13, -7), (-3, 3)))
    return serve(SMALL, scene=scene, renderer=Rasteriser(scene, 1)).client()


def test_nothing_is_looked_for_until_it_is_named(client):
    assert client.simGetDetections("0", 0) == []
    client.simAddDetectionFilterMeshName("0", 0, "Thing_2")
    [found] = client.simGetDetections("0", 0)
    assert found.name == "Thing_2"
    assert client.simGetDetections("0", 5) == [], "another image type has filters of its own"
    client.simClearDetectionMeshNames("0", 0)
    assert client.simGetDetections("front_center", 0) == []


def test_the_box_holds_the_pixels_and_the_object_is_where_it_is(client):
    client.simAddDetectionFilterMeshName("0", 0, "thing_2")
    [found] = client.simGetDetections("0", 0)
    # 90 degrees over 64 pixels: the focal length is 32 pixels; 1 m at 5 m is 6.4 of them.
    left, top, right, bottom = box(found)
    assert (left, right, top) == (32 - 6, 32 + 6, 24 - 6)
    assert bottom == 24 + 6
    assert vector(found.box3D.min) == pytest.approx([5, -1, -1])
    assert vector(found.box3D.max) == pytest.approx([5, 1, 1])
    assert vars(found.geo_point) == geo_point(np.zeros(3)), "its foot"
    assert vector(found.relative_pose.position) == [0, 0, 0]


def test_boxes_and_poses_are_in_the_cameras_axes(client):
    eye = airsim.Pose(airsim.Vector3r(1, 0, 0), airsim.to_quaternion(0, 0, np.pi / 4))
    client.simSetVehiclePose(eye, True)
    client.simSetObjectPose("Thing_3", airsim.Pose(airsim.Vector3r(0, 0, -1), airsim.to_quaternion(0, 0, 0.5)))
    client.simAddDetectionFilterMeshName("0", 0, "*_3")
    [found] = client.simGetDetections("0", 0)
    # The foot, which is the scene's origin raised by a metre, seen from 1 m north and turned to the north-east.
    assert vector(found.relative_pose.position) == pytest.approx([-np.sqrt(0.5), np.sqrt(0.5), -1])
    _pitch, _roll, yaw = airsim.to_eularian_angles(found.relative_pose.orientation)
    assert yaw == pytest.approx(np.pi / 4 - 0.5), "AirSim's is the camera's turn in the object's axes"
    low, high = np.array(vector(found.box3D.min)), np.array(vector(found.box3D.max))
    corner = np.array([10 * np.cos(0.5) - 7 * np.sin(0.5), 10 * np.sin(0.5) + 7 * np.cos(0.5), -4.0])
    ahead, right = corner[0] - 1, corner[1]
    seen = np.array([(ahead + right) * np.sqrt(0.5), (right - ahead) * np.sqrt(0.5), corner[2]])
    assert (low <= seen + 1e-4).all()
    assert (seen <= high + 1e-4).all()


def test_what_is_hidden_out_of_sight_or_too_far_is_not_found(client):
    client.simAddDetectionFilterMeshName("0", 0, "*")

    def names():
        return [found.name for found in client.simGetDetections("0", 0)]

    assert names() == ["Thing_1", "Thing_2", "Thing_3"]
    client.simSetObjectPose("Thing_3", airsim.Pose(airsim.Vector3r(0, -10, 0)))
    client.simSetObjectScale("Thing_2", airsim.Vector3r(1, 30, 30))
    assert names() == ["Thing_1", "Thing_2"], "behind the wall"
    client.simSetDetectionFilterRadius("0", 0, 900)
    client.simSetObjectPose("Thing_2", airsim.Pose(airsim.Vector3r(9.5, 0, 0)))
    assert names() == ["Thing_1"], "its place is 9.5 m away, and 9 m are looked at"
    client.simDestroyObject("Thing_1")
    assert names() == []


def test_copies_are_found_by_their_own_name_and_by_their_kind(client):
    client.simSpawnObject("Post", "Thing", airsim.Pose(airsim.Vector3r(0, 0, -0.5)), airsim.Vector3r(1, 1, 1))
    client.simAddDetectionFilterMeshName("0", 0, "po?t")
    assert [found.name for found in client.simGetDetections("0", 0)] == ["Post"]
    client.simClearDetectionMeshNames("0", 0)
    client.simAddDetectionFilterMeshName("0", 0, "Thing")
    assert [found.name for found in client.simGetDetections("0", 0)] == ["Thing_2", "Thing_3", "Post"]


@pytest.mark.parametrize(
    ("name", "wildcard", "matches"),
    [
        ("Cylinder_2", "Cylinder*", True),
        ("Cylinder_2", "cylinder_?", True),
        ("Cylinder_22", "Cylinder_?", False),
        ("MyCylinder", "Cylinder*", False),
        ("a[b].c", "a[b].*", True),
        ("ab.c", "a[b].*", False),
    ],
)
def test_wildcards_are_unreals(name, wildcard, matches):
    assert matches_wildcard(name, wildcard) is matches
