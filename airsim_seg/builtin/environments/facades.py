"""Walls with windows, seen from outside: x = 0 is the wall, y runs to the right of who looks at it, z up.

The kinds differ in how windows lie in the wall: holes with jambs and sills, upright strips, level ribbons, a skin of
glass, or panes on the wall where nobody comes near. Pictures of windows are cells of Material.PANES.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, joined, quads
from airsim_seg.builtin.rendering.facade_textures import PANE_CELLS
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

BRICK_TILE_M = 2.4  # eight bricks of 30 cm
_CELL_MARGIN = 0.01  # keeps a cell's neighbours out of its edge


@dataclass(frozen=True)
class Wall:
    """A stretch of wall above the ground floor.

    Attributes:
        wide_m: along y, centred.
        foot_m: where its first storey begins.
        storeys: how many.
        storey_m: height of each.
        material: of the wall.
        bay_m: from window to window, about.
        window_m: width and height of a window.
        sill_m: from the floor to the window's foot.
        pane_row: of PANES: 0 and 1 have pale frames, 2 and 3 dark ones.
    """

    wide_m: float
    foot_m: float
    storeys: int
    storey_m: float
    material: Material
    bay_m: float
    window_m: tuple[float, float]
    sill_m: float
    pane_row: int

    @property
    def top_m(self) -> float:
        """Where its last storey ends."""
        return self.foot_m + self.storeys * self.storey_m

    @property
    def columns_m(self) -> Float64Array:
        """Middle of each window along y; none where there is no room for one."""
        count = int((self.wide_m - 0.6) / self.bay_m)
        bay = self.wide_m / max(count, 1)
        return np.asarray((np.arange(count) - (count - 1) / 2) * bay, np.float64)

    @property
    def floors_m(self) -> Float64Array:
        """Height of each storey's floor."""
        return np.asarray(self.foot_m + self.storey_m * np.arange(self.storeys), np.float64)


def rectangles(rects_m: Float64Array, x: float, material: Material, uv: Float64Array | None = None) -> Mesh:
    """Upright rectangles that face along x.

    Args:
        rects_m: float64 [N,4], left, foot, right and top, (y, z).
        x: how far in front of the wall.
        material: of all.
        uv: float64 [N,4], the same of the picture; None lays the picture over the wall, BRICK_TILE_M a tile.
    """
    at = rects_m / BRICK_TILE_M if uv is None else uv
    return quads(_corners(rects_m, x), material, at[:, [(0, 1), (2, 1), (2, 3), (0, 3)]])


def _corners(rects_m: Float64Array, x: float | Float64Array) -> Float64Array:
    flat = rects_m[:, [(0, 1), (2, 1), (2, 3), (0, 3)]]
    return np.concatenate([np.broadcast_to(np.reshape(x, (-1, 1, 1)), (len(flat), 4, 1)), flat], 2)


def jambs(rects_m: Float64Array, deep_m: float, material: Material) -> Mesh:
    """The four inner sides of holes, from the wall to so far behind it."""
    front, back = _corners(rects_m, 0.0), _corners(rects_m, -deep_m)
    sides = [
        np.stack([front[:, a], front[:, b], back[:, b], back[:, a]], 1) for a, b in ((0, 1), (1, 2), (2, 3), (3, 0))
    ]
    corners = np.concatenate(sides)
    return quads(corners, material, _along(corners))


def ledges(rects_m: Float64Array, out_m: float, material: Material) -> Mesh:
    """Boxes that stand out from the wall, without their backs: sills, floors, boards."""
    front, back = _corners(rects_m, out_m), _corners(rects_m, 0.0)
    sides = [
        np.stack([front[:, b], front[:, a], back[:, a], back[:, b]], 1) for a, b in ((0, 1), (1, 2), (2, 3), (3, 0))
    ]
    corners = np.concatenate([front, *sides])
    return quads(corners, material, _along(corners))


def _along(corners: Float64Array) -> Float64Array:
    """Texture coordinates [N,4,2] of faces that are level or upright."""
    u = corners[..., 1] + corners[..., 0]
    v = corners[..., 2] + corners[..., 0]
    return np.stack([u, v], -1) / BRICK_TILE_M


def cells(rows: Float64Array, columns: Float64Array, count: tuple[int, int]) -> Float64Array:
    """Texture rectangles float64 [N,4] of cells of an atlas with so many columns and rows."""
    low = np.stack([columns, rows], -1) + _CELL_MARGIN
    return np.concatenate([low, low + 1 - 2 * _CELL_MARGIN], 1) / np.array((*count, *count), np.float64)


def panes(wall: Wall, rects_m: Float64Array, x: float, rng: np.random.Generator) -> Mesh:
    """Windows from the wall's row of PANES, each drawn at random."""
    columns = rng.integers(0, PANE_CELLS, len(rects_m)).astype(np.float64)
    rows = np.full(len(rects_m), float(wall.pane_row))
    return rectangles(rects_m, x, Material.PANES, cells(rows, columns, (PANE_CELLS, PANE_CELLS)))


