"""The modified functions of Bessel without their exponential: exp(-|x|) I and exp(x) K.

Values are SciPy's. Between exp(x) and the function almost all of a derivative cancels where x is
large, so it is computed from what does not: the integrals DLMF 10.32.1 and 10.32.9, by the
trapezoidal rule, whose error is below the rounding here, and the expansions DLMF 10.40.1 and
10.40.2 for large x, term by term.

Values, first and second derivatives are within 16 units in the last place (those of i1e, which
change their signs, of their terms there); higher derivatives are errors. Of other orders, v >= 0,
the derivatives are means along paths (``bessel_orders``), by x and by v, up to the second order:
within 20 units of their terms beside what SciPy's values of ive and kve lose, 300 and 200.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.primitive import no_slope
from autograd.core.primitives import absolute, sign
from autograd.special.bessel_orders import scaled_i, scaled_k
from autograd.special.library import library_row, scipy_row

_FAR = 30.0  # from here on by the expansion
_TERMS = 18
_NODES, _STEP = 32, 0.125
# 1 - cos(t) in the middle of equal parts of 0 to pi, and cosh(t) - 1 a step apart.
_COSINES = tuple(2.0 * math.sin(math.pi * (i + 0.5) / (2 * _NODES)) ** 2 for i in range(_NODES))
_COSHES = tuple(2.0 * math.sinh(0.5 * _STEP * i) ** 2 for i in range(1, 37))


def _expansion(v: float, n: float, x: float, direction: float) -> float:
    """The sum of the n-th derivatives of the terms, but for the first factors."""
    term = math.gamma(n + 0.5) / math.sqrt(math.pi)
    total = term + 0.0 * x
    for k in range(1, _TERMS):
        factor = (4.0 * v * v - (2.0 * k - 1.0) ** 2) / (8.0 * k) * (k - 0.5 + n) / (k - 0.5)
        term = term * (direction * factor) / x
        total += term
    return total * math.pow(x, -0.5 - n)


def _alternating(n: float) -> float:
    return 1.0 - 2.0 * (n % 2.0)


def _growing(v: float, n: float, x: float) -> float:
    if x != x:
        return x
    if x < 0.0 or n > 2.0:
        raise ValueError("math domain error")
    if x >= _FAR:
        return _alternating(n) * _expansion(v, n, x, -1.0) / math.sqrt(2.0 * math.pi)
    total = 0.0 * x
    for size in _COSINES:
        total += math.pow(size, n) * (1.0 - v * size) * math.exp(-size * x)
    return _alternating(n) * total / _NODES


def _falling(v: float, n: float, x: float) -> float:
    if x != x:
        return x
    if x <= 0.0 or n > 2.0:
        raise ValueError("math domain error")
    if x >= _FAR:
        return _alternating(n) * _expansion(v, n, x, 1.0) * math.sqrt(0.5 * math.pi)
    if x < 1.0:
        return _falling_near_zero(v, n, x)
    total = 0.0 * x  # the node at 0 has the size 0, and counts for no derivative
    for size in _COSHES:
        total += math.pow(size, n) * (1.0 + v * size) * math.exp(-size * x)
    return _alternating(n) * _STEP * total


def _falling_near_zero(v: float, n: float, x: float) -> float:
    """From exp(x) K and exp(x) K', where nothing cancels; DLMF 10.29.3 and 10.25.1."""
    y: float = (1.0 - v) * k0e(x) + v * k1e(x)
    slope: float = -(1.0 - v) * k1e(x) - v * (k0e(x) + k1e(x) / x)
    if n == 1.0:
        return y + slope
    return (2.0 + v / x / x) * y + (2.0 - 1.0 / x) * slope


def _derivatives(name: str, value: Any, letter: str, least: float) -> Any:
    """The row of the derivatives of a scaled function of the order v, 0 or 1."""
    row: Any = library_row(
        name, value, no_slope, no_slope, lambda v, n, x, y: row(v, n + 1.0, x), orders=2,
        parameters=("v", "n", "x"), safe=((0.0, 1.0), (1.0, 1.0), (least, 1e3)), hidden=True,
        domain="n of 1 or 2, for higher derivatives are not computed, and x above 0",
        latex=rf"\tilde{{{{{letter}}}}}_{{{{{{0}}}}}}^{{{{\left({{1}}\right)}}}}\left({{2}}\right)",
        summary=f"The derivative of the order n of the scaled function {letter} of the order v.",
        slope="that of the order n + 1 by x, none by v and n")
    return row


growing, falling = (_derivatives("scaled_i_slope", _growing, "I", 0.0),
                    _derivatives("scaled_k_slope", _falling, "K", 0.01))

