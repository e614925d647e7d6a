"""The error function's relatives, and the normal distribution, as rows of the table.

Everything rests on exp(x**2) times the repeated integrals of erfc, which neither overflow nor
cancel where x is large; formulas: DLMF 7.2, 7.17, 7.18.
"""

# In lambdas at the top of a cycle of imports, mypy does not know yet that a Value has operators.
# mypy: disable-error-code="operator"

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograd.core.coefficients import ERFCX_0, ERFCX_1, ERFCX_2
from autograd.core.primitive import no_slope
from autograd.core.primitives import table_row as _row
from autograd.core.rounding import WHOLE, halves

if TYPE_CHECKING:
    from autograd.core.signatures import Unary

_LOG_TWO = math.log(2.0)
_ROOT_HALF = math.sqrt(0.5)
_ROOT_TWO = math.sqrt(2.0)
_ROOT_PI = math.sqrt(math.pi)
_ROOT_TAU = math.sqrt(2.0 * math.pi)
_TWO_OVER_ROOT_PI = 2.0 / _ROOT_PI
_LAST = 40.0  # beyond it exp(-x**2 / 2) is 0
_LEAST = -26.62873571375149  # of which erfcx is not too large for a float
_LOWEST = -1.896150381621835e154  # of which half the square is not too large for a float


# --- exp(x**2) times the repeated integrals of erfc -----------------------------------------------

def _chebyshev(x: float, factors: Sequence[float]) -> float:
    """The series of the table for x >= 0, by Clenshaw's recurrence."""
    twice = 2.0 * (1.0 - 8.0 / (x + 4.0))
    b, before = 0.0 * x, 0.0 * x
    for factor in factors[:0:-1]:
        b, before = twice * b - before + factor, b
    return 0.5 * (twice * b + factors[0]) - before


def _exp_square(x: float) -> float:
    """exp(x**2): its rounding would be magnified x**2 times, so it is split off exactly."""
    high, low = halves(x)
    return math.exp(high * high) * math.exp(low * (x + high))


def _erfcx_above_zero(x: float) -> float:
    return _chebyshev(x, ERFCX_0) / (x + 1.0)


def _first_above_zero(x: float) -> float:
    return _chebyshev(x, ERFCX_1) / (x + 1.0) / (x + 1.0)


def _second_above_zero(x: float) -> float:
    return _chebyshev(x, ERFCX_2) / (x + 1.0) / (x + 1.0) / (x + 1.0)


def _erfcx_below_zero(x: float) -> float:
    return _exp_square(x) * math.erfc(x)


def _erfcx(x: float) -> float:
    if x >= 0.0:
        return _erfcx_above_zero(x) if x < math.inf else 0.0
    return _too_large(x) if x < _LEAST else _erfcx_below_zero(x)


def _first(x: float) -> float:
    if x >= 0.0:
        return _first_above_zero(x) if x < math.inf else 0.0
    return _too_large(x) if x < _LEAST else 1.0 / _ROOT_PI - x * _erfcx_below_zero(x)


def _second(x: float) -> float:
    if x >= 0.0:
        return _second_above_zero(x) if x < math.inf else 0.0
    if x < _LEAST:
        return _too_large(x)
    zeroth = _erfcx_below_zero(x)
    return 0.25 * (zeroth - 2.0 * x * (1.0 / _ROOT_PI - x * zeroth))


def _erfcx_integral(n: float, x: float) -> float:
    if n == 1.0:
        return _first(x)
    if n == 2.0:
        return _second(x)
    return _of_no_order(n, x)


def _of_no_order(n: float, x: float) -> float:
    """What is nan where an operand is; compiled code does not call that an error either."""
    if x != x:
        return x
    if n != n:
        return n
    raise ValueError("math domain error")


def _too_large(x: float) -> float:
    if x == -math.inf:
        return math.inf
    raise OverflowError("math range error")


# --- the normal distribution ----------------------------------------------------------------------

def _bell(x: float) -> float:
    if not math.fabs(x) < _LAST:
        return 0.0 if x == x else x
    return _bell_within(x)


def _bell_within(x: float) -> float:
    high, low = halves(x)
    return math.exp(-0.5 * high * high) * math.exp(-0.5 * low * (x + high))


def _lower_tail(x: float) -> float:
    """The distribution function for x <= 0."""
    return 0.5 * _bell_within(x) * _erfcx_above_zero(-x * _ROOT_HALF)


