"""Keywords by the names that other libraries have for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def also_called(names: Mapping[str, str], instead: Mapping[str, str] | None = None,
                ) -> Callable[[F], F]:
    """A decorator: keywords may have other names, too, such as ``lr`` for ``learning_rate``.

    Args:
        names: the other name, and the parameter's own.
        instead: keywords that there are elsewhere, and what to write here.

    Raises:
        TypeError: when called, for a parameter under both names, and for those of ``instead``.
    """
    place = len(_ALIASES)
    _ALIASES.append((dict(names), dict(instead or {})))

    def decorate(function: F) -> F:
        @wraps(function)
        def called(*arguments: Any, **keywords: Any) -> Any:
            if keywords:
                keywords = _renamed(_name_of(function), keywords, *_ALIASES[place])
            return function(*arguments, **keywords)

        return called  # type: ignore[return-value]

    return decorate


# The names of each decorated function. A wrapper that captured them would have them compared at
# every call of a function that is compiled with it.
_ALIASES: list[tuple[Mapping[str, str], Mapping[str, str]]] = []


def _renamed(function: str, keywords: dict[str, Any], others: Mapping[str, str],
             elsewhere: Mapping[str, str]) -> dict[str, Any]:
    if keywords.keys().isdisjoint(others) and keywords.keys().isdisjoint(elsewhere):
        return keywords
    renamed: dict[str, Any] = {}
    for name, argument in keywords.items():
        if name in elsewhere:
            raise TypeError(f"{function} has no {name}; {elsewhere[name]}")
        own = others.get(name, name)
        if own in renamed:
            other = next(alias for alias in others if others[alias] == own and alias in keywords)
            raise TypeError(f"{function} was given {own} and {other}, which are the same; leave "
                            "out one of them")
        renamed[own] = argument
    return renamed


def _name_of(function: Callable[..., Any]) -> str:
    return function.__qualname__.removesuffix(".__init__")
