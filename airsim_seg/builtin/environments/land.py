"""A whole land: near ground in detail, far ground around it, and what waters cover. Places as in ground.py."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments.ground import Ground, Lattice
from airsim_seg.types import BoolArray, Float64Array

HeightOf = Callable[[Float64Array, Float64Array], Float64Array]


@dataclass(frozen=True, eq=False)
class Land:
    """All of the ground: the near part, the far part around it, and what waters cover.

    Attributes:
        near: with half the side half_m, about the origin.
        far: with a hole for the near part.
        half_m: of the near part.
        water_up_m: height of the water's surface; what is lower lies under it. -inf where no water is.
    """

    near: Ground
    far: Ground
    half_m: float
    water_up_m: HeightOf

    def up_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Height of the ground's surface, under water too."""
        inside = np.maximum(np.abs(x), np.abs(y)) < self.half_m
        if inside.all():
            return self.near.up_m(x, y)
        found: Float64Array = np.where(inside, self.near.up_m(x, y), self.far.up_m(x, y))
        return found

    def ground_down_m(self, north_m: float, east_m: float) -> float:
        """Down coordinate of what something that falls comes to lie on, NED: a Terrain."""
        x, y = np.array(north_m, np.float64), np.array(-east_m, np.float64)
        return -float(np.maximum(self.up_m(x, y), self.water_up_m(x, y)))


def near_lattice(
    half_m: float, cell_m: float, parts: int, fine: Callable[[Float64Array, Float64Array], BoolArray]
) -> Lattice:
    """A square lattice about the origin.

    Args:
        half_m: half its side, a multiple of cell_m.
        cell_m: of a coarse cell.
        parts: of a fine one along its side.
        fine: says of the middles of cells (x, y: float64 [N,N]) which are fine.
    """
    count = round(2 * half_m / cell_m)
    lines = np.linspace(-half_m, half_m, count + 1)
    middle = (lines[:-1] + lines[1:]) / 2
    x, y = np.meshgrid(middle, middle, indexing="ij")
    return Lattice(lines, fine(x, y), np.zeros((count, count), np.bool_), parts)


def far_lattice(hole_m: float, *, first_m: float = 400.0, step_m: float = 75.0, count: int = 16) -> Lattice:
    """The lattice around a near one.

    Every triangle reaches first_m: what does counts as far ground, which the sun's shadow map need not hold.

    Args:
        hole_m: half the side of the near one.
        first_m: how far the innermost cells reach.
        step_m: of the cells beyond.
        count: how many of those.
    """
    outer = first_m + step_m * np.arange(count + 1)
    inner = np.linspace(-hole_m, hole_m, 9)
    lines = np.concatenate([-outer[::-1], inner, outer])
    middle = (lines[:-1] + lines[1:]) / 2
    hole = (np.abs(middle)[:, None] < hole_m) & (np.abs(middle)[None] < hole_m)
    return Lattice(lines, np.zeros_like(hole), hole)
