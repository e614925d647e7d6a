"""Expressions that come as text: parsed, checked against a whitelist, and never run as Python."""

from __future__ import annotations

import ast
import keyword
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd.core import primitives, undefined
from autograd.core.value import Value, data_of
from autograd.suggestions import for_call, for_decimal_comma, for_name, for_text, hint

MOST_CHARACTERS, DEEPEST = 2_000, 100
CONSTANTS = {"pi": math.pi, "e": math.e}
_NAME = r"[^\W\d]\w*"
_BINARY: dict[type[ast.operator], primitives.Primitive] = {
    ast.Add: primitives.add, ast.Sub: primitives.sub, ast.Mult: primitives.mul,
    ast.Div: primitives.div, ast.Pow: primitives.pow}
_RELATIONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: lambda a, b: a < b, ast.LtE: lambda a, b: a <= b, ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b, ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b,
}


class ExpressionError(ValueError):
    """The text is not an expression that can be differentiated; the message says why."""


def functions() -> dict[str, primitives.Primitive]:
    """The functions that an expression may call, by name."""
    return {name: row for name, row in primitives.TABLE.items() if not row.hidden}


def library() -> dict[str, primitives.Primitive]:
    """Those of ``autograd.special`` likewise; a name of theirs may also be that of a number."""
    return {name: row for name, row in primitives.library().items() if not row.hidden}


