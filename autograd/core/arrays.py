"""Arrays of Values, on which NumPy's functions follow the rules of the primitives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class ArrayOfValues(np.ndarray[Any, Any]):
    """A NumPy array of objects, Values and perhaps numbers.

    On a plain array of objects ``np.maximum`` and its like compare two Values and return one of
    them: at a tie they take a side. Here every function of NumPy's is this library's to answer:
    by the primitives, which share a tie and sum in one node, or by an error that says what to
    write. ``np.asarray`` makes a plain array, ``np.asanyarray`` does not.
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **options: Any) -> Any:
        return ANSWERS["ufunc"](ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return ANSWERS["function"](function, arguments, options)


# Who answers NumPy: set by the modules that know the primitives, which know arrays.
ANSWERS: dict[str, Callable[..., Any]] = {}

# Methods that NumPy computes without asking; as its functions they are answered here.
_ASKING_NOBODY = ("argmax", "argmin", "argsort", "cumprod", "cumsum", "dot", "mean", "prod",
                  "round", "std", "sum", "trace", "var")


def _asking(name: str) -> Callable[..., Any]:
    function = getattr(np, name)

    def method(self: ArrayOfValues, *arguments: Any, **options: Any) -> Any:
        return ANSWERS["function"](function, (self, *arguments), options)

    method.__name__, method.__qualname__ = name, f"ArrayOfValues.{name}"
    method.__doc__ = f"As ``np.{name}``."
    return method


for _name in _ASKING_NOBODY:
    setattr(ArrayOfValues, _name, _asking(_name))


def _sort(self: ArrayOfValues, *arguments: Any, **options: Any) -> None:
    """As ``np.sort``, in place."""
    self[...] = np.sort(self, *arguments, **options)


def _astype(self: ArrayOfValues, dtype: Any, *arguments: Any, **options: Any) -> Any:
    """A copy: Values are floats already.

    To whole numbers converts what is no Value, and what floor, ceil, trunc or rint has made: its
    derivative is 0.
    """
    if np.dtype(dtype).kind in "fO":
        return self.copy()
    if np.dtype(dtype).kind in "iu":
        whole = np.frompyfunc(ANSWERS["whole number"], 1, 1)(self.view(np.ndarray))
        return np.asarray(whole).astype(dtype, *arguments, **options)
    return np.ndarray.astype(self, dtype, *arguments, **options)


setattr(ArrayOfValues, "astype", _astype)  # noqa: B010
setattr(ArrayOfValues, "sort", _sort)  # noqa: B010 - its type is that of ndarray's


def is_plain(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array is no more than its numbers: not of a class of the user's own."""
    return array.__class__ in (np.ndarray, np.memmap, ArrayOfValues)


def kept(result: Any) -> Any:
    """A result of NumPy's, in which plain arrays of objects are arrays of Values."""
    if isinstance(result, np.ndarray) and result.dtype == object and is_plain(result):
        return result.view(ArrayOfValues)
    return type(result)(map(kept, result)) if type(result) in (list, tuple) else result


def bare(array: Any) -> Any:
    """An array of Values as a plain array of the same objects; anything else as it is."""
    return array.view(np.ndarray) if isinstance(array, ArrayOfValues) else array
