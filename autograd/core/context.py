"""What is switched on for one thread or asyncio task: no_grad, scopes, transforms, recorders.

Each belongs to whoever entered it. A ``with`` block that ends without its ``__exit__`` (Ctrl-C can
strike there) leaves nothing switched on: a switch holds for as long as the object that is entered
lives, and the object dies with the block.

While nothing is switched on anywhere, nobody has to look: ``switched_on`` is empty then.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from typing import Any, NamedTuple

# A token for each switch that is on in any thread or task; the quick check that there may be one.
switched_on: dict[object, None] = {}
_deaths = 0  # how many objects died without their __exit__


class Entry(NamedTuple):
    """One switch."""

    token: object
    owner: weakref.ref[Switch]
    kind: str
    what: Any


class State:
    """All switches of a thread or task, and what follows from them.

    Attributes:
        recording: whether operations record.
        scope: the names of the name scopes, outermost first.
        transforms: whether a transform has called the function that is running.
        listener: who is told what a function does, None if nobody.
        moment: a place for what ``value`` makes of the scope.
    """

    __slots__ = ("deaths", "entries", "listener", "moment", "recording", "scope", "transforms")

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        self.deaths = _deaths
        self.entries = entries
        self.recording, self.transforms, self.listener = True, False, None
        self.moment: Any = None
        scope: list[str] = []
        for _, _, kind, what in entries:
            if kind == "scope":
                scope.append(what)
            elif kind == "recording":
                self.recording = what
            elif kind == "transform":
                self.recording = self.transforms = True
            else:
                self.listener = what
        self.scope = tuple(scope)


_state: ContextVar[State] = ContextVar("autograd")
_ordinary = State(())


def here() -> State:
    """The state of the thread or task that asks."""
    state = _state.get(_ordinary)
    if state.deaths != _deaths:
        state = State(tuple(entry for entry in state.entries if entry.owner() is not None))
        _state.set(state)
    return state


class Switch:
    """Switches something on inside a ``with`` block; may be entered again, and by other threads.

    Args:
        kind: "recording", "transform", "scope" or "listener".
        what: for recording on or off, the scope's name, the listener.
    """

    __slots__ = ("__weakref__", "_kind", "_what")

    def __init__(self, kind: str, what: Any = None) -> None:
        self._kind, self._what = kind, what

    def __enter__(self) -> None:
        token = object()

        def died(_: object) -> None:
            global _deaths
            switched_on.pop(token, None)
            _deaths += 1

        switched_on[token] = None  # first of all: whoever sees none looks no further
        entry = Entry(token, weakref.ref(self, died), self._kind, self._what)
        _state.set(State((*here().entries, entry)))

    def __exit__(self, *error: object) -> None:
        entries = here().entries
        for i in range(len(entries) - 1, -1, -1):
            if entries[i].owner() is self:
                _state.set(State(entries[:i] + entries[i + 1:]))
                switched_on.pop(entries[i].token, None)
                return
