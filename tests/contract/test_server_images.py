"""Pictures over RPC, as the unmodified airsim client sees them."""

import airsim
import cv2
import numpy as np
import pytest
from served_world import NAMES, painted

from airsim_seg.builtin.scene import View
from airsim_seg.builtin.settings import CameraSettings, CaptureSettings, Settings, VehicleSettings
from airsim_seg.palette import id_from_name, palette
from airsim_seg.types import Pose

SIZE_HW = (480, 640)
RAW = {kind: airsim.ImageRequest("0", kind, False, False) for kind in (0, 1, 2, 3, 5)}


def pose(north=0.0, east=0.0, down=0.0, pitch=0.0, roll=0.0, yaw=0.0):
    return airsim.Pose(airsim.Vector3r(north, east, down), airsim.to_quaternion(pitch, roll, yaw))


def picture(north=0.0, size_hw=SIZE_HW):
    return painted(View(Pose.from_euler((100.0 + north, 50.0, 5.0)), size_hw, 90.0))


def pixels(response):
    return np.frombuffer(response.image_data_uint8, np.uint8).reshape(response.height, response.width, 3)


def expected_ids():
    ids = [id_from_name(name) for name in NAMES]
    ids[NAMES.index("default_thing")] = ids[NAMES.index("")] = 0
    return np.array([*ids, 0], np.uint8)[picture().object_index]


def test_a_pose_goes_in_and_its_picture_comes_out(serve):
    running = serve()
    client = running.client()
    client.simSetVehiclePose(pose(7.25, -3.5, -2.0, pitch=0.1, roll=-0.2, yaw=2.0), True)
    [response] = client.simGetImages([RAW[0]])
    assert (response.height, response.width, response.message) == (*SIZE_HW, "")
    assert np.array_equal(pixels(response), picture(7.25).rgb[..., ::-1]), "not BGR, or not of this pose"
    assert response.camera_position.to_numpy_array().tolist() == [7.25, -3.5, -2.0]
    assert vars(response.camera_orientation) == vars(airsim.to_quaternion(0.1, -0.2, 2.0))
    # The origin of AirSim's world is the player start.
    assert running.renderer.views[-1].pose.position_m.tolist() == [107.25, 46.5, 3.0]


def test_a_png_has_four_channels_and_the_pixels_of_the_raw_picture(serve):
    client = serve().client()
    for kind in (0, 5):
        raw, packed = client.simGetImages([RAW[kind], airsim.ImageRequest("0", kind, False, True)])
        png = cv2.imdecode(np.frombuffer(packed.image_data_uint8, np.uint8), cv2.IMREAD_UNCHANGED)
        assert png.shape == (*SIZE_HW, 4)
        assert (png[..., 3] == 255).all()
        assert np.array_equal(png[..., :3], pixels(raw))
        assert client.simGetImage("front_center", kind) == packed.image_data_uint8


def test_segmentation_is_the_palette_of_the_name_rule_and_the_sky_is_black(serve):
    client = serve().client()
    [response] = client.simGetImages([RAW[5]])
    assert np.array_equal(pixels(response)[..., ::-1], palette()[expected_ids()])
    assert (pixels(response)[picture().object_index < 0] == 0).all()


def test_depth_arrives_as_float32_metres_top_row_first(serve):
    client = serve().client()
    planar, ray = client.simGetImages([airsim.ImageRequest(0, kind, True) for kind in (1, 2)])
    depth = np.array(planar.image_data_float, np.float32).reshape(SIZE_HW)
    assert np.array_equal(depth, picture().depth_m)
    assert planar.image_data_uint8 == b""
    focal_px = 320.0
    x, y = np.arange(640) + 0.5 - 320, np.arange(480)[:, None] + 0.5 - 240
    truth = np.minimum(picture().depth_m * np.sqrt(1 + (x**2 + y**2) / focal_px**2), 65504)
    assert np.allclose(np.array(ray.image_data_float).reshape(SIZE_HW), truth, rtol=1e-5)


def test_requests_of_one_call_share_one_instant_and_one_picture(serve):
    running = serve("Multirotor", paused=False)
    client = running.client(airsim.MultirotorClient)
    client.enableApiControl(True)
    moving = client.moveByVelocityAsync(3, 0, -1, 3600)
    responses = client.simGetImages([RAW[0], RAW[5], airsim.ImageRequest(0, 1, True), RAW[0]])
    assert len({response.time_stamp for response in responses}) == 1
    assert len({str(vars(response.camera_position)) for response in responses}) == 1
    assert len(running.renderer.views) == 1
    assert np.array_equal(pixels(responses[0]), pixels(responses[3]))
    assert not moving._set_flag


