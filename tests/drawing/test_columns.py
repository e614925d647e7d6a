"""Pictures that fit into a column: 900 pixels with each renderer, rows in order, nothing lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable

import pytest

import nn
from autograd import Value, draw, gradient, name_scope
from autograd.drawing.columns import COLUMN, text_width
from autograd.drawing.rendering import Drawing

RENDERERS = ["graphviz-pure", *(["dot"] if shutil.which("dot") else [])]


def readme() -> Value:
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (w * x + 7.0).tanh() + x**2
    y.label = "y"
    return y


def quick_start() -> Value:
    x, w, b = Value(2.0, "x"), Value(-3.0, "w"), Value(7.0, "b")
    z = w * x + b
    y = z.tanh()
    z.label, y.label = "z", "y"
    return y


def newton() -> Value:
    x = Value(2.0, "x")
    for k in range(3):
        x = x - (x**3 - 2.0 * x - 5.0) / (3.0 * x**2 - 2.0)
        x.label = f"x_{k + 1}"
    return x


def chain() -> Value:
    x = Value(0.5, "x")
    for k in range(30):
        x = [x.sin, x.exp, x.tanh, x.cos, x.atan][(k * k + k // 3) % 5]()
    return x


def logistic() -> Value:
    x, r = Value(0.3, "x"), Value(2.5, "r")
    for _ in range(100):
        x = r * x * (1.0 - x)
    return x


def network() -> Value:
    model = nn.MLP(2, [4, 4, 1], "tanh", seed=1)
    return (model([1.0, -2.0]) - 1.0) ** 2


def second_derivative() -> Value:
    x = Value(0.7, "x")
    (slope,) = gradient((x.sin() * x + x**3).exp(), [x])
    (bend,) = gradient(slope, [x])
    assert isinstance(bend, Value)
    return bend


def pendulum() -> Value:
    angle, speed, g = Value(1.0, "angle"), Value(0.0, "speed"), Value(9.81, "g")
    for _ in range(12):
        middle = angle + 0.025 * speed
        faster = speed - 0.025 * g * angle.sin()
        angle, speed = angle + 0.05 * faster, speed - 0.05 * g * middle.sin()
    return angle


def long_names() -> Value:
    x = Value(2.0, "the concentration of the substance in the second compartment, in mol per litre")
    y = x * x + 1e-300
    y.label = "a_name_of_many_letters_and_no_blank_that_goes_on_and_on"
    return (y.exp() + y).tanh()


def scopes() -> Value:
    x = Value(1.0, "x")
    for i in range(4):
        with name_scope(f"block {i}"):
            with name_scope("inner"):
                x = x.sin()
            x = x * 2.0
    return x


GRAPHS = [readme, quick_start, newton, chain, logistic, network, second_derivative, pendulum,
          long_names, scopes]


def pixels(drawing: Drawing) -> tuple[float, float]:
    svg = drawing.pipe("svg", encoding="utf-8")
    found = re.search(r'<svg width="([\d.]+)pt"\s+height="([\d.]+)pt"', svg)
    assert found is not None
    return float(found[1]) * 96.0 / 72.0, float(found[2]) * 96.0 / 72.0


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("graph", GRAPHS)
def test_a_picture_fits_into_a_column(graph: Callable[[], Value], renderer: str) -> None:
    y = graph()
    y.backward()
    for local_derivatives in (False, True):
        width, _ = pixels(draw(y, local_derivatives=local_derivatives, renderer=renderer))
        assert 300.0 < width <= COLUMN


def places(drawing: Drawing) -> dict[str, tuple[float, float]]:
    """The centre of each node's last line of text, y growing downwards."""
    svg = drawing.pipe("svg", encoding="utf-8")
    found = re.findall(r'<title>(n\w+)</title>.*?<text[^>]* x="([-\d.]+)" y="([-\d.]+)"', svg,
                       re.DOTALL)
    return {name: (float(x), float(y)) for name, x, y in found}


@pytest.mark.parametrize("renderer", RENDERERS)
def test_rows_stand_below_each_other_in_the_order_of_the_computation(renderer: str) -> None:
    drawing = draw(chain(), renderer=renderer)
    heights = [places(drawing)[f"n{i}"][1] for i in range(31)]
    assert heights == sorted(heights)
    assert 5 <= len({round(y) for y in heights}) <= 10
    across = [places(drawing)[f"n{i}"][0] for i in range(31)]
    for (x, y), (later, below) in zip(zip(across, heights, strict=True),
                                      list(zip(across, heights, strict=True))[1:], strict=False):
        assert later > x or below > y


