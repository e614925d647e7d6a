"""Learning-rate schedules: the rate of a step by its number, counted from 0.

All raise a ValueError for a rate that is not above 0 (an end may be 0) and for less than one step,
and a TypeError for what is no number, or no whole number of steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from autograd.core.validation import not_negative, positive, whole

Schedule = Callable[[int], float]


@dataclass(frozen=True)
class constant:
    """The same rate at every step.

    Args:
        rate: the rate.
    """

    rate: float

    def __post_init__(self) -> None:
        positive(self.rate, "rate")

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        return float(self.rate)


@dataclass(frozen=True)
class linear:
    """From start to end in equal differences: start + (end - start) * step / steps.

    ``linear(1.0, 0.1, steps)`` is the schedule of micrograd's demo. After ``steps`` it stays.

    Args:
        start, end: the rate of the first step, and from the step ``steps`` on.
        steps: how many steps the way from start to end takes.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        positive(self.start, "start")
        not_negative(self.end, "end")
        whole(self.steps, "steps", 1)

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        return self.start - (self.start - self.end) * min(step, self.steps) / self.steps


@dataclass(frozen=True)
class exponential:
    """rate * decay**step.

    Args:
        rate: the rate of the first step.
        decay: what each step multiplies it by.
    """

    rate: float
    decay: float

    def __post_init__(self) -> None:
        positive(self.rate, "rate")
        positive(self.decay, "decay")

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        return float(self.rate * self.decay**step)


@dataclass(frozen=True)
class cosine:
    """From start to end along half a cosine: slow, quick, slow. After ``steps`` it stays.

    Source: Loshchilov and Hutter, "SGDR: Stochastic gradient descent with warm restarts" (2017),
    equation 5, without restarts.

    Args:
        start: the rate of the first step.
        steps: how many steps the way from start to end takes.
        end: the rate from the step ``steps`` on.
    """

    start: float
    steps: int
    end: float = 0.0

    def __post_init__(self) -> None:
        positive(self.start, "start")
        not_negative(self.end, "end")
        whole(self.steps, "steps", 1)

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        done = min(step, self.steps) / self.steps
        return self.end + (self.start - self.end) * 0.5 * (1.0 + math.cos(math.pi * done))


@dataclass(frozen=True)
class stairs:
    """rate, times factor after each ``every`` steps.

    Args:
        rate: the rate of the first ``every`` steps.
        every: how many steps have one rate.
        factor: what the rate is multiplied by then.
    """

    rate: float
    every: int
    factor: float = 0.5

    def __post_init__(self) -> None:
        positive(self.rate, "rate")
        whole(self.every, "every", 1)
        positive(self.factor, "factor")

    def __call__(self, step: int) -> float:
        """The rate of a step."""
        return float(self.rate * self.factor ** (step // self.every))


def as_schedule(learning_rate: float | Schedule) -> Schedule:
    """A schedule as it is, a number as a constant one.

    Raises:
        TypeError, ValueError: for anything but a function or a finite number above 0.
    """
    if callable(learning_rate):
        return learning_rate
    return constant(positive(learning_rate, "learning_rate"))
