"""Programs written as JavaScript, run by Node, against what every back end has to do."""

from __future__ import annotations

import dataclasses
import math
import random
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, Value, jit
from autograd.compiler.backends import javascript, python
from autograd.compiler.backends.interface import Signature, Unsupported
from autograd.compiler.backends.javascript import to_javascript, to_javascript_object
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.inlining import inlined
from autograd.core.backward import adjoints
from autograd.core.primitives import DOMAIN_ERRORS

from ...node import needs_node, run
from ...own_primitives import CROOKED_POINTS, crooked, crooked_value, declared
from .conformance import (
    BackEnd,
    Conformance,
    bits,
    check_special_values,
    derivative_program,
    is_defined,
    operand_lists,
    points_near,
    program_of,
)

pytestmark = needs_node


class OnNode:
    """A kernel that asks Node."""

    def __init__(self, program: Program, signature: Signature) -> None:
        self.program, self.signature = program, signature
        self.source = to_javascript(program, rewrite=inlined)

    def __call__(self, scalars: Any, rows: Any = None) -> Any:
        inputs, n = self.signature.inputs(scalars, rows)
        points = np.array([np.broadcast_to(x, (n,)) for x in inputs]).reshape(len(inputs), n).T
        results = run(self.source, points)
        outputs = np.array([result.y for result in results]).reshape(n, len(self.program.outputs))
        ok = np.array([result.guard == -1 for result in results], dtype=bool)
        return self.signature.results(outputs.T.copy(), ok)

    def point(self, numbers: Any) -> Any:
        (result,) = run(self.source, [numbers])
        return result.y if result.guard == -1 else None


def on_node(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None) -> OnNode:
    return OnNode(program, Signature(program, row_inputs, sums))


class TestJavascript(Conformance):
    """All that every back end has to do."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(on_node)


# --- the text -------------------------------------------------------------------------------------

def test_the_text_can_be_read_and_has_what_it_needs_and_no_more() -> None:
    program = Program(2, (1.5, -1.0), ("mul", "sigmoid", "sub", "div"),
                      ((0, 1), (4,), (5, 3), (6, 2)), (7, 5), (Guard("==", 4, 0, False),))
    assert to_javascript(program, "f") == """\
