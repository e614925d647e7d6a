"""What repeats in a row, drawn as its first, its last, and a box that stands for the rest.

Iterations of a loop, operands of a sum, neurons of a layer: in topological order they are a body of
p groups that comes again and again. Two bodies are alike when their groups have the same operation,
scope and label (numbers in labels apart), and when the places of their operands go on by the same
strides: by p for what the loop hands on, by 0 for what all iterations share, by anything constant
for a list of numbers. Short bodies are looked for first, so that loops inside loops are found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator

from autograd.drawing.folding import Group, Unit, role

MOST_ITERATIONS = 10  # that are drawn one by one
MOST_PERIODS = 40  # lengths of a body to try
MOST_PHASES = 8  # places where a body may begin, of which the one with most bodies is taken

Places = tuple[int, ...]  # of operands in the order; CONSTANT and CUT for those that have none
CONSTANT, CUT = -1, -2


def elided(groups: list[Group], most: int = MOST_ITERATIONS) -> list[Group]:
    """The groups, with one in place of all but the first and last of more than ``most`` bodies.

    Args:
        groups: what a picture draws.
        most: bodies that are left as they are.

    Returns:
        The groups in topological order; a new one says by ``repeats`` for how many bodies it
        stands.
    """
    order = ordered(groups)
    while (shorter := _Order(order).shortened(most)) is not None:
        order = ordered(shorter)
    return order


def ordered(groups: list[Group]) -> list[Group]:
    """The groups, each after its operands, leaves that several share first.

    Folded scopes may depend on each other in a circle; then the order of the list decides.
    """
    owner = owners(groups)
    operands = {group: operand_groups(group, owner) for group in groups}
    uses = Counter(operand for found in operands.values() for operand in found)
    order: dict[Group, None] = {g: None for g in groups if uses[g] > 1 and not operands[g]}
    seen = set(order)
    for root in groups:
        stack: list[tuple[Group, bool]] = [(root, False)]
        while stack:
            group, operands_are_done = stack.pop()
            if operands_are_done:
                order[group] = None
            elif group not in seen:
                seen.add(group)
                stack.append((group, True))
                stack.extend((operand, False) for operand in reversed(operands[group]))
    return list(order)


def owners(groups: list[Group]) -> dict[Unit, Group]:
    """The group that each unit belongs to."""
    return {unit: group for group in groups for unit in group.units}


def operand_groups(group: Group, owner: dict[Unit, Group]) -> list[Group]:
    """The other groups that a group has operands in, each once."""
    found = {owner[operand]: None for unit in group.units for operand in unit.operands
             if isinstance(operand, Unit)}
    found.pop(group, None)
    return list(found)


class _Order:
    """Groups in topological order, and what makes two of them alike."""

    def __init__(self, groups: list[Group]) -> None:
        self.groups = groups
        self.place = {group: i for i, group in enumerate(groups)}
        self.owner = owners(groups)
        self.operands = [self._places(group) for group in groups]
        self.kinds: list[Hashable] = [
            (group.first.kind, group.folded, group.repeats, len(places))
            for group, places in zip(groups, self.operands, strict=True)]
        self.names: list[Hashable] = [
            (kind, _pattern(group.label), tuple(map(_pattern, group.first.scope)))
            for kind, group in zip(self.kinds, groups, strict=True)]
        self.last_use = list(range(len(groups)))
        self.first_use = list(range(len(groups)))
        for i, places in enumerate(self.operands):
            for j in {place for place in places if place >= 0}:
                self.first_use[j] = self.first_use[j] if self.last_use[j] > j else i
                self.last_use[j] = i

    def _places(self, group: Group) -> Places:
        if len(group.units) == 1:
            return tuple(self._place(operand) for operand in group.first.operands)
        found = {(role(unit, position), self._place(operand)) for unit in group.units
                 for position, operand in enumerate(unit.operands)}
        return tuple(place for _, place in sorted(found) if place != self.place[group])

    def _place(self, operand: object) -> int:
        if isinstance(operand, Unit):
            return self.place[self.owner[operand]]
        return CUT if operand is None else CONSTANT

    def shortened(self, most: int) -> list[Group] | None:
        """The groups without what repeats with the shortest period, None where nothing does."""
        for period in self._periods(most):
            found = [bodies for run in self._runs(period)
                     if (bodies := self._bodies(*run, period))[1] - bodies[0] > most * period]
            if found:
                return self._without(found, period)
        return None

    def _periods(self, most: int) -> list[int]:
        """Distances from one group to the next that looks the same, the shortest first."""
        seen: dict[Hashable, int] = {}
        distances: Counter[int] = Counter()
        for i, places in enumerate(self.operands):
            look = (self.names[i], tuple(i - j if j >= 0 and self.operands[j] else CONSTANT
                                         for j in places))
            if look in seen:
                distances[i - seen[look]] += 1
            seen[look] = i
        often = [period for period, count in distances.most_common(MOST_PERIODS)
                 if count >= most - 3]  # the first and the last iterations may look different
        return sorted(often)

    def _runs(self, period: int) -> Iterator[tuple[int, int]]:
        """(start, end) of stretches in which every group is like the one a period before it."""
        strides: dict[int, list[int]] = {}
        start: int | None = None
        for i in range(period, len(self.groups)):
            alike = self.names[i] == self.names[i - period]
            if alike:
                strides[i] = [self.first_use[i] - self.first_use[i - period], *(
                    a - b if min(a, b) >= 0 else (a != b) * len(self.groups)
                    for a, b in zip(self.operands[i], self.operands[i - period], strict=True))]
            if start is not None and not (alike and (
                    i - period < start or strides[i] == strides[i - period])):
                yield start - period, i
                start = None
            if start is None and alike:
                start = i
        if start is not None:
            yield start - period, len(self.groups)

    def _bodies(self, start: int, end: int, period: int) -> tuple[int, int]:
        """Where the first body of a run begins and the last one ends.

        A body begins where the fewest numbers are handed over. The first iteration may start from
        other numbers than those before it, the last one may have a label of its own.
        """
        if end - start < 3 * period:
            return start, start
        handed_over = [0] * period
        middle = start + period * ((end - start) // period // 2)
        for j in range(middle, middle + period):
            for cut in range(j + 1, min(j + period, min(self.last_use[j], end - 1)) + 1):
                handed_over[(cut - start) % period] += 1
        fewest = min(handed_over)
        phases = [t for t in range(period) if handed_over[t] == fewest]
        found = [self._extended(start + t, end, period) for t in phases[:MOST_PHASES]]
        return max(found, key=lambda bodies: (bodies[1] - bodies[0], bodies[1]))

    def _extended(self, first: int, end: int, period: int) -> tuple[int, int]:
        """The bodies from ``first`` on, with those before and after that are computed alike."""
        last = end - (end - first) % period
        while first >= period and self._is_repeated(first - period, period):
            first -= period
        while last + period <= len(self.groups) and self._is_repeated(last - period, period):
            last += period
        return first, last

    def _is_repeated(self, body: int, period: int) -> bool:
        """Whether the next body is computed as this one is, perhaps from other numbers."""
        following = body + period
        for i in range(body, following):
            if self.kinds[i] != self.kinds[i + period]:
                return False
            if not self.operands[i] and not (
                    self.names[i] == self.names[i + period]
                    and self.first_use[i + period] - self.first_use[i] in (0, period)):
                return False
            for a, b in zip(self.operands[i], self.operands[i + period], strict=True):
                if (a >= body or b >= following) and b - a != period:
                    return False
        return True

    def _without(self, found: list[tuple[int, int]], period: int) -> list[Group]:
        kept: list[Group] = []
        done = 0
        for first, last in found:
            if first < done:
                continue  # it reaches into the one before
            kept += self.groups[done:first + period]
            hidden = self.groups[first + period:last - period]
            kept.append(Group([unit for group in hidden for unit in group.units],
                              repeats=len(hidden) // period))
            done = last - period
        return kept + self.groups[done:]


def _pattern(name: str) -> str:
    return re.sub(r"\d+", "#", name)


__all__ = ["MOST_ITERATIONS", "elided", "operand_groups", "ordered", "owners"]
