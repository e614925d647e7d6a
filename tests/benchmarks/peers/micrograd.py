"""micrograd: the demo as it stands."""

from __future__ import annotations

from typing import Any

from micrograd.engine import Value
from micrograd.nn import MLP
from peers import formulas
from peers.job import Job


def moons(data: dict[str, Any]) -> Job:
    """One step a call, a Value for every number."""
    X, y = data["X"].tolist(), data["y"].tolist()
    model = MLP(2, [16, 16, 1])
    for i, layer in enumerate(model.layers, 1):
        for neuron, weights, bias in zip(layer.neurons, data[f"W{i}"].tolist(),
                                         data[f"b{i}"].tolist(), strict=True):
            neuron.b.data = bias
            for parameter, weight in zip(neuron.w, weights, strict=True):
                parameter.data = weight
    rate, l2 = float(data["learning_rate"]), float(data["l2"])

    def step() -> float:
        scores = [model(list(map(Value, row))) for row in X]
        losses = [(1 + -yi * si).relu() for yi, si in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        total = data_loss + l2 * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= rate * p.grad
        return float(total.data)

    return Job(step, answer=lambda loss: [[loss], [step()], [step()]])


def rosenbrock(data: dict[str, Any]) -> Job:
    """The plain Python sum."""
    numbers = data["x"].tolist()

    def call() -> tuple[float, list[float]]:
        x = [Value(number) for number in numbers]
        y = formulas.rosenbrock(x)
        y.backward()
        return y.data, [leaf.grad for leaf in x]

    return Job(call)
