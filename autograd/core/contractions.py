"""Sums of products of arrays: matrix products, einsum and their relatives, one node a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.arrays import ArrayOfValues, bare
from autograd.core.context import listeners_on
from autograd.core.primitive import as_float
from autograd.core.pytrees import as_array
from autograd.core.typing import Array
from autograd.core.value import Value, listener_here, new_node, numbers

_dot = primitives.dot  # the row, that is: its type is that of a function
Row = tuple[tuple[Any, ...], list[float], bool]  # operands, their numbers, whether Values are there


def as_objects(operand: Any) -> Array:
    """An array-like as a plain array of Values and of Python's floats."""
    array = np.asanyarray(operand)
    plain: Array = bare(array)
    return plain if plain.dtype == object else plain.astype(object)


def total(items: Sequence[Any]) -> Any:
    """The sum of some numbers and Values, as one node."""
    if len(items) > 2:
        return primitives.TABLE["sum"].apply(tuple(items))
    return items[0] + items[1] if len(items) == 2 else items[0] if items else 0.0


def dot_of(left: Sequence[Any], right: Sequence[Any]) -> Any:
    """The sum of the products of two sequences, as one node."""
    if len(left) == 1:
        return left[0] * right[0]
    return _product(_row(left), _row(right)) if left else 0.0


def _row(items: Sequence[Any]) -> Row:
    kinds = set(map(type, items))
    if not kinds <= {Value, float}:
        items = [x if x.__class__ is Value else as_float(x, "operand of dot") for x in items]
    return tuple(items), numbers(items), Value in kinds


def _product(left: Row, right: Row) -> Any:
    number = primitives.sum_of_products(left[1], right[1])
    if not (left[2] or right[2]):
        return number
    node = new_node(number, primitives.TABLE["dot"], left[0] + right[0])
    if listeners_on and (listener := listener_here()) is not None:
        listener.computed(node)
    return node


def _products(left: Array, right: Array) -> Array:
    """Along the last axis of both: (n, m, k) and (n, p, k) give (n, m, p)."""
    shape, length = (*left.shape[:2], right.shape[1]), left.shape[2]
    result = np.empty(shape, dtype=object)
    if length == 1:
        result[...] = left * right.reshape(shape[0], 1, shape[2])
    elif length == 0:
        result[...] = 0.0
    else:
        for place in range(shape[0]):
            rows, columns = ([_row(row) for row in part[place].tolist()] for part in (left, right))
            for i, row in enumerate(rows):
                result[place, i] = [_product(row, column) for column in columns]
    return result


def _finished(result: Array, shape: Sequence[int]) -> Any:
    """A result in its shape; without axes it is a number."""
    return result.reshape(shape).view(ArrayOfValues) if len(shape) else result.item()


# --- matrices -------------------------------------------------------------------------------------

def matmul(a: Any, b: Any) -> Any:
    """``a @ b``."""
    left, right = as_objects(a), as_objects(b)
    if not (left.ndim and right.ndim):
        raise ValueError("np.matmul needs arrays, not single numbers; write a * b")
    if left.shape[-1] != right.shape[-2 if right.ndim > 1 else 0]:
        raise ValueError(f"np.matmul: shapes {left.shape} and {right.shape} do not fit: the last "
                         "axis of the first is as long as the last but one of the second")
    row, column = left.ndim == 1, right.ndim == 1
    left = left[None] if row else left
    right = right[None] if column else right.swapaxes(-1, -2)
    outer = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    left, right = (np.broadcast_to(x, outer + x.shape[-2:]).reshape((-1, *x.shape[-2:]))
                   if outer else x[None] for x in (left, right))
    ends = (() if row else left.shape[1:2]) + (() if column else right.shape[1:2])
    return _finished(_products(left, right), outer + ends)


def dot(a: Any, b: Any, out: None = None) -> Any:
    """``np.dot``."""
    left, right = as_objects(a), as_objects(b)
    if left.ndim == 0 or right.ndim == 0:
        return np.multiply(a, b)
    if right.ndim <= 2 or left.ndim == 1:
        return matmul(left, right)
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


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: None = None,
          out: None = None) -> Any:
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
        return convolve(second[::-1], first, mode)[::-1][::-1] if mode == "full" else (
            convolve(first, second[::-1], mode))
    return convolve(first, second[::-1], mode)


# --- einsum ---------------------------------------------------------------------------------------

