"""The viewer as a process: alone, beside a simulator, and how it ends."""

import signal
import subprocess
import sys
import urllib.request

import pytest

from airsim_seg.cli.view import viewer_of

DEADLINE_S = 60
COMMAND = [sys.executable, "-m", "airsim_seg", "view", "--no-open"]


def page_of(line: str) -> bytes:
    assert line.startswith("viewer: http://127.0.0.1:")
    with urllib.request.urlopen(line.split()[1], timeout=DEADLINE_S) as answer:
        return bytes(answer.read())


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_serves_its_page_without_a_simulator_until_a_signal(how, code):
    with subprocess.Popen([*COMMAND, "--port", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as it:
        assert b"airsim-seg" in page_of(it.stdout.readline())
        it.send_signal(how)
        rest, _ = it.communicate(timeout=DEADLINE_S)
        assert it.returncode == code
        assert "Traceback" not in rest


def test_it_ends_with_its_parent():
    # A shell between us is the parent that dies.
    script = f'"{sys.executable}" -m airsim_seg view --no-open --port 1 --parent-pid $$ & read line; kill -9 $$'
    with subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout.readline().startswith("viewer: ")
        shell.communicate("\n", timeout=DEADLINE_S)  # returns when nobody has the pipe any more


def test_sim_view_runs_it_for_as_long_as_the_simulator(capfd):
    with viewer_of("0.0.0.0", 1, opens=False):
        said = ""
        while "\n" not in said:
            said += capfd.readouterr().out
        assert page_of(said)
    with pytest.raises(OSError, match="refused"):
        page_of(said)
