
"""Hand-made gradients of published tutorials, checked; and the arithmetic that they print.

The tutorials' own gradient functions are re-enacted in NumPy. Four of them are wrong, which
gradcheck shows with numbers. Where a tutorial's printed numbers come from its own wrong update,
the test descends with that update; everywhere else the slopes are the engine's.
"""

import math

import numpy as np
import pytest

from autograd import (
    GradientError,
    Value,
    check_gradients,
    grad,
    gradcheck,
    log,
    relu,
    sigmoid,
    sum,
    value_and_grad,
)
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.core.backward import gradient as gradient_graphs
from autograd.strategies import arrays_in


def logistic(z):
    return 1.0 / (1.0 + np.exp(-z))


def descend(f, x, rate, steps):
    """The path of gradient descent with the engine's slopes."""
    path = [x]
    for _ in range(steps):
        path.append(path[-1] - rate * grad(f)(path[-1]))
    return path


# --- a parabola, and a neuron by the chain rule ---------------------------------------------------

def parabola(x):
    return x ** 2 - 6 * x + 5


def test_two_steps_down_the_parabola_from_ten():
    assert [grad(parabola)(x) for x in (10.0, 8.6)] == [14.0, pytest.approx(11.2, rel=1e-14)]
    assert descend(parabola, 10.0, 0.1, 2) == pytest.approx([10.0, 8.6, 7.48], rel=1e-14)


@pytest.mark.parametrize("rate, steps, converges", [
    (0.01, 200, True), (0.8, 9, True), (1.5, 9, False)])
def test_learning_rates_on_the_parabola_shrink_or_grow_the_distance_to_three(rate, steps,
                                                                             converges):
    path = descend(parabola, 10.0, rate, steps)
    # x - 3 is multiplied by 1 - 2 rate in each step.
    assert path[-1] - 3.0 == pytest.approx(7.0 * (1.0 - 2.0 * rate) ** steps, rel=1e-10)
    assert (abs(path[-1] - 3.0) < 7.0) is converges


def test_the_neurons_chain_rule_by_hand_is_right():
    x, target = 1.5, 0.4

    def cost(w, b):
        return (target - relu(w * x + b)) ** 2

    def by_hand(w, b):
        z = w * x + b
        through_cost, through_relu = 2.0 * (max(z, 0.0) - target), 1.0 if z > 0.0 else 0.0
        return through_cost * through_relu * x, through_cost * through_relu

    assert gradcheck(cost, 0.8, -0.3, gradient=by_hand).checked == 2
    assert check_gradients(cost, {"w": (-10.0, 10.0), "b": (-10.0, 10.0)}, gradient=by_hand)


# --- a quartic ------------------------------------------------------------------------------------

def quartic(x):
    return x ** 4 - 3 * x ** 3 + 2


def test_slopes_of_the_quartic():
    slope = grad(quartic)
    assert (slope(4.0), slope(-1.0)) == (112.0, -13.0)
    assert slope(3.888) == pytest.approx(99.0436, abs=5e-5)
    assert descend(quartic, 4.0, 0.001, 2)[1:] == pytest.approx([3.888, 3.79], abs=2e-3)


def test_descent_on_the_quartic_stops_where_steps_fall_below_the_precision():
    before, x, steps = 0.0, 4.0, 0
    while abs(x - before) > 1e-5:
        before, x = x, x - 0.01 * grad(quartic)(x)
        steps += 1
    assert steps == 42
    assert x == pytest.approx(2.2500325268933734, rel=1e-14)


# --- one weight, and a weight with a bias ---------------------------------------------------------

ONE_WEIGHT_X = np.array([0.1, 0.25, 0.5, 0.75, 1.0])


def one_weight_cost(w):
    return sum([sigmoid(w * x) ** 2 for x in ONE_WEIGHT_X]) / 5.0  # all targets are 0


def one_weight_by_hand(w):
    h = logistic(w * ONE_WEIGHT_X)
    return np.sum(h * h * (1.0 - h))


def test_cost_of_one_weight_on_two_rows():
    def cost(w):
        return sum([sigmoid(w * x) ** 2 for x in (0.1, 0.25)]) / 4.0

    value, slope = value_and_grad(cost)(0.3)
    assert value == pytest.approx(0.1317, abs=5e-5)
    assert gradcheck(cost, 0.3, gradient=lambda w: slope)


