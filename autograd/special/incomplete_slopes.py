"""Derivatives of the incomplete gamma and beta functions by their parameters.

They are integrals of the density times log(t) less its mean, from 0 to x; the whole integral is 0,
so that it is also that from x on with the other sign. Below the t of which the logarithm is the
mean the one, above it the other is of one sign, and nothing cancels (the second derivatives, of
the squares less their means, do change their signs, and are right beside their terms). The
integrals are those of DLMF 8.2.4 and 8.17.1; with t = x exp(-u) or x + u the exponent is computed
from differences that keep their digits. For small x, where log(t) goes far, by the series DLMF
8.7.1 and 8.17.22, term by term.
"""

from __future__ import annotations

import math

import numpy as np

from autograd.core.coefficients import DIGAMMA_TAIL
from autograd.core.gamma_functions import digamma, polygamma
from autograd.core.typing import Array
from autograd.special.quadrature import exp_rest, half_line, log1p_less, scale_of

_SMALL = 0.5  # up to here by the series
_TERMS = 30


def _moment(n: float, weights: Array, log_t: Array, variance: float) -> float:
    """The integral of log(t), or of its square less the variance."""
    return float(np.sum(weights * (log_t if n == 1.0 else log_t * log_t - variance)))


# --- gamma ----------------------------------------------------------------------------------------

def gamma_by_parameter(n: float, a: float, x: float, density: float) -> float:
    """The n-th derivative of P(a, x) by a, n being 1 or 2, for x > 0."""
    if x <= _SMALL:
        return _gamma_series(n, a, x, density)
    above = _log_above_mean(a, x)
    variance = polygamma(1.0, a) if n == 2.0 else 0.0
    if above < 0.0:
        return x * density * _below(n, a, x, above, variance)
    return -density * _above(n, a, x, above, variance)


def _log_above_mean(a: float, x: float) -> float:
    """log(x) - digamma(a)."""
    if a < 8.0:
        return float(math.log(x) - digamma(a))
    square, rest = 1.0 / a / a, 0.0
    for factor in reversed(DIGAMMA_TAIL):
        rest = (rest + factor) * square
    return math.log1p((x - a) / a) + (0.5 / a + rest)


def _below(n: float, a: float, x: float, above: float, variance: float) -> float:
    scale = scale_of(a - x, x)
    u, weights = half_line(scale, max(scale, 1.0 / a))
    return _moment(n, weights * np.exp(-(a - x) * u - x * exp_rest(u)), above - u, variance)


def _above(n: float, a: float, x: float, above: float, variance: float) -> float:
    if a < 1.0:
        u, weights = half_line(x / (x + 1.0 - a), 1.0)
    else:
        scale = scale_of((x - a + 1.0) / x, (a - 1.0) / x / x)
        u, weights = half_line(scale, max(1.0, scale) if a < 40.0 else scale)
    share = u / x
    power = (a - 1.0) * log1p_less(share) - u * ((x - (a - 1.0)) / x)
    return _moment(n, weights * np.exp(power), above + np.log1p(share), variance)


def _gamma_series(n: float, a: float, x: float, density: float) -> float:
    log_t = float(math.log(x) - digamma(a + 1.0))
    value, first, second, term = 1.0, 0.0, 0.0, 1.0
    for k in range(1, _TERMS):
        term *= -x / k
        value += term * a / (a + k)
        first += term * k / (a + k) ** 2
        second -= 2.0 * term * k / (a + k) ** 3
    return _of_series(n, x * density * math.exp(x) / a, log_t,
                      polygamma(1.0, a + 1.0) if n == 2.0 else 0.0, value, first, second)


def _of_series(n: float, scale: float, log_t: float, variance: float, value: float, first: float,
               second: float) -> float:
    """The derivative of scale * value, where that of scale is scale * log_t."""
    if n == 1.0:
        return scale * (log_t * value + first)
    return scale * ((log_t * log_t - variance) * value + 2.0 * log_t * first + second)


# --- beta -----------------------------------------------------------------------------------------

