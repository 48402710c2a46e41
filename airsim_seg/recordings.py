"""Recordings: raw ids as the simulator sent them, in `data/raw/<environment>/<video>.h5`.

An append-only file that survives kill -9, a full disk and a power cut up to its last commit (journal.py says how), and
that plain h5py opens. Nothing in it is ever changed: classes are looked up later, in videos. The datasets are
hdf5.COLUMNS and

| dataset | shape, type | meaning |
|---|---|---|
| rgb | [T,H,W,3] uint8 | RGB order, one frame a chunk |
| raw_ids | [T,H,W] uint8 | AirSim object ids exactly as seen, one frame a chunk |
| depth | [T,H,W] float32 | optional: along the optical axis, metres |
| objects | [K] (name, raw_id) | what the simulator says is there; may be empty |

and the attributes schema = "airsim-seg/recording", schema_version, environment, rate_hz (0 = unknown), camera_matrix
(float64 [3,3], pixels; NaN = unknown), poses ("camera" or "none"), provenance (JSON), complete.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import h5py
import numpy as np

from airsim_seg.disk import Disk, make_folder
from airsim_seg.errors import DataError, UsageError
from airsim_seg.frame_writer import FrameWriter, check_picture, pose_row
from airsim_seg.hdf5 import COLUMNS, FrameReader, Picture, Poses, empty_file, open_checked
from airsim_seg.journal import JournalledFile
from airsim_seg.types import Float64Array, Frame, Int64Array, UInt8Array

SCHEMA = "airsim-seg/recording"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")  # a folder is named after it
_OBJECT_ROW = np.dtype([("name", h5py.string_dtype()), ("raw_id", np.uint8)])


@dataclass(frozen=True, eq=False)
class RecordingHeader:
    """What is known of a recording before its first frame.

    Attributes:
        environment: "Neighborhood"; the label map is found by this name.
        rate_hz: frames a second of simulation time; 0 = unknown, time_ns then counts frames.
        size_hw: (height, width), pixels.
        camera_matrix: float64 [3,3], pixels; NaN where unknown.
        poses: "camera" where every frame brings the camera's pose, "none" where none does.
        provenance: where the frames come from; anything JSON can hold, never empty.
        objects: (name, raw_id) of what the simulator says is there; may be empty.
        has_depth: every frame brings depth_m.
    """

    environment: str
    rate_hz: float
    size_hw: tuple[int, int]
    camera_matrix: Float64Array
    poses: Poses
    provenance: dict[str, Any]
    objects: tuple[tuple[str, int], ...]
    has_depth: bool = False

    def __post_init__(self) -> None:
        """Check once, at the border."""
        if not np.isfinite(self.rate_hz) or self.rate_hz < 0:
            raise DataError(f"rate_hz must be 0 (unknown) or positive, not {self.rate_hz}.")
        if not _NAME.fullmatch(self.environment):
            raise DataError(f"environment {self.environment!r} must be letters, digits, '_', '-', '+' and '.' only.")
        if len(self.size_hw) != 2 or min(self.size_hw) < 1:
            raise DataError(f"a frame of {self.size_hw} pixels cannot be recorded.")
        if np.shape(self.camera_matrix) != (3, 3):
            raise DataError(f"camera_matrix must be 3x3, not {np.shape(self.camera_matrix)}.")
        if self.poses not in ("camera", "none"):
            raise DataError(f'poses must be "camera" or "none", not {self.poses!r}.')
        if any(not 0 <= raw_id <= 255 for _, raw_id in self.objects):
            raise DataError("the objects table holds an id outside 0..255.")

    def attributes(self) -> dict[str, Any]:
        """As the file holds them."""
        return {
            "environment": self.environment,
            "rate_hz": float(self.rate_hz),
            "camera_matrix": np.asarray(self.camera_matrix, np.float64),
            "poses": self.poses,
            "provenance": json.dumps(self.provenance, sort_keys=True),
        }

    def pictures(self, rgb_compression: str | None) -> dict[str, Picture]:
        """Dataset name -> what one frame of it is."""
        found = {
            "rgb": Picture((*self.size_hw, 3), np.uint8, rgb_compression),
            "raw_ids": Picture(self.size_hw, np.uint8, "gzip"),
        }
        return found | ({"depth": Picture(self.size_hw, np.float32, "lzf")} if self.has_depth else {})


def nominal_step_ns(frames: int, rate_hz: float) -> int:
    """Nominal time of frame `frames` after the first of its segment: round(k * 1e9 / rate), or k itself at rate 0."""
    return round(frames * 1e9 / rate_hz) if rate_hz else frames


class RecordingWriter:
    """Appends frames. Use as a context manager: leaving it commits and closes; only `finish` says complete.

    Every method raises StorageError when the disk refuses a write: the file is then at its last commit, and closed.
    """

    def __init__(self, path: Path, store: JournalledFile, header: RecordingHeader, commit_every: int) -> None:
        """Use `create` or `resume`."""
        self.path, self.header = path, header
        self._shapes = header.pictures(None)
        frames = FrameWriter(path, store, pictures=self._shapes, columns=COLUMNS, commit_every=commit_every)
        self._frames = frames
        starts, times = frames.file["segment_start"][:], frames.file["time_ns"][:]
        self._segment = int(np.flatnonzero(starts)[-1]) if starts.any() else 0
        self._segment_ns = int(times[self._segment]) if len(times) else 0
        self._last_ns = int(times[-1]) if len(times) else 0

    @classmethod
    def create(
        cls,
        path: Path,
        header: RecordingHeader,
        *,
        commit_every: int = 25,
        rgb_compression: str | None = "lzf",
        disk: Disk | None = None,
    ) -> Self:
        """Make a new recording (and its folder).

        Args:
            path: `<folder>/<environment>/<video>.h5`; must not exist.
            header: see RecordingHeader.
            commit_every: frames between commits: what kill -9 can cost.
            rgb_compression: "lzf", "gzip", or None: six times faster to write, one to two times larger.
            disk: for tests.

        Raises:
            StorageError: it exists, another process writes it, or the disk refuses.
        """
        _check_commit_every(commit_every)
        make_folder(path.parent)
        objects = np.array([(name, raw_id) for name, raw_id in header.objects], _OBJECT_ROW)
        initial = empty_file(
            SCHEMA,
            header.attributes(),
            pictures=header.pictures(rgb_compression),
            columns=COLUMNS,
            tables={"objects": objects},
        )
        store = JournalledFile(path, initial=initial, disk=disk)
        return cls(path, store, header, commit_every)

    @classmethod
    def resume(cls, path: Path, *, commit_every: int = 25, disk: Disk | None = None) -> Self:
        """Go on with a recording that was left unfinished, from its last commit; `num_frames` says how many it keeps.

        Raises:
            MissingData, CorruptFile: no such file, or not a recording.
            UsageError: it is complete already.
            StorageError: another process writes it, or the disk refuses.
        """
        _check_commit_every(commit_every)
        open_checked(path, SCHEMA).close()
        store = JournalledFile(path, disk=disk)
        try:
            with RecordingReader(path) as reader:
                header, complete = reader.header, reader.complete
            if complete:
                raise UsageError(f"{path} is complete: nothing is left to resume.")
        except BaseException:
            store.close()
            raise
        return cls(path, store, header, commit_every)

    @property
    def num_frames(self) -> int:
        """Frames appended so far, those from before a resume included."""
        return self._frames.num_frames

    @property
    def num_committed(self) -> int:
        """Frames that kill -9 cannot take any more."""
        return self._frames.num_committed

    def append(self, frame: Frame) -> None:
        """Add one frame; every `commit_every` frames a commit.

        Raises:
            DataError: shape, dtype, pose or time do not fit the header; nothing was appended.
        """
        where = f"frame {self.num_frames} for {self.path}"
        pictures: dict[str, Any] = {"rgb": frame.rgb, "raw_ids": frame.raw_ids}
        if self.header.has_depth != (frame.depth_m is not None):
            raise DataError(f"{where}: depth is there in some frames and missing in others.")
        if frame.depth_m is not None:
            pictures["depth"] = frame.depth_m
        for name, picture in pictures.items():
            check_picture(picture, self._shapes[name].shape, self._shapes[name].dtype, f"{name} of {where}")
        row = pose_row(frame.pose, self.header.poses, where) | {
            "time_ns": frame.time_ns,
            "sim_time_ns": frame.sim_time_ns,
            "wall_time_ns": frame.wall_time_ns,
            "segment_start": frame.segment_start,
        }
        self._check_time(frame, where)
        index = self.num_frames
        if frame.segment_start:
            self._segment, self._segment_ns = index, frame.time_ns
        self._last_ns = frame.time_ns
        self._frames.add(pictures, row)

    def commit(self) -> None:
        """Flush and sync: what is committed survives kill -9 and a power cut."""
        self._frames.commit()

    def set_provenance(self, provenance: dict[str, Any]) -> None:
        """Replace the header's provenance, where a count is known only at the end; the next commit keeps it."""
        self._frames.set_attribute("provenance", json.dumps(provenance, sort_keys=True))

    def finish(self) -> None:
        """Commit, say complete, close."""
        self._frames.close(complete=True)

    def close(self) -> None:
        """Commit and close without saying complete."""
        self._frames.close()

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit and close, whatever happened."""
        self.close()

    def _check_time(self, frame: Frame, where: str) -> None:
        if self.num_frames == 0:
            if not frame.segment_start:
                raise DataError(f"{where} is the first: it must start a segment.")
            return
        if frame.time_ns <= self._last_ns:
            raise DataError(f"{where} is at {frame.time_ns} ns, not after the frame before it ({self._last_ns} ns).")
        due = self._segment_ns + nominal_step_ns(self.num_frames - self._segment, self.header.rate_hz)
        if not frame.segment_start and frame.time_ns != due:
            raise DataError(
                f"{where} is at {frame.time_ns} ns, due at {due}: at {self.header.rate_hz:g} Hz a frame after a gap "
                "must start a segment."
            )


def _check_commit_every(commit_every: int) -> None:
    if commit_every < 1:
        raise UsageError(f"commit_every must be at least 1, not {commit_every}.")


class RecordingReader(FrameReader):
    """Reads a recording, finished or not. Use as a context manager or call `close`; safe to pickle."""

    schema = SCHEMA

    @property
    def header(self) -> RecordingHeader:
        """What the file says of itself."""
        return RecordingHeader(
            environment=self.environment,
            rate_hz=self.rate_hz,
            size_hw=self.size_hw,
            camera_matrix=self.camera_matrix,
            poses=self.poses,
            provenance=self.json_attribute("provenance"),
            objects=self.objects,
            has_depth=self.has_depth,
        )

    @property
    def objects(self) -> tuple[tuple[str, int], ...]:
        """(name, raw_id) of what the simulator said is there."""
        return tuple((row["name"].decode(), int(row["raw_id"])) for row in self.column("objects"))

    @property
    def wall_time_ns(self) -> Int64Array:
        """int64 [T], when the frame was received, nanoseconds since the epoch."""
        return cast(Int64Array, self.column("wall_time_ns"))

    def raw_ids(self, index: int) -> UInt8Array:
        """uint8 [H,W] of one frame."""
        return cast(UInt8Array, self.picture("raw_ids", index))
