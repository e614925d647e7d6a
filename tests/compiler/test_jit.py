"""jit: structures of arguments and results, branches, derivatives, errors, on every back end."""

from __future__ import annotations

import ast
import functools
import gc
import math
import re
import struct
from collections import namedtuple
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import autograd as ag
from autograd import (
    Value,
    grad,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    topological_order,
    value_and_grad,
)
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.strategies import Expression, expressions
from tests.threads import in_threads

MOST_ULPS = 8.0  # what the back ends promise of one operation
ADDED_UP = {"sum", "dot", "logsumexp", "norm"}  # cancel: ulps of the terms

Point = namedtuple("Point", "x y")
Size = namedtuple("Size", "width height")


def bits(number: float) -> bytes:
    return struct.pack("<d", number if number == number else math.nan)


def assert_same(given: Any, expected: Any, backend: str = "") -> None:
    """Assert the same structure around numbers of the same bits; XLA may round once less.

    Numbers that were computed from ints are floats, constants stay what they are.
    """
    if isinstance(expected, np.ndarray) and expected.ndim:
        assert isinstance(given, np.ndarray)
        assert given.shape == expected.shape
        assert_same(given.tolist(), expected.tolist(), backend)
    elif isinstance(expected, dict):
        assert type(given) is type(expected)
        assert list(given) == list(expected)
        assert_same(list(given.values()), list(expected.values()), backend)
    elif isinstance(expected, list | tuple):
        assert type(given) is type(expected)
        assert len(given) == len(expected)
        for one, other in zip(given, expected, strict=True):
            assert_same(one, other, backend)
    elif isinstance(expected, bool | str | None):
        assert given is expected or given == expected
    elif backend == "jax" and isinstance(given, float):
        assert given == pytest.approx(expected, rel=1e-15)
    else:
        assert isinstance(given, float) or type(given) is type(expected)
        assert bits(float(given)) == bits(float(expected)), (given, expected)


def unsigned(structure: Any) -> Any:
    """With 0 in place of -0: the eager engine adds derivatives to a grad of 0, jit does not."""
    items = [float(x) + 0.0 for x in ag.core.pytrees.flatten(structure)]
    return ag.core.pytrees.rebuild(structure, items)


def recorded_instructions(function: Any) -> int:
    """How long the latest recording is, as explain() says."""
    return int(re.findall(r"(\d+) instruction", function.explain())[-1])


# --- structures -----------------------------------------------------------------------------------

CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (lambda x: x * x - 0.1, (1.7,), {}),
    (lambda x: x * 3, (5,), {}),
    (lambda x: x * 3.0, (np.float32(1.25),), {}),
    (lambda x: x * 3.0, (np.int64(7),), {}),
    (lambda x: x * 3.0, (np.array(2.5),), {}),
    (lambda x: x + 1.0, (-0.0,), {}),
    (lambda x: -x, (0.0,), {}),
    (lambda v: v[0] * v[1], ([2.0, 3],), {}),
    (lambda v: v, ([],), {}),
    (lambda v: [v[0][0] + v[1][1], [v[1][0] / 3.0]], ([[1.0, 2.0], [3.0, 4.0]],), {}),
    (lambda v: (v[0] / v[1][0], v[1][1]["a"]), ((1.0, [3.0, {"a": 4.0}]),), {}),
    (lambda p: Point(p.y / 7.0, [p.x]), (Point(1.0, 2.0),), {}),
    (lambda p: p.x * p.y[0] + p.y[1], (Point(1.5, np.array([2.0, 3.0])),), {}),
    (lambda d: {"s": d["w"] + d["b"], "p": [d["w"] * d["b"]]}, ({"w": 0.1, "b": 0.2},), {}),
    (lambda d: d, ({"w": {"v": [1.0, 2.0]}, 3: np.array([4.0])},), {}),
    (lambda x: x / 3.0 + x * x, (np.array([0.1, 0.2, 0.7]),), {}),
    (lambda x: (x * 0.1).T, (np.arange(6.0).reshape(2, 3),), {}),
    (lambda x: x[0] * x[1], (np.arange(6.0).reshape(2, 3),), {}),
    (lambda x: x[:, ::2] * 0.1, (np.asfortranarray(np.arange(9.0).reshape(3, 3)),), {}),
    (lambda x: x[::-2] * 0.1, (np.arange(9.0)[::2],), {}),
    (lambda x: x / 3, (np.arange(4),), {}),
    (lambda x: x / 3, (np.arange(4, dtype=np.uint8),), {}),
    (lambda x: x * 0.25, (np.arange(4, dtype=np.float32),), {}),
    (lambda x: x * 0.5, (np.array([1, 2.5], dtype=object),), {}),
    (lambda x: x, (np.zeros((0, 2)),), {}),
    (lambda x, y: x / y, (1.0, 3.0), {}),
    (lambda x, y: x / y, (1.0,), {"y": 3.0}),
    (lambda x, y: x / y, (), {"y": 3.0, "x": 1.0}),
    (lambda x, y=3.0, *, z=2: x / y * z, (1.0,), {}),
    (lambda x, y=3.0, *, z=2: x / y * z, (1.0, 0.7), {"z": [5.0, 6.0][0]}),
    (lambda *xs, **others: [xs[0] * others["a"], xs[1]], (1.0, 0.1), {"a": 7.0}),
    (lambda x, v: [x * item for item in v], (0.1, [1.0, 2.0, 3.0]), {}),
    (lambda x, v, d: x * v @ np.array([1.0, 2.0]) + d["k"], (0.1, np.array([3, 4]), {"k": 1}), {}),
    (lambda x, kind: x * 2.0 if kind == "double" else x, (1.5, "double"), {}),
    (lambda x, flag: x * 2.0 if flag else x, (1.5, True), {}),
    (lambda x, flags: x * 2.0 if flags[1] else x, (1.5, [True, False]), {}),
    (lambda x, y: x if y is None else y, (1.5, None), {}),
    (lambda x, y: x * y, (2.0, Fraction(1, 3)), {}),
    (lambda x, f: f(x), (-2.0, abs), {}),
    (lambda x: (x, 1, 2.5, "text", None, True), (0.5,), {}),
    (lambda x: [], (0.5,), {}),
    (lambda x: {"inner": {}, "x": (x,)}, (0.5,), {}),
    (lambda x: np.array([[1.0, 2.0]]), (0.5,), {}),
    (lambda x: x + np.array([[1.0, 2.0], [3.0, 4.0]]), (0.1,), {}),
    (lambda: 3.0, (), {}),
    (lambda x: x > 1.0, (1.5,), {}),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_results_come_back_in_the_structure_that_the_function_gives(number: int,
                                                                    backend: str) -> None:
    function, arguments, keywords = CALLS[number]
    compiled = jit(function, backend=backend)
    expected = function(*arguments, **keywords)
    for _ in range(2):  # recorded, then replayed
        assert_same(compiled(*arguments, **keywords), expected, backend)
    assert compiled.n_recordings == 1


