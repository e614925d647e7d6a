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
from autograd.compiler.trace.joined_checks import joined
from autograd.compiler.trace.sameness import entry_check

TABLE = [1.0, 2.0]


@pytest.fixture(autouse=True, params=["written out", "in loops"])
def _written_out(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to check must find the same."""
    if request.param == "in loops":
        monkeypatch.setattr(joined_checks, "WRITTEN_OUT", 0)


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
