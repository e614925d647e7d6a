"""A kernel that is interpreted while its machine code is being made.

LLVM takes more than a second for a long program without loops. The interpreter is there at once and
computes the same bits, so nobody has to wait.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

from autograd.compiler.backends.interface import InMemory
from autograd.core.forking import lock


class SwappingKernel(InMemory):
    """Calls the first kernel until the second is made, in a thread of its own.

    A forked child has no such thread: it goes on with the first kernel, and starts one of its own
    at its first call.

    Args:
        first: the kernel to begin with.
        make: makes the second; what it raises, the next call raises.
    """

    def __init__(self, first: Any, make: Callable[[], Any]) -> None:
        self.kernel = first
        self._first = first
        self._make = make
        self._error: BaseException | None = None
        self._setting = lock()
        self._start()
        _made.add(self)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._swap, name="compiling")
        self._thread.start()

    def _swap(self) -> None:
        try:
            made = self._make()
            with self._setting:
                made.threads = self._first.threads
                self.kernel = made
        except BaseException as error:  # told to the caller, who is in another thread
            self._error = error

    @property
    def threads(self) -> int | None:
        """At most so many compute the rows; None for one for each processor core."""
        threads: int | None = self._first.threads
        return threads

    @threads.setter
    def threads(self, threads: int | None) -> None:
        with self._setting:
            self._first.threads = self.kernel.threads = threads

    @property
    def slower_now(self) -> str:
        """Why it is not as quick yet as it will be; "" once it is."""
        return "LLVM is still at work: so far the program is interpreted" if (
            self.kernel is self._first) else str(getattr(self.kernel, "slower_now", ""))

    def forked(self) -> None:
        """Called in a child process: let the next call see that nobody makes the second kernel."""
        if self.kernel is self._first and self._error is None:
            self._error = _Forked()

    def wait(self) -> None:
        """Return when the second kernel is made."""
        self._look_at_error()
        self._thread.join()
        self._look_at_error()

    def _look_at_error(self) -> None:
        if isinstance(self._error, _Forked):
            self._error = None
            self._start()
        elif self._error is not None:
            raise self._error

    def __call__(self, scalars: Any, rows: Any = None) -> Any:
        """Run it; arguments and results as of the kernels."""
        if self._error is not None:
            self._look_at_error()
        return self.kernel(scalars, rows)

    def point(self, numbers: Any) -> Any:
        """Run it at one point, as the kernels do."""
        if self._error is not None:
            self._look_at_error()
        return self.kernel.point(numbers)

    def finite_point(self, numbers: Any) -> Any:
        """Run it at one point, as the kernels do, and see whether all outputs are finite."""
        if self._error is not None:
            self._look_at_error()
        return self.kernel.finite_point(numbers)

    def few(self, scalars: Any, blocks: Any, n: int) -> Any:
        """Run it on few rows, as the kernels do."""
        if self._error is not None:
            self._look_at_error()
        return self.kernel.few(scalars, blocks, n)


class _Forked(Exception):
    """The thread that was making the second kernel has stayed in the parent."""


_made: weakref.WeakSet[SwappingKernel] = weakref.WeakSet()


def _tell_all() -> None:
    for kernel in list(_made):
        kernel.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_all)
