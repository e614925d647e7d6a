"""Structures: taken apart, put together again, and named."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

from autograd import Value, gradient, jit
from autograd.core.pytrees import as_array, flatten, leaves_of, mapped, paths, rebuild

Point = namedtuple("Point", "x y")


def nested() -> Any:
    cell = np.empty((), dtype=object)
    cell[()] = 7.0
    return {"b": [1.0, (2, Point(3.0, [4.0]))], "a": np.array([[5.0, 6.0]]), 0: cell, "none": []}


def test_flatten_goes_through_dictionaries_in_their_order() -> None:
    assert flatten(nested()) == [1.0, 2, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert flatten(3.0) == [3.0] and flatten([]) == []


def test_rebuild_keeps_classes_keys_and_shapes() -> None:
    built = rebuild(nested(), [float(i) for i in range(7)])
    assert list(built) == ["b", "a", 0, "none"]
    assert built["b"] == [0.0, (1.0, Point(2.0, [3.0]))]
    assert type(built["b"][1]) is tuple and type(built["b"][1][1]) is Point
    assert built["a"].dtype == float and built["a"].tolist() == [[4.0, 5.0]]
    assert built[0].shape == () and built[0].item() == 6.0
    assert type(rebuild(OrderedDict(a=1.0), [2.0])) is OrderedDict


def test_arrays_with_values_are_arrays_of_objects() -> None:
    x = Value(2.0)
    assert rebuild(np.zeros(2), [x, 1.0]).tolist() == [x, 1.0]
    assert rebuild(np.zeros((1, 2)), [1, 2.5]).dtype == float
    assert as_array([True, 1.0], (2,)).tolist() == [True, 1.0]
    assert as_array([], (0, 3)).shape == (0, 3)


def test_arrays_may_be_made_in_another_way() -> None:
    built = rebuild((np.zeros((2, 1)), 0.0), [1.0, 2.0, 3.0], lambda items, shape: (items, shape))
    assert built == (([1.0, 2.0], (2, 1)), 3.0)


@pytest.mark.parametrize("leaf", [None, "text", b"bytes", {1.0}])
def test_what_is_no_number_is_named(leaf: Any) -> None:
    with pytest.raises(TypeError, match=f"a {type(leaf).__name__} .* is not a number"):
        flatten([1.0, {"a": (leaf,)}])


def test_leaves_of_any_kind_can_be_changed() -> None:
    structure = ["a", (None, np.array([True, 2.0], dtype=object))]
    assert leaves_of(structure) == ["a", None, True, 2.0]
    changed = mapped(structure, lambda leaf: [leaf])
    assert changed[0] == ["a"] and changed[1][0] == [None]


def test_paths_are_written_as_python_writes_them() -> None:
    assert paths(nested(), "x") == ["x['b'][0]", "x['b'][1][0]", "x['b'][1][1][0]",
                                    "x['b'][1][1][1][0]", "x['a'][0, 0]", "x['a'][0, 1]", "x[0]"]


def test_a_compiled_function_names_the_numbers_of_a_matrix_like_everybody() -> None:
    f = jit(lambda m: m[0, 1].log() + m[1, 0])
    with pytest.raises(ValueError, match=r"m\[0, 1\] = -1\.0"):
        f(np.array([[1.0, -1.0], [2.0, 3.0]]))


def test_gradient_gives_the_structure_that_it_is_asked_in() -> None:
    a, b, c = Value(2.0), Value(3.0), Value(5.0)
    y = a * b * c
    by = gradient(y, {"w": Point(a, [b]), "c": np.array([[c]])})
    assert (by["w"].x.data, by["w"].y[0].data, by["c"][0, 0].data) == (15.0, 10.0, 6.0)
    assert type(by["w"]) is Point and by["c"].shape == (1, 1)
    assert [g.data for g in gradient(y, (x for x in (a, b)))] == [15.0, 10.0]
    with pytest.raises(TypeError, match=r"xs\['w'\]\[1\] is 3\.0"):
        gradient(y, {"w": [a, 3.0]})
