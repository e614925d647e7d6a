"""Derivatives against the truth in high precision, over the whole domain of every primitive.

A first derivative may be off by 4 units in the last place (those of logaddexp and logsumexp by
1e-13 relative, for they round the difference of two operands), a second one by 1e-12 relative, or
near a zero of its own by what some units in the last place of the operands change.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import TABLE, Value, grad
from autograd.checking.high_precision import MP_VALUES
from autograd.core.backward import adjoints
from autograd.core.primitives import Primitive

from . import special_truths

mpmath = pytest.importorskip("mpmath")
mp: Any = mpmath.mp.clone() if hasattr(mpmath.mp, "clone") else mpmath.MPContext()
mp.dps = 60

POINTS, SECOND_POINTS = 2500, 250
MOST_ULPS, MOST_RELATIVE = 4.0, 1e-12
SEVERAL_ULPS = {  # of sums and products of series
    "gamma": 10.0, "gammaln": 8.0, "digamma": 6.0, "erfcx": 6.0, "log_ndtr": 6.0, "ndtri": 8.0,
    "erfinv": 8.0, "erfcinv": 8.0}


def _power(x: Any, exponent: str) -> Any:
    return mp.power(abs(x), mp.mpf(exponent))


# The first and the second derivative of every unary row, in closed form.
TRUTH: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "neg": (lambda x: -1, lambda x: 0),
    "identity": (lambda x: 1, lambda x: 0),
    "abs": (lambda x: mp.sign(x), lambda x: 0),
    "sign": (lambda x: 0, lambda x: 0),
    "step": (lambda x: 0, lambda x: 0),
    "floor": (lambda x: 0, lambda x: 0),
    "ceil": (lambda x: 0, lambda x: 0),
    "trunc": (lambda x: 0, lambda x: 0),
    "rint": (lambda x: 0, lambda x: 0),
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
    **special_truths.truths(mp),
}
UNARY = [row for row in TABLE.values() if row.arity == 1 and row.name in TRUTH]
POSITIVE, UNIT, ABOVE_ONE, ABOVE_MINUS_ONE = (
    {"log", "log2", "log10", "sqrt"}, {
        "asin", "acos", "atanh", "logit", "ndtri", "erfinv", "erfcinv"}, {"acosh"}, {"log1p"})
# Second derivatives that pass through 0 between large terms: relative to those terms there.
TERMS: dict[str, Callable[[Any], Any]] = {
    "gaussian": lambda x: (4 * x * x + 2) * mp.exp(-x * x),
    "sigmoid_slope": lambda x: mp.sech(x / 2) ** 2 / 4,
    **{name: second for name, (_, second) in special_truths.terms(mp).items()},
}
# First derivatives likewise.
TERMS_OF_FIRST = {name: first for name, (first, _) in special_truths.terms(mp).items()}


def test_every_unary_row_has_a_truth() -> None:
    missing = {row.name for row in TABLE.values() if row.arity == 1 and not row.stops}
    missing -= TRUTH.keys()
    assert not missing, (
        f"{', '.join(sorted(missing))} has no independent oracle here: write its first and second "
        "derivative into TRUTH, from their definition and not from the row")
    assert TRUTH.keys() <= TABLE.keys()


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


def size_of_terms(name: str, x: float) -> float:
    """The size of what a first derivative is the sum of, where it can be smaller than that."""
    if name not in TERMS_OF_FIRST:
        return 0.0
    return max(float(TERMS_OF_FIRST[name](mp.mpf(x))), 1e-305)  # below, factors underflow


def ulps(given: float, truth: Any, terms: float = 0.0) -> float:
    """The distance from the truth in units in the last place of a float near it, or of terms."""
    nearest = max(abs(float(truth)), terms)
    if math.isinf(nearest):  # the derivative itself is beyond the floats
        return 0.0 if math.isinf(given) or given == nearest else math.inf
    return float(abs(mp.mpf(given) - truth) / mp.mpf(math.ulp(nearest)))


def worst_first(row: Primitive, count: int = POINTS) -> tuple[float, float]:
    """(units in the last place, point) where the first derivative is worst."""
    worst = (0.0, 0.0)
    for x in points(row.name, count):
        leaf = Value(x)
        try:
            row(leaf).backward()
        except (OverflowError, ValueError):
            continue  # outside the domain, or the value or the derivative is beyond the floats
        off = ulps(leaf.grad, mp.mpf(TRUTH[row.name][0](mp.mpf(x))), size_of_terms(row.name, x))
        worst = max(worst, (off if off == off else math.inf, x))
    return worst


@pytest.mark.parametrize("row", UNARY, ids=lambda row: row.name)
def test_first_derivative_is_within_4_ulps_of_the_truth(row: Primitive) -> None:
    off, x = worst_first(row)
    most = SEVERAL_ULPS.get(row.name, MOST_ULPS)
    assert off <= most, f"{row.name}' is off by {off:.3g} ulps at {x!r}"


@pytest.mark.parametrize("row", UNARY, ids=lambda row: row.name)
def test_second_derivative_is_within_1e12_of_the_truth(row: Primitive) -> None:
    second = grad(grad(row))
    checked = 0
    for x in points(row.name, SECOND_POINTS):
        try:
            given = second(x)
        except (OverflowError, ValueError):
            continue
        truth = mp.mpf(TRUTH[row.name][1](mp.mpf(x)))
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


# --- two operands, and any number of them -------------------------------------------------------

# Saturated, cancelling, equal, huge, tiny, and zeros of the functions; the truth is a difference
# quotient of the value in high precision, which knows no rule.
HARD = [0.0, 0.3, 1.0, -1.0, 2.5, 40.0, -40.0, 700.0, -700.0, 1e8, -1e8, 1e12, 1e12 + 0.5, 1e-8,
        -1e-12, 1e-100, 1e-150, 1e150, math.log(0.3), math.log(0.7), math.pi]
MOST_POINTS = 60
SEVERAL = [row for row in TABLE.values() if row.arity in (2, None) and not row.orders]
DIFFERENCES = {"logaddexp", "logsumexp"}  # whose derivatives round the difference of two operands
COUNTING = {"mod", "floordiv", "fmod", "ieee_remainder"}  # how often the divisor goes in
fine: Any = mp.clone()
fine.dps = 1000
STEP = fine.mpf(10) ** -160


def hard_points(row: Primitive) -> list[tuple[float, ...]]:
    """Operands away from kinks, of which the row is defined and its value not beyond the floats."""
    rng = random.Random(row.name)
    pairs = list(itertools.product(HARD, repeat=2))
    tuples: list[tuple[float, ...]] = rng.sample(pairs, len(pairs))
    if row.arity is None:
        tuples = [a + b if row.paired else a + b[:i % 2] for i, (a, b) in
                  enumerate(zip(tuples, rng.sample(pairs, len(pairs)), strict=True))]
    found = []
    for operands in tuples:
        if row.name == "share":  # of what is not negative
            operands = tuple(map(abs, operands))
        if row.name in COUNTING and not abs(operands[0]) < 1e100 * abs(operands[1]):
            continue  # the step of the truth would jump
        if row.name == "rounded":
            operands = (operands[0], 100.0)
        if row.name == "pow":  # powers of 0 and of negative numbers have tests of their own
            operands = (abs(operands[0]) or 1.0, operands[1])
        try:
            value = row.evaluate(operands)
            true = MP_VALUES[row.name](fine, *map(fine.mpf, operands))
            row.local_derivatives(operands, value, [True] * len(operands))
        except (ArithmeticError, ValueError):
            continue  # outside of the domain
        if is_in_range(value) and is_in_range(true) and (
                row.kink is None or row.kink(*operands) != 0.0):
            found.append(operands)
    return found[:MOST_POINTS]


def is_in_range(number: Any) -> bool:
    return bool(number == 0 or 1e-280 < abs(number) < 1e280)


def true_derivative(row: Primitive, operands: tuple[float, ...], *by: int) -> Any:
    """The first or second derivative by the operands at these positions."""
    exact = [fine.mpf(x) for x in operands]
    steps = [STEP * (min(abs(x), 1) or 1) for x in exact]

    def moved(*signs: int) -> Any:
        there = list(exact)
        for position, sign in zip(by, signs, strict=True):
            there[position] += sign * steps[position]
        return MP_VALUES[row.name](fine, *there)

    total = fine.fsum(math.prod(signs) * moved(*signs)
                      for signs in itertools.product((1, -1), repeat=len(by)))
    return total / math.prod(2 * steps[position] for position in by)


def shaken(row: Primitive, operands: tuple[float, ...], *by: int) -> Any:
    """By how much a derivative changes for each relative change of the operands."""
    here = true_derivative(row, operands, *by)
    by_a_little = 1 + fine.mpf(10) ** -15
    return fine.fsum(
        abs(true_derivative(row, (*operands[:i], operands[i] * by_a_little, *operands[i + 1:]),
                            *by) - here) for i in range(len(operands))) * fine.mpf(10) ** 15


def error_of_first(row: Primitive, operands: tuple[float, ...]) -> float:
    """The largest error of a first derivative, as a share of what is allowed."""
    truths = [true_derivative(row, operands, i) for i in range(len(operands))]
    if not all(map(is_in_range, truths)):
        return 0.0
    leaves = list(map(Value, operands))
    y = row.apply(tuple(leaves))
    y.backward()
    worst = 0.0
    for leaf, graph, truth in zip(leaves, adjoints(y, leaves), truths, strict=True):
        allowed = (1e-13 * abs(truth) if row.name in DIFFERENCES
                   else MOST_ULPS * math.ulp(float(truth)))
        for given in (leaf.grad, getattr(graph, "data", graph)):
            worst = max(worst, share_of(given, truth, allowed))
    return worst


def error_of_second(row: Primitive, operands: tuple[float, ...]) -> float:
    """The largest error of a second derivative, as a share of what is allowed."""
    places = range(len(operands))
    truths = {(i, j): true_derivative(row, operands, i, j) for i in places for j in places}
    firsts = [true_derivative(row, operands, i) for i in places]
    if not all(map(is_in_range, [*firsts, *truths.values()])):
        return 0.0
    leaves = list(map(Value, operands))
    worst = 0.0
    for i, first in enumerate(adjoints(row.apply(tuple(leaves)), leaves)):
        for j, second in enumerate(adjoints(first, leaves)):
            given, truth = getattr(second, "data", second), truths[i, j]
            allowed = MOST_RELATIVE * abs(truth)
            off = share_of(given, truth, allowed)
            if off > 1.0:
                off = share_of(given, truth, allowed + 2.0**-49 * shaken(row, operands, i, j))
            worst = max(worst, off)
    return worst


def share_of(given: float, truth: Any, allowed: Any) -> float:
    if given == truth:
        return 0.0
    return float(abs(fine.mpf(given) - truth) / allowed) if allowed and given == given else math.inf


@pytest.mark.parametrize("row", SEVERAL, ids=lambda row: row.name)
def test_first_derivatives_at_hard_points_are_right_to_the_last_places(row: Primitive) -> None:
    points = hard_points(row)
    assert len(points) > MOST_POINTS // 4
    worst = max((error_of_first(row, point), point) for point in points)
    assert worst[0] <= 1.0, f"{row.name}' is off by {worst[0]:.3g} times the allowed at {worst[1]}"


@pytest.mark.parametrize("row", SEVERAL, ids=lambda row: row.name)
def test_second_derivatives_at_hard_points_do_not_cancel(row: Primitive) -> None:
    worst = max((error_of_second(row, point), point) for point in hard_points(row))
    assert worst[0] <= 1.0, f"{row.name}'' is off by {worst[0]:.3g} times the allowed at {worst[1]}"


def quotient_rule(a: Any, b: Any, y: Any) -> Any:
    return a / y


@pytest.mark.parametrize(("name", "partials", "error"), [
    ("hypot", (quotient_rule, lambda a, b, y: b / y), error_of_second),
    ("norm", lambda *xs: [x / xs[-1] for x in xs[:-1]], error_of_second),
    ("logsumexp", lambda *xs: [ag.exp(x - xs[-1]) for x in xs[:-1]], error_of_second),
    ("logsumexp", lambda *xs: [ag.exp(x - xs[-1]) for x in xs[:-1]], error_of_first),
    ("pow", (lambda a, b, y: b * a ** (b - 1.0), TABLE["pow"].partials[1]), error_of_first),
    ("div", (lambda a, b, y: 1.0 / b, lambda a, b, y: -y / b * (1.0 + 2.0**-49)), error_of_first),
])
def test_these_tests_reject_rules_that_lose_digits(
        name: str, partials: Any, error: Any) -> None:
    row = TABLE[name]
    points, right = hard_points(row), row.partials
    object.__setattr__(row, "partials", partials)
    try:
        assert any(error(row, point) > 1.0 for point in points)
    finally:
        object.__setattr__(row, "partials", right)


@pytest.mark.parametrize(("f", "x", "expected"), [
    (lambda x: ag.hypot(x, 1.0), 1e8, 1e-24),
    (lambda x: ag.norm([x, 1.0, 0.0]), 1e8, 1e-24),
    (lambda x: ag.logsumexp([x, 0.0]), 40.0, math.exp(-40.0)),
    (lambda x: ag.logsumexp([x, 0.0]), -40.0, math.exp(-40.0)),
    (lambda x: nn.losses.cross_entropy([[x, 0.0]], [0]), 40.0, math.exp(-40.0)),
])
def test_second_derivatives_where_almost_nothing_is_left(f: Any, x: float, expected: float) -> None:
    assert grad(grad(f))(x) == pytest.approx(expected, rel=1e-12)
    assert ag.hessian(f)(x) == pytest.approx(expected, rel=1e-12)
    assert ag.jit(grad(grad(f)))(x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("label", range(4))
def test_the_hessian_of_a_saturated_cross_entropy(label: int) -> None:
    logits = [40.0, 0.0, -3.0, 38.0]
    weights = [fine.exp(x) for x in logits]
    p = [w / fine.fsum(weights) for w in weights]
    given = ag.hessian(lambda xs: nn.losses.cross_entropy([list(xs)], [label]))(logits)
    for i, j in itertools.product(range(4), repeat=2):
        truth = p[i] * (1 - p[i]) if i == j else -p[i] * p[j]
        assert abs(given[i, j] - truth) <= 1e-12 * abs(truth), (i, j)


def test_logsumexp_of_operands_whose_last_place_is_large() -> None:
    assert grad(ag.logsumexp)([1e12, 1e12]) == [0.5, 0.5]
    assert ag.jit(grad(ag.logsumexp))([1e12, 1e12]) == [0.5, 0.5]


@pytest.mark.parametrize("others", [[-40.0], [-40.0, -745.0], [-50.0, -40.0, -1e300]])
def test_logsumexp_keeps_what_is_small_beside_its_largest_operand(others: list[float]) -> None:
    truth = float(fine.log1p(fine.fsum(map(fine.exp, others))))
    assert ag.logsumexp([*others, 0.0]) == truth
    assert ag.jit(ag.logsumexp)([*others, 0.0]) == pytest.approx(truth, rel=1e-15)


def _near_zero(count: int) -> list[tuple[float, float]]:
    """Pairs whose sum of exponentials is 1 but for rounding, or by a little."""
    rng, found = random.Random(0), [(-math.log(2.0), -math.log(2.0))]
    for _ in range(count):
        a = -2.0 ** rng.uniform(-1000.0, 0.4)
        b = float(fine.log(-fine.expm1(a)))
        found.append((a, b + rng.choice((0.0, 0.0, 1e-15, 1e-13, 1e-3, -0.3, 0.7)) * abs(a)))
    return found


def test_logaddexp_keeps_all_its_places_near_its_zero(backend: str) -> None:
    """Where exp(a) + exp(b) is 1 but for rounding, doubles alone would keep none: JAX does not."""
    pairs = _near_zero(300)
    by_rows = ag.vmap(lambda a, b: ag.logaddexp(a, b), backend=backend)(*np.array(pairs).T)
    compiled = ag.jit(lambda a, b: ag.logaddexp(b, a), backend=backend)
    for (a, b), in_row in zip(pairs, by_rows.tolist(), strict=True):
        truth = fine.log1p(fine.expm1(a) + fine.exp(b))
        unit = math.ulp(1.0 if backend == "jax" else float(truth))
        for given in (ag.logaddexp(a, b), compiled(a, b), in_row):
            assert abs(fine.mpf(given) - truth) <= 8.0 * unit, (a, b)


def test_logsumexp_keeps_all_its_places_near_its_zero() -> None:
    for a, b in _near_zero(100):
        for values in ([a, b], [b, a, -1e300], [b - math.log(2.0), a, b - math.log(2.0)]):
            truth = fine.log(fine.fsum(map(fine.exp, values)))
            given = fine.mpf(ag.logsumexp(values))
            assert abs(given - truth) <= 4.0 * math.ulp(float(truth)), values


def test_machine_code_of_logsumexp_keeps_the_places_of_its_largest_operand(backend: str) -> None:
    compiled = ag.jit(lambda a, b: ag.logsumexp([a, b]), backend=backend)
    for a, b in _near_zero(100):
        truth = fine.log1p(fine.expm1(a) + fine.exp(b))
        assert abs(fine.mpf(compiled(a, b)) - truth) <= 1e-13 * max(abs(a), abs(b), abs(truth))
