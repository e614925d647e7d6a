"""Sameness: whether what a function captures is as it was, told by its content."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache
from operator import is_
from typing import Any

import numpy as np

from autograd.compiler.trace.purity import is_library
from autograd.core.attributes import MISSING, of_slot, slot_of
from autograd.core.primitives import Primitive
from autograd.core.value import name_scope

Check = Callable[[], bool]

_SOLID = (int, float, complex, str, bytes, type(None), np.generic, Primitive, range, slice,
          name_scope)
DEEPEST = 6  # containers in each other that count as plain data; a circle has no end


@lru_cache(maxsize=4096)
def is_solid(cls: type) -> bool:
    """Whether numbers or texts of a class hold nothing else, and compute nothing of their own."""
    if not issubclass(cls, _SOLID) or issubclass(cls, np.void):  # a row shares a table's memory
        return False
    return cls.__module__ == "builtins" or (
        is_library(cls) and (not cls.__dictoffset__ or issubclass(cls, Primitive)))


def memory_of(item: Any) -> bytes | None:
    """The memory of a bytearray, an array.array and the like."""
    try:
        with memoryview(item) as view:
            return view.tobytes()
    except (TypeError, ValueError, NotImplementedError):
        return None


def holds_more(item: Any) -> bool:
    """Whether a library's object holds numbers that are in none of its attributes."""
    return hasattr(type(item), "__array__") and not isinstance(item, np.ndarray | np.generic)


def is_plain_data(item: Any, depth: int = 0) -> bool:
    """Whether something is plain data, and what is in it, too."""
    if isinstance(item, list | tuple | set | frozenset | dict):
        parts = (*item, *item.values()) if isinstance(item, dict) else item
        return (depth < DEEPEST and not isinstance(item, defaultdict)  # which calls a function
                and all(is_plain_data(part, depth + 1) for part in parts))
    return is_solid(item.__class__) or isinstance(item, np.ndarray)


def pickle_of(item: Any) -> bytes | None:
    """What an object says to pickle, None if it says nothing."""
    try:
        return pickle.dumps(item)
    except Exception:  # whatever a library raises
        return None


def entry_check(space: dict[str, Any], name: str, before: Any) -> Check:
    """Whether a dictionary of variables or attributes holds what it held before."""
    return lambda: (space.get(name, MISSING) is before
                    or is_same(space.get(name, MISSING), before))


def setting_check(setting: Callable[[], Any]) -> Check:
    """Whether a function returns what it returns now."""
    before = setting()
    return lambda: bool(setting() == before)


def attribute_check(item: Any, name: str, before: Any) -> Check:
    """Whether an attribute is what it was before."""
    space = vars(item) if hasattr(item, "__dict__") else None
    if space is not None and name in space:
        return entry_check(space, name, before)
    if (slot := slot_of(item, name)) is not None:  # what hides it may compute something else
        return lambda: is_same(of_slot(slot, item), before)
    return lambda: is_same(getattr(item, name, MISSING), before)


def is_same(now: Any, before: Any) -> bool:
    """The same object, or an equal one that cannot change: equal by value, and nan to itself."""
    if now is before:
        return True
    return (now.__class__ is before.__class__ and isinstance(now, _EQUAL)
            and is_solid(now.__class__) and repr(now) == repr(before))


_EQUAL = (int, float, complex, str, bytes, np.generic)


def are_same(now: Any, before: Any) -> bool:
    """Whether two collections hold the same in the same order."""
    return len(before) == len(now) and (
        all(map(is_, now, before)) or all(map(is_same, now, before)))
