"""Whether two calls of a function have computed the same, seen without writing programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from autograd.compiler.program.program import bits_key
from autograd.core.value import Value

if TYPE_CHECKING:
    from autograd.compiler.trace.tracer import Graph


def are_alike(a: Value, b: Value) -> bool:
    """The same leaf, or copies of one that are made at each call."""
    return a is b or (a.label, repr(a._data)) == (b.label, repr(b._data))


def are_same(first: Graph, second: Graph) -> bool:
    """Whether both would be written as the same program, of leaves that are alike.

    Returns:
        True only if so; False, too, for what only the programs can tell.
    """
    if len(first.inputs) != len(second.inputs) or not (
            _have_same_flags(first.comparisons, second.comparisons, 0, 3)
            and _have_same_flags(first.delicate, second.delicate, 1)
            and _have_same_flags(first.gated, second.gated)
            and len(first.computed) == len(second.computed)):
        return False
    pairs = [*zip(first.computed, second.computed, strict=True),
             *zip(first.gated, second.gated, strict=True),
             *(pair for a, b in zip(first.comparisons, second.comparisons, strict=True)
               for pair in ((a[1], b[1]), (a[2], b[2]))),
             *((a[0], b[0]) for a, b in zip(first.delicate, second.delicate, strict=True))]
    return _correspond(pairs, first, second)


def _have_same_flags(first: Iterable[Any], second: Iterable[Any], *places: int) -> bool:
    return [[each[i] for i in places] for each in first] == [
        [each[i] for i in places] for each in second]


def _correspond(pairs: list[tuple[Any, Any]], first: Graph, second: Graph) -> bool:
    """Whether all pairs of nodes and numbers are computed alike, and no node has two partners."""
    partner: dict[Value, Value] = dict(zip(first.inputs, second.inputs, strict=True))
    partner_of, push, pop = partner.get, pairs.append, pairs.pop
    ours, theirs = first.since, second.since
    while pairs:
        a, b = pop()
        if a.__class__ is not Value:
            if a is not b and not _are_equal(a, b):
                return False
            continue
        known = partner_of(a)
        if known is not None:
            if known is not b:
                return False
            continue
        if b.__class__ is not Value or a.op is not b.op:
            return False
        partner[a] = b
        if a.op is None or a._made.clock < ours:
            if not _are_same_leaves(a, b, first, second):
                return False
        elif b._made.clock < theirs:
            return False
        elif a._left.__class__ is not tuple:
            push((a._left, b._left))
            if a._right is not None or b._right is not None:
                push((a._right, b._right))
        elif b._left.__class__ is tuple and len(a._left) == len(b._left):
            pairs += zip(a._left, b._left, strict=True)
        else:
            return False
    return True


def _are_equal(a: Any, b: Any) -> bool:
    """Whether two numbers have the same bits; calls of functions of arrays are left to programs."""
    return a.__class__ is b.__class__ is float and bits_key(a) == bits_key(b)


def _are_same_leaves(a: Value, b: Value, first: Graph, second: Graph) -> bool:
    """Whether two nodes are the same constant, or the same leaf from outside."""
    if a.op is None and not first.since <= a._made.clock < first.until:
        return not second.since <= b._made.clock < second.until and are_alike(a, b)
    is_old = a.op is not None
    if is_old:
        return b._made.clock < second.since and bits_key(a._data) == bits_key(b._data)
    return second.since <= b._made.clock < second.until and bits_key(a._data) == bits_key(b._data)
