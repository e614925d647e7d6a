"""Diagrams of neurons and networks: nodes, edges and labels, and rendering with both renderers."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

import nn
from autograd import palette
from autograd.drawing.rendering import Drawing

RENDERERS = ["graphviz-pure", *(["dot"] if shutil.which("dot") else [])]
EDGE = re.compile(r"^\s*(\w+) -> (\w+) \[(.*)\]$", re.MULTILINE)
NODE = re.compile(r"^\s*(\w+) \[(.*)\]$", re.MULTILINE)


def edges(drawing: Drawing) -> dict[tuple[str, str], str]:
    return {(tail, head): options for tail, head, options in EDGE.findall(drawing.source)}


def nodes(drawing: Drawing) -> dict[str, str]:
    return {name: options for name, options in NODE.findall(drawing.source)
            if name not in ("node", "edge", "graph")}


def label(options: str) -> str:
    found = re.search(r'label=(?:"([^"]*)"|(\S+?)(?= |$))', options)
    return (found[1] or found[2]) if found else ""


def place(options: str) -> tuple[float, float]:
    found = re.search(r'pos="([-\d.]+),([-\d.]+)!"', options)
    assert found is not None
    return float(found[1]), float(found[2])


def unit(activation: str = "relu", weights: tuple[float, ...] = (0.5,), bias: float = -0.25,
         ) -> nn.Neuron:
    neuron = nn.Neuron(len(weights), activation)
    for parameter, number in zip(neuron.w, weights, strict=True):
        parameter.data = number
    neuron.b.data = bias
    return neuron


def test_a_unit_is_drawn_in_its_steps_with_the_formulas_on_the_edges() -> None:
    drawn = edges(nn.draw(unit(), cost="C = (a - y)^2"))
    assert {pair: label(options) for pair, options in drawn.items()} == {
        ("x0", "z"): "w_0", ("bias", "z"): "b", ("z", "a"): "z = w_0 x_0 + b",
        ("a", "output"): "a = ReLU(z)", ("output", "cost"): "C = (a - y)^2"}


def test_z_is_a_box_in_space_and_the_bias_a_small_circle_beside_it() -> None:
    drawing = nn.draw(unit())
    drawn = nodes(drawing)
    assert "shape=box3d" in drawn["z"]
    assert "shape=circle" in drawn["bias"]
    assert "width=0.4" in drawn["bias"]
    same = re.search(r"\{\s*rank=same(.*?)\}", drawing.source, re.DOTALL)
    assert same is not None
    assert set(re.findall(r"^\s*(\w+) \[", same[1], re.MULTILINE)) == {"bias", "z"}


def test_without_a_cost_the_unit_ends_in_its_output() -> None:
    drawn = edges(nn.draw(unit("sigmoid"), outputs=["not x"]))
    assert label(drawn["a", "output"]) == "a = sigmoid(z)"
    assert not any("cost" in pair for pair in drawn)
    assert label(nodes(nn.draw(unit(), outputs=["not x"]))["output"]) == "not x"


def test_the_activation_of_a_unit_may_be_drawn_as_a_letter() -> None:
    for name in ("relu", "linear"):
        drawn = edges(nn.draw(unit(name), activation="g"))
        assert label(drawn["a", "output"]) == "a = g(z)"
    with pytest.raises(TypeError, match="activation is drawn for a single unit"):
        nn.draw(nn.MLP(2, [2, 1], seed=1), activation="g")


def test_a_linear_unit_passes_z_on() -> None:
    assert label(edges(nn.draw(unit("linear")))["a", "output"]) == "a = z"


def test_a_unit_of_several_inputs_has_an_edge_for_each() -> None:
    drawn = edges(nn.draw(unit(weights=(1.0, 2.0, 3.0))))
    assert [label(drawn[f"x{i}", "z"]) for i in range(3)] == ["w_0", "w_1", "w_2"]
    assert label(drawn["z", "a"]) == "z = w_0 x_0 + w_1 x_1\\n+ w_2 x_2 + b"
    many = edges(nn.draw(unit(weights=(1.0,) * 5)))
    assert label(many["z", "a"]) == "z = w_0 x_0 + ...\\n+ w_4 x_4 + b"


def test_a_units_values_stand_beside_the_names() -> None:
    drawn = edges(nn.draw(unit(weights=(-24.3428836,), bias=0.125), values=True))
    assert label(drawn["x0", "z"]) == "w_0 = -24.34"
    assert label(drawn["bias", "z"]) == "b = 0.125"


def test_an_mlp_of_one_unit_is_drawn_as_the_unit() -> None:
    model = nn.MLP(1, [1], seed=1)
    assert nn.draw(model).source == nn.draw(model.layers[0].neurons[0]).source


@pytest.mark.parametrize("sizes", [(3, 2, 1), (4, 2, 3), (3, 4, 4, 1)])
def test_a_network_has_an_edge_for_each_weight(sizes: tuple[int, ...]) -> None:
    model = nn.MLP(sizes[0], sizes[1:], seed=1)
    drawing = nn.draw(model)
    assert set(edges(drawing)) == {
        (f"u{d}_{i}", f"u{d + 1}_{j}") for d in range(len(sizes) - 1)
        for i in range(sizes[d]) for j in range(sizes[d + 1])}
    units = [name for name in nodes(drawing) if name.startswith("u")]
    assert units == [f"u{d}_{i}" for d, size in enumerate(sizes) for i in range(size)]


def test_the_units_of_a_layer_stand_in_one_column() -> None:
    drawn = nodes(nn.draw(nn.MLP(3, [4, 4, 1], seed=1)))
    places = {name: re.findall(r"-?[\d.]+", re.search(r'pos="([^"]*)!"', options)[1])  # type: ignore[index]
              for name, options in drawn.items()}
    columns = [{x for name, (x, _) in places.items() if name.startswith((f"u{d}_", f"t{d}"))}
               for d in range(4)]
    assert all(len(column) == 1 for column in columns)
    assert sorted(float(column.pop()) for column in columns) == [0.0, 2.0, 4.0, 6.0]
    heights = [float(places[f"u1_{i}"][1]) for i in range(4)]
    assert heights == sorted(heights, reverse=True)
    assert sum(heights) == pytest.approx(0.0, abs=0.01)


def test_colour_says_the_sign_of_a_weight_and_width_its_size() -> None:
    model = nn.MLP(3, [2, 1], seed=1)
    for weight, number in zip(model.layers[0].neurons[0].w, (2.0, -1.0, 0.0), strict=True):
        weight.data = number
    drawn = edges(nn.draw(model))
    options = [drawn[f"u0_{i}", "u1_0"] for i in range(3)]
    assert [re.search('color="(#[0-9a-f]{6})"', o)[1] for o in options] == [  # type: ignore[index]
        palette.POSITIVE, palette.NEGATIVE, palette.ASIDE]
    widths = [float(re.search(r"penwidth=([\d.]+)", o)[1]) for o in options]  # type: ignore[index]
    assert widths == [4.0, 2.2, 0.4]  # 0.4 + 3.6 |w| / 2
    assert "blue: weight > 0" in nn.draw(model).source


def test_values_stand_on_the_edges_and_biases_in_the_units() -> None:
    model = nn.MLP(2, [2, 1], seed=1)
    model.layers[0].neurons[1].w[0].data = 0.314
    model.layers[0].neurons[1].b.data = -1.5
    assert not any(name.startswith("w") for name in nodes(nn.draw(model)))
    drawn = nodes(nn.draw(model, values=True))
    assert len([name for name in drawn if name.startswith("w")]) == 6
    assert label(drawn["w1_1_0"]) == "0.31"
    assert label(drawn["u1_1"]) == "h_1\\nb -1.5"


def test_headings_name_the_activations() -> None:
    drawn = nodes(nn.draw(nn.MLP(3, [4, 2, 1], "tanh", seed=1, output="sigmoid")))
    assert [label(drawn[f"t{d}"]) for d in range(4)] == [
        "inputs", "hidden 1\\ntanh", "hidden 2\\ntanh", "outputs\\nsigmoid"]


def test_inputs_and_outputs_can_be_named() -> None:
    drawn = nodes(nn.draw(nn.MLP(2, [2, 1], seed=1), inputs=["rain", "<b>"], outputs=["wet"]))
    assert [label(drawn[name]) for name in ("u0_0", "u2_0")] == ["rain", "wet"]
    with pytest.raises(ValueError, match="inputs: 1 names for 2 inputs"):
        nn.draw(nn.MLP(2, [2, 1], seed=1), inputs=["rain"])


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(TypeError, match="Neuron, a Layer or an MLP"):
        nn.draw(3.0)
    with pytest.raises(TypeError, match="cost is drawn for a single unit"):
        nn.draw(nn.MLP(2, [2, 1], seed=1), cost="C")
    with pytest.raises(ValueError, match="most must be at least 3"):
        nn.draw(nn.MLP(2, [200, 1], seed=1), most=2)


# --- wide and deep networks -----------------------------------------------------------------------


def test_of_a_wide_layer_the_first_and_the_last_neurons_are_drawn() -> None:
    drawing = nn.draw(nn.MLP(64, [32, 10], seed=1))
    drawn = nodes(drawing)
    ends = [0, 1, 2, 3, 4]
    assert [name for name in drawn if name[0] == "u"] == [
        *(f"u0_{i}" for i in [*ends, 60, 61, 62, 63]),
        *(f"u1_{i}" for i in [*ends, 28, 29, 30, 31]), *(f"u2_{i}" for i in range(10))]
    assert [label(drawn[name]) for name in ("g0", "g1")] == [
        "·\\n·\\n·\\n55 more", "·\\n·\\n·\\n23 more"]
    assert "g2" not in drawn
    assert len(edges(drawing)) == 9 * 9 + 9 * 10
    assert label(drawn["u0_63"]) == "x_63"


def test_the_ellipsis_stands_where_neurons_are_missing() -> None:
    drawn = nodes(nn.draw(nn.MLP(20, [1, 1], seed=1), most=5))
    heights = {name: place(options)[1] for name, options in drawn.items() if name != "t0"}
    assert heights["u0_1"] > heights["g0"] > heights["u0_18"]
    steps = {round(a - b, 3) for a, b in pairwise([heights[name] for name in (
        "u0_0", "u0_1", "g0", "u0_18", "u0_19")])}
    assert len(steps) == 1


def test_the_weights_of_shown_neurons_are_theirs() -> None:
    model = nn.MLP(30, [20, 1], seed=1)
    model.layers[0].neurons[19].w[29].data = 0.987
    drawn = nodes(nn.draw(model, values=True))
    assert label(drawn["w1_19_29"]) == "0.99"


def test_of_many_layers_the_first_and_the_last_are_drawn() -> None:
    drawn = nodes(nn.draw(nn.MLP(4, [6] * 28 + [1], seed=1)))
    shown = [int(name[1:]) for name in drawn if re.fullmatch(r"t\d+", name)]
    assert shown == [0, 1, 2, 3, 27, 28, 29]
    assert label(drawn["layers"]) == "· · ·\\n23 more\\nlayers"
    assert place(drawn["u3_0"])[0] < place(drawn["layers"])[0] < place(drawn["u27_0"])[0]


SIZES = [(3, 4, 4, 1), (64, 32, 10), (784, 128, 10), (2, 16, 16, 1), (4, *[6] * 28, 1), (20, 1),
         (784, 1)]


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_a_network_fits_into_a_column(sizes: tuple[int, ...], values: bool, renderer: str) -> None:
    model = nn.MLP(sizes[0], sizes[1:], "tanh", seed=1)
    svg = nn.draw(model, values=values, renderer=renderer).pipe("svg", encoding="utf-8")
    width, height = (float(x) * 96 / 72 for x in re.findall(r'<svg width="([\d.]+)pt"\s+height="'
                                                            r'([\d.]+)pt"', svg)[0])
    assert 300 < width <= 900
    assert height < 1050


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("count", [1, 3, 6, 784])
def test_a_unit_with_its_cost_fits_into_a_column(count: int, renderer: str) -> None:
    drawing = nn.draw(unit("sigmoid", (-0.004093,) * count), True, "C = (a - y)^2",
                      renderer=renderer)
    svg = drawing.pipe("svg", encoding="utf-8")
    found = re.search(r'<svg width="([\d.]+)pt"', svg)
    assert found is not None
    assert 500 < float(found[1]) * 96 / 72 <= 900


def test_a_unit_of_many_inputs_shows_the_first_and_the_last() -> None:
    drawing = nn.draw(unit(weights=(1.0,) * 784))
    assert [name for name in nodes(drawing) if name[0] == "x"] == [
        f"x{i}" for i in [0, 1, 2, 3, 4, 780, 781, 782, 783]]
    assert label(nodes(drawing)["more"]) == "·\\n·\\n·\\n775 more"
    assert label(edges(drawing)["x783", "z"]) == "w_783"


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("values", [False, True])
def test_both_renderers_draw_units_and_networks(renderer: str, values: bool,
                                                tmp_path: Path) -> None:
    svg = nn.draw(unit(), values=values, cost="C = (a - y)^2", renderer=renderer).pipe(
        "svg", encoding="utf-8").replace("&#45;", "-")
    for text in ("z = w_0 x_0 + b", "a = ReLU(z)", "C = (a - y)^2", "bias", "Cost"):
        assert f">{text}</text>" in svg
    drawing = nn.draw(nn.MLP(3, [4, 4, 1], seed=1), values=values, renderer=renderer)
    svg = drawing.pipe("svg", encoding="utf-8")
    assert svg.count('class="edge"') == 12 + 16 + 4
    assert svg.count('class="node"') == 12 + 4 + (32 if values else 0)
    assert "#0072b2" in svg
    assert Path(drawing.render(tmp_path / "network.png")).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_renderer_keeps_the_columns(renderer: str) -> None:
    svg = nn.draw(nn.MLP(3, [2, 1], seed=1), renderer=renderer).pipe("svg", encoding="utf-8")
    centres = {title: float(x) for title, x in re.findall(
        r'<title>(u\d_\d)</title>\s*<ellipse[^>]* cx="([-\d.]+)"', svg)}
    assert len(centres) == 6
    columns = [{round(x) for name, x in centres.items() if name.startswith(f"u{d}")}
               for d in range(3)]
    assert [len(column) for column in columns] == [1, 1, 1]
    assert max(columns[0]) < min(columns[1]) < max(columns[2])


def test_a_unit_without_a_bias_has_no_bias_in_its_picture() -> None:
    drawing = nn.draw(nn.Neuron(2, "tanh", bias=False), values=True)
    assert "bias" not in nodes(drawing)
    assert label(edges(drawing)["z", "a"]) == "z = w_0 x_0 + w_1 x_1"


def test_a_network_without_biases_writes_none_into_its_units() -> None:
    drawn = nodes(nn.draw(nn.MLP(2, [2, 1], bias=False, seed=1), values=True))
    assert label(drawn["u1_0"]) == "h_0"
