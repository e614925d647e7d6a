"""Linear systems as a primitive of arrays: LAPACK on numbers, elimination where it is recorded."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.typing import Array


def _solved(matrix: Any, right: Any) -> Array:
    found: Array = np.linalg.solve(matrix, right)
    return found


def _solve_vjp(cotangent: Any, x: Any, matrix: Any, right: Any) -> tuple[Any, Any]:
    # Giles, "An extended collection of matrix derivative results" (2008), section 2.3.1.
    by_right = solve_system(matrix.T, cotangent)
    return -np.outer(by_right, x), by_right


def _solve_jvp(tangents: tuple[Any, Any], x: Any, matrix: Any, right: Any) -> Any:
    by_matrix, by_right = tangents
    change = np.zeros(len(x)) if by_right is None else by_right
    return solve_system(matrix, change if by_matrix is None else change - by_matrix @ x)


def _eliminated(matrix: Any, right: Any) -> Any:
    """Gauss's elimination with partial pivoting, written out."""
    rows = [[*row, last] for row, last in zip(matrix.tolist(), right.tolist(), strict=True)]
    count = len(rows)
    for column in range(count):
        pivot = max(range(column, count), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        top = rows[column]
        for row in rows[column + 1:]:
            factor = row[column] / top[column]
            for k in range(column + 1, count + 1):
                row[k] = row[k] - factor * top[k]
    found: list[Any] = [0.0] * count
    for place in reversed(range(count)):
        rest = rows[place][count]
        for k in range(place + 1, count):
            rest = rest - rows[place][k] * found[k]
        found[place] = rest / rows[place][place]
    result = np.empty(count, dtype=object)
    result[:] = found
    return result


solve_system = ArrayPrimitive(_solved, vjp=_solve_vjp, jvp=_solve_jvp, name="solve",
                              recorded=_eliminated)
