"""Re-rolling: loops found in straight programs, and the bits of loops and of the interpreter."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")
pytest.importorskip("hypothesis")

import hypothesis
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.compiler.backends.llvm import compilation as llvm
from autograd.compiler.backends.llvm import loop_codegen as looping
from autograd.compiler.backends.llvm.interpreter import InterpreterWriter, instructions
from autograd.compiler.backends.llvm.loop_codegen import RolledWriter
from autograd.compiler.backends.llvm.nary_lowering import STEPS, lowered
from autograd.compiler.backends.llvm.ops import EMITTERS
from autograd.compiler.backends.llvm.powers import powers_written_out
from autograd.compiler.program import loop_rerolling as rolling
from autograd.compiler.program.loop_rerolling import Block, Loop, Rolled, Straight, Tape, roll
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.core.backward import adjoints

WRITERS = [RolledWriter, InterpreterWriter]


# --- programs -----------------------------------------------------------------------------------

def recorded(output: Any, inputs: Sequence[Value]) -> Program:
    return graph_to_program([output, *adjoints(output, inputs)], inputs)


def pendulum(steps: int, dt: float = 0.01) -> Program:
    """A damped pendulum by the classical Runge-Kutta method, and the gradient of its last angle."""
    inputs = [Value(x) for x in (1.0, 0.1, 2.0, 0.1)]
    angle, speed, k, c = inputs

    def slope(angle: Any, speed: Any) -> tuple[Any, Any]:
        return speed, -k * angle.sin() - c * speed

    for _ in range(steps):
        a1, b1 = slope(angle, speed)
        a2, b2 = slope(angle + dt / 2 * a1, speed + dt / 2 * b1)
        a3, b3 = slope(angle + dt / 2 * a2, speed + dt / 2 * b2)
        a4, b4 = slope(angle + dt * a3, speed + dt * b3)
        angle = angle + dt / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        speed = speed + dt / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
    return recorded(angle, inputs)


def rosenbrock(n: int) -> Program:
    x = [Value(0.1 * i) for i in range(n)]
    return recorded(sum(100 * (b - a**2)**2 + (1 - a)**2
                        for a, b in pairwise(x)), x)


def grid(rows: int, columns: int) -> Program:
    """The energy of a membrane: differences of neighbours, by two loops in each other."""
    u = [[Value(float(i * j % 5)) for j in range(columns)] for i in range(rows)]
    energy: Any = 0.0
    for i in range(rows - 1):
        for j in range(columns - 1):
            energy = energy + (u[i + 1][j] - u[i][j])**2 + (u[i][j + 1] - u[i][j])**2
    return recorded(energy, [v for row in u for v in row])


def recurrent(steps: int, size: int = 4) -> Program:
    """A recurrent network unrolled in time."""
    r = random.Random(0)
    weights = [[Value(r.gauss(0.0, 0.5)) for _ in range(size)] for _ in range(size)]
    scales = [Value(r.gauss(0.0, 1.0)) for _ in range(size)]
    x = [Value(r.gauss(0.0, 1.0)) for _ in range(steps)]
    state = start = [Value(0.0) for _ in range(size)]
    for t in range(steps):
        state = [(ag.dot(weights[i], state) + scales[i] * x[t]).tanh() for i in range(size)]
    return recorded(sum(v * v for v in state), [*chain(*weights), *scales, *x, *start])


def perceptron(sizes: Sequence[int] = (40, 8, 3)) -> Program:
    """Layers of neurons, whose dot products are wide."""
    r = random.Random(0)
    values = x = [Value(r.random()) for _ in range(sizes[0])]
    weights: list[Value] = []
    for size, count in pairwise(sizes):
        layer = [[Value(r.gauss(0.0, 0.3)) for _ in range(size)] for _ in range(count)]
        values = [ag.dot(neuron, values).tanh() for neuron in layer]
        weights += chain(*layer)
    return recorded(ag.logsumexp(values) - values[0], [*x, *weights])


def fit_of_data(n: int) -> Program:
    """Squared errors of a line: the data are constants, and many of them are equal."""
    r = random.Random(0)
    data = [(r.choice([0.25, 0.5, 1.5]), r.choice([-1.0, 1.0])) for _ in range(n)]
    w, b = Value(0.5), Value(-0.25)
    return recorded(sum((w * x + b - y)**2 for x, y in data), [w, b])


def irregular(n: int, seed: int = 0) -> Program:
    r = random.Random(seed)
    inputs = [Value(r.random()) for _ in range(10)]
    nodes: list[Any] = list(inputs)
    for _ in range(n):
        a, b = r.choice(nodes[-50:]), r.choice(nodes[-50:])
        nodes.append(r.choice([a + b, a * b, a - b, a.sin(), a.tanh()]))
    return recorded(ag.sum(nodes[-30:]).tanh(), inputs)


PROGRAMS: dict[str, Callable[[], Program]] = {
    "pendulum": lambda: pendulum(30), "rosenbrock": lambda: rosenbrock(60),
    "grid": lambda: grid(8, 9), "grid with nested loops": lambda: grid(7, 150),
    "recurrent": lambda: recurrent(12), "perceptron": perceptron,
    "data": lambda: fit_of_data(80), "irregular": lambda: irregular(200),
    "no instruction": lambda: Program(1, (2.0,), (), (), (0, 1)),
    "nothing": lambda: Program(0, (), (), (), ()),
}


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Program:
    return PROGRAMS[request.param]()


# --- the analysis -------------------------------------------------------------------------------

def rolled(program: Program) -> Rolled:
    return roll(Tape.of(program))


def assert_expands(found: Rolled) -> None:
    """The loops, written out, are the program again, and cover each instruction once."""
    again, tape = found.expand(), found.tape
    assert np.array_equal(again.tokens, tape.tokens)
    assert np.array_equal(again.offsets, tape.offsets)
    assert np.array_equal(again.operands, tape.operands)
    assert_covers(found.blocks, 0, len(tape))


def assert_covers(blocks: Sequence[Block], start: int, stop: int) -> None:
    for block in blocks:
        assert block.start == start
        if isinstance(block, Loop):
            assert_covers(block.body, start, start + block.period)
        start = block.stop
    assert start == stop


def loops(blocks: Sequence[Block]) -> list[Loop]:
    return [block for block in blocks if isinstance(block, Loop)]


def test_loops_written_out_are_the_program_again(program: Program) -> None:
    assert_expands(rolled(program))


def test_a_tape_holds_the_program() -> None:
    program = dataclasses.replace(perceptron(), guards=(Guard("<", 0, 50, True),))
    tape = Tape.of(program, (True,) + (False,) * (len(program.outputs) - 1))
    ops = [tape.kinds[token] for token in tape.tokens]
    slots = [tuple(tape.operands[a:b].tolist())
             for a, b in pairwise(tape.offsets)]
    moved = {slot: slot + (slot > program.outputs[0]) for slot in range(program.n_slots)}
    n = program.outputs[0] - program.first + 1  # the sum follows what it adds up
    assert ops[n] == ("summed output", 2)
    assert slots.pop(n) == (program.outputs[0], -1)
    ops.pop(n)
    n = len(program)
    assert [op for op, _ in ops[:n]] == list(program.ops)
    assert slots[:n] == [tuple(moved[x] for x in operands) for operands in program.operands]
    rest = program.outputs[1:]
    assert ops[n:] == [*[("output", 2)] * len(rest), ("guard < True", 2)]
    assert slots[n:-1] == [(moved[slot], ~place) for place, slot in enumerate(rest)]
    assert slots[-1] == (0, moved[50])


def test_the_code_of_a_time_integration_does_not_grow_with_its_steps() -> None:
    sizes = [rolled(pendulum(steps)).code_size for steps in (60, 120, 200)]
    assert sizes[0] == sizes[1] == sizes[2]
    assert sizes[0] < 12 * 46  # a few steps: of a step there are 46 instructions before gradients


def test_a_sum_over_a_list_is_one_loop() -> None:
    x = [Value(float(i)) for i in range(500)]
    found = rolled(recorded(sum(v * v for v in x), x))
    assert [loop.period for loop in loops(found.blocks)] == [2, 1, 1]  # sum, gradient, outputs
    assert found.code_size < 10


def test_loops_in_loops_are_found() -> None:
    found = rolled(grid(7, 300))
    outer = loops(found.blocks)[0]
    assert outer.count in (5, 6)
    inner = loops(outer.body)[0]
    assert inner.period == 6
    assert inner.count in (298, 299)
    assert found.code_size < len(found.tape) // 5


def test_constants_that_are_equal_now_and_then_do_not_break_a_loop() -> None:
    found = rolled(fit_of_data(200))
    assert found.code_size < len(found.tape) // 10
    assert found.data.size >= 2 * 190
    assert_expands(found)


def test_a_wide_operation_becomes_a_loop() -> None:
    program = lowered(perceptron(), 4)
    found = rolled(program)
    assert max(map(len, program.operands)) <= 4
    assert found.code_size < len(program) // 3


def test_two_iterations_are_no_loop() -> None:
    ops = ("sin", "cos", "tanh", "exp") * 20
    program = Program(1, (), ops * 2, tuple((i,) for i in range(160)), (160,))
    assert all(loop.count > 2 for loop in loops(rolled(program).blocks))
    single = pendulum(1)
    assert_expands(rolled(single))


def chain_of(ops: Sequence[str]) -> Program:
    return Program(1, (), tuple(ops), tuple((i,) for i in range(len(ops))), (len(ops),))


def test_runs_that_share_instructions_do_not_overlap() -> None:
    # "sin cos" repeats up to where "sin cos exp" begins to: both would like the border.
    found = rolled(chain_of(["sin", "cos"] * 60 + ["sin", "cos", "exp"] * 60 + ["exp"] * 70))
    assert_expands(found)
    assert sorted(loop.period for loop in loops(found.blocks)) == [1, 2, 3]
    assert found.code_size < 20


def test_a_break_in_the_middle_is_left_straight() -> None:
    ops = ["sin", "cos", "exp"] * 100
    ops[151] = "tanh"
    found = rolled(chain_of(ops))
    assert_expands(found)
    assert [loop.count for loop in loops(found.blocks)] == [50, 49]


def test_an_operand_that_breaks_the_stride_breaks_the_loop() -> None:
    operands = [(i, 0) for i in range(200)]
    operands[100] = (7, 0)
    found = rolled(Program(1, (), ("add",) * 200, tuple(operands), (200,)))
    assert_expands(found)
    assert len(loops(found.blocks)) == 2


def test_what_only_hashes_take_for_a_loop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    program = irregular(400)
    monkeypatch.setattr(rolling, "_MIX", np.uint64(0))  # all ops look the same

    def blind(self: Any, start: int, stop: int, numbers: Any) -> Any:
        return np.zeros(stop - start, np.uint64)  # and all operands

    monkeypatch.setattr(rolling._Search, "_linear", blind)
    found = rolled(program)
    assert_expands(found)
    assert [block for block in found.blocks if isinstance(block, Straight)]


def test_an_inner_loop_has_the_same_strides_in_all_rounds_of_the_outer() -> None:
    tape = Tape.of(Program(30, (), ("sin",) * 10, tuple((i,) for i in range(10)), ()))
    search = rolling._Search(tape)
    for advance, is_loop in ((np.full(10, 10), True), (np.arange(10), False)):
        region = search.region(0, 10, (advance,))
        assert (search._loop(region, 0, 1, 10) is not None) == is_loop


def test_the_check_of_an_expansion_sees_a_wrong_stride() -> None:
    found = rolled(pendulum(30))
    loops(found.blocks)[0].strides[0] += 1
    with pytest.raises(AssertionError):
        assert_expands(found)


# --- machine code -------------------------------------------------------------------------------

def kernel(writer: Any, program: Program, rows: tuple[bool, ...] | None = None,
           sums: tuple[bool, ...] | None = None) -> llvm.Kernel:
    """A program compiled by a writer, whatever its size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llvm, "_writer", lambda program, rows, sums, width, vector, *_: writer(
            powers_written_out(program, roots=False), rows, sums, width, vector))
        return llvm.compile(program, rows, sums)


