"""Structures of numbers (sequences, arrays, dictionaries) as flat lists, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.core.typing import Array
from autograd.core.value import Value


def flatten(structure: Any) -> list[Any]:
    """The numbers and Values of a structure, in order.

    Args:
        structure: a number, a Value, an array, or lists, tuples and dictionaries of them.

    Raises:
        TypeError: for a leaf that is none of these.
    """
    return list(_walk(structure))


def _walk(structure: Any) -> Iterator[Any]:
    if isinstance(structure, np.ndarray):
        yield from structure.flat
    elif isinstance(structure, dict):
        for item in structure.values():
            yield from _walk(item)
    elif isinstance(structure, list | tuple):
        for item in structure:
            yield from _walk(item)
    elif structure is None or isinstance(structure, str | bytes | set):
        raise TypeError(f"a {type(structure).__name__} ({structure!r}) is not a number; arguments "
                        "that are differentiated are numbers, sequences, arrays or dictionaries "
                        "of them; say with argnums which arguments those are")
    else:
        yield structure


def rebuild(structure: Any, items: list[Any]) -> Any:
    """The same structure around other numbers or Values.

    Arrays come back as float arrays, or as object arrays when Values are among the items.
    """
    remaining = iter(items)
    return _rebuild(structure, lambda: next(remaining))


def _rebuild(structure: Any, take: Callable[[], Any]) -> Any:
    if isinstance(structure, np.ndarray):
        return as_array([take() for _ in range(structure.size)], structure.shape)
    if isinstance(structure, dict):
        return {key: _rebuild(item, take) for key, item in structure.items()}
    if isinstance(structure, tuple):
        rebuilt = [_rebuild(item, take) for item in structure]
        is_named = hasattr(structure, "_fields")
        return type(structure)(*rebuilt) if is_named else tuple(rebuilt)
    if isinstance(structure, list):
        return [_rebuild(item, take) for item in structure]
    return take()


def as_array(items: list[Any], shape: tuple[int, ...]) -> Array:
    """An array of floats, or of objects when Values are among the items."""
    if any(item.__class__ is Value for item in items):
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array.reshape(shape)
    return np.array(items, dtype=float).reshape(shape)


def shape_of(structure: Any) -> tuple[int, ...]:
    """The shape of a structure read as an array: () for a number, (n,) for a flat sequence."""
    if isinstance(structure, np.ndarray):
        return tuple(structure.shape)
    if isinstance(structure, list | tuple) and structure and all(
            isinstance(item, list | tuple | np.ndarray) for item in structure):
        inner = {shape_of(item) for item in structure}
        if len(inner) == 1:
            return (len(structure), *inner.pop())
    return () if not isinstance(structure, list | tuple | dict) else (len(flatten(structure)),)