def test_the_gradient_of_one_weight_lacks_the_factor_x_the_mean_and_the_two():
    with pytest.raises(GradientError) as caught:
        gradcheck(one_weight_cost, 5.0, gradient=one_weight_by_hand)
    assert caught.value.given == pytest.approx(0.37416, abs=5e-6)
    assert caught.value.expected == pytest.approx(0.04149, abs=5e-6)
    assert "hand-written gradient is what is off" in str(caught.value)

    def repaired(w):
        h = logistic(w * ONE_WEIGHT_X)
        return np.mean(2.0 * h * h * (1.0 - h) * ONE_WEIGHT_X)

    assert gradcheck(one_weight_cost, 5.0, gradient=repaired)
    assert check_gradients(one_weight_cost, (-30.0, 10.0), gradient=repaired)
    with pytest.raises(GradientError, match=r"at w = 0\.0"):
        check_gradients(one_weight_cost, (-30.0, 10.0), gradient=one_weight_by_hand)


def test_one_weight_trained_with_the_tutorials_own_update():
    w = 5.0
    assert one_weight_cost(w) == pytest.approx(0.757384221746, rel=1e-11)
    for _ in range(2000):
        w = w - 0.5 * one_weight_by_hand(w)
    assert w == pytest.approx(-24.3428836, abs=5e-8)
    assert one_weight_cost(w) == pytest.approx(0.00130014553005, rel=1e-8)


NOT_X, NOT_Y = np.array([0.0, 1.0]), np.array([1.0, 0.0])
NOT_START = np.array([-0.14935895, 7.10444213])  # the weight, then the bias


def not_cost(w):
    return sum([(sigmoid(w[0] * x + w[1]) - y) ** 2 for x, y in zip(NOT_X, NOT_Y, strict=True)]
               ) / 2.0


def not_by_hand(w):
    h = logistic(w[0] * NOT_X + w[1])
    change = (h - NOT_Y) * h * (1.0 - h)
    outer = np.outer(NOT_X, change)  # the product of two matrices, where elements were meant
    return np.array([np.sum(change), np.sum(outer)])


def test_the_gradient_of_not_gives_both_weights_the_same_derivative():
    given = not_by_hand(NOT_START)
    assert given[0] == pytest.approx(given[1], rel=1e-14)
    with pytest.raises(GradientError, match="hand-written gradient is what is off"):
        gradcheck(not_cost, NOT_START, gradient=not_by_hand)
    with pytest.raises(GradientError):
        check_gradients(not_cost, {"w": arrays_in(2, -15.0, 15.0)}, gradient=not_by_hand)

    def repaired(w):
        h = logistic(w[0] * NOT_X + w[1])
        change = (h - NOT_Y) * h * (1.0 - h)
        return np.array([np.sum(change * NOT_X), np.sum(change)])

    # 1 - h loses its digits where h is near 1, so not farther out.
    assert check_gradients(not_cost, {"w": arrays_in(2, -5.0, 5.0)}, gradient=repaired)
    true = value_and_grad(not_cost)(np.array([1.0, 0.5]))[1]
    assert abs(true[0] - true[1]) > 0.05  # the two derivatives have no reason to agree


def test_not_trained_with_the_tutorials_own_update():
    w = NOT_START
    assert not_cost(w) == pytest.approx(0.499047925, abs=5e-10)
    for _ in range(12000):
        w = w - 0.05 * not_by_hand(w)
    assert w == pytest.approx([-4.77235179, 2.4814493], abs=5e-8)
    # The start is printed with nine digits, so the end is known to no more.
    assert not_cost(w) == pytest.approx(0.00719841740, rel=2e-8)
    assert np.round(logistic(w[0] * NOT_X + w[1])).tolist() == [1.0, 0.0]


# --- partial derivatives, and the number of weights -----------------------------------------------

def test_steps_with_slopes_read_from_a_graph():
    # The function itself is not published; its slopes 25.66 and 12.5 are.
    first = 1.9 - 0.01 * 25.66
    assert first == pytest.approx(1.64, abs=5e-3)
    assert first - 0.01 * 12.5 == pytest.approx(1.52, abs=5e-3)


def test_partial_derivatives_of_a_bowl():
    def bowl(w1, w2):
        return 2.0 * w1 ** 2 + w2 ** 2

    value, slopes = value_and_grad(bowl, argnums=(0, 1))(-8.0, 7.0)
    assert (value, slopes) == (177.0, (-32.0, 14.0))
    assert check_gradients(bowl, [(-10.0, 10.0), (-10.0, 10.0)],
                           gradient=lambda w1, w2: (4.0 * w1, 2.0 * w2), max_examples=30)


@pytest.mark.parametrize("hidden, weights", [(2, 14), (4, 28)])
def test_a_network_without_biases_has_a_derivative_for_each_weight(hidden, weights):
    source = np.random.RandomState(0)
    first, second = source.uniform(-1, 1, (4, hidden)), source.uniform(-1, 1, (hidden, 3))
    row, target = source.uniform(-1, 1, 4), np.array([1.0, 0.0, 0.0])

    def cost(first, second):
        rest = sigmoid(sigmoid(row @ first) @ second) - target
        return np.sum(rest * rest) / 3.0

    assert gradcheck(cost, first, second).checked == weights


