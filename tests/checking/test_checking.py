"""gradcheck and check_gradients: right gradients pass, wrong ones are caught and blamed."""

import math
import random
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    TABLE,
    GradientError,
    Value,
    check_gradients,
    exp,
    gradcheck,
    log,
    maximum,
    norm,
    relu,
    sin,
    sqrt,
    tanh,
    where,
)
from autograd.checking import high_precision as precise
from autograd.checking.finite_differences import differences, local_difference
from autograd.checking.high_precision import MP_VALUES, local_derivative
from autograd.strategies import arrays_in, expressions, operands_of

from ..own_primitives import declared

# The oracle is the same for all examples of a test.
FIXTURE = [HealthCheck.function_scoped_fixture]


@pytest.fixture
def oracle(request, monkeypatch):
    """With "differences", as on a machine without mpmath."""
    if request.param == "differences":
        monkeypatch.setattr(precise, "has_mpmath", lambda: False)
    return request.param


def both_oracles(test):
    return pytest.mark.parametrize("oracle", ["high precision", "differences"],
                                   indirect=True)(test)


@contextmanager
def partials_scaled(row, factor):
    """A row whose partials are all wrong by a factor, put right again afterwards."""
    def scaled(partial):
        def wrong(*arguments):
            local = partial(*arguments)
            if isinstance(local, list | tuple):
                return [factor * item for item in local]
            return None if local is None else factor * local
        return wrong

    right = row.partials
    broken = tuple(map(scaled, right)) if row.arity is not None else scaled(right)
    object.__setattr__(row, "partials", broken)
    try:
        yield
    finally:
        object.__setattr__(row, "partials", right)


def moderate_operands(row):
    if row.name == "acosh":
        return (1.7,)
    if row.name == "where":
        return (1.0, 0.7, 0.4)
    if row.name == "rounded":
        return (7.3, 10.4)
    return (0.7, 0.4, 1.3, -0.2)[:row.arity or 4]


# Those that are constant on both sides of a jump have nothing to scale.
ALL_ZERO = {row.name for row in TABLE.values() if set(row.derivative) == {"0"}}
SLOPED = [row for row in TABLE.values() if row.name not in ALL_ZERO and not row.orders]


# --- the testers are tested -----------------------------------------------------------------------

@both_oracles
@pytest.mark.parametrize("row", SLOPED, ids=lambda row: row.name)
def test_a_partial_that_is_off_by_a_thousandth_is_caught_and_named(row, oracle):
    point = moderate_operands(row)
    assert gradcheck(lambda *xs: row.apply(xs), *point).checked == len(point)
    for factor in (1.001, 0.999):
        with partials_scaled(row, factor), pytest.raises(GradientError) as caught:
            gradcheck(lambda *xs: row.apply(xs), *point)
        assert caught.value.op == row.name
        assert f"local partial is wrong: {row.name}(" in str(caught.value)


@both_oracles
@pytest.mark.parametrize("name", ["tanh", "mul", "dot", "exp"])
def test_a_wrong_rule_is_caught_where_it_hardly_matters_for_the_sum(name, oracle):
    def f(x, y):
        return x + 1e-9 * (tanh(x) + exp(y) * y + ag.dot([x, y], [y, 2.0]))

    assert gradcheck(f, 0.3, 0.8)
    with partials_scaled(TABLE[name], 1.001), pytest.raises(GradientError) as caught:
        gradcheck(f, 0.3, 0.8)
    assert caught.value.op == name


def test_the_first_wrong_node_in_topological_order_is_named_with_its_label():
    def f(x):
        inner = tanh(x)
        inner.label = "inner"
        return tanh(inner) * 2.0

    with partials_scaled(TABLE["tanh"], 1.001), pytest.raises(GradientError) as caught:
        gradcheck(f, 0.5)
    message = str(caught.value)
    assert "tanh(x = 0.5)" in message and "label 'inner'" in message
    assert repr(1.001 * (1.0 - math.tanh(0.5) ** 2))[:8] in message


@both_oracles
@settings(max_examples=60, suppress_health_check=FIXTURE)
@given(expression=expressions(n_inputs=2, max_nodes=8, primitives=[
    "add", "mul", "sin", "cos", "tanh", "atan", "sigmoid", "sub"]), data=st.data())
