"""A user's own operation: checked at once, complete when right, absent when wrong."""

import copy
import math
import pickle
from contextlib import contextmanager

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, GradientError, Value, primitive
from autograd.core.value import UFUNCS

from ..own_primitives import declared


@contextmanager
def nothing_is_added():
    before = dict(TABLE), dict(UFUNCS), set(dir(Value))
    yield
    assert (dict(TABLE), dict(UFUNCS), set(dir(Value))) == before


CUBE = ("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)


def test_a_primitive_works_like_the_built_in_ones():
    with declared(*CUBE, text="{0}^3", latex="{0}^3", aliases=("third_power",)) as cube:
        x = Value(2.0, "x")
        y = cube(x) + x.cube() + x.third_power()
        y.backward()
        assert (y.data, x.grad) == (24.0, 36.0)
        assert cube(3.0) == 27.0 and isinstance(cube(3), float)
        assert TABLE["cube"] is cube and cube.arity == 1
        assert np.array_equal(cube(np.array([1.0, 2.0])), [1.0, 8.0])
        assert ag.grad(ag.grad(cube))(2.0) == 12.0
        assert ag.gradcheck(lambda v: ag.sin(cube(v)), 0.9)
        assert copy.deepcopy(y).data == 24.0 and pickle.loads(pickle.dumps(x.cube())).op is cube


def test_arity_comes_from_the_signature_of_value():
    with declared("weighted", lambda a, b, c: a * b + c,
                  [lambda a, b, c, y: b, lambda a, b, c, y: a, lambda a, b, c, y: 1.0]) as row:
        assert row.arity == 3
        a, b = Value(2.0), Value(3.0)
        row(a, b, 4.0).backward()
        assert (a.grad, b.grad) == (3.0, 2.0)
    with declared("rms", lambda *xs: math.sqrt(sum(x * x for x in xs) / len(xs)),
                  lambda *xs: [x / xs[-1] / (len(xs) - 1.0) for x in xs[:-1]],
                  safe=(0.5, 2.0)) as row:
        assert row.arity is None
        assert ag.gradcheck(lambda a, b, c: row(a, b, c), 1.0, 2.0, 3.0)


def test_a_binary_primitive_gets_a_method_of_one_argument():
    with declared("scaled_by", lambda a, b: a * b, [lambda a, b, y: b, lambda a, b, y: a]):
        assert Value(2.0).scaled_by(4.0).data == 8.0


def test_numpy_functions_and_partials_with_autograds_functions_are_fine():
    with declared("bell", lambda x: np.exp(-x * x), lambda x, y: -2.0 * x * y) as row:
        assert type(row(1.0)) is float
        assert type(row(Value(1.0)).data) is float
    with declared("sinc_like", lambda x: math.sin(x) * x, lambda x, y: ag.sin(x) + x * ag.cos(x)):
        assert ag.grad(ag.grad(lambda v: v.sinc_like()))(0.3) == pytest.approx(
            2.0 * math.cos(0.3) - 0.3 * math.sin(0.3), rel=1e-14)


@pytest.mark.parametrize("factor", [1.001, 0.999, -1.0, 0.0, 1e30, math.nan])
def test_a_wrong_partial_is_refused_with_its_name_and_the_point(factor):
    with nothing_is_added(), pytest.raises(GradientError) as caught:
        primitive("product_of", lambda a, b: a * b,
                  [lambda a, b, y: b, lambda a, b, y: factor * a])
    error = caught.value
    assert "partial 1 of product_of" in str(error) and error.op == "product_of"
    assert error.expected == pytest.approx(error.point[0], rel=1e-9)
    assert repr(error.point[1]) in str(error)


def test_partials_that_work_on_floats_only_are_refused_with_what_to_write():
    with nothing_is_added(), pytest.raises(TypeError, match=r"autograd\.exp\(x\), not math\.exp"):
        primitive("twice_exp", lambda x: 2.0 * math.exp(x), lambda x, y: 2.0 * math.exp(x))


def test_a_partial_that_is_another_on_values_is_refused():
    def partial(x, y):
        return 2.0 * x if isinstance(x, float) else 3.0 * x

    with nothing_is_added(), pytest.raises(TypeError, match="on Values"):
        primitive("squared_twice", lambda x: x * x, partial)


@pytest.mark.parametrize("value, partials", [
    (lambda x: x, [lambda x, y: 1.0, lambda x, y: 1.0]),
    (lambda a, b: a * b, lambda a, b, y: b),
    (lambda a, b: a * b, [lambda a, b: b, lambda a, b: a]),
    (lambda x: x, lambda x: 1.0),
    (lambda: 1.0, []),
])
def test_wrong_numbers_of_partials_and_of_their_arguments_are_refused(value, partials):
    with nothing_is_added(), pytest.raises(TypeError, match=r"partial|operand"):
        primitive("ill_formed", value, partials)


@pytest.mark.parametrize("name", ["exp", "arctan", "data", "backward", "square", "2x", "for", ""])
def test_names_that_are_taken_or_no_identifiers_are_refused(name):
    with nothing_is_added(), pytest.raises(ValueError, match=r"taken|identifier"):
        primitive(name, lambda x: x, lambda x, y: 1.0)
    with nothing_is_added(), pytest.raises(ValueError, match=r"taken|identifier"):
        primitive("fine", lambda x: x, lambda x, y: 1.0, aliases=(name,))


def test_a_domain_is_found_where_the_row_does_not_say_it():
    with declared("log_of", lambda x: math.log(x), lambda x, y: 1.0 / x, domain="x > 0") as row:
        assert row.safe[0][0] > 0.0
        with pytest.raises(ValueError, match=r"log_of is not defined at .* it needs x > 0"):
            row(Value(-1.0))


def test_a_safe_interval_outside_the_domain_is_an_error():
    with nothing_is_added(), pytest.raises(ValueError, match="log_of is not defined"):
        primitive("log_of", lambda x: math.log(x), lambda x, y: 1.0 / x, safe=(-1.0, 1.0))
    with nothing_is_added(), pytest.raises(ValueError, match=r"safe=\(low, high\)"):
        primitive("far_log", lambda x: math.log(x - 100.0), lambda x, y: 1.0 / (x - 100.0))
    with declared("far_log", lambda x: math.log(x - 100.0), lambda x, y: 1.0 / (x - 100.0),
                  safe=(101.0, 200.0)):
        assert ag.gradcheck(lambda x: x.far_log(), 150.0)


def test_a_kink_that_is_declared_is_known_to_gradcheck():
    with declared("leaky", lambda x: x if x > 0.0 else 0.1 * x,
                  lambda x, y: 0.1 + 0.9 * ag.core.primitives.step(x), kink=lambda x: x):
        assert Value(0.0).leaky().kinks()
        assert ag.gradcheck(lambda x: x.leaky(), 0.0).skipped == 1
        assert ag.gradcheck(lambda x: x.leaky(), 1e-9).checked == 1


def test_nothing_can_be_declared_twice():
    with declared(*CUBE), pytest.raises(ValueError, match="'cube' is taken"):
        primitive(*CUBE)
    with nothing_is_added(), declared(*CUBE):
        assert "cube" in TABLE


def test_own_primitives_take_part_in_random_expressions():
    from hypothesis import find

    from autograd.strategies import expressions, floats_in

    with declared(*CUBE, safe=(-2.0, 2.0)):
        assert -2.0 <= find(floats_in("cube"), lambda x: x > 1.0) <= 2.0
        found = find(expressions(primitives=["cube", "add"]),
                     lambda e: any(step.op.name == "cube" for step in e.steps))
        assert "cube(x" in repr(found)


def test_the_derivative_as_it_is_taught_is_explained_and_checked():
    slope = lambda x, y: (1.0 - y) * (1.0 + y)
    with declared("th", math.tanh, slope, derivative="1 - y**2"):
        x = Value(0.5, "x")
        assert "dy/dx = 1 - y**2\n" in str(ag.explain(ag.th(x)))
        assert "Derivative: 1 - y**2, where y = th(x)." in ag.th.__doc__
    with declared("ratio", lambda a, b: a / b, [lambda a, b, y: 1.0 / b, lambda a, b, y: -y / b],
                  safe=(0.5, 2.0), derivative=["1 / b", "-a / b**2"]):
        p, q = Value(1.0, "p"), Value(2.0, "q")
        assert "dy/dq = -p / q**2" in str(ag.explain(ag.ratio(p, q)))
    with declared("far", math.atan, lambda x, y: 1.0 / (1.0 + x * x), safe=(1.0, 1e300),
                  derivative="1 / (1 + x**2)"):  # x**2 is too large for a float
        assert ag.far.derivative == ("1 / (1 + x**2)",)
    with declared("total", lambda *xs: sum(xs), lambda *xs: [1.0] * (len(xs) - 1), derivative="1"):
        assert "dy/dp = 1\n" in str(ag.explain(ag.total(p, q)))


@pytest.mark.parametrize(("derivative", "error", "message"), [
    ("1 - 1.001 * y**2", GradientError, r"'1 - 1.001 \* y\*\*2' of th is"),
    (["1 - y**2", "1"], ValueError, "must be 1 text"),
    ("1 - z**2", ValueError, "names z; it is written in x, y"),
    ("open(1)", ValueError, "no function 'open'"),
])
def test_a_wrong_derivative_as_it_is_taught_is_refused(derivative, error, message):
    with nothing_is_added(), pytest.raises(error, match=message):
        primitive("th", math.tanh, lambda x, y: 1.0 - y * y, derivative=derivative)
