"""Calls of a compiled function by the eager engine, of which nothing is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.recipes import derivative_of
from autograd.compiler.trace.arguments import lift
from autograd.compiler.trace.tracer import names_of
from autograd.core.context import Switch
from autograd.core.value import no_grad, taking_indices

_FLOAT = np.dtype(float)


class _without_graph(no_grad):
    """Inside, operations compute numbers alone; who listens is not asked."""

    __slots__ = ()

    def __enter__(self) -> None:
        Switch.__enter__(self)


def plain(function: Callable[..., Any], static: frozenset[int]) -> Callable[..., Any]:
    """The function as the eager engine computes it, on Values like those of a recording.

    Args:
        function: takes numbers and structures of them.
        static: the positions of arguments that are handed over as they are.
    """
    derivative = derivative_of(function)
    if derivative:  # its own Trace makes the leaves of what is differentiated
        transform, inner, *options = derivative
        lifted = _on_values(inner, static | _differentiated(options))
        lifted.__takes_indices__ = True  # a Trace sees to it, at no cost
        derivative_of_lifted: Callable[..., Any] = transform(lifted, *options)
        return derivative_of_lifted
    lifted = _with_indices(_on_values(function, static))

    def without_graph(*arguments: Any, **keywords: Any) -> Any:
        with _without_graph():
            return lifted(*arguments, **keywords)

    return without_graph


def own_floats(result: Any) -> Any:
    """A result made of floats in arrays, lists and tuples of Python's own, which nobody else holds.

    The function may have returned what it captures. None for any other result.
    """
    kind = result.__class__
    if kind is float:
        return result
    if kind is np.ndarray:
        return result.copy() if result.dtype is _FLOAT or result.dtype == _FLOAT else None
    if kind is list or kind is tuple:
        parts = [own_floats(part) for part in result]
        if all(part is not None for part in parts):
            return parts if kind is list else tuple(parts)
    return None


def _with_indices(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, in which ``int(v)`` is an index, as while it is recorded."""
    def call(*arguments: Any, **keywords: Any) -> Any:
        with taking_indices():
            return function(*arguments, **keywords)

    return call


def _differentiated(options: Sequence[Any]) -> frozenset[int]:
    """The positions of arguments that a derivative makes Values of by itself."""
    argnums: Any = next((option for option in options if isinstance(option, int | tuple)
                         and not isinstance(option, bool)), 0)
    return frozenset((argnums,) if isinstance(argnums, int) else argnums)


def _on_values(function: Callable[..., Any], static: frozenset[int]) -> Any:
    """The function, called with a Value for each number, but of the arguments named static."""
    names = names_of(function)

    def lifted(*arguments: Any, **keywords: Any) -> Any:
        if not keywords and static.issuperset(range(len(arguments))):
            return function(*arguments)  # as most derivatives are called
        fresh = lift(arguments, keywords, names, static)
        return function(*fresh.arguments, **fresh.keywords)

    return lifted
