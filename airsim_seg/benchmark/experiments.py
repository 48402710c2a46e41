"""What an experiment is: one TOML file, read into frozen values, and the grid of cells that it spans."""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import tomli_w

from airsim_seg.benchmark.cells import Cell, grid_cells
from airsim_seg.benchmark.networks import BACKBONES, check_model
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.benchmark.tables import read_table, write_table
from airsim_seg.errors import CorruptFile, UsageError
from airsim_seg.shipped import shipped_folder
from airsim_seg.splits import Split
from fanet.memory import parse_memory


@dataclass(frozen=True)
class SplitPlan:
    """Which videos are for what. The three lists win where they are given; else videos are dealt out by the seed.

    Attributes:
        seed: of the deal.
        val_share: share of the videos in val, more than 0; the rest trains.
        test_share: share of the videos in test, more than 0.
        train: names of videos, `stem` or `environment/stem`; val and test alike.
        val: see train.
        test: see train.
    """

    seed: int = 0
    val_share: float = 0.2
    test_share: float = 0.25
    train: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: 0 or more is wanted.")
        if not (self.val_share > 0 and self.test_share > 0 and self.val_share + self.test_share < 1):
            raise ValueError("val_share and test_share must be more than 0 and leave something to train on.")

    @property
    def is_explicit(self) -> bool:
        """Whether the lists are given."""
        return bool(self.train or self.val or self.test)


@dataclass(frozen=True)
class NetworkPlan:
    """What every network of the grid shares.

    Attributes:
        width: factor on all channel numbers of FANet, in steps of 1/16; peers have their papers' width.
        motion: where the motion of warped memories comes from: "flow" (optical flow between the pictures) or "pose"
            (true depth and poses, for videos that have them); see benchmark/motion.py.
        weights: what they start from: "none" (random ones), "imagenet" (FANet's backbone; the rest is random), or a
            file of weights that fit every network of the grid; see benchmark/initial_weights.py.
    """

    width: float = 1.0
    motion: Literal["flow", "pose"] = "flow"
    weights: str = "none"

    def __post_init__(self) -> None:
        # torch's channels-last kernels on the CPU corrupt memory at stages of fewer than 8 or odd numbers of channels.
        if not 0.125 <= self.width <= 4 or self.width * 16 % 1:
            raise ValueError(f"width is {self.width}: 0.125 to 4 in steps of 0.0625 is wanted.")
        if not self.weights:
            raise ValueError("weights is empty: none, imagenet or the path of a file is wanted.")


