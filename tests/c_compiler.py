"""The system's C compiler, on functions that the tests have written as C."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd.compiler.backends.c import CSource

needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler, cc")
FLAGS = ("-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
STATUS = ("ok", "other_branch", "outside_domain")


class Result(NamedTuple):
    """What a written function gave at one point: the outputs, and what it returned."""

    y: Any
    status: str


class Compiled:
    """A written function, compiled and loaded."""

    def __init__(self, source: CSource, n_inputs: int, n_outputs: int, n_memory: int = 0) -> None:
        with tempfile.TemporaryDirectory() as folder:
            code, _ = source.write(folder)
            library = Path(folder) / "library.so"
            run_cc(*FLAGS, "-shared", "-fPIC", "-o", str(library), str(code), "-lm")
            self.function = getattr(ctypes.CDLL(str(library)), source.name)
        self.n_inputs, self.n_outputs, self.n_memory = n_inputs, n_outputs, n_memory

    def __call__(self, point: Any) -> Result:
        x = np.ascontiguousarray(point, dtype=float)
        assert x.shape == (self.n_inputs,)
        y, memory = np.full(self.n_outputs, 7.0), np.full(self.n_memory, np.nan)
        arrays = [x, y, memory] if self.n_memory else [x, y]
        status = self.function(*[ctypes.c_void_p(array.ctypes.data) for array in arrays])
        return Result(y, STATUS[status])


def run_cc(*arguments: str) -> str:
    """Call the compiler.

    Raises:
        RuntimeError: with what it says, warnings too.
    """
    done = subprocess.run(["cc", *arguments], capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise RuntimeError(done.stderr)
    return done.stdout


@functools.lru_cache(maxsize=16)
def load(source: CSource) -> Compiled:
    """A written function, of whose sizes the header tells."""
    sizes = {}
    for line in source.header.splitlines():
        if line.startswith("enum") and "_n_inputs" in line:
            for part in line.removeprefix("enum {").removesuffix("};").split(","):
                name, number = part.split("=")
                sizes[name.strip().removeprefix(f"{source.name}_")] = int(number)
    return Compiled(source, **sizes)