def test_a_hand_written_gradient_off_by_a_thousandth_is_caught(oracle, expression, data):
    def right(*xs):
        return ag.grad(expression.function, argnums=(0, 1))(*xs)

    assert gradcheck(expression.function, *expression.point, gradient=right)
    truth = right(*expression.point)
    position = data.draw(st.sampled_from([0, 1]))
    # Beneath this a component is the rounding of larger terms that cancel.
    if abs(truth[position]) > 1e-6:
        wrong = list(truth)
        wrong[position] *= data.draw(st.sampled_from([1.001, 0.999, 0.0, -1.0, math.nan]))
        with pytest.raises(GradientError, match="hand-written gradient is what is off"):
            gradcheck(expression.function, *expression.point, gradient=lambda *xs: tuple(wrong))


@both_oracles
def test_the_engine_passes_on_random_expressions_with_shared_nodes(oracle):
    reports = []

    @settings(max_examples=150)
    @given(expressions(n_inputs=2, max_nodes=12))
    def check(expression):
        reports.append(gradcheck(expression.function, *expression.point))

    check()
    assert_seldom_unknown(reports)


def assert_seldom_unknown(reports):
    """A check that finds nothing wrong because it says to know nothing is none."""
    checked = sum(report.checked for report in reports)
    assert checked > 0
    assert sum(report.unknown for report in reports) <= 0.1 * checked


# --- the oracles ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", list(TABLE))
def test_every_primitive_has_a_value_in_high_precision(name):
    assert name in MP_VALUES, (
        f"{name} has no independent oracle: write its value into MP_VALUES of "
        "checking/high_precision.py, from its definition and not from its row")


@pytest.mark.parametrize("row", [r for r in TABLE.values() if r.name in MP_VALUES
                                 and not r.orders and not r.stops],
                         ids=lambda row: row.name)
@settings(max_examples=30)
@given(data=st.data())
def test_the_value_in_high_precision_is_that_of_the_row(row, data):
    import mpmath

    intervals = row.safe if row.arity is not None else row.safe * 4
    operands = data.draw(st.tuples(*(st.floats(max(low, -1e3), min(high, 1e3))
                                     for low, high in intervals)))
    precise = mpmath.mp.clone()
    precise.dps = 600  # log(exp(0) + exp(-1000)) needs that many
    result = float(MP_VALUES[row.name](precise, *map(precise.mpf, operands)))
    # Cancellation is the floats' own: it is measured by the size of what is cancelled.
    size = max(abs(result), 1e-300)
    if row.name in ("dot", "sum", "add", "sub", "logsumexp"):
        size = max(size, sum(map(abs, operands)) * max(1.0, *map(abs, operands)))
    assert row.evaluate(operands) == pytest.approx(result, rel=1e-13, abs=1e-13 * size)


@pytest.mark.parametrize("f, slope, x", [
    (math.exp, math.exp, 1.0), (math.sin, math.cos, 1e-9), (lambda x: x ** 3, lambda x: 3 * x * x,
                                                            1e8),
    (math.log, lambda x: 1 / x, 1e-12), (lambda x: math.sin(1e6 * x),
                                         lambda x: 1e6 * math.cos(1e6 * x), 0.7),
    (lambda x: 5.0 + 0.0 * x, lambda x: 0.0, 2.0),
])
def test_differences_know_their_own_error(f, slope, x):
    def sample(displacement):
        try:
            return (f(x + displacement),)
        except ValueError:
            return None

    estimate = differences(sample, lambda d: [2.2e-16 * abs(f(x + d))], abs(x))[0]
    assert abs(estimate.value - slope(x)) <= estimate.error
    assert estimate.error <= 1e-6 * max(abs(slope(x)), 1e-6)


@pytest.mark.parametrize("name, operands, slopes", [
    ("div", (3e-234, 1e-100), (1e100, -3e-34)),  # a pole beside a tiny number
    ("cbrt", (8e-36,), (2e-12 / 8e-36 / 3.0,)),
    ("logsumexp", (1.7e10, 1.7e10 + 300.0), (0.0, 1.0)),  # a soft kink between two lines
    ("sub", (6e16, 6e16), (1.0, -1.0)),
])
def test_differences_see_what_is_narrower_than_their_first_steps(name, operands, slopes):
    for position, slope in enumerate(slopes):
        estimate = local_difference(TABLE[name], operands, position)
        assert abs(estimate.value - slope) <= estimate.error + 1e-13 * abs(slope)
        assert estimate.error <= 1e-3 * max(slope and abs(slope), 1e-3)


