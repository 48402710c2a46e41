"""Training: one loop, read from top to bottom.

Protocol "fair": every frame of every clip is supervised, early ones with the history that they have (unless the recipe
says otherwise); all depths of a seed start from the same weights and see the same clips with the same augmentation for
the same number of steps. What happens in a step stands in learning.py, with several processes in distributed.py.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.clips import Batch, ClipSampler, Share
from airsim_seg.benchmark.distributed import Team, alone
from airsim_seg.benchmark.interrupts import deferred_interrupt
from airsim_seg.benchmark.learning import Learner, NotFinite
from airsim_seg.benchmark.loading import load_batches
from airsim_seg.benchmark.loss import class_weights
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.errors import Interrupted, TrainingError

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
        data_seconds: of it, until the batch was there.
    """

    step: int
    steps: int
    loss: float
    learning_rate: float
    seconds: float
    data_seconds: float


def train(
    net: nn.Module,
    sampler: ClipSampler,
    recipe: Recipe,
    folder: Path,
    *,
    seed: int,
    on_step: Callable[[StepReport], None] | None = None,
    validate: Validate | None = None,
    team: Team | None = None,
    origin: str | None = None,
) -> pd.DataFrame:
    """Train a network, or go on where folder's checkpoint of the same run stopped.

    On one machine with one number of threads and processes, a run that was stopped and resumed ends with the same bits
    as one that was not.

    Args:
        net: called as net(images, None, segment_start, motion) -> (logits, state), with an attribute num_classes; on
            the device to train on; trained in place and left in eval mode.
        sampler: draws the clips of each step.
        recipe: how to train.
        folder: receives checkpoint.pt and history.csv; made if needed.
        seed: of the run: names it in the checkpoint, and seeds torch's randomness for networks with dropout.
        on_step: called after each step.
        validate: called with the network in eval mode and the step; its figures become columns of the history.
        team: the processes that train this network together; only the first writes, validates and calls on_step.
        origin: what the weights were initialised from, for the checkpoint; None: at random, or as a checkpoint says.

    Returns:
        One row per step: step, loss, learning_rate, seconds, data_seconds (of them, waiting for the batch), and
        validate's figures where it ran.

    Raises:
        UsageError: the recipe does not fit the network, the device or the team; see learning.check_recipe.
        TrainingError: the loss is not finite (the batch is saved), or folder's checkpoint is of another run.
        CorruptFile: folder's checkpoint does not read.
        Interrupted: Ctrl-C; the checkpoint is saved, the same call goes on from it.
    """
    team = team or alone(next(net.parameters()).device)
    with _torch_settings(recipe.threads, seed), deferred_interrupt() as interrupted:
        run = _Run(net, sampler, recipe, folder, seed, team, origin)
        run.resume()
        try:
            with run.load_batches() as batches:
                while run.step < recipe.steps:
                    report = run.learn(batches)
                    if validate and team.is_first and run.is_due(recipe.validate_every):
                        run.history[-1] |= validate(net.eval(), run.step)
                    if on_step and team.is_first:
                        on_step(report)
                    if run.is_due(recipe.checkpoint_every):
                        run.save()
                    if team.any(interrupted()):
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
    team: Team
    origin: str | None
    step: int = 0
    between_steps: bool = True
    history: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        weights = class_weights(self.sampler, num_classes_of(self.net), self.recipe.class_weighting)
        self.learner = Learner(self.net, self.recipe, weights, self.team)
        self.folder.mkdir(parents=True, exist_ok=True)

    def load_batches(self) -> AbstractContextManager[Iterator[Batch]]:
        """Start to load this rank's clips of the steps that are left."""
        return load_batches(
            self.sampler,
            self.step,
            self.recipe.steps,
            workers=self.recipe.workers,
            share=Share(self.team.rank, self.team.size),
            pin_memory=self.team.device.type == "cuda",
        )

    def learn(self, batches: Iterator[Batch]) -> StepReport:
        """Do one optimiser step, and write it into the history."""
        began = time.perf_counter()
        batch = next(batches)
        loaded = time.perf_counter()
        self.between_steps = False
        try:
            loss, rate = self.learner.learn(batch, self.step)
        except NotFinite as error:
            raise self.refusal(error) from error
        self.step += 1
        seconds = {"seconds": time.perf_counter() - began, "data_seconds": loaded - began}
        self.history.append({"step": self.step, "loss": loss, "learning_rate": rate} | seconds)
        self.between_steps = True
        return StepReport(self.step, self.recipe.steps, loss, rate, **seconds)

    def is_due(self, every: int) -> bool:
        """Say whether something that happens every so many steps, and at the end, happens now."""
        return self.step == self.recipe.steps or (every > 0 and self.step % every == 0)

    def refusal(self, error: NotFinite) -> TrainingError:
        """Save the batch, of all ranks, that gave no finite loss or gradient; the weights are of the step before."""
        path = self.folder / BAD_BATCH_NAME
        if self.team.is_first:
            checkpoints.save(path, vars(self.sampler.sample(self.step)) | {"step": self.step + 1})
        return TrainingError(
            f"The loss ({error}) or its gradient is not finite at step {self.step + 1} of {self.recipe.steps}: lower "
            f"peak_learning_rate ({self.recipe.peak_learning_rate:g}), or look at the batch, saved in {path}."
        )

    def identity(self) -> dict[str, Any]:
        """What must be equal for a checkpoint to be of this run."""
        settings = asdict(self.recipe)
        for changeable in ("checkpoint_every", "threads", "workers"):
            del settings[changeable]
        return settings | {
            "seed": self.seed,
            "network": f"{type(self.net).__name__}({self.net.extra_repr()})",
            "parameters": sum(p.numel() for p in self.net.parameters()),
            "training data": self.sampler.fingerprint(),
        }

    def save(self) -> None:
        """Write checkpoint and history, each whole or not at all."""
        if not self.team.is_first:
            return
        content = {
            "schema": checkpoints.SCHEMA,
            "schema_version": checkpoints.SCHEMA_VERSION,
            "identity": self.identity(),
            "origin": self.origin,
            "step": self.step,
            "rng": torch.get_rng_state(),
            "history": self.history,
        }
        checkpoints.save(self.folder / checkpoints.FILE_NAME, content | self.learner.state_dict())
        history = pd.DataFrame(self.history)
        checkpoints.write_atomically(self.folder / HISTORY_NAME, lambda file: history.to_csv(file, index=False))

    def resume(self) -> None:
        """Go back to the folder's checkpoint, if there is one."""
        path = self.folder / checkpoints.FILE_NAME
        if not path.exists():
            return
        content = checkpoints.read(path, checkpoints.RUN)
        checkpoints.check_same_run(path, content["identity"], self.identity())
        if self.origin is not None:
            checkpoints.check_same_run(path, content, {"origin": self.origin})
        self.origin = content["origin"]
        self.learner.load_state_dict(content)
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
