"""How many frames a second a graphics card draws, beside the CPU in the same run, and how alike the pictures are.

    python benchmarks/speed/gl.py [--env City] [--frames 120] [--size 640x480] [--threads N] [--seed 1]

Needs `pip install "airsim-seg[gl]"`. Both renderers draw the same poses and moments in turn, traffic included, so that
what else the machine does slows both down. The device's name is printed: OpenGL in software (llvmpipe) shows that the
pictures are right and says nothing about a graphics card's speed.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
from rendering import path

from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.rendering.gl.context import is_software
from airsim_seg.builtin.rendering.gl.renderer import GlRenderer
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Moment, Picture, Scene, View
from airsim_seg.builtin.traffic import Traffic

FRAME_NS = 40_000_000  # 25 Hz


def moments(scene: Scene, count: int) -> list[Moment]:
    """The world at 25 Hz."""
    traffic = Traffic(scene.traffic)
    return [Moment(traffic.placements(k * FRAME_NS), time_ns=k * FRAME_NS) for k in range(count)]


def timed(draw: Callable[[], Picture]) -> tuple[Picture, float]:
    """What it draws and how long it took, seconds."""
    began = time.perf_counter()
    picture = draw()
    return picture, time.perf_counter() - began


def differences(a: Picture, b: Picture) -> tuple[float, float]:
    """Share of the pixels with the same object, and the mean difference of the colours, 0..255."""
    same = float((a.object_index == b.object_index).mean())
    return same, float(np.abs(a.rgb.astype(np.int16) - b.rgb).mean())


def report(device: str, seconds: np.ndarray, alike: np.ndarray) -> None:
    """Print what was measured: seconds float64 [N,2], GL and CPU; alike float64 [N,2], see differences."""
    for name, column in (("gl ", seconds[:, 0]), ("cpu", seconds[:, 1])):
        p50, p95 = 1e3 * np.percentile(column, (50, 95))
        print(f"{name}: {1 / column.mean():7.1f} frames/s; p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    print(f"ratio gl/cpu: {seconds[:, 1].sum() / seconds[:, 0].sum():.2f} times the frames")
    print(f"same object: {alike[:, 0].mean():.5%} of the pixels, {alike[:, 0].min():.5%} in the worst frame")
    print(f"colours: mean difference {alike[:, 1].mean():.4f} of 255, {alike[:, 1].max():.4f} in the worst frame")
    if is_software(device):
        print(f"NOT A GRAPHICS CARD: {device} is software; these times say nothing about a GPU")


def main() -> None:
    """Measure one environment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", choices=list(ENVIRONMENTS), default="Neighborhood")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--size", default="640x480", help="WIDTHxHEIGHT")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    scene = build(options.env, options.seed)
    device, host = GlRenderer(scene, options.threads), Rasteriser(scene, options.threads)
    print(f"{options.env}, {len(scene.triangles_m):,} triangles, {options.size}; device: {device.device}")
    for renderer in (device, host):
        renderer.warm_up()
        renderer.render(View(scene.player_start, (height, width), 90.0))
    seconds, alike = [], []
    for pose, moment in zip(path(options.frames), moments(scene, options.frames), strict=True):
        view = View(pose, (height, width), 90.0)
        a, gl_s = timed(lambda: device.render(view, moment))  # noqa: B023
        b, cpu_s = timed(lambda: host.render(view, moment))  # noqa: B023
        seconds.append((gl_s, cpu_s))
        alike.append(differences(a, b))
    report(device.device, np.array(seconds), np.array(alike))


if __name__ == "__main__":
    main()
