"""Rounding and remainders of floats, as IEEE 754 has them: also of infinities, nan and -0."""

from __future__ import annotations

import math
from typing import Any

WHOLE = 2.0**52  # from here on every float is a whole number, and from twice that on it is even


def halves(x: Any) -> tuple[Any, Any]:
    """A float (or each of an array) as a sum of two of at most 26 bits, whose products are exact.

    Veltkamp's splitting; nan where x is so large that it overflows.
    """
    wide = 134217729.0 * x  # 2**27 + 1
    high = wide - (wide - x)
    return high, x - high


def floor(x: float) -> float:
    """The largest whole number that is not above x."""
    return x // 1.0 if x - x == 0.0 else x


def ceil(x: float) -> float:
    """The smallest whole number that is not below x."""
    return -(-x // 1.0) if x - x == 0.0 else x


def trunc(x: float) -> float:
    """The whole number beside x on the side of 0."""
    return floor(x) if x > 0.0 else ceil(x)


def rint(x: float) -> float:
    """The nearest whole number; of two that are as near the even one."""
    size = math.fabs(x)
    return math.copysign((size + WHOLE) - WHOLE, x) if size < WHOLE else x


def fmod(a: float, b: float) -> float:
    """a - n b for the whole n between 0 and a / b that leaves the least; it is exact."""
    if b == 0.0 or math.isinf(a):
        raise ValueError("math domain error")  # also beside nan, where Python's gives nan
    return math.fmod(a, b)


def remainder(a: float, b: float) -> float:
    """a - n b for the whole n that is nearest to a / b, the even one of two; it is exact."""
    if b == 0.0 or a == math.inf or a == -math.inf:
        raise ValueError("math domain error")
    size, whole = math.fabs(a), math.fabs(b)
    rest = math.fmod(size, whole)
    # Which multiple is nearer shows in what is left to the next; at a tie the even one counts.
    if rest < whole - rest:
        near = rest
    elif rest > whole - rest:
        near = rest - whole
    else:
        near = rest - 2.0 * math.fmod(0.5 * (size - rest), whole)
    return math.copysign(1.0, a) * near
