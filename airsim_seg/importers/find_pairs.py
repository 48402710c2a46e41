"""Which image belongs to which mask, and which of them make a clip."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from airsim_seg.errors import DataError, MissingData

IMAGE_WORDS = frozenset({"image", "images", "img", "imgs", "rgb", "color", "colour", "scene", "left"})
MASK_WORDS = frozenset(
    {"label", "labels", "mask", "masks", "seg", "segmentation", "semantic", "raw_id", "raw_ids", "id", "ids"}
)
_SUFFIXES = (".png", ".jpg", ".jpeg")
_CLIP_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True)
class Pair:
    """An image, its mask, and its number in the sequence."""

    image: Path
    mask: Path
    number: int


@dataclass(frozen=True)
class Clip:
    """One recording to be.

    Attributes:
        name: of the recording.
        folder: that the pairs lie in.
        index: name of the csv they were found by, or None.
        pairs: numbers strictly increasing.
        num_black: rows left out because the index says rgb_black.
    """

    name: str
    folder: Path
    index: str | None
    pairs: tuple[Pair, ...]
    num_black: int = 0

    @property
    def step(self) -> int:
        """How far consecutive frames' numbers lie apart: the commonest difference, the smallest of several."""
        steps = Counter(b.number - a.number for a, b in pairwise(self.pairs))
        return min(steps, key=lambda step: (-steps[step], step)) if steps else 1


def find_clips(folder: Path, index: Path | None = None) -> list[Clip]:
    """Find the clips of a folder.

    Args:
        folder: holds an index.csv, or a sub-folder of images and one of masks.
        index: csv with the columns video, rgb, raw_id (paths below folder) and, if it likes, frame and rgb_black.

    Raises:
        MissingData: no folder, no pairs, or an image without a mask.
        DataError: an index that does not make sense, or names files outside the folder.
    """
    if not folder.is_dir():
        raise MissingData(f"{folder} is not a folder: check the path.")
    if index is None and (folder / "index.csv").is_file():
        index = folder / "index.csv"
    return [_from_folders(folder)] if index is None else _from_index(folder, index)


def _from_index(folder: Path, index: Path) -> list[Clip]:
    try:
        with index.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise MissingData(f"index {index} does not read ({error.strerror}): check the path.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"index {index} is not a csv file ({error}).") from error
    missing = {"video", "rgb", "raw_id"} - set(rows[0] if rows else ())
    if missing:
        raise DataError(f"index {index} lacks {'rows' if not rows else 'the columns ' + ', '.join(sorted(missing))}.")
    found: dict[str, list[Pair]] = {}
    black: Counter[str] = Counter()
    for line, row in enumerate(rows, 2):
        where = f"{index}, line {line}"
        name = row["video"] or ""
        if not _CLIP_NAME.fullmatch(name):
            raise DataError(f"{where}: video {name!r} must be letters, digits, '_', '-', '+' and '.' only.")
        pairs = found.setdefault(name, [])
        if (row.get("rgb_black") or "0").strip() not in ("0", ""):
            black[name] += 1
            continue
        fallback = pairs[-1].number + 1 if pairs else 0
        number = _whole(row["frame"], where) if row.get("frame") else fallback
        pairs.append(Pair(_inside(folder, row["rgb"], where), _inside(folder, row["raw_id"], where), number))
    for name, pairs in found.items():
        _check_order(pairs, f"{index}, video {name}")
    return [Clip(name, folder, index.name, tuple(pairs), black[name]) for name, pairs in found.items()]


def _from_folders(folder: Path) -> Clip:
    images, masks = (_pictures(_subfolder(folder, kind)) for kind in ("images", "masks"))
    numbers = _numbers(images)
    if [p.stem for p in images] == [p.stem for p in masks]:
        if len(set(numbers)) < len(images):
            numbers = list(range(len(images)))  # names that count nothing: the alphabet is the order
        pairs = [Pair(image, mask, n) for image, mask, n in zip(images, masks, numbers, strict=True)]
    else:
        pairs = _pair_by_number(images, masks)
    name = re.sub(r"[^A-Za-z0-9_.+-]", "_", folder.resolve().name).lstrip("_.+-") or "pairs"
    return Clip(name, folder, None, tuple(sorted(pairs, key=lambda pair: pair.number)))


def _pair_by_number(images: list[Path], masks: list[Path]) -> list[Pair]:
    by_number: list[dict[int, Path]] = []
    for files in (images, masks):
        numbers = _numbers(files)
        twice = [n for n, count in Counter(numbers).items() if count > 1 or n < 0]
        if twice:
            two = [p.name for p, n in zip(files, numbers, strict=True) if n == twice[0]][:2]
            raise DataError(
                f"{files[0].parent}: {' and '.join(two)} cannot be told apart by a number in their name: name images "
                "and masks alike, or add an index.csv."
            )
        by_number.append(dict(zip(numbers, files, strict=True)))
    alone = sorted(by_number[0].keys() ^ by_number[1].keys())
    if alone:
        first = by_number[0].get(alone[0]) or by_number[1][alone[0]]
        raise MissingData(
            f"{first} has no partner ({len(images)} images, {len(masks)} masks, {len(alone)} without a partner): "
            "partners have the same name or the same last number in it."
        )
    return [Pair(by_number[0][n], by_number[1][n], n) for n in sorted(by_number[0])]


def _subfolder(folder: Path, kind: str) -> Path:
    """The one sub-folder whose name says images (or masks); "seg_left" is masks, "image_left" images."""

    def says(path: Path, words: frozenset[str]) -> bool:
        name = path.name.lower()
        return name in words or any(word in words for word in re.split(r"[_\-. ]", name))

    found = [p for p in sorted(folder.iterdir()) if p.is_dir() and says(p, IMAGE_WORDS | MASK_WORDS)]
    found = [p for p in found if says(p, MASK_WORDS) == (kind == "masks")]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(
            f"{folder} has several folders of {kind} ({', '.join(p.name for p in found)}): say which with an index.csv."
        )
    example = "image, images, rgb or left" if kind == "images" else "label, mask, seg or raw_id"
    raise MissingData(f"{folder} has no folder of {kind} (named {example}) and no index.csv: check the path.")


def _pictures(folder: Path) -> list[Path]:
    files = sorted((p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file()), key=lambda p: p.stem)
    if not files:
        raise MissingData(f"{folder} holds no PNG or JPEG file: check the path.")
    return files


def _numbers(files: list[Path]) -> list[int]:
    """The last number in each name; -1 where there is none."""
    return [int((re.findall(r"[0-9]+", path.stem) or ["-1"])[-1]) for path in files]


def _inside(folder: Path, text: str | None, where: str) -> Path:
    path = folder / (text or "")
    if not text or not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{where}: path {text!r} does not lie inside {folder}.")
    return path


def _whole(text: str, where: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise DataError(f"{where}: frame {text!r} is not a whole number.") from None


def _check_order(pairs: Sequence[Pair], where: str) -> None:
    if not pairs:
        raise DataError(f"{where} has no usable row: all of its images are black.")
    for a, b in pairwise(pairs):
        if b.number <= a.number:
            raise DataError(f"{where}: frame {b.number} stands after frame {a.number}: sort the rows by frame.")