@dataclass(frozen=True)
class ScoringPlan:
    """What is counted. The N frames before a scored one are always in memory, whatever these say.

    Attributes:
        score_every: val and test: compare every k-th frame with the truth.
        train_score_every: the same for the training videos, which are many and matter less.
        num_pictures: test frames whose predictions are kept and shown.
        latency_frames: timed frames a cell.
        latency_warm_up: untimed frames before each turn.
        latency_threads: torch's threads during the measurement; 0 leaves them as they are.
    """

    score_every: int = 1
    train_score_every: int = 5
    num_pictures: int = 4
    latency_frames: int = 300
    latency_warm_up: int = 10
    latency_threads: int = 0

    def __post_init__(self) -> None:
        for name, least in (("score_every", 1), ("train_score_every", 1), ("num_pictures", 0), ("latency_frames", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: {least} or more is wanted.")
        if self.latency_warm_up < 0 or self.latency_threads < 0:
            raise ValueError("latency_warm_up and latency_threads must be 0 or more.")

    def every(self, part: str) -> int:
        """Of which k every k-th frame of a part is scored."""
        return self.train_score_every if part == "train" else self.score_every


@dataclass(frozen=True)
class Experiment:
    """A whole experiment.

    Attributes:
        name: of the run; runs/<name> is where it goes by default.
        training: how each cell is trained; see benchmark/recipe.py.
        description: a sentence for the report.
        protocol: "fair": every depth sees the same frames in the same number of steps, and all of them are supervised
            (with early_frames = "context" a deeper memory has fewer that are).
        environment: take videos of this environment alone; "" takes all.
        models: networks by name, see benchmark/networks.py; an axis of the grid like the next three.
        aggregations: what is remembered and how it is mixed, see fanet/memory.py; shared by all depths but 0.
        tca_depths: numbers of past frames that are remembered.
        seeds: each depth starts from the same weights and sees the same clips at the same seed.
        split: see SplitPlan; network: see NetworkPlan; scoring: see ScoringPlan.
    """

    name: str
    training: Recipe
    description: str = ""
    protocol: Literal["fair"] = "fair"
    environment: str = ""
    models: tuple[str, ...] = ("fanet18",)
    aggregations: tuple[str, ...] = ("sum",)
    tca_depths: tuple[int, ...] = (0, 2, 4, 6)
    seeds: tuple[int, ...] = (0,)
    split: SplitPlan = field(default_factory=SplitPlan)
    network: NetworkPlan = field(default_factory=NetworkPlan)
    scoring: ScoringPlan = field(default_factory=ScoringPlan)

    def __post_init__(self) -> None:
        if not self.name or Path(self.name).name != self.name or self.name in (".", ".."):
            raise ValueError(f"name is {self.name!r}: it becomes a folder, so a plain word is wanted.")
        for key, values in (("tca_depths", self.tca_depths), ("seeds", self.seeds)):
            if not values:
                raise ValueError(f"{key} is empty: at least one number is wanted.")
            if min(values) < 0 or len(set(values)) < len(values):
                raise ValueError(f"{key} is {list(values)}: different numbers of 0 or more are wanted.")
        for name, words in (("models", self.models), ("aggregations", self.aggregations)):
            if not words or len(set(words)) < len(words):
                raise ValueError(f"{name} is {list(words)}: one or more different names are wanted.")
        for model in self.models:
            check_model(model)
            if self.training.auxiliary_weight > 0 and model not in BACKBONES:
                raise ValueError(f"auxiliary_weight needs the heads of FANet, and models has {model!r}: set it to 0.")
        for aggregation in self.aggregations:
            parse_memory(aggregation)

    @property
    def batching(self) -> str:
        """ "homogeneous" where a step is one clip, else "mixed"."""
        return "homogeneous" if self.training.clips_per_step == 1 else "mixed"

    def cells(self) -> list[Cell]:
        """The grid, seed by seed, so that a whole row is done first; see grid_cells."""
        return grid_cells(self.models, self.tca_depths, self.aggregations, self.batching, self.seeds)

    def with_split(self, split: Split) -> "Experiment":
        """The same experiment with the split spelled out."""
        return replace(self, split=replace(self.split, train=split.train, val=split.val, test=split.test))

    def without_axes(self) -> "Experiment":
        """Everything that two visits to one run must agree on: the axes may grow, the machine and the words change."""
        recipe = replace(self.training, threads=0, workers=0, checkpoint_every=1)
        return replace(
            self,
            description="",
            training=recipe,
            models=("fanet18",),
            aggregations=("sum",),
            tca_depths=(0,),
            seeds=(0,),
        )

    def with_axes_of(self, before: "Experiment") -> "Experiment":
        """The same experiment with the cells of both: what was asked for before comes first."""
        return replace(
            self,
            models=tuple(dict.fromkeys((*before.models, *self.models))),
            aggregations=tuple(dict.fromkeys((*before.aggregations, *self.aggregations))),
            tca_depths=tuple(sorted({*before.tca_depths, *self.tca_depths})),
            seeds=tuple(sorted({*before.seeds, *self.seeds})),
        )


def load_experiment(path: Path) -> Experiment:
    """Read an experiment.

    Raises:
        UsageError: not readable, not TOML, or a key or value that means nothing; the message names file and key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    return read_table(Experiment, table, source=str(path))


def find_experiment(name: str) -> Path:
    """The file of an experiment: a path as given, else one that is shipped under this name.

    Raises:
        UsageError: neither; the message lists what is shipped.
    """
    path = Path(name)
    if path.is_file():
        return path
    folder = shipped_folder("benchmarks")
    shipped = folder / f"{path.name.removesuffix('.toml')}.toml"
    if shipped.is_file() and path.parent in (Path(), Path("benchmarks")):
        return shipped
    names = ", ".join(sorted(found.stem for found in folder.glob("*.toml")))
    raise UsageError(f"--config {name}: no such file, and not one of the shipped experiments ({names}).")


def save_experiment(experiment: Experiment, path: Path) -> None:
    """Write an experiment so that `load_experiment` gives it back."""
    text = tomli_w.dumps(write_table(experiment))
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def reload_experiment(path: Path) -> Experiment:
    """Read the config.toml of a run.

    Raises:
        CorruptFile: it does not read; the run needs another folder, or this file mended.
    """
    try:
        return load_experiment(path)
    except UsageError as error:
        raise CorruptFile(f"{error} Mend it, delete {path.parent}, or choose another --out.") from error
