"""Programs written as C, compiled by the system's compiler, against what back ends have to do."""

from __future__ import annotations

import dataclasses
import math
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, Value, grad, jit, value_and_grad, vmap
from autograd.compiler.backends import c_functions, python
from autograd.compiler.backends.c import CSource, to_c
from autograd.compiler.backends.interface import Signature, Unsupported
from autograd.compiler.program import loop_rerolling
from autograd.compiler.program.loop_rerolling import Loop, Tape, roll
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.inlining import inlined

from ...c_compiler import load, needs_cc, run_cc
from ...own_primitives import CROOKED_POINTS, crooked, crooked_value, declared
from ..program.test_loop_rerolling import PROGRAMS, grid
from .conformance import (
    BackEnd,
    Conformance,
    assert_right,
    bits,
    check_program,
    check_special_values,
    derivative_program,
    is_defined,
    operand_lists,
    points_near,
    program_of,
)

pytestmark = needs_cc


class InC:
    """A kernel that calls a compiled function."""

    def __init__(self, program: Program, signature: Signature, chunk: int) -> None:
        self.program, self.signature = program, signature
        self.call = load(to_c([program], "program_in_c", inlined, chunk))

    def __call__(self, scalars: Any, rows: Any = None) -> Any:
        inputs, n = self.signature.inputs(scalars, rows)
        points = np.array([np.broadcast_to(x, (n,)) for x in inputs]).reshape(len(inputs), n).T
        results = [self.call(point) for point in points]
        outputs = np.array([result.y for result in results]).reshape(n, len(self.program.outputs))
        ok = np.array([result.status != "other_branch" for result in results], dtype=bool)
        return self.signature.results(outputs.T.copy(), ok)

    def point(self, numbers: Any) -> Any:
        result = self.call(numbers)
        return None if result.status == "other_branch" else result.y


def in_c(program: Program, row_inputs: Sequence[bool] | None = None,
         sums: Sequence[bool] | None = None, chunk: int = 1000) -> InC:
    return InC(program, Signature(program, row_inputs, sums), chunk)


def in_small_parts(program: Program, row_inputs: Sequence[bool] | None = None,
                   sums: Sequence[bool] | None = None) -> InC:
    return in_c(program, row_inputs, sums, chunk=12)


class TestC(Conformance):
    """All that every back end has to do."""

    @pytest.fixture
    def back_end(self) -> BackEnd:
        return BackEnd(in_c, examples=20)  # the compiler takes its time for each


# --- the text -------------------------------------------------------------------------------------

PROGRAM = Program(2, (1.5, -1.0), ("mul", "sigmoid", "sub", "div"),
                  ((0, 1), (4,), (5, 3), (6, 2)), (7, 5), (Guard("==", 4, 0, False),))


def test_the_text_can_be_read_and_has_what_it_needs_and_no_more() -> None:
    text = to_c([PROGRAM], "f").source
    assert text[text.index("static double"):] == """\
static double fn_sigmoid(double x)
{
  const double decay = exp(-fabs(x)); /* the other form would overflow */
  return (x >= 0.0 ? 1.0 : decay) / (1.0 + decay);
}

int f(const double *x, double *y)
{
  const double x0 = x[0];
  const double x1 = x[1];
  const double v4 = x0 * x1;
  const double v5 = fn_sigmoid(v4);
  const double v6 = v5 - (-1.0);
  const double v7 = v6 / 1.5;
  if (v4 == x0) return f_other_branch;
  y[0] = v7;
  y[1] = v5;
  if (1.5 == 0.0) return f_outside_domain;
  return f_ok;
}
"""


