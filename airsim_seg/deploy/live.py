"""Fly or drive in a simulator and segment what the camera sees, frame by frame: the truth is there to compare with.

The world stands still while a frame is segmented, so that every frame is met, 40 ms apart, however slow the network is.
What a robot would miss at that speed is told by the frames a second.
"""

from collections.abc import Callable
from pathlib import Path

from airsim_seg.collection.plans import Plan
from airsim_seg.deploy.output import PredictionWriter
from airsim_seg.deploy.predict import Outcome
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.errors import Interrupted
from airsim_seg.label_maps import LabelMap
from airsim_seg.recordings import nominal_step_ns
from airsim_seg.simulators.base import Simulator
from airsim_seg.taxonomy import CLASS_NAMES


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
    classes = segmenter.model.classes
    outcome = Outcome(folder, classes, timings=segmenter.timings)
    comparable = classes == CLASS_NAMES
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
            capture = simulator.capture()
            labels = segmenter(capture.rgb, index == 0)
            writer.append(capture.rgb, labels, index == 0)
            if comparable:
                outcome.count(label_map.lut[capture.raw_ids], labels)
            outcome.num_frames += 1
            on_frame()
    if outcome.num_frames < plan.num_frames:
        raise Interrupted(f"interrupted: {'; '.join(outcome.sentences())}.")
    return outcome
