"""Motion for warped memories: where each pixel of a frame was in the frame before it, float32 [2,H,W].

Columns, then rows, in pixels; NaN where nobody knows. Two sources:

* flow: optical flow between the two pictures (Kroeger et al. 2016, "DIS", as OpenCV has it). Any video has it.
* pose: true depth and true camera poses of both frames, where a recording has them. Exact for what stands still, and it
  knows what was hidden or out of view before.
"""

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from airsim_seg.benchmark.resizing import resize_rgb
from airsim_seg.errors import DataError
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Pose, UInt8Array

HIDDEN_SHARE = 0.02  # a point further away than what the frame before saw there by this share (and 0.1 m) was hidden
HIDDEN_M = 0.1


class MovingVideo(Protocol):
    """What a source needs of a video; `airsim_seg.videos.VideoReader` is one."""

    @property
    def segment_start(self) -> BoolArray: ...
    @property
    def camera_matrix(self) -> Float64Array: ...
    def rgb(self, index: int, /) -> UInt8Array: ...
    def depth_m(self, index: int, /) -> Float32Array | None: ...
    @property
    def position_m(self) -> Float64Array: ...
    @property
    def orientation_wxyz(self) -> Float64Array: ...


MotionSource = Callable[[MovingVideo, int, tuple[int, int]], Float32Array]
"""(video, index of a frame, (height, width) of the network's input) -> float32 [2,h,w] to the frame before it."""


def unknown(size_hw: tuple[int, int]) -> Float32Array:
    """Motion of which nothing is known, as at the first frame of a segment."""
    return np.full((2, *size_hw), np.nan, np.float32)


def dis_flow(rgb: UInt8Array, before: UInt8Array) -> Float32Array:
    """Optical flow from a picture to the one before it.

    Args:
        rgb: uint8 [H,W,3].
        before: uint8 [H,W,3].

    Returns:
        float32 [2,H,W]; unknown everywhere where the pictures are too small for it (under 16 pixels a side).
    """
    if min(rgb.shape[:2]) < 16:
        return unknown((rgb.shape[0], rgb.shape[1]))
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (rgb, before)]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(grey[0], grey[1], None)  # type: ignore[call-overload]
    return np.ascontiguousarray(np.asarray(flow, np.float32).transpose(2, 0, 1))


def flow_motion(video: MovingVideo, index: int, size_hw: tuple[int, int]) -> Float32Array:
    """A MotionSource: DIS flow between two frames at the network's size."""
    if index == 0 or video.segment_start[index]:
        return unknown(size_hw)
    return dis_flow(resize_rgb(video.rgb(index), size_hw), resize_rgb(video.rgb(index - 1), size_hw))


def pose_motion(video: MovingVideo, index: int, size_hw: tuple[int, int]) -> Float32Array:
    """A MotionSource: where true depth and poses say that each pixel was.

    Raises:
        DataError: the video has no depth, or its camera is unknown.
    """
    if index == 0 or video.segment_start[index]:
        return unknown(size_hw)
    depths = video.depth_m(index), video.depth_m(index - 1)
    poses = [Pose(video.position_m[k], video.orientation_wxyz[k]) for k in (index, index - 1)]
    placed = all(np.isfinite(pose.position_m).all() and np.isfinite(pose.orientation_wxyz).all() for pose in poses)
    if depths[0] is None or depths[1] is None or not placed or not np.isfinite(video.camera_matrix).all():
        raise DataError(
            'motion = "pose" needs videos with depth, poses and a known camera: collect with --also depth, or take '
            'motion = "flow".'
        )
    return _shrink(rigid_motion(depths[0], depths[1], poses[0], poses[1], video.camera_matrix), size_hw)


SOURCES: dict[str, MotionSource] = {"flow": flow_motion, "pose": pose_motion}


def rigid_motion(
    depth_m: Float32Array, depth_before_m: Float32Array, pose: Pose, pose_before: Pose, camera_matrix: Float64Array
) -> Float32Array:
    """Where each pixel of a still world was in the frame before.

    Args:
        depth_m: [H,W] along the optical axis (AirSim's DepthPlanar).
        depth_before_m: the same of the frame before.
        pose: of the camera: x forward, y right, z down, in world NED.
        pose_before: the same of the frame before.
        camera_matrix: [3,3], pixels; the optical axis goes through (cx, cy), in AirSim's convention of pixel corners.

    Returns:
        float32 [2,H,W]; NaN where the point was behind the camera or hidden by something nearer.
    """
    height, width = depth_m.shape
    (fx, _, cx), (_, fy, cy) = camera_matrix[0], camera_matrix[1]
    columns, rows = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    depth = depth_m.astype(np.float64)
    points = np.stack([depth, (columns - cx) / fx * depth, (rows - cy) / fy * depth], axis=-1)  # [H, W, 3], camera axes
    turn = pose_before.rotation().T @ pose.rotation()
    shift = pose_before.rotation().T @ (pose.position_m - pose_before.position_m)
    x, y, z = np.moveaxis(points @ turn.T + shift, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        was_column, was_row = cx + fx * y / x, cy + fy * z / x
    seen = (x > 0) & (was_column >= 0) & (was_column < width) & (was_row >= 0) & (was_row < height)
    i, j = (np.where(seen, place, 0).astype(np.intp) for place in (was_row, was_column))
    hidden = x > depth_before_m[i, j] * (1 + HIDDEN_SHARE) + HIDDEN_M
    motion = np.stack([was_column - columns, was_row - rows])
    return np.where((x > 0) & ~(seen & hidden), motion, np.nan).astype(np.float32)


def _shrink(motion: Float32Array, size_hw: tuple[int, int]) -> Float32Array:
    """Motion at another size: of the pixel under each new pixel's centre, in new pixels."""
    height, width = motion.shape[1:]
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp) for new, old in zip(size_hw, (height, width), strict=True)
    )
    scale = np.array([size_hw[1] / width, size_hw[0] / height], np.float32)[:, None, None]
    return np.asarray(motion[:, rows[:, None], columns] * scale, np.float32)
