"""The map: one picture straight down from high above, laid out with north up.

A camera that nobody looks through is lifted off its vehicle for that one picture and put back, so the vehicle stays
where it is. The picture is drawn in perspective: what stands high leans outwards, the ground lies exactly.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from airsim_seg.errors import SimulatorLost
from airsim_seg.simulators.pictures import pose_of_camera
from airsim_seg.types import Float64Array, Pose, UInt8Array, camera_matrix
from airsim_seg.viewer.link import Link, on_body

# The back camera: every kind of vehicle has it under this number, and few programs look through it.
CAMERA = "4"
ALTITUDE_M = 220.0
# The first pictures of a camera that nobody looked through may be black (AirSim's automatic exposure; sim --strict).
TRIES = 3
SIZE_PX = 1024
# The sky is 65504 in AirSim (the largest half float).
_FAR_M = 10_000.0
_LOWEST_M = 5.0
_DARK_PERCENT = 0.5


@dataclass(frozen=True, eq=False)
class Overview:
    """A map of a square.

    Attributes:
        rgb: uint8 [S,S,3]; rows go south, columns east.
        north_m: of the middle, in the vehicle's NED.
        east_m: of the middle.
        span_m: side of the square.
    """

    rgb: UInt8Array
    north_m: float
    east_m: float
    span_m: float


async def take_overview(link: Link) -> Overview:
    """Take the picture around where the vehicle is now.

    Raises:
        SimulatorLost, RefusedCall: as every call.
    """
    body = (await link.motion()).pose
    before, fov_deg = await link.camera_info(CAMERA)
    mounted = on_body(before, body)
    above = Pose.from_euler(body.position_m - np.array([0, 0, ALTITUDE_M]), pitch_rad=-np.pi / 2)
    await link.mount_camera(CAMERA, on_body(above, body))
    try:
        for _ in range(TRIES):
            scene, _, depth = await link.images(CAMERA, depth=True)
            if any(scene.image_data_uint8):
                break
    finally:
        await link.mount_camera(CAMERA, mounted)
    size_hw = (int(scene.height), int(scene.width))
    bgr = np.frombuffer(scene.image_data_uint8, np.uint8)
    if bgr.size != 3 * size_hw[0] * size_hw[1]:
        raise SimulatorLost(f"the picture from above has {bgr.size} bytes, not those of {size_hw[1]}x{size_hw[0]}.")
    # The vehicle may have moved under the camera meanwhile: what counts is where the picture was taken from.
    pose = pose_of_camera(scene, link.rpc.address)
    height_m = ground_below_m(np.asarray(depth.image_data_float, np.float64))
    return laid_out(_without_haze(bgr.reshape(*size_hw, 3)[..., ::-1]), pose, fov_deg, height_m)


def _without_haze(rgb: UInt8Array) -> UInt8Array:
    """More of the range of brightness, as air veils what is so far below; one scale for all keeps the hues."""
    dark, bright = (float(v) for v in np.percentile(rgb, [_DARK_PERCENT, 100 - _DARK_PERCENT]))
    # Half of the way to the full range, which would be too harsh.
    scale = (1 + 255 / max(1.0, bright - dark)) / 2
    middle = (dark + bright) / 2
    wider = (rgb - middle) * scale + (middle + 127.5) / 2
    return np.asarray(np.clip(wider, 0, 255), np.uint8)


def ground_below_m(depth_m: Float64Array) -> float:
    """How far below the camera most of the ground lies; the altitude where no surface was seen."""
    surface = depth_m[(depth_m > _LOWEST_M) & (depth_m < _FAR_M)]
    return float(np.median(surface)) if surface.size else ALTITUDE_M


def laid_out(rgb: UInt8Array, pose: Pose, fov_deg: float, height_m: float) -> Overview:
    """Turn a picture from above into a map.

    Args:
        rgb: uint8 [H,W,3].
        pose: of the camera, NED, looking down more or less.
        fov_deg: horizontal field of view.
        height_m: of the camera above the ground plane.

    Returns:
        The largest square of the ground that the picture shows if it looks straight down; black beyond its edges.
    """
    size_hw = (rgb.shape[0], rgb.shape[1])
    span_m = 2 * height_m * np.tan(np.radians(fov_deg) / 2) * min(1.0, size_hw[0] / size_hw[1])
    north_m, east_m, down_m = (float(value) for value in pose.position_m)
    half_m = span_m / 2
    corners_m = np.array([[half_m, -half_m], [half_m, half_m], [-half_m, half_m], [-half_m, -half_m]])
    ground_m = np.column_stack([corners_m + np.array([north_m, east_m]), np.full(4, down_m + height_m)])
    seen = (ground_m - pose.position_m) @ pose.rotation()  # forward, right, down of the camera
    pixels = np.column_stack([seen[:, 1], seen[:, 2], seen[:, 0]]) @ camera_matrix(size_hw, fov_deg).T
    source = (pixels[:, :2] / pixels[:, 2:]).astype(np.float32)
    edge = float(SIZE_PX)
    target = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]], np.float32)
    # Both sides count pixels from their outer corners; cv2 counts from centres.
    matrix = cv2.getPerspectiveTransform(source - 0.5, target - 0.5)
    flat = cv2.warpPerspective(np.ascontiguousarray(rgb), matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR)
    return Overview(np.asarray(flat, np.uint8), north_m, east_m, float(span_m))
