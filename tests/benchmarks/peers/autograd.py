"""HIPS autograd: NumPy code, differentiated."""

from __future__ import annotations

from typing import Any

import autograd.numpy as np
from autograd.scipy.special import erfc
from peers import formulas
from peers.job import Job

from autograd import make_vjp, value_and_grad


def moons(data: dict[str, Any]) -> Job:
    """One step a call."""
    X, y, l2, rate = data["X"], data["y"], float(data["l2"]), float(data["learning_rate"])
    parameters = [data[name].copy() for name in ("W1", "b1", "W2", "b2", "W3", "b3")]

    def loss(parameters: list[Any]) -> Any:
        W1, b1, W2, b2, W3, b3 = parameters
        h = np.maximum(X @ W1.T + b1, 0.0)
        h = np.maximum(h @ W2.T + b2, 0.0)
        scores = (h @ W3.T + b3)[:, 0]
        squares = sum(np.sum(p * p) for p in parameters)
        return np.mean(np.maximum(1.0 - y * scores, 0.0)) + l2 * squares

    value_and_gradient = value_and_grad(loss)

    def step() -> float:
        number, gradients = value_and_gradient(parameters)
        for p, g in zip(parameters, gradients, strict=True):
            p -= rate * g
        return float(number)

    return Job(step, answer=lambda loss: [[loss], [step()], [step()]])


def rosenbrock(data: dict[str, Any]) -> Job:
    """The plain Python sum."""
    function, x = value_and_grad(formulas.rosenbrock), data["x"]
    return Job(lambda: function(x))


def black_scholes(data: dict[str, Any]) -> Job:
    """Whole columns at once; the gradient of the sum is that of each row."""
    columns = tuple(data["x"])

    def price(S: Any, K: Any, T: Any, r: Any, sigma: Any) -> Any:
        return formulas.black_scholes(S, K, T, r, sigma, np.log, np.sqrt, np.exp, erfc)

    pull_back = make_vjp(price, (0, 1, 2, 3, 4))
    ones = np.ones(len(columns[0]))

    def call() -> list[Any]:
        vjp, prices = pull_back(*columns)
        return [prices, *vjp(ones)]

    return Job(call, answer=lambda result: [column[::formulas.EVERY] for column in result])
