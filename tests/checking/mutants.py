"""How many wrong gradients check_gradients finds, and whether it ever blames a right one.

    python -m tests.checking.mutants                      all mutants, 200 right functions
    python -m tests.checking.mutants --black-box          gradients that refuse Values
    python -m tests.checking.mutants --rules              the engine's own rules are what is wrong
    python -m tests.checking.mutants --examples 100 --every 5

A mutant is the partial of a primitive by one operand, made wrong by a factor or by its sign:
everywhere, for negative operands, beyond 1000, in a window that is a share of the operand's
interval, or in 1% or 0.04% of a square. One that equals the right partial wherever it differs in
writing (0 with another sign) is none. It prints a table: of each kind how many there are, how
many were found and the seconds that it took, and names those that were missed.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import Phase, given, seed, settings

import autograd as ag
from autograd import TABLE, GradientError, Primitive, Value, check_gradients
from autograd.strategies import Expression, expressions

Box = list[tuple[float, float]]

RIGHT = 200  # functions that must not be blamed


@dataclass(frozen=True)
class Mutant:
    """A partial that is wrong in a region.

    Args:
        kind: what is done to it, for the table.
        row: whose partial it is.
        position: by which operand.
        factor: what it is multiplied by.
        region: for each operand the interval within which it is wrong.
        domain: for each operand the interval within which it is checked.
    """

    kind: str
    row: Primitive
    position: int
    factor: float
    region: tuple[tuple[float, float], ...]
    domain: tuple[tuple[float, float], ...]

    @property
    def name(self) -> str:
        return f"{self.row.name} by operand {self.position}"

    def spoils(self, operands: Sequence[Any]) -> bool:
        return all(low < x and x < high
                   for x, (low, high) in zip(operands, self.region, strict=True))

    def gradient(self, *operands: Any) -> Any:
        """Written as by hand, in comparisons that Values can make as well."""
        locals_ = list(partials(self.row, operands))
        if self.spoils(operands):
            locals_[self.position] = locals_[self.position] * self.factor
        return locals_[0] if len(locals_) == 1 else tuple(locals_)

    def black_box(self, *operands: Any) -> Any:
        """The same for floats alone."""
        if any(isinstance(x, Value) for x in operands):
            raise TypeError("floats only")
        return self.gradient(*operands)

    def function(self, *operands: Any) -> Any:
        return call(self.row, operands)

    def differs(self) -> bool:
        """Whether it is wrong anywhere in its region by more than is allowed."""
        source = random.Random(f"{self.name} {self.kind}")
        for _ in range(50):
            point = [source.uniform(max(a, c), min(b, d)) for (a, b), (c, d)
                     in zip(self.region, self.domain, strict=True)]
            local = partials(self.row, point)[self.position]
            if abs(local) > 1e-290 and self.spoils(point):
                return True
        return False

    @contextmanager
    def in_the_table(self) -> Iterator[None]:
        """Inside, the engine's own rule is wrong."""
        right = self.row.partials

        def wrong(*arguments: Any) -> Any:
            local = (right(*arguments) if self.row.arity is None
                     else right[self.position](*arguments))
            if local is None or not self.spoils(arguments[:-1]):
                return local
            if self.row.arity is not None:
                return local * self.factor
            return [item * self.factor if i == self.position else item
                    for i, item in enumerate(local)]

        broken = wrong if self.row.arity is None else tuple(
            wrong if i == self.position else partial for i, partial in enumerate(right))
        object.__setattr__(self.row, "partials", broken)
        try:
            yield
        finally:
            object.__setattr__(self.row, "partials", right)

    def is_found(self, check: Callable[[Mutant], object]) -> bool:
        try:
            check(self)
        except GradientError:
            return True
        return False


def call(row: Primitive, operands: Sequence[Any]) -> Any:
    if row is TABLE["where"]:
        return row(operands[0] > 0.5, *operands[1:])
    return row.apply(tuple(operands))


def partials(row: Primitive, operands: Sequence[Any]) -> list[Any]:
    """The right partials, from the table; 0 for what receives no adjoint."""
    given = [1.0 if operands[0] > 0.5 else 0.0, *operands[1:]] if row.name == "where" else operands
    y = row.apply(tuple(given)) if any(isinstance(x, Value) for x in given) else (
        row.value(*given))
    if row.arity is None:
        found = list(row.partials(*given, y))
    else:
        found = [partial(*given, y) for partial in row.partials]
    return [0.0 if local is None else local for local in found]


