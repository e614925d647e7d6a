"""What a peer hands to the worker that times it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Job(NamedTuple):
    """One peer's side of one benchmark.

    Args:
        call: what is timed, again and again.
        units: how many units (training steps, epochs, evaluations) one call does.
        first: what leads to the first result, if that is not a call.
        answer: turns what ``first`` returned into the numbers to be compared: a sequence of groups
            of numbers. None takes it as it is.
        setup: a call whose time is inside that of ``call`` and is subtracted from it.
        accuracy: trains on, and returns the share of held-out rows that is answered rightly.
    """

    call: Callable[[], Any]
    units: int = 1
    first: Callable[[], Any] | None = None
    answer: Callable[[Any], Any] | None = None
    setup: Callable[[], Any] | None = None
    accuracy: Callable[[], float] | None = None
