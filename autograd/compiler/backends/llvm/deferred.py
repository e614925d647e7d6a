"""A kernel that is compiled only when it is called so often that this pays.

LLVM takes as long for a short program as thousands of calls of its machine code. Until a program
was called so often that compiling it would have taken no longer, it is computed in Python, with the
same bits. What decides is the number of calls, and no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.compiler.backends.interface import InMemory
from autograd.core.forking import lock

# Hundreds of nanoseconds: what LLVM takes for any program, and for an instruction, of which a
# program that is longer has loops; a call takes one of these more for each without machine code.
COMPILING, EACH, LOOPS = 120_000, 600, 800
MOST = 5_000  # calls; of the shortest programs machine code is hardly quicker


def calls_before(length: int) -> int:
    """How many calls of a program of so many instructions take as long as to compile it."""
    return min(MOST, (COMPILING + EACH * min(length, LOOPS)) // max(length, 1))


class DeferredKernel(InMemory):
    """Calls the first kernel some times, then makes the second and calls that.

    Args:
        first: the kernel to begin with, for one point.
        make: makes the second, which has the same bits; the call that it is made for, raises what
            it raises, and the next one tries again.
        calls: how many calls the first one gets.

    Attributes:
        final: the second kernel; None while there is none.
    """

    def __init__(self, first: Any, make: Callable[[], Any], calls: int) -> None:
        self.final: Any = None
        self.calls = calls
        self._left = calls
        self._first: Any = first
        self._make: Any = make
        self._making = lock(reentrant=True)  # Ctrl-C may strike between taking it and the next line

    def _next(self) -> Any:
        """The kernel for one more call."""
        self._left -= 1  # threads may count one for two
        if self._left < 0 and self.final is None and self._making.acquire(blocking=False):
            try:
                if self.final is None:
                    self.final = self._make()
                    self._first = self._make = None
            finally:
                self._making.release()
        return self.final

    def __call__(self, scalars: Any, rows: Any = None) -> Any:
        """Run it; arguments and results as of the kernels."""
        first = self._first
        return (self._next() or first)(scalars, rows)

    def point(self, numbers: Any) -> Any:
        """Run it at one point, as the kernels do."""
        first = self._first
        return (self._next() or first).point(numbers)

    def finite_point(self, numbers: Any) -> Any:
        """Run it at one point, as the kernels do, and see whether all outputs are finite."""
        first = self._first
        return (self._next() or first).finite_point(numbers)