@pytest.mark.parametrize("name, x, slope", [
    ("tanh", 60.0, 4.0 * math.exp(-120.0)),
    ("sigmoid", 700.0, math.exp(-700.0)),
    ("erf", 20.0, 2.0 / math.sqrt(math.pi) * math.exp(-400.0)),
])
def test_high_precision_sees_the_slope_of_saturated_functions(name, x, slope):
    assert local_derivative(TABLE[name], [x], 0).value == pytest.approx(slope, rel=1e-12)


@pytest.mark.parametrize("x", [1.234567e17, 1e20, -3e22])
def test_high_precision_takes_steps_shorter_than_a_wave(x):
    estimate = local_derivative(TABLE["sin"], [x], 0)
    assert estimate.value == pytest.approx(math.cos(x), rel=1e-12)
    assert gradcheck(sin, x).checked == 1


def test_differences_do_not_claim_to_know_the_slope_of_a_saturated_function():
    estimate = local_difference(TABLE["tanh"], [60.0], 0)
    assert abs(estimate.value - 4.0 * math.exp(-120.0)) <= estimate.error


# --- kinks ----------------------------------------------------------------------------------------

AT_KINKS = [
    (lambda x: relu(x), (0.0,)),
    (lambda x: relu(x) - relu(-x), (0.0,)),  # smooth, but the engine cannot know it
    (lambda x: abs(x), (0.0,)),
    (lambda x: relu(x + 0.2 - 0.3), (0.1,)),
    (lambda x: abs((x + 0.2) - 0.3), (0.1,)),  # 2.8e-17 from the kink: rounding decides
    (lambda x, y: maximum(x, y), (2.0, 2.0)),
    (lambda x, y: max(x, y), (2.0, 2.0)),
    (lambda x, y: maximum(x, y) + ag.minimum(x, y), (2.0, 2.0 + 4e-16)),
    (lambda xs: norm(xs), ([0.0, 0.0, 0.0],)),
    (lambda x, y: ag.hypot(x, y), (0.0, 0.0)),
    (lambda x, y: ag.atan2(x, y), (0.0, -1.0)),
    (lambda x: x * x if x >= 0.0 else -x, (0.0,)),
]


@both_oracles
@pytest.mark.parametrize("f, point", AT_KINKS)
def test_at_a_kink_nothing_is_reported_and_the_components_are_counted(f, point, oracle):
    report = gradcheck(f, *point)
    size = len(point[0]) if isinstance(point[0], list) else len(point)
    assert (report.checked, report.skipped) == (0, size)
    by_hand = gradcheck(f, *point, gradient=lambda *xs: xs[0] if len(xs) == 1 else xs)
    assert (by_hand.checked, by_hand.skipped) == (0, size)


@both_oracles
@pytest.mark.parametrize("f, point", AT_KINKS)
def test_a_check_that_could_check_nothing_is_no_pass_and_says_where_to_look(f, point, oracle):
    for gradient in (None, lambda *xs: xs[0] if len(xs) == 1 else xs):
        report = gradcheck(f, *point, gradient=gradient)
        said = repr(report)
        assert not report and said.startswith("nothing was checked: ") and "right" not in said
        assert "is a tie" in said or "sits on its kink" in said
        names = {}
        exec(said.split("for example at ")[1].replace(", y", "; y"), {"array": np.array}, names)
        assert gradcheck(f, *names.values())


def test_where_no_point_beside_a_kink_is_found_none_is_named():
    report = gradcheck(lambda x: relu(x - x) * x, 3.0)
    assert not report and repr(report).endswith("check beside it")


def test_no_numbers_at_all_are_no_pass():
    report = gradcheck(lambda xs: ag.sum(xs), [])
    assert not report and "the inputs hold no numbers" in repr(report)


@both_oracles
def test_a_slope_that_rounding_hides_is_no_pass(oracle):
    for gradient in (None, lambda x: 1e12 * math.cos(1e12 * x)):
        report = gradcheck(lambda x: sin(1e12 * x), 123456.7, gradient=gradient)
        assert not report and report.unknown == 1
        assert "nothing was checked: 1 that no oracle can tell, as rounding hides" in repr(report)


