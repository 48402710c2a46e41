"""A network that `airsim-seg benchmark` trained, back from its folder and ready to answer."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.cells import Cell
from airsim_seg.benchmark.experiments import Experiment, reload_experiment
from airsim_seg.benchmark.networks import build_network
from airsim_seg.benchmark.results import read_json
from airsim_seg.deploy.exported import is_export, load_export
from airsim_seg.errors import CorruptFile, MissingData, UsageError


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """One trained cell.

    Attributes:
        net: `logits, state = net(frames, state, segment_start, motion)`; eval mode, float32, on the CPU.
        classes: names, in the order of the labels.
        input_hw: (height, width) in pixels that it was trained for; other sizes work, less well.
        cell: its place in the grid; cell.name is its folder's name.
        environments: where its videos were recorded, sorted.
        folder: the cell's, with checkpoint.pt in it.
        experiment: the run's, with the split spelled out.
    """

    net: nn.Module
    classes: tuple[str, ...]
    input_hw: tuple[int, int]
    cell: Cell
    environments: tuple[str, ...]
    folder: Path
    experiment: Experiment


def load_trained(path: Path) -> TrainedNetwork:
    """Load a trained network, scored or not; no file of it can run code.

    Args:
        path: a cell's folder (runs/demo/fanet18-n4-sum-mixed-s0), or a run's with exactly one trained cell.

    Raises:
        UsageError: a run with several cells (the message lists them), or a cell that is not done or has no network.
        MissingData: neither a cell nor a run.
        CorruptFile, TrainingError: a file that is damaged, or weights of another network.
    """
    folder = find_cell(path)
    experiment, cell = _experiment_and_cell(folder)
    classes, environments = _classes_and_environments(folder.resolve().parent / "environment.json")
    net = build_network(
        cell.model,
        tca_depth=cell.tca_depth,
        aggregation=cell.aggregation,
        num_classes=len(classes),
        width=experiment.network.width,
        seed=cell.seed,
        auxiliary=experiment.training.auxiliary_weight > 0,
    )
    step = checkpoints.load_network(folder / checkpoints.FILE_NAME, net)
    if step < experiment.training.steps:
        raise UsageError(
            f"{folder} is not done yet ({step} of {experiment.training.steps} steps): go on with the command that "
            "trains it."
        )
    return TrainedNetwork(
        net=net.float().eval(),
        classes=classes,
        input_hw=experiment.training.input_hw,
        cell=cell,
        environments=environments,
        folder=folder,
        experiment=experiment,
    )


def trained_motion(path: Path) -> str | None:
    """Where motion came from in the training of a network; see benchmark/motion.py.

    Args:
        path: as open_model takes it: of a trained cell, of a run with one, or of an export.

    Returns:
        "flow" or "pose"; None where the memory does not move along it.

    Raises:
        UsageError, MissingData, CorruptFile: see load_trained and load_export.
    """
    folder = path.parent if path.is_file() else path
    if is_export(folder):
        return load_export(folder).motion
    experiment, cell = _experiment_and_cell(find_cell(path))
    return experiment.network.motion if cell.needs_motion else None


def find_cell(path: Path) -> Path:
    """The folder of the cell that a path means: itself, or the only trained cell of a run.

    Raises:
        UsageError, MissingData: see load_trained.
    """
    if _has_network(path):
        return path
    if (path / "cell.json").is_file():
        raise UsageError(f"{path} is a baseline and has no network: give the folder of another cell.")
    if not (path / "config.toml").is_file():
        raise MissingData(
            f"{path} is neither a run nor a trained cell: train one with `airsim-seg benchmark`, or give the path of "
            "one, for instance runs/demo/fanet18-n4-sum-mixed-s0."
        )
    cells = sorted(child for child in path.iterdir() if _has_network(child))
    if not cells:
        raise MissingData(f"{path} holds no trained cell yet: go on with `airsim-seg benchmark --out {path}`.")
    if len(cells) > 1:
        names = "".join(f"\n  {cell}" for cell in cells)
        raise UsageError(f"{path} holds {len(cells)} trained cells, so give one of them:{names}")
    return cells[0]


def _has_network(folder: Path) -> bool:
    return (folder / checkpoints.FILE_NAME).is_file()


def _classes_and_environments(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Both as a run's environment.json has them, the environments sorted."""
    table = read_json(path)
    try:
        environments = {str(video["environment"]) for video in table["videos"].values()}
        return tuple(map(str, table["classes"])), tuple(sorted(environments))
    except (KeyError, TypeError, AttributeError) as error:
        raise CorruptFile(
            f"{path} does not say what the network was trained on ({type(error).__name__}: {error}): train it again."
        ) from error


def _experiment_and_cell(folder: Path) -> tuple[Experiment, Cell]:
    """The run that a cell's folder lies in, and which of its cells it is: folders are named after cells."""
    run = folder.resolve().parent
    if not (run / "config.toml").is_file():
        raise MissingData(f"{folder} lies in no run (no config.toml beside it): move it back into its run's folder.")
    experiment = reload_experiment(run / "config.toml")
    for cell in experiment.cells():
        if cell.name == folder.resolve().name:
            return experiment, cell
    raise CorruptFile(
        f"{folder} is none of the cells of {run / 'config.toml'}: give it its old name back, or train it again."
    )
