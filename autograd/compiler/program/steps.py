"""Operations of programs that were rewritten for a back end: they are no rows of the table."""

from __future__ import annotations

from autograd.compiler.program.program import RELATIONS

EITHER = "either"  # of two numbers the first, or the second where the first is nan

GATED = "gated"  # of (gate, number) the number, whose derivative is 0 where the gate is 0


def keep(relation: str, outcome: bool) -> str:
    """A number, of (number, left, right), where the comparison comes out so; else nan."""
    return f"keep {relation} {outcome}"


KEEPING = {keep(relation, outcome): (relation, outcome)
           for relation in RELATIONS for outcome in (True, False)}
