"""Linear systems as a primitive of arrays: LAPACK on numbers, elimination where it is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.arrays import ArrayOfValues, bare
from autograd.core.contractions import as_objects, dot_of
from autograd.core.pytrees import as_array
from autograd.core.typing import Array
from autograd.core.value import Value


def as_floats(array: Any) -> Array:
    """An array of numbers as NumPy's own linear algebra takes it."""
    return np.asarray(bare(array), dtype=float)


def as_rows(matrix: Any) -> list[list[Any]]:
    """A matrix as a list of its rows, Values and floats."""
    rows: list[list[Any]] = as_objects(matrix).tolist()
    return rows


def as_matrix(rows: Sequence[Sequence[Any]], shape: tuple[int, ...]) -> Array:
    """The other way round."""
    return as_array([x for row in rows for x in row], shape)


def chosen(condition: Any, rows: Sequence[Sequence[Any]], others: Sequence[Sequence[Any]],
           ) -> list[list[Any]]:
    """Each row where a condition holds, else the other one; a recording chooses at each replay.

    Args:
        condition: a comparison of two arrays of one element.
    """
    found = np.where(condition, as_objects(rows).view(ArrayOfValues),
                     as_objects(others).view(ArrayOfValues))
    return as_rows(found)


def cell(x: Any) -> Array:
    """An array of one element: comparisons of these need not be branches."""
    array = np.empty(1, dtype=object)
    array[0] = x
    return array.view(ArrayOfValues)


class Eliminated(NamedTuple):
    """What elimination finds.

    Attributes:
        solution: for each column of the right side, as rows.
        pivots: of which the determinant is the product, times ``sign``.
        sign: 1 or -1, by how many rows changed places.
    """

    solution: list[list[Any]]
    pivots: list[Any]
    sign: Any


def eliminated(matrix: Any, right: Any) -> Eliminated:
    """Crout's elimination of a matrix and columns on its right side.

    The pivots are the largest of their columns, and are chosen without a branch: what is recorded
    holds for any matrix.
    """
    n = len(matrix)
    rows = [[*row, *rest] for row, rest in zip(as_rows(matrix), as_rows(right), strict=True)]
    sign: Any = Value(1.0)  # a number would make the choice a branch
    for k in range(n):
        upper = [row[k] for row in rows[:k]]
        for row in rows[k:]:
            row[k] = _less(row[k], row[:k], upper)
        for i in range(k + 1, n):
            larger = np.abs(cell(rows[i][k])) > np.abs(cell(rows[k][k]))
            sign = chosen(larger, [[-sign]], [[sign]])[0][0]
            rows[k], rows[i] = chosen(larger, [rows[i], rows[k]], [rows[k], rows[i]])
        top = rows[k]
        for j in range(k + 1, len(top)):
            top[j] = _less(top[j], top[:k], [row[j] for row in rows[:k]]) / top[k]
    solution = [row[n:] for row in rows]
    for i in range(n - 2, -1, -1):
        for j in range(len(solution[i])):
            solution[i][j] = _less(solution[i][j], rows[i][i + 1:n],
                                   [row[j] for row in solution[i + 1:]])
    return Eliminated(solution, [rows[k][k] for k in range(n)], sign)


def _less(x: Any, left: Sequence[Any], right: Sequence[Any]) -> Any:
    """x less a sum of products."""
    return x - dot_of(left, right) if left else x


def _solved(matrix: Any, right: Any) -> Array:
    found: Array = np.linalg.solve(as_floats(matrix), as_floats(right))
    return found


def _solve_vjp(cotangent: Any, x: Any, matrix: Any, right: Any) -> tuple[Any, Any]:
    # Giles, "An extended collection of matrix derivative results" (2008), section 2.3.1.
    by_right = solve_system(matrix.T, cotangent)
    if x.ndim == 1:
        return -np.outer(by_right, x), by_right
    return -(by_right @ x.T), by_right


def _solve_jvp(tangents: tuple[Any, Any], x: Any, matrix: Any, right: Any) -> Any:
    by_matrix, by_right = tangents
    change = np.zeros(np.shape(x)) if by_right is None else by_right
    return solve_system(matrix, change if by_matrix is None else change - by_matrix @ x)


def _recorded(matrix: Any, right: Any) -> Array:
    columns = right if right.ndim == 2 else right[:, None]
    return as_matrix(eliminated(matrix, columns).solution, np.shape(right))


solve_system = ArrayPrimitive(_solved, vjp=_solve_vjp, jvp=_solve_jvp, name="solve",
                              recorded=_recorded)
