"""fit: it learns, repeats itself, reports, and refuses before it changes anything."""

import math

import numpy as np
import pytest

from autograd import Value
from nn import (
    MLP,
    SGD,
    Adam,
    Loss,
    Module,
    accuracy,
    datasets,
    eager_epoch,
    fit,
    hinge,
    mean_squared_error,
    schedules,
)


def _fit(model, X, y, **options):
    return fit(model, X, y, **{"progress": False, **options})


class Line(Module):
    """intercept + slope * x"""

    def __init__(self, intercept=0.0, slope=0.0):
        self.intercept, self.slope = Value(intercept, "intercept"), Value(slope, "slope")

    def __call__(self, x):
        return self.intercept + self.slope * x[0]


# --- it learns -----------------------------------------------------------------------------------

def test_xor_is_learned():
    X, y = datasets.xor()
    model = MLP(2, [8, 1], "tanh", seed=1)
    history = _fit(model, X, y, loss="binary_cross_entropy_with_logits", optimizer="adam",
                   learning_rate=0.1, epochs=100)
    assert history.accuracy[-1] == 1.0
    assert history.loss[-1] < 0.05 < history.loss[0]
    assert (model.predict(X) > 0).tolist() == [False, True, True, False]


def test_moons_are_learned_to_more_than_a_line_can():
    X, y = datasets.moons(60, seed=2)
    model = MLP(2, [8, 8, 1], seed=2)
    history = _fit(model, X, y, loss="hinge", optimizer="adam", l2=1e-4, epochs=80,
                   learning_rate=schedules.linear(0.1, 0.01, 80))
    columns = np.column_stack([X, np.ones(len(X))])
    weights = np.linalg.lstsq(columns, y, rcond=None)[0]
    by_a_line = np.mean(np.sign(columns @ weights) == y)
    assert accuracy(model, X, y) >= 0.98 > by_a_line
    assert history.loss[-1] < 0.1


def test_a_line_is_fitted_to_the_least_squares_solution():
    X, y = datasets.line(10)
    model = Line()
    _fit(model, X, y, learning_rate=0.02, epochs=2000)
    slope, intercept = np.polyfit(X[:, 0], y, 1)
    assert model.slope.data == pytest.approx(slope, rel=1e-8)
    assert model.intercept.data == pytest.approx(intercept, rel=1e-8)


def test_several_classes_are_learned_with_cross_entropy():
    X = np.array([[0.0], [0.2], [1.0], [1.2], [2.0], [2.2]])
    y = np.array([0, 0, 1, 1, 2, 2])
    model = MLP(1, [8, 3], "tanh", seed=1)
    history = _fit(model, X, y, loss="cross_entropy", optimizer="adam", learning_rate=0.1,
                   epochs=120)
    assert history.accuracy[-1] == 1.0 == accuracy(model, X, y)


# --- what an epoch does --------------------------------------------------------------------------

def test_one_full_batch_epoch_is_one_step_of_gradient_descent():
    X, y = [[1.0], [3.0]], [2.0, 4.0]
    model = Line(0.5, 1.0)
    history = _fit(model, X, y, learning_rate=0.1, epochs=1)
    residuals = [0.5 + 1.0 * 1.0 - 2.0, 0.5 + 1.0 * 3.0 - 4.0]
    assert history.loss == [pytest.approx(sum(r * r for r in residuals) / 2, rel=1e-14)]
    assert model.intercept.data == pytest.approx(0.5 - 0.1 * sum(residuals), rel=1e-14)
    assert model.slope.data == pytest.approx(
        1.0 - 0.1 * (residuals[0] * 1.0 + residuals[1] * 3.0), rel=1e-14)


def test_l2_adds_the_squares_of_all_parameters():
    X, y = [[1.0]], [2.0]
    plain, regular = Line(0.5, 1.0), Line(0.5, 1.0)
    without = _fit(plain, X, y, learning_rate=0.1, epochs=1)
    with_l2 = _fit(regular, X, y, learning_rate=0.1, epochs=1, l2=0.2)
    assert with_l2.loss[0] - without.loss[0] == pytest.approx(0.2 * (0.25 + 1.0), rel=1e-13)
    assert plain.slope.data - regular.slope.data == pytest.approx(0.1 * 0.2 * 2 * 1.0, rel=1e-13)


def test_the_eager_epoch_takes_and_gives_plain_numbers():
    model = Line(0.5, 1.0)
    optimizer = SGD(model.parameters(), 0.1)
    loss, answers = eager_epoch(model, mean_squared_error, optimizer, [[1.0], [3.0]], [2.0, 4.0],
                                [[0], [1]], 0.0)
    # row 0: residual -0.5, so intercept and slope move by 0.1 * 2 * 0.5 before row 1 is met
    assert answers == pytest.approx([1.5, 0.6 + 1.1 * 3.0], rel=1e-14)
    assert loss == pytest.approx((0.25 + 0.01) / 2, rel=1e-12)
    assert optimizer.steps == 2
    assert all(type(answer) is float for answer in answers)


