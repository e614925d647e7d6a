"""The living page of a graph: its sliders moved in headless Chromium, its numbers against ours."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest

import autograd as ag
from autograd import Value, compare_naive, dot, gradient, live, step_through, where
from autograd.core.graph import leaves, topological_order
from autograd.core.naming import node_names
from autograd.core.value import NOT_COMPUTED

from ..browser import Browser, Tab
from ..own_primitives import declared

RENDERERS = ["graphviz-pure", *(["dot"] if shutil.which("dot") else [])]
EXACT = {"add", "sub", "mul", "div", "neg", "sqrt", "relu", "maximum", "minimum", "abs", "dot",
         "where", "identity"}


def slider(label: str) -> str:
    return f"input[type=range][data-label={json.dumps(label)}]"


def field(label: str) -> str:
    return f"input[type=number][data-label={json.dumps(label)}]"


def node(label: str) -> str:
    return f".node[data-label={json.dumps(label)}]"


def in_page(tab: Tab, name: str) -> list[float]:
    """A number of each node in the page, in topological order; nan for none."""
    return [float(text) if text else math.nan for text in tab.attributes(".node", name)]


def agrees(page: float, ours: float, is_exact: bool) -> bool:
    if is_exact:
        return repr(page) == repr(ours)
    return page == pytest.approx(ours, rel=1e-12, abs=0.0, nan_ok=True)


def assert_same(tab: Tab, y: Value) -> None:
    """Values, adjoints, and the local derivatives on the edges are those of Python."""
    order = topological_order(y)
    for leaf in leaves(y):
        leaf.grad = 0.0
    y.backward()
    is_exact = all(n.op is None or n.op.name in EXACT for n in order)
    names = node_names(y)
    for place, n in enumerate(order):
        own = tab.evaluate(f"""(e => [e.dataset.label, e.dataset.value, e.dataset.grad])(
            document.querySelector(".node[data-node='{place}']"))""")
        assert own[0] == names[n]
        assert agrees(float(own[1]), n.data, is_exact), (own, n.data)
        assert agrees(float(own[2]), n.grad, is_exact), (own, n.grad)
    assert tab.errors == []


# --- the numbers ----------------------------------------------------------------------------------

def polynomial(x: Any, w: Any, b: Any) -> Any:
    z = (x * w - b / 3.0) * x + (b - w) * (x * x - 0.1)
    return z * z + ag.sqrt(x * x + w * w + 0.3) - z / (w * w + 1.7)


def neuron(x: Any, w: Any, b: Any) -> Any:
    return (w * x + b).tanh() ** 2 + (w * x).sigmoid() * (b - 3.0).exp() + (x * x + 1.0).log() ** w


def vectors(x: Any, w: Any, b: Any) -> Any:
    y = dot([x, w, b, x], [w, x, x, 0.25]) + ag.sum([x, b, x, 1.5])
    return y * ag.norm([x, w, 2.0]) + ag.prod([x, w, b, x]) - ag.logsumexp([x, w, b])


def kinked(x: Any, w: Any, b: Any) -> Any:
    return (x * w).relu() + ag.maximum(x, b) * abs(w) - ag.minimum(w, 0.5 * b)


FUNCTIONS: list[Callable[..., Any]] = [polynomial, neuron, vectors, kinked]
MOVES = [{"x": 0.1}, {"w": -1.7, "b": 2.5}, {"x": 1e-7, "w": 3.3}, {"b": 123456.789}, {"x": 0.7}]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_the_numbers_of_the_page_are_those_of_python(
        browser: Browser, function: Callable[..., Any]) -> None:
    point = {"x": 2.0, "w": -3.0, "b": 6.9}
    if function is neuron:
        point["b"] = 0.9
    tab = browser.open(live(function, **point).html)

    def ours() -> Value:
        return function(**{name: Value(number, name) for name, number in point.items()})

    assert_same(tab, ours())
    for move in MOVES:
        if function is neuron and "b" in move:
            move = {**move, "b": 1.9}
        for name, number in move.items():
            point[name] = number
            tab.set(slider(name) if abs(number) < 4.0 else field(name), number)
        assert_same(tab, ours())


@pytest.mark.parametrize("row", [row for row in ag.TABLE.values()
                                 if row.arity in (1, 2) and not row.orders],
                         ids=lambda row: row.name)
def test_every_operation_is_that_of_python(browser: Browser, row: Any) -> None:
    low_high = [(max(low, -2.0), min(high, 2.0)) if low < 2.0 and high > -2.0 else (low, high)
                for low, high in row.safe]
    points = [[low + (high - low) * share for low, high in low_high]
              for share in (0.25, 0.5, 0.8125)]
    leaves_ = [Value(x, name) for x, name in zip(points[0], "ab", strict=False)]
    tab = browser.open(live(row.apply(tuple(leaves_))).html)
    for point in points:
        for name, x in zip("ab", point, strict=False):
            tab.set(slider(name), x)
        y = row.apply(tuple(Value(x, name) for x, name in zip(point, "ab", strict=False)))
        y.backward()
        order = topological_order(y)
        assert in_page(tab, "data-value") == pytest.approx([n.data for n in order], rel=1e-12)
        assert in_page(tab, "data-grad") == pytest.approx([n.grad for n in order], rel=1e-12)
    assert tab.errors == []
    tab.close()


def test_factors_stand_on_the_edges(browser: Browser) -> None:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    tab = browser.open(live(w * x + 7.0).html)
    factors = dict(zip(tab.attributes(".factor", "data-from"),
                       tab.attributes(".factor", "data-factor"), strict=True))
    assert factors == {"0": "2.0", "1": "-3.0", "2": "1.0"}
    tab.set(slider("x"), 0.3)
    assert tab.attribute(".factor[data-from='0']", "data-factor") == "0.3"
    assert tab.text(".factor[data-from='0']") == "× 0.3"


def test_second_derivatives_are_graphs_like_any_other(browser: Browser) -> None:
    def slope(x: Any) -> Any:
        return gradient((x * x).tanh() + x.erf() * x.sqrt(), [x])[0]

    tab = browser.open(live(slope, x=0.6).html)
    tab.set(slider("x"), 0.9)
    assert_same(tab, slope(Value(0.9, "x")))


def test_derivatives_with_branches_are_right_on_all_of_them(browser: Browser) -> None:
    def f(x: Any, w: Any) -> Any:
        return (x ** w) * ag.TABLE["cosine"](x, w) + ag.sum([x, w, 3.0]) * ag.norm([x, w, x])

    tab = browser.open(live(f, x=2.0, w=0.7).html)
    for x, w in ((2.0, 0.7), (0.3, -1.5), (1.0, 0.0), (0.0, 2.0), (1.5, 0.25)):
        tab.set(slider("x"), x)
        tab.set(slider("w"), w)
        assert_same(tab, f(Value(x, "x"), Value(w, "w")))
    tab.set(slider("x"), -2.0)  # (-2.0)**2.0 has a value, but no derivative by the exponent
    tab.set(slider("w"), 2.0)
    assert "has no derivative here" in tab.text("#notes")
    assert tab.attribute(node("w"), "data-grad") == "nan"


def test_a_kink_of_a_vector_is_seen(browser: Browser) -> None:
    tab = browser.open(live(lambda a, b, c: ag.norm([a, b, c]), a=1.0, b=0.0, c=0.0).html)
    tab.set(slider("a"), 0.0)
    assert "sits on its kink" in tab.text("#notes")
    assert tab.attributes(".node.leaf", "data-grad") == ["0.0"] * 3


def test_a_primitive_of_ones_own_with_branches(browser: Browser) -> None:
    with declared("leaky", lambda x: x if x > 0.0 else 0.1 * x,
                  lambda x, y: 1.0 if x > 0.0 else 0.1, kink=lambda x: x) as leaky:
        tab = browser.open(live(lambda x: leaky(x) * 3.0, x=2.0).html)
        for x in (2.0, -1.5, 0.25):
            tab.set(slider("x"), x)
            assert_same(tab, leaky(Value(x, "x")) * 3.0)
    tab.set(slider("x"), -1.0)
    assert "crossed its kink" in tab.text("#notes")


# --- domains, kinks, branches ---------------------------------------------------------------------

def test_outside_of_a_domain_there_is_no_number(browser: Browser) -> None:
    tab = browser.open(live(lambda x, w: ag.maximum(x.log(), w) * w, x=2.0, w=3.0).html)
    tab.set(slider("x"), -1.0)
    assert "= log(x) = log(-1) has no value: it needs x > 0" in tab.text("#notes")
    assert "no value here" in tab.text("#summary")
    # Python has raised an error: what would come after it is unknown, a maximum with nan as well.
    assert tab.attribute(".node.root", "data-value") == "nan"
    assert tab.attributes(".node", "data-grad") == ["nan"] * 5
    assert tab.count(".node.outside") == 3
    tab.set(slider("x"), 2.0)
    assert tab.text("#notes") == ""
    assert tab.attribute(".node.root", "data-value") == "9.0"


@pytest.mark.parametrize("function", [
    lambda x: 1.0 / x, lambda x: x.exp().exp() * 0.0, lambda x: (1e3 * x).exp() + 1.0,
    lambda x: 1.0 / (1.0 + (-1.0 / x).exp())])
def test_what_python_answers_by_an_error_is_never_a_number(
        browser: Browser, function: Callable[..., Any]) -> None:
    tab = browser.open(live(function, x=-3.0).html)
    seen = []
    for x in (-3.0, 0.0, 7.0, 100.0, 1e3):
        tab.set(field("x"), x)
        try:
            ours = repr(function(Value(x)).data)
        except ArithmeticError:
            ours = "nan"
        page = tab.attribute(".node.root", "data-value")
        assert page is not None
        assert float(page) == pytest.approx(float(ours), rel=1e-12, nan_ok=True)
        seen.append(ours)
    assert "nan" in seen
    tab.close()


def test_a_derivative_that_does_not_exist_is_said(browser: Browser) -> None:
    tab = browser.open(live(lambda x: x.sqrt() * 2.0, x=4.0).html)
    tab.set(slider("x"), 0.0)
    assert tab.attribute(".node.root", "data-value") == "0.0"
    assert tab.attribute(node("x"), "data-grad") == "nan"
    assert "has no derivative here" in tab.text("#notes")


def test_kinks_are_shown_when_a_slider_comes_to_them_or_crosses_them(browser: Browser) -> None:
    tab = browser.open(live(lambda x: x.relu() + 1.0, x=1.0).html)
    assert tab.text("#notes") == ""
    tab.set(slider("x"), -0.5)
    assert "relu(x) has crossed its kink" in tab.text("#notes")
    assert tab.count(".node.kink") == 0
    tab.set(slider("x"), 0.0)
    assert "sits on its kink" in tab.text("#notes") and "0 at x = 0" in tab.text("#notes")
    assert tab.count(".node.kink") == 1
    tab.set(slider("x"), 2.0)
    assert "crossed" in tab.text("#notes")
    tab.click("#reset")
    assert tab.text("#notes") == ""


def test_a_function_whose_branch_changes_says_so(browser: Browser) -> None:
    def f(x: Any, t: Any) -> Any:
        return x * x if x > t else -x

    tab = browser.open(live(f, x=1.0, t=-2.0).html)
    assert tab.attribute("body", "data-branch") == "shown"
    assert "The branch of the function that is shown: x > t is true." in tab.text("#hint")
    tab.set(slider("x"), -1.0)
    assert tab.attribute("body", "data-branch") == "shown"
    tab.set(slider("t"), 0.5)  # y was not computed from it, and it has a slider all the same
    assert tab.attribute("body", "data-branch") == "other"
    assert "x > t is now false" in tab.text("#notes")
    assert "the branch where it is true" in tab.text("#notes")
    tab.set(slider("x"), 0.75)
    assert tab.attribute("body", "data-branch") == "shown"
    assert tab.text("#notes") == ""


def test_comparisons_of_computed_numbers_are_seen(browser: Browser) -> None:
    def f(x: Any, w: Any) -> Any:
        return where(x * w - 1.0 < x, x * 3.0, w * 5.0)

    tab = browser.open(live(f, x=1.0, w=1.0).html)
    tab.set(slider("w"), 3.0)
    assert "x * w - 1 < x is now false" in tab.text("#notes")


def test_the_arm_that_is_not_taken_receives_nothing(browser: Browser) -> None:
    a, b = Value(1.0, "a"), Value(2.0, "b")
    y = where(a < b, a * 3.0, b * 5.0)
    tab = browser.open(live(y).html)
    assert_same(tab, y)
    assert tab.count(".node.unreached") == 2  # b, and its product
    assert "does not hold the condition" in tab.text("#hint")
    tab.hover(node("y"))
    assert "does not hold the condition" in tab.text("#panel")


# --- the chain rule, and the mistakes -------------------------------------------------------------

def test_pointing_at_a_node_shows_its_line_of_the_chain_rule(browser: Browser) -> None:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    z = w * x
    z.label = "z"
    y = z.tanh() * x
    tab = browser.open(live(y).html)
    hidden = node_names(y)[topological_order(y)[-2]]  # of tanh(z), which has no label
    tab.hover(node("x"))
    text = tab.text("#panel").replace("\n", " ")
    assert f"dy/dx = ∂y/∂x + dy/dz · dz/dx = {hidden} + dy/dz · w" in text
    y.backward()
    assert repr(x.grad) in text
    tab.focus(node("z"))
    text = tab.text("#panel").replace("\n", " ")
    assert "z = w * x" in text and "= -3 * 2 = -6.0" in text
    assert f"dy/dz = dy/d{hidden} · d{hidden}/dz" in text
    tab.focus(node("y"))
    assert "dy/dy = 1" in tab.text("#panel").replace("\n", " ")


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_the_classic_mistakes_are_those_of_compare_naive(
        browser: Browser, function: Callable[..., Any]) -> None:
    x, w, b = Value(2.0, "x"), Value(-0.5, "w"), Value(0.75, "b")
    y = function(x, w, b)
    truth = compare_naive(y)
    tab = browser.open(live(y).html)
    for switch, wrong in (("unordered", truth.unordered), ("overwritten", truth.overwritten)):
        tab.click(f"#{switch}")
        assert in_page(tab, "data-grad") == pytest.approx(
            [wrong[n] for n in reversed(truth.order)], rel=1e-12)
        first = truth.first_wrong(wrong)
        assert (f"first wrong adjoint is that of {node_names(y)[first]}:" if first
                else "all adjoints are right here") in tab.text("#notes")
    tab.click("#overwritten")
    assert in_page(tab, "data-grad") == pytest.approx(
        [truth.right[n] for n in reversed(truth.order)], rel=1e-12)
    assert tab.text("#notes") == ""


def test_the_recursion_gives_up_where_compare_naive_does(browser: Browser) -> None:
    y = x = Value(1.01, "x")
    for _ in range(20):
        y = y + y
    truth = compare_naive(y)
    assert not truth.finished
    tab = browser.open(live(y).html)
    tab.click("#unordered")
    assert tab.attribute(node("x"), "data-grad") == repr(truth.unordered[x])
    assert f"given up after {truth.steps} steps" in tab.text("#notes")
    tab.click("#stepping")
    tab.click("#last")
    assert tab.attribute(node("x"), "data-grad") == repr(truth.unordered[x])
    assert "steps more" in tab.text("#panel")


# --- step by step ---------------------------------------------------------------------------------

def example() -> Value:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    z = w * x + 6.9
    z.label = "z"
    y = (z.tanh() * x) ** 2 + dot([x, w], [w, 0.25])
    y.label = "y"
    return y


def step(tab: Tab) -> int:
    return int(tab.attribute("body", "data-step") or -1)


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_last_step_shows_the_adjoints_of_backward(browser: Browser, renderer: str) -> None:
    y = example()
    tab = browser.open(step_through(y, renderer=renderer).html)
    assert step(tab) == 0
    tab.click("#last")
    assert step(tab) == 2 * len(topological_order(y)) - 1
    assert_same(tab, y)


def test_the_buttons_step_through_both_passes_one_by_one(browser: Browser) -> None:
    order = topological_order(example())
    tab = browser.open(step_through(example()).html)
    current = []
    for _ in range(2 * len(order)):
        current.append(int(tab.attribute(".node.current", "data-node") or -1))
        tab.click("#forward")
    assert current == [*range(len(order)), *reversed(range(len(order)))]
    assert step(tab) == 2 * len(order) - 1
    tab.click("#back")
    tab.click("#back")
    assert step(tab) == 2 * len(order) - 3
    tab.click("#first")
    assert step(tab) == 0
    assert tab.attributes(".node", "data-value")[1:] == [""] * (len(order) - 1)
    assert set(tab.attributes(".node", "data-grad")) == {""}


def test_arrow_keys_home_and_end_step(browser: Browser) -> None:
    tab = browser.open(step_through(example()).html)
    tab.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert step(tab) == 1
    tab.press("End")
    assert step(tab) == 2 * len(topological_order(example())) - 1
    tab.press("Home", "ArrowLeft")
    assert step(tab) == 0
    tab.focus("#slider")
    tab.press("ArrowRight")
    assert step(tab) == 1


def test_play_runs_to_the_end_and_stops(browser: Browser) -> None:
    x = Value(3.0, "x")
    tab = browser.open(step_through(x * x).html)
    tab.press(" ")
    assert tab.text("#play") == "pause"
    tab.wait("document.body.dataset.step === '3' && $('play').textContent === 'play'")


def test_a_backward_step_shows_local_derivatives_and_sums_so_far(browser: Browser) -> None:
    x = Value(3.0, "x")
    y = x * x
    y.label = "y"
    tab = browser.open(step_through(y).html, fragment="#step=3")
    rows = tab.evaluate("""Array.from(document.querySelectorAll("#panel tr"),
        row => Array.from(row.children, cell => cell.textContent))""")
    # Both operands are x: 3, then 3 + 3.
    assert rows[1:] == [["x", "3.0000", "3.0000", "3.0000"], ["x", "3.0000", "3.0000", "6.0000"]]
    tab.click("#back")
    assert "x * x = 3 * 3 = 9.0000" in tab.text("#panel")
    assert tab.text(node("x") + " .grad") == "grad –"


def test_a_slider_moves_inside_of_a_step(browser: Browser) -> None:
    tab = browser.open(step_through(example()).html, fragment="#step=last")
    tab.set(slider("x"), 0.5)
    assert step(tab) == 2 * len(topological_order(example())) - 1
    x, w = Value(0.5, "x"), Value(-3.0, "w")
    ((w * x + 6.9).tanh() * x) ** 2
    assert tab.attribute(node("z"), "data-value") == repr(-3.0 * 0.5 + 6.9)
    assert tab.attribute(node("x"), "data-value") == "0.5"


def test_stepping_and_the_living_graph_are_one_page(browser: Browser) -> None:
    tab = browser.open(live(example()).html)
    before = tab.attributes(".node", "data-grad")
    assert tab.attribute("#stepping", "aria-pressed") == "false"
    tab.click("#stepping")
    assert step(tab) == 0
    assert tab.attributes(".node", "data-grad") != before
    tab.click("#stepping")
    assert tab.attribute("body", "data-step") is None
    assert tab.attributes(".node", "data-grad") == before


def test_the_current_node_is_kept_in_view(browser: Browser) -> None:
    x = Value(1.0, "x")
    y = x
    for _ in range(40):
        y = y * 1.5
    for direction in ("TB", "LR"):
        tab = browser.open(step_through(y, direction=direction).html, width=390)
        tab.press("ArrowRight")
        for key in ("End", "Home"):
            tab.press(key)
            box, inside = tab.evaluate("""[document.getElementById("drawing"),
                document.querySelector(".node.current")].map(e => {
                    const r = e.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom];
                })""")
            assert box[0] <= inside[0] and box[1] <= inside[1]
            assert inside[2] <= box[2] and inside[3] <= box[3]
        assert tab.evaluate("board.offsetHeight + board.offsetWidth") > 2500


# --- hands, eyes, sizes ---------------------------------------------------------------------------

def network(count: int) -> Value:
    """A graph of so many nodes, of many kinds."""
    xs = [Value(0.1 * i - 0.35, f"x{i}") for i in range(6)]
    nodes = list(xs)
    kinds: list[Callable[[Value, Value], Value]] = [
        lambda a, b: a * b, lambda a, b: a + b, lambda a, b: (a * a + 1.0).log() + b,
        lambda a, b: a.tanh() - b, lambda a, b: a.relu() + b.sigmoid() * 0.5]
    i = 0
    while len(topological_order(nodes[-1])) < count - 4:
        nodes.append(kinds[i % len(kinds)](nodes[-1], nodes[(7 * i) % len(nodes)]))
        i += 1
    return nodes[-1]


def test_the_page_of_thirty_nodes_is_small() -> None:
    y = network(34)
    assert 30 <= len(topological_order(y)) <= 36
    assert len(live(y).html.encode()) < 60_000


def test_so_is_that_of_thirty_nodes_of_twenty_functions() -> None:
    x, w = Value(0.4, "x"), Value(0.3, "w")
    y = x * w
    for name in ("tanh", "exp", "sin", "cos", "sigmoid", "softplus", "atan", "erf", "log1p",
                 "expm1", "asinh", "cbrt", "abs", "relu", "tan", "cosh", "sinh"):
        y = getattr(ag, name)(y)
        if len(topological_order(y)) % 3 == 0:
            y = y * x
    y = y + w
    assert 28 <= len(topological_order(y)) <= 32
    assert len({node.op for node in topological_order(y)}) == 20
    assert len(live(y).html.encode()) < 60_000


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_text_is_large_enough_and_the_page_no_wider_than_its_window(
        browser: Browser, width: int, dark: bool) -> None:
    tab = browser.open(live(network(30)).html, width=width, dark=dark)
    assert tab.smallest_text() >= 12
    assert tab.overflow() == 0
    tab.click("#unordered")
    tab.click("#stepping")
    tab.click("#last")
    assert tab.smallest_text() >= 12
    assert tab.overflow() == 0
    assert tab.errors == []
    tab.close()


def test_every_control_has_a_name_and_nodes_are_walked_by_keys(browser: Browser) -> None:
    tab = browser.open(live(example()).html)
    nameless = tab.evaluate("""Array.from(document.querySelectorAll("button, input"), e =>
        e.getAttribute("aria-label") || e.closest("label")?.textContent || e.textContent)
        .filter(name => !name.trim()).length""")
    assert nameless == 0
    assert tab.attributes(".node[tabindex='0']", "data-label") == ["y"]
    tab.focus(node("y"))
    tab.press("Home")
    first = tab.attribute(":focus", "data-label")
    tab.press("ArrowRight", "ArrowRight", "ArrowLeft")
    second = tab.attribute(":focus", "data-label")
    assert [first, second] == tab.attributes(".node", "data-label")[:2]
    tab.focus(slider("x"))
    before = float(tab.attribute(node("x"), "data-value") or "nan")
    tab.press("ArrowRight")
    assert float(tab.attribute(node("x"), "data-value") or "nan") > before


def test_a_finger_shows_the_line_of_a_node(browser: Browser) -> None:
    tab = browser.open(live(example()).html, width=390, touch=True)
    tab.tap(node("z"))
    assert tab.text("#panel").startswith("z = ")


def test_sliders_of_huge_and_tiny_numbers(browser: Browser) -> None:
    numbers = {"a": 1e300, "b": -1e-300, "c": 5e-324, "d": 1.7e308, "e": 0.0, "f": 123456.0,
               "g": 0.75, "h": math.inf, "i": -7.0}
    tab = browser.open(live(lambda **xs: ag.sum(list(xs.values())), **numbers).html)
    for name, x in numbers.items():
        low, high, at = tab.evaluate(
            f"(e => [e.min, e.max, e.value].map(Number))(document.querySelector('{slider(name)}'))")
        assert low < 0 < high and math.isfinite(high - low)
        if abs(x) < 1e307:  # else the slider stands at its end
            assert at == pytest.approx(x, rel=1e-6)
        assert tab.attribute(node(name), "data-value") == repr(x)
    assert tab.attribute(".node.root", "data-value") == "inf"
    assert tab.attribute(field("h"), "placeholder") == "inf"
    tab.set(field("h"), "2.5")
    assert tab.attribute(node("h"), "data-value") == "2.5"


def test_one_node_is_a_graph_and_a_function_may_return_its_argument(browser: Browser) -> None:
    for page in (live(Value(3.0, "x")), live(lambda x: x, x=3.0)):
        tab = browser.open(page.html)
        tab.set(slider("x"), -4.0)
        assert tab.attributes(".node", "data-value") == ["-4.0"]
        assert tab.attributes(".node", "data-grad") == ["1.0"]
        assert tab.errors == []


def test_labels_are_text_and_those_that_repeat_are_told_apart(browser: Browser) -> None:
    label = "</script><img src=x onerror=\"document.title='broken'\">\"'&"
    x, other = Value(2.0, label), Value(5.0, label)
    tab = browser.open(live(x * other).html)
    assert tab.count("img") == 0
    assert "broken" not in tab.evaluate("document.title")
    assert tab.attributes(".node.leaf", "data-label") == [label, label + "'"]
    tab.set(slider(label + "'"), 7.0)
    assert tab.attribute(".node.root", "data-value") == "14.0"
    assert tab.errors == []


def test_inputs_may_be_structures(browser: Browser) -> None:
    def f(ws: list[Any], scale: Any) -> Any:
        return (ws[0] * ws[1] + ws[2]) * scale

    tab = browser.open(live(f, [1.0, 2.0, 3.0], scale=2.0).html)
    assert tab.attributes(".node.leaf", "data-label") == ["ws[0]", "ws[1]", "ws[2]", "scale"]
    tab.set(slider("ws[2]"), -1.0)
    assert tab.attribute(".node.root", "data-value") == "2.0"


def test_it_lives_inside_of_a_notebook(browser: Browser) -> None:
    frame = live(example())._repr_html_()
    tab = browser.open(f"<!DOCTYPE html><body>{frame}</body>", width=1000)
    tab.wait("document.querySelector('iframe').contentDocument.querySelector('.node') !== null")
    assert tab.evaluate("""(() => {
        const inside = document.querySelector("iframe").contentDocument;
        const slider = inside.querySelector("input[type=range][data-label=x]");
        slider.value = 0.5;
        slider.dispatchEvent(new Event("input"));
        return inside.querySelector(".node[data-label=z]").dataset.value;
    })()""") == repr(-3.0 * 0.5 + 6.9)
    assert tab.errors == []


def test_a_loop_of_a_hundred_steps_is_laid_out_at_once(browser: Browser) -> None:
    x, rate = Value(1.0, "x"), Value(0.1, "rate")
    y = x
    for _ in range(100):
        y = y - rate * (2.0 * y)
    tab = browser.open(live(y).html)
    tab.set(slider("rate"), 0.25)
    assert tab.attribute(".node.root", "data-value") == repr(0.5 ** 100)
    # So many factors are shown for one node at a time.
    visible = """Array.from(document.querySelectorAll(".factor"),
        e => getComputedStyle(e).visibility === "visible" ? e.dataset.to : "").filter(Boolean)"""
    tab.focus(node("y"))
    assert tab.evaluate(visible) == [tab.attribute(node("y"), "data-node")] * 2
    # No two boxes stand on one another.
    assert tab.evaluate("""(() => {
        const boxes = Array.from(document.querySelectorAll(".node"),
                                 e => e.getBoundingClientRect());
        return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.left < b.right
            && b.left < a.right && a.top < b.bottom && b.top < a.bottom)).length;
    })()""") == 0


def test_five_hundred_nodes_follow_the_hand(browser: Browser) -> None:
    y = network(500)
    assert 490 <= len(topological_order(y)) <= 500
    tab = browser.open(live(y).html)
    tab.set(slider("x1"), 0.4)
    xs = {leaf.label: leaf for leaf in leaves(y)}
    assert {"x1"} <= set(xs)
    assert tab.attribute(node("x1"), "data-value") == "0.4"
    assert tab.attribute(".node.root", "data-value") != repr(y.data)
    assert tab.errors == []


def test_the_page_is_self_contained_and_leaves_the_gradients_alone() -> None:
    y = example()
    page = live(y).html
    assert page.count("<script") == 1
    assert not re.search(r"\b(?:src|href)\s*=|@import|url\((?!#)", page)
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert all(n.grad is NOT_COMPUTED for n in topological_order(y))


# --- what is refused ------------------------------------------------------------------------------

def test_a_large_graph_and_wrong_arguments_are_refused() -> None:
    y = Value(1.0)
    for _ in range(600):
        y = y + 1.0
    with pytest.raises(ValueError, match=r"601 nodes.*max_nodes=500"):
        live(y)
    with pytest.raises(ValueError, match="write a larger"):
        step_through(y, max_nodes=20)
    with pytest.raises(TypeError, match=r"live needs a Value.*3\.0"):
        live(3.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes no inputs"):
        live(Value(1.0) * 2.0, x=1.0)
    with pytest.raises(TypeError, match="returns one Value"):
        live(lambda x: [x, x], x=1.0)
    with pytest.raises(ValueError, match="direction"):
        live(Value(1.0), direction="up")


def test_a_leaf_edited_after_its_use_is_refused() -> None:
    x = Value(2.0, "x")
    y = x * x
    x.data = 3.0
    with pytest.raises(ValueError, match="'x'"):
        live(y)
