"""The built-in simulator's speed in one run: drawing, the RPC, two of them at once, start-up and memory.

    python benchmarks/speed/simulator.py [--frames 60] [--rounds 3] [--environments City Country]
        [--parts drawing rpc two start memory] [--memory-frames 2000] [--memory-size 640x480] [--threads N] [--seed 1]

A pair is RGB with 2x2 samples a pixel and ids, 640x480, with traffic on the move. Both sides of a ratio are measured in
turns, so that what else the machine does hits both alike; "CPU" is that of all threads and processes that the pair
needs, and depends less on it. Through the RPC a client asks, waits, takes, and asks again; "one pair ahead" is one that
asks for the next pair before it takes the last (the official client's call_async), so that the simulator draws
meanwhile. Start-up is timed cold (no compiled kernels, nothing kept), then warm. Memory is a simulator's resident set
while it hands out frames.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import airsim
import numpy as np

from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Moment, Scene, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.types import Pose

SIZE_HW = (480, 640)
REQUESTS = [airsim.ImageRequest("0", kind, False, False) for kind in (0, 5)]
FRAME_NS = 40_000_000
PARTS = ("drawing", "rpc", "two", "start", "memory")


def path(count: int) -> list[Pose]:
    """About the player start, API world NED: two thirds a drone 6 to 14 m up, one third at a car's height."""
    poses = []
    for k in range(count):
        t = k / count
        if t < 2 / 3:
            place = (-60 + 180 * t, 1.0, -10 - 4 * np.sin(9 * t))
            poses.append(Pose.from_euler(place, yaw_rad=0.9 * np.sin(12 * t), pitch_rad=-0.15))
        else:
            poses.append(Pose.from_euler((0.0, -40 + 120 * (3 * t - 2) / 1.5, -1.6), yaw_rad=np.pi / 2))
    return poses


class Drawer:
    """A renderer in this process, with the world's traffic."""

    def __init__(self, scene: Scene, threads: int | None) -> None:
        """Get ready."""
        self._scene, self._traffic = scene, Traffic(scene.traffic)
        self._renderer = Rasteriser(scene, threads)
        self._renderer.warm_up()
        self._drawn = 0

    def time(self, poses: Sequence[Pose]) -> list[tuple[float, float]]:
        """(wall, CPU) seconds of each picture."""
        times = []
        for pose in poses:
            self._drawn += 1
            in_scene = Pose(pose.position_m + self._scene.player_start.position_m, pose.orientation_wxyz)
            begun, cpu = time.perf_counter(), time.process_time()
            time_ns = self._drawn * FRAME_NS
            moment = Moment(self._traffic.placements(time_ns), time_ns=time_ns)
            self._renderer.render(View(in_scene, SIZE_HW, 90.0), moment)
            times.append((time.perf_counter() - begun, time.process_time() - cpu))
        return times


def _to_airsim(pose: Pose) -> airsim.Pose:
    w, x, y, z = (float(v) for v in pose.orientation_wxyz)
    return airsim.Pose(airsim.Vector3r(*map(float, pose.position_m)), airsim.Quaternionr(x, y, z, w))


