"""Eight numbers at once, for numba kernels: values whose arithmetic is the processor's vector arithmetic.

numba does not turn the renderer's loops into vector code by itself. A kernel that is written with Floats, Ints and
Masks reads as if it were about one sample and works on eight; LLVM makes of them what the processor has (AVX, NEON or
plain code), operation by operation, so the results are the same on all of them. lane_memory.py takes them from arrays.

Operators take two of a kind, or one and a plain number: `0.5 * x + y`, `(i + 1) & 255`, `x < 0.0`, `a & ~b`; also
min, max, abs and math.sqrt. A shift to the right brings in zeros.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, misc, arg-type, attr-defined"
# ruff: noqa: ARG001
# Kernels have no annotations; an intrinsic sees the types of its arguments only, the values are those of `build`.

import math
import operator
from collections.abc import Callable
from typing import Any, ClassVar

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

LANES = 8
_I8, _I32, _FLOAT = ir.IntType(8), ir.IntType(32), ir.FloatType()


class _Lanes(types.Type):
    def __init__(self, name: str, element: ir.Type) -> None:
        self.vector = ir.VectorType(element, LANES)
        super().__init__(name)


FLOATS, INTS, MASK = _Lanes("Floats", _FLOAT), _Lanes("Ints", _I32), _Lanes("Mask", ir.IntType(1))
_SCALAR = {FLOATS: types.float32, INTS: types.int32}
_LANE_NUMBERS = ir.Constant(INTS.vector, list(range(LANES)))


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, lanes: _Lanes) -> None:
        super().__init__(manager, lanes, lanes.vector)


def spread(builder, value, vector):
    """The same number in every lane."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(INTS.vector, [0] * LANES))


def _as_lanes(context, builder, value, kind, lanes):
    if kind is lanes:
        return value
    return spread(builder, context.cast(builder, value, kind, _SCALAR[lanes]), lanes.vector)


def _teach(function: Any, result_of: Callable[..., Any]) -> None:
    """Tell numba what function(*kinds) gives: result_of(*kinds), None where that is not ours to say.

    numba.extending.type_callable would have numba ask us last, after all that it knows of lists, strings and ufuncs,
    which took a seventh of the time that shading.resolve compiles. What is for the target "cpu" is asked first.
    """

    class Template(AbstractTemplate):
        key = function
        metadata: ClassVar = {"target": "cpu"}

        def generic(self, args, kws):
            result = None if kws else result_of(*args)
            return None if result is None else signature(result, *args)

    infer_global(function, types.Function(Template))


def _binary(function: Any, lanes: _Lanes, result: _Lanes, build: Callable[..., Any]) -> None:
    """Teach numba function(lanes, lanes), and with a number on either side."""

    def lower(context, builder, signature, arguments):
        pair = zip(arguments, signature.args, strict=True)
        return build(builder, *(_as_lanes(context, builder, value, kind, lanes) for value, kind in pair))

    sides = [(lanes, lanes)] if lanes is MASK else [(lanes, lanes), (lanes, types.Number), (types.Number, lanes)]
    for side in sides:
        lower_builtin(function, *side)(lower)

    def result_of(*kinds):
        known = len(kinds) == 2 and lanes in kinds
        return result if known and all(kind is lanes or isinstance(kind, types.Number) for kind in kinds) else None

    _teach(function, result_of)


def _unary(function: Any, lanes: _Lanes, build: Callable[..., Any]) -> None:
    lower_builtin(function, lanes)(lambda _context, builder, _signature, arguments: build(builder, *arguments))
    _teach(function, lambda *kinds: lanes if kinds == (lanes,) else None)


def _library(name: str) -> Callable[..., Any]:
    """One of LLVM's own functions of vectors."""
    kind = ir.FunctionType(FLOATS.vector, [FLOATS.vector])

    def build(builder, value):
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f32")
        return builder.call(function, [value])

    return build


def _chosen(comparison: str) -> Callable[..., Any]:
    return lambda builder, a, b: builder.select(builder.fcmp_ordered(comparison, a, b), a, b)


