"""What is called seldom is computed in Python, with the bits of its later machine code."""

from __future__ import annotations

import math
import pickle
import random
import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from autograd import TABLE, Value, jit, maximum, tanh, value_and_grad
from autograd.compiler.backends import choice
from autograd.compiler.backends.llvm import compilation as llvm
from autograd.compiler.backends.llvm.deferred import MOST, DeferredKernel, calls_before
from autograd.compiler.backends.llvm.evaluation import EvaluatedKernel, is_known
from autograd.compiler.backends.llvm.nary_lowering import CHAINS, EMITTERS
from autograd.compiler.backends.llvm.powers import powers_written_out
from autograd.compiler.program.program import Guard, Program

from ..conformance import bits, operand_lists

ALL = sorted(name for name in (*EMITTERS, *CHAINS) if name in TABLE and name != "logaddexp")
SOME_CALLS = 3


@pytest.fixture(autouse=True)
def deferred(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is for users, but that few calls suffice."""
    monkeypatch.setattr(choice, "WHEN_IT_PAYS", lambda: llvm.compile_when_it_pays)
    monkeypatch.setattr(llvm, "calls_before", lambda length: SOME_CALLS)


def both(program: Program) -> tuple[Any, Any]:
    return EvaluatedKernel(powers_written_out(program, roots=True)), llvm.compile(program)


def assert_same_bits(program: Program, points: list[list[float]]) -> None:
    evaluated, compiled = both(program)
    for point in points:
        ours, theirs = evaluated(np.array(point)), compiled(np.array(point))
        assert list(map(bits, ours[0])) == list(map(bits, theirs[0])), point
        assert ours[2] == theirs[2], point


# --- the same bits --------------------------------------------------------------------------------

@pytest.mark.parametrize("arity", [1, 2, 3, 4])
def test_every_operation_has_the_bits_of_machine_code_at_special_values(arity: int) -> None:
    rows = [TABLE[name] for name in ALL]
    here = [row for row in rows if len(operand_lists(row)[0]) == arity]
    assert here
    program = Program(arity, (), tuple(row.name for row in here),
                      (tuple(range(arity)),) * len(here), tuple(range(arity, arity + len(here))))
    points = {point for row in here for point in operand_lists(row)}
    assert_same_bits(program, [list(point) for point in points])


@pytest.mark.parametrize("arity", [1, 2])
def test_every_operation_has_the_bits_of_machine_code_at_random_numbers(arity: int) -> None:
    names = [name for name in ALL if TABLE[name].arity == arity]
    program = Program(arity, (), tuple(names), (tuple(range(arity)),) * len(names),
                      tuple(range(arity, arity + len(names))))
    rng = np.random.default_rng(arity)
    points = rng.normal(size=(400, arity)) * 10.0 ** rng.integers(-3, 3, (400, 1))
    assert_same_bits(program, points.tolist())


@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
@pytest.mark.parametrize("name", sorted(CHAINS))
def test_operations_of_any_number_of_operands_add_in_the_same_order(name: str, count: int) -> None:
    n = 2 * count if name == "dot" else count
    if not n and name not in ("sum", "prod", "dot", "norm", "logsumexp"):
        return
    program = Program(n, (), (name,), (tuple(range(n)),), (n,))
    assert_same_bits(program, np.random.default_rng(n).normal(size=(20, n)).tolist())


def tangled(seed: int, count: int = 60) -> Program:
    """A random program of all operations, with guards."""
    rng = random.Random(seed)
    constants = (2.0, -1.0, 0.5, rng.uniform(-2.0, 2.0))
    ops, operands = [], []
    for slot in range(7, 7 + count):
        op = rng.choice(ALL)
        arity = TABLE[op].arity
        ops.append(op)
        operands.append(tuple(rng.randrange(slot) for _ in range(4 if arity is None else arity)))
    guards = tuple(Guard(rng.choice(("<", "<=", ">", ">=", "==", "!=")), rng.randrange(7 + count),
                         rng.randrange(7 + count), rng.random() < 0.5) for _ in range(2))
    return Program(3, constants, tuple(ops), tuple(operands), tuple(range(7, 7 + count)), guards)


@pytest.mark.parametrize("seed", range(8))
def test_random_programs_have_the_same_bits_and_guards(seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(30, 3)).tolist()
    assert_same_bits(tangled(seed), points)


def test_loops_have_the_same_bits() -> None:
    ops, operands = [], []
    for i in range(2500):
        ops += ["sin", "mul"]
        operands += [(1 + 2 * i,), (2 + 2 * i, 0)]
    long = Program(2, (), tuple(ops), tuple(operands), (5001, 4000))
    kernel = llvm.compile_when_it_pays(long)
    assert isinstance(kernel, DeferredKernel)
    assert sum(map(len, long.operands)) > llvm.ROLLED
    found = [kernel.point([1.3, 0.7]).tobytes() for _ in range(SOME_CALLS + 2)]
    assert kernel.final is not None
    assert len(set(found)) == 1


# --- when it is compiled --------------------------------------------------------------------------

def test_a_program_is_compiled_at_the_call_that_it_pays_for() -> None:
    kernel = llvm.compile_when_it_pays(tangled(1))
    assert isinstance(kernel, DeferredKernel)
    results = set()
    for call in range(1, SOME_CALLS + 4):
        results.add(tuple(map(bits, kernel(np.array([0.3, -0.7, 1.1]))[0])))
        assert (kernel.final is not None) == (call > SOME_CALLS)
    assert len(results) == 1
    assert isinstance(kernel.final, llvm.Kernel)


def test_what_cannot_be_evaluated_is_compiled_at_once() -> None:
    apart = Program(2, (), ("logaddexp",), ((0, 1),), (2,))
    assert not is_known(apart)
    assert isinstance(llvm.compile_when_it_pays(apart), llvm.Kernel)
    assert isinstance(llvm.compile_when_it_pays(tangled(1), (True,) * 3), llvm.Kernel)


def test_who_asks_for_machine_code_gets_it_at_once() -> None:
    f, g = jit(lambda x: x * x + 1.0, backend="llvm"), jit(lambda x: x * x + 1.0)
    assert f(2.0) == g(2.0) == 5.0
    assert "as machine code from call" not in f.explain()
    assert f"runs on the back end llvm, as machine code from call {SOME_CALLS + 1} on" in (
        g.explain())


def test_longer_programs_are_compiled_after_fewer_calls() -> None:
    counts = [calls_before(length) for length in (0, 1, 30, 100, 1000, 10_000, 30_000)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == MOST
    assert 0 < counts[-1] < 100


class Counting:
    """Makes a kernel; counts how often, and fails as often as it is told to."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures, self.count = list(failures), 0

    def __call__(self) -> Any:
        self.count += 1
        if self.failures:
            raise self.failures.pop()
        return llvm.compile(tangled(1))


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), MemoryError("no room")])
def test_what_stops_the_compiler_reaches_the_caller_and_the_next_call_tries_again(
        failure: BaseException) -> None:
    make = Counting(failure)
    kernel = DeferredKernel(EvaluatedKernel(tangled(1)), make, 1)
    point = [0.3, -0.7, 1.1]
    before = kernel.point(point)
    with pytest.raises(type(failure)):
        kernel.point(point)
    after = kernel.point(point)
    assert make.count == 2
    assert kernel.final is not None
    assert before is after is None or before.tobytes() == after.tobytes()


