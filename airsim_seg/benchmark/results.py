"""What a run found: read from its folder, turned into results.csv and results.md. Counts are kept, ratios are derived.

runs/<name>/
    config.toml          the experiment, split spelled out
    environment.json     versions, machine, commit, videos with their hashes
    samples.npz          test frames that the report shows: pictures and truth
    <cell>/              checkpoint.pt, history.csv, predictions/{train,val,test}.npz, latency.json, cell.json
    results.csv          one row per cell and part of the split
    results.md           the test rows as a Markdown table
    report.html          everything, in one file
    figures/             the report's figures as PNG
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from airsim_seg.benchmark import metrics
from airsim_seg.benchmark.cells import Arm, Cell, arm_label, baseline_arm
from airsim_seg.benchmark.experiments import Experiment, reload_experiment
from airsim_seg.benchmark.latency import Latency
from airsim_seg.benchmark.scoring import SplitScore
from airsim_seg.benchmark.statistics import Difference, paired_difference
from airsim_seg.errors import CorruptFile, MissingData
from airsim_seg.splits import PARTS

BASELINES = ("majority", "colour")
BOOTSTRAP_SEED = 0  # the same run gives the same interval


@dataclass(frozen=True, eq=False)
class CellResult:
    """One finished cell.

    Attributes:
        cell: its place in the grid.
        params: trainable numbers; table entries of a baseline.
        train_seconds: wall time of the training steps; 0 for a baseline.
        scores: part -> counts.
        latency: None for a baseline, and until it is measured.
        history: one row a training step; empty for a baseline.
    """

    cell: Cell
    params: int
    train_seconds: float
    scores: dict[str, SplitScore]
    latency: Latency | None
    history: pd.DataFrame

    def miou(self, part: str = "test") -> float:
        """Dataset-level mIoU of one part."""
        return metrics.mean_iou(self.scores[part].confusions.sum(0))


@dataclass(frozen=True, eq=False)
class RunResults:
    """All that a report needs, from the run's folder alone.

    Attributes:
        folder: of the run.
        experiment: with every depth and seed that the run has ever been asked for.
        environment: as in environment.json.
        classes: names, in the order of the labels.
        cells: finished ones, ordered by model, depth and aggregation as the experiment has them, then seed.
        baselines: finished ones.
    """

    folder: Path
    experiment: Experiment
    environment: dict[str, Any]
    classes: tuple[str, ...]
    cells: tuple[CellResult, ...]
    baselines: tuple[CellResult, ...]

    @property
    def arms(self) -> list[Arm]:
        """Arms with a finished cell: by model, depth 0 first."""
        return list(dict.fromkeys(result.cell.arm for result in self.cells))

    def of(self, arm: Arm) -> list[CellResult]:
        """The finished cells of one arm, by seed."""
        return [result for result in self.cells if result.cell.arm == arm]

    def label(self, arm: Arm) -> str:
        """What tells an arm from the run's others, for instance "N=4"."""
        return arm_label(arm, self.arms)

    def difference(self, arm: Arm) -> Difference | None:
        """Test mIoU of an arm minus that of its model at N = 0 over the seeds that both have; None without a pair."""
        base = baseline_arm(arm, self.arms)
        if base is None or base == arm:
            return None
        ours, plain = ({result.cell.seed: result for result in self.of(side)} for side in (arm, base))
        seeds = sorted(ours.keys() & plain.keys())
        if not seeds:
            return None
        with_memory, without = (
            np.stack([side[seed].scores["test"].confusions for seed in seeds]) for side in (ours, plain)
        )
        return paired_difference(with_memory, without, np.random.default_rng(BOOTSTRAP_SEED))


def baseline_cell(name: str) -> Cell:
    """A baseline's place in the grid: it has no past frames, no batches and no randomness."""
    return Cell(name, 0, "none", "none", 0)


def save_cell(folder: Path, cell: Cell, *, params: int, train_seconds: float) -> None:
    """Mark a cell as finished: written last, whole or not at all."""
    write_json(folder / "cell.json", asdict(cell) | {"params": params, "train_seconds": train_seconds})


def is_finished(folder: Path) -> bool:
    """Whether a cell is trained and scored."""
    return (folder / "cell.json").is_file()


