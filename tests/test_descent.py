"""Gradient descent and its path, brute force; the descents of the source documents."""

import math

import numpy as np
import pytest

import autograd
from autograd import brute_force, descend
from autograd.descent import evaluations


def parabola(x):
    return x**2 - 6 * x + 5


def bowl(w):
    return 2 * w[0]**2 + w[1]**2


@pytest.fixture(scope="module")
def squared_error():
    np.random.seed(1)
    x = -10.0 + 20.0 * np.random.random(10)
    y = 1.0 + 0.5 * x + np.random.randn(10)
    rows = list(zip(x.tolist(), y.tolist(), strict=True))
    return lambda b: sum((yi - b[0] - b[1] * xi)**2 for xi, yi in rows)


# --- the numbers of the source documents ----------------------------------------------------------

def test_document_000_first_steps_on_the_parabola():
    path = descend(parabola, 10, 0.1, steps=2)
    assert path.points[:, 0] == pytest.approx([10, 8.6, 7.48], rel=1e-15)
    assert path.gradients[:2, 0] == pytest.approx([14, 11.2], rel=1e-15)
    assert path.values == pytest.approx([45, 8.6**2 - 6 * 8.6 + 5, 7.48**2 - 6 * 7.48 + 5])


@pytest.mark.parametrize("rate, steps", [(0.1, 20), (0.01, 200), (0.8, 9), (1.5, 9)])
def test_document_000_each_rate_shrinks_the_distance_by_one_minus_twice_the_rate(rate, steps):
    path = descend(parabola, 10, rate, steps=steps)
    expected = 3 + 7 * (1 - 2 * rate)**np.arange(steps + 1)
    assert path.points[:, 0] == pytest.approx(expected, rel=1e-12)
    assert (path.values[-1] > path.values[0]) == (rate == 1.5)
    assert len(path) == steps and path.reason == "steps"


def test_document_001_precision_ends_at_the_printed_number():
    path = descend(lambda x: x**4 - 3 * x**3 + 2, 4, 0.01, steps=1000, precision=1e-5)
    assert path.end == 2.2500325268933734
    assert len(path) == 42 and path.reason == "precision"
    assert path.gradients[0, 0] == 112


def test_document_001_small_rate():
    path = descend(lambda x: x**4 - 3 * x**3 + 2, 4, 0.001, steps=2)
    assert path.points[1:, 0] == pytest.approx([3.888, 3.788956], abs=5e-7)
    assert path.gradients[1, 0] == pytest.approx(99.0436, abs=5e-5)


@pytest.mark.parametrize("w, slope, moved", [(1.9, 25.66, 1.64), (1.64, 12.5, 1.52)])
def test_document_002_step_in_one_variable(w, slope, moved):
    # The document shows its function on slides only; a line of its slope takes the same step.
    assert descend(lambda x: slope * x, w, 0.01, steps=1).end == pytest.approx(moved, abs=0.0051)


def test_document_002_partial_derivatives_and_joint_step_lower_than_single_ones():
    joint = descend(bowl, (-8, 7), 0.1, steps=1)
    assert joint.gradients[0].tolist() == [-32, 14]
    single = descend(bowl, (-8, 7), 0.1, steps=1, one_at_a_time=True)
    other = descend(lambda w: bowl((w[1], w[0])), (7, -8), 0.1, steps=1, one_at_a_time=True)
    assert joint.points[1] == pytest.approx([-4.8, 5.6])
    assert single.points[1] == pytest.approx([-4.8, 7])
    assert other.points[1] == pytest.approx([5.6, -8])
    assert joint.values[1] < min(single.values[1], other.values[1])


