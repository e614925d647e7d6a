"""The logarithm of a sum of exponentials where it is near its zero, in integers.

log(exp(a) + exp(b)) is 0 where exp(a) + exp(b) = 1. There the larger operand and what the others
add to it cancel, and arithmetic of doubles keeps only the places of the operands. Integers of a few
hundred bits keep all: expm1(a) + exp(b), of which log1p is then taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

# A number x stands as the integer x * 2**FRACTION.
FRACTION = 192
ONE = 1 << FRACTION
TERMS = 52  # of Taylor's series: the next one is below 2**-FRACTION
SMALLEST = 2.0 ** -1022
CLOSE = 1.5  # a larger operand beyond 2 log(2) is never near


def _reciprocals_of_factorials() -> tuple[int, ...]:
    found, factorial = [], 1
    for n in range(TERMS + 1):
        factorial *= max(n, 1)
        found.append(ONE // factorial)
    return tuple(found)


def _logarithm_of_2() -> int:
    """Twice the series of atanh(1/3)."""
    total, power = 0, 3
    for n in range(1, 2 * FRACTION, 2):
        total += ONE // (power * n)
        power *= 9
    return 2 * total


RECIPROCALS = _reciprocals_of_factorials()
LOG_2 = _logarithm_of_2()


def is_near_zero(top: float, result: float) -> bool:
    """Whether top, the largest operand, and what the others add have lost places to each other."""
    return 0.5 * top < result < -2.0 * top and top <= -SMALLEST


def log_of_sum(top: float, others: Sequence[float]) -> float:
    """log(exp(top) + exp(other) + ...) to an ulp, for -2 < top < 0 where none is larger."""
    mantissa, exponent = math.frexp(top)
    # All terms count in units of 2**exponent, so that a small top keeps its places as well.
    total = int(math.ldexp(mantissa, 53)) * _series(_fixed(top), 1) >> 53
    for other in others:
        if other > -2000.0:  # below, exp(other) is less than any double
            turns = int(other / math.log(2.0))
            rest = _fixed(other) - turns * LOG_2
            total += _shifted(_series(rest, 0), turns - exponent)
    return math.log1p(math.ldexp(float(total), exponent - FRACTION))


def _fixed(x: float) -> int:
    numerator, denominator = x.as_integer_ratio()
    return (numerator << FRACTION) // denominator


def _shifted(number: int, by: int) -> int:
    return number << by if by >= 0 else number >> -by


def _series(x: int, first: int) -> int:
    """The sum of x**n / (n + first)!: exp(x) from first = 0, expm1(x) / x from 1."""
    total = RECIPROCALS[TERMS]
    for n in range(TERMS - 1, first - 1, -1):
        total = RECIPROCALS[n] + (total * x >> FRACTION)
    return total
