"""What recordings and videos have in common on disk: pictures, one frame a chunk, beside columns, one row a frame.

| column | row | meaning |
|---|---|---|
| time_ns | int64 | nominal: frame k of a segment at k * 1e9 / rate_hz after its first; frame numbers at rate_hz 0 |
| sim_time_ns | int64 | the stamp that the simulator returned; -1 where there is none |
| wall_time_ns | int64 | when the frame was received (recordings only) |
| position_m | float64 [3] | of the camera, world NED; NaN where poses = "none" |
| orientation_wxyz | float64 [4] | of the camera, unit, body to NED; NaN where poses = "none" |
| segment_start | bool | True at the first frame and after every gap in time |
"""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self, cast

import h5py
import numpy as np

from airsim_seg.errors import CorruptFile, MissingData
from airsim_seg.journal import recover
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int64Array, UInt8Array

SCHEMA_VERSION = 1
Poses = Literal["camera", "none"]


class Column(NamedTuple):
    """A dataset with one row a frame."""

    row_shape: tuple[int, ...]
    dtype: type[np.generic]


class Picture(NamedTuple):
    """A dataset with one picture a frame; compression is one of h5py's own filters ("lzf", "gzip") or None."""

    shape: tuple[int, ...]
    dtype: type[np.generic]
    compression: str | None


class Chunk(NamedTuple):
    """One picture as a file holds it. A set bit of filter_mask: that filter was left out (lzf gained nothing)."""

    filter_mask: int
    data: bytes


COLUMNS: dict[str, Column] = {
    "time_ns": Column((), np.int64),
    "sim_time_ns": Column((), np.int64),
    "wall_time_ns": Column((), np.int64),
    "position_m": Column((3,), np.float64),
    "orientation_wxyz": Column((4,), np.float64),
    "segment_start": Column((), np.bool_),
}
_ROWS_A_CHUNK = 1024


def empty_file(
    schema: str,
    attributes: Mapping[str, Any],
    *,
    pictures: Mapping[str, Picture],
    columns: Mapping[str, Column],
    tables: Mapping[str, Any] | None = None,
) -> bytes:
    """The bytes of an HDF5 file that holds everything but frames."""
    image = io.BytesIO()
    with h5py.File(image, "w") as file:
        file.attrs["schema"] = schema
        file.attrs["schema_version"] = SCHEMA_VERSION
        file.attrs["complete"] = False
        for name, value in attributes.items():
            file.attrs[name] = value
        for name, p in pictures.items():
            # gzip-1 makes ids 16-33x smaller; higher levels only cost time.
            level = 1 if p.compression == "gzip" else None
            dataset = {"maxshape": (None, *p.shape), "chunks": (1, *p.shape), "compression": p.compression}
            file.create_dataset(name, (0, *p.shape), p.dtype, compression_opts=level, **dataset)
        for name, c in columns.items():
            shape = (_ROWS_A_CHUNK, *c.row_shape)
            file.create_dataset(name, (0, *c.row_shape), c.dtype, maxshape=(None, *c.row_shape), chunks=shape)
        for name, table in (tables or {}).items():
            file.create_dataset(name, data=table)
    return image.getvalue()


