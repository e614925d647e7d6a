"""Functions of arrays with a vjp of one's own: right in every transform, and checked when used."""

import copy
import gc
import pickle
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import (
    GradientError,
    RecordingError,
    Value,
    grad,
    hessian,
    hvp,
    jacobian,
    jit,
    jvp,
    primitive,
    value_and_grad,
    vmap,
)
from autograd.compiler.trace.tracer import record

A = np.array([[3.0, 1.0], [0.5, 2.0]])
B = np.array([1.0, 2.0])
X = np.array([1.0, 2.0, -0.5])


def solve_by_hand(a, b):
    """Cramer's rule, on numbers and Values."""
    d = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    return np.array([(b[0] * a[1, 1] - a[0, 1] * b[1]) / d, (a[0, 0] * b[1] - a[1, 0] * b[0]) / d])


def solve_vjp(g, x, a, b):
    by_b = solve(np.transpose(a), g)
    return -np.outer(by_b, x), by_b


@primitive(vjp=solve_vjp, recorded=solve_by_hand)
def solve(a, b):
    return np.linalg.solve(a, b)


def of_solution(solver):
    def f(a, b):
        x = solver(a, b)
        return x[0] * x[0] * x[1] + np.sum(np.sin(x))

    return f


SOLVED, BY_HAND = of_solution(solve), of_solution(solve_by_hand)


def two_results(x):
    return {"square": x * x / (1.0 + x[0] * x[0]), "three": (3.0 * x[0], np.arange(2))}


def two_results_vjp(g, y, x):
    assert g["three"][1] is None and y["three"][1].tolist() == [0, 1]
    d = 1.0 + x[0] * x[0]
    at_first = np.array([1.0, 0.0, 0.0])
    return (g["square"] * 2.0 * x / d + at_first * (
        3.0 * g["three"][0] - np.sum(g["square"] * x * x) * 2.0 * x[0] / d**2))


DOUBLE = primitive(two_results, vjp=two_results_vjp, jvp=lambda t, y, x: {
    "square": 2.0 * x * t[0] / (1.0 + x[0] ** 2) - 2.0 * x[0] * t[0][0] * x * x
    / (1.0 + x[0] ** 2) ** 2, "three": (3.0 * t[0][0], None)})


def through(function):
    def f(x):
        found = function(x)
        return np.sum(found["square"] ** 3) * found["three"][0] + np.exp(found["square"][1])

    return f


OWN, PLAIN = through(DOUBLE), through(two_results)


def flat(result):
    return np.hstack([np.ravel(part) for part in (result if isinstance(result, tuple)
                                                  else (result,))])


def assert_close(found, expected):
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("transform", [grad, value_and_grad, jacobian, hessian,
                                       lambda f: jit(grad(f)), lambda f: grad(jit(f)),
                                       lambda f: jit(hessian(f)), lambda f: grad(lambda *x: sum(
                                           np.ravel(hessian(f)(*x))))])
def test_every_transform_is_that_of_the_written_out_function(transform):
    assert_close(transform(SOLVED)(A, B), transform(BY_HAND)(A, B))
    assert_close(transform(OWN)(X), transform(PLAIN)(X))


def test_forward_mode_takes_the_jvp_or_the_vjp():
    assert_close(jvp(OWN, (X,), (X,)), jvp(PLAIN, (X,), (X,)))
    assert_close(jvp(SOLVED, (A, B), (A * 0.1, B)), jvp(BY_HAND, (A, B), (A * 0.1, B)))
    assert_close(hvp(OWN, (X,), (X,))[0], hvp(PLAIN, (X,), (X,))[0])
    assert_close(jit(lambda x: jvp(OWN, (x,), (x,)))(X), jvp(PLAIN, (X,), (X,)))
    along = [lambda x, f=f: jvp(f, (x,), (np.ones(3),))[1] for f in (OWN, PLAIN)]
    assert_close(grad(along[0])(X), grad(along[1])(X))


def test_rows_are_mapped():
    rows = np.linspace(-1.0, 2.0, 12).reshape(4, 3)
    assert_close(vmap(grad(OWN))(rows), np.array([grad(PLAIN)(row) for row in rows]))
    assert_close(vmap(hessian(OWN))(rows), np.array([hessian(PLAIN)(row) for row in rows]))
    assert_close(vmap(SOLVED, in_axes=(None, 0))(A, rows[:, :2]),
                 np.array([BY_HAND(A, row) for row in rows[:, :2]]))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_at_any_point(x):
    assert_close(grad(OWN)(np.array(x)), grad(PLAIN)(np.array(x)))


