"""Pictures and labels at another size, before and after the network."""

import cv2
import numpy as np

from airsim_seg.types import UInt8Array


def resize_rgb(rgb: UInt8Array, input_hw: tuple[int, int]) -> UInt8Array:
    """Resize uint8 [H,W,3] to (h, w): mean over areas where it shrinks, linear where it grows."""
    if rgb.shape[:2] == input_hw:
        return rgb
    shrinks = input_hw[0] <= rgb.shape[0] and input_hw[1] <= rgb.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, input_hw[::-1], interpolation=how), np.uint8)


def resize_labels(labels: UInt8Array, input_hw: tuple[int, int]) -> UInt8Array:
    """Resize uint8 [H,W] to (h, w): the label of the pixel that holds each new pixel's centre."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp) for new, old in zip(input_hw, labels.shape, strict=True)
    )
    chosen: UInt8Array = labels[rows[:, None], columns]
    return chosen
