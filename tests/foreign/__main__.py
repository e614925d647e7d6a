"""Code of others, differentiated as it stands: how much of it is right, and what stops the rest.

    python -m tests.foreign                     all of it, as a table
    python -m tests.foreign fluids "hips"       some
    python -m tests.foreign --list              what there is
    python -m tests.foreign --messages 20       the most frequent errors of each, up to 20
    python -m tests.foreign --cases wrong       name each case that is wrong (or refused, unclear)
    python -m tests.foreign --eager             without what jit makes of it, which takes longer

The code is fetched at first use, by pip and git, into ~/.cache/chainrule-foreign or the folder
that CHAINRULE_FOREIGN_DIR names; what cannot be had is skipped, and said. Nothing of it is changed
but what ``autograd.adopt`` does, and of the tests of HIPS autograd the names that they import. A
case is

    right       value and derivatives are those of the same code on plain floats, by differences
    refused     an error; they are counted by what they say
    wrong       another number
    unclear     plain floats have no derivative there that differences could tell (a jump, noise),
                or only beside the point (if a == b)

and under jit, in a second run, at the point and beside it,

    same        value and gradient are those of the eager engine
    refused     an error, where the eager engine has none
    other       other numbers
    slow        not recorded within half a minute
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path

from . import (
    copies,
    documented,
    hips,
    hips_examples,
    judging,
    numpy_functions,
    problems,
    programs,
)
from .copies import Copy, MissingError, Packages, Repository, SourceArchive
from .judging import Outcome

TIME_LIMIT = 3600  # seconds for one subject
VERDICTS = ("right", "refused", "wrong", "unclear")
OF_JIT = ("same", "refused", "other", "slow")

CHEDL = Packages("chedl", ("fluids==1.3.1", "chemicals==1.5.2", "ht==1.2.0", "thermo==0.6.1",
                           "pandas", "python-dateutil", "pytz", "tzdata", "six"))
HIPS = SourceArchive("hips", "autograd==1.9.1")
ALGORITHMS = Repository("algorithms", "https://github.com/TheAlgorithms/Python", (
    "maths", "physics", "electronics", "financial", "geodesy", "conversions", "geometry"))


@dataclass(frozen=True)
class Subject:
    """Some foreign code.

    Attributes:
        title: of its row in the table.
        wanted: the copies that it needs.
        folders: in those copies, from which modules are imported.
        outcomes: runs it; it is given the folders of the copies.
    """

    title: str
    wanted: tuple[Copy, ...]
    folders: tuple[str, ...]
    outcomes: Callable[[Sequence[Path]], Iterator[Outcome]]


def _documented(*roots: str, also: tuple[str, ...] = ()) -> (
        Callable[[Sequence[Path]], Iterator[Outcome]]):
    return lambda places: documented.outcomes(roots, also)


SUBJECTS = {
    "scipy": Subject(
        "SciPy's global optimisation functions",
        (Repository("scipy", "https://github.com/scipy/scipy", ("benchmarks/benchmarks",)),
         Packages("asv", ("asv_runner",))),
        ("benchmarks", ""), lambda places: problems.scipy_functions()),
    "more-wild": Subject(
        "Moré and Wild's least-squares problems",
        (Repository("bendfo", "https://github.com/POptUS/BenDFO", ("py",)),), ("py",),
        lambda places: problems.least_squares()),
    "hips": Subject(
        "HIPS autograd's own tests", (HIPS,), (),
        lambda places: hips.outcomes(next(places[0].glob("autograd-*")) / "tests",
                                     places[0] / "changed")),
    "hips-examples": Subject(
        "HIPS autograd's examples", (HIPS,), (),
        lambda places: hips_examples.outcomes(next(places[0].glob("autograd-*")) / "examples",
                                              places[0] / "changed-examples")),
    "fluids": Subject("documented examples of fluids", (CHEDL,), ("",), _documented("fluids")),
    "chemicals": Subject("documented examples of chemicals", (CHEDL,), ("",),
                         _documented("chemicals", also=("fluids",))),
    "ht": Subject("documented examples of ht", (CHEDL,), ("",),
                  _documented("ht", also=("fluids", "chemicals"))),
    "thermo": Subject("documented examples of thermo", (CHEDL,), ("",),
                      _documented("thermo", also=("fluids", "chemicals"))),
    "algorithms": Subject("small algorithms of TheAlgorithms", (ALGORITHMS,), ("",),
                          _documented(*ALGORITHMS.parts)),
    "numpy": Subject("NumPy's functions of arrays of floats", (), (),
                     lambda places: numpy_functions.outcomes()),
    "programs": Subject(
        "whole programs", (CHEDL, Packages("programs", (
            "sgp4==2.27", "iapws==1.5.5", "pvlib==0.16.1", "h5py", "requests", "urllib3", "idna",
            "certifi", "charset-normalizer")),
            Packages("programs-2", ("filterpy==2.0.0", "geographiclib==2.1", "pymap3d==3.2.0",
                                    "astral==3.2"))),
        ("", "", ""), lambda places: programs.outcomes()),
}


@dataclass
class Row:
    """What came of one subject."""

    outcomes: list[Outcome] = field(default_factory=list)
    skipped: str = ""
    compiled: list[Outcome] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        """How many cases have a verdict."""
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    def with_compiled(self, other: Row) -> Row:
        """The same, and what jit makes of the cases that the eager engine does not refuse."""
        done = {outcome.case for outcome in self.outcomes if outcome.verdict != "refused"}
        self.compiled = [outcome for outcome in other.outcomes if outcome.case in done]
        if other.skipped:
            self.skipped = f"{self.skipped} jit: {other.skipped}".strip()
        return self


def measured(name: str, is_compiled: bool = False) -> Row:
    """Run one subject, in a process of its own.

    Args:
        name: one of SUBJECTS.
        is_compiled: whether to compare jit with the eager engine.
    """
    command = [sys.executable, "-m", "tests.foreign", "--here", name,
               *(["--jit"] if is_compiled else [])]
    try:
        for copy in SUBJECTS[name].wanted:
            copies.had(copy)
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT,
                              env={**os.environ, "PYTHONPATH": _path(SUBJECTS[name])})
    except MissingError as error:
        return Row(skipped=str(error))
    except subprocess.TimeoutExpired:
        return Row(skipped=f"took longer than {TIME_LIMIT} s")
    found = [line[len(MARK):] for line in done.stdout.splitlines() if line.startswith(MARK)]
    row = Row([Outcome(*json.loads(line)) for line in found])
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        row.skipped = f"ended after {len(found)} cases: {last}"
    return row


def _path(subject: Subject) -> str:
    """PYTHONPATH with the copies: what is there when Python starts is installed."""
    found = [str(copies.importable(copy, part).resolve())
             for copy, part in zip(subject.wanted, subject.folders, strict=False)]
    return os.pathsep.join([*found, *filter(None, [os.environ.get("PYTHONPATH", "")])])


MARK = "outcome: "  # at the head of a line, among what foreign code prints


def run_here(name: str, is_compiled: bool = False) -> int:
    """Run one subject in this process, and print each outcome as a line of JSON."""
    judging.COMPILED = is_compiled
    subject = SUBJECTS[name]
    places = [copies.folder() / copy.name for copy in subject.wanted]
    for outcome in subject.outcomes(places):
        print(MARK + json.dumps(astuple(outcome)), flush=True)
    return 0


HEAD = (f"{'code':42}{'cases':>7}" + "".join(f"{verdict:>9}" for verdict in VERDICTS)
        + "    jit:" + "".join(f"{verdict:>9}" for verdict in OF_JIT))


def line(name: str, row: Row) -> str:
    """A subject's line of the table."""
    counts = "".join(f"{row.count(verdict):9}" for verdict in VERDICTS)
    if row.compiled:
        counts += "        " + "".join(
            f"{sum(outcome.verdict == verdict for outcome in row.compiled):9}"
            for verdict in OF_JIT)
    return (f"{SUBJECTS[name].title:42}{len(row.outcomes):7}{counts}"
            + (f"  skipped: {row.skipped}" if row.skipped else ""))


