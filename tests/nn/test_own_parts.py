"""Optimizers, losses and activations of one's own: compiled where that is right, else eager."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd
import nn
from autograd import Value
from autograd.compiler.backends import choice as backends
from autograd.core.primitives import TABLE
from autograd.extend import unregister
from nn import layers, losses, optimizers
from nn.optimizers import OPTIMIZERS

X = np.random.default_rng(1).normal(size=(17, 2))
SIGNS = np.where(X[:, 0] > X[:, 1], 1.0, -1.0)
TARGETS: dict[str, tuple[Any, int]] = {
    "mean_squared_error": (X * 2.0, 2), "hinge": (SIGNS, 1),
    "binary_cross_entropy": ((SIGNS + 1) / 2, 1),
    "binary_cross_entropy_with_logits": ((SIGNS + 1) / 2, 1),
    "cross_entropy": (np.where(X[:, 0] > 0, 2, np.where(X[:, 1] > 0, 1, 0)), 3)}


@pytest.fixture(params=["llvm", "numpy"])
def engine(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The engine that is the quickest one; NumPy where llvmlite is not installed."""
    if request.param == "llvm":
        pytest.importorskip("llvmlite")
    else:
        monkeypatch.setattr(backends, "_has_llvm", lambda: False)
    return str(request.param)


@dataclass
class Trained:
    """What a training has left."""

    history: nn.History
    model: nn.MLP
    optimizer: nn.Optimizer

    @property
    def state(self) -> list[float]:
        return [p.data for p in self.model.parameters()]


Make = Callable[[list[Value]], nn.Optimizer]


def trained(make: Make, compiled: bool, loss: Any = "mean_squared_error", y: Any = None,
            outputs: int = 1, activation: Any = "tanh", epochs: int = 8,
            **options: Any) -> Trained:
    random.seed(7)
    np.random.seed(7)
    output = "sigmoid" if loss == "binary_cross_entropy" else "linear"
    model = nn.MLP(2, [4, outputs], activation, seed=3, output=output)
    optimizer = make(model.parameters())
    y = X[:, 0] * X[:, 1] if y is None else y
    history = nn.fit(model, X, y, loss=loss, optimizer=optimizer, epochs=epochs, progress=False,
                     compiled=compiled, **{"batch_size": 5, "l2": 1e-3, **options})
    return Trained(history, model, optimizer)


def assert_alike(fast: Trained, eager: Trained) -> None:
    """The same history to rounding, and the same state of the model and the optimizer."""
    assert fast.history.loss == pytest.approx(eager.history.loss, rel=1e-10)
    assert fast.history.learning_rate == eager.history.learning_rate
    assert fast.history.accuracy == eager.history.accuracy
    assert fast.history.stopped == eager.history.stopped
    assert fast.state == pytest.approx(eager.state, rel=1e-8, abs=1e-12)
    assert fast.optimizer.steps == eager.optimizer.steps
    state, expected = fast.optimizer.state_dict(), eager.optimizer.state_dict()
    assert list(state) == list(expected)
    for name, entry in expected.items():
        assert state[name] == pytest.approx(entry, rel=1e-7, abs=1e-12), name


def assert_compiled(make: Make, engine: str, **options: Any) -> None:
    """A training runs on the engine, with the history of the eager one."""
    fast, eager = trained(make, True, **options), trained(make, False, **options)
    assert fast.history.engine == engine, fast.history.reason
    assert ("llvmlite" in fast.history.reason) is (engine == "numpy")
    assert (eager.history.engine, eager.history.reason) == ("eager", "compiled=False was asked for")
    assert_alike(fast, eager)


def assert_eager(make: Make, words: str, **options: Any) -> None:
    """A training is left to the eager engine for the reason, and has its very bits."""
    fast, eager = trained(make, True, **options), trained(make, False, **options)
    assert fast.history.engine == "eager"
    assert re.search(words, fast.history.reason), fast.history.reason
    assert (fast.history.loss, fast.state) == (eager.history.loss, eager.state)
    assert fast.optimizer.state_dict() == eager.optimizer.state_dict()


