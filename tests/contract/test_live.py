"""Live: every frame segmented with the motion of its training and compared with what the simulator knows."""

from pathlib import Path

import numpy as np
import pytest
from toy_world import NAMES, ToyWorld
from trained_cells import segmenter
from video_files import read_labels

from airsim_seg.benchmark.motion import rigid_motion, unknown
from airsim_seg.collection.collector import record
from airsim_seg.collection.plans import Plan, make_plan
from airsim_seg.deploy.live import fly
from airsim_seg.deploy.predict import predict
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.deploy.signature import Signature
from airsim_seg.deploy.sources import open_source
from airsim_seg.errors import Interrupted
from airsim_seg.label_maps import LabelMap
from airsim_seg.recordings import RecordingHeader, RecordingWriter
from airsim_seg.simulators.base import Capture
from airsim_seg.videos import VideoReader

SIZE_HW = (48, 64)


def toy_map() -> LabelMap:
    lut = np.full(256, 255, np.uint8)
    lut[[raw_id for _, raw_id in NAMES]] = [0, 2, 8, 3]
    lut[0] = 5
    return LabelMap("Toy", 1, (), lut, lut < 255, "")


def ahead(frames: int = 6, turn_rad: float = 0.2) -> Plan:
    """Two metres forward, turning right on the way."""
    still = np.zeros(frames)
    place = np.stack([np.linspace(0, 2, frames), still, still - 2], axis=1)
    turn = np.linspace(0, turn_rad, frames)
    return make_plan("drone", 25.0, place, yaw_rad=turn, pitch_rad=still, roll_rad=still, parameters={})


class Listening:
    """A StreamingModel of the pictures' own size that remembers what motion it was given."""

    def __init__(self) -> None:
        self.signature = Signature(SIZE_HW, (1, 2, *SIZE_HW), takes_motion=True)
        self.classes = ("this", "that")
        self.motions: list[np.ndarray] = []

    def step(self, frame: np.ndarray, motion: np.ndarray | None = None) -> np.ndarray:
        assert motion is not None
        assert frame.shape[2:] == motion.shape[2:]
        self.motions.append(motion)
        return np.zeros((1, 2, *SIZE_HW), np.float32)

    def reset(self) -> None: ...


def test_live_compares_every_frame_with_what_the_simulator_knows(tmp_path: Path) -> None:
    world = ToyWorld(size_hw=SIZE_HW)
    outcome = fly(world, ahead(), segmenter(), toy_map(), tmp_path, made_by="test")
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
            ToyWorld(size_hw=SIZE_HW), ahead(), segmenter(), toy_map(), tmp_path,
            made_by="test", should_stop=lambda: next(asked),
        )  # fmt: skip
    with VideoReader(tmp_path / "labels.h5") as video:
        assert video.num_frames == 3


def test_live_has_the_motion_of_poses_and_depth(tmp_path: Path) -> None:
    """What the network gets at each frame is rigid_motion of the two captures, at the camera's own size."""
    model = Listening()
    world, plan = ToyWorld(size_hw=SIZE_HW), ahead()
    fly(world, plan, Segmenter(model, "pose"), toy_map(), tmp_path, made_by="test")
    seen = []
    for index in range(plan.num_frames):
        world.set_pose(plan.pose(index))
        seen.append(world.capture(depth=True))
    assert np.array_equal(model.motions[0][0], unknown(SIZE_HW), equal_nan=True)
    for motion, before, now in zip(model.motions[1:], seen, seen[1:], strict=False):
        expected = rigid_motion(now.depth_m, before.depth_m, now.pose, before.pose, world.camera.matrix())
        assert np.array_equal(motion[0], expected, equal_nan=True)
        assert np.isfinite(expected).mean() > 0.5
        assert np.nanmax(np.abs(expected)) > 0.5


def test_live_without_poses_in_training_asks_for_no_depth(tmp_path: Path) -> None:
    class Shallow(ToyWorld):
        def capture(self, depth: bool = False) -> Capture:
            assert not depth
            return super().capture()

    outcome = fly(Shallow(size_hw=SIZE_HW), ahead(), segmenter("warped", "flow"), toy_map(), tmp_path, made_by="test")
    assert "(motion given)" not in outcome.sentences()[1]


def test_live_is_what_predict_makes_of_a_recording_of_the_flight(tmp_path: Path) -> None:
    world, plan = ToyWorld(size_hw=SIZE_HW), ahead()
    fly(world, plan, segmenter("warped", "pose"), toy_map(), tmp_path / "live", made_by="test")
    header = RecordingHeader(
        "Toy", plan.rate_hz, SIZE_HW, world.camera.matrix(), "camera", {"made by": "a test"}, NAMES, has_depth=True
    )
    with RecordingWriter.create(tmp_path / "recording.h5", header) as writer:
        record(world, plan, writer, on_frame=lambda _: None, should_stop=lambda: False)
    with open_source(str(tmp_path / "recording.h5")) as source:
        predict(segmenter("warped", "pose"), source, tmp_path / "predicted", made_by="test")
    assert np.array_equal(read_labels(tmp_path / "live/labels.h5"), read_labels(tmp_path / "predicted/labels.h5"))


def test_live_says_why_there_is_no_iou(tmp_path: Path) -> None:
    model = Listening()
    outcome = fly(ToyWorld(size_hw=SIZE_HW), ahead(2), Segmenter(model), toy_map(), tmp_path, made_by="test")
    assert outcome.confusion is None
    assert "no IoU: the truth has 11 classes" in outcome.sentences()[-1]
    assert "not the network's 2 (this, that)" in outcome.sentences()[-1]