def test_of_threads_that_come_together_one_compiles_and_none_waits() -> None:
    go_on, is_there = threading.Event(), threading.Event()

    def slowly() -> Any:
        is_there.set()
        assert go_on.wait(30.0)
        return llvm.compile(twice)

    twice = Program(1, (), ("add",), ((0, 0),), (1,))
    kernel = DeferredKernel(EvaluatedKernel(twice), slowly, 0)
    compiling = threading.Thread(target=kernel.point, args=([2.0],))
    compiling.start()
    assert is_there.wait(30.0)
    assert kernel.point([2.0]).tolist() == [4.0]
    assert kernel.final is None
    go_on.set()
    compiling.join()
    assert kernel.final is not None
    assert kernel.point([2.0]).tolist() == [4.0]


# --- compiled functions ---------------------------------------------------------------------------

def chain(x: Any) -> Any:
    total = 0.0
    for a, b in pairwise(x):
        total = total + tanh(a * b) ** 2 + maximum(a, b)
    return total


def calls_of(function: Callable[..., Any], *arguments: Any) -> list[Any]:
    return [function(*arguments) for _ in range(SOME_CALLS + 3)]


def test_a_compiled_function_gives_the_same_bits_before_and_after() -> None:
    x = np.linspace(-1.0, 1.5, 12)
    f = jit(value_and_grad(chain))
    found = calls_of(f, x)
    assert {(value, gradient.tobytes()) for value, gradient in found} == {
        (found[0][0], found[0][1].tobytes())}
    assert found[0][0] == pytest.approx(chain(x.tolist()), rel=1e-14)
    assert f.n_recordings == 1
    assert f(list(x))[0] == found[0][0]