def test_the_header_is_for_c_and_for_cpp(tmp_path: Path) -> None:
    source = to_c([PROGRAM], "f")
    assert [path.name for path in source.write(tmp_path)] == ["f.c", "f.h"]
    main = tmp_path / "main.c"
    main.write_text("""
        #include "f.h"
        #include "f.h"
        #include <stdio.h>
        int main(void) {
            double x[f_n_inputs] = {2.0, 0.5}, y[f_n_outputs];
            int status = f(x, y);
            return printf("%d %.17g %.17g", status == f_ok, y[0], y[1]) < 0;
        }""")
    cpp = tmp_path / "main.cpp"
    cpp.write_text(main.read_text())
    flags = ("-O1", "-Wall", "-Wextra", "-Werror", "-pedantic", "-c", "-o")
    run_cc("-std=c99", *flags, str(tmp_path / "f.o"), str(tmp_path / "f.c"))
    for file in (main, cpp)[:1 if shutil.which("c++") is None else 2]:
        run_cc(*flags, f"{file}.o", str(file))
        run_cc("-o", str(tmp_path / "main"), f"{file}.o", str(tmp_path / "f.o"), "-lm")
        said = subprocess.run([tmp_path / "main"], capture_output=True, text=True, check=True)
        ok, *numbers = said.stdout.split()
        expected = python.compile(PROGRAM)(np.array([2.0, 0.5]))[0]
        assert ok == "1"
        np.testing.assert_allclose([float(x) for x in numbers], expected, rtol=1e-15)


def test_fast_math_is_refused(tmp_path: Path) -> None:
    code, _ = to_c([PROGRAM], "f").write(tmp_path)
    with pytest.raises(RuntimeError, match="ffast-math takes away nan"):
        run_cc("-ffast-math", "-c", "-o", str(tmp_path / "f.o"), str(code))


@pytest.mark.parametrize("name", [
    "", "2f", "a b", "f;", "while", "double", "restrict", "class", "xor", "template", "exp", "sinf",
    "printf", "memcpy", "toupper", "main", "_f", "f_", "a__b", "NULL", "EOF", "I", "real_t",
    "fn_sum", "é", "*/"])
def test_a_name_that_is_none_or_taken_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        to_c([PROGRAM], name)


@pytest.mark.parametrize("name", ["x", "y", "memory", "status", "v4", "x0", "sigmoid", "gaussian",
                                  "total", "stress", "F", "i0", "out", "branch0"])
def test_any_name_will_do_that_is_a_word(name: str) -> None:
    for chunk in (3, 1000):
        result = load(to_c([PROGRAM], name, chunk=chunk))([2.0, 0.5])
        assert result.y.tolist() == [(1.0 + result.y[1]) / 1.5, result.y[1]]


def test_text_in_a_program_never_becomes_source() -> None:
    for program in (Program(1, (), ("sin",), (("0); evil(); (0",),), (1,)),
                    Program(1, ("evil()",), ("sin",), ((1,),), (2,)),  # type: ignore[arg-type]
                    Program(1, (), ("sin",), ((0,),), (1,), (Guard("||", 0, 1, True),))):
        with pytest.raises(ValueError):
            to_c([program])


def test_the_name_of_a_primitive_of_ones_own_cannot_disturb_the_source() -> None:
    name = "*/ evil(); /* ??/\n\\"
    row = ag.core.primitive.register(ag.Primitive(name, lambda x: x + 1.0, (lambda x, y: 1.0,), 1))
    try:
        assert load(to_c([program_of(name, 1)], rewrite=inlined))([2.0]).y.tolist() == [3.0]
    finally:
        del TABLE[row.name]


def test_constants_keep_their_bits() -> None:
    constants = (-0.0, 5e-324, -1.7976931348623157e308, 1e16, 0.1, math.inf, -math.inf, math.nan)
    program = Program(0, constants, ("neg",) * 8, tuple((i,) for i in range(8)),
                      tuple(range(16)))
    for chunk in (3, 1000):
        result = load(to_c([program], chunk=chunk))([])
        assert list(map(bits, result.y)) == list(
            map(bits, [*constants, *(-x for x in constants)]))


def test_programs_that_do_not_fit_each_other_are_refused() -> None:
    for branches in ([], [program_of("exp", 1), program_of("add", 2)]):
        with pytest.raises(ValueError, match="equal numbers of inputs"):
            to_c(branches)


# --- the numbers ----------------------------------------------------------------------------------