def test_the_vjp_is_called_once_for_all_results():
    called = []

    def vjp(g, y, x):
        called.append(g)
        return g * 2.0 * x

    square = primitive(lambda x: x * x, vjp=vjp, check=False)
    grad(lambda x: np.sum(square(x)) + square(x)[0])(X)
    assert [g.tolist() for g in called] == [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]


def test_adjoints_come_from_results_that_are_used_at_different_depths():
    def f(x):
        y = solve(A, x)
        return (y[0] * 2.0 + y[1]).sin() * y[0] + solve(A, y)[1]

    def plain(x):
        y = solve_by_hand(A, x)
        return (y[0] * 2.0 + y[1]).sin() * y[0] + solve_by_hand(A, y)[1]

    assert_close(grad(f)(B), grad(plain)(B))
    assert_close(hessian(f)(B), hessian(plain)(B))


def test_a_result_that_reaches_nothing_has_no_adjoint_and_stops_none():
    v = ag.values(B)
    y = solve(A, v)
    ag.where(v[0] > 0.0, y[1], y[0]).backward()
    assert_close([x.grad for x in v], np.linalg.inv(A)[1])
    y[1].backward()
    assert_close([x.grad for x in v], 2.0 * np.linalg.inv(A)[1])


def test_editing_an_argument_in_place_changes_no_derivative():
    a, v = A.copy(), ag.values(B)
    y = solve(a, v)
    a *= 7.0
    y[0].backward()
    assert_close([x.grad for x in v], np.linalg.inv(A)[0])


def test_a_number_in_and_out():
    cube = primitive(lambda x, n: x**n, vjp=lambda g, y, x, n: (g * n * x ** (n - 1), None))
    assert cube(2.0, 3) == 8.0
    assert grad(cube)(2.0, 3) == 12.0 and grad(grad(cube))(2.0, 3) == 12.0
    assert grad(lambda x: cube(x[0], 2) + cube(x[1], 3))([2.0, 3.0]) == [4.0, 27.0]


# --- the check ------------------------------------------------------------------------------------

@settings(max_examples=20, deadline=None)
@given(st.integers(0, 8), st.sampled_from([1.001, 0.999, -1.0, 0.0]), st.integers(0, 1000))
def test_a_vjp_that_is_off_by_a_thousandth_is_refused(place, factor, seed):
    matrix = np.random.default_rng(seed).uniform(0.5, 2.0, (3, 3))
    wrong = matrix.copy()
    wrong.flat[place] *= factor
    product = primitive(lambda x: matrix @ x, vjp=lambda g, y, x: wrong.T @ g, name="product")
    with pytest.raises(GradientError, match="vjp of product is wrong"):
        grad(lambda x: np.sum(product(x)))(np.array([1.0, -2.0, 3.0]))
    right = primitive(lambda x: matrix @ x, vjp=lambda g, y, x: matrix.T @ g)
    assert_close(grad(lambda x: np.sum(right(x)))(X), matrix.sum(axis=0))


def test_an_example_is_checked_at_once():
    def product(a, b, n):
        return n * np.sum(a * b["k"])

    def vjp(factor):
        return lambda g, y, a, b, n: (g * n * b["k"], {"k": factor * n * g * a}, None)

    example = (X, {"k": X}, 2)
    right = primitive(product, vjp=vjp(1.0), example=example)
    assert_close(grad(right)(*example), 2.0 * X)
    with pytest.raises(GradientError, match="vjp of product is wrong"):
        primitive(product, vjp=vjp(1.001), example=example)


def test_a_wrong_vjp_is_refused_under_jit_as_well():
    wrong = primitive(lambda x: x * x, vjp=lambda g, y, x: 2.002 * g * x, name="wrong")
    with pytest.raises(GradientError, match="vjp of wrong"):
        jit(grad(lambda x: wrong(x)))(3.0)


def test_a_wrong_jvp_and_a_wrong_derivative_of_the_vjp_are_refused():
    wrong = primitive(lambda x: x * x, vjp=lambda g, y, x: 2.0 * g * x,
                      jvp=lambda t, y, x: 2.002 * t[0] * x, name="wrong")
    with pytest.raises(GradientError, match="jvp of wrong"):
        grad(wrong)(3.0)
    stopped = primitive(lambda x: x * x, name="stopped", vjp=lambda g, y, x: 2.0 * g * (
        x.data if isinstance(x, Value) else x))
    with pytest.raises(GradientError, match="derivative of the vjp of stopped"):
        grad(stopped)(3.0)


