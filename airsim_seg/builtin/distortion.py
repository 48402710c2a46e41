"""A lens that bends straight lines: Brown's model with AirSim's five numbers, and pictures drawn through it.

AirSim's simSetDistortionParam feeds a post-process material with Brown's coefficients (pull request 3039; the material
itself is a binary). Its code hangs that on the capture of every image type (UE PIPCamera.cpp, setDistortionMaterial),
and so it is here. Sign and order are OpenCV's: a calibration of the pictures finds (K1, K2, P1, P2, K3), and
cv2.undistort makes them straight again.
"""

import math
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np

from airsim_seg import elementary
from airsim_seg.builtin.camera_settings import MAX_FOV_DEG, MAX_SIDE_PX
from airsim_seg.types import Float32Array, Float64Array, Int32Array, UInt8Array

# A distorted picture is cut out of a wider one, at most so many times as wide and high; beyond that it shows nothing.
MAX_WIDENING = 3.0
# Radii at which the radial part is tabulated, for a first guess; Newton's steps from there.
NUM_RADII, NUM_STEPS = 4096, 5
# A guess that misses by more, in focal lengths, has no point that the lens would put there.
TOLERANCE = 1e-9
NOWHERE_PX = -10_000.0
# A dozen arrays of float64 are in hand while a map is made: of so many rows, not of the whole picture.
ROWS_AT_ONCE = 64


class Points(NamedTuple):
    """Points on the plane one focal length ahead, right and down of the axis; NaN is nowhere."""

    x: Float64Array
    y: Float64Array


@dataclass(frozen=True)
class Distortion:
    """Brown's coefficients; all zero is a pinhole."""

    k1: float = 0.0
    k2: float = 0.0
    k3: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    @property
    def is_none(self) -> bool:
        """Whether lines stay straight."""
        return not (self.k1 or self.k2 or self.k3 or self.p1 or self.p2)

    def values(self) -> list[float]:
        """K1, K2, K3, P1, P2, as simGetDistortionParams has them."""
        return list(astuple(self))

    def changed(self, name: str, value: float) -> "Distortion":
        """With another value of K1, K2, K3, P1 or P2; other names mean nothing, to Unreal as well."""
        known = name in ("K1", "K2", "K3", "P1", "P2")
        return replace(self, **{name.lower(): value}) if known else self

    @property
    def last_radius(self) -> float:
        """Up to where the picture of a point moves out with the point: beyond, the lens would fold the picture over.

        That is the first zero of d/dr r (1 + K1 r^2 + K2 r^4 + K3 r^6), in focal lengths, or what can be drawn.
        """
        widest = elementary.tan(math.radians(MAX_FOV_DEG) / 2)
        squares = np.roots([7 * self.k3, 5 * self.k2, 3 * self.k1, 1.0])
        real = squares.real[(abs(squares.imag) < 1e-9) & (squares.real > 0)]
        return min(widest, math.sqrt(min(real))) if len(real) else widest

    def bent(self, at: Points) -> Points:
        """Where the lens puts points that a pinhole would put there.

        Source: J. G. Fryer and D. C. Brown, Lens distortion for close-range photogrammetry (1986), as OpenCV's calib3d
        writes it.
        """
        x, y = at
        square = x * x + y * y
        radial = 1 + square * (self.k1 + square * (self.k2 + square * self.k3))
        return Points(
            x * radial + 2 * self.p1 * x * y + self.p2 * (square + 2 * x * x),
            y * radial + self.p1 * (square + 2 * y * y) + 2 * self.p2 * x * y,
        )

    def straight(self, at: Points) -> Points:
        """The points that the lens puts there: the inverse of bent, by Newton's method."""
        with np.errstate(all="ignore"):  # what flies off to infinity is nowhere
            return self._straight(at)

    def _straight(self, at: Points) -> Points:
        radii = np.linspace(0, self.last_radius, NUM_RADII)
        square = radii * radii
        bent_radii = radii * (1 + square * (self.k1 + square * (self.k2 + square * self.k3)))
        wanted = np.hypot(at.x, at.y)
        shrink = np.interp(wanted, bent_radii, radii) / np.where(wanted > 0, wanted, 1)
        x, y = at.x * shrink, at.y * shrink
        for _ in range(NUM_STEPS):
            x, y = self._step(Points(x, y), at)
        reached = self.bent(Points(x, y))
        missed = np.hypot(reached.x - at.x, reached.y - at.y) > TOLERANCE * (1 + wanted)
        missed |= ~(np.hypot(x, y) <= self.last_radius)
        return Points(np.where(missed, np.nan, x), np.where(missed, np.nan, y))

    def _step(self, guess: Points, wanted: Points) -> Points:
        x, y = guess
        square = x * x + y * y
        radial = 1 + square * (self.k1 + square * (self.k2 + square * self.k3))
        slope = 2 * (self.k1 + square * (2 * self.k2 + square * 3 * self.k3))  # of radial, along x, is slope x
        xx = radial + x * x * slope + 2 * self.p1 * y + 6 * self.p2 * x
        yy = radial + y * y * slope + 6 * self.p1 * y + 2 * self.p2 * x
        xy = x * y * slope + 2 * self.p1 * x + 2 * self.p2 * y
        reached = self.bent(guess)
        off_x, off_y = reached.x - wanted.x, reached.y - wanted.y
        area = xx * yy - xy * xy
        area = np.where(abs(area) > 1e-12, area, np.inf)
        return Points(x - (yy * off_x - xy * off_y) / area, y - (xx * off_y - xy * off_x) / area)


