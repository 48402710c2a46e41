"""Ground floors: shop windows, signs, awnings, doors. A front's frame is that of facades.py."""

from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.facades import cells, jambs, ledges, rectangles
from airsim_seg.builtin.environments.meshes import Mesh, box, joined, quad, quads
from airsim_seg.builtin.rendering.facade_textures import AWNING_ROWS, PANE_CELLS, SIGN_COLUMNS, SIGN_ROWS
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

GROUND_M = 4.2  # height of a ground floor
FOUNDATION_M = -0.4
_SHOP_M, _BAY_M = 5.2, 2.0  # width of a shop and of one of its windows, about
_WINDOW_M = (0.45, 3.0)  # foot and head
_SIGN_M = (3.25, 3.95)
_AWNING_M = (1.35, 2.55, 3.2)  # how far it reaches out, its lower and its upper edge
_STRIPE_M = 0.35


def shop_edges_m(wide: float) -> Float64Array:
    """Where shops meet along a front, float64 [shops+1]."""
    return np.linspace(-wide / 2, wide / 2, max(1, round(wide / _SHOP_M)) + 1)


def shops(wide: float, rng: np.random.Generator) -> Mesh:
    """Piers, windows set back, a fascia with signs, a course above."""
    low, high = _WINDOW_M
    windows, pictures = _shop_windows(wide, rng)
    edges = shop_edges_m(wide)
    half, middle = np.minimum(np.diff(edges) / 2 - 0.4, 1.6), (edges[1:] + edges[:-1]) / 2
    boards = np.stack([middle - half, 0 * half + _SIGN_M[0], middle + half, 0 * half + _SIGN_M[1]], 1)
    rows, columns = (rng.integers(0, n, len(boards)).astype(np.float64) for n in (SIGN_ROWS, SIGN_COLUMNS))
    solid = [(-wide / 2, FOUNDATION_M, wide / 2, low), (-wide / 2, high, wide / 2, GROUND_M)]
    gaps = np.concatenate([[-wide / 2], windows[:, [0, 2]].ravel(), [wide / 2]]).reshape(-1, 2)
    solid += [(float(a), low, float(b), high) for a, b in gaps]
    return joined(
        [
            rectangles(np.array(solid), 0.0, Material.ASHLAR),
            jambs(windows, 0.3, Material.ASHLAR),
            rectangles(windows, -0.3, Material.SHOP_WINDOW, pictures),
            ledges(boards, 0.12, Material.RUBBER),
            rectangles(boards, 0.13, Material.SIGN_BOARD, cells(rows, columns, (SIGN_COLUMNS, SIGN_ROWS))),
            ledges(np.array([(-wide / 2, GROUND_M - 0.16, wide / 2, GROUND_M)]), 0.14, Material.ASHLAR),
        ]
    )


def _shop_windows(wide: float, rng: np.random.Generator) -> tuple[Float64Array, Float64Array]:
    """Rectangles float64 [N,4] of all windows and doors, and of their pictures; a shop's come from one row."""
    low, high = _WINDOW_M
    holes, rows, columns = [], [], []
    for a, b in pairwise(shop_edges_m(wide)):
        bays = np.linspace(a + 0.3, b - 0.3, max(2, round((b - a) / _BAY_M)) + 1)
        row, first = int(rng.integers(PANE_CELLS)), int(rng.integers(PANE_CELLS))
        for k, (left, right) in enumerate(pairwise(bays)):
            holes.append((left + 0.06, low, right - 0.06, high))
            rows.append(float(row))
            columns.append(float((first + k) % PANE_CELLS))
    return np.array(holes), cells(np.array(rows), np.array(columns), (PANE_CELLS, PANE_CELLS))


def door() -> Mesh:
    """A house door between pilasters, under a canopy."""
    surround = box((0.0, -0.95, -0.3), (0.16, 0.95, 2.95), Material.TRIM)
    leaf = box((0.1, -0.62, 0.0), (0.19, 0.62, 2.4), Material.WOOD)
    pane = ((0.195, -0.55, 1.2), (0.195, 0.55, 1.2), (0.195, 0.55, 2.2), (0.195, -0.55, 2.2))
    canopy = box((0.0, -1.2, 2.95), (0.9, 1.2, 3.1), Material.METAL, bottom=True)
    step = box((0.0, -1.0, -0.3), (0.7, 1.0, 0.12), Material.CONCRETE)
    return joined([surround, leaf, quad(*pane, material=Material.GLASS), canopy, step])


def awning(left: float, right: float, row: int) -> Mesh:
    """Cloth on a slant with a valance, seen from both sides; stripes of a row of AWNING run down it."""
    out, low, top = _AWNING_M
    u, v0, v1 = round((right - left) / _STRIPE_M) / 8, (row + 0.2) / AWNING_ROWS, (row + 0.8) / AWNING_ROWS
    slope = [(out, left, low), (out, right, low), (0.05, right, top), (0.05, left, top)]
    valance = [(out, left, low - 0.25), (out, right, low - 0.25), (out, right, low), (out, left, low)]
    corners = np.array([slope, slope[::-1], valance, valance[::-1]])
    picture = np.array(((0.0, v0), (u, v0), (u, v1), (0.0, v1)))
    return quads(corners, Material.AWNING, np.array([picture, picture[::-1], picture, picture[::-1]]))


def plain_ground(wide: float) -> Mesh:
    """A blank wall of cut stone."""
    return rectangles(np.array([(-wide / 2, FOUNDATION_M, wide / 2, GROUND_M)]), 0.0, Material.ASHLAR)
