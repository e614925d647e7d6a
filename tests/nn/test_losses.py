"""Losses: their formulas, gradients, stability, and the labels that they take."""

import math

import numpy as np
import pytest

from autograd import Value, gradcheck
from nn import (
    LOSSES,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    mean_squared_error,
)

SCORES = [0.3, -1.2, 2.5, 0.7]


def _logistic(s):
    return 1 / (1 + math.exp(-s))


def test_mean_squared_error_is_the_mean_of_squares():
    assert mean_squared_error([1.0, 2.0, 5.0], [1.5, 2.0, 2.0]) == (0.25 + 0.0 + 9.0) / 3


def test_mean_squared_error_of_several_outputs_is_the_mean_over_all():
    assert mean_squared_error([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 4.0]]) == 13.0 / 4


def test_hinge_is_zero_from_margin_one_on():
    assert hinge([2.0, -1.0, 0.25, -0.5], [1, -1, 1, 1]) == (0 + 0 + 0.75 + 1.5) / 4


def test_cross_entropies_are_minus_the_log_of_the_labels_probability():
    labels = [1, 0, 1, 0]
    expected = -sum(math.log(_logistic(s) if y else 1 - _logistic(s))
                    for s, y in zip(SCORES, labels, strict=True)) / 4
    assert binary_cross_entropy_with_logits(SCORES, labels) == pytest.approx(expected, rel=1e-14)
    assert binary_cross_entropy([_logistic(s) for s in SCORES], labels) == pytest.approx(
        expected, rel=1e-14)
    two_logits = [[0.0, s] for s in SCORES]  # softmax over (0, s) is the logistic of s
    assert cross_entropy(two_logits, labels) == pytest.approx(expected, rel=1e-14)


def test_equal_logits_cost_the_log_of_the_number_of_classes():
    assert cross_entropy([[7.0] * 5], [3]) == pytest.approx(math.log(5), rel=1e-15)


@pytest.mark.parametrize(("logit", "label", "cost", "slope"), [
    (1000.0, 0, 1000.0, 1.0), (-1000.0, 1, 1000.0, -1.0),
    (1000.0, 1, 0.0, 0.0), (-1000.0, 0, 0.0, 0.0)])
def test_logits_far_out_neither_overflow_nor_lose_their_gradient(logit, label, cost, slope):
    score = Value(logit)
    loss = binary_cross_entropy_with_logits([score], [label])
    loss.backward()
    assert (loss.data, score.grad) == (cost, slope)
    logits = [Value(0.0), Value(logit)]
    loss = cross_entropy([logits], [label])
    loss.backward()
    assert (loss.data, logits[1].grad) == (cost, slope)


def test_a_tiny_probability_of_label_zero_keeps_its_digits():
    # -log(1 - p) is p for a tiny p; formed as 1 - p it would be 0
    assert binary_cross_entropy([1e-20], [0]) == 1e-20


@pytest.mark.parametrize(("loss", "labels", "point"), [
    (mean_squared_error, [0.5, -1.0, 2.0, 0.0], SCORES),
    (hinge, [1, -1, 1, -1], SCORES),
    (binary_cross_entropy, [1, 0, 1, 0], [0.2, 0.7, 0.999, 1e-4]),
    (binary_cross_entropy_with_logits, [1, 0, 1, 0], SCORES),
    (cross_entropy, [2, 0], [[0.3, -1.2, 2.5], [40.0, 0.7, -3.0]])])
def test_gradients_agree_with_the_oracle(loss, labels, point):
    assert gradcheck(lambda answers: loss(answers, labels), point)


@pytest.mark.parametrize(("loss", "labels", "words"), [
    (hinge, [1, 0, 1, -1], r"y\[1\] is 0; for labels 0 and 1 write 2 \* y - 1"),
    (binary_cross_entropy, [1, 0, -1, 0], r"y\[2\] is -1; .*\(y \+ 1\) / 2"),
    (binary_cross_entropy_with_logits, [1, 0, 0.5, 0], r"y\[2\] is 0.5"),
    (mean_squared_error, [1, 0, math.nan, 0], r"y\[2\] is nan"),
    (mean_squared_error, [1, 0, math.inf, 0], r"y\[2\] is inf")])
def test_labels_outside_what_the_loss_takes_are_refused(loss, labels, words):
    with pytest.raises(ValueError, match=words):
        loss([0.1, 0.2, 0.3, 0.4], labels)


@pytest.mark.parametrize("label", [3, -1, 1.5])
def test_a_class_without_a_logit_is_refused(label):
    with pytest.raises(ValueError, match="labels 0 to 2"):
        cross_entropy([[0.0, 1.0, 2.0]], [label])


