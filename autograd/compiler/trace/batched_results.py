"""The results of a vmapped function: those of all its branches, put together by row."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.trace.arguments import Place
from autograd.compiler.trace.tracer import Recording
from autograd.core.pytrees import as_array, is_number, is_truth, leaves_of, mapped, rebuild
from autograd.core.typing import Array
from autograd.core.value import Value

# Which parts of a result are summed over the rows: one flag for all of it, or one for each part.
Sums = bool | tuple[Any, ...]
# Which parts of a result are derivatives by an argument, whose position that is: for all of it, or
# for each part. None says that the rows lie along the first axis, as in any other result.
Origins = int | None | tuple[Any, ...]


def flags_of(structure: Any, sums: Sums) -> list[bool]:
    """For each leaf of a result whether it is summed over the rows."""
    if isinstance(sums, bool):
        return [sums] * len(leaves_of(structure))
    return [flag for part, wish in zip(structure, sums, strict=True)
            for flag in flags_of(part, wish)]


def of_rows(leaf: Any, n: int, summed: bool) -> Any:
    """What a leaf that is the same for n rows amounts to: n of them, or their sum."""
    if is_truth(leaf):
        return np.full(n, leaf)
    if is_number(leaf):
        return float(leaf) * n if summed else np.full(n, float(leaf))
    return leaf


class Part(NamedTuple):
    """What was computed for some rows that took one branch.

    Attributes:
        skeleton: the structure that the function returns.
        summed: for each leaf of it whether it is summed over the rows.
        leaves: in their place a number where it is summed, an array with a number or truth value
            for each row where it is not, and anything else as it is.
        recording: what computed it, unless the eager engine did.
        is_finite: whether it is known that all numbers in it are finite.
    """

    skeleton: Any
    summed: list[bool]
    leaves: list[Any]
    recording: Recording | None
    is_finite: bool = False


class Gathered:
    """The results of n rows, as one branch after another delivers them."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.whole: Part | None = None
        self.branches: list[tuple[Recording, Array]] = []  # and the places of their rows

    def add(self, part: Part, places: Array) -> None:
        """Take the results of the rows at these places.

        Raises:
            TypeError: when their structure is not that of the rows before.
        """
        if part.recording is not None:
            self.branches.append((part.recording, places))
        if len(places) == self.n:
            self.whole = part
            return
        if self.whole is None:
            self.whole = part._replace(is_finite=False, leaves=[
                np.empty(self.n, leaf.dtype) if isinstance(leaf, np.ndarray) else
                0.0 if summed and is_number(leaf) else leaf
                for leaf, summed in zip(part.leaves, part.summed, strict=True)])
        _refuse_other_structure(self.whole.skeleton, part.skeleton)
        leaves = self.whole.leaves
        for i, (leaf, summed) in enumerate(zip(part.leaves, part.summed, strict=True)):
            if isinstance(leaf, np.ndarray):
                leaves[i][places] = leaf
            elif summed and is_number(leaf):
                leaves[i] += leaf

    def suspects(self) -> list[tuple[int, Recording]]:
        """The rows, in order, of which a recording gave something that is not finite.

        All of them if a sum is not finite.
        """
        if self.whole is not None and self.whole.is_finite:
            return []
        wrong = self._not_finite()
        if not wrong.any():
            return []
        found = [(int(i), recording) for recording, places in self.branches
                 for i in places[wrong[places]]]
        return sorted(found, key=operator.itemgetter(0))

    def _not_finite(self) -> Array:
        wrong = np.zeros(self.n, dtype=bool)
        for leaf in self.whole.leaves if self.whole is not None else ():
            if isinstance(leaf, np.ndarray):
                if not _has_finite_sum(leaf):
                    wrong |= ~np.isfinite(leaf)
            elif is_number(leaf):
                wrong |= not math.isfinite(leaf)
        return wrong

    def result(self) -> Any:
        """The structure that the function returns, with the rows along a first axis."""
        assert self.whole is not None
        return _assembled(self.whole.skeleton, self.whole.leaves, self.n)


