"""docs/experiments.md: its examples load, its tables name every key with its default, its mistakes are answered so."""

import re
import tomllib
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import tomli_w
import torch

from airsim_seg.benchmark.distributed import alone
from airsim_seg.benchmark.experiments import Experiment, NetworkPlan, ScoringPlan, SplitPlan, load_experiment
from airsim_seg.benchmark.learning import check_recipe
from airsim_seg.benchmark.recipe import CHOICES, Recipe
from airsim_seg.errors import UsageError

PAGE = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
EXAMPLES = [text for text in re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if "name =" in text]
SECTIONS = {
    "### The top of the file": Experiment,
    "### `[split]`": SplitPlan,
    "### `[network]`": NetworkPlan,
    "### `[training]`": Recipe,
    "### `[scoring]`": ScoringPlan,
}
IN_WORDS = {"required": MISSING, "as `input_hw`": None}


def rows_of(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = re.split(r"^#+ ", PAGE.split(f"\n{heading}\n")[1], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def code_in(cell: str) -> str:
    return "\n".join(re.findall(r"`(.+?)`", cell))


def stated(default: str) -> Any:
    """What a table says that a key is when it is left out, as the dataclass holds it."""
    if default in IN_WORDS:
        return IN_WORDS[default]
    value = tomllib.loads(f"value = {code_in(default)}")["value"]
    return tuple(value) if isinstance(value, list) else value


def is_table(kind: type, field: Field[Any]) -> bool:
    return is_dataclass(get_type_hints(kind)[field.name])


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: tomllib.loads(text)["name"])
def test_examples_load_and_give_cells(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    assert load_experiment(path).cells()


def test_the_first_example_has_the_cells_that_the_page_counts(tmp_path: Path) -> None:
    path = tmp_path / "first.toml"
    path.write_text(EXAMPLES[0], encoding="utf-8")
    names = [cell.name for cell in load_experiment(path).cells()]
    assert len(names) == 6
    assert names[:3] == ["fanet18-n0-sum-mixed-s0", "fanet18-n4-sum-mixed-s0", "fanet18-n4-gate-mixed-s0"]


@pytest.mark.parametrize("heading", SECTIONS)
def test_tables_name_every_key_with_its_default(heading: str) -> None:
    kind = SECTIONS[heading]
    known = {field.name: field.default for field in fields(kind) if not is_table(kind, field)}
    rows = rows_of(heading)
    documented = {code_in(key): stated(default) for key, default, _ in rows}
    assert documented == known
    assert len(rows) == len(known)


def test_every_section_of_an_experiment_has_a_table() -> None:
    nested = {kind for name, kind in get_type_hints(Experiment).items() if is_dataclass(kind)}
    assert nested == set(SECTIONS.values()) - {Experiment}


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_is_named(name: str) -> None:
    (row,) = (row for row in rows_of("### `[training]`") if row[0] == f"`{name}`")
    for choice in CHOICES[name]:
        assert f'`"{choice}"`' in " ".join(row)


@pytest.mark.parametrize(("written", "answer"), rows_of("## Mistakes"))
def test_mistakes_are_answered_as_the_page_says(written: str, answer: str, tmp_path: Path) -> None:
    table = tomllib.loads(EXAMPLES[0])
    for key, value in tomllib.loads(code_in(written)).items():
        table[key] = table.get(key, {}) | value if isinstance(value, dict) else value
    path = tmp_path / "mine.toml"
    path.write_text(tomli_w.dumps(table), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        start(path)
    for part in answer.split("..."):
        assert part.strip() in str(caught.value)


def start(path: Path) -> None:
    """What a command does with an experiment before it looks at videos."""
    experiment = load_experiment(path)
    for cell in experiment.cells():
        check_recipe(experiment.training, cell.reach, alone(torch.device("cpu")))
