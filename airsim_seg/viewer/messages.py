"""What goes to the page: JSON texts, and binary messages of a JSON head and its parts.

A binary message is the head's length as a little-endian uint32, the head, and its parts one after another; the head's
"parts" lists their lengths. Pictures are JPEG, ids are the bytes of the picture's rows, deflated: exact, and no browser
setting that blurs canvases can change them.
"""

import json
import struct
import zlib
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from airsim_seg.types import UInt8Array

FRAME = "frame"  # the kind of message that waits for its turn (audience.py)
JPEG_QUALITY = 85
# Level 1: within a fifth of the size of level 6 on id pictures, at a third of the time.
_DEFLATE_LEVEL = 1


def text(kind: str, /, **fields: object) -> str:
    """A JSON message; NaN and infinity have no JSON and are refused."""
    return json.dumps({"type": kind, **fields}, allow_nan=False)


def binary(kind: str, parts: Sequence[bytes], /, **fields: object) -> bytes:
    """A message with pictures."""
    head: Mapping[str, object] = {"type": kind, "parts": [len(part) for part in parts], **fields}
    encoded = json.dumps(head, allow_nan=False).encode()
    return b"".join([struct.pack("<I", len(encoded)), encoded, *parts])


def jpeg(rgb: UInt8Array) -> bytes:
    """A JPEG of uint8 [H,W,3], RGB."""
    options = (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    assert done, "cv2 encodes any uint8 picture"
    return bytes(data.tobytes())


def deflated(raw_ids: UInt8Array) -> bytes:
    """uint8 [H,W] as a zlib stream of its rows."""
    return zlib.compress(np.ascontiguousarray(raw_ids).tobytes(), _DEFLATE_LEVEL)
