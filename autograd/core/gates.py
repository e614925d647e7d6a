"""Adjoints that arrive on a condition: 0 * inf in what was not chosen must not reach the rest.

Of ``where``, ``maximum`` and their like the eager engine hands no adjoint to what was not chosen.
A graph that will be computed again, on other numbers, has to hold the adjoints of all sides. That
of a side that is not chosen is 0 where it enters, and 0 times an infinite slope is nan; so where
such an adjoint meets others, ``where`` takes 0 in place of it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from autograd.core import primitives
from autograd.core.call import Call
from autograd.core.context import Life, State, Switch, here, switched_on
from autograd.core.value import Value, numbers

R = TypeVar("R")
_where: Any = primitives.where
_PRODUCTS = (primitives.mul, primitives.dot, primitives.prod)
LARGE = 1e10  # constants from here on may overflow where they are multiplied
TAME = 16  # a polynomial of this degree does not overflow up to 10**19


class under_gate(Switch):
    """Inside, what is computed counts on a condition alone.

    Args:
        is_open: whether it holds for the numbers at hand; else nothing is undefined.
    """

    __slots__ = ("_is_open",)

    def __init__(self, is_open: bool) -> None:
        self._is_open = is_open

    def applied(self, before: State, life: weakref.ref[Life]) -> State:
        """The state under the gate; whoever wants IEEE's answers anyway is not told of it."""
        state = before.entered(life)
        state.is_gated = before.is_gated or not before.is_ieee
        state.is_ieee = before.is_ieee or not self._is_open
        return state


def is_gated() -> bool:
    """Whether what is computed here counts on a condition alone."""
    return bool(switched_on) and here().is_gated


class Gate:
    """A condition on which an adjoint arrives.

    Attributes:
        is_open: whether it holds for the numbers at hand.
        holds: a Value or float that is not 0 where it holds.
    """

    def __init__(self, choice: Value, is_first: bool, outer: Gate | None) -> None:
        """Within an outer gate, where the choice is not 0; where it is, if it is not the first."""
        self._choice, self._is_first, self._outer = choice, is_first, outer
        self.is_open: bool = (choice._data != 0.0) == is_first and (outer is None or outer.is_open)
        self._holds: Any = choice if is_first and outer is None else None

    @property
    def holds(self) -> Any:
        if self._holds is None:
            within = 1.0 if self._outer is None else self._outer.holds
            self._holds = self._chosen(within)
        return self._holds

    def passed(self, adjoint: Any) -> Any:
        """The adjoint where it arrives, else 0."""
        if self._outer is None:
            return self._chosen(adjoint)
        return _where.apply((self.holds, adjoint, 0.0))

    def _chosen(self, number: Any) -> Any:
        arms = (number, 0.0) if self._is_first else (0.0, number)
        return _where.apply((self._choice, *arms))


class _Either(Gate):
    """Where one of two gates is open."""

    def __init__(self, one: Gate, other: Gate) -> None:
        self._one, self._other = one, other
        self.is_open = one.is_open or other.is_open
        self._holds = None

    @property
    def holds(self) -> Any:
        if self._holds is None:
            self._holds = _where.apply((self._one.holds, 1.0, self._other.holds))
        return self._holds

    def passed(self, adjoint: Any) -> Any:
        return _where.apply((self.holds, adjoint, 0.0))


