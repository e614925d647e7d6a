"""Collections of test functions, in the style of NumPy: SciPy's, and those of Moré and Wild."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from autograd import adopt

from .documented import quiet
from .judging import Outcome, judged

N_PROBLEMS = 53  # of Moré and Wild, "Benchmarking derivative-free optimization algorithms" (2009)


def scipy_functions() -> Iterator[Outcome]:
    """SciPy's global optimisation functions, at a point inside of their bounds."""
    module = "benchmarks.go_benchmark_functions"
    with quiet():
        plain = importlib.import_module(module)
        ours = adopt(module)
    for name, kind in sorted(vars(plain).items()):
        if not (inspect.isclass(kind) and issubclass(kind, plain.go_benchmark.Benchmark)
                and kind is not plain.go_benchmark.Benchmark):
            continue
        try:
            with quiet():
                first, second = kind(), getattr(ours, name)()
        except Exception:  # an abstract base of several problems
            continue
        bounds = np.array(first.bounds, dtype=float)
        share = np.random.default_rng(0).uniform(0.2, 0.8, len(bounds))
        point = (bounds[:, 0] + share * (bounds[:, 1] - bounds[:, 0])).tolist()
        with quiet():
            run = _seeded if _draws(first, point) else _called
            outcome = judged(name, lambda x, f=first, run=run: run(f, np.array(x)),
                             lambda x, f=second, run=run: run(f, np.asanyarray(x)), point,
                             ignore=("nfev",))
        yield outcome


def _called(problem: Any, x: Any) -> Any:
    return problem.fun(x)


def _seeded(problem: Any, x: Any) -> Any:
    np.random.seed(0)
    return problem.fun(x)


def _draws(problem: Any, point: list[float]) -> bool:
    """Whether a function draws random numbers."""
    first, second = (problem.fun(np.array(point)) for _ in range(2))
    return bool(first != second)


def least_squares() -> Iterator[Outcome]:
    """The problems of Moré and Wild, as sums of squares at their standard starting points."""
    with quiet():
        plain, starts = importlib.import_module("dfovec"), importlib.import_module("dfoxs")
        ours = adopt("dfovec")
    for row, (number, n, m, exponent) in enumerate(PROBLEMS):
        start = np.asarray(starts.dfoxs(n, number, 10.0**exponent), dtype=float)
        # Off the start, where some residuals are 0 and others on a kink.
        point = (start + 0.01 * (1.0 + np.abs(start)) * np.cos(np.arange(n) + 1.0)).tolist()
        with quiet():
            outcome = judged(
                f"{number} (row {row + 1})",
                partial(_sum_of_squares, plain.dfovec, m, n, number),
                partial(_sum_of_squares, ours.dfovec, m, n, number),
                point)
        yield outcome


def _sum_of_squares(residuals: Any, m: int, n: int, number: int, x: Any) -> Any:
    return np.sum(residuals(m, n, np.asanyarray(x), number) ** 2)


# Of each problem its number, its variables, its residuals and the exponent of the start's factor:
# table 1 of that paper.
PROBLEMS = (
    (1, 9, 45, 0), (1, 9, 45, 1), (2, 7, 35, 0), (2, 7, 35, 1), (3, 7, 35, 0), (3, 7, 35, 1),
    (4, 2, 2, 0), (4, 2, 2, 1), (5, 3, 3, 0), (5, 3, 3, 1), (6, 4, 4, 0), (6, 4, 4, 1),
    (7, 2, 2, 0), (7, 2, 2, 1), (8, 3, 15, 0), (8, 3, 15, 1), (9, 4, 11, 0), (10, 3, 16, 0),
    (11, 6, 31, 0), (11, 6, 31, 1), (11, 9, 31, 0), (11, 9, 31, 1), (11, 12, 31, 0),
    (11, 12, 31, 1), (12, 3, 10, 0), (13, 2, 10, 0), (14, 4, 20, 0), (14, 4, 20, 1), (15, 6, 6, 0),
    (15, 7, 7, 0), (15, 8, 8, 0), (15, 9, 9, 0), (15, 10, 10, 0), (15, 11, 11, 0), (16, 10, 10, 0),
    (17, 5, 33, 0), (18, 11, 65, 0), (18, 11, 65, 1), (19, 8, 8, 0), (19, 10, 12, 0),
    (19, 11, 14, 0), (19, 12, 16, 0), (20, 5, 5, 0), (20, 6, 6, 0), (20, 8, 8, 0), (21, 5, 5, 0),
    (21, 5, 5, 1), (21, 8, 8, 0), (21, 10, 10, 0), (21, 12, 12, 0), (21, 12, 12, 1), (22, 8, 8, 0),
    (22, 8, 8, 1))
assert len(PROBLEMS) == N_PROBLEMS