def test_brute_force_over_fourteen_weights_needs_a_one_with_28_zeros():
    assert int("1" + "0" * 28) == 100 ** 14


# --- a network 3-2-1 with binary cross-entropy ----------------------------------------------------

BITS = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=float)
BOTH = np.array([[1], [0], [0], [0], [0]], dtype=float)  # first and last
UNSEEN = np.array([[0, 1, 1], [1, 1, 1], [0, 1, 0]], dtype=float)


def cross_entropy(w0, w1, b0, b1):
    p = sigmoid(sigmoid(BITS @ w0 + b0) @ w1 + b1)
    return np.mean(-BOTH * log(p) - (1.0 - BOTH) * log(1.0 - p))


def network_by_hand(w0, w1, b0, b1):
    """The tutorial's backward pass, its loops over rows written as products of matrices."""
    h = logistic(BITS @ w0 + b0)
    p = logistic(h @ w1 + b1)
    at_output = (-BOTH / p + (1.0 - BOTH) / (1.0 - p)) * (p * (1.0 - p))
    slope = h * (1.0 - h)
    at_hidden = at_output * slope * w1.T
    # Five rows are stacked behind a slab of zeros, and the mean is over six. The output's
    # weights take the slope of the hidden layer where its activation belongs.
    return (BITS.T @ at_hidden / 6.0, slope.T @ at_output / 6.0,
            np.mean(at_hidden, axis=0), np.mean(at_output, axis=0))


def start_of_network(seed):
    source = np.random.RandomState(seed)
    return (source.uniform(-0.5, 0.5, (3, 2)), source.uniform(-0.5, 0.5, (2, 1)),
            np.zeros(2), np.zeros(1))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_networks_first_weights_have_exactly_five_sixths_of_their_gradient(seed):
    start = start_of_network(seed)
    true = value_and_grad(cross_entropy, argnums=(0, 1, 2, 3))(*start)[1]
    given = network_by_hand(*start)
    assert given[0] == pytest.approx(5.0 / 6.0 * true[0], rel=1e-13)
    # The biases are right.
    assert given[2] == pytest.approx(true[2], rel=1e-13)
    assert given[3] == pytest.approx(true[3], rel=1e-13)
    with pytest.raises(GradientError, match="hand-written gradient is what is off"):
        gradcheck(cross_entropy, *start, gradient=network_by_hand)


def test_the_networks_first_weights_alone_are_caught_and_scaled_by_six_fifths_pass():
    w0, w1, b0, b1 = start_of_network(0)

    def loss(w0):
        return cross_entropy(w0, w1, b0, b1)

    def by_hand(w0):
        return network_by_hand(w0, w1, b0, b1)[0]

    with pytest.raises(GradientError) as caught:
        gradcheck(loss, w0, gradient=by_hand)
    assert caught.value.given / caught.value.expected == pytest.approx(5.0 / 6.0, rel=1e-9)
    assert gradcheck(loss, w0, gradient=lambda w0: 1.2 * by_hand(w0)).checked == 6


def test_the_networks_output_weights_take_a_slope_where_an_activation_belongs():
    w0, w1, b0, b1 = start_of_network(0)

    def loss(w1):
        return cross_entropy(w0, w1, b0, b1)

    def by_hand(w1):
        return network_by_hand(w0, w1, b0, b1)[1]

    def repaired(w1):
        h = logistic(BITS @ w0 + b0)
        return h.T @ (logistic(h @ w1 + b1) - BOTH) / 5.0

    for gradient in (by_hand, lambda w1: 1.2 * by_hand(w1)):  # 6/5 alone does not mend it
        with pytest.raises(GradientError):
            gradcheck(loss, w1, gradient=gradient)
    assert gradcheck(loss, w1, gradient=repaired).checked == 2


def test_the_networks_biases_pass_the_check():
    w0, w1, _, _ = start_of_network(0)
    domain = {"b0": arrays_in(2, -3.0, 3.0), "b1": arrays_in(1, -3.0, 3.0)}
    assert check_gradients(lambda b0, b1: cross_entropy(w0, w1, b0, b1), domain,
                           gradient=lambda b0, b1: network_by_hand(w0, w1, b0, b1)[2:],
                           max_examples=20)


def test_the_network_trained_with_the_tutorials_own_update():
    parameters = start_of_network(2)
    losses = {}
    for epoch in range(20000):
        if epoch in (0, 1000, 19000):
            losses[epoch] = cross_entropy(*parameters)
        parameters = tuple(p - 1.6 * slope for p, slope in
                           zip(parameters, network_by_hand(*parameters), strict=True))
    # The start is random, the end is not: printed are 0.6995, 0.03905 and 0.008842.
    assert losses[0] == pytest.approx(0.70, abs=0.06)
    assert losses[1000] == pytest.approx(0.03905, rel=0.02)
    assert losses[19000] == pytest.approx(0.008842, rel=0.02)
    w0, w1, b0, b1 = parameters
    predictions = logistic(logistic(UNSEEN @ w0 + b0) @ w1 + b1).ravel()
    assert predictions == pytest.approx([0.005, 0.954, 0.005], abs=0.005)


