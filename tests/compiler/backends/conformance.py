"""What every back end has to do: each primitive at special values, random programs, rows, guards.

The rounding of a long computation may be magnified without bound, so no fixed tolerance fits the
results of random programs. Therefore every instruction is checked on the numbers that the back
end itself has computed for its operands, to a few units in the last place; and the program alone
must give the very numbers that it gives when all of them are put out.

To hold a back end to it, subclass :class:`Conformance` with a fixture ``back_end``.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import random
import struct
import sys
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, Value
from autograd.compiler.backends import python
from autograd.compiler.backends.interface import Compile, Unsupported
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.core.backward import adjoints
from autograd.core.primitives import DOMAIN_ERRORS

from ...own_primitives import declared

SPECIAL = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-200, 0.3, -0.7, 1.0, -1.0, 2.5, -3.0, 30.0,
           -41.5, 710.0, -745.2, 1e10, -1e10, 1e200, -1e200, 1.7e308, math.inf, -math.inf, math.nan]
EXACT = {row.name for row in TABLE.values() if row.exact}
# Rows for random programs: those left out are hundreds of instructions each where they are written
# out, so that a program of a few takes seconds to compile; their values have tests of their own.
SHORT = [row.name for row in TABLE.values() if not row.orders and not row.stops
         and row.name not in {"ndtri", "erfinv", "erfcinv", "log_ndtr"}]
MOST_ULPS = 8.0
ADDED_UP = frozenset({"sum", "dot", "logsumexp"})  # cancel: ulps of the terms, not of the result


@dataclasses.dataclass(frozen=True)
class BackEnd:
    """What is tested.

    Attributes:
        compile: the back end.
        exact: whether all its functions have the bits of the eager engine.
        flushes: whether it takes subnormal numbers for 0.
        added_up: the functions that are right to ulps of their terms.
        examples: how many random programs to try.
    """

    compile: Compile
    exact: bool = False
    flushes: bool = False
    added_up: frozenset[str] = ADDED_UP
    examples: int = 60


def program_of(name: str, count: int) -> Program:
    """The program of one instruction on its inputs."""
    return Program(count, (), (name,), (tuple(range(count)),), (count,))


@functools.cache
def _kernel_of(name: str, count: int) -> Any:
    return python.compile(program_of(name, count))


def is_defined(name: str, operands: tuple[float, ...]) -> bool:
    try:
        TABLE[name].value(*operands)
    except DOMAIN_ERRORS:
        return False
    return True


def expected_of(name: str, operands: tuple[float, ...]) -> float:
    """The eager engine's value; where it raises, that of IEEE arithmetic."""
    if is_defined(name, operands):
        return float(TABLE[name].value(*operands))
    return float(_kernel_of(name, len(operands))(np.array(operands))[0][0])


def bits(number: float) -> bytes:
    """The bits of a float; all nan are one."""
    return struct.pack("<d", number if number == number else math.nan)


def assert_right(back_end: BackEnd, name: str, operands: tuple[float, ...], given: float) -> None:
    """Assert that an instruction gave what the table says, to its number of ulps."""
    if back_end.flushes and any(map(is_subnormal, operands)):
        return
    expected = expected_of(name, operands)
    shown = f"{name}{operands} gave {given!r}, not {expected!r}"
    if back_end.flushes and abs(expected) <= sys.float_info.min:
        assert abs(given) <= sys.float_info.min, shown
    elif back_end.exact or name in EXACT or not math.isfinite(expected):
        assert bits(given) == bits(expected), shown
    else:
        unit = _unit(name in back_end.added_up, name, operands, expected)
        assert abs(given - expected) <= MOST_ULPS * unit, shown


def is_subnormal(number: float) -> bool:
    return 0.0 < abs(number) < sys.float_info.min


def _unit(added_up: bool, name: str, operands: tuple[float, ...], expected: float) -> float:
    """The unit in the last place by which an error is measured."""
    if not added_up:
        return math.ulp(expected)
    half = len(operands) // 2
    terms = operands if name != "dot" else [
        a * b for a, b in zip(operands[:half], operands[half:], strict=True)]
    return max((math.ulp(x) for x in (expected, *terms) if math.isfinite(x)), default=0.0)


