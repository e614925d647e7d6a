"""The optimizers and the learning-rate schedules: steps by hand, states, refusals."""

import math

import numpy as np
import pytest

from autograd import Value
from nn import SGD, Adagrad, Adam, AdamW, RMSprop, schedules
from nn.optimizers import OPTIMIZERS


def _quadratic(optimizer, x, steps):
    path = [x.data]
    for _ in range(steps):
        optimizer.zero_grad()
        ((x - 3.0) * (x - 3.0)).backward()
        optimizer.step()
        path.append(x.data)
    return path


def test_sgd_steps_against_the_gradient():
    x = Value(10.0)  # x**2 - 6x + 9, slope 14 at 10 and 11.2 at 8.6
    assert _quadratic(SGD([x], 0.1), x, 2) == pytest.approx([10.0, 8.6, 7.48], rel=1e-14)


def test_momentum_keeps_a_share_of_the_last_step():
    x = Value(10.0)
    # v1 = 14; v2 = 0.5 * 14 + 2 (8.6 - 3) = 18.2
    assert _quadratic(SGD([x], 0.1, momentum=0.5), x, 2) == pytest.approx(
        [10.0, 8.6, 8.6 - 1.82], rel=1e-14)


@pytest.mark.parametrize("make", [SGD, Adam, RMSprop, Adagrad])
def test_weight_decay_adds_to_the_gradient(make):
    decayed, plain = Value(2.0), Value(2.0)
    decayed.grad, plain.grad = 1.0, 1.0 + 0.5 * 2.0
    make([decayed], 0.1, weight_decay=0.5).step()
    make([plain], 0.1).step()
    assert decayed.data == plain.data


def test_adams_first_step_has_the_size_of_the_learning_rate():
    for gradient in (1e-3, -7.0, 1e5):
        x = Value(1.0)
        x.grad = gradient
        Adam([x], 0.1, epsilon=1e-15).step()
        assert x.data == pytest.approx(1.0 - math.copysign(0.1, gradient), rel=1e-9)


def test_adams_second_step_by_hand():
    x = Value(0.0)
    optimizer = Adam([x], 0.1, betas=(0.9, 0.99), epsilon=1e-8)
    for gradient in (1.0, 3.0):
        x.grad = gradient
        before = x.data
        optimizer.step()
    mean = (0.9 * 0.1 * 1.0 + 0.1 * 3.0) / (1 - 0.9**2)
    square = (0.99 * 0.01 * 1.0 + 0.01 * 9.0) / (1 - 0.99**2)
    assert before - x.data == pytest.approx(0.1 * mean / (math.sqrt(square) + 1e-8), rel=1e-12)


# Each optimizer once more, in NumPy, from its source: all steps from the gradients of all steps.

def _rmsprop(p, gradients, rate=0.1, decay=0.8):
    square = np.zeros_like(p)
    for g in gradients:
        square = decay * square + (1 - decay) * g**2
        p = p - rate * g / (np.sqrt(square) + 1e-8)
    return p


def _adagrad(p, gradients, rate=0.1):
    for t in range(len(gradients)):
        p = p - rate * gradients[t] / (np.sqrt((gradients[:t + 1]**2).sum(axis=0)) + 1e-8)
    return p


def _adamw(p, gradients, rate=0.1, decay=0.3):
    m, v = np.zeros_like(p), np.zeros_like(p)
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2
        p = p - rate * (m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.99**t)) + 1e-8) + decay * p)
    return p


@pytest.mark.parametrize(("make", "expected"), [
    (lambda p: RMSprop(p, 0.1, decay=0.8), _rmsprop), (lambda p: Adagrad(p, 0.1), _adagrad),
    (lambda p: AdamW(p, 0.1, betas=(0.9, 0.99), weight_decay=0.3), _adamw)])
