"""CasADi: SX graphs, run by its virtual machine."""

from __future__ import annotations

from typing import Any

import casadi
import numpy as np
from peers import formulas
from peers.job import Job


def _value_and_gradient(function: Any, size: int) -> Any:
    x = casadi.SX.sym("x", size)
    y = function(x)
    return casadi.Function("f", [x], [y, casadi.gradient(y, x)])


def _called(function: Any, data: dict[str, Any]) -> Job:
    """Called as its users do: arrays in, CasADi's matrices out."""
    compiled, x = _value_and_gradient(function, len(data["x"])), data["x"]
    return Job(lambda: compiled(x))


class _Buffered:
    """Called through its buffers: numbers are written to and read from fixed memory."""

    def __init__(self, function: Any, data: dict[str, Any]) -> None:
        self.x, self.y, self.gradient = data["x"].copy(), np.zeros(1), np.zeros(len(data["x"]))
        # The trigger keeps neither the function nor its buffer alive.
        self.function = _value_and_gradient(function, len(self.x))
        self.buffer, self.trigger = self.function.buffer()
        self.buffer.set_arg(0, memoryview(self.x))
        self.buffer.set_res(0, memoryview(self.y))
        self.buffer.set_res(1, memoryview(self.gradient))

    def __call__(self) -> tuple[Any, Any]:
        self.trigger()
        return self.y, self.gradient


def _rosenbrock(x: Any) -> Any:
    return formulas.rosenbrock([x[i] for i in range(x.shape[0])])


def rosenbrock(data: dict[str, Any]) -> Job:
    """The plain Python sum."""
    return _called(_rosenbrock, data)


def rosenbrock_buffers(data: dict[str, Any]) -> Job:
    """The same, called through buffers."""
    return Job(_Buffered(_rosenbrock, data))


def _small(data: dict[str, Any]) -> Any:
    formula, n = formulas.SMALL[str(data["name"])]
    return lambda x: formula([x[i] for i in range(n)], casadi)


def small(data: dict[str, Any]) -> Job:
    """One of the small functions."""
    return _called(_small(data), data)


def small_buffers(data: dict[str, Any]) -> Job:
    """The same, called through buffers."""
    return Job(_Buffered(_small(data), data))


def _angle(data: dict[str, Any]) -> Any:
    steps, dt = int(data["steps"]), float(data["dt"])
    return lambda x: formulas.pendulum(x[0], x[1], x[2], x[3], steps, dt, casadi.sin)


def pendulum(data: dict[str, Any]) -> Job:
    """The unrolled loop over time."""
    return _called(_angle(data), data)


def pendulum_buffers(data: dict[str, Any]) -> Job:
    """The same, called through buffers."""
    return Job(_Buffered(_angle(data), data))


def black_scholes(data: dict[str, Any]) -> Job:
    """A map over the rows."""
    x = data["x"]

    def price(x: Any) -> Any:
        return formulas.black_scholes(*(x[i] for i in range(5)), casadi.log, casadi.sqrt,
                                      casadi.exp, lambda d: 1.0 - casadi.erf(d))

    mapped = _value_and_gradient(price, 5).map(x.shape[1])

    def answer(result: Any) -> Any:
        rows = np.vstack([np.array(part) for part in result])
        return rows[:, ::formulas.EVERY]

    return Job(lambda: mapped(x), answer=answer)