@both_oracles
def test_a_function_too_steep_for_its_own_rounding_is_never_blamed(oracle):
    for x in (1.0, *np.linspace(-10.0, 10.0, 101)):
        for gradient in (None, lambda x: 1e12 * math.cos(1e12 * x)):
            report = gradcheck(lambda x: sin(1e12 * x), float(x), gradient=gradient)
            assert report.checked + report.unknown == 1


@both_oracles
def test_a_partial_check_says_which_components_it_left_out(oracle):
    report = gradcheck(lambda x, y, z: relu(x) * y + z * z, 0.0, 2.0, 3.0)
    assert report and report.unchecked == ("x",)
    assert ("right as far as it was checked: 2 component(s) checked, 1 skipped at kinks (x nowhere "
            "checked)") in repr(report)


@both_oracles
def test_a_kink_spares_only_the_components_that_hang_on_it(oracle):
    def f(x, y, z):
        return relu(x) * y + z * z * z

    report = gradcheck(f, 0.0, 2.0, 3.0)
    assert (report.checked, report.skipped) == (2, 1)
    with pytest.raises(GradientError) as caught:
        gradcheck(f, 0.0, 2.0, 3.0, gradient=lambda x, y, z: (9.9, 0.0, 27.027))
    assert caught.value.component == "z"


@both_oracles
@pytest.mark.parametrize("distance", [1e-1, 1e-5, 1e-9, -1e-9, 1e-12, 1e-30])
def test_near_a_kink_steps_stay_on_its_side(distance, oracle):
    assert gradcheck(lambda x: relu(x) + 3.0 * x, distance).checked == 1
    slope = 4.0 if distance > 0.0 else 3.0
    assert gradcheck(lambda x: relu(x) + 3.0 * x, distance, gradient=lambda x: slope)
    with pytest.raises(GradientError):
        gradcheck(lambda x: relu(x) + 3.0 * x, distance, gradient=lambda x: 1.001 * slope)


@both_oracles
@pytest.mark.parametrize("f, point, gradient", [
    (lambda x, y: maximum(x, y), (1.0, 1.0 + 1e-9), (0.0, 1.0)),
    (lambda x, y: max(x, y), (1.0, 1.0 + 1e-9), (0.0, 1.0)),
    (lambda x, y: abs(x - y), (1.0, 1.0 - 1e-9), (1.0, -1.0)),
    (lambda x, y: norm([x, y]), (3e-12, 4e-12), (0.6, 0.8)),
    (lambda x, y: where(x < y, x * x, x + y), (1.0, 1.0 + 1e-9), (2.0, 0.0)),
])
def test_near_ties_are_checked_and_wrong_gradients_there_are_caught(f, point, gradient, oracle):
    assert gradcheck(f, *point).checked == 2
    assert gradcheck(f, *point, gradient=lambda *xs: gradient)
    away = [math.copysign(1e-3, slope) for slope in gradient]
    for wrong in ((gradient[0] + away[0], gradient[1]), (gradient[0], gradient[1] + away[1])):
        with pytest.raises(GradientError):
            gradcheck(f, *point, gradient=lambda *xs, wrong=wrong: wrong)


# --- scales, cancellation, the edges of domains ---------------------------------------------------

@both_oracles
@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("x", [1e-8, 0.37, 1e8])
def test_steep_scales_are_checked_to_a_thousandth(scale, x, oracle):
    def f(v):
        return sin(v * (scale / x)) + scale * (v / x)

    slope = scale / x * (math.cos(scale / x * x) + 1.0)
    assert gradcheck(f, x).checked == 1
    assert gradcheck(f, x, gradient=lambda v: slope)
    with pytest.raises(GradientError):
        gradcheck(f, x, gradient=lambda v: 1.001 * slope)


@both_oracles
@pytest.mark.parametrize("f, x", [
    (lambda x: x * x - 6.0 * x, 3.0), (lambda x: ag.cos(x), 0.0), (lambda x: x ** 3, 0.0),
    (lambda x: 0.0 * x + 2.0, 1.5), (lambda x: exp(-x * x), 0.0),
])
def test_a_derivative_that_is_truly_zero_passes_and_others_do_not(f, x, oracle):
    assert gradcheck(f, x, gradient=lambda v: 0.0).checked == 1
    with pytest.raises(GradientError):
        gradcheck(f, x, gradient=lambda v: 1e-3)


