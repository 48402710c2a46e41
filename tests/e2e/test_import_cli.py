"""airsim-seg import pairs, as it is typed."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from airsim_seg.cli.main import main
from airsim_seg.palette import palette
from airsim_seg.recordings import RecordingReader
from airsim_seg.types import UInt8Array

SIZE_HW = (12, 16)


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["import", "pairs", *(str(arg) for arg in args)])


def ids_of(k: int) -> UInt8Array:
    return np.random.default_rng(k).integers(0, 256, SIZE_HW).astype(np.uint8)


def image_of(k: int) -> UInt8Array:
    """Smooth, so that a JPEG of it stays near it."""
    ramp = np.add.outer(np.arange(SIZE_HW[0]), np.arange(SIZE_HW[1])) * 4 + k
    return np.stack([ramp, 255 - ramp, ramp // 2], -1).astype(np.uint8)


def save(path: Path, picture: UInt8Array) -> None:
    """Write grey, RGB or RGBA as such."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if picture.ndim == 3:
        picture = np.concatenate([picture[..., 2::-1], picture[..., 3:]], -1)
    assert cv2.imwrite(str(path), picture)


def grey(ids: UInt8Array) -> UInt8Array:
    return ids


def plain(ids: UInt8Array) -> UInt8Array:
    return palette()[ids]


def srgb_with_alpha(ids: UInt8Array) -> UInt8Array:
    alpha = np.full((*SIZE_HW, 1), 255, np.uint8)
    return np.concatenate([palette("srgb")[ids], alpha], -1)


Encode = Callable[[UInt8Array], UInt8Array]


def make_folder(folder: Path, numbers: list[int], encode: Encode = plain, suffix: str = ".png") -> Path:
    for k in numbers:
        save(folder / "image" / f"image_front{k:05d}{suffix}", image_of(k))
        save(folder / "label" / f"image_front{k:05d}.png", encode(ids_of(k)))
    return folder


@pytest.mark.parametrize(
    ("encode", "kind"), [(grey, "grey raw ids"), (plain, "plain palette"), (srgb_with_alpha, "sRGB-encoded palette")]
)
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_every_kind_of_mask_and_image(tmp_path: Path, encode: Encode, kind: str, suffix: str) -> None:
    folder = make_folder(tmp_path / "flight", [3, 4, 5], encode, suffix)
    result = run(folder, "--env", "X", "--out", tmp_path / "raw", "--rate", 10)
    assert result.exit_code == 0, result.output
    assert kind in result.output
    with RecordingReader(tmp_path / "raw" / "X" / "flight.h5") as recording:
        assert (recording.num_frames, recording.complete, recording.poses) == (3, True, "none")
        assert (recording.environment, recording.rate_hz) == ("X", 10.0)
        assert recording.segment_start.tolist() == [True, False, False]
        assert recording.time_ns.tolist() == [0, 100_000_000, 200_000_000]
        assert recording.sim_time_ns.tolist() == [-1, -1, -1]
        assert np.isnan(recording.camera_matrix).all()
        for k in range(3):
            assert np.array_equal(recording.raw_ids(k), ids_of(k + 3))
            error = np.abs(recording.rgb(k).astype(int) - image_of(k + 3))
            assert error.max() <= (0 if suffix == ".png" else 12)


def test_gaps_start_segments(tmp_path: Path) -> None:
    make_folder(tmp_path / "a", [10, 11, 12, 15, 16])
    make_folder(tmp_path / "b", [0, 5, 10, 25, 30])
    for name, rate, times in (("a", 0, [0, 1, 2, 5, 6]), ("b", 4, [0, 250, 500, 1250, 1500])):
        assert run(tmp_path / name, "--env", "X", "--out", tmp_path / "raw", "--rate", rate).exit_code == 0
        with RecordingReader(tmp_path / "raw" / "X" / f"{name}.h5") as recording:
            assert recording.segment_start.tolist() == [True, False, False, True, False]
            assert recording.time_ns.tolist() == [t * (1_000_000 if rate else 1) for t in times]


def test_names_that_differ_pair_by_their_number_and_names_without_by_name(tmp_path: Path) -> None:
    for k in (9, 10, 11):
        save(tmp_path / "tartan" / "image_left" / f"{k:06d}_left.jpg", image_of(k))
        save(tmp_path / "tartan" / "seg_left" / f"{k:06d}_left_seg.png", ids_of(k))
    for k, name in enumerate("abc"):
        save(tmp_path / "letters" / "rgb" / f"{name}.png", image_of(k))
        save(tmp_path / "letters" / "masks" / f"{name}.PNG", ids_of(k))
    for name, first in (("tartan", 9), ("letters", 0)):
        assert run(tmp_path / name, "--env", "X", "--out", tmp_path / "raw").exit_code == 0
        with RecordingReader(tmp_path / "raw" / "X" / f"{name}.h5") as recording:
            assert [np.array_equal(recording.raw_ids(k), ids_of(first + k)) for k in range(3)] == [True] * 3
            assert recording.segment_start.tolist() == [True, False, False]


