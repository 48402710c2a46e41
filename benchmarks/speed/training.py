"""What memory costs in training: one step on a clip of 16 frames, all supervised, N = 6 against N = 0, in turns.

    python benchmarks/speed/training.py [--width 1.0] [--size 320x240] [--steps 6]

CPU time of one thread (time.process_time) a supervised frame: forward, loss, backward and optimiser, float32, channels
last, as airsim-seg benchmark trains. With the windows of the 2021 study a depth of 6 would cost seven frames for one.
"""

import argparse
import statistics
import time

import torch

from airsim_seg.benchmark.loss import supervised_loss
from airsim_seg.benchmark.training import build_network

CLIP_LENGTH = 16
DEPTHS = (0, 6)
NUM_CLASSES = 11


class Trainer:
    """A network that takes the same step again and again."""

    def __init__(self, depth: int, width: float, size_hw: tuple[int, int]) -> None:
        rng = torch.Generator().manual_seed(0)
        self.net = build_network(depth, num_classes=NUM_CLASSES, width=width, seed=0).train()
        self.optimizer = torch.optim.AdamW(self.net.parameters(), 1e-4, fused=True)
        images = torch.randn(CLIP_LENGTH, 3, *size_hw, generator=rng)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(NUM_CLASSES, (CLIP_LENGTH, *size_hw), generator=rng)
        self.segment_start = torch.arange(CLIP_LENGTH) == 0

    def step_ms(self) -> float:
        """Take one step; CPU milliseconds a supervised frame."""
        began = time.process_time()
        logits, _ = self.net(self.images, None, self.segment_start)
        loss = supervised_loss(logits, self.labels, torch.ones(NUM_CLASSES))
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return 1e3 * (time.process_time() - began) / CLIP_LENGTH


def main() -> None:
    """Measure both depths in turns and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--size", default="320x240", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--steps", type=int, default=6, help="timed steps a depth")
    args = parser.parse_args()
    columns, rows = (int(side) for side in args.size.split("x"))
    torch.set_num_threads(1)
    trainers = {depth: Trainer(depth, args.width, (rows, columns)) for depth in DEPTHS}
    times: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    for turn in range(1 + args.steps):
        for depth, trainer in trainers.items():
            spent_ms = trainer.step_ms()
            if turn > 0:
                times[depth].append(spent_ms)
    none, six = (statistics.median(times[depth]) for depth in DEPTHS)
    print(
        f"{args.size}, width {args.width}, clip of {CLIP_LENGTH}: N=0 {none:.1f} ms, N=6 {six:.1f} ms "
        f"a supervised frame (1 thread, CPU time), ratio {six / none:.3f}"
    )


if __name__ == "__main__":
    main()
