"""Training: one loop, read from top to bottom.

Protocol "fair": every frame of every clip is supervised, early ones with the history that they have; all depths of a
seed start from the same weights and see the same clips with the same augmentation for the same number of steps.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.clips import Batch, ClipSampler
from airsim_seg.benchmark.interrupts import deferred_interrupt
from airsim_seg.benchmark.loss import class_weights, draw_lattice, resize_at, supervised_loss
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.errors import Interrupted, TrainingError
from fanet import FANet

HISTORY_NAME = "history.csv"
BAD_BATCH_NAME = "bad_batch.pt"

Validate = Callable[[nn.Module, int], dict[str, float]]


@dataclass(frozen=True)
class StepReport:
    """What a progress bar wants to know after each step.

    Attributes:
        step: steps done, 1..steps.
        steps: of the whole run.
        loss: of this step's batch.
        learning_rate: that this step used.
        seconds: wall time of this step, data included.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    seconds: float


def build_network(tca_depth: int, *, num_classes: int, width: float, seed: int, backbone: str = "resnet18") -> FANet:
    """Make a FANet whose initial weights depend on seed (and shape) alone: every depth starts from the same ones.

    Args:
        tca_depth: N.
        num_classes: channels of the logits.
        width: factor on all channels.
        seed: of the initial weights.
        backbone: "resnet18" or "resnet34".

    Returns:
        The network on the CPU, in channels-last memory order (a fifth faster to train there).
    """
    net = FANet(num_classes=num_classes, backbone=backbone, width=width, tca_depth=tca_depth)
    net.reset_parameters(torch.Generator().manual_seed(seed))
    return net.to(memory_format=torch.channels_last)


