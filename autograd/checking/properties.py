"""check_gradients: is this gradient right everywhere in a domain?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from autograd.checking.branches import CALLS, Branches
from autograd.checking.domains import Box, Domain
from autograd.checking.finite_differences import EPS, TINY
from autograd.checking.gradient_check import gradcheck, shown_point
from autograd.checking.reports import GradientError, Report, merged
from autograd.core.aliases import also_called
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.pytrees import flatten
from autograd.core.transforms import grad, refuse_misuse
from autograd.core.value import data_of

SUSPECTS = 20  # points compared with the engine's gradient, for each that is checked
SIMPLER = 300  # attempts to write a failing point with fewer digits

Point = list[float]


@also_called()
def check_gradients(f: Callable[..., Any], domain: Any,
                    gradient: Callable[..., Any] | None = None, max_examples: int = 100,
                    rtol: float = 1e-7, atol: float = 0.0) -> Report:
    """Check a gradient at many points of a domain; a failure is shrunk to the simplest point.

    Half of the points are hypothesis's. Where the domain is made of intervals, the others are

    - points at which a gradient written by hand differs from the engine's own, which is quick
      to compare at twenty times as many points, and is then judged by the oracles;
    - points on both sides of each comparison and kink that f meets, and of those that the
      gradient meets (one written by hand as well, if it can compute with Values), found by
      Newton's method and by bisection;
    - a sweep that leaves no gap in any coordinate.

    The points are the same in every run, and nothing is written to disk.

    Args:
        f: as in :func:`gradcheck`.
        domain: for each argument an interval ``(low, high)`` or a hypothesis strategy (for
            arrays ``autograd.strategies.arrays_in(shape, low, high)``, which are intervals): a
            mapping from argument names, or a sequence by position. For a single argument the
            bare interval will do.
        gradient: a gradient written by hand, as in :func:`gradcheck`.
        max_examples: how many points to check.
        rtol, atol: as in :func:`gradcheck`.

    Returns:
        A :class:`Report` over all points. It is truthy where any component was compared at any.

    Raises:
        GradientError: at the simplest point that is found; the message shows it.
        ImportError: when hypothesis is not installed.
        TypeError, ValueError: for a domain that does not fit f.
        ValueError, ZeroDivisionError, OverflowError: when f or its derivative does not exist at
            a point of the domain; the message shows the point.
    """
    try:
        import hypothesis  # noqa: F401
    except ImportError:
        raise ImportError('check_gradients needs hypothesis; pip install "chainrule[check]"'
                          ) from None
    refuse_misuse("check_gradients", f)
    return _Search(f, Domain(f, domain), gradient, max_examples, rtol, atol).run()


class _Search:
    """One check_gradients."""

    def __init__(self, f: Callable[..., Any], domain: Domain,
                 gradient: Callable[..., Any] | None, max_examples: int, rtol: float,
                 atol: float) -> None:
        self.f, self.domain, self.gradient = f, domain, gradient
        self.max_examples, self.rtol, self.atol = max_examples, rtol, atol
        self.reports: list[Report] = []

    def run(self) -> Report:
        box = self.domain.box
        self._draw(self.max_examples if box is None else (self.max_examples + 1) // 2)
        if box is not None:
            self._visit(box, self.max_examples // 2)
        return merged(self.reports)

    def _check(self, inputs: Sequence[Any]) -> Report:
        try:
            report = gradcheck(self.f, *inputs, gradient=self.gradient, rtol=self.rtol,
                               atol=self.atol)
        except DOMAIN_ERRORS as error:
            shown = shown_point(self.domain.names, inputs)
            raise type(error)(f"{error} (drawn from the domain: {shown})") from None
        self.reports.append(report)
        return report

    def _draw(self, count: int) -> None:
        """Points of hypothesis, which moves towards those that disagree most."""
        import hypothesis

        @hypothesis.settings(
            max_examples=count, derandomize=True, deadline=None, database=None,
            report_multiple_bugs=False, print_blob=False, verbosity=hypothesis.Verbosity.quiet,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.target, hypothesis.Phase.shrink))
        @hypothesis.given(self.domain.points)
        def check(inputs: tuple[Any, ...]) -> None:
            hypothesis.target(self._check(inputs).worst)

        try:
            check()
        except (GradientError, *DOMAIN_ERRORS) as error:
            if hasattr(error, "__notes__"):
                del error.__notes__  # the message shows the point already
            raise error.with_traceback(None) from None

    # --- intervals ------------------------------------------------------------------------------

    def _visit(self, box: Box, count: int) -> None:
        """Check so many points of a box: suspects, both sides of branches, the rest a sweep."""
        visited = 0
        for points in (islice(self._suspects(box), count // 4),
                       islice(self._beside_branches(box, count), count // 2)):
            for point in points:
                self._check_and_simplify(box, point)
                visited += 1
        for point in box.sweep(count - visited):
            self._check_and_simplify(box, point)

    def _check_and_simplify(self, box: Box, point: Point) -> None:
        try:
            self._check(box.inputs(point))
        except GradientError as error:
            raise self._simplest(box, point, error).with_traceback(None) from None

    def _simplest(self, box: Box, point: Point, error: GradientError) -> GradientError:
        """The failure at the point with the fewest digits at which there still is one."""
        attempts = SIMPLER
        for position in range(len(point)):
            for simpler in box.simpler(point, position):
                attempts -= 1
                if attempts < 0:
                    return error
                failure = self._failure(box.inputs(simpler))
                if failure is not None:
                    point, error = simpler, failure
                    break
        return error

    def _failure(self, inputs: Sequence[Any]) -> GradientError | None:
        try:
            self._check(inputs)
        except GradientError as error:
            return error
        except DOMAIN_ERRORS:
            pass
        return None

    def _suspects(self, box: Box) -> Iterator[Point]:
        """Points at which a hand-written gradient is not the engine's, from all over the box."""
        if self.gradient is None or self._has_several_outputs(box):
            return
        differing = [(difference, point) for point in box.sweep(SUSPECTS * self.max_examples)
                     if (difference := self._disagreement(box.inputs(point))) > 1.0]
        # The worst alone could all be where one of the two loses digits.
        stride = max(1, len(differing) // max(1, self.max_examples // 16))
        worst = sorted(differing, key=lambda item: -item[0])
        for pair in zip(worst, differing[::stride], strict=False):
            for _, point in pair:
                yield point

    def _has_several_outputs(self, box: Box) -> bool:
        try:
            self._engine(*box.inputs(next(box.sweep(1))))
        except TypeError:
            return True
        except DOMAIN_ERRORS:
            pass
        return False

    @property
    def _engine(self) -> Callable[..., Any]:
        return grad(self.f, argnums=tuple(range(len(self.domain.names))))

    def _disagreement(self, inputs: Sequence[Any]) -> float:
        """How far the hand-written gradient is from the engine's, in units of what is allowed."""
        assert self.gradient is not None
        try:
            pairs = zip(flatten(self._engine(*inputs)), flatten(self.gradient(*inputs)),
                        strict=True)
            return max((self._excess(data_of(a), data_of(b)) for a, b in pairs), default=0.0)
        except DOMAIN_ERRORS:
            return math.inf  # the check will say what is wrong there

    def _excess(self, known: float, given: float) -> float:
        if known == given:
            return 0.0
        ratio = abs(known - given) / ((self.rtol + 64.0 * EPS) * abs(known) + self.atol + TINY)
        return ratio if ratio == ratio else math.inf

    def _beside_branches(self, box: Box, count: int) -> Iterator[Point]:
        branches = Branches([self.f, self.gradient or self._engine], box, CALLS * count)
        for point in box.sweep(count):
            branches.look(point)
        yield from branches.both_sides()
