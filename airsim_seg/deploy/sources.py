"""Where predict gets its pictures: a film, a labelled video, a recording, or a camera; one after the other."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import cv2
import numpy as np

from airsim_seg.benchmark.motion import pose_motion
from airsim_seg.errors import CorruptFile, MissingData, SimulatorError
from airsim_seg.hdf5 import FrameReader, schema_of
from airsim_seg.recordings import SCHEMA as RECORDING_SCHEMA
from airsim_seg.recordings import RecordingReader
from airsim_seg.types import Float32Array, UInt8Array
from airsim_seg.videos import VideoReader

DEFAULT_RATE_HZ = 25.0  # of the film that is written where the source does not tell its own


class SourceFrame(NamedTuple):
    """One picture.

    Attributes:
        rgb: uint8 [H,W,3].
        segment_start: True at the first and after every gap in time.
        labels: the truth uint8 [H,W], 255 = ignore; None where there is none.
        motion: float32 [2,h,w] from depth and poses, see Source.frames; None where nobody asked for it.
    """

    rgb: UInt8Array
    segment_start: bool
    labels: UInt8Array | None = None
    motion: Float32Array | None = None


class Source(ABC):
    """Pictures in order. Use as a context manager.

    Attributes:
        name: a word for files.
        rate_hz: frames a second.
        num_frames: None where nobody knows.
        classes: what the labels of its frames mean; empty without labels.
        lacks: what is missing for motion from depth and poses, a word; empty where nothing is.
    """

    name: str
    rate_hz: float
    num_frames: int | None
    classes: tuple[str, ...] = ()
    lacks: str = "depth"

    @abstractmethod
    def frames(self, motion_hw: tuple[int, int] | None = None) -> Iterator[SourceFrame]:
        """All of them, once.

        Args:
            motion_hw: (height, width) of the motion from depth and poses that each frame should bring; None: none.
                Only where the source lacks nothing.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of file or camera."""

    def __enter__(self) -> Self:
        """The source itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


class Film(Source):
    """Whatever OpenCV opens: a film's file, or a camera by its number."""

    def __init__(self, what: str | int) -> None:
        self._what = what
        self._capture = cv2.VideoCapture(what)
        if not self._capture.isOpened():
            if isinstance(what, int):
                raise SimulatorError(f"camera {what} does not open: check that it is there and not in use.")
            raise CorruptFile(f"{what} is no film that OpenCV can read: give an MP4, or an HDF5 video.")
        self.name = f"camera{what}" if isinstance(what, int) else Path(what).stem
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate_hz = rate_hz if np.isfinite(rate_hz) and 0 < rate_hz <= 1000 else DEFAULT_RATE_HZ
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.num_frames = count if count > 0 and not isinstance(what, int) else None

    def frames(self, motion_hw: tuple[int, int] | None = None) -> Iterator[SourceFrame]:
        """See Source."""
        assert motion_hw is None, "a film has no depth"
        first = True
        while True:
            there, bgr = self._capture.read()
            if not there:
                break
            yield SourceFrame(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8), first)
            first = False
        if first:
            raise CorruptFile(f"{self._what} gives no picture: it is empty or damaged.")

    def close(self) -> None:
        """See Source."""
        self._capture.release()


class Hdf5(Source):
    """A labelled video (with its truth) or a recording of this toolkit."""

    def __init__(self, path: Path) -> None:
        self._video = None if schema_of(path) == RECORDING_SCHEMA else VideoReader(path)
        self._reader = RecordingReader(path) if self._video is None else self._video
        self.name = path.stem
        self.rate_hz = self._reader.rate_hz or DEFAULT_RATE_HZ
        self.num_frames = self._reader.num_frames
        self.classes = () if self._video is None else self._video.classes
        if self.num_frames == 0:
            self.close()
            raise MissingData(f"{path} holds no frame: collect it again.")
        self.lacks = _lacks(self._reader)

    def frames(self, motion_hw: tuple[int, int] | None = None) -> Iterator[SourceFrame]:
        """See Source."""
        starts = self._reader.segment_start
        for index in range(self._reader.num_frames):
            labels = None if self._video is None else self._video.labels(index)
            motion = None if motion_hw is None else pose_motion(self._reader, index, motion_hw)
            yield SourceFrame(self._reader.rgb(index), index == 0 or bool(starts[index]), labels, motion)

    def close(self) -> None:
        """See Source."""
        self._reader.close()


def _lacks(reader: FrameReader) -> str:
    """The first of what motion.pose_motion needs that a file has not."""
    if not reader.has_depth:
        return "depth"
    if not (np.isfinite(reader.position_m).all() and np.isfinite(reader.orientation_wxyz).all()):
        return "poses"
    return "" if np.isfinite(reader.camera_matrix).all() else "camera matrix"


def open_source(text: str) -> Source:
    """Open what --video names.

    Args:
        text: the path of a film or of an HDF5 file, "camera" for the first camera, or a camera's number.

    Raises:
        MissingData: no such file, or nothing in it.
        CorruptFile: it does not read.
        SimulatorError: the camera does not open.
    """
    if text == "camera" or text.isdecimal():
        return Film(0 if text == "camera" else int(text))
    path, wanted = Path(text), "give a film, an HDF5 video or recording, or `camera`"
    if text and path.is_dir():
        raise MissingData(f"{text} is a folder: {wanted}.")
    if not path.is_file():
        raise MissingData(f"{text or '--video without a name'} does not exist: {wanted}.")
    if path.stat().st_size == 0:
        raise CorruptFile(f"{text} is empty: {wanted}.")
    return Hdf5(path) if path.suffix.lower() in (".h5", ".hdf5") else Film(str(path))