@pytest.mark.parametrize("graph", GRAPHS)
def test_rows_lose_no_edge(graph: Callable[[], Value], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reference by reference, the wrapped picture has the edges of the one that is not wrapped."""
    wrapped = resolved(draw(graph(), elide=False))
    monkeypatch.setattr("autograd.drawing.columns.COLUMN", 1e9)
    straight = resolved(draw(graph(), merge=False, elide=False))
    assert wrapped == straight


def resolved(drawing: Drawing) -> list[tuple[str, str]]:
    """The edges between records, without ovals, and with references replaced by what they name."""
    edges = []
    for tail, head in re.findall(r"^\s*(n\d+\w*) -> (n\d+\w*)", drawing.source, re.MULTILINE):
        if head.endswith("out") or head == tail.removesuffix("op"):
            continue
        edges.append((re.sub(r"in\d+$", "", tail), head.removesuffix("op")))
    return sorted(edges)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_folded_scopes_that_depend_on_each_other_can_be_drawn(renderer: str) -> None:
    x = Value(1.0, "x")
    for _ in range(6):
        with name_scope("A"):
            a = x.sin()
        with name_scope("B"):
            b = a * 2.0
        with name_scope("A"):
            x = b + a
    svg = draw(x, fold=True, renderer=renderer).pipe("svg", encoding="utf-8")
    assert "12 nodes" in svg
    assert "6 nodes" in svg


def test_a_reference_names_its_node() -> None:
    source = draw(newton()).source
    texts = dict(re.findall(r"^\s*(n\d+(?:in\d+|out)) \[label=\"?(.*?)\"? ", source, re.MULTILINE))
    records = dict(re.findall(r'^\s*(n\d+) \[label="([^"]*)"', source, re.MULTILINE))
    assert len(texts) >= 4
    for name, text in texts.items():
        node = re.match(r"n\d+", name)
        assert node is not None
        assert text in records[node[0]].split(" | ")[:2] or re.fullmatch(r"\(\d+\)", text)
    into = {(re.match(r"n\d+", name)[0], text)  # type: ignore[index]
            for name, text in texts.items() if "in" in name}
    assert len({text for _, text in into}) == len(into)  # one name each
    assert {"x_1", "x_2"} <= {text for _, text in into}


def test_two_nodes_of_one_label_are_referred_to_by_numbers() -> None:
    x = Value(0.5, "x")
    for _ in range(9):
        x = x.sin()
        x.label = "same"
        x = x.exp()
    source = draw(x, elide=False).source
    assert not re.search(r"n\d+(in\d+|out) \[label=same", source)
    assert re.search(r'n\d+in\d+ \[label="\(1\)"', source)


def test_what_fits_keeps_its_ovals_and_what_does_not_has_them_in_its_records() -> None:
    x = Value(0.5, "x")
    assert "op [" in draw(x.sin().exp()).source
    five = draw(x.sin().exp().tanh().cos().exp()).source
    assert "op [" not in five
    assert "cluster_row" not in five


def test_a_drawing_from_top_to_bottom_is_not_wrapped() -> None:
    source = draw(chain(), "TB").source
    assert "cluster_row" not in source
    assert source.count("op [") == 30


def test_a_long_label_is_broken_and_no_letter_lost() -> None:
    source = draw(long_names()).source
    found = re.search(r'n0 \[label="([^"]*?) \| data', source)
    assert found is not None
    lines = found[1].split("\\n")
    assert max(map(len, lines)) <= 24
    assert "".join(lines) == ("the concentration of the substance in the second compartment, in "
                              "mol per litre")


@pytest.mark.parametrize(("text", "least", "most"), [
    ("", 0.0, 0.0), ("data -9.8100", 75.0, 115.0), ("iiii", 15.0, 30.0), ("MMMM", 50.0, 65.0),
    ("权重", 28.0, 31.0), ("short\nand a longer line", 130.0, 175.0)])
def test_the_width_of_a_text(text: str, least: float, most: float) -> None:
    assert least <= text_width(text, 11.0) <= most
