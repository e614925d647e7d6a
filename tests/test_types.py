"""What type checkers see: a user's program in mypy and pyright, and the names that come later."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
from autograd import TABLE, former_paths
from tests import typed_user

ROOT = Path(__file__).parent.parent
PROGRAM = Path(typed_user.__file__)


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: a program, and an environment in which both packages are installed."""
    folder = tmp_path_factory.mktemp("user")
    environment = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    for package in ("autograd", "nn"):
        shutil.copytree(ROOT / package, packages / package,
                        ignore=shutil.ignore_patterns("__pycache__"))
    (packages / "what_they_need.pth").write_text(str(Path(np.__file__).parent.parent))
    shutil.copy(PROGRAM, folder)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def python_of(folder: Path) -> str:
    scripts = sysconfig.get_path("scripts", vars={"base": str(folder / ".venv")})
    return str(shutil.which("python", path=scripts))


def test_the_typed_program_runs() -> None:
    typed_user.main()


def test_mypy_accepts_the_program_and_refuses_its_mistakes(user: Path) -> None:
    done = run([sys.executable, "-m", "mypy", "--strict", "--python-executable", python_of(user),
                "--cache-dir", str(ROOT / ".mypy_cache" / "typed_user"), PROGRAM.name], user)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pyright_accepts_the_program_and_refuses_its_mistakes(user: Path) -> None:
    (user / "pyrightconfig.json").write_text(json.dumps({
        "include": [PROGRAM.name], "venvPath": ".", "venv": ".venv",
        "enableTypeIgnoreComments": False,  # those are for mypy
        "reportUnnecessaryTypeIgnoreComment": "error"}))
    done = run([sys.executable, "-m", "pyright"], user)
    assert done.returncode == 0, done.stdout + done.stderr


def names_for_type_checkers(package: str) -> set[str]:
    """What the blocks ``if TYPE_CHECKING`` of a package's ``__init__`` define."""
    names: set[str] = set()
    for block in ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                if isinstance(line, ast.ImportFrom):
                    names |= {alias.asname or alias.name for alias in line.names}
                else:
                    assert isinstance(line, ast.Assign)
                    names |= {ast.unparse(target) for target in line.targets}
    return names


def test_type_checkers_know_every_name_that_is_loaded_later() -> None:
    former = {path for path in former_paths.AUTOGRAD if "." not in path}
    assert {*autograd._LATER, *autograd._MODULES, *former} <= names_for_type_checkers("autograd")
    assert {*nn._LATER, *nn._MODULES, *nn._FORMER} <= names_for_type_checkers("nn")


def test_type_checkers_know_methods_that_the_table_installs_and_no_others() -> None:
    tree = ast.parse((ROOT / "autograd" / "core" / "row_methods.py").read_text(encoding="utf-8"))
    declared = {ast.unparse(line.target): ast.unparse(line.annotation) for line in ast.walk(tree)
                if isinstance(line, ast.AnnAssign)}
    kinds = {1: "Callable[[], Value]", 2: "Operator"}
    installed = {name: kinds[row.arity] for row in TABLE.values() if row.arity in kinds
                 for name in (row.name, *row.aliases)}
    assert declared.items() <= installed.items() and len(declared) > 60


def test_nothing_that_is_for_type_checkers_is_needed_at_run_time() -> None:
    code = """
import sys
sys.modules["typing_extensions"] = None  # whoever imports it gets an ImportError
import autograd.compiler.jit, autograd.compiler.vmap, nn.training
assert "autograd.core.signatures" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
