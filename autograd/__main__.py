"""The command line: ``python -m autograd "x**2 - 6*x + 5" x=10``."""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Sequence
from inspect import Parameter, Signature
from typing import Any

from autograd.core.graph import leaves
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.value import Value
from autograd.parsing import Expression, ExpressionError, functions, library, parse_values
from autograd.suggestions import for_name, hint


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 if all went well, 1 if a check failed or could check nothing, 2 for input that is wrong.
    """
    # The minus of "-x + 1" is no option's: with a space before it, argparse takes it as it is.
    options = _parser().parse_args([
        f" {each}" if re.match(r"-(?!-|h$)", each) else each
        for each in (sys.argv[1:] if arguments is None else arguments)])
    try:
        return _run(options)
    except (ExpressionError, *DOMAIN_ERRORS) as error:
        print(f"error: {error}", file=sys.stderr)
    except (ImportError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m autograd",
        description="Value and exact derivatives of an expression.",
        epilog=f"functions: {', '.join(sorted(functions()))}; of autograd.special: "
               f"{', '.join(sorted(library()))}; constants: pi, e")
    parser.add_argument("expression", help='for example "x**2 - 6*x + 5"')
    parser.add_argument("values", nargs="*", metavar="name=number", help="for example x=10")
    parser.add_argument("--draw", metavar="FILE", type=_as_typed,
                        help="draw the graph (.svg, .png, .pdf)")
    parser.add_argument("--explain", action="store_true", help="write out the chain rule")
    parser.add_argument("--check", action="store_true",
                        help="compare the gradient with an independent calculation")
    parser.add_argument("--descend", action="store_true", help="gradient descent from the values")
    parser.add_argument("--rate", type=float, default=0.1, help="learning rate (default 0.1)")
    parser.add_argument("--steps", type=int, default=20, help="steps (default 20)")
    return parser


def _as_typed(text: str) -> str:
    """Without the space that keeps argparse from taking it for an option."""
    return text[1:] if text.startswith(" -") else text


def _run(options: argparse.Namespace) -> int:
    values = parse_values(options.values)
    expression = Expression(options.expression)
    unused = [name for name in values if name not in expression.names]
    if unused:
        raise ExpressionError(f"{', '.join(unused)} is not in the expression, which has "
                              f"{', '.join(expression.names) or 'no names'}"
                              f"{hint(*for_name(unused[0], expression.names))}")
    if options.draw == "":
        raise ExpressionError("--draw needs the name of a file, such as graph.svg")
    y = expression(values)
    if not isinstance(y, Value):  # no name has a part in it
        y = Value(y)
    _print_derivatives(y, expression, values)
    if not expression.names:
        return _without_names(options)
    if options.explain:
        print(f"\n{_explained(y, expression, values)}")
    failed = _draw(y, options.draw) if options.draw is not None else 0
    if options.check:
        failed = max(failed, _check(expression, values))
    if options.descend:
        _descend(expression, values, options.rate, options.steps)
    return failed


def _without_names(options: argparse.Namespace) -> int:
    asked = [done for option, done in (("explain", "explained"), ("draw", "drawn"),
                                       ("check", "checked"), ("descend", "minimized"))
             if getattr(options, option) not in (False, None)]
    if asked:
        print(f"\nnothing was {' or '.join(asked)}: the expression holds no names to "
              "differentiate by")
    return int(bool(asked))


def _explained(y: Value, expression: Expression, values: dict[str, Value]) -> str:
    from autograd.explaining.chain_rule import explain

    reached = set(leaves(y))
    targets = [values[name] for name in expression.names if values[name] in reached]
    others = [name for name in expression.names if values[name] not in reached]
    parts = [str(explain(y, targets))] if targets else []
    if others:
        parts.append(f"{', '.join(others)} had no part in the value here; the derivative is 0")
    return "\n\n".join(parts)


def _print_derivatives(y: Value, expression: Expression, values: dict[str, Value]) -> None:
    if not y.label and y.op is not None:
        y.label = "y" if "y" not in values else "f"
    y.backward()
    rows = [("value", y.data), *((f"d/d{name}", values[name].grad) for name in expression.names)]
    width = max(len(name) for name, _ in rows)
    for name, number in rows:
        print(f"{name:<{width}}  {number:.17g}" if number != round(number, 12)
              else f"{name:<{width}}  {number:.12g}")


def _draw(y: Value, path: str) -> int:
    """Draw the graph; what else was asked for is not lost if that fails."""
    from autograd.drawing.graph import draw

    try:
        print(f"\ndrawn to {draw(y, local_derivatives=True).render(path)}")
    except (OSError, RuntimeError, ValueError) as error:
        print(f"error: nothing was drawn: {error}", file=sys.stderr)
        return 2
    return 0


def _check(expression: Expression, values: dict[str, Value]) -> int:
    from autograd.checking.gradient_check import gradcheck
    from autograd.checking.reports import GradientError

    names = expression.names

    def function(*numbers: Any) -> Any:
        return expression(dict(zip(names, numbers, strict=True)))

    # By the names of the expression, not as items of a point, messages speak of what was typed.
    function.__signature__ = Signature([  # type: ignore[attr-defined]
        Parameter(name, Parameter.POSITIONAL_ONLY) for name in names])
    function.__name__ = "the expression"
    try:
        report = gradcheck(function, *(values[name].data for name in names))
    except GradientError as error:
        print(f"\n{error}")
        return 1
    print(f"\n{report}")
    return 0 if report else 1


def _descend(expression: Expression, values: dict[str, Value], rate: float, steps: int) -> None:
    from autograd.descent import descend

    names = expression.names
    path = descend(lambda point: expression(dict(zip(names, point, strict=True))),
                   [values[name].data for name in names], rate, steps)
    print("\n" + "".join(f"{title:>14}" for title in ("step", *names, "value")))
    rows = list(zip(path.points, path.values, strict=True))
    for step in _some(len(rows)):
        point, value = rows[step]
        print(f"{step:>14}" + "".join(f"{x:>14.6g}" for x in (*point, value)))
    print(f"stopped: {path.reason}")


def _some(count: int) -> list[int]:
    """All rows of a short table, about twenty of a long one, its ends included."""
    stride = max(1, (count - 1) // 20)
    return sorted({*range(0, count, stride), count - 1})


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # λ and ∂ on a terminal that has no such letters
        sys.stdout.reconfigure(errors="backslashreplace")
    raise SystemExit(main())
