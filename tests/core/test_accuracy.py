"""Derivatives against the truth with 60 digits, over the whole domain of every unary primitive.

A first derivative may be off by 4 units in the last place, a second one by 1e-12 relative (near a
zero of its own, relative to the size of its terms).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograd import TABLE, Value, grad
from autograd.core.primitives import Primitive

mpmath = pytest.importorskip("mpmath")
mp: Any = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.MPContext()
mp.dps = 60

POINTS, SECOND_POINTS = 2500, 250
MOST_ULPS, MOST_RELATIVE = 4.0, 1e-12


def _power(x: Any, exponent: str) -> Any:
    return mp.power(abs(x), mp.mpf(exponent))


# The first and the second derivative of every unary row, in closed form.
TRUTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "neg": (lambda x: -1, lambda x: 0),
    "identity": (lambda x: 1, lambda x: 0),
    "abs": (lambda x: mp.sign(x), lambda x: 0),
    "sign": (lambda x: 0, lambda x: 0),
    "step": (lambda x: 0, lambda x: 0),
    "relu": (lambda x: 1 if x > 0 else 0, lambda x: 0),
    "exp": (mp.exp, mp.exp),
    "exp2": (lambda x: mp.ln2 * mp.power(2, x), lambda x: mp.ln2**2 * mp.power(2, x)),
    "expm1": (mp.exp, mp.exp),
    "log": (lambda x: 1 / x, lambda x: -1 / x**2),
    "log2": (lambda x: 1 / x / mp.ln2, lambda x: -1 / x**2 / mp.ln2),
    "log10": (lambda x: 1 / x / mp.ln10, lambda x: -1 / x**2 / mp.ln10),
    "log1p": (lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2),
    "sqrt": (lambda x: 1 / (2 * mp.sqrt(x)), lambda x: -1 / (4 * x * mp.sqrt(x))),
    "cbrt": (lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),
             lambda x: mp.mpf(-2) / 9 / (x * mp.cbrt(abs(x)) ** 2)),
    "sin": (mp.cos, lambda x: -mp.sin(x)),
    "cos": (lambda x: -mp.sin(x), lambda x: -mp.cos(x)),
    "tan": (lambda x: mp.sec(x) ** 2, lambda x: 2 * mp.tan(x) * mp.sec(x) ** 2),
    "asin": (lambda x: 1 / mp.sqrt(1 - x * x), lambda x: x / (1 - x * x) ** 1.5),
    "acos": (lambda x: -1 / mp.sqrt(1 - x * x), lambda x: -x / (1 - x * x) ** 1.5),
    "atan": (lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "sinh": (mp.cosh, mp.sinh),
    "cosh": (mp.sinh, mp.cosh),
    "tanh": (lambda x: mp.sech(x) ** 2, lambda x: -2 * mp.tanh(x) * mp.sech(x) ** 2),
    "asinh": (lambda x: 1 / mp.sqrt(1 + x * x), lambda x: -x / (1 + x * x) ** 1.5),
    "acosh": (lambda x: 1 / mp.sqrt(x * x - 1), lambda x: -x / (x * x - 1) ** 1.5),
    "atanh": (lambda x: 1 / (1 - x * x), lambda x: 2 * x / (1 - x * x) ** 2),
    "sigmoid": (lambda x: mp.sech(x / 2) ** 2 / 4,
                lambda x: -mp.tanh(x / 2) * mp.sech(x / 2) ** 2 / 4),
    "sigmoid_slope": (lambda x: -mp.tanh(x / 2) * mp.sech(x / 2) ** 2 / 4,
                      lambda x: mp.sech(x / 2) ** 2 / 4 * (1 - mp.sech(x / 2) ** 2 * 3 / 2)),
    "softplus": (lambda x: 1 / (1 + mp.exp(-x)), lambda x: mp.sech(x / 2) ** 2 / 4),
    "erf": (lambda x: 2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
            lambda x: -4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "erfc": (lambda x: -2 / mp.sqrt(mp.pi) * mp.exp(-x * x),
             lambda x: 4 * x / mp.sqrt(mp.pi) * mp.exp(-x * x)),
    "gaussian": (lambda x: -2 * x * mp.exp(-x * x), lambda x: (4 * x * x - 2) * mp.exp(-x * x)),
    "one_minus_square": (lambda x: -2 * x, lambda x: -2),
}
UNARY = [row for row in TABLE.values() if row.arity == 1]
POSITIVE, UNIT, ABOVE_ONE, ABOVE_MINUS_ONE = (
    {"log", "log2", "log10", "sqrt"}, {"asin", "acos", "atanh"}, {"acosh"}, {"log1p"})
# Second derivatives that pass through 0 between large terms: relative to those terms there.
TERMS: dict[str, Callable[[Any], Any]] = {
    "gaussian": lambda x: (4 * x * x + 2) * mp.exp(-x * x),
    "sigmoid_slope": lambda x: mp.sech(x / 2) ** 2 / 4,
}


def test_every_unary_row_has_a_truth() -> None:
    assert set(TRUTH) == {row.name for row in UNARY}


def points(name: str, count: int) -> Iterator[float]:
    """Points of a domain, spread in exponent, near its ends, and in value."""
    rng = random.Random(name)
    for _ in range(count):
        kind, tiny = rng.random(), 2.0 ** rng.uniform(-1000, 0)
        if name in UNIT:
            size = 1 - 2.0 ** rng.uniform(-53, 0) if kind < 0.5 else rng.random() if (
                kind < 0.75) else tiny
            yield rng.choice((-1.0, 1.0)) * size
        elif name in ABOVE_ONE:
            yield 1 + 2.0 ** rng.uniform(-52, 1000) if kind < 0.7 else rng.uniform(1, 10)
        elif name in ABOVE_MINUS_ONE:
            yield (-1 + 2.0 ** rng.uniform(-52, 1000) if kind < 0.4 else rng.uniform(-1, 10)
                   if kind < 0.6 else rng.choice((-1.0, 1.0)) * tiny)
        else:
            size = (2.0 ** rng.uniform(-1070, 1023) if kind < 0.3 else rng.random()
                    if kind < 0.4 else rng.uniform(0, 30) if kind < 0.7 else rng.uniform(0, 760))
            yield size if name in POSITIVE else rng.choice((-1.0, 1.0)) * size


def ulps(given: float, truth: Any) -> float:
    """The distance from the truth in units in the last place of a float near it."""
    nearest = abs(float(truth))
    if math.isinf(nearest):  # the derivative itself is beyond the floats
        return 0.0 if math.isinf(given) or given == nearest else math.inf
    return float(abs(mp.mpf(given) - truth) / mp.mpf(math.ulp(nearest)))


def worst_first(row: Primitive, count: int = POINTS) -> tuple[float, float]:
    """(units in the last place, point) where the first derivative is worst."""
    worst = (0.0, 0.0)
    for x in points(row.name, count):
        leaf = Value(x)
        try:
            y = row(leaf)
        except (OverflowError, ValueError):
            continue  # outside the domain, or the value is beyond the floats
        y.backward()
        off = ulps(leaf.grad, mp.mpf(TRUTH[row.name][0](mp.mpf(x))))
        worst = max(worst, (off if off == off else math.inf, x))
    return worst


@pytest.mark.parametrize("row", UNARY, ids=lambda row: row.name)
def test_first_derivative_is_within_4_ulps_of_the_truth(row: Primitive) -> None:
    off, x = worst_first(row)
    assert off <= MOST_ULPS, f"{row.name}' is off by {off:.3g} ulps at {x!r}"


@pytest.mark.parametrize("row", UNARY, ids=lambda row: row.name)
def test_second_derivative_is_within_1e12_of_the_truth(row: Primitive) -> None:
    second = grad(grad(row))
    checked = 0
    for x in points(row.name, SECOND_POINTS):
        truth = mp.mpf(TRUTH[row.name][1](mp.mpf(x)))
        try:
            given = second(x)
        except (OverflowError, ValueError):
            continue
        scale = TERMS[row.name](mp.mpf(x)) if row.name in TERMS else abs(truth)
        if truth != 0 and not 1e-290 < scale < 1e300:
            continue  # its last digits are under the smallest float
        checked += 1
        assert abs(mp.mpf(given) - truth) <= MOST_RELATIVE * scale, f"{row.name}'' at {x!r}"
    assert checked > SECOND_POINTS // 10


@pytest.mark.parametrize(("name", "partial"), [
    ("tanh", lambda x, y: 1.0 - y * y),
    ("sigmoid", lambda x, y: y * (1.0 - y)),
    ("softplus", lambda x, y: 1.0 - math.exp(-y)),
    ("expm1", lambda x, y: y + 1.0),
    ("asin", lambda x, y: 1.0 / math.sqrt(1.0 - x * x) if abs(x) < 1 else 0.0),
    ("erf", lambda x, y: 1.1283791670955126 * math.exp(-x * x) if abs(x) < 1e3 else 0.0),
    ("atan", lambda x, y: 1.0 / (1.0 + x * x)),
    ("exp", lambda x, y: y * (1.0 + 4.5 * 2.0**-52)),
])
def test_the_test_rejects_rules_that_lose_digits(name: str, partial: Any) -> None:
    row = TABLE[name]
    right = row.partials
    object.__setattr__(row, "partials", (partial,))
    try:
        off, _ = worst_first(row, 400)
    finally:
        object.__setattr__(row, "partials", right)
    assert off > MOST_ULPS
