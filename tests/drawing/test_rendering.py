"""Finding a renderer, and writing pictures with each: `dot` and graphviz-pure."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograd import Value, draw
from autograd.drawing import rendering
from autograd.drawing.rendering import (
    Drawing,
    Renderer,
    RendererError,
    escape,
    find_renderer,
    plain,
)

RENDERERS = [name for name, row in rendering.RENDERERS.items() if row.find()]


def example() -> Value:
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    return (w * x + 7.0).tanh() + x**2


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


@pytest.mark.parametrize("name", ["graph.jpg", "graph.JPEG", "graph.gif", "graph.svgz", "g.v2"])
def test_a_suffix_that_cannot_be_written_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RendererError, match=r"choose one of svg, png, pdf"):
        draw(example()).render(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_point_in_a_name_is_no_suffix_where_the_format_is_known(tmp_path: Path) -> None:
    assert Path(draw(example()).render(tmp_path / "rate 0.5")).name == "rate 0.5.svg"
    assert Path(draw(example()).render(tmp_path / "g.v2", format="png")).name == "g.v2.png"
    assert Path(draw(example()).render(tmp_path / "G.SVG")).name == "G.SVG"


BROKEN = {
    "fails": "#!/bin/sh\necho 'no plugin' >&2\nexit 1\n",
    "writes nothing": "#!/bin/sh\ncat > /dev/null\n",
    "is something else": "#!/bin/sh\ncat > /dev/null\necho 'dot - a dotfile manager'\n",
    "is no program": "\x7fELF of another machine",
}


@pytest.fixture(params=BROKEN)
def broken_dot(request: pytest.FixtureRequest, tmp_path: Path,
               monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "dot"
    path.write_text(BROKEN[request.param], encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setitem(rendering.RENDERERS, "dot",
                        rendering.RENDERERS["dot"]._replace(find=lambda: str(path)))
    monkeypatch.setattr(rendering, "_told_of", set())
    return path


def test_a_broken_dot_gives_way_with_one_warning(broken_dot: Path) -> None:
    with pytest.warns(RuntimeWarning, match="graphviz-pure draws in its place") as told:
        assert b"<svg" in draw(example()).pipe("svg")
        assert draw(example()).pipe("png").startswith(b"\x89PNG")
        assert b"<svg" in draw(example()).pipe("svg")
    assert len(told) == 1
    assert str(broken_dot) in str(told[0].message)
    assert told[0].filename == __file__


def test_a_broken_dot_that_was_asked_for_is_an_error(broken_dot: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RendererError, match=r"dot (failed|cannot be started)"):
        draw(example(), renderer="dot").pipe("svg")
    with pytest.raises(RendererError, match=r"dot (failed|cannot be started)"):
        draw(example()).pipe("pdf")  # nobody else writes it
    monkeypatch.setenv("CHAINRULE_RENDERER", "dot")
    with pytest.raises(RendererError, match=r"dot (failed|cannot be started)"):
        draw(example()).pipe("svg")


def test_what_no_renderer_can_draw_is_an_error_that_names_each(broken_dot: Path) -> None:
    drawing = Drawing()
    drawing.body.append("this is -> -> not DOT [")
    with pytest.raises(RendererError, match=r"dot (failed|cannot be started).*graphviz-pure failed"
                                            r".*syntax error"):
        drawing.pipe("svg")


def test_the_environment_chooses_the_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_RENDERER", "graphviz-pure")
    assert Path(find_renderer()).stem == "graphviz-pure"
    monkeypatch.setenv("CHAINRULE_RENDERER", "neato")
    with pytest.raises(RendererError, match="neato"):
        find_renderer()


def test_a_renderer_is_a_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is found by name, for its formats, and where nobody else writes them."""
    script = tmp_path / "neato"
    script.write_text("#!/bin/sh\necho GIF89a\n")
    script.chmod(0o755)
    row = Renderer(("gif",), lambda: str(script))
    monkeypatch.setitem(rendering.RENDERERS, "neato", row)
    assert find_renderer("neato", "gif") == find_renderer("", "gif") == str(script)
    assert draw(example()).pipe("gif") == b"GIF89a\n"
    assert Path(find_renderer("neato", "svg")).stem in ("dot", "graphviz-pure")


def test_a_failing_renderer_is_an_error_with_its_message() -> None:
    drawing = Drawing(renderer="graphviz-pure")
    drawing.body.append("this is -> -> not DOT [")
    with pytest.raises(RendererError, match="syntax error"):
        drawing.pipe("svg")


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("text", ["<b>bold</b>", "a\\Nb", "{x|y}", 'say "no"', "σ ∂ Σ"])
def test_text_is_shown_as_it_is(renderer: str, text: str) -> None:
    drawing = Drawing(renderer=renderer)
    drawing.node("a", label=escape(text), shape="record")
    drawing.node("b", label=plain(text), shape="oval")
    svg = drawing.pipe("svg", encoding="utf-8")
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert svg.replace("&quot;", '"').count(f">{shown}<") == 2
