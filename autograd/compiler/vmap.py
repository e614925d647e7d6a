"""vmap: a function of one row as a function of many rows, all of them in one call.

Arguments that all rows share stay single numbers, and derivatives by them are summed over the
rows. Rows that take different branches are put into groups, one for each branch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

import numpy as np

from autograd.compiler.backends.interface import Kernel
from autograd.compiler.backends.jax import devices
from autograd.compiler.backends.threads import checked as checked_threads
from autograd.compiler.compiled import Compiled
from autograd.compiler.jit import Jitted
from autograd.compiler.recipes import Recipe, composed
from autograd.compiler.trace.arguments import HoldsValues, Place
from autograd.compiler.trace.batched_arguments import Parts, Rows
from autograd.compiler.trace.batched_results import (
    Gathered,
    Origins,
    Part,
    Sums,
    arranged,
    flags_of,
    of_rows,
    stacked,
)
from autograd.compiler.trace.few_rows import FewRows, builder, few_rows
from autograd.compiler.trace.tracer import Recording, RecordingError, is_recording
from autograd.core.aliases import also_called
from autograd.core.context import listeners_on
from autograd.core.graph import collector_at_rest
from autograd.core.linear_maps import vjp_of
from autograd.core.primitives import DOMAIN_ERRORS, lookup
from autograd.core.pytrees import leaves_of
from autograd.core.transforms import grad, hessian, hvp_of, jvp_of, value_and_grad
from autograd.core.typing import Array
from autograd.core.undefined import in_ieee

if TYPE_CHECKING:
    from autograd.core.signatures import Derivative, RowResult

Axes = int | None | tuple[int | None, ...]
R = TypeVar("R")


class RowsReplay:
    """A recording that was compiled for rows.

    Args:
        recording: of one row.
        is_row: for each number among the arguments whether it differs by row.
        sums: which parts of the result are summed.
        compiled: makes the kernel of a recording.
    """

    def __init__(self, recording: Recording, is_row: Sequence[bool], sums: Sums,
                 compiled: Callable[..., Kernel]) -> None:
        self.recording = recording
        self.skeleton = recording.results.skeleton
        self.summed = flags_of(self.skeleton, sums)
        self._computed_sums = [summed for summed, leaf in
                               zip(self.summed, leaves_of(self.skeleton), strict=True)
                               if isinstance(leaf, Place)]
        self._is_all_computed = len(self._computed_sums) == len(self.summed)
        self._kernel = compiled(
            recording, [*is_row, *[False] * len(recording.captured)], self._computed_sums)
        self._few = getattr(self._kernel, "few", None)
        self._build = builder(self.skeleton, self.summed)

    def few(self, rows: FewRows) -> Any:
        """The result of few rows, or None: where some take another branch, or are not finite."""
        if self._few is None or self._build is None:
            return None
        scalars = rows.shared
        if self.recording.captured:
            scalars = [*scalars, *[leaf._data for leaf in self.recording.captured]]
        found = self._few(scalars, rows.blocks, rows.n)
        if found is None:
            return None
        sums, columns = found
        if b"\0" in np.isfinite(columns).tobytes() or b"\0" in np.isfinite(sums).tobytes():
            return None
        return self._build(sums, columns)

    def __call__(self, shared: Sequence[float], lines: list[Array],
                 n: int) -> tuple[Part, Array]:
        """The results of those of n rows that take this branch, and which they are."""
        numbers = np.array([*shared, *[leaf._data for leaf in self.recording.captured]])
        # Without lines the kernel would not know how many rows there are.
        results = self._kernel(numbers, lines or np.empty((0, n)))
        totals, columns, holds = results
        is_finite = self._is_all_computed and getattr(results, "is_finite", False)
        count = int(np.count_nonzero(holds))
        if count < n:
            columns = columns[:, holds]
            if any(self._computed_sums) and count:  # they are over all rows
                totals = self._kernel(numbers, [line[holds] for line in lines])[0]
        leaves = self._filled(totals, columns, count)
        is_finite = is_finite and bool(np.isfinite(totals).all())
        return Part(self.skeleton, self.summed, leaves, self.recording, is_finite), holds

    def _filled(self, totals: Array, columns: Array, n: int) -> list[Any]:
        """What was computed and what is the same each time, in the order of the leaves."""
        total, column = iter(totals), iter(columns)
        return [(float(next(total)) if summed else next(column)) if isinstance(leaf, Place)
                else of_rows(leaf, n, summed)
                for leaf, summed in zip(leaves_of(self.skeleton), self.summed, strict=True)]


class Batched(Compiled, Generic[R]):
    """What :func:`vmap` returns: call it with rows."""

    def __init__(self, function: Callable[..., Any], in_axes: Axes, backend: str | None,
                 max_recordings: int | None, static: frozenset[int] = frozenset(),
                 sums: Sums = False, origins: Origins = None, threads: int | None = None,
                 mesh: Any = None, ignore: tuple[str, ...] = ()) -> None:
        super().__init__(function, backend, max_recordings, static, ignore)
        self.threads = checked_threads(threads)
        self.mesh = mesh
        self.in_axes = in_axes
        self.sums = sums
        self.origins = origins
        self.recipe = Recipe(type(self), function, in_axes, backend, max_recordings, static, sums,
                             origins, threads, mesh, ignore)

    def __call__(self, *arguments: Any, **keywords: Any) -> R:
        axes = self._axes(len(arguments))
        if not keywords and not self.static and not listeners_on:
            few = self._few(arguments, axes)
            if few is not None:
                return few if self.origins is None else arranged(  # type: ignore[no-any-return]
                    few, self.origins, arguments, axes)
        result = self._rows_first(Rows(arguments, keywords, axes, self.static))
        placed: R = arranged(result, self.origins, arguments, axes)
        return placed

    def _few(self, arguments: tuple[Any, ...], axes: tuple[int | None, ...]) -> Any:
        """The result of few rows that all take the one branch that is known; else None."""
        try:
            rows = few_rows(arguments, axes)
        except (HoldsValues, TypeError):  # which the general way treats, or raises
            return None
        if rows is None:
            return None
        known = self.known(rows.key)
        if known is None or len(known.replays) != 1:
            return None
        few = known.replays[0].few(rows)
        if few is not None and self.profit is not None:
            self.profit.replays += rows.n
        return few

    def _rows_first(self, rows: Rows) -> Any:
        """The results, with the rows along a first axis."""
        if rows.n == 0:
            raise ValueError("vmap needs at least one row: without one, the shape of the result "
                             "is not known")
        if self.mesh is not None:
            from autograd.compiler.backends.jax.mesh import refuse_rest

            refuse_rest(self.mesh, rows.n, "", "give")
        if listeners_on and is_recording():  # a part of what is being recorded
            return self._row_by_row(rows)
        try:
            parts = rows.taken_apart()
        except HoldsValues:  # a part of a graph
            return self._row_by_row(rows)
        return self._run(rows, parts)

    def _axes(self, count: int) -> tuple[int | None, ...]:
        axes = self.in_axes if isinstance(self.in_axes, tuple) else (self.in_axes,) * count
        if len(axes) != count:
            raise TypeError(f"in_axes has {len(axes)} entries, but the function was called with "
                            f"{count} positional argument(s); keywords are shared by all rows")
        return tuple(None if i in self.static else axis for i, axis in enumerate(axes))

    # --- running ---------------------------------------------------------------------------------

    def _row_by_row(self, rows: Rows) -> R:
        """The results as they come from the function itself: Values, perhaps."""
        results: R = stacked(
            [self.function(*rows.row(i), **rows.keywords) for i in range(rows.n)], self.sums)
        return results

    def _run(self, rows: Rows, parts: Parts) -> R:
        """Run every branch that is known on the rows that take it, and record the others."""
        gathered = Gathered(rows.n)
        known = self.known(parts.key)
        pending = np.arange(rows.n)
        for replay in known.replays if known is not None else ():
            pending = _run_branch(replay, parts, pending, gathered)
            if not len(pending):
                break
        if self.profit is not None:
            self.profit.replays += rows.n - len(pending)
        while len(pending):
            first = int(pending[0])
            try:
                pending = self._another_branch(rows, parts, pending, gathered)
            except DOMAIN_ERRORS as error:
                self._refuse_undefined(rows, parts, gathered, first)  # the first is named
                raise _of_row(error, first) from None
        self._refuse_undefined(rows, parts, gathered, rows.n)
        results: R = self._with_choices(rows, gathered).result()
        return results

    def _another_branch(self, rows: Rows, parts: Parts, pending: Array,
                        gathered: Gathered) -> Array:
        """Record the branch that the first of the rows takes; those that take others are left."""
        first = int(pending[0])
        if self.may_record(parts.key):
            with collector_at_rest():
                recording, known = self.recorded(parts.key, rows.row(first), rows.keywords)
                replay = RowsReplay(recording, parts.is_row, self.sums,
                                    partial(self.compiled, threads=self.threads))
            known.replays = [*known.replays, replay]
            left = _run_branch(replay, parts, pending, gathered)
            if self.profit is not None:
                self.profit.replays += len(pending) - len(left)
            if not len(left) or left[0] != first:
                return left
            # Rounded otherwise, a number that was read with .data is another one.
        gathered.add(self._eager_part(rows, first, is_plain=True), pending[:1])
        if self.profit is not None:
            self.profit.eager += 1
        return pending[1:]

    def _eager_part(self, rows: Rows, i: int, is_plain: bool = False) -> Part:
        """The results of one row, by the eager engine."""
        row = (self._plainly if is_plain else self._eagerly)(rows.row(i), rows.keywords)
        summed = flags_of(row, self.sums)
        return Part(row, summed, [of_rows(leaf, 1, flag) for leaf, flag in
                                  zip(leaves_of(row), summed, strict=True)], None)

    def _refuse_undefined(self, rows: Rows, parts: Parts, gathered: Gathered, end: int) -> None:
        """Where a row before ``end`` is not finite, let the eager engine object, if it does."""
        for i, recording in gathered.suspects():
            # inf and nan may be right, for many rows: the program says so in less time.
            if i < end and not is_defined(recording, parts.numbers(i)):
                try:
                    self._eager_part(rows, i)
                except DOMAIN_ERRORS as error:
                    raise _of_row(error, i) from None

    def _with_choices(self, rows: Rows, gathered: Gathered) -> Gathered:
        """The results, where a choice is an operation and they are not finite by the eager engine.

        0 times what is infinite in the arm that is left out is nan in a recording.
        """
        places: Sequence[int] = [i for i, recording in gathered.suspects()
                                 if recording.has_selected]
        if places and gathered.whole is not None and any(gathered.whole.summed):
            places, gathered = range(rows.n), Gathered(rows.n)  # a sum is of all rows
        self.n_not_finite += len(places)
        for i in places:
            gathered.add(self._eager_part(rows, i, is_plain=True), np.array([i]))
        return gathered

    def _like(self, function: Callable[..., Any]) -> Batched[Any]:
        return Batched(function, self.in_axes, self.backend, self.given_max_recordings, self.static,
                       self.sums, self.origins, self.threads, self.mesh, self.ignore)

    def to_c(self, name: str) -> NoReturn:
        """Of rows there is no C: the function of one row is written, and called for each."""
        raise TypeError("vmap(f) is not written in C; jit(f).to_c(name), after a call with one "
                        "row, gives the function of one row, and a loop in C calls it for each")

    # --- derivatives -----------------------------------------------------------------------------

    def __compose__(self, transform: Callable[..., Any], *options: Any) -> Batched[Any]:
        """Derivatives of the sum over all rows: by shared arguments they are sums."""
        if transform is vjp_of:
            raise TypeError("vjp(vmap(f), ...) would be a pullback of all rows at once; write "
                            "vmap(lambda x, cotangent: vjp(f, x)[1](cotangent)) for that of each")
        if transform in (hvp_of, jvp_of):
            along: Any = partial(self._along, transform)  # a function, for hvp and jvp alone
            return along  # type: ignore[no-any-return]
        key = (transform, options)
        if key not in self.derived:
            made: Batched[Any] = Batched(
                transform(self.function, *options), self.in_axes, self.backend,
                self.given_max_recordings, self.static, self._sums_of(transform, *options),
                self._origins_of(transform, *options), self.threads, self.mesh, self.ignore)
            made.recipe = Recipe(composed, self.recipe, transform, *options)
            self.derived[key] = made
        derived: Batched[Any] = self.derived[key]
        return derived

    def _origins_of(self, transform: Callable[..., Any], *options: Any) -> Origins:
        """Which parts of a derivative have the shape of an argument."""
        transform, argnums, has_aux = _inner(transform, options)
        if has_aux and transform is not value_and_grad:
            aux = self.origins[1] if isinstance(self.origins, tuple) else None
            return (self._origins_of(transform, argnums), aux)
        if transform is grad:
            return argnums  # type: ignore[no-any-return]
        if transform is value_and_grad:
            return (self.origins, argnums)
        return None if transform is hessian else self.origins

    def _sums_of(self, transform: Callable[..., Any], *options: Any) -> Sums:
        """Which parts of a derivative are summed over the rows."""
        transform, argnums, has_aux = _inner(transform, options)
        if has_aux and transform is not value_and_grad:
            aux = self.sums[1] if isinstance(self.sums, tuple) else self.sums
            return (self._sums_of(transform, argnums), aux)
        positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        shared = tuple(self._is_shared(position) for position in positions)
        each: Sums = shared[0] if isinstance(argnums, int) else shared
        if transform is grad:
            return each
        if transform is value_and_grad:
            return (self.sums, each)
        if not all(shared):
            name = transform.__name__
            raise TypeError(f"{name}(vmap(f)) by an argument that differs by row would be a matrix "
                            "of blocks, all of them 0 but one for each row; write "
                            f"vmap({name}(f)) for those")
        # The Jacobian of what differs by row differs by row, too.
        return transform is hessian or _is_all_summed(self.sums)

    def _is_shared(self, position: int) -> bool:
        if position in self.static:
            return True
        if not isinstance(self.in_axes, tuple):
            return self.in_axes is None
        if not -len(self.in_axes) <= position < len(self.in_axes):
            raise TypeError(f"argnums asks for argument {position}, but in_axes has "
                            f"{len(self.in_axes)} entries")
        return self.in_axes[position] is None

    def _along(self, transform: Callable[..., Any], primals: Any, tangents: Any) -> Any:
        """hvp and jvp, functions of (primals, tangents), of which each part has its own axis."""
        is_tuple = isinstance(primals, tuple)
        parts = primals if is_tuple else (primals,)
        directions = tangents if is_tuple else (tangents,)
        count = len(parts)
        key = (transform, count)
        if key not in self.derived:
            self.derived[key] = self._with_directions(transform, count)
        result = self.derived[key](*parts, *directions)
        return result if is_tuple or transform is jvp_of else result[0]

    def _with_directions(self, transform: Callable[..., Any], count: int) -> Batched[Any]:
        along = transform(self.function)

        def one_row(*both: Any) -> Any:
            return along(both[:count], both[count:])

        axes = self._axes(count)
        sums: Sums = (self.sums, self.sums)
        origins: Origins = (self.origins, self.origins)
        if transform is hvp_of:
            sums, origins = tuple(axis is None for axis in axes), tuple(range(count))
        return Batched(update_wrapper(one_row, self.function), (*axes, *axes), self.backend,
                       self.given_max_recordings, sums=sums, origins=origins, threads=self.threads,
                       mesh=self.mesh, ignore=self.ignore)


def _inner(transform: Callable[..., Any], options: tuple[Any, ...]) -> tuple[Any, Any, bool]:
    """A derivative, its argnums and whether it has_aux; ``in_ieee`` has it among its options."""
    if transform is in_ieee:
        transform, *options = options  # type: ignore[assignment]
    return transform, options[0], len(options) > 1


def _is_all_summed(sums: Sums) -> bool:
    return sums if isinstance(sums, bool) else all(map(_is_all_summed, sums))


def _run_branch(replay: RowsReplay, parts: Parts, pending: Array, gathered: Gathered) -> Array:
    """Run the rows that take a branch; the others are returned."""
    is_all = len(pending) == gathered.n
    lines = parts.lines if is_all else [line[pending] for line in parts.lines]
    part, holds = replay(parts.shared, lines, len(pending))
    if holds.all():
        gathered.add(part, pending)
        return pending[:0]
    if holds.any():
        gathered.add(part, pending[holds])
    rest: Array = pending[~holds]
    return rest


def is_defined(recording: Recording, numbers: Sequence[float]) -> bool:
    """Whether every operation is inside its domain for the numbers among the arguments."""
    program = recording.program
    slots = [*numbers, *[leaf._data for leaf in recording.captured], *program.constants]
    try:
        for op, operands in zip(program.ops, program.operands, strict=True):
            slots.append(lookup(op).value(*[slots[operand] for operand in operands]))
    except DOMAIN_ERRORS:
        return False
    return True


def _of_row(error: Exception, i: int) -> Exception:
    return error if isinstance(error, RecordingError) else type(error)(f"row {i}: {error}")


@overload
def vmap(function: Derivative, in_axes: Axes = 0, *, backend: str | None = None,
         max_recordings: int | None = None, threads: int | None = None,
         mesh: Any = None) -> Batched[Any]: ...
@overload
def vmap(function: Callable[..., RowResult], in_axes: Axes = 0, *, backend: str | None = None,
         max_recordings: int | None = None, threads: int | None = None,
         mesh: Any = None) -> Batched[Array]: ...
@overload
def vmap(function: Callable[..., Any], in_axes: Axes = 0, *, backend: str | None = None,
         max_recordings: int | None = None, threads: int | None = None,
         mesh: Any = None) -> Batched[Any]: ...
@also_called({"in_dims": "in_axes"}, {
    "out_axes": "the rows of results lie along the first axis; write np.moveaxis(result, 0, axis)",
    "out_dims": "the rows of results lie along the first axis; write np.moveaxis(result, 0, axis)"})
def vmap(function: Callable[..., Any], in_axes: Axes = 0, *, backend: str | None = None,
         max_recordings: int | None = None, threads: int | None = None,
         mesh: Any = None) -> Batched[Any]:
    """Map a function over rows: recorded for one row, run on all of them at machine speed.

    ``vmap(f)(xs)`` is ``[f(x) for x in xs]``, as arrays. Python's control flow works: rows that
    take different branches are computed in groups.

    ``vmap(grad(f))`` gives a gradient for each row. ``grad(vmap(f))`` and
    ``value_and_grad(vmap(f))`` differentiate the sum over the rows: by an argument that all rows
    share (the weights of a model) the gradient is the sum of the rows' gradients, by one that
    differs by row it is each row's own, in the shape of the argument; the value is still one for
    each row.

    Args:
        function: of one row; takes and returns numbers, sequences, arrays, dictionaries.
        in_axes: for each positional argument the axis along which its rows lie, or None for an
            argument that all rows share; one entry for all, or a tuple. Keywords are shared. An
            argument with rows is an array, a list with an item for each row, or a dictionary of
            them.
        backend: "llvm", "numpy", "python" or "jax"; None takes the quickest of the first three
            that is installed.
        max_recordings: from then on rows whose branch is not recorded are computed eagerly. None
            records up to 100 branches, as long as enough rows take them.
        threads: at most so many compute the rows, where there are enough of them for machine code
            to be shared out; None for one for each processor core. CHAINRULE_THREADS limits both.
            The bits of the results do not depend on it.
        mesh: with "jax", a ``jax.sharding.Mesh`` with an axis "rows", over whose devices the rows
            are spread, as many to each; every process of ``jax.distributed`` makes the same call.

    Returns:
        A function of the same arguments. Each number or truth value that the function returns
        becomes an array of shape (n,), each array of shape s one of shape (n, \\*s). Called with
        Values, or inside of a function that is being recorded, it gives arrays of Values.

    Raises:
        TypeError, ValueError: for ``threads`` that are no whole number from 1 on, also in
            CHAINRULE_THREADS; for a mesh without "rows"; when called, for arguments that have no
            rows or different numbers of them, or a number that does not divide over the mesh.
        ValueError, ZeroDivisionError, OverflowError: when called, outside a domain; the message
            is the eager engine's and names the row.
    """
    _check_axes(in_axes)
    if isinstance(function, Jitted):  # rows have machine code of their own
        backend = backend or function.backend
    if mesh is not None:
        mesh = _checked_mesh(mesh, backend)
    if isinstance(function, Jitted):
        return Batched(function.function, in_axes, backend, max_recordings, function.static,
                       threads=threads, mesh=mesh, ignore=function.ignore)
    return Batched(function, in_axes, backend, max_recordings, threads=threads, mesh=mesh)


def _checked_mesh(mesh: Any, backend: str | None) -> Any:
    if backend != "jax":
        raise ValueError('a mesh is for JAX; write backend="jax" beside it')
    devices.refuse_missing()
    from autograd.compiler.backends.jax.mesh import checked

    return checked(mesh)


def _check_axes(in_axes: Any) -> None:
    for axis in in_axes if isinstance(in_axes, tuple) else (in_axes,):
        if isinstance(axis, bool) or not isinstance(axis, int | None):
            raise TypeError("in_axes must be an int, None or a tuple of them, one for each "
                            f"argument, not {in_axes!r}")
