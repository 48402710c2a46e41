"""Predict: labels are those of scoring, files are whole or not there, and what goes wrong is a sentence."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from trained_cells import INPUT_HW, network, segmenter
from video_files import read_labels, toy_flight, write_video
from videos_in_memory import moving_squares

from airsim_seg.benchmark.motion import SOURCES
from airsim_seg.benchmark.scoring import NetworkPredictor, prepare_frame, score_video
from airsim_seg.deploy.predict import predict
from airsim_seg.deploy.runtimes import TorchModel
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.deploy.sources import Hdf5, Source, SourceFrame, open_source
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.errors import AirsimSegError, CorruptFile, DataError, Interrupted, MissingData
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.videos import VideoReader

SIZE_HW = (48, 64)


@pytest.mark.parametrize(
    ("aggregation", "motion"), [("sum", "flow"), ("warped", "flow"), ("warped", "pose"), ("propagate", "pose")]
)
def test_labels_and_iou_are_those_of_scoring(tmp_path: Path, aggregation: str, motion: str) -> None:
    flight = toy_flight()
    rgb = flight["rgb"]
    write_video(tmp_path / "v.h5", **flight)
    with open_source(str(tmp_path / "v.h5")) as source:
        outcome = predict(segmenter(aggregation, motion), source, tmp_path / "out", made_by="test")
    predictor = NetworkPredictor(network(aggregation), lambda picture: prepare_frame(picture, INPUT_HW))
    with VideoReader(tmp_path / "v.h5") as video:
        expected = score_video(
            video,
            predictor,
            name="v",
            num_classes=11,
            motion_of=lambda video, index: SOURCES[motion](video, index, INPUT_HW),
            keep=range(8),
        )
    assert np.array_equal(outcome.confusion, expected.confusion)
    with VideoReader(tmp_path / "out/labels.h5") as video:
        assert video.complete
        assert video.classes == CLASS_NAMES
        for index in range(8):
            assert np.array_equal(video.labels(index), expected.kept[index])
            assert np.array_equal(video.rgb(index), rgb[index])


def test_motion_from_poses_is_another_answer_than_optical_flow(tmp_path: Path) -> None:
    """Without this the test above could not tell one source from the other."""
    write_video(tmp_path / "v.h5", **toy_flight())
    for motion in ("flow", "pose"):
        with open_source(str(tmp_path / "v.h5")) as source:
            outcome = predict(segmenter("warped", motion), source, tmp_path / motion, made_by="test")
        assert ("(motion given)" in outcome.sentences()[1]) == (motion == "pose")
    assert (read_labels(tmp_path / "flow/labels.h5") != read_labels(tmp_path / "pose/labels.h5")).any()


@pytest.mark.parametrize("missing", ["depth", "poses", "camera matrix"])
def test_a_video_that_lacks_something_gets_optical_flow(tmp_path: Path, missing: str) -> None:
    flight = toy_flight()
    write_video(tmp_path / "whole.h5", **flight)
    key = {"depth": "depth_m", "poses": "poses", "camera matrix": "camera"}[missing]
    write_video(tmp_path / "part.h5", **flight | {key: None})
    with open_source(str(tmp_path / "part.h5")) as source:
        assert source.lacks == missing
        predict(segmenter("warped", "pose"), source, tmp_path / "part", made_by="test")
    with open_source(str(tmp_path / "whole.h5")) as source:
        assert source.lacks == ""
        predict(segmenter("warped", "flow"), source, tmp_path / "flow", made_by="test")
    assert np.array_equal(read_labels(tmp_path / "part/labels.h5"), read_labels(tmp_path / "flow/labels.h5"))


def test_memory_that_does_not_move_wants_no_motion() -> None:
    assert not segmenter("sum", "pose").wants_poses
    assert segmenter("warped", "pose").wants_poses
    assert not segmenter("warped", "flow").wants_poses
    assert not segmenter("warped").wants_poses


def test_the_overlay_is_a_film_of_as_many_frames(tmp_path: Path) -> None:
    rgb, labels = moving_squares(0, 5, SIZE_HW)
    write_video(tmp_path / "v.h5", rgb, labels)
    with open_source(str(tmp_path / "v.h5")) as source:
        predict(segmenter(), source, tmp_path / "out", made_by="test")
    film = cv2.VideoCapture(str(tmp_path / "out/overlay.mp4"))
    shown = 0
    while film.read()[0]:
        shown += 1
    assert shown == 5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["labels.h5", "overlay.mp4"]


@pytest.mark.parametrize("size_hw", [(1, 1), (47, 63), (100, 130)])
def test_videos_of_other_sizes_than_the_network_s_keep_their_own(tmp_path: Path, size_hw: tuple[int, int]) -> None:
    write_video(tmp_path / "v.h5", np.zeros((3, *size_hw, 3), np.uint8), np.zeros((3, *size_hw), np.uint8))
    with open_source(str(tmp_path / "v.h5")) as source:
        outcome = predict(segmenter("warped"), source, tmp_path / "out", made_by="test")
    assert outcome.confusion is not None
    assert outcome.confusion.sum() == 3 * size_hw[0] * size_hw[1]
    assert read_labels(tmp_path / "out/labels.h5").shape == (3, *size_hw)
    there, shown = cv2.VideoCapture(str(tmp_path / "out/overlay.mp4")).read()
    assert there
    assert shown.shape[1] == size_hw[1] + size_hw[1] % 2  # nothing of the picture is cut off
    assert shown.shape[0] > size_hw[0]


def test_a_film_of_one_pixel(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    with open_source(str(tmp_path / "dot.png")) as source:
        assert predict(segmenter(), source, tmp_path / "out", made_by="test").num_frames == 1


def test_a_truth_of_other_classes_is_said_and_not_compared(tmp_path: Path) -> None:
    rgb, labels = moving_squares(0, 2, SIZE_HW)
    write_video(tmp_path / "v.h5", rgb, labels, classes=("ground", "a", "b", "c"))
    with open_source(str(tmp_path / "v.h5")) as source:
        outcome = predict(segmenter(), source, tmp_path / "out", made_by="test")
    assert outcome.confusion is None
    said = outcome.sentences()[-1]
    assert said.startswith("no IoU: the truth has 4 classes (ground, a, b, c), which are not the network's 11 (road,")


def test_a_truth_without_classes_is_said(tmp_path: Path) -> None:
    write_video(tmp_path / "v.h5", np.zeros((1, 8, 8, 3), np.uint8), np.full((1, 8, 8), 255, np.uint8))
    with open_source(str(tmp_path / "v.h5")) as source:
        outcome = predict(segmenter(), source, tmp_path / "out", made_by="test")
    assert outcome.sentences()[-1] == "no IoU: no pixel of the truth has a class"


def write_film(path: Path, frames: int = 6) -> None:
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for index in range(frames):
        film.write(np.full((48, 64, 3), 30 * index, np.uint8))
    film.release()


def test_a_film_has_no_truth_and_its_own_rate(tmp_path: Path) -> None:
    write_film(tmp_path / "flight.mp4")
    with open_source(str(tmp_path / "flight.mp4")) as source:
        assert (source.name, source.rate_hz, source.num_frames) == ("flight", 10.0, 6)
        assert source.lacks == "depth"
        outcome = predict(segmenter(), source, tmp_path / "out", made_by="test", limit=4)
    assert outcome.num_frames == 4
    assert outcome.confusion is None
    assert "frames a second" in " ".join(outcome.sentences())


def test_memory_is_emptied_at_a_cut() -> None:
    rgb, _ = moving_squares(0, 6, SIZE_HW)
    model = segmenter()
    for index in range(5):
        model(rgb[index], index == 0)
    after_a_cut = model(rgb[5], True)
    assert np.array_equal(after_a_cut, segmenter()(rgb[5], True))


class Interrupting(Source):
    """Five frames, then somebody presses Ctrl-C (or something breaks)."""

    def __init__(self, error: BaseException, good: int = 5) -> None:
        self.name, self.rate_hz, self.num_frames = "x", 25.0, None
        self.error, self.good = error, good

    def frames(self, motion_hw: tuple[int, int] | None = None) -> Iterator[SourceFrame]:
        assert motion_hw is None
        for index in range(self.good):
            yield SourceFrame(np.zeros((*SIZE_HW, 3), np.uint8), index == 0)
        raise self.error

    def close(self) -> None: ...


def test_ctrl_c_keeps_what_was_segmented(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="5 frames in"):
        predict(segmenter(), Interrupting(KeyboardInterrupt()), tmp_path / "out", made_by="test")
    with VideoReader(tmp_path / "out/labels.h5") as video:
        assert video.num_frames == 5
        assert video.complete


def test_ctrl_c_before_the_first_frame_is_a_sentence_too(tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="0 frames"):
        predict(segmenter(), Interrupting(KeyboardInterrupt(), good=0), tmp_path / "out", made_by="test")


def test_an_error_on_the_way_leaves_nothing_and_spares_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/overlay.mp4").write_bytes(b"older")
    with pytest.raises(DataError):
        predict(segmenter(), Interrupting(DataError("broken")), tmp_path / "out", made_by="test")
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"older"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("absent.mp4", None, "does not exist"),
        ("text.mp4", b"not a film", "no film"),
        ("empty.mp4", b"", "is empty"),
        ("empty.h5", b"", "is empty"),
        ("broken.h5", b"not HDF5", "broken.h5 does not open as HDF5"),
        ("", None, "without a name does not exist"),
    ],
)
def test_a_source_that_does_not_read_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AirsimSegError, match=says):
        open_source(str(tmp_path / name) if name else "")


@pytest.mark.parametrize("name", ["folder", "folder.h5"])
def test_a_folder_is_no_video(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(MissingData, match=f"{name} is a folder: give a film"):
        open_source(str(tmp_path / name))


def test_truncated_hdf5_is_a_sentence(tmp_path: Path) -> None:
    write_video(tmp_path / "v.h5", **toy_flight())
    whole = (tmp_path / "v.h5").read_bytes()
    for length in (7, 2000, len(whole) // 2, len(whole) - 1):
        (tmp_path / "v.h5").write_bytes(whole[:length])
        with pytest.raises(CorruptFile, match="does not open as HDF5"):
            open_source(str(tmp_path / "v.h5"))


def test_pictures_that_do_not_read_leave_nothing(tmp_path: Path) -> None:
    write_video(tmp_path / "v.h5", **toy_flight())
    with h5py.File(tmp_path / "v.h5") as file:
        place = file["rgb"].id.get_chunk_info(3).byte_offset
    with (tmp_path / "v.h5").open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 64)
    with open_source(str(tmp_path / "v.h5")) as source, pytest.raises(CorruptFile, match="rgb of frame 3"):
        predict(segmenter(), source, tmp_path / "out", made_by="test")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_empty_video_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / "v.h5", np.zeros((0, 8, 8, 3), np.uint8), np.zeros((0, 8, 8), np.uint8))
    with pytest.raises(MissingData, match="no frame"):
        Hdf5(tmp_path / "v.h5")


def test_weights_that_answer_nonsense_are_refused() -> None:
    net = network()
    net.decoder.head[-1].weight.data.fill_(torch.nan)
    broken = Segmenter(TorchModel(StreamingGraph(net, INPUT_HW), CLASS_NAMES))
    with pytest.raises(DataError, match="not finite"):
        broken(np.zeros((*SIZE_HW, 3), np.uint8), True)
