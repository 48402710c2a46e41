"""settings.json as the unmodified client sees it: cameras of every kind, and a world that starts as it says."""

import json
import math
import time

import airsim
import cv2
import numpy as np
import pytest
from served_world import NAMES, painted, tiny_scene

from airsim_seg.builtin.distortion import Distortion
from airsim_seg.builtin.exposure import Exposure, exposed
from airsim_seg.builtin.scene import View
from airsim_seg.builtin.settings import read_settings
from airsim_seg.builtin.sun import sun_position, towards
from airsim_seg.builtin.weather import local_time_s
from airsim_seg.types import Pose, camera_matrix

SIZE_HW = (48, 64)
SMALL = [{"ImageType": kind, "Width": 64, "Height": 48} for kind in range(10)]
TOWER = {"X": 10, "Y": -4, "Z": -20, "Yaw": 90, "Pitch": -30}


@pytest.fixture
def served(serve):
    def start(mode="ComputerVision", scene=None, **content):
        file = {"SettingsVersion": 1.2, "SimMode": mode, "CameraDefaults": {"CaptureSettings": SMALL}, **content}
        return serve(read_settings(json.dumps(file), "settings.json"), scene=scene)

    return start


def raw(camera, kind):
    return airsim.ImageRequest(camera, kind, False, False)


def pixels(response):
    return np.frombuffer(response.image_data_uint8, np.uint8).reshape(response.height, response.width, 3)


def position(pose):
    return [pose.position.x_val, pose.position.y_val, pose.position.z_val]


def angles_deg(pose):
    """Pitch, roll, yaw."""
    return [math.degrees(angle) for angle in airsim.to_eularian_angles(pose.orientation)]


def test_an_external_camera_stands_in_the_world_whatever_the_vehicle(served):
    vehicles = {"Far": {"X": 50, "Y": 50}}
    running = served(ExternalCameras={"tower": TOWER}, Vehicles=vehicles)
    client = running.client()
    info = client.simGetCameraInfo("tower", external=True)
    assert position(info.pose) == pytest.approx([10, -4, -20])
    assert angles_deg(info.pose) == pytest.approx([-30, 0, 90], abs=1e-9)
    [scene] = client.simGetImages([raw("tower", 0)], "no such vehicle", external=True)
    assert (scene.height, scene.width) == SIZE_HW
    assert scene.camera_position.to_numpy_array().tolist() == pytest.approx([10, -4, -20])
    # The tiny world's player start is at (100, 50, 5).
    assert running.renderer.views[-1].pose.position_m.tolist() == pytest.approx([110, 46, -15])
    assert pixels(scene)[0, 0, 0] == (110 * 10) % 256, "what the formula paints of that place"
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(7, 7, -7), airsim.Quaternionr()), True)
    assert position(client.simGetCameraInfo("tower", external=True).pose) == pytest.approx([10, -4, -20])


def test_every_camera_call_takes_external_ones(served):
    running = served(ExternalCameras={"tower": TOWER, "0": {"Z": -1}})
    client = running.client()
    assert position(client.simGetCameraInfo("0", external=True).pose) == [0, 0, -1], "its own, not the vehicle's"
    client.simSetCameraPose(
        "tower", airsim.Pose(airsim.Vector3r(1, 2, -3), airsim.to_quaternion(0, 0, 1)), external=True
    )
    assert position(client.simGetCameraInfo("tower", external=True).pose) == [1, 2, -3]
    client.simSetCameraFov("tower", 45, external=True)
    assert client.simGetCameraInfo("tower", external=True).fov == 45
    assert client.simGetCameraInfo("0", external=True).fov == client.simGetCameraInfo("0").fov == 90
    client.simSetFocalLength(23.76, "tower", external=True)
    assert client.simGetFocalLength("tower", external=True) == pytest.approx(23.76)
    client.simSetDistortionParams("tower", {"K1": 0.1}, external=True)
    assert client.simGetDistortionParams("tower", external=True) == [0.1, 0, 0, 0, 0]
    png = client.simGetImage("tower", airsim.ImageType.Segmentation, external=True)
    assert cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR).shape[:2] == SIZE_HW
    client.simAddDetectionFilterMeshName("tower", 0, NAMES[1] + "*", external=True)
    client.simSetDetectionFilterRadius("tower", 0, 1e6, external=True)
    assert NAMES[1] in [found.name for found in client.simGetDetections("tower", 0, external=True)]
    client.simClearDetectionMeshNames("tower", 0, external=True)
    assert not client.simGetDetections("tower", 0, external=True)


