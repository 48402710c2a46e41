"""Run folders as the benchmark leaves them, without a training: random scores around a known accuracy."""

import numpy as np

from airsim_seg.benchmark.experiments import Cell, Experiment, SplitPlan, save_experiment
from airsim_seg.benchmark.latency import Latency
from airsim_seg.benchmark.metrics import confusion_matrix, pixel_accuracy
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.benchmark.results import BASELINES, baseline_cell, save_cell, write_json
from airsim_seg.benchmark.scoring import SplitScore, VideoScore
from airsim_seg.taxonomy import CLASS_NAMES

SIZE_HW = (24, 32)
STEPS = 20


def write_run(
    folder, *, depths=(0, 4), seeds=(0,), test=("drone-s0-02", "car-s0-02"), classes=CLASS_NAMES, baselines=True
):
    """Write a run of these cells; accuracy grows a little with depth."""
    split = {"train": ("drone-s0-00",), "val": ("drone-s0-01",), "test": tuple(test)}
    experiment = Experiment(
        name="paper",
        description="Made for a test.",
        training=Recipe(steps=STEPS, input_hw=SIZE_HW),
        tca_depths=tuple(depths),
        seeds=tuple(seeds),
        split=SplitPlan(**split),
    )
    folder.mkdir(parents=True, exist_ok=True)
    save_experiment(experiment, folder / "config.toml")
    write_json(folder / "environment.json", environment(split, classes))
    write_samples(folder, test, len(classes))
    for cell in experiment.cells():
        write_cell(folder / cell.name, cell, split, len(classes), accuracy=0.6 + 0.02 * cell.tca_depth)
    for name in BASELINES if baselines else ():
        cell = baseline_cell(name)
        write_cell(folder / cell.name, cell, split, len(classes), accuracy=0.2)
    return folder


def environment(split, classes):
    """The content of environment.json."""
    names = [name for part in split.values() for name in part]
    facts = {"environment": "Testland", "num_frames": 8, "size_hw": list(SIZE_HW), "rate_hz": 25.0}
    return {
        "python": "3.11.0",
        "platform": "Linux x86_64",
        "packages": {"torch": "2.6"},
        "processor": "abacus",
        "num_processors": 2,
        "device": "cpu",
        "gpu": None,
        "commit": None,
        "classes": list(classes),
        "split": {part: list(names) for part, names in split.items()},
        "videos": {name: facts | {"sha256": "ab" * 32, "label_map": "Testland abc"} for name in names},
    }


def write_samples(folder, test, num_classes):
    """One picture of each of the first two test videos."""
    rng = np.random.default_rng(0)
    arrays = {"video": np.array(test[:2], np.str_), "frame": np.full(len(test[:2]), 4)}
    for i in range(len(test[:2])):
        arrays[f"rgb_{i}"] = rng.integers(0, 256, (*SIZE_HW, 3)).astype(np.uint8)
        arrays[f"labels_{i}"] = rng.integers(0, num_classes, SIZE_HW).astype(np.uint8)
    np.savez(folder / "samples.npz", **arrays)


def write_cell(folder, cell: Cell, split, num_classes, *, accuracy):
    """One finished cell; a network's has a history and latencies too."""
    rng = np.random.default_rng((cell.tca_depth, cell.seed, len(cell.model)))
    (folder / "predictions").mkdir(parents=True)
    for part, names in split.items():
        videos = tuple(_video_score(name, rng, num_classes, accuracy) for name in names)
        SplitScore(videos, 1).save(folder / "predictions" / f"{part}.npz")
    is_network = cell.model not in BASELINES
    if is_network:
        lines = [f"{s},{3 / s:.4f},0.001,0.1,{0.4 if s % 10 == 0 else ''}" for s in range(1, STEPS + 1)]
        text = "\n".join(["step,loss,learning_rate,seconds,val_miou_input_size", *lines])
        (folder / "history.csv").write_text(text + "\n")
        latency = Latency(5.0 + cell.tca_depth, 9.0, 12.0, 6.0, 1000 / (5.0 + cell.tca_depth), 300, 2)
        write_json(folder / "latency.json", latency.as_dict())
    save_cell(folder, cell, params=4096, train_seconds=2.0 if is_network else 0.0)


def _video_score(name, rng, num_classes, accuracy):
    truth = rng.integers(0, num_classes, (4, *SIZE_HW)).astype(np.uint8)
    wrong = rng.integers(0, num_classes, truth.shape).astype(np.uint8)
    predicted = np.where(rng.random(truth.shape) < accuracy, truth, wrong).astype(np.uint8)
    counts = [confusion_matrix(t, p, num_classes) for t, p in zip(truth, predicted, strict=True)]
    accuracies = np.array([pixel_accuracy(count) for count in counts])
    return VideoScore(name, np.sum(counts, axis=0), accuracies, {4: predicted[0]})
