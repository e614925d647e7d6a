"""Domains: where operations raise, and which results do not show that an operand was not finite.

A replay computes as IEEE 754 says: 1/0 is inf there, where Python raises. What reaches a result as
inf or nan is found out at the end; what disappears on the way, as in exp(-1/x), has to be checked.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from autograd.core.call import Call
from autograd.core.primitive import Condition
from autograd.core.primitives import Primitive, div
from autograd.core.primitives import pow as power
from autograd.core.value import Value


def may_raise(row: Primitive) -> bool:
    """Whether there are operands of which the operation is not defined, or overflows."""
    return row.raises != ()


def conditions_of(node: Value) -> tuple[Condition, ...] | None:
    """Where a computed node raises an error, as ``Primitive.raises`` says it.

    That of a power is known where the exponent is: what is too large is inf, and no error.
    """
    assert node.op is not None
    exponent = node._right
    if node.op is not power or exponent.__class__ is not float:
        return node.op.raises
    at_zero: tuple[Condition, ...] = ((0, "==", 0.0),) if exponent < 0.0 else ()
    below: tuple[Condition, ...] = () if exponent.is_integer() else ((0, "<", 0.0),)
    return at_zero + below


def shown_by(results: Sequence[Value], order: Sequence[Value],
             needed: Container[Value], where_chosen: bool = False) -> Container[Any]:
    """The nodes that are finite wherever all results are.

    Args:
        results: computed nodes, or leaves.
        order: the nodes that they were computed from, in topological order.
        needed: these nodes as a set.
        where_chosen: of the operands of a choice, take the one that is chosen.
    """
    if all(op is None or op.transparent for op in {node.op for node in order}):
        return needed
    shown: set[Any] = set(results)
    see = shown.add
    for node in reversed(order):
        op = node.op
        if op is None or node not in shown:
            continue
        left, right = node._left, node._right
        if op.transparent or (where_chosen and op.chooses):
            if left.__class__ is tuple:
                shown.update(left)
            else:
                see(left)
            if right.__class__ is Value:
                see(right)
        elif op is div:
            see(left)  # 1/inf hides the divisor
        elif left.__class__ is Call:
            see(right)  # what it was computed from
    return shown
