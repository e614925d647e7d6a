"""The jax back end: a program as a JAX function, compiled by XLA for the devices that JAX finds.

XLA compiles for one number of rows. The first numbers that are met are compiled as they are; from
then on rows are padded to a power of two, so that groups of rows of all sizes are few programs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from autograd.compiler.backends.formulas import Emit
from autograd.compiler.backends.interface import InMemory, Signature
from autograd.compiler.backends.jax.devices import double_precision, refuse_single_precision
from autograd.compiler.backends.jax.loops import Loops, in_loops
from autograd.compiler.backends.jax.lowering import (
    Lowering,
    Steps,
    refuse_unknown,
    straight,
)
from autograd.compiler.backends.jax.mesh import Spread
from autograd.compiler.backends.jax.ops import EMITTERS, REDUCERS
from autograd.compiler.program.array_recognition import find_few_arrays
from autograd.compiler.program.program import Program, Unsupported
from autograd.core.typing import Array

DENSE = 5  # instructions that a step must stand for, one with another, to be worth the trouble
LONG = 300  # instructions from which on loops are looked for
LONGEST = 3000  # steps that XLA compiles in seconds
EXACT_SIZES = 2  # numbers of rows that are compiled as they are
MEMORY = 1 << 28  # numbers of a block of rows
ALIGNED = 64  # bytes: XLA reads NumPy's memory where it stands if that begins at a multiple


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, fused: bool = True,
            mesh: Mesh | None = None) -> Kernel:
    """Prepare a program to run in JAX, as ``interface`` says.

    Args:
        program, row_inputs, sums: see there.
        fused: whether XLA may compile all steps as one, whose roundings then are in no promised
            places; else one step runs after the other, with the bits of each operation.
        mesh: the devices over which rows are spread, as :func:`.mesh.checked` returns it; None
            for one device.

    Raises:
        Unsupported: also for a program of too many steps.
    """
    signature = Signature(program, row_inputs, sums)
    refuse_unknown(program.ops)
    refuse_single_precision()
    return Kernel(lowered(program, row_inputs, sums, fused), signature, fused, mesh)


def lowered(program: Program, row_inputs: Sequence[bool] | None,
            sums: Sequence[bool] | None = None, free_sums: bool = True,
            emitters: dict[str, Emit] = EMITTERS,
            reducers: dict[str, Emit] = REDUCERS) -> Lowering:
    """A program as a function of JAX arrays: by arrays, by loops, or instruction by instruction.

    Args:
        program, row_inputs, sums: as for :func:`compile`.
        free_sums: whether additions may be rounded in another order.
        emitters, reducers: the operations.

    Raises:
        Unsupported: for a program of too many steps.
    """
    signature = Signature(program, row_inputs, sums)
    how = signature.is_row, signature.is_sum, signature.by_rows, emitters, reducers
    if len(program) >= DENSE:
        arrays = find_few_arrays(program, len(program) // DENSE, row_inputs, free_sums)
        if arrays is not None:
            return Steps(arrays, *how)
    if len(program) >= LONG:
        parts = in_loops(program)
        if parts is not None:
            return Loops(program, parts, *how, free_sums)
    if len(program) < LONG:
        return Steps(straight(program), *how)
    arrays = find_few_arrays(program, LONGEST, row_inputs, free_sums)
    if arrays is None:
        raise Unsupported(f"the program has more than {LONGEST} steps without a loop among them, "
                          "and XLA would compile those for minutes; choose another back end")
    return Steps(arrays, *how)


class Kernel(InMemory):
    """A program that XLA compiles at its first call; see ``interface``."""

    def __init__(self, lowering: Lowering, signature: Signature, fused: bool = True,
                 mesh: Mesh | None = None) -> None:
        self.lowering, self.signature = lowering, signature
        self._n_sums = sum(signature.is_sum)
        self._n_out = len(signature.is_sum) - self._n_sums
        self._spread = None if mesh is None else Spread(mesh)
        self._places = np.concatenate([np.zeros(0, dtype=np.int64), *lowering.returned_together])
        self._run: Callable[..., Any] = self._computed
        self._run_at_point: Callable[..., Any] = self._at_point
        if fused:
            everywhere = None if self._spread is None else self._spread.everywhere
            self._run = jax.jit(self._computed, out_shardings=everywhere)
            self._run_at_point = jax.jit(self._at_point, out_shardings=everywhere)
        self.block = max(1024, MEMORY // max(1, lowering.n_varying))
        self._sizes: set[int] = set()

    def _computed(self, scalars: Any, rows: Any, count: Any) -> Any:
        mask = None if count is None else jnp.arange(rows.shape[1]) < count
        return self.lowering.in_blocks(
            [jnp.asarray(scalars)], None if rows is None else jnp.asarray(rows), mask)

    def _at_point(self, numbers: Any) -> Any:
        """Whether the guards hold and the outputs, as one array: each takes time to bring here."""
        found = self.lowering.in_blocks([jnp.asarray(numbers)], None, None)
        return jnp.concatenate([found.ok[None].astype(float), *found.out])

    def __call__(self, scalars: Any, rows: Any = None) -> tuple[Array, Array | None, Any]:
        """Run it, as ``interface`` says."""
        numbers, table = self.signature.arrays(scalars, _aligned(rows))
        with double_precision():
            if table is None:
                out, holds = self._point(numbers)
                return out, None, holds
            return self._on_rows(numbers, table)

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold."""
        with double_precision():
            out, holds = self._point(np.array(numbers, dtype=float))
            return out if holds else None

    def _on_rows(self, numbers: Array, table: Array) -> tuple[Array, Array, Array]:
        n = table.shape[1]
        sums, ok = np.zeros(self._n_sums), np.empty(n, dtype=bool)
        out = np.empty((self._n_out, n))
        for start in range(0, max(n, 1), self.block):
            some = slice(start, start + self.block)
            added = self._block(numbers, table[:, some], out[:, some], ok[some])
            with np.errstate(all="ignore"):
                sums += added
        return sums, out, ok

    def _block(self, numbers: Array, table: Array, out: Array, ok: Array) -> Array:
        """Run some rows: fills in their outputs and guards, and returns the sums."""
        n = table.shape[1]
        size = self._size(n)
        count = None if size == n else n
        if size != n:  # copies of a row, so that nothing is undefined that was defined
            table = np.pad(table, ((0, 0), (0, size - n)), "edge")
        scalars: Any = numbers
        if self._spread is not None:
            scalars, table = self._spread.whole(numbers), self._spread.rows(table, 1)
        found = self._run(scalars, table, count)
        sums = np.empty(self._n_sums)
        for places, part in zip(self.lowering.summed_together, found.sums, strict=True):
            sums[places] = part
        for places, part in zip(self.lowering.returned_together, found.out, strict=True):
            array = np.asarray(part)
            for i, place in enumerate(places.tolist()):
                out[place] = array[i, :n]
        ok[:] = np.asarray(found.ok)[:n]
        return sums

    def _point(self, numbers: Array) -> tuple[Array, bool]:
        """The outputs at one point, and whether the guards hold."""
        found = np.asarray(self._run_at_point(numbers))
        out = np.empty(self._n_out)
        out[self._places] = found[1:]
        return out, bool(found[0])

    def _size(self, n: int) -> int:
        """The number of rows that is run in the place of n."""
        places = 1 if self._spread is None else self._spread.count
        if not n or (n % places == 0 and (n in self._sizes or len(self._sizes) < EXACT_SIZES)):
            self._sizes.add(n)
            return n
        return -(-(1 << max(4, (n - 1).bit_length())) // places) * places


def _aligned(rows: Any) -> Any:
    """A list of arrays as one array that XLA need not copy; what else is given as it is."""
    if not isinstance(rows, list) or not rows or any(
            not isinstance(row, np.ndarray) or row.ndim != 1 or row.shape != rows[0].shape
            or row.dtype != float for row in rows):
        return rows
    count, n = len(rows), len(rows[0])
    memory = np.empty(count * n + ALIGNED // 8)
    start = -memory.ctypes.data % ALIGNED // 8
    return np.stack(rows, out=memory[start:start + count * n].reshape(count, n))
