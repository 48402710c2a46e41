"""The first start after an install: kernels are compiled in processes of their own while the world is built.

Threads would not do: numba compiles under the GIL. Each process fills numba's cache with its share, from which the
simulator then loads; whatever a process fails to do, the simulator compiles when it needs it.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

import airsim_seg
from airsim_seg.builtin import gaps, rays_tree
from airsim_seg.builtin.environments.meshes import box, placed
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.rays import IN_PLACE, Rays, Tree
from airsim_seg.builtin.rendering import (
    buffers,
    cutouts,
    id_colours,
    lighting,
    moving,
    raster,
    shading,
    shadows,
    sky,
    triangles,
)
from airsim_seg.builtin.rendering.compiling import Crew, announced, is_compiled, without_scipy
from airsim_seg.builtin.rendering.materials import TEXTURE_SEED, Material, material_table
from airsim_seg.builtin.rendering.paint import Paint
from airsim_seg.builtin.rendering.stage import Looks, Stage
from airsim_seg.builtin.scene import Scene
from airsim_seg.types import Pose

_COMPILING, _COMPILED = "compiling", "compiled"  # what a process says of a kernel, and of a part


@dataclass(frozen=True)
class Part:
    """What is compiled together.

    Attributes:
        kernels: all of them.
        compile: meets them with arguments of the types that the simulator has.
    """

    kernels: tuple[Callable[..., Any], ...]
    compile: Callable[[], None]


def _shade() -> None:
    """Resolve a picture without rows: what it is given is never looked at."""

    def floats(*shape: int) -> Any:
        return np.zeros(shape, np.float32)

    one = np.float32(1.0)
    colour = floats(3)
    light = buffers.Light(
        sun_direction=colour, sun=colour, ambient=colour, bounce=colour, haze=colour, haze_per_m=one,
        shadow_map=floats(1, 1), shadow_matrix=floats(3, 4), shadow_shift=one, heights=floats(1, 1, 4),
        heights_extent_m=one, sky=floats(1, 1, 4), sky_scale=one, wet=one, snow=one, litter=one,
    )  # fmt: skip
    bytes_ = np.zeros(1, np.uint8)
    textures = np.zeros((1, 1), np.uint32)
    Crew(1).run(
        shading.resolve,
        buffers.Hits(np.zeros((0, 8), np.int32), floats(0, 8), floats(1, triangles.RECORD_SIZE)),
        buffers.Eye(2, floats(3, 3), colour, one),
        buffers.Surfaces(floats(1, buffers.FACE_SIZE)),
        buffers.Skins(textures, floats(1, 1, 4)),
        light, bytes_, one, np.zeros((0, 0, 3), np.uint8), np.zeros((0, 0), np.int32), floats(0, 0),
    )  # fmt: skip


def _tiny() -> Scene:
    """A crate."""
    builder, origin = SceneBuilder(), (0.0, 0.0, 0.0)
    builder.add("Crate", origin, [placed(box((-1.0, -1.0, 0.0), (1.0, 1.0, 1.0), Material.WOOD), origin)])
    start = Pose.from_euler((5.0, 0.0, 0.0))
    return builder.scene(environment="Tiny", seed=0, player_start=start, ground_down_m=lambda *_: 0.0)


def _stage() -> None:
    paint = Paint(np.zeros((1, 1), np.uint32), np.zeros((1, 1, 4), np.float32))
    looks = Looks(material_table(), cutouts.masks(TEXTURE_SEED), paint, 64, Crew(1))
    Stage(_tiny(), (), sky.Daylight(), looks).movement.warm_up()
    id_colours.colour(np.zeros((1, 1), np.int32), np.zeros(1, np.int32), np.zeros((1, 1, 3), np.uint8))


def _rays() -> None:
    Rays(_tiny()).cast(np.array([[5.0, 0.0, -0.5]]), np.array([[1.0, 0.0, 0.0]]), 10.0)


def _gaps() -> None:
    """A body without balls beside a tree of one leaf, which nobody meets."""
    leaf = Tree(
        np.zeros((1, 6), np.float32),
        np.array([[0, 1]], np.int32),
        np.zeros((1, 3, 3), np.float32),
        np.zeros(1, np.int32),
    )
    zero, one = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)
    owners, skipped, hull = np.zeros(1, np.int32), np.ones(1, bool), np.zeros((0, 4))
    gaps.nearest(*leaf, owners, skipped, IN_PLACE, hull, zero, (one, one, one), zero, 1.0)


PARTS = {
    "shading": Part((shading.resolve,), _shade),
    "stage": Part(
        (triangles.project, raster.fill, lighting.light_foliage, shadows._raise, moving.place, id_colours.colour),
        _stage,
    ),
    "rays": Part((rays_tree.build, rays_tree.trace), _rays),
    "gaps": Part((gaps.nearest,), _gaps),
}
"""In such an order that, dealt out to two processes, they take equally long."""


class Precompiling:
    """Processes that compile what numba's cache does not hold yet; a context manager that waits for none at its end.

    Example:
        with Precompiling(print) as others:
            scene = build("City", 0)
            others.wait("shading", "stage")
            renderer = Rasteriser(scene)
            others.wait()
            world = World(scene, settings)
    """

    def __init__(self, say: Callable[[str], None], parts: Sequence[str] = tuple(PARTS)) -> None:
        """Start them, one a part but at most one a processor; none where there is one only, or nothing can be kept.

        Args:
            say: called with the name of each kernel as its compiling begins, in threads of ours.
            parts: of PARTS.
        """
        processors = os.cpu_count() or 1
        missing = [name for name in parts if not all(is_compiled(kernel) for kernel in PARTS[name].kernels)]
        if processors < 2:
            missing = []
        self._compiled = {name: threading.Event() for name in missing}
        self._processes: list[subprocess.Popen[str]] = []
        self._listeners: list[threading.Thread] = []
        for first in range(min(processors, len(missing))):
            self._start(missing[first::processors], say)

    def _start(self, share: Sequence[str], say: Callable[[str], None]) -> None:
        try:
            process = _started(share)
        except OSError:  # no process can be started: the simulator compiles by itself
            self._end(share)
            return
        listener = threading.Thread(target=self._listen, args=(process, share, say))
        self._processes.append(process)
        self._listeners.append(listener)
        listener.start()

    def _listen(self, process: "subprocess.Popen[str]", share: Sequence[str], say: Callable[[str], None]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                kind, _, name = line.strip().partition(" ")
                if kind == _COMPILED:
                    self._end([name])
                else:
                    say(name)
        self._end(share)  # whatever became of it

    def _end(self, names: Sequence[str]) -> None:
        for name in names:
            self._compiled[name].set()

    def __enter__(self) -> "Precompiling":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End those that still work."""
        for process in self._processes:
            process.kill()
        for listener, process in zip(self._listeners, self._processes, strict=True):
            listener.join()
            process.wait()

    def wait(self, *parts: str) -> None:
        """Return when nobody compiles the parts any more, all of them where none is named; how it went does not matter.

        Args:
            parts: of PARTS.
        """
        for name in parts or self._compiled:
            if name in self._compiled:
                self._compiled[name].wait()


def _started(share: Sequence[str]) -> "subprocess.Popen[str]":
    # -P and the path of our own: the folder in which the user works must not lend us its modules.
    path = [str(Path(airsim_seg.__file__).parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *share],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def main(parts: Sequence[str]) -> None:
    """Compile parts, one after the other; says the name of each kernel, and of each part that is done."""
    with announced(lambda kernel: print(_COMPILING, kernel, flush=True)), without_scipy():
        for part in parts:
            PARTS[part].compile()
            print(_COMPILED, part, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
