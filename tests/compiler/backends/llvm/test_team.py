"""Steps of large programs in pieces: the same bits for any number of threads and any pieces."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd.compiler.program.program import Program
from tests.compiler.test_processes import busy, outcomes
from tests.interruptions import interrupted_at
from tests.threads import in_threads

pytest.importorskip("llvmlite")

from autograd.compiler.backends.llvm import array_codegen, team, training_loop
from autograd.compiler.backends.llvm import training_loop_codegen as loop_code
from autograd.compiler.backends.llvm.compilation import compile
from autograd.compiler.backends.llvm.emitter import KERNEL_WORDS
from autograd.compiler.backends.llvm.kernel import _Buffers

COUNTS = (1, 2, 3, 4, 7)
Sizes = tuple[int, ...]


@pytest.fixture(autouse=True)
def all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever can be cut is cut, as often as it can be."""
    cut(monkeypatch, 1, 5, 64, 8)


def cut(monkeypatch: pytest.MonkeyPatch, piece: int, in_cache: int, moved: int,
        gathered: int) -> None:
    monkeypatch.setattr(array_codegen, "PIECE", piece)
    monkeypatch.setattr(array_codegen, "IN_CACHE", in_cache)
    monkeypatch.setattr(training_loop, "MOVED", moved)
    monkeypatch.setattr(loop_code, "MOVED", moved)
    monkeypatch.setattr(loop_code, "GATHERED", gathered)
    monkeypatch.setattr(training_loop, "_FUNCTIONS", {})


def history(threads: int | None, sizes: Sizes, batch_size: int | None, rows: int = 97,
            **options: Any) -> tuple[Any, ...]:
    """What a training leaves: its losses, its answers' accuracy, and all parameters."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(rows, sizes[0])), rng.integers(0, sizes[-1], rows)
    model = nn.MLP(sizes[0], sizes[1:], seed=1)
    found = nn.fit(model, X, y, loss="cross_entropy", optimizer="adam", epochs=2, l2=1e-3,
                   progress=False, batch_size=batch_size, threads=threads, **options)
    assert found.engine == "llvm"
    return (*found.loss, *found.accuracy, *(p.data for p in model.parameters()))


@pytest.mark.parametrize("batch_size", [None, 32, 31, 7])
@pytest.mark.parametrize("sizes", [(41, 23, 5), (67, 33, 18, 3), (9, 64, 4)])
def test_a_training_has_the_bits_of_one_thread(sizes: Sizes, batch_size: int | None,
                                               small_pieces: None) -> None:
    first, *others = (history(threads, sizes, batch_size) for threads in COUNTS)
    assert all(other == first for other in others)


def test_so_has_one_of_pieces_of_their_usual_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_codegen, "PIECE", 50_000)
    first, *others = (history(threads, (240, 60, 3), 32, 32) for threads in COUNTS)
    assert all(other == first for other in others)


def test_pieces_and_stretches_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the penalty, a sum over the parameters, is rounded block by block."""
    found = []
    for pieces in ((10**12, 10**6, 10**6, 64), (1, 5, 10**6, 8), (40_000, 16, 10**6, 3)):
        cut(monkeypatch, *pieces)
        found.append(history(3, (67, 33, 18, 3), 31))
    assert found[1:] == found[:1] * 2
    cut(monkeypatch, 1, 5, 64, 8)
    np.testing.assert_allclose(history(3, (67, 33, 18, 3), 31), found[0], rtol=1e-12)


class Call:
    """A kernel with its rows, and what it computes; a call may be shared out."""

    def __init__(self) -> None:
        program, n_rows = layer(50, 40)
        self.kernel = compile(program, [True] * n_rows + [False] * (program.n_inputs - n_rows),
                              [False] * 40)
        rng = np.random.default_rng(0)
        scalars, rows = rng.normal(size=self.kernel.n_scalars), rng.normal(size=(n_rows, 32))
        self.expected = self.kernel(scalars, rows)[1]
        self.buffers = _Buffers(self.kernel, 32)
        self.buffers.scalars[:] = scalars
        self.buffers.fill(rows)

    def shared_out(self, helpers: team.Team) -> Any:
        """What a team computes."""
        self.buffers.arguments[KERNEL_WORDS.index("team")] = helpers.address
        self.buffers.out[:] = np.nan
        helpers.during(lambda: self.kernel._function(self.buffers.address))
        return self.buffers.table


