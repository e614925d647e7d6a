"""PyTorch on the CPU, eager."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from peers import formulas
from peers.job import Job
from torch.nn import functional

torch.set_default_dtype(torch.float64)


def _parameters(data: dict[str, Any], layers: int) -> list[Any]:
    return [torch.tensor(data[name], requires_grad=True)
            for i in range(1, layers + 1) for name in (f"W{i}", f"b{i}")]


def _forward(parameters: list[Any], X: Any) -> Any:
    for W, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        X = torch.relu(functional.linear(X, W, b))
    return functional.linear(X, parameters[-2], parameters[-1])


def moons(data: dict[str, Any]) -> Job:
    """One step a call."""
    X, y = torch.tensor(data["X"]), torch.tensor(data["y"])
    parameters = _parameters(data, 3)
    optimizer = torch.optim.SGD(parameters, lr=float(data["learning_rate"]))
    l2 = float(data["l2"])

    def step() -> float:
        scores = _forward(parameters, X)[:, 0]
        loss = torch.relu(1.0 - y * scores).mean() + l2 * sum((p * p).sum() for p in parameters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return Job(step, answer=lambda loss: [[loss], [step()], [step()]])


def _value_and_gradient(function: Any, x: Any) -> Job:
    leaf = torch.tensor(x, requires_grad=True)

    def call() -> tuple[float, Any]:
        leaf.grad = None
        y = function(leaf)
        y.backward()
        return float(y.detach()), leaf.grad.numpy()

    return Job(call)


def rosenbrock(data: dict[str, Any]) -> Job:
    """The plain Python sum."""
    return _value_and_gradient(formulas.rosenbrock, data["x"])


def pendulum(data: dict[str, Any]) -> Job:
    """The loop over time, a tensor for every number."""
    steps, dt = int(data["steps"]), float(data["dt"])
    return _value_and_gradient(
        lambda x: formulas.pendulum(*x.unbind(), steps, dt, torch.sin), data["x"])


def black_scholes(data: dict[str, Any]) -> Job:
    """Whole columns at once; the gradient of the sum is that of each row."""
    columns = [torch.tensor(column, requires_grad=True) for column in data["x"]]

    def call() -> list[Any]:
        prices = formulas.black_scholes(*columns, torch.log, torch.sqrt, torch.exp,
                                        torch.special.erfc)
        gradients = torch.autograd.grad(prices.sum(), columns)
        return [prices.detach().numpy(), *(g.numpy() for g in gradients)]

    return Job(call, answer=lambda result: [column[::formulas.EVERY] for column in result])


def digits(data: dict[str, Any]) -> Job:
    """One epoch a call."""
    X, y = torch.tensor(data["X"]), torch.tensor(data["y"], dtype=torch.long)
    parameters = _parameters(data, len(data["sizes"]) - 1)
    optimizer = torch.optim.Adam(parameters, lr=float(data["learning_rate"]))
    orders = [torch.tensor(order.reshape(-1, int(data["batch_size"]))) for order in data["orders"]]
    count = [0]

    def epoch() -> float:
        losses = []
        for rows in orders[count[0] % len(orders)]:
            loss = functional.cross_entropy(_forward(parameters, X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        count[0] += 1
        return float(np.mean(losses))

    def accuracy() -> float:
        for _ in orders:
            epoch()
        answers = _forward(parameters, torch.tensor(data["X_test"])).argmax(1).numpy()
        return float(np.mean(answers == data["y_test"]))

    return Job(epoch, accuracy=accuracy if "X_test" in data else None,
               answer=lambda loss: [[loss]])
