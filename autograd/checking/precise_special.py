"""The values of the special functions in high precision, from their definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _sigmoid(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def _mish(m: Any, x: Any) -> Any:
    return x * m.tanh(m.log1p(m.exp(x)) if x < 0 else x + m.log1p(m.exp(-x)))


def _selu(m: Any, x: Any) -> Any:
    scale, alpha = m.mpf(1.0507009873554805), m.mpf(1.6732632423543772)
    return scale * x if x > 0 else scale * alpha * m.expm1(x)


def _gammaln(m: Any, x: Any) -> Any:
    return m.loggamma(x) if x > 0 else m.log(abs(m.gamma(x)))


def _polygamma(m: Any, n: Any, x: Any) -> Any:
    """Below 0 by reflection: mpmath's own recurrence would take as many steps as x is large."""
    order = int(n)
    if x > 0 or order > 3:
        return m.psi(order, x)
    cot, pole = m.pi * m.cot(m.pi * x), (m.pi / m.sin(m.pi * x)) ** 2
    slopes = (cot, -pole, 2 * pole * cot, -2 * pole * (pole + 2 * cot * cot))
    return (-1) ** order * m.psi(order, 1 - x) - slopes[order]


SPECIAL: dict[str, Callable[..., Any]] = {
    "radians": lambda m, x: x * m.pi / 180,
    "degrees": lambda m, x: x * 180 / m.pi,
    "logit": lambda m, x: m.log(x / (1 - x)),
    "xlogy": lambda m, a, b: a * m.log(b) if a else m.zero,
    "xlog1py": lambda m, a, b: a * m.log1p(b) if a else m.zero,
    "gamma": lambda m, x: m.gamma(x),
    "gammaln": _gammaln,
    "digamma": lambda m, x: _polygamma(m, 0, x),
    "polygamma": _polygamma,
    "silu": lambda m, x: x * _sigmoid(m, x),
    "elu": lambda m, x: x if x > 0 else m.expm1(x),
    "selu": _selu,
    "leaky_relu": lambda m, x: x if x > 0 else x * m.mpf(0.01),
    "mish": _mish,
    "hardtanh": lambda m, x: max(min(x, m.one), -m.one),
    "softsign": lambda m, x: x / (1 + abs(x)),
}