def test_the_tests_see_an_emitter_that_is_wrong_by_a_thousandth(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(c_functions.EMITTERS, "tanh", "1.001 * tanh({0})")
    with pytest.raises(AssertionError, match="tanh"):
        check_special_values(BackEnd(in_c), TABLE["tanh"])


def test_functions_of_one_number_are_right_at_many() -> None:
    names = [row.name for row in TABLE.values() if row.arity == 1]
    program = Program(1, (), tuple(names), ((0,),) * len(names), tuple(range(1, 1 + len(names))))
    call = load(to_c([program], rewrite=inlined))
    rng = random.Random(0)
    points = [rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-12.0, 3.0) for _ in range(1000)]
    points += [1.0 + 10.0 ** rng.uniform(-15.0, 0.0) for _ in range(200)]
    for x in points:
        for name, given in zip(names, call([x]).y, strict=True):
            if is_defined(name, (x,)):
                expected = TABLE[name].value(x)
                # Below 0 it is the logarithm of gamma, which is near 1 beside its zeros.
                size = max(1.0, abs(expected)) if name == "gammaln" and x < 0.0 else expected
                assert abs(given - expected) <= 8.0 * math.ulp(size), (name, x, given)


def test_logaddexp_keeps_all_its_places_near_its_zero() -> None:
    mp = pytest.importorskip("mpmath").mp.clone()
    mp.dps = 400
    rng = random.Random(0)
    call = load(to_c([program_of("logaddexp", 2)]))
    points = [(-math.log(2.0), -math.log(2.0)), (-1.0, -1.0), (-2.0 ** -1022, -708.396418532264)]
    for _ in range(1000):
        a = -2.0 ** rng.uniform(-1022.0, 0.4)
        points.append((a, float(mp.log(-mp.expm1(a))) + rng.choice((0.0, 1e-13, -0.1)) * abs(a)))
    for a, b in points:
        truth = mp.log1p(mp.expm1(a) + mp.exp(b))
        for given in (call([a, b]).y[0], call([b, a]).y[0]):
            assert abs(given - truth) <= 4.0 * math.ulp(float(truth)), (a, b)


def test_roundings_and_remainders_have_the_bits_of_the_table_at_many() -> None:
    generator = random.Random(0)

    def number() -> float:
        return generator.choice([
            generator.uniform(-10.0, 10.0), generator.randint(-40, 40) / 8.0,
            round(generator.uniform(-9.0, 9.0), 2) + 0.005, 10.0 ** generator.randint(0, 22),
            math.ldexp(generator.uniform(-1.0, 1.0), generator.randint(-1074, 1023)),
            5e-324, 2.0**52 - 0.5, 2.0**53 - 1.0])

    back_end = BackEnd(in_c)
    for name, count in (("floor", 1), ("ceil", 1), ("trunc", 1), ("rint", 1), ("mod", 2),
                        ("floordiv", 2), ("fmod", 2), ("ieee_remainder", 2), ("rounded", 2)):
        lists = [tuple(number() for _ in range(count)) for _ in range(500)]
        kernel = in_c(program_of(name, count), [True] * count)
        out = kernel(np.empty(0), np.array(lists).T)[1]
        for operands, given in zip(lists, out[0], strict=True):
            assert_right(back_end, name, operands, float(given))


def test_wide_operations_are_right() -> None:
    names = ("sum", "prod", "dot", "norm", "logsumexp", "largest", "smallest")
    for count in (1, 2, 10, 600, 20_000):
        used = [name for name in names if name != "dot" or count % 2 == 0]
        program = Program(count, (), tuple(used), (tuple(range(count)),) * len(used),
                          tuple(range(count, count + len(used))))
        point = np.random.default_rng(count).normal(size=count)
        result = load(to_c([program]))(point)
        expected = [TABLE[name].value(*point.tolist()) for name in used]
        np.testing.assert_allclose(result.y, expected, rtol=1e-13)


def test_numbers_side_by_side_and_others_are_lists() -> None:
    program = Program(4, (10.0, 20.0, 40.0), ("neg", "neg", "sum", "sum", "sum", "sum", "dot"), (
        (0,), (1,), (0, 1, 2, 3, 0), (3, 4, 5, 6, 7), (4, 5, 6, 4, 5), (7, 8, 9, 10, 11),
        (0, 1, 2, 3, 0, 7, 8, 9, 10, 11)), tuple(range(7, 14)))
    point = np.array([1.0, 2.0, 3.0, 4.0])
    for chunk in (1, 1000):
        assert load(to_c([program], chunk=chunk))(point).y.tolist() == (
            python.compile(program)(point)[0].tolist())


