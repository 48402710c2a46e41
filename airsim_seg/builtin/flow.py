"""Optical flow without estimating it: where each surface point was on the picture before, from depth and poses."""

import numpy as np

from airsim_seg.builtin.rendering.wind import offsets_m
from airsim_seg.builtin.scene import FAR_DEPTH_M, Moment, Picture, View
from airsim_seg.types import BoolArray, Float32Array, Float64Array, camera_matrix

_IN_PLACE = np.eye(3, 4)


def flow_px(picture: Picture, view: View, moment: Moment, view_before: View, moment_before: Moment) -> Float32Array:
    """How far each pixel's surface point has come since a moment before.

    Args:
        picture: what view sees at moment; without sways its leaves are taken to be at rest.
        view: the camera now.
        moment: where everything is now.
        view_before: the camera then; its size may differ.
        moment_before: where everything was.

    Returns:
        float32 [H,W,2], pixels of this picture to the right and down; zeros where the point was behind the camera.
    """
    height, width = view.size_hw
    camera = camera_matrix(view.size_hw, view.fov_deg)
    right = (np.arange(width) + 0.5 - camera[0, 2]) / camera[0, 0]
    down = (np.arange(height)[:, None] + 0.5 - camera[1, 2]) / camera[1, 1]
    rays = np.stack(np.broadcast_arrays(1.0, right, down), -1) @ view.pose.rotation().T  # [H, W, 3], NED
    endless = picture.depth_m >= FAR_DEPTH_M
    points = view.pose.position_m + rays * picture.depth_m[..., None].astype(np.float64)
    if picture.sways is not None:  # what the wind has done since is put on after what else has moved
        points -= offsets_m(moment.wind_mps, moment.time_ns).astype(np.float64)[picture.sways]
    for index in _moved(moment, moment_before) & set(np.unique(picture.object_index).tolist()):
        own = picture.object_index == index
        points[own] = _carried(points[own], _placement(moment, index), _placement(moment_before, index))
    if picture.sways is not None:
        points += offsets_m(moment_before.wind_mps, moment_before.time_ns).astype(np.float64)[picture.sways]
    then = np.where(endless[..., None], rays, points - view_before.pose.position_m) @ view_before.pose.rotation()
    return _difference(then, view_before, camera, right, down)


def _difference(
    then: Float64Array, view_before: View, camera: Float64Array, right: Float64Array, down: Float64Array
) -> Float32Array:
    """Now minus then; `then` float64 [H,W,3] is in the axes of the camera before: forward, right, down."""
    front: BoolArray = then[..., 0] > 0
    forward = np.where(front, then[..., 0], 1.0)
    # The picture before at this one's size: a change of the field of view moves points, too.
    zoom = np.tan(np.radians(view_before.fov_deg) / 2) * camera[0, 0] / camera[0, 2]
    x, y = (right - then[..., 1] / forward / zoom), (down - then[..., 2] / forward / zoom)
    flow = np.stack([x * camera[0, 0], y * camera[1, 1]], -1)
    shown: Float32Array = np.where(front[..., None], flow, 0).astype(np.float32)
    return shown


def _moved(moment: Moment, before: Moment) -> set[int]:
    spawned = {copy.index for copy in (*moment.spawned, *before.spawned)}
    return {*moment.placements, *before.placements, *spawned}


def _placement(moment: Moment, index: int) -> Float64Array:
    """Of an object; one that was not there yet is where the scene has it."""
    copies = {copy.index: copy.placement for copy in moment.spawned}
    return copies.get(index, moment.placements.get(index, _IN_PLACE))


def _carried(points: Float64Array, now: Float64Array, then: Float64Array) -> Float64Array:
    """Points [N,3] on something that is at placement `now`, where they were at `then`."""
    if np.array_equal(now, then) or abs(np.linalg.det(now[:, :3])) < 1e-12:
        return points
    own = np.linalg.solve(now[:, :3], (points - now[:, 3]).T)
    carried: Float64Array = (then[:, :3] @ own).T + then[:, 3]
    return carried
