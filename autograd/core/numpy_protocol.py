"""Values and NumPy arrays: arrays of Values, and NumPy's functions called on Values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.arrays import ArrayOfValues, bare, kept
from autograd.core.primitive import Primitive, as_array_operand
from autograd.core.pytrees import as_array
from autograd.core.typing import Array
from autograd.core.value import UFUNCS, Value, refusal

_REDUCTIONS = ("add", "multiply", "maximum", "minimum")

def _has_sign(x: Any) -> bool:
    if x.__class__ is not Value:
        return bool(np.signbit(x))
    return x < 0.0 or (x == 0.0 and math.copysign(1.0, x.data) < 0.0)


# By these a library looks what it was given; as comparisons, of which a recording knows.
_ASKING: dict[str, Callable[[Any], bool]] = {
    "isnan": lambda x: x != x, "isinf": lambda x: x == math.inf or x == -math.inf,
    "isfinite": lambda x: -math.inf < x < math.inf,
    "signbit": _has_sign}
_COMPARING = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")


def values(array: Any, label: str = "") -> Array:
    """A NumPy array of new leaves, one for each number of an array.

    NumPy's functions record on it, and follow the rules of the primitives: at a tie np.maximum and
    np.max share the derivative, np.linalg.norm has the derivative 0 at the origin. An array that
    you make with ``np.array([v, w])`` is an array of any objects to NumPy, which compares them and
    takes a side.

    Args:
        array: an array-like of real numbers, of any shape.
        label: a name; leaves are labelled ``label[i,j]``.

    Returns:
        An :class:`.arrays.ArrayOfValues` of the same shape.

    Raises:
        TypeError: for numbers that are not real.
    """
    numbers = np.asarray(array)
    result = np.empty(numbers.shape, dtype=object).view(ArrayOfValues)
    for index in np.ndindex(numbers.shape):
        place = f"[{','.join(map(str, index))}]" if index else ""
        result[index] = Value(numbers[index], label=f"{label}{place}" if label else "")
    return result


def apply_ufunc(value: Value, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...],
                options: dict[str, Any]) -> Any:
    """What NumPy asks for when one of its functions meets a Value: the recorded result.

    Returns:
        A Value, or an object array of them where an array takes part (bools for comparisons).

    Raises:
        TypeError: for functions that have no primitive, and for results that would have to go
            into an array of plain numbers.
    """
    function = UFUNCS.get(ufunc.__name__) or _ASKING.get(ufunc.__name__)
    if method == "reduce" and ufunc.__name__ in _REDUCTIONS and inputs[0] is value:
        return value  # np.sum of one number
    out = options.pop("out", (None,))[0]
    if method != "__call__" or function is None or options:
        how = "" if function is not None else "; see autograd's functions for what there is"
        message = (f"np.{ufunc.__name__} cannot be recorded on a Value"
                   f"{'' if method == '__call__' else ' as ' + method}{how}")
        raise refusal(message)
    if out is not None and (not isinstance(out, np.ndarray) or out.dtype != object):
        raise refusal("a Value cannot go into an array of numbers in place; write a = a + v, or "
                      "make the array with autograd.values")
    if out is None and all(np.ndim(x) == 0 for x in inputs if x.__class__ is not Value):
        return function(*(x.item() if isinstance(x, np.ndarray | np.generic) else x
                          for x in inputs))
    result = np.frompyfunc(function, len(inputs), 1)(*map(as_array_operand, inputs))
    if ufunc.__name__ in _COMPARING:
        result = np.asarray(result, dtype=bool)
    if out is None:
        return kept(result)
    out[...] = result
    return out


def over_array(primitive: Primitive, a: Any, b: Any) -> Any:
    """An operator between a Value and an array, element by element."""
    return kept(np.frompyfunc(primitive, 2, 1)(as_array_operand(a), as_array_operand(b)))


# --- NumPy's functions on arrays of Values --------------------------------------------------------

def _fmax(a: Any, b: Any) -> Any:
    return b if a != a else a if b != b else primitives.maximum(a, b)


def _fmin(a: Any, b: Any) -> Any:
    return b if a != a else a if b != b else primitives.minimum(a, b)


def _clip(x: Any, low: Any, high: Any) -> Any:
    return primitives.minimum(primitives.maximum(x, low), high)


def clipped(value: Any, low: Any, high: Any) -> Any:
    """A Value between two bounds, which may be arrays, or None."""
    result: Any = value
    if low is not None:
        result = np.maximum(result, low)
    return result if high is None else np.minimum(result, high)


# NumPy's functions that compare, and would take a side at a tie; and what they are of a whole axis.
_SHARING: dict[str, Callable[..., Any]] = {
    "maximum": primitives.maximum, "minimum": primitives.minimum, "fmax": _fmax, "fmin": _fmin,
    "clip": _clip, "sign": primitives.sign}
_OF_AN_AXIS = {"maximum": primitives.largest, "minimum": primitives.smallest}
_SAYS_NOTHING = {"dtype": None, "where": True}  # what NumPy tells of any reduction


def ufunc_of_arrays(ufunc: np.ufunc, method: str, inputs: Sequence[Any],
                    options: dict[str, Any]) -> Any:
    """What NumPy asks for when one of its functions meets an array of Values."""
    name, plain = ufunc.__name__, [bare(x) for x in inputs]
    if options:
        options = {key: option for key, option in options.items()
                   if option is not _SAYS_NOTHING.get(key, ...)}
    given = options.get("out", ())
    if given:
        options["out"] = tuple(map(bare, given))
    if name in _ASKING and method == "__call__" and not options:
        with np.errstate(invalid="ignore"):  # a comparison with nan is no error
            return np.frompyfunc(_ASKING[name], 1, 1)(*plain).astype(bool)
    if method == "__call__" and name in UFUNCS and not any("O" in kinds for kinds in ufunc.types):
        result = np.frompyfunc(UFUNCS[name], ufunc.nin, 1)(*plain, **options)  # one of SciPy's
    elif name not in _SHARING:
        result = getattr(ufunc, method)(*plain, **options)
    elif (method == "reduce" and name in _OF_AN_AXIS
            and options.keys() <= {"axis", "keepdims", "initial"}):
        return over_axes(_OF_AN_AXIS[name], plain[0], **{"axis": 0, **options})
    else:
        function = np.frompyfunc(_SHARING[name], ufunc.nin, 1, identity=None)
        with np.errstate(all="ignore"):  # a comparison with nan is no error
            result = getattr(function, method)(*plain, **options)
    return kept(result) if not given else given[0] if len(given) == 1 else given


def over_axes(row: Primitive, array: Array, axis: Any, keepdims: bool = False,
              initial: Any = None) -> Any:
    """A primitive of any number of operands on the numbers along an axis.

    Args:
        row: the primitive.
        array: of numbers and Values.
        axis: one, a tuple of several, or None for all.
        keepdims: whether these axes stay, with the length 1.
        initial: another operand, beside those in the array.
    """
    axes = _axes(array, axis)
    moved = np.moveaxis(bare(array), axes, range(-len(axes), 0))
    outer, inner = moved.shape[:array.ndim - len(axes)], moved.shape[array.ndim - len(axes):]
    also = () if initial is None else (initial,)
    result = as_array([row.apply((*group, *also)) for group in
                       moved.reshape(math.prod(outer), math.prod(inner))], outer)
    if keepdims:
        return np.expand_dims(result, axes)
    return result.item() if result.ndim == 0 else result


def _axes(array: Array, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(array.ndim))
    return tuple(axis) if isinstance(axis, tuple | list) else (axis,)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """np.linalg.norm, where it has a kink that NumPy's steps do not know; else NotImplemented."""
    array = np.asanyarray(x)
    axes = _axes(array, axis)
    if ord is None or (ord, len(axes)) in ((2, 1), ("fro", 2)):
        return over_axes(primitives.norm, array, axes, keepdims)
    if ord not in (1, -1, math.inf, -math.inf) or (abs(ord) == 1 and len(axes) == 1):
        return NotImplemented
    extreme, sizes = np.max if ord > 0 else np.min, np.abs(array)
    if len(axes) == 1:
        return extreme(sizes, axis=axes, keepdims=keepdims)
    first, last = axes if abs(ord) == 1 else axes[::-1]  # the largest sum of a column, or of a row
    result = extreme(np.sum(sizes, axis=first, keepdims=True), axis=last, keepdims=True)
    return result if keepdims else result.squeeze(axes)[()]


OF_ARRAYS: dict[Any, Callable[..., Any]] = {np.linalg.norm: _norm}
