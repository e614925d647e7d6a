"""What is built and installed: the wheel, the source distribution, and no mixture with another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).parent.parent
NAME = f"chainrule-{autograd.__version__}"
FOLDERS = ("autograd", "nn", "tests", "notebooks")
FILES = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in")


def run(*command: str | Path, folder: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with nothing but the folders of ``path`` before what is installed."""
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment,
                          capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution of a copy of the project."""
    folder = tmp_path_factory.mktemp("built")
    copy = folder / "copy"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    done = run("-m", "build", "--no-isolation", "--outdir", folder, copy, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "deprecat" not in (done.stdout + done.stderr).lower()
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return built / f"{NAME}-py3-none-any.whl"


@pytest.fixture(scope="module")
def unpacked(built: Path) -> Path:
    with tarfile.open(built / f"{NAME}.tar.gz") as archive:
        archive.extractall(built)
    return built / NAME


def files_of(root: Path, *folders: str) -> set[str]:
    """What belongs to the project in some of its folders, as paths below the root."""
    return {path.relative_to(root).as_posix() for folder in folders
            for path in (root / folder).rglob("*")
            if path.is_file() and path.suffix != ".pyc"
            and not {".ipynb_checkpoints", ".hypothesis"} & set(path.parts)}


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert inside == files_of(ROOT, "autograd", "nn")
    assert {"autograd/py.typed", "nn/py.typed", "autograd/pages/frame.css",
            "autograd/pages/frame.js"} <= inside


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata: Message = message_from_bytes(archive.read(f"{NAME}.dist-info/METADATA"))
        licence = archive.read(f"{NAME}.dist-info/licenses/LICENSE")
    assert metadata["Name"] == "chainrule"
    assert metadata["Version"] == autograd.__version__
    assert metadata["License-Expression"] == "MIT"
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "all", "benchmarks", "check", "fast", "jax", "notebooks", "plot", "scipy", "sklearn",
        "test"}


def test_the_wheel_can_be_imported_as_it_is(wheel: Path, tmp_path: Path) -> None:
    done = run("-c", "import autograd, nn; print(autograd.__file__, nn.MLP(1, [1]))",
               folder=tmp_path, path=str(wheel))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(wheel))


def test_the_source_distribution_holds_what_its_tests_need(unpacked: Path) -> None:
    assert files_of(unpacked, *FOLDERS) == files_of(ROOT, *FOLDERS)
    for name in FILES:
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes()


def test_tests_run_from_the_source_distribution(unpacked: Path) -> None:
    done = run("-m", "pytest", "-p", "no:cacheprovider", "tests/test_readme.py", folder=unpacked)
    assert done.returncode == 0, done.stdout + done.stderr


# --- beside the other distribution that is imported as autograd ----------------------------------

THEIRS: Mapping[str, str] = {
    "autograd/__init__.py": "from autograd.core import primitive\nfrom .builtins import dict\n",
    "autograd/builtins.py": "from .core import primitive\ndict = dict\n",
    "autograd/core.py": "primitive = None\n",
    "autograd-1.9.1.dist-info/METADATA": "Name: autograd\nVersion: 1.9.1\n",
}


def install_theirs(site: Path) -> None:
    for name, text in THEIRS.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)


def install_ours(site: Path) -> None:
    for package in ("autograd", "nn"):
        shutil.copytree(ROOT / package, site / package, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("__pycache__"))


def the_one_error(statement: str, folder: Path, *path: Path) -> str:
    """What an import that must fail says in the end; no other packages can be found (-S)."""
    done = run("-S", "-c", statement, folder=folder, path=os.pathsep.join(map(str, path)))
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: ")
    return last


@pytest.mark.parametrize("is_ours_last", [True, False])
@pytest.mark.parametrize("statement", ["import autograd", "import nn", "import autograd.builtins",
                                       "from autograd.core.value import Value", "import nn.layers"])
def test_a_mixture_with_the_other_autograd_is_refused(
        tmp_path: Path, is_ours_last: bool, statement: str) -> None:
    order = (install_theirs, install_ours) if is_ours_last else (install_ours, install_theirs)
    for install in order:
        install(tmp_path / "site")
    error = the_one_error(statement, tmp_path, tmp_path / "site")
    assert "chainrule, and autograd 1.9.1" in error
    assert "pip uninstall autograd chainrule" in error


def test_nn_says_that_the_other_autograd_is_found_first(tmp_path: Path) -> None:
    install_theirs(tmp_path / "site")
    install_ours(tmp_path / "editable")
    error = the_one_error("import nn", tmp_path, tmp_path / "site", tmp_path / "editable")
    assert str(tmp_path / "site" / "autograd") in error
    assert "chainrule" in error and "pip uninstall autograd" in error


def test_what_is_left_after_the_other_one_was_uninstalled_is_refused(tmp_path: Path) -> None:
    install_ours(tmp_path / "site")
    (tmp_path / "site" / "autograd" / "__init__.py").unlink()
    for statement in ("import nn", "import autograd.core.value"):
        assert "--force-reinstall" in the_one_error(statement, tmp_path, tmp_path / "site")


def test_a_distribution_with_a_longer_name_is_no_other_autograd(tmp_path: Path) -> None:
    install_ours(tmp_path / "site")
    (tmp_path / "site" / "autograd_gamma-0.5.0.dist-info").mkdir()
    done = run("-c", "import nn; print(nn.__file__)", folder=tmp_path, path=str(tmp_path / "site"))
    assert done.stdout.startswith(str(tmp_path / "site")), done.stderr