def test_an_array_may_hold_constants_between_what_is_computed(backend: str) -> None:
    f = jit(lambda x: np.array([[x, 2.0], [0.0, x * x]], dtype=object), backend=backend)
    for x in (3.0, 0.1):
        given = f(x)
        assert given.dtype == float
        assert_same(given, np.array([[x, 2.0], [0.0, x * x]]))


def test_results_belong_to_the_caller(backend: str) -> None:
    f = jit(lambda v: (v * 2.0, np.ones(2), [v[0]]), backend=backend)
    argument = np.array([1.0, 2.0])
    first = f(argument)
    first[0][:] = first[1][:] = first[2][0] = -1.0
    assert_same(f(argument), (np.array([2.0, 4.0]), np.ones(2), [1.0]))
    assert_same(argument, np.array([1.0, 2.0]))


def test_a_large_result_belongs_to_the_caller(backend: str) -> None:
    f = jit(lambda v: v * 2.0, backend=backend)
    argument = np.arange(10_000.0)
    first, second = f(argument), f(argument + 1.0)
    assert_same(first, argument * 2.0)
    assert_same(second, (argument + 1.0) * 2.0)


def test_another_structure_is_another_recording(backend: str) -> None:
    f = jit(lambda v: v[0] + v[1], backend=backend)
    kinds: list[Any] = [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0]), {0: 1.0, 1: 2.0},
                        Point(1.0, 2.0), Size(1.0, 2.0), [1.0, 2.0, 5.0]]
    for _ in range(2):
        for kind in kinds:
            assert f(kind) == 3.0
    assert f.n_recordings == len(kinds)


def test_numbers_of_any_kind_are_one_recording(backend: str) -> None:
    f = jit(lambda x, y: x * y, backend=backend)
    assert [f(2.0, 3.0), f(2, 3), f(np.float64(2), np.int8(3)), f(np.float32(2), 3)] == [6.0] * 4
    assert f.n_recordings == 1
    g = jit(lambda v: v[0] * v[1], backend=backend)
    assert [g([2.0, 3.0]), g([2, 3]), g([2, 3.0])] == [6.0] * 3
    assert g.n_recordings == 1


def test_truth_values_and_texts_stand_as_they_are(backend: str) -> None:
    f = jit(lambda x, choice: x * 2.0 if choice in (True, "double") else x, backend=backend)
    given = [f(1.5, choice) for choice in (True, False, np.True_, "double", "single", True)]
    assert given == [3.0, 1.5, 3.0, 3.0, 1.5, 3.0]
    assert f.n_recordings == 4  # NumPy's True is Python's


def test_keywords_in_another_order() -> None:
    f = jit(lambda a, b: a - b)
    assert [f(a=1.0, b=3.0), f(b=3.0, a=1.0), f(1.0, b=3.0)] == [-2.0] * 3


def test_what_a_function_is_given_beside_numbers_may_change(backend: str) -> None:
    class Settings:
        factor = 2.0

    chosen, other = Settings(), Settings()
    other.factor = 7.0
    f = jit(lambda x, options: x * options.factor, backend=backend)
    assert f(1.5, chosen) == 3.0
    assert f(1.5, other) == 10.5
    chosen.factor = 4.0
    assert f(1.5, chosen) == 6.0
    assert f(1.5, other) == 10.5
    other.factor = 1.0
    assert f(1.5, other) == 1.5
    assert f(1.5, chosen) == 6.0


