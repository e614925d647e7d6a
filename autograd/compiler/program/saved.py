"""Programs as text, JSON: data from outside, which is checked in full before anybody uses it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from autograd.core.validation import each_name_once, written_float

P = TypeVar("P")


def written(kind: str, version: int, constants: Sequence[float], **fields: Any) -> str:
    """The text of a program; the floats are exact, in hexadecimal.

    Args:
        kind: what it is ("program", "array program"); reading demands the same.
        version: of the form.
        constants: its numbers.
        fields: what else it holds.
    """
    return json.dumps({"format": f"chainrule {kind}", "version": version,
                       "constants": [x.hex() for x in constants], **fields})


def read(text: str, kind: str, version: int, build: Callable[[dict[str, Any]], P]) -> P:
    """Read what :func:`written` wrote.

    Args:
        text: from anywhere.
        kind, version: as it was written.
        build: makes the program of the fields, the constants as floats; a KeyError, TypeError,
            ValueError or OverflowError of it says what is wrong with them.

    Raises:
        ValueError: for anything else; the message says what is wrong.
    """
    try:
        data = json.loads(text, object_pairs_hook=each_name_once)
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"this is not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != f"chainrule {kind}":
        raise ValueError(f"this is not {'an' if kind[0] in 'aeiou' else 'a'} {kind} that to_json "
                         "wrote")
    if data.get("version").__class__ is not int or data["version"] != version:
        raise ValueError(f"the {kind} has version {data.get('version')!r}; this release reads "
                         f"version {version}")
    try:
        data["constants"] = tuple(map(written_float, listed(data["constants"])))
        return build(data)
    except KeyError as error:
        raise ValueError(f"the {kind} lacks {error}") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"the {kind} is damaged: {error}") from None


def listed(items: Any) -> list[Any]:
    """A list, and nothing else.

    Raises:
        TypeError: for anything else: the digits of a text would do for numbers, too.
    """
    if not isinstance(items, list):
        raise TypeError(f"{items!r} is no list")
    return items
