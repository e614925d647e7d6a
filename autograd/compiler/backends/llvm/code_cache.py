"""Machine code kept on disk, by the hash of what it was made from.

Code from a file is executed, so a file is trusted only if it carries a seal (an HMAC-SHA256) made
with a key that only the user can read. Whatever else lies in the folder, damaged, foreign, or put
there by somebody else, is ignored and written again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import sys
import tempfile
from pathlib import Path

VERSION = b"chainrule machine code 1"
SEAL = hashlib.sha256().digest_size


def folder() -> Path:
    """Where the files lie: CHAINRULE_CACHE_DIR, or the platform's place for caches."""
    if chosen := os.environ.get("CHAINRULE_CACHE_DIR"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "chainrule"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "chainrule"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chainrule"


def name_of(*parts: str) -> str:
    """The name for code made from these texts: a hash of all of them."""
    digest = hashlib.sha256(VERSION)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """The code of that name, or None where there is none that carries the user's seal."""
    try:
        key = _key(create=False)
        content = (folder() / f"{name}.code").read_bytes()
    except OSError:
        return None  # no cache is no error: the code is made again
    if key is None or len(content) <= SEAL:
        return None
    seal, code = content[:SEAL], content[SEAL:]
    return code if hmac.compare_digest(seal, _seal(key, name, code)) else None


def store(name: str, code: bytes) -> bool:
    """Keep code under a name; False where the folder cannot be written or the key not trusted."""
    try:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        key = _key(create=True)
        if key is None:
            return False
        _write(folder() / f"{name}.code", _seal(key, name, code) + code)
    except OSError:
        return False  # a read-only home directory must not stop a computation
    return True


def _seal(key: bytes, name: str, code: bytes) -> bytes:
    return hmac.digest(key, VERSION + name.encode() + code, "sha256")


def _key(create: bool) -> bytes | None:
    """The user's key; None when others could have read or written it."""
    path = folder() / "key"
    if create and not path.exists():
        _write(path, secrets.token_bytes(32), only_new=True)
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        key = file.read()
    if os.name == "posix" and (status.st_uid != os.getuid()
                               or stat.S_IMODE(status.st_mode) & 0o077):
        return None
    return key if len(key) == 32 else None


def _write(path: Path, content: bytes, only_new: bool = False) -> None:
    """Write a file whole or not at all, readable by the user alone."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        if only_new and path.exists():  # another process was quicker; its key counts
            os.unlink(temporary)
        else:
            os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
