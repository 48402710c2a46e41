"""Experiment files: round trips, faults named by file and key, and what is shipped."""

import tomllib
from dataclasses import fields, replace

import pytest

from airsim_seg.benchmark.experiments import Experiment, find_experiment, load_experiment, save_experiment
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.errors import UsageError
from airsim_seg.shipped import shipped_folder
from airsim_seg.splits import Split

SHIPPED = sorted(path.stem for path in shipped_folder("benchmarks").glob("*.toml"))
MINIMAL = 'name = "x"\n[training]\nsteps = 10\n'


def written(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_the_experiments_that_the_help_names_are_shipped():
    assert set(SHIPPED) == {"demo", "fair", "captures", "memories", "peers"}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_experiments_load_and_survive_a_round_trip(name, tmp_path):
    experiment = load_experiment(find_experiment(name))
    assert experiment.name == name
    assert experiment.protocol == "fair"
    assert experiment.cells()
    save_experiment(experiment, tmp_path / "config.toml")
    assert load_experiment(tmp_path / "config.toml") == experiment


def test_every_setting_is_written_out(tmp_path):
    """A resolved config leaves nothing to defaults, which may change."""
    save_experiment(load_experiment(written(tmp_path, MINIMAL)), tmp_path / "config.toml")
    table = tomllib.loads((tmp_path / "config.toml").read_text())
    assert set(table) == {field.name for field in fields(Experiment)}
    assert set(table["training"]) == {field.name for field in fields(Recipe)}


def test_cells_are_the_grid_and_name_their_folders(tmp_path):
    experiment = replace(load_experiment(written(tmp_path, MINIMAL)), tca_depths=(0, 4), seeds=(0, 1))
    assert [cell.name for cell in experiment.cells()] == [
        "fanet18-n0-sum-mixed-s0",
        "fanet18-n4-sum-mixed-s0",
        "fanet18-n0-sum-mixed-s1",
        "fanet18-n4-sum-mixed-s1",
    ]
    one_clip = replace(experiment, training=replace(experiment.training, clips_per_step=1))
    assert one_clip.cells()[0].name == "fanet18-n0-sum-homogeneous-s0"


def test_depths_and_seeds_may_grow_but_nothing_else_may_change(tmp_path):
    experiment = load_experiment(written(tmp_path, MINIMAL))
    assert replace(experiment, tca_depths=(2,), seeds=(7,)).without_axes() == experiment.without_axes()
    assert replace(experiment, environment="Other").without_axes() != experiment.without_axes()
    split = experiment.with_split(Split(("a",), ("b",), ("c",)))
    assert split.split.is_explicit
    assert split.without_axes() != experiment.without_axes()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = ", ["not valid TOML"]),
        ("[training]\nsteps = 1\n", ["name is missing"]),
        ('name = "x"\n', ["training is missing"]),
        (MINIMAL + "stpes = 5\n", ["unknown key training.stpes", "known are", "steps"]),
        ("speed = 3\n" + MINIMAL, ["unknown key speed"]),
        (MINIMAL.replace("10", '"many"'), ["training.steps is 'many'", "whole number"]),
        (MINIMAL.replace("10", "true"), ["training.steps is True", "whole number"]),
        (MINIMAL.replace("10", "0"), ["steps"]),
        (MINIMAL + "input_hw = [120]\n", ["training.input_hw", "list of 2"]),
        (MINIMAL + "input_hw = 120\n", ["training.input_hw", "list"]),
        (MINIMAL + "augment = 1\n", ["training.augment", "true or false"]),
        ("tca_depths = [0, -1]\n" + MINIMAL, ["tca_depths"]),
        ("tca_depths = [2, 2]\n" + MINIMAL, ["tca_depths", "different"]),
        ("seeds = []\n" + MINIMAL, ["seeds is empty"]),
        ("tca_depths = [0, 1.5]\n" + MINIMAL, ["tca_depths is 1.5"]),
        ('protocol = "paper2021"\n' + MINIMAL, ["protocol is 'paper2021'", "'fair'"]),
        (MINIMAL.replace('"x"', '"../x"'), ["name is '../x'"]),
        ('models = ["unet"]\n' + MINIMAL, ["models has 'unet'", "fanet18", "enet"]),
        ('models = ["enet", "enet"]\n' + MINIMAL, ["models is", "different names"]),
        ("aggregations = []\n" + MINIMAL, ["aggregations is []"]),
        ('aggregations = ["median"]\n' + MINIMAL, ["aggregation is one of sum", "'median'"]),
        ('aggregations = ["local,tiles=2"]\n' + MINIMAL, ["tiles and scales are of contexts"]),
        (MINIMAL + "[network]\nwidth = 99\n", ["[network] width is 99"]),
        (MINIMAL + "[network]\nwidth = 0.1\n", ["[network] width is 0.1", "steps of 0.0625"]),
        (MINIMAL + "[split]\nval_share = 0.9\n", ["[split] val_share"]),
        (MINIMAL + "[scoring]\nscore_every = 0\n", ["[scoring] score_every is 0"]),
        ('split = "by frame"\n' + MINIMAL, ["split is 'by frame'", "table"]),
    ],
)
def test_faults_name_file_key_and_reason(tmp_path, text, words):
    with pytest.raises(UsageError) as caught:
        load_experiment(written(tmp_path, text))
    for word in ["mine.toml", *words]:
        assert word in str(caught.value)


def test_whole_numbers_are_numbers(tmp_path):
    assert load_experiment(written(tmp_path, MINIMAL + "[network]\nwidth = 1\n")).network.width == 1.0


@pytest.mark.parametrize("name", ["demo", "demo.toml", "benchmarks/demo.toml"])
def test_shipped_experiments_are_found_by_name_from_anywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_experiment(find_experiment(name)).name == "demo"


@pytest.mark.parametrize("name", ["nowhere", "elsewhere/demo.toml", ""])
def test_an_unknown_experiment_lists_those_that_are_shipped(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="captures, demo, fair"):
        find_experiment(name)


def test_an_unreadable_file_is_a_sentence(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe name")
    with pytest.raises(UsageError, match=r"mine\.toml cannot be read"):
        load_experiment(path)