def test_a_function_among_the_arguments_may_change_what_it_captures(backend: str) -> None:
    scale = 2.0

    def scaled(x: Any) -> Any:
        return x * scale

    f = jit(lambda x, inner: inner(x), backend=backend)
    assert f(1.5, scaled) == 3.0
    scale = 4.0
    assert f(1.5, scaled) == 6.0


def test_a_captured_number_that_goes_back_to_what_it_was(backend: str) -> None:
    factor = 1.0
    f = jit(lambda v: v[0] * factor, backend=backend)
    assert f((2.0,)) == 2.0
    factor = 3.0
    assert f([2.0]) == 6.0  # another kind of arguments, recorded with another factor
    factor = 1.0
    assert f([2.0]) == 2.0
    assert f((2.0,)) == 2.0


# --- static arguments -----------------------------------------------------------------------------

def power_sum(x: Any, n: int) -> Any:
    return sum(x**k for k in range(n))


def test_static_arguments_are_handed_over_as_they_are(backend: str) -> None:
    f = jit(power_sum, backend=backend, static_argnums=1)
    assert [f(2.0, 3), f(3.0, 3), f(2.0, 5)] == [7.0, 13.0, 31.0]
    assert f.n_recordings == 2
    assert_same(grad(f)(2.0, 4), grad(power_sum)(2.0, 4))
    assert_same(value_and_grad(f)(2.0, 4), value_and_grad(power_sum)(2.0, 4))


def test_static_arguments_that_are_equal_may_be_different(backend: str) -> None:
    f = jit(lambda x, n: x * len(type(n).__name__), backend=backend, static_argnums=(1,))
    assert [f(1.0, n) for n in (1, 1.0, True, (1,), (1.0,), 1)] == [3.0, 5.0, 4.0, 5.0, 5.0, 3.0]
    assert f.n_recordings == 5
    g = jit(lambda x, n: math.copysign(1.0, n[0]) * x, backend=backend, static_argnums=1)
    assert [g(1.0, (0.0,)), g(1.0, (-0.0,)), g(1.0, (0,))] == [1.0, -1.0, 1.0]


def test_static_arguments_must_be_hashable() -> None:
    with pytest.raises(TypeError, match=r"argument 1 is named in static_argnums.*list.*tuple"):
        jit(power_sum, static_argnums=1)(1.0, [3])


def test_static_arguments_count_from_the_front() -> None:
    with pytest.raises(ValueError, match="count from 0"):
        jit(power_sum, static_argnums=-1)


def test_a_direction_is_never_static() -> None:
    f = jit(lambda x, y: x * y, static_argnums=1)
    jvp(f, (2.0, 3.0), (1.0, 1.0))
    assert jvp(f, (2.0, 3.0), (10.0, 1.0)) == (6.0, 32.0)
    along = f.__compose__(ag.core.transforms.jvp_of)
    assert along.n_recordings == 1


# --- branches -------------------------------------------------------------------------------------

def pieces(x: Any) -> Any:
    if x < -1.0:
        return x * x
    if x <= 1.0:
        return abs(x) + 0.1
    return max(x, 3.0) - min(x, 2.0)


PIECES = [-3.0, -1.0, -0.5, -0.0, 0.0, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0]


@pytest.mark.parametrize("points", [PIECES, PIECES[::-1], PIECES[::2] + PIECES[1::2]])
def test_every_branch_is_recorded_once_in_any_order(points: list[float], backend: str) -> None:
    f = jit(pieces, backend=backend)
    for _ in range(3):
        for x in points:
            assert_same(f(x), pieces(x))
            assert_same(unsigned(grad(f)(x)), grad(pieces)(x))
    # x * x; both signs of |x| need no branch; max and min decide three ways beyond 1.
    assert f.n_recordings == 5
    assert grad(f).n_recordings == 5


def test_both_branches_stay_cached(backend: str) -> None:
    f = jit(lambda x: x * 2.0 if x > 0.0 else -x, backend=backend)
    given = [f(x) for x in (1.0, -1.0, 1.0, -1.0, 3.0, -3.0)]
    assert given == [2.0, 1.0, 2.0, 1.0, 6.0, 3.0]
    assert f.n_recordings == 2


def test_a_sort_is_one_recording_for_each_order(backend: str) -> None:
    f = jit(lambda v: sorted(v), backend=backend)
    orders = [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [2.0, 1.0, 3.0], [1.5, 2.5, 3.5]]
    for order in (*orders, *orders):
        assert f(order) == sorted(order)
    assert f.n_recordings == 3


def test_a_loop_whose_length_depends_on_the_numbers(backend: str) -> None:
    def halvings(x: Any) -> Any:
        count = 0.0
        while x > 1.0:
            x, count = x / 2.0, count + 1.0
        return count, x

    f = jit(halvings, backend=backend)
    for x in (0.5, 3.0, 100.0, 3.5, 0.9):
        assert_same(f(x), halvings(x))
    assert f.n_recordings == 3


def test_comparisons_with_nan_are_false(backend: str) -> None:
    f = jit(lambda x: 1.0 if x < 0.0 else 2.0 if x >= 0.0 else x, backend=backend)
    assert [f(-1.0), f(1.0)] == [1.0, 2.0]
    for _ in range(2):
        assert math.isnan(f(math.nan))
    assert f.n_recordings == 3


