"""The formulas, as plain Python on anything that has the operators of a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EVERY = 97  # of many rows, the ones whose results are compared: 0, 97, 194, ...
Function = Callable[[Any], Any]


def rosenbrock(x: Any) -> Any:
    """Rosenbrock's function of all variables, the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2."""
    return sum(100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2 for i in range(len(x) - 1))


def acceleration(theta: Any, omega: Any, k: Any, c: Any, sin: Function) -> Any:
    """theta'' = -k sin(theta) - c theta'."""
    return -k * sin(theta) - c * omega


def rk4_step(theta: Any, omega: Any, k: Any, c: Any, dt: float, sin: Function) -> tuple[Any, Any]:
    """One step of the classical Runge-Kutta method for the damped pendulum."""
    half = 0.5 * dt
    v1, a1 = omega, acceleration(theta, omega, k, c, sin)
    v2 = omega + half * a1
    a2 = acceleration(theta + half * v1, v2, k, c, sin)
    v3 = omega + half * a2
    a3 = acceleration(theta + half * v2, v3, k, c, sin)
    v4 = omega + dt * a3
    a4 = acceleration(theta + dt * v3, v4, k, c, sin)
    return (theta + dt / 6.0 * (v1 + 2.0 * v2 + 2.0 * v3 + v4),
            omega + dt / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4))


def pendulum(theta: Any, omega: Any, k: Any, c: Any, steps: int, dt: float, sin: Function) -> Any:
    """The angle after some steps."""
    for _ in range(steps):
        theta, omega = rk4_step(theta, omega, k, c, dt, sin)
    return theta


def black_scholes(S: Any, K: Any, T: Any, r: Any, sigma: Any, log: Function, sqrt: Function,
                  exp: Function, erfc: Function) -> Any:
    """The price of a European call: spot S, strike K, years T, rate r, volatility sigma."""
    spread = sigma * sqrt(T)
    d1 = (log(S / K) + (r + 0.5 * sigma * sigma) * T) / spread
    d2 = d1 - spread
    root = 0.7071067811865476  # the normal distribution function is erfc(-d / sqrt(2)) / 2
    return 0.5 * (S * erfc(-root * d1) - K * exp(-r * T) * erfc(-root * d2))


def mixture(x: Any, points: Any, k: int, d: int, exp: Function, logsumexp: Function) -> Any:
    """The log likelihood of points under k Gaussians in d dimensions, as in ADBench.

    x has the logarithms of the weights, the centres, and for each Gaussian the factor of its
    inverse covariance: the logarithms of the diagonal, then what stands below it, row by row.
    """
    below = d * (d - 1) // 2
    weights, rest = x[:k], x[k:]
    centres = [rest[d * i:d * i + d] for i in range(k)]
    factors = [rest[d * k + (d + below) * i:d * k + (d + below) * (i + 1)] for i in range(k)]
    diagonals = [[exp(factor[i]) for i in range(d)] for factor in factors]
    total = 0.0
    for point in points:
        terms = []
        for weight, centre, factor, diagonal in zip(weights, centres, factors, diagonals,
                                                     strict=True):
            apart = [point[i] - centre[i] for i in range(d)]
            squares = 0.0
            for i in range(d):
                turned = diagonal[i] * apart[i]
                for j in range(i):
                    turned = turned + factor[d + i * (i - 1) // 2 + j] * apart[j]
                squares = squares + turned * turned
            terms.append(weight + sum(factor[i] for i in range(d)) - 0.5 * squares)
        total = total + logsumexp(terms)
    penalty = 0.0  # a Wishart prior
    for factor, diagonal in zip(factors, diagonals, strict=True):
        penalty = penalty + 0.5 * (sum(q * q for q in diagonal)
                                   + sum(factor[d + i] * factor[d + i] for i in range(below)))
    return total - len(points) * logsumexp(weights) + penalty
