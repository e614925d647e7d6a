"""What the rows of the library say about themselves is true; and they get what all rows get."""

from __future__ import annotations

import importlib.util
import math
import random
from typing import Any

import pytest

import autograd as ag
import nn
from autograd import Value, explain, grad, gradcheck, special
from autograd.__main__ import main
from autograd.checking.high_precision import MP_VALUES
from autograd.core.primitive import Primitive, library
from autograd.core.value import UFUNCS

from ..core import test_primitives as of_table

pytest.importorskip("scipy")
ROWS = list(library().values())
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def operands(row: Primitive, rng: random.Random) -> tuple[float, ...]:
    """Operands of moderate size, orders whole."""
    orders = tuple((float(rng.randint(int(low), int(high))) if low.is_integer() else low)
                   if place < row.orders else rng.uniform(low, high)
                   for place, (low, high) in enumerate(row.safe[:-1]))
    low, high = row.safe[-1]
    return *orders, rng.uniform(max(low, -3.0, 0.01 if low >= 0.0 else -3.0), min(high, 3.0))


@each
def test_help_says_what_it_computes_where_and_its_derivative(row: Primitive) -> None:
    of_table.test_help_says_what_it_computes_where_and_its_derivative(row)
    assert "It is a function of autograd.special, and no method." in str(row.__doc__)
    assert ('pip install "chainrule[scipy]"' in str(row.__doc__)) is bool(row.scipy)


@pytest.mark.parametrize("row", [row for row in ROWS if row.derivative], ids=lambda row: row.name)
def test_the_derivative_as_it_is_learnt_is_the_derivative(row: Primitive) -> None:
    of_table.test_the_derivative_as_it_is_learnt_is_the_derivative(row)


@each
def test_it_has_a_value_in_high_precision(row: Primitive) -> None:
    import mpmath

    precise, rng = mpmath.mp.clone(), random.Random(row.name)
    precise.dps = 40
    for _ in range(15):
        point = operands(row, rng)
        truth = float(MP_VALUES[row.name](precise, *map(precise.mpf, point)))
        assert row(*point) == pytest.approx(truth, rel=1e-11, abs=1e-13), point


@each
def test_gradcheck_finds_its_derivatives_right_and_a_thousandth_wrong(row: Primitive) -> None:
    rng = random.Random(row.name)
    for _ in range(4):
        *orders, x = operands(row, rng)

        def f(x: Any, orders: Any = orders) -> Any:
            return row(*orders, x)

        report = gradcheck(f, x)
        assert report and "no formula in high precision" not in str(report)
        if grad(f)(x) != 0.0:
            with pytest.raises(ag.GradientError):
                gradcheck(f, x, gradient=lambda x, f=f: 1.001 * grad(f)(x))


@each
def test_an_order_is_a_plain_number(row: Primitive) -> None:
    point: list[Any] = [*operands(row, random.Random(0))]
    for i in range(row.orders):
        with pytest.raises(TypeError, match=rf"{row.parameters[i]} of {row.name} is an order.* "
                                            rf"write {row.parameters[i]}\.data"):
            row(*point[:i], Value(point[i]), *point[i + 1:])


@each
def test_it_is_drawn_explained_and_typeset(row: Primitive) -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    *orders, number = operands(row, random.Random(1))
    x = Value(number, "x")
    y = row(*orders, x * 1.0)
    assert row.symbol in ag.draw(y).pipe("svg", encoding="utf-8")
    assert f"{grad(row, len(orders))(*orders, number):.6g}" in str(explain(y, wrt=x))
    for line in explain(y).latex().split("\n")[1:-1]:
        line = line.removesuffix(r" \\").replace("&", "").replace(r"\text", r"\mathrm")
        if not line.startswith(r"\mathrm"):
            mathtext.MathTextParser("path").parse(f"${line}$")


@each
def test_strategies_draw_operands_of_it(row: Primitive) -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import operands_of

    @hypothesis.settings(max_examples=25)
    @hypothesis.given(operands_of(row.name))
    def check(point: tuple[float, ...]) -> None:
        assert math.isfinite(row(*point))

    check()


def test_random_expressions_are_of_them_where_asked_for() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    met: set[str] = set()

    @hypothesis.settings(max_examples=60)
    @hypothesis.given(expressions(primitives=[special.j0, special.ellipe, ag.sin]))
    def check(expression: Any) -> None:
        met.update(step.op.name for step in expression.steps)
        assert gradcheck(expression.function, *expression.point)

    check()
    assert {"j0", "ellipe"} <= met