def einsum(*operands: Any, **options: Any) -> Any:
    """``np.einsum``: of two operands one dot a number, of more one pair after the other."""
    options.pop("optimize", None)
    if options:
        raise TypeError(f"np.einsum of Values takes no {', '.join(options)}")
    inputs, output, arrays = _subscripts(operands)
    sizes: dict[str, int] = {}
    for letters, array in zip(inputs, arrays, strict=True):
        if len(letters) != array.ndim:
            raise ValueError(f"np.einsum: the subscripts {letters!r} are of {len(letters)} axes, "
                             f"the operand has {array.ndim}")
        for letter, size in zip(letters, array.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                if 1 not in (size, sizes[letter]):
                    raise ValueError(f"np.einsum: the axis {letter!r} is {sizes[letter]} long in "
                                     f"one operand and {size} in another")
                sizes[letter] = max(size, sizes[letter])
    terms = [_simple(letters, array, sizes) for letters, array in zip(inputs, arrays, strict=True)]
    while len(terms) > 1:
        (first, a), (second, b), *rest = terms
        wanted = {*output, *(letter for letters, _ in rest for letter in letters)}
        terms = [_pair(first, a, second, b, wanted), *rest]
    letters, array = _without(*terms[0], set(output))
    return _finished(array.transpose([letters.index(letter) for letter in output]),
                     [sizes[letter] for letter in output])


def _subscripts(operands: tuple[Any, ...]) -> tuple[list[str], str, list[Array]]:
    """The subscripts of inputs and output, without dots, and the operands."""
    if not isinstance(operands[0], str):
        operands = _written(operands)
    text, *given = operands
    arrays = [as_objects(x) for x in given]
    source, arrow, output = text.replace(" ", "").partition("->")
    inputs = source.split(",")
    if len(inputs) != len(arrays):
        raise ValueError(f"np.einsum: {text!r} is of {len(inputs)} operands, not {len(arrays)}")
    spare = [letter for letter in ascii_letters if letter not in text]
    most = max((array.ndim - len(letters) + 3 for letters, array in
                zip(inputs, arrays, strict=True) if "..." in letters), default=0)
    dots = "".join(spare[:most])
    inputs = [letters.replace("...", dots[len(dots) - (array.ndim - len(letters) + 3):])
              if "..." in letters else letters for letters, array in
              zip(inputs, arrays, strict=True)]
    if arrow:
        return inputs, output.replace("...", dots), arrays
    everything = "".join(inputs)
    once = sorted(c for c in set(everything) - set(dots) if everything.count(c) == 1)
    return inputs, dots + "".join(once), arrays


def _written(operands: tuple[Any, ...]) -> tuple[Any, ...]:
    """The form with lists of numbers, a, [0, 1], b, [1, 2], [0, 2], as that with letters."""
    def text(places: Any) -> str:
        return "".join("..." if place is Ellipsis else ascii_letters[place] for place in places)

    pairs = len(operands) // 2
    source = ",".join(text(operands[2 * i + 1]) for i in range(pairs))
    arrow = f"->{text(operands[-1])}" if len(operands) % 2 else ""
    return (source + arrow, *operands[0:2 * pairs:2])


Term = tuple[str, Array]  # an array, and a letter for each of its axes


def _simple(letters: str, array: Array, sizes: dict[str, int]) -> Term:
    """A term in which no letter is repeated: diagonals are taken."""
    array = np.broadcast_to(array, [sizes[letter] for letter in letters])
    for letter in dict.fromkeys(letters):
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            array = np.diagonal(array, 0, first, second)
            letters = letters[:first] + letters[first + 1:second] + letters[second + 1:] + letter
    return letters, array


def _without(letters: str, array: Array, wanted: set[str]) -> Term:
    """A term summed over all axes that nobody wants."""
    lone = [i for i, letter in enumerate(letters) if letter not in wanted]
    if not lone:
        return letters, array
    left = [i for i in range(array.ndim) if i not in lone]
    moved = array.transpose(*left, *lone)
    shape = moved.shape[:len(left)]
    result = np.empty(math.prod(shape), dtype=object)
    result[:] = [total(group) for group in moved.reshape(
        len(result), math.prod(moved.shape[len(left):])).tolist()]
    return "".join(letters[i] for i in left), result.reshape(shape)


def _pair(first: str, a: Array, second: str, b: Array, wanted: set[str]) -> Term:
    """Two terms as one."""
    first, a = _without(first, a, wanted | set(second))
    second, b = _without(second, b, wanted | set(first))
    both = [letter for letter in first if letter in second and letter in wanted]
    summed = [letter for letter in first if letter in second and letter not in wanted]
    parts, lone = [], []
    for letters, array in ((first, a), (second, b)):
        own = [letter for letter in letters if letter not in both and letter not in summed]
        lone.append(own)
        moved = array.transpose([letters.index(letter) for letter in (*both, *own, *summed)])
        ends = [math.prod(moved.shape[len(both):len(both) + len(own)]),
                math.prod(moved.shape[len(both) + len(own):])]
        parts.append(moved.reshape(math.prod(moved.shape[:len(both)]), *ends))
    sizes = {**dict(zip(first, a.shape, strict=True)), **dict(zip(second, b.shape, strict=True))}
    letters = "".join([*both, *lone[0], *lone[1]])
    return letters, _products(*parts).reshape([sizes[letter] for letter in letters])
