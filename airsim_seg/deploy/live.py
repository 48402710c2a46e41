"""Fly or drive in a simulator and segment what the camera sees, frame by frame: the truth is there to compare with.

The world stands still while a frame is segmented, so that every frame is met, 40 ms apart, however slow the network is.
What a robot would miss at that speed is told by the frames a second.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from airsim_seg.benchmark.motion import pose_motion, unknown
from airsim_seg.collection.plans import Plan
from airsim_seg.deploy.output import PredictionWriter
from airsim_seg.deploy.predict import Outcome
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.errors import Interrupted
from airsim_seg.label_maps import LabelMap
from airsim_seg.recordings import nominal_step_ns
from airsim_seg.simulators.base import Capture, Simulator
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.types import BoolArray, Float32Array, Float64Array, UInt8Array


def fly(
    simulator: Simulator,
    plan: Plan,
    segmenter: Segmenter,
    label_map: LabelMap,
    folder: Path,
    *,
    made_by: str,
    should_stop: Callable[[], bool] = lambda: False,
    on_frame: Callable[[], None] = lambda: None,
) -> Outcome:
    """Go along a plan; each frame is drawn, segmented and compared before the next.

    A network that was trained with motion from poses gets it from the simulator's depth and poses, as a recording of
    the flight would give it.

    Args:
        simulator: paused.
        plan: where the camera goes.
        segmenter: of the trained network.
        label_map: raw ids to classes: the truth, where its classes are the network's.
        folder: receives overlay.mp4 and labels.h5.
        made_by: name of the network, for labels.h5.
        should_stop: asked before each frame.
        on_frame: called after each.

    Raises:
        Interrupted: should_stop said so; the frames until then are kept.
        SimulatorLost, UnknownColours, StorageError, DataError: nothing stays.
    """
    classes, input_hw = segmenter.model.classes, segmenter.model.signature.input_hw
    camera_matrix = simulator.camera.matrix()
    comparable = classes == CLASS_NAMES
    outcome = Outcome(folder, classes, timings=segmenter.timings, truth_classes=() if comparable else CLASS_NAMES)
    before: Capture | None = None
    with PredictionWriter(
        folder,
        simulator.camera.size_hw,
        plan.rate_hz,
        classes,
        environment=label_map.environment,
        made_by=made_by,
        source=f"live {plan.vehicle} {plan.sha256()[:12]}",
    ) as writer:
        for index in range(plan.num_frames):
            if should_stop():
                break
            if index:
                simulator.advance(nominal_step_ns(index, plan.rate_hz) - nominal_step_ns(index - 1, plan.rate_hz))
            simulator.set_pose(plan.pose(index))
            capture = simulator.capture(depth=segmenter.wants_poses)
            motion = motion_between(before, capture, camera_matrix, input_hw) if segmenter.wants_poses else None
            labels = segmenter(capture.rgb, index == 0, motion)
            before = capture
            writer.append(capture.rgb, labels, index == 0)
            if comparable:
                outcome.count(label_map.lut[capture.raw_ids], labels)
            outcome.num_frames += 1
            on_frame()
    if outcome.num_frames < plan.num_frames:
        raise Interrupted(f"interrupted: {'; '.join(outcome.sentences())}.")
    return outcome


def motion_between(
    before: Capture | None, capture: Capture, camera_matrix: Float64Array, size_hw: tuple[int, int]
) -> Float32Array:
    """Motion from depth and poses of two captures; see motion.pose_motion.

    Args:
        before: the frame before, with depth; None at the first.
        capture: this frame, with depth.
        camera_matrix: float64 [3,3] of both, pixels.
        size_hw: (height, width) of the network's input.

    Returns:
        float32 [2,h,w], pixels from capture to before, NaN = unknown.
    """
    if before is None:
        return unknown(size_hw)
    return pose_motion(_TwoFrames((before, capture), camera_matrix), 1, size_hw)


@dataclass(frozen=True, eq=False)
class _TwoFrames:
    """A flight's last two captures, to be read as the video that a recording of them would become."""

    captures: tuple[Capture, Capture]
    camera_matrix: Float64Array

    @property
    def segment_start(self) -> BoolArray:
        return np.array([True, False])

    @property
    def position_m(self) -> Float64Array:
        return np.stack([capture.pose.position_m for capture in self.captures])

    @property
    def orientation_wxyz(self) -> Float64Array:
        return np.stack([capture.pose.orientation_wxyz for capture in self.captures])

    def rgb(self, index: int, /) -> UInt8Array:
        return self.captures[index].rgb

    def depth_m(self, index: int, /) -> Float32Array | None:
        return self.captures[index].depth_m
