"""One row is all it takes: what a new operation gets from standing in the table."""

from __future__ import annotations

import importlib.util
import inspect
import math
import pydoc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import GradientError, Value, grad, gradcheck, jit, vmap
from autograd.__main__ import main
from autograd.checking.high_precision import MP_VALUES
from autograd.compiler.program import Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.core.primitives import Primitive
from autograd.extend import unregister

needs_llvm = pytest.mark.skipif(importlib.util.find_spec("llvmlite") is None,
                                reason="llvmlite is not installed")


def by_hand(x: float) -> float:
    return x / (1.0 + math.exp(-x))


def slope_by_hand(x: float) -> float:
    s = 1.0 / (1.0 + math.exp(-x))
    return s + x * s * (1.0 - s)


@pytest.fixture(autouse=True)
def swish() -> Iterator[Primitive]:
    """The row; if the table has it by now, all the better."""
    if "swish" in ag.TABLE:
        yield ag.TABLE["swish"]
        return
    row = ag.primitive("swish", lambda x: x / (1.0 + math.exp(-x)),
                       lambda x, y: ag.sigmoid(x) + y * ag.sigmoid(-x))
    yield row
    unregister(row)


def test_a_function_of_the_package_and_a_method(swish: Primitive) -> None:
    assert ag.swish is swish and "swish" in dir(ag)
    assert ag.swish(0.7) == by_hand(0.7)
    v = Value(0.7)
    for y in (ag.swish(v), v.swish()):  # type: ignore[attr-defined]
        y.backward()
        assert (y.data, y.op) == (by_hand(0.7), swish)
    assert v.grad == pytest.approx(2.0 * slope_by_hand(0.7), rel=1e-15)
    assert ag.swish(np.array([0.7, -1.0])).tolist() == [by_hand(0.7), by_hand(-1.0)]


def test_second_derivatives() -> None:
    h = 1e-5
    expected = (slope_by_hand(0.7 + h) - slope_by_hand(0.7 - h)) / (2.0 * h)
    assert grad(grad(ag.swish))(0.7) == pytest.approx(expected, rel=1e-9)


def test_the_check_finds_it_right_and_says_that_there_is_no_independent_oracle() -> None:
    def f(x: Any) -> Any:
        return ag.swish(x) * x

    assert "swish" in MP_VALUES or (
        "no formula in high precision for swish" in str(gradcheck(f, 0.7)))
    with pytest.raises(GradientError):
        gradcheck(f, 0.7, gradient=lambda x: 1.001 * grad(f)(x))


def test_the_drawing_and_the_explanation() -> None:
    x = Value(0.7, "x")
    y = ag.swish(x)
    assert "swish" in ag.draw(y).pipe("svg", encoding="utf-8")
    text = str(ag.explain(y, wrt=x))
    assert "y = swish(x)" in text and f"{slope_by_hand(0.7):.6g}" in text


@needs_llvm
def test_machine_code_at_a_point_in_a_derivative_and_in_rows() -> None:
    f = jit(lambda x: ag.swish(x) * 2.0)
    slope = jit(grad(lambda x: ag.swish(x) * 2.0))
    rows = vmap(lambda x: ag.swish(x) * 2.0)
    assert f(0.7) == pytest.approx(2.0 * by_hand(0.7), rel=1e-14)
    assert slope(0.7) == pytest.approx(2.0 * slope_by_hand(0.7), rel=1e-14)
    points = np.linspace(-5.0, 5.0, 21)
    assert rows(points) == pytest.approx([2.0 * by_hand(x) for x in points], rel=1e-14)
    for compiled in (f, slope, rows):
        assert "runs on the back end llvm\n" in f"{compiled.explain()}\n"


def test_every_back_end_and_the_source(backend: str) -> None:
    f = jit(lambda x: ag.swish(x) - 1.0, backend=backend)
    assert f(-0.4) == pytest.approx(by_hand(-0.4) - 1.0, rel=1e-14)
    assert "swish" in f.source()
    assert '"swish"' in f.source("javascript")


def test_json() -> None:
    x = Value(0.7)
    program = graph_to_program([ag.swish(x)], [x])
    assert Program.from_json(program.to_json()) == program and program.ops == ("swish",)


def test_the_strategies() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions, operands_of

    met: set[str] = set()

    @hypothesis.settings(max_examples=200)
    @hypothesis.given(expressions(), operands_of("swish"))
    def check(expression: Any, operands: tuple[float, ...]) -> None:
        met.update(step.op.name for step in expression.steps)
        assert math.isfinite(ag.swish(*operands))

    check()
    assert "swish" in met


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["swish(x) + 1", "x=0.7", "--check", "--explain"]) == 0
    printed = capsys.readouterr().out
    assert f"{by_hand(0.7) + 1.0:.12g}"[:12] in printed and "swish" in printed


def test_a_network_with_it_trains_alike_compiled_and_eagerly() -> None:
    X, y = nn.datasets.moons(40, seed=1)
    histories = []
    for compiled in (True, False):
        model = nn.MLP(2, [6, 1], activation="swish", seed=3)
        histories.append(nn.fit(model, X, y, loss="hinge", epochs=5, batch_size=8, progress=False,
                                compiled=compiled))
    assert histories[0].loss == pytest.approx(histories[1].loss, rel=1e-10)
    assert histories[0].loss[-1] < histories[0].loss[0]
    if importlib.util.find_spec("llvmlite") is not None:
        assert histories[0].engine == "llvm"


def test_help_and_signature() -> None:
    text = pydoc.render_doc(ag.swish, renderer=pydoc.plaintext)
    assert "swish(x)" in text and "Domain: every number" in text and "v.swish()" in text
    assert list(inspect.signature(ag.swish).parameters) == ["x"]


def test_gone_when_it_is_taken_out_of_the_table() -> None:
    other = ag.primitive("swash", lambda x: x * x, lambda x, y: 2.0 * x)
    assert ag.swash is other
    unregister(other)
    with pytest.raises(AttributeError, match="swash"):
        ag.swash  # noqa: B018
