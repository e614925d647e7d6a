"""Values and NumPy arrays: arrays of Values, and NumPy's functions called on Values."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.core.primitive import Primitive, as_array_operand
from autograd.core.typing import Array
from autograd.core.value import UFUNCS, Value, refusal

_REDUCTIONS = ("add", "multiply", "maximum", "minimum")
_ASKING = ("isnan", "isinf", "isfinite", "signbit")  # by which a library looks what it was given
_COMPARING = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")


def values(array: Any, label: str = "") -> Array:
    """A NumPy array of new leaves, one for each number of an array.

    Args:
        array: an array-like of real numbers, of any shape.
        label: a name; leaves are labelled ``label[i,j]``.

    Returns:
        An object array of Values of the same shape.

    Raises:
        TypeError: for numbers that are not real.
    """
    numbers = np.asarray(array)
    result = np.empty(numbers.shape, dtype=object)
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
    function = UFUNCS.get(ufunc.__name__)
    if method == "reduce" and ufunc.__name__ in _REDUCTIONS and inputs[0] is value:
        return value  # np.sum of one number
    out = options.pop("out", (None,))[0]
    if method != "__call__" or function is None or options:
        how = "" if function is not None else "; see autograd's functions for what there is"
        message = (f"np.{ufunc.__name__} cannot be recorded on a Value"
                   f"{'' if method == '__call__' else ' as ' + method}{how}")
        raise TypeError(message) if ufunc.__name__ in _ASKING else refusal(message)
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
        return result
    out[...] = result
    return out


def over_array(primitive: Primitive, a: Any, b: Any) -> Any:
    """An operator between a Value and an array, element by element."""
    return np.frompyfunc(primitive, 2, 1)(as_array_operand(a), as_array_operand(b))
