"""Dawson's, Fresnel's and Spence's integrals, and (exp(x) - 1) / x.

Values are SciPy's. Derivatives of Dawson's integral obey y'' = -2 x y' - 2 y, and y' = 1 - 2 x y
(DLMF 7.10), which cancel where x is large: there they are computed from the integral (DLMF 7.2.5)
and from the expansion in 1 / x (DLMF 7.12.1), differentiated term by term. Those of Spence's
integral and of exprel are series near 1 and near 0, where their closed forms cancel.

Values are within 20 units in the last place, the derivatives within 12 (the second of Dawson's
within 60); where they pass through 0, of what they are made of, those of Fresnel's beside what the
last place of x changes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.core.primitive import no_slope
from autograd.core.primitives import cos, sin
from autograd.special import from_scipy
from autograd.special.library import library_row, scipy_row
from autograd.special.quadrature import panels

MOST_DERIVATIVES = 4
_NEAR = 1.25  # from there on by the integral
_FAR, _FAR_TERMS = 15.0, 24  # from there on by the expansion in 1 / x
_TERMS = 60
_DERIVATIVE: dict[str, Any] = {
    "orders": 1, "parameters": ("n", "x"), "called": True, "hidden": True,
    "slope": "that of the order n + 1 by x, none by n"}
_OF_ORDER = f"an n from 1 to {MOST_DERIVATIVES}"


def _refuse_order(n: float) -> None:
    if n % 1.0 or not 1.0 <= n <= MOST_DERIVATIVES:
        raise ValueError("math domain error")


# --- Dawson's -------------------------------------------------------------------------------------

def _dawson_derivative(n: float, x: float) -> float:
    _refuse_order(n)
    if x != x:
        return x
    if x < 0.0:
        return _dawson_derivative(n, -x) * (-1.0 if n % 2.0 == 0.0 else 1.0)
    if x < _NEAR:
        y = [from_scipy.unchecked("dawsn")(x)]
        y.append(1.0 - 2.0 * x * y[0])
        while len(y) <= n:
            y.append(-2.0 * (x * y[-1] + (len(y) - 1.0) * y[-2]))
        return float(y[int(n)])
    if x < _FAR:
        return _dawson_between(n, x)
    return _dawson_far(n, x)


def _dawson_between(n: float, x: float) -> float:
    """By the integral of exp(t**2 - x**2) from 0 to x, differentiated; with s = x - t."""
    at_zero = {1.0: 1.0, 2.0: -4.0 * x, 3.0: 12.0 * x * x - 4.0, 4.0: 32.0 * x * (1.0 - x * x)}[n]
    s, weights = panels(min(x, 40.0 / x), 4.0 / x)
    rest = float(np.sum(weights * s ** n * np.exp(s * (s - 2.0 * x))))
    return float(at_zero * math.exp(-x * x) + (-2.0) ** n * rest)


def _dawson_far(n: float, x: float) -> float:
    """By the expansion in 1 / x, DLMF 7.12.1 with x i, term by term."""
    square, term, total = 0.5 / x / x, 0.5 / x * math.pow(-1.0 / x, n), 0.0
    for k in range(_FAR_TERMS):
        total += term * math.gamma(2.0 * k + 1.0 + n) / math.gamma(2.0 * k + 1.0)
        term *= (2.0 * k + 1.0) * square
    return total


dawsn = scipy_row("dawsn", lambda x, y: dawsn_slope(1.0, x), latex=r"F\left({0}\right)",
                  safe=((-1e5, 1e5),), summary="Dawson's integral, exp(-x**2) times that of "
                  "exp(t**2) from 0 to x.", derivative=("1 - 2 * x * y",),
                  loses_digits="where x is large")
dawsn_slope: Any = library_row(
    "dawsn_slope", _dawson_derivative, no_slope, lambda n, x, y: dawsn_slope(n + 1.0, x),
    safe=((1.0, 1.0), (-1e5, 1e5)), domain=_OF_ORDER,
    summary="The derivative of the order n of dawsn.", **_DERIVATIVE)


# --- Fresnel's ------------------------------------------------------------------------------------

def _fresnel_part(place: int) -> Any:
    def value(x: float) -> float:
        return float(from_scipy.ufunc("fresnel")(x)[place])

    return value


_FRESNEL: dict[str, Any] = {"safe": ((-1e3, 1e3),), "called": True}

fresnel_s = library_row(
    "fresnel_s", _fresnel_part(0), lambda x, y: sin(0.5 * math.pi * x * x),
    latex=r"S\left({0}\right)", summary="The integral of sin(pi t**2 / 2) from 0 to x.",
    derivative=("sin(1.5707963267948966 * x**2)",), **_FRESNEL)
fresnel_c = library_row(
    "fresnel_c", _fresnel_part(1), lambda x, y: cos(0.5 * math.pi * x * x),
    latex=r"C\left({0}\right)", summary="The integral of cos(pi t**2 / 2) from 0 to x.",
    derivative=("cos(1.5707963267948966 * x**2)",), **_FRESNEL)


def fresnel(x: Any) -> tuple[Any, Any]:
    """Fresnel's integrals S and C of a number, a Value or an array, as SciPy has them."""
    return fresnel_s(x), fresnel_c(x)


