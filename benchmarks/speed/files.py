"""What the files cost: frames written, read and remapped a second, and bytes a frame, for each way to store RGB.

    python benchmarks/speed/files.py [--frames 100] [--rounds 3] [--folder DIR]

The frames are the built-in Neighborhood at 640x480 along a slow flight. The ways are measured in turns, so that what
else the machine does hits all alike; each figure is the median of the rounds. Reads are in random order.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from airsim_seg.builtin.environments import build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import View
from airsim_seg.label_maps import Rule, compile_label_map
from airsim_seg.palette import id_from_name
from airsim_seg.recordings import RecordingHeader, RecordingReader, RecordingWriter
from airsim_seg.remap import file_sha256, remap_recording
from airsim_seg.types import Frame, Pose, camera_matrix
from airsim_seg.videos import VideoReader

SIZE_HW = (480, 640)
FOV_DEG = 90.0
RATE_HZ = 25.0
WAYS: tuple[str | None, ...] = ("lzf", "gzip", None)


def render(count: int) -> list[Frame]:
    """Frames as the simulator would send them."""
    scene = build("Neighborhood", seed=0)
    rasteriser = Rasteriser(scene)
    ids = np.array([id_from_name(thing.name) for thing in scene.objects] + [0], np.uint8)  # -1 = sky = id 0
    frames = []
    for k in range(count):
        start = scene.player_start.position_m
        pose = Pose.from_euler(start + np.array([0.2 * k, 0.0, -3.0]), yaw_rad=0.3 * np.sin(k / 9))
        picture = rasteriser.render(View(pose, SIZE_HW, FOV_DEG))
        raw_ids = ids[picture.object_index]
        frames.append(Frame(round(k * 1e9 / RATE_HZ), -1, -1, picture.rgb, raw_ids, pose, k == 0))
    return frames


def measure(folder: Path, frames: list[Frame], way: str | None) -> dict[str, float]:
    """One round: write, read, remap, read the labels."""
    header = RecordingHeader(
        "Neighborhood", RATE_HZ, SIZE_HW, camera_matrix(SIZE_HW, FOV_DEG), "camera", {"kind": "speed"}, ()
    )
    path, target = folder / "a.h5", folder / "b.h5"
    path.unlink(missing_ok=True)
    everything = compile_label_map("Neighborhood", 1, [Rule("road", ids=tuple(range(256)))])
    order = np.random.default_rng(0).permutation(len(frames))
    took = {}

    began = time.perf_counter()
    with RecordingWriter.create(path, header, rgb_compression=way) as recording:
        for frame in frames:
            recording.append(frame)
        recording.finish()
    took["written"] = time.perf_counter() - began

    began = time.perf_counter()
    with RecordingReader(path) as reader:
        for index in order:
            reader.rgb(int(index)), reader.raw_ids(int(index))
    took["read"] = time.perf_counter() - began

    began = time.perf_counter()
    remap_recording(path, target, everything, force=True)
    took["remapped"] = time.perf_counter() - began

    began = time.perf_counter()
    with VideoReader(target) as video:
        for index in order:
            video.rgb(int(index)), video.labels(int(index))
    took["video read"] = time.perf_counter() - began

    began = time.perf_counter()
    file_sha256(path)
    took["hashed"] = time.perf_counter() - began
    rates = {f"{name}/s": len(frames) / seconds for name, seconds in took.items()}
    return rates | {"kB/frame": path.stat().st_size / len(frames) / 1000}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to write; by default the system's temporary folder")
    options = parser.parse_args()
    frames = render(options.frames)
    found: dict[str | None, dict[str, list[float]]] = {way: defaultdict(list) for way in WAYS}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for _ in range(options.rounds):
            for way in WAYS:
                for name, value in measure(Path(folder), frames, way).items():
                    found[way][name].append(value)
    names = list(found[None])
    print(f"{options.frames} frames of {SIZE_HW[1]}x{SIZE_HW[0]}, median of {options.rounds} rounds, frames a second")
    print("rgb as   " + "".join(f"{name:>14}" for name in names))
    for way, values in found.items():
        print(f"{way or 'plain':8} " + "".join(f"{statistics.median(values[name]):14.0f}" for name in names))


if __name__ == "__main__":
    main()
