"""``python -m autograd``: what it prints, and what it refuses."""

from __future__ import annotations

import os
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
    assert "dy/dx = 2 x - 6" in out
    assert "gradient is right" in out
    assert ["1", "8.6", "27.36"] in [line.split() for line in out.splitlines()]
    assert ["2", "7.48", "16.0704"] in [line.split() for line in out.splitlines()]


@pytest.mark.parametrize("arguments, words", [
    (("relu(x)", "x=0"), "relu(x = 0.0) sits on its kink, where more than one slope would do; "
                         "check beside it, for example at x = 0.001"),
    (("sin(1e12 * x)", "x=123456.7"), "rounding hides the slope here"),
    (("2 + 3",), "the expression holds no names to differentiate by"),
])
def test_a_check_that_checked_nothing_has_failed_and_says_why(
        capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str) -> None:
    code, out, _ = run(capsys, *arguments, "--check")
    assert code == 1
    assert "nothing was checked" in out and words in out and "right" not in out


def test_a_check_of_some_names_passes_and_says_which_were_left_out(
        capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "relu(x) + y**2", "x=0", "y=3", "--check")
    assert code == 0
    assert "right as far as it was checked" in out and "(x nowhere checked)" in out


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


@pytest.mark.parametrize("text", [
    "x" + "+x" * 999, "x" + "-x*2" * 490, "2*x" + " - 1/x" * 330, "x" + "*x" * 999,
    "x - (" * 90 + "x" + "+x" * 300 + ")" * 90, "sum(" + "x, " * 600 + "x)",
    "where(" + "0 < " * 400 + "x, 1, x)",
])
def test_long_expressions_are_no_deep_ones(text: str) -> None:
    assert len(text) <= 2_000
    expression = Expression(text)
    for x in (0.5, -1.25):
        value = Value(x, "x")
        y = expression({"x": value})
        assert y.data == expression({"x": x})
        if not text.startswith(("sum", "where")):
            assert y.data == eval(text, {"x": x})


def test_all_that_the_command_does_can_be_done_with_a_long_sum(
        capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, "x" + "+x" * 999, "x=0.5", "--explain", "--check", "--descend",
                         "--rate", "1e-6", "--steps", "2")
    assert (code, err) == (0, "")
    assert out.startswith("value  500\nd/dx   1000\n")
    assert "gradient is right" in out


@pytest.mark.parametrize(("text", "meant"), [
    ("x^2", "x**2"), ("2x", "2*x"), ("2 x^2 - 3x", "2*x**2 - 3*x"), ("(x+1)(x-1)", "(x+1)*(x-1)"),
    ("x(2)", "x*2"), ("2(x)", "2*x"), ("x²", "x**2"), ("x − 1", "x - 1"), ("|x|", "abs(x)"),
    ("y = x**2", "x**2"), ("f(x) = x", "x"), ("max(x, y)", "maximum(x, y)"),
    ("min(x, y)", "minimum(x, y)"), ("max(x, y, 2)", "maximum(maximum(x, y), 2)"),
    ("max([x, y])", "maximum(x, y)"), ("1 + maximum(x, y, 2)", "maximum(maximum(x, y), 2)"),
    ("ln(x)", "log(x)"), ("pow(x, 2)", "x**2"), ("pow(x + 1, y)", "(x + 1)**y"),
    ("math.pow(x, y)", "x**y"), ("arctan(x)", "atan(x)"), ("absolute(x)", "abs(x)"),
    ("log(x, 2)", "log(x) / log(2)"), ("tahn(x)", "tanh(x)"), ("sqroot(x)", "sqrt(x)"),
    ("sigmod(x)", "sigmoid(x)"),
    ("Sin(x)", "sin(x)"), ("EXP(x)", "exp(x)"), ("math.sin(x)", "sin(x)"), ("np.exp(x)", "exp(x)"),
    ("math.pi", "pi"), ("x if x > 0 else y", "where(x > 0, x, y)"), ("exp([x])", "exp(x)"),
    ("where([x], 1, y)", "where(x, 1, y)"), ("sum(x, [y])", "sum(x, y)"),
    ("max(min(x, y), 1)", "minimum(x, y)"), ("x y", "x*y"), ("2 3", "2*3"), ("x·y", "x*y"),
    ("sin x", "sin(x)"), ("sin 2x", "sin(2*x)"), ("sin^2(x)", "sin(x)**2"), ("√x", "sqrt(x)"),
    ("√(x + 1)", "sqrt(x + 1)"), ("x\u00a0+ 1", "x + 1"), ("x\u200b+1", "x+1"),
    ("d/dx x**2", "x**2"),
])
def test_what_people_write_is_answered_with_what_to_write(
        text: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, text, "x=1", "y=3")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.endswith(f"; did you mean {meant}?\n")
    Expression(meant)


