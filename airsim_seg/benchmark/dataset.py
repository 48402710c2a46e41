"""The videos of an experiment: found, checked against each other, named and divided."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from airsim_seg.errors import DataError, MissingData
from airsim_seg.inventory import find_videos
from airsim_seg.splits import vehicle_of
from airsim_seg.videos import VideoReader


@dataclass(frozen=True)
class VideoFacts:
    """One labelled video, as far as a report needs to know it.

    Attributes:
        name: the file's stem, or `environment/stem` where two videos share a stem.
        path: of the file.
        environment: where it was recorded.
        num_frames: T.
        size_hw: (height, width) in pixels.
        rate_hz: frames a second; 0 = unknown.
        classes: names, in the order of the labels.
        sha256: of the file.
        label_map: name and hash of the map that made the labels.
    """

    name: str
    path: Path
    environment: str
    num_frames: int
    size_hw: tuple[int, int]
    rate_hz: float
    classes: tuple[str, ...]
    sha256: str
    label_map: str

    @property
    def stratum(self) -> str:
        """What a split balances: environment and vehicle."""
        return f"{self.environment}/{vehicle_of(self.name)}"


def survey_videos(folder: Path, environment: str = "") -> tuple[VideoFacts, ...]:
    """Look at every video below a folder.

    Args:
        folder: as airsim-seg remap writes it.
        environment: take videos of this one alone; "" takes all.

    Returns:
        The videos, ordered by name; all have the same classes.

    Raises:
        MissingData: no folder, or no videos in it; the message has the command that makes them.
        CorruptFile: a file that does not read; the message names it.
        DataError: a video whose classes differ from the others', or that is empty or incomplete.
    """
    paths = find_videos(folder)
    videos = [_facts(path, name) for path, name in zip(paths, _names(paths), strict=True)]
    if environment:
        present = sorted({video.environment for video in videos})
        videos = [video for video in videos if video.environment == environment]
        if not videos:
            raise MissingData(
                f"{folder} holds no video of environment {environment!r}; there is {', '.join(present)}: "
                f"give one of these to --environment."
            )
    _check_classes(videos)
    return tuple(sorted(videos, key=lambda video: video.name))


def _names(paths: Sequence[Path]) -> Iterator[str]:
    shared = Counter(path.stem for path in paths)
    return (path.stem if shared[path.stem] == 1 else f"{path.parent.name}/{path.stem}" for path in paths)


def _facts(path: Path, name: str) -> VideoFacts:
    with VideoReader(path) as video:
        if video.num_frames == 0 or not video.complete:
            what = "is not complete" if video.num_frames else "holds no frame"
            raise DataError(f"{path} {what}: collect and remap it again, or delete it.")
        label_map = f"{video.label_map.get('name', '?')} {str(video.label_map.get('sha256', '?'))[:12]}"
        height, width = video.size_hw
        facts = VideoFacts(
            name=name,
            path=path,
            environment=video.environment,
            num_frames=video.num_frames,
            size_hw=(height, width),
            rate_hz=video.rate_hz,
            classes=tuple(video.classes),
            sha256="",
            label_map=label_map,
        )
    with path.open("rb") as file:
        return VideoFacts(**{**vars(facts), "sha256": hashlib.file_digest(file, "sha256").hexdigest()})


def _check_classes(videos: Sequence[VideoFacts]) -> None:
    expected = Counter(video.classes for video in videos).most_common(1)[0][0]
    for video in videos:
        if video.classes != expected:
            raise DataError(
                f"{video.path} has the classes {', '.join(video.classes)}, the other videos {', '.join(expected)}: "
                f"one network cannot learn both; choose with --environment, or remap it with the same map."
            )
