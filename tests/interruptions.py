"""Ctrl-C at a chosen moment, for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from autograd.core import value


class Interrupted(BaseException):
    """What nobody catches."""


def interrupted_at(step: int, work: Callable[[], Any],
                   interruption: type[BaseException] = Interrupted,
                   locking: Sequence[Callable[..., Any]] = (value._advanced, value._edit)) -> bool:
    """Do some work that is interrupted before the line or call of that number; was it reached?

    Args:
        step: the number.
        work: what to do.
        interruption: what is raised.
        locking: functions that hold a lock, and are not interrupted themselves; what they call is.
    """
    steps, held = iter(range(step)), {function.__code__ for function in locking}
    told: list[str] = []  # of what a finalizer or a callback of the collector raised
    reached = False

    def hear(unraisable: Any) -> None:
        told.append(repr(unraisable.exc_type))  # and no frames, which would hold what they hold

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal reached
        if frame.f_code in held or frame.f_globals.get("__name__") == "threading":
            # Between the last line of a with block and its end Python tells a trace function, but
            # handles no signal: a lock that is held there is not left behind by Ctrl-C.
            return trace
        # The collector may call Python while Python is about to call this: then it is still called.
        if not reached and event in ("call", "line", "return") and next(steps, None) is None:
            sys.settrace(None)
            reached = True
            raise interruption
        return trace

    before = sys.unraisablehook
    try:
        sys.unraisablehook = hear
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(None)
            sys.unraisablehook = before
    except interruption:
        return True
    assert not reached or told, "somebody has swallowed the interruption"
    return reached
