"""Eight numbers at once from arrays, and into them: what lanes.py computes with.

Elements that lie side by side are taken together, and turned in registers.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, arg-type, attr-defined"
# ruff: noqa: ARG001
# An intrinsic sees the types of its arguments only, the values are those of `build`.

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from airsim_seg.builtin.rendering.lanes import FLOATS, INTS, LANES, spread

_I32, _FLOAT = ir.IntType(32), ir.FloatType()


def _element(context, builder, array_type, array, offset):
    """Where the element at an offset, rows after rows, of a C-contiguous array lies."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [offset], inbounds=True)


def _lanes_of(dtype):
    return FLOATS if dtype == types.float32 else INTS


@intrinsic
def load(_typing, array, offset):
    """Eight elements one after another, from an offset on, of a C-contiguous array of float32 or int32."""
    lanes = _lanes_of(array.dtype)

    def build(context, builder, signature, arguments):
        place = _element(context, builder, signature.args[0], *arguments)
        return builder.load(builder.bitcast(place, lanes.vector.as_pointer()), align=4)

    return lanes(array, types.intp), build


@intrinsic
def store(_typing, array, offset, values):
    """The opposite of load."""

    def build(context, builder, signature, arguments):
        place = _element(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], builder.bitcast(place, arguments[2].type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, values), build


@intrinsic
def store_threes(_typing, array, offset, values):
    """The three low bytes of each of eight Ints, one after another, into an array of bytes; the next byte is lost."""

    def build(context, builder, signature, arguments):
        place = _element(context, builder, signature.args[0], *arguments[:2])
        for k in range(LANES):
            value = builder.extract_element(arguments[2], ir.Constant(_I32, k))
            three = builder.gep(place, [ir.Constant(_I32, 3 * k)], inbounds=True)
            builder.store(value, builder.bitcast(three, _I32.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, values), build


@intrinsic
def gather(_typing, array, offsets):
    """The elements at eight offsets, rows after rows, of a C-contiguous array; 0 or more, and not looked at twice."""
    lanes = _lanes_of(array.dtype)

    def build(context, builder, signature, arguments):
        array, offsets = arguments
        result = ir.Constant(lanes.vector, ir.Undefined)
        for k in range(LANES):
            offset = builder.zext(builder.extract_element(offsets, ir.Constant(_I32, k)), ir.IntType(64))
            value = builder.load(_element(context, builder, signature.args[0], array, offset))
            if value.type is not lanes.vector.element and lanes is INTS and value.type != _I32:
                value = builder.zext(value, _I32)
            result = builder.insert_element(result, value, ir.Constant(_I32, k))
        return result

    return lanes(array, offsets), build


def _shuffled(builder, a, b, *orders):
    return [builder.shuffle_vector(a, b, ir.Constant(INTS.vector, order)) for order in orders]


def _mixed(builder, a, b):
    """Elements of two vectors of eight in turns, within each half: the first two of each, and the last two."""
    return _shuffled(builder, a, b, [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15])


def _mixed_pairs(builder, a, b):
    """The same with two elements for one."""
    return _shuffled(builder, a, b, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])


def _transposed(builder, rows):
    """Eight vectors of eight: element j of vector i becomes element i of vector j, in 24 steps of one instruction."""
    pairs = [mixed for k in range(0, 8, 2) for mixed in _mixed(builder, rows[k], rows[k + 1])]
    fours = [mixed for k in (0, 1, 4, 5) for mixed in _mixed_pairs(builder, pairs[k], pairs[k + 2])]
    low, high = [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15]
    return [_shuffled(builder, fours[k], fours[k + 4], order)[0] for order in (low, high) for k in range(4)]


@intrinsic
def unzipped(_typing, first, second):
    """The even and the odd ones of sixteen Ints."""

    def build(context, builder, signature, arguments):
        split = _shuffled(builder, *arguments, list(range(0, 2 * LANES, 2)), list(range(1, 2 * LANES, 2)))
        return context.make_tuple(builder, signature.return_type, split)

    return types.UniTuple(INTS, 2)(first, second), build


@intrinsic
def columns(_typing, array, rows, first, alike):
    """Columns first to first + 7 of eight rows of a float32 [N,M], as eight Floats: a lane is a row.

    Args:
        array: float32 [N,M].
        rows: Ints.
        first: a column.
        alike: bool, whether all eight are the same row; then it is read once.
    """

    def build(context, builder, signature, arguments):
        array, rows, first, alike = arguments
        struct = context.make_array(signature.args[0])(context, builder, array)
        width = cgutils.unpack_tuple(builder, struct.shape)[1]

        def place(k):
            row = builder.zext(builder.extract_element(rows, ir.Constant(_I32, k)), width.type)
            return builder.gep(struct.data, [builder.add(builder.mul(row, width), first)], inbounds=True)

        with builder.if_else(alike) as (then, otherwise):
            with then:
                one = place(0)
                same = [builder.load(builder.gep(one, [ir.Constant(_I32, k)], inbounds=True)) for k in range(LANES)]
                same = [spread(builder, value, FLOATS.vector) for value in same]
                end_of_same = builder.block
            with otherwise:
                loaded = [
                    builder.load(builder.bitcast(place(k), FLOATS.vector.as_pointer()), align=4) for k in range(LANES)
                ]
                turned = _transposed(builder, loaded)
                end_of_turned = builder.block
        merged = []
        for one, other in zip(same, turned, strict=True):
            either = builder.phi(FLOATS.vector)
            either.add_incoming(one, end_of_same)
            either.add_incoming(other, end_of_turned)
            merged.append(either)
        return context.make_tuple(builder, signature.return_type, merged)

    return types.UniTuple(FLOATS, LANES)(array, rows, types.intp, types.boolean), build


