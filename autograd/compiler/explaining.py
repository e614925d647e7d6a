"""What a compiled function has recorded, and why, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .recording import Recording

if TYPE_CHECKING:
    from .compiled import Compiled

SHOWN = 5  # guards and places of a recording that are written out


class Note(NamedTuple):
    """One recording: why it was made, for which kind of arguments, and what it holds."""

    reason: str
    key: Any
    recording: Recording


def explanation(compiled: Compiled, name: str | None = None) -> str:
    """One paragraph for each recording, and the same for each derivative that was called."""
    name = name or getattr(compiled.function, "__name__", "the function")
    lines = [f"{name}: {compiled.n_recordings} recording(s)"]
    for number, note in enumerate(compiled.notes, 1):
        lines += _paragraph(number, note)
    if compiled.n_recordings >= compiled.max_recordings:
        lines.append("That is as many as max_recordings allows: whatever else comes is computed "
                     "eagerly. Does the function read numbers with .data, or loop until a "
                     "tolerance is met, differently for every argument?")
    for (transform, _), derived in compiled.derived.items():
        if derived.n_recordings or derived.derived:
            what = getattr(transform, "__name__", transform).replace("_", " ")
            lines.append(explanation(derived, f"{what} of {name}"))
    return "\n".join(lines)


def _paragraph(number: int, note: Note) -> list[str]:
    program, captured = note.recording.program, note.recording.captured
    lines = [f"{number}. {note.reason}: {len(program)} instruction(s), "
             f"{program.n_inputs - len(captured)} number(s) in, {len(program.outputs)} out"]
    if captured:
        names = ", ".join(leaf.label or "a Value" for leaf in captured[:SHOWN])
        more = ", ..." if len(captured) > SHOWN else ""
        lines.append(f"   reads at each call: {names}{more}")
    for guard in program.guards[:SHOWN]:
        lines.append(f"   holds while ({program.name(guard.left)} {guard.relation} "
                     f"{program.name(guard.right)}) is {guard.outcome}")
    if len(program.guards) > SHOWN:
        lines.append(f"   and {len(program.guards) - SHOWN} more condition(s)")
    if note.recording.places:
        places = ", ".join(note.recording.places[:SHOWN])
        more = ", ..." if len(note.recording.places) > SHOWN else ""
        lines.append(f"   decided at {places}{more}")
    return lines
