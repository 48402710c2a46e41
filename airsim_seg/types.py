"""Frozen values that cross the borders between simulator, recording and video."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from airsim_seg import elementary

UInt8Array = npt.NDArray[np.uint8]
UInt32Array = npt.NDArray[np.uint32]
Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]
Float16Array = npt.NDArray[np.float16]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pose:
    """Where something is and which way it looks.

    Attributes:
        position_m: float64 [3], world NED (north, east, down), metres.
        orientation_wxyz: float64 [4], unit quaternion, w first, turns body axes (forward, right, down) into NED.
    """

    position_m: Float64Array
    orientation_wxyz: Float64Array

    @staticmethod
    def from_euler(
        position_m: npt.ArrayLike, *, yaw_rad: float = 0.0, pitch_rad: float = 0.0, roll_rad: float = 0.0
    ) -> "Pose":
        """Make a pose from aircraft angles: yaw about down, then pitch about right, then roll about forward.

        Args:
            position_m: [3], world NED, metres.
            yaw_rad: 0 looks north, +pi/2 east.
            pitch_rad: positive raises the nose.
            roll_rad: positive lowers the right wing.

        Returns:
            The pose, the same bits on every machine; the quaternion is that of airsim.to_quaternion(pitch, roll, yaw).
        """
        (cy, sy), (cp, sp), (cr, sr) = (
            (elementary.cos(angle / 2), elementary.sin(angle / 2)) for angle in (yaw_rad, pitch_rad, roll_rad)
        )
        wxyz = (
            cr * cp * cy + sr * sp * sy,
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
        )
        return Pose(np.asarray(position_m, np.float64), np.array(wxyz, np.float64))

    def rotation(self) -> Float64Array:
        """Rotation matrix float64 [3,3]: columns are the body's forward, right and down axes in NED."""
        w, x, y, z = (float(v) for v in self.orientation_wxyz)
        norm = math.sqrt(w * w + x * x + y * y + z * z)  # not of BLAS, whose order of summing is the processor's
        w, x, y, z = w / norm, x / norm, y / norm, z / norm
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ],
            np.float64,
        )


@dataclass(frozen=True, eq=False)
class Frame:
    """One instant of a recording: everything in it was captured from the same frozen world.

    Attributes:
        time_ns: nominal simulation time; frame k of a segment is at k * 1e9 / rate_hz after its first.
        sim_time_ns: the stamp that the simulator returned, -1 where there is none.
        wall_time_ns: when the frame was received, nanoseconds since the epoch.
        rgb: uint8 [H,W,3], RGB order.
        raw_ids: uint8 [H,W], AirSim object ids exactly as seen.
        pose: of the camera, or None where the source knows none.
        segment_start: True at the first frame of a recording and after every gap in time.
        depth_m: float32 [H,W], planar depth in metres, or None.
    """

    time_ns: int
    sim_time_ns: int
    wall_time_ns: int
    rgb: UInt8Array
    raw_ids: UInt8Array
    pose: Pose | None
    segment_start: bool
    depth_m: Float32Array | None = field(default=None)


def camera_matrix(size_hw: tuple[int, int], fov_deg: float) -> Float64Array:
    """Pinhole matrix of an AirSim camera: square pixels, horizontal field of view, centre in the middle.

    Args:
        size_hw: (height, width) in pixels.
        fov_deg: horizontal field of view, degrees, in (0, 180).

    Returns:
        float64 [3,3], pixels. Pixel centres lie at half-integers: column j covers [j, j+1).
    """
    height, width = size_hw
    focal_px = width / 2 / elementary.tan(math.radians(fov_deg) / 2)
    return np.array([[focal_px, 0, width / 2], [0, focal_px, height / 2], [0, 0, 1]], np.float64)
