"""What the examples of HIPS autograd import from it, made of this library, with short trainings.

``grad`` and its like compare the first gradient with differences of the function; ``CHECKED``
counts them. Optimizers take STEPS steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import scipy.optimize

import autograd

from . import hips_names, judging

STEPS = 2
STEP = 1e-4
RTOL = 1e-6
AWAY = 0.01  # from a start at which a function may have a kink
ITERATIONS = 10_000  # of a fixed point

CHECKED = count(1)
_generators: list[np.random.RandomState] = []


class RandomState(np.random.RandomState):
    """NumPy's, which can be set back to where it stood: an objective that draws is a function."""

    def __init__(self, seed: Any = 0) -> None:
        super().__init__(seed)
        _generators.append(self)


@contextmanager
def _same_draws() -> Any:
    """A function that sets all generators back to where they stand now."""
    states = np.random.get_state(), [one.get_state() for one in _generators]

    def back() -> None:
        np.random.set_state(states[0])
        for one, state in zip(_generators, states[1], strict=False):
            one.set_state(state)

    yield back


def grad(function: Callable[..., Any], argnum: int | Sequence[int] = 0) -> Callable[..., Any]:
    """autograd.grad, compared with differences when it is first called on plain numbers."""
    return _checked(function, autograd.grad(function, argnums=argnum), argnum)


def elementwise_grad(function: Callable[..., Any]) -> Callable[..., Any]:
    """autograd.elementwise_grad, compared likewise."""
    return _checked(lambda x: np.sum(function(x)), autograd.elementwise_grad(function), 0)


def value_and_grad(function: Callable[..., Any]) -> Callable[..., Any]:
    """autograd.value_and_grad, compared likewise."""
    both = autograd.value_and_grad(function)
    slopes = _checked(function, lambda *given: both(*given)[1], 0)

    def checked(*given: Any) -> Any:
        with _same_draws() as back:
            slopes(*given)
            back()
        return both(*given)

    return checked


def hessian_vector_product(function: Callable[..., Any]) -> Callable[..., Any]:
    """Second derivatives times a vector, compared with differences of the gradient."""
    slope = autograd.grad(function)
    return lambda x, vector: grad(lambda at: np.sum(slope(at) * vector))(x)


def _checked(function: Callable[..., Any], slopes: Callable[..., Any],
             argnum: int | Sequence[int]) -> Callable[..., Any]:
    places = tuple(np.ravel(argnum))
    waiting = True

    def called(*given: Any) -> Any:
        nonlocal waiting
        if not waiting or any(_is_traced(given[i]) for i in places):
            return slopes(*given)
        waiting = False
        with _same_draws() as back:
            start, unflatten = flatten([given[i] for i in places])
            start = start + np.random.RandomState(1).uniform(0.5 * AWAY, AWAY, len(start))
            moved = _moved(given, places, unflatten(start))
            result = slopes(*moved)
            if judging.COMPILED:
                hips_names.compare_compiled(slopes, moved, places)
            exact, _ = flatten(result if isinstance(argnum, tuple) else [result])
            direction = np.random.RandomState(0).normal(size=len(start))

            def at(displacement: float) -> float:
                back()
                parts = unflatten(start + displacement * direction)
                return float(np.sum(function(*_moved(given, places, parts))))

            _compare(float(np.dot(exact, direction)), at)
            back()
        return slopes(*given)

    return called


def _moved(given: Sequence[Any], places: Sequence[int], parts: Sequence[Any]) -> list[Any]:
    """The arguments, some of them others."""
    by_place = dict(zip(places, parts, strict=True))
    return [by_place.get(i, item) for i, item in enumerate(given)]


def _compare(exact: float, at: Callable[[float], float]) -> None:
    """A slope along a line with differences of fourth order."""
    estimates = [(8.0 * (at(step) - at(-step)) - (at(2.0 * step) - at(-2.0 * step)))
                 / (12.0 * step) for step in (STEP, 0.1 * STEP, 0.01 * STEP)]
    noise = 1e-13 * abs(at(0.0)) / STEP
    nearest = min(estimates, key=lambda estimate: abs(estimate - exact))
    assert abs(nearest - exact) <= RTOL * abs(exact) + noise, (
        f"the derivative is {exact}, not {nearest}")
    next(CHECKED)


def _is_traced(tree: Any) -> bool:
    return any(np.asarray(part).dtype.hasobject for part in hips_names._parts(tree))


def flatten(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A structure as one vector, and what makes it of a vector again."""
    parts = [np.ravel(part) for part in hips_names._parts(tree)]
    return np.concatenate(parts) if parts else np.zeros(0), partial(_rebuilt, tree)


def _rebuilt(tree: Any, vector: Any) -> Any:
    place = 0

    def take(part: Any) -> Any:
        nonlocal place
        if isinstance(part, list | tuple):
            return type(part)(take(item) for item in part)
        if isinstance(part, dict):
            return {key: take(part[key]) for key in sorted(part)}
        size, place = np.size(part), place + np.size(part)
        found = vector[place - size:place]
        return np.reshape(found, np.shape(part)) if np.shape(part) else found[0]

    return take(tree)


def flatten_func(function: Callable[..., Any], example: Any) -> tuple[Any, Any, Any]:
    """A function of a structure as one of a vector; also how to go back, and the start."""
    start, unflatten = flatten(example)
    return lambda vector, *rest: function(unflatten(vector), *rest), unflatten, start


def descent(gradient: Callable[..., Any], start: Any, callback: Any = None, num_iters: int = 100,
            step_size: float = 0.001, **_: Any) -> Any:
    """A few plain steps in the place of an optimizer."""
    x, unflatten = flatten(start)
    for i in range(min(num_iters, STEPS)):
        slope = gradient(unflatten(x), i)
        if callback:
            callback(unflatten(x), i, slope)
        x = x - step_size * flatten(slope)[0]
    return unflatten(x)


adam = sgd = descent


def minimize(*arguments: Any, options: Any = None, **keywords: Any) -> Any:
    """SciPy's, STEPS steps of it."""
    return scipy.optimize.minimize(*arguments, options={**(options or {}), "maxiter": STEPS},
                                   **keywords)


def fixed_point(function: Callable[..., Any], parameter: Any, start: Any,
                distance: Callable[..., Any], tolerance: float) -> Any:
    """Where function(parameter)(x) is x."""
    def solver(a: Any) -> Any:
        step, x = function(a), start
        for _ in range(ITERATIONS):
            x, before = step(x), x
            if distance(x, before) < 1e-6 * tolerance:  # differences see what is left
                break
        return x

    return autograd.implicit(lambda x, a: function(a)(x) - x, solver)(parameter)


def defvjp(function: Any, *makers: Any) -> None:
    """Give a primitive its vector-Jacobian products, written as HIPS autograd wants them."""
    function.product = lambda g, result, *given: (
        makers[0](result, *given)(g) if len(makers) == 1
        else tuple(maker(result, *given)(g) for maker in makers))


class primitive:
    """A function whose derivative is set later, by defvjp."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.product: Any = None
        self.made = autograd.primitive(function, vjp=lambda *given: self.product(*given))

    def __call__(self, *given: Any) -> Any:
        return self.made(*given)


def __getattr__(name: str) -> Any:
    return getattr(hips_names, name)
