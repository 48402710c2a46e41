"""What is drawn into, for one size of picture, and how it comes back."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from airsim_seg.builtin.scene import Picture

NOTHING = -1.0  # in `seen`, see seen.frag.glsl


class Targets:
    """Textures of one size. Call with the context current.

    Attributes:
        seen: float32 [H*S,W*S], the triangle of every sample.
        samples: the framebuffer of `seen` and its depth.
        picture: the framebuffer of what comes back.
    """

    def __init__(self, context: Any, size_hw: tuple[int, int], samples: int) -> None:
        """Take memory for pictures of size_hw with that many samples a side of a pixel."""
        self._size_hw = height, width = size_hw
        fine = (width * samples, height * samples)
        self.seen = context.texture(fine, 1, dtype="f4")
        self._depth = context.depth_renderbuffer(fine)
        self.samples = context.framebuffer([self.seen], self._depth)
        self._rgb = context.texture((width, height), 4, dtype="u1")
        self._object = context.texture((width, height), 1, dtype="i4")
        self._depth_m = context.texture((width, height), 1, dtype="f4")
        self._normal = context.texture((width, height), 4, dtype="f4")
        self.picture = context.framebuffer([self._rgb, self._object, self._depth_m, self._normal])

    def begin(self) -> None:
        """Make `samples` what is drawn into, empty."""
        self.samples.use()
        self.samples.clear(red=NOTHING, depth=1.0)

    def read(self, normals: bool) -> Picture:
        """Wait for the device and fetch the picture."""
        height, width = self._size_hw
        rgba = np.empty((height, width, 4), np.uint8)
        picture = Picture(
            np.empty((height, width, 3), np.uint8),
            np.empty((height, width), np.int32),
            np.empty((height, width), np.float32),
            np.empty((height, width, 3), np.float32) if normals else None,
        )
        self._rgb.read_into(rgba)
        cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB, dst=picture.rgb)  # numpy's copy of three bytes in four takes 3 ms
        self._object.read_into(picture.object_index)
        self._depth_m.read_into(picture.depth_m)
        if picture.normals is not None:
            padded = np.empty((height, width, 4), np.float32)
            self._normal.read_into(padded)
            picture.normals[:] = padded[..., :3]
            picture = replace(picture, sways=padded[..., 3].astype(np.uint8))
        return picture

    def release(self) -> None:
        """Give the memory back."""
        held = (self.samples, self.picture, self.seen, self._depth, self._rgb, self._object, self._depth_m)
        for target in (*held, self._normal):
            target.release()
