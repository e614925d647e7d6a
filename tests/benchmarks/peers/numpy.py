"""NumPy: gradients written by hand."""

from __future__ import annotations

import cmath
from typing import Any

import numpy as np
from peers import formulas
from peers.job import Job


def moons(data: dict[str, Any]) -> Job:
    """Forward and backward pass of the demo's MLP, one matrix product for each layer."""
    X, sign = data["X"], data["y"][:, None]
    W1, b1, W2, b2, W3, b3 = parameters = [data[name].copy()
                                           for name in ("W1", "b1", "W2", "b2", "W3", "b3")]
    rate, l2, n = float(data["learning_rate"]), float(data["l2"]), len(X)

    def step() -> float:
        h1 = np.maximum(X @ W1.T + b1, 0.0)
        h2 = np.maximum(h1 @ W2.T + b2, 0.0)
        margin = 1.0 - sign * (h2 @ W3.T + b3)
        loss = np.maximum(margin, 0.0).sum() / n + l2 * sum((p * p).sum() for p in parameters)
        d3 = np.where(margin > 0.0, -sign / n, 0.0)
        d2 = (d3 @ W3) * (h2 > 0.0)
        d1 = (d2 @ W2) * (h1 > 0.0)
        gradients = (d1.T @ X, d1.sum(0), d2.T @ h1, d2.sum(0), d3.T @ h2, d3.sum(0))
        for p, g in zip(parameters, gradients, strict=True):
            p -= rate * (g + 2.0 * l2 * p)
        return float(loss)

    return Job(step, answer=lambda loss: [[loss], [step()], [step()]])


def pendulum(data: dict[str, Any]) -> Job:
    """Complex steps: exact to rounding, and independent of any differentiation."""
    steps, dt, h = int(data["steps"]), float(data["dt"]), 1e-30
    x = data["x"].astype(complex)

    def value_and_gradient() -> tuple[float, list[float]]:
        angles = [formulas.pendulum(*(x + 1j * h * unit).tolist(), steps, dt, cmath.sin)
                  for unit in np.eye(4)]
        return angles[0].real, [angle.imag / h for angle in angles]

    return Job(value_and_gradient)


pendulum_long = pendulum