class FrameReader:
    """Reads such a file. Opens at first use, in each process anew, so it can be sent to data-loader workers."""

    schema = ""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._open: tuple[int, h5py.File] | None = None
        self._datasets: dict[str, Any] = {}
        self._columns: dict[str, Any] = {}

    @property
    def file(self) -> h5py.File:
        """The open HDF5 file, read-only.

        Raises:
            MissingData: no such file. CorruptFile: not of this schema, cut off, or written by a newer version.
        """
        if self._open is None or self._open[0] != os.getpid():
            self._datasets = {}
            self._open = (os.getpid(), open_checked(self.path, self.schema))
        return self._open[1]

    @property
    def num_frames(self) -> int:
        """Frames in the file."""
        return len(self.column("time_ns"))

    @property
    def complete(self) -> bool:
        """False for a file whose writer did not finish."""
        return bool(self.attribute("complete"))

    @property
    def environment(self) -> str:
        """The environment's name."""
        return str(self.attribute("environment"))

    @property
    def rate_hz(self) -> float:
        """Frames a second of simulation time; 0 = unknown."""
        return float(self.attribute("rate_hz"))

    @property
    def size_hw(self) -> tuple[int, int]:
        """(height, width), pixels."""
        height, width = self.dataset("rgb").shape[1:3]
        return int(height), int(width)

    @property
    def camera_matrix(self) -> Float64Array:
        """float64 [3,3], pixels; NaN where unknown."""
        return np.asarray(self.attribute("camera_matrix"), np.float64)

    @property
    def poses(self) -> Poses:
        """ "camera" or "none"."""
        poses = str(self.attribute("poses"))
        if poses not in ("camera", "none"):
            raise CorruptFile(f"{self.path}: attribute poses is {poses!r}: make it again.")
        return cast(Poses, poses)

    @property
    def has_depth(self) -> bool:
        """Whether every frame brings depth."""
        return "depth" in self.file

    @property
    def time_ns(self) -> Int64Array:
        """int64 [T], nominal."""
        return cast(Int64Array, self.column("time_ns"))

    @property
    def sim_time_ns(self) -> Int64Array:
        """int64 [T], the simulator's stamp; -1 where there is none."""
        return cast(Int64Array, self.column("sim_time_ns"))

    @property
    def position_m(self) -> Float64Array:
        """float64 [T,3], world NED; NaN where unknown."""
        return cast(Float64Array, self.column("position_m"))

    @property
    def orientation_wxyz(self) -> Float64Array:
        """float64 [T,4], body to NED; NaN where unknown."""
        return cast(Float64Array, self.column("orientation_wxyz"))

    @property
    def segment_start(self) -> BoolArray:
        """bool [T]: True at the first frame and after every gap."""
        return cast(BoolArray, self.column("segment_start"))

    def rgb(self, index: int) -> UInt8Array:
        """uint8 [H,W,3] of one frame, RGB."""
        return cast(UInt8Array, self.picture("rgb", index))

    def depth_m(self, index: int) -> Float32Array | None:
        """float32 [H,W] of one frame, metres along the optical axis, or None where the file has no depth."""
        return cast(Float32Array, self.picture("depth", index)) if self.has_depth else None

    def attribute(self, name: str) -> Any:
        """An attribute, text as str."""
        try:
            value = self.file.attrs[name]
        except (KeyError, OSError) as error:
            raise CorruptFile(f"{self.path} lacks the attribute {name}: make it again.") from error
        return value.decode() if isinstance(value, bytes) else value

    def json_attribute(self, name: str) -> Any:
        """An attribute that holds JSON."""
        try:
            return json.loads(str(self.attribute(name)))
        except json.JSONDecodeError as error:
            raise CorruptFile(f"{self.path}: attribute {name} is not JSON ({error}): make it again.") from error

    def dataset(self, name: str) -> Any:
        """An h5py dataset of the file."""
        file = self.file
        if name not in self._datasets:
            try:
                self._datasets[name] = file[name]
            except (KeyError, OSError) as error:
                raise CorruptFile(f"{self.path} lacks the dataset {name}: make it again.") from error
        return self._datasets[name]

    def column(self, name: str) -> Any:
        """A whole column as an array, read once."""
        if name not in self._columns:
            try:
                self._columns[name] = self.dataset(name)[:]
            except OSError as error:
                raise CorruptFile(f"{self.path}: {name} does not read ({error}): make it again.") from error
        return self._columns[name]

    def picture(self, name: str, index: int) -> Any:
        """One picture as an array of its own."""
        if not 0 <= index < self.num_frames:
            raise IndexError(f"frame {index} of {self.num_frames} in {self.path}")
        try:
            return self.dataset(name)[index]
        except (OSError, RuntimeError, ValueError) as error:
            raise CorruptFile(
                f"{self.path}: {name} of frame {index} does not read ({error}): make it again."
            ) from error

    def chunk(self, name: str, index: int) -> Chunk:
        """One picture as the file holds it, filters not undone: what FrameWriter.add copies without recoding."""
        dataset = self.dataset(name)
        try:
            mask, data = dataset.id.read_direct_chunk((index, *[0] * (dataset.ndim - 1)))
        except (OSError, RuntimeError, ValueError) as error:
            raise CorruptFile(
                f"{self.path}: {name} of frame {index} does not read ({error}): make it again."
            ) from error
        return Chunk(mask, bytes(data))

    def copyable_compression(self, name: str) -> str | Literal[False] | None:
        """The compression under which `chunk` can be copied, or False where this file is laid out in another way."""
        found = self.dataset(name)
        plain = not (found.shuffle or found.fletcher32 or found.scaleoffset)
        if found.chunks == (1, *found.shape[1:]) and plain and found.compression in (None, "lzf", "gzip"):
            return cast(str | None, found.compression)
        return False

    def close(self) -> None:
        """Close the file; it opens again when it is used again."""
        if self._open is not None and self._open[0] == os.getpid():
            self._open[1].close()
        self._open, self._datasets = None, {}

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """The path alone: an open file cannot travel."""
        return {"path": self.path, "_open": None, "_datasets": {}, "_columns": {}}


def open_checked(path: Path, schema: str) -> h5py.File:
    """Open a file of one of our schemas for reading, at its last commit.

    Raises:
        MissingData: no such file.
        CorruptFile: not HDF5, cut off, of another schema, or of a newer version.
    """
    if not path.is_file():
        raise MissingData(f"{path} is not there: check the path.")
    recover(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise CorruptFile(f"{path} does not open as HDF5 ({error}): copy or make it again.") from error
    found, version = file.attrs.get("schema", ""), file.attrs.get("schema_version", 0)
    found = found.decode() if isinstance(found, bytes) else found
    if found == schema and version == SCHEMA_VERSION:
        return file
    file.close()
    if found != schema:
        raise CorruptFile(f"{path} is not an {schema} file (its schema is {str(found)!r}): check the path.")
    raise CorruptFile(
        f"{path} has schema version {version}, this airsim-seg reads {SCHEMA_VERSION}: update airsim-seg."
    )


def schema_of(path: Path) -> str:
    """The schema attribute of an HDF5 file, "" where it has none.

    Raises:
        CorruptFile: it does not open.
    """
    recover(path)
    try:
        with h5py.File(path, "r") as file:
            found = file.attrs.get("schema", "")
    except OSError as error:
        raise CorruptFile(f"{path} does not open as HDF5 ({error}): copy or make it again, or remove it.") from error
    return found.decode() if isinstance(found, bytes) else str(found)
