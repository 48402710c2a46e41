"""The calls, in their order, of AirSim's examples that need more than a client (gym, Keras, a level of their own).

docs/examples.md lists them; what is not a call (agents, networks, files) is left out.
"""

from dataclasses import replace
from itertools import pairwise

import airsim
import numpy as np
import pytest
from served_world import position, yaw_deg
from small_scenes import floor, scene_of, wall

from airsim_seg.builtin.sensors.parameters import LOCAL_FRAME, LidarSettings
from airsim_seg.builtin.settings import CaptureSettings, VehicleSettings, default_settings
from airsim_seg.palette import palette
from airsim_seg.types import Pose

# What the examples' settings.json, AirSim's own defaults, make of every picture.
SIZE_HW = (144, 256)


def small(mode):
    return replace(default_settings(mode), captures=dict.fromkeys(range(10), CaptureSettings(SIZE_HW)))


def depth_m(client, camera):
    """As both environments of airgym ask for what they learn from."""
    [response] = client.simGetImages([airsim.ImageRequest(camera, airsim.ImageType.DepthPerspective, True, False)])
    return np.array(response.image_data_float, np.float32).reshape(response.height, response.width)


def test_a_drone_that_learns_flies_by_changes_of_its_velocity(serve):
    """reinforcement_learning/airgym/envs/drone_env.py."""
    client = serve(small("Multirotor")).client(airsim.MultirotorClient)

    def fly(move, seconds):
        client.simContinueForTime(seconds)
        move.join()

    def set_up():
        client.reset()
        client.enableApiControl(True)
        client.armDisarm(True)
        fly(client.moveToPositionAsync(-0.5, -8.0, -10.0, 10), 6)
        fly(client.moveByVelocityAsync(1, -0.67, -0.8, 5), 5)

    set_up()
    assert position(client).distance_to(airsim.Vector3r(-0.5, -8, -10)) > 3, "it has flown on"
    for offset in ((0.25, 0, 0), (0, 0, -0.25), (0, -0.25, 0)):
        before = client.getMultirotorState().kinematics_estimated.linear_velocity.to_numpy_array()
        fly(client.moveByVelocityAsync(*(before + offset).tolist(), 5), 5)
        image = depth_m(client, 3)
        assert image.shape == SIZE_HW
        assert (image > 0).all(), "255 is divided by it"
        state = client.getMultirotorState()
        wanted = before + offset
        assert state.kinematics_estimated.linear_velocity.to_numpy_array() == pytest.approx(wanted, abs=0.1)
        assert client.simGetCollisionInfo().has_collided is False
    far = position(client)
    client.reset()
    assert position(client).get_length() < 0.2 < far.get_length(), "its legs are 0.15 m long"
    set_up()


def test_a_car_that_learns_steers_and_is_reset(serve):
    """reinforcement_learning/airgym/envs/car_env.py."""
    client = serve(small("Car")).client(airsim.CarClient)
    for steering, side in ((0.5, 1), (-0.5, -1), (0.25, 1), (-0.25, -1)):
        client.reset()
        client.enableApiControl(True)
        client.armDisarm(True)
        client.setCarControls(airsim.CarControls(throttle=1, steering=steering))
        client.simContinueForTime(3)
        assert depth_m(client, "0").shape == SIZE_HW
        state = client.getCarState()
        assert state.speed > 3
        assert state.kinematics_estimated.position.x_val > 3
        assert yaw_deg(client) * side > 1
        assert client.simGetCollisionInfo().has_collided is False
    client.setCarControls(airsim.CarControls(throttle=0, brake=1))
    client.simContinueForTime(5)
    assert client.getCarState().speed == 0


def test_a_network_that_drives_gets_its_piece_of_the_picture(serve):
    """imitation_learning/drive_model.py."""
    client = serve(small("Car")).client(airsim.CarClient)
    client.confirmConnection()
    client.enableApiControl(True)
    controls = airsim.CarControls(throttle=0, steering=0, brake=0)
    client.setCarControls(controls)
    for steering in (0.0, 0.4, 0.82):
        controls.throttle = 0.8 - 0.4 * abs(controls.steering)
        [response] = client.simGetImages([airsim.ImageRequest("0", airsim.ImageType.Scene, False, False)])
        picture = np.frombuffer(response.image_data_uint8, np.uint8).reshape(response.height, response.width, 3)
        assert picture[78:144, 27:227].shape == (66, 200, 3)
        controls.steering = round(steering, 2)
        client.setCarControls(controls)
        client.simContinueForTime(1.0)
    assert client.getCarControls().steering == 0.82
    assert yaw_deg(client) > 2
    client.enableApiControl(False)
    assert client.getCarControls().throttle == 0, "who lets go lets the pedals go"


