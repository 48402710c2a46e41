"""Sample predictions: test frames with their truth and what each network saw in them."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from zipfile import BadZipFile

import cv2
import numpy as np

from airsim_seg.benchmark.results import CellResult, RunResults
from airsim_seg.errors import CorruptFile
from airsim_seg.taxonomy import CLASSES, IGNORE, IGNORE_COLOUR
from airsim_seg.types import UInt8Array

# For classes outside the study's eleven: a golden-angle walk around the hues keeps neighbours apart.
GOLDEN_ANGLE_DEG = 137.508


@dataclass(frozen=True, eq=False)
class Sample:
    """One test frame.

    Attributes:
        video: name.
        frame: index.
        rgb: uint8 [H,W,3].
        truth: uint8 [H,W], 255 = ignore.
        predicted: heading ("N=0") -> uint8 [H,W].
    """

    video: str
    frame: int
    rgb: UInt8Array
    truth: UInt8Array
    predicted: dict[str, UInt8Array]


def read_samples(run: RunResults) -> list[Sample]:
    """The frames of samples.npz with the predictions of the first and the last arm (first seed of each).

    Raises:
        CorruptFile: samples.npz is missing or damaged; delete the run's folder and run again.
    """
    shown = [run.of(arm)[0] for arm in dict.fromkeys((run.arms[0], run.arms[-1]))] if run.cells else []
    path = run.folder / "samples.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return [
                Sample(
                    str(video),
                    int(frame),
                    arrays[f"rgb_{i}"],
                    arrays[f"labels_{i}"],
                    {run.label(result.cell.arm): _kept(result, str(video), int(frame)) for result in shown},
                )
                for i, (video, frame) in enumerate(zip(arrays["video"], arrays["frame"], strict=True))
            ]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise CorruptFile(f"{path} does not read ({error}); delete {run.folder} and run again.") from error


def _kept(result: CellResult, video: str, frame: int) -> UInt8Array:
    return next(score for score in result.scores["test"].videos if score.name == video).kept[frame]


def colours_of(classes: Sequence[str]) -> UInt8Array:
    """uint8 [256,3]: the colour of each label; the study's own where the names are its classes, black for ignore."""
    table = np.zeros((256, 3), np.uint8)
    own = {c.name: c.colour for c in CLASSES}
    for index, name in enumerate(classes):
        table[index] = own.get(name) or _hue_colour(index)
    table[IGNORE] = IGNORE_COLOUR
    return table


def css_colours_of(classes: Sequence[str]) -> list[str]:
    """The classes' colours as CSS writes them."""
    return ["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours_of(classes)[: len(classes)]]


def _hue_colour(index: int) -> UInt8Array:
    hue = index * GOLDEN_ANGLE_DEG % 360 / 2  # OpenCV counts hue in half degrees
    hsv = np.array([[[round(hue), 150, 215]]], np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8).reshape(3)


def paint(labels: UInt8Array, colours: UInt8Array) -> UInt8Array:
    """Labels uint8 [H,W] as a picture uint8 [H,W,3]."""
    picture: UInt8Array = colours[labels]
    return picture


def data_uri(picture: UInt8Array, kind: str) -> str:
    """A picture uint8 [H,W,3] as a data URI; kind is "png" (labels: exact) or "jpeg" (photographs: small)."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 88] if kind == "jpeg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    done, data = cv2.imencode(f".{kind}", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as {kind}")
    return f"data:image/{kind};base64,{base64.b64encode(bytes(data)).decode()}"