class Gates:
    """On which conditions the adjoints of a pass arrive.

    Args:
        adjoint: for each node the sum of what has arrived.
    """

    def __init__(self, adjoint: dict[Value, Any]) -> None:
        self._adjoint = adjoint
        self._gates: dict[Any, Gate] = {}  # of nodes that are not reached anyway, and of calls
        self._always: set[Call] = set()  # with a result that is reached in any case
        self._wild: set[Value] = set()  # those whose adjoint may be nan where their gate is shut
        self._degrees: dict[Value, int] = {}

    def of(self, node: Any) -> Gate | None:
        """The condition on which a node is reached, or a call; None where it is in any case."""
        return self._gates.get(node)

    def received(self, node: Value, adjoint: Any, hands_on_once: bool = False) -> Any:
        """What a node hands on: 0 where it is not reached, unless it does so to one operand."""
        if node not in self._wild or hands_on_once:
            return adjoint
        return self._gates[node].passed(adjoint)

    def entered(self, parent: Value, contribution: Any, gate: Gate) -> None:
        """An operand of a choice is reached where it is chosen."""
        self._arrived(parent, contribution, gate, False)

    def handed_on(self, node: Any, parent: Value, contribution: Any, local: Any,
                  was_wild: bool) -> None:
        """An operand is reached where the node is.

        Args:
            node: the node, or a call.
            parent: the operand.
            contribution: its share of the adjoint.
            local: the local derivative; None where it is not known.
            was_wild: whether what was multiplied by it may be nan.
        """
        gate = self._gates.get(node)
        self._arrived(parent, contribution, gate,
                      gate is not None and (was_wild or local is None or not self._is_tame(local)))

    def is_wild(self, node: Value) -> bool:
        """Whether the adjoint of a node may be nan where the node is not reached."""
        return node in self._wild

    def met(self, call: Call, node: Value) -> None:
        """A result of a call has given its adjoint: the call is reached where one of them is."""
        gate = self._gates.get(node)
        before = self._gates.get(call, gate)
        joined = gate if before is gate else _joined(before, gate)
        if joined is None:
            self._always.add(call)
            self._gates.pop(call, None)
        elif call not in self._always:
            self._gates[call] = joined

    def _arrived(self, parent: Value, contribution: Any, gate: Gate | None, wild: bool) -> None:
        adjoint = self._adjoint
        if parent not in adjoint:
            adjoint[parent] = contribution
            if gate is not None:
                self._gates[parent] = gate
                if wild:
                    self._wild.add(parent)
            return
        before = self._gates.get(parent)
        if before is not gate:
            if wild:
                assert gate is not None
                contribution, wild = gate.passed(contribution), False
            if parent in self._wild:
                assert before is not None
                adjoint[parent] = before.passed(adjoint[parent])
                self._wild.discard(parent)
            self._gates.pop(parent, None)
            joined = _joined(before, gate)
            if joined is not None:
                self._gates[parent] = joined
        adjoint[parent] = adjoint[parent] + contribution
        if wild:
            self._wild.add(parent)

    # --- which numbers stay finite ----------------------------------------------------------------

    def _is_tame(self, number: Any) -> bool:
        """Whether a number is finite wherever no input is beyond 10**19."""
        return self._degree(number) <= TAME

    def _degree(self, number: Any) -> int:
        """As a polynomial of which degree in the inputs a number grows; far above if unknown."""
        degrees = self._degrees
        pending = [number] if number.__class__ is Value else []
        while pending:
            node = pending[-1]
            if node in degrees:
                pending.pop()
                continue
            missing = [x for x in node.parents if x.__class__ is Value and x not in degrees]
            if missing and _growth(node) is not None:
                pending += missing
                continue
            degrees[node] = self._of_operands(node)
            pending.pop()
        return self._degree_of(number)

    def _of_operands(self, node: Value) -> int:
        if node.op is None:
            return 1
        growth = _growth(node)
        if growth is None:
            return TAME + 1
        found = [self._degree_of(x) for x in node.parents]
        if node.op is primitives.dot:
            half = len(found) // 2
            total = max(map(int.__add__, found[:half], found[half:]), default=0)
        else:
            total = sum(found) if node.op in _PRODUCTS else growth * max(found, default=0)
        return min(total, TAME + 1)

    def _degree_of(self, number: Any) -> int:
        if number.__class__ is Value:
            return self._degrees[number]
        return 0 if abs(number) < LARGE else TAME + 1


def _joined(one: Gate | None, other: Gate | None) -> Gate | None:
    return None if one is None or other is None else _Either(one, other)


def _growth(node: Value) -> int | None:
    if node.op is None or node.op in _PRODUCTS:
        return 1
    return None if node._left.__class__ is Call else node.op.growth


# --- forward --------------------------------------------------------------------------------------

def reached_from(outputs: Sequence[Any], order: Sequence[Value]) -> dict[Value, bool]:
    """The nodes that count on a condition alone, each with whether it holds for the numbers.

    Args:
        outputs: what counts in any case, Values or floats.
        order: the nodes that they were computed from, in topological order.
    """
    if not any(op is not None and op.chooses for op in {node.op for node in order}):
        return {}
    always = {x for x in outputs if x.__class__ is Value}
    found: dict[Value, bool] = {}
    for node in reversed(order):
        is_open = node in always or found.get(node, False)
        chosen = _chosen(node) if is_open else ()
        chooses = node.op is not None and node.op.chooses
        call = node._left
        parents = call.inputs if call.__class__ is Call else node.parents
        for place, parent in enumerate(parents):
            if parent.__class__ is not Value or parent in always:
                continue
            if node in always and not chooses:
                always.add(parent)
                found.pop(parent, None)
            else:
                is_reached = is_open and (not chooses or chosen[place])
                found[parent] = found.get(parent, False) or is_reached
    return found


def _chosen(node: Value) -> Sequence[bool]:
    """Of the operands of a choice, which are chosen."""
    op, numbers_ = node.op, numbers(node.parents)
    if op is None or not op.chooses:
        return ()
    slopes = op.local_derivatives(numbers_, node._data, [True] * len(numbers_))
    return [slope is not None and slope != 0.0 for slope in slopes]


def under(is_open: bool | None, function: Callable[..., R], *arguments: Any) -> R:
    """What a function gives where it counts on a condition alone; None for in any case."""
    if is_open is None:
        return function(*arguments)
    with under_gate(is_open):
        return function(*arguments)


def pushed_on(node: Value, local: Any, tangent: Any) -> Any:
    """The share of an operand in the tangent of a node: 0 if the operand was not chosen."""
    if node.op is None or not node.op.chooses:
        return times(local, tangent)
    if local.__class__ is not Value:
        return times(local, tangent) if local != 0.0 else 0.0
    return _where.apply((local, times(local, tangent), 0.0))


def times(a: Any, b: Any) -> Any:
    """a * b, without a node for a constant factor of 1 (which changes no bit)."""
    if a.__class__ is float and a == 1.0:
        return b
    if b.__class__ is float and b == 1.0:
        return a
    return a * b


def chosen_between(node: Value) -> Sequence[tuple[Value, Value, bool]]:
    """The arms of a ``where`` whose condition is a Value: each with it, and whether it is first."""
    operands = node._left
    if node.op is not _where or operands[0].__class__ is not Value:
        return ()
    return [(arm, operands[0], is_first) for arm, is_first in
            ((operands[1], True), (operands[2], False)) if arm.__class__ is Value]
