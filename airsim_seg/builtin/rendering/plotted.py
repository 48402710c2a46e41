"""What clients plot into the world, drawn over a finished picture wherever nothing stands before it.

Only colours know of it. Source of shapes and units: AirSim's UE WorldSimApi.cpp and Unreal's DrawDebugHelpers.cpp:
points are squares of so many pixels, lines so many centimetres thick, axes and heads of arrows so many centimetres
long, in red, green and blue for forward, right and up. Words have the size that is legible here.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np

from airsim_seg.builtin.plots import Plot
from airsim_seg.builtin.scene import View
from airsim_seg.types import Float32Array, Float64Array, UInt8Array

M_PER_CM = 0.01
NEAR_M = 0.05
# A line on a surface is before it.
_NEARER = 0.999
_LIFT_M = 0.02
# Half the angle of an arrow's head has this tangent (DrawDebugDirectionalArrow: as far aside as back).
_HEAD_ASIDE = 1.0
_WORD_SCALE = 0.12
_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
# Of the picture's size: how far outside of it lines are followed.
_MARGIN_PX = 64.0


class Segment(NamedTuple):
    """A straight line: float64 [3] ends in the API's world NED, linear RGB, metres thick."""

    start_m: Float64Array
    end_m: Float64Array
    colour: Float64Array
    thick_m: float


class Mark(NamedTuple):
    """A point: float64 [3], linear RGB, and a square of so many pixels or a word of such a size."""

    place_m: Float64Array
    colour: Float64Array
    size: float
    word: str = ""


def draw(
    rgb: UInt8Array, depth_m: Float32Array, view: View, plots: Sequence[Plot], origin_m: Float64Array
) -> UInt8Array:
    """The picture with the plots in it.

    Args:
        rgb: uint8 [H,W,3]; left as it is.
        depth_m: float32 [H,W], along the optical axis.
        view: of the picture.
        plots: drawn one after the other.
        origin_m: float64 [3], where the API's world NED begins, in the view's NED.

    Returns:
        uint8 [H,W,3].
    """
    canvas, camera = rgb.copy(), _Camera(view, origin_m)
    for plot in plots:
        for shape in _shapes(plot.kind, plot.strokes):
            if isinstance(shape, Segment):
                _draw_segment(canvas, depth_m, camera, shape)
            else:
                _draw_mark(canvas, depth_m, camera, shape)
    return canvas


def _shapes(kind: str, strokes: Mapping[str, Any]) -> Iterator[Segment | Mark]:
    """A call taken apart; see api_plots.ARGUMENTS."""
    colour: Any = strokes.get("colour")
    points = strokes.get("points", [])
    thick_m = strokes.get("thickness", 0.0) * M_PER_CM
    if kind == "Points":
        yield from (Mark(point, colour, strokes["size"]) for point in points)
    elif kind == "LineStrip":
        yield from (Segment(a, b, colour, thick_m) for a, b in pairwise(points))
    elif kind == "LineList":
        yield from (Segment(a, b, colour, thick_m) for a, b in zip(points[::2], points[1::2], strict=True))
    elif kind == "Arrows":
        for start, end in zip(points, strokes["ends"], strict=True):
            yield from _arrow(start, end, colour, thick_m, strokes["head_size"] * M_PER_CM)
    elif kind == "Strings":
        yield from (Mark(p, colour, strokes["scale"], word) for p, word in zip(points, strokes["words"], strict=True))
    else:
        for pose in strokes["poses"]:
            axes = pose.rotation() * (1, 1, -1) * strokes["scale"] * M_PER_CM
            for k, paint in enumerate(_AXES):
                yield Segment(pose.position_m, pose.position_m + axes[:, k], np.array(paint), thick_m)
        for pose, word in zip(strokes["poses"], strokes.get("words", []), strict=False):
            yield Mark(pose.position_m, colour, strokes["word_scale"], word)


def _arrow(
    start_m: Float64Array, end_m: Float64Array, colour: Float64Array, thick_m: float, head_m: float
) -> Iterator[Segment]:
    yield Segment(start_m, end_m, colour, thick_m)
    length_m = float(np.linalg.norm(end_m - start_m))
    if length_m == 0:
        return
    ahead = (end_m - start_m) / length_m
    aside = np.cross(ahead, (0.0, 0.0, 1.0) if abs(ahead[2]) < 0.9 else (1.0, 0.0, 0.0))
    aside *= _HEAD_ASIDE / np.linalg.norm(aside)
    side_m = head_m / np.sqrt(1 + _HEAD_ASIDE**2)
    for way in (1, -1):
        yield Segment(end_m, end_m - side_m * (ahead + way * aside), colour, thick_m)


