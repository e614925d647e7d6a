"""The reverse pass: accumulation, stale graphs, kinks, where, order, determinism."""

from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys
from typing import Any

import pytest

import autograd as ag
from autograd import Value
from autograd.core.value import NOT_COMPUTED


def test_the_seed_at_the_root_is_one() -> None:
    x = Value(3.0)
    x.backward()
    assert x.grad == 1.0


def test_leaves_accumulate_so_that_two_losses_add_up() -> None:
    x = Value(3.0)
    (x * x).backward()
    (x * 5.0).backward()
    assert x.grad == 6.0 + 5.0


def test_backward_twice_doubles_the_leaves_exactly() -> None:
    leaves = [Value(0.1 * i + 0.013) for i in range(20)]
    y = ag.dot(leaves, leaves[::-1]).tanh() * leaves[3].exp() / leaves[7] + sum(leaves) ** 3
    y.backward()
    once = [leaf.grad for leaf in leaves]
    y.backward()
    assert [leaf.grad for leaf in leaves] == [2.0 * g for g in once]


def test_computed_nodes_show_the_latest_pass_and_never_compound() -> None:
    x = Value(3.0)
    u = x * 2.0
    y = u * u
    for _ in range(3):
        y.backward()
        assert u.grad == 12.0
        assert y.grad == 1.0
    (u * 5.0).backward()
    assert u.grad == 5.0


def test_shared_nodes_receive_all_contributions() -> None:
    x = Value(3.0)
    u = x * x
    (u * x + u).backward()
    assert x.grad == 3 * 9.0 + 2 * 3.0


def test_grad_reads_zero_before_any_pass_and_tells_it_from_computed_zero() -> None:
    x = Value(3.0)
    y = x * 0.0
    assert x.grad == 0.0
    assert x.grad is NOT_COMPUTED
    y.backward()
    assert x.grad == 0.0
    assert x.grad is not NOT_COMPUTED


def test_an_edited_leaf_makes_the_old_graph_an_error_that_names_it() -> None:
    a, b = Value(3.0, "a"), Value(4.0, "b")
    y = a * b
    a.data = 100.0
    with pytest.raises(ValueError, match=r"leaf 'a' \(data=100.0\) was edited after operand 0"):
        y.backward()
    assert a.grad is NOT_COMPUTED
    assert b.grad is NOT_COMPUTED
    for derive in (lambda: ag.gradient(y, [b]), lambda: ag.explain(y)):
        with pytest.raises(ValueError, match="'a'"):
            derive()
    (a * b).backward()
    assert b.grad == 100.0


def test_editing_another_leaf_or_before_use_is_no_error() -> None:
    a, b = Value(3.0), Value(4.0)
    a.data = 5.0
    y = a * a
    b.data = 7.0
    y.backward()
    assert a.grad == 10.0


def test_the_stale_leaf_is_found_under_nodes_made_later() -> None:
    w, x = Value(2.0, "w"), Value(1.0, "x")
    old = w * x
    w.data = 3.0
    y = old + w
    with pytest.raises(ValueError, match="'w'"):
        y.backward()


READERS = [
    lambda y: y.backward(), lambda y: y.kinks(), lambda y: ag.gradient(y, [y]), ag.draw, ag.explain,
    ag.step_through, ag.compare_naive, lambda y: copy.deepcopy(y).backward(),
    lambda y: pickle.loads(pickle.dumps(y)).kinks(), lambda y: ag.grad(lambda a: a * y)(1.0),
    lambda y: ag.jvp(lambda a: a * y, 1.0, 1.0), lambda y: ag.gradcheck(lambda a: a * y, 1.0)]


