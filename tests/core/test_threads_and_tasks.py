"""What one thread or task switches on changes nothing for another; interruptions leave nothing."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import math
import pickle
import random
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import autograd as ag
import nn
from autograd import Value, grad, jit, name_scope, no_grad, vmap
from autograd.compiler.compiled import Compiled
from autograd.core import context, value
from autograd.core.context import here, listeners_on, switched_on
from autograd.core.graph import collector_at_rest
from autograd.core.value import is_transforming, recording
from tests.interruptions import interrupted_at

ROUNDS = 300


@pytest.fixture(autouse=True)
def quick_switching() -> Any:
    """Threads take turns so often that they meet in the middle of everything."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def together(*functions: Callable[[threading.Event], Any]) -> list[Any]:
    """Run functions in threads at the same time; the first ends them all.

    Each is told by an event when to end. What one raises is raised here.
    """
    done = threading.Event()
    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(function, done) for function in functions]
        try:
            first = futures[0].result(timeout=120)
        finally:
            done.set()
        return [first, *(future.result(timeout=60) for future in futures[1:])]


def until_done(work: Callable[[], Any]) -> Callable[[threading.Event], None]:
    def run(done: threading.Event) -> None:
        while not done.is_set():
            work()

    return run


def predicting() -> Callable[[threading.Event], None]:
    model = nn.MLP(2, [4, 1], seed=0)
    return until_done(lambda: model.predict([[0.5, -0.5]] * 3))


# --- threads --------------------------------------------------------------------------------------

def test_training_by_hand_beside_a_thread_that_predicts_gets_its_gradients() -> None:
    def train(_: threading.Event) -> list[float]:
        w = Value(0.5, "w")
        slopes = []
        for _ in range(ROUNDS):
            w.grad = 0.0
            loss = (w * 3.0 - 1.0) ** 2
            loss.backward()
            slopes.append(w.grad)
        return slopes

    assert together(train, predicting())[0] == [3.0] * ROUNDS