def test_a_kink_is_no_fault():
    size = primitive(np.abs, vjp=lambda g, y, x: g * np.where(x < 0.0, -1.0, 1.0))
    assert_close(grad(lambda x: np.sum(size(x)))(np.array([0.0, -2.0])), [1.0, -1.0])


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
def test_without_a_check_what_is_said_is_believed(backend):
    straight = primitive(np.round, vjp=lambda g, y, x: g, check=False)
    assert grad(straight)(3.2) == 1.0
    f = jit(lambda x: 2.0 * straight(x), backend=backend)
    assert f(3.2) == 6.0 and grad(f)(3.2) == 2.0
    assert vmap(grad(lambda x: straight(x) ** 2))(np.array([1.2, 2.9])).tolist() == [2.0, 6.0]


# --- what is refused ------------------------------------------------------------------------------

def matrix_of(x):
    """For numbers alone, as libraries in C are."""
    return np.array(np.outer(x, x) + np.eye(len(x)), dtype=float)


def in_c(x):
    return np.linalg.eigvalsh(matrix_of(x))


def in_c_vjp(g, y, x):
    vectors = np.linalg.eigh(matrix_of(x))[1]
    m = vectors @ np.diag(g) @ vectors.T
    return (m + m.T) @ x


EIGENVALUES = primitive(in_c, vjp=in_c_vjp, name="eigenvalues")


def test_a_vjp_in_c_gives_first_derivatives_in_every_mode():
    def largest(x):
        return EIGENVALUES(x)[-1] ** 2

    size = 1.0 + X @ X
    assert_close(grad(largest)(X), 4.0 * size * X)
    assert_close(jvp(largest, X, X)[1], 4.0 * size * (X @ X))
    assert_close(vmap_by_hand(grad(largest)), 4.0 * size * X)


def vmap_by_hand(f):
    return np.array([f(row) for row in X[None, :]])[0]


def test_a_second_derivative_of_a_vjp_in_c_is_refused_by_name():
    for transform in (hessian, lambda f: grad(lambda x: np.sum(grad(f)(x)))):
        with pytest.raises(TypeError, match="eigenvalues has no second derivative, b"):
            transform(lambda x: EIGENVALUES(x)[-1])(X)


def test_a_function_in_c_is_refused_by_jit_and_vmap_by_name():
    for compiled in (jit(EIGENVALUES), jit(grad(lambda x: EIGENVALUES(x)[0]))):
        with pytest.raises(RecordingError, match=r"call eigenvalues, .*recorded="):
            compiled(X)
    with pytest.raises(RecordingError, match="call eigenvalues"):
        vmap(EIGENVALUES)(X[None, :])


def test_what_is_recorded_must_be_the_same():
    other = primitive(lambda x: x * x, vjp=lambda g, y, x: 2.0 * g * x, name="other",
                      recorded=lambda x: x * x + 0.1)
    assert other(2.0) == 4.0 and grad(other)(2.0) == 4.0
    with pytest.raises(RecordingError, match="of numbers it makes"):
        jit(other)(2.0)


def test_values_from_outside_are_refused_by_name():
    w = Value(2.0, "w")
    outside = primitive(lambda x: w * x, vjp=lambda g, y, x: g * 2.0, name="outside")
    with pytest.raises(TypeError, match="outside uses Values that are not among its arguments"):
        grad(outside)(3.0)
    in_vjp = primitive(lambda x: 2.0 * x, vjp=lambda g, y, x: g * w, name="in_vjp", check=False)
    with pytest.raises(TypeError, match="the vjp of in_vjp uses Values from outside"):
        in_vjp(Value(3.0)).backward()
    keyword = primitive(lambda x, *, k: x, vjp=lambda g, y, x, *, k: g)
    with pytest.raises(TypeError, match="the keyword k holds a Value"):
        keyword(Value(1.0), k=w)


@pytest.mark.parametrize(("vjp", "error", "message"), [
    (lambda g, y, a, b: g, TypeError, "tuple of 2 gradients"),
    (lambda g, y, a, b: (g, g[0]), ValueError, r"shape \(3,\), not \(\)"),
    (lambda g, y, a, b: (None, "b"), TypeError, "argument 1")])
