"""Call: one call of a function of arrays, on which all of its results hang.

A node stands for one number. The results of a function of arrays are nodes that share a Call in
place of operands of their own, so that a graph has as many edges as there are operands, not
operands times results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.core.arrays import bare
from autograd.core.primitive import as_float, value_class
from autograd.core.pytrees import as_array, flatten, items_of, leaves_of, rebuild, with_items

_INNER = (list, tuple, dict)


class Call:
    """What a function of arrays was called with, and what it gave.

    Args:
        function: who was called; it has a name and knows its derivatives.
        arguments: the positional arguments.
        options: the keywords.

    Attributes:
        inputs: the operands in order: the Values and floats of the arguments with Values in them.
        numbers: the results, once they are known.
        computed: what they were computed from, where a program is recorded; else ().

    Raises:
        TypeError: for a Value among the keywords.
    """

    __slots__ = ("_counts", "_places", "_results", "_templates", "computed", "function", "inputs",
                 "numbers", "options")

    def __init__(self, function: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.function, self.options = function, options
        for name, option in options.items():
            if holds_values(option):
                raise TypeError(f"{function.name}: the keyword {name} holds a Value; by keywords "
                                "nothing is differentiated, pass it by its position")
        inputs: list[Any] = []
        templates, counts = [], []  # copies, for the caller may edit arrays in place
        for argument in arguments:
            items = _operands(argument) if holds_values(argument) else []
            inputs += items
            counts.append(len(items))
            templates.append(rebuild(argument, [0.0] * len(items)) if items
                             else changed(argument, _copied))
        self.inputs: tuple[Any, ...] = tuple(inputs)
        self._templates = tuple(templates)
        self._counts = tuple(counts)  # of the operands in each argument
        self.numbers: tuple[float, ...] = ()
        self.computed: tuple[Any, ...] = ()
        self._results: Any = None
        self._places: list[str] | None = None  # once somebody asks

    def on(self, operands: Sequence[Any]) -> list[Any]:
        """The arguments with others in place of the operands."""
        arguments, start = [], 0
        for template, count in zip(self._templates, self._counts, strict=True):
            items = list(operands[start:start + count])
            start += count
            if not count:
                arguments.append(changed(template, _copied))
            elif isinstance(template, np.ndarray):
                arguments.append(as_array(items, template.shape))
            else:
                arguments.append(rebuild(template, items))
        return arguments

    def gave(self, results: Any) -> None:
        """Note what the function gave of numbers: its structure, and the numbers in it.

        Raises:
            TypeError: for Values among them, which come from outside.
        """
        numbers = numbers_of(results, self.function.name)
        if any(x.__class__ is value_class[0] for x in numbers):
            raise TypeError(f"{self.function.name} uses Values that are not among its arguments, "
                            "and has no derivative by them; pass them as arguments")
        self.numbers = tuple(numbers)
        self._results = changed(results, _copied)

    def filled(self, items: Sequence[Any]) -> Any:
        """The structure of the results around other numbers or Values."""
        return _filled(self._results, iter(items), lambda leaf: leaf)

    def cotangents(self, items: Sequence[Any]) -> Any:
        """The same, with None in place of what is no float."""
        return _filled(self._results, iter(items), lambda leaf: None)

    def place(self, position: int) -> str:
        """How to write the place of a result behind the name: ``[0, 1]``; "" for a single one."""
        if self._places is None:
            self._places = list(_places(self._results))
        return self._places[position]

    def gradients(self, found: Any) -> list[Any]:
        """What a vjp gave, for each operand: a float or Value, None for no adjoint.

        Raises:
            TypeError, ValueError: for another structure than that of the arguments.
        """
        name, count = self.function.name, len(self._templates)
        if count == 1 and not (isinstance(found, tuple) and len(found) == 1
                               and not isinstance(self._templates[0], tuple)):
            found = (found,)
        if not isinstance(found, list | tuple) or len(found) != count:
            raise TypeError(f"the vjp of {name} must return a tuple of {count} gradients, one for "
                            f"each argument (None for none), not {_shown(found)}")
        gradients: list[Any] = []
        for position, (part, template, moves) in enumerate(
                zip(found, self._templates, self._counts, strict=True)):
            if moves:
                what = f"the gradient by argument {position} that the vjp of {name} returns"
                gradients += _like(part, template, what)
        return gradients

    def tangents(self, found: Any) -> list[Any]:
        """What a jvp gave, for each result."""
        return _like(found, self._results, f"what the jvp of {self.function.name} returns")

    def tangents_of(self, items: Sequence[Any]) -> list[Any]:
        """The tangents of the operands in the structure of the arguments; None for others."""
        return [argument if moves else None for argument, moves in
                zip(self.on(items), self._counts, strict=True)]

    def copied(self, inputs: tuple[Any, ...]) -> Call:
        """The same call on other operands."""
        return restored(self.function, self._templates, self.options, self._counts, inputs,
                        self.numbers, self._results)

    def __reduce__(self) -> tuple[Any, ...]:
        return restored, (self.function, self._templates, self.options, self._counts, self.inputs,
                          self.numbers, self._results)


def restored(function: Any, templates: tuple[Any, ...], options: dict[str, Any],
             counts: tuple[int, ...], inputs: tuple[Any, ...], numbers: tuple[float, ...],
             results: Any) -> Call:
    """A call as it was."""
    call = object.__new__(Call)
    call.function, call.options, call.inputs, call.numbers = function, options, inputs, numbers
    call._templates, call._counts, call._results = templates, counts, results
    call.computed, call._places = (), None
    return call


def holds_values(structure: Any) -> bool:
    """Whether there is a Value in something."""
    recorded = value_class[0]
    if isinstance(structure, np.ndarray):
        return structure.dtype == object and any(
            x.__class__ is recorded for x in bare(structure).flat)
    return any(leaf.__class__ is recorded for leaf in leaves_of(structure))


def is_differentiable(argument: Any) -> bool:
    """Whether an argument is of floats and Values alone."""
    if isinstance(argument, np.ndarray) and argument.dtype.kind == "f":
        return True
    leaves = leaves_of(argument)
    return bool(leaves) and all(
        leaf.__class__ is value_class[0] or isinstance(leaf, float | np.floating)
        for leaf in leaves)


def _operands(argument: Any) -> list[Any]:
    """The Values and floats of an argument, in order."""
    items = (bare(argument).ravel().tolist() if isinstance(argument, np.ndarray)
             else flatten(argument))
    kinds = set(map(type, items))
    return items if kinds <= {value_class[0], float} else [
        x if x.__class__ is value_class[0] else as_float(x, "an argument") for x in items]


# --- structures in which only floats are numbers --------------------------------------------------

def changed(structure: Any, change: Callable[[Any], Any]) -> Any:
    """The same lists, tuples and dictionaries around changed leaves; an array is one leaf."""
    if isinstance(structure, _INNER):
        return with_items(structure, [changed(item, change) for item in items_of(structure)])
    return change(structure)


def _copied(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _is_real(leaf: Any) -> bool:
    """Whether a leaf of a result is a number, or an array of numbers, that has a derivative."""
    if isinstance(leaf, np.ndarray):
        return leaf.dtype.kind in "fO"
    return isinstance(leaf, float | np.floating) or leaf.__class__ is value_class[0]


def _leaves(structure: Any) -> Iterator[Any]:
    if isinstance(structure, _INNER):
        for item in items_of(structure):
            yield from _leaves(item)
    else:
        yield structure


def numbers_of(results: Any, name: str) -> list[Any]:
    """The floats, or Values, in what a function gave.

    Raises:
        TypeError: for complex numbers, and where there is no float at all.
    """
    numbers: list[Any] = []
    for leaf in _leaves(results):
        if isinstance(leaf, complex | np.complexfloating) or (
                isinstance(leaf, np.ndarray) and leaf.dtype.kind == "c"):
            raise TypeError(f"{name} returns complex numbers, of which there are no derivatives "
                            "here; return .real and .imag")
        if _is_real(leaf):
            items = leaf.ravel().tolist() if isinstance(leaf, np.ndarray) else [leaf]
            numbers += [x if x.__class__ is value_class[0] else as_float(x, f"a result of {name}")
                        for x in items]
    if not numbers:
        raise TypeError(f"{name} returns no floats to differentiate, but {_shown(results)}")
    return numbers


def _filled(structure: Any, items: Iterator[Any], other: Callable[[Any], Any]) -> Any:
    def fill(leaf: Any) -> Any:
        if not _is_real(leaf):
            return other(leaf)
        if isinstance(leaf, np.ndarray):
            return as_array([next(items) for _ in range(leaf.size)], leaf.shape)
        return next(items)

    return changed(structure, fill)


def _places(structure: Any, before: tuple[Any, ...] = ()) -> Iterator[str]:
    if isinstance(structure, _INNER):
        keys = structure if isinstance(structure, dict) else range(len(structure))
        for key, item in zip(keys, items_of(structure), strict=True):
            yield from _places(item, (*before, key))
    elif _is_real(structure):
        for index in np.ndindex(np.shape(structure)):
            whole = (*before, *index)
            yield f"[{', '.join(map(str, whole))}]" if whole else ""


def _like(found: Any, template: Any, what: str) -> list[Any]:
    """The numbers of something that must have the structure of a template; None for none."""
    if isinstance(template, _INNER):
        has_items = isinstance(found, _INNER) or (isinstance(found, np.ndarray) and found.ndim)
        if not has_items or len(found) != len(template) or (
                isinstance(template, dict) != isinstance(found, dict)):
            raise TypeError(f"{what} must be a {type(template).__name__} of {len(template)}, not "
                            f"{_shown(found)}")
        parts = [found[key] for key in template] if isinstance(found, dict) else list(found)
        return [x for part, inner in zip(parts, items_of(template), strict=True)
                for x in _like(part, inner, what)]
    if not _is_real(template):
        return []
    shape = np.shape(template)
    if found is None:
        return [None] * int(np.prod(shape))
    given = () if found.__class__ is value_class[0] else np.shape(found)
    if given != shape:
        raise ValueError(f"{what} must have the shape {shape}, not {given}; sum over what was "
                         "broadcast")
    items = [found] if found.__class__ is value_class[0] else (
        np.asarray(found).ravel().tolist())
    return [x if x.__class__ is value_class[0] else as_float(x, what) for x in items]


def _shown(found: Any) -> str:
    if isinstance(found, np.ndarray):
        return f"an array of shape {found.shape} and dtype {found.dtype}"
    if isinstance(found, _INNER):
        return f"a {type(found).__name__} of {len(found)}"
    return repr(found)


__all__ = ["Call", "changed", "holds_values", "is_differentiable", "numbers_of", "restored"]
