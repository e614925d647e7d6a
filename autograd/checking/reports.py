"""What a gradient check says: a report when all is right, a GradientError when something is not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograd.checking.finite_differences import TINY


class GradientError(AssertionError):
    """A gradient is wrong. The message says where, by how much, and which rule is to blame.

    Attributes:
        component: the worst component, for example ``"x[1]"``; "" where every sum is within its
            tolerance and only the rule of one operation is wrong.
        given, expected, tolerance: its numbers; nan where component is "".
        op: the name of the first operation whose partial is wrong, None if there is none.
        point: the inputs.
    """

    def __init__(self, message: str, component: str = "", given: float = math.nan,
                 expected: float = math.nan, tolerance: float = math.nan,
                 op: str | None = None, point: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.component, self.given, self.expected = component, given, expected
        self.tolerance, self.op, self.point = tolerance, op, point


@dataclass(frozen=True, repr=False)
class Report:
    """What a check that passed has looked at. It is truthy, so that ``assert`` reads well.

    Args:
        checked: how many components of the gradient were compared.
        skipped: how many were not, because they hang on a node that sits on a kink.
        worst: the largest relative difference, among those that rounding does not explain.
        oracle: what they were compared with.
        points: at how many points.
        unknown: how many could not be compared, because no oracle can tell them.
    """

    checked: int
    skipped: int
    worst: float
    oracle: str
    points: int = 1
    unknown: int = 0

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        at = f" at {self.points} points" if self.points != 1 else ""
        skipped = f", {self.skipped} skipped at kinks" if self.skipped else ""
        skipped += f", {self.unknown} that no oracle can tell" if self.unknown else ""
        return (f"gradient is right: {self.checked} component(s) checked{at}{skipped}; worst "
                f"relative difference {self.worst:.1e}, against {self.oracle}")


class Tolerance(NamedTuple):
    """How far a component may be off, term by term."""

    rtol: float
    reference: float
    oracle: float
    rounding: float
    atol: float

    def total(self) -> float:
        return self.rtol * abs(self.reference) + self.oracle + self.rounding + self.atol + TINY

    def is_known(self) -> bool:
        return math.isfinite(self.reference) and math.isfinite(self.oracle + self.rounding)

    def __str__(self) -> str:
        text = (f"rtol * |expected| ({self.rtol:g} * {abs(self.reference):.6g}) + the oracle's own "
                f"error ({self.oracle:.1e}) + rounding ({self.rounding:.1e})")
        return text + (f" + atol ({self.atol:g})" if self.atol else "")


class Component(NamedTuple):
    """One number of a gradient beside the truth."""

    path: str
    output: int
    given: float
    tolerance: Tolerance

    @property
    def expected(self) -> float:
        return self.tolerance.reference

    def is_wrong(self) -> bool:
        return not abs(self.given - self.expected) <= self.tolerance.total()  # also for nan

    def badness(self) -> float:
        ratio = abs(self.given - self.expected) / self.tolerance.total()
        return math.inf if math.isnan(ratio) else ratio

    def relative(self) -> float:
        unexplained = (abs(self.given - self.expected) - self.tolerance.oracle
                       - self.tolerance.rounding - self.tolerance.atol - TINY)
        return unexplained / abs(self.expected) if unexplained > 0.0 and self.expected else 0.0