def operand_lists(row: Any) -> list[tuple[float, ...]]:
    """Special values, and all pairs of them, as operands of a row."""
    if row.arity == 1:
        return [(x,) for x in SPECIAL]
    pairs = [(a, b) for a in SPECIAL for b in SPECIAL]
    if row.arity == 2:
        return pairs
    if row.name == "where":
        return [(c, a, b) for c in (0.0, -0.0, 1.0, math.nan) for a, b in pairs[::7]]
    if row.name == "dot":
        return [(a, b, 2.0, 0.5) for a, b in pairs]
    return [(a, b, 1.5) for a, b in pairs]


def check_special_values(back_end: BackEnd, row: Any) -> None:
    lists = operand_lists(row)
    count = len(lists[0])
    program = program_of(row.name, count)
    _, out, ok = back_end.compile(program, (True,) * count)(np.empty(0), np.array(lists).T)
    assert ok.all()
    once = back_end.compile(program)
    for operands, in_row in zip(lists, out[0], strict=True):
        assert_right(back_end, row.name, operands, float(in_row))
        assert_right(back_end, row.name, operands, float(once(np.array(operands))[0][0]))


def check_program(back_end: BackEnd, program: Program, points: Any) -> None:
    """Check every instruction at points, shape (n_inputs, n): in rows, and one at a time."""
    every = dataclasses.replace(program, outputs=tuple(range(program.n_slots)))
    flags = (True,) * program.n_inputs
    in_rows = back_end.compile(every, flags)(np.empty(0), points)[1]
    once = back_end.compile(every)
    singly = np.array([once(point)[0] for point in points.T]).T
    for numbers in (*in_rows.T, *singly.T):
        check_numbers(back_end, program, numbers.tolist())
    outputs = list(program.outputs)
    alone = back_end.compile(program)(points[:, 0])[0]
    assert np.array_equal(alone, singly[outputs, 0], equal_nan=True)
    together = back_end.compile(program, flags)(np.empty(0), points)[1]
    assert np.array_equal(together, in_rows[outputs], equal_nan=True)


def check_numbers(back_end: BackEnd, program: Program, numbers: list[float]) -> None:
    assert list(map(bits, numbers[program.n_inputs:program.first])) == list(
        map(bits, program.constants))
    for slot, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True),
                                          program.first):
        assert_right(back_end, op, tuple(numbers[x] for x in operands), numbers[slot])


def derivative_program(expression: Any) -> tuple[Program, list[Any]]:
    """The program of an expression and its gradient, and the same outputs, evaluated eagerly."""
    inputs = [Value(x) for x in expression.point]
    y = expression.function(*inputs)
    outputs = [y, *adjoints(y, inputs)]
    return graph_to_program(outputs, inputs), outputs


def number(x: Any) -> float:
    return float(x.data) if isinstance(x, Value) else float(x)


def points_near(point: list[float]) -> Any:
    """The point, and nine around it, where a domain may end and a branch may change."""
    shifts = np.random.default_rng(0).normal(size=(len(point), 10))
    shifts[:, 0] = 0.0
    return np.array(point)[:, None] + shifts


def network_program() -> tuple[Program, int]:
    """The loss of one row of a small network and its gradient: 3 row inputs, then the weights."""
    rng = random.Random(0)
    weights = [Value(rng.uniform(-1.0, 1.0)) for _ in range(16)]
    x, target = [Value(0.1), Value(0.2)], Value(1.0)
    hidden = [ag.dot(weights[3 * i:3 * i + 3], [*x, 1.0]).tanh() for i in range(4)]
    loss = ag.softplus(-target * ag.dot(weights[12:], hidden))
    return graph_to_program([loss, *ag.gradient(loss, weights)], [*x, target, *weights]), 16


