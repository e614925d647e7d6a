"""Forked processes: children of a process whose other threads compile, call, train and store.

A child has one thread, and the locks of all the others as they were. It must compute the right
numbers, and end.
"""

from __future__ import annotations

import gc
import itertools
import os
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value, grad, jit, vmap
from autograd.compiler.backends import compile
from autograd.compiler.program.program import Program
from autograd.core.context import listeners_on, switched_on
from tests.back_ends import NAMES, back_ends, needs_jax, needs_llvmlite

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")

PATIENCE = 60.0  # seconds after which a child hangs


def in_child(work: Callable[[], bool]) -> str:
    """What becomes of a forked child that does some work."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that other threads are there is what is tested
        child = os.fork()
    if child == 0:
        try:
            os._exit(0 if work() else 1)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(2)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return ("right", "wrong numbers", "an error")[os.waitstatus_to_exitcode(status)]
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hangs"


@contextmanager
def busy(*works: Callable[[], Any]) -> Iterator[None]:
    """Inside, threads do these works over and over; what they raise is raised at the end."""
    done = threading.Event()
    began = [threading.Event() for _ in works]
    failures: list[BaseException] = []

    def keep_on(work: Callable[[], Any], first: threading.Event) -> None:
        try:
            while not done.is_set():
                work()
                first.set()
        except BaseException as error:
            failures.append(error)
            first.set()

    threads = [threading.Thread(target=keep_on, args=pair) for pair in zip(works, began,
                                                                           strict=True)]
    for thread in threads:
        thread.start()
    for event in began:
        event.wait()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert failures == []


def outcomes(work: Callable[[], bool], count: int) -> set[str]:
    """What becomes of several children, forked at different moments."""
    rng, found = random.Random(1), set()
    for _ in range(count):
        time.sleep(rng.uniform(0.0, 0.01))
        found.add(in_child(work))
    return found


fresh = itertools.count(1)


def compile_something(backend: str) -> None:
    """Compile a function whose program nobody has compiled before."""
    number = os.getpid() * 1e-3 + next(fresh)

    def function(x: Any) -> Any:
        return x * number + x.sin() * (x / number).exp()

    assert jit(function, backend=backend)(0.5) == pytest.approx(function(Value(0.5)).data, 1e-12)


# JAX has threads of its own, which a child has not.
each_but_jax = pytest.mark.parametrize(
    "backend", back_ends(*(name for name in NAMES if name != "jax")))


@each_but_jax
def test_a_child_compiles_and_calls_while_the_parent_compiles(backend: str) -> None:
    known = jit(lambda x: x * x if x > 0.0 else -x, backend=backend)
    known_slope = grad(known)
    assert (known(3.0), known_slope(3.0)) == (9.0, 6.0)

    def work() -> bool:
        compile_something(backend)
        return (known(3.0), known(-2.0), known_slope(3.0)) == (9.0, 2.0, 6.0)

    with busy(lambda: compile_something(backend), lambda: compile_something(backend)):
        assert outcomes(work, 12) == {"right"}


@each_but_jax
def test_a_child_calls_what_the_parent_is_calling(backend: str) -> None:
    rows = np.linspace(-3.0, 3.0, 20_000)
    by_rows = vmap(lambda w, x: (w * x).tanh() * x.exp(), (None, 0), backend=backend)
    at_point = jit(lambda xs: sum(x.sin() * x for x in xs), backend=backend)
    point = [0.1 * i for i in range(50)]
    expected = by_rows(0.5, rows).tobytes(), at_point(point)

    def work() -> bool:
        return (by_rows(0.5, rows).tobytes(), at_point(point)) == expected

    with busy(lambda: by_rows(0.25, rows), lambda: at_point(point[::-1])):
        assert outcomes(work, 12) == {"right"}


@needs_jax
def test_a_child_of_a_process_that_has_used_jax_gets_an_error_and_does_not_wait() -> None:
    known = jit(lambda x: x * x, backend="jax")
    assert known(3.0) == 9.0
    by_rows = vmap(lambda x: x * x, backend="jax")
    calls = [lambda: known(2.0), lambda: by_rows([1.0, 2.0]), lambda: compile_something("jax"),
             lambda: nn.fit(nn.MLP(1, [1], seed=0), [[1.0]], [1.0], backend="jax",
                            progress=False)]

    def work() -> bool:
        for call in calls:
            with pytest.raises(RuntimeError, match="before this process was forked"):
                call()
        return jit(lambda x: x * x, backend="python")(3.0) == 9.0

    assert in_child(work) == "right"
    assert known(4.0) == 16.0


class Unlocked:
    """A stream that no thread can hold: Python's own cannot be written to in a child if one did."""

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing is kept back."""


@pytest.mark.parametrize("progress", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_child_trains_while_the_parent_trains(
        compiled: bool, progress: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Unlocked())
    X, y = nn.datasets.moons(20, seed=1)

    def trained(seed: int) -> list[float]:
        return nn.fit(nn.MLP(2, [4, 1], seed=seed), X, y, loss="hinge", epochs=3,
                      progress=progress, compiled=compiled).loss

    expected = trained(1)
    with busy(lambda: trained(2), lambda: trained(3)):
        assert outcomes(lambda: trained(1) == expected, 8) == {"right"}


def long_program(count: int, seed: int) -> Program:
    """A random program without loops, which takes LLVM long."""
    rng = random.Random(seed)
    ops, operands = [], []
    for slot in range(3, 3 + count):
        op = rng.choice(("sin", "tanh", "neg", "relu", "add", "mul", "sub", "maximum"))
        n = 1 if op in ("sin", "tanh", "neg", "relu") else 2
        ops.append(op)
        operands.append(tuple(rng.randrange(max(0, slot - 40), slot) for _ in range(n)))
    return Program(3, (), tuple(ops), tuple(operands), (count + 2, count - 50, count // 2))


@needs_llvmlite
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.3])
def test_a_child_interprets_until_it_has_compiled_by_itself(delay: float) -> None:
    from autograd.compiler.backends.llvm.tiered import SwappingKernel

    kernel = compile(long_program(4_500, int(1000 * delay)))
    assert isinstance(kernel, SwappingKernel)
    interpreter, point = kernel.kernel, [0.3, -0.7, 1.1]
    expected = kernel.point(point).tobytes()
    time.sleep(delay)

    def calls() -> bool:
        assert kernel.point(point).tobytes() == expected
        kernel.wait()
        return kernel.kernel is not interpreter and kernel.point(point).tobytes() == expected

    def waits() -> bool:
        kernel.wait()
        return kernel.kernel is not interpreter and kernel.point(point).tobytes() == expected

    def neither() -> bool:
        return True

    assert [in_child(work) for work in (calls, waits, neither)] == ["right"] * 3
    kernel.wait()
    assert kernel.point(point).tobytes() == expected
    assert in_child(calls) == "right"


@needs_llvmlite
def test_a_child_keeps_machine_code_while_the_parent_does() -> None:
    from autograd.compiler.backends.llvm import code_cache as cache

    def work() -> bool:
        name = cache.name_of("a program of", str(os.getpid()), str(next(fresh)))
        return cache.store(name, name.encode()) and cache.load(name) == name.encode()

    with busy(work, work):
        assert outcomes(work, 12) == {"right"}


def test_a_child_is_not_part_of_what_the_parents_threads_have_begun() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slow(x: Any) -> Any:
        inside.set()
        go_on.wait()
        return x * 2.0

    thread = threading.Thread(target=jit(slow), args=(1.0,))
    thread.start()
    inside.wait()
    try:
        def work() -> bool:
            x = Value(3.0)
            y = x * x if x > 2.0 else x
            y.backward()
            return (gc.isenabled() and not switched_on and not listeners_on and x.grad == 6.0
                    and jit(lambda x: x * 3.0)(2.0) == 6.0)

        assert in_child(work) == "right"
    finally:
        go_on.set()
        thread.join()
