"""SGD, Adam and the learning-rate schedules: steps by hand, states, refusals."""

import math

import pytest

from autograd import Value
from nn import SGD, Adam, schedules


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


@pytest.mark.parametrize("make", [SGD, Adam])
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


@pytest.mark.parametrize("make", [lambda p: SGD(p, 0.05, momentum=0.9), lambda p: Adam(p, 0.1)])
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


@pytest.mark.parametrize("make", [SGD, Adam])
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


@pytest.mark.parametrize(("make", "error"), [
    (lambda: SGD([], 0.1), ValueError), (lambda: SGD(Value(1), 0.1), TypeError),
    (lambda: SGD([1.0], 0.1), TypeError), (lambda: SGD([Value(1) * 2], 0.1), ValueError),
    (lambda: SGD([Value(1)], 0.0), ValueError), (lambda: SGD([Value(1)], -1), ValueError),
    (lambda: SGD([Value(1)], math.nan), ValueError), (lambda: SGD([Value(1)], "0.1"), TypeError),
    (lambda: SGD([Value(1)], 0.1, momentum=1.0), ValueError),
    (lambda: SGD([Value(1)], 0.1, weight_decay=-1.0), ValueError),
    (lambda: Adam([Value(1)], 0.1, betas=(0.9, 1.0)), ValueError),
    (lambda: Adam([Value(1)], 0.1, epsilon=0.0), ValueError)])
def test_settings_that_cannot_work_are_refused(make, error):
    with pytest.raises(error):
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
