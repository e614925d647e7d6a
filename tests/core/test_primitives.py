"""What the rows of the table say about themselves is true."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import math
import pydoc
import random
from typing import Any

import pytest

import autograd as ag
from autograd import TABLE, Value, parsing
from autograd.core.primitives import DOMAIN_ERRORS, Primitive

ROWS = list(TABLE.values())
NUMBERS = [0.0, -0.0, 5e-324, 0.3, -0.7, 1.0, math.nextafter(1.0, 2.0), -1.0, 2.5, -3.0, 1023.9,
           1024.0, 1e10, -1e10, 1e200, 1e300, 1.7e308, math.inf, -math.inf, math.nan]
RELATIONS = {"<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
             ">=": lambda a, b: a >= b, "==": lambda a, b: a == b}


def named(rows: Any) -> Any:
    return pytest.mark.parametrize("row", list(rows), ids=lambda row: row.name)


@named(row for row in ROWS if row.arity in (1, 2))
def test_a_row_raises_where_it_says(row: Primitive) -> None:
    """And at infinities at most; a row of which nothing is said may raise anywhere."""
    ends = [sign * x for end in (709.782712893384, 710.4758600739439) for sign in (1.0, -1.0)
            for x in (end, math.nextafter(end, math.inf))]
    for operands in itertools.product([*NUMBERS, *ends], repeat=row.arity or 0):
        holds = any(RELATIONS[relation](operands[position], bound)
                    for position, relation, bound in row.raises or ())
        try:
            row.value(*operands)
        except DOMAIN_ERRORS:
            assert row.raises is None or holds, operands
        else:
            assert not holds or any(map(math.isinf, operands)), operands


@named(row for row in ROWS if row.transparent)
def test_a_transparent_row_shows_what_is_not_finite(row: Primitive) -> None:
    specials = [0.0, -0.0, 0.5, -2.0, 1e300, math.inf, -math.inf, math.nan]
    for operands in itertools.product(specials, repeat=row.arity or 4):
        if not all(map(math.isfinite, operands)):
            with contextlib.suppress(*DOMAIN_ERRORS):
                assert not math.isfinite(row.value(*operands)), operands


@named(row for row in ROWS if row.arity != 1 and not row.orders)
def test_a_row_says_whether_the_order_of_its_operands_matters(row: Primitive) -> None:
    operands = (0.3, 2.5, 1.5, 0.7)[:row.arity]
    results = [row.value(*p) for p in itertools.permutations(operands)]
    assert row.commutative == all(math.isclose(x, results[0], rel_tol=1e-14) for x in results)


@named(row for row in ROWS if row.derivative)
def test_the_derivative_as_it_is_learnt_is_the_derivative(row: Primitive) -> None:
    """The text is evaluated as the command line would, and compared with the row's partials."""
    assert len(row.derivative) == (row.arity or 1)
    texts = [parsing.Expression(text) for text in row.derivative]
    rng = random.Random(0)
    for _ in range(50):
        operands = [rng.uniform(max(low, -3.0), min(high, 3.0))
                    for low, high in row.safe * (4 if row.arity is None else 1)]
        y = row.evaluate(operands)
        if row.kink is not None and abs(row.kink(*operands)) < 1e-6:
            continue
        given = row.local_derivatives(operands, y, [True] * len(operands))
        names = [{"x": x, "y": y} if row.arity is None else
                 {**dict(zip(row.parameters, operands, strict=True)), "y": y} for x in operands]
        written = texts * len(operands) if row.arity is None else texts
        for text, here, number in zip(written, names, given, strict=True):
            assert float(text(here)) == pytest.approx(number, rel=1e-9, abs=1e-12), text.text


def test_a_row_that_computes_another_form_than_it_teaches_says_where_that_loses_digits() -> None:
    """At the edge of the domain the text fails, and the partials do not; elsewhere both agree."""
    near = 1.0 - 3.3e-9
    for name, operand in (("tanh", 25.0), ("sigmoid", 40.0), ("atan", 1e155), ("asin", near),
                          ("acos", -near), ("acosh", 2.0 - near), ("atanh", near),
                          ("asinh", 1e155), ("sigmoid_slope", 1e-20)):
        row = TABLE[name]
        assert row.loses_digits.startswith("where "), name
        truth = row.local_derivatives((operand,), row.evaluate((operand,)), (True,))[0]
        try:
            taught = float(parsing.Expression(row.derivative[0])(
                {"x": operand, "y": row.evaluate((operand,))}))
        except (OverflowError, ZeroDivisionError):
            continue
        assert taught != pytest.approx(truth, rel=1e-12, abs=0.0), name


def test_that_test_sees_a_wrong_text() -> None:
    wrong = Primitive("tanh", math.tanh, TABLE["tanh"].partials, derivative=("1 - 1.001 * y**2",))
    with pytest.raises(AssertionError, match=r"1\.001"):
        test_the_derivative_as_it_is_learnt_is_the_derivative(wrong)


@named(ROWS)
def test_help_says_what_it_computes_where_and_its_derivative(row: Primitive) -> None:
    text = pydoc.render_doc(row, renderer=pydoc.plaintext)
    call = f"{row.name}({', '.join(row.parameters)})"
    assert call in text
    assert row.summary and row.summary.split()[0] in text and "{" not in text
    assert "Domain: " in text and "Derivative: " in text
    assert "At a kink: " in text or row.kink is None
    assert list(inspect.signature(row).parameters) == list(row.parameters)


def test_help_of_a_function_that_may_overflow_and_of_a_method() -> None:
    text = pydoc.render_doc(ag.exp, renderer=pydoc.plaintext)
    assert "e to the power x" in text and "Derivative: y, where y = exp(x)." in text
    assert "OverflowError where the result is too large" in text
    assert "v.atan2(b), v.arctan2(b)" in str(ag.atan2.__doc__)
    assert "Derivative: 1 - y**2" in str(Value.tanh.__doc__)


def test_every_row_that_is_not_hidden_is_a_function_of_the_package() -> None:
    for row in ROWS:
        assert row.hidden or getattr(ag, row.name) is row
    assert {row.name for row in ROWS if not row.hidden} == set(parsing.functions())
    assert "abs" not in ag.__all__  # a star import would hide Python's own, which takes more
