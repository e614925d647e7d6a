"""Optimizers: from the gradients in ``grad`` to the next parameters.

To add an optimizer, write its rule for one parameter, in arithmetic and NumPy's functions; name
what it remembers of each parameter in ``memories``, and what a step's parameters share, such as
the number of the step, in ``scalars``. ``nn.fit`` then compiles it like those below::

    class NormalizedMomentum(nn.Optimizer):
        memories = ("velocity",)

        def scalars(self, step):
            return (*super().scalars(step), 1.0 - 0.9 ** (step + 1))

        def rule(self, number, gradient, memory, scalars):
            rate, unbias = scalars
            gradient = self.decayed(number, gradient)
            velocity = 0.9 * memory["velocity"] + 0.1 * gradient
            return number - rate * velocity / unbias, {"velocity": velocity}

    nn.fit(model, X, y, optimizer=NormalizedMomentum(model.parameters(), 0.1))
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.typing import Array
from autograd.core.validation import as_float, not_negative, positive, share
from autograd.core.value import NOT_COMPUTED, Value, assign, describe, grad_of
from nn.schedules import Schedule, as_schedule
from nn.storage import Entry, checked_state, read_state, write_state

# The attributes that change from step to step, or lead to what does; all others are settings.
KEYWORDS = {"lr": "learning_rate", "eps": "epsilon"}  # as other libraries call them
STATE = ("parameters", "schedule", "steps", "_memory")


class Optimizer:
    """What all optimizers share: the parameters, the learning rate, the state.

    An optimizer of your own defines :meth:`rule`, and where it needs them ``memories`` and
    :meth:`scalars`. One that overrides :meth:`step` or :meth:`moved` works as well, but is left to
    the eager engine by ``nn.fit``.

    Args:
        parameters: leaf Values, for example ``model.parameters()``.
        learning_rate: a number above 0, or a schedule: a function of the number of the step,
            counted from 0, that gives the rate. It may be asked for later steps ahead of time.
        weight_decay: adds weight_decay * p to the gradient of p.

    Attributes:
        memories: the names of what is remembered of each parameter, all 0 at the start; of the
            class.
        steps: how many steps were taken.
    """

    memories: tuple[str, ...] = ()

    @also_called(KEYWORDS)
    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule,
                 weight_decay: float = 0.0) -> None:
        self.parameters = _leaves(parameters)
        self.schedule = as_schedule(learning_rate)
        self.weight_decay = not_negative(weight_decay, "weight_decay")
        self.steps = 0
        self._memory: dict[str, Array] = {
            name: np.zeros(len(self.parameters)) for name in self.memories}

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
        assign(self.parameters, moved.tolist())

    def moved(self, numbers: Array, gradients: Array,
              scalars: Sequence[float] | None = None) -> Array:
        """The next parameters from plain numbers; the optimizer's state counts the step.

        Args:
            numbers, gradients: shape (number of parameters,).
            scalars: of the step, where they are known.

        Raises:
            FloatingPointError: when a gradient is nan or infinite; it names the parameter.
        """
        finite = np.isfinite(gradients)
        if not finite.all():
            first = int(np.argmin(finite))
            raise FloatingPointError(f"the gradient of {describe(self.parameters[first])} is "
                                     f"{gradients[first]}; try a smaller learning rate")
        if scalars is None:
            scalars = self.scalars(self.steps)
        moved, self._memory = self.applied(numbers, gradients, self._memory, scalars)
        self.steps += 1
        return moved

    def applied(self, numbers: Array, gradients: Array, memory: dict[str, Array],
                scalars: Sequence[float]) -> tuple[Array, dict[str, Array]]:
        """What the rule gives for all parameters; changes nothing.

        Args:
            numbers, gradients: shape (number of parameters,).
            memory: arrays of that shape, by the names in ``memories``.
            scalars: of the step.

        Raises:
            ValueError: when the rule gives another memory, or other shapes.
        """
        with np.errstate(all="ignore"):  # as for Python's floats; fit looks at the next loss
            moved, remembered = self.rule(  # of copies, in which it may compute in place
                numbers.copy(), gradients, {name: memory[name].copy() for name in memory}, scalars)
        if set(remembered) != set(self.memories):
            raise ValueError(
                f"the rule of {type(self).__name__} remembers {_quoted(remembered)}, but its class "
                f"says memories = {self.memories!r}; both must be the same names")
        shapes = {"the next parameters": np.shape(moved),
                  **{name: np.shape(remembered[name]) for name in self.memories}}
        for what, shape in shapes.items():
            if shape != numbers.shape:
                raise ValueError(
                    f"the rule of {type(self).__name__} gives {what} in the shape {shape}, not "
                    f"{numbers.shape}: one number for each parameter")
        return np.asarray(moved, float), {name: np.asarray(remembered[name], float)
                                          for name in self.memories}

    def scalars(self, step: int) -> tuple[float, ...]:
        """The numbers that all parameters share in a step: the rate, then what the rule needs.

        Args:
            step: counted from 0. It may lie ahead, so nothing that the training changes, such as
                ``self.parameters``, must be looked at.
        """
        rate: Any = self.schedule(step)
        return (rate if rate.__class__ is float
                else as_float(rate, "the schedule's learning rate"),)

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """The next parameters and the next memory; changes nothing.

        It is arithmetic and NumPy's functions, on arrays of all parameters or on Values that stand
        for one of them; so the same few lines are what a compiled training runs. What differs from
        step to step comes in ``scalars``: a recording would keep the number that ``self.steps`` or
        ``self.learning_rate`` has.

        Args:
            number, gradient: of the parameters.
            memory: what the step before returned, by the names in ``memories``.
            scalars: what :meth:`scalars` gives for the step.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define "
                                  "rule(self, number, gradient, memory, scalars)")

    def memory(self) -> dict[str, Array]:
        """What is remembered of each parameter, shape (number of parameters,) each."""
        return dict(self._memory)

    def advance(self, steps: int, memory: dict[str, Array]) -> None:
        """Take over the state after some steps that were made elsewhere.

        Args:
            steps: how many were made.
            memory: what is remembered after the last, by the names in ``memories``; arrays of shape
                (number of parameters,).
        """
        self.steps += steps
        self._memory = memory

    def decayed(self, number: Any, gradient: Any) -> Any:
        """The gradient with the weight decay in it, for a rule to begin with.

        Args:
            number, gradient: of the parameters, as :meth:`rule` takes them.
        """
        return gradient + self.weight_decay * number if self.weight_decay else gradient

    def settings(self) -> dict[str, Any]:
        """The attributes that are neither the state nor the schedule: momentum and the like."""
        return {name: item for name, item in vars(self).items() if name not in STATE}

    def __repr__(self) -> str:
        shown = {"learning_rate": self.learning_rate, **self.settings()}
        return f"{type(self).__name__}({', '.join(map(_setting, shown.items()))})"

    def state_dict(self) -> dict[str, Entry]:
        """The number of steps, and what the optimizer remembers of each parameter."""
        return {"steps": float(self.steps),
                **{name: memory.tolist() for name, memory in self._memory.items()}}

    def load_state_dict(self, state: Any) -> None:
        """Go on from a state that ``state_dict()`` gave; on any error nothing changes.

        Args:
            state: what ``state_dict()`` of an optimizer of the same class and number of parameters
                gave.

        Raises:
            TypeError, ValueError: when it does not fit this optimizer.
        """
        sizes: dict[str, int | None] = {"steps": None}
        sizes.update((name, len(self.parameters)) for name in self.memories)
        checked = checked_state(state, sizes, f"this {type(self).__name__}")
        steps = checked.pop("steps")
        if not isinstance(steps, float) or not steps.is_integer() or steps < 0:
            raise ValueError(f"steps must be a whole number, 0 or above, not {steps!r}")
        self.steps = int(steps)
        self._memory = {name: np.array(m) for name, m in checked.items() if isinstance(m, list)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the state to a file of numbers only (JSON), as a Module's ``save`` does.

        Args:
            path: of the file; one that is there is replaced.

        Raises:
            OSError: when the file cannot be written; a file that was there stays as it was.
        """
        write_state(path, f"{type(self).__name__} state", self.state_dict())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go on from a file that ``save`` wrote; on any error nothing changes.

        Args:
            path: of the file.

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

    memories: tuple[str, ...] = ("velocity",)

    @also_called(KEYWORDS)
    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule = 0.1,
                 momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        self.momentum = share(momentum, "momentum")

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        gradient = self.decayed(number, gradient)
        velocity = self.momentum * memory["velocity"] + gradient if self.momentum else gradient
        return number - scalars[0] * velocity, {"velocity": velocity}


class Adam(Optimizer):
    """Adam: steps of the learning rate's size, scaled by each parameter's own gradients.

    Source: Kingma and Ba, "Adam: A method for stochastic optimization" (2015), algorithm 1.

    Args:
        parameters, learning_rate, weight_decay: as for every optimizer; the decay is part of the
            gradient.
        betas: how much of the mean gradient and of the mean square is kept at each step.
        epsilon: keeps the divisor from 0.
    """

    memories: tuple[str, ...] = ("mean", "mean_square")

    @also_called(KEYWORDS)
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
                1.0 / primitives.sqrt(1.0 - second ** (step + 1)))

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        rate, unbias, unbias_root = scalars
        first, second = self.betas
        gradient = self.decayed(number, gradient)
        mean = first * memory["mean"] + (1.0 - first) * gradient
        square = second * memory["mean_square"] + (1.0 - second) * gradient * gradient
        step = rate * unbias * mean / (unbias_root * np.sqrt(square) + self.epsilon)
        return number - step, {"mean": mean, "mean_square": square}


class AdamW(Adam):
    """Adam with the decay beside the gradient, not in it: p = p - step - rate * weight_decay * p.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019), algorithm 2,
    where the schedule's rate is the whole rate.

    Args:
        parameters, learning_rate, betas, epsilon: as for Adam.
        weight_decay: the share of p, times the rate, that each step takes away.
    """

    @also_called(KEYWORDS)
    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule = 0.001,
                 betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8,
                 weight_decay: float = 0.01) -> None:
        super().__init__(parameters, learning_rate, betas, epsilon, weight_decay)

    def decayed(self, number: Any, gradient: Any) -> Any:
        """The gradient as it is."""
        return gradient

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        moved, memory = super().rule(number, gradient, memory, scalars)
        return moved - scalars[0] * self.weight_decay * number, memory


class RMSprop(Optimizer):
    """Gradients divided by the root of their recent mean square.

    Source: Hinton, "Neural networks for machine learning", lecture 6e (2012).

    Args:
        parameters, learning_rate, weight_decay: as for every optimizer.
        decay: how much of the mean square is kept at each step, from 0 to below 1.
        epsilon: keeps the divisor from 0.
    """

    memories: tuple[str, ...] = ("mean_square",)

    @also_called(KEYWORDS)
    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule = 0.001,
                 decay: float = 0.9, epsilon: float = 1e-8, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        self.decay = share(decay, "decay")
        self.epsilon = positive(epsilon, "epsilon")

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        gradient = self.decayed(number, gradient)
        square = self.decay * memory["mean_square"] + (1.0 - self.decay) * gradient * gradient
        step = scalars[0] * gradient / (np.sqrt(square) + self.epsilon)
        return number - step, {"mean_square": square}


class Adagrad(Optimizer):
    """Gradients divided by the root of the sum of all their squares.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization" (2011), figure 1, with diagonal matrices.

    Args:
        parameters, learning_rate, weight_decay: as for every optimizer.
        epsilon: keeps the divisor from 0.
    """

    memories: tuple[str, ...] = ("sum_of_squares",)

    @also_called(KEYWORDS)
    def __init__(self, parameters: Iterable[Value], learning_rate: float | Schedule = 0.01,
                 epsilon: float = 1e-8, weight_decay: float = 0.0) -> None:
        super().__init__(parameters, learning_rate, weight_decay)
        self.epsilon = positive(epsilon, "epsilon")

    def rule(self, number: Any, gradient: Any, memory: dict[str, Any],
             scalars: Sequence[Any]) -> tuple[Any, dict[str, Any]]:
        """One step; see :meth:`Optimizer.rule`."""
        gradient = self.decayed(number, gradient)
        total = memory["sum_of_squares"] + gradient * gradient
        step = scalars[0] * gradient / (np.sqrt(total) + self.epsilon)
        return number - step, {"sum_of_squares": total}


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop, "adagrad": Adagrad}


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


def _setting(setting: tuple[str, Any]) -> str:
    name, item = setting
    return f"{name}={item:g}" if isinstance(item, float) else f"{name}={item!r}"


def _quoted(names: Iterable[Any]) -> str:
    return ", ".join(map(repr, names)) or "nothing"
