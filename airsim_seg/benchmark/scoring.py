"""Scores whole videos frame by frame, as a robot would see them: batch 1, memory explicit, emptied at every cut.

The network works at its input size; its logits are upsampled bilinearly to the video's own size and the truth is never
resampled, so that thin classes count as they are.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark import augmentation, metrics
from airsim_seg.benchmark.motion import MovingVideo
from airsim_seg.benchmark.resizing import resize_rgb
from airsim_seg.errors import CorruptFile
from airsim_seg.types import Float32Array, Float64Array, Int64Array, UInt8Array

Prepare = Callable[[UInt8Array], Tensor]


def prepare_frame(rgb: UInt8Array, input_hw: tuple[int, int]) -> Tensor:
    """A picture uint8 [H,W,3] as the network saw pictures in training: float32 [1,3,h,w], normalised."""
    normalised = augmentation.normalise(resize_rgb(rgb, input_hw)[None])
    return torch.from_numpy(normalised).permute(0, 3, 1, 2)


class LabelledVideo(MovingVideo, Protocol):
    """What scoring needs of a video; `airsim_seg.videos.VideoReader` is one."""

    @property
    def num_frames(self) -> int: ...
    def labels(self, index: int, /) -> UInt8Array: ...


MotionOf = Callable[[LabelledVideo, int], Float32Array]
"""(video, index) -> float32 [2,h,w], motion at the network's input size, as the motions of training."""


class Predictor(Protocol):
    """Anything that turns a stream of frames into labels: a network, or a baseline."""

    def observe(self, rgb: UInt8Array, segment_start: bool, motion: Float32Array | None = None) -> None:
        """Take in the next frame, uint8 [H,W,3]; segment_start is True where memory must be empty."""

    def labels(self) -> UInt8Array:
        """Classes of the frame observed last, uint8 [H,W]."""


class NetworkPredictor:
    """A network that streams: one frame at a time, its state carried from call to call.

    Args:
        net: `logits, state = net(frames, state, segment_start, motion)`; put into eval mode.
        prepare: rgb uint8 [H,W,3] -> frames float32 [1,3,h,w] at the network's input size, normalised as in training.
    """

    def __init__(self, net: nn.Module, prepare: Prepare) -> None:
        self.net = net.eval()
        self.prepare = prepare
        self.device = next(net.parameters()).device
        self.state: object = None
        self._logits: Tensor | None = None
        self._size_hw = (0, 0)

    @torch.inference_mode()
    def observe(self, rgb: UInt8Array, segment_start: bool, motion: Float32Array | None = None) -> None:
        """Push one frame through the network; see Predictor. Motion is float32 [2,h,w], at the network's input size."""
        frames = self.prepare(rgb).to(self.device)  # [1, 3, h, w]
        start = torch.tensor([segment_start], device=self.device)
        moved = None if motion is None else torch.from_numpy(motion)[None].to(self.device)
        self._logits, self.state = self.net(frames, self.state, start, moved)  # [1, C, h, w]
        self._size_hw = (rgb.shape[0], rgb.shape[1])

    @torch.inference_mode()
    def labels(self) -> UInt8Array:
        """Classes at the size of the frame observed last; see Predictor."""
        if self._logits is None:
            raise ValueError("labels() before the first observe(): there is no frame yet")
        # argmax over 11 planes costs a fifth in channels_last: the classes of a pixel lie side by side.
        logits = self._logits.float().contiguous(memory_format=torch.channels_last)
        if logits.shape[2:] != self._size_hw:
            logits = F.interpolate(logits, size=self._size_hw, mode="bilinear", align_corners=False)  # [1, C, H, W]
        labels: UInt8Array = logits[0].argmax(0).to(torch.uint8).cpu().numpy()
        return labels


@dataclass(frozen=True, eq=False)
class VideoScore:
    """What one predictor did on one video: counts, from which every ratio follows.

    Attributes:
        name: of the video.
        confusion: int64 [C,C], rows are the truth, over all scored frames at full size.
        image_accuracies: float64 [F], pixel accuracy of each scored frame; NaN where a frame is all ignore.
        kept: frame index -> predicted labels uint8 [H,W], for pictures.
    """

    name: str
    confusion: Int64Array
    image_accuracies: Float64Array
    kept: dict[int, UInt8Array]


