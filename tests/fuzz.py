"""Random programs through everything: ``python -m tests.fuzz --minutes 10``.

Each program is a Python function of a few numbers with operations of the table, branches and loops.
At random points the engine's gradient is held against 100-digit arithmetic (``gradcheck``), then
every back end, at a point and in rows, every transform, and threads that share the compiled
functions, against the engine. What a disagreement needs to be repeated is printed: the program, its
point, the seed.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

import autograd as ag
from autograd import (
    TABLE,
    GradientError,
    grad,
    gradcheck,
    hessian,
    hvp,
    jit,
    jvp,
    value_and_grad,
    vmap,
)
from autograd.compiler.backends import NAMES
from autograd.core.primitives import DOMAIN_ERRORS, Primitive

RTOL = 1e-9  # of compiled code against the engine, where the gradient check says it is well posed
OPERATIONS = [row for row in TABLE.values()
              if row.arity in (1, 2) and not row.orders and row.name != "identity"
              and set(row.derivative) != {"0"}]
N_ARY = [TABLE[name] for name in ("sum", "norm", "logsumexp", "prod")]


# --- programs -------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Apply:
    """A new variable: an operation on earlier ones and constants."""

    row: Primitive
    operands: tuple[int | float, ...]


@dataclass(frozen=True)
class Branch:
    """A new variable: the result of one of two blocks."""

    left: int
    relation: str
    right: int | float
    blocks: tuple[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Loop:
    """A new variable: one that is changed again and again, up to a count or until it is large."""

    start: int
    count: int
    bound: float
    block: tuple[Any, ...]


RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, ">": lambda a, b: a > b}


@dataclass(frozen=True)
class Program:
    """A function of n numbers, as data; call it with floats or Values."""

    n: int
    statements: tuple[Any, ...]

    def __call__(self, *inputs: Any) -> Any:
        return self._run(self.statements, list(inputs))

    def _run(self, statements: Sequence[Any], variables: list[Any]) -> Any:
        def number(x: int | float) -> Any:
            return variables[x] if isinstance(x, int) else x

        for s in statements:
            if isinstance(s, Apply):
                variables.append(s.row.apply(tuple(map(number, s.operands))))
            elif isinstance(s, Branch):
                taken = RELATIONS[s.relation](number(s.left), number(s.right))
                variables.append(self._run(s.blocks[0 if taken else 1], variables.copy()))
            else:
                current = variables[s.start]
                for _ in range(s.count):
                    if abs(current) > s.bound:
                        break
                    current = self._run(s.block, [*variables, current])
                variables.append(current)
        return variables[-1]


def drawn(source: random.Random) -> Program:
    """A random program."""
    n = source.randint(1, 3)
    return Program(n, _block(source, n, source.randint(2, 9), 0))


def _block(source: random.Random, known: int, length: int, depth: int) -> tuple[Any, ...]:
    statements = []
    for i in range(length):
        statements.append(_statement(source, known + i, depth))
    return tuple(statements)


def _statement(source: random.Random, known: int, depth: int) -> Any:
    def operand() -> int | float:
        if source.random() < 0.2:
            return round(source.uniform(-3.0, 3.0), 2)
        return source.randrange(known) if source.random() < 0.5 else known - 1

    kind = source.random() if depth < 2 else 0.0
    if kind < 0.75:
        if source.random() < 0.1:
            return Apply(source.choice(N_ARY), tuple(operand() for _ in range(3)))
        row = source.choice(OPERATIONS)
        first = source.randrange(known) if source.random() < 0.4 else known - 1
        return Apply(row, (first, *(operand() for _ in range((row.arity or 1) - 1))))
    if kind < 0.9:
        return Branch(source.randrange(known), source.choice(list(RELATIONS)), operand(),
                      (_block(source, known, source.randint(1, 3), depth + 1),
                       _block(source, known, source.randint(1, 3), depth + 1)))
    return Loop(source.randrange(known), source.randint(1, 12), source.choice((2.0, 10.0, 1e6)),
                _block(source, known + 1, source.randint(1, 2), depth + 1))


# --- what is compared -----------------------------------------------------------------------------

@dataclass
class Findings:
    """What was done, and what disagreed."""

    counts: Counter[str] = field(default_factory=Counter)
    disagreements: list[str] = field(default_factory=list)

    def compare(self, what: str, given: Any, expected: Any, case: str) -> None:
        self.counts[what] += 1
        if not _agree(given, expected):
            self.disagreements.append(f"{what}: {given!r}, not {expected!r}\n  {case}")


def _agree(given: Any, expected: Any) -> bool:
    a, b = np.asarray(given, dtype=float).ravel(), np.asarray(expected, dtype=float).ravel()
    size = float(np.max(np.abs(b), initial=0.01))  # what cancels to less is rounding
    return a.shape == b.shape and bool(np.all(
        (np.abs(a - b) <= RTOL * np.abs(b) + 1e-12 * size + 1e-300) | (a == b)
        | (np.isnan(a) & np.isnan(b))))


def well_posed(program: Program, point: Sequence[float], findings: Findings) -> bool:
    """Whether the engine is right there, and rounding hardly matters; a wrong gradient is noted."""
    try:
        report = gradcheck(program, *point)
        shifted = [x * (1.0 + 1e-13) for x in point]
        slopes = [value_and_grad(program, tuple(range(program.n)))(*p) for p in (point, shifted)]
    except DOMAIN_ERRORS:
        findings.counts["points outside a domain"] += 1
        return False
    except GradientError as error:
        findings.counts["gradients against high precision"] += 1
        findings.disagreements.append(f"{error}\n  {program} at {point}")
        return False
    findings.counts["gradients against high precision"] += report.checked
    (a, da), (b, db) = slopes
    numbers = [a, *da]
    smooth = all(math.isfinite(x) for x in numbers) and _close([b, *db], numbers)
    if not smooth or report.skipped or report.unknown:
        findings.counts["points at kinks, or where rounding is magnified"] += 1
        return False
    return True


def _close(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(abs(x - y) <= 1e-11 * abs(y) for x, y in zip(a, b, strict=True))


def examine(program: Program, points: Sequence[Sequence[float]], findings: Findings) -> None:
    """All back ends and transforms at the points, one function compiled for all of them."""
    every = tuple(range(program.n))
    engine = value_and_grad(program, every)
    good = [point for point in points if well_posed(program, point, findings)]
    if not good:
        return
    case = f"{program}"
    for name in NAMES:
        if name == "jax":  # XLA takes seconds for each program
            continue
        compiled = jit(engine, backend=name)
        rows = vmap(engine, backend=name)
        for point in good:
            value, slope = engine(*point)
            given, slopes = compiled(*point)
            findings.compare(f"jit on {name}", [given, *slopes], [value, *slope],
                             f"{case} at {point}")
        columns = [np.array(column) for column in zip(*good, strict=True)]
        values, slopes = rows(*columns)
        expected = [engine(*point) for point in good]
        findings.compare(f"vmap on {name}", [values, *slopes],
                         [[e[0] for e in expected],
                          *[[e[1][i] for e in expected] for i in every]], f"{case} at {good}")
    _transforms(program, good[0], findings, f"{case} at {good[0]}")


def _transforms(program: Program, point: Sequence[float], findings: Findings, case: str) -> None:
    every, ones = tuple(range(program.n)), tuple(1.0 for _ in point)
    try:
        _, slopes = value_and_grad(program, every)(*point)
        matrix = hessian(program, every)(*point)
    except DOMAIN_ERRORS:
        return
    findings.compare("jvp", jvp(program, tuple(point), ones)[1], math.fsum(slopes), case)
    product = [math.fsum(row) for row in matrix]
    if all(map(math.isfinite, product)):
        findings.compare("hvp", hvp(program, tuple(point), ones), product, case)
        findings.compare("compiled hessian", jit(hessian(program, every))(*point), matrix, case)
    findings.compare("grad of jit", grad(jit(program), every)(*point), slopes, case)


def in_threads(program: Program, points: Sequence[Sequence[float]], findings: Findings) -> None:
    """Threads that share compiled functions, beside others that predict and check.

    What one thread alone computes is what they have to: where rounding is magnified as well.
    """
    engine = value_and_grad(program, tuple(range(program.n)))
    alone = jit(engine)
    try:
        expected = [alone(*point) for point in points]
    except DOMAIN_ERRORS:
        return
    compiled, barrier = jit(engine), threading.Barrier(4)

    def call(shift: int) -> list[Any]:
        barrier.wait()
        turned = [(i + shift) % len(points) for i in range(len(points))]
        with ag.no_grad() if shift % 2 else ag.name_scope("thread"):
            results = {i: compiled(*points[i]) for i in turned}
        return [results[i] for i in range(len(points))]

    with ThreadPoolExecutor(4) as pool:
        for results in pool.map(call, range(4)):
            for given, right, point in zip(results, expected, points, strict=True):
                findings.compare("jit in threads", [given[0], *given[1]], [right[0], *right[1]],
                                 f"{program} at {point}")


# --- the command ----------------------------------------------------------------------------------

def run(seed: int, enough: Callable[[int], bool]) -> Findings:
    """Draw and examine programs.

    Args:
        seed: the same seed draws the same programs.
        enough: told how many programs were examined, whether to stop; so does Ctrl-C.
    """
    findings, number = Findings(), 0
    with contextlib.suppress(KeyboardInterrupt):
        while not enough(number):
            before = len(findings.disagreements)
            _one(random.Random(f"{seed} {number}"), number % 5 == 0, findings)
            for text in findings.disagreements[before:]:
                tqdm.write(f"\nseed {seed}, program {number}: {text}")
            number += 1
    findings.counts["programs"] = number
    return findings


def _one(source: random.Random, threads: bool, findings: Findings) -> None:
    program = drawn(source)
    points = [[round(source.uniform(-3.0, 3.0), 3) for _ in range(program.n)] for _ in range(6)]
    try:
        examine(program, points, findings)
        if threads:
            in_threads(program, [p for p in points if _is_defined(program, p)], findings)
    except Exception as error:  # of whatever kind: it is a finding, and the search goes on
        findings.disagreements.append(f"{type(error).__name__}: {error}\n  {program}")


def _is_defined(program: Program, point: Sequence[float]) -> bool:
    try:
        grad(program, tuple(range(program.n)))(*point)
    except DOMAIN_ERRORS:
        return False
    return not program_kinks(program, point)


def program_kinks(program: Program, point: Sequence[float]) -> bool:
    """Whether a point sits on a kink, where a compiled function need not take the same side."""
    y = program(*map(ag.Value, point))
    return isinstance(y, ag.Value) and bool(y.kinks())


def _until(seconds: float) -> Callable[[int], bool]:
    """Whether the time is up, with a bar that says how far it is."""
    began, bar = time.monotonic(), tqdm(total=int(seconds), unit="s")

    def enough(number: int) -> bool:
        gone = time.monotonic() - began
        bar.set_postfix_str(f"{number} programs", refresh=False)
        bar.update(min(int(gone), int(seconds)) - bar.n)
        return gone >= seconds

    return enough


def main(given: Sequence[str] | None = None) -> int:
    """The command line; 1 when anything disagreed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz",
                                     description=str(__doc__).splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(given)
    findings = run(options.seed, _until(60.0 * options.minutes))
    for what, count in sorted(findings.counts.items()):
        print(f"{count:>9,}  {what}")
    print(f"{len(findings.disagreements):>9,}  disagreement(s)")
    return 1 if findings.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