class Expression:
    """An expression in names, ready to be evaluated on floats or Values.

    Args:
        text: for example ``"x**2 - 6*x + 5"``: numbers, names, + - * / **, comparisons (inside
            ``where``), the constants pi and e, and the functions of :func:`functions` and
            :func:`library`.

    Attributes:
        text: the text.
        names: the names that want a value, in alphabetical order.

    Raises:
        ExpressionError: when the text is anything else.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        if not self.text:
            raise ExpressionError("there is no expression; write for example \"x**2 - 6*x\" x=10")
        try:
            check = _Check(self.text)
        except _Refusal as refusal:
            meant = hint(*filter(_is_expression, refusal.candidates))
            raise ExpressionError(f"{refusal}{meant or refusal.otherwise}") from None
        self.tree, self._kind = check.tree, check.kind
        self.names = sorted(check.names)

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
                                  f"{missing[0]}=1.5{hint(*for_name(missing[0], CONSTANTS))}")
        if self._kind != _NUMBER:
            comma = for_decimal_comma(self.text)
            raise ExpressionError(f"{self.text!r} is {self._kind}, not a number; a comparison "
                                  "stands inside where(x > 0, a, b), a list inside dot([a, b], "
                                  f"[c, d]){hint(*filter(_is_expression, [comma]))}")
        return _evaluate(self.tree, values)


class _Refusal(ExpressionError):
    """Why a text is no expression.

    Args:
        message: the reason.
        candidates: texts that may have been meant.
        otherwise: the end of the message where none of them is an expression.
    """

    def __init__(self, message: str, candidates: Iterable[str] = (), otherwise: str = "") -> None:
        super().__init__(message)
        self.candidates, self.otherwise = candidates, otherwise


def _is_expression(text: str) -> bool:
    try:
        _Check(text)
    except _Refusal:
        return False
    return True


def _parsed(text: str) -> ast.expr:
    if len(text) > MOST_CHARACTERS:
        raise _Refusal(f"the expression has {len(text)} characters, more than {MOST_CHARACTERS}")
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > DEEPEST:
            raise _Refusal(f"brackets are nested deeper than {DEEPEST}")
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        if re.fullmatch(rf"{_NAME}\s*=\s*[-+]?[\d.]+(e[-+]?\d+)?", text, re.IGNORECASE):
            raise _Refusal(f"{text!r} is a value for a name; the expression comes first, for "
                           f'example "{text.partition("=")[0].strip()}**2" {text}') from None
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise _Refusal(f"{text!r} is not an expression: {reason}",
                       [for_text(text, functions())]) from None
    except (RecursionError, MemoryError):
        raise _Refusal("the expression is nested too deeply") from None


_NUMBER, _COMPARISON, _LIST = "a number", "a comparison", "a list"


class _Check:
    """Walks the tree once and refuses whatever is not on the whitelist, or not in its place.

    Attributes:
        tree: what the text stands for.
        kind: of the whole.
        names: those that want a value.

    Raises:
        _Refusal: when the text is no expression.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.names: set[str] = set()
        self.tree = _parsed(text)
        self.kind = self._kind(self.tree, 0)

    def _kind(self, node: ast.AST, depth: int) -> str:
        """Whether a part of the tree is a number, a comparison or a list."""
        if depth > DEEPEST:
            raise _Refusal(f"the expression is nested deeper than {DEEPEST}")
        if isinstance(node, ast.Constant):
            _number(node.value)
        elif isinstance(node, ast.Name):
            self._name(node.id)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            self._must_be_number(node.operand, depth + 1)
        elif isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            self._operands(node, depth)
        elif isinstance(node, ast.Compare) and all(type(op) in _RELATIONS for op in node.ops):
            for part in (node.left, *node.comparators):
                self._must_be_number(part, depth + 1)
            return _COMPARISON
        elif isinstance(node, ast.List | ast.Tuple):
            for part in node.elts:
                self._must_be_number(part, depth + 1)
            return _LIST
        elif isinstance(node, ast.Call):
            self._call(node, depth)
        else:
            self._refuse(node)
        return _NUMBER

    def _must_be_number(self, node: ast.AST, depth: int) -> None:
        """A comparison is as good as a number: 1 or 0."""
        if self._kind(node, depth) == _LIST:
            raise _Refusal(f"{self._shown(node)} is a list in the place of a number; a list stands "
                           "inside sum([a, b]) or dot([a, b], [c, d])")

    def _operands(self, node: ast.BinOp, depth: int) -> None:
        for each in _chain(node):  # a long sum is no deep one
            if not isinstance(each, ast.BinOp):
                self._must_be_number(each, depth + 1)
            elif type(each.op) not in _BINARY:
                self._refuse(each)
            else:
                self._must_be_number(each.right, depth + 1)

    def _name(self, name: str) -> None:
        if name in functions():
            raise _Refusal(f"{name} is a function; write {name}(x)", [for_text(self._text)])
        if not re.fullmatch(_NAME, name):  # x·y is a name for Python
            raise _Refusal(f"{name!r} is no name", [for_text(self._text)])
        if name not in CONSTANTS:
            self.names.add(name)

    def _call(self, node: ast.Call, depth: int) -> None:
        name = self._shown(node.func)
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise _Refusal(f"{name} takes plain arguments only")
        kinds = [self._kind(argument, depth + 1) for argument in node.args]
        row = functions().get(name) or library().get(name)
        fault = f"there is no function {name!r}" if row is None else _fault(row, kinds)
        if fault:
            parts = [part for each in node.args for part in
                     (each.elts if isinstance(each, ast.List | ast.Tuple) else (each,))]
            raise _Refusal(fault, for_call(name, list(map(self._shown, parts)), _spellings()),
                           _HELP if row is None else _usage(row))

    def _refuse(self, node: ast.AST) -> None:
        meant = ""
        if isinstance(node, ast.IfExp):
            parts = (node.test, node.body, node.orelse)
            meant = f"where({', '.join(self._shown(part) for part in parts)})"
        elif isinstance(node, ast.Attribute):
            meant = "".join(for_name(node.attr, CONSTANTS))
        raise _Refusal(f"{self._shown(node)!r} is not allowed in an expression; there are numbers, "
                       "names, + - * / **, comparisons inside where(...), and functions",
                       (meant, for_text(self._text, functions())),
                       "; a power is written **" if "^" in self._text else _HELP)

    def _shown(self, node: ast.AST) -> str:
        return ast.get_source_segment(self._text, node) or ""


_HELP = " (python -m autograd --help lists them)"


def _fault(row: primitives.Primitive, kinds: list[str]) -> str:
    """What is wrong with a call that is made with such arguments, "" if nothing is."""
    name, wanted = row.name, 2 if row.paired else row.arity
    if wanted is not None and len(kinds) != wanted:
        return f"{name} takes {wanted} argument(s), not {len(kinds)}"
    if row.paired:
        is_right, takes = kinds == [_LIST, _LIST], f"two lists; write {name}([a, b], [c, d])"
    elif wanted is None:
        is_right, takes = _LIST not in kinds or kinds == [_LIST], "numbers, or one list of them"
    else:
        is_right, takes = _LIST not in kinds, "numbers, not lists"
    return "" if is_right else f"{name} takes {takes}"


