"""The table of primitives: all that is known about one operation stands in one row.

A row holds the value, the partial derivatives, the domain, the kinks and the notation.
Operators, the backward pass, drawing, explaining, checking and compiling iterate over it.

A partial derivative is ordinary arithmetic on the operands and the result. It is written once
and runs on floats (the backward pass) and on Values (the graph of the derivative), so it uses
the primitives of this file, which take both, and never ``math``.
"""

# In lambdas at the top of a cycle of imports, mypy does not know yet that a Value has operators.
# mypy: disable-error-code="operator"

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import add as _plus
from operator import mul as _times
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from autograd.core import rounding
from autograd.core.near_zero import CLOSE, is_near_zero, log_of_sum
from autograd.core.primitive import ALL as ALL
from autograd.core.primitive import DOMAIN_ERRORS as DOMAIN_ERRORS
from autograd.core.primitive import TABLE as TABLE
from autograd.core.primitive import Interval as Interval
from autograd.core.primitive import Primitive as Primitive
from autograd.core.primitive import as_float as as_float
from autograd.core.primitive import library as library
from autograd.core.primitive import lookup as lookup
from autograd.core.primitive import register as register
from autograd.core.primitive import value_class
from autograd.core.rounding import halves

if TYPE_CHECKING:
    from autograd.core.signatures import Binary, Dot, NAry, Unary, Where

LN2 = math.log(2.0)
LOG2E = 1.4426950408889634  # 1 / ln 2, rounded once
LOG10E = 0.4342944819032518  # 1 / ln 10, rounded once
TWO_OVER_SQRT_PI = 1.1283791670955126  # 2 / sqrt(pi), rounded once


@overload
def _row(name: str, value: Callable[..., float], partials: Callable[..., Sequence[Any]], *,
         arity: None, **fields: Any) -> Any: ...
@overload
def _row(name: str, value: Callable[[float], float], by_x: Callable[[Any, Any], Any],
         **fields: Any) -> Unary: ...
@overload
def _row(name: str, value: Callable[[float, float], float], by_a: Callable[[Any, Any, Any], Any],
         by_b: Callable[[Any, Any, Any], Any], **fields: Any) -> Binary: ...
@overload
def _row(name: str, value: Callable[[Any, float, float], float],
         by_c: Callable[[Any, Any, Any, Any], Any], by_a: Callable[[Any, Any, Any, Any], Any],
         by_b: Callable[[Any, Any, Any, Any], Any], **fields: Any) -> Where: ...
def _row(name: str, value: Callable[..., float], *partials: Callable[..., Any],
         **fields: Any) -> Any:
    arity = fields.setdefault("arity", len(partials))
    fields.setdefault("safe", (ALL,) * (arity or 1))
    return register(Primitive(name, value, partials if arity is not None else partials[0],
                              **fields))


table_row = _row  # for the modules that hold the rest of the table


def _function_latex(command: str) -> str:
    doubled = command.replace("{", "{{").replace("}", "}}")
    return rf"{doubled}\left({{0}}\right)"


# --- arithmetic ---------------------------------------------------------------------------------

_FACTOR: Interval = (-1e150, 1e150)
_POSITIVE: Interval = (1e-300, 1e300)

add = _row("add", lambda a, b: a + b, lambda a, b, y: 1.0, lambda a, b, y: 1.0,
           symbol="+", text="{0} + {1}", latex="{0} + {1}", precedence=1,
           summary="The sum of two numbers.",
           derivative=("1", "1"),
           exact=True, commutative=True, transparent=True, raises=(), hidden=True, growth=1)
sub = _row("sub", lambda a, b: a - b, lambda a, b, y: 1.0, lambda a, b, y: -1.0,
           symbol="-", text="{0} - {1}", latex="{0} - {1}", precedence=1, aliases=("subtract",),
           summary="The difference of two numbers.",
           derivative=("1", "-1"),
           exact=True, transparent=True, raises=(), hidden=True, growth=1)
mul = _row("mul", lambda a, b: a * b, lambda a, b, y: b, lambda a, b, y: a,
           symbol="*", text="{0} * {1}", latex=r"{0} \cdot {1}", precedence=2,
           safe=(_FACTOR, _FACTOR), aliases=("multiply",),
           summary="The product of two numbers.",
           derivative=("b", "a"),
           exact=True, commutative=True, transparent=True, raises=(), hidden=True)
div = _row("div", lambda a, b: a / b, lambda a, b, y: 1.0 / b, lambda a, b, y: -y / b,
           symbol="/", text="{0} / {1}", latex=r"\frac{{{0}}}{{{1}}}", precedence=2,
           domain="a divisor that is not 0", safe=((-1e100, 1e100), (1e-100, 1e100)),
           aliases=("divide", "true_divide"),
           summary="The quotient of two numbers.",
           derivative=("1 / b", "-a / b**2"),
           exact=True, raises=((1, "==", 0.0),), hidden=True)
neg = _row("neg", lambda x: -x, lambda x, y: -1.0,
           symbol="-", text="-{0}", latex="-{0}", precedence=3, aliases=("negative",),
           summary="The number with its sign changed.",
           derivative=("-1",),
           exact=True, transparent=True, raises=(), hidden=True, growth=1)
identity = _row("identity", lambda x: x, lambda x, y: 1.0,
                symbol="=", text="{0}", latex="{0}", aliases=("positive",),
                summary="The number itself, as a node of its own.",
                derivative=("1",),
                exact=True, transparent=True, raises=(), hidden=True, growth=1)


