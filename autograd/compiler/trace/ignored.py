"""Counters: what a function changes and a replay may leave out, for no result hangs on it.

``jit(f, ignore=("nfev",))`` names it. While the function is recorded, a stand-in takes the place of
each such number and list: it can be counted up and appended to, and refuses to be compared,
computed with, or returned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from numbers import Real
from typing import Any, NamedTuple

from autograd.core.attributes import MISSING
from autograd.core.pytrees import is_container, leaves_of
from autograd.core.value import Value

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def checked(ignore: Any) -> tuple[str, ...]:
    """The names that ``ignore`` lists.

    Raises:
        TypeError: for something else than a name or a sequence of names.
        ValueError: for a text that is no name.
    """
    names = (ignore,) if isinstance(ignore, str) else ignore
    if not isinstance(names, list | tuple | set | frozenset) or not all(
            isinstance(name, str) for name in names):
        raise TypeError(f'ignore={ignore!r} must be a tuple of names, such as ("nfev",)')
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"ignore names {name!r}, which is no name; write that of a variable "
                             'or an attribute, such as "nfev" or "self.count.nfev"')
    return tuple(sorted(names)) if isinstance(names, set | frozenset) else tuple(names)


def is_named(path: str, names: Collection[str]) -> bool:
    """Whether something is named by how it is reached: by its last parts, "self" being any object.

    Args:
        path: where it is, as ``problem.count.nfev``.
        names: what is ignored.
    """
    parts = path.split(".")
    for name in names:
        wanted = name.removeprefix("self.").split(".")
        if parts[-len(wanted):] == wanted:
            return True
    return False


class Slot(NamedTuple):
    """Where something that is ignored is kept."""

    name: str
    get: Callable[[], Any]
    set: Callable[[Any], None]


class Guard:
    """What knows of the stand-ins of one recording.

    Attributes:
        is_on: whether the function is still being recorded; afterwards they are as good as numbers.
        refusal: why it must not be replayed, None if nothing was refused.
    """

    def __init__(self, error: type[Exception]) -> None:
        self.is_on = True
        self.error = error
        self.refusal: Exception | None = None

    def refuse(self, name: str, what: str) -> None:
        """Raise the error; it stays one if the function catches it."""
        self.refusal = self.error(
            f"ignore names {name}, but {what}: what a replay leaves out must not influence a "
            "result. Take it out of ignore, or out of the computation")
        raise self.refusal


@contextmanager
def standing_in(slots: Sequence[Slot], error: type[Exception],
                is_kept: bool) -> Iterator[Guard]:
    """Inside, stand-ins take the place of what is ignored.

    Args:
        slots: where that is.
        error: what to raise where a result hangs on it.
        is_kept: whether what the function has counted stays counted.

    Raises:
        TypeError: for something that can have no stand-in.
    """
    guard, before = Guard(error), [slot.get() for slot in slots]
    stand_ins = [_stand_in(slot.name, item, guard)
                 for slot, item in zip(slots, before, strict=True)]
    for slot, stand_in in zip(slots, stand_ins, strict=True):
        slot.set(stand_in)
    try:
        yield guard
    except Exception:
        if guard.refusal is not None:
            raise guard.refusal from None
        raise
    finally:
        guard.is_on = False
        for slot, item, stand_in in zip(slots, before, stand_ins, strict=True):
            after = slot.get()
            slot.set(_restored(item, after, stand_in) if is_kept else item)
    if guard.refusal is not None:
        raise guard.refusal


def without_stand_ins(slots: Iterable[Slot]) -> None:
    """Put numbers in the place of stand-ins that the function has stored anew."""
    for slot in slots:
        if isinstance(item := slot.get(), _Number):
            slot.set(item.number)


def watched(function: Callable[..., Any], guard: Guard) -> Callable[..., Any]:
    """The function, that may not return what is ignored."""
    @wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        result = function(*arguments, **keywords)
        for leaf in leaves_of(result):
            if isinstance(leaf, _Number | _List):
                guard.refuse(leaf.name, "it is returned")
        return result

    return call


def _stand_in(name: str, item: Any, guard: Guard) -> Any:
    if isinstance(item, Real) and not isinstance(item, Value):
        return _Number(name, item, guard)
    if item.__class__ is list:
        return _List(name, item, guard)
    raise TypeError(f"ignore names {name}, which is a {type(item).__name__}; it can name numbers, "
                    "and lists that the function appends to")


def _restored(before: Any, after: Any, stand_in: Any) -> Any:
    """What is to be kept after the recording."""
    if after is stand_in and isinstance(stand_in, _List):
        before.extend(map(_plain, stand_in.added))
        return before
    return _plain(after)


def _plain(item: Any) -> Any:
    if isinstance(item, _Number):
        return item.number
    return item._data if isinstance(item, Value) else item


class _Number:
    """Stands for a number that is ignored: it is counted with other numbers, and no more."""

    def __init__(self, name: str, number: Any, guard: Guard) -> None:
        self.name, self.number, self.guard = name, number, guard

    def __repr__(self) -> str:
        return repr(self.number)

    def __format__(self, spec: str) -> str:
        return format(self.number, spec)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        self._alone("it is computed with")
        return getattr(ufunc, method)(*map(_plain, inputs), **options)

    def _alone(self, what: str) -> Any:
        """The number itself, once nothing is recorded any more."""
        if self.guard.is_on:
            self.guard.refuse(self.name, what)
        return self.number


def _counting(operation: str) -> Callable[..., Any]:
    def method(self: _Number, *others: Any) -> Any:
        if any(is_container(other) or isinstance(other, Value) for other in others):
            self._alone("it is computed with")
        numbers = [other.number if isinstance(other, _Number) else other for other in others]
        result = getattr(self.number, operation)(*numbers)
        if result is NotImplemented and numbers:  # an int and a float
            result = getattr(float(self.number), operation)(*numbers)
        if result is NotImplemented:
            return result
        return _Number(self.name, result, self.guard) if self.guard.is_on else result

    return method


def _refused(operation: str, what: str) -> Callable[..., Any]:
    def method(self: _Number, *others: Any) -> Any:
        number = self._alone(what)
        if operation == "__bool__":
            return bool(number)
        if operation in ("__int__", "__float__"):
            return (int if operation == "__int__" else float)(number)
        return getattr(number, operation)(*[_plain(other) for other in others])

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(_Number, f"__{_name}__", _counting(f"__{_name}__"))
    setattr(_Number, f"__r{_name}__", _counting(f"__r{_name}__"))
for _name in ("neg", "pos", "abs"):
    setattr(_Number, f"__{_name}__", _counting(f"__{_name}__"))
for _name in ("lt", "le", "gt", "ge", "eq", "ne", "bool", "hash"):
    setattr(_Number, f"__{_name}__", _refused(f"__{_name}__", "the function decides by it"))
for _name in ("int", "float", "index", "round", "trunc", "floor", "ceil", "divmod"):
    setattr(_Number, f"__{_name}__", _refused(f"__{_name}__", "it is computed with"))


class _List(list[Any]):
    """Stands for a list that is ignored: one may append to it, and no more."""

    def __init__(self, name: str, items: list[Any], guard: Guard) -> None:
        super().__init__(items)
        self.name, self.guard, self.added = name, guard, list[Any]()

    def append(self, item: Any) -> None:
        """Append an item; the list gets it when the recording is over."""
        self.added.append(item)
        super().append(item)

    def extend(self, items: Iterable[Any]) -> None:
        """Append items."""
        for item in items:
            self.append(item)

    def __iadd__(self, items: Iterable[Any]) -> _List:  # type: ignore[misc]
        self.extend(items)
        return self


def _reading(operation: str) -> Callable[..., Any]:
    def method(self: _List, *others: Any, **options: Any) -> Any:
        if self.guard.is_on:
            self.guard.refuse(self.name, "the function reads it, or removes from it")
        return getattr(list, operation)(self, *others, **options)

    return method


for _name in ("getitem", "setitem", "delitem", "len", "iter", "contains", "add", "mul", "imul",
              "rmul", "reversed", "eq", "ne", "lt", "le", "gt", "ge"):
    setattr(_List, f"__{_name}__", _reading(f"__{_name}__"))
for _name in ("pop", "remove", "clear", "insert", "sort", "reverse", "index", "count", "copy"):
    setattr(_List, _name, _reading(_name))


def of_entry(name: str, space: Any, key: str) -> Slot:
    """The slot of a variable of a module, or of an attribute in a dictionary."""
    def put(item: Any) -> None:
        space[key] = item

    return Slot(name, lambda: space[key], put)


def of_cell(name: str, cell: Any) -> Slot:
    """The slot of a variable of an outer function."""
    def put(item: Any) -> None:
        cell.cell_contents = item

    return Slot(name, lambda: cell.cell_contents, put)


def of_attribute(name: str, item: Any, key: str) -> Slot:
    """The slot of an attribute of an object or a class."""
    return Slot(name, lambda: getattr(item, key, MISSING), lambda part: setattr(item, key, part))
