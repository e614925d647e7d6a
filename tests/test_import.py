"""What ``import autograd`` brings with it, and what it must not."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from types import ModuleType

import pytest

import autograd
import nn
from autograd import former_paths

# Dependencies, what the extras and the tests install, and large parts of the standard library.
HEAVY = {"IPython", "asyncio", "concurrent", "email", "graphviz", "http", "hypothesis",
         "importlib.metadata", "importlib.resources", "jax", "llvmlite", "logging", "matplotlib",
         "mpmath", "multiprocessing", "scipy", "sklearn", "socket", "subprocess", "tempfile",
         "tqdm", "typing_extensions", "unittest"}

# The parts of the packages that a first use loads.
LATER = {"autograd.checking", "autograd.compiler", "autograd.descent", "autograd.drawing",
         "autograd.explaining", "autograd.extend", "autograd.pages", "autograd.parsing",
         "autograd.plotting", "autograd.special", "autograd.strategies", "nn.compiled_training",
         "nn.drawing", "nn.estimators", "nn.training"}

MOST_MODULES = 75  # after NumPy; 67 are loaded today with nn, where NumPy is a new one


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads after NumPy and what that loads."""
    code = (f"import sys, numpy; before = set(sys.modules); {statement}; "
            "print(*set(sys.modules) - before)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import autograd", "import autograd, nn"])
def test_importing_is_light(statement: str) -> None:
    loaded = loaded_by(statement)
    assert not loaded & (HEAVY | LATER)
    assert len(loaded) <= MOST_MODULES


def test_that_test_sees_what_is_loaded() -> None:
    first_uses = loaded_by("import nn; nn.fit, nn.draw")
    assert first_uses >= {"graphviz", "nn.training", "nn.drawing", "autograd.compiler"}


def test_only_numpy_is_used_from_outside() -> None:
    roots = {name.partition(".")[0] for name in loaded_by("import autograd, nn")}
    assert roots - set(sys.stdlib_module_names) - {"numpy"} == {"autograd", "nn"}  # parts of NumPy


def test_the_versions_are_one() -> None:
    assert nn.__version__ == autograd.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", autograd.__version__)


@pytest.mark.parametrize("package", [autograd, nn])
def test_a_name_that_never_was_is_an_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        package.nothing_like_it  # noqa: B018


@pytest.mark.parametrize("package", [autograd, nn])
def test_every_public_name_is_there(package: ModuleType) -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None, name
    assert set(package.__all__) <= set(dir(package))


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
