"""The report's charts and pictures, drawn without pyplot (no global state, no display).

A chart is drawn twice: as SVG for the page, where the theme's own colours take the place of ink and grid, and as PNG on
white for figures/.
"""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from airsim_seg.benchmark.cells import Arm, baseline_arm
from airsim_seg.benchmark.report.pictures import Sample, colours_of, paint
from airsim_seg.benchmark.results import RunResults
from airsim_seg.types import UInt8Array

# Ink and grid are replaced by the page's own in the SVG, so they must be colours that nothing else has.
INK, GRID = "#1b2431", "#d9dee6"
# Told apart with colour-blind eyes too, at least 3:1 against white and against the dark page (ColorBrewer, darkened).
SERIES = ("#7b8794", "#2f7ed8", "#0f9d76", "#c9731a", "#b04fc4", "#d14a5b", "#8a8a1f", "#3f6f6f")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

MOSAIC_WIDTH, MOSAIC_GAP = 320, 8  # pixels: of a panel in predictions.png, and between panels
CAPTION_BOX = {"facecolor": "black", "alpha": 0.55, "edgecolor": "none", "pad": 2}

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRID,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
}


def draw_all(run: RunResults, samples: Sequence[Sample]) -> dict[str, str]:
    """Draw every figure: PNG files into figures/, and the charts as SVG text by name for the page."""
    folder = run.folder / "figures"
    folder.mkdir(exist_ok=True)
    charts = {"curves": curves, "miou_vs_depth": miou_vs_depth}
    with mpl.rc_context(STYLE):
        drawn = {name: draw(run) for name, draw in charts.items()}
        for name, figure in drawn.items():
            save_png(figure, folder / f"{name}.png")
        if samples:
            save_png(predictions(run, samples), folder / "predictions.png")
        return {name: as_svg(figure, name) for name, figure in drawn.items()}


def curves(run: RunResults) -> Figure:
    """Training loss and validation mIoU by step: one line an arm (mean over seeds), a band where seeds differ."""
    figure = Figure(figsize=(9, 3.6))
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.15, top=0.89, wspace=0.13)
    loss, miou = figure.subplots(1, 2)
    window = max(1, run.experiment.training.steps // 40)
    for position, arm in enumerate(run.arms):
        histories = [result.history.set_index("step") for result in run.of(arm)]
        losses = pd.concat([history["loss"].rolling(window, min_periods=1).mean() for history in histories], axis=1)
        _line(loss, losses, position, run.label(arm), marked=False)
        scored = [
            history["val_miou_input_size"].dropna() * 100 for history in histories if "val_miou_input_size" in history
        ]
        if scored:
            _line(miou, pd.concat(scored, axis=1), position, run.label(arm), marked=True)
    ends = (0, 1.03 * run.experiment.training.steps)
    loss.set(title=f"Training loss (mean of {window} steps)", xlabel="step", yscale="log", xlim=ends)
    loss.yaxis.set_major_formatter("{x:.2g}")
    loss.yaxis.set_minor_formatter("{x:.2g}")
    miou.set(title="Validation mIoU at input size, %", xlabel="step", xlim=ends, ylim=(0, None))
    loss.legend(ncols=2)
    return figure


def _line(axes: Axes, values: pd.DataFrame, position: int, label: str, *, marked: bool) -> None:
    colour = SERIES[position % len(SERIES)]
    marker = MARKERS[position % len(MARKERS)] if marked else None
    axes.plot(values.index, values.mean(axis=1), color=colour, marker=marker, markersize=5, label=label)
    if values.shape[1] > 1:
        axes.fill_between(values.index, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.18, linewidth=0)


def miou_vs_depth(run: RunResults) -> Figure:
    """Test mIoU by depth, one line a model and aggregation: means, each seed as a dot, the colour baseline for scale.

    With one line alone its figures stand beside it, and validation is drawn too.
    """
    figure = Figure(figsize=(9, 3.0))
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.18, top=0.87)
    axes = figure.subplots()
    lines = _lines(run)
    if len(lines) == 1:
        _depth_line(axes, run, lines[0], "val", SERIES[0], "s", "val videos", marked=False)
        _depth_line(axes, run, lines[0], "test", SERIES[1], "o", "test videos", marked=True)
    else:
        for place, arms in enumerate(lines):
            colour, marker = SERIES[place % len(SERIES)], MARKERS[place % len(MARKERS)]
            _depth_line(axes, run, arms, "test", colour, marker, _line_name(run, arms), marked=False)
    scores = [100 * result.miou(part) for result in run.cells for part in ("test", "val")]
    for result in run.baselines:
        if result.cell.model == "colour":
            scores.append(100 * result.miou("test"))
            axes.axhline(scores[-1], color=SERIES[3], linestyle=(0, (4, 3)), linewidth=1.6, label="colour, test")
    top = min(100, max(scores) * 1.25)
    title = "mIoU (dataset) by depth, %" + ("" if len(lines) == 1 else ", test videos")
    axes.set(title=title, xlabel="N, past frames remembered", ylim=(0, top))
    axes.set_xticks(sorted({arm.tca_depth for arm in run.arms}))
    axes.grid(axis="x", visible=False)
    axes.legend(loc="lower right", ncols=3)
    return figure


