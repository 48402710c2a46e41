"""Boxes around what a camera sees, from the object indices of its picture.

Source: AirSim's UE DetectionComponent.cpp and ObjectFilter.cpp. There a thing is seen where a ray to one of 18 points
of its box meets it first; here, where one pixel shows it, and its box in the picture holds exactly those pixels.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from airsim_seg.builtin.forms import box_corners
from airsim_seg.builtin.geometry import quaternion_product
from airsim_seg.builtin.scene import SKY_INDEX
from airsim_seg.types import Float64Array, Int32Array, Pose

# DetectionComponent.cpp, max_distance_to_camera_.
DEFAULT_RADIUS_M = 200.0


def matches_wildcard(name: str, wildcard: str) -> bool:
    """Unreal's FString.MatchesWildcard: * is any run of characters, ? any one, in any case."""
    pattern = re.escape(wildcard).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, name, re.IGNORECASE | re.DOTALL) is not None


@dataclass
class Filter:
    """What one image type of one camera looks for."""

    wildcards: list[str] = field(default_factory=list)
    radius_m: float = DEFAULT_RADIUS_M

    def wants(self, names: Sequence[str]) -> bool:
        """Whether any of a thing's names is looked for; without wildcards nothing is."""
        return any(matches_wildcard(name, wildcard) for wildcard in self.wildcards for name in names)


@dataclass(frozen=True, eq=False)
class Detection:
    """One thing in one picture.

    Attributes:
        box_px: float64 [2,2], (x, y) of its first pixels and of the ends of its last ones.
        box_m: float64 [2,3], a box around its box in the world, in the camera's axes: forward, right, down.
        relative: its place in the camera's axes; see relative_pose.
    """

    box_px: Float64Array
    box_m: Float64Array
    relative: Pose


def boxes_px(object_index: Int32Array, wanted: Sequence[int]) -> dict[int, Float64Array]:
    """float64 [2,2] of every wanted object that has a pixel.

    Args:
        object_index: int32 [H,W], see Picture.
        wanted: object indices.
    """
    pixels = np.bincount(object_index.reshape(-1) - SKY_INDEX)
    boxes = {}
    for index in wanted:
        if index - SKY_INDEX < len(pixels) and pixels[index - SKY_INDEX]:
            rows, columns = np.nonzero(object_index == index)
            first, last = (columns.min(), rows.min()), (columns.max() + 1, rows.max() + 1)
            boxes[index] = np.array([first, last], np.float64)
    return boxes


def in_camera(camera: Pose, points_m: Float64Array) -> Float64Array:
    """[N,3] points of the camera's own NED in its axes: forward, right, down."""
    seen: Float64Array = (points_m - camera.position_m) @ camera.rotation()
    return seen


def box_in_camera(camera: Pose, box_m: Float64Array) -> Float64Array:
    """float64 [2,3]: the box in the camera's axes around a box in the world's.

    AirSim carries over two of the eight corners only, which is the same for a camera that looks north.
    """
    corners = in_camera(camera, box_corners(box_m))
    return np.stack([corners.min(0), corners.max(0)])


def relative_pose(camera: Pose, thing: Pose) -> Pose:
    """Position of a thing in the camera's axes, and, as in AirSim, the camera's turn in the thing's axes."""
    back = thing.orientation_wxyz * (1, -1, -1, -1)
    turn = quaternion_product(back, camera.orientation_wxyz)
    return Pose(in_camera(camera, thing.position_m[None])[0], turn)