def test_steps_are_those_of_the_source(make, expected):
    start = np.array([1.0, -2.0, 0.5, 3.0])
    gradients = np.random.default_rng(4).normal(size=(12, 4)) * [1.0, 1e-3, 1e4, 0.0]
    gradients[3] = 0.0
    parameters = [Value(number) for number in start]
    optimizer = make(parameters)
    for step in gradients:
        for parameter, slope in zip(parameters, step, strict=True):
            parameter.grad = slope
        optimizer.step()
    assert [p.data for p in parameters] == pytest.approx(expected(start, gradients), rel=1e-12)


@pytest.mark.parametrize("make", [RMSprop, Adagrad, Adam])
def test_a_gradient_of_zero_moves_nothing_also_where_the_root_is_that_of_zero(make):
    x = Value(1.5)
    x.grad = 0.0
    make([x], 0.1).step()
    assert x.data == 1.5


def test_decoupled_decay_is_a_share_of_the_parameter_whatever_the_gradient():
    for gradient in (1e-6, 1e6):
        decayed, plain = Value(2.0), Value(2.0)
        decayed.grad = plain.grad = gradient
        AdamW([decayed], 0.1, weight_decay=0.5).step()
        Adam([plain], 0.1).step()
        assert plain.data - decayed.data == pytest.approx(0.1 * 0.5 * 2.0, rel=1e-12)


CONVERGING = {  # RMSprop's steps keep the size of the rate, so that the rate has to fall
    "sgd": {"learning_rate": 0.1}, "adam": {"learning_rate": 0.1},
    "adamw": {"learning_rate": 0.1, "weight_decay": 0.0}, "adagrad": {"learning_rate": 2.0},
    "rmsprop": {"learning_rate": schedules.exponential(0.1, 0.99)}}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_finds_the_least_point_of_a_parabola(name):
    x = Value(10.0)
    end = _quadratic(OPTIMIZERS[name]([x], **CONVERGING[name]), x, 1200)[-1]
    assert end == pytest.approx(3.0, abs=1e-5)


def test_an_optimizer_shows_its_settings():
    x = [Value(1.0)]
    assert repr(SGD(x, 0.5)) == "SGD(learning_rate=0.5, weight_decay=0, momentum=0)"
    assert repr(AdamW(x)) == ("AdamW(learning_rate=0.001, weight_decay=0.01, "
                              "betas=(0.9, 0.999), epsilon=1e-08)")


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.05, momentum=0.9), lambda p: Adam(p, 0.1),
                                  RMSprop, Adagrad, AdamW])
def test_an_optimizer_goes_on_from_a_saved_state_bit_by_bit(make, tmp_path):
    x = Value(10.0)
    whole = _quadratic(make([x]), x, 20)
    first = Value(10.0)
    optimizer = make([first])
    _quadratic(optimizer, first, 10)
    optimizer.save(tmp_path / "state.json")
    second = Value(first.data)
    resumed = make([second])
    resumed.load(tmp_path / "state.json")
    assert _quadratic(resumed, second, 10)[-1] == whole[-1]
    assert resumed.steps == 20


def test_a_state_of_another_optimizer_changes_nothing(tmp_path):
    x = Value(1.0)
    SGD([x]).save(tmp_path / "sgd.json")
    adam = Adam([x])
    before = adam.state_dict()
    with pytest.raises(ValueError, match="SGD state"):
        adam.load(tmp_path / "sgd.json")
    with pytest.raises(ValueError, match="missing: mean, mean_square; unexpected: velocity"):
        adam.load_state_dict(SGD([x]).state_dict())
    with pytest.raises(ValueError, match="steps must be a whole number"):
        adam.load_state_dict({**before, "steps": 0.5})
    assert adam.state_dict() == before


@pytest.mark.parametrize("make", [SGD, Adam, AdamW, RMSprop, Adagrad])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_moves_nothing(make, bad):
    a, b = Value(1.0, "a"), Value(2.0, "b")
    optimizer = make([a, b], 0.1)
    a.grad, b.grad = 1.0, bad
    before = optimizer.state_dict()
    with pytest.raises(FloatingPointError, match="'b'"):
        optimizer.step()
    assert (a.data, b.data) == (1.0, 2.0)
    assert optimizer.state_dict() == before


