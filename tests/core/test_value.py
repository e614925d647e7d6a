"""Values as numbers: operators, comparisons, conversions, NumPy, and misuse."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, Value

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
NUMBERS = [2, 2.5, True, np.float64(2.5), np.float32(2.5), np.int64(3), np.uint8(3), Fraction(5, 2)]


@pytest.mark.parametrize("operate", OPERATORS)
@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_operators_take_numbers_on_either_side(operate: Any, number: Any) -> None:
    v, plain = Value(1.5), float(number)
    right, left = operate(v, number), operate(number, v)
    assert type(right) is Value
    assert type(left) is Value
    assert right.data == operate(1.5, plain)
    assert left.data == operate(plain, 1.5)
    assert [type(p) for p in right.parents] == [Value, float]
    assert [type(p) for p in left.parents] == [float, Value]
    left.backward()
    h = 1e-6
    slope = (operate(plain, 1.5 + h) - operate(plain, 1.5 - h)) / (2 * h)
    assert v.grad == pytest.approx(slope, rel=1e-8, abs=1e-12 if slope == 0 else 0)


@pytest.mark.parametrize("operate", OPERATORS)
def test_operators_take_two_values(operate: Any) -> None:
    a, b = Value(1.5), Value(2.5)
    y = operate(a, b)
    y.backward()
    h = 1e-6
    assert y.data == operate(1.5, 2.5)
    assert a.grad == pytest.approx((operate(1.5 + h, 2.5) - operate(1.5 - h, 2.5)) / (2 * h), 1e-8)
    assert b.grad == pytest.approx((operate(1.5, 2.5 + h) - operate(1.5, 2.5 - h)) / (2 * h), 1e-8)


def test_signs_and_absolute_value() -> None:
    v = Value(-2.0)
    assert (-v).data == 2.0
    assert +v is v
    assert abs(v).data == 2.0


def test_comparisons_are_by_value_and_hashing_by_identity() -> None:
    a, b, c = Value(2.0), Value(2.0), Value(3.0)
    assert a == b
    assert a == 2
    assert a != c
    assert (a != b) is False
    assert a < c <= c
    assert c > 2.5 >= a
    assert hash(a) != hash(b)
    assert len({a, b}) == 2
    assert a != "2"
    assert (a == None) is False  # noqa: E711
    with pytest.raises(TypeError):
        _ = a < "2"


def test_truth_is_that_of_the_number() -> None:
    assert not Value(0.0)
    assert Value(-0.5)


def test_python_builtins_work() -> None:
    a, b, c = Value(3.0), Value(1.0), Value(2.0)
    assert max(a, b, c) is a
    assert min([a, b, c]) is b
    assert sorted([a, b, c]) == [1.0, 2.0, 3.0]
    assert sum([a, b, c]).data == 6.0
    assert f"{a:.2f} {a}" == "3.00 Value(data=3.0, grad=0.0)"


@pytest.mark.parametrize("data", NUMBERS, ids=repr)
def test_data_is_a_python_float(data: Any) -> None:
    assert type(Value(data).data) is float
    assert Value(data).data == float(data)


@pytest.mark.parametrize(("data", "hint"), [
    ("3", r"write float\('3'\)"), (b"3", "text"), (None, "NoneType"), (1j, "complex"),
    (np.complex128(1j), "complex"), ([1.0], "list"), ((1.0,), "tuple"), ({}, "dict"),
    (np.array([True, False]), "autograd.values"), (np.array([1.0]), "autograd.values"),
    (Value(1.0), "v.data"), (object(), "real number"),
])
def test_what_is_not_a_real_number_is_a_type_error_that_says_what_to_write(
        data: Any, hint: str) -> None:
    with pytest.raises(TypeError, match=hint):
        Value(data)
    if not isinstance(data, np.ndarray | Value):
        with pytest.raises(TypeError):
            _ = Value(1.0) * data


def test_a_complex_operand_without_imaginary_part_is_real() -> None:
    """SciPy's logsumexp multiplies by exp(0j)."""
    x = Value(2.0)
    y = (3.0 + 0j) * x - np.complex128(1.0)
    y.backward()
    assert (y.data, x.grad) == (5.0, 3.0)
    assert x.__mul__(complex(3.0, -0.0)).data == 6.0
    with pytest.raises(TypeError, match="complex"):
        _ = x + complex(1.0, float("nan"))


