"""Ctrl-C at a chosen moment, for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from autograd.core import value


class Interrupted(BaseException):
    """What nobody catches."""


def interrupted_at(step: int, work: Callable[[], Any],
                   interruption: type[BaseException] = Interrupted,
                   locking: Callable[..., Any] = value._advanced) -> bool:
    """Do some work that is interrupted before the line or call of that number; was it reached?

    Args:
        step: the number.
        work: what to do.
        interruption: what is raised.
        locking: a function that holds a lock, and is not interrupted itself; what it calls is.
    """
    steps = iter(range(step))

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code is locking.__code__:
            # Between the last line of a with block and its end Python tells a trace function, but
            # handles no signal: a lock that is held there is not left behind by Ctrl-C.
            return trace
        if event in ("call", "line", "return") and next(steps, None) is None:
            sys.settrace(None)
            raise interruption
        return trace

    try:
        sys.settrace(trace)
        try:
            work()
        finally:
            sys.settrace(None)
    except interruption:
        return True
    return False
