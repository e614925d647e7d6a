"""How many threads may compute at once; and those threads, which are made once and wait for work.

A thread that has work runs machine code, without Python's lock. The number of threads changes no
bit of any result: what they share out are blocks of fixed sizes, see ``llvm.blocks``.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable
from queue import SimpleQueue

from autograd.core.validation import whole

VARIABLE = "CHAINRULE_THREADS"


def checked(threads: int | None) -> int | None:
    """A number of threads that somebody gave; None for one for each processor core.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for less than 1; or when CHAINRULE_THREADS is no number of threads.
    """
    most()
    return None if threads is None else whole(threads, "threads", 1)


def allowed(threads: int | None) -> int:
    """How many threads a call may use that asks for so many; None asks for one for each core.

    Raises:
        ValueError: when CHAINRULE_THREADS is no number of threads.
    """
    limit = most()
    wanted = _cores() if threads is None else threads
    return wanted if limit is None else min(wanted, limit)


def limit_said(threads: int | None) -> str:
    """Why a call that asks for so many threads gets one; "" if it gets more.

    Raises:
        ValueError: when CHAINRULE_THREADS is no number of threads.
    """
    if allowed(threads) > 1:
        return ""
    if threads == 1:
        return "threads=1 was asked for"
    return f"{VARIABLE}=1 was asked for" if most() == 1 else "this process may use one core"


def most() -> int | None:
    """What CHAINRULE_THREADS says, which nobody may exceed; None where it says nothing.

    Raises:
        ValueError: when it is no number of threads.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    if not text.isdecimal() or not int(text):
        raise ValueError(f"{VARIABLE}={text!r} must be a whole number of threads, 1 or more")
    return int(text)


def _cores() -> int:
    """The processor cores that this process may use."""
    if hasattr(os, "process_cpu_count"):  # from Python 3.13 on
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Pool:
    """Threads that wait for work.

    They are none of ``threading``'s, which counts those that may change what a function reads:
    these run no Python but the line that waits and the call of the machine code.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads: list[int] = []

    def enlist(self, count: int, job: Callable[[], None]) -> None:
        """Have a job called by so many threads, by each as soon as it is free."""
        while len(self._threads) < count:  # a few too many where two callers do so at once
            try:
                self._threads.append(_thread.start_new_thread(_serve, (self._jobs,)))
            except RuntimeError:  # the system gives no more: those that there are do the work
                break
        for _ in self._threads[:count]:
            self._jobs.put(job)


def _serve(jobs: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        jobs.get()()


def enlist(count: int, job: Callable[[], None]) -> None:
    """Have a job called by so many other threads, by each as soon as it is free.

    Args:
        count: how many; fewer take part where the system gives no more threads.
        job: raises nothing, and may be called after the work is done: then it returns at once.
    """
    _pool.enlist(count, job)


_pool = _Pool()


def _begin_anew() -> None:
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):  # a child has none of its parent's threads
    os.register_at_fork(after_in_child=_begin_anew)