@pytest.mark.parametrize(("size", "steps"), [(None, 1), (3, 4), (10, 1), (100, 1), (1, 10)])
def test_every_batch_is_one_step(size, steps):
    model = Line()
    optimizer = SGD(model.parameters(), 1e-4)
    _fit(model, *datasets.line(10), optimizer=optimizer, epochs=2, batch_size=size)
    assert optimizer.steps == 2 * steps


def test_the_same_seed_gives_the_same_bits_and_another_order_others():
    def run(seed):
        model = MLP(2, [4, 1], seed=3)
        history = _fit(model, *datasets.moons(20), loss="hinge", epochs=5, batch_size=6, seed=seed)
        return model.state_dict(), history.loss

    assert run(1) == run(1)
    assert run(1) != run(2)


# --- the history ---------------------------------------------------------------------------------

def test_the_history_has_an_entry_for_each_epoch():
    X, y = datasets.moons(20)
    history = _fit(MLP(2, [3, 1], seed=1), X, y, loss=hinge, epochs=4,
                   learning_rate=schedules.linear(1.0, 0.2, 4), validation=datasets.moons(9))
    assert len(history) == 4
    assert [len(h) for h in (history.loss, history.accuracy, history.validation_loss)] == [4] * 3
    assert history.learning_rate == pytest.approx([1.0, 0.8, 0.6, 0.4], rel=1e-14)
    assert history.stopped == "all epochs are done"


def test_the_validation_loss_is_that_after_the_epoch():
    X, y = datasets.line(10)
    model = Line()
    history = _fit(model, X, y, learning_rate=0.01, epochs=3, validation=(X, y))
    assert history.validation_loss[:2] == pytest.approx(history.loss[1:], rel=1e-13)
    assert history.validation_loss[2] == mean_squared_error(model.predict(X).tolist(), y)
    assert history.accuracy == []


def test_patience_ends_a_training_that_stands_still():
    model = Line(1.0, 0.0)
    history = _fit(model, [[0.0]], [1.0], epochs=50, patience=3)  # nothing left to learn
    assert len(history) == 4
    assert "no smaller loss for 3" in history.stopped


def test_a_loss_that_falls_by_less_than_the_tolerance_stands_still():
    X, y = datasets.line(10)
    whole = _fit(Line(), X, y, learning_rate=0.01, epochs=40, patience=3)
    assert len(whole) == 40
    cut = _fit(Line(), X, y, learning_rate=0.01, epochs=40, patience=3, tolerance=0.01)
    last = len(cut)
    assert 4 < last < 40 and cut.loss == whole.loss[:last]
    assert min(cut.loss[-3:]) >= min(cut.loss[:-3]) - 0.01
    assert min(cut.loss[-4:-1]) < min(cut.loss[:-4]) - 0.01


def test_ctrl_c_returns_what_was_reached():
    model = Line()
    calls = []

    def interrupted(answers, targets):
        calls.append(1)
        if len(calls) == 5:  # the first one was to see whether it takes all rows
            raise KeyboardInterrupt
        return mean_squared_error(answers, targets)

    history = _fit(model, *datasets.line(10), loss=interrupted, learning_rate=0.01, epochs=9)
    assert len(history) == 3
    assert history.stopped == "interrupted in epoch 4"
    reference = Line()
    _fit(reference, *datasets.line(10), learning_rate=0.01, epochs=3)
    assert [p.data for p in model.parameters()] == pytest.approx(
        [p.data for p in reference.parameters()], rel=1e-13)


def test_divergence_ends_with_finite_parameters_and_says_so():
    model = Line()
    history = _fit(model, *datasets.line(10), learning_rate=10.0, epochs=1000)
    assert 0 < len(history) < 1000
    assert "diverged in epoch" in history.stopped
    assert all(math.isfinite(p.data) for p in model.parameters())
    assert all(map(math.isfinite, history.loss))


def test_a_bar_is_shown_unless_it_is_switched_off(capsys):
    fit(Line(), *datasets.line(4), epochs=2, learning_rate=0.01)
    assert "training" in capsys.readouterr().err
    fit(Line(), *datasets.line(4), epochs=2, learning_rate=0.01, progress=False)
    assert capsys.readouterr().err == ""


# --- refusals change nothing ---------------------------------------------------------------------

GOOD = {"X": [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], "y": [1, -1, 1], "loss": "hinge"}


