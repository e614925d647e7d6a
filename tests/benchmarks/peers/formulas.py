"""The formulas, as plain Python on anything that has the operators of a number."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
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


# --- small functions ------------------------------------------------------------------------------
# Of the variables and a library that has sin, cos, exp and sqrt. All but the last two stand in
# Surjanovic and Bingham's Virtual Library of Simulation Experiments.

TURN = 6.283185307179586


def rastrigin(x: Any, m: Any, height: float = 10.0, turn: float = TURN) -> Any:
    """The sum of height + x[i]^2 - height cos(turn x[i])."""
    return sum(height + a * a - height * m.cos(turn * a) for a in x)


def ackley(x: Any, m: Any) -> Any:
    """Two exponentials of means."""
    n = len(x)
    return (20.0 + 2.718281828459045 - 20.0 * m.exp(-0.2 * m.sqrt(sum(a * a for a in x) / n))
            - m.exp(sum(m.cos(TURN * a) for a in x) / n))


def griewank(x: Any, m: Any) -> Any:
    """A sum of squares less a product of cosines."""
    product = 1.0
    for i, a in enumerate(x, 1):
        product = product * m.cos(a / i ** 0.5)
    return 1.0 + sum(a * a for a in x) / 4000.0 - product


def styblinski_tang(x: Any, m: Any) -> Any:
    """Half the sum of x[i]^4 - 16 x[i]^2 + 5 x[i]."""
    return 0.5 * sum(a * a * a * a - 16.0 * a * a + 5.0 * a for a in x)


def levy(x: Any, m: Any) -> Any:
    """Squares of sines."""
    w = [1.0 + 0.25 * (a - 1.0) for a in x]
    inner = sum((a - 1.0) ** 2 * (1.0 + 10.0 * m.sin(0.5 * TURN * a + 1.0) ** 2) for a in w[:-1])
    return (m.sin(0.5 * TURN * w[0]) ** 2 + inner
            + (w[-1] - 1.0) ** 2 * (1.0 + m.sin(TURN * w[-1]) ** 2))


def dixon_price(x: Any, m: Any) -> Any:
    """(x[0] - 1)^2 plus the sum of i (2 x[i]^2 - x[i-1])^2."""
    return (x[0] - 1.0) ** 2 + sum(i * (2.0 * x[i - 1] * x[i - 1] - x[i - 2]) ** 2
                                   for i in range(2, len(x) + 1))


def chain_of_springs(x: Any, m: Any) -> Any:
    """The energy of a hanging chain: lengths of links of natural length 1, and heights."""
    points = [(0.0, 0.0), *zip(x[::2], x[1::2], strict=True)]
    energy = 0.0
    for (a, b), (c, d) in pairwise(points):
        length = m.sqrt((c - a) * (c - a) + (d - b) * (d - b))
        energy = energy + 50.0 * (length - 1.0) * (length - 1.0) + d
    return energy


def ring(x: Any, m: Any) -> Any:
    """What neighbours in a ring grow to in 40 steps of Euler's method."""
    total, amounts = 0.0, list(x)
    for _ in range(40):
        amounts = [a + 0.05 * a * (1.0 - a / (1.0 + m.exp(-b)))
                   for a, b in zip(amounts, [*amounts[1:], amounts[0]], strict=True)]
    for a in amounts:
        total = total + a * a
    return total


SMALL: dict[str, tuple[Any, int]] = {function.__name__: (function, n) for function, n in (
    (rastrigin, 20), (ackley, 20), (griewank, 20), (styblinski_tang, 20), (levy, 20),
    (dixon_price, 20), (chain_of_springs, 20), (ring, 4))}  # with how many variables
