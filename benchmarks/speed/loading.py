"""Does the loader outrun the network? Frames a second of either alone, and what training waits where both run.

    python benchmarks/speed/loading.py [--videos data/videos] [--size 320x240] [--width 1.0] [--workers 0 1 2]

The loader draws augmented clips as training does, from memory (0 workers) and from the video files (others, and one
that reads them in the process itself), homogeneous batches of one clip of 16 frames and mixed ones of two clips of 8.
The network (FANet-18, N = 4) takes optimiser steps on a batch that is there: on the CPU with one thread, or on the GPU
in bf16 where there is one. Medians over the batches of a run. Waiting is what training itself writes in history.csv.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from airsim_seg.benchmark.clips import ClipSampler, Share
from airsim_seg.benchmark.distributed import alone
from airsim_seg.benchmark.environment import choose_device
from airsim_seg.benchmark.frames import FrameSource, VideoFrames
from airsim_seg.benchmark.learning import Learner
from airsim_seg.benchmark.loading import load_batches
from airsim_seg.benchmark.networks import build_network
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.benchmark.training import train
from airsim_seg.inventory import find_videos

FRAMES_PER_STEP = 16
NUM_CLASSES = 11
BATCHINGS = {"homogeneous": 1, "mixed": 2}  # clips in a step
WARM_UP = 3


def make_sampler(videos: list[FrameSource], clips_per_step: int) -> ClipSampler:
    """Clips as training draws them."""
    length = FRAMES_PER_STEP // clips_per_step
    return ClipSampler(videos, clip_length=length, clips_per_step=clips_per_step, seed=0, augment=True)


def loader_fps(sampler: ClipSampler, workers: int, steps: int) -> float:
    """Frames a second of wall time, batches being taken as fast as they come."""
    seconds = []
    last = WARM_UP + steps
    with load_batches(sampler, 0, last, workers=workers, share=Share(0, 1), pin_memory=False) as batches:
        for _ in range(last):
            began = time.perf_counter()
            next(batches)
            seconds.append(time.perf_counter() - began)
    # With workers batches come in bursts: the mean is what counts.
    return FRAMES_PER_STEP * steps / sum(seconds[WARM_UP:])


def network_fps(net: nn.Module, recipe: Recipe, sampler: ClipSampler, steps: int) -> float:
    """Frames a second of optimiser steps on one batch."""
    device = next(net.parameters()).device
    learner = Learner(net, recipe, torch.ones(NUM_CLASSES), alone(device))
    batch = sampler.sample(0).to(device)
    seconds = []
    for step in range(WARM_UP + steps):
        began = time.perf_counter()
        learner.learn(batch, step)  # reads the loss: a GPU has finished
        seconds.append(time.perf_counter() - began)
    return FRAMES_PER_STEP / statistics.median(seconds[WARM_UP:])


def waiting_share(net: nn.Module, recipe: Recipe, sampler: ClipSampler) -> float:
    """Share of a training's time in which it waited for batches."""
    with tempfile.TemporaryDirectory() as folder:
        history = train(net, sampler, recipe, Path(folder), seed=0)[WARM_UP:]
    return float(history["data_seconds"].sum() / history["seconds"].sum())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, default=Path("data/videos"), help="labelled videos")
    parser.add_argument("--size", default="320x240", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="numbers of worker processes")
    parser.add_argument("--steps", type=int, default=20, help="timed batches, and steps of the network")
    args = parser.parse_args()
    columns, rows = (int(side) for side in args.size.split("x"))
    torch.set_num_threads(1)
    device = choose_device()
    in_files: list[FrameSource] = [
        VideoFrames(path.stem, path, (rows, columns)) for path in find_videos(args.videos)[:16]
    ]
    in_memory: list[FrameSource] = [video.load() for video in in_files if isinstance(video, VideoFrames)]
    recipe = Recipe(
        input_hw=(rows, columns),
        steps=WARM_UP + args.steps,
        clip_length=FRAMES_PER_STEP // 2,
        precision="bf16" if device.type == "cuda" else "fp32",
        threads=1,
    )
    net = build_network("fanet18", tca_depth=4, num_classes=NUM_CLASSES, width=args.width, seed=0).to(device)
    learnt = network_fps(net, recipe, make_sampler(in_memory, 2), args.steps)
    print(f"FANet-18 N=4, width {args.width}, {args.size}, on {device}: {learnt:.0f} frames a second are learnt from")
    for batching, clips in BATCHINGS.items():
        cases = {"memory": (in_memory, 0), "files, in the process itself": (in_files, 0)}
        cases |= {f"files, {workers} workers": (in_files, workers) for workers in args.workers if workers}
        for name, (videos, workers) in cases.items():
            loaded = loader_fps(make_sampler(videos, clips), workers, args.steps)
            print(
                f"{batching}, {name}: {loaded:.0f} frames a second are loaded, {loaded / learnt:.1f} times the network"
            )
    for workers in args.workers:
        plan = Recipe(**vars(recipe) | {"workers": workers})
        share = waiting_share(net, plan, make_sampler(in_files if workers else in_memory, 2))
        print(f"training, {workers} workers: {100 * share:.1f} % of the time waits for batches")


if __name__ == "__main__":
    main()
