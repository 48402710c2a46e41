"""Predict and live: labels are those of scoring, files are whole or not there, and what goes wrong is a sentence."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from toy_world import NAMES, ToyWorld
from video_files import write_video
from videos_in_memory import MemoryVideo, moving_squares

from airsim_seg.benchmark.motion import flow_motion
from airsim_seg.benchmark.scoring import NetworkPredictor, prepare_frame, score_video
from airsim_seg.collection.plans import make_plan
from airsim_seg.deploy.live import fly
from airsim_seg.deploy.predict import predict
from airsim_seg.deploy.runtimes import TorchModel
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.deploy.sources import Hdf5, Source, SourceFrame, open_source
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.errors import AirsimSegError, DataError, Interrupted, MissingData
from airsim_seg.label_maps import LabelMap
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.videos import VideoReader
from fanet import FANet

INPUT_HW, SIZE_HW = (40, 56), (48, 64)


def network(aggregation: str = "sum") -> FANet:
    torch.manual_seed(0)
    return FANet(width=1 / 8, tca_depth=2, aggregation=aggregation).eval()


def segmenter(aggregation: str = "sum") -> Segmenter:
    return Segmenter(TorchModel(StreamingGraph(network(aggregation), INPUT_HW), CLASS_NAMES))


@pytest.mark.parametrize("aggregation", ["sum", "warped"])
def test_labels_and_iou_are_those_of_scoring(tmp_path: Path, aggregation: str) -> None:
    rgb, labels = moving_squares(0, 8, SIZE_HW)
    write_video(tmp_path / "v.h5", rgb, labels)
    with open_source(str(tmp_path / "v.h5")) as source:
        outcome = predict(segmenter(aggregation), source, tmp_path / "out", made_by="test")
    predictor = NetworkPredictor(network(aggregation), lambda picture: prepare_frame(picture, INPUT_HW))
    expected = score_video(
        MemoryVideo(rgb, labels),
        predictor,
        name="v",
        num_classes=11,
        motion_of=lambda video, index: flow_motion(video, index, INPUT_HW),
        keep=range(8),
    )
    assert np.array_equal(outcome.confusion, expected.confusion)
    with VideoReader(tmp_path / "out/labels.h5") as video:
        assert video.complete
        assert video.classes == CLASS_NAMES
        for index in range(8):
            assert np.array_equal(video.labels(index), expected.kept[index])
            assert np.array_equal(video.rgb(index), rgb[index])


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


def write_film(path: Path, frames: int = 6) -> None:
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for index in range(frames):
        film.write(np.full((48, 64, 3), 30 * index, np.uint8))
    film.release()


def test_a_film_has_no_truth_and_its_own_rate(tmp_path: Path) -> None:
    write_film(tmp_path / "flight.mp4")
    with open_source(str(tmp_path / "flight.mp4")) as source:
        assert (source.name, source.rate_hz, source.num_frames) == ("flight", 10.0, 6)
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

    def frames(self) -> Iterator[SourceFrame]:
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
        ("empty.mp4", b"", "no film"),
        ("broken.h5", b"not HDF5", "broken.h5"),
    ],
)
def test_a_source_that_does_not_read_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AirsimSegError, match=says):
        open_source(str(tmp_path / name))


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


def toy_map() -> LabelMap:
    lut = np.full(256, 255, np.uint8)
    lut[[raw_id for _, raw_id in NAMES]] = [0, 2, 8, 3]
    lut[0] = 5
    return LabelMap("Toy", 1, (), lut, lut < 255, "")


def straight_ahead(frames: int = 6):
    still = np.zeros(frames)
    place = np.stack([np.linspace(0, 2, frames), still, still - 2], axis=1)
    return make_plan("drone", 25.0, place, yaw_rad=still, pitch_rad=still, roll_rad=still, parameters={})


def test_live_compares_every_frame_with_what_the_simulator_knows(tmp_path: Path) -> None:
    world = ToyWorld(size_hw=SIZE_HW)
    outcome = fly(world, straight_ahead(), segmenter(), toy_map(), tmp_path, made_by="test")
    assert outcome.num_frames == 6
    assert outcome.confusion is not None
    assert outcome.confusion.sum() == 6 * SIZE_HW[0] * SIZE_HW[1]
    assert world.time_ns == 1_000_000_000 + 5 * 40_000_000
    with VideoReader(tmp_path / "labels.h5") as video:
        assert video.num_frames == 6


def test_live_stopped_keeps_what_was_flown(tmp_path: Path) -> None:
    asked = iter([False, False, False, True])
    with pytest.raises(Interrupted, match="3 frames in"):
        fly(
            ToyWorld(size_hw=SIZE_HW), straight_ahead(), segmenter(), toy_map(), tmp_path,
            made_by="test", should_stop=lambda: next(asked),
        )  # fmt: skip
    with VideoReader(tmp_path / "labels.h5") as video:
        assert video.num_frames == 3
