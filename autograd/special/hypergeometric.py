"""The hypergeometric functions, and Riemann's and Hurwitz's zeta function.

Values are SciPy's. The derivatives of the hypergeometric functions by x are themselves (DLMF
13.3.15, 15.5.1), as accurate as SciPy has them. The derivatives of zeta by x are computed by the
sum of Euler and Maclaurin, differentiated term by term (DLMF 25.11.5, 25.11.17), within 30 units in
the last place; that by q is itself.
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.coefficients import EULER_MACLAURIN
from autograd.core.primitive import no_slope
from autograd.special import from_scipy
from autograd.special.library import library_row, scipy_row

MOST_DERIVATIVES = 2
_AHEAD = 24  # terms that are added up before the sum of Euler and Maclaurin

_LEVEL: dict[str, Any] = {"safe": ((1.0, 3.0), (1.0, 3.0), (-5.0, 20.0)), "orders": 2}

hyp1f1: Any = scipy_row(
    "hyp1f1", no_slope, no_slope, lambda a, b, x, y: a / b * hyp1f1(a + 1.0, b + 1.0, x),
    parameters=("a", "b", "x"), latex=r"{{}}_1F_1\left({0}; {1}; {2}\right)",
    domain="a b that is not 0, -1, -2, ...", summary="Kummer's confluent hypergeometric function.",
    slope="a / b * hyp1f1(a + 1, b + 1, x) by x, none by a and b", **_LEVEL)
hyp2f1: Any = scipy_row(
    "hyp2f1", no_slope, no_slope, no_slope,
    lambda a, b, c, x, y: a * b / c * hyp2f1(a + 1.0, b + 1.0, c + 1.0, x), orders=3,
    parameters=("a", "b", "c", "x"), safe=((1.0, 2.0), (1.0, 2.0), (3.0, 4.0), (-1.0, 0.7)),
    latex=r"{{}}_2F_1\left({0}, {1}; {2}; {3}\right)",
    domain="a c that is not 0, -1, -2, ..., and x < 1", is_pole=lambda a, b, c, x: x >= 1.0,
    summary="Gauss' hypergeometric function.",
    slope="a * b / c * hyp2f1(a + 1, b + 1, c + 1, x) by x, none by a, b and c")


# --- zeta -----------------------------------------------------------------------------------------

Jet = tuple[float, float, float]  # a number, and its first two derivatives by x


def _times(f: Jet, g: Jet) -> Jet:
    return f[0] * g[0], f[0] * g[1] + f[1] * g[0], f[0] * g[2] + 2.0 * f[1] * g[1] + f[2] * g[0]


def _plus(f: Jet, g: Jet) -> Jet:
    return f[0] + g[0], f[1] + g[1], f[2] + g[2]


def _power(base: float, x: float) -> Jet:
    """base**-x."""
    number, log = math.pow(base, -x), math.log(base)
    return number, -log * number, log * log * number


def _zeta_derivative(n: float, x: float, q: float) -> float:
    if (whole := n + x + q) != whole:
        return whole
    if n not in (1.0, 2.0) or not x > 1.0 or not q > 0.0 or q == math.inf:
        raise ValueError("math domain error")
    end, rest = q + _AHEAD, 1.0 / (x - 1.0)
    tail = _times(_power(end, x - 1.0), (rest, -rest * rest, 2.0 * rest * rest * rest))
    factor = _times((x, 1.0, 0.0), _power(end, x + 1.0))
    rows = [_times((0.5, 0.0, 0.0), _power(end, x)), tail]
    for k, number in enumerate(EULER_MACLAURIN, 1):
        rows.append(_times((number, 0.0, 0.0), factor))
        low, high = x + (2.0 * k - 1.0), x + 2.0 * k
        scale = _times((low, 1.0, 0.0), (high / end / end, 1.0 / end / end, 0.0))
        factor = _times(factor, scale)
    total: Jet = (0.0, 0.0, 0.0)
    for row in reversed(rows):
        total = _plus(total, row)
    for k in range(_AHEAD - 1, -1, -1):
        total = _plus(total, _power(q + k, x))
    return total[int(n)]


def _zeta(x: float, q: float) -> float:
    return from_scipy.checked("zeta", lambda x, q: x == 1.0)(x, q)


zeta_of: Any = library_row(
    "zeta", _zeta, lambda x, q, y: zeta_slope(1.0, x, q), lambda x, q, y: -x * zeta_of(x + 1.0, q),
    parameters=("x", "q"), safe=((1.1, 50.0), (0.1, 50.0)), called=True,
    domain="x > 1 and q > 0", latex=r"\zeta\left({0}, {1}\right)",
    summary="The zeta function of Hurwitz, the sum of (q + k)**-x over k = 0, 1, ...; of q = 1 "
            "that of Riemann.",
    slope="the sum of -log(q + k) * (q + k)**-x by x, -x * zeta(x + 1, q) by q")
zeta_slope: Any = library_row(
    "zeta_slope", _zeta_derivative, no_slope, lambda n, x, q, y: zeta_slope(n + 1.0, x, q),
    lambda n, x, q, y: -x * zeta_slope(n, x + 1.0, q) - n * (
        zeta_slope(n - 1.0, x + 1.0, q) if n > 1.0 else zeta_of(x + 1.0, q)),
    orders=1, parameters=("n", "x", "q"), safe=((1.0, 1.0), (1.1, 50.0), (0.1, 50.0)), called=True,
    hidden=True, domain="x > 1 and q > 0, and an n of 1 or 2, for higher derivatives are not "
                        "computed",
    summary="The derivative of the order n of zeta by x.",
    slope="that of the order n + 1 by x, that of -x * zeta(x + 1, q) by q")


def zeta(x: Any, q: Any = 1.0) -> Any:
    """The zeta function of Hurwitz, of q = 1 that of Riemann.

    Args:
        x: a number, a Value or an array of them, above 1.
        q: likewise, above 0.

    Raises:
        ValueError: outside of the domain.
    """
    return zeta_of(x, 1.0 if q is None else q)
