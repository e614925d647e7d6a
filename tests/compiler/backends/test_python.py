"""The Python back end's source, and how it is cut; the NumPy back end's memory and blocks."""

from __future__ import annotations

import math
import random
import tracemalloc
from typing import Any

import numpy as np
import pytest

from autograd import TABLE
from autograd.compiler.backends import numpy as arrays
from autograd.compiler.backends import python
from autograd.compiler.program.program import Guard, Program
from autograd.core.primitive import Primitive, register


def chain(count: int, seed: int = 0) -> Program:
    """Instructions on results not long before, with a guard for every tenth."""
    rng = random.Random(seed)
    ops = tuple(rng.choice(("add", "sub", "mul", "sin", "tanh")) for _ in range(count))
    operands = tuple(tuple(rng.randrange(max(0, slot - 40), slot)
                           for _ in range(TABLE[op].arity or 0))
                     for slot, op in enumerate(ops, 3))
    guards = tuple(Guard("<", 3 + i, 2, i % 3 == 0) for i in range(0, count, 10))
    return Program(2, (0.7,), ops, operands, (2 + count, 3, 0, 2), guards)


def evaluated(program: Program, point: list[float]) -> tuple[list[float], bool]:
    """The outputs and whether all guards hold, straight from the table."""
    numbers = [*point, *program.constants]
    for op, operands in zip(program.ops, program.operands, strict=True):
        numbers.append(TABLE[op].value(*(numbers[x] for x in operands)))
    assert {guard.relation for guard in program.guards} <= {"<"}
    return [numbers[x] for x in program.outputs], all(
        (numbers[g.left] < numbers[g.right]) is g.outcome for g in program.guards)


def test_the_source_of_a_small_program_is_one_readable_function() -> None:
    program = Program(2, (1.5, -math.inf), ("mul", "sin", "div", "neg", "where"),
                      ((0, 1), (4,), (5, 2), (6,), (0, 7, 3)), (8, 5),
                      (Guard("<", 4, 0, True), Guard("==", 5, 2, False)))
    assert python.compile(program).source == (
        "def program(x0, x1):\n"
        "    v4 = x0 * x1\n"
        "    v5 = sin(v4)\n"
        "    v6 = div(v5, 1.5)\n"
        "    v7 = -v6\n"
        "    v8 = where(x0, v7, -inf)\n"
        "    ok = (v4 < x0) is True and (v5 == 1.5) is False\n"
        "    return [v8, v5], ok\n")


def test_the_source_of_a_program_that_is_cut_says_what_goes_through_memory() -> None:
    program = Program(1, (), ("sin", "exp", "mul"), ((0,), (1,), (2, 1)), (3,),
                      (Guard(">", 1, 0, True),))
    assert python.compile(program, chunk=2).source == (
        "def part0(memory):\n"
        "    memory[1] = v1 = sin(memory[0])\n"
        "    memory[2] = v2 = exp(v1)\n"
        "    return True\n"
        "\n\n"
        "def part1(memory):\n"
        "    memory[3] = v3 = memory[2] * memory[1]\n"
        "    return True\n"
        "\n\n"
        "def part2(memory):\n"
        "    return (memory[1] > memory[0]) is True\n")


def test_a_program_without_instructions_returns_inputs_and_constants() -> None:
    kernel = python.compile(Program(1, (-0.0, math.nan), (), (), (2, 1, 0)))
    found, _, ok = kernel(np.array([4.0]))
    assert ok is True
    assert math.isnan(found[0]) and math.copysign(1.0, found[1]) == -1.0 and found[2] == 4.0


@pytest.mark.parametrize("chunk", [1, 2, 7, 50, 1000])
@pytest.mark.parametrize("count", [0, 1, 100])
def test_cutting_changes_no_bit_and_no_guard(chunk: int, count: int) -> None:
    program = chain(count, seed=chunk)
    if not count:
        program = Program(2, (0.7,), (), (), (0, 2))
    rng = random.Random(1)
    for point in ([rng.uniform(-2.0, 2.0), rng.uniform(-2.0, 2.0)] for _ in range(20)):
        found, _, ok = python.compile(program, chunk=chunk)(np.array(point))
        assert (found.tolist(), ok) == evaluated(program, point)