def test_computed_data_cannot_be_edited() -> None:
    x = Value(2.0, "x")
    y = x * 3.0
    with pytest.raises(AttributeError, match="edit the leaves"):
        y.data = 7.0
    assert y.data == 6.0
    x.data = np.int64(5)
    assert x.data == 5.0
    with pytest.raises(TypeError):
        x.data = "5"
    assert x.data == 5.0


def test_values_cannot_be_subclassed() -> None:
    with pytest.raises(TypeError, match="primitive"):
        type("Mine", (Value,), {})


def test_repr_shows_number_gradient_and_label() -> None:
    assert repr(Value(2)) == "Value(data=2.0, grad=0.0)"
    assert repr(Value(2, "x")) == "Value(data=2.0, grad=0.0, label='x')"


def test_a_node_knows_its_op_and_its_operands_in_order() -> None:
    a = Value(2.0)
    y = 3.0 - a
    assert y.op is TABLE["sub"]
    assert y.parents[0] == 3.0
    assert y.parents[1] is a
    assert a.op is None
    assert a.parents == ()
    assert ag.dot([a, 1.0], [a, 2.0]).parents == (a, 1.0, a, 2.0)


# --- the table ---------------------------------------------------------------------------------

def test_every_unary_row_is_a_function_and_a_method() -> None:
    for row in TABLE.values():
        if row.arity != 1:
            continue
        x = 1.5 if row.name == "acosh" else 0.5
        by_function, by_method = row(Value(x)), getattr(Value(x), row.name)()
        assert row(x) == by_function.data == by_method.data
        assert by_method.op is row
        for alias in row.aliases:
            assert getattr(Value(x), alias)().data == row(x)


def test_functions_of_arrays_are_elementwise() -> None:
    assert np.array_equal(ag.exp(np.array([0.0, 1.0])), [1.0, math.e])
    mixed = ag.maximum(ag.values([1.0, 3.0]), np.array([2.0, 2.0]))
    assert [v.data for v in mixed] == [2.0, 3.0]


def test_a_value_beside_an_array_is_an_operand_of_each_element() -> None:
    v = Value(2.0)
    for row in (ag.maximum(np.array([1.0, 3.0]), v), ag.maximum(v, np.array([1.0, 3.0]))):
        assert [item.data for item in row] == [2.0, 3.0]
        assert ag.gradient(ag.sum(row), [v]) == [1.0]


@pytest.mark.parametrize(("call", "message"), [
    (lambda w: ag.log(w), r"log is not defined at \(w = 0.0\): it needs x > 0"),
    (lambda w: 1 / w, r"div is not defined at \(1.0, w = 0.0\)"),
    (lambda w: (w - 8) ** (1 / 3), "pow is not defined"),
    (lambda w: (w + 1000).exp(), "exp overflows"),
    (lambda w: ag.asin(w + 2), "asin is not defined"),
    (lambda w: ag.logsumexp([]), "logsumexp is not defined"),
])
def test_domain_errors_are_pythons_and_name_op_and_operands(call: Any, message: str) -> None:
    with pytest.raises((ValueError, ZeroDivisionError, OverflowError), match=message):
        call(Value(0.0, "w"))


@pytest.mark.parametrize(("call", "error"), [
    (lambda w: ag.log(w), ValueError), (lambda w: 1 / w, ZeroDivisionError),
    (lambda w: (w - 8) ** (1 / 3), ValueError), (lambda w: (w + 1000).exp(), OverflowError),
    (lambda w: w ** -1, ZeroDivisionError), (lambda w: ag.sqrt(w - 1), ValueError),
])
def test_domain_errors_have_the_type_that_python_raises(call: Any, error: type) -> None:
    with pytest.raises(error):
        call(Value(0.0))
    with pytest.raises(error):
        call(ag.values([0.0])[0])


@pytest.mark.parametrize(("call", "given"), [
    (lambda: ag.dot([1.0], [1.0, 2.0]), "1 and 2"), (lambda: ag.hypot(1.0), "takes 2 operands"),
    (lambda: ag.exp(1.0, 2.0), "takes 1 operands"), (lambda: ag.exp("1"), "operand of exp"),
])
def test_wrong_calls_are_answered(call: Any, given: str) -> None:
    with pytest.raises((TypeError, ValueError), match=given):
        call()


# --- NumPy -------------------------------------------------------------------------------------

UNARY_UFUNCS = ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "cbrt", "sin",
                "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "arcsinh",
                "arctanh", "negative", "positive", "absolute", "fabs", "square", "reciprocal"]


