"""A function of arrays with a vjp of the user's own, checked at its first calls."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.checking.finite_differences import EPS, TINY, Estimate, differences
from autograd.checking.reports import GradientError
from autograd.core.array_primitive import (
    UNFIT,
    ArrayPrimitive,
    pulled_back,
    pulled_back_recorded,
)
from autograd.core.backward import adjoints
from autograd.core.call import Call, is_differentiable, numbers_of
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.pytrees import flatten, rebuild
from autograd.core.value import Value, numbers, program_writer, recording, refusals_apart

RTOL = 1e-6
TRIALS = 3  # calls at which a check that could tell nothing is tried again


class CheckedPrimitive(ArrayPrimitive):
    """A primitive of arrays whose derivatives are compared with differences of its values.

    Args: those of :class:`.array_primitive.ArrayPrimitive`.
    """

    __slots__ = ("_trials",)

    def __init__(self, function: Callable[..., Any], **fields: Any) -> None:
        super().__init__(function, **fields)
        self._trials: dict[tuple[int, int], int] = {}

    def check_at(self, arguments: Sequence[Any]) -> None:
        """Check the derivatives at some arguments, by all of floats.

        Raises:
            GradientError: for a derivative that is wrong.
            TypeError, ValueError: for one of another structure.
        """
        self(*[rebuild(argument, map(Value, flatten(argument))) if is_differentiable(argument)
               else argument for argument in arguments])

    def called(self, call: Call) -> None:
        """Check the derivatives, where they were not for so many operands and results.

        Raises:
            GradientError: for one that is wrong.
        """
        size = len(call.inputs), len(call.numbers)
        trial = self._trials.get(size, 0)
        if trial >= TRIALS:
            return
        self._trials[size] = TRIALS  # the vjp may call the primitive itself
        try:
            has_told = _Check(call, random.Random(trial)).run()
        except BaseException:
            self._trials[size] = trial
            raise
        self._trials[size] = TRIALS if has_told else trial + 1


class _Check:
    """Derivatives at the numbers of one call, along one direction of all operands."""

    def __init__(self, call: Call, source: random.Random) -> None:
        self.call, self.function = call, call.function
        self.point = numbers(call.inputs)
        self.direction = [max(abs(x), 0.1) * source.uniform(0.5, 1.0) * source.choice((-1.0, 1.0))
                          for x in self.point]
        self.weights = [source.uniform(0.5, 1.5) * source.choice((-1.0, 1.0))
                        for _ in call.numbers]

    def run(self) -> bool:
        """Whether anything could be compared."""
        claim = [0.0 if x is None else x for x in pulled_back(self.call, self.weights)]
        terms = [slope * step for slope, step in zip(claim, self.direction, strict=True)]
        has_told = self._compare("vjp", terms, self._weighed)
        if self.function.jvp is not None:
            tangents = self._pushed()
            self._compare("jvp", [w * t for w, t in zip(self.weights, tangents, strict=True)],
                          self._weighed)
        if program_writer() is None:  # who would note the comparisons of the check
            self._check_again()
        return has_told

    def _at(self, step: float) -> list[float]:
        return [x + step * way for x, way in zip(self.point, self.direction, strict=True)]

    def _results(self, operands: Sequence[float]) -> list[float]:
        call, function = self.call, self.function
        return numbers_of(function.function(*call.on(operands), **call.options), function.name)

    def _weighed(self, step: float) -> list[float]:
        """The terms of the weighted sum of the results, at a step."""
        found = self._results(self._at(step)) if step else self.call.numbers
        return [w * y for w, y in zip(self.weights, found, strict=True)]

    def _pushed(self) -> list[float]:
        call = self.call
        given = tuple(call.tangents_of(self.direction))
        found = self.function.jvp(given, call.filled(call.numbers), *call.on(self.point),
                                  **call.options)
        return [0.0 if x is None else x for x in call.tangents(found)]

    def _compare(self, what: str, claims: Sequence[float],
                 terms: Callable[[float], list[float]]) -> bool:
        """Whether differences could tell; an error, where they tell something else."""
        claim, size = math.fsum(claims), math.fsum(map(abs, claims))
        truth = _slope(terms)
        if not math.isfinite(truth.error) or truth.error > 1e-3 * max(size, abs(truth.value)):
            return size == 0.0 and abs(truth.value) <= truth.error < math.inf
        tolerance = RTOL * size + 4.0 * truth.error + TINY
        if abs(claim - truth.value) <= tolerance:
            return True
        if self._is_kink(terms):
            return False
        name = self.function.name
        raise GradientError(
            f"the {what} of {name} is wrong at {_shown(self.point)}: along "
            f"{_shown(self.direction)} it gives {claim!r}, expected is {truth.value!r}\n  they "
            f"differ by {abs(claim - truth.value):.6g}; allowed is {tolerance:.3g}\n  expected "
            f"comes from central differences of what {name} computes (the sum of its results, "
            f"times {_shown(self.weights)}); is it {name} with a function of its arguments alone? "
            "check=False leaves this check out", "", claim, truth.value, tolerance, name,
            tuple(self.point))

    def _is_kink(self, terms: Callable[[float], list[float]]) -> bool:
        """Whether the function has another slope on each side."""
        right, left = (_slope(terms, side) for side in (1.0, -1.0))
        return not abs(right.value - left.value) <= 4.0 * (right.error + left.error) + (
            1e-3 * max(abs(right.value), abs(left.value)))

    def _check_again(self) -> None:
        """The derivative of the vjp, if it has one: the second derivative hangs on it."""
        call = self.call
        with recording(), refusals_apart():
            leaves = [Value(x) for x in self.point]
            moved = call.copied(tuple(leaves))
            try:
                found = pulled_back_recorded(moved, self.weights, {})
                total: Any = 0.0
                for slope, step in zip(found, self.direction, strict=True):
                    total = total if slope is None else total + slope * step
                slopes = numbers(adjoints(total, leaves))
            except UNFIT:
                return  # it is for numbers alone; who differentiates twice is told
        terms = [slope * step for slope, step in zip(slopes, self.direction, strict=True)]
        self._compare("derivative of the vjp", terms, self._pulled)

    def _pulled(self, step: float) -> list[float]:
        call = self.call
        operands = self._at(step)
        moved = call.copied(tuple(operands))
        moved.gave(self.function.function(*call.on(operands), **call.options))
        return [0.0 if slope is None else slope * way for slope, way in
                zip(pulled_back(moved, self.weights), self.direction, strict=True)]


def _slope(terms: Callable[[float], list[float]], side: float = 0.0) -> Estimate:
    """The derivative at 0 of the sum of terms, or that on one side."""
    rest = terms(0.0)

    def sample(step: float) -> Sequence[float] | None:
        if step * side < 0.0:
            return None
        try:
            found = math.fsum(terms(step))
        except DOMAIN_ERRORS:
            return None
        return (found,) if math.isfinite(found) else None

    noise = 8.0 * EPS * math.fsum(map(abs, rest))
    return differences(sample, lambda step: (noise,), 1.0)[0]


def _shown(items: Sequence[float]) -> str:
    return f"({', '.join(f'{x:.6g}' for x in items[:6])}{', ...' if len(items) > 6 else ''})"
