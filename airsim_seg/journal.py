"""A file for HDF5 to write to, which kill -9, a full disk or a power cut cannot tear.

HDF5 rewrites its own index in place, so a writer that dies halfway leaves a file that nobody opens. Here the file on
disk is the last commit at every moment, perhaps followed by bytes that no index names yet:

- what HDF5 writes behind the end of the last commit goes straight to disk: it overwrites nothing;
- what it writes below that end is held in memory, by pages (index nodes and the like: kilobytes);
- commit: sync the new bytes; write the held pages with a checksum into `<file>.journal` and sync it, which is the
  moment of the commit; copy the pages into place, sync, empty the journal.

Whoever opens the file next copies a whole journal into place once more (harmless to repeat) and drops a torn one,
whose commit never happened. Writes in place need no new disk space, so a full disk is met before anything is touched.

A write that fails is never shown to HDF5, which cannot close a file after one: from then on everything is held in
memory, `failure` says why, and the owner gives up with `discard`. The journal is also the lock: one writer a file.
"""

import io
import os
import struct
import sys
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

from airsim_seg.disk import Disk, lock
from airsim_seg.errors import CorruptFile, StorageError

PAGE = 4096
_MAGIC = b"ASEGJRN1"
_HEAD = struct.Struct("<8sQI")  # magic, end of the file after the commit, number of pages
_ENTRY = struct.Struct("<QI")  # offset, length
_CRC = struct.Struct("<I")


def journal_path(path: Path) -> Path:
    """Where the journal of a file lies: beside it."""
    return path.with_name(path.name + ".journal")


