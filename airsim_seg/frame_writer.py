"""The writing half of recordings and videos: frames in, nothing torn out."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from airsim_seg.disk import interrupts_held
from airsim_seg.errors import CorruptFile, DataError, StorageError
from airsim_seg.hdf5 import Chunk, Poses
from airsim_seg.journal import JournalledFile
from airsim_seg.types import Pose


class FrameWriter:
    """Appends frames to such a file: pictures at once, columns at the commit, nothing survives half.

    Use as a context manager or call `close`. Every method raises StorageError when the disk refuses; the file is then
    back at its last commit.
    """

    def __init__(
        self,
        path: Path,
        store: JournalledFile,
        *,
        pictures: Iterable[str],
        columns: Iterable[str],
        commit_every: int | None,
    ) -> None:
        """Open the file in the store; with commit_every None nothing is committed before `commit` or `close`.

        Raises:
            CorruptFile: not HDF5, or not with these datasets in one length.
        """
        self.path = path
        self._store, self._commit_every = store, commit_every or sys.maxsize
        try:
            self.file = h5py.File(store, "r+")
        except (OSError, RuntimeError) as error:
            store.close()
            raise CorruptFile(f"{path} does not open as HDF5 ({error}): make it again.") from error
        self._rows: dict[str, list[Any]] = {name: [] for name in columns}
        try:
            self._datasets = {name: self.file[name] for name in [*pictures, *self._rows]}
            lengths = {name: len(dataset) for name, dataset in self._datasets.items()}
        except (KeyError, OSError, TypeError) as error:
            self.discard()
            raise CorruptFile(f"{path} lacks a dataset ({error}): make it again.") from error
        self.num_frames = self.num_committed = lengths["time_ns"]
        if set(lengths.values()) != {self.num_frames}:
            self.discard()
            raise CorruptFile(f"{path} holds datasets of different lengths ({lengths}): make it again.")

    def add(self, pictures: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        """Append one frame; a picture is an array, or the chunk of another file with the same compression."""
        with self._all_or_nothing():
            for name, picture in pictures.items():
                dataset = self._datasets[name]
                dataset.resize(self.num_frames + 1, axis=0)
                if isinstance(picture, Chunk):
                    offset = (self.num_frames, *[0] * (dataset.ndim - 1))
                    dataset.id.write_direct_chunk(offset, picture.data, picture.filter_mask)
                else:
                    dataset[self.num_frames] = picture
            for name, values in self._rows.items():
                values.append(row[name])
            self.num_frames += 1
            if self.num_frames - self.num_committed >= self._commit_every:
                self.commit()
            self._stop_if_refused()

    def commit(self) -> None:
        """Make every frame so far survive kill -9 and a power cut."""
        with self._all_or_nothing():
            self._write_columns()
            self.file.flush()
            if self._store.commit():
                self.num_committed = self.num_frames
            self._stop_if_refused()

    def set_attribute(self, name: str, value: Any) -> None:
        """Change an attribute; the next commit keeps it."""
        with self._all_or_nothing():
            self.file.attrs[name] = value

    def close(self, *, complete: bool = False) -> None:
        """Commit, close, unlock; with `complete`, say in the file that it is."""
        if self._store.closed:
            return
        with self._all_or_nothing():
            self._write_columns()
            if complete:
                self.file.attrs.modify("complete", True)
            self.file.close()
            if self._store.commit():
                self.num_committed = self.num_frames
            self._stop_if_refused()
            self._store.close()

    def discard(self) -> None:
        """Close, and forget what was not committed."""
        if self._store.closed:
            return
        with interrupts_held():
            self._rows = {name: [] for name in self._rows}
            with suppress(OSError, RuntimeError):  # all of it is forgotten: what HDF5 thinks of it does not matter
                self.file.close()
            self._store.discard()
            self._store.close()

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit and close, whatever happened."""
        self.close()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Whatever goes wrong inside, the file goes back to its last commit: it never holds half a frame."""
        with interrupts_held():
            try:
                yield
            except BaseException:
                self.discard()
                raise

    def _write_columns(self) -> None:
        for name, values in self._rows.items():
            if values:
                dataset = self._datasets[name]
                dataset.resize(self.num_frames, axis=0)
                dataset[self.num_frames - len(values) :] = np.asarray(values, dataset.dtype)
                values.clear()

    def _stop_if_refused(self) -> None:
        failure = self._store.failure
        if failure is not None and not self._store.closed:
            self.discard()
            raise StorageError(
                f"{self.path}: the disk refused a write ({failure.strerror or failure}); "
                f"the first {self.num_committed} frames are kept: free some space and run the same command again."
            ) from failure


def pose_row(pose: Pose | None, poses: Poses, where: str) -> dict[str, Any]:
    """The two pose columns of a frame; the quaternion is brought to unit length from float32's rounding.

    Raises:
        DataError: a pose where there should be none, none where there should be one, NaN, or not a rotation.
    """
    if poses == "none":
        if pose is not None:
            raise DataError(f'{where} brings a pose, but the file says poses = "none".')
        return {"position_m": np.full(3, np.nan), "orientation_wxyz": np.full(4, np.nan)}
    if pose is None:
        raise DataError(f'{where} brings no pose, but the file says poses = "camera".')
    position = np.asarray(pose.position_m, np.float64)
    wxyz = np.asarray(pose.orientation_wxyz, np.float64)
    if position.shape != (3,) or wxyz.shape != (4,) or not (np.isfinite(position).all() and np.isfinite(wxyz).all()):
        raise DataError(f"{where} has a pose that is not 3 + 4 finite numbers ({position}, {wxyz}).")
    norm = float(np.linalg.norm(wxyz))
    if abs(norm - 1) > 1e-3:
        raise DataError(f"{where} has an orientation of length {norm:.4f}; a rotation has length 1.")
    exact = abs(norm - 1) < 1e-12
    return {"position_m": position, "orientation_wxyz": wxyz if exact else wxyz / norm}


def check_picture(picture: Any, shape: tuple[int, ...], dtype: type[np.generic], where: str) -> None:
    """Hold one array against what its dataset takes.

    Raises:
        DataError: another shape or dtype.
    """
    got = getattr(picture, "shape", None), getattr(picture, "dtype", None)
    if got[0] != shape or got[1] != np.dtype(dtype):
        raise DataError(f"{where} is {got[1]} {got[0]}, but the file takes {np.dtype(dtype)} {shape}.")
