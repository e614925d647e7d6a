"""The derivative at a point as a linear map: backward with vjp, forward with linearize."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.backward import adjoints
from autograd.core.composed import numbers_in
from autograd.core.gates import times
from autograd.core.pytrees import flatten, rebuild
from autograd.core.transforms import (
    Trace,
    composed_of,
    float_gradient,
    jvp_of,
    push_forward,
    scalar,
)
from autograd.core.value import Value, data_of, recording


@also_called()
def vjp(function: Callable[..., Any], primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A function's value, and its vector-Jacobian product: cotangents of the value, pulled back.

    The function is called once, however often the pullback is.

    Args:
        function: returns a number, a sequence, array or dictionary of numbers.
        primals: the tuple of arguments; what is not a tuple is the only argument.

    Returns:
        (value, pullback): ``pullback(cotangents)``, of the structure of the value, gives the
        gradient of the sum of cotangents times value, in the structure of primals.

    Raises:
        TypeError: for a function that was made by ``vmap``.
        ValueError: from the pullback, for cotangents of another size.
    """
    mapped = _by_compiled(vjp_of, function, primals)
    if mapped is not None:
        return mapped
    pullback = _Pullback(function, primals)
    return pullback.value, pullback


def vjp_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """:func:`vjp` of a function, as a function of (primals, cotangents)."""
    return partial(_pulled, function)


def _pulled(function: Callable[..., Any], primals: Any, cotangents: Any) -> tuple[Any, Any]:
    value, pullback = vjp(function, primals)
    return value, pullback(cotangents)


def _by_compiled(transform: Callable[..., Any], function: Callable[..., Any],
                 primals: Any) -> tuple[Any, Callable[[Any], Any]] | None:
    """The value of a compiled function, and its map, compiled as well; None of others."""
    composed = composed_of(transform, function)
    if composed is None:
        return None
    arguments = primals if isinstance(primals, tuple) else (primals,)
    return function(*arguments), partial(_second, composed, primals)


def _second(function: Callable[..., Any], primals: Any, along: Any) -> Any:
    return function(primals, along)[1]


class _Pullback:
    """Of one call of a function."""

    def __init__(self, function: Callable[..., Any], primals: Any) -> None:
        self.is_tuple = isinstance(primals, tuple)
        arguments = primals if self.is_tuple else (primals,)
        self.trace = Trace(function, tuple(range(len(arguments))), arguments, {})
        self.outputs = [scalar(output) for output in flatten(self.trace.result)]
        self.is_closed = self.trace.is_closed(*self.outputs)
        self.value = numbers_in(self.trace.result) if self.is_closed else self.trace.result

    def __call__(self, cotangents: Any) -> Any:
        """The cotangents of the value, pulled back to the arguments."""
        given = _numbers(cotangents, len(self.outputs), "cotangent", "value")
        with recording():
            total: Any = 0.0
            for output, cotangent in zip(self.outputs, given, strict=True):
                if cotangent.__class__ is Value or cotangent != 0.0:
                    total = total + times(output, cotangent)
        leaves = self.trace.leaves
        if self.is_closed and not any(x.__class__ is Value for x in given):
            gradient: list[Any] = list(float_gradient(total, leaves))
        else:
            gradient = list(adjoints(total, leaves))
        result = self.trace.rebuild(gradient)
        return result if self.is_tuple else result[0]


@also_called()
def linearize(function: Callable[..., Any],
              primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A function's value, and its derivative as a linear function of a direction.

    The function is called once, however often the derivative is.

    Args:
        function: returns a number, a sequence, array or dictionary of numbers.
        primals: the tuple of arguments; what is not a tuple is the only argument.

    Returns:
        (value, pushforward): ``pushforward(tangents)``, of the structure of primals, gives the
        derivative of the value along that direction, in the structure of the value.

    Raises:
        ValueError: from the pushforward, for tangents of another size.
    """
    mapped = _by_compiled(jvp_of, function, primals)
    if mapped is not None:
        return mapped
    pushforward = _Pushforward(function, primals)
    return pushforward.value, pushforward


class _Pushforward(_Pullback):
    """Of one call of a function."""

    def __call__(self, tangents: Any) -> Any:
        """The derivative of the value along the tangents of the arguments."""
        leaves = self.trace.leaves
        given = _numbers(tangents, len(leaves), "tangent", "argument")
        pushed = push_forward(self.outputs, leaves, given)
        if self.is_closed and not any(x.__class__ is Value for x in given):
            pushed = [data_of(x) for x in pushed]
        return rebuild(self.trace.result, pushed)


def _numbers(structure: Any, count: int, what: str, of: str) -> list[Any]:
    numbers = [x if x.__class__ is Value else primitives.as_float(x, f"a {what}")
               for x in flatten(structure)]
    if len(numbers) != count:
        raise ValueError(f"there are {len(numbers)} {what}s for {count} numbers; each number of "
                         f"the {of} needs one")
    return numbers
