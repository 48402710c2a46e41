"""Optical flow without estimating it: where each surface point was on the picture before, from depth and poses."""

import numpy as np

from airsim_seg.builtin.rendering.wind import offsets_m
from airsim_seg.builtin.scene import FAR_DEPTH_M, Moment, Picture, View
from airsim_seg.types import BoolArray, Float32Array, Float64Array

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
        float32 [H,W,2], pixels of this picture to the right and down; zeros where the point was behind the camera, and
        in the sky where either view is parallel: all of it is one point.
    """
    height, width = view.size_hw
    scale_px = np.float64(view.metre_px)
    right = (np.arange(width) + 0.5 - width / 2) / scale_px
    down = (np.arange(height)[:, None] + 0.5 - height / 2) / scale_px
    endless, depth_m = picture.depth_m >= FAR_DEPTH_M, picture.depth_m.astype(np.float64)
    ahead = depth_m if view.is_parallel else 1.0
    rays = np.stack(np.broadcast_arrays(ahead, right, down), -1) @ view.pose.rotation().T  # [H, W, 3], NED
    points = view.pose.position_m + (rays if view.is_parallel else rays * depth_m[..., None])
    if picture.sways is not None:  # what the wind has done since is put on after what else has moved
        points -= offsets_m(moment.wind_mps, moment.time_ns).astype(np.float64)[picture.sways]
    for index in _moved(moment, moment_before) & set(np.unique(picture.object_index).tolist()):
        own = picture.object_index == index
        points[own] = _carried(points[own], _placement(moment, index), _placement(moment_before, index))
    if picture.sways is not None:
        points += offsets_m(moment_before.wind_mps, moment_before.time_ns).astype(np.float64)[picture.sways]
    then = np.where(endless[..., None], rays, points - view_before.pose.position_m) @ view_before.pose.rotation()
    flow = _difference(then, view_before, view, right, down)
    if view.is_parallel or view_before.is_parallel:
        flow[endless] = 0
    return flow


def _difference(
    then: Float64Array, view_before: View, view: View, right: Float64Array, down: Float64Array
) -> Float32Array:
    """Now minus then; `then` float64 [H,W,3] is in the axes of the camera before: forward, right, down."""
    front: BoolArray = then[..., 0] > 0
    forward = 1.0 if view_before.is_parallel else np.where(front, then[..., 0], 1.0)
    # The picture before at this one's size: a change of the field of view moves points, too.
    before_m = view_before.ortho_width_m
    half_m = np.tan(np.radians(view_before.fov_deg) / 2) if before_m is None else before_m / 2
    zoom = half_m * view.metre_px / (view.size_hw[1] / 2)
    x, y = (right - then[..., 1] / forward / zoom), (down - then[..., 2] / forward / zoom)
    flow = np.stack([x * view.metre_px, y * view.metre_px], -1)
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
