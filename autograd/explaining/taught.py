"""Local derivatives as they are taught, from the rows of the table, and as they are computed."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from autograd.core.backward import local_graphs
from autograd.core.primitive import Primitive, lookup
from autograd.core.value import Operand, Value
from autograd.explaining.algebra import Applied, Bracket, Name, Sum, constant, of
from autograd.explaining.notation import region
from autograd.explaining.typesetting import Typesetter

_CONSTANTS = {"pi": Name("pi", math.pi), "e": Name("e", math.e)}
_BINARY: dict[type[ast.operator], Callable[[Sum, Sum], Sum]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b, ast.Pow: lambda a, b: a ** b,
}
_RELATIONS: dict[type[ast.cmpop], str] = {ast.Lt: "<", ast.Gt: ">", ast.Eq: "="}


class Taught:
    """Writes nodes and their local derivatives as sums of products.

    Args:
        names: the nodes that are not taken apart.
    """

    def __init__(self, names: Mapping[Value, str]) -> None:
        self.names = names
        self._written: dict[Value, Sum] = {}

    def expression(self, operand: Operand) -> Sum:
        """A node or a constant, in its simplest writing."""
        if not isinstance(operand, Value):
            return constant(operand)
        if operand in self._written:
            return self._written[operand]
        for node in region(operand, self.names, expand=False):
            if node not in self._written:
                self._written[node] = self._one(node)
        return self._written[operand]

    def _one(self, node: Value) -> Sum:
        if node in self.names:
            return of(Name(self.names[node], node.data))
        if node.op is None:
            return constant(node.data)
        operands = [self._written[p] if isinstance(p, Value) else constant(p)
                    for p in node.parents]
        return _applied(node.op, operands)

    def derivatives(self, node: Value) -> list[Sum | None]:
        """The derivative of a node by each operand, as it is taught; None where none is asked for.

        Where the row says nothing that could be written, it is the one that is computed.
        """
        op = node.op
        assert op is not None
        texts = op.derivative * (len(node.parents) if op.arity is None else 1)
        if not texts or not all(map(_can_be_written, op.derivative)):
            return self.computed(node)
        operands, y = [self.expression(p) for p in node.parents], self.expression(node)
        if op.arity is None:
            places: list[dict[str, Sum]] = [{"x": operand, "y": y} for operand in operands]
        else:
            places = [{**dict(zip(op.parameters, operands, strict=True)), "y": y}] * len(operands)
        return [_read(_parsed(text), place) if isinstance(parent, Value) else None
                for text, place, parent in zip(texts, places, node.parents, strict=True)]

    def computed(self, node: Value) -> list[Sum | None]:
        """The same as the engine computes it."""
        found = local_graphs(node)
        return [None if local is None or not isinstance(parent, Value) else self.expression(local)
                for local, parent in zip(found, node.parents, strict=True)]

    def loses_digits(self, node: Value) -> str:
        """What the row says of where the taught derivative fails, in the names of the graph."""
        op = node.op
        assert op is not None
        names = {"y": node, **dict(zip(op.parameters, node.parents, strict=False))}

        def in_its_place(match: re.Match[str]) -> str:
            text = Typesetter().of(self.expression(names[match[1]]))
            return f"({text}){match[2]}" if match[2] and not text.isalnum() else text + match[2]

        return re.sub(r"\b([yxab])\b((?:\*\*2)?)", in_its_place, op.loses_digits)


def _call(name: str, *operands: Sum) -> Sum:
    return of(Applied(lookup(name), operands))


def _applied(op: Primitive, operands: Sequence[Sum]) -> Sum:
    if op.arity is None and op.name in _N_ARY:
        return _N_ARY[op.name](operands)
    rule = _ARITHMETIC.get(op.name)
    return rule(*operands) if rule else of(Applied(op, tuple(operands)))


_ARITHMETIC: dict[str, Callable[..., Sum]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "neg": lambda a: -a, "identity": lambda a: a,
    "pow": lambda a, b: a ** b,
    # Rows that serve others have names that nobody knows.
    "one_minus_square": lambda a: constant(1.0) - a * a,
    "share": lambda a, b: a / (a + b),
    "sigmoid_slope": lambda a: _call("sigmoid", a) * _call("sigmoid", -a),
    "gaussian": lambda a: _call("exp", -(a * a)),
}
_N_ARY: dict[str, Callable[[Sequence[Sum]], Sum]] = {
    "sum": lambda items: sum(items, Sum()),
    "prod": lambda items: math.prod(items, start=constant(1.0)),
    "dot": lambda items: sum((a * b for a, b in zip(items, items[len(items) // 2:])),  # noqa: B905
                             Sum()),
}


# --- the texts of the rows ------------------------------------------------------------------------

@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@cache
def _can_be_written(text: str) -> bool:
    """Not where it says by cases what a bracket or a sign of the partial says shortly."""
    if "where(" in text:
        return text.count("where(") == 1 and text.startswith("where(") and text.endswith(", 1, 0)")
    return all(isinstance(node, _WRITTEN) for node in ast.walk(_parsed(text)))


_WRITTEN = (ast.Constant, ast.Name, ast.UnaryOp, ast.USub, ast.BinOp, *_BINARY, ast.Call, ast.Load)


def _read(node: ast.expr, names: Mapping[str, Sum]) -> Sum:
    """A derivative in the words of its row; what ``Primitive.derivative`` may hold, no more."""
    if isinstance(node, ast.Constant):
        return constant(float(node.value))  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return names[node.id] if node.id in names else of(_CONSTANTS[node.id])
    if isinstance(node, ast.UnaryOp):
        return -_read(node.operand, names)
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](_read(node.left, names), _read(node.right, names))
    assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    if node.func.id == "where":
        relation = node.args[0]
        assert isinstance(relation, ast.Compare)
        return of(Bracket(_read(relation.left, names), _RELATIONS[type(relation.ops[0])],
                          _read(relation.comparators[0], names)))
    return _applied(lookup(node.func.id), [_read(argument, names) for argument in node.args])
