"""Which triangle does every sample see? A depth-buffered fill of the records of triangles.project, in numba.

Rows are filled eight samples at a time (see lanes.py). A chunk or a triangle whose rectangle of samples is filled with
nearer things already is left out: chunks come nearest first, and among trees most triangles lie behind others.
"""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece
from airsim_seg.builtin.rendering.lane_memory import gather, load, store
from airsim_seg.builtin.rendering.lanes import LANES, any_of, floats, lane_numbers, truncated, where

STRIP_ROWS = 48
# Triangles grow by this part of a sample, so that rounding opens no crack between neighbours.
_SLACK = np.float32(2e-4)
_FLAT = np.float32(1e-30)  # stands for a slope of zero: the edge is crossed far outside, on the right side
_NOWHERE = np.float32(-3e38)  # farther than all: the depth of a sample that is not to be drawn


@inline
def _line(value, slope):
    """value, value + slope, value + 2 slope, ..."""
    return value + slope * floats(lane_numbers())


@inline
def _covered(z, slope, count):
    """Nearness of a block whose first count samples are covered."""
    return where(lane_numbers() < count, _line(z, slope), _NOWHERE)


@inline
def _solid(z, masks, mask, w, w_slope, u, u_slope, v, v_slope):
    """Nearness of a block where a mask [K,N,N], N a power of two, is set; texture coordinates are times 1 / w."""
    depth = 1.0 / _line(w, w_slope)
    side = np.int32(masks.shape[1])
    wrap = side - np.int32(1)
    column, row = truncated(_line(u, u_slope) * depth) & wrap, truncated(_line(v, v_slope) * depth) & wrap
    there = gather(masks, row * side + column + np.int32(mask) * (side * side))
    return where(there > 0, z, _NOWHERE)


@inline
def _draw(depth, seen, place, z, drawn, record):
    """Write nearness and record into the samples of a block that are nearer than what is drawn there."""
    # All is read before anything is written: LLVM would make a masked store of the second, which is slow on AMD.
    before = load(seen, place)
    store(depth, place, max(z, drawn))
    store(seen, place, where(z > drawn, record, before))


@inline
def _edge(e, r, k):
    """Where edge k of record r crosses row y of its box, as (p, q): column p * y + q; and whether it is a left edge."""
    slope = e[r, k] if abs(e[r, k]) > _FLAT else _FLAT
    grown = e[r, k + 2] + _SLACK * (abs(e[r, k]) + abs(e[r, k + 1]))
    inverse = np.float32(-1.0) / slope
    return e[r, k + 1] * inverse, grown * inverse, slope > np.float32(0.0)


@inline
def _cut(lo, hi, edge, fy):
    """Narrow the span [lo, hi] to the inner side of an edge."""
    x = edge[0] * fy + edge[1]
    return max(lo, x if edge[2] else lo), min(hi, hi if edge[2] else x)


@inline
def _cut_near(lo, hi, slope, value):
    """Narrow the span to where slope * x + value is not negative: in front of the near plane."""
    if slope > 0.0:
        lo = max(lo, -value / slope)
    elif slope < 0.0:
        hi = min(hi, -value / slope)
    elif value < 0.0:
        hi = np.float32(-1e9)
    return lo, hi


@inline
def _span(e, r, edges, fy, wide, crosses, limit):
    """First column and one past the last of a row that record r covers, from its left edge."""
    lo, hi = np.float32(0.0), wide
    lo, hi = _cut(lo, hi, edges[0], fy)
    lo, hi = _cut(lo, hi, edges[1], fy)
    lo, hi = _cut(lo, hi, edges[2], fy)
    if crosses:  # the near plane is one more edge
        lo, hi = _cut_near(lo, hi, -e[r, 9], limit - (e[r, 10] * fy + e[r, 11]))
    # Clamped before they become integers: a nearly horizontal edge is crossed far outside of any integer. Rounded by
    # hand, since ceil and floor of single precision are calls into a library.
    lo = min(lo, wide + np.float32(1.0))
    start = np.int32(lo)
    start += np.int32(lo > np.float32(start))
    end = np.int32(max(hi + np.float32(1.0), np.float32(0.0)))
    return start, end


@inline
def _fill_opaque(r, records, bounds, limit, top, bottom, depth, seen):
    """A closed triangle within the rows top to bottom (not included)."""
    left, y0 = bounds[r, 1], bounds[r, 3]
    wide, crosses = np.float32(bounds[r, 2] - left), bounds[r, 5] != 0
    slope = records[r, 9]
    edges = _edge(records, r, 0), _edge(records, r, 3), _edge(records, r, 6)
    for y in range(max(y0, top), min(bounds[r, 4] + 1, bottom)):
        fy = np.float32(y - y0)
        block, end = _span(records, r, edges, fy, wide, crosses, limit)
        value = records[r, 10] * fy + records[r, 11]
        while block < end:
            place = y * depth.shape[1] + left + block
            z, drawn = _covered(value + slope * np.float32(block), slope, end - block), load(depth, place)
            if any_of(z > drawn):
                _draw(depth, seen, place, z, drawn, r)
            block += np.int32(LANES)