def _ndtr(x: float) -> float:
    if x <= -_LAST:
        return 0.0
    if x >= _LAST:
        return 1.0
    return _lower_tail(x) if x <= 0.0 else 1.0 - _lower_tail(-x)


def _log_ndtr(x: float) -> float:
    if x < _LOWEST:
        return -_too_large(x)
    if x < 0.0:
        return math.log(0.5 * _erfcx_above_zero(-x * _ROOT_HALF)) - 0.5 * x * x
    return -0.0 if x >= _LAST else math.log1p(-_lower_tail(-x))


def _hazard(x: float) -> float:
    """The slope of log_ndtr: density by distribution function."""
    if x == -math.inf:
        return math.inf
    if x < 0.0:
        return 2.0 / _ROOT_TAU / _erfcx_above_zero(-x * _ROOT_HALF)
    return 0.0 if x >= _LAST else _hazard_above_zero(x)


def _hazard_above_zero(x: float) -> float:
    return _bell_within(x) / _ROOT_TAU / (1.0 - _lower_tail(-x))


def _hazard_slope(x: float) -> float:
    if x == -math.inf:
        return -1.0
    if x < 0.0:
        z = -x * _ROOT_HALF
        scaled = _erfcx_above_zero(z)
        return -_TWO_OVER_ROOT_PI * (_first_above_zero(z) / scaled) / scaled
    if x >= _LAST:
        return -0.0
    hazard = _hazard_above_zero(x)
    return -hazard * (x + hazard)


def _log_ndtr_slope(n: float, x: float) -> float:
    if n == 1.0:
        return _hazard(x)
    if n == 2.0:
        return _hazard_slope(x)
    return _of_no_order(n, x)


def _ndtri(p: float) -> float:
    if p <= 0.0 or p >= 1.0:
        raise ValueError("math domain error")
    if p <= 0.25:
        return _quantile(2.0 * p)
    return -_quantile(2.0 * (1.0 - p)) if p >= 0.75 else _ROOT_TWO * _central_erfinv(2.0 * p - 1.0)


def _quantile(twice: float) -> float:
    """That of the probability 0 < twice / 2 <= 1/4, which may be too small for a float.

    A rough one (Abramowitz and Stegun 26.2.22), and three steps of Halley's iteration.
    """
    t = math.sqrt(2.0 * (_LOG_TWO - math.log(twice)))
    x = (2.30753 + 0.27061 * t) / (1.0 + t * (0.99229 + t * 0.04481)) - t
    for _ in range(3):
        bell = _bell_within(x)
        step = 0.5 * _ROOT_TAU * (bell * _erfcx_above_zero(-x * _ROOT_HALF) - twice) / bell
        x -= step / (1.0 + 0.5 * x * step)
    return x


def _central_erfinv(y: float) -> float:
    """The inverse of erf for |y| <= 1/2, likewise."""
    square = y * y
    x = 0.5 * _ROOT_PI * y * (1.0 + square * (0.2617993877991494 + square * 0.1439317308492188))
    for _ in range(2):
        step = (math.erf(x) - y) / (_TWO_OVER_ROOT_PI * math.exp(-x * x))
        x -= step / (1.0 + x * step)
    return x


def _erfinv(y: float) -> float:
    if y <= -1.0 or y >= 1.0:
        raise ValueError("math domain error")
    size = math.fabs(y)
    if size <= 0.5:
        return _central_erfinv(y)
    tail = -_ROOT_HALF * _quantile(1.0 - size)
    return tail if y > 0.0 else -tail


def _erfcinv(p: float) -> float:
    if p <= 0.0 or p >= 2.0:
        raise ValueError("math domain error")
    if p < 0.5:
        return -_ROOT_HALF * _quantile(p)
    return _ROOT_HALF * _quantile(2.0 - p) if p > 1.5 else _central_erfinv(1.0 - p)


def _gelu(x: float) -> float:
    if x <= -_LAST:
        return -0.0
    if x >= _LAST:
        return x
    return x * _lower_tail(x) if x <= 0.0 else x - x * _lower_tail(-x)


# --- sin(pi x) / (pi x) ---------------------------------------------------------------------------

def _sine(x: float) -> float:
    """sin(pi x), with all its digits near whole x."""
    nearest = _nearest(x)
    return _sign(nearest) * math.sin(math.pi * (x - nearest))


