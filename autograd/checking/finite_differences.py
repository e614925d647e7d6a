"""Numerical derivatives that know their own error: what gradients are checked against.

Central differences with Richardson extrapolation know no derivative rule, work on any function and
estimate their own error (Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Adv. Eng.
Software 4, 1982). The other oracle, high precision, is in precise.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograd.core.primitives import DOMAIN_ERRORS, Primitive
from autograd.core.value import Value, numbers

EPS = 2.0 ** -52
SMALLEST_STEP = 1e3 * EPS  # for a quantity of the size 1
TINY = 2.3e-308  # below it floats lose relative accuracy, so nothing can be asked there

SMALLEST = 1e-323  # the spacing of the numbers around 0, twice

# Not a whole number, so that the steps cannot all be multiples of one period.
STEP_RATIO = 3.7
MAX_LEVELS = 300
MAX_ORDER = 6
MAX_RESTARTS = 12
PROBES = 8

# What a function is at a displacement: its outputs, or None where the step is not allowed.
Sample = Callable[[float], Sequence[float] | None]

# Bounds on the rounding errors of those outputs.
Noise = Callable[[float], Sequence[float]]


@dataclass(frozen=True)
class Estimate:
    """A derivative and a bound on its error, as far as the oracle can tell."""

    value: float
    error: float


UNKNOWN = Estimate(math.nan, math.inf)


# --- differences --------------------------------------------------------------------------------

def differences(sample: Sample, noise: Noise, scale: float) -> list[Estimate]:
    """The derivatives at 0 of the outputs of a function of one displacement.

    Args:
        sample: the outputs at a displacement, or None where it leaves the domain, crosses a kink
            or goes too far; then the step shrinks.
        noise: for each output a bound on its rounding error at a displacement.
        scale: the size of the quantity that is displaced; steps start at a tenth of it, or at
            0.1 for smaller ones.

    Returns:
        An estimate for each output; its error is infinite where no step was allowed.
    """
    at_rest = noise(0.0)
    best = [UNKNOWN] * len(at_rest)
    for side in (0, 1, -1):  # one-sided steps serve at the edge of a domain
        start = 0.1 * max(1.0, scale)
        for _ in range(MAX_RESTARTS):
            tableau = _Tableau(sample, noise, at_rest, scale, side)
            found = tableau.extrapolate(start)
            finer = tableau.contradiction()
            if finer is None:
                best = [min(pair, key=lambda e: e.error) for pair in zip(best, found, strict=True)]
                break
            start = finer
        if all(math.isfinite(estimate.error) for estimate in best):
            break
    return best


def _is_good(estimate: Estimate) -> bool:
    return estimate.error <= 1e-10 * abs(estimate.value)


class _Tableau:
    """Ridders' tableau: ever smaller steps, of which Richardson cancels the error's terms."""

    def __init__(self, sample: Sample, noise: Noise, at_rest: Sequence[float], scale: float,
                 side: int) -> None:
        self.sample, self.noise, self.at_rest = sample, noise, at_rest
        self.scale, self.side = scale, side
        self.order = 1 if side else 2  # a central difference has only even powers of the step
        self.best = [UNKNOWN] * len(at_rest)
        self.rows: list[list[float]] = [[] for _ in at_rest]
        self.history: list[list[float]] = [[] for _ in at_rest]
        self.later: list[list[tuple[float, float]]] = [[] for _ in at_rest]  # than the best
        self.reach = [0.0] * len(at_rest)  # how far the best is from the quotients it is made of
        self.moved_noise: list[float] = []  # for each unit of the step
        self.smallest = 0.0  # the last step taken

    def contradiction(self) -> float | None:
        """A start for smaller steps, if those tell another slope than the tableau.

        Large steps agree with each other, and tell the wrong slope, where what matters is much
        narrower than all of them: a soft kink between two lines, a pole beside a tiny number,
        the waves of a sine.
        """
        known = [step for k, later in enumerate(self.later) for step, quotient in later
                 if not self._agrees(k, quotient, step, self.reach[k])]
        if known:
            return max(known) * STEP_RATIO
        smallest = max(64.0 * EPS * self.scale if self.scale else self.smallest * 1e-20, TINY)
        if not 0.0 < smallest < self.smallest:
            return None
        step: float = self.smallest
        ratio: float = (smallest / self.smallest) ** (1.0 / PROBES)
        for _ in range(PROBES):
            step *= ratio
            quotients = self._quotients(step)
            if quotients is not None and not all(
                    self._agrees(k, quotient, step) for k, quotient in enumerate(quotients)):
                return step * STEP_RATIO
        return None

    def _agrees(self, k: int, quotient: float, step: float, reach: float = 0.0) -> bool:
        best = self.best[k]
        allowed = best.error + self._floor(k, quotient, step) + reach
        # A one-sided quotient is off by a multiple of its step, too.
        allowed += abs(best.value) * 1e-3 if self.side else 1e-9 * abs(best.value)
        return not abs(quotient - best.value) > allowed

    def _floor(self, k: int, quotient: float, step: float) -> float:
        """The rounding of the function at rest, its growth with the step, that of the step."""
        return (2.0 * ((self.at_rest[k] + SMALLEST) / step + self.moved_noise[k])
                + EPS * self.scale * abs(quotient) / step)

    def extrapolate(self, start: float) -> list[Estimate]:
        step = start
        for _ in range(MAX_LEVELS):
            step /= STEP_RATIO
            if step <= SMALLEST_STEP * self.scale or step < TINY:
                break  # a step that the quantity's own rounding swallows shows a slope of 0
            quotients = self._quotients(step)
            if quotients is None:
                self.rows = [[] for _ in self.at_rest]
                step /= STEP_RATIO  # the way to the nearest kink can be long
                continue
            self.smallest = step
            for k, quotient in enumerate(quotients):
                self._refine(k, quotient, step)
            if all(_is_good(e) or 2.0 * n / step > e.error
                   for e, n in zip(self.best, self.at_rest, strict=True)):
                break
        return self.best

    def _quotients(self, step: float) -> list[float] | None:
        low = self.sample(0.0 if self.side > 0 else -step)
        high = None if low is None else self.sample(0.0 if self.side < 0 else step)
        if low is None or high is None:
            return None
        if not self.moved_noise:
            self.moved_noise = [bound / step for bound in self.noise(-step if self.side < 0
                                                                     else step)]
        width = step if self.side else 2.0 * step
        return [(b - a) / width for a, b in zip(low, high, strict=True)]

    def _refine(self, k: int, quotient: float, step: float) -> None:
        floor = self._floor(k, quotient, step)
        self.history[k].append(quotient)
        if self.side:
            floor += _still_to_go(self.history[k])
        row = [quotient]
        self.later[k].append((step, quotient))
        for column, older in enumerate(self.rows[k][:MAX_ORDER]):
            factor = STEP_RATIO ** (self.order * (column + 1)) - 1.0
            better = row[column] + (row[column] - older) / factor
            error = max(abs(better - row[column]), abs(better - older)) + floor
            if error < self.best[k].error:
                self.best[k] = Estimate(better, error)
                self.reach[k] = max(abs(better - quotient), abs(better - older))
                self.later[k].clear()
            row.append(better)
        self.rows[k] = row


def _still_to_go(quotients: Sequence[float]) -> float:
    """How far quotients are from their limit, if they go on as they do (Aitken).

    At the edge of a domain a function need not have a Taylor series (x**1.25 at 0): then
    Richardson's factors are wrong, and its estimate of the error too small.
    """
    if len(quotients) < 3:
        return math.inf
    first, second = quotients[-2] - quotients[-3], quotients[-1] - quotients[-2]
    if abs(second) >= abs(first):
        return 0.0 if second == 0.0 else math.inf
    return 2.0 * abs(second) / (abs(first / second) - 1.0) if second else 0.0


def local_difference(op: Primitive, operands: Sequence[float], position: int) -> Estimate:
    """The derivative of one operation by one operand, from its value function alone."""
    x, y = operands[position], op.value(*operands)
    base_margin = op.kink(*operands) if op.kink else math.inf

    def at(displacement: float) -> list[float]:
        return [x + displacement if i == position else operand
                for i, operand in enumerate(operands)]

    def sample(displacement: float) -> Sequence[float] | None:
        moved = at(displacement)
        try:
            result = op.value(*moved)
        except DOMAIN_ERRORS:
            return None
        if went_far(y, result, operands):
            return None
        if op.kink and margin_moved(base_margin, op.kink(*moved)):
            return None
        return (result,)

    def noise(displacement: float) -> Sequence[float]:
        return (4.0 * EPS * abs(op.value(*at(displacement))),)

    return differences(sample, noise, abs(x))[0]


def went_far(before: float, after: float, operands: Sequence[float]) -> bool:
    """Whether a step changed a number by more than half its size (or by more than 1/2).

    Beyond that there may be a pole, and narrow features would be stepped over. What is left of
    large operands that cancel may change by as much as keeps seven digits of theirs.
    """
    size = max(map(abs, operands), default=0.0)
    return not abs(after - before) <= max(0.5, 0.5 * abs(before), 1e7 * EPS * size)


def margin_moved(before: float, after: float) -> bool:
    """Whether a step used up more than half of the distance to a kink.

    Half, and not all: a distance that has no sign (that of a norm from the origin) does not tell
    on which side it is.
    """
    return abs(after - before) > 0.5 * abs(before)


def absolute_error(node: Value, slopes: Sequence[float | None],
                   errors: dict[Value, float]) -> float:
    """A bound on the rounding error of a node: those of its operands passed on, and its own."""
    total = EPS * abs(node.data)
    for parent, slope in zip(node.parents, slopes, strict=True):
        if parent.__class__ is Value and slope is not None and errors[parent] > 0.0:
            total += errors[parent] * abs(slope)
    return total if math.isfinite(total) else 0.0


def near_kink(node: Value, errors: dict[Value, float]) -> bool:
    """Whether a node sits on its kink, or so near that rounding decides on which side."""
    op = node.op
    if op is None or op.kink is None:
        return False
    operands = numbers(node.parents)
    margin = op.kink(*operands)
    if not math.isfinite(margin):
        return margin != margin
    reach = 0.0
    for position, parent in enumerate(node.parents):
        moved = list(operands)
        moved[position] += 4.0 * (errors[parent] if parent.__class__ is Value else 0.0)
        reach += abs(op.kink(*moved) - margin)
    return bool(abs(margin) <= max(reach, TINY))  # nearer, lengths have lost their digits
