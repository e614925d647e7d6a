"""Arrays that scalar code was written from, each drawn as one box.

Operations of one kind, scope and label (numbers in labels apart) with operands of the same kinds
and labels are one array if they are at the same distance from the result, or from the leaves:
whichever gives fewer boxes. So ``compiler.program.array_recognition`` finds the steps of an array
program. Leaves are one array if the same arrays read them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

from autograd.drawing.folding import Group, Unit, collected, role

DENSE = 5  # nodes that a box must stand for, one with another: less is easier to read as it was


def in_arrays(units: Sequence[Unit]) -> list[Group]:
    """The groups to draw, in the order of their first units.

    Args:
        units: in topological order.
    """
    return min((collected(units, _keys(units, levels))
                for levels in (_from_the_result(units), _from_the_leaves(units))), key=len)


def shorter(alike: list[Group], arrays: list[Group], count: int) -> list[Group]:
    """The arrays where they are fewer than the groups of what is alike, and stand for enough.

    Args:
        alike, arrays: two ways to draw a graph.
        count: how many nodes it has.
    """
    return arrays if len(arrays) < len(alike) and DENSE * len(arrays) <= count else alike


def _keys(units: Sequence[Unit], levels: dict[Unit, int]) -> dict[Unit, Hashable]:
    numbered: dict[Hashable, int] = {}
    readers: dict[Unit, set[Hashable]] = defaultdict(set)
    keys: dict[Unit, Hashable] = {}
    for unit in reversed(units):
        where = levels[unit] if unit.operands else frozenset(readers[unit])
        key = (*_kind(unit), unit.scope, _kinds(unit), where)
        keys[unit] = numbered.setdefault(key, len(numbered))
        for position, operand in enumerate(unit.operands):
            if isinstance(operand, Unit):
                readers[operand].add((keys[unit], role(unit, position)))
    return keys


def _kind(unit: Unit) -> tuple[str, str]:
    return unit.kind, re.sub(r"\d+", "#", unit.label)


def _kinds(unit: Unit) -> Hashable:
    """What the operands are; of those that are interchangeable, how many of each kind."""
    return frozenset(Counter(
        (role(unit, position), _kind(operand) if isinstance(operand, Unit) else None)
        for position, operand in enumerate(unit.operands)).items())


def _from_the_leaves(units: Sequence[Unit]) -> dict[Unit, int]:
    levels: dict[Unit, int] = {}
    for unit in units:
        levels[unit] = 1 + max((levels[x] for x in unit.operands if isinstance(x, Unit)), default=0)
    return levels


def _from_the_result(units: Sequence[Unit]) -> dict[Unit, int]:
    levels = dict.fromkeys(units, 0)
    for unit in reversed(units):
        for x in unit.operands:
            if isinstance(x, Unit):
                levels[x] = min(levels[x], levels[unit] - 1)
    return levels


__all__ = ["in_arrays", "shorter"]