def straight(program: Program, rows: tuple[bool, ...] | None = None,
             sums: tuple[bool, ...] | None = None) -> llvm.Kernel:
    return llvm.compile(program, rows, sums, chunk=300)


def assert_same_bits(one: Any, other: Any) -> None:
    """Equal numbers with equal signs; nan is nan, whatever its bits."""
    one, other = np.asarray(one, float), np.asarray(other, float)
    assert one.shape == other.shape
    assert np.array_equal(one, other, equal_nan=True)
    there = ~np.isnan(one)
    assert np.array_equal(np.signbit(one[there]), np.signbit(other[there]))


def with_guards(program: Program) -> Program:
    """The program with a row of comparisons of its numbers."""
    first, n = program.first, len(program)
    guards = tuple(Guard(("<", ">=", "!=")[i % 3], first + i, first + (7 * i + 3) % n,
                         bool(i % 2)) for i in range(0, n, 1 + n // 40))
    return dataclasses.replace(program, guards=guards)


@pytest.mark.parametrize("writer", WRITERS)
def test_one_point_has_the_bits_of_straight_code(writer: Any, program: Program) -> None:
    point = np.random.default_rng(0).normal(size=program.n_inputs)
    found, expected = kernel(writer, program)(point), straight(program)(point)
    assert_same_bits(found[0], expected[0])
    assert found[2] is expected[2] is True


@pytest.mark.parametrize("registers", [2, 4])
@pytest.mark.parametrize("n", [1, 8, 11, 33, 70])
def test_several_registers_of_rows_at_once_change_sums_alone(registers: int, n: int) -> None:
    program = with_guards(perceptron())
    inputs = program.n_inputs
    rows = tuple(i < inputs // 2 for i in range(inputs))
    sums = tuple(i % 3 == 0 for i in range(len(program.outputs)))
    numbers = np.random.default_rng(0).normal(size=(inputs, n))
    arguments = (numbers[inputs // 2:, 0], numbers[:inputs // 2])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llvm, "_writer", lambda program, rows, sums, width, vector, *_: RolledWriter(
            program, rows, sums, width, vector, registers))
        found = llvm.compile(program, rows, sums)(*arguments)
    expected = straight(program, rows, sums)(*arguments)
    assert_same_bits(found[1], expected[1])
    assert np.array_equal(found[2], expected[2])
    assert found[0] == pytest.approx(expected[0], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", ["pendulum", "grid", "perceptron", "data", "irregular"])
def test_rows_sums_and_guards_have_the_bits_of_straight_code(writer: Any, name: str) -> None:
    program = with_guards(PROGRAMS[name]())
    r = random.Random(name)
    inputs = program.n_inputs
    # Rows and scalars in two blocks, and as they come.
    for rows in (tuple(i < inputs // 2 for i in range(inputs)),
                 tuple(r.random() < 0.5 for _ in range(inputs))):
        sums = tuple(r.random() < 0.5 for _ in program.outputs)
        numbers = np.random.default_rng(0).normal(size=(inputs, 11))
        is_row = np.array(rows)
        arguments = (numbers[~is_row, 0], numbers[is_row])
        found = kernel(writer, program, rows, sums)(*arguments)
        expected = straight(program, rows, sums)(*arguments)
        for one, other in zip(found, expected, strict=True):
            assert_same_bits(one, other)


@pytest.mark.parametrize("writer", WRITERS)
def test_guards_are_met_and_missed(writer: Any) -> None:
    count = 90
    program = Program(count, (0.5,), (), (), (0,),
                      tuple(Guard("<", i, count, True) for i in range(count)))
    compiled = kernel(writer, program)
    assert compiled(np.zeros(count))[2] is True
    for wrong in (0, 44, count - 1):
        point = np.zeros(count)
        point[wrong] = 1.0
        assert compiled(point)[2] is False
        assert compiled(np.zeros(count))[2] is True  # not remembered


@pytest.mark.parametrize("writer", WRITERS)
def test_the_pendulum_agrees_with_the_eager_engine(writer: Any) -> None:
    inputs = [Value(x) for x in (0.7, -0.2, 1.5, 0.3)]
    program = pendulum(50)
    found = kernel(writer, program)(np.array([x.data for x in inputs]))[0]
    angle, speed, k, c = inputs
    step = 0.01
    for _ in range(50):
        slopes = [(speed, -k * angle.sin() - c * speed)]
        for share in (0.5, 0.5, 1.0):
            a = angle + share * step * slopes[-1][0]
            b = speed + share * step * slopes[-1][1]
            slopes.append((b, -k * a.sin() - c * b))
        angle = angle + step / 6 * (slopes[0][0] + 2 * slopes[1][0] + 2 * slopes[2][0]
                                    + slopes[3][0])
        speed = speed + step / 6 * (slopes[0][1] + 2 * slopes[1][1] + 2 * slopes[2][1]
                                    + slopes[3][1])
    angle.backward()
    assert found == pytest.approx([angle.data, *(x.grad for x in inputs)], rel=1e-11)


SPECIAL = [0.0, -0.0, 5e-324, 0.3, -0.7, 1.0, -1.0, 2.5, -41.5, 710.0, 1e200, -1e200, math.inf,
           -math.inf, math.nan]


@pytest.mark.parametrize("kind", [kind for kind in instructions()
                                  if kind[0] in EMITTERS], ids=lambda kind: f"{kind[0]}/{kind[1]}")
def test_the_interpreter_does_each_operation_as_compiled_code(kind: tuple[str, int]) -> None:
    op, arity = kind
    program = Program(arity, (), (op,), (tuple(range(arity)),), (arity,))
    rng = np.random.default_rng(0)
    points = rng.choice(SPECIAL, size=(max(arity, 1), 200))[:arity]
    one, other = kernel(InterpreterWriter, program), straight(program)
    for point in points.T[:40]:
        assert_same_bits(one(point)[0], other(point)[0])
    if arity:
        rows = (True,) * arity
        assert_same_bits(kernel(InterpreterWriter, program, rows)(np.empty(0), points)[1],
                         straight(program, rows)(np.empty(0), points)[1])


@pytest.mark.parametrize("op", ["sum", "prod", "dot", "norm", "logsumexp"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_wide_operation_in_steps_has_the_same_bits(writer: Any, op: str) -> None:
    count = 80
    program = Program(count, (), (op,), (tuple(range(count)),), (count,))
    rng = np.random.default_rng(0)
    points = [rng.normal(size=count), np.zeros(count), np.full(count, 1e200)]
    for special in (math.inf, -math.inf, math.nan):
        points.append(rng.normal(size=count))
        points[-1][7] = special
    points.append(points[-1].copy())
    points[-1][50] = math.inf  # beside nan
    one, other = kernel(writer, program), straight(program)
    for point in points:
        assert_same_bits(one(point)[0], other(point)[0])


def test_steps_are_known_to_the_interpreter() -> None:
    assert set(STEPS) <= {name for name, _ in instructions()}


def test_each_program_gets_the_writer_that_suits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(program: Program, chunk: int | None = None) -> type:
        return type(llvm._writer(program, None, (False,) * len(program.outputs), 1, {}, chunk, 1))

    assert chosen(pendulum(2)) is llvm.Writer
    assert chosen(pendulum(60)) is RolledWriter
    assert chosen(pendulum(60), chunk=100) is llvm.Writer
    assert chosen(irregular(2000)) is RolledWriter
    monkeypatch.setattr(llvm, "MOST_CODE", 1000)
    assert chosen(irregular(2000)) is InterpreterWriter
    assert chosen(pendulum(60)) is RolledWriter


# --- random nests of loops ----------------------------------------------------------------------

ARITY = {"sin": 1, "neg": 1, "add": 2, "sub": 2, "maximum": 2, "where": 3, "sum": 4}
CONSTANTS = (0.5, -1.25)
Item = Any  # the name of an op, or (count, items) for a loop
Place = tuple[int, tuple[int, ...]]  # the first slot, and its strides by the loops around it


def size(items: Sequence[Item]) -> int:
    return sum(1 if isinstance(item, str) else item[0] * size(item[1]) for item in items)


class _Nest:
    """Lays random loops out, with operands that advance by random strides.

    Args:
        n_inputs: the number of inputs.
        choose: (what reads, loops around it) -> a place that may be read from it or not.
    """

    def __init__(self, n_inputs: int, choose: Callable[[int, Sequence[Loop]], Place]) -> None:
        self.n_inputs, self.first = n_inputs, n_inputs + len(CONSTANTS)
        self.choose = choose
        self.places: dict[int, list[Place]] = {}  # what each first iteration reads
        self.ops: dict[int, str] = {}

    def blocks(self, items: Sequence[Item], start: int, around: tuple[Loop, ...]) -> list[Block]:
        blocks: list[Block] = []
        for item in items:
            if isinstance(item, str):
                self.ops[start] = item
                self.places[start] = [self._readable(start, around) for _ in range(ARITY[item])]
                blocks.append(Straight(start, start + 1))
                start += 1
            else:
                count, body = item
                bare = Loop(start, size(body), count, np.empty(0), ())
                inner = self.blocks(body, start, (*around, bare))
                blocks.append(dataclasses.replace(bare, body=tuple(inner)))
                start = bare.stop
        return blocks

    def _readable(self, i: int, around: Sequence[Loop]) -> Place:
        """A place that is written before instruction i reads it, in all iterations."""
        slot, strides = self.choose(self.first + i, around)
        for tried in ((slot, strides), (slot, (0,) * len(around))):
            if self._is_written(i, *tried, around):
                return tried
        return 0, (0,) * len(around)

    def _is_written(self, i: int, slot: int, strides: Sequence[int],
                    around: Sequence[Loop]) -> bool:
        reading, read = np.array(self.first + i), np.array(slot)
        for stride, loop in zip(strides, around, strict=True):
            reading = reading[..., None] + loop.period * np.arange(loop.count)
            read = read[..., None] + stride * np.arange(loop.count)
        constant = (read >= self.n_inputs) & (read < self.first)
        return bool((read >= 0).all() and (read < reading).all()
                    and not (constant.any() and any(strides)))

    def unrolled(self, blocks: Sequence[Block], counts: tuple[int, ...] = ()) -> Any:
        """All instructions, as (op, operands)."""
        for block in blocks:
            if isinstance(block, Loop):
                for k in range(block.count):
                    yield from self.unrolled(block.body, (*counts, k))
            else:
                yield self.ops[block.start], tuple(
                    slot + sum(stride * k for stride, k in zip(strides, counts, strict=True))
                    for slot, strides in self.places[block.start])

    def program(self, blocks: list[Block]) -> tuple[Program, Rolled]:
        """The unrolled program, which returns its last results, and its loops."""
        instructions = list(self.unrolled(blocks))
        n = len(instructions)
        outputs = tuple(range(self.first, self.first + n))[-60:]
        program = Program(self.n_inputs, CONSTANTS, tuple(op for op, _ in instructions),
                          tuple(operands for _, operands in instructions), outputs).validate()
        return program, self.rolled(Tape.of(program), [*blocks, Straight(n, n + len(outputs))])

    def rolled(self, tape: Tape, blocks: Sequence[Block]) -> Rolled:
        return Rolled(tape, tuple(self._with_strides(tape, block, 0) for block in blocks),
                      tape.operands, np.empty(0, np.int64))

    def _with_strides(self, tape: Tape, block: Block, level: int) -> Block:
        if isinstance(block, Straight):
            return block
        strides = np.zeros(tape.offsets[block.start + block.period]
                           - tape.offsets[block.start], np.int64)
        for i in range(block.start, block.start + block.period):
            place = tape.offsets[i] - tape.offsets[block.start]
            for j, (_, by_level) in enumerate(self.places.get(i, ())):
                strides[place + j] = by_level[level]
        body = tuple(self._with_strides(tape, inner, level + 1) for inner in block.body)
        return dataclasses.replace(block, strides=strides, body=body)


def assert_nest_is_right(items: Sequence[Item], places: Sequence[Place]) -> None:
    """Compile loops as they are given; places are what each operand reads, in order."""
    given = iter(places)
    nest = _Nest(2, lambda here, around: next(given))
    blocks = nest.blocks(items, 0, ())
    assert [place for i in sorted(nest.places) for place in nest.places[i]] == list(places)
    program, known = nest.program(blocks)
    point = np.array([0.3, -0.7])
    expected = straight(program)(point)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looping, "roll", lambda tape: known)
        assert_same_bits(kernel(RolledWriter, program)(point)[0], expected)


# In these nests the inputs have the slots 0 and 1, the constants 2 and 3, the first "sin" slot 4.

def test_a_loop_reads_what_the_loop_beside_it_wrote_not_its_last_number() -> None:
    assert_nest_is_right(["sin", (4, [(4, ["sin"]), (4, ["neg"])])],
                         [(0, ()), (4, (8, 1)), (5, (8, 1))])


def test_what_stands_still_in_a_loop_may_be_written_by_its_first_iteration() -> None:
    assert_nest_is_right(["sin", (5, ["neg", "sub"])],
                         [(0, ()), (4, (2,)), (5, (2,)), (5, (0,))])


def test_what_stands_still_in_a_loop_may_be_written_by_it_in_later_rounds() -> None:
    # A round has 13 instructions; the last operand advances by 14 and catches the inner loop up.
    assert_nest_is_right(["sin", (4, ["neg", (4, ["sin", "sub", "add"])])],
                         [(0, ()), (4, (13,)), (5, (13, 3)), (6, (13, 3)), (5, (13, 0)),
                          (7, (13, 3)), (4, (14, 0))])


_OPS = st.sampled_from(sorted(ARITY))
_INNERMOST = st.tuples(st.integers(3, 9), st.lists(_OPS, min_size=1, max_size=4))
_MIDDLE = st.tuples(st.integers(3, 6), st.lists(st.one_of(_OPS, _OPS, _INNERMOST), min_size=1,
                                               max_size=4))
_OUTER = st.tuples(st.integers(3, 5), st.lists(st.one_of(_OPS, _OPS, _MIDDLE), min_size=1,
                                              max_size=4))


@st.composite
def nests(draw: Any) -> tuple[Program, Rolled]:
    """A program that was unrolled from loops, and these loops."""

    def choose(here: int, around: Sequence[Loop]) -> Place:
        slot = draw(st.one_of(st.integers(0, here - 1), st.integers(max(0, here - 12), here - 1)))
        strides = []
        for loop in around:
            period = loop.period
            usual = st.sampled_from([0, period, period, period])
            strides.append(draw(st.one_of(usual, usual, st.sampled_from(
                [-period, 1, -1, period + 1, 2 * period, 2]))))
        return slot, tuple(strides)

    items = draw(st.lists(st.one_of(_OPS, _OUTER, _MIDDLE), min_size=1, max_size=4))
    nest = _Nest(draw(st.integers(1, 6)), choose)
    return nest.program(nest.blocks(items, 0, ()))


@pytest.fixture
def eager_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the smallest loops, and for loops in the smallest bodies."""
    monkeypatch.setattr(rolling, "LEAST_SAVING", 4)
    monkeypatch.setattr(rolling, "LARGE_BODY", 6)


def settings(examples: int) -> Any:
    return hypothesis.settings(max_examples=examples, deadline=None, suppress_health_check=[
        hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large])


@pytest.mark.usefixtures("eager_search")
@settings(150)
@hypothesis.given(nests())
def test_random_loops_written_out_are_the_program_again(nest: tuple[Program, Rolled]) -> None:
    program, known = nest
    assert_expands(known)
    assert_expands(rolled(program))


@pytest.mark.usefixtures("eager_search")
@settings(40)
@hypothesis.given(nests())
def test_random_loops_have_the_bits_of_straight_code(nest: tuple[Program, Rolled]) -> None:
    program, known = nest
    point = np.linspace(-0.9, 1.1, program.n_inputs)
    expected = straight(program)(point)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(looping, "roll", lambda tape: known)
        assert_same_bits(kernel(RolledWriter, program)(point)[0], expected)
    for writer in WRITERS:
        assert_same_bits(kernel(writer, program)(point)[0], expected)
