"""Least squares, pseudo-inverses, and norms by singular values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.contractions import as_objects
from autograd.core.linear_systems import as_floats, as_matrix, as_rows, solve_system
from autograd.core.typing import Array
from autograd.core.value import program_writer
from autograd.linalg.factorizations import data_of, qr, svdvals
from autograd.linalg.rotations import rotated
from autograd.linalg.stacks import as_given, matrices, over_stack
from autograd.linalg.systems import inv


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The pseudo-inverse, as ``np.linalg.pinv``.

    Derivative: Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least
    squares problems whose variables separate" (1973); for matrices that keep their rank.

    Args:
        a: matrices of shape (..., m, n).
        rcond, rtol: the size of singular values, by the largest, that count as 0; NumPy's default
            if both are left out.
        hermitian: changes nothing but in NumPy the way of computing.

    Returns:
        Shape (..., n, m).
    """
    cutoff = rtol if rcond is None else rcond
    options = {} if cutoff is None else {"cutoff": float(cutoff)}
    return over_stack(lambda one: _pinv(one, **options), matrices(a, "pinv"))


def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, Any, int, Any]:
    """The x that makes ``a @ x - b`` shortest, as ``np.linalg.lstsq``.

    Args:
        a: shape (m, n).
        b: shape (m,) or (m, k).
        rcond: as for :func:`pinv`.

    Returns:
        x; the sums of squares that are left, of a matrix of full rank with more rows than columns,
        else an empty array; the rank, a plain number; the singular values.

    Raises:
        np.linalg.LinAlgError: for shapes that do not fit.
    """
    matrix, right = as_given(a), as_given(b)
    if matrix.ndim != 2 or right.ndim not in (1, 2) or len(matrix) != len(right):
        raise np.linalg.LinAlgError(f"lstsq(a, b): a of shape {matrix.shape} does not fit b of "
                                    f"shape {right.shape}")
    m, n = matrix.shape
    cutoff = _EPSILON * max(m, n) if rcond is None else _EPSILON if rcond < 0.0 else float(rcond)
    x, sizes = pinv(matrix, cutoff) @ right, _sizes(matrix)
    rank = _count(sizes, cutoff * sizes[0]) if len(sizes) else 0
    rest = matrix @ x - right
    squares = np.sum(rest * rest, axis=0) if rank == n < m else np.array([])
    return x, np.atleast_1d(squares), rank, sizes