def write_index(folder: Path, lines: list[str], header: str = "video,frame,rgb_black,rgb,raw_id") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "index.csv").write_text("\n".join([header, *lines]) + "\n")


def test_an_index_makes_clips_and_leaves_black_images_out(tmp_path: Path) -> None:
    for k in range(6):
        save(tmp_path / "in" / "rgb" / f"{k}.png", image_of(k))
        save(tmp_path / "in" / "ids" / f"{k}.png", ids_of(k))
    rows = [f"{'one' if k < 4 else 'two'},{k},{int(k == 2)},rgb/{k}.png,ids/{k}.png" for k in range(6)]
    write_index(tmp_path / "in", rows)
    result = run(tmp_path / "in", "--env", "X", "--out", tmp_path / "raw")
    assert result.exit_code == 0, result.output
    assert "3 frames in 2 segments, masks in grey raw ids, 1 black images left out" in result.output
    with RecordingReader(tmp_path / "raw" / "X" / "one.h5") as recording:
        assert recording.segment_start.tolist() == [True, False, True]
        assert np.array_equal(recording.raw_ids(2), ids_of(3))
        assert recording.header.provenance["black_images_left_out"] == 1
    with RecordingReader(tmp_path / "raw" / "X" / "two.h5") as recording:
        assert recording.num_frames == 2
    (tmp_path / "in" / "index.csv").rename(tmp_path / "other.csv")
    result = run(tmp_path / "in", "--env", "Y", "--out", tmp_path / "raw", "--index", tmp_path / "other.csv")
    assert result.exit_code == 0, result.output


def test_unknown_colours_are_counted_and_above_one_in_ten_thousand_refused(tmp_path: Path) -> None:
    def unknown(folder: Path, count: int) -> Path:
        save(folder / "image" / "0.png", np.zeros((200, 100, 3), np.uint8))
        mask = np.zeros((200, 100, 3), np.uint8)
        mask[0, :count] = (114, 119, 232)
        mask[1] = palette("srgb")[171]
        save(folder / "label" / "0.png", mask)
        return folder

    result = run(unknown(tmp_path / "few", 2), "--env", "X", "--out", tmp_path / "raw")
    assert result.exit_code == 0, result.output
    assert "2 pixels of an unknown colour recorded as id 0" in result.output
    with RecordingReader(tmp_path / "raw" / "X" / "few.h5") as recording:
        assert recording.header.provenance["unknown_pixels"] == 2
        assert recording.header.provenance["unknown_example"] == [114, 119, 232]
        assert recording.raw_ids(0)[0].tolist() == [0] * 100
        assert recording.raw_ids(0)[1].tolist() == [171] * 100
    result = run(unknown(tmp_path / "many", 3), "--env", "X", "--out", tmp_path / "raw")
    assert result.exit_code == 3
    assert "many: 3 of 20000 segmentation pixels" in result.output
    assert [p.name for p in (tmp_path / "raw" / "X").iterdir()] == ["few.h5"], "nothing half-written stays"


def test_masks_saved_with_red_and_blue_exchanged_are_told(tmp_path: Path) -> None:
    make_folder(tmp_path / "a", [0, 1], lambda ids: np.ascontiguousarray(palette()[ids][..., ::-1]))
    result = run(tmp_path / "a", "--env", "X", "--out", tmp_path / "raw")
    assert (result.exit_code, "red and blue exchanged" in result.output) == (3, True)


