"""How many threads there may be, and the threads that wait for work."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, grad, jit, value_and_grad, vmap
from autograd.compiler.backends import threads


@pytest.fixture(autouse=True)
def cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    monkeypatch.setattr(threads, "_cores", lambda: 6)


def test_all_cores_are_the_default() -> None:
    assert [threads.allowed(x) for x in (None, 1, 4, 9)] == [6, 1, 4, 9]


@pytest.mark.parametrize("limit, expected", [
    ("1", [1, 1, 1, 1]), ("5", [5, 1, 4, 5]), ("20", [6, 1, 4, 9]), ("", [6, 1, 4, 9])])
def test_the_variable_limits_what_is_asked_for(limit: str, expected: list[int],
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(threads.VARIABLE, limit)
    assert [threads.allowed(x) for x in (None, 1, 4, 9)] == expected


def trained(**options: Any) -> Any:
    model = nn.MLP(1, [1], seed=0)
    return nn.fit(model, [[1.0], [2.0]], [0.5, 1.0], epochs=1, progress=False, **options)


@pytest.mark.parametrize("use", [lambda **k: vmap(lambda x: x, **k), trained])
class TestErrors:
    @pytest.mark.parametrize("number, error, message", [
        (0, ValueError, "threads must be at least 1, not 0"),
        (-1, ValueError, "threads must be at least 1, not -1"),
        ("x", TypeError, "threads must be a whole number, not 'x'"),
        (True, TypeError, "threads must be a whole number, not True"),
        (2.0, TypeError, "threads must be a whole number, not 2.0")])
    def test_of_the_option(self, use: Any, number: Any, error: type[Exception],
                           message: str) -> None:
        with pytest.raises(error, match=message):
            use(threads=number)

    @pytest.mark.parametrize("text", ["0", "-1", "x", "2.5", "1e3", " "])
    def test_of_the_variable(self, use: Any, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(threads.VARIABLE, text)
        for options in ({}, {"threads": 2}):
            with pytest.raises(ValueError, match=f"CHAINRULE_THREADS={text!r} must be a whole"):
                use(**options)


def test_a_training_that_is_refused_has_changed_nothing() -> None:
    model = nn.MLP(1, [1], seed=0)
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match="threads"):
        nn.fit(model, [[1.0]], [1.0], epochs=1, threads=0)
    assert [p.data for p in model.parameters()] == before


def test_back_ends_without_threads_leave_the_number_aside(backend: str) -> None:
    rows = np.linspace(0.0, 1.0, 7)
    squares = vmap(lambda x: x * x, backend=backend, threads=2)
    np.testing.assert_array_equal(squares(rows), rows * rows)
    np.testing.assert_array_equal(vmap(lambda x: x * x, threads=3)(list(map(Value, rows))),
                                  list(map(Value, rows * rows)))


def square(x: Any) -> Any:
    return x * x


def test_derivatives_and_pickles_keep_the_number() -> None:
    mapped: Any = vmap(square, threads=2)
    assert mapped.threads == 2
    assert grad(mapped).threads == value_and_grad(grad(mapped)).threads == 2
    assert pickle.loads(pickle.dumps(mapped)).threads == 2
    assert pickle.loads(pickle.dumps(grad(mapped))).threads == 2
    assert vmap(jit(square), threads=3).threads == 3
    assert vmap(square).threads is None


def test_each_thread_calls_the_job() -> None:
    together = threading.Barrier(4)  # is passed by four at once, and by no fewer

    threads.enlist(3, together.wait)
    together.wait(60.0)
    assert not together.broken


def test_threads_that_wait_are_none_that_change_anything() -> None:
    done = threading.Barrier(3)
    before = threading.active_count()
    threads.enlist(2, done.wait)
    done.wait(60.0)
    assert threading.active_count() == before


def test_where_the_system_gives_no_threads_nobody_is_called(
        monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads._thread, "start_new_thread", refuse)
    pool = threads._Pool()
    pool.enlist(3, lambda: pytest.fail("called"))
    assert pool._jobs.empty()
