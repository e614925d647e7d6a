"""Machine code on disk: kept by content, and never executed unless it carries the user's seal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd.compiler.backends.llvm import code_cache as cache
from autograd.compiler.program.program import Program

needs_posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are of POSIX")

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


@needs_posix
def test_the_key_is_private_and_a_public_one_is_not_trusted(folder: Path) -> None:
    cache.store(NAME, CODE)
    key = folder / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    known = key.read_bytes()
    key.chmod(0o644)
    assert cache.load(NAME) is None
    assert cache.store(NAME, CODE)
    assert key.read_bytes() != known
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _long(path: Path) -> None:
    path.write_bytes(b"x" * 33)
    path.chmod(0o600)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _link_to_a_known_key(path: Path) -> None:
    path.unlink()
    (path.parent / "known").write_bytes(b"k" * 32)
    (path.parent / "known").chmod(0o600)
    path.symlink_to(path.parent / "known")


def _link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nothing")


def in_time(call: Any) -> Any:
    """What a call returns that may wait for ever where it is wrong."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
    thread.start()
    thread.join(60.0)
    assert not thread.is_alive()
    return results[0]


@needs_posix
@pytest.mark.parametrize("damage", [_empty, _long, _pipe, _link_to_a_known_key, _link_to_nothing,
                                    Path.unlink])
def test_a_key_that_is_none_is_made_anew(damage: Any, folder: Path) -> None:
    cache.store(NAME, CODE)
    damage(folder / "key")
    assert in_time(lambda: cache.load(NAME)) is None
    assert in_time(lambda: cache.store(NAME, CODE))
    assert cache.load(NAME) == CODE
    assert stat.S_ISREG((folder / "key").lstat().st_mode)
    assert not (folder / "nothing").exists()
    if damage is _link_to_a_known_key:
        assert (folder / "known").read_bytes() == b"k" * 32


@needs_posix
@pytest.mark.parametrize("damage", [_pipe, _link_to_nothing])
def test_what_lies_in_the_place_of_a_file_is_written_over(damage: Any, folder: Path) -> None:
    cache.store(NAME, CODE)
    damage(folder / f"{NAME}.code")
    assert in_time(lambda: cache.load(NAME)) is None
    assert in_time(lambda: cache.store(NAME, CODE))
    assert cache.load(NAME) == CODE
    assert not (folder / "nothing").exists()


@needs_posix
def test_a_link_to_good_code_is_not_followed(folder: Path) -> None:
    cache.store(NAME, CODE)
    os.replace(folder / f"{NAME}.code", folder / "moved")
    (folder / f"{NAME}.code").symlink_to(folder / "moved")
    assert cache.load(NAME) is None


@pytest.mark.parametrize("name", ["key", f"{NAME}.code"])
def test_a_folder_in_the_place_of_a_file_is_no_error(name: str, folder: Path) -> None:
    (folder / name).mkdir(parents=True)
    assert cache.store(NAME, CODE) is False
    assert cache.load(NAME) is None


def test_a_home_may_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", "~/codes")
    monkeypatch.chdir(tmp_path)
    assert cache.folder() == tmp_path / "codes"
    assert cache.store(NAME, CODE)
    assert (tmp_path / "codes" / "key").exists()
    assert not (tmp_path / "~").exists()


