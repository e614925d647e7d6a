"""A kernel's rows cut into blocks, which several threads compute.

How many rows a block has depends on the program and on how many rows there are, and on nothing
else: not on the number of threads. One thread computes the same blocks, one after the other.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd.compiler.backends.interface import InMemory
from autograd.compiler.backends.llvm.blocks_codegen import ALL, WORDS, sharing
from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.threads import allowed, enlist
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
NAP = 1e-4  # seconds, of a thread that has waited for work for long

_TICKETS, _OVER, _FOUND = (WORDS.index(name) for name in ("tickets", "over", "found"))
R = TypeVar("R")


class Share(NamedTuple):
    """What of a kernel decides how its rows are cut into blocks.

    Attributes:
        address: of the kernel's function.
        work: operands of its program.
        n_sums: numbers that it leaves as sums.
        n_memory: numbers of memory that a thread needs to run it.
        width: rows that go through it side by side.
    """

    address: int
    work: int
    n_sums: int
    n_memory: int
    width: int

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

    def needs_cuts(self, n: int, threads: int) -> bool:
        """Whether n rows are not simply computed at one go by so many threads.

        Without sums, the bits of that would be the same.
        """
        return n > self.block(n) and (
            threads > 1 or self.n_sums > 0 or n * self.work > INTERRUPTIBLE)


class Crew(InMemory):
    """The threads that work on a kernel's rows in one call, or in the steps of one training.

    Args:
        share: of the kernel.
        n: the most rows.
        arguments: the words of the kernel's call.
        memories: of each thread, the caller's first.
        columns: the rows' numbers, each an array of shape (n,), which are to be copied; none where
            they are in their place.
        n_checked: how many lines of results are to be looked through for inf and nan.
        kept: what owns the memory that the arguments point to. Other threads may be at it still
            when Ctrl-C has ended a call.
    """

    def __init__(self, share: Share, n: int, arguments: Array, memories: Sequence[Array],
                 columns: Sequence[Array] = (), n_checked: int = 0, kept: Any = None) -> None:
        block = share.block(n)
        partial = np.empty(-(-n // block) * share.n_sums)
        places = np.array([(column.__array_interface__["data"][0], column.strides[0])
                           for column in columns], dtype=np.int64)
        others = words(WORDS[len(KERNEL_WORDS):], {
            "kernel": share.address, "width": share.width, "block": block, "partial": partial,
            "n_sums": share.n_sums, "columns": places, "n_columns": len(places),
            "n_checked": n_checked, "yield": _functions().let_others_run})
        self.words = np.concatenate([arguments, others])
        self.address = address(self.words)
        self._kept: Any = kept, partial, places, columns
        self._steps = max(1, INTERRUPTIBLE // max(1, block * share.work))
        self._memory = address(memories[0])
        self._memories = list(memories[1:])

    def run(self) -> bool:
        """Compute all blocks once; between some of them Ctrl-C is heard.

        Returns:
            Whether the lines that are looked through are finite, all of them.
        """
        functions, words = _functions(), self.words
        functions.begin(self.address)
        try:
            self._enlist(self._take_part)
            while functions.work(self.address, self._memory, self._steps):
                pass
            functions.finish(self.address)
        finally:  # no call here, so that Ctrl-C cannot come before it
            words[_TICKETS] = 0
        self._let_go()
        return not words[_FOUND]

    def during(self, work: Callable[[], R]) -> R:
        """Do some work that calls :func:`spread_address` many times, while the others help."""
        words = self.words
        try:
            self._enlist(self._stand_by)
            result = work()
        finally:
            words[_OVER] = 1
        self._let_go()
        return result

    def _enlist(self, job: Callable[[], None]) -> None:
        if self._memories:
            enlist(len(self._memories), job)

    def _let_go(self) -> None:
        """Keep no memory for those who have not come yet; they find nothing to do."""
        self._memories.clear()
        self._kept = None

    def _take_part(self) -> None:
        if (memory := self._own_memory()) is not None:
            _functions().work(self.address, address(memory), ALL)

    def _stand_by(self) -> None:
        if (memory := self._own_memory()) is not None:
            while _functions().help(self.address, address(memory)):
                time.sleep(NAP)

    def _own_memory(self) -> Array | None:
        try:
            return self._memories.pop()
        except IndexError:
            return None  # all is done


def spread_address() -> int:
    """The address of a function that is called as a kernel is, with the words of a Crew."""
    return _functions().spread


class _Functions(NamedTuple):
    begin: Any
    work: Any
    help: Any
    finish: Any
    spread: int
    let_others_run: int
    engine: Any  # holds the code


@cache
def _functions() -> _Functions:
    from autograd.compiler.backends.llvm.target import execution_engine, host

    # LLVM's passes would take four times as long as without them, and save nothing.
    engine = execution_engine(sharing(), host()["machine"], False)
    pointer, number = ctypes.c_void_p, ctypes.c_int64

    def function(name: str, result: Any, *arguments: Any) -> Any:
        return ctypes.CFUNCTYPE(result, *arguments)(engine.get_function_address(name))

    let = (ctypes.CDLL("kernel32").SwitchToThread if sys.platform == "win32"
           else ctypes.CDLL(None).sched_yield)
    return _Functions(
        function("begin", None, pointer), function("work", number, pointer, pointer, number),
        function("help", number, pointer, pointer), function("finish", None, pointer),
        engine.get_function_address("spread"), ctypes.cast(let, pointer).value or 0, engine)


def words(names: Iterable[str], values: dict[str, Any]) -> Array:
    """Whole numbers, and the addresses of arrays, in the order of the names; 0 for the others."""
    found = [values.get(name, 0) for name in names]
    return np.array([address(x) if isinstance(x, np.ndarray) else x for x in found],
                    dtype=np.int64)


def address(array: Array) -> int:
    """Where an array's numbers begin."""
    return int(array.ctypes.data)
