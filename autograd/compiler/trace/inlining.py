"""Inlining: a primitive of the user's own, written out as what its value function computes.

The value of a row is a function of floats. Called on Values, with ``math`` replaced by the rows of
the table, it shows its operations; called at many points, its branches, between which the result
is then chosen. Where the value raises, the result is nan, as everywhere in compiled code.

Like the partials of a row, which are recorded in the same way, the value counts as a function of
its operands alone: what else it reads is a constant.
"""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from autograd.compiler.program.passes import common_subexpressions, dead_code
from autograd.compiler.program.program import Guard, Program, Unsupported, bits_key
from autograd.compiler.program.steps import EITHER, keep
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.on_rows import NotPython, on_rows
from autograd.compiler.trace.tracer import RecordingError, heard
from autograd.core.primitives import DOMAIN_ERRORS, Primitive, lookup
from autograd.core.value import Value, data_of, refusals_apart

MOST_PATHS = 16
MOST_POINTS = 400
SPECIAL = (0.0, -0.0, 1.0, -1.0, 1e-300, -1e-300, 1e300, -1e300, math.inf, -math.inf, math.nan)

Outcomes = tuple[bool, ...]


def inlined(program: Program, ops: Collection[str]) -> Program:
    """The program with some operations written out in others.

    Args:
        program: a program whose operations are rows of the table.
        ops: those to write out.

    Returns:
        A program of the table's other rows and of ``program.steps``.

    Raises:
        Unsupported: when the value of one cannot be written out; the message says why.
    """
    return dead_code(common_subexpressions(_Writer(program, ops).program()))


# --- the ways through a value function ------------------------------------------------------------

@lru_cache(maxsize=256)
def paths(row: Primitive, count: int) -> tuple[Program, ...]:
    """All ways through the value of a row of so many operands.

    Returns:
        A program for each: it gives the result, or nothing where the value raises an error of its
        own. Its guards are the comparisons in the order in which they are met; for any operands
        the guards of exactly one program hold.

    Raises:
        Unsupported: when they cannot be found.
    """
    return _Search(row, count).paths()


class _Search:
    """Calls a value function at many points, until both outcomes of each comparison were met."""

    def __init__(self, row: Primitive, count: int) -> None:
        self.row = row
        try:
            self.value = on_rows(inspect.unwrap(row.value))
        except NotPython as error:
            raise self.refusal(str(error)) from None
        self.waiting = list(points(row, count))
        self.found: dict[Outcomes, Program] = {}

    def refusal(self, why: str) -> Unsupported:
        return Unsupported(f"there is no machine code for {self.row.name}, and its value cannot "
                           f"be written out in other operations: {why}", (self.row.name,))

    def paths(self) -> tuple[Program, ...]:
        tried: set[str] = set()
        while self.waiting and len(tried) < MOST_POINTS:
            point = self.waiting.pop(0)
            if repr(point) not in tried:
                tried.add(repr(point))
                with np.errstate(all="ignore"):  # a value in NumPy's functions warns of nan
                    self._try(point)
        if not self.found:
            raise self.refusal("it raises an error at every point that was tried")
        beginnings = {outcomes[:i] for outcomes in self.found for i in range(len(outcomes) + 1)}
        for outcomes, program in self.found.items():
            for i, guard in enumerate(program.guards):
                if (*outcomes[:i], not outcomes[i]) not in beginnings:
                    raise self.refusal(
                        f"no operands were found for which {program.name(guard.left)} "
                        f"{guard.relation} {program.name(guard.right)} is {not guard.outcome} in\n"
                        f"{program}")
        # A way that ends early for some operands, in an error, is nan there by its operations.
        longest = [outcomes for outcomes in self.found
                   if not any(outcomes == other[:len(outcomes)] and outcomes != other
                              for other in self.found)]
        return tuple(self.found[outcomes] for outcomes in longest)

    def _try(self, point: tuple[float, ...]) -> None:
        """Call it at one point."""
        operands = [Value(x) for x in point]
        returned: list[Any] = []
        with heard() as notes, refusals_apart():
            try:
                returned.append(self.value(*operands))
            except DOMAIN_ERRORS as error:
                if isinstance(error, RecordingError):
                    raise self.refusal(str(error)) from None
                if notes.has_failed:
                    return  # an operation was not defined; that is seen again where it is written
            except (TypeError, AttributeError, NotImplementedError) as error:
                raise self.refusal(str(error)) from None
        if self._overflows(point, returned):
            return
        self._refuse_another_result(point, returned)
        program = common_subexpressions(graph_to_program(returned, operands, notes.comparisons))
        outcomes = tuple(guard.outcome for guard in program.guards)
        if outcomes not in self.found:
            self.found[outcomes] = program
            self.waiting[:0] = boundaries(program, point)
            if len(self.found) > MOST_PATHS:
                raise self.refusal(f"it has more than {MOST_PATHS} branches")
        elif self.found[outcomes] != program:
            raise self.refusal("it computes something else each time")

    def _overflows(self, point: Sequence[float], returned: list[Any]) -> bool:
        """Whether ``**`` is too large, an error of floats, where of Values it is inf."""
        try:
            self.row.value(*point)
        except OverflowError:
            return all(map(math.isfinite, point)) and not all(
                map(math.isfinite, map(data_of, returned)))
        except DOMAIN_ERRORS:
            return False
        return False

    def _refuse_another_result(self, point: Sequence[float], returned: list[Any]) -> None:
        """What is called on Values must compute what it does on floats."""
        numbers = [x._data if x.__class__ is Value else x for x in returned]
        try:
            expected = [self.row.value(*point)]
        except OverflowError:  # of floats ** raises, of Values it is inf, as * of both is
            is_power = all(map(math.isfinite, point))  # and not int(math.inf)
            expected = [x for x in numbers if math.isinf(x)] if is_power else []
        except DOMAIN_ERRORS:
            expected = []
        if len(numbers) != len(expected) or not all(map(_is_same, numbers, expected)):
            raise self.refusal(f"of the float{'s' * (len(point) > 1)} {', '.join(map(repr, point))}"
                               f" it makes {expected or 'an error'}, of Values "
                               f"{numbers or 'an error'}")


