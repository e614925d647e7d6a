"""Who is told of what a function does beside arithmetic: recordings, checks, logs.

``switched_on`` and ``listeners_on`` of :mod:`.context` are empty nearly always; whoever tells a
listener looks there first, which costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd.core.context import State, Switch, here, listeners_on

if TYPE_CHECKING:
    from autograd.core.primitive import Primitive
    from autograd.core.value import Operand, Value


class Listener:
    """What has to know what a function does beside arithmetic; it hands on to the one outside.

    ``with listening(listener): ...`` tells it of everything that this thread or task does.

    Attributes:
        outer: the one outside.
        writes_programs: whether it writes down the operations, to repeat them on other numbers.
        selects: whether ``np.where`` by a comparison of arrays may be an operation, and no branch.
    """

    outer: Listener | None = None
    writes_programs = False
    selects = False

    def compared(self, relation: str, a: Value, b: Operand, outcome: bool) -> None:
        """A comparison came out so."""
        if self.outer is not None:
            self.outer.compared(relation, a, b, outcome)

    def selected(self) -> None:
        """A choice by a comparison of arrays has become a row."""
        if self.outer is not None:
            self.outer.selected()

    def deviated(self) -> None:
        """Something is computed in another way than where nobody writes a program."""
        if self.outer is not None:
            self.outer.deviated()

    def read(self, node: Value) -> None:
        """The bare number of a node was read."""
        if self.outer is not None:
            self.outer.read(node)

    def edited(self, node: Value) -> None:
        """The number of a leaf is about to be set."""
        if self.outer is not None:
            self.outer.edited(node)

    def computed(self, node: Value) -> None:
        """An operation was computed, other than the quick forms of + - *, which cannot fail."""
        if self.outer is not None:
            self.outer.computed(node)

    def failed(self, primitive: Primitive, operands: tuple[Operand, ...]) -> None:
        """An operation is not defined there: an error is about to be raised."""
        if self.outer is not None:
            self.outer.failed(primitive, operands)

    def refuse(self, what: str) -> None:
        """Something was called that no replay could do again: raise an error that says so."""
        if self.outer is not None:
            self.outer.refuse(what)


# Who is told what threads do in which nobody listens: a function that is recorded may have started
# them. Set by whoever records; None while nobody does.
eavesdropper: Listener | None = None


def listener_here() -> Listener | None:
    """Who is told what happens in this thread or task. Ask only while ``switched_on``."""
    return here().listener or eavesdropper


def program_writer() -> Listener | None:
    """Who writes down as a program what is computed here, if anybody does."""
    listener = listener_here() if listeners_on else None
    while listener is not None and not listener.writes_programs:
        listener = listener.outer
    return listener


class listening(Switch):
    """Inside, a listener is told; whatever it does not take goes to the one outside."""

    __slots__ = ("_listener",)

    is_listener = True

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        if listeners_on:
            listener.outer = listener_here()

    def applied(self, before: State, life: Any) -> State:
        """The state in which the listener is told."""
        state = before.entered(life)
        state.listener = self._listener
        return state
