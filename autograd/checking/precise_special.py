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


def _scaled_integral(m: Any, n: int, x: Any) -> Any:
    """exp(x**2) times the integral of erfc of order n; with as many digits more as cancel."""
    with m.extradps(_cancelled(m, x, n)):
        values = [m.erfc(x) * m.exp(x * x), 0]
        values[1] = 1 / m.sqrt(m.pi) - x * values[0]
        return +(values[n] if n < 2 else (values[0] - 2 * x * values[1]) / 4)


def _cancelled(m: Any, x: Any, n: int) -> int:
    return 2 * n * max(0, int(m.ceil(m.log10(abs(x) + 1)))) + 10


def _ndtr(m: Any, x: Any) -> Any:
    return m.erfc(-x / m.sqrt(2)) / 2


def _log_ndtr(m: Any, x: Any) -> Any:
    return m.log(_ndtr(m, x)) if x < 0 else m.log1p(-_ndtr(m, -x))


def _hazard(m: Any, x: Any) -> Any:
    return m.exp(-x * x / 2) / m.sqrt(2 * m.pi) / _ndtr(m, x)


def _hazard_slope(m: Any, x: Any) -> Any:
    with m.extradps(_cancelled(m, x, 1)):
        hazard = _hazard(m, +x)
        return -hazard * (x + hazard)


def _ndtri(m: Any, p: Any) -> Any:
    """By Newton's iteration on the logarithm, which is concave: it comes from below."""
    if p > 0.5:
        return -_ndtri(m, 1 - p)
    x = -m.sqrt(-2 * m.log(p))
    for _ in range(200):
        step = (_log_ndtr(m, x) - m.log(p)) / _hazard(m, x)
        x -= step
        if abs(step) < m.eps * 8 * (abs(x) + m.eps):
            break
    return x


def _erfinv(m: Any, y: Any) -> Any:
    """By Newton's iteration, from 0 outwards."""
    if abs(y) > 0.5:
        return m.sign(y) * -_ndtri(m, (1 - abs(y)) / 2) / m.sqrt(2)
    x = y * m.sqrt(m.pi) / 2
    for _ in range(200):
        step = (m.erf(x) - y) * m.sqrt(m.pi) / 2 * m.exp(x * x)
        x -= step
        if abs(step) <= m.eps * 8 * abs(x):
            break
    return x


def _sinc(m: Any, x: Any) -> Any:
    return m.sinpi(x) / (m.pi * x) if x else m.one


def _sinc_slope(m: Any, x: Any) -> Any:
    with m.extradps(_lost_near_zero(m, x)):
        return (m.cospi(x) - _sinc(m, x)) / x if x else m.zero


def _sinc_curvature(m: Any, x: Any) -> Any:
    with m.extradps(_lost_near_zero(m, x)):
        return -m.pi**2 * _sinc(m, x) - 2 * _sinc_slope(m, x) / x if x else -m.pi**2 / 3


def _lost_near_zero(m: Any, x: Any) -> int:
    return int(4 * max(0, -m.log10(abs(x)))) + 10 if x else 10


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
    "erfcx": lambda m, x: _scaled_integral(m, 0, x),
    "erfcx_integral": lambda m, n, x: _scaled_integral(m, int(n), x),
    "normal_bell": lambda m, x: m.exp(-x * x / 2),
    "ndtr": _ndtr,
    "log_ndtr": _log_ndtr,
    "log_ndtr_slope": lambda m, n, x: (_hazard if n == 1 else _hazard_slope)(m, x),
    "ndtri": _ndtri,
    "erfinv": _erfinv,
    "erfcinv": lambda m, x: _erfinv(m, 1 - x) if 0.5 < x < 1.5 else -_ndtri(m, x / 2) / m.sqrt(2),
    "gelu": lambda m, x: x * _ndtr(m, x),
    "sinc": _sinc,
    "sinc_slope": lambda m, n, x: (_sinc_slope if n == 1 else _sinc_curvature)(m, x),
}
