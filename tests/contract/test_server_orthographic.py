"""Orthographic cameras of settings.json, through the unmodified client: a map from above in every image type."""

import json
import math

import airsim
import numpy as np
import pytest
from small_scenes import floor, scene_of, wall

from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.settings import read_settings
from airsim_seg.errors import SimulatorError
from airsim_seg.palette import palette
from airsim_seg.simulators.airsim import AirSimSimulator

SIZE_HW = (60, 80)
# 16 m are 80 pixels: 5 pixels a metre.
MAP = [
    {"ImageType": k, "Width": 80, "Height": 60, "ProjectionMode": "Orthographic", "OrthoWidth": 16, "FOV_Degrees": 70}
    for k in range(10)
]
ABOVE = {"Z": -30, "Pitch": -90, "CaptureSettings": MAP}
TYPES = airsim.ImageType


@pytest.fixture(scope="module")
def scene():
    """Ground (Thing_1), a hut 2 m wide from 3 m to 5 m north and 4 m high (Thing_2), a wall to the east (Thing_3)."""
    return scene_of(floor(0.0), box((3, -1, 0), (5, 1, 4), Material.SIDING), wall(0, (-7, -6), (0, 1)))


@pytest.fixture
def served(serve, scene):
    def start(**content):
        file = {"SettingsVersion": 1.2, "SimMode": "ComputerVision", **content}
        return serve(read_settings(json.dumps(file), "settings.json"), scene=scene, renderer=Rasteriser(scene, 1))

    return start


@pytest.fixture
def client(served):
    """A map above the start under ExternalCameras, and under Cameras of the vehicle."""
    return with_ids(served(ExternalCameras={"map": ABOVE}, Vehicles={"V": {"Cameras": {"map": ABOVE}}}).client())


def with_ids(client):
    """Names differ in their numbers alone, so their first ids are one."""
    for number in (1, 2, 3):
        assert client.simSetSegmentationObjectID(f"Thing_{number}", 10 * number)
    return client


def take(client, *kinds, floats=False, external=True):
    requests = [airsim.ImageRequest("map", kind, floats, False) for kind in kinds]
    responses = client.simGetImages(requests, external=external)
    if floats:
        return [airsim.get_pfm_array(r) for r in responses]
    return [np.frombuffer(r.image_data_uint8, np.uint8).reshape(r.height, r.width, 3) for r in responses]


def box_of(picture) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(picture)
    return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1


def test_a_map_has_every_thing_where_it_stands_in_every_type(client):
    mask, grey, scene, normals = take(client, TYPES.Segmentation, TYPES.Infrared, TYPES.Scene, TYPES.SurfaceNormals)
    hut = grey[..., 0] == 20
    # North is up and 5 pixels a metre: the hut's roof stands on its foot, though it is 4 m nearer.
    assert box_of(hut) == (30 - 25, 30 - 15, 40 - 5, 40 + 5)
    assert hut.sum() == 10 * 10
    assert (mask[hut] == palette()[20][::-1]).all()
    assert (grey[~hut] == 10).all(), "a wall is seen edge on"
    assert (np.abs(normals[..., ::-1].astype(int) - (127.5, 127.5, 255)).max(-1) <= 0.5).all()
    assert scene[8, 40].tolist() != scene[40, 40].tolist()


def test_both_depths_are_the_distance_from_the_cameras_plane(client):
    planar, along, shift = take(
        client, TYPES.DepthPlanar, TYPES.DepthPerspective, TYPES.DisparityNormalized, floats=True
    )
    assert np.unique(planar.round(4)).tolist() == [26.0, 30.0]
    np.testing.assert_array_equal(planar, along)
    np.testing.assert_allclose(shift, 0.25 / 16)
    (visible,) = take(client, TYPES.DepthVis)
    assert visible[40, 40].tolist() == [int(30 * 2.55)] * 3


def test_vehicles_carry_such_cameras_too_and_flow_is_one_shift(client):
    assert (take(client, TYPES.Infrared, external=False)[0] == take(client, TYPES.Infrared)[0]).all()
    take(client, TYPES.Scene, external=False)
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(0.4, -0.2, 0), airsim.to_quaternion(0, 0, 0)), True)
    (flow,) = take(client, TYPES.OpticalFlow, external=False)
    assert (flow[..., 1] == 128 + 4 * 2).all(), "north: things go down 2 pixels"
    assert (flow[..., 2] == 128 + 4 * 1).all(), "west: right 1 pixel"


