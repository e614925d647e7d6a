"""%, //, divmod, round and their relatives: the bits of Python's, on floats, Values, in code."""

from __future__ import annotations

import itertools
import math
import operator
import random
import struct
from collections.abc import Callable
from fractions import Fraction
from numbers import Complex, Number, Real
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import TABLE, Value, grad, gradcheck, jit, vmap
from autograd.core.primitives import DOMAIN_ERRORS

from ..node import needs_node, run

rng = random.Random(4)
SOME = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1.0, -1.0, 3.0, -7.0, 0.1, 2.675, 0.285, -1.005,
        1e-300, 5e-324, 4503599627370495.5, 4503599627370497.0, 9007199254740993.0, -1e17, 1e300,
        0.49999999999999994, *(rng.uniform(-9.0, 9.0) for _ in range(20)),
        *(rng.uniform(-1e6, 1e6) for _ in range(20))]
WHOLES = {"floor": np.floor, "ceil": np.ceil, "trunc": np.trunc, "rint": np.rint}
PAIRS: dict[str, Callable[[float, float], float]] = {
    "mod": operator.mod, "floordiv": operator.floordiv, "fmod": math.fmod,
    "ieee_remainder": math.remainder, "copysign": math.copysign}


def bits(x: float) -> bytes:
    return b"nan" if x != x else struct.pack("<d", x)


def pairs(name: str) -> list[tuple[float, float]]:
    """Operands, infinities among them, of which the function is defined."""
    found = []
    for a, b in itertools.product([*SOME, math.inf, -math.inf], repeat=2):
        try:
            PAIRS[name](a, b)
        except DOMAIN_ERRORS:
            continue
        found.append((a, b))
    return found


@pytest.mark.parametrize("name", WHOLES)
def test_rounding_to_whole_numbers_has_the_bits_of_numpys(name: str, backend: str) -> None:
    row = TABLE[name]
    points = [*SOME, math.inf, -math.inf, math.nan]
    by_rows = vmap(lambda x: row(x), backend=backend)(np.array(points))
    compiled = jit(lambda x: row(x), backend=backend)
    for x, in_row in zip(points, by_rows.tolist(), strict=True):
        expected = bits(WHOLES[name](x).item())
        for given in (row(x), row(Value(x)).data, in_row, compiled(x) if x - x == 0 else in_row):
            assert bits(given) == expected, x


@pytest.mark.parametrize("name", PAIRS)
def test_remainders_have_the_bits_of_pythons(name: str, backend: str) -> None:
    row, operands = TABLE[name], pairs(name)
    by_rows = vmap(lambda a, b: row(a, b), backend=backend)(*np.array(operands).T)
    compiled = jit(lambda a, b: row(a, b), backend=backend)
    for (a, b), in_row in zip(operands, by_rows.tolist(), strict=True):
        expected = bits(PAIRS[name](a, b))
        recorded = row(Value(a), b).data
        assert bits(row(a, b)) == bits(recorded) == bits(in_row) == expected, (a, b)
    for a, b in rng.sample(operands, 30):
        if math.isfinite(a + b) and math.isfinite(row(a, b)):
            assert bits(compiled(a, b)) == bits(row(a, b)), (a, b)


@pytest.mark.parametrize("digits", [0, 1, 2, 3, 7, 15, 22, -1, -2, -5])
def test_rounding_to_places_is_pythons(digits: int, backend: str) -> None:
    points = [*SOME, *(x + 0.5 for x in range(-4, 4)), *(k / 1000 for k in range(0, 400, 5)),
              *(k + 0.125 for k in range(5)), 25.0, 35.0, -150.0]
    by_rows = vmap(lambda x: round(x, digits), backend=backend)(np.array(points))
    compiled = jit(lambda x: round(x, digits), backend=backend)
    for x, in_row in zip(points, by_rows.tolist(), strict=True):
        expected = round(x, digits)
        assert round(Value(x), digits).data == in_row == expected, x
    assert compiled(2.675) == round(2.675, digits)


@needs_node
@pytest.mark.parametrize("name", [*WHOLES, *PAIRS, "rounded"])
def test_javascript_has_the_same_bits(name: str) -> None:
    from autograd.compiler.backends.javascript import to_javascript
    from autograd.compiler.program import Program
    from autograd.compiler.trace.inlining import inlined

    row = TABLE[name]
    points: list[tuple[float, ...]] = [(x,) for x in SOME] if name in WHOLES else (
        pairs(name) if name in PAIRS else [(x, 100.0) for x in SOME])
    points = [point for point in points if all(map(math.isfinite, point))]
    count = len(points[0])
    program = Program(count, (), (name,), (tuple(range(count)),), (count,))
    for point, given in zip(points, run(to_javascript(program, rewrite=inlined), points),
                            strict=True):
        assert bits(given.y[0]) == bits(row(*point)), point


