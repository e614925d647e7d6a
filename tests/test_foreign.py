"""The table of foreign code: what is a case, what is right, and what is said of the rest."""

from __future__ import annotations

import importlib
import json
import math
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Value
from tests.foreign import __main__ as command
from tests.foreign import (
    copies,
    documented,
    hips,
    hips_names,
    judging,
    numpy_functions,
    problems,
)
from tests.foreign.copies import MissingError, Packages, Repository
from tests.foreign.judging import Outcome, judged, said

# --- judging -------------------------------------------------------------------------------------


def test_a_right_function_is_right() -> None:
    assert judged("f", lambda x: math.exp(x[0]) * x[1], lambda x: x[0].exp() * x[1],
                  [0.5, 2.0]).verdict == "right"


def test_a_slope_that_is_off_by_a_thousandth_is_wrong() -> None:
    outcome = judged("f", lambda x: x[0] ** 2, lambda x: x[0] ** 2 + 1e-3 * (x[0] - x[0].data),
                     [1.5])
    assert outcome.verdict == "wrong" and "derivative 0 is 3.001" in outcome.why


def test_another_value_and_a_lost_slope_are_wrong() -> None:
    assert "value" in judged("f", lambda x: x[0], lambda x: x[0] + 1e-6, [1.0]).why
    lost = judged("f", lambda x: x[0] * x[1], lambda x: x[0] * x[1].data, [1.0, 2.0])
    assert lost.verdict == "wrong" and "derivative 1 is 0.0" in lost.why


def test_at_a_kink_each_side_and_what_is_between_is_right() -> None:
    for factor in (0.0, 0.3, 1.0):
        def ours(x: Any, factor: float = factor) -> Any:
            return factor * x[0]

        assert judged("relu", lambda x: max(x[0], 0.0), ours, [0.0]).verdict == "right"
    assert judged("relu", lambda x: max(x[0], 0.0), lambda x: -0.5 * x[0],
                  [0.0]).verdict == "wrong"


def test_a_branch_for_one_point_is_unclear() -> None:
    def power(x: Any) -> Any:
        return 1.0 + 0.0 * x[0] if x[0] == 1.0 else x[0] ** 3

    outcome = judged("f", power, power, [1.0])
    assert outcome.verdict == "unclear" and "beside the point it is right" in outcome.why


def test_jit_is_compared_with_the_eager_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "COMPILED", True)
    seen: list[float] = []

    def forgetful(x: Any) -> Any:
        return x[0] * x[1] if x[0].data < 2.0 else x[0] + x[1]

    def drawing(x: Any) -> Any:
        return x[0] * np.random.default_rng().uniform()

    def counting(x: Any) -> Any:
        seen.append(1.0)
        return x[0] ** 2

    for function, verdict in ((lambda x: x[0].exp() * x[1], "same"), (forgetful, "same"),
                              (drawing, "refused"), (counting, "refused")):
        assert judged("f", function, function, [1.9999, 3.0]).verdict == verdict
    assert judging.compiled(counting, [1.0], ignore=("seen",)) == ("same", "")
    values = iter(range(100))
    monkeypatch.setattr(judging, "jit", lambda function, **_: lambda x: (
        function(x)[0] + 1e-6 * next(values), function(x)[1]))
    assert judging.compiled(lambda x: x[0] ** 2, [1.0])[0] == "other"


def test_a_rounding_error_and_a_jump_are_no_wrong_slopes() -> None:
    def lost(x: Any) -> Any:
        return (x[0] + 1e16 - 1e16) * 1e-3

    outcome = judged("f", lost, lost, [1.0])
    assert outcome.verdict != "wrong"
    wrong = judged("f", lambda x: x[0] ** 2, lambda x: x[0] * x[0].data, [1.5])
    assert wrong.verdict == "wrong"


def test_a_number_that_can_only_be_what_it_is_is_no_variable() -> None:
    def tubes(x: float, count: float) -> float:
        return x * {2.0: 0.5, 4.0: 0.7}[count]

    space: dict[str, Any] = {"tubes": tubes}
    code, point = documented.case("tubes(3.0, 4)", space, space) or ("", [])
    assert point == [3.0]


