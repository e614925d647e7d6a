"""Arguments and results: from structures of numbers to flat lists of inputs, and back.

Every int and float in lists, tuples, dictionaries and arrays is an input; anything else (a text, a
bool, None, a function) stands as it is and is part of what a recording was made for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from autograd.compiler.trace.contents import fingerprint
from autograd.core.arrays import is_plain
from autograd.core.attributes import attributes_of
from autograd.core.pytrees import (
    is_container,
    is_number,
    is_truth,
    items_of,
    leaves_of,
    like_array,
    mapped,
    places_of,
    with_items,
)
from autograd.core.typing import Array
from autograd.core.value import Value


class HoldsValues(Exception):
    """A Value is among the arguments: the call belongs to a graph, and is made eagerly."""


# --- what a recording was made for --------------------------------------------------------------

def signature(argument: Any, numbers: list[float]) -> Any:
    """What an argument is but for its numbers, hashable; the numbers are appended to the list.

    Raises:
        HoldsValues: when there is a Value in it.
        TypeError: for something that is neither a number nor hashable.
    """
    kind = argument.__class__
    if kind is float:
        numbers.append(argument)
        return float
    if kind is list or kind is tuple:
        classes = set(map(type, argument))
        if classes <= _PLAIN:
            numbers.extend(argument if classes == {float} else map(float, argument))
            return (kind, len(argument))
        return (kind, *[signature(item, numbers) for item in argument])
    if isinstance(argument, np.ndarray):
        return _array_signature(argument, numbers)
    if kind is Value:
        raise HoldsValues
    return _other_signature(argument, numbers)


_PLAIN = {int, float}


def static_signature(argument: Any, position: int) -> Any:
    """A key for an argument that is handed over as it is: 2 is not 2.0, and -0.0 not 0.0.

    Raises:
        TypeError: for one that is not hashable.
    """
    try:
        hash(argument)
    except TypeError:
        raise TypeError(f"argument {position} is named in static_argnums and must be hashable, "
                        f"which a {type(argument).__name__} is not; write a tuple") from None
    return fingerprint(argument)


def _array_signature(argument: Array, numbers: list[float]) -> Any:
    if isinstance(argument, np.ma.MaskedArray | np.matrix):
        raise TypeError(f"a {type(argument).__name__} is more than its numbers, and a compiled "
                        "function sees only those; write np.asarray(array) or array.filled(0.0)")
    if argument.dtype.kind in "iuf":
        numbers.extend(np.asarray(argument).ravel().astype(float, copy=False).tolist())
        return _array_kind(argument)
    if argument.dtype.kind != "O":
        raise TypeError(f"an array of dtype {argument.dtype} holds no numbers to differentiate; "
                        "write array.astype(float)")
    for item in argument.flat:
        if signature(item, numbers) is not float:
            raise TypeError(f"an array of objects must hold numbers, not {item!r}")
    return _array_kind(argument)


def _array_kind(array: Array) -> Any:
    if is_plain(array):
        return (np.ndarray, array.shape)
    return (array.__class__, array.shape, fingerprint(attributes_of(array)))


def _is_input(item: Any) -> bool:
    """Whether something is a number and no more: not of a class of the user's own."""
    return is_number(item) and type(item).__module__ in ("builtins", "numpy")


def _other_signature(argument: Any, numbers: list[float]) -> Any:
    kind = argument.__class__
    if kind is str or argument is None:
        return (kind, argument)
    if is_truth(argument):
        return (bool, bool(argument))
    if _is_input(argument):
        numbers.append(float(argument))
        return float
    if isinstance(argument, dict):
        items = [(key if key.__class__ is str else fingerprint(key), signature(item, numbers))
                 for key, item in argument.items()]
        factory = getattr(argument, "default_factory", None)
        return (kind, *items, fingerprint((factory, attributes_of(argument))))
    if isinstance(argument, list | tuple):  # named tuples, and classes of the user's own
        return (kind, *[signature(item, numbers) for item in argument],
                fingerprint(attributes_of(argument)))
    try:
        hash(argument)
    except TypeError:
        raise TypeError(f"an argument of a compiled function must be a number, a structure of "
                        f"numbers or hashable, not {type(argument).__name__}") from None
    return (kind, fingerprint(argument))


def objects_of(structure: Any) -> list[Any]:
    """What an argument holds that could change although it is the same, or name something."""
    return [leaf for leaf in leaves_of(structure) if not isinstance(leaf, _LASTING)]


_LASTING = (int, float, complex, bytes, type(None), np.generic, Value)


# --- fresh Values in place of the numbers -------------------------------------------------------

@dataclass(frozen=True)
class Lifted:
    """The arguments with a fresh leaf in place of each number."""

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    leaves: list[Value]
    seals: list[tuple[str, Any, list[Any]]]

    def refuse_changes(self, error: type[Exception]) -> None:
        """Raise an error if the function changed one of the containers that it was given."""
        for name, container, items in self.seals:
            now = _contents(container)
            if len(now) != len(items) or any(a is not b for a, b in zip(now, items, strict=True)):
                raise error(f"the function changes its argument {name} in place, which a replay "
                            "would not do; make a copy first, and return what changed")


