"""Two recordings are compared by their graphs: what is the same needs no second program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograd import Value, exp, grad, maximum, where
from autograd.compiler.trace.same_graphs import are_same
from autograd.compiler.trace.tracer import Recording, record

W = Value(2.0, label="w")
POINT = ([0.7, -1.3, 2.1],)


def recorded(function: Callable[..., Any]) -> Recording:
    return record(function, POINT, {})


def same(first: Recording, second: Recording) -> bool:
    assert first.graph is not None
    assert second.graph is not None
    return are_same(first.graph, second.graph)


def branchy(x: Any) -> Any:
    total = W * x[0]
    for a in x:
        total = total + (exp(a) if a > 0.0 else maximum(a, total))
    return [total, total / x[1], np.array([x[2], 3.0]), 7.0]


FUNCTIONS = [
    branchy, grad(lambda x: sum(a ** 2 / (1.0 + b * b) for a in x for b in x)),
    lambda x: np.dot(np.array(x), np.array([W, 1.0, x[0]])), lambda x: where(x[0] > x[1], x[2], W),
    lambda x: (x[0], x[0], 1.5, "text"), lambda x: Value(4.0) * x[0] + int(x[2])]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_that_does_the_same_again_needs_no_second_program(
        function: Callable[..., Any]) -> None:
    first, second = recorded(function), recorded(function)
    assert same(first, second)
    assert first.is_same(second)
    assert second.graph is not None  # no program was written
    assert first.program == second.program


@pytest.mark.parametrize(("one", "other"), [
    (lambda x: x[0] * 3.0, lambda x: x[0] * 4.0), (lambda x: x[0] * 0.0, lambda x: x[0] * -0.0),
    (lambda x: x[0] - x[1], lambda x: x[1] - x[0]), (lambda x: x[0] + x[1], lambda x: x[0] * x[1]),
    (lambda x: x[0] * W, lambda x: x[0] * 2.0), (lambda x: x[0] * W, lambda x: x[0] * Value(2.0)),
    (lambda x: x[0] * Value(2.0), lambda x: x[0] * Value(2.5)),
    (lambda x: x[0] * W, lambda x: x[0] * OTHER), (lambda x: x[0], lambda x: 0.7),
    (lambda x: [x[0], x[1]], lambda x: [x[1], x[0]]), (lambda x: [x[0]], lambda x: (x[0],)),
    (lambda x: [x[0], 1.0], lambda x: [x[0], 2.0]),
    (lambda x: x[0] if x[0] > x[1] else x[2], lambda x: x[0] if x[0] > x[2] else x[1]),
    (lambda x: x[0] if x[0] > 0.5 else x[2], lambda x: x[0]),
    (lambda x: x[0] if x[0] > 0.5 else x[2], lambda x: x[0] if x[0] >= 0.5 else x[2]),
    (lambda x: sum(x), lambda x: sum(x[:2])), (lambda x: np.sum(x), lambda x: np.sum(x[:2])),
    (lambda x: np.array([x[0], 1.0 + 1e-12]), lambda x: np.array([x[0], 1.0 + 2e-12])),
    (lambda x: x[0] / x[1] * 0.0 + x[0], lambda x: x[0] * x[1] * 0.0 + x[0])])
def test_what_differs_is_seen(one: Callable[..., Any], other: Callable[..., Any]) -> None:
    first, second = recorded(one), recorded(other)
    assert not same(first, second) or first.results.outline() != second.results.outline()
    assert not first.is_same(second)


OTHER = Value(2.5, label="w")


def test_copies_of_a_leaf_from_outside_are_the_same_leaf() -> None:
    made = [Value(2.5, label="c"), Value(2.5, label="c"), Value(2.5, label="d")]
    first, second, third = (recorded(lambda x, leaf=leaf: x[0] * leaf) for leaf in made)
    assert same(first, second)
    assert not same(first, third)
    assert not first.is_same(third)


def test_what_a_graph_writes_otherwise_is_left_to_the_programs() -> None:
    def shared(x: Any) -> Any:
        product = x[0] * x[1]
        return product + product

    first, second = recorded(shared), recorded(lambda x: x[0] * x[1] + x[0] * x[1])
    assert same(second, first)
    assert not same(first, second)
    assert first.is_same(second)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_program_is_no_longer_than_its_graph_says(function: Callable[..., Any]) -> None:
    length = len(recorded(function).program)
    for limit in range(length + 40):
        recording = recorded(function)
        graph = recording.graph
        assert graph is not None
        assert length <= limit or not graph.is_surely_short(limit)
        assert recording.is_longer(limit) == (length > limit)
    assert graph.is_surely_short(100 * length + 1000)
