"""Sums of products of arrays: matrix products, einsum and their relatives, one node a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_letters
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.arrays import ArrayOfValues
from autograd.core.context import listeners_on
from autograd.core.primitive import as_float
from autograd.core.pytrees import as_array
from autograd.core.typing import Array
from autograd.core.value import Value, listener_here, new_node, numbers

_ALL_VALUES, _RECORDED = {Value}, {Value, float}
_DOT = primitives.TABLE["dot"]
Row = tuple[tuple[Any, ...], list[float], bool]  # operands, their numbers, whether Values are there


def as_objects(operand: Any) -> Array:
    """An array-like as a plain array of Values and of Python's floats.

    Raises:
        TypeError: for a masked array, which is more than its numbers.
    """
    if isinstance(operand, np.ma.MaskedArray):
        raise TypeError("a masked array is more than its numbers; write array.filled(0.0)")
    plain = np.asarray(operand)
    return plain if plain.dtype.kind == "O" else plain.astype(object)


def total(items: Sequence[Any]) -> Any:
    """The sum of some numbers and Values, as one node."""
    if len(items) > 2:
        return primitives.TABLE["sum"].apply(tuple(items))
    return items[0] + items[1] if len(items) == 2 else items[0] if items else 0.0


def dot_of(left: Sequence[Any], right: Sequence[Any]) -> Any:
    """The sum of the products of two sequences, as one node."""
    if len(left) == 1:
        return left[0] * right[0]
    return _sums_of_products([left], [right])[0] if left else 0.0


def _row(items: Sequence[Any]) -> Row:
    kinds = set(map(type, items))
    if kinds == _ALL_VALUES:
        return tuple(items), [x._data for x in items], True
    if not kinds <= _RECORDED:
        items = [x if x.__class__ is Value else as_float(x, "operand of dot") for x in items]
    return tuple(items), numbers(items), Value in kinds


def _sums_of_products(rows: Sequence[Sequence[Any]],
                      columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Of each row with each column, none of which is empty, a node."""
    prepared, results = list(map(_row, columns)), []
    listener = listener_here() if listeners_on else None
    for items, factors, has_values in map(_row, rows):
        for others, other_factors, have_values in prepared:
            number: Any = primitives.sum_of_products(factors, other_factors)
            if has_values or have_values:
                number = new_node(number, _DOT, items + others)
                if listener is not None:
                    listener.computed(number)
            results.append(number)
    return results


def _products(left: Array, right: Array) -> Array:
    """Along the last axis of both: (n, m, k) and (n, p, k) give (n, m, p)."""
    shape, length = (*left.shape[:2], right.shape[1]), left.shape[2]
    if shape[0] == 1 and length > 1:
        return _table(left[0].tolist(), right[0].tolist())[None]
    result = np.empty(shape, dtype=object)
    if length == 1:
        result[...] = left * right.reshape(shape[0], 1, shape[2])
    elif length == 0:
        result[...] = 0.0
    else:
        for place in range(shape[0]):
            result[place] = _table(left[place].tolist(), right[place].tolist())
    return result


def _table(rows: list[list[Any]], columns: list[list[Any]]) -> Array:
    """The products of each row with each column; none of them is empty."""
    return np.fromiter(_sums_of_products(rows, columns), object,
                       len(rows) * len(columns)).reshape(len(rows), len(columns))


def _finished(result: Array, shape: Sequence[int]) -> Any:
    """A result in its shape; without axes it is a number."""
    return result.reshape(shape).view(ArrayOfValues) if len(shape) else result.item()


# --- matrices -------------------------------------------------------------------------------------

def matmul(a: Any, b: Any) -> Any:
    """``a @ b``."""
    return _matrix_product(as_objects(a), as_objects(b))


def _matrix_product(left: Array, right: Array) -> Any:
    if not (left.ndim and right.ndim):
        raise ValueError("np.matmul needs arrays, not single numbers; write a * b")
    if left.shape[-1] != right.shape[-2 if right.ndim > 1 else 0]:
        raise ValueError(f"np.matmul: shapes {left.shape} and {right.shape} do not fit: the last "
                         "axis of the first is as long as the last but one of the second")
    row, column = left.ndim == 1, right.ndim == 1
    if row and column:
        return dot_of(left.tolist(), right.tolist())
    if left.ndim <= 2 and right.ndim <= 2 and left.shape[-1] > 1:
        table = _table([left.tolist()] if row else left.tolist(),
                       [right.tolist()] if column else right.T.tolist())
        return (table[0] if row else table[:, 0] if column else table).view(ArrayOfValues)
    left = left[None] if row else left
    right = right[None] if column else right.swapaxes(-1, -2)
    outer = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left, right = (np.broadcast_to(x, outer + x.shape[-2:]).reshape((-1, *x.shape[-2:]))
                   if outer else x[None] for x in (left, right))
    ends = (() if row else left.shape[1:2]) + (() if column else right.shape[1:2])
    return _finished(_products(left, right), outer + ends)


