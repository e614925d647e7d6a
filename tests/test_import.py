"""What ``import autograd`` brings with it, and what it must not."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import autograd
from autograd import former_paths

HEAVY = ("matplotlib", "hypothesis", "mpmath", "llvmlite", "jax", "scipy", "IPython", "tqdm")


def test_importing_is_light() -> None:
    code = f"import sys, autograd, nn; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_core_uses_only_numpy() -> None:
    code = ("import sys; before = set(sys.modules); import autograd; print(sorted({m.split('.')[0] "
            "for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(done.stdout)) <= {"autograd", "numpy", "mkl", "charset_normalizer"}


def test_every_public_name_is_there() -> None:
    for name in autograd.__all__:
        assert getattr(autograd, name) is not None, name
    assert set(autograd.__all__) <= set(dir(autograd))


@pytest.mark.parametrize("former", former_paths.AUTOGRAD)
def test_a_former_path_is_the_module_itself(former: str) -> None:
    if former in ("compiler.llvm", "compiler.descending", "compiler.looping",
                  "compiler.interpreting"):
        pytest.importorskip("llvmlite")
    now = importlib.import_module(f"autograd.{former_paths.AUTOGRAD[former]}")
    assert importlib.import_module(f"autograd.{former}") is now
    assert now.__spec__ is not None and now.__spec__.name == now.__name__


def test_former_paths_work_in_every_way_to_import() -> None:
    code = """
import autograd.primitives, nn.compiled
import autograd.value as value
from autograd.compiler.jitting import jit
from autograd.compiler.program import Program
from autograd.drawing import draw
from autograd.checking import gradcheck
from autograd import graph
assert autograd.primitives.TABLE is autograd.TABLE and value.Value is autograd.Value
assert jit is autograd.jit and draw is autograd.draw and gradcheck is autograd.gradcheck
assert graph.leaves is autograd.leaves and nn.compiled.RowLoss
assert autograd.structures.flatten([1.0, [2.0]]) == [1.0, 2.0]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_path_that_never_was_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"autograd\.nothing"):
        importlib.import_module("autograd.nothing")
