"""What a GPU makes of FANet: frames a second in training and in batch-1 streaming, beside what the hardware allows.

    python benchmarks/speed/accelerator.py [--size 640x480] [--width 1.0] [--depth 4] [--frames 300] [--steps 20]

Streaming: p50, p95 and p99 of the wall time of a frame, memory included, for eager float32, channels last, bf16
autocast, torch.compile and CUDA graphs. Training: frames a second of whole steps on a clip of 16 frames. Beside them
two floors, from ceilings measured in the same run: the network's multiplications at the speed of a large matrix
product, and the bytes that its layers read and write at the speed of a copy. Without a GPU the script says so and
measures the CPU, where only the variants that can be had there run.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from airsim_seg.benchmark.loss import supervised_loss
from fanet import FANet

CLIP_LENGTH = 16
NUM_CLASSES = 11
WARM_UP = 20
BF16_FLAGS = {"amx_bf16", "avx512_bf16"}
Step = Callable[[], object]


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 is computed by hardware; without, it is slower than float32 by far."""
    cpuinfo = Path("/proc/cpuinfo")
    return device.type == "cuda" or (cpuinfo.exists() and bool(BF16_FLAGS & set(cpuinfo.read_text().split())))


def synchronise(device: torch.device) -> None:
    """Wait until the device has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def seconds_of(step: Step, device: torch.device, repeats: int) -> np.ndarray:
    """Wall seconds of each of so many steps, after a warm-up."""
    for _ in range(min(WARM_UP, repeats)):
        step()
    spent = []
    for _ in range(repeats):
        synchronise(device)
        began = time.perf_counter()
        step()
        synchronise(device)
        spent.append(time.perf_counter() - began)
    return np.array(spent)


def ceilings(device: torch.device, dtype: torch.dtype) -> tuple[float, float]:
    """FLOP/s of a large matrix product and bytes/s of a large copy, measured here."""
    side = 4096 if device.type == "cuda" else 1024
    a = torch.randn(side, side, device=device, dtype=dtype)
    flops = 2 * side**3 / float(np.median(seconds_of(lambda: a @ a, device, 20)))
    source = torch.empty(2**28 if device.type == "cuda" else 2**26, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    moved = 2 * source.numel() / float(np.median(seconds_of(lambda: target.copy_(source), device, 20)))
    return flops, moved


def work_of(net: FANet, frame: Tensor) -> tuple[int, int]:
    """FLOPs of one frame, and the bytes that its layers read and write (weights, inputs, outputs)."""
    total = 0

    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        tensors = [*inputs, output, *module.parameters(recurse=False)]
        total += sum(t.numel() * t.element_size() for t in tensors if isinstance(t, Tensor))

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        net(frame)
    for hook in hooks:
        hook.remove()
    return counter.get_total_flops(), total


@contextmanager
def autocast(device: torch.device, enabled: bool) -> Iterator[None]:
    """bf16 where asked."""
    with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
        yield


class Stream:
    """One frame after the other, with memory."""

    def __init__(self, net: nn.Module, frame: Tensor, *, bf16: bool) -> None:
        self.net, self.frame, self.bf16, self.state = net, frame, bf16, None

    @torch.inference_mode()
    def step(self) -> None:
        """Segment one frame."""
        with autocast(self.frame.device, self.bf16):
            _, self.state = self.net(self.frame, self.state)


class GraphStream:
    """The same as a CUDA graph: all kernels of a frame are started at once."""

    @torch.inference_mode()
    def __init__(self, net: nn.Module, frame: Tensor, *, bf16: bool) -> None:
        with autocast(frame.device, bf16):
            _, state = net(frame)
            state = [t.clone() for t in (*state.remembered, state.num_valid, state.flows, state.picture)]
            kind = type(net(frame)[1])

            def frame_step() -> None:
                _, new = net(frame, kind(tuple(state[:-3]), *state[-3:]))
                for kept, value in zip(state, (*new.remembered, *new[1:]), strict=True):
                    kept.copy_(value)

            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    frame_step()
            torch.cuda.current_stream().wait_stream(side)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                frame_step()

    def step(self) -> None:
        """Segment one frame."""
        self.graph.replay()


def streams(net: FANet, frame: Tensor) -> dict[str, Callable[[], Step]]:
    """The variants that this device has, by name, each made when its turn comes."""
    last = frame.to(memory_format=torch.channels_last)
    net_last = net.to(memory_format=torch.channels_last)
    found: dict[str, Callable[[], Step]] = {
        "float32, channels last": lambda: Stream(net_last, last, bf16=False).step,
    }
    if has_bf16(frame.device):
        found["bf16, channels last"] = lambda: Stream(net_last, last, bf16=True).step
    if frame.device.type == "cuda":
        found |= {
            "bf16, compiled": lambda: Stream(torch.compile(net_last), last, bf16=True).step,
            "float32, CUDA graph": lambda: GraphStream(net_last, last, bf16=False).step,
            "bf16, CUDA graph": lambda: GraphStream(net_last, last, bf16=True).step,
        }
    return found


def training_step(net: FANet, size_hw: tuple[int, int], device: torch.device, *, bf16: bool) -> Step:
    """One optimiser step on a clip of 16 frames, all supervised."""
    net = net.to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(net.parameters(), 1e-4, fused=True)
    images = torch.randn(CLIP_LENGTH, 3, *size_hw, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(NUM_CLASSES, (CLIP_LENGTH, *size_hw), device=device)
    starts = torch.arange(CLIP_LENGTH, device=device) == 0
    weights = torch.ones(NUM_CLASSES, device=device)

    def step() -> None:
        with autocast(device, bf16):
            logits, _ = net(images, None, starts)
        loss = supervised_loss(logits.float(), labels, weights)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x480", help="WIDTHxHEIGHT in pixels")
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--depth", type=int, default=4, help="N")
    parser.add_argument("--frames", type=int, default=300, help="timed frames of each streaming variant")
    parser.add_argument("--steps", type=int, default=20, help="timed training steps")
    args = parser.parse_args()
    columns, rows = (int(side) for side in args.size.split("x"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(torch.cuda.get_device_name() if device.type == "cuda" else "no GPU here: these are figures of the CPU")
    frame = torch.randn(1, 3, rows, columns, device=device)

    def fresh() -> FANet:
        return FANet(NUM_CLASSES, width=args.width, tca_depth=args.depth).to(device).eval()

    flops, moved = work_of(fresh(), frame)
    floors = {}
    kinds = [("float32", torch.float32, 1.0)] + ([("bf16", torch.bfloat16, 0.5)] if has_bf16(device) else [])
    if len(kinds) == 1:
        print("no bf16 in this processor: left out")
    for name, dtype, share in kinds:
        flop_rate, byte_rate = ceilings(device, dtype)
        floors[name] = (flops / flop_rate, share * moved / byte_rate)
        print(
            f"{name}: {flop_rate / 1e12:.1f} TFLOP/s and {byte_rate / 1e9:.0f} GB/s measured; a frame is "
            f"{flops / 1e9:.1f} GFLOP and {share * moved / 1e6:.0f} MB: at least {1e3 * floors[name][0]:.3f} ms by "
            f"arithmetic, {1e3 * floors[name][1]:.3f} ms by memory"
        )
    print(f"streaming, N={args.depth}, {args.size}, batch 1, wall milliseconds")
    for name, make in {"float32": lambda: Stream(fresh(), frame, bf16=False).step, **streams(fresh(), frame)}.items():
        spent = 1e3 * seconds_of(make(), device, args.frames)
        p50, p95, p99 = np.percentile(spent, [50, 95, 99])
        floor = 1e3 * max(floors["bf16" if "bf16" in name else "float32"])
        print(
            f"  {name}: p50 {p50:.3f} p95 {p95:.3f} p99 {p99:.3f}; {1e3 / p50:.1f} frames/s; {p50 / floor:.1f} floors"
        )
    print(f"training, N={args.depth}, clip of {CLIP_LENGTH}, all frames supervised, channels last")
    for name, _, _ in kinds:
        step = training_step(fresh(), (rows, columns), device, bf16=name == "bf16")
        spent = seconds_of(step, device, args.steps)
        print(f"  {name}: {CLIP_LENGTH / float(np.median(spent)):.1f} frames/s")


if __name__ == "__main__":
    main()