class Served:
    """A simulator in a process of its own, in camera mode, its clock running, and a client of it."""

    def __init__(self, port: int, pid: int | None = None, size_hw: tuple[int, int] = SIZE_HW) -> None:
        """Connect; pid is the simulator's, or None where nobody asks for its CPU time and memory."""
        self.port, self._pid, self._size_hw = port, pid, size_hw
        self._client = airsim.VehicleClient(port=port)

    def time(self, poses: Sequence[Pose]) -> list[tuple[float, float]]:
        """(wall, CPU of client and simulator) seconds of each pair: pose in, pictures out."""
        times = []
        for pose in poses:
            there = _to_airsim(pose)
            begun, cpu = time.perf_counter(), time.process_time() + self.cpu_s()
            self._client.simSetVehiclePose(there, True)
            pair = self._client.simGetImages(REQUESTS)
            times.append((time.perf_counter() - begun, time.process_time() + self.cpu_s() - cpu))
            assert len(pair[1].image_data_uint8) == self._size_hw[0] * self._size_hw[1] * 3
        return times

    def time_ahead(self, poses: Sequence[Pose]) -> list[tuple[float, float]]:
        """The same where each pair is asked for before the one before it is taken, as the collector does."""
        times, waiting = [], None
        begun, cpu = time.perf_counter(), time.process_time() + self.cpu_s()
        for pose in [*poses, None]:
            asked = None if pose is None else self._ask(pose)
            if waiting is not None:
                pair = [airsim.ImageResponse.from_msgpack(response) for response in waiting.get()]
                assert len(pair[1].image_data_uint8) == self._size_hw[0] * self._size_hw[1] * 3
                now, cpu_now = time.perf_counter(), time.process_time() + self.cpu_s()
                times.append((now - begun, cpu_now - cpu))
                begun, cpu = now, cpu_now
            waiting = asked
        return times

    def _ask(self, pose: Pose) -> Any:
        """The future of a pair."""
        self._client.simSetVehiclePose(_to_airsim(pose), True)
        return self._client.client.call_async("simGetImages", REQUESTS, "", False)

    def cpu_s(self) -> float:
        """CPU time of the simulator and its ended children so far, in steps of 10 ms; 0 where nobody knows."""
        try:
            fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, kind: str = "VmRSS") -> float:
        """Resident memory, MB; nan where there is no /proc."""
        try:
            lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        except OSError:
            return float("nan")
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(kind))


@contextmanager
def served(
    environment: str, seed: int, threads: int | None, size_hw: tuple[int, int] = SIZE_HW, **variables: str
) -> Iterator[Served]:
    """Start a simulator; variables are added to its process environment."""
    command = [sys.executable, "-m", "airsim_seg", "sim", "--env", environment, "--vehicle", "camera", "--port", "0"]
    command += ["--world-seed", str(seed), "--parent-pid", str(os.getpid())]
    command += [] if threads is None else ["--threads", str(threads)]
    captures = [{"ImageType": kind, "Width": size_hw[1], "Height": size_hw[0]} for kind in (0, 5)]
    settings = {"SettingsVersion": 1.2, "CameraDefaults": {"CaptureSettings": captures}}
    command += [] if size_hw == SIZE_HW else ["--settings", json.dumps(settings)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | variables)
    try:
        assert process.stdout is not None
        ready = next((line for line in process.stdout if line.startswith("ready")), None)
        if ready is None:
            raise SystemExit(f"the simulator did not start: run `{' '.join(command[1:])}` to see why")
        yield Served(int(ready.rpartition(":")[2]), process.pid, size_hw)
    finally:
        process.terminate()
        process.wait()


def line(label: str, times: Sequence[tuple[float, float]]) -> str:
    """Pairs a second by the median wall time, and the means of both."""
    wall, cpu = (1e3 * statistics.fmean(column) for column in zip(*times, strict=True))
    rate = 1 / statistics.median(seconds for seconds, _ in times)
    return f"  {label:<18}{rate:6.1f} pairs/s   wall {wall:6.1f} ms, CPU {cpu:6.1f} ms a pair"


def draw_and_serve(environment: str, options: argparse.Namespace) -> None:
    """The renderer alone, and through the RPC, in turns."""
    scene = build(environment, options.seed)
    poses = path(options.frames)
    print(f"{environment}: {len(scene.triangles_m):,} triangles, {len(scene.traffic)} things on the move", flush=True)
    with ExitStack() as stack:
        drawer = Drawer(scene, options.threads)
        rpc = None
        if "rpc" in options.parts:
            rpc = stack.enter_context(served(environment, options.seed, options.threads))
            rpc.time(poses[:3])
        drawer.time(poses[:3])
        times: dict[str, list[tuple[float, float]]] = {"renderer alone": []}
        for _ in range(options.rounds):
            times["renderer alone"] += drawer.time(poses)
            if rpc is not None:
                times.setdefault("through the RPC", []).extend(rpc.time(poses))
                times.setdefault("one pair ahead", []).extend(rpc.time_ahead(poses))
    median = {label: statistics.median(wall for wall, _ in own) for label, own in times.items()}
    for label, own in times.items():
        share = f", {100 * median['renderer alone'] / median[label]:.0f} % of the renderer's rate" if rpc else ""
        print(line(label, own) + (share if label != "renderer alone" else ""), flush=True)


