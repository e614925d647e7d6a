"""What an operation gives outside its domain: Python's exception, or what IEEE 754 says.

SciPy's line searches step to where a logarithm or a power is undefined, and go on from there if
they are told nan or inf, as NumPy tells them. ``undefined="nan"`` asks for that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

from autograd.core.context import Life, State, Switch, here, switched_on

P = ParamSpec("P")
R = TypeVar("R")
Undefined = Literal["raise", "nan"]

# The number that IEEE arithmetic gives for a primitive and its operands, where the value of its
# row raises. Set from outside: NumPy's counterparts of the rows belong to the compiler.
ieee_value: Callable[[Any, Sequence[float]], float]


class undefined_as_nan(Switch):
    """Inside, no operation raises a domain error: its result is what IEEE 754 says."""

    __slots__ = ()

    def applied(self, before: State, life: weakref.ref[Life]) -> State:
        """The state in which nothing is undefined."""
        state = before.entered(life)
        state.is_ieee = True
        return state


def is_ieee() -> bool:
    """Whether this thread or task wants IEEE's answers in place of errors."""
    return bool(switched_on) and here().is_ieee


def checked(undefined: Any) -> Undefined:
    """The option ``undefined``.

    Raises:
        ValueError: for anything but "raise" and "nan".
    """
    if undefined not in ("raise", "nan"):
        raise ValueError(f"undefined={undefined!r} must be 'raise', for Python's error where an "
                         "operation is not defined, or 'nan', for nan and inf as NumPy gives them")
    answer: Undefined = undefined
    return answer


def everywhere(function: Callable[P, R]) -> Callable[P, R]:
    """The function with nan and inf in place of domain errors."""
    @wraps(function)
    def defined(*arguments: P.args, **keywords: P.kwargs) -> R:
        with undefined_as_nan():
            return function(*arguments, **keywords)

    return defined


def in_ieee(function: Callable[..., Any], transform: Callable[..., Any],
            *options: Any) -> Callable[..., Any]:
    """A derivative of a function, with nan and inf in place of domain errors of both."""
    made: Callable[..., Any] = everywhere(transform(function, *options))
    made.__derivative__ = (  # type: ignore[attr-defined]
        made.__code__, in_ieee, function, transform, *options)  # by which it is pickled
    return made