def load_cell(folder: Path) -> CellResult:
    """Read a finished cell.

    Raises:
        CorruptFile: a file of the cell is missing or damaged; delete the cell's folder and run again.
    """
    facts = read_json(folder / "cell.json")
    try:
        cell = Cell(**{key: facts[key] for key in ("model", "tca_depth", "aggregation", "batching", "seed")})
        timed = read_json(folder / "latency.json") if (folder / "latency.json").is_file() else None
        history = folder / "history.csv"
        return CellResult(
            cell=cell,
            params=int(facts["params"]),
            train_seconds=float(facts["train_seconds"]),
            scores={part: SplitScore.load(folder / "predictions" / f"{part}.npz") for part in PARTS},
            latency=Latency(**timed) if timed else None,
            history=pd.read_csv(history) if history.is_file() else pd.DataFrame(),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFile(f"{folder} is not a finished cell ({error}); delete it and run again.") from error


def load_run(folder: Path) -> RunResults:
    """Read everything that is finished in a run's folder.

    Raises:
        MissingData: no run there.
        CorruptFile: a file of it does not read.
    """
    if not (folder / "config.toml").is_file():
        raise MissingData(f"{folder} holds no run (no config.toml): make one with `airsim-seg benchmark --out`.")
    experiment = reload_experiment(folder / "config.toml")
    environment = read_json(folder / "environment.json")
    cells = experiment.cells()
    arms = {arm: place for place, arm in enumerate(sorted({cell.arm for cell in cells}, key=_place(experiment)))}
    cells.sort(key=lambda cell: (arms[cell.arm], cell.seed))
    finished = [load_cell(folder / cell.name) for cell in cells if is_finished(folder / cell.name)]
    names = [baseline_cell(name).name for name in BASELINES]
    baselines = [load_cell(folder / name) for name in names if is_finished(folder / name)]
    classes = tuple(environment["classes"])
    return RunResults(folder, experiment, environment, classes, tuple(finished), tuple(baselines))


def _place(experiment: Experiment) -> Callable[[Arm], tuple[int, int, int]]:
    def place(arm: Arm) -> tuple[int, int, int]:
        names = [*experiment.aggregations, arm.aggregation]
        return experiment.models.index(arm.model), names.index(arm.aggregation) if arm.tca_depth else -1, arm.tca_depth

    return place


def result_table(run: RunResults) -> pd.DataFrame:
    """One row per cell and part, baselines last; scores are fractions 0..1, times milliseconds."""
    rows = [_row(run, result, part) for result in (*run.cells, *run.baselines) for part in PARTS]
    return pd.DataFrame(rows)


def _row(run: RunResults, result: CellResult, part: str) -> dict[str, Any]:
    score = result.scores[part]
    confusion = score.confusions.sum(0)
    timed = result.latency.as_dict() if result.latency else {}
    times = ("fps", "latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "cpu_ms", "timed_frames", "threads")
    iou = metrics.iou_per_class(confusion)
    return {
        "model": result.cell.model,
        "tca_depth": result.cell.tca_depth,
        "aggregation": result.cell.aggregation,
        "batching": result.cell.batching,
        "protocol": run.experiment.protocol,
        "seed": result.cell.seed,
        "split": part,
        "miou": metrics.mean_iou(confusion),
        "miou_image": metrics.image_iou(score.image_accuracies),
        "pixel_accuracy": metrics.pixel_accuracy(confusion),
        "num_classes_scored": metrics.num_classes_scored(confusion),
        "num_videos": len(score.videos),
        "num_frames": len(score.image_accuracies),
        "score_every": score.score_every,
        **{name: timed.get(name, np.nan) for name in times},
        "params": result.params,
        "train_seconds": result.train_seconds,
        **{f"iou_{name.replace(' ', '_')}": value for name, value in zip(run.classes, iou, strict=True)},
    }


def write_results(run: RunResults) -> Path:
    """Write results.csv and results.md into the run's folder; returns the first."""
    table = result_table(run)
    for name in ("timed_frames", "threads"):
        table[name] = table[name].astype("Int64")
    path = run.folder / "results.csv"
    write_text(path, table.to_csv(index=False, float_format="%.6g"))
    write_text(run.folder / "results.md", markdown_table(run))
    return path


def markdown_table(run: RunResults) -> str:
    """The test rows as a Markdown table, seeds averaged."""
    lines = [
        f"# {run.experiment.name}: test videos",
        "",
        "| model | N | aggregation | seeds | mIoU (dataset) | image IoU (study) | pixel acc. | FPS | p50 ms | p99 ms |",
        "| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: |",
    ]
    table = result_table(run).query("split == 'test'")
    scores = ["miou", "miou_image", "pixel_accuracy"]
    for (model, depth, aggregation), rows in table.groupby(["model", "tca_depth", "aggregation"], sort=False):
        percent = " | ".join(f"{100 * rows[name].mean():.1f}" for name in scores)
        times = " | ".join(_number(rows[name].mean()) for name in ("fps", "latency_ms_p50", "latency_ms_p99"))
        how = aggregation if depth else "-"
        lines.append(f"| {model} | {depth} | {how} | {len(rows)} | {percent} | {times} |")
    lines += [
        "",
        "mIoU (dataset): one confusion matrix over all test pixels, mean over the classes present. "
        "Image IoU: the 2021 study's figure, accuracy / (2 - accuracy) averaged over images; "
        "never compare one with the other. Percent.",
    ]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:.1f}" if np.isfinite(value) else "-"


def write_json(path: Path, value: Any) -> None:
    """Write JSON whole or not at all."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        CorruptFile: missing or damaged; delete the folder it lies in and run again.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptFile(f"{path} does not read ({error}); delete {path.parent} and run again.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