def test_the_projection_matrix_sends_points_where_the_picture_shows_them(client):
    info = client.simGetCameraInfo("map", external=True)
    matrix = np.array(info.proj_mat.matrix)
    for forward_cm, right_cm, down_cm in ((3000.0, 800.0, 600.0), (100.0, -400.0, 300.0)):
        clip = matrix @ (forward_cm, right_cm, down_cm, 1.0)
        assert clip[3] == 1.0
        assert clip[0] == pytest.approx(right_cm / 800)
        assert clip[1] == pytest.approx(-down_cm / 600)
        assert clip[2] == pytest.approx(1 + forward_cm / 262144), "with AirSim's sign of what is ahead"


def test_the_field_of_view_is_kept_and_changes_nothing(client):
    assert client.simGetCameraInfo("map", external=True).fov == 70
    before = take(client, TYPES.Scene, TYPES.DepthPlanar)
    client.simSetCameraFov("map", 20, external=True)
    info = client.simGetCameraInfo("map", external=True)
    assert info.fov == 20
    assert info.proj_mat.matrix[3] == [0, 0, 0, 1]
    for one, other in zip(before, take(client, TYPES.Scene, TYPES.DepthPlanar), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_camera_may_be_a_map_in_one_type_and_a_pinhole_in_another(served):
    pinhole = {"ImageType": 7, "Width": 80, "Height": 60, "FOV_Degrees": 70}
    own = {**ABOVE, "CaptureSettings": [MAP[5], pinhole]}
    client = with_ids(served(ExternalCameras={"map": own}).client())
    mask, grey = take(client, TYPES.Segmentation, TYPES.Infrared)
    of_map = (mask == palette()[20][::-1]).all(-1)
    in_pinhole = grey[..., 0] == 20
    assert of_map.sum() == 100
    focal_px = 40 / math.tan(math.radians(35))
    assert in_pinhole.sum() == pytest.approx((2 * focal_px / 26) ** 2, rel=0.25), "the roof alone is so large"
    assert box_of(of_map) != box_of(in_pinhole)


def test_detections_are_boxes_of_the_map(client):
    client.simAddDetectionFilterMeshName("map", 0, "Thing_2", external=True)
    [found] = client.simGetDetections("map", 0, external=True)
    low, high = found.box2D.min, found.box2D.max
    assert (low.x_val, low.y_val, high.x_val, high.y_val) == (35, 5, 45, 15)
    ahead = found.box3D.min.x_val, found.box3D.max.x_val
    assert ahead == pytest.approx((26, 30))


def test_plots_are_drawn_where_they_are(client):
    before = take(client, TYPES.Scene)[0].astype(int)
    client.simPlotPoints([airsim.Vector3r(-2, 3, -9)], [0.0, 0.0, 1.0, 1.0], 3.0, 60.0, True)
    changed = np.abs(take(client, TYPES.Scene)[0] - before).max(-1) > 0
    # 2 m south and 3 m east of the middle: row 40 and column 55 begin there.
    assert changed[39:41, 54:56].all()
    assert changed.sum() == 9


def test_a_lens_cannot_bend_parallel_rays(client):
    with pytest.raises(Exception, match="threw an exception") as caught:
        client.simSetDistortionParam("map", "K1", 0.1, external=True)
    assert "camera 'map' has orthographic pictures" in str(caught.value)
    client.simSetDistortionParam("map", "K1", 0.0, external=True)
    client.simSetDistortionParam("0", "K1", 0.1)
    assert client.simGetDistortionParams("0") == [0.1, 0, 0, 0, 0]


def test_recordings_are_not_made_of_maps(served):
    running = served(CameraDefaults={"CaptureSettings": MAP})
    with pytest.raises(SimulatorError, match="is orthographic, and recordings are a pinhole's"):
        AirSimSimulator("127.0.0.1", running.port)


def test_noise_is_on_maps_too(served):
    noisy = {**ABOVE, "NoiseSettings": [{"ImageType": 0, "Enabled": True}]}
    client = served(ExternalCameras={"map": ABOVE, "noisy": noisy}).client()
    clean = take(client, TYPES.Scene)[0]
    disturbed = np.frombuffer(
        client.simGetImages([airsim.ImageRequest("noisy", 0, False, False)], external=True)[0].image_data_uint8,
        np.uint8,
    )
    assert 0.1 < (disturbed.reshape(clean.shape) != clean).mean() < 1
