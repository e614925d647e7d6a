"""Short functions that decide from call to call: loops until a tolerance is met, pieces, sorting.

Each is a function of one array, with the point where a walk begins and the size of its steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import cos, exp, sin, sqrt

Numbers = Sequence[Any]


def newtons_method(p: Numbers) -> Any:
    """A root of a cubic polynomial."""
    a, b, c = p
    x, step = 1.0, 1.0
    while abs(step) > 1e-10:
        step = (x ** 3 + a * x * x + b * x - c) / (3.0 * x * x + 2.0 * a * x + b)
        x = x - step
    return x


def bisection(p: Numbers) -> Any:
    """The middle of an interval around a root."""
    a, b = p
    low, high = 0.0 * a, 3.0 + 0.0 * a
    while high - low > 1e-6:
        middle = 0.5 * (low + high)
        if exp(middle) * a - b < 0.0:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high) * (a + b)


def adaptive_steps(p: Numbers) -> Any:
    """A decay that is driven, by Heun's method with steps as long as its error allows."""
    rate, start = p
    t, y, h = 0.0, start, 0.1
    while t < 1.0:
        if t + h > 1.0:
            h = 1.0 - t
        before = -rate * y + sin(t)
        behind = -rate * (y + h * before) + sin(t + h)
        error = abs(0.5 * h * (behind - before))
        if error < 1e-3:
            t, y = t + h, y + 0.5 * h * (before + behind)
        h = h * max(0.3, min(2.0, 0.9 * sqrt(1e-3 / (error + 1e-12))))
    return y


def secant(p: Numbers) -> Any:
    """A root by the secant method."""
    a, b = p
    x0, x1 = 0.5 + 0.0 * a, 1.5 + 0.0 * a
    f0, f1 = cos(x0) * a - b * x0, cos(x1) * a - b * x1
    while abs(x1 - x0) > 1e-9 and abs(f1 - f0) > 1e-300:
        x0, f0, x1 = x1, f1, x1 - f1 * (x1 - x0) / (f1 - f0)
        f1 = cos(x1) * a - b * x1
    return x1


def keplers_equation(p: Numbers) -> Any:
    """The height of a planet above the long axis, from its mean anomaly and eccentricity."""
    mean, eccentricity = p
    anomaly, step = mean, 1.0
    while abs(step) > 1e-12:
        step = (anomaly - eccentricity * sin(anomaly) - mean) / (1.0 - eccentricity * cos(anomaly))
        anomaly = anomaly - step
    return sin(anomaly)


def hubers_loss(p: Numbers) -> Any:
    """Squares near zero, straight lines away from it."""
    total = 0.0
    for i, x in enumerate(p):
        r = x - 0.3 * i
        total = total + (r * r / 2.0 if abs(r) < 0.5 else 0.5 * (abs(r) - 0.25))
    return total


def spline(p: Numbers) -> Any:
    """Four pieces."""
    total = 0.0
    for x in p:
        if x < -1.0:
            total = total + x * x
        elif x < 0.0:
            total = total + 1.0 - x * x * x
        elif x < 1.0:
            total = total + 1.0 + x * x * x
        else:
            total = total + 2.0 * x
    return total


def taxes(p: Numbers) -> Any:
    """A rate for each bracket."""
    income, due, last = p[0], 0.0, 0.0
    for bound, rate in ((10.0, 0.1), (20.0, 0.2), (40.0, 0.3), (80.0, 0.4), (160.0, 0.5)):
        if income > bound:
            due = due + rate * (bound - last)
        elif income > last:
            due = due + rate * (income - last)
        last = bound
    return due * income


def series(p: Numbers) -> Any:
    """Terms of a power series, until they are small."""
    term, total, n = 1.0, 1.0, 0
    while abs(term) > 1e-8:
        n += 1
        term = term * p[0] / n
        total = total + term
    return total


def arithmetic_geometric_mean(p: Numbers) -> Any:
    """Both means, until they are one."""
    a, b = p
    while abs(a - b) > 1e-12 * abs(a):
        a, b = 0.5 * (a + b), sqrt(a * b)
    return a


def folded_map(p: Numbers) -> Any:
    """A map that folds the line, again and again."""
    x, y = p
    for _ in range(12):
        x = 0.5 * x * y if x > 1.0 else 3.0 * x + 0.1 * y
    return x


def bouncing_ball(p: Numbers) -> Any:
    """A ball that falls, and loses a fifth of its speed whenever it meets the ground."""
    x, v = p
    for _ in range(40):
        v = v - 0.05 * 9.8
        x = x + 0.05 * v
        if x < 0.0:
            x, v = -0.8 * x, -0.8 * v
    return x + 0.1 * v * v


def golden_section(p: Numbers) -> Any:
    """The least of a function by golden sections."""
    a, b = p

    def f(t: Any) -> Any:
        return (t - a) ** 2 + b * cos(t)

    low, high = -2.0, 2.0
    while high - low > 1e-3:
        x1, x2 = high - 0.618 * (high - low), low + 0.618 * (high - low)
        if f(x1) < f(x2):
            high = x2
        else:
            low = x1
    return f(0.5 * (low + high))


def median(p: Numbers) -> Any:
    """The middle and the ends of what is sorted."""
    ordered = sorted(p)
    return ordered[len(ordered) // 2] ** 2 + ordered[0] * ordered[-1]


def nearest_centre(p: Numbers) -> Any:
    """The distance from the nearest of six points."""
    x, y = p
    centres = ((0.0, 0.0), (1.0, 0.5), (-1.0, 0.5), (0.3, -1.0), (0.7, 1.2), (-0.5, -0.7))
    return min((x - a) ** 2 + (y - b) ** 2 for a, b in centres) + 0.01 * x


def clipped_recurrence(p: Numbers) -> Any:
    """A neuron that hears itself, and is clipped."""
    h = 0.0
    for i in range(10):
        h = max(-1.0, min(1.0, p[0] * h + p[1] * math.sin(i) + p[2]))
    return h * h


def functions() -> dict[str, tuple[Callable[[Numbers], Any], list[float], float]]:
    """By name: the function, the point where a walk begins, its steps relative to the point."""
    return {
        "Newton's method": (newtons_method, [0.5, 1.0, 4.0], 0.2),
        "bisection": (bisection, [1.0, 4.0], 0.05),
        "adaptive steps": (adaptive_steps, [3.0, 1.0], 0.1),
        "secant method": (secant, [1.0, 0.7], 0.1),
        "Kepler's equation": (keplers_equation, [1.0, 0.3], 0.1),
        "Huber's loss": (hubers_loss, [0.1, 0.5, 0.6, 1.5, 0.7], 0.3),
        "spline": (spline, [-1.5, -0.5, 0.5, 1.5], 0.3),
        "taxes": (taxes, [30.0], 0.15),
        "series": (series, [1.0], 0.15),
        "arithm.-geometric mean": (arithmetic_geometric_mean, [1.0, 2.0], 0.05),
        "folded map": (folded_map, [0.7, 1.0], 0.05),
        "bouncing ball": (bouncing_ball, [2.0, 1.0], 0.1),
        "golden section": (golden_section, [0.5, 0.3], 0.1),
        "median": (median, [0.1, 0.4, -0.3, 0.8, 0.2], 0.3),
        "nearest centre": (nearest_centre, [0.2, 0.1], 0.3),
        "clipped recurrence": (clipped_recurrence, [0.9, 1.1, 0.1], 0.1)}