class Conformance:
    """The tests of one back end."""

    @pytest.mark.parametrize("row", list(TABLE.values()), ids=lambda row: row.name)
    def test_special_values_at_one_point_and_in_rows(self, back_end: BackEnd, row: Any) -> None:
        check_special_values(back_end, row)

    @pytest.mark.parametrize(("name", "operands", "expected"), [  # annex F of the C standard
        ("div", (1.0, 0.0), math.inf), ("div", (1.0, -0.0), -math.inf),
        ("div", (0.0, 0.0), math.nan),
        ("log", (0.0,), -math.inf), ("log", (-1.0,), math.nan), ("log2", (-0.0,), -math.inf),
        ("log10", (0.0,), -math.inf), ("log1p", (-1.0,), -math.inf), ("log1p", (-2.0,), math.nan),
        ("sqrt", (-1.0,), math.nan), ("exp", (1000.0,), math.inf), ("exp2", (2000.0,), math.inf),
        ("expm1", (1000.0,), math.inf), ("sinh", (-1000.0,), -math.inf),
        ("cosh", (-1e3,), math.inf),
        ("pow", (0.0, -1.0), math.inf), ("pow", (-0.0, -1.0), -math.inf),
        ("pow", (-0.0, -2.0), math.inf), ("pow", (-8.0, 1.0 / 3.0), math.nan),
        ("pow", (-1e200, 3.0), -math.inf), ("pow", (-1e200, 2.0), math.inf),
        ("pow", (math.nan, 0.0), 1.0), ("pow", (-1.0, math.inf), 1.0),
        ("sin", (math.inf,), math.nan), ("cos", (-math.inf,), math.nan),
        ("tan", (math.inf,), math.nan),
        ("asin", (1.5,), math.nan), ("acos", (-2.0,), math.nan), ("acosh", (0.5,), math.nan),
        ("atanh", (1.0,), math.inf), ("atanh", (-1.0,), -math.inf), ("atanh", (2.0,), math.nan),
        ("hypot", (math.inf, math.nan), math.inf), ("norm", (math.nan, -math.inf, 1.0), math.inf),
        ("maximum", (1.0, math.nan), math.nan), ("minimum", (math.nan, 1.0), math.nan)])
    def test_outside_a_domain_ieee_arithmetic_holds(self, back_end: BackEnd, name: str,
                                                    operands: tuple[float, ...],
                                                    expected: float) -> None:
        program = program_of(name, len(operands))
        assert bits(back_end.compile(program)(np.array(operands))[0][0]) == bits(expected)
        rows = np.array([operands] * 3).T
        out = back_end.compile(program, (True,) * len(operands))(np.empty(0), rows)[1]
        assert [bits(x) for x in out[0]] == [bits(expected)] * 3

    @pytest.mark.parametrize(("name", "expected"), [
        ("sum", 0.0), ("prod", 1.0), ("dot", 0.0), ("norm", 0.0), ("logsumexp", -math.inf)])
    def test_no_operands_at_all(self, back_end: BackEnd, name: str, expected: float) -> None:
        assert back_end.compile(program_of(name, 0))(np.empty(0))[0].tolist() == [expected]
        out = back_end.compile(program_of(name, 0), ())(np.empty(0), np.empty((0, 2)))[1]
        assert out.tolist() == [[expected, expected]]

    def test_random_programs_are_right_instruction_by_instruction(self, back_end: BackEnd) -> None:
        hypothesis = pytest.importorskip("hypothesis")
        from autograd.strategies import expressions

        @hypothesis.settings(max_examples=back_end.examples)
        @hypothesis.given(expressions(max_nodes=15, primitives=SHORT))
        def check(expression: Any) -> None:
            program, _ = derivative_program(expression)
            check_program(back_end, program, points_near(expression.point))

        check()

    def test_gradients_of_random_programs_pass_gradcheck(self, back_end: BackEnd) -> None:
        hypothesis = pytest.importorskip("hypothesis")
        from autograd.strategies import expressions

        @hypothesis.settings(max_examples=back_end.examples // 2)
        @hypothesis.given(expressions(primitives=SHORT))
        def check(expression: Any) -> None:
            program, _ = derivative_program(expression)
            kernel = back_end.compile(program)
            ag.gradcheck(expression.function, *expression.point,
                         gradient=lambda *point: tuple(kernel(np.array(point))[0][1:].tolist()))

        check()

    @pytest.mark.parametrize("n", [1, 2, 7, 9, 100])
    def test_rows_and_their_sums_agree_with_one_point_at_a_time(
            self, back_end: BackEnd, n: int) -> None:
        program, size = network_program()
        rng = np.random.default_rng(n)
        rows, weights = rng.normal(size=(3, n)), rng.normal(size=size)
        kernel = back_end.compile(program, (True,) * 3 + (False,) * size, (False,) + (True,) * size)
        sums, out, ok = kernel(weights, rows)
        once = python.compile(program)
        each = np.array([once(np.concatenate([row, weights]))[0] for row in rows.T])
        assert ok.tolist() == [True] * n
        np.testing.assert_allclose(out, each[:, :1].T, rtol=1e-14)
        total = np.array([math.fsum(column) for column in each[:, 1:].T])
        size_of_terms = np.abs(each[:, 1:]).sum(axis=0)  # terms cancel, and so do their digits
        assert np.all(np.abs(sums - total) <= 1e-13 * size_of_terms)

    def test_no_rows_give_empty_outputs_and_zero_sums(self, back_end: BackEnd) -> None:
        program, size = network_program()
        kernel = back_end.compile(program, (True,) * 3 + (False,) * size, (False,) + (True,) * size)
        sums, out, ok = kernel(np.ones(size), np.empty((3, 0)))
        assert (out.shape, ok.shape, sums.tolist()) == ((1, 0), (0,), [0.0] * size)

    def test_outputs_that_are_the_same_for_all_rows_are_repeated_and_summed(
            self, back_end: BackEnd) -> None:
        program = Program(2, (5.0,), ("mul",), ((1, 1),), (3, 2, 1, 0))
        kernel = back_end.compile(program, (True, False), (True, False, False, True))
        sums, out, _ = kernel(np.array([3.0]), np.array([[1.0, 2.0, 4.0]]))
        assert sums.tolist() == [27.0, 7.0]
        assert out.tolist() == [[5.0] * 3, [3.0] * 3]

    def test_a_sum_over_rows_of_inf_and_nan_does_not_raise(self, back_end: BackEnd) -> None:
        kernel = back_end.compile(program_of("log", 1), (True,), (True,))
        assert math.isnan(kernel(np.empty(0), np.array([[-1.0, 1.0]]))[0][0])
        assert kernel(np.empty(0), np.array([[0.0, 1.0]]))[0][0] == -math.inf
        assert math.isnan(kernel(np.empty(0), np.array([[0.0, math.inf]]))[0][0])

    @pytest.mark.parametrize(("relation", "outcome", "expected"), [
        ("<", True, [True, False, False, False]), ("<", False, [False, True, True, True]),
        ("<=", True, [True, True, False, False]), (">", True, [False, False, True, False]),
        (">=", False, [True, False, False, True]), ("==", True, [False, True, False, False]),
        ("!=", True, [True, False, True, True])])
    def test_guards_hold_row_by_row_and_nan_compares_as_in_python(
            self, back_end: BackEnd, relation: str, outcome: bool, expected: list[bool]) -> None:
        program = Program(1, (2.0,), ("mul",), ((0, 0),), (2,), (Guard(relation, 0, 1, outcome),))
        points = np.array([1.0, 2.0, 3.0, math.nan])
        ok = back_end.compile(program, (True,))(np.empty(0), points[None, :])[2]
        assert ok.tolist() == expected
        once = back_end.compile(program)
        assert [once(points[i:i + 1])[2] for i in range(4)] == expected

    def test_one_guard_of_several_that_fails_is_enough(self, back_end: BackEnd) -> None:
        guards = (Guard("<", 0, 1, True), Guard(">", 0, 2, True))
        program = Program(1, (2.0, 1.0), (), (), (0,), guards)
        ok = back_end.compile(program, (True,))(np.empty(0), np.array([[0.5, 1.5, 2.5]]))[2]
        assert ok.tolist() == [False, True, False]

    @pytest.mark.parametrize("container", [list, np.array])
    def test_point_gives_the_outputs_or_none_where_a_guard_fails(
            self, back_end: BackEnd, container: Any) -> None:
        program = Program(2, (2.0,), ("div", "sub"), ((2, 0), (3, 1)), (4, 3),
                          (Guard("<", 0, 2, True),))
        kernel = back_end.compile(program)
        first = kernel.point(container([0.5, 1.0]))
        assert kernel.point(container([3.0, 1.0])) is None
        assert kernel.point(container([math.nan, 1.0])) is None
        assert kernel.point(container([0.0, 1.0])).tolist() == [math.inf, math.inf]
        assert first.tolist() == [3.0, 4.0]

    def test_flags_and_arrays_that_do_not_fit_are_errors(self, back_end: BackEnd) -> None:
        program = program_of("add", 2)
        with pytest.raises(ValueError, match="1 flags for 2 inputs"):
            back_end.compile(program, (True,))
        with pytest.raises(ValueError, match="sums has 2 flags"):
            back_end.compile(program, (True, True), (True, False))
        with pytest.raises(ValueError, match="sums are over rows"):
            back_end.compile(program, None, (True,))
        with pytest.raises(ValueError, match="takes 2 scalars"):
            back_end.compile(program)(np.ones(3))
        with pytest.raises(ValueError, match="rows of shape"):
            back_end.compile(program, (True, True))(np.empty(0), np.ones((1, 4)))
        with pytest.raises(ValueError, match="rows of shape"):
            back_end.compile(program, (True, True))(np.empty(0))

    def test_results_of_earlier_calls_and_the_arguments_stay_as_they_are(
            self, back_end: BackEnd) -> None:
        kernel = back_end.compile(program_of("identity", 1), (True,))
        rows = np.array([[1.0, 2.0]])
        first = kernel(np.empty(0), rows)[1]
        kernel(np.empty(0), np.array([[3.0, 4.0]]))
        first[0, 0] = 7.0
        assert rows.tolist() == [[1.0, 2.0]]
        assert first.tolist() == [[7.0, 2.0]]

    def test_a_primitive_that_nobody_declared_is_named(self, back_end: BackEnd) -> None:
        with pytest.raises(KeyError, match="nobody"):
            back_end.compile(Program(1, (), ("nobody",), ((0,),), (1,)))

    def test_a_primitive_of_ones_own_is_right_and_nan_outside_its_domain_or_refused(
            self, back_end: BackEnd) -> None:
        with declared("inverse", lambda x: 1.0 / x, lambda x, y: -y * y) as inverse:
            x = Value(0.3)
            y = inverse(x.sin())
            program = graph_to_program([y, *adjoints(y, [x])], [x])
            try:
                kernel = back_end.compile(program)
            except Unsupported as refusal:
                assert "inverse" in str(refusal)
                return
            np.testing.assert_allclose(kernel(np.array([0.3]))[0],
                                       [y.data, -math.cos(0.3) * y.data ** 2], rtol=1e-14)
            out = back_end.compile(program_of("inverse", 1), (True,))(
                np.empty(0), np.array([[4.0, 0.0, -0.5]]))[1]
            assert np.array_equal(out, [[0.25, math.nan, -2.0]], equal_nan=True)

    def test_a_primitive_of_ones_own_takes_any_number_of_operands_or_is_refused(
            self, back_end: BackEnd) -> None:
        with declared("mean_of", lambda *xs: math.fsum(xs) / len(xs),
                      lambda *xs: [1.0 / (len(xs) - 1)] * (len(xs) - 1)):
            for count in (1, 3, 70):  # more than NumPy broadcasts at once
                flags = (True,) + (False,) * (count - 1)
                try:
                    kernel = back_end.compile(program_of("mean_of", count), flags)
                except Unsupported as refusal:
                    assert "mean_of" in str(refusal)
                    continue
                out = kernel(np.ones(count - 1), np.array([[1.0, 1.0 + count]]))[1]
                assert out.tolist() == [[1.0, 2.0]]
