"""Sorting, and what is read off sorted numbers: medians, percentiles, the largest.

Eagerly a sorted array holds the same Values in another order. A recording would have to decide
which; so of few numbers it records a network of ``minimum`` and ``maximum`` (Batcher 1968, odd-even
merge sort), which needs no decision. At a tie the network shares the derivative, and so it is used
eagerly, too, where numbers tie.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.core import contractions, primitives
from autograd.core.arrays import ArrayOfValues, bare
from autograd.core.conditions import can_select
from autograd.core.context import listeners_on
from autograd.core.numpy_protocol import axes_of, over_axes
from autograd.core.typing import Array
from autograd.core.value import Value, listener_here, numbers

MOST_IN_NETWORK = 16


def data_of_array(array: Any) -> Array | None:
    """The numbers of an array of Values, or None while somebody has to be told of decisions."""
    if listeners_on and listener_here() is not None:
        return None
    plain: Array = bare(np.asanyarray(array))
    if plain.dtype.kind != "O":
        return plain
    data: Array = np.array(numbers(plain.ravel().tolist()), dtype=float).reshape(plain.shape)
    return data


# --- sorting --------------------------------------------------------------------------------------

def network(n: int) -> Iterator[tuple[int, int]]:
    """The comparators of Batcher's odd-even merge sort of n numbers, in order."""
    p = 1
    while p < n:
        k = p
        while k >= 1:
            for j in range(k % p, n - k, 2 * k):
                for i in range(min(k, n - j - k)):
                    if (i + j) // (2 * p) == (i + j + k) // (2 * p):
                        yield i + j, i + j + k
            k //= 2
        p *= 2


def sorted_items(items: list[Any]) -> list[Any]:
    """Numbers and Values in ascending order, nan last."""
    if len(items) <= MOST_IN_NETWORK and (can_select() or _tie(items)):
        return _by_network(items)
    data = data_of_array(np.array([*items, None], dtype=object)[:-1])
    if data is None:
        return sorted(items)
    return [items[i] for i in np.argsort(data, kind="stable")]


def _tie(items: list[Any]) -> bool:
    data = numbers(items)
    return len(set(data)) < len(data) and not any(x != x for x in data)


def _by_network(items: list[Any]) -> list[Any]:
    items = list(items)
    for low, high in network(len(items)):
        a, b = items[low], items[high]
        if a.__class__ is Value or b.__class__ is Value:
            items[low], items[high] = primitives.minimum(a, b), primitives.maximum(a, b)
        else:
            items[low], items[high] = min(a, b), max(a, b)
    return items


def sort(a: Any, axis: int | None = -1, kind: Any = None, order: None = None, *,
         stable: Any = None) -> Any:
    """``np.sort``; at a tie of few numbers the derivative is shared."""
    array = np.asanyarray(a)
    if axis is None:
        array, axis = array.ravel(), -1
    return along(sorted_items, array, axis)


def partition(a: Any, kth: Any, axis: int | None = -1, kind: Any = None, order: None = None) -> Any:
    """``np.partition``: sorted altogether, which is one way to do it."""
    return sort(a, axis)


def along(function: Callable[[list[Any]], list[Any]], array: Array, axis: int) -> Array:
    """A function of sequences to sequences, on those along an axis."""
    moved = np.moveaxis(bare(array), axis, -1)
    lines = [function(line) for line in moved.reshape(-1, moved.shape[-1]).tolist()]
    result = np.empty((len(lines), len(lines[0]) if lines else 0), dtype=object)
    for place, line in enumerate(lines):
        result[place] = line
    return np.moveaxis(result.reshape(*moved.shape[:-1], -1), -1, axis).view(ArrayOfValues)


def deciding(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's that gives places: by the numbers, or comparing while recorded."""
    def decide(a: Any, *arguments: Any, **options: Any) -> Any:
        data = data_of_array(a)
        return function(bare(np.asanyarray(a)) if data is None else data, *arguments, **options)

    return decide


def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    """``np.searchsorted``: places, which are constants."""
    line, places = data_of_array(a), data_of_array(v)
    if line is None or places is None:
        line, places = contractions.as_objects(a), contractions.as_objects(v)
    return np.searchsorted(line, places, side, sorter)


# --- quantiles ------------------------------------------------------------------------------------

def quantile(a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False,
             method: Any = "linear", keepdims: bool = False, **options: Any) -> Any:
    """``np.quantile``, of all methods that NumPy has; q are plain numbers."""
    if any(option is not None for option in options.values()):
        raise TypeError(f"np.quantile of Values takes no {', '.join(options)}")
    array, fractions = np.asanyarray(a), np.asarray(q, dtype=float)
    count = math.prod(array.shape[i] for i in axes_of(array, axis))
    if count == 0:
        raise ValueError("np.quantile of no numbers has no result")
    # Where NumPy interpolates between 0, 1, 2, ..., there it does between the sorted numbers.
    method = options.pop("interpolation", None) or method
    places = np.quantile(np.arange(count, dtype=float), fractions, method=method)
    of_each = over_axes(lambda items: _Sorted(sorted_items(items)), array, axis, bool(keepdims))
    results = [_at_place(of_each, float(place)) for place in np.ravel(places)]
    return results[0] if fractions.ndim == 0 else (
        np.stack([np.asanyarray(_boxed(r)) for r in results]).reshape(
            fractions.shape + np.shape(_boxed(results[0]))).view(ArrayOfValues))


class _Sorted:
    """A sorted sequence as one item of an array."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def at(self, place: float) -> Any:
        """The number at a place, which may lie between two."""
        for item in self.items:
            if item != item and not can_select():
                return item
        low = math.floor(place)
        share = place - low
        if share == 0.0:
            return self.items[low]
        a, b = self.items[low], self.items[low + 1]
        if share == 0.5:
            return (a + b) * 0.5
        return a + (b - a) * share if share < 0.5 else b - (b - a) * (1.0 - share)


def _at_place(of_each: Any, place: float) -> Any:
    if isinstance(of_each, _Sorted):
        return of_each.at(place)
    return np.frompyfunc(lambda line: line.at(place), 1, 1)(bare(of_each)).view(ArrayOfValues)


def _boxed(item: Any) -> Any:
    if isinstance(item, np.ndarray):
        return item
    cell = np.empty((), dtype=object)
    cell[()] = item
    return cell


def percentile(a: Any, q: Any, *arguments: Any, **options: Any) -> Any:
    """``np.percentile``."""
    return quantile(a, np.asarray(q, dtype=float) / 100.0, *arguments, **options)


def median(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False,
           keepdims: bool = False) -> Any:
    """``np.median``."""
    return quantile(a, 0.5, axis, keepdims=keepdims)
