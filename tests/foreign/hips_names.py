"""What the tests of HIPS autograd import from it, made of this library.

Names that neither has are functions that say so when they are called, so that the other tests of
a file run.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, product
from typing import Any

import numpy as np

import autograd

from . import judging

STEP = 1e-5
RTOL = ATOL = 1e-5
COMPARED = count(1)  # derivatives with those of jit


def check_grads(function: Callable[..., Any], modes: Sequence[str] = (), order: int = 2,
                argnum: int | Sequence[int] | None = None) -> Callable[..., None]:
    """A check of the derivatives of a function, at the arguments that it is called with.

    Args:
        function: of arrays and numbers, which it may return in lists and tuples.
        modes: forward, reverse; here there is one of them.
        order: of the highest derivative.
        argnum: the arguments by which it is differentiated; None for all.
    """
    def check(*arguments: Any) -> None:
        draw = np.random.default_rng(len(arguments))
        weights = [draw.normal(size=np.shape(part)) for part in _parts(function(*arguments))]
        chosen = range(len(arguments)) if argnum is None else np.ravel(argnum)
        places = tuple(int(i) for i in chosen if _is_real(arguments[i]))
        _check(lambda *given: _contracted(function(*given), weights), arguments, places, order,
               draw)

    return check


def _check(scalar: Callable[..., Any], arguments: tuple[Any, ...], places: tuple[int, ...],
           order: int, draw: np.random.Generator) -> None:
    """Compare the slope of a scalar function along a direction with differences."""
    directions = [draw.normal(size=np.shape(arguments[i])) for i in places]
    slopes = autograd.grad(scalar, argnums=places)
    if judging.COMPILED:
        compare_compiled(slopes, arguments, places)

    def along(*given: Any) -> Any:
        return _contracted(list(slopes(*given)), directions)

    def at(displacement: float) -> tuple[Any, ...]:
        moved = list(arguments)
        for place, direction in zip(places, directions, strict=True):
            moved[place] = moved[place] + displacement * direction
        return tuple(moved)

    numeric = (_plain(scalar(*at(STEP))) - _plain(scalar(*at(-STEP)))) / (2.0 * STEP)
    exact = _plain(along(*arguments))
    assert abs(numeric - exact) <= ATOL + RTOL * abs(exact), (
        f"the derivative is {exact}, not {numeric}")
    if order > 1:
        _check(along, arguments, places, order - 1, draw)


def compare_compiled(slopes: Callable[..., Any], arguments: Sequence[Any],
                     places: Sequence[int]) -> None:
    """Compare derivatives with those of jit: recorded, and replayed.

    Args:
        slopes: gives the derivatives.
        arguments: its arguments.
        places: those by which it differentiates; the rest are constants.
    """
    def of_places(*given: Any) -> Any:
        by_place = dict(zip(places, given, strict=True))
        return slopes(*[by_place.get(i, item) for i, item in enumerate(arguments)])

    fast = autograd.jit(of_places)
    moved = [arguments[i] for i in places]
    expected = _parts(slopes(*arguments))
    for _ in range(2):
        for a, b in zip(_parts(fast(*moved)), expected, strict=True):
            scale = np.max(np.abs(np.asarray(b, float)), initial=0.0)
            assert np.allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-9,
                               atol=1e-11 * scale, equal_nan=True), (
                f"compiled, the derivative is {a}, not {b}")
    next(COMPARED)


def combo_check(function: Callable[..., Any], modes: Sequence[str] = (),
                order: int = 2) -> Callable[..., None]:
    """The same for all combinations of arguments and keyword arguments."""

    def check(*argument_lists: Any, **keyword_lists: Any) -> None:
        names = list(keyword_lists)
        for given in product(*argument_lists):
            for options in product(*(keyword_lists[name] for name in names)):
                keywords = dict(zip(names, options, strict=True))
                check_grads(partial(_with_keywords, function, keywords), modes, order)(*given)

    return check


def _with_keywords(function: Callable[..., Any], keywords: dict[str, Any], *given: Any) -> Any:
    return function(*given, **keywords)


def scalar_close(a: Any, b: Any) -> bool:
    """Whether two numbers agree."""
    return bool(abs(a - b) <= ATOL + RTOL * abs(b))


def check_equivalent(a: Any, b: Any) -> None:
    """Compare two structures of arrays."""
    for first, second in zip(_parts(a), _parts(b), strict=True):
        np.testing.assert_allclose(np.asarray(first, float), np.asarray(second, float),
                                   rtol=RTOL, atol=ATOL)


def _is_real(item: Any) -> bool:
    """Whether an argument is one to differentiate by; a whole number counts something."""
    return isinstance(item, float | np.inexact) or (
        isinstance(item, np.ndarray) and item.dtype.kind in "fc")


def _parts(result: Any) -> list[Any]:
    if isinstance(result, list | tuple):
        return [part for item in result for part in _parts(item)]
    if isinstance(result, dict):
        return _parts([result[key] for key in sorted(result)])
    return [result]


def _contracted(result: Any, weights: Sequence[Any]) -> Any:
    return sum(np.sum(part * weight)
               for part, weight in zip(_parts(result), weights, strict=True))


def _plain(number: Any) -> float:
    return float(number.data if isinstance(number, autograd.Value) else number)


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    try:
        return getattr(autograd if hasattr(autograd, name) else builtins, name)
    except AttributeError:
        def missing(*_: Any, **__: Any) -> Any:
            if "PYTEST_CURRENT_TEST" in os.environ:
                raise NotImplementedError(f"there is no {name} here")
            return missing  # a decorator, while the file is imported

        return missing
