"""Powers with a known exponent are computed as the arithmetic that they are."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.backends.llvm import compilation as llvm
from autograd.compiler.backends.llvm.powers import powers_written_out
from autograd.compiler.program.program import Program

POINTS = [0.0, -0.0, 3.0, -2.5, 0.1, 1e-300, 1e200, -1e-160, math.inf, -math.inf, math.nan]
BY_HAND = {2.0: lambda x: x * x, -1.0: lambda x: np.float64(1.0) / x}


def power(exponent: float) -> Program:
    """x**exponent, and its negative."""
    return Program(1, (exponent,), ("pow", "neg"), ((0, 1), (2,)), (2, 3))


def bits(numbers: object) -> list[str]:
    return [float(x).hex() for x in np.ravel(numbers)]  # type: ignore[call-overload]


@pytest.mark.parametrize("exponent", BY_HAND)
def test_squares_and_inverses_are_rounded_correctly(exponent: float) -> None:
    points = [*POINTS, *np.random.default_rng(0).normal(size=2000).tolist()]
    with np.errstate(all="ignore"):
        truth = BY_HAND[exponent](np.array(points))
    point, rows = llvm.compile(power(exponent)), llvm.compile(power(exponent), [True])
    assert bits([point.point([x])[0] for x in points]) == bits(truth)
    assert bits(rows(np.zeros(0), np.array([points]))[1]) == bits([truth, -truth])


def test_a_root_is_that_of_the_processor_but_for_minus_infinity_and_minus_zero() -> None:
    kernel = llvm.compile(power(0.5))
    assert bits([kernel.point([x])[0] for x in (2.0, 0.0, -0.0, math.inf, -math.inf)]) == bits(
        [math.sqrt(2.0), 0.0, 0.0, math.inf, math.inf])
    assert math.isnan(kernel.point([-1.0])[0])


@pytest.mark.parametrize("exponent", [2.0, -1.0, 0.5])
def test_no_function_is_called_for_them(exponent: float) -> None:
    assert "call double @pow" not in llvm.compile(power(exponent)).assembly
    assert "call double @pow" in llvm.compile(power(3.0)).assembly


def test_long_programs_and_the_interpreter_compute_the_same_squares() -> None:
    ops, operands = [], []
    for i in range(5000):
        ops += ["pow", "sin"]
        operands += [(1 + 2 * i, 0), (2 + 2 * i,)]
    moved = [tuple(1 if x == 0 else 0 if x == 1 else x for x in xs) for xs in operands]
    long = Program(1, (2.0,), tuple(ops), tuple(moved), (10_001, 2))
    assert sum(map(len, long.operands)) > llvm.ROLLED
    kernel = llvm.compile(long)
    table = llvm.InterpreterWriter(powers_written_out(long, roots=False), None, (False,) * 2, 1, {})
    slow = llvm.Kernel(table, None)
    x = 0.1
    for _ in range(5000):
        x = math.sin(x * x)
    assert bits(kernel.point([0.1])) == bits(slow.point([0.1])) == bits([x, 0.1 * 0.1])


def test_the_constant_of_an_inverse_moves_what_stands_behind_it() -> None:
    program = Program(2, (-1.0, 3.0), ("add", "pow", "pow", "mul"),
                      ((0, 1), (4, 2), (4, 3), (5, 6)), (7, 5))
    written = powers_written_out(program, roots=True).validate()
    assert written.constants == (-1.0, 3.0, 1.0)
    assert written.ops == ("add", "div", "pow", "mul")
    assert bits(llvm.compile(program).point([0.5, 1.5])) == bits([0.5 * 8.0, 0.5])


def test_a_program_without_such_powers_stays_as_it_is() -> None:
    for program in (power(3.0), Program(1, (2.0,), ("pow",), ((1, 0),), (2,))):
        assert powers_written_out(program, roots=True) is program
