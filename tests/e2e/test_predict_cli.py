"""`airsim-seg predict` as a user meets it, and everything that one can get wrong: a sentence, an exit code, no file."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from trained_cells import write_trained
from video_files import toy_flight, write_video

from airsim_seg.cli.main import main


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trained(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "v.h5"
    write_video(path, **toy_flight(frames=5))
    return path


def predict(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["predict", *map(str, arguments)])


def test_a_labelled_video(cell: Path, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = predict("--weights", cell, "--video", video, "--frames", 4)
    assert result.exit_code == 0, result.output
    assert f"Segmenting {video} (4 frames) with {cell}, at 56x40, into predictions/v." in result.stdout
    assert "4 frames in predictions/v" in result.stdout
    assert "against the truth: mIoU" in result.stdout
    assert "segmenting: 4/4" in result.stderr
    assert {path.name for path in (tmp_path / "predictions/v").iterdir()} == {"overlay.mp4", "labels.h5"}


def test_pictures_that_nobody_has_counted(cell: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    result = predict("--weights", cell, "--video", tmp_path / "dot.png", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "(until Ctrl-C)" in result.stdout
    assert "1 frames in" in result.stdout
    assert "000" not in result.stderr


def test_other_classes_than_the_truth_s_are_said(video: Path, tmp_path: Path) -> None:
    weights = write_trained(tmp_path / "run", classes=("this", "that"))
    result = predict("--weights", weights, "--video", video, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "no IoU: the truth has 11 classes (road, " in result.stdout
    assert "mIoU" not in result.stdout


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (None, "absent.mp4", "absent.mp4 does not exist"),
        (b"", "empty.mp4", "empty.mp4 is empty"),
        (b"", "empty.h5", "empty.h5 is empty"),
        (b"no film", "words.mp4", "words.mp4 is no film that OpenCV can read"),
        (b"no HDF5", "words.h5", "words.h5 does not open as HDF5"),
        (None, "", "is a folder"),
    ],
)
def test_no_video(content: bytes | None, name: str, words: str, cell: Path, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    check_refusal(predict("--weights", cell, "--video", tmp_path / name, "--out", tmp_path / "out"), words)
    assert not (tmp_path / "out").exists()


def test_a_truncated_video(cell: Path, video: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.h5").write_bytes(video.read_bytes()[:20_000])
    result = predict("--weights", cell, "--video", tmp_path / "cut.h5", "--out", tmp_path / "out")
    check_refusal(result, "cut.h5 does not open as HDF5")


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "neither a run nor a trained cell"), (b"", "not a readable"), (b"PK\3\4 and so on", "not a readable")],
)
def test_no_weights(content: bytes | None, words: str, video: Path, tmp_path: Path) -> None:
    weights = tmp_path / "nowhere"
    if content is not None:
        weights = write_trained(tmp_path / "run")
        (weights / "checkpoint.pt").write_bytes(content)
    check_refusal(predict("--weights", weights, "--video", video, "--out", tmp_path / "out"), words)
    assert not (tmp_path / "out").exists()


def check_refusal(result: Result, words: str) -> None:
    """Exit code 1 and one sentence."""
    assert result.exit_code == 1
    assert words in result.stderr
    assert [line for line in result.output.splitlines() if line] == [result.stderr.strip()]


def test_help_has_worked_examples() -> None:
    result = predict("--help")
    assert result.exit_code == 0
    assert "airsim-seg predict --weights runs/demo/fanet18-n4-sum-mixed-s0 --video" in result.output