# --- least squares --------------------------------------------------------------------------------

def points_near_a_line():
    np.random.seed(1)  # the tutorial's own generator and seed
    x = -10.0 + 20.0 * np.random.random(10)
    return x, 1.0 + 0.5 * x + np.random.randn(10)


LINE_X, LINE_Y = points_near_a_line()
DESIGN = np.column_stack([np.ones(10), LINE_X])


def squared_error(beta):
    rest = LINE_Y - DESIGN @ beta
    return rest @ rest


def least_squares_by_hand(beta):
    return DESIGN.T @ DESIGN @ beta - DESIGN.T @ LINE_Y


def test_slope_and_minimum_of_the_first_parabola():
    def f(x):
        return 3 * x ** 2 - 4 * x + 5

    assert grad(f)(-2.0) == -16.0
    assert grad(f)(2.0 / 3.0) == pytest.approx(0.0, abs=1e-15)
    assert descend(f, -2.0, 0.1, 60)[-1] == pytest.approx(2.0 / 3.0, rel=1e-12)


def test_the_least_squares_gradient_is_exactly_half_of_the_true_one():
    start = np.array([-8.0, -3.2])
    with pytest.raises(GradientError) as caught:
        gradcheck(squared_error, start, gradient=least_squares_by_hand)
    assert caught.value.given / caught.value.expected == pytest.approx(0.5, rel=1e-12)
    assert gradcheck(squared_error, start, gradient=lambda b: 2.0 * least_squares_by_hand(b))
    assert check_gradients(squared_error, {"beta": arrays_in(2, -12.0, 12.0)}, max_examples=30,
                           gradient=lambda beta: 2.0 * least_squares_by_hand(beta))
    with pytest.raises(GradientError):
        check_gradients(squared_error, {"beta": arrays_in(2, -12.0, 12.0)},
                        gradient=least_squares_by_hand)


def least_squares_descent(start, rate, steps):
    """Half the tutorial's learning rate, because its gradient lacks the factor 2."""
    beta = np.array(start)
    both = value_and_grad(squared_error)
    for _ in range(steps):
        beta = beta - rate / 2.0 * both(beta)[1]
    return beta, squared_error(beta)


def test_least_squares_converges_to_the_printed_line():
    assert squared_error(np.array([-8.0, -3.2])) == pytest.approx(2550.7177, abs=5e-5)
    beta, error = least_squares_descent((-8.0, -3.2), 0.002, 1000)
    assert error == pytest.approx(12.8664, abs=5e-5)
    assert beta == pytest.approx([0.91770, 0.48369], abs=5e-6)
    assert beta == pytest.approx(np.linalg.lstsq(DESIGN, LINE_Y, rcond=None)[0], rel=1e-3)


@pytest.mark.parametrize("rate, error", [(0.0065, 268370.01), (0.0055, 13.8987)])
def test_least_squares_diverges_or_zig_zags_with_larger_rates(rate, error):
    reached = least_squares_descent((-8.0, -2.0), rate, 100)[1]
    assert reached == pytest.approx(error, rel=5e-6)
    assert math.isfinite(reached)


def test_not_is_learned_far_more_often_by_the_true_gradient():
    """001: "I had to run that a couple of times": 44% of 300 random starts against about 70%."""
    llvm = pytest.importorskip("autograd.compiler.backends.llvm.compilation", exc_type=ImportError)

    weights = [Value(0.1), Value(0.2)]
    h = [sigmoid(weights[1]), sigmoid(weights[0] + weights[1])]  # for the bits 0 and 1
    cost = ((h[0] - 1.0) ** 2 + h[1] ** 2) / 2.0
    by_hand = (h[0] - 1.0) * h[0] * (1.0 - h[0]) + h[1] * h[1] * (1.0 - h[1])
    program = graph_to_program([*h, *gradient_graphs(cost, weights), by_hand], weights)
    kernel = llvm.compile(program, (True, True))
    solved = {}
    for name in ("engine", "by hand"):
        w = np.random.default_rng(0).normal(0, 5, (2, 300))
        for _ in range(12_000):
            _, out, _ = kernel(np.empty(0), w)
            w -= 0.05 * (out[2:4] if name == "engine" else out[4])
        _, out, _ = kernel(np.empty(0), w)
        solved[name] = np.mean((out[0] > 0.5) & (out[1] < 0.5))
    assert solved["by hand"] == pytest.approx(0.44, abs=0.05)
    assert solved["engine"] == pytest.approx(0.70, abs=0.05)
