"""Recipes: how compiled functions were made. A pickle or a deep copy makes them so again.

Recordings and machine code belong to their process, and are made again at need.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import attrgetter
from typing import Any


class Recipe:
    """How a function was made; pickled, it becomes that function.

    Args:
        make: a function of the following arguments that returns it.
        subject: the function that was compiled or differentiated, or its Recipe.
        options: what else ``make`` takes.
    """

    def __init__(self, make: Callable[..., Any], subject: Any, *options: Any) -> None:
        self.make, self.subject, self.options = make, subject, options

    def __reduce__(self) -> tuple[Any, ...]:
        compiled = _of_name(self.function())
        if compiled is not None and compiled.recipe is self:
            return _itself, (compiled,)
        return self.make, (_portable(self.subject), *self.options)

    def function(self) -> Any:
        """The user's function at the beginning of it all."""
        subject = self.subject
        while isinstance(subject, Recipe):
            subject = subject.subject
        return subject


def reduced(compiled: Any) -> str | tuple[Any, ...]:
    """What pickle stores of a compiled function: its name, if it has one, or its recipe."""
    recipe: Recipe = compiled.recipe
    if _of_name(recipe.function()) is compiled:
        return str(compiled.__qualname__)
    return recipe.__reduce__()


def composed(compiled: Any, transform: Callable[..., Any], *options: Any) -> Any:
    """The derivative of a compiled function."""
    return compiled.__compose__(transform, *options)


def bound(compiled: Any, instance: Any) -> Any:
    """The compiled method of an object."""
    return compiled.__get__(instance, type(instance))


def _portable(subject: Any) -> Any:
    """What becomes a function if it is pickled: itself, but for those that pickle cannot find.

    Of a function that was decorated only the compiled one has the name; what ``grad`` and its like
    return has the name of what they were given.
    """
    compiled = _of_name(subject)
    if compiled is not None and compiled.function is subject:
        return Recipe(_function_of, compiled.recipe)
    derivative = derivative_of(subject)
    return Recipe(*derivative) if derivative else subject


def derivative_of(function: Any) -> tuple[Any, ...]:
    """Of what ``grad`` and its like return: the transform, the function, options; else ()."""
    code, *derivative = getattr(function, "__derivative__", (None,))
    if code is not None and code is getattr(function, "__code__", None):
        return tuple(derivative)
    return ()


def _of_name(function: Any) -> Any:
    """The compiled function that has a function's name in its module, or None."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    try:
        found = attrgetter(function.__qualname__)(module)
    except AttributeError:  # a partial, a local function, one whose name was deleted
        return None
    return found if hasattr(type(found), "__compose__") else None


def _itself(compiled: Any) -> Any:
    return compiled


def _function_of(compiled: Any) -> Any:
    return compiled.function
