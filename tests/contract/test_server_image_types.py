"""Every image type over RPC, of a small world drawn by the real renderer: what the numbers mean."""

import math

import airsim
import cv2
import numpy as np
import pytest
from small_scenes import floor, scene_of, wall

from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.flow import flow_px
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Moment, Picture, View
from airsim_seg.builtin.settings import CaptureSettings, Settings, VehicleSettings
from airsim_seg.palette import id_from_name
from airsim_seg.types import Float64Array, Pose, camera_matrix

SIZE_HW = (48, 64)
SCENE = scene_of(floor(-2.0), box((5, -1, -2), (7, 1, 0.5), Material.SIDING), wall(20.0, (-30, 30), (-2, 30)))
CAPTURES = {kind: CaptureSettings(SIZE_HW, 90.0) for kind in range(10)}
TYPES = airsim.ImageType


@pytest.fixture
def client(serve):
    settings = Settings("ComputerVision", {"Eye": VehicleSettings()}, CAPTURES)
    return serve(settings, scene=SCENE, renderer=Rasteriser(SCENE, shadow_map_size=256)).client()


def take(client, *kinds, floats=False):
    """uint8 [H,W,3] BGR or float32 [H,W] of each type, one instant."""
    responses = client.simGetImages([airsim.ImageRequest("0", kind, floats, False) for kind in kinds])
    if floats:
        return [np.array(r.image_data_float, np.float32).reshape(SIZE_HW) for r in responses]
    return [np.frombuffer(r.image_data_uint8, np.uint8).reshape(*SIZE_HW, 3) for r in responses]


def put(client, *place, yaw=0.0):
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(*place), airsim.to_quaternion(0, 0, yaw)), True)


def test_all_ten_types_come_in_all_three_forms(client):
    for floats, compress in ((False, False), (False, True), (True, False)):
        requests = [airsim.ImageRequest("0", kind, floats, compress) for kind in range(10)]
        for kind, response in enumerate(client.simGetImages(requests)):
            assert (response.height, response.width, response.image_type) == (*SIZE_HW, kind)
            if floats:
                assert len(response.image_data_float) == 48 * 64
            elif compress:
                png = cv2.imdecode(np.frombuffer(response.image_data_uint8, np.uint8), cv2.IMREAD_UNCHANGED)
                assert png.shape == (*SIZE_HW, 4)
            else:
                assert len(response.image_data_uint8) == 48 * 64 * 3
    with pytest.raises(Exception, match="10 is no image type"):
        client.simGetImages([airsim.ImageRequest("0", 10)])


def test_infrared_is_the_id_as_grey(client):
    (grey,) = take(client, TYPES.Infrared)
    assert (grey == grey[..., :1]).all()
    assert set(np.unique(grey)) == {id_from_name("Thing_1")} | ({0} & set(np.unique(grey)))
    assert client.simSetSegmentationObjectID("Thing_2", 77)
    assert (take(client, TYPES.Infrared)[0] == 77).any()


def test_disparity_is_that_of_two_cameras_a_quarter_of_a_metre_apart(client):
    depth, disparity = take(client, TYPES.DepthPlanar, TYPES.DisparityNormalized, floats=True)
    focal_px = 32.0
    assert disparity == pytest.approx(np.clip(focal_px * 0.25 / depth / 64, 0, 1), rel=1e-5)
    assert disparity.max() > 0.02
    (grey,) = take(client, TYPES.DisparityNormalized)
    assert np.abs(grey[..., 0] - 255 * disparity).max() <= 1


def test_normals_are_north_east_up(client):
    put(client, 0, 0, -3)
    normals, mask = take(client, TYPES.SurfaceNormals, TYPES.Infrared)
    ground, south = normals[40, 4, ::-1].astype(int), normals[20, 60, ::-1].astype(int)
    assert ground.tolist() == pytest.approx([127.5, 127.5, 255], abs=0.6)
    assert south.tolist() == pytest.approx([0, 127.5, 127.5], abs=0.6)
    assert mask.shape == normals.shape