@both_oracles
@pytest.mark.parametrize("f, x", [
    (lambda x: 1e-40 * sin(x), 1.0), (lambda x: 1e-8 * x, 2.0), (lambda x: tanh(x), 8.0),
    (lambda x: exp(x), -30.0), (lambda x: (x - 1.0) ** 3, 1.0001),
])
def test_no_tolerance_passes_zero_where_the_truth_is_small_but_clearly_not_zero(f, x, oracle):
    assert gradcheck(f, x)
    with pytest.raises(GradientError):
        gradcheck(f, x, gradient=lambda v: 0.0)


@both_oracles
@pytest.mark.parametrize("f, x", [
    (lambda x: 1e16 * x + x - 1e16 * x, 2.0),
    (lambda x: tanh((x + 1e17) - 1e17), 2.0),
    (lambda x: log((x + 1.0) - 1.0), 1e-10),
    (lambda x: (x ** 5 + 1e9) ** 2 - 1e18 - 2e9 * x ** 5, 0.5),
    (lambda x: ag.sum([x * (-1.0) ** k * 1e8 for k in range(101)]) - 1e8 * x, 0.3),
])
def test_what_cancellation_makes_unknowable_is_not_reported(f, x, oracle):
    report = gradcheck(f, x)
    assert (report.checked + report.unknown, report.skipped) == (1, 0)


@both_oracles
def test_a_sum_that_vanishes_at_an_optimum_is_not_reported(oracle):
    xs = np.linspace(-1.0, 1.0, 9)
    ys = 0.3 * xs + 0.1

    def loss(w, b):
        return ag.sum([(w * x + b - y) ** 2 for x, y in zip(xs, ys, strict=True)])

    def by_numpy(w, b):
        rest = w * xs + b - ys
        return 2.0 * np.sum(rest * xs), 2.0 * np.sum(rest)

    assert gradcheck(loss, 0.3, 0.1)
    assert gradcheck(loss, 0.3, 0.1, gradient=by_numpy)
    with pytest.raises(GradientError):
        gradcheck(loss, 0.3, 0.1, gradient=lambda w, b: (0.0, 1e-3))


@both_oracles
@pytest.mark.parametrize("f, x", [
    (lambda x: log(x), 1e-9), (lambda x: sqrt(x), 1e-30), (lambda x: ag.asin(x), 1.0 - 1e-9),
    (lambda x: 1.0 / x, 1e-100), (lambda x: x ** 1.5, 0.0), (lambda x: ag.acosh(x), 1.0 + 1e-9),
    (lambda x: ag.tan(x), math.pi / 2 - 1e-6), (lambda x: exp(x), 709.5),
])
def test_steps_stay_inside_the_domain(f, x, oracle):
    assert gradcheck(f, x).checked == 1
    slope = ag.grad(f)(x)
    with pytest.raises(GradientError):
        gradcheck(f, x, gradient=lambda v: 1.001 * slope if slope else 1e-3)


@both_oracles
@pytest.mark.parametrize("arm", [lambda x: sqrt(x), lambda x: 1.0 / (x + 1e-200) * 1e-150])
def test_an_arm_that_where_did_not_take_may_have_no_finite_slope(arm, oracle):
    def f(x):
        return where(x > 1.0, arm(x), 3.0 * x)

    assert ag.grad(f)(0.0) == 3.0
    assert gradcheck(f, 0.0).checked == 1
    with pytest.raises(GradientError):
        gradcheck(f, 0.0, gradient=lambda x: 3.003)


def test_outside_the_domain_the_functions_own_error_comes_through():
    with pytest.raises(ValueError, match="log is not defined"):
        gradcheck(log, -1.0)
    with pytest.raises(ZeroDivisionError, match="derivative of sqrt"):
        gradcheck(sqrt, 0.0)


# --- inputs, outputs, reports ---------------------------------------------------------------------