@pytest.mark.parametrize(("text", "message"), [
    ("dot(x, x)", "dot takes two lists; write dot([a, b], [c, d])"),
    ("dot([x], x)", "dot takes two lists"), ("dot([x], [x, 1])", "one length, not 1 and 2"),
    ("[x] + [x]", "[x] is a list in the place of a number"), ("-[x]", "[x] is a list"),
    ("sum([x] + [x])", "[x] is a list"), ("sum([x] * 3)", "[x] is a list"),
    ("sum([[x]])", "[x] is a list"), ("where([x] < [2], x, 1)", "[x] is a list"),
    ("x * (x, 1)", "(x, 1) is a list"), ("norm([x], [x])", "did you mean norm(x, x)?"),
    ("[x]", "'[x]' is a list, not a number"), ("x, 1", "'x, 1' is a list, not a number"),
    ("x < 1", "'x < 1' is a comparison, not a number"),
    ("qwerty(x)", "there is no function 'qwerty' (python -m autograd --help lists them)"),
    ("x % 2", "(python -m autograd --help lists them)"),
    ("x^2 + max(x, 1)", "; a power is written **"),
    ("exp()", "exp takes 1 argument(s), not 0; write exp(x)\n"),
    ("where(x > 0, 1)", "where takes 3 argument(s), not 2; write where(condition, a, b)\n"),
    ("1,5*x", "'1,5*x' is a list, not a number"), ("x * 2,5", "; did you mean x * 2.5?\n"),
    ("x=3", "'x=3' is a value for a name; the expression comes first, for example \"x**2\" x=3\n"),
    ("", "there is no expression; write for example \"x**2 - 6*x\" x=10\n"), (" ", "no expression"),
])
def test_misuse_is_answered_in_one_short_line(text: str, message: str,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, text, "x=1")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert len(err) < 220


@pytest.mark.parametrize(("text", "values", "message"), [
    ("X + 1", ["x=1"], "x is not in the expression, which has X; did you mean X?"),
    ("rate * x", ["x=1", "rat=2"], "did you mean rate?"),
    ("x * PI", ["x=1"], "no value is given for PI; write PI=1.5; did you mean pi?"),
    ("x * π", ["x=1"], "did you mean pi?"),
])
def test_names_that_are_nearly_right_are_answered(text: str, values: list[str], message: str,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, text, *values)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(("text", "value"), [("-x", "3"), ("-x**2 + 1", "-8"), ("-(x + 1)", "2"),
                                             ("-2*x", "6"), ("-exp(x - x)", "-1")])
def test_an_expression_may_begin_with_a_minus(text: str, value: str,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, text, "x=-3", "--rate", "-1e-3")
    assert code == 0
    assert out.splitlines()[0].split() == ["value", value]


def test_a_folder_that_does_not_exist_is_made(capsys: pytest.CaptureFixture[str],
                                              tmp_path: Path) -> None:
    path = tmp_path / "no" / "such" / "graph.svg"
    code, out, _ = run(capsys, "x**2", "x=1", "--draw", str(path))
    assert code == 0
    assert f"drawn to {path}" in out
    assert "<svg" in path.read_text(encoding="utf-8")


