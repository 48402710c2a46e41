"""`airsim-seg benchmark` from videos to report, and everything that a user can get wrong about it."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from tiny_experiment import TINY
from video_files import write_fleet, write_video
from videos_in_memory import moving_squares

from airsim_seg.benchmark import grid
from airsim_seg.cli.main import main

CHECK_FILES = Path(__file__).parents[3] / "shared" / "tools" / "check_files.py"


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    write_fleet(folder)
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "tiny.toml"
    path.write_text(TINY)
    return path


def benchmark(*arguments):
    return CliRunner().invoke(main, ["benchmark", *map(str, arguments)])


@pytest.fixture(scope="module")
def finished(videos, config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "tiny"
    result = benchmark("--tca-depths", 0, 2, "--config", config, "--videos", videos, "--out", out)
    assert result.exit_code == 0, result.output
    return out, result.output


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_has_everything_that_the_contract_names(finished):
    out, output = finished
    assert {path.name for path in out.iterdir()} == {
        "config.toml",
        "environment.json",
        "samples.npz",
        "fanet18-n0-sum-mixed-s0",
        "fanet18-n2-sum-mixed-s0",
        "majority-n0-none-none-s0",
        "colour-n0-none-none-s0",
        "results.csv",
        "results.md",
        "report.html",
        "figures",
    }
    cell = {path.name for path in (out / "fanet18-n2-sum-mixed-s0").iterdir()}
    assert cell == {"checkpoint.pt", "history.csv", "predictions", "latency.json", "cell.json"}
    assert str(out / "report.html") in output.replace("\n", "")
    assert "N=2: " in output


def test_a_log_tells_how_far_it_is(finished):
    lines = finished[1].splitlines()
    begun = lines.index("fanet18-n2-sum-mixed-s0: training: 0/4")
    assert lines[begun + 1].startswith("fanet18-n2-sum-mixed-s0: training: 4/4, loss ")
    assert any(line.startswith("report: ") for line in lines)


@pytest.mark.skipif(not CHECK_FILES.is_file(), reason="../shared/tools/check_files.py is not here")
def test_the_file_contract_holds(finished, videos):
    out, _ = finished
    done = subprocess.run([sys.executable, CHECK_FILES, out, videos], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_depth_starts_from_the_same_first_loss(finished):
    """Same weights, same first clips: before any update the depths differ by their memory alone."""
    out, _ = finished
    plain, with_memory = (pd.read_csv(out / f"fanet18-n{n}-sum-mixed-s0" / "history.csv") for n in (0, 2))
    assert list(plain["step"]) == list(with_memory["step"]) == [1, 2, 3, 4]
    assert plain["loss"][0] == pytest.approx(with_memory["loss"][0], rel=0.2)


def test_running_again_skips_everything_and_changes_nothing(finished, videos, config):
    out, _ = finished
    before = contents(out)
    result = benchmark("--tca-depths", 0, 2, "--config", config, "--videos", videos, "--out", out)
    assert result.exit_code == 0, result.output
    assert "fanet18-n0-sum-mixed-s0: finished before, skipped" in result.output
    assert contents(out) == before


def test_a_run_killed_between_cells_goes_on(finished, videos, config, tmp_path, monkeypatch):
    out = tmp_path / "tiny"
    command = ("--tca-depths", 0, 2, "--config", config, "--videos", videos, "--out", out)
    score = grid._score_parts

    def die_in_the_second_cell(run, predictor, folder, cell, progress):
        if cell.tca_depth == 2:
            raise KeyboardInterrupt
        score(run, predictor, folder, cell, progress)

    with monkeypatch.context() as patch:
        patch.setattr(grid, "_score_parts", die_in_the_second_cell)
        stopped = benchmark(*command)
    assert stopped.exit_code == 130
    assert "run the same command again" in stopped.output
    assert not (out / "results.csv").exists()
    result = benchmark(*command)
    assert result.exit_code == 0, result.output
    assert "fanet18-n0-sum-mixed-s0: finished before, skipped" in result.output
    assert "fanet18-n2-sum-mixed-s0: finished" not in result.output
    timed = ["fps", "latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "cpu_ms", "train_seconds"]
    ours, theirs = (pd.read_csv(folder / "results.csv").drop(columns=timed) for folder in (out, finished[0]))
    pd.testing.assert_frame_equal(ours, theirs)


def test_depths_can_be_added_later_and_the_report_keeps_the_old(videos, config, tmp_path):
    out = tmp_path / "tiny"
    first = benchmark("--tca-depths", 0, "--config", config, "--videos", videos, "--out", out)
    assert first.exit_code == 0, first.output
    second = benchmark("--tca-depths", 1, "--config", config, "--videos", videos, "--out", out)
    assert second.exit_code == 0, second.output
    table = pd.read_csv(out / "results.csv").query("model == 'fanet18'")
    assert sorted(table["tca_depth"].unique()) == [0, 1]


def test_another_experiment_or_other_videos_in_the_same_folder_are_refused(finished, videos, config, tmp_path):
    out, _ = finished
    before = contents(out)
    other = benchmark("--config", config, "--videos", videos, "--out", out, "--steps", 9)
    assert other.exit_code == 2
    assert "other settings" in other.output
    elsewhere = tmp_path / "videos"
    write_fleet(elsewhere, frames=9)
    changed = benchmark("--config", config, "--videos", elsewhere, "--out", out)
    assert changed.exit_code == 2
    assert "other videos" in changed.output
    assert contents(out) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tca-depths", "-1"], "-1"),
        (["--tca-depths", "two"], "two"),
        (["--tca-depths"], "--tca-depths"),
        (["--tca-depths", ""], "--tca-depths"),
        (["--tca-depths", "0", "2", "2"], "more than once"),
        (["--tca-depths", "1.5"], "1.5"),
        (["--seeds", "-3"], "-3"),
        (["--steps", "0"], "0"),
        (["--config", "nowhere"], "demo"),
        (["--spede", "3"], "--spede"),
    ],
)
def test_usage_errors_exit_with_2_and_a_sentence(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = benchmark(*arguments)
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def failure(tmp_path, config, folder, *arguments):
    """The output of a command that must fail with 1, say one sentence and write nothing."""
    out = tmp_path / "run"
    result = benchmark("--config", config, "--videos", folder, "--out", out, *arguments)
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    assert not out.exists()
    return result.output


def test_no_videos_names_the_command_that_makes_them(tmp_path, config):
    assert "airsim-seg remap" in failure(tmp_path, config, tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "airsim-seg remap" in failure(tmp_path, config, tmp_path / "empty")


def test_a_corrupt_video_is_named(tmp_path, config):
    names = write_fleet(tmp_path / "videos", drones=3, cars=0)
    path = tmp_path / "videos" / "Testland" / f"{names[1]}.h5"
    path.write_bytes(path.read_bytes()[:900])
    assert f"{names[1]}.h5" in failure(tmp_path, config, tmp_path / "videos").replace("\n", "")


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_videos_for_a_split_is_a_sentence(count, tmp_path, config):
    write_fleet(tmp_path / "videos", drones=count, cars=0)
    assert "at least 3" in failure(tmp_path, config, tmp_path / "videos")


def test_a_video_with_other_classes_is_named(tmp_path, config):
    write_fleet(tmp_path / "videos", drones=3, cars=0)
    rgb, labels = moving_squares(9, 14, (48, 64), 3)
    write_video(tmp_path / "videos" / "Moon" / "rover-0.h5", rgb, labels, classes=("dust", "rock", "sky"))
    output = failure(tmp_path, config, tmp_path / "videos")
    assert "rover-0.h5" in output
    assert "dust" in output


def test_an_environment_without_videos_lists_those_there(tmp_path, config, videos):
    assert "Testland" in failure(tmp_path, config, videos, "--environment", "Mars")


def test_explicit_splits_with_unknown_names_are_refused(tmp_path, videos):
    config = tmp_path / "mine.toml"
    config.write_text(TINY + '\n[split]\ntrain = ["ghost"]\nval = ["car-s0-00"]\ntest = ["car-s0-01"]\n')
    result = benchmark("--config", config, "--videos", videos, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "ghost" in result.output


def test_without_config_it_takes_what_fits_the_machine_and_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = benchmark("--tca-depths", 0)
    assert result.exit_code == 1
    assert "Experiment demo" in result.output or "Experiment fair" in result.output
    assert "data/videos" in result.output


def test_help_has_a_worked_example():
    result = benchmark("--help")
    assert result.exit_code == 0
    assert "airsim-seg benchmark --tca-depths 0 2 4 6" in result.output


def test_ctrl_c_while_training_keeps_a_checkpoint_and_says_how_to_go_on(videos, config, tmp_path):
    out = tmp_path / "tiny"
    program = "import sys; from airsim_seg.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "benchmark", "--tca-depths", "0", "--steps", "5000"]
    command += ["--config", str(config), "--videos", str(videos), "--out", str(out)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=os.environ)
    checkpoint = out / "fanet18-n0-sum-mixed-s0" / "checkpoint.pt"
    while process.poll() is None and not checkpoint.exists():
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "run the same command again" in errors
    assert "Traceback" not in errors
    assert checkpoint.is_file()
