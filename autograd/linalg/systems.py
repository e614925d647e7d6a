"""Inverses, determinants and linear systems.

Derivatives: Giles, "An extended collection of matrix derivative results" (2008).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.contractions import total
from autograd.core.linear_maps import vjp
from autograd.core.linear_systems import as_floats, as_matrix, eliminated, solve_system
from autograd.core.primitives import TABLE, absolute, log, prod
from autograd.core.typing import Array
from autograd.core.value import numbers
from autograd.linalg.stacks import as_given, matrices, over_stack


class SlogdetResult(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


def solve(a: Any, b: Any) -> Any:
    """The x with ``a @ x == b``, as ``np.linalg.solve``.

    Args:
        a: square matrices, shape (..., n, n).
        b: shape (n,), or matrices (..., n, k).

    Returns:
        Shape (n,) or (..., n, k); for a stack and one vector b (..., n).

    Raises:
        np.linalg.LinAlgError: for a singular matrix, or shapes that do not fit.
    """
    matrix, right = matrices(a, "solve", square=True), as_given(b)
    if not right.ndim or right.shape[0 if right.ndim == 1 else -2] != matrix.shape[-1]:
        raise np.linalg.LinAlgError(f"solve(a, b): a of shape {matrix.shape} does not fit b of "
                                    f"shape {right.shape}")
    if right.ndim > 1:
        return over_stack(solve_system, matrix, right)
    if matrix.ndim == 2:
        return solve_system(matrix, right)
    return over_stack(solve_system, matrix, right[:, None])[..., 0]


def inv(a: Any) -> Any:
    """The inverse, as ``np.linalg.inv``; to solve a system, ``solve`` is more accurate.

    Args:
        a: square matrices, shape (..., n, n).

    Returns:
        Shape (..., n, n).

    Raises:
        np.linalg.LinAlgError: for a singular matrix.
    """
    return over_stack(_inverse, matrices(a, "inv", square=True))


def det(a: Any) -> Any:
    """The determinant, as ``np.linalg.det``; singular matrices have a derivative, too.

    Args:
        a: square matrices, shape (..., n, n).

    Returns:
        Shape (...).
    """
    return over_stack(_determinant, matrices(a, "det", square=True))


def slogdet(a: Any) -> SlogdetResult:
    """The sign and the logarithm of the absolute determinant, as ``np.linalg.slogdet``.

    The derivative of the sign is 0.

    Args:
        a: square matrices, shape (..., n, n).

    Returns:
        (sign, logabsdet), each of shape (...).

    Raises:
        np.linalg.LinAlgError: for a singular matrix, whose logarithm has no derivative.
    """
    matrix = matrices(a, "slogdet", square=True)
    return SlogdetResult(*over_stack(_sign_and_log_of, matrix))


def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """The x with ``np.tensordot(a, x, x.ndim) == b``, as ``np.linalg.tensorsolve``.

    Args:
        a: an array of the shape of b, then that of x, with as many numbers in the one as the other.
        b: an array.
        axes: those of a to move to its end before, if any.

    Returns:
        x, of the shape that is left of that of a.

    Raises:
        np.linalg.LinAlgError: for shapes that are no square system, and a singular one.
    """
    tensor, right = as_given(a), as_given(b)
    if axes is not None:
        order = [k for k in range(tensor.ndim) if k not in axes] + list(axes)
        tensor = tensor.transpose(order)
    shape = tensor.shape[right.ndim:]
    size = math.prod(shape)
    if right.size != size or tensor.size != size * size:
        raise np.linalg.LinAlgError(f"tensorsolve(a, b): a of shape {tensor.shape} is no square "
                                    f"system for b of shape {right.shape}")
    return solve(tensor.reshape(size, size), right.ravel()).reshape(shape)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """The inverse of a tensor, as ``np.linalg.tensorinv``: of a as a matrix.

    Args:
        a: an array, with as many numbers in the first ``ind`` axes as in the others.
        ind: how many of the first axes are the rows of the matrix.

    Returns:
        The inverse, with the axes behind the first ``ind`` in front.

    Raises:
        ValueError: for an ind below 1.
        np.linalg.LinAlgError: for a matrix that is not square, and a singular one.
    """
    if ind <= 0:
        raise ValueError(f"ind is how many of the first axes are the rows, at least 1, not {ind}")
    tensor = as_given(a)
    shape = tensor.shape[ind:] + tensor.shape[:ind]
    return inv(tensor.reshape(math.prod(tensor.shape[:ind]), -1)).reshape(shape)


# --- one matrix -----------------------------------------------------------------------------------

def _recorded_inverse(matrix: Any) -> Array:
    return as_matrix(eliminated(matrix, np.eye(len(matrix))).solution, np.shape(matrix))


_inverse = ArrayPrimitive(
    lambda matrix: np.linalg.inv(as_floats(matrix)), name="inv", recorded=_recorded_inverse,
    vjp=lambda cotangent, inverse, matrix: -(inverse.T @ cotangent @ inverse.T),
    jvp=lambda tangents, inverse, matrix: -(inverse @ tangents[0] @ inverse))


def _adjugate(matrix: Any) -> Array:
    """The cofactors, by singular values: of a singular matrix as well.

    Rows and columns are first brought to one size, or the rounding of the largest would be more
    than the smallest are.
    """
    scaled = as_floats(matrix)
    rows = np.frexp(np.max(np.abs(scaled), axis=1, initial=0.0))[1]
    scaled = np.ldexp(scaled, -rows[:, None])
    columns = np.frexp(np.max(np.abs(scaled), axis=0, initial=0.0))[1]
    left, sizes, right = np.linalg.svd(np.ldexp(scaled, -columns))
    others = np.array([np.prod(np.delete(sizes, i)) for i in range(len(sizes))])
    sign = np.rint(np.linalg.det(left) * np.linalg.det(right))
    cofactors: Array = np.ldexp(sign * (left * others) @ right,
                                (rows.sum() - rows)[:, None] + columns.sum() - columns)
    return cofactors


NEARLY = 1e-6  # of the largest singular value: from there on a matrix counts as singular
MOST_BY_POLYNOMIALS = 12  # rows; rounding errors grow with each


def _is_singular(matrix: Any) -> bool:
    bare_numbers = np.array(numbers(np.ravel(matrix).tolist()), dtype=float)
    sizes = np.linalg.svd(bare_numbers.reshape(np.shape(matrix)), compute_uv=False)
    return bool(len(sizes)) and bool(sizes[-1] <= NEARLY * sizes[0])


def _polynomials(matrix: Any) -> tuple[Any, Array]:
    """The determinant and the cofactors without a division by a pivot (Faddeev and LeVerrier).

    Raises:
        np.linalg.LinAlgError: for so large a matrix that rounding errors would tell.
    """
    n = len(matrix)
    if n > MOST_BY_POLYNOMIALS:
        raise np.linalg.LinAlgError(
            f"the determinant of a singular matrix of {n} rows has no second derivative here, and "
            f"cannot be compiled, but up to {MOST_BY_POLYNOMIALS} rows; call grad of it outside of "
            "jit, or write slogdet of a matrix that is not singular")
    identity, adjugate, coefficient = np.eye(n), np.eye(n), 1.0
    for k in range(1, n + 1):
        product = matrix @ adjugate
        coefficient = np.trace(product) / -k
        if k < n:
            adjugate = product + coefficient * identity
    sign = (-1.0) ** n
    return sign * coefficient, -sign * adjugate.T


def _hadamard(matrix: Any) -> float:
    """A bound of the determinant and of the cofactors, by the lengths of rows (Hadamard)."""
    lengths = np.linalg.norm(as_floats(matrix), axis=1)
    return float(np.prod(lengths) + np.prod(np.sort(lengths)[1:]))


def _recorded_cofactors(matrix: Any) -> Array:
    if _is_singular(matrix):
        return _polynomials(matrix)[1]
    found = eliminated(matrix, np.eye(len(matrix)))
    inverse = as_matrix(found.solution, np.shape(matrix))
    cofactors: Array = (found.sign * prod(found.pivots) * inverse).T
    return cofactors


def _cofactors_vjp(cotangent: Any, cofactors: Any, matrix: Any) -> Any:
    if _is_singular(matrix):
        return vjp(lambda of: _polynomials(of)[1], (matrix,))[1](cotangent)[0]
    turned = inv(matrix).T
    return (cotangent * cofactors).sum() * turned - cofactors @ cotangent.T @ turned


_cofactors: Any = ArrayPrimitive(_adjugate, name="cofactors", vjp=_cofactors_vjp,
                                 recorded=_recorded_cofactors, scale=_hadamard)


def _recorded_determinant(matrix: Any) -> Any:
    if _is_singular(matrix):
        return _polynomials(matrix)[0]
    found = eliminated(matrix, np.zeros((len(matrix), 0)))
    return found.sign * prod(found.pivots)


_determinant = ArrayPrimitive(
    lambda matrix: float(np.linalg.det(as_floats(matrix))), name="det",
    recorded=_recorded_determinant, scale=_hadamard,
    vjp=lambda cotangent, determinant, matrix: cotangent * _cofactors(matrix),
    jvp=lambda tangents, determinant, matrix: (tangents[0] * _cofactors(matrix)).sum())


def _sign_and_log(matrix: Any) -> tuple[float, float]:
    sign, logarithm = map(float, np.linalg.slogdet(as_floats(matrix)))
    if sign == 0.0:
        raise np.linalg.LinAlgError("slogdet of a singular matrix is -inf, and has no derivative")
    return sign, logarithm


def _recorded_sign_and_log(matrix: Any) -> tuple[Any, Any]:
    found = eliminated(matrix, np.zeros((len(matrix), 0)))
    return (found.sign * prod(list(map(TABLE["sign"], found.pivots))),
            total([log(absolute(pivot)) for pivot in found.pivots]))


_sign_and_log_of = ArrayPrimitive(
    _sign_and_log, name="slogdet", recorded=_recorded_sign_and_log,
    vjp=lambda cotangents, results, matrix: cotangents[1] * inv(matrix).T,
    jvp=lambda tangents, results, matrix: (0.0, (tangents[0] * inv(matrix).T).sum()))