def lift(arguments: tuple[Any, ...], keywords: dict[str, Any], names: Sequence[str],
         static: frozenset[int] = frozenset()) -> Lifted:
    """Put a fresh leaf, labelled by the argument's name, in place of each number."""
    leaves: list[Value] = []
    seals: list[tuple[str, Any, list[Any]]] = []

    def lifted(item: Any, name: str) -> Any:
        if is_truth(item):
            return bool(item)
        if _is_input(item):
            leaf = Value(float(item), name)
            leaves.append(leaf)
            return leaf
        if not is_container(item):
            return item
        fresh = with_items(item, [lifted(part, f"{name}{place}") for part, place in
                                  zip(items_of(item), places_of(item), strict=True)])
        if not isinstance(item, tuple):
            seals.append((name, fresh, _contents(fresh)))
        return fresh

    positional = tuple(
        argument if i in static
        else lifted(argument, names[i] if i < len(names) else f"argument{i}")
        for i, argument in enumerate(arguments))
    return Lifted(positional, {name: lifted(item, name) for name, item in keywords.items()},
                  leaves, seals)


def _contents(container: Any) -> list[Any]:
    """What is in a container, by which one sees whether it was changed."""
    keys = container if isinstance(container, dict) else ()
    return [*keys, *items_of(container)]


# --- what a function returned -------------------------------------------------------------------

Builder = Callable[[Array], Any]


@dataclass(slots=True)  # not frozen, which would make them at half the speed
class Place:
    """Stands for a computed number in the skeleton of what a function returned."""

    number: int


def _outline(skeleton: Any) -> str:
    if skeleton.__class__ is tuple:
        return f"({', '.join(map(_outline, skeleton))})"
    if isinstance(skeleton, np.ndarray):  # NumPy leaves out what is in the middle, and takes long
        return (f"{type(skeleton).__name__} {skeleton.dtype.char} {skeleton.shape} "
                f"{skeleton.tolist()!r}")
    return repr(skeleton)


class Results:
    """What a function returned, taken apart into the Values that a program computes.

    Attributes:
        computed: the Values in it, in order, until ``forget_graph``.
        numbers: their numbers.
        build: the same structure around the numbers of an array, one for each Value.
        skeleton: the structure with a Place for each Value.
    """

    def __init__(self, returned: Any) -> None:
        places = count()
        self.skeleton = mapped(
            returned, lambda leaf: Place(next(places)) if leaf.__class__ is Value else leaf)
        self.computed: list[Value] = []
        self.build: Builder = self._builder(returned, self.skeleton)
        self.numbers = np.array([node._data for node in self.computed])

    def forget_graph(self) -> None:
        """Let go of the Values: the program knows how they are computed."""
        self.computed.clear()

    def outline(self) -> str:
        """The skeleton as text."""
        return _outline(self.skeleton)

    def _builder(self, item: Any, skeleton: Any) -> Builder:
        start = len(self.computed)
        _refuse_hidden(item)
        if item.__class__ is Value:
            self.computed.append(item)
            return lambda numbers: numbers.item(start)
        if isinstance(item, np.ndarray) and item.dtype == object:
            return self._array_builder(item, start)
        if isinstance(item, np.ndarray):
            return lambda numbers: item.copy()
        if not is_container(item):
            return _constant_builder(item)
        if item.__class__ is list and set(map(type, item)) == {Value}:
            self.computed += item
            stop = len(self.computed)
            return lambda numbers: numbers[start:stop].tolist()
        builders = [self._builder(part, inner)
                    for part, inner in zip(items_of(item), items_of(skeleton), strict=True)]
        if item.__class__ is tuple and len(item) == 2:  # a value and its gradient
            if item[0].__class__ is Value and _is_vector(item[1]):
                behind, end = start + 1, len(self.computed)
                return lambda numbers: (numbers.item(start), numbers[behind:end])
            first, second = builders
            return lambda numbers: (first(numbers), second(numbers))
        return lambda numbers: with_items(skeleton, [build(numbers) for build in builders])

    def _array_builder(self, array: Array, start: int) -> Builder:
        shape, items = array.shape, list(np.asarray(array).flat)
        model = like_array(np.empty(0), array)  # the array itself holds on to the graph
        places = [i for i, item in enumerate(items) if item.__class__ is Value]
        self.computed += [items[i] for i in places]
        stop = len(self.computed)
        if _is_vector(array):
            return lambda numbers: numbers[start:stop]
        if len(places) == len(items):
            return lambda numbers: like_array(numbers[start:stop].reshape(shape), model)
        constants = np.array([0.0 if item.__class__ is Value else item for item in items])

        def build(numbers: Array) -> Array:
            result = constants.copy()
            result[places] = numbers[start:stop]
            reshaped: Array = result.reshape(shape)
            return like_array(reshaped, model)

        return build


def _is_vector(item: Any) -> bool:
    """Whether something is an array of shape (n,) of Values alone, and no more than that."""
    return (isinstance(item, np.ndarray) and item.ndim == 1 and is_plain(item)
            and all(part.__class__ is Value for part in item))


def _refuse_hidden(item: Any) -> None:
    """Refuse a Value that hangs on a container, where a replay would not compute it."""
    if is_container(item) and item.__class__ not in _PLAIN_CONTAINERS:
        for name, attribute in attributes_of(item).items():
            if any(leaf.__class__ is Value for leaf in leaves_of(attribute)):
                raise TypeError(f"a compiled function returns a {type(item).__name__} with a Value "
                                f"in its attribute {name}; return that by itself")


_PLAIN_CONTAINERS = (list, tuple, dict, np.ndarray)


def _constant_builder(item: Any) -> Builder:
    if item is not None and not isinstance(item, int | float | str | bytes | np.generic):
        raise TypeError(f"a compiled function returns numbers, texts, None and structures of them, "
                        f"not a {type(item).__name__}")
    return lambda numbers: item
