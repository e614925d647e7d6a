"""Compiled training: the same history as the eager engine's, to rounding, and the same manners."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import nn
from autograd import primitive
from autograd.custom import _unregister
from nn import schedules, training
from nn.compiled import compile_epoch

X = np.random.default_rng(0).normal(size=(23, 3))
SIGNS = np.where(X[:, 0] > X[:, 1], 1.0, -1.0)
CASES: dict[str, tuple[Any, int]] = {
    "hinge": (SIGNS, 1), "binary_cross_entropy_with_logits": ((SIGNS + 1) / 2, 1),
    "mean_squared_error": (X[:, :2] * 2.0, 2), "cross_entropy": (np.argmax(X, axis=1), 3)}


def run(compiled: bool, loss: str, **options: Any) -> tuple[nn.History, nn.Module]:
    y, outputs = CASES[loss]
    model = nn.MLP(3, [6, outputs], activation=options.pop("activation", "tanh"), seed=2)
    optimizer = options.pop("optimizer", "sgd")
    if callable(optimizer):
        optimizer = optimizer(model.parameters())
    options.setdefault("epochs", 6)
    history = nn.fit(model, X, y, loss=loss, optimizer=optimizer, progress=False,
                     compiled=compiled, **options)
    return history, model


def was_compiled(loss: str, activation: Any = "tanh") -> bool:
    y, outputs = CASES[loss]
    job = training._checked_job(nn.MLP(3, [6, outputs], activation=activation, seed=2), X, y, loss,
                                "sgd", 0.0, None, None)
    return compile_epoch(job.model, job.loss, job.optimizer, job.rows, job.targets) is not None


@pytest.mark.parametrize("loss", CASES)
@pytest.mark.parametrize("options", [
    {}, {"batch_size": 7, "seed": 3}, {"l2": 0.01}, {"optimizer": "adam"},
    {"optimizer": lambda p: nn.SGD(p, schedules.linear(0.5, 0.1, 6), momentum=0.9,
                                   weight_decay=0.01)},
    {"activation": "relu"}, {"activation": "sigmoid"}, {"activation": "softplus"},
    {"patience": 1, "learning_rate": 1.5}], ids=str)
def test_the_history_is_the_eager_one_to_rounding(loss: str, options: dict[str, Any]) -> None:
    assert was_compiled(loss, options.get("activation", "tanh"))
    y, _ = CASES[loss]
    options = {**options, "validation": (X[:5], y[:5])}
    eager, eager_model = run(False, loss, **options)
    fast, fast_model = run(True, loss, **options)
    assert fast.loss == pytest.approx(eager.loss, rel=1e-11)
    assert fast.validation_loss == pytest.approx(eager.validation_loss, rel=1e-11)
    assert fast.accuracy == eager.accuracy
    assert fast.learning_rate == eager.learning_rate
    assert fast.stopped == eager.stopped
    assert [p.data for p in fast_model.parameters()] == pytest.approx(
        [p.data for p in eager_model.parameters()], rel=1e-9, abs=1e-12)


def test_the_same_seed_gives_the_same_bits() -> None:
    states = [run(True, "cross_entropy", batch_size=4, seed=5)[1].state_dict() for _ in range(2)]
    assert states[0] == states[1]


def test_divergence_is_told_as_by_the_eager_engine() -> None:
    eager, _ = run(False, "mean_squared_error", learning_rate=1e12, epochs=60, activation="relu")
    fast, model = run(True, "mean_squared_error", learning_rate=1e12, epochs=60, activation="relu")
    assert fast.stopped.startswith("diverged")
    assert fast.stopped.split(":")[0] == eager.stopped.split(":")[0]
    assert all(np.isfinite(p.data) for p in model.parameters())


def test_ctrl_c_keeps_the_steps_that_were_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = []
    original = nn.SGD.moved

    def interrupted(self: Any, numbers: Any, gradients: Any) -> Any:
        steps.append(1)
        if len(steps) > 5:
            raise KeyboardInterrupt
        return original(self, numbers, gradients)

    monkeypatch.setattr(nn.SGD, "moved", interrupted)
    history, model = run(True, "hinge", batch_size=8)
    assert history.stopped == "interrupted in epoch 2"
    assert len(history.loss) == 1
    untouched = nn.MLP(3, [6, 1], activation="tanh", seed=2)
    assert model.state_dict() != untouched.state_dict()


def test_what_cannot_be_recorded_faithfully_is_left_to_the_eager_engine() -> None:
    class Moody(nn.MLP):
        """A model whose answer depends on Python's own state."""

        def __call__(self, x: Any) -> Any:
            return super().__call__(x)

    y = CASES["hinge"][0]
    moody = Moody(3, [4, 1], seed=1)
    parameters = nn.SGD(moody.parameters())
    assert compile_epoch(moody, nn.hinge, parameters, X.tolist(), y.tolist()) is None
    plain = nn.MLP(3, [4, 1], seed=1, output="sigmoid")
    assert compile_epoch(plain, nn.binary_cross_entropy, nn.SGD(plain.parameters()),
                         X.tolist(), ((y + 1) / 2).tolist()) is None
    row = primitive("cubed_for_a_test", value=lambda x: x * x * x,
                    partials=lambda x, y: 3.0 * x * x)
    try:
        assert not was_compiled("hinge", row)
        history, _ = run(True, "hinge", activation=row, epochs=2)
        assert len(history.loss) == 2
    finally:
        _unregister(row)


def test_without_llvmlite_the_eager_engine_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "autograd.compiler.llvm", None)
    monkeypatch.delattr("autograd.compiler.llvm", raising=False)
    assert not was_compiled("hinge")
    history, _ = run(True, "hinge", epochs=3)
    assert len(history.loss) == 3


def test_a_thousand_epochs_learn_the_moons() -> None:
    points, labels = nn.datasets.moons(100, noise=0.1, seed=1)
    model = nn.MLP(2, [16, 16, 1], seed=1)
    history = nn.fit(model, points, labels, loss="hinge", epochs=1000, l2=1e-4, progress=False,
                     learning_rate=0.3)
    assert history.accuracy[-1] == 1.0
    assert history.loss[-1] < 0.05
