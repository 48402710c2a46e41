"""Uneven ground: heights on a grid whose cells are divided where a road or a shore needs it.

Heights between the grid's nodes are those of its triangles, so wheels stand on what is drawn. Places are (x, y): metres
north and west of the origin, as in meshes.py for a thing that looks north.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, cross
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import BoolArray, Float64Array, Int64Array

_LEAST_AREA_M2 = 1e-6


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the nodes of a ground are.

    Attributes:
        lines_m: float64 [N+1], the edges of its cells on both axes, increasing.
        fine: bool [N,N], cells that are divided into parts x parts.
        hole: bool [N,N], cells that are not there.
        parts: how many.
    """

    lines_m: Float64Array
    fine: BoolArray
    hole: BoolArray
    parts: int = 1

    @cached_property
    def axis_m(self) -> Float64Array:
        """float64 [N*parts+1], of the nodes on both axes."""
        steps = np.arange(self.parts) / self.parts
        inner = self.lines_m[:-1, None] + np.diff(self.lines_m)[:, None] * steps
        return np.append(inner.reshape(-1), self.lines_m[-1])

    @property
    def nodes_m(self) -> tuple[Float64Array, Float64Array]:
        """x and y of every node, float64 [M,M] each."""
        x, y = np.meshgrid(self.axis_m, self.axis_m, indexing="ij")
        return x, y

    @cached_property
    def triangles(self) -> Int64Array:
        """int64 [T,3], numbers of the nodes, counter-clockwise seen from above."""
        coarse = self._squares(np.argwhere(~self.fine & ~self.hole) * self.parts, self.parts)
        steps = np.stack(np.meshgrid(np.arange(self.parts), np.arange(self.parts), indexing="ij"), -1).reshape(-1, 2)
        starts = (np.argwhere(self.fine & ~self.hole)[:, None] * self.parts + steps).reshape(-1, 2)
        return np.concatenate([coarse, self._squares(starts, 1)])

    def touching(self, nodes: BoolArray) -> BoolArray:
        """bool [T]: triangles with a corner at one of the nodes bool [M,M]."""
        return np.asarray(nodes.reshape(-1)[self.triangles].any(1), np.bool_)

    def _squares(self, starts: Int64Array, size: int) -> Int64Array:
        side = len(self.axis_m)
        a = starts[:, 0] * side + starts[:, 1]
        b, c, d = a + size * side, a + size * side + size, a + size
        return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])

    def sample(self, values: Float64Array, x: float, y: float) -> float:
        """What values float64 [M,M] at the nodes are at a place, bilinearly."""
        axis, rows, shares = self.axis_m, [], []
        for place in (x, y):
            row = min(max(int(np.searchsorted(axis, place)) - 1, 0), len(axis) - 2)
            rows.append(row)
            shares.append((place - axis[row]) / (axis[row + 1] - axis[row]))
        (i, j), (u, v) = rows, shares
        low, high = values[i, j] * (1 - v) + values[i, j + 1] * v, values[i + 1, j] * (1 - v) + values[i + 1, j + 1] * v
        return float(low * (1 - u) + high * u)

    def joined(self, up_m: Float64Array) -> Float64Array:
        """Heights float64 [M,M] whose fine cells meet coarse ones without a gap: in place, and returned."""
        inside = self.fine & ~self.hole
        for heights, fine in ((up_m, inside), (up_m.T, inside.T)):
            edge = np.zeros((len(fine), len(fine) + 1), np.bool_)
            edge[:, 1:-1] = fine[:, 1:] & fine[:, :-1]
            low, high = heights[: -1 : self.parts, :: self.parts], heights[self.parts :: self.parts, :: self.parts]
            for part in range(1, self.parts):
                between = heights[part :: self.parts, :: self.parts]
                between[:] = np.where(edge, between, low + (high - low) * (part / self.parts))
        return up_m


