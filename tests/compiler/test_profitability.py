"""jit turns to the eager engine where recordings do not pay; by counts, without a clock."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autograd
from autograd import RecordingError, Value, grad, jit, logsumexp, no_grad, value_and_grad, vmap
from autograd.compiler.profitability import (
    FREE,
    LOOKING,
    OFTEN,
    RECORDING,
    STEADY,
    TRANSLATING,
    UNSEEN,
    Candidate,
    Profit,
    is_branchy,
)
from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.tracer import Path
from tests.benchmarks.branches import Branchy, american_put, programs, short_programs

PROGRAMS = programs(0.3)


def walks(x: Any) -> Any:
    """60 conditions, and instructions enough to be worth thinking about."""
    total = 0.0
    for i in range(60):
        larger = max(x[i % 3] * (0.1 * i + 1.0) - 1.0, 0.3 * x[(i + 1) % 3])
        total = total + larger * larger
    return total


def branch(x: list[float]) -> tuple[bool, ...]:
    return tuple(x[i % 3] * (0.1 * i + 1.0) - 1.0 < 0.3 * x[(i + 1) % 3] for i in range(60))


def steps(n: int, seed: int = 0) -> list[list[float]]:
    return np.random.default_rng(seed).normal(size=(n, 3)).tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PROGRAMS)
def test_branchy_programs_are_hardly_recorded_and_give_the_eager_bits(name: str) -> None:
    program: Branchy = PROGRAMS[name]
    eager, compiled = value_and_grad(program.function), jit(value_and_grad(program.function))
    for point in program.points(40):
        value, slope = compiled(point)
        wanted, by_hand = eager(point)
        assert value == wanted
        assert_array_equal(np.asarray(slope, dtype=float), np.asarray(by_hand, dtype=float))
    assert compiled.n_recordings <= 2
    if compiled.profit.eager:
        assert f"{compiled.profit.eager} call(s) were computed by the eager" in compiled.explain()
        assert ("has many conditions" in compiled.explain()
                or "it is short and has conditions" in compiled.explain())


def test_the_programs_are_branchy() -> None:
    for program in (PROGRAMS["relu net, max"], american_put(10), PROGRAMS["soft-DTW"]):
        compiled = jit(value_and_grad(program.function), max_recordings=100)
        for point in program.points(40)[::10]:
            compiled(point)
        assert compiled.n_recordings >= 2


def test_a_steady_branch_is_compiled_and_replayed() -> None:
    f = jit(value_and_grad(walks), backend="python")
    point = [0.3, -0.7, 1.1]
    results = [f(point) for _ in range(STEADY + 10)]
    assert all(result == value_and_grad(walks)(point) for result in results)
    assert f.n_recordings == 1
    assert f.profit.eager == STEADY - 1
    assert f.profit.replays == 9
    assert "runs on the back end python" in f.explain()


def test_when_the_arguments_settle_it_is_recorded_again() -> None:
    f = jit(value_and_grad(walks), backend="python")
    for point in steps(150):
        assert f(point) == value_and_grad(walks)(point)
    assert f.profit.replays == 0
    settled = [0.3, -0.7, 1.1]
    for _ in range(1000):
        f(settled)
    assert f.profit.replays > 500
    assert f.n_recordings < 8


def test_the_decisions_are_the_same_in_every_run() -> None:
    def run() -> tuple[int, int, int, list[Any]]:
        f = jit(value_and_grad(walks))
        results = [f(point) for point in [*steps(90), *[[0.5, 0.5, 0.5]] * 90]]
        return f.n_recordings, f.profit.eager, f.profit.replays, results

    assert run() == run()


def test_max_recordings_says_how_many_and_then_nobody_else_decides() -> None:
    f = jit(value_and_grad(walks), max_recordings=5, backend="python")
    points = steps(14)
    for point in points:
        assert f(point) == value_and_grad(walks)(point)
    assert f.n_recordings == 5
    assert f.profit is None
    assert "as many as max_recordings allows" in f.explain()


def test_short_functions_are_recorded_for_each_branch() -> None:
    @jit(backend="python")
    def f(x: Any) -> Any:
        return x * sum(1.0 for bound in range(10) if x > bound)

    for i in range(10):
        for x in (i + 0.5, i + 0.75):
            assert f(x) == x * (i + 1)
    assert f.n_recordings == 10


def test_short_functions_of_very_many_branches_are_left_to_the_eager_engine() -> None:
    @jit(backend="python")
    def f(x: Any) -> Any:
        return x * sum(1.0 for bound in range(100) if x > bound)

    for i in range(60):
        for x in (i + 0.5, i + 0.75):
            assert f(x) == x * (i + 1)
    assert f.n_recordings == FREE
    assert f.profit.eager == 2 * (60 - FREE)


def test_short_functions_that_never_take_a_branch_twice_are_left_to_the_eager_engine() -> None:
    @jit(backend="python")
    def f(x: Any) -> Any:
        return x * sum(1.0 for bound in range(100) if x > bound)

    for i in range(60):
        assert f(i + 0.5) == (i + 0.5) * (i + 1)
    assert f.n_recordings == UNSEEN
    assert f.profit.eager == 60 - UNSEEN


def test_other_arguments_are_values_to_the_function_in_every_call() -> None:
    def f(x: Any, shift: Any) -> Any:
        return walks(x) * shift.exp()

    compiled = jit(value_and_grad(f))
    wanted = [value_and_grad(walks)(point)[0] for point in steps(5)]
    for point, value in zip(steps(5), wanted, strict=True):
        assert compiled(point, 0.0)[0] == value
    assert compiled.profit.eager


def test_plain_functions_see_values_and_return_numbers() -> None:
    compiled = jit(lambda x: {"total": walks(x).tanh(), "first": x[0], "sign": x[0] > 0})
    for point in steps(6):
        result = compiled(point)
        assert result == {"total": autograd.tanh(walks(point)), "first": point[0],
                          "sign": point[0] > 0}
        assert type(result["total"]) is float
    assert compiled.profit.eager


def test_what_the_function_captures_is_returned_as_a_copy() -> None:
    table, numbers = np.ones(3), [1.0, 2.0]

    def f(x: Any) -> Any:
        return table if walks(x) > -1e300 else 0.0, numbers

    compiled = jit(f)
    for point in steps(4):
        compiled(point)[0][:] = 7.0
        compiled(point)[1].clear()
    assert compiled.profit.eager
    assert (table.tolist(), numbers) == ([1.0] * 3, [1.0, 2.0])


def test_values_from_outside_are_read_at_each_call() -> None:
    scale = Value(2.0)
    compiled = jit(lambda x: walks(x) * scale)
    for i, point in enumerate(steps(6)):
        scale.data = float(i)
        assert compiled(point) == pytest.approx(walks(point) * i, rel=1e-15)
    assert compiled.profit.eager


def test_errors_outside_a_domain_are_the_eager_engines() -> None:
    compiled = jit(grad(lambda x: walks(x) + autograd.log(x[0])))
    for point in steps(12):
        if point[0] > 0.0:
            compiled(point)
        else:
            with pytest.raises(ValueError, match="log is not defined"):
                compiled(point)
    assert compiled.profit.eager


def test_such_errors_name_the_arguments() -> None:
    compiled = jit(lambda x: walks(x) + autograd.log(x[0]))
    for point in ([1.0, 2.0, 3.0], [1.5, -2.0, 3.0]):
        compiled(point)
    with pytest.raises(ValueError, match=r"log is not defined at \(x\[0\] = -1\.0"):
        compiled([-1.0, 2.0, 3.0])
    assert compiled.profit.eager


def test_what_changes_a_captured_list_is_refused() -> None:
    seen: list[float] = []

    def f(x: Any) -> Any:
        seen.append(1.0)
        return walks(x)

    compiled = jit(f)
    with pytest.raises(RecordingError, match="seen"):
        for _ in range(STEADY + 2):
            compiled([0.1, 0.2, 0.3])


def test_a_candidate_is_shown_and_written_like_any_recording() -> None:
    compiled = jit(walks, backend="python")
    compiled([0.1, 0.2, 0.3])
    assert compiled.known(compiled.notes[-1].key).candidate is not None
    assert "def program" in compiled.source()
    assert "double" in compiled.to_c("walks").source


# --- recordings that wait -------------------------------------------------------------------------

def candidate_of(compiled: Any) -> Candidate:
    candidate = compiled.known(compiled.notes[-1].key).candidate
    assert isinstance(candidate, Candidate)
    return candidate


def test_the_program_of_a_waiting_recording_is_written_when_asked_for() -> None:
    compiled = jit(value_and_grad(walks), backend="python")
    compiled([0.1, 0.2, 0.3])
    recording = candidate_of(compiled).recording
    assert recording.graph is not None
    at_once = jit(value_and_grad(walks), max_recordings=1, backend="python")
    at_once([0.1, 0.2, 0.3])
    assert compiled.program() == at_once.program()
    assert recording.graph is None


def test_threads_that_ask_at_one_time_get_one_program() -> None:
    compiled = jit(value_and_grad(walks))
    compiled([0.1, 0.2, 0.3])
    with ThreadPoolExecutor(4) as pool:
        programs = list(pool.map(lambda _: compiled.program(), range(4)))
    assert all(program == programs[0] for program in programs)


def test_values_from_outside_may_be_edited_before_the_program_is_written() -> None:
    scale, point = Value(2.0, label="scale"), [0.3, -0.7, 1.1]

    def f(x: Any) -> Any:
        return walks(x) * scale + (scale if scale < 50.0 else 0.0)

    compiled = jit(value_and_grad(f), backend="python")
    for i in range(STEADY + 10):
        scale.data = 2.0 + i
        assert compiled(point) == value_and_grad(f)(point)
    assert compiled.profit.replays == 9
    assert "reads at each call: scale" in compiled.explain()
    assert [leaf is scale for leaf in compiled.notes[0].recording.captured] == [True]
    with no_grad():  # it may be asked for anywhere
        waiting = jit(value_and_grad(f))
        waiting(point)
        scale.data = 7.0
        assert waiting.program() == compiled.program()


def test_a_call_is_the_only_call_of_the_function() -> None:
    counter = SimpleNamespace(calls=0)

    def f(x: Any) -> Any:
        counter.calls += 1
        return walks(x)

    compiled = jit(value_and_grad(f), ignore=("calls",))
    for i, point in enumerate(steps(30)):
        compiled(point)
        assert counter.calls == i + 1
    assert compiled.n_recordings == 1


def test_what_is_changed_at_each_call_is_refused_at_the_first() -> None:
    seen: list[float] = []

    def f(x: Any) -> Any:
        seen.append(1.0)
        return walks(x)

    with pytest.raises(RecordingError, match="seen"):
        jit(value_and_grad(f))([0.1, 0.2, 0.3])


def test_what_is_set_up_at_the_first_call_may_be() -> None:
    table: dict[str, float] = {}

    def f(x: Any) -> Any:
        table.setdefault("scale", 3.0)
        return walks(x) * table["scale"]

    compiled = jit(value_and_grad(f), backend="python")
    for _ in range(STEADY + 3):
        compiled([0.1, 0.2, 0.3])
    assert compiled.profit.replays == 2


def test_another_number_that_is_read_is_another_branch() -> None:
    def with_whole(x: Any, whole: Any) -> Any:
        return walks([1.0 + 0.01 * x[0], x[1], x[2]]) * (1.0 + whole(x[0]))

    compiled = jit(value_and_grad(lambda x: with_whole(x, int)), backend="python")
    points = [[1.1, -9.0, -9.0], [1.2, -9.0, -9.0], [2.1, -9.0, -9.0]]
    held = []
    for point in points:
        whole = float(int(point[0]))
        assert compiled(point) == value_and_grad(with_whole)(point, lambda _, n=whole: n)
        held.append(candidate_of(compiled).held)
    assert held == [0, 1, 0]


def test_zero_that_is_read_is_no_outcome() -> None:
    first, second = Path(), Path()
    first.compared("==", Value(0.0), 0.0, True)
    second.compared("==", Value(1.0), 0.0, False)
    assert not first.is_same(second)


def test_selections_give_the_eager_bits_and_are_compiled_when_steady() -> None:
    def f(x: Any) -> Any:
        return walks(x.tolist()) + np.sum(np.where(x > 0.0, x * x, 1.0 / (2.0 - x)))

    compiled = jit(value_and_grad(f), backend="python")
    for point in [*np.array(steps(4)), *[np.array([0.3, -0.7, 1.1])] * 300]:
        value, slope = compiled(point)
        wanted, by_hand = value_and_grad(f)(point)
        assert value == wanted
        assert_array_equal(slope, by_hand)
    assert compiled.profit.replays > 0


def test_a_compiled_function_inside_decides_as_while_it_was_recorded() -> None:
    inner = jit(grad(lambda y: max(y, 2.0) * y), backend="python")

    def f(x: Any) -> Any:
        return walks(x) * inner(3.0)

    compiled = jit(value_and_grad(f), backend="python")
    for _ in range(STEADY + 3):
        assert compiled([0.1, 0.2, 0.3]) == value_and_grad(f)([0.1, 0.2, 0.3])
    assert compiled.profit.replays == 2


def test_comparisons_of_one_number_are_one_condition() -> None:
    def f(x: Any) -> Any:
        return sum((x[i % 3] * (i + 1.0) if x[0] > 0.0 else x[1] for i in range(500)), 0.0)

    compiled = jit(value_and_grad(f), backend="python")
    compiled([0.1, 0.2, 0.3])
    assert compiled.notes[0].backend == "python"


def test_vmap_computes_rows_of_rare_branches_by_the_eager_engine() -> None:
    rows = np.array(steps(60))
    by_rows = vmap(walks)
    assert_array_equal(by_rows(rows), [walks(row) for row in rows.tolist()])
    assert by_rows.n_recordings < 10
    assert by_rows.profit.eager > 40


def test_vmap_records_what_many_rows_take() -> None:
    rows = np.repeat(np.array(steps(6)), 100, axis=0)
    by_rows = vmap(walks)
    assert_array_equal(by_rows(rows), [walks(row) for row in rows.tolist()])
    assert by_rows.n_recordings == len({branch(row) for row in rows.tolist()})
    assert by_rows.profit.eager == 0


# --- the account ----------------------------------------------------------------------------------

def program_of(n_guards: int, length: int) -> Program:
    return Program(1, (), ("neg",) * length, tuple((i,) for i in range(length)), (length,),
                   (Guard("<", 0, 1, True),) * n_guards)


def test_long_programs_with_many_conditions_are_branchy() -> None:
    assert is_branchy(program_of(20, 200))
    assert not is_branchy(program_of(2, 20_000))
    assert not is_branchy(program_of(20, 21))
    assert not is_branchy(program_of(20, 200), 3)


def test_domains_are_no_branches() -> None:
    function = jit(lambda x: sum((1.0 / (1.0 + (x * (1.0 + i / 64.0)).exp()) for i in range(64)),
                                 0.0))
    value = function(0.5)
    assert value == function(0.5)
    assert len(function.notes[0].recording.program.guards) >= 20
    assert function.notes[0].backend and function.profit.replays == 1


def in_domains(x: Any) -> Any:
    """Its derivative has exponentials that may overflow: conditions, which nearly always hold."""
    total = 0.0
    for i in range(10):
        total = total + logsumexp([x[0] * float(j - i) + x[1] for j in range(5)])
    return total


def test_conditions_of_domains_are_no_branches() -> None:
    function = jit(value_and_grad(in_domains))
    for x in ([0.3, 0.7], [-2.0, 5.0]):
        value, slopes = function(x)
        expected, by_hand = value_and_grad(in_domains)(x)
        assert value == pytest.approx(expected, rel=1e-12)
        assert slopes == pytest.approx(by_hand, rel=1e-12)
    assert (function.n_recordings, function.profit.eager) == (1, 0)
    assert len(function.notes[0].recording.program.guards) >= 10
    assert "runs on the back end" in function.explain()


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.9, 0.97])
def test_what_is_spent_in_vain_stays_below_a_third(chance: float) -> None:
    draw, profit = np.random.default_rng(0), Profit()
    spent, held, has_candidate = 0.0, 0, False
    for call in range(1, 3000):
        is_same = has_candidate and draw.random() < chance
        if has_candidate and profit.may_look(0):
            spent += LOOKING
            profit.looked(is_same)
            held = held + 1 if is_same else 0
            if is_same:
                profit.eager += 1
                continue
        if profit.may_record():
            profit.recorded(is_branchy=True, waits=True)
            has_candidate = True
            spent += RECORDING
        else:
            profit.eager += 1
        assert spent <= RECORDING + call / 3.0
    assert has_candidate


# --- short functions that decide ------------------------------------------------------------------

SHORT_PROGRAMS = short_programs()


@pytest.mark.parametrize("name", SHORT_PROGRAMS)
def test_short_functions_cost_a_recording_over_60_calls_and_give_the_eager_bits(name: str) -> None:
    program = SHORT_PROGRAMS[name]
    eager, compiled = value_and_grad(program.function), jit(value_and_grad(program.function))
    for point in program.points(60):
        value, slope = compiled(point)
        wanted, by_hand = eager(point)
        assert value == wanted
        assert_array_equal(slope, by_hand)
    assert compiled.n_recordings == 1
    assert compiled.profit.eager == 59
    assert not compiled.notes[0].backend
    assert "is not compiled before" in compiled.explain()
    assert "59 call(s) were computed by the eager engine" in compiled.explain()


def by_pieces(x: Any) -> Any:
    return autograd.exp(x) * x if x > 1.0 else x * x


def test_a_branch_that_many_calls_take_is_replayed_in_python_with_the_eager_bits() -> None:
    compiled, numbers = jit(value_and_grad(by_pieces)), [1.5, 0.5, 2.5, 0.25]
    for i in range(1_000):
        x = numbers[i % 4] + i / 1024.0 % 0.25
        assert compiled(x) == value_and_grad(by_pieces)(x)
    assert compiled.n_recordings == 2
    assert all(note.backend for note in compiled.notes)
    assert compiled.profit.replays > 700


def test_the_decisions_about_short_functions_are_the_same_in_every_run() -> None:
    def run() -> tuple[int, int, int, list[Any]]:
        f = jit(value_and_grad(by_pieces))
        results = [f(i % 7 / 2.0) for i in range(500)]
        return f.n_recordings, f.profit.eager, f.profit.replays, results

    assert run() == run()


def test_a_change_of_what_it_captures_is_seen_by_waiting_branches() -> None:
    scale = {"by": 2.0}
    compiled = jit(value_and_grad(lambda x: scale["by"] * x if x > 0.0 else x))
    for i in range(300):
        scale["by"] = 2.0 + i // 100
        assert compiled(1.5) == (1.5 * scale["by"], scale["by"])


def test_a_memory_of_its_own_is_an_error_before_it_is_replayed() -> None:
    memory = iter(range(1_000_000))

    class Hidden:
        __slots__ = ()

        def __float__(self) -> float:
            return float(next(memory))

    compiled = jit(lambda x: x * float(HIDDEN) if x > 0.0 else x)
    HIDDEN = Hidden()
    with pytest.raises(RecordingError):
        for _ in range(200):
            compiled(1.0)


def test_a_named_back_end_records_each_branch_at_its_first_call() -> None:
    compiled = jit(by_pieces, backend="python")
    compiled(0.5), compiled(1.5)
    assert all(note.backend for note in compiled.notes)


@pytest.mark.parametrize("chance", [0.0, 0.1, 0.5, 0.97])
def test_what_short_functions_spend_in_vain_stays_below_a_third(chance: float) -> None:
    draw, profit, spent, counts = np.random.default_rng(0), Profit(), 0.0, Counter[int]()
    profit.recorded(is_branchy=False, waits=True, is_short=True)
    for call in range(1, 3000):
        assert spent <= call / 3.0
        if not profit.may_count():
            profit.eager += 1
            continue
        spent += LOOKING
        path = 0 if draw.random() < chance else call
        counts[path] += 1
        profit.looked(counts[path] > 1)
        if counts[path] >= OFTEN:
            spent += RECORDING + TRANSLATING
            profit.recorded(is_branchy=False, waits=False, is_short=True)
        profit.eager += 1
