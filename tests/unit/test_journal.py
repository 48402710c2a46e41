"""The file that HDF5 writes to, held against a plain array of bytes, and against disks that fail."""

import errno
import io
import os
import random
import signal
from pathlib import Path

import pytest

from airsim_seg.disk import Disk, interrupts_held
from airsim_seg.errors import CorruptFile, StorageError
from airsim_seg.journal import PAGE, JournalledFile, journal_path, recover


class QuickDisk(Disk):
    """Does not wait for the platter: no test here cuts the power."""

    def sync(self, file: io.FileIO) -> None:
        pass

    def sync_folder(self, folder: Path) -> None:
        pass


class DyingDisk(QuickDisk):
    """Stops working after a number of bytes, in the middle of a write, as a machine does that loses its process."""

    def __init__(self, num_bytes: int) -> None:
        self.left = num_bytes

    @property
    def dead(self) -> bool:
        return self.left <= 0

    def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
        part = memoryview(data)[: max(self.left, 0)]
        self.left -= len(data)
        super().write(file, offset, part)

    def truncate(self, file: io.FileIO, size: int) -> None:
        if not self.dead:
            super().truncate(file, size)


class Model:
    """What a file should hold: bytes now, and at every commit."""

    def __init__(self, initial: bytes) -> None:
        self.now = bytearray(initial)
        self.commits = [bytes(initial)]

    def write(self, offset: int, data: bytes) -> None:
        self.now.extend(bytes(max(0, offset - len(self.now))))
        self.now[offset : offset + len(data)] = data

    def commit(self) -> None:
        self.commits.append(bytes(self.now))


def act(file: JournalledFile, model: Model, rng: random.Random) -> None:
    """One write, here and there; every tenth time a commit."""
    offset = rng.randrange(len(model.now) + PAGE)
    data = rng.randbytes(rng.choice((1, 7, 100, 3 * PAGE)))
    file.seek(offset)
    assert file.write(data) == len(data)
    model.write(offset, data)
    if rng.random() < 0.1:
        assert file.commit()
        model.commit()


def contents(file: JournalledFile) -> bytes:
    buffer = bytearray(file.seek(0, os.SEEK_END))
    file.seek(0)
    file.readinto(buffer)
    return bytes(buffer)


@pytest.mark.parametrize("seed", range(5))
def test_reads_what_was_written_and_commits_it(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "a"
    file, model = JournalledFile(path, initial=b"begin", disk=QuickDisk()), Model(b"begin")
    for _ in range(150):
        act(file, model, rng)
        start = rng.randrange(len(model.now))
        buffer = bytearray(rng.choice((1, 50, 2 * PAGE)))
        file.seek(start)
        file.readinto(buffer)
        assert buffer == bytes(model.now[start : start + len(buffer)]).ljust(len(buffer), b"\0")
        committed = model.commits[-1]
        assert path.read_bytes()[: len(committed)] == committed, "what was committed changed on disk before a commit"
    assert contents(file) == bytes(model.now)
    file.commit()
    file.close()
    assert path.read_bytes() == bytes(model.now)
    assert not journal_path(path).exists()


@pytest.mark.parametrize("seed", range(80))
def test_death_at_any_byte_leaves_a_commit(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "a"
    JournalledFile(path, initial=b"begin", disk=QuickDisk()).close()
    disk = DyingDisk(rng.randrange(1, 300_000))
    file, model = JournalledFile(path, disk=disk), Model(b"begin")
    begun = 0
    while not disk.dead:
        begun = len(model.commits)
        act(file, model, rng)
    file._file.close()
    file._journal.close()
    file._release = lambda: None  # type: ignore[method-assign]
    recover(path)
    found = path.read_bytes()
    assert any(found.startswith(commit) for commit in model.commits[begun - 1 :])


def test_a_full_disk_raises_nothing_in_hdf5_and_loses_no_commit(tmp_path: Path) -> None:
    class FullDisk(QuickDisk):
        full = False

        def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            super().write(file, offset, data)

    disk = FullDisk()
    file = JournalledFile(tmp_path / "a", initial=b"x" * 10_000, disk=disk)
    disk.full = True
    file.seek(5)
    file.write(b"held")
    assert file.failure is None
    file.seek(20_000)
    file.write(b"appended")
    assert file.failure is not None
    assert file.failure.errno == errno.ENOSPC
    file.seek(20_000)
    buffer = bytearray(8)
    file.readinto(buffer)
    assert buffer == b"appended", "HDF5 must go on seeing what it wrote"
    assert not file.commit()
    file.discard()
    file.close()
    assert (tmp_path / "a").read_bytes() == b"x" * 10_000


def test_a_journal_that_is_not_whole_is_dropped_and_a_whole_one_is_copied_in(tmp_path: Path) -> None:
    class NoSpaceInPlace(QuickDisk):
        broken = False

        def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
            if self.broken and file.name == tmp_path / "a":
                raise OSError(errno.EIO, "broken")
            super().write(file, offset, data)

    disk = NoSpaceInPlace()
    file = JournalledFile(tmp_path / "a", initial=b"x" * 100, disk=disk)
    disk.broken = True
    file.seek(3)
    file.write(b"new")
    assert file.commit(), "the journal is whole: the commit happened"
    assert file.failure is not None
    file.close()
    whole = journal_path(tmp_path / "a").read_bytes()
    torn = bytearray(whole)
    torn[40] ^= 1
    for journal, wanted in ((torn, b"xxxxxx"), (whole[:-1], b"xxxxxx"), (whole, b"xxxnew")):
        journal_path(tmp_path / "a").write_bytes(journal)
        recover(tmp_path / "a")
        assert (tmp_path / "a").read_bytes()[:6] == wanted
        assert journal_path(tmp_path / "a").read_bytes() == b""


def test_a_file_shorter_than_its_journal_says_is_refused(tmp_path: Path) -> None:
    test_a_journal_that_is_not_whole_is_dropped_and_a_whole_one_is_copied_in(tmp_path)
    file = JournalledFile(tmp_path / "a")
    file.seek(0)
    file.write(b"once more")
    file._disk.truncate = lambda *_: None  # type: ignore[method-assign,assignment]  # the journal is not emptied
    file.commit()
    file.close()
    (tmp_path / "a").write_bytes(b"x" * 50)
    with pytest.raises(CorruptFile, match="cut off"):
        recover(tmp_path / "a")


def test_one_writer_a_file(tmp_path: Path) -> None:
    first = JournalledFile(tmp_path / "a", initial=b"x")
    with pytest.raises(StorageError, match="another process"):
        JournalledFile(tmp_path / "a")
    first.close()
    JournalledFile(tmp_path / "a").close()


def test_making_refuses_an_existing_file_and_a_missing_folder(tmp_path: Path) -> None:
    JournalledFile(tmp_path / "a", initial=b"x").close()
    with pytest.raises(StorageError, match="exists already"):
        JournalledFile(tmp_path / "a", initial=b"y")
    assert (tmp_path / "a").read_bytes() == b"x"
    with pytest.raises(StorageError, match="cannot be written"):
        JournalledFile(tmp_path / "nowhere" / "a", initial=b"y")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_interrupts_wait_for_the_end_of_the_block() -> None:
    done = []

    def work() -> None:
        with interrupts_held(), interrupts_held():
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
