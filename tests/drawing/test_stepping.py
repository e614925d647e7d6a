"""The page that plays the passes: opened, stepped and read in headless Chromium."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from autograd import Value, dot, step_through, where
from autograd.core.graph import topological_order
from autograd.core.value import NOT_COMPUTED

CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "chrome"))), None)
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--virtual-time-budget=20000"]
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
RENDERERS = ["graphviz-pure", *(["dot"] if shutil.which("dot") else [])]
Open = Callable[..., str]


def example() -> Value:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    z = w * x + 6.9
    z.label = "z"
    y = (z.tanh() * x) ** 2 + dot([x, w], [w, 0.25])
    y.label = "y"
    return y


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """The page's DOM after a script, which a copy of the page gets at its end, has run."""
    def open_page(page: str, script: str = "", fragment: str = "") -> str:
        path = tmp_path / "page.html"
        path.write_text(page.replace("</body>", f"<script>{script}</script></body>"),
                        encoding="utf-8")
        assert CHROMIUM is not None
        done = subprocess.run(
            [CHROMIUM, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
             path.as_uri() + fragment], capture_output=True, check=True, timeout=60)
        return done.stdout.decode()
    return open_page


def adjoints(dom: str) -> list[str]:
    return re.findall(r'data-adjoint="([^"]*)"', dom)


def step(dom: str) -> int:
    found = re.search(r'data-step="(\d+)"', dom)
    assert found is not None
    return int(found[1])


@needs_chromium
@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_last_step_shows_the_adjoints_of_backward(opened: Open, renderer: str) -> None:
    y = example()
    dom = opened(step_through(y, renderer=renderer).html,
                 "document.getElementById('last').click();")
    y.backward()
    order = topological_order(y)
    assert [float(text) for text in adjoints(dom)] == [node.grad for node in order]
    assert step(dom) == 2 * len(order) - 1
    for node in order:  # in the drawing as well
        assert f">grad {node.grad:.4f}</text>" in dom.replace("&#45;", "-")


@needs_chromium
def test_the_buttons_step_through_both_passes_one_by_one(opened: Open) -> None:
    y = example()
    page = step_through(y).html
    count = 2 * len(topological_order(y))
    assert step(opened(page)) == 0
    dom = opened(page, f"for (let i = 0; i < {count + 5}; i++) "
                       "document.getElementById('forward').click();")
    assert step(dom) == count - 1
    y.backward()
    assert float(adjoints(dom)[0]) == topological_order(y)[0].grad
    dom = opened(page, "const press = id => document.getElementById(id).click();"
                       "press('last'); press('back'); press('back');")
    assert step(dom) == count - 3
    assert step(opened(page, "document.getElementById('last').click();"
                             "document.getElementById('first').click();")) == 0


@needs_chromium
def test_arrow_keys_home_and_end_step(opened: Open) -> None:
    y = example()
    page = step_through(y).html
    key = ("const key = name => document.dispatchEvent("
           "new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true}));")
    assert step(opened(page, key + "key('ArrowRight'); key('ArrowRight'); key('ArrowLeft');")) == 1
    assert step(opened(page, key + "key('End');")) == 2 * len(topological_order(y)) - 1
    assert step(opened(page, key + "key('End'); key('Home');")) == 0
    assert step(opened(page, key + "key('ArrowLeft');")) == 0


@needs_chromium
def test_the_slider_goes_to_its_step(opened: Open) -> None:
    dom = opened(step_through(example()).html,
                 "const s = document.getElementById('slider'); s.value = 7;"
                 "s.dispatchEvent(new Event('input'));")
    assert step(dom) == 7
    assert "step 8 of" in dom


@needs_chromium
def test_play_runs_to_the_end_and_stops(opened: Open) -> None:
    x = Value(3.0, "x")
    dom = opened(step_through(x * x).html, "document.getElementById('play').click();")
    assert step(dom) == 3
    assert re.search(r'id="play"[^>]*>play<', dom)


