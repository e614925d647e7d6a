"""What a back end is: ``compile``, a function that turns a program into a kernel.

A back end is a function of (program, row_inputs, sums):

    program      what to compile. Outside a domain nothing raises: the results are what IEEE 754
                 arithmetic gives, inf or nan; a primitive of the user's own gives nan there.
    row_inputs   for each input whether it differs by row; None compiles for one point
    sums         for each output whether it is summed over the rows; None for none

It returns a :class:`Kernel`, and raises

    ValueError   for flags that do not fit the program (:class:`Signature` checks them)
    KeyError     for an operation that is not in the table of primitives
    Unsupported  for a program that it cannot run although others can; the message says why

The bits of + - * /, sqrt, comparisons and what is chosen by them are those of the eager engine;
other functions are within 8 units in the last place; sums may be rounded in another order.
``tests/compiler/backends/conformance.py`` holds a back end to all this.

The back end jax promises less, for XLA decides what a device computes: a product that is added to
something may not be rounded in between, so that all results are right to rounding, not to the bit;
subnormal numbers are 0 on most devices; and ``logaddexp`` and ``logsumexp`` are right to some
units in the last place of 1 near their zeros.

To add a back end: write such a function in a file of this folder, name it in ``choice.BACK_ENDS``,
and run the conformance tests on it; ``tests/compiler/backends/test_toy.py`` does that in 40 lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from autograd.compiler.program.program import Program, Unsupported
from autograd.core.typing import Array


class Kernel(Protocol):
    """A compiled program."""

    def __call__(self, scalars: Any, rows: Any = None) -> tuple[Array, Any, Any]:
        """Run it.

        Args:
            scalars: all inputs that are the same for all rows, shape (n_scalars,).
            rows: the other inputs, shape (n_row_inputs, n_rows); None for one point.

        Returns:
            (scalar outputs, row outputs, ok), in arrays that belong to the caller. For one point
            the scalar outputs are all outputs, the row outputs None, and ok is a bool: whether
            all guards hold. For rows the scalar outputs are the sums, the row outputs the other
            outputs, shape (n_outputs, n_rows), and ok is a bool for each row.

        Raises:
            ValueError: for arrays of a wrong shape.
        """

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold: a call with no checks.

        Args:
            numbers: a list or a float array with a number for each input.
        """


class Results(tuple[Array, Any, Any]):
    """What a kernel returns, where it also knows something about it.

    Attributes:
        is_finite: whether it is known that all row outputs are finite.
    """

    is_finite = False


@runtime_checkable
class OnThreads(Protocol):
    """A kernel that several threads may compute rows of; with the same bits, however many.

    Attributes:
        threads: at most so many; None for one for each processor core.
    """

    threads: int | None


@runtime_checkable
class SeesFinite(Protocol):
    """A kernel that sees by itself whether its outputs are finite."""

    def finite_point(self, numbers: Any) -> Array | Literal[False] | None:
        """As ``point``, but False where not all outputs are finite."""


@runtime_checkable
class Provisional(Protocol):
    """A kernel that makes way for another one with the same bits.

    Attributes:
        final: the other one, from when it is made on; None before.
        calls: after how many calls it is made.
    """

    final: Kernel | None
    calls: int


class InMemory:
    """What exists in the memory of this process alone: no pickle, and no copy, could hold it."""

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} is code in the memory of this process; pickle "
                        "or copy the compiled function or the Program, and compile it there")


class Compile(Protocol):
    """A back end; the module's docstring is its contract."""

    def __call__(self, program: Program, row_inputs: Sequence[bool] | None = None,
                 sums: Sequence[bool] | None = None) -> Kernel:
        """Compile a program."""


# Writes a program without operations that a back end has no way to write, or raises Unsupported.
Rewrite = Callable[[Program, Sequence[str]], Program]


class Signature:
    """Which inputs of a compiled program differ by row, and which outputs are summed.

    Args:
        program: the program.
        row_inputs: for each input whether it differs by row; None for a single point.
        sums: for each output whether it is summed over the rows; None for none.

    Raises:
        ValueError: for flags that do not fit the program.
    """

    def __init__(self, program: Program, row_inputs: Sequence[bool] | None,
                 sums: Sequence[bool] | None) -> None:
        n_outputs = len(program.outputs)
        self.by_rows = row_inputs is not None
        self.is_row = tuple(row_inputs or (False,) * program.n_inputs)
        self.is_sum = (False,) * n_outputs if sums is None else tuple(sums)
        if len(self.is_row) != program.n_inputs:
            raise ValueError(f"row_inputs has {len(self.is_row)} flags for {program.n_inputs} "
                             "inputs")
        if len(self.is_sum) != n_outputs:
            raise ValueError(f"sums has {len(self.is_sum)} flags for {n_outputs} outputs")
        if any(self.is_sum) and not self.by_rows:
            raise ValueError("sums are over rows; say with row_inputs which inputs differ by row")
        self.n_rows_in = sum(self.is_row)

    def arrays(self, scalars: Any, rows: Any) -> tuple[Array, Array | None]:
        """The inputs as float arrays, checked: shape (n_scalars,) and (n_row_inputs, n) or None.

        Raises:
            ValueError: for arrays of a wrong shape.
        """
        n_scalars = len(self.is_row) - self.n_rows_in
        numbers = np.asarray(scalars, dtype=float)
        if numbers.shape != (n_scalars,):
            raise ValueError(f"the program takes {n_scalars} scalars, not an array of shape "
                             f"{numbers.shape}")
        if not self.by_rows:
            return numbers, None
        table = None if rows is None else np.asarray(rows, dtype=float)
        if table is None or table.ndim != 2 or len(table) != self.n_rows_in:
            raise ValueError(f"the program takes rows of shape ({self.n_rows_in}, n), not "
                             f"{None if table is None else table.shape}")
        return numbers, table

    def inputs(self, scalars: Any, rows: Any) -> tuple[list[Any], int]:
        """The inputs in the program's order, numbers or arrays of rows, and the count of rows.

        Raises:
            ValueError: for arrays of a wrong shape.
        """
        numbers, table = self.arrays(scalars, rows)
        if table is None:
            return list(numbers), 1
        one, many = iter(numbers), iter(table)
        return [next(many) if row else next(one) for row in self.is_row], table.shape[1]

    def results(self, outputs: Array, ok: Array) -> tuple[Array, Array | None, Any]:
        """What a kernel returns, from all outputs, shape (n_outputs, n), and guards, shape (n,)."""
        if not self.by_rows:
            return outputs[:, 0], None, bool(ok[0])
        is_sum = np.array(self.is_sum, dtype=bool)
        with np.errstate(all="ignore"):  # inf and nan are results, too
            return outputs[is_sum].sum(axis=1), outputs[~is_sum], ok


__all__ = ["Array", "Compile", "InMemory", "Kernel", "OnThreads", "Provisional", "Results",
           "SeesFinite", "Signature", "Unsupported"]
