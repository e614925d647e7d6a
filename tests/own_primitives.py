"""Primitives of one's own for as long as a test needs them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from autograd import Primitive, primitive
from autograd.extend import unregister


@contextmanager
def declared(*arguments: Any, **fields: Any) -> Iterator[Primitive]:
    """Inside, there is the primitive that these arguments declare."""
    row = primitive(*arguments, **fields)
    try:
        yield row
    finally:
        unregister(row)


def crooked_value(x: float) -> float:
    """A function with three branches, of which two are curved."""
    if x < -1.0:
        return -1.0
    return math.log(x) if x > 0.0 else x * x


def crooked() -> AbstractContextManager[Primitive]:
    """Inside, there is the primitive ``crooked``, of :func:`crooked_value`."""
    return declared("crooked", crooked_value,
                    lambda x, y: 0.0 if x < -1.0 else 1.0 / x if x > 0.0 else 2 * x,
                    safe=(0.1, 2.0))


CROOKED_POINTS = [-3.0, -0.5, 0.0, 0.5, 4.0, math.inf, math.nan]  # on all of its branches
