"""The strategies draw what they promise: safe operands, shared nodes, points inside all domains."""

import math

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from autograd import TABLE, Value, topological_order
from autograd.core import primitives
from autograd.strategies import arrays_in, expressions, floats_in, operands_of

ROWS = [row for row in TABLE.values() if not row.orders and not row.stops]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=40)
@given(data=st.data())
def test_operands_are_inside_the_domain_and_have_finite_values_and_slopes(row, data):
    operands = data.draw(operands_of(row))
    result = row.evaluate(operands)
    slopes = row.local_derivatives(operands, result, [True] * len(operands))
    assert math.isfinite(result)
    assert all(slope is None or math.isfinite(slope) for slope in slopes)


@pytest.mark.parametrize("row", [r for r in ROWS if r.arity == 1], ids=lambda row: row.name)
@settings(max_examples=20)
@given(data=st.data())
def test_floats_in_stays_in_the_rows_safe_interval(row, data):
    low, high = row.safe[0]
    assert low <= data.draw(floats_in(row)) <= high
    assert low <= data.draw(floats_in(row.name)) <= high


def test_floats_in_reaches_both_ends_of_a_domain():
    assert find(floats_in("log"), lambda x: x < 1e-200) > 0.0
    assert find(floats_in("asin"), lambda x: x > 0.999999) < 1.0
    assert find(floats_in("div", 1), lambda x: x > 1.0) > 0.0


def test_floats_in_refuses_operands_and_names_that_do_not_exist():
    with pytest.raises(ValueError, match="no operand 1"):
        floats_in("exp", 1)
    with pytest.raises(KeyError, match="nonesuch"):
        floats_in("nonesuch")


@settings(max_examples=20)
@given(arrays_in((2, 3), -1.0, 2.0), arrays_in(4, 0.0, 0.5))
def test_arrays_have_the_shape_and_stay_in_the_interval(matrix, vector):
    assert matrix.shape == (2, 3) and matrix.dtype == float and vector.shape == (4,)
    assert np.all((matrix >= -1.0) & (matrix <= 2.0)) and np.all((vector >= 0.0) & (vector <= 0.5))


def test_arrays_in_refuses_an_empty_interval():
    with pytest.raises(ValueError, match="interval"):
        arrays_in(3, 1.0, 0.0)


@settings(max_examples=150)
@given(expressions(n_inputs=3, max_nodes=15))
def test_expressions_are_defined_finite_and_moderate_at_their_point(expression):
    result = expression.function(*expression.point)
    assert isinstance(result, float) and abs(result) <= 1e3
    leaves = [Value(x) for x in expression.point]
    root = expression.function(*leaves)
    assert (root.data if root.__class__ is Value else root) == result
    if root.__class__ is Value:
        nodes = [node for node in topological_order(root) if node.op is not None]
        assert 1 <= len(nodes) <= 15
        assert all(abs(node.data) <= 1e3 for node in nodes)
        root.backward()
        assert all(math.isfinite(leaf.grad) for leaf in leaves)


def test_expressions_use_every_primitive_share_nodes_and_reach_their_size():
    seen, sizes, shared = set(), [], 0

    @settings(max_examples=1500, database=None, derandomize=True)
    @given(expressions(max_nodes=20))
    def collect(expression):
        nonlocal shared
        seen.update(step.op.name for step in expression.steps)
        sizes.append(len(expression.steps))
        shared += has_shared_node(expression)

    collect()
    assert seen == {row.name for row in ROWS}
    assert max(sizes) >= 15 and min(sizes) == 1 and shared > 200


def has_shared_node(expression):
    uses = [slot for step in expression.steps for slot in set(step.operands)
            if isinstance(slot, int) and slot >= expression.n_inputs]
    return len(uses) > len(set(uses))


def test_a_shared_node_shrinks_to_three_operations():
    assert len(find(expressions(max_nodes=6), has_shared_node).steps) == 3


def test_expressions_shrink_to_one_operation_at_a_simple_point():
    smallest = find(expressions(), lambda e: any(step.op.name == "mul" for step in e.steps))
    assert len(smallest.steps) == 1 and smallest.point == [0.0, 0.0]


@settings(max_examples=30)
@given(expressions(primitives=["sin", primitives.mul]))
def test_primitives_can_be_chosen_by_name_or_as_rows(expression):
    assert {step.op.name for step in expression.steps} <= {"sin", "mul", "identity"}


@settings(max_examples=60)
@given(expressions(n_inputs=2, max_nodes=8))
def test_the_repr_is_a_python_function_and_a_call(expression):
    lines = repr(expression).splitlines()
    assert lines[0] == "def f(x0, x1):"
    assert lines[-2] == f"    return v{len(expression.steps) - 1}"
    assert lines[-1] == f"f({expression.point[0]!r}, {expression.point[1]!r})"
    compile("\n".join(lines), "expression", "exec")


def test_an_expression_checks_its_number_of_inputs():
    expression = find(expressions(n_inputs=2), lambda e: True)
    with pytest.raises(TypeError, match="takes 2 inputs, not 1"):
        expression.function(1.0)


@pytest.mark.parametrize("arguments", [{"n_inputs": 0}, {"max_nodes": 0}, {"primitives": []}])
def test_expressions_refuse_to_be_empty(arguments):
    with pytest.raises(ValueError, match="at least one"):
        find(expressions(**arguments), lambda e: True)


@given(operands_of("polygamma"))
def test_orders_are_whole_numbers(operands):
    n, x = operands
    assert n.is_integer() and math.isfinite(TABLE["polygamma"].evaluate((n, x)))