def test_flow_is_the_shift_since_the_cameras_picture_before(client):
    put(client, 0, 0, 0)
    assert (take(client, TYPES.OpticalFlow)[0][..., 1:] == 128).all()
    put(client, 0, 0.5, 0)  # to the right: everything moves left, near things more
    depth, flow = take(client, TYPES.DepthPlanar, TYPES.OpticalFlow, floats=True)
    assert flow == pytest.approx(np.where(depth < 60000, -32 * 0.5 / depth, 0), abs=1e-3)
    put(client, 0, 0.5, -0.25)
    (shown,) = take(client, TYPES.OpticalFlow)
    depth = take(client, TYPES.DepthPlanar, floats=True)[0]
    down = np.clip(np.rint(128 + 4 * np.where(depth < 60000, 32 * 0.25 / depth, 0)), 0, 255)
    assert np.abs(shown[..., 1] - down).max() <= 1
    assert (shown[..., 0] == 0).all()
    put(client, 0, 0.5, -0.25, yaw=0.1)
    (colours,) = take(client, TYPES.OpticalFlowVis)
    assert colours.any(2).all()


def placement(shift: Float64Array, yaw_rad: float) -> Float64Array:
    pose = Pose.from_euler(shift, yaw_rad=yaw_rad)
    return np.column_stack([pose.rotation(), pose.position_m])


def test_flow_of_what_moves_is_that_of_its_points() -> None:
    """Both camera and thing move and turn; each pixel's point is followed by hand, in double precision."""
    rng = np.random.default_rng(0)
    renderer = Rasteriser(SCENE, shadow_map_size=256)
    for _ in range(5):
        views = [
            View(Pose.from_euler(rng.normal(0, 0.3, 3), yaw_rad=rng.normal(0, 0.1), pitch_rad=rng.normal(0, 0.1)),
                 SIZE_HW, fov) for fov in (90.0, 80.0)
        ]  # fmt: skip
        moments = [Moment({1: placement(rng.normal(0, 0.4, 3), rng.normal(0, 0.2))}) for _ in range(2)]
        picture = renderer.render(views[1], moments[1])
        flow = flow_px(picture, views[1], moments[1], views[0], moments[0])
        for y, x in rng.integers(0, SIZE_HW, (60, 2)):
            expected = followed(picture, views, moments, int(y), int(x))
            assert flow[y, x].tolist() == pytest.approx(expected, abs=2e-2)


def followed(picture: Picture, views: list[View], moments: list[Moment], y: int, x: int) -> list[float]:
    """Where one pixel's point was, by homogeneous coordinates."""
    matrix = camera_matrix(SIZE_HW, views[1].fov_deg)
    ray = np.array([1.0, (x + 0.5 - matrix[0, 2]) / matrix[0, 0], (y + 0.5 - matrix[1, 2]) / matrix[1, 1]])
    depth, index = float(picture.depth_m[y, x]), int(picture.object_index[y, x])
    point = views[1].pose.position_m + views[1].pose.rotation() @ (ray * depth)
    if index == 1:
        now, then = (np.vstack([m.placements[1], [0, 0, 0, 1]]) for m in moments[::-1])
        point = (then @ np.linalg.inv(now) @ [*point, 1])[:3]
    before = views[0].pose.rotation().T @ (point - views[0].pose.position_m)
    if index < 0:
        before = views[0].pose.rotation().T @ views[1].pose.rotation() @ ray
    focal = SIZE_HW[1] / 2 / math.tan(math.radians(views[0].fov_deg) / 2)
    was = [SIZE_HW[1] / 2 + focal * before[1] / before[0], SIZE_HW[0] / 2 + focal * before[2] / before[0]]
    return [x + 0.5 - was[0], y + 0.5 - was[1]]
