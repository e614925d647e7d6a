"""jit(f, ignore=...): counters that a replay may leave out, and on which nothing may hang."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from autograd import RecordingError, grad, jit, value_and_grad, vmap


class Count:
    """Counters of their own."""

    def __init__(self) -> None:
        self.nfev = 0
        self.log: list[Any] = []


class Problem:
    """A function that counts its calls, as SciPy's collections do."""

    def __init__(self) -> None:
        self.nfev = 0
        self.scale = 3.0
        self.count = Count()

    def fun(self, x: Any) -> Any:
        self.nfev += 1
        return self.scale * x[0] ** 2 + x[1]

    def nested(self, x: Any) -> Any:
        self.count.nfev = self.count.nfev + 1
        self.count.log.append(x[0])
        return self.scale * x[0] ** 2 + x[1]

    def bounded(self, x: Any) -> Any:
        self.nfev += 1
        if self.nfev > 100:
            return x[0]
        return x[1]

    def weighted(self, x: Any) -> Any:
        self.nfev += 1
        return x[0] * self.nfev

    @jit(ignore="nfev")
    def decorated(self, x: Any) -> Any:
        self.nfev += 1
        return self.scale * x[0] ** 2


def test_a_counter_is_an_error_that_names_ignore() -> None:
    with pytest.raises(RecordingError, match=r'nfev.*jit\(f, ignore=\("nfev",\)\)'):
        jit(Problem().fun)([1.0, 2.0])


def test_a_counter_that_is_ignored_is_left_out_by_replays() -> None:
    problem = Problem()
    f = jit(problem.fun, ignore=("nfev",))
    assert [f([float(i), 1.0]) for i in range(5)] == [3.0 * i * i + 1.0 for i in range(5)]
    assert f.n_recordings == 1
    assert problem.nfev == 1
    assert type(problem.nfev) is int
    problem.nfev = 77
    assert f([2.0, 1.0]) == 13.0
    assert f.n_recordings == 1


def test_what_is_not_ignored_is_watched_as_ever() -> None:
    problem = Problem()
    f = jit(problem.fun, ignore=("nfev",))
    assert f([1.0, 0.0]) == 3.0
    problem.scale = 5.0
    assert f([1.0, 0.0]) == 5.0


def test_derivatives_and_rows_ignore_it_too() -> None:
    problem = Problem()
    f = jit(problem.fun, ignore=("nfev",))
    assert grad(f)([1.0, 2.0]) == [6.0, 1.0]
    assert value_and_grad(f)([2.0, 2.0]) == (14.0, [12.0, 1.0])
    assert vmap(f)(np.array([[1.0, 2.0], [0.0, 1.0]])).tolist() == [5.0, 1.0]
    assert f.scipy().fun(np.array([1.0, 2.0])) == 5.0
    assert jit(value_and_grad(problem.fun), ignore="nfev")([2.0, 2.0]) == (14.0, [12.0, 1.0])
    assert type(problem.nfev) is int


def test_nested_names_and_lists() -> None:
    problem = Problem()
    f = jit(problem.nested, ignore=("self.count.nfev", "log"))
    assert [f([float(i), 1.0]) for i in range(4)] == [3.0 * i * i + 1.0 for i in range(4)]
    assert f.n_recordings == 1
    assert problem.count.nfev == 1
    assert problem.count.log == [0.0]
    assert type(problem.count.log) is list
    assert type(problem.count.log[0]) is float


def test_a_nested_name_names_no_other() -> None:
    problem = Problem()
    with pytest.raises(RecordingError, match="nfev"):
        jit(problem.fun, ignore=("self.count.nfev",))([1.0, 2.0])


