"""The derivatives of the special functions in closed form, for ``test_accuracy``.

From the definitions, in mpmath's functions; nothing here is a row's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.checking import precise_special

Derivative = Callable[[Any], Any]
Pairs = dict[str, tuple[Derivative, Derivative]]  # the first and the second derivative
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772


def _sigmoid(mp: Any, x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _sigmoid_slope(mp: Any, x: Any) -> Any:
    return mp.sech(x / 2) ** 2 / 4


def _bell(mp: Any, x: Any) -> Any:
    return mp.exp(-x * x / 2) if abs(x) < 1e4 else mp.mpf(0)


def truths(mp: Any) -> Pairs:
    """The first and the second derivative of every unary special function."""
    return {**_of_activations(mp), **_of_erf(mp), **_of_quantiles(mp), **_of_gamma(mp),
            **_of_angles(mp)}


def _of_activations(mp: Any) -> Pairs:
    """Those that are piecewise, or made of the sigmoid."""
    def soft(x: Any) -> Any:
        return mp.log1p(mp.exp(-abs(x))) + max(x, 0)

    def mish_1(x: Any) -> Any:
        return mp.tanh(soft(x)) + x * mp.sech(soft(x)) ** 2 * _sigmoid(mp, x)

    def mish_2(x: Any) -> Any:
        t, q = mp.tanh(soft(x)), mp.sech(soft(x)) ** 2
        s = _sigmoid(mp, x)
        return 2 * q * s + x * q * _sigmoid_slope(mp, x) - 2 * x * t * q * s ** 2

    return {
        "logit": (lambda x: 1 / (x * (1 - x)), lambda x: (2 * x - 1) / (x * (1 - x)) ** 2),
        "silu": (lambda x: _sigmoid(mp, x) + x * _sigmoid_slope(mp, x),
                 lambda x: _sigmoid_slope(mp, x) * (2 - x * mp.tanh(x / 2))),
        "elu": (lambda x: 1 if x > 0 else mp.exp(x), lambda x: 0 if x > 0 else mp.exp(x)),
        "selu": (lambda x: mp.mpf(SCALE) * (1 if x > 0 else ALPHA * mp.exp(x)),
                 lambda x: 0 if x > 0 else mp.mpf(SCALE) * ALPHA * mp.exp(x)),
        "leaky_relu": (lambda x: 1 if x > 0 else mp.mpf(0.01), lambda x: 0),
        "mish": (mish_1, mish_2),
        "hardtanh": (lambda x: 1 if abs(x) < 1 else 0, lambda x: 0),
        "softsign": (lambda x: 1 / (1 + abs(x)) ** 2,
                     lambda x: -2 * mp.sign(x) / (1 + abs(x)) ** 3),
    }


def _of_erf(mp: Any) -> Pairs:
    """The relatives of the error function."""
    def scaled(n: int, x: Any) -> Any:
        """exp(x**2) times the integral of erfc of order n, from the integral that defines it."""
        if x > 0:
            return mp.hyperu(mp.mpf(n + 1) / 2, 0.5, x * x) / 2**n / mp.sqrt(mp.pi)
        first = mp.exp(x * x) * mp.erfc(x)
        if n == 0:
            return first
        before = 2 / mp.sqrt(mp.pi) if n == 1 else scaled(n - 2, x)
        return (before - 2 * x * scaled(n - 1, x)) / (2 * n)

    def hazard(n: int, x: Any) -> Any:
        """The derivatives of log(ndtr(x)) from that of order 1 on."""
        if abs(x) > 1e20:  # by the first terms of its series
            return mp.mpf(0) if x > 0 else (-x - 1 / x, mp.mpf(-1), 2 / x**3, 6 / x**4)[n]
        with mp.extradps(int(8 * mp.log10(abs(x) + 1)) + 20):
            h = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi) / (mp.erfc(-x / mp.sqrt(2)) / 2)
            h_1 = -h * (x + h)
            h_2 = -h_1 * (x + 2 * h) - h
            return (h, h_1, h_2, -h_2 * (x + 2 * h) - 2 * h_1 * (1 + h_1))[n]

    root_tau = mp.sqrt(2 * mp.pi)
    return {
        "erfcx": (lambda x: -2 * scaled(1, x), lambda x: 8 * scaled(2, x)),
        "normal_bell": (lambda x: -x * _bell(mp, x), lambda x: (x * x - 1) * _bell(mp, x)),
        "ndtr": (lambda x: _bell(mp, x) / root_tau, lambda x: -x * _bell(mp, x) / root_tau),
        "log_ndtr": (lambda x: hazard(0, x), lambda x: hazard(1, x)),
        "gelu": (lambda x: mp.ncdf(max(x, -1e4)) * (x > -1e4) + x * _bell(mp, x) / root_tau,
                 lambda x: (2 - x * x) * _bell(mp, x) / root_tau),
    }


def _of_quantiles(mp: Any) -> Pairs:
    """Their inverses."""
    def quantile(p: Any) -> Any:
        return precise_special.SPECIAL["ndtri"](mp, p)

    def inverse(y: Any) -> Any:
        return precise_special.SPECIAL["erfinv"](mp, y)

    def upper(p: Any) -> Any:
        return precise_special.SPECIAL["erfcinv"](mp, p)

    root_pi, root_tau = mp.sqrt(mp.pi), mp.sqrt(2 * mp.pi)
    return {
        "ndtri": (lambda p: root_tau / _bell(mp, quantile(p)),
                  lambda p: quantile(p) * (root_tau / _bell(mp, quantile(p))) ** 2),
        "erfinv": (lambda y: root_pi / 2 * mp.exp(inverse(y) ** 2),
                   lambda y: mp.pi / 2 * inverse(y) * mp.exp(2 * inverse(y) ** 2)),
        "erfcinv": (lambda p: -root_pi / 2 * mp.exp(upper(p) ** 2),
                    lambda p: mp.pi / 2 * upper(p) * mp.exp(2 * upper(p) ** 2)),
    }


def _of_gamma(mp: Any) -> Pairs:
    """The gamma function and its logarithm's derivatives."""
    def psi(n: int, x: Any) -> Any:
        if x > 0:
            return mp.psi(n, x)
        cot, pole = mp.pi * mp.cot(mp.pi * x), (mp.pi * mp.csc(mp.pi * x)) ** 2
        return (-1) ** n * mp.psi(n, 1 - x) - (cot, -pole, 2 * pole * cot)[n]

    return {
        "gamma": (lambda x: mp.gamma(x) * psi(0, x),
                  lambda x: mp.gamma(x) * (psi(1, x) + psi(0, x) ** 2)),
        "gammaln": (lambda x: psi(0, x), lambda x: psi(1, x)),
        "digamma": (lambda x: psi(1, x), lambda x: psi(2, x)),
    }


