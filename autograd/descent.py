"""Gradient descent on a function, with its path; and brute force, to compare it with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np

from autograd.core.aliases import also_called
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.pytrees import flatten, rebuild
from autograd.core.transforms import scalar, value_and_grad
from autograd.core.typing import Array
from autograd.core.validation import as_float, interval, not_negative, whole
from autograd.core.value import Value, data_of, no_grad
from autograd.progress import progress_bar

Rate = float | Callable[[int], float]

# A path that leaves these bounds is called diverged while all of it can still be drawn: a picture
# squares lengths, and those squares must be finite.
FARTHEST = 1e12  # times the size of the start
HIGHEST = 1e150

ROUNDING = 1e-9  # of the largest value; at a minimum, rounding makes a path climb by less

MOST_EVALUATIONS = 10_000_000

REASONS = {
    "steps": "took all its steps",
    "precision": "moved no farther than the precision",
    "diverged": "diverged",
    "interrupted": "was interrupted",
}


@dataclass(frozen=True, eq=False, repr=False)
class Path:
    """The path of a gradient descent; ``len(path)`` is the number of steps n that it took.

    Attributes:
        points: shape (n + 1, d), from the start to the end; d is 1 for a function of a number.
        values: shape (n + 1,), the function at each point.
        gradients: shape (n + 1, d), its gradient at each point. All numbers are finite.
        rate: the learning rate as it was given, a number or a function of the step.
        reason: why it stopped: "steps", "precision", "diverged" or "interrupted".
        start: the first point in the structure that the function takes.
        detail: for a diverged path, what happened at the point after the last one.
    """

    points: Array
    values: Array
    gradients: Array
    rate: Rate
    reason: str
    start: Any
    detail: str = ""

    def __len__(self) -> int:
        return len(self.values) - 1

    def __bool__(self) -> bool:
        return True  # a path of no steps is still a path

    @property
    def end(self) -> Any:
        """The last point in the structure of the start: a float, a list, an array, ..."""
        return rebuild(self.start, self.points[-1].tolist())

    @property
    def rises(self) -> bool:
        """Whether the path diverged, or ends higher than it ever was: the rate is too large."""
        if self.reason != "steps":
            return self.reason == "diverged"
        climb = self.values[-1] - self.values[0]
        return bool(climb > ROUNDING * np.abs(self.values).max()
                    and self.values[-1] == self.values.max())

    def __repr__(self) -> str:
        steps = f"{len(self)} step{'' if len(self) == 1 else 's'}"
        rate = "a varying rate" if callable(self.rate) else f"rate {self.rate:g}"
        trend = "rose" if self.values[-1] > self.values[0] else "fell"
        if self.values[-1] == self.values[0]:
            trend = "stayed"
        detail = f" ({self.detail})" if self.detail else ""
        return (f"<Path: {steps} at {rate} from {_short(self.points[0])} to "
                f"{_short(self.points[-1])}; the value {trend} from {self.values[0]:.8g} to "
                f"{self.values[-1]:.8g}; it {REASONS[self.reason]}{detail}>")


def _short(point: Array) -> str:
    numbers = ", ".join(f"{x:.6g}" for x in point[:4]) + (", ..." if len(point) > 4 else "")
    return numbers if len(point) == 1 else f"({numbers})"


class Stop(NamedTuple):
    """The function, its gradient and the place, at one point of a path."""

    point: list[float]
    value: float
    gradient: list[float]


@also_called({"lr": "rate", "learning_rate": "rate"})
def descend(f: Callable[[Any], Any], start: Any, rate: Rate, steps: int = 100,
            precision: float | None = None, one_at_a_time: bool = False) -> Path:
    """Walk downhill: ``x = x - rate * gradient``, again and again.

    Args:
        f: a function of a number, or of one sequence or array of numbers; returns one number.
            The engine differentiates it.
        start: the point to start from, in the structure that f takes.
        rate: the learning rate, or a function that returns it for the step 0, 1, 2, ...
        steps: the most steps to take.
        precision: stop when no coordinate has changed by more than this in a step (with
            one_at_a_time: in a round over all coordinates).
        one_at_a_time: change one coordinate a step, each in its turn, by the partial derivative
            at the point reached so far.

    Returns:
        The Path. When the numbers grow beyond bounds or leave the domain of f it ends at the last
        point where all of them were finite, with the reason "diverged"; Ctrl-C ends it with
        "interrupted".

    Raises:
        ValueError: for a start where f or its gradient is not finite, a negative rate, number of
            steps or precision.
        ValueError, ZeroDivisionError, OverflowError: for a start outside the domain of f.
        TypeError: for a start that is not made of numbers, for a number of steps that is not
            whole, and when f returns no single number.
    """
    steps = whole(steps, "steps")
    precision = None if precision is None else not_negative(precision, "precision")
    rate_at = _rate_function(rate)
    walk = _Walk(f, start, one_at_a_time)
    reason, detail = walk.take(steps, rate_at, precision)
    points, values, gradients = zip(*walk.stops, strict=True)
    return Path(np.array(points), np.array(values), np.array(gradients), rate, reason,
                rebuild(start, list(points[0])), detail)


class _Walk:
    """The stops made so far, and how to get to the next."""

    def __init__(self, f: Callable[[Any], Any], start: Any, one_at_a_time: bool) -> None:
        point = [as_float(x, "a coordinate of the start") for x in flatten(start)]
        if not point:
            raise ValueError("the start is empty; give one number for each variable")
        if not all(map(math.isfinite, point)):
            raise ValueError(f"the start {start!r} is not finite")
        self.start = start
        self.slope = value_and_grad(f)
        self.one_at_a_time = one_at_a_time
        self.farthest = FARTHEST * max(1.0, *map(abs, point))
        first = self.stop_at(point)
        if fault := self.fault(first):
            raise ValueError(f"at the start {start!r} {fault}; start elsewhere")
        self.stops = [first]

    def stop_at(self, point: list[float]) -> Stop:
        value, gradient = self.slope(rebuild(self.start, list(point)))
        return Stop(point, data_of(value), [data_of(slope) for slope in flatten(gradient)])

    def fault(self, stop: Stop) -> str:
        """What keeps the stop from being drawn, "" if nothing does."""
        if not abs(stop.value) <= HIGHEST:
            return f"the value is {stop.value:.3g}"
        if not all(map(math.isfinite, stop.gradient)):
            return "the gradient is not finite"
        return ""

    def next_point(self, step: int, rate: float) -> list[float]:
        point, _, gradient = self.stops[-1]
        turn = step % len(point)
        return [x - rate * slope if turn == i or not self.one_at_a_time else x
                for i, (x, slope) in enumerate(zip(point, gradient, strict=True))]

    def settled(self, precision: float) -> bool:
        """Whether no coordinate moved by more than the precision, each having had its turn."""
        window = len(self.stops[0].point) if self.one_at_a_time else 1
        if len(self.stops) <= window:
            return False
        recent = [stop.point for stop in self.stops[-window - 1:]]
        return all(abs(x - y) <= precision for a, b in pairwise(recent)
                   for x, y in zip(a, b, strict=True))

    def take(self, steps: int, rate_at: Callable[[int], float],
             precision: float | None) -> tuple[str, str]:
        """Take the steps; returns the reason for the end and its detail."""
        try:
            for step in progress(range(steps), "descend"):
                point = self.next_point(step, rate_at(step))
                if not all(abs(x) <= self.farthest for x in point):
                    return "diverged", f"the next point is {_short(np.array(point))}"
                try:
                    stop = self.stop_at(point)
                except DOMAIN_ERRORS as error:
                    return "diverged", f"{type(error).__name__}: {error}"
                if fault := self.fault(stop):
                    return "diverged", f"at the next point {fault}"
                self.stops.append(stop)
                if precision is not None and self.settled(precision):
                    return "precision", ""
        except KeyboardInterrupt:
            return "interrupted", ""
        return "steps", ""


def _rate_function(rate: Rate) -> Callable[[int], float]:
    def checked(number: Any) -> float:
        return not_negative(number, "rate (to climb, descend on -f)")

    if callable(rate):
        return lambda step: checked(rate(step))
    constant = checked(rate)
    return lambda step: constant


def progress(items: Iterable[Any], what: str, total: int | None = None) -> Iterable[Any]:
    """The items, with a bar once they take longer than a second."""
    bar: Iterable[Any] = progress_bar(items, desc=what, total=total, delay=1.0, leave=False)
    return bar


def number_at(f: Callable[[Any], Any], argument: Any) -> float:
    """The function's value as a bare number, at an argument of bare numbers; nothing is recorded.

    Floats are quick. Where f asks for more than a float has (``x.exp()``) or plain arithmetic
    gets into trouble (NumPy's inf, a complex root), Values decide, as they do in descend.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: outside the domain of f.
        TypeError: when f returns no single number.
    """
    with no_grad():
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                result = f(argument)
        except (AttributeError, FloatingPointError):
            result = f(_as_values(argument))
        if isinstance(result, complex):
            result = f(_as_values(argument))
        return data_of(scalar(result))


def _as_values(argument: Any) -> Any:
    return rebuild(argument, [Value(number) for number in flatten(argument)])


class Best(NamedTuple):
    """What brute force found: the best point, its value, and how often f was evaluated."""

    point: Any
    value: float
    evaluations: int


def brute_force(f: Callable[[Any], Any], ranges: Any, digits: int,
                limit: int = MOST_EVALUATIONS) -> Best:
    """Try all numbers of that many decimal digits, and keep the lowest.

    Args:
        f: a function of a number, or of one list of numbers; no derivative is needed.
        ranges: (low, high) for a function of a number, otherwise one such pair for each variable;
            both ends are tried.
        digits: the digits after the decimal point.
        limit: the most evaluations to agree to.

    Returns:
        The best point (a float, or a list of them), its value, and the number of evaluations;
        Ctrl-C ends the search with the best so far. Of equals the first is kept.

    Raises:
        ValueError: when more than limit evaluations were needed; the message says how many. Also
            for ranges without such numbers.
        TypeError: for ranges that are no pairs of numbers.
        ValueError, ZeroDivisionError, OverflowError: when the ranges leave the domain of f.
    """
    needed = evaluations(ranges, digits)
    if needed > limit:
        raise ValueError(
            f"brute force would take {_count(needed)} evaluations, more than the limit of "
            f"{limit:,}; a gradient points downhill in all variables at once: write "
            "descend(f, start, rate), or use fewer digits or narrower ranges")
    is_number, pairs = pairs_of(ranges)
    best: Any = None
    lowest, count = math.inf, 0
    places = [[k / 10**digits for k in _numerators(low, high, digits)] for low, high in pairs]
    try:
        for candidate in progress(product(*places), "brute force", needed):
            value = number_at(f, candidate[0] if is_number else list(candidate))
            count += 1
            if value < lowest or (best is None and not math.isnan(value)):
                best, lowest = candidate, value
    except KeyboardInterrupt:
        if best is None:
            raise
    if best is None:
        raise ValueError("f is nan at all points of the ranges; there is no best one")
    return Best(best[0] if is_number else list(best), lowest, count)


def evaluations(ranges: Any, digits: int) -> int:
    """How often brute force would evaluate a function, without evaluating it.

    Args:
        ranges, digits: as for :func:`brute_force`.
    """
    numerators = [_numerators(low, high, digits) for low, high in pairs_of(ranges)[1]]
    return math.prod(span.stop - span.start for span in numerators)


def _count(number: int) -> str:
    return f"{number:,}" if number < 10**15 else f"{Decimal(number):.3g}"


def pairs_of(ranges: Any) -> tuple[bool, Sequence[tuple[float, float]]]:
    """Whether f takes a bare number, and (low, high) for each variable."""
    rows = list(ranges)
    is_number = len(rows) == 2 and not any(isinstance(row, list | tuple | np.ndarray)
                                           for row in rows)
    pairs = [interval(row, "a range") for row in ([rows] if is_number else rows)]
    if not pairs:
        raise ValueError("ranges is empty; give (low, high) for each variable")
    return is_number, pairs


def _numerators(low: float, high: float, digits: int) -> range:
    # In decimals, as people read the bounds: 0.07 * 100 is 7; floats say 7.000000000000001.
    digits = whole(digits, "digits")
    first = math.ceil(Decimal(repr(low)).scaleb(digits))
    last = math.floor(Decimal(repr(high)).scaleb(digits))
    if last < first:
        raise ValueError(f"between {low} and {high} there is no number of {digits} digits; "
                         "use more digits")
    return range(first, last + 1)
