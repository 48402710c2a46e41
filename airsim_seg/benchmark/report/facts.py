"""What the report says: tables and sentences as plain values. No HTML here, no numbers in the template."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from airsim_seg.benchmark import metrics
from airsim_seg.benchmark.cells import Arm, baseline_arm
from airsim_seg.benchmark.report.pictures import css_colours_of
from airsim_seg.benchmark.results import BASELINES, CellResult, RunResults
from airsim_seg.benchmark.statistics import FEW_VIDEOS, MIN_VIDEOS_FOR_INTERVAL, Difference, points
from airsim_seg.splits import PARTS
from airsim_seg.types import Float64Array

NOTHING = "–"


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        heading: what the row is of.
        cells: the texts beside it.
        shades: 0..1, how strongly each cell is tinted; empty for none.
        kind: "strong" stands out, "baseline" stands back.
        colour: of a swatch before the heading, as CSS; "" for none.
    """

    heading: str
    cells: tuple[str, ...]
    shades: tuple[float, ...] = ()
    kind: Literal["", "strong", "baseline"] = ""
    colour: str = ""


def percent(values: list[float]) -> str:
    """Fractions as percent: the mean, and the spread of the seeds where there are several."""
    finite = [100 * value for value in values if np.isfinite(value)]
    if not finite:
        return NOTHING
    text = f"{np.mean(finite):.1f}"
    return f"{text} ({min(finite):.1f} to {max(finite):.1f})" if len(finite) > 1 else text


def answer(run: RunResults) -> str:
    """The headline: what the scores of this run are, and whether anything can be told from them."""
    if not run.cells:
        return "No cell is finished yet."
    best = max(run.arms, key=lambda arm: _mean_miou(run, arm))
    plain_arms = [arm for arm in run.arms if arm.tca_depth == 0]
    if not plain_arms:
        reached = f"{run.label(best)} reaches {100 * _mean_miou(run, best):.1f} % test mIoU"
        return f"{reached}; without a cell at N=0 nothing compares."
    differences = [found for arm in run.arms if (found := run.difference(arm)) is not None]
    if len({arm.model for arm in run.arms}) > 1:
        scores = ", ".join(f"{run.label(arm)} {100 * _mean_miou(run, arm):.1f} %" for arm in plain_arms)
        plain = f"Without memory the networks reach, in test mIoU: {scores}"
    else:
        plain = f"Without memory (N=0) the network reaches {100 * _mean_miou(run, plain_arms[0]):.1f} % test mIoU"
    if not differences:
        return f"{plain}; nothing with a memory was trained."
    changes = sorted(difference.miou for difference in differences)
    if len(changes) == 1:
        span = f"adding past frames changes that by {points(changes[0])} points"
    else:
        span = f"adding past frames changes that by {points(changes[0])} to {points(changes[-1])} points"
    return f"{plain}; {span}. {_verdict(differences)}"


def _mean_miou(run: RunResults, arm: Arm) -> float:
    return float(np.mean([result.miou() for result in run.of(arm)]))


def _verdict(differences: list[Difference]) -> str:
    seeds = min(difference.num_seeds for difference in differences)
    videos = differences[0].num_videos
    reasons = (["one seed"] if seeds == 1 else []) + ([_many(videos, "test video")] if videos < FEW_VIDEOS else [])
    if reasons:
        return f"That is {' and '.join(reasons)}: not enough to tell."
    told = sum(difference.excludes_zero for difference in differences)
    if told:
        return f"For {told} of {len(differences)} memories the 95 % interval excludes zero."
    return "No interval excludes zero: no effect of time can be told from this run."


def main_table(run: RunResults) -> list[Row]:
    """By arm: test mIoU, difference to N=0 with its interval, pixel accuracy, frames a second; then the baselines."""
    rows = [
        Row(
            run.label(arm) + (" (no memory)" if arm.tca_depth == 0 else ""),
            (
                percent([result.miou() for result in run.of(arm)]),
                _difference_text(run.difference(arm)),
                percent([_pixel_accuracy(result) for result in run.of(arm)]),
                _mean_time(run.of(arm), "fps"),
            ),
        )
        for arm in run.arms
    ]
    for result in run.baselines:
        cells = (percent([result.miou()]), NOTHING, percent([_pixel_accuracy(result)]), NOTHING)
        rows.append(Row(f"{result.cell.model} baseline", cells, kind="baseline"))
    return rows


def main_heads(run: RunResults) -> list[str]:
    """Headings of main_table."""
    has_interval = any((found := run.difference(arm)) and found.low is not None for arm in run.arms)
    against = "against N=0, points" + (" [95 % interval]" if has_interval else "")
    return ["mIoU (dataset), %", against, "pixel accuracy, %", "FPS"]


