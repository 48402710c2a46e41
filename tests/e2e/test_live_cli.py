"""`airsim-seg live` as a user meets it, against the toy world behind AirSim's RPC in a process of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import toy_simulator
from click.testing import CliRunner, Result
from trained_cells import write_trained
from video_files import read_labels

from airsim_seg.cli.main import main
from airsim_seg.collection import surroundings, survey
from airsim_seg.deploy import live
from airsim_seg.deploy.checking import one_torch_thread
from airsim_seg.deploy.output import PredictionWriter
from airsim_seg.deploy.runtimes import open_model
from airsim_seg.deploy.segmenter import Segmenter
from airsim_seg.videos import VideoReader

FRAMES = 4
SECONDS = str(FRAMES / 25)


@pytest.fixture(autouse=True)
def _small_survey(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy needs neither the area nor the grain of the real survey."""
    small = {"radius_m": 60.0, "cell_m": 1.0}
    monkeypatch.setattr(surroundings, "take_survey", lambda world, **more: survey.take_survey(world, **small | more))


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Leaves torch's threads as they were: --threads is for the whole process."""
    with one_torch_thread():
        yield


@contextmanager
def served() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """The toy world's address and process."""
    command = [sys.executable, toy_simulator.__file__, str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"127.0.0.1:{process.stdout.readline().split()[1]}", process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as (found, _):
        yield found


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trained(tmp_path_factory.mktemp("runs") / "tiny")


def airsim_seg(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def fly(address: str, cell: Path, out: Path, *more: object) -> Result:
    command = ("live", "--weights", cell, "--sim", address, "--seconds", SECONDS, "--threads", 1, "--out", out)
    return airsim_seg(*command, *more)


def test_it_segments_with_memory_and_tells_times_and_iou(address: str, cell: Path, tmp_path: Path) -> None:
    result = fly(address, cell, tmp_path)
    assert result.exit_code == 0, result.output
    assert f"using the AirSim at {address}" in result.stdout
    assert f"segmenting {FRAMES} frames of a drone with {cell}, into {tmp_path}" in result.stdout
    assert re.search(r"picture to labels p50 [\d.]+ p95 [\d.]+ p99 [\d.]+ ms \([\d.]+ frames a second\)", result.stdout)
    assert re.search(r"against the truth: mIoU [\d.]+ % \(road \d+", result.stdout)
    assert (tmp_path / "overlay.mp4").is_file()
    there, shown = cv2.VideoCapture(str(tmp_path / "overlay.mp4")).read()
    assert there
    assert shown.shape[1] == toy_simulator.SIZE_HW[1]
    with VideoReader(tmp_path / "labels.h5") as video:
        assert video.num_frames == FRAMES
        assert video.environment == "Neighborhood"
        # The memory is at work: the same pictures one by one, each without a past, give other labels.
        segmenter = Segmenter(open_model(cell))
        remembering, forgetting = (
            [segmenter(video.rgb(index), index == 0 or forgets) for index in range(FRAMES)] for forgets in (False, True)
        )
    flown = read_labels(tmp_path / "labels.h5")
    assert np.array_equal(flown, remembering)
    assert not np.array_equal(flown[1:], forgetting[1:])


def test_the_car_drives_and_another_seed_is_another_way(address: str, cell: Path, tmp_path: Path) -> None:
    pictures = []
    for seed in (1, 2):
        result = fly(address, cell, tmp_path / str(seed), "--vehicle", "car", "--seed", seed)
        assert result.exit_code == 0, result.output
        assert f"segmenting {FRAMES} frames of a car" in result.stdout
        with VideoReader(tmp_path / str(seed) / "labels.h5") as video:
            pictures.append(video.rgb(0))
    assert not np.array_equal(*pictures)


def test_motion_from_the_simulator_s_depth_and_poses_is_that_of_a_recording(address: str, tmp_path: Path) -> None:
    """The same flight, live and collected with depth and then predicted: over the wire the labels are the same."""
    cell = write_trained(tmp_path / "run", aggregation="warped", motion="pose")
    live_out = tmp_path / "flight"
    flown = fly(address, cell, live_out, "--seed", 3)
    assert flown.exit_code == 0, flown.output
    assert "picture to labels (motion given) p50" in flown.stdout
    collected = airsim_seg(
        "collect", "--sim", address, "--vehicle", "drone", "--videos", 1, "--seconds", SECONDS, "--seed", 3,
        "--also", "depth", "--out", live_out,
    )  # fmt: skip
    assert collected.exit_code == 0, collected.output
    recording = live_out / "Neighborhood" / "drone-s3-000.h5"
    predicted = airsim_seg("predict", "--weights", cell, "--video", recording, "--out", tmp_path / "predicted")
    assert predicted.exit_code == 0, predicted.output
    assert "optical flow" not in predicted.output
    assert np.array_equal(read_labels(live_out / "labels.h5"), read_labels(tmp_path / "predicted/labels.h5"))


def on_third_frame(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen as soon as three frames are written."""
    append = PredictionWriter.append

    def counted(writer: PredictionWriter, *frame: object) -> None:
        append(writer, *frame)  # type: ignore[arg-type]
        counted.frames += 1
        if counted.frames == 3:
            happens()

    counted.frames = 0
    monkeypatch.setattr(live.PredictionWriter, "append", counted)


def test_ctrl_c_keeps_the_frames_so_far(
    address: str, cell: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_third_frame(monkeypatch, lambda: signal.raise_signal(signal.SIGINT))
    result = fly(address, cell, tmp_path)
    assert result.exit_code == 130
    assert "airsim-seg: interrupted: 3 frames in" in result.stderr
    assert "Traceback" not in result.output
    with VideoReader(tmp_path / "labels.h5") as video:
        assert video.num_frames == 3
        assert video.complete
    assert (tmp_path / "overlay.mp4").is_file()


def test_a_simulator_that_dies_is_one_sentence_and_leaves_nothing(
    cell: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as (address, process):
        on_third_frame(monkeypatch, process.kill)
        result = fly(address, cell, tmp_path)
    assert result.exit_code == 1
    assert len([line for line in result.stderr.splitlines() if line.startswith("airsim-seg: ")]) == 1
    assert address in result.stderr
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["Neighborhood"]  # the survey is of the world, and stays


def test_no_simulator_at_the_address_is_one_sentence(cell: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    result = fly(address, cell, tmp_path / "out")
    assert result.exit_code == 1
    assert f"no simulator answers at {address}" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--weights", "nowhere"), 1, "nowhere is neither a run nor a trained cell"),
        (("--weights", __file__), 1, "is neither a run nor a trained cell"),
        (("--backend", "openvino"), 2, "is not an export, so openvino cannot run it"),
        (("--env", "Nowhere"), 2, "Neighborhood"),
        (("--seconds", "0"), 2, "--seconds"),
        (("--seconds", "nan"), 2, "--seconds"),
        (("--rate", "-1"), 2, "--rate"),
        (("--seed", "-1"), 2, "--seed"),
        (("--vehicle", "boat"), 2, "drone"),
        (("--sim", "nonsense:port"), 2, "HOST:PORT"),
    ],
)
def test_what_cannot_be_meant_ends_with_a_sentence(
    arguments: tuple[str, ...], code: int, told: str, cell: Path, tmp_path: Path
) -> None:
    result = fly("127.0.0.1:1", cell, tmp_path / "out", *arguments)
    assert result.exit_code == code
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_another_network_s_classes_are_said(address: str, tmp_path: Path) -> None:
    cell = write_trained(tmp_path / "run", classes=("this", "that"))
    result = fly(address, cell, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "no IoU: the truth has 11 classes" in result.stdout


def test_help_has_a_worked_example() -> None:
    result = airsim_seg("live", "--help")
    assert result.exit_code == 0
    assert "airsim-seg live --env Neighborhood --weights runs/demo/fanet18-n4-sum-mixed-s0" in result.output