@pytest.mark.parametrize(("change", "error", "words"), [
    ({"X": [[0.0], [1.0], [2.0]]}, ValueError, r"takes 2 input\(s\), not 1"),
    ({"X": [[0.0] * 3] * 3}, ValueError, r"takes 2 input\(s\), not 3"),
    ({"X": [[0.0, 1.0], [1.0], [2.0, 2.0]]}, ValueError, "rows of numbers of one length"),
    ({"X": [0.0, 1.0, 2.0]}, ValueError, "rows of numbers"),
    ({"X": np.ones((3, 2, 1))}, ValueError, "rows of numbers"),
    ({"X": []}, ValueError, "no rows"),
    ({"X": [[0.0, 1.0], [1.0, math.nan], [2.0, 2.0]]}, ValueError, r"X\[1\]\[1\] is nan"),
    ({"X": [[0.0, 1.0], [1.0, 0.0], [-math.inf, 2.0]]}, ValueError, r"X\[2\]\[0\] is -inf"),
    ({"X": [["0", 1.0], [1.0, 0.0], [2.0, 2.0]]}, TypeError, r"X\[0\]\[0\]"),
    ({"y": [1, -1]}, ValueError, "3 rows, but y has 2 targets"),
    ({"y": [1, 0, 1]}, ValueError, r"y\[1\] is 0"),
    ({"y": [1, -1, math.nan]}, ValueError, r"y\[2\] is nan"),
    ({"y": 1.0}, TypeError, "one target for each row"),
    ({"loss": "cross_entropy"}, ValueError, "list of logits"),
    ({"loss": "hing"}, ValueError, "there is no loss 'hing'; choose"),
    ({"loss": 3}, TypeError, "a name or a function"),
    ({"optimizer": "sdg"}, ValueError, "there is no optimizer 'sdg'; choose"),
    ({"learning_rate": -1.0}, ValueError, "above 0"),
    ({"learning_rate": "fast"}, TypeError, "learning_rate"),
    ({"epochs": -1}, ValueError, "epochs"), ({"epochs": 1.5}, TypeError, "epochs"),
    ({"batch_size": 0}, ValueError, "batch_size"),
    ({"l2": -1e-4}, ValueError, "l2"), ({"patience": 0}, ValueError, "patience"),
    ({"tolerance": -1.0}, ValueError, "tolerance"),
    ({"seed": -1}, ValueError, "seed"), ({"validation": 3}, TypeError, "pair"),
    ({"validation": ([[1.0, 2.0]], [0])}, ValueError, "hinge takes the labels"),
    ({"validation": ([[1.0]], [1])}, ValueError, "takes 2 input"),
    ({"optimizer": SGD([Value(1.0)])}, ValueError, "not those of the model")])
def test_a_refusal_comes_before_anything_changes(change, error, words):
    model = MLP(2, [3, 1], seed=1)
    for parameter in model.parameters():
        parameter.grad = 7.0
    before = model.state_dict()
    with pytest.raises(error, match=words):
        _fit(model, **{**GOOD, **change})
    assert model.state_dict() == before
    assert {p.grad for p in model.parameters()} == {7.0}


def test_only_modules_are_trained():
    with pytest.raises(TypeError, match="fit trains a Module"):
        _fit(lambda x: x, **GOOD)


def test_a_rate_beside_a_ready_optimizer_is_refused():
    model = MLP(2, [1], seed=1)
    with pytest.raises(ValueError, match="learning rate already"):
        _fit(model, **GOOD, optimizer=Adam(model.parameters()), learning_rate=0.1)


def test_a_loss_that_is_no_value_is_refused():
    model = MLP(2, [1], seed=1)
    before = model.state_dict()
    with pytest.raises(TypeError, match="must be a Value"):
        _fit(model, GOOD["X"], GOOD["y"], loss=lambda answers, targets: 1.0)
    assert model.state_dict() == before


@pytest.mark.parametrize("compiled", [True, False])
def test_a_loss_that_swallows_a_refusal_is_refused(compiled):
    def row(answer, target):
        try:
            return (math.exp(answer) - target) ** 2
        except TypeError:
            return (answer - target) ** 2

    model = MLP(2, [1], seed=1)
    before = model.state_dict()
    with pytest.raises(TypeError, match=r"math\.exp of a Value .*caught this error and went on"):
        _fit(model, GOOD["X"], GOOD["y"], loss=Loss("own", row, lambda y, place, n: float(y)),
             compiled=compiled)
    assert model.state_dict() == before


# --- accuracy ------------------------------------------------------------------------------------

@pytest.mark.parametrize(("slope", "labels", "share"), [
    (1.0, [-1, -1, 1, 1], 1.0), (1.0, [0, 0, 1, 1], 1.0), (1.0, [1, -1, 1, 1], 0.75)])
def test_accuracy_of_scores(slope, labels, share):
    X = [[-2.0], [-0.5], [0.25], [3.0]]
    assert accuracy(Line(0.0, slope), X, labels) == share


def test_scores_from_0_to_1_for_the_classes_0_and_1_are_probabilities():
    X = [[0.1], [0.4], [0.6], [0.9]]
    assert accuracy(Line(0.0, 1.0), X, [0, 0, 1, 1]) == 1.0
    assert accuracy(Line(0.0, 1.0), X, [0, 0, 1, 1], threshold=0.0) == 0.5


def test_accuracy_refuses_other_classes_and_lengths():
    with pytest.raises(ValueError, match="-1 and 1, or 0 and 1"):
        accuracy(Line(), [[1.0], [2.0]], [2, 3])
    with pytest.raises(ValueError, match="2 rows but 1 targets"):
        accuracy(Line(), [[1.0], [2.0]], [1])
