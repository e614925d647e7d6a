"""vmap: a function of one row as a function of many rows, all of them in one call.

Arguments that all rows share stay single numbers, and derivatives by them are summed over the
rows. Rows that take different branches are put into groups, one for each branch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import update_wrapper
from typing import Any

import numpy as np

from .. import value
from ..primitives import DOMAIN_ERRORS
from ..structures import as_array
from ..transforms import grad, hessian, hvp_of, jvp_of, value_and_grad
from ..value import Value
from . import backends
from .arguments import HoldsValues, Place, mapped, signature
from .compiled import Compiled
from .recording import Recording

Array = np.ndarray[Any, Any]
Axes = int | None | tuple[int | None, ...]

# Which parts of a result are summed over the rows: one flag for all of it, or one for each part.
Sums = bool | tuple[Any, ...]


class RowsReplay:
    """A recording that was compiled for rows.

    Args:
        recording: of one row.
        row_inputs: for each number among the arguments whether it differs by row.
        sums: which parts of the result are summed.
        backend: the name of a back end, or None.
    """

    def __init__(self, recording: Recording, row_inputs: Sequence[bool], sums: Sums,
                 backend: str | None) -> None:
        self.captured = recording.captured
        self.skeleton = recording.results.skeleton
        self.sums = _flags(self.skeleton, sums)
        self.computed_sums = [flag for flag, leaf in zip(self.sums, _leaves(self.skeleton),
                                                         strict=True) if isinstance(leaf, Place)]
        self.kernel = backends.compile(
            recording.program, [*row_inputs, *[False] * len(self.captured)], self.computed_sums,
            backend)
        self._has_guards = bool(recording.program.guards)

    def __call__(self, scalars: Sequence[float], rows: list[Array]) -> tuple[list[Any], Array]:
        """The leaves of the result, and for which rows they hold.

        A leaf is summed (a number) or differs by row (an array). Where some rows do not hold, the
        sums are over those that do.
        """
        shared = np.array([*scalars, *[leaf._data for leaf in self.captured]])
        totals, columns, holds = self.kernel(shared, rows)
        if self._has_guards and any(self.computed_sums) and not holds.all():
            totals = self.kernel(shared, [line[holds] for line in rows])[0]
        return self._filled(totals, columns, len(rows[0]), int(np.count_nonzero(holds))), holds

    def _filled(self, totals: Array, columns: Array, n: int, count: int) -> list[Any]:
        """Computed numbers and constants, in the order of the result's leaves."""
        total, column = iter(totals), iter(columns)
        found: list[Any] = []
        for leaf, summed in zip(_leaves(self.skeleton), self.sums, strict=True):
            if isinstance(leaf, Place):
                found.append(float(next(total)) if summed else next(column))
            elif isinstance(leaf, int | float | np.number) and not isinstance(leaf, bool):
                found.append(float(leaf) * count if summed else np.full(n, float(leaf)))
            else:
                found.append(leaf)
        return found


