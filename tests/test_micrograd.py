"""Programs written for micrograd run with only the import changed."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from autograd import Value, gradcheck
from nn import MLP, Layer, Neuron


def first_program(x: Any) -> Any:
    """An expression in the style of micrograd's own first test: one input, used many times."""
    a = 3 * x + 1 - x
    b = a.relu() + a * x
    c = (b * b).relu()
    return b + c + c * x - 2


def second_program(a: Any, b: Any) -> Any:
    """One in the style of its second: every operator, ints on both sides, accumulating names."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def forward_and_slopes(program: Any, *at: float) -> tuple[float, list[float]]:
    inputs = [Value(x) for x in at]
    result = program(*inputs)
    result.backward()
    return result.data, [x.grad for x in inputs]


@pytest.mark.parametrize(("program", "at"), [
    (first_program, (-4.0,)), (first_program, (1.5,)), (second_program, (-4.0, 2.0)),
    (second_program, (0.3, -1.1))])
def test_its_expressions_give_the_right_numbers(program: Any, at: tuple[float, ...]) -> None:
    data, slopes = forward_and_slopes(program, *at)
    h = 1e-6
    for i, slope in enumerate(slopes):
        up, down = ([x + (j == i) * sign * h for j, x in enumerate(at)] for sign in (1, -1))
        difference = (forward_and_slopes(program, *up)[0]
                      - forward_and_slopes(program, *down)[0]) / (2 * h)
        assert slope == pytest.approx(difference, rel=1e-6)
    assert gradcheck(program, *at)
    assert np.isfinite(data)


def moons(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    t = np.linspace(0, np.pi, count // 2)
    upper = np.column_stack([np.cos(t), np.sin(t)])
    lower = np.column_stack([1 - np.cos(t), 0.5 - np.sin(t)])
    X = np.vstack([upper, lower]) + rng.normal(0, 0.1, (count, 2))
    return X, np.repeat([0, 1], count // 2) * 2 - 1


def test_its_demo_trains() -> None:
    random.seed(1337)
    X, y = moons(60)
    model = MLP(2, [16, 16, 1])
    assert str(model).startswith("MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2)")
    assert len(model.parameters()) == 337

    def loss() -> tuple[Any, float]:
        inputs = [list(map(Value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        accuracy = [(yi > 0) == (score.data > 0) for yi, score in zip(y, scores, strict=True)]
        return data_loss + reg_loss, sum(accuracy) / len(accuracy)

    first, _ = loss()
    for k in range(40):
        total, _ = loss()
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    last, accuracy = loss()
    assert last.data < 0.3 * first.data
    assert accuracy >= 0.95


def test_its_names_for_the_graph_work() -> None:
    a, b = Value(2.0), Value(-3.0)
    y = (a * b + 1).relu()
    nodes: set[Any] = set()
    edges: set[Any] = set()

    def build(v: Any) -> None:  # the way its drawing code walks the graph
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(y)
    assert len(nodes) == 6
    assert len(edges) == 5
    assert sorted(n._op for n in nodes) == ["", "", "", "*", "+", "ReLU"]


def test_its_modules_take_their_arguments() -> None:
    assert len(Neuron(3).parameters()) == 4
    assert repr(Neuron(3, nonlin=False)) == "LinearNeuron(3)"
    assert len(Layer(3, 4)([1.0, 2.0, 3.0])) == 4
    model = MLP(3, [4, 1])
    model([1.0, 2.0, 3.0]).backward()
    assert any(p.grad != 0 for p in model.parameters())
    model.zero_grad()
    assert all(p.grad == 0 for p in model.parameters())
    for wrong in ([1.0, 2.0], [1.0, 2.0, 3.0, 4.0]):
        with pytest.raises(ValueError, match="3"):
            model(wrong)