def test_inputs_of_every_structure_are_checked_component_by_component():
    def f(number, pair, matrix, table):
        return number * pair[0] + pair[1] * (matrix @ matrix).sum() + exp(table["k"]) * number

    report = gradcheck(f, 2, [1.0, 0.5], np.array([[1.0, 2.0], [3.0, 4.0]]), {"k": 0.1})
    assert (report.checked, report.skipped, report.unknown) == (8, 0, 0)


def test_a_hand_written_gradient_has_the_bare_structure_of_a_single_input():
    w = np.array([[1.0, -2.0], [0.5, 3.0]])
    assert gradcheck(lambda w: (w * w * w).sum(), w, gradient=lambda w: 3.0 * w ** 2).checked == 4
    assert gradcheck(lambda w: w[0] * w[1], [2.0, 3.0], gradient=lambda w: [w[1], w[0]])
    assert gradcheck(lambda x: x * x, 3.0, gradient=lambda x: 2 * x)


def test_a_hand_written_gradient_is_called_with_the_inputs_as_given():
    seen = []

    def by_hand(w, n):
        seen.append((w, n))
        return 2.0 * w * n, float(w @ w)

    w = np.array([1.0, 2.0])
    assert gradcheck(lambda w, n: ag.sum(w * w) * n, w, 3, gradient=by_hand)
    assert seen[0][0] is w and seen[0][1] == 3 and isinstance(seen[0][1], int)


@pytest.mark.parametrize("gradient", [
    lambda w: np.zeros((2, 3)), lambda w: np.zeros(6), lambda w: 1.0, lambda w: None,
])
def test_a_gradient_of_another_shape_is_an_error_that_says_both(gradient):
    with pytest.raises(ValueError, match=r"shape \(3, 2\)"):
        gradcheck(lambda w: (w * w).sum(), np.ones((3, 2)), gradient=gradient)


def test_each_output_of_a_sequence_is_checked():
    def f(x):
        return [x[0] * x[1], exp(x[0])]

    def rows(x):
        return [[x[1], x[0]], [math.exp(x[0]), 0.0]]

    assert gradcheck(f, [0.5, 2.0]).checked == 4
    assert gradcheck(f, [0.5, 2.0], gradient=rows).checked == 4
    with pytest.raises(GradientError, match=r"of output 1 by x\[0\]"):
        gradcheck(f, [0.5, 2.0], gradient=lambda x: [rows(x)[0], [1.7, 0.0]])
    with pytest.raises(ValueError, match="2 gradients"):
        gradcheck(f, [0.5, 2.0], gradient=lambda x: rows(x)[:1])


def test_the_message_shows_component_numbers_and_tolerance_with_its_formula():
    with pytest.raises(GradientError) as caught:
        gradcheck(lambda w, b: (w * w).sum() * b, np.array([[1.0, 2.0], [3.0, 4.0]]), 1.0,
                  gradient=lambda w, b: (2.0 * w + np.array([[0, 0], [0.5, 0]]), np.sum(w * w)))
    error, message = caught.value, str(caught.value)
    assert isinstance(error, AssertionError)
    assert (error.component, error.given, error.expected) == ("w[1, 0]", 6.5, 6.0)
    assert 6e-7 <= error.tolerance < 6.1e-7
    for part in ("w[1, 0]", "6.5", "6.0", "rtol * |expected| (1e-07 * 6)", "worst of 1 wrong among "
                 "5", "b = 1.0", "the engine's gradient agrees with the oracle"):
        assert part in message


def test_lost_digits_are_told_from_a_wrong_formula():
    def cancelling(x):
        return 1.0 - math.tanh(x) ** 2

    with pytest.raises(GradientError, match=r"lose digits .* atol=1e-12"):
        gradcheck(tanh, 15.0, gradient=cancelling)
    assert gradcheck(tanh, 15.0, gradient=cancelling, atol=1e-12)
    with pytest.raises(GradientError) as caught:
        gradcheck(tanh, 1.0, gradient=lambda x: 1.001 * cancelling(x))
    assert "digits" not in str(caught.value)


def test_rtol_and_atol_widen_the_tolerance():
    for allowed in ({"rtol": 2e-3}, {"atol": 2e-2}):
        assert gradcheck(lambda x: x * x, 5.0, gradient=lambda x: 10.01, **allowed)
    with pytest.raises(GradientError):
        gradcheck(lambda x: x * x, 5.0, gradient=lambda x: 10.01, rtol=5e-4)


