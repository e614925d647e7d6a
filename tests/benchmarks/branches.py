"""Times jit against the eager engine on programs that take another branch at nearly every call.

    python -m tests.benchmarks.branches

Each row is 60 calls of value and gradient at points of a random walk. jit may take a third longer
than the eager engine at most, and must give the same numbers. It is the time of the processor, for
each call the least of several walks.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import jit, value_and_grad
from autograd.core.typing import Array
from tests.benchmarks import short_branches

CALLS = 60
MOST = 4.0 / 3.0
WALKS = 3


class Branchy(NamedTuple):
    """A function of one array, and where a walk of a given step begins."""

    function: Callable[[Array], Any]
    start: Array
    step: float

    def points(self, n: int = CALLS) -> list[Array]:
        """The points of a random walk, relative to the size of each coordinate."""
        draw = np.random.default_rng(7)
        size = np.maximum(np.abs(self.start), 0.5)
        steps = self.step * size * draw.normal(size=(n, *self.start.shape))
        return list(self.start + np.cumsum(steps, axis=0))


def _layers(w: Array, sizes: tuple[int, ...]) -> list[tuple[Array, Array]]:
    """Weights and biases, as arrays of objects."""
    flat, layers = np.array(list(w), dtype=object), []
    for nin, nout in pairwise(sizes):
        layers.append((flat[:nin * nout].reshape(nin, nout), flat[nin * nout:(nin + 1) * nout]))
        flat = flat[(nin + 1) * nout:]
    return layers


def relu_net(maximum: Callable[[Any, Any], Any], rows: int, width: int) -> Branchy:
    """A network of two hidden layers, with a maximum of NumPy's or Python's."""
    draw, sizes = np.random.default_rng(0), (2, width, width, 1)
    X = draw.normal(size=(rows, 2))
    wanted = np.sign(X[:, 0] * X[:, 1])

    def loss(w: Array) -> Any:
        h: Any = X
        *hidden, (W, b) = _layers(w, sizes)
        for weights, biases in hidden:
            h = maximum(h @ weights + biases, 0.0)
        error = (h @ W)[:, 0] + b[0] - wanted
        return np.sum(error * error) / rows

    n = sum((a + 1) * b for a, b in pairwise(sizes))
    return Branchy(loss, 0.5 * draw.normal(size=n), 0.05)


def numpys_maximum(a: Array, b: float) -> Any:
    """NumPy's, on an array of objects that is nobody's subclass."""
    return np.maximum(np.asarray(a), b)


def pythons_maximum(a: Array, b: float) -> Any:
    """Python's ``max`` of each item."""
    result = np.empty(a.shape, dtype=object)
    for place in np.ndindex(a.shape):
        result[place] = max(a[place], b)
    return result


def american_put(steps: int) -> Branchy:
    """An American put on a binomial tree: exercised early wherever that is worth more."""
    def price(p: Array) -> Any:
        spot, strike, rate, sigma = p
        dt = 1.0 / steps
        up = autograd.exp(sigma * dt ** 0.5)
        grown = autograd.exp(rate * dt)
        chance = (grown - 1.0 / up) / (up - 1.0 / up)
        values = [max(strike - spot * up ** (2 * i - steps), 0.0) for i in range(steps + 1)]
        for k in range(steps - 1, -1, -1):
            values = [max((chance * values[i + 1] + (1.0 - chance) * values[i]) / grown,
                          strike - spot * up ** (2 * i - k)) for i in range(k + 1)]
        return values[0]

    return Branchy(price, np.array([100.0, 100.0, 0.05, 0.3]), 0.01)


def soft_dtw(n: int) -> Branchy:
    """The soft distance of two series by dynamic time warping."""
    target = np.sin(np.linspace(0.0, 3.0, n))

    def softest(a: Any, b: Any, c: Any) -> Any:
        least = min(a, b, c)
        return least - 0.1 * autograd.log(sum(autograd.exp((least - x) / 0.1) for x in (a, b, c)))

    def distance(x: Array) -> Any:
        rows = [[0.0] + [1e6] * n]
        for item in x:
            row: list[Any] = [1e6]
            for j in range(n):
                row.append((item - target[j]) ** 2 + softest(rows[-1][j + 1], row[j], rows[-1][j]))
            rows.append(row)
        return rows[-1][-1]

    return Branchy(distance, np.random.default_rng(0).normal(size=n), 0.1)


