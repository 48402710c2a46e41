"""The grid of an experiment: which trainings it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from airsim_seg.benchmark.networks import has_contexts
from fanet.memory import parse_memory


@dataclass(frozen=True)
class Arm:
    """What is compared: cells that differ in nothing but their seed.

    Attributes:
        model: name, see benchmark/networks.py.
        tca_depth: N.
        aggregation: of the memory; at depth 0 it only says whose contexts are cut into tiles.
    """

    model: str
    tca_depth: int
    aggregation: str


@dataclass(frozen=True)
class Cell:
    """One training: a place in the grid. Its name is its folder."""

    model: str
    tca_depth: int
    aggregation: str
    batching: str
    seed: int

    @property
    def name(self) -> str:
        """For instance fanet18-n4-sum-mixed-s0."""
        return f"{self.model}-n{self.tca_depth}-{self.aggregation}-{self.batching}-s{self.seed}"

    @property
    def arm(self) -> Arm:
        """The cell without its seed."""
        return Arm(self.model, self.tca_depth, self.aggregation)

    @property
    def reach(self) -> int:
        """How many past frames an answer depends on."""
        return self.tca_depth * parse_memory(self.aggregation).stride if self.tca_depth else 0

    @property
    def needs_motion(self) -> bool:
        """Whether the memory moves what it remembers."""
        return self.tca_depth > 0 and parse_memory(self.aggregation).warped


def grid_cells(
    models: Sequence[str], tca_depths: Sequence[int], aggregations: Sequence[str], batching: str, seeds: Sequence[int]
) -> list[Cell]:
    """All cells, seed by seed.

    At depth 0 there is nothing to aggregate: a model has one such cell, named by the first aggregation (and one more
    for each way to cut contexts into tiles, which changes the network itself). Networks without contexts are left out
    where contexts would be remembered.
    """
    cells = []
    for seed in seeds:
        for model in models:
            for depth in tca_depths:
                chosen = aggregations if depth else _plain(model, aggregations)
                cells += [Cell(model, depth, name, batching, seed) for name in chosen if _fits(model, depth, name)]
    return cells


def baseline_arm(arm: Arm, arms: Sequence[Arm]) -> Arm | None:
    """The arm at depth 0 that another is compared with, if it is among `arms`."""
    tiles = parse_memory(arm.aggregation).tiles
    for other in arms:
        same = not has_contexts(arm.model) or parse_memory(other.aggregation).tiles == tiles
        if other.model == arm.model and other.tca_depth == 0 and same:
            return other
    return None


def arm_label(arm: Arm, arms: Sequence[Arm]) -> str:
    """What tells an arm from the others: "N=4", or "N=4 gate", or "enet N=0" where models differ too."""
    words = [arm.model] if len({other.model for other in arms}) > 1 else []
    words.append(f"N={arm.tca_depth}")
    named = {other.aggregation for other in arms if other.tca_depth} | {arm.aggregation}
    tiled = parse_memory(arm.aggregation).tiles > 1
    if (len(named) > 1 and arm.tca_depth) or (tiled and not arm.tca_depth):
        words.append(arm.aggregation if arm.tca_depth else f"tiles={parse_memory(arm.aggregation).tiles}")
    return " ".join(words)


def _plain(model: str, aggregations: Sequence[str]) -> list[str]:
    """The aggregations that name a model's cells at depth 0: one for each number of tiles, if tiles mean anything."""
    if not has_contexts(model):
        return [str(replace(parse_memory(aggregations[0]), tiles=1))]
    first: dict[int, str] = {}
    for name in aggregations:
        first.setdefault(parse_memory(name).tiles, name)
    return list(first.values())


def _fits(model: str, depth: int, aggregation: str) -> bool:
    memory = parse_memory(aggregation)
    if depth == 0 or model.startswith("fanet"):
        return True
    return (memory.tap != "contexts" or has_contexts(model)) and len(memory.scales) == 4