def test_a_loop_reads_lists_of_constants_of_its_own() -> None:
    count, width = 60, 5
    constants = tuple(float(i * i % 97) for i in range(count * width))
    ops, operands, first = [], [], 1 + len(constants)
    for i in range(count):
        ops += ["sum", "mul", "add"]
        at = first + 3 * i
        operands += [tuple(range(1 + width * i, 1 + width * (i + 1))), (at, 0),
                     (at + 1, at - 1 if i else 0)]
    program = Program(1, constants, tuple(ops), tuple(operands), (first + len(ops) - 1,))
    source = to_c([program], chunk=20)
    assert "for (long i0" in source.source
    assert load(source)([0.5]).y.tolist() == python.compile(program)(np.array([0.5]))[0].tolist()


# --- domains, guards, branches --------------------------------------------------------------------

@pytest.mark.parametrize("row", list(TABLE.values()), ids=lambda row: row.name)
def test_where_python_raises_the_function_says_so_and_nowhere_else(row: Any) -> None:
    points = operand_lists(row)
    call = load(to_c([program_of(row.name, len(points[0]))], "program_in_c", inlined))
    for point in points:
        expected = "ok" if is_defined(row.name, point) else "outside_domain"
        assert call(point).status == expected, point


@pytest.mark.parametrize("name", ["largest", "smallest", "logsumexp"])
def test_no_operands_are_outside_of_what_needs_one(name: str) -> None:
    assert load(to_c([program_of(name, 0)]))([]).status == "outside_domain"


@pytest.mark.parametrize("chunk", [1, 1000])
def test_an_infinity_that_vanishes_again_is_not_missed(chunk: int) -> None:
    x = Value(1.0)
    program = graph_to_program([1.0 / (1.0 + x.exp())], [x])
    call = load(to_c([program], chunk=chunk))
    inside, outside = call([0.0]), call([1000.0])
    assert (inside.y[0], inside.status) == (0.5, "ok")
    assert (outside.y[0], outside.status) == (0.0, "outside_domain")


@pytest.mark.parametrize("chunk", [1, 1000])
def test_a_guard_that_fails_leaves_the_outputs_as_they_were(chunk: int) -> None:
    guards = (Guard("<", 0, 2, True), Guard(">=", 1, 2, False), Guard("!=", 0, 1, True))
    program = Program(2, (1.0,), ("log",), ((0,),), (3,), guards)
    call = load(to_c([program], chunk=chunk))
    points = [[0.25, 0.5], [2.0, 2.0], [0.0, 2.0], [0.5, 0.5], [math.nan, 0.0], [0.0, 0.5]]
    found = [call(point) for point in points]
    assert [result.status for result in found] == [
        "ok", "other_branch", "other_branch", "other_branch", "other_branch", "outside_domain"]
    assert [result.y[0] for result in found] == [math.log(0.25), 7.0, 7.0, 7.0, 7.0, -math.inf]


@pytest.mark.parametrize("chunk", [2, 1000])
def test_the_first_branch_whose_guards_hold_gives_the_result(chunk: int) -> None:
    low = Program(1, (1.0, 2.0), ("exp", "mul"), ((0,), (3, 2)), (4,), (Guard("<", 0, 1, True),))
    middle = Program(1, (2.0,), ("sigmoid", "tanh"), ((0,), (2,)), (3,), (Guard("<", 0, 1, True),))
    high = Program(1, (2.0, 5.0), ("sigmoid",), ((0,),), (3,),
                   (Guard("<", 0, 1, False), Guard("<", 0, 2, True)))
    call = load(to_c([low, middle, high], chunk=chunk))
    programs = {0.5: low, 1.5: middle, 3.0: high}
    for x, program in programs.items():
        result = call([x])
        assert result.status == "ok"
        np.testing.assert_allclose(result.y, python.compile(program)(np.array([x]))[0], rtol=1e-15)
    assert call([6.0]).status == "other_branch"