stopped = _row("stop_gradient", lambda x: x, lambda x, y: 0.0,
               summary="The number itself, which counts as a constant to derivatives.",
               derivative=("0",),
               exact=True, transparent=True, raises=(), hidden=True, stops=True, growth=1,
               flat=True)


def _power(base: float, exponent: float) -> float:
    if -math.inf < base < 0.0 and not exponent.is_integer() and math.isfinite(exponent):
        raise ValueError("math domain error")  # Python would drift into complex numbers
    try:
        return float(base ** exponent)
    except OverflowError:  # x**2 is inf where x * x is
        return -math.inf if base < 0.0 and math.fmod(exponent, 2.0) != 0.0 else math.inf


def _times_power(factor: Any, base: Any, exponent: Any) -> Any:
    """factor * base**exponent, without nodes for the exponents 0 and 1 of plain numbers."""
    if exponent.__class__ is float:
        if exponent == 0.0:
            return factor
        if exponent == 1.0:
            return factor * base
    return factor * pow(base, exponent)


def _power_by_base(a: Any, b: Any, y: Any) -> Any:
    # x**0 is 1 everywhere, so its derivative is 0 also where b * a**(b - 1) is 0 * 0**-1.
    if b == 0.0 and (b.__class__ is float or a == 0.0):
        return 0.0
    if b < 0.5:
        return b * y / a  # b - 1 would be rounded, and a**(b - 1) may overflow where b is 0
    return _times_power(b, a, b - 1.0)


def _power_by_exponent(a: Any, b: Any, y: Any) -> Any:
    if a == 0.0 and b > 0.0:
        return 0.0  # 0**b is 0 for all b > 0
    if a <= 0.0:
        raise ValueError("math domain error")
    return y * log(a)


pow = _row("pow", _power, _power_by_base, _power_by_exponent,
           symbol="**", text="{0}**{1}", latex="{0}^{{{1}}}", precedence=4,
           domain="a base > 0, or a base other than 0 with a whole exponent, or 0 with an "
                  "exponent >= 0 (a derivative by the exponent needs a base > 0; write the "
                  "exponent as a plain number)",
           safe=((1e-3, 1e3), (-20.0, 20.0)), aliases=("power",),
           summary="a raised to the power b; a**0 is 1 everywhere, and what is too large is inf.",
           derivative=("b * a**(b - 1)", "a**b * log(a)"),
           hidden=True)


# --- kinks: the derivative is the element of least norm of the subdifferential ------------------

def _sign(x: float) -> float:
    return 1.0 if x > 0.0 else -1.0 if x < 0.0 else x * 0.0


def _step(x: float) -> float:
    return 1.0 if x > 0.0 else 0.0 if x <= 0.0 else x


def _wins(a: float, b: float) -> float:
    """1 where a is the larger, 0 where it is the smaller, 1/2 at a tie."""
    return 1.0 if a > b else 0.0 if a < b else 0.5 if a == b else math.nan


def _zero(*_: Any) -> float:
    return 0.0


def _difference(a: float, b: float) -> float:
    return a - b if a != b else 0.0  # inf - inf would be nan


sign = _row("sign", _sign, _zero, kink=lambda x: x, latex=_function_latex(r"\operatorname{sgn}"),
            summary="-1, 0 or 1: the sign of x.",
            derivative=("0",),
            at_kink="at the jump, x = 0, the value and the derivative are 0",
            exact=True, raises=(), hidden=True, growth=0, flat=True)
step = _row("step", _step, _zero, kink=lambda x: x, latex=r"\left[{0} > 0\right]", text="[{0} > 0]",
            summary="1 for x > 0, else 0.",
            derivative=("0",),
            at_kink="at the jump, x = 0, the value and the derivative are 0",
            exact=True, raises=(), hidden=True, growth=0, flat=True)
wins = _row("wins", _wins, _zero, _zero, kink=_difference,
            latex=r"\left[{0} > {1}\right]", text="[{0} > {1}]",
            summary="1 where a > b, 0 where a < b, 1/2 at a tie.",
            derivative=("0", "0"),
            at_kink="at a tie the value is 1/2, the derivative 0",
            exact=True, raises=(), hidden=True, growth=0, flat=True)
absolute = _row("abs", lambda x: -x if x < 0.0 else x + 0.0, lambda x, y: sign(x),
                kink=lambda x: x, text="|{0}|", latex=r"\left|{0}\right|",
                aliases=("absolute", "fabs"),
                summary="The absolute value of x.",
                derivative=("where(x > 0, 1, where(x < 0, -1, 0))",),
                at_kink="0 at x = 0",
                exact=True, transparent=True, raises=(), growth=1)
relu = _row("relu", lambda x: 0.0 if x <= 0.0 else x, lambda x, y: step(x), kink=lambda x: x,
            symbol="ReLU", latex=_function_latex(r"\operatorname{ReLU}"),
            summary="The rectified linear unit, max(x, 0).",
            derivative=("where(x > 0, 1, 0)",),
            at_kink="0 at x = 0",
            exact=True, raises=(), growth=1)
maximum = _row("maximum", lambda a, b: b if a < b or b != b else a,
               lambda a, b, y: wins(a, b), lambda a, b, y: wins(b, a),
               kink=_difference, symbol="max", text="max({0}, {1})",
               latex=r"\max\left({0}, {1}\right)",
               summary="The larger of two numbers.",
               derivative=("where(a > b, 1, where(a < b, 0, 1/2))",
                           "where(b > a, 1, where(b < a, 0, 1/2))"),
               at_kink="a tie gives 1/2 to each",
               exact=True, commutative=True, raises=(), growth=1, chooses=True)
