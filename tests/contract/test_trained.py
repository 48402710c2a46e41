"""A trained network back from its folder: it tells its motion, and damaged or hostile files are one sentence."""

import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from trained_cells import write_trained

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.results import write_json
from airsim_seg.deploy.exported import ExportedModel, save_export
from airsim_seg.deploy.signature import Signature
from airsim_seg.deploy.trained import load_trained, trained_motion
from airsim_seg.errors import CorruptFile
from airsim_seg.taxonomy import CLASS_NAMES

INPUT_HW = (40, 56)
EXPORT = ExportedModel(
    format="onnx",
    file="model.onnx",
    backend="onnxruntime",
    precision="f32",
    signature=Signature(INPUT_HW, (1, 11, *INPUT_HW), takes_motion=True),
    classes=CLASS_NAMES,
    mean=(0.5, 0.5, 0.5),
    std=(0.2, 0.2, 0.2),
    model="fanet18",
    tca_depth=2,
    aggregation="warped",
    motion="pose",
    environments=("Testland",),
    check=None,
    calibration={},
    source={},
    made_with={},
)


@pytest.mark.parametrize(
    ("aggregation", "motion", "expected"),
    [("warped", "pose", "pose"), ("warped", "flow", "flow"), ("sum", "pose", None)],
)
def test_a_trained_cell_tells_its_motion(tmp_path: Path, aggregation: str, motion: str, expected: str | None) -> None:
    cell = write_trained(tmp_path / "run", aggregation=aggregation, motion=motion)
    assert trained_motion(cell) == trained_motion(tmp_path / "run") == expected


def test_an_export_tells_its_motion_too(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    save_export(tmp_path, EXPORT)
    assert trained_motion(tmp_path) == trained_motion(tmp_path / "model.onnx") == "pose"
    save_export(tmp_path, replace(EXPORT, motion=None))
    assert trained_motion(tmp_path) is None


class Hostile:
    """A pickle that would leave a file behind, if anybody ran it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self._path), 0o700)


def test_hostile_checkpoints_are_a_sentence_and_run_nothing(tmp_path: Path) -> None:
    cell = write_trained(tmp_path / "run")
    path, trap = cell / checkpoints.FILE_NAME, tmp_path / "trap"
    path.write_bytes(pickle.dumps(Hostile(trap)))
    with pytest.raises(CorruptFile, match="not a readable checkpoint"):
        load_trained(cell)
    torch.save(Hostile(trap), path)
    with pytest.raises(CorruptFile, match="not a readable checkpoint"):
        load_trained(cell)
    assert not trap.exists()


def test_checkpoints_that_are_not_whole_are_a_sentence(tmp_path: Path) -> None:
    cell = write_trained(tmp_path / "run")
    path = cell / checkpoints.FILE_NAME
    whole, content = path.read_bytes(), checkpoints.read(path)
    for length in (0, 1, 5000, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptFile, match="not a readable checkpoint"):
            load_trained(cell)
    for changed in (
        {"schema": content["schema"], "schema_version": content["schema_version"]},
        {key: value for key, value in content.items() if key != "net"},
        {key: value for key, value in content.items() if key != "step"},
        content | {"net": 3},
        content | {"step": "last"},
    ):
        torch.save(changed, path)
        with pytest.raises(CorruptFile, match="not a whole checkpoint"):
            load_trained(cell)


@pytest.mark.parametrize("table", [[], {}, {"classes": 5, "videos": {}}, {"classes": ["a"], "videos": []}])
def test_an_environment_that_says_nothing_is_a_sentence(tmp_path: Path, table: object) -> None:
    cell = write_trained(tmp_path / "run")
    write_json(tmp_path / "run/environment.json", table)
    with pytest.raises(CorruptFile, match="does not say what the network was trained on"):
        load_trained(cell)
