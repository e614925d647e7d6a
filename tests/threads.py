"""Threads for tests."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def in_threads(*works: Callable[[], Any]) -> list[Any]:
    """What functions return that run in threads at the same time and take turns very often.

    What one raises is raised here.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(works)) as pool:
            return [future.result() for future in [pool.submit(work) for work in works]]
    finally:
        sys.setswitchinterval(before)