class _Camera:
    """Where points of the API's world NED are in a picture, and how large a metre is there."""

    def __init__(self, view: View, origin_m: Float64Array) -> None:
        self._eye_m = np.asarray(view.pose.position_m, np.float64) - origin_m
        self._axes = view.pose.rotation()
        self.size_hw = height, width = view.size_hw
        self._metre_px, self._is_parallel = view.metre_px, view.is_parallel
        self._middle = np.array([width / 2, height / 2])

    def local(self, place_m: Float64Array) -> Float64Array:
        """float64 [3]: forward, right, down."""
        seen: Float64Array = (place_m - self._eye_m) @ self._axes
        return seen

    def pixel(self, local: Float64Array) -> Float64Array:
        """float64 [2]: column and row of a place in front of it; whole numbers are the corners of pixels."""
        at: Float64Array = self._metre_px * local[1:] / (1.0 if self._is_parallel else local[0]) + self._middle
        return at

    def length_px(self, length_m: float, depth_m: float) -> float:
        """How long something is in the picture that stands across the axis."""
        return length_m * self._metre_px / (1.0 if self._is_parallel else depth_m)

    def depths_m(self, first_m: float, last_m: float, along: Float64Array) -> Float64Array:
        """Depths [N] along a line, at these shares [N] of its length in the picture.

        In a pinhole's picture 1 / depth is linear.
        """
        if self._is_parallel:
            return first_m + along * (last_m - first_m)
        depths: Float64Array = 1 / (1 / first_m + along * (1 / last_m - 1 / first_m))
        return depths


def _draw_segment(canvas: UInt8Array, depth_m: Float32Array, camera: _Camera, line: Segment) -> None:
    ends = [camera.local(line.start_m), camera.local(line.end_m)]
    if max(ends[0][0], ends[1][0]) <= NEAR_M:
        return
    for k in (0, 1):
        if ends[k][0] < NEAR_M:
            other = ends[1 - k]
            ends[k] = other + (ends[k] - other) * ((other[0] - NEAR_M) / (other[0] - ends[k][0]))
    a, b = (camera.pixel(end) for end in ends)
    shares = _inside(a, b, camera.size_hw)
    if shares is None:
        return
    length_px = float(np.abs(b - a).max()) * (shares[1] - shares[0])
    along = np.linspace(*shares, 2 + int(length_px))
    places = a + along[:, None] * (b - a)
    depths = camera.depths_m(ends[0][0], ends[1][0], along)
    clear = _is_clear(depth_m, places, depths)
    colour = _srgb(line.colour)
    for first, last in _runs(clear):
        thick_px = camera.length_px(line.thick_m, depths[(first + last) // 2])
        (x0, y0), (x1, y1) = np.rint(16 * (places[[first, last]] - 0.5)).astype(int).tolist()
        cv2.line(canvas, (x0, y0), (x1, y1), colour, max(1, min(255, round(thick_px))), cv2.LINE_AA, 4)


def _draw_mark(canvas: UInt8Array, depth_m: Float32Array, camera: _Camera, mark: Mark) -> None:
    local = camera.local(mark.place_m)
    if local[0] < NEAR_M:
        return
    place = camera.pixel(local)
    height, width = camera.size_hw
    if not (0 <= place[0] < width and 0 <= place[1] < height):
        return
    if not _is_clear(depth_m, place[None], local[:1])[0]:
        return
    colour = _srgb(mark.colour)
    if mark.word:
        x, y = np.floor(place).astype(int).tolist()
        shown = mark.word.encode("ascii", "replace").decode()
        cv2.putText(canvas, shown, (x, y), cv2.FONT_HERSHEY_SIMPLEX, _WORD_SCALE * mark.size, colour, 1, cv2.LINE_AA)
        return
    side = max(1, min(max(height, width), round(mark.size)))
    x, y = np.rint(place - side / 2).astype(int).tolist()
    cv2.rectangle(canvas, (x, y), (x + side - 1, y + side - 1), colour, cv2.FILLED)


def _is_clear(depth_m: Float32Array, places: Float64Array, depths: Float64Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """bool [N]: nothing stands before these places of the picture; what is outside of it is clear."""
    height, width = depth_m.shape
    column, row = np.floor(places).astype(int).T
    outside = (column < 0) | (row < 0) | (column >= width) | (row >= height)
    behind = depth_m[row.clip(0, height - 1), column.clip(0, width - 1)]
    clear: np.ndarray[Any, np.dtype[np.bool_]] = outside | (depths * _NEARER - _LIFT_M <= behind)
    return clear


def _inside(a: Float64Array, b: Float64Array, size_hw: tuple[int, int]) -> tuple[float, float] | None:
    """The part of a line from a to b, as shares of it, that is in the picture or just outside (Liang and Barsky)."""
    low, high = 0.0, 1.0
    for k, size in enumerate((size_hw[1], size_hw[0])):
        way, below, above = b[k] - a[k], -_MARGIN_PX - a[k], size + _MARGIN_PX - a[k]
        if way == 0:
            if below > 0 or above < 0:
                return None
            continue
        enter, leave = sorted((below / way, above / way))
        low, high = max(low, enter), min(high, leave)
    return (low, high) if low <= high else None


def _runs(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> Iterator[tuple[int, int]]:
    """First and last index of each stretch of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from ((int(first), int(end) - 1) for first, end in edges.reshape(-1, 2))


def _srgb(linear: Float64Array) -> tuple[int, int, int]:
    """What a linear colour is in a picture (FLinearColor::ToFColor, IEC 61966-2-1); opacity means nothing to lines."""
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(255 * encoded[:3]).astype(int).tolist()
    return red, green, blue
