"""The values of the library's functions in high precision, by mpmath's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _real(m: Any, w: Any) -> Any:
    """A number that is real; nan in place of another one."""
    return w.real if w.imag == 0 else m.nan


def _lambertw_slope(m: Any, k: Any, x: Any) -> Any:
    w = _real(m, m.lambertw(x, int(k)))
    return 1 / (m.exp(w) * (1 + w))


def _complete_elliptic(m: Any, a: Any, n: Any, x: Any) -> Any:
    """DLMF 19.5.1, 19.5.2 and 15.5.2."""
    half = m.mpf(1) / 2
    return (m.pi / 2 * m.rf(a, n) * m.rf(half, n) / m.factorial(n)
            * m.hyp2f1(a + n, half + n, 1 + n, x))


def _slope_of_i(m: Any, v: Any, x: Any) -> Any:
    return (m.besseli(v - 1, x) + m.besseli(v + 1, x)) / 2


def _slope_of_k(m: Any, v: Any, x: Any) -> Any:
    return -(m.besselk(v - 1, x) + m.besselk(v + 1, x)) / 2


def _scaled(m: Any, f: Any, slope: Any, v: Any, n: Any, x: Any, sign: int) -> Any:
    """The n-th derivative of exp(sign x) f(x), for an f of Bessel's equation, DLMF 10.25.1."""
    if n == 1:
        return m.exp(sign * x) * (sign * f + slope)
    curvature = (1 + v * v / (x * x)) * f - slope / x if x else (3 - 2 * v) * f / 2
    return m.exp(sign * x) * (f + 2 * sign * slope + curvature)


def _gammainc_slope(m: Any, n: Any, a: Any, x: Any) -> Any:
    return m.diff(lambda t: (m.gammainc(t, 0, x, regularized=True) if x < a
                             else -m.gammainc(t, x, m.inf, regularized=True)), a, int(n))


def _betainc_slope(m: Any, i: Any, j: Any, a: Any, b: Any, x: Any) -> Any:
    return m.diff(lambda s, t: (m.betainc(s, t, 0, x, regularized=True) if x * (a + b) < a
                                else -m.betainc(t, s, 0, 1 - x, regularized=True)),
                  (a, b), (int(i), int(j)))


def _by_order(name: str) -> Callable[..., Any]:
    """The derivative of a function of Bessel's by its order; that itself may be a limit."""
    def slope(m: Any, n: Any, v: Any, x: Any) -> Any:
        with m.extradps(20):
            nearly = v + m.mpf(10) ** -(m.dps - 5)
            return +m.diff(lambda t: getattr(m, name)(t, x), nearly, int(n))

    return slope


def _differentiated(f: Callable[..., Any], count: int, order_of: Callable[..., Any]
                    ) -> Callable[..., Any]:
    """Derivatives of a function of mpmath's: the first operands say which.

    Args:
        f: of a context and operands.
        count: how many operands say which derivative it is.
        order_of: from these how often it is differentiated by each operand.
    """
    def slope(m: Any, *operands: Any) -> Any:
        orders = tuple(map(int, order_of(*operands[:count])))
        with m.extradps(20):
            return +m.diff(lambda *xs: f(m, *operands[:count], *xs), operands[count:], orders)

    return slope


def _dawson(m: Any, x: Any) -> Any:
    return m.sqrt(m.pi) / 2 * m.exp(-x * x) * m.erfi(x)


def _spence(m: Any, x: Any) -> Any:
    return m.polylog(2, 1 - x).real


def _exprel(m: Any, x: Any) -> Any:
    return m.expm1(x) / x if x else m.mpf(1)


def _incomplete_elliptic(m: Any, a: Any, n: Any, phi: Any, x: Any) -> Any:
    return m.ellipf(phi, x) if a < 0 else m.ellipe(phi, x)


