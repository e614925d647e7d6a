"""Array programs in NumPy: a few calls on whole arrays, matrix products by BLAS.

What is the same for every row stands in one vector, what differs by row in a matrix with a column
for each row. A step reads views of these and writes a view. Products that are only summed over the
rows (the gradients of weights) are one matrix product, and never stand in memory row by row.

NumPy's BLAS may compute a large matrix product on threads of its own, as many as its own variables
allow (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS, ...); whether their number changes bits is up to it.
``threads=`` and CHAINRULE_THREADS are of machine code alone.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.compiler.backends import numpy as linear
from autograd.compiler.backends.array_layout import Layout
from autograd.compiler.backends.formulas import Emit
from autograd.compiler.backends.interface import Signature
from autograd.compiler.backends.numpy import emitter_of
from autograd.compiler.program.array_program import Affine, ArrayProgram, Slots, Step
from autograd.compiler.program.array_recognition import find_few_arrays
from autograd.compiler.program.program import RELATIONS, Program
from autograd.core.forking import lock
from autograd.core.typing import Array

MEMORY = 1 << 21  # numbers of a block of rows

DENSE = 20  # instructions that a step must stand for, one with another, to be worth the trouble

Run = Callable[[], None]


def compile(program: Program, row_inputs: Sequence[bool] | None = None,
            sums: Sequence[bool] | None = None, free_sums: bool = False,
            dense: int = DENSE) -> Kernel | linear.Kernel:
    """Prepare a program to run on arrays, as ``interface`` says.

    Args:
        program, row_inputs, sums: see there.
        free_sums: whether additions that only another one reads may be rounded in another order.
        dense: how many instructions a step must stand for, one with another; a program with fewer
            runs instruction by instruction.
    """
    signature = Signature(program, row_inputs, sums)
    if len(program) >= dense:
        arrays = find_few_arrays(program, len(program) // max(1, dense), row_inputs, free_sums)
        if arrays is not None:
            return Kernel(arrays, signature)
    return linear.compile(program, row_inputs, sums)


class Kernel:
    """An array program that is ready to run; see ``interface``."""

    def __init__(self, program: ArrayProgram, signature: Signature) -> None:
        self.program, self.signature = program, signature
        self.plan = Layout(program, signature.is_row, signature.is_sum)
        self.block = max(32, MEMORY // max(1, self.plan.n_varying))
        self._emitters = {step.op: emitter_of(step.op) for step in program.steps}
        self._buffers: dict[int, _Buffers] = {}
        self._calling = lock()  # one call at a time may use the buffers

    def __call__(self, scalars: Any, rows: Any = None) -> tuple[Array, Array | None, Any]:
        """Run it, as ``interface`` says."""
        numbers, table = self.signature.arrays(scalars, rows)
        n = 1 if table is None else table.shape[1]
        plan = self.plan
        sums, ok = np.zeros(plan.n_sums), np.ones(n, dtype=bool)
        out = np.empty((plan.n_out, n))
        with self._calling, np.errstate(all="ignore"):
            for start in range(0, n, self.block):
                stop = min(start + self.block, n)
                buffers = self._of_size(stop - start)
                buffers.fill(numbers, None if table is None else table[:, start:stop])
                buffers.run()
                if start:
                    sums += buffers.sums
                else:
                    sums[:] = buffers.sums
                out[:, start:stop] = buffers.out
                ok[start:stop] = buffers.ok
        if not self.signature.by_rows:
            return out[:, 0], None, bool(ok[0])
        return sums, out, ok

    def point(self, numbers: Any) -> Array | None:
        """The outputs at one point, or None where a guard does not hold."""
        out, _, ok = self(np.array(numbers, dtype=float))
        return out if ok else None

    def _of_size(self, n: int) -> _Buffers:
        if n not in self._buffers:
            if len(self._buffers) > 2:
                self._buffers.clear()
            self._buffers[n] = _Buffers(self.plan, self._emitters, n)
        return self._buffers[n]


class _Buffers:
    """The memory for n rows, and the calls that fill it."""

    def __init__(self, plan: Layout, emitters: dict[str, Emit], n: int) -> None:
        self.plan, self.emitters, self.n = plan, emitters, n
        program = plan.program
        self.shared, self.varying = np.zeros(plan.n_shared), np.zeros((plan.n_varying, n))
        self.sums, self.out = np.zeros(plan.n_sums), np.empty((plan.n_out, n))
        self.ok = np.ones(n, dtype=bool)
        constants = slice(program.n_inputs, program.first)
        self.shared[plan.offset[constants]] = program.constants
        self._calls: list[Run] = []
        for i, (start, step) in enumerate(program.placed()):
            self._calls.append(self._product(step, plan.products[i]) if i in plan.products
                               else self._call(step, start))
        self._calls += [*self._guards(), *self._results()]

    def fill(self, scalars: Array, rows: Array | None) -> None:
        """Copy the inputs in."""
        self.shared[:len(scalars)] = scalars  # shared inputs come first, in their order
        if rows is not None:
            self.varying[:len(rows)] = rows

    def run(self) -> None:
        """Compute everything."""
        for call in self._calls:
            call()

    # --- views ----------------------------------------------------------------------------------

    def view(self, slots: Slots, shape: tuple[int, ...], by_rows: bool) -> Any:
        """The numbers of some slots: a view where they follow a pattern, else a function."""
        plan = self.plan
        table = slots.slots(shape)
        varies = plan.varies[table]
        offsets = plan.offset[table]
        if varies.any() and not varies.all():
            return self._mixed(offsets, varies)
        data = self.varying if varies.any() else self.shared
        if isinstance(slots, Affine) and self._is_even(offsets, slots):
            start = int(offsets.reshape(-1)[0])
            one = data.strides[0]
            steps = tuple(stride * one for stride in slots.strides)
            if varies.any():
                return as_strided(data[start:], (*shape, self.n), (*steps, data.strides[1]))
            found = as_strided(data[start:], shape, steps)
            return found[..., None] if by_rows else found
        if varies.any():
            return lambda: data[offsets]
        return (lambda: data[offsets][..., None]) if by_rows else (lambda: data[offsets])

    @staticmethod
    def _is_even(offsets: Array, slots: Affine) -> bool:
        start = int(offsets.reshape(-1)[0])
        return bool((offsets == Affine(start, slots.strides).slots(offsets.shape)).all())

    def _mixed(self, offsets: Array, varies: Array) -> Callable[[], Array]:
        """Some numbers that differ by row, beside some that do not."""
        from_rows, from_shared = offsets[varies], offsets[~varies]

        def gather() -> Array:
            found = np.empty((*offsets.shape, self.n))
            found[varies] = self.varying[from_rows]
            found[~varies] = self.shared[from_shared][:, None]
            return found

        return gather

    # --- calls ----------------------------------------------------------------------------------

    def _call(self, step: Step, start: int) -> Run:
        plan = self.plan
        by_rows = bool(plan.varies[start])
        at = int(plan.offset[start])
        out = (self.varying if by_rows else self.shared)[at:at + step.size]
        out = out.reshape((*step.shape, self.n) if by_rows else step.shape)
        views = [self.view(slots, step.operand_shape(i), by_rows)
                 for i, slots in enumerate(step.operands)]
        if step.op == "dot":
            return _dot(step, views, out, by_rows)
        emit = _add_up if step.op == "add" and step.lengths else self.emitters[step.op]
        if step.lengths:
            axis = len(step.shape)

            def nary() -> None:
                parts = [part for view in map(_now, views) for part in np.moveaxis(view, axis, 0)]
                out[...] = emit(*parts)

            return nary
        if isinstance(emit, np.ufunc):
            return lambda: emit(*map(_now, views), out=out)
        def elementwise() -> None:
            out[...] = emit(*map(_now, views))

        return elementwise

    def _product(self, step: Step, places: Array) -> Run:
        """A product of each pair of two lists of numbers, summed over the rows."""
        sides = [self.view(slots, step.shape, True) for slots in step.operands]
        if isinstance(step.operands[0], Affine) and step.operands[0].strides[0] == 0:
            sides.reverse()  # the one that changes along the rows of the result comes first
        target = self._places(places)

        def product() -> None:
            a, b = _now(sides[0])[:, 0], _now(sides[1])[0]
            a, b = (np.broadcast_to(x, (len(x), self.n)) for x in (a, b))
            target(a @ b.T)

        return product

    def _places(self, places: Array) -> Callable[[Array], None]:
        """Writes an array to its places among the sums."""
        rows, columns = (np.diff(places, axis=axis) for axis in (0, 1))
        if (rows == rows[:1, :1]).all() and (columns == columns[:1, :1]).all():
            one = self.sums.strides[0]
            view = as_strided(self.sums[places[0, 0]:], places.shape, tuple(
                one * int(x[0, 0]) if x.size else one for x in (rows, columns)))
            return lambda found: view.__setitem__(..., found)
        return lambda found: self.sums.__setitem__(places, found)

    def _guards(self) -> list[Run]:
        groups: dict[tuple[str, bool], list[tuple[int, int]]] = {}
        for guard in self.plan.program.guards:
            groups.setdefault((guard.relation, guard.outcome), []).append(
                (guard.left, guard.right))
        calls: list[Run] = [lambda: self.ok.fill(True)]
        for (relation, outcome), pairs in groups.items():
            calls.append(self._guard(relation, outcome, np.array(pairs)))
        return calls

    def _guard(self, relation: str, outcome: bool, pairs: Array) -> Run:
        compare: Callable[[Any, Any], Any] = RELATIONS[relation]
        left, right = (self._gathered(pairs[:, side]) for side in (0, 1))

        def check() -> None:
            self.ok &= (compare(left(), right()) == outcome).all(axis=0)

        return check

    def _gathered(self, slots: Array) -> Callable[[], Array]:
        return self._mixed(self.plan.offset[slots], self.plan.varies[slots])

    def _results(self) -> list[Run]:
        plan = self.plan
        calls: list[Run] = []
        if len(plan.returned):
            returned = self._gathered(plan.returned)
            calls.append(lambda: self.out.__setitem__(slice(None), returned()))
        kept = plan.stored[plan.summed] if len(plan.summed) else np.zeros(0, dtype=bool)
        if kept.any():
            places = np.flatnonzero(kept)
            slots = plan.summed[kept]
            varies = plan.varies[slots]
            from_rows, from_shared = plan.offset[slots[varies]], plan.offset[slots[~varies]]

            def add_up() -> None:
                self.sums[places[varies]] = self.varying[from_rows].sum(axis=1)
                self.sums[places[~varies]] = self.shared[from_shared] * self.n

            calls.append(add_up)
        return calls


def _add_up(*operands: Any) -> Any:
    return functools.reduce(operator.add, operands)


def _now(view: Any) -> Any:
    return view() if callable(view) else view


def _dot(step: Step, views: Sequence[Any], out: Array, by_rows: bool) -> Run:
    """Sums of products: matrix products where one side is the same for all results."""
    axis = len(step.shape)
    pairs = [(a, b, step.operands[2 * i], step.operands[2 * i + 1])
             for i, (a, b) in enumerate(zip(views[::2], views[1::2], strict=True))]
    parts = [_part(a, b, x, y, axis, by_rows) for a, b, x, y in pairs]
    if not parts:
        return lambda: out.fill(0.0)

    def run() -> None:
        out[...] = parts[0]()
        for part in parts[1:]:
            out[...] += part()

    return run


def _part(a: Any, b: Any, x: Slots, y: Slots, axis: int, by_rows: bool) -> Callable[[], Any]:
    if _is_same_for_all(x, axis):
        a, b, x, y = b, a, y, x
    if by_rows and axis == 1 and _is_same_for_all(y, axis):
        def matrix() -> Any:
            left, right = _now(a), _now(b)
            if left.shape[-1] == 1 and right.shape[-1] != 1:
                return left[:, :, 0] @ right[0]
            return np.einsum("nkr,kr->nr", *np.broadcast_arrays(left, right[:1])[:1], right[0])

        return matrix
    if by_rows:
        return lambda: (_now(a) * _now(b)).sum(axis=axis)
    return lambda: np.einsum("...k,...k->...", _now(a), _now(b))


def _is_same_for_all(slots: Slots, axis: int) -> bool:
    return isinstance(slots, Affine) and axis == 1 and slots.strides[0] == 0
