"""Kernel: compiled code with its buffers, for one point or for many rows at once."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from autograd.compiler.backends.interface import InMemory, Results
from autograd.compiler.backends.llvm.array_codegen import ArrayWriter
from autograd.compiler.backends.llvm.blocks import Crew, Share
from autograd.compiler.backends.llvm.codegen import FINITE, OTHER_BRANCH, Writer, point_function
from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.target import aligned, execution_engine, host
from autograd.compiler.backends.llvm.team import words
from autograd.core.forking import lock
from autograd.core.typing import Array

LARGE_RESULT = 8_192  # numbers; below, copying them is quicker than finding new memory
SHORT = 1_000  # instructions; below, to let go of the GIL takes longer than it is worth
_POINT_TYPES = {is_short: make(ctypes.c_int64, ctypes.c_void_p) for is_short, make in (
    (False, ctypes.CFUNCTYPE), (True, ctypes.PYFUNCTYPE))}


class Kernel(InMemory):
    """A compiled program; see :func:`compile`.

    Args:
        writer: writes its module.
        rows: which inputs differ by row; None for one point.
        is_quick: whether LLVM is to take the least time for it, not the code; the bits stay.

    Attributes:
        threads: at most so many compute the blocks of many rows; None for one for each core.
    """

    threads: int | None = None

    def __init__(self, writer: Writer | ArrayWriter, rows: tuple[bool, ...] | None,
                 is_quick: bool = False) -> None:
        program, sums = writer.source, writer.sums
        self.rows = rows
        self.reason: str = getattr(writer, "reason", "")  # why it is not the quickest
        self.lanes, self.width = writer.lanes, writer.width
        self.assembly = writer.module()
        if rows is None:
            self.assembly += point_function()
        self.n_sums, self.n_memory, self.preset = sum(sums), writer.n_memory, writer.preset
        self.n_outputs = len(program.outputs)
        self.n_row_inputs = sum(rows) if rows else 0
        self.n_scalars = program.n_inputs - self.n_row_inputs
        self._engine = execution_engine(
            self.assembly, host()["quick" if is_quick else "machine"],
            writer.optimizes and not is_quick, writer.unrolls)
        self._tables = writer.tables  # the machine code reads them as long as it lives
        for name, table in self._tables.items():
            place = self._engine.get_global_value_address(name)
            ctypes.c_void_p.from_address(place).value = table.ctypes.data
        self.address: int = self._engine.get_function_address("kernel")
        self.share = Share(self.address, program.n_operands,
                           self.n_sums * self.lanes, self.n_memory * self.width, self.width,
                           max([-(-size // grain) for size, grain in writer.pieces.values()],
                               default=1))
        # One pointer to all arguments: ctypes takes longer for eight of them than a small program.
        self._function = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)
        self._point: Any = None if rows is not None else _POINT_TYPES[self._is_short(writer)](
            self._engine.get_function_address("point"))
        self._free: list[_Buffers] = []  # the memory of calls at one point
        self._pack = struct.Struct(f"{self.n_scalars}d").pack_into
        self._has_guards = bool(program.guards)
        self._buffers: _Buffers | None = None
        self._calling = lock()  # one call at a time may use the buffers

    @staticmethod
    def _is_short(writer: Writer | ArrayWriter) -> bool:
        """Whether a call is over before another thread could do anything meanwhile."""
        return len(writer.source) <= SHORT and not writer.pieces

    def __call__(self, scalars: Array, rows: Array | Sequence[Array] | None = None
                 ) -> tuple[Array, Any, Any]:
        """Run it; arguments and results as in :func:`compile`."""
        n = 1
        if self.rows is not None:
            if isinstance(rows, list) and len(rows) == self.n_row_inputs > 0:
                n = len(rows[0])
            elif not isinstance(rows, np.ndarray) or rows.ndim != 2 or (
                    len(rows) != self.n_row_inputs):
                raise ValueError(f"the program takes rows of shape ({self.n_row_inputs}, n), not "
                                 f"{np.shape(rows) if rows is not None else None}")
            else:
                n = rows.shape[1]
        if np.shape(scalars) != (self.n_scalars,):
            raise ValueError(f"the program takes {self.n_scalars} scalars, not an array of shape "
                             f"{np.shape(scalars)}")
        with self._calling:
            if self._buffers is None or self._buffers.n != n:
                self._buffers = _Buffers(self, n)
            buffers = self._buffers
            buffers.scalars[:] = scalars
            if rows is not None and n:
                buffers.renew()
            threads = self.share.threads(n, self.threads)
            is_finite = False
            if rows is not None and self.share.needs_cuts(n, threads):
                is_finite = self._in_blocks(buffers, rows, threads)
            elif n:
                if rows is not None:
                    buffers.fill(rows)
                self._function(buffers.address)
            results = Results(buffers.results(self))
            results.is_finite = is_finite
            return results

    def _in_blocks(self, buffers: _Buffers, rows: Array | Sequence[Array], threads: int) -> bool:
        """Run the blocks of many rows, on several threads where it pays.

        Returns:
            Whether all outputs that are not summed are finite.
        """
        n, columns = buffers.n, [np.asarray(column, dtype=float) for column in rows]
        if any(column.shape != (n,) for column in columns):
            raise ValueError(f"the program takes columns of {n} rows, not of "
                             f"{sorted({np.shape(column) for column in columns})}")
        memories = buffers.memories(threads)
        buffers.sums[:] = 0.0
        self._buffers = None  # another thread may be at them still when this call is interrupted
        is_finite = Crew(self.share, n, buffers.arguments, memories, columns,
                         self.n_outputs - self.n_sums, buffers).run()
        self._buffers = buffers
        return is_finite

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold: a call with no checks.

        Args:
            numbers: a list or a float array with a number for each input.
        """
        outputs = self.finite_point(numbers)
        if outputs is not False:
            return outputs
        return self(np.array(numbers, dtype=float))[0]

    def finite_point(self, numbers: Any) -> Array | Literal[False] | None:
        """The same, but False where not all outputs are finite: the machine code has looked."""
        try:
            buffers = self._free.pop()  # another thread's call finds others
        except IndexError:
            buffers = _Buffers(self, 1)
        if numbers.__class__ is list:
            self._pack(buffers.data, 0, *numbers)
        else:
            buffers.scalars[...] = numbers
        ended = self._point(buffers.address)
        outputs: Array | Literal[False] | None = False
        if ended == FINITE:
            outputs = buffers.sums.copy()
        elif ended == OTHER_BRANCH:
            outputs = None
        self._free.append(buffers)  # after an error they are gone, whatever is in them
        return outputs

    def few(self, scalars: list[float], blocks: Sequence[Array], n: int
            ) -> tuple[Array, Array] | None:
        """The sums and the outputs by row of few rows, or None where a guard does not hold.

        None, too, where the rows are cut into blocks. A call with no checks.

        Args:
            scalars: all inputs that are the same for all rows.
            blocks: the other inputs, arrays of shapes (n,) and (n, count), side by side.
            n: the number of rows.
        """
        with self._calling:
            buffers = self._buffers
            if buffers is None or buffers.n != n:
                buffers = self._buffers = _Buffers(self, n)
            if buffers.is_cut:
                return None
            if scalars:
                self._pack(buffers.data, 0, *scalars)
            for view, block in zip(buffers.views_of(blocks), blocks, strict=True):
                view[...] = block
            if buffers.stride > n:
                buffers.behind[...] = buffers.last
            if self.n_sums:
                buffers.sums.fill(0.0)
            self._function(buffers.address)
            if self._has_guards and np.count_nonzero(buffers.ok[:n]) < n:
                return None
            return buffers.total(), buffers.table.copy()