def dot(a: Any, b: Any) -> Any:
    """``np.dot``."""
    left, right = as_objects(a), as_objects(b)
    if left.ndim == 0 or right.ndim == 0:
        return np.multiply(a, b)
    if right.ndim <= 2:
        return _matrix_product(left, right)
    return tensordot(left, right, (left.ndim - 1, right.ndim - 2))


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """``np.tensordot``."""
    left, right = as_objects(a), as_objects(b)
    if isinstance(axes, int | np.integer):
        axes = range(left.ndim - axes, left.ndim), range(axes)
    first, second = ([axis] if isinstance(axis, int | np.integer) else list(axis) for axis in axes)
    first, second = [i % left.ndim for i in first], [i % right.ndim for i in second]
    if [left.shape[i] for i in first] != [right.shape[i] for i in second]:
        raise ValueError(f"np.tensordot: shapes {left.shape} and {right.shape} do not fit along "
                         f"the axes {first} and {second}")
    count = math.prod(left.shape[i] for i in first)
    parts, shape = [], ()
    for array, summed in ((left, first), (right, second)):
        others = [i for i in range(array.ndim) if i not in summed]
        shape += tuple(array.shape[i] for i in others)
        size = math.prod(array.shape[i] for i in others)
        parts.append(array.transpose(*others, *summed).reshape(1, size, count))
    return _finished(_products(*parts), shape)


def inner(a: Any, b: Any) -> Any:
    """``np.inner``."""
    left, right = as_objects(a), as_objects(b)
    if left.ndim == 0 or right.ndim == 0:
        return np.multiply(a, b)
    return tensordot(left, right, (-1, -1))


def vdot(a: Any, b: Any) -> Any:
    """``np.vdot``, and the dot of two arrays that are taken flat."""
    return primitives.dot(as_objects(a), as_objects(b))


def vecdot(a: Any, b: Any, axis: int = -1) -> Any:
    """``np.vecdot``: of the vectors along an axis."""
    left, right = np.broadcast_arrays(as_objects(a), as_objects(b))
    left, right = np.moveaxis(left, axis, -1), np.moveaxis(right, axis, -1)
    flat = [x.reshape(-1, 1, left.shape[-1]) for x in (left, right)]
    return _finished(_products(*flat), left.shape[:-1])


def matvec(a: Any, b: Any) -> Any:
    """``np.matvec``: of matrices and vectors."""
    return matmul(a, as_objects(b)[..., None])[..., 0]


def vecmat(a: Any, b: Any) -> Any:
    """``np.vecmat``: of vectors and matrices."""
    return matmul(as_objects(a)[..., None, :], b)[..., 0, :]


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: None = None) -> Any:
    """``np.trace``."""
    return np.sum(np.diagonal(np.asanyarray(a), offset, axis1, axis2), axis=-1)


# --- convolution ----------------------------------------------------------------------------------

