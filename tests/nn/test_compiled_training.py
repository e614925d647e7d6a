"""Compiled training: the same history as the eager engine's, to rounding, and the same manners."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import nn
from autograd import Value, primitive
from autograd.compiler.backends import choice as backends
from autograd.compiler.backends.llvm.training_loop import Descent
from autograd.compiler.backends.llvm.training_loop_codegen import training_loop
from autograd.extend import unregister
from nn import schedules
from nn.compiled_training import ArrayTraining, MachineTraining, compile_training
from nn.job import checked_job
from nn.recorded_rule import EagerOnly

X = np.random.default_rng(0).normal(size=(23, 3))
SIGNS = np.where(X[:, 0] > X[:, 1], 1.0, -1.0)
CASES: dict[str, tuple[Any, int]] = {
    "hinge": (SIGNS, 1), "binary_cross_entropy_with_logits": ((SIGNS + 1) / 2, 1),
    "binary_cross_entropy": ((SIGNS + 1) / 2, 1),
    "mean_squared_error": (X[:, :2] * 2.0, 2), "cross_entropy": (np.argmax(X, axis=1), 3)}


def run(compiled: bool, loss: str, **options: Any) -> tuple[nn.History, nn.Module]:
    y = CASES[loss][0]
    model = model_for(loss, options.pop("activation", "tanh"))
    optimizer = options.pop("optimizer", "sgd")
    if callable(optimizer):
        optimizer = optimizer(model.parameters())
    options.setdefault("epochs", 6)
    history = nn.fit(model, X, y, loss=loss, optimizer=optimizer, progress=False,
                     compiled=compiled, **options)
    return history, model


def model_for(loss: str, activation: Any = "tanh") -> nn.MLP:
    output = "sigmoid" if loss == "binary_cross_entropy" else "linear"
    return nn.MLP(3, [6, CASES[loss][1]], activation=activation, output=output, seed=2)


def training_of(model: nn.Module, loss: Any, y: Any, optimizer: Any = "sgd") -> Any:
    job = checked_job(model, X, y, loss, optimizer, 0.0, None, None)
    return compile_training(job.model, job.loss, job.optimizer, job.rows, job.targets, 0.0)


@pytest.fixture(params=["machine code", "numpy"])
def back_end(request: Any, monkeypatch: pytest.MonkeyPatch) -> type:
    """Both ways to train; without llvmlite the second."""
    if request.param == "machine code":
        return MachineTraining
    monkeypatch.setattr(backends, "_has_llvm", lambda: False)
    return ArrayTraining


@pytest.mark.parametrize("loss", CASES)
@pytest.mark.parametrize("options", [
    {}, {"batch_size": 7, "seed": 3}, {"l2": 0.01}, {"optimizer": "adam"},
    {"optimizer": lambda p: nn.SGD(p, schedules.linear(0.5, 0.1, 6), momentum=0.9,
                                   weight_decay=0.01)},
    {"activation": "relu"}, {"activation": "sigmoid"}, {"activation": "softplus"},
    {"patience": 1, "learning_rate": 1.5}])
def test_the_history_is_the_eager_one_to_rounding(loss: str, options: dict[str, Any],
                                                  back_end: type) -> None:
    y, _ = CASES[loss]
    assert type(training_of(model_for(loss), loss, y)) is back_end
    eager, eager_model = run(False, loss, **options)
    fast, fast_model = run(True, loss, **options)
    assert (eager.engine, fast.engine) == ("eager", back_end.engine)  # type: ignore[attr-defined]
    assert fast.loss == pytest.approx(eager.loss, rel=1e-11)
    assert fast.accuracy == eager.accuracy
    assert fast.learning_rate == eager.learning_rate
    assert fast.stopped == eager.stopped
    assert [p.data for p in fast_model.parameters()] == pytest.approx(
        [p.data for p in eager_model.parameters()], rel=1e-9, abs=1e-12)


def test_the_same_seed_gives_the_same_bits() -> None:
    states = [run(True, "cross_entropy", batch_size=4, seed=5)[1].state_dict() for _ in range(2)]
    assert states[0] == states[1]


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_the_loop_is_sound_code_for_every_width_of_registers(lanes: int) -> None:
    import llvmlite.binding as llvm

    module = llvm.parse_assembly(training_loop(lanes))
    module.verify()
    assert [f.name for f in module.functions if not f.is_declaration] == [
        "each_piece", "gather", "move", "descend"]
    assert f"<{lanes} x double>" in str(module)
    assert f"<{2 * lanes} x double>" not in str(module)


def test_divergence_is_told_as_by_the_eager_engine(back_end: type) -> None:
    eager, _ = run(False, "mean_squared_error", learning_rate=1e12, epochs=60, activation="relu")
    fast, model = run(True, "mean_squared_error", learning_rate=1e12, epochs=60, activation="relu")
    assert fast.stopped.startswith("diverged")
    assert fast.stopped.split(":")[0] == eager.stopped.split(":")[0]
    assert all(np.isfinite(p.data) for p in model.parameters())


def test_the_validation_rows_are_met_with_the_epochs_parameters(back_end: type) -> None:
    y = CASES["hinge"][0]
    watched = {"validation": (X[:5], y[:5]), "batch_size": 6}
    eager, _ = run(False, "hinge", **watched)
    fast, _ = run(True, "hinge", **watched)
    assert fast.validation_loss == pytest.approx(eager.validation_loss, rel=1e-11)
    assert fast.loss == pytest.approx(eager.loss, rel=1e-11)


def test_ctrl_c_keeps_the_epochs_that_were_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = Descent.run

    def interrupted(self: Any, *arguments: Any) -> Any:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(Descent, "run", interrupted)
    monkeypatch.setattr(MachineTraining, "epochs_at_once", lambda self: 2)
    history, model = run(True, "hinge", batch_size=8)
    assert history.stopped == "interrupted in epoch 5"
    monkeypatch.undo()
    four, same = run(True, "hinge", batch_size=8, epochs=4)
    assert history.loss == four.loss
    assert model.state_dict() == same.state_dict()


def test_how_many_epochs_are_one_call_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    options = {"batch_size": 5, "epochs": 9, "optimizer": "adam"}
    whole, model = run(True, "cross_entropy", **options)
    monkeypatch.setattr(MachineTraining, "epochs_at_once", lambda self: 2)
    parts, other = run(True, "cross_entropy", **options)
    assert whole.loss == parts.loss
    assert whole.accuracy == parts.accuracy
    assert model.state_dict() == other.state_dict()


def test_the_optimizer_can_go_on_afterwards(back_end: type) -> None:
    ends = []
    for compiled in (False, True):
        y, _ = CASES["hinge"]
        model = model_for("hinge")
        optimizer = nn.Adam(model.parameters(), 0.01)
        for seed in (0, 1):
            nn.fit(model, X, y, loss="hinge", optimizer=optimizer, epochs=3, batch_size=6,
                   seed=seed, progress=False, compiled=compiled)
        assert optimizer.steps == 2 * 3 * 4
        ends.append([p.data for p in model.parameters()])
    assert ends[1] == pytest.approx(ends[0], rel=1e-9, abs=1e-12)


def test_a_schedule_that_fails_does_so_after_the_steps_before_it(back_end: type) -> None:
    def short(step: int) -> float:
        if step >= 5:
            raise LookupError("the schedule has 5 steps")
        return 0.1

    ends = []
    for compiled in (False, True):
        model = model_for("hinge")
        optimizer = nn.SGD(model.parameters(), short)
        with pytest.raises(LookupError, match="5 steps"):
            nn.fit(model, X, CASES["hinge"][0], loss="hinge", optimizer=optimizer, epochs=6,
                   progress=False, compiled=compiled)
        assert optimizer.steps == 5
        ends.append([p.data for p in model.parameters()])
    assert ends[1] == pytest.approx(ends[0], rel=1e-9, abs=1e-12)


class Bent(nn.Module):
    """A model of one's own, with a branch: two lines that meet at 0.3."""

    def __init__(self) -> None:
        self.below, self.above = nn.Neuron(3, "linear"), nn.Neuron(3, "linear")
        self.scale = 2.0

    def __call__(self, x: Any) -> Any:
        answer = self.below(x)
        return (answer if answer > 0.3 else self.above(x)) * self.scale

    def parameters(self) -> Any:
        return self.below.parameters() + self.above.parameters()


