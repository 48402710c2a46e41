"""Two predictors that know nothing of shape or time. A network that does not beat them has learnt nothing.

* majority: the commonest class of the training videos, everywhere.
* colour: the commonest class of each of 16 x 16 x 16 colour cells, pixel by pixel.
"""

import numpy as np
import numpy.typing as npt

from airsim_seg.benchmark.scoring import LabelledVideo
from airsim_seg.taxonomy import IGNORE
from airsim_seg.types import Float32Array, Int64Array, UInt8Array

LEVELS = 16  # a colour axis; 16 keeps 4096 cells, each seen by thousands of training pixels
_SHIFT = 4  # 256 / 16 = 2 ** 4


class ColourCounts:
    """How often each class has each quantised colour: all that both baselines learn from.

    Args:
        num_classes: C.
    """

    def __init__(self, num_classes: int) -> None:
        self.counts: Int64Array = np.zeros((LEVELS**3, num_classes), np.int64)

    def add(self, rgb: UInt8Array, labels: UInt8Array) -> None:
        """Count one frame.

        Args:
            rgb: uint8 [H,W,3].
            labels: uint8 [H,W], 255 = ignore.
        """
        num_classes = self.counts.shape[1]
        valid = labels != IGNORE
        index = colour_cell(rgb)[valid].astype(np.int64) * num_classes + labels[valid]
        self.counts += np.bincount(index, minlength=self.counts.size).reshape(self.counts.shape)

    def majority(self) -> int:
        """The commonest class; 0 where nothing was counted."""
        return int(self.counts.sum(0).argmax())

    def lookup(self) -> UInt8Array:
        """uint8 [4096], the commonest class of each colour cell; the majority class where a cell was never seen."""
        best: UInt8Array = self.counts.argmax(1).astype(np.uint8)
        best[self.counts.sum(1) == 0] = self.majority()
        return best


def colour_cell(rgb: UInt8Array) -> npt.NDArray[np.uint16]:
    """Index 0..4095 of each pixel's colour cell, [H,W]: the high four bits of red, green and blue."""
    high = (rgb >> _SHIFT).astype(np.uint16)
    return (high[..., 0] << 8 | high[..., 1] << 4 | high[..., 2]).astype(np.uint16, copy=False)


def add_video(counts: ColourCounts, video: LabelledVideo, every: int) -> None:
    """Count one training video.

    Args:
        counts: added to.
        video: an open reader.
        every: take every k-th frame; neighbours look alike.
    """
    for index in range(0, video.num_frames, every):
        counts.add(video.rgb(index), video.labels(index))


class ColourPredictor:
    """Per-pixel lookup; with a constant table it is the majority baseline. See scoring.Predictor.

    Args:
        lookup: uint8 [4096], class of each colour cell.
    """

    def __init__(self, lookup: UInt8Array) -> None:
        self.lookup = lookup
        self._rgb: UInt8Array = np.zeros((0, 0, 3), np.uint8)

    def observe(self, rgb: UInt8Array, segment_start: bool, motion: Float32Array | None = None) -> None:  # noqa: ARG002
        """Remember the frame; the past does not matter."""
        self._rgb = rgb

    def labels(self) -> UInt8Array:
        """Look every pixel up."""
        return self.lookup[colour_cell(self._rgb)]


def baseline_predictors(counts: ColourCounts) -> dict[str, ColourPredictor]:
    """The baselines by the name that results.csv gives them."""
    return {
        "majority": ColourPredictor(np.full(LEVELS**3, counts.majority(), np.uint8)),
        "colour": ColourPredictor(counts.lookup()),
    }
