"""What a ``with`` block switches on: no_grad, scopes of names, and what transforms need.

A transform records also within ``no_grad()``, and has to know of every bare number that was asked
for: a function that catches that error, and goes on, has lost a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, TypeVar

from autograd.core.context import State, Switch, here, listeners_on, switched_on
from autograd.core.listeners import listener_here

F = TypeVar("F", bound=Callable[..., Any])


class no_grad(Switch, ContextDecorator):
    """Inside, operations compute numbers and record nothing, in this thread or asyncio task.

    ``with no_grad(): ...``, or ``@no_grad()`` on a function.

    Raises:
        TypeError: for a decorated generator or coroutine, which runs when the block has ended.
        RecordingError: inside a function that ``jit`` or ``vmap`` records.
    """

    __slots__ = ()

    def __init__(self, function: None = None) -> None:
        if function is not None:
            raise TypeError("no_grad takes no argument; write @no_grad() above a function, or "
                            "with no_grad(): ...")

    def __call__(self, function: F) -> F:
        """The function, that records nothing."""
        if any(runs_later(function) for runs_later in (
                isgeneratorfunction, iscoroutinefunction, isasyncgenfunction)):
            raise TypeError(f"@no_grad() would end before {function.__name__} begins, which is a "
                            "generator or a coroutine; write with no_grad(): ... inside of it")
        return super().__call__(function)

    def applied(self, before: State, life: Any) -> State:
        """The state in which nothing is recorded."""
        state = before.entered(life)
        state.recording = False
        return state

    def __enter__(self) -> None:
        if listeners_on and (listener := listener_here()) is not None:
            listener.refuse("no_grad() would freeze the numbers computed inside; leave it out, or "
                            "use it around the call")
        super().__enter__()

    def _recreate_cm(self) -> no_grad:
        return no_grad()


class recording(Switch):
    """Inside, operations record, also within ``no_grad()``: transforms need their graphs.

    Args:
        refusals: takes what was said to whoever asked for a bare number that has a gradient.
    """

    __slots__ = ("refusals",)

    def __init__(self, refusals: list[str] | None = None) -> None:
        self.refusals = refusals

    def applied(self, before: State, life: Any) -> State:
        """The state in which a transform has called a function."""
        state = before.entered(life)
        state.recording = state.transforms = True
        return state


class taking_indices(Switch):
    """Inside, a compiled function runs: ``int(v)`` is a decision of it, such as an index."""

    __slots__ = ()

    def applied(self, before: State, life: Any) -> State:
        """The state in which a Value may be an index."""
        state = before.entered(life)
        state.takes_indices = True
        return state


class noting(recording):
    """Inside, refusals are noted, and nothing else is otherwise than around it."""

    __slots__ = ()

    def applied(self, before: State, life: Any) -> State:
        """The state with one more to be told."""
        return before.entered(life)


def is_transforming() -> bool:
    """Whether a transform has called the function that is running here: it needs its graph."""
    return bool(switched_on) and here().transforms


class name_scope(Switch):
    """Nodes made inside belong to the scope; scopes nest, and drawings cluster by them.

    ``with name_scope("layer 1"): ...``

    Args:
        name: a non-empty text.

    Raises:
        TypeError: for any other name.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"a scope's name must be a non-empty text, not {name!r}")
        self.name = name

    def applied(self, before: State, life: Any) -> State:
        """The state in the scope."""
        state = before.entered(life)
        state.scope = (*before.scope, self.name)
        return state


# --- bare numbers that were asked for -------------------------------------------------------------

def refusal(message: str) -> TypeError:
    """An error that must not be swallowed: every transform at work is told."""
    for entry in here().entries if switched_on else ():
        switch = entry.switch()
        if isinstance(switch, recording) and switch.refusals is not None:
            switch.refusals.append(message)
    return TypeError(message)


def refuse_lost_gradients(refusals: list[str]) -> None:
    """End a transform: a function that caught such an error has lost a gradient all the same.

    Args:
        refusals: what :class:`recording` was given.

    Raises:
        TypeError: if a bare number was asked for while it was on.
    """
    if refusals:
        raise TypeError(f"{refusals[0]} (the function caught this error and went on, but no "
                        "gradient of what it returned would be right)")


@contextmanager
def refusals_apart() -> Iterator[None]:
    """Inside, refusals are of calls that no transform at work has made, and none is told."""
    told = [switch.refusals for entry in (here().entries if switched_on else ())
            if isinstance(switch := entry.switch(), recording) and switch.refusals is not None]
    counts = [len(refusals) for refusals in told]
    try:
        yield
    finally:
        for refusals, count in zip(told, counts, strict=True):
            del refusals[count:]
