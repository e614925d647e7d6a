"""Expressions that come as text: parsed, checked against a whitelist, and never run as Python."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from typing import Any

from autograd.core import primitives
from autograd.core.value import Value

MOST_CHARACTERS, DEEPEST = 2_000, 100
CONSTANTS = {"pi": math.pi, "e": math.e}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: primitives.div(a, b), ast.Pow: lambda a, b: primitives.pow(a, b),
}
_RELATIONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: lambda a, b: a < b, ast.LtE: lambda a, b: a <= b, ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b, ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b,
}


class ExpressionError(ValueError):
    """The text is not an expression that can be differentiated; the message says why."""


def functions() -> dict[str, primitives.Primitive]:
    """The functions that an expression may call, by name."""
    return {name: row for name, row in primitives.TABLE.items() if not row.hidden}


class Expression:
    """An expression in names, ready to be evaluated on floats or Values.

    Args:
        text: for example ``"x**2 - 6*x + 5"``: numbers, names, + - * / **, comparisons (inside
            ``where``), the constants pi and e, and the functions of :func:`functions`.

    Attributes:
        text: the text.
        names: the names that want a value, in alphabetical order.

    Raises:
        ExpressionError: when the text is anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = _parsed(text)
        found: set[str] = set()
        _check(self.tree, 0, found)
        self.names = sorted(found)

    def __call__(self, values: Mapping[str, Any]) -> Any:
        """The value of the expression.

        Args:
            values: a float or a Value for each name.

        Raises:
            ExpressionError: when a name is missing.
            ValueError, ZeroDivisionError, OverflowError: outside the domain.
        """
        missing = [name for name in self.names if name not in values]
        if missing:
            raise ExpressionError(f"no value is given for {', '.join(missing)}; write "
                                  f"{missing[0]}=1.5")
        result = _evaluate(self.tree, values)
        if isinstance(result, bool | list):
            raise ExpressionError(f"{self.text!r} is not a number; a comparison stands inside "
                                  "where(x > 0, a, b), a list inside dot([a, b], [c, d])")
        return result


def _parsed(text: str) -> ast.expr:
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"the expression has {len(text)} characters, more than "
                              f"{MOST_CHARACTERS}")
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > DEEPEST:
            raise ExpressionError(f"brackets are nested deeper than {DEEPEST}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise ExpressionError(f"{text!r} is not an expression: {reason}") from None
    except (RecursionError, MemoryError):
        raise ExpressionError("the expression is nested too deeply") from None


def _check(node: ast.AST, depth: int, names: set[str]) -> None:
    """Walk the tree once and refuse whatever is not on the whitelist."""
    if depth > DEEPEST:
        raise ExpressionError(f"the expression is nested deeper than {DEEPEST}")
    children: list[ast.AST] = []
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise ExpressionError(f"{node.value!r} is not a real number")
        _number(node.value)
    elif isinstance(node, ast.Name):
        if node.id not in CONSTANTS:
            if node.id in functions():
                raise ExpressionError(f"{node.id} is a function; write {node.id}(x)")
            names.add(node.id)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        children = [node.operand]
    elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        children = [node.left, node.right]
    elif isinstance(node, ast.Compare) and all(type(op) in _RELATIONS for op in node.ops):
        children = [node.left, *node.comparators]
    elif isinstance(node, ast.List | ast.Tuple):
        children = list(node.elts)
    elif isinstance(node, ast.Call):
        _check_call(node)
        children = list(node.args)
    else:
        raise ExpressionError(f"{ast.unparse(node)!r} is not allowed in an expression; there are "
                              "numbers, names, + - * / **, comparisons inside where(...), and "
                              f"the functions {', '.join(sorted(functions()))}")
    for child in children:
        _check(child, depth + 1, names)


def _check_call(node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in functions():
        raise ExpressionError(f"there is no function {ast.unparse(node.func)!r}; there are "
                              f"{', '.join(sorted(functions()))}")
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        raise ExpressionError(f"{node.func.id} takes plain arguments only")
    row = functions()[node.func.id]
    wanted = row.arity if row.arity is not None else 2 if row.paired else None
    if wanted is not None and len(node.args) != wanted:
        raise ExpressionError(f"{row.name} takes {wanted} argument(s), not {len(node.args)}")


def _number(constant: int | float) -> float:
    try:
        number = float(constant)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise ExpressionError("a number is too large for a float")
    return number


def _evaluate(node: ast.AST, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return _number(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else values[node.id]
    if isinstance(node, ast.UnaryOp):
        operand = _evaluate(node.operand, values)
        return -operand if isinstance(node.op, ast.USub) else operand
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
    if isinstance(node, ast.Compare):
        operands = [_evaluate(part, values) for part in (node.left, *node.comparators)]
        return all(_RELATIONS[type(op)](a, b) for op, a, b in
                   zip(node.ops, operands, operands[1:], strict=False))
    if isinstance(node, ast.List | ast.Tuple):
        return [_evaluate(part, values) for part in node.elts]
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return _call(functions()[node.func.id], node.args, values)


def _call(row: primitives.Primitive, arguments: list[ast.expr],
          values: Mapping[str, Any]) -> Any:
    if row.name == "where":  # only the arm that is taken is evaluated
        condition, a, b = arguments
        return row(_evaluate(condition, values), lambda: _evaluate(a, values),
                   lambda: _evaluate(b, values))
    operands = [_evaluate(argument, values) for argument in arguments]
    if row.arity is None and not row.paired and not any(isinstance(x, list) for x in operands):
        return row(operands)  # sum(x, y, z) as well as sum([x, y, z])
    return row(*operands)


def parse_values(items: list[str]) -> dict[str, Value]:
    """``["x=10", "w=-0.5"]`` as labelled Values.

    Raises:
        ExpressionError: for anything else.
    """
    values: dict[str, Value] = {}
    for item in items:
        name, equals, number = item.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise ExpressionError(f"{item!r} is not a value for a name; write x=1.5")
        if name in CONSTANTS or name in functions():
            raise ExpressionError(f"{name} has a meaning already; choose another name")
        if name in values:
            raise ExpressionError(f"{name} is given twice")
        try:
            values[name] = Value(float(number), name)
        except ValueError:
            raise ExpressionError(f"{item!r}: {number!r} is not a number") from None
        if not math.isfinite(values[name].data):
            raise ExpressionError(f"{item!r}: the number must be finite")
    return values
