"""Sensors and lines of sight over the wire, read by the unmodified airsim client."""

import json
from dataclasses import replace

import airsim
import numpy as np
import pytest
from served_world import tiny_scene
from small_scenes import scene_of, wall

from airsim_seg.builtin import rays
from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS
from airsim_seg.builtin.geometry import HOME, geo_point
from airsim_seg.builtin.settings import load_settings
from airsim_seg.palette import id_from_name

TREE_ID = id_from_name("Tree_1")
LOCAL_LIDAR = {
    "SensorType": 6, "Enabled": True, "NumberOfChannels": 4, "PointsPerSecond": 3600, "Range": 50,
    "VerticalFOVUpper": 10, "VerticalFOVLower": -10, "HorizontalFOVStart": -20, "HorizontalFOVEnd": 20,
    "DataFrame": "SensorLocalFrame",
}  # fmt: skip


def walled():
    """The tiny world with Tree_1 a wall 10 m north of the player start and Tree_2 one 20 m east of it."""
    tiny = tiny_scene()
    walls = scene_of(wall(10, (-100, 100), (-100, 100)), wall(0, (-100, 100), (-100, 100)))
    corners = walls.triangles_m.copy()
    second = walls.object_index == 1
    corners[second] = corners[second][..., [1, 0, 2]] + np.float32((0, 20, 0))
    return replace(
        tiny, triangles_m=corners + np.float32(tiny.player_start.position_m), normals=walls.normals, uv=walls.uv,
        materials=walls.materials, object_index=walls.object_index + 1, chunks=walls.chunks,
    )  # fmt: skip


@pytest.fixture
def served(serve, tmp_path):
    """served(sensors, mode): a paused server of the walled world, with one vehicle that lists these sensors."""

    def start(sensors, mode="Multirotor"):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({"SimMode": mode, "Vehicles": {"V": {"Sensors": sensors}}}), encoding="utf-8")
        return serve(load_settings(path), scene=walled())

    return start


@pytest.mark.parametrize(
    ("method", "keys"),
    [
        ("getImuData", {"time_stamp", "orientation", "angular_velocity", "linear_acceleration"}),
        ("getBarometerData", {"time_stamp", "altitude", "pressure", "qnh"}),
        ("getMagnetometerData", {"time_stamp", "magnetic_field_body", "magnetic_field_covariance"}),
        ("getGpsData", {"time_stamp", "gnss", "is_valid"}),
    ],
)
def test_a_drone_has_airsims_sensors_with_airsims_keys(serve, method, keys):
    client = serve("Multirotor").client(airsim.MultirotorClient)
    raw = client.client.call(method, "", "")
    assert set(raw) == keys
    assert raw["time_stamp"] == DEFAULT_EPOCH_NS
    if method == "getGpsData":
        assert set(raw["gnss"]) == {"geo_point", "eph", "epv", "velocity", "fix_type", "time_utc"}