def _of_angles(mp: Any) -> Pairs:
    """Angles, and the sine over its argument."""
    def sinc(n: int, x: Any) -> Any:
        """The derivative of order n, by its series near 0."""
        if abs(x) < 2:
            return mp.nsum(lambda k: (-1) ** int(k) * mp.pi ** (2 * k) * mp.ff(2 * k, n)
                           * x ** (2 * k - n) / mp.factorial(2 * k + 1),
                           [(n + 1) // 2, 60]) if x else mp.mpf(0)
        waves = (mp.sinpi(x), mp.cospi(x), -mp.sinpi(x), -mp.cospi(x))
        if n == 0:
            return waves[0] / mp.pi / x
        return (mp.pi ** (n - 1) * waves[n % 4] - n * sinc(n - 1, x)) / x

    return {
        "sinc": (lambda x: sinc(1, x), lambda x: sinc(2, x)),
        "radians": (lambda x: mp.pi / 180, lambda x: 0),
        "degrees": (lambda x: 180 / mp.pi, lambda x: 0),
    }


def terms(mp: Any) -> Pairs:
    """The size of the terms of both derivatives, for those that pass through 0 between them."""
    def s(x: Any) -> Any:
        return _sigmoid(mp, x)

    def slope(x: Any) -> Any:
        return _sigmoid_slope(mp, x)

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
        "normal_bell": (lambda x: 0, lambda x: (1 + x * x) * mp.exp(-x * x / 2)),
        "gelu": (lambda x: (mp.ncdf(x) + abs(x) * mp.npdf(x)) if abs(x) < 1e4 else 0,
                 lambda x: (2 + x * x) * mp.npdf(x) if abs(x) < 1e4 else 0),
        "sinc": (lambda x: min(4, 1 / abs(x)) * min(1, 4 * abs(x)),
                 lambda x: mp.pi**2 * min(1, 1 / abs(x))),
        "ndtri": (lambda x: 0, lambda x: 1 / (x * (1 - x)) ** 2),
        "erfinv": (lambda x: 0, lambda x: 1 / (1 - x * x) ** 2),
        "erfcinv": (lambda x: 0, lambda x: 1 / (x * (2 - x)) ** 2),
    }
