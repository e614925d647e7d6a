"""How a row gets into the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.core.primitive import ALL, LIBRARY, Primitive, register
from autograd.special import from_scipy


def library_row(name: str, value: Callable[..., float], *partials: Callable[..., Any],
                **fields: Any) -> Any:
    """A row whose value is written here.

    Args:
        name, value, partials, fields: as those of a :class:`.primitive.Primitive`.
    """
    fields.setdefault("safe", (ALL,) * len(partials))
    return register(Primitive(name, value, partials, len(partials), module="autograd.special",
                              **fields), LIBRARY)


def scipy_row(name: str, *partials: Callable[..., Any],
              is_pole: from_scipy.Condition = lambda *_: False, **fields: Any) -> Any:
    """A row whose value is SciPy's function of the same name.

    Args:
        name, partials, fields: likewise.
        is_pole: of the operands of which it is infinite, whether that is no overflow.
    """
    return library_row(name, from_scipy.checked(name, is_pole), *partials, scipy=name, **fields)


def is_whole(v: float) -> bool:
    """Whether an order has no fraction."""
    return v % 1.0 == 0.0
