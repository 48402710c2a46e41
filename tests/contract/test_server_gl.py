"""The server with the renderer on a device: pictures that an unmodified client takes, and whose they are."""

import json

import airsim
import numpy as np
import pytest
from gl_device import skip_without_device
from served_world import Serve
from small_scenes import garden

from airsim_seg.builtin.rendering.gl.renderer import GlRenderer
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.settings import CaptureSettings, Settings, VehicleSettings

SIZE_HW = (48, 64)
SETTINGS = Settings(
    "ComputerVision", {"Eye": VehicleSettings()}, {k: CaptureSettings(SIZE_HW, 90.0) for k in range(10)}
)
KINDS = (airsim.ImageType.Scene, airsim.ImageType.Segmentation, airsim.ImageType.SurfaceNormals)


def taken(client: airsim.VehicleClient) -> list[np.ndarray]:
    """Colours, ids' colours and normals of one instant, int [H,W,3], seen from in front of the garden's fence."""
    client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(-2.0, 0.3, -1.5), airsim.to_quaternion(0, 0, 0.1)), True)
    responses = client.simGetImages([airsim.ImageRequest("0", kind, False, False) for kind in KINDS])
    return [np.frombuffer(r.image_data_uint8, np.uint8).reshape(*SIZE_HW, 3).astype(int) for r in responses]


def test_a_client_gets_the_pictures_of_the_cpu_and_is_told_the_device(serve: Serve) -> None:
    """Set up in this thread, drawn in the server's: a context must change hands."""
    skip_without_device()
    device = GlRenderer(garden(), shadow_map_size=256)
    device.warm_up()
    host = Rasteriser(garden(), shadow_map_size=256)
    clients = [serve(SETTINGS, scene=garden(), renderer=renderer).client() for renderer in (device, host)]
    drawn, wanted = map(taken, clients)
    assert np.abs(drawn[0] - wanted[0]).mean() < 0.2
    for ours, theirs in zip(drawn[1:], wanted[1:], strict=True):
        assert (np.abs(ours - theirs).max(2) <= 1).mean() > 0.99
    told = [json.loads(client.getSettingsString())["Renderer"] for client in clients]
    assert told == [f"gl: {device.device}", "cpu"]
    with pytest.raises(Exception, match="no image type"):
        clients[0].simGetImages([airsim.ImageRequest("0", 10)])