const f = (() => {
"use strict";
const sigmoid = (x) => {
  const decay = Math.exp(-Math.abs(x));  // the other form would overflow
  return (x >= 0 ? 1 : decay) / (1 + decay);
};
function program(x, y = new Float64Array(2)) {
  if (x.length !== 2) throw new RangeError("the program takes 2 number(s), not " + x.length);
  const x0 = x[0], x1 = x[1];
  const v4 = x0 * x1;
  const v5 = sigmoid(v4);
  const v6 = v5 - (-1.0);
  const v7 = v6 / 1.5;
  y[0] = v7;
  y[1] = v5;
  y.guard = y.outside = -1;
  if (v4 === x0) y.guard = 0;
  if (1.5 === 0.0) y.outside = 3;
  return y;
}
return program;
})();
"""


def test_several_programs_share_what_they_call() -> None:
    source = to_javascript_object({"f": program_of("sigmoid", 1), "g": program_of("sigmoid", 1),
                                   "h": program_of("sub", 2)}, "all")
    assert source.count("const sigmoid =") == 1
    for name, x, expected in (("f", [0.0], 0.5), ("g", [0.0], 0.5), ("h", [3.0, 1.0], 2.0)):
        (result,) = run(f"{source}const {name} = all.{name};", [x], name)
        assert result.y.tolist() == [expected]


def test_primitives_of_ones_own_are_written_once_for_several_programs() -> None:
    row = ag.core.primitive.register(ag.Primitive("double", lambda x: x * 2.0,
                                                  (lambda x, y: 2.0,), 1))
    try:
        source = to_javascript_object({"f": program_of("double", 1), "g": program_of("double", 1)},
                                      rewrite=inlined)
        assert source.count("// \"double\"") == 1
        for name in ("f", "g"):
            (result,) = run(f"{source}const {name} = programs.{name};", [[3.0]], name)
            assert result.y.tolist() == [6.0]
    finally:
        del TABLE[row.name]


@pytest.mark.parametrize("name", ["", "2f", "a b", "f;", "while", "Math", "é", "</script>"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        to_javascript(Program(1, (), (), (), (0,)), name)
    with pytest.raises(ValueError, match="cannot be the name"):
        to_javascript_object({name: Program(1, (), (), (), (0,))})


def test_a_wrong_number_of_inputs_throws() -> None:
    with pytest.raises(RuntimeError, match="takes 2 number"):
        run(to_javascript(program_of("add", 2)), [[1.0]])


@pytest.mark.parametrize("name", ["sum", "program", "x0", "own0"])
def test_any_name_will_do_that_is_one(name: str) -> None:
    (result,) = run(to_javascript(program_of("sum", 3), name), [[1.0, 2.0, 4.0]], name)
    assert result.y.tolist() == [7.0]


def test_text_in_a_program_never_becomes_source() -> None:
    for program in (Program(1, (), ("sin",), (("0); evil(); (0",),), (1,)),
                    Program(1, ("evil()",), ("sin",), ((1,),), (2,)),  # type: ignore[arg-type]
                    Program(1, (), ("sin",), ((0,),), (1,), (Guard("||", 0, 1, True),))):
        with pytest.raises(ValueError):
            to_javascript(program)


def test_the_name_of_a_primitive_of_ones_own_cannot_disturb_the_source() -> None:
    name = "\n</script>; evil(); //"
    row = ag.core.primitive.register(ag.Primitive(name, lambda x: x + 1.0, (lambda x, y: 1.0,), 1))
    try:
        source = to_javascript(program_of(name, 1), rewrite=inlined)
        assert "</script" not in source
        assert run(source, [[2.0]])[0].y.tolist() == [3.0]
    finally:
        del TABLE[row.name]


def test_constants_keep_their_bits() -> None:
    constants = (-0.0, 5e-324, -1.7976931348623157e308, 1e16, 0.1, math.inf, -math.inf, math.nan)
    program = Program(0, constants, ("neg",) * 8, tuple((i,) for i in range(8)),
                      tuple(range(16)))
    (result,) = run(to_javascript(program), np.empty((1, 0)))
    assert list(map(bits, result.y)) == list(map(bits, [*constants, *(-x for x in constants)]))


# --- the numbers ----------------------------------------------------------------------------------

def test_the_tests_see_an_emitter_that_is_wrong_by_a_thousandth(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(javascript.EMITTERS, "tanh", "1.001 * Math.tanh({0})")
    with pytest.raises(AssertionError, match="tanh"):
        check_special_values(BackEnd(on_node), TABLE["tanh"])


@pytest.mark.parametrize("name", [row.name for row in TABLE.values() if row.arity == 1])
def test_functions_of_one_number_are_right_at_many(name: str) -> None:
    rng = random.Random(name)
    points = [rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-12.0, 3.0) for _ in range(300)]
    points += [1.0 + 10.0 ** rng.uniform(-15.0, 0.0) for _ in range(50)]
    results = run(to_javascript(program_of(name, 1), rewrite=inlined),
                  [[x] for x in points])
    for x, result in zip(points, results, strict=True):
        if is_defined(name, (x,)):
            expected = TABLE[name].value(x)
            assert abs(result.y[0] - expected) <= 2e-15 * abs(expected) + 5e-323, (x, result.y[0])


def test_whole_powers_of_whole_numbers_are_exact() -> None:
    pairs = [(float(a), float(b)) for a in range(-12, 13) for b in range(9)]
    results = run(to_javascript(program_of("pow", 2)), pairs)
    assert [result.y[0] for result in results] == [a ** b for a, b in pairs]


@pytest.mark.parametrize("name", ["sum", "dot"])
def test_sums_have_pythons_bits_where_their_terms_cancel(name: str) -> None:
    rng = random.Random(3)
    for count in (2, 4, 6, 10, 200):
        points = [[rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-30.0, 30.0)
                   if rng.random() < 0.9 else rng.choice((0.0, -0.0, 1e308, -1e308))
                   for _ in range(count)] for _ in range(40)]
        points += [[1e16, 1.0, 1e-16, 0.0] * 50][:count == 200]
        points += [[-0.0] * count]
        results = run(to_javascript(program_of(name, count)), points)
        for point, result in zip(points, results, strict=True):
            assert bits(result.y[0]) == bits(TABLE[name].value(*point)), point


@pytest.mark.parametrize("compensated", [False, True])
def test_dot_is_summed_as_pythons_sum_does(compensated: bool,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javascript, "_IS_COMPENSATED", compensated)
    point = [1.0, 1e100, 1.0, -1e100] + [1.0] * 4
    (result,) = run(to_javascript(program_of("dot", 8)), [point])
    assert result.y[0] == (2.0 if compensated else 0.0)
    assert (sys.version_info >= (3, 12)) is (sum([1.0, 1e100, 1.0, -1e100]) == 2.0)
    (endless,) = run(to_javascript(program_of("dot", 4)), [[math.inf, 1.0, 1.0, 1.0]])
    assert endless.y[0] == math.inf


def test_random_programs_and_their_gradients_are_those_of_the_eager_engine() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.settings(max_examples=100)
    @hypothesis.given(expressions(n_inputs=3, max_nodes=12))
    def check(expression: Any) -> None:
        program, _ = derivative_program(expression)
        every = dataclasses.replace(program, outputs=tuple(range(program.n_slots)))
        found = run(to_javascript(every, rewrite=inlined),
                    points_near(expression.point).T)
        for point, result in zip(points_near(expression.point).T, found, strict=True):
            assert result.outside == first_outside(program, point, result.y)

    check()


def first_outside(program: Program, point: Any, numbers: Any) -> int:
    """The first instruction of which the eager engine raises, on the numbers that were computed."""
    for i, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True)):
        if not is_defined(op, tuple(float(numbers[x]) for x in operands)):
            return i
    return -1


# --- domains and guards ---------------------------------------------------------------------------

@pytest.mark.parametrize("row", list(TABLE.values()), ids=lambda row: row.name)
def test_where_python_raises_the_function_says_so_and_nowhere_else(row: Any) -> None:
    points = operand_lists(row)
    results = run(to_javascript(program_of(row.name, len(points[0])), rewrite=inlined), points)
    for point, result in zip(points, results, strict=True):
        assert result.outside == (-1 if is_defined(row.name, point) else 0), point


@pytest.mark.parametrize("name", ["largest", "smallest", "logsumexp"])
def test_no_operands_are_outside_of_what_needs_one(name: str) -> None:
    assert run(to_javascript(program_of(name, 0)), np.empty((1, 0)))[0].outside == 0


def test_an_infinity_that_vanishes_again_is_not_missed() -> None:
    x = Value(1.0)
    program = graph_to_program([1.0 / (1.0 + x.exp())], [x])
    inside, outside = run(to_javascript(program), [[0.0], [1000.0]])
    assert (inside.y[0], inside.outside) == (0.5, -1)
    assert (outside.y[0], program.ops[outside.outside]) == (0.0, "exp")


def test_the_first_of_several_guards_that_fail_is_told() -> None:
    guards = (Guard("<", 0, 2, True), Guard(">=", 1, 2, False), Guard("!=", 0, 1, True))
    program = Program(2, (1.0,), (), (), (0,), guards)
    points = [[0.0, 0.5], [2.0, 2.0], [0.0, 2.0], [0.5, 0.5], [math.nan, 0.0], [0.0, math.nan]]
    found = [result.guard for result in run(to_javascript(program), points)]
    assert found == [-1, 0, 1, 2, 0, -1]


def test_thousands_of_guards_and_instructions_are_no_trouble() -> None:
    count = 20_000
    program = Program(1, (1.0,), ("add",) * count, tuple((1 + i if i else 0, 1)
                                                         for i in range(count)), (1 + count,),
                      tuple(Guard(">", 2 + i, 0, True) for i in range(count)))
    good, bad = run(to_javascript(program), [[0.0], [1e17]])
    assert (good.y[0], good.guard, bad.guard) == (float(count), -1, 0)
    many = tuple(range(70_000))
    (result,) = run(to_javascript(Program(1, (), ("sum", "dot"), ((0,) * 70_000, (0,) * len(many)),
                                          (1, 2))), [[2.0]])
    assert result.y.tolist() == [140_000.0, 140_000.0]


# --- a user's own ---------------------------------------------------------------------------------

def test_a_primitive_of_ones_own_is_a_function_with_its_branches_and_its_domain() -> None:
    with crooked() as row:
        x = Value(0.5)
        program = graph_to_program([row(x) * 2.0], [x])
        source = to_javascript(program, rewrite=inlined)
        assert 'const own0 = (x0) => {  // "crooked"' in source
        found = run(source, [[x] for x in CROOKED_POINTS])
        for point, result in zip(CROOKED_POINTS, found, strict=True):
            assert bits(result.y[0]) == bits(2.0 * crooked_value(point))
            assert result.outside == -1
        with pytest.raises(Unsupported, match="no way to write crooked"):
            to_javascript(program)


def test_a_primitive_of_ones_own_is_nan_and_outside_where_it_raises() -> None:
    with declared("rooted", lambda x: 1.0 / math.sqrt(x), lambda x, y: -0.5 * y / x):
        source = to_javascript(program_of("rooted", 1), rewrite=inlined)
        found = run(source, [[4.0], [0.0], [-1.0], [math.nan]])
        assert [result.outside for result in found] == [-1, 0, 0, -1]
        assert found[0].y[0] == 0.5 and all(math.isnan(result.y[0]) for result in found[1:])


def test_a_primitive_that_cannot_be_written_is_refused_by_name() -> None:
    with declared("spelled", lambda x: float(repr(x)), lambda x, y: 1.0), pytest.raises(
            Unsupported, match="no way to write spelled"):
        to_javascript(program_of("spelled", 1), rewrite=inlined)


# --- compiled functions ---------------------------------------------------------------------------

def test_the_source_of_a_compiled_function_computes_what_it_does() -> None:
    @jit
    def huber(x: float) -> Any:
        return x * x / 2.0 if abs(x) < 1.0 else abs(x) - 0.5

    huber(0.5)
    inside, outside = run(huber.source("javascript"), [[-0.25], [3.0]])
    assert (inside.y.tolist(), inside.guard) == ([huber(-0.25)], -1)
    assert outside.guard == 0
    with pytest.raises(ValueError, match="no source in 'rust'"):
        huber.source("rust")


def test_gradients_are_written_too() -> None:
    x, w = Value(2.0), Value(-3.0)
    y = (w * x + 7.0).tanh() + x ** 2
    program = graph_to_program([y, *adjoints(y, [x, w])], [x, w])
    (result,) = run(to_javascript(program), [[2.0, -3.0]])
    expected = python.compile(program)(np.array([2.0, -3.0]))[0]
    np.testing.assert_allclose(result.y, expected, rtol=1e-14)
    assert DOMAIN_ERRORS and result.outside == -1


def test_logaddexp_keeps_all_its_places_near_its_zero() -> None:
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 400
    rng = random.Random(0)
    points = [(-math.log(2.0), -math.log(2.0))]
    for _ in range(200):
        a = -2.0 ** rng.uniform(-1000.0, 0.4)
        points.append((a, float(mp.log(-mp.expm1(a))) + rng.choice((0.0, 1e-13, -0.1)) * abs(a)))
    results = run(to_javascript(program_of("logaddexp", 2)), points)
    for (a, b), result in zip(points, results, strict=True):
        truth = mp.log1p(mp.expm1(a) + mp.exp(b))
        assert abs(result.y[0] - truth) <= 8.0 * math.ulp(float(truth)), (a, b)
