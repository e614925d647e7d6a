"""Bessel's functions of the first and second kind, and the modified ones.

Values are SciPy's. Derivatives are by recurrence, each in the form that does not cancel: DLMF
10.6.1 and 10.6.2 for J and Y, 10.29.1 and 10.29.2 for I and K. Where an order changes by 1 it is
exact, or its rounding does not count.

The worst of thousands of points, of values, first and second derivatives alike, is off by 11 units
in the last place for j0, j1, y0 and y1, 7 for i0, i1, k0 and k1, and of the orders from 0 to 50 by
600 for jv, 140 for yv, 10 for iv and 111 for kv. These are units of the function itself, but of J
and Y, where they are waves, of the amplitude (J**2 + Y**2)**(1/2), and beyond x = 20 of x / 20
times that, where the last place of x counts.

Derivatives by the order v are integrals (``bessel_orders``), to the second order, for x > 0; of J
and Y, where they are waves, for x + v up to 10,000. For the orders from -50 to 50 they are within
1e-12, of J and Y as their values are.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.core.primitive import no_slope
from autograd.special.bessel_orders import i_by_order, j_by_order, k_by_order, y_by_order
from autograd.special.library import is_whole, library_row, scipy_row


def _is_plain_0(v: Any) -> bool:
    """Whether an order is 0, and no Value, by which the derivative would go on."""
    return isinstance(v, float) and v == 0.0


def _j_slope(v: Any, x: Any, y: Any) -> Any:
    if _is_plain_0(v):
        return -j1(x)
    if v >= 0.5 or is_whole(v):
        return 0.5 * (jv(v - 1.0, x) - jv(v + 1.0, x))
    return v / x * y - jv(v + 1.0, x)


def _y_slope(v: Any, x: Any, y: Any) -> Any:
    return -y1(x) if _is_plain_0(v) else yv(v - 1.0, x) - v / x * y


def _i_slope(v: Any, x: Any, y: Any) -> Any:
    if _is_plain_0(v):
        return i1(x)
    if v >= 0.5 or is_whole(v):
        return 0.5 * (iv(v - 1.0, x) + iv(v + 1.0, x))
    return v / x * y + iv(v + 1.0, x)


def _k_slope(v: Any, x: Any, y: Any) -> Any:
    if _is_plain_0(v):
        return -k1(x)
    size = abs(v)  # K is even in the order; of a positive one both terms have one sign
    return -(kv(size - 1.0, x) + size / x * y)


def _at_zero(*operands: float) -> bool:
    return operands[-1] == 0.0


_WAVE, _ABOVE_ZERO = (-1e3, 1e3), (1e-100, 1e3)
_GROWING, _FALLING = (-700.0, 700.0), (1e-100, 700.0)
_ORDERED: dict[str, Any] = {"parameters": ("v", "x")}
_OF_WHOLE = "x >= 0, or a whole order v; x other than 0 for a negative v that is not whole"


def _latex(letter: str, order: str) -> dict[str, Any]:
    return {"latex": rf"{letter}_{{{{{order}}}}}\left({{0}}\right)"}


def _ordered_latex(letter: str) -> dict[str, Any]:
    return {"latex": rf"{letter}_{{{{{{0}}}}}}\left({{1}}\right)"}


def _by_order(letter: str) -> Any:
    """The partial of one of the four by its order."""
    return lambda v, x, y: _SLOPES[letter](1.0, v, x)


def _slope_row(letter: str, derivative: Callable[[float, float, float], float],
               lower: float, higher: float) -> Any:
    """The row of the derivatives by the order, of which that by x is by the recurrence."""
    def value(n: float, v: float, x: float) -> float:
        if (whole := v + x) != whole:
            return whole
        if n not in (1.0, 2.0) or not 0.0 <= x < math.inf or abs(v) == math.inf:
            raise ValueError("math domain error")
        if x == 0.0:
            if v <= 0.0 or letter in "yk":
                raise ValueError("math domain error")
            return 0.0  # as x**v * log(x) is
        return derivative(n, v, x)

    row: Any = library_row(
        f"{letter}v_slope", value, no_slope, lambda n, v, x, y: row(n + 1.0, v, x),
        lambda n, v, x, y: 0.5 * (lower * row(n, v - 1.0, x) + higher * row(n, v + 1.0, x)),
        orders=1, parameters=("n", "v", "x"), called=True, hidden=True,
        safe=((1.0, 1.0), (0.0, 5.0), (0.1, 100.0)),
        latex=rf"\partial_v^{{{{{{0}}}}}} {letter.upper()}_{{{{{{1}}}}}}\left({{2}}\right)",
        domain="a finite x >= 0 (x > 0 for an order v that is not above 0, and for Y and K), an "
               "x + v up to 10,000 for Y, and for J where x > v, and an n of 1 or 2, for higher "
               "derivatives are not computed",
        summary=f"The derivative of the order n of {letter}v by v.",
        slope="that of the order n + 1 by v, by x as that of the function")
    return row


_SLOPES = {"j": _slope_row("j", j_by_order, 1.0, -1.0), "y": _slope_row("y", y_by_order, 1.0, -1.0),
           "i": _slope_row("i", i_by_order, 1.0, 1.0), "k": _slope_row("k", k_by_order, -1.0, -1.0)}


# --- J --------------------------------------------------------------------------------------------

j0 = scipy_row("j0", lambda x, y: -j1(x), safe=(_WAVE,), domain="a finite x", **_latex("J", "0"),
               summary="Bessel's function of the first kind, of order 0.", derivative=("-j1(x)",))
j1: Any = scipy_row("j1", lambda x, y: 0.5 * (j0(x) - jv(2.0, x)), safe=(_WAVE,),
                    domain="a finite x", **_latex("J", "1"),
                    summary="Bessel's function of the first kind, of order 1.",
                    derivative=("(j0(x) - jv(2, x)) / 2",))
jv: Any = scipy_row("jv", _by_order("j"), _j_slope, safe=((0.0, 5.0), (0.0, 1e3)),
                    is_pole=_at_zero, **_ORDERED, **_ordered_latex("J"), aliases=("jn",),
                    domain=f"a finite x, and {_OF_WHOLE} (its derivative by v: x >= 0, and x + v "
                           "up to 10,000 where x > v)",
                    summary="Bessel's function of the first kind, of the order v.",
                    slope="(jv(v - 1, x) - jv(v + 1, x)) / 2 by x, that of an integral by v")


# --- Y --------------------------------------------------------------------------------------------

y0 = scipy_row("y0", lambda x, y: -y1(x), safe=(_ABOVE_ZERO,), is_pole=_at_zero,
               domain="a finite x > 0", **_latex("Y", "0"),
               summary="Bessel's function of the second kind, of order 0.",
               derivative=("-y1(x)",))
y1: Any = scipy_row("y1", lambda x, y: y0(x) - y / x, safe=(_ABOVE_ZERO,), is_pole=_at_zero,
                    domain="a finite x > 0", **_latex("Y", "1"),
                    summary="Bessel's function of the second kind, of order 1.",
                    derivative=("y0(x) - y / x",))
yv: Any = scipy_row("yv", _by_order("y"), _y_slope, safe=((0.0, 5.0), (1e-20, 1e3)),
                    is_pole=_at_zero, **_ORDERED, **_ordered_latex("Y"), aliases=("yn",),
                    domain="a finite x > 0 (its derivative by v: x + v up to 10,000)",
                    summary="Bessel's function of the second kind, of the order v.",
                    slope="yv(v - 1, x) - v / x * yv(v, x) by x, that of an integral by v")


# --- I --------------------------------------------------------------------------------------------

i0 = scipy_row("i0", lambda x, y: i1(x), safe=(_GROWING,), **_latex("I", "0"),
               summary="The modified function of Bessel of the first kind, of order 0.",
               derivative=("i1(x)",))
i1: Any = scipy_row("i1", lambda x, y: 0.5 * (i0(x) + iv(2.0, x)), safe=(_GROWING,),
                    **_latex("I", "1"),
                    summary="The modified function of Bessel of the first kind, of order 1.",
                    derivative=("(i0(x) + iv(2, x)) / 2",))
iv: Any = scipy_row("iv", _by_order("i"), _i_slope, safe=((0.0, 5.0), (1e-100, 700.0)),
                    is_pole=_at_zero, **_ORDERED, **_ordered_latex("I"),
                    domain=f"{_OF_WHOLE} (its derivative by v: a finite x >= 0)",
                    summary="The modified function of Bessel of the first kind, of the order v.",
                    slope="(iv(v - 1, x) + iv(v + 1, x)) / 2 by x, that of an integral by v")


# --- K --------------------------------------------------------------------------------------------

k0 = scipy_row("k0", lambda x, y: -k1(x), safe=(_FALLING,), is_pole=_at_zero, domain="x > 0",
               **_latex("K", "0"),
               summary="The modified function of Bessel of the second kind, of order 0.",
               derivative=("-k1(x)",))
k1: Any = scipy_row("k1", lambda x, y: -(k0(x) + y / x), safe=(_FALLING,), is_pole=_at_zero,
                    domain="x > 0", **_latex("K", "1"),
                    summary="The modified function of Bessel of the second kind, of order 1.",
                    derivative=("-k0(x) - y / x",))
kv: Any = scipy_row("kv", _by_order("k"), _k_slope, safe=((0.0, 5.0), (1e-20, 700.0)),
                    is_pole=_at_zero, **_ORDERED, **_ordered_latex("K"), aliases=("kn",),
                    domain="x > 0",
                    summary="The modified function of Bessel of the second kind, of the order v.",
                    slope="-(kv(v - 1, x) + kv(v + 1, x)) / 2 by x, that of an integral by v")
