"""One call of a function, recorded and examined by numbers alone, without its derivative rules.

Checking a gradient needs more of a graph than its gradient: the true slope of every operation,
how rounding errors travel, which nodes sit on a kink, and whether another call took the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.checking.finite_differences import (
    EPS,
    TINY,
    Estimate,
    absolute_error,
    margin_moved,
    near_kink,
    went_far,
)
from autograd.checking.high_precision import local_derivative
from autograd.core import primitives, value
from autograd.core.backward import dependents, local_derivatives
from autograd.core.graph import topological_order
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.pytrees import flatten, rebuild
from autograd.core.value import Listener, Operand, Value, data_of, listening, name_of, numbers


class Comparison(NamedTuple):
    """A comparison that the function made: which way it went, and between what."""

    outcome: bool
    left: Operand
    right: Operand

    def is_tie(self) -> bool:
        """Whether rounding decides it."""
        a, b = numbers((self.left, self.right))
        return abs(a - b) <= 4.0 * EPS * max(abs(a), abs(b))


class _ComparisonLog(Listener):
    """Keeps the comparisons that it is told of."""

    def __init__(self, log: list[Comparison]) -> None:
        self.log = log

    def compared(self, relation: str, a: Value, b: Operand, outcome: bool) -> None:
        self.log.append(Comparison(outcome, a, b))
        super().compared(relation, a, b, outcome)


class Recording:
    """One call of a function on fresh leaves.

    Args:
        function: what is called.
        inputs: its arguments: numbers, sequences, arrays.
        point: the numbers to use in place of the flattened inputs.
        labels: a name for each of them.

    Raises:
        TypeError: when the function returns anything but numbers, or asks a Value for its bare
            number, also if it catches that error.
    """

    def __init__(self, function: Callable[..., Any], inputs: tuple[Any, ...],
                 point: Sequence[float], labels: Sequence[str]) -> None:
        self.leaves = [Value(x, label) for x, label in zip(point, labels, strict=True)]
        self.comparisons: list[Comparison] = []
        lifted = rebuild(tuple(inputs), list(self.leaves))
        refusals: list[str] = []
        with value.recording(refusals), listening(_ComparisonLog(self.comparisons)):
            self.result = function(*lifted)
        value.refuse_lost_gradients(refusals)
        self.outputs = _outputs(self.result)
        self.values = numbers(tuple(self.outputs))
        self.order = topological_order(*(o for o in self.outputs if o.__class__ is Value))

    def repeats(self, other: Recording) -> bool:
        """Whether another call at the same point did exactly the same."""
        return (_same_numbers(self.values, other.values)
                and [node.op for node in self.order] == [node.op for node in other.order])

    def is_near(self, base: Recording) -> bool:
        """Whether a call at another point took the same way as the base and went not too far.

        The same operations, branches and sides of all kinks; and no node changed by more than
        half its size, so that a feature of the function that is narrower than the step is seen.
        """
        if not all(map(math.isfinite, self.values)) or len(self.order) != len(base.order):
            return False
        if [c.outcome for c in self.comparisons] != [c.outcome for c in base.comparisons]:
            return False
        return all(_is_near(node, old) for node, old in zip(self.order, base.order, strict=True))

    def noise(self) -> list[float]:
        """For each output a bound on its rounding error, from the rows' own partials."""
        errors: dict[Value, float] = {}
        for node in self.order:
            if node.op is None:
                errors[node] = EPS * abs(node.data)
                continue
            try:
                claims = local_derivatives(node)
            except DOMAIN_ERRORS:
                claims = [None] * len(node.parents)
            errors[node] = absolute_error(node, claims, errors)
        return [errors[o] if isinstance(o, Value) else 0.0 for o in self.outputs]


def _same_numbers(first: Sequence[float], second: Sequence[float]) -> bool:
    return len(first) == len(second) and all(
        a == b or (a != a and b != b) for a, b in zip(first, second, strict=True))


def _is_near(node: Value, base: Value) -> bool:
    op = node.op
    if op != base.op or went_far(base.data, node.data, numbers(base.parents)):
        return False
    if op is None:
        return True
    if op is primitives.where:
        return bool(numbers(node.parents)[0]) == bool(numbers(base.parents)[0])
    return op.kink is None or not margin_moved(op.kink(*numbers(base.parents)),
                                               op.kink(*numbers(node.parents)))


def written(node: Value) -> str:
    """How messages write an operation: its name and its operands, with their labels."""
    assert node.op is not None
    shown = ", ".join(map(_shown, node.parents[:8])) + (", ..." if len(node.parents) > 8 else "")
    return f"{node.op.name}({shown})"


def _shown(operand: Operand) -> str:
    name, number = name_of(operand), data_of(operand)
    return f"{name} = {number!r}" if name else repr(number)


def _outputs(result: Any) -> list[Operand]:
    if result is None:
        raise TypeError("the function returned None; return the Value to differentiate")
    if isinstance(result, str | bytes | set):
        raise TypeError(f"the function must return a number or a sequence of numbers, not a "
                        f"{type(result).__name__}")
    outputs = [item if item.__class__ is Value else
               primitives.as_float(item, "what the function returns") for item in flatten(result)]
    if not outputs:
        raise TypeError("the function returned no numbers; return the Value to differentiate")
    return outputs


class Adjoints(NamedTuple):
    """One output's derivative by each leaf, from numerical local slopes alone.

    Args:
        slopes: the sums of the path products.
        errors: what the errors of the local slopes add up to.
        sizes: the sums of the absolute path products; rounding is proportional to them.
    """

    slopes: list[float]
    errors: list[float]
    sizes: list[float]


