"""Checks of numbers that people give: each returns the number, or says what it must be.

Each takes the number and what it is called in errors, and raises a TypeError for what is no such
number at all, a ValueError for a number that is out of bounds.
"""

from __future__ import annotations

import contextlib
import math
import re
import reprlib
from typing import Any

import numpy as np

from autograd.core.primitive import as_float


def positive(number: Any, what: str) -> float:
    """A finite number above 0."""
    x = as_float(number, what)
    if not 0.0 < x < math.inf:
        raise ValueError(f"{what} must be a finite number above 0, not {x}")
    return x


def not_negative(number: Any, what: str) -> float:
    """A finite number, 0 or above."""
    x = as_float(number, what)
    if not 0.0 <= x < math.inf:
        raise ValueError(f"{what} must be a finite number, 0 or above, not {x}")
    return x


def share(number: Any, what: str) -> float:
    """A number from 0 to below 1."""
    x = as_float(number, what)
    if not 0.0 <= x < 1.0:
        raise ValueError(f"{what} must be from 0 to below 1, not {x}")
    return x


def whole(number: Any, what: str, least: int = 0) -> int:
    """A whole number, of Python or of NumPy, from ``least`` on."""
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise TypeError(f"{what} must be a whole number, not {number!r}")
    if number < least:
        raise ValueError(f"{what} must be at least {least}, not {number}")
    return int(number)


def interval(pair: Any, what: str) -> tuple[float, float]:
    """Two finite numbers (low, high), the second not below the first."""
    if not isinstance(pair, list | tuple | np.ndarray) or len(pair) != 2:
        raise TypeError(f"{what} must be a pair (low, high), not {pair!r}")
    low, high = (as_float(end, f"an end of {what}") for end in pair)
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"{what} must have a finite low and a finite high that is not below it, "
                         f"not {pair!r}")
    return low, high


def written_float(text: Any) -> float:
    """The number that a file holds as text: what ``float.hex`` writes, or a decimal number.

    ``float.fromhex`` reads "1.5" as 1.3125, without a word; so hexadecimal numbers must have 0x.
    """
    if not isinstance(text, str):
        raise TypeError(f"{reprlib.repr(text)}, which is no text")
    if _HEXADECIMAL.fullmatch(text):
        with contextlib.suppress(OverflowError):
            return float.fromhex(text)
    elif _DECIMAL.fullmatch(text):
        if math.isfinite(number := float(text)):
            return number
    elif text in ("inf", "-inf", "nan"):
        return float(text)
    raise ValueError(f"{reprlib.repr(text)}, which is no number that a float can be")


def each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON file: the ``object_pairs_hook`` of ``json.loads``.

    Raises:
        ValueError: for a name that stands in it twice.
    """
    found: dict[str, Any] = {}
    for name, item in pairs:
        if name in found:
            raise ValueError(f"{name!r} stands in it twice")
        found[name] = item
    return found


_HEXADECIMAL = re.compile(r"[+-]?0x[0-9a-f]+(\.[0-9a-f]*)?(p[+-]?[0-9]+)?", re.IGNORECASE)
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)

__all__ = ["as_float", "each_name_once", "interval", "not_negative", "positive", "share", "whole",
           "written_float"]
