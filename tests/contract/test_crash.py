"""kill -9, a power cut, a full disk, Ctrl-C: a recording holds every committed frame, byte for byte, and goes on."""

import errno
import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from airsim_seg.disk import Disk
from airsim_seg.errors import CorruptFile, StorageError, UsageError
from airsim_seg.journal import JournalledFile, journal_path
from airsim_seg.recordings import RecordingHeader, RecordingReader, RecordingWriter
from airsim_seg.types import Frame, Pose
from airsim_seg.videos import VideoHeader, VideoWriter

SIZE_HW = (24, 32)
HEADER = RecordingHeader("Neighborhood", 25.0, SIZE_HW, np.eye(3), "camera", {"made by": "a test"}, (("Tree_1", 181),))
COMMIT_EVERY = 3
IDENTITY = np.array([1.0, 0, 0, 0])


def make_frame(k: int) -> Frame:
    """Frame k, always the same."""
    rng = np.random.default_rng(k)
    rgb = rng.integers(0, 255, (*SIZE_HW, 3), np.uint8)
    raw_ids = rng.integers(0, 255, SIZE_HW, np.uint8)
    return Frame(k * 40_000_000, k, -1, rgb, raw_ids, Pose(np.array([k, 0.5, -k]), IDENTITY), k == 0)


def check_frames(path: Path) -> int:
    """Compare every frame with what was written; return how many there are."""
    with RecordingReader(path) as recording:
        for k in range(recording.num_frames):
            wanted = make_frame(k)
            assert np.array_equal(recording.rgb(k), wanted.rgb)
            assert np.array_equal(recording.raw_ids(k), wanted.raw_ids)
            assert recording.position_m[k].tolist() == [k, 0.5, -k]
        assert recording.time_ns.tolist() == [k * 40_000_000 for k in range(recording.num_frames)]
        assert recording.objects == (("Tree_1", 181),)
        return recording.num_frames


def check_resumes(path: Path, at_least: int, *, until: int) -> None:
    """The file holds at_least frames, can be resumed to `until`, and is then complete and plain HDF5."""
    kept = check_frames(path)
    assert kept >= at_least
    with RecordingWriter.resume(path, commit_every=COMMIT_EVERY) as writer:
        assert writer.num_frames == kept
        for k in range(kept, max(until, kept)):
            writer.append(make_frame(k))
        writer.finish()
    assert check_frames(path) == max(until, kept)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with h5py.File(path) as plain:
        assert plain.attrs["complete"]


# ---- kill -9

VICTIM = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_crash import COMMIT_EVERY, HEADER, RecordingWriter, make_frame
writer = RecordingWriter.create(Path(sys.argv[2]), HEADER, commit_every=COMMIT_EVERY)
k = 0
while True:
    writer.append(make_frame(k))
    k += 1
    print(writer.num_frames, writer.num_committed, flush=True)