def test_a_drone_that_stands_reads_gravity_the_weather_and_where_it_is(serve):
    client = serve("Multirotor").client(airsim.MultirotorClient)
    client.simContinueForTime(4.0)
    imu, now = client.getImuData(), DEFAULT_EPOCH_NS + 4 * 10**9
    assert imu.time_stamp == now
    assert imu.linear_acceleration.to_numpy_array() == pytest.approx([0, 0, -9.80665], abs=0.25)
    assert imu.angular_velocity.to_numpy_array() == pytest.approx([0, 0, 0], abs=0.01)
    assert abs(imu.linear_acceleration.x_val) > 0, "its noise is on, as AirSim's is"
    assert imu.orientation.w_val == 1
    air = client.getBarometerData()
    assert air.time_stamp == now
    assert air.altitude == pytest.approx(122.15, abs=1.5)
    assert (air.pressure, air.qnh) == (pytest.approx(99864, abs=30), 1013.25)
    field = client.getMagnetometerData().magnetic_field_body.to_numpy_array()
    assert field == pytest.approx([0.2504, 0.0341, 0.3657], abs=0.03)
    gps = client.getGpsData()
    assert (gps.is_valid, gps.gnss.fix_type, gps.gnss.epv) == (True, 3, pytest.approx(1.56, abs=0.05))
    # 200 ms old, taken by the first 3 ms step that reached that time.
    assert (gps.time_stamp, gps.gnss.time_utc) == (now - 199_000_000, (now - 199_000_000) // 1000)
    home = gps.gnss.geo_point
    assert (home.latitude, home.longitude) == pytest.approx((HOME.latitude_deg, HOME.longitude_deg), abs=1e-9)


def test_errors_are_airsims(serve):
    drone = serve("Multirotor").client(airsim.MultirotorClient)
    with pytest.raises(Exception, match="No IMU with name Ghost exist on vehicle"):
        drone.getImuData("Ghost")
    for read, title in (
        (drone.getBarometerData, "barometer"),
        (drone.getMagnetometerData, "magnetometer"),
        (drone.getGpsData, "gps"),
        (drone.getDistanceSensorData, "distance sensor"),
        (drone.getLidarData, "lidar"),
    ):
        with pytest.raises(Exception, match=f"No {title} with name X exist on vehicle"):
            read("X")
    with pytest.raises(Exception, match="Vehicle API for 'Nobody' is not available"):
        drone.getImuData("", "Nobody")
    with pytest.raises(Exception, match=r"Expected: 2, got: 1"):
        drone.client.call("getImuData", "")
    car = serve("Car").client(airsim.CarClient)
    assert not car.getGpsData().is_valid, "for the first second"
    with pytest.raises(Exception, match="No IMU with name  exist on vehicle"):
        car.getImuData()
    with pytest.raises(Exception, match="Vehicle API for '' is not available"):
        serve("ComputerVision").client().getGpsData()


def test_a_name_of_nothing_is_the_first_of_its_kind(served):
    eye = {"SensorType": 5, "Enabled": True, "GenerateNoise": False}
    client = served({"z": eye, "a": {**eye, "Yaw": 90}}).client(airsim.MultirotorClient)
    assert client.getDistanceSensorData("z").distance == pytest.approx(10)
    assert client.getDistanceSensorData("a").distance == pytest.approx(20)
    assert client.getDistanceSensorData().distance == client.getDistanceSensorData("a", "V").distance


def test_a_distance_sensor_tells_its_range_and_place_and_follows_the_drone_at_once(served):
    client = served(
        {"d": {"SensorType": 5, "Enabled": True, "GenerateNoise": False, "X": 0.5, "MaxDistance": 15}}
    ).client(airsim.MultirotorClient)
    data = client.getDistanceSensorData("d")
    assert (data.time_stamp, data.min_distance, data.max_distance) == (DEFAULT_EPOCH_NS, 0.2, 15)
    assert (data.distance, data.relative_pose.position.x_val) == (pytest.approx(9.5), 0.5)
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(4, 0, -2), airsim.to_quaternion(0, 0, 0)), True)
    assert client.getDistanceSensorData("d").distance == pytest.approx(5.5)
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(4, 0, -2), airsim.to_quaternion(0, 0, 3.14159)), True)
    assert client.getDistanceSensorData("d").distance == 15


def test_a_lidar_gives_points_and_the_ids_of_what_they_lie_on(served):
    client = served({"L": LOCAL_LIDAR}).client(airsim.MultirotorClient)
    data = client.getLidarData("L")
    assert data.time_stamp == DEFAULT_EPOCH_NS
    points = np.array(data.point_cloud, np.float32).reshape(-1, 3)
    assert len(points) == len(data.segmentation) == 4 * 11, "four degrees apart, from -20 to 20"
    np.testing.assert_allclose(points[:, 0], 10, atol=1e-5)
    assert set(data.segmentation) == {TREE_ID}
    assert client.simSetSegmentationObjectID("Tree_1", 99)
    assert set(client.getLidarData("L").segmentation) == {99}


def test_a_lidar_scans_ten_times_a_second_and_its_pose_carries_points_into_the_vehicles_frame(served):
    frames = {"local": {**LOCAL_LIDAR, "X": 1, "Yaw": 40}}
    frames["inertial"] = {**frames["local"], "DataFrame": ""}
    client = served(frames).client(airsim.MultirotorClient)
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(1, 2, -30), airsim.to_quaternion(0.1, 0.2, 0.5)), True)
    client.simContinueForTime(0.25)
    local, inertial = client.getLidarData("local"), client.getLidarData("inertial")
    assert local.time_stamp - DEFAULT_EPOCH_NS in range(200_000_000, 203_000_001)
    x, y, z, w = local.pose.orientation.to_numpy_array()
    matrix = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    points = np.reshape(local.point_cloud, (-1, 3)) @ matrix.T + local.pose.position.to_numpy_array()
    np.testing.assert_allclose(points, np.reshape(inertial.point_cloud, (-1, 3)), atol=1e-4)
    to_walls = np.abs(points[:, :2] - (10, 20)).min(1)
    np.testing.assert_allclose(to_walls, 0, atol=1e-4)
    assert set(inertial.segmentation) == {TREE_ID}, "both walls are trees"
    assert client.getLidarData("local").point_cloud == local.point_cloud, "until the next scan it is this one"


