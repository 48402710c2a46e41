"""How fast the built-in simulator draws: RGB + id pairs a second at 640x480 along a drone's and a car's path.

    python benchmarks/speed/rendering.py [--frames 120] [--threads N] [--seed 1]

Wall time is what a user waits; CPU time counts all threads together and depends less on what else the machine does.
Run it a second time for the warm start: the first one after an install compiles the kernels.
"""

import argparse
import statistics
import time

import numpy as np

from airsim_seg.builtin.environments import build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import View
from airsim_seg.palette import id_from_name
from airsim_seg.types import Pose

SIZE_HW = (480, 640)
STAGES = ("set-up", "raster", "shade")


def path(num_frames: int) -> list[Pose]:
    """Two thirds a drone 6 to 14 m over the streets, one third a car's camera 1.6 m up."""
    poses = []
    for k in range(num_frames):
        t = k / num_frames
        if t < 2 / 3:
            north, up = -95 + 190 * (t * 1.5), 10 + 4 * np.sin(9 * t)
            poses.append(Pose.from_euler((north, 1.0, -up), yaw_rad=0.9 * np.sin(12 * t), pitch_rad=-0.15))
        else:
            poses.append(Pose.from_euler((0.0, -70 + 140 * (3 * t - 2), -1.6), yaw_rad=np.pi / 2))
    return poses


def measure(rasteriser: Rasteriser, poses: list[Pose]) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) seconds of every stage of every frame; "pair" is the whole, with the lookup of the ids."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in (*STAGES, "pair")}
    ids = np.array([id_from_name(o.name) for o in rasteriser.scene.objects] + [0], np.uint8)  # last = the sky
    for pose in poses:
        marks = [(time.perf_counter(), time.process_time())]
        picture = rasteriser.render(
            View(pose, SIZE_HW, 90.0),
            stage_done=lambda _, m=marks: m.append((time.perf_counter(), time.process_time())),
        )
        ids.take(picture.object_index, mode="wrap")
        marks.append((time.perf_counter(), time.process_time()))
        for name, a, b in zip((*STAGES, "pair"), [*marks[:3], marks[0]], marks[1:], strict=True):
            times[name].append((b[0] - a[0], b[1] - a[1]))
    return times


def report(label: str, times: dict[str, list[tuple[float, float]]]) -> None:
    """Print the medians."""
    wall = {name: 1e3 * statistics.median(w for w, _ in pairs) for name, pairs in times.items()}
    cpu = {name: 1e3 * statistics.fmean(c for _, c in pairs) for name, pairs in times.items()}
    stages = ", ".join(f"{name} {wall[name]:.1f}/{cpu[name]:.1f}" for name in STAGES)
    print(
        f"{label}: {1e3 / wall['pair']:.1f} pairs/s; wall/CPU ms a pair {wall['pair']:.1f}/{cpu['pair']:.1f} ({stages})"
    )


def main() -> None:
    """Measure a built world drawn with 2x2 samples and with one, and say how long building and warming up took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.perf_counter()
    scene = build("Neighborhood", options.seed)
    built = time.perf_counter()
    rasteriser = Rasteriser(scene, options.threads)
    rasteriser.warm_up()
    ready = time.perf_counter()
    print(f"world {len(scene.triangles_m)} triangles, {len(scene.objects)} objects; built in {built - begun:.2f} s")
    print(f"renderer ready after {ready - built:.2f} s (textures, shadows, compiling or loading kernels)")
    for samples, label in ((2, "2x2 samples"), (1, "1 sample   ")):
        chosen = rasteriser if samples == 2 else Rasteriser(scene, options.threads, samples=samples)
        chosen.warm_up()
        report(label, measure(chosen, path(options.frames)))


if __name__ == "__main__":
    main()