@needs_posix
def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(_: object) -> Any:
        raise KeyError

    for name in ("HOME", "XDG_CACHE_HOME", "CHAINRULE_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert cache.folder() is None
    assert cache.load(NAME) is None
    assert cache.store(NAME, CODE) is False


# --- how much is kept ----------------------------------------------------------------------------

LARGE = bytes(20_000)


def names(count: int) -> list[str]:
    return [cache.name_of("program", str(i)) for i in range(count)]


def kept(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.code")}


def used(path: Path, seconds_ago: float) -> None:
    os.utime(path, (time.time() - seconds_ago,) * 2)


def test_what_was_not_used_for_longest_goes_first(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "0.085")  # four of them
    a, b, c, d, e = names(5)
    for seconds_ago, name in ((400.0, a), (300.0, b), (200.0, c), (100.0, d)):
        assert cache.store(name, LARGE)
        used(folder / f"{name}.code", seconds_ago)
    assert kept(folder) == {a, b, c, d}
    assert cache.load(a) == LARGE  # and so it is the latest used
    assert cache.store(e, LARGE)
    assert kept(folder) == {a, c, d, e}
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "0.045")
    assert cache.store(b, LARGE)
    assert kept(folder) == {b, e}
    assert cache.load(b) == LARGE


def test_only_files_of_the_cache_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "0.03")
    folder.mkdir()
    foreign = ["thesis.tex", "my.code", f"{'0' * 63}.code", ".bashrc", "key.part"]
    for name in foreign:
        (folder / name).write_bytes(bytes(50_000))
        used(folder / name, 1e6)
    for name in names(3):
        assert cache.store(name, LARGE)
    assert {path.name for path in folder.iterdir()} == {*foreign, "key", f"{names(3)[-1]}.code"}


def test_what_nobody_finishes_any_more_goes(folder: Path) -> None:
    folder.mkdir()
    old, new = (folder / f".{digit * 32}.part" for digit in "01")
    for path in (old, new):
        path.write_bytes(b"part")
    used(old, 7200.0)
    assert cache.store(NAME, CODE)
    assert not old.exists()
    assert new.exists()


def test_code_larger_than_all_there_may_be_displaces_nothing(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "0.01")
    assert cache.store(NAME, CODE)
    assert cache.store(names(1)[0], LARGE) is False
    assert kept(folder) == {NAME}
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "0")
    assert cache.store(NAME, CODE) is False
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "inf")
    assert cache.store(names(1)[0], LARGE)


@pytest.mark.parametrize("text", ["many", "-1", "nan", "1 GB"])
def test_a_limit_that_is_no_number_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", text)
    with pytest.raises(ValueError, match="CHAINRULE_CACHE_MEGABYTES="):
        cache.store(NAME, CODE)


_WORK = """
import sys
from autograd.compiler.backends.llvm import code_cache as cache
names = [cache.name_of("program", str(i)) for i in range(12)]
contents = {name: name.encode() * 300 for name in names}
wrong = 0
for round in range(25):
    for name in names[int(sys.argv[1]):] + names[:int(sys.argv[1])]:
        found = cache.load(name)
        if found is None:
            assert cache.store(name, contents[name])
        elif found != contents[name]:
            wrong += 1
print(wrong)
"""


def test_processes_that_share_a_small_cache_read_nothing_wrong(
        folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_CACHE_MEGABYTES", "0.1")  # five of twelve
    workers = [subprocess.Popen([sys.executable, "-c", _WORK, str(4 * i)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE) for i in range(3)]
    for worker in workers:
        out, err = worker.communicate(timeout=300)
        assert (out, err) == ("0\n", "")
    assert cache.store(NAME, CODE)
    assert sum(path.stat().st_size for path in folder.glob("*.code")) <= 100_000
    assert not list(folder.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_no_error(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CHAINRULE_CACHE_DIR", str(tmp_path / "file" / "codes"))
    assert cache.store(NAME, CODE) is False
    assert cache.load(NAME) is None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may read anything")
def test_a_folder_that_cannot_be_read_is_no_error(folder: Path) -> None:
    cache.store(NAME, CODE)
    folder.chmod(0o000)
    try:
        assert cache.load(NAME) is None
        assert cache.store(NAME, CODE) is False
    finally:
        folder.chmod(0o700)


# --- with LLVM -----------------------------------------------------------------------------------

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


def test_other_processes_number_the_interpreters_instructions_alike() -> None:
    """Else the code that one of them has kept would serve no other."""
    pytest.importorskip("llvmlite")
    script = ("from autograd.compiler.backends.llvm.interpreter import instructions\n"
              "print(instructions())")
    first, second = (subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                                    check=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
                     for seed in ("1", "2"))
    assert "exp" in first and first == second
