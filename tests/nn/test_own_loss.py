"""A user's function as a loss: of one row or of all answers, and what it is told."""

from __future__ import annotations

import random

import numpy as np
import pytest

import autograd
import nn
from autograd import logsumexp

GENERATOR = np.random.default_rng(5)
X = GENERATOR.normal(size=(12, 2))
Y = X[:, 0] - 0.5 * X[:, 1]
CLASSES = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def squared(answer, target):
    return (answer - target) ** 2


def mean_of_squares(answers, targets):
    squares = [(a - t) ** 2 for a, t in zip(answers, targets, strict=True)]
    return autograd.sum(squares) / len(targets)


def log_loss(logits, label):
    return logsumexp(logits) - logits[label]


def distance(answer, target):
    return sum((a - t) ** 2 for a, t in zip(answer, target, strict=True))


def fitted(loss, y=Y, outputs=1, **options):
    """The history, and the parameters that it led to."""
    model = nn.MLP(2, [3, outputs], activation="tanh", seed=1)
    settings = {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 6, "batch_size": 5,
                "progress": False, **options}
    history = nn.fit(model, X, y, loss=loss, **settings)
    return history, [p.data for p in model.parameters()]


@pytest.mark.parametrize("is_compiled", [True, False])
def test_a_function_of_one_row_is_the_mean_over_the_rows(is_compiled):
    history, numbers = fitted(squared, compiled=is_compiled)
    wanted, expected = fitted("mean_squared_error")
    assert numbers == pytest.approx(expected, rel=1e-12)
    assert history.loss == pytest.approx(wanted.loss, rel=1e-12)
    assert history.engine == ("eager" if not is_compiled else wanted.engine)


def test_a_function_of_all_answers_stays_one():
    history, numbers = fitted(mean_of_squares)
    assert history.engine == "eager" and "all answers at once" in history.reason
    assert numbers == pytest.approx(fitted("mean_squared_error")[1], rel=1e-12)


def test_a_function_that_takes_both_is_one_of_all_answers():
    def both(answers, targets):
        return np.sum((np.asanyarray(answers) - np.asanyarray(targets)) ** 2)

    # The sum over all rows, not the mean: twelve times the slope.
    one = {"batch_size": None, "epochs": 1}
    assert fitted(both, learning_rate=0.05 / 12, **one)[1] == pytest.approx(
        fitted(squared, **one)[1], rel=1e-12)


@pytest.mark.parametrize("is_compiled", [True, False])
def test_whole_numbers_index_the_answers_of_a_row(is_compiled):
    numbers = fitted(log_loss, CLASSES, 3, compiled=is_compiled)[1]
    assert numbers == pytest.approx(fitted("cross_entropy", CLASSES, 3)[1], rel=1e-12)


def test_targets_of_several_numbers():
    pairs = np.column_stack([Y, X[:, 0]])
    history, numbers = fitted(distance, pairs, 2, learning_rate=0.025)
    assert history.engine != "eager"
    assert numbers == pytest.approx(fitted("mean_squared_error", pairs, 2)[1], rel=1e-12)
    assert history.loss == pytest.approx(
        [2 * loss for loss in fitted("mean_squared_error", pairs, 2)[0].loss], rel=1e-12)


def test_a_loss_without_a_check_takes_any_numbers():
    assert fitted(nn.Loss("squared", squared))[1] == fitted(squared)[1]
    with pytest.raises(ValueError, match=r"y\[1\] is nan"):
        nn.Loss("squared", squared)([1.0, 2.0], [0.0, np.nan])


def test_what_a_row_does_wrong_is_said_of_the_row():
    import math

    def careless(answer, target):
        return math.exp(answer - target)

    with pytest.raises(TypeError, match=r"autograd|exp"):
        fitted(careless)


def test_what_takes_neither_is_an_error_as_before():
    with pytest.raises(TypeError, match="positional"):
        fitted(lambda answer: answer)


def test_to_see_what_a_function_takes_draws_no_random_numbers():
    def noisy(answer, target):
        return (answer - target * random.uniform(0.9, 1.1) * np.random.uniform(0.9, 1.1)) ** 2

    def seeded():
        random.seed(3)
        np.random.seed(3)

    def of_all(answers, targets):
        return autograd.sum([noisy(a, t) for a, t in zip(answers, targets, strict=True)]
                            ) / len(targets)

    seeded()
    first = fitted(of_all)[1]
    seeded()
    assert fitted(noisy)[1] == pytest.approx(first, rel=1e-12)


def test_the_next_training_replays_the_same_function():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)
    compiled = nn.compiled_training.Compiled
    recordings = []

    class Counting(compiled):
        def recorded(self, *arguments):
            recordings.append(1)
            return super().recorded(*arguments)

    nn.compiled_training.Compiled = Counting
    try:
        for _ in range(3):
            nn.fit(model, X, Y, loss=squared, epochs=2, progress=False)
    finally:
        nn.compiled_training.Compiled = compiled
    assert len(recordings) == 1


@pytest.mark.parametrize("engine", ["compiled", "eager"])
def test_one_hot_rows_and_probabilities_train(engine):
    options = {"compiled": engine == "compiled"}
    one_hot = np.eye(3)[CLASSES]
    plain, expected = fitted("cross_entropy", CLASSES, 3, **options)
    history, numbers = fitted("cross_entropy", one_hot, 3, **options)
    assert numbers == expected
    assert history.accuracy == plain.accuracy
    soft = 0.8 * one_hot + 0.2 / 3
    history, numbers = fitted("cross_entropy", soft, 3, **options)
    assert history.accuracy[0] == plain.accuracy[0]
    by_hand = fitted(lambda logits, weights: sum(
        w * (logsumexp(logits) - z) for w, z in zip(weights, logits, strict=True)), soft, 3)
    assert numbers == pytest.approx(by_hand[1], rel=1e-11)
    model = nn.MLP(2, [3, 3], seed=1)
    assert nn.accuracy(model, X, soft) == nn.accuracy(model, X, CLASSES)
    assert nn.accuracy(model, X, one_hot) == nn.accuracy(model, X, CLASSES)


def test_one_hot_rows_are_no_labels_of_a_single_score():
    with pytest.raises((TypeError, ValueError), match=r"y\[0\]"):
        fitted("binary_cross_entropy_with_logits", np.eye(2)[CLASSES % 2])
