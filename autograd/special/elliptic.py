"""The complete elliptic integrals of the parameter m (the square of the modulus), DLMF 19.

Values are SciPy's, within 4 units in the last place. Derivatives are those of hypergeometric
functions (DLMF 19.5.1, 19.5.2 and 15.5.2): near 0 by the series, elsewhere by K, E and the
hypergeometric equation (15.10.1); the first is within 12 units in the last place, the second within
80.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.primitive import no_slope
from autograd.special.library import library_row, scipy_row

MOST_DERIVATIVES = 4
_TERMS = 64  # of the series; the next is below 1e-18 of the sum
_RADIUS = 0.5


def _series(a: float, n: float, m: float) -> float:
    """The n-th derivative of F(a, 1/2; 1; m), but for its value at 0."""
    total = term = 1.0 + 0.0 * m
    for k in range(_TERMS):
        term = term * ((a + n + k) * (0.5 + n + k) / ((1.0 + n + k) * (1.0 + k))) * m
        total += term
    return total


def _by_equation(a: float, n: float, m: float, before: float, last: float) -> float:
    """The n-th derivative, from the two before it."""
    return ((a + n - 2.0) * (n - 1.5) * before
            - (n - 1.0 - (a + 2.0 * n - 2.5) * m) * last) / (m * (1.0 - m))


def _derivative(a: float, n: float, m: float) -> float:
    if m != m:
        return m
    if not m < 1.0:
        raise ValueError("math domain error")
    if -_RADIUS < m < _RADIUS:
        factor = math.gamma(a + n) * math.gamma(0.5 + n) / math.gamma(1.0 + n)
        return (0.125 + 0.75 * a) * factor * _series(a, n, m)
    return _by_values(a, n, m, ellipk(m), ellipe(m))


def _by_values(a: float, n: float, m: float, k: float, e: float) -> float:
    """The n-th derivative, from the integrals."""
    is_first = a + 0.5  # 1 or 0: arithmetic, for of branches back ends take few
    rest = 1.0 - m
    before = is_first * k + (1.0 - is_first) * e
    last = (is_first * ((e - rest * k) / rest) + (1.0 - is_first) * (e - k)) / (2.0 * m)
    if n == 1.0:
        return last
    before, last = last, _by_equation(a, 2.0, m, before, last)
    if n == 2.0:
        return last
    before, last = last, _by_equation(a, 3.0, m, before, last)
    if n == 3.0:
        return last
    if n != 4.0:
        raise ValueError("math domain error")
    return _by_equation(a, 4.0, m, before, last)


ellipk = scipy_row("ellipk", lambda x, y: complete_elliptic(0.5, 1.0, x),
                   is_pole=lambda m: m == 1.0, safe=((-1e100, 1.0 - 1e-15),), domain="x < 1",
                   latex=r"K\left({0}\right)",
                   summary="The complete elliptic integral of the first kind, of the parameter x, "
                           "the square of the modulus.",
                   derivative=("(ellipe(x) / (1 - x) - y) / (2 * x)",),
                   loses_digits="where x is nearly 0")
ellipe = scipy_row("ellipe", lambda x, y: complete_elliptic(-0.5, 1.0, x),
                   safe=((-1e100, 1.0 - 1e-15),), domain="x <= 1 (its derivative: x < 1)",
                   latex=r"E\left({0}\right)",
                   summary="The complete elliptic integral of the second kind, of the parameter x, "
                           "the square of the modulus.",
                   derivative=("(y - ellipk(x)) / (2 * x)",), loses_digits="where x is nearly 0")
complete_elliptic: Any = library_row(
    "complete_elliptic", _derivative, no_slope, no_slope,
    lambda a, n, m, y: complete_elliptic(a, n + 1.0, m), orders=2, parameters=("a", "n", "m"),
    safe=((0.5, 0.5), (1.0, 3.0), (-1e20, 1.0 - 1e-15)), hidden=True,
    domain=f"m < 1, and an n from 1 to {MOST_DERIVATIVES}",
    latex=r"\operatorname{{complete\_elliptic}}\left({0}, {1}, {2}\right)",
    summary="The derivative of the order n of ellipk (a = 1/2) or of ellipe (a = -1/2).",
    slope="that of the order n + 1 by m, none by a and n")
