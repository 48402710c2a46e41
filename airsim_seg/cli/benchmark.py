"""`airsim-seg benchmark`: what does a network gain from time?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airsim_seg.cli.experiment import adapt, read_experiment
from airsim_seg.cli.options import ManyValues, experiment_options, videos_option

if TYPE_CHECKING:
    from airsim_seg.benchmark.experiments import Experiment

EPILOG = """\b
Examples:
  airsim-seg benchmark --tca-depths 0 2 4 6
      compares four depths on the videos below data/videos, in runs/<experiment>
  airsim-seg benchmark --tca-depths 0 4 --config fair --seeds 0 1 2 --out runs/fair
      an experiment that is shipped with the package, three seeds
  airsim-seg benchmark --tca-depths 0 4 --aggregations sum gate warped --models fanet18 enet
      other memories, other networks
  airsim-seg benchmark --config my.toml --videos data/videos --environment Neighborhood
      your own experiment file
\b
The same command again goes on where a stopped run was; finished cells are skipped.
"""


@click.command("benchmark", cls=ManyValues, epilog=EPILOG)
@click.option(
    "--tca-depths",
    type=click.IntRange(min=0),
    multiple=True,
    metavar="N ...",
    help="Numbers of past frames whose context is added, one cell each.  [default: the experiment's, 0 2 4 6]",
)
@click.option(
    "--models",
    multiple=True,
    metavar="NAME ...",
    help="Networks: fanet18, fanet34, enet, pidnet-s ... (an unknown name lists them).  [default: the experiment's]",
)
@click.option(
    "--aggregations",
    multiple=True,
    metavar="NAME ...",
    help="What is remembered and how it is mixed: sum, mean, decay, lags, gate, local, warped, netwarp, "
    "propagate, with settings such as gate,tiles=4 or mean,stride=5.  [default: the experiment's, sum]",
)
@videos_option("")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run.  [default: runs/<name of the experiment>]",
)
@click.option(
    "--config",
    metavar="FILE|NAME",
    help="Experiment: a TOML file, or one that is shipped (demo, fair, captures, memories, peers).  "
    "[default: demo on a CPU, fair on a GPU]",
)
@click.option("--seeds", type=click.IntRange(min=0), multiple=True, metavar="S ...", help="Training seeds.")
@experiment_options
def benchmark(
    tca_depths: tuple[int, ...],
    models: tuple[str, ...],
    aggregations: tuple[str, ...],
    videos_folder: Path,
    out: Path | None,
    config: str | None,
    seeds: tuple[int, ...],
    **changes: Any,
) -> None:
    """Train and score networks with several depths of temporal context, and write a report.

    Every depth sees the same frames for the same number of steps from the same initial weights. Videos are split
    whole into train, val and test.
    """
    for flag, values in (("--tca-depths", tca_depths), ("--seeds", seeds)):
        if len(set(values)) < len(values):
            raise click.UsageError(f"{flag} names a number more than once.")
    experiment = _choose(config)
    axes = {"models": models, "aggregations": aggregations, "tca_depths": tca_depths, "seeds": seeds}
    experiment = adapt(experiment, **changes, axes={name: values for name, values in axes.items() if values})
    _run(experiment, videos_folder, out or Path("runs") / experiment.name)


def _choose(config: str | None) -> "Experiment":
    from airsim_seg.benchmark.environment import choose_device

    if config is None:
        on_gpu = choose_device().type == "cuda"
        config = "fair" if on_gpu else "demo"
        click.echo(
            f"Experiment {config}: it fits {'the GPU' if on_gpu else 'a machine without GPU'} (--config chooses)."
        )
    return read_experiment(config)


def _run(experiment: "Experiment", videos_folder: Path, folder: Path) -> None:
    from airsim_seg.benchmark.grid import execute
    from airsim_seg.benchmark.report.build import write_report
    from airsim_seg.benchmark.runs import prepare_run
    from airsim_seg.cli.benchmark_view import print_results
    from airsim_seg.cli.progress import StageProgress
    from airsim_seg.errors import Interrupted

    try:
        run = prepare_run(experiment, videos_folder, folder)
        click.echo(
            f"{len(experiment.cells())} cells on {run.device}, {experiment.training.steps} steps each, in {folder}"
        )
        with StageProgress() as progress:
            results = execute(run, progress)
            progress.begin("report", 1)
            report = write_report(results)
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"Stopped; finished cells and checkpoints are kept in {folder}: run the same command again to go on."
        ) from error
    print_results(results)
    click.echo(f"Report: {report}")