def test_a_number_read_with_data_holds_for_that_number_alone(backend: str) -> None:
    def read(x: Any) -> Any:  # the eager engine sums exactly, back ends may add one by one
        total = ag.sum([1e-16, x, 1e-16])
        return total.data * x if isinstance(total, Value) else total * x

    f = jit(read, backend=backend)
    points = [1.1, 1.3, 1.7, 1.9]
    for x in (*points, *points):
        assert_same(f(x), read(x))
    assert f.n_recordings == len(points)


def test_at_most_max_recordings_are_kept(backend: str) -> None:
    f = jit(lambda x: x.data * 2.0 + x if isinstance(x, Value) else 3.0 * x, backend=backend,
            max_recordings=3)
    assert [f(float(k)) for k in range(1, 8)] == [3.0 * k for k in range(1, 8)]
    assert f.n_recordings == 3
    assert "max_recordings" in f.explain()
    assert f(5.0) == 15.0


# --- what was recorded ----------------------------------------------------------------------------

def test_explain_says_what_was_recorded_and_why() -> None:
    def halved(x: Any) -> Any:
        return x / 2.0 if x > 1.0 else x

    f = jit(halved, max_recordings=10)
    assert f.explain() == "halved: 0 recording(s)"
    f(2.0)
    f(0.5)
    f([2.0][0])
    with pytest.raises(TypeError):
        f([2.0])
    f(np.array(3.0))
    first, second, third = re.split(r"\n(?=\d\.)", f.explain())[1:]
    line = halved.__code__.co_firstlineno + 1
    assert first.startswith("1. the first call: 1 instruction(s), 1 number(s) in, 1 out")
    assert re.search(r"holds while \(x0 > c\d\) is True", first)
    assert f"decided at test_jit.py:{line}" in first
    assert second.startswith("2. another branch: 0 instruction(s)")
    assert "is False" in second
    assert third.startswith("3. another kind of arguments")


def test_explain_names_the_captured_values() -> None:
    w = Value(2.0, "w")
    f = jit(lambda x: w * x)
    f(1.0)
    assert "reads at each call: w" in f.explain()


def test_explain_tells_of_the_derivatives() -> None:
    def halved(x: Any) -> Any:
        return x / 2.0

    f = jit(halved)
    grad(f)(2.0)
    grad(grad(f))(2.0)
    jacobian(f)
    titles = [line for line in f.explain().splitlines() if "recording(s)" in line]
    assert titles == ["halved: 0 recording(s)", "grad of halved: 1 recording(s)",
                      "grad of grad of halved: 1 recording(s)"]


def test_repr_names_the_function() -> None:
    f = jit(pieces)
    assert repr(f) == "<jitted pieces: 0 recording(s)>"
    f(0.5)
    assert repr(f) == "<jitted pieces: 1 recording(s)>"


def test_a_compiled_function_has_the_name_and_text_of_the_function() -> None:
    def documented(x: float) -> float:
        """What it does."""
        return x

    f = jit(documented)
    assert (f.__name__, f.__doc__, f.__wrapped__) == ("documented", "What it does.", documented)


def test_source_is_python_that_computes_what_a_replay_does(backend: str) -> None:
    f = jit(lambda x, y: (x * y - 0.1 if x < y else y, -x), backend=backend)
    with pytest.raises(ValueError, match="call the function once"):
        f.source()
    result = f(0.3, 0.7)
    names: dict[str, Any] = {}
    exec(f.source(), names)
    outputs, holds = names["program"](0.3, 0.7)
    assert_same(tuple(outputs), result, backend)
    assert holds is True
    assert names["program"](0.7, 0.3)[1] is False


def test_the_source_of_a_long_program_parses() -> None:
    f = jit(lambda x: sum(ag.sin(x * float(k)) for k in range(3000)))
    f(0.5)
    functions = ast.parse(f.source()).body
    assert len(functions) > 1
    assert all(isinstance(node, ast.FunctionDef) for node in functions)


# --- derivatives ----------------------------------------------------------------------------------

def wave(x: Any, y: Any = 0.5, k: Any = 2.0) -> Any:
    return ag.sin(k * x) * ag.exp(y * x) + x**3 / (1.0 + y * y)


def bowl(v: Any) -> Any:
    return v[0] ** 2 * v[1] + ag.exp(v[1] * v[2]) - ag.tanh(v[0])


def several(v: Any) -> Any:
    return [v[0] * v[1], ag.log(v[1] + 2.0) + v[2], v[0] ** 2, 1.0]


def in_dictionary(d: Any) -> Any:
    return d["w"][0] * d["b"] + ag.softplus(d["w"][1] * d["b"])


