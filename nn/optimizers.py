"""Optimizers: from the gradients in ``grad`` to the next parameters."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd.core.typing import Array
from autograd.core.validation import as_float, not_negative, positive, share
from autograd.core.value import NOT_COMPUTED, Value, assign, describe, grad_of
from nn.schedules import Schedule, as_schedule
from nn.storage import Entry, checked_state, read_state, write_state


class Optimizer:
    """What SGD and Adam share: the parameters, the learning rate, the state.

    Args:
        parameters: leaf Values, for example ``model.parameters()``.
        learning_rate: a number above 0, or a schedule: a function from the number of the step,
            counted from 0, to the rate.
        weight_decay: adds weight_decay * p to the gradient of p.

    Attributes:
        steps: how many steps were taken.
    """

    _memories: tuple[str, ...] = ()  # the lists that the state holds, one number a parameter

    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule,
                 weight_decay: float = 0.0) -> None:
        self.parameters = _leaves(parameters)
        self.schedule = as_schedule(learning_rate)
        self.weight_decay = not_negative(weight_decay, "weight_decay")
        self.steps = 0
        self._memory: dict[str, Array] = {
            name: np.zeros(len(self.parameters)) for name in self._memories}

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return self.scalars(self.steps)[0]

    def zero_grad(self) -> None:
        """Forget the gradients of the parameters."""
        for parameter in self.parameters:
            parameter.grad = NOT_COMPUTED

    def step(self) -> None:
        """Move the parameters against their gradients, all of them or, on an error, none.

        Raises:
            FloatingPointError: when a gradient is nan or infinite; it names the parameter.
        """
        numbers = np.array([p.data for p in self.parameters])
        moved = self.moved(numbers, np.array([grad_of(p) for p in self.parameters]))
        write_all(self.parameters, moved.tolist())

    def moved(self, numbers: Array, gradients: Array) -> Array:
        """The next parameters from plain numbers; the optimizer's state counts the step.

        Args:
            numbers, gradients: shape (number of parameters,).

        Raises:
            FloatingPointError: when a gradient is nan or infinite; it names the parameter.
        """
        finite = np.isfinite(gradients)
        if not finite.all():
            first = int(np.argmin(finite))
            raise FloatingPointError(f"the gradient of {describe(self.parameters[first])} is "
                                     f"{gradients[first]}; try a smaller learning rate")
        with np.errstate(all="ignore"):  # as for Python's floats; fit looks at the next loss
            moved, memory = self.rule(numbers, gradients, self._memory, self.scalars(self.steps))
        self._memory, self.steps = memory, self.steps + 1
        return np.asarray(moved)

    def scalars(self, step: int) -> tuple[float, ...]:
        """The numbers that all parameters share in a step, counted from 0: the rate comes first."""
        rate: Any = self.schedule(step)
        return (rate if rate.__class__ is float
                else as_float(rate, "the schedule's learning rate"),)

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """The next parameters and the next memory; changes nothing.

        It is plain arithmetic, on arrays of all parameters or on Values that stand for one of
        them; so the same few lines are what a compiled training runs.
        """
        raise NotImplementedError

    def memory(self) -> dict[str, Array]:
        """What is remembered of each parameter, shape (number of parameters,) each."""
        return dict(self._memory)

    def advance(self, steps: int, memory: dict[str, Array]) -> None:
        """Take over the state after some steps that were made elsewhere."""
        self.steps += steps
        self._memory = memory

    def _decayed(self, number: Any, gradient: Any) -> Any:
        return gradient + self.weight_decay * number if self.weight_decay else gradient

    def state_dict(self) -> dict[str, Entry]:
        """The number of steps, and what the optimizer remembers of each parameter."""
        return {"steps": float(self.steps),
                **{name: memory.tolist() for name, memory in self._memory.items()}}

    def load_state_dict(self, state: Any) -> None:
        """Go on from a state that ``state_dict()`` gave; on any error nothing changes.

        Raises:
            TypeError, ValueError: when it does not fit this optimizer.
        """
        sizes: dict[str, int | None] = {"steps": None}
        sizes.update((name, len(self.parameters)) for name in self._memories)
        checked = checked_state(state, sizes, f"this {type(self).__name__}")
        steps = checked.pop("steps")
        if not isinstance(steps, float) or not steps.is_integer() or steps < 0:
            raise ValueError(f"steps must be a whole number, 0 or above, not {steps!r}")
        self.steps = int(steps)
        self._memory = {name: np.array(m) for name, m in checked.items() if isinstance(m, list)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to a file of numbers only."""
        write_state(path, f"{type(self).__name__} state", self.state_dict())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go on from a file that ``save`` wrote; on any error nothing changes.

        Raises:
            OSError: when the file cannot be read.
            ValueError: when it is damaged, foreign, or does not fit.
        """
        self.load_state_dict(read_state(path, f"{type(self).__name__} state"))


class SGD(Optimizer):
    """Gradient descent: v = momentum * v + gradient; p = p - rate * v.

    Args:
        parameters, learning_rate, weight_decay: as for every optimizer.
        momentum: from 0 (none) to below 1.
    """

    _memories = ("velocity",)

    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule = 0.1,
                 momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        self.momentum = share(momentum, "momentum")

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        gradient = self._decayed(number, gradient)
        velocity = self.momentum * memory["velocity"] + gradient if self.momentum else gradient
        return number - scalars[0] * velocity, {"velocity": velocity}

    def __repr__(self) -> str:
        return (f"SGD(learning_rate={self.learning_rate:g}, momentum={self.momentum:g}, "
                f"weight_decay={self.weight_decay:g})")


class Adam(Optimizer):
    """Adam: steps of the learning rate's size, scaled by each parameter's own gradients.

    Source: Kingma and Ba, "Adam: A method for stochastic optimization" (2015), algorithm 1.

    Args:
        parameters, learning_rate, weight_decay: as for every optimizer; the decay is part of the
            gradient.
        betas: how much of the mean gradient and of the mean square is kept at each step.
        epsilon: keeps the divisor from 0.
    """

    _memories = ("mean", "mean_square")

    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule = 0.001,
                 betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8,
                 weight_decay: float = 0.0) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        first, second = betas
        self.betas = (share(first, "betas[0]"), share(second, "betas[1]"))
        self.epsilon = positive(epsilon, "epsilon")

    def scalars(self, step: int) -> tuple[float, ...]:
        """The rate, and what undoes that both means start at 0."""
        first, second = self.betas
        return (*super().scalars(step), 1.0 / (1.0 - first ** (step + 1)),
                1.0 / math.sqrt(1.0 - second ** (step + 1)))

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        rate, unbias, unbias_root = scalars
        first, second = self.betas
        gradient = self._decayed(number, gradient)
        mean = first * memory["mean"] + (1.0 - first) * gradient
        square = second * memory["mean_square"] + (1.0 - second) * gradient * gradient
        step = rate * unbias * mean / (unbias_root * np.sqrt(square) + self.epsilon)
        return number - step, {"mean": mean, "mean_square": square}

    def __repr__(self) -> str:
        return (f"Adam(learning_rate={self.learning_rate:g}, betas={self.betas}, "
                f"epsilon={self.epsilon:g}, weight_decay={self.weight_decay:g})")


OPTIMIZERS: dict[str, type[SGD] | type[Adam]] = {"sgd": SGD, "adam": Adam}


def write_all(parameters: Sequence[Value], numbers: Sequence[float]) -> None:
    """Set all parameters; Ctrl-C in the middle waits until all are set."""
    try:
        assign(parameters, numbers)
    except KeyboardInterrupt:
        assign(parameters, numbers)
        raise


def _leaves(parameters: Iterable[Value]) -> list[Value]:
    if isinstance(parameters, Value) or not hasattr(parameters, "__iter__"):
        raise TypeError("an optimizer takes a list of parameters; write [v] for a single one, or "
                        "model.parameters()")
    found = list(parameters)
    if not found:
        raise ValueError("there are no parameters to optimize")
    for position, parameter in enumerate(found):
        if parameter.__class__ is not Value:
            raise TypeError(f"parameter {position} is {parameter!r}, not a Value")
        if parameter.op is not None:
            raise ValueError(f"parameter {position}, {describe(parameter)}, was computed; only "
                             "leaves can be moved")
    if len(set(found)) != len(found):
        raise ValueError("a parameter occurs twice in the list; it would be moved twice")
    return found