@both_oracles
@pytest.mark.parametrize("f", [
    lambda x: x * x.data, lambda x: x + Value(x.data) * 2.0, lambda x: x * math.sin(x.data),
])
def test_a_number_taken_behind_the_graphs_back_is_found(f, oracle):
    with pytest.raises(GradientError, match="number that the graph does not hold"):
        gradcheck(f, 3.0)


def test_functions_that_cannot_be_checked_are_refused():
    source = random.Random(1)
    with pytest.raises(TypeError, match="returned None"):
        gradcheck(lambda x: None, 1.0)
    with pytest.raises(TypeError, match="str"):
        gradcheck(lambda x: "x", 1.0)
    with pytest.raises(ValueError, match="different results"):
        gradcheck(lambda x: x * source.random(), 1.0)
    with pytest.raises(ValueError, match="is inf"):
        gradcheck(lambda x: x * math.inf, 1.0)
    with pytest.raises(ValueError, match="finite point"):
        gradcheck(lambda x: 1.0 / x, math.inf)
    with pytest.raises(TypeError, match="inputs"):
        gradcheck(lambda: 1.0)
    with pytest.raises(TypeError):
        gradcheck(lambda x: x, "3")


def test_values_from_outside_keep_their_gradients():
    weight = Value(2.0)
    (weight * 3.0).backward()
    assert gradcheck(lambda x: weight * x * x, 1.5)
    with pytest.raises(GradientError):
        gradcheck(lambda x: weight * x * x, 1.5, gradient=lambda x: 1.0)
    assert weight.grad == 3.0


def test_the_report_is_truthy_and_reads_well():
    report = gradcheck(lambda x, y: relu(x) + y * y, 0.0, 3.0)
    assert report and (report.checked, report.skipped, report.points) == (1, 1, 1)
    assert "1 component(s) checked, 1 skipped at kinks" in repr(report)
    assert "no difference beyond rounding from the graph in 100-digit arithmetic" in repr(report)


def test_the_report_of_a_difference_says_that_it_is_relative_and_beyond_rounding():
    report = gradcheck(lambda x: x * x, 3.0, gradient=lambda x: 6.0 * (1.0 + 5e-8))
    assert report.worst == pytest.approx(5e-8)
    assert "beyond rounding the largest relative difference is 5.0e-08, from" in repr(report)


def test_users_own_primitive_is_checked_by_differences():
    with declared("cube_of", lambda x: x * x * x, lambda x, y: 3.0 * x * x) as cube:
        assert gradcheck(lambda x: sin(cube(x)), 0.8).oracle == (
            "central differences, as there is no formula in high precision for cube_of")
        with partials_scaled(cube, 1.001), pytest.raises(GradientError, match="cube_of"):
            gradcheck(lambda x: sin(cube(x)), 0.8)


def test_second_derivatives_can_be_checked_too():
    def f(x):
        return tanh(x) * x

    second = ag.grad(ag.grad(f))
    assert gradcheck(ag.grad(f), 0.6).checked == 1
    assert gradcheck(ag.grad(f), 0.6, gradient=second).checked == 1
    with pytest.raises(GradientError):
        gradcheck(ag.grad(f), 0.6, gradient=lambda x: 1.001 * second(x))


# --- check_gradients ------------------------------------------------------------------------------

def test_check_gradients_passes_right_ones_over_arrays_and_intervals():
    def f(w, x):
        return tanh(ag.dot(w, [x, 1.0]))

    report = check_gradients(f, {"x": (-2.0, 2.0), "w": arrays_in(2, -1.0, 1.0)}, max_examples=40)
    assert report.points == 40 and report.checked == 120


@pytest.mark.parametrize("domain", [
    (-3.0, 3.0), [(-3.0, 3.0)], {"x": (-3.0, 3.0)}, st.floats(-3.0, 3.0),
    {"x": st.floats(-3.0, 3.0)},
])
def test_a_domain_is_an_interval_or_a_strategy_by_name_or_by_position(domain):
    assert check_gradients(lambda x: sin(x), domain, max_examples=20).checked == 20