def _cosine(x: float) -> float:
    """cos(pi x), with all its digits where it is nearly 0."""
    nearest = _nearest(x)
    return _sign(nearest) * math.sin(math.pi * (0.5 - math.fabs(x - nearest)))


def _nearest(x: float) -> float:
    """The nearest whole number."""
    return math.copysign((math.fabs(x) + WHOLE) - WHOLE, x)


def _sign(n: float) -> float:
    """1 of an even number, -1 of an odd one."""
    return 1.0 - 2.0 * math.fabs(n - 2.0 * _nearest(0.5 * n))


def _powers(square: float, factors: Sequence[float]) -> float:
    total = 0.0 * square
    for factor in reversed(factors):
        total = total * square + factor
    return total


# Taylor's series, in powers of (pi x)**2.
_SINC_FIRST = tuple((-1.0) ** k * 2.0 * k / math.factorial(2 * k + 1) for k in range(1, 11))
_SINC_SECOND = tuple((-1.0) ** k * 2.0 * k * (2.0 * k - 1.0) / math.factorial(2 * k + 1)
                     for k in range(1, 13))


def _wave(x: float) -> float:
    return _sine(x) / (math.pi * x)


def _sinc(x: float) -> float:
    if math.fabs(x) <= 1e-9:
        return 1.0
    return 0.0 if math.fabs(x) >= 2.0 * WHOLE else _wave(x)


def _sinc_slope(n: float, x: float) -> float:
    if n == 1.0:
        return _sinc_first(x)
    if n == 2.0:
        return _sinc_second(x)
    return _of_no_order(n, x)


def _sinc_first(x: float) -> float:
    if math.fabs(x) >= 2.0 * WHOLE:  # sin(pi x) is 0, cos(pi x) is 1
        return 1.0 / x
    if math.fabs(x) < 0.5:
        angle = math.pi * x
        return math.pi * angle * _powers(angle * angle, _SINC_FIRST)
    return (_cosine(x) - _wave(x)) / x


def _sinc_second(x: float) -> float:
    if math.fabs(x) >= 2.0 * WHOLE:
        return -2.0 / x / x
    if math.fabs(x) < 0.75:
        angle = math.pi * x
        return math.pi * math.pi * _powers(angle * angle, _SINC_SECOND)
    wave = _wave(x)
    return -math.pi * math.pi * wave - 2.0 * (_cosine(x) - wave) / x / x


# --- the rows -------------------------------------------------------------------------------------
# What serves the first and the second derivative is right to the last places; from the third
# derivative on the recurrences are written out, which lose digits where they cancel.

def _is_first(n: Any) -> bool:
    """Whether an order is the first one."""
    return float(n) == 1.0


_ORDERS = (1.0, 2.0)
_WAVE = (-1e5, 1e5)  # beyond it, no difference of floats sees the slope of a wave
_PROBABILITY = "0 < x < 1"

erfcx: Unary = _row("erfcx", _erfcx, lambda x, y: -2.0 * erfcx_integral(1.0, x),
                    safe=((-20.0, 1e300),),
                    summary="exp(x**2) * erfc(x), which does not underflow.",
                    derivative=("2 * x * y - 2 / sqrt(pi)",),
                    loses_digits="where x is large", raises=((0, "<", _LEAST),))
erfcx_integral: Any = _row(
    "erfcx_integral", _erfcx_integral, no_slope,
    lambda n, x, y: (-4.0 * erfcx_integral(2.0, x) if _is_first(n) else
                     2.0 * x * y - erfcx_integral(1.0, x)),
    orders=1, parameters=("n", "x"), safe=(_ORDERS, (-20.0, 1e5)), domain="the order n 1 or 2",
    summary="exp(x**2) times the integral of order n of erfc from x on.",
    slope="2 * x * y - erfcx_integral(n - 1, x) by x, none by n", hidden=True)
_bell_row = _row("normal_bell", _bell, lambda x, y: -x * y, hidden=True, text="exp(-{0}**2 / 2)",
                 latex="e^{{-{0}^2/2}}", precedence=4,
                 summary="exp(-x**2 / 2).", derivative=("-x * y",), raises=())
ndtr = _row("ndtr", _ndtr, lambda x, y: _bell_row(x) / _ROOT_TAU, latex=r"\Phi\left({0}\right)",
            summary="The distribution function of the standard normal distribution.",
            derivative=("exp(-x**2 / 2) / sqrt(2 * pi)",), raises=())
