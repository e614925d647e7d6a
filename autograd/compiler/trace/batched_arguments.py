"""The arguments of a vmapped function: which differ by row, and what they hold, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.compiler.trace.arguments import signature, static_signature
from autograd.core.typing import Array


class Column:
    """An argument that differs by row.

    Args:
        argument: an array, a list or tuple with an item for each row, or a dictionary of them.
        axis: along which the rows lie.
        position: the argument's place in the call, for errors.

    Raises:
        TypeError, ValueError: for something that has no rows along that axis.
    """

    def __init__(self, argument: Any, axis: int, position: int) -> None:
        self.position = position
        self.parts: dict[Any, Column] | None = None  # of a dictionary
        self.rows: Any = ()
        if isinstance(argument, dict):
            self.parts = {key: Column(item, axis, position) for key, item in argument.items()}
        elif isinstance(argument, list | tuple) and axis == 0:
            self.rows = argument
        else:
            array = _moved(argument, axis, position)
            is_list = isinstance(argument, list | tuple)
            self.rows = array.tolist() if is_list else array

    def lengths(self) -> list[int]:
        """The numbers of rows that are found in it; they should be equal."""
        if self.parts is None:
            return [len(self.rows)]
        return [length for part in self.parts.values() for length in part.lengths()]

    def row(self, i: int) -> Any:
        """What the function of one row is given."""
        if self.parts is not None:
            return {key: part.row(i) for key, part in self.parts.items()}
        item = self.rows[i]
        return item.item() if isinstance(item, np.generic) else item  # Python's own arithmetic

    def lines(self) -> list[Array]:
        """The numbers: for each one in a row an array with all rows.

        Raises:
            HoldsValues: when there are Values among them.
            TypeError: when the rows differ in more than numbers.
        """
        if self.parts is not None:
            return [line for part in self.parts.values() for line in part.lines()]
        try:
            array = np.asarray(self.rows)
        except ValueError:  # rows of different shapes, or rows that are no arrays
            return self._lines_of_any()
        if array.dtype.kind == "b":
            raise TypeError(f"argument {self.position} of a vmapped function holds truth values, "
                            "no numbers; write np.asarray(argument, dtype=float)")
        first: list[float] = []
        signature(self.row(0), first)
        if array.dtype.kind not in "iuf" or array[0].size != len(first):
            return self._lines_of_any()
        return list(array.astype(float, copy=False).reshape(len(array), -1).T)

    def _lines_of_any(self) -> list[Array]:
        """The numbers of rows that are structures of any kind, one row at a time."""
        numbers: list[float] = []
        kind: Any = None
        for i in range(len(self.rows)):
            found = signature(self.row(i), numbers)
            if i == 0:
                kind = found
            elif found != kind:
                raise TypeError(f"rows 0 and {i} of argument {self.position} differ in more than "
                                f"their numbers: {self.row(0)!r} and {self.row(i)!r}")
        return list(np.array(numbers).reshape(len(self.rows), -1).T)


def _moved(argument: Any, axis: int, position: int) -> Array:
    """The argument as an array with its rows along the first axis."""
    try:
        array = np.asanyarray(argument)  # what holds Values stays what it is
    except ValueError:
        raise ValueError(f"argument {position} of a vmapped function has rows of different "
                         "lengths") from None
    if not array.ndim:
        raise TypeError(f"argument {position} of a vmapped function must be an array or a list "
                        f"with one entry for each row, not {type(argument).__name__}; for one "
                        "that all rows share write None in its place in in_axes")
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"argument {position} has the shape {array.shape} and no axis {axis}")
    return np.moveaxis(array, axis, 0)


class Rows:
    """The arguments of a call of a vmapped function.

    Args:
        arguments, keywords: of the call.
        axes: for each positional argument where its rows lie, or None if all rows share it.
        static: the positions of arguments that are handed over as they are.

    Attributes:
        n: the number of rows.

    Raises:
        TypeError, ValueError: for arguments without rows, or with different numbers of them.
    """

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any],
                 axes: Sequence[int | None], static: frozenset[int]) -> None:
        self.arguments, self.keywords, self.static = arguments, keywords, static
        self.columns = [None if axis is None else Column(argument, axis, i)
                        for i, (argument, axis) in enumerate(zip(arguments, axes, strict=True))]
        self.n = _common_length(self.columns)

    def row(self, i: int) -> tuple[Any, ...]:
        """The positional arguments of one row."""
        return tuple(argument if column is None else column.row(i)
                     for argument, column in zip(self.arguments, self.columns, strict=True))

    def taken_apart(self) -> Parts:
        """What the call was made with: numbers, and all else.

        Raises:
            HoldsValues: when there are Values among the arguments.
        """
        parts = Parts()
        for i, (argument, column) in enumerate(zip(self.arguments, self.columns, strict=True)):
            if column is not None:
                parts.add_rows(column)
            elif i in self.static:
                parts.kinds.append(static_signature(argument, i))
            else:
                parts.add_shared(argument)
        for name, argument in self.keywords.items():
            parts.kinds.append(name)
            parts.add_shared(argument)
        return parts


def _common_length(columns: Sequence[Column | None]) -> int:
    lengths = [(column.position, length) for column in columns if column is not None
               for length in column.lengths()]
    if not lengths:
        raise TypeError("vmap needs a positional argument that differs by row; those whose axis "
                        "is None, and keywords, are shared by all rows")
    if len({length for _, length in lengths}) > 1:
        raise ValueError("the arguments have different numbers of rows: " + ", ".join(
            f"argument {position} has {length}" for position, length in lengths))
    return lengths[0][1]


class Parts:
    """The numbers of a call, told apart into those that rows share and those that they do not.

    Attributes:
        kinds: what the arguments are but for their numbers.
        shared: the numbers that all rows share.
        lines: the others: for each number of a row an array with all rows.
        is_row: for each number among the arguments of one row, in order, whether it differs by row.
    """

    def __init__(self) -> None:
        self.kinds: list[Any] = []
        self.shared: list[float] = []
        self.lines: list[Array] = []
        self.is_row: list[bool] = []

    @property
    def key(self) -> Any:
        """What a recording is made for."""
        return tuple(self.kinds)

    def numbers(self, i: int) -> list[float]:
        """The numbers among the arguments of one row, in order."""
        shared, lines = iter(self.shared), iter(self.lines)
        return [float(next(lines)[i]) if is_row else next(shared) for is_row in self.is_row]

    def add_shared(self, argument: Any) -> None:
        """Take an argument that all rows share."""
        before = len(self.shared)
        self.kinds.append(signature(argument, self.shared))
        self.is_row += [False] * (len(self.shared) - before)

    def add_rows(self, column: Column) -> None:
        """Take an argument that differs by row."""
        self.kinds.append(("row", signature(column.row(0), [])))
        lines = column.lines()
        self.lines += lines
        self.is_row += [True] * len(lines)