@pytest.mark.parametrize("start, documents_rate, steps, end, last", [
    ((-8, -3.2), 0.002, 1000, (0.91770, 0.48369), 12.8664),
    ((-8, -2), 0.0065, 100, None, 268370.01),
    ((-8, -2), 0.0055, 100, None, 13.8987),
])
def test_document_004_least_squares(squared_error, start, documents_rate, steps, end, last):
    # The document's update leaves out the factor 2 of the gradient: half its rate is the same.
    path = descend(squared_error, start, documents_rate / 2, steps=steps)
    assert path.values[-1] == pytest.approx(last, abs=10.0**-(2 if last > 1000 else 4))
    if end is not None:
        assert path.values[0] == pytest.approx(2550.7177, abs=5e-5)
        assert path.points[-1] == pytest.approx(end, abs=5e-6)


def test_document_004_zig_zag_changes_sides_at_each_early_step(squared_error):
    slopes = descend(squared_error, (-8, -2), 0.0055 / 2, steps=10).gradients[:, 1]
    assert (slopes[1:] * slopes[:-1] < 0).all()


# --- the path -------------------------------------------------------------------------------------

def test_path_has_shapes_of_points_values_gradients():
    path = descend(bowl, [-8, 7], 0.1, steps=5)
    assert path.points.shape == path.gradients.shape == (6, 2)
    assert path.values.shape == (6,) and len(path) == 5


def test_every_value_and_gradient_belongs_to_its_point():
    path = descend(bowl, [-8, 7], 0.2, steps=7)
    for point, value, gradient in zip(path.points, path.values, path.gradients, strict=True):
        assert value == bowl(point)
        assert gradient.tolist() == [4 * point[0], 2 * point[1]]


def test_each_step_is_minus_rate_times_gradient():
    path = descend(bowl, [-8, 7], 0.2, steps=7)
    assert np.diff(path.points, axis=0) == pytest.approx(-0.2 * path.gradients[:-1], rel=1e-13)


@pytest.mark.parametrize("start", [(-8.0, 7.0), [-8.0, 7.0], np.array([-8.0, 7.0]),
                                   {"a": -8.0, "b": 7.0}])
def test_function_and_end_keep_the_structure_of_the_start(start):
    seen = []

    def f(w):
        seen.append(type(w))
        return bowl(list(w.values())) if isinstance(w, dict) else bowl(w)

    path = descend(f, start, 0.1, steps=2)
    assert all(issubclass(kind, type(start)) for kind in seen)  # an array holds Values inside
    assert type(path.end) is type(start)


def test_scalar_start_calls_with_a_scalar_and_ends_with_a_float():
    assert type(descend(parabola, 10, 0.1, steps=3).end) is float


def test_start_is_not_changed():
    start = np.array([-8.0, 7.0])
    descend(bowl, start, 0.1)
    assert start.tolist() == [-8, 7]


def test_no_steps_is_a_path_of_one_point():
    path = descend(parabola, 10, 0.1, steps=0)
    assert path.points.tolist() == [[10]] and len(path) == 0 and path


def test_rate_may_be_a_function_of_the_step():
    rates = [0.5, 0.25, 0.0]
    path = descend(parabola, 10, lambda step: rates[step], steps=3)
    moves = np.diff(path.points[:, 0])
    assert moves == pytest.approx([-r * g for r, g in zip(rates, path.gradients[:3, 0],
                                                        strict=True)])


def test_one_at_a_time_moves_one_coordinate_in_turn_by_the_slope_where_it_stands():
    path = descend(lambda w: w[0] * w[1] + w[0]**2 + w[1]**2, (4, 2), 0.25, 4, one_at_a_time=True)
    assert path.points.tolist() == [[4, 2], [1.5, 2], [1.5, 0.625], [0.59375, 0.625],
                                    [0.59375, 0.1640625]]


def test_one_at_a_time_is_settled_only_after_every_coordinate_had_its_turn():
    path = descend(bowl, (0, 7), 0.25, steps=200, precision=1e-3, one_at_a_time=True)
    assert path.reason == "precision" and len(path) > 10
    assert abs(path.end[1]) < 2e-3


