"""Hidden state: what objects that are written in C hold, and show in none of their attributes."""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections import OrderedDict, deque
from contextvars import Context
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd.compiler.trace.purity import is_library
from autograd.compiler.trace.sameness import Check, memory_of
from autograd.core.attributes import attributes_of

_VIEWS: tuple[type, ...] = (
    type({}.keys()), type({}.values()), type({}.items()), type(OrderedDict().keys()),
    type(OrderedDict().values()), type(OrderedDict().items()))
_CONTAINERS: tuple[Any, ...] = (OrderedDict, dict, list, tuple, set, frozenset, deque)
_POINTERS = (type(ctypes.pointer(ctypes.c_int())).__mro__[1], ctypes.c_void_p, ctypes.c_char_p,
             ctypes.c_wchar_p, ctypes.py_object)
_FOREIGN = (ctypes.CDLL, type(ctypes.CFUNCTYPE(None)()).__mro__[1])
_CACHE = type(lru_cache(len))


def behind(item: Any) -> Any:
    """What a weak proxy or a view of a dictionary's keys, values or items stands for, or None."""
    cls = type(item)
    if cls in weakref.ProxyTypes:
        try:
            return item.__repr__.__self__
        except ReferenceError:
            return None
    return item.mapping if cls in _VIEWS else None


def contents_of(items: Any) -> tuple[Any, ...]:
    """What a container holds, whatever a class of the user's own makes of ``iter``."""
    for cls in _CONTAINERS:
        if isinstance(items, cls):
            return tuple(cls.__iter__(items))
    return tuple(items)


def entries_of(items: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The keys and what is under them, whatever a class of the user's own makes of them."""
    cls = next((cls for cls in (OrderedDict, dict, MappingProxyType, Context)
                if isinstance(items, cls)), type(items))
    return tuple(cls.keys(items)), tuple(cls.values(items))


def is_foreign(item: Any) -> bool:
    """Whether something is a function of ctypes, or a library that has such functions."""
    return isinstance(item, _FOREIGN)


def holds_pointer(cls: Any) -> bool:
    """Whether data of a type of ctypes are, or hold, the address of something else."""
    if not isinstance(cls, type):
        return False
    fields = [field for each in cls.__mro__ for field in vars(each).get("_fields_", ())]
    return issubclass(cls, _POINTERS) or (
        issubclass(cls, ctypes.Structure | ctypes.Union)
        and any(holds_pointer(field[1]) for field in fields)) or (
        issubclass(cls, ctypes.Array) and holds_pointer(cls._type_))


def cache_check(item: Any) -> Check | None:
    """Whether a function of functools.lru_cache still holds each result that it holds now."""
    if type(item) is not _CACHE:
        return None
    caches = [each for each in gc.get_referents(item)
              if type(each) is dict and each is not item.__dict__]
    if len(caches) != 1:
        return None
    (cache,) = caches
    before = dict(cache)
    return lambda: all(cache.get(key) is held for key, held in before.items())


def is_hidden(item: Any) -> bool:
    """Whether a library's object may change though it has no attributes that could be watched."""
    cls: Any = type(item)
    return (is_library(cls) and cls is not object and cls.__hash__ in (object.__hash__, None)
            and not isinstance(item, (*_CONTAINERS, *_VIEWS, MappingProxyType, Context, np.ndarray))
            and memory_of(item) is None and not attributes_of(item))
