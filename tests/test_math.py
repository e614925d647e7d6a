"""autograd.math: on floats the bits and errors of math, on Values what is recorded."""

from __future__ import annotations

import inspect
import itertools
import math
import pickle
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jit
from autograd import math as both

NAMES = [name for name in dir(math) if not name.startswith("_")]
FUNCTIONS = [name for name in NAMES if callable(getattr(math, name))]
NUMBERS: list[Any] = [0.0, -0.0, 0.5, -0.75, 1, 2, -3, 7.25, 1e-300, 1e300, 720.0, 10**400, True,
                      math.inf, -math.inf, math.nan, Fraction(1, 3), np.float64(0.3), np.int64(4)]
OTHERS: list[Any] = ["a", None, [1.0, 2.5], (3, 4), [], [math.inf, -math.inf], ["a"], 1j]
OF_WHOLE = {"comb", "factorial", "gcd", "isqrt", "lcm", "perm"}


def outcome(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What a call gives, to the bit, or its error in words."""
    try:
        return shown(function(*arguments, **keywords))
    except (TypeError, ValueError, ArithmeticError) as error:
        return type(error), str(error)


def shown(result: Any) -> Any:
    if isinstance(result, tuple):
        return tuple(map(shown, result))
    if isinstance(result, float):
        return "nan" if result != result else struct.pack("<d", result)
    return type(result), result


def test_every_public_name_of_math_is_there() -> None:
    assert sorted(both.__all__) == NAMES
    for name in NAMES:
        if name not in FUNCTIONS:
            assert shown(getattr(both, name)) == shown(getattr(math, name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_floats_give_the_bits_and_the_errors_of_math(name: str) -> None:
    ours, theirs = getattr(both, name), getattr(math, name)
    small = [x for x in NUMBERS if name not in OF_WHOLE or not isinstance(x, int) or x < 10**9]
    calls = [(x,) for x in [*small, *OTHERS]]
    calls += itertools.product([*small, *OTHERS[:4]], repeat=2)
    calls += [(0.5, 1.5, 2.0), (3, 4, 5), (1.0, "a", 2.0), ([3.0, 4.0], [0, 0.5])]
    for arguments in calls:
        assert outcome(ours, *arguments) == outcome(theirs, *arguments) or (
            both_refuse_the_count(ours, theirs, arguments)), arguments
    for count in (0, 4, 5):
        failed = [isinstance(outcome(f, *(1.0,) * count), tuple) for f in (ours, theirs)]
        assert failed[0] == failed[1], count


def both_refuse_the_count(ours: Any, theirs: Any, arguments: Any) -> bool:
    """Python words it in another way than C does."""
    errors = [outcome(f, *arguments)[0] for f in (ours, theirs)]
    return errors == [TypeError, TypeError] and "argument" in outcome(theirs, *arguments)[1]


def test_keywords() -> None:
    for tolerances in ({}, {"rel_tol": 1e-3}, {"abs_tol": 1e-3}, {"rel_tol": -1.0}):
        for a, b in itertools.product([0.0, 1.0, 1.0005, 1e-4, math.inf], repeat=2):
            assert outcome(both.isclose, a, b, **tolerances) == outcome(
                math.isclose, a, b, **tolerances)
            recorded = outcome(both.isclose, Value(a), b, **tolerances)
            assert recorded == outcome(math.isclose, a, b, **tolerances)
    assert both.prod([2, 3], start=5) == 30
    assert both.prod([2, Value(3.0)], start=5).data == 30.0


UNARY = {"acos": 0.3, "acosh": 1.7, "asin": 0.3, "asinh": 0.3, "atan": 0.3, "atanh": 0.3,
         "cos": 0.3, "cosh": 0.3, "degrees": 0.3, "erf": 0.3, "erfc": 0.3, "exp": 0.3, "expm1": 0.3,
         "fabs": -0.3, "log": 0.3, "log10": 0.3, "log1p": 0.3, "log2": 0.3, "radians": 0.3,
         "sin": 0.3, "sinh": 0.3, "sqrt": 0.3, "tan": 0.3, "tanh": 0.3, "cbrt": 0.3, "exp2": 0.3,
         "floor": 2.3, "ceil": 2.3, "trunc": -2.3}
CALLS: list[tuple[Callable[[Any, Any], Any], float]] = [
    *((lambda m, x, name=name: getattr(m, name)(x), x) for name, x in UNARY.items()
      if name in FUNCTIONS),
    (lambda m, x: m.log(x, 3.0), 0.3), (lambda m, x: m.log(5, x), 0.3),
    (lambda m, x: m.atan2(x, 2.0), 0.3), (lambda m, x: m.copysign(x, -1.0), 0.3),
    (lambda m, x: m.fmod(x, 2.0), -7.3), (lambda m, x: m.remainder(7.3, x), 2.0),
    (lambda m, x: m.pow(x, 2.5), 0.3), (lambda m, x: m.pow(2, x), 0.3),
    (lambda m, x: m.modf(x)[0], -7.3), (lambda m, x: m.modf(x)[1], -7.3),
    (lambda m, x: m.frexp(x)[0] * m.frexp(x)[1], 7.3), (lambda m, x: m.ldexp(x, 5), 0.3),
    (lambda m, x: m.ldexp(x * 1e-200, 1010), 0.3), (lambda m, x: m.ldexp(x, -1003), 0.3e300),
    (lambda m, x: m.hypot(x, 2.0), 0.3), (lambda m, x: m.hypot(x, 2.0, 3), 0.3),
    (lambda m, x: m.hypot(x), -0.3), (lambda m, x: m.dist([x, 1.0], (2.0, 0.5)), 0.3),
    (lambda m, x: m.fsum(y * x for y in range(4)), 0.3),
    (lambda m, x: m.prod([x, 2.0, x]), 0.3), (lambda m, x: m.prod([2.0], start=x), 0.3)]


@pytest.mark.parametrize("place", range(len(CALLS)))
def test_values_are_recorded_with_the_number_of_math(place: int) -> None:
    f, x = CALLS[place]
    recorded = f(both, Value(x))
    assert type(recorded) is Value
    expected = f(math, x)
    assert recorded.data == pytest.approx(expected, rel=4e-16)
    h = 1e-6 * max(1.0, abs(x))
    slope = (f(math, x + h) - f(math, x - h)) / (2.0 * h)
    assert grad(lambda t: f(both, t))(x) == pytest.approx(slope, rel=1e-7, abs=1e-9)
    compiled = jit(lambda t: f(both, t))
    assert [compiled(x), compiled(x)] == pytest.approx([expected] * 2, rel=1e-15)


@pytest.mark.skipif(not hasattr(math, "sumprod"), reason="Python 3.12 has it first")
def test_sumprod() -> None:
    f: Any = both.sumprod  # type: ignore[attr-defined, unused-ignore]
    assert f([Value(2.0), 3], [4.0, 5]).data == 23.0
    with pytest.raises(ValueError, match="same length"):
        f([Value(2.0)], [])


@pytest.mark.skipif(not hasattr(math, "fma"), reason="Python 3.13 has it first")
def test_fma() -> None:
    f: Any = both.fma  # type: ignore[attr-defined, unused-ignore]
    assert f(Value(2.0), 3.0, 4.0).data == 10.0


@pytest.mark.parametrize("x", [0.5, -2.0, 0.0, math.inf, -math.inf, math.nan])
def test_tests_of_a_value_are_those_of_its_number(x: float) -> None:
    for name in ("isnan", "isinf", "isfinite"):
        assert getattr(both, name)(Value(x)) is getattr(math, name)(x)


def test_a_test_is_a_branch_to_a_compiled_function() -> None:
    f = jit(lambda x: 2.0 * x if both.isclose(x, 1.0, abs_tol=0.1) else x)
    assert [f(1.05), f(1.2), f(1.05)] == [2.1, 1.2, 2.1]


@pytest.mark.parametrize("name", ["comb", "factorial", "gcd", "isqrt", "lcm", "nextafter", "perm",
                                  "ulp"])
def test_what_has_no_derivative_says_so(name: str) -> None:
    arguments = (Value(3.0), 2)[:1 if name in ("factorial", "isqrt", "ulp") else 2]
    with pytest.raises(TypeError, match=rf"math\.{name} has no derivative here; write v\.data"):
        getattr(both, name)(*arguments)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda v: both.sqrt(-v), ValueError, "sqrt is not defined at"),
    (lambda v: both.exp(v * 1e3), OverflowError, "exp overflows at"),
    (lambda v: both.log(v, 1.0), ZeroDivisionError, "div is not defined at"),
    (lambda v: both.log(v, 2.0, 3.0), TypeError, "at most 2 arguments, got 3"),
    (lambda v: both.ldexp(v, 0.5), TypeError, "Expected an int"),
    (lambda v: both.ldexp(2.0, v), TypeError, "Expected an int"),
    (lambda v: both.dist([v], []), ValueError, "same number of dimensions"),
    (lambda v: both.isclose(v, 1.0, abs_tol=-1.0), ValueError, "non-negative")])
def test_errors_of_values(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(Value(2.0))


def test_the_functions_are_known_by_name() -> None:
    assert pickle.loads(pickle.dumps(both.exp)) is both.exp
    assert both.exp.__module__ == "autograd.math"  # type: ignore[attr-defined]
    assert "also of Values" in (inspect.getdoc(both.exp) or "")
    assert ag.math is both
