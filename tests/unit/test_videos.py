"""Videos: whole or not there, and labels of their own classes only."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from recording_frames import SIZE_HW, make_frame

from airsim_seg.errors import CorruptFile, DataError
from airsim_seg.hdf5 import Chunk
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.videos import VideoHeader, VideoReader, VideoWriter


def make_header(**changes: object) -> VideoHeader:
    values: dict[str, object] = {
        "environment": "Testland",
        "rate_hz": 25.0,
        "size_hw": SIZE_HW,
        "camera_matrix": np.eye(3),
        "poses": "camera",
        "label_map": {"name": "Testland", "version": 1, "sha256": "ab", "lut": list(range(256))},
        "source": {"file": "a.h5", "sha256": "cd"},
    }
    return VideoHeader(**(values | changes))  # type: ignore[arg-type]


def append(video: VideoWriter, k: int, **changes: object) -> None:
    frame = make_frame(k)
    values: dict[str, object] = {
        "labels": frame.raw_ids % len(video.header.classes),
        "rgb": frame.rgb,
        "time_ns": frame.time_ns,
        "sim_time_ns": frame.sim_time_ns,
        "pose": frame.pose,
        "segment_start": frame.segment_start,
    }
    video.append(**(values | changes))  # type: ignore[arg-type]


def test_everything_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.h5"
    header = make_header(has_depth=True)
    depth = np.ones(SIZE_HW, np.float32)
    with VideoWriter(path, header) as video:
        for k in range(4):
            append(video, k, depth_m=depth * k)
        assert not path.exists(), "it takes its name only when it is whole"
        video.finish()
    assert [p.name for p in path.parent.iterdir()] == ["a.h5"]
    with VideoReader(path) as reader:
        assert (reader.num_frames, reader.size_hw, reader.complete) == (4, SIZE_HW, True)
        assert (reader.environment, reader.rate_hz, reader.poses) == ("Testland", 25.0, "camera")
        assert reader.classes == CLASS_NAMES
        assert (reader.label_map, reader.source) == (header.label_map, header.source)
        assert reader.segment_start.tolist() == [True, False, False, False]
        for k in range(4):
            frame = make_frame(k)
            assert frame.pose is not None
            assert np.array_equal(reader.rgb(k), frame.rgb)
            assert np.array_equal(reader.labels(k), frame.raw_ids % 11)
            assert np.array_equal(reader.depth_m(k), depth * k)
            assert np.array_equal(reader.position_m[k], frame.pose.position_m)
        assert reader.time_ns.tolist() == [0, 40_000_000, 80_000_000, 120_000_000]
    with h5py.File(path) as file:
        assert json.loads(file.attrs["classes"]) == list(CLASS_NAMES)
        assert file["labels"].chunks == (1, *SIZE_HW)
        assert "wall_time_ns" not in file


def test_unfinished_or_failed_nothing_stays(tmp_path: Path) -> None:
    def fail() -> None:
        with VideoWriter(tmp_path / "a.h5", make_header()) as video:
            append(video, 0)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_video_that_was_there_is_replaced_by_a_whole_one_only(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    for frames, finish in ((2, True), (3, False)):
        with VideoWriter(path, make_header()) as video:
            for k in range(frames):
                append(video, k)
            if finish:
                video.finish()
    with VideoReader(path) as reader:
        assert reader.num_frames == 2


def test_what_a_killed_writer_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / "a.h5.partial").write_bytes(b"half a video")
    (tmp_path / "a.h5.partial.journal").write_bytes(b"half a journal")
    with VideoWriter(tmp_path / "a.h5", make_header()) as video:
        append(video, 0)
        video.finish()
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("label", [11, 254])
def test_a_label_without_a_class_is_refused(tmp_path: Path, label: int) -> None:
    labels = np.full(SIZE_HW, 10, np.uint8)
    with VideoWriter(tmp_path / "a.h5", make_header()) as video:
        append(video, 0, labels=labels)
        labels[2, 3] = 255
        append(video, 1, labels=labels)
        labels[2, 3] = label
        with pytest.raises(DataError, match="none of its 11 classes"):
            append(video, 2, labels=labels)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": np.zeros((8, 6), np.uint8)},
        {"labels": np.zeros(SIZE_HW, np.int64)},
        {"rgb": np.zeros(SIZE_HW, np.uint8)},
        {"pose": None},
        {"depth_m": np.ones(SIZE_HW, np.float32)},
    ],
)
def test_a_frame_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with VideoWriter(tmp_path / "a.h5", make_header()) as video, pytest.raises(DataError, match="frame 0"):
        append(video, 0, **changes)


@pytest.mark.parametrize("compression", ["lzf", "gzip", None])
def test_copied_chunks_read_as_the_pictures_they_were(tmp_path: Path, compression: str | None) -> None:
    noise = make_frame(1).rgb  # lzf gains nothing on it and leaves itself out
    flat = np.zeros((*SIZE_HW, 3), np.uint8)
    with VideoWriter(tmp_path / "a.h5", make_header(rgb_compression=compression)) as video:
        append(video, 0, rgb=noise)
        append(video, 1, rgb=flat)
        video.finish()
    with VideoReader(tmp_path / "a.h5") as source:
        assert source.copyable_compression("rgb") == compression
        chunks = [source.chunk("rgb", k) for k in range(2)]
    assert all(isinstance(chunk, Chunk) for chunk in chunks)
    with VideoWriter(tmp_path / "b.h5", make_header(rgb_compression=compression)) as video:
        for k, chunk in enumerate(chunks):
            append(video, k, rgb=chunk)
        video.finish()
    with VideoReader(tmp_path / "b.h5") as copy:
        assert np.array_equal(copy.rgb(0), noise)
        assert np.array_equal(copy.rgb(1), flat)


@pytest.mark.parametrize("options", [{"chunks": True}, {"chunks": (1, *SIZE_HW, 3), "shuffle": True}, {}])
def test_other_layouts_are_not_copied_by_chunk(tmp_path: Path, options: dict[str, object]) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update({"schema": "airsim-seg/video", "schema_version": 1})
        file.create_dataset("rgb", data=np.zeros((2, *SIZE_HW, 3), np.uint8), **options)
    with VideoReader(tmp_path / "a.h5") as reader:
        assert reader.copyable_compression("rgb") is False


@pytest.mark.parametrize("classes", [(), tuple(str(k) for k in range(256))])
def test_too_few_or_too_many_classes(classes: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="1 to 255 classes"):
        make_header(classes=classes)


def test_a_recording_is_no_video(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update({"schema": "airsim-seg/recording", "schema_version": 1})
    with pytest.raises(CorruptFile, match="is not an airsim-seg/video file"):
        _ = VideoReader(tmp_path / "a.h5").num_frames
