"""Many checks of what a function captures as one, for each replay waits for all of them.

Nearly always everything is the very object that it was, which a loop sees in some 30 ns each; a
call of a function for each would take five times as long. Where something is another object, the
checks themselves say whether that is a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from operator import is_
from types import CellType, FunctionType
from typing import Any

from autograd.core.attributes import MISSING

Check = Callable[[], bool]


class EntryCheck:
    """Whether a dictionary of variables or attributes holds what it held before.

    Args:
        space: the dictionary, or that of a class.
        name: the key.
        before: what it held.
        is_same: whether another object is as good.
        is_plain: whether it is a dictionary of no class of its own, or that of a class.
    """

    __slots__ = ("before", "is_plain", "is_same", "name", "space")

    def __init__(self, space: Any, name: str, before: Any, is_same: Callable[[Any, Any], bool],
                 is_plain: bool) -> None:
        self.space, self.name, self.before = space, name, before
        self.is_same, self.is_plain = is_same, is_plain

    def __call__(self) -> bool:
        now = self.space.get(self.name, MISSING)
        return now is self.before or self.is_same(now, self.before)


class FunctionCheck:
    """Whether a function does what it did: autoreload replaces its code."""

    __slots__ = ("before", "function")

    def __init__(self, function: FunctionType) -> None:
        self.function = function
        self.before = function.__code__, function.__defaults__, function.__kwdefaults__

    def __call__(self) -> bool:
        code, defaults, keywords = self.before
        function = self.function
        return (function.__code__ is code and function.__defaults__ is defaults
                and function.__kwdefaults__ is keywords)


class CellCheck:
    """Whether a variable of an outer function holds what it held."""

    __slots__ = ("before", "cell", "is_same")

    def __init__(self, cell: CellType, before: Any, is_same: Callable[[Any, Any], bool]) -> None:
        self.cell, self.before, self.is_same = cell, before, is_same

    def __call__(self) -> bool:
        return self.is_same(content_of(self.cell), self.before)


def content_of(cell: CellType) -> Any:
    """What is in a cell; MISSING for a variable that has no value yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


class ObjectCheck:
    """Whether an object has its class and as many attributes as before: a new one may hide one of
    the class."""

    __slots__ = ("cls", "count", "item", "space")

    def __init__(self, item: Any, space: dict[str, Any]) -> None:
        self.item, self.space, self.count, self.cls = item, space, len(space), type(item)

    def __call__(self) -> bool:
        return (len(self.space) == self.count and self.item.__class__ is self.cls
                and self.item.__dict__ is self.space)


class ClassCheck:
    """Whether a class has as many attributes as before, and inherits from the same ones."""

    __slots__ = ("bases", "cls", "count", "space")

    def __init__(self, cls: type) -> None:
        self.cls, self.space, self.count, self.bases = cls, vars(cls), len(vars(cls)), cls.__bases__

    def __call__(self) -> bool:
        return len(self.space) == self.count and self.cls.__bases__ is self.bases


class AbsenceCheck:
    """Whether a dictionary holds none of some names."""

    __slots__ = ("names", "space")

    def __init__(self, space: dict[str, Any], names: frozenset[str]) -> None:
        self.space, self.names = space, names

    def __call__(self) -> bool:
        return self.space.keys().isdisjoint(self.names)


class ReadingCheck:
    """Whether what a function reads is as before; the same object certainly is.

    Args:
        read: a function of the item; AttributeError says that there is nothing.
        item: what is read.
        before: what it read before.
        full: the check itself.
    """

    __slots__ = ("before", "full", "item", "read")

    def __init__(self, read: Callable[[Any], Any], item: Any, before: Any, full: Check) -> None:
        self.read, self.item, self.before, self.full = read, item, before, full

    def __call__(self) -> bool:
        return self.full()


class ContentCheck:
    """Whether a list, set or dictionary holds what it held; with the same objects it certainly is.

    Args:
        items: of one of Python's own classes, whose methods are known.
        before: what it held, in order; of a dictionary the keys.
        values: what a dictionary held under them; None for anything else.
        full: the check itself.
    """

    __slots__ = ("before", "full", "items", "values")

    def __init__(self, items: Any, before: Sequence[Any], values: Sequence[Any] | None,
                 full: Check) -> None:
        self.items, self.before, self.values, self.full = items, before, values, full

    def __call__(self) -> bool:
        return self.full()


def joined(checks: Iterable[Check], writes: bool = True) -> list[Check]:
    """Fewer checks, all of which hold exactly where all of the given ones hold.

    Args:
        checks: the given ones.
        writes: whether a few are written out, which takes a thousand times as long as to make them.
    """
    ours: dict[type, list[Any]] = {kind: [] for kind in (
        EntryCheck, FunctionCheck, CellCheck, ObjectCheck, ClassCheck, AbsenceCheck, ReadingCheck,
        ContentCheck)}
    others: list[Check] = []
    for check in checks:
        # What a dictionary of another class does where a name is missing, nobody knows; and to
        # look for what was missing is an error each time.
        is_ours = (check.__class__ in ours and getattr(check, "is_plain", True)
                   and getattr(check, "before", None) is not MISSING)
        (ours[check.__class__] if is_ours else others).append(check)
    every = [check for kind in ours.values() for check in kind]
    return [_in_loops(ours, every, writes), *others] if every else others