def test_a_recording_beside_a_thread_that_predicts_holds_no_constants() -> None:
    def record(_: threading.Event) -> list[tuple[float, float]]:
        found = []
        for i in range(ROUNDS // 10):
            f = jit(lambda x, i=i: x * x + float(i), backend="python")
            found.append((f(2.0) - i, f(3.0) - i))
        return found

    assert together(record, predicting())[0] == [(4.0, 9.0)] * (ROUNDS // 10)


def test_a_recording_beside_a_gradient_check_has_its_guards() -> None:
    def record(_: threading.Event) -> list[float]:
        found = []
        for _ in range(ROUNDS // 10):
            f = jit(lambda x: x if x > 0.0 else -2.0 * x, backend="python")
            found += [f(1.0), f(-1.0)]
        return found

    checking = until_done(lambda: ag.gradcheck(lambda x: ag.relu(x) if x > 0.1 else x, 0.7))
    assert together(record, checking, checking)[0] == [1.0, 2.0] * (ROUNDS // 10)


def test_derivatives_of_a_compiled_function_in_threads() -> None:
    w = Value(2.0, "w")
    f = jit(lambda x: w * x * x)
    slope = grad(lambda x: f(x))

    def differentiate(_: threading.Event) -> set[float]:
        return {slope(3.0).data for _ in range(ROUNDS)}

    results = together(differentiate, *[until_done(lambda: slope(3.0))] * 3)
    assert results[0] == {12.0}


def test_nodes_belong_to_the_scope_of_their_own_thread() -> None:
    def scoped(name: str) -> Callable[[threading.Event], set[tuple[str, ...]]]:
        def run(_: threading.Event) -> set[tuple[str, ...]]:
            found = set()
            for _ in range(ROUNDS):
                with name_scope(name), name_scope("inner"):
                    found.add(ag.scope_of(Value(1.0) * 2.0))
            return found

        return run

    def plain(_: threading.Event) -> set[tuple[str, ...]]:
        return {ag.scope_of(Value(1.0) * 2.0) for _ in range(ROUNDS)}

    assert together(plain, scoped("a"), scoped("b")) == [{()}, {("a", "inner")}, {("b", "inner")}]


def test_one_scope_object_in_many_threads() -> None:
    scope = name_scope("shared")

    def run(_: threading.Event) -> set[tuple[str, ...]]:
        found = set()
        for _ in range(ROUNDS):
            with scope:
                found.add(ag.scope_of(Value(1.0)))
            found.add(ag.scope_of(Value(1.0)))
        return found

    assert together(*[run] * 4) == [{("shared",), ()}] * 4


def test_graphs_are_pickled_in_threads() -> None:
    def graph(x: float) -> Value:
        y = Value(x)
        for _ in range(2000):
            y = y * 1.0001
        return y

    def run(_: threading.Event) -> set[float]:
        y = graph(1.0)
        return {pickle.loads(pickle.dumps(y)).data - y.data for _ in range(8)}

    assert together(*[run] * 6) == [{0.0}] * 6


def test_vmapped_calls_in_threads() -> None:
    f = vmap(lambda x: ag.exp(x) if x > 0.0 else x * x)
    rows = [-1.0, 0.5, 2.0]
    expected = [1.0, math.exp(0.5), math.exp(2.0)]

    def run(_: threading.Event) -> bool:
        return all(f(rows) == pytest.approx(expected, rel=1e-14) for _ in range(ROUNDS // 3))

    assert together(*[run] * 4) == [True] * 4


def test_leaves_that_two_threads_edit_count_as_edited() -> None:
    """Each edit has a time of its own, so no old graph passes as new."""
    def run(_: threading.Event) -> int:
        caught = 0
        x = Value(1.0, "x")
        for i in range(ROUNDS):
            y = x * 2.0
            x.data = float(i)
            try:
                y.backward()
            except ValueError:
                caught += 1
        return caught

    assert together(*[run] * 4) == [ROUNDS] * 4


def test_an_error_says_that_another_thread_may_have_changed_what_is_recorded() -> None:
    space: dict[str, Any] = {"factor": 1.0, "inside": threading.Event(),
                             "go_on": threading.Event()}
    exec("""
def f(x):
    y = x * factor
    inside.set()
    go_on.wait(60)
    return y
""", space)

    def change() -> None:
        space["inside"].wait(60)
        space["factor"] = 10.0
        space["go_on"].set()
        done.wait(60)

    done = threading.Event()
    other = threading.Thread(target=change)
    other.start()
    f = jit(space["f"], backend="python")
    try:
        with pytest.raises(ag.RecordingError, match="if another thread changed something mean"):
            f(1.0)
    finally:
        done.set()
        other.join()
    assert f(1.0) == 10.0
    space["factor"] = 20.0
    assert f(1.0) == 20.0


def test_what_a_function_changes_itself_is_refused_beside_other_threads() -> None:
    calls: list[int] = []

    def counting(x: Any) -> Any:
        calls.append(1)
        return x * 2.0

    def run(_: threading.Event) -> None:
        with pytest.raises(ag.RecordingError, match="the function changes calls"):
            jit(counting)(1.0)

    together(run, predicting())


@pytest.mark.parametrize("other", ["the same arguments", "another kind of arguments"])
@pytest.mark.parametrize("make", [jit, vmap])
def test_a_recording_that_is_outdated_before_it_is_compiled_is_not_kept(
        make: Any, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread compiles; meanwhile a number that was recorded changes, and another one calls."""
    space = {"factor": 1.0}
    exec("def f(x): return x[0] * factor", space)
    f = make(space["f"], backend="python" if make is jit else "numpy")
    points: list[Any] = [[2.0], [2.0, 0.0]] if make is jit else [[[2.0]], [[2.0, 0.0]]]
    first, second = points[0], points[other != "the same arguments"]
    recorded, go_on = threading.Event(), threading.Event()
    slow: list[threading.Thread] = []
    compiled = Compiled.compiled

    def waiting(*arguments: Any, **options: Any) -> Any:
        if threading.current_thread() in slow:
            recorded.set()
            go_on.wait(60)
        return compiled(*arguments, **options)

    monkeypatch.setattr(Compiled, "compiled", waiting)
    f(points[1])
    slow.append(threading.Thread(target=f, args=(first,)))
    slow[0].start()
    assert recorded.wait(60)
    space["factor"] = 10.0
    assert f(second) == 20.0
    go_on.set()
    slow[0].join()
    assert f(first) == f(second) == 20.0
    space["factor"] = 100.0
    assert f(first) == f(second) == 200.0


# --- asyncio tasks --------------------------------------------------------------------------------

def test_tasks_have_their_own_switches() -> None:
    async def quiet(n: int) -> list[Any]:
        found = []
        for _ in range(n):
            with no_grad(), name_scope("quiet"):
                await asyncio.sleep(0)
                y = Value(2.0) * 3.0
                found.append((y.op, ag.scope_of(y)))
        return found

    async def loud(n: int) -> list[Any]:
        found = []
        for _ in range(n):
            await asyncio.sleep(0)
            y = Value(2.0) * 3.0
            found.append((y.op is not None, ag.scope_of(y)))
        return found

    async def both() -> Any:
        return await asyncio.gather(quiet(50), loud(50), quiet(50), loud(50))

    silent = [(None, ("quiet",))] * 50
    assert asyncio.run(both()) == [silent, [(True, ())] * 50] * 2
    assert not here().entries and not switched_on


def test_a_task_started_inside_inherits_and_what_it_leaves_is_its_own() -> None:
    async def inner() -> Any:
        block = no_grad()
        block.__enter__()  # and never leaves it
        return (Value(1.0) * 2.0).op

    async def outer() -> Any:
        with name_scope("outer"):
            inside = await asyncio.create_task(inner())
            y = Value(1.0) * 2.0
        return inside, y.op is not None, ag.scope_of(y), here().entries

    assert asyncio.run(outer()) == (None, True, ("outer",), ())
    gc.collect()
    assert not here().entries and not switched_on


def test_a_block_holds_for_tasks_started_inside_until_it_ends_whatever_others_do() -> None:
    block = no_grad()
    with block:
        started_inside = contextvars.copy_context()
        assert started_inside.run(lambda: (Value(1.0) * 2.0).op) is None
    for other in (contextlib.nullcontext(), name_scope("elsewhere"), no_grad()):
        with other:
            assert started_inside.run(lambda: (Value(1.0) * 2.0).op) is not None
    assert not here().entries and not switched_on


def test_a_task_that_is_cancelled_leaves_nothing_switched_on() -> None:
    async def inner() -> None:
        with no_grad(), name_scope("inner"):
            await asyncio.sleep(60)

    async def outer() -> Any:
        task = asyncio.create_task(inner())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return (Value(1.0) * 2.0).op is not None, here().entries

    assert asyncio.run(outer()) == (True, ())
    assert not here().entries and not switched_on


# --- blocks that overlap, nest and fail -----------------------------------------------------------

def test_overlapping_blocks_end_in_any_order() -> None:
    first, second = no_grad(), no_grad()
    first.__enter__()
    second.__enter__()
    first.__exit__()
    assert (Value(1.0) * 2.0).op is None
    second.__exit__()
    assert (Value(1.0) * 2.0).op is not None
    assert not here().entries and not switched_on


def test_a_scope_object_may_be_entered_twice() -> None:
    scope = name_scope("a")
    with scope, scope:
        assert ag.scope_of(Value(1.0)) == ("a", "a")
    assert ag.scope_of(Value(1.0)) == ()
    assert not here().entries and not switched_on


def test_no_grad_decorates_functions_also_recursive_ones() -> None:
    @no_grad()
    def product(n: int) -> Value:
        return Value(1.0) if n == 0 else product(n - 1) * 2.0

    assert (product(5).data, product(5).op) == (32.0, None)
    assert (Value(1.0) * 2.0).op is not None
    assert not here().entries and not switched_on


def test_no_grad_decorates_nothing_that_runs_later() -> None:
    def generator() -> Any:
        yield Value(1.0) * 2.0

    async def coroutine() -> Any:
        return Value(1.0) * 2.0

    async def both() -> Any:
        yield Value(1.0) * 2.0

    for function in (generator, coroutine, both):
        with pytest.raises(TypeError, match=r"write with no_grad\(\): \.\.\. inside"):
            no_grad()(function)
    with pytest.raises(TypeError, match=r"write @no_grad\(\)"):
        no_grad(generator)  # type: ignore[arg-type]


def test_transforms_record_inside_of_no_grad_and_leave_it_on() -> None:
    with no_grad():
        assert grad(lambda x: x ** 3)(2.0) == 12.0
        with recording():
            assert is_transforming() and (Value(1.0) * 2.0).op is not None
        assert (Value(1.0) * 2.0).op is None and not is_transforming()


def test_a_block_that_ends_in_another_context_leaves_nothing_there() -> None:
    block = no_grad()
    other = contextvars.copy_context()
    other.run(block.__enter__)
    assert (Value(1.0) * 2.0).op is not None
    block.__exit__()  # here it is not on
    assert other.run(lambda: (Value(1.0) * 2.0).op) is None
    del block
    assert other.run(lambda: (Value(1.0) * 2.0).op) is not None
    assert not here().entries and not switched_on


# --- interruptions --------------------------------------------------------------------------------

def scopes() -> None:
    with name_scope("a"), no_grad(), name_scope("b"), collector_at_rest():
        Value(1.0) * 2.0


def transforming() -> None:
    grad(grad(lambda x: ag.tanh(x) * x))(0.3)


def recorded() -> None:
    jit(lambda x: x * x if x > 0.0 else x, backend="python")(0.3)


def by_rows() -> None:
    vmap(lambda x: x * x, backend="numpy")([0.3, 0.4])


def checked() -> None:
    ag.gradcheck(lambda x: ag.relu(x) * x, 0.3)


def stored() -> None:
    y = Value(1.0)
    for _ in range(20):
        y = y * 2.0
    pickle.loads(pickle.dumps(y))


# Python calls close() of a generator that is interrupted, and tells of what that raises.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("work", [scopes, transforming, recorded, by_rows, checked, stored],
                         ids=lambda work: work.__name__)
def test_an_interruption_at_any_moment_leaves_nothing_behind(work: Callable[[], Any]) -> None:
    work()
    stream, source = sys.stdout, random.Random(0)
    step, count = 1, 0
    while interrupted_at(step, work):
        assert not here().entries and not listeners_on, step
        assert gc.isenabled() and sys.stdout is stream, step
        y = Value(1.0) * 2.0
        assert y.op is not None and ag.scope_of(y) == (), step
        assert jit_is_idle(), step
        count += 1
        step += 1 if count < 400 else source.randrange(1, 60)
    assert count > 20
    work()


def by_name(x: Value) -> None:
    x.data = 5.0


def together_with_others(x: Value) -> None:
    value.assign([Value(1.0), x, Value(2.0)], [3.0, 5.0, 4.0])


def dying() -> None:
    """Blocks that die without their end, here and in another context."""
    block, listener = no_grad(), value.listening(value.Listener())
    other = contextvars.copy_context()
    other.run(block.__enter__)
    block.__enter__()
    listener.__enter__()
    collector_at_rest().__enter__()
    del block, listener
    assert (Value(1.0) * 2.0).op is not None
    assert other.run(lambda: (Value(1.0) * 2.0).op) is not None


def test_an_interruption_of_what_python_calls_at_a_death_leaves_nothing_behind() -> None:
    """Python tells of such an interruption, and swallows it."""
    dying()
    step = 1
    while interrupted_at(step, dying):
        assert gc.isenabled(), step
        assert (Value(1.0) * 2.0).op is not None, step
        assert not here().entries and not listeners_on and not switched_on, step
        step += 1
    assert step > 20


# The numbers with which y is out of date. A single edit is one statement: it is done or not begun.
@pytest.mark.parametrize(("edit", "out_of_date"),
                         [(by_name, {5.0}), (together_with_others, {3.0, 5.0})])
def test_an_interrupted_edit_leaves_no_graph_of_other_numbers(
        edit: Callable[[Value], None], out_of_date: set[float]) -> None:
    step, x = 1, Value(3.0, "x")
    found = set()
    while True:
        x = Value(3.0, "x")
        y = x * x
        was_interrupted = interrupted_at(step, lambda x=x: edit(x))
        try:
            y.backward()
            assert (x.data, x.grad) == (3.0, 6.0), step
        except ValueError:
            found.add(x.data)
        x.grad = 0.0
        (x * x).backward()
        assert x.grad == 2.0 * x.data, step
        if not was_interrupted:
            break
        step += 1
    assert found == out_of_date
    assert x.data == 5.0


def jit_is_idle() -> bool:
    return not is_transforming() and not context.here().listener
