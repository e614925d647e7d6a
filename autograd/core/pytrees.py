"""Structures: lists, tuples, dictionaries and arrays, in each other, as flat lists, and back.

Whatever is none of these is a leaf. Named tuples keep their class, dictionaries their order.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from autograd.core.arrays import is_plain, kept
from autograd.core.attributes import MISSING, attributes_of
from autograd.core.primitive import value_class
from autograd.core.typing import Array

_CONTAINERS = (list, tuple, dict, np.ndarray)
_NUMBERS = (float, int, np.floating, np.integer)
_NO_NUMBERS = (type(None), str, bytes, set)


# --- leaves ---------------------------------------------------------------------------------------

def is_truth(leaf: Any) -> bool:
    """Whether a leaf is True or False, which are no numbers here, although True + 1 is 2."""
    return isinstance(leaf, bool | np.bool_)


def is_number(leaf: Any) -> bool:
    """Whether a leaf is a bare real number, of Python or of NumPy."""
    return isinstance(leaf, _NUMBERS) and leaf.__class__ is not bool


# --- one container --------------------------------------------------------------------------------

def is_container(item: Any) -> bool:
    """Whether there are items in something: in a list, tuple, dictionary or array."""
    return isinstance(item, _CONTAINERS)


def items_of(container: Any) -> list[Any]:
    """What is in a container, in order; of an array each number."""
    if isinstance(container, dict):
        return list(container.values())
    return (list(np.asarray(container).flat) if isinstance(container, np.ndarray)
            else list(container))


def places_of(container: Any) -> list[str]:
    """How to write the place of each item behind the container's name: [1], [0, 2], ['k']."""
    if isinstance(container, np.ndarray):
        return [f"[{', '.join(map(str, index))}]" if index else ""
                for index in np.ndindex(container.shape)]
    return [f"[{key!r}]" for key in (container if isinstance(container, dict)
                                     else range(len(container)))]


def with_items(container: Any, items: list[Any]) -> Any:
    """A container of the same class, with the same attributes, around other items."""
    cls = container.__class__
    if cls is list:
        return items
    if cls is tuple:
        return tuple(items)
    if cls is dict:
        return dict(zip(container, items, strict=True))
    if isinstance(container, np.ndarray):
        return like_array(as_array(items, container.shape), container)
    return _of_subclass(container, items)


def like_array(array: Array, other: Array) -> Array:
    """An array as one of another's class, with its attributes."""
    if is_plain(other):
        return array
    fresh: Array = array.view(other.__class__)
    vars(fresh).update(vars(other))
    return fresh


def _of_subclass(container: Any, items: list[Any]) -> Any:
    """A list, tuple or dictionary of a class of its own; its methods are not called."""
    cls: Any = container.__class__
    if isinstance(container, tuple):
        try:
            fresh = tuple.__new__(cls, items)
        except TypeError:  # of C's named tuples
            return cls(items)
    elif isinstance(container, list):
        fresh = cls.__new__(cls)
        list.extend(fresh, items)
    else:
        fresh = cls.__new__(cls)
        kind = OrderedDict if isinstance(container, OrderedDict) else dict
        for key, item in zip(container, items, strict=True):
            kind.__setitem__(fresh, key, item)
        if isinstance(container, defaultdict):
            fresh.default_factory = container.default_factory
    for name, attribute in attributes_of(container).items():
        if attribute is not MISSING:
            object.__setattr__(fresh, name, attribute)
    return fresh


def as_array(items: list[Any], shape: tuple[int, ...]) -> Array:
    """An array of floats, or of objects when anything but ints and floats is among the items."""
    kinds = set(map(type, items))
    if all(issubclass(kind, _NUMBERS) and kind is not bool for kind in kinds):
        return np.array(items, dtype=float).reshape(shape)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return (kept(array) if value_class[0] in kinds else array).reshape(shape)


# --- whole structures -----------------------------------------------------------------------------

def leaves_of(structure: Any) -> list[Any]:
    """All leaves of a structure, in order."""
    if not is_container(structure):
        return [structure]
    items = items_of(structure)
    if _is_flat(items):
        return items
    return [leaf for item in items for leaf in leaves_of(item)]


def _is_flat(items: list[Any]) -> bool:
    return not any(issubclass(kind, _CONTAINERS) for kind in set(map(type, items)))


def mapped(structure: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure around changed leaves."""
    if not is_container(structure):
        return change(structure)
    items = items_of(structure)
    return with_items(structure, list(map(change, items)) if _is_flat(items) else
                      [mapped(item, change) for item in items])


def paths(structure: Any, name: str) -> list[str]:
    """How to write each leaf of a structure: ``x``, ``x[1]``, ``x[0, 2]``, ``x['k']``."""
    if not is_container(structure):
        return [name]
    return [path for item, place in zip(items_of(structure), places_of(structure), strict=True)
            for path in paths(item, f"{name}{place}")]


def flatten(structure: Any) -> list[Any]:
    """The numbers and Values of a structure, in order.

    Args:
        structure: a number, a Value, an array, or lists, tuples and dictionaries of them.

    Raises:
        TypeError: for a leaf that is none of these.
    """
    leaves = leaves_of(structure)
    if any(issubclass(kind, _NO_NUMBERS) for kind in set(map(type, leaves))):
        leaf = next(leaf for leaf in leaves if isinstance(leaf, _NO_NUMBERS))
        raise TypeError(f"a {type(leaf).__name__} ({leaf!r}) is not a number; arguments that "
                        "are differentiated are numbers, sequences, arrays or dictionaries "
                        "of them; say with argnums which arguments those are")
    return leaves


def rebuild(structure: Any, leaves: Iterable[Any],
            array: Callable[[list[Any], tuple[int, ...]], Any] = as_array) -> Any:
    """The same structure around other numbers or Values.

    Args:
        structure: whose lists, tuples, dictionaries and shapes of arrays are taken.
        leaves: what takes the place of its leaves, in order.
        array: makes an array from its items and its shape.
    """
    return _rebuilt(structure, iter(leaves), array)


def _rebuilt(part: Any, remaining: Iterator[Any], array: Callable[..., Any]) -> Any:
    if not is_container(part):
        return next(remaining)
    items = items_of(part)
    fresh = ([next(remaining) for _ in items] if _is_flat(items)
             else [_rebuilt(item, remaining, array) for item in items])
    return array(fresh, part.shape) if isinstance(part, np.ndarray) else with_items(part, fresh)


def shape_of(structure: Any) -> tuple[int, ...]:
    """The shape of a structure read as an array: () for a number, (n,) for a flat sequence."""
    if isinstance(structure, np.ndarray):
        return tuple(structure.shape)
    if isinstance(structure, list | tuple) and structure and all(
            isinstance(item, list | tuple | np.ndarray) for item in structure):
        inner = {shape_of(item) for item in structure}
        if len(inner) == 1:
            return (len(structure), *inner.pop())
    return (len(flatten(structure)),) if is_container(structure) else ()
