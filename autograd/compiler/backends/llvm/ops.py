"""What each primitive is in LLVM's language, for one number or for several rows in a register.

The emitters follow the value functions of the table operation by operation, so that + - * /, sqrt,
comparisons and what they choose have the same bits. Where the eager engine raises, they give what
IEEE arithmetic gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from autograd.compiler.backends.llvm.emitter import Emitter
from autograd.compiler.backends.llvm.near_zero import emit_near_zero
from autograd.compiler.program.steps import EITHER, KEEPING
from autograd.core.near_zero import CLOSE
from autograd.core.primitive import lookup
from autograd.core.primitives import LN2

# How the functions of the C library are called, and their counterparts for rows in libmvec.
LIBM = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "sin", "cos", "tan",
        "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc",
        "pow", "atan2", "hypot", "fmod", "tgamma"}
_BY_ANOTHER_NAME = {"gamma": "tgamma"}
# The primitives that one of these computes; the interpreter numbers them in this order.
FUNCTIONS = {**{name: name for name in sorted(LIBM) if name not in _BY_ANOTHER_NAME.values()},
             **_BY_ANOTHER_NAME}

Emit = Callable[[Emitter, Sequence[str]], str]


def _function(name: str) -> Emit:
    return lambda e, x: e.call(name, *x)


def _binary(instruction: str) -> Emit:
    return lambda e, x: e.op(instruction, x[0], x[1])


def _sign(e: Emitter, x: Sequence[str]) -> str:
    zero = e.const(0.0)
    below = e.select(e.compare("olt", x[0], zero), e.const(-1.0), e.op("fmul", x[0], zero))
    return e.select(e.compare("ogt", x[0], zero), e.const(1.0), below)


def _step(e: Emitter, x: Sequence[str]) -> str:
    zero = e.const(0.0)
    below = e.select(e.compare("ole", x[0], zero), zero, x[0])
    return e.select(e.compare("ogt", x[0], zero), e.const(1.0), below)


def _relu(e: Emitter, x: Sequence[str]) -> str:
    zero = e.const(0.0)
    return e.select(e.compare("ole", x[0], zero), zero, x[0])


def _wins(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    tie = e.select(e.compare("oeq", a, b), e.const(0.5), e.const(float("nan")))
    below = e.select(e.compare("olt", a, b), e.const(0.0), tie)
    return e.select(e.compare("ogt", a, b), e.const(1.0), below)


def _extreme(relation: str) -> Emit:
    def emit(e: Emitter, x: Sequence[str]) -> str:
        a, b = x
        other = e.logic("or", e.compare(relation, a, b), e.compare("uno", b, b))
        return e.select(other, b, a)

    return emit


def _where(e: Emitter, x: Sequence[str]) -> str:
    return e.select(e.compare("une", x[0], e.const(0.0)), x[1], x[2])


def _intrinsic(name: str) -> Emit:
    return lambda e, x: e.intrinsic(name, *x)


def _has_other_sign(e: Emitter, rest: str, b: str) -> str:
    """Whether a remainder is not 0, and has not the sign of the divisor."""
    zero = e.const(0.0)
    differs = e.logic("xor", e.compare("olt", b, zero), e.compare("olt", rest, zero))
    return e.logic("and", differs, e.compare("une", rest, zero))


def _mod(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    rest = e.call("fmod", a, b)
    moved = e.select(_has_other_sign(e, rest, b), e.op("fadd", rest, b), rest)
    none = e.compare("oeq", rest, e.const(0.0))
    return e.select(none, e.intrinsic("copysign", e.const(0.0), b), moved)


def _floordiv(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    zero, one = e.const(0.0), e.const(1.0)
    rest = e.call("fmod", a, b)
    count = e.op("fdiv", e.op("fsub", a, rest), b)
    count = e.select(_has_other_sign(e, rest, b), e.op("fsub", count, one), count)
    whole = e.intrinsic("floor", count)
    too_low = e.compare("ogt", e.op("fsub", count, whole), e.const(0.5))
    near = e.select(too_low, e.op("fadd", whole, one), whole)
    quotient = e.op("fdiv", a, b)
    none = e.compare("oeq", count, zero)
    divided = e.select(none, e.intrinsic("copysign", zero, quotient), near)
    return e.select(e.compare("oeq", b, zero), quotient, divided)


def _sigmoids(e: Emitter, number: str, *where: str) -> list[str]:
    """sigmoid where a number stands that is this one or its negative: both share the exponential.
    """
    one = e.const(1.0)
    decay = e.call("exp", e.neg(e.intrinsic("fabs", number)))
    total = e.op("fadd", one, decay)
    return [e.op("fdiv", e.select(e.compare("oge", x, e.const(0.0)), one, decay), total)
            for x in where]


def _sigmoid(e: Emitter, x: Sequence[str]) -> str:
    return _sigmoids(e, x[0], x[0])[0]


def _sigmoid_slope(e: Emitter, x: Sequence[str]) -> str:
    return e.op("fmul", *_sigmoids(e, x[0], x[0], e.neg(x[0])))


def _softplus(e: Emitter, x: Sequence[str]) -> str:
    decay = e.call("exp", e.neg(e.intrinsic("fabs", x[0])))
    return e.op("fadd", e.call("log1p", decay), _relu(e, x))


def _logaddexp(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    a_is_less = e.compare("olt", a, b)
    top, low = e.select(a_is_less, b, a), e.select(a_is_less, a, b)
    gap = e.op("fsub", low, top)
    rounding = e.op("fsub", e.op("fsub", low, gap), top)
    # Of what is far, and nan for infinities, no rounding counts.
    counts = e.compare("olt", e.intrinsic("fabs", rounding), e.const(1.0))
    close = e.compare("ole", e.intrinsic("fabs", top), e.const(CLOSE))
    decay = e.call("exp", gap)
    beside = e.op("fadd", decay, e.op("fmul", decay, e.select(counts, rounding, e.const(0.0))))
    more = e.call("log1p", e.select(close, beside, decay))
    apart = e.op("fadd", top, more)
    far = e.select(e.compare("oeq", a, b), e.op("fadd", a, e.const(LN2)), apart)
    return emit_near_zero(e, top, low, e.select(close, apart, far))


def _cosine(e: Emitter, x: Sequence[str]) -> str:
    a, b = x
    zero, one, size = e.const(0.0), e.const(1.0), e.intrinsic("fabs", b)
    is_steep = e.compare("olt", e.intrinsic("fabs", a), size)
    divisor = e.select(is_steep, size, a)
    ratio = e.op("fdiv", e.select(is_steep, a, b), divisor)
    sign = e.select(e.compare("olt", a, zero), e.const(-1.0), one)
    root = e.intrinsic("sqrt", e.op("fadd", one, e.op("fmul", ratio, ratio)))
    away = e.op("fdiv", e.select(is_steep, ratio, sign), root)
    return e.select(e.compare("oeq", divisor, zero), e.op("fmul", a, b), away)


def _share(e: Emitter, x: Sequence[str]) -> str:
    return e.op("fdiv", x[0], e.op("fadd", x[0], x[1]))


def _one_minus_square(e: Emitter, x: Sequence[str]) -> str:
    one = e.const(1.0)
    return e.op("fmul", e.op("fsub", one, x[0]), e.op("fadd", one, x[0]))


def _gaussian(e: Emitter, x: Sequence[str]) -> str:
    scaled = e.op("fmul", e.const(134217729.0), x[0])
    high = e.op("fsub", scaled, e.op("fsub", scaled, x[0]))
    low = e.op("fsub", x[0], high)
    first = e.call("exp", e.op("fmul", e.neg(high), high))
    second = e.call("exp", e.op("fmul", e.neg(low), e.op("fadd", x[0], high)))
    inside = e.compare("olt", e.intrinsic("fabs", x[0]), e.const(30.0))
    outside = e.select(e.compare("oeq", x[0], x[0]), e.const(0.0), x[0])
    return e.select(inside, e.op("fmul", first, second), outside)


EMITTERS: dict[str, Emit] = {
    **{name: _function(symbol) for name, symbol in FUNCTIONS.items()},
    "add": _binary("fadd"), "sub": _binary("fsub"), "mul": _binary("fmul"),
    "div": _binary("fdiv"),
    "neg": lambda e, x: e.neg(x[0]),
    "identity": lambda e, x: x[0],
    "abs": lambda e, x: e.intrinsic("fabs", x[0]),
    "sqrt": lambda e, x: e.intrinsic("sqrt", x[0]),
    **{name: _intrinsic(name) for name in ("floor", "ceil", "trunc", "rint", "copysign")},
    "mod": _mod, "floordiv": _floordiv,
    "sign": _sign, "step": _step, "wins": _wins, "relu": _relu,
    "maximum": _extreme("olt"), "minimum": _extreme("ogt"), "where": _where,
    "sigmoid": _sigmoid, "sigmoid_slope": _sigmoid_slope, "softplus": _softplus,
    "logaddexp": _logaddexp, "cosine": _cosine, "share": _share,
    "one_minus_square": _one_minus_square, "gaussian": _gaussian,
}


def _norm_end(e: Emitter, x: Sequence[str]) -> str:
    """The norm from the largest size, the sum of squared ratios, and the largest but nan."""
    top, total, widest = x
    length = e.op("fmul", top, e.intrinsic("sqrt", total))
    flat = e.select(e.compare("oeq", top, e.const(0.0)), top, length)
    return e.select(e.compare("oeq", widest, e.const(float("inf"))), e.const(float("inf")), flat)


def _logsumexp_end(e: Emitter, x: Sequence[str]) -> str:
    """logsumexp from the largest operand and the sum of exponentials but for its own."""
    top, total = x
    finite = e.op("fadd", top, e.call("log1p", total))
    endless = e.compare("oeq", e.intrinsic("fabs", top), e.const(float("inf")))
    return e.select(endless, top, finite)


def _is_zero(e: Emitter, x: Sequence[str]) -> str:
    return e.select(e.compare("oeq", x[0], e.const(0.0)), e.const(1.0), e.const(0.0))


def _unless_zero(e: Emitter, x: Sequence[str]) -> str:
    """The second operand, but 0 where the first is."""
    return e.select(e.compare("oeq", x[0], e.const(0.0)), e.const(0.0), x[1])


def _root(e: Emitter, x: Sequence[str]) -> str:
    """x**0.5, which is inf at -inf, and 0 at -0.0."""
    endless = e.compare("oeq", x[0], e.const(float("-inf")))
    return e.select(endless, e.const(float("inf")),
                    e.op("fadd", e.intrinsic("sqrt", x[0]), e.const(0.0)))


def _keep(relation: str, outcome: bool) -> Emit:
    return lambda e, x: e.where_holds(relation, outcome, x[1], x[2], x[0], e.const(float("nan")))


SCIPY = "chainrule_scipy_"  # in front of the symbols of SciPy's functions
PYTHONS = "chainrule_python_"  # and of those of rows that are called as they are


def called(op: str) -> Emit:
    """A row of the library that SciPy or Python computes: it is called, row by row."""
    name = lookup(op).scipy
    if name:
        return lambda e, x: e.call(SCIPY + name, *x, flag=True)
    return lambda e, x: e.call_back(PYTHONS + op, *x)


class Step(NamedTuple):
    """An operation that is no row of the table: what programs are rewritten to."""

    arity: int
    emit: Emit


STEPS: dict[str, Step] = {
    "fma": Step(3, lambda e, x: e.intrinsic("fma", x[0], x[1], x[2])),
    "nan_to_zero": Step(1, lambda e, x: e.select(e.compare("uno", x[0], x[0]), e.const(0.0), x[0])),
    "root": Step(1, _root),
    "norm_end": Step(3, _norm_end), "logsumexp_end": Step(2, _logsumexp_end),
    "is_zero": Step(1, _is_zero), "unless_zero": Step(2, _unless_zero),
    EITHER: Step(2, lambda e, x: e.select(e.compare("uno", x[0], x[0]), x[1], x[0])),
    **{name: Step(3, _keep(*kept)) for name, kept in KEEPING.items()},
}