def _usage(row: primitives.Primitive) -> str:
    if row.arity is None or row.paired:
        return ""  # the fault says it
    return f"; write {row.name}({', '.join(row.parameters)})"


def _spellings() -> dict[str, str]:
    """The names of all functions, those that NumPy gives them included, with the names to write."""
    return {spelling: name for name, row in {**library(), **functions()}.items()
            for spelling in (name, *row.aliases)}


def _chain(node: ast.BinOp) -> list[ast.expr]:
    """What stands left of all operators of a + b - c * d, then the operations, inmost first."""
    chain: list[ast.expr] = [node]
    while isinstance(node.left, ast.BinOp):
        node = node.left
        chain.append(node)
    return [node.left, *reversed(chain)]


def _number(constant: Any) -> float:
    if isinstance(constant, bool) or not isinstance(constant, int | float):
        raise _Refusal(f"{constant!r} is not a real number")
    try:
        number = float(constant)
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise _Refusal("a number is too large for a float")
    return number


def _evaluate(node: ast.AST, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return _number(node.value)
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else values[node.id]
    if isinstance(node, ast.UnaryOp):
        operand = _evaluate(node.operand, values)
        return -operand if isinstance(node.op, ast.USub) else operand
    if isinstance(node, ast.BinOp):
        first, *operations = _chain(node)
        result = _evaluate(first, values)
        for each in operations:
            assert isinstance(each, ast.BinOp)
            result = _applied(_BINARY[type(each.op)], result, _evaluate(each.right, values))
        return result
    if isinstance(node, ast.Compare):
        operands = [_evaluate(part, values) for part in (node.left, *node.comparators)]
        return all(_RELATIONS[type(op)](a, b) for op, a, b in
                   zip(node.ops, operands, operands[1:], strict=False))
    if isinstance(node, ast.List | ast.Tuple):
        return [_evaluate(part, values) for part in node.elts]
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return _call(primitives.lookup(node.func.id), node.args, values)


def _applied(row: primitives.Primitive, a: Any, b: Any) -> Any:
    """An operation; an overflow is an error here, as that of exp is."""
    result = row(a, b)
    operands = [data_of(a), data_of(b)]
    if (math.isinf(data_of(result)) and all(map(math.isfinite, operands))
            and not undefined.is_ieee()):
        raise row.domain_error(OverflowError(), operands)
    return result


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


def _number_meant(text: str) -> str:
    """A number for a text that is none: of 1,5 and 1/2 and pi the one that they stand for."""
    for each in (text, for_text(text), for_decimal_comma(text)):
        try:
            return f"{Expression(each)({}):.17g}"
        except (ExpressionError, *primitives.DOMAIN_ERRORS):
            continue
    return "1.5"


def parse_values(items: list[str]) -> dict[str, Value]:
    """``["x=10", "w=-0.5"]`` as labelled Values.

    Raises:
        ExpressionError: for anything else.
    """
    values: dict[str, Value] = {}
    for item in map(str.strip, items):
        name, equals, number = item.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())  # as Python does in expressions
        if not equals or not re.fullmatch(_NAME, name):
            raise ExpressionError(f"{item!r} is not a value for a name; write x=1.5")
        if name in CONSTANTS or name in functions():
            raise ExpressionError(f"{name} has a meaning already; choose another name")
        if keyword.iskeyword(name):
            raise ExpressionError(f"{name} is a word of Python's own; choose another name, such as "
                                  f"{name}_")
        if name in values:
            raise ExpressionError(f"{name} is given twice")
        try:
            values[name] = Value(float(number), name)
        except ValueError:
            raise ExpressionError(f"{item!r}: {number!r} is not a number; write "
                                  f"{name}={_number_meant(number)}") from None
        if not math.isfinite(values[name].data):
            raise ExpressionError(f"{item!r}: the number must be finite")
    return values
