"""explain() and History say what computed, and why it was not the quickest way."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import jit, vmap
from autograd.compiler.backends import choice
from autograd.compiler.backends.threads import VARIABLE

needs_llvm = pytest.mark.skipif(not choice._has_llvm(), reason="no llvmlite")
MANY = 300_000


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of four cores, of which all may be used."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("autograd.compiler.backends.threads._cores", lambda: 4)


def long(x: Any) -> Any:
    total = 0.0
    for i in range(40):
        total = total + autograd.exp(x * (0.01 * i)) * x
    return total


def test_calls_whose_results_are_not_finite_are_counted() -> None:
    compiled = jit(lambda x: x * 1e300 * x)
    for x in (1.0, 1e10, 1e20):
        compiled(x)
    assert compiled.n_not_finite == 2
    assert "2 call(s) were computed by the eager engine once more: not all" in compiled.explain()
    assert "once more" not in jit(lambda x: x).explain()


@needs_llvm
def test_few_rows_are_computed_by_one_thread(cores: None) -> None:
    by_rows = vmap(long)
    by_rows(np.arange(64.0) / 64.0)
    by_rows(np.arange(65.0) / 64.0)
    assert "one thread computes 65 such rows as soon as several would" in by_rows.explain()


@needs_llvm
def test_a_limit_on_threads_is_named(cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.linspace(0.0, 1.0, MANY)
    alone, free = vmap(long, threads=1), vmap(long)
    alone(rows)
    free(rows)
    assert "   threads=1 was asked for" in alone.explain()
    assert "was asked for" not in free.explain()
    assert "one thread" not in free.explain()
    monkeypatch.setenv(VARIABLE, "1")
    free(rows)
    assert f"   {VARIABLE}=1 was asked for" in free.explain()


@needs_llvm
def test_a_single_core_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr("autograd.compiler.backends.threads._cores", lambda: 1)
    by_rows = vmap(long)
    by_rows(np.linspace(0.0, 1.0, MANY))
    assert "   this process may use one core" in by_rows.explain()


def model_and_rows(n: int) -> tuple[nn.MLP, Any, Any]:
    draw = np.random.default_rng(0)
    X = draw.normal(size=(n, 2))
    return nn.MLP(2, [16, 16, 1], seed=0), X, np.sign(X[:, 0] * X[:, 1])


@needs_llvm
def test_the_history_names_a_limit_on_threads_where_several_would_pay(cores: None) -> None:
    model, X, y = model_and_rows(5_000)
    history = nn.fit(model, X, y, epochs=1, batch_size=5_000, threads=1)
    assert history.engine == "llvm"
    assert history.reason == "one thread computes the batches: threads=1 was asked for"
    model, X, y = model_and_rows(5_000)
    assert nn.fit(model, X, y, epochs=1, batch_size=5_000).reason == ""
    model, X, y = model_and_rows(50)
    assert nn.fit(model, X, y, epochs=1, batch_size=10, threads=1).reason == ""


@needs_llvm
def test_while_llvm_is_at_work_the_program_is_interpreted() -> None:
    from autograd.compiler.backends.llvm.tiered import SwappingKernel

    class Made:
        threads: int | None = None
        slower_now = "of the second"

    may_go_on = threading.Event()

    def make() -> Any:
        may_go_on.wait()
        return Made()

    kernel = SwappingKernel(Made(), make)
    assert "so far the program is interpreted" in kernel.slower_now
    may_go_on.set()
    kernel.wait()
    assert kernel.slower_now == "of the second"


def test_a_back_end_that_was_asked_for_is_named() -> None:
    compiled = jit(long, backend="python")
    compiled(0.5)
    if choice._has_llvm():
        assert "because backend='python' was asked for" in compiled.explain()
    assert "runs on the back end python" in compiled.explain()


def test_without_llvmlite_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_has_llvm", lambda: False)
    compiled, by_rows = jit(long), vmap(long)
    compiled(0.5)
    by_rows([0.5, 1.0])
    assert f"runs on the back end python, because {choice.NO_LLVM}" in compiled.explain()
    assert f"runs on the back end numpy, because {choice.NO_LLVM}" in by_rows.explain()