class Batched(Compiled):
    """What :func:`vmap` returns: call it with rows."""

    def __init__(self, function: Callable[..., Any], in_axes: Axes, backend: str | None,
                 max_recordings: int, sums: Sums = False) -> None:
        super().__init__(function, backend, max_recordings)
        self.in_axes = in_axes
        self.sums = sums

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        axes = self._axes(len(arguments))
        columns = [None if axis is None else _Column(argument, axis, i)
                   for i, (argument, axis) in enumerate(zip(arguments, axes, strict=True))]
        n = _common_length(columns)
        rows = _Rows(arguments, keywords, columns, n)
        if value.recorder is not None or rows.hold_values():
            return self._stacked([self.function(*rows.row(i), **keywords) for i in range(n)])
        if n == 0:
            raise ValueError("vmap needs at least one row: without one, the shape of the result "
                             "is not known")
        return self._run(rows, keywords)

    def _axes(self, count: int) -> tuple[int | None, ...]:
        if not isinstance(self.in_axes, tuple):
            return (self.in_axes,) * count
        if len(self.in_axes) != count:
            raise TypeError(f"in_axes has {len(self.in_axes)} entries, but the function was called "
                            f"with {count} positional argument(s); keywords are shared by all rows")
        return self.in_axes

    def _run(self, rows: _Rows, keywords: dict[str, Any]) -> Any:
        """Run every branch that is known on the rows that take it, and record the others."""
        key, scalars, lines = rows.taken_apart()
        replays = self._replays.get(key, []) if self._is_unchanged() else []
        gathered = _Gathered(rows.n)
        pending = np.arange(rows.n)
        for replay in list(replays):
            pending = self._run_branch(replay, scalars, lines, pending, gathered)
            if not len(pending):
                break
        while len(pending):
            if self.n_recordings >= self.max_recordings:
                pending = self._run_row(rows, keywords, pending, gathered)
                continue
            replay = self._recorded_replay(key, rows, int(pending[0]), keywords)
            left = self._run_branch(replay, scalars, lines, pending, gathered)
            if len(left) and left[0] == pending[0]:  # a guard that no number passes, such as nan
                left = self._run_row(rows, keywords, pending, gathered)
            pending = left
        self._refuse_not_finite(rows, keywords, gathered)
        return gathered.result()

    def _recorded_replay(self, key: Any, rows: _Rows, i: int,
                         keywords: dict[str, Any]) -> RowsReplay:
        try:
            recording = self._recorded(key, rows.row(i), keywords)
        except DOMAIN_ERRORS as error:
            raise _of_row(error, i) from None
        replay = RowsReplay(recording, rows.is_row(), self.sums, self.backend)
        self._replays.setdefault(key, []).append(replay)
        return replay

    @staticmethod
    def _run_branch(replay: RowsReplay, scalars: list[float], lines: list[Array], pending: Array,
                    gathered: _Gathered) -> Array:
        """Run the rows that take a branch; the others are returned."""
        chosen = lines if len(pending) == gathered.n else [line[pending] for line in lines]
        leaves, holds = replay(scalars, chosen)
        if holds.all():
            gathered.add(replay.skeleton, replay.sums, leaves, pending, None)
            return pending[:0]
        if holds.any():
            gathered.add(replay.skeleton, replay.sums, leaves, pending[holds], holds)
        rest: Array = pending[~holds]
        return rest

    def _run_row(self, rows: _Rows, keywords: dict[str, Any], pending: Array,
                 gathered: _Gathered) -> Array:
        """The first of the rows, by the eager engine."""
        row = self._eager_row(rows, int(pending[0]), keywords)
        leaves = [np.array([leaf]) if isinstance(leaf, float) else leaf for leaf in _leaves(row)]
        flags = _flags(row, self.sums)
        leaves = [float(leaf[0]) if flag and isinstance(leaf, np.ndarray) else leaf
                  for leaf, flag in zip(leaves, flags, strict=True)]
        gathered.add(mapped(row, lambda leaf: Place(0) if isinstance(leaf, float) else leaf),
                     flags, leaves, pending[:1], None)
        return pending[1:]

    def _eager_row(self, rows: _Rows, i: int, keywords: dict[str, Any]) -> Any:
        try:
            return _plain(self._eagerly(rows.row(i), keywords))
        except DOMAIN_ERRORS as error:
            raise _of_row(error, i) from None

    def _refuse_not_finite(self, rows: _Rows, keywords: dict[str, Any],
                           gathered: _Gathered) -> None:
        """Where something is not finite, let the eager engine say so, if it objects."""
        for i in gathered.not_finite():
            self._eager_row(rows, int(i), keywords)

    def _stacked(self, results: list[Any]) -> Any:
        """The results of all rows, computed eagerly, put together."""
        if not results:
            raise ValueError("vmap needs at least one row")
        leaves = [_leaves(result) for result in results]
        flags = _flags(results[0], self.sums)
        columns = iter([_total(column) if flag else as_array(list(column), (len(results),))
                        for column, flag in zip(zip(*leaves, strict=True), flags, strict=True)])
        return _assembled(results[0], lambda leaf: next(columns), len(results))

    def __compose__(self, transform: Callable[..., Any], *options: Any) -> Any:
        """Derivatives of the sum over all rows: by shared arguments they are sums."""
        key = (transform, options)
        if key not in self._derived:
            self._derived[key] = self._transformed(transform, *options)
        return self._derived[key]

    def _transformed(self, transform: Callable[..., Any], *options: Any) -> Any:
        if transform in (hvp_of, jvp_of):
            return self._along(transform)
        argnums = options[0]
        summed = self._is_shared(argnums)
        if transform is value_and_grad:
            sums: Sums = (False, summed)
        elif transform is grad:
            sums = summed
        else:
            _refuse_blocks(transform, summed)
            is_single = isinstance(argnums, int)
            sums = transform is hessian and (
                True if is_single else tuple((True,) * len(argnums) for _ in argnums))
        return Batched(transform(self.function, *options), self.in_axes, self.backend,
                       self.max_recordings, sums)

    def _is_shared(self, argnums: int | tuple[int, ...]) -> Sums:
        if not isinstance(self.in_axes, tuple):
            shared = self.in_axes is None
            return shared if isinstance(argnums, int) else (shared,) * len(argnums)
        if isinstance(argnums, int):
            return self.in_axes[argnums] is None
        return tuple(self.in_axes[position] is None for position in argnums)

    def _along(self, transform: Callable[..., Any]) -> Callable[..., Any]:
        """hvp and jvp, functions of (primals, tangents), of which each part has its own axis."""
        def derivative(primals: Any, tangents: Any) -> Any:
            is_tuple = isinstance(primals, tuple)
            parts = primals if is_tuple else (primals,)
            directions = tangents if is_tuple else (tangents,)
            count = len(parts)
            key = (transform, count)
            if key not in self._derived:
                self._derived[key] = self._with_directions(transform, count)
            result = self._derived[key](*parts, *directions)
            return result if is_tuple or transform is jvp_of else result[0]

        return derivative

    def _with_directions(self, transform: Callable[..., Any], count: int) -> Batched:
        along = transform(self.function)

        def one_row(*both: Any) -> Any:
            return along(both[:count], both[count:])

        axes = self._axes(count)
        sums = tuple(axis is None for axis in axes) if transform is hvp_of else False
        return Batched(update_wrapper(one_row, self.function), (*axes, *axes), self.backend,
                       self.max_recordings, sums)