@pytest.mark.parametrize("name", UNARY_UFUNCS)
def test_numpy_functions_record(name: str) -> None:
    ufunc = getattr(np, name)
    v = Value(0.5)
    y = ufunc(v)
    assert type(y) is Value
    assert y.data == pytest.approx(float(ufunc(0.5)), rel=1e-15)
    array = ufunc(ag.values([[0.5, 0.25]]))
    assert array.shape == (1, 2)
    assert array[0, 1].data == pytest.approx(float(ufunc(0.25)), rel=1e-15)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "divide", "power", "maximum",
                                  "minimum", "hypot", "arctan2", "logaddexp"])
def test_numpy_functions_of_two_operands_record(name: str) -> None:
    ufunc = getattr(np, name)
    for a, b in ((Value(0.5), 2.0), (2.0, Value(0.5)), (Value(0.5), Value(2.0)),
                 (np.float64(2.0), Value(0.5))):
        plain = [x.data if isinstance(x, Value) else x for x in (a, b)]
        assert ufunc(a, b).data == pytest.approx(float(ufunc(*plain)), rel=1e-15)
    row = ufunc(np.array([1.0, 2.0]), Value(0.5))
    assert [v.data for v in row] == pytest.approx(list(ufunc(np.array([1.0, 2.0]), 0.5)), rel=1e-15)


def test_numpy_scalars_on_the_left_record() -> None:
    v = Value(3.0)
    y = np.float64(2) * v + np.int64(1)
    y.backward()
    assert (y.data, v.grad) == (7.0, 2.0)


def test_arrays_times_values_are_arrays_of_values() -> None:
    v = Value(3.0)
    for product in (np.array([1.0, 2.0]) * v, v * np.array([1.0, 2.0])):
        assert product.dtype == object
        assert [p.data for p in product] == [3.0, 6.0]
    assert (v > np.array([1.0, 5.0])).tolist() == [True, False]


def test_arrays_of_values_go_through_numpy() -> None:
    W, x = ag.values([[1.0, 2.0], [3.0, 4.0]], "W"), np.array([1.0, -1.0])
    assert W[1, 0].label == "W[1,0]"
    y = np.sum(np.tanh(W @ x)) + np.mean(W) + np.dot(x, W)[0] + (W**2 / 2 - W).sum()
    y.backward()
    h, base = 1e-6, np.array([[1.0, 2.0], [3.0, 4.0]])

    def f(w: Any) -> float:
        return float(np.sum(np.tanh(w @ x)) + np.mean(w) + np.dot(x, w)[0] + (w**2 / 2 - w).sum())

    for index in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[index] = h
        slope = (f(base + step) - f(base - step)) / (2 * h)
        assert W[index].grad == pytest.approx(slope, rel=1e-7)


def test_comparing_an_array_with_a_value_gives_bools_on_either_side() -> None:
    x, v = np.array([1.0, 5.0]), Value(3.0)
    assert x[x < v].tolist() == [1.0]
    assert x[v < x].tolist() == [5.0]
    assert (x == v).dtype == bool


def test_arrays_of_values_change_in_place_and_arrays_of_numbers_do_not() -> None:
    a = ag.values([1.0, 2.0])
    a += Value(3.0)
    assert [v.data for v in a] == [4.0, 5.0]
    numbers = np.array([1.0, 2.0])
    with pytest.raises(TypeError, match="in place"):
        numbers += Value(3.0)
    assert numbers.tolist() == [1.0, 2.0]


def test_unsupported_numpy_functions_are_type_errors() -> None:
    with pytest.raises(TypeError, match=r"np\.spacing cannot be recorded"):
        np.spacing(Value(1.0))
    with pytest.raises(TypeError, match=r"np\.frexp cannot be recorded"):
        np.frexp(ag.values([1.0]))


def test_values_keep_shape_and_refuse_what_is_not_a_number() -> None:
    assert ag.values(2.0).shape == ()
    assert ag.values(np.ones((2, 3, 1))).shape == (2, 3, 1)
    with pytest.raises(TypeError):
        ag.values(["a"])


# --- no_grad -------------------------------------------------------------------------------------

def test_no_grad_records_nothing() -> None:
    x = Value(2.0)
    with ag.no_grad():
        y = ag.dot([x * 3.0, x], [x, -x]).exp() + np.tanh(x) + abs(x)
        assert y.op is None
        assert y.parents == ()
        assert ag.grad(lambda x: x * x)(3.0) == 6.0  # a transform needs its graph
    assert (x * 3.0).op is not None


def test_no_grad_ends_also_on_an_error() -> None:
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        _ = Value(1.0) / 0.0
    assert (Value(1.0) * 2.0).op is not None
