"""A second training of the same model replays what the first recorded, and never another thing."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import nn
from autograd import Value
from autograd.compiler import compiled
from nn.compiled_training import Training
from nn.kept_training import leave, taken

X = np.random.default_rng(0).normal(size=(12, 3))
Y = X[:, 0] - 0.5 * X[:, 1]


def train(model: nn.Module, optimizer: Any = "sgd", y: Any = Y, rows: Any = X,
          **options: Any) -> nn.History:
    return nn.fit(model, rows, y, optimizer=optimizer, progress=False,
                  **{"epochs": 3, "batch_size": 5, **options})


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was recorded so far."""
    made: list[Any] = []
    record = compiled.record

    def counted(*arguments: Any) -> Any:
        made.append(arguments[0])
        return record(*arguments)

    monkeypatch.setattr(compiled, "record", counted)
    return made


def as_eager(model: nn.Module, first: Callable[[nn.Module, bool], Any],
             second: Callable[[nn.Module, bool], nn.History]) -> None:
    """Compare two trainings in turn with what the eager engine makes of them."""
    other = copy.deepcopy(model)
    first(model, True)
    fast = second(model, True)
    first(other, False)
    slow = second(other, False)
    assert fast.loss == pytest.approx(slow.loss, rel=1e-11)
    assert fast.engine != "eager"
    assert [p.data for p in model.parameters()] == pytest.approx(
        [p.data for p in other.parameters()], rel=1e-9, abs=1e-13)


def test_a_second_training_records_nothing(recordings: list[Any]) -> None:
    model = nn.MLP(3, [4, 1], activation="tanh", seed=0)
    optimizer = nn.Adam(model.parameters(), 0.01)
    train(model, optimizer)
    assert recordings
    recordings.clear()
    assert train(model, optimizer).engine != "eager"
    assert not recordings


def test_an_optimizer_by_its_name_is_another_one_of_the_same_kind(recordings: list[Any]) -> None:
    model = nn.MLP(3, [4, 1], activation="tanh", seed=0)
    train(model, "adam")
    n = len(recordings)
    recordings.clear()
    train(model, "adam")
    assert len(recordings) < n
    assert not any(f.__name__ == "one_row" for f in recordings if hasattr(f, "__name__"))


def set_numbers(model: Any) -> None:
    model.load_state_dict({name: np.multiply(0.5, part).tolist()
                           for name, part in model.state_dict().items()})


def add_a_neuron(model: Any) -> None:
    model.layers[0].neurons.append(nn.Neuron(3, "tanh"))
    for value in model.layers[0].neurons[-1].w:
        value.data = 0.25
    model.layers[1].neurons[0].w.append(Value(0.5))


def replace_a_weight(model: Any) -> None:
    model.layers[0].neurons[1].w[2] = Value(0.125)


def other_activation(model: Any) -> None:
    neuron = model.layers[0].neurons[0]
    neuron.activation, neuron._activate = "sigmoid", lambda value: value.sigmoid()


def share_a_weight(model: Any) -> None:
    first, second = model.layers[0].neurons[:2]
    first.w[0] = second.w[0]


@pytest.mark.parametrize("edit", [set_numbers, add_a_neuron, replace_a_weight, other_activation,
                                  share_a_weight])
def test_what_was_edited_in_between_is_seen(edit: Callable[[Any], None]) -> None:
    def first(model: nn.Module, compiled: bool) -> None:
        train(model, "adam", compiled=compiled)
        edit(model)

    as_eager(nn.MLP(3, [4, 1], activation="tanh", seed=0), first,
             lambda model, compiled: train(model, "adam", compiled=compiled))


@pytest.mark.parametrize("options", [
    {"l2": 0.1}, {"optimizer": "rmsprop"}, {"learning_rate": 0.03}, {"loss": "hinge"},
    {"loss": nn.Loss("cubes", lambda a, t: abs(a - t) ** 3, lambda t, place, outputs: float(t))},
    {"rows": X[:5] * 2.0, "y": Y[:5]}, {"batch_size": None}, {"seed": 4}], ids=str)
def test_another_training_of_the_same_model_is_that_one(options: dict[str, Any]) -> None:
    if options.get("loss") == "hinge":
        options = {**options, "y": np.sign(Y)}
    as_eager(nn.MLP(3, [4, 1], activation="tanh", seed=0),
             lambda model, compiled: train(model, compiled=compiled),
             lambda model, compiled: train(model, compiled=compiled, **options))


@pytest.mark.parametrize("edit", [
    lambda optimizer: setattr(optimizer, "momentum", 0.5),
    lambda optimizer: setattr(optimizer, "weight_decay", 0.1),
    lambda optimizer: setattr(optimizer, "schedule", nn.schedules.linear(0.1, 0.01, 9)),
    lambda optimizer: setattr(optimizer, "steps", 1),
    lambda optimizer: optimizer.load_state_dict(
        {"steps": 0.0, "velocity": [0.0] * len(optimizer.parameters)}),
    lambda optimizer: optimizer.parameters.reverse()])
def test_an_optimizer_that_was_edited_is_taken_as_it_is(edit: Callable[[Any], None]) -> None:
    made: dict[int, nn.Optimizer] = {}

    def first(model: nn.Module, compiled: bool) -> None:
        made[id(model)] = optimizer = nn.SGD(
            model.parameters(), nn.schedules.linear(0.05, 0.01, 20), momentum=0.9)
        train(model, optimizer, compiled=compiled)
        edit(optimizer)

    as_eager(nn.MLP(3, [4, 1], activation="tanh", seed=0), first,
             lambda model, compiled: train(model, made[id(model)], compiled=compiled))


