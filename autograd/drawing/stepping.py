"""The forward and the backward pass, played node by node over the drawing of the graph."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from autograd import palette
from autograd.core.backward import local_derivatives
from autograd.core.graph import refuse_stale, topological_order
from autograd.core.value import Value
from autograd.drawing.folding import grouped, make_units
from autograd.drawing.graph import Picture, number

MAX_STEPPED = 200  # nodes


class Stepper:
    """A page that plays the passes; Jupyter shows it inline.

    Attributes:
        html: the page: one text that needs no network and no other file.
    """

    def __init__(self, page: str) -> None:
        self.html = page

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to a file, and return its path."""
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.html)
        return os.fspath(path)

    def _repr_html_(self) -> str:
        return (f'<iframe srcdoc="{html.escape(self.html, quote=True)}" width="100%" height="640" '
                f'style="border: 1px solid {palette.FRAME}" title="forward and backward pass">'
                "</iframe>")

    def __repr__(self) -> str:
        return (f"<page of {len(self.html):,} characters that plays the forward and the backward "
                "pass; .save('steps.html') writes it>")


def step_through(y: Value, max_nodes: int = MAX_STEPPED, direction: str = "LR",
                 renderer: str = "") -> Stepper:
    """A page that plays the forward and the backward pass of y over its graph.

    Buttons, a slider and the arrow keys go through the steps. Each step shows the node, its local
    derivatives, and the sums of the adjoints so far. The graph itself stays as it is: no ``grad``
    is set.

    Args:
        y: the Value whose graph is played, with the adjoint 1.
        max_nodes: the largest graph to play.
        direction: "LR" or "TB", of the drawing.
        renderer: "dot" or "graphviz-pure" to insist on one.

    Returns:
        An object with ``.html`` (the page), ``.save(path)``, and its own display in Jupyter.

    Raises:
        TypeError: when y is not a Value.
        ValueError: for more than max_nodes nodes, and when a leaf was edited after its use.
        RendererError: without a renderer.
    """
    if y.__class__ is not Value:
        raise TypeError(f"step_through needs a Value, not {y!r}")
    order = topological_order(y)
    if len(order) > max_nodes:
        raise ValueError(f"the graph has {len(order)} nodes, which is more than max_nodes="
                         f"{max_nodes}; step through a part of it, for example one row of a loss, "
                         "or write a larger max_nodes")
    refuse_stale(order)
    steps, adjoints = _steps(order)
    svg = _svg(order, adjoints, direction, renderer)
    data = {"nodes": [_described(node) for node in order], "steps": steps}
    return Stepper(_template().replace("<!--SVG-->", svg).replace('"DATA"', _json_in_script(data)))


def _template() -> str:
    """The page without a graph; ``var(--ink)`` in it stands for the palette's INK."""
    page = files("autograd.drawing").joinpath("stepping.html").read_text(encoding="utf-8")
    return re.sub(r"var\(--([a-z-]+)\)",
                  lambda name: getattr(palette, name[1].replace("-", "_").upper()), page)


def _steps(order: Sequence[Value]) -> tuple[list[dict[str, Any]], list[float]]:
    """The steps of both passes, and the adjoints at the end.

    A forward step is {node}; a backward step is {node, sends: [[parent, local derivative or None,
    contribution, the parent's sum so far], ...]}. Numbers are texts that keep every bit.
    """
    place = {node: i for i, node in enumerate(order)}
    steps: list[dict[str, Any]] = [{"pass": "forward", "node": i} for i in range(len(order))]
    sums = [0.0] * len(order)
    sums[-1] = 1.0
    for i in range(len(order) - 1, -1, -1):
        node, sends = order[i], []
        for parent, local in zip(node.parents, local_derivatives(node), strict=True):
            if parent.__class__ is not Value:
                continue
            to = place[parent]
            contribution = None if local is None else sums[i] * local
            if contribution is not None:
                sums[to] += contribution
            sends.append([to, _text(local), _text(contribution), _text(sums[to])])
        steps.append({"pass": "backward", "node": i, "sends": sends})
    return steps, sums


def _text(x: float | None) -> str | None:
    return None if x is None else repr(x)


def _described(node: Value) -> dict[str, Any]:
    """What the page's panel says about a node."""
    return {"name": node.label, "op": node.op.symbol if node.op else "",
            "data": repr(node.data), "formula": _formula(node)}


def _formula(node: Value) -> str:
    """The operation on its operands' names or numbers, such as ``w * 2``."""
    if node.op is None:
        return ""
    shown = [p.label or number(p.data) if isinstance(p, Value) else number(p)
             for p in node.parents]
    half = len(shown) // 2
    if node.op.name == "dot" and half <= 8:
        return " + ".join(f"{a} * {b}" for a, b in zip(shown[:half], shown[half:], strict=True))
    if node.op.arity is None:
        listed = ", ".join(shown[:8]) + (", ..." if len(shown) > 8 else "")
        return f"{node.op.name}({listed})"
    return node.op.text.format(*shown, all=", ".join(shown))


def _svg(order: Sequence[Value], adjoints: Sequence[float], direction: str, renderer: str) -> str:
    """The drawing with the final adjoints, so that its boxes are wide enough for every step."""
    units = make_units(order, set(order))
    for unit, adjoint in zip(units.values(), adjoints, strict=True):
        unit.grad = adjoint
    picture = Picture(grouped(list(units.values()), set(), False), direction, renderer=renderer)
    svg = picture.drawing.pipe("svg", encoding="utf-8")
    found = re.search(r"<svg.*</svg>", svg, re.DOTALL)
    assert found is not None, "the renderer wrote no svg element"
    return re.sub(r"<!--.*?-->", "", found.group(), flags=re.DOTALL)


def _json_in_script(data: Any) -> str:
    """JSON that cannot end the script element that it stands in."""
    text = json.dumps(data, ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