@intrinsic
def pairs(_typing, array, offsets):
    """gather at eight offsets, and gather one further: two Ints of a uint32 or int32 array, in half of the loads."""

    def build(context, builder, signature, arguments):
        array, offsets = arguments
        both = ir.VectorType(ir.IntType(64), LANES)
        result = ir.Constant(both, ir.Undefined)
        for k in range(LANES):
            offset = builder.zext(builder.extract_element(offsets, ir.Constant(_I32, k)), ir.IntType(64))
            place = _element(context, builder, signature.args[0], array, offset)
            two = builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=4)
            result = builder.insert_element(result, two, ir.Constant(_I32, k))
        flat = ir.VectorType(_I32, 2 * LANES)
        result, nothing = builder.bitcast(result, flat), ir.Constant(flat, ir.Undefined)
        parts = [[2 * k + part for k in range(LANES)] for part in range(2)]
        split = [builder.shuffle_vector(result, nothing, ir.Constant(INTS.vector, part)) for part in parts]
        return context.make_tuple(builder, signature.return_type, split)

    return types.UniTuple(INTS, 2)(array, offsets), build


@intrinsic
def fours(_typing, array, offsets):
    """Four elements one after another at each of eight offsets of a float32 array, as four Floats."""
    four = ir.VectorType(_FLOAT, 4)

    def build(context, builder, signature, arguments):
        array, offsets = arguments
        rows = []
        for k in range(LANES):
            offset = builder.zext(builder.extract_element(offsets, ir.Constant(_I32, k)), ir.IntType(64))
            place = _element(context, builder, signature.args[0], array, offset)
            rows.append(builder.load(builder.bitcast(place, four.as_pointer()), align=4))
        wide = ir.Constant(INTS.vector, list(range(LANES)))
        rows = [builder.shuffle_vector(rows[k], rows[k + 4], wide) for k in range(4)]
        low, high = _mixed(builder, rows[0], rows[1]), _mixed(builder, rows[2], rows[3])
        columns = [mixed for one, other in zip(low, high, strict=True) for mixed in _mixed_pairs(builder, one, other)]
        return context.make_tuple(builder, signature.return_type, columns)

    return types.UniTuple(FLOATS, 4)(array, offsets), build


@intrinsic
def taps(_typing, array, offsets, limits, upper, lower):
    """How much of 4x4 texels is at most a limit, lane by lane: the sum over the rows, as Floats for each column.

    Args:
        array: float32 [N,M].
        offsets: Ints, of the first texel of the first row.
        limits: Floats.
        upper, lower: Floats, weights of the first and the last row; those between weigh 1.
    """
    four = ir.VectorType(_FLOAT, 4)

    def build(context, builder, signature, arguments):
        array, offsets, limits, upper, lower = arguments
        struct = context.make_array(signature.args[0])(context, builder, array)
        width = cgutils.unpack_tuple(builder, struct.shape)[1]
        first_of = ir.Constant(ir.VectorType(_I32, 4), [0] * 4)
        ones, zeros = ir.Constant(four, [1.0] * 4), ir.Constant(four, [0.0] * 4)

        def of_lane(vector, lane):
            one = builder.insert_element(
                ir.Constant(four, ir.Undefined), builder.extract_element(vector, lane), ir.Constant(_I32, 0)
            )
            return builder.shuffle_vector(one, ir.Constant(four, ir.Undefined), first_of)

        sums = []
        for k in range(LANES):
            lane = ir.Constant(_I32, k)
            offset = builder.zext(builder.extract_element(offsets, lane), width.type)
            limit, passed = of_lane(limits, lane), []
            for weights in (of_lane(upper, lane), ones, ones, of_lane(lower, lane)):
                place = builder.gep(struct.data, [offset], inbounds=True)
                texels = builder.load(builder.bitcast(place, four.as_pointer()), align=4)
                passed.append(builder.select(builder.fcmp_ordered("<=", texels, limit), weights, zeros))
                offset = builder.add(offset, width)
            total = builder.fadd(builder.fadd(passed[0], passed[1]), builder.fadd(passed[2], passed[3]))
            wide = ir.Constant(INTS.vector, [*range(4), *range(4)])
            sums.append(builder.shuffle_vector(total, ir.Constant(four, ir.Undefined), wide))
        return context.make_tuple(builder, signature.return_type, _transposed(builder, sums)[:4])

    return types.UniTuple(FLOATS, 4)(array, offsets, limits, upper, lower), build