OF_LIBRARY: dict[str, Callable[..., Any]] = {
    "j0": lambda m, x: m.besselj(0, x),
    "j1": lambda m, x: m.besselj(1, x),
    "jv": lambda m, v, x: m.besselj(v, x),
    "y0": lambda m, x: m.bessely(0, x),
    "y1": lambda m, x: m.bessely(1, x),
    "yv": lambda m, v, x: m.bessely(v, x),
    "i0": lambda m, x: m.besseli(0, x),
    "i1": lambda m, x: m.besseli(1, x),
    "iv": lambda m, v, x: m.besseli(v, x),
    "k0": lambda m, x: m.besselk(0, x),
    "k1": lambda m, x: m.besselk(1, x),
    "kv": lambda m, v, x: m.besselk(v, x),
    "i0e": lambda m, x: m.exp(-abs(x)) * m.besseli(0, x),
    "i1e": lambda m, x: m.exp(-abs(x)) * m.besseli(1, x),
    "k0e": lambda m, x: m.exp(x) * m.besselk(0, x),
    "k1e": lambda m, x: m.exp(x) * m.besselk(1, x),
    "scaled_i_slope": lambda m, v, n, x: _scaled(m, m.besseli(v, x), _slope_of_i(m, v, x), v, n, x,
                                                 -1),
    "scaled_k_slope": lambda m, v, n, x: _scaled(m, m.besselk(v, x), _slope_of_k(m, v, x), v, n, x,
                                                 1),
    "exp1": lambda m, x: m.e1(x),
    "expi": lambda m, x: m.ei(x),
    "expn": lambda m, n, x: m.expint(n, x),
    "gammainc": lambda m, a, x: m.gammainc(a, 0, x, regularized=True),
    "gammaincc": lambda m, a, x: m.gammainc(a, x, m.inf, regularized=True),
    "gamma_density": lambda m, a, x: m.power(x, a - 1) * m.exp(-x) / m.gamma(a),
    "ive": lambda m, v, x: m.exp(-abs(x)) * m.besseli(v, x),
    "kve": lambda m, v, x: m.exp(x) * m.besselk(v, x),
    "ive_slope": _differentiated(lambda m, i, j, v, x: m.exp(-x) * m.besseli(v, x), 2,
                                 lambda i, j: (i, j)),
    "kve_slope": _differentiated(lambda m, i, j, v, x: m.exp(x) * m.besselk(v, x), 2,
                                 lambda i, j: (i, j)),
    "dawsn": _dawson,
    "dawsn_slope": _differentiated(lambda m, n, x: _dawson(m, x), 1, lambda n: (n,)),
    "fresnel_s": lambda m, x: m.fresnels(x),
    "fresnel_c": lambda m, x: m.fresnelc(x),
    "spence": _spence,
    "spence_slope": _differentiated(lambda m, n, x: m.log(x) / (1 - x), 1, lambda n: (n - 1,)),
    "exprel": _exprel,
    "exprel_slope": _differentiated(lambda m, n, x: _exprel(m, x), 1, lambda n: (n,)),
    "ellipkinc": lambda m, phi, x: m.ellipf(phi, x),
    "ellipeinc": lambda m, phi, x: m.ellipe(phi, x),
    "incomplete_elliptic": _differentiated(_incomplete_elliptic, 2, lambda a, n: (0, n)),
    "hyp1f1": lambda m, a, b, x: m.hyp1f1(a, b, x),
    "hyp2f1": lambda m, a, b, c, x: m.hyp2f1(a, b, c, x),
    "zeta": lambda m, x, q: m.zeta(x, q),
    "zeta_slope": lambda m, n, x, q: m.zeta(x, q, int(n)),
    **{f"{letter}v_slope": _by_order(f"bessel{letter}") for letter in "jyik"},
    "gammainc_slope": _gammainc_slope,
    "betainc_slope": _betainc_slope,
    "betainc": lambda m, a, b, x: m.betainc(a, b, 0, x, regularized=True),
    "beta_density": lambda m, a, b, x: m.power(x, a - 1) * m.power(1 - x, b - 1) / m.beta(a, b),
    "beta": lambda m, a, b: m.beta(a, b),
    "betaln": lambda m, a, b: m.loggamma(a) + m.loggamma(b) - m.loggamma(a + b),
    "digamma_change": lambda m, a, h: m.psi(0, a + h) - m.psi(0, a),
    "binom": lambda m, n, k: m.binomial(n, k),
    "factorial": lambda m, x: m.gamma(x + 1),
    "lambertw": lambda m, x: _real(m, m.lambertw(x)),
    "lambertwm1": lambda m, x: _real(m, m.lambertw(x, -1)),
    "lambertw_gap": lambda m, k, x: 1 + _real(m, m.lambertw(x, int(k))),
    "lambertw_slope": _lambertw_slope,
    "ellipk": lambda m, x: m.ellipk(x),
    "ellipe": lambda m, x: m.ellipe(x),
    "complete_elliptic": _complete_elliptic,
}
