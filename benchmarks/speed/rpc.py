"""What the RPC costs: Scene + Segmentation pairs a second through the official client, and from the renderer alone.

    python benchmarks/speed/rpc.py [--frames 60] [--rounds 3] [--threads N] [--seed 0]

Both draw the same poses at 640x480, uncompressed, in turns, so that what else the machine does hits both alike. The
simulator is a process of its own, as users have it; the renderer alone runs in this one.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import airsim
import numpy as np

from airsim_seg.builtin.environments import build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Scene, View
from airsim_seg.types import Pose

SIZE_HW = (480, 640)
REQUESTS = [airsim.ImageRequest("0", kind, False, False) for kind in (0, 5)]


def poses(count: int) -> list[Pose]:
    """A slow flight north, 3 m above the player start, in the API's world NED."""
    return [Pose.from_euler((0.2 * k, 0.0, -3.0), yaw_rad=0.3 * np.sin(k / 9)) for k in range(count)]


@contextmanager
def simulator(seed: int, threads: list[str]) -> Iterator[airsim.VehicleClient]:
    """A built-in simulator in camera mode, and a client of it."""
    command = [sys.executable, "-m", "airsim_seg", "sim", "--vehicle", "camera", "--port", "0", "--paused"]
    command += ["--seed", str(seed), "--parent-pid", str(os.getpid()), *threads]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = next((line for line in process.stdout if line.startswith("ready")), None)
        if ready is None:
            raise SystemExit("the simulator did not start: run `airsim-seg sim` to see why")
        yield airsim.VehicleClient(port=int(ready.rpartition(":")[2]))
    finally:
        process.terminate()
        process.wait()


def time_rpc(client: airsim.VehicleClient, path: list[Pose]) -> list[float]:
    """Seconds of each frame: pose in, pair out."""
    seconds = []
    for pose in path:
        w, x, y, z = (float(v) for v in pose.orientation_wxyz)
        there = airsim.Pose(airsim.Vector3r(*map(float, pose.position_m)), airsim.Quaternionr(x, y, z, w))
        begun = time.perf_counter()
        client.simSetVehiclePose(there, True)
        pair = client.simGetImages(REQUESTS)
        seconds.append(time.perf_counter() - begun)
        assert len(pair[1].image_data_uint8) == SIZE_HW[0] * SIZE_HW[1] * 3
    return seconds


def time_renderer(renderer: Rasteriser, scene: Scene, path: list[Pose]) -> list[float]:
    """Seconds of each frame: a picture and its ids."""
    seconds = []
    for pose in path:
        in_scene = Pose(pose.position_m + scene.player_start.position_m, pose.orientation_wxyz)
        begun = time.perf_counter()
        renderer.render(View(in_scene, SIZE_HW, 90.0))
        seconds.append(time.perf_counter() - begun)
    return seconds


def main() -> None:
    """Time the same path through the RPC and straight from the renderer, in turns, and print both and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    scene = build("Neighborhood", options.seed)
    renderer = Rasteriser(scene, options.threads)
    renderer.warm_up()
    path = poses(options.frames)
    rpc: list[float] = []
    alone: list[float] = []
    with simulator(options.seed, [] if options.threads is None else ["--threads", str(options.threads)]) as client:
        time_rpc(client, path[:3])
        for _ in range(options.rounds):
            rpc += time_rpc(client, path)
            alone += time_renderer(renderer, scene, path)
    through, own = statistics.median(rpc), statistics.median(alone)
    print(f"through the RPC  {1 / through:6.1f} pairs/s  {1e3 * through:6.1f} ms a pair (median of {len(rpc)})")
    print(f"renderer alone   {1 / own:6.1f} pairs/s  {1e3 * own:6.1f} ms a pair")
    print(f"the RPC adds     {1e3 * (through - own):6.1f} ms a pair; ratio {own / through:.2f}")


if __name__ == "__main__":
    main()