def _difference_text(difference: Difference | None) -> str:
    if difference is None:
        return NOTHING
    if difference.low is None or difference.high is None:
        return points(difference.miou)
    return f"{points(difference.miou)} [{points(difference.low)}, {points(difference.high)}]"


def _pixel_accuracy(result: CellResult, part: str = "test") -> float:
    return metrics.pixel_accuracy(result.scores[part].confusions.sum(0))


def _mean_time(results: list[CellResult], field: str, digits: int = 1) -> str:
    values = [getattr(result.latency, field) for result in results if result.latency]
    return f"{np.mean(values):.{digits}f}" if values else NOTHING


def groups(run: RunResults) -> list[tuple[str, list[CellResult]]]:
    """Columns of the per-class table: arms, then baselines."""
    found = [(run.label(arm), run.of(arm)) for arm in run.arms]
    return found + [(result.cell.model, [result]) for result in run.baselines]


def class_table(run: RunResults) -> list[Row]:
    """Test IoU of each class by column, with the class's share of the test pixels first; the mean last."""
    columns, css_colours = groups(run), css_colours_of(run.classes)
    if not columns:
        return []
    iou = np.array([_mean_iou_per_class(results) for _, results in columns])  # [columns, C]
    truth = columns[0][1][0].scores["test"].confusions.sum((0, 2))
    shares = truth / max(1, truth.sum())
    rows = [
        Row(
            name,
            (f"{100 * shares[index]:.1f}", *map(_iou_text, iou[:, index])),
            (0.0, *map(_shade, iou[:, index])),
            colour=css_colours[index],
        )
        for index, name in enumerate(run.classes)
    ]
    means = [percent([float(np.mean([result.miou() for result in results]))]) for _, results in columns]
    return [*rows, Row("mIoU (dataset)", ("", *means), kind="strong")]


def _mean_iou_per_class(results: list[CellResult]) -> Float64Array:
    """Mean over seeds of each class's test IoU; NaN where no seed has one."""
    each = np.array([metrics.iou_per_class(result.scores["test"].confusions.sum(0)) for result in results])
    count = np.isfinite(each).sum(0)
    mean: Float64Array = np.divide(np.nansum(each, 0), count, out=np.full(len(count), np.nan), where=count > 0)
    return mean


def _iou_text(value: float) -> str:
    return f"{100 * value:.1f}" if np.isfinite(value) else NOTHING


def _shade(value: float) -> float:
    return round(float(value), 3) if np.isfinite(value) else 0.0


def _kind(results: list[CellResult]) -> Literal["", "baseline"]:
    return "baseline" if results[0].cell.model in BASELINES else ""


def parts_table(run: RunResults) -> list[Row]:
    """Dataset mIoU on train, val and test, side by side: how much is learnt by heart."""
    return [
        Row(heading, tuple(percent([result.miou(part) for result in results]) for part in PARTS), kind=_kind(results))
        for heading, results in groups(run)
    ]


def study_table(run: RunResults) -> list[Row]:
    """The study's image-level IoU on train, val and test: a table of its own, never beside the dataset mIoU."""
    return [
        Row(
            heading,
            tuple(
                percent([metrics.image_iou(result.scores[part].image_accuracies) for result in results])
                for part in PARTS
            ),
            kind=_kind(results),
        )
        for heading, results in groups(run)
    ]


def latency_table(run: RunResults) -> list[Row]:
    """Milliseconds a frame by arm: wall percentiles, CPU time and its ratio to the same model at N=0."""
    rows = []
    fields = ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "cpu_ms")
    for arm in run.arms:
        base = baseline_arm(arm, run.arms)
        plain = [result.latency.cpu_ms for result in run.of(base) if result.latency] if base else []
        cpu = [result.latency.cpu_ms for result in run.of(arm) if result.latency]
        ratio = f"{np.mean(cpu) / np.mean(plain):.2f}" if cpu and plain else NOTHING
        rows.append(Row(run.label(arm), (*(_mean_time(run.of(arm), field, 2) for field in fields), ratio)))
    return rows


def what_is_equal(run: RunResults) -> list[str]:
    """The protocol, in words: what every depth shares, so that only N differs."""
    recipe, seeds = run.experiment.training, run.experiment.seeds
    frames = recipe.steps * recipe.clip_length * recipe.clips_per_step
    batch = f"{_many(recipe.clips_per_step, 'clip')} of {recipe.clip_length} consecutive frames"
    return [
        f"{recipe.steps} optimiser steps of {batch}, all frames supervised: {frames} supervised frames a cell, "
        f"whatever N is. Early frames of a clip train with the shorter history that they have.",
        f"At the same seed: the same initial weights, the same clips in the same order, the same augmentation "
        f"(seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}).",
        f"The same recipe ({recipe.precision}, input {size_words(recipe.input_hw)}), and for one model the same "
        f"network apart from its memory: {_params(run)} parameters.",
        "BatchNorm learns in training and is frozen in scoring. Past frames come from the same video only: memory is "
        "emptied at every video and every gap in time.",
        "The last step's weights are scored; no step, seed or memory is picked by its test score.",
    ]


