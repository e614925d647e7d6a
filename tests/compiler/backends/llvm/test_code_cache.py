"""Machine code on disk: kept by content, and never executed unless it carries the user's seal."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd.compiler.backends.llvm import code_cache as cache
from autograd.compiler.program.program import Program

CODE = bytes(range(256)) * 4
NAME = cache.name_of("some assembly", "some processor")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path / "codes"))
    return tmp_path / "codes"


def test_what_is_stored_is_loaded_again(folder: Path) -> None:
    assert cache.load(NAME) is None
    assert cache.store(NAME, CODE)
    assert cache.load(NAME) == CODE
    assert sorted(path.name for path in folder.iterdir()) == sorted([f"{NAME}.code", "key"])


def test_names_tell_all_parts_apart() -> None:
    names = {cache.name_of(*parts) for parts in (("a", "b"), ("ab", ""), ("a", "b", ""), ("ab",))}
    assert len(names) == 4


@pytest.mark.parametrize("position", [0, 31, 32, 500, -1])
def test_one_flipped_bit_is_noticed(folder: Path, position: int) -> None:
    cache.store(NAME, CODE)
    content = bytearray((folder / f"{NAME}.code").read_bytes())
    content[position] ^= 1
    (folder / f"{NAME}.code").write_bytes(content)
    assert cache.load(NAME) is None
    cache.store(NAME, CODE)
    assert cache.load(NAME) == CODE


@pytest.mark.parametrize("size", [0, 10, 32, 33, 900])
def test_a_truncated_file_is_ignored(folder: Path, size: int) -> None:
    cache.store(NAME, CODE)
    path = folder / f"{NAME}.code"
    path.write_bytes(path.read_bytes()[:size])
    assert cache.load(NAME) is None


def test_code_under_another_name_is_ignored(folder: Path) -> None:
    cache.store(NAME, CODE)
    other = cache.name_of("other assembly")
    os.replace(folder / f"{NAME}.code", folder / f"{other}.code")
    assert cache.load(other) is None


def test_code_sealed_with_another_key_is_ignored(folder: Path) -> None:
    cache.store(NAME, CODE)
    (folder / "key").write_bytes(b"x" * 32)
    assert cache.load(NAME) is None


@pytest.mark.skipif(os.name != "posix", reason="the modes of files are those of POSIX")
def test_the_key_is_private_and_a_public_one_is_not_trusted(folder: Path) -> None:
    cache.store(NAME, CODE)
    key = folder / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o644)
    assert cache.load(NAME) is None
    assert cache.store(NAME, CODE) is False


def test_a_folder_that_cannot_be_written_is_no_error(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path / "file" / "codes"))
    assert cache.store(NAME, CODE) is False
    assert cache.load(NAME) is None


def square_plus_one() -> Program:
    return Program(1, (1.0,), ("mul", "add"), ((0, 0), (2, 1)), (3,))


def test_a_program_is_compiled_once_and_then_loaded(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llvm = pytest.importorskip("autograd.compiler.backends.llvm.compilation")
    target = pytest.importorskip("autograd.compiler.backends.llvm.target")
    compiled: list[str] = []
    original = target.machine_code

    def counting(assembly: str, *options: Any) -> bytes:
        compiled.append(assembly)
        code: bytes = original(assembly, *options)
        return code

    monkeypatch.setattr(target, "machine_code", counting)
    for _ in range(2):
        assert llvm.compile(square_plus_one())(np.array([3.0]))[0].tolist() == [10.0]
    assert len(compiled) == 1


def test_damaged_machine_code_is_not_executed_but_made_again(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llvm = pytest.importorskip("autograd.compiler.backends.llvm.compilation")
    llvm.compile(square_plus_one())
    [path] = folder.glob("*.code")
    good = path.read_bytes()
    path.write_bytes(good[:40] + b"\x00" * (len(good) - 40))
    assert llvm.compile(square_plus_one())(np.array([3.0]))[0].tolist() == [10.0]
    assert path.read_bytes()[cache.SEAL:] == good[cache.SEAL:]