VECTOR = [0.3, -0.7, 1.1]
TRANSFORMED: list[tuple[Any, Any, tuple[Any, ...]]] = [
    (grad, wave, (0.7,)),
    (grad, wave, (0.7, 0.2, 1.5)),
    (functools.partial(grad, argnums=1), wave, (0.7, 0.2)),
    (functools.partial(grad, argnums=-1), wave, (0.7, 0.2)),
    (functools.partial(grad, argnums=(2, 0)), wave, (0.7, 0.2, 1.5)),
    (functools.partial(value_and_grad, argnums=(0, 1, 2)), wave, (0.7, 0.2, 1.5)),
    (value_and_grad, bowl, (VECTOR,)),
    (value_and_grad, bowl, (tuple(VECTOR),)),
    (value_and_grad, bowl, (np.array(VECTOR),)),
    (value_and_grad, in_dictionary, ({"w": (0.3, 0.4), "b": -1.2},)),
    (jacobian, several, (VECTOR,)),
    (jacobian, several, (np.array(VECTOR),)),
    (jacobian, wave, (0.7,)),
    (functools.partial(jacobian, argnums=(0, 1)), lambda x, v: np.array([x * v[0], v[1] / x]),
     (0.7, np.array([1.0, 2.0]))),
    (hessian, wave, (0.7,)),
    (hessian, bowl, (np.array(VECTOR),)),
    (functools.partial(hessian, argnums=(0, 1)), wave, (0.7, 0.2)),
    (functools.partial(grad, argnums=[0, 1]), wave, (0.7, 0.2)),
    (lambda f: grad(grad(f)), wave, (0.7,)),
    (lambda f: grad(grad(grad(f))), wave, (0.7,)),
    (lambda f: jacobian(grad(f)), bowl, (np.array(VECTOR),)),
    (lambda f: jacobian(jacobian(f)), several, (np.array(VECTOR),)),
    (lambda f: grad(lambda x: hessian(f)(x)), wave, (0.7,)),
    (lambda f: lambda x: jvp(f, x, [1.0, 0.5, -2.0]), several, (VECTOR,)),
    (lambda f: lambda x, y: jvp(f, (x, y), (0.3, -1.0)), wave, (0.7, 0.2)),
    (lambda f: lambda x: jvp(grad(f), x, 1.0), wave, (0.7,)),
    (lambda f: lambda x: hvp(f, x, [1.0, 0.5, -2.0]), bowl, (VECTOR,)),
    (lambda f: lambda x, y: hvp(f, (x, y), (0.3, -1.0)), wave, (0.7, 0.2)),
    (lambda f: lambda x: hvp(f, x, np.array([1.0, 0.5, -2.0])), bowl, (np.array(VECTOR),)),
]


def flat(structure: Any) -> list[float]:
    return [float(x) for x in ag.core.pytrees.flatten(structure)]


@pytest.mark.parametrize("number", range(len(TRANSFORMED)))
def test_transforms_compose_with_jit_in_either_order(number: int, backend: str) -> None:
    transform, function, arguments = TRANSFORMED[number]
    expected = transform(function)(*arguments)
    of_jit = transform(jit(function, backend=backend))
    jit_of = jit(transform(function), backend=backend)
    both = jit(transform(jit(function)), backend=None if number % 2 else backend) if (
        not hasattr(of_jit, "n_recordings")) else of_jit
    for derived in (of_jit, jit_of, both):
        for _ in range(2):
            given = derived(*arguments)
            if backend == "python" and derived is not both:
                assert_same(unsigned(given), unsigned(expected))
            else:
                assert flat(given) == pytest.approx(flat(expected), rel=1e-13, abs=1e-15)
    assert jit_of.n_recordings == 1


def test_the_derivative_of_a_compiled_function_is_compiled_once() -> None:
    f = jit(wave)
    assert grad(f) is grad(f)
    assert grad(f) is not grad(f, argnums=1)
    assert value_and_grad(f) is value_and_grad(f)
    grad(f)(0.7)
    grad(f)(0.8)
    assert grad(f).n_recordings == 1
    assert f.n_recordings == 0  # the function itself was never called


def test_a_derivative_takes_over_the_options() -> None:
    f = jit(power_sum, backend="numpy", static_argnums=1, max_recordings=2)
    derived = grad(f)
    assert (derived.backend, derived.max_recordings) == ("numpy", 2)
    assert [derived(2.0, n) for n in range(5)] == [grad(power_sum)(2.0, n) for n in range(5)]
    assert derived.n_recordings == 2


def test_derivatives_take_branches(backend: str) -> None:
    slope = grad(jit(lambda x: x * x if x > 0.0 else 3.0 * x, backend=backend))
    assert [slope(x) for x in (2.0, -2.0, 5.0, -7.0)] == [4.0, 3.0, 10.0, 3.0]
    assert slope.n_recordings == 2


def rosenbrock(v: Any) -> Any:
    return sum(100.0 * (v[i + 1] - v[i] ** 2) ** 2 + (1.0 - v[i]) ** 2 for i in range(len(v) - 1))


def test_the_program_of_a_sparse_hessian_grows_linearly() -> None:
    sizes = []
    for n in (10, 20, 40):
        compiled = hessian(jit(rosenbrock, backend="python"))
        compiled(np.linspace(-1.0, 1.0, n))
        sizes.append(recorded_instructions(compiled))
    assert (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) == pytest.approx(2.0, rel=0.02)


def test_the_program_of_a_dense_hessian_grows_with_its_entries() -> None:
    sizes = []
    for n in (8, 16, 32):
        compiled = hessian(jit(lambda v: ag.sin(sum(x * x for x in v)), backend="python"))
        compiled(np.linspace(0.1, 1.0, n))
        sizes.append(recorded_instructions(compiled))
        assert sizes[-1] >= n * (n + 1) / 2
    assert 3.5 < (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) < 4.5


