"""Watching: what a function reads besides its arguments, and whether it has changed.

A recording holds the numbers that the function found in variables of outer scopes, in lists, in
attributes of objects. Before each replay these are compared with what they were; a recording made
from other ones is thrown away.
"""

from __future__ import annotations

import io
import random
import sys
import sysconfig
import types
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from operator import is_
from typing import Any

import numpy as np

from ..primitives import Primitive
from ..value import Value, name_scope

_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib",
                                                          "platlib")})
_OURS = (__name__.split(".")[0], "nn")
_SOLID = (int, float, complex, str, bytes, type(None), np.generic, Value, Primitive, range, slice,
          name_scope)
_MISSING = object()

Check = Callable[[], bool]


class Watch:
    """What a function captures, as it was when the Watch was made.

    Args:
        function: any callable.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._checks: list[tuple[str, Check]] = []
        self._draws: list[tuple[str, Callable[[], Any], Any]] = []
        self.iterators: list[str] = []
        self._seen: dict[Any, Any] = {}  # keeps what it has seen, so that no id is used again
        self._pending: deque[tuple[str, Any, frozenset[str]]] = deque()
        self._later("the function", function, frozenset())
        while self._pending:
            self._visit(*self._pending.popleft())
        self._watch_draws("random", random.getstate)
        if "numpy.random" in sys.modules:
            self._watch_draws("numpy.random", lambda: np.random.get_state(legacy=False))
        self.quick = [check for _, check in self._checks]

    def changed(self) -> str | None:
        """The name of something that is not what it was, or None."""
        for name, check in self._checks:
            if not check():
                return name
        return None

    def drawn(self) -> str | None:
        """The name of a generator of random numbers that was drawn from, or None."""
        for name, state, before in self._draws:
            if repr(state()) != before:
                return name
        return None

    # --- the walk over what can be reached --------------------------------------------------------

    def _later(self, name: str, item: Any, attributes: frozenset[str]) -> None:
        key = (id(item), attributes if isinstance(item, types.ModuleType) else None)
        if isinstance(item, _SOLID) or key in self._seen:
            return
        self._seen[key] = item
        self._pending.append((name, item, attributes))

    def _visit(self, name: str, item: Any, attributes: frozenset[str]) -> None:
        """Watch one thing, and put what hangs on it into the queue."""
        if isinstance(item, types.FunctionType):
            self._function(item)
        elif isinstance(item, types.MethodType):
            self._later(name, item.__self__, attributes)
            self._later(name, item.__func__, attributes)
        elif isinstance(item, partial):
            for part in (item.func, list(item.args), dict(item.keywords)):
                self._later(name, part, attributes)
        elif isinstance(item, types.BuiltinFunctionType):
            self._later(name, item.__self__, attributes)  # random.random draws from an object
        elif isinstance(item, types.ModuleType):
            self._names(name, vars(item), attributes, functions=not _is_library(item))
        elif isinstance(item, type):
            if not _is_library(item):
                self._class(name, item)
        elif isinstance(item, list | tuple | deque):
            self._sequence(name, item, attributes)
        elif isinstance(item, dict):
            self._dictionary(name, item, attributes)
        elif isinstance(item, set | frozenset):
            before = frozenset(item)
            self._checks.append((name, lambda: item == before))
        elif isinstance(item, np.ndarray):
            self._array(name, item, attributes)
        else:
            self._object(name, item, attributes)

    def _function(self, function: types.FunctionType) -> None:
        attributes = frozenset(_names_in(function.__code__))
        names = function.__code__.co_freevars
        is_library = _is_library(function)
        for variable, cell in zip(names, function.__closure__ or (), strict=True):
            self._cell(variable, cell, attributes, is_library)
        for default in (function.__defaults__, function.__kwdefaults__):
            if default:
                self._later(f"a default of {function.__name__}", default, attributes)
        if not is_library:
            self._names("", function.__globals__, attributes, functions=True)

    def _cell(self, name: str, cell: types.CellType, attributes: frozenset[str],
              is_library: bool) -> None:
        content = _content(cell)
        self._later(name, content, attributes)
        if not is_library:  # a library's wrapper never sets its variables again
            self._checks.append((name, lambda: _is_same(_content(cell), content)))

    def _names(self, prefix: str, space: dict[str, Any], attributes: frozenset[str],
               functions: bool) -> None:
        """Those of the names that a function uses which a module defines."""
        for name in sorted(attributes & space.keys()):
            item = space[name]
            if not functions and callable(item):
                continue  # a library's own
            whole = f"{prefix}.{name}" if prefix else name
            self._later(whole, item, attributes)
            if not isinstance(item, types.ModuleType):
                self._checks.append((whole, _entry_check(space, name, item)))

    def _class(self, name: str, cls: type) -> None:
        for base in cls.__mro__:
            if not _is_library(base):
                for key, item in vars(base).items():
                    if isinstance(item, property):
                        self._later(f"{name}.{key}", item.fget, frozenset())
                    elif not key.startswith("__") or isinstance(item, types.FunctionType):
                        self._later(f"{name}.{key}", item, frozenset())
                        self._checks.append((f"{name}.{key}", _attribute_check(base, key, item)))

    def _sequence(self, name: str, items: Any, attributes: frozenset[str]) -> None:
        before = tuple(items)
        if not isinstance(items, tuple):
            self._checks.append((name, lambda: _are_same(items, before)))
        for i, item in enumerate(before):
            if not isinstance(item, _SOLID):
                self._later(f"{name}[{i}]", item, attributes)

    def _dictionary(self, name: str, items: dict[Any, Any], attributes: frozenset[str]) -> None:
        keys, before = list(items), tuple(items.values())
        self._checks.append((name, lambda: list(items) == keys
                             and _are_same(items.values(), before)))
        for key, item in zip(keys, before, strict=True):
            self._later(f"{name}[{key!r}]", item, attributes)

    def _array(self, name: str, array: np.ndarray[Any, Any], attributes: frozenset[str]) -> None:
        if array.dtype == object:
            items = list(array.flat)
            self._checks.append((name, lambda: _are_same(array.flat, items)))
            for item in items:
                self._later(name, item, attributes)
        elif array.flags.writeable or array.base is not None:
            before = array.tobytes()
            self._checks.append((name, lambda: array.tobytes() == before))

    def _object(self, name: str, item: Any, attributes: frozenset[str]) -> None:
        if isinstance(item, random.Random):
            self._watch_draws(name, item.getstate)
        elif isinstance(item, np.random.Generator):
            self._watch_draws(name, lambda: item.bit_generator.state)
        elif isinstance(item, np.random.RandomState):
            self._watch_draws(name, lambda: item.get_state(legacy=False))
        elif hasattr(item, "__next__") and not isinstance(item, io.IOBase):
            self.iterators.append(name)
        elif type(item).__module__.split(".")[0] != _OURS[0] or hasattr(item, "__compose__"):
            for key, part in _attributes(item):
                self._later(f"{name}.{key}", part, attributes)
                self._checks.append((f"{name}.{key}", _attribute_check(item, key, part)))
            self._later(type(item).__name__, type(item), attributes)

    def _watch_draws(self, name: str, state: Callable[[], Any]) -> None:
        self._draws.append((name, state, repr(state())))


def _names_in(code: types.CodeType) -> Iterator[str]:
    """All names that a function's code uses, its inner functions' included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _is_library(item: Any) -> bool:
    """Whether a function, class or module is of Python, of an installed package, or ours."""
    if isinstance(item, types.ModuleType):
        name = item.__name__
    elif isinstance(item, types.FunctionType):  # functools.wraps gives it another's __module__
        name = item.__globals__.get("__name__", "")
    else:
        name = item.__module__
    top = str(name).split(".")[0]
    if top in _OURS or top in sys.stdlib_module_names:
        return top != "__main__"
    path = getattr(sys.modules.get(str(name)), "__file__", None)
    return path is not None and path.startswith(_LIBRARIES)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # a variable that has no value yet
        return _MISSING


def _attributes(item: Any) -> list[tuple[str, Any]]:
    found = dict(getattr(item, "__dict__", {}))
    for cls in type(item).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(item, name):
                found[name] = getattr(item, name)
    return list(found.items())


def _entry_check(space: dict[str, Any], name: str, before: Any) -> Check:
    return lambda: _is_same(space.get(name, _MISSING), before)


def _attribute_check(item: Any, name: str, before: Any) -> Check:
    space = vars(item) if hasattr(item, "__dict__") else None
    if space is not None and name in space:
        return lambda: _is_same(space.get(name, _MISSING), before)
    return lambda: _is_same(getattr(item, name, _MISSING), before)


def _is_same(now: Any, before: Any) -> bool:
    """The same object, or an equal one that cannot change: equal by value, and nan to itself."""
    if now is before:
        return True
    return (now.__class__ is before.__class__ and isinstance(now, _EQUAL)
            and repr(now) == repr(before))


_EQUAL = (int, float, complex, str, bytes, np.generic)


def _are_same(now: Any, before: Any) -> bool:
    return len(before) == len(now) and (
        all(map(is_, now, before)) or all(map(_is_same, now, before)))
