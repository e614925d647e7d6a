"""Files that hold numbers and nothing else: versioned JSON, every float written exactly."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Union

from autograd.core.files import read_regular, write_whole
from autograd.core.validation import as_float, each_name_once, written_float

VERSION = 1

# A number, or a list of them: what one name in a state stands for.
Entry = Union[float, "list[float]"]


def write_state(path: str | os.PathLike[str], kind: str, state: Mapping[str, Entry]) -> None:
    """Write named numbers to a file, all of them or, on an error, none: the old file stays.

    Args:
        path: where to; the folder must exist.
        kind: what the numbers are ("parameters", ...); reading demands the same.
        state: names with floats or lists of floats. They are written in hexadecimal, which keeps
            every bit, infinities and nan included.

    Raises:
        OSError: when the file cannot be written.
    """
    document = {"format": f"chainrule {kind}", "version": VERSION,
                "numbers": {name: _as_text(entry) for name, entry in state.items()}}
    write_whole(path, f"{json.dumps(document, indent=1)}\n".encode())


def read_state(path: str | os.PathLike[str], kind: str) -> dict[str, Entry]:
    """The named numbers of a file that ``write_state`` wrote.

    Raises:
        OSError: when there is no file that can be read; a pipe is none, and is not waited for.
        ValueError: when it is damaged, of another kind, or of another version.
    """
    content, _ = read_regular(path, through_links=True)
    try:
        document = json.loads(content.decode(), object_pairs_hook=each_name_once)
    except (ValueError, RecursionError) as error:  # bytes that are no text, too, and endless digits
        raise ValueError(f"{path} does not hold saved {kind}, or is damaged: {error}") from None
    if not isinstance(document, dict) or document.get("format") != f"chainrule {kind}":
        found = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise ValueError(f"{path} does not hold saved {kind}: its format is {found!r}, not "
                         f"{f'chainrule {kind}'!r}")
    version = document.get("version")
    if version.__class__ is not int or version != VERSION:
        raise ValueError(f"{path} was saved in version {version!r} of the format; this program "
                         f"reads version {VERSION}")
    numbers = document.get("numbers")
    if not isinstance(numbers, dict):
        raise ValueError(f"{path} is damaged: it has no table of numbers")
    return {name: _as_entry(path, name, text) for name, text in numbers.items()}


def _as_text(entry: Entry) -> str | list[str]:
    return [x.hex() for x in entry] if isinstance(entry, list) else entry.hex()


def _as_entry(path: str | os.PathLike[str], name: str, text: Any) -> Entry:
    try:
        if isinstance(text, list):
            return [written_float(item) for item in text]
        return written_float(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: the entry {name!r} holds {error}; a number is "
                         'written as "0x1.8p+0" or "1.5"') from None


def checked_state(state: Any, sizes: Mapping[str, int | None], owner: str) -> dict[str, Entry]:
    """A state whose names and sizes are those expected, as floats.

    Args:
        state: a mapping from names to numbers or sequences of numbers.
        sizes: for each name the length of its list, or None for a single number.
        owner: whom the state is for, in errors.

    Raises:
        TypeError: when it is not a mapping, or holds something that is not a number.
        ValueError: that names the missing, the unexpected and the mis-sized entries.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"a state is a dictionary from names to numbers, as state_dict() gives "
                        f"it, not {type(state).__name__}")
    faults = [f"missing: {_listed([n for n in sizes if n not in state])}",
              f"unexpected: {_listed([n for n in state if n not in sizes])}",
              f"of another size: {_listed(_missized(state, sizes))}"]
    faults = [fault for fault in faults if not fault.endswith(": ")]
    if faults:
        raise ValueError(f"this state does not fit {owner}; {'; '.join(faults)}")
    return {name: as_float(state[name], name) if size is None
            else [as_float(x, f"{name}[{i}]") for i, x in enumerate(state[name])]
            for name, size in sizes.items()}


def _missized(state: Mapping[str, Any], sizes: Mapping[str, int | None]) -> list[str]:
    faults = []
    for name, size in sizes.items():
        if name in state:
            entry = state[name]
            is_text = isinstance(entry, str | bytes)
            found = len(entry) if hasattr(entry, "__len__") and not is_text else None
            if found != size:
                faults.append(f"{name} ({_size(found)} in place of {_size(size)})")
    return faults


def _size(length: int | None) -> str:
    return "one number" if length is None else f"a list of {length}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(str, names[:5]))
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")
