"""Which triangle does every sample see? Homogeneous triangle set-up and a depth-buffered fill, in numba.

A triangle with corners (x_i, y_i, w_i) in the projection's units covers the samples where three functions, linear on
the screen, are not negative: e_i(x, y) = b_i / w, with b_i the barycentric weights (Olano and Greer, "Triangle scan
conversion using 2D homogeneous coordinates", 1997). They hold for triangles that cross the camera plane too, so
nothing is ever clipped, and every attribute f of a sample is sum(e_i f_i) / sum(e_i).
"""

# mypy: disable-error-code="no-untyped-def"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math

import numpy as np
from numba import prange

from airsim_seg.builtin.rendering.compiling import inline, kernel

STRIP_ROWS = 32
RECORD_SIZE = 16
# Triangles grow by this part of a sample, so that rounding opens no crack between neighbours.
_SLACK = np.float32(2e-4)


@inline
def _clip(matrix, origin, corners, t, k):
    a = corners[t, k, 0] - origin[0]
    b = corners[t, k, 1] - origin[1]
    c = corners[t, k, 2] - origin[2]
    x = matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3]
    y = matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3]
    w = matrix[2, 0] * a + matrix[2, 1] * b + matrix[2, 2] * c + matrix[2, 3]
    d = matrix[3, 0] * a + matrix[3, 1] * b + matrix[3, 2] * c + matrix[3, 3]
    return x, y, w, d


@inline
def _grow(box, x, y):
    return min(box[0], x), max(box[1], x), min(box[2], y), max(box[3], y)


@inline
def _grow_edge(box, near, xa, ya, wa, xb, yb, wb):
    """Extend a screen box by the part of the edge a-b in front of the near plane (a itself and the crossing)."""
    if wa > near:
        box = _grow(box, xa / wa, ya / wa)
    if (wa > near) != (wb > near):
        s = (near - wa) / (wb - wa)
        box = _grow(box, (xa + s * (xb - xa)) / near, (ya + s * (yb - ya)) / near)
    return box


@inline
def _samples_in_box(x0, y0, w0, x1, y1, w1, x2, y2, w2, near, crosses, size_hw):
    """First and last column, first and last row that a triangle may cover; empty where the first is larger."""
    box = (1e9, -1e9, 1e9, -1e9)
    if crosses:
        box = _grow_edge(box, near, x0, y0, w0, x1, y1, w1)
        box = _grow_edge(box, near, x1, y1, w1, x2, y2, w2)
        box = _grow_edge(box, near, x2, y2, w2, x0, y0, w0)
    else:
        box = _grow(box, x0 / w0, y0 / w0)
        box = _grow(box, x1 / w1, y1 / w1)
        box = _grow(box, x2 / w2, y2 / w2)
    height, width = size_hw
    left = max(math.ceil(max(box[0], -1.0) - 1e-3), 0)
    right = min(math.floor(min(box[1], width + 1.0) + 1e-3), width - 1)
    top = max(math.ceil(max(box[2], -1.0) - 1e-3), 0)
    bottom = min(math.floor(min(box[3], height + 1.0) + 1e-3), height - 1)
    return left, right, top, bottom