"""


@pytest.mark.parametrize("seed", range(8))
def test_kill_9_keeps_what_was_committed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.h5"
    command = [sys.executable, "-c", VICTIM, str(Path(__file__).parent), str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as victim:
        assert victim.stdout is not None
        told = [victim.stdout.readline() for _ in range(random.Random(seed).randrange(1, 60))]
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    _, committed = (int(word) for word in told[-1].split())
    if not journal_path(path).read_bytes():
        with h5py.File(path) as plain:
            assert len(plain["time_ns"]) == len(plain["rgb"]) >= committed
    check_resumes(path, committed, until=70)


# ---- the same at chosen bytes: from then on nothing reaches the disk any more


class DyingDisk(Disk):
    """Dies after a number of bytes, in the middle of a write."""

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

    def sync(self, file: io.FileIO) -> None:
        pass


def abandon(writer: RecordingWriter) -> None:
    """Let go of a writer as death does: nothing is written, nothing is tidied, the lock falls."""
    store: JournalledFile = writer._frames._store
    store.failure = OSError("dead")
    store._release = lambda: (store._file.close(), store._journal.close())  # type: ignore[method-assign,assignment,func-returns-value]
    store._disk.write = store._disk.truncate = lambda *_: None  # type: ignore[method-assign,assignment]
    with pytest.raises(StorageError):
        writer.close()


@pytest.mark.parametrize("seed", range(30))
def test_death_at_any_byte_keeps_what_was_committed(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.h5"
    RecordingWriter.create(path, HEADER).close()
    disk = DyingDisk(random.Random(seed).randrange(1, 250_000))
    writer = RecordingWriter.resume(path, commit_every=COMMIT_EVERY, disk=disk)
    committed = 0
    while not disk.dead:
        committed = writer.num_committed
        writer.append(make_frame(writer.num_frames))
    abandon(writer)
    check_resumes(path, committed, until=12)


# ---- a power cut: what was not synced may be there, in part, in any order, or not at all


class ForgetfulDisk(Disk):
    """Knows what each file holds for certain, and what is still on its way."""

    def __init__(self, num_steps: int) -> None:
        self.left = num_steps
        self.certain: dict[Path, bytes] = {}
        self.pending: dict[Path, list[Callable[[bytearray], None]]] = {}

    def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
        copy = bytes(data)

        def do(image: bytearray) -> None:
            image.extend(bytes(max(0, offset - len(image))))
            image[offset : offset + len(copy)] = copy

        self._step(file, do)
        super().write(file, offset, data)

    def truncate(self, file: io.FileIO, size: int) -> None:
        def do(image: bytearray) -> None:
            image.extend(bytes(max(0, size - len(image))))
            del image[size:]

        self._step(file, do)
        super().truncate(file, size)

    def sync(self, file: io.FileIO) -> None:
        if self.left > 0:
            path = Path(os.fspath(file.name)) if not isinstance(file.name, int) else self.journal
            self.certain[path] = path.read_bytes()
            self.pending[path] = []

    def _step(self, file: io.FileIO, do: Callable[[bytearray], None]) -> None:
        path = Path(os.fspath(file.name)) if not isinstance(file.name, int) else self.journal
        self.certain.setdefault(path, path.read_bytes())
        if self.left > 0:
            self.pending.setdefault(path, []).append(do)
        self.left -= 1

    journal = Path()

    def cut(self, rng: random.Random) -> None:
        """Leave in every file what is certain and any part of the rest."""
        for path, image in self.certain.items():
            found = bytearray(image)
            for do in self.pending.get(path, []):
                if rng.random() < 0.5:
                    do(found)
            path.write_bytes(found)


@pytest.mark.parametrize("seed", range(40))
def test_a_power_cut_keeps_what_was_committed(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "a.h5"
    RecordingWriter.create(path, HEADER).close()
    disk = ForgetfulDisk(rng.randrange(1, 150))
    disk.journal = journal_path(path)
    writer = RecordingWriter.resume(path, commit_every=COMMIT_EVERY, disk=disk)
    committed = 0
    while disk.left > 0:
        committed = writer.num_committed
        writer.append(make_frame(writer.num_frames))
    abandon(writer)
    disk.cut(rng)
    check_resumes(path, committed, until=12)


# ---- a full disk


class FullDisk(Disk):
    """Takes a number of bytes and then no more, as a file system does that is full."""

    def __init__(self, num_bytes: int) -> None:
        self.left = num_bytes

    def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
        new = max(0, offset + len(data) - os.fstat(file.fileno()).st_size)
        fits = memoryview(data)[: len(data) - max(0, new - self.left)]
        self.left = max(0, self.left - new)
        super().write(file, offset, fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, file: io.FileIO) -> None:
        pass


@pytest.mark.parametrize("seed", range(20))
def test_a_full_disk_keeps_what_was_committed_and_says_so(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.h5"
    RecordingWriter.create(path, HEADER).close()
    disk = FullDisk(random.Random(seed).randrange(1, 60_000))
    writer = RecordingWriter.resume(path, commit_every=COMMIT_EVERY, disk=disk)

    def fill() -> None:
        with writer:
            while True:
                writer.append(make_frame(writer.num_frames))

    with pytest.raises(StorageError, match=r"No space left.* are kept: free some space") as refused:
        fill()
    kept = writer.num_committed
    assert f"first {kept} frames" in str(refused.value)
    with h5py.File(path) as plain:
        assert len(plain["time_ns"]) == kept
    check_resumes(path, kept, until=12)


def test_a_full_disk_leaves_nothing_of_a_video(tmp_path: Path) -> None:
    header = VideoHeader("Neighborhood", 25.0, SIZE_HW, np.eye(3), "none", {}, {})
    labels = np.zeros(SIZE_HW, np.uint8)

    def fill(num_bytes: int) -> None:
        with VideoWriter(tmp_path / "a.h5", header, disk=FullDisk(num_bytes)) as video:
            for k in range(12):
                f = make_frame(k)
                video.append(
                    labels, rgb=f.rgb, time_ns=f.time_ns, sim_time_ns=-1, pose=None, segment_start=f.segment_start
                )
            video.finish()

    fill(10_000_000)
    before = (tmp_path / "a.h5").read_bytes()
    for num_bytes in range(1_000, 40_000, 3_000):
        with pytest.raises(StorageError):
            fill(num_bytes)
        assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]
        assert (tmp_path / "a.h5").read_bytes() == before


# ---- Ctrl-C, two writers, files cut off


def test_ctrl_c_inside_a_write_keeps_the_frame_whole(tmp_path: Path) -> None:
    class CtrlCDisk(Disk):
        armed = False

        def write(self, file: io.FileIO, offset: int, data: bytes | memoryview) -> None:
            if self.armed:
                self.armed = False
                signal.raise_signal(signal.SIGINT)
            super().write(file, offset, data)

    disk = CtrlCDisk()
    with RecordingWriter.create(tmp_path / "a.h5", HEADER, disk=disk) as writer:
        writer.append(make_frame(0))
        disk.armed = True
        writer.append(make_frame(1))
        with pytest.raises(KeyboardInterrupt):
            writer.commit()
        assert writer.num_committed == 2
    check_resumes(tmp_path / "a.h5", 2, until=5)


def test_one_writer_a_recording_and_none_on_a_complete_one(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with RecordingWriter.create(path, HEADER) as first:
        first.append(make_frame(0))
        for open_second in (RecordingWriter.resume, lambda p: RecordingWriter.create(p, HEADER)):
            with pytest.raises(StorageError, match="another process"):
                open_second(path)
        assert check_frames(path) == 0, "a reader sees the last commit"
        first.finish()
    with pytest.raises(UsageError, match="complete"):
        RecordingWriter.resume(path)
    with pytest.raises(StorageError, match="exists already"):
        RecordingWriter.create(path, HEADER)
    assert check_frames(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_a_recording_cut_off_anywhere_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with RecordingWriter.create(path, HEADER) as writer:
        for k in range(4):
            writer.append(make_frame(k))
        writer.finish()
    whole = path.read_bytes()
    for size in (0, 1, 7, 8, 47, 48, 500, 4096, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        for use in (check_frames, RecordingWriter.resume):
            with pytest.raises(CorruptFile, match=r"a\.h5 does not open as HDF5"):
                use(path)
        assert path.read_bytes() == whole[:size], "a damaged file is evidence: leave it alone"
