"""Contents: what an object holds, as something that can be compared and hashed.

``==`` says too little: 0.0 == -0.0, 1 == 1.0 == True, and a data class may leave fields out.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from autograd.core.attributes import attributes_of
from autograd.core.value import Value

_AS_THEY_ARE = (str, bytes, int, bool, type(None), type(Ellipsis))
_NUMBERS = (float, complex, int, np.number)


def fingerprint(item: Any) -> Any:
    """Equal for two objects if and only if no function could tell them apart by their contents.

    Objects that are compared by identity, as most classes want, stand for themselves.
    """
    return _of(item, ())


def _of(item: Any, outer: tuple[int, ...]) -> Any:
    cls = item.__class__
    if cls in _AS_THEY_ARE:
        return (cls, item)
    if cls is float:
        return (cls, repr(item))
    if id(item) in outer:  # a circle
        return ("again", outer.index(id(item)))
    inner = (*outer, id(item))
    if isinstance(item, _NUMBERS):
        return (cls, _bare(item), _state(item, inner))
    if isinstance(item, list | tuple | deque):
        return (cls, *[_of(part, inner) for part in item], _state(item, inner))
    if isinstance(item, dict):
        return (cls, *[(_of(key, inner), _of(part, inner)) for key, part in item.items()],
                _of(getattr(item, "default_factory", None), inner), _state(item, inner))
    if isinstance(item, set | frozenset):
        return (cls, frozenset(_of(part, inner) for part in item), _state(item, inner))
    if isinstance(item, np.ndarray):
        held = (item.tobytes() if not item.dtype.hasobject
                else tuple(_of(part, inner) for part in item.flat))
        return (cls, item.dtype.str, item.shape, held, _state(item, inner))
    if cls.__eq__ is object.__eq__ or isinstance(item, type | Value):
        return _Itself(item)
    state = _state(item, inner)
    # Classes written in C show what they hold by their representation alone.
    return (cls, state) if state else (cls, _Same(item), repr(item))


def _bare(number: Any) -> Any:
    """The digits of a number, whatever its class makes of them."""
    for cls in (float, complex, int):
        if isinstance(number, cls):
            return cls.__repr__(number)
    return repr(number)


def _state(item: Any, outer: tuple[int, ...]) -> Any:
    """The attributes that an object has besides what its class keeps."""
    return tuple((name, _of(part, outer)) for name, part in attributes_of(item).items())


class _Itself:
    """Equal where it is the same object."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.item is other.item

    def __hash__(self) -> int:
        return object.__hash__(self.item)


class _Same:
    """Compares as the object does, and hashes though it may not."""

    __slots__ = ("item",)

    def __init__(self, item: Any) -> None:
        self.item = item

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and bool(self.item == other.item)

    def __hash__(self) -> int:
        return hash(type(self.item))
