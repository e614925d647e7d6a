"""``python -m autograd``: what it prints, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograd import TABLE, Value
from autograd.__main__ import main
from autograd.parsing import Expression, ExpressionError, functions, parse_values


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_command_prints_value_and_derivatives() -> None:
    done = subprocess.run([sys.executable, "-m", "autograd", "x**2 - 6*x + 5", "x=10"],
                          capture_output=True, text=True, check=True)
    assert done.stdout == "value  45\nd/dx   14\n"


def test_several_names_are_derived_in_alphabetical_order(
        capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "hypot(b, a) * w", "w=2", "b=3", "a=4")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["value", "10"], ["d/da", "1.6"], ["d/db", "1.2"], ["d/dw", "5"]]


def test_explain_check_and_descend(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "x**2 - 6*x + 5", "x=10", "--explain", "--check", "--descend",
                       "--rate", "0.1", "--steps", "20")
    assert code == 0
    assert "dy/dx = -6 + 2 * x" in out
    assert "gradient is right" in out
    assert ["1", "8.6", "27.36"] in [line.split() for line in out.splitlines()]
    assert ["2", "7.48", "16.0704"] in [line.split() for line in out.splitlines()]


def test_draw_writes_the_graph(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, _ = run(capsys, "sin(x) * x", "x=1", "--draw", str(tmp_path / "g.svg"))
    assert code == 0
    assert "<svg" in (tmp_path / "g.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [
    "__import__('os').system('true')", "x.real", "x.__class__", "(lambda: 1)()", "[y for y in x]",
    "x if x else 1", "'text'", "1j", "True", "x[0]", "x and 1", "f'{x}'", "open('x')", "x := 2",
    "exp(x, x)", "exp(*x)", "exp(x=1)", "sin", "x+", "", "x; x", "identity(x)", "x % 2", "x // 2",
    "x < 1", "[x]", "1e999", "9" * 400,
])
def test_everything_off_the_whitelist_is_refused(
        text: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, text, *(["x=1"] if "x" in text else []))
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")


@pytest.mark.parametrize("text", [
    "(" * 500 + "x" + ")" * 500, "+" * 1500 + "x", "x" + "+x" * 5000, "x**" * 600 + "x",
    "exp(" * 90 + "x" + ")" * 90 + "+" * 200 + "1",
])
def test_deep_and_long_input_gets_an_error_instead_of_a_crash(
        text: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, text, "x=1")
    assert code == 2
    assert "deep" in err or "characters" in err or "nested" in err


@pytest.mark.parametrize(("text", "message"), [
    ("9**9**9 + x", "overflows"), ("log(x - 1)", "log is not defined"),
    ("1/(x - 1)", "div is not defined"), ("(0-8)**(1/3) + x", "pow is not defined"),
])
def test_domain_errors_name_the_operation(text: str, message: str,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, text, "x=1")
    assert code == 2
    assert message in err


@pytest.mark.parametrize(("values", "message"), [
    ([], "no value is given for x"), (["x=1", "z=2"], "z is not in the expression"),
    (["x"], "write x=1.5"), (["x=one"], "not a number"), (["x=1", "x=2"], "given twice"),
    (["pi=3", "x=1"], "has a meaning"), (["x=nan"], "finite"), (["2x=1"], "write x=1.5"),
])
def test_wrong_values_are_answered(values: list[str], message: str,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "x + 1", *values)
    assert code == 2
    assert message in err


def test_where_evaluates_only_the_arm_that_is_taken() -> None:
    expression = Expression("where(x > 0, sqrt(x), 0 - x)")
    assert expression({"x": 4.0}) == 2.0
    assert expression({"x": -4.0}) == 4.0


def test_every_public_function_can_be_called() -> None:
    for name, row in functions().items():
        at = 1.5 if name == "acosh" else 0.5
        arguments, operands = {
            1: ("x", (at,)), 2: ("x, 3 * x", (at, 3.0 * at)),
            3: ("x > 0, x, 3 * x", (1.0, at, 3.0 * at))}.get(
            row.arity or 0, ("[x, 3 * x]", (at, 3.0 * at)))
        if name == "dot":
            arguments, operands = "[x, x], [3 * x, 2]", (at, at, 3.0 * at, 2.0)
        result = Expression(f"{name}({arguments})")({"x": Value(at, "x")})
        assert isinstance(result, Value), name
        assert result.data == TABLE[name].evaluate(operands), name


def test_values_carry_their_names_as_labels() -> None:
    values = parse_values(["x=10", "w_0=-2.5e-3"])
    assert {name: (v.data, v.label) for name, v in values.items()} == {
        "x": (10.0, "x"), "w_0": (-0.0025, "w_0")}
    with pytest.raises(ExpressionError):
        parse_values(["x:1"])
