"""What memory costs in training, and what a lattice of pixels saves: one step on a clip of 16 supervised frames.

    python benchmarks/speed/training.py [--width 1.0] [--size 320x240] [--steps 6]

N = 6 against N = 0, and a loss on every fourth row and column (loss_stride = 4) against one on all, in turns.

CPU time of one thread (time.process_time) a supervised frame: forward, loss, backward and optimiser, float32, channels
last, as airsim-seg benchmark trains. With the windows of the 2021 study a depth of 6 would cost seven frames for one.
"""

import argparse
import statistics
import time

import torch

from airsim_seg.benchmark.loss import draw_lattice, resize_at, supervised_loss
from airsim_seg.benchmark.training import build_network

CLIP_LENGTH = 16
CASES = ((0, 1), (6, 1), (0, 4))  # depth N, loss_stride
NUM_CLASSES = 11


class Trainer:
    """A network that takes the same step again and again."""

    def __init__(self, depth: int, stride: int, width: float, size_hw: tuple[int, int]) -> None:
        self.stride = stride
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
        logits, _ = self.net(self.images, None, self.segment_start, full_size=self.stride == 1)
        labels = self.labels
        if self.stride > 1:
            size_hw = labels.shape[1:]
            rows, columns = draw_lattice(size_hw, self.stride)
            logits, labels = resize_at(logits, size_hw, rows, columns), labels[:, rows[:, None], columns]
        loss = supervised_loss(logits, labels, torch.ones(NUM_CLASSES))
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        self.optimizer.step()
        return 1e3 * (time.process_time() - began) / CLIP_LENGTH


def main() -> None:
    """Measure all cases in turns and print two ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--size", default="320x240", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--steps", type=int, default=6, help="timed steps a case")
    args = parser.parse_args()
    columns, rows = (int(side) for side in args.size.split("x"))
    torch.set_num_threads(1)
    trainers = {case: Trainer(*case, args.width, (rows, columns)) for case in CASES}
    times: dict[tuple[int, int], list[float]] = {case: [] for case in CASES}
    for turn in range(1 + args.steps):
        for case, trainer in trainers.items():
            spent_ms = trainer.step_ms()
            if turn > 0:
                times[case].append(spent_ms)
    none, six, lattice = (statistics.median(times[case]) for case in CASES)
    print(
        f"{args.size}, width {args.width}, clip of {CLIP_LENGTH}: N=0 {none:.1f} ms, N=6 {six:.1f} ms "
        f"a supervised frame (1 thread, CPU time), ratio {six / none:.3f}"
    )
    print(f"loss_stride 4 at N=0: {lattice:.1f} ms, {lattice / none:.2f} of a loss on every pixel")


if __name__ == "__main__":
    main()
