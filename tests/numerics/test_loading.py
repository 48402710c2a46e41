"""Loading: the same batches with and without workers, and what is said when a worker or a file dies."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import NUM_CLASSES, SMALL, TIMES, Tiny, same_bits
from video_files import write_fleet

from airsim_seg.benchmark.clips import WHOLE, ClipSampler, Share
from airsim_seg.benchmark.frames import VideoFrames
from airsim_seg.benchmark.loading import load_batches
from airsim_seg.benchmark.motion import flow_motion
from airsim_seg.benchmark.training import train
from airsim_seg.errors import CorruptFile, Interrupted, TrainingError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    write_fleet(folder, drones=2, cars=1, frames=8, num_classes=NUM_CLASSES)
    return folder / "Testland"


def sampler(folder: Path, *, memory: bool, motion=None, kind=ClipSampler) -> ClipSampler:
    videos = [VideoFrames(path.stem, path, SMALL.input_hw, motion) for path in sorted(folder.glob("*.h5"))]
    chosen = [video.load() for video in videos] if memory else videos
    return kind(chosen, clip_length=3, clips_per_step=2, seed=0, augment=True)


def load(draw: ClipSampler, workers: int, first=0, last=4, share: Share = WHOLE) -> list:
    with load_batches(draw, first, last, workers=workers, share=share, pin_memory=False) as batches:
        return list(batches)


@pytest.mark.parametrize("share", [WHOLE, Share(1, 2)])
def test_workers_give_the_batches_that_memory_gives(folder, share):
    expected = load(sampler(folder, memory=True, motion=flow_motion), 0, 1, 5, share)
    found = load(sampler(folder, memory=False, motion=flow_motion), 2, 1, 5, share)
    assert len(found) == len(expected) == 4
    for ours, theirs in zip(found, expected, strict=True):
        assert len(ours.images) == 6 // share.parts
        for name, value in vars(theirs).items():
            assert np.array_equal(getattr(ours, name).numpy(), value.numpy(), equal_nan=name == "motion")
    assert not torch.equal(found[0].images, found[1].images)


def test_training_with_workers_ends_with_the_same_bits(folder, tmp_path):
    """Dropout included: workers take nothing from torch's randomness. One run is stopped, and goes on with workers."""
    nets, histories = [], []
    for workers in (0, 1):
        net, recipe = Tiny(), replace(SMALL, workers=workers)
        histories.append(train(net, sampler(folder, memory=not workers), recipe, tmp_path / str(workers), seed=0))
        nets.append(net)

    def press(report):
        if report.step == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted, match="step 3 is kept"):
        train(Tiny(), sampler(folder, memory=True), SMALL, tmp_path / "2", seed=0, on_step=press)
    net, recipe = Tiny(), replace(SMALL, workers=1)
    histories.append(train(net, sampler(folder, memory=False), recipe, tmp_path / "2", seed=0))
    assert all(same_bits(nets[0], other) for other in (*nets[1:], net))
    for history in histories:
        assert (history["data_seconds"] < history["seconds"]).all()
        assert history.drop(columns=TIMES).equals(histories[0].drop(columns=TIMES))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_breaks_is_a_sentence_with_its_name(folder, tmp_path, workers):
    copy = tmp_path / "drone.h5"
    copy.write_bytes(next(folder.glob("drone*")).read_bytes())
    draw = sampler(tmp_path, memory=False)
    copy.write_bytes(copy.read_bytes()[:600])
    with pytest.raises(CorruptFile) as caught:
        load(draw, workers)
    assert "drone.h5" in str(caught.value)
    assert "\n" not in str(caught.value)


class Dying(ClipSampler):
    """Kills the process that asks for the second step, as the kernel does where memory runs out."""

    def sample(self, step, share=WHOLE):
        if step == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().sample(step, share)


def test_a_worker_that_dies_is_a_sentence(folder):
    with pytest.raises(TrainingError, match=r"reads the training videos died.*Set workers below 1") as caught:
        load(sampler(folder, memory=False, kind=Dying), 1)
    assert "\n" not in str(caught.value)
