"""Rows in blocks: the same bits for any number of threads, whatever comes between."""

from __future__ import annotations

import itertools
import math
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd.compiler.vmap as vmap_module
import nn
from autograd import grad, value_and_grad, vmap
from autograd.compiler.program.program import Guard, Program
from tests.compiler.test_processes import busy, outcomes
from tests.interruptions import Interrupted, interrupted_at
from tests.threads import in_threads

pytest.importorskip("llvmlite")

from autograd.compiler.backends.interface import Results
from autograd.compiler.backends.llvm import blocks, team
from autograd.compiler.backends.llvm.compilation import compile, compile_soon
from autograd.compiler.backends.llvm.interpreter import InterpreterWriter
from autograd.compiler.backends.llvm.kernel import Kernel
from autograd.compiler.backends.llvm.target import host

COUNTS = (1, 2, 3, 8)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 rows, for which other threads are woken at once."""
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    monkeypatch.setattr(blocks, "BLOCK", 1)
    monkeypatch.setattr(blocks, "SUMS", 0)
    monkeypatch.setattr(blocks, "WORTH_IT", 0)


def random_program(length: int, seed: int) -> Program:
    """A program of four inputs with a guard that some rows do not keep."""
    rng = random.Random(seed)
    ops, operands = [], []
    for slot in range(5, 5 + length):
        op = rng.choice(("sin", "tanh", "mul", "add", "sub", "maximum"))
        operands.append(tuple(rng.randrange(max(0, slot - 30), slot)
                              for _ in range(1 if op in ("sin", "tanh") else 2)))
        ops.append(op)
    last = 4 + length
    return Program(4, (0.7,), tuple(ops), tuple(operands), (last, last - 1, last - 2, 0),
                   (Guard("<", 1, 4, True),))


ROW = (False, True, True, True)
SUMMED = (True, False, True, False)


def results(kernel: Any, rows: Any, threads: int) -> list[Any]:
    kernel.threads = threads
    return [x.tobytes() for x in kernel(np.array([0.3]), rows)]


def rows_of(n: int) -> Any:
    return np.random.default_rng(n).normal(size=(3, n))


@pytest.mark.parametrize("n", [63, 64, 65, 127, 640, 1000, 3001])
@pytest.mark.parametrize("length", [3, 200, 1500])
def test_the_number_of_threads_changes_no_bit(n: int, length: int) -> None:
    kernel, rows = compile(random_program(length, n), ROW, SUMMED), rows_of(n)
    found = {tuple(results(kernel, rows, threads)) for threads in COUNTS}
    assert len(found) == 1


def test_blocks_have_the_numbers_of_their_rows() -> None:
    program, n = random_program(40, 1), 1_000
    rows = rows_of(n)
    kernel = compile(program, ROW, SUMMED)
    kernel.threads = 3
    sums, out, ok = kernel(np.array([0.3]), rows)
    parts = [kernel(np.array([0.3]), rows[:, i:i + 64]) for i in range(0, n, 64)]
    assert out.tobytes() == np.hstack([part[1] for part in parts]).tobytes()
    assert ok.tobytes() == np.hstack([part[2] for part in parts]).tobytes()
    assert 0 < ok.sum() < n
    each = np.array([part[0] for part in parts])
    for i, total in enumerate(sums):
        assert total == pytest.approx(math.fsum(each[:, i]), rel=1e-12)


def test_compiled_and_interpreted_code_have_the_same_blocks() -> None:
    program, rows = random_program(300, 5), rows_of(1_500)
    machine = host()
    interpreter = Kernel(InterpreterWriter(program, ROW, SUMMED, machine["width"],
                                           machine["vector"]), ROW)
    expected = results(compile(program, ROW, SUMMED), rows, 2)
    assert results(interpreter, rows, 3) == expected


@pytest.mark.parametrize("arranged", [
    lambda x: x, np.asfortranarray, lambda x: x[:, ::-1][:, ::-1], list,
    lambda x: list(np.asfortranarray(x)), lambda x: np.repeat(x, 3, axis=1)[:, ::3],
    lambda x: x.astype(">f8"), lambda x: [[*line] for line in x],
    lambda x: np.frombuffer(b"?" + x.tobytes(), offset=1).reshape(x.shape)],
    ids=["as it is", "transposed", "backwards", "list", "columns", "apart", "other bytes",
         "lists", "not aligned"])
def test_rows_may_lie_anyhow(arranged: Callable[[Any], Any]) -> None:
    kernel, rows = compile(random_program(20, 2), ROW, SUMMED), rows_of(333)
    assert results(kernel, arranged(rows.copy()), 2) == results(kernel, rows, 1)


def test_columns_of_other_lengths_are_refused() -> None:
    kernel, rows = compile(random_program(20, 2), ROW, SUMMED), rows_of(333)
    for wrong in (rows[0, :332], rows[0, :1], rows):
        with pytest.raises(ValueError, match="columns of 333 rows"):
            kernel(np.array([0.3]), [rows[0], wrong, rows[2]])


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("place", [0, 63, 64, 99, 100])
def test_what_is_not_finite_is_told_in_any_block(place: int, number: float) -> None:
    kernel = compile(Program(2, (), ("add",), ((0, 1),), (0, 2)), (True, True), (False, False))
    kernel.threads = 2
    rows = np.random.default_rng(3).normal(size=(2, 101)) * 1e300
    known = kernel(np.empty(0), rows)
    assert isinstance(known, Results) and known.is_finite
    for line in (0, 1):
        other = rows.copy()
        other[line, place] = number
        told = kernel(np.empty(0), other)
        assert isinstance(told, Results) and not told.is_finite


def test_a_row_outside_a_domain_is_named() -> None:
    rows = np.linspace(0.1, 2.0, 2_001)
    logarithm = vmap(lambda x: (x.log(), x * 2.0), backend="llvm", threads=2)
    np.testing.assert_allclose(logarithm(rows)[0], np.log(rows), rtol=1e-14)
    with pytest.raises(ValueError, match="row 2000: "):
        logarithm(np.append(rows[:-1], -1.0))
    assert logarithm(np.append(rows[:-1], math.inf))[1][-1] == math.inf


def test_a_constant_that_is_not_finite_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(vmap_module, "is_defined", lambda *_: seen.append(1) or True)
    mapped = vmap(lambda x: (x, math.inf), backend="llvm", threads=2)
    assert (mapped(np.ones(200))[1] == math.inf).all()
    assert len(seen) == 200


def test_a_limit_holds_also_for_code_that_comes_later() -> None:
    soon = compile_soon(random_program(6_000, 3), ROW, SUMMED)
    soon.threads = 3
    soon.wait()
    assert (soon.threads, soon.kernel.threads) == (3, 3)
    soon.threads = 2
    assert soon.kernel.threads == 2


def test_each_thread_has_a_memory_of_its_own() -> None:
    memories = [np.zeros(1) for _ in range(3)]
    crew = blocks.Crew(blocks.Share(0, 1, 0, 1, 1), 1, np.zeros(9, np.int64), memories)
    assert [crew._own_memory() for _ in range(3)] == [memories[2], memories[1], None]
    assert crew._memory == team.address(memories[0])


def test_how_rows_are_cut_depends_on_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    share = blocks.Share(0, 100, 80, 0, 32)
    assert [share.block(n) for n in (0, 29_999)] == [1, 29_999]  # too little to be cut
    assert [share.block(n) for n in (30_000, 10**7)] == [5_056] * 2  # 500,000 / 100, upwards
    many = share._replace(n_sums=10**6, work=10**7)
    assert [many.block(n) for n in (10, 1_000, 10_000)] == [128, 128, 640]  # memory for sums
    assert share._replace(work=0).threads(10**9, 8) == 1


def test_threads_are_as_many_as_there_are_blocks_and_memory_for() -> None:
    share = blocks.Share(0, 100, 0, 10, 8)
    assert [share.threads(n, 50) for n in (64, 65, 10_000)] == [1, 2, 50]
    for n_memory, expected in ((0, 50), (blocks.MOST_MEMORY // 3, 3), (2**40, 1)):
        assert share._replace(n_memory=n_memory).threads(10_000, 50) == expected


def test_what_has_no_sums_is_cut_for_several_threads_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    without, n = blocks.Share(0, 100, 0, 0, 8), 40_000
    assert [share.needs_cuts(n, threads) for share in (without, without._replace(n_sums=1))
            for threads in (1, 2)] == [False, True, True, True]
    assert not without._replace(n_sums=1).needs_cuts(20_000, 1)
    assert without.needs_cuts(10**7, 1)  # between some blocks Ctrl-C is heard


def test_small_work_wakes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "WORTH_IT", 10**6)
    woken = []
    monkeypatch.setattr(team, "enlist", lambda count, job: woken.append(count))
    kernel = compile(random_program(100, 4), ROW, SUMMED)
    for n in (1_000, 10_000):
        results(kernel, rows_of(n), 4)
    assert woken == [3]


# --- vmap and fit -------------------------------------------------------------------------------

def formula(w: Any, x: Any) -> Any:
    return (w[0] * x[0]).tanh() * x[1].exp() if x[0] > 0.0 else w[1] * x[1].sin()


def outcome(threads: int) -> list[bytes]:
    rows = np.random.default_rng(1).normal(size=(2_000, 2))
    mapped = vmap(formula, (None, 0), backend="llvm", threads=threads)
    values, slopes = value_and_grad(mapped)([0.3, -0.7], rows)
    each = vmap(grad(formula), (None, 0), backend="llvm", threads=threads)([0.3, -0.7], rows)
    return [mapped([0.3, -0.7], rows).tobytes(), values.tobytes(), np.array(slopes).tobytes(),
            np.array(each).tobytes()]


def test_vmap_and_its_derivatives_have_the_bits_of_one_thread() -> None:
    first, *others = map(outcome, COUNTS)
    assert all(other == first for other in others)


def history(threads: int, sizes: list[int], batch_size: int | None) -> tuple[Any, ...]:
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(700, 6)), rng.integers(0, 3, 700)
    model = nn.MLP(6, [*sizes, 3], seed=1)
    found = nn.fit(model, X, y, loss="cross_entropy", optimizer="adam", epochs=3, progress=False,
                   batch_size=batch_size, threads=threads)
    assert found.engine == "llvm"
    return (*found.loss, *found.accuracy, *(p.data for p in model.parameters()))


@pytest.mark.parametrize("batch_size", [None, 300, 32])
@pytest.mark.parametrize("sizes", [[8], [40, 30]])  # straight code, and arrays
def test_a_training_has_the_bits_of_one_thread(sizes: list[int], batch_size: int | None) -> None:
    first, *others = (history(threads, sizes, batch_size) for threads in COUNTS)
    assert all(other == first for other in others)


def test_a_training_in_blocks_is_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    in_blocks = history(2, [8], None)
    monkeypatch.setattr(blocks, "BLOCK", 10**12)
    np.testing.assert_allclose(in_blocks, history(2, [8], None), rtol=1e-9)


def test_rows_that_leave_the_branch_are_seen_in_any_block() -> None:
    def loss(answer: Any, target: Any) -> Any:
        return (answer - target) ** 2 if target < 9.0 else answer * 0.0

    X, y = np.linspace(0.0, 1.0, 400).reshape(-1, 1), np.zeros(400)
    y[333] = 10.0
    found = nn.fit(nn.MLP(1, [2, 1], seed=0), X, y, epochs=2,
                   loss=nn.Loss("own", loss, lambda target, place, outputs: float(target)),
                   progress=False, threads=3)
    assert (found.engine, len(found)) == ("eager", 2)
    assert "another branch" in found.reason


# --- what comes between -------------------------------------------------------------------------

def test_many_threads_call_one_kernel() -> None:
    kernel, rows = compile(random_program(30, 6), ROW, SUMMED), rows_of(2_000)
    expected = results(kernel, rows, 1)
    kernel.threads = 3

    def call() -> set[tuple[bytes, ...]]:
        return {tuple(x.tobytes() for x in kernel(np.array([0.3]), rows)) for _ in range(15)}

    assert in_threads(*[call] * 6) == [{tuple(expected)}] * 6


def test_many_threads_train() -> None:
    expected = history(1, [8], None)
    assert in_threads(*[lambda: history(3, [8], None)] * 3) == [expected] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_child_has_threads_of_its_own() -> None:
    kernel, rows = compile(random_program(30, 7), ROW, SUMMED), rows_of(2_000)
    expected, trained = results(kernel, rows, 3), history(3, [8], None)

    def work() -> bool:
        return (results(kernel, rows, 3), history(3, [8], None)) == (expected, trained)

    with busy(lambda: results(kernel, rows, 3), lambda: history(3, [8], None)):
        assert outcomes(work, 10) == {"right"}


def test_an_interrupted_call_leaves_the_next_one_right() -> None:
    kernel, rows = compile(random_program(300, 8), ROW, SUMMED), rows_of(640)
    expected = results(kernel, rows, 1)
    for step in itertools.count():
        if not interrupted_at(step, lambda: results(kernel, rows[:, ::-1], 3),
                              locking=[Kernel.__call__]):
            break
        assert results(kernel, rows, 3) == expected
    assert step > 20


def test_an_interruption_is_heard_between_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "INTERRUPTIBLE", 1)  # one block in each call of machine code
    kernel, rows = compile(random_program(300, 9), ROW, SUMMED), rows_of(6_400)
    functions = team.functions()
    calls = itertools.count()

    def work(*arguments: Any) -> Any:
        if next(calls) == 10:
            raise Interrupted
        return functions.work(*arguments)

    expected = results(kernel, rows, 1)
    calls = itertools.count()
    monkeypatch.setattr(team, "functions", lambda: functions._replace(work=work))
    with pytest.raises(Interrupted):
        results(kernel, rows, 1)
    assert results(kernel, rows, 2) == expected


def test_who_comes_too_late_finds_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[Callable[[], None]] = []
    monkeypatch.setattr(team, "enlist", lambda count, job: late.extend([job] * count))
    expected = history(1, [8], None)
    kernel, rows = compile(random_program(30, 10), ROW, SUMMED), rows_of(1_000)
    found = results(kernel, rows, 3)
    assert history(3, [8], None) == expected
    assert len(late) >= 4
    for job in late:
        job()
    assert results(kernel, rows, 1) == found


def test_others_help_in_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller holds still until the others have drawn all tickets."""
    kernel, rows = compile(random_program(30, 11), ROW, SUMMED), rows_of(2_000)
    expected = results(kernel, rows, 1)
    functions, me = team.functions(), threading.get_ident()

    def work(address: int, *rest: Any) -> Any:
        words = current[-1].words
        deadline = time.monotonic() + 60.0
        while threading.get_ident() == me and words[team.TICKETS] > 0:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return functions.work(address, *rest)

    current: list[Any] = []
    begin = blocks.Crew.run
    monkeypatch.setattr(blocks.Crew, "run", lambda crew: (current.append(crew), begin(crew))[1])
    monkeypatch.setattr(team, "functions", lambda: functions._replace(work=work))
    assert results(kernel, rows, 2) == expected
    assert len(current) == 1
