"""Walking the graph without recursion: order, leaves, edges, stale nodes, kinks, name scopes."""

from __future__ import annotations

import gc
import math
import operator
import os
import sys
import threading
import weakref
from collections.abc import Sequence
from typing import ClassVar

from autograd.core.call import Call
from autograd.core.value import Operand, Value, describe, name_scope, numbers


def topological_order(*roots: Value) -> list[Value]:
    """All nodes that the roots were computed from, each after its parents, roots included.

    The order is that of a depth-first walk, left operands first: the same program gives the same
    order in every run.

    Args:
        roots: the nodes to begin at.
    """
    order: list[Value] = []
    seen: set[Value] = set()
    calls: set[Call] = set()  # whose operands are in order, or above their results on the stack
    stack: list[Value | None] = list(reversed(roots))
    push, pop, done, see = stack.append, stack.pop, order.append, seen.add
    while True:  # not "while stack": the loops that Python 3.11 speeds up end in a plain jump
        if not stack:
            return order
        node = pop()
        if node is None:  # the parents of the node below this mark are all in order
            done(pop())  # type: ignore[arg-type]
        elif node not in seen:
            see(node)
            if node.op is None:
                done(node)
                continue
            left, right = node._left, node._right
            if left.__class__ is tuple:  # the operands of an n-ary op
                push(node)
                push(None)
                for parent in reversed(left):
                    if parent.__class__ is Value and parent not in seen:
                        push(parent)
            elif left.__class__ is Value and left not in seen:
                push(node)
                push(None)
                if right.__class__ is Value and right not in seen:
                    push(right)
                push(left)
            elif left.__class__ is Call:
                if left in calls:
                    done(node)
                    continue
                calls.add(left)
                push(node)
                push(None)
                for parent in reversed(left.inputs):
                    if parent.__class__ is Value and parent not in seen:
                        push(parent)
            elif right.__class__ is Value and right not in seen:
                push(node)
                push(None)
                push(right)
            else:
                done(node)


class _Alarm(weakref.ref["collector_at_rest"]):
    """Lets the collector work again when the object dies, where Ctrl-C has struck at the door.

    No Python runs then, in which the next Ctrl-C could strike and be swallowed.
    """

    __slots__ = ()
    ring = staticmethod(gc.enable)


_ring = operator.methodcaller("ring")


class collector_at_rest:
    """Inside, Python does not look for cycles: graphs have none, and millions of nodes."""

    # Of those that have put it to rest, each with the thread.
    alarms: ClassVar[dict[int, tuple[_Alarm, int]]] = {}

    def __enter__(self) -> None:
        self._was_at_work = gc.isenabled()
        if self._was_at_work:
            self.alarms[id(self)] = _Alarm(self, _ring), threading.get_ident()
        gc.disable()

    def __exit__(self, *error: object) -> None:
        if self._was_at_work:
            gc.enable()
            self._was_at_work = False
            self.alarms.pop(id(self), None)


def _wake_up() -> None:
    """In a forked child, whose thread is the only one, nobody else ends the rest."""
    here, alarms = threading.get_ident(), collector_at_rest.alarms
    if any(alarm() is not None and thread != here for alarm, thread in alarms.values()):
        gc.enable()
    alarms.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_wake_up)


class onlooker_at_rest:
    """Inside, the profile hook of a recording sees nothing: all that runs is known to be pure.

    Such a hook has an attribute ``rests``; other people's stay at work.
    """

    def __enter__(self) -> None:
        hook = sys.getprofile()
        self._hook = hook if hasattr(hook, "rests") else None
        if self._hook is not None:
            sys.setprofile(None)

    def __exit__(self, *error: object) -> None:
        if self._hook is not None:
            sys.setprofile(self._hook)


def leaves(*roots: Value) -> list[Value]:
    """The leaves (nodes without operands) that the roots were computed from, in order.

    Args:
        roots: the nodes to begin at; a leaf among them counts.
    """
    return [node for node in topological_order(*roots) if node.op is None]


def edges(*roots: Value) -> list[tuple[Operand, Value, int]]:
    """(operand, node, position) for each operand of each node, constants included, in order.

    Args:
        roots: the nodes to begin at.
    """
    return [(parent, node, position) for node in topological_order(*roots)
            for position, parent in enumerate(node.parents)]


def refuse_stale(order: Sequence[Value]) -> list[Value]:
    """The leaves of an order, none of which was edited after a node was computed from it.

    Raises:
        ValueError: when one was; it names the leaf and the node.
    """
    leaves: list[Value] = []
    made = oldest = order[-1]._made if order else None
    for node in order:
        if node.op is None:
            leaves.append(node)
        elif node._made is not made:  # neighbours mostly share their Moment
            made = node._made
            if oldest is None or made.clock < oldest.clock:
                oldest = made
    if oldest is not None and any(leaf._made.clock > oldest.clock for leaf in leaves):
        _name_stale(order)
    return leaves


def _name_stale(order: Sequence[Value]) -> None:
    for node in order:
        for position, parent in enumerate(node.parents):
            if (parent.__class__ is Value and parent.op is None
                    and parent._made.clock > node._made.clock):
                raise ValueError(
                    f"leaf {describe(parent)} was edited after operand {position} of "
                    f"{describe(node)} was computed from it, so the graph holds the gradient of "
                    "numbers that are gone; compute the graph again after the edit")


def kink_distance(node: Value) -> float:
    """The signed distance of a node's operands from its nearest kink; inf if it has none.

    It is relative to the size of the operands; 0.0 says that the node sits on its kink.
    """
    if node.op is None or node.op.kink is None:
        return math.inf
    operands = numbers(node.parents)
    distance = node.op.kink(*operands)
    size = max(map(abs, operands), default=0.0)
    return distance / max(1.0, size) if math.isfinite(size) else distance


def kinks(root: Value, tolerance: float = 1e-9) -> list[Value]:
    """The nodes under the root that sit on a kink or nearer than the tolerance to it.

    Raises:
        ValueError: when a leaf was edited after it was used.
    """
    order = topological_order(root)
    refuse_stale(order)
    return [node for node in order if abs(kink_distance(node)) <= tolerance]


def scope_of(node: Value) -> tuple[str, ...]:
    """The names of the scopes that a node was made in, outermost first.

    Args:
        node: a Value; one that was made in no ``name_scope`` gives ().
    """
    return node._made.scope


__all__ = [
    "edges", "kink_distance", "kinks", "leaves", "name_scope", "scope_of", "topological_order",
]