i0e = scipy_row("i0e", lambda x, y: sign(x) * growing(0.0, 1.0, absolute(x)),
                kink=lambda x: x, safe=((-1e6, 1e6),), latex=r"\tilde{{I}}_0\left({0}\right)",
                summary="exp(-abs(x)) * i0(x).", at_kink="0 at x = 0",
                derivative=("i1e(x) - where(x > 0, y, where(x < 0, -y, 0))",),
                loses_digits="where x is large")
i1e: Any = scipy_row("i1e", lambda x, y: growing(1.0, 1.0, absolute(x)), safe=((-1e6, 1e6),),
                     latex=r"\tilde{{I}}_1\left({0}\right)", summary="exp(-abs(x)) * i1(x).",
                     derivative=("where(x == 0, 1/2, i0e(x) - y * (1 / x + where(x > 0, 1, -1)))",),
                     loses_digits="where x is large")
k0e: Any = scipy_row("k0e", lambda x, y: falling(0.0, 1.0, x), safe=((1e-100, 1e6),),
                     is_pole=lambda x: x == 0.0, domain="x > 0",
                     latex=r"\tilde{{K}}_0\left({0}\right)", summary="exp(x) * k0(x).",
                     derivative=("y - k1e(x)",), loses_digits="where x is large")
k1e: Any = scipy_row("k1e", lambda x, y: falling(1.0, 1.0, x), safe=((1e-100, 1e6),),
                     is_pole=lambda x: x == 0.0, domain="x > 0",
                     latex=r"\tilde{{K}}_1\left({0}\right)", summary="exp(x) * k1(x).",
                     derivative=("y - k0e(x) - y / x",), loses_digits="where x is large")


# --- of any order ---------------------------------------------------------------------------------

def _of_orders(letter: str, derivative: Any) -> Any:
    """The row of the derivatives of ive or kve, of the order n by v and m by x."""
    def value(n: float, m: float, v: float, x: float) -> float:
        if (whole := v + x) != whole:
            return whole
        if n + m not in (1.0, 2.0) or v < 0.0 or not 0.0 < x < math.inf or v == math.inf:
            raise ValueError("math domain error")
        found: float = derivative(n, m, v, x)
        return found

    row: Any = library_row(
        f"{letter}ve_slope", value, no_slope, no_slope,
        lambda n, m, v, x, y: row(n + 1.0, m, v, x), lambda n, m, v, x, y: row(n, m + 1.0, v, x),
        orders=2, parameters=("n", "m", "v", "x"), called=True, hidden=True,
        safe=((0.0, 0.0), (1.0, 1.0), (0.0, 5.0), (0.1, 1e3)),
        latex=rf"\partial_v^{{{{{{0}}}}}} \partial_x^{{{{{{1}}}}}} "
              rf"\tilde{{{{{letter.upper()}}}}}_{{{{{{2}}}}}}\left({{3}}\right)",
        domain="v >= 0 and a finite x > 0, and orders n + m of 1 or 2, for higher derivatives are "
               "not computed",
        summary=f"The derivative of the order n of {letter}ve by v, and m by x.",
        slope="those of higher orders by v and by x")
    return row


ive_slope, kve_slope = _of_orders("i", scaled_i), _of_orders("k", scaled_k)

ive = scipy_row("ive", lambda v, x, y: ive_slope(1.0, 0.0, v, x),
                lambda v, x, y: ive_slope(0.0, 1.0, v, x), parameters=("v", "x"),
                safe=((0.0, 5.0), (0.1, 1e3)), latex=r"\tilde{{I}}_{{{0}}}\left({1}\right)",
                domain="x >= 0, or a whole order v (its derivatives: v >= 0 and x > 0)",
                summary="exp(-abs(x)) * iv(v, x).",
                slope="exp(-x) * (iv(v - 1, x) + iv(v + 1, x)) / 2 - y by x, where x > 0, that of "
                      "an integral by v")
kve = scipy_row("kve", lambda v, x, y: kve_slope(1.0, 0.0, v, x),
                lambda v, x, y: kve_slope(0.0, 1.0, v, x), parameters=("v", "x"),
                is_pole=lambda v, x: x == 0.0, safe=((0.0, 5.0), (0.1, 1e3)),
                latex=r"\tilde{{K}}_{{{0}}}\left({1}\right)",
                domain="x > 0 (its derivatives: v >= 0)", summary="exp(x) * kv(v, x).",
                slope="y - exp(x) * (kv(v - 1, x) + kv(v + 1, x)) / 2 by x, that of an integral by "
                      "v")