def windows_m(wall: Wall) -> Float64Array:
    """Rectangles float64 [storeys * columns,4] of a wall's windows, storey by storey."""
    wide, high = wall.window_m
    y, z = np.meshgrid(wall.columns_m, wall.floors_m + wall.sill_m)
    return np.stack([y - wide / 2, z, y + wide / 2, z + high], -1).reshape(-1, 4)


def blank(wall: Wall) -> Mesh:
    """No windows: a party wall."""
    half = wall.wide_m / 2
    return rectangles(np.array([(-half, wall.foot_m, half, wall.top_m)]), 0.0, wall.material)


def flush(wall: Wall, rng: np.random.Generator) -> Mesh:
    """Panes that lie on the wall: for backs."""
    return joined([blank(wall), panes(wall, windows_m(wall), 0.03, rng)])


def punched(wall: Wall, rng: np.random.Generator, *, deep_m: float = 0.22, sill: Material = Material.TRIM) -> Mesh:
    """Windows in holes, with jambs and sills."""
    holes = windows_m(wall)
    if not len(holes):
        return blank(wall)
    half = wall.wide_m / 2
    wide, high = wall.window_m
    solid = []
    for floor in wall.floors_m:
        low, top = floor + wall.sill_m, floor + wall.sill_m + high
        solid += [(-half, floor, half, low), (-half, top, half, floor + wall.storey_m)]
        edges = np.concatenate(
            [[-half], np.stack([wall.columns_m - wide / 2, wall.columns_m + wide / 2], 1).ravel(), [half]]
        )
        solid += [(a, low, b, top) for a, b in edges.reshape(-1, 2)]
    sills = holes.copy()
    sills[:, 0], sills[:, 2] = holes[:, 0] - 0.08, holes[:, 2] + 0.08
    sills[:, 1], sills[:, 3] = holes[:, 1] - 0.10, holes[:, 1]
    return joined(
        [
            rectangles(np.array(solid), 0.0, wall.material),
            jambs(holes, deep_m, wall.material),
            panes(wall, holes, -deep_m, rng),
            ledges(sills, 0.09, sill),
        ]
    )


def strips(
    wall: Wall, rng: np.random.Generator, *, deep_m: float = 0.3, spandrel: Material = Material.CLADDING
) -> Mesh:
    """Piers from bottom to top; between them windows over dark panels, all set back."""
    half, wide = wall.wide_m / 2, wall.window_m[0]
    columns = wall.columns_m
    if not len(columns):
        return blank(wall)
    shafts = np.stack([columns - wide / 2, 0 * columns + wall.foot_m, columns + wide / 2, 0 * columns + wall.top_m], 1)
    edges = np.concatenate([[-half], shafts[:, [0, 2]].ravel(), [half]]).reshape(-1, 2)
    piers = np.array([(a, wall.foot_m, b, wall.top_m) for a, b in edges])
    y, z = (grid.ravel() for grid in np.meshgrid(columns, wall.floors_m))
    split = wall.sill_m
    panels = np.stack([y - wide / 2, z, y + wide / 2, z + split], 1)
    glass = np.stack([y - wide / 2, z + split, y + wide / 2, z + wall.storey_m], 1)
    return joined(
        [
            rectangles(piers, 0.0, wall.material),
            jambs(shafts, deep_m, wall.material),
            rectangles(panels, -deep_m * 0.8, spandrel),
            panes(wall, glass, -deep_m, rng),
        ]
    )


def ribbons(wall: Wall, rng: np.random.Generator, *, deep_m: float = 0.35) -> Mesh:
    """Level bands of wall and of windows in turn."""
    half = wall.wide_m / 2
    bands = np.array([(-half, floor, half, floor + wall.sill_m) for floor in [*wall.floors_m]])
    count = max(1, round(wall.wide_m / 1.6))
    edges = np.linspace(-half + 0.02, half - 0.02, count + 1)
    glass = np.array(
        [(a, floor + wall.sill_m, b, floor + wall.storey_m) for floor in wall.floors_m for a, b in pairwise(edges)]
    )
    gaps = np.array([(-half, floor + wall.sill_m, half, floor + wall.storey_m) for floor in wall.floors_m])
    return joined(
        [rectangles(bands, 0.0, wall.material), jambs(gaps, deep_m, wall.material), panes(wall, glass, -deep_m, rng)]
    )


def curtain(wall: Wall, *, fin_every_m: float = 4.5) -> Mesh:
    """A skin of glass with upright fins and a thin line at each floor."""
    half = wall.wide_m / 2
    skin = np.array([(-half, wall.foot_m, half, wall.top_m)])
    uv = np.array([(-half / 6.0, 0.0, half / 6.0, wall.storeys / 4)])
    count = max(2, round(wall.wide_m / fin_every_m))
    at = np.linspace(-half + 0.1, half - 0.1, count + 1)
    fins = np.stack([at - 0.07, 0 * at + wall.foot_m, at + 0.07, 0 * at + wall.top_m], 1)
    floors = np.array([(-half, z - 0.12, half, z + 0.12) for z in [*wall.floors_m, wall.top_m - 0.13]])
    return joined(
        [
            rectangles(skin, 0.0, Material.CURTAIN_WALL, uv),
            ledges(fins, 0.24, Material.METAL),
            ledges(floors, 0.10, Material.METAL),
        ]
    )