def test_settings_give_sizes_fields_of_view_and_new_cameras(serve):
    low = {0: CaptureSettings((20, 40), 60.0)}
    own = {"nose": CameraSettings(Pose.from_euler((1.0, 0.0, 0.0)), {5: CaptureSettings((24, 32), 50.0)})}
    running = serve(Settings("Car", {"Taxi": VehicleSettings(cameras=own)}, low))
    client = running.client()
    scene, mask, nose = client.simGetImages(
        [RAW[0], RAW[5], airsim.ImageRequest("nose", airsim.ImageType.Segmentation, False, False)], "Taxi"
    )
    assert [(r.height, r.width) for r in (scene, mask, nose)] == [(20, 40), (480, 640), (24, 32)]
    assert [view.fov_deg for view in running.renderer.views] == [60.0, 90.0, 50.0]
    assert client.simGetCameraInfo("0").fov == 60.0
    client.simSetCameraFov("0", 100)
    assert client.simGetCameraInfo("front_center").fov == 100.0


def test_camera_names_and_mounts(serve):
    client = serve("Car").client()
    names = ["front_center", "front_right", "front_left", "fpv", "back_center"]
    poses = [client.simGetCameraInfo(name).pose for name in names]
    assert [client.simGetCameraInfo(i).pose.position.to_numpy_array().tolist() for i in range(5)] == [
        p.position.to_numpy_array().tolist() for p in poses
    ]
    base = poses[0].position
    assert base.x_val == pytest.approx(2.0, abs=0.1)
    assert poses[1].position.y_val - poses[2].position.y_val == pytest.approx(0.25, abs=0.01)
    assert abs(airsim.to_eularian_angles(poses[4].orientation)[2]) == pytest.approx(np.pi, abs=0.01)
    drone = serve("Multirotor").client()
    assert airsim.to_eularian_angles(drone.simGetCameraInfo("bottom_center").pose.orientation)[0] == pytest.approx(
        -np.pi / 2, abs=1e-3
    )
    drone.simSetCameraPose("0", pose(1.0, 2.0, 3.0))
    moved, body = drone.simGetCameraInfo("front_center").pose.position, drone.simGetVehiclePose().position
    assert [moved.x_val - body.x_val, moved.y_val - body.y_val, moved.z_val - body.z_val] == [1.0, 2.0, 3.0]


def test_the_projection_matrix_sends_points_where_the_picture_shows_them(serve):
    client = serve().client()
    matrix = np.array(client.simGetCameraInfo("0").proj_mat.matrix)
    forward, right, down = 4.0, 1.0, 0.5
    clip = matrix @ (forward, right, down, 1.0)
    # clip.w is minus the distance ahead in the matrix that AirSim sends; right and up are positive before the division.
    x, y = clip[0] / forward, clip[1] / forward
    assert x == pytest.approx(right / forward)
    assert y == pytest.approx(-down / forward * 640 / 480)
    assert clip[3] == -forward


@pytest.mark.parametrize(
    ("vehicle", "camera", "said"),
    [
        ("", "nose", "there is no camera 'nose'"),
        ("Ghost", "0", "Vehicle Sim-API for 'Ghost' is not available"),
    ],
)
def test_unknown_cameras_and_vehicles_are_ordinary_errors(serve, vehicle, camera, said):
    client = serve().client()
    for ask in (
        lambda: client.simGetImages([airsim.ImageRequest(camera, 0)], vehicle),
        lambda: client.simGetImage(camera, 0, vehicle),
        lambda: client.simGetCameraInfo(camera, vehicle),
        lambda: client.simSetCameraFov(camera, 90, vehicle),
    ):
        with pytest.raises(Exception, match="threw an exception") as caught:
            ask()
        assert said in str(caught.value)
    assert client.ping()


@pytest.mark.parametrize("fov", [0, -1, 180, 171.0])
def test_a_field_of_view_that_cannot_be_drawn_is_refused(serve, fov):
    client = serve().client()
    with pytest.raises(Exception, match="field of view"):
        client.simSetCameraFov("0", fov)


def test_a_broken_renderer_fails_its_call_only(serve):
    running = serve()
    running.renderer.render = lambda *_, **__: 1 / 0
    client = running.client()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        client.simGetImages([RAW[0]])
    assert client.ping()