def _has_finite_sum(column: Array) -> bool:
    """Quick, and never true where something is not finite."""
    with np.errstate(all="ignore"):
        return math.isfinite(np.add.reduce(column))


def _refuse_other_structure(first: Any, second: Any) -> None:
    if outline(first) != outline(second):
        shown = [repr(mapped(skeleton, _shown)) for skeleton in (first, second)]
        raise TypeError("the function returns different structures for different rows: "
                        f"{shown[0]} and {shown[1]}")


def _shown(leaf: Any) -> Any:
    return 0.0 if isinstance(leaf, Place | Value) or is_number(leaf) else leaf


def outline(structure: Any) -> Any:
    """What must be the same for all rows."""
    if isinstance(structure, np.ndarray):
        return np.ndarray, structure.shape, [outline(item) for item in structure.flat]
    if isinstance(structure, dict):
        return {key: outline(item) for key, item in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure), [outline(item) for item in structure]
    return bool if is_truth(structure) else _shown(structure)


def _assembled(skeleton: Any, leaves: Sequence[Any], n: int) -> Any:
    """The structure around its leaves; an array of shape s becomes one of shape (n, \\*s)."""
    def array(columns: list[Any], shape: tuple[int, ...]) -> Array:
        if not columns:
            return np.empty((n, *shape))
        if not isinstance(columns[0], np.ndarray):  # sums over the rows
            return as_array(columns, shape)
        return np.stack(columns, axis=-1).reshape((n, *shape))

    return rebuild(skeleton, leaves, array)


def stacked(results: Sequence[Any], sums: Sums) -> Any:
    """The results of all rows, one by one, put together; Values among them stay Values.

    Raises:
        TypeError: when their structures differ.
    """
    first, n = results[0], len(results)
    for other in results[1:]:
        _refuse_other_structure(first, other)
    flags = flags_of(first, sums)
    leaves = [_joined(column, summed) for column, summed in
              zip(zip(*map(leaves_of, results), strict=True), flags, strict=True)]
    return _assembled(first, leaves, n)


def _joined(column: Sequence[Any], summed: bool) -> Any:
    """One leaf of the results of all rows."""
    if is_truth(column[0]):
        return np.array(column)
    if not (is_number(column[0]) or isinstance(column[0], Value)):
        return column[0]
    return functools.reduce(operator.add, column) if summed else as_array(list(column),
                                                                          (len(column),))


# --- derivatives, which lie as the argument does --------------------------------------------------

def arranged(result: Any, origins: Origins, arguments: Sequence[Any],
             axes: Sequence[int | None]) -> Any:
    """A result in which derivatives by an argument have the argument's shape."""
    if isinstance(origins, tuple):
        return tuple(arranged(part, origin, arguments, axes)
                     for part, origin in zip(result, origins, strict=True))
    if origins is None or (axis := axes[origins]) is None:
        return result
    return _along(result, arguments[origins], axis)


def _along(derivative: Any, argument: Any, axis: int) -> Any:
    """A derivative, whose rows come first, with its rows along the argument's axis."""
    if isinstance(argument, dict):
        return {key: _along(derivative[key], item, axis) for key, item in argument.items()}
    if axis == 0 and derivative.__class__ is np.ndarray:
        return derivative
    array = _table(derivative)
    if not isinstance(array, np.ndarray):
        return derivative  # rows that are structures: each number in them is an array already
    return np.moveaxis(array, 0, axis if axis >= 0 else axis + np.ndim(argument))


def _table(columns: Any) -> Any:
    """Lists of arrays with a number for each row, as one array whose rows come first."""
    if type(columns) not in (list, tuple):
        return columns
    parts = list(map(_table, columns))
    is_regular = parts and len({part.shape if isinstance(part, np.ndarray) else None
                                for part in parts} | {None}) == 2
    return np.stack(parts, axis=1) if is_regular else columns
