"""One step of ``nn.fit`` on the moons (100 rows, MLP 2-16-16-1, hinge + L2): eager and compiled.

Run by hand: ``python -m tests.benchmarks.training``. Both are measured in one run, alternating.
"""

from __future__ import annotations

import statistics
import time

import nn

REPETITIONS, EAGER_STEPS, COMPILED_STEPS = 5, 10, 1000


def seconds_a_step(compiled: bool, steps: int) -> float:
    """The time of one step, the time to compile (cached on disk) left out."""
    X, y = nn.datasets.moons(100)
    model = nn.MLP(2, [16, 16, 1], seed=1)
    options = {"loss": "hinge", "l2": 1e-4, "progress": False, "compiled": compiled}
    nn.fit(model, X, y, epochs=1, **options)
    start = time.perf_counter()
    nn.fit(model, X, y, epochs=steps, **options)
    return (time.perf_counter() - start) / steps


def main() -> None:
    """Print medians and their ratio."""
    pairs = [(seconds_a_step(False, EAGER_STEPS), seconds_a_step(True, COMPILED_STEPS))
             for _ in range(REPETITIONS)]
    eager, compiled = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{'step of fit on the moons':<28}{'eager':>12}{'compiled':>12}{'ratio':>8}")
    print(f"{'':<28}{eager * 1e6:>9.0f} us{compiled * 1e6:>9.0f} us{eager / compiled:>7.0f}x")


if __name__ == "__main__":
    main()