minimum = _row("minimum", lambda a, b: b if a > b or b != b else a,
               lambda a, b, y: wins(b, a), lambda a, b, y: wins(a, b),
               kink=_difference, symbol="min", text="min({0}, {1})",
               latex=r"\min\left({0}, {1}\right)",
               summary="The smaller of two numbers.",
               derivative=("where(a < b, 1, where(a > b, 0, 1/2))",
                           "where(b < a, 1, where(b > a, 0, 1/2))"),
               at_kink="a tie gives 1/2 to each",
               exact=True, commutative=True, raises=(), growth=1, chooses=True)


def _where_operands(condition: Any, a: Any, b: Any) -> tuple[Any, Any, Any]:
    """The arms may be functions without arguments; then only the one taken is evaluated."""
    taken = bool(condition)
    if callable(a) and not isinstance(a, Primitive):
        a = a() if taken else 0.0
    if callable(b) and not isinstance(b, Primitive):
        b = b() if not taken else 0.0
    return (1.0 if taken else 0.0, a, b)


def _where_slope(condition: Any, if_true: Any, if_false: Any) -> Any:
    """None for no adjoint; of a condition that is a Value, which a replay sees anew, 0."""
    if condition.__class__ is value_class[0]:
        return where.apply((condition, if_true or 0.0, if_false or 0.0))
    return if_true if condition else if_false


# The arm that is not taken receives no adjoint at all: 0 * inf in it cannot turn into nan.
where: Where = _row("where", lambda c, a, b: a if c else b,
             lambda c, a, b, y: None,
             lambda c, a, b, y: _where_slope(c, 1.0, None),
             lambda c, a, b, y: _where_slope(c, None, 1.0),
             safe=((0.0, 1.0), ALL, ALL), gather=_where_operands,
             text="where({0}, {1}, {2})",
             latex=r"\operatorname{{where}}\left({0}, {1}, {2}\right)",
             summary="a where the condition holds, else b. An arm may be a function without "
                     "arguments; it is evaluated only if it is taken.",
             slope="1 by the arm that is taken; the other receives no adjoint at all",
             exact=True, raises=(), parameters=("condition", "a", "b"), growth=1, chooses=True)


# --- rounding and remainders: constant, or of slope 1, between jumps ------------------------------

_NOT_FINITE = ((0, "==", math.inf), (0, "==", -math.inf))
_BY_ZERO = (1, "==", 0.0)
_WRAPPED: dict[str, Any] = {"safe": ((-1e3, 1e3), (1e-2, 1e2)), "domain": "a divisor that is not 0",
                            "exact": True, "raises": (_BY_ZERO,), "precedence": 2}


# The distances from a jump are waves: their sign changes at each jump, and in between they are
# continuous.

def _from_multiple(a: Any, b: Any) -> Any:
    """The distance of a from the nearest multiple of b."""
    if b == 0.0:
        return math.inf
    rest = ieee_remainder(a, 2.0 * b)
    return copysign(minimum(absolute(rest), absolute(absolute(b) - absolute(rest))), rest)


def _from_multiple_but_zero(a: Any, b: Any) -> Any:
    size, whole = absolute(a), absolute(b)
    return whole - size if size <= whole else _from_multiple(size, whole)


def _from_half_multiple(a: Any, b: Any) -> Any:
    """The distance of a from the nearest middle between two multiples of b."""
    return _from_multiple(a - 0.5 * b, b)


def _smaller(a: Any, b: Any) -> Any:
    """Of two numbers the one of the smaller size."""
    return b if absolute(b) < absolute(a) else a


def _minus_count(a: Any, b: Any, y: Any) -> Any:
    """Minus how often b was taken off a to leave y: constant between the jumps."""
    return -rint((a - y) / b)


def _rounded(x: float, scale: float) -> float:
    scaled = x * scale
    if not math.fabs(scaled) < 2.0 * rounding.WHOLE:
        return x + 0.0 / scale  # its last place is coarser; of the scale 0 it is an error
    # What rounding took away from the product (Dekker's product).
    (high, low), (top, rest) = halves(x), halves(scale)
    lost = ((high * top - scaled) + high * rest + low * top) + low * rest
    nearest = rint(scaled)
    off = scaled - nearest
    # A tie that is none: the product was a little more, or less, on the other side of the tie.
    is_tie = step(math.fabs(off) - 0.49999999999999994)
    return math.copysign((nearest + is_tie * step(off * lost) * sign(off)) / scale, x)


floor = _row("floor", rounding.floor, _zero, kink=lambda x: _from_multiple(x, 1.0),
             latex=r"\left\lfloor {0} \right\rfloor",
             summary="The largest whole number that is not above x.",
             derivative=("0",),
             at_kink="at the jumps, the whole numbers, the derivative is 0",
             exact=True, transparent=True, raises=(), growth=1)
ceil = _row("ceil", rounding.ceil, _zero, kink=lambda x: _from_multiple(x, 1.0),
            latex=r"\left\lceil {0} \right\rceil",
            summary="The smallest whole number that is not below x.",
            derivative=("0",),
            at_kink="at the jumps, the whole numbers, the derivative is 0",
            exact=True, transparent=True, raises=(), growth=1)
trunc = _row("trunc", rounding.trunc, _zero, kink=lambda x: _from_multiple_but_zero(x, 1.0),
             summary="x without its decimal places.",
             derivative=("0",),
             at_kink="at the jumps, the whole numbers but 0, the derivative is 0",
             exact=True, transparent=True, raises=(), growth=1)
rint: Unary = _row("rint", rounding.rint, _zero, kink=lambda x: _from_half_multiple(x, 1.0),
                   summary="The nearest whole number; of two that are as near the even one.",
                   derivative=("0",),
                   at_kink="at the jumps, in the middle between whole numbers, the derivative is 0",
                   exact=True, transparent=True, raises=(), growth=1)
