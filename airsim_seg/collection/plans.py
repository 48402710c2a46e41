"""A plan: where the camera is and how it looks at every frame, before a single picture is taken.

Plans are pure functions of (survey, random generator, length, rate): the same four give the same poses, rounded so that
the last bits of a sine do not matter.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np

from airsim_seg.errors import SimulatorError
from airsim_seg.types import BoolArray, Float64Array, Pose, UInt8Array

GRAVITY_MPS2 = 9.81
COARSE_M = 1.0  # cells of this size carry the search for a way
_PLACE_STEP_M = 1e-6
_QUATERNION_STEP = 1e-9


class NoRoute(SimulatorError):
    """The survey holds no trajectory of the wanted kind and length; the message says why."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A camera trajectory.

    Attributes:
        vehicle: "drone" or "car".
        rate_hz: frames a second.
        position_m: float64 [T,3], world NED.
        orientation_wxyz: float64 [T,4], unit quaternions, body to NED.
        parameters: what was drawn for it, for the provenance; JSON values.
    """

    vehicle: str
    rate_hz: float
    position_m: Float64Array
    orientation_wxyz: Float64Array
    parameters: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.position_m)

    def pose(self, index: int) -> Pose:
        """Camera pose of a frame."""
        return Pose(self.position_m[index], self.orientation_wxyz[index])

    def sha256(self) -> str:
        """Identifies the trajectory."""
        digest = hashlib.sha256(f"{self.vehicle} {self.rate_hz}".encode())
        digest.update(self.position_m.tobytes() + self.orientation_wxyz.tobytes())
        return digest.hexdigest()


def make_plan(
    vehicle: str,
    rate_hz: float,
    position_m: Float64Array,
    *,
    yaw_rad: Float64Array,
    pitch_rad: Float64Array,
    roll_rad: Float64Array,
    parameters: Mapping[str, float | str],
) -> Plan:
    """Round a trajectory and turn its angles (aircraft convention, see types.Pose) into quaternions.

    Args:
        vehicle: "drone" or "car".
        rate_hz: frames a second.
        position_m: float64 [T,3], world NED.
        yaw_rad: float64 [T].
        pitch_rad: float64 [T].
        roll_rad: float64 [T].
        parameters: what was drawn.
    """
    places = np.round(position_m / _PLACE_STEP_M) * _PLACE_STEP_M
    quaternions = np.stack(
        [
            Pose.from_euler((0, 0, 0), yaw_rad=float(y), pitch_rad=float(p), roll_rad=float(r)).orientation_wxyz
            for y, p, r in zip(yaw_rad, pitch_rad, roll_rad, strict=True)
        ]
    )
    rounded = np.round(quaternions / _QUATERNION_STEP) * _QUATERNION_STEP
    return Plan(vehicle, rate_hz, places, rounded, dict(parameters))


def num_frames_of(seconds: float, rate_hz: float) -> int:
    """Frames in so many seconds, at least one."""
    return max(1, round(seconds * rate_hz))


def derivative(values: Float64Array, rate_hz: float) -> Float64Array:
    """Per second, along the first axis; zeros where there is a single frame."""
    if len(values) < 2:
        return np.zeros_like(values)
    result: Float64Array = np.gradient(values, 1 / rate_hz, axis=0)
    return result


def forward_and_right(acceleration: Float64Array, yaw_rad: Float64Array) -> tuple[Float64Array, Float64Array]:
    """The horizontal acceleration [T,2 or more] as felt by a vehicle that points along yaw [T]."""
    north, east = acceleration[:, 0], acceleration[:, 1]
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return north * cos + east * sin, east * cos - north * sin


def stride_of(cell_m: float) -> int:
    """Fine cells along one side of a coarse cell."""
    return max(1, round(COARSE_M / cell_m))


def coarse_all(fine: BoolArray, stride: int) -> BoolArray:
    """bool [R,C] -> [R/stride,C/stride]: True where every cell of the block is."""
    rows, columns = (size // stride for size in fine.shape)
    blocks = fine[: rows * stride, : columns * stride].reshape(rows, stride, columns, stride)
    return np.asarray(blocks.all(axis=(1, 3)))


def coarse_min(fine: Float64Array, stride: int) -> Float64Array:
    """float [R,C] -> [R/stride,C/stride]: the smallest of each block."""
    rows, columns = (size // stride for size in fine.shape)
    blocks = fine[: rows * stride, : columns * stride].reshape(rows, stride, columns, stride)
    return np.asarray(blocks.min(axis=(1, 3)), np.float64)


def coarse_sample(fine: UInt8Array, stride: int) -> UInt8Array:
    """uint8 [R,C] -> [R/stride,C/stride]: the cell in the middle of each block."""
    rows, columns = (size // stride for size in fine.shape)
    return fine[stride // 2 :: stride, stride // 2 :: stride][:rows, :columns]


def clearance_m(free: BoolArray, cell_m: float) -> Float64Array:
    """Distance from each cell's centre to the nearest cell that is not free; beyond the grid nothing is.

    Args:
        free: bool [R,C].
        cell_m: side of a cell.

    Returns:
        float64 [R,C], metres, 0 in cells that are not free.
    """
    padded = np.pad(free, 1).astype(np.uint8)
    # For small grids, and where it may use one processor only, OpenCV asks Intel's IPP, whose last bits are others and
    # not always the same: a seed would not always give the same drive.
    asks_ipp = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)
    try:
        distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    finally:
        cv2.ipp.setUseIPP(asks_ipp)
    return np.asarray(distance, np.float64) * cell_m


def disc(radius_cells: float) -> np.ndarray:
    """A round structuring element, uint8 [S,S]."""
    reach = int(np.ceil(radius_cells))
    offsets = np.arange(-reach, reach + 1)
    return (np.hypot(offsets[:, None], offsets[None, :]) <= radius_cells).astype(np.uint8)