class Ground:
    """The surface over a lattice."""

    def __init__(self, lattice: Lattice, up_m: Float64Array) -> None:
        """Take the heights float64 [M,M] of all nodes."""
        self.lattice = lattice
        self.heights_m = lattice.joined(np.array(up_m, np.float64))

    def up_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Height at places within the lattice (beyond it, of its nearest edge)."""
        lattice, lines, count = self.lattice, self.lattice.lines_m, len(self.lattice.fine)
        cells, within = [], []
        for place in (np.asarray(x, np.float64), np.asarray(y, np.float64)):
            cell = np.clip(np.searchsorted(lines, place, side="right") - 1, 0, count - 1)
            cells.append(cell)
            within.append(np.clip((place - lines[cell]) / (lines[cell + 1] - lines[cell]), 0, 1))
        fine = lattice.fine[cells[0], cells[1]]
        size = np.where(fine, 1, lattice.parts)
        starts, shares = [], []
        for cell, share in zip(cells, within, strict=True):
            scaled = np.where(fine, share * lattice.parts, share)
            step = np.where(fine, np.minimum(scaled.astype(np.int64), lattice.parts - 1), 0)
            starts.append(cell * lattice.parts + step)
            shares.append(scaled - step)
        (i, j), (u, v), h = starts, shares, self.heights_m
        a, c = h[i, j], h[i + size, j + size]
        lower, upper = h[i + size, j], h[i, j + size]
        found: Float64Array = np.where(
            u >= v, a + u * (lower - a) + v * (c - lower), a + v * (upper - a) + u * (c - upper)
        )
        return found

    @cached_property
    def normals(self) -> Float64Array:
        """float64 [M,M,3], smooth, at every node."""
        along_x, along_y = np.gradient(self.heights_m, self.lattice.axis_m, self.lattice.axis_m)
        normal = np.stack([-along_x, -along_y, np.ones_like(along_x)], -1)
        return np.asarray(normal / np.linalg.norm(normal, axis=-1, keepdims=True), np.float64)

    def mesh(
        self,
        material: Material,
        *values: Float64Array,
        chosen: BoolArray | None = None,
        up_m: float = 0.0,
        tile_m: float = 3.5,
        turn_rad: float = 0.0,
    ) -> Mesh:
        """The part of the surface where all values are above 0, in map coordinates.

        Args:
            material: of all.
            values: float64 [M,M] each, at the nodes; between them they are linear, so borders are smooth lines.
            chosen: bool [T], or None: only these triangles of the lattice.
            up_m: above the ground: what lies on it, so that the two do not flicker.
            tile_m: how many metres the picture spans.
            turn_rad: of the picture, counter-clockwise seen from above.
        """
        rows = self.lattice.triangles if chosen is None else self.lattice.triangles[chosen]
        for value in values:
            rows = rows[(value.reshape(-1)[rows] > 0).any(1)]
        x, y = self.lattice.nodes_m
        columns = [x, y, self.heights_m, *np.moveaxis(self.normals, -1, 0), *values]
        soup = np.stack([column.reshape(-1)[rows] for column in columns], -1)
        for k in range(len(values)):
            soup = _kept(soup, 6 + k)
        soup = soup[areas_m2(soup[..., :3]) > _LEAST_AREA_M2]
        return _surface(soup, material, up_m, tile_m, turn_rad)


def _kept(soup: Float64Array, column: int) -> Float64Array:
    """Cut triangles float64 [T,3,A] where one of their attributes is 0 and keep the positive side."""
    inside = soup[..., column] > 0
    count = inside.sum(1)
    one, two = _turned_first(soup[count == 1], inside[count == 1]), _turned_first(soup[count == 2], ~inside[count == 2])
    ab, ac = _crossing(one, 1, column), _crossing(one, 2, column)
    tips = np.stack([one[:, 0], ab, ac], 1)
    ab, ac = _crossing(two, 1, column), _crossing(two, 2, column)
    rest = [np.stack([ab, two[:, 1], two[:, 2]], 1), np.stack([ab, two[:, 2], ac], 1)]
    return np.concatenate([soup[count == 3], tips, *rest])


def _turned_first(soup: Float64Array, lone: BoolArray) -> Float64Array:
    """Each triangle's corners in the same order, from its one corner that is `lone` on."""
    order = (lone.argmax(1)[:, None] + np.arange(3)) % 3
    return np.asarray(soup[np.arange(len(soup))[:, None], order], np.float64)


def _crossing(soup: Float64Array, other: int, column: int) -> Float64Array:
    """Where the attribute is 0 between the first corner and another."""
    a, b = soup[:, 0], soup[:, other]
    share = a[:, column] / (a[:, column] - b[:, column])
    return np.asarray(a + share[:, None] * (b - a), np.float64)


def areas_m2(corners: Float64Array) -> Float64Array:
    """float64 [T], of triangles [T,3,3]."""
    normal = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(np.linalg.norm(normal, axis=1) / 2, np.float64)


def _surface(soup: Float64Array, material: Material, up_m: float, tile_m: float, turn_rad: float) -> Mesh:
    corners, normals = soup[..., :3] + (0.0, 0.0, up_m), soup[..., 3:6]
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    uv = corners[..., :2] @ np.array(((cos, -sin), (sin, cos))) / tile_m
    unit = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
    return Mesh(corners, unit, uv, np.full(len(corners), int(material), np.int32))
