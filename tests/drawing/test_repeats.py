"""Loops, operands and neurons that repeat: the first, the last, and a box for those between."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import pairwise

import pytest

import nn
from autograd import Value, draw, name_scope
from autograd import sum as sum_of
from autograd.core.graph import topological_order
from autograd.drawing.folding import Group, grouped, make_units
from autograd.drawing.repeats import elided, ordered, owners


def groups_of(*roots: Value) -> list[Group]:
    order = topological_order(*roots)
    return grouped(list(make_units(order, set(order)).values()), set(), False)


def shown(y: Value, most: int = 10) -> list[str]:
    """The operations and labels that are drawn, in order; a box as its number of repeats."""
    return [f"× {group.repeats}" if group.repeats else group.first.symbol or group.label
            for group in elided(groups_of(y), most)]


def repeated(count: int, body: Callable[[Value], Value]) -> Value:
    x = Value(0.3, "x")
    for _ in range(count):
        x = body(x)
    return x


def test_a_loop_of_100_iterations_shows_the_first_and_the_last() -> None:
    y = repeated(100, lambda x: x.sin() * 0.9)
    assert shown(y) == ["x", "sin", "*", "× 98", "sin", "*"]
    source = draw(y).source
    assert "× 98 more | 2 nodes each | 1 sin\\n1 *" in source
    assert len(re.findall("sin", source)) == 3


def test_ten_iterations_are_drawn_one_by_one_and_eleven_are_not() -> None:
    assert len(shown(repeated(10, lambda x: x.sin() * 0.9))) == 21
    assert shown(repeated(11, lambda x: x.sin() * 0.9)) == ["x", "sin", "*", "× 9", "sin", "*"]
    assert shown(repeated(5, lambda x: x.sin() * 0.9), most=3) == ["x", "sin", "*", "× 3", "sin",
                                                                   "*"]


def test_a_label_of_its_own_keeps_the_last_iteration_whole() -> None:
    y = repeated(30, lambda x: x.sin() * 0.9)
    y.label = "end"
    assert shown(y) == ["x", "sin", "*", "× 28", "sin", "*"]
    assert elided(groups_of(y))[-1].label == "end"


def test_all_iterations_share_a_leaf_and_the_edge_says_how_often_it_is_used() -> None:
    r = Value(2.5, "r")
    source = draw(repeated(100, lambda x: r * x * (1.0 - x))).source
    assert "× 98 more | 3 nodes each" in source
    assert 'label="× 98"' in source


def test_a_loop_over_two_variables_that_depend_on_each_other() -> None:
    a, b = Value(1.0, "a"), Value(0.5, "b")
    for _ in range(40):
        a, b = a * b.cos(), b + 0.1 * a
    drawn = shown(a + b)
    assert [text for text in drawn if text.startswith("×")] == ["× 38"]
    assert sorted(drawn[:2]) == ["a", "b"]
    assert len(drawn) == 2 + 4 + 1 + 4 + 1


def test_operands_of_a_sum_show_the_first_and_the_last() -> None:
    y = sum_of([Value(float(i), f"x{i}") for i in range(100)])
    assert shown(y) == ["x0", "× 98", "x99", "Σ"]
    assert "x* | × 98 more | data 1.0000 … 98.0000" in draw(y).source


def test_pythons_sum_is_a_loop() -> None:
    y = sum(Value(float(i), f"x{i}") for i in range(50))
    assert isinstance(y, Value)
    assert shown(y) == ["x0", "+", "× 48", "x49", "+"]


def test_rows_that_read_neighbours_of_a_list_are_a_loop() -> None:
    x = [Value(0.1 * i, f"x{i}") for i in range(8)]
    y = sum(100.0 * (b - a * a) ** 2 for a, b in pairwise(x))
    assert isinstance(y, Value)
    assert [text for text in shown(y, most=3) if text.startswith("×")] == ["× 4", "× 4"]  # x, rows


def test_loops_inside_loops_are_found() -> None:
    model = nn.MLP(20, [12, 1], seed=1)
    boxes = [group.repeats for group in elided(groups_of(model([0.1] * 20)))
             if group.repeats]
    assert boxes.count(18) == 2  # of 20 weights, in the first and in the last neuron
    assert boxes.count(10) == 2  # of 12 neurons, and of the weights of the last layer


def test_two_loops_one_after_the_other() -> None:
    w, b = Value(2.0, "w"), Value(1.0, "b")
    y = repeated(20, lambda x: (x * w).tanh())
    for _ in range(15):
        y = y.sin() + b
    assert [text for text in shown(y) if text.startswith("×")] == ["× 18", "× 13"]


def test_what_differs_in_operation_label_or_scope_is_no_loop() -> None:
    x = Value(0.3, "x")
    for i in range(12):
        x = x.sin() if i % 5 else x.cos()
    assert not any(text.startswith("×") for text in shown(x))
    y = Value(0.3, "y")
    for letter in "abcdefghijklmno":
        y = y.sin()
        y.label = letter
    assert not any(text.startswith("×") for text in shown(y))
    for i in range(12):
        with name_scope("even" if i % 2 else "odd"):
            y = y.exp().log()
    assert not any(text.startswith("×") for text in shown(y))


def test_elide_is_asked_for_or_refused() -> None:
    y = repeated(30, lambda x: x.sin())
    assert "more" not in draw(y, elide=False).source
    assert "× 28 more" in draw(y, elide=True).source
    assert draw(y).source == draw(y, elide=True).source


def test_only_graphs_that_are_searched_quickly_are_searched_unasked(
        monkeypatch: pytest.MonkeyPatch) -> None:
    y = repeated(600, lambda x: x.sin())
    monkeypatch.setattr("autograd.drawing.graph.MOST_SEARCHED", 500)
    with pytest.raises(ValueError, match="elide=True"):
        draw(y)
    assert "× 598 more" in draw(y, elide=True).source


@pytest.mark.parametrize("seed", range(15))
def test_nothing_is_lost_and_operands_come_first(seed: int) -> None:
    """Each unit is in one group, and a box takes no part in a circle."""
    chance = random.Random(seed)
    made = [Value(chance.uniform(0.5, 2.0), f"x{i}") for i in range(3)]
    for _ in range(3):
        a, b = chance.choice(made), chance.choice(made)
        for _ in range(chance.randrange(8, 30)):
            a = a.sin() * b
        made.append(a)
    groups = groups_of(*made)
    short = elided(groups)
    units = [unit for group in short for unit in group.units]
    assert len(units) == len(set(units))
    assert set(units) == {unit for group in groups for unit in group.units}
    assert len(short) < len(groups)
    place = {group: i for i, group in enumerate(ordered(short))}
    owner = owners(short)
    for group in short:
        for unit in group.units:
            for operand in unit.operands:
                if operand in owner:
                    assert place[owner[operand]] <= place[group]  # type: ignore[index]