class _Buffers:
    """The memory of a kernel for n rows, made once: finding addresses takes longer than a call."""

    def __init__(self, kernel: Kernel, n: int) -> None:
        width = kernel.width
        self.n, self.stride = n, max(1, -(-n // width)) * width
        by_rows = kernel.rows is not None
        self.is_cut = kernel.share.block(n) < n  # sums of blocks have other last bits
        self.scalars = aligned(kernel.n_scalars)
        self.data = self.scalars.data
        self.rows = aligned(kernel.n_row_inputs * self.stride).reshape(-1, self.stride)
        self.sums = aligned(kernel.n_sums * kernel.lanes if by_rows else kernel.n_outputs)
        self.out = aligned((kernel.n_outputs - kernel.n_sums) * self.stride if by_rows else 0)
        self.ok = aligned(self.stride)
        self.ok[:] = 1.0
        self.memory = aligned(kernel.n_memory * width)
        if kernel.preset is not None:
            start, numbers = kernel.preset
            self.memory[start:start + len(numbers)] = numbers
        self._others: list[Array] = []  # the memory of other threads
        self.arguments = words(KERNEL_WORDS if by_rows else (*KERNEL_WORDS, "count"), {
            "scalars": self.scalars, "rows": self.rows, "sums": self.sums, "out": self.out,
            "ok": self.ok, "memory": self.memory, "n": n, "stride": self.stride,
            "count": kernel.n_outputs})
        self.address = self.arguments.ctypes.data
        # The lanes behind the end compute the last row again.
        self.behind, self.last = self.rows[:, n:], self.rows[:, n - 1:n]
        self.n_columns = kernel.n_outputs - kernel.n_sums if by_rows else 0
        self.table = self._table()
        self.lanes = self.sums.reshape(kernel.n_sums, -1) if by_rows and kernel.n_sums else None
        self._shapes: list[tuple[int, ...]] = []  # of the blocks that came last
        self._views: list[Array] = []

    def _table(self) -> Array:
        """The outputs by row."""
        table: Array = self.out.reshape(self.n_columns, self.stride)[:, :self.n]
        return table

    def views_of(self, blocks: Sequence[Array]) -> list[Array]:
        """Where blocks of shapes (n,) and (n, count) have to be written."""
        shapes = [block.shape for block in blocks]
        if shapes != self._shapes:
            self._views, start = [], 0
            for _, *width in shapes:
                count = width[0] if width else 1
                view = self.rows[start:start + count, :self.n]
                self._views.append(view.T if width else view[0])
                start += count
            self._shapes = shapes
        return self._views

    def total(self) -> Array:
        """The sums over the rows."""
        total: Array
        if self.lanes is None:
            total = self.sums.copy()
            return total
        with np.errstate(invalid="ignore", over="ignore"):  # nan and inf are results, too
            total = np.add.reduce(self.lanes, axis=1)
        return total

    def memories(self, count: int) -> list[Array]:
        """The memory of so many threads."""
        while len(self._others) < count - 1:
            self._others.append(aligned(self.memory.size))
        return [self.memory, *self._others[:count - 1]]

    def fill(self, rows: Array | Sequence[Array]) -> None:
        """Copy the rows in; the lanes behind the end compute the last row again."""
        if isinstance(rows, np.ndarray):
            self.rows[:, :self.n] = rows
        else:
            for line, column in zip(self.rows, rows, strict=True):
                line[:self.n] = column
        self.behind[...] = self.last
        self.sums[:] = 0.0

    def renew(self) -> None:
        """Make room for a large result that is handed out without a copy."""
        if self.out.size > LARGE_RESULT:
            self.out = aligned(self.out.size)
            self.arguments[KERNEL_WORDS.index("out")] = self.out.ctypes.data
            self.table = self._table()

    def results(self, kernel: Kernel) -> tuple[Array, Any, Any]:
        """What the call has left, in arrays of its own."""
        if kernel.rows is None:
            return self.sums.copy(), None, bool(self.ok[0])
        if not self.n:
            self.sums[:] = 0.0
        out = self.table.copy() if self.table.size <= LARGE_RESULT else self.table
        return self.total(), out, self.ok[:self.n] != 0.0