def matrix_rank(a: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """How many singular values are not 0, as ``np.linalg.matrix_rank``; a plain number.

    A compiled function decides by it, and has a recording for each.

    Args:
        a: matrices of shape (..., m, n).
        tol: the size of singular values that count as 0; NumPy's default if it is left out.
        hermitian: changes nothing but in NumPy the way of computing.
        rtol: the same by the largest singular value; not beside tol.
    """
    array = as_given(a)
    if array.ndim > 1 and program_writer() is not None:
        bounds = np.broadcast_to(np.nan if tol is None else tol, array.shape[:-2])[..., None, None]
        return over_stack(lambda one, bound: _rank(one, bound.item(), rtol), array, bounds)
    options = {} if rtol is None else {"rtol": rtol}
    return np.linalg.matrix_rank(data_of(array), tol, hermitian, **options)


def cond(x: Any, p: Any = None) -> Any:
    """The condition number, as ``np.linalg.cond``: the norm times that of the inverse.

    Args:
        x: matrices of shape (..., m, n); square ones for another p than None, 2 and -2.
        p: the norm, as ``np.linalg.norm`` takes it; None means 2: the largest singular value by
            the smallest.

    Returns:
        Shape (...).

    Raises:
        np.linalg.LinAlgError: for a singular matrix, where the inverse is needed.
    """
    stack = matrices(x, "cond")
    if p in (None, 2, -2):
        sizes = svdvals(stack)
        largest, smallest = sizes[..., 0], sizes[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return np.linalg.norm(stack, p, axis=(-2, -1)) * np.linalg.norm(
        inv(stack), p, axis=(-2, -1))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.linalg.norm`` of matrices by their singular values: ord 2, -2 or "nuc".

    Args:
        x: an array.
        ord: of which other values NumPy's function takes care.
        axis: the two axes of the matrices; the last two if it is left out.
        keepdims: whether these axes stay, with the length 1.

    Returns:
        The shape of x without the two axes.

    Raises:
        ValueError: for an order that there is not.
    """
    array = as_given(x)
    axes = (-2, -1) if axis is None else tuple(axis)
    places = tuple(place % array.ndim for place in axes)
    sizes = svdvals(np.moveaxis(array, places, (-2, -1)))
    if ord == "nuc":
        found = np.sum(sizes, axis=-1)
    elif ord in (2, -2):
        found = sizes[..., 0 if ord == 2 else -1]
    else:
        raise ValueError(f"np.linalg.norm of a matrix has no order {ord!r}; write 1, -1, 2, -2, "
                         "inf, -inf, 'fro' or 'nuc'")
    if not keepdims:
        return found
    shape = [1 if place in places else size for place, size in enumerate(array.shape)]
    return np.reshape(found, shape)


# --- one matrix -----------------------------------------------------------------------------------

_EPSILON = float(np.finfo(float).eps)
_CLEAR = 1e-10  # a matrix whose R has no smaller diagonal, relatively, has full rank


def _pinv_of(matrix: Any, cutoff: float | None = None) -> Array:
    found: Array = (np.linalg.pinv(as_floats(matrix)) if cutoff is None else
                    np.linalg.pinv(as_floats(matrix), cutoff))
    return found


def _recorded_pinv(matrix: Any, cutoff: float = 1e-15) -> Any:
    """By QR, of a matrix that is clearly of full rank; else by singular values, of one rank."""
    m, n = np.shape(matrix)
    if m < n:
        return _recorded_pinv(matrix.T, cutoff).T
    q, r = qr(matrix)
    diagonal = np.abs(np.diagonal(r)).tolist()
    if cutoff < _CLEAR and min(diagonal) > _CLEAR * max(diagonal):
        return solve_system(r, q.T)
    sizes, left, right = rotated(as_rows(as_objects(matrix).T))
    rank = _count(sizes, cutoff * sizes[0])
    heights = as_matrix([sizes[:rank]], (rank, 1))
    return (as_matrix(right[:rank], (rank, n)) / heights).T @ (
        as_matrix(left[:rank], (rank, m)) / heights)


def _sizes(matrix: Any) -> Any:
    """The singular values; where a program is written, without the vectors, which 0 has not."""
    if program_writer() is None:
        return svdvals(matrix)
    m, n = matrix.shape
    smaller = matrix if m == n else qr(matrix if m > n else matrix.T, "r")
    sizes = rotated(as_rows(as_objects(smaller).T))[0]
    return as_matrix([sizes], (len(sizes),))


def _count(sizes: Iterable[Any], bound: Any) -> int:
    """How many singular values are above a bound."""
    return sum(bool(size > bound) for size in sizes)


def _rank(matrix: Any, bound: float, rtol: Any) -> int:
    sizes = _sizes(matrix)
    if not len(sizes):
        return 0
    if np.isnan(bound):
        bound = sizes[0] * (_EPSILON * max(matrix.shape) if rtol is None else rtol)
    return _count(sizes, bound)


def _pinv_vjp(cotangent: Any, inverse: Any, matrix: Any, cutoff: float | None = None) -> Any:
    m, n = np.shape(matrix)
    left, right = np.eye(m) - matrix @ inverse, np.eye(n) - inverse @ matrix
    return (left @ cotangent.T @ (inverse @ inverse.T) + (inverse.T @ inverse) @ cotangent.T @ right
            - inverse.T @ cotangent @ inverse.T)


_pinv = ArrayPrimitive(_pinv_of, name="pinv", vjp=_pinv_vjp, recorded=_recorded_pinv)

__all__ = ["cond", "lstsq", "matrix_rank", "norm", "pinv"]
