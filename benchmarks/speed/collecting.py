"""What recording costs: frames a second of the collector, to disk, against those of the pictures alone.

    python benchmarks/speed/collecting.py [--frames 100] [--rounds 3] [--environments Neighborhood City] [--seed 1]
        [--threads N] [--out FOLDER]

"pictures" is the official client alone: pose in, two pictures out. "collect" is all that `airsim-seg collect` does for
a frame: step the clock, put the camera, take the pictures, see that they are the right ones, turn colours into ids, and
write both to a recording that survives kill -9, in a folder that is removed at the end. Both see the same path in the
same simulator, a process of its own, in turns, so that what else the machine does hits both alike.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from simulator import Served, path, served  # beside this file

from airsim_seg.builtin.environments import ENVIRONMENTS
from airsim_seg.collection.collector import record
from airsim_seg.collection.plans import Plan
from airsim_seg.recordings import RecordingHeader, RecordingWriter
from airsim_seg.simulators.airsim import AirSimSimulator
from airsim_seg.types import Pose

RATE_HZ = 25.0


def collect(simulator: AirSimSimulator, poses: Sequence[Pose], out: Path) -> float:
    """Seconds a frame, the closing of the file included."""
    places, turns = (np.stack([getattr(pose, name) for pose in poses]) for name in ("position_m", "orientation_wxyz"))
    plan = Plan("drone", RATE_HZ, places, turns)
    camera = simulator.camera
    header = RecordingHeader("Speed", RATE_HZ, camera.size_hw, camera.matrix(), "camera", {"plan": plan.sha256()}, ())
    begun = time.perf_counter()
    with RecordingWriter.create(out / f"{time.time_ns()}.h5", header) as writer:
        record(simulator, plan, writer, on_frame=lambda _: None, should_stop=lambda: False)
    return (time.perf_counter() - begun) / len(poses)


def take_pictures(client: Served, poses: Sequence[Pose]) -> float:
    """Seconds a pair."""
    return statistics.fmean(wall for wall, _ in client.time(poses))


def measure(environment: str, options: argparse.Namespace) -> None:
    """Both, in turns."""
    poses = path(options.frames)
    seconds: dict[str, list[float]] = {"pictures": [], "collect": []}
    cpu = 0.0
    with (
        served(environment, options.seed, options.threads) as client,
        tempfile.TemporaryDirectory(dir=options.out) as folder,
    ):
        simulator = AirSimSimulator(port=client.port)
        simulator.pause()
        client.time(poses[:3])
        for _ in range(options.rounds):
            seconds["pictures"].append(take_pictures(client, poses))
            before = time.process_time() + client.cpu_s()
            seconds["collect"].append(collect(simulator, poses, Path(folder)))
            cpu = time.process_time() + client.cpu_s() - before
        simulator.close()
    rates = {name: 1 / statistics.median(values) for name, values in seconds.items()}
    print(
        f"{environment:<14} pictures {rates['pictures']:5.1f}/s, collect {rates['collect']:5.1f} frames/s "
        f"({100 * rates['collect'] / rates['pictures']:.0f} %), CPU {1e3 * cpu / len(poses):.0f} ms a frame",
        flush=True,
    )


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--environments", nargs="+", choices=list(ENVIRONMENTS), default=list(ENVIRONMENTS))
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=None, help="a folder on the disk in question")
    options = parser.parse_args()
    cv2.setNumThreads(0)  # as the command does
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f} before the start", flush=True)
    for environment in options.environments:
        measure(environment, options)


if __name__ == "__main__":
    main()
