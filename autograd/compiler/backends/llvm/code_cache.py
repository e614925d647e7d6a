"""Machine code kept on disk, by the hash of what it was made from.

Code from a file is executed, so a file is trusted only if it carries a seal (an HMAC-SHA256) made
with a key that only the user can read. Whatever else lies in the folder, damaged, foreign, or put
there by somebody else, is ignored and written again. What was not used for longest goes first when
the folder grows beyond CHAINRULE_CACHE_MEGABYTES. Other processes may do all this at the same time.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import stat
import sys
import time
from pathlib import Path

from autograd.core.files import read_regular, write_whole

VERSION = b"chainrule machine code 1"
SEAL = hashlib.sha256().digest_size
MEGABYTES = 100.0  # of all files together, where CHAINRULE_CACHE_MEGABYTES does not say
_OURS = re.compile(r"[0-9a-f]{64}\.code|\.[0-9a-f]{32}\.part")  # the last one is not finished
_ABANDONED = 3600.0  # seconds after which nobody finishes it any more
LOOKS = 50  # files that a process writes without looking at those of others
_seen: dict[Path, tuple[float, int]] = {}  # the size of all, and how many files until the next look


def folder() -> Path | None:
    """Where the files lie: CHAINRULE_CACHE_DIR, or the platform's place for caches.

    Returns:
        The folder, which may not exist yet; None for a user without a home.
    """
    try:
        if chosen := os.environ.get("CHAINRULE_CACHE_DIR"):
            return Path(chosen).expanduser()
        return _platform_folder().expanduser() / "chainrule"
    except RuntimeError:
        return None


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or "~/AppData/Local")
    if sys.platform == "darwin":
        return Path("~/Library/Caches")
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")


def limit() -> float:
    """The bytes that all files together may take.

    Raises:
        ValueError: when CHAINRULE_CACHE_MEGABYTES is no number.
    """
    text = os.environ.get("CHAINRULE_CACHE_MEGABYTES") or str(MEGABYTES)
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = -1.0
    if not megabytes >= 0.0:
        raise ValueError(f"CHAINRULE_CACHE_MEGABYTES={text!r} must be a number of megabytes; 0 "
                         "keeps no machine code, inf all of it")
    return megabytes * 1e6


def name_of(*parts: str) -> str:
    """The name for code made from these texts: a hash of all of them."""
    digest = hashlib.sha256(VERSION)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """The code of that name, or None where there is none that carries the user's seal."""
    if (place := folder()) is None or (key := _key(place)) is None:
        return None
    path = place / f"{name}.code"
    try:
        content, _ = read_regular(path)
    except OSError:
        return None  # no cache is no error: the code is made again
    seal, code = content[:SEAL], content[SEAL:]
    if not code or not hmac.compare_digest(seal, _seal(key, name, code)):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # used just now
    return code


def store(name: str, code: bytes) -> bool:
    """Keep code under a name; False where it is too large or the folder cannot be written.

    Raises:
        ValueError: when CHAINRULE_CACHE_MEGABYTES is no number.
    """
    most = limit()
    if (place := folder()) is None or SEAL + len(code) > most:
        return False
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _key(place) or _new_key(place)
        if key is None:
            return False
        write_whole(place / f"{name}.code", _seal(key, name, code) + code, private=True,
                    lasting=False)  # a file that a crash has damaged bears no seal
        _keep_room(place, SEAL + len(code), most)
    except OSError:
        return False  # a read-only home directory must not stop a computation
    return True


def _seal(key: bytes, name: str, code: bytes) -> bytes:
    return hmac.digest(key, VERSION + name.encode() + code, "sha256")


def _key(place: Path) -> bytes | None:
    """The user's key; None where there is none, or others could have read or written it."""
    try:
        key, status = read_regular(place / "key")
    except OSError:
        return None
    if os.name == "posix" and (status.st_uid != os.getuid()
                               or stat.S_IMODE(status.st_mode) & 0o077):
        return None
    return key if len(key) == 32 else None


def _new_key(place: Path) -> bytes | None:
    """Make the key, in place of whatever cannot be one.

    Of two processes that do so at once the last one's stays; the other makes its code again.
    """
    write_whole(place / "key", secrets.token_bytes(32), private=True)
    return _key(place)


def _keep_room(place: Path, size: int, most: float) -> None:
    """Make room where a new file of that size may need it, as far as this process knows.

    A look at all files takes longer than writing one, so others' are counted at times only.
    """
    total, until = _seen.get(place, (most, 0))
    if until and total + size <= most:
        _seen[place] = total + size, until - 1
    else:
        _seen[place] = _make_room(place, most), LOOKS


def _make_room(place: Path, most: float) -> float:
    """Remove what was not used for longest until the rest is no larger than ``most`` bytes.

    Returns:
        The size of the rest.
    """
    found = []
    with os.scandir(place) as entries:
        for entry in entries:
            if _OURS.fullmatch(entry.name):  # the user may have chosen a folder with other things
                with contextlib.suppress(OSError):  # removed meanwhile
                    status = entry.stat(follow_symlinks=False)
                    found.append((status.st_mtime_ns, status.st_size, entry))
    total = sum(size for _, size, _ in found)
    abandoned = time.time() - _ABANDONED
    for used, size, entry in sorted(found, key=lambda item: item[0]):
        is_unfinished = entry.name.endswith(".part")
        if (used * 1e-9 < abandoned) if is_unfinished else (total > most):
            with contextlib.suppress(OSError):
                os.unlink(entry)
            total -= size
    return total