def test_an_external_camera_that_is_not_there_is_an_ordinary_error(served):
    client = served(ExternalCameras={"tower": TOWER}).client()
    for call in (
        lambda: client.simGetCameraInfo("front_center", external=True),
        lambda: client.simGetImage("", 0, external=True),
        lambda: client.simGetFocalLength("", external=True),
    ):
        with pytest.raises(Exception, match=r"ExternalCameras of .* has tower"):
            call()
    with pytest.raises(Exception, match="there is no camera 'tower' on vehicle"):
        client.simGetImages([raw("tower", 0)])


def test_one_call_has_every_size_and_field_of_view_of_one_instant(served):
    wide = {"CaptureSettings": [{"ImageType": 0, "Width": 80, "Height": 20, "FOV_Degrees": 120}, *SMALL[1:5]]}
    cameras = {"wide": wide, "nose": {"X": 1, "CaptureSettings": [{"ImageType": 3, "Width": 30, "Height": 40}]}}
    running = served("Car", Vehicles={"A": {"Cameras": cameras}}, ExternalCameras={"tower": TOWER})
    client = running.client(airsim.CarClient)
    client.simPause(False)
    asked = [raw("wide", 0), raw("wide", 5), raw("wide", 1), raw("nose", 3), raw("nose", 0), raw("nose", 5)]
    stamps: set[int] = set()
    for _ in range(1000):
        responses = client.simGetImages(asked, "A")
        sizes = [(r.height, r.width) for r in responses]
        assert sizes == [(20, 80), SIZE_HW, SIZE_HW, (40, 30), SIZE_HW, SIZE_HW]
        assert [view.fov_deg for view in running.renderer.views[-4:]] == [120, 90, 90, 90], "each view is drawn once"
        assert len({r.time_stamp for r in responses}) == 1
        assert len({tuple(r.camera_position.to_numpy_array()) for r in responses[:3]}) == 1
        stamps.add(responses[0].time_stamp)
        if len(stamps) == 3:
            break
    assert len(stamps) == 3, "the clock runs meanwhile"


def test_a_lens_bends_every_image_type_alike(served):
    running = served()
    client = running.client()
    straight = pixels(client.simGetImages([raw("0", 0)])[0])
    lens = Distortion(k1=-0.1, k2=0.02, p1=0.01)
    client.simSetDistortionParams("0", dict(zip(("K1", "K2", "K3", "P1", "P2"), lens.values(), strict=True)))
    asked = [
        raw("0", 0),
        raw("0", 5),
        raw("0", 7),
        *[airsim.ImageRequest("0", kind, True) for kind in (1, 2, 4)],
    ]
    scene, mask, infrared, planar, perspective, disparity = client.simGetImages(asked)
    assert {(r.height, r.width) for r in (scene, mask, infrared, planar, perspective, disparity)} == {SIZE_HW}
    assert len(running.renderer.views) == 2, "one straight picture for all of them"
    assert (pixels(scene) != straight).any()
    # The oracle: OpenCV says through which point of the pinhole's plane each pixel looks, and the painter's formula
    # what is there; pixels near a border between two of its stripes are left out.
    matrix = camera_matrix(SIZE_HW, 90.0)
    row, column = np.mgrid[0 : SIZE_HW[0], 0 : SIZE_HW[1]]
    seen = np.stack([column.ravel() + 0.5, row.ravel() + 0.5], -1)[:, None].astype(np.float64)
    coefficients = np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3])
    plane = cv2.undistortPoints(seen, matrix, coefficients)[:, 0]
    wide = running.renderer.views[-1]
    picture = painted(View(Pose.from_euler((0, 0, 0)), wide.size_hw, wide.fov_deg))
    at = plane * matrix[0, 0] + (wide.size_hw[1] / 2, wide.size_hw[0] / 2)
    whole = np.floor(at).astype(int)
    clear = (np.abs(at - np.rint(at)) > 0.1).all(-1)
    assert clear.mean() > 0.4
    depth = picture.depth_m[whole[:, 1], whole[:, 0]]
    np.testing.assert_allclose(np.array(planar.image_data_float)[clear], depth[clear], rtol=1e-6)
    rays = np.linalg.norm(np.column_stack([(whole + 0.5 - at) / matrix[0, 0] + plane, np.ones(len(plane))]), axis=1)
    expected = np.minimum(depth * rays, 65504)
    np.testing.assert_allclose(np.array(perspective.image_data_float)[clear], expected[clear], rtol=1e-5)
    # Two eyes 0.25 m apart; the shift is a share of the width of the picture that is sent.
    shift = np.clip(matrix[0, 0] / SIZE_HW[1] * 0.25 / depth, 0, 1)
    np.testing.assert_allclose(np.array(disparity.image_data_float)[clear], shift[clear], rtol=1e-5)
    ids = running.world.objects.table()[picture.object_index[whole[:, 1], whole[:, 0]]]
    np.testing.assert_array_equal(pixels(infrared)[..., 0].ravel()[clear], ids[clear])
    assert np.abs(pixels(scene)[..., 2].ravel()[clear] + 0.5 - at[clear, 0]).max() < 1.1, "red is the column"


