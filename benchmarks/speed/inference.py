"""What a frame costs in each runtime: FANet-18 in PyTorch, ONNX Runtime and OpenVINO, in turns, in one run.

    python benchmarks/speed/inference.py [--size 640x480] [--width 1.0] [--rounds 20]

CPU time of one thread (time.process_time), batch 1, streaming with its memory, medians, N = 0 and N = 6. Weights are
random, but BatchNorm has seen frames; labels are compared with eager PyTorch's, and margins are smaller than a trained
network's. Packages that are not installed are named and left out: pip install "airsim-seg[export]".
"""

import argparse
import copy
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from airsim_seg.deploy.extras import missing
from airsim_seg.deploy.runtimes import GraphModel, OnnxModel, OpenVinoModel, TorchModel
from airsim_seg.deploy.streaming_graph import StreamingGraph
from airsim_seg.deploy.writers import write_int8, write_onnx, write_openvino
from airsim_seg.types import Float32Array
from fanet import FANet

DEPTHS = (0, 6)
CLASSES = tuple(map(str, range(11)))
NUM_FRAMES = 24
WARM_UP = 8  # fills the memory, too
BF16_FLAGS = {"amx_bf16", "avx512_bf16"}
INT8_FLAGS = {"amx_int8", "avx512_vnni", "avx_vnni"}
AIM = 1.7  # OpenVINO float32 over eager PyTorch float32


def make_frames(size_hw: tuple[int, int]) -> Float32Array:
    """A window that pans over a smooth random picture: float32 [T,1,3,H,W], about normalised."""
    height, width = size_hw
    generator = torch.Generator().manual_seed(0)
    layers = [
        torch.nn.functional.interpolate(
            torch.randn(1, 3, height // cell, width // cell, generator=generator), (height + 64, width + 64)
        )
        for cell in (64, 16, 4)
    ]
    picture = (sum(layers) / len(layers) ** 0.5).numpy()
    windows = [picture[:, :, 2 * t : 2 * t + height, t : t + width] for t in range(NUM_FRAMES)]
    return np.ascontiguousarray(np.stack(windows), np.float32)


def make_net(depth: int, width: float, frames: Float32Array) -> FANet:
    """Random weights, real BatchNorm statistics: the mean over a few batches, not the start of a moving average."""
    net = FANet(len(CLASSES), width=width, tca_depth=depth)
    net.reset_parameters(torch.Generator().manual_seed(0))
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        for first in range(0, 12, 4):
            net.train()(torch.from_numpy(frames[first : first + 4, 0]))
    return net.eval()


def open_all(net: FANet, frames: Float32Array, folder: Path) -> dict[str, GraphModel]:
    """Every runtime that is there, PyTorch first; each with one thread."""
    size_hw = (frames.shape[3], frames.shape[4])
    eager = TorchModel(StreamingGraph(net, size_hw), CLASSES)
    channels_last = copy.deepcopy(net).to(memory_format=torch.channels_last)
    models: dict[str, GraphModel] = {
        "PyTorch eager float32": eager,
        "PyTorch channels_last": TorchModel(StreamingGraph(channels_last, size_hw), CLASSES),
    }
    if absent := missing(("onnx", "onnxscript")):
        print(f"not installed: {', '.join(absent)}; nothing can be exported")
        return models
    path = folder / f"{net.tca_depth}.onnx"
    write_onnx(eager.graph, path)
    if absent := missing(("onnxruntime",)):
        print("not installed: onnxruntime")
    else:
        models["ONNX Runtime float32"] = OnnxModel(path, eager.signature, CLASSES, threads=1)
    if absent := missing(("openvino",)):
        print("not installed: openvino")
        return models
    return models | open_openvino(eager, path, frames)


def open_openvino(eager: TorchModel, onnx_path: Path, frames: Float32Array) -> dict[str, GraphModel]:
    """OpenVINO in float32, in bf16 if the processor can, and in int8."""
    path, signature = onnx_path.with_suffix(".xml"), eager.signature
    write_openvino(onnx_path, path)
    models: dict[str, GraphModel] = {"OpenVINO float32": OpenVinoModel(path, signature, CLASSES, threads=1)}
    if BF16_FLAGS & cpu_flags():
        models["OpenVINO bf16"] = OpenVinoModel(path, signature, CLASSES, threads=1, precision="bf16")
    else:
        print("bf16: left out, this processor has none (AMX or avx512_bf16)")
    if missing(("nncf",)):
        print("not installed: nncf; int8 left out")
        return models
    if not INT8_FLAGS & cpu_flags():
        print("int8: no AMX/VNNI here: measured, its speed not claimed")
    samples = []
    for frame in frames:
        samples.append(eager.inputs(frame))
        eager.step(frame)
    int8_path = path.with_name(f"{path.stem}-int8.xml")
    write_int8(onnx_path, int8_path, samples)
    return models | {"OpenVINO int8": OpenVinoModel(int8_path, signature, CLASSES, threads=1)}


def cpu_flags() -> set[str]:
    """What /proc/cpuinfo says that the processor can; nothing where there is no such file."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())


def measure(models: dict[str, GraphModel], frames: Float32Array, rounds: int) -> None:
    """Step all models in turns and print a line for each."""
    spent_ms: dict[str, list[float]] = {name: [] for name in models}
    equal: dict[str, list[float]] = {name: [] for name in models}
    for model in models.values():
        model.reset()
    for turn, frame in enumerate(itertools.islice(itertools.cycle(frames), WARM_UP + rounds)):
        expected = None
        for name, model in models.items():
            # What each computes fastest: channels side by side, or planes.
            given = frame if "channels_last" not in name else np.moveaxis(np.moveaxis(frame, 1, -1).copy(), -1, 1)
            began = time.process_time()
            logits = model.step(given)
            ended = time.process_time()
            labels = logits.argmax(1)
            expected = labels if expected is None else expected
            if turn >= WARM_UP:
                spent_ms[name].append(1e3 * (ended - began))
                equal[name].append(float((labels == expected).mean()))
    eager_ms = next(iter(spent_ms.values()))
    for name, values in spent_ms.items():
        # Ratios of neighbours in time, then their median: what slows the machine slows both.
        ratio = statistics.median(ours / theirs for ours, theirs in zip(eager_ms, values, strict=True))
        aim = f"  (aim: {AIM})" if name == "OpenVINO float32" else ""
        print(
            f"  {name:22} {statistics.median(values):7.1f} ms  x{ratio:.2f}  equal labels "
            f"{statistics.fmean(equal[name]):.4f}{aim}",
            flush=True,
        )


def main() -> None:
    """Measure all depths."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="640x480", help="width x height in pixels")
    parser.add_argument("--width", type=float, default=1.0, help="factor on all channels")
    parser.add_argument("--rounds", type=int, default=20, help="timed frames a runtime and depth")
    args = parser.parse_args()
    torch.set_num_threads(1)
    width, height = map(int, args.size.split("x"))
    frames = make_frames((height, width))
    for depth in DEPTHS:
        with tempfile.TemporaryDirectory() as folder:
            models = open_all(make_net(depth, args.width, frames), frames, Path(folder))
            print(f"FANet-18, width {args.width}, {width}x{height}, N={depth}: CPU time of a frame, one thread")
            measure(models, frames, args.rounds)


if __name__ == "__main__":
    main()
