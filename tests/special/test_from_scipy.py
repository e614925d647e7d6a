"""The library's rows by SciPy: the same numbers everywhere, and SciPy only where it is used."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jit, special, value_and_grad, vmap
from autograd.compiler.backends import Unsupported
from autograd.core.primitive import Primitive, library
from autograd.core.value import UFUNCS
from autograd.special import from_scipy

from ..back_ends import back_ends, needs_llvmlite

scipy_special = pytest.importorskip("scipy.special")
ROOT = Path(__file__).parents[2]
BY_SCIPY = [row for row in library().values() if row.scipy]
ORDERS = {"expn": (3.0,), "gammainc": (2.5,), "gammaincc": (2.5,), "betainc": (2.0, 30.0)}


def orders_of(row: Primitive) -> tuple[float, ...]:
    return ORDERS.get(row.name, (1.5,) * (len(row.parameters) - 1))


def is_same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def in_a_process(code: str, **environment: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)
    assert not done.returncode, done.stderr
    return done.stdout


# --- the same numbers -----------------------------------------------------------------------------

@pytest.mark.parametrize("backend", back_ends("python", "numpy", "llvm", "jax"))
@pytest.mark.parametrize("row", BY_SCIPY, ids=lambda row: row.name)
def test_every_back_end_gives_scipys_bits_also_outside_the_domain(row: Primitive,
                                                                  backend: str) -> None:
    from autograd.compiler.backends.choice import compile
    from autograd.compiler.program.program import Program

    orders = orders_of(row)
    xs = np.array([-2.0, 0.0, 1e-300, 0.25, 0.5, 0.99, 1.0, 1.5, 7.0, 20.0, 800.0, np.inf, np.nan])
    expected = getattr(scipy_special, row.scipy)(*orders, xs)
    slots = (*range(1, 1 + len(orders)), 0)
    program = Program(1, orders, (row.name,), (slots,), (1 + len(orders),))
    assert is_same(compile(program, (True,), None, backend)(np.empty(0), xs[None])[1][0], expected)
    point = compile(program, backend=backend)
    assert is_same([point(np.array([x]))[0][0] for x in xs], expected)


@pytest.mark.parametrize("row", BY_SCIPY, ids=lambda row: row.name)
def test_functions_that_use_it_agree_on_every_back_end(row: Primitive, backend: str) -> None:
    orders = orders_of(row)

    def f(x: Any) -> Any:
        return row(*orders, x) * x + ag.exp(-x)

    compiled, slope = jit(f, backend=backend), jit(grad(grad(f)), backend=backend)
    for x in (0.3, 0.7, 0.45):
        assert compiled(x) == pytest.approx(f(x), rel=1e-14)
        assert slope(x) == pytest.approx(grad(grad(f))(x), rel=1e-12)
    values, slopes = vmap(value_and_grad(f), backend=backend)(np.array([0.3, 0.7, 0.45]))
    assert values == pytest.approx([f(0.3), f(0.7), f(0.45)], rel=1e-14)
    assert slopes == pytest.approx([grad(f)(0.3), grad(f)(0.7), grad(f)(0.45)], rel=1e-13)


def test_many_rows_on_threads_have_the_bits_of_one() -> None:
    xs = np.linspace(0.1, 30.0, 20_000)
    one, many = (vmap(lambda x: special.jv(2.5, x), threads=count)(xs) for count in (1, None))
    assert is_same(one, many) and is_same(one, scipy_special.jv(2.5, xs))


@needs_llvmlite
def test_a_long_irregular_program_is_interpreted_with_it() -> None:
    from autograd.compiler.backends.llvm.compilation import compile
    from autograd.compiler.backends.llvm.interpreter import InterpreterWriter
    from autograd.compiler.backends.llvm.kernel import Kernel
    from autograd.compiler.program.program import Program

    program = Program(1, (0.5, 2.0), ("j0", "jv", "betainc", "mul"),
                      ((0,), (1, 0), (1, 2, 0), (3, 4)), (3, 4, 5, 6))
    interpreted = Kernel(InterpreterWriter(program, None, (False,) * 4, 1, {}), None)
    x = np.array([0.7])
    assert interpreted(x)[0].tolist() == compile(program)(x)[0].tolist()
    assert "chainrule_scipy" not in Kernel(InterpreterWriter(
        Program(1, (), ("exp",), ((0,),), (1,)), None, (False,), 1, {}), None).assembly


@needs_llvmlite
def test_machine_code_calls_what_python_computes_and_gets_0_and_nan_back() -> None:
    from autograd.compiler.backends.choice import compile
    from autograd.compiler.program.program import Program

    program = Program(1, (1.0, 2.5), ("gammainc_slope",), ((1, 2, 0),), (3,))
    point = compile(program, backend="llvm")
    slope = grad(special.gammainc)
    assert [point(np.array([x]))[0][0] for x in (0.0, 1.7)] == [0.0, slope(2.5, 1.7)]
    assert np.isnan(point(np.array([-1.0]))[0][0])


@needs_llvmlite
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_call_that_is_interrupted_gives_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by Ctrl-C before the first line of what is called, which ctypes tells nobody."""
    from autograd.compiler.backends.llvm import compilation, nary_lowering
    from autograd.compiler.program.program import Program

    def interrupted(*_: float) -> float:
        raise KeyboardInterrupt

    library()["interrupted"] = Primitive("interrupted", interrupted, (), 1, called=True)
    monkeypatch.setattr(nary_lowering, "CALLED", {*nary_lowering.CALLED, "interrupted"})
    monkeypatch.setattr(compilation, "KNOWN", {*compilation.KNOWN, "interrupted"})
    try:
        for count in (1, 9):
            program = Program(1, (), ("interrupted",), ((0,),), (1,))
            found = compilation.compile(program, (True,), None)(np.empty(0), np.ones((1, count)))
            assert np.isnan(found[1][0]).all()
    finally:
        del library()["interrupted"]


