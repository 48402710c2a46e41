"""Recordings: what goes in comes out, and what does not fit is refused at the border."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import h5py
import numpy as np
import pytest
from recording_frames import SIZE_HW, make_frame, make_header

from airsim_seg.errors import CorruptFile, DataError, MissingData, UsageError
from airsim_seg.recordings import RecordingReader, RecordingWriter, nominal_step_ns
from airsim_seg.types import Pose

NAN_MATRIX = np.full((3, 3), np.nan)


def write(path: Path, frames: int = 3, **header: object) -> Path:
    with RecordingWriter.create(path, make_header(**header)) as writer:
        for k in range(frames):
            writer.append(make_frame(k))
        writer.finish()
    return path


@pytest.mark.parametrize("compression", ["lzf", "gzip", None])
def test_everything_comes_back(tmp_path: Path, compression: str | None) -> None:
    path = tmp_path / "new" / "a.h5"
    header = make_header(has_depth=True)
    depth = np.linspace(0, 100, 48, dtype=np.float32).reshape(SIZE_HW)
    with RecordingWriter.create(path, header, commit_every=2, rgb_compression=compression) as writer:
        for k in range(5):
            writer.append(make_frame(k, depth_m=depth + k))
            assert writer.num_frames == k + 1
            assert writer.num_committed == (k + 1) // 2 * 2
        writer.finish()
    with RecordingReader(path) as reader:
        found = reader.header
        for name in ("environment", "rate_hz", "size_hw", "poses", "provenance", "objects", "has_depth"):
            assert getattr(found, name) == getattr(header, name), name
        assert np.array_equal(found.camera_matrix, header.camera_matrix)
        assert reader.complete
        assert reader.num_frames == 5
        for k in range(5):
            frame = make_frame(k)
            assert frame.pose is not None
            assert np.array_equal(reader.rgb(k), frame.rgb)
            assert np.array_equal(reader.raw_ids(k), frame.raw_ids)
            assert np.array_equal(reader.depth_m(k), depth + k)
            assert np.array_equal(reader.position_m[k], frame.pose.position_m)
            assert np.allclose(reader.orientation_wxyz[k], frame.pose.orientation_wxyz, atol=1e-15)
            assert (reader.time_ns[k], reader.sim_time_ns[k]) == (frame.time_ns, frame.sim_time_ns)
            assert (reader.wall_time_ns[k], reader.segment_start[k]) == (frame.wall_time_ns, k == 0)


def test_the_file_is_the_contracts(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path / "a.h5")) as file:
        assert file.attrs["schema"] == "airsim-seg/recording"
        assert file["rgb"].chunks == (1, *SIZE_HW, 3)
        assert file["raw_ids"].chunks == (1, *SIZE_HW)
        assert {name: (d.dtype, d.shape[1:]) for name, d in file.items() if name != "objects"} == {
            "rgb": (np.uint8, (*SIZE_HW, 3)),
            "raw_ids": (np.uint8, SIZE_HW),
            "time_ns": (np.int64, ()),
            "sim_time_ns": (np.int64, ()),
            "wall_time_ns": (np.int64, ()),
            "position_m": (np.float64, (3,)),
            "orientation_wxyz": (np.float64, (4,)),
            "segment_start": (np.bool_, ()),
        }
        assert [(row["name"].decode(), int(row["raw_id"])) for row in file["objects"]][2] == ("Häuschen", 3)


def test_no_poses_no_rate_no_objects(tmp_path: Path) -> None:
    header = make_header(poses="none", rate_hz=0, objects=(), camera_matrix=NAN_MATRIX)
    with RecordingWriter.create(tmp_path / "a.h5", header) as writer:
        for k in range(3):
            writer.append(make_frame(k, pose=None, time_ns=k))
    with RecordingReader(tmp_path / "a.h5") as reader:
        assert not reader.complete
        assert reader.time_ns.tolist() == [0, 1, 2], "without a rate, time counts frames"
        assert np.isnan(reader.position_m).all()
        assert np.isnan(reader.orientation_wxyz).all()
        assert reader.header.objects == ()
        assert reader.depth_m(0) is None


def test_resume_goes_on_where_the_time_left_off(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with RecordingWriter.create(path, make_header()) as writer:
        for k in range(3):
            writer.append(make_frame(k))
    with RecordingWriter.resume(path) as writer:
        assert writer.num_frames == 3
        assert writer.header.provenance == {"seed": 7}
        with pytest.raises(DataError, match="due at 120000000"):
            writer.append(make_frame(4))
        writer.append(make_frame(3))
        writer.append(make_frame(9, segment_start=True))
        writer.set_provenance({"seed": 8})
        writer.finish()
    with RecordingReader(path) as reader:
        assert reader.segment_start.tolist() == [True, False, False, False, True]
        assert reader.header.provenance == {"seed": 8}


@pytest.mark.parametrize("rate_hz", [24.0, 29.97, 30.0, 7.0])
def test_time_steps_from_the_segments_first_frame_without_drift(tmp_path: Path, rate_hz: float) -> None:
    with RecordingWriter.create(tmp_path / "a.h5", make_header(rate_hz=rate_hz), commit_every=1000) as writer:
        for k in range(60):
            writer.append(make_frame(k, time_ns=5 + round(k * 1e9 / rate_hz)))
        late = 5 + round(60 * 1e9 / rate_hz) + 1
        with pytest.raises(DataError, match="a gap must start a segment"):
            writer.append(make_frame(60, time_ns=late))
        writer.append(make_frame(60, time_ns=late, segment_start=True))
    assert nominal_step_ns(60, rate_hz) == late - 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rgb": np.zeros((6, 9, 3), np.uint8)}, r"rgb of frame 1 .* is uint8 \(6, 9, 3\)"),
        ({"rgb": np.zeros((6, 8, 3), np.float32)}, "rgb of frame 1 .* is float32"),
        ({"rgb": None}, "rgb of frame 1"),
        ({"raw_ids": np.zeros((8, 6), np.uint8)}, "raw_ids of frame 1"),
        ({"raw_ids": np.zeros((6, 8), np.int32)}, "raw_ids of frame 1 .* is int32"),
        ({"depth_m": np.zeros((6, 8), np.float32)}, "depth is there in some frames"),
        ({"time_ns": 40_000_001}, "due at 40000000"),
        ({"time_ns": 0, "segment_start": True}, "not after the frame before"),
        ({"pose": None}, "brings no pose"),
        ({"pose": Pose(np.array([np.nan, 0, 0]), np.array([1.0, 0, 0, 0]))}, "finite"),
        ({"pose": Pose(np.zeros(3), np.array([0.0, 0, 0, 0]))}, r"length 0\.0000"),
        ({"pose": Pose(np.zeros(2), np.array([1.0, 0, 0, 0]))}, "3 . 4 finite numbers"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_and_changes_nothing(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with RecordingWriter.create(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_frame(0))
        with pytest.raises(DataError, match=message):
            writer.append(make_frame(1, **changes))
        writer.append(make_frame(1))
        writer.finish()
    with RecordingReader(tmp_path / "a.h5") as reader:
        assert reader.num_frames == 2


def test_the_first_frame_must_start_a_segment(tmp_path: Path) -> None:
    with (
        RecordingWriter.create(tmp_path / "a.h5", make_header()) as writer,
        pytest.raises(DataError, match="must start a segment"),
    ):
        writer.append(make_frame(0, segment_start=False))


def test_orientations_are_brought_to_unit_length_from_float32(tmp_path: Path) -> None:
    rounded = Pose.from_euler([0, 0, 0], yaw_rad=1).orientation_wxyz.astype(np.float32) * np.float32(1.00001)
    with RecordingWriter.create(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_frame(0, pose=Pose(np.zeros(3), rounded)))
    with RecordingReader(tmp_path / "a.h5") as reader:
        assert abs(np.linalg.norm(reader.orientation_wxyz[0]) - 1) < 1e-12


@pytest.mark.parametrize(
    "changes",
    [
        {"rate_hz": -1.0},
        {"rate_hz": np.nan},
        {"size_hw": (0, 8)},
        {"camera_matrix": np.eye(4)},
        {"poses": "perhaps"},
        {"objects": (("a", 256),)},
        {"environment": "../../etc"},
        {"environment": ""},
    ],
)
def test_a_header_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(DataError):
        make_header(**changes)


def test_commit_every_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="commit_every"):
        RecordingWriter.create(tmp_path / "a.h5", make_header(), commit_every=0)


def read_in_worker(reader: RecordingReader) -> list[int]:
    return [int(reader.raw_ids(k).sum()) for k in range(reader.num_frames)]


@pytest.fixture(scope="module")
def worker() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("opened", [False, True])
def test_a_reader_travels_to_other_processes(tmp_path: Path, worker: ProcessPoolExecutor, opened: bool) -> None:
    with RecordingReader(write(tmp_path / "a.h5")) as reader:
        if opened:
            reader.rgb(0)
        wanted = [int(make_frame(k).raw_ids.sum()) for k in range(3)]
        assert read_in_worker(pickle.loads(pickle.dumps(reader))) == wanted
        assert worker.submit(read_in_worker, reader).result() == wanted


def test_a_closed_reader_opens_again(tmp_path: Path) -> None:
    reader = RecordingReader(write(tmp_path / "a.h5"))
    before = reader.raw_ids(1)
    reader.close()
    assert np.array_equal(reader.raw_ids(1), before)
    reader.close()


def test_frames_outside_are_an_index_error(tmp_path: Path) -> None:
    with RecordingReader(write(tmp_path / "a.h5")) as reader:
        for index in (3, -1):
            with pytest.raises(IndexError, match=f"frame {index} of 3"):
                reader.rgb(index)


def test_what_is_no_recording_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    for use in (lambda: RecordingReader(path).num_frames, lambda: RecordingWriter.resume(path)):
        path.unlink(missing_ok=True)
        with pytest.raises(MissingData, match="is not there"):
            use()
        path.write_bytes(b"not HDF5")
        with pytest.raises(CorruptFile, match="does not open as HDF5"):
            use()
        with h5py.File(path, "w") as file:
            file["x"] = 1
        with pytest.raises(CorruptFile, match="is not an airsim-seg/recording file"):
            use()
        with h5py.File(path, "r+") as file:
            file.attrs.update({"schema": "airsim-seg/recording", "schema_version": 2})
        with pytest.raises(CorruptFile, match=r"schema version 2.*update airsim-seg"):
            use()
        with h5py.File(path, "r+") as file:
            file.attrs["schema_version"] = 1
        with pytest.raises(CorruptFile, match="lacks the"):
            use()


def test_damaged_contents_are_refused_with_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["provenance"] = "{"
        file["raw_ids"].id.write_direct_chunk((1, 0, 0), b"not gzip")
    with RecordingReader(path) as reader:
        with pytest.raises(CorruptFile, match="provenance is not JSON"):
            _ = reader.header
        reader.raw_ids(0)
        with pytest.raises(CorruptFile, match="raw_ids of frame 1 does not read"):
            reader.raw_ids(1)


def test_a_recording_whose_datasets_differ_in_length_is_not_resumed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["rgb"].resize(2, axis=0)
        file.attrs.modify("complete", False)
    with pytest.raises(CorruptFile, match="different lengths"):
        RecordingWriter.resume(path)
    with h5py.File(path, "r+") as file:
        del file["segment_start"]
    with pytest.raises(CorruptFile, match="lacks a dataset"):
        RecordingWriter.resume(path)
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"], "no lock stays"