@pytest.mark.parametrize("read", READERS, ids=range(len(READERS)))
@pytest.mark.parametrize("build", [lambda y: y, lambda y: y + 1.0, lambda y: y.relu() * Value(2.0)])
def test_every_reader_of_a_graph_refuses_a_stale_one(read: Any, build: Any) -> None:
    x = Value(2.0, "x")
    y = x * 3.0
    read(build(y))
    x.data = 5.0
    with pytest.raises(ValueError, match=r"leaf 'x' .*was edited after"):
        read(build(y))
    assert y.data == 6.0  # computed then, and still that number


def test_a_grad_set_to_none_counts_as_not_computed() -> None:
    x, z = Value(3.0, "x"), Value(-1.0, "z")
    (x * x).backward()
    x.grad = z.grad = None  # type: ignore[assignment]
    assert repr(x) == "Value(data=3.0, grad=0.0, label='x')"
    assert "grad -" in ag.draw(x).source
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.grad is NOT_COMPUTED
    (x * x + z).backward()
    assert (x.grad, z.grad) == (6.0, 1.0)


def test_a_pass_that_fails_leaves_a_grad_set_to_none_as_not_computed() -> None:
    x = Value(0.0)
    y = x.sqrt()
    x.grad = None  # type: ignore[assignment]
    with pytest.raises(ZeroDivisionError):
        y.backward()
    assert x.grad is NOT_COMPUTED


def test_a_pass_that_fails_changes_no_leaf_and_names_the_node() -> None:
    x, z = Value(2.0, "x"), Value(0.0, "z")
    (x * 3.0).backward()
    y = x * 2.0 + z.sqrt()
    with pytest.raises(ZeroDivisionError, match=r"the derivative of sqrt .*z = 0.0"):
        y.backward()
    assert x.grad == 3.0
    assert z.grad is NOT_COMPUTED
    assert y.grad is NOT_COMPUTED


@pytest.mark.parametrize("f", [ag.sqrt, ag.cbrt, lambda x: x**0.5, ag.log1p])
def test_infinite_slopes_are_errors(f: Any) -> None:
    x = Value(-1.0 if f is ag.log1p else 0.0)
    with pytest.raises((ValueError, ZeroDivisionError)):
        f(x).backward()


@pytest.mark.parametrize("f", [
    lambda x, y: y * 3.0 + 0.0 * ag.sqrt(x), lambda x, y: y * 3.0 + ag.sqrt(x) * 0.0,
    lambda x, y: y * 3.0 + ag.sqrt(x) ** 0, lambda x, y: y * 3.0 + ag.sqrt(x) / math.inf,
    lambda x, y: ag.dot([y, ag.sqrt(x)], [3.0, 0.0])], ids=range(5))
def test_what_is_multiplied_by_a_constant_zero_has_derivative_zero(f: Any) -> None:
    x, y = Value(0.0), Value(2.0)
    y.grad = 1.0
    z = f(x, y)
    z.backward()
    assert (x.grad, y.grad, z.grad) == (0.0, 4.0, 1.0)
    assert [g.data for g in ag.gradient(f(x, y), [x, y])] == [0.0, 3.0]
    assert ag.jit(ag.value_and_grad(f, argnums=(0, 1)))(0.0, 2.0) == (z.data, (0.0, 3.0))


@pytest.mark.parametrize("f", [
    lambda x: ag.sqrt(x) * ag.sqrt(x), lambda x: ag.sqrt(x) ** 2, lambda x: x * ag.sqrt(x),
    lambda x: ag.relu(ag.sqrt(x) - 1.0), lambda x: 0.0 * ag.sqrt(x) + x * ag.sqrt(x)])
def test_what_only_happens_to_be_zero_times_an_infinite_slope_is_an_error(f: Any) -> None:
    x = Value(0.0, "x")
    with pytest.raises(ZeroDivisionError, match=r"the derivative of sqrt .*x = 0.0"):
        f(x).backward()
    assert x.grad is NOT_COMPUTED


# --- kinks: the element of least norm of the subdifferential ------------------------------------