def latency_words(run: RunResults) -> str:
    """How the latencies were taken, with the threads of the measurement."""
    timed = [result.latency for result in run.cells if result.latency]
    if not timed:
        return "Not measured."
    threads = ", ".join(sorted({str(latency.threads) for latency in timed}))
    frames = min(latency.timed_frames for latency in timed)
    return (
        f"{frames} timed frames a cell after {run.experiment.scoring.latency_warm_up} frames of warm-up in each turn; "
        f"cells take turns, so that a busy machine is busy for all. Torch threads: {threads}. The network alone, from "
        "a float tensor to logits at its input's size (with its optical flow, where memory is warped); frames a second "
        "= 1000 / p50. Compare CPU time where the machine does other work."
    )


def size_words(size_hw: tuple[int, int]) -> str:
    """(height, width) as people write it, width first."""
    return f"{size_hw[1]}×{size_hw[0]}"


def _params(run: RunResults) -> str:
    counts = sorted({result.params for result in run.cells})
    if not counts:
        return "the same number of"
    few, many = f"{counts[0] / 1e6:.2f}", f"{counts[-1] / 1e6:.2f}"
    return f"{few} million" if few == many else f"{few} to {many} million"


def how_scored(run: RunResults) -> list[str]:
    """What the figures mean."""
    plan = run.experiment.scoring
    video = next(iter(run.environment["videos"].values()))
    num_videos = len(run.environment["split"]["test"])
    lines = [
        "mIoU (dataset): one confusion matrix over all pixels of the part, intersection over union of each class, mean "
        f"over the classes that occur ({_classes_scored(run)}). Pixels marked ignore do not count.",
        f"Scored as a stream, one frame at a time, at the videos' own size ({size_words(video['size_hw'])}): logits "
        "are upsampled, the truth is never resampled.",
        f"Every {_nth(plan.score_every)} frame of val and test and every {_nth(plan.train_score_every)} of train is "
        "compared with the truth, always with the N frames before it in memory.",
    ]
    if num_videos < MIN_VIDEOS_FOR_INTERVAL:
        lines.append(f"{_many(num_videos, 'test video')} allow no interval: what another flight would give is unknown.")
    else:
        lines.append(
            "Intervals: 95 %, paired bootstrap over test videos (10 000 resamples, the dataset mIoU recomputed from "
            "summed confusion matrices, seeds resampled inside); not corrected for comparing several depths."
        )
        if num_videos < FEW_VIDEOS:
            lines.append(f"With fewer than {FEW_VIDEOS} test videos such an interval is itself uncertain.")
    return lines


def _nth(k: int) -> str:
    """1 -> "single", 2 -> "2nd", 5 -> "5th"."""
    if k == 1:
        return "single"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th") if k % 100 not in (11, 12, 13) else "th"
    return f"{k}{ending}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _classes_scored(run: RunResults) -> str:
    numbers = sorted({metrics.num_classes_scored(r.scores["test"].confusions.sum(0)) for r in run.cells})
    return f"{' or '.join(map(str, numbers))} of {len(run.classes)} in test" if numbers else "none yet"


def video_table(run: RunResults) -> list[Row]:
    """The videos and the part that each belongs to."""
    split, videos = run.environment["split"], run.environment["videos"]
    return [
        Row(
            name,
            (
                part,
                str(videos[name]["environment"]),
                str(videos[name]["num_frames"]),
                f"{videos[name]['rate_hz']:g}" if videos[name]["rate_hz"] else "unknown",
                str(videos[name]["label_map"]),
                videos[name]["sha256"][:12],
            ),
        )
        for part in PARTS
        for name in split[part]
    ]


def machine(run: RunResults) -> list[tuple[str, str]]:
    """Name and value of what the run was made with."""
    found: dict[str, Any] = run.environment
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return [
        ("Processor", f"{found['processor']}, {found['num_processors']} processors"),
        ("Device", found["gpu"] or found["device"]),
        ("Python", f"{found['python']} on {found['platform']}"),
        ("Packages", packages),
        ("Commit", found["commit"] or "not a checkout"),
        ("Training time", f"{sum(result.train_seconds for result in run.cells):.0f} s, all cells together"),
    ]
