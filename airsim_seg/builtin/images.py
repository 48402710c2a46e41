"""From what a camera sees to the bytes that AirSim sends (UE RenderRequest.cpp).

Scene           what the eye sees
Segmentation    the palette's colour of each pixel's object id
DepthPlanar     metres along the optical axis        DepthPerspective   metres along the ray
DepthVis        grey: black at 0 m, white from 100 m on (docs/image_apis.md)

Uncompressed is H*W*3 bytes in blue, green, red order; compressed is a PNG with four channels; pixels_as_float is the
depth, or the red channel of a colour picture, as floats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from airsim_seg.builtin import wire
from airsim_seg.builtin.arguments import pose_map
from airsim_seg.builtin.scene import FAR_DEPTH_M, STILL, Moment, Picture, Renderer, View
from airsim_seg.palette import palette
from airsim_seg.types import Float32Array, Pose, UInt8Array, camera_matrix

SCENE, DEPTH_PLANAR, DEPTH_PERSPECTIVE, DEPTH_VIS, SEGMENTATION = 0, 1, 2, 3, 5
DEPTH_VIS_RANGE_M = 100.0
# PNG level 1: within 10 % of the size of level 6 on rendered frames, at a third of the time.
_PNG_OPTIONS = (cv2.IMWRITE_PNG_COMPRESSION, 1)


@dataclass(frozen=True)
class ImageRequest:
    """What a client wants of one camera, named as AirSim's ImageRequest."""

    camera_name: str
    image_type: int
    pixels_as_float: bool
    compress: bool


@dataclass(frozen=True, eq=False)
class Shot:
    """One request at one frozen instant.

    Attributes:
        request: what is wanted.
        view: the camera in the scene's frame.
        local_pose: the camera in the vehicle's local NED, which the response reports.
        time_ns: the clock.
        id_table: uint8 [N+1], id by object index, the sky last.
        moment: what is there; for Segmentation, without what has no id.
    """

    request: ImageRequest
    view: View
    local_pose: Pose
    time_ns: int
    id_table: UInt8Array
    moment: Moment = STILL


@dataclass(frozen=True, eq=False)
class Developed:
    """What came of a shot: one of uint8 and floats, or neither and a message.

    Attributes:
        shot: the request and its instant.
        size_hw: (height, width), pixels; (0, 0) where the image type is not available.
        uint8: uint8 [H,W,3], BGR, or uint8 [N], a PNG.
        floats: float32 [H,W].
        message: why there is nothing.
    """

    shot: Shot
    size_hw: tuple[int, int] = (0, 0)
    uint8: UInt8Array | None = None
    floats: Float32Array | None = None
    message: str = ""


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
        if shot.request.image_type not in _COLOURS and shot.request.image_type not in _DEPTHS:
            message = f"image type {shot.request.image_type} is not available in the built-in simulator"
            developed.append(Developed(shot, message=message))
            continue
        pose, seen = shot.view.pose, (shot.view.size_hw, shot.view.fov_deg, id(shot.moment))
        key = (*seen, pose.position_m.tobytes(), pose.orientation_wxyz.tobytes())
        if key not in pictures:
            pictures[key] = renderer.render(shot.view, shot.moment)
        developed.append(_encoded(shot, pictures[key]))
    return developed


def take(shots: Sequence[Shot], renderer: Renderer) -> list[dict[str, object]]:
    """The ImageResponses of shots, ready to send; see develop."""
    return [_response(developed) for developed in develop(shots, renderer)]


def _encoded(shot: Shot, picture: Picture) -> Developed:
    request = shot.request
    depth = _DEPTHS[request.image_type](shot, picture) if request.image_type in _DEPTHS else None
    bgr = _as_bytes(depth) if depth is not None else _COLOURS[request.image_type](shot, picture)
    if request.pixels_as_float:
        floats = depth if depth is not None else bgr[..., 2].astype(np.float32) / np.float32(255)
        return Developed(shot, shot.view.size_hw, floats=floats)
    return Developed(shot, shot.view.size_hw, _png(bgr) if request.compress else bgr)


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
        "message": developed.message,
        "pixels_as_float": shot.request.pixels_as_float,
        "compress": shot.request.compress,
        "width": developed.size_hw[1],
        "height": developed.size_hw[0],
        "image_type": shot.request.image_type,
    }


def _scene(shot: Shot, picture: Picture) -> UInt8Array:  # noqa: ARG001
    return np.asarray(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _segmentation(shot: Shot, picture: Picture) -> UInt8Array:
    # One look-up from object to colour; index -1, the sky, finds the last row. A row of four bytes moves as one
    # number: 1.8 ms at 640x480, where indexing a [K,3] table takes 7.
    colours = np.zeros((len(shot.id_table), 4), np.uint8)
    colours[:, :3] = palette("plain")[shot.id_table][:, ::-1]
    bgrx = colours.view(np.uint32).ravel()[picture.object_index]
    height, width = bgrx.shape
    return np.asarray(cv2.cvtColor(bgrx.view(np.uint8).reshape(height, width, 4), cv2.COLOR_BGRA2BGR), np.uint8)


def _depth_planar(shot: Shot, picture: Picture) -> Float32Array:  # noqa: ARG001
    return np.ascontiguousarray(picture.depth_m, np.float32)


def _depth_perspective(shot: Shot, picture: Picture) -> Float32Array:
    """Planar depth times the length of the ray whose axial part is 1."""
    height, width = shot.view.size_hw
    matrix = camera_matrix(shot.view.size_hw, shot.view.fov_deg)
    x = ((np.arange(width) + 0.5 - matrix[0, 2]) / matrix[0, 0]).astype(np.float32)
    y = ((np.arange(height) + 0.5 - matrix[1, 2]) / matrix[1, 1]).astype(np.float32)
    ray_length = np.sqrt(1 + x[None, :] ** 2 + y[:, None] ** 2)
    depth: Float32Array = np.minimum(picture.depth_m * ray_length, np.float32(FAR_DEPTH_M))
    return depth


def _depth_vis(shot: Shot, picture: Picture) -> UInt8Array:  # noqa: ARG001
    return _as_bytes(picture.depth_m * np.float32(255 / DEPTH_VIS_RANGE_M))


_COLOURS: dict[int, Callable[[Shot, Picture], UInt8Array]] = {
    SCENE: _scene,
    DEPTH_VIS: _depth_vis,
    SEGMENTATION: _segmentation,
}
_DEPTHS: dict[int, Callable[[Shot, Picture], Float32Array]] = {
    DEPTH_PLANAR: _depth_planar,
    DEPTH_PERSPECTIVE: _depth_perspective,
}


def _as_bytes(values: Float32Array) -> UInt8Array:
    """[H,W] as a grey BGR picture, cut to 0..255; of little use for metres, but what a client that asks gets."""
    grey = np.clip(values, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _png(bgr: UInt8Array) -> UInt8Array:
    """A PNG with four channels, alpha 255: Unreal's encoder is fed RGBA."""
    done, png = cv2.imencode(".png", cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA), _PNG_OPTIONS)
    assert done, "cv2 encodes any uint8 picture"
    return png.reshape(-1).view(np.uint8)
