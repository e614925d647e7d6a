"""The values of the library's functions in high precision, by mpmath's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    "exp1": lambda m, x: m.e1(x),
    "expi": lambda m, x: m.ei(x),
    "expn": lambda m, n, x: m.expint(n, x),
}
