"""Numerical derivatives that know their own error: what gradients are checked against.

Two oracles, neither of which knows a derivative rule. Central differences with Richardson
extrapolation work on any function and estimate their own error (Ridders, "Accurate computation
of F'(x) and F'(x)F''(x)", Adv. Eng. Software 4, 1982). With mpmath installed, operations and whole
graphs are evaluated in high precision, where a plain difference has 30 digits to spare.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from .graph import numbers
from .primitives import DOMAIN_ERRORS, Primitive
from .value import Operand, Value

EPS = 2.0 ** -52
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
        self.moved_noise: list[float] = []  # for each unit of the step
        self.smallest = 0.0  # the last step taken

    def contradiction(self) -> float | None:
        """A start for smaller steps, if those tell another slope than the tableau.

        Large steps agree with each other, and tell the wrong slope, where what matters is much
        narrower than all of them: a soft kink between two lines, a pole beside a tiny number.
        """
        smallest = max(2e3 * EPS * self.scale if self.scale else self.smallest * 1e-20, TINY)
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

    def _agrees(self, k: int, quotient: float, step: float) -> bool:
        best = self.best[k]
        allowed = best.error + self._floor(k, quotient, step)
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
            if step <= 1e3 * EPS * self.scale or step < TINY:
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
        for column, older in enumerate(self.rows[k][:MAX_ORDER]):
            factor = STEP_RATIO ** (self.order * (column + 1)) - 1.0
            better = row[column] + (row[column] - older) / factor
            error = max(abs(better - row[column]), abs(better - older)) + floor
            if error < self.best[k].error:
                self.best[k] = Estimate(better, error)
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


# --- high precision -------------------------------------------------------------------------------

def has_mpmath() -> bool:
    """Whether mpmath can be imported."""
    return find_spec("mpmath") is not None


@lru_cache(maxsize=8)
def _context(digits: int) -> Any:
    import mpmath

    context = mpmath.mp.clone()  # the user's own precision stays as it is
    context.dps = digits
    return context


def _mp_logsumexp(m: Any, *xs: Any) -> Any:
    top = max(xs)
    return top + m.log(m.fsum(m.exp(x - top) for x in xs))


def _mp_softplus(m: Any, x: Any) -> Any:
    return max(x, m.zero) + m.log1p(m.exp(-abs(x)))


def _mp_sigmoid(m: Any, x: Any) -> Any:
    return 1 / (1 + m.exp(-x))


def _mp_wins(m: Any, a: Any, b: Any) -> Any:
    return m.one if a > b else m.zero if a < b else m.one / 2


# The value of each primitive in high precision: written anew, not derived from the table's rows.
MP_VALUES: dict[str, Callable[..., Any]] = {
    "add": lambda m, a, b: a + b,
    "sub": lambda m, a, b: a - b,
    "mul": lambda m, a, b: a * b,
    "div": lambda m, a, b: a / b,
    "neg": lambda m, x: -x,
    "identity": lambda m, x: x,
    "pow": lambda m, a, b: m.power(a, b),
    "sign": lambda m, x: m.sign(x),
    "step": lambda m, x: m.one if x > 0 else m.zero,
    "wins": _mp_wins,
    "abs": lambda m, x: abs(x),
    "relu": lambda m, x: max(x, m.zero),
    "maximum": lambda m, a, b: max(a, b),
    "minimum": lambda m, a, b: min(a, b),
    "where": lambda m, c, a, b: a if c else b,
    "exp": lambda m, x: m.exp(x),
    "exp2": lambda m, x: m.power(2, x),
    "expm1": lambda m, x: m.expm1(x),
    "log": lambda m, x: m.log(x),
    "log2": lambda m, x: m.log(x) / m.ln2,
    "log10": lambda m, x: m.log(x) / m.ln10,
    "log1p": lambda m, x: m.log1p(x),
    "sigmoid": _mp_sigmoid,
    "sigmoid_slope": lambda m, x: _mp_sigmoid(m, x) * _mp_sigmoid(m, -x),
    "softplus": _mp_softplus,
    "logaddexp": _mp_logsumexp,
    "sqrt": lambda m, x: m.sqrt(x),
    "cbrt": lambda m, x: m.sign(x) * m.cbrt(abs(x)),
    "hypot": lambda m, a, b: m.sqrt(a * a + b * b),
    "one_minus_square": lambda m, x: 1 - x * x,
    "sin": lambda m, x: m.sin(x),
    "cos": lambda m, x: m.cos(x),
    "tan": lambda m, x: m.tan(x),
    "asin": lambda m, x: m.asin(x),
    "acos": lambda m, x: m.acos(x),
    "atan": lambda m, x: m.atan(x),
    "atan2": lambda m, a, b: m.atan2(a, b),
    "sinh": lambda m, x: m.sinh(x),
    "cosh": lambda m, x: m.cosh(x),
    "tanh": lambda m, x: m.tanh(x),
    "asinh": lambda m, x: m.asinh(x),
    "acosh": lambda m, x: m.acosh(x),
    "atanh": lambda m, x: m.atanh(x),
    "gaussian": lambda m, x: m.exp(-x * x),
    "erf": lambda m, x: m.erf(x),
    "erfc": lambda m, x: m.erfc(x),
    "sum": lambda m, *xs: m.fsum(xs),
    "prod": lambda m, *xs: m.fprod(xs),
    "dot": lambda m, *xs: m.fdot(zip(xs[:len(xs) // 2], xs[len(xs) // 2:], strict=True)),
    "norm": lambda m, *xs: m.sqrt(m.fsum(x * x for x in xs)),
    "logsumexp": _mp_logsumexp,
}


def _mp_value(context: Any, op: Primitive, operands: Sequence[Any]) -> Any:
    """The value in high precision; None where rounding has pushed it out of the domain."""
    try:
        result = MP_VALUES[op.name](context, *operands)
    except DOMAIN_ERRORS:
        return None
    return result if isinstance(result, context.mpf) else None  # complex: out of the domain


def local_derivative(op: Primitive, operands: Sequence[float], position: int) -> Estimate:
    """The derivative of one operation by one operand, by the best oracle that there is."""
    if op.name in MP_VALUES and has_mpmath():
        for digits in (60, 200, 900):  # saturated functions hide their slope behind many nines
            estimate = _precise_local(op, operands, position, digits)
            if estimate is None:
                break
            if estimate.error <= max(1e-12 * abs(estimate.value), 1e-320):
                return estimate
    return local_difference(op, operands, position)


def _precise_local(op: Primitive, operands: Sequence[float], position: int,
                   digits: int) -> Estimate | None:
    context = _context(digits)
    exact = [context.mpf(x) for x in operands]
    scale = abs(exact[position]) or min(1.0, _room([op.kink(*operands)] if op.kink else []))

    def evaluate(displacement: Any) -> list[Any] | None:
        moved = list(exact)
        moved[position] += displacement
        result = _mp_value(context, op, moved)
        return None if result is None else [result]

    found = _precise_slopes(context, evaluate, context.mpf(10) ** (-digits // 3) * scale)
    return None if found is None else found[0]


def _precise_slopes(m: Any, evaluate: Callable[[Any], list[Any] | None],
                    step: Any) -> list[Estimate] | None:
    """Central differences in high precision; None when a step leaves the domain.

    Args:
        m: the context, whose precision the evaluations have.
        evaluate: the outputs at a displacement.
        step: small enough for its square to be negligible beside any slope but a tiny one.
    """
    quotients, noise = _precise_quotients(m, evaluate, step)
    if quotients is None:
        return None
    if all(abs(quotient) > 1e-8 for quotient in quotients):
        return [Estimate(float(q), float(n) + EPS * abs(float(q)))
                for q, n in zip(quotients, noise, strict=True)]
    wider, _ = _precise_quotients(m, evaluate, 2 * step)  # x**3 at 0 has the quotient step**2
    if wider is None:
        return None
    return [Estimate(float((4 * q - w) / 3), float(abs(q - w) + n) + EPS * abs(float(q)))
            for q, w, n in zip(quotients, wider, noise, strict=True)]


def _precise_quotients(m: Any, evaluate: Callable[[Any], list[Any] | None],
                       step: Any) -> tuple[list[Any] | None, list[Any]]:
    low = evaluate(-step)
    high = None if low is None else evaluate(step)
    if low is None or high is None:
        return None, []
    last_digits = m.mpf(10) ** (2 - m.dps) / step
    return ([(b - a) / (2 * step) for a, b in zip(low, high, strict=True)],
            [max(abs(a), abs(b)) * last_digits for a, b in zip(low, high, strict=True)])


def _room(margins: Sequence[float]) -> float:
    """How far a number that is 0 may move: to the nearest kink."""
    return min((abs(margin) for margin in margins if margin == margin and margin != 0.0),
               default=1.0)


class PreciseGraph:
    """A recorded graph, evaluated again with 100 digits.

    Args:
        order: its nodes in topological order, without those that receive no adjoint.
    """

    DIGITS = 100

    def __init__(self, order: Sequence[Value]) -> None:
        self.context = _context(self.DIGITS)
        self.order = order
        self.base: dict[Value, Any] = {}
        self.defined = self._evaluate(self.base, set(order))
        self.room = min(1.0, _room([node.op.kink(*numbers(node.parents)) for node in order
                                    if node.op is not None and node.op.kink is not None]))

    @staticmethod
    def can_evaluate(order: Sequence[Value]) -> bool:
        """Whether mpmath is there and every op of the graph has a value in high precision."""
        return has_mpmath() and all(
            node.op is None or node.op.name in MP_VALUES for node in order)

    def _evaluate(self, results: dict[Value, Any], wanted: set[Value]) -> bool:
        """Fill in the numbers of the wanted nodes; False when one is out of the domain."""
        for node in self.order:
            if node not in wanted:
                continue
            if node.op is None:
                results.setdefault(node, self.context.mpf(node.data))
                continue
            operands = [self._number(parent, results) for parent in node.parents]
            result = _mp_value(self.context, node.op, operands)
            if result is None:
                return False
            results[node] = result
        return True

    def _number(self, operand: Operand, results: dict[Value, Any]) -> Any:
        if not isinstance(operand, Value):
            return self.context.mpf(operand)
        known = results.get(operand)
        if known is None:
            known = self.base.get(operand)  # an arm that was not taken is in neither
        return self.context.mpf(operand.data) if known is None else known

    def derivatives(self, leaf: Value, dependents: set[Value], outputs: Sequence[Any],
                    noise: Sequence[float]) -> list[Estimate] | None:
        """The derivatives of outputs by a leaf: the leaf is moved, the graph evaluated again.

        Args:
            leaf: the leaf that moves.
            dependents: the nodes that depend on it, itself included.
            outputs: Values of the graph, or floats.
            noise: the rounding error of each output in double precision.

        Returns:
            An estimate for each output; None when a step leaves the domain, or when the leaf is
            not in the graph.
        """
        if not self.defined or leaf not in self.base:
            return None
        m = self.context

        def evaluate(displacement: Any) -> list[Any] | None:
            results: dict[Value, Any] = {leaf: self.base[leaf] + displacement}
            if not self._evaluate(results, dependents):
                return None
            return [results.get(output, m.zero) if output.__class__ is Value else m.zero
                    for output in outputs]

        step = m.mpf(10) ** -30 * (abs(self.base[leaf]) or self.room)
        slopes = _precise_slopes(m, evaluate, step)
        if slopes is None:
            return None
        # Cancellation inside the graph magnifies the last digits as it does in floats.
        last_digits = float(m.mpf(10) ** (2 - self.DIGITS) / step / EPS)
        return [Estimate(slope.value, slope.error + rounding * last_digits)
                for slope, rounding in zip(slopes, noise, strict=True)]


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
