"""How the benchmark looks in a terminal: one bar a task, lines that stay, a table at the end."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import rich.progress
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from airsim_seg.benchmark.results import RunResults


class BenchmarkProgress:
    """A bar for the task at hand; each task leaves one line with the time it took. See benchmark.grid.Progress."""

    def __init__(self) -> None:
        self._bars = rich.progress.Progress(
            rich.progress.TextColumn("{task.description}", markup=False),
            rich.progress.BarColumn(bar_width=30),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("{task.fields[note]}", markup=False),
        )
        self._task: rich.progress.TaskID | None = None

    def __enter__(self) -> Self:
        """Start drawing."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing; bars stay as they are."""
        if error is None:
            self._end()
        self._bars.stop()

    def say(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def begin(self, title: str, total: int) -> None:
        """Start a task; the one before is done."""
        self._end()
        self._task = self._bars.add_task(title, total=total, note="")

    def advance(self, note: str = "") -> None:
        """One step of the task is done."""
        if self._task is None:
            return
        if note:
            self._bars.update(self._task, note=note)
        self._bars.advance(self._task)

    def _end(self) -> None:
        if self._task is not None:
            total = self._bars.tasks[self._bars.task_ids.index(self._task)].total
            self._bars.update(self._task, completed=total)
            self._task = None


def print_results(results: "RunResults") -> None:
    """Print the test rows as a table, and what may be said about each depth."""
    from airsim_seg.benchmark.results import result_table
    from airsim_seg.benchmark.statistics import sentence

    rows = result_table(results).query("split == 'test'")
    table = Table(title=f"{results.experiment.name}: test videos, full size, percent")
    for heading in ("model", "N", "seed", "mIoU", "image IoU", "pixel acc.", "FPS", "p50 ms"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for row in rows.to_dict("records"):
        scores = [f"{100 * row[name]:.1f}" for name in ("miou", "miou_image", "pixel_accuracy")]
        times = [f"{row[name]:.1f}" if row[name] == row[name] else "-" for name in ("fps", "latency_ms_p50")]
        table.add_row(str(row["model"]), str(row["tca_depth"]), str(row["seed"]), *scores, *times)
    console = Console()
    console.print(table)
    for depth in results.depths:
        difference = results.difference(depth)
        if difference is not None:
            console.print(sentence(difference, depth), markup=False, highlight=False, soft_wrap=True)
