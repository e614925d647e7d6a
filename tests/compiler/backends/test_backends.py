"""Every back end of the package against what a back end has to do."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from autograd import TABLE, jit, vmap
from autograd.compiler.backends import choose, python
from autograd.compiler.backends.choice import default
from autograd.compiler.program.program import Program
from autograd.compiler.trace.inlining import inlined

from ...back_ends import back_ends
from .conformance import (
    BackEnd,
    Conformance,
    bits,
    check_program,
    check_special_values,
    derivative_program,
    number,
)

WRONG = {"python": "1.001 * tanh({all})", "numpy": lambda x: 1.001 * np.tanh(x),
         "llvm": lambda e, x: e.op("fmul", e.call("tanh", x[0]), e.const(1.001))}


def load(name: str) -> BackEnd:
    """A back end as jit uses it: rows that it has no own way to write are written out."""
    def compile(program: Program, row_inputs: Any = None, sums: Any = None) -> Any:
        return choose(program, row_inputs, sums, name, inlined).kernel

    return BackEnd(compile, name == "python")


def emitters_of(name: str) -> dict[str, Any]:
    module = f"autograd.compiler.backends.{'llvm.ops' if name == 'llvm' else name}"
    emitters: dict[str, Any] = importlib.import_module(module).EMITTERS
    return emitters


@pytest.fixture(scope="module", params=back_ends("llvm", "numpy", "python"))
def backend(request: Any) -> str:
    """Those that keep every rounding where it is; ``test_jax.py`` is about the other one."""
    name: str = request.param
    return name


class TestBackEnds(Conformance):
    """Each back end that comes with the package."""

    @pytest.fixture
    def back_end(self, backend: str) -> BackEnd:
        return load(backend)


def test_random_programs_have_the_bits_of_the_eager_engine_on_the_python_back_end() -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from autograd.strategies import expressions

    @hypothesis.given(expressions(n_inputs=3, max_nodes=20))
    def check(expression: Any) -> None:
        program, outputs = derivative_program(expression)
        found, _, ok = python.compile(program)(np.array(expression.point))
        assert ok
        assert list(map(bits, found)) == [bits(number(x)) for x in outputs]

    check()


def test_the_tests_see_an_emitter_that_is_wrong_by_a_thousandth(
        backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    back_end, program = load(backend), Program(1, (), ("exp", "tanh"), ((0,), (1,)), (2,))
    check_special_values(back_end, TABLE["tanh"])
    check_program(back_end, program, np.array([[0.3, 0.7]]))
    monkeypatch.setitem(emitters_of(backend), "tanh", WRONG[backend])
    with pytest.raises(AssertionError, match="tanh"):
        check_special_values(back_end, TABLE["tanh"])
    with pytest.raises(AssertionError, match="tanh"):
        check_program(back_end, program, np.array([[0.3, 0.7]]))


# --- the back end that ran, and why not a quicker one -------------------------------------------

def test_explain_names_a_back_end_that_was_asked_for() -> None:
    for name, by_default in (("python", False), (default(False), True)):
        f = jit(lambda x: x * 2.0, backend=name)
        f(1.0)
        assert f"runs on the back end {name}" in f.explain()
        assert (f"because backend={name!r} was asked for" in f.explain()) is not by_default


def test_explain_says_that_a_program_is_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("llvmlite")
    from autograd.compiler.backends.llvm import compilation

    monkeypatch.setattr(compilation, "ROLLED", 5)
    monkeypatch.setattr(compilation, "MOST_CODE", 3)

    @jit
    def f(x: float) -> Any:
        return (x.sin() * x.exp() + x.tanh() / (x + 2.0)).cos()

    f(0.5)
    assert "runs on the back end llvm, because the program is interpreted" in f.explain()
    by_rows = vmap(f)
    by_rows([0.5, 1.0])
    assert "runs on the back end llvm, because the program is interpreted" in by_rows.explain()