def _lines(run: RunResults) -> list[list[Arm]]:
    """Arms that belong on one line: a model and an aggregation by depth, beginning at what it is compared with."""
    lines: dict[tuple[str, str], list[Arm]] = {}
    for arm in run.arms:
        if arm.tca_depth:
            base = baseline_arm(arm, run.arms)
            lines.setdefault((arm.model, arm.aggregation), [base] if base else []).append(arm)
    drawn = {arm for line in lines.values() for arm in line}
    return [*lines.values(), *([arm] for arm in run.arms if arm not in drawn)]


def _line_name(run: RunResults, arms: list[Arm]) -> str:
    words = run.label(arms[-1]).split()
    return " ".join(words if len(arms) == 1 else [word for word in words if not word.startswith("N=")]) or "test videos"


def _depth_line(
    axes: Axes, run: RunResults, arms: list[Arm], part: str, colour: str, marker: str, label: str, *, marked: bool
) -> None:
    depths = [arm.tca_depth for arm in arms]
    means = [100 * float(np.mean([result.miou(part) for result in run.of(arm)])) for arm in arms]
    axes.plot(depths, means, color=colour, marker=marker, markersize=7, label=label)
    for arm, depth, mean in zip(arms, depths, means, strict=True):
        if marked:
            text = f"{mean:.1f}"
            axes.annotate(text, (depth, mean), (0, 9), textcoords="offset points", ha="center", fontweight="bold")
        for result in run.of(arm):
            axes.plot(depth, 100 * result.miou(part), ".", color=colour, alpha=0.6, markersize=8)


def predictions(run: RunResults, samples: Sequence[Sample]) -> Figure:
    """Rows of picture, truth and predictions in one mosaic, with the legend of classes below."""
    colours = colours_of(run.classes)
    rows = [
        [sample.rgb, *(paint(labels, colours) for labels in (sample.truth, *sample.predicted.values()))]
        for sample in samples
    ]
    mosaic, panel_hw = _mosaic(rows)
    height, width = mosaic.shape[0] / 100, mosaic.shape[1] / 100  # inches at 100 pixels an inch
    figure = Figure(figsize=(width, height + 1.1))
    axes = figure.add_axes((0, 0.75 / (height + 1.1), 1, height / (height + 1.1)))
    axes.imshow(mosaic, interpolation="nearest", aspect="auto")
    axes.set_axis_off()
    for column, heading in enumerate(["picture", "truth", *samples[0].predicted]):
        left = column * (panel_hw[1] + MOSAIC_GAP)
        axes.text(left, -8, heading, fontsize=10, fontweight="bold", va="bottom", parse_math=False)
    for row, sample in enumerate(samples):
        bottom = row * (panel_hw[0] + MOSAIC_GAP) + panel_hw[0]
        text = f"{sample.video}, frame {sample.frame}"
        axes.text(6, bottom - 6, text, fontsize=8, color="white", parse_math=False, bbox=CAPTION_BOX)
    patches = [Patch(color=colours[index] / 255, label=name) for index, name in enumerate(run.classes)]
    figure.legend(handles=patches, loc="lower center", ncols=min(len(patches), 6), frameon=False)
    return figure


def _mosaic(rows: list[list[UInt8Array]]) -> tuple[UInt8Array, tuple[int, int]]:
    """Panels of one size on white, and that size (height, width)."""
    height, width = rows[0][0].shape[:2]
    size = (MOSAIC_WIDTH, round(height * MOSAIC_WIDTH / width))  # OpenCV's order
    gap = MOSAIC_GAP
    canvas = np.full((len(rows) * (size[1] + gap) - gap, len(rows[0]) * (size[0] + gap) - gap, 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            shrunk = cv2.resize(panel, size, interpolation=cv2.INTER_AREA if j == 0 else cv2.INTER_NEAREST)
            top, left = i * (size[1] + gap), j * (size[0] + gap)
            canvas[top : top + size[1], left : left + size[0]] = shrunk
    return canvas, (size[1], size[0])


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure on white; the same figure gives the same bytes."""
    temporary = path.with_name(path.name + ".part")
    figure.savefig(temporary, format="png", dpi=144, facecolor="white", metadata={"Software": None})
    temporary.replace(path)


def as_svg(figure: Figure, name: str) -> str:
    """A figure as an SVG element for the page: themed ink, ids of its own, no size of its own.

    Args:
        figure: drawn with STYLE.
        name: letters and underscores; becomes part of the ids, which must differ between figures of one page.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 aria-hidden="true"', text, count=1)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = text.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    return text.replace(INK, "var(--ink)").replace(GRID, "var(--line)")
