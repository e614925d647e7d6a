"""Pictures of expression graphs: structure in DOT, and rendering with both renderers."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

import nn
from autograd import Value, dot, draw, name_scope, palette, prod, topological_order, where
from autograd.drawing.graph import mimebundle
from autograd.drawing.rendering import Drawing

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
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    drawn = nodes(draw((w * x + 7.0) - x**2))
    records = [label for label in drawn.values() if "| grad" in label]
    ovals = [drawn[name] for name in drawn if name.endswith("op")]
    assert len(records) == 6
    assert sorted(ovals) == ["*", "**", "+", "-"]


def test_records_show_label_number_and_adjoint() -> None:
    y = example()
    y.backward()
    labels = nodes(draw(y)).values()
    assert "x | data 2.0000 | grad 2.7401" in labels
    assert "y | data 4.7616 | grad 1.0000" in labels
    assert "+ | y | data 4.7616 | grad 1.0000" in nodes(draw(y, merge=True)).values()


@pytest.mark.parametrize("renderer", RENDERERS)
def test_the_fields_of_a_record_stand_below_each_other(renderer: str) -> None:
    """Label over number over adjoint, in both directions."""
    x = Value(2.0, "x")
    y = x.exp()
    y.backward()
    for direction in ("LR", "TB"):
        svg = draw(y, direction, renderer=renderer).pipe("svg", encoding="utf-8")
        places = [[float(number) for number in re.search(
            rf'x="([-\d.]+)" y="([-\d.]+)"[^>]*>{text}<', svg).groups()]  # type: ignore[union-attr]
            for text in ("x", "data 2.0000", "grad 7.3891")]
        assert len({x for x, _ in places}) == 1
        assert [y for _, y in places] == sorted(y for _, y in places)


def test_not_computed_looks_different_from_zero() -> None:
    x = Value(3.0, "x")
    y = x * 0.0
    assert "x | data 3.0000 | grad -" in nodes(draw(y)).values()
    y.backward()
    assert "x | data 3.0000 | grad 0.0000" in nodes(draw(y)).values()


def test_an_arm_that_no_adjoint_reached_is_drawn_as_such() -> None:
    x, other = Value(2.0, "x"), Value(5.0, "other")
    taken, left_out = x * 3.0, other.exp()
    taken.label, left_out.label = "taken", "left out"
    y = where(x > 0.0, taken, left_out)
    y.backward()
    source = draw(y).source
    labels = nodes(draw(y)).values()
    assert "taken | data 6.0000 | grad 1.0000" in labels
    assert "left out | data 148.4132 | grad -" in labels
    assert "other | data 5.0000 | grad -" in labels
    assert source.count(f'fontcolor="{palette.ASIDE}"') == 2
    other.backward()  # a leaf keeps what an earlier pass brought
    y.backward()
    assert "other | data 5.0000 | grad 1.0000" in nodes(draw(y)).values()


def test_merged_adjoints_count_those_that_are_missing() -> None:
    x = [Value(float(i), f"x{i}") for i in range(5)]
    for leaf in x[:3]:
        (leaf * 2.0).backward()
    y = prod([leaf.exp() for leaf in x])
    assert "x* | × 5 | data 0.0000 … 4.0000 | grad 2.0000, 2 without" in draw(y, merge=True).source


@pytest.mark.parametrize("options", [{}, {"merge": True}, {"depth": 1}, {"elide": True}])
def test_a_stale_graph_is_refused(options: dict[str, Any]) -> None:
    x, w = Value(2.0, "x"), Value(3.0, "w")
    y = (x * w).tanh()
    w.data = 4.0
    for drawn in (y, [x, y], (y for _ in range(2))):
        with pytest.raises(ValueError, match=r"leaf .*'w'.* was edited"):
            draw(drawn, **options)  # type: ignore[arg-type]


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
        draw(y, elide=False)
    assert len([n for n in nodes(draw(y, depth=3)) if re.fullmatch(r"n\d+", n)]) == 4
    drawing = draw(y, max_nodes=700, elide=False)
    assert len([n for n in nodes(drawing) if re.fullmatch(r"n\d+", n)]) == 601


def test_depth_marks_what_is_cut_off() -> None:
    drawn = nodes(draw(example(), depth=1))
    assert "..." in drawn.values()
    assert not any("x |" in label for label in drawn.values())


@pytest.mark.parametrize("wrong", [3.0, "y", [1.0]])
def test_only_values_can_be_drawn(wrong: object) -> None:
    with pytest.raises(TypeError):
        draw(wrong)  # type: ignore[arg-type]


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one Value"):
        draw([])


def test_several_roots_share_one_picture() -> None:
    x = Value(1.0, "x")
    assert edges(draw([x * 2.0, x * 3.0])).count(("n0", "n1op")) == 1
    assert len([n for n in nodes(draw([x * 2.0, x * 3.0])) if n.endswith("op")]) == 2


def test_jupyter_shows_the_graph_of_a_value_and_the_text_of_a_leaf() -> None:
    bundle = mimebundle(example())
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"].startswith("Value(data=4.76")
    assert "image/svg+xml" not in mimebundle(Value(1.0))
    assert "<svg" in draw(example())._repr_mimebundle_()["image/svg+xml"]


def test_a_notebook_shows_a_stale_graph_as_text() -> None:
    x = Value(2.0, "x")
    y = x * 3.0
    x.data = 5.0
    assert mimebundle(y) == {"text/plain": repr(y)}


# --- large graphs --------------------------------------------------------------------------------


def rows_of_a_loss(count: int = 12) -> tuple[Value, Value, Value]:
    """A loss of count rows, (w x + b - y)^2 each, as Python's sum writes it, over count."""
    w, b = Value(0.5, "w"), Value(0.1, "b")
    losses = []
    for i in range(count):
        with name_scope("unit"):
            z = w * float(i) + b
        losses.append((z - 2.0 * i) ** 2)
    return sum(losses) * (1.0 / count), w, b  # type: ignore[return-value]