# --- long programs --------------------------------------------------------------------------------

def test_random_programs_in_parts_are_right_instruction_by_instruction() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.settings(max_examples=10)
    @hypothesis.given(expressions(max_nodes=15))
    def check(expression: Any) -> None:
        program, _ = derivative_program(expression)
        check_program(BackEnd(in_small_parts), program, points_near(expression.point))

    check()


def pendulum(angle: Any, speed: Any, damping: Any) -> Any:
    """Explicit steps of a damped pendulum, which look at what they computed."""
    for step in range(60):
        speed = speed - 0.01 * (angle.sin() + damping * speed) + 1e-6 * math.sqrt(step)
        angle = angle + 0.01 * speed
        if angle > 100.0:
            return angle
    return angle


def pendulum_program(point: Sequence[float]) -> tuple[Program, Any]:
    fast = jit(value_and_grad(pendulum, argnums=(0, 1, 2)))
    fast(*point)
    return fast.notes[-1].recording.program, fast


def test_loops_are_loops_again_with_the_bits_of_straight_code() -> None:
    program, _ = pendulum_program((0.5, 0.1, 0.2))
    assert any(isinstance(block, Loop) for block in roll(Tape.of(program)).blocks)
    rolled, straight = to_c([program], chunk=200), to_c([program], chunk=10**6)
    assert len(rolled.source) < len(straight.source) / 5
    short, long = load(rolled), load(straight)
    for point in ([0.5, 0.1, 0.2], [-1.0, 3.0, 0.0], [0.0, 0.0, 1e-3]):
        assert short(point).status == long(point).status == "ok"
        assert list(map(bits, short(point).y)) == list(map(bits, long(point).y))
    assert short([99.0, 200.0, 0.0]).status == long([99.0, 200.0, 0.0]).status == "other_branch"


@pytest.mark.parametrize("kind", ["nested", "grid", "recurrent", "perceptron", "data", "irregular",
                                  "no instruction", "nothing"])
def test_all_kinds_of_loops_have_the_bits_of_straight_code(
        kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_rerolling, "LARGE_BODY", 60)
    program = grid(6, 40) if kind == "nested" else PROGRAMS[kind]()
    rolled, straight = to_c([program], chunk=0), to_c([program], chunk=10**6)
    assert ("long i1" in rolled.source) >= (kind == "nested")
    short, long = load(rolled), load(straight)
    rng = np.random.default_rng(0)
    for point in rng.normal(size=(5, program.n_inputs)):
        assert short(point).status == long(point).status
        assert list(map(bits, short(point).y)) == list(map(bits, long(point).y))


def test_thousands_of_guards_and_instructions_are_no_trouble() -> None:
    count = 4_000
    rng = random.Random(0)
    ops = tuple(rng.choice(("add", "sub", "mul")) for _ in range(count))
    operands = tuple((1 + i if i else 0, rng.choice((0, 1))) for i in range(count))
    guards = tuple(Guard("!=", 2 + i, 1, True) for i in range(0, count, 2))
    program = Program(1, (0.9,), ops, operands, (1 + count, 0), guards)
    expected = python.compile(program)
    call = load(to_c([program]))
    for x in (0.3, -0.7):
        outputs, _, ok = expected(np.array([x]))
        result = call([x])
        assert (result.status == "ok") is ok
        assert not ok or result.y.tolist() == outputs.tolist()
    assert call([0.9]).status == "other_branch" or expected(np.array([0.9]))[2]


# --- a user's own ---------------------------------------------------------------------------------

def test_a_primitive_of_ones_own_is_a_function_with_its_branches_and_its_domain() -> None:
    with crooked() as row:
        x = Value(0.5)
        program = graph_to_program([row(x) * 2.0], [x])
        for chunk in (1, 1000):
            source = to_c([program, program], rewrite=inlined, chunk=chunk)
            assert "/* crooked */" in source.source
            for point in CROOKED_POINTS:
                result = load(source)([point])
                assert bits(result.y[0]) == bits(2.0 * crooked_value(point))
                assert result.status == "ok"
        with pytest.raises(Unsupported, match="no way to write crooked"):
            to_c([program])