def test_the_names_of_the_library_stay_out_of_the_way() -> None:
    for row in ROWS:
        assert row.name not in ag.TABLE and row.name not in ag.__all__ and row.name not in dir(ag)
        assert not hasattr(Value(1.0), row.name)
        assert row.hidden or row.name == "lambertwm1" or (
            row.name in special.__all__ and row.name in str(special.__doc__))
    assert set(special.__all__) <= set(dir(special))
    with pytest.raises(ValueError, match="'j0' is taken"):
        ag.primitive("j0", lambda x: x, lambda x, y: 1.0)


def test_scipys_names_are_known_before_the_library_is_loaded() -> None:
    names = {name for row in ROWS if row.scipy for name in (row.name, *row.aliases)} - {"jn"}
    assert names < UFUNCS.keys()  # scipy.special.jn is jv
    assert "_lambertw" in UFUNCS


def test_the_command_line_calls_them_and_lets_their_names_be_variables(
        capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["jv(2, x) * y0 + lambertw(x)", "x=0.7", "y0=2", "--check", "--explain"]) == 0
    printed = capsys.readouterr().out
    expected = special.jv(2, 0.7) * 2.0 + special.lambertw(0.7)
    assert f"{expected:.6g}" in printed and "gradient is right" in printed
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "of autograd.special: beta, betainc" in " ".join(capsys.readouterr().out.split())


def test_a_network_with_one_as_its_activation_trains_alike_compiled_and_eagerly() -> None:
    X, y = nn.datasets.moons(30, seed=1)
    histories = []
    for compiled in (True, False):
        model = nn.MLP(2, [4, 1], activation=special.j1, seed=3)
        histories.append(nn.fit(model, X, y, loss="hinge", epochs=4, batch_size=10,
                                progress=False, compiled=compiled))
    assert histories[0].loss == pytest.approx(histories[1].loss, rel=1e-10)
    assert histories[0].loss[-1] < histories[0].loss[0]
    if importlib.util.find_spec("llvmlite") is not None:
        assert histories[0].engine == "llvm"


# --- functions that SciPy has in Python, or under other names -------------------------------------

@pytest.mark.parametrize(("name", "arguments"), [
    ("comb", (2.0,)), ("polygamma", ()), ("multigammaln", (2,)), ("logsumexp", ()),
    ("log_softmax", ())])
def test_scipys_functions_in_python_say_what_to_write_and_are_right_in_adopted_code(
        name: str, arguments: tuple[Any, ...]) -> None:
    import scipy.special

    def f(x: Any) -> Any:
        function, ours = getattr(scipy.special, name), {"polygamma": (1, x)}.get(
            name, ([x, 1.0],) if name.startswith("log") else (x, *arguments))
        found = function(*ours)
        return found[0] if name == "log_softmax" else found

    for transform in (grad, ag.jit):
        with pytest.raises(TypeError, match=rf"write autograd\.special\.{name}, or autograd\.ad"):
            transform(f)(2.5)
    step = 1e-6
    expected = (f(2.5 + step) - f(2.5 - step)) / (2.0 * step)
    assert grad(ag.adopt(f))(2.5) == pytest.approx(expected, rel=1e-8)


def test_scipys_functions_in_python_that_are_right_as_they_are() -> None:
    import scipy.special

    for name, arguments in (("factorial", ()), ("perm", (2,)), ("softmax", ())):
        def f(x: Any, name: Any = name, arguments: Any = arguments) -> Any:
            given = [x, 1.0] if name == "softmax" else x
            found = getattr(scipy.special, name)(given, *arguments)
            return found[0] if name == "softmax" else found

        expected = (f(2.5 + 1e-6) - f(2.5 - 1e-6)) / 2e-6
        assert grad(f)(2.5) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("arguments", [(), (3,)])
def test_factorials_of_a_step_are_of_whole_numbers(arguments: tuple[Any, ...]) -> None:
    import scipy.special

    function = scipy.special.factorialk if arguments else scipy.special.factorial2
    for call in (lambda x: function(x, *arguments), grad(lambda x: function(x, *arguments))):
        with pytest.raises(TypeError, match=r"a function of whole numbers, which has no deriv"):
            call(Value(2.5))


