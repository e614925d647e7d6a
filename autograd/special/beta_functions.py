"""The beta function, its logarithm, factorials and binomial coefficients.

Formulas: DLMF 5.11.1 (Stirling's series), 5.5.2 (recurrence) and 5.12.1. The derivatives are
differences of digamma, computed as sums of terms of one sign. Values and first derivatives are
within 10 units in the last place; betaln near its zeros within 10 of 1, and beta and binom within
15 times the size of their logarithms, where that is more than 1.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.coefficients import DIGAMMA_TAIL
from autograd.core.gamma_functions import digamma, gammaln, polygamma, stirling_rest
from autograd.core.rounding import WHOLE
from autograd.special.library import library_row

_HALF_LOG_TAU = 0.9189385332046727
_SHIFT = 8
_LARGEST = 170.6243769563027  # of which the factorial is not too large for a float
_LARGE = 10.0  # from here on by Stirling's series


def _digamma_change(a: float, h: float) -> float:
    """digamma(a + h) - digamma(a), where neither operand of digamma is below 0."""
    if a <= 0.0 or a + h <= 0.0:
        raise ValueError("math domain error")
    steps = 0.0 * h
    for j in range(_SHIFT):
        steps += h / (a + j) / (a + j + h)
    return _far_change(a + _SHIFT, h) + steps


def _far_change(a: float, h: float) -> float:
    """The same for a of at least 8, by the asymptotic series of both, term by term."""
    b = a + h
    u, v = 1.0 / a / a, 1.0 / b / b
    total, powers, power = 0.0 * u, 1.0 + 0.0 * u, u
    for factor in DIGAMMA_TAIL[:9]:
        total += factor * powers  # (u**k - v**k) / (u - v)
        powers = v * powers + power
        power *= u
    slant = h / a / b  # 1 / a - 1 / b
    return math.log1p(h / a) + slant * (0.5 + (1.0 / a + 1.0 / b) * total)


def _betaln(a: float, b: float) -> float:
    _refuse_outside(a, b)
    return _betaln_sorted(a, b) if a <= b else _betaln_sorted(b, a)


def _refuse_outside(a: float, b: float) -> None:
    if a <= 0.0 or b <= 0.0 or a + b == math.inf:
        raise ValueError("math domain error")


def _betaln_sorted(a: float, b: float) -> float:
    """For a <= b."""
    if b < _LARGE:
        return math.log(math.gamma(a)) + math.log(math.gamma(b) / math.gamma(a + b))
    return _betaln_large(a, b)


def _betaln_large(a: float, b: float) -> float:
    share = a / (a + b)
    rest = stirling_rest(b) - stirling_rest(a + b)
    if a < _LARGE:
        return gammaln(a) + rest + a - a * math.log(a + b) + (b - 0.5) * math.log1p(-share)
    return (_HALF_LOG_TAU - 0.5 * math.log(b) + (stirling_rest(a) + rest)
            + (a - 0.5) * math.log(share) + b * math.log1p(-share))


def _beta(a: float, b: float) -> float:
    _refuse_outside(a, b)
    return _beta_sorted(a, b) if a <= b else _beta_sorted(b, a)


def _beta_sorted(a: float, b: float) -> float:
    if b < _LARGE:
        return math.gamma(a) * (math.gamma(b) / math.gamma(a + b))
    return math.exp(_betaln_large(a, b))


def _binom(n: float, k: float) -> float:
    if k < 0.0 or k > n or n == math.inf:
        raise ValueError("math domain error")
    found: float = (1.0 / (n + 1.0)) / beta(n - k + 1.0, k + 1.0)
    if n % 1.0 == 0.0 and k % 1.0 == 0.0:
        return (found + WHOLE) - WHOLE
    return found


def _factorial(n: float) -> float:
    if n <= -1.0:
        raise ValueError("math domain error")
    if n < 1.0:
        return math.gamma(n + 1.0)
    if n > _LARGEST:
        if n == math.inf:
            return n
        raise OverflowError("math range error")
    return n * math.gamma(n)  # for gamma(n + 1) would magnify the rounding of n + 1


_SAFE = (1e-3, 80.0)

digamma_change: Any = library_row(
    "digamma_change", _digamma_change,
    lambda a, h, y: polygamma(1.0, a + h) - polygamma(1.0, a),
    lambda a, h, y: polygamma(1.0, a + h),
    parameters=("a", "h"), safe=(_SAFE, (0.0, 80.0)), domain="a > 0 and a + h > 0", hidden=True,
    summary="digamma(a + h) - digamma(a), which does not cancel.",
    derivative=("polygamma(1, a + h) - polygamma(1, a)", "polygamma(1, a + h)"))
betaln = library_row(
    "betaln", _betaln, lambda a, b, y: -digamma_change(a, b), lambda a, b, y: -digamma_change(b, a),
    safe=(_SAFE, _SAFE), domain="a > 0 and b > 0", commutative=True,
    latex=r"\ln B\left({0}, {1}\right)", summary="The logarithm of beta(a, b).",
    derivative=("digamma(a) - digamma(a + b)", "digamma(b) - digamma(a + b)"))
beta: Any = library_row(
    "beta", _beta, lambda a, b, y: -y * digamma_change(a, b),
    lambda a, b, y: -y * digamma_change(b, a),
    safe=(_SAFE, _SAFE), domain="a > 0 and b > 0", commutative=True,
    latex=r"B\left({0}, {1}\right)",
    summary="The beta function, gamma(a) * gamma(b) / gamma(a + b).",
    derivative=("y * (digamma(a) - digamma(a + b))", "y * (digamma(b) - digamma(a + b))"))
binom: Any = library_row(
    "binom", _binom, lambda n, k, y: y * digamma_change(n - k + 1.0, k),
    lambda n, k, y: y * digamma_change(k + 1.0, n - 2.0 * k),
    parameters=("n", "k"), safe=((40.0, 80.0), (0.0, 40.0)), domain="0 <= k <= n",
    latex=r"\binom{{{0}}}{{{1}}}",
    summary="The binomial coefficient: how many ways there are to choose k of n.",
    derivative=("y * (digamma(n + 1) - digamma(n - k + 1))",
                "y * (digamma(n - k + 1) - digamma(k + 1))"))
factorial: Any = library_row(
    "factorial", _factorial, lambda x, y: y * digamma(x + 1.0), safe=((0.0, 150.0),),
    domain="x > -1", latex=r"{0}!", summary="gamma(x + 1), the product of 1, 2, ..., x.",
    derivative=("y * digamma(x + 1)",))
