"""Many steps of gradient descent in one call of machine code.

Two compiled programs take turns: the loss of rows with its gradient, summed over a batch, and the
rule that moves one parameter, run over all parameters as if they were rows. The loop around them
is the same for every model, so it is compiled once and for all.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from autograd.compiler.backends.interface import InMemory
from autograd.compiler.backends.llvm.blocks import Crew, spread_address
from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.team import Team, address, words
from autograd.compiler.backends.llvm.training_loop_codegen import MOVED, WORDS, training_loop
from autograd.compiler.backends.threads import allowed, limit_said
from autograd.compiler.backends.training_steps import DONE, Steps
from autograd.compiler.program.program import Program
from autograd.core.typing import Array

WORTH_IT = 4  # blocks of parameters for whose moves alone other threads are asked: some 60 us


class Descent(InMemory):
    """Steps of gradient descent, as machine code.

    Args:
        loss: the program of one row. Its first inputs differ by row, the others are the
            parameters; its outputs are the loss and one derivative for each parameter, which are
            summed over the rows of a batch, then whatever else is wanted of each row.
        n_row_inputs: how many inputs differ by row.
        rule: the program that moves one parameter. Its inputs are its slope (the sum over the
            rows of the batch), the parameter and its memories, then the numbers that all
            parameters share in a step; its outputs are the next parameter, the
            next memories, the square of the parameter (for the penalty), and 0 times the slope
            that it used.
        n_memories: how many numbers are remembered of each parameter.
        numbers: the parameters, shape (n,).
        memories: shape (n_memories, n).
        registers: how many registers of rows to take at once; see ``llvm.compile``.
        threads: at most so many share out the rows of a large batch, the steps of a large program
            and the moves of many parameters; None for one for each core.
    """

    def __init__(self, loss: Program, n_row_inputs: int, rule: Program, n_memories: int,
                 numbers: Array, memories: Array, registers: int = 1,
                 threads: int | None = None) -> None:
        from autograd.compiler.backends.llvm.compilation import compile

        n = len(numbers)
        extra = len(loss.outputs) - 1 - n
        self._loss = compile(loss, (True,) * n_row_inputs + (False,) * n,
                             (True,) * (1 + n) + (False,) * extra, registers=registers,
                             free_sums=True)
        by_parameter = 2 + n_memories
        self._n_shared = rule.n_inputs - by_parameter
        self._rule = compile(rule, (True,) * by_parameter + (False,) * self._n_shared,
                             (False,) * (1 + n_memories) + (True, True))
        self.reason = self._loss.reason or self._rule.reason
        self.limit = ""  # why one thread computes what several could
        self.n_parameters, self.n_memories, self.n_extra = n, n_memories, extra
        self.lanes, self.padding = self._loss.lanes, self._loss.width
        self._stride = _stride(n)
        self._lines = [_lines(by_parameter, self._stride) for _ in range(2)]
        self.threads = threads
        self._now = 0  # which of the two holds the latest step; the next one goes to the other
        self.restore(numbers, memories)
        self._sums = _lines(1 + self._stride, self.lanes)
        self._n_blocks = max(1, -(-n // MOVED))
        self._rule_sums = _lines(self._n_blocks, 2 * self._rule.lanes)
        self._memories: list[Array] = []  # of the threads that compute the loss
        self._memory_of_rule = _lines(self._n_blocks, self._rule.share.n_memory)
        self._ok = np.ones(self._stride)
        self._function = _function(self.lanes)

    def restore(self, numbers: Array, memories: Any) -> None:
        """Go on from other parameters, and from what is remembered of them."""
        lines = self._lines[self._now]
        lines[1, :self.n_parameters] = numbers
        if self.n_memories:
            lines[2:, :self.n_parameters] = memories

    @property
    def slopes(self) -> Array:
        """The sums of the latest step, shape (n,)."""
        return self._of_parameters(0)

    @property
    def numbers(self) -> Array:
        """The parameters that were reached, shape (n,)."""
        return self._of_parameters(1)

    @property
    def memories(self) -> Array:
        """What is remembered of them, shape (n_memories, n)."""
        return self._of_parameters(slice(2, None))

    def _called(self, most: int, arguments: dict[str, Any]) -> tuple[Team | None, int, Array]:
        """How batches of up to so many rows are computed: by whom, which function, which words."""
        share = self._loss.share
        is_cut = most > share.block(most)
        many = self._n_blocks if self._n_blocks >= WORTH_IT else 1
        threads = share.threads(most, self.threads) if is_cut else min(
            allowed(self.threads), max(share.n_pieces, many))
        self.limit = limit_said(self.threads) if is_cut or max(share.n_pieces, many) > 1 else ""
        while len(self._memories) < (threads if is_cut else 1):
            self._memories.append(_lines(1, share.n_memory)[0])
        memories = self._memories[:threads]
        call = words(KERNEL_WORDS, {**arguments, "memory": memories[0]})
        if is_cut:
            crew = Crew(share, most, call, memories)
            return crew, spread_address(), crew.arguments
        if threads < 2:
            return None, share.address, call
        team = Team([memories[0]] + [np.empty(0)] * (threads - 1))  # they share one memory
        call[KERNEL_WORDS.index("team")] = team.address
        return team, share.address, call

    def _of_parameters(self, lines: int | slice) -> Array:
        copied: Array = self._lines[self._now][lines, :self.n_parameters].copy()
        return copied

    def run(self, data: Array, order: Array | None, counts: Array, shared: Array,
            l2: float) -> Steps:
        """Take one step for each batch, or fewer: up to the first that fails.

        Args:
            data: shape (n_row_inputs, n_rows); quickest where each row's numbers are neighbours.
            order: the rows of all batches, one batch after the other; None if every batch is all
                rows in their own order.
            counts: how many rows each batch has.
            shared: for each step the numbers that the rule's parameters share, shape (steps, k).
            l2: the factor of the sum of squares in the objective.
        """
        if not len(counts):
            return Steps(0, DONE, np.empty(0), np.empty((self.n_extra, 0)))
        outs = np.cumsum(counts) - counts
        places = int(counts.sum())
        stride = _stride(int(counts.max()) + self.padding)
        rows = _lines(max(1, len(data)), stride)
        if order is None:
            rows[:len(data), :data.shape[1] + self.padding] = np.pad(
                data, ((0, 0), (0, self.padding)), mode="edge")
        out = _lines(max(1, self.n_extra), stride)
        answers = np.empty((max(1, self.n_extra), places))
        ok = np.ones(int(counts.max()) + self.padding)
        objectives = np.empty(len(counts))
        lines = [np.ascontiguousarray(line, dtype=np.int64) for line in (counts, outs)]
        shared = np.ascontiguousarray(shared, dtype=float)
        by_row = np.ascontiguousarray(data.T)
        lines_now, lines_next = self._lines[self._now], self._lines[1 - self._now]
        self._sums[:], self._rule_sums[:] = 0.0, 0.0
        team, loss, loss_arguments = self._called(int(counts.max()), {
            "rows": rows, "sums": self._sums, "out": out, "ok": ok, "stride": stride})
        rule_arguments = words(KERNEL_WORDS, {
            "scalars": shared, "rows": lines_now, "sums": self._rule_sums, "out": lines_next,
            "ok": self._ok, "memory": self._memory_of_rule, "n": self.n_parameters,
            "stride": self._stride})
        loop = words(WORDS, {
            "loss": loss, "loss_arguments": loss_arguments,
            "rule": self._rule.address, "rule_arguments": rule_arguments,
            "rule_memory": self._memory_of_rule.shape[1],
            "n_steps": len(counts), "counts": lines[0], "starts": lines[1],
            "order": 0 if order is None else order, "data": by_row, "n_inputs": len(data),
            "rows": rows, "out": out, "ok": ok, "rows_stride": stride, "padding": self.padding,
            "scalars": shared, "n_scalars": self._n_shared,
            "l2": np.float64(l2).view(np.int64), "n_parameters": self.n_parameters,
            "stride": self._stride, "answers": answers, "answers_stride": places,
            "n_answers": self.n_extra, "objectives": objectives,
            "team": 0 if team is None else team.address, "lines": lines_now, "moved": lines_next})
        reached = np.zeros(1, dtype=np.int64)
        def descend() -> int:
            status: int = self._function(address(loop), address(reached))
            return status

        status = descend() if team is None else team.during(descend)
        self._now = (self._now + int(reached[0])) % 2
        return Steps(int(reached[0]), status, objectives, answers[:self.n_extra])


def _stride(places: int) -> int:
    """Room for so many numbers: whole registers, but no power of 2, lest lines share cache sets."""
    return -(-places // 8) * 8 | 8


def _lines(count: int, stride: int) -> Array:
    """Lines of zeros, each at an address from which a register is loaded in one go."""
    from autograd.compiler.backends.llvm.target import aligned

    lines = aligned(count * stride).reshape(count, stride)
    lines[:] = 0.0
    return lines


_FUNCTIONS: dict[int, Any] = {}  # the loops, once they are compiled, with the engines of their code


def _function(lanes: int) -> Any:
    """The loop for a loss whose kernel leaves each sum in so many numbers."""
    if lanes not in _FUNCTIONS:
        from autograd.compiler.backends.llvm.target import execution_engine, host

        machine = host()
        engine = execution_engine(training_loop(machine["width"], lanes), machine["machine"], True)
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)
        _FUNCTIONS[lanes] = (kind(engine.get_function_address("descend")), engine)
    return _FUNCTIONS[lanes][0]
