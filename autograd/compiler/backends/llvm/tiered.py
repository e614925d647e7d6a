"""A kernel that is interpreted while its machine code is being made.

LLVM takes more than a second for a long program without loops. The interpreter is there at once and
computes the same bits, so nobody has to wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from autograd.compiler.backends.interface import InMemory


class SwappingKernel(InMemory):
    """Calls the first kernel until the second is made, in a thread of its own.

    Args:
        first: the kernel to begin with.
        make: makes the second; what it raises, the next call raises.
    """

    def __init__(self, first: Any, make: Callable[[], Any]) -> None:
        self.kernel = first
        self._make = make
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._swap, name="compiling")
        self._thread.start()

    def _swap(self) -> None:
        try:
            self.kernel = self._make()
        except BaseException as error:  # told to the caller, who is in another thread
            self._error = error

    def wait(self) -> None:
        """Return when the second kernel is made."""
        self._thread.join()
        self._refuse_error()

    def _refuse_error(self) -> None:
        if self._error is not None:
            raise self._error

    def __call__(self, scalars: Any, rows: Any = None) -> Any:
        """Run it; arguments and results as of the kernels."""
        self._refuse_error()
        return self.kernel(scalars, rows)

    def point(self, numbers: Any) -> Any:
        """Run it at one point, as the kernels do."""
        self._refuse_error()
        return self.kernel.point(numbers)