class Warp:
    """Cuts a distorted picture out of a wider straight one of the same focal length.

    Attributes:
        size_hw: (height, width) of the distorted picture.
        wide_hw: (height, width) of the straight one.
        wide_fov_deg: horizontal field of view of the straight one, degrees.
    """

    def __init__(self, distortion: Distortion, size_hw: tuple[int, int], fov_deg: float) -> None:
        """Measure how wide the straight picture has to be.

        Args:
            distortion: of the lens.
            size_hw: of the distorted picture.
            fov_deg: the horizontal field of view that it would have without distortion.
        """
        self._distortion, self.size_hw = distortion, size_hw
        height, width = size_hw
        self._focal_px = width / 2 / elementary.tan(math.radians(fov_deg) / 2)
        edge = self._bent_points(np.r_[0.0:width], np.array([0.0, height - 1]))
        side = self._bent_points(np.array([0.0, width - 1]), np.r_[0.0:height])
        across, down = (self._reach_px(axis, edge, side) for axis in (0, 1))
        # Some pixel beyond what is sampled, and no more than a camera can see.
        widest_px = self._focal_px * elementary.tan(math.radians(MAX_FOV_DEG) / 2)
        half_width = min(max(width / 2, across + 2), MAX_WIDENING * width / 2, widest_px, MAX_SIDE_PX / 2)
        half_height = min(max(height / 2, down + 2), MAX_WIDENING * height / 2, MAX_SIDE_PX / 2)
        self.wide_hw = (2 * math.ceil(half_height), 2 * math.floor(half_width))
        self.wide_fov_deg = math.degrees(2 * elementary.atan2(self.wide_hw[1] / 2, self._focal_px))

    def _bent_points(self, columns: Float64Array, rows: Float64Array) -> Points:
        """Centres of pixels of the distorted picture."""
        height, width = self.size_hw
        x, y = np.meshgrid((columns + 0.5 - width / 2) / self._focal_px, (rows + 0.5 - height / 2) / self._focal_px)
        return Points(x, y)

    def _reach_px(self, axis: int, *borders: Points) -> float:
        found = [self._distortion.straight(border)[axis] for border in borders]
        if any(np.isnan(values).any() for values in found):
            return self._focal_px * self._distortion.last_radius
        return self._focal_px * max(float(abs(values).max()) for values in found)

    @cached_property
    def _maps(self) -> tuple[Float32Array, Float32Array]:
        """Column and row of the straight picture for each pixel of the distorted one, as cv2.remap has them."""
        height, width = self.size_hw
        column, row = np.empty(self.size_hw, np.float32), np.empty(self.size_hw, np.float32)
        for first in range(0, height, ROWS_AT_ONCE):
            rows = np.arange(first, min(first + ROWS_AT_ONCE, height), dtype=np.float64)
            x, y = self._distortion.straight(self._bent_points(np.r_[0.0:width], rows))
            block = slice(first, first + len(rows))
            column[block] = np.nan_to_num(self._focal_px * x + self.wide_hw[1] / 2 - 0.5, nan=NOWHERE_PX)
            row[block] = np.nan_to_num(self._focal_px * y + self.wide_hw[0] / 2 - 0.5, nan=NOWHERE_PX)
        return column, row

    def blended(self, picture: UInt8Array) -> UInt8Array:
        """A picture for the eye: uint8 [H',W',3] to [H,W,3]; black where there is nothing to see."""
        return np.asarray(cv2.remap(picture, *self._maps, cv2.INTER_LINEAR), np.uint8)

    def picked_bytes(self, picture: UInt8Array) -> UInt8Array:
        """A picture of codes, uint8 [H',W',3] to [H,W,3]: each pixel is one of the straight picture's, or 0."""
        return np.asarray(cv2.remap(picture, *self._maps, cv2.INTER_NEAREST), np.uint8)

    def picked_floats(self, picture: Float32Array, nothing: float) -> Float32Array:
        """The same for numbers, float32 [H',W'] to [H,W]; `nothing` where there is nothing to see."""
        return np.asarray(cv2.remap(picture, *self._maps, cv2.INTER_NEAREST, borderValue=nothing), np.float32)

    def picked_index(self, index: Int32Array, nothing: int) -> Int32Array:
        """The same for object indices, which float32 holds exactly."""
        return self.picked_floats(index.astype(np.float32), nothing).astype(np.int32)
