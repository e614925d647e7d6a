"""Passes make programs shorter and change no bit."""

from __future__ import annotations

import dataclasses
import math
import random
import struct
from typing import Any

import pytest

import autograd as ag
from autograd import TABLE, Value
from autograd.compiler.program.passes import (
    common_subexpressions,
    dead_code,
    fold_constants,
    simplified,
)
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program

PASSES = [dead_code, common_subexpressions, fold_constants, simplified]


def run(program: Program, inputs: list[float]) -> tuple[list[bytes], bool]:
    """The outputs, bit by bit, and whether the guards hold, straight from the table."""
    slots = [*inputs, *program.constants]
    for op, operands in zip(program.ops, program.operands, strict=True):
        slots.append(float(TABLE[op].value(*(slots[x] for x in operands))))
    hold = all(guard.holds(slots[guard.left], slots[guard.right]) for guard in program.guards)
    return [struct.pack("<d", slots[x]) for x in program.outputs], hold


def random_program(seed: int) -> tuple[Program, list[float]]:
    """Arithmetic with repetitions, unused results, constants (0.0 and -0.0 among them), guards."""
    rng = random.Random(seed)
    constants = (0.0, -0.0, 1.0, 2.5, 2.5)
    ops, operands = [], []
    for i in range(60):
        op = rng.choice(["add", "sub", "mul", "maximum", "neg", "abs", "sin", "tanh", "relu"])
        ops.append(op)
        low = max(0, 7 + i - 12) if rng.random() < 0.5 else 0
        operands.append(tuple(rng.randrange(low, 7 + i) for _ in range(TABLE[op].arity or 1)))
    program = Program(2, constants, tuple(ops), tuple(operands), (66, 40, 3),
                      (Guard("<", 50, 1, True), Guard("==", 2, 3, True)))
    return program.validate(), [rng.uniform(-2, 2), rng.uniform(-2, 2)]


@pytest.mark.parametrize("a_pass", PASSES, ids=lambda p: p.__name__)
@pytest.mark.parametrize("seed", range(40))
def test_no_pass_changes_a_bit(a_pass: Any, seed: int) -> None:
    program, inputs = random_program(seed)
    shorter = a_pass(program).validate()
    assert run(shorter, inputs) == run(program, inputs)
    assert len(shorter) <= len(program)
    assert {g.relation for g in shorter.guards} <= {g.relation for g in program.guards}
    assert shorter.guards[0].relation == "<"  # only the guard between constants may go


def test_dead_code_goes_and_what_is_needed_stays() -> None:
    program = Program(1, (2.0, 3.0), ("mul", "exp", "add"), ((0, 1), (0,), (3, 0)), (5,))
    assert dead_code(program) == Program(1, (2.0,), ("mul", "add"), ((0, 1), (2, 0)), (3,))


def test_guards_keep_their_operands_alive() -> None:
    program = Program(1, (2.0,), ("mul", "exp"), ((0, 1), (0,)), (0,), (Guard("<", 3, 1, True),))
    assert dead_code(program).ops == ("exp",)


def test_equal_expressions_are_computed_once() -> None:
    x = Value(0.7)
    y = ag.sin(x) * x + ag.sin(x) * x
    program = graph_to_program([y], [x])
    assert program.ops.count("sin") == 2
    assert common_subexpressions(program).ops == ("sin", "mul", "add")


def test_the_zeros_and_the_order_of_operands_are_told_apart() -> None:
    program = Program(1, (0.0, -0.0), ("mul", "mul", "sub", "sub"),
                      ((0, 1), (0, 2), (0, 1), (1, 0)), (3, 4, 5, 6))
    assert common_subexpressions(program) == program


def test_constants_are_folded_only_where_all_back_ends_agree() -> None:
    program = Program(1, (2.0, 3.0), ("add", "exp", "mul"), ((1, 2), (3,), (4, 0)), (5,))
    folded = fold_constants(program)
    assert folded.constants == (2.0, 3.0, 5.0)
    assert folded.ops == ("exp", "mul")


def test_an_operation_that_is_not_defined_is_not_folded() -> None:
    program = Program(0, (1.0, 0.0, -4.0), ("div", "sqrt"), ((0, 1), (2,)), (3, 4))
    assert fold_constants(program) == program


def test_gradients_get_shorter() -> None:
    x = [Value(0.3), Value(-0.4)]
    y = (x[0] * x[1]).tanh() * ag.exp(x[0] * x[1]) / x[1]
    program = graph_to_program([y, *ag.gradient(y, x)], x)
    shorter = simplified(program)
    assert len(shorter) < len(program)
    point = [v.data for v in x]
    assert run(shorter, point) == run(program, point)
    assert math.isfinite(struct.unpack("<d", run(shorter, point)[0][0])[0])


def test_passes_are_linear_enough_for_a_long_chain() -> None:
    count = 200_000
    program = Program(1, (1.5,), ("mul", "add") * (count // 2),
                      tuple((0 if i == 0 else 1 + i, 1) for i in range(count)), (1 + count,))
    assert simplified(program) == program


def test_a_pass_of_ones_own() -> None:
    """As the README's recipe says: from a program to a program, of which no bit changes."""
    def without_factors_of_one(program: Program) -> Program:
        ones = {program.n_inputs + i for i, x in enumerate(program.constants) if x == 1.0}
        same = {program.first + i: next(x for x in operands if x not in ones)
                for i, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True))
                if op == "mul" and len(ones & set(operands)) == 1}
        operands = tuple(tuple(same.get(x, x) for x in each) for each in program.operands)
        outputs = tuple(same.get(x, x) for x in program.outputs)
        return dead_code(dataclasses.replace(program, operands=operands, outputs=outputs))

    x = Value(0.3)
    program = graph_to_program([(x * 1.0).tanh() * 2.0], [x])
    shorter = without_factors_of_one(program)
    assert shorter.ops == ("tanh", "mul")
    assert [run(shorter, [p]) for p in (0.3, -0.0, math.nan)] == [
        run(program, [p]) for p in (0.3, -0.0, math.nan)]