def score_video(
    video: LabelledVideo,
    predictor: Predictor,
    *,
    name: str,
    num_classes: int,
    memory: int | None = None,
    motion_of: MotionOf | None = None,
    score_every: int = 1,
    keep: Collection[int] = (),
    on_frame: Callable[[], None] | None = None,
) -> VideoScore:
    """Stream a video through a predictor and count.

    Args:
        video: the labelled video.
        predictor: sees the frames in order.
        name: of the video, for the result and for messages.
        num_classes: C.
        memory: how many past frames an answer of the predictor can depend on. Frames that no answer depends on are left
            out, which changes nothing but the time it takes; None leaves none out.
        motion_of: gives each frame's motion, for predictors that need it.
        score_every: compare every k-th frame with the truth (frames 0, k, 2k, ...).
        keep: indices of frames whose labels are kept for pictures; others than scored ones are allowed.
        on_frame: called after each frame, left out or not.

    Returns:
        Counts over the scored frames.

    Raises:
        CorruptFile: a label outside the classes; remap the video again.
    """
    confusion = np.zeros((num_classes, num_classes), np.int64)
    accuracies: list[float] = []
    kept: dict[int, UInt8Array] = {}
    answered = np.array([index % score_every == 0 or index in keep for index in range(video.num_frames)], np.bool_)
    for index in range(video.num_frames):
        if memory is None or answered[index : index + memory + 1].any():
            motion = None if motion_of is None else motion_of(video, index)
            predictor.observe(video.rgb(index), bool(video.segment_start[index]) or index == 0, motion)
        if answered[index]:
            predicted = predictor.labels()
            if index in keep:
                kept[index] = predicted
            if index % score_every == 0:
                counts = _count(video.labels(index), predicted, num_classes, f"{name}, frame {index}")
                confusion += counts
                accuracies.append(metrics.pixel_accuracy(counts))
        if on_frame is not None:
            on_frame()
    return VideoScore(name, confusion, np.array(accuracies, np.float64), kept)


def _count(truth: UInt8Array, predicted: UInt8Array, num_classes: int, where: str) -> Int64Array:
    try:
        return metrics.confusion_matrix(truth, predicted, num_classes)
    except ValueError as error:
        raise CorruptFile(f"{where}: {error}; remap this video again.") from error


@dataclass(frozen=True, eq=False)
class SplitScore:
    """The scores of all videos of one part of the split.

    Attributes:
        videos: in the order of the split.
        score_every: as given to score_video.
    """

    videos: tuple[VideoScore, ...]
    score_every: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the videos."""
        return tuple(video.name for video in self.videos)

    @property
    def confusions(self) -> Int64Array:
        """int64 [V,C,C], one matrix a video."""
        return np.stack([video.confusion for video in self.videos])

    @property
    def image_accuracies(self) -> Float64Array:
        """float64 [F], of all scored frames."""
        return np.concatenate([video.image_accuracies for video in self.videos])

    def save(self, path: Path) -> None:
        """Write everything to one .npz file (plain arrays, no pickles)."""
        kept = [(video.name, index) for video in self.videos for index in sorted(video.kept)]
        arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
            "video": np.array(self.names),
            "confusion": self.confusions,
            "num_frames": np.array([len(video.image_accuracies) for video in self.videos], np.int64),
            "image_accuracy": self.image_accuracies,
            "score_every": np.array(self.score_every, np.int64),
            "kept_video": np.array([name for name, _ in kept], np.str_),
            "kept_frame": np.array([index for _, index in kept], np.int64),
        }
        pictures = (video.kept[index] for video in self.videos for index in sorted(video.kept))
        arrays |= {f"kept_labels_{position}": picture for position, picture in enumerate(pictures)}
        temporary = path.with_name(path.name + ".part.npz")
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
        temporary.replace(path)

    @staticmethod
    def load(path: Path) -> "SplitScore":
        """Read what `save` wrote.

        Raises:
            CorruptFile: not such a file; delete the cell's folder and run again.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                ends = np.cumsum(arrays["num_frames"])[:-1]
                accuracies = np.split(arrays["image_accuracy"], ends)
                kept: dict[str, dict[int, UInt8Array]] = {str(name): {} for name in arrays["video"]}
                for position, (name, index) in enumerate(zip(arrays["kept_video"], arrays["kept_frame"], strict=True)):
                    kept[str(name)][int(index)] = arrays[f"kept_labels_{position}"]
                rows = zip(arrays["video"], arrays["confusion"], accuracies, strict=True)
                videos = [VideoScore(str(name), matrix, values, kept[str(name)]) for name, matrix, values in rows]
                return SplitScore(tuple(videos), int(arrays["score_every"]))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise CorruptFile(
                f"{path} does not read as scores ({error}); delete the folder {path.parents[1]} and run again."
            ) from error


def score_videos(
    videos: Iterator[tuple[str, AbstractContextManager[LabelledVideo]]],
    predictor: Predictor,
    *,
    num_classes: int,
    memory: int | None = None,
    motion_of: MotionOf | None = None,
    score_every: int = 1,
    keep: Mapping[str, Collection[int]] | None = None,
    on_frame: Callable[[], None] | None = None,
) -> SplitScore:
    """Score one part of a split, a video at a time, each opened and closed again.

    Args:
        videos: name and unopened reader of each.
        predictor: its memory is emptied at each video's first frame.
        num_classes: C.
        memory: see score_video.
        motion_of: see score_video.
        score_every: see score_video.
        keep: video name -> frames to keep for pictures.
        on_frame: called after each frame.
    """
    scores = []
    for name, reader in videos:
        with reader as video:
            score = score_video(
                video,
                predictor,
                name=name,
                num_classes=num_classes,
                memory=memory,
                motion_of=motion_of,
                score_every=score_every,
                keep=(keep or {}).get(name, ()),
                on_frame=on_frame,
            )
        scores.append(score)
    return SplitScore(tuple(scores), score_every)
