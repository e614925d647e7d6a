"""How much memory a process has needed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def peak() -> int:
    """The largest number of bytes that this process has held, 0 where the platform says nothing."""
    with suppress(OSError, StopIteration):
        # Where there is this file, getrusage counts what the parent process held, too.
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    with suppress(ImportError):
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS
    return 0