def _is_same(a: Any, b: float) -> bool:
    return isinstance(a, int | float) and (
        math.isclose(a, b, rel_tol=1e-12) or (a != a and b != b))


def points(row: Primitive, count: int) -> Iterator[tuple[float, ...]]:
    """Operands to try: inside the safe intervals, then special ones."""
    source = random.Random(0)
    safe = row.safe * count if row.arity is None else row.safe
    for spread in (1.0, 10.0, 1e300):
        for _ in range(12):
            yield tuple(source.uniform(max(low, -spread), min(high, spread))
                        if low < spread and high > -spread else low + (high - low) / 2.0
                        for low, high in safe)
    yield from ((x,) * count for x in SPECIAL)
    if count == 2:
        yield from product(SPECIAL, repeat=2)


def boundaries(program: Program, point: Sequence[float]) -> Iterator[tuple[float, ...]]:
    """Points at which a comparison between an operand and a number may come out otherwise."""
    numbers = [*point, *program.constants]
    for guard in program.guards:
        for here, there in ((guard.left, guard.right), (guard.right, guard.left)):
            if here < program.n_inputs and there < len(numbers) and math.isfinite(numbers[there]):
                bound = numbers[there]
                for x in (bound, math.nextafter(bound, math.inf),
                          math.nextafter(bound, -math.inf), bound + 1.0, bound - 1.0):
                    yield (*point[:here], x, *point[here + 1:])


# --- writing them in place ------------------------------------------------------------------------

class _Writer:
    """Writes a program anew, with the ways through some operations' values in their place."""

    def __init__(self, old: Program, ops: Collection[str]) -> None:
        self.old, self.inline = old, frozenset(ops)
        self.numbers: list[float] = list(old.constants)
        self.places = {bits_key(x): old.n_inputs + i for i, x in enumerate(old.constants)}
        self.ops: list[str] = []
        self.operands: list[tuple[Any, ...]] = []

    def program(self) -> Program:
        """The new program. Results are numbered from 0 until all constants are known."""
        old = self.old
        moved: list[Any] = list(range(old.first))
        for op, operands in zip(old.ops, old.operands, strict=True):
            moved.append(self._written(op, [moved[slot] for slot in operands]))
        first = old.n_inputs + len(self.numbers)

        def slot(x: Any) -> int:
            return first + x.number if isinstance(x, _Result) else x

        return Program(
            old.n_inputs, tuple(self.numbers), tuple(self.ops),
            tuple(tuple(map(slot, operands)) for operands in self.operands),
            tuple(slot(moved[x]) for x in old.outputs),
            tuple(Guard(g.relation, slot(moved[g.left]), slot(moved[g.right]), g.outcome)
                  for g in old.guards))

    def _constant(self, number: float) -> int:
        key = bits_key(number)
        if key not in self.places:
            self.places[key] = self.old.n_inputs + len(self.numbers)
            self.numbers.append(number)
        return self.places[key]

    def _add(self, op: str, *operands: Any) -> _Result:
        self.ops.append(op)
        self.operands.append(operands)
        return _Result(len(self.ops) - 1)

    def _written(self, op: str, operands: Sequence[Any]) -> Any:
        """An operation, or what its value computes."""
        if op not in self.inline:
            return self._add(op, *operands)
        ways = [self._way(program, operands) for program in paths(lookup(op), len(operands))]
        result = ways[0]
        for way in ways[1:]:
            result = self._add(EITHER, result, way)
        return result

    def _way(self, program: Program, operands: Sequence[Any]) -> Any:
        """The result of one way where it is taken; elsewhere, and where it raises, nan."""
        slots = [*operands, *map(self._constant, program.constants)]
        doubts: list[tuple[str, bool, Any, Any]] = []
        for op, inner in zip(program.ops, program.operands, strict=True):
            given = [slots[x] for x in inner]
            slots.append(self._written(op, given))
            doubts += self._doubts(lookup(op), given, slots[-1])
        doubts += [(g.relation, g.outcome, slots[g.left], slots[g.right]) for g in program.guards]
        result = slots[program.outputs[0]] if program.outputs else self._constant(math.nan)
        for relation, outcome, left, right in doubts:
            result = self._add(keep(relation, outcome), result, left, right)
        return result

    def _doubts(self, row: Primitive, operands: Sequence[Any],
                result: Any) -> list[tuple[str, bool, Any, Any]]:
        """The comparisons that must come out so, or else the operation raises."""
        zero = self._constant(0.0)
        if row.raises is None:  # it raises where something that is not finite comes of finite
            not_finite = self._add(EITHER, self._add("sub", result, result), self._constant(1.0))
            for x in operands:
                not_finite = self._add("add", not_finite, self._add("sub", x, x))
            return [("==", False, not_finite, self._constant(1.0))]
        doubts = []
        for position, relation, bound in row.raises:
            operand = operands[position]
            if relation != "==":  # beyond the bound, an infinity is defined again
                operand = self._add(keep("==", True), operand,
                                    self._add("sub", operand, operand), zero)
            doubts.append((relation, False, operand, self._constant(bound)))
        return doubts


class _Result:
    """The result of an instruction that was written."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number
