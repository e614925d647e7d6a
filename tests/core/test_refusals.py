"""A gradient that was refused stays refused, also where the function swallows the error."""

from __future__ import annotations

import contextlib
import json
import math
import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value


def clipped_exp(x: Any) -> Any:
    """As libraries write it: whatever goes wrong, it was an overflow."""
    try:
        return math.exp(x)
    except Exception:
        return 1e300


def bare_except(x: Any) -> Any:
    try:
        return x * math.log(x)
    except:  # noqa: E722 - as libraries write it
        return 0.0 * x


def converted(x: Any) -> Any:
    with contextlib.suppress(TypeError):
        x = x + float(x)
    return x


def asked(x: Any) -> Any:
    return x * 2.0 if isinstance(x, Value) and tolerates(float, x) else x


def tolerates(convert: Callable[[Any], Any], x: Any) -> bool:
    try:
        convert(x)
    except TypeError:
        return False
    return True


def filled(x: Any) -> Any:
    numbers = np.zeros(2)
    with contextlib.suppress(TypeError, ValueError):
        numbers[0] = x
    return numbers.sum() + x


def spaced(x: Any) -> Any:
    try:
        return np.spacing(x)
    except TypeError:
        return x * 0.0


def divided(how: Callable[[Any, float], Any]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        try:
            return how(x, 1.0)
        except TypeError:
            return x * 2.0

    return function


SWALLOWING = [clipped_exp, bare_except, converted, asked, filled, spaced,
              divided(lambda x, by: math.fmod(x, by)), divided(lambda x, by: np.frexp(x)[0]),
              lambda x: clipped_exp(x) * x, lambda x: x if tolerates(complex, x) else -x]
TRANSFORMS: list[Callable[[Any], Callable[[float], Any]]] = [
    ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian,
    lambda f: lambda x: ag.jvp(f, x, 1.0), lambda f: lambda x: ag.hvp(f, x, 1.0),
    lambda f: ag.jit(f, backend="python"), lambda f: ag.jit(ag.grad(f), backend="python"),
    lambda f: lambda x: ag.vmap(f, backend="python")([x, x]), lambda f: ag.grad(ag.grad(f)),
    lambda f: ag.grad(lambda x: x * ag.grad(f)(x))]


@pytest.mark.parametrize("transform", range(len(TRANSFORMS)))
@pytest.mark.parametrize("function", SWALLOWING)
def test_a_refusal_that_is_swallowed_is_not_lost(function: Callable[[Any], Any],
                                                 transform: int) -> None:
    for _ in range(2):  # nothing is kept of the first call
        with pytest.raises(TypeError, match=r"caught this error and went on"):
            TRANSFORMS[transform](function)(2.5)
    assert TRANSFORMS[transform](lambda x: x * x)(2.0) is not None


def test_a_refusal_inside_an_inner_transform_counts_for_the_outer_one() -> None:
    def outer(x: Any) -> Any:
        try:
            return ag.grad(lambda t: t * math.exp(x))(2.0)
        except TypeError:
            return x

    with pytest.raises(TypeError, match=r"math\.exp of a Value.*caught this error"):
        ag.grad(outer)(1.0)


@pytest.mark.parametrize("function", SWALLOWING)
def test_checks_do_not_pass_it(function: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"caught this error and went on"):
        ag.gradcheck(function, 2.5)
    with pytest.raises(TypeError, match=r"caught this error and went on"):
        ag.check_gradients(function, [(2.0, 3.0)])


def test_the_error_itself_comes_through_as_it_is() -> None:
    with pytest.raises(TypeError, match=r"math\.exp of a Value") as error:
        ag.grad(lambda x: math.exp(x))(1.0)
    assert "caught" not in str(error.value)


def asks_politely(x: Any) -> Any:
    """What libraries ask a number in order to see what it is."""
    assert isinstance(x, numbers.Real)
    assert hasattr(x, "__float__") and not hasattr(x, "is_integer")
    assert np.ndim(x) == 0 and np.shape([x, x]) == (2,) and np.asarray(x).dtype == object
    assert json.dumps({"x": [x]}, default=lambda v: "a Value") == '{"x": ["a Value"]}'
    assert tolerates(repr, x) and tolerates(np.isnan, x)
    assert not tolerates(range(3).__getitem__, x) and not tolerates([1.0].__getitem__, x)
    together = np.array([x, 2.0]) * np.ones(2)
    return together.sum() + np.stack([together, together]).mean() + np.median(together) + max(x, 0.)


def test_asking_what_it_is_is_no_loss() -> None:
    assert ag.grad(asks_politely)(1.0) == 3.0  # sum and max 1 each, mean and median a half
    assert ag.jit(asks_politely, backend="python")(1.0) == 7.0


def found_finite(x: Any) -> Any:
    """As libraries look at what they are given."""
    try:
        return x * 2.0 if np.isfinite(x) and not np.isnan(x) and not np.isinf(x) else 0.0
    except TypeError:
        return x * 5.0


@pytest.mark.parametrize("transform", [lambda f: f, ag.grad, lambda f: ag.jit(f, backend="python"),
                                       lambda f: ag.jit(ag.grad(f), backend="python")])
def test_numpy_is_answered_whether_a_value_is_finite(transform: Any) -> None:
    f, is_slope = transform(found_finite), transform(lambda x: x)(3.0) == 1.0
    for x in (1.5, math.inf, math.nan, -math.inf, 2.5):
        expected = (2.0 if is_slope else 2.0 * x) if math.isfinite(x) else 0.0
        assert f(x) == expected


def test_numpy_is_answered_for_arrays_and_the_sign_of_a_zero() -> None:
    numbers = np.array([1.0, math.nan, math.inf, -0.0, 0.0])
    values = ag.values(numbers)
    for ask in (np.isnan, np.isinf, np.isfinite, np.signbit):
        assert ask(values).dtype == bool and ask(values).tolist() == ask(numbers).tolist()
        assert [ask(value) for value in values] == ask(numbers).tolist()
        assert ask(values * numbers).tolist() == ask(numbers * numbers).tolist()
    f = ag.jit(lambda x: -x if np.signbit(x) else 5.0, backend="python")
    assert [f(-2.0), f(0.0), f(-0.0), f(0.0), f(3.0)] == [2.0, 5.0, 0.0, 5.0, 5.0]