def domain_of(row: Primitive, size: float) -> Box:
    """Its safe intervals as far as a size that people draw."""
    intervals = row.safe if row.arity is not None else row.safe * (4 if row.paired else 3)
    return [(max(low, -size), min(high, size)) for low, high in intervals]


def is_flat(row: Primitive, position: int) -> bool:
    """Whether it is constant on both sides of a jump: there is nothing to make wrong."""
    return row.derivative[position:position + 1] == ("0",)


def mutants() -> Iterator[Mutant]:
    """All of them, the same in every run."""
    for row in TABLE.values():
        if row.orders:
            continue
        for position in range(len(domain_of(row, 10.0))):
            if row.name != "where" or position:
                yield from (m for m in _mutants_of(row, position) if m.differs())


def _mutants_of(row: Primitive, position: int) -> Iterator[Mutant]:
    source = random.Random(f"{row.name} {position}")
    near, far = domain_of(row, 10.0), domain_of(row, 1e6)
    everywhere = [(-math.inf, math.inf)] * len(near)

    def only(low: float, high: float) -> tuple[tuple[float, float], ...]:
        return tuple((low, high) if i == position else free for i, free in enumerate(everywhere))

    def mutant(kind: str, factor: float, region: Sequence[tuple[float, float]],
               domain: Box) -> Mutant:
        return Mutant(kind, row, position, factor, tuple(region), tuple(domain))

    def window(share: float, i: int) -> tuple[float, float]:
        low, high = near[i]
        start = source.uniform(low, high - share * (high - low))
        return start, start + share * (high - low)

    for size in (1e-3, 1e-4, 1e-5, 1e-6):
        yield mutant(f"factor 1 + {size:g}", 1.0 + size, everywhere, near)
    if near[position][0] < 0.0:
        yield mutant("sign for x < 0", -1.0, only(-math.inf, 0.0), near)
    if far[position][1] > 2e3:
        yield mutant("sign beyond 1e3", -1.0, only(1e3, math.inf), far)
    for share in (0.1, 0.02, 0.005):
        yield mutant(f"sign in a window of {share:g}", -1.0, only(*window(share, position)), near)
        yield mutant(f"1 + 1e-3 in a window of {share:g}", 1.001,
                     only(*window(share, position)), near)
    if len(near) == 2:
        yield mutant("sign in 1% of the square", -1.0, [window(0.1, 0), window(0.1, 1)], near)
        yield mutant("sign in 0.04% of the square", -1.0, [window(0.02, 0), window(0.02, 1)], near)


# --- right functions ------------------------------------------------------------------------------

@dataclass(frozen=True)
class RightFunction:
    """A function that must not be blamed, where it is checked, and its gradient by hand."""

    name: str
    function: Callable[..., Any]
    domain: Box
    gradient: Callable[..., Any] | None


# Defined everywhere, so that no expression leaves its domain anywhere in a box.
TOTAL = ["add", "sub", "mul", "sin", "cos", "tanh", "sigmoid", "softplus", "atan", "relu", "abs",
         "maximum", "minimum", "hypot", "gaussian", "erf", "logaddexp", "asinh"]


def right_functions(count: int = RIGHT) -> list[RightFunction]:
    """Random expressions, every second with the engine's gradient as if written by hand."""
    found: list[Expression] = []

    @seed(1)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    @given(expressions(n_inputs=2, max_nodes=9, primitives=TOTAL))
    def collect(expression: Expression) -> None:
        found.append(expression)

    collect()
    return [*BY_HAND, *(
        RightFunction(repr(expression), expression.function, [(-3.0, 3.0)] * 2,
                      ag.grad(expression.function, argnums=(0, 1)) if number % 2 else None)
        for number, expression in enumerate(found[:count - len(BY_HAND)]))]


def _leaky(x: Any) -> Any:
    return ag.relu(x - 0.25) - 0.1 * ag.relu(0.25 - x)


def _leaky_slope(x: float) -> float:
    return 1.0 if x > 0.25 else 0.1


