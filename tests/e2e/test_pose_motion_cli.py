"""Motion from true depth and poses: trained, scored, exported, used by one rule; and what happens without depth."""

from importlib.util import find_spec

import cv2
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from tiny_experiment import TINY
from video_files import read_labels, toy_flight, write_fleet, write_flights, write_video

from airsim_seg.benchmark import results
from airsim_seg.cli.main import main
from airsim_seg.deploy import export, runtimes
from airsim_seg.deploy.checking import one_torch_thread
from airsim_seg.deploy.exported import FORMATS
from airsim_seg.deploy.runtimes import TorchModel

CELL = "fanet18-n2-warped-mixed-s0"
POSES = TINY.replace("tca_depths = [0, 2]", 'tca_depths = [2]\naggregations = ["warped"]').replace(
    "[network]", '[network]\nmotion = "pose"'
)
needs_onnx = pytest.mark.skipif(
    any(find_spec(name) is None for name in FORMATS["onnx"].packages), reason="the extra [export] is not installed"
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Several threads on a busy machine wait for each other longer than they compute."""
    with one_torch_thread():
        yield


def airsim_seg(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    write_flights(folder)
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "poses.toml"
    path.write_text(POSES)
    return path


@pytest.fixture(scope="module")
def run(videos, config, tmp_path_factory):
    """A run with one cell, trained and scored with motion from poses."""
    out = tmp_path_factory.mktemp("runs") / "poses"
    result = airsim_seg("benchmark", "--config", config, "--videos", videos, "--out", out)
    assert result.exit_code == 0, result.output
    return out


def predict(weights, video, out, *more):
    return airsim_seg("predict", "--weights", weights, "--video", video, "--out", out, *more)


def test_it_trains_and_scores(run):
    table = pd.read_csv(run / "results.csv")
    assert set(table[table["model"] == "fanet18"]["aggregation"]) == {"warped"}
    assert (run / "report.html").is_file()


def test_predict_repeats_what_scoring_found(run, videos, tmp_path):
    """Of the test videos the very labels that the benchmark kept to show."""
    scores = results.load_run(run).cells[0].scores["test"]
    for score in scores.videos:
        path = next(videos.rglob(f"{score.name}.h5"))
        result = predict(run / CELL, path, tmp_path / score.name)
        assert result.exit_code == 0, result.output
        assert "picture to labels (motion given) p50" in result.stdout
        assert "optical flow" not in result.output
        labels = read_labels(tmp_path / score.name / "labels.h5")
        for index, expected in score.kept.items():
            assert np.array_equal(labels[index], expected)
    assert any(score.kept for score in scores.videos)


def test_train_learns_from_poses_too(videos, config, tmp_path):
    out = tmp_path / "by-hand"
    more = ("--tca-depth", 2, "--aggregation", "warped", "--config", config, "--videos", videos, "--out", out)
    result = airsim_seg("train", *more)
    assert result.exit_code == 0, result.output
    assert predict(out, videos / "Testland/drone-s0-00.h5", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize("command", ["train", "benchmark"])
def test_videos_without_depth_are_refused_in_a_sentence(command, config, tmp_path):
    write_fleet(tmp_path / "videos", frames=8)
    result = airsim_seg(
        command, "--config", config, "--videos", tmp_path / "videos", "--out", tmp_path / "run",
        *(("--tca-depth", 2, "--aggregation", "warped") if command == "train" else ()),
    )  # fmt: skip
    assert result.exit_code == 1
    assert 'motion = "pose" needs videos with depth, poses and a known camera' in result.stderr
    assert "collect with --also depth" in result.stderr
    assert "Traceback" not in result.output


def test_a_video_without_depth_gets_optical_flow_and_one_line_says_so(run, tmp_path):
    flight = toy_flight(0)
    write_video(tmp_path / "flat.h5", **flight | {"depth_m": None})
    result = predict(run / CELL, tmp_path / "flat.h5", tmp_path / "out")
    assert result.exit_code == 0, result.output
    line = f"trained with motion from poses; {tmp_path / 'flat.h5'} has no depth: optical flow instead"
    assert result.stdout.splitlines().count(line) == 1
    assert "mIoU" in result.stdout
    assert "motion given" not in result.stdout


def test_a_film_gets_optical_flow_and_one_line_says_so(run, tmp_path):
    film = cv2.VideoWriter(str(tmp_path / "flight.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (64, 48))
    for picture in toy_flight(0)["rgb"]:
        film.write(picture)
    film.release()
    result = predict(run / CELL, tmp_path / "flight.mp4", tmp_path / "out", "--frames", 5)
    assert result.exit_code == 0, result.output
    assert f"{tmp_path / 'flight.mp4'} has no depth: optical flow instead" in result.stdout
    assert f"5 frames in {tmp_path / 'out'}" in result.stdout


@needs_onnx
def test_an_export_follows_the_same_rule(run, videos, tmp_path, monkeypatch):
    """The file's network is PyTorch's own here: writing ONNX takes long, and its answers are tested elsewhere."""
    graphs = []

    def write(graph, path):
        graphs.append(graph)
        path.write_bytes(b"a graph")

    for module in (export, runtimes):
        monkeypatch.setattr(module, "open_export", lambda _, made, *__, **___: TorchModel(graphs[0], made.classes))
    monkeypatch.setattr(export, "write_onnx", write)
    made = airsim_seg("export-model", run / CELL, "--videos", videos, "--out", tmp_path)
    assert made.exit_code == 0, made.output
    folder, video = tmp_path / f"poses-{CELL}-onnx", videos / "Testland/drone-s0-01.h5"
    with_poses = predict(folder, video, tmp_path / "export")
    assert with_poses.exit_code == 0, with_poses.output
    assert "(motion given)" in with_poses.stdout
    assert predict(run / CELL, video, tmp_path / "torch").exit_code == 0
    assert np.array_equal(*(read_labels(tmp_path / name / "labels.h5") for name in ("export", "torch")))
    write_video(tmp_path / "flat.h5", **toy_flight(1) | {"depth_m": None})
    without = predict(folder / "model.onnx", tmp_path / "flat.h5", tmp_path / "flat")
    assert without.exit_code == 0, without.output
    assert "has no depth: optical flow instead" in without.stdout
