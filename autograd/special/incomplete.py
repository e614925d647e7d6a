"""The regularized incomplete gamma and beta functions.

Values are SciPy's. The derivative by x is a density, computed here without the cancellation of
large logarithms (Loader 2000, Fast and accurate computation of binomial probabilities); those by
the parameters a and b are integrals of it (``incomplete_slopes``), to the second order.

Densities are within 5e-13 wherever they are floats, and their derivatives within 5e-13 of their
terms; for parameters below 20 most are within 10 units in the last place. So are the derivatives
by the parameters, of parameters from 1e-3 to 1000 (second ones beside their terms). SciPy's values
are within 1.1e-12 for parameters up to 1000.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.gamma_functions import digamma, polygamma, stirling_rest
from autograd.core.primitive import no_slope
from autograd.core.primitives import log, log1p, step
from autograd.special.beta_functions import digamma_change
from autograd.special.incomplete_slopes import Beta, gamma_by_parameter
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


def _gamma_density_slope(a: Any, x: Any, y: Any) -> Any:
    if a == 1.0 and isinstance(a, float):  # by a Value it would go on
        return -y
    if a > 1.0:  # without a division by x, which may be 0
        return gamma_density(a - 1.0, x) * ((a - 1.0 - x) / (a - 1.0))
    return y * ((a - 1.0 - x) / x)


def _gamma_slope(n: float, a: float, x: float) -> float:
    if (whole := a + x) != whole:
        return whole
    if not (a > 0.0 and x >= 0.0) or n not in (1.0, 2.0):
        raise ValueError("math domain error")
    density = _gamma_density(a, x) if x > 0.0 else 0.0
    return gamma_by_parameter(n, a, x, density) if density else 0.0


def _gamma_slope_by_x(n: float, a: Any, x: Any, y: Any) -> Any:
    above = log(x) - digamma(a)
    return gamma_density(a, x) * (above if n == 1.0 else above * above - polygamma(1.0, a))


_PARAMETERS: dict[str, Any] = {"parameters": ("a", "x"), "safe": ((1.0, 20.0), (0.0, 1e3))}

gammainc = scipy_row("gammainc", lambda a, x, y: gammainc_slope(1.0, a, x),
                     lambda a, x, y: gamma_density(a, x), **_PARAMETERS,
                     latex=r"P\left({0}, {1}\right)", domain="a > 0 and x >= 0",
                     summary="The regularized lower incomplete gamma function P(a, x).",
                     slope="that of an integral by a, x**(a - 1) * exp(-x) / gamma(a) by x")
gammaincc = scipy_row("gammaincc", lambda a, x, y: -gammainc_slope(1.0, a, x),
                      lambda a, x, y: -gamma_density(a, x), **_PARAMETERS,
                      latex=r"Q\left({0}, {1}\right)", domain="a > 0 and x >= 0",
                      summary="The regularized upper incomplete gamma function Q(a, x).",
                      slope="that of an integral by a, -x**(a - 1) * exp(-x) / gamma(a) by x")
gamma_density: Any = library_row(
    "gamma_density", _gamma_density, lambda a, x, y: y * (log(x) - digamma(a)),
    _gamma_density_slope, **_PARAMETERS, hidden=True, latex=r"P'\left({0}, {1}\right)",
    domain="a > 0 and x >= 0 (x > 0 for an a below 1)",
    summary="x**(a - 1) * exp(-x) / gamma(a).",
    slope="y * (log(x) - digamma(a)) by a, y * ((a - 1) / x - 1) by x")
gammainc_slope: Any = library_row(
    "gammainc_slope", _gamma_slope, no_slope, lambda n, a, x, y: gammainc_slope(n + 1.0, a, x),
    _gamma_slope_by_x, orders=1, parameters=("n", "a", "x"), called=True, hidden=True,
    safe=((1.0, 1.0), (1.0, 20.0), (0.01, 1e3)), latex=r"\partial_a^{{{0}}} P\left({1}, {2}\right)",
    domain="a > 0 and x >= 0, and an n of 1 or 2, for higher derivatives are not computed",
    summary="The derivative of the order n of gammainc by a.",
    slope="that of the order n + 1 by a, gamma_density(a, x) * (log(x) - digamma(a)) by x for an n "
          "of 1")


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


def _beta_density_slope(a: Any, b: Any, x: Any, y: Any) -> Any:
    if a > 1.0 and b > 1.0:  # without a division by x or 1 - x, which may be 0
        scale = (a + b - 1.0) * (a + b - 2.0) / (a - 1.0) / (b - 1.0)
        return scale * beta_density(a - 1.0, b - 1.0, x) * (
            (a - 1.0) * (1.0 - x) - (b - 1.0) * x)
    return y * ((a - 1.0) / x - (b - 1.0) / (1.0 - x))


def _beta_slope(i: float, j: float, a: float, b: float, x: float) -> float:
    if (whole := a + b + x) != whole:
        return whole
    if not (a > 0.0 and b > 0.0 and 0.0 <= x <= 1.0) or (i, j) not in _KNOWN:
        raise ValueError("math domain error")
    if x == 0.0 or x == 1.0:
        return 0.0
    if not (density := _beta_density(a, b, x)):
        return 0.0
    rest = 1.0 - x
    log_x = math.log(x) if x < 0.5 else math.log1p(-rest)
    return Beta(a, b, x, rest, log_x + digamma_change(a, b),
                math.log1p(-x) + digamma_change(b, a), density).derivative(i, j)


def _beta_slope_by_x(i: float, j: float, a: Any, b: Any, x: Any, y: Any) -> Any:
    log_x, log_rest = log(x) + digamma_change(a, b), log1p(-x) + digamma_change(b, a)
    product = log_x ** i * log_rest ** j
    if i + j == 2.0:
        product = product + polygamma(1.0, a + b) - (
            polygamma(1.0, a if i == 2.0 else b) if i != j else 0.0)
    return beta_density(a, b, x) * product


_KNOWN = ((1.0, 0.0), (0.0, 1.0), (2.0, 0.0), (1.0, 1.0), (0.0, 2.0))
_OF_BETA: dict[str, Any] = {"parameters": ("a", "b", "x"),
                            "safe": ((1.0, 20.0), (1.0, 20.0), (0.0, 1.0))}

betainc = scipy_row("betainc", lambda a, b, x, y: betainc_slope(1.0, 0.0, a, b, x),
                    lambda a, b, x, y: betainc_slope(0.0, 1.0, a, b, x),
                    lambda a, b, x, y: beta_density(a, b, x), **_OF_BETA,
                    latex=r"I_{{{2}}}\left({0}, {1}\right)", domain="a, b > 0 and 0 <= x <= 1",
                    summary="The regularized incomplete beta function.",
                    slope="those of an integral by a and b, "
                          "x**(a - 1) * (1 - x)**(b - 1) / beta(a, b) by x")
beta_density: Any = library_row(
    "beta_density", _beta_density,
    lambda a, b, x, y: y * (log(x) + digamma_change(a, b)),
    lambda a, b, x, y: y * (log1p(-x) + digamma_change(b, a)), _beta_density_slope, **_OF_BETA,
    hidden=True, latex=r"I'_{{{2}}}\left({0}, {1}\right)",
    domain="a, b > 0 and 0 <= x <= 1 (x > 0 for an a below 1, x < 1 for a b below 1)",
    summary="x**(a - 1) * (1 - x)**(b - 1) / beta(a, b).",
    slope="y * (log(x) - digamma(a) + digamma(a + b)) by a, "
          "y * (log1p(-x) - digamma(b) + digamma(a + b)) by b, "
          "y * ((a - 1) / x - (b - 1) / (1 - x)) by x")
betainc_slope: Any = library_row(
    "betainc_slope", _beta_slope, no_slope, no_slope,
    lambda i, j, a, b, x, y: betainc_slope(i + 1.0, j, a, b, x),
    lambda i, j, a, b, x, y: betainc_slope(i, j + 1.0, a, b, x), _beta_slope_by_x,
    orders=2, parameters=("i", "j", "a", "b", "x"), called=True, hidden=True,
    safe=((1.0, 1.0), (0.0, 0.0), (1.0, 20.0), (1.0, 20.0), (0.01, 0.99)),
    latex=r"\partial_a^{{{0}}} \partial_b^{{{1}}} I_{{{4}}}\left({2}, {3}\right)",
    domain="a, b > 0 and 0 <= x <= 1, and orders i + j of 1 or 2, for higher derivatives are not "
           "computed",
    summary="The derivative of betainc of the order i by a and j by b.",
    slope="those of higher orders by a and b, the density times what is integrated by x")