def test_detections_see_through_the_lens(served):
    client = served().client()
    client.simAddDetectionFilterMeshName("0", 0, "*")
    before = {found.name: found.box2D.max.x_val for found in client.simGetDetections("0", 0)}
    client.simSetDistortionParams("0", {"K1": 0.5})
    after = {found.name: found.box2D.max.x_val for found in client.simGetDetections("0", 0)}
    assert before != after
    assert all(edge <= SIZE_HW[1] for edge in after.values())


def test_a_lens_that_cannot_be_is_refused(served):
    client = served().client()
    with pytest.raises(Exception, match="cannot be drawn"):
        client.simSetDistortionParam("0", "K1", 1e6)
    client.simSetDistortionParam("0", "HorzWaveStrength", 1.0)
    assert client.simGetDistortionParams("0") == [0, 0, 0, 0, 0]


def test_a_gimbal_holds_what_it_is_given(served):
    def camera(**gimbal):
        return {"X": 1, "Pitch": -5, "Gimbal": gimbal}

    cameras = {
        "held": camera(Stabilization=1, Pitch=-20, Roll=0),
        "half": camera(Stabilization=0.5, Pitch=-25, Roll=0, Yaw=40),
        "loose": camera(Stabilization=0, Pitch=-20),
    }
    client = served(Vehicles={"V": {"Cameras": cameras}}).client()
    turned = airsim.to_quaternion(math.radians(10), math.radians(30), math.radians(80))
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(0, 0, -3), turned), True)
    loose = angles_deg(client.simGetCameraInfo("loose").pose)
    assert loose[0] == pytest.approx(5, abs=1), "it turns with the vehicle"
    assert angles_deg(client.simGetCameraInfo("held").pose) == pytest.approx([-20, 0, loose[2]], abs=1e-6)
    wanted = [(loose[0] - 25) / 2, loose[1] / 2, (loose[2] + 40) / 2]
    assert angles_deg(client.simGetCameraInfo("half").pose) == pytest.approx(wanted, abs=1e-6)
    client.simSetCameraPose("held", airsim.Pose(airsim.Vector3r(2, 0, 0), airsim.to_quaternion(-0.5, 0.1, 0.2)))
    angles = [math.degrees(angle) for angle in (-0.5, 0.1, 0.2)]
    assert angles_deg(client.simGetCameraInfo("held").pose) == pytest.approx(angles, abs=1e-6), "the gimbal takes it"


def test_gamma_brightens_the_scene_and_leaves_the_mask(served):
    bright = [{**SMALL[0], "TargetGamma": 2.8}, {**SMALL[5], "TargetGamma": 2.8}]
    running = served(Vehicles={"V": {"Cameras": {"bright": {"CaptureSettings": bright}}}})
    plain, bright, mask, same = running.client().simGetImages(
        [raw("0", 0), raw("bright", 0), raw("0", 5), raw("bright", 5)]
    )
    expected = np.rint(255 * np.sqrt(pixels(plain) / 255)).astype(int)
    np.testing.assert_array_equal(pixels(bright), expected)
    assert mask.image_data_uint8 == same.image_data_uint8


def test_a_camera_that_adapts_brings_every_scene_to_one_brightness(served):
    own = {"dark": {"AutoExposureBias": -1.5}, "adapts": {"AutoExposureMinBrightness": 0.001}, "0": {}}
    cameras = {name: {"CaptureSettings": [{**SMALL[0], **keys}, SMALL[5]]} for name, keys in own.items()}
    client = served(Vehicles={"V": {"Cameras": cameras}}).client()
    plain, dark, adapted, mask, same = client.simGetImages(
        [raw("0", 0), raw("dark", 0), raw("adapts", 0), raw("0", 5), raw("adapts", 5)]
    )
    np.testing.assert_array_equal(pixels(dark), exposed(pixels(plain), Exposure(-1.5)))
    np.testing.assert_array_equal(pixels(adapted), exposed(pixels(plain), Exposure(0.0, (0.001, 0.64))))
    assert (pixels(dark) < pixels(plain)).any()
    assert (pixels(adapted) != pixels(plain)).any()
    assert mask.image_data_uint8 == same.image_data_uint8


