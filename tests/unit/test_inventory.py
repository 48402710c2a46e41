"""Files are found by what they say of themselves."""

from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from airsim_seg.errors import CorruptFile, MissingData
from airsim_seg.inventory import find_recordings, find_videos


def make(path: Path, schema: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = schema
    return path


def test_found_by_schema_in_order(tmp_path: Path) -> None:
    recordings = [make(tmp_path / name, "airsim-seg/recording") for name in ("b/2.h5", "a/10.h5", "a/9.h5")]
    video = make(tmp_path / "a" / "0.h5", "airsim-seg/video")
    make(tmp_path / "other.h5", "somebody's")
    (tmp_path / "a" / "9.h5.partial").write_bytes(b"half")
    (tmp_path / "folder.h5").mkdir()
    assert find_recordings(tmp_path) == sorted(recordings)
    assert find_videos(tmp_path) == [video]


@pytest.mark.parametrize(
    ("find", "remedy"), [(find_recordings, "airsim-seg collect"), (find_videos, "airsim-seg remap")]
)
def test_nothing_there(tmp_path: Path, find: Callable[[Path], list[Path]], remedy: str) -> None:
    with pytest.raises(MissingData, match=f"is not a folder.*{remedy}"):
        find(tmp_path / "nowhere")
    with pytest.raises(MissingData, match=rf"\(no \.h5 file\).*{remedy}"):
        find(tmp_path)
    make(tmp_path / "other.h5", "somebody's")
    with pytest.raises(MissingData, match="only HDF5 files of the kind somebody's"):
        find(tmp_path)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    make(tmp_path / "good.h5", "airsim-seg/video")
    (tmp_path / "bad.h5").write_bytes(b"")
    with pytest.raises(CorruptFile, match=r"bad\.h5 does not open"):
        find_videos(tmp_path)
