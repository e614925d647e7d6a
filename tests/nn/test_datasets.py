"""Data sets: their shapes, their classes, their geometry, their seeds."""

import numpy as np
import pytest

from nn import datasets


def test_truth_tables():
    X, y = datasets.logical_not()
    assert (X.tolist(), y.tolist()) == ([[0], [1]], [1, 0])
    X, y = datasets.xor()
    assert [(*map(int, row), int(label)) for row, label in zip(X, y, strict=True)] == [
        (0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]


def test_and_of_first_and_last_has_five_training_rows_and_three_others():
    X, y = datasets.and_of_first_and_last()
    assert X.tolist() == [[1, 0, 1], [0, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert y.tolist() == [1, 0, 0, 0, 0]
    X, y = datasets.and_of_first_and_last("test")
    assert X.tolist() == [[0, 1, 1], [1, 1, 1], [0, 1, 0]]
    assert y.tolist() == [0, 1, 0]
    X, y = datasets.and_of_first_and_last("all")
    assert len({tuple(row) for row in X.tolist()}) == 8
    with pytest.raises(ValueError, match="'train', 'test' or 'all'"):
        datasets.and_of_first_and_last("both")


@pytest.mark.parametrize("make", [datasets.moons, datasets.circles, datasets.spirals])
def test_point_sets_have_two_classes_of_equal_size(make):
    X, y = make(101, seed=3)
    assert X.shape == (101, 2)
    assert X.dtype == y.dtype == float
    assert (np.sum(y == -1), np.sum(y == 1)) == (51, 50)
    assert set(np.sign(np.diff(y)).tolist()) == {-1.0, 0.0, 1.0}  # shuffled


@pytest.mark.parametrize("make", [datasets.moons, datasets.circles, datasets.spirals,
                                  datasets.line])
def test_a_seed_gives_the_same_points_and_another_seed_others(make):
    first, again, other = make(20, seed=1), make(20, seed=1), make(20, seed=2)
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    assert not (np.array_equal(first[0], other[0]) and np.array_equal(first[1], other[1]))


def test_moons_without_noise_lie_on_two_half_circles():
    X, y = datasets.moons(100, noise=0.0)
    upper, lower = X[y == -1], X[y == 1] - [1.0, 0.5]
    for half, side in ((upper, 1), (lower, -1)):
        assert np.allclose(np.hypot(*half.T), 1.0, rtol=1e-14)
        assert np.all(side * half[:, 1] > -1e-14)


def test_circles_without_noise_have_their_radii():
    X, y = datasets.circles(50, noise=0.0, inner=0.25)
    assert np.allclose(np.hypot(*X.T), np.where(y == -1, 1.0, 0.25), rtol=1e-14)


def test_one_spiral_is_the_other_turned_by_half_a_turn():
    X, y = datasets.spirals(40, noise=0.0)
    first = X[y == -1][np.argsort(np.hypot(*X[y == -1].T))]
    second = X[y == 1][np.argsort(np.hypot(*X[y == 1].T))]
    assert np.allclose(first, -second, atol=1e-14)
    assert np.hypot(*first[0]) == pytest.approx(0.1) and np.hypot(*first[-1]) == pytest.approx(1.0)


def test_the_line_without_noise_is_a_line():
    X, y = datasets.line(5, intercept=1.0, slope=0.5, noise=0.0)
    assert X.tolist() == [[0], [2.5], [5], [7.5], [10]]
    assert y.tolist() == [1, 2.25, 3.5, 4.75, 6]


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: datasets.moons(1), ValueError, r"^n\b"),
    (lambda: datasets.moons(10.0), TypeError, r"^n\b"),
    (lambda: datasets.moons(10, noise=-1.0), ValueError, r"^noise\b"),
    (lambda: datasets.circles(10, inner=1.5), ValueError, r"^inner\b"),
    (lambda: datasets.line(1), ValueError, r"^n\b")])
def test_settings_that_make_no_points_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()
