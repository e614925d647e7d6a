
"""How time and memory grow with the number of instructions, stage by stage, and with a network.

Each size is run in a process of its own (``python -m tests.benchmarks.growth regular 1000``), whose
largest resident size after each stage says how much memory was needed so far.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from autograd.compiler.trace.graph_to_program import graph_to_program

from .environments import ONE_THREAD, ROOT, PeerError
from .harness import duration
from .peers.formulas import pendulum
from .peers.memory import peak

SIZES = (1_000, 10_000, 100_000, 1_000_000)
STAGES = ("build", "differentiate", "record", "passes", "compile", "replay")
A_STEP = 115  # instructions of a step of the pendulum with its derivatives
A_NODE = 4  # instructions of a random operation with its derivatives, about
NEAR = 12_000  # operands are chosen from so many latest nodes
Stage = Callable[[], Any]


def regular(size: int, x: Any) -> Any:
    """A damped pendulum whose loop over time is unrolled: every step has the same instructions."""
    steps = max(1, size // A_STEP)
    return pendulum(*x, steps, 2.0 / steps, ag.sin)


def irregular(size: int, x: Any) -> Any:
    """A random graph of numbers from -1 to 1: no two stretches of it are alike."""
    drawn = size
    nodes = list(x)
    unread = dict.fromkeys(nodes)
    choices: list[Callable[[Any, Any], Any]] = [
        lambda a, b: 0.5 * (a + b), lambda a, b: 0.5 * (a - b), lambda a, b: a * b,
        lambda a, b: ag.sin(a), lambda a, b: ag.tanh(a - b), lambda a, b: ag.sigmoid(a)]
    for _ in range(size // A_NODE):
        drawn = (drawn * 6364136223846793005 + 1442695040888963407) % 2 ** 64  # as Knuth draws
        oldest = max(0, len(nodes) - NEAR)
        a, b = (nodes[oldest + (drawn >> shift) % (len(nodes) - oldest)] for shift in (20, 40))
        node = choices[(drawn >> 30) % len(choices)](a, b)
        nodes.append(node)
        unread.pop(a, None)
        unread[node] = None
    return ag.sum(list(unread))


FITS = ("build", "first fit", "second fit")
HIDDEN = (16, 128, 512)  # neurons between 784 inputs and 10 outputs; the last has 407,050 weights
ROWS = 64


def network(hidden: int) -> dict[str, Any]:
    """A network of 784 inputs and 10 outputs: two trainings of one epoch on 64 rows.

    Returns:
        The number of parameters, and for each stage (seconds, peak bytes). The second training
        replays what the first has recorded and compiled.
    """
    import nn

    measured: dict[str, tuple[float, int]] = {}
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(ROWS, 784)), generator.integers(0, 10, ROWS)

    began = time.perf_counter()
    model = nn.MLP(784, [hidden, 10], seed=0)
    optimizer = nn.Adam(model.parameters(), 1e-3)
    measured["build"] = (time.perf_counter() - began, peak())
    for stage in FITS[1:]:
        began = time.perf_counter()
        history = nn.fit(model, X, y, "cross_entropy", optimizer, epochs=1, batch_size=32,
                         progress=False)
        measured[stage] = (time.perf_counter() - began, peak())
        assert history.engine == "llvm", history.reason
    return {"instructions": len(optimizer.parameters), "stages": measured}


KINDS: dict[str, tuple[Callable[[int, Any], Any], tuple[float, ...]]] = {  # and at which point
    "regular": (regular, (1.2, 0.3, 9.81, 0.15)),
    "irregular": (irregular, (0.9, -0.7, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1))}
CALLS = ("first call", "second call")


def calls(kind: str, size: int) -> dict[str, Any]:
    """Two calls of the compiled value and gradient, of which the first records and compiles.

    Returns:
        As of :func:`stages`.
    """
    make, point = KINDS[kind]
    ag.jit(lambda x: x * x)(1.0)  # LLVM is loaded once a process
    function = ag.jit(ag.value_and_grad(lambda x: make(size, x)))
    measured = {}
    for stage in CALLS:
        began = time.perf_counter()
        function(np.array(point))
        measured[stage] = (time.perf_counter() - began, peak())
    return {"instructions": len(function.notes[-1].recording.program), "stages": measured}


def stages(kind: str, size: int) -> dict[str, Any]:
    """Run all stages once.

    Returns:
        The number of instructions, and for each stage (seconds, peak bytes).

    Raises:
        AssertionError: when the machine code computes another value than the graph did.
    """
    from autograd.compiler.backends.llvm import compilation as llvm
    from autograd.compiler.program import passes

    measured: dict[str, tuple[float, int]] = {}

    def timed(stage: str, work: Stage) -> Any:
        began = time.perf_counter()
        result = work()
        measured[stage] = (time.perf_counter() - began, peak())
        return result

    recorded, numbers, expected = _recorded(kind, size, timed)
    program = timed("passes", lambda: passes.simplified(recorded))
    kernel = timed("compile", lambda: llvm.compile(program))
    kernel(numbers)
    found = timed("replay", lambda: kernel(numbers))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * np.max(np.abs(expected)))
    return {"instructions": len(recorded), "stages": measured}


def _recorded(kind: str, size: int, timed: Callable[[str, Stage], Any]) -> tuple[Any, Any, Any]:
    """The program, its inputs, and its outputs as the graph has them; the graph is freed."""

    make, point = KINDS[kind]
    inputs = [ag.Value(number) for number in point]
    y = timed("build", lambda: make(size, inputs))
    gradients = timed("differentiate", lambda: ag.gradient(y, inputs))
    program = timed("record", lambda: graph_to_program([y, *gradients], inputs))
    return (program, np.array([x.data for x in inputs]),
            np.array([y.data, *(g.data for g in gradients)]))


def in_a_process(kind: str, size: int, timeout: float = 1800.0) -> dict[str, Any]:
    """The same in a process of its own, with nothing in its cache.

    Raises:
        PeerError: when it fails or takes too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-m", __name__, kind, str(size)], cwd=ROOT, text=True,
                capture_output=True, timeout=timeout,
                env={**os.environ, **ONE_THREAD, "CHAINRULE_CACHE_DIR": str(Path(folder))})
        except subprocess.TimeoutExpired:
            raise PeerError(f"took more than {timeout:.0f} s") from None
    if done.returncode:
        raise PeerError(done.stderr.strip())
    return dict(json.loads(done.stdout))


