"""Jacobi's rotations: eigenvalues and singular values in operations that can be recorded.

Every sweep goes through all pairs of columns; no step is a branch. Golub and Van Loan, "Matrix
Computations", 8.5 and 8.6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from autograd.core.contractions import dot_of
from autograd.core.linear_systems import cell, chosen
from autograd.core.primitives import copysign, hypot, norm

Columns = list[list[Any]]
_TINY = 1e-300


def sweeps(n: int) -> int:
    """How many sweeps make what is left smaller than the rounding; they converge squared."""
    return 6 + n.bit_length()


def diagonalized(rows: Sequence[Sequence[Any]]) -> tuple[list[Any], Columns]:
    """The eigenvalues of a symmetric matrix, ascending, and the eigenvectors as columns."""
    n = len(rows)
    matrix = [list(row) for row in rows]
    vectors = _identity(n)
    for _ in range(sweeps(n) if n > 1 else 0):
        for p, q in combinations(range(n), 2):
            _rotate(matrix, vectors, p, q)
    return _sorted([matrix[i][i] for i in range(n)], vectors, descending=False)


def decomposed(columns: Sequence[Sequence[Any]]) -> tuple[list[Any], Columns, Columns]:
    """The singular values of a matrix, descending, with the left and the right vectors.

    Args:
        columns: those of the matrix, of which no more are than rows.

    Returns:
        The values; the left and the right vectors as columns, as many as there are values.

    Raises:
        ZeroDivisionError: for a value of 0, which has no left vector.
    """
    sizes, turned, right = rotated(columns)
    return sizes, [[x / size for x in column] for column, size in zip(turned, sizes, strict=True)
                   ], right


def rotated(columns: Sequence[Sequence[Any]]) -> tuple[list[Any], Columns, Columns]:
    """The same with the left vectors times the values."""
    n = len(columns)
    turned, right = [list(column) for column in columns], _identity(n)
    for _ in range(sweeps(n) if n > 1 else 0):
        for p, q in combinations(range(n), 2):
            first, second = turned[p], turned[q]
            tangent = _tangent(dot_of(first, first), dot_of(second, second),
                               dot_of(first, second))
            for pair in (turned, right):
                pair[p], pair[q] = _turned(tangent, pair[p], pair[q])
    sizes = [norm(column) for column in turned]
    sizes, both = _sorted(sizes, [u + v for u, v in zip(turned, right, strict=True)],
                          descending=True)
    length = len(columns[0])
    return sizes, [column[:length] for column in both], [column[length:] for column in both]


def _identity(n: int) -> Columns:
    unit: Columns = np.eye(n).tolist()
    return unit


def _tangent(first: Any, second: Any, between: Any) -> Any:
    """Of the angle that makes the product of two columns, or the entry between, 0."""
    half = 0.5 * (second - first)
    # Where there is nothing to turn, 0 / 0 is 0 / _TINY.
    return between / (half + copysign(hypot(half, between) + _TINY, half))


def _turned(tangent: Any, first: Sequence[Any], second: Sequence[Any]) -> tuple[Any, Any]:
    cosine = 1.0 / hypot(1.0, tangent)
    sine = tangent * cosine
    return ([cosine * x - sine * y for x, y in zip(first, second, strict=True)],
            [sine * x + cosine * y for x, y in zip(first, second, strict=True)])


def _rotate(matrix: Columns, vectors: Columns, p: int, q: int) -> None:
    """One rotation of a symmetric matrix, in place."""
    between = matrix[p][q]
    tangent = _tangent(matrix[p][p], matrix[q][q], between)
    others = [k for k in range(len(matrix)) if k not in (p, q)]
    first, second = _turned(tangent, [matrix[k][p] for k in others],
                            [matrix[k][q] for k in others])
    for k, x, y in zip(others, first, second, strict=True):
        matrix[k][p] = matrix[p][k] = x
        matrix[k][q] = matrix[q][k] = y
    matrix[p][p] = matrix[p][p] - tangent * between
    matrix[q][q] = matrix[q][q] + tangent * between
    matrix[p][q] = matrix[q][p] = 0.0
    vectors[p], vectors[q] = _turned(tangent, vectors[p], vectors[q])


def _sorted(values: list[Any], columns: Columns, descending: bool) -> tuple[list[Any], Columns]:
    """Values with their columns in order, by comparisons of neighbours that are no branches."""
    lines = [[value, *column] for value, column in zip(values, columns, strict=True)]
    for end in range(len(lines) - 1, 0, -1):
        for i in range(end):
            low, high = (i + 1, i) if descending else (i, i + 1)
            swap = cell(lines[low][0]) > cell(lines[high][0])
            lines[i], lines[i + 1] = chosen(swap, [lines[i + 1], lines[i]],
                                            [lines[i], lines[i + 1]])
    return [line[0] for line in lines], [line[1:] for line in lines]
