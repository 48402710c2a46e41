"""What to collect: how a request becomes videos with names, and whether a file is the video asked for."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from airsim_seg.collection.plans import num_frames_of
from airsim_seg.errors import StorageError, UsageError
from airsim_seg.recordings import RecordingReader

Vehicle = Literal["drone", "car"]
WAYS_OUT = "choose another --out or --seed, or remove the file."


@dataclass(frozen=True)
class Request:
    """What to collect.

    Attributes:
        environment: name of the world; recordings and label map go by it.
        vehicles: in the order in which they take turns.
        num_videos: of all vehicles together.
        seconds: of each video.
        seed: of the trajectories.
        rate_hz: frames a second of simulation time.
        depth: record planar depth too.
        out: folder of the recordings; each environment has one of its own in it.
        world_seed: which world of its kind the built-in simulator must show; None takes the one it shows.
        randomise: give each video a sun and weather of its own, see conditions.
    """

    environment: str
    vehicles: tuple[Vehicle, ...]
    num_videos: int
    seconds: float
    seed: int
    rate_hz: float
    depth: bool
    out: Path
    world_seed: int | None = None
    randomise: bool = False

    @property
    def folder(self) -> Path:
        """Where the recordings lie."""
        return self.out / self.environment

    @property
    def world(self) -> str:
        """What tells the files of one world from those of another in the same folder; "" where none was asked for."""
        return "" if self.world_seed is None else f"-w{self.world_seed}"

    def tasks(self) -> list["Task"]:
        """The videos, vehicles in turn; each vehicle counts its own, so that more videos later only add some."""
        turns = [(k % len(self.vehicles), k // len(self.vehicles)) for k in range(self.num_videos)]
        return [Task(self, self.vehicles[turn], number) for turn, number in turns]


@dataclass(frozen=True)
class Task:
    """One video of a request."""

    request: Request
    vehicle: Vehicle
    number: int

    @property
    def path(self) -> Path:
        """Of its recording."""
        wanted = self.request
        what = f"{self.vehicle}{wanted.world}{'-r' if wanted.randomise else ''}"
        return wanted.folder / f"{what}-s{wanted.seed}-{self.number:03d}.h5"

    @property
    def num_frames(self) -> int:
        """Frames of the whole video."""
        return num_frames_of(self.request.seconds, self.request.rate_hz)

    def identity(self) -> dict[str, Any]:
        """What must agree for a file of this name to be this video."""
        wanted = self.request
        return {
            "vehicle": self.vehicle,
            "number": self.number,
            "seed": wanted.seed,
            "seconds": wanted.seconds,
            "rate_hz": wanted.rate_hz,
            "depth": wanted.depth,
            **({"randomise": True} if wanted.randomise else {}),
        }


def is_complete(task: Task) -> bool:
    """Say whether a video is there already, whole.

    Raises:
        UsageError: a file of its name holds another video. CorruptFile: or no recording at all.
    """
    if not task.path.exists():
        return False
    with RecordingReader(task.path) as reader:
        found = reader.header.provenance.get("request")
        wanted = task.identity()
        if found != wanted:
            raise UsageError(f"{task.path} holds another video ({_differences(found, wanted)}): {WAYS_OUT}")
        return reader.complete


def _differences(found: object, wanted: dict[str, Any]) -> str:
    if not isinstance(found, dict):
        return "not collected by this command"
    return ", ".join(
        f"{key} {found.get(key)} instead of {value}" for key, value in wanted.items() if found.get(key) != value
    )


def nearest_folder(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists.

    Raises:
        StorageError: that is no folder, or may not be written.
    """
    absolute = folder.absolute()
    place = next(place for place in (absolute, *absolute.parents) if place.exists())
    if not place.is_dir():
        raise StorageError(f"{folder} cannot be made: {place} is no folder; choose another --out.")
    if not os.access(place, os.W_OK):
        raise StorageError(f"{folder} cannot be written: no right to write in {place}; choose another --out.")
    return place
