"""Progress bars, of which a forked child can show its own."""

from __future__ import annotations

from typing import Any

from autograd.core.forking import opened_in_children


def progress_bar(*arguments: Any, **options: Any) -> Any:
    """A bar of tqdm, with its arguments."""
    from tqdm import std  # not until here, so that importing stays light

    # A thread that has just moved its bar on holds this lock for ever in a child.
    opened_in_children(getattr(std.TqdmDefaultWriteLock, "th_lock", None))
    return std.tqdm(*arguments, **options)