def test_a_compiled_function_is_a_part_of_a_graph(backend: str) -> None:
    f = jit(wave, backend=backend)
    x = Value(0.7, "x")
    y = f(x) * 2.0
    assert isinstance(y, Value)
    y.backward()
    assert bits(x.grad) == bits(grad(lambda t: wave(t) * 2.0)(0.7))
    assert f.n_recordings == 0
    assert_same(grad(lambda t: f(t) * 2.0)(0.7), x.grad)
    outer = jit(lambda t: f(t) + f(2.0 * t), backend=backend)
    assert outer(0.7) == pytest.approx(wave(0.7) + wave(1.4), rel=1e-14)
    assert f.n_recordings == 0  # recorded as a part of the other


def test_the_recordings_of_an_inner_function_are_its_own_affair(backend: str) -> None:
    inner = jit(lambda x: x * 2.0 if x > 0.0 else x, backend=backend)
    outer = jit(lambda x: inner(x) + grad(inner)(x), backend=backend)
    assert outer(1.5) == 5.0
    assert [inner(1.0), inner(-1.0), grad(inner)(1.0)] == [2.0, -1.0, 2.0]
    assert outer(2.5) == 7.0
    assert (outer.n_recordings, inner.n_recordings) == (1, 2)


def test_values_deep_inside_an_argument_make_a_graph() -> None:
    f = jit(lambda d: d["a"][0] * d["a"][1])
    w = Value(3.0)
    for argument in ({"a": [2.0, w]}, {"a": (w, 2.0)},
                     {"a": np.array([w, 2.0], dtype=object)}):
        y = f(argument)
        assert isinstance(y, Value)
        assert y.data == 6.0


def test_captured_values_are_read_at_each_replay(backend: str) -> None:
    w = Value(3.0, "w")
    f = jit(lambda x: w * x * x, backend=backend)
    assert f(2.0) == 12.0
    w.data = 5.0
    assert f(2.0) == 20.0
    assert_same(grad(f)(2.0), 20.0)
    w.data = 7.0
    assert_same(value_and_grad(f)(2.0), (28.0, 28.0))
    assert_same(hessian(f)(2.0), 14.0)
    assert f.n_recordings == grad(f).n_recordings == 1
    y = f(Value(2.0))
    y.backward()
    assert w.grad == 4.0


def test_a_branch_on_a_captured_value(backend: str) -> None:
    w = Value(3.0, "w")
    f = jit(lambda x: x if w > 0.0 else -x, backend=backend)
    assert f(2.0) == 2.0
    w.data = -1.0
    assert f(2.0) == -2.0
    w.data = 4.0
    assert f(2.0) == 2.0
    assert f.n_recordings == 2


# --- decorators -----------------------------------------------------------------------------------

class Line:
    def __init__(self, slope: float) -> None:
        self.slope = slope
        self.weight = Value(2.0, "weight")

    @jit
    def at(self, x: Any) -> Any:
        return self.slope * self.weight * x

    @jit(backend="python", static_argnums=1)
    def power(self, x: Any, n: int) -> Any:
        return self.slope * power_sum(x, n)


def test_methods_are_compiled_for_each_object() -> None:
    one, other = Line(3.0), Line(5.0)
    assert [one.at(2.0), other.at(2.0), one.at(x=2.0)] == [12.0, 20.0, 12.0]
    one.slope = 7.0
    other.weight.data = 1.0
    assert [one.at(2.0), other.at(2.0)] == [28.0, 10.0]
    assert one.at is one.at
    assert one.at.n_recordings == 3  # the slope has changed, and the keyword
    assert other.at.n_recordings == 1
    assert grad(one.at)(2.0) == 14.0
    assert one.power(2.0, 3) == 49.0
    assert one.power.backend == "python"
    assert isinstance(Line.at, type(jit(wave)))


def test_jit_is_a_decorator_with_options() -> None:
    @jit(backend="numpy", max_recordings=7)
    def doubled(x: Any) -> Any:
        return x * 2.0

    assert doubled(3.0) == 6.0
    assert (doubled.backend, doubled.max_recordings) == ("numpy", 7)


def test_a_compiled_function_is_not_compiled_again() -> None:
    f = jit(wave, backend="python")
    assert jit(f) is f
    assert jit(f, backend="python") is f
    with pytest.raises(TypeError, match="compiled already"):
        jit(f, backend="numpy")
    with pytest.raises(TypeError, match="compiled already"):
        jit(f, static_argnums=0)


def test_a_partial_and_an_object_that_can_be_called(backend: str) -> None:
    class Doubling:
        factor = 2.0

        def __call__(self, x: Any) -> Any:
            return self.factor * x

    f = jit(functools.partial(wave, y=0.1), backend=backend)
    assert f(0.7) == pytest.approx(wave(0.7, y=0.1), rel=1e-15)
    doubling = Doubling()
    g = jit(doubling, backend=backend)
    assert g(1.5) == 3.0
    doubling.factor = 4.0
    assert g(1.5) == 6.0


# --- errors ---------------------------------------------------------------------------------------

def test_what_cannot_be_compiled() -> None:
    with pytest.raises(TypeError, match="take a function, not 3"):
        jit(3)
    with pytest.raises(ValueError, match="no back end 'cuda'; choose one of 'llvm'"):
        jit(wave, backend="cuda")