@needs_chromium
def test_a_backward_step_shows_local_derivatives_and_sums_so_far(opened: Open) -> None:
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    dom = opened(step_through(y).html, fragment="#step=3")
    panel = dom[dom.index('<div id="step"'):dom.index('<div id="sums-box"')]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", panel)]
    # Both operands are x: 3, then 3 + 3.
    assert rows[1:] == [["x", "3.0000", "3.0000", "3.0000"], ["x", "3.0000", "3.0000", "6.0000"]]
    assert "backward pass: " in panel
    forward = opened(step_through(y).html, fragment="#step=2")
    assert "x * x = 9.0000" in forward
    assert ">grad -</text>" in forward.replace("&#45;", "-")


@needs_chromium
def test_the_current_node_is_scrolled_into_view(opened: Open) -> None:
    x = Value(1.0, "x")
    y = x
    for _ in range(40):
        y = y * 1.5
    dom = opened(step_through(y, direction="TB").html, """
        document.getElementById("last").click();
        const box = document.getElementById("drawing").getBoundingClientRect();
        const node = document.querySelector("g.current").getBoundingClientRect();
        document.body.dataset.seen = node.top >= box.top && node.bottom <= box.bottom;
        document.body.dataset.tall = document.querySelector("#drawing svg").clientHeight
                                     > 2 * box.height;""")
    assert 'data-tall="true"' in dom
    assert 'data-seen="true"' in dom


def test_a_dot_is_spelled_out_as_its_products() -> None:
    a, b = Value(2.0, "a"), Value(3.0, "b")
    assert '"formula": "a * 0.5000 + b * a"' in step_through(dot([a, b], [0.5, a])).html


@needs_chromium
def test_the_arm_not_taken_receives_nothing(opened: Open) -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    y = where(a < b, a * 3.0, b * 5.0)
    dom = opened(step_through(y).html, fragment="#step=last")
    y.backward()
    assert [float(t) if t else None for t in adjoints(dom)] == [
        node.grad if node.grad is not NOT_COMPUTED else 0.0 for node in topological_order(y)]


@needs_chromium
def test_labels_are_text_and_never_markup(opened: Open) -> None:
    label = "</script><img src=x onerror=\"document.title='broken'\"><!--SVG-->\"DATA\""
    x = Value(2.0, label)
    dom = opened(step_through(x.exp()).html, fragment="#step=last")
    assert "<img" not in dom
    assert "<title>broken" not in dom
    assert html.escape(label, quote=False) in dom


def test_the_page_is_self_contained() -> None:
    page = step_through(example()).html
    assert page.count("<script") == 1
    assert not re.search(r"\b(?:src|href)\s*=|@import|url\(", page)
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_stepping_leaves_the_gradients_alone() -> None:
    y = example()
    step_through(y)
    assert all(node.grad is NOT_COMPUTED for node in topological_order(y))


def test_it_saves_itself_and_shows_itself_in_jupyter(tmp_path: Path) -> None:
    stepper = step_through(example())
    path = stepper.save(tmp_path / "steps.html")
    assert Path(path).read_text(encoding="utf-8") == stepper.html
    frame = stepper._repr_html_()
    source = re.search(r'srcdoc="([^"]*)"', frame)
    assert source is not None
    assert html.unescape(source[1]) == stepper.html


def test_the_steps_are_the_topological_order_there_and_back() -> None:
    y = example()
    found = re.search(r"const graph = (\{.*\});\n", step_through(y).html)
    assert found is not None
    steps = json.loads(found[1])["steps"]
    n = len(topological_order(y))
    assert [s["node"] for s in steps] == [*range(n), *reversed(range(n))]


def test_a_large_graph_and_a_wrong_argument_are_refused() -> None:
    y = Value(1.0)
    for _ in range(300):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"301 nodes.*max_nodes=200"):
        step_through(y)
    with pytest.raises(TypeError, match="needs a Value"):
        step_through(3.0)  # type: ignore[arg-type]


def test_a_leaf_edited_after_its_use_is_refused() -> None:
    x = Value(2.0, "x")
    y = x * x
    x.data = 3.0
    with pytest.raises(ValueError, match="'x'"):
        step_through(y)
