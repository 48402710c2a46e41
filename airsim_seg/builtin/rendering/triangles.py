"""Homogeneous triangle set-up, in numba: what raster.fill must know of every triangle that may be seen.

A triangle with corners (x_i, y_i, w_i) in the projection's units covers the samples where three functions, linear on
the screen, are not negative: e_i(x, y) = b_i / w, with b_i the barycentric weights (Olano and Greer, "Triangle scan
conversion using 2D homogeneous coordinates", 1997). They hold for triangles that cross the camera plane too, so
nothing is ever clipped, and every attribute f of a sample is sum(e_i f_i) / sum(e_i).
"""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece

RECORD_SIZE, BOUNDS_SIZE, STOP_SIZE = 16, 8, 5
_ANYWHERE = 1e30  # nearer than all
_ROUNDING = 1e-4  # samples are interpolated in single precision


@inline
def _clip(matrix, origin, corners, offsets, s, t, k):
    # Both terms of the sum are of single precision, and so is it: where wind has put the corner, see wind.swayed.
    a = (corners[t, k, 0] + offsets[s, 0]) - origin[0]
    b = (corners[t, k, 1] + offsets[s, 1]) - origin[1]
    c = (corners[t, k, 2] + offsets[s, 2]) - origin[2]
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
        # A product is a fifth of a quotient's time, and LLVM finds that front asks for the same three inverses.
        box = _grow(box, x0 * (1.0 / w0), y0 * (1.0 / w0))
        box = _grow(box, x1 * (1.0 / w1), y1 * (1.0 / w1))
        box = _grow(box, x2 * (1.0 / w2), y2 * (1.0 / w2))
    height, width = size_hw
    left = max(math.ceil(max(box[0], -1.0) - 1e-3), 0)
    right = min(math.floor(min(box[1], width + 1.0) + 1e-3), width - 1)
    top = max(math.ceil(max(box[2], -1.0) - 1e-3), 0)
    bottom = min(math.floor(min(box[3], height + 1.0) + 1e-3), height - 1)
    return left, right, top, bottom


@kernel()
def project(
    counter, corners, sways, offsets, materials, two_sided, cutout, labels, chunks, visible, first, matrix, origin,
    size_hw, near, records, bounds, stop, nearest,
):  # fmt: skip
    """Set up the triangles of the visible chunks.

    Args:
        counter: int64 [1], see Crew.
        corners: float32 [T,3,3], world NED.
        sways: uint8 [T], see wind.sways_of.
        offsets: float32 [S,3], how far what sways so is from its corners; wind.offsets_m.
        materials: int32 [T].
        two_sided: uint8 [M], 1 where both faces are drawn.
        cutout: int32 [M], which mask a material has, or -1.
        labels: int32 [T], what shading wants to know of a triangle at once; below 2**24.
        chunks: int32 [C,2], triangle ranges.
        visible: int32 [V], chunks to set up.
        first: int32 [V], where each chunk's records start.
        matrix: float64 [4,4] of the Projection.
        origin: float64 [3].
        size_hw: rows and columns of samples.
        near: smallest w that is drawn.
        records: float32 [R,16] (out): a, b, c of e_0, e_1, e_2 and of the depth, about the corner of the box; then the
            triangle, the corner's column and row and the label, so that shading finds all in one cache line.
        bounds: int32 [R,8] (out): triangle, first and last column, first and last row, crosses the near plane, mask,
            the bits of a float32 that no sample is nearer than.
        stop: int32 [V,5] (out): where each chunk's records end, its first and last row, first and last column.
        nearest: float32 [V] (out): no sample of the chunk is nearer than this.
    """
    q = next_piece(counter)
    while q < len(visible):
        out = first[q]
        low, high, west, east, front = 1 << 30, -1, 1 << 30, -1, np.float32(-_ANYWHERE)
        for t in range(chunks[visible[q], 0], chunks[visible[q], 1]):
            s = sways[t]
            x0, y0, w0, d0 = _clip(matrix, origin, corners, offsets, s, t, 0)
            x1, y1, w1, d1 = _clip(matrix, origin, corners, offsets, s, t, 1)
            x2, y2, w2, d2 = _clip(matrix, origin, corners, offsets, s, t, 2)
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
            bounds[out, 6] = cutout[materials[t]]
            records[out, 12], records[out, 13], records[out, 14], records[out, 15] = t, left, top, labels[t]
            low, high, west, east = min(low, top), max(high, bottom), min(west, left), max(east, right)
            near_end = np.float32(_ANYWHERE if crosses else max(d0 * (1.0 / w0), d1 * (1.0 / w1), d2 * (1.0 / w2)))
            near_end += np.float32(_ROUNDING) * abs(near_end)
            bounds[out, 7] = np.float32(near_end).view(np.int32)
            front = max(front, near_end)
            out += 1
        stop[q, 0], stop[q, 1], stop[q, 2], stop[q, 3], stop[q, 4] = out, low, high, west, east
        nearest[q] = front
        q = next_piece(counter)
