"""Files that are there whole or not at all: savers at the same time, planted links, errors."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autograd.core.files import read_regular, write_whole

needs_posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes are those of POSIX")


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_whoever_reads_finds_the_whole_content_of_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([i]) * 300_000 for i in range(4)]
    write_whole(path, contents[0])
    done = threading.Event()
    found: set[bytes] = set()
    failures: list[BaseException] = []

    def write(content: bytes) -> None:
        try:
            for _ in range(25):
                write_whole(path, content, lasting=False)
        except OSError as error:
            failures.append(error)

    def read() -> None:
        while not done.is_set():
            found.add(path.read_bytes())

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert failures == []
    assert found
    assert found <= set(contents)
    assert os.listdir(tmp_path) == ["file"]


@needs_posix
def test_a_new_file_has_the_mode_of_the_umask_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    with umask(0o027):
        write_whole(tmp_path / "new", b"1")
        write_whole(tmp_path / "private", b"1", private=True)
        (tmp_path / "old").write_bytes(b"0")
        (tmp_path / "old").chmod(0o604)
        write_whole(tmp_path / "old", b"1")
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "new": 0o640, "private": 0o600, "old": 0o604}


@needs_posix
def test_a_planted_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    (tmp_path / "file").symlink_to(precious)
    write_whole(tmp_path / "file", b"new")
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"


@needs_posix
def test_names_of_unfinished_files_cannot_be_foreseen(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    replace = os.replace

    def noting(source: Path, target: Path) -> None:
        names.append(Path(source).name)
        assert stat.S_ISREG(os.lstat(source).st_mode)
        replace(source, target)

    monkeypatch.setattr(os, "replace", noting)
    for _ in range(50):
        write_whole(tmp_path / "file", b"new", lasting=False)
    assert len(set(names)) == 50
    assert not any(str(os.getpid()) == name.split(".")[1] for name in names)


@needs_posix
def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match=f"{name} is no file"):
            write_whole(tmp_path / name, b"new")
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


def test_an_error_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_whole(tmp_path / "no" / "file", b"new")
    assert caught.value.filename == str(tmp_path / "no" / "file")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("place", ["fsync", "replace", "chmod"])
def test_nothing_is_left_behind_whatever_goes_wrong(
        place: str, error: type[BaseException], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(os, place, fails)
    with pytest.raises(error):
        write_whole(path, b"new")
    assert os.listdir(tmp_path) == ["file"]
    assert path.read_bytes() == b"old"


@needs_posix
def test_reading_waits_for_no_pipe_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    content, status = read_regular(tmp_path / "file")
    assert (content, status.st_size) == (b"content", 7)
    for name in ("pipe", "link", "missing", "."):
        with pytest.raises(OSError):
            read_regular(tmp_path / name)
