"""The worst errors of the library's rows on every back end, measured: a table in Markdown.

::

    python -m tests.special.worst_errors --points 1000 [--rows jv yv] [--backends numpy llvm]

Units in the last place of the value and of its first two derivatives, or where they pass through 0
of what they are made of there, as ``test_accuracy`` says for each row.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np

from autograd import jit, vmap

from .test_accuracy import CASES, Point, derivative, drawn, mp, row_of, size_of_error

EAGER = "eager"


def given_by(f: Callable[..., Any], orders: int, backend: str,
             points: Sequence[Point]) -> list[float]:
    """What a back end gives at points; nan where it is beyond the floats."""
    if backend == EAGER:
        return [_or_nan(f, point) for point in points]
    found = [math.nan] * len(points)
    for fixed in {point[:orders] for point in points}:
        places = [i for i, point in enumerate(points) if point[:orders] == fixed]
        columns = np.array([points[i][orders:] for i in places]).T
        try:
            given = vmap(lambda *xs, fixed=fixed: f(*fixed, *xs), backend=backend)(*columns)
        except OverflowError:  # of one of them: each by itself
            replayed = jit(lambda *xs, fixed=fixed: f(*fixed, *xs), backend=backend)
            given = [_or_nan(replayed, point) for point in columns.T.tolist()]
        for i, number in zip(places, given, strict=True):
            found[i] = float(number)
    return found


def _or_nan(f: Callable[..., Any], point: Sequence[float]) -> float:
    try:
        return float(f(*point))
    except OverflowError:
        return math.nan


def worst(name: str, order: int, backends: Sequence[str],
          points: Sequence[Point]) -> tuple[dict[str, float], int]:
    """For each back end the largest error; and how many points were compared."""
    case, row = CASES[name], row_of(name)
    truths = [case.truths[order](*map(mp.mpf, point)) for point in points]
    kept = [(point, truth) for point, truth in zip(points, truths, strict=True)
            if 1e-290 < abs(truth) < 1e300]
    f = derivative(row, order, case.by)
    largest = {}
    for backend in backends:
        numbers = given_by(f, row.orders, backend, [point for point, _ in kept])
        off = [size_of_error(name, order, point, number, truth)
               for (point, truth), number in zip(kept, numbers, strict=True) if number == number]
        largest[backend] = max(off, default=math.nan)
        if off and largest[backend] > case.most[order]:
            place = kept[[x == x for x in numbers].index(True) if len(off) < len(kept)
                         else off.index(largest[backend])][0]
            print(f"{name}, order {order}, {backend}: {largest[backend]:.4g} is beyond "
                  f"{case.most[order]:g} at {place}", file=sys.stderr)
    return largest, len(kept)


def line(name: str, count: int, backends: Sequence[str]) -> str:
    """A line of the table: of all back ends together, for they differ by little."""
    points, cells, fewest = drawn(name, count), [], count
    for order in range(3):
        if order not in CASES[name].orders:
            cells.append("")
            continue
        largest, compared = worst(name, order, backends, points)
        fewest = min(fewest, compared)
        cells.append(f"{max(largest.values()):.2g}")
    return f"| {name} | {' | '.join(cells)} | {fewest} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.special.worst_errors",
                                     description=str(__doc__).split("\n", maxsplit=1)[0])
    parser.add_argument("--points", type=int, default=1000, help="how many of each row")
    parser.add_argument("--rows", nargs="*", default=list(CASES), help="of which rows")
    parser.add_argument("--backends", nargs="*", default=[EAGER, "python", "numpy", "llvm"])
    chosen = parser.parse_args(arguments)
    print(f"Worst errors on {', '.join(chosen.backends)}, mpmath {mpmath.__version__}.\n")
    print("| row | value | first | second | points |\n|---|---|---|---|---|")
    for name in chosen.rows:
        print(line(name, chosen.points, chosen.backends), flush=True)


if __name__ == "__main__":
    main()
