"""The LLVM back end against the eager engine: special values, rows, sums, guards, chunks."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import autograd as ag
from autograd import TABLE, Value
from autograd.compiler import llvm
from autograd.compiler.emitting import EMITTERS
from autograd.compiler.program import Guard, Program
from autograd.primitives import DOMAIN_ERRORS

SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-200, 0.3, -0.7, 1.0, -1.0, 2.5, -3.0, 30.0,
           -41.5, 710.0, -745.2, 1e10, -1e10, 1e200, -1e200, 1.7e308, math.inf, -math.inf, math.nan]
# The same operations on the same operands: the same bits. Others may differ by this many ulps.
EXACT = {"add", "sub", "mul", "div", "neg", "identity", "abs", "sqrt", "sign", "step", "wins",
         "relu", "maximum", "minimum", "where", "one_minus_square", "prod"}
MOST_ULPS = 8.0
BUILT_IN = [row for row in TABLE.values() if row.name in EMITTERS]


def program_of(name: str, count: int) -> Program:
    return Program(count, (), (name,), (tuple(range(count)),), (count,))


def operand_lists(row: Any) -> list[tuple[float, ...]]:
    if row.arity == 1:
        return [(x,) for x in SPECIAL]
    pairs = [(a, b) for a in SPECIAL for b in SPECIAL]
    if row.arity == 2:
        return pairs
    if row.name == "where":
        return [(c, a, b) for c in (0.0, 1.0, math.nan) for a, b in pairs[::7]]
    if row.name == "dot":
        return [(a, b, 2.0, 0.5) for a, b in pairs]
    return [(a, b, 1.5) for a, b in pairs]


def eager(row: Any, operands: tuple[float, ...]) -> float | None:
    """The eager engine's value; None where it raises."""
    try:
        return float(row.value(*operands))
    except DOMAIN_ERRORS:
        return None


def assert_same(row: Any, operands: tuple[float, ...], given: float) -> None:
    expected = eager(row, operands)
    if expected is None:
        assert not math.isfinite(given), (row.name, operands, given)
    elif math.isnan(expected):
        assert math.isnan(given), (row.name, operands, given)
    elif row.name in EXACT or not math.isfinite(expected):
        assert given == expected, (row.name, operands, given, expected)
        assert math.copysign(1.0, given) == math.copysign(1.0, expected) or row.name == "prod"
    else:
        scale = max(math.ulp(expected), max((math.ulp(x) for x in operands
                                             if math.isfinite(x) and abs(x) < 1e300), default=0.0)
                    if row.name in ("sum", "dot", "logsumexp", "logaddexp") else 0.0)
        assert abs(given - expected) <= MOST_ULPS * scale, (row.name, operands, given, expected)


def test_there_is_an_emitter_for_every_row_of_the_table() -> None:
    assert set(EMITTERS) == set(TABLE)


@pytest.mark.parametrize("row", BUILT_IN, ids=lambda row: row.name)
def test_special_values_at_one_point_and_in_rows(row: Any) -> None:
    lists = [operands for operands in operand_lists(row)
             # fsum sums exactly what a plain sum overflows or cancels
             if row.name not in ("sum", "dot") or all(abs(x) < 1e100 for x in operands)]
    count = len(lists[0])
    program = program_of(row.name, count)
    rows = np.array(lists).T
    _, out, ok = llvm.compile(program, (True,) * count)(np.empty(0), rows)
    assert ok.all()
    once = llvm.compile(program)
    for operands, in_row in zip(lists, out[0], strict=True):
        assert_same(row, operands, float(once(np.array(operands))[0][0]))
        assert_same(row, operands, float(in_row))


def test_the_test_sees_a_wrong_emitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EMITTERS, "tanh", lambda e, x: e.op(
        "fmul", e.call("tanh", x[0]), e.const(1.0 + 1e-14)))
    with pytest.raises(AssertionError):
        test_special_values_at_one_point_and_in_rows(TABLE["tanh"])


def network_program(seed: int = 0) -> tuple[Program, int]:
    """The loss of one row of a small network and its gradient; 3 row inputs, then the weights."""
    rng = random.Random(seed)
    weights = [Value(rng.uniform(-1, 1)) for _ in range(2 * 5 + 5 + 5 + 1)]
    x = [Value(0.1), Value(0.2), Value(1.0)]
    hidden = [ag.dot([*weights[3 * i:3 * i + 2], weights[3 * i + 2]], [x[0], x[1], 1.0]).tanh()
              for i in range(5)]
    score = ag.dot(weights[15:20], hidden) + weights[20]
    loss = ag.softplus(-x[2] * score)
    return Program.record([loss, *ag.gradient(loss, weights)], [*x, *weights]), len(weights)