def _register() -> None:
    for function, name in ((operator.add, "add"), (operator.sub, "sub"), (operator.mul, "mul")):
        _binary(function, INTS, INTS, lambda builder, a, b, name=name: getattr(builder, name)(a, b))
    floating = ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv"))
    for function, name in floating:
        _binary(function, FLOATS, FLOATS, lambda builder, a, b, name=name: getattr(builder, name)(a, b))
    whole = ((operator.and_, "and_"), (operator.or_, "or_"), (operator.xor, "xor"))
    for lanes in (INTS, MASK):
        for function, name in whole:
            _binary(function, lanes, lanes, lambda builder, a, b, name=name: getattr(builder, name)(a, b))
    _binary(operator.rshift, INTS, INTS, lambda builder, a, b: builder.lshr(a, b))
    for function, sign in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">=")):
        _binary(function, FLOATS, MASK, lambda builder, a, b, sign=sign: builder.fcmp_ordered(sign, a, b))
        _binary(function, INTS, MASK, lambda builder, a, b, sign=sign: builder.icmp_signed(sign, a, b))
    _binary(operator.eq, INTS, MASK, lambda builder, a, b: builder.icmp_signed("==", a, b))
    for function, sign in ((min, "<"), (max, ">")):
        _binary(function, FLOATS, FLOATS, _chosen(sign))
    _unary(operator.neg, FLOATS, lambda builder, a: builder.fneg(a))
    _unary(operator.invert, MASK, lambda builder, a: builder.not_(a))
    _unary(abs, FLOATS, _library("fabs"))
    _unary(math.sqrt, FLOATS, _library("sqrt"))


_register()


@intrinsic
def where(_typing, mask, yes, no):
    """yes in the lanes of a mask, no in the others; either may be a plain number, not both."""
    lanes = yes if isinstance(yes, _Lanes) else no

    def build(context, builder, signature, arguments):
        chosen = zip(arguments[1:], signature.args[1:], strict=True)
        return builder.select(
            arguments[0], *(_as_lanes(context, builder, value, kind, lanes) for value, kind in chosen)
        )

    return lanes(mask, yes, no), build


@intrinsic
def any_of(_typing, mask):
    """Whether a mask is set in any lane."""

    def build(_context, builder, _signature, arguments):
        return builder.icmp_unsigned("!=", builder.bitcast(arguments[0], _I8), ir.Constant(_I8, 0))

    return types.boolean(mask), build


@intrinsic
def all_of(_typing, mask):
    """Whether a mask is set in every lane."""

    def build(_context, builder, _signature, arguments):
        return builder.icmp_unsigned("==", builder.bitcast(arguments[0], _I8), ir.Constant(_I8, 2**LANES - 1))

    return types.boolean(mask), build


@intrinsic
def lane(_typing, values, k):
    """The number in one lane."""

    def build(_context, builder, _signature, arguments):
        return builder.extract_element(arguments[0], builder.trunc(arguments[1], _I32))

    return _SCALAR[values](values, types.intp), build


@intrinsic
def truncated(_typing, values):
    """Floats as Ints, towards 0."""
    return INTS(values), lambda _context, builder, _signature, arguments: builder.fptosi(arguments[0], INTS.vector)


@intrinsic
def floats(_typing, values):
    """Ints, or one number for all lanes, as Floats."""

    def build(context, builder, signature, arguments):
        if signature.args[0] is INTS:
            return builder.sitofp(arguments[0], FLOATS.vector)
        return _as_lanes(context, builder, arguments[0], signature.args[0], FLOATS)

    return FLOATS(values), build


@intrinsic
def ints(_typing, value):
    """One number for all lanes."""
    return INTS(value), lambda context, builder, signature, arguments: _as_lanes(
        context, builder, arguments[0], signature.args[0], INTS
    )


@intrinsic
def lane_numbers(_typing):
    """0 to 7."""
    return INTS(), lambda _context, _builder, _signature, _arguments: _LANE_NUMBERS