def test_an_event_camera_sees_brightness_change_from_picture_to_picture(serve):
    """eventcamera_sim/test_event_sim.py: its events are where the logarithm of grey changes."""
    client = serve(small("Multirotor")).client()
    client.confirmConnection()
    logs, stamps = [], []
    for north_m in (0.0, 0.0, 9.0):
        client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(north_m, 0, -5)), True)
        [response] = client.simGetImages([airsim.ImageRequest("0", airsim.ImageType.Scene, False, False)])
        assert (response.height, response.width) == SIZE_HW
        bgr = np.frombuffer(response.image_data_uint8, np.uint8).reshape(*SIZE_HW, 3)
        logs.append(np.log(bgr.astype(np.float64) @ (0.114, 0.587, 0.299) + 0.001))
        stamps.append(response.time_stamp)
        client.simContinueForTime(0.02)
    assert np.diff(stamps).tolist() == [20_000_000, 20_000_000]
    changed = [np.abs(after - before) > 0.01 for before, after in pairwise(logs)]
    assert not changed[0].any(), "nothing moved"
    assert changed[1].any()


@pytest.fixture
def lidar_car(serve):
    """A car before a wall with the same lidar twice, once in each frame."""
    lidar = LidarSettings(
        number_of_channels=2, points_per_second=7200, range_m=50.0, horizontal_fov_start_deg=330.0,
        horizontal_fov_end_deg=30.0, vertical_fov_upper_deg=2.0, vertical_fov_lower_deg=-2.0,
        mount=Pose.from_euler((0.2, 0.1, -1.5), yaw_rad=0.3, pitch_rad=0.1),
    )  # fmt: skip
    sensors = {"LidarSensor1": lidar, "LidarSensor2": replace(lidar, data_frame=LOCAL_FRAME)}
    settings = replace(small("Car"), vehicles={"Drone1": VehicleSettings(sensors=sensors)})
    return serve(settings, scene=scene_of(wall(12.0, (-50, 50), (0, 30)), floor(0.0))).client()


def test_a_cars_lidar_gives_one_cloud_in_either_frame(lidar_car):
    """car/vehicleframe_lidar_pointcloud.py and car/sensorframe_lidar_pointcloud.py, whose sum this is."""
    lidar_car.confirmConnection()
    lidar_car.simSetVehiclePose(airsim.Pose(airsim.Vector3r(1, 2, 0), airsim.to_quaternion(0, 0, 0.2)), True)
    vehicle_frame = np.reshape(lidar_car.getLidarData().point_cloud, (-1, 3))
    data = lidar_car.getLidarData(lidar_name="LidarSensor2", vehicle_name="Drone1")
    x, y, z, w = data.pose.orientation.to_numpy_array()
    rotation = np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
    corrected = np.reshape(data.point_cloud, (-1, 3)) @ rotation.T + data.pose.position.to_numpy_array()
    assert len(corrected) > 50
    np.testing.assert_allclose(corrected, vehicle_frame, atol=1e-4)
    np.testing.assert_allclose(
        corrected[corrected[:, 2] < -0.01][:, 0], 12, atol=1e-4, err_msg="above ground: the wall"
    )
    lidar_car.reset()
    assert len(lidar_car.getLidarData().point_cloud) > 150


def test_who_follows_an_object_from_above_has_it_in_the_middle_of_the_picture(serve):
    """computer_vision/capture_ir_segmentation.py: infrared, picture and mask of one instant."""
    client = serve(small("ComputerVision")).client(airsim.MultirotorClient)
    client.confirmConnection()
    trees = client.simListSceneObjects(".*?Tree.*?")
    assert trees == ["Tree_1", "Tree_2"]
    kinds = (airsim.ImageType.Infrared, airsim.ImageType.Scene, airsim.ImageType.Segmentation)
    for name in trees:
        target = client.simGetObjectPose(name).position
        straight_down = airsim.to_quaternion(np.radians(270), 0, 0)
        client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(target.x_val, target.y_val, -61), straight_down), True)
        responses = client.simGetImages([airsim.ImageRequest("0", kind, False, False) for kind in kinds])
        infrared, _, mask = (
            np.frombuffer(one.image_data_uint8, np.uint8).reshape(one.height, one.width, 3) for one in responses
        )
        np.testing.assert_array_equal(palette()[infrared[..., 0]][..., ::-1], mask)
        assert len(np.unique(infrared)) > 3
        camera = client.simGetCameraInfo("0")
        height_m = target.z_val - camera.pose.position.z_val
        # Forward is down here, and the picture's up is north: (forward, right, down) of the target, then its pixel.
        seen = (height_m, target.y_val - camera.pose.position.y_val, camera.pose.position.x_val - target.x_val)
        across, up, _, depth = np.array(camera.proj_mat.matrix) @ (*seen, 1.0)
        assert (across / depth, up / depth) == pytest.approx((0, 0), abs=0.01)
