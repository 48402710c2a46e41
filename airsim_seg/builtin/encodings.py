"""From what a camera sees to what AirSim sends of it: an array for each image type (UE RenderRequest.cpp).

Scene           what the eye sees
Segmentation    the palette's colour of each pixel's object id
Infrared        grey: the object id itself
DepthPlanar     metres along the optical axis        DepthPerspective   metres along the ray
DepthVis        grey: black at 0 m, white from 100 m on (docs/image_apis.md)
DisparityNormalized   what two cameras 0.25 m apart see as shift, as a share of the picture's width
SurfaceNormals  north, east and up from -1..1 to 0..255
OpticalFlow     red and green: pixels to the right and down since the camera's picture before; 128 is none, a step 1/4
OpticalFlowVis  the same as colours: the direction is the hue, 32 pixels are full brightness
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np

from airsim_seg.builtin.flow import flow_px
from airsim_seg.builtin.rendering.id_colours import colour
from airsim_seg.builtin.scene import FAR_DEPTH_M, Picture
from airsim_seg.builtin.shots import (
    DEPTH_PERSPECTIVE,
    DEPTH_PLANAR,
    DEPTH_VIS,
    DISPARITY,
    FLOW,
    FLOW_VIS,
    INFRARED,
    NORMALS,
    SCENE,
    SEGMENTATION,
    Shot,
)
from airsim_seg.palette import palette
from airsim_seg.types import Float32Array, UInt8Array, camera_matrix

DEPTH_VIS_RANGE_M = 100.0
BASELINE_M = 0.25  # between front_left and front_right
FLOW_STEPS_PER_PX = 4.0  # AirSim does not say its scale; this one reaches 31 pixels
FLOW_VIS_RANGE_PX = 32.0


def _scene(shot: Shot, picture: Picture) -> UInt8Array:  # noqa: ARG001
    return np.asarray(cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2BGR), np.uint8)


def _segmentation(shot: Shot, picture: Picture) -> UInt8Array:
    # One look-up from object to colour; the last entry is the sky's.
    of_id = palette("plain") if shot.colours is None else shot.colours
    rgb = of_id[shot.id_table].astype(np.int32)
    bgr = np.empty((*picture.object_index.shape, 3), np.uint8)
    colour(np.ascontiguousarray(picture.object_index, np.int32), rgb[:, 2] | rgb[:, 1] << 8 | rgb[:, 0] << 16, bgr)
    return bgr


def _infrared(shot: Shot, picture: Picture) -> UInt8Array:
    grey: UInt8Array = np.repeat(shot.id_table[picture.object_index][..., None], 3, axis=2)
    return grey


def _normals(shot: Shot, picture: Picture) -> UInt8Array:  # noqa: ARG001
    """Unreal's world axes have z up; where nothing is drawn there is no direction: 0, which is grey."""
    assert picture.normals is not None, "asked for in develop"
    north_east_up = picture.normals * np.array([1, 1, -1], np.float32)
    shown: UInt8Array = np.rint(127.5 * (north_east_up[..., ::-1] + 1)).astype(np.uint8)
    return shown


def _flow(shot: Shot, picture: Picture) -> Float32Array:
    view_before, moment_before = shot.before or (shot.view, shot.moment)
    return flow_px(picture, shot.view, shot.moment, view_before, moment_before)


def _flow_bytes(shot: Shot, picture: Picture) -> UInt8Array:
    steps = np.clip(np.rint(128 + FLOW_STEPS_PER_PX * _flow(shot, picture)), 0, 255).astype(np.uint8)
    return np.stack([np.zeros_like(steps[..., 0]), steps[..., 1], steps[..., 0]], -1)


def _flow_vis(shot: Shot, picture: Picture) -> UInt8Array:
    flow = _flow(shot, picture)
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1], angleInDegrees=True)
    bright = np.clip(length / FLOW_VIS_RANGE_PX, 0, 1) * 255
    hsv = np.stack([angle / 2, np.full_like(angle, 255), bright], -1).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)


def _disparity(shot: Shot, picture: Picture) -> Float32Array:
    if shot.view.ortho_width_m is not None:  # the same for all that is there
        share = min(1.0, BASELINE_M / shot.view.ortho_width_m)
        return np.where(picture.depth_m < FAR_DEPTH_M, share, 0.0).astype(np.float32)
    focal_widths = camera_matrix(shot.view.size_hw, shot.view.fov_deg)[0, 0] / shot.size_hw[1]
    shift: Float32Array = np.clip(focal_widths * BASELINE_M / picture.depth_m, 0, 1).astype(np.float32)
    return shift


def _flow_right(shot: Shot, picture: Picture) -> Float32Array:
    """As floats, too, a picture has one channel: the red one."""
    return np.ascontiguousarray(_flow(shot, picture)[..., 0])


def _depth_planar(shot: Shot, picture: Picture) -> Float32Array:  # noqa: ARG001
    return np.ascontiguousarray(picture.depth_m, np.float32)


def _depth_perspective(shot: Shot, picture: Picture) -> Float32Array:
    """Planar depth times the length of the ray whose axial part is 1; parallel rays all go along the axis."""
    if shot.view.is_parallel:
        return _depth_planar(shot, picture)
    height, width = shot.view.size_hw
    matrix = camera_matrix(shot.view.size_hw, shot.view.fov_deg)
    x = ((np.arange(width) + 0.5 - matrix[0, 2]) / matrix[0, 0]).astype(np.float32)
    y = ((np.arange(height) + 0.5 - matrix[1, 2]) / matrix[1, 1]).astype(np.float32)
    ray_length = np.sqrt(1 + x[None, :] ** 2 + y[:, None] ** 2)
    depth: Float32Array = np.minimum(picture.depth_m * ray_length, np.float32(FAR_DEPTH_M))
    return depth


def _depth_vis(shot: Shot, picture: Picture) -> UInt8Array:  # noqa: ARG001
    return _as_bytes(picture.depth_m * np.float32(255 / DEPTH_VIS_RANGE_M))


def _as_bytes(values: Float32Array) -> UInt8Array:
    """[H,W] as a grey BGR picture, cut to 0..255; of little use for metres, but what a client that asks gets."""
    grey = np.clip(values, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


COLOURS: Mapping[int, Callable[[Shot, Picture], UInt8Array]] = MappingProxyType(
    {
        SCENE: _scene,
        DEPTH_PLANAR: lambda shot, picture: _as_bytes(_depth_planar(shot, picture)),
        DEPTH_PERSPECTIVE: lambda shot, picture: _as_bytes(_depth_perspective(shot, picture)),
        DEPTH_VIS: _depth_vis,
        DISPARITY: lambda shot, picture: _as_bytes(255 * _disparity(shot, picture)),
        SEGMENTATION: _segmentation,
        NORMALS: _normals,
        INFRARED: _infrared,
        FLOW: _flow_bytes,
        FLOW_VIS: _flow_vis,
    }
)
"""As bytes, uint8 [H,W,3], BGR: every image type."""

FLOATS: Mapping[int, Callable[[Shot, Picture], Float32Array]] = MappingProxyType(
    {DEPTH_PLANAR: _depth_planar, DEPTH_PERSPECTIVE: _depth_perspective, DISPARITY: _disparity, FLOW: _flow_right}
)
"""As floats, float32 [H,W]; of the other types it is the red channel over 255."""
