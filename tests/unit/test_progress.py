"""Progress: a bar on a terminal, lines in a log; the clock is the test's."""

import io
import re
import sys
from collections.abc import Callable

import pytest

from airsim_seg.cli.progress import StageProgress


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


Read = Callable[[], list[str]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Read:
    """The lines on stderr since the last look; nothing may have gone to stdout."""

    def read() -> list[str]:
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return read


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def screen(drawn: str) -> list[str]:
    """What a terminal shows in the end; knows as much of terminals as a bar uses."""
    rows, row, column = [""], 0, 0
    for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", drawn):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row, column = row + 1, 0
            rows += [""] * (row == len(rows))
        elif piece == "\x1b[2K":
            rows[row] = ""
        elif piece == "\x1b[1A":
            row -= 1
        elif piece.startswith("\x1b"):
            assert piece[-1] in "mhl", f"{piece!r} moves the cursor in a way that is not known here"
        else:
            rows[row] = rows[row][:column].ljust(column) + piece + rows[row][column + len(piece) :]
            column += len(piece)
    return [line.rstrip() for line in rows]


def train(progress: StageProgress, clock: Clock, steps: int, seconds_each: float) -> None:
    for step in range(steps):
        clock.now_s += seconds_each
        progress.advance(f"loss {1 - step / 100:.2f}")


def test_a_long_stage_is_told_when_it_begins_twice_a_minute_and_when_it_ends(clock: Clock, told: Read) -> None:
    with StageProgress(on_terminal=False, clock=clock) as progress:
        progress.begin("N=4: training", 25)
        assert told() == ["N=4: training: 0/25"]
        train(progress, clock, 14, seconds_each=2)
        assert told() == []
        train(progress, clock, 1, seconds_each=2)
        assert told() == ["N=4: training: 15/25, loss 1.00, 30.0 s"]
        train(progress, clock, 9, seconds_each=3)
        assert told() == []
        clock.now_s += 63
        progress.advance()
        assert told() == ["N=4: training: 25/25, loss 0.92, 2 min 0 s"], "an empty note keeps the one before"
    assert told() == []


def test_slow_steps_are_told_each(clock: Clock, told: Read) -> None:
    with StageProgress(on_terminal=False, clock=clock) as progress:
        progress.begin("scoring", 3)
        for _ in range(3):
            clock.now_s += 5000
            progress.advance()
    assert told() == [
        "scoring: 0/3",
        "scoring: 1/3, 1 h 23 min",
        "scoring: 2/3, 2 h 46 min",
        "scoring: 3/3, 4 h 10 min",
    ]


def test_a_stage_of_one_step_is_not_counted(clock: Clock, told: Read) -> None:
    with StageProgress(on_terminal=False, clock=clock) as progress:
        progress.begin("latency", 1)
        clock.now_s += 59.96
        progress.begin("report", 1)
        clock.now_s += 4.25
    assert told() == ["latency", "latency: 1 min 0 s", "report", "report: 4.2 s"]


def test_a_stage_first_heard_of_in_its_course_is_told_only_when_it_lasts(clock: Clock, told: Read) -> None:
    with StageProgress(on_terminal=False, clock=clock) as progress:
        for done in range(1, 5):
            progress.update("a", done, 4)
            clock.now_s += 15
        assert told() == ["a: 3/4, 30.0 s", "a: 4/4, 45.0 s"]
        for done in (3, 4):
            progress.update("b", done, 4)
            clock.now_s += 1
    assert told() == []


def test_a_stage_that_fails_has_no_end(clock: Clock, told: Read) -> None:
    def fail() -> None:
        with StageProgress(on_terminal=False, clock=clock) as progress:
            progress.begin("training", 2)
            progress.advance()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert told() == ["training: 0/2"]


def test_what_is_said_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with StageProgress(on_terminal=False) as progress:
        progress.say("[red] is no colour")
    assert capsys.readouterr() == ("[red] is no colour\n", "")


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_a_stage_that_ends_leaves_a_line(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with StageProgress(on_terminal=True, clock=clock) as progress:
        progress.say("train: a, [b]")
        progress.begin("N=4: training", 20)
        train(progress, clock, 20, seconds_each=4)
        progress.update("next", 1, 2)
        progress.say("half")
        clock.now_s += 33
        progress.update("short", 1, 2)
        clock.now_s += 3
    out, err = capsys.readouterr()
    assert err == ""
    assert screen(out) == [
        "train: a, [b]",
        "N=4: training: 20/20, loss 0.81, 1 min 20 s",
        "half",
        "next: 2/2, 33.0 s",
        "",
    ]


@pytest.mark.usefixtures("terminal")
def test_on_a_terminal_a_stage_that_fails_leaves_its_bar(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with StageProgress(on_terminal=True, clock=clock) as progress:
            progress.begin("N=4: training", 20)
            train(progress, clock, 10, seconds_each=1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    out, err = capsys.readouterr()
    assert err == ""
    assert re.fullmatch(r"N=4: training ━+╺?━+ 10/20 .* loss 0\.91", screen(out)[0])


@pytest.mark.parametrize(
    ("out", "err", "term", "bar"),
    [
        (True, True, "xterm", True),
        (True, True, "dumb", False),
        (False, True, "xterm", False),
        (True, False, "xterm", False),
        (False, False, "xterm", False),
    ],
)
def test_the_bar_needs_a_terminal_on_both_outputs(
    out: bool, err: bool, term: str, bar: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream(io.StringIO):
        def __init__(self, is_terminal: bool) -> None:
            super().__init__()
            self._is_terminal = is_terminal

        def isatty(self) -> bool:
            return self._is_terminal

    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as CI does: colours, not a terminal
    stdout, stderr = Stream(out), Stream(err)
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    with StageProgress() as progress:
        progress.begin("training", 2)
    assert ("━" in stdout.getvalue() + stderr.getvalue()) == bar
    assert (stderr.getvalue().splitlines()[:1] == ["training: 0/2"]) == (not bar)
