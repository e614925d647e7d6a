"""Primitives as formulas on arrays, of NumPy or of whoever has functions of the same names.

Each is what the value function of its row computes, branches by ``where``; arguments and results
are arrays or numbers. Where the eager engine raises, it is what IEEE arithmetic gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograd.core.near_zero import CLOSE
from autograd.core.primitives import LN2

Emit = Callable[..., Any]


def formulas(xp: Any) -> dict[str, Emit]:
    """The formulas by the names of their rows.

    Args:
        xp: the module of the arrays, NumPy or ``jax.numpy``.
    """
    where, exp, size = xp.where, xp.exp, xp.abs

    def sign(x: Any) -> Any:
        return where(x > 0.0, 1.0, where(x < 0.0, -1.0, x * 0.0))

    def step(x: Any) -> Any:
        return where(x > 0.0, 1.0, where(x <= 0.0, 0.0, x))

    def wins(a: Any, b: Any) -> Any:
        return where(a > b, 1.0, where(a < b, 0.0, where(a == b, 0.5, math.nan)))

    def relu(x: Any) -> Any:
        return where(x <= 0.0, 0.0, x)

    def maximum(a: Any, b: Any) -> Any:
        return where((a < b) | (b != b), b, a)

    def minimum(a: Any, b: Any) -> Any:
        return where((a > b) | (b != b), b, a)

    def select(condition: Any, a: Any, b: Any) -> Any:
        return where(condition != 0.0, a, b)

    def sigmoid(x: Any) -> Any:
        decay = exp(-size(x))
        return where(x >= 0.0, 1.0, decay) / (1.0 + decay)

    def softplus(x: Any) -> Any:
        return xp.log1p(exp(-size(x))) + relu(x)

    def logaddexp(a: Any, b: Any) -> Any:  # near its zero good to the unit of 1 alone
        top, low = where(a < b, b, a), where(a < b, a, b)
        gap = where(a == b, 0.0, low - top)  # also of equal infinities
        rounding = (low - gap) - top
        decay = exp(gap)
        rounded = (size(top) <= CLOSE) & (size(rounding) < 1.0)
        more = xp.log1p(where(rounded, decay + decay * rounding, decay))
        return where((a == b) & ~rounded, a + LN2, top + more)

    def cosine(a: Any, b: Any) -> Any:
        is_steep = size(a) < size(b)
        ratio = where(is_steep, a, b) / where(is_steep, size(b), a)
        part = where(is_steep, ratio, where(a < 0.0, -1.0, 1.0))
        return where((a == 0.0) & ~is_steep, a * b, part / xp.sqrt(1.0 + ratio * ratio))

    return {
        "identity": lambda x: x, "sign": sign, "step": step, "wins": wins, "relu": relu,
        "maximum": maximum, "minimum": minimum, "where": select, "sigmoid": sigmoid,
        "sigmoid_slope": lambda x: sigmoid(x) * sigmoid(-x), "softplus": softplus,
        "logaddexp": logaddexp, "cosine": cosine, "share": lambda a, b: a / (a + b),
        "one_minus_square": lambda x: (1.0 - x) * (1.0 + x)}


def gaussian(xp: Any, x: Any, high: Any, apart: Emit = lambda x: x) -> Any:
    """exp(-x**2), of x and its high half, whose square is exact.

    Args:
        xp: the module of the arrays.
        x, high: the number and its half.
        apart: hides from a compiler that a factor is a power, lest it adds the exponents.
    """
    inside = apart(xp.exp(-high * high)) * xp.exp(-(x - high) * (x + high))
    return xp.where(xp.abs(x) < 30.0, inside, xp.where(x == x, 0.0, x))