rounded: Binary = _row("rounded", _rounded, _zero, lambda x, scale, y: -y / scale,
                       kink=lambda x, scale: _from_half_multiple(x, 1.0 / scale),
                       safe=((-1e3, 1e3), (10.0, 1e4)), text="rint({0} * {1}) / {1}",
                       latex=r"\operatorname{{rint}}\left({0} \cdot {1}\right) / {1}",
                       parameters=("x", "scale"), precedence=2,
                       summary="x rounded to decimal places, as round(x, digits) does it exactly; "
                               "scale is 10 to the power digits, at most 1e22.",
                       derivative=("0", "-y / scale"), domain="a scale that is not 0",
                       at_kink="at the jumps the derivative by x is 0",
                       exact=True, raises=(_BY_ZERO,), hidden=True)
mod = _row("mod", lambda a, b: a % b, lambda a, b, y: 1.0, _minus_count, kink=_from_multiple,
           symbol="%", text="{0} % {1}", latex=r"{0} \;\mathrm{{mod}}\; {1}",
           aliases=("remainder",),
           summary="The remainder of a divided by b, with the sign of b: a - b floor(a / b).",
           derivative=("1", "-floor(a / b)"),
           at_kink="at the jumps, multiples of b, that of one side", **_WRAPPED)
floordiv = _row("floordiv", lambda a, b: a // b, _zero, _zero, kink=_from_multiple, symbol="//",
                text="{0} // {1}", aliases=("floor_divide",),
                latex=r"\left\lfloor {0} / {1} \right\rfloor",
                summary="The quotient of two numbers, rounded down: floor(a / b).",
                derivative=("0", "0"),
                at_kink="at the jumps, multiples of b, the derivative is 0", **_WRAPPED)
fmod = _row("fmod", rounding.fmod, lambda a, b, y: 1.0, _minus_count, kink=_from_multiple_but_zero,
            **{**_WRAPPED, "domain": "a finite a, and a divisor that is not 0", "precedence": 9,
               "raises": (_BY_ZERO, *_NOT_FINITE)},
            summary="The remainder of a divided by b, with the sign of a: a - b trunc(a / b).",
            derivative=("1", "-trunc(a / b)"),
            at_kink="at the jumps, multiples of b but 0, that of one side")
ieee_remainder: Binary = _row(
    "ieee_remainder", rounding.remainder, lambda a, b, y: 1.0, _minus_count,
    kink=_from_half_multiple,
    **{**_WRAPPED, "domain": "a finite a, and a divisor that is not 0", "precedence": 9,
       "raises": (_BY_ZERO, *_NOT_FINITE)},
    summary="The remainder of a divided by b that is nearest to 0, as math.remainder: "
            "a - b rint(a / b).",
    derivative=("1", "-rint(a / b)"),
    at_kink="at the jumps, in the middle between multiples of b, that of one side")
copysign: Binary = _row(
    "copysign", math.copysign, lambda a, b, y: sign(a) * copysign(1.0, b), _zero,
    kink=_smaller, safe=(ALL, _POSITIVE),
    summary="The size of a with the sign of b.",
    derivative=("where(a > 0, 1, where(a < 0, -1, 0)) * copysign(1, b)", "0"),
    at_kink="0 at a = 0; at the jump, b = 0, that of the side that the sign of b is on",
    exact=True, raises=(), growth=1)


# --- exponentials and logarithms ----------------------------------------------------------------

_EXP: Interval = (-700.0, 700.0)
_LARGEST = 709.782712893384  # the largest operand of which exp is not too large for a float

exp = _row("exp", math.exp, lambda x, y: y, safe=(_EXP,), latex="e^{{{0}}}", precedence=4,
           summary="The exponential function, e to the power x.",
           derivative=("y",),
           raises=((0, ">", _LARGEST),))
exp2 = _row("exp2", lambda x: 2.0 ** x, lambda x, y: LN2 * y, safe=((-1000.0, 1000.0),),
            text="2**{0}", latex="2^{{{0}}}", precedence=4,
            summary="2 to the power x.",
            derivative=("log(2) * y",),
            raises=((0, ">=", 1024.0),))
expm1 = _row("expm1", math.expm1, lambda x, y: exp(x), safe=(_EXP,),
             summary="exp(x) - 1, with all its digits near 0.",
             derivative=("exp(x)",),
             raises=((0, ">", _LARGEST),))
log = _row("log", math.log, lambda x, y: 1.0 / x, domain="x > 0", safe=(_POSITIVE,),
           latex=_function_latex(r"\ln"),
           summary="The natural logarithm of x.",
           derivative=("1 / x",),
           transparent=True, raises=((0, "<=", 0.0),))
log2 = _row("log2", math.log2, lambda x, y: LOG2E / x, domain="x > 0", safe=(_POSITIVE,),
            latex=_function_latex(r"\log_2"),
            summary="The logarithm of x to the base 2.",
            derivative=("1 / (x * log(2))",),
            transparent=True, raises=((0, "<=", 0.0),))
log10 = _row("log10", math.log10, lambda x, y: LOG10E / x, domain="x > 0", safe=(_POSITIVE,),
             latex=_function_latex(r"\log_{10}"),
             summary="The logarithm of x to the base 10.",
             derivative=("1 / (x * log(10))",),
             transparent=True, raises=((0, "<=", 0.0),))
