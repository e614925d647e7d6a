"""A call on few rows, where what surrounds the kernel takes longer than the kernel.

The general way takes arguments of all kinds apart, number by number, and puts results together
again. Arrays of floats with their rows along the first axis go to the kernel as they are, and the
way back was found once for each recording.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.compiler.trace.arguments import Place, signature
from autograd.core.pytrees import is_container, is_number, is_truth, items_of, with_items
from autograd.core.typing import Array

MOST_ROWS = 16_384  # beyond, what surrounds the kernel is a tenth of the time, or less
_FLOAT = np.dtype(float)

# From (sums, outputs by row of shape (n_outputs, n)) to what the function returns.
Build = Callable[[Array, Array], Any]


class FewRows(NamedTuple):
    """The arguments of a call.

    Attributes:
        key: what a recording is made for, as of :class:`.batched_arguments.Parts`.
        shared: the numbers that all rows share.
        blocks: the arguments that differ by row, of shapes (n,) and (n, count).
        n: the number of rows.
    """

    key: tuple[Any, ...]
    shared: list[float]
    blocks: list[Array]
    n: int


def few_rows(arguments: Sequence[Any], axes: Sequence[int | None]) -> FewRows | None:
    """A call's arguments, if they are few rows of arrays of floats, else None.

    Raises:
        HoldsValues: when there are Values among the arguments that all rows share.
        TypeError: for something shared that is neither a number nor hashable.
    """
    kinds: list[Any] = []
    shared: list[float] = []
    blocks: list[Array] = []
    n = 0
    for argument, axis in zip(arguments, axes, strict=True):
        if axis is None:
            kinds.append(signature(argument, shared))
            continue
        if axis:
            return None
        if argument.__class__ is list and set(map(type, argument)) == {float}:
            argument = np.array(argument)
        if argument.__class__ is not np.ndarray or argument.dtype is not _FLOAT:
            return None
        shape = argument.shape
        if len(shape) == 1:
            kinds.append(_ROW_OF_ONE)
        elif shape:
            kinds.append(("row", (np.ndarray, shape[1:])))
            if len(shape) > 2:
                argument = argument.reshape(shape[0], math.prod(shape[1:]))
        else:
            return None
        if not 0 < shape[0] <= MOST_ROWS or (blocks and shape[0] != n):
            return None
        n = shape[0]
        blocks.append(argument)
    return FewRows(tuple(kinds), shared, blocks, n) if blocks else None


_ROW_OF_ONE = ("row", float)


def builder(skeleton: Any, summed: Sequence[bool]) -> Build | None:
    """What puts the results of a recording together, as ``batched_results`` does, or None.

    Args:
        skeleton: the structure that the function returns for one row.
        summed: for each leaf of it whether it is summed over the rows.
    """
    try:
        return _Builder(summed).of(skeleton)
    except _Otherwise:
        return None


class _Otherwise(Exception):
    """Something that only the general way puts together."""


class _Builder:
    def __init__(self, summed: Sequence[bool]) -> None:
        self.summed = iter(summed)
        self.n_sums = self.n_columns = 0

    def of(self, item: Any) -> Build:
        """The builder of a part of the structure."""
        if isinstance(item, np.ndarray):
            return self._array(item)
        if is_container(item):
            if type(item) not in (list, tuple, dict):
                raise _Otherwise
            parts = [self.of(part) for part in items_of(item)]
            return lambda sums, columns: with_items(
                item, [part(sums, columns) for part in parts])
        if not isinstance(item, Place):
            return self._constant(item)
        if next(self.summed):
            at = self.n_sums
            self.n_sums += 1
            return lambda sums, columns: float(sums[at])
        at = self.n_columns
        self.n_columns += 1
        return lambda sums, columns: columns[at]

    def _constant(self, item: Any) -> Build:
        next(self.summed)
        if is_number(item) or is_truth(item):  # one for each row, or their sum
            raise _Otherwise
        return lambda sums, columns: item

    def _array(self, array: Array) -> Build:
        """An array of computed numbers, all of which are summed, or none."""
        flags = [next(self.summed) for _ in range(array.size)]
        if array.__class__ is not np.ndarray or not array.size or len(set(flags)) > 1 or not all(
                isinstance(item, Place) for item in array.flat):
            raise _Otherwise
        shape, size = array.shape, array.size
        if flags[0]:
            start = self.n_sums
            self.n_sums += size
            return lambda sums, columns: sums[start:start + size].reshape(shape)
        start = self.n_columns
        self.n_columns += size
        return lambda sums, columns: columns[start:start + size].T.copy().reshape(-1, *shape)