def test_a_failure_shrinks_to_the_simplest_point_which_the_message_shows():
    def wrong_above_one(x, y):  # right for x <= 1
        return (y if x <= 1.0 else 1.001 * y + 1.0, x)

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x, y: x * y, {"x": (-9.0, 9.0), "y": (-9.0, 9.0)},
                        gradient=wrong_above_one)
    assert caught.value.point == (2.0, 0.0)
    assert "x = 2.0, y = 0.0" in str(caught.value)


def test_check_gradients_finds_the_same_point_every_time():
    def run():
        with pytest.raises(GradientError) as caught:
            check_gradients(lambda x: exp(x), (-5.0, 5.0),
                            gradient=lambda x: math.exp(x) if x < 1.237 else 0.0)
        return str(caught.value)

    assert run() == run()


def test_check_gradients_skips_kinks_that_it_meets():
    report = check_gradients(lambda x: relu(x), st.sampled_from([-1.0, 0.0, 2.0]))
    assert report.skipped >= 1 and report.checked >= 2


def test_check_gradients_that_meets_kinks_alone_is_no_pass():
    report = check_gradients(lambda x: relu(x), st.just(0.0), max_examples=20)
    assert not report
    assert "nothing was checked: 1 skipped at kinks, as relu(x = 0.0)" in repr(report)
    always = check_gradients(lambda x: relu(x - x) * x, (1.0, 2.0), max_examples=20)
    assert not always and "nothing was checked at 20 points" in repr(always)


def test_check_gradients_names_what_it_checked_at_no_point():
    report = check_gradients(lambda x, y: relu(x) + y * y, [st.just(0.0), (1.0, 2.0)],
                             max_examples=20)
    assert report and report.unchecked == ("x",)
    assert "(x nowhere checked)" in repr(report)
    somewhere = check_gradients(lambda x, y: relu(x) + y * y,
                                [st.sampled_from([0.0, 1.0]), (1.0, 2.0)], max_examples=20)
    assert somewhere.skipped and not somewhere.unchecked


def test_a_point_outside_the_functions_domain_is_an_error_that_shows_it():
    with pytest.raises(ValueError, match=r"drawn from the domain: x = 0\.0"):
        check_gradients(lambda x: log(x), (0.0, 1.0))


@pytest.mark.parametrize("domain, kind", [
    ({"z": (0.0, 1.0)}, TypeError), ({}, TypeError), ({"x": 3.0}, TypeError),
    ({"x": (1.0, 0.0)}, ValueError), ({"x": (0.0, math.inf)}, ValueError), ("x", TypeError),
])
def test_a_domain_that_does_not_fit_is_refused(domain, kind):
    with pytest.raises(kind, match=r"domain|interval"):
        check_gradients(lambda x: x, domain)


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match=r'pip install "chainrule\[check\]"'):
        check_gradients(lambda x: x, (0.0, 1.0))


def test_gradcheck_works_without_hypothesis_and_mpmath():
    program = """
import sys
sys.modules["hypothesis"] = sys.modules["mpmath"] = None
import autograd
assert autograd.gradcheck(lambda x: x * x, 3.0).oracle == "central differences"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_row_whose_partials_are_scaled_is_put_right_again():
    row, right = TABLE["tanh"], TABLE["tanh"].partials
    with pytest.raises(KeyboardInterrupt), partials_scaled(row, 2.0):
        assert row.partials[0](0.0, 0.0) == 2.0
        raise KeyboardInterrupt
    assert row.partials is right


@pytest.mark.parametrize("row", [r for r in TABLE.values()
                                 if r.name != "logsumexp" and not r.orders and not r.stops],
                         ids=lambda row: row.name)
def test_no_primitive_fails_anywhere_in_its_safe_intervals(row):
    reports = []

    @settings(max_examples=40)
    @given(operands_of(row))
    def check(operands):
        reports.append(gradcheck(lambda *xs: row.apply(xs), *operands))

    check()
    assert_seldom_unknown(reports)


@pytest.mark.parametrize("x", [7e14, 1e13 + 0.25])
def test_where_no_step_of_floats_resolves_a_wave_the_graph_is_believed(x: float) -> None:
    assert gradcheck(ag.sinc, x)
    slope = ag.grad(ag.sinc)(x)
    with pytest.raises(GradientError):
        gradcheck(ag.sinc, x, gradient=lambda x: 1.001 * slope)
