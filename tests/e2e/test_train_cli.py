"""`airsim-seg train`: one network by hand, alone or shared by two processes, and everything that one can get wrong."""

import contextlib
import os
import signal
import subprocess
import sys

import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from tiny_experiment import TINY
from video_files import write_fleet

from airsim_seg.benchmark import checkpoints, distributed
from airsim_seg.cli.main import main
from fanet import weights

CELL = "fanet18-n2-gate-mixed-s0"


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    write_fleet(folder)
    return folder


def config_file(folder, text=TINY):
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return config_file(tmp_path_factory.mktemp("config"))


def airsim_seg(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


def train(*arguments):
    return airsim_seg("train", *arguments)


@pytest.fixture(scope="module")
def trained(videos, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "by-hand"
    result = train("--tca-depth", 2, "--aggregation", "gate", "--config", config, "--videos", videos, "--out", out)
    assert result.exit_code == 0, result.output
    return out, result


def test_it_keeps_checkpoint_curves_and_settings(trained):
    out, result = trained
    assert {path.name for path in out.iterdir()} == {"config.toml", "environment.json", CELL}
    assert {path.name for path in (out / CELL).iterdir()} == {"checkpoint.pt", "history.csv"}
    history = pd.read_csv(out / CELL / "history.csv")
    assert history["step"].tolist() == [1, 2, 3, 4]
    assert history["val_miou_input_size"].notna().tolist() == [False, True, False, True]
    assert f"{CELL} on " in result.stdout
    assert "Trained 4 steps: loss " in result.stdout
    assert f"airsim-seg benchmark --config {out}/config.toml --videos " in result.stdout


def test_a_log_tells_how_far_it_is(trained):
    lines = trained[1].stderr.splitlines()
    begun = lines.index(f"{CELL}: training: 0/4")
    assert lines[begun + 1].startswith(f"{CELL}: training: 4/4, loss ")


def test_the_benchmark_scores_what_was_trained_by_hand(trained, videos):
    out, _ = trained
    before = (out / CELL / "checkpoint.pt").read_bytes()
    result = airsim_seg("benchmark", "--config", out / "config.toml", "--videos", videos, "--out", out)
    assert result.exit_code == 0, result.output
    assert (out / CELL / "checkpoint.pt").read_bytes() == before
    table = pd.read_csv(out / "results.csv")
    assert CELL.split("-")[0] in set(table["model"])
    assert (out / "report.html").is_file()


def test_the_same_command_again_does_nothing_twice(trained, videos, config):
    out, _ = trained
    before = (out / CELL / "checkpoint.pt").read_bytes()
    again = train("--tca-depth", 2, "--aggregation", "gate", "--config", config, "--videos", videos, "--out", out)
    assert again.exit_code == 0, again.output
    assert (out / CELL / "checkpoint.pt").read_bytes() == before


def test_another_depth_and_seed_go_beside_it_and_other_settings_are_refused(videos, config, tmp_path):
    arguments = ("--config", config, "--videos", videos, "--out", tmp_path / "run", "--steps", 2)
    for more in (("--tca-depth", 0), ("--tca-depth", 1, "--seed", 3)):
        result = train(*more, *arguments)
        assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "run").iterdir() if path.is_dir()}
    assert names == {"fanet18-n0-sum-mixed-s0", "fanet18-n1-sum-mixed-s3"}
    other = train(*arguments[:-1], 3)
    assert other.exit_code == 2
    assert "other settings" in other.output


def test_it_starts_from_the_weights_of_a_file(trained, videos, config, tmp_path):
    source = trained[0] / CELL / "checkpoint.pt"
    arguments = ("--tca-depth", 2, "--aggregation", "gate", "--config", config, "--videos", videos)
    arguments = (*arguments, "--steps", 1, "--out", tmp_path / "run")
    result = train(*arguments, "--weights", source)
    assert result.exit_code == 0, result.output
    saved = checkpoints.read(tmp_path / "run" / CELL / "checkpoint.pt")
    assert saved["origin"].startswith("checkpoint.pt, sha256 ")
    before, after = checkpoints.read(source)["net"], saved["net"]
    random = checkpoints.read(source)["history"][0]["loss"]
    assert pd.read_csv(tmp_path / "run" / CELL / "history.csv")["loss"][0] < 0.97 * random
    assert (after["decoder.head.1.weight"] - before["decoder.head.1.weight"]).abs().max() < 0.01  # a step of AdamW
    refused = train(*arguments)
    assert refused.exit_code == 2
    assert "other settings" in refused.output


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--weights", "nowhere.pt"], "nowhere.pt: there is no such file; the names are none and imagenet"),
        (["--weights", "imagenet"], "--weights imagenet needs width = 1.0, and the experiment has 0.125"),
        (["--weights", "imagenet", "--model", "enet", "--aggregation", "local"], "is for fanet18 and fanet34, not for"),
        (["--tca-depth", "-1"], "-1"),
        (["--tca-depth", "two"], "two"),
        (["--seed", "-1"], "-1"),
        (["--steps", "0"], "0"),
        (["--aggregation", "mode"], "aggregation is one of sum, mean"),
        (["--model", "nonet"], "'nonet': known are fanet18"),
        (["--model", "enet", "--aggregation", "sum"], "enet cannot have the memory 'sum': choose another"),
        (["--config", "nowhere"], "demo"),
        (["--spede", "3"], "--spede"),
    ],
)
def test_usage_errors_exit_with_2_a_sentence_and_nothing_written(more, words, videos, tmp_path):
    out = tmp_path / "run"
    result = train("--config", config_file(tmp_path), "--videos", videos, "--out", out, *more)
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('early_frames = "context"', "N longer than the clip: a memory that looks 4 frames back needs"),
        ('optimiser = "adam"', "optimiser is one of adamw, sgd, not 'adam'"),
        ('optimiser = "sgd"\nwarm_up_steps = 4', "warm_up_steps (4) must be fewer than steps (4)"),
    ],
)
def test_recipes_that_cannot_be_are_refused_before_anything_is_written(settings, words, videos, tmp_path):
    text = TINY.replace("clip_length = 4", f"clip_length = 4\n{settings}")
    result = train("--config", config_file(tmp_path, text), "--videos", videos, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "run").exists()