def test_bad_input_gets_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    a = make_folder(tmp_path / "a", [0, 1, 2])
    cases: list[tuple[Path, str]] = [(tmp_path / "nowhere", "is not a folder")]

    def case(name: str, message: str) -> Path:
        folder = make_folder(tmp_path / name, [0, 1, 2])
        cases.append((folder, message))
        return folder

    (case("missing", "image_front00001.png has no partner (3 images, 2 masks") / "label/image_front00001.png").unlink()
    for name in ("no_masks", "several"):
        (tmp_path / name / "image").mkdir(parents=True)
    (tmp_path / "several" / "rgb").mkdir()
    (tmp_path / "several" / "label").mkdir()
    cases += [
        (tmp_path / "no_masks", "no PNG or JPEG"),
        (tmp_path / "several", "several folders of images (image, rgb)"),
    ]
    save(tmp_path / "only_images" / "image" / "0.png", image_of(0))
    cases.append((tmp_path / "only_images", "has no folder of masks"))
    save(case("sizes", "all of a recording must have one size") / "image/image_front00002.png", image_of(0)[:8])
    save(
        case("mask_size", "all of a recording must have one size") / "label/image_front00002.png", plain(ids_of(0)[:8])
    )
    (case("broken", "does not read as a picture") / "image/image_front00001.png").write_bytes(b"\x89PNG\r\n")
    (case("empty", "does not read as a picture") / "label/image_front00001.png").write_bytes(b"")
    save(case("mixed", "one is grey, one coloured") / "label/image_front00001.png", ids_of(1))
    lossy = case("lossy", "is a JPEG: it smears ids")
    for k in range(3):
        save(tmp_path / "x.jpg", ids_of(k))
        (tmp_path / "x.jpg").replace(lossy / "label" / f"image_front{k:05d}.png")
    deep = make_folder(tmp_path / "deep", [0], lambda ids: ids.astype(np.uint16) + 300)
    cases.append((deep, "raw ids are 0..255"))
    twice = tmp_path / "twice"
    for name in ("a1", "b1"):
        save(twice / "image" / f"{name}.png", image_of(0))
        save(twice / "label" / f"m{name}.png", ids_of(0))
    cases.append((twice, "a1.png and b1.png cannot be told apart"))
    for folder, message in cases:
        result = run(folder, "--env", "X", "--out", tmp_path / "raw")
        assert message in result.output, result.output
        assert isinstance(result.exception, SystemExit)
        assert result.exit_code == 1
        assert not [p for p in (tmp_path / "raw").rglob("*") if p.is_file()]
    for args, code in ((["--rate", -1], 2), (["--rate", "nan"], 2), (["--env", "../X"], 1)):
        assert run(a, "--env", "X", "--out", tmp_path / "raw", *args).exit_code == code
    assert run(a, "--out", tmp_path / "raw").exit_code == 2
    assert not list(tmp_path.rglob("*.h5"))


def test_a_recording_that_exists_is_never_written_over(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a", [0])
    assert run(folder, "--env", "X", "--out", tmp_path / "raw").exit_code == 0
    before = (tmp_path / "raw/X/a.h5").read_bytes()
    result = run(folder, "--env", "X", "--out", tmp_path / "raw")
    assert (result.exit_code, "exists already" in result.output) == (1, True)
    assert (tmp_path / "raw/X/a.h5").read_bytes() == before


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,0,0,../secret.png,ids/0.png"], "does not lie inside"),
        (["a,0,0,/etc/passwd,ids/0.png"], "does not lie inside"),
        (["a,0,0,rgb/0.png,"], "does not lie inside"),
        (["../../a,0,0,rgb/0.png,ids/0.png"], "video '../../a' must be letters"),
        (["a,zero,0,rgb/0.png,ids/0.png"], "line 2: frame 'zero' is not a whole number"),
        (["a,1,0,rgb/0.png,ids/0.png", "a,0,0,rgb/0.png,ids/0.png"], "frame 0 stands after frame 1"),
        (["a,0,1,rgb/0.png,ids/0.png"], "all of its images are black"),
        (["a,0,0,rgb/9.png,ids/0.png"], "rgb/9.png does not read"),
        ([], "lacks rows"),
    ],
)
def test_a_hostile_or_mistaken_index(tmp_path: Path, lines: list[str], message: str) -> None:
    save(tmp_path / "secret.png", image_of(0))
    save(tmp_path / "in" / "rgb" / "0.png", image_of(0))
    save(tmp_path / "in" / "ids" / "0.png", ids_of(0))
    write_index(tmp_path / "in", lines)
    result = run(tmp_path / "in", "--env", "X", "--out", tmp_path / "raw")
    assert message in result.output, result.output
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert not [p for p in (tmp_path / "raw").rglob("*") if p.is_file()]


def test_an_index_without_its_columns_or_that_is_no_csv(tmp_path: Path) -> None:
    write_index(tmp_path / "in", ["a,b"], header="video,picture")
    assert "lacks the columns raw_id, rgb" in run(tmp_path / "in", "--env", "X", "--out", tmp_path / "raw").output
    (tmp_path / "in" / "index.csv").write_bytes(b"\xff\xfe\x00")
    assert "is not a csv file" in run(tmp_path / "in", "--env", "X", "--out", tmp_path / "raw").output
    result = run(tmp_path / "in", "--env", "X", "--index", tmp_path / "none.csv")
    assert "none.csv does not read" in result.output


def test_help_shows_an_example() -> None:
    assert "airsim-seg import pairs ~/captures" in run("--help").output