log_ndtr = _row("log_ndtr", _log_ndtr, lambda x, y: log_ndtr_slope(1.0, x), safe=((-1e150, 30.0),),
                summary="The logarithm of ndtr, with all its digits in both tails.",
                derivative=("exp(-x**2 / 2 - y) / sqrt(2 * pi)",),
                loses_digits="where x is far below 0", raises=((0, "<", _LOWEST),))
log_ndtr_slope: Any = _row(
    "log_ndtr_slope", _log_ndtr_slope, no_slope,
    lambda n, x, y: (log_ndtr_slope(2.0, x) if _is_first(n) else
                     -y * (x + 2.0 * log_ndtr_slope(1.0, x)) - log_ndtr_slope(1.0, x)),
    orders=1, parameters=("n", "x"), safe=(_ORDERS, (-1e4, 30.0)), domain="the order n 1 or 2",
    summary="The derivative of order n of log_ndtr(x).",
    slope="log_ndtr_slope(n + 1, x) by x, none by n", hidden=True)


def _density(y: Any) -> Any:
    """The normal density by p * (1 - p), p being ndtr(y): what y has lost to rounding hardly
    matters in it, while exp(-y**2 / 2) would magnify it y**2 times."""
    return log_ndtr_slope(1.0, y) + log_ndtr_slope(1.0, -y)


ndtri = _row("ndtri", _ndtri, lambda x, y: 1.0 / (x * (1.0 - x) * _density(y)),
             domain=_PROBABILITY, safe=((1e-290, 1.0 - 1e-15),),
             latex=r"\Phi^{{-1}}\left({0}\right)",
             summary="The inverse of ndtr: the quantile of the standard normal distribution.",
             derivative=("sqrt(2 * pi) * exp(y**2 / 2)",), loses_digits="where |y| is large",
             raises=((0, "<=", 0.0), (0, ">=", 1.0)))
erfinv = _row("erfinv", _erfinv,
              lambda x, y: _ROOT_TWO / ((1.0 - x) * (1.0 + x) * _density(_ROOT_TWO * y)),
              domain="-1 < x < 1", safe=((-1.0 + 1e-15, 1.0 - 1e-15),),
              latex=r"\operatorname{{erf}}^{{-1}}\left({0}\right)",
              summary="The inverse of erf.",
              derivative=("sqrt(pi) / 2 * exp(y**2)",), loses_digits="where |y| is large",
              raises=((0, "<=", -1.0), (0, ">=", 1.0)))
erfcinv = _row("erfcinv", _erfcinv,
               lambda x, y: -_ROOT_TWO / (x * (2.0 - x) * _density(_ROOT_TWO * y)),
               domain="0 < x < 2", safe=((1e-290, 2.0 - 1e-15),),
               latex=r"\operatorname{{erfc}}^{{-1}}\left({0}\right)",
               summary="The inverse of erfc.",
               derivative=("-sqrt(pi) / 2 * exp(y**2)",), loses_digits="where |y| is large",
               raises=((0, "<=", 0.0), (0, ">=", 2.0)))
gelu = _row("gelu", _gelu, lambda x, y: ndtr(x) + x * _bell_row(x) / _ROOT_TAU, symbol="GELU",
            summary="x * ndtr(x), the Gaussian error linear unit (Hendrycks and Gimpel 2016).",
            derivative=("ndtr(x) + x * exp(-x**2 / 2) / sqrt(2 * pi)",), raises=())
sinc: Unary = _row("sinc", _sinc, lambda x, y: sinc_slope(1.0, x), safe=(_WAVE,),
                   summary="sin(pi * x) / (pi * x), and 1 at x = 0.",
                   derivative=("(cos(pi * x) - y) / x",),
                   loses_digits="where x is nearly 0", raises=())
sinc_slope: Any = _row(
    "sinc_slope", _sinc_slope, no_slope,
    lambda n, x, y: (sinc_slope(2.0, x) if _is_first(n) else
                     -math.pi**2 * sinc_slope(1.0, x) - (3.0 * y + math.pi**2 * sinc(x)) / x),
    orders=1, parameters=("n", "x"), safe=(_ORDERS, (0.01, _WAVE[1])), domain="the order n 1 or 2",
    summary="The derivative of order n of sinc(x).",
    slope="sinc_slope(n + 1, x) by x, none by n", hidden=True)
