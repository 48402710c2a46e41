"""What memory costs in training: FANet's look back into a clip against the 2021 study's window for each frame.

    python benchmarks/speed/training.py [--width 1.0] [--size 320x240] [--steps 3] [--depths 0 2 4 6]

CPU time of one thread (time.process_time) a supervised frame, forward, loss, backward and optimiser, float32 and
channels last on both sides, in turns in one run; medians. A clip has 16 frames, all supervised, early ones with the
history that they have; the study takes one optimiser step of 16 windows of N + 1 frames, each with one supervised
frame. Besides: a loss on every fourth row and column (loss_stride = 4) against one on all.
"""

import argparse
import statistics
import time

import torch
from torch import Tensor
from windowed import Windowed, window_of

from airsim_seg.benchmark.loss import draw_lattice, resize_at, supervised_loss
from fanet import FANet

CLIP_LENGTH = 16
NUM_CLASSES = 11


class Trainer:
    """A network that takes the same step again and again.

    Args:
        depth: N.
        width: factor on all channels.
        size_hw: (height, width) in pixels.
        stride: loss_stride.
        windowed: as the study computes it.
    """

    def __init__(
        self, depth: int, width: float, size_hw: tuple[int, int], *, stride: int = 1, windowed: bool = False
    ) -> None:
        self.depth, self.stride, self.windowed = depth, stride, windowed
        rng = torch.Generator().manual_seed(0)
        net = FANet(NUM_CLASSES, width=width, tca_depth=0 if windowed else depth)
        net.reset_parameters(rng)
        self.net = net.to(memory_format=torch.channels_last).train()
        self.window = Windowed(net)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), 1e-4, fused=True)
        images = torch.randn(CLIP_LENGTH, 3, *size_hw, generator=rng)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(NUM_CLASSES, (CLIP_LENGTH, *size_hw), generator=rng)
        self.segment_start = torch.arange(CLIP_LENGTH) == 0
        self.weights = torch.ones(NUM_CLASSES)

    def step_ms(self, frames: int = CLIP_LENGTH) -> float:
        """Take one step on so many supervised frames; CPU milliseconds for each."""
        began = time.process_time()
        self.optimizer.zero_grad()
        if self.windowed:
            for last in range(CLIP_LENGTH - frames, CLIP_LENGTH):
                logits = self.window(window_of(self.images, last, self.depth))
                torch.autograd.backward(supervised_loss(logits, self.labels[last : last + 1], self.weights))
        else:
            torch.autograd.backward(self._clip_loss())
        self.optimizer.step()
        return 1e3 * (time.process_time() - began) / frames

    def _clip_loss(self) -> Tensor:
        logits, _ = self.net(self.images, None, self.segment_start, full_size=self.stride == 1)
        labels = self.labels
        if self.stride > 1:
            size_hw = labels.shape[1:]
            rows, columns = draw_lattice(size_hw, self.stride)
            logits, labels = resize_at(logits, size_hw, rows, columns), labels[:, rows[:, None], columns]
        return supervised_loss(logits, labels, self.weights)


def main() -> None:
    """Measure all cases in turns and print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--size", default="320x240", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--steps", type=int, default=3, help="timed steps a case")
    parser.add_argument(
        "--depths", type=int, nargs="+", default=[0, 2, 4, 6], help="N; 0 is what others are held against"
    )
    parser.add_argument("--windows", type=int, default=4, help="windows in a timed step of the study's formulation")
    args = parser.parse_args()
    columns, rows = (int(side) for side in args.size.split("x"))
    torch.set_num_threads(1)
    size_hw = (rows, columns)
    clips = {depth: Trainer(depth, args.width, size_hw) for depth in args.depths}
    windows = {depth: Trainer(depth, args.width, size_hw, windowed=True) for depth in args.depths}
    lattice = Trainer(args.depths[0], args.width, size_hw, stride=4)
    times: dict[str, list[float]] = {}
    for turn in range(1 + args.steps):
        for depth in args.depths:
            spent = {f"clip {depth}": clips[depth].step_ms(), f"window {depth}": windows[depth].step_ms(args.windows)}
            for name, spent_ms in (spent | ({"lattice": lattice.step_ms()} if depth == args.depths[0] else {})).items():
                if turn > 0:
                    times.setdefault(name, []).append(spent_ms)
    median = {name: statistics.median(spent) for name, spent in times.items()}
    first = median[f"clip {args.depths[0]}"]
    print(f"FANet-18, width {args.width}, {args.size}, CPU milliseconds (1 thread) a supervised frame")
    for depth in args.depths:
        clip, window = median[f"clip {depth}"], median[f"window {depth}"]
        print(
            f"N={depth}: clip of {CLIP_LENGTH} {clip:.1f}, windows {window:.1f}, windows / clip {window / clip:.2f}, "
            f"clip / clip at N={args.depths[0]} {clip / first:.3f}"
        )
    print(f"loss_stride 4: {median['lattice']:.1f}, {median['lattice'] / first:.2f} of a loss on every pixel")


if __name__ == "__main__":
    main()