def train(
    net: nn.Module,
    sampler: ClipSampler,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    on_step: Callable[[StepReport], None] | None = None,
    validate: Validate | None = None,
) -> pd.DataFrame:
    """Train a network, or go on where folder's checkpoint of the same run stopped.

    On one machine with one number of threads, a run that was stopped and resumed ends with the same bits as one that
    was not.

    Args:
        net: called as net(images, None, segment_start) -> (logits, state), with an attribute num_classes; on the device
            to train on; trained in place and left in eval mode.
        sampler: draws the clips of each step.
        recipe: how to train.
        folder: receives checkpoint.pt and history.csv; made if needed.
        seed: of the run: names it in the checkpoint, and seeds torch's randomness for networks with dropout.
        on_step: called after each step.
        validate: called with the network in eval mode and the step; its figures become columns of the history.

    Returns:
        One row per step: step, loss, learning_rate, seconds, and validate's figures where it ran.

    Raises:
        TrainingError: the loss is not finite (the batch is saved), or folder's checkpoint is of another run.
        CorruptFile: folder's checkpoint does not read.
        Interrupted: Ctrl-C; the checkpoint is saved, the same call goes on from it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _torch_settings(recipe.threads, seed), deferred_interrupt() as interrupted:
        run = _Run(net, sampler, recipe, folder, seed)
        run.resume()
        try:
            while run.step < recipe.steps:
                began = time.perf_counter()
                rate = float(run.schedule.get_last_lr()[0])
                loss = run.learn(sampler.sample(run.step))
                report = StepReport(run.step, recipe.steps, loss, rate, time.perf_counter() - began)
                run.history.append(
                    {"step": report.step, "loss": loss, "learning_rate": rate, "seconds": report.seconds}
                )
                if validate and run.is_due(recipe.validate_every):
                    run.history[-1] |= validate(net.eval(), run.step)
                if on_step:
                    on_step(report)
                if run.is_due(recipe.checkpoint_every):
                    run.save()
                if interrupted():
                    raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise Interrupted(run.save_after_interrupt()) from interrupt
    net.eval()
    return pd.DataFrame(run.history)


@dataclass(eq=False)
class _Run:
    """All that a checkpoint must hold, and the one step of the loop."""

    net: nn.Module
    sampler: ClipSampler
    recipe: Recipe
    folder: Path
    seed: int
    step: int = 0
    between_steps: bool = True
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = next(self.net.parameters()).device
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.net, self.recipe.weight_decay), fused=True)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=self.recipe.peak_learning_rate,
            div_factor=self.recipe.peak_learning_rate / self.recipe.learning_rate,
            total_steps=self.recipe.steps + 1,  # it is stepped once more after the last
        )
        weights = class_weights(self.sampler, num_classes_of(self.net), self.recipe.class_weighting)
        self.class_weights = weights.to(self.device)

    def learn(self, batch: Batch) -> float:
        """Do one optimiser step and return its loss."""
        self.between_steps = False
        self.net.train()
        batch = batch.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            logits, labels = self.supervised(batch)
        loss = supervised_loss(logits.float(), labels, self.class_weights)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        gradient_norm = nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip_gradient_norm)
        if not math.isfinite(loss.item() + gradient_norm.item()):
            self.refuse(batch, loss.item())
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        self.between_steps = True
        return loss.item()

    def supervised(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits and labels of the pixels that this step learns from: all, or a lattice of them, see loss_stride."""
        if self.recipe.loss_stride == 1:
            return self.net(batch.images, None, batch.segment_start)[0], batch.labels
        rows, columns = draw_lattice(batch.labels.shape[1:], self.recipe.loss_stride)
        coarse, _ = self.net(batch.images, None, batch.segment_start, full_size=False)
        logits = resize_at(coarse, batch.labels.shape[1:], rows, columns)
        return logits, batch.labels[:, rows[:, None], columns]

    def is_due(self, every: int) -> bool:
        """Say whether something that happens every so many steps, and at the end, happens now."""
        return self.step == self.recipe.steps or (every > 0 and self.step % every == 0)

    def refuse(self, batch: Batch, loss: float) -> None:
        """Stop on a loss or gradient that is not finite; the weights are still those of the step before."""
        path = self.folder / BAD_BATCH_NAME
        checkpoints.save(path, vars(batch) | {"step": self.step + 1})
        raise TrainingError(
            f"The loss ({loss:g}) or its gradient is not finite at step {self.step + 1} of {self.recipe.steps}: lower "
            f"peak_learning_rate ({self.recipe.peak_learning_rate:g}), or look at the batch, saved in {path}."
        )

    def identity(self) -> dict[str, Any]:
        """What must be equal for a checkpoint to be of this run."""
        settings = asdict(self.recipe)
        for changeable in ("checkpoint_every", "threads"):
            del settings[changeable]
        return settings | {
            "seed": self.seed,
            "network": f"{type(self.net).__name__}({self.net.extra_repr()})",
            "parameters": sum(p.numel() for p in self.net.parameters()),
            "training data": self.sampler.fingerprint(),
        }

    def save(self) -> None:
        """Write checkpoint and history, each whole or not at all."""
        content = {
            "schema": checkpoints.SCHEMA,
            "schema_version": checkpoints.SCHEMA_VERSION,
            "identity": self.identity(),
            "step": self.step,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": torch.get_rng_state(),
            "history": self.history,
        }
        checkpoints.save(self.folder / checkpoints.FILE_NAME, content)
        history = pd.DataFrame(self.history)
        checkpoints.write_atomically(self.folder / HISTORY_NAME, lambda file: history.to_csv(file, index=False))

    def resume(self) -> None:
        """Go back to the folder's checkpoint, if there is one."""
        path = self.folder / checkpoints.FILE_NAME
        if not path.exists():
            return
        content = checkpoints.read(path)
        checkpoints.check_same_run(path, content["identity"], self.identity())
        self.net.load_state_dict(content["net"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.schedule.load_state_dict(content["schedule"])
        torch.set_rng_state(content["rng"])
        self.history = content["history"]
        self.step = content["step"]

    def save_after_interrupt(self) -> str:
        """Save if the weights belong to a step, and say what was kept."""
        path = self.folder / checkpoints.FILE_NAME
        if self.between_steps and self.step > 0:
            self.save()
            kept = f"step {self.step} is kept in {path}"
        else:
            kept = f"the last checkpoint is kept in {path}" if path.exists() else "nothing was kept yet"
        return (
            f"Training stopped in step {self.step} of {self.recipe.steps}; {kept}: run the same command again to go on."
        )


def num_classes_of(net: nn.Module) -> int:
    """Read a network's num_classes attribute."""
    num_classes = getattr(net, "num_classes", None)
    if not isinstance(num_classes, int):
        raise TypeError(f"{type(net).__name__} has no num_classes: a network to train must say how many it tells apart")
    return num_classes


def _parameter_groups(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices and kernels; leave vectors (BatchNorm's factors and offsets, biases) alone."""
    parameters = list(net.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


@contextmanager
def _torch_settings(threads: int, seed: int) -> Iterator[None]:
    """Set torch's threads and randomness for the run, and put both back."""
    threads_before = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads or threads_before)
        try:
            yield
        finally:
            torch.set_num_threads(threads_before)
