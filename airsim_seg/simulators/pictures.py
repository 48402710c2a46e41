"""AirSim's image responses as arrays: sizes checked before anything is reshaped, colours decoded, order mended.

Sources: Unreal's RenderRequest.cpp (uncompressed pictures are B,G,R top row first since v1.3, floats are the red
channel of a half-float target); ImageCaptureBase.hpp for the numbers of the image types.
"""

from typing import Any

import cv2
import numpy as np

from airsim_seg import palette
from airsim_seg.errors import SimulatorError, SimulatorLost
from airsim_seg.simulators.base import Capture
from airsim_seg.types import Float32Array, Float64Array, Pose, UInt8Array

SCENE, DEPTH_PLANAR, SEGMENTATION = 0, 1, 5  # ImageCaptureBase::ImageType
_NAMES = {SCENE: "Scene", DEPTH_PLANAR: "DepthPlanar", SEGMENTATION: "Segmentation"}
# Black and white are ids 0 and 255 in every palette: a picture of them alone decides nothing.
_UNDECIDING_IDS = (0, 255)


class PictureDecoder:
    """Remembers what the first telling picture showed: the palette and the byte order of this simulator."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._variant: palette.Variant | None = None
        self._swapped: bool | None = None

    def decode(self, responses: list[Any], wall_time_ns: int) -> Capture:
        """Turn the answers to (Scene, Segmentation[, DepthPlanar]) into a Capture.

        Args:
            responses: airsim.ImageResponse objects in that order.
            wall_time_ns: when they arrived.

        Raises:
            SimulatorLost: a picture is missing or cut short.
            SimulatorError: sizes differ between the types; the message says what to write into settings.json.
            UnknownColours: more than one pixel in ten thousand has a colour of no palette.
        """
        if len(responses) < 2:
            raise SimulatorLost(
                f"{self._source}: {len(responses)} pictures came back where two or three were asked for."
            )
        self._check_sizes(responses)
        scene, mask = self._bytes_of(responses[0], SCENE), self._bytes_of(responses[1], SEGMENTATION)
        if self._is_bgr(mask):
            scene, mask = (np.asarray(cv2.cvtColor(p, cv2.COLOR_BGR2RGB), np.uint8) for p in (scene, mask))
        decoded = palette.decode(mask, self._variant)
        palette.refuse_unknown(decoded.num_unknown, decoded.raw_ids.size, decoded.unknown_example, self._source)
        if self._variant is None and not np.isin(decoded.raw_ids, _UNDECIDING_IDS).all():
            self._variant = decoded.variant
        return Capture(
            rgb=np.ascontiguousarray(scene),
            raw_ids=decoded.raw_ids,
            depth_m=self._floats_of(responses[2]) if len(responses) > 2 else None,
            pose=pose_of_camera(responses[0], self._source),
            sim_time_ns=int(responses[0].time_stamp),
            wall_time_ns=wall_time_ns,
            num_unknown=decoded.num_unknown,
            variant=decoded.variant,
        )

    def _is_bgr(self, mask: UInt8Array) -> bool:
        """AirSim sends B,G,R; believe the palette where a build does otherwise."""
        if self._swapped is None:
            swapped, straight = palette.is_channel_swapped(mask), palette.is_channel_swapped(mask[..., ::-1])
            if swapped == straight:  # nothing but grey so far
                return True
            self._swapped = swapped
        return self._swapped

    def _check_sizes(self, responses: list[Any]) -> None:
        sizes = {}
        for response, kind in zip(responses, (SCENE, SEGMENTATION, DEPTH_PLANAR), strict=False):
            if response.width <= 0 or response.height <= 0:
                raise SimulatorLost(
                    f"{self._source} sent no {_NAMES[kind]} picture: {response.message or 'no reason'}."
                )
            sizes[_NAMES[kind]] = (int(response.height), int(response.width))
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{name} {width}x{height}" for name, (height, width) in sizes.items())
            raise SimulatorError(
                f"{self._source} sends pictures of different sizes ({told}): put every type into settings.json, as no "
                f'type inherits from another: "CameraDefaults": {{"CaptureSettings": ['
                + ", ".join(
                    f'{{"ImageType": {kind}, "Width": 640, "Height": 480, "FOV_Degrees": 90}}'
                    for kind in sorted(_NAMES)
                )
                + "]}"
            )

    def _bytes_of(self, response: Any, kind: int) -> UInt8Array:
        shape = (int(response.height), int(response.width), 3)
        data = np.frombuffer(response.image_data_uint8, np.uint8)
        if data.size != np.prod(shape):
            raise SimulatorLost(
                f"{self._source} sent {data.size} bytes for a {_NAMES[kind]} picture of {shape[1]}x{shape[0]}, which "
                f"has {np.prod(shape)}: another version, or the connection broke."
            )
        return data.reshape(shape)

    def _floats_of(self, response: Any) -> Float32Array:
        shape = (int(response.height), int(response.width))
        data = np.asarray(response.image_data_float, np.float32)
        if data.size != np.prod(shape):
            raise SimulatorLost(
                f"{self._source} sent {data.size} depths for {shape[1]}x{shape[0]} pixels: another version, or the "
                f"connection broke."
            )
        return data.reshape(shape)


def pose_of_camera(response: Any, source: str) -> Pose:
    """The camera pose in an airsim.ImageResponse.

    Raises:
        SimulatorLost: it is not finite.
    """
    pose = _pose(response.camera_position, response.camera_orientation)
    if not (np.isfinite(pose.position_m).all() and np.isfinite(pose.orientation_wxyz).all()):
        raise SimulatorLost(f"{source} sent a picture from a camera pose that is not finite: start it again.")
    return pose


def pose_of(airsim_pose: Any) -> Pose:
    """An airsim.Pose as ours, the quaternion made unit (it travels as float32)."""
    return _pose(airsim_pose.position, airsim_pose.orientation)


def _pose(position: Any, orientation: Any) -> Pose:
    wxyz = np.array([orientation.w_val, orientation.x_val, orientation.y_val, orientation.z_val], np.float64)
    place = np.array([position.x_val, position.y_val, position.z_val], np.float64)
    length = float(np.linalg.norm(wxyz))
    return Pose(place, wxyz / length if length > 0 else np.array([1.0, 0.0, 0.0, 0.0]))


def quaternion_wxyz(rotation: Float64Array) -> Float64Array:
    """The unit quaternion of a rotation matrix, w >= 0.

    Source: Shepperd, Quaternion from rotation matrix, 1978: divide by the largest of the four components.

    Args:
        rotation: float64 [3,3].

    Returns:
        float64 [4], w first.
    """
    trace = float(np.trace(rotation))
    squares = np.array([trace, rotation[0, 0], rotation[1, 1], rotation[2, 2]])
    largest = int(np.argmax(squares))
    if largest == 0:
        raw = np.array(
            [
                1 + trace,
                rotation[2, 1] - rotation[1, 2],
                rotation[0, 2] - rotation[2, 0],
                rotation[1, 0] - rotation[0, 1],
            ]
        )
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        raw = np.empty(4)
        raw[0] = rotation[k, j] - rotation[j, k]
        raw[1 + i] = 1 + rotation[i, i] - rotation[j, j] - rotation[k, k]
        raw[1 + j] = rotation[j, i] + rotation[i, j]
        raw[1 + k] = rotation[k, i] + rotation[i, k]
    unit: Float64Array = raw / np.linalg.norm(raw)
    return unit if unit[0] >= 0 else -unit
