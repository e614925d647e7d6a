"""Factorizations: Cholesky's, QR, eigenvalues of symmetric matrices, singular values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.contractions import as_objects, dot_of
from autograd.core.linear_systems import as_floats, as_matrix, as_rows, cell, chosen, solve_system
from autograd.core.primitives import copysign, norm, sqrt
from autograd.core.typing import Array
from autograd.core.value import Value, numbers
from autograd.linalg.rotations import decomposed, diagonalized
from autograd.linalg.stacks import matrices, over_stack


class QRResult(NamedTuple):
    """A matrix with orthonormal columns and an upper triangular one."""

    Q: Any
    R: Any


class EighResult(NamedTuple):
    """Eigenvalues, ascending, and the eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """Left singular vectors as columns, singular values descending, right ones as rows."""

    U: Any
    S: Any
    Vh: Any


def cholesky(a: Any, /, *, upper: bool = False) -> Any:
    """The lower triangular L with ``L @ L.T == a``, as ``np.linalg.cholesky``.

    One triangle of a is read; the derivative is by its numbers. Derivative: Murray,
    "Differentiation of the Cholesky decomposition" (2016), equation 10.

    Args:
        a: symmetric positive definite matrices, shape (..., n, n).
        upper: whether the upper triangle is read, not the lower one, and L.T is returned.

    Returns:
        Shape (..., n, n).

    Raises:
        np.linalg.LinAlgError: for a matrix that is not positive definite.
    """
    stack = matrices(a, "cholesky", square=True)
    if upper:
        return over_stack(lambda one: _cholesky(one.T).T, stack)
    return over_stack(_cholesky, stack)


def qr(a: Any, mode: str = "reduced") -> Any:
    """Orthonormal columns Q and an upper triangular R with ``Q @ R == a``, as ``np.linalg.qr``.

    Derivative: Roberts and Roberts, "QR and LQ decomposition matrix backpropagation algorithms"
    (2020).

    Args:
        a: matrices of shape (..., m, n), of full rank.
        mode: "reduced", or "r" for R alone.

    Returns:
        (Q, R) of shapes (..., m, k) and (..., k, n), where k is the smaller of m and n.

    Raises:
        ValueError: for another mode.
        np.linalg.LinAlgError: for a derivative where the first columns depend on each other.
    """
    if mode not in ("reduced", "r"):
        raise ValueError(f"qr of Values knows the modes 'reduced' and 'r', not {mode!r}: the other "
                         "columns of a complete Q are free, and have no derivative")
    q, r = over_stack(_qr_of, matrices(a, "qr"))
    return r if mode == "r" else QRResult(q, r)


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues and eigenvectors of symmetric matrices, as ``np.linalg.eigh``.

    One triangle of a is read; the derivative is by its numbers. Derivative: Giles, "An extended
    collection of matrix derivative results" (2008), section 3.1.

    Args:
        a: matrices of shape (..., n, n).
        UPLO: "L" for the lower triangle, "U" for the upper one.

    Returns:
        (eigenvalues, eigenvectors): shape (..., n), ascending, and (..., n, n), in columns.

    Raises:
        ValueError: for a derivative of eigenvectors of equal eigenvalues.
    """
    if UPLO.upper() not in ("L", "U"):
        raise ValueError(f"UPLO is 'L' or 'U', not {UPLO!r}")
    stack = matrices(a, "eigh", square=True)
    options = {"triangle": "U"} if UPLO.upper() == "U" else {}
    return EighResult(*over_stack(lambda one: _eigh(one, **options), stack))


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of :func:`eigh` alone, which have a derivative where no two are equal.

    Args:
        a, UPLO: as for :func:`eigh`.

    Returns:
        Shape (..., n), ascending.
    """
    return eigh(a, UPLO).eigenvalues


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True,
        hermitian: bool = False) -> Any:
    """Singular values and vectors, as ``np.linalg.svd``.

    Derivative: Townsend, "Differentiating the singular value decomposition" (2016).

    Args:
        a: matrices of shape (..., m, n).
        full_matrices: must be False for matrices that are not square: the vectors beyond the
            singular values are free, and have no derivative.
        compute_uv: False for the singular values alone.
        hermitian: changes nothing but in NumPy the way of computing.

    Returns:
        (U, S, Vh) of shapes (..., m, k), (..., k) and (..., k, n), where k is the smaller of m and
        n; without compute_uv S alone. S is descending, and ``U * S @ Vh == a``.

    Raises:
        ValueError: for full matrices that are not square, and for a derivative of vectors of equal
            singular values, or of such that are 0.
    """
    stack = matrices(a, "svd")
    rows, columns = stack.shape[-2:]
    if compute_uv and full_matrices and rows != columns:
        raise ValueError("svd of Values: the singular vectors beyond the singular values are free, "
                         "and have no derivative; write full_matrices=False")
    found = SVDResult(*over_stack(_svd, stack))
    return found if compute_uv else found.S


