"""The gamma function, its logarithm, and the derivatives of that, as rows of the table.

Formulas: Stirling's series, the reflection formulas, and Euler's and Maclaurin's sum of
Hurwitz's zeta function; DLMF 5.11, 5.5.3 and 25.11.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from autograd.core.coefficients import (
    DIGAMMA,
    DIGAMMA_NEAR_THREE,
    DIGAMMA_OF_THREE,
    DIGAMMA_TAIL,
    DIGAMMA_ZERO,
    DIGAMMA_ZERO_REST,
    EULER_MACLAURIN,
    GAMMALN,
    STIRLING,
)
from autograd.core.primitive import no_slope
from autograd.core.primitives import rint
from autograd.core.primitives import table_row as _row
from autograd.core.rounding import WHOLE

_LOG_PI = 1.1447298858494002
_HALF_LOG_TAU_LESS_HALF = 0.4189385332046727  # log(2 pi) / 2 - 1 / 2, rounded once
_LARGEST = 2.559983327851638e305  # of which the logarithm is not too large for a float
_SHIFTS = 16  # terms that are added up before the sum of Euler and Maclaurin


def _series(x: float, factors: Sequence[float]) -> float:
    """x * factors[0] + x**2 * factors[1] + ..."""
    total = 0.0 * x
    for factor in reversed(factors):
        total = (total + factor) * x
    return total


def _fraction(x: float) -> float:
    """x less the nearest whole number, of a negative x."""
    return x - rint(x)


def _refuse_poles(x: float) -> None:
    if x <= -WHOLE or _fraction(x) == 0.0:
        raise ValueError("math domain error")


def _gamma(x: float) -> float:
    return math.gamma(x) if x != -math.inf else math.nan


# --- the logarithm --------------------------------------------------------------------------------

def _log_near_two(e: float) -> float:
    return _series(e, GAMMALN)


def _log_near_one(e: float) -> float:
    return _series(e, GAMMALN) - math.log1p(e)


def stirling_rest(x: float) -> float:
    """log(gamma(x)) less Stirling's formula, for x >= 10; there the terms left out are 1e-19."""
    return _series(1.0 / x / x, STIRLING) * x


def _stirling(x: float) -> float:
    """log(gamma(x)) for x >= 10."""
    return (x - 0.5) * (math.log(x) - 1.0) + (_HALF_LOG_TAU_LESS_HALF + stirling_rest(x))


def _gammaln(x: float) -> float:
    if x != x:
        return x
    if x >= 10.0:
        if x > _LARGEST:
            return _too_large(x)
        return _stirling(x)
    if x >= 3.0:
        return math.log(math.gamma(x))
    if x >= 1.5:
        return _log_near_two(x - 2.0)
    if x >= 0.5:
        return _log_near_one(x - 1.0)
    if x > 0.0:
        return _log_near_one(x) - math.log(x)
    _refuse_poles(x)
    if x > -0.5:
        return _log_near_one(x) - math.log(-x)
    if x > -20.0:
        return math.log(math.fabs(math.gamma(x)))
    return _LOG_PI - math.log(math.fabs(x * math.sin(math.pi * _fraction(x)))) - _stirling(-x)


def _too_large(x: float) -> float:
    if x == math.inf:
        return x
    raise OverflowError("math range error")


# --- its derivatives ------------------------------------------------------------------------------

def _digamma_above_zero(x: float) -> float:
    if x >= 8.0:
        return _digamma_far(x)
    if x > 4.0:
        # Four steps of digamma(x + 1) = digamma(x) + 1 / x.
        steps = 1.0 / (x + 3.0) + 1.0 / (x + 2.0) + 1.0 / (x + 1.0) + 1.0 / x
        return _digamma_far(x + 4.0) - steps
    if x > 2.0:
        return DIGAMMA_OF_THREE + _series(x - 3.0, DIGAMMA_NEAR_THREE)
    if x >= 1.0:
        return _digamma_near_zero(x)
    return _digamma_near_zero(x + 1.0) - 1.0 / x


def _digamma_far(x: float) -> float:
    square = 1.0 / x / x
    return math.log(x) - (0.5 / x + _series(square, DIGAMMA_TAIL))


def _digamma_near_zero(x: float) -> float:
    return _series((x - DIGAMMA_ZERO) - DIGAMMA_ZERO_REST, DIGAMMA)