LOGITS = [[0.5, -1.0, 2.0], [0.0, 0.3, -0.2]]


@pytest.mark.parametrize("rows", [[[0, 0, 1], [1, 0, 0]], np.array([[0.0, 0.0, 1.0], [1, 0, 0]]),
                                  [(False, False, True), (True, False, False)]])
def test_one_hot_rows_are_the_indices_of_the_classes(rows):
    assert cross_entropy.checked_targets(rows, 2, 3) == [2, 0]
    assert cross_entropy(LOGITS, rows) == cross_entropy(LOGITS, [2, 0])


def test_probabilities_cost_the_mean_of_what_the_classes_cost():
    shares = [[0.2, 0.3, 0.5], [0.0, 0.75, 0.25]]
    expected = sum(share * cross_entropy([logits], [k])
                   for logits, row in zip(LOGITS, shares, strict=True)
                   for k, share in enumerate(row)) / 2
    assert cross_entropy(LOGITS, shares) == pytest.approx(expected, rel=1e-14)
    values = [[Value(x) for x in row] for row in LOGITS]
    cross_entropy(values, shares).backward()
    for row, logits, share in zip(values, LOGITS, shares, strict=True):
        total = sum(map(math.exp, logits))  # softmax - probability, over two rows
        assert [x.grad for x in row] == pytest.approx(
            [(math.exp(z) / total - p) / 2 for z, p in zip(logits, share, strict=True)], rel=1e-13)
    assert cross_entropy.accuracy(LOGITS, shares) == 1.0
    assert cross_entropy.labels([[0.2, 0.3, 0.5], 1]).tolist() == [2.0, 1.0]


@pytest.mark.parametrize("row", [[0, 1], [0, 1, 0, 0], [1, 1, 0], [0, 0, 0], [0.5, 0.6, -0.1],
                                 [0.5, 0.5, 0.1], [[0, 0, 1]], []])
def test_rows_that_are_neither_one_hot_nor_probabilities_are_refused(row):
    with pytest.raises(ValueError, match=r"y\[1\] is .*\[" if row != [] else r"y\[1\] is \[\]"):
        cross_entropy(LOGITS, [2, row])
    with pytest.raises(ValueError, match=r"whose sum is 1|labels 0 to 2"):
        cross_entropy(LOGITS, [2, row])


@pytest.mark.parametrize(("loss", "answers", "targets", "error", "words"), [
    (hinge, [1.0, 2.0], [1], ValueError, "2 rows but 1 targets"),
    (hinge, [], [], ValueError, "at least one row"),
    (hinge, 1.0, [1], TypeError, "the answers must be a list"),
    (hinge, [1.0], ["1"], TypeError, "y"),
    (hinge, [[1.0, 2.0]], [1], ValueError, "one score a row"),
    (cross_entropy, [1.0], [0], ValueError, "a list of logits"),
    (mean_squared_error, [[1.0, 2.0]], [1.0], ValueError, "2 numbers a row"),
    (mean_squared_error, [[1.0, 2.0], [1.0]], [1.0, 2.0], ValueError, "different lengths"),
    (binary_cross_entropy, [1.5], [1], ValueError, "probabilities from 0 to 1"),
    (binary_cross_entropy, [-0.5], [0], ValueError, "probabilities from 0 to 1")])
def test_shapes_and_answers_that_do_not_fit_are_refused(loss, answers, targets, error, words):
    with pytest.raises(error, match=words):
        loss(answers, targets)


def test_every_loss_stands_in_the_table_under_its_name():
    assert list(LOSSES) == ["mean_squared_error", "hinge", "binary_cross_entropy",
                            "binary_cross_entropy_with_logits", "cross_entropy"]


@pytest.mark.parametrize(("loss", "answers", "labels", "share"), [
    (hinge, [0.5, -0.1, -3.0, 2.0], [1, 1, -1, -1], 0.5),
    (binary_cross_entropy, [0.6, 0.4, 0.1], [1, 1, 0], 2 / 3),
    (binary_cross_entropy_with_logits, [0.2, -0.2, 0.3], [1, 0, 0], 2 / 3),
    (cross_entropy, [[1.0, 2.0, 0.0], [5.0, 2.0, 0.0]], [1, 2], 0.5)])
def test_accuracy_is_the_share_of_right_classes(loss, answers, labels, share):
    assert loss.accuracy(np.array(answers), labels) == share


def test_targets_that_are_no_classes_have_no_accuracy():
    with pytest.raises(ValueError, match="no classes"):
        mean_squared_error.accuracy([1.0], [1.0])
