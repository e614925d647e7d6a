"""XAD: a tape in C++, recorded anew at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers import formulas
from peers.job import Job
from xad import math
from xad.adj_1st import Real, Tape


def _value_and_gradient(function: Callable[[list[Any]], Any], x: Any) -> Job:
    numbers = x.tolist()

    def call() -> tuple[float, list[float]]:
        with Tape() as tape:
            inputs = [Real(number) for number in numbers]
            for leaf in inputs:
                tape.registerInput(leaf)
            tape.newRecording()
            y = function(inputs)
            tape.registerOutput(y)
            y.setDerivative(1.0)
            tape.computeAdjoints()
            return y.getValue(), [leaf.getDerivative() for leaf in inputs]

    return Job(call)


def rosenbrock(data: dict[str, Any]) -> Job:
    """The plain Python sum."""
    return _value_and_gradient(formulas.rosenbrock, data["x"])


def pendulum(data: dict[str, Any]) -> Job:
    """The loop over time."""
    steps, dt = int(data["steps"]), float(data["dt"])
    return _value_and_gradient(
        lambda x: formulas.pendulum(*x, steps, dt, math.sin), data["x"])