BY_HAND = [
    RightFunction("sin(1e12 x)", lambda x: ag.sin(1e12 * x), [(-10.0, 10.0)], None),
    RightFunction("sin(1e12 x) by hand", lambda x: ag.sin(1e12 * x), [(-10.0, 10.0)],
                  lambda x: 1e12 * math.cos(1e12 * x)),
    RightFunction("leaky, from a kink at 0.25", _leaky, [(-1.0, 2.0)], _leaky_slope),
    RightFunction("a branch", lambda x: x * x if x > 0.5 else 0.25 * x, [(-1.0, 2.0)],
                  lambda x: 2.0 * x if x > 0.5 else 0.25),
    RightFunction("the larger", lambda x, y: ag.maximum(3.0 * x, y * y), [(-2.0, 2.0)] * 2,
                  lambda x, y: (3.0, 0.0) if 3.0 * x > y * y else (0.0, 2.0 * y)),
    RightFunction("a clipped square", lambda x: ag.minimum(x * x, 1.0), [(-3.0, 3.0)],
                  lambda x: 2.0 * x if x * x < 1.0 else 0.0),
    RightFunction("Huber's loss", lambda x: 0.5 * x * x if abs(x) <= 1.0 else abs(x) - 0.5,
                  [(-5.0, 5.0)], lambda x: x if abs(x) <= 1.0 else math.copysign(1.0, x)),
    RightFunction("hinge, by NumPy", lambda x, y: ag.relu(1.0 - x * y), [(-3.0, 3.0)] * 2,
                  lambda x, y: (float(np.where(x * y < 1.0, -y, 0.0)),
                                float(np.where(x * y < 1.0, -x, 0.0)))),
]


# --- the table ------------------------------------------------------------------------------------

def checks(examples: int) -> dict[str, Callable[[Mutant], object]]:
    """The ways to check a mutant, by the name of the command's option."""
    def by_hand(mutant: Mutant) -> object:
        return check_gradients(mutant.function, list(mutant.domain), gradient=mutant.gradient,
                               max_examples=examples)

    def black_box(mutant: Mutant) -> object:
        return check_gradients(mutant.function, list(mutant.domain), gradient=mutant.black_box,
                               max_examples=examples)

    def rules(mutant: Mutant) -> object:
        with mutant.in_the_table():
            return check_gradients(mutant.function, list(mutant.domain),
                                   max_examples=examples)

    return {"by_hand": by_hand, "black_box": black_box, "rules": rules}


def hunt(way: str, examples: int, every: int) -> None:
    """Check the mutants, every one or every so many, and print the table."""
    check = checks(examples)[way]
    table: dict[str, list[tuple[Mutant, bool, float]]] = {}
    for mutant in list(mutants())[::every]:
        start = time.perf_counter()
        found = mutant.is_found(check)
        table.setdefault(mutant.kind, []).append((mutant, found, time.perf_counter() - start))
    print(f"{'mutants: ' + way:<30}{'count':>6}{'found':>7}{'':>8}{'seconds':>9}")
    for kind, rows in sorted(table.items()):
        found_ones = sum(found for _, found, _ in rows)
        print(f"{kind:<30}{len(rows):>6}{found_ones:>7}{found_ones / len(rows):>8.1%}"
              f"{sum(seconds for *_, seconds in rows):>9.1f}", flush=True)
    for kind, rows in sorted(table.items()):
        missed = [mutant.name for mutant, found, _ in rows if not found]
        if missed:
            print(f"missed: {kind}: {', '.join(missed)}")


def false_alarms(examples: int, every: int) -> list[str]:
    """The right functions that were blamed."""
    return [f"{right.name}\n{error}" for right in right_functions()[::every]
            if (error := _blame(right, examples)) is not None]


def _blame(right: RightFunction, examples: int) -> GradientError | None:
    try:
        check_gradients(right.function, right.domain, gradient=right.gradient,
                        max_examples=examples)
    except GradientError as error:
        return error
    return None


def main() -> None:
    """The command: see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m tests.checking.mutants")
    parser.add_argument("--examples", type=int, default=2000, help="points (default 2000)")
    parser.add_argument("--every", type=int, default=1, help="only every so many mutants")
    parser.add_argument("--black-box", action="store_true", help="gradients refuse Values")
    parser.add_argument("--rules", action="store_true", help="the engine's rules are wrong")
    parser.add_argument("--right", action="store_true", help="only the right functions")
    options = parser.parse_args()
    if not options.right:
        way = "black_box" if options.black_box else "rules" if options.rules else "by_hand"
        hunt(way, options.examples, options.every)
    blamed = false_alarms(options.examples, options.every)
    print(f"right functions: {len(right_functions()[::options.every])}, blamed: {len(blamed)}")
    for name in blamed:
        print(name)


if __name__ == "__main__":
    main()
