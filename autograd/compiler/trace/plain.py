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
        return _with_indices(transform(
            _on_values(inner, static | _differentiated(options)), *options))
    lifted = _with_indices(_on_values(function, static))

    def without_graph(*arguments: Any, **keywords: Any) -> Any:
        with _without_graph():
            return lifted(*arguments, **keywords)

    return without_graph


def are_floats(result: Any) -> bool:
    """Whether a result is made of floats already, in arrays, lists and tuples of Python's own."""
    kind = result.__class__
    if kind is np.ndarray:
        return bool(result.dtype == float)
    return kind is float or (kind in (list, tuple) and all(map(are_floats, result)))


def copied(result: Any) -> Any:
    """Such a result that nobody else holds: the function may have returned what it captures."""
    if result.__class__ is list or result.__class__ is tuple:
        return result.__class__(map(copied, result))
    return result.copy() if isinstance(result, np.ndarray) else result


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


def _on_values(function: Callable[..., Any], static: frozenset[int]) -> Callable[..., Any]:
    """The function, called with a Value for each number, but of the arguments named static."""
    names = names_of(function)

    def lifted(*arguments: Any, **keywords: Any) -> Any:
        fresh = lift(arguments, keywords, names, static)
        return function(*fresh.arguments, **fresh.keywords)

    return lifted