def test_numpy_functions_are_judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_functions, "SPACES", {"np.linalg": np.linalg})
    found = {outcome.case: outcome.verdict for outcome in numpy_functions.outcomes()}
    assert found["np.linalg.solve"] == found["np.linalg.lstsq"] == "right"
    assert found["np.linalg.eig"] == "refused" and "wrong" not in found.values()


def test_an_error_is_a_refusal_that_is_counted_without_its_numbers() -> None:
    outcome = judged("f", lambda x: math.exp(x[0]), lambda x: math.exp(x[0]), [0.5])
    assert outcome.verdict == "refused" and outcome.why.startswith("TypeError: math.exp of a Value")
    assert said(ValueError("row 3 is -1.5e-3\nand more")) == "ValueError: row # is #"


# --- examples in docstrings ----------------------------------------------------------------------

MODULE = '''
    """Examples."""
    import numpy as np
    from math import sqrt, floor


    class Sphere:
        """A sphere.

        >>> s = Sphere(2.0)
        >>> s.volume(0.5)
        16.7
        """
        def __init__(self, radius): self.radius = radius
        def volume(self, share): return share * 4.18879 * self.radius ** 3


    def rate(temperature, steps):
        """
        >>> rate(300.0, steps=3)
        51.9
        >>> round(rate(300.0, 3), 2)
        51.96
        >>> rate(300, 2.5)
        Traceback (most recent call last):
        TypeError: steps
        >>> [rate(1.0, 1), rate(4.0, 1)]
        [1.0, 2.0]
        """
        table = np.zeros(steps)
        for i in range(steps):
            table[i] = sqrt(temperature)
        return table.sum()


    def primes(n):
        """
        >>> primes(10)
        [2, 3, 5, 7]
        >>> floor(2.5)
        2
        """
        return [p for p in range(2, n) if all(p % q for q in range(2, p))]


    def lost(x):
        """
        >>> lost(4.0)
        2.0
        """
        return float("%s" % sqrt(x))
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"documented_by_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(MODULE))
    importlib.invalidate_caches()
    yield name
    sys.modules.pop(name, None)


def test_examples_are_functions_of_their_numbers(module: str) -> None:
    found = {outcome.case.removeprefix(f"{module}."): outcome
             for outcome in documented.outcomes([module])}
    assert {name: outcome.verdict for name, outcome in found.items()} == {
        "Sphere[1]": "right", "lost[0]": "refused", "rate[0]": "right", "rate[1]": "right",
        "rate[3]": "right"}


def test_the_numbers_of_an_example() -> None:
    space: dict[str, Any] = {"math": math, "sum": sum}
    code, point = documented.case("sum([math.hypot(3.0, 4), 2.5])", space, space) or ("", [])
    assert point == [3.0, 4.0, 2.5]
    assert documented.at(code, space)([6.0, 8.0, 1.0]) == 11.0  # type: ignore[arg-type]
    code, point = documented.case("math.ldexp(0.75, 4)", space, space) or ("", [])
    assert point == [0.75]  # the whole number is no float to it
    assert documented.case("x = math.exp(1.0)", space, space) is None
    assert documented.case("math.floor(2.5)", space, space) is None


# --- collections ---------------------------------------------------------------------------------

def test_least_squares_are_judged_at_their_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def dfovec(m: int, n: int, x: Any, number: int) -> Any:
        found = np.zeros(m)
        for i in range(m):
            found[i] = x[i % n] - float(number)
        return found

    class Module:
        pass

    plain, starts = Module(), Module()
    plain.dfovec = dfovec  # type: ignore[attr-defined]
    starts.dfoxs = lambda n, number, factor: factor * np.ones(n)  # type: ignore[attr-defined]
    monkeypatch.setattr(importlib, "import_module", {"dfovec": plain, "dfoxs": starts}.get)
    monkeypatch.setattr(problems, "adopt", lambda name: plain)
    assert {outcome.verdict for outcome in problems.least_squares()} == {"refused"}
    adopted = Module()
    adopted.dfovec = autograd.adopt(dfovec)  # type: ignore[attr-defined]
    monkeypatch.setattr(problems, "adopt", lambda name: adopted)
    outcomes = list(problems.least_squares())
    assert len(outcomes) == 53 and {outcome.verdict for outcome in outcomes} == {"right"}


# --- the tests of another library ----------------------------------------------------------------

def test_a_foreign_test_is_run_with_its_imports_changed(tmp_path: Path) -> None:
    source = tmp_path / "tests"
    source.mkdir()
    (source / "test_some.py").write_text(textwrap.dedent("""
        import autograd.numpy as np
        from autograd.test_util import check_grads
        from autograd.core import vspace
        from autograd import grad

        def test_right():
            check_grads(lambda x, y: np.sum(np.sin(x) * y), order=2)(np.ones(3), 2.0)

        def test_refused():
            vspace(1.0)

        def test_of_its_own():
            assert grad(lambda x: x * x)(3.0) == 7.0
        """))
    (source / "test_other.py").write_text("import nothing_like_it\ndef test_it(): pass\n")
    code = ("import json, pathlib, sys; from dataclasses import astuple; "
            "from tests.foreign import hips; folder = pathlib.Path(sys.argv[1]); "
            "print([astuple(o) for o in hips.outcomes(folder / 'tests', folder / 'changed')])")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True,
                          text=True, check=True, cwd=Path(hips.__file__).parents[2])
    found = {case: (verdict, why) for case, verdict, why in eval(done.stdout.splitlines()[-1])}
    assert found["test_some.test_right"][0] == "right"
    assert found["test_some.test_refused"] == (
        "refused", "NotImplementedError: there is no vspace here")
    assert found["test_some.test_of_its_own"][0] == "refused"
    assert "nothing_like_it" in found["test_other.test_it"][1]


def test_the_check_of_gradients_sees_a_wrong_one() -> None:
    hips_names.check_grads(lambda x: np.sin(x))(np.array([0.5, 1.0]))
    wrong = autograd.primitive(lambda x: np.asarray(x) ** 2, vjp=lambda g, _, x: 2.001 * g * x,
                               check=False, name="nearly")
    with pytest.raises(AssertionError, match="the derivative is"):
        hips_names.check_grads(wrong, order=1)(np.array([0.5, 1.0]))


# --- copies and the command ----------------------------------------------------------------------

def test_a_copy_is_made_once_and_again_if_it_is_not_whole(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_FOREIGN_DIR", str(tmp_path))
    made: list[tuple[str, ...]] = []

    def run(*words: str) -> None:
        made.append(words)
        if len(made) == 1:
            raise MissingError("git says: no network")

    monkeypatch.setattr(copies, "_run", run)
    copy = Repository("some", "https://example.org/some", ("maths",))
    with pytest.raises(MissingError, match="no network"):
        copies.had(copy)
    assert copies.had(copy) == copies.had(copy) == tmp_path / "some"
    assert [words[0] for words in made] == ["git"] * 3  # once in vain, then clone and choose


def test_what_cannot_be_had_is_skipped_and_said(monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    def missing(copy: Any) -> Path:
        raise MissingError("pip says: no network")

    monkeypatch.setattr(copies, "had", missing)
    assert command.main(["fluids"]) == 0
    assert "skipped: pip says: no network" in capsys.readouterr().out


def test_the_table_counts_and_a_wrong_number_fails(monkeypatch: pytest.MonkeyPatch,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = [Outcome("a", "right"), Outcome("b", "refused", "TypeError: no"),
                Outcome("c", "refused", "TypeError: no"), Outcome("d", "wrong", "1, not 2")]
    printed = "\n".join(["what it prints", *(
        command.MARK + json.dumps(astuple(outcome)) for outcome in outcomes)])
    monkeypatch.setattr(copies, "had", lambda copy: Path("nowhere"))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess(
        [], 1, printed, "Killed"))
    assert command.main(["ht"]) == 1
    shown = capsys.readouterr().out
    row = next(line for line in shown.splitlines() if line.startswith("documented examples of ht"))
    assert row.split()[4:9] == ["4", "1", "2", "1", "0"]
    assert "ended after 4 cases: Killed" in row
    assert "     2  TypeError: no  (first: b)" in shown and "wrong: d: 1, not 2" in shown


def test_what_there_is_can_be_listed_and_nothing_else_asked_for(
        capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    assert set(command.SUBJECTS) <= set(capsys.readouterr().out.split())
    with pytest.raises(SystemExit):
        command.main(["nothing"])
    assert "there is no subject 'nothing'" in capsys.readouterr().err
    assert all(isinstance(copy, Packages) or copy.name for subject in command.SUBJECTS.values()
               for copy in subject.wanted)
    assert isinstance(Value(1.0), Value)
