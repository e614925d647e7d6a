"""Copies and pickles keep a graph whole, at any depth."""

from __future__ import annotations

import copy
import pickle
from io import BytesIO
from typing import Any

import pytest

import autograd as ag
from autograd import TABLE, Value, name_scope, scope_of
from autograd.core.value import NOT_COMPUTED

DEEP = 100_000


def dumps(obj: Any, protocol: int, pure: bool) -> bytes:
    if not pure:
        return pickle.dumps(obj, protocol)
    buffer = BytesIO()
    pickle._Pickler(buffer, protocol).dump(obj)  # type: ignore[attr-defined]
    return buffer.getvalue()


def by_pickle(obj: Any) -> Any:
    return pickle.loads(pickle.dumps(obj))


def example() -> tuple[Value, Value, Value]:
    x = Value(2.0, "x")
    with name_scope("inner"):
        u = x * x
    u.label = "u"
    y = ag.dot([u, x], [x, 3.0]).tanh() + u
    y.backward()
    return x, u, y


@pytest.mark.parametrize("duplicate", [copy.deepcopy, by_pickle])
def test_a_copy_is_a_whole_graph_of_its_own(duplicate: Any) -> None:
    x, u, y = example()
    x2, u2, y2 = duplicate((x, u, y))
    assert y2.parents[1] is u2
    assert u2.parents == (x2, x2)
    assert u2.parents[0] is x2
    assert x2 is not x
    assert [node.op for node in ag.topological_order(y2)] == [
        node.op for node in ag.topological_order(y)]
    assert (x2.grad, u2.grad, x2.label, u2.label) == (x.grad, u.grad, "x", "u")
    assert scope_of(u2) == ("inner",)
    y2.backward()
    assert x2.grad == 2.0 * x.grad
    assert u2.grad == u.grad


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, by_pickle])
def test_not_computed_stays_not_computed(duplicate: Any) -> None:
    assert duplicate(Value(1.0)).grad is NOT_COMPUTED
    zero = Value(1.0)
    zero.grad = 0.0
    assert duplicate(zero).grad is not NOT_COMPUTED


def test_a_shallow_copy_is_another_node_on_the_same_operands() -> None:
    x = Value(2.0, "x")
    y = x * 3.0
    with ag.no_grad():
        z = copy.copy(y)
    assert z is not y
    assert z.parents == y.parents
    assert z.parents[0] is x
    z.backward()
    assert x.grad == 3.0


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("pure", [False, True])
def test_every_protocol_of_both_picklers(protocol: int, pure: bool) -> None:
    x = y = Value(1.0)
    for _ in range(3_000):  # over the recursion limit
        y = y * 1.0001 + x
    again = pickle.loads(dumps([y, x], protocol, pure))
    again[0].backward()
    y.backward()
    assert again[0].data == y.data
    assert again[1].grad == x.grad != 0.0


def test_deep_graphs_are_copied_and_pickled_without_recursion() -> None:
    x = y = Value(1.0, "x")
    for _ in range(DEEP):
        y = y + 1.0
    for duplicate in (copy.deepcopy, by_pickle):
        again = duplicate(y)
        order = ag.topological_order(again)
        assert len(order) == DEEP + 1
        assert order[0].label == "x"
        again.backward()
        assert order[0].grad == 1.0
    assert x.grad is NOT_COMPUTED


def test_a_pickle_that_fails_half_way_leaves_nothing_switched_on() -> None:
    y = Value(1.0, "x")
    for _ in range(3_000):
        y = y + 1.0
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        pickle.dumps([y, lambda: None])
    assert len(ag.topological_order(by_pickle(y))) == 3_001


class Spoiled(str):
    """A label that cannot be stored."""

    def __reduce__(self) -> Any:
        raise RuntimeError("spoiled")


class Storing(str):
    """A label that stores another graph while it is stored."""

    def __reduce__(self) -> Any:
        return _stored_inside, (pickle.dumps(deep(Value(1.0))),)


def _stored_inside(stored: bytes) -> str:
    return f"{pickle.loads(stored).data:.4f}"


def deep(x: Value) -> Value:
    for _ in range(3000):
        x = x * 1.0001
    return x


@pytest.mark.parametrize("pickler", [pickle.Pickler, pickle._Pickler])  # type: ignore[attr-defined]
def test_a_pickler_that_has_failed_and_lives_on_changes_nothing_for_others(pickler: Any) -> None:
    kept = pickler(BytesIO())
    with pytest.raises(RuntimeError, match="spoiled"):
        kept.dump(deep(Value(1.0, Spoiled("x"))))
    y = deep(Value(1.0))
    assert pickle.loads(pickle.dumps(y)).data == y.data


@pytest.mark.parametrize("pickler", [pickle.Pickler, pickle._Pickler])  # type: ignore[attr-defined]
def test_a_graph_is_stored_while_another_one_is(pickler: Any) -> None:
    stored, y = BytesIO(), deep(Value(1.0, Storing("x")))
    pickler(stored).dump(y)
    copied = pickle.loads(stored.getvalue())
    assert copied.data == y.data
    assert ag.leaves(copied)[0].label == f"{y.data:.4f}"


def test_a_stale_leaf_is_found_after_a_pickle() -> None:
    x = Value(1.0, "x")
    for _ in range(5):
        x.data = x.data + 1.0  # the clock of this process runs ahead of a fresh one
    x2, y2 = by_pickle((x, x * 2.0))
    x2.data = 9.0
    with pytest.raises(ValueError, match="'x'"):
        y2.backward()


def test_primitives_are_pickled_by_name() -> None:
    for row in TABLE.values():
        assert by_pickle(row) is row
        assert copy.deepcopy(row) is row
    with pytest.raises(KeyError, match=r"autograd\.primitive"):
        ag.core.primitives.lookup("nobody knows me")
