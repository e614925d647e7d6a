"""Where a function is checked: a strategy for hypothesis and, of intervals, a box to sweep."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.checking.finite_differences import SMALLEST
from autograd.checking.gradient_check import argument_names, called, float_array
from autograd.core.pytrees import flatten, rebuild
from autograd.core.typing import Array
from autograd.core.validation import interval

DECADES = 16  # how far below its largest numbers an interval is swept by order of magnitude


class Domain:
    """A domain, part by part in the order of a function's arguments.

    Args:
        f: the function.
        domain: for each argument an interval ``(low, high)`` or a hypothesis strategy: a mapping
            from argument names, or a sequence by position; a bare one for a single argument.

    Raises:
        TypeError, ValueError: for a domain that does not fit f.
    """

    def __init__(self, f: Callable[..., Any], domain: Any) -> None:
        from hypothesis import strategies as st

        specifications = _by_position(f, domain)
        self.names = argument_names(f, len(specifications))
        parts = [_part(specification, name)
                 for name, specification in zip(self.names, specifications, strict=True)]
        self.points: Any = st.tuples(*(strategy for strategy, _ in parts))
        sides = [side for _, side in parts if side is not None]
        self.box = Box(sides) if sides and len(sides) == len(parts) else None


Side = tuple[Any, float, float]  # of a box: the structure of an argument, its low, its high


class Box:
    """Intervals, one for each number of the arguments; its points are flat lists of numbers.

    Args:
        sides: for each argument its structure (a number or an array), low and high.
    """

    def __init__(self, sides: Sequence[Side]) -> None:
        self.structure = tuple(structure for structure, _, _ in sides)
        sizes = [len(flatten(structure)) for structure in self.structure]
        self.lows = np.repeat([low for _, low, _ in sides], sizes)
        self.highs = np.repeat([high for _, _, high in sides], sizes)

    @property
    def widths(self) -> Array:
        """The length of each interval, at most the largest float."""
        return np.minimum(self.highs / 2.0 - self.lows / 2.0, np.finfo(float).max / 2.0) * 2.0

    def inputs(self, point: Sequence[float]) -> tuple[Any, ...]:
        """The arguments at a point."""
        return tuple(rebuild(self.structure, map(float, point), float_array))

    def clipped(self, point: Array) -> list[float]:
        """The nearest point of the box."""
        inside: list[float] = np.clip(point, self.lows, self.highs).tolist()
        return inside

    def sweep(self, count: int) -> Iterator[list[float]]:
        """Points that leave no gap in any coordinate: Latin squares, the same in every run.

        Two thirds are spread evenly, a third evenly by order of magnitude: what is wrong for
        tiny numbers alone, or for those below 1000 in an interval up to 1e100, is met as well.
        """
        source = np.random.default_rng(0)
        by_size = count // 3
        for units in self._square(count - by_size, source):
            # Not low + unit * (high - low), which overflows.
            yield self.clipped(self.lows * (1.0 - units) + self.highs * units)
        for units in self._square(by_size, source):
            yield self.clipped(np.array([
                _by_magnitude(low, high, unit) for low, high, unit
                in zip(self.lows.tolist(), self.highs.tolist(), units.tolist(), strict=True)]))

    def _square(self, count: int, source: np.random.Generator) -> Array:
        """Points of the unit cube, one in each of as many slices along each coordinate."""
        slices = np.empty((count, len(self.lows)))
        for column in slices.T:
            column[:] = source.permutation(count)
        square: Array = (slices + source.random(slices.shape)) / max(count, 1)
        return square

    def simpler(self, point: Sequence[float], position: int) -> Iterator[list[float]]:
        """Points with fewer digits in one coordinate, the simplest first."""
        x = point[position]
        for digits in range(17):
            shorter = float(f"{x:.{digits - 1}e}") if digits else 0.0
            if shorter != x and self.lows[position] <= shorter <= self.highs[position]:
                yield [shorter if i == position else other for i, other in enumerate(point)]


def _by_magnitude(low: float, high: float, unit: float) -> float:
    """The number of an interval at a share of the way through its orders of magnitude."""
    top = max(abs(low), abs(high))
    if top == 0.0:
        return 0.0
    nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    bottom = math.log(max(nearest, top * 10.0 ** -DECADES, SMALLEST))

    def level(x: float) -> float:
        return math.copysign(max(0.0, math.log(abs(x)) - bottom), x) if x else 0.0

    at = level(low) * (1.0 - unit) + level(high) * unit
    return math.copysign(math.exp(min(bottom + abs(at), math.log(top))), at)


def _by_position(f: Callable[..., Any], domain: Any) -> list[Any]:
    """The parts of a domain in the order of the arguments of f."""
    if isinstance(domain, Mapping):
        parameters = [p for p in inspect.signature(f).parameters.values()
                      if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        names = [p.name for p in parameters][:len(domain)]
        missing = [p.name for p in parameters if p.default is p.empty and p.name not in domain]
        if missing or set(names) != set(domain):
            raise TypeError(f"the domain names {', '.join(map(str, domain))}, but {called(f)} "
                            f"takes {', '.join(p.name for p in parameters)}; name its first "
                            "arguments, all that have no default among them")
        return [domain[name] for name in names]
    if _is_interval(domain) or not isinstance(domain, list | tuple):
        return [domain]
    return list(domain)


def _is_interval(specification: Any) -> bool:
    return (isinstance(specification, list | tuple) and len(specification) == 2
            and all(isinstance(x, int | float | np.number) for x in specification))


def _part(specification: Any, name: str) -> tuple[Any, Side | None]:
    """A strategy for one argument, and the side of a box if it is one."""
    from hypothesis.strategies import SearchStrategy, floats

    if isinstance(specification, SearchStrategy):
        return specification, getattr(specification, "side", None)
    if not _is_interval(specification):
        raise TypeError(f"the domain of {name} must be an interval (low, high) or a hypothesis "
                        f"strategy, not {specification!r}")
    low, high = interval(specification, f"the domain of {name}")
    return floats(low, high, allow_nan=False), (0.0, low, high)