class Beta:
    """The distribution of which betainc is the distribution function, at one point.

    Args:
        a, b: its parameters.
        x, rest: a number between 0 and 1, and what is left to 1.
        log_x, log_rest: log(x) and log(1 - x), each less its mean.
        density: at x.
    """

    def __init__(self, a: float, b: float, x: float, rest: float, log_x: float, log_rest: float,
                 density: float) -> None:
        self.a, self.b, self.x, self.rest = a, b, x, rest
        self.log_x, self.log_rest, self.density = log_x, log_rest, density

    def mirrored(self) -> Beta:
        """That of 1 - x."""
        return Beta(self.b, self.a, self.rest, self.x, self.log_rest, self.log_x, self.density)

    def derivative(self, i: float, j: float) -> float:
        """The derivative of betainc of the order i by a and j by b, i + j being 1 or 2."""
        if i == 0.0:
            return -self.mirrored().derivative(j, i)
        if j == 0.0 and self.x * (1.0 + self.b) <= _SMALL:
            return self._series(i)
        is_below = (self.log_x < 0.0 if i + j == 1.0
                    else self.x * (self.a + self.b) < self.a)
        return self._below(i, j) if is_below else -self.mirrored()._below(j, i)

    def _below(self, i: float, j: float) -> float:
        """The integral from 0 to x, by t = x exp(-u)."""
        odds = self.x / self.rest
        u, weights = half_line(*self._scales(odds))
        weights = weights * np.exp(self._power(u, odds))
        log_t, log_other = self.log_x - u, self.log_rest + np.log1p(-odds * np.expm1(-u))
        of_total = polygamma(1.0, self.a + self.b) if i + j == 2.0 else 0.0
        if (i, j) == (1.0, 0.0):
            product = log_t
        elif (i, j) == (0.0, 1.0):
            product = log_other
        elif i == j:
            product = log_t * log_other + of_total
        elif i:
            product = log_t ** 2 - (polygamma(1.0, self.a) - of_total)
        else:
            product = log_other ** 2 - (polygamma(1.0, self.b) - of_total)
        return self.x * self.density * float(np.sum(weights * product))

    def _power(self, u: Array, odds: float) -> Array:
        """The logarithm of the density times t, less that at x."""
        inverse = -np.expm1(-u)
        if self.b < 1.0:
            return -self.a * u + (self.b - 1.0) * np.log1p(odds * inverse)
        slope = (self.a * self.rest - (self.b - 1.0) * self.x) / self.rest
        return (-slope * inverse - self.a * exp_rest(u)
                + (self.b - 1.0) * log1p_less(odds * inverse))

    def _scales(self, odds: float) -> tuple[float, float]:
        if self.b < 1.0:
            return 1.0 / (self.a + (1.0 - self.b) * odds), 1.0 / self.a
        slope = (self.a * self.rest - (self.b - 1.0) * self.x) / self.rest
        least = scale_of(slope, (self.b - 1.0) * odds / self.rest + self.a * 1e-3)
        fall = -float(self._power(np.array([least]), odds)[0])
        return least, max(least, min(least / max(fall, 1e-300), 1.0 / self.a))

    def _series(self, i: float) -> float:
        """For small x; DLMF 8.17.7 and 15.2.1, but for the first factor."""
        a, b, x = self.a, self.b, self.x
        log_t = self.log_x - 1.0 / a  # less the mean of the distribution of a + 1 and b - 1
        value, first, second, term = 1.0, 0.0, 0.0, 1.0
        for k in range(1, 2 * _TERMS):
            term *= (k - b) / k * x
            value += term * a / (a + k)
            first += term * k / (a + k) ** 2
            second -= 2.0 * term * k / (a + k) ** 3
        variance = 0.0
        if i == 2.0:
            variance = polygamma(1.0, a + 1.0) - polygamma(1.0, a + b)
        scale = x * self.density * math.exp((1.0 - b) * math.log1p(-x)) / a
        return _of_series(i, scale, log_t, variance, value, first, second)
