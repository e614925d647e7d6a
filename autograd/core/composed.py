"""Functions made of several primitives: clip, softmax; of structures: stop_gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.arrays import bare, kept
from autograd.core.call import changed
from autograd.core.pytrees import as_array
from autograd.core.value import Value, data_of


def stop_gradient(structure: Any) -> Any:
    """The same numbers, which count as constants to every derivative.

    They follow their Values all the same where a compiled function is replayed, which a number
    that was read with ``.data`` does not. ``gradcheck`` finds such a function wrong, for its
    derivative is not that of its values.

    Args:
        structure: a Value, an array, or lists, tuples and dictionaries of them; what holds no
            Values stays as it is.
    """
    return _of_values(structure, primitives.stopped)


def numbers_in(structure: Any) -> Any:
    """The same with the bare numbers of the Values in it, of which no recorder is told."""
    return _of_values(structure, data_of)


def _of_values(structure: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure around changed Values."""
    def part(leaf: Any) -> Any:
        if isinstance(leaf, np.ndarray) and leaf.dtype == object:
            return as_array([change(x) if x.__class__ is Value else x for x in bare(leaf).flat],
                            leaf.shape)
        return change(leaf) if leaf.__class__ is Value else leaf

    return changed(structure, part)


@also_called()
def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """The number x, or the bound that it is beyond, as ``np.clip``.

    At a bound the derivative is shared: 1/2 to x, 1/2 to the bound.

    Args:
        x: a number, a Value or an array of them.
        low, high: the bounds, likewise; None for no bound. Where low is above high, it is high.
    """
    if low is not None:
        x = primitives.maximum(x, low)
    return x if high is None else primitives.minimum(x, high)


@also_called()
def softmax(values: Any, axis: Any = None) -> Any:
    """exp(x) by the sum of exp over all numbers, which does not overflow.

    Args:
        values: a sequence of numbers or Values, or an array.
        axis: of an array, the axis or axes to sum over; None for all.

    Returns:
        As many numbers between 0 and 1, whose sum is 1: a list for a sequence of numbers, an
        array of the same shape for an array.

    Raises:
        ValueError: for no numbers at all.
    """
    return _in_groups(_softmax, values, axis)


@also_called()
def log_softmax(values: Any, axis: Any = None) -> Any:
    """The logarithm of softmax, with all its digits where that is nearly 1.

    Args:
        values, axis: as for :func:`softmax`.

    Returns:
        As many numbers, none of them above 0, in the form that :func:`softmax` has.

    Raises:
        ValueError: for no numbers at all.
    """
    return _in_groups(_log_softmax, values, axis)


def _softmax(group: Sequence[Any]) -> Sequence[Any]:
    return primitives.shares_of_exponentials(*group, primitives.logsumexp(group))


def _log_softmax(group: Sequence[Any]) -> list[Any]:
    """Of x against the others z: -softplus(z - x), where x - logsumexp(...) would cancel."""
    if len(group) == 1:
        return [group[0] - group[0]]
    others = primitives.joined_others(group, primitives.logaddexp, 0.0)
    return [-primitives.softplus(rest - x) for x, rest in zip(group, others, strict=True)]


def _in_groups(function: Callable[[Sequence[Any]], Sequence[Any]], values: Any, axis: Any) -> Any:
    """A function of a sequence on what lies along some axes of an array."""
    plain = bare(np.asanyarray(values, dtype=object))
    axes = tuple(range(plain.ndim)) if axis is None else tuple(np.atleast_1d(axis).tolist())
    moved = np.moveaxis(plain, axes, range(-len(axes), 0))
    if plain.size == 0:
        raise ValueError("softmax needs at least one number")
    groups = moved.reshape(-1, int(np.prod(moved.shape[moved.ndim - len(axes):])))
    array = np.empty(groups.shape, dtype=object)
    for place, group in enumerate(groups):
        array[place] = function([x if x.__class__ is Value else float(x) for x in group])
    result = np.moveaxis(array.reshape(moved.shape), range(-len(axes), 0), axes)
    if not isinstance(values, np.ndarray) and plain.ndim == 1:
        return result.tolist()
    recorded = any(x.__class__ is Value for x in result.flat)
    return kept(result) if recorded else result.astype(float)
