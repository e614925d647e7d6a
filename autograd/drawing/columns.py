"""Wrapping a picture whose ranks, side by side, would be wider than a column of a page.

The widths are estimated here, without a renderer: the same graph gives the same picture on every
machine. Renderers bring fonts of their own; the estimate is that of a wide one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from itertools import pairwise

from autograd.drawing.folding import Group
from autograd.drawing.repeats import operand_groups, ordered, owners

COLUMN = 900.0  # pixels, of which an inch has 96
PIXELS_PER_POINT = 96.0 / 72.0
ROW_COST = 2.0  # references that one row less is worth

NARROW, WIDE = frozenset(" .,:;'|!()[]{}ijltfr-*/"), frozenset("mwMW@%Σ∂…—=+<>×")


def text_width(text: str, size: float) -> float:
    """About how many pixels wide the longest line of a text is.

    Args:
        text: lines with newlines between them.
        size: of the letters, in points.
    """
    return max(sum(map(_share, line)) for line in text.split("\n")) * size * PIXELS_PER_POINT


def _share(letter: str) -> float:
    """The width of a letter as a share of its size, after DejaVu Sans, a wide font."""
    if letter in NARROW:
        return 0.36
    if letter in WIDE or unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.7 if letter.isupper() else 0.64


Row = list[list[Group]]  # the groups of each rank; leaves with the computed groups that use them


def rows(groups: Sequence[Group], width: Callable[[Group], float], gap: float,
         first: float) -> list[Row]:
    """The groups in rows, each of which fits into a column; a single row where all of them fit.

    A row holds the groups of some neighbouring ranks, and the leaves that they use first. A group
    is of the last rank that its consumers allow, so that it stands near them.

    Args:
        groups: what the picture shows.
        width: of what a group adds to its rank, in pixels.
        gap: between two ranks, in pixels.
        first: the width of what stands before the first rank of a row, in pixels.
    """
    order = ordered(list(groups))
    owner = owners(order)
    operands = {group: operand_groups(group, owner) for group in order}
    ranks = _ranks(order, operands)
    widest = [0.0] * (max(ranks.values(), default=0) + 1)
    for group, rank in ranks.items():
        column = rank if operands[group] else max(rank - 1, 0)
        widest[column] = max(widest[column], width(group) + gap)
    row_of = _packed(widest, _crossing(ranks, operands, len(widest)), first)
    placed: list[Row] = [[[] for _ in range(row_of.count(row))] for row in range(row_of[-1] + 1)]
    for group in order:
        row = row_of[ranks[group]]
        placed[row][ranks[group] - row_of.index(row)].append(group)
    return placed


def _ranks(order: list[Group], operands: dict[Group, list[Group]]) -> dict[Group, int]:
    """From 0 on: the rank of each computed group, and for a leaf that of its first consumer."""
    early: dict[Group, int] = {}
    for group in order:  # operands first; those that are not there yet belong to a circle
        below = [early[o] for o in operands[group] if o in early and operands[o]]
        early[group] = max(below, default=-1) + 1
    late: dict[Group, int] = {}
    for group in reversed(order):
        rank = late.setdefault(group, early[group])
        for operand in operands[group]:
            step = 1 if operands[operand] else 0
            late[operand] = max(min(late.get(operand, rank), rank - step), 0)
    return late


def _crossing(ranks: dict[Group, int], operands: dict[Group, list[Group]],
              count: int) -> list[int]:
    """How many groups before each rank are used there or later, and how many scopes go on there."""
    spans: dict[object, list[int]] = {group: [rank] for group, rank in ranks.items()}
    for group, rank in ranks.items():
        for operand in operands[group]:
            spans[operand].append(rank)
        for length in range(1, len(group.first.scope) + 1):
            spans.setdefault(group.first.scope[:length], []).append(rank)
    crossing = [0] * count
    for found in spans.values():
        for rank in range(min(found) + 1, max(found) + 1):
            crossing[rank] += 1
    return crossing


def _packed(widest: Sequence[float], crossing: Sequence[int], first: float) -> list[int]:
    """The row of each rank. dot puts the ranks of all rows below each other in common columns."""
    room = COLUMN
    while True:
        row_of = _least_cost(widest, crossing, first, room)
        columns: dict[int, float] = {}
        for rank, row in enumerate(row_of):
            place = rank - row_of.index(row)
            columns[place] = max(columns.get(place, 0.0), widest[rank])
        if first + sum(columns.values()) <= COLUMN or len(columns) == 1:
            return row_of
        room -= 10.0


def _least_cost(widest: Sequence[float], crossing: Sequence[int], first: float,
                room: float) -> list[int]:
    """The row of each rank: few rows, with few references from one to another.

    ``best[end]`` is the least cost of the ranks before ``end``, and where their last row begins.
    """
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(widest) + 1):
        choices, width = [], first
        for start in range(end - 1, -1, -1):
            width += widest[start]
            if width > room and start < end - 1:
                break
            unused = max(1.0 - width / room, 0.0)  # rows of about the same width look better
            choices.append((best[start][0] + crossing[start] + ROW_COST + unused**2, start))
        best.append(min(choices))
    row_of: list[int] = []
    starts, end = [], len(widest)
    while end:
        starts.append(end := best[end][1])
    for row, (start, stop) in enumerate(pairwise([*reversed(starts), len(widest)])):
        row_of += [row] * (stop - start)
    return row_of


__all__ = ["COLUMN", "PIXELS_PER_POINT", "Row", "rows", "text_width"]
