"""NumPy as adopted code finds it: arrays that are made beside Values can hold Values.

``residuals = np.zeros(m)`` makes an array of plain numbers, into which no Value fits. Where the
function that calls it holds a Value in its variables, what is made here is an array of Values; in
all other calls it is NumPy's own. ``np.array`` and ``np.asarray`` keep the class that
``autograd.values`` gives, so that every rule for arrays of Values holds on what they return.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from itertools import islice
from types import FrameType, ModuleType
from typing import Any

import numpy as plain

from autograd.core.arrays import ArrayOfValues
from autograd.core.value import Value

LOOKED_AT = 8  # of the items of a list: how many are looked at for a Value


class _Adopted(ModuleType):
    """The module; what is not replaced is NumPy's."""

    def __getattr__(self, name: str) -> Any:
        return getattr(plain, name)

    def __dir__(self) -> list[str]:
        return dir(plain)


def _filled(original: Callable[..., Any], is_empty: bool = False) -> Callable[..., Any]:
    """np.zeros and its like, where Values may be written into what they make."""
    @functools.wraps(original)
    def made(*arguments: Any, **options: Any) -> Any:
        array = original(*arguments, **options)
        if array.dtype != float or not _holds_values(sys._getframe(1)):
            return array
        if is_empty:  # what lies in memory there is no number of anybody's
            array[...] = 0.0
        return array.astype(object).view(ArrayOfValues)

    return made


def _converted(original: Callable[..., Any]) -> Callable[..., Any]:
    """np.array and its like, which take Values as they are, also where floats are asked for."""
    @functools.wraps(original)
    def made(item: Any, *arguments: Any, **options: Any) -> Any:
        if not _is_of_values(item):
            return original(item, *arguments, **options)
        asked = arguments[0] if arguments else options.get("dtype")
        if asked is not None and plain.dtype(asked).kind not in "fO":
            return original(item, *arguments, **options)  # an error, that says what to write
        options["dtype"] = object
        return original(item, *arguments[1:], **options).view(ArrayOfValues)

    return made


def _holds_values(frame: FrameType | None) -> bool:
    """Whether a variable of the function that calls is a Value, or has one in it."""
    while frame is not None and frame.f_code.co_name.startswith("<") and frame.f_back is not None:
        if any(map(_is_of_values, frame.f_locals.values())):
            return True
        frame = frame.f_back  # around a comprehension or a lambda
    if frame is None:
        return False
    variables = [*frame.f_locals.values()]
    attributes = getattr(frame.f_locals.get("self"), "__dict__", {})
    return any(map(_is_of_values, [*variables, *attributes.values()]))


def _is_of_values(item: Any, depth: int = 3) -> bool:
    """Whether something is a Value, or a list or an array that begins with some."""
    if item.__class__ is Value or isinstance(item, ArrayOfValues):
        return True
    if isinstance(item, plain.ndarray):
        return item.dtype == object and any(x.__class__ is Value for x in item.flat)
    if isinstance(item, list | tuple) and depth:
        return any(_is_of_values(part, depth - 1) for part in islice(item, LOOKED_AT))
    return False


numpy: Any = _Adopted("numpy", plain.__doc__)
REPLACED: dict[Any, Any] = {
    **{original: _filled(original) for original in (plain.zeros, plain.ones, plain.full)},
    plain.empty: _filled(plain.empty, is_empty=True),
    **{original: _converted(original) for original in (plain.array, plain.asarray,
                                                        plain.ascontiguousarray)}}
vars(numpy).update({name: item for name, item in vars(plain).items()
                    if name not in ("__name__", "__getattr__", "__dir__")})
vars(numpy).update({original.__name__: made for original, made in REPLACED.items()})

__all__ = ["REPLACED", "numpy"]
