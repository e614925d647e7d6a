"""The tests of HIPS autograd, with their imports changed to NumPy, SciPy and this library."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import hips_names, judging
from .judging import Outcome, said

LEFT_OUT = ("_test_complexity.py", "profiling.py", "test_performance.py", "conftest.py")
CHANGES = (
    (r"\bautograd\.numpy\b", "numpy"), (r"\bautograd\.scipy\b", "scipy"),
    (r"^(\s*)from autograd(\.\w+)* import", r"\1from tests.foreign.hips_names import"))


def outcomes(source: Path, place: Path) -> Iterator[Outcome]:
    """What comes of each test.

    Args:
        source: the folder of the tests.
        place: a folder in which the changed files are written.
    """
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for path in sorted(source.glob("*.py")):
        if path.name not in LEFT_OUT:
            text = path.read_text()
            for pattern, replacement in CHANGES:
                text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
            (place / path.name).write_text(text)
    recorder = _Recorder(place)
    pytest.main(["-p", "no:cacheprovider", "-p", "no:terminal",
                 "--continue-on-collection-errors",
                 "--rootdir", str(place), "-c", "/dev/null", str(place)], plugins=[recorder])
    for path in recorder.not_collected:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                recorder.found.append(Outcome(f"{path.stem}.{node.name}", "refused",
                                              recorder.not_collected[path]))
    yield from recorder.found


class _Recorder:
    """A plugin of pytest that keeps what comes of each test."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.found: list[Outcome] = []
        self.not_collected: dict[Path, str] = {}
        self.n_compared = 0

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and report.fspath.endswith(".py"):
            last = str(report.longrepr).strip().splitlines()[-1]
            self.not_collected[self.place / Path(report.fspath).name] = last

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Iterator[None]:
        report = yield
        if call.when == "call" and report.outcome != "skipped":
            name = f"{item.path.stem}.{item.name}"
            if report.passed:
                if not judging.COMPILED:
                    self.found.append(Outcome(name, "right"))
                elif next(hips_names.COMPARED) > self.n_compared + 1:
                    self.found.append(Outcome(name, "same"))
            else:
                error = call.excinfo.value
                kind = "refused"
                if "the derivative is" in str(error):
                    kind = "other" if judging.COMPILED else "wrong"
                self.found.append(Outcome(name, kind, said(error)))
            self.n_compared = next(hips_names.COMPARED)
        return report
