"""Arrays as one box, where that is shorter than one box for each kind of part."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value, draw
from autograd.drawing import graph
from autograd.drawing.folding import Group


def drawn(y: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[Group]:
    """The groups that a merged drawing has."""
    found: list[Group] = []
    picture = graph.Picture

    def keep(groups: list[Group], *more: Any, **named: Any) -> Any:
        found[:] = groups
        return picture(groups, *more, **named)

    monkeypatch.setattr(graph, "Picture", keep)
    draw(y, merge=True, **options)
    return found


def boxes(groups: list[Group]) -> list[tuple[str, int]]:
    return [(group.first.kind or group.label, len(group.units)) for group in groups
            if len(group.units) > 1]


def likelihood(n: int, k: int, d: int) -> Value:
    """Of a mixture of Gaussians, in loops over points, Gaussians and dimensions."""
    rng = np.random.default_rng(0)
    weights = [Value(rng.normal(), f"a{j}") for j in range(k)]
    centres = [[Value(rng.normal(), f"m{j}{i}") for i in range(d)] for j in range(k)]
    scales = [[Value(rng.normal(), f"s{j}{i}") for i in range(d)] for j in range(k)]
    total = 0.0
    for x in rng.normal(size=(n, d)).tolist():
        terms = []
        for j in range(k):
            apart = sum((scales[j][i].exp() * (x[i] - centres[j][i])) ** 2 for i in range(d))
            terms.append(weights[j] - 0.5 * apart)
        total = total + ag.logsumexp(terms)
    assert isinstance(total, Value)
    return total


def test_each_array_of_a_mixture_is_one_box(monkeypatch: pytest.MonkeyPatch) -> None:
    found = boxes(drawn(likelihood(10, 3, 3), monkeypatch))
    assert {("m*", 9), ("s*", 9), ("a*", 3), ("exp", 90), ("sub", 90), ("pow", 90),
            ("logsumexp", 10)} <= set(found)
    monkeypatch.setattr(graph, "in_arrays", lambda units: [Group([unit]) for unit in units])
    assert len(found) < len(boxes(drawn(likelihood(10, 3, 3), monkeypatch)))


def test_a_layer_is_one_box_though_its_answers_are_used_in_two_ways(
        monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.MLP(3, [4], output="linear", seed=0)
    total = 0.0
    for r, x in enumerate(np.random.default_rng(0).normal(size=(10, 3)).tolist()):
        scores = model(x)
        total = total + (ag.logsumexp(scores) - scores[r % 4])
    found = boxes(drawn(total, monkeypatch))
    assert [size for kind, size in found if kind == "dot"] == [40]
    assert [size for kind, size in found if "neuron" in kind] == [12, 4]


def test_groups_hold_each_node_once_and_arrows_go_forwards(
        monkeypatch: pytest.MonkeyPatch) -> None:
    y = likelihood(6, 3, 2)
    groups = drawn(y, monkeypatch)
    units = [unit for group in groups for unit in group.units]
    assert len(units) == len(set(units))
    owner = {unit: group for group in groups for unit in group.units}
    reads = {group: {owner[x] for unit in group.units for x in unit.operands if x in owner}
             for group in groups}
    done: set[Group] = set()
    for _ in groups:
        done |= {group for group in groups if reads[group] <= done}
    assert done == set(groups)  # there is an order: no array hangs on itself


def test_what_only_happens_to_be_as_far_away_is_no_array(monkeypatch: pytest.MonkeyPatch) -> None:
    y = likelihood(10, 3, 3) - 10.0 * ag.logsumexp([Value(1.0, "b1"), Value(2.0, "b2")])
    products = [group for group in drawn(y, monkeypatch) if group.first.kind == "mul"]
    assert sorted(len(group.units) for group in products) == [1, 30, 90]


@pytest.mark.parametrize("y", [
    lambda: Value(1.0, "a").sin() * Value(2.0, "b").sin(),
    lambda: sum((Value(i, f"x{i}").exp() * 0.5 for i in range(4)), Value(0.0))])
def test_small_graphs_and_loops_are_drawn_as_before(y: Any,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    assert_as_before(y(), monkeypatch)


def test_a_loop_in_time_is_drawn_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    angle, speed, k = Value(1.2, "angle"), Value(0.3, "speed"), Value(9.81, "k")
    for _ in range(60):
        speed = speed - 0.01 * (k * ag.sin(angle) + 0.1 * speed)
        angle = angle + 0.01 * speed
    assert_as_before(angle, monkeypatch)


def test_folded_scopes_are_drawn_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.MLP(3, [4, 2], seed=0)
    scores = [s for x in ([1.0, 2.0, 3.0], [0.5, 0.1, 0.2]) for s in model(x)]
    assert_as_before(ag.logsumexp(scores) - scores[0], monkeypatch, fold=True)


def assert_as_before(y: Value, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    now = re.sub(r"\s+", " ", draw(y, merge=True, **options).source)
    monkeypatch.setattr(graph, "shorter", lambda alike, arrays, count: alike)
    assert re.sub(r"\s+", " ", draw(y, merge=True, **options).source) == now
