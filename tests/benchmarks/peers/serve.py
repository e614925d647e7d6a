"""A worker: answers requests, a line of JSON each, from standard input on standard output.

    python -I serve.py MODULE CORE [FOLDER ...]

MODULE holds the peer's functions, CORE is the processor core to stay on (-1 for any), and the
FOLDERs are looked through first for modules. The request

    {"benchmark": "rosenbrock", "data": "rosenbrock.npz", "repetitions": 1, "seconds": 0.05}

is answered with {"times": [seconds per unit], "peak": bytes that the process has held at most},
the first one for a benchmark also with "first" (seconds from nothing to the first result, compiling
included), "result" (groups of numbers) and "accuracy" (or null). What goes wrong is answered with
{"error": text}. The times are those of a user: the garbage collector is on.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))
import numpy as np
from peers.job import Job
from peers.memory import peak


class Running:
    """A job whose first result is there.

    Args:
        make: the peer's function.
        data: the path of the benchmark's data.
    """

    def __init__(self, make: Callable[[dict[str, Any]], Job], data: str) -> None:
        with np.load(data) as file:
            arrays = {name: file[name][()] for name in file.files}
        began = time.perf_counter()
        self.job = make(arrays)
        result = (self.job.first or self.job.call)()
        self.first = time.perf_counter() - began
        self.result = groups(self.job.answer(result) if self.job.answer else result)
        self.accuracy = self.job.accuracy() if self.job.accuracy else None
        self.calls = 0

    def times(self, repetitions: int, seconds: float) -> list[float]:
        """Seconds a unit, once for each repetition.

        Args:
            repetitions: how many.
            seconds: how long each may take; a call that takes longer is made once.
        """
        if not self.calls:
            warm(self.job.call)
            self.calls = max(1, int(seconds / max(elapsed(self.job.call, 1), 1e-9)))
        return [self._seconds() for _ in range(repetitions)]

    def _seconds(self) -> float:
        total = elapsed(self.job.call, self.calls)
        if self.job.setup:
            total -= elapsed(self.job.setup, self.calls)
        return total / (self.calls * self.job.units)


def warm(call: Callable[[], Any], seconds: float = 0.2) -> None:
    """Call as often as it takes for caches, allocators, and those who compile what is called often.

    Args:
        call: what is timed then.
        seconds: how long, of processor time; one call may take longer.
    """
    end = time.process_time() + seconds
    call()
    while time.process_time() < end:
        call()


def elapsed(call: Callable[[], Any], calls: int) -> float:
    """The seconds that some calls take."""
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return time.perf_counter() - began


def groups(result: Any) -> list[list[float]]:
    """A result of scalars, sequences and arrays as groups of plain numbers."""
    return [np.asarray(group, dtype=float).ravel().tolist() for group in result]


def reply(module: Any, running: dict[str, Running], request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    name = request["benchmark"]
    answer: dict[str, Any] = {}
    if name not in running:
        job = running[name] = Running(getattr(module, name), request["data"])
        answer = {"first": job.first, "result": job.result, "accuracy": job.accuracy}
    times = running[name].times(request["repetitions"], request["seconds"])
    return {**answer, "times": times, "peak": peak()}


def main() -> None:
    """Answer until standard input ends."""
    module_name, core, *folders = sys.argv[1:]
    sys.path[:0] = folders
    if int(core) >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core)})
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    running: dict[str, Running] = {}
    module = None
    for line in sys.stdin:
        try:
            module = module or importlib.import_module(module_name)
            answer = reply(module, running, json.loads(line))
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
