"""One cell of a run, trained: its network, its clips, and how it is validated on the way."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from torch import nn

from airsim_seg.benchmark import checkpoints, metrics
from airsim_seg.benchmark.cells import Cell
from airsim_seg.benchmark.clips import ClipSampler, to_batch
from airsim_seg.benchmark.distributed import Team, alone
from airsim_seg.benchmark.frames import FrameSource
from airsim_seg.benchmark.runs import Run
from airsim_seg.benchmark.training import StepReport, train

VALIDATION_BATCH = 16  # frames a forward pass when validating during training


class Progress(Protocol):
    """What the command line shows while a run goes on."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def begin(self, title: str, total: int) -> None:
        """A task of so many steps; it ends when the next begins."""

    def advance(self, note: str = "") -> None:
        """One step of it is done."""


def train_cell(
    run: Run,
    cell: Cell,
    train_frames: list[FrameSource],
    val_frames: list[FrameSource],
    progress: Progress,
    *,
    team: Team | None = None,
) -> tuple[nn.Module, pd.DataFrame]:
    """Train a cell in its folder, or go on with it; a finished one comes back as it is.

    Args:
        run: prepared; its device is that of this process.
        cell: of the run's experiment.
        train_frames: videos to learn from.
        val_frames: videos to validate on; only the first rank reads them.
        progress: shows the steps.
        team: the processes that train this cell together; None: this one alone.

    Returns:
        The network in eval mode, on the run's device, and its history.

    Raises:
        UsageError, TrainingError, CorruptFile, Interrupted: see training.train.
    """
    recipe, folder = run.experiment.training, run.folder / cell.name
    team = team or alone(run.device)
    sampler = ClipSampler(
        train_frames,
        clip_length=recipe.clip_length,
        clips_per_step=recipe.clips_per_step,
        seed=cell.seed,
        augment=recipe.augment,
        recolour=recipe.recolour,
        crop_hw=recipe.crop_hw,
    )
    net = run.network(cell)
    origin = None
    if not (folder / checkpoints.FILE_NAME).exists():
        # The other ranks are sent the first one's weights when they join.
        origin = team.ask_first(partial(_initialise, net, run, cell))
    net = net.to(run.device)
    progress.begin(f"{cell.name}: training", recipe.steps)
    history = train(
        net,
        sampler,
        recipe,
        folder,
        seed=cell.seed,
        on_step=_step_counter(progress),
        validate=partial(_validate, val_frames, len(run.classes)),
        team=team,
        origin=origin,
    )
    return net, history


def _initialise(net: nn.Module, run: Run, cell: Cell) -> str | None:
    """Put in the weights that a fresh network starts from, and say which they are."""
    start = run.initial_weights(cell)
    start.load(net)
    return start.origin


def _step_counter(progress: Progress) -> Callable[[StepReport], None]:
    """Advances the bar; the first report of a resumed training jumps to where it stopped."""
    done = 0

    def on_step(report: StepReport) -> None:
        nonlocal done
        while done < report.step:
            done += 1
            progress.advance(f"loss {report.loss:.3f}" if done == report.step else "")

    return on_step


@torch.inference_mode()
def _validate(videos: list[FrameSource], num_classes: int, net: nn.Module, step: int) -> dict[str, float]:  # noqa: ARG001
    """Dataset mIoU of the validation videos at the network's input size, for the curves."""
    device = next(net.parameters()).device
    confusion = np.zeros((num_classes, num_classes), np.int64)
    for video in videos:
        state = None
        for first in range(0, len(video.segment_start), VALIDATION_BATCH):
            batch = to_batch(video, slice(first, first + VALIDATION_BATCH))
            truth = batch.labels.to(torch.uint8).numpy()
            batch = batch.to(device)
            logits, state = net(batch.images, state, batch.segment_start, batch.motion)
            predicted = logits.argmax(1).to(torch.uint8).cpu().numpy()
            confusion += metrics.confusion_matrix(truth, predicted, num_classes)
    return {"val_miou_input_size": metrics.mean_iou(confusion)}
