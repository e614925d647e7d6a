"""Points on both sides of every branch and kink that a function and its gradient meet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.checking.domains import Box
from autograd.checking.error_analysis import Recording
from autograd.core.backward import adjoints
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.typing import Array
from autograd.core.value import Operand, Value, data_of, numbers, recording

NEWTON_STEPS = 16
HALVINGS = 120
COORDINATES = 4  # that are moved alone where other branches are in the way
STARTS = 3  # points from which the other side of a decision is looked for
CALLS = 50  # for each point that is asked for, about what bisection takes
RESOLUTION = 1e-9  # how near to a branch, relative to the numbers there

Point = list[float]
Place = tuple[int, int, int]  # which function, the way up to the decision, which decision


class Decision(NamedTuple):
    """One comparison, or one operation that has a kink: on which side of it a call was.

    Args:
        place: the same for calls that have taken the same way up to here.
        side: the outcome of the comparison, or on which side of its kink the operation was.
        margin: computes what changes its sign there.
    """

    place: Place
    side: bool
    margin: Callable[[], Operand]


class Look(NamedTuple):
    """What calls at a point decided, and the leaves that they depend on, for each function."""

    decisions: dict[Place, Decision]
    leaves: list[list[Value]]


class Branches:
    """The decisions that functions of the same arguments make in a box.

    Args:
        functions: f, and its gradient; where that does not compute with Values, f alone counts.
        box: where they are called.
        calls: how often, at most.
    """

    def __init__(self, functions: Sequence[Callable[..., Any]], box: Box, calls: int) -> None:
        self.functions, self.box, self.calls = list(functions), box, calls
        self.labels = [""] * len(box.lows)
        # For each decision that was met, some points at which each of its sides was taken.
        self.met: dict[Place, dict[bool, list[Point]]] = {}

    def look(self, point: Point) -> Look | None:
        """Call the functions at a point; None where f is not defined, or after all calls."""
        self.calls -= 1
        if self.calls < 0:
            return None
        decisions: dict[Place, Decision] = {}
        leaves = []
        for number, function in enumerate(self.functions):
            try:
                call = Recording(function, self.box.inputs(point), point, self.labels)
            except Exception:  # code that is written for floats raises whatever it likes
                if number == 0:
                    return None
                continue
            leaves.append(call.leaves)
            decisions.update((d.place, d) for d in _decisions(call, number))
        look = Look(decisions, leaves)
        for place, decision in decisions.items():
            points = self.met.setdefault(place, {}).setdefault(decision.side, [])
            if len(points) < STARTS:
                points.append(point)
        return look

    def both_sides(self) -> Iterator[Point]:
        """Points just beside each branch, found as they are asked for; those beside branches
        that are met on the way come later."""
        tried: dict[Place, int] = {}  # for each decision, from how many points
        found: set[tuple[float, ...]] = set()  # f and its gradient often have the same branches
        while self.calls > 0:
            todo = [place for place, sides in self.met.items()
                    if tried.get(place, 0) < len(next(iter(sides.values())))]
            if not todo:
                return
            for place in todo:
                known = next(iter(self.met[place].values()))
                if len(self.met[place]) < 2:
                    self._cross(place, known[tried.get(place, 0)])
                tried[place] = tried.get(place, 0) + 1
                if len(self.met[place]) == 2:
                    tried[place] = STARTS
                    for point in self._beside(place):
                        if tuple(point) not in found:
                            found.add(tuple(point))
                            yield point

    def _beside(self, place: Place) -> Iterator[Point]:
        (side, [here, *_]), (_, [there, *_]) = self.met[place].items()
        here, there = self._closed_in(place, side, here, there)
        for point in (self._off(there, here), self._off(here, there)):
            self.look(point)
            yield point

    def _cross(self, place: Place, start: Point) -> None:
        """Look for the other side of a decision, in all coordinates, then in one by one."""
        if self._descend(place, start, None):  # moving all coordinates leads another way
            for coordinate in range(min(len(start), COORDINATES)):
                self._descend(place, start, coordinate)

    def _descend(self, place: Place, start: Point, coordinate: int | None) -> bool:
        """Newton's method towards the other side of a decision; what it meets is kept.

        Returns:
            Whether calls took another branch before they came to the decision.
        """
        reached = point = start
        blocked = False
        for _ in range(NEWTON_STEPS):
            look = self.look(point)
            if look is None or len(self.met[place]) == 2:
                break
            if place not in look.decisions:
                blocked = True  # half the way may not be too far
                point = [_middle(a, b) for a, b in zip(reached, point, strict=True)]
                continue
            step = self._newton_step(look, place, coordinate)
            further = point if step is None else self.box.clipped(np.array(point) + step)
            if further == point:
                break
            reached, point = point, further
        return blocked

    def _newton_step(self, look: Look, place: Place, coordinate: int | None) -> Array | None:
        """To where the margin is 0, and a little beyond, along its slope in units of the box."""
        try:
            with recording():
                margin = look.decisions[place].margin()
            slopes = np.array([data_of(a) for a in adjoints(margin, look.leaves[place[0]])])
        except (TypeError, *DOMAIN_ERRORS):  # the user's own kink may be written for floats alone
            return None
        if not math.isfinite(data_of(margin)):
            return None
        if coordinate is not None:
            slopes[np.arange(len(slopes)) != coordinate] = 0.0
        with np.errstate(all="ignore"):
            return _to_zero(data_of(margin), slopes, self.box.widths)

    def _closed_in(self, place: Place, side: bool, here: Point,
                   there: Point) -> tuple[Point, Point]:
        """Bisection between a point on a side and one beyond, until they are neighbours."""
        for _ in range(HALVINGS):
            if self._are_close(here, there):
                break
            middle = [_middle(a, b) for a, b in zip(here, there, strict=True)]
            look = self.look(middle)
            if look is None:
                break
            met = look.decisions.get(place)
            # A call that does not come this way is not beyond, either.
            if met is not None and met.side is not side:
                there = middle
            else:
                here = middle
        return here, there

    def _resolution(self, x: float) -> float:
        return RESOLUTION * max(abs(x), 1e-3)

    def _are_close(self, here: Point, there: Point) -> bool:
        return all(abs(a - b) <= self._resolution(a) for a, b in zip(here, there, strict=True))

    def _off(self, point: Point, other: Point) -> Point:
        """A point further away from another, by what comparisons may be off by rounding."""
        return self.box.clipped(np.array([
            x + math.copysign(self._resolution(x), x - y) if x != y else x
            for x, y in zip(point, other, strict=True)]))


def _to_zero(margin: float, slopes: Array, widths: Array) -> Array | None:
    """Newton's step for one number that depends on many, the shortest in units of the box."""
    scaled = slopes * widths
    largest = np.max(np.abs(scaled), initial=0.0)
    direction = scaled / largest
    step: Array = -1.001 * (margin / largest) / (direction @ direction) * direction * widths
    return step if np.all(np.isfinite(step)) else None


def _decisions(call: Recording, number: int) -> Iterator[Decision]:
    way = 0
    for count, comparison in enumerate(call.comparisons):
        yield Decision((number, way, count), comparison.outcome,
                       lambda c=comparison: c.left - c.right)  # type: ignore[misc]
        way = hash((way, comparison.outcome))
    for count, node in enumerate(call.order):
        if node.op is None or node.op.kink is None:
            continue
        kink, operands = node.op.kink, numbers(node.parents)
        yield Decision((number, way, -1 - count), kink(*operands) > 0.0,
                       lambda k=kink, n=node: k(*n.parents))  # type: ignore[misc]


def _middle(a: float, b: float) -> float:
    """Between two numbers, by order of magnitude where they differ in it."""
    small, large = sorted((abs(a), abs(b)))
    if small == 0.0 and large > 2.0:
        return math.copysign(1.0, a or b)
    if a < 0.0 < b or b < 0.0 < a:
        return 0.0 if large > 4.0 else 0.5 * a + 0.5 * b
    if 0.0 < 16.0 * small < large:
        return math.copysign(math.sqrt(small) * math.sqrt(large), a)
    return 0.5 * a + 0.5 * b