def _refuse_blocks(transform: Callable[..., Any], summed: Sums) -> None:
    if summed is not True and not (isinstance(summed, tuple) and all(summed)):
        name = transform.__name__
        raise TypeError(f"{name}(vmap(f)) by an argument that differs by row would be a matrix of "
                        f"blocks, all of them 0 but one for each row; write vmap({name}(f)) for "
                        "those")


class _Column:
    """An argument that differs by row, with its rows along the first axis."""

    def __init__(self, argument: Any, axis: int, position: int) -> None:
        try:
            array = np.asarray(argument)
        except ValueError:
            raise ValueError(f"argument {position} of a vmapped function has rows of different "
                             "lengths") from None
        if isinstance(argument, dict) or not array.ndim:
            raise TypeError(f"argument {position} of a vmapped function must be an array or a list "
                            f"with one entry for each row, not {type(argument).__name__}; for one "
                            "that all rows share write None in its place in in_axes")
        if not -array.ndim <= axis < array.ndim:
            raise ValueError(f"argument {position} has the shape {array.shape} and no axis {axis}")
        self.array = np.moveaxis(array, axis, 0)
        self.as_list = isinstance(argument, list | tuple)

    def row(self, i: int) -> Any:
        part = self.array[i]
        if isinstance(part, np.ndarray):
            return part.tolist() if self.as_list else part
        return part if part.__class__ is Value else part.item()


def _common_length(columns: Sequence[_Column | None]) -> int:
    lengths = {i: len(column.array) for i, column in enumerate(columns) if column is not None}
    if not lengths:
        raise TypeError("vmap needs an argument that differs by row; in_axes is None for all")
    if len(set(lengths.values())) > 1:
        raise ValueError("the arguments have different numbers of rows: " + ", ".join(
            f"argument {i} has {length}" for i, length in lengths.items()))
    return next(iter(lengths.values()))