@kernel(parallel=True)
def project(
    corners, materials, two_sided, chunks, visible, first, matrix, origin, size_hw, near, records, bounds, stop
):
    """Set up the triangles of the visible chunks.

    Args:
        corners: float32 [T,3,3], world NED.
        materials: int32 [T].
        two_sided: uint8 [M], 1 where both faces are drawn.
        chunks: int32 [C,2], triangle ranges.
        visible: int32 [V], chunks to set up.
        first: int32 [V], where each chunk's records start.
        matrix: float64 [4,4] of the Projection.
        origin: float64 [3].
        size_hw: rows and columns of samples.
        near: smallest w that is drawn.
        records: float32 [R,16] (out): a, b, c of e_0, e_1, e_2 and of the depth, about the corner of the box; then the
            triangle and the corner's column and row, so that shading finds all in one cache line.
        bounds: int32 [R,6] (out): triangle, first and last column, first and last row, crosses the near plane.
        stop: int32 [V,3] (out): where each chunk's records end, and its first and last row.
    """
    for q in prange(len(visible)):
        out = first[q]
        low, high = 1 << 30, -1
        for t in range(chunks[visible[q], 0], chunks[visible[q], 1]):
            x0, y0, w0, d0 = _clip(matrix, origin, corners, t, 0)
            x1, y1, w1, d1 = _clip(matrix, origin, corners, t, 1)
            x2, y2, w2, d2 = _clip(matrix, origin, corners, t, 2)
            if w0 <= near and w1 <= near and w2 <= near:
                continue
            crosses = w0 <= near or w1 <= near or w2 <= near
            left, right, top, bottom = _samples_in_box(x0, y0, w0, x1, y1, w1, x2, y2, w2, near, crosses, size_hw)
            if left > right or top > bottom:
                continue
            a0, b0, c0 = y1 * w2 - y2 * w1, x2 * w1 - x1 * w2, x1 * y2 - x2 * y1
            a1, b1, c1 = y2 * w0 - y0 * w2, x0 * w2 - x2 * w0, x2 * y0 - x0 * y2
            a2, b2, c2 = y0 * w1 - y1 * w0, x1 * w0 - x0 * w1, x0 * y1 - x1 * y0
            determinant = x0 * a0 + y0 * b0 + w0 * c0
            if determinant >= 0.0 and two_sided[materials[t]] == 0:
                continue  # seen from behind (rows grow downwards)
            if abs(determinant) < 1e-12:
                continue
            scale = 1.0 / determinant
            c0, c1, c2 = c0 + a0 * left + b0 * top, c1 + a1 * left + b1 * top, c2 + a2 * left + b2 * top
            records[out, 0], records[out, 1], records[out, 2] = a0 * scale, b0 * scale, c0 * scale
            records[out, 3], records[out, 4], records[out, 5] = a1 * scale, b1 * scale, c1 * scale
            records[out, 6], records[out, 7], records[out, 8] = a2 * scale, b2 * scale, c2 * scale
            records[out, 9] = (a0 * d0 + a1 * d1 + a2 * d2) * scale
            records[out, 10] = (b0 * d0 + b1 * d1 + b2 * d2) * scale
            records[out, 11] = (c0 * d0 + c1 * d1 + c2 * d2) * scale
            bounds[out, 0], bounds[out, 1], bounds[out, 2] = t, left, right
            bounds[out, 3], bounds[out, 4], bounds[out, 5] = top, bottom, crosses
            records[out, 12], records[out, 13], records[out, 14] = t, left, top
            low, high = min(low, top), max(high, bottom)
            out += 1
        stop[q, 0], stop[q, 1], stop[q, 2] = out, low, high


@inline
def _cut(lo, hi, slope, value):
    """Narrow the span [lo, hi] to where slope * x + value is not negative."""
    if slope > 0.0:
        lo = max(lo, -value / slope)
    elif slope < 0.0:
        hi = min(hi, -value / slope)
    elif value < 0.0:
        hi = np.float32(-1e9)
    return lo, hi


@inline
def _grown(e, r, k):
    """The constant of edge k, moved outwards by _SLACK samples both ways."""
    return e[r, k + 2] + _SLACK * (abs(e[r, k]) + abs(e[r, k + 1]))


@inline
def _span(e, r, grown, fy, wide, crosses, limit):
    """First column and one past the last of a row that record r covers, from its left edge."""
    lo, hi = np.float32(0.0), wide
    lo, hi = _cut(lo, hi, e[r, 0], e[r, 1] * fy + grown[0])
    lo, hi = _cut(lo, hi, e[r, 3], e[r, 4] * fy + grown[1])
    lo, hi = _cut(lo, hi, e[r, 6], e[r, 7] * fy + grown[2])
    if crosses:  # the near plane is one more edge
        lo, hi = _cut(lo, hi, -e[r, 9], limit - (e[r, 10] * fy + e[r, 11]))
    # Clamped before they become integers: a nearly horizontal edge is crossed far outside of any integer. Rounded by
    # hand, since ceil and floor of single precision are calls into a library.
    lo = min(max(lo, np.float32(0.0)), wide + np.float32(1.0))
    start = np.int32(lo)
    start += np.int32(lo > np.float32(start))
    end = np.int32(max(min(hi, wide) + np.float32(1.0), np.float32(0.0)))
    return start, end


@inline
def _fill_opaque(r, records, bounds, limit, top, bottom, depth, seen):
    """A closed triangle within the rows top to bottom (not included)."""
    left, y0 = bounds[r, 1], bounds[r, 3]
    wide, crosses = np.float32(bounds[r, 2] - left), bounds[r, 5] != 0
    slope = records[r, 9]
    grown = _grown(records, r, 0), _grown(records, r, 3), _grown(records, r, 6)
    for y in range(max(y0, top), min(bounds[r, 4] + 1, bottom)):
        fy = np.float32(y - y0)
        start, end = _span(records, r, grown, fy, wide, crosses, limit)
        value = records[r, 10] * fy + records[r, 11]
        for i in range(start, end):
            z = value + slope * np.float32(np.int32(i))
            nearer = z > depth[y, left + i]
            depth[y, left + i] = z if nearer else depth[y, left + i]
            seen[y, left + i] = np.int32(r) if nearer else seen[y, left + i]


