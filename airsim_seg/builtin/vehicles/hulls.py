"""What of a vehicle meets other things: a few balls that fill its shape."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.vehicles.quadrotor import Rows, Vector
from airsim_seg.types import Float64Array


@dataclass(frozen=True, eq=False)
class Hull:
    """Balls that move with a body.

    Attributes:
        balls: float64 [S,4], centre in body axes (forward, right, down) and radius, metres.
    """

    balls: Float64Array

    @cached_property
    def reach_m(self) -> float:
        """Nothing of it is farther from the body's origin."""
        return float((np.linalg.norm(self.balls[:, :3], axis=1) + self.balls[:, 3]).max())

    @cached_property
    def smallest_m(self) -> float:
        """The radius of the smallest ball."""
        return float(self.balls[:, 3].min())

    def placed(self, place: Vector, rows: Rows) -> Float64Array:
        """float64 [S,4], the balls where the body is."""
        return np.column_stack([product(self.balls[:, :3], np.array(rows).T) + np.array(place), self.balls[:, 3]])


def drone_hull() -> Hull:
    """A ball for each propeller (MultiRotorParams.hpp: arms of 22.75 cm, propellers of 22.86 cm) and one for the box.

    They reach down as far as the ground does (ground.REST_HEIGHT_M).
    """
    off, radius, down = 0.2275 / math.sqrt(2), 0.2286 / 2, 0.15 - 0.2286 / 2
    rotors = [(x * off, y * off, down, radius) for x in (-1, 1) for y in (-1, 1)]
    return Hull(np.array([(0.0, 0.0, 0.02, 0.13), *rotors]))


def car_hull() -> Hull:
    """Two rows of balls as long and as wide as the body of bodies.suv, from a hand above the ground to the bonnet."""
    return Hull(np.array([(x, y, -0.75, 0.45) for x in np.linspace(-1.9, 1.9, 6) for y in (-0.5, 0.5)]))
