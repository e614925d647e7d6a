"""Pictures of expression graphs: structure in DOT, and rendering with both renderers."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograd import Value, draw, name_scope
from autograd.drawing import mimebundle
from autograd.rendering import Drawing, RendererError, find_renderer

RENDERERS = ["graphviz-pure", *(["dot"] if shutil.which("dot") else [])]
NODE = re.compile(r'^\s*(n\d+(?:op|c\d+|x\d+)?) \[label="?(.*?)"?(?: \w+=.*)?\]$', re.MULTILINE)
EDGE = re.compile(r"^\s*(\w+) -> (\w+)(?: \[(.*)\])?$", re.MULTILINE)


def example() -> Value:
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (w * x + 7.0).tanh() + x**2
    y.label = "y"
    return y


def nodes(drawing: Drawing) -> dict[str, str]:
    return dict(NODE.findall(drawing.source))


def edges(drawing: Drawing) -> list[tuple[str, str]]:
    return [(a, b) for a, b, _ in EDGE.findall(drawing.source)]


def labels_of_edges(drawing: Drawing) -> list[str]:
    return re.findall(r'label="?(d = [^"\]]+|none)"?', drawing.source)


def test_every_value_is_a_record_and_every_operation_an_oval() -> None:
    drawn = nodes(draw(example()))
    records = [label for label in drawn.values() if label.startswith("{ ")]
    ovals = [drawn[name] for name in drawn if name.endswith("op")]
    assert len(records) == 7
    assert sorted(ovals) == ["*", "**", "+", "+", "tanh"]


def test_records_show_label_number_and_adjoint() -> None:
    y = example()
    y.backward()
    labels = nodes(draw(y)).values()
    assert "{ x | data 2.0000 | grad 2.7401 }" in labels
    assert "{ y | data 4.7616 | grad 1.0000 }" in labels


def test_not_computed_looks_different_from_zero() -> None:
    x = Value(3.0, "x")
    y = x * 0.0
    assert "{ x | data 3.0000 | grad - }" in nodes(draw(y)).values()
    y.backward()
    assert "{ x | data 3.0000 | grad 0.0000 }" in nodes(draw(y)).values()


def test_constants_are_plain_and_edges_lead_to_the_operation() -> None:
    x = Value(3.0, "x")
    drawing = draw(x * 2.0)
    assert edges(drawing) == [("n1op", "n1"), ("n0", "n1op"), ("n1c1", "n1op")]
    assert nodes(drawing)["n1c1"] == "2.0000"


def test_a_square_has_two_edges_from_its_operand() -> None:
    x = Value(3.0, "x")
    assert edges(draw(x * x)).count(("n0", "n1op")) == 2


def test_local_derivatives_stand_on_the_edges() -> None:
    a, b = Value(2.0, "a"), Value(5.0, "b")
    assert labels_of_edges(draw(a * b)) == []
    assert labels_of_edges(draw(a * b, local_derivatives=True)) == ["d = 5.0000", "d = 2.0000"]


def test_special_characters_in_labels_are_escaped() -> None:
    drawing = draw(Value(1.0, "a|b{c}<d>") * 2.0)
    assert r"a\|b\{c\}\<d\>" in drawing.source.replace("\\\\", "\\")
    for renderer in RENDERERS:
        drawing.layout_renderer = renderer
        assert "a|b{c}&lt;d&gt;" in drawing.pipe("svg", encoding="utf-8")


def test_scopes_are_clusters_inside_one_another() -> None:
    x = Value(1.0, "x")
    with name_scope("layer 1"):
        a = x * 2.0
        with name_scope("neuron 1"):
            b = a.tanh()
    source = draw(b + x).source
    assert source.count("subgraph cluster_") == 2
    assert source.index('label="layer 1"') < source.index('label="neuron 1"')
    assert "subgraph" not in draw(b + x, scopes=False).source


def test_the_order_is_stable_over_processes() -> None:
    code = ("from autograd import Value, draw; x = Value(1.0, 'x'); y = x * x + x.exp(); "
            "print(draw(y).source)")
    texts = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True, env={"PYTHONHASHSEED": seed}).stdout
             for seed in ("1", "2")}
    assert len(texts) == 1
    assert "digraph" in texts.pop()


def test_a_large_graph_asks_for_depth_or_max_nodes() -> None:
    y = Value(1.0)
    for _ in range(600):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"601 nodes.*max_nodes=500.*depth=3"):
        draw(y)
    assert len([n for n in nodes(draw(y, depth=3)) if re.fullmatch(r"n\d+", n)]) == 4
    assert len([n for n in nodes(draw(y, max_nodes=700)) if re.fullmatch(r"n\d+", n)]) == 601


def test_depth_marks_what_is_cut_off() -> None:
    drawn = nodes(draw(example(), depth=1))
    assert "..." in drawn.values()
    assert not any("x |" in label for label in drawn.values())


@pytest.mark.parametrize("wrong", [3.0, "y", [1.0]])
def test_only_values_can_be_drawn(wrong: object) -> None:
    with pytest.raises(TypeError):
        draw(wrong)  # type: ignore[arg-type]


def test_several_roots_share_one_picture() -> None:
    x = Value(1.0, "x")
    assert edges(draw([x * 2.0, x * 3.0])).count(("n0", "n1op")) == 1
    assert len([n for n in nodes(draw([x * 2.0, x * 3.0])) if n.endswith("op")]) == 2


@pytest.mark.parametrize("renderer", RENDERERS)
def test_both_renderers_write_svg_and_png(renderer: str, tmp_path: Path) -> None:
    drawing = draw(example(), renderer=renderer)
    svg = Path(drawing.render(tmp_path / "graph.svg")).read_text(encoding="utf-8")
    assert "<svg" in svg
    assert svg.count("<polygon") > 7
    assert "tanh" in svg
    png = Path(drawing.render(tmp_path / "graph", format="png"))
    assert png.name == "graph.png"
    assert png.read_bytes().startswith(b"\x89PNG")


def test_pdf_needs_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = draw(example(), renderer="graphviz-pure")
    if shutil.which("dot"):
        path = Path(draw(example()).render(tmp_path / "graph.pdf"))
        assert path.read_bytes().startswith(b"%PDF")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RendererError, match="graphviz-pure writes no pdf"):
        drawing.render(tmp_path / "other.pdf")
    assert not (tmp_path / "other.pdf").exists()


def test_without_dot_the_pure_renderer_is_found_beside_the_interpreter(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(find_renderer()).stem == "graphviz-pure"


def test_a_missing_renderer_says_how_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(RendererError, match="pip install"):
        find_renderer()


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RendererError, match="svg, png, pdf"):
        draw(example()).render(tmp_path / "graph", format="bmp")


def test_jupyter_shows_the_graph_of_a_value_and_the_text_of_a_leaf() -> None:
    bundle = mimebundle(example())
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"].startswith("Value(data=4.76")
    assert "image/svg+xml" not in mimebundle(Value(1.0))
    assert "<svg" in draw(example())._repr_mimebundle_()["image/svg+xml"]
