"""The elliptic integrals of the parameter m (the square of the modulus), DLMF 19.

Values are SciPy's, within 4 units in the last place. Derivatives are those of hypergeometric
functions (DLMF 19.5.1, 19.5.2 and 15.5.2): near 0 by the series, elsewhere by K, E and the
hypergeometric equation (15.10.1); the first is within 12 units in the last place, the second within
80. The derivatives of the incomplete ones by m are integrals of one sign (DLMF 19.2.4, 19.2.5,
differentiated), by a rule that has nodes for each scale towards both of its ends; within 60 units
in the last place, and beside 100 where m is nearly 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.core.primitive import no_slope
from autograd.core.primitives import sin, sqrt
from autograd.special.library import library_row, scipy_row
from autograd.special.quadrature import half_line

MOST_DERIVATIVES = 4
_TERMS = 64  # of the series; the next is below 1e-18 of the sum
_RADIUS = 0.5
_LONG = 3e4


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


# --- incomplete -----------------------------------------------------------------------------------

def _incomplete_derivative(a: float, n: float, phi: float, m: float) -> float:
    """The n-th derivative by m of the integral of (1 - m sin(t)**2)**a from 0 to phi."""
    if (whole := phi + m) != whole:
        return whole
    if n not in (1.0, 2.0) or abs(phi) == math.inf or not m < math.inf:
        raise ValueError("math domain error")
    turns = math.floor(phi / math.pi + 0.5)
    rest = math.remainder(phi, math.pi)
    if m * (1.0 if turns else math.sin(rest) ** 2) >= 1.0:
        raise ValueError("math domain error")
    whole = 2.0 * turns * _part(a, n, 0.5 * math.pi, m) if turns else 0.0
    return whole + math.copysign(1.0, rest) * _part(a, n, abs(rest), m)


def _part(a: float, n: float, phi: float, m: float) -> float:
    """For phi from 0 to pi / 2."""
    if phi == 0.0:
        return 0.0
    top = math.cos(phi)
    edge = math.sqrt((1.0 - m) + m * top * top if m > 0.5 else 1.0 - m * math.sin(phi) ** 2)
    # Towards 0 the integrand falls as the square or the fourth power, and no faster.
    u, weights = half_line(min(1.0, edge), _LONG * max(1.0, edge))
    # Towards phi, t = phi / (1 + u); the rest to pi / 2 keeps its digits.
    gap = (0.5 * math.pi - phi) + phi * (u / (1.0 + u))
    sine, cosine = np.cos(gap), np.sin(gap)
    small = phi / (1.0 + u) < 0.1
    sine = np.where(small, np.sin(phi / (1.0 + u)), sine)
    inside = (1.0 - m) + m * cosine * cosine if m > 0.5 else 1.0 - m * sine * sine
    factor = -a if n == 1.0 else a * (a - 1.0)
    integrand = sine ** (2.0 * n) * inside ** (a - n)
    return factor * float(np.sum(weights * integrand * (phi / (1.0 + u) / (1.0 + u))))


_INCOMPLETE: dict[str, Any] = {"parameters": ("phi", "m"), "safe": ((-1.5, 1.5), (-5.0, 0.99))}
_INSIDE = "m * sin(phi)**2 < 1, and beyond phi = pi / 2 an m < 1"

ellipkinc = scipy_row(
    "ellipkinc", lambda phi, m, y: 1.0 / sqrt(1.0 - m * sin(phi) ** 2),
    lambda phi, m, y: incomplete_elliptic(-0.5, 1.0, phi, m),
    is_pole=lambda *_: True, latex=r"F\left({0} \mid {1}\right)", domain=_INSIDE, **_INCOMPLETE,
    summary="The incomplete elliptic integral of the first kind, up to the angle phi.",
    slope="1 / sqrt(1 - m * sin(phi)**2) by phi, the integral of sin(t)**2 / 2 / (1 - m "
          "sin(t)**2)**(3/2) by m")
ellipeinc = scipy_row(
    "ellipeinc", lambda phi, m, y: sqrt(1.0 - m * sin(phi) ** 2),
    lambda phi, m, y: incomplete_elliptic(0.5, 1.0, phi, m),
    latex=r"E\left({0} \mid {1}\right)", domain=_INSIDE, **_INCOMPLETE,
    summary="The incomplete elliptic integral of the second kind, up to the angle phi.",
    slope="sqrt(1 - m * sin(phi)**2) by phi, the integral of -sin(t)**2 / 2 / sqrt(1 - m "
          "sin(t)**2) by m")
incomplete_elliptic: Any = library_row(
    "incomplete_elliptic", _incomplete_derivative, no_slope, no_slope,
    lambda a, n, phi, m, y: _slope_by_angle(a, n, sin(phi) ** 2, m),
    lambda a, n, phi, m, y: incomplete_elliptic(a, n + 1.0, phi, m), orders=2,
    parameters=("a", "n", "phi", "m"), called=True, hidden=True,
    safe=((0.5, 0.5), (1.0, 1.0), (-1.5, 1.5), (-5.0, 0.99)),
    latex=r"\operatorname{{incomplete\_elliptic}}\left({0}, {1}, {2}, {3}\right)",
    domain=f"{_INSIDE}, and an n of 1 or 2, for higher derivatives are not computed",
    summary="The derivative of the order n by m of ellipkinc (a = -1/2) or ellipeinc (a = 1/2).",
    slope="that of the order n + 1 by m, what is integrated by phi")


def _slope_by_angle(a: float, n: float, square: Any, m: Any) -> Any:
    factor = -a if n == 1.0 else a * (a - 1.0)
    inside = 1.0 - m * square
    return factor * square ** n * (1.0 / inside if n == 1.0 else 1.0 / inside ** 2) * (
        sqrt(inside) if a > 0.0 else 1.0 / sqrt(inside))
