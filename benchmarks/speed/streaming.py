"""What memory costs when frames come one by one: FANet with N = 6 against N = 0 and against the study's windows.

    python benchmarks/speed/streaming.py [--width 1.0] [--frames 40]

CPU time of one thread (time.process_time), batch 1, eager float32; medians, because other work on the machine only ever
adds. Wall time is what a user waits for; airsim-seg benchmark reports it.
"""

import argparse
import statistics
import time

import torch
from windowed import Windowed

from fanet import FANet, TemporalState

SIZES_HW = ((240, 320), (480, 640))
DEPTHS = (0, 6)
WARM_UP = 8  # fills the memory, too


class Stream:
    """A network and its memory, fed with one frame again and again."""

    def __init__(self, depth: int, width: float, size_hw: tuple[int, int]) -> None:
        self.net = FANet(num_classes=11, width=width, tca_depth=depth).eval()
        self.net.reset_parameters(torch.Generator().manual_seed(0))
        self.frame = torch.randn(1, 3, *size_hw, generator=torch.Generator().manual_seed(1))
        self.state: TemporalState | None = None

    @torch.inference_mode()
    def step_ms(self) -> float:
        """Segment one frame; CPU milliseconds."""
        began = time.process_time()
        _, self.state = self.net(self.frame, self.state)
        return 1e3 * (time.process_time() - began)


class WindowStream:
    """The same as the 2021 study computes it: N + 1 frames through the whole network for each answer."""

    def __init__(self, depth: int, width: float, size_hw: tuple[int, int]) -> None:
        net = FANet(num_classes=11, width=width, tca_depth=0).eval()
        net.reset_parameters(torch.Generator().manual_seed(0))
        self.window = Windowed(net)
        self.frames = torch.randn(depth + 1, 3, *size_hw, generator=torch.Generator().manual_seed(1))

    @torch.inference_mode()
    def step_ms(self) -> float:
        """Segment one frame; CPU milliseconds."""
        began = time.process_time()
        self.window(self.frames)
        return 1e3 * (time.process_time() - began)


def compare(size_hw: tuple[int, int], width: float, frames: int) -> None:
    """Measure both depths in turns and print one line."""
    streams = {depth: Stream(depth, width, size_hw) for depth in DEPTHS}
    windows = WindowStream(DEPTHS[-1], width, size_hw)
    windowed_ms = []
    times: dict[int, list[float]] = {depth: [] for depth in DEPTHS}
    for turn in range(WARM_UP + frames):
        for depth, stream in streams.items():
            spent_ms = stream.step_ms()
            if turn >= WARM_UP:
                times[depth].append(spent_ms)
        if turn % 8 == 0:
            windowed_ms.append(windows.step_ms())
    none, six = (statistics.median(times[depth]) for depth in DEPTHS)
    state = streams[6].state
    assert state is not None
    print(
        f"{size_hw[1]}x{size_hw[0]}: N=0 {none:.1f} ms, N=6 {six:.1f} ms a frame (1 thread, CPU time), "
        f"ratio {six / none:.3f}; windows {statistics.median(windowed_ms):.1f} ms, "
        f"{statistics.median(windowed_ms) / six:.2f} times N=6; state {state.num_bytes // 6} bytes a past frame",
        flush=True,
    )


def main() -> None:
    """Compare at both sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--frames", type=int, default=40, help="timed frames a depth and size")
    args = parser.parse_args()
    torch.set_num_threads(1)
    for size_hw in SIZES_HW:
        compare(size_hw, args.width, args.frames)


if __name__ == "__main__":
    main()