def test_weights_that_do_not_fit_are_a_sentence(trained, videos, config, tmp_path):
    arguments = ("--config", config, "--videos", videos, "--out", tmp_path / "run")
    gated = train("--tca-depth", 2, *arguments, "--weights", trained[0] / CELL / "checkpoint.pt")
    text = train("--tca-depth", 2, *arguments, "--weights", config)
    for result in (gated, text):
        assert result.exit_code == 2
        assert "airsim-seg: --weights: " in result.output
        assert "Traceback" not in result.output
    assert "recall" in gated.output
    # Nothing was written: better ones, or none, can be given for the same folder.
    assert train("--tca-depth", 2, *arguments, "--steps", 4).exit_code == 0


def test_imagenet_goes_into_the_backbone_and_a_failing_download_is_a_sentence(videos, tmp_path, monkeypatch):
    calls = []

    def load_imagenet(backbone, name):
        calls.append((backbone, name))
        if len(calls) == 1:
            raise weights.WeightsError("the ImageNet weights could not be fetched")
        backbone.stem[0][0].weight.data.fill_(0.25)

    monkeypatch.setattr(weights, "load_imagenet", load_imagenet)
    config = config_file(tmp_path, TINY.replace("0.125", "1.0").replace("steps = 4", "steps = 1"))
    arguments = ("--tca-depth", 0, "--config", config, "--videos", videos, "--out", tmp_path / "run")
    failed = train(*arguments, "--weights", "imagenet")
    assert failed.exit_code == 2
    assert "airsim-seg: --weights: the ImageNet weights could not be fetched." in failed.output
    result = train(*arguments, "--weights", "imagenet")
    assert result.exit_code == 0, result.output
    assert {name for _, name in calls} == {"resnet18"}
    saved = checkpoints.read(tmp_path / "run" / "fanet18-n0-sum-mixed-s0" / "checkpoint.pt")
    assert saved["origin"] == "imagenet resnet18"
    assert (saved["net"]["backbone.stem.0.0.weight"] - 0.25).abs().max() < 0.01  # a step of AdamW
    # A training that goes on needs no weights to start from.
    so_far = len(calls)
    assert train(*arguments, "--weights", "imagenet").exit_code == 0
    assert len(calls) == so_far


def test_no_videos_names_the_command_that_makes_them(tmp_path, config):
    result = train("--config", config, "--videos", tmp_path / "nothing", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "airsim-seg remap" in result.output
    assert not (tmp_path / "run").exists()


def test_help_has_worked_examples():
    result = train("--help")
    assert result.exit_code == 0
    assert "airsim-seg train --tca-depth 4 --videos data/videos --out runs/by-hand" in result.output
    assert "torchrun --nproc-per-node 2 -m airsim_seg train" in result.output


def command(*arguments):
    return [sys.executable, "-m", "airsim_seg", "train", *map(str, arguments)]


def test_ctrl_c_keeps_a_checkpoint_and_the_same_command_goes_on(videos, config, tmp_path):
    out = tmp_path / "run"
    arguments = ("--tca-depth", 1, "--config", config, "--videos", videos, "--out", out, "--steps")
    process = subprocess.Popen(
        command(*arguments, 5000), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=os.environ
    )
    checkpoint = out / "fanet18-n1-sum-mixed-s0" / "checkpoint.pt"
    while process.poll() is None and not checkpoint.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "run the same command again to go on" in errors
    assert "Traceback" not in errors
    assert checkpoints.read(checkpoint)["step"] >= 2


def test_two_processes_train_one_network(videos, config, tmp_path):
    out = tmp_path / "run"
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    arguments = ("--tca-depth", 2, "--config", config, "--videos", videos, "--out", out)
    done = subprocess.run(
        [*launcher, *command(*arguments)[1:]], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "on cpu, 2 processes, 4 steps" in done.stdout or "on cuda:0, 2 processes, 4 steps" in done.stdout
    assert done.stdout.count("Trained 4 steps") == 1
    history = pd.read_csv(out / "fanet18-n2-sum-mixed-s0" / "history.csv")
    assert history["step"].tolist() == [1, 2, 3, 4]
    assert history["val_miou_input_size"].notna().tolist() == [False, True, False, True]
    alone = train(*arguments)
    assert alone.exit_code == 0, alone.output


def test_what_all_processes_meet_is_told_by_the_first_alone(videos, tmp_path, monkeypatch):
    config = config_file(tmp_path, TINY.replace("clip_length = 4", "clip_length = 4\nclips_per_step = 3"))
    arguments = ("--config", config, "--videos", videos, "--out", tmp_path / "run")
    results = []
    for rank in range(2):
        team = distributed.Team(rank, 2, torch.device("cpu"))
        monkeypatch.setattr(distributed, "join_team", lambda _, team=team: contextlib.nullcontext(team))
        results.append(train(*arguments))
    assert [result.exit_code for result in results] == [2, 2]
    assert "clips_per_step (3) cannot be divided among 2 processes" in results[0].output
    assert results[1].output == ""
    assert not (tmp_path / "run").exists()
