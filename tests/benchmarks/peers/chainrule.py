"""Our own side: the public functions, on the plain Python formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
from peers import formulas
from peers.job import Job

import autograd as ag
import nn

STEPS = 5000  # of a training, in one call of fit

if hasattr(ag, "jit"):
    ag.jit(lambda x: x * x)(1.0)  # LLVM is loaded once a process, like the peers' libraries


def _model(data: dict[str, Any], sizes: list[int]) -> nn.MLP:
    """An MLP with the weights and biases of the data."""
    model = nn.MLP(sizes[0], sizes[1:])
    for i, layer in enumerate(model.layers, 1):
        rows = zip(layer.neurons, data[f"W{i}"].tolist(), data[f"b{i}"].tolist(), strict=True)
        for neuron, weights, bias in rows:
            neuron.b.data = bias
            for parameter, weight in zip(neuron.w, weights, strict=True):
                parameter.data = weight
    return model


def moons(data: dict[str, Any]) -> Job:
    """fit on all rows at once; its own setting up, once a call, is not part of a step."""
    model = _model(data, [2, 16, 16, 1])

    def fit(epochs: int) -> list[float]:
        return nn.fit(model, data["X"], data["y"], loss="hinge", l2=float(data["l2"]),
                      learning_rate=float(data["learning_rate"]), epochs=epochs,
                      progress=False).loss

    return Job(lambda: fit(STEPS + 1), units=STEPS, first=lambda: fit(1),
               answer=lambda losses: losses + fit(2), setup=lambda: fit(1))


def rosenbrock(data: dict[str, Any]) -> Job:
    """jit of value_and_grad."""
    function, x = ag.jit(ag.value_and_grad(formulas.rosenbrock)), data["x"]
    return Job(lambda: function(x))


def small(data: dict[str, Any]) -> Job:
    """jit of value_and_grad of one of the small functions."""
    formula, _ = formulas.SMALL[str(data["name"])]
    function, x = ag.jit(ag.value_and_grad(lambda x: formula(x, ag))), data["x"]
    return Job(lambda: function(x))


class _Rastrigin:
    """Rastrigin's function with its constants as attributes."""

    def __init__(self) -> None:
        self.height, self.turn = 10.0, formulas.TURN

    def value(self, x: Any) -> Any:
        return formulas.rastrigin(x, ag, self.height, self.turn)


def rastrigin_method(data: dict[str, Any]) -> Job:
    """jit of value_and_grad of a method."""
    function, x = ag.jit(ag.value_and_grad(_Rastrigin().value)), data["x"]
    return Job(lambda: function(x))


def pendulum(data: dict[str, Any], **options: Any) -> Job:
    """jit of value_and_grad, the loop over time unrolled."""
    steps, dt = int(data["steps"]), float(data["dt"])

    def angle(state: Any) -> Any:
        return formulas.pendulum(*state, steps, dt, ag.sin)

    function, x = ag.jit(ag.value_and_grad(angle), **options), data["x"]
    return Job(lambda: function(x))


pendulum_long = pendulum


def black_scholes(data: dict[str, Any], **options: Any) -> Job:
    """vmap of value_and_grad over rows."""
    def price(S: Any, K: Any, T: Any, r: Any, sigma: Any) -> Any:
        return formulas.black_scholes(S, K, T, r, sigma, ag.log, ag.sqrt, ag.exp, ag.erfc)

    function = ag.vmap(ag.value_and_grad(price, argnums=(0, 1, 2, 3, 4)), in_axes=0, **options)
    columns = tuple(data["x"])

    def answer(result: Any) -> Any:
        return [column[::formulas.EVERY] for column in (result[0], *result[1])]

    return Job(lambda: function(*columns), answer=answer)


def digits(data: dict[str, Any], **options: Any) -> Job:
    """fit with Adam on batches; its own setting up, once a call, is not part of an epoch."""
    model = _model(data, [int(size) for size in data["sizes"]])
    optimizer = nn.Adam(model.parameters(), float(data["learning_rate"]))
    epochs = len(data["orders"])

    def fit(count: int) -> list[float]:
        return nn.fit(model, data["X"], data["y"], loss="cross_entropy", optimizer=optimizer,
                      batch_size=int(data["batch_size"]), epochs=count, progress=False,
                      **options).loss

    def accuracy() -> float:
        fit(epochs)
        return nn.accuracy(model, data["X_test"], data["y_test"])

    many = 10 * epochs  # beside which the setting up is short
    return Job(lambda: fit(many + 1), units=many, first=lambda: fit(1), setup=lambda: fit(1),
               accuracy=accuracy if "X_test" in data else None, answer=lambda losses: [losses])


def mixture(data: dict[str, Any]) -> Job:
    """jit of value_and_grad of loops over scalars; the points are tuples, which nobody changes."""
    points = tuple(map(tuple, data["X"].tolist()))
    k, d = data["means"].shape

    def likelihood(x: Any) -> Any:
        return formulas.mixture(x, points, k, d, ag.exp, ag.logsumexp)

    function = ag.jit(ag.value_and_grad(likelihood))
    x = np.concatenate([data["alphas"], data["means"].ravel(), data["icf"].ravel()])
    return Job(lambda: function(x))
