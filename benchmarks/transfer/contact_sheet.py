"""Real captures and built-in video side by side, colour above classes, and what both are made of in numbers.

    python benchmarks/transfer/contact_sheet.py --real ../captures --videos data/videos --out /tmp/sheet.png

--real is a folder with rgb/ and class11/: pictures of the same order, and their labels as 8-bit PNG (train ids, 255 =
ignore). The real pictures stay where they are: write the sheet outside the project.
"""

import argparse
from pathlib import Path

import cv2
import h5py
import numpy as np

from airsim_seg.taxonomy import CLASSES, IGNORE
from airsim_seg.types import UInt8Array

SIZE_HW = (216, 384)  # of one picture on the sheet
MOST_PICTURES = 120  # for the numbers
Pairs = list[tuple[UInt8Array, UInt8Array]]  # RGB [H,W,3] and train ids [H,W]


def real_pairs(folder: Path) -> Pairs:
    """Evenly spread real captures."""
    pictures = sorted(p for p in (folder / "rgb").iterdir() if p.suffix in (".jpg", ".png"))
    labels = sorted((folder / "class11").glob("*.png"))
    if not pictures or len(pictures) != len(labels):
        raise SystemExit(
            f"{folder}: {len(pictures)} pictures in rgb/, {len(labels)} in class11/: give as many of both."
        )
    chosen = np.linspace(0, len(pictures) - 1, min(MOST_PICTURES, len(pictures))).astype(int)
    return [(cv2.imread(str(pictures[k]))[..., ::-1], cv2.imread(str(labels[k]), cv2.IMREAD_GRAYSCALE)) for k in chosen]


def video_pairs(folder: Path) -> Pairs:
    """Evenly spread frames of labelled videos."""
    files = sorted(folder.rglob("*.h5"))
    if not files:
        raise SystemExit(f"{folder}: no .h5 videos in it; make some with `airsim-seg remap`.")
    pairs = []
    for path in files:
        with h5py.File(path, "r") as file:
            for k in np.linspace(0, len(file["rgb"]) - 1, max(1, MOST_PICTURES // len(files))).astype(int):
                pairs.append((file["rgb"][k], file["labels"][k]))
    return pairs


def shown(rgb: UInt8Array, labels: UInt8Array) -> UInt8Array:
    """One tile: the picture above its classes, RGB."""
    colours = np.zeros((IGNORE + 1, 3), np.uint8)
    colours[: len(CLASSES)] = [c.colour for c in CLASSES]
    size = SIZE_HW[::-1]
    return np.vstack(
        [
            cv2.resize(rgb, size, interpolation=cv2.INTER_AREA),
            cv2.resize(colours[labels], size, interpolation=cv2.INTER_NEAREST),
        ]
    )


def print_numbers(name: str, pairs: Pairs) -> None:
    """Share of the pixels, mean colour, and the spread of grey from dark to light, a class."""
    print(f"{name}: {len(pairs)} pictures\nclass             share %   mean R   G   B   grey at 5 25 50 75 95 %")
    labels = np.concatenate([label.ravel() for _, label in pairs])
    colours = np.concatenate([rgb.reshape(-1, 3) for rgb, _ in pairs])
    for label in CLASSES:
        mine = colours[labels == label.train_id]
        if len(mine):
            grey = np.percentile(mine.mean(1), (5, 25, 50, 75, 95)).round().astype(int)
            red, green, blue = mine.mean(0).round().astype(int)
            share = 100 * len(mine) / len(labels)
            print(f"{label.name:16s}  {share:7.2f}   {red:6d} {green:3d} {blue:3d}   {' '.join(map(str, grey))}")


def main() -> None:
    """Print the numbers and write the sheet: a row of real tiles, a row of ours, and so on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=3)
    parser.add_argument("--columns", type=int, default=4)
    options = parser.parse_args()
    sets = {"real": real_pairs(options.real), "built-in": video_pairs(options.videos)}
    rows = []
    for row in range(options.rows):
        for pairs in sets.values():
            first, last = (round((len(pairs) - 1) * k / options.rows) for k in (row, row + 1))
            picked = np.linspace(first, last, options.columns, endpoint=False).astype(int)
            rows.append(np.hstack([shown(*pairs[k]) for k in picked]))
    for name, pairs in sets.items():
        print_numbers(name, pairs)
    if not cv2.imwrite(str(options.out), np.vstack(rows)[..., ::-1]):
        raise SystemExit(f"{options.out} cannot be written: give a .png or .jpg in a folder that exists.")


if __name__ == "__main__":
    main()
