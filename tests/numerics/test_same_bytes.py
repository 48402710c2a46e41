"""Same seed, same bytes: also in the process that compiles the kernels and in those that load them afterwards."""

import os
import subprocess
import sys
from pathlib import Path

DRAW = """
import hashlib
from airsim_seg.builtin.environments import build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import View
from airsim_seg.types import Pose

rasteriser = Rasteriser(build("Neighborhood", 0))
drawn = hashlib.md5(usedforsecurity=False)
for k in range(8):
    pose = Pose.from_euler((15.0 * k - 60.0, 2.0 * k, -4.0), yaw_rad=0.8 * k)
    picture = rasteriser.render(View(pose, (480, 640), 90.0))
    for array in (picture.rgb, picture.object_index, picture.depth_m):
        drawn.update(array.tobytes())
print(drawn.hexdigest())
"""


def test_the_process_that_compiles_draws_what_later_ones_draw(tmp_path: Path) -> None:
    def draw(threads: int) -> str:
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_NUM_THREADS": str(threads)}
        return subprocess.run(
            [sys.executable, "-c", DRAW], env=environment, check=True, capture_output=True, text=True
        ).stdout

    compiled = draw(2)
    assert list(tmp_path.rglob("*.nbc")), "the kernels are cached where the test looks"
    assert draw(2) == compiled
    assert draw(1) == compiled
