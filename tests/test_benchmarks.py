"""The benchmarks' harness: who is listed, what is compared, and how the table comes about."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import environments, growth, harness, scaling
from tests.benchmarks.environments import PeerError, Worker
from tests.benchmarks.harness import Row, WrongAnswer
from tests.benchmarks.problems import BENCHMARKS, OUR_OWN, OURS, Benchmark, Entry

PEERS = Path(command.__file__).parent / "peers"
TWO = (Entry(OURS), Entry("fake"))


class Fake:
    """A worker that knows its answers beforehand, and writes down who was asked when."""

    def __init__(self, name: str, times: list[float], result: list[list[float]],
                 asked: list[str]) -> None:
        self.name, self.times, self.result, self.asked = name, list(times), result, asked
        self.closed = False

    def ask(self, **request: Any) -> dict[str, Any]:
        first = self.name not in self.asked
        self.asked.append(self.name)
        answer = {"first": 1.5, "result": self.result, "accuracy": None} if first else {}
        return {**answer, "times": [self.times.pop(0)], "peak": 3 << 20}

    def close(self) -> None:
        self.closed = True


def measured(theirs: list[list[float]], own: list[list[float]], tolerance: float = 1e-9,
             ) -> tuple[list[Row], list[str], list[Fake]]:
    asked: list[str] = []
    fakes = {OURS: Fake(OURS, [2e-6, 9e-6, 4e-6], own, asked),
             "fake": Fake("fake", [30e-6, 10e-6, 12e-6], theirs, asked)}
    benchmark = Benchmark("one", "a call", lambda: {"x": np.ones(2)}, TWO, tolerance)
    try:
        return harness.measure(benchmark, TWO, 3, fakes.__getitem__), asked, list(fakes.values())
    finally:
        assert all(fake.closed for fake in fakes.values())


def test_rounds_alternate_and_begin_with_another_one_each() -> None:
    rows, asked, _ = measured([[1.0]], [[1.0]])
    assert asked == [OURS, "fake", "fake", OURS, OURS, "fake"]
    assert [row.median for row in rows] == [4e-6, 12e-6]


def test_the_table_shows_medians_and_their_ratio() -> None:
    rows, *_ = measured([[1.0]], [[1.0]])
    header, own, theirs = harness.table(rows)
    assert header.split() == ["first", "result", "then", "ratio"]
    assert own.split() == [OURS, "1.5", "s", "4", "us", "1.00"]
    assert theirs.split() == ["fake", "1.5", "s", "12", "us", "3.00"]


@pytest.mark.parametrize("wrong", [
    [[1.0], [3.0, -4.0 * (1 + 1e-6)]], [[1.0], [3.0]], [[1.0]], [[float("nan")], [3.0, -4.0]]])
def test_a_wrong_answer_is_refused(wrong: list[list[float]]) -> None:
    with pytest.raises(WrongAnswer, match="fake"):
        measured(wrong, [[1.0], [3.0, -4.0]])


def test_differences_are_relative_to_the_largest_number_of_a_group() -> None:
    measured([[1e3], [1e-9 * (1 + 1e-10)]], [[1e3], [1e-9]])
    with pytest.raises(WrongAnswer, match="group 1"):
        measured([[1e3], [1.001e-9]], [[1e3], [1e-9]])
    measured([[5.0, 1e-14]], [[5.0, 0.0]])


def test_zeros_agree_only_with_zeros() -> None:
    measured([[0.0, 0.0]], [[0.0, 0.0]])
    with pytest.raises(WrongAnswer):
        measured([[0.0, 1e-3]], [[0.0, 0.0]])


def test_a_wrong_answer_is_told_and_counts_as_a_failure(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    results = {OURS: [[1.0]], "jax": [[2.0]]}
    monkeypatch.setattr(environments, "worker",
                        lambda peer, all_cores: Fake(peer, [1e-6] * 2, results[peer], []))
    assert not command.run(BENCHMARKS["rosenbrock"], ["jax"], 1)
    printed = capsys.readouterr().out
    assert "jax and chainrule differ" in printed and "first result" not in printed


def test_who_fails_does_not_stop_the_others() -> None:
    def make(peer: str) -> Fake:
        if peer == "fake":
            raise PeerError("cannot be installed: no network")
        return Fake(peer, [1e-6], [[1.0]], [])

    benchmark = Benchmark("one", "a call", dict, TWO)
    rows = harness.measure(benchmark, TWO, 1, make)
    assert harness.table(rows)[2].split(maxsplit=1) == ["fake", "cannot be installed: no network"]
    assert rows[0].median == 1e-6


def test_goals_are_judged_by_our_row_and_the_peers() -> None:
    benchmark = Benchmark("one", "a call", dict, TWO, most=3e-6, first=2.0,
                          ratios=(("fake", 3.0), ("fake", 3.1), ("absent", 2.0)))
    rows, *_ = measured([[1.0]], [[1.0]])
    assert [line.split()[0] for line in harness.goals(benchmark, rows)] == [
        "MISSED", "reached", "reached", "MISSED"]


@pytest.mark.parametrize(("ours", "word"), [
    (0.5, "reached"), (2.0, "reached"), (2.1, "MISSED")])
def test_first_results_are_judged_beside_the_quickest_of_a_peer(ours: float, word: str) -> None:
    benchmark = Benchmark("one", "a call", dict, TWO, firsts=(("fake", 2.0), ("absent", 2.0)))
    rows = [harness.Row(entry, first, [1.0]) for entry, first in zip(
        (*TWO, TWO[1]), (ours, 1.0, 3.0), strict=True)]
    assert harness.goals(benchmark, rows) == [f"  {word:7}  first result within 2 times fake's"]


@pytest.mark.parametrize(("seconds", "text"), [
    (2.5e-7, "0.25 us"), (14.24e-6, "14.2 us"), (2e-3, "2 ms"), (0.99961, "1 s"),
    (0.99949, "999 ms"), (1.083, "1.08 s"), (1234.0, "1,234 s")])
def test_durations(seconds: float, text: str) -> None:
    assert harness.duration(seconds) == text


def test_the_listing_names_every_benchmark_and_peer(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    printed = capsys.readouterr().out
    for name in (*BENCHMARKS, "growth", "scaling", *environments.REQUIREMENTS):
        assert name in printed


@pytest.mark.parametrize("given", [["moon"], ["--peers", "jax,tensorflow"], ["--repetitions", "0"]])
def test_what_does_not_exist_is_refused(given: list[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(given)


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=BENCHMARKS)
def test_every_entry_has_a_function_and_an_environment(benchmark: Benchmark) -> None:
    assert benchmark.entries[0].peer in OUR_OWN
    for entry in benchmark.entries:
        source = (PEERS / f"{entry.peer}.py").read_text()
        name = entry.function or benchmark.name
        assert f"def {name}(" in source or f"\n{name} = " in source
        assert entry.peer in (*OUR_OWN, *environments.REQUIREMENTS)


# --- a real worker, with a peer that needs no network -------------------------------------------

PEER = '''
from peers.job import Job

def loop(data):
    def call():
        print("noise")
        return [data["x"], [2.0]]
    return Job(call, units=2, accuracy=lambda: 0.5)

def broken(data):
    raise ValueError("no such thing")

def allowed(data):
    import os
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return Job(lambda: [[int(os.environ.get("CHAINRULE_THREADS", 0)), cores]])

def slow(data):
    import time
    return Job(lambda: time.sleep(60))

def deadly(data):
    import os
    os._exit(3)
'''


def worker(folder: Path, timeout: float = 60.0, all_cores: bool = False) -> Worker:
    (folder / "fake_peer.py").write_text(PEER)
    np.savez(folder / "data.npz", x=np.array([1.0, 3.0]))
    return Worker(Path(sys.executable), "fake_peer", [folder], timeout, all_cores)


def test_a_worker_answers_requests(tmp_path: Path) -> None:
    peer = worker(tmp_path)
    request = {"data": str(tmp_path / "data.npz"), "repetitions": 2, "seconds": 1e-4}
    try:
        first = peer.ask(benchmark="loop", **request)
        assert first["result"] == [[1.0, 3.0], [2.0]]
        assert first["accuracy"] == 0.5 and first["first"] > 0.0 and len(first["times"]) == 2
        assert set(peer.ask(benchmark="loop", **request)) == {"times", "peak"}
        with pytest.raises(PeerError, match="no such thing"):
            peer.ask(benchmark="broken", **request)
        with pytest.raises(PeerError, match="ended with code 3"):
            peer.ask(benchmark="deadly", **request)
    finally:
        peer.close()


def test_who_takes_too_long_is_ended(tmp_path: Path) -> None:
    peer = worker(tmp_path, timeout=1.0)
    try:
        with pytest.raises(PeerError, match="took more than 1 s"):
            peer.ask(benchmark="slow", data=str(tmp_path / "data.npz"), repetitions=1, seconds=1e-4)
    finally:
        peer.close()


def test_a_worker_has_one_core_or_all_of_them(tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAINRULE_THREADS", raising=False)
    found = []
    for all_cores in (False, True):
        peer = worker(tmp_path, all_cores=all_cores)
        try:
            found += peer.ask(benchmark="allowed", data=str(tmp_path / "data.npz"), repetitions=1,
                              seconds=1e-4)["result"]
        finally:
            peer.close()
    has_choice = hasattr(os, "sched_getaffinity")
    assert found == [[1, int(has_choice)], [0, len(os.sched_getaffinity(0)) if has_choice else 0]]


def test_half_an_environment_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           ) -> None:
    monkeypatch.setenv("CHAINRULE_BENCHMARKS_DIR", str(tmp_path))
    monkeypatch.setitem(environments.REQUIREMENTS, "fake", ("nothing",))
    made: list[Path] = []

    def create(place: Path, **options: Any) -> None:
        python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        python.parent.mkdir(parents=True, exist_ok=True)
        python.touch()
        made.append(place)

    said: list[str] = []
    monkeypatch.setattr(environments.venv, "create", create)
    monkeypatch.setattr(environments.subprocess, "run", lambda *_, **__: None)
    create(tmp_path / f"fake-{sys.version_info[0]}.{sys.version_info[1]}")
    python = environments.environment("fake", said.append)
    assert environments.environment("fake", said.append) == python
    assert len(made) == 2 and len(said) == 1 and "installing nothing" in said[0]
    assert json.loads((made[0] / "installed.json").read_text()) == ["nothing"]


@pytest.mark.parametrize("kind", growth.KINDS)
def test_every_stage_of_growth_is_measured(kind: str) -> None:
    pytest.importorskip("llvmlite")
    found = growth.stages(kind, 500)
    assert 250 <= found["instructions"] <= 1000
    assert tuple(found["stages"]) == growth.STAGES
    assert tuple(growth.calls(kind, 500)["stages"]) == growth.CALLS
    assert all(seconds > 0.0 and peak >= 0 for seconds, peak in found["stages"].values())


def test_both_trainings_of_a_network_are_measured() -> None:
    pytest.importorskip("llvmlite")
    found = growth.network(2)
    assert found["instructions"] == 785 * 2 + 3 * 10
    assert tuple(found["stages"]) == growth.FITS
    assert all(seconds > 0.0 and peak >= 0 for seconds, peak in found["stages"].values())


# --- scaling --------------------------------------------------------------------------------------

def test_the_table_of_scaling_has_both_sides_and_their_ratios(
        capsys: pytest.CaptureFixture[str]) -> None:
    made: list[str] = []

    def make(peer: str) -> Fake:
        made.append(peer)
        return Fake(peer, [2e-6 if peer == OURS else 5e-6] * 3, [[1.0]], [])

    assert scaling.run(10**3, make=make)
    assert sorted(made) == ["chainrule"] * 2 + ["jax"] * 2  # a process each
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    measured = ["1.5", "s", "1.5", "s", "1.00", "2", "us", "5", "us", "2.50", "3", "MiB", "3",
                "MiB", "1.00"]
    assert ["1,000", "parameters", *measured] in lines
    assert ["1,000", "rows", *measured] in lines


def test_scaling_says_who_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(Fake):
        def ask(self, **request: Any) -> dict[str, Any]:
            raise PeerError("took more than 240 s")

    def make(peer: str) -> Fake:
        return (Fake if peer == OURS else Failing)(peer, [2e-6] * 3, [[1.0]], [])

    assert not scaling.run(10**3, make=make)
    assert capsys.readouterr().out.count("jax: took more than 240 s") == 2


def test_networks_of_scaling_have_about_so_many_parameters() -> None:
    for size, (nin, *widths) in scaling.NETWORKS.items():
        exact = sum((a + 1) * b for a, b in zip([nin, *widths], widths, strict=False))
        assert abs(exact / size - 1.0) < 0.01