class _Rows:
    """The arguments of a call, row by row."""

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any],
                 columns: Sequence[_Column | None], n: int) -> None:
        self.arguments, self.keywords, self.columns, self.n = arguments, keywords, columns, n

    def row(self, i: int) -> tuple[Any, ...]:
        """What the function of one row is called with."""
        return tuple(argument if column is None else column.row(i)
                     for argument, column in zip(self.arguments, self.columns, strict=True))

    def hold_values(self) -> bool:
        """Whether a Value is among the arguments."""
        try:
            for argument in (*self.row(0), *self.keywords.values()) if self.n else ():
                signature(argument, [])
        except HoldsValues:
            return True
        return any(column is not None and column.array.dtype == object
                   and any(item.__class__ is Value for item in column.array.flat)
                   for column in self.columns)

    def taken_apart(self) -> tuple[Any, list[float], list[Array]]:
        """What a recording is made for, the shared numbers, and the others: k arrays of n."""
        scalars: list[float] = []
        lines: list[Array] = []
        key: list[Any] = []
        for argument, column in zip(self.arguments, self.columns, strict=True):
            if column is None:
                key.append(signature(argument, scalars))
            else:
                key.append(("row", signature(column.row(0), [])))
                lines += list(column.array.astype(float, copy=False).reshape(self.n, -1).T)
        key += [(name, signature(item, scalars)) for name, item in self.keywords.items()]
        return tuple(key), scalars, lines

    def is_row(self) -> list[bool]:
        """For each number among the arguments of one row whether it differs by row."""
        flags: list[bool] = []
        for argument, column in zip(self.row(0), self.columns, strict=True):
            numbers: list[float] = []
            signature(argument, numbers)
            flags += [column is not None] * len(numbers)
        for item in self.keywords.values():
            numbers = []
            signature(item, numbers)
            flags += [False] * len(numbers)
        return flags


