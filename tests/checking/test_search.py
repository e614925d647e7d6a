"""check_gradients finds what is wrong in small places, and blames nothing that is right."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

import autograd as ag
from autograd import TABLE, GradientError, Value, check_gradients
from autograd.checking.branches import Branches
from autograd.checking.domains import Box, Domain
from autograd.core.value import Value as CoreValue
from autograd.strategies import arrays_in

from ..own_primitives import declared
from .mutants import Mutant, checks, is_flat, mutants, right_functions

EVERY = 45  # of the mutants of a kind; all of them: python -m tests.checking.mutants
SMALLER = ("0.005", "0.04%")  # than what 100 points are asked to find
KINDS = sorted({m.kind for m in mutants() if not any(size in m.kind for size in SMALLER)})
MUTANTS = [m for kind in KINDS for m in [m for m in mutants() if m.kind == kind][::EVERY]]


def refusing_values(gradient: Any) -> Any:
    """As code is that takes floats alone."""
    def black_box(*inputs: Any) -> Any:
        return gradient(*map(float, inputs))

    return black_box


# --- mutants and right functions ------------------------------------------------------------------

@pytest.mark.parametrize("way, examples", [("by_hand", 100), ("black_box", 100), ("rules", 400)])
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.name}: {m.kind}")
def test_mutants_are_found(mutant: Mutant, way: str, examples: int) -> None:
    with pytest.raises(GradientError):
        checks(examples)[way](mutant)


def test_there_are_mutants_of_every_partial() -> None:
    assert len(KINDS) == 11
    assert {(m.row.name, m.position) for m in mutants()} >= {
        (row.name, position) for row in TABLE.values()
        if not row.orders
        for position in range(row.name == "where", row.arity or 3) if not is_flat(row, position)}


@pytest.mark.parametrize("right", right_functions()[::14], ids=lambda r: r.name[:40])
def test_right_functions_are_not_blamed(right: Any) -> None:
    report = check_gradients(right.function, right.domain, gradient=right.gradient,
                             max_examples=60)
    assert report.points == 60


def test_a_function_too_steep_for_its_own_rounding_is_not_blamed_anywhere() -> None:
    for gradient in (None, lambda x: 1e12 * math.cos(1e12 * x)):
        report = check_gradients(lambda x: ag.sin(1e12 * x), (-1e6, 1e6), gradient=gradient)
        assert report.unknown > 50


@pytest.mark.parametrize("corner", [(0.1, 0.2), (-0.7, 0.6), (0.37, -0.91)])
@pytest.mark.parametrize("black_box", [False, True])
def test_what_is_wrong_in_a_hundredth_of_a_square_is_found(
        corner: tuple[float, float], black_box: bool) -> None:
    def by_hand(x: Any, y: Any) -> tuple[Any, Any]:
        inside = corner[0] < x and x < corner[0] + 0.2 and corner[1] < y and y < corner[1] + 0.2
        return 2.0 * x * y * (1.001 if inside else 1.0), x * x

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: x * x * y, [(-1.0, 1.0), (-1.0, 1.0)],
                        gradient=refusing_values(by_hand) if black_box else by_hand)
    x, y = caught.value.point
    assert corner[0] < x < corner[0] + 0.2 and corner[1] < y < corner[1] + 0.2


def test_a_wrong_sign_in_a_fiftieth_of_the_interval_is_found_wherever_it_is() -> None:
    source = random.Random(5)
    for _ in range(5):
        low = source.uniform(-1.0, 0.96)
        by_hand = refusing_values(
            lambda x, low=low: math.cos(x) * (-1.0 if low < x < low + 0.04 else 1.0))
        with pytest.raises(GradientError):
            check_gradients(lambda x: ag.sin(x), (-1.0, 1.0), gradient=by_hand)


def test_one_component_of_an_array_is_wrong_in_a_fiftieth_of_its_interval() -> None:
    def by_hand(w: Any) -> Any:
        slope = np.cos(w)
        slope[1] *= -1.0 if 0.52 < w[1] < 0.56 else 1.0
        return slope

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda w: ag.sum(np.sin(w)), arrays_in(3, -1.0, 1.0), gradient=by_hand)
    assert caught.value.component == "w[1]"


# --- branches -------------------------------------------------------------------------------------

def test_a_window_of_a_millionth_is_found_as_the_gradient_compares_with_its_ends() -> None:
    def by_hand(x: Any) -> Any:
        return 2.0 * x if not 0.345678 < x < 0.345679 else 2.001 * x

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x: x * x, (-1.0, 1.0), gradient=by_hand)
    assert 0.345678 < caught.value.point[0] < 0.345679


def test_comparisons_are_followed_into_each_other() -> None:
    def by_hand(x: Any, y: Any) -> tuple[Any, Any]:
        if x * x > 0.75 and x < 0.8662 and x + y > 0.5 and y < -0.366:
            return y, 1.001 * x
        return y, x

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: x * y, [(-1.0, 1.0), (-1.0, 1.0)], gradient=by_hand)
    assert by_hand(*caught.value.point)[1] != caught.value.point[0]


def test_a_kink_of_the_function_is_looked_at_on_both_sides() -> None:
    by_hand = refusing_values(lambda x: 1.0 if x > 0.300001 else 0.0)
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x: ag.relu(x - 0.3), (-1.0, 1.0), gradient=by_hand)
    assert 0.3 < caught.value.point[0] <= 0.300001


def test_a_rule_of_the_engine_that_is_wrong_in_a_narrow_branch_is_found() -> None:
    def slope(x: Any, y: Any) -> Any:
        return 3.0 * x * x if not 0.4 < x < 0.40001 else 3.003 * x * x

    with declared("cube_in_branches", lambda x: x * x * x, slope) as cube, \
            pytest.raises(GradientError, match="cube_in_branches"):
        check_gradients(lambda x: cube(x), (-1.0, 1.0))


def test_branches_at_every_scale_of_a_wide_interval_are_found() -> None:
    for edge in (1e-12, 1.0, 1e3, 1e90):
        branches = Branches([lambda x, edge=edge: x if x > edge else 2.0 * x],
                            Box([(0.0, -1e100, 1e100)]), calls=1000)
        branches.look([-5.0])
        beyond, before = (next(points)[0] for points in [branches.both_sides()] for _ in range(2))
        low, high = sorted((beyond, before))
        assert low < edge < high
        assert high - low < 1e-8 * max(edge, 1e-3)


def test_calls_are_no_more_than_allowed() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(x)
        for k in range(100):
            if x < k / 100.0:
                return x * k
        return x

    branches = Branches([f], Box([(0.0, 0.0, 1.0)]), calls=57)
    branches.look([0.5])
    assert list(branches.both_sides())
    assert len(calls) == 57


def test_a_gradient_that_fails_on_values_in_any_way_is_a_black_box() -> None:
    class Odd(Exception):
        pass

    def by_hand(x: Any) -> float:
        if isinstance(x, CoreValue):
            raise Odd
        return 2.0 * x

    assert check_gradients(lambda x: x * x if x > 0.2 else 0.04, (0.3, 1.0), gradient=by_hand)


def test_values_from_outside_keep_their_gradients() -> None:
    weight = Value(2.0)
    (weight * 3.0).backward()
    assert check_gradients(lambda x: ag.relu(weight * x - 1.0) * x, (-1.0, 1.0), max_examples=20)
    assert weight.grad == 3.0


# --- the simplest point, domains ------------------------------------------------------------------

def test_what_a_sweep_finds_is_written_with_few_digits() -> None:
    by_hand = refusing_values(lambda x, y: (y * (1.01 if 0.3012 < x < 0.3098 else 1.0), x))
    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: x * y, [(-1.0, 1.0), (-1.0, 1.0)], gradient=by_hand)
    x, y = caught.value.point
    assert len(repr(x)) <= 5 and len(repr(y)) <= 4
    assert f"x = {x!r}, y = {y!r}" in str(caught.value)


def test_each_check_counts_once() -> None:
    for gradient in (None, lambda x, y: (y * math.cos(x * y), x * math.cos(x * y))):
        report = check_gradients(lambda x, y: ag.sin(x * y), [(-1.0, 1.0), (-1.0, 1.0)],
                                 gradient=gradient, max_examples=33)
        assert (report.points, report.checked) == (33, 66)


def test_a_domain_without_numbers_is_no_pass() -> None:
    assert not check_gradients(lambda w: ag.sum(w), arrays_in(0, 0.0, 1.0),
                               gradient=lambda w: w)


def test_functions_of_several_outputs_are_checked() -> None:
    def wrong(x: Any) -> Any:
        return [2.0 * x, 1.0 if x < 0.5 else 1.1]

    with pytest.raises(GradientError, match="output 1"):
        check_gradients(lambda x: [x * x, x], (-1.0, 1.0), gradient=wrong)
    assert check_gradients(lambda x: [x * x, x], (-1.0, 1.0), gradient=lambda x: [2.0 * x, 1.0])


def test_a_sweep_leaves_no_gap_in_any_coordinate() -> None:
    box = Domain(lambda w, b: b, [arrays_in((2, 2), -3.0, 5.0), (10.0, 11.0)]).box
    assert box is not None
    points = np.array(list(box.sweep(300)))
    assert points.shape == (300, 5)
    for column, (low, high) in zip(points.T, [(-3.0, 5.0)] * 4 + [(10.0, 11.0)], strict=True):
        slices = np.floor((column[:200] - low) / (high - low) * 200).astype(int)
        assert sorted(slices) == list(range(200))
        assert low <= column.min() and column.max() <= high
    assert np.array_equal(points, np.array(list(box.sweep(300))))


@pytest.mark.parametrize("low, high", [(-1.7e308, 1.7e308), (1e-300, 1e300), (0.0, 1.0),
                                       (-2.0, -1e-9), (0.0, 0.0), (-1e-320, 1e-310), (0.0, 5e-324)])
def test_a_sweep_stays_in_its_interval_at_every_scale(low: float, high: float) -> None:
    points = [point[0] for point in Box([(0.0, low, high)]).sweep(300)]
    assert len(points) == 300 and all(low <= x <= high for x in points)


def test_a_sweep_meets_every_order_of_magnitude() -> None:
    points = np.array([point[0] for point in Box([(0.0, -1e6, 1e6)]).sweep(300)])
    for power in range(-9, 6):
        for sign in (-1.0, 1.0):
            assert np.any((sign * points > 10.0 ** power) & (sign * points < 10.0 ** (power + 1)))


@pytest.mark.parametrize("part, is_box", [
    ((0.0, 1.0), True), (arrays_in(3, 0.0, 1.0), True), (st.floats(0.0, 1.0), False),
    (st.sampled_from([0.0, 1.0]), False),
])
def test_intervals_alone_are_swept_as_a_strategy_may_leave_points_out(
        part: Any, is_box: bool) -> None:
    domain = Domain(lambda x, y: x, [(0.0, 1.0), part])
    assert (domain.box is not None) is is_box