log1p = _row("log1p", math.log1p, lambda x, y: 1.0 / (1.0 + x), domain="x > -1",
             safe=((-1.0 + 1e-15, 1e300),),
             summary="log(1 + x), with all its digits near 0.",
             derivative=("1 / (1 + x)",),
             transparent=True, raises=((0, "<=", -1.0),))


def _sigmoid(x: float) -> float:
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)  # the other form would overflow
    return e / (1.0 + e)


def _softplus(x: float) -> float:
    return math.log1p(math.exp(-math.fabs(x))) + (0.0 if x <= 0.0 else x)


def _logaddexp(a: float, b: float) -> float:
    top, low = (b, a) if a < b else (a, b)
    if not math.fabs(top) <= CLOSE:
        if a == b:
            return a + LN2  # also for equal infinities
        return top + math.log1p(math.exp(low - top))
    gap = low - top
    rounding = (low - gap) - top  # of the gap; all of the result's error where the top is tiny
    decay = math.exp(gap)
    result = top + math.log1p(decay + decay * rounding if math.fabs(rounding) < 1.0 else decay)
    return log_of_sum(top, [low]) if is_near_zero(top, result) else result


# s(x) s(-x) keeps all its digits where s (1 - s) cancels. It is a primitive of its own because
# its derivative by the product rule would cancel near 0.
sigmoid = _row("sigmoid", _sigmoid, lambda x, y: sigmoid_slope(x), symbol="σ",
               latex=_function_latex(r"\sigma"), aliases=("expit",),
               summary="The logistic function, 1 / (1 + exp(-x)).",
               derivative=("y * (1 - y)",),
               loses_digits="where y is nearly 1",
               raises=(), growth=0)
sigmoid_slope: Unary = _row("sigmoid_slope", lambda x: _sigmoid(x) * _sigmoid(-x),
                            lambda x, y: -tanh(0.5 * x) * y, symbol="σ'", text="sigmoid'({0})",
                            latex=_function_latex(r"\sigma'"),
                            summary="The derivative of the logistic function.",
                            derivative=("y * (1 - 2 * sigmoid(x))",),
                            loses_digits="where x is nearly 0",
                            raises=(), hidden=True, growth=0)
softplus = _row("softplus", _softplus, lambda x, y: sigmoid(x),
                summary="log(1 + exp(x)), a smooth form of relu.",
                derivative=("sigmoid(x)",),
                raises=(), growth=1)
logaddexp = _row("logaddexp", _logaddexp,
                 lambda a, b, y: sigmoid(a - b), lambda a, b, y: sigmoid(b - a),
                 summary="log(exp(a) + exp(b)), which does not overflow.",
                 derivative=("sigmoid(a - b)", "sigmoid(b - a)"),
                 commutative=True, raises=())


# --- roots and lengths --------------------------------------------------------------------------

def _cbrt(x: float) -> float:
    if x == 0.0 or not math.isfinite(x):
        return x
    mantissa, exponent = math.frexp(math.fabs(x))
    third, rest = divmod(exponent, 3)
    mantissa = math.ldexp(mantissa, rest)
    root = mantissa ** (1.0 / 3.0)
    root -= (root * root * root - mantissa) / (3.0 * root * root)  # one Newton step
    return math.copysign(math.ldexp(root, third), x)


def _cosine(a: float, b: float) -> float:
    if math.fabs(a) < math.fabs(b):
        ratio = a / math.fabs(b)
        return ratio / math.sqrt(1.0 + ratio * ratio)
    if a == 0.0:
        return a * b  # at the origin: the least subgradient; but nan, if b is
    ratio = b / a
    return (-1.0 if a < 0.0 else 1.0) / math.sqrt(1.0 + ratio * ratio)


def _cosine_by_first(a: Any, b: Any, y: Any) -> Any:
    if a == 0.0 and b == 0.0:
        return 0.0
    side = cosine(b, a)
    return side / hypot(a, b) * side


def _cosine_by_second(a: Any, b: Any, y: Any) -> Any:
    if a == 0.0 and b == 0.0:
        return 0.0
    return -y / hypot(a, b) * cosine(b, a)


sqrt = _row("sqrt", math.sqrt, lambda x, y: 0.5 / y, domain="x >= 0 (its derivative: x > 0)",
            safe=(_POSITIVE,), latex=r"\sqrt{{{0}}}",
            summary="The square root of x.",
            derivative=("1 / (2 * y)",),
            exact=True, transparent=True, raises=((0, "<", 0.0),))
cbrt = _row("cbrt", _cbrt, lambda x, y: y / x / 3.0,
            domain="any x (its derivative: x other than 0)", safe=(_POSITIVE,),
            latex=r"\sqrt[3]{{{0}}}",
            summary="The cube root of x, also of a negative one.",
            derivative=("1 / (3 * y**2)",),
            transparent=True, raises=())
hypot = _row("hypot", math.hypot, lambda a, b, y: cosine(a, b), lambda a, b, y: cosine(b, a),
             kink=math.hypot, safe=(_FACTOR, _FACTOR),
             summary="The length of the vector (a, b): sqrt(a**2 + b**2), which does not overflow.",
             derivative=("a / y", "b / y"),
             loses_digits="where y is very large or small",
             at_kink="0 at the origin",
             commutative=True, transparent=True, raises=(), growth=1)
# The derivative of a / y by a is b**2 / y**3, of which 1 / y - a / y**2 * a / y loses all digits
# where b is small; so it is a primitive of its own.
cosine: Primitive = _row("cosine", _cosine, _cosine_by_first, _cosine_by_second, kink=math.hypot,
                         safe=(_FACTOR, (1e-100, 1e150)), text="cos∠({0}, {1})",
                         latex=r"\cos\angle\left({0}, {1}\right)",
                         summary="a / hypot(a, b): the cosine of the angle from the first axis to "
                                 "the point (a, b).",
                         derivative=("b**2 / hypot(a, b)**3", "-a * b / hypot(a, b)**3"),
                         at_kink="0 at the origin, as is the value",
                         exact=True, raises=(), hidden=True, growth=0)