@inline
def _fill_masked(r, records, bounds, uv, mask, masks, limit, top, bottom, depth, seen):
    """A see-through triangle within the rows top to bottom (not included)."""
    e, t, left, y0 = records, bounds[r, 0], bounds[r, 1], bounds[r, 3]
    wide, crosses = np.float32(bounds[r, 2] - left), bounds[r, 5] != 0
    side = masks.shape[1]
    size = np.float32(side)
    u0, u1, u2 = uv[t, 0, 0] * size, uv[t, 1, 0] * size, uv[t, 2, 0] * size
    v0, v1, v2 = uv[t, 0, 1] * size, uv[t, 1, 1] * size, uv[t, 2, 1] * size
    aw, bw, cw = e[r, 0] + e[r, 3] + e[r, 6], e[r, 1] + e[r, 4] + e[r, 7], e[r, 2] + e[r, 5] + e[r, 8]
    au, av = e[r, 0] * u0 + e[r, 3] * u1 + e[r, 6] * u2, e[r, 0] * v0 + e[r, 3] * v1 + e[r, 6] * v2
    bu, bv = e[r, 1] * u0 + e[r, 4] * u1 + e[r, 7] * u2, e[r, 1] * v0 + e[r, 4] * v1 + e[r, 7] * v2
    cu, cv = e[r, 2] * u0 + e[r, 5] * u1 + e[r, 8] * u2, e[r, 2] * v0 + e[r, 5] * v1 + e[r, 8] * v2
    az = e[r, 9]
    grown = _grown(e, r, 0), _grown(e, r, 3), _grown(e, r, 6)
    for y in range(max(y0, top), min(bounds[r, 4] + 1, bottom)):
        fy = np.float32(y - y0)
        start, end = _span(e, r, grown, fy, wide, crosses, limit)
        zy, wy, uy, vy = e[r, 10] * fy + e[r, 11], bw * fy + cw, bu * fy + cu, bv * fy + cv
        for i in range(start, end):
            x = np.float32(np.int32(i))
            z = az * x + zy
            k = np.uint64(left + i)  # not signed: spares the check for a negative index
            if z > depth[y, k]:
                w = np.float32(1.0) / (aw * x + wy)
                column = np.uint64(np.int32((au * x + uy) * w) & np.int32(side - 1))
                row = np.uint64(np.int32((av * x + vy) * w) & np.int32(side - 1))
                there = masks[mask, row, column]  # selected, not jumped over: leaves are too random to predict
                depth[y, k] = z if there else depth[y, k]
                seen[y, k] = np.int32(r) if there else seen[y, k]


@inline
def _fill_strip(top, bottom, first, stop, records, bounds, materials, cutout, uv, masks, limit, empty, depth, seen):
    for y in range(top, bottom):
        for x in range(depth.shape[1]):
            depth[y, x] = empty
            seen[y, x] = -1
    for q in range(len(first)):
        if stop[q, 2] < top or stop[q, 1] >= bottom:
            continue
        for r in range(first[q], stop[q, 0]):
            if bounds[r, 4] >= top and bounds[r, 3] < bottom:
                mask = cutout[materials[bounds[r, 0]]]
                if mask < 0:
                    _fill_opaque(r, records, bounds, limit, top, bottom, depth, seen)
                else:
                    _fill_masked(r, records, bounds, uv, mask, masks, limit, top, bottom, depth, seen)


@kernel(parallel=True)
def fill(first, stop, records, bounds, materials, cutout, uv, masks, near, empty, order, depth, seen):
    """Draw the records into the depth buffer; on equal depth the earlier record stays.

    Args:
        first: int32 [V], of project().
        stop: int32 [V,3], of project().
        records: float32 [R,16], of project().
        bounds: int32 [R,6], of project().
        materials: int32 [T].
        cutout: int32 [M], which mask a material has, or -1.
        uv: float32 [T,3,2]; not negative where a material has a mask.
        masks: bool [K,N,N], N a power of two, True where something is drawn.
        near: smallest w, for records that cross it (perspective only).
        empty: float32, the depth of nothing.
        order: int32, strips of STRIP_ROWS rows in the order of work.
        depth: float32 [H,W] (out), bigger is nearer.
        seen: int32 [H,W] (out), record index or -1.
    """
    limit = np.float32(1.0 / near)
    for s in prange(len(order)):
        top = order[s] * STRIP_ROWS
        bottom = min(top + STRIP_ROWS, depth.shape[0])
        _fill_strip(top, bottom, first, stop, records, bounds, materials, cutout, uv, masks, limit, empty, depth, seen)
