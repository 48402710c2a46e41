"""The shelf: what was put there comes back, and nothing else ever does."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airsim_seg.builtin import shelf as shelf_module
from airsim_seg.builtin.shelf import Box, Shelf, user_shelf

KINDS = {"places": np.float64, "ids": np.int32, "none": np.float32}
BOX = Box(
    {"places": np.arange(12.0).reshape(4, 3).T, "ids": np.arange(5, dtype=np.int32), "none": np.zeros((0, 3), "f4")},
    {"names": ["Tree_1", None], "height_m": 0.1},
)


def test_what_was_put_comes_back_and_can_be_written(tmp_path: Path) -> None:
    Shelf(tmp_path / "made" / "here", "s").put("a", BOX)
    found = Shelf(tmp_path / "made" / "here", "s").get("a", KINDS)
    assert found is not None
    assert found.facts == BOX.facts
    for key, array in found.arrays.items():
        assert array.tobytes() == np.ascontiguousarray(BOX.arrays[key]).tobytes()
        assert array.shape == BOX.arrays[key].shape
        assert array.dtype == KINDS[key]
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_another_stamp_name_or_kind_of_array_is_not_taken(tmp_path: Path) -> None:
    Shelf(tmp_path, "s").put("a", BOX)
    assert Shelf(tmp_path, "t").get("a", KINDS) is None
    assert Shelf(tmp_path, "s").get("b", KINDS) is None
    assert Shelf(tmp_path, "s").get("a", KINDS | {"ids": np.int64}) is None
    assert Shelf(tmp_path, "s").get("a", {"places": np.float64}) is None
    assert Shelf(tmp_path, "s").get("a", KINDS) is not None


def _file(folder: Path) -> Path:
    [file] = folder.glob("*.kept")
    return file


def test_no_byte_can_be_changed_cut_off_or_added(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "s")
    shelf.put("a", BOX)
    good = _file(tmp_path).read_bytes()
    bad = [good[:length] for length in range(0, len(good), 7)] + [good + b"\0", good[:-1]]
    bad += [good[:k] + bytes([good[k] ^ 4]) + good[k + 1 :] for k in range(len(good))]
    for content in bad:
        _file(tmp_path).write_bytes(content)
        assert shelf.get("a", KINDS) is None, content
    _file(tmp_path).write_bytes(good)
    assert shelf.get("a", KINDS) is not None


def _huge(head: dict[str, Any]) -> None:
    head["arrays"]["ids"][1] = [2**62]


def _many(head: dict[str, Any]) -> None:
    head["arrays"]["ids"][1] = [2**16] * 4096


def _negative(head: dict[str, Any]) -> None:
    head["arrays"]["ids"][1] = [-5, -1]


def _objects(head: dict[str, Any]) -> None:
    head["arrays"]["ids"][0] = "|O"


def _no_shape(head: dict[str, Any]) -> None:
    head["arrays"]["ids"] = 7


def _nothing(head: dict[str, Any]) -> None:
    head.clear()


@pytest.mark.parametrize("change", [_huge, _many, _negative, _objects, _no_shape, _nothing])
def test_a_head_that_lies_is_not_believed(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    shelf = Shelf(tmp_path, "s")
    shelf.put("a", BOX)
    head, _, data = _file(tmp_path).read_bytes().partition(b"\n")
    content = json.loads(head)
    change(content)
    _file(tmp_path).write_bytes(json.dumps(content).encode() + b"\n" + data)
    assert shelf.get("a", KINDS) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"[]\n", b'"x"\n', b"[" * 200_000, b"\xff\xfe\n", b"null\n"])
def test_what_is_no_box_is_not_taken(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.kept").write_bytes(content)
    assert Shelf(tmp_path, "s").get("a", KINDS) is None


def test_a_folder_that_cannot_be_made_or_read_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    shelf = Shelf(tmp_path / "file" / "folder", "s")
    shelf.put("a", BOX)
    assert shelf.get("a", KINDS) is None
    (tmp_path / "a.kept").mkdir()
    Shelf(tmp_path, "s").put("a", BOX)
    assert Shelf(tmp_path, "s").get("a", KINDS) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.kept", "file"]


def test_a_full_disk_leaves_what_was_there_and_no_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path, "s")
    shelf.put("a", BOX)
    before = _file(tmp_path).read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shelf_module, "_bytes_of", full)  # asked for what is written
        patched.setattr(shelf_module, "_sum", lambda *_: "0")
        shelf.put("a", Box({"ids": np.zeros(9, np.int32)}))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def test_the_ones_not_used_for_longest_make_room(tmp_path: Path) -> None:
    box = Box({"ids": np.zeros(1000, np.int32)})
    shelf = Shelf(tmp_path, "s", most_bytes=13_000)
    (tmp_path / "theirs.txt").write_text("not ours")
    (tmp_path / "half.part").write_bytes(bytes(9000))
    os.utime(tmp_path / "half.part", ns=(1, 1))
    for k, name in enumerate("abc"):
        shelf.put(name, box)
        os.utime(tmp_path / f"{name}.kept", ns=(k + 2, k + 2))
    assert shelf.get("a", {"ids": np.int32}) is not None
    shelf.put("d", box)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.kept", "c.kept", "d.kept", "theirs.txt"]


def test_what_the_tests_simulators_keep_is_not_in_the_users_folder() -> None:
    folder = user_shelf(os.environ, Path.home())._folder
    assert folder.parent.name.startswith("airsim-seg-tests-"), "see conftest.py"


def test_the_users_shelf_is_where_caches_are(tmp_path: Path) -> None:
    user_shelf({"XDG_CACHE_HOME": str(tmp_path / "x")}, tmp_path).put("a", BOX)
    assert (tmp_path / "x" / "airsim-seg" / "a.kept").is_file()
    assert user_shelf({"XDG_CACHE_HOME": str(tmp_path / "x")}, tmp_path).get("a", KINDS) is not None
    user_shelf({}, tmp_path / "home").put("a", BOX)
    assert [path.parent.name for path in (tmp_path / "home").rglob("a.kept")] == ["airsim-seg"]
