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


SPECIAL: dict[str, Callable[..., Any]] = {
    "radians": lambda m, x: x * m.pi / 180,
    "degrees": lambda m, x: x * 180 / m.pi,
    "logit": lambda m, x: m.log(x / (1 - x)),
    "xlogy": lambda m, a, b: a * m.log(b) if a else m.zero,
    "xlog1py": lambda m, a, b: a * m.log1p(b) if a else m.zero,
    "silu": lambda m, x: x * _sigmoid(m, x),
    "elu": lambda m, x: x if x > 0 else m.expm1(x),
    "selu": _selu,
    "leaky_relu": lambda m, x: x if x > 0 else x * m.mpf(0.01),
    "mish": _mish,
    "hardtanh": lambda m, x: max(min(x, m.one), -m.one),
    "softsign": lambda m, x: x / (1 + abs(x)),
}