def run(sizes: tuple[int, ...] = SIZES) -> bool:
    """Print a table for each kind of program.

    Returns:
        Whether all sizes could be run.
    """
    complete = True
    for kind, (make, _) in KINDS.items():
        complete &= _table(kind, str(make.__doc__), "instructions", STAGES, sizes)
        complete &= _table(f"{kind}, jit", str(make.__doc__), "instructions", CALLS, sizes)
    complete &= _table("network", str(network.__doc__), "parameters", FITS, HIDDEN)
    print("\nseconds of each stage, and the most memory held up to its end")
    return complete


def _table(kind: str, title: str, count: str, stages: tuple[str, ...],
           sizes: tuple[int, ...]) -> bool:
    """Print what was measured of each size; whether all could be run."""
    complete = True
    print(f"\ngrowth ({kind}). {title.splitlines()[0]}\n")
    print(f"{count:>12}" + "".join(f"{stage:>20}" for stage in stages))
    for size in sizes:
        try:
            found = in_a_process(kind, size)
        except PeerError as error:
            print(f"{size:>12,}  {str(error).splitlines()[-1]}")
            complete = False
            continue
        cells = (f"{duration(seconds)} {most / 2**20:,.0f} MiB"
                 for seconds, most in map(found["stages"].get, stages))
        print(f"{found['instructions']:>12,}" + "".join(f"{cell:>20}" for cell in cells),
              flush=True)
    return complete


if __name__ == "__main__":
    kind, size = sys.argv[1], int(sys.argv[2])
    name, _, by_jit = kind.partition(", ")
    print(json.dumps(network(size) if kind == "network" else
                     (calls if by_jit else stages)(name, size)))