def as_one(checks: Sequence[Check]) -> Check:
    """The check that all of some hold."""
    return checks[0] if len(checks) == 1 else lambda: all(check() for check in checks)


def _in_loops(checks: dict[type, list[Any]], every: Sequence[Check], writes: bool) -> Check:
    """All checks as one.

    What is the same object is seen here; of anything else the check itself is asked, and all of
    them where something has gone.
    """
    entries = [(c.space, c.name, c.before, c) for c in checks[EntryCheck]]
    functions = [(c.function, *c.before) for c in checks[FunctionCheck]]
    objects = [(c.item, c.cls, c.space, c.count) for c in checks[ObjectCheck]]
    classes = [(c.cls, c.bases, c.space, c.count) for c in checks[ClassCheck]]
    absences = list({(id(c.space), name): (c.space, name) for c in checks[AbsenceCheck]
                     for name in sorted(c.names)}.values())
    rarer = [_of_what_is_held(checks)] if (
        checks[CellCheck] or checks[ReadingCheck] or checks[ContentCheck]) else []
    kinds: tuple[Sequence[Any], ...] = entries, functions, objects, classes, absences, rarer
    counts = tuple(len(kind) for kind in kinds)
    if writes and sum(counts) <= WRITTEN_OUT:
        return _written_out(counts)(every, *chain(*kinds))

    def are_as_before() -> bool:
        try:
            for space, name, before, check in entries:
                if space[name] is not before and not check():
                    return False
            for function, code, defaults, keywords in functions:
                if (function.__code__ is not code or function.__defaults__ is not defaults
                        or function.__kwdefaults__ is not keywords):
                    return False
            for item, cls, space, count in objects:
                if len(space) != count or item.__class__ is not cls or item.__dict__ is not space:
                    return False
            for cls, bases, space, count in classes:
                if len(space) != count or cls.__bases__ is not bases:
                    return False
            for space, name in absences:
                if name in space:
                    return False
            return not rarer or rarer[0]()
        except (KeyError, ValueError, AttributeError):  # something has gone
            return all(check() for check in every)

    return are_as_before


@lru_cache(maxsize=256)
def _written_out(counts: tuple[int, ...]) -> Callable[..., Check]:
    """What makes the check of so many things of each kind, in the order of LINES.

    The loops of ``_in_loops``, unrolled: without the loops the same checks take a third of the
    time. The text hangs on the counts alone; what is checked comes in as arguments.
    """
    names: list[str] = []
    lines: list[str] = []
    for count, (parts, condition) in zip(counts, LINES, strict=True):
        for _ in range(count):
            own = {part: f"{part}{len(names)}" for part in parts.split()}
            names.append(", ".join(own.values()))
            lines.append(f"            if {condition.format(**own)}: return False")
    # A name alone is one argument, names with commas a tuple that is unpacked.
    unpacked = "\n".join(f"    {name} = a{i}" for i, name in enumerate(names))
    body = "\n".join(lines)
    text = f"""def maker(every, {", ".join(f"a{i}" for i in range(len(names)))}):
{unpacked}
    def are_as_before():
        try:
{body}
            return True
        except (KeyError, ValueError, AttributeError):  # something has gone
            return all(check() for check in every)
    return are_as_before
"""
    space: dict[str, Any] = {}
    exec(compile(text, "<joined checks>", "exec"), space)
    maker: Callable[..., Check] = space["maker"]
    return maker


WRITTEN_OUT = 40  # checks; to compile each takes some 40 us, once for all with the same counts
LINES = (  # the names of what is compared, and what must not be so
    ("space name before check", "{space}[{name}] is not {before} and not {check}()"),
    ("function code defaults keywords",
     "{function}.__code__ is not {code} or {function}.__defaults__ is not {defaults}"
     " or {function}.__kwdefaults__ is not {keywords}"),
    ("item cls space count",
     "len({space}) != {count} or {item}.__class__ is not {cls} or {item}.__dict__ is not {space}"),
    ("cls bases space count", "len({space}) != {count} or {cls}.__bases__ is not {bases}"),
    ("space name", "{name} in {space}"),
    ("rarer", "not {rarer}()"),
)


def _of_what_is_held(checks: dict[type, list[Any]]) -> Check:
    """The checks of outer variables, of what is read by a function, and of containers."""
    cells = [(c.cell, c.before, c) for c in checks[CellCheck]]
    readings = [(c.read, c.item, c.before, c) for c in checks[ReadingCheck]]
    contents = [(c.items, c.before, len(c.before), c) for c in checks[ContentCheck]]
    values = [(c.items.values, c.values, c) for c in checks[ContentCheck] if c.values is not None]

    def are_as_before() -> bool:
        for cell, before, check in cells:
            if cell.cell_contents is not before and not check():
                return False
        for read, item, before, check in readings:
            if read(item) is not before and not check():
                return False
        for items, before, count, check in contents:
            if (len(items) != count or not all(map(is_, items, before))) and not check():
                return False
        for now, before, check in values:
            if not all(map(is_, now(), before)) and not check():
                return False
        return True

    return are_as_before