# --- all that the library has, with each other ------------------------------------------------

@pytest.mark.parametrize("activation", ["relu", "softplus", "atan"])
@pytest.mark.parametrize("loss", TARGETS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_compiles_with_every_loss(name: str, loss: str, activation: str,
                                                  engine: str) -> None:
    y, outputs = TARGETS[loss]
    assert_compiled(lambda p: OPTIMIZERS[name](p, 0.02, weight_decay=0.01), engine, loss=loss, y=y,
                    outputs=outputs, activation=activation)


# --- optimizers ---------------------------------------------------------------------------------

class Lion(nn.Optimizer):
    """The sign of a mean; the mean that is kept is another one."""

    memories = ("mean",)

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        direction = np.sign(0.9 * memory["mean"] + 0.1 * gradient)
        return number - scalars[0] * direction, {"mean": 0.99 * memory["mean"] + 0.01 * gradient}


class Centred(nn.Optimizer):
    """RMSprop by the variance, its memories returned in another order than they are named."""

    memories = ("mean", "square")

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        square = 0.9 * memory["square"] + 0.1 * gradient**2
        mean = 0.9 * memory["mean"] + 0.1 * gradient
        step = gradient / (autograd.sqrt(square - mean * mean) + 1e-3)
        return number - scalars[0] * step, {"square": square, "mean": mean}


class AMSGrad(nn.Adam):
    """Adam with a mean square that never falls."""

    memories = (*nn.Adam.memories, "largest")

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        _, after = super().rule(number, gradient, memory, scalars)
        largest = np.maximum(memory["largest"], after["mean_square"])
        step = scalars[0] * after["mean"] / (np.sqrt(largest) + 1e-8)
        return number - step, {**after, "largest": largest}


class Clipped(nn.Optimizer):
    """Each gradient clipped by itself, in place of its memory."""

    memories = ("velocity",)

    def __init__(self, parameters: Any, learning_rate: Any = 0.05, bound: float = 0.01) -> None:
        super().__init__(parameters, learning_rate)
        self.bounds = {"low": -bound, "high": bound}

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        memory["velocity"] = 0.5 * memory["velocity"] + np.minimum(
            np.maximum(gradient, self.bounds["low"]), self.bounds["high"])
        return number - scalars[0] * memory["velocity"], memory


class InPlace(nn.Optimizer):
    """Momentum, computed in place."""

    memories = ("velocity",)

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        memory["velocity"] *= 0.9
        memory["velocity"] += gradient
        number -= scalars[0] * memory["velocity"]
        return number, memory


class Counting(nn.Optimizer):
    """A step that shrinks with the number of the step, which scalars looks up in the state."""

    def scalars(self, step: int) -> tuple[float, ...]:
        return (self.schedule(step), 1.0 + self.steps, float(step % 3))

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        rate, count, phase = scalars
        return number - rate / count**0.5 * np.tanh(gradient + 0.01 * phase), {}


@pytest.mark.parametrize("make", [Lion, Centred, AMSGrad, Clipped, InPlace, Counting])
def test_an_optimizer_of_ones_own_is_compiled(make: Any, engine: str) -> None:
    assert_compiled(lambda p: make(p, 0.03), engine)
    assert_compiled(lambda p: make(p, nn.schedules.linear(0.05, 0.01, 20)), engine, batch_size=None,
                    l2=0.0, loss="hinge", y=SIGNS)


def test_it_goes_on_from_a_state_in_the_order_of_its_memories(engine: str) -> None:
    ends = []
    for compiled in (False, True):
        first = trained(lambda p: Centred(p, 0.03), compiled)
        again = Centred(first.model.parameters(), 0.03)
        again.load_state_dict(first.optimizer.state_dict())
        history = nn.fit(first.model, X, SIGNS, optimizer=again, epochs=3, progress=False,
                         compiled=compiled)
        ends.append((history.loss, first.state))
    assert ends[1][0] == pytest.approx(ends[0][0], rel=1e-10)
    assert ends[1][1] == pytest.approx(ends[0][1], rel=1e-8)


class Base(nn.Optimizer):
    """Gradient descent, for the classes below to spoil."""

    memories = ("m",)

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * gradient, memory


class Branching(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * np.where(gradient > 0.0, gradient, 0.5 * gradient), memory


class Reading(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        bare = getattr(gradient, "data", None) if isinstance(gradient, Value) else gradient
        return number - scalars[0] * bare, memory


class Drawing(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * gradient * random.uniform(0.5, 1.0), memory


class DrawingArrays(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * gradient * np.random.uniform(0.5, 1.0), memory


class LookingAtSteps(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] / (1.0 + self.steps) * gradient, memory


class LookingAtTheRate(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - self.learning_rate * gradient, memory


class LookingQuietly(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] / (1.0 + getattr(self, "steps", 0)) * gradient, memory


class LookingAtTheState(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] / (1.0 + self.state_dict()["steps"]) * gradient, memory


class CountingByItself(Base):
    count = 0.0

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        self.count += 1.0
        return number - scalars[0] / self.count * gradient, memory


class KeepingAList(Base):
    def __init__(self, parameters: Any, learning_rate: Any) -> None:
        super().__init__(parameters, learning_rate)
        self.seen = [0.0]

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        self.seen.append(1.0)
        return number - scalars[0] / len(self.seen) * gradient, memory


class Normalized(Base):
    """The gradients divided by their norm where that is large: no sum on one parameter alone."""

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        norm = np.sqrt(np.sum(gradient * gradient))
        return number - scalars[0] * gradient / np.maximum(norm, 1000.0), memory


class Reshaping(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * (gradient - gradient.mean()), memory


class OwnRates(Base):
    """A rate for each parameter, which no single parameter has."""

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * np.linspace(0.5, 1.0, 17) * gradient, memory


class Resetting(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * gradient, {"m": np.zeros_like(gradient)}


class LookingAtGradients(Base):
    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * self.parameters[0].grad * gradient, memory


class ScalarsOfGradients(Base):
    """Clipping by the norm of all gradients, from the sixth step on."""

    def scalars(self, step: int) -> tuple[float, ...]:
        norm = 1.0 if step < 6 else sum(p.grad**2 for p in self.parameters) ** 0.5
        return (*super().scalars(step), 1.0 / max(1.0, norm))

    def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
        return number - scalars[0] * scalars[1] * gradient, memory


class OtherStep(Base):
    def step(self) -> None:
        for parameter in self.parameters:
            parameter.data -= 0.01 * (1.0 if parameter.grad > 0 else -1.0)
        self.steps += 1


class OtherMoved(Base):
    def moved(self, numbers: Any, gradients: Any, scalars: Any = None) -> Any:
        return 0.5 * super().moved(numbers, gradients, scalars)


@pytest.mark.parametrize(("make", "words"), [
    (Branching, r"compares .* test_own_parts\.py:\d+, .*; write np\.sign"),
    (Reading, "reads bare numbers"), (Drawing, "draws random numbers from random"),
    (DrawingArrays, r"draws random numbers from numpy\.random"),
    (LookingAtSteps, r"looks at self\.steps, .* scalars\(self, step\)"),
    (LookingAtTheRate, r"looks at self\.learning_rate"),
    (LookingQuietly, r"looks at self\.steps"), (LookingAtTheState, r"looks at self\."),
    (CountingByItself, r"sets self\.count"), (KeepingAList, "changes .*seen"),
    (Normalized, "a sum or a mean over all"), (Reshaping, "a Value has no mean"),
    (OwnRates, "a single parameter"), (Resetting, "a single parameter"),
    (LookingAtGradients, r"looks at self\.parameters"),
    (OtherStep, "OtherStep overrides step"), (OtherMoved, "OtherMoved overrides moved")])
def test_an_optimizer_that_is_more_than_its_rule_is_left_to_the_eager_engine(
        make: Any, words: str, engine: str) -> None:
    assert_eager(lambda p: make(p, 0.05), words)


def test_scalars_of_what_the_training_changes_are_found_out_when_they_look(engine: str) -> None:
    fast, eager = (trained(lambda p: ScalarsOfGradients(p, 0.5), compiled)
                   for compiled in (True, False))
    assert fast.history.engine == "eager"
    # step 6 is the third of the second epoch of four
    assert fast.history.reason.startswith(f"{engine} up to epoch 1, then it looks at self.param")
    assert_alike(fast, eager)


def test_a_rule_that_can_look_at_the_model_is_left_to_the_eager_engine(engine: str) -> None:
    class Peeking(Base):
        model: Any = None

        def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
            return number - scalars[0] * gradient * self.model.grad, memory

    def make(parameters: list[Value]) -> nn.Optimizer:
        optimizer = Peeking(parameters, 0.05)
        optimizer.model = parameters[0]
        return optimizer

    assert_eager(make, "can look at the Value layer1")


def test_a_method_that_is_replaced_on_the_object_counts_as_overridden(engine: str) -> None:
    def make(parameters: list[Value]) -> nn.Optimizer:
        optimizer = nn.SGD(parameters, 0.05)
        original = optimizer.step

        def twice() -> None:
            original()
            original()

        optimizer.step = twice  # type: ignore[method-assign]
        return optimizer

    assert_eager(make, "SGD overrides step")


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("result", "words"), [
    (lambda n, m: (n, {}), r"remembers nothing, but its class says memories = \('m',\)"),
    (lambda n, m: (n, {"m": m["m"], "k": n}), "remembers 'm', 'k'"),
    (lambda n, m: (n, {"m": 0.0}), r"gives m in the shape \(\)"),
    (lambda n, m: (0.0 * np.sum(n), m), r"gives the next parameters in the shape \(\)")])
def test_a_rule_that_returns_something_else_is_an_error_that_moves_nothing(
        result: Any, words: str, compiled: bool) -> None:
    class Wrong(Base):
        def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
            return result(number, memory)

    model = nn.MLP(2, [1], seed=1)
    optimizer, before = Wrong(model.parameters(), 0.1), model.state_dict()
    with pytest.raises(ValueError, match=words):
        nn.fit(model, X, SIGNS, optimizer=optimizer, progress=False, compiled=compiled)
    assert model.state_dict() == before
    assert optimizer.state_dict() == Wrong(model.parameters(), 0.1).state_dict()


def test_settings_may_change_between_two_trainings(engine: str) -> None:
    ends = []
    for compiled in (False, True):
        first = trained(lambda p: nn.SGD(p, 0.05, momentum=0.9), compiled)
        assert isinstance(first.optimizer, nn.SGD)
        first.optimizer.momentum = 0.1
        history = nn.fit(first.model, X, SIGNS, optimizer=first.optimizer, epochs=3,
                         progress=False, compiled=compiled)
        assert history.engine == (engine if compiled else "eager")
        ends.append((history.loss, first.state))
    assert ends[1][0] == pytest.approx(ends[0][0], rel=1e-10)
    assert ends[1][1] == pytest.approx(ends[0][1], rel=1e-8)


def test_a_schedule_that_changes_the_optimizer_is_left_to_the_eager_engine(engine: str) -> None:
    def make(parameters: list[Value]) -> nn.Optimizer:
        def warm(step: int) -> float:
            optimizer.momentum = 0.5 if step < 6 else 0.9
            return 0.05

        optimizer = nn.SGD(parameters, warm)
        return optimizer

    assert_eager(make, "its schedule can look at the Value layer1")


def test_a_schedule_that_draws_random_numbers_is_left_to_the_eager_engine(engine: str) -> None:
    assert_eager(lambda p: nn.SGD(p, lambda step: random.uniform(0.01, 0.1)),
                 "its schedule draws from random")


def test_a_schedule_that_takes_items_of_an_iterator_loses_none(engine: str) -> None:
    def make(parameters: list[Value]) -> nn.Optimizer:
        rates = iter(np.linspace(0.1, 0.01, 99).tolist())
        return nn.SGD(parameters, lambda step: next(rates))

    assert_eager(make, "items of the iterator rates")


def test_a_setting_that_a_schedule_changes_on_the_way_is_noticed(engine: str) -> None:
    def make(parameters: list[Value]) -> nn.Optimizer:
        bounds = {"low": -0.01, "high": 0.01}

        def widening(step: int) -> float:
            bounds["high"] = 0.01 if step < 14 else 0.02
            return 0.5

        optimizer = Clipped(parameters, widening)
        optimizer.bounds = bounds
        return optimizer

    fast, eager = trained(make, True), trained(make, False)
    assert fast.history.engine == "eager"
    assert fast.history.reason.endswith("a setting of Clipped has changed")
    assert_alike(fast, eager)


# --- losses -------------------------------------------------------------------------------------

def _number(target: Any, place: str, outputs: int | None) -> float:
    return float(target)


log_cosh = nn.Loss("log_cosh", lambda answer, target: autograd.softplus(2.0 * (answer - target))
                   - (answer - target), _number)
smoothed = nn.Loss(
    "smoothed", lambda logits, label: autograd.logsumexp(logits) - 0.9 * (
        autograd.dot(label, logits) if isinstance(label, list) else logits[label])
    - 0.1 / len(logits) * autograd.sum(logits),
    nn.cross_entropy.check, scores="many", classify=nn.cross_entropy.classify, one_hot=True)


class Named(nn.Loss):
    """A subclass that leaves the mean as it is."""

    def __repr__(self) -> str:
        return f"<my loss {self.name}>"


@pytest.mark.parametrize(("loss", "y", "outputs"), [
    (log_cosh, X[:, 0], 1), (Named("squares", lambda a, t: (a - t) ** 2, _number), X[:, 0], 1),
    (smoothed, TARGETS["cross_entropy"][0], 3),
    (replace(nn.hinge, name="squared_hinge",
             row=lambda score, label: autograd.relu(1.0 - label * score) ** 2), SIGNS, 1)], ids=str)
def test_a_loss_of_ones_own_is_compiled(loss: nn.Loss, y: Any, outputs: int, engine: str) -> None:
    assert_compiled(lambda p: nn.Adam(p, 0.02), engine, loss=loss, y=y, outputs=outputs)


class Median(nn.Loss):
    def mean(self, answers: Any, targets: Any) -> Any:
        rows = [self.row(a, t) for a, t in zip(answers, targets, strict=True)]
        return sorted(rows)[len(rows) // 2]


def _mean(answers: Any, targets: Any) -> Any:
    return autograd.sum([(a - t) ** 2 for a, t in zip(answers, targets, strict=True)]) / 17.0


@pytest.mark.parametrize(("loss", "words"), [
    (Median("median", lambda a, t: (a - t) ** 2, _number), r"nn\.Loss\(\.\.\.\) of one row"),
    (_mean, r"a function of all answers at once; write it as nn\.Loss"),
    (nn.Loss("truth", lambda a, t: a * a if t else (a - 1.0) ** 2, lambda t, p, o: bool(t > 0)),
     "must be a number or a list of numbers, not"),
    (nn.Loss("drawn", lambda a, t: (a - t * random.uniform(0.9, 1.1)) ** 2, _number),
     "draws random numbers")], ids=["median", "function", "truth", "drawn"])
def test_a_loss_that_is_no_formula_of_a_row_is_left_to_the_eager_engine(
        loss: Any, words: str, engine: str) -> None:
    assert_eager(lambda p: nn.SGD(p, 0.05), words, loss=loss)


def test_a_loss_with_a_branch_says_where_the_rows_parted(engine: str) -> None:
    def huber(answer: Any, target: Any) -> Any:
        gap = answer - target
        return gap * gap if abs(gap) < 1.0 else 2.0 * abs(gap) - 1.0

    loss = nn.Loss("huber", huber, _number)
    fast, eager = (trained(lambda p: nn.SGD(p, 0.05), compiled, loss=loss)
                   for compiled in (True, False))
    assert fast.history.engine == "eager"
    assert re.search(r"a row takes another branch than the first row, decided at "
                     r"test_own_parts\.py:\d+", fast.history.reason)
    assert_alike(fast, eager)


def test_a_branch_that_is_left_during_the_training_is_told_with_the_epoch(engine: str) -> None:
    def bent(answer: Any, target: Any) -> Any:
        return answer * answer if answer < 1.0 else answer

    loss = nn.Loss("bent", bent, _number)
    ends = []
    for compiled in (False, True):
        model = nn.Neuron(1, "linear")
        model.w[0].data, model.b.data = -0.5, 0.0
        optimizer = nn.SGD(model.parameters(), lambda step: 0.1 if step < 5 else 8.0)
        history = nn.fit(model, [[1.0]], [0.0], loss=loss, optimizer=optimizer, epochs=9,
                         progress=False, compiled=compiled)
        ends.append(history)
    assert ends[1].loss == pytest.approx(ends[0].loss, rel=1e-12)
    # the answer -0.5 * 0.6**5 jumps above 1 in the step of the sixth epoch
    assert ends[1].reason.startswith(f"{engine} up to epoch 6, then a row takes another branch")
    assert ends[1].engine == "eager"


def test_a_model_that_accumulates_gradients_is_left_to_the_eager_engine(engine: str) -> None:
    class Accumulating(nn.MLP):
        def zero_grad(self) -> None:
            pass

    ends = []
    for compiled in (False, True):
        model = Accumulating(2, [1], seed=1)
        history = nn.fit(model, X, SIGNS, learning_rate=0.01, epochs=4, progress=False,
                         compiled=compiled)
        ends.append((history.loss, model.state_dict()))
    assert "Accumulating overrides zero_grad" in history.reason
    assert ends[0] == ends[1]


# --- activations --------------------------------------------------------------------------------

@pytest.fixture
def swish() -> Iterator[str]:
    row = autograd.primitive("swish_for_a_test", lambda x: x * autograd.sigmoid(x),
                             lambda x, y: autograd.sigmoid(x) * (1.0 + x - y))
    yield row.name
    if row.name in TABLE:
        unregister(row)


def test_an_activation_of_ones_own_is_found_by_its_name(swish: str, tmp_path: Any) -> None:
    model = nn.MLP(2, [3, 1], swish, seed=1)
    assert repr(model.layers[0].neurons[0]) == "Swish_for_a_testNeuron(2)"
    hidden = [n.w[0].data * 0.5 - n.w[1].data for n in model.layers[0].neurons]
    expected = sum(w.data * z / (1.0 + np.exp(-z))
                   for w, z in zip(model.layers[1].neurons[0].w, hidden, strict=True))
    assert model([0.5, -1.0]).data == pytest.approx(expected, rel=1e-14)
    assert f"a = {swish}(z)" in nn.draw(nn.Neuron(1, swish)).source
    assert swish in nn.draw(model).source
    model.save(tmp_path / "model.json")
    other = nn.MLP(2, [3, 1], swish, seed=2)
    other.load(tmp_path / "model.json")
    assert other([0.5, -1.0]).data == model([0.5, -1.0]).data


def test_an_activation_of_ones_own_is_compiled(swish: str, engine: str) -> None:
    assert_compiled(lambda p: nn.Adam(p, 0.02), engine, activation=swish)


def test_a_primitive_of_ones_own_may_stand_in_a_rule_and_in_a_loss(swish: str, engine: str) -> None:
    row = TABLE[swish]

    class Smooth(Base):
        def rule(self, number: Any, gradient: Any, memory: Any, scalars: Any) -> Any:
            return number - scalars[0] * row(gradient), {"m": row(memory["m"] + gradient)}

    loss = nn.Loss("swish", lambda answer, target: row(answer - target) ** 2, _number)
    assert_compiled(lambda p: Smooth(p, 0.05), engine, loss=loss)


def test_a_name_is_looked_up_when_the_model_is_made(swish: str) -> None:
    assert nn.MLP(2, [1], swish).layers[0].neurons[0].activation == "linear"
    unregister(TABLE[swish])
    with pytest.raises(ValueError, match="there is no activation 'swish_for_a_test'"):
        nn.MLP(2, [1], swish)


@pytest.mark.parametrize(("name", "words"), [
    ("tanhh", "did you mean 'tanh'"), ("qqq", "write 'relu', 'tanh', 'sigmoid', 'softplus', "
                                              "'linear' and the other primitives"),
    ("add", "'add' cannot be an activation, for it does not take one operand"),
    ("sum", "does not take one operand"), (3, "not 3; write for example 'relu'")])
def test_an_activation_that_there_is_not_says_what_to_write(name: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        nn.MLP(2, [1], name)
    assert len(str(error.value)) < 250


# --- the history says which engine it was ---------------------------------------------------------

def test_the_history_shows_its_engine(engine: str) -> None:
    fast = trained(lambda p: nn.SGD(p, 0.05), True, epochs=2)
    assert repr(fast.history).endswith(f"; all epochs are done; {engine}>")
    nothing = trained(lambda p: nn.SGD(p, 0.05), True, epochs=0)
    assert nothing.history == nn.History(stopped="all epochs are done", engine="eager")


def test_without_llvmlite_the_reason_says_how_to_install_it(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "_has_llvm", lambda: False)
    history = trained(lambda p: nn.SGD(p, 0.05), True, epochs=2).history
    assert history.engine == "numpy"
    assert history.reason == 'llvmlite is not installed; pip install "chainrule[fast]"'


# --- the recipes ---------------------------------------------------------------------------------

def recipe(module: ModuleType) -> str:
    """The code in the docstring at the head of a module."""
    text = (module.__doc__ or "").split("::\n", 1)[1]
    return textwrap.dedent(text)


@pytest.mark.parametrize("module", [optimizers, losses, layers], ids=lambda m: m.__name__)
def test_what_a_recipe_adds_is_trained_by_every_engine(module: ModuleType, engine: str) -> None:
    histories = []
    for compiled in (False, True):
        names: dict[str, Any] = {"autograd": autograd, "nn": nn, "X": X, "y": X[:, 0],
                                 "model": nn.MLP(2, [4, 1], "tanh", seed=3), "__name__": "recipe"}

        class Fitting(ModuleType):
            """nn, whose fit is quiet, and of the engine that is wanted."""

            def __getattr__(self, name: str) -> Any:
                return getattr(nn, name)

            def fit(self, *arguments: Any, compiled: bool = compiled, **options: Any) -> None:
                histories.append(nn.fit(*arguments, compiled=compiled, epochs=5, progress=False,
                                        **options))

        names["nn"] = Fitting("nn")
        before = set(TABLE)
        try:
            exec(compile(recipe(module), module.__name__, "exec"), names)
            if module is layers:
                model = nn.MLP(2, [4, 1], activation="swish", seed=3)
                names["nn"].fit(model, X, X[:, 0])
        finally:
            for name in set(TABLE) - before:
                unregister(TABLE[name])
    eager, fast = histories
    assert eager.engine == "eager"
    assert fast.engine == engine
    assert fast.loss == pytest.approx(eager.loss, rel=1e-10)
    assert fast.loss[-1] < fast.loss[0]
