"""`airsim-seg train`: one network, trained by hand."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airsim_seg.cli.experiment import adapt, read_experiment
from airsim_seg.cli.options import experiment_options, videos_option

if TYPE_CHECKING:
    import pandas as pd

    from airsim_seg.benchmark.cells import Cell
    from airsim_seg.benchmark.distributed import Team
    from airsim_seg.benchmark.experiments import Experiment
    from airsim_seg.cli.progress import StageProgress

EPILOG = """\b
Examples:
  airsim-seg train --tca-depth 4 --videos data/videos --out runs/by-hand
      trains FANet with four frames in memory, in runs/by-hand/fanet18-n4-sum-mixed-s0
  airsim-seg benchmark --config runs/by-hand/config.toml --out runs/by-hand
      scores what was trained there, and writes the report
  airsim-seg train --tca-depth 2 --aggregation gate,tiles=4 --config my.toml --weights imagenet
      your own experiment file, another memory, the backbone's weights from ImageNet (width = 1.0 only)
  torchrun --nproc-per-node 2 -m airsim_seg train --config fair --out runs/two-gpus
      two processes share the clips of each step: one a GPU, or on the CPU where there is none
\b
The same command again goes on where a stopped training was.
"""


@click.command("train", epilog=EPILOG)
@click.option(
    "--tca-depth",
    type=click.IntRange(min=0),
    default=4,
    show_default=True,
    metavar="N",
    help="Number of past frames that are remembered; 0 is the plain network.",
)
@click.option(
    "--aggregation",
    metavar="NAME",
    help="What is remembered and how it is mixed: sum, mean, gate,tiles=4, warped ...  [default: the experiment's]",
)
@click.option(
    "--model", metavar="NAME", help="Network: fanet18, fanet34, or a peer such as enet.  [default: the experiment's]"
)
@videos_option("")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/by-hand"),
    show_default=True,
    help="Folder of the run; the network goes into a folder of its own there.",
)
@click.option(
    "--config",
    metavar="FILE|NAME",
    default="demo",
    show_default=True,
    help="Experiment that says how to train: a TOML file, or one that is shipped (demo, fair, captures, memories, "
    "peers).",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights and clips.")
@experiment_options
def train(
    tca_depth: int,
    aggregation: str | None,
    model: str | None,
    videos_folder: Path,
    out: Path,
    config: str,
    seed: int,
    **changes: Any,
) -> None:
    """Train one network and keep its checkpoint, curves and settings.

    The folder is one of `airsim-seg benchmark`, which scores what it finds trained there.
    """
    from airsim_seg.benchmark.distributed import FirstRankFailed, join_team
    from airsim_seg.errors import Interrupted, TrainingError, UsageError

    experiment = read_experiment(config)
    axes = {
        "models": (model,) if model else experiment.models[:1],
        "aggregations": (aggregation,) if aggregation else experiment.aggregations[:1],
        "tca_depths": (tca_depth,),
        "seeds": (seed,),
    }
    experiment = _one_cell(adapt(experiment, **changes, axes=axes))
    with join_team(os.environ) as team:
        try:
            _train(experiment, videos_folder, out, team)
        except (FirstRankFailed, UsageError, TrainingError, Interrupted) as error:
            # All processes meet these together, and one sentence is enough.
            if team.is_first:
                raise
            raise SystemExit(error.exit_code) from error


def _one_cell(experiment: "Experiment") -> "Experiment":
    """Refuse a grid that has no cell: a network without the memory that is asked for."""
    from airsim_seg.errors import UsageError

    if not experiment.cells():
        model, aggregation = experiment.models[0], experiment.aggregations[0]
        raise UsageError(
            f"{model} cannot have the memory {aggregation!r}: choose another --aggregation, or {model}+fa."
        )
    return experiment


def _train(experiment: "Experiment", videos_folder: Path, folder: Path, team: "Team") -> None:
    """Everything after the command line is understood, in each process."""
    from dataclasses import replace

    from airsim_seg.benchmark.cell_training import train_cell
    from airsim_seg.benchmark.learning import check_recipe
    from airsim_seg.benchmark.runs import prepare_run
    from airsim_seg.errors import Interrupted

    (cell,) = experiment.cells()
    check_recipe(experiment.training, cell.reach, team)
    try:
        run = team.ask_first(lambda: prepare_run(experiment, videos_folder, folder))
        run = replace(run, device=team.device)
        with _progress(team) as progress:
            shared = "" if team.size == 1 else f", {team.size} processes"
            progress.say(f"{cell.name} on {run.device}{shared}, {experiment.training.steps} steps, in {folder}")
            progress.begin("reading the training videos", 1)
            train_frames, val_frames = run.frames("train"), run.frames("val") if team.is_first else []
            progress.advance()
            _, history = train_cell(run, cell, train_frames, val_frames, progress, team=team)
    except KeyboardInterrupt as error:
        raise Interrupted(f"Stopped; what is in {folder} is kept: run the same command again to go on.") from error
    if team.is_first:
        _report(folder, cell, history, videos_folder)


class _Silence:
    """The progress of the other processes."""

    def say(self, text: str) -> None: ...
    def begin(self, title: str, total: int) -> None: ...
    def advance(self, note: str = "") -> None: ...


def _progress(team: "Team") -> "AbstractContextManager[StageProgress | _Silence]":
    from airsim_seg.cli.progress import StageProgress

    return StageProgress() if team.is_first else nullcontext(_Silence())


def _report(folder: Path, cell: "Cell", history: "pd.DataFrame", videos_folder: Path) -> None:
    """Say what was trained, and how to score it."""
    last = history.iloc[-1]
    click.echo(
        f"Trained {len(history)} steps: loss {last['loss']:.3f}, validation mIoU "
        f"{100 * last['val_miou_input_size']:.1f} %, in {folder / cell.name}"
    )
    click.echo(f"Score it: airsim-seg benchmark --config {folder}/config.toml --videos {videos_folder} --out {folder}")