def test_precision_counts_the_largest_change():
    path = descend(bowl, (1e-9, 7), 0.25, steps=200, precision=1e-3)
    changes = np.abs(np.diff(path.points, axis=0)).max(axis=1)
    assert path.reason == "precision"
    assert changes[-1] <= 1e-3 < changes[-2]


def test_model_parameters_from_outside_get_no_gradient():
    weight = autograd.Value(3.0)
    path = descend(lambda x: weight * x * x, 1.0, 0.1, steps=2)
    assert path.points[:, 0] == pytest.approx([1, 0.4, 0.16])
    assert weight.grad == 0


def test_repr_says_steps_rate_ends_and_reason():
    text = repr(descend(parabola, 10, 1.5, steps=9))
    for part in ("9 steps", "rate 1.5", "from 10 to -3581", "rose from 45", "took all its steps"):
        assert part in text
    assert "varying rate" in str(descend(parabola, 10, lambda step: 0.1, steps=1))


# --- divergence and other ends --------------------------------------------------------------------

@pytest.mark.parametrize("f, start, rate", [
    (parabola, 10, 1.5),                                # grows beyond bounds
    (lambda x: autograd.exp(x * x), 1, 3),              # OverflowError
    (lambda x: x * autograd.log(x), 1, 3),              # leaves the domain: ValueError
    (lambda w: w[0]**4 + w[1]**4, (3, -2), 1.0),
    (lambda x: x**99, 1.5, 1.0),
    (lambda x: abs(x)**0.5 if abs(x) > 1 else x * math.nan, 9, 50.0),
])
def test_divergence_ends_with_a_path_of_finite_numbers(f, start, rate):
    path = descend(f, start, rate, steps=10_000)
    for numbers in (path.points, path.values, path.gradients):
        assert np.isfinite(numbers).all() and np.isfinite(numbers**2).all()
    assert len(path.points) == len(path.values) == len(path.gradients) == len(path) + 1
    assert path.reason == "diverged" and path.detail and path.detail in repr(path)


def test_division_by_zero_on_the_way_is_divergence():
    path = descend(lambda x: x if x > 1 else 1 / (x * 0), 2.0, 1.0, steps=5)
    assert path.reason == "diverged" and "ZeroDivisionError" in path.detail
    assert path.points.tolist() == [[2.0]]


def test_error_at_the_start_is_raised():
    with pytest.raises(ValueError, match="log"):
        descend(autograd.log, -1.0, 0.1)
    with pytest.raises(ZeroDivisionError):
        descend(lambda x: 1 / x, 0.0, 0.1)


def test_error_that_is_no_divergence_is_raised():
    def f(x):
        return x if x > 1 else [x, x]

    with pytest.raises(TypeError, match="one number"):
        descend(f, 2.0, 1.0)


@pytest.mark.parametrize("keywords, error, words", [
    ({"start": "1"}, TypeError, "not a number"),
    ({"start": []}, ValueError, "empty"),
    ({"start": math.inf}, ValueError, "not finite"),
    ({"start": autograd.Value(1.0)}, TypeError, "v.data"),
    ({"rate": -0.1}, ValueError, "descend on -f"),
    ({"rate": math.nan}, ValueError, "rate"),
    ({"rate": lambda step: -1.0}, ValueError, "rate"),
    ({"steps": -1}, ValueError, "steps"),
    ({"steps": 2.5}, TypeError, "steps must be a whole number"),
    ({"precision": -1e-5}, ValueError, "precision"),
    ({"f": lambda x: x * math.inf}, ValueError, "start"),
])
def test_arguments_that_make_no_sense(keywords, error, words):
    with pytest.raises(error, match=words):
        descend(**{"f": parabola, "start": 10, "rate": 0.1, **keywords})


def test_control_c_returns_the_path_reached():
    calls = []

    def f(x):
        calls.append(x)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return parabola(x)

    path = descend(f, 10, 0.1)
    assert path.reason == "interrupted" and len(path) == 2
    assert path.points[:, 0] == pytest.approx([10, 8.6, 7.48])
    assert "interrupted" in repr(path)


