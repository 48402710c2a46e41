"""What the benchmark prints when it is done: a table, and what may be said about each depth."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from airsim_seg.benchmark.results import RunResults


def print_results(results: "RunResults") -> None:
    """Print the test rows as a table, and what may be said about each depth."""
    from airsim_seg.benchmark.results import result_table
    from airsim_seg.benchmark.statistics import sentence

    rows = result_table(results).query("split == 'test'")
    table = Table(title=f"{results.experiment.name}: test videos, full size, percent")
    for heading in ("model", "N", "aggregation", "seed", "mIoU", "image IoU", "pixel acc.", "FPS", "p50 ms"):
        table.add_column(heading, justify="left" if heading in ("model", "aggregation") else "right")
    for row in rows.to_dict("records"):
        scores = [f"{100 * row[name]:.1f}" for name in ("miou", "miou_image", "pixel_accuracy")]
        times = [f"{row[name]:.1f}" if row[name] == row[name] else "-" for name in ("fps", "latency_ms_p50")]
        how = str(row["aggregation"]) if row["tca_depth"] else "-"
        table.add_row(str(row["model"]), str(row["tca_depth"]), how, str(row["seed"]), *scores, *times)
    console = Console()
    console.print(table)
    for arm in results.arms:
        difference = results.difference(arm)
        if difference is not None:
            console.print(sentence(difference, results.label(arm)), markup=False, highlight=False, soft_wrap=True)
