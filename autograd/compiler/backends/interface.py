"""What every back end takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.program.program import Program

Array = np.ndarray[Any, Any]


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

    def inputs(self, scalars: Any, rows: Any) -> tuple[list[Any], int]:
        """The inputs in the program's order, numbers or arrays of rows, and the count of rows.

        Raises:
            ValueError: for arrays of a wrong shape.
        """
        n_scalars = len(self.is_row) - self.n_rows_in
        numbers = np.asarray(scalars, dtype=float)
        if numbers.shape != (n_scalars,):
            raise ValueError(f"the program takes {n_scalars} scalars, not an array of shape "
                             f"{numbers.shape}")
        if not self.by_rows:
            return list(numbers), 1
        table = None if rows is None else np.asarray(rows, dtype=float)
        if table is None or table.ndim != 2 or len(table) != self.n_rows_in:
            raise ValueError(f"the program takes rows of shape ({self.n_rows_in}, n), not "
                             f"{None if table is None else table.shape}")
        one, many = iter(numbers), iter(table)
        return [next(many) if row else next(one) for row in self.is_row], table.shape[1]

    def results(self, outputs: Array, ok: Array) -> tuple[Array, Array | None, Any]:
        """What a kernel returns, from all outputs, shape (n_outputs, n), and guards, shape (n,)."""
        if not self.by_rows:
            return outputs[:, 0], None, bool(ok[0])
        is_sum = np.array(self.is_sum, dtype=bool)
        with np.errstate(all="ignore"):  # inf and nan are results, too
            return outputs[is_sum].sum(axis=1), outputs[~is_sum], ok
