"""Locks that a forked child finds open, whoever held them in the parent."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

_locks: weakref.WeakSet[Any] = weakref.WeakSet()


def lock(reentrant: bool = False) -> Any:
    """A lock that guards what a child may find half done: it makes it anew, or does not need it.

    Args:
        reentrant: whether the thread that holds it may take it again.
    """
    made = threading.RLock() if reentrant else threading.Lock()
    opened_in_children(made)
    return made


def opened_in_children(lock: Any) -> None:
    """Let children find a lock open that somebody else has made, if it can be opened."""
    if hasattr(lock, "_at_fork_reinit"):
        _locks.add(lock)


def _open_all() -> None:
    for each in list(_locks):
        each._at_fork_reinit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_all)