def fields_of_merged(drawing: Drawing) -> dict[str, list[str]]:
    return {name: label.split(" | ") for name, label in
            re.findall(r'^\s*(n\d+p?\d*) \[label="?([^"]*?)"? [a-z]+=', drawing.source,
                       re.MULTILINE)}


def test_repeated_parts_are_drawn_once_with_their_number() -> None:
    loss, _, _ = rows_of_a_loss(12)
    records = fields_of_merged(draw(loss, merge=True))
    described = sorted((fields[0], fields[1] if fields[1].startswith("×") else "")
                       for fields in records.values())
    # w, b; twelve each of w * x, + b, - y, squared; their sum; the mean.
    assert described == [("*", ""), ("*", "× 12"), ("**", "× 12"), ("+", "× 12"), ("-", "× 12"),
                         ("b", ""), ("w", ""), ("Σ", "")]


def test_merging_shows_the_range_of_the_values_and_counts_the_terms_of_a_sum() -> None:
    loss, _, _ = rows_of_a_loss(12)
    source = draw(loss, merge=True).source
    assert "data 0.0000 … 5.5000" in source  # w x for x = 0 ... 11
    assert re.search(r"n\d+ -> n\d+ \[label=12 ", source)


def test_a_chain_of_three_terms_stays_as_written() -> None:
    a, b, c, d = (Value(float(i), name) for i, name in enumerate("abcd"))
    assert "Σ" not in draw(a + b + c, merge=True).source
    assert "Σ" in draw(a + b + c + d, merge=True).source


def test_a_labelled_partial_sum_is_not_swallowed() -> None:
    a, b, c, d = (Value(float(i), name) for i, name in enumerate("abcd"))
    partial = a + b
    partial.label = "partial"
    assert "partial" in draw(partial + c + d, merge=True).source


def test_units_that_differ_in_use_or_operation_are_not_merged() -> None:
    x = Value(2.0, "x")
    y = x.sin() * x.cos() - x.sin()
    records = fields_of_merged(draw(y, merge=True))
    assert sorted(fields[0] for fields in records.values()) == ["*", "-", "cos", "sin", "sin", "x"]
    assert not any("×" in field for fields in records.values() for field in fields)


def test_a_folded_scope_is_one_box_with_counts_and_crossing_arrows() -> None:
    loss, _, _ = rows_of_a_loss(12)
    source = draw(loss, fold=["unit"]).source
    assert "unit | 24 nodes | 12 *\\n12 +" in source
    assert source.count('label="× 12"') == 3  # w and b go in 12 times each, 12 sums come out
    assert 'label=unit' not in source


def test_scopes_fold_and_unfold_by_name_and_by_path() -> None:
    x = Value(1.0, "x")
    with name_scope("net"):
        with name_scope("layer 1"):
            a = x * 2.0
        with name_scope("layer 2"):
            b = a.tanh()
    y = b + x
    assert "net | 2 nodes" in draw(y, fold=True).source
    for name in ("layer 1", "net/layer 1"):
        source = draw(y, unfold=[name]).source
        assert "net/layer 2 | 1 nodes" in source
        assert source.count("subgraph cluster_") == 2
        assert source == draw(y, fold=True, unfold=[name]).source
    with pytest.raises(ValueError, match=r"no scope is named 'layer 3'.*'net/layer 2'"):
        draw(y, fold=["layer 3"])


