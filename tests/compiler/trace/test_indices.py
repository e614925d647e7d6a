"""int(v): an error in the eager engine, an index under jit, for each of which one recording."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autograd import Value, grad, jit, value_and_grad, vmap
from autograd import math as our_math
from autograd.compiler.profitability import FREE

TABLE = [1.0, 4.0, 9.0, 16.0, 25.0]


def interpolated(x: Any) -> Any:
    i = int(x)
    return TABLE[i] + (x - i) * (TABLE[i + 1] - TABLE[i])


def by_hand(x: float) -> float:
    return TABLE[int(x)] + (x - int(x)) * (TABLE[int(x) + 1] - TABLE[int(x)])


def test_outside_of_jit_it_is_an_error_that_names_jit() -> None:
    with pytest.raises(TypeError, match=r"int\(v\.data\).*jit"):
        int(Value(2.5))
    with pytest.raises(TypeError, match="jit"):
        grad(interpolated)(1.5)


def test_under_jit_there_is_a_recording_for_each_index() -> None:
    f = jit(interpolated, max_recordings=10)
    for x in (0.25, 0.75, 2.5, 0.5, 2.0, 2.999):
        assert f(x) == by_hand(x)
    assert f.n_recordings == 2


def test_derivatives_take_it_as_constant() -> None:
    f = jit(interpolated)
    assert (grad(f)(0.5), grad(f)(2.5), grad(f)(0.125)) == (3.0, 7.0, 3.0)
    assert jit(value_and_grad(interpolated))(1.25) == (5.25, 5.0)


def test_numbers_towards_zero_are_one_index() -> None:
    f = jit(lambda x: TABLE[int(x)] * x, max_recordings=10)
    assert [f(x) for x in (-0.5, 0.5, -0.75, 0.0, -0.0)] == [-0.5, 0.5, -0.75, 0.0, 0.0]
    assert f.n_recordings == 1
    assert f(-1.5) == -37.5
    assert f.n_recordings == 2


def test_rows_are_grouped_by_index() -> None:
    xs = np.array([0.25, 1.5, 0.75, 3.5])
    assert vmap(interpolated)(xs).tolist() == [by_hand(x) for x in xs]


@pytest.mark.parametrize("whole", [our_math.floor, our_math.ceil, round, math.floor])
def test_whole_numbers_are_indices_as_they_are(whole: Any) -> None:
    f = jit(lambda x: TABLE[whole(x)] * x, max_recordings=10)
    for x in (1.25, 1.375, 2.75, 1.125):
        assert f(x) == TABLE[whole(x)] * x
    assert f.n_recordings == 2
    with pytest.raises(TypeError, match="not an index"):
        TABLE[whole(Value(1.5))]


def test_a_loop_of_that_many_rounds() -> None:
    def power(x: Any, n: Any) -> Any:
        result = 1.0
        for _ in range(int(n)):
            result = result * x
        return result

    f = jit(power, max_recordings=10)
    assert [f(2.0, 3), f(3.0, 3), f(2.0, 5), f(1.5, 3.0)] == [8.0, 27.0, 32.0, 3.375]
    assert f.n_recordings == 2
    assert grad(f)(2.0, 3) == 12.0


def test_calls_that_are_not_recorded_take_indices_too() -> None:
    f = jit(lambda x: x * int(x), backend="python")
    for i in range(FREE + 5):
        assert f(i + 0.5) == i * (i + 0.5)
        assert grad(f)(i + 0.5) == i
    assert f.profit.eager


@pytest.mark.parametrize(("x", "error"), [(math.inf, OverflowError), (math.nan, ValueError)])
def test_what_is_not_finite_raises_pythons_error(x: float, error: Any) -> None:
    with pytest.raises(error):
        jit(interpolated)(x)


def test_other_values_are_no_indices() -> None:
    with pytest.raises(TypeError, match=r"int\(v\)"):
        jit(lambda x: TABLE[x])(1.0)
    with pytest.raises(TypeError, match="float"):
        jit(lambda x: float(x))(1.0)
