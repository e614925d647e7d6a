"""Sorting, and what is read off sorted numbers: medians, percentiles, the largest.

Eagerly a sorted array holds the same Values in another order. A recording would have to decide
which; so of few numbers it records a network of ``minimum`` and ``maximum`` (Batcher 1968, odd-even
merge sort), which needs no decision. At a tie of two the network shares the derivative, of more
unevenly: then what all of them hand on is shared anew. So it is used eagerly, too, where numbers
tie.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.core import contractions, primitives
from autograd.core.arrays import ArrayOfValues, bare
from autograd.core.conditions import selects_now, where_equal
from autograd.core.context import listeners_on
from autograd.core.numpy_protocol import over_axes
from autograd.core.primitive import as_array_operand
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
    if len(items) <= MOST_IN_NETWORK:
        is_recorded, most = selects_now(), _largest_tie(items)
        if is_recorded or most > 1:
            ordered = _by_network(items)
            return _evened(ordered) if most > 2 or (is_recorded and len(items) > 2) else ordered
    data = data_of_array(np.array([*items, None], dtype=object)[:-1])
    if data is None:
        return sorted(items)
    return [items[i] for i in np.argsort(data, kind="stable")]


def _largest_tie(items: list[Any]) -> int:
    """How many are the same number; 0 where one is nan."""
    data = numbers(items)
    return 0 if any(x != x for x in data) else max(Counter(data).values(), default=0)


def _evened(ordered: list[Any]) -> list[Any]:
    """The same numbers, where equal ones share the derivative evenly: its least norm.

    The slope of each travels as a 0 that has it, right and back, as far as numbers are equal.
    """
    slopes: list[Any] = []
    counts: list[Any] = []
    for i, item in enumerate(ordered):
        slope, count = _zero(item), 1.0
        if i:
            slope = slope + where_equal(item, ordered[i - 1], slopes[-1], 0.0)
            count = count + where_equal(item, ordered[i - 1], counts[-1], 0.0)
        slopes.append(slope)
        counts.append(count)
    for i in range(len(ordered) - 2, -1, -1):
        for sums in (slopes, counts):
            sums[i] = where_equal(ordered[i], ordered[i + 1], sums[i + 1], sums[i])
    return [where_equal(count, 1.0, item, primitives.stopped(item) + slope / count)
            if slope.__class__ is Value else item
            for item, slope, count in zip(ordered, slopes, counts, strict=True)]


def _zero(item: Any) -> Any:
    """A 0 that has the derivative of a number; of an infinite one a plain 0."""
    if item.__class__ is not Value:
        return 0.0
    zero = item - primitives.stopped(item)
    return where_equal(zero, zero, zero, 0.0)


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


def digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """``np.digitize``: places, which are constants."""
    edges = data_of_array(bins)
    return deciding(np.digitize)(x, bare(np.asanyarray(bins)) if edges is None else edges, right)


def searchsorted(a: Any, v: Any, side: Any = "left", sorter: Any = None) -> Any:
    """``np.searchsorted``: places, which are constants."""
    line, places = data_of_array(a), data_of_array(v)
    if line is None or places is None:
        line, places = contractions.as_objects(a), contractions.as_objects(v)
    return np.searchsorted(line, places, side, sorter)


# --- quantiles ------------------------------------------------------------------------------------

class _Sorted:
    """A sorted sequence as one item of an array."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = sorted_items(items)

    def quantile(self, fraction: float, method: str) -> Any:
        """The number below which so large a share of them lies."""
        if not self.items:
            raise ValueError("np.quantile of no numbers has no result")
        if not selects_now():
            for item in self.items:
                if item != item:
                    return item
        place = _place(len(self.items), fraction, method)
        low = math.floor(place)
        share = place - low
        if share == 0.0:
            return self.items[low]
        a, b = self.items[low], self.items[low + 1]
        if share == 0.5:
            return (a + b) * 0.5
        return a + (b - a) * share if share < 0.5 else b - (b - a) * (1.0 - share)


@lru_cache(maxsize=4096)
def _place(count: int, fraction: float, method: Any) -> float:
    """Where NumPy interpolates between 0, 1, 2, ..., there it does between sorted numbers."""
    return float(np.quantile(np.arange(count, dtype=float), fraction, method=method))


def quantile(a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False,
             method: Any = "linear", keepdims: Any = False, interpolation: Any = None,
             weights: None = None) -> Any:
    """``np.quantile``, of all methods that NumPy has; q are plain numbers."""
    return _quantiles(_Sorted, a, q, axis, weights, interpolation or method, keepdims)


def nanquantile(a: Any, q: Any, axis: Any = None, *, overwrite_input: bool = False,
                method: Any = "linear", keepdims: Any = False, interpolation: Any = None,
                weights: None = None) -> Any:
    """``np.nanquantile``."""
    return _quantiles(lambda items: _Sorted([x for x in items if x == x]), a, q, axis, weights,
                      interpolation or method, keepdims)


def _quantiles(ordered: Callable[[list[Any]], _Sorted], a: Any, q: Any, axis: Any, weights: Any,
               method: str, keepdims: Any) -> Any:
    if weights is not None:
        raise TypeError("np.quantile of Values takes no weights")
    fractions = np.asarray(q, dtype=float)
    of_each = over_axes(ordered, np.asanyarray(a), axis, keepdims)
    results = [_quantile_of(of_each, fraction, method) for fraction in fractions.ravel().tolist()]
    if fractions.ndim == 0:
        return results[0]
    stacked = np.stack([as_array_operand(result) for result in results])
    return stacked.reshape(fractions.shape + stacked.shape[1:]).view(ArrayOfValues)


def _quantile_of(of_each: Any, fraction: float, method: str) -> Any:
    if isinstance(of_each, _Sorted):
        return of_each.quantile(fraction, method)
    return np.frompyfunc(lambda line: line.quantile(fraction, method), 1, 1)(
        bare(of_each)).view(ArrayOfValues)


def percentile(a: Any, q: Any, *arguments: Any, **options: Any) -> Any:
    """``np.percentile``."""
    return quantile(a, np.asarray(q, dtype=float) / 100.0, *arguments, **options)


def nanpercentile(a: Any, q: Any, *arguments: Any, **options: Any) -> Any:
    """``np.nanpercentile``."""
    return nanquantile(a, np.asarray(q, dtype=float) / 100.0, *arguments, **options)


def median(a: Any, axis: Any = None, *, overwrite_input: bool = False,
           keepdims: Any = False) -> Any:
    """``np.median``."""
    return quantile(a, 0.5, axis, keepdims=keepdims)


def nanmedian(a: Any, axis: Any = None, *, overwrite_input: bool = False,
              keepdims: Any = False) -> Any:
    """``np.nanmedian``."""
    return nanquantile(a, 0.5, axis, keepdims=keepdims)
