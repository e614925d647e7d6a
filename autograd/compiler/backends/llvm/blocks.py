"""A kernel's rows cut into blocks, which several threads compute.

How many rows a block has depends on the program and on how many rows there are, and on nothing
else: not on the number of threads. One thread computes the same blocks, one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.backends.llvm.blocks_codegen import WORDS
from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.team import Team, address, functions, words
from autograd.compiler.backends.threads import allowed, limit_said
from autograd.core.typing import Array

# Work is counted in operands: one of one row takes some 0.1 ns, and where functions of the C
# library are called, up to 2 ns.
BLOCK = 500_000  # of a block
SUMS = 1024  # of a block, for each sum that it leaves: those are cleared, written and added up
WORTH_IT = 3_000_000  # of a call that is cut; to wake other threads takes up to 80 us
INTERRUPTIBLE = 100_000_000  # in one call of machine code: 10 to 200 ms, then Ctrl-C is heard
ROWS = 64  # a block has a multiple of these: whole registers of every kernel
MOST_SUMS = 1 << 24  # numbers of all blocks' sums together: 128 MB
MOST_MEMORY = 1 << 25  # numbers of all threads' memory together: 256 MB

_FOUND = WORDS.index("found")


class Share(NamedTuple):
    """What of a kernel decides how its rows are cut into blocks.

    Attributes:
        address: of the kernel's function.
        work: operands of its program.
        n_sums: numbers that it leaves as sums.
        n_memory: numbers of memory that a thread needs to run it.
        width: rows that go through it side by side.
        n_pieces: how many threads have something to do when the rows are not cut.
    """

    address: int
    work: int
    n_sums: int
    n_memory: int
    width: int
    n_pieces: int = 1

    def block(self, n: int) -> int:
        """The rows of a block, of n rows in all."""
        if n * self.work < WORTH_IT:
            return max(n, 1)  # all of them
        rows = max(BLOCK, SUMS * self.n_sums) // max(1, self.work)
        if self.n_sums:
            rows = max(rows, -(-n * self.n_sums // MOST_SUMS))
        return -(-max(rows, 1, self.width) // ROWS) * ROWS

    def threads(self, n: int, wanted: int | None) -> int:
        """How many threads n rows are worth, when so many are wanted.

        Raises:
            ValueError: when CHAINRULE_THREADS is no number of threads.
        """
        n_blocks = -(-n // self.block(n))
        if n_blocks < 2:
            return 1
        return max(1, min(allowed(wanted), n_blocks, MOST_MEMORY // max(1, self.n_memory)))

    def why_one_thread(self, n: int, wanted: int | None) -> str:
        """Why one thread computes n rows, when so many are wanted; "" where several do."""
        if self.threads(n, wanted) > 1:
            return ""
        if self.block(n) >= n:
            return f"one thread computes {n:,} such rows as soon as several would"
        return limit_said(wanted) or "each thread would need too much memory"

    def needs_cuts(self, n: int, threads: int) -> bool:
        """Whether n rows are not simply computed at one go by so many threads.

        Without sums, the bits of that would be the same.
        """
        return n > self.block(n) and (
            threads > 1 or self.n_sums > 0 or n * self.work > INTERRUPTIBLE)


class Crew(Team):
    """The threads that work on a kernel's rows in one call, or in the steps of one training.

    Args:
        share: of the kernel.
        n: the most rows.
        arguments: the words of the kernel's call.
        memories: of each thread, the caller's first.
        columns: the rows' numbers, each an array of shape (n,), which are to be copied; none where
            they are in their place.
        n_checked: how many lines of results are to be looked through for inf and nan.
        kept: as for ``Team``.

    Attributes:
        arguments: words with which :func:`spread_address` is called.
    """

    def __init__(self, share: Share, n: int, arguments: Array, memories: Sequence[Array],
                 columns: Sequence[Array] = (), n_checked: int = 0, kept: Any = None) -> None:
        block = share.block(n)
        partial = np.empty(-(-n // block) * share.n_sums)
        places = np.array([(column.__array_interface__["data"][0], column.strides[0])
                           for column in columns], dtype=np.int64)
        super().__init__(memories, (kept, partial, places, columns))
        others = words(WORDS[len(KERNEL_WORDS):], {
            "kernel": share.address, "width": share.width, "block": block, "partial": partial,
            "n_sums": share.n_sums, "columns": places, "n_columns": len(places),
            "n_checked": n_checked})
        self.arguments = np.concatenate([arguments, others])
        self.arguments[KERNEL_WORDS.index("team")] = self.address
        self._steps = max(1, INTERRUPTIBLE // max(1, block * share.work))

    def run(self) -> bool:
        """Compute all blocks once; between some of them Ctrl-C is heard.

        Returns:
            Whether the lines that are looked through are finite, all of them.
        """
        code, place = functions(), address(self.arguments)
        self.work(lambda: code.begin(place), lambda: code.finish(place), self._steps)
        return not self.arguments[_FOUND]


def spread_address() -> int:
    """The address of a function that is called as a kernel is, with a Crew's words."""
    return functions().spread
