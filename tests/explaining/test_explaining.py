"""The chain rule written out, and the mistakes shown beside it."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

import autograd as ag
from autograd import Value, compare_naive, explain
from autograd.explaining.algebra import Applied, Bracket, Sum
from autograd.explaining.algebra import constant as algebra_of
from autograd.explaining.notation import formula, plain, typeset

hypothesis = pytest.importorskip("hypothesis")
from autograd.strategies import expressions  # noqa: E402


def neuron(cost_of_difference: bool = True) -> tuple[Value, dict[str, Value]]:
    """The neuron of document 000: z = w0 x + b, a = ReLU(z), yhat = a, C = (y - yhat)^2."""
    x, y = Value(2.0, "x"), Value(10.0, "y")
    w0, b = Value(3.0, "w0"), Value(1.0, "b")
    z = w0 * x + b
    a = z.relu()
    yhat = ag.identity(a)
    C = (y - yhat) ** 2 if cost_of_difference else (yhat - y) ** 2
    named = {"z": z, "a": a, "yhat": yhat, "C": C, "w0": w0, "b": b, "x": x, "y": y}
    for name, node in named.items():
        node.label = name
    return C, named


def derivation(text: str, ratio: str) -> list[str]:
    """The lines of one derivation, without the left side."""
    block = next(part for part in text.split("\n\n") if part.startswith(ratio))
    return [line.split(" = ", 1)[1] for line in block.splitlines()]


@pytest.mark.parametrize("cost_of_difference", [True, False])
def test_the_neuron_of_the_document_is_derived_factor_by_factor(cost_of_difference: bool) -> None:
    C, named = neuron(cost_of_difference)
    text = str(explain(C, wrt=[named["w0"], named["b"]]))
    assert derivation(text, "dC/dw0") == [
        "dC/dyhat * dyhat/da * da/dz * dz/dw0",
        "2(yhat - y) * 1 * [z > 0] * x",
        "(-6) * 1 * 1 * 2",
        "-12"]
    assert derivation(text, "dC/db") == [
        "dC/dyhat * dyhat/da * da/dz * dz/db",
        "2(yhat - y) * 1 * [z > 0] * 1",
        "(-6) * 1 * 1 * 1",
        "-6"]


def test_the_result_is_the_gradient_and_no_grad_is_changed() -> None:
    C, named = neuron()
    str(explain(C))
    assert all(node.grad == 0.0 for node in named.values())
    C.backward()
    assert explain(C).adjoints[named["w0"]] == named["w0"].grad
    before = {name: node.grad for name, node in named.items()}
    str(explain(C))
    explain(C).why_sums()
    compare_naive(C)
    assert {name: node.grad for name, node in named.items()} == before


def test_latex_is_typeset_with_indices_and_fractions() -> None:
    C, named = neuron()
    latex = explain(C, wrt=named["w0"]).latex()
    assert r"\frac{dC}{d\hat{y}} \cdot \frac{d\hat{y}}{da}" in latex
    assert r"2(\hat{y} - y) \cdot 1 \cdot \left[z > 0\right] \cdot x" in latex
    assert r"\frac{dC}{dw_{0}} &= " in latex
    assert latex.count("{") == latex.count("}")
    assert explain(C)._repr_latex_().startswith("$")


def test_several_paths_are_summed() -> None:
    x = Value(3.0, "x")
    u, v = x * 2.0, x + 5.0
    y = u * v
    u.label, v.label, y.label = "u", "v", "y"
    lines = derivation(str(explain(y, wrt=x)), "dy/dx")
    assert lines[0] == "dy/du * du/dx + dy/dv * dv/dx"
    assert lines[1] == "v * 2 + u * 1"
    assert lines[2] == "8 * 2 + 6 * 1"
    assert lines[3] == "22"


@pytest.mark.parametrize(("build", "lines"), [
    (lambda x, w: 2 * w ** 2 + x ** 2, ["4 w", "4 * 3", "12"]),
    (lambda x, w: 3 * w ** 2 - 4 * w + 5 + x, ["6 w - 4", "6 * 3 - 4", "14"]),
    (lambda x, w: (x - w) ** 2, ["2(w - x)", "2(3 - 2)", "2"]),
    (lambda x, w: (x + w) / (x - w), ["(x + w) / (x - w)**2 + 1 / (x - w)",
                                      "(2 + 3) / (2 - 3)**2 + 1 / (2 - 3)", "4"]),
    (lambda x, w: x / w, ["-x / w**2", "-2 / 3**2", "-0.222222"]),
    (lambda x, w: w ** x, ["x * w**(x - 1)", "2 * 3**(2 - 1)", "6"]),
    (lambda x, w: x ** w, ["x**w * log(x)", "2**3 * log(2)", "5.54518"]),
    (lambda x, w: w ** -1.5 + x, ["-1.5 / w**2.5", "-1.5 / 3**2.5", "-0.096225"]),
    (lambda x, w: x * w.sigmoid(), ["x * sigmoid(w) * (1 - sigmoid(w))",
                                    "2 sigmoid(3) * (1 - sigmoid(3))", "0.0903533"]),
    (lambda x, w: (w ** 3).sin() + x, ["3 w**2 * cos(w**3)", "3 * 3**2 * cos(3**3)", "-7.88775"]),
    (lambda x, w: x - (1 - w).log2().exp() if w.data < 1 else x * -w, ["-x", "-2"]),
    (lambda x, w: ag.norm([x, w]), ["w / y", "3 / 3.60555", "0.83205"]),
    (lambda x, w: ag.where(x > 0, lambda: x * w, 0.0), ["x", "2"]),
    (lambda x, w: ag.maximum(x, w), ["[w > x]", "[3 > 2]", "1"]),
    (lambda x, w: w / 4 + w / 4 + x, ["0.5"]),
    (lambda x, w: ag.erf(w) + x, ["2 exp(-w**2) / sqrt(pi)", "2 exp(-3**2) / sqrt(3.14159)",
                                  "0.000139253"]),
])
def test_derivatives_are_written_in_their_simplest_form(build: object, lines: list[str]) -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    y = build(x, w)  # type: ignore[operator]
    assert derivation(str(explain(y, wrt=w)), "dy/dw") == lines


@pytest.mark.parametrize(("function", "taught", "computed", "where"), [
    ("tanh", "1 - y**2", "4 sigmoid(2 x) * sigmoid(-2 x)", "where y is nearly 1 or -1"),
    ("sigmoid", "y * (1 - y)", "sigmoid(x) * sigmoid(-x)", "where y is nearly 1"),
    ("atan", "1 / (1 + x**2)", "1 / hypot(1, x)**2", "where x**2 overflows"),
    ("asinh", "1 / sqrt(x**2 + 1)", "1 / hypot(1, x)", "where x**2 overflows"),
])
def test_a_derivative_is_shown_as_it_is_taught_and_as_it_is_computed(
        function: str, taught: str, computed: str, where: str) -> None:
    x = Value(0.5, "x")
    y = ag.TABLE[function](x)
    text = str(explain(y))
    assert derivation(text, "dy/dx")[0] == taught
    assert f"dy/dx = {taught} = {computed}, which keeps its digits {where}" in text
    assert r"\text{the engine computes an equal form:}" in explain(y).latex()


def test_a_row_whose_taught_form_is_the_computed_one_says_nothing_more() -> None:
    assert "equal form" not in str(explain(Value(0.5, "x").exp() * 3.0))


def test_unlabelled_nodes_get_names_so_that_all_factors_and_numbers_are_there() -> None:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    text = str(explain((w * x + 7.0).tanh() + x ** 2))
    assert text.splitlines()[:4] == ["given w = -3, x = 2", "v1 = w * x + 7 = 1",
                                     "v2 = tanh(v1) = 0.761594", "y = v2 + x**2 = 4.76159"]
    assert derivation(text, "dy/dx") == ["∂y/∂x + dy/dv2 * dv2/dv1 * dv1/dx",
                                         "2 x + 1 * (1 - v2**2) * w",
                                         "4 + 1 * 0.419974 * (-3)", "2.74008"]
    nameless = explain(Value(2.0) * Value(3.0))
    assert derivation(str(nameless), "dy/dx1") == ["x2", "3"]
    assert nameless.latex().splitlines()[1] == r"x_{1} &= 2,\quad x_{2} = 3 \\"


def test_a_derivative_along_one_way_alone_is_a_partial_one() -> None:
    x = Value(3.0, "x")
    u = x * x
    y = u * x
    u.label, y.label = "u", "y"
    lines = derivation(str(explain(y)), "dy/dx")
    assert lines == ["∂y/∂x + dy/du * du/dx", "u + x * 2 x", "9 + 3 * 6", "27"]
    assert r"\frac{\partial y}{\partial x} + \frac{dy}{du}" in explain(y).latex()


def test_what_is_chosen_at_a_kink_is_said() -> None:
    x = Value(0.0, "x")
    y = x.relu() * 2.0 + abs(x - 1.0)
    assert ("relu(x) is at a kink, where one derivative is chosen: 0 at x = 0"
            in str(explain(y)).splitlines())
    assert r"\quad\text{is at a kink" in explain(y).latex()
    assert "kink" not in str(explain(Value(1e-12, "x").relu()))


def test_latex_has_what_the_text_has() -> None:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    y = (w * x + 7.0).tanh() + x ** 2
    text, latex = explain(y), explain(y).latex()
    for line in (r"w &= -3,\quad x = 2", r"v_{1} &= w \cdot x + 7 = 1",
                 r"v_{2} &= \tanh\left(v_{1}\right) = 0.761594", r"y &= v_{2} + x^{2} = 4.76159",
                 r"\frac{dv_{2}}{dv_{1}} &= 1 - v_{2}^{2} = 4 \sigma\left(2 v_{1}\right)"):
        assert line in latex
    assert latex.count(r"\\") + 1 == len([line for line in str(text).splitlines() if line])
    for _ in range(20):
        y = y * 0.5 + y * 0.5
    assert r"\frac{dy}{dv_{20}} &= \frac{dy}{dv_{21}} \cdot 1 = 1 \cdot 1 = 1" in explain(y).latex()


def nodes_of_every_row() -> list[Value]:
    operands = {row.name: [0.3 if low <= 0.3 <= high else 1.5 for low, high in row.safe]
                for row in ag.TABLE.values()}
    made = []
    for row in ag.TABLE.values():
        numbers = operands[row.name] * (4 if row.arity is None else 1)
        leaves = [Value(number + 0.01 * i, f"u_{i}") for i, number in enumerate(numbers)]
        made.append(row.apply((*(2.0,) * row.orders,
                               *(leaf * 1.0 + 0.001 for leaf in leaves[row.orders:]))))
    return [node for node in made if isinstance(node, Value)]


def test_every_row_is_written_in_latex_that_a_typesetter_reads() -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    for node in nodes_of_every_row():
        rows = explain(node).latex().split("\n")[1:-1]
        for row in rows:
            line = row.removesuffix(r" \\").replace("&", "").replace(r"\text", r"\mathrm")
            if not line.startswith(r"\mathrm"):
                parser.parse(f"${line}$")  # raises where it is no LaTeX


def number_of(what: Any) -> float:
    """What a derivative says, computed as it is written."""
    if isinstance(what, Sum):
        return math.fsum(term.number * math.prod(
            number_of(base) ** number_of(exponent) for base, exponent in term.factors)
            for term in what.terms)
    if isinstance(what, Applied):
        return what.op.evaluate([number_of(operand) for operand in what.operands])
    if isinstance(what, Bracket):
        a, b = number_of(what.left), number_of(what.right)
        return float({"<": a < b, ">": a > b, "=": a == b}[what.relation])
    return what.number


@hypothesis.settings(max_examples=150)
@hypothesis.given(expressions())
def test_what_is_written_is_what_is_computed(expression: Any) -> None:
    leaves = [Value(number, f"x{i}") for i, number in enumerate(expression.point)]
    y = expression.function(*leaves)
    hypothesis.assume(isinstance(y, Value) and y.op is not None and not y.kinks(1e-6))
    for factor in explain(y, [leaf for leaf in leaves if leaf in set(ag.leaves(y))]).factors:
        if 1e-3 < abs(factor.number) < 1e3:  # the taught form loses digits in saturation
            assert number_of(factor.written) == pytest.approx(factor.number, rel=1e-6)


def test_that_test_sees_a_wrong_derivative() -> None:
    factor, = explain(Value(0.5, "x") ** 2).factors
    assert number_of(factor.written * algebra_of(1.001)) != pytest.approx(factor.number, rel=1e-6)


def test_sixty_doublings_explain_in_a_page() -> None:
    x = y = Value(1.0, "x")
    for _ in range(60):
        y = y + y
    explanation = explain(y)
    text = str(explanation)
    assert explanation.number_of_paths(x) == 2**60
    assert str(2**60) in text
    assert len(text.splitlines()) < 140
    assert len(text) < 10_000
    assert explanation.adjoints[x] == 2.0**60


def test_a_long_table_is_capped_and_says_so() -> None:
    y = Value(1.0, "x")
    for _ in range(300):
        y = y * 0.5 + y * 0.5
    text = str(explain(y, max_rows=20))
    assert len(text.splitlines()) < 60
    assert "more rows; write max_rows=" in text


def test_a_deep_graph_is_explained_without_recursion() -> None:
    y = Value(1.0, "x")
    for _ in range(5_000):
        y = y.sin()
    assert "dy/dx" in str(explain(y))


@pytest.mark.parametrize("build", [
    lambda x, w: (w * x).tanh() / (x - 5.0) ** 2 - -w,
    lambda x, w: ag.dot([x, w], [w, 2.0]).exp() * ag.maximum(x, w),
    lambda x, w: ag.prod([x, w, x]) + ag.norm([x, w]) ** w,
    lambda x, w: 1.0 / (1.0 + (-(x * w)).exp()),
])
def test_every_sum_of_contributions_is_the_gradient(build: object) -> None:
    x, w = Value(1.5, "x"), Value(0.5, "w")
    y = build(x, w)  # type: ignore[operator]
    explanation = explain(y)
    y.backward()
    assert explanation.adjoints[x] == pytest.approx(x.grad, rel=1e-13)
    assert explanation.adjoints[w] == pytest.approx(w.grad, rel=1e-13)
    assert str(explanation).strip().endswith(plain(w.grad)) or plain(w.grad) in str(explanation)


@pytest.mark.parametrize(("build", "text"), [
    (lambda a, b: a - (b - a), "a - (b - a)"),
    (lambda a, b: (a + b) * (a - b), "(a + b) * (a - b)"),
    (lambda a, b: a / (b / a), "a / (b / a)"),
    (lambda a, b: -(a + b), "-(a + b)"),
    (lambda a, b: (-a).neg(), "-(-a)"),
    (lambda a, b: (a ** 2) ** b, "(a**2)**b"),
    (lambda a, b: (-a) ** 2, "(-a)**2"),
    (lambda a, b: 2 * (a - b), "2(a - b)"),
    (lambda a, b: a * -2.5, "a * (-2.5)"),
    (lambda a, b: ag.hypot(a, b).log(), "log(hypot(a, b))"),
])
def test_notation_puts_brackets_where_they_are_needed(build: object, text: str) -> None:
    a, b = Value(1.5, "a"), Value(0.5, "b")
    node = build(a, b)  # type: ignore[operator]
    written = formula(node, names={a: "a", b: "b"})
    assert written == text
    python = re.sub(r"(\d)\(", r"\1*(", written)
    names = {"hypot": ag.hypot, "log": ag.log, "a": 1.5, "b": 0.5}
    assert eval(python, names) == node.data  # the notation means what the node computes


def test_numbers_and_labels_as_people_write_them() -> None:
    assert plain(2.0) == "2"
    assert plain(1 / 3) == "0.333333"
    assert plain(1.5e-7, "latex") == r"1.5 \cdot 10^{-7}"
    assert typeset("w_0", "latex") == typeset("w0", "latex") == "w_{0}"
    assert typeset("bias", "latex") == r"\mathrm{bias}"
    assert typeset("alpha", "latex") == r"\alpha" and typeset("pi_2", "latex") == r"\pi_{2}"
    assert typeset("x'", "latex") == "x'" and typeset("w1'", "latex") == "w_{1}'"
    assert typeset("a{b} c^d", "latex") == r"\mathrm{a\{b\}\ c\wedge d}"


def test_the_three_questions_are_answered_with_the_users_numbers() -> None:
    x = Value(3.0, "x")
    y = x * x + x
    y.label = "y"
    explanation = explain(y)
    assert "dy/dy = 1" in explanation.why_one()
    assert "12" in explanation.why_one()
    assert "x is used 3 times" in explanation.why_sums()
    assert "= 7" in explanation.why_sums()
    assert "nothing to add" in explain(Value(1.0, "x") * 2.0).why_sums()
    assert "y" in explanation.why_order()


def test_naive_passes_are_wrong_where_a_node_is_used_twice() -> None:
    x = Value(2.0, "x")
    u = x * x
    v = u + x
    y = v * u
    u.label, v.label, y.label = "u", "v", "y"
    comparison = compare_naive(y)
    y.backward()
    assert comparison.right[x] == x.grad == 44.0
    assert comparison.unordered[x] == 60.0  # u hands on 4 first, then all of its 10: 4(4 + 10) + 4
    assert comparison.first_wrong(comparison.unordered) is x
    assert comparison.overwritten[u] == 4.0
    assert comparison.first_wrong(comparison.overwritten) is u
    assert "first wrong" in str(comparison)


def test_the_first_wrong_node_has_a_name_also_without_labels() -> None:
    x = Value(2.0)
    comparison = compare_naive((x * x + x) * x)
    assert "the first wrong adjoint is that of x1" in str(comparison)


def test_a_graph_too_simple_for_the_mistakes_says_so() -> None:
    y = Value(2.0, "x").exp() * 3.0
    comparison = compare_naive(y)
    assert comparison.first_wrong(comparison.unordered) is None
    assert comparison.first_wrong(comparison.overwritten) is None
    assert "too simple" in str(comparison)


def test_a_leaf_that_is_used_twice_is_not_enough_for_the_missing_order() -> None:
    x = Value(10.0, "x")
    comparison = compare_naive(x * x)
    assert comparison.first_wrong(comparison.unordered) is None
    assert comparison.first_wrong(comparison.overwritten) is x
    assert "needs a computed node that is used twice" in str(comparison)


def test_the_naive_recursion_is_given_up_before_it_takes_forever() -> None:
    y = Value(1.0, "x")
    for _ in range(60):
        y = y + y
    comparison = compare_naive(y)
    assert not comparison.finished
    assert "given up" in str(comparison)


def test_misuse_is_answered() -> None:
    x, other = Value(1.0, "x"), Value(1.0, "other")
    with pytest.raises(ValueError, match="not computed from"):
        explain(x * 2.0, wrt=other)
    with pytest.raises(TypeError):
        explain(2.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        compare_naive(2.0)  # type: ignore[arg-type]
    y = x * 2.0
    x.data = 5.0
    with pytest.raises(ValueError, match="'x'"):
        explain(y)
