"""What is asked of a disk and of the operating system, and Ctrl-C kept out of the middle of it."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from airsim_seg.errors import StorageError


class Disk:
    """The things asked of a disk. Tests stand in for it with disks that fill up, or lose what was not synced."""

    def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
        """Write all of data at an offset."""
        file.seek(offset)
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]

    def truncate(self, file: io.FileIO, size: int) -> None:
        """Make the file exactly this long, with zeros where it grows."""
        file.truncate(size)

    def sync(self, file: io.FileIO) -> None:
        """Return when what was written has reached the disk."""
        os.fsync(file.fileno())

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder have reached the disk (Windows needs and knows no such thing)."""
        if sys.platform != "win32":
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        StorageError: not allowed, or a file stands in the way.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made ({error.strerror}): choose another place with --out.") from error


def lock(where: Path, path: Path) -> io.FileIO:
    """Open a file and lock it for the writer of another; the operating system unlocks it when the process dies.

    Args:
        where: the file to lock; made if it is not there.
        path: the file that it stands for, for the message.

    Raises:
        StorageError: another process has the lock, or the disk refuses.
    """
    while True:
        try:
            journal = io.FileIO(os.open(where, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+")
        except OSError as error:
            raise StorageError(f"{path} cannot be written ({error.strerror}).") from error
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(journal.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(journal.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            journal.close()
            raise StorageError(f"{path} is being written by another process: wait for it, or stop it.") from error
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(journal.fileno()), where.stat()):
                return journal
        journal.close()  # its last owner removed it between our opening and our locking


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done: inside HDF5 it would be taken for a disk that refuses."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if caught and callable(before):
            before(*caught[0])
