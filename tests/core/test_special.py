"""Special functions and activations: what their rows promise beside what every row does."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import TABLE, Value, grad, jit
from autograd.checking.high_precision import MP_VALUES
from autograd.core.primitive import Primitive

mpmath = pytest.importorskip("mpmath")
mp: Any = mpmath.mp.clone()
mp.dps = 60

ACTIVATIONS = ("silu", "elu", "selu", "leaky_relu", "mish", "hardtanh", "softsign",
               "gelu")


@pytest.mark.parametrize(("name", "x", "slope"), [
    ("elu", 0.0, 1.0), ("selu", 0.0, 1.0507009873554805), ("leaky_relu", 0.0, 0.01),
    ("hardtanh", 1.0, 0.0), ("hardtanh", -1.0, 0.0), ("softsign", 0.0, 1.0)])
def test_an_activation_at_its_kink_has_the_smallest_slope(name: str, x: float,
                                                          slope: float) -> None:
    leaf = Value(x)
    y = TABLE[name](leaf)
    y.backward()
    assert leaf.grad == slope
    assert bool(y.kinks()) is (TABLE[name].kink is not None)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_network_of_it_is_recorded_once_and_trains_as_the_eager_engine_does(name: str) -> None:
    X, y = nn.datasets.moons(30, seed=2)
    losses = []
    for compiled in (True, False):
        model = nn.MLP(2, [5, 1], activation=name, seed=3)
        history = nn.fit(model, X, y, loss="hinge", epochs=4, batch_size=10, progress=False,
                         compiled=compiled)
        losses.append(history.loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-10)
    assert losses[0][-1] < losses[0][0]
    slope = jit(grad(TABLE[name]))
    for x in (-2.0, 0.3, 2.0, -0.4, 1.5):
        assert slope(x) == pytest.approx(grad(TABLE[name])(x), rel=1e-14)
    assert slope.n_recordings == 1


def test_softmax_is_right_where_it_is_almost_1_and_does_not_overflow() -> None:
    logits = [1000.0, 960.0, 0.0]
    weights = [mp.exp(x - 1000) for x in logits]
    truth = [w / mp.fsum(weights) for w in weights]
    assert ag.softmax(logits) == pytest.approx(list(map(float, truth)), rel=1e-15, abs=0.0)
    logs = ag.log_softmax(logits)
    # The tail of the first is exp(-40) beside 1: log(1 - p) of it.
    assert logs[0] == pytest.approx(-float(mp.log1p(weights[1] + weights[2])), rel=1e-15)
    assert logs[1:] == pytest.approx([-40.0, -1000.0], rel=1e-15)
    assert ag.log_softmax([3.0]) == [0.0] and ag.softmax([3.0]) == [1.0]


@pytest.mark.parametrize("f", [ag.softmax, ag.log_softmax])
def test_derivatives_of_softmax(f: Any) -> None:
    x = [0.3, -1.2, 40.0, 2.0]
    p = [mp.exp(a) / mp.fsum(map(mp.exp, x)) for a in x]
    given = ag.jacobian(lambda v: f(v))(x)
    for i, j in np.ndindex(4, 4):
        others = mp.fsum(q for k, q in enumerate(p) if k != i)
        truth = others if i == j else -p[j]
        truth = truth if f is ag.log_softmax else truth * p[i]
        assert abs(given[i][j] - truth) <= 1e-14 * abs(truth), (i, j)
    assert np.array(jit(ag.jacobian(lambda v: f(v)))(x)) == pytest.approx(
        np.array(given), rel=1e-13, abs=0.0)


def test_softmax_of_arrays_along_an_axis() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    for axis in (None, 0, -1, (0, 2)):
        for ours, theirs in ((ag.softmax, special.softmax), (ag.log_softmax, special.log_softmax)):
            assert ours(x, axis=axis) == pytest.approx(theirs(x, axis=axis), rel=1e-14)
            recorded = ours(ag.values(x), axis=axis)
            assert recorded.shape == x.shape
            assert [v.data for v in recorded.flat] == ours(x, axis=axis).ravel().tolist()
    with pytest.raises(ValueError, match="at least one number"):
        ag.softmax([])


def test_clip_shares_a_tie_with_its_bound() -> None:
    assert [ag.clip(x, -1.0, 2.0) for x in (-3.0, 0.5, 3.0)] == [-1.0, 0.5, 2.0]
    assert [grad(ag.clip)(x, -1.0, 2.0) for x in (-3.0, -1.0, 0.5, 3.0)] == [0.0, 0.5, 1.0, 0.0]
    assert ag.clip(np.array([1.0, 5.0]), None, 2.0).tolist() == [1.0, 2.0]
    assert ag.clip(Value(3.0), 1.0).data == 3.0


# --- values against the truth ---------------------------------------------------------------------

def points(seed: int, low: float) -> list[float]:
    """Of all sizes, near 1, 2 and the zero of digamma, and as far below 0 as asked for."""
    rng = random.Random(seed)
    found = [rng.uniform(0.0, 12.0) for _ in range(900)]
    found += [rng.uniform(0.0, 180.0) for _ in range(300)]
    found += [10.0 ** rng.uniform(-300.0, 300.0) for _ in range(300)]
    found += [center + rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-15.0, 0.0)
              for center in (1.0, 2.0, 1.4616321449683622) for _ in range(200)]
    return found + [rng.uniform(low, 0.0) for _ in range(600 if low else 0)]


# For each row: its truth, how far below 0 it goes, and the ulps of its value that are allowed.
# Between the zeros on the negative axis those of 1, or of the terms of the reflection.
VALUES: dict[str, tuple[Any, float, float]] = {
    "gamma": (mp.gamma, -160.0, 6.0),
    "gammaln": (lambda x: mp.loggamma(x) if x > 0 else mp.log(abs(mp.gamma(x))), -300.0, 8.0),
    "digamma": (mp.digamma, -300.0, 5.0),
    "logit": (lambda x: mp.log(x / (1 - x)), 0.0, 4.0),
    "silu": (lambda x: x / (1 + mp.exp(-x)), -700.0, 4.0),
    "mish": (lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), -700.0, 4.0),
}


def unit(name: str, x: float, truth: Any) -> float:
    size = abs(truth)
    if x < 0.0 and name == "gammaln":
        size = max(size, mp.mpf(1))
    if x < 0.0 and name == "digamma":
        size = max(size, mp.mpf(1), abs(mp.digamma(1 - x)), mp.pi * abs(mp.cot(mp.pi * x)))
    return math.ulp(float(size))


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_right_to_the_last_places(name: str) -> None:
    truth_of, low, most = VALUES[name]
    checked, row = 0, TABLE[name]
    for x in points(1, low):
        try:
            given = row(x)
        except (ValueError, OverflowError):
            continue
        truth = truth_of(mp.mpf(x))
        if 1e-290 < abs(truth) < 1e300:
            checked += 1
            assert abs(mp.mpf(given) - truth) <= most * unit(name, x, truth), (x, given)
    assert checked > 1000 or name == "logit"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 8, 20])
def test_polygamma_and_its_derivative_are_right_to_the_last_places(n: int) -> None:
    slope = grad(ag.polygamma, 1)
    for x in points(n, -20.0 if n < 3 else 0.0)[::3]:
        if not 1e-8 < abs(x) < 1e8:
            continue
        for order, f in ((n, ag.polygamma), (n + 1, slope)):
            if order > 20:
                continue
            truth = mp.psi(order, mp.mpf(x))
            size = abs(truth) if x > 0.0 else (
                abs(truth) + 2 * abs(mp.psi(order, 1 - x)) + mp.pi ** (order + 1))
            assert abs(mp.mpf(f(float(n), x)) - truth) <= (
                8.0 + 0.2 * order) * math.ulp(float(size)), (order, x)


def test_poles_and_orders_are_errors_that_say_what_is_needed() -> None:
    for row in (ag.gamma, ag.gammaln, ag.digamma):
        for x in (0.0, -1.0, -2.0**53):
            with pytest.raises(ValueError, match="a negative one that is not whole"):
                row(x)
    with pytest.raises(OverflowError, match="too large"):
        ag.gammaln(2.56e305)
    with pytest.raises(OverflowError, match="too large"):
        ag.gamma(172.0)
    for n, x in ((0.0, 1.0), (1.5, 1.0), (21.0, 1.0), (4.0, -0.5)):
        with pytest.raises(ValueError, match="a whole order n from 1 to 20"):
            ag.polygamma(n, x)
    with pytest.raises(TypeError, match=r"n of polygamma is an order.* write n\.data"):
        ag.polygamma(Value(1.0, "n"), 2.0)
    assert not hasattr(Value(1.0), "polygamma")


def test_the_gamma_functions_run_on_every_back_end(backend: str) -> None:
    def f(x: Any) -> Any:
        return ag.gammaln(x) * ag.digamma(x + 0.5) + ag.gamma(x) + ag.polygamma(2, x)

    compiled, slopes = jit(f, backend=backend), jit(grad(f), backend=backend)
    for x in (0.3, 1.2, 1.9, 2.7, 3.5, 7.0, 15.0, -0.3, -1.7):
        assert compiled(x) == pytest.approx(f(x), rel=1e-13)
        assert slopes(x) == pytest.approx(grad(f)(x), rel=1e-12)


# --- SciPy's names --------------------------------------------------------------------------------

OF_SCIPY = {"gamma": (4.5,), "gammaln": (4.5,), "digamma": (4.5,), "psi": (-0.3,),
            "logit": (0.3,), "expit": (0.7,), "xlogy": (2.0, 0.4), "xlog1py": (2.0, 0.4)}


def row_called(name: str) -> Primitive:
    return next(row for row in TABLE.values() if name in (row.name, *row.aliases))


@pytest.mark.parametrize("name", OF_SCIPY)
def test_scipys_function_of_a_value_and_of_an_array_is_the_row(name: str) -> None:
    function = getattr(pytest.importorskip("scipy.special"), name)
    operands, row = OF_SCIPY[name], row_called(name)
    expected = row(*operands)
    assert float(function(*operands)) == pytest.approx(expected, rel=2e-14)
    for x in (Value(operands[-1]), ag.values([operands[-1]] * 2)):
        y = np.ravel(function(*operands[:-1], x))[0]
        assert (y.data, y.op) == (expected, row)


def test_numpys_angles() -> None:
    v = Value(30.0)
    assert np.radians(v).data == np.deg2rad(v).data == math.radians(30.0) == v.radians().data
    assert np.degrees(v).data == np.rad2deg(v).data == math.degrees(30.0)
    assert np.radians(ag.values([30.0]))[0].op is TABLE["radians"]


# --- the normal distribution and sinc -------------------------------------------------------------

def hard_reals() -> list[float]:
    rng = random.Random(4)
    found = [rng.uniform(-26.0, 36.0) for _ in range(500)]
    return found + [rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-12.0, 1.4) for _ in range(500)]


def hard_probabilities() -> list[float]:
    rng = random.Random(5)
    found = [rng.random() for _ in range(300)] + [10.0 ** rng.uniform(-300.0, 0.0)
                                                  for _ in range(300)]
    found += [1.0 - 10.0 ** rng.uniform(-15.0, 0.0) for _ in range(150)]
    return found + [0.5 + rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-15.0, -0.4)
                    for _ in range(150)]


@pytest.mark.parametrize(("name", "ulps"), [
    ("erfcx", 5.0), ("ndtr", 5.0), ("log_ndtr", 5.0), ("gelu", 6.0), ("sinc", 4.0),
    ("ndtri", 4.0), ("erfinv", 4.0), ("erfcinv", 4.0)])
def test_a_relative_of_erf_is_right_to_the_last_places(name: str, ulps: float) -> None:
    row, checked = TABLE[name], 0
    probabilities = hard_probabilities()
    for x in {"ndtri": probabilities, "erfinv": [2.0 * p - 1.0 for p in probabilities],
              "erfcinv": [2.0 * p for p in probabilities]}.get(name, hard_reals()):
        try:
            given = row(x)
        except (ValueError, OverflowError):
            continue  # 2 p - 1 may be 1
        truth = MP_VALUES[name](mp, mp.mpf(x))
        if 1e-290 < abs(truth) < 1e300:
            checked += 1
            assert abs(mp.mpf(given) - truth) <= ulps * math.ulp(abs(float(truth))), (x, given)
    assert checked > 600


@pytest.mark.parametrize(("name", "low", "terms"), [
    ("erfcx_integral", -26.0, None), ("log_ndtr_slope", -36.0, None),
    ("sinc_slope", -36.0, lambda x: min(mp.pi**2, 10 / abs(x)))])
@pytest.mark.parametrize("n", [1, 2])
def test_what_serves_their_derivatives_is_right_to_the_last_places(
        name: str, low: float, terms: Any, n: int) -> None:
    row = TABLE[name]
    for x in hard_reals():
        if x <= low:
            continue
        truth = MP_VALUES[name](mp, mp.mpf(n), mp.mpf(x))
        scale = max(abs(truth), terms(mp.mpf(x)) if terms else 0)
        if scale > 1e-290:
            off = abs(mp.mpf(row(float(n), x)) - truth)
            assert off <= 12.0 * math.ulp(float(scale)), x
    with pytest.raises(ValueError, match="order n 1 or 2"):
        row(3.0, 0.5)


@pytest.mark.parametrize("name", ["erfcx", "log_ndtr", "sinc", "ndtri", "gelu"])
def test_third_derivatives_of_the_relatives_of_erf(name: str) -> None:
    third = grad(grad(grad(TABLE[name])))
    for x in (0.2, 0.4, 0.7):
        truth = mp.diff(lambda t: MP_VALUES[name](mp, t), mp.mpf(x), 3)
        assert third(x) == pytest.approx(float(truth), rel=1e-10)
        assert jit(third)(x) == pytest.approx(float(truth), rel=1e-10)


@pytest.mark.parametrize("name", ["erfcx", "ndtr", "log_ndtr", "ndtri", "erfinv", "erfcinv"])
def test_scipy_s_functions_of_a_value_are_the_rows(name: str) -> None:
    special = pytest.importorskip("scipy.special")
    v = Value(0.3)
    y = getattr(special, name)(v)
    assert y.op is TABLE[name]
    assert y.data == pytest.approx(getattr(special, name)(0.3), rel=1e-14)


def test_the_smallest_probability_has_a_quantile() -> None:
    assert ag.ndtri(5e-324) == pytest.approx(-38.467405617144344, rel=1e-3)
    assert ag.erfcinv(5e-324) == pytest.approx(27.213293210812949, rel=1e-3)
    assert ag.sinc(0.0) == 1.0 and ag.sinc(1e300) == 0.0 and grad(ag.sinc)(0.0) == 0.0
    assert [ag.sinc(float(n)) for n in (1, -2, 3)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
@pytest.mark.parametrize("name", ["erfcx", "ndtr", "log_ndtr", "ndtri", "erfinv", "erfcinv", "gelu",
                                  "sinc"])
def test_every_back_end_writes_out_the_relatives_of_erf(name: str, backend: str) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    inverse = name in ("ndtri", "erfinv", "erfcinv")
    x = np.array([1e-9, 0.01, 0.3, 0.51, 0.99] if inverse else [-30.0, -0.7, 0.0, 0.6, 3.0, 35.0])
    if name == "erfcx":
        x = x[1:]
    row = TABLE[name]
    f = ag.vmap(ag.value_and_grad(row), backend=backend)
    values, slopes = f(x)
    assert values == pytest.approx(np.array([row(t) for t in x.tolist()]), rel=4e-15, abs=0.0)
    assert slopes == pytest.approx(np.array([grad(row)(t) for t in x.tolist()]), rel=4e-15, abs=0.0)
