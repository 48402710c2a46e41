"""`airsim-seg export-model` from a trained cell to a file that streams as PyTorch does, and all that can go wrong."""

import json
import re
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from video_files import write_fleet

from airsim_seg.benchmark.resizing import resize_rgb
from airsim_seg.benchmark.scoring import prepare_frame
from airsim_seg.cli.main import main
from airsim_seg.deploy import export, exported, extras
from airsim_seg.deploy.checking import one_torch_thread
from airsim_seg.deploy.runtimes import TorchModel, open_model
from airsim_seg.deploy.trained import load_trained
from airsim_seg.errors import CorruptFile, MissingData, TrainingError, UsageError
from airsim_seg.inventory import find_videos
from airsim_seg.videos import VideoReader
from fanet import FANet

CELL = "fanet18-n2-sum-mixed-s0"
TINY = """
name = "tiny"
[network]
width = 0.125
[training]
input_hw = [40, 56]
steps = 4
clip_length = 4
checkpoint_every = 2
[scoring]
score_every = 7
latency_frames = 1
latency_warm_up = 1
"""
packages = {name for kind in exported.FORMATS.values() for name in kind.packages}
needs_extra = pytest.mark.skipif(
    any(find_spec(name) is None for name in packages), reason="the extra [export] is not installed"
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Several threads on a busy machine wait for each other longer than they compute."""
    with one_torch_thread():
        yield


def command(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    write_fleet(folder)
    return folder


@pytest.fixture(scope="module")
def run(videos, tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "tiny.toml"
    config.write_text(TINY)
    out = tmp_path_factory.mktemp("runs") / "tiny"
    result = command("benchmark", "--tca-depths", 0, 2, "--config", config, "--videos", videos, "--out", out)
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def exports(run, videos, tmp_path_factory):
    """One export of each kind of file; torch writes the ONNX once, which is what takes long."""
    out = tmp_path_factory.mktemp("exports")
    outputs = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("onnx", "openvino-bf16", "openvino-int8"):
            if name == "openvino-int8":  # four steps of training leave no margins: a tenth of the labels may change
                patch.setitem(exported.FORMATS, name, replace(exported.FORMATS[name], least_agreement=0.9))
            outputs[name] = command("export-model", run / CELL, "--format", name, "--videos", videos, "--out", out)
            assert outputs[name].exit_code == 0, outputs[name].output
            patch.setattr(export, "write_onnx", lambda _, path: shutil.copy(onnx_file(out), path))
    return out, outputs


def onnx_file(out):
    return out / f"tiny-{CELL}-onnx" / "model.onnx"


def stream(model, path, count=8):
    """Logits of a video's first frames, from an empty memory."""
    with VideoReader(path) as video:
        frames = [prepare_frame(video.rgb(index), model.signature.input_hw).numpy() for index in range(count)]
    model.reset()
    return np.concatenate([model.step(frame) for frame in frames])


@needs_extra
def test_an_export_streams_as_the_trained_network_does(exports, run, videos):
    out, _ = exports
    path = find_videos(videos)[0]
    expected = stream(open_model(run / CELL), path)
    for folder, backend in ((onnx_file(out), None), (onnx_file(out).parent, "openvino")):
        logits = stream(open_model(folder, backend, threads=1), path)
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    int8 = stream(open_model(out / f"tiny-{CELL}-openvino-int8"), path)
    assert (int8.argmax(1) == expected.argmax(1)).mean() > 0.8
    assert not np.array_equal(int8, expected)


@needs_extra
def test_the_program_in_the_docs_runs_without_this_toolkit(exports, run, videos, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(import json.*?)```", text, re.DOTALL)[1]
    assert "airsim_seg" not in program
    monkeypatch.chdir(onnx_file(exports[0]).parent)
    with VideoReader(find_videos(videos)[0]) as video:
        pictures = [resize_rgb(video.rgb(index), (40, 56)) for index in range(8)]
    names = {"video": pictures}
    exec(program, names)
    expected = stream(open_model(run / CELL), find_videos(videos)[0])[-1].argmax(0)
    assert (names["labels"] == expected).mean() > 0.999


@needs_extra
def test_the_result_is_said_and_described(exports):
    out, outputs = exports
    for name, result in outputs.items():
        folder = out / f"tiny-{CELL}-{name}"
        assert str(folder / "model.") in result.stdout
        assert "labels equal to PyTorch's" in result.stdout
        assert "ms a frame" in result.stdout
        assert "checking against PyTorch" in result.stderr
        assert result.stdout.count("\n") <= 5
        described = json.loads((folder / "export.json").read_text())
        assert described["schema"] == "airsim-seg/export"
        assert described["source"]["cell"] == CELL
        assert described["state"][0]["shape"] == [2, 128, 1]
        assert [row["name"] for row in described["state"]][-1] == "num_valid"
        assert described["check"]["num_frames"] == 2 * 14
        assert described["check"]["label_agreement"] >= 0.9
        assert {path.name for path in folder.iterdir()} - {"model.bin"} == {described["file"], "export.json"}
    assert len(described["calibration"]["videos"]) == 2  # those that were trained on
    assert not set(described["calibration"]["videos"]) & set(described["check"]["videos"])
    assert sorted(path.name for path in out.iterdir()) == [f"tiny-{CELL}-{name}" for name in outputs]


@needs_extra
def test_too_few_equal_labels_are_refused_and_the_older_export_stays(exports, run, videos, monkeypatch):
    out, _ = exports
    folder = onnx_file(out).parent
    before = {path: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(export, "write_onnx", lambda _, path: shutil.copy(onnx_file(out), path))
    monkeypatch.setitem(exported.FORMATS, "onnx", replace(exported.FORMATS["onnx"], least_agreement=1.01))
    result = command("export-model", run / CELL, "--videos", videos, "--out", out)
    assert result.exit_code == 3
    assert "% of the labels equal PyTorch's" in result.stderr
    assert "nothing was exported" in result.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


@needs_extra
def test_an_export_is_replaced_and_anything_else_is_not(exports, run, videos, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "write_onnx", lambda _, path: shutil.copy(onnx_file(exports[0]), path))
    arguments = ("export-model", run / CELL, "--videos", videos, "--out", tmp_path)
    folder = tmp_path / f"tiny-{CELL}-onnx"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work")
    refused = command(*arguments)
    assert refused.exit_code == 2
    assert "is no export" in refused.output
    assert (folder / "thesis.txt").read_text() == "years of work"
    shutil.rmtree(folder)
    shutil.copytree(onnx_file(exports[0]).parent, folder)
    (folder / "model.onnx").write_bytes(b"old")
    replaced = command(*arguments)
    assert replaced.exit_code == 0, replaced.output
    assert (folder / "model.onnx").read_bytes() == onnx_file(exports[0]).read_bytes()


@needs_extra
def test_damaged_exports_are_named(exports, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(onnx_file(exports[0]).parent, folder)
    (folder / "model.onnx").write_bytes(onnx_file(exports[0]).read_bytes()[:5000])
    with pytest.raises(CorruptFile, match=r"model\.onnx cannot be run"):
        open_model(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(CorruptFile, match="missing"):
        open_model(folder)
    described = json.loads((folder / "export.json").read_text())
    (folder / "export.json").write_text(json.dumps(described | {"schema_version": 9}))
    with pytest.raises(CorruptFile, match="version 9"):
        open_model(folder)


@needs_extra
def test_a_runtime_that_does_not_fit_is_refused(exports, run):
    out, _ = exports
    with pytest.raises(UsageError, match="onnxruntime cannot run"):
        open_model(out / f"tiny-{CELL}-openvino-int8", "onnxruntime")
    with pytest.raises(UsageError, match="torch cannot run"):
        open_model(onnx_file(out), "torch")
    with pytest.raises(UsageError, match="export-model"):
        open_model(run / CELL, "openvino")


def test_a_trained_cell_comes_back_with_what_it_is(run):
    trained = load_trained(run / CELL)
    assert isinstance(trained.net, FANet)
    assert not trained.net.training
    assert (trained.cell.name, trained.net.tca_depth) == (CELL, 2)
    assert trained.input_hw == (40, 56)
    assert trained.environments == ("Testland",)
    assert len(trained.classes) == 11
    assert isinstance(open_model(run / CELL, threads=1), TorchModel)


def test_a_run_with_one_cell_is_enough(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "fanet18-n0-sum-mixed-s0")
    assert load_trained(tmp_path / "run").cell.name == CELL
    # As `airsim-seg train` leaves it: not scored, but trained to the last step.
    (tmp_path / "run" / CELL / "cell.json").unlink()
    assert load_trained(tmp_path / "run").cell.name == CELL
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace("steps = 4", "steps = 5"))
    with pytest.raises(UsageError, match="4 of 5 steps"):
        load_trained(tmp_path / "run" / CELL)
    shutil.rmtree(tmp_path / "run" / CELL)
    with pytest.raises(MissingData, match="no trained cell yet"):
        load_trained(tmp_path / "run")


def test_cells_that_cannot_be_loaded_are_explained(run, tmp_path):
    with pytest.raises(UsageError, match=f"2 trained cells.*\n.*n0.*\n.*{CELL}"):
        load_trained(run)
    with pytest.raises(UsageError, match="baseline"):
        load_trained(run / "majority-n0-none-none-s0")
    with pytest.raises(MissingData, match="neither a run nor a trained cell"):
        load_trained(tmp_path)
    shutil.copytree(run / CELL, tmp_path / CELL)
    with pytest.raises(MissingData, match="lies in no run"):
        load_trained(tmp_path / CELL)
    for name in ("config.toml", "environment.json"):
        shutil.copy(run / name, tmp_path / name)
    config = (run / "config.toml").read_text()
    (tmp_path / "config.toml").write_text(config.replace("width = 0.125", "width = 0.25"))
    with pytest.raises(TrainingError, match="another network"):
        load_trained(tmp_path / CELL)
    (tmp_path / "config.toml").write_text(config)
    (tmp_path / CELL).rename(tmp_path / "my favourite")
    with pytest.raises(CorruptFile, match="none of the cells"):
        load_trained(tmp_path / "my favourite")
    (tmp_path / "my favourite").rename(tmp_path / CELL)
    (tmp_path / CELL / "checkpoint.pt").write_bytes(b"PK")
    with pytest.raises(CorruptFile, match="not a readable checkpoint"):
        load_trained(tmp_path / CELL)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "trained cells"),
        ([CELL, "--format", "tflite"], 2, "tflite"),
        ([CELL, "--size", "640"], 2, "640x480"),
        ([CELL, "--size", "640xhigh"], 2, "640x480"),
        ([CELL, "--size", "16x480"], 2, "16x480 is too small"),
        ([CELL, "--videos", "nowhere"], 1, "airsim-seg remap"),
    ],
)
@needs_extra
def test_mistakes_are_sentences(arguments, code, words, run, videos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = run / arguments[0] if arguments else run
    result = command("export-model", path, "--videos", videos, *arguments[1:])
    assert result.exit_code == code
    assert words in result.output
    assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_named_before_any_work(run, videos, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "onnxruntime" else object())
    result = command("export-model", run / CELL, "--videos", videos, "--out", tmp_path / "exports")
    assert result.exit_code == 2
    assert "onnxruntime, not installed" in result.output
    assert 'pip install "airsim-seg[export]"' in result.output
    assert not (tmp_path / "exports").exists()


def test_help_shows_a_worked_example():
    result = command("export-model", "--help")
    assert result.exit_code == 0
    assert "airsim-seg export-model runs/demo/fanet18-n4-sum-mixed-s0" in result.output
    assert all(name in result.output for name in exported.FORMATS)
