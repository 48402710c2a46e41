"""Runs an experiment: every cell of the grid trained and scored, finished ones skipped, the results at the end.

Everything lies in the run's folder (see results.py), each file written whole or not at all: a run that is killed
anywhere goes on from there when the same command is given again.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from airsim_seg.benchmark import baselines, checkpoints
from airsim_seg.benchmark.cell_training import Progress, train_cell
from airsim_seg.benchmark.cells import Cell
from airsim_seg.benchmark.experiments import reload_experiment
from airsim_seg.benchmark.frames import FrameSource
from airsim_seg.benchmark.latency import measure_in_turns
from airsim_seg.benchmark.motion import SOURCES, dis_flow
from airsim_seg.benchmark.resizing import resize_rgb
from airsim_seg.benchmark.results import (
    BASELINES,
    RunResults,
    baseline_cell,
    is_finished,
    load_run,
    save_cell,
    write_json,
    write_results,
)
from airsim_seg.benchmark.runs import Run
from airsim_seg.benchmark.scoring import NetworkPredictor, Predictor, prepare_frame, score_videos
from airsim_seg.splits import PARTS, Split
from airsim_seg.types import UInt8Array
from airsim_seg.videos import VideoReader
from fanet.state_dicts import AUXILIARY

COLOUR_EVERY = 10  # the baselines learn from every tenth training frame: neighbours look alike
LATENCY_CLIP = 50  # different frames under the stopwatch, repeated


def execute(run: Run, progress: Progress) -> RunResults:
    """Do whatever of the run is not done yet, and write results.csv and results.md.

    Raises:
        Interrupted: Ctrl-C while training; the same call goes on.
        TrainingError: see train.
    """
    progress.say(_split_in_words(run.split))
    _score_baselines(run, progress)
    waiting = []
    for cell in run.experiment.cells():
        if is_finished(run.folder / cell.name):
            progress.say(f"{cell.name}: finished before, skipped")
        else:
            waiting.append(cell)
    if waiting:
        progress.begin("reading the training videos", 1)
        train_frames, val_frames = run.frames("train"), run.frames("val")
        progress.advance()
        for cell in waiting:
            _run_cell(run, cell, train_frames, val_frames, progress)
    _measure_latencies(run, progress)
    results = load_run(run.folder)
    write_results(results)
    return results


def _split_in_words(split: Split) -> str:
    return "; ".join(f"{part}: {', '.join(split.part(part))}" for part in PARTS)


def _score_baselines(run: Run, progress: Progress) -> None:
    """Both baselines, and the pictures and truth of the frames that the report shows."""
    cells = {name: baseline_cell(name) for name in BASELINES}
    if all(is_finished(run.folder / cell.name) for cell in cells.values()):
        return
    _save_samples(run)
    counts = baselines.ColourCounts(len(run.classes))
    progress.begin("baselines: counting colours", len(run.split.train))
    for _, reader in run.readers("train"):
        with reader as video:
            baselines.add_video(counts, video, COLOUR_EVERY)
        progress.advance()
    for name, predictor in baselines.baseline_predictors(counts).items():
        folder = run.folder / cells[name].name
        _score_parts(run, predictor, folder, cells[name], progress)
        save_cell(folder, cells[name], params=len(predictor.lookup), train_seconds=0.0)


def _save_samples(run: Run) -> None:
    arrays: dict[str, Any] = {}
    shown: list[tuple[str, int]] = []
    for name, indices in run.sample_frames().items():
        with VideoReader(run.videos[name].path) as video:
            for index in indices:
                arrays[f"rgb_{len(shown)}"], arrays[f"labels_{len(shown)}"] = video.rgb(index), video.labels(index)
                shown.append((name, index))
    arrays["video"] = np.array([name for name, _ in shown], np.str_)
    arrays["frame"] = np.array([index for _, index in shown], np.int64)
    temporary = run.folder / "samples.part.npz"
    np.savez_compressed(temporary, **arrays)
    temporary.replace(run.folder / "samples.npz")


def _run_cell(
    run: Run, cell: Cell, train_frames: list[FrameSource], val_frames: list[FrameSource], progress: Progress
) -> None:
    folder = run.folder / cell.name
    net, history = train_cell(run, cell, train_frames, val_frames, progress)
    predictor = NetworkPredictor(net, partial(prepare_frame, input_hw=run.experiment.training.input_hw))
    _score_parts(run, predictor, folder, cell, progress)
    params = sum(p.numel() for name, p in net.named_parameters() if not name.startswith(AUXILIARY))
    save_cell(folder, cell, params=params, train_seconds=round(float(history["seconds"].sum()), 2))


def _score_parts(run: Run, predictor: Predictor, folder: Path, cell: Cell, progress: Progress) -> None:
    """Score train, val and test into predictions/<part>.npz."""
    (folder / "predictions").mkdir(parents=True, exist_ok=True)
    shown = {"test": run.sample_frames()}
    source, size = SOURCES[run.experiment.network.motion], run.experiment.training.input_hw
    motion_of = (lambda video, index: source(video, index, size)) if cell.needs_motion else None
    progress.begin(f"{cell.name}: scoring", sum(run.num_frames(part) for part in PARTS))
    for part in PARTS:
        score = score_videos(
            run.readers(part),
            predictor,
            num_classes=len(run.classes),
            memory=cell.reach,
            motion_of=motion_of,
            score_every=run.experiment.scoring.every(part),
            keep=shown.get(part, {}),
            on_frame=progress.advance,
        )
        score.save(folder / "predictions" / f"{part}.npz")


def _measure_latencies(run: Run, progress: Progress) -> None:
    """Time all finished cells in turns, if any of them has no figures yet: figures of one session compare."""
    union = reload_experiment(run.folder / "config.toml")
    cells = [cell for cell in union.cells() if is_finished(run.folder / cell.name)]
    if all((run.folder / cell.name / "latency.json").is_file() for cell in cells):
        return
    plan = run.experiment.scoring
    progress.begin(f"latency: {len(cells)} cells in turns, at least {plan.latency_frames} frames each", 1)
    frames = _latency_frames(run)
    threads_before = torch.get_num_threads()
    torch.set_num_threads(plan.latency_threads or threads_before)
    try:
        steps = {cell.name: _stream(run, cell, frames) for cell in cells}
        threads = torch.get_num_threads()
        figures = measure_in_turns(steps, threads=threads, frames=plan.latency_frames, warm_up=plan.latency_warm_up)
    finally:
        torch.set_num_threads(threads_before)
    for name, figure in figures.items():
        write_json(run.folder / name / "latency.json", figure.as_dict())
    progress.advance()


def _latency_frames(run: Run) -> list[UInt8Array]:
    """The first test frames at the network's size."""
    with VideoReader(run.videos[run.split.test[0]].path) as video:
        indices = range(min(LATENCY_CLIP, video.num_frames))
        return [resize_rgb(video.rgb(index), run.experiment.training.input_hw) for index in indices]


def _stream(run: Run, cell: Cell, pictures: list[UInt8Array]) -> Callable[[], None]:
    """One frame of a trained cell's stream at each call; a warped memory pays for its optical flow there."""
    net = run.network(cell)
    checkpoints.load_network(run.folder / cell.name / checkpoints.FILE_NAME, net)
    net = net.to(run.device).eval()
    frames = [prepare_frame(picture, run.experiment.training.input_hw).to(run.device) for picture in pictures]
    going_on = torch.tensor([False], device=run.device)
    state: Any = None
    position = 0

    @torch.inference_mode()
    def step() -> None:
        nonlocal state, position
        now, before = position % len(frames), (position - 1) % len(frames)
        motion = None
        if cell.needs_motion:
            motion = torch.from_numpy(dis_flow(pictures[now], pictures[before]))[None].to(run.device)
        _, state = net(frames[now], state, going_on, motion)
        position += 1
        if run.device.type == "cuda":
            torch.cuda.synchronize()

    return step