def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """``np.convolve``."""
    first, second = (np.atleast_1d(as_objects(x)) for x in (a, v))
    if not (len(first) and len(second)):
        raise ValueError("np.convolve needs two sequences that are not empty")
    if len(second) > len(first):
        first, second = second, first
    n, m = len(first), len(second)
    turned, result = second[::-1], []
    for end in range(1, n + m):
        start = max(end - m, 0)
        stop = min(end, n)
        result.append(dot_of(first[start:stop].tolist(),
                             turned[m - end + start:m - end + stop].tolist()))
    cut = {"full": (0, n + m - 1), "same": ((m - 1) // 2, (m - 1) // 2 + n), "valid": (m - 1, n)}
    if mode not in cut:
        raise ValueError(f"np.convolve: mode is 'full', 'same' or 'valid', not {mode!r}")
    return as_array(result[slice(*cut[mode])], (-1,))


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """``np.correlate``."""
    first, second = (np.atleast_1d(as_objects(x)) for x in (a, v))
    if len(second) > len(first):
        return correlate(second, first, mode)[::-1]
    return convolve(first, second[::-1], mode)


# --- einsum ---------------------------------------------------------------------------------------

def einsum(*operands: Any, **options: Any) -> Any:
    """``np.einsum``: of two operands one dot a number, of more one pair after the other."""
    options.pop("optimize", None)
    if options:
        raise TypeError(f"np.einsum of Values takes no {', '.join(options)}")
    if not isinstance(operands[0], str):
        operands = _written(operands)
    arrays = [as_objects(x) for x in operands[1:]]
    inputs, output = _subscripts(operands[0], tuple(array.ndim for array in arrays))
    sizes = _sizes(inputs, arrays)
    terms = [_simple(letters, array, sizes) for letters, array in zip(inputs, arrays, strict=True)]
    while len(terms) > 1:
        first, second, *rest = terms
        wanted = "".join([output, *(letters for letters, _ in rest)])
        terms = [_pair(first, second, wanted, sizes), *rest]
    letters, array = _without(*terms[0], output)
    if letters != output:
        array = array.transpose([letters.index(letter) for letter in output])
    return array.view(ArrayOfValues) if output else array.item()


def _sizes(inputs: Sequence[str], arrays: Sequence[Array]) -> dict[str, int]:
    """How long the axis of each letter is."""
    sizes: dict[str, int] = {}
    for letters, array in zip(inputs, arrays, strict=True):
        for letter, size in zip(letters, array.shape, strict=True):
            known = sizes.setdefault(letter, size)
            if known != size:
                if 1 not in (size, known):
                    raise ValueError(f"np.einsum: the axis {letter!r} is {known} long in one "
                                     f"operand and {size} in another")
                sizes[letter] = max(size, known)
    return sizes


@lru_cache(maxsize=1024)
def _subscripts(text: str, axes: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The subscripts of the inputs and of the output, with letters in place of dots.

    Args:
        text: as NumPy takes it.
        axes: how many axes each operand has.
    """
    source, arrow, output = text.replace(" ", "").partition("->")
    inputs = source.split(",")
    if len(inputs) != len(axes):
        raise ValueError(f"np.einsum: {text!r} is of {len(inputs)} operands, not {len(axes)}")
    spare = "".join(letter for letter in ascii_letters if letter not in text)
    hidden = [count - len(letters) + 3 if "..." in letters else 0
              for letters, count in zip(inputs, axes, strict=True)]
    dots = spare[:max(hidden)]
    inputs = [letters.replace("...", dots[len(dots) - count:])
              for letters, count in zip(inputs, hidden, strict=True)]
    for letters, count in zip(inputs, axes, strict=True):
        if len(letters) != count:
            raise ValueError(f"np.einsum: the subscripts {letters!r} are of {len(letters)} axes, "
                             f"the operand has {count}")
    if arrow:
        if dots and "..." not in output:
            raise ValueError(f"np.einsum: {text!r} has '...' before the arrow alone")
        return tuple(inputs), output.replace("...", dots)
    everything = "".join(inputs)
    once = sorted(c for c in set(everything) - set(dots) if everything.count(c) == 1)
    return tuple(inputs), dots + "".join(once)


_LETTERS = "".join(sorted(ascii_letters))  # as NumPy sorts the axes of the result


def _written(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """The form with lists of numbers, a, [0, 1], b, [1, 2], [0, 2], as that with letters."""
    def text(places: Any) -> str:
        return "".join("..." if place is Ellipsis else _LETTERS[place] for place in places)

    pairs = len(operands) // 2
    source = ",".join(text(operands[2 * i + 1]) for i in range(pairs))
    arrow = f"->{text(operands[-1])}" if len(operands) % 2 else ""
    return (source + arrow, *operands[0:2 * pairs:2])


Term = tuple[str, Array]  # an array, and a letter for each of its axes


def _simple(letters: str, array: Array, sizes: dict[str, int]) -> Term:
    """A term in which no letter is repeated: diagonals are taken."""
    if 1 in array.shape:
        array = np.broadcast_to(array, [sizes[letter] for letter in letters])
    while len(set(letters)) < len(letters):
        letter = next(letter for letter in letters if letters.count(letter) > 1)
        first = letters.index(letter)
        second = letters.index(letter, first + 1)
        array = np.diagonal(array, 0, first, second)
        letters = letters[:first] + letters[first + 1:second] + letters[second + 1:] + letter
    return letters, array


def _without(letters: str, array: Array, wanted: str) -> Term:
    """A term summed over all axes that nobody wants."""
    if set(letters) <= set(wanted):
        return letters, array
    lone = [i for i, letter in enumerate(letters) if letter not in wanted]
    left = [i for i in range(array.ndim) if i not in lone]
    moved = array.transpose(*left, *lone)
    shape = moved.shape[:len(left)]
    result = np.empty(math.prod(shape), dtype=object)
    result[:] = [total(group) for group in moved.reshape(
        len(result), math.prod(moved.shape[len(left):])).tolist()]
    return "".join(letters[i] for i in left), result.reshape(shape)


def _pair(one: Term, other: Term, wanted: str, sizes: dict[str, int]) -> Term:
    """Two terms as one."""
    first, a = _without(*one, wanted + other[0])
    second, b = _without(*other, wanted + first)
    order_a, order_b, letters, parts = _plan(first, second, wanted)
    both, own_a, own_b, summed = ([sizes[letter] for letter in part] for part in parts)
    ends = math.prod(both), -1, math.prod(summed)
    if 0 in a.shape or 0 in b.shape:
        return letters, np.full([*both, *own_a, *own_b], 0.0, dtype=object)
    left, right = a.transpose(order_a).reshape(ends), b.transpose(order_b).reshape(ends)
    return letters, _products(left, right).reshape([*both, *own_a, *own_b])


@lru_cache(maxsize=1024)
def _plan(first: str, second: str, wanted: str) -> tuple[
        list[int], list[int], str, tuple[str, str, str, str]]:
    """How the axes of two terms are ordered, and those of their product.

    Returns:
        The order of the axes of each: those of both, those of its own, those that are summed; the
        letters of the product; these parts.
    """
    both = "".join(c for c in first if c in second and c in wanted)
    summed = "".join(c for c in first if c in second and c not in wanted)
    own_a = "".join(c for c in first if c not in second)
    own_b = "".join(c for c in second if c not in first)
    return ([first.index(c) for c in both + own_a + summed],
            [second.index(c) for c in both + own_b + summed],
            both + own_a + own_b, (both, own_a, own_b, summed))
