"""Kernels that other processes compile are those that the simulator then needs, and the cache is where it can be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAME = """
import sys

import numpy as np
from numba.core.dispatcher import Dispatcher
from airsim_seg.builtin.bodies import with_bodies
from airsim_seg.builtin.environments import build
from airsim_seg.builtin.precompiling import PARTS
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Moment, View
from airsim_seg.builtin.settings import default_settings
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.builtin.world import World

modules = [module for name, module in sys.modules.items() if name.startswith("airsim_seg.builtin.")]
found = {value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
kept = {value.py_func.__name__ for value in found if hasattr(value._cache, "_cache_file")}
kept.remove("trim")  # for orthographic cameras alone: compiled where there is one
assert kept == {kernel.py_func.__name__ for part in PARTS.values() for kernel in part.kernels}, kept
for part in PARTS.values():
    part.compile()
before = {kernel: set(kernel.signatures) for part in PARTS.values() for kernel in part.kernels}
settings = default_settings("Multirotor")
scene = with_bodies(build("City", 0), settings.mode, settings.vehicles)
renderer = Rasteriser(scene, 1, shadow_map_size=256)
renderer.warm_up()
renderer.render(View(scene.player_start, (20, 30), 90.0), Moment(Traffic(scene.traffic).placements(0)), normals=True)
world = World(scene, settings)
world.advance(30_000_000)
world.rays.cast(np.array([[0.0, 0.0, -2.0]]), np.array([[1.0, 0.0, 0.0]]), 50.0)
for kernel, signatures in before.items():
    name = kernel.py_func.__name__
    assert len(signatures) == 1, f"{name} is compiled for {signatures}"
    assert set(kernel.signatures) == signatures, f"{name} is needed for other types: {set(kernel.signatures)}"
"""

BESIDE = """
import sys

from airsim_seg.builtin.precompiling import PARTS, Precompiling
from airsim_seg.builtin.rendering.compiling import announced

python, sys.executable = sys.executable, "/no/such/python"
with Precompiling(print, ["rays"]) as nobody:
    nobody.wait()
assert nobody._processes == []
sys.executable = python
with Precompiling(print, ["rays"]) as given_up:
    assert len(given_up._processes) == 1
assert [process.poll() for process in given_up._processes] == [-9]
said, late = [], []
with Precompiling(said.append, ["rays"]) as others:
    others.wait("rays")
    others.wait()
assert sorted(said) == ["build", "trace"], said
assert Precompiling(said.append, ["rays"])._processes == []
with announced(late.append):
    PARTS["rays"].compile()
assert late == [], late
"""

KERNEL = """
from airsim_seg.builtin.rendering.compiling import is_compiled, kernel

@kernel()
def double(x):
    return 2 * x

before = is_compiled(double)
print(double(21), before, is_compiled(double))
"""


def _run(code: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_is_compiled_beforehand_is_what_is_needed() -> None:
    _run(SAME)


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one processor: nothing is compiled beside")
def test_a_process_compiles_its_part_and_the_next_one_loads_it(tmp_path: Path) -> None:
    _run(BESIDE, NUMBA_CACHE_DIR=str(tmp_path))
    assert len(list(tmp_path.rglob("*.nbi"))) == 2


@pytest.mark.parametrize("home_is_writable", [True, False])
def test_an_install_that_cannot_be_written_caches_in_the_home_or_not_at_all(
    tmp_path: Path, home_is_writable: bool
) -> None:
    install, caches = tmp_path / "install", tmp_path / "caches"
    install.mkdir()
    (install / "own_kernel.py").write_text(KERNEL)
    (install / "__pycache__").write_text("a file, where root cannot make a folder either")
    if not home_is_writable:
        caches.write_text("nor here")
    code = f"import sys; sys.path.insert(0, {str(install)!r}); import own_kernel"
    environ = {"XDG_CACHE_HOME": str(caches), "HOME": str(caches), "PYTHONDONTWRITEBYTECODE": "1"}
    first, second = (_run(code, **environ) for _ in range(2))
    if home_is_writable:
        assert (first, second) == ("42 False True", "42 True True")
        assert len(list(caches.rglob("own_kernel.double*.nbi"))) == 1
    else:
        assert (first, second) == ("42 True True", "42 True True"), "nobody knows, so nobody compiles beside"
