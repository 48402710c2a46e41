"""Videos in memory at the network's size, and the seeded draw of training clips from them.

A clip is `clip_length` consecutive frames of one segment. A step of one clip is a homogeneous batch, of several clips a
mixed one. Which clips step k sees, and how they are augmented, is a function of (seed, k) alone: every TCA depth of a
seed sees the same frames in the same order, and a resumed run needs no memory of the draw.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from airsim_seg.benchmark import augmentation
from airsim_seg.errors import DataError, MissingData, UsageError
from airsim_seg.taxonomy import IGNORE
from airsim_seg.types import BoolArray, Float64Array, Int64Array, UInt8Array
from airsim_seg.videos import VideoReader


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """One video at the network's input size, in memory.

    Attributes:
        name: for messages and reports.
        images: uint8 [T,h,w,3], RGB.
        labels: uint8 [T,h,w], class index, 255 = ignore.
        segment_start: bool [T], True at the first frame and after every gap in time.
    """

    name: str
    images: UInt8Array
    labels: UInt8Array
    segment_start: BoolArray

    def __post_init__(self) -> None:
        """Check that the three agree.

        Raises:
            DataError: shapes or types that do not belong together.
        """
        fits = (
            self.images.dtype == np.uint8
            and self.labels.dtype == np.uint8
            and self.labels.ndim == 3
            and self.images.shape == (*self.labels.shape, 3)
            and self.segment_start.shape == self.labels.shape[:1]
        )
        if not fits:
            raise DataError(
                f"video {self.name}: images {self.images.dtype} {self.images.shape}, labels {self.labels.dtype} "
                f"{self.labels.shape} and segment_start {self.segment_start.shape} do not belong together."
            )

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Batch:
    """Frames of one or more clips after each other, ready for the network.

    Attributes:
        images: float32 [B,3,h,w], channels last in memory, ImageNet mean and standard deviation taken out.
        labels: int64 [B,h,w], 255 = ignore.
        segment_start: bool [B], True at the first frame of every clip.
    """

    images: Tensor
    labels: Tensor
    segment_start: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        return Batch(self.images.to(device), self.labels.to(device), self.segment_start.to(device))


def load_frames(path: Path, input_hw: tuple[int, int]) -> LabelledFrames:
    """Read a labelled video and bring it to the network's input size.

    Args:
        path: a video file as airsim-seg remap writes it.
        input_hw: (height, width) in pixels.

    Returns:
        RGB resized by area (linearly where it grows), labels by the pixel under each new pixel's centre.

    Raises:
        CorruptFile, MissingData: from the reader.
    """
    height, width = input_hw
    with VideoReader(path) as video:
        images = np.empty((video.num_frames, height, width, 3), np.uint8)
        labels = np.empty((video.num_frames, height, width), np.uint8)
        for i in range(video.num_frames):
            images[i] = resize_rgb(video.rgb(i), input_hw)
            labels[i] = resize_labels(video.labels(i), input_hw)
        return LabelledFrames(path.stem, images, labels, np.array(video.segment_start, np.bool_))


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


def to_batch(images: UInt8Array, labels: UInt8Array, segment_start: BoolArray) -> Batch:
    """Make a batch without augmentation, as scoring wants it, from [T,h,w,3], [T,h,w] and [T]."""
    normalised = augmentation.normalise(images)
    return Batch(
        torch.from_numpy(normalised).permute(0, 3, 1, 2),
        torch.from_numpy(labels.astype(np.int64)),
        torch.from_numpy(np.array(segment_start, np.bool_)),
    )


class ClipSampler:
    """Draws the clips of each training step.

    Every place where a clip fits is equally likely, but the clips of one step come from different videos as long as
    there are enough of them.

    Args:
        videos: training videos, all of one size.
        clip_length: frames in a clip.
        clips_per_step: clips in a step.
        seed: equal seeds give equal clips and augmentation.
        augment: mirror and zoom, the same way for all frames of a clip.
        recolour: change colours too, where clips are augmented.
        crop_hw: (height, width) of the window of each clip that is trained on; None: the whole picture.

    Raises:
        UsageError: a number that is not positive, or a clip longer than every segment.
        MissingData: no videos.
        DataError: videos of different sizes.
    """

    def __init__(
        self,
        videos: Sequence[LabelledFrames],
        *,
        clip_length: int,
        clips_per_step: int,
        seed: int,
        augment: bool,
        recolour: bool = True,
        crop_hw: tuple[int, int] | None = None,
    ) -> None:
        if not videos:
            raise MissingData("There are no videos to train on: collect and remap some, or give another --videos.")
        if clip_length < 1 or clips_per_step < 1 or seed < 0:
            raise UsageError(
                f"clip_length ({clip_length}) and clips_per_step ({clips_per_step}) must be at least 1, "
                f"seed ({seed}) at least 0."
            )
        sizes = {video.labels.shape[1:] for video in videos}
        if len(sizes) > 1:
            raise DataError(f"Training videos have different sizes ({sorted(sizes)}): load them at one input size.")
        self.videos = tuple(videos)
        self.clip_length = clip_length
        self.clips_per_step = clips_per_step
        self.seed = seed
        self.augment = augment
        self.recolour = recolour
        self.crop_hw = crop_hw
        height, width = videos[0].labels.shape[1:]
        self._share = 1.0 if crop_hw is None else min(1.0, max(crop_hw[0] / height, crop_hw[1] / width))
        self._starts = [clip_starts(video.segment_start, clip_length) for video in videos]
        if not any(len(starts) for starts in self._starts):
            longest = max(_longest_segment(video.segment_start) for video in videos)
            raise UsageError(
                f"No training video has {clip_length} frames without a gap (the longest run has {longest}): "
                "lower clip_length, or record longer videos."
            )

    def sample(self, step: int) -> Batch:
        """Draw step's clips: B = clips_per_step x clip_length frames, a segment start at each clip's first."""
        rng = np.random.default_rng((self.seed, step))
        clips = [self._clip(video, rng) for video in self._choose_videos(rng)]
        first_of_clip = np.arange(self.clips_per_step * self.clip_length) % self.clip_length == 0
        return Batch(
            torch.from_numpy(np.concatenate([images for images, _ in clips])).permute(0, 3, 1, 2),
            torch.from_numpy(np.concatenate([labels for _, labels in clips])).long(),
            torch.from_numpy(first_of_clip),
        )

    def _choose_videos(self, rng: np.random.Generator) -> Int64Array:
        places = np.array([len(starts) for starts in self._starts], np.float64)
        enough = np.count_nonzero(places) >= self.clips_per_step
        return rng.choice(len(places), self.clips_per_step, replace=not enough, p=places / places.sum())

    def _clip(self, video: int, rng: np.random.Generator) -> tuple[np.ndarray, UInt8Array]:
        start = int(rng.choice(self._starts[video]))
        chosen = slice(start, start + self.clip_length)
        images, labels = self.videos[video].images[chosen], self.videos[video].labels[chosen]
        if not self.augment and self._share == 1.0:
            return augmentation.normalise(images), labels
        if self.augment:
            change = augmentation.draw(rng, share=self._share, recolour=self.recolour)
        else:
            change = augmentation.draw_window(rng, self._share)
        images, labels = augmentation.reframe(images, labels, change, self.crop_hw)
        return augmentation.normalise(images, change), labels

    def fingerprint(self) -> str:
        """Return what the draw depends on, as a short text: the videos' names, lengths and labels, and the settings."""
        digest = hashlib.sha256()
        for video in self.videos:
            digest.update(f"{video.name} {video.labels.shape}".encode())
            digest.update(np.ascontiguousarray(video.labels).data)
        return (
            f"{len(self.videos)} videos {digest.hexdigest()[:16]}, {self.clips_per_step} x {self.clip_length} frames, "
            f"seed {self.seed}, augment {self.augment}, recolour {self.recolour}, window {self.crop_hw}"
        )

    def class_shares(self, num_classes: int) -> Float64Array:
        """Return each class's share of the labelled training pixels: float64 [num_classes], sums to 1.

        Raises:
            DataError: a label that is no class, or no labelled pixel at all.
        """
        counts = sum(np.bincount(video.labels.ravel(), minlength=256) for video in self.videos)
        counts = np.asarray(counts, np.float64)
        counts[IGNORE] = 0
        unknown = np.flatnonzero(counts[num_classes:]) + num_classes
        if len(unknown):
            raise DataError(
                f"Training labels hold the value {unknown[0]}, but there are {num_classes} classes (and 255 = ignore): "
                "remap the recordings again."
            )
        if counts.sum() == 0:
            raise DataError("All training pixels are marked 255 (ignore): check the label map, then remap again.")
        shares: Float64Array = counts[:num_classes] / counts.sum()
        return shares


def clip_starts(segment_start: BoolArray, clip_length: int) -> Int64Array:
    """Find the frames at which a clip of that length stays inside its segment: int64 indices, ascending."""
    segment = np.cumsum(segment_start)
    last = len(segment) - clip_length
    if last < 0:
        return np.zeros(0, np.int64)
    return np.flatnonzero(segment[: last + 1] == segment[clip_length - 1 :])


def _longest_segment(segment_start: BoolArray) -> int:
    return int(np.bincount(np.cumsum(segment_start)).max(initial=0))
