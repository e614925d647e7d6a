"""Primitives of one's own for as long as a test needs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