@inline
def _fill_masked(r, records, bounds, uv, mask, masks, limit, top, bottom, depth, seen):
    """A see-through triangle within the rows top to bottom (not included)."""
    e, t, left, y0 = records, bounds[r, 0], bounds[r, 1], bounds[r, 3]
    wide, crosses = np.float32(bounds[r, 2] - left), bounds[r, 5] != 0
    size = np.float32(masks.shape[1])
    u0, u1, u2 = uv[t, 0, 0] * size, uv[t, 1, 0] * size, uv[t, 2, 0] * size
    v0, v1, v2 = uv[t, 0, 1] * size, uv[t, 1, 1] * size, uv[t, 2, 1] * size
    aw, bw, cw = e[r, 0] + e[r, 3] + e[r, 6], e[r, 1] + e[r, 4] + e[r, 7], e[r, 2] + e[r, 5] + e[r, 8]
    au, av = e[r, 0] * u0 + e[r, 3] * u1 + e[r, 6] * u2, e[r, 0] * v0 + e[r, 3] * v1 + e[r, 6] * v2
    bu, bv = e[r, 1] * u0 + e[r, 4] * u1 + e[r, 7] * u2, e[r, 1] * v0 + e[r, 4] * v1 + e[r, 7] * v2
    cu, cv = e[r, 2] * u0 + e[r, 5] * u1 + e[r, 8] * u2, e[r, 2] * v0 + e[r, 5] * v1 + e[r, 8] * v2
    az = e[r, 9]
    edges = _edge(e, r, 0), _edge(e, r, 3), _edge(e, r, 6)
    for y in range(max(y0, top), min(bounds[r, 4] + 1, bottom)):
        fy = np.float32(y - y0)
        block, end = _span(e, r, edges, fy, wide, crosses, limit)
        zy, wy, uy, vy = e[r, 10] * fy + e[r, 11], bw * fy + cw, bu * fy + cu, bv * fy + cv
        while block < end:
            x, place = np.float32(block), y * depth.shape[1] + left + block
            z, drawn = _covered(az * x + zy, az, end - block), load(depth, place)
            if any_of(z > drawn):
                z = _solid(z, masks, mask, aw * x + wy, aw, au * x + uy, au, av * x + vy, av)
                _draw(depth, seen, place, z, drawn, r)
            block += np.int32(LANES)


@inline
def _is_hidden(depth, left, right, top, bottom, nearest):
    """Whether all that is drawn in columns left to right and rows top to bottom (not included) is at least as near."""
    stride = depth.shape[1]
    last = max(stride - 2 * LANES, 0)  # the last block: the spare columns after it are never drawn
    for y in range(top, bottom):
        for x in range(left, right + 1, LANES):
            if any_of(load(depth, y * stride + min(x, last)) < nearest):
                return False
    return True


@inline
def _fill_strip(top, bottom, first, stop, nearest, records, bounds, uv, masks, limit, empty, depth, seen):
    for y in range(top, bottom):
        for x in range(depth.shape[1]):
            depth[y, x] = empty
            seen[y, x] = -1
    for q in range(len(first)):
        if stop[q, 2] < top or stop[q, 1] >= bottom:
            continue
        own_top, own_bottom = max(top, stop[q, 1]), min(bottom, stop[q, 2] + 1)
        if _is_hidden(depth, stop[q, 3], stop[q, 4], own_top, own_bottom, nearest[q]):
            continue
        for r in range(first[q], stop[q, 0]):
            if bounds[r, 4] >= top and bounds[r, 3] < bottom:
                own_top, own_bottom = max(top, bounds[r, 3]), min(bottom, bounds[r, 4] + 1)
                if _is_hidden(
                    depth, bounds[r, 1], bounds[r, 2], own_top, own_bottom, np.int32(bounds[r, 7]).view(np.float32)
                ):
                    continue
                mask = bounds[r, 6]
                if mask < 0:
                    _fill_opaque(r, records, bounds, limit, top, bottom, depth, seen)
                else:
                    _fill_masked(r, records, bounds, uv, mask, masks, limit, top, bottom, depth, seen)


@kernel()
def fill(counter, first, stop, nearest, records, bounds, uv, masks, limit, empty, depth, seen):
    """Draw the records into the depth buffer; on equal depth the earlier record stays.

    Args:
        counter: int64 [1], see Crew.
        first: int32 [V], of triangles.project().
        stop: int32 [V,5], of triangles.project().
        nearest: float32 [V], of triangles.project().
        records: float32 [R,16], of triangles.project().
        bounds: int32 [R,8], of triangles.project().
        uv: float32 [T,3,2]; not negative where a material has a mask.
        masks: bool [K,N,N], N a power of two, True where something is drawn.
        limit: float32, the greatest depth at which records that cross the near plane are drawn.
        empty: float32, the depth of nothing.
        depth: float32 [H,W+LANES] (out), bigger is nearer; the last columns are meaningless.
        seen: int32 [H,W+LANES] (out), record index or -1.
    """
    strips = (depth.shape[0] + STRIP_ROWS - 1) // STRIP_ROWS
    k = next_piece(counter)
    while k < strips:
        top = (strips - 1 - k) * STRIP_ROWS  # upwards: the lower half of a picture is busier, and the rest fills up
        bottom = min(top + STRIP_ROWS, depth.shape[0])
        _fill_strip(top, bottom, first, stop, nearest, records, bounds, uv, masks, limit, empty, depth, seen)
        k = next_piece(counter)