class Noisy(nn.Module):
    """A model that draws random numbers."""

    def __init__(self) -> None:
        self.neuron = nn.Neuron(3, "linear")

    def __call__(self, x: Any) -> Any:
        return self.neuron(x) * random.uniform(0.9, 1.1)

    def parameters(self) -> Any:
        return self.neuron.parameters()


def fitted(make: Any, compiled: bool, **options: Any) -> tuple[nn.History, list[float]]:
    random.seed(3)
    model = make()
    history = nn.fit(model, X, SIGNS, loss="hinge", epochs=4, batch_size=8, progress=False,
                     compiled=compiled, **options)
    return history, [p.data for p in model.parameters()]


def test_rows_that_take_another_branch_are_left_to_the_eager_engine(back_end: type) -> None:
    random.seed(3)
    assert type(training_of(Bent(), "hinge", SIGNS)) is back_end
    eager, numbers = fitted(Bent, False)
    fast, same = fitted(Bent, True)
    assert fast.engine == "eager"
    assert fast.reason.startswith("a row takes another branch than the first row, decided at")
    assert fast.loss == pytest.approx(eager.loss, rel=1e-11)
    assert same == pytest.approx(numbers, rel=1e-9)


def test_a_branch_that_comes_up_late_takes_no_step_twice(back_end: type) -> None:
    class Late(Bent):
        def __call__(self, x: Any) -> Any:
            answer = self.below(x)
            return answer if answer < 1.8 else answer * 0.5

    results = [fitted(Late, compiled, learning_rate=0.3) for compiled in (False, True)]
    assert results[1][0].reason.startswith(f"{back_end.engine} up to epoch 3, then a row")  # type: ignore[attr-defined]
    assert results[1][0].loss == pytest.approx(results[0][0].loss, rel=1e-10)
    assert results[1][1] == pytest.approx(results[0][1], rel=1e-8)


