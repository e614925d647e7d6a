"""JAX: jit, with loops over time or batches inside lax.scan."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from peers import formulas
from peers.job import Job

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_enable_x64", True)
jax.jit(lambda x: x * x)(1.0).block_until_ready()  # the back end is loaded once a process

Parameters = list[tuple[Any, Any]]


def _parameters(data: dict[str, Any], layers: int) -> Parameters:
    return [(jnp.array(data[f"W{i}"]), jnp.array(data[f"b{i}"])) for i in range(1, layers + 1)]


def _forward(parameters: Parameters, X: Any) -> Any:
    for W, b in parameters[:-1]:
        X = jax.nn.relu(X @ W.T + b)
    W, b = parameters[-1]
    return X @ W.T + b


def moons(data: dict[str, Any]) -> Job:
    """100 steps inside one scan."""
    X, y, l2, rate = jnp.array(data["X"]), jnp.array(data["y"]), data["l2"], data["learning_rate"]

    def loss(parameters: Parameters) -> Any:
        scores = _forward(parameters, X)[:, 0]
        squares = sum((p * p).sum() for p in jax.tree.leaves(parameters))
        return jax.nn.relu(1.0 - y * scores).mean() + l2 * squares

    def step(parameters: Parameters, _: None) -> tuple[Parameters, Any]:
        number, gradients = jax.value_and_grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - rate * g, parameters, gradients), number

    steps = jax.jit(lambda parameters: jax.lax.scan(step, parameters, None, length=100))
    state = [_parameters(data, 3)]

    def call() -> Any:
        state[0], losses = steps(state[0])
        return losses.block_until_ready()

    return Job(call, units=100, answer=lambda losses: [[x] for x in losses[:3].tolist()])


def rosenbrock(data: dict[str, Any]) -> Job:
    """The plain Python sum, traced."""
    return _value_and_gradient(formulas.rosenbrock, data["x"])


def small(data: dict[str, Any]) -> Job:
    """One of the small functions, traced."""
    formula, n = formulas.SMALL[str(data["name"])]
    return _value_and_gradient(lambda x: formula([x[i] for i in range(n)], jnp), data["x"])


def rosenbrock_arrays(data: dict[str, Any]) -> Job:
    """The sum rewritten by hand on whole arrays."""
    def function(x: Any) -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    return _value_and_gradient(function, data["x"])


def _value_and_gradient(function: Any, x: Any) -> Job:
    compiled, x = jax.jit(jax.value_and_grad(function)), jnp.array(x)
    return Job(lambda: jax.block_until_ready(compiled(x)))


def pendulum(data: dict[str, Any]) -> Job:
    """The loop over time as a scan: unrolled, it does not finish compiling.

    Forward mode and a partly unrolled scan were tried and take longer.
    """
    steps, dt = int(data["steps"]), float(data["dt"])

    def angle(x: Any) -> Any:
        def step(state: Any, _: None) -> tuple[Any, None]:
            return formulas.rk4_step(*state, x[2], x[3], dt, jnp.sin), None

        return jax.lax.scan(step, (x[0], x[1]), None, length=steps)[0][0]

    return _value_and_gradient(angle, data["x"])


def black_scholes(data: dict[str, Any]) -> Job:
    """vmap of value_and_grad over rows."""
    def price(S: Any, K: Any, T: Any, r: Any, sigma: Any) -> Any:
        return formulas.black_scholes(S, K, T, r, sigma, jnp.log, jnp.sqrt, jnp.exp,
                                      jax.scipy.special.erfc)

    function = jax.jit(jax.vmap(jax.value_and_grad(price, argnums=(0, 1, 2, 3, 4))))
    columns = tuple(map(jnp.array, data["x"]))

    def answer(result: Any) -> Any:
        return [column[::formulas.EVERY] for column in (result[0], *result[1])]

    return Job(lambda: jax.block_until_ready(function(*columns)), answer=answer)


def digits(data: dict[str, Any]) -> Job:
    """One epoch inside one scan over its batches, with Adam written out."""
    X, y = jnp.array(data["X"]), jnp.array(data["y"], dtype=int)
    batches = [jnp.array(order.reshape(-1, int(data["batch_size"]))) for order in data["orders"]]
    rate = float(data["learning_rate"])

    def loss(parameters: Parameters, rows: Any) -> Any:
        logs = jax.nn.log_softmax(_forward(parameters, X[rows]))
        return -jnp.take_along_axis(logs, y[rows][:, None], axis=1).mean()

    def step(state: Any, rows: Any) -> Any:
        parameters, first, second, t = state
        number, g = jax.value_and_grad(loss)(parameters, rows)
        t = t + 1.0
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, g)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, g)
        parameters = jax.tree.map(
            lambda p, m, v: p - rate * (m / (1.0 - 0.9**t)) / (
                jnp.sqrt(v / (1.0 - 0.999**t)) + 1e-8), parameters, first, second)
        return (parameters, first, second, t), number

    epoch = jax.jit(lambda state, batches: jax.lax.scan(step, state, batches))
    start = _parameters(data, len(data["sizes"]) - 1)
    zeros = jax.tree.map(jnp.zeros_like, start)
    states = [(start, zeros, zeros, 0.0)]
    count = [0]

    def call() -> float:
        states[0], losses = epoch(states[0], batches[count[0] % len(batches)])
        count[0] += 1
        return float(losses.mean())

    def accuracy() -> float:
        for _ in batches:
            call()
        answers = np.argmax(_forward(states[0][0], jnp.array(data["X_test"])), axis=1)
        return float(np.mean(answers == data["y_test"]))

    return Job(call, accuracy=accuracy if "X_test" in data else None,
               answer=lambda loss: [[loss]])


def mixture(data: dict[str, Any]) -> Job:
    """The loops over points, Gaussians and dimensions rewritten by hand on whole arrays."""
    X = jnp.array(data["X"])
    (k, d), (n, _) = data["means"].shape, data["X"].shape
    rows, columns = np.tril_indices(d, -1)

    def likelihood(x: Any) -> Any:
        weights, centres = x[:k], x[k:k + k * d].reshape(k, d)
        factors = x[k + k * d:].reshape(k, -1)
        diagonals = jnp.exp(factors[:, :d])
        lower = jnp.zeros((k, d, d)).at[:, rows, columns].set(factors[:, d:])
        apart = X[:, None] - centres
        turned = diagonals * apart + jnp.einsum("kij,nkj->nki", lower, apart)
        terms = weights + factors[:, :d].sum(axis=1) - 0.5 * (turned * turned).sum(axis=2)
        penalty = 0.5 * ((diagonals**2).sum() + (factors[:, d:] ** 2).sum())
        return (jax.nn.logsumexp(terms, axis=1).sum() - n * jax.nn.logsumexp(weights) + penalty)

    x = np.concatenate([data["alphas"], data["means"].ravel(), data["icf"].ravel()])
    return _value_and_gradient(likelihood, x)