def test_a_primitive_of_ones_own_is_nan_and_outside_where_it_raises() -> None:
    with declared("rooted", lambda x: 1.0 / math.sqrt(x), lambda x, y: -0.5 * y / x):
        call = load(to_c([program_of("rooted", 1)], rewrite=inlined))
        found = [call([x]) for x in (4.0, 0.0, -1.0, math.nan)]
        assert [result.status for result in found] == ["ok", *["outside_domain"] * 2, "ok"]
        assert found[0].y[0] == 0.5 and all(math.isnan(result.y[0]) for result in found[1:])


# --- compiled functions ---------------------------------------------------------------------------

def test_a_compiled_function_has_all_its_branches_and_all_numbers_of_its_results() -> None:
    @jit
    def huber(x: float) -> Any:
        return x * x / 2.0 if abs(x) < 1.0 else abs(x) - 0.5

    slope = grad(huber)
    for x in (0.5, 3.0, -3.0):
        huber(x)
        slope(x)  # 1 and -1 are no computed numbers
    value, derivative = load(huber.to_c("huber")), load(slope.to_c("huber_slope"))
    for x in (0.25, -0.5, 7.0, -2.0):
        assert (value([x]).status, value([x]).y.tolist()) == ("ok", [huber(x)])
        assert (derivative([x]).status, derivative([x]).y.tolist()) == ("ok", [slope(x)])


def test_results_are_flat_with_constants_and_truths_in_their_places() -> None:
    @jit
    def several(x: Any, options: Any) -> Any:
        return {"a": [x[0] * options["k"], 3], "b": (np.array([2.0, 5.0]), True, None, "name"),
                "c": x[1]}

    several([1.0, 2.0], {"k": 4.0})
    result = load(several.to_c("several"))([3.0, 5.0, 7.0])
    assert (result.status, result.y.tolist()) == ("ok", [21.0, 3.0, 2.0, 5.0, 1.0, 5.0])


def test_values_from_outside_are_written_with_their_numbers() -> None:
    w = Value(2.0, label="w")

    @jit
    def scaled(x: float) -> Any:
        return w * x + 1.0

    scaled(3.0)
    before = scaled.to_c("scaled")
    w.data = 5.0
    after = scaled.to_c("scaled")
    assert [load(source)([3.0]).y.tolist() for source in (before, after)] == [[7.0], [16.0]]


def test_what_is_not_recorded_or_has_changed_is_refused() -> None:
    table = [1.0]

    @jit
    def f(x: float) -> Any:
        return x * table[0]

    with pytest.raises(ValueError, match="before the first call"):
        f.to_c("f")
    f(2.0)
    table[0] = 3.0
    with pytest.raises(ValueError, match="table has changed"):
        f.to_c("f")
    f(2.0)
    assert load(f.to_c("f"))([2.0]).y.tolist() == [6.0]
    assert isinstance(f.to_c("f"), CSource)


def test_branches_that_return_different_structures_are_refused() -> None:
    @jit
    def f(x: float) -> Any:
        return [x, x] if x > 0.0 else x

    f(1.0)
    f(-1.0)
    with pytest.raises(ValueError, match="different structures"):
        f.to_c("f")


def test_a_vmapped_function_says_how_one_row_is_written() -> None:
    by_rows = vmap(lambda x: x * x)
    by_rows([1.0, 2.0])
    with pytest.raises(TypeError, match=r"jit\(f\)\.to_c"):
        by_rows.to_c("f")


def test_gradients_are_written_too() -> None:
    fast = jit(value_and_grad(lambda x: (x[0] * x[1] + 7.0).tanh() + x[0] ** 2))
    value, slope = fast([2.0, -3.0])
    result = load(fast.to_c("f"))([2.0, -3.0])
    np.testing.assert_allclose(result.y, [value, *slope], rtol=1e-14)
    every = dataclasses.replace(PROGRAM, outputs=tuple(range(PROGRAM.n_slots)))
    assert load(to_c([every]))([2.0, 0.5]).y[:5].tolist() == [2.0, 0.5, 1.5, -1.0, 1.0]
