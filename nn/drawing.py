"""Pictures of neurons and networks: units in columns, weights as colour and width."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from autograd import palette
from autograd.core.validation import whole
from autograd.drawing.rendering import Drawing, plain

MOST_UNITS = 10  # of a column
FEWEST_UNITS, FEWEST_COLUMNS = 3, 3  # the first, the last, and what stands for those between
THINNEST, WIDEST = 0.4, 4.0  # points

# Inches. A column of a page has 900 pixels, of which an inch has 96; a circle and a margin go off.
ROOM = 9.3 - 0.9
PITCH = 0.85  # from unit to unit
WIDE_GAP, NARROW_GAP = 2.0, 1.15  # from column to column

Place = tuple[float, float]  # inches


def draw(model: Any, values: bool = False, cost: str = "", inputs: list[str] | None = None,
         outputs: list[str] | None = None, renderer: str = "",
         most: int = MOST_UNITS, *, activation: str = "") -> Drawing:
    """A neuron or a network as a diagram, inputs left, outputs right.

    A single unit (a Neuron, a Layer of one, an MLP without hidden layers and with one output)
    is drawn in its steps: the weighted sum z, the activation a, the output, and with ``cost``
    the cost. A network is drawn in columns; an edge is blue for a positive and orange for a
    negative weight, and the wider the larger the weight. Of a wide layer the first and the last
    neurons are drawn, and how many are between them; of many layers the first and the last, so that
    the picture fits into a column of 900 pixels.

    Args:
        model: a Neuron, Layer or MLP, or whatever has ``layers`` of ``neurons`` with ``w``, ``b``
            (None without a bias) and ``activation``.
        values: write the weights on the edges and the biases into the units.
        cost: for a single unit, the formula of the cost, such as "C = (a - y)^2".
        inputs, outputs: names for the inputs and the outputs; x_0, x_1 ... by default.
        renderer: "dot" or "graphviz-pure" to insist on one.
        most: how many places a column has at most; with values it has fewer where the numbers
            would not fit.
        activation: for a single unit, a letter for its activation function: "g" writes a = g(z)
            in place of, say, a = ReLU(z).

    Returns:
        A Drawing, as ``autograd.draw`` gives.

    Raises:
        TypeError: for a model that has no neurons, or a cost or a letter for the activation of
            more than one unit.
        ValueError: for a wrong number of names, and for fewer than 3 places.
    """
    most = whole(most, "most", FEWEST_UNITS)
    layers = _layers(model)
    names = _names(inputs, len(layers[0][0].w), "inputs", "x")
    if len(layers) == len(layers[0]) == 1:
        output = _names(outputs, 1, "outputs", "")[0] or "output"
        return _unit(layers[0][0], values, cost, names, output, renderer, most, activation)
    if cost or activation:
        raise TypeError(f"{'cost' if cost else 'activation'} is drawn for a single unit; this "
                        f"model has {sum(map(len, layers))} of them")
    network = _Network(layers, names, _names(outputs, len(layers[-1]), "outputs", "y"), values)
    return network.drawn(renderer, most)


def _ends(count: int, most: int) -> list[int | None]:
    """The places of a list to show: all, or the first and the last with None between."""
    if count <= most:
        return list(range(count))
    first = most // 2
    return [*range(first), None, *range(count - (most - 1 - first), count)]


def _layers(model: Any) -> list[list[Any]]:
    """The neurons of each layer of a network, a layer or a neuron."""
    if hasattr(model, "layers"):
        return [list(layer.neurons) for layer in model.layers]
    if hasattr(model, "neurons"):
        return [list(model.neurons)]
    if hasattr(model, "w") and hasattr(model, "b"):
        return [[model]]
    raise TypeError(f"nn.draw takes a Neuron, a Layer or an MLP, not {model!r}; "
                    "autograd.draw(y) draws the graph of a Value")


def _names(names: list[str] | None, count: int, what: str, letter: str) -> list[str]:
    if names is None:
        return [f"{letter}_{i}" if letter else "" for i in range(count)]
    if len(names) != count:
        raise ValueError(f"{what}: {len(names)} names for {count} {what}")
    return [str(name) for name in names]


def _drawing(renderer: str, **options: str) -> Drawing:
    drawing = Drawing(renderer=renderer)
    drawing.attr(rankdir="LR", bgcolor=palette.PAPER, fontname="Helvetica", fontsize="11",
                 fontcolor=palette.ASIDE, **options)
    drawing.attr("node", fontname="Helvetica", fontsize="12", color=palette.INK,
                 fontcolor=palette.INK, style="filled", fillcolor=palette.PAPER)
    drawing.attr("edge", fontname="Helvetica", fontsize="10", color=palette.EDGE,
                 fontcolor=palette.INK, arrowsize="0.7")
    return drawing


def _more(count: int) -> str:
    return f"·\n·\n·\n{count:,} more"


def _aside(drawing: Drawing, name: str, text: str, place: Place | None = None) -> None:
    """What stands for units or layers that are not drawn."""
    drawing.node(name, label=plain(text), shape="box", color=palette.PAPER,
                 fillcolor=palette.PAPER, fontsize="11", height="0.2", width="0.2", margin="0.02",
                 **({"pos": _position(place)} if place else {}))


# --- one unit -----------------------------------------------------------------------------------


def _unit(neuron: Any, values: bool, cost: str, names: list[str], output: str,
          renderer: str, most: int, activation: str) -> Drawing:
    drawing = _drawing(renderer, nodesep="0.35", ranksep="0.15")
    for i in _ends(len(names), most):
        if i is None:
            _aside(drawing, "more", _more(len(names) - most + 1))
            drawing.edge("more", "z", style="invis")  # keeps it among the inputs
            continue
        drawing.node(f"x{i}", label=plain(names[i]), shape="circle", fillcolor=palette.INPUT_FILL,
                     margin="0.03")
        drawing.edge(f"x{i}", "z", label=_with_value(f"w_{i}", neuron.w[i], values))
    with drawing.subgraph() as same:
        same.attr(rank="same")
        if neuron.b is not None:
            same.node("bias", label="bias", shape="circle", fontsize="10", width="0.4",
                      margin="0.02", fillcolor=palette.INPUT_FILL)
        same.node("z", label="z", shape="box3d", fillcolor=palette.COMPUTED_FILL)
        if neuron.b is not None:
            same.edge("bias", "z", label=_with_value("b", neuron.b, values))
    drawing.node("a", label="a", shape="circle", fillcolor=palette.COMPUTED_FILL)
    drawing.node("output", label=plain(output), shape="box", fillcolor=palette.OUTPUT_FILL)
    drawing.edge("z", "a", label=plain(_weighted_sum(len(neuron.w), neuron.b is not None)))
    drawing.edge("a", "output", label=plain(_activation_formula(neuron, activation)))
    if cost:
        drawing.node("cost", label="Cost", shape="box", fillcolor=palette.COST_FILL)
        drawing.edge("output", "cost", label=plain(cost))
    return drawing


def _with_value(name: str, parameter: Any, values: bool) -> str:
    return f"{name} = {parameter.data:.4g}" if values else name


def _weighted_sum(count: int, bias: bool) -> str:
    terms = [f"w_{i} x_{i}" for i in range(count)]
    if count > 3:
        terms = [terms[0], "...", terms[-1]]
    breaks = "\n" if count > 2 else " "  # or the line is too long for a column
    more = "".join(f"{breaks}+ {term}" for term in terms[2:])
    return f"z = {' + '.join(terms[:2])}{more}{' + b' if bias else ''}"


def _activation_formula(neuron: Any, letter: str) -> str:
    name = letter or neuron.activation
    if name == "linear":
        return "a = z"
    return f"a = {'ReLU' if name == 'relu' else name}(z)"


# --- a network ----------------------------------------------------------------------------------


class _Network:
    """Columns of units at fixed places: straight edges, and room for a number on each."""

    def __init__(self, layers: list[list[Any]], inputs: list[str], outputs: list[str],
                 values: bool) -> None:
        self.layers, self.inputs, self.outputs, self.values = layers, inputs, outputs, values
        self.sizes = [len(inputs), *map(len, layers)]
        self.widest = max((abs(w.data) for layer in layers for neuron in layer for w in neuron.w),
                          default=0.0)

    def drawn(self, renderer: str, most: int) -> Drawing:
        columns, most, gaps = self._fitting(most)
        drawing = _drawing(
            renderer, layout="neato", splines="line", outputorder="edgesfirst", labelloc="b",
            label="blue: weight > 0     orange: weight < 0     the wider, the larger "
                  f"(widest: {self.widest:.3g})")
        pitch = PITCH if not self.values else 1.3 * PITCH
        shown = {depth: _ends(self.sizes[depth], most) for depth in columns if depth is not None}
        top = pitch * (max(map(len, shown.values())) - 1) / 2.0 + 0.8
        places: dict[int, dict[int, Place]] = {}
        x = 0.0
        for depth, gap in zip(columns, [0.0, *gaps], strict=True):
            x += gap
            if depth is None:
                hidden = len(self.sizes) - len(columns) + 1
                _aside(drawing, "layers", f"· · ·\n{hidden} more\nlayers", (x, 0.0))
                continue
            places[depth] = self._column(drawing, depth, shown[depth], x, pitch)
            drawing.node(f"t{depth}", label=plain(self._heading(depth)), shape="plaintext",
                         fontcolor=palette.ASIDE, pos=_position((x, top)))
        for depth in places:
            if depth - 1 in places:
                self._weights(drawing, depth, places[depth - 1], places[depth])
        return drawing

    def _fitting(self, most: int) -> tuple[list[int | None], int, list[float]]:
        """The columns to draw, how many places each has, and the gaps between the columns.

        All columns and as many places as were asked for, or else fewer, so that the picture fits.
        """
        least = min(FEWEST_COLUMNS, len(self.sizes))
        for count in range(len(self.sizes), least - 1, -1):
            columns = _ends(len(self.sizes), count)
            for units in range(most, FEWEST_UNITS - 1, -1) if self.values else [most]:
                gaps = self._gaps(columns, units)
                if sum(gaps) <= ROOM:
                    return columns, units, gaps
        return columns, units, gaps

    def _gaps(self, columns: list[int | None], most: int) -> list[float]:
        if not self.values:
            return [max(NARROW_GAP, min(WIDE_GAP, ROOM / (len(columns) - 1)))] * (len(columns) - 1)
        return [NARROW_GAP if None in (before, depth) or depth is None else
                max(WIDE_GAP, 0.6 * min(self.sizes[depth], most) + 0.8)  # a column of numbers each
                for before, depth in pairwise(columns)]

    def _column(self, drawing: Drawing, depth: int, shown: list[int | None], x: float,
                pitch: float) -> dict[int, Place]:
        """Draws the units of a layer, and returns where each of them is."""
        fill = palette.COMPUTED_FILL if depth else palette.INPUT_FILL
        if depth == len(self.layers):
            fill = palette.OUTPUT_FILL
        places: dict[int, Place] = {}
        for slot, i in enumerate(shown):
            place = (x, pitch * ((len(shown) - 1) / 2.0 - slot))
            if i is None:
                _aside(drawing, f"g{depth}", _more(self.sizes[depth] - len(shown) + 1), place)
                continue
            places[i] = place
            drawing.node(f"u{depth}_{i}", label=plain(self._title(depth, i)), shape="circle",
                         fixedsize="true", width="0.7", fillcolor=fill, fontsize="11",
                         pos=_position(place))
        return places

    def _title(self, depth: int, i: int) -> str:
        """What stands in a circle."""
        if depth == 0:
            return self.inputs[i]
        name = f"h{'' if len(self.layers) == 2 else depth}_{i}"
        if depth == len(self.layers):
            name = self.outputs[i]
        bias = self.layers[depth - 1][i].b
        return f"{name}\nb {bias.data:.2g}" if self.values and bias is not None else name

    def _heading(self, depth: int) -> str:
        if depth == 0:
            return "inputs"
        kind = "outputs" if depth == len(self.layers) else (
            "hidden" if len(self.layers) == 2 else f"hidden {depth}")
        return f"{kind}\n{self.layers[depth - 1][0].activation}"

    def _weights(self, drawing: Drawing, depth: int, tails: dict[int, Place],
                 heads: dict[int, Place]) -> None:
        for rank, (j, head) in enumerate(heads.items()):
            for i, tail in tails.items():
                weight = self.layers[depth - 1][j].w[i].data
                share = abs(weight) / self.widest if self.widest > 0.0 else 0.0
                drawing.edge(f"u{depth - 1}_{i}", f"u{depth}_{j}", color=_colour(weight),
                             arrowhead="none",
                             penwidth=f"{THINNEST + (WIDEST - THINNEST) * share:.2f}")
                if self.values:
                    _number(drawing, f"w{depth}_{j}_{i}", weight, tail, head,
                            (rank + 0.5) / len(heads))


def _position(place: Place) -> str:
    return f"{place[0]:.3f},{place[1]:.3f}!"  # "!" pins the node there


def _number(drawing: Drawing, name: str, weight: float, tail: Place, head: Place,
            share: float) -> None:
    """A weight's number on its edge.

    Edges to one head have theirs at the same share of the way, so that the numbers stand below
    each other; edges from one tail at different shares, before the edges come together.
    """
    part = 0.2 + 0.55 * share
    x, y = (t + part * (h - t) for t, h in zip(tail, head, strict=True))
    drawing.node(name, label=f"{weight:.2f}", shape="box", style="filled", color=palette.PAPER,
                 fontcolor=_colour(weight), fontsize="10", width="0.1", height="0.1",
                 margin="0.02", pos=_position((x, y)))


def _colour(weight: float) -> str:
    return palette.POSITIVE if weight > 0.0 else palette.NEGATIVE if weight < 0.0 else palette.ASIDE
