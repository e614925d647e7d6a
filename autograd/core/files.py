"""Files that are there whole or not at all, whoever else writes or plants them."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes, private: bool = False,
                lasting: bool = True) -> None:
    """Write a file in one go: readers see the old one or the new one, never a part.

    A file that is overwritten keeps its mode. A symbolic link at the path is replaced; where it
    points to, nothing is written.

    Args:
        path: where to; the folder must exist.
        content: all of it.
        private: whether the user alone may read it; else the umask says who.
        lasting: whether to wait until it is on the disk, where a crash cannot take it away.

    Raises:
        OSError: when it cannot be written; a file that was there stays as it was.
    """
    target = Path(path)
    mode = 0o600 if private else _mode_of(target)
    # In the same folder, for a rename is atomic inside of one file system only; by a name that
    # nobody can guess, and so nobody can plant.
    unfinished = target.with_name(f".{os.urandom(16).hex()}.part")
    try:
        with open(unfinished, "xb", opener=lambda name, flags: os.open(
                name, flags, 0o600 if private else 0o666)) as file:
            if mode is not None:
                os.chmod(unfinished, mode)
            file.write(content)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.replace(unfinished, target)
    except BaseException as error:  # Ctrl-C too
        with contextlib.suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError):
            error.filename = str(target)  # the other name would tell nobody anything
        raise


def _mode_of(target: Path) -> int | None:
    """The mode of the file that is to be overwritten; None where there is none."""
    try:
        status = target.lstat()
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{target} is no file, and is left as it is; choose another name")
    return stat.S_IMODE(status.st_mode)


def read_regular(path: str | os.PathLike[str],
                 through_links: bool = False) -> tuple[bytes, os.stat_result]:
    """What a file holds, and its owner and mode; no end of a pipe is awaited.

    Args:
        path: of the file.
        through_links: whether a symbolic link may stand for it.

    Raises:
        OSError: for whatever is no file, or cannot be read.
    """
    cautious = getattr(os, "O_NONBLOCK", 0)
    if not through_links:
        cautious |= getattr(os, "O_NOFOLLOW", 0)
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | cautious)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no file")
        return file.read(), status
