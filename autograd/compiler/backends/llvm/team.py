"""Threads that take part in machine code: in one call, or in the steps of one training."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

import numpy as np

from autograd.compiler.backends.interface import InMemory
from autograd.compiler.backends.llvm import blocks_codegen, team_codegen
from autograd.compiler.backends.llvm.team_codegen import ALL, WORDS
from autograd.compiler.backends.threads import enlist
from autograd.core.typing import Array

NAP = 1e-4  # seconds, of a thread that has waited for work for long

TICKETS, OVER = (WORDS.index(name) for name in ("tickets", "over"))
R = TypeVar("R")


class Team(InMemory):
    """The threads that share out work, the caller's among them.

    Args:
        memories: of each thread, the caller's first.
        kept: what owns the memory that the work is about. Other threads may be at it still when
            Ctrl-C has ended a call.

    Attributes:
        words: what the machine code reads, see ``team_codegen``.
        address: theirs.
    """

    def __init__(self, memories: Sequence[Array], kept: Any = None) -> None:
        code = functions()
        self.words = words(WORDS, {"share": code.share, "yield": code.let_others_run})
        self.address = address(self.words)
        self._kept: Any = kept
        self._memory = address(memories[0])
        self._memories = list(memories[1:])

    def work(self, offer: Callable[[], None], finish: Callable[[], None], most: int) -> None:
        """Do all of some work; between some of its pieces Ctrl-C is heard.

        Args:
            offer: makes the tickets.
            finish: waits for the others.
            most: how many pieces to do at one go.
        """
        offer()
        try:
            self._enlist(self._take_part)
            while functions().work(self.address, self._memory, most):
                pass
            finish()
        finally:  # no call here, so that Ctrl-C cannot come before it
            self.words[TICKETS] = 0
        self._let_go()

    def during(self, work: Callable[[], R]) -> R:
        """Do what offers work many times, while the others help."""
        words = self.words
        try:
            self._enlist(self._stand_by)
            result = work()
        finally:
            words[OVER] = 1
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
            functions().work(self.address, address(memory), ALL)

    def _stand_by(self) -> None:
        if (memory := self._own_memory()) is not None:
            while functions().help(self.address, address(memory)):
                time.sleep(NAP)

    def _own_memory(self) -> Array | None:
        try:
            return self._memories.pop()
        except IndexError:
            return None  # all is done


class _Functions(NamedTuple):
    work: Any
    help: Any
    begin: Any
    finish: Any
    share: int
    spread: int
    let_others_run: int
    engine: Any  # holds the code


@cache
def functions() -> _Functions:
    """The machine code by which threads share out work."""
    from autograd.compiler.backends.llvm.target import execution_engine, host

    codes = [*team_codegen.functions(), *blocks_codegen.functions()]
    declared = sorted({line for code in codes for line in code.declared})
    # LLVM's passes would take four times as long as without them, and save nothing.
    engine = execution_engine("\n".join([*(code.text for code in codes), *declared, ""]),
                              host()["machine"], False)
    pointer, number = ctypes.c_void_p, ctypes.c_int64

    def function(name: str, result: Any, *arguments: Any) -> Any:
        return ctypes.CFUNCTYPE(result, *arguments)(engine.get_function_address(name))

    let = (ctypes.CDLL("kernel32").SwitchToThread if sys.platform == "win32"
           else ctypes.CDLL(None).sched_yield)
    return _Functions(
        function("work", number, pointer, pointer, number),
        function("help", number, pointer, pointer),
        function("begin", None, pointer), function("finish", None, pointer),
        engine.get_function_address("share"), engine.get_function_address("spread"),
        ctypes.cast(let, pointer).value or 0, engine)


def words(names: Iterable[str], values: dict[str, Any]) -> Array:
    """Whole numbers, and the addresses of arrays, in the order of the names; 0 for the others."""
    found = [values.get(name, 0) for name in names]
    return np.array([address(x) if isinstance(x, np.ndarray) else x for x in found],
                    dtype=np.int64)


def address(array: Array) -> int:
    """Where an array's numbers begin."""
    return int(array.ctypes.data)
