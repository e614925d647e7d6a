"""Arrays of Values, on which NumPy's functions follow the rules of the primitives."""

from __future__ import annotations

from typing import Any

import numpy as np


class ArrayOfValues(np.ndarray[Any, Any]):
    """A NumPy array of objects, Values and perhaps numbers.

    On a plain array of objects ``np.maximum`` and its like compare two Values and return one of
    them: at a tie they take a side. Here they are the primitives, which share it. All else is
    NumPy's own; results stay of this class. ``np.asarray`` makes a plain array, ``np.asanyarray``
    does not.
    """

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **options: Any) -> Any:
        from autograd.core.numpy_protocol import ufunc_of_arrays

        return ufunc_of_arrays(ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        from autograd.core.numpy_protocol import OF_ARRAYS

        own = OF_ARRAYS.get(function)
        if own is not None:
            result = own(*arguments, **options)
            if result is not NotImplemented:
                return result
        return kept(super().__array_function__(function, types, arguments, options))


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