def test_a_model_that_draws_random_numbers_is_left_to_the_eager_engine() -> None:
    with pytest.raises(EagerOnly, match="draws random numbers"):
        training_of(Noisy(), "hinge", SIGNS)
    eager, fast = fitted(Noisy, False), fitted(Noisy, True)
    assert fast[0].loss == eager[0].loss
    assert fast[1] == eager[1]


def test_a_model_that_changes_while_it_learns_is_not_replayed_as_it_was() -> None:
    settings = {"scale": 2.0}

    class Scaled(nn.Neuron):
        def __call__(self, x: Any) -> Any:
            return super().__call__(x) * settings["scale"]

    def schedule(step: int) -> float:
        settings["scale"] = 2.0 if step < 6 else 1.0
        return 0.05

    ends = []
    for compiled in (False, True):
        settings["scale"] = 2.0
        random.seed(3)
        model = Scaled(3, "linear")
        history = nn.fit(model, X, SIGNS, loss="hinge", epochs=4, batch_size=8, progress=False,
                         optimizer=nn.SGD(model.parameters(), schedule), compiled=compiled)
        ends.append((history.loss, [p.data for p in model.parameters()]))
    assert history.reason.endswith("settings has changed")
    assert ends[1][0] == pytest.approx(ends[0][0], rel=1e-11)
    assert ends[1][1] == pytest.approx(ends[0][1], rel=1e-9)


@pytest.mark.parametrize(("value", "engine", "words"), [
    (lambda x: x * x * x, "llvm", ""),
    (lambda x: float(repr(x)) * x * x, "numpy", "no machine code for cubed_for_a_test")])
def test_an_activation_of_ones_own_runs_as_quickly_as_it_can(value: Any, engine: str,
                                                             words: str) -> None:
    row = primitive("cubed_for_a_test", value=value, partials=lambda x, y: 3.0 * x * x)
    try:
        eager, _ = run(False, "hinge", activation=row, epochs=3)
        fast, _ = run(True, "hinge", activation=row, epochs=3)
        assert fast.engine == engine
        assert words in fast.reason and bool(words) is bool(fast.reason)
        assert fast.loss == pytest.approx(eager.loss, rel=1e-11)
    finally:
        unregister(row)


def test_frozen_values_of_a_model_are_no_parameters(back_end: type) -> None:
    class Frozen(Bent):
        def __init__(self) -> None:
            super().__init__()
            self.shift = Value(0.25, "shift")

        def __call__(self, x: Any) -> Any:
            return self.below(x) + self.shift

    assert type(training_of(Frozen(), "hinge", SIGNS)) is back_end
    eager, numbers = fitted(Frozen, False)
    fast, same = fitted(Frozen, True)
    assert fast.loss == pytest.approx(eager.loss, rel=1e-11)
    assert same == pytest.approx(numbers, rel=1e-9)


def test_a_thousand_epochs_learn_the_moons() -> None:
    points, labels = nn.datasets.moons(100, noise=0.1, seed=1)
    model = nn.MLP(2, [16, 16, 1], seed=1)
    history = nn.fit(model, points, labels, loss="hinge", epochs=1000, l2=1e-4, progress=False,
                     learning_rate=0.3)
    assert history.accuracy[-1] == 1.0
    assert history.loss[-1] < 0.05
