"""What is switched on for one thread or asyncio task: no_grad, scopes, transforms, listeners.

Each belongs to whoever entered it, and until the block ends to the tasks that were started inside.
A block that ends without its ``__exit__`` (Ctrl-C can strike there) leaves nothing switched on: a
switch holds for as long as the object that is entered lives, and the object dies with the block.

While nothing is switched on anywhere, nobody has to look: ``switched_on`` is empty then.

An interruption can also strike in what Python calls when an object dies, and is swallowed there. So
a death is only put down, by a function of C, in which nothing strikes; whoever looks next does what
follows from it.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

S = TypeVar("S", bound="Switch")

# The lives of the switches that are on in any thread or task, each with the thread; and those of
# them that are listeners. Whether they are empty is the quick check.
switched_on: dict[weakref.ref[Life], int] = {}
listeners_on: dict[weakref.ref[Life], int] = {}
dead: set[weakref.ref[Life]] = set()  # that ended without an __exit__, until somebody looks
_deaths = object()  # another one after each of these
on_death: list[Callable[[], object]] = []  # called after them


class Moment(NamedTuple):
    """When and where a node was made.

    The clock ticks when a leaf is edited, not when a node is made. So all nodes between two
    edits share one Moment, and a leaf younger than its consumer has been edited since.
    """

    clock: int
    scope: tuple[str, ...]


_STALE = Moment(-1, ())


class State:
    """What follows from all switches of a thread or task.

    Attributes:
        recording: whether operations record.
        scope: the names of the name scopes, outermost first.
        transforms: whether a transform has called the function that is running.
        listener: who is told what a function does, None if nobody.
        moment: of the nodes that are made here; stale once the clock has ticked.
        entries: the switches, in the order in which they were entered, each with the state that
            was before it.
        is_ieee: whether operations give nan and inf where they are not defined.
        is_gated: whether what is computed counts on a condition alone.
        takes_indices: whether ``int(v)`` is an index, by which a compiled function decides.
        deaths: the mark of the latest deaths when this was put together.
    """

    __slots__ = ("deaths", "entries", "is_gated", "is_ieee", "listener", "moment", "recording",
                 "scope", "takes_indices", "transforms")

    def __init__(self, entries: tuple[Entry, ...] = (), recording: bool = True,
                 scope: tuple[str, ...] = (), transforms: bool = False,
                 listener: Any = None, is_ieee: bool = False,
                 takes_indices: bool = False, is_gated: bool = False) -> None:
        self.entries, self.recording, self.scope = entries, recording, scope
        self.transforms, self.listener, self.is_ieee = transforms, listener, is_ieee
        self.takes_indices, self.is_gated = takes_indices, is_gated
        self.moment = _STALE
        self.deaths = _deaths

    def entered(self, life: weakref.ref[Life]) -> State:
        """The same with one switch more, which may set one of its attributes."""
        return State((*self.entries, Entry(life, self)), self.recording, self.scope,
                     self.transforms, self.listener, self.is_ieee, self.takes_indices,
                     self.is_gated)


class Life:
    """From the beginning of a block to its end, or to the death of the switch, which holds it.

    Whoever has a copy of the state knows it by a weak reference.
    """

    __slots__ = ("__weakref__", "switch")

    def __init__(self, switch: Switch) -> None:
        self.switch = weakref.ref(switch)


class Entry(NamedTuple):
    """One switch that is on, until its life ends."""

    life: weakref.ref[Life]
    before: State

    def switch(self) -> Switch | None:
        """The switch, None if it is not on any more."""
        life = self.life()
        return None if life is None else life.switch()


ORDINARY = State()
_state: ContextVar[State] = ContextVar("autograd", default=ORDINARY)
stored_state = _state.get  # of whoever asks; ``here`` also looks whether all in it still live


def here() -> State:
    """The state of the thread or task that asks."""
    if dead:
        _bury()
    state = stored_state()
    if state.deaths is not _deaths:
        state = _of(state.entries)
        _state.set(state)
    return state


def _of(entries: tuple[Entry, ...]) -> State:
    """The state in which those of the switches are on that still live, in their order."""
    state = State()
    living = [(entry.switch(), entry.life) for entry in entries]  # and stay so meanwhile
    for switch, life in living:
        if switch is not None:
            state = switch.applied(state, life)
    return state


def _bury() -> None:
    """Do what follows from deaths; if that is interrupted, whoever looks next does it again."""
    global _deaths
    found = list(dead)
    for life in found:
        switched_on.pop(life, None)
        listeners_on.pop(life, None)
    _deaths = object()
    for told in on_death:
        told()
    dead.difference_update(found)


class Switch:
    """Switches something on inside a ``with`` block; may be entered again, and by other threads."""

    __slots__ = ("__weakref__", "_lives")

    is_listener = False
    _lives: list[Life]

    def __new__(cls: type[S], *_: object, **__: object) -> S:
        """An object that was not entered yet."""
        self = super().__new__(cls)
        self._lives = []
        return self

    def applied(self, before: State, life: weakref.ref[Life]) -> State:
        """The state with this switched on.

        Args:
            before: the state around the block.
            life: of the entry; the state ends with it.
        """
        raise NotImplementedError

    def __enter__(self) -> None:
        life, thread = Life(self), threading.get_ident()
        # First of all: whoever sees none looks no further. And in one line: a reference has its
        # hash, by which it is put down, once it is a key.
        switched_on[reference := weakref.ref(life, dead.add)] = thread
        if self.is_listener:
            listeners_on[reference] = thread
        self._lives.append(life)
        _state.set(self.applied(here(), reference))

    def __exit__(self, *error: object) -> None:
        entries = here().entries
        for i in range(len(entries) - 1, -1, -1):
            reference, before = entries[i]
            if entries[i].switch() is self:
                is_last = i == len(entries) - 1
                _state.set(before if is_last else _of((*entries[:i], *entries[i + 1:])))
                switched_on.pop(reference, None)
                listeners_on.pop(reference, None)
                life = reference()
                # If no copy of the state is left, nobody has to be told that this life ends.
                del entries, reference, before
                self._lives.remove(life)  # type: ignore[arg-type]
                return


def _forget_other_threads() -> None:
    """In a forked child, which has one thread; what the others had switched on stays on there."""
    for switches in (switched_on, listeners_on):
        for life, thread in list(switches.items()):
            if thread != threading.get_ident():
                del switches[life]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_other_threads)