@pytest.mark.parametrize(("make", "error", "words"), [
    (lambda: SGD([], 0.1), ValueError, "no parameters"),
    (lambda: SGD(Value(1), 0.1), TypeError, r"write \[v\]"),
    (lambda: SGD([1.0], 0.1), TypeError, "parameter 0 is 1.0, not a Value"),
    (lambda: SGD([Value(1) * 2], 0.1), ValueError, "parameter 0, .*was computed"),
    (lambda: SGD([Value(1)], 0.0), ValueError, "learning_rate must be"),
    (lambda: SGD([Value(1)], -1), ValueError, "learning_rate must be"),
    (lambda: SGD([Value(1)], math.nan), ValueError, "learning_rate must be"),
    (lambda: SGD([Value(1)], "0.1"), TypeError, "learning_rate must be"),
    (lambda: SGD([Value(1)], 0.1, momentum=1.0), ValueError, "momentum must be"),
    (lambda: SGD([Value(1)], 0.1, weight_decay=-1.0), ValueError, "weight_decay must be"),
    (lambda: Adam([Value(1)], 0.1, betas=(0.9, 1.0)), ValueError, r"betas\[1\] must be"),
    (lambda: Adam([Value(1)], 0.1, epsilon=0.0), ValueError, "epsilon must be"),
    (lambda: RMSprop([Value(1)], 0.1, decay=1.0), ValueError, "decay must be"),
    (lambda: RMSprop([Value(1)], 0.1, epsilon=0.0), ValueError, "epsilon must be"),
    (lambda: Adagrad([Value(1)], 0.1, epsilon=-1.0), ValueError, "epsilon must be"),
    (lambda: AdamW([Value(1)], 0.1, weight_decay=-1.0), ValueError, "weight_decay must be")])
def test_settings_that_cannot_work_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_a_parameter_given_twice_is_refused():
    x = Value(1.0)
    with pytest.raises(ValueError, match="twice"):
        SGD([x, x])


@pytest.mark.parametrize(("schedule", "expected"), [
    (schedules.constant(0.3), {0: 0.3, 99: 0.3}),
    # micrograd's demo: 1.0 - 0.9 * k / 100
    (schedules.linear(1.0, 0.1, 100), {0: 1.0, 50: 0.55, 99: 1.0 - 0.9 * 99 / 100, 500: 0.1}),
    (schedules.exponential(0.5, 0.9), {0: 0.5, 2: 0.405}),
    (schedules.cosine(1.0, 10, 0.2), {0: 1.0, 5: 0.6, 10: 0.2, 11: 0.2}),
    (schedules.stairs(0.8, 10, 0.5), {0: 0.8, 9: 0.8, 10: 0.4, 25: 0.2})])
def test_schedules_give_the_rate_of_a_step(schedule, expected):
    assert {k: schedule(k) for k in expected} == pytest.approx(expected, rel=1e-14)


def test_a_schedule_counts_the_steps_of_the_optimizer():
    x = Value(0.0)
    optimizer = SGD([x], schedules.linear(1.0, 0.0, 4))
    moves = []
    for _ in range(4):
        x.grad, before = 1.0, x.data
        optimizer.step()
        moves.append(before - x.data)
    assert moves == [1.0, 0.75, 0.5, 0.25]


@pytest.mark.parametrize("make", [
    lambda: schedules.constant(0.0), lambda: schedules.linear(1.0, -0.1, 10),
    lambda: schedules.linear(1.0, 0.1, 0), lambda: schedules.exponential(1.0, math.inf),
    lambda: schedules.cosine(-1.0, 10), lambda: schedules.stairs(1.0, 0)])
def test_schedules_that_cannot_work_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()


def test_a_gradient_set_to_none_moves_nothing() -> None:
    parameters = [Value(1.0), Value(2.0)]
    (parameters[0] * 3.0).backward()
    parameters[1].grad = None  # type: ignore[assignment]
    SGD(parameters, 0.1).step()
    assert [p.data for p in parameters] == [pytest.approx(0.7), 2.0]