def test_variables_of_outer_functions_and_of_modules() -> None:
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return x * 2.0

    compiled = jit(f, ignore=("calls",))
    assert [compiled(float(i)) for i in range(3)] == [0.0, 2.0, 4.0]
    assert (calls, compiled.n_recordings) == (1, 1)

    def g(x: Any) -> Any:
        global total
        total += 0.5
        return x * 3.0

    compiled = jit(g, ignore=("total",))
    assert [compiled(float(i)) for i in range(3)] == [0.0, 3.0, 6.0]
    assert (total, compiled.n_recordings) == (0.5, 1)


total = 0.0


def test_attributes_of_classes() -> None:
    class Counting:
        calls = 0

        def fun(self, x: Any) -> Any:
            Counting.calls += 1
            return x * 2.0

        def own(self, x: Any) -> Any:
            self.calls += 1
            return x * 2.0

    item = Counting()
    f = jit(item.fun, ignore=("calls",))
    assert [f(1.0), f(2.0)] == [2.0, 4.0]
    assert Counting.calls == 1
    f = jit(item.own, ignore=("calls",))
    assert [f(1.0), f(2.0)] == [2.0, 4.0]
    assert type(item.calls) is int
    assert type(Counting.calls) is int


def test_decorated_methods() -> None:
    problem = Problem()
    assert problem.decorated([2.0, 0.0]) == 12.0
    assert problem.decorated([3.0, 0.0]) == 27.0
    assert problem.decorated.n_recordings == 1


@pytest.mark.parametrize(("name", "why"), [("bounded", "decides by it"),
                                           ("weighted", "computed with")])
def test_a_result_that_hangs_on_it_is_an_error(name: str, why: str) -> None:
    problem = Problem()
    with pytest.raises(RecordingError, match=f"nfev.*{why}"):
        jit(getattr(problem, name), ignore=("nfev",))([1.0, 2.0])
    assert type(problem.nfev) is int


ON_COUNTER = [
    lambda s, x: x * float(s.nfev), lambda s, x: x * [1.0, 2.0, 3.0][s.nfev],
    lambda s, x: sum((x for _ in range(s.nfev)), x), lambda s, x: x + s.nfev * 2,
    lambda s, x: 2 - s.nfev + x, lambda s, x: x if s.nfev else -x,
    lambda s, x: x if s.nfev == 3 else -x, lambda s, x: (x, s.nfev),
    lambda s, x: x ** s.nfev, lambda s, x: x * np.exp(s.nfev), lambda s, x: x * round(s.nfev),
    lambda s, x: x * len(s.log), lambda s, x: x * (s.log[-1] if s.log else 1.0),
    lambda s, x: x + sum(s.log), lambda s, x: x * (np.ones(2) * s.nfev)[0],
    lambda s, x: x * {0: 1.0}.get(s.nfev, 2.0), lambda s, x: [x, s.log]]


@pytest.mark.parametrize("f", ON_COUNTER)
def test_every_way_to_hang_on_it_is_an_error(f: Any) -> None:
    count = Count()
    count.log.append(1.0)
    with pytest.raises(RecordingError, match="must not influence"):
        jit(lambda x: f(count, x), ignore=("nfev", "log"))(2.0)
    assert (count.nfev, count.log) == (0, [1.0])
    assert type(count.nfev) is int


def test_a_caught_refusal_stays_one() -> None:
    count = Count()

    def f(x: Any) -> Any:
        try:
            return x * count.nfev
        except Exception:
            return x

    with pytest.raises(RecordingError, match="must not influence"):
        jit(f, ignore="nfev")(1.0)


def test_it_is_put_back_if_the_function_fails() -> None:
    problem = Problem()

    def f(x: Any) -> Any:
        problem.nfev += 1
        raise KeyError("none")

    with pytest.raises(KeyError):
        jit(f, ignore="nfev")(1.0)
    assert (problem.nfev, type(problem.nfev)) == (1, int)


def test_the_number_of_a_value_that_is_kept() -> None:
    problem = Problem()

    def f(x: Any) -> Any:
        problem.nfev = x * 2.0
        return x

    compiled = jit(f, ignore="nfev")
    assert [compiled(2.0), compiled(3.0)] == [2.0, 3.0]
    assert (problem.nfev, type(problem.nfev)) == (4.0, float)