def _digamma(x: float) -> float:
    if x != x:
        return x
    if x > 0.0:
        return _digamma_above_zero(x)
    if x > -0.5:
        if x == 0.0:
            raise ValueError("math domain error")
        return _digamma_near_zero(x + 2.0) - 1.0 / (x + 1.0) - 1.0 / x
    _refuse_poles(x)
    steps = 0.0 * x
    for k in range(8, 0, -1):
        steps += 1.0 / (k - x)
    return _digamma_far(9.0 - x) - steps - math.pi / math.tan(math.pi * _fraction(x))


def _hurwitz(n: float, x: float) -> float:
    """The sum of (x + k)**-(n + 1) over all k >= 0, for x > 0."""
    far = x + _SHIFTS
    square, term = 1.0 / far / far, (n + 1.0) / far
    total = 0.0 * x
    for k, factor in enumerate(EULER_MACLAURIN, 1):
        total += factor * term
        term *= (n + 2.0 * k) * (n + (2.0 * k + 1.0)) * square
    first = 0.0 * x  # the smallest first: in their sum few roundings count
    for k in range(_SHIFTS - 1, 0, -1):
        first += (x + k) ** (-1.0 - n)
    tail = (total + 0.5) * far ** (-1.0 - n) + far ** -n / n
    return float(tail + first + x ** (-1.0 - n))


def _polygamma_above_zero(n: float, x: float) -> float:
    size = math.gamma(n + 1.0) * _hurwitz(n, x)
    half = 0.5 * n
    return size if rint(half) != half else -size  # of an odd order


def _polygamma_below_zero(n: float, x: float) -> float:
    """By reflection, of which the derivatives of the cotangent are written out."""
    _refuse_poles(x)
    angle = math.pi * _fraction(x)
    sine = math.sin(angle)
    pole = math.pi / sine * (math.pi / sine)
    above = math.gamma(n + 1.0) * _hurwitz(n, 1.0 - x)
    if n == 1.0:
        return pole - above
    slope = math.pi / math.tan(angle)
    if n == 2.0:
        return -above - 2.0 * pole * slope
    return 2.0 * pole * (pole + 2.0 * slope * slope) - above


def _polygamma(n: float, x: float) -> float:
    if x != x:
        return x
    if n != n:
        return n
    if not 0.0 < n <= MOST_ORDER or rint(n) != n:
        raise ValueError("math domain error")
    if x > 0.0:
        return _polygamma_above_zero(n, x) if x < math.inf else 0.0
    if n > 3.0:
        raise ValueError("math domain error")
    return _polygamma_below_zero(n, x)


# --- the rows -------------------------------------------------------------------------------------

MOST_ORDER = 20.0
_BELOW_ZERO = "a number above 0, or a negative one that is not whole"

gamma = _row("gamma", _gamma, lambda x, y: y * digamma(x), domain=_BELOW_ZERO,
             safe=((0.01, 100.0),), latex=r"\Gamma\left({0}\right)",
             summary="The gamma function; gamma(n + 1) is the factorial of n.",
             derivative=("y * digamma(x)",))
gammaln = _row("gammaln", _gammaln, lambda x, y: digamma(x), domain=_BELOW_ZERO,
               safe=((1e-300, 1e300),), aliases=("lgamma",),
               latex=r"\ln\left|\Gamma\left({0}\right)\right|",
               summary="The logarithm of the absolute value of the gamma function.",
               derivative=("digamma(x)",))
digamma: Any = _row("digamma", _digamma, lambda x, y: polygamma(1.0, x), domain=_BELOW_ZERO,
                    safe=((1e-150, 1e300),), aliases=("psi",), latex=r"\psi\left({0}\right)",
                    summary="The derivative of log(gamma(x)).",
                    derivative=("polygamma(1, x)",))
polygamma: Any = _row("polygamma", _polygamma, no_slope, lambda n, x, y: polygamma(n + 1.0, x),
                      orders=1, parameters=("n", "x"), safe=((1.0, 3.0), (1e-30, 1e30)),
                      domain=f"a whole order n from 1 to {MOST_ORDER:.0f} (that of order 0 is "
                             "digamma), and x > 0, or up to the order 3 a negative x that is not "
                             "whole",
                      latex=r"\psi^{{\left({0}\right)}}\left({1}\right)",
                      summary="The derivative of order n of digamma(x).",
                      slope="polygamma(n + 1, x) by x, none by n")