def test_a_gradient_of_another_structure_is_refused(vjp, error, message):
    total = primitive(lambda a, b: a + b, vjp=vjp, name="total")
    with pytest.raises((error, ValueError), match=message):
        grad(lambda a, b: np.sum(total(a, b)), (0, 1))(X, X)


def test_a_primitive_of_arrays_needs_a_vjp_by_keyword():
    with pytest.raises(TypeError, match=r"primitive\(in_c, vjp=...\)"):
        primitive(in_c)
    with pytest.raises(TypeError, match="takes keywords behind the function"):
        primitive(in_c, in_c_vjp)
    with pytest.raises(TypeError, match="vjp must be a function, not 3"):
        primitive(in_c, vjp=3)
    with pytest.raises(TypeError, match="complex"):
        primitive(lambda x: x * 1j, vjp=in_c_vjp, name="rotated")(Value(1.0))


# --- what a node is -------------------------------------------------------------------------------

def test_a_result_is_drawn_and_explained_as_a_node_on_all_operands():
    v = ag.values(B, "b")
    y = solve(A, v)[1] * 2.0
    assert "solve[1]" in ag.draw(y).source
    text = str(ag.explain(y, wrt=v[0]))
    assert "solve(b[0], b[1])[1]" in text and f"{2.0 * np.linalg.inv(A)[1, 0]:.6g}"[:7] in text
    assert ag.gradcheck(SOLVED, A, B)
    with pytest.raises(Exception, match="solve is a primitive of arrays"):
        ag.live(y)


def test_copies_and_pickles_of_graphs_differentiate():
    v = ag.values(B, "b")
    y = solve(A, v)[1] * 2.0
    for other in (copy.deepcopy(y), pickle.loads(pickle.dumps(y)), copy.copy(y)):
        leaves = ag.leaves(other)
        before = [leaf.grad for leaf in leaves]
        other.backward()
        assert_close([leaf.grad - g for leaf, g in zip(leaves, before, strict=True)],
                     2.0 * np.linalg.inv(A)[1])
    assert pickle.loads(pickle.dumps(solve)) is solve and copy.deepcopy(solve) is solve
    local = primitive(lambda x: x, vjp=lambda g, y, x: g)
    with pytest.raises(pickle.PicklingError, match="give it one at the top of that module"):
        pickle.dumps(local)


def test_a_change_of_what_the_function_captures_is_recorded_anew():
    scale = [2.0]
    scaled = primitive(lambda x: scale[0] * x, vjp=lambda g, y, x: scale[0] * g)
    f = jit(grad(lambda x: scaled(x) ** 2))
    assert f(3.0) == 24.0
    scale[0] = 3.0
    assert f(3.0) == 54.0 and f.n_recordings == 2


def test_what_another_thread_records_changes_no_bit():
    third = primitive(lambda x: x / 3.0, vjp=lambda g, y, x: g / 3.0,
                      recorded=lambda x: x * (1.0 / 3.0))
    assert 5.0 / 3.0 != 5.0 * (1.0 / 3.0)
    found = []

    def f(x):
        thread = Thread(target=lambda: found.append(third(Value(5.0)).data))
        thread.start()
        thread.join()
        return x * x

    record(f, (2.0,), {})
    assert found == [5.0 / 3.0]
    assert jit(lambda x: third(x), backend="python")(5.0) == 5.0 * (1.0 / 3.0)


def test_a_matrix_costs_one_walk_over_its_operands():
    n = 40
    matrix = np.random.default_rng(0).normal(size=(n, n)) + n * np.eye(n)
    vjps = []
    inverse = primitive(np.linalg.inv, check=False,
                        vjp=lambda g, y, a: vjps.append(g) or -y.T @ g @ y.T)
    gradient = grad(lambda a: np.sum(inverse(a) ** 2))(matrix)
    found = np.linalg.inv(matrix)
    assert_close(gradient, -2.0 * found.T @ found @ found.T)
    assert len(vjps) == 1
    node = inverse(ag.values(matrix))[0, 0]
    assert len(ag.topological_order(node)) == n * n + 1


def test_graphs_are_freed_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        y = SOLVED(ag.values(A), ag.values(B))
        y.backward()
        ag.gradient(y, ag.leaves(y))
        str(y.parents[0].op), ag.explain(y)
        del y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_jvp_alone_is_refused() -> None:
    with pytest.raises(TypeError, match=r"needs the derivative: write primitive\(.*vjp="):
        primitive(jvp=lambda t, y, x: 2.0 * x * t)(lambda x: x * x)  # type: ignore[call-overload]
