"""What is measured: each benchmark's data, who takes part, and what is aimed at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from nn.datasets import moons

from .peers.formulas import SMALL

OURS = "chainrule"
IN_JAX = "chainrule_in_jax"  # we, with the back end jax
OUR_OWN = (OURS, IN_JAX)  # they run in the running environment
AS_CASADI = (("casadi", 2.0),)  # the first result at least half as quickly
Data = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A row of a table: whose code runs, and which of its functions.

    Args:
        peer: the name of the file in peers/.
        function: what it calls the benchmark, if not by its name.
        note: what to write behind the peer's name.
    """

    peer: str
    function: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """What the table calls it."""
        return f"{self.peer}, {self.note}" if self.note else self.peer


@dataclass(frozen=True)
class Benchmark:
    """One table.

    Args:
        name: what the command line calls it.
        title: what one unit is.
        data: makes the numbers that everybody is given.
        entries: who takes part, we first.
        tolerance: how far results may differ, relative to the largest number of their group.
        most: the seconds a unit may take us.
        first: the seconds our first result may take, compiling included.
        ratios: how many times as long the named peers are to take at least.
        firsts: how many times as long as that of the named peers our first result may take.
        accuracy: the share of held-out rows to be answered rightly.
    """

    name: str
    title: str
    data: Callable[[], Data]
    entries: tuple[Entry, ...]
    tolerance: float = 1e-9
    most: float | None = None
    first: float | None = None
    ratios: tuple[tuple[str, float], ...] = ()
    firsts: tuple[tuple[str, float], ...] = ()
    accuracy: float | None = None


def _weights(sizes: list[int], seed: int) -> Data:
    """Weights of an MLP, normal with the variance 2 / inputs that suits relu, and biases 0."""
    generator = np.random.default_rng(seed)
    data: Data = {}
    for i, (nin, nout) in enumerate(pairwise(sizes), 1):
        data[f"W{i}"] = generator.normal(0.0, np.sqrt(2.0 / nin), (nout, nin))
        data[f"b{i}"] = np.zeros(nout)
    return data


def _moons() -> Data:
    X, y = moons(100, noise=0.1, seed=1)
    return {"X": X, "y": y, "l2": 1e-4, "learning_rate": 0.1, **_weights([2, 16, 16, 1], 1)}


def _rosenbrock() -> Data:
    return {"x": np.random.default_rng(0).uniform(-1.5, 1.5, 50)}


def _pendulum(steps: int) -> Data:
    return {"x": np.array([1.2, 0.3, 9.81, 0.15]), "steps": steps, "dt": 0.01}


def black_scholes_rows(n: int) -> Data:
    """Spots, strikes, years, rates and volatilities."""
    generator = np.random.default_rng(0)
    low, high = np.array([[50.0, 50.0, 0.1, 0.0, 0.1], [150.0, 150.0, 3.0, 0.08, 0.6]])
    return {"x": np.ascontiguousarray(generator.uniform(low, high, (n, 5)).T)}


def _orders(rows: int, epochs: int) -> Any:
    """As fit shuffles with seed 0."""
    shuffler = np.random.default_rng(0)
    return np.stack([shuffler.permutation(rows) for _ in range(epochs)])


def _digits() -> Data:
    from sklearn.datasets import load_digits  # of all benchmarks only this one needs it

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    X, y = images[order] / 16.0, labels[order]
    rows, batch_size, epochs = 1440, 32, 30  # 45 whole batches; the last 357 rows are held out
    return {"X": X[:rows], "y": y[:rows], "X_test": X[rows:], "y_test": y[rows:],
            "batch_size": batch_size, "learning_rate": 3e-3,
            "orders": _orders(rows, epochs), "sizes": [64, 32, 10], **_weights([64, 32, 10], 2)}


