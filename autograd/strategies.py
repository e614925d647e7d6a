"""Hypothesis strategies for tests of gradients: safe points, arrays, random expressions.

::

    from hypothesis import given
    from autograd.strategies import expressions

    @given(expressions())
    def test_my_transform(expression):
        assert my_transform(expression.function)(*expression.point) == ...
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from autograd.core import primitives
from autograd.core.primitives import DOMAIN_ERRORS, TABLE, Primitive
from autograd.core.typing import Array
from autograd.core.validation import interval

try:
    from hypothesis import strategies as st
except ImportError:
    raise ImportError('autograd.strategies needs hypothesis; pip install "chainrule[check]"'
                      ) from None

LARGEST = 1e3  # "moderate size", of values and of local derivatives
MAX_OPERANDS = 4  # of an n-ary primitive


def _row(primitive: Primitive | str) -> Primitive:
    return primitive if isinstance(primitive, Primitive) else primitives.lookup(primitive)


def floats_in(primitive: Primitive | str, operand: int = 0) -> st.SearchStrategy[float]:
    """Floats that are safe for an operand: inside the domain, value and derivative finite.

    Args:
        primitive: a primitive, or its name.
        operand: the operand's position; the operands of n-ary primitives are all alike.

    Raises:
        ValueError: when there is no such operand.
        KeyError: when there is no such primitive.
    """
    row = _row(primitive)
    if operand < 0 or (row.arity is not None and operand >= row.arity):
        raise ValueError(f"{row.name} has no operand {operand}; it takes {row.arity}")
    low, high = row.safe[0 if row.arity is None else operand]
    return st.floats(low, high, allow_nan=False)


def operands_of(primitive: Primitive | str) -> st.SearchStrategy[tuple[float, ...]]:
    """Tuples of safe operands: ``primitive.apply(operands)`` is defined, and so are its partials.

    Args:
        primitive: a primitive, or its name; n-ary ones get up to 4 operands (``dot`` 2 or 4: the
            first sequence, then the second).
    """
    row = _row(primitive)
    if row is primitives.where:
        condition = st.sampled_from((0.0, 1.0))
        return st.tuples(condition, floats_in(row, 1), floats_in(row, 2))
    if row.arity is not None:
        orders = (st.integers(int(low), int(high)).map(float)
                  for low, high in row.safe[:row.orders])
        return st.tuples(*orders, *(floats_in(row, i) for i in range(row.orders, row.arity)))
    sizes = (2, 4) if row.paired else range(1, MAX_OPERANDS + 1)
    return st.sampled_from(sizes).flatmap(
        lambda size: st.tuples(*(floats_in(row) for _ in range(size))))


def arrays_in(shape: int | tuple[int, ...], low: float,
              high: float) -> st.SearchStrategy[Array]:
    """Float arrays of a shape whose numbers lie in an interval, ends included.

    Args:
        shape: the shape; an int is that of a vector.
        low, high: the interval.

    Raises:
        ValueError: when low is above high, or either is not finite.
    """
    low, high = interval((low, high), "the interval")
    size = math.prod(shape) if isinstance(shape, tuple) else shape
    numbers = st.lists(st.floats(low, high, allow_nan=False), min_size=size, max_size=size)
    strategy: Any = numbers.map(lambda items: np.array(items, dtype=float).reshape(shape))
    # Read by check_gradients, which sweeps intervals besides drawing from them.
    strategy.side = (np.zeros(shape), low, high)
    return cast("st.SearchStrategy[Array]", strategy)


# --- random expressions ---------------------------------------------------------------------------

Slot = int | float  # an earlier result by its place (inputs first), or a constant


@dataclass(frozen=True)
class Step:
    """One operation of an expression: which, and on what."""

    op: Primitive
    operands: tuple[Slot, ...]


@dataclass(frozen=True, repr=False)
class Expression:
    """A random expression graph with shared nodes, as a function, with a point that is safe.

    ``repr`` shows it as a Python function.

    Args:
        n_inputs: the number of arguments of its function.
        steps: the operations in order; the last one is the result.
        point: an input for each argument, at which every operation is inside its domain, and all
            values and local derivatives are finite and of moderate size.
    """

    n_inputs: int
    steps: tuple[Step, ...]
    point: list[float]

    def function(self, *inputs: Any) -> Any:
        """The expression's value: floats give a float, Values a Value.

        Raises:
            TypeError: for a wrong number of inputs.
            ValueError, ZeroDivisionError, OverflowError: outside the domain.
        """
        if len(inputs) != self.n_inputs:
            raise TypeError(f"the expression takes {self.n_inputs} inputs, not {len(inputs)}")
        results = list(inputs)
        for step in self.steps:
            results.append(_apply(step, results))
        return results[-1]

    def __repr__(self) -> str:
        names = [f"x{i}" for i in range(self.n_inputs)]
        lines = [f"def f({', '.join(names)}):"]
        for number, step in enumerate(self.steps):
            operands = [names[s] if isinstance(s, int) else repr(s) for s in step.operands]
            lines.append(f"    v{number} = {_written(step.op, operands)}")
            names.append(f"v{number}")
        lines.append(f"    return {names[-1]}")
        return "\n".join([*lines, f"f({', '.join(map(repr, self.point))})"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # what hypothesis and IPython print


def _apply(step: Step, results: Sequence[Any]) -> Any:
    operands = tuple(results[s] if isinstance(s, int) else s for s in step.operands)
    if step.op is primitives.where:
        condition, a, b = operands
        return step.op(condition > 0.0, a, b)
    return step.op.apply(operands)


_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}


def _written(op: Primitive, operands: Sequence[str]) -> str:
    if op.name in _INFIX:
        a, b = (f"({x})" if x.startswith("-") else x for x in operands)
        return f"{a} {_INFIX[op.name]} {b}"
    if op is primitives.neg:
        return f"-{operands[0]}"
    if op is primitives.where:
        return f"where({operands[0]} > 0, {operands[1]}, {operands[2]})"
    if op.paired:
        half = len(operands) // 2
        return f"{op.name}([{', '.join(operands[:half])}], [{', '.join(operands[half:])}])"
    listed = ", ".join(operands)
    return f"{op.name}([{listed}])" if op.arity is None and op.gather else f"{op.name}({listed})"


def _is_moderate(step: Step, results: Sequence[float]) -> float | None:
    """The step's value on floats, if it and its partials are defined, finite and moderate."""
    operands = [results[s] if isinstance(s, int) else s for s in step.operands]
    try:
        result = _apply(step, results)
        claims = step.op.local_derivatives(
            [float(operands[0] > 0.0), *operands[1:]] if step.op is primitives.where else operands,
            result, [isinstance(s, int) for s in step.operands])
    except DOMAIN_ERRORS:
        return None
    sizes = [abs(x) for x in (result, *claims) if x is not None]
    return float(result) if all(size <= LARGEST for size in sizes) else None