def test_what_is_no_number_cannot_be_ignored() -> None:
    problem = Problem()
    with pytest.raises(TypeError, match="count, which is a Count"):
        jit(problem.nested, ignore=("count",))([1.0, 2.0])


def squares(x: Any) -> Any:
    global total
    total += 1.0
    return x * x


def test_it_is_pickled_and_copied() -> None:
    for make in (pickle.dumps, copy.deepcopy):
        made: Any = make(jit(squares, ignore=("total",)))
        again = pickle.loads(made) if isinstance(made, bytes) else made
        assert again.ignore == ("total",)
        assert again(3.0) == 9.0
        assert pickle.loads(pickle.dumps(grad(again)))(3.0) == 6.0
        assert pickle.loads(pickle.dumps(vmap(again))).ignore == ("total",)


@pytest.mark.parametrize("ignore", [("a b",), "3", ("",), ("a.",)])
def test_no_names(ignore: Any) -> None:
    with pytest.raises(ValueError, match="which is no name"):
        jit(squares, ignore=ignore)


@pytest.mark.parametrize("ignore", [3, (3,), None, {"a": 1}])
def test_no_sequences_of_names(ignore: Any) -> None:
    with pytest.raises(TypeError, match="must be a tuple of names"):
        jit(squares, ignore=ignore)


def test_a_compiled_function_takes_no_more_names() -> None:
    with pytest.raises(TypeError, match="compiled already"):
        jit(jit(squares, ignore="total"), ignore="other")


# --- names that occur nowhere ---------------------------------------------------------------------

@pytest.mark.parametrize("name", ["nfevv", "self.nfevv", "cuont.nfev"])
def test_a_name_that_occurs_nowhere_is_an_error_that_says_which_do(name: str) -> None:
    problem = Problem()
    with pytest.raises(RecordingError, match=f"'{name}', which occurs nowhere .* called nfev"):
        jit(problem.fun, ignore=name)([1.0, 2.0])
    assert problem.nfev == 0


def test_a_name_that_occurs_nowhere_is_an_error_of_derivatives_and_rows_too() -> None:
    with pytest.raises(RecordingError, match="nfevv"):
        jit(value_and_grad(Problem().fun), ignore=("nfev", "nfevv"))([1.0, 2.0])
    with pytest.raises(RecordingError, match="nfevv"):
        vmap(jit(Problem().fun, ignore=("nfev", "nfevv")))([[1.0, 2.0]])


def test_where_nothing_is_captured_the_error_says_so() -> None:
    with pytest.raises(RecordingError, match="captures no numbers and no lists"):
        jit(lambda x: x * x, ignore="calls")(1.0)


class Lazy:
    """Makes its counter at the first call, by a name that is put together or is not."""

    def by_text(self, x: Any) -> Any:
        setattr(self, "calls", getattr(self, "calls", 0) + 1)  # noqa: B010
        return x * x

    def by_name(self, x: Any) -> Any:
        if not hasattr(self, "calls"):
            self.calls = 0
        self.calls += 1
        return x * x

    def put_together(self, x: Any) -> Any:
        vars(self)["ca" + "lls"] = 1
        return x * x


@pytest.mark.parametrize("method", ["by_text", "by_name", "put_together"])
def test_names_that_may_come_into_being_are_no_such_error(method: str) -> None:
    lazy = Lazy()
    lazy.calls = 0
    function = jit(getattr(lazy, method), ignore="calls")
    assert function(3.0) == function(3.0) == 9.0


def test_a_name_that_only_the_code_mentions_is_no_such_error() -> None:
    class Later:
        def fun(self, x: Any) -> Any:
            if x > 1e300:
                self.rare = 1
            return x * x

    assert jit(Later().fun, ignore="rare")(3.0) == 9.0