# --- circular and hyperbolic functions ----------------------------------------------------------

_UNIT: Interval = (-1.0 + 1e-15, 1.0 - 1e-15)
_ANGLE: Interval = (-1e5, 1e5)
_OUTSIDE_UNIT = ((0, "<", -1.0), (0, ">", 1.0))
_LARGEST_HYPERBOLIC = 710.4758600739439  # of which sinh and cosh are not too large for a float
_HYPERBOLIC = ((0, "<", -_LARGEST_HYPERBOLIC), (0, ">", _LARGEST_HYPERBOLIC))


def _over_sum_of_squares(part: Any, a: Any, b: Any) -> Any:
    length = hypot(a, b)  # a*a + b*b would overflow, or vanish
    return part / length / length


def _distance_to_cut(a: float, b: float) -> float:
    """How far (b, a) is from the half-line on which atan2 jumps from -pi to pi."""
    return a if b < 0.0 else math.hypot(a, b)


# (1 - x)(1 + x) is exact where 1 - x*x has lost its digits; as a primitive it has a derivative
# that does not cancel.
one_minus_square = _row("one_minus_square", lambda x: (1.0 - x) * (1.0 + x),
                        lambda x, y: -2.0 * x, safe=(_FACTOR,), text="(1 - {0}**2)",
                        latex=r"\left(1 - {0}^2\right)",
                        summary="1 - x**2, with all its digits near 1 and -1.",
                        derivative=("-2 * x",),
                        exact=True, transparent=True, raises=(), hidden=True, growth=2)
sin = _row("sin", math.sin, lambda x, y: cos(x), safe=(_ANGLE,), latex=_function_latex(r"\sin"),
           domain="a finite x",
           summary="The sine of x radians.",
           derivative=("cos(x)",),
           transparent=True, raises=_NOT_FINITE, growth=0)
cos: Unary = _row("cos", math.cos, lambda x, y: -sin(x), safe=(_ANGLE,),
                  latex=_function_latex(r"\cos"), domain="a finite x",
                  summary="The cosine of x radians.",
                  derivative=("-sin(x)",),
                  transparent=True, raises=_NOT_FINITE, growth=0)
tan = _row("tan", math.tan, lambda x, y: 1.0 / cos(x) / cos(x), safe=((-1.57, 1.57),),
           latex=_function_latex(r"\tan"), domain="a finite x",
           summary="The tangent of x radians.",
           derivative=("1 / cos(x)**2",),
           transparent=True, raises=_NOT_FINITE)
asin = _row("asin", math.asin, lambda x, y: 1.0 / sqrt(one_minus_square(x)),
            domain="-1 <= x <= 1 (its derivative: -1 < x < 1)", safe=(_UNIT,),
            latex=_function_latex(r"\arcsin"), aliases=("arcsin",),
            summary="The angle in radians, from -pi/2 to pi/2, whose sine is x.",
            derivative=("1 / sqrt(1 - x**2)",),
            loses_digits="where x is nearly 1 or -1",
            transparent=True, raises=_OUTSIDE_UNIT)
acos = _row("acos", math.acos, lambda x, y: -1.0 / sqrt(one_minus_square(x)),
            domain="-1 <= x <= 1 (its derivative: -1 < x < 1)", safe=(_UNIT,),
            latex=_function_latex(r"\arccos"), aliases=("arccos",),
            summary="The angle in radians, from 0 to pi, whose cosine is x.",
            derivative=("-1 / sqrt(1 - x**2)",),
            loses_digits="where x is nearly 1 or -1",
            transparent=True, raises=_OUTSIDE_UNIT)
atan = _row("atan", math.atan, lambda x, y: 1.0 / hypot(1.0, x) / hypot(1.0, x),
            latex=_function_latex(r"\arctan"), aliases=("arctan",),
            summary="The angle in radians, from -pi/2 to pi/2, whose tangent is x.",
            derivative=("1 / (1 + x**2)",),
            loses_digits="where x**2 overflows",
            raises=(), growth=0)
atan2 = _row("atan2", math.atan2, lambda a, b, y: _over_sum_of_squares(b, a, b),
             lambda a, b, y: _over_sum_of_squares(-a, a, b), kink=_distance_to_cut,
             aliases=("arctan2",),
             domain="two operands that are not both 0 (for its derivative)",
             safe=(_FACTOR, (1e-100, 1e150)),
             summary="The angle in radians, from -pi to pi, of the point with the ordinate a and "
                      "the abscissa b.",
             derivative=("b / (a**2 + b**2)", "-a / (a**2 + b**2)"),
             loses_digits="where a**2 + b**2 overflows or vanishes",
             at_kink="where the angle jumps from -pi to pi, that of both sides",
             raises=())
sinh = _row("sinh", math.sinh, lambda x, y: cosh(x), safe=(_EXP,), latex=_function_latex(r"\sinh"),
            summary="The hyperbolic sine of x.",
            derivative=("cosh(x)",),
            transparent=True, raises=_HYPERBOLIC)
cosh: Unary = _row("cosh", math.cosh, lambda x, y: sinh(x), safe=(_EXP,),
                   latex=_function_latex(r"\cosh"),
                   summary="The hyperbolic cosine of x.",
                   derivative=("sinh(x)",),
                   transparent=True, raises=_HYPERBOLIC)