@pytest.mark.parametrize(("argument", "message"), [
    ({1.0}, "hashable, not set"), (bytearray(b"x"), "not bytearray"),
    (np.array([True]), "dtype bool"), (np.array(["a"]), "dtype <U1"),
    (np.array([1j]), "dtype complex128"), (np.array(["a", None], dtype=object), "not 'a'")])
def test_arguments_that_are_no_numbers(argument: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        jit(lambda x: 1.0)(argument)


@pytest.mark.parametrize(("function", "kind"), [
    (lambda x: {x}, "set"), (lambda x: object(), "object"), (lambda x: x.data * 1j, "complex"),
    (lambda x: [x, {2.0}], "set"), (lambda x: iter([x]), "list_iterator")])
def test_results_that_are_no_numbers(function: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"not a {kind}"):
        jit(function)(1.0)


def test_wrong_arguments_are_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        jit(lambda x, y: x)(1.0)
    with pytest.raises(TypeError, match="unexpected keyword"):
        jit(lambda x: x)(1.0, z=2.0)


OUTSIDE: list[tuple[Callable[..., Any], Any, Any]] = [
    (lambda x: ag.log(x), 1.0, 0.0),
    (lambda x: ag.log(x), 1.0, -2.0),
    (lambda x: 1.0 / x, 1.0, 0.0),
    (lambda x: ag.exp(x), 1.0, 1000.0),
    (lambda x: x ** 0.5, 1.0, -1.0),
    (lambda x: (x - 3.0) ** -2, 1.0, 3.0),
    (lambda x: x["a"][1] / ag.sqrt(x["a"][0]), {"a": [1.0, 2.0]}, {"a": [0.0, 2.0]}),
    (lambda x: ag.acos(x[1]), np.array([0.0, 0.5]), np.array([0.0, 1.5])),
]


@pytest.mark.parametrize("number", range(len(OUTSIDE)))
def test_outside_a_domain_the_error_is_the_eager_engines(number: int, backend: str) -> None:
    function, inside, outside = OUTSIDE[number]
    # The eager engine, told the names that jit gives.
    named = ag.compiler.trace.arguments.lift((outside,), {}, ["x"]).arguments
    with pytest.raises((ValueError, ZeroDivisionError, OverflowError)) as expected:
        function(*named)
    f = jit(function, backend=backend)
    f(inside)
    for compiled in (f, jit(function, backend=backend)):  # by a replay, and by the first call
        with pytest.raises(expected.type) as error:
            compiled(outside)
        assert str(error.value) == str(expected.value)
        assert "x" in str(error.value)
        compiled(inside)  # still works


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian])
def test_outside_the_domain_of_a_derivative(transform: Any, backend: str) -> None:
    with pytest.raises(ZeroDivisionError) as expected:
        transform(ag.sqrt)(0.0)
    derived = transform(jit(lambda x: ag.sqrt(x), backend=backend))
    derived(1.0)
    with pytest.raises(ZeroDivisionError) as error:
        derived(0.0)
    assert str(error.value) == str(expected.value)


def test_infinity_and_nan_go_through_where_the_eager_engine_lets_them(backend: str) -> None:
    f = jit(lambda x: x * 2.0 + 1.0, backend=backend)
    assert f(1.0) == 3.0
    assert f(math.inf) == math.inf
    assert math.isnan(f(math.nan))
    assert f(1e308) == math.inf  # * overflows to inf in Python
    assert f(-math.inf) == -math.inf
    assert f.n_recordings == 1


# --- random expressions ---------------------------------------------------------------------------

def rounding(y: Value) -> float:
    """How far rounding every operation by MOST_ULPS can move a result, to first order.

    Infinite at kinks of what is computed, where a derivative has no derivative.
    """
    try:
        y.backward()
    except DOMAIN_ERRORS:
        return math.inf
    total = 0.0
    for node in topological_order(y):
        if node.op is not None:
            terms = [1.0, *(p.data if isinstance(p, Value) else p for p in node.parents)]
            scale = (sum(map(abs, terms)) ** 2 if node.op.name in ADDED_UP else abs(node.data))
            total += abs(node.grad) * MOST_ULPS * math.ulp(scale)
    return total


def assert_close(given: Any, expected: Any) -> None:
    for number, node in zip(flat(given), ag.core.pytrees.flatten(expected), strict=True):
        exact = node.data if isinstance(node, Value) else node
        bound = 2.0 * rounding(node) if isinstance(node, Value) else 0.0
        assert abs(number - exact) <= bound + 5e-324, (number, exact, bound)


@given(expressions(n_inputs=2))
def test_random_expressions(backend: str, expression: Expression) -> None:
    f = jit(expression.function, backend=backend)
    for _ in range(2):
        given_value = f(*expression.point)
        if backend == "python":
            assert_same(given_value, float(expression.function(*expression.point)))
        else:
            leaves = [Value(x) for x in expression.point]
            assert_close(given_value, expression.function(*leaves))


@given(expressions(n_inputs=2))
def test_gradients_of_random_expressions(backend: str, expression: Expression) -> None:
    both = value_and_grad(jit(expression.function, backend=backend), argnums=(0, 1))
    expected = value_and_grad(expression.function, argnums=(0, 1))(*expression.point)
    for _ in range(2):
        given_both = both(*expression.point)
        if backend == "python":
            assert_same((given_both[0], unsigned(given_both[1])), expected)
        else:
            leaves = [Value(x) for x in expression.point]
            y = expression.function(*leaves)
            slopes = ag.gradient(y, leaves) if isinstance(y, Value) else [0.0, 0.0]
            assert_close(given_both, (y, tuple(slopes)))