def _log_of_sum(xs: list[Any]) -> Any:
    top = max(xs)
    return top + autograd.log(sum(autograd.exp(x - top) for x in xs))


def hidden_markov(length: int) -> Branchy:
    """The log likelihood of observations under a hidden Markov model of three states."""
    seen = np.random.default_rng(1).integers(0, 3, size=length)

    def likelihood(p: Array) -> Any:
        def logs(rows: Any) -> list[list[Any]]:
            return [[x - _log_of_sum(list(row)) for x in row] for row in rows]

        moves, emits = logs(p[:9].reshape(3, 3)), logs(p[9:].reshape(3, 3))
        alpha = [emits[i][seen[0]] - math.log(3.0) for i in range(3)]
        for o in seen[1:]:
            alpha = [_log_of_sum([alpha[i] + moves[i][j] for i in range(3)]) + emits[j][o]
                     for j in range(3)]
        return _log_of_sum(alpha)

    return Branchy(likelihood, np.random.default_rng(0).normal(size=18), 0.1)


def mixture(n: int) -> Branchy:
    """The log likelihood of a Gaussian mixture of three, by the trick with the maximum."""
    rows = np.random.default_rng(2).normal(size=(n, 2))

    def likelihood(p: Array) -> Any:
        weights, means, logs = p[:3], p[3:9].reshape(3, 2), p[9:].reshape(3, 2)
        total = 0.0
        for x in rows:
            total = total + _log_of_sum([
                weights[k] - sum(0.5 * ((x[d] - means[k][d]) * autograd.exp(-logs[k][d])) ** 2
                                 + logs[k][d] for d in range(2)) for k in range(3)])
        return total

    return Branchy(likelihood, 0.5 * np.random.default_rng(0).normal(size=15), 0.1)


def programs(size: float = 1.0) -> dict[str, Branchy]:
    """The programs by name.

    Args:
        size: 1 for what is measured; less for less work.
    """
    def scaled(n: int) -> int:
        return max(3, round(n * size))

    return {
        "relu net, np.maximum": relu_net(numpys_maximum, scaled(10), scaled(8)),
        "relu net, max": relu_net(pythons_maximum, scaled(10), scaled(8)),
        "American put": american_put(scaled(50)), "soft-DTW": soft_dtw(scaled(15)),
        "HMM in log space": hidden_markov(scaled(30)),
        "GMM with max": mixture(scaled(50))}


def short_programs() -> dict[str, Branchy]:
    """Those of which a call takes less time than the making of any machine code."""
    return {name: Branchy(function, np.array(start), step)
            for name, (function, start, step) in short_branches.functions().items()}


def seconds(function: Callable[[Array], Any], point: Array) -> tuple[float, Any]:
    """The time that a call takes of the processor, and its result."""
    began = time.process_time()
    result = function(point)
    return time.process_time() - began, result


def main() -> int:
    """Print a table; the exit status is 1 where jit takes too long or differs."""
    print(f"{CALLS} calls, seconds{'':10}{'eager':>8}{'jit':>8}{'ratio':>8}{'recordings':>12}")
    is_good = True
    for name, program in {**programs(), **short_programs()}.items():
        eager, same = value_and_grad(program.function), True
        eager(program.start)
        times = np.empty((WALKS, CALLS, 2))
        for walk in times:
            compiled = jit(value_and_grad(program.function))
            for i, point in enumerate(program.points()):  # by turns: a busy machine slows both
                walk[i, 0], wanted = seconds(eager, point)
                walk[i, 1], found = seconds(compiled, point)
                same &= np.allclose(wanted[1], found[1], rtol=1e-9)
        plain, ours = times.min(axis=0).sum(axis=0)
        is_good &= same and ours <= MOST * plain
        print(f"{name:26}{plain:8.4f}{ours:8.4f}{ours / plain:8.2f}{compiled.n_recordings:12}"
              f"{'' if same else '  other numbers'}", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
