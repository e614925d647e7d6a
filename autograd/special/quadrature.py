"""Integrals from 0 to infinity, and the small differences that their integrands are made of.

Where u is written as exp(v), an integrand that is smooth at every scale, from its edge on, is
smooth in v, and the trapezoidal rule gains digits as the exponential of the number of its nodes
(Takahasi and Mori 1974, Double exponential formulas for numerical integration).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from autograd.core.typing import Array

_STEP = 0.09375
_FIRST = -3.8  # where u is exp(-48) of its scale
_NODES = 24  # of a panel
_FOLDS = 44.0  # after so many scales there is nothing left
_ODD = tuple(1.0 / k for k in range(3, 37, 2))  # 1/3, 1/5, ...
_INVERSE_FACTORIALS = tuple(1.0 / float(np.prod(np.arange(1.0, k + 1.0))) for k in range(2, 22))


def half_line(least: float, most: float) -> tuple[Array, Array]:
    """Nodes u and weights of the integral of a function of u from 0 to infinity.

    Args:
        least, most: its smallest scale, and the largest: e times as far, it is e times smaller.
    """
    end = np.log(_FOLDS * max(most / least, 1.0))
    v = np.arange(_FIRST, end + _STEP, _STEP)
    rise = np.exp(-v)
    u = least * np.exp(v - rise)
    return u, _STEP * u * (1.0 + rise)


def scale_of(slope: float, curvature: float) -> float:
    """How far it is until slope * u + curvature * u**2 / 2 is 1."""
    return float(2.0 / (slope + np.sqrt(slope * slope + 2.0 * curvature)))


def log1p_less(z: Array) -> Array:
    """log(1 + z) - z, for z > -1; near 0 by the series of the inverse tangent."""
    share = z / (2.0 + z)
    square = share * share
    total = np.zeros_like(z)
    for factor in reversed(_ODD):
        total = (total + factor) * square
    near = np.abs(share) < 0.3
    return np.where(near, 2.0 * share * total - share * z, np.log1p(z) - z)


def exp_rest(u: Array) -> Array:
    """exp(-u) - 1 + u, for u >= 0."""
    small = np.minimum(u, 1.0)
    total = np.zeros_like(small)
    for factor in reversed(_INVERSE_FACTORIALS):
        total = factor - total * small
    return np.where(u < 1.0, small * small * total, np.expm1(-u) + u)


@cache
def _gauss() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(_NODES)


def panels(end: float, width: float) -> tuple[Array, Array]:
    """Nodes and weights of an integral from 0 to an end, by Gauss' rule.

    Args:
        end: where it ends.
        width: of the panels of 24 nodes each, at most.
    """
    count = math.ceil(end / width)
    nodes, weights = _gauss()
    half = 0.5 * end / count
    starts = 2.0 * half * np.arange(count)
    return (starts[:, None] + half * (nodes + 1.0)).ravel(), np.tile(half * weights, count)
