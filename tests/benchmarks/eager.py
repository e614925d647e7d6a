"""Times the engine against micrograd 0.1.0, side by side in one run.

    python -m tests.benchmarks.eager

Both run the same code; only the classes differ. micrograd is taken from the running environment,
or else installed into a throw-away virtual environment (this needs the network once).
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograd import Value
from nn import MLP
from nn.datasets import moons

REPEATS = 1000  # of the plain expression: about 25,000 operations
TARGETS = {"training step": 40.0, "plain expression": 10.0}


def training_step(value: Any, mlp: Any) -> Callable[[], Any]:
    """One full step of micrograd's demo: forward, loss, backward, update."""
    random.seed(1337)
    X, y = moons(100, noise=0.1, seed=1)
    y = y.astype(int)  # NumPy rows and labels, as the demo has them
    model = mlp(2, [16, 16, 1])

    def step() -> Any:
        inputs = [list(map(value, row)) for row in X]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * si).relu() for yi, si in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        alpha = 1e-4
        total = data_loss + alpha * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= 0.01 * p.grad
        return total.data

    return step


def plain_expression(value: Any, mlp: Any) -> Callable[[], Any]:
    """The arithmetic of micrograd's README, a node for every operation, again and again."""

    def expression() -> Any:
        terms = []
        for k in range(REPEATS):
            a, b = value(-4.0 + 0.001 * k), value(2.0)
            c = a + b
            d = a * b + b**3
            c = c + c + 1
            c = c + 1 + c + (-a)
            d = d + d * 2 + (b + a).relu()
            d = d + 3 * d + (b - a).relu()
            e = c - d
            f = e**2
            g = f / 2.0
            g = g + 10.0 / f
            terms.append(g)
        while len(terms) > 1:  # pairwise: micrograd recurses, a long chain would stop it
            terms = [left + right for left, right in zip(terms[::2], terms[1::2], strict=False)
                     ] + terms[len(terms) // 2 * 2:]
        terms[0].backward()
        return a.grad

    return expression


WORK = {"training step": training_step, "plain expression": plain_expression}


@contextmanager
def _micrograd() -> Iterator[tuple[Any, Any]]:
    """micrograd's Value and MLP, from here or from a throw-away environment."""
    if importlib.util.find_spec("micrograd") is not None:
        yield _classes()
        return
    with tempfile.TemporaryDirectory() as folder:
        print("installing micrograd 0.1.0 into a throw-away environment ...", flush=True)
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "micrograd==0.1.0"],
                       check=True)
        where = subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            check=True, capture_output=True, text=True).stdout.strip()
        sys.path.append(where)
        try:
            importlib.invalidate_caches()
            yield _classes()
        finally:
            sys.path.remove(where)


def _classes() -> tuple[Any, Any]:
    return (importlib.import_module("micrograd.engine").Value,
            importlib.import_module("micrograd.nn").MLP)


def seconds(work: Callable[[], Any], calls: int) -> float:
    """The time of one of several calls in a row, the garbage collector's work included."""
    gc.collect()
    began = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - began) / calls


def compare(name: str, theirs: tuple[Any, Any], repetitions: int) -> tuple[float, float]:
    """Median seconds (micrograd, ours) over alternating repetitions.

    Raises:
        AssertionError: when the two do not compute the same number.
    """
    peer, own = WORK[name](*theirs), WORK[name](Value, MLP)
    expected, found = peer(), own()
    if abs(expected - found) > 1e-9 * abs(expected):
        raise AssertionError(f"{name}: micrograd computes {expected!r}, the engine {found!r}")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repetitions):
        times[0].append(seconds(peer, 3))
        times[1].append(seconds(own, 10))
    return statistics.median(times[0]), statistics.median(times[1])


def main() -> None:
    """Print a table of times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N")
    repetitions = parser.parse_args().repetitions
    print(f"Python {sys.version.split()[0]}, medians of {repetitions} alternating repetitions\n")
    with _micrograd() as theirs:
        print(f"{'':18}{'micrograd 0.1.0':>17}{'chainrule':>13}{'ratio':>9}{'target':>9}")
        for name in WORK:
            peer, own = compare(name, theirs, repetitions)
            print(f"{name:18}{peer * 1e3:14.1f} ms{own * 1e3:10.2f} ms{peer / own:8.1f}x"
                  f"{TARGETS[name]:8.0f}x", flush=True)


if __name__ == "__main__":
    main()
