"""Derivatives of Bessel's functions by their order, the first and the second.

Each function is an integral of exp(z(t) - v t) along a path (Watson 1922, A Treatise on the Theory
of Bessel Functions, chapters VI and VIII), and a derivative by v brings a factor of -t. Of K the
path is the real line, DLMF 10.32.9, and of I, and of J where x < v, it is the steepest descent
from the saddle, on which the integrand is a positive number: nothing cancels, and the derivative
is the function times a mean of t. Elsewhere J and Y are waves, or Y is large, and Schläfli's
integrals, DLMF 10.9.6 and 10.9.7, are right beside their amplitude. Negative orders: DLMF 10.2.3,
10.27.2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from autograd.core.typing import Array
from autograd.special.from_scipy import unchecked
from autograd.special.quadrature import half_line, panels

MOST_WAVES = 1e4  # of x + v: the integrals of Schläfli take as many nodes
_LEAST_ORDER = 1e-150  # in place of 0, where a path would have a corner


# --- pieces ---------------------------------------------------------------------------------------

def _odd_series(angle: Array, factors: Sequence[float]) -> Array:
    """angle**3 * factors[0] + angle**5 * factors[1] + ..."""
    square, total = angle * angle, np.zeros_like(angle)
    for factor in reversed(factors):
        total = (total + factor) * square
    return total * angle


_SINE = tuple((-1.0) ** (k + 1) / math.factorial(2 * k + 1) for k in range(1, 12))
_ARC = tuple((-1.0) ** (k + 1) * 2.0 * k / math.factorial(2 * k + 1) for k in range(1, 12))


def _angle_less_sine(angle: Array) -> Array:
    found: Array = np.where(angle < 1.0, _odd_series(np.minimum(angle, 1.0), _SINE),
                            angle - np.sin(angle))
    return found


def _sine_less_arc(angle: Array) -> Array:
    """sin(angle) - angle * cos(angle)."""
    found: Array = np.where(angle < 1.0, _odd_series(np.minimum(angle, 1.0), _ARC),
                            np.sin(angle) - angle * np.cos(angle))
    return found


def _half_turn(least: float, most: float) -> tuple[Array, Array, Array]:
    """Nodes from 0 to pi, their sines, and weights; the scales are those near 0 and near pi."""
    u, weights = half_line(least, most)
    angle, rest = math.pi * (u / (1.0 + u)), math.pi / (1.0 + u)
    return angle, np.sin(np.minimum(angle, rest)), weights * rest / (1.0 + u)


def _moment(n: float, r: Array, angle: Array, rise: Array) -> Array:
    """The imaginary part of t**n dt / d angle on a path t = r + i angle."""
    found: Array = (r + angle * rise if n == 1.0
                    else r * r - angle * angle + 2.0 * r * angle * rise)
    return found


def _trigonometric(v: float) -> tuple[float, float, float]:
    """cos(pi v) and its first two derivatives."""
    part = math.pi * math.fmod(v, 2.0)
    c, s = math.cos(part), math.sin(part)
    whole, half = math.fmod(v, 1.0) == 0.0, math.fmod(abs(v), 1.0) == 0.5
    c, s = 0.0 if half else c, 0.0 if whole else s
    return c, -math.pi * s, -math.pi * math.pi * c


def _sines(v: float) -> tuple[float, float, float]:
    c, minus_s, _ = _trigonometric(v)
    s = -minus_s / math.pi
    return s, math.pi * c, -math.pi * math.pi * s


def _leibniz(n: int, f: Sequence[float], g: Sequence[float]) -> float:
    """The n-th derivative of a product."""
    return sum(math.comb(n, k) * f[k] * g[n - k] for k in range(n + 1))


# --- K --------------------------------------------------------------------------------------------

def k_by_order(n: float, v: float, x: float) -> float:
    """The n-th derivative of K by its order, n being 1 or 2, for x > 0."""
    if v < 0.0:
        return _turned(n, k_by_order(n, -v, x))
    return unchecked("kv")(v, x) * _mean_of_k(n, 0.0, v, x)


def scaled_k(n: float, m: float, v: float, x: float) -> float:
    """The derivative of exp(x) K of the order n by v >= 0 and m by x > 0."""
    return unchecked("kve")(v, x) * _mean_of_k(n, m, v, x)


def _mean_of_k(n: float, m: float, v: float, x: float) -> float:
    """That of t**n (1 - cosh(t))**m."""
    size = math.hypot(v, x)  # of the curvature at the peak
    peak, step = math.asinh(v / x), min(0.125, 0.4 / math.sqrt(size))
    before = 15.0 / math.sqrt(size) + 60.0 / max(v, 1e-9)
    after = 2.0 * math.asinh(math.sqrt(23.0 / size))
    t = step * np.arange(max(0.0, (peak - before) // step), (peak + after) / step + 2.0)
    gap = t - peak
    weights = np.exp(v * (gap - np.sinh(gap)) - 2.0 * size * np.sinh(0.5 * gap) ** 2)
    weights[0] *= 0.5 if t[0] == 0.0 else 1.0
    back = np.exp(-2.0 * v * t)
    moment = t * -np.expm1(-2.0 * v * t) if n == 1.0 else t ** n * (1.0 + back)
    if m:
        moment = moment * (-2.0 * np.sinh(0.5 * t) ** 2) ** m
    return float(np.sum(weights * moment)) / float(np.sum(weights * (1.0 + back)))


# --- I --------------------------------------------------------------------------------------------

def i_by_order(n: float, v: float, x: float) -> float:
    """The n-th derivative of I by its order, n being 1 or 2, for x > 0."""
    if v == 0.0 and n == 1.0:
        return -unchecked("k0")(x)
    if v >= 0.0:
        return unchecked("iv")(v, x) * _mean_of_i(n, 0.0, v, x)
    size = -v
    own = i_by_order(n, size, x)
    of_k = [unchecked("kv")(size, x), *(k_by_order(k, size, x) for k in (1.0, 2.0)[:int(n)])]
    return _turned(n, own + 2.0 / math.pi * _leibniz(int(n), _sines(size), of_k))


def _turned(n: float, derivative: float) -> float:
    """By -v in place of v."""
    return -derivative if n == 1.0 else derivative


def scaled_i(n: float, m: float, v: float, x: float) -> float:
    """The derivative of exp(-x) I of the order n by v >= 0 and m by x > 0."""
    if v == 0.0 and (n, m) == (1.0, 0.0):
        return -unchecked("k0e")(x) * math.exp(-2.0 * x)
    return unchecked("ive")(v, x) * _mean_of_i(n, m, v, x)


def _mean_of_i(n: float, m: float, v: float, x: float) -> float:
    """That of (-t)**n (cosh(t) - 1)**m."""
    v = max(v, _LEAST_ORDER)
    size, start = math.hypot(v, x), math.asinh(v / x)
    angle, sine, weights = _half_turn(min(1.0, 1.0 / math.sqrt(size)), max(1.0, 1.0 / v))
    ratio = v / x * (angle / sine)
    r = np.arcsinh(ratio)
    rise = v / x * _sine_less_arc(angle) / (sine * sine) / np.hypot(1.0, ratio)
    gap, cosine = r - start, np.cos(angle)
    # The real part of what the exponent loses from the saddle on.
    power = size * (2.0 * np.sinh(0.5 * gap) ** 2 * cosine - 2.0 * np.sin(0.5 * angle) ** 2)
    weights = weights * np.exp(power + v * (np.sinh(gap) * cosine - gap))
    if m:
        above = 2.0 * np.sinh(0.5 * r) ** 2 * cosine - 2.0 * np.sin(0.5 * angle) ** 2
        factor = (above + 1j * np.sinh(r) * sine) ** m * (-(r + 1j * angle)) ** n
        moment = factor.real + rise * factor.imag
    else:
        moment = (-1.0) ** n * _moment(n, r, angle, rise)
    return float(np.sum(weights * moment)) / float(np.sum(weights))


# --- J and Y --------------------------------------------------------------------------------------

def j_by_order(n: float, v: float, x: float) -> float:
    """The n-th derivative of J by its order, n being 1 or 2, for x > 0."""
    if v < 0.0:
        return _turned(n, _leibniz(int(n), _trigonometric(-v), _all_of("jv", n, -v, x))
                       - _leibniz(int(n), _sines(-v), _all_of("yv", n, -v, x)))
    if x < v:
        return unchecked("jv")(v, x) * _mean_of_j(n, v, x)
    return _schlaefli_j(n, v, x)


def y_by_order(n: float, v: float, x: float) -> float:
    """The n-th derivative of Y by its order, n being 1 or 2, for x > 0."""
    if v < 0.0:
        return _turned(n, _leibniz(int(n), _sines(-v), _all_of("jv", n, -v, x))
                       + _leibniz(int(n), _trigonometric(-v), _all_of("yv", n, -v, x)))
    return _schlaefli_y(n, v, x)


def _all_of(name: str, n: float, v: float, x: float) -> list[float]:
    """A function and its derivatives by the order up to the n-th."""
    by_order: Callable[[float, float, float], float] = j_by_order if name == "jv" else y_by_order
    return [unchecked(name)(v, x), *(by_order(k, v, x) for k in (1.0, 2.0)[:int(n)])]


def _mean_of_j(n: float, v: float, x: float) -> float:
    start = 2.0 * math.asinh(math.sqrt((v - x) / x / 2.0))
    size = math.sqrt((v - x) * (v + x))
    angle, sine, weights = _half_turn(
        min(1.0, 1.0 / math.sqrt(max(size, 1e-300)), v ** (-1.0 / 3.0)), max(1.0, 1.0 / v))
    excess = ((v - x) / x * angle + _angle_less_sine(angle)) / sine  # cosh(r) - 1
    r = 2.0 * np.arcsinh(np.sqrt(0.5 * excess))
    rise = v / x * _sine_less_arc(angle) / (sine * sine) / np.sqrt(excess * (2.0 + excess))
    gap, cosine = r - start, np.cos(angle)
    power = size * (2.0 * np.sinh(0.5 * gap) ** 2 * cosine - 2.0 * np.sin(0.5 * angle) ** 2)
    weights = weights * np.exp(power + v * (np.sinh(gap) * cosine - gap))
    mean = float(np.sum(weights * _moment(n, r, angle, rise))) / float(np.sum(weights))
    return _turned(n, mean)


def _waves(v: float, x: float) -> tuple[Array, Array, Array]:
    if x + v > MOST_WAVES:
        raise ValueError("math domain error")
    angle, weights = panels(math.pi, 6.0 / max(x + v, 4.0))
    return angle, weights, x * np.sin(angle) - v * angle


def _falling(v: float, x: float) -> tuple[Array, Array]:
    """Nodes and weights of the integral of exp(v t - x sinh(t))."""
    end = 0.0
    for _ in range(60):
        end = math.asinh((45.0 + v * end) / x)
    return panels(end, min(1.0, 1.5 / math.sqrt(max(v, 1.0)), max(end, 1e-3)))


def _tails(n: float, v: float, x: float) -> list[float]:
    """The integral of exp(-v t - x sinh(t)) and its derivatives by v."""
    t, weights = _falling(0.0, x)
    weights = weights * np.exp(-v * t - x * np.sinh(t))
    return [float(np.sum(weights * (-t) ** k)) for k in range(int(n) + 1)]


def _schlaefli_j(n: float, v: float, x: float) -> float:
    angle, weights, phase = _waves(v, x)
    wave = angle * np.sin(phase) if n == 1.0 else -angle * angle * np.cos(phase)
    rest = _leibniz(int(n), _sines(v), _tails(n, v, x))
    return (float(np.sum(weights * wave)) - rest) / math.pi


def _schlaefli_y(n: float, v: float, x: float) -> float:
    angle, weights, phase = _waves(v, x)
    wave = -angle * np.cos(phase) if n == 1.0 else -angle * angle * np.sin(phase)
    t, of_t = _falling(v, x)
    with np.errstate(over="ignore"):
        grown = float(np.sum(of_t * np.exp(v * t - x * np.sinh(t)) * t ** int(n)))
    if grown == math.inf:
        raise OverflowError("math range error")
    rest = _leibniz(int(n), _trigonometric(v), _tails(n, v, x))
    return (float(np.sum(weights * wave)) - grown - rest) / math.pi