def network_rows(sizes: list[int], rows: int, epochs: int) -> Data:
    """Rows that a network of the same shape has labelled, in shuffled epochs."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(rows, sizes[0]))
    teacher, Z = _weights(sizes, 1), X
    for i in range(1, len(sizes)):
        Z = (np.maximum(Z, 0.0) if i > 1 else Z) @ teacher[f"W{i}"].T
    return {"X": X, "y": Z.argmax(axis=1), "batch_size": 32, "learning_rate": 1e-3,
            "orders": _orders(rows, epochs), "sizes": sizes, **_weights(sizes, 2)}


def _networks() -> Iterator[Benchmark]:
    for sizes in ([64, 128, 64, 10], [256, 256, 10], [784, 128, 10], [784, 512, 256, 10]):
        name = "-".join(map(str, sizes))
        yield Benchmark(
            name, f"an epoch: 1,440 rows, MLP {name} (relu), cross-entropy, Adam, batches of 32",
            partial(network_rows, sizes, 1440, 3),
            (Entry(OURS, "digits", "fit"), Entry("jax", "digits", "lax.scan"),
             Entry("torch", "digits")), tolerance=1e-6, ratios=(("jax", 1.0), ("torch", 1.0)))


def _in_jax() -> Iterator[Benchmark]:
    """Our back end jax beside the same thing written by hand in JAX."""
    for name, title, data, tolerance in (
            ("digits", "an epoch of digits", _digits, 1e-6),
            ("black_scholes", "Black-Scholes price and its 5 derivatives over 100,000 rows",
             partial(black_scholes_rows, 100_000), 1e-9),
            ("pendulum", "the derivatives of a damped pendulum, 200 steps of RK4",
             lambda: _pendulum(200), 1e-9)):
        yield Benchmark(f"{name}_in_jax", f"{title}, by XLA: the back end jax, and JAX by hand",
                        data, (Entry(IN_JAX, name), Entry("jax", name, "by hand")), tolerance,
                        ratios=(("jax", 1 / 1.2),))


def _small(name: str) -> Data:
    _, n = SMALL[name]
    return {"name": name, "x": np.random.default_rng(0).uniform(0.2, 1.5, n)}


def _small_functions() -> Iterator[Benchmark]:
    for name, (_, n) in SMALL.items():
        method = (Entry(OURS, "rastrigin_method", "a method"),) if name == "rastrigin" else ()
        yield Benchmark(
            name, f"value and gradient of {name.replace('_', ' ')} in {n} variables",
            partial(_small, name),
            (Entry(OURS, "small"), *method, Entry("casadi", "small"),
             Entry("casadi", "small_buffers", "buffers"), Entry("jax", "small")),
            firsts=AS_CASADI)


def _mixture(n: int) -> Data:
    generator = np.random.default_rng(0)
    d, k = 4, 5
    return {"X": generator.normal(size=(n, d)), "alphas": generator.normal(size=k),
            "means": generator.normal(size=(k, d)),
            "icf": generator.normal(size=(k, d + d * (d - 1) // 2))}


BENCHMARKS = {benchmark.name: benchmark for benchmark in (
    Benchmark(
        "moons", "a training step: 100 rows, MLP 2-16-16-1 (relu), hinge loss, L2, SGD", _moons,
        (Entry(OURS, note="fit"), Entry("jax", note="100 steps in lax.scan"),
         Entry("numpy", note="by hand"), Entry("torch"), Entry("autograd"), Entry("micrograd")),
        most=20e-6, ratios=(("jax", 1.0), ("torch", 40.0), ("micrograd", 50_000.0))),
    Benchmark(
        "rosenbrock", "value and gradient of Rosenbrock's function in 50 variables, a plain sum",
        _rosenbrock,
        (Entry(OURS), Entry("casadi"), Entry("casadi", "rosenbrock_buffers", "buffers"),
         Entry("jax"), Entry("jax", "rosenbrock_arrays", "rewritten on arrays"), Entry("xad"),
         Entry("autograd"), Entry("torch"), Entry("micrograd")),
        most=10e-6, first=0.5, firsts=AS_CASADI),
    Benchmark(
        "pendulum", "d theta(T) by theta(0), omega(0), k, c: a damped pendulum, 200 steps of RK4",
        lambda: _pendulum(200),
        (Entry(OURS), Entry("casadi"), Entry("casadi", "pendulum_buffers", "buffers"),
         Entry("jax", note="lax.scan"), Entry("numpy", note="complex steps"), Entry("xad"),
         Entry("torch")),
        most=40e-6, first=1.0, firsts=AS_CASADI),
    Benchmark(
        "pendulum_long", "the derivatives of a damped pendulum, 20,000 steps",
        lambda: _pendulum(20_000),
        (Entry(OURS), Entry("numpy", note="complex steps")), tolerance=1e-8, first=10.0),
    *(Benchmark(
        name, f"Black-Scholes price and its 5 derivatives over {n:,} rows",
        partial(black_scholes_rows, n),
        (Entry(OURS, "black_scholes"), *(Entry(peer, "black_scholes") for peer in peers),
         *([Entry("casadi", "black_scholes", "map")] if most else [])),
        most=most, ratios=(("jax", 1.0),)) for name, n, peers, most in (
            ("black_scholes", 100_000, ("jax", "torch", "autograd"), 6e-3),
            ("black_scholes_few", 1_000, ("jax", "torch", "autograd"), None),
            ("black_scholes_many", 2_000_000, ("jax", "torch"), None))),
    Benchmark(
        "digits", "an epoch: 1,440 digits, MLP 64-32-10 (relu), cross-entropy, Adam, batches of 32",
        _digits, (Entry(OURS, note="fit"), Entry("jax", note="lax.scan"), Entry("torch")),
        tolerance=1e-6, first=3.0, ratios=(("jax", 0.5),), accuracy=0.97),
    *_networks(), *_small_functions(), *_in_jax(),
    *(Benchmark(
        f"mixture_{n}", "the log likelihood of a Gaussian mixture and its gradient: ADBench's GMM, "
        f"{n:,} points, d = 4, k = 5", partial(_mixture, n),
        (Entry(OURS, "mixture"), Entry("jax", "mixture", "rewritten on arrays")),
        first=5.0, ratios=(("jax", 1.0),)) for n in (100, 1000)),
)}
