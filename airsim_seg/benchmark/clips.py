"""Videos in memory at the network's size, and the seeded draw of training clips from them.

A clip is `clip_length` consecutive frames of one segment. A step of one clip is a homogeneous batch, of several clips a
mixed one. Which clips step k sees, and how they are augmented, is a function of (seed, k) alone: every TCA depth of a
seed sees the same frames in the same order, and a resumed run needs no memory of the draw.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from airsim_seg.benchmark import augmentation
from airsim_seg.benchmark.motion import MotionSource
from airsim_seg.benchmark.resizing import resize_labels, resize_rgb
from airsim_seg.errors import DataError, MissingData, UsageError
from airsim_seg.taxonomy import IGNORE
from airsim_seg.types import BoolArray, Float16Array, Float32Array, Float64Array, Int64Array, UInt8Array
from airsim_seg.videos import VideoReader

FAR_PIXELS = 30_000.0  # motion is kept in half precision, which ends at 65 504


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """One video at the network's input size, in memory.

    Attributes:
        name: for messages and reports.
        images: uint8 [T,h,w,3], RGB.
        labels: uint8 [T,h,w], class index, 255 = ignore.
        segment_start: bool [T], True at the first frame and after every gap in time.
        motion: float16 [T,2,h,w], pixels from each frame to the one before it, NaN = unknown; None where no memory of
            the experiment is warped.
    """

    name: str
    images: UInt8Array
    labels: UInt8Array
    segment_start: BoolArray
    motion: Float16Array | None = None

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
            and (self.motion is None or self.motion.shape == (len(self.labels), 2, *self.labels.shape[1:]))
        )
        if not fits:
            raise DataError(
                f"video {self.name}: images {self.images.dtype} {self.images.shape}, labels {self.labels.dtype} "
                f"{self.labels.shape}, segment_start {self.segment_start.shape} and motion "
                f"{None if self.motion is None else self.motion.shape} do not belong together."
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
        motion: float32 [B,2,h,w], pixels from each frame to the one before it, NaN = unknown; None: not asked for.
    """

    images: Tensor
    labels: Tensor
    segment_start: Tensor
    motion: Tensor | None = None

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        motion = None if self.motion is None else self.motion.to(device)
        return Batch(self.images.to(device), self.labels.to(device), self.segment_start.to(device), motion)


def load_frames(path: Path, input_hw: tuple[int, int], motion: MotionSource | None = None) -> LabelledFrames:
    """Read a labelled video and bring it to the network's input size.

    Args:
        path: a video file as airsim-seg remap writes it.
        input_hw: (height, width) in pixels.
        motion: where motion comes from, for warped memories.

    Returns:
        RGB resized by area (linearly where it grows), labels by the pixel under each new pixel's centre.

    Raises:
        CorruptFile, MissingData: from the reader.
        DataError: the video lacks what the source of motion needs.
    """
    height, width = input_hw
    with VideoReader(path) as video:
        moved = None if motion is None else np.empty((video.num_frames, 2, height, width), np.float16)
        images = np.empty((video.num_frames, height, width, 3), np.uint8)
        labels = np.empty((video.num_frames, height, width), np.uint8)
        for i in range(video.num_frames):
            images[i] = resize_rgb(video.rgb(i), input_hw)
            labels[i] = resize_labels(video.labels(i), input_hw)
            if moved is not None and motion is not None:
                moved[i] = motion(video, i, input_hw).clip(-FAR_PIXELS, FAR_PIXELS)
        return LabelledFrames(path.stem, images, labels, np.array(video.segment_start, np.bool_), moved)


def to_batch(video: LabelledFrames, chosen: slice) -> Batch:
    """Make a batch of some frames without augmentation, as scoring wants it."""
    normalised = augmentation.normalise(video.images[chosen])
    return Batch(
        torch.from_numpy(normalised).permute(0, 3, 1, 2),
        torch.from_numpy(video.labels[chosen].astype(np.int64)),
        torch.from_numpy(np.array(video.segment_start[chosen], np.bool_)),
        None if video.motion is None else torch.from_numpy(video.motion[chosen].astype(np.float32)),
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
        motions = [motion for _, _, motion in clips if motion is not None]
        return Batch(
            torch.from_numpy(np.concatenate([images for images, _, _ in clips])).permute(0, 3, 1, 2),
            torch.from_numpy(np.concatenate([labels for _, labels, _ in clips])).long(),
            torch.from_numpy(first_of_clip),
            torch.from_numpy(np.concatenate(motions)) if motions else None,
        )

    def _choose_videos(self, rng: np.random.Generator) -> Int64Array:
        places = np.array([len(starts) for starts in self._starts], np.float64)
        enough = np.count_nonzero(places) >= self.clips_per_step
        return rng.choice(len(places), self.clips_per_step, replace=not enough, p=places / places.sum())

    def _clip(self, video: int, rng: np.random.Generator) -> tuple[Float32Array, UInt8Array, Float32Array | None]:
        """Normalised pictures, labels and motion of one clip."""
        start = int(rng.choice(self._starts[video]))
        chosen = slice(start, start + self.clip_length)
        images, labels = self.videos[video].images[chosen], self.videos[video].labels[chosen]
        stored = self.videos[video].motion
        motion = None if stored is None else stored[chosen].astype(np.float32)
        if not self.augment and self._share == 1.0:
            return augmentation.normalise(images), labels, motion
        if self.augment:
            change = augmentation.draw(rng, share=self._share, recolour=self.recolour)
        else:
            change = augmentation.draw_window(rng, self._share)
        images, labels = augmentation.reframe(images, labels, change, self.crop_hw)
        if motion is not None:
            motion = augmentation.reframe_motion(motion, change, self.crop_hw)
        return augmentation.normalise(images, change), labels, motion

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