# 1 - y*y is 0 from x = 19 on; this form is right until the derivative itself is 0.
tanh: Unary = _row("tanh", math.tanh, lambda x, y: 4.0 * sigmoid_slope(2.0 * x),
                   latex=_function_latex(r"\tanh"),
                   summary="The hyperbolic tangent of x.",
                   derivative=("1 - y**2",),
                   loses_digits="where y is nearly 1 or -1",
                   raises=(), growth=0)
asinh = _row("asinh", math.asinh, lambda x, y: 1.0 / hypot(1.0, x), aliases=("arcsinh",),
             summary="The number whose hyperbolic sine is x.",
             derivative=("1 / sqrt(x**2 + 1)",),
             loses_digits="where x**2 overflows",
             transparent=True, raises=())
acosh = _row("acosh", math.acosh, lambda x, y: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),
             domain="x >= 1 (its derivative: x > 1)", safe=((1.0 + 1e-15, 1e300),),
             aliases=("arccosh",),
             summary="The number from 0 on whose hyperbolic cosine is x.",
             derivative=("1 / sqrt(x**2 - 1)",),
             loses_digits="where x is nearly 1",
             transparent=True, raises=((0, "<", 1.0),))
atanh = _row("atanh", math.atanh, lambda x, y: 1.0 / one_minus_square(x),
             domain="-1 < x < 1", safe=(_UNIT,), aliases=("arctanh",),
             summary="The number whose hyperbolic tangent is x.",
             derivative=("1 / (1 - x**2)",),
             loses_digits="where x is nearly 1 or -1",
             transparent=True, raises=((0, "<=", -1.0), (0, ">=", 1.0)))


# --- the error function -------------------------------------------------------------------------

def _gaussian(x: float) -> float:
    if not math.fabs(x) < 30.0:
        return 0.0 if x == x else x
    # The rounding of x*x would be magnified x*x times by exp, so it is split off exactly.
    high, low = halves(x)
    return math.exp(-high * high) * math.exp(-low * (x + high))


def _gaussian_partial(x: Any, y: Any) -> Any:
    if y > 3e-308 or x == 0.0:
        return -2.0 * x * y
    root = gaussian(0.5 * x)  # y has lost digits to underflow; its fourth root has not
    return -2.0 * x * root * root * root * root


gaussian = _row("gaussian", _gaussian, _gaussian_partial, latex="e^{{-{0}^2}}",
                text="exp(-{0}**2)", precedence=4,
                summary="exp(-x**2).",
                derivative=("-2 * x * y",),
                raises=(), hidden=True, growth=0)
erf = _row("erf", math.erf, lambda x, y: TWO_OVER_SQRT_PI * gaussian(x),
           summary="The error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.",
           derivative=("2 / sqrt(pi) * exp(-x**2)",),
           raises=(), growth=0)
erfc = _row("erfc", math.erfc, lambda x, y: -TWO_OVER_SQRT_PI * gaussian(x),
            summary="1 - erf(x), with all its digits where erf(x) is nearly 1.",
            derivative=("-2 / sqrt(pi) * exp(-x**2)",),
            raises=(), growth=0)


# --- any number of operands ---------------------------------------------------------------------

def _flat(values: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(values.flat) if isinstance(values, np.ndarray) else tuple(values)
    except TypeError:
        if hasattr(values, "__iter__"):  # it is what the sequence computes that fails
            raise
        raise TypeError(f"a sequence of numbers is wanted, such as [a, b, c], not "
                        f"{values!r}") from None


def _pairs(a: Iterable[Any], b: Iterable[Any]) -> tuple[Any, ...]:
    first, second = _flat(a), _flat(b)
    if len(first) != len(second):
        raise ValueError(f"dot needs two sequences of one length, not {len(first)} and "
                         f"{len(second)} numbers")
    return first + second


def _sum(*values: float) -> float:
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):  # infinities: fsum refuses what + defines
        total = 0.0
        for value in values:
            total += value
        return total


def sum_of_products(a: Sequence[float], b: Sequence[float]) -> float:
    """The number that a node of dot has."""
    return float(builtins.sum(map(_times, a, b)))


def _dot(*values: float) -> float:
    half = len(values) // 2
    return sum_of_products(values[:half], values[half:])


def _dot_partials(*operands_and_result: Any) -> Sequence[Any]:
    operands = operands_and_result[:-1]
    half = len(operands) // 2
    return operands[half:] + operands[:half]