def slope(f: Any, *at: float) -> list[float]:
    """The derivatives by backward(); gradient() and jvp must say the same."""
    xs = [Value(x) for x in at]
    y = f(*xs)
    y.backward()
    assert [g.data for g in ag.gradient(y, xs)] == [x.grad for x in xs]
    pushed = [ag.jvp(f, at, tuple(1.0 if i == j else 0.0 for j in range(len(at))))[1]
              for i in range(len(at))]
    assert pushed == [x.grad for x in xs]
    return [x.grad for x in xs]


def test_relu_at_zero_has_gradient_zero() -> None:
    assert slope(ag.relu, 0.0) == [0.0]
    assert slope(ag.relu, -0.0) == [0.0]
    assert slope(ag.relu, 1e-300) == [1.0]


def test_abs_at_zero_has_gradient_zero() -> None:
    assert slope(abs, 0.0) == [0.0]
    assert slope(abs, -3.0) == [-1.0]


def test_maximum_and_minimum_at_a_tie_give_half_to_each() -> None:
    assert slope(ag.maximum, 2.0, 2.0) == [0.5, 0.5]
    assert slope(ag.minimum, 2.0, 2.0) == [0.5, 0.5]
    assert slope(ag.maximum, 2.0, 3.0) == [0.0, 1.0]
    assert slope(ag.minimum, 2.0, 3.0) == [1.0, 0.0]


def test_norm_and_hypot_at_the_origin_have_gradient_zero() -> None:
    assert slope(ag.hypot, 0.0, 0.0) == [0.0, 0.0]
    assert slope(lambda a, b, c: ag.norm([a, b, c]), 0.0, 0.0, 0.0) == [0.0, 0.0, 0.0]
    assert slope(ag.hypot, 3.0, 4.0) == [0.6, 0.8]


def test_x_to_the_power_zero_is_one_with_derivative_zero_everywhere() -> None:
    for x in (-2.0, 0.0, 3.0):
        assert slope(lambda x: x**0, x) == [0.0]
        assert (Value(x) ** 0).data == 1.0
    assert slope(lambda a, b: a**b, 0.0, 2.0) == [0.0, 0.0]
    assert slope(lambda x: x**1, 0.0) == [1.0]
    assert slope(lambda x: x**2, 0.0) == [0.0]


def test_prod_with_zeros_is_right() -> None:
    assert slope(lambda a, b, c: ag.prod([a, b, c]), 0.0, 2.0, 5.0) == [10.0, 0.0, 0.0]
    assert slope(lambda a, b, c: ag.prod([a, b, c]), 0.0, 0.0, 5.0) == [0.0, 0.0, 0.0]


def test_kinks_lists_the_nodes_on_or_near_one() -> None:
    x = Value(1.0)
    on, near, far = (x - 1.0).relu(), ag.maximum(x, 1.0 + 1e-12), abs(x)
    found = (on + near + far).kinks()
    assert {node.op.name for node in found if node.op} == {"relu", "maximum"}
    assert found[0] is on
    assert (on + near + far).kinks(tolerance=2.0)[-1] is far
    assert (x * x).kinks() == []


def test_a_negative_base_with_an_exponent_that_varies_is_an_error() -> None:
    with pytest.raises(ValueError, match="plain number"):
        (Value(-2.0) ** Value(3.0)).backward()
    assert slope(lambda x: x**3, -2.0) == [12.0]


# --- where ----------------------------------------------------------------------------------------

def test_where_sends_no_adjoint_to_the_arm_that_is_not_taken() -> None:
    x, z = Value(1.0), Value(0.0)
    taken = x * 3.0
    untaken = z * math.inf  # its slope is inf: 0 times it would be nan
    y = ag.where(x > 0, taken, untaken)
    y.backward()
    assert x.grad == 3.0
    assert z.grad == 0.0
    assert ag.gradient(y, z).data == 0.0


def test_where_evaluates_only_the_arm_taken_of_two_functions() -> None:
    def f(x: Any) -> Any:
        return ag.where(x >= 0, x, lambda: ag.sqrt(-x))

    assert slope(f, 1.0) == [1.0]
    assert slope(f, -4.0) == [-0.25]


