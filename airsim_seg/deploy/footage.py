"""Real frames for exports: videos chosen, and their frames as the network sees them, one after the other."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from airsim_seg.benchmark.motion import SOURCES
from airsim_seg.benchmark.scoring import prepare_frame
from airsim_seg.deploy.trained import TrainedNetwork
from airsim_seg.inventory import find_videos
from airsim_seg.types import Float32Array
from airsim_seg.videos import VideoReader

CALIBRATION_VIDEOS = 8
CALIBRATION_FRAMES = 8  # of each, in memory at once: 64 frames of 640x480 are 240 MB
CHECK_VIDEOS = 2
CHECK_FRAMES = 30  # of each, after those that fill the memory


class Frame(NamedTuple):
    """One frame of a video, ready for the network.

    Attributes:
        frame: float32 [1,3,h,w], normalised.
        motion: float32 [1,2,h,w], pixels to the frame before, NaN = unknown; None where the memory does not move.
        segment_start: whether the memory must be empty.
    """

    frame: Float32Array
    motion: Float32Array | None
    segment_start: bool


class Footage(NamedTuple):
    """Which videos are for what.

    Attributes:
        calibration: int8's ranges come from these: videos that the network learnt from, where they are there.
        check: labels are compared on these: videos that it was tested on, where they are there.
    """

    calibration: tuple[Path, ...]
    check: tuple[Path, ...]


def choose_footage(folder: Path, trained: TrainedNetwork) -> Footage:
    """Choose among the videos below a folder.

    Raises:
        MissingData, CorruptFile: see find_videos.
    """
    found = find_videos(folder)
    split = trained.experiment.split
    learnt = [path for path in found if _is_in(path, split.train)]
    tested = [path for path in found if _is_in(path, split.test)]
    check = _spread(tested or [path for path in found if path not in learnt] or found, CHECK_VIDEOS)
    others = learnt or [path for path in found if path not in check] or found
    return Footage(_spread(others, CALIBRATION_VIDEOS), check)


def stream(path: Path, trained: TrainedNetwork, input_hw: tuple[int, int], limit: int) -> Iterator[Frame]:
    """Read the first frames of a video.

    Args:
        path: of the video.
        trained: says whether motion is wanted, and where from.
        input_hw: (height, width) that frames are brought to.
        limit: number of frames; a shorter video gives what it has.

    Raises:
        CorruptFile: the video does not read.
        DataError: motion from poses is wanted, and the video has none.
    """
    source = SOURCES[trained.experiment.network.motion] if trained.cell.needs_motion else None
    with VideoReader(path) as video:
        for index in range(min(limit, video.num_frames)):
            frame = np.asarray(prepare_frame(video.rgb(index), input_hw).numpy(), np.float32)
            motion = None if source is None else source(video, index, input_hw)[None]
            yield Frame(frame, motion, index == 0 or bool(video.segment_start[index]))


def _is_in(path: Path, names: Sequence[str]) -> bool:
    """Whether a video is named in a split, as `stem` or `environment/stem`."""
    return path.stem in names or f"{path.parent.name}/{path.stem}" in names


def _spread(paths: Sequence[Path], count: int) -> tuple[Path, ...]:
    """At most count of the paths, evenly spread over all: neighbours come from one flight."""
    count = min(count, len(paths))
    return tuple(paths[(2 * i + 1) * len(paths) // (2 * count)] for i in range(count))


def count_frames(paths: Sequence[Path], limit: int) -> int:
    """How many frames `stream` gives of all the videos together."""
    total = 0
    for path in paths:
        with VideoReader(path) as video:
            total += min(limit, video.num_frames)
    return total