@pytest.mark.parametrize("result", [
    lambda x: x, lambda x: (x, [x, 1.0]), lambda x: {"a": np.array([x, 2.0])},
    lambda x: Point(x, x)])
def test_the_graph_is_freed_once_it_is_recorded(result: Any, backend: str) -> None:
    def long(x: Any) -> Any:
        for _ in range(1000):
            x = x * 0.5 + 1.0
        return result(x)

    def nodes() -> int:
        gc.collect()
        return sum(each.__class__ is Value for each in gc.get_objects())

    before = nodes()
    f = jit(long, backend=backend)
    f(1.0)
    slope = jit(grad(lambda x: ag.core.pytrees.flatten(long(x))[0]), backend=backend)
    slope(1.0)
    assert nodes() - before < 50


_rate = 2.0


def _scaled(x: Any) -> Any:
    if x[0] > 100.0:
        return x[1] * 7.0
    return ag.sum([ag.log(item) for item in x]) * _rate


def _expected(x: Any) -> float:
    return x[1] * 7.0 if x[0] > 100.0 else sum(map(math.log, x)) * _rate


def test_calls_at_one_array_after_another(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    f = jit(_scaled, backend=backend)
    x = np.array([1.0, 2.0, 3.0])

    def check(*points: Any) -> None:
        for point in points * 3:
            assert f(point) == pytest.approx(_expected(point), rel=1e-15)

    check(x)
    check(x[::-1], x[:2], x, np.array([200.0, 2.0, 3.0]), x.tolist(), x.astype(np.float32), x)
    check(np.array([[1.0, 200.0], [2.0, 3.0]])[:, 0], x.astype(">f8"), x.astype(int))
    for wrong in (0.0, -1.0):
        with pytest.raises(ValueError, match="log"):
            f(np.array([1.0, wrong, 3.0]))
        check(x)
    assert f(np.array([1.0, 0.5, np.inf])) == math.inf
    monkeypatch.setitem(globals(), "_rate", 3.0)
    check(x)
    x[1] = 5.0
    check(x)
    with ag.no_grad():
        check(np.array([2.0, 3.0]))
    leaves = [Value(1.0), Value(2.0)]
    assert isinstance(f(leaves), Value)


def test_what_wraps_a_compiled_function_is_compiled_by_itself() -> None:
    @jit
    def first(x: Any) -> Any:
        return x[0] + x[1]

    x = np.array([2.0, 3.0])
    assert [first(x) for _ in range(3)] == [5.0] * 3

    @functools.wraps(first)
    def second(x: Any) -> Any:
        return x[0] * x[1]

    compiled: Any = ag.jit(second)
    assert [compiled(x) for _ in range(3)] == [6.0] * 3
    assert [first(x) for _ in range(3)] == [5.0] * 3


def test_a_result_is_the_callers_own(backend: str) -> None:
    f = jit(value_and_grad(lambda x: x[0] * x[1]), backend=backend)
    results = [f(np.array([2.0, number])) for number in (3.0, 4.0, 5.0)]
    assert [value for value, _ in results] == [6.0, 8.0, 10.0]
    assert [slope.tolist() for _, slope in results] == [[3.0, 2.0], [4.0, 2.0], [5.0, 2.0]]


def test_threads_that_take_different_branches_share_a_function(backend: str) -> None:
    compiled = jit(lambda x: x * 2.0 if x > 1.0 else -x if x > 0.0 else x * x, backend=backend)
    points = {2.0: 4.0, 0.5: -0.5, -3.0: 9.0}
    assert [compiled(x) for x in points] == list(points.values())

    def call(x: float) -> None:
        for _ in range(2000):
            assert compiled(x) == points[x]

    in_threads(*[functools.partial(call, x) for x in points for _ in range(2)])
    assert compiled.n_recordings == 3


@pytest.mark.parametrize("point", [
    (5e-324, 0.0), (-5e-324, 0.0), (0.0, 0.0), (5e-324, 0.4), (1e-300, -0.9), (2.0, -3.0)])
def test_slopes_of_powers_are_those_of_the_eager_engine(
        point: tuple[float, float], backend: str) -> None:
    slopes = value_and_grad(lambda x, y: x ** y, 0 if point[0] <= 0.0 else (0, 1))
    compiled = jit(slopes, backend=backend)
    for _ in range(2):
        value, gradient = compiled(*point)
        assert value == pytest.approx(slopes(*point)[0], rel=1e-14)
        assert gradient == pytest.approx(slopes(*point)[1], rel=1e-14, abs=0.0)


def test_the_arrays_of_a_function_can_be_read() -> None:
    f = jit(lambda x, y: [a * b + 1.0 for a, b in zip(x, y, strict=True)])
    f([1.0] * 20, [2.0] * 20)
    assert f.source("arrays").splitlines()[1:3] == [
        "    v41..60: 20 = mul(x0[1], x20[1])", "    v61..80: 20 = add(v41[1], 1.0)"]
