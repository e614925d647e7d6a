"""Copies and pickles of whole graphs, of any depth, without recursion."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from autograd.core.array_primitive import Result
from autograd.core.call import Call
from autograd.core.context import Moment, listeners_on
from autograd.core.graph import topological_order
from autograd.core.value import NOT_COMPUTED, Value, foreign_moment, grad_of, listener_here


def deepcopy(root: Value, memo: dict[int, Any]) -> Value:
    """A copy of the whole graph under the root; nodes that the memo has are shared."""
    for node in topological_order(root):
        if id(node) not in memo:
            is_result = node._left.__class__ is Call  # whose operations are no part of the graph
            memo[id(node)] = twin(node, _copied(node._left, memo),
                                  None if is_result else _copied(node._right, memo))
    copied: Value = memo[id(root)]
    return copied


def twin(node: Value, left: Any, right: Any) -> Value:
    """A node like this one on other operands."""
    _tell(node)
    grad = grad_of(node)
    op = Result(left, node.op.place) if isinstance(node.op, Result) else node.op
    return _restore(node._data, grad, op, left, right, node.label, node._made,
                    grad is NOT_COMPUTED)


def _tell(node: Value) -> None:
    """A copy of a leaf holds a bare number, which a recording has to know."""
    if node.op is None and listeners_on and (listener := listener_here()) is not None:
        listener.read(node)


def _copied(operand: Any, memo: dict[int, Any]) -> Any:
    if operand.__class__ is tuple:
        return tuple(_copied(item, memo) for item in operand)
    if operand.__class__ is Call:
        if id(operand) not in memo:
            memo[id(operand)] = operand.copied(_copied(operand.inputs, memo))
        return memo[id(operand)]
    return memo[id(operand)] if operand.__class__ is Value else operand


def reduce(node: Value) -> tuple[Any, ...]:
    """What pickle stores: the whole graph in topological order, then the node itself.

    Pickle remembers what it has stored, so each node finds its parents stored already and the
    pickle is as deep as one node. Nodes that several roots share stay shared.
    """
    stored_now = _being_stored.get()()
    if node.op is None or (stored_now is not None and node in stored_now.members):
        return _restore, _state(node)
    return _last, (_Ancestors(node), *_state(node))


def _state(node: Value) -> tuple[Any, ...]:
    _tell(node)
    grad = grad_of(node)
    right = None if node._left.__class__ is Call else node._right
    return (node._data, float(grad), node.op, node._left, right, node.label,
            tuple(node._made), grad is NOT_COMPUTED)


def _nobody() -> _Ancestors | None:
    return None


# The list being stored now. A weak reference: a dump that fails leaves nothing switched on.
_being_stored: ContextVar[Callable[[], _Ancestors | None]] = ContextVar(
    "being stored", default=_nobody)


class _Ancestors:
    """All nodes under a root but itself: a list whose items pickle stores one by one.

    Attributes:
        members: these nodes, from when they are stored.
        outside: the list that was being stored before, and will be again.
    """

    def __init__(self, root: Value | None = None) -> None:
        self.root = root
        self.members: frozenset[Value] = frozenset()
        self.outside: Callable[[], _Ancestors | None] = _nobody

    def append(self, node: Value) -> None:
        """Called by pickle when it loads: the node is in its memo, nothing else is needed."""

    def __setstate__(self, state: _End) -> None:
        """Called by pickle when it loads; there is nothing to set."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _Ancestors, (), _End(self), self._nodes()

    def _nodes(self) -> Iterator[Value]:
        assert self.root is not None
        nodes = topological_order(self.root)[:-1]
        self.members, self.outside = frozenset(nodes), _being_stored.get()
        _being_stored.set(weakref.ref(self))
        try:
            yield from nodes
        except GeneratorExit:  # the dump has failed, and whoever did it may live on
            self.ended()
            raise

    def ended(self) -> None:
        """All are stored, or no more will be."""
        if _being_stored.get()() is self:
            _being_stored.set(self.outside)


class _End:
    """Stored after the last ancestor."""

    def __init__(self, ancestors: _Ancestors | None = None) -> None:
        self.ancestors = ancestors

    def __reduce__(self) -> tuple[Any, ...]:
        if self.ancestors is not None:
            self.ancestors.ended()
        return _End, ()


def _last(_: _Ancestors, *state: Any) -> Value:
    return _restore(*state)


def _restore(data: float, grad: float, op: Any, left: Any, right: Any, label: str,
             made: Moment | tuple[Any, ...], unset: bool) -> Value:
    node = Value.__new__(Value)  # new_node forgets the operands inside of no_grad()
    node._data = data
    node.grad = NOT_COMPUTED if unset else grad
    node.op = op
    node._left = left
    node._right = right
    node.label = label
    node._made = made if isinstance(made, Moment) else foreign_moment(*made)
    return node
