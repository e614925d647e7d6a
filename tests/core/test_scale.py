"""A million nodes, deep and wide: no recursion, no cycles, linear work, few bytes."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

import autograd as ag
from autograd import Value

MILLION = 1_000_000


def chain(x: Value) -> Value:
    y = x
    for _ in range(MILLION):
        y = y + 1.0
    return y


def star(x: Value) -> Value:
    return ag.sum([x * 2.0 for _ in range(MILLION)])


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize(("build", "slope"), [(chain, 1.0), (star, 2.0 * MILLION)])
def test_a_million_nodes_are_built_walked_copied_pickled_and_freed(
        build: Callable[[Value], Value], slope: float, no_collector: None) -> None:
    x = Value(1.0)
    before = sys.getallocatedblocks()
    y = build(x)
    y.backward()
    assert x.grad == slope
    assert len(ag.topological_order(y)) > MILLION
    twin = copy.deepcopy(y)
    assert twin.data == y.data
    del twin
    text = pickle.dumps(y)
    again = pickle.loads(text)
    assert again.data == y.data
    del again, text, y
    # Freed by reference counts alone: what is left lies in the interpreter's free lists.
    assert sys.getallocatedblocks() - before < 20_000


@pytest.mark.parametrize("make", [
    lambda xs: ag.sum(xs), lambda xs: ag.dot(xs, xs), lambda xs: ag.prod(xs),
    lambda xs: ag.norm(xs), lambda xs: ag.logsumexp(xs)])
def test_one_node_of_very_many_operands(make: Callable[[list[Value]], Value]) -> None:
    xs = [Value(1.0) for _ in range(200_000)]
    y = make(xs)
    y.backward()
    assert xs[0].grad == pytest.approx(xs[-1].grad, rel=1e-14) and xs[0].grad != 0.0
    assert y.data == make([x.data for x in xs])  # type: ignore[misc]


def test_gradients_of_gradients_of_deep_graphs() -> None:
    x = y = Value(0.5)
    for _ in range(20_000):
        y = y * 0.9999 + 0.0001
    first = ag.gradient(y * y, x)
    second = ag.gradient(first, x)
    assert second.data == pytest.approx(2.0 * 0.9999**40_000, rel=1e-9)


def test_at_most_200_bytes_a_node_for_a_binary_op() -> None:
    x = y = Value(1.0)
    count = 100_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(count):
        y = y * x
    built = (tracemalloc.get_traced_memory()[0] - before) / count
    y.backward()
    walked = (tracemalloc.get_traced_memory()[0] - before) / count
    tracemalloc.stop()
    assert 80 < built <= 200
    assert walked <= 200


def test_a_graph_holds_no_reference_cycles(no_collector: None) -> None:
    x = Value(1.0)
    for build in (lambda: ag.dot([x, x], [x, 2.0]).exp().relu() / x, lambda: ag.gradient(x**3, x)):
        y = build()
        y.backward()
        del y
        assert gc.collect() == 0
