"""Names of nodes: labels, and v1, v2, ... where there is none."""

from __future__ import annotations

import pytest

import autograd as ag
from autograd import Value, node_names
from autograd.core.naming import step_names


def test_steps_are_numbered_first_then_what_is_written_out() -> None:
    x, w = Value(2.0, "x"), Value(-3.0, "w")
    product = w * x
    total = product + 7.0
    y = total.tanh()
    assert node_names(y) == {w: "w", x: "x", product: "v2", total: "v1", y: "y"}
    assert step_names(y) == {w: "w", x: "x", total: "v1", y: "y"}
    assert list(node_names(y)) == ag.topological_order(y)


def test_labels_are_kept_and_made_unique_and_numbers_avoid_them() -> None:
    a, b, c = Value(1.0, "x"), Value(2.0, "x"), Value(3.0, "x'")
    taken = (a * b).exp()
    taken.label = "v1"
    y = (taken * c + a).sin() * Value(4.0)
    names = node_names(y)
    assert [names[a], names[b], names[c], names[taken]] == ["x", "x''", "x'", "v1"]
    assert len(set(names.values())) == len(names)
    assert "x1" in names.values() and "v2" in names.values()


def test_a_root_without_a_label_is_y_or_f() -> None:
    x, y = Value(1.0, "x"), Value(2.0, "y")
    assert node_names(x * 2.0)[x] == "x" and "y" in node_names(x * 2.0).values()
    root = x * y
    assert node_names(root)[root] == "f"
    roots = [x * 2.0, x * 3.0]
    assert [node_names(roots)[each] for each in roots] == ["y", "y'"]


def test_what_is_used_twice_or_long_is_a_step() -> None:
    x = Value(1.0, "x")
    shared = x + 1.0
    assert shared in step_names(shared * shared)
    assert shared not in step_names(shared * 2.0)
    total = x
    for _ in range(60):
        total = total + x
    assert 2 < len(step_names(total)) < 20


def test_only_values_have_names() -> None:
    with pytest.raises(TypeError, match="Values"):
        node_names([2.0])  # type: ignore[list-item]
