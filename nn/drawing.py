"""Pictures of neurons and networks: units in columns, weights as colour and width."""

from __future__ import annotations

from typing import Any

from autograd import palette
from autograd.drawing.rendering import Drawing, plain

MAX_UNITS = 200
THINNEST, WIDEST = 0.4, 4.0  # points
PITCH = 0.95  # inches from unit to unit


def draw(model: Any, values: bool = False, cost: str = "", inputs: list[str] | None = None,
         outputs: list[str] | None = None, renderer: str = "", *, activation: str = "") -> Drawing:
    """A neuron or a network as a diagram, inputs left, outputs right.

    A single unit (a Neuron, a Layer of one, an MLP without hidden layers and with one output)
    is drawn in its steps: the weighted sum z, the activation a, the output, and with ``cost``
    the cost. A network is drawn in columns; an edge is blue for a positive and orange for a
    negative weight, and the wider the larger the weight.

    Args:
        model: a Neuron, Layer or MLP, or whatever has ``layers`` of ``neurons`` with ``w``, ``b``
            (None without a bias) and ``activation``.
        values: write the weights on the edges and the biases into the units.
        cost: for a single unit, the formula of the cost, such as "C = (a - y)^2".
        inputs, outputs: names for the inputs and the outputs; x_0, x_1 ... by default.
        renderer: "dot" or "graphviz-pure" to insist on one.
        activation: for a single unit, a letter for its activation function: "g" writes a = g(z)
            in place of, say, a = ReLU(z).

    Returns:
        A Drawing, as ``autograd.draw`` gives.

    Raises:
        TypeError: for a model that has no neurons, or a cost or a letter for the activation of
            more than one unit.
        ValueError: for a network of more than 200 units, and for a wrong number of names.
    """
    layers = _layers(model)
    names = _names(inputs, len(layers[0][0].w), "inputs", "x")
    if len(layers) == len(layers[0]) == 1:
        output = _names(outputs, 1, "outputs", "")[0] or "output"
        return _unit(layers[0][0], values, cost, names, output, renderer, activation)
    if cost or activation:
        raise TypeError(f"{'cost' if cost else 'activation'} is drawn for a single unit; this "
                        f"model has {sum(map(len, layers))} of them")
    sizes = [len(names), *map(len, layers)]
    if sum(sizes) > MAX_UNITS:
        raise ValueError(f"the network {'-'.join(map(str, sizes))} has more than {MAX_UNITS} "
                         "units, which nobody can read; draw one of its layers, or the graph of "
                         "its loss: autograd.draw(loss, merge=True)")
    return _network(layers, values, names, _names(outputs, sizes[-1], "outputs", "y"), renderer)


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
    drawing.attr(rankdir="LR", bgcolor="white", fontname="Helvetica", fontsize="11",
                 fontcolor=palette.ASIDE, **options)
    drawing.attr("node", fontname="Helvetica", fontsize="12", color=palette.INK,
                 fontcolor=palette.INK, style="filled", fillcolor="white")
    drawing.attr("edge", fontname="Helvetica", fontsize="11", color=palette.EDGE,
                 fontcolor=palette.INK, arrowsize="0.7")
    return drawing


# --- one unit -----------------------------------------------------------------------------------


def _unit(neuron: Any, values: bool, cost: str, names: list[str], output: str,
          renderer: str, activation: str) -> Drawing:
    drawing = _drawing(renderer, nodesep="0.35", ranksep="0.6")
    for i, (name, weight) in enumerate(zip(names, neuron.w, strict=True)):
        drawing.node(f"x{i}", label=plain(name), shape="circle", fillcolor=palette.INPUT_FILL)
        drawing.edge(f"x{i}", "z", label=_with_value(f"w_{i}", weight, values))
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
    drawing.edge("z", "a", label=_weighted_sum(len(neuron.w), neuron.b is not None))
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
    return "z = " + " + ".join([*terms, *(["b"] if bias else [])])


def _activation_formula(neuron: Any, letter: str) -> str:
    name = letter or neuron.activation
    if name == "linear":
        return "a = z"
    return f"a = {'ReLU' if name == 'relu' else name}(z)"


# --- a network ----------------------------------------------------------------------------------