def svdvals(x: Any, /) -> Any:
    """The singular values, descending, as ``np.linalg.svdvals``.

    Args:
        x: matrices of shape (..., m, n).

    Returns:
        Shape (..., min(m, n)).
    """
    return svd(x, full_matrices=False, compute_uv=False)


# --- parts of matrices ----------------------------------------------------------------------------

def _half_diagonal(matrix: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    return np.tril(matrix) * (1.0 - 0.5 * np.eye(len(matrix)))


def _by_lower_triangle(gradient: Any) -> Any:
    """From a derivative by a symmetric matrix that by the triangle that was read."""
    return np.tril(gradient + gradient.T) * (1.0 - 0.5 * np.eye(len(gradient)))


def _symmetric(matrix: Any) -> list[list[Any]]:
    """The rows of the symmetric matrix of which the lower triangle is read."""
    rows = as_rows(matrix)
    return [[rows[max(i, j)][min(i, j)] for j in range(len(rows))] for i in range(len(rows))]


def _symmetric_part(tangent: Any) -> Any:
    return np.tril(tangent) + np.tril(tangent, -1).T


# --- Cholesky -------------------------------------------------------------------------------------

def _recorded_cholesky(matrix: Any) -> Array:
    rows = as_rows(matrix)
    factor: list[list[Any]] = [[0.0] * len(rows) for _ in rows]
    for j, column in enumerate(factor):
        below = rows[j][j] - dot_of(column[:j], column[:j]) if j else rows[j][j]
        column[j] = sqrt(below)
        for i in range(j + 1, len(rows)):
            rest = rows[i][j] - dot_of(factor[i][:j], column[:j]) if j else rows[i][j]
            factor[i][j] = rest / column[j]
    return as_matrix(factor, np.shape(matrix))


def _cholesky_vjp(cotangent: Any, factor: Any, matrix: Any) -> Any:
    inner = _half_diagonal(factor.T @ cotangent)
    symmetric = 0.5 * (inner + inner.T)
    turned = solve_system(factor.T, symmetric)
    return _by_lower_triangle(solve_system(factor.T, turned.T))


def _cholesky_jvp(tangents: tuple[Any], factor: Any, matrix: Any) -> Any:
    change = _symmetric_part(tangents[0])
    inner = solve_system(factor, solve_system(factor, change).T)
    return factor @ _half_diagonal(inner)


_cholesky = ArrayPrimitive(lambda matrix: np.linalg.cholesky(as_floats(matrix)), name="cholesky",
                           vjp=_cholesky_vjp, jvp=_cholesky_jvp, recorded=_recorded_cholesky)


# --- QR -------------------------------------------------------------------------------------------

def _recorded_qr(matrix: Any) -> tuple[Array, Array]:
    """By Householder's reflections, with LAPACK's signs."""
    columns = as_rows(as_objects(matrix).T)
    n, m = len(columns), len(columns[0])
    mirrors: list[tuple[list[Any], Any, int]] = []
    turned_back = np.ones(min(m, n))
    for k in range(min(n, m - 1)):
        x = columns[k][k:]
        if all(below == 0.0 for below in x[1:]):  # a branch: LAPACK leaves the sign as it is
            if x[0] == 0.0 or not any(below.__class__ is Value for below in x[1:]):
                continue
            turned_back[k] = -1.0
        length = copysign(norm(x), x[0])
        mirror = [x[0] + length, *x[1:]]
        weight = 1.0 / (length * mirror[0])
        mirrors.append((mirror, weight, k))
        columns[k] = [*columns[k][:k], -length, *[0.0] * (m - k - 1)]
        for j in range(k + 1, n):
            columns[j] = _reflected(columns[j], mirror, weight, k)
    q = [_unreflected(np.eye(m)[i].tolist(), mirrors) for i in range(min(m, n))]
    upper = [[columns[j][i] if i <= j else 0.0 for j in range(n)] for i in range(min(m, n))]
    return (as_matrix([list(row) for row in zip(*q, strict=True)], (m, min(m, n))) * turned_back,
            as_matrix(upper, (min(m, n), n)) * turned_back[:, None])


def _reflected(column: list[Any], mirror: list[Any], weight: Any, k: int) -> list[Any]:
    part = weight * dot_of(mirror, column[k:])
    return [*column[:k], *[x - part * v for x, v in zip(column[k:], mirror, strict=True)]]


def _unreflected(column: list[Any], mirrors: list[tuple[list[Any], Any, int]]) -> list[Any]:
    for mirror in reversed(mirrors):
        column = _reflected(column, *mirror)
    return column


def _qr_vjp(cotangents: tuple[Any, Any], results: tuple[Any, Any], matrix: Any) -> Any:
    by_q, by_r = cotangents
    q, r = results
    inner = r @ by_r.T - by_q.T @ q
    copied = np.tril(inner) + np.tril(inner, -1).T
    _refuse_dependent(r)
    return solve_system(r, (by_q + q @ copied).T).T


def _refuse_dependent(r: Any) -> None:
    if any(x.__class__ is not Value and x == 0.0 for x in as_objects(np.diagonal(r)).tolist()):
        raise np.linalg.LinAlgError("qr has no derivative where the first columns depend on each "
                                    "other")


_qr = ArrayPrimitive(lambda matrix: tuple(np.linalg.qr(as_floats(matrix))), name="qr",
                     vjp=_qr_vjp, recorded=_recorded_qr)


def _qr_of(matrix: Any) -> tuple[Any, Any]:
    """Of a wide matrix the columns beyond the first square are those of Q, seen from it."""
    m, n = matrix.shape
    if m >= n:
        q, r = _qr(matrix)
        return q, r
    q, r = _qr(matrix[:, :m])
    return q, np.concatenate([r, q.T @ matrix[:, m:]], axis=1)


# --- eigenvalues ----------------------------------------------------------------------------------

_CLEARLY = 1.0 + 1e-6  # how much larger a component must be than one before it


def _signs(columns: list[list[Any]], wanted: Any) -> list[list[Any]]:
    """Columns with the sign that makes the largest component what it is in those wanted.

    Which component is the largest is chosen anew at each replay; the sign of it is constant.
    """
    found = []
    for column, given in zip(columns, np.transpose(wanted).tolist(), strict=True):
        largest, there = column[0], given[0]
        for x, y in zip(column[1:], given[1:], strict=True):
            larger = np.abs(cell(x)) > _CLEARLY * np.abs(cell(largest))
            largest = chosen(larger, [[x]], [[largest]])[0][0]
            there = y if abs(y) > _CLEARLY * abs(there) else there
        turn = copysign(1.0, largest * float(np.sign(there)))
        found.append([turn * x for x in column])
    return found


def _recorded_eigh(matrix: Any, triangle: str = "L") -> tuple[Array, Array]:
    values, columns = diagonalized(_symmetric(matrix.T if triangle == "U" else matrix))
    wanted = _eigh_of(data_of(matrix), triangle)[1]
    rows = [list(row) for row in zip(*_signs(columns, wanted), strict=True)]
    return as_matrix([values], (len(values),)), as_matrix(rows, np.shape(matrix))


def data_of(matrix: Any) -> Array:
    """The numbers of a matrix, of which no recording is told: they choose a sign that is free."""
    found: Array = np.array(numbers(as_objects(matrix).ravel().tolist())).reshape(np.shape(matrix))
    return found


def _eigh_of(matrix: Any, triangle: Any = "L") -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh(as_floats(matrix), triangle)
    return values, vectors


def _eigh_vjp(cotangents: tuple[Any, Any], results: tuple[Any, Any], matrix: Any,
              triangle: str = "L") -> Any:
    by_values, by_vectors = cotangents
    values, vectors = results
    inner = vectors.T @ by_vectors
    turned = _by_gaps(inner, values, "eigh: eigenvectors of equal eigenvalues have")
    found = _by_lower_triangle(vectors @ (np.diag(by_values) + turned) @ vectors.T)
    return found.T if triangle == "U" else found


def _by_gaps(inner: Any, values: Any, what: str) -> Any:
    """What does not vanish by symmetry of a product, by the differences of eigenvalues.

    Half of the antisymmetric part: (inner - inner.T)[i, j] / (2 (values[j] - values[i])).

    Raises:
        ValueError: for a difference of 0, unless nothing is divided by it.
    """
    n = len(values)
    rows, sizes = as_rows(inner), as_objects(values).tolist()
    found: list[list[Any]] = [[0.0] * n for _ in range(n)]
    for i in range(n):
        for j in range(i):
            change = rows[i][j] - rows[j][i]
            if change.__class__ is not Value and change == 0.0:
                continue
            gap = sizes[j] - sizes[i]
            if gap.__class__ is not Value and gap == 0.0:
                raise ValueError(f"{what} no derivative")
            found[i][j] = found[j][i] = 0.5 * (change / gap)
    return as_matrix(found, (n, n))


def _eigh_jvp(tangents: tuple[Any], results: tuple[Any, Any], matrix: Any,
              triangle: str = "L") -> tuple[Any, Any]:
    values, vectors = results
    tangent = tangents[0].T if triangle == "U" else tangents[0]
    inner = vectors.T @ _symmetric_part(tangent) @ vectors
    rows, sizes = as_rows(inner), as_objects(values).tolist()
    n = len(sizes)
    turned = [[rows[i][j] / (sizes[j] - sizes[i]) if i != j else 0.0 for j in range(n)]
              for i in range(n)]
    return np.diagonal(inner), vectors @ as_matrix(turned, (n, n))


_eigh = ArrayPrimitive(_eigh_of, name="eigh", vjp=_eigh_vjp, jvp=_eigh_jvp,
                       recorded=_recorded_eigh)


# --- singular values ------------------------------------------------------------------------------

def _svd_of(matrix: Any) -> tuple[Array, Array, Array]:
    left, sizes, right = np.linalg.svd(as_floats(matrix), full_matrices=False)
    return left, sizes, right


def _recorded_svd(matrix: Any) -> tuple[Array, Array, Array]:
    m, n = np.shape(matrix)
    wanted = _svd_of(data_of(matrix))
    if m < n:
        right, sizes, left = _rotated(matrix.T, wanted[2].T, wanted[0].T)
        return left.T, sizes, right.T
    return _rotated(matrix, wanted[0], wanted[2])


def _rotated(matrix: Any, wanted_left: Array, wanted_right: Array) -> tuple[Array, Array, Array]:
    """The same of a matrix with no more columns than rows; signs are as in what is wanted."""
    m, n = np.shape(matrix)
    sizes, left, right = decomposed(as_rows(as_objects(matrix).T))
    both = _signs([v + u for u, v in zip(left, right, strict=True)],
                  np.concatenate([wanted_right.T, wanted_left]))
    columns = zip(*[line[n:] for line in both], strict=True)
    return (as_matrix([list(row) for row in columns], (m, n)), as_matrix([sizes], (n,)),
            as_matrix([line[:n] for line in both], (n, n)))


def _svd_vjp(cotangents: tuple[Any, Any, Any], results: tuple[Any, Any, Any], matrix: Any) -> Any:
    by_left, by_sizes, by_right = cotangents
    left, sizes, right = results
    m, n = np.shape(matrix)
    if m < n:
        return _tall_vjp((by_right.T, by_sizes, by_left.T), (right.T, sizes, left.T)).T
    return _tall_vjp(cotangents, results)


def _tall_vjp(cotangents: tuple[Any, Any, Any], results: tuple[Any, Any, Any]) -> Any:
    """Of a matrix with no more columns than rows."""
    by_left, by_sizes, by_right = cotangents
    left, sizes, right = results
    squares = sizes * sizes
    what = "svd: singular vectors of equal singular values have"
    by_u = _by_gaps(left.T @ by_left, squares, what)
    by_v = _by_gaps(right @ by_right.T, squares, what)
    inner = np.diag(by_sizes) + 2.0 * (by_u * sizes + (by_v.T * sizes).T)
    full = left @ inner @ right
    if len(left) > len(sizes) and _any(by_left):
        rest = by_left - left @ (left.T @ by_left)
        full = full + _over(rest, sizes) @ right
    return full


def _any(array: Any) -> bool:
    return any(x.__class__ is Value or x != 0.0 for x in as_objects(array).ravel().tolist())


def _over(columns: Any, sizes: Any) -> Any:
    if any(x.__class__ is not Value and x == 0.0 for x in as_objects(sizes).tolist()):
        raise ValueError("svd: left singular vectors of the singular value 0 have no derivative")
    return columns / sizes


_svd = ArrayPrimitive(_svd_of, name="svd", vjp=_svd_vjp, recorded=_recorded_svd)

__all__ = ["EighResult", "QRResult", "SVDResult", "cholesky", "eigh", "eigvalsh",
           "qr", "svd", "svdvals"]
