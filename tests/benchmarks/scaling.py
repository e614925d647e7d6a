"""How time and memory grow with the work, ours beside JAX's.

Work is the parameters of a network, of which a training takes steps, or the rows of a function with
its derivatives. Every measurement is made in a process of its own, whose largest resident size is
the memory; the library itself is inside, which takes 50 MiB and more.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from . import environments, harness
from .problems import OURS, Benchmark, Entry, black_scholes_rows, network_rows

PEER = "jax"
MOST = 10**7  # rows, or parameters
LIMIT = 240.0  # seconds that one answer may take: who takes longer is said to

NETWORKS = {10**3: (20, 32, 10), 10**4: (100, 90, 10), 10**5: (400, 244, 10),
            10**6: (784, 1024, 192, 10)}
ROWS = (10**3, 10**4, 10**5, 10**6, 10**7)
STEPS = 10  # of an epoch
ROUNDS = 3  # that alternate
MUCH = 300_000  # parameters, by which fewer are divided: so many epochs are long enough to be timed


def benchmarks(largest: int = MOST) -> Iterator[tuple[str, int, Benchmark]]:
    """What is counted, how much there is of it, and what is measured."""
    for size, sizes in NETWORKS.items():
        if size <= largest:
            name = "-".join(map(str, sizes))
            yield "parameters", size, _benchmark(Benchmark(
                "digits", f"{STEPS} steps, MLP {name}, cross-entropy, Adam, batches of 32",
                partial(network_rows, list(sizes), 32 * STEPS, max(1, min(30, MUCH // size))), (),
                tolerance=1e-6))
    for size in ROWS:
        if size <= largest:
            yield "rows", size, _benchmark(Benchmark(
                "black_scholes", "Black-Scholes price and its 5 derivatives",
                partial(black_scholes_rows, size), ()))


def _benchmark(benchmark: Benchmark) -> Benchmark:
    return Benchmark(benchmark.name, benchmark.title, benchmark.data, (Entry(OURS), Entry(PEER)),
                     benchmark.tolerance)


def run(largest: int = MOST, all_cores: bool = False, make: harness.Maker | None = None) -> bool:
    """Print the table, line by line.

    Args:
        largest: the most parameters, and the most rows.
        all_cores: whether both may use as many threads as they like.
        make: a worker for a peer.

    Returns:
        Whether everything could be measured, and was the same.
    """
    print(f"\nscaling: time and memory as work grows, beside {PEER}'s\n")
    print(f"{'':24}" + "".join(f"{name:^32}" for name in ("first result", "then", "memory")))
    print(f"{'':24}" + f"{'ours':>12}{PEER:>11}{'ratio':>8} " * 3, flush=True)
    complete = True
    for unit, size, benchmark in benchmarks(largest):
        try:
            rows = harness.measure(benchmark, benchmark.entries, ROUNDS, make or partial(
                environments.worker, all_cores=all_cores, timeout=LIMIT))
        except (harness.WrongAnswer, ImportError) as error:
            print(f"{size:>12,} {unit:11} {error}")
            complete = False
            continue
        print(f"{size:>12,} {unit:11}" + line(rows), flush=True)
        complete &= not any(row.failure for row in rows)
    print("\nsteps of a training, or a call with so many rows; ratio: theirs as a multiple of ours")
    return complete


def line(rows: list[harness.Row]) -> str:
    """What was measured of both: seconds to the first result, seconds then, memory; and ratios."""
    if failures := [f"{row.entry.label}: {row.failure.splitlines()[-1]}"
                    for row in rows if row.failure]:
        return "; ".join(failures)
    ours, theirs = rows
    cells = []
    for text, own, other in (
            (harness.duration, ours.first, theirs.first),
            (harness.duration, ours.median, theirs.median),
            (lambda peak: f"{peak / 2**20:,.0f} MiB", ours.peak, theirs.peak)):
        ratio = f"{other / own:,.2f}" if own else "?"
        cells.append(f"{text(own):>12}{text(other):>11}{ratio:>8} ")
    return "".join(cells)
