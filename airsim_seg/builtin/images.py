"""The pictures of one call: drawn, encoded, and packed as AirSim sends them (UE RenderRequest.cpp).

Uncompressed is H*W*3 bytes in blue, green, red order; compressed is a PNG with four channels; pixels_as_float is one
float a pixel. What each image type holds stands in encodings.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from airsim_seg.builtin import wire
from airsim_seg.builtin.arguments import pose_map
from airsim_seg.builtin.encodings import COLOURS, FLOATS
from airsim_seg.builtin.finish import bent_floats, finished
from airsim_seg.builtin.rendering import plotted
from airsim_seg.builtin.scene import Picture, Renderer
from airsim_seg.builtin.shots import FLOW, FLOW_VIS, NORMALS, Shot
from airsim_seg.types import Float32Array, UInt8Array

# PNG level 1: within 10 % of the size of level 6 on rendered frames, at a third of the time.
_PNG_OPTIONS = (cv2.IMWRITE_PNG_COMPRESSION, 1)


@dataclass(frozen=True, eq=False)
class Developed:
    """What came of a shot: one of uint8 and floats.

    Attributes:
        shot: the request and its instant.
        uint8: uint8 [H,W,3], BGR, or uint8 [N], a PNG.
        floats: float32 [H,W].
    """

    shot: Shot
    uint8: UInt8Array | None = None
    floats: Float32Array | None = None

    @property
    def size_hw(self) -> tuple[int, int]:
        """(height, width), pixels."""
        return self.shot.size_hw


def develop(shots: Sequence[Shot], renderer: Renderer) -> list[Developed]:
    """Draw and encode the pictures of one call, each view of each moment once.

    Args:
        shots: of one frozen instant; cameras may differ.
        renderer: called once for each pose, size, field of view and moment among them.

    Returns:
        One for each shot, in their order.
    """
    pictures: dict[object, Picture] = {}
    developed = []
    for shot in shots:
        pose, seen = shot.view.pose, (shot.view.size_hw, shot.view.fov_deg, shot.view.ortho_width_m, id(shot.moment))
        key = (*seen, pose.position_m.tobytes(), pose.orientation_wxyz.tobytes())
        needs_normals = shot.request.image_type in (NORMALS, FLOW, FLOW_VIS)
        if key not in pictures or (needs_normals and pictures[key].normals is None):
            pictures[key] = renderer.render(shot.view, shot.moment, normals=needs_normals)
        picture = pictures[key]
        if shot.plots:
            drawn = plotted.draw(picture.rgb, picture.depth_m, shot.view, shot.plots, shot.origin_m)
            picture = replace(picture, rgb=drawn)
        developed.append(_encoded(shot, picture))
    return developed


def take(shots: Sequence[Shot], renderer: Renderer) -> list[dict[str, object]]:
    """The ImageResponses of shots, ready to send; see develop."""
    return [_response(developed) for developed in develop(shots, renderer)]


def _encoded(shot: Shot, picture: Picture) -> Developed:
    request = shot.request
    if request.pixels_as_float and request.image_type in FLOATS:
        return Developed(shot, floats=bent_floats(shot, FLOATS[request.image_type](shot, picture)))
    bgr = finished(shot, COLOURS[request.image_type](shot, picture))
    if request.pixels_as_float:
        return Developed(shot, floats=bgr[..., 2].astype(np.float32) / np.float32(255))
    return Developed(shot, png(bgr) if request.compress else bgr)


def _response(developed: Developed) -> dict[str, object]:
    shot, uint8, floats = developed.shot, developed.uint8, developed.floats
    pose = pose_map(shot.local_pose)
    return {
        "image_data_uint8": b"" if uint8 is None else wire.binary(uint8),
        "image_data_float": [] if floats is None else wire.float_array(floats),
        "camera_position": pose["position"],
        "camera_name": shot.request.camera_name,
        "camera_orientation": pose["orientation"],
        "time_stamp": shot.time_ns,
        "message": "",
        "pixels_as_float": shot.request.pixels_as_float,
        "compress": shot.request.compress,
        "width": developed.size_hw[1],
        "height": developed.size_hw[0],
        "image_type": shot.request.image_type,
    }


def png(bgr: UInt8Array) -> UInt8Array:
    """A PNG with four channels, alpha 255: Unreal's encoder is fed RGBA."""
    done, data = cv2.imencode(".png", cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA), _PNG_OPTIONS)
    assert done, "cv2 encodes any uint8 picture"
    return data.reshape(-1).view(np.uint8)
