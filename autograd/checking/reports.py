"""What a gradient check says: a report when all is right, a GradientError when something is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograd.checking.finite_differences import TINY

# Where a function and its derivative are 0 there is no size to measure an error by.
NOTHING = 1e-12


class GradientError(AssertionError):
    """A gradient is wrong. The message says where, by how much, and which rule is to blame.

    Args:
        message: what ``str`` of it gives.

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
    """What a check that found nothing wrong has looked at.

    It is truthy where it has compared anything, so that ``assert`` reads well: a check that has
    compared nothing, as all hangs on kinks or no oracle can tell, does not say "right".

    Args:
        checked: how many components of the gradient were compared.
        skipped: how many were not, because they hang on a node that sits on a kink.
        worst: the largest relative difference, among those that rounding does not explain.
        oracle: what they were compared with.
        points: at how many points.
        unknown: how many could not be compared, because no oracle can tell them.
        unchecked: the components, by name, that were compared at none of the points.
        advice: why nothing was compared, and where to look instead; "" where something was.
    """

    checked: int
    skipped: int
    worst: float
    oracle: str
    points: int = 1
    unknown: int = 0
    unchecked: tuple[str, ...] = ()
    advice: str = ""

    def __bool__(self) -> bool:
        return self.checked > 0

    def __repr__(self) -> str:
        at = f" at {self.points} points" if self.points != 1 else ""
        left_out = [f"{self.skipped} skipped at kinks"] if self.skipped else []
        left_out += [f"{self.unknown} that no oracle can tell"] if self.unknown else []
        if not self:
            return (f"nothing was checked{at}: "
                    + ", ".join([*left_out, self.advice] if self.advice else left_out))
        counted = ", ".join([f"{self.checked} component(s) checked{at}", *left_out])
        right = "gradient is right"
        if self.unchecked:
            right += " as far as it was checked"
            counted += f" ({_listed(self.unchecked)} nowhere checked)"
        return f"{right}: {counted}; {self._difference()} {self.oracle}"

    def _difference(self) -> str:
        if self.worst == 0.0:
            return "no difference beyond rounding from"
        return f"beyond rounding the largest relative difference is {self.worst:.1e}, from"


def merged(reports: Sequence[Report]) -> Report:
    """The report over all points, from one or more, each of one point."""
    never = set(reports[0].unchecked).intersection(*(report.unchecked for report in reports))
    passed = [report for report in reports if report]
    return Report(
        sum(r.checked for r in reports), sum(r.skipped for r in reports),
        max(r.worst for r in reports), (passed or reports)[-1].oracle, len(reports),
        sum(r.unknown for r in reports),
        tuple(name for name in reports[0].unchecked if name in never),
        "" if passed else reports[-1].advice)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


class Tolerance(NamedTuple):
    """How far a component may be off, term by term.

    Args:
        rtol, atol: what the caller allows.
        reference: the truth.
        oracle: a bound on its error.
        rounding: a bound on the rounding of the component.
        size: how large the component could be: the sum of its absolute path products.
    """

    rtol: float
    reference: float
    oracle: float
    rounding: float
    atol: float
    size: float

    def total(self) -> float:
        return self.rtol * abs(self.reference) + self.oracle + self.rounding + self.atol + TINY

    def is_known(self) -> bool:
        return math.isfinite(self.reference) and math.isfinite(self.oracle + self.rounding)

    def is_telling(self) -> bool:
        """Whether it is narrow enough to tell a right component from a wrong one."""
        return self.is_known() and self.oracle + self.rounding <= max(
            0.1 * max(abs(self.reference), self.size), NOTHING)

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
