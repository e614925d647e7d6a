"""Arrays that are found in linear programs."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.compiler.backends import python
from autograd.compiler.program import array_recognition
from autograd.compiler.program.array_program import Affine, ArrayProgram, Table
from autograd.compiler.program.array_recognition import find_arrays, find_few_arrays
from autograd.compiler.program.program import Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.core.backward import adjoints
from tests.benchmarks.peers import formulas


def assert_same_bits(program: Program, found: ArrayProgram, points: Any) -> None:
    """Assert that the linear form of what was found computes what the program does."""
    expanded = found.expand().validate()
    one, other = python.compile(program), python.compile(expanded)
    for point in points:
        (a, _, holds), (b, _, holds_too) = one(point), other(point)
        assert holds == holds_too
        assert np.array_equal(a, b, equal_nan=True)


def test_random_programs_keep_their_bits() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.given(expressions(n_inputs=3, max_nodes=25))
    def check(expression: Any) -> None:
        inputs = [Value(x) for x in expression.point]
        y = expression.function(*inputs)
        program = graph_to_program([y, *adjoints(y, inputs)], inputs)
        for varies in (None, (True, False, True)):
            found = find_arrays(program, varies)
            assert len(found) <= len(program)
            assert_same_bits(program, found, [np.array(expression.point)])

    check()


def _drawn(seed: int) -> Program:
    """A random program of sums, products and functions, with guards."""
    draw = random.Random(seed)
    inputs = [Value(draw.uniform(0.5, 1.0)) for _ in range(4)]
    nodes: list[Any] = list(inputs)
    for _ in range(80):
        a, b = draw.choice(nodes), draw.choice(nodes[-6:])
        nodes.append(draw.choice([
            lambda a, b: a + b, lambda a, b: a * b, lambda a, b: ag.sum([a, b, a]),
            lambda a, b: ag.sin(b), lambda a, b: b + a * 0.5, lambda a, b: b - 2.0])(a, b))
    y = nodes[-1] + nodes[-2]
    return graph_to_program([y, *adjoints(y, inputs)], inputs, [("<", nodes[30], 2.0, True)])


@pytest.mark.parametrize("free_sums", [False, True])
def test_levels_found_all_at_once_are_those_found_one_by_one(
        free_sums: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        program = _drawn(seed)
        for varies in (None, (True, False, False, True)):
            for most in (len(program), 12):
                found = []
                for wave in (0, 1 << 40):
                    monkeypatch.setattr(array_recognition, "WAVE", wave)
                    found.append(find_few_arrays(program, most, varies, free_sums))
                assert found[0] == found[1]
                if most > 12:
                    assert found[0] is not None
        if not free_sums:
            assert_same_bits(program, find_arrays(program), [np.array([0.5, 0.7, 0.9, 0.6])])


def test_a_chain_of_additions_is_one_from_the_left() -> None:
    x = [Value(float(i)) for i in range(6)]
    chain = x[0] + x[1] + x[2] + x[3]
    program = graph_to_program([x[4] * (chain + x[5]), x[5] + (x[1] + x[2])], x)
    found = find_arrays(program)
    assert sorted(sum(step.lengths) for step in found.steps if step.op == "add") == [0, 0, 5]
    assert found.expand().ops.count("add") == 6
    assert_same_bits(program, found, [np.array([1e16, 1.0, -1e16, 3.0, 5.0, 0.1])])


def layers(sizes: list[int]) -> tuple[Program, int]:
    model = nn.MLP(sizes[0], sizes[1:], activation="relu", seed=0)
    row = [Value(0.1 * i) for i in range(sizes[0])]
    target = [Value(0.5) for _ in range(sizes[-1])]
    out = model(row)
    loss = ag.logsumexp(out) - ag.dot(target, out)
    weights = model.parameters()
    program = graph_to_program([loss, *adjoints(loss, weights)], [*row, *target, *weights])
    return program, len(row) + len(target)


@pytest.mark.parametrize("sizes", [[6, 8, 4], [6, 8, 12, 4], [20, 30, 10]])
def test_a_network_is_a_few_steps_whatever_its_width(sizes: list[int]) -> None:
    program, n_rows = layers(sizes)
    varies = [i < n_rows for i in range(program.n_inputs)]
    found = find_arrays(program, varies, free_sums=True)
    assert len(found) < 35 < len(program)
    gradients = {step.shape for step in found.steps if step.op == "mul" and len(step.shape) == 2}
    assert {(b, a) for a, b in pairwise(sizes)} <= gradients
    weights = [step for step in found.steps if step.op == "dot" and len(step.operands) == 4]
    assert [(step.shape, step.lengths) for step in weights] == [
        ((b,), (a, 1)) for a, b in pairwise(sizes)]
    rng = np.random.default_rng(0)
    assert_same_bits(program, find_arrays(program, varies),
                     rng.normal(size=(3, program.n_inputs)))


def test_free_sums_are_the_same_sums_but_for_rounding() -> None:
    program, _ = layers([6, 8, 4])
    found = find_arrays(program, None, free_sums=True).expand()
    point = np.random.default_rng(0).normal(size=program.n_inputs)
    np.testing.assert_allclose(python.compile(found)(point)[0], python.compile(program)(point)[0],
                               rtol=1e-12)


def test_products_that_another_one_reads_are_no_sum() -> None:
    # v2 + v3 would be a dot, but v3 is an output as well.
    program = Program(2, (), ("mul", "mul", "add", "mul", "mul", "add"),
                      ((0, 1), (0, 0), (2, 3), (1, 1), (0, 1), (5, 6)), (4, 3, 7))
    found = find_arrays(program, None, free_sums=True)
    assert sorted(step.op for step in found.steps) == ["add", "dot", "mul"]
    assert_same_bits(program, found, [np.array([3.0, 5.0])])


# --- patterns -------------------------------------------------------------------------------------

def steps_of(ops: list[str], operands: list[tuple[int, ...]], n_inputs: int) -> Any:
    count = len(ops)
    program = Program(n_inputs, (), tuple(ops), tuple(operands),
                      tuple(range(n_inputs, n_inputs + count)))
    return find_arrays(program).steps


def test_a_slice_a_broadcast_and_a_transpose_are_seen() -> None:
    (step,) = steps_of(["mul"] * 6, [(2 * i, 12) for i in range(6)], 13)
    assert (step.shape, step.operands) == ((6,), (Affine(0, (2,)), Affine(12, (0,))))
    transposed = [(3 * j + i, 12 + 4 * i + j) for i in range(3) for j in range(4)]
    (step,) = steps_of(["mul"] * 12, transposed, 24)
    assert (step.shape, step.operands) == ((3, 4), (Affine(0, (1, 3)), Affine(12, (4, 1))))
    turned = [(3 * j + i, 12 + 4 * i + j) for j in range(4) for i in range(3)]
    (step,) = steps_of(["mul"] * 12, turned, 24)  # the longest axis is the last
    assert (step.shape, step.operands) == ((3, 4), (Affine(0, (1, 3)), Affine(12, (4, 1))))


@pytest.mark.parametrize("shape", [(2, 2), (2, 5), (5, 2), (2, 3, 4), (1, 7)])
def test_products_of_all_pairs_are_seen_however_short_an_axis_is(shape: tuple[int, ...]) -> None:
    starts = np.cumsum([0, *shape])
    pairs = [tuple(int(starts[axis] + i) for axis, i in enumerate(index))
             for index in np.ndindex(*shape)]
    name = "mul" if len(shape) == 2 else "where"
    (step,) = steps_of([name] * len(pairs), pairs, int(starts[-1]))
    assert math.prod(step.shape) == len(pairs)
    assert sorted(step.rows()) == pairs
    assert all(isinstance(slots, Affine) for slots in step.operands)


def test_what_has_no_pattern_is_a_table_and_what_has_stands_apart() -> None:
    loose = [(7, 3), (2, 9), (11, 4)]
    even = [(i, i + 20) for i in range(20)]
    steps = steps_of(["mul"] * 23, [*loose, *even], 40)
    assert [step.size for step in steps] == [3, 20]
    assert isinstance(steps[0].operands[0], Table)
    assert [row for step in steps for row in step.rows()] == [*loose, *even]


def test_patterns_of_pairs_and_of_single_lines_stand_side_by_side() -> None:
    # a pair of lines that comes again at even distances, lines alone, and a run, in one group
    pairs = [(3 * i + j, 40 + i * i) for i in range(1) for j in range(2)]
    again = [(10 * i + 2 * j, 50 + 3 * i + j) for i in range(6) for j in range(2)]
    alone = [(5, 77), (61, 3), (4, 4)]
    steps = steps_of(["mul"] * 20, [*pairs, *again, *alone, (9, 8), (70, 1), (2, 79)], 80)
    assert sorted((step.shape for step in steps), key=len)[-1] == (2, 6)  # the longest axis last
    assert sorted(row for step in steps for row in step.rows()) == sorted(
        [*pairs, *again, *alone, (9, 8), (70, 1), (2, 79)])


def test_more_steps_than_are_wanted_are_none() -> None:
    program, n_rows = layers([6, 8, 4])
    varies = [i < n_rows for i in range(program.n_inputs)]
    found = find_arrays(program, varies, free_sums=True)
    again = find_few_arrays(program, len(found), varies, free_sums=True)
    assert again is not None
    assert str(again) == str(found)
    assert find_few_arrays(program, len(found) - 1, varies, free_sums=True) is None
    chain = Program(1, (), ("neg",) * 50, tuple((i,) for i in range(50)), (50,))
    assert find_few_arrays(chain, 49) is None
    assert len(find_arrays(chain)) == 50
def mixture(n: int) -> tuple[Program, int]:
    """The likelihood of points, each in loops of its own over what all of them need again."""
    k, d = 5, 4
    x = [Value(0.1 * i - 0.4) for i in range(k + k * d + k * d * (d + 1) // 2)]
    points = np.random.default_rng(0).normal(size=(n, d)).tolist()
    y = formulas.mixture(x, points, k, d, ag.exp, ag.logsumexp)
    return graph_to_program([y, *adjoints(y, x)], x), len(x)


def test_instructions_of_several_kinds_in_turn_are_told_apart() -> None:
    """Sorted by an operand each kind has a pattern; and what was computed again is computed once.
    """
    (program, n_inputs), (longer, _) = mixture(40), mixture(80)
    found = find_arrays(program)
    assert len(find_arrays(longer)) == len(found)
    read_anyhow = [step for step in found.steps if step.size >= 40 and not step.lengths
                   and any(isinstance(slots, Table) for slots in step.operands)]
    assert read_anyhow == []
    assert len(found.expand()) < 0.95 * len(program)
    assert_same_bits(program, found, 0.3 * np.random.default_rng(1).normal(size=(3, n_inputs)))


def test_the_text_shows_layers_as_lines() -> None:
    program, n_rows = layers([6, 8, 4])
    found = find_arrays(program, [i < n_rows for i in range(program.n_inputs)], free_sums=True)
    text = str(found)
    assert "8 = dot(x10[7, 1] · x0[0, 1], x16[7, 0] · 1.0)" in text
    assert "8 x 6 = mul(" in text
    assert len(text.splitlines()) == len(found) + len(found.guards) + 2


@pytest.mark.parametrize("program", [
    Program(0, (), (), (), ()), Program(2, (), (), (), (1, 0, 1)),
    Program(1, (2.0,), ("sum",), ((),), (2, 1)), Program(1, (), ("neg",), ((0,),), ())])
def test_small_and_empty_programs(program: Program) -> None:
    found = find_arrays(program)
    assert found.expand().outputs == program.outputs
    assert_same_bits(program, found, [np.ones(program.n_inputs)])
