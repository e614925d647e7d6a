"""Pickles and deep copies of compiled functions, and other processes that are given them."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd import grad, hessian, jacobian, jit, value_and_grad, vmap
from autograd.compiler.backends import compile
from autograd.compiler.compiled import Compiled
from autograd.compiler.program.program import Guard, Program

from . import pickled

POINT = [0.5, -1.25, 3.0]
ROWS = [0.0, 1.0, 2.0]

# What is made, with the arguments of a call.
CASES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "decorated": (lambda: pickled.cubed, (1.5,)),
    "with options": (lambda: pickled.power, (1.5, 3)),
    "of a function": (lambda: pickled.fast_bowl, (POINT,)),
    "of a derivative": (lambda: pickled.slope_of_bowl, (POINT,)),
    "of a second derivative": (lambda: pickled.curvature_of_bowl, (POINT,)),
    "of a derivative of a derivative": (lambda: jit(grad(grad(pickled.cubed.function))), (1.5,)),
    "the derivative of a decorated one": (lambda: grad(pickled.cubed), (1.5,)),
    "the second derivative": (lambda: grad(grad(pickled.cubed)), (1.5,)),
    "the derivative": (lambda: value_and_grad(pickled.fast_bowl), (POINT,)),
    "the Jacobian": (lambda: jacobian(pickled.fast_bowl), (POINT,)),
    "the Hessian": (lambda: hessian(pickled.fast_bowl), (POINT,)),
    "of a partial": (lambda: jit(partial(pickled.shifted, 2.0)), (0.5,)),
    "rows, decorated": (lambda: pickled.rowwise, ([-1.0, 0.5, 2.0],)),
    "rows": (lambda: pickled.by_rows, ([2.0, 1.0], ROWS)),
    "rows of a derivative": (lambda: pickled.slope_by_rows, ([2.0, 1.0], ROWS)),
    "rows of a compiled one": (lambda: pickled.rows_of_compiled, (ROWS,)),
    "the derivative of rows": (lambda: grad(pickled.by_rows), ([2.0, 1.0], ROWS)),
    "a method": (lambda: pickled.Spring(3.0).energy, (1.5,)),
    "the derivative of a method": (lambda: grad(pickled.Spring(3.0).energy), (1.5,)),
    "of a bound method": (lambda: pickled.Spring(3.0).force_now, (1.5,)),
    "for scipy": (lambda: pickled.fast_bowl.scipy().fun_and_jac, (POINT,)),
}


def bits(result: Any) -> Any:
    """A result, to be compared with another one bit by bit."""
    if isinstance(result, np.ndarray):
        return result.shape, result.tobytes()
    return [bits(item) for item in result] if isinstance(result, list | tuple) else result.hex()


def pickled_copy(item: Any) -> Any:
    return pickle.loads(pickle.dumps(item))


@pytest.mark.parametrize("copied", [pickled_copy, copy.deepcopy])
@pytest.mark.parametrize("name", CASES)
def test_copies_compute_the_same_before_and_after_calls(name: str, copied: Any) -> None:
    make, arguments = CASES[name]
    compiled = make()
    early = copied(compiled)
    expected = compiled(*arguments)
    late = copied(compiled)
    assert type(early) is type(late) is type(compiled)
    assert bits(early(*arguments)) == bits(expected)
    assert bits(late(*arguments)) == bits(expected)
    assert bits(copied(late)(*arguments)) == bits(expected)


@pytest.mark.parametrize("name", CASES)
def test_a_shallow_copy_is_the_function_itself(name: str) -> None:
    make, arguments = CASES[name]
    compiled = make()
    if not isinstance(compiled, Compiled):  # a method of an Objective, which Python itself copies
        assert bits(copy.copy(compiled)(*arguments)) == bits(compiled(*arguments))
    else:
        assert copy.copy(compiled) is compiled


@pytest.mark.parametrize("copied", [pickled_copy, copy.deepcopy])
def test_what_has_a_name_comes_back_as_the_same_object(copied: Any) -> None:
    for compiled in (pickled.cubed, pickled.power, pickled.rowwise, grad(pickled.cubed),
                     grad(grad(pickled.cubed)), value_and_grad(pickled.rowwise),
                     pickled.Spring.energy):
        assert copied(compiled) is compiled


@pytest.mark.parametrize("copied", [pickled_copy, copy.deepcopy])
def test_what_has_none_keeps_its_options_and_no_recordings(copied: Any) -> None:
    for compiled in (jit(pickled.shifted, backend="python", static_argnums=0, max_recordings=3),
                     vmap(pickled.shifted, (None, 0), backend="numpy", max_recordings=3)):
        compiled(2.0, np.array(ROWS))
        fresh = copied(compiled)
        assert fresh is not compiled
        assert fresh.function is pickled.shifted
        assert (fresh.n_recordings, compiled.n_recordings) == (0, 1)
        for name in ("backend", "static", "max_recordings", "__name__", "__doc__"):
            assert getattr(fresh, name) == getattr(compiled, name)
    assert copied(vmap(pickled.shifted, (None, 0))).in_axes == (None, 0)
    assert copied(grad(vmap(pickled.shifted, (None, 0)))).sums is True


def test_the_pickle_does_not_grow_by_recordings() -> None:
    compiled = jit(pickled.bowl)
    before = pickle.dumps(compiled)
    for n in range(1, 5):
        compiled([0.5] * n)
    assert compiled.n_recordings == 4
    assert pickle.dumps(compiled) == before
    assert len(before) < 300


@pytest.mark.parametrize("copied", [pickled_copy, copy.deepcopy])
def test_an_object_and_what_it_has_compiled_are_copied_together(copied: Any) -> None:
    spring = pickled.Spring(3.0)
    assert spring.energy(2.0) == 6.0
    assert spring.force_now(2.0) == -6.0
    other, energy = copied((spring, spring.energy))
    assert other is not spring
    assert energy is other.energy
    other.stiffness = 5.0
    assert (other.energy(2.0), other.force_now(2.0)) == (10.0, -10.0)
    assert (spring.energy(2.0), spring.force_now(2.0)) == (6.0, -6.0)


def test_what_wraps_a_derivative_is_not_taken_for_it() -> None:
    slope = grad(pickled.bowl)

    @wraps(slope)
    def twice(x: Any) -> Any:
        return [2.0 * s for s in slope(x)]

    assert copy.deepcopy(jit(twice))(POINT) == jit(twice)(POINT) != slope(POINT)
    with pytest.raises(pickle.PicklingError):  # bowl has the name
        pickle.dumps(jit(twice))


def test_a_local_function_is_copied_but_not_pickled() -> None:
    compiled = jit(lambda x: x * 2.0)
    assert copy.deepcopy(compiled)(3.0) == compiled(3.0) == 6.0
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pickle.dumps(compiled)


def test_kernels_say_what_to_pickle_instead(backend: str) -> None:
    program = Program(1, (1.0,), ("add",), ((0, 1),), (2,), (Guard("<", 0, 1, True),))
    kernel = compile(program, backend=backend)
    assert pickled_copy(program) == copy.deepcopy(program) == program
    if backend == "numpy":
        assert pickled_copy(kernel).point([0.5]).tolist() == [1.5]
        return
    for copied in (pickled_copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickle or copy the compiled function or the Program"):
            copied(kernel)


def test_parts_of_a_training_are_pickled() -> None:
    model = nn.MLP(2, [3, 1], seed=1)
    history = nn.fit(model, [[1.0, 2.0], [3.0, 4.0]], [1.0, -1.0], epochs=3, progress=False,
                     loss="hinge")
    assert pickled_copy(history) == copy.deepcopy(history) == history
    for loss in nn.LOSSES.values():
        assert pickled_copy(loss) is copy.deepcopy(loss) is loss
    own = nn.Loss("hinge", pickled.shifted, pickled.line)
    assert pickled_copy(own).row is pickled.shifted
    optimizer = nn.Adam(model.parameters(), nn.schedules.cosine(0.1, 10))
    assert repr(pickled_copy(optimizer)) == repr(optimizer)


# --- other processes ------------------------------------------------------------------------------

METHODS = [method for method in ("fork", "spawn") if
           method in multiprocessing.get_all_start_methods()]


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_of_processes_maps_compiled_functions(method: str) -> None:
    spring = pickled.Spring(3.0)
    compiled = [pickled.cubed, grad(pickled.cubed), spring.energy, spring.force_now,
                jit(pickled.bowl), pickled.slope_of_bowl, pickled.fast_bowl.scipy().jac]
    points: list[list[Any]] = [[0.5, 1.5, -2.0]] * 4 + [[[0.5, 1.5], [2.0, -1.0]]] * 3
    expected = [[function(x) for x in xs] for function, xs in zip(compiled, points, strict=True)]
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        found = [list(pool.map(function, xs, timeout=120)) for function, xs in
                 zip(compiled, points, strict=True)]
        rows = pool.submit(pickled.by_rows, [2.0, 1.0], ROWS).result(timeout=120)
    assert bits(found) == bits(expected)
    assert rows.tolist() == [1.0, 3.0, 5.0]


_SCRIPT = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from autograd import grad, jit

@jit
def f(x):
    return x ** 3 if x > 0 else -x

if __name__ == "__main__":
    f(1.0)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        print(list(pool.map(f, [2.0, -3.0])), list(pool.map(grad(f), [2.0, -3.0])))
"""


def test_a_script_gives_its_own_functions_to_processes(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(_SCRIPT)
    done = subprocess.run([sys.executable, str(tmp_path / "script.py")], text=True, timeout=120,
                          capture_output=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    assert (done.stdout, done.stderr) == ("[8.0, 3.0] [12.0, -1.0]\n", "")