# No subnormals, whose products are 0.
_COORDINATES = st.floats(-3.0, 3.0, width=32, allow_subnormal=False)


@st.composite
def expressions(draw: Any, n_inputs: int = 2, max_nodes: int = 10,
                primitives: Sequence[Primitive | str] | None = None) -> Expression:
    """Random expression graphs with shared nodes, and a point at which they are safe.

    They shrink towards few operations on the first inputs, at simple points.

    Args:
        n_inputs: the number of arguments.
        max_nodes: the largest number of operations.
        primitives: those to use, or their names; all that are in the table by default.

    Returns:
        A strategy of :class:`Expression`: ``.function`` takes n_inputs floats or Values,
        ``.point`` is a list of floats.

    Raises:
        ValueError: when n_inputs or max_nodes is less than 1, or primitives is empty.
    """
    all_rows = [row for row in TABLE.values()
                if not row.orders and not row.stops]  # orders are no results
    rows = [_row(p) for p in (all_rows if primitives is None else primitives)]
    if n_inputs < 1 or max_nodes < 1 or not rows:
        raise ValueError("expressions needs at least one input, one node and one primitive")
    point = draw(st.lists(_COORDINATES, min_size=n_inputs, max_size=n_inputs))
    least = draw(st.integers(1, max_nodes))  # lists alone would mostly be short
    # One more than is used: the length of a list that has no choice of it cannot be shrunk.
    wishes = draw(st.lists(_wishes(rows), min_size=least, max_size=max_nodes + 1))[:max_nodes]
    results, steps = list(point), []
    for wish in wishes:
        step = _granted(wish, rows, results)
        if step is not None:
            steps.append(step)
            value = _is_moderate(step, results)
            assert value is not None
            results.append(value)
    return _pruned(n_inputs, steps, point)


# What is drawn for an operation before it is known what fits at the numbers reached: which
# operation, and for each operand how far back it lies. Drawn so, and not one by one while the
# numbers are computed, a failure can lose an operation without the others changing.
Wish = tuple[Primitive, tuple[int, ...]]
# Most often the latest result.
_BACK = st.sampled_from((0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 6, 9, 13, 20))
_CONSTANTS = {20: 2.0, 13: 0.5, 9: -1.5}  # what stands there while there are fewer results


def _wishes(rows: Sequence[Primitive]) -> st.SearchStrategy[Wish]:
    # Operations of several operands are fewer, so that they are drawn more often each.
    pool = [row for row in rows for _ in range(1 if row.arity == 1 else 2)]
    return st.tuples(st.sampled_from(pool), st.tuples(_BACK, _BACK, _BACK))


def _granted(wish: Wish, rows: Sequence[Primitive], results: Sequence[float]) -> Step | None:
    """The operation wished for, or the next that is safe there; None when there is none."""
    wanted, backs = wish
    start = next(i for i, row in enumerate(rows) if row is wanted)
    for row in (*rows[start:], *rows[:start]):
        slots = [_slot(backs[i % 3], len(results)) for i in range(row.arity or 2)]
        if not any(isinstance(slot, int) for slot in slots):
            slots[0] = len(results) - 1  # an operation on constants alone is a constant
        step = Step(row, tuple(slots))
        if _is_moderate(step, results) is not None:
            return step
    return None


def _slot(back: int, known: int) -> Slot:
    """An operand so far back from the latest result."""
    return known - 1 - back if back < known else _CONSTANTS.get(back, back % known)


def _pruned(n_inputs: int, steps: list[Step], point: list[float]) -> Expression:
    """Without the operations that the last one does not depend on."""
    if not steps:
        return Expression(n_inputs, (Step(primitives.identity, (0,)),), point)
    needed = {len(steps) - 1}
    for number in range(len(steps) - 1, -1, -1):
        if number in needed:
            needed.update(s - n_inputs for s in steps[number].operands
                          if isinstance(s, int) and s >= n_inputs)
    place = {i: i for i in range(n_inputs)}
    kept: list[Step] = []
    for number in sorted(needed):
        place[n_inputs + number] = n_inputs + len(kept)
        kept.append(Step(steps[number].op, tuple(
            place[s] if isinstance(s, int) else s for s in steps[number].operands)))
    return Expression(n_inputs, tuple(kept), point)


__all__ = ["Expression", "Step", "arrays_in", "expressions", "floats_in", "operands_of"]
