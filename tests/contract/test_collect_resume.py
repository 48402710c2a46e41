"""kill -9 in the middle of a collection, and what the next one makes of it: the same bytes as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

SAME = ("rgb", "raw_ids", "time_ns", "position_m", "orientation_wxyz", "segment_start")
DEADLINE_S = 240.0
AIRSIM_SEG = [sys.executable, "-m", "airsim_seg"]
SMALL = {
    "SettingsVersion": 1.2,
    "SimMode": "ComputerVision",
    "CameraDefaults": {
        "CaptureSettings": [{"ImageType": kind, "Width": 160, "Height": 120, "FOV_Degrees": 90} for kind in (0, 1, 5)]
    },
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The built-in simulator with small pictures, on a port of its own."""
    settings = tmp_path_factory.mktemp("sim") / "settings.json"
    settings.write_text(json.dumps(SMALL))
    command = [*AIRSIM_SEG, "sim", "--port", "0", "--settings", str(settings), "--parent-pid", str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = next(line for line in process.stdout if line.startswith("ready "))
        yield ready.split()[1]
        process.terminate()


def command(out: Path, address: str) -> list[str]:
    wanted = ["collect", "--videos", "2", "--seconds", "3", "--out", str(out), "--sim", address]
    return [*AIRSIM_SEG, *wanted]


def run(out: Path, address: str) -> str:
    done = subprocess.run(command(out, address), capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def frames_on_disk(path: Path) -> int:
    """Length of the growing file, in frames' worth of bytes at least."""
    return path.stat().st_size // (160 * 120) if path.exists() else 0


def kill_while_recording(out: Path, address: str, number: signal.Signals) -> int:
    """Send a signal once the second video grows; returns the exit code."""
    with subprocess.Popen(
        command(out, address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        deadline = time.monotonic() + DEADLINE_S
        while frames_on_disk(out / "Neighborhood/car-s0-000.h5") < 30:
            assert process.poll() is None, "ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(number)
        return process.wait(DEADLINE_S)


def contents(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        assert file.attrs["complete"]
        return {name: file[name][:] for name in SAME}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_killed_collection_goes_on_to_the_same_bytes(
    tmp_path: Path, address: str, number: signal.Signals, code: int
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    run(whole, address)
    assert kill_while_recording(cut, address, number) == code
    said = run(cut, address)
    assert "1 of 2 videos are complete already" in said
    assert "car-s0-000.h5: going on at frame" in said
    for name in ("drone-s0-000.h5", "car-s0-000.h5"):
        one, other = contents(whole / "Neighborhood" / name), contents(cut / "Neighborhood" / name)
        assert len(one["rgb"]) == 75
        for dataset in SAME:
            assert np.array_equal(one[dataset], other[dataset]), (name, dataset)
    assert not list(cut.rglob("*.journal"))
    assert "2 of 2 videos are complete already" in run(cut, address)
