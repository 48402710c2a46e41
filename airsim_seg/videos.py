"""Videos: class labels, in `data/videos/<environment>/<video>.h5`.

Made from a recording by remap (or from other data by an importer), whole or not at all. The datasets are hdf5.COLUMNS
without wall_time_ns, rgb and depth as in the recording, and

| dataset | shape, type | meaning |
|---|---|---|
| labels | [T,H,W] uint8 | index into classes, 255 = ignore; one frame a chunk |

and the attributes schema = "airsim-seg/video", schema_version, environment, rate_hz, camera_matrix, poses as in the
recording; classes (JSON list, in order), label_map (JSON: name, version, sha256, lut), source (JSON: file, sha256),
complete.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np

from airsim_seg.disk import Disk, make_folder
from airsim_seg.errors import DataError, StorageError
from airsim_seg.frame_writer import FrameWriter, check_picture, pose_row
from airsim_seg.hdf5 import COLUMNS, Chunk, FrameReader, Picture, Poses, empty_file
from airsim_seg.journal import JournalledFile
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE
from airsim_seg.types import Float32Array, Float64Array, Pose, UInt8Array

SCHEMA = "airsim-seg/video"
_COLUMNS = {name: column for name, column in COLUMNS.items() if name != "wall_time_ns"}


@dataclass(frozen=True, eq=False)
class VideoHeader:
    """What is known of a video before its first frame.

    Attributes:
        environment, rate_hz, size_hw, camera_matrix, poses, has_depth: as in a recording (RecordingHeader).
        classes: the meaning of each label, in order; the eleven for AirSim environments.
        label_map: name, version, sha256 and the 256-entry lut that made the labels.
        source: file and sha256 of what the video was made from.
        rgb_compression: "lzf", "gzip" or None.
        depth_compression: the same for depth, where there is any.
    """

    environment: str
    rate_hz: float
    size_hw: tuple[int, int]
    camera_matrix: Float64Array
    poses: Poses
    label_map: dict[str, Any]
    source: dict[str, Any]
    classes: tuple[str, ...] = CLASS_NAMES
    has_depth: bool = False
    rgb_compression: str | None = "lzf"
    depth_compression: str | None = "lzf"

    def __post_init__(self) -> None:
        """Check once, at the border."""
        if not np.isfinite(self.rate_hz) or self.rate_hz < 0:
            raise DataError(f"rate_hz must be 0 (unknown) or positive, not {self.rate_hz}.")
        if not 1 <= len(self.classes) <= IGNORE:
            raise DataError(f"a video has 1 to {IGNORE} classes, not {len(self.classes)}.")

    def attributes(self) -> dict[str, Any]:
        """As the file holds them."""
        return {
            "environment": self.environment,
            "rate_hz": float(self.rate_hz),
            "camera_matrix": np.asarray(self.camera_matrix, np.float64),
            "poses": self.poses,
            "classes": json.dumps(list(self.classes)),
            "label_map": json.dumps(self.label_map, sort_keys=True),
            "source": json.dumps(self.source, sort_keys=True),
        }

    def pictures(self) -> dict[str, Picture]:
        """Dataset name -> what one frame of it is."""
        found = {
            "rgb": Picture((*self.size_hw, 3), np.uint8, self.rgb_compression),
            "labels": Picture(self.size_hw, np.uint8, "gzip"),
        }
        return found | ({"depth": Picture(self.size_hw, np.float32, self.depth_compression)} if self.has_depth else {})


class VideoWriter:
    """Writes a video under a name of its own and gives it the final name in `finish`; without that, nothing stays."""

    def __init__(self, path: Path, header: VideoHeader, *, disk: Disk | None = None) -> None:
        """Begin a video (and make its folder); an older file of this name stays until `finish`.

        Raises:
            StorageError: another process writes it, or the disk refuses.
        """
        make_folder(path.parent)
        self.path, self.header = path, header
        self._partial = path.with_name(path.name + ".partial")
        self._pictures = header.pictures()
        initial = empty_file(SCHEMA, header.attributes(), pictures=self._pictures, columns=_COLUMNS)
        store = JournalledFile(self._partial, initial=initial, replace=True, disk=disk)
        self._frames = FrameWriter(self._partial, store, pictures=self._pictures, columns=_COLUMNS, commit_every=None)

    @property
    def num_frames(self) -> int:
        """Frames so far."""
        return self._frames.num_frames

    def append(
        self,
        labels: UInt8Array,
        *,
        rgb: UInt8Array | Chunk,
        time_ns: int,
        sim_time_ns: int,
        pose: Pose | None,
        segment_start: bool,
        depth_m: Float32Array | Chunk | None = None,
    ) -> None:
        """Add one frame.

        Args:
            labels: uint8 [H,W], index into classes or 255.
            rgb: uint8 [H,W,3], or the chunk of a file with the same compression (FrameReader.chunk).
            time_ns, sim_time_ns, pose, segment_start: as in the recording.
            depth_m: float32 [H,W] or a chunk, where the header says has_depth.

        Raises:
            DataError: a shape, dtype, pose or label that does not fit the header.
            StorageError: the disk refuses; nothing stays.
        """
        where = f"frame {self.num_frames} for {self.path}"
        pictures: dict[str, Any] = {"rgb": rgb, "labels": labels}
        if self.header.has_depth != (depth_m is not None):
            raise DataError(f"{where}: depth is there in some frames and missing in others.")
        if depth_m is not None:
            pictures["depth"] = depth_m
        for name, picture in pictures.items():
            if not isinstance(picture, Chunk):
                check_picture(picture, self._pictures[name].shape, self._pictures[name].dtype, f"{name} of {where}")
        if not ((labels < len(self.header.classes)) | (labels == IGNORE)).all():
            raise DataError(f"{where} holds a label that is none of its {len(self.header.classes)} classes.")
        row = {"time_ns": time_ns, "sim_time_ns": sim_time_ns, "segment_start": segment_start}
        row |= pose_row(pose, self.header.poses, where)
        with self._nothing_stays():
            self._frames.add(pictures, row)

    def finish(self) -> None:
        """Say complete, close, take the final name."""
        with self._nothing_stays():
            self._frames.close(complete=True)
            os.replace(self._partial, self.path)

    def close(self) -> None:
        """Give up, unless finished: nothing of this video stays."""
        self._frames.discard()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up, unless finished."""
        self.close()

    @contextmanager
    def _nothing_stays(self) -> Iterator[None]:
        try:
            yield
        except (StorageError, OSError) as error:
            self.close()
            cause = error.__cause__ or error
            raise StorageError(
                f"{self.path}: the disk refused a write ({getattr(cause, 'strerror', None) or cause}); nothing of it "
                "stays: free some space and run the same command again."
            ) from error


class VideoReader(FrameReader):
    """Reads a video. Use as a context manager or call `close`; safe to pickle."""

    schema = SCHEMA

    @property
    def classes(self) -> tuple[str, ...]:
        """The meaning of each label, in order."""
        return tuple(str(name) for name in self.json_attribute("classes"))

    @property
    def label_map(self) -> dict[str, Any]:
        """Name, version, sha256 and lut of the label map used."""
        return cast(dict[str, Any], self.json_attribute("label_map"))

    @property
    def source(self) -> dict[str, Any]:
        """File and sha256 of what the video was made from."""
        return cast(dict[str, Any], self.json_attribute("source"))

    def labels(self, index: int) -> UInt8Array:
        """uint8 [H,W] of one frame: index into classes, 255 = ignore."""
        return cast(UInt8Array, self.picture("labels", index))