def test_what_moves_or_goes_is_seen_by_rays(served):
    eye = {"SensorType": 5, "Enabled": True, "GenerateNoise": False}
    client = served({"d": eye, "L": LOCAL_LIDAR}, "ComputerVision").client()
    assert client.getDistanceSensorData("d").distance == pytest.approx(10)
    pose = client.simGetObjectPose("Tree_1")
    pose.position.x_val -= 3
    assert client.simSetObjectPose("Tree_1", pose)
    assert client.getDistanceSensorData("d").distance == pytest.approx(7)
    np.testing.assert_allclose(np.reshape(client.getLidarData("L").point_cloud, (-1, 3))[:, 0], 7, atol=1e-5)
    assert client.simDestroyObject("Tree_1")
    assert client.getDistanceSensorData("d").distance == 40
    assert client.getLidarData("L").segmentation == []


def test_the_same_calls_give_the_same_readings_however_often_others_read(served):
    sensors = {"d": {"SensorType": 5, "Enabled": True}, "L": LOCAL_LIDAR}

    def readings(client):
        imu, air, gps = client.getImuData(), client.getBarometerData(), client.getGpsData()
        vectors = (imu.linear_acceleration, imu.angular_velocity, client.getMagnetometerData().magnetic_field_body)
        return (
            [v.to_numpy_array().tolist() for v in vectors], air.pressure, gps.gnss.eph, gps.time_stamp,
            client.getDistanceSensorData().distance, client.getLidarData().point_cloud,
        )  # fmt: skip

    quiet, asked = (served(sensors).client(airsim.MultirotorClient) for _ in range(2))
    for _ in range(10):
        for client in (quiet, asked):
            client.simContinueForTime(0.04)
        readings(asked)
    assert readings(quiet) == readings(asked)
    before = readings(quiet)
    quiet.reset()
    quiet.simContinueForTime(0.4)
    assert readings(quiet)[0] == before[0], "a reset starts the noise again"


def test_who_asks_for_no_ray_builds_nothing(served, monkeypatch):
    built = []
    original = rays.build
    monkeypatch.setattr(rays, "build", lambda *args: built.append(1) or original(*args))
    client = served({"L": LOCAL_LIDAR}).client(airsim.MultirotorClient)
    built.clear()  # what a vehicle can run into is known from the start
    client.simContinueForTime(1.0)
    client.getImuData(), client.getGpsData()
    assert built == []
    client.getLidarData()
    assert built == [1]


def geo(latitude, longitude, altitude):
    point = airsim.GeoPoint()
    point.latitude, point.longitude, point.altitude = latitude, longitude, altitude
    return point


def place(north, east, down):
    return geo(**geo_point(np.array([north, east, down], float)))


def test_lines_of_sight_end_at_walls_and_reach_what_lies_on_them(serve):
    client = serve("Multirotor", scene=walled()).client(airsim.MultirotorClient)
    assert client.simTestLineOfSightToPoint(place(9, 15, -3))
    assert not client.simTestLineOfSightToPoint(place(11, 0, -3))
    assert client.simTestLineOfSightToPoint(place(10, 0, -3)), "the wall itself can be seen"
    assert client.simTestLineOfSightToPoint(client.getGpsData().gnss.geo_point)
    assert client.simTestLineOfSightBetweenPoints(place(0, 0, -3), place(9, 0, -3))
    assert not client.simTestLineOfSightBetweenPoints(place(0, 0, -3), place(0, 30, -3))
    assert client.simTestLineOfSightBetweenPoints(place(11, 0, 0), place(12, 19, -50))
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(11, 0, -3), airsim.to_quaternion(0, 0, 0)), True)
    assert client.simTestLineOfSightToPoint(place(30, 0, -3))
    with pytest.raises(Exception, match="is no place on Earth"):
        client.simTestLineOfSightToPoint(geo(91.0, 0.0, 0.0))
    with pytest.raises(Exception, match="Vehicle Sim-API for 'Nobody' is not available"):
        client.simTestLineOfSightToPoint(place(0, 0, 0), "Nobody")
