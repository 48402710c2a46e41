"""The seeded draw of training clips from videos.

A clip is `clip_length` consecutive frames of one segment. A step of one clip is a homogeneous batch, of several clips a
mixed one. Which clips step k sees, and how they are augmented, is a function of (seed, k) alone: every TCA depth of a
seed sees the same frames in the same order, and a resumed run needs no memory of the draw.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from airsim_seg.benchmark import augmentation
from airsim_seg.benchmark.frames import FrameSource
from airsim_seg.errors import DataError, MissingData, UsageError
from airsim_seg.taxonomy import IGNORE
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array


class Share(NamedTuple):
    """Which part of a step's clips: number `part` of `parts` equal ones."""

    part: int
    parts: int


WHOLE = Share(0, 1)


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
        """Return the batch on a device; from pinned memory the copy goes on while the program does."""
        images, labels, starts = (
            t.to(device, non_blocking=True) for t in (self.images, self.labels, self.segment_start)
        )
        return Batch(images, labels, starts, None if self.motion is None else self.motion.to(device, non_blocking=True))

    def pin_memory(self) -> "Batch":
        """Return the batch in memory that a GPU can read by itself; torch's DataLoader calls this."""
        motion = None if self.motion is None else self.motion.pin_memory()
        return Batch(self.images.pin_memory(), self.labels.pin_memory(), self.segment_start.pin_memory(), motion)


def to_batch(video: FrameSource, chosen: slice) -> Batch:
    """Make a batch of some frames without augmentation, as scoring wants it."""
    images, labels, motion = video.read(chosen)
    return Batch(
        torch.from_numpy(augmentation.normalise(images)).permute(0, 3, 1, 2),
        torch.from_numpy(labels.astype(np.int64)),
        torch.from_numpy(np.array(video.segment_start[chosen], np.bool_)),
        None if motion is None else torch.from_numpy(motion.astype(np.float32)),
    )


@dataclass(frozen=True)
class ClipPlan:
    """Which clip, and how it is changed: everything that is drawn at random.

    Attributes:
        video: index into the sampler's videos.
        start: its first frame.
        change: augmentation and window; None: the clip as it is.
    """

    video: int
    start: int
    change: augmentation.Augmentation | None


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
        videos: Sequence[FrameSource],
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
        sizes = {video.input_hw for video in videos}
        if len(sizes) > 1:
            raise DataError(f"Training videos have different sizes ({sorted(sizes)}): load them at one input size.")
        self.videos = tuple(videos)
        self.clip_length = clip_length
        self.clips_per_step = clips_per_step
        self.seed = seed
        self.augment = augment
        self.recolour = recolour
        self.crop_hw = crop_hw
        height, width = videos[0].input_hw
        self._share_hw = (
            (1.0, 1.0) if crop_hw is None else (min(1.0, crop_hw[0] / height), min(1.0, crop_hw[1] / width))
        )
        self._starts = [clip_starts(video.segment_start, clip_length) for video in videos]
        if not any(len(starts) for starts in self._starts):
            longest = max(_longest_segment(video.segment_start) for video in videos)
            raise UsageError(
                f"No training video has {clip_length} frames without a gap (the longest run has {longest}): "
                "lower clip_length, or record longer videos."
            )

    def plan(self, step: int) -> list[ClipPlan]:
        """Draw the clips of a step, all of them; nothing is read."""
        rng = np.random.default_rng((self.seed, step))
        plans = []
        for video in self._choose_videos(rng):
            start = int(rng.choice(self._starts[video]))
            plans.append(ClipPlan(int(video), start, self._draw_change(rng)))
        return plans

    def sample(self, step: int, share: Share = WHOLE) -> Batch:
        """Read the clips of a step.

        Args:
            step: steps done before.
            share: of which process: it reads its own clips alone.

        Returns:
            B = clips_per_step / share.parts x clip_length frames, a segment start at each clip's first.

        Raises:
            CorruptFile, MissingData, DataError: a video that does not read.
        """
        plans = self.plan(step)
        each = len(plans) // share.parts
        clips = [self._read(plan) for plan in plans[share.part * each : (share.part + 1) * each]]
        first_of_clip = np.arange(len(clips) * self.clip_length) % self.clip_length == 0
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

    def _draw_change(self, rng: np.random.Generator) -> augmentation.Augmentation | None:
        if self.augment:
            return augmentation.draw(rng, share_hw=self._share_hw, recolour=self.recolour)
        return None if self._share_hw == (1.0, 1.0) else augmentation.draw_window(rng, self._share_hw)

    def _read(self, plan: ClipPlan) -> tuple[Float32Array, UInt8Array, Float32Array | None]:
        """Normalised pictures, labels and motion of one clip."""
        images, labels, stored = self.videos[plan.video].read(slice(plan.start, plan.start + self.clip_length))
        motion = None if stored is None else stored.astype(np.float32)
        if plan.change is None:
            return augmentation.normalise(images), labels, motion
        images, labels = augmentation.reframe(images, labels, plan.change, self.crop_hw)
        if motion is not None:
            motion = augmentation.reframe_motion(motion, plan.change, self.crop_hw)
        return augmentation.normalise(images, plan.change), labels, motion

    def fingerprint(self) -> str:
        """Return what the draw depends on, as a short text: the videos' names, lengths and labels, and the settings."""
        surveyed = "".join(f"{video.name} {video.label_survey.digest} " for video in self.videos)
        digest = hashlib.sha256(surveyed.encode()).hexdigest()[:16]
        return (
            f"{len(self.videos)} videos {digest}, {self.clips_per_step} x {self.clip_length} "
            f"frames, seed {self.seed}, augment {self.augment}, recolour {self.recolour}, window {self.crop_hw}"
        )

    def class_shares(self, num_classes: int) -> Float64Array:
        """Return each class's share of the labelled training pixels: float64 [num_classes], sums to 1.

        Raises:
            DataError: a label that is no class, or no labelled pixel at all.
        """
        counts = np.sum([video.label_survey.counts for video in self.videos], axis=0).astype(np.float64)
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