# --- Spence's -------------------------------------------------------------------------------------

def _spence_derivative(n: float, x: float) -> float:
    """The derivative of the order n - 1 of log(x) / (1 - x)."""
    _refuse_order(n)
    if x != x:
        return x
    if x <= 0.0:
        raise ValueError("math domain error")
    if abs(x - 1.0) < 0.5:
        return _near_one(n, 1.0 - x)
    rest = 1.0 - x
    y = [math.log(x) / rest]
    for k in range(1, int(n)):  # of (1 - x) y = log(x), differentiated k times
        own = (-1.0) ** (k - 1) * math.gamma(k) / x ** k
        y.append((own + k * y[-1]) / rest)
    return y[-1]


def _near_one(n: float, gap: float) -> float:
    """By -log(1 - gap) / gap = 1 + gap / 2 + gap**2 / 3 + ..., differentiated."""
    total, factor = 0.0, math.gamma(n)
    terms = []
    for k in range(_TERMS):
        terms.append(factor / (k + n))
        factor *= (k + n) / (k + 1.0)
    for term in reversed(terms):
        total = total * gap + term
    return -total if n % 2.0 else total


spence = scipy_row("spence", lambda x, y: spence_slope(1.0, x), latex=r"\operatorname{{Li}}_2\left("
                   r"1 - {0}\right)", safe=((1e-300, 1e300),),
                   domain="x >= 0 (its derivative: x > 0)",
                   summary="Spence's integral, that of log(t) / (1 - t) from 1 to x: the "
                           "dilogarithm of 1 - x.", derivative=("log(x) / (1 - x)",),
                   loses_digits="where x is nearly 1")
spence_slope: Any = library_row(
    "spence_slope", _spence_derivative, no_slope, lambda n, x, y: spence_slope(n + 1.0, x),
    safe=((1.0, 1.0), (1e-3, 1e3)), domain=f"x > 0, and {_OF_ORDER}",
    summary="The derivative of the order n of spence.", **_DERIVATIVE)


# --- exprel ---------------------------------------------------------------------------------------

def _exprel_derivative(n: float, x: float) -> float:
    _refuse_order(n)
    if x != x:
        return x
    if abs(x) < 2.0 + n:
        return _exprel_series(n, x)
    y, power = from_scipy.unchecked("exprel")(x), math.exp(x)
    for k in range(1, int(n) + 1):  # of x y = exp(x) - 1, differentiated k times
        y = (power - k * y) / x
    return y


def _exprel_series(n: float, x: float) -> float:
    """The sum of x**k / k! / (n + k + 1); of a negative x by Kummer's transformation."""
    total = term = 1.0 / (n + 1.0)
    for k in range(1, _TERMS):  # exp(x) times the sum of (-x)**k / ((n + 1) ... (n + k + 1))
        term *= x / k * (n + k) / (n + k + 1.0) if x > 0.0 else -x / (n + 1.0 + k)
        total += term
    return total if x > 0.0 else math.exp(x) * total


exprel = scipy_row("exprel", lambda x, y: exprel_slope(1.0, x), safe=((-1e300, 700.0),),
                   summary="(exp(x) - 1) / x, which is 1 at 0.",
                   derivative=("where(x == 0, 1/2, (exp(x) - y) / x)",),
                   loses_digits="where x is nearly 0")
exprel_slope: Any = library_row(
    "exprel_slope", _exprel_derivative, no_slope, lambda n, x, y: exprel_slope(n + 1.0, x),
    safe=((1.0, 1.0), (-1e100, 700.0)), domain=_OF_ORDER,
    summary="The derivative of the order n of exprel.", **_DERIVATIVE)
