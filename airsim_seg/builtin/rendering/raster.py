"""Which triangle does every sample see? A depth-buffered fill of the records of triangles.project, in numba.

Rows are filled eight samples at a time. numba does not turn these loops into vector code by itself, so the three steps
of a block are written down for LLVM as vectors; LLVM makes of them what the processor has (AVX, NEON or plain code).
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, call-arg, var-annotated"
# ruff: noqa: ARG001
# Kernels have no annotations: numba compiles one version for the argument types that it meets. An intrinsic sees the
# types of its arguments only; the values are those of `build`.

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from airsim_seg.builtin.rendering.compiling import inline, kernel, next_piece
from airsim_seg.builtin.rendering.lanes import any_of, load

STRIP_ROWS = 48
LANES = 8  # samples a block; buffers have as many spare columns, since the last block of a row may pass its end
# Triangles grow by this part of a sample, so that rounding opens no crack between neighbours.
_SLACK = np.float32(2e-4)
_FLAT = np.float32(1e-30)  # stands for a slope of zero: the edge is crossed far outside, on the right side

_I8, _I32, _FLOAT = ir.IntType(8), ir.IntType(32), ir.FloatType()
_FLOATS, _INTS, _BITS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_I32, LANES), ir.VectorType(ir.IntType(1), LANES)


def _spread(builder, value, vector):
    """A vector of LANES times the same value."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(_INTS, [0] * LANES))


def _line(builder, slope, value):
    """value, value + slope, value + 2 slope, ..."""
    steps = ir.Constant(_FLOATS, [float(k) for k in range(LANES)])
    return builder.fadd(builder.fmul(_spread(builder, slope, _FLOATS), steps), _spread(builder, value, _FLOATS))


def _block(context, builder, array_type, array, row, column, vector):
    """Where the block of a two-dimensional array that begins at (row, column) lies."""
    struct = context.make_array(array_type)(context, builder, array)
    item = cgutils.get_item_pointer(context, builder, array_type, struct, [row, column], wraparound=False)
    return builder.bitcast(item, vector.as_pointer())


@intrinsic
def _nearer(_typing, depth, row, column, z, slope, count):
    """Which of the first `count` samples of a block are nearer than what is drawn there, as bits (int32)."""

    def build(context, builder, signature, arguments):
        array, row, column, z, slope, count = arguments
        drawn = builder.load(_block(context, builder, signature.args[0], array, row, column, _FLOATS), align=4)
        inside = builder.icmp_signed("<", ir.Constant(_INTS, list(range(LANES))), _spread(builder, count, _INTS))
        nearer = builder.and_(builder.fcmp_ordered(">", _line(builder, slope, z), drawn), inside)
        return builder.zext(builder.bitcast(nearer, _I8), _I32)

    f, i = types.float32, types.int32
    return types.int32(depth, types.intp, types.intp, f, f, i), build


@intrinsic
def _masked(_typing, masks, mask, w, w_slope, u, u_slope, v, v_slope):
    """Where a mask [K,N,N], N a power of two, is set for a block of samples, as bits (int32); texture times 1 / w."""

    def build(context, builder, signature, arguments):
        array, mask, w, w_slope, u, u_slope, v, v_slope = arguments
        struct = context.make_array(signature.args[0])(context, builder, array)
        depth = builder.fdiv(_spread(builder, ir.Constant(_FLOAT, 1.0), _FLOATS), _line(builder, w_slope, w))
        side = builder.trunc(cgutils.unpack_tuple(builder, struct.shape)[1], _I32)
        wrap = _spread(builder, builder.sub(side, ir.Constant(_I32, 1)), _INTS)
        texels = []
        for value, slope in ((u, u_slope), (v, v_slope)):
            texel = builder.fptosi(builder.fmul(_line(builder, slope, value), depth), _INTS)
            texels.append(builder.and_(texel, wrap))
        offsets = builder.add(builder.mul(texels[1], _spread(builder, side, _INTS)), texels[0])
        first = [mask, ir.Constant(mask.type, 0), ir.Constant(mask.type, 0)]
        start = cgutils.get_item_pointer(context, builder, signature.args[0], struct, first, wraparound=False)
        bits = ir.Constant(_I32, 0)
        for k in range(LANES):
            offset = builder.extract_element(offsets, ir.Constant(_I32, k))
            there = builder.zext(builder.load(builder.gep(start, [offset])), _I32)
            bits = builder.or_(bits, builder.shl(there, ir.Constant(_I32, k)))
        return bits

    f = types.float32
    return types.int32(masks, types.intp, f, f, f, f, f, f), build


@intrinsic
def _draw(_typing, depth, seen, row, column, z, slope, record, bits):
    """Write depth and record into the samples of a block whose bits are set."""

    def build(context, builder, signature, arguments):
        depth, seen, row, column, z, slope, record, bits = arguments
        chosen = builder.bitcast(builder.trunc(bits, _I8), _BITS)
        for array_type, array, new, vector in (
            (signature.args[0], depth, _line(builder, slope, z), _FLOATS),
            (signature.args[1], seen, _spread(builder, record, _INTS), _INTS),
        ):
            place = _block(context, builder, array_type, array, row, column, vector)
            builder.store(builder.select(chosen, new, builder.load(place, align=4)), place, align=4)
        return context.get_dummy_value()

    f, i = types.float32, types.int32
    return types.void(depth, seen, types.intp, types.intp, f, f, i, i), build


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
            z = value + slope * np.float32(block)
            bits = _nearer(depth, y, left + block, z, slope, end - block)
            if bits:
                _draw(depth, seen, y, left + block, z, slope, r, bits)
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
            x = np.float32(block)
            z = az * x + zy
            bits = _nearer(depth, y, left + block, z, az, end - block)
            if bits:
                bits &= _masked(masks, mask, aw * x + wy, aw, au * x + uy, au, av * x + vy, av)
                _draw(depth, seen, y, left + block, z, az, r, bits)
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
                mask = bounds[r, 6]
                if mask < 0:
                    _fill_opaque(r, records, bounds, limit, top, bottom, depth, seen)
                else:
                    _fill_masked(r, records, bounds, uv, mask, masks, limit, top, bottom, depth, seen)


@kernel()
def fill(counter, first, stop, nearest, records, bounds, uv, masks, near, empty, depth, seen):
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
        near: smallest w, for records that cross it (perspective only).
        empty: float32, the depth of nothing.
        depth: float32 [H,W+LANES] (out), bigger is nearer; the last columns are meaningless.
        seen: int32 [H,W+LANES] (out), record index or -1.
    """
    limit = np.float32(1.0 / near)
    strips = (depth.shape[0] + STRIP_ROWS - 1) // STRIP_ROWS
    k = next_piece(counter)
    while k < strips:
        top = (strips - 1 - k) * STRIP_ROWS  # upwards: the lower half of a picture is busier, and the rest fills up
        bottom = min(top + STRIP_ROWS, depth.shape[0])
        _fill_strip(top, bottom, first, stop, nearest, records, bounds, uv, masks, limit, empty, depth, seen)
        k = next_piece(counter)
