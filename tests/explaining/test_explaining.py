"""The chain rule written out, and the mistakes shown beside it."""

from __future__ import annotations

import re

import pytest

import autograd as ag
from autograd import Value, compare_naive, explain
from autograd.explaining.notation import formula, plain, typeset


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
    written = formula(node)
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


def test_a_graph_too_simple_for_the_mistakes_says_so() -> None:
    y = Value(2.0, "x").exp() * 3.0
    comparison = compare_naive(y)
    assert comparison.first_wrong(comparison.unordered) is None
    assert comparison.first_wrong(comparison.overwritten) is None
    assert "too simple" in str(comparison)


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
    with pytest.raises(ValueError, match="no leaf of the graph has a label"):
        explain(Value(1.0) * 2.0)
    with pytest.raises(TypeError):
        explain(2.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        compare_naive(2.0)  # type: ignore[arg-type]
    y = x * 2.0
    x.data = 5.0
    with pytest.raises(ValueError, match="'x'"):
        explain(y)