def test_nothing_else_is_lost_if_the_drawing_fails(capsys: pytest.CaptureFixture[str],
                                                   tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    code, out, err = run(capsys, "x**2", "x=1", "--draw", str(tmp_path / "file" / "graph.svg"),
                         "--explain", "--check", "--descend", "--steps", "3")
    assert code == 2
    assert err.startswith("error: nothing was drawn: ")
    assert out.startswith("value  1\nd/dx   2\n")
    for words in ("dy/dx = ", "gradient is right", "stopped: "):
        assert words in out
    code, out, err = run(capsys, "x**2", "x=1", "--draw", "")
    assert (code, out) == (2, "")
    assert "--draw needs the name of a file" in err


@pytest.mark.parametrize(("text", "message"), [
    ("9**9**9 + x", "pow overflows at (9.0, 387420489.0)"),
    ("1 / (1e308 * 10) + x", "mul overflows"), ("x - 1e308 - 1e308", "sub overflows"),
    ("log(x - 1)", "log is not defined"), ("1/(x - 1)", "div is not defined"),
    ("(0-8)**(1/3) + x", "pow is not defined"),
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
    (["x="], "'' is not a number; write x=1.5\n"), (["x=1,25"], "; write x=1.25\n"),
    (["x=1/4"], "; write x=0.25\n"), (["x=2^3"], "; write x=8\n"), (["x=−2"], "; write x=-2\n"),
    (["x=0x10"], "; write x=16\n"), (["x=1/0"], "; write x=1.5\n"), (["x=y"], "; write x=1.5\n"),
    (["lambda=1"], "lambda is a word of Python's own; choose another name, such as lambda_\n"),
    (["-x=1"], "'-x=1' is not a value for a name"), (["x=1", "a·b=1"], "'a·b=1' is not a value"),
])
def test_wrong_values_are_answered(values: list[str], message: str,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "x + 1", *values)
    assert code == 2
    assert message in err


def test_names_are_the_same_in_values_as_in_expressions(
        capsys: pytest.CaptureFixture[str]) -> None:
    """Python takes the sign of micro for the letter mu, and wide letters for plain ones."""
    code, out, err = run(capsys, "\u00b5 * \uff58", "\u00b5=3", "\uff58=2")
    assert (code, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["value", "6"], ["d/dx", "3"], ["d/d\u03bc", "2"]]


def test_a_name_without_a_part_in_the_value_has_the_derivative_0(
        capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    everything = ("--explain", "--check", "--descend", "--steps", "2", "--draw",
                  str(tmp_path / "graph.svg"))
    for text, slopes in (("where(x > 0, y, 1)", ["0", "1"]), ("where(y > 0, 1, x)", ["0", "0"]),
                         ("(x < y) + 1", ["0", "0"])):
        code, out, err = run(capsys, text, "x=1", "y=2", *everything)
        assert (code, err) == (0, ""), text
        assert [line.split() for line in out.splitlines()[1:3]] == [
            ["d/dx", slopes[0]], ["d/dy", slopes[1]]]
        assert "had no part in the value here; the derivative is 0" in out
        assert "dy/dx" not in out
        for words in ("gradient is right", "drawn to", "stopped: "):
            assert words in out


@pytest.mark.parametrize(("option", "words"), [
    ("--explain", "explained"), ("--draw=graph.svg", "drawn"), ("--descend", "minimized")])
def test_what_cannot_be_done_without_names_is_said(
        option: str, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, "2 + 3", option)
    assert code == 1
    assert f"nothing was {words}: the expression holds no names" in out
    assert not list(tmp_path.iterdir())


def test_names_of_pictures_are_taken_as_they_are(
        capsys: pytest.CaptureFixture[str], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "x**2", "x=1", "--draw", "-")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["-.svg"]
    code, out, err = run(capsys, "x**2", "x=1", "--draw", ".", "--explain")
    assert code == 2
    assert err == "error: nothing was drawn: . is a folder; give a file in it a name\n"
    assert "dy/dx" in out


def test_letters_that_the_terminal_has_not_are_no_error() -> None:
    done = subprocess.run([sys.executable, "-m", "autograd", "λ**2 + norm(λ, 2)", "λ=2",
                           "--explain"], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert "d/d\\u03bb" in done.stdout
    assert done.stderr == ""


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
        if row.orders:
            arguments, operands = "2, x", (2.0, at)
        result = Expression(f"{name}({arguments})")({"x": Value(at, "x")})
        assert isinstance(result, Value), name
        assert result.data == TABLE[name].evaluate(operands), name


def test_values_carry_their_names_as_labels() -> None:
    values = parse_values(["x=10", "w_0=-2.5e-3"])
    assert {name: (v.data, v.label) for name, v in values.items()} == {
        "x": (10.0, "x"), "w_0": (-0.0025, "w_0")}
    with pytest.raises(ExpressionError):
        parse_values(["x:1"])
