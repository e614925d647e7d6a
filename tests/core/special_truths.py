"""The derivatives of the special functions in closed form, for ``test_accuracy``.

From the definitions, in mpmath's functions; nothing here is a row's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Derivative = Callable[[Any], Any]
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def truths(mp: Any) -> dict[str, tuple[Derivative, Derivative]]:
    """The first and the second derivative of every unary special function."""
    def s(x: Any) -> Any:
        return 1 / (1 + mp.exp(-x))

    def slope(x: Any) -> Any:
        return mp.sech(x / 2) ** 2 / 4

    def soft(x: Any) -> Any:
        return mp.log1p(mp.exp(-abs(x))) + max(x, 0)

    def mish_1(x: Any) -> Any:
        return mp.tanh(soft(x)) + x * mp.sech(soft(x)) ** 2 * s(x)

    def mish_2(x: Any) -> Any:
        t, q = mp.tanh(soft(x)), mp.sech(soft(x)) ** 2
        return 2 * q * s(x) + x * q * slope(x) - 2 * x * t * q * s(x) ** 2

    def psi(n: int, x: Any) -> Any:
        if x > 0:
            return mp.psi(n, x)
        cot, pole = mp.pi * mp.cot(mp.pi * x), (mp.pi * mp.csc(mp.pi * x)) ** 2
        return (-1) ** n * mp.psi(n, 1 - x) - (cot, -pole, 2 * pole * cot)[n]

    return {
        "radians": (lambda x: mp.pi / 180, lambda x: 0),
        "degrees": (lambda x: 180 / mp.pi, lambda x: 0),
        "logit": (lambda x: 1 / (x * (1 - x)), lambda x: (2 * x - 1) / (x * (1 - x)) ** 2),
        "gamma": (lambda x: mp.gamma(x) * psi(0, x),
                  lambda x: mp.gamma(x) * (psi(1, x) + psi(0, x) ** 2)),
        "gammaln": (lambda x: psi(0, x), lambda x: psi(1, x)),
        "digamma": (lambda x: psi(1, x), lambda x: psi(2, x)),
        "silu": (lambda x: s(x) + x * slope(x),
                 lambda x: slope(x) * (2 - x * mp.tanh(x / 2))),
        "elu": (lambda x: 1 if x > 0 else mp.exp(x), lambda x: 0 if x > 0 else mp.exp(x)),
        "selu": (lambda x: mp.mpf(SCALE) * (1 if x > 0 else ALPHA * mp.exp(x)),
                 lambda x: 0 if x > 0 else mp.mpf(SCALE) * ALPHA * mp.exp(x)),
        "leaky_relu": (lambda x: 1 if x > 0 else mp.mpf(0.01), lambda x: 0),
        "mish": (mish_1, mish_2),
        "hardtanh": (lambda x: 1 if abs(x) < 1 else 0, lambda x: 0),
        "softsign": (lambda x: 1 / (1 + abs(x)) ** 2,
                     lambda x: -2 * mp.sign(x) / (1 + abs(x)) ** 3),
    }


def terms(mp: Any) -> dict[str, tuple[Derivative, Derivative]]:
    """The size of the terms of both derivatives, for those that pass through 0 between them."""
    def s(x: Any) -> Any:
        return 1 / (1 + mp.exp(-x))

    def slope(x: Any) -> Any:
        return mp.sech(x / 2) ** 2 / 4

    def psi(n: int) -> Derivative:
        """Of a negative x the terms are those of the reflection."""
        def size(x: Any) -> Any:
            if x > 0:
                return abs(mp.psi(n, x))
            cot, pole = mp.pi * abs(mp.cot(mp.pi * x)), (mp.pi * mp.csc(mp.pi * x)) ** 2
            return 1 + abs(mp.psi(n, 1 - x)) + (cot, pole, 2 * pole * cot)[n]

        return size

    def gamma_1(x: Any) -> Any:
        return abs(mp.gamma(x)) * psi(0)(x)

    def gamma_2(x: Any) -> Any:
        return abs(mp.gamma(x)) * (psi(1)(x) + psi(0)(x) ** 2)

    return {
        "gamma": (gamma_1, gamma_2),
        "gammaln": (psi(0), psi(1)),
        "digamma": (psi(1), psi(2)),
        "logit": (lambda x: 1 / (x * (1 - x)), lambda x: 1 / x**2 + 1 / (1 - x) ** 2),
        "silu": (lambda x: s(x) + abs(x) * slope(x), lambda x: slope(x) * (2 + abs(x))),
        "mish": (lambda x: s(x) + abs(x) * slope(x), lambda x: slope(x) * (2 + abs(x))),
    }