def _network(layers: list[list[Any]], values: bool, inputs: list[str], outputs: list[str],
             renderer: str) -> Drawing:
    """Columns of units at fixed places: straight edges, and room for a number on each."""
    widest = max((abs(w.data) for layer in layers for neuron in layer for w in neuron.w),
                 default=0.0)
    drawing = _drawing(
        renderer, layout="neato", splines="line", outputorder="edgesfirst", labelloc="b",
        label="blue: weight > 0     orange: weight < 0     the wider, the larger "
              f"(widest: {widest:.3g})")
    gap = PITCH if not values else 1.3 * PITCH
    top = gap * (max(len(inputs), *map(len, layers)) - 1) / 2.0 + 0.8
    places: list[list[tuple[float, float]]] = []
    x = 0.0
    for depth in range(len(layers) + 1):
        if depth and values:
            x += max(2.6, 0.65 * len(layers[depth - 1]) + 1.0)  # a column of numbers a unit
        elif depth:
            x += 2.0
        titles = _titles(depth, layers, values, inputs, outputs)
        places.append([(x, gap * ((len(titles) - 1) / 2.0 - i)) for i in range(len(titles))])
        _column(drawing, depth, titles, places[-1], depth == len(layers))
        drawing.node(f"t{depth}", label=plain(_heading(depth, layers)), shape="plaintext",
                     fontcolor=palette.ASIDE, pos=_position(x, top))
    for depth, layer in enumerate(layers, 1):
        for j, neuron in enumerate(layer):
            for i, weight in enumerate(neuron.w):
                _weight(drawing, f"u{depth - 1}_{i}", f"u{depth}_{j}", weight.data, widest)
                if values:
                    _number(drawing, f"w{depth}_{j}_{i}", weight.data, places[depth - 1][i],
                            places[depth][j], (j + 0.5) / len(layer))
    return drawing


def _position(x: float, y: float) -> str:
    return f"{x:.3f},{y:.3f}!"  # inches; "!" pins the node there


def _titles(depth: int, layers: list[list[Any]], values: bool, inputs: list[str],
            outputs: list[str]) -> list[str]:
    """What stands in the circles of one column."""
    if depth == 0:
        return inputs
    last = depth == len(layers)
    names = outputs if last else [f"h{'' if len(layers) == 2 else depth}_{i}"
                                  for i in range(len(layers[depth - 1]))]
    if values:
        names = [name if neuron.b is None else f"{name}\nb {neuron.b.data:.2g}"
                 for name, neuron in zip(names, layers[depth - 1], strict=True)]
    return names


def _heading(depth: int, layers: list[list[Any]]) -> str:
    if depth == 0:
        return "inputs"
    kind = "outputs" if depth == len(layers) else (
        "hidden" if len(layers) == 2 else f"hidden {depth}")
    return f"{kind}\n{layers[depth - 1][0].activation}"


def _column(drawing: Drawing, depth: int, titles: list[str], places: list[tuple[float, float]],
            last: bool) -> None:
    fill = palette.OUTPUT_FILL if last else palette.COMPUTED_FILL if depth else palette.INPUT_FILL
    for i, (title, place) in enumerate(zip(titles, places, strict=True)):
        drawing.node(f"u{depth}_{i}", label=plain(title), shape="circle", fixedsize="true",
                     width="0.7", fillcolor=fill, fontsize="11", pos=_position(*place))


def _weight(drawing: Drawing, tail: str, head: str, weight: float, widest: float) -> None:
    share = abs(weight) / widest if widest > 0.0 else 0.0
    drawing.edge(tail, head, color=_colour(weight), arrowhead="none",
                 penwidth=f"{THINNEST + (WIDEST - THINNEST) * share:.2f}")


def _number(drawing: Drawing, name: str, weight: float, tail: tuple[float, float],
            head: tuple[float, float], share: float) -> None:
    """A weight's number on its edge.

    Edges to one head have theirs at the same share of the way, so that the numbers stand below
    each other; edges from one tail at different shares, before the edges come together.
    """
    part = 0.2 + 0.55 * share
    x, y = (t + part * (h - t) for t, h in zip(tail, head, strict=True))
    drawing.node(name, label=f"{weight:.2f}", shape="box", style="filled", color="white",
                 fontcolor=_colour(weight), fontsize="10", width="0.1", height="0.1",
                 margin="0.02", pos=_position(x, y))


def _colour(weight: float) -> str:
    return palette.POSITIVE if weight > 0.0 else palette.NEGATIVE if weight < 0.0 else palette.ASIDE