def messages(outcomes: Sequence[Outcome], most: int) -> list[str]:
    """What errors say, the most frequent first."""
    counted = Counter(outcome.why for outcome in outcomes if outcome.verdict == "refused")
    first = {outcome.why: outcome.case for outcome in reversed(outcomes)}
    return [f"{count:6}  {why}  (first: {first[why]})" for why, count in counted.most_common(most)]


def main(given: Sequence[str] | None = None) -> int:
    """Run what the command line asks for.

    Returns:
        The exit status: 1 when a number is wrong.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.foreign", description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="all, if none is given")
    parser.add_argument("--list", action="store_true", help="print what there is")
    parser.add_argument("--messages", type=int, default=5, metavar="N",
                        help="how many different errors are shown of each (5)")
    parser.add_argument("--cases", choices=VERDICTS[1:], help="name all cases of this verdict")
    parser.add_argument("--eager", action="store_true", help="without jit")
    parser.add_argument("--here", metavar="NAME", help=argparse.SUPPRESS)
    parser.add_argument("--jit", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    for name in [*options.names, *filter(None, [options.here])]:
        if name not in SUBJECTS:
            parser.error(f"there is no subject {name!r}; choose from {', '.join(SUBJECTS)}")
    if options.here:
        return run_here(options.here, options.jit)
    if options.list:
        print("\n".join(f"{name:15}{subject.title}" for name, subject in SUBJECTS.items()))
        return 0
    rows = {}
    print(HEAD, flush=True)
    for name in options.names or SUBJECTS:
        rows[name] = measured(name)
        if not options.eager and rows[name].outcomes:
            rows[name] = rows[name].with_compiled(measured(name, is_compiled=True))
        print(line(name, rows[name]), flush=True)
    for name, row in rows.items():
        for title, outcomes in ((f"{name}:", row.outcomes), (f"{name}, under jit:", row.compiled)):
            shown = messages(outcomes, options.messages)
            if shown:
                print("\n".join([f"\n{title}", *shown]))
            for outcome in outcomes:
                if outcome.verdict in ("wrong", "other", options.cases):
                    print(f"{outcome.verdict}: {outcome.case}: {outcome.why}")
    return 1 if any(outcome.verdict in ("wrong", "other") for row in rows.values()
                    for outcome in (*row.outcomes, *row.compiled)) else 0


if __name__ == "__main__":
    sys.exit(main())