# --- order and determinism ------------------------------------------------------------------------

def test_the_topological_order_puts_operands_first_from_left_to_right() -> None:
    a, b = Value(1.0), Value(2.0)
    u = a * b
    v = u + a
    assert [id(n) for n in ag.topological_order(v)] == [id(a), id(b), id(u), id(v)]
    assert [id(n) for n in ag.leaves(v)] == [id(a), id(b)]
    assert [(id(p), id(n), i) for p, n, i in ag.edges(v)] == [
        (id(a), id(u), 0), (id(b), id(u), 1), (id(u), id(v), 0), (id(a), id(v), 1)]


def test_the_same_program_gives_the_same_bits_in_every_process() -> None:
    code = ("import random, nn; from autograd import dot; random.seed(7); m = nn.MLP(3, [5, 5, 1]);"
            "y = m([0.1, 0.2, 0.3]).tanh() + sum(p * p for p in m.parameters()) * 0.1;"
            "y.backward(); print([p.grad.hex() for p in m.parameters()])")
    texts = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                            check=True, env={"PYTHONHASHSEED": seed}).stdout
             for seed in ("0", "1", "2")}
    assert len(texts) == 1
    assert "0x" in texts.pop()


# --- gradients as graphs ------------------------------------------------------------------------

def test_a_gradient_is_a_graph_that_can_be_differentiated_again() -> None:
    x = Value(2.0, "x")
    y = x**4
    first = ag.gradient(y, x)
    second = ag.gradient(first, x)
    third = ag.gradient(second, x)
    assert [y.data, first.data, second.data, third.data] == [16.0, 32.0, 48.0, 48.0]
    assert x.grad is NOT_COMPUTED


def test_gradient_keeps_the_structure_and_takes_computed_nodes() -> None:
    a, b = Value(2.0), Value(3.0)
    u = a * b
    y = u * u + a
    assert [g.data for g in ag.gradient(y, [a, u])] == [37.0, 12.0]
    assert type(ag.gradient(y, (a, b))) is tuple
    W = ag.values([[1.0, 2.0]])
    assert ag.gradient((W * W).sum(), W).shape == (1, 2)
    assert ag.gradient(y, Value(1.0)).data == 0.0


def test_gradient_and_backward_agree_bit_by_bit() -> None:
    xs = [Value(0.3 + 0.1 * i) for i in range(6)]
    y = (ag.dot(xs[:3], xs[3:]).sigmoid() * xs[0].atan2(xs[1]) if hasattr(xs[0], "atan2")
         else xs[0]) + ag.logsumexp(xs) * ag.norm(xs) - ag.prod(xs) / xs[2].cosh() + xs[4] ** xs[5]
    y.backward()
    assert [g.data for g in ag.gradient(y, xs)] == [x.grad for x in xs]


def test_gradient_needs_values() -> None:
    x = Value(1.0)
    with pytest.raises(TypeError, match=r"xs\[1\]"):
        ag.gradient(x * 2.0, [x, 3.0])
    with pytest.raises(TypeError):
        ag.gradient("y", [x])


def test_where_no_adjoint_arrives_nothing_counts_as_computed() -> None:
    """An arm not taken keeps what it had; what is multiplied by 0 has the gradient 0."""
    x, other, zero = Value(2.0), Value(5.0), Value(3.0)
    left_out = other.exp()
    y = ag.where(x > 0.0, x * 3.0, left_out) + zero * 0.0
    y.backward()
    assert x.grad == 3.0
    assert left_out.grad is NOT_COMPUTED
    assert other.grad is NOT_COMPUTED
    assert other.grad == 0.0
    assert zero.grad == 0.0
    assert zero.grad is not NOT_COMPUTED
    (other * 4.0).backward()
    y.backward()
    assert (x.grad, other.grad) == (6.0, 4.0)
