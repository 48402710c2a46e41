"""ImageResponses changed after the fact, and numbers as AirSim's server packs them."""

import math
import struct
from collections.abc import Mapping

import cv2
import numpy as np

from airsim_seg.builtin.images import png
from airsim_seg.builtin.wire import Encoded, binary, float_array
from airsim_seg.types import UInt8Array

# GeoPoint.hpp: the two that are double there.
DOUBLES = ("latitude", "longitude")

ImageAnswer = Mapping[str, object]


def size_hw(answer: ImageAnswer) -> tuple[int, int]:
    """(height, width) of an ImageResponse."""
    height, width = answer["height"], answer["width"]
    assert isinstance(height, int), "as images.take made it"
    assert isinstance(width, int), "as images.take made it"
    return height, width


def bytes_of(answer: ImageAnswer) -> UInt8Array:
    """uint8 [N]: image_data_uint8 as it goes out; empty where the picture is floats."""
    data = answer["image_data_uint8"]
    # The first buffer is msgpack's header.
    return np.frombuffer(data.buffers[1] if isinstance(data, Encoded) else b"", np.uint8)


def pixels_of(answer: ImageAnswer) -> UInt8Array:
    """uint8 [H,W,3], BGR: the picture of an ImageResponse of bytes; floats give black."""
    flat = bytes_of(answer)
    if not flat.size:
        return np.zeros((*size_hw(answer), 3), np.uint8)
    if answer["compress"]:
        return np.asarray(cv2.imdecode(flat, cv2.IMREAD_COLOR), np.uint8)
    return flat.reshape(*size_hw(answer), 3)


def with_pixels(answer: ImageAnswer, bgr: UInt8Array) -> dict[str, object]:
    """The same ImageResponse with another picture.

    Args:
        answer: as images.take made it.
        bgr: uint8 [H,W,3], BGR; of any size, which the response then has. Floats are its red channel over 255.
    """
    height, width = bgr.shape[:2]
    changed = {**answer, "height": height, "width": width}
    if answer["pixels_as_float"]:
        return changed | {"image_data_float": float_array(bgr[..., 2].astype(np.float32) / np.float32(255))}
    return changed | {"image_data_uint8": binary(png(bgr) if answer["compress"] else np.ascontiguousarray(bgr))}


def with_single_floats(answer: object) -> object:
    """The same answer with every number as float32, but for latitude and longitude (RpcLibAdaptorsBase.hpp)."""
    if isinstance(answer, float):
        # float32 has no room for more; rpclib's cast gives infinity.
        finite = abs(answer) <= 3.4028234e38 or not math.isfinite(answer)
        return Encoded((b"\xca" + struct.pack(">f", answer if finite else math.copysign(math.inf, answer)),))
    if isinstance(answer, list | tuple):
        return [with_single_floats(element) for element in answer]
    if isinstance(answer, Mapping):
        return {key: value if key in DOUBLES else with_single_floats(value) for key, value in answer.items()}
    return answer