@pytest.mark.parametrize(("f", "x", "slope"), [
    (lambda x: x % 2.0, 7.3, 1.0), (lambda x: 7.3 % x, 2.0, -3.0), (lambda x: -7.3 % x, 2.0, 4.0),
    (lambda x: x // 2.0, 7.3, 0.0), (lambda x: divmod(x, 2.0)[1] * x, 7.3, 7.3 + 7.3 % 2.0),
    (lambda x: divmod(9, x)[1], 2.5, -3.0), (lambda x: round(x) * x, 2.6, 3.0),
    (lambda x: round(x, 1) * x, 2.64, 2.6), (lambda x: math.floor(x) * x, -2.6, -3.0),
    (lambda x: math.ceil(x) * x, 2.4, 3.0), (lambda x: math.trunc(x) * x, -2.4, -2.0),
    (lambda x: ag.fmod(-7.3, x), 2.0, 3.0), (lambda x: ag.ieee_remainder(7.3, x), 2.0, -4.0),
    (lambda x: ag.copysign(x, -1.0), 2.0, -1.0), (lambda x: ag.copysign(x, 1.0), -2.0, -1.0),
    (lambda x: ag.copysign(3.0, x) * x, 2.0, 3.0), (lambda x: np.floor(x) * x, 2.5, 2.0),
    (lambda x: np.round(x, 1) * x, 2.64, 2.6), (lambda x: np.mod(x, 2.0) * x, 7.3, 8.6),
    (lambda x: (np.array([x, x]) % 2.0)[1], 7.3, 1.0), (lambda x: round(x, -1) * x, 26.0, 30.0),
    (lambda x: np.floor(np.array([x, 2.0 * x])).sum() * x, 1.7, 4.0)])
def test_derivatives_between_the_jumps(f: Any, x: float, slope: float) -> None:
    assert grad(f)(x) == pytest.approx(slope, rel=1e-12, abs=1e-300)
    assert jit(grad(f))(x) == pytest.approx(slope, rel=1e-12, abs=1e-300)
    assert gradcheck(f, x).checked == 1


@pytest.mark.parametrize(("f", "x"), [
    (lambda x: x % 2.0, 4.0), (lambda x: x // 2.0, -6.0), (round, 2.5), (math.floor, 3.0),
    (math.ceil, -3.0), (math.trunc, 1.0), (lambda x: round(x, 1), 2.25),
    (lambda x: ag.fmod(x, 2.0), -4.0), (lambda x: ag.ieee_remainder(x, 2.0), 3.0),
    (lambda x: ag.copysign(1.0, x), 0.0), (lambda x: ag.copysign(x, 1.0), 0.0)])
def test_jumps_are_known(f: Any, x: float) -> None:
    assert len(f(Value(x)).kinks()) == 1
    assert f(Value(x + 0.31)).kinks() == []


@pytest.mark.parametrize(("f", "x"), [
    (math.trunc, 0.0), (lambda x: ag.fmod(x, 2.0), 0.0), (lambda x: ag.ieee_remainder(x, 2.0), 0.0),
    (round, 0.0), (round, 3.0)])
def test_where_nothing_jumps_there_is_no_kink(f: Any, x: float) -> None:
    assert f(Value(x)).kinks() == []


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda v: v % 0.0, ZeroDivisionError, r"mod is not defined at \(v = 2.0, 0.0\)"),
    (lambda v: v // 0, ZeroDivisionError, "a divisor that is not 0"),
    (lambda v: divmod(v, 0), ZeroDivisionError, "a divisor that is not 0"),
    (lambda v: ag.fmod(v, 0), ValueError, "fmod is not defined"),
    (lambda v: ag.ieee_remainder(v * math.inf, 1.0), ValueError, "a finite a"),
    (lambda v: round(v, 23), ValueError, "at most 22 places"),
    (lambda v: round(v, 0.5), TypeError, "interpreted as an integer"),
    (lambda v: int(v), TypeError, r"write int\(v.data\)"),
    (lambda v: v % "a", TypeError, "not the text"),
    (lambda v: [1, 2, 3][math.floor(v)], TypeError, r"write int\(v.data\)")])
def test_what_is_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call(Value(2.0, "v"))


def test_a_primitive_of_ones_own_may_use_them() -> None:
    from autograd.extend import unregister

    row = ag.primitive("sawtooth", lambda x: x % 1.0 - round(x * 0.0), lambda x, y: 1.0)
    try:
        assert jit(lambda x: row(x) * x)(2.25) == 2.25 * 0.25
        assert vmap(lambda x: row(x))([2.25, -0.25]).tolist() == [0.25, 0.75]
    finally:
        unregister(row)


def test_a_value_is_a_real_number() -> None:
    v = Value(2.5)
    assert isinstance(v, Real)
    assert isinstance(v, Complex)
    assert isinstance(v, Number)
    assert (v.real, v.imag, v.conjugate()) == (v, 0.0, v)
    assert np.isscalar(v)
    assert np.real(v) is v
    assert np.imag(v) == 0.0


def test_fractions_meet_values() -> None:
    half, v = Fraction(1, 2), Value(2.5)
    assert [(half + v).data, (v + half).data, (half * v).data] == [3.0, 3.0, 1.25]
    assert (half / v).data == 0.2
    assert [(half - v).data, (half // v).data, (half % v).data] == [-2.0, 0.0, 0.5]
    assert (half ** v).data == 0.5**2.5
    assert (v ** half).data == math.sqrt(2.5)
    assert half < v
    assert Fraction(5, 2) == v
    assert half != v
