"""A run before its first step: folder, experiment and videos agree, and what they are is written down."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from airsim_seg.benchmark.cells import Cell
from airsim_seg.benchmark.dataset import VideoFacts, survey_videos
from airsim_seg.benchmark.distributed import alone
from airsim_seg.benchmark.environment import choose_device, describe_environment
from airsim_seg.benchmark.experiments import Experiment, reload_experiment, save_experiment
from airsim_seg.benchmark.frames import FrameSource, VideoFrames
from airsim_seg.benchmark.initial_weights import RANDOM, InitialWeights
from airsim_seg.benchmark.learning import check_recipe
from airsim_seg.benchmark.motion import SOURCES, MotionSource
from airsim_seg.benchmark.networks import build_network
from airsim_seg.benchmark.results import read_json, write_json
from airsim_seg.errors import UsageError
from airsim_seg.splits import PARTS, Split, explicit_split, split_by_video
from airsim_seg.videos import VideoReader

ROOM_SHARE = 0.7  # of the machine's memory, for the videos to train and validate on


@dataclass(frozen=True, eq=False)
class Run:
    """A run that has been prepared: its folder, experiment and videos agree.

    Attributes:
        folder: of the run.
        experiment: what is asked for now, split spelled out.
        videos: name -> facts, those of the split alone.
        split: train, val and test.
        classes: names, in the order of the labels.
        device: to train and score on.
    """

    folder: Path
    experiment: Experiment
    videos: dict[str, VideoFacts]
    split: Split
    classes: tuple[str, ...]
    device: torch.device

    def readers(self, part: str) -> Iterator[tuple[str, AbstractContextManager[VideoReader]]]:
        """Name and unopened reader of each video of a part."""
        return ((name, VideoReader(self.videos[name].path)) for name in self.split.part(part))

    def frames(self, part: str) -> list[FrameSource]:
        """The videos of a part at the network's input size: in memory, or in their files where workers read them."""
        videos = self._in_files(part)
        if self.experiment.training.workers:
            return [*videos]
        _check_room(sum(video.num_bytes for part in ("train", "val") for video in self._in_files(part)))
        return [video.load() for video in videos]

    def _in_files(self, part: str) -> list[VideoFrames]:
        size, motion = self.experiment.training.input_hw, self.motion_source()
        return [VideoFrames(name, self.videos[name].path, size, motion) for name in self.split.part(part)]

    def network(self, cell: Cell) -> nn.Module:
        """Make the network of a cell, on the CPU, with the random weights of its seed."""
        return build_network(
            cell.model,
            tca_depth=cell.tca_depth,
            aggregation=cell.aggregation,
            num_classes=len(self.classes),
            width=self.experiment.network.width,
            seed=cell.seed,
            auxiliary=self.experiment.training.auxiliary_weight > 0,
        )

    def initial_weights(self, cell: Cell) -> InitialWeights:
        """What the network of a cell starts from.

        Raises:
            UsageError: there are no such weights.
        """
        plan = self.experiment.network
        return InitialWeights(plan.weights, cell.model, plan.width)

    def check_weights(self) -> None:
        """Try the initial weights on one network of each kind, before anything is written.

        Raises:
            UsageError: they cannot be had, or do not fit.
        """
        if self.experiment.network.weights != RANDOM:
            for cell in {cell.arm: cell for cell in self.experiment.cells()}.values():
                self.initial_weights(cell).load(self.network(cell))

    def motion_source(self) -> MotionSource | None:
        """Where motion comes from, if any cell moves what it remembers."""
        warped = any(cell.needs_motion for cell in self.experiment.cells())
        return SOURCES[self.experiment.network.motion] if warped else None

    def num_frames(self, part: str) -> int:
        """Frames of all videos of a part."""
        return sum(self.videos[name].num_frames for name in self.split.part(part))

    def sample_frames(self) -> dict[str, tuple[int, ...]]:
        """Which test frames are shown: spread evenly, in turn over the test videos."""
        wanted = self.experiment.scoring.num_pictures
        names = self.split.test
        counts = {name: len(range(turn, wanted, len(names))) for turn, name in enumerate(names)}
        return {
            name: tuple(sorted({(2 * i + 1) * self.videos[name].num_frames // (2 * count) for i in range(count)}))
            for name, count in counts.items()
        }


def _check_room(num_bytes: int) -> None:
    """Refuse videos that would take most of the machine's memory: it would swap, or kill the run.

    Raises:
        UsageError: it says how to go on.
    """
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if num_bytes > ROOM_SHARE * there:
        raise UsageError(
            f"The videos to train and validate on need {num_bytes / 1e9:.0f} GB at the network's size, and this "
            f"machine has {there / 1e9:.0f} GB: leave them in their files with --workers 2 (or "
            "more), or lower input_hw."
        )


def prepare_run(experiment: Experiment, videos_folder: Path, folder: Path) -> Run:
    """Survey the videos, settle the split, write config.toml and environment.json, or hold them against those there.

    Raises:
        UsageError: a memory longer than the clips, a precision that the device lacks, or a folder that holds a run of
            another experiment or of other videos.
        MissingData, CorruptFile, DataError: see survey_videos and split_by_video.
    """
    for cell in experiment.cells():
        check_recipe(experiment.training, cell.reach, alone(choose_device()))
    surveyed = {video.name: video for video in survey_videos(videos_folder, experiment.environment)}
    split = _settle_split(experiment, surveyed)
    videos = {name: surveyed[name] for part in PARTS for name in split.part(part)}
    resolved = experiment.with_split(split)
    classes = next(iter(videos.values())).classes
    run = Run(folder, resolved, videos, split, classes, choose_device())
    provenance = _provenance(run, videos_folder)
    if (folder / "config.toml").is_file():
        resolved = _agree(run, provenance)
    else:
        run.check_weights()
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "environment.json", provenance)
    save_experiment(resolved, folder / "config.toml")
    return run


def _settle_split(experiment: Experiment, videos: dict[str, VideoFacts]) -> Split:
    plan = experiment.split
    if plan.is_explicit:
        source = f"experiment {experiment.name}"
        return explicit_split(list(videos), train=plan.train, val=plan.val, test=plan.test, source=source)
    strata = {name: video.stratum for name, video in videos.items()}
    return split_by_video(strata, seed=plan.seed, val_share=plan.val_share, test_share=plan.test_share)


def _provenance(run: Run, videos_folder: Path) -> dict[str, Any]:
    """The content of environment.json."""
    facts = {
        video.name: {
            "environment": video.environment,
            "num_frames": video.num_frames,
            "size_hw": list(video.size_hw),
            "rate_hz": video.rate_hz,
            "sha256": video.sha256,
            "label_map": video.label_map,
        }
        for video in run.videos.values()
    }
    return describe_environment() | {
        "videos_folder": str(videos_folder),
        "classes": list(run.classes),
        "split": run.split.as_dict(),
        "videos": facts,
    }


def _agree(run: Run, provenance: dict[str, Any]) -> Experiment:
    """Check that the folder's run is this one; gives the experiment with the cells of both."""
    before = reload_experiment(run.folder / "config.toml")
    way_out = f"choose another --out, or delete {run.folder}"
    if before.without_axes() != run.experiment.without_axes():
        raise UsageError(f"{run.folder} holds a run with other settings or another split: {way_out}.")
    if read_json(run.folder / "environment.json").get("videos") != provenance["videos"]:
        raise UsageError(f"{run.folder} was made from other videos than those there now: {way_out}.")
    return run.experiment.with_axes_of(before)