def two_at_once(environment: str, options: argparse.Namespace) -> None:
    """One simulator that has all cores, and two that have half of them each, in turns."""
    half = max(1, (os.cpu_count() or 2) // 2)
    rates: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        pair = [stack.enter_context(served(environment, options.seed, half)) for _ in range(2)]
        whole = stack.enter_context(served(environment, options.seed, None))
        for _ in range(options.rounds):
            for ports in ([whole.port], [one.port for one in pair]):
                rates[len(ports)].append(sum(_clients(ports, options.frames)))
    one, two = (statistics.median(rates[count]) for count in (1, 2))
    print(f"Two simulators, {environment}: one gives {one:.1f} pairs/s, two {two:.1f} together: {two / one:.2f}x")


def _clients(ports: Sequence[int], frames: int) -> list[float]:
    """Pairs a second of one client process for each port, all at once."""
    command = [sys.executable, __file__, "--frames", str(frames), "--client"]
    clients = [
        subprocess.Popen([*command, str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for port in ports
    ]
    for client in clients:
        assert client.stdout is not None
        client.stdout.readline()
    for client in clients:
        assert client.stdin is not None
        client.stdin.write("go\n")
        client.stdin.flush()
    return [float(client.communicate()[0]) for client in clients]


def be_client(port: int, frames: int) -> None:
    """What _clients starts: connect, wait for a line, measure."""
    simulator = Served(port)
    simulator.time(path(frames)[:3])
    print("connected", flush=True)
    sys.stdin.readline()
    begun = time.perf_counter()
    simulator.time(path(frames))
    print(frames / (time.perf_counter() - begun))


def start_ups(environment: str, options: argparse.Namespace) -> None:
    """Seconds from the command to its "ready" line: of the first environment cold, then of every one."""
    with tempfile.TemporaryDirectory() as cache:
        _start_up(environment, options.seed, "cold, kernels to compile", cache, options)
        for name in options.environments:
            if name != environment:
                _start_up(name, options.seed, "a new world", cache, options)
            for _ in range(options.rounds):
                _start_up(name, options.seed, "warm", cache, options)


def _start_up(environment: str, seed: int, label: str, cache: str, options: argparse.Namespace) -> None:
    begun = time.perf_counter()
    with served(environment, seed, options.threads, NUMBA_CACHE_DIR=cache, XDG_CACHE_HOME=cache) as one:
        wall, cpu = time.perf_counter() - begun, one.cpu_s()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Start, {environment}, {label}: ready after {wall:.1f} s (CPU {cpu:.1f} s{load})", flush=True)


def memory(environment: str, options: argparse.Namespace) -> None:
    """Resident memory of a simulator from its first frame to its last, at ten times between."""
    width, _, height = options.memory_size.partition("x")
    poses, sizes = path(100), []
    rounds = max(2, options.memory_frames // len(poses))
    with served(environment, options.seed, options.threads, (int(height), int(width))) as one:
        print(f"Memory, {environment}, {options.memory_size}, {rounds * len(poses):,} frames:", flush=True)
        for done in range(1, rounds + 1):
            one.time(poses)
            sizes.append(one.memory_mb())
            if done == 1 or done % max(1, rounds // 10) == 0:
                print(f"  {sizes[-1]:7.1f} MB after {done * len(poses):,}", flush=True)
        print(f"  at most {one.memory_mb('VmHWM'):.1f} MB; the last tenth less the second: ", end="")
    tenth = max(1, rounds // 10)
    print(f"{statistics.fmean(sizes[-tenth:]) - statistics.fmean(sizes[tenth : 2 * tenth]):+.1f} MB")


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--environments", nargs="+", choices=list(ENVIRONMENTS), default=list(ENVIRONMENTS))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--memory-frames", type=int, default=2000)
    parser.add_argument("--memory-size", default="640x480", help="width x height of those frames")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--client", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client is not None:
        be_client(options.client, options.frames)
        return
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f} before the start", flush=True)
    for environment in options.environments:
        if {"drawing", "rpc"} & set(options.parts):
            draw_and_serve(environment, options)
    first = options.environments[0]
    for part, measure in (("two", two_at_once), ("start", start_ups), ("memory", memory)):
        if part in options.parts:
            measure(first, options)


if __name__ == "__main__":
    main()
