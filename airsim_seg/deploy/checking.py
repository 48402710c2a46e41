"""An export held against PyTorch, frame by frame, each with its own memory; and the frames that int8 is fitted to."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from airsim_seg.deploy.exported import Check
from airsim_seg.deploy.footage import CALIBRATION_FRAMES, CHECK_FRAMES, stream
from airsim_seg.deploy.runtimes import GraphModel, OpenVinoModel
from airsim_seg.deploy.signature import Array
from airsim_seg.deploy.trained import TrainedNetwork

CALIBRATION_EVERY = 3  # frames between two samples of a video: neighbours at 25 Hz are nearly the same picture

Advance = Callable[[], None]


def calibration_limit(reach: int) -> int:
    """Frames of each video that are streamed for calibration, if its memory reaches so many frames back."""
    return reach + CALIBRATION_EVERY * (CALIBRATION_FRAMES - 1)


def check_limit(reach: int) -> int:
    """Frames of each video that are compared."""
    return reach + CHECK_FRAMES


def calibration_samples(
    model: GraphModel, paths: Sequence[Path], trained: TrainedNetwork, advance: Advance
) -> list[dict[str, Array]]:
    """Collect what a float32 model sees on real video: of each one the first frame, then frames with a full memory.

    Args:
        model: streams the videos.
        paths: of the videos.
        trained: the network that the model is of.
        advance: called after each frame.

    Returns:
        Inputs by name; the memory in them is what streaming has put there.
    """
    reach, samples = trained.cell.reach, []
    with one_torch_thread():
        for path in paths:
            for index, seen in enumerate(stream(path, trained, model.signature.input_hw, calibration_limit(reach))):
                if seen.segment_start:
                    model.reset()
                if index == 0 or (index >= reach and (index - reach) % CALIBRATION_EVERY == 0):
                    samples.append(model.inputs(seen.frame, seen.motion))
                model.step(seen.frame, seen.motion)
                advance()
    return samples


def compare(
    candidate: GraphModel, reference: GraphModel, paths: Sequence[Path], trained: TrainedNetwork, advance: Advance
) -> Check:
    """Stream videos through both, each from an empty memory, on one thread of PyTorch.

    Args:
        candidate: opened with one thread.
        reference: PyTorch in float32.
        paths: of the videos.
        trained: the network that both are of.
        advance: called after each frame.
    """
    equal: list[float] = []
    spent_ms: dict[str, list[float]] = {"candidate": [], "reference": []}
    with one_torch_thread():
        for path in paths:
            for seen in stream(path, trained, reference.signature.input_hw, check_limit(trained.cell.reach)):
                labels = []
                for name, model in (("candidate", candidate), ("reference", reference)):
                    if seen.segment_start:
                        model.reset()
                    began = time.process_time()
                    logits = model.step(seen.frame, seen.motion)
                    spent_ms[name].append(1e3 * (time.process_time() - began))
                    labels.append(logits.argmax(1))
                equal.append(float(np.mean(labels[0] == labels[1])))
                advance()
    return Check(
        label_agreement=statistics.fmean(equal),
        num_frames=len(equal),
        videos=tuple(path.stem for path in paths),
        precision=candidate.precision if isinstance(candidate, OpenVinoModel) else "f32",
        cpu_ms=round(statistics.median(spent_ms["candidate"]), 2),
        torch_cpu_ms=round(statistics.median(spent_ms["reference"]), 2),
    )


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """One thread inside: on a busy machine several wait for each other longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