class _Gathered:
    """The results of all rows, as the branches deliver them."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.skeleton: Any = None
        self.sums: list[bool] = []
        self.leaves: list[Any] = []

    def add(self, skeleton: Any, sums: list[bool], leaves: list[Any], places: Array,
            holds: Array | None) -> None:
        """Take what one branch computed for the rows at these places."""
        if self.skeleton is None and len(places) == self.n:
            self.skeleton, self.sums, self.leaves = skeleton, sums, leaves
            return
        if self.skeleton is None:
            self.skeleton, self.sums = skeleton, sums
            self.leaves = [(0.0 if summed else np.empty(self.n))
                           if isinstance(leaf, float | np.ndarray) else leaf
                           for leaf, summed in zip(leaves, sums, strict=True)]
        _refuse_other_structure(self.skeleton, skeleton)
        for i, (leaf, summed) in enumerate(zip(leaves, sums, strict=True)):
            if summed and isinstance(leaf, float):
                self.leaves[i] += leaf
            elif isinstance(leaf, np.ndarray):
                self.leaves[i][places] = leaf if holds is None else leaf[holds]

    def not_finite(self) -> Array:
        """The rows at which something is not finite; all of them if a sum is not."""
        wrong = np.zeros(self.n, dtype=bool)
        for leaf in self.leaves:
            if isinstance(leaf, float):
                wrong[:] |= not math.isfinite(leaf)
            elif isinstance(leaf, np.ndarray) and not _has_finite_sum(leaf):
                wrong |= ~np.isfinite(leaf)
        return np.flatnonzero(wrong)

    def result(self) -> Any:
        """The structure that the function returns, with the rows along a first axis."""
        leaves = iter(self.leaves)
        return _assembled(self.skeleton, lambda leaf: next(leaves), self.n)


def _has_finite_sum(column: Array) -> bool:
    """Quick, and never true where something is not finite."""
    with np.errstate(all="ignore"):
        return math.isfinite(np.add.reduce(column))


def _refuse_other_structure(first: Any, second: Any) -> None:
    def shape(skeleton: Any) -> str:
        return repr(mapped(skeleton, lambda leaf: 0 if isinstance(leaf, Place | float | int)
                           and not isinstance(leaf, bool) else leaf))

    if shape(first) != shape(second):
        raise TypeError("the function returns different structures for different rows: "
                        f"{shape(first)} and {shape(second)}")


def _assembled(skeleton: Any, take: Callable[[Any], Any], n: int) -> Any:
    """The structure around its leaves; an array of shape s becomes one of shape (n, \\*s)."""
    if isinstance(skeleton, Place) or not isinstance(skeleton, list | tuple | dict | np.ndarray):
        return take(skeleton)
    if isinstance(skeleton, np.ndarray):
        columns = [take(leaf) for leaf in skeleton.flat]
        if columns and not isinstance(columns[0], np.ndarray):  # sums
            return as_array(columns, skeleton.shape)
        if any(column.dtype == object for column in columns):
            flat = [item for row in zip(*columns, strict=True) for item in row]
            return as_array(flat, (n, *skeleton.shape))
        return np.stack(columns, axis=-1).reshape((n, *skeleton.shape))
    if isinstance(skeleton, dict):
        return {key: _assembled(item, take, n) for key, item in skeleton.items()}
    parts = [_assembled(item, take, n) for item in skeleton]
    if isinstance(skeleton, tuple):
        return type(skeleton)(*parts) if hasattr(skeleton, "_fields") else tuple(parts)
    return parts


def _leaves(structure: Any) -> list[Any]:
    found: list[Any] = []
    mapped(structure, found.append)
    return found


def _flags(structure: Any, sums: Sums) -> list[bool]:
    """For each leaf of a structure whether it is summed."""
    if isinstance(sums, bool):
        return [sums] * len(_leaves(structure))
    return [flag for part, wish in zip(structure, sums, strict=True)
            for flag in _flags(part, wish)]


def _plain(structure: Any) -> Any:
    """The same structure with every number a float."""
    return mapped(structure, lambda leaf: float(leaf) if isinstance(leaf, int | float | np.number)
                  and not isinstance(leaf, bool) else leaf)


def _total(column: Sequence[Any]) -> Any:
    total = column[0]
    for item in column[1:]:
        total = total + item
    return total


def _of_row(error: Exception, i: int) -> Exception:
    return type(error)(f"row {i}: {error}")


def vmap(function: Callable[..., Any], in_axes: Axes = 0, *, backend: str | None = None,
         max_recordings: int = 100) -> Any:
    """Map a function over rows: recorded for one row, run on all of them at machine speed.

    ``vmap(f)(xs)`` is ``[f(x) for x in xs]``, as arrays. Python's control flow works: rows that
    take different branches are computed in groups.

    ``vmap(grad(f))`` gives a gradient for each row. ``grad(vmap(f))`` and
    ``value_and_grad(vmap(f))`` differentiate the sum over the rows: by an argument that all rows share (the weights of a
    model) the gradient is the sum of the rows' gradients, by one that differs by row it is each
    row's own; the value is still one for each row.

    Args:
        function: of one row; takes and returns numbers, sequences, arrays, dictionaries.
        in_axes: for each positional argument the axis along which its rows lie, or None for an
            argument that all rows share; one entry for all, or a tuple. Keywords are shared.
        backend: "llvm", "numpy" or "python"; None takes the quickest that is installed.
        max_recordings: from then on rows whose branch is not recorded are computed eagerly.

    Returns:
        A function of the same arguments. Each number that the function returns becomes an array
        of shape (n,), each array of shape s one of shape (n, \\*s).

    Raises:
        TypeError, ValueError: when called, for arguments that have no rows or different numbers
            of them.
        ValueError, ZeroDivisionError, OverflowError: when called, outside a domain; the message
            is the eager engine's and names the row.
    """
    inner = getattr(function, "function", function) if hasattr(function, "__compose__") and (
        not isinstance(function, Batched)) else function
    return Batched(inner, in_axes, backend, max_recordings)