@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 100])
def test_rows_and_their_sums_agree_with_one_point_at_a_time(n: int) -> None:
    program, size = network_program()
    rng = np.random.default_rng(n)
    rows, weights = rng.normal(size=(3, n)), rng.normal(size=size)
    kernel = llvm.compile(program, (True,) * 3 + (False,) * size, (False,) + (True,) * size)
    sums, out, ok = kernel(weights, rows)
    once = llvm.compile(program)
    each = np.array([once(np.concatenate([row, weights]))[0] for row in rows.T])
    assert ok.shape == (n,)
    assert out.shape == (1, n)
    assert np.allclose(out[0], each[:, 0], rtol=1e-14, atol=0)
    assert np.allclose(sums, each[:, 1:].sum(axis=0), rtol=1e-12, atol=1e-15)


def test_no_rows_give_empty_outputs_and_zero_sums() -> None:
    program, size = network_program()
    kernel = llvm.compile(program, (True,) * 3 + (False,) * size, (False,) + (True,) * size)
    sums, out, ok = kernel(np.ones(size), np.empty((3, 0)))
    assert out.shape == (1, 0)
    assert ok.shape == (0,)
    assert not sums.any()


@pytest.mark.parametrize("chunk", [1, 2, 7, 50])
def test_splitting_into_functions_gives_the_same_bits(chunk: int) -> None:
    program, size = network_program(3)
    point = np.random.default_rng(0).normal(size=3 + size)
    whole, parts = llvm.compile(program), llvm.compile(program, chunk=chunk)
    assert whole(point)[0].tobytes() == parts(point)[0].tobytes()
    flags = (True,) * 3 + (False,) * size
    rows = np.random.default_rng(1).normal(size=(3, 13))
    assert (llvm.compile(program, flags)(point[3:], rows)[1].tobytes()
            == llvm.compile(program, flags, chunk=chunk)(point[3:], rows)[1].tobytes())


@pytest.mark.parametrize(("relation", "outcome", "expected"), [
    ("<", True, [True, False, False, False]), ("<", False, [False, True, True, True]),
    ("<=", True, [True, True, False, False]), (">", True, [False, False, True, False]),
    (">=", False, [True, False, False, True]), ("==", True, [False, True, False, False]),
    ("!=", True, [True, False, True, True])])
def test_guards_hold_row_by_row(relation: str, outcome: bool, expected: list[bool]) -> None:
    program = Program(1, (2.0,), ("mul",), ((0, 0),), (2,), (Guard(relation, 0, 1, outcome),))
    points = np.array([1.0, 2.0, 3.0, math.nan])
    _, _, ok = llvm.compile(program, (True,))(np.empty(0), points[None, :])
    assert ok.tolist() == expected
    assert [llvm.compile(program)(points[i:i + 1])[2] for i in range(4)] == expected


def test_random_programs_agree_with_the_eager_engine() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.settings(max_examples=30, deadline=None)
    @hypothesis.given(expressions())
    def check(expression: Any) -> None:
        inputs = [Value(x) for x in expression.point]
        y = expression.function(*inputs)
        if not isinstance(y, Value):
            return
        outputs = [y, *ag.gradient(y, inputs)]
        program = Program.record(outputs, inputs)
        found, _, ok = llvm.compile(program)(np.array(expression.point))
        assert ok
        for output, number in zip(outputs, found, strict=True):
            assert number == pytest.approx(output.data, rel=1e-9, abs=1e-12)

    check()


def test_flags_that_do_not_fit_are_errors() -> None:
    program = program_of("add", 2)
    with pytest.raises(ValueError, match="1 flags for 2 inputs"):
        llvm.compile(program, (True,))
    with pytest.raises(ValueError, match="sums has 2 flags"):
        llvm.compile(program, (True, True), (True, False))
    with pytest.raises(ValueError, match="sums are over rows"):
        llvm.compile(program, None, (True,))
    with pytest.raises(ValueError, match="takes 2 scalars"):
        llvm.compile(program)(np.ones(3))
    with pytest.raises(ValueError, match="rows of shape"):
        llvm.compile(program, (True, True))(np.empty(0), np.ones((1, 4)))


def test_a_primitive_without_an_emitter_is_named() -> None:
    with pytest.raises(KeyError, match="nobody"):
        llvm.compile(Program(1, (), ("nobody",), ((0,),), (1,)))


def test_a_long_chain_compiles_in_pieces() -> None:
    count = 20_000
    program = Program(1, (1e-3,), ("add",) * count,
                      tuple((0 if i == 0 else 1 + i, 1) for i in range(count)), (1 + count,))
    out, _, _ = llvm.compile(program)(np.array([1.0]))
    expected = 1.0
    for _ in range(count):
        expected += 1e-3
    assert out[0] == expected
