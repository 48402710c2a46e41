"""airsim-seg remap, as it is typed."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from airsim_seg.cli.main import main
from airsim_seg.recordings import RecordingHeader, RecordingReader, RecordingWriter
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.types import Frame, Pose, UInt8Array
from airsim_seg.videos import VideoReader

SIZE_HW = (16, 16)
ALL_IDS = np.arange(256, dtype=np.uint8).reshape(SIZE_HW)


def record(path: Path, ids: list[UInt8Array], *, finish: bool = True, depth: bool = False, **changes: object) -> None:
    values: dict[str, object] = {
        "environment": path.parent.name,
        "rate_hz": 25.0,
        "size_hw": SIZE_HW,
        "camera_matrix": np.eye(3),
        "poses": "camera",
        "provenance": {"seed": 1},
        "objects": (("Tree_1", 181), ("Gnome_1", 77), ("Gnome_2", 77)),
        "has_depth": depth,
    }
    with RecordingWriter.create(path, RecordingHeader(**(values | changes))) as recording:  # type: ignore[arg-type]
        for k, raw_ids in enumerate(ids):
            rgb = np.random.default_rng(k).integers(0, 256, (*SIZE_HW, 3), np.uint8)
            pose = Pose.from_euler([k, 0, -1], yaw_rad=k)
            depth_m = np.full(SIZE_HW, k, np.float32) if depth else None
            recording.append(Frame(k * 40_000_000, k, k, rgb, raw_ids, pose, k == 0, depth_m))
        if finish:
            recording.finish()


def write_map(path: Path, ids: dict[str, list[int]], environment: str = "X") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rules = [f'[[rule]]\nclass = "{name}"\nids = {its}' for name, its in ids.items()]
    path.write_text("\n".join([f'environment = "{environment}"', *rules]))
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["remap", *(str(arg) for arg in args)])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_all_256_ids(here: Path) -> None:
    """Every id has a class of its own (or ignore), and every pixel gets it."""
    names = [*CLASS_NAMES, "ignore"]
    write_map(here / "label_maps" / "X.toml", {name: list(range(k, 256, 12)) for k, name in enumerate(names)})
    record(here / "data" / "raw" / "X" / "a.h5", [ALL_IDS, ALL_IDS[::-1].copy()], depth=True)
    result = run()
    assert result.exit_code == 0, result.output
    with VideoReader(here / "data/videos/X/a.h5") as video, RecordingReader(here / "data/raw/X/a.h5") as recording:
        for k in range(2):
            for raw_id, label in zip(recording.raw_ids(k).ravel(), video.labels(k).ravel(), strict=True):
                assert label == (raw_id % 12 if raw_id % 12 < 11 else 255)
            assert np.array_equal(video.rgb(k), recording.rgb(k))
            assert np.array_equal(video.depth_m(k), recording.depth_m(k))
        for name in ("time_ns", "sim_time_ns", "position_m", "orientation_wxyz", "segment_start", "camera_matrix"):
            assert np.array_equal(getattr(video, name), getattr(recording, name)), name
        assert (video.environment, video.rate_hz, video.poses, video.complete) == ("X", 25.0, "camera", True)
        assert video.label_map["lut"] == [k % 12 if k % 12 < 11 else 255 for k in range(256)]
        assert video.source["file"] == "a.h5"
    # 22 of the 256 ids are road, 21 are ignored: 8.59 % and 8.20 %
    assert "road           44    8.59%" in " ".join(result.output.split("\n"))
    assert "8.20%" in result.output
    assert "frames/s" in result.output


def test_unmapped_ids_are_refused_with_a_table(here: Path) -> None:
    write_map(here / "label_maps" / "X.toml", {"tree": [181]})
    write_map(here / "label_maps" / "Y.toml", {"tree": [181]}, "Y")
    trees = np.full(SIZE_HW, 181, np.uint8)
    odd = trees.copy()
    odd[0, :5], odd[1, :2] = 77, 9
    record(here / "data/raw/X/bad.h5", [trees, odd, odd])
    record(here / "data/raw/Y/good.h5", [trees])
    result = run()
    assert result.exit_code == 3
    rows = [line.split() for line in result.output.splitlines()]
    assert ["77", "10", "1.3021%", "1", "Gnome_1,", "Gnome_2"] in rows
    assert ["9", "4", "0.5208%", "1", "-"] in rows
    assert "ids = [9, 77]" in result.output
    assert [p.name for p in (here / "data/videos").rglob("*") if p.is_file()] == ["good.h5"]


def test_an_old_video_stays_where_the_new_one_is_refused(here: Path) -> None:
    label_map = write_map(here / "label_maps" / "X.toml", {"tree": [181]})
    record(here / "data/raw/X/a.h5", [np.full(SIZE_HW, 181, np.uint8)])
    assert run().exit_code == 0
    before = (here / "data/videos/X/a.h5").read_bytes()
    write_map(label_map, {"tree": [182]})
    assert run().exit_code == 3
    assert (here / "data/videos/X/a.h5").read_bytes() == before


def test_done_already_is_left_alone_until_something_changes(here: Path) -> None:
    label_map = write_map(here / "label_maps" / "X.toml", {"tree": [181]})
    raw, video = here / "data/raw/X/a.h5", here / "data/videos/X/a.h5"
    record(raw, [np.full(SIZE_HW, 181, np.uint8)])

    def remade(*args: str) -> bool:
        before = video.stat().st_ino if video.exists() else 0
        result = run(*args)
        assert result.exit_code == 0, result.output
        assert ("unchanged, left alone" in result.output) == (video.stat().st_ino == before)
        return video.stat().st_ino != before

    assert remade()
    assert not remade()
    assert remade("--force")
    label_map.write_text("# a comment\n" + label_map.read_text())
    assert not remade()
    write_map(label_map, {"roof": [181]})
    assert remade()
    raw.unlink()
    record(raw, [np.full(SIZE_HW, 181, np.uint8)] * 2)
    assert remade()
    video.write_bytes(b"damaged")
    assert remade()


def test_unfinished_recordings_are_taken_on_request_only(here: Path) -> None:
    write_map(here / "label_maps" / "X.toml", {"tree": [181]})
    record(here / "data/raw/X/a.h5", [np.full(SIZE_HW, 181, np.uint8)] * 3, finish=False)
    result = run()
    assert result.exit_code == 1
    assert "is not finished (3 frames)" in result.output
    assert "--incomplete" in result.output
    assert run("--incomplete").exit_code == 0
    with VideoReader(here / "data/videos/X/a.h5") as video:
        assert video.num_frames == 3


def test_patterns_use_the_recordings_own_objects(here: Path) -> None:
    (here / "label_maps").mkdir()
    (here / "label_maps" / "X.toml").write_text(
        'environment = "X"\n[[rule]]\nclass = "house"\npatterns = ["gnome_[0-9]+"]\n'
    )
    record(here / "data/raw/X/a.h5", [np.full(SIZE_HW, 77, np.uint8)])
    assert run().exit_code == 0
    record(here / "data/raw/X/b.h5", [np.full(SIZE_HW, 77, np.uint8)], objects=())
    assert run().exit_code == 3


def test_one_environment_and_another_map(here: Path) -> None:
    for name in ("X", "Y"):
        record(here / "raw" / name / "a.h5", [np.full(SIZE_HW, 181, np.uint8)])
    own = write_map(here / "own.toml", {"roof": [181]}, "whatever")
    result = run("--raw", "raw", "--out", "out", "--env", "Y", "--label-map", own)
    assert result.exit_code == 0, result.output
    assert [str(p.relative_to(here / "out")) for p in (here / "out").rglob("*.h5")] == ["Y/a.h5"]
    result = run("--raw", "raw", "--out", "out", "--env", "Z", "--label-map", own)
    assert (result.exit_code, "no recording of 'Z' (there are: X, Y)" in result.output) == (1, True)


def test_bad_input_gets_one_sentence(here: Path) -> None:
    for name, content in (("empty", None), ("broken", b"HDF5?")):
        (here / name).mkdir()
        if content is not None:
            (here / name / "a.h5").write_bytes(content)
    record(here / "raw" / "Atlantis" / "a.h5", [ALL_IDS])
    record(here / "none" / "X" / "a.h5", [])
    write_map(here / "label_maps" / "X.toml", {"tree": [181]})
    (here / "file").touch()
    bad = write_map(here / "bad.toml", {"bush": [1]})
    good = write_map(here / "good.toml", {"tree": list(range(256))})
    cases: list[tuple[list[object], str]] = [
        (["--raw", "nowhere"], "nowhere is not a folder"),
        (["--raw", "empty"], "empty holds no recordings (no .h5 file)"),
        (["--raw", "broken"], "broken/a.h5 does not open as HDF5"),
        (["--raw", "raw"], "no label map for environment 'Atlantis'"),
        (["--raw", "raw", "--label-map", bad], "class 'bush' is unknown"),
        (["--raw", "raw", "--label-map", "none.toml"], "label map none.toml does not read"),
        (["--raw", "none"], "holds no frame"),
        (["--raw", "raw", "--label-map", good, "--out", "file"], "cannot be made"),
        (["--raw", "raw", "--label-map", good, "--out", "raw"], "onto itself"),
    ]
    for args, message in cases:
        result = run(*args)
        assert message in result.output, result.output
        assert result.exit_code in (1, 2)
        assert isinstance(result.exception, SystemExit)
        assert "Traceback" not in result.output
    assert run("--depth", "3").exit_code == 2


def test_help_shows_an_example() -> None:
    assert "airsim-seg remap --raw data/raw" in run("--help").output


def test_the_video_is_plain_hdf5(here: Path) -> None:
    write_map(here / "label_maps" / "X.toml", {"tree": list(range(256))})
    record(here / "data/raw/X/a.h5", [ALL_IDS])
    assert run().exit_code == 0
    with h5py.File(here / "data/videos/X/a.h5") as file:
        assert file.attrs["schema"] == "airsim-seg/video"
        assert json.loads(file.attrs["classes"]) == list(CLASS_NAMES)
        assert len(json.loads(file.attrs["source"])["sha256"]) == 64
        assert (file["labels"][0] == 3).all()
