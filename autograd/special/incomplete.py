"""The regularized incomplete gamma and beta functions.

Values are SciPy's. The derivative by x is a density, computed here without the cancellation of
large logarithms (Loader 2000, Fast and accurate computation of binomial probabilities). By the
parameters a and b there is no derivative: they are plain numbers.

Densities are within 5e-13 wherever they are floats, and their derivatives within 5e-13 of their
terms; for parameters below 20 most are within 10 units in the last place. SciPy's values are within
1e-12 for parameters up to 1000.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.gamma_functions import stirling_rest
from autograd.core.primitive import no_slope
from autograd.core.primitives import step
from autograd.special.library import library_row, scipy_row

_TAU = 2.0 * math.pi
_LARGE = 20.0  # from here on by Stirling's series
_ODD = tuple(1.0 / k for k in range(3, 37, 2))  # 1/3, 1/5, ...


def _deviance(k: float, x: float) -> float:
    """k log(k / x) + x - k, which is nearly 0 where x is nearly k."""
    share = (x - k) / (x + k)
    square = share * share
    total = 0.0 * k
    for factor in reversed(_ODD):
        total = (total + factor) * square
    series = share * (x - k) - 2.0 * k * share * total
    is_near = step(0.3 - math.fabs(share))  # no comparison, which all back ends would branch by
    return is_near * series + (1.0 - is_near) * (k * math.log(k / x) + (x - k))


# --- gamma ----------------------------------------------------------------------------------------

def _gamma_density(a: float, x: float) -> float:
    if (whole := a + x) != whole:
        return whole
    if not (a > 0.0 and x >= 0.0):
        raise ValueError("math domain error")
    if x == 0.0:
        return _at_edge(a)
    if a < _LARGE:
        if x > 2000.0:
            return 0.0
        half = math.exp(-0.5 * x)  # twice, for the whole may be too small where the power is large
        return math.pow(x, a - 1.0) * half / math.gamma(a) * half
    k = a - 1.0
    return math.exp(-stirling_rest(k) - _deviance(k, x)) / math.sqrt(_TAU * k)


def _at_edge(a: float, inside: float = 1.0) -> float:
    """A density at the edge that its power a - 1 is of; inside is that of a = 1."""
    if a < 1.0:
        raise ValueError("math domain error")
    return inside if a == 1.0 else 0.0


def _gamma_density_slope(a: float, x: Any, y: Any) -> Any:
    if a == 1.0:
        return -y
    if a > 1.0:  # without a division by x, which may be 0
        return gamma_density(a - 1.0, x) * ((a - 1.0 - x) / (a - 1.0))
    return y * ((a - 1.0 - x) / x)


_PARAMETERS: dict[str, Any] = {"orders": 1, "parameters": ("a", "x")}

gammainc = scipy_row("gammainc", no_slope, lambda a, x, y: gamma_density(a, x), **_PARAMETERS,
                     safe=((1.0, 20.0), (0.0, 1e3)), latex=r"P\left({0}, {1}\right)",
                     domain="a > 0 and x >= 0",
                     summary="The regularized lower incomplete gamma function P(a, x).",
                     slope="x**(a - 1) * exp(-x) / gamma(a) by x, none by a")
gammaincc = scipy_row("gammaincc", no_slope, lambda a, x, y: -gamma_density(a, x), **_PARAMETERS,
                      safe=((1.0, 20.0), (0.0, 1e3)), latex=r"Q\left({0}, {1}\right)",
                      domain="a > 0 and x >= 0",
                      summary="The regularized upper incomplete gamma function Q(a, x).",
                      slope="-x**(a - 1) * exp(-x) / gamma(a) by x, none by a")
gamma_density: Any = library_row(
    "gamma_density", _gamma_density, no_slope, _gamma_density_slope, **_PARAMETERS, hidden=True,
    safe=((1.0, 20.0), (0.0, 1e3)), latex=r"P'\left({0}, {1}\right)",
    domain="a > 0 and x >= 0 (x > 0 for an a below 1)",
    summary="x**(a - 1) * exp(-x) / gamma(a).", slope="y * ((a - 1) / x - 1) by x, none by a")


# --- beta -----------------------------------------------------------------------------------------

def _beta_density(a: float, b: float, x: float) -> float:
    if (whole := a + b + x) != whole:
        return whole
    if not (a > 0.0 and b > 0.0 and 0.0 <= x <= 1.0):
        raise ValueError("math domain error")
    if x == 0.0:
        return _at_edge(a, b)
    if x == 1.0:
        return _at_edge(b, a)
    rest = 1.0 - x
    if a < _LARGE:
        if b < _LARGE:
            scale = math.gamma(a + b) / math.gamma(a) / math.gamma(b)
            return scale * math.pow(x, a - 1.0) * math.exp((b - 1.0) * math.log1p(-x))
        return _one_large(a, b, x, math.log1p(-x))
    if b < _LARGE:
        return _one_large(b, a, rest, math.log(x))
    k, m = a - 1.0, b - 1.0
    n = k + m
    power = (stirling_rest(n) - stirling_rest(k) - stirling_rest(m)
             - _deviance(k, n * x) - _deviance(m, n * rest))
    return (n + 1.0) * math.exp(power) * math.sqrt(n / k / m / _TAU)


def _one_large(a: float, b: float, x: float, log_rest: float) -> float:
    """Where b alone is large: by gamma(a + b) / gamma(b), which is b**a but for a little."""
    total = a + b - 1.0
    near = ((total + 0.5) * math.log1p(a / (b - 1.0)) - a
            + stirling_rest(total) - stirling_rest(b - 1.0))
    return (b - 1.0) * math.pow((b - 1.0) * x, a - 1.0) / math.gamma(a) * math.exp(
        (b - 1.0) * log_rest + near)


def _beta_density_slope(a: float, b: float, x: Any, y: Any) -> Any:
    if a > 1.0 and b > 1.0:  # without a division by x or 1 - x, which may be 0
        scale = (a + b - 1.0) * (a + b - 2.0) / (a - 1.0) / (b - 1.0)
        return scale * beta_density(a - 1.0, b - 1.0, x) * (
            (a - 1.0) * (1.0 - x) - (b - 1.0) * x)
    return y * ((a - 1.0) / x - (b - 1.0) / (1.0 - x))


betainc = scipy_row("betainc", no_slope, no_slope, lambda a, b, x, y: beta_density(a, b, x),
                    orders=2, parameters=("a", "b", "x"),
                    safe=((1.0, 20.0), (1.0, 20.0), (0.0, 1.0)),
                    latex=r"I_{{{2}}}\left({0}, {1}\right)", domain="a, b > 0 and 0 <= x <= 1",
                    summary="The regularized incomplete beta function.",
                    slope="x**(a - 1) * (1 - x)**(b - 1) / beta(a, b) by x, none by a and b")
beta_density: Any = library_row(
    "beta_density", _beta_density, no_slope, no_slope, _beta_density_slope, orders=2,
    parameters=("a", "b", "x"), safe=((1.0, 20.0), (1.0, 20.0), (0.0, 1.0)), hidden=True,
    latex=r"I'_{{{2}}}\left({0}, {1}\right)",
    domain="a, b > 0 and 0 <= x <= 1 (x > 0 for an a below 1, x < 1 for a b below 1)",
    summary="x**(a - 1) * (1 - x)**(b - 1) / beta(a, b).",
    slope="y * ((a - 1) / x - (b - 1) / (1 - x)) by x, none by a and b")
