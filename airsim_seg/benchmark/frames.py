"""Labelled videos at the network's input size: whole in memory, or read from their files as they are asked for.

Both give the same bytes, so that nothing but speed and memory depends on the choice.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from airsim_seg.benchmark.motion import MotionSource
from airsim_seg.benchmark.resizing import resize_labels, resize_rgb
from airsim_seg.errors import DataError
from airsim_seg.types import BoolArray, Float16Array, Int64Array, UInt8Array
from airsim_seg.videos import VideoReader

SURVEY_FRAMES = 256  # labels in memory at a time
FAR_PIXELS = 30_000.0  # motion is kept in half precision, which ends at 65 504


class FrameArrays(NamedTuple):
    """Consecutive frames of one video.

    Attributes:
        images: uint8 [T,h,w,3], RGB.
        labels: uint8 [T,h,w], class index, 255 = ignore.
        motion: float16 [T,2,h,w], pixels from each frame to the one before it, NaN = unknown; None where no memory of
            the experiment is warped.
    """

    images: UInt8Array
    labels: UInt8Array
    motion: Float16Array | None


class LabelSurvey(NamedTuple):
    """What the labels of a video come to.

    Attributes:
        counts: int64 [256], pixels of each value.
        digest: SHA-256 of their shape and values, hexadecimal.
    """

    counts: Int64Array
    digest: str


class FrameSource(Protocol):
    """One labelled video at the network's input size.

    Attributes:
        name: for messages and reports.
    """

    @property
    def name(self) -> str: ...
    @property
    def segment_start(self) -> BoolArray:
        """bool [T], True at the first frame and after every gap in time."""

    @property
    def input_hw(self) -> tuple[int, int]:
        """(h, w), pixels."""

    def read(self, chosen: slice, /) -> FrameArrays:
        """Some of the frames."""

    def read_labels(self, chosen: slice, /) -> UInt8Array:
        """The labels of some frames alone, uint8 [T,h,w]."""

    @property
    def label_survey(self) -> LabelSurvey:
        """Of all labels; found when it is first asked for."""


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """A video in memory; see FrameSource and FrameArrays.

    Raises:
        DataError: shapes or types that do not belong together.
    """

    name: str
    images: UInt8Array
    labels: UInt8Array
    segment_start: BoolArray
    motion: Float16Array | None = None

    def __post_init__(self) -> None:
        """Check that all of them agree."""
        fits = (
            self.images.dtype == np.uint8
            and self.labels.dtype == np.uint8
            and self.labels.ndim == 3
            and self.images.shape == (*self.labels.shape, 3)
            and self.segment_start.shape == self.labels.shape[:1]
            and (self.motion is None or self.motion.shape == (len(self.labels), 2, *self.labels.shape[1:]))
        )
        if not fits:
            raise DataError(
                f"video {self.name}: images {self.images.dtype} {self.images.shape}, labels {self.labels.dtype} "
                f"{self.labels.shape}, segment_start {self.segment_start.shape} and motion "
                f"{None if self.motion is None else self.motion.shape} do not belong together."
            )

    @property
    def input_hw(self) -> tuple[int, int]:
        """See FrameSource."""
        return self.labels.shape[1], self.labels.shape[2]

    def read(self, chosen: slice) -> FrameArrays:
        """See FrameSource; views, not copies."""
        return FrameArrays(
            self.images[chosen], self.labels[chosen], None if self.motion is None else self.motion[chosen]
        )

    def read_labels(self, chosen: slice) -> UInt8Array:
        """See FrameSource."""
        return self.labels[chosen]

    @cached_property
    def label_survey(self) -> LabelSurvey:
        """See FrameSource."""
        return survey_labels(self)


@dataclass(frozen=True, eq=False)
class VideoFrames:
    """A video in its file; see FrameSource.

    Only where its segments start is kept. The file is opened for each read and closed again (a millisecond, less than
    one frame takes to decode): any number of videos can be had at a time, in any process.

    Args:
        name: for messages and reports.
        path: a video file as airsim-seg remap writes it.
        input_hw: (h, w) that frames are brought to: RGB by area (linearly where it grows), labels by the pixel under
            each new pixel's centre.
        motion_source: where motion comes from, for warped memories.

    Raises:
        CorruptFile, MissingData: from the reader, here and at each read.
        DataError: at a read: the video lacks what the source of motion needs.
    """

    name: str
    path: Path
    input_hw: tuple[int, int]
    motion_source: MotionSource | None = None
    segment_start: BoolArray = field(init=False)

    def __post_init__(self) -> None:
        """Read where segments start."""
        with VideoReader(self.path) as video:
            object.__setattr__(self, "segment_start", np.array(video.segment_start, np.bool_))

    @property
    def num_bytes(self) -> int:
        """What it takes in memory when it is loaded."""
        values = 3 + 1 + (0 if self.motion_source is None else 2 * np.dtype(np.float16).itemsize)
        return len(self.segment_start) * self.input_hw[0] * self.input_hw[1] * values

    def read(self, chosen: slice) -> FrameArrays:
        """See FrameSource."""
        indices = range(*chosen.indices(len(self.segment_start)))
        height, width = self.input_hw
        images = np.empty((len(indices), height, width, 3), np.uint8)
        labels = np.empty((len(indices), height, width), np.uint8)
        motion = None if self.motion_source is None else np.empty((len(indices), 2, height, width), np.float16)
        with VideoReader(self.path) as video:
            for row, index in enumerate(indices):
                images[row] = resize_rgb(video.rgb(index), self.input_hw)
                labels[row] = resize_labels(video.labels(index), self.input_hw)
                if motion is not None and self.motion_source is not None:
                    motion[row] = self.motion_source(video, index, self.input_hw).clip(-FAR_PIXELS, FAR_PIXELS)
        return FrameArrays(images, labels, motion)

    def read_labels(self, chosen: slice) -> UInt8Array:
        """See FrameSource."""
        indices = range(*chosen.indices(len(self.segment_start)))
        with VideoReader(self.path) as video:
            labels = [resize_labels(video.labels(index), self.input_hw) for index in indices]
        return np.stack(labels) if labels else np.zeros((0, *self.input_hw), np.uint8)

    @cached_property
    def label_survey(self) -> LabelSurvey:
        """See FrameSource; reads the file through, about a thousand frames a second."""
        return survey_labels(self)

    def load(self) -> LabelledFrames:
        """Read it whole: afterwards the file is not needed."""
        images, labels, motion = self.read(slice(None))
        return LabelledFrames(self.name, images, labels, self.segment_start, motion)


def survey_labels(video: FrameSource) -> LabelSurvey:
    """Count and hash the labels of a video, without all of them in memory at a time."""
    num_frames = len(video.segment_start)
    counts, digest = np.zeros(256, np.int64), hashlib.sha256(str((num_frames, *video.input_hw)).encode())
    for first in range(0, num_frames, SURVEY_FRAMES):
        labels = np.ascontiguousarray(video.read_labels(slice(first, first + SURVEY_FRAMES)))
        counts += np.bincount(labels.ravel(), minlength=256)
        digest.update(labels.data)
    return LabelSurvey(counts, digest.hexdigest())
