"""Which cells of a grid a surface runs through, and the file in which AirSim writes that.

Sources: T. Akenine-Moeller, Fast 3D Triangle-Box Overlap Testing (2001); P. Min's binvox file format, in the order in
which AirSim's UE WorldSimApi.cpp (createVoxelGrid) fills it.
"""

import numpy as np

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.types import BoolArray, Float64Array, Int64Array

# Pairs of a triangle and a cell that are tested at once: 60 MB.
_BLOCK = 2**17
MAX_TESTS = 2**27


def surface_cells(corners: Float64Array, low: Float64Array, counts: tuple[int, int, int], side: float) -> BoolArray:
    """Cells that triangles touch.

    Args:
        corners: float64 [N,3,3].
        low: float64 [3], the corner of the grid with the lowest coordinates.
        counts: cells along each axis.
        side: of a cell, in the unit of the corners.

    Returns:
        bool [counts]; what is inside a closed surface and touches no triangle is empty.

    Raises:
        ApiError: it would take minutes. Ask for fewer cells.
    """
    grid, limit = np.zeros(counts, np.bool_), np.array(counts)
    local = (corners - low) / side
    first, last = np.floor(local.min(1)), np.floor(local.max(1))
    near = ((last >= 0) & (first < limit)).all(1)
    local, first, last = local[near], np.maximum(first[near], 0), np.minimum(last[near], limit - 1)
    origin, spans = first.astype(np.int64), (last - first + 1).astype(np.int64)
    ends = np.cumsum(spans.prod(1))
    count = int(ends[-1]) if len(ends) else 0
    if count > MAX_TESTS:
        raise ApiError(f"the surfaces in this voxel grid are too many for its cells: {count} tests")
    for start in range(0, count, _BLOCK):
        pairs = np.arange(start, min(start + _BLOCK, count))
        triangle = np.searchsorted(ends, pairs, side="right")
        within = pairs - (ends - spans.prod(1))[triangle]
        cells = origin[triangle] + _unravelled(within, spans[triangle])
        touched = cells[_overlap(local[triangle], cells + 0.5)]
        grid[tuple(touched.T)] = True
    return grid


def _unravelled(within: Int64Array, spans: Int64Array) -> Int64Array:
    """[P,3] coordinates of the within-th cell [P] of boxes of spans [P,3] cells."""
    rest, third = np.divmod(within, spans[:, 2])
    first, second = np.divmod(rest, spans[:, 1])
    return np.stack([first, second, third], axis=1)


def _overlap(corners: Float64Array, centres: Float64Array) -> BoolArray:
    """[P]: whether triangle [P,3,3] and the unit cube about a centre [P,3] have a point in common.

    They have none where one of 13 axes keeps them apart: the cube's three, the triangle's normal, and the nine cross
    products of their edges.
    """
    points = corners - centres[:, None]
    edges = np.roll(points, -1, axis=1) - points
    # Cross products of the cube's axes with the triangle's edges: [P,3,3,3], by edge, axis and component.
    crosses = np.cross(np.eye(3)[None, None], edges[:, :, None])
    normal = np.cross(edges[:, 0], edges[:, 1])
    cube = np.broadcast_to(np.eye(3), (len(points), 3, 3))
    axes = np.concatenate([crosses.reshape(-1, 9, 3), normal[:, None], cube], axis=1)
    along = np.einsum("pak,pck->pac", axes, points)
    reach = np.abs(axes).sum(2) / 2
    apart = (along.min(2) > reach) | (along.max(2) < -reach)
    result: BoolArray = ~apart.any(1)
    return result


def binvox(grid: BoolArray, size_m: tuple[int, int, int]) -> bytes:
    """A binvox file: a head of text, then runs of equal cells as pairs of bytes, the value and 1 to 255.

    Args:
        grid: bool [X,Y,Z]: north, east and up.
        size_m: extent along each of them, metres.
    """
    x, y, z = size_m
    head = (
        f"#binvox 1\ndim {grid.shape[0]} {grid.shape[2]} {grid.shape[1]}\n"
        f"translate {-x * 0.5:g} {-y * 0.5:g} {-z * 0.5:g}\nscale {1 / x:g}\ndata\n"
    )
    # AirSim's order: north runs fastest, then up, then east.
    cells = grid.transpose(1, 2, 0).reshape(-1).astype(np.uint8)
    starts = np.flatnonzero(np.diff(cells, prepend=2))
    lengths = np.diff(starts, append=len(cells))
    repeats = (lengths + 254) // 255
    runs = np.full((int(repeats.sum()), 2), 255, np.uint8)
    runs[:, 0] = np.repeat(cells[starts], repeats)
    runs[np.cumsum(repeats) - 1, 1] = (lengths - 1) % 255 + 1
    return head.encode() + runs.tobytes()
