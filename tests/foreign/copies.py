"""Copies of foreign code, in a folder outside of the repository; nothing of it is kept here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

LIMIT = 600  # seconds for one copy
INSTALLED = "site-packages"  # by this name jit knows that code is a library's, not the user's
DONE = "complete"  # the file that is written last: half a copy is made again


class MissingError(Exception):
    """A copy that cannot be had; the message says why."""


def folder() -> Path:
    """Where copies lie: CHAINRULE_FOREIGN_DIR, or a folder in ~/.cache."""
    chosen = os.environ.get("CHAINRULE_FOREIGN_DIR")
    return Path(chosen) if chosen else Path.home() / ".cache" / "chainrule-foreign"


@dataclass(frozen=True)
class Packages:
    """What pip installs from PyPI, into a folder of its own, whose name says that it is installed.

    Args:
        name: of the folder.
        requirements: all that is wanted; what they depend on is not installed.
    """

    name: str
    requirements: tuple[str, ...]

    def make(self, place: Path) -> None:
        """Install them."""
        _run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target",
             str(place / INSTALLED), *self.requirements)


@dataclass(frozen=True)
class SourceArchive:
    """The source distribution of a package that is not to be installed.

    Args:
        name: of the folder.
        requirement: name and version on PyPI.
    """

    name: str
    requirement: str

    def make(self, place: Path) -> None:
        """Download and unpack it."""
        _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:",
             "--dest", str(place), self.requirement)
        (archive,) = place.glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(place, filter="data")


@dataclass(frozen=True)
class Repository:
    """Some folders of a repository, by git.

    Args:
        name: of the folder.
        address: of the repository.
        parts: the folders that are wanted.
    """

    name: str
    address: str
    parts: tuple[str, ...]

    def make(self, place: Path) -> None:
        """Fetch them."""
        _run("git", "clone", "-q", "--depth", "1", "--filter=blob:none", "--sparse", self.address,
             str(place))
        _run("git", "-C", str(place), "sparse-checkout", "set", *self.parts)


Copy = Packages | SourceArchive | Repository


def had(copy: Copy) -> Path:
    """The folder of a copy, which is made if it is not there.

    Raises:
        MissingError: when it cannot be.
    """
    place = folder() / copy.name
    if not (place / DONE).exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        copy.make(place)
        (place / DONE).write_text(repr(copy))
    return place


def importable(copy: Copy, part: str) -> Path:
    """The folder from which the modules of a copy are imported.

    Args:
        copy: the copy.
        part: of a repository, the folder in it.
    """
    place = folder() / copy.name / part
    installed = place / INSTALLED
    return installed if isinstance(copy, Packages) and installed.is_dir() else place


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT,
                       env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise MissingError(f"{command[0]} says: {said[-1] if said else error}") from None