def test_functions_made_of_rows() -> None:
    import scipy.special

    x = Value(2.5)
    for found, expected in (
            (special.perm(x, 2.0), scipy.special.perm(2.5, 2)),
            (special.poch(x, 1.5), scipy.special.poch(2.5, 1.5)),
            (special.multigammaln(x, 3), scipy.special.multigammaln(2.5, 3)),
            (special.loggamma(x), scipy.special.loggamma(2.5)),
            (scipy.special.zeta(x), scipy.special.zeta(2.5)),
            (scipy.special.zeta(x, 1.5), scipy.special.zeta(2.5, 1.5))):
        assert found.data == pytest.approx(expected, rel=1e-13)
    for found, expected in zip(scipy.special.fresnel(x), scipy.special.fresnel(2.5), strict=True):
        assert found.data == expected
    for call, says in ((lambda: special.multigammaln(1.0, 3), "above .* = 1, not 1"),
                       (lambda: special.loggamma(-1.5), "write gammaln")):
        with pytest.raises(ValueError, match=says):
            call()


# --- derivatives by parameters --------------------------------------------------------------------

BY_PARAMETERS = {"gammainc": (2.5, 1.7), "gammaincc": (2.5, 1.7), "betainc": (2.5, 0.7, 0.4),
                 "jv": (1.3, 2.2), "yv": (1.3, 2.2), "iv": (1.3, 2.2), "kv": (1.3, 2.2),
                 "ive": (1.3, 2.2), "kve": (1.3, 2.2), "ellipkinc": (0.7, 0.4),
                 "ellipeinc": (2.7, 0.4), "zeta": (2.5, 1.3)}


@pytest.mark.parametrize("name", BY_PARAMETERS)
def test_derivatives_by_all_operands_of_both_orders_on_every_back_end(name: str,
                                                                      backend: str) -> None:
    def f(x: Any) -> Any:
        return getattr(special, name)(*x)

    point = list(BY_PARAMETERS[name])
    assert gradcheck(f, point) and gradcheck(lambda x: grad(f)(x)[0], point)
    assert gradcheck(lambda x: grad(f)(x)[-1], point)
    slopes, curvatures = ag.jit(grad(f), backend=backend), ag.jit(ag.hessian(f), backend=backend)
    assert slopes(point) == pytest.approx(grad(f)(point), rel=1e-13)
    assert curvatures(point) == pytest.approx(ag.hessian(f)(point), rel=1e-12)


@pytest.mark.parametrize("name", [name for name in BY_PARAMETERS if name != "zeta"])
def test_third_derivatives_by_a_parameter_are_refused(name: str) -> None:
    x = BY_PARAMETERS[name]
    place = len(x) - 1 if name.startswith("ellip") else 0
    third = grad(grad(grad(getattr(special, name), place), place), place)
    with pytest.raises(ValueError, match="higher derivatives are not computed"):
        third(*x)


@pytest.mark.parametrize(("f", "point", "says"), [
    (special.jv, (0.0, 0.0), "its derivative by v: x >= 0"),
    (special.jv, (1.0, 2e4), "up to 10,000"), (special.yv, (1.0, 2e4), "up to 10,000"),
    (special.iv, (2.0, -1.0), "a finite x >= 0"), (special.ive, (-0.5, 1.0), "v >= 0")])
def test_where_a_derivative_by_an_order_is_not_had_the_error_says_so(
        f: Any, point: tuple[float, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        grad(f)(*point)


def test_at_the_edge_a_derivative_by_a_parameter_is_0() -> None:
    assert grad(special.gammainc)(2.0, 0.0) == grad(special.betainc)(2.0, 3.0, 0.0) == 0.0
    assert grad(special.betainc, 1)(2.0, 3.0, 1.0) == grad(special.jv)(1.5, 0.0) == 0.0


def test_the_order_0_has_a_derivative_by_x_that_goes_on() -> None:
    """Where a plain order 0 is answered by another row, an order that is a Value is not."""
    for f in (special.jv, special.yv, special.iv, special.kv):
        mixed = ag.hessian(lambda x, f=f: f(x[0], x[1]))([0.0, 1.7])
        nearly = ag.hessian(lambda x, f=f: f(x[0], x[1]))([1e-9, 1.7])
        assert mixed == pytest.approx(nearly, rel=1e-7, abs=1e-7)
    by_a = grad(lambda a: grad(lambda x: grad(special.gammainc, 1)(a, x))(0.8))
    assert by_a(1.0) == pytest.approx(by_a(1.0 + 1e-9), rel=1e-7)
