"""Where the boxes and arrows of a page's graph stand: laid out by graphviz, drawn by the page.

Graphviz takes minutes where many arrows pass by many ranks, as in a loop of a hundred steps that
all use one rate. Such a graph is laid out here, by the ranks alone and in no time.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

from autograd.drawing.rendering import Drawing, RendererError, plain

Scope = tuple[str, ...]
POINTS = 72.0  # in an inch; one point of the layout is one pixel of the page

LARGE = 1500  # boxes, and ranks that arrows pass by
SWEEPS = 6  # over the ranks, each of which moves boxes nearer to their neighbours
GAP, RANK_GAP = 12.0, 84.0  # between boxes side by side, and between ranks, where factors stand


class Box(NamedTuple):
    """A box to place.

    Args:
        name: of its own, for the layout.
        width, height: in pixels.
        scope: the names of the frames that it stands in, outermost first.
    """

    name: str
    width: float
    height: float
    scope: Scope = ()


class Arrow(NamedTuple):
    """An arrow to draw between two boxes, by their names, and how wide its label may become."""

    tail: str
    head: str
    label_width: float = 0.0


class Layout(NamedTuple):
    """Where everything is, in pixels from the upper left corner.

    Args:
        size: width and height of the whole.
        boxes: the upper left corner of each box, in the order in which they were given.
        arrows: for each arrow its path, as SVG writes it, and the middle of its label.
        frames: for each scope its name, and left, top, width, height.
        dense: whether the arrows are too many to be told apart, but for those of one box.
    """

    size: list[float]
    boxes: list[list[float]]
    arrows: list[list[Any]]
    frames: list[list[Any]]
    dense: bool = False


def laid_out(boxes: Sequence[Box], arrows: Sequence[Arrow], direction: str,
             renderer: str = "") -> Layout:
    """Places for boxes and arrows.

    Args:
        boxes, arrows: what is to be placed; each box before the arrows that lead to it.
        direction: "LR" (left to right) or "TB" (top to bottom).
        renderer: "dot" or "graphviz-pure" to insist on one.

    Raises:
        RendererError: without a renderer.
    """
    down, ranks = direction == "TB", _ranks(boxes, arrows)
    if len(boxes) + sum(ranks[a.head] - ranks[a.tail] for a in arrows) > LARGE:
        return _Layered(boxes, arrows, ranks, down).layout
    drawing = Drawing(renderer=renderer)
    drawing.attr(rankdir=direction, nodesep="0.2" if down else "0.17", ranksep="0.3")
    drawing.attr("node", shape="box", fixedsize="true", label="")
    drawing.attr("edge", arrowhead="none", fontsize="12", fontname="Helvetica")
    _add_boxes(drawing, boxes)
    for i, arrow in enumerate(arrows):
        # A label of zeros is as wide as the numbers that will stand there.
        label = {"label": "0" * round(arrow.label_width / 6.7)} if arrow.label_width else {}
        drawing.edge(arrow.tail, arrow.head, id=f"e{i}", **label)
    return _read(drawing.pipe("svg", encoding="utf-8"), boxes, arrows)


def _ranks(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> dict[str, int]:
    """For each box how many arrows lead to it one behind the other; sources stand by their use."""
    ranks = dict.fromkeys((box.name for box in boxes), 0)
    for arrow in arrows:
        ranks[arrow.head] = max(ranks[arrow.head], ranks[arrow.tail] + 1)
    first: dict[str, int] = {}
    for arrow in arrows:
        first[arrow.tail] = min(first.get(arrow.tail, ranks[arrow.head]), ranks[arrow.head])
    inner = {arrow.head for arrow in arrows}
    return {name: rank if name in inner else first.get(name, 1) - 1
            for name, rank in ranks.items()}


class _Layered:
    """Boxes in ranks, each as near as it gets to the mean of its neighbours.

    Attributes:
        layout: the result; it has no frames.
    """

    def __init__(self, boxes: Sequence[Box], arrows: Sequence[Arrow], ranks: dict[str, int],
                 down: bool) -> None:
        self.down = down
        self.neighbours: dict[str, list[str]] = {box.name: [] for box in boxes}
        for arrow in arrows:
            self.neighbours[arrow.head].append(arrow.tail)
            self.neighbours[arrow.tail].append(arrow.head)
        self.rows: list[list[Box]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
        for box in boxes:
            self.rows[ranks[box.name]].append(box)
        self.middles: dict[str, float] = {}  # across the direction of the arrows
        for row in self.rows:
            self._stack(row, [0.0] * len(row))
        for sweep in range(SWEEPS):
            for row in self.rows if sweep % 2 else reversed(self.rows):
                wishes = {box.name: self._wish(box) for box in row}
                row.sort(key=lambda box: wishes[box.name])
                self._stack(row, [wishes[box.name] for box in row])
        self.layout = self._layout(boxes, arrows)

    def _across(self, box: Box) -> float:
        return box.width if self.down else box.height

    def _along(self, box: Box) -> float:
        return box.height if self.down else box.width

    def _wish(self, box: Box) -> float:
        around = [self.middles[name] for name in self.neighbours[box.name]]
        return sum(around) / len(around) if around else self.middles[box.name]

    def _stack(self, row: list[Box], wishes: list[float]) -> None:
        """Put the boxes of a rank side by side, near to where they wish to be."""
        end, found = -math.inf, []
        for box, wish in zip(row, wishes, strict=True):
            half = self._across(box) / 2.0
            found.append(max(wish, end + GAP + half))
            end = found[-1] + half
        shift = sum(map(operator.sub, wishes, found)) / max(len(row), 1)
        self.middles.update((box.name, x + shift) for box, x in zip(row, found, strict=True))

    def _layout(self, boxes: Sequence[Box], arrows: Sequence[Arrow]) -> Layout:
        top = min(self.middles[box.name] - self._across(box) / 2.0 for box in boxes) - GAP
        bottom = max(self.middles[box.name] + self._across(box) / 2.0 for box in boxes) + GAP
        corners, ports, end = {}, {}, GAP
        for row in self.rows:
            depth = max(self._along(box) for box in row)
            for box in row:
                middle = self.middles[box.name] - top
                start = end + depth - self._along(box)
                corners[box.name] = self._pair(start, middle - self._across(box) / 2.0)
                ports[box.name] = ((start, middle), (end + depth, middle))
            end += depth + RANK_GAP
        lines = [self._line(ports[arrow.tail][1], ports[arrow.head][0]) for arrow in arrows]
        return Layout(self._pair(end - RANK_GAP + GAP, bottom - top),
                      [corners[box.name] for box in boxes],
                      [line if arrow.label_width else line[:1]
                       for line, arrow in zip(lines, arrows, strict=True)], [], dense=True)

    def _line(self, start: tuple[float, float], end: tuple[float, float]) -> list[Any]:
        """A curve that leaves and arrives in the direction of the graph, and its middle."""
        half = (start[0] + end[0]) / 2.0
        bends = [start, (half, start[1]), (half, end[1]), end]
        places = [",".join(f"{x:.0f}" for x in self._pair(*bend)) for bend in bends]
        return [f"M{places[0]}C{' '.join(places[1:])}",
                *self._pair(half, (start[1] + end[1]) / 2.0)]

    def _pair(self, along: float, across: float) -> list[float]:
        return [round(across, 1), round(along, 1)] if self.down else [
            round(along, 1), round(across, 1)]


def _add_boxes(drawing: Any, boxes: Iterable[Box]) -> None:
    """The boxes inside nested clusters, one for each scope."""
    members: dict[Scope, list[Box]] = {(): []}
    for box in boxes:
        for length in range(len(box.scope) + 1):
            members.setdefault(box.scope[:length], [])
        members[box.scope].append(box)
    clusters: dict[Scope, Any] = {}
    for i, (scope, inside) in enumerate(members.items()):
        clusters[scope] = cluster = Drawing(name=f"cluster_{i}") if scope else drawing
        if scope:
            cluster.attr(label=plain(scope[-1]), id=f"c{i}", fontname="Helvetica", fontsize="13")
        for box in inside:
            cluster.node(box.name, id=box.name, width=f"{box.width / POINTS:.4f}",
                         height=f"{box.height / POINTS:.4f}")
    for scope in sorted(members, key=len, reverse=True):
        if scope:
            clusters[scope[:-1]].subgraph(clusters[scope])


def _read(svg: str, boxes: Sequence[Box], arrows: Sequence[Arrow]) -> Layout:
    """The places that a renderer's SVG tells; it measures from a corner of its own."""
    root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", svg, count=1))
    groups = {group.get("id", ""): group for group in root.iter() if _tag(group) == "g"}
    left, top, width, height = map(float, root.get("viewBox", "").split())
    shift = re.search(r"translate\(\s*([-\d.e]+)[ ,]+([-\d.e]+)",
                      groups["graph0"].get("transform", ""))
    if shift is None:
        raise RendererError("the renderer wrote a drawing that says not where it stands")
    dx, dy = float(shift[1]) - left, float(shift[2]) - top

    def corners(group: Any) -> tuple[float, float, float, float]:
        places = _numbers(next(e for e in group if _tag(e) == "polygon").get("points"))
        xs, ys = places[::2], places[1::2]
        return min(xs) + dx, min(ys) + dy, max(xs) - min(xs), max(ys) - min(ys)

    def arrow(group: Any, is_labelled: bool) -> list[Any]:
        path = next(e for e in group if _tag(e) == "path").get("d")
        text = next((e for e in group if _tag(e) == "text"), None)
        label = [] if text is None or not is_labelled else [
            round(float(text.get("x")) + dx, 1), round(float(text.get("y")) + dy, 1)]
        return [_moved(path, dx, dy), *label]

    frames: list[list[Any]] = []
    for group in groups.values():
        if group.get("class") == "cluster":
            name = "".join(e.text or "" for e in group if _tag(e) == "text")
            frames.append([name, *(round(x, 1) for x in corners(group))])
    return Layout([round(width), round(height)],
                  [[round(x, 1) for x in corners(groups[box.name])[:2]] for box in boxes],
                  [arrow(groups[f"e{i}"], arrow_.label_width > 0)
                   for i, arrow_ in enumerate(arrows)], frames)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _numbers(text: Any) -> list[float]:
    return [float(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", text or "")]


def _moved(path: Any, dx: float, dy: float) -> str:
    """A path of the commands M and C, whose numbers are places."""
    def moved(pair: re.Match[str]) -> str:
        return f"{float(pair[1]) + dx:.0f},{float(pair[2]) + dy:.0f}"

    return re.sub(r"(-?[\d.]+),(-?[\d.]+)", moved, path)


__all__ = ["Arrow", "Box", "Layout", "laid_out"]
