"""`airsim-seg collect` as a user meets it."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from airsim_seg.cli.main import main
from airsim_seg.simulators import launch

DEADLINE_S = 300.0


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["collect", *args])


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--env", "Nowhere"), 2, "Neighborhood"),
        (("--env", "../Neighborhood"), 2, "Neighborhood"),
        (("--videos", "0"), 2, "--videos"),
        (("--seconds", "-1"), 2, "--seconds"),
        (("--seconds", "nan"), 2, "--seconds"),
        (("--seconds", "inf"), 2, "--seconds"),
        (("--rate", "0"), 2, "--rate"),
        (("--seed", "-1"), 2, "--seed"),
        (("--world-seed", "-1"), 2, "--world-seed"),
        (("--vehicle", "boat"), 2, "drone"),
        (("--also", "smell"), 2, "depth"),
        (("--sim", "nonsense:port"), 2, "HOST:PORT"),
        (("--sim", "127.0.0.1:70000"), 2, "HOST:PORT"),
        (("--sim", ""), 2, "HOST:PORT"),
    ],
)
def test_what_cannot_be_meant_ends_with_a_sentence(
    args: tuple[str, ...], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the default --out may hold videos already
    result = run(*args)
    assert result.exit_code == code
    assert told in result.output
    assert "Traceback" not in result.output


def test_no_simulator_at_the_address(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("--sim", f"127.0.0.1:{port}", "--out", str(tmp_path / "raw"))
    assert result.exit_code == 1
    assert f"no simulator answers at 127.0.0.1:{port}" in result.output
    assert not (tmp_path / "raw").exists()


def test_out_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("mine")
    result = run("--out", str(tmp_path / "raw"))
    assert result.exit_code == 1
    assert "is no folder; choose another --out" in result.output
    assert (tmp_path / "raw").read_text() == "mine"


def test_missing_client_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "airsim", None)
    result = run("--out", str(tmp_path))
    assert result.exit_code == 1
    assert "--no-build-isolation --no-deps airsim==1.8.1" in result.output


def test_child_that_ends_during_its_start_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "port_answers", lambda *_: False)
    said: list[str] = []
    with (
        pytest.raises(launch.SimulatorUnreachable, match=r"ended during its start: .*Atlantis"),
        launch.connect_or_start("Atlantis", None, said.append),
    ):
        pass
    assert said[0] == "no AirSim answers at 127.0.0.1:41451: starting the built-in simulator"


def test_address() -> None:
    assert launch.parse_address("localhost") == ("localhost", 41451)
    assert launch.parse_address("10.0.0.7:5000") == ("10.0.0.7", 5000)
    assert launch.parse_address("[::1]:5000") == ("::1", 5000)


@pytest.mark.slow
def test_collect_starts_its_own_simulator(tmp_path: Path) -> None:
    """From nothing: drone and car, depth, exactly 25 Hz; and the child is gone afterwards."""
    command = [sys.executable, "-m", "airsim_seg", "collect", "--env", "Neighborhood", "--videos", "2"]
    done = subprocess.run(
        [*command, "--seconds", "0.4", "--also", "depth", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 0, done.stderr
    assert "built-in" in done.stdout
    assert "25.000 Hz" in done.stdout
    for name in ("drone-s0-000.h5", "car-s0-000.h5"):
        with h5py.File(tmp_path / "Neighborhood" / name) as file:
            assert file["rgb"].shape == (10, 480, 640, 3)
            assert np.array_equal(np.diff(file["sim_time_ns"][:]), np.full(9, 40_000_000))
            assert file["depth"][:].min() > 0.2
            assert len(np.unique(file["raw_ids"][:])) > 5
            provenance = json.loads(file.attrs["provenance"])
            assert provenance["simulator"]["kind"] == "built-in"
            assert json.loads(provenance["settings"])["Renderer"] == "cpu"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_simulator_ends_with_the_collection(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "airsim_seg", "collect", "--seconds", "9", "--out", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("simulator: "))
        children = children_of(process.pid)
        assert children
        process.send_signal(number)
        _, said = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == (130 if number == signal.SIGINT else -number)
        assert ("interrupted" in said) == (number == signal.SIGINT)
        assert "Traceback" not in said
        deadline = time.monotonic() + DEADLINE_S
        while any(is_alive(pid) for pid in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
