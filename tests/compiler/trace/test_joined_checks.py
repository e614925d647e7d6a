"""Checks of captured state, joined: all hold exactly where each of them holds."""

from __future__ import annotations

import sys
import types
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from autograd import jit
from autograd.compiler.trace import joined_checks
from autograd.compiler.trace.captured_state import Watch
from autograd.compiler.trace.joined_checks import FunctionCheck, joined
from autograd.compiler.trace.sameness import entry_check

TABLE = [1.0, 2.0]


@pytest.fixture(autouse=True, params=["written out", "in loops", "written out, heard",
                                      "in loops, heard"])
def _written_out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All ways to check must find the same, also where an audit hook listens."""
    if request.param.startswith("in loops"):
        monkeypatch.setattr(joined_checks, "WRITTEN_OUT", 0)
    monkeypatch.setattr(joined_checks, "audits", [True] if "heard" in request.param else [])


class Base:
    rate = 0.5

    def above(self) -> float:
        return self.rate


class Slotted:
    __slots__ = ("number", "unset")

    def __init__(self) -> None:
        self.number = 3.0


class Model(Base):
    def __init__(self) -> None:
        self.weight, self.table, self.names = 2.0, {"a": 1.0}, ["x"]
        self.slotted = Slotted()
        self.options = {"set"}

    def below(self, x: float = 1.0) -> float:
        return x

    def __call__(self, x: float) -> float:
        local = make()
        return (self.below(x) * self.weight + self.above() + self.table["a"] + TABLE[0]
                + self.slotted.number + local(x) + len(self.names) + len(self.options))


def make() -> Callable[[float], float]:
    factor = 2.0
    return lambda x: x * factor


CLOSED = make()


def watched() -> tuple[Model, Watch]:
    model = Model()
    watch = Watch(lambda x: model(x) + CLOSED(x))
    watch.settle()
    return model, watch


def cell(function: Callable[..., Any]) -> Any:
    assert isinstance(function, types.FunctionType) and function.__closure__ is not None
    return function.__closure__[0]


CHANGES: dict[str, Callable[[Model, pytest.MonkeyPatch], None]] = {
    "an attribute": lambda m, patch: setattr(m, "weight", 2.5),
    "an attribute that is gone": lambda m, patch: delattr(m, "weight"),
    "a new attribute": lambda m, patch: setattr(m, "above", lambda: 1.0),
    "another class": lambda m, patch: setattr(m, "__class__", type("Other", (Model,), {})),
    "another dictionary": lambda m, patch: setattr(m, "__dict__", dict(m.__dict__)),
    "an attribute of a class above": lambda m, patch: patch.setattr(Base, "rate", 0.25),
    "a method": lambda m, patch: patch.setattr(Base, "above", lambda self: 0.0),
    "a new method": lambda m, patch: patch.setattr(Model, "above", lambda s: 0.0, raising=False),
    "code": lambda m, patch: patch.setattr(Model.below, "__code__", (lambda self, x: 0.0).__code__),
    "defaults": lambda m, patch: patch.setattr(Model.below, "__defaults__", (2.0,)),
    "a slot": lambda m, patch: setattr(m.slotted, "number", 4.0),
    "a slot that is gone": lambda m, patch: delattr(m.slotted, "number"),
    "a slot that was not set": lambda m, patch: setattr(m.slotted, "unset", 4.0),
    "an item": lambda m, patch: m.names.__setitem__(0, "y"),
    "an entry": lambda m, patch: m.table.update(a=2.0),
    "another entry": lambda m, patch: m.table.update(b=2.0),
    "an entry with another key": lambda m, patch: m.table.update(b=m.table.pop("a")),
    "a longer list": lambda m, patch: m.names.append("y"),
    "a longer set": lambda m, patch: m.options.add("y"),
    "a variable": lambda m, patch: patch.setattr(sys.modules[__name__], "TABLE", [7.0, 2.0]),
    "a variable that is gone": lambda m, patch: patch.delattr(sys.modules[__name__], "make"),
    "a built-in function that is hidden": lambda m, patch: patch.setattr(
        sys.modules[__name__], "len", lambda x: 0, raising=False),
    "a cell": lambda m, patch: patch.setattr(cell(CLOSED), "cell_contents", 3.0),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_every_kind_of_change_is_seen(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, watch = watched()
    assert watch.changed() is None and all(check() for check in watch.quick)
    CHANGES[kind](model, monkeypatch)
    assert watch.changed() is not None
    assert not all(check() for check in watch.quick)


def test_nothing_but_a_few_checks_is_left() -> None:
    assert len(watched()[1].quick) <= 4


def test_equal_numbers_in_place_of_others_are_no_change() -> None:
    model, watch = watched()
    model.weight = float("2.0")
    model.table["a"] = float("1.0")
    model.names[0] = "".join(["x"])
    model.slotted.number = float("3.0")
    assert watch.changed() is None and all(check() for check in watch.quick)
    model.weight = 2  # type: ignore[assignment]
    assert watch.changed() is not None and not all(check() for check in watch.quick)


def test_minus_zero_is_a_change() -> None:
    model, watch = watched()
    model.weight = 0.0
    _, watch = model, Watch(model)
    watch.settle()
    model.weight = -0.0
    assert not all(check() for check in watch.quick)


def test_a_dictionary_that_fills_itself_is_not_touched() -> None:
    space: Any = defaultdict(float, a=1.0)
    checks = joined([entry_check(space, "a", space["a"])])
    assert all(check() for check in checks)
    del space["a"]
    assert not all(check() for check in checks)
    assert "a" not in space


@pytest.mark.parametrize("change", [
    lambda f: setattr(f, "__code__", (lambda x, n=1: x).__code__),
    lambda f: setattr(f, "__defaults__", (1.0,)), lambda f: setattr(f, "__defaults__", (True,)),
    lambda f: setattr(f, "__defaults__", None),
    lambda f: setattr(f, "__kwdefaults__", {"other": 1})])
@pytest.mark.parametrize("has_defaults", [False, True])
def test_changes_of_functions_are_seen(change: Any, has_defaults: bool) -> None:
    def without(x: Any) -> Any:
        return x

    def having(x: Any, n: int = 1) -> Any:
        return x

    function = having if has_defaults else without
    before = function.__code__, function.__defaults__, function.__kwdefaults__
    (check,) = joined([FunctionCheck(function), FunctionCheck(make)])
    assert check()
    assert check()
    change(function)
    is_same = before == (function.__code__, function.__defaults__, function.__kwdefaults__) and (
        before[1] is function.__defaults__)
    assert check() == is_same
    function.__code__, function.__defaults__, function.__kwdefaults__ = before
    assert check()


def test_what_is_no_part_of_a_functions_code_may_change() -> None:
    def function(x: Any) -> Any:
        return x

    (check,) = joined([FunctionCheck(function)])
    assert check()
    function.__doc__, function.mark = "another", 1  # type: ignore[attr-defined]
    assert function.__annotations__
    assert check()
    function.__defaults__ = (2.0,)
    assert not check()


def test_an_audit_hook_is_told_once_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(joined_checks, "audits", [True])
    (check,) = joined([FunctionCheck(make), FunctionCheck(joined), FunctionCheck(entry_check)])
    assert check()
    sys.addaudithook(lambda event, arguments: told.append(event) if is_on else None)
    is_on = True
    assert check()
    is_on = False
    assert told == ["gc.get_referents"]


def test_the_checks_of_a_compiled_function_are_written_out_once_it_is_called_again() -> None:
    scale = {"by": 2.0}
    f = jit(lambda x: x * scale["by"])
    assert f(1.0) == 2.0
    (known,) = f._known.values()
    assert not known.watch.is_written_out
    scale["by"] = 3.0
    assert f(1.0) == 3.0
    (known,) = f._known.values()
    assert f(1.0) == 3.0
    assert known.watch.is_written_out
    scale["by"] = 4.0
    assert f(1.0) == 4.0
    assert f.n_recordings == 3