def test_dots_unfold_into_products_and_their_sum() -> None:
    w = [Value(2.0, "w0"), Value(3.0, "w1")]
    y = dot(w, [5.0, 7.0])
    y.backward()
    drawn = nodes(draw(y, unfold_dots=True))
    assert drawn["n2"] == "data 31.0000 | grad 1.0000"
    assert drawn["n2op"] == "Σ"
    source = draw(y, unfold_dots=True, local_derivatives=True).source
    for line in ("n0 -> n2p0op [label=\"d = 5.0000\"]", "n2p0 -> n2op [label=\"d = 1.0000\"]",
                 "n1 -> n2p1op [label=\"d = 7.0000\"]", "n2p1op -> n2p1"):
        assert line in source
    assert '"data 21.0000 | grad 1.0000"' in source


def test_unfolded_dots_of_neurons_merge_to_one_product() -> None:
    model = nn.MLP(3, [4, 1], seed=1)
    y = model([1.0, 2.0, 3.0])
    records = fields_of_merged(draw(y, merge=True, unfold_dots=True))
    assert sorted(fields[1] for fields in records.values() if fields[0] == "*") == [
        "data 0.0000", "× 12", "× 4", "× 4"]  # biases (times 1) and weights of both layers


def test_the_loss_of_a_network_over_many_rows_is_small_enough_to_read() -> None:
    X, targets = nn.datasets.moons(100, seed=1)
    model = nn.MLP(2, [16, 16, 1], seed=1)
    losses = [(1.0 + -t * model(row)).relu() for row, t in zip(X, targets.tolist(), strict=True)]
    loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
    with pytest.raises(ValueError, match="merge=True"):
        draw(loss, elide=False)
    drawing = draw(loss, merge=True)
    assert 15 <= len(fields_of_merged(drawing)) <= 40
    assert "layer1.neuron*.w* | × 32" in drawing.source
    assert "layer2.neuron*.w* | × 256" in drawing.source
    folded = draw(loss, fold=True)
    assert len(fields_of_merged(folded)) < 20
    assert "layer 2 | 3,472 nodes" in folded.source  # 256 + 16 leaves, 1,600 dots and ReLUs
    for renderer in RENDERERS:
        folded.layout_renderer = drawing.layout_renderer = renderer
        assert "3,248 nodes" in folded.pipe("svg", encoding="utf-8")
        assert "layer2.neuron*.w*" in drawing.pipe("svg", encoding="utf-8")


def test_folding_doublings_takes_no_exponential_walk() -> None:
    x = Value(1.0, "x")
    for _ in range(200):
        x = x + x
    assert len(fields_of_merged(draw(x, merge=True, elide=False))) == 201
    assert len(fields_of_merged(draw(x, merge=True))) == 4  # x, the first, the last, all others


def test_merged_pictures_are_the_same_in_every_run() -> None:
    code = ("from autograd import Value, draw; x = [Value(i / 7, f'x{i}') for i in range(9)]; "
            "y = sum(v.exp() * x[0] for v in x); print(draw(y, merge=True).source)")
    texts = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True, env={"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
                            encoding="utf-8").stdout
             for seed in ("1", "2", "3")}
    assert len(texts) == 1


@pytest.mark.parametrize("seed", range(20))
def test_no_operation_is_lost_or_counted_twice_by_merging(seed: int) -> None:
    chance = random.Random(seed)
    made = [Value(chance.uniform(0.5, 2.0), f"x{i}") for i in range(4)]
    for _ in range(120):
        a, b = chance.choice(made), chance.choice(made)
        made.append(chance.choice([lambda a=a, b=b: a * b, lambda a=a: a.sin(),
                                   lambda a=a, b=b: a - b, lambda a=a: a.tanh()])())
    roots = made[-10:]
    order = topological_order(*roots)
    count = Counter(node.op.symbol if node.op else "leaf" for node in order)
    drawn: Counter[str] = Counter()
    for fields in fields_of_merged(draw(roots, merge=True)).values():
        times = [f[2:] for f in fields if f.startswith("× ")]
        kind = "leaf" if fields[0].startswith("x") else fields[0]
        drawn[kind] += int(times[0]) if times else 1
    assert drawn == count


def test_merged_edges_keep_operands_of_different_positions_apart() -> None:
    rows = [(Value(float(i), f"a{i}"), Value(float(-i), f"b{i}")) for i in range(1, 6)]
    y = prod([a - b for a, b in rows])
    drawing = draw(y, merge=True)
    names = {fields[0]: name for name, fields in fields_of_merged(drawing).items()}
    assert set(names) == {"a*", "b*", "-", "Π"}
    assert sorted(edges(drawing)) == sorted([
        (names["a*"], names["-"]), (names["b*"], names["-"]), (names["-"], names["Π"])])


def test_local_derivatives_and_depth_work_in_merged_pictures() -> None:
    a, b = Value(2.0, "a"), Value(5.0, "b")
    assert labels_of_edges(draw(a * b, merge=True, local_derivatives=True)) == [
        "d = 5.0000", "d = 2.0000"]
    assert "..." in draw(((a * b).sin() + b).exp(), merge=True, depth=1).source