class Examination:
    """A recorded call with its local slopes, rounding errors and kinks.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: where a derivative does not exist.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.claims: dict[Value, Sequence[float | None]] = {}
        self.kinks: list[Value] = []
        self.slopes: dict[Value, list[Estimate | None]] = {}
        self.errors: dict[Value, float] = {}
        self.order = self._reached()
        for node in self.order:
            self._measure(node)

    def _reached(self) -> list[Value]:
        """The nodes that receive an adjoint: not the arm that ``where`` did not take."""
        reached = {o for o in self.recording.outputs if isinstance(o, Value)}
        order = self.recording.order
        for node in reversed(order):
            if node in reached and node.op is not None:
                self.claims[node] = claims = local_derivatives(node)
                reached.update(parent for parent, claim in zip(node.parents, claims, strict=True)
                               if isinstance(parent, Value) and claim is not None)
        return [node for node in order if node in reached]

    def _measure(self, node: Value) -> None:
        if node.op is None:
            self.errors[node] = EPS * abs(node.data)
            return
        errors = self.errors
        for parent in node.parents:
            if isinstance(parent, Value):
                errors.setdefault(parent, 0.0)  # an arm that was not taken
        if near_kink(node, errors):
            self.kinks.append(node)
            # On a kink any slope between those of the two sides would do.
            self.slopes[node] = [None if claim is None else Estimate(claim, 0.0)
                                 for claim in self.claims[node]]
        else:
            self.slopes[node] = [
                self._slope(node, position, claim) if parent.__class__ is Value else None
                for position, (parent, claim)
                in enumerate(zip(node.parents, self.claims[node], strict=True))]
        errors[node] = absolute_error(
            node, [None if slope is None else slope.value for slope in self.slopes[node]], errors)

    @staticmethod
    def _slope(node: Value, position: int, claim: float | None) -> Estimate | None:
        if claim is None or node.op is None:
            return None
        found = local_derivative(node.op, numbers(node.parents), position)
        # Where no oracle can tell, the claim stands, and nothing is known of its error.
        return found if math.isfinite(found.value) else Estimate(claim, math.inf)

    def first_wrong(self, rtol: float) -> tuple[Value, int, Estimate] | None:
        """The first node whose local partial is wrong, the operand's position, the truth."""
        kinks = set(self.kinks)
        for node in self.order:
            if node.op is None or node in kinks:
                continue
            for position, slope in enumerate(self.slopes[node]):
                if slope is not None and self._is_wrong(node, position, slope, rtol):
                    return node, position, slope
        return None

    def _is_wrong(self, node: Value, position: int, slope: Estimate, rtol: float) -> bool:
        claim = self.claims[node][position]
        assert claim is not None and node.op is not None
        tolerance = rtol * abs(slope.value) + slope.error + TINY
        if claim == slope.value or abs(claim - slope.value) <= tolerance:
            return False
        # A rule that uses the result is as good as the rounded result allows.
        try:
            nudged = node.op.local_derivatives(
                numbers(node.parents), node.data * (1.0 + 2.0 * EPS),
                [i == position for i in range(len(node.parents))])[position]
        except DOMAIN_ERRORS:
            return True
        slack = 2.0 * abs(float(nudged) - claim)
        return not abs(claim - slope.value) <= tolerance + min(slack, 0.5 * abs(slope.value))

    def first_kink(self) -> str:
        """The first node on a kink, or the first comparison that is a tie, in words."""
        if self.kinks:
            return f"{written(self.kinks[0])} sits on its kink"
        tie = next(comparison for comparison in self.recording.comparisons if comparison.is_tie())
        return f"the comparison of {_shown(tie.left)} with {_shown(tie.right)} is a tie"

    def at_kinks(self) -> set[int]:
        """The positions of the leaves on which a node on a kink, or a tied comparison, hangs."""
        sources: set[Value] = set(self.kinks)
        for comparison in self.recording.comparisons:
            if comparison.is_tie():
                sources.update(side for side in (comparison.left, comparison.right)
                               if isinstance(side, Value))
        if not sources:
            return set()
        above = set(topological_order(*sources))
        return {i for i, leaf in enumerate(self.recording.leaves) if leaf in above}

    def dependents(self, leaf: Value) -> set[Value]:
        """The nodes that depend on a leaf, itself included."""
        return dependents(self.order, [leaf])

    def adjoints(self, output: Operand) -> Adjoints:
        """An output's derivatives, multiplied and added up from the numerical local slopes."""
        slope: dict[Value, float] = dict.fromkeys(self.order, 0.0)
        error, size = dict(slope), dict(slope)
        if isinstance(output, Value):
            slope[output] = size[output] = 1.0
        for node in reversed(self.order):
            if node.op is None or not (size[node] or error[node]):
                continue
            for parent, local in zip(node.parents, self.slopes[node], strict=True):
                if local is not None and isinstance(parent, Value):
                    steep = abs(local.value)
                    slope[parent] += slope[node] * local.value
                    error[parent] += (error[node] * steep + (
                        (error[node] + abs(slope[node])) * local.error
                        if error[node] or slope[node] else 0.0))
                    size[parent] += size[node] * steep
        leaves = self.recording.leaves
        return Adjoints([slope.get(leaf, 0.0) for leaf in leaves],
                        [error.get(leaf, 0.0) for leaf in leaves],
                        [size.get(leaf, 0.0) for leaf in leaves])

    def is_blurred(self) -> bool:
        """Whether rounding alone moves a node by more than half its size (or by more than 1/2)."""
        return any(self.errors[node] > max(0.5, 0.5 * abs(node.data)) for node in self.order)

    def noise(self) -> list[float]:
        """For each output a bound on its rounding error."""
        return [self.errors[o] if isinstance(o, Value) else 0.0 for o in self.recording.outputs]
