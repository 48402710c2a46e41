"""Ids, poses and stamps of every sight are golden.json's, on this processor and on a plain one.

The plain one is a process whose numpy, numba, BLAS and C library may use nothing that came after SSE 4.2, and whose
worlds are built with sines up to 4 units off in the last place, as other libraries have them.

Where a world was changed on purpose: python tests/numerics/golden_frames.py renew
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import golden_frames
import numpy as np
import pytest
from golden_scenarios import BODY_ID, COPY_ID
from numpy._core._multiarray_umath import (  # type: ignore[attr-defined]
    __cpu_dispatch__ as optional,
)
from numpy._core._multiarray_umath import (  # type: ignore[attr-defined]
    __cpu_features__ as present,
)

from airsim_seg.builtin.environments import ENVIRONMENTS
from airsim_seg.palette import palette

RENEW = "Was the world changed on purpose? Then: python tests/numerics/golden_frames.py renew"
PLAIN = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in optional if present.get(name)),
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "OPENBLAS_CORETYPE": "Prescott",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4,-AVX2_Usable,-AVX_Usable,-FMA_Usable",
}
Arrays = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Arrays]:
    """Frames by processor and sight: "own" is drawn here while a process draws "plain"."""
    folder = tmp_path_factory.mktemp("golden")
    plain, cache = folder / "plain.npz", {"NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, str(Path(golden_frames.__file__)), "draw", str(plain), "noise"]
    with subprocess.Popen(command, env=os.environ | PLAIN | cache, stderr=subprocess.PIPE, text=True) as process:
        own = {name: draw() for name, draw in golden_frames.SIGHTS.items()}
        _, said = process.communicate(timeout=3600)
    assert process.returncode == 0, said
    with np.load(plain) as saved:
        other: Arrays = {name: {} for name in golden_frames.SIGHTS}
        for key in saved.files:
            name, kind = key.split("/")
            other[name][kind] = saved[key]
    return {"own": own, "plain": other}


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["own", "plain"])
@pytest.mark.parametrize("sight", golden_frames.SIGHTS)
def test_ids_poses_and_stamps_are_the_golden_ones(drawn: dict[str, Arrays], processor: str, sight: str) -> None:
    golden = json.loads(golden_frames.GOLDEN.read_text())
    assert golden_frames.digests(drawn[processor][sight]) == golden.get(sight), RENEW


@pytest.mark.slow
@pytest.mark.parametrize("sight", golden_frames.SIGHTS)
def test_colours_differ_by_two_levels_on_a_thousandth_of_the_pixels_at_most(
    drawn: dict[str, Arrays], sight: str
) -> None:
    own, plain = (drawn[processor][sight]["rgb"].astype(np.int16) for processor in ("own", "plain"))
    assert (np.abs(own - plain).max(-1) > 2).mean() <= 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_frames_are_worth_comparing(drawn: dict[str, Arrays], environment: str) -> None:
    frames = drawn["own"][environment]
    assert len(frames["stamps"]) == 8
    assert (np.diff(frames["stamps"][:3]) == 1_300_000_000).all()
    assert len(np.unique(frames["poses"], axis=0)) == 8
    copied = palette()[COPY_ID][::-1]
    assert (frames["ids"] == copied).all(-1).any(), "the copy is in sight"
    for picture in frames["ids"]:
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("sight", ["two drones", "two cars"])
def test_sensors_and_the_sun_are_the_same_to_the_last_bit(drawn: dict[str, Arrays], sight: str) -> None:
    own, plain = (drawn[processor][sight]["readings"] for processor in ("own", "plain"))
    assert len(own) > 3000, "a scan of a lidar is among them"
    assert own.tobytes() == plain.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("sight", ["two drones", "two cars"])
def test_the_other_vehicle_is_in_every_picture_and_never_twice_alike(drawn: dict[str, Arrays], sight: str) -> None:
    frames = drawn["own"][sight]
    shown = (frames["ids"] == palette()[BODY_ID][::-1]).all(-1)
    assert shown.shape == (4, *golden_frames.SIZE_HW)
    assert (shown.sum((1, 2)) > 100).all()
    for k in range(4):
        assert 0.5 < frames["depths"][k][shown[k]].min() < frames["depths"][k][shown[k]].max() < 30
        assert not any((shown[k] == other).all() for other in shown[:k])
