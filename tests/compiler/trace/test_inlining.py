"""Primitives of one's own as machine code: their values, branches, errors, and what is refused."""

from __future__ import annotations

import contextlib
import math
import operator
import random
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jit, vmap
from autograd.compiler.backends import choose
from autograd.compiler.program.program import Program, Unsupported
from autograd.compiler.trace.inlining import MOST_PATHS, inlined, paths
from autograd.core.primitives import DOMAIN_ERRORS, Primitive

from ...own_primitives import declared

pytest.importorskip("llvmlite")

POINTS = [0.0, -0.0, 0.3, -0.7, 1.0, -1.0, math.nextafter(1.0, 2.0), 2.5, -3.0, 30.0, -41.5, 700.0,
          -745.2, 1e10, -1e200, 1.7e308, 5e-324, math.inf, -math.inf, math.nan]
EPSILON = sys.float_info.epsilon


def _helper(x: float) -> float:
    return x * _even(3, x) if x < 2.0 else math.sqrt(x)


def _even(n: int, x: float) -> float:
    return x if n == 0 else _odd(n - 1, x)


def _odd(n: int, x: float) -> float:
    return -x if n == 0 else _even(n - 1, x)


def _selu(x: float) -> float:
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return scale * (x if x > 0 else alpha * math.expm1(x))


def _hard_tanh(x: float) -> float:
    return max(-1.0, min(1.0, x))


def _with_an_error(x: float) -> float:
    if x < -1.0:
        raise ValueError("x must be from -1 on")
    return x * 2.0


VALUES: dict[str, Callable[..., float]] = {
    "swish": lambda x: x / (1.0 + math.exp(-x)),
    "leaky": lambda x: x if x > 0 else 0.01 * x,
    "selu": _selu, "hard_tanh": _hard_tanh, "helped": _helper, "guarded": _with_an_error,
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "gelu": lambda x: 0.5 * x * (1.0 + math.erf(x / math.sqrt(2.0))),
    "by_numpy": lambda x: float(np.sin(x) * np.exp(-np.abs(x))),
    "cubed": lambda x: x ** 3, "rooted": lambda x: abs(x) ** 0.5,
    "finite_or_0": lambda x: x if math.isfinite(x) else 0.0,
    "softsign": lambda x: x / (1.0 + abs(x)), "inverse": lambda x: 1.0 / x,
    "loglog": lambda x: math.log(math.log(x)),
    "three": lambda x: -1.0 if x < -1.0 else 1.0 if x > 1.0 else x * x * x,
    "huber": lambda a, b: 0.5 * (a - b) ** 2 if abs(a - b) < 1.0 else abs(a - b) - 0.5,
    "typed": lambda x: float(x) * 2.0 if isinstance(x, float | int) else "no number",
    "angle": lambda a, b: math.atan2(a, b) if (a, b) != (0.0, 0.0) else 0.0,
}


@contextlib.contextmanager
def registered(name: str, value: Callable[..., float], count: int = 1) -> Iterator[Primitive]:
    """A row with that value; its partials are of no matter here."""
    from autograd.core import primitives

    row = primitives.register(Primitive(f"own_{name}", value, (lambda *_: 0.0,) * count, count,
                                        safe=((-2.0, 2.0),) * count))
    try:
        yield row
    finally:
        del primitives.TABLE[row.name]


def expected_of(value: Callable[..., float], operands: tuple[float, ...]) -> float:
    try:
        with np.errstate(all="ignore"):
            return float(value(*operands))
    except DOMAIN_ERRORS:
        return math.nan


@pytest.mark.parametrize("name", VALUES)
def test_machine_code_computes_what_the_value_does_and_nan_where_it_raises(name: str) -> None:
    value = VALUES[name]
    count = value.__code__.co_argcount
    source = random.Random(0)
    table = [(x,) * count for x in POINTS] + [
        tuple(source.choice([*POINTS, source.uniform(-3.0, 3.0)]) for _ in range(count))
        for _ in range(300)]
    with registered(name, value, count) as row:
        program = Program(count, (), (row.name,), (tuple(range(count)),), (count,))
        once = choose(program, backend="llvm", rewrite=inlined).kernel
        rows = choose(program, (True,) * count, backend="llvm", rewrite=inlined).kernel
        _, out, ok = rows(np.empty(0), np.array(table).T)
        assert ok.all()
        for operands, in_row in zip(table, out[0], strict=True):
            expected = expected_of(value, operands)
            for found in (in_row, once.point(list(operands))[0]):
                assert found == pytest.approx(expected, rel=16 * EPSILON, abs=0.0, nan_ok=True), (
                    operands)