def test_captured_numbers_and_other_branches_are_seen_on_both_sides() -> None:
    w = Value(3.0)

    @jit
    def f(x: Any) -> Any:
        return w * x if x > 0.0 else x * x

    for i in range(2 * SOME_CALLS):
        w.data = float(i)
        assert f(2.0) == 2.0 * i
        assert f(-2) == 4.0
    assert f.n_recordings == 2


def test_a_result_that_is_not_finite_is_the_eager_engines_affair() -> None:
    f = jit(lambda x: 1.0 / x)
    assert f(4.0) == 0.25
    for _ in range(SOME_CALLS + 2):
        with pytest.raises(ZeroDivisionError):
            f(0.0)
    assert f(8) == 0.125


def test_whole_numbers_are_floats_from_the_first_call_on() -> None:
    f = jit(lambda x, y: x * y)
    big = 2 ** 53 + 1
    assert set(calls_of(f, big, 3)) == {float(2 ** 53) * 3.0}
    assert all(type(value) is float for value in calls_of(f, big, 3))


def test_a_deferred_kernel_is_bound_to_its_process() -> None:
    kernel = llvm.compile_when_it_pays(tangled(1))
    with pytest.raises(TypeError, match="memory of this process"):
        pickle.dumps(kernel)
    f = jit(chain)
    assert pickle.loads(pickle.dumps(f))([0.5, math.pi]) == f([0.5, math.pi])


def test_a_point_of_a_wrong_size_is_refused() -> None:
    kernel = llvm.compile_when_it_pays(tangled(1))
    for _ in range(SOME_CALLS + 2):
        with pytest.raises(ValueError, match="takes 3 scalars"):
            kernel(np.zeros(2))


def test_arrays_have_the_same_bits_in_quick_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llvm, "ARRAYS_BEFORE", SOME_CALLS)
    rng = np.random.default_rng(0)
    A = rng.normal(size=(20, 20)).tolist()

    def layers(x: Any) -> Any:
        for _ in range(2):
            x = [tanh(sum((a * b for a, b in zip(row, x, strict=True)), 0.1)) for row in A]
        return sum((a * a for a in x), 0.0)

    f, x = jit(value_and_grad(layers)), rng.normal(size=20)
    found = calls_of(f, x)
    kernel = llvm.compile_when_it_pays(f.program())
    assert isinstance(kernel, DeferredKernel)
    assert isinstance(kernel._first, llvm.Kernel)
    assert {(value, gradient.tobytes()) for value, gradient in found} == {
        (found[0][0], found[0][1].tobytes())}
    assert f"from call {SOME_CALLS + 1} on" in f.explain()
    at_once = jit(value_and_grad(layers), backend="llvm")(x)
    assert at_once[0] == found[0][0]
    assert at_once[1].tobytes() == found[0][1].tobytes()