def test_a_rule_that_was_put_in_the_place_of_another_is_seen(
        monkeypatch: pytest.MonkeyPatch) -> None:
    def descend(self: Any, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - 0.5 * scalars[0] * gradient, memory

    def first(model: nn.Module, compiled: bool) -> None:
        monkeypatch.undo()
        made[id(model)] = nn.SGD(model.parameters(), 0.05)
        train(model, made[id(model)], compiled=compiled)
        monkeypatch.setattr(nn.SGD, "rule", descend)

    made: dict[int, nn.Optimizer] = {}
    as_eager(nn.MLP(3, [4, 1], activation="tanh", seed=0), first,
             lambda model, compiled: train(model, made[id(model)], compiled=compiled))


class Branching(nn.Module):
    """Decides by a parameter, and uses a Value that is trained by nobody."""

    def __init__(self, scale: Value) -> None:
        self.w, self._scale = Value(1.0), [lambda: scale]

    def __call__(self, x: Any) -> Any:
        scaled = self.w * x[0] * self._scale[0]()
        return scaled * 2.0 if self.w > 0.0 else scaled * scaled


def test_a_decision_by_other_numbers_is_recorded_anew() -> None:
    def first(model: Any, compiled: bool) -> None:
        train(model, learning_rate=0.001, compiled=compiled)
        model.w.data = -1.0

    as_eager(Branching(Value(2.0)), first,
             lambda model, compiled: train(model, learning_rate=0.001, compiled=compiled))


class Turning(nn.Module):
    """Takes another branch once its parameter is small."""

    def __init__(self) -> None:
        self.w = Value(1.0)

    def __call__(self, x: Any) -> Any:
        scaled = self.w * x[0]
        return scaled * 2.0 if self.w > 0.5 else scaled * scaled + self.w


@pytest.mark.parametrize("patience", [None, 10])
def test_another_branch_in_a_later_epoch_goes_on_from_there(patience: int | None) -> None:
    rows, y = np.ones((4, 1)), -np.ones(4)
    results, reasons = [], []
    for is_compiled in (True, False):
        model = Turning()
        options = {"rows": rows, "y": y, "compiled": is_compiled, "patience": patience}
        train(model, learning_rate=1e-6, epochs=1, **options)
        history = train(model, learning_rate=0.02, epochs=9, **options)
        results.append((history.loss, model.w.data))
        reasons.append(history.reason)
    assert "up to epoch 3, then" in reasons[0]
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-11)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-11)


def test_a_value_that_is_not_trained_is_read_again() -> None:
    results = []
    for is_compiled in (True, False):
        scale = Value(2.0)
        model = Branching(scale)
        train(model, learning_rate=0.001, compiled=is_compiled)
        scale.data = 0.25
        history = train(model, learning_rate=0.001, compiled=is_compiled)
        results.append((history.loss, model.w.data))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-11)
    assert results[0][1] == pytest.approx(results[1][1], rel=1e-11)


@pytest.mark.parametrize("options", [
    {"backend": "numpy"}, {"backend": "numpy", "threads": 2}, {"threads": 2}], ids=str)
def test_another_back_end_or_other_threads_are_taken(options: dict[str, Any],
                                                     recordings: list[Any]) -> None:
    model = nn.MLP(3, [4, 1], activation="tanh", seed=0)
    optimizer = nn.Adam(model.parameters(), 0.01)
    usual = train(model, optimizer)
    recordings.clear()
    compiled = []
    for asked in (options, options, {}):
        history = train(model, optimizer, **asked)
        found = (history.engine, history.reason)
        engine = asked.get("backend", usual.engine)
        assert found == (engine, 'backend="numpy" was asked for' if "backend" in asked
                         else usual.reason)
        training = taken(model, Training)
        assert training is not None
        leave(model, training)
        compiled.append(training)
    assert compiled[0] is compiled[1] is not compiled[2]
    assert not recordings  # what was recorded serves all of them


def test_two_threads_do_not_share_a_training() -> None:
    model = nn.MLP(3, [4, 1], activation="tanh", seed=0)
    train(model)
    found: list[Any] = []
    waiting = threading.Barrier(8)

    def take() -> None:
        waiting.wait()
        found.append(taken(model, Training))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(training is not None for training in found) == 1


def test_a_model_that_is_dropped_is_freed() -> None:
    model = nn.MLP(3, [4, 1], seed=0)
    optimizer = nn.SGD(model.parameters(), 0.1)
    train(model, optimizer)
    watched = weakref.ref(model)
    del model, optimizer
    gc.collect()
    assert watched() is None


def test_what_is_kept_is_no_part_of_the_model() -> None:
    model = nn.MLP(3, [4, 1], seed=0)
    before = list(vars(model))
    train(model)
    assert list(vars(model)) == before
    copied = (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model)))
    for other in copied:
        assert taken(other, Training) is None
        assert list(vars(other)) == before
    assert taken(model, Training) is not None


class WithSlots(nn.Module):
    __slots__ = ("scale",)

    def __init__(self, scale: float) -> None:
        self.scale, self.w = scale, Value(1.0)


def test_slots_of_ones_own_are_copied() -> None:
    model = WithSlots(3.0)
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert (other.scale, other.w.data) == (3.0, 1.0)