def test_operations_inside_of_one_another_are_written_out() -> None:
    with registered("inner", VALUES["leaky"]) as inner, registered(
            "outer", lambda x: inner.value(x) * 2.0 + 1.0) as outer:
        program = Program(1, (), (inner.name, outer.name), ((0,), (1,)), (2,))
        kernel = choose(program, backend="llvm", rewrite=inlined).kernel
        for x in (3.0, -3.0, 0.0):
            assert kernel.point([x])[0] == outer.value(inner.value(x))


def _counting(x: float) -> float:
    _counting.calls += 1  # type: ignore[attr-defined]
    return x * float(_counting.calls)  # type: ignore[attr-defined]


_counting.calls = 0  # type: ignore[attr-defined]
REFUSED: dict[str, tuple[Callable[..., float], str]] = {
    "floor": (lambda x: float(math.floor(x)), "of the float inf it makes an error"),
    "stairs": (lambda x: float(sum(x > i for i in range(40))), f"more than {MOST_PATHS} branches"),
    "hidden_branch": (lambda x: 1.0 if math.sin(x) * math.exp(x) > 1e290 else x,
                      "no operands were found for which"),
    "by_type": (lambda x: x if type(x) is float else 2.0 * x, "of Values"),
    "drawing": (lambda x: x * random.random(), "of Values|something else each time"),
    "counting": (_counting, "of Values|something else each time"),
    "reading": (lambda x: x if type(x) is float else x.data, "reads .data"),
    "built_in": (operator.mul, "not written in Python"),
    "no_row": (lambda x: math.nextafter(x, 1.0), "math.nextafter has no derivative here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_written_out_is_refused_with_the_reason(name: str) -> None:
    value, reason = REFUSED[name]
    count = 2 if name == "built_in" else 1
    with registered(name, value, count) as row:
        with pytest.raises(Unsupported, match=reason) as caught:
            paths(row, count)
        assert f"no machine code for own_{name}" in str(caught.value)
        program = Program(count, (), (row.name,), (tuple(range(count)),), (count,))
        choice = choose(program, rewrite=inlined)
        assert choice.backend == "python" and re.search(reason, choice.reason)
        with pytest.raises(Unsupported, match=reason):
            choose(program, backend="llvm", rewrite=inlined)


def test_a_transform_outside_is_not_told_of_what_the_search_has_met() -> None:
    with declared("next", lambda x: math.nextafter(x, 1.0) + 0.0, lambda x, y: 1.0) as row:
        def f(x: Any) -> Any:
            return jit(lambda t: row(t) * 2.0)(1.5) * x

        assert grad(f)(2.0) == 2.0 * math.nextafter(1.5, 1.0)


def test_explain_says_why_there_is_no_machine_code() -> None:
    with declared("stairs", lambda x: float(math.floor(x)), lambda x, y: 0.0,
                  safe=(0.1, 0.9)) as stairs:
        f = jit(lambda x: stairs(x) + 1.0)
        assert f(2.5) == 3.0
        assert "runs on the back end python, because there is no machine code for stairs" in (
            f.explain())
        with pytest.raises(Unsupported, match="no machine code for stairs"):
            jit(lambda x: stairs(x), backend="llvm")(2.5)


def test_errors_outside_the_domain_stay_those_of_the_eager_engine() -> None:
    with declared("inverse", lambda x: 1.0 / x, lambda x, y: -y * y, domain="x != 0") as inverse:
        f = jit(lambda x: ag.tanh(inverse(x)))  # tanh would hide the infinity
        assert f(4.0) == math.tanh(0.25)
        assert "back end llvm" in f.explain()
        with pytest.raises(ZeroDivisionError, match=r"inverse is not defined at \(x = 0.0\)"):
            f(0.0)
        rows = vmap(lambda x: ag.tanh(inverse(x)))
        with pytest.raises(ZeroDivisionError, match="row 1"):
            rows(np.array([1.0, 0.0]))
        assert rows(np.array([1.0, -math.inf])).tolist() == [math.tanh(1.0), 0.0]


def test_a_derivative_through_it_is_machine_code_too() -> None:
    with declared("swish", VALUES["swish"],
                  lambda x, y: (lambda s: s + y * (1.0 - s))(ag.sigmoid(x))) as swish:
        f = jit(grad(grad(lambda x: swish(x) * x)))
        x = Value(0.7)
        first = ag.gradient(swish(x) * x, x)
        assert f(0.7) == pytest.approx(ag.gradient(first, x).data, rel=1e-14)
        assert "back end llvm" in f.explain() and "because" not in f.explain()
