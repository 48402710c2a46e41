"""How long work shows that it goes on: a bar on a terminal, plain lines in a log."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column

LINE_EVERY_S = 30.0  # often enough to see that a batch job lives, rare enough to read its log


class StageProgress:
    """Shows one stage after the other; each leaves one line with the time it took. See benchmark.grid.Progress.

    On a terminal a bar shows the stage at hand. Elsewhere a line tells of a stage when it begins, and every half a
    minute while it lasts. Those lines go to stderr: stdout keeps what the command has to say, and nothing else.
    """

    def __init__(self, on_terminal: bool | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare.

        Args:
            on_terminal: draw a bar; by default where both outputs are a terminal.
            clock: seconds, for the lines.
        """
        self._bars = _bars() if (_is_on_terminal() if on_terminal is None else on_terminal) else None
        self._clock = clock
        self._stage: _Stage | None = None

    def __enter__(self) -> Self:
        """Start drawing."""
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; the bar of a stage that failed stays as it was."""
        if error is None:
            self._end()
        if self._bars is not None:
            self._bars.stop()

    def say(self, text: str) -> None:
        """Print a line to stdout, above the bar."""
        if self._bars is None:
            click.echo(text)
        else:
            self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, title: str, total: int) -> None:
        """Start a stage of so many steps and say so; the one before is done."""
        self._start(title, total).announced = True
        if self._bars is None:
            click.echo(title if total == 1 else f"{title}: 0/{total}", err=True)

    def advance(self, note: str = "") -> None:
        """One step of the stage is done; with the last, the stage."""
        if self._stage is not None:
            self._step(self._stage, self._stage.done + 1, note)

    def update(self, title: str, done: int, total: int) -> None:
        """So many steps of this stage are done; an unknown title starts it.

        Such a stage tells nothing unless it lasts: the commands list what became of a hundred short ones themselves.
        """
        stage = self._stage
        if stage is None or stage.title != title:
            stage = self._start(title, total)
        self._step(stage, done)

    def _start(self, title: str, total: int) -> "_Stage":
        self._end()
        self._stage = _Stage(title, total, began_s=self._clock(), told_s=self._clock())
        if self._bars is not None:
            self._bars.add_task(title, total=total, note="")
        return self._stage

    def _step(self, stage: "_Stage", done: int, note: str = "") -> None:
        stage.done, stage.note = done, note or stage.note
        now_s = self._clock()
        if done >= stage.total:
            self._end()
        elif self._bars is not None:
            self._bars.update(self._bars.task_ids[0], completed=done, note=stage.note)
        elif now_s - stage.told_s >= LINE_EVERY_S:
            stage.told_s = now_s
            click.echo(stage.line(now_s), err=True)

    def _end(self) -> None:
        stage, self._stage = self._stage, None
        if stage is None:
            return
        stage.done, now_s = stage.total, self._clock()
        told = stage.announced or now_s - stage.began_s >= LINE_EVERY_S
        if self._bars is not None:
            # A line in the bar's place: bars that stay would soon be more than a screen can draw again and again.
            self._bars.remove_task(self._bars.task_ids[0])
        if told and self._bars is None:
            click.echo(stage.line(now_s), err=True)
        elif told:
            self.say(stage.line(now_s))


@dataclass
class _Stage:
    """What is under way, and when that was last told."""

    title: str
    total: int
    began_s: float
    told_s: float
    done: int = 0
    note: str = ""
    announced: bool = False

    def line(self, now_s: float) -> str:
        """E.g. "N=4: training: 100/200, loss 0.61, 1 min 20 s"."""
        count = [] if self.total == 1 else [f"{self.done}/{self.total}"]
        return f"{self.title}: " + ", ".join([*count, *filter(None, [self.note]), _duration(now_s - self.began_s)])


def _is_on_terminal() -> bool:
    """Whether a bar can be drawn: on both outputs, for where one goes through a pipe to the same screen it tears."""
    # Not rich's own test: that believes FORCE_COLOR, which CI sets for the sake of colours alone.
    return sys.stdout.isatty() and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _duration(seconds: float) -> str:
    """E.g. 9.3 s, 1 min 20 s, 2 h 5 min."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None, table_column=Column(max_width=30)),  # narrower where the titles need the room
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(force_terminal=True),
    )