def joined_others(items: Sequence[Any], join: Callable[[Any, Any], Any],
                   nothing: float) -> list[Any]:
    """For each item all the others, joined: nothing is taken away again, so nothing cancels.

    Args:
        items: any number of them.
        join: an associative operation. It is done on pairs of pairs, so that few of its rounding
            errors add up, also for many items.
        nothing: what the others of a single item are.
    """
    if len(items) < 3:
        return list(items[::-1]) if len(items) == 2 else [nothing] * len(items)
    paired = len(items) // 2 * 2
    pairs = [*map(join, items[::2], items[1::2]), *items[paired:]]
    outside = joined_others(pairs, join, nothing)
    return [*(join(items[i ^ 1], outside[i // 2]) for i in range(paired)), *outside[paired // 2:]]


def _prod_partials(*factors_and_result: Any) -> Sequence[Any]:
    """The product of all other factors, without division: right with zeros among them."""
    return joined_others(factors_and_result[:-1], _times, 1.0)


def _norm_partials(*operands_and_result: Any) -> Sequence[Any]:
    operands, are_floats = operands_and_result[:-1], operands_and_result[-1].__class__ is float
    # Of floats the values of the rows are the same, and quicker.
    length, direction = (math.hypot, _cosine) if are_floats else (hypot, cosine)
    return list(map(direction, operands, joined_others(operands, length, 0.0)))


def shares_of_exponentials(*operands_and_result: Any) -> Sequence[Any]:
    """Weights by their sum. What all share cancels out, such as the digits that y has lost."""
    *operands, y = operands_and_result
    weights = [exp(x - y) for x in operands]
    return list(map(share, weights, joined_others(weights, _plus, 0.0)))


def _logsumexp(*values: float) -> float:
    if not values:
        raise ValueError("math domain error")
    if any(value != value for value in values):
        return math.nan
    top = max(values)
    if math.isinf(top):
        return top
    # Without the 1 of the top itself, beside which the others may be too small to be seen.
    result = top + math.log1p(math.fsum([-1.0, *(math.exp(value - top) for value in values)]))
    if is_near_zero(top, result):
        others = list(values)
        others.remove(top)
        return log_of_sum(top, others)
    return result


def _extreme(of_two: Primitive) -> Callable[..., float]:
    def value(*values: float) -> float:
        if not values:
            raise ValueError("math domain error")
        return reduce(of_two.value, values)

    return value


def _equal_shares(ties: Sequence[Any]) -> Sequence[Any]:
    """Of those that tie, the same to each: the least subgradient."""
    total = sum(ties)
    return [tie / total for tie in ties]


def _share(a: float, b: float) -> float:
    total = a + b
    return a / total if total != 0.0 else a * math.inf  # as IEEE arithmetic has it


_N_ARY: dict[str, Any] = {"arity": None, "gather": _flat, "parameters": ("values",)}

sum: NAry = _row("sum", _sum, lambda *xs: [1.0] * (len(xs) - 1), symbol="Σ",
           latex=r"\sum\left({all}\right)", **_N_ARY,
           summary="The sum of any number of numbers, rounded once.",
           slope="1 by each operand",
           derivative=("1",),
           commutative=True, transparent=True, raises=(), growth=1)
prod: NAry = _row("prod", lambda *xs: float(math.prod(xs)), _prod_partials, symbol="Π",
            safe=((-1e3, 1e3),), latex=r"\prod\left({all}\right)", **_N_ARY,
            summary="The product of any number of numbers.",
            slope="by each operand the product of all others",
            exact=True, commutative=True, transparent=True, raises=())
dot: Dot = _row("dot", _dot, _dot_partials, arity=None, gather=_pairs, symbol="·", safe=(_FACTOR,),
           summary="The sum of the products of two sequences of numbers.",
           slope="by each number the number that it is multiplied with",
           transparent=True, raises=(), paired=True, parameters=("a", "b"))
norm: NAry = _row("norm", math.hypot, _norm_partials,
            kink=math.hypot, safe=(_FACTOR,), symbol="‖·‖", text="norm({all})",
            latex=r"\left\|{all}\right\|", **_N_ARY,
            summary="The length of a vector, the square root of the sum of squares; it does not "
                   "overflow.",
            slope="by each operand x / y",
            derivative=("x / y",),
            loses_digits="where y is very large or small",
            at_kink="0 at the origin",
            commutative=True, transparent=True, raises=(), growth=1)
largest: NAry = _row("largest", _extreme(maximum),
               lambda *xs: _equal_shares([wins(x, xs[-1]) for x in xs[:-1]]),
               kink=lambda *xs: _difference(*sorted(xs)[-2:]) if len(xs) > 1 else math.inf,
               domain="at least one operand", symbol="max", text="max({all})",
               latex=r"\max\left({all}\right)", **_N_ARY,
               summary="The largest of any number of numbers.",
               slope="1 by the largest operand, 0 by the others",
               derivative=("where(x == y, 1, 0)",),
               at_kink="a tie gives the same to each that is the largest",
               exact=True, commutative=True, raises=(), hidden=True, growth=1, chooses=True)
smallest: NAry = _row("smallest", _extreme(minimum),
                lambda *xs: _equal_shares([wins(xs[-1], x) for x in xs[:-1]]),
                kink=lambda *xs: _difference(*sorted(xs)[:2]) if len(xs) > 1 else math.inf,
                domain="at least one operand", symbol="min", text="min({all})",
                latex=r"\min\left({all}\right)", **_N_ARY,
                summary="The smallest of any number of numbers.",
                slope="1 by the smallest operand, 0 by the others",
                derivative=("where(x == y, 1, 0)",),
                at_kink="a tie gives the same to each that is the smallest",
                exact=True, commutative=True, raises=(), hidden=True, growth=1, chooses=True)
logsumexp: NAry = _row("logsumexp", _logsumexp, shares_of_exponentials,
                 domain="at least one operand", **_N_ARY,
                 summary="The logarithm of the sum of exponentials, which does not overflow.",
                 slope="by each operand exp(x - y), the softmax",
                 derivative=("exp(x - y)",),
                 loses_digits="where y is large",
                 commutative=True, raises=())
# The derivative of a / (a + b) by a is b / (a + b)**2; by the rule of quotients it would cancel.
share: Primitive = _row("share", _share, lambda a, b, y: share(b, a) / (a + b),
                        lambda a, b, y: -y / (a + b),
                        safe=((1e-100, 1e100), (1e-100, 1e100)),
                        text="{0} / ({0} + {1})", latex=r"\frac{{{0}}}{{{0} + {1}}}", precedence=2,
                        summary="a / (a + b): the share of a, where neither is negative.",
                        derivative=("b / (a + b)**2", "-a / (a + b)**2"),
                        exact=True, raises=(), hidden=True)