def test_a_domain_is_an_error_in_compiled_code_too(backend: str) -> None:
    f = jit(lambda x: special.y0(x) + 1.0, backend=backend)
    assert f(2.0) == special.y0(2.0) + 1.0
    with pytest.raises(ValueError, match="y0 is not defined at"):
        f(-1.0)
    hidden = jit(lambda x: 1.0 / special.k0(x), backend=backend)  # where it is infinite, this is 0
    assert hidden(2.0) == 1.0 / special.k0(2.0)
    with pytest.raises(ValueError, match="k0 is not defined at"):
        hidden(0.0)


# --- SciPy's names --------------------------------------------------------------------------------

@pytest.mark.parametrize("row", BY_SCIPY, ids=lambda row: row.name)
def test_scipys_function_of_a_value_and_of_an_array_is_the_row(row: Primitive) -> None:
    for name in (row.name, *row.aliases):
        function, orders = getattr(scipy_special, name), orders_of(row)
        if name in ("kn", "yn"):
            orders = (2.0,)
        for x in (Value(0.7), ag.values([0.7, 0.3])):
            y = np.ravel(function(*orders, x))[0]
            assert (y.data, y.op) == (row(*orders, 0.7), row)
        assert function.__name__ in UFUNCS and getattr(special, name) is row


def test_scipys_lambertw_of_a_value_is_real() -> None:
    for k in (0, -1):
        y = scipy_special.lambertw(Value(-0.2), k)
        assert y.data == special.lambertw(-0.2, k)
        assert y.data == pytest.approx(scipy_special.lambertw(-0.2, k).real, rel=1e-14)
    assert [y.data for y in scipy_special.lambertw(ag.values([0.5, 1.0]))] == [
        special.lambertw(0.5), special.lambertw(1.0)]


# --- SciPy is an extra ----------------------------------------------------------------------------

def test_it_is_loaded_by_the_first_value_and_a_recording_may_be_that() -> None:
    printed = in_a_process("""
import sys
from autograd import jit, special
from autograd.core.primitive import library
before = {"scipy", "llvmlite"} & set(sys.modules)
f = jit(lambda x: special.j0(x) * special.jv(2, x))
print(before, f(1.3) == special.j0(1.3) * special.jv(2, 1.3), f(0.4) == special.j0(0.4)
      * special.jv(2, 0.4), f.n_recordings)
""")
    assert printed == "set() True True 1\n"


def test_where_it_is_missing_the_error_names_the_extra() -> None:
    printed = in_a_process("""
import sys
sys.modules["scipy"] = None
from autograd import grad, jit, special
for f in (lambda: special.j0(1.0), lambda: jit(special.k0)(1.0), lambda: grad(special.jv, 1)(2, 1)):
    try:
        f()
    except ImportError as error:
        print(error)
print(grad(special.lambertw)(0.0))
""")
    *lines, own = printed.splitlines()
    assert lines == [f'{name} is computed by SciPy, which is not installed; pip install '
                     '"chainrule[scipy]"' for name in ("j0", "k0", "jv")]
    assert own == "1.0"


def test_a_function_that_scipy_has_not_is_an_error_that_names_its_version() -> None:
    import scipy

    for call in (lambda: from_scipy.ufunc("nonesuch"), lambda: from_scipy.address("jv", 3)):
        with pytest.raises(ImportError, match=rf"SciPy {scipy.__version__} has no "):
            call()


@needs_llvmlite
def test_machine_code_from_the_disk_finds_it_in_another_process(tmp_path: Path) -> None:
    code = """
from autograd import grad, jit, special
from autograd.compiler.backends.llvm import target
made = []
make = target.machine_code
target.machine_code = lambda *arguments: made.append(1) or make(*arguments)
f = jit(grad(lambda x: special.jv(2.5, x) * special.k1(x)))
print(len(made), f(1.3))
"""
    code = code.replace("print(len(made), f(1.3))", "y = f(1.3)\nprint(len(made), y)")
    first, second = (in_a_process(code, CHAINRULE_CACHE_DIR=str(tmp_path)) for _ in range(2))
    f = grad(lambda x: special.jv(2.5, x) * special.k1(x))
    assert (first, second) == (f"1 {f(1.3)}\n", f"0 {f(1.3)}\n")


def test_c_and_javascript_refuse_it_by_name_and_have_what_is_written_here() -> None:
    f = jit(lambda x: special.j0(x))
    f(1.0)
    for write in (lambda: f.to_c("f"), lambda: f.source("javascript")):
        with pytest.raises(Unsupported, match=r"has no way to write j0, which SciPy computes; .* "
                                              r"pass it as an argument"):
            write()
    in_python = jit(grad(special.gammainc))
    in_python(1.5, 2.0)
    with pytest.raises(Unsupported, match="has no way to write gammainc_slope, which Python comp"):
        in_python.to_c("f")
    own = jit(lambda x: special.lambertw(x))
    own(1.0)
    assert "log1p" in own.to_c("w").source and "log1p" in own.source("javascript")


def test_pickles_and_copies() -> None:
    x = Value(0.7, "x")
    y = pickle.loads(pickle.dumps(special.jv(2.5, x)))
    assert y.op is special.jv and pickle.loads(pickle.dumps(special.j0)) is special.j0
