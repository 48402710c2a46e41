"""Finds recordings and videos below a folder, by what the files say of themselves."""

from pathlib import Path

from airsim_seg import recordings, videos
from airsim_seg.errors import MissingData
from airsim_seg.hdf5 import schema_of


def find_recordings(folder: Path) -> list[Path]:
    """Every recording below a folder, sorted.

    Raises:
        MissingData: no such folder, or no recording in it.
        CorruptFile: an .h5 file that does not open.
    """
    return _find(folder, recordings.SCHEMA, "recordings", "collect some with `airsim-seg collect`")


def find_videos(folder: Path) -> list[Path]:
    """Every video below a folder, sorted.

    Raises:
        MissingData: no such folder, or no video in it.
        CorruptFile: an .h5 file that does not open.
    """
    return _find(folder, videos.SCHEMA, "videos", "make some with `airsim-seg remap`")


def _find(folder: Path, schema: str, plural: str, remedy: str) -> list[Path]:
    if not folder.is_dir():
        raise MissingData(f"{folder} is not a folder: check the path, or {remedy}.")
    schemas = {path: schema_of(path) for path in sorted(folder.rglob("*.h5")) if path.is_file()}
    found = [path for path, its in schemas.items() if its == schema]
    if found:
        return found
    others = sorted({its.removeprefix("airsim-seg/") or "other" for its in schemas.values()})
    holds = f"only HDF5 files of the kind {', '.join(others)}" if others else "no .h5 file"
    raise MissingData(f"{folder} holds no {plural} ({holds}): check the path, or {remedy}.")
