"""Side-by-side benchmarks: the engine and its peers, in one run, on one thread or on all cores.

    python -m tests.benchmarks                      all of them
    python -m tests.benchmarks moons rosenbrock     some
    python -m tests.benchmarks --list               what there is
    python -m tests.benchmarks --peers jax,torch    against some of the peers
    python -m tests.benchmarks --all-cores digits   everybody with as many threads as they like

Each peer runs in a virtual environment of its own, as a process that answers requests; we run in
the same way. An environment is made at first use, in ~/.cache/chainrule-benchmarks or the folder
that CHAINRULE_BENCHMARKS_DIR names; this needs the network and, for all peers, 2.5 GB. Everybody is
given the same numbers, computes in double precision on the same processor core (with --all-cores on
all of them), one at a time, and must agree with our result before any time is printed. Rounds
alternate; a table gives

    first result   seconds from nothing to the first result, compiling included; importing and
                   starting a library are not
    then           the median of the rounds, each of at least one call, after calls for a fifth of a
                   second of processor time; the seconds a unit
    ratio          that median as a multiple of ours

The benchmark ``growth`` is ours alone: time and memory of every stage for programs of 1,000 to
1,000,000 instructions, and of two trainings of networks. ``scaling`` has time and memory beside
JAX's in one table, for 1,000 to 1,000,000 parameters and 1,000 to 10,000,000 rows; that takes some
minutes. PyTorch's build without CUDA is much smaller; PIP_EXTRA_INDEX_URL set to
https://download.pytorch.org/whl/cpu finds it.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from functools import partial

from . import environments, growth, harness, scaling
from .problems import BENCHMARKS, OUR_OWN, OURS, Benchmark

TABLES = ("growth", "scaling")


def listing() -> str:
    """The names, what they measure, and who takes part."""
    lines = []
    for benchmark in BENCHMARKS.values():
        peers = dict.fromkeys(entry.peer for entry in benchmark.entries)
        lines += [f"{benchmark.name:15}{benchmark.title}", f"{'':15}{', '.join(peers)}"]
    lines += [f"{'growth':15}time and memory of each stage, 1,000 to 1,000,000 instructions",
              f"{'':15}{OURS}",
              f"{'scaling':15}time and memory as parameters and rows grow",
              f"{'':15}{OURS}, {scaling.PEER}"]
    return "\n".join(lines)


def run(benchmark: Benchmark, peers: Sequence[str], repetitions: int,
        all_cores: bool = False) -> bool:
    """Measure one benchmark and print its table.

    Returns:
        Whether everybody took part and agreed.
    """
    print(f"\n{benchmark.name}: {benchmark.title}\n", flush=True)
    entries = [entry for entry in benchmark.entries if entry.peer in (*OUR_OWN, *peers)]
    try:
        rows = harness.measure(benchmark, entries, repetitions,
                               partial(environments.worker, all_cores=all_cores))
    except (harness.WrongAnswer, ImportError) as error:
        print(f"  {error}")
        return False
    print("\n".join([*harness.table(rows), *harness.goals(benchmark, rows)]), flush=True)
    return not any(row.failure for row in rows)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for; ends the program when that does not exist."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="all, if none is given")
    parser.add_argument("--list", action="store_true", help="print what there is")
    parser.add_argument("--peers", default=",".join(environments.REQUIREMENTS), metavar="A,B",
                        help="against these only; none with an empty string")
    parser.add_argument("--all-cores", action="store_true",
                        help="with as many threads as everybody likes (else one)")
    parser.add_argument("--repetitions", type=int, default=7, metavar="N", help="rounds (7)")
    parser.add_argument("--largest", type=int, default=scaling.MOST, metavar="N",
                        help="the most instructions for growth, parameters and rows for scaling")
    options = parser.parse_args(given)
    options.peers = [peer for peer in options.peers.split(",") if peer]
    for kind, names, known in (("benchmark", options.names, (*BENCHMARKS, *TABLES)),
                               ("peer", options.peers, environments.REQUIREMENTS)):
        for name in names:
            if name not in known:
                parser.error(f"there is no {kind} {name!r}; choose from {', '.join(known)}")
    if options.repetitions < 1:
        parser.error("--repetitions must be at least 1")
    return options


def main(given: Sequence[str] | None = None) -> int:
    """Run what the command line asks for.

    Returns:
        The exit status: 1 when somebody failed or disagreed.
    """
    options = arguments(given)
    if options.list:
        print(listing())
        return 0
    print(f"Python {platform.python_version()}, {platform.machine()}, "
          f"{'all cores' if options.all_cores else 'one thread'}; medians of "
          f"{options.repetitions} alternating rounds")
    complete = True
    for name in options.names or (*BENCHMARKS, *TABLES):
        if name == "growth":
            sizes = tuple(size for size in growth.SIZES if size <= options.largest)
            complete &= growth.run(sizes)
        elif name == "scaling":
            complete &= scaling.run(options.largest, options.all_cores)
        else:
            complete &= run(BENCHMARKS[name], options.peers, options.repetitions,
                            options.all_cores)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
