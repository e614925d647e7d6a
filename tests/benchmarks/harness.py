"""Measuring side by side: alternating rounds, equal results, medians and their ratios."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .environments import PeerError
from .problems import OUR_OWN, Benchmark, Entry

SECONDS = 0.05  # of one repetition, or one call where that takes longer


class Answering(Protocol):
    """What is asked for times: a worker."""

    def ask(self, **request: Any) -> dict[str, Any]: ...

    def close(self) -> None: ...


Maker = Callable[[str], Answering]  # of a worker for a peer


class WrongAnswer(Exception):
    """A peer and we compute different numbers: then times mean nothing."""


@dataclass
class Row:
    """What is known of one entry.

    Attributes:
        first: the seconds to the first result.
        times: the seconds a unit, of each round.
        result: groups of numbers.
        accuracy: on held-out rows.
        peak: the bytes that its process has held at most; 0 where the platform says nothing.
        failure: why there is nothing.
    """

    entry: Entry
    first: float = 0.0
    times: list[float] = field(default_factory=list)
    result: list[list[float]] = field(default_factory=list)
    accuracy: float | None = None
    peak: int = 0
    failure: str = ""

    @property
    def median(self) -> float:
        """The seconds a unit."""
        return statistics.median(self.times)


def measure(benchmark: Benchmark, entries: Sequence[Entry], repetitions: int,
            make: Maker) -> list[Row]:
    """Time the entries in alternating rounds, after comparing their results.

    Args:
        benchmark: what to run.
        entries: who takes part, we first.
        repetitions: the number of rounds.
        make: a worker for a peer.

    Returns:
        A row for each entry; an entry that fails has a row that says why.

    Raises:
        WrongAnswer: when a result differs from ours.
    """
    rows = [Row(entry) for entry in entries]
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data.npz"
        np.savez(place, **benchmark.data())
        workers: dict[str, Answering] = {}  # one for each row: a crash takes no other with it
        for turn in range(repetitions):
            for row in rotated(rows, turn):
                if not row.failure:
                    _ask(row, benchmark.name, str(place), workers, make, stack)
            if turn == 0:
                compare(rows, benchmark.tolerance)
    return rows


def rotated(rows: Sequence[Row], turn: int) -> Iterator[Row]:
    """All rows, each round beginning with another one, so that none always follows the same."""
    for i in range(len(rows)):
        yield rows[(i + turn) % len(rows)]


def _ask(row: Row, name: str, data: str, workers: dict[str, Answering],
         make: Maker, stack: ExitStack) -> None:
    label = row.entry.label
    try:
        if label not in workers:
            workers[label] = make(row.entry.peer)
            stack.callback(workers[label].close)
        answer = workers[label].ask(benchmark=row.entry.function or name, data=data,
                                    repetitions=1, seconds=SECONDS)
    except PeerError as error:
        row.failure = str(error)
        return
    row.times += answer["times"]
    row.peak = answer["peak"]
    if "first" in answer:
        row.first, row.result = answer["first"], answer["result"]
        row.accuracy = answer["accuracy"]


def compare(rows: Sequence[Row], tolerance: float) -> None:
    """Check that everybody computes what we compute.

    Args:
        rows: ours first.
        tolerance: the largest difference, relative to the largest number of the group.

    Raises:
        WrongAnswer: naming the entry and the first group that differs.
    """
    ours = next((row for row in rows if row.entry.peer in OUR_OWN and not row.failure), None)
    for row in rows:
        if ours is None or row is ours or row.failure:
            continue
        if [len(group) for group in row.result] != [len(group) for group in ours.result]:
            raise WrongAnswer(f"{row.entry.label} returns results of another shape than "
                              f"{ours.entry.label}")
        for place, (theirs, own) in enumerate(zip(row.result, ours.result, strict=True)):
            difference = _difference(theirs, own)
            if not difference <= tolerance:  # nan is no agreement
                raise WrongAnswer(
                    f"{row.entry.label} and {ours.entry.label} differ by {difference:.1e} (at most "
                    f"{tolerance:.0e} is allowed) in group {place} of the result: "
                    f"{theirs[:3]} and {own[:3]}")


def _difference(theirs: list[float], own: list[float]) -> float:
    a, b = np.array(theirs), np.array(own)
    return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300))


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines of text; the ratios are to the first one's median."""
    width = max(len(row.entry.label) for row in rows) + 2
    with_accuracy = any(row.accuracy is not None for row in rows)
    lines = [f"{'':{width}}{'first result':>14}{'then':>12}{'ratio':>12}"
             + ("    held-out accuracy" if with_accuracy else "")]
    reference = None if rows[0].failure else rows[0].median
    for row in rows:
        if row.failure:
            lines.append(f"{row.entry.label:{width}}  {row.failure.splitlines()[-1]}")
            continue
        times = f"{row.median / reference:,.2f}" if reference else "?"
        lines.append(f"{row.entry.label:{width}}{duration(row.first):>14}"
                     f"{duration(row.median):>12}{times:>12}"
                     + (f"{row.accuracy:21.1%}" if row.accuracy is not None else ""))
    return lines


def goals(benchmark: Benchmark, rows: Sequence[Row]) -> list[str]:
    """What is aimed at, and whether it was reached; a line for each goal that can be judged."""
    ours = rows[0]
    if ours.entry.peer not in OUR_OWN or ours.failure:
        return []
    judged: list[tuple[str, bool]] = []
    if benchmark.most is not None:
        judged.append((f"at most {duration(benchmark.most)}", ours.median <= benchmark.most))
    if benchmark.first is not None:
        judged.append((f"first result within {duration(benchmark.first)}",
                       ours.first <= benchmark.first))
    for peer, ratio in benchmark.ratios:
        for row in rows:
            if row.entry.peer == peer and not row.failure:
                judged.append((f"{peer} takes at least {ratio:,g} times as long",
                               row.median >= ratio * ours.median))
    for peer, ratio in benchmark.firsts:
        theirs = [row.first for row in rows if row.entry.peer == peer and not row.failure]
        if theirs:
            judged.append((f"first result within {ratio:g} times {peer}'s",
                           ours.first <= ratio * min(theirs)))
    if benchmark.accuracy is not None and ours.accuracy is not None:
        judged.append((f"accuracy above {benchmark.accuracy:.0%}",
                       ours.accuracy > benchmark.accuracy))
    return [f"  {'reached' if reached else 'MISSED '}  {text}" for text, reached in judged]


def duration(seconds: float) -> str:
    """A time in the unit that suits it: ``14.2 us``."""
    unit, size = next((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))
                      if seconds >= 0.9995 * size or unit == "us")
    number = seconds / size
    return f"{number:,.0f} {unit}" if number >= 999.5 else f"{number:.3g} {unit}"