def test_noise_is_on_the_type_it_is_for_and_belongs_to_the_clock(served):
    noise = {"CaptureSettings": SMALL, "NoiseSettings": [{"ImageType": 0, "Enabled": True}, {"ImageType": 1}]}
    client = served("Multirotor", Vehicles={"V": {"Cameras": {"noisy": noise, "clean": {}}}}).client()
    asked = [raw("noisy", 0), raw("clean", 0), raw("noisy", 1), raw("clean", 1)]
    noisy, clean, depth, same_depth = client.simGetImages(asked)
    assert 0.2 < (pixels(noisy) != pixels(clean)).mean() < 1
    assert depth.image_data_uint8 == same_depth.image_data_uint8
    assert client.simGetImages(asked)[0].image_data_uint8 == noisy.image_data_uint8, "the clock stands"
    client.simContinueForTime(0.04)
    assert client.simGetImages(asked)[0].image_data_uint8 != noisy.image_data_uint8


def test_the_origin_on_the_earth_is_the_files(served):
    running = served("Multirotor", OriginGeopoint={"Latitude": -33.9, "Longitude": 18.4, "Altitude": 50})
    client = running.client(airsim.MultirotorClient)
    home = client.getHomeGeoPoint()
    assert (home.latitude, home.longitude, home.altitude) == pytest.approx((-33.9, 18.4, 50))
    there = client.simGetGroundTruthEnvironment().geo_point
    assert (there.latitude, there.longitude) == pytest.approx((-33.9, 18.4), abs=1e-6)
    assert client.getGpsData().gnss.geo_point.latitude == pytest.approx(-33.9, abs=1e-4)
    assert client.getBarometerData().altitude == pytest.approx(50, abs=3)
    assert client.getMultirotorState().gps_location.altitude == pytest.approx(50, abs=1)


def test_sun_wind_and_ids_start_as_the_file_says(served):
    running = served(
        "Multirotor",
        OriginGeopoint={"Latitude": -33.9, "Longitude": 18.4},
        TimeOfDay={"Enabled": True, "StartDateTime": "2019-12-21 09:00:00"},
        Wind={"X": 4, "Y": -2},
        SegmentationSettings={"InitMethod": "None"},
    )
    start_s = local_time_s("2019-12-21 09:00:00", 18.4, is_dst=False)
    wanted = towards(sun_position(start_s, -33.9, 18.4))
    assert running.world.moment().sun.towards == pytest.approx(wanted)
    assert [v.wind_mps for v in running.world.vehicles.values()] == [(4, -2, 0)]
    client = running.client()
    assert {client.simGetSegmentationObjectID(name.lower()) for name in NAMES} == {0}
    assert not pixels(client.simGetImages([raw("0", 5)])[0]).any(), "nothing has an id yet"
    assert running.world.moment(labels=True).hidden == frozenset(range(len(NAMES)))
    client.simSetSegmentationObjectID(NAMES[1], 9)
    assert NAMES.index(NAMES[1]) not in running.world.moment(labels=True).hidden


def test_ids_by_mesh_are_one_for_all_that_share_it(served):
    client = served(SegmentationSettings={"MeshNamingMethod": "StaticMeshName"}).client()
    assert client.simSetSegmentationObjectID("Tree_1", 77) is False, "things' own names mean nothing now"
    assert client.simSetSegmentationObjectID("Tree", 77) is True
    assert client.simGetSegmentationObjectID("tree") == 77
    assert client.simGetSegmentationObjectID("tree_1") == -1


def test_a_drone_can_start_disarmed(served):
    client = served("Multirotor", Vehicles={"D": {"DefaultVehicleState": "Inactive"}}).client(airsim.MultirotorClient)
    client.enableApiControl(True)
    task = client.takeoffAsync(timeout_sec=5)
    client.simContinueForTime(0.1)
    assert task.get() is False
    assert client.armDisarm(True)
    client.reset()
    client.enableApiControl(True)
    assert client.moveToZAsync(-2, 1).get() is False, "a reset goes back to that state"


def test_the_clock_runs_at_clock_speed(served):
    client = served("Multirotor", ClockSpeed=20.0).client(airsim.MultirotorClient)
    first, wall_ns = client.getMultirotorState().timestamp, time.monotonic_ns()
    client.simPause(False)
    while client.getMultirotorState().timestamp < first + 2_000_000_000:
        assert time.monotonic_ns() - wall_ns < 20 * 10**9
    assert time.monotonic_ns() - wall_ns < 1_900_000_000, "two seconds pass in less"


def test_yaw_in_the_file_counts_from_north_and_none_is_the_player_starts(served):
    scene = tiny_scene()
    scene = type(scene)(**{**vars(scene), "player_start": Pose.from_euler((100.0, 50.0, 5.0), yaw_rad=0.5)})
    vehicles = {"A": {"X": 1}, "B": {"Yaw": 20, "Pitch": -10, "X": 5}}
    client = served(scene=scene, Vehicles=vehicles).client()
    assert angles_deg(client.simGetVehiclePose("A"))[2] == pytest.approx(math.degrees(0.5))
    assert angles_deg(client.simGetVehiclePose("B")) == pytest.approx([-10, 0, 20], abs=1e-6)