class JournalledFile(io.RawIOBase):
    """The file object that h5py is given (`h5py.File(JournalledFile(path), "r+")`).

    Attributes:
        failure: the first error of the disk, or None.
    """

    def __init__(
        self, path: Path, *, initial: bytes | None = None, replace: bool = False, disk: Disk | None = None
    ) -> None:
        """Lock the file, bring it to its last commit and open it; with `initial`, make it, whole or not at all.

        Args:
            path: the file.
            initial: what a new file begins with; None opens one that is there.
            replace: a new file may take the place of an old one.
            disk: for tests.

        Raises:
            StorageError: another process writes to it, it exists although it should be made, or the disk refuses.
        """
        super().__init__()
        self.failure: OSError | None = None
        self._path, self._disk = path, disk or Disk()
        self._held: dict[int, bytearray] = {}
        self._position = 0
        self._journal = lock(journal_path(path), path)
        try:
            if initial is None:
                _replay(path, self._journal, self._disk)
            elif path.exists() and not replace:
                raise StorageError(f"{path} exists already: resume it, remove it or choose another name.")
            else:
                self._disk.truncate(self._journal, 0)
                _create(path, initial, self._disk)
            self._file = io.FileIO(path, "r+")
            self._size = os.fstat(self._file.fileno()).st_size
            self._committed = min(self._size, _stored_end(self._file) or self._size)
            self._disk.sync_folder(path.parent)
        except BaseException as error:
            self._release()
            if isinstance(error, OSError):
                raise StorageError(f"{path} cannot be written ({error.strerror or error}).") from error
            raise

    # ---- what HDF5 calls

    def readable(self) -> bool:
        """Yes."""
        return True

    def writable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset; from the end HDF5 asks for the length only."""
        self._position = offset + (self._size if whence == os.SEEK_END else 0)
        return self._position

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer: zeros behind the end, held pages before what is on disk."""
        view = memoryview(buffer).cast("B")
        start, end = self._position, self._position + len(view)
        self._file.seek(start)
        done = 0
        while done < len(view) and (count := self._file.readinto(view[done:])):
            done += count
        view[done:] = bytes(len(view) - done)
        for number in range(start // PAGE, -(-end // PAGE)) if self._held else ():
            if (page := self._held.get(number)) is not None:
                low, high = max(start, number * PAGE), min(end, (number + 1) * PAGE)
                view[low - start : high - start] = page[low - number * PAGE : high - number * PAGE]
        self._position = end
        return len(view)

    def write(self, data: Any) -> int:
        """Write at the current offset; never raises for a disk that refuses."""
        view = memoryview(data).cast("B")
        below = max(0, min(len(view), self._boundary - self._position)) if self.failure is None else len(view)
        self._hold(self._position, view[:below])
        if below < len(view):
            try:
                self._disk.write(self._file, self._position + below, view[below:])
            except OSError as error:
                self.failure = error
                self._hold(self._position + below, view[below:])
        self._position += len(view)
        self._size = max(self._size, self._position)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the length; what was committed stays on disk until the next commit."""
        self._size = self._position if size is None else size
        if self.failure is None and self._size >= self._boundary:
            try:
                self._disk.truncate(self._file, self._size)
            except OSError as error:
                self.failure = error
        return self._size

    # ---- what the owner calls

    def commit(self) -> bool:
        """Make everything written so far survive.

        Returns:
            Whether it does. True beside a `failure` means: safe in the journal, not yet copied into place.
        """
        if self.failure is not None:
            return False
        try:
            pages = self._write_journal()
        except OSError as error:
            self.failure = error
            return False
        try:
            self._copy_into_place(pages)
        except OSError as error:
            self.failure = error
        return True

    def discard(self) -> None:
        """Go back to the last commit: what is held is forgotten, what was appended is cut off."""
        self._held.clear()
        self._size = self._committed
        with suppress(OSError):
            _replay(self._path, self._journal, self._disk)
            self._disk.truncate(self._file, self._committed)

    def close(self) -> None:
        """Let go of the file and its lock. Commit first: what is held is lost."""
        if not self.closed:
            self._release()
        super().close()

    # ---- inside

    @property
    def _boundary(self) -> int:
        """First offset that may be written at once: the committed end, rounded up so that no page straddles it."""
        return -(-self._committed // PAGE) * PAGE

    def _hold(self, offset: int, data: memoryview) -> None:
        while data:
            number, inside = divmod(offset, PAGE)
            part = data[: PAGE - inside]
            page = self._held.get(number)
            if page is None:
                self._file.seek(number * PAGE)
                page = self._held[number] = bytearray((self._file.read(PAGE) or b"").ljust(PAGE, b"\0"))
            page[inside : inside + len(part)] = part
            offset, data = offset + len(part), data[len(part) :]

    def _write_journal(self) -> list[tuple[int, bytes]]:
        """Everything up to the moment of the commit; returns the held pages."""
        end = max(self._size, self._committed)
        if not self._held and end == self._committed:
            return []
        self._disk.truncate(self._file, end)
        self._disk.sync(self._file)
        pages = [(n * PAGE, bytes(page[: end - n * PAGE])) for n, page in sorted(self._held.items()) if n * PAGE < end]
        body = b"".join([_HEAD.pack(_MAGIC, end, len(pages)), *(_ENTRY.pack(o, len(d)) + d for o, d in pages)])
        try:
            self._disk.write(self._journal, 0, body + _CRC.pack(zlib.crc32(body)))
            self._disk.sync(self._journal)
        except OSError:
            self._disk.truncate(self._journal, 0)  # not written whole: the commit did not happen
            raise
        self._committed = end
        return pages

    def _copy_into_place(self, pages: list[tuple[int, bytes]]) -> None:
        for offset, data in pages:
            self._disk.write(self._file, offset, data)
        if pages:
            self._disk.sync(self._file)
        self._disk.truncate(self._journal, 0)
        self._held.clear()

    def _release(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
        empty = not os.fstat(self._journal.fileno()).st_size
        if sys.platform != "win32" and empty:
            journal_path(self._path).unlink(missing_ok=True)  # while it is locked: nobody else can be in it
        self._journal.close()
        if sys.platform == "win32" and empty:
            with suppress(OSError):  # a file that another process opened meanwhile stays, as it should
                journal_path(self._path).unlink(missing_ok=True)


def recover(path: Path) -> None:
    """Bring a file that its writer left behind to its last commit. Does nothing where there is no journal.

    Raises:
        StorageError: the folder is read-only.
    """
    if not journal_path(path).exists():
        return
    try:
        journal = lock(journal_path(path), path)
    except StorageError:
        return  # a living writer: the file is at its last commit already
    try:
        _replay(path, journal, Disk())
    except OSError as error:
        raise StorageError(f"{path} needs its journal copied in, but cannot be written ({error.strerror}).") from error
    finally:
        journal.close()


def _create(path: Path, initial: bytes, disk: Disk) -> None:
    """Make the file, whole or not at all."""
    partial = path.with_name(path.name + ".new")
    try:
        with io.FileIO(partial, "w") as file:
            disk.write(file, 0, initial)
            disk.sync(file)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    disk.sync_folder(path.parent)


def _replay(path: Path, journal: io.FileIO, disk: Disk) -> None:
    """Copy a whole journal into its file; empty the journal."""
    journal.seek(0)
    data = journal.readall() or b""
    if not data:
        return
    pages = _parse(data)
    if pages is not None:
        end, entries = pages
        with io.FileIO(path, "r+") as file:
            if os.fstat(file.fileno()).st_size < end:
                raise CorruptFile(f"{path} is cut off: its journal names {end} bytes, fewer are there; copy it again.")
            for offset, page in entries:
                disk.write(file, offset, page)
            disk.truncate(file, end)
            disk.sync(file)
    disk.truncate(journal, 0)


def _parse(data: bytes) -> tuple[int, list[tuple[int, bytes]]] | None:
    """The committed end and the pages of a journal, or None where it was not written whole."""
    body, crc = data[: -_CRC.size], data[-_CRC.size :]
    if len(data) < _HEAD.size + _CRC.size or _CRC.pack(zlib.crc32(body)) != crc:
        return None
    magic, end, count = _HEAD.unpack_from(body)
    if magic != _MAGIC:
        return None
    entries, at = [], _HEAD.size
    for _ in range(count):
        offset, length = _ENTRY.unpack_from(body, at)
        at += _ENTRY.size
        entries.append((offset, body[at : at + length]))
        at += length
    return end, entries


def _stored_end(file: io.FileIO) -> int | None:
    """The end that HDF5 noted at its last flush; bytes behind it belong to a commit that did not happen.

    HDF5 File Format Specification, II.A, "End of File Address": offset 40 in superblock versions 0 and 1, offset 28
    in 2 and 3, with 8-byte offsets (what h5py writes). None for other files.
    """
    file.seek(0)
    head = (file.read(48) or b"").ljust(48, b"\0")
    if head[:8] != b"\x89HDF\r\n\x1a\n" or head[8] > 3 or head[13 if head[8] < 2 else 9] != 8:
        return None
    return int.from_bytes(head[40:48] if head[8] < 2 else head[28:36], "little")