def three() -> team.Team:
    return team.Team([np.empty(0)] * 3)


def test_a_kernel_offers_its_steps_to_a_team(small_pieces: None) -> None:
    call = Call()
    assert call.kernel.share.n_pieces == 10
    for _ in range(50):
        assert (call.shared_out(three()) == call.expected).all()


def test_nobody_stands_by_for_work_that_was_interrupted(small_pieces: None,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    call, asked, left = Call(), [], 0
    enlist = team.enlist
    monkeypatch.setattr(team, "enlist", lambda *job: (asked.append(job), enlist(*job)))
    for step in itertools.count():
        asked.clear()
        helpers = three()
        if not interrupted_at(step, lambda helpers=helpers: call.shared_out(helpers)):
            break
        left += bool(asked) and not helpers.words[team.OVER]
        helpers.words[team.OVER] = 1
        assert (call.shared_out(three()) == call.expected).all()
    assert step > 20
    assert left <= 1  # before the one line that tells them, where no signal is handled


def layer(nin: int, nout: int) -> tuple[Program, int]:
    """A layer of neurons on rows: its inputs are those of a row, then the weights."""
    operands: list[tuple[int, ...]] = []
    ops: list[str] = []
    first = nin + nin * nout
    outputs = []
    for j in range(nout):
        for i in range(nin):
            ops.append("mul")
            operands.append((nin + j * nin + i, i))
            if i:
                ops.append("add")
                operands.append((first + len(ops) - 3 + (i == 1), first + len(ops) - 2))
        outputs.append(first + len(ops) - 1)
    return Program(first, (), tuple(ops), tuple(operands), tuple(outputs), ()), nin


def test_small_networks_wake_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(team, "enlist", lambda count, job: woken.append(count))
    history(4, (64, 32, 10), 32)
    assert woken == []
    history(4, (230, 160, 3), 32, 32)
    assert set(woken) == {3}


def test_one_thread_asks_nobody(monkeypatch: pytest.MonkeyPatch, small_pieces: None) -> None:
    monkeypatch.setattr(team, "enlist", lambda count, job: pytest.fail("asked"))
    history(1, (41, 23, 5), 32)
    monkeypatch.setenv("CHAINRULE_THREADS", "1")
    history(None, (41, 23, 5), 32)


def test_who_comes_too_late_finds_nothing_to_do(monkeypatch: pytest.MonkeyPatch,
                                                small_pieces: None) -> None:
    late: list[Callable[[], None]] = []
    monkeypatch.setattr(team, "enlist", lambda count, job: late.extend([job] * count))
    expected = history(1, (41, 23, 5), 32)
    assert history(3, (41, 23, 5), 32) == expected
    assert len(late) >= 2
    for job in late:
        job()
    assert history(3, (41, 23, 5), 32) == expected


def test_a_slope_that_is_not_finite_is_named(small_pieces: None) -> None:
    """Whichever block of parameters it is in; the parameters are those of the step before."""
    def left(threads: int) -> tuple[Any, ...]:
        X = np.random.default_rng(4).normal(size=(64, 41))
        X[:, 17], y = 1e308, np.full(64, 1e3)
        model = nn.MLP(41, [23, 1], seed=1)
        for neuron in model.layers[0].neurons:
            neuron.w[17].data = 0.0
        found = nn.fit(model, X, y, loss="mean_squared_error", epochs=3, batch_size=32,
                       progress=False, threads=threads)
        return found.engine, found.stopped, *(p.data for p in model.parameters())

    engine, stopped, *_ = left(1)
    assert engine == "llvm"
    assert "the gradient of 'layer1.neuron1.w17'" in stopped
    assert left(1) == left(3) == left(7)


def test_many_threads_train(small_pieces: None) -> None:
    expected = history(1, (41, 23, 5), 32)
    assert in_threads(*[lambda: history(3, (41, 23, 5), 32)] * 3) == [expected] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_child_has_threads_of_its_own(small_pieces: None) -> None:
    expected = history(3, (41, 23, 5), 32)
    with busy(lambda: history(3, (41, 23, 5), 32), lambda: history(2, (9, 64, 4), 32)):
        assert outcomes(lambda: history(3, (41, 23, 5), 32) == expected, 5) == {"right"}