def test_a_guard_in_any_part_is_heeded() -> None:
    for failing in range(6):
        guards = tuple(Guard("<", 0, 1, i != failing) for i in range(6))
        program = Program(1, (2.0,), ("neg",) * 3, ((0,), (2,), (3,)), (4,), guards)
        assert python.compile(program, chunk=2)(np.array([1.0]))[2] is False


def test_a_hundred_thousand_instructions() -> None:
    program, point = chain(100_000), [0.3, -1.2]
    kernel = python.compile(program)
    assert kernel.source.count("def part") == 100 + 10  # instructions and guards
    found, _, ok = kernel(np.array(point))
    assert (found.tolist(), ok) == evaluated(program, point)


def test_one_instruction_with_very_many_operands() -> None:
    count = 30_000
    program = Program(count, (), ("neg", "sum"), ((0,), tuple(range(count))), (count + 1, count))
    assert python.compile(program)(np.ones(count))[0].tolist() == [float(count), -1.0]


@pytest.mark.parametrize("program", [
    Program(1, (), ("sin",), (("0); import os; (0",),), (1,)),
    Program(1, ("__import__('os')",), ("sin",), ((1,),), (2,)),
    Program(1, (), ("sin",), ((0,),), (1,), (Guard("or", 0, 1, True),)),
    Program(1, (), ("sin",), ((0,),), (1,), (Guard("<", 0, 1, "x"),)),
    Program(1, (), ("sin",), ((0,),), ("x0",))])
def test_text_in_a_program_never_becomes_source(program: Program) -> None:
    with pytest.raises((ValueError, TypeError)):
        python.compile(program)


@pytest.mark.parametrize("name", ["v1", "memory", "ok", "ﬁ", "'] or ['"])
def test_the_name_of_a_primitive_of_ones_own_cannot_disturb_the_source(name: str) -> None:
    row = register(Primitive(name, lambda x: x + 1.0, (lambda x, y: 1.0,), 1))
    try:
        program = Program(1, (), (name, name), ((0,), (1,)), (2,))
        kernel = python.compile(program)
        assert repr(name) in kernel.source
        assert kernel(np.array([1.0]))[0].tolist() == [3.0]
        assert python.compile(program, chunk=1)(np.array([1.0]))[0].tolist() == [3.0]
    finally:
        del TABLE[row.name]


# --- NumPy ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("n", [1, 4, 5, 11])
def test_rows_in_several_blocks_are_the_rows_in_one(n: int, monkeypatch: Any) -> None:
    program, flags = chain(50), (True, False)
    rows = np.random.default_rng(0).normal(size=(1, n))
    whole = arrays.compile(program, flags, (True, False, False, False))(np.ones(1), rows)
    monkeypatch.setattr(arrays, "BLOCK", 4)
    blocks = arrays.compile(program, flags, (True, False, False, False))(np.ones(1), rows)
    for a, b in zip(whole, blocks, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)  # a library may treat ends of arrays apart


def test_arrays_are_freed_after_they_were_read_last() -> None:
    count, n = 300, arrays.BLOCK
    program = Program(1, (1.0,), ("add",) * count, tuple((1 + i if i else 0, 1)
                                                         for i in range(count)), (1 + count,))
    kernel, rows = arrays.compile(program, (True,)), np.zeros((1, n))
    tracemalloc.start()
    try:
        out = kernel(np.empty(0), rows)[1]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert out.min() == out.max() == count
    assert peak < 10 * rows.nbytes


def test_results_that_nobody_reads_are_freed_too() -> None:
    program = Program(1, (), ("sin", "cos", "tan"), ((0,), (0,), (1,)), (3,))
    assert [set(dead) for dead in arrays._last_reads(program)] == [set(), {0, 2}, {1}]