# --- brute force ----------------------------------------------------------------------------------

def test_brute_force_finds_the_best_of_the_grid():
    point, value, count = brute_force(lambda x: (x - 0.123)**2, (-1, 1), digits=2)
    assert point == 0.12 and count == 201
    assert value == pytest.approx(0.003**2)


def test_brute_force_one_more_digit_comes_ten_times_nearer_at_ten_times_the_price():
    coarse = brute_force(lambda x: (x - math.pi)**2, (0, 4), digits=1)
    fine = brute_force(lambda x: (x - math.pi)**2, (0, 4), digits=3)
    assert (coarse.point, fine.point) == (3.1, 3.142)
    assert (coarse.evaluations, fine.evaluations) == (41, 4001)


def test_brute_force_keeps_the_first_of_equals():
    assert brute_force(lambda x: (x * x - 0.25)**2, (-1, 1), digits=1).point == -0.5


def test_brute_force_passes_over_nan():
    best = brute_force(lambda x: math.nan if x < 0.5 else x, (0, 1), digits=1)
    assert best == (0.5, 0.5, 11)
    with pytest.raises(ValueError, match="nan"):
        brute_force(lambda x: math.nan, (0, 1), digits=1)


def test_brute_force_in_two_variables_counts_its_evaluations():
    calls = []

    def f(w):
        calls.append(tuple(w))
        return bowl((w[0] + 0.31, w[1] - 0.2))

    best = brute_force(f, [(-1, 1), (0, 0.5)], digits=1)
    assert best.point == [-0.3, 0.2]
    assert best.evaluations == len(calls) == len(set(calls)) == 21 * 6


def test_brute_force_records_no_graph():
    kept = []
    weight = autograd.Value(2.0)
    brute_force(lambda x: kept.append(weight * x) or kept[-1], (0, 1), digits=1)
    assert all(node.parents == () for node in kept) and len(kept) == 11


def test_brute_force_takes_functions_written_with_methods_of_values():
    assert brute_force(lambda x: x * x.exp(), (-2, 2), digits=2).point == -1


def test_grid_is_decimal():
    assert evaluations((0.07, 0.29), 2) == 23
    assert evaluations((-0.05, 0.05), 1) == 1
    assert evaluations((1, 1), 3) == 1


def test_hundred_values_for_each_of_fourteen_weights_are_counted_but_refused():
    ranges = [(0, 0.99)] * 14
    assert evaluations(ranges, 2) == 100**14

    def never(w):
        raise AssertionError("evaluated")

    with pytest.raises(ValueError, match=r"1\.00e\+28 evaluations.*descend"):
        brute_force(never, ranges, digits=2)
    assert evaluations((0, 1), 30) == 10**30 + 1


@pytest.mark.parametrize("ranges, digits, error, words", [
    ([], 1, ValueError, "empty"), ((2, 1), 1, ValueError, "not below"),
    ((0.01, 0.09), 1, ValueError, "no number"), ((0, math.inf), 1, ValueError, "finite"),
    ([(0, 1), 3], 1, TypeError, "pair"), ((0, 1), -1, ValueError, "digits"),
    ((0, 1), 1.5, TypeError, "digits"),
])
def test_ranges_that_make_no_sense(ranges, digits, error, words):
    with pytest.raises(error, match=words):
        brute_force(parabola, ranges, digits)


def test_control_c_in_brute_force_returns_the_best_so_far():
    def f(x):
        if x > 0.55:
            raise KeyboardInterrupt
        return (x - 0.3)**2

    best = brute_force(f, (0, 1), digits=1)
    assert best.point == 0.3 and best.evaluations == 6


def test_brute_force_leaves_the_domain_with_an_error():
    with pytest.raises(ValueError, match="log"):
        brute_force(autograd.log, (-1, 1), digits=1)
    with pytest.raises(OverflowError):
        brute_force(lambda x: np.exp(1000 * x), (0, 1), digits=1)
