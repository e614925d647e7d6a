"""The examples in docstrings, as functions of the numbers that stand in them."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import io
import math
import pkgutil
import warnings
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType, ModuleType
from typing import Any

from autograd import adopt

from .judging import SECONDS, Outcome, SlowError, judged, limited, said

NUMBERS = "__numbers_of_the_example__"


def outcomes(roots: Iterable[str], also: Sequence[str] = ()) -> Iterator[Outcome]:
    """What comes of each example of some packages whose value is a number.

    Args:
        roots: names of packages or modules.
        also: further packages that are adopted with them.
    """
    for name in sorted({name for root in roots for name in modules(root)}):
        try:
            with quiet():
                plain = importlib.import_module(name)
        except Exception:  # a module that lacks what it needs has no examples
            continue
        try:
            with quiet():
                ours = adopt(name, also=also)
        except Exception as error:
            yield Outcome(name, "refused", f"adopt: {said(error)}")
            continue
        yield from of_module(plain, ours)


def modules(root: str) -> Iterator[str]:
    """A module and, if it is a package, all in it."""
    yield root
    package = importlib.import_module(root)
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{root}.",
                                       onerror=lambda name: None):
        if "test" not in found.name and "numba" not in found.name:
            yield found.name


def of_module(plain: ModuleType, ours: ModuleType) -> Iterator[Outcome]:
    """The outcomes of one module's examples.

    Args:
        plain: the module.
        ours: the same, adopted.
    """
    for test in doctest.DocTestFinder().find(plain, plain.__name__):
        spaces = dict(vars(plain)), dict(vars(ours))
        for number, example in enumerate(test.examples):
            if example.exc_msg is not None:
                continue
            try:
                with quiet(), limited(SECONDS):
                    found = case(example.source, *spaces)
                    if found is None:
                        run(example.source, *spaces)
                        continue
            except (Exception, SlowError):  # the next examples may need what this one makes
                break
            code, point = found
            with quiet():
                outcome = judged(f"{test.name}[{number}]", at(code, spaces[0]),
                                 at(code, spaces[1]), point)
            yield outcome


def run(source: str, *spaces: dict[str, Any]) -> None:
    """Execute a statement in each of some spaces."""
    for space in spaces:
        exec(compile(source, "<example>", "exec"), space)


def at(code: CodeType, space: dict[str, Any]) -> Any:
    """An expression as a function of its numbers."""
    expression = eval(code, space)
    return lambda numbers: _weighed(expression(numbers))


def case(source: str, plain: dict[str, Any], ours: dict[str, Any]) -> (
        tuple[CodeType, list[float]] | None):
    """An example as code that reads its numbers from a list, and those; None if it is no formula.

    Args:
        source: of the example.
        plain, ours: the spaces in which it is evaluated.
    """
    tree = ast.parse(source)
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    inside = _unrounded(tree.body[0].value)
    if not any(isinstance(node, ast.Call) for node in ast.walk(inside)):
        return None
    before = _number(eval(compile(ast.Expression(inside), "<example>", "eval"), plain))
    if before is None:
        return None
    for kinds in ((float, int), (float,)):
        kept: frozenset[int] = frozenset()
        while True:
            code, point, places = _with_numbers(inside, kinds, kept)
            if not point:
                break
            try:
                function = at(code, plain)
                after = _number(function([*point]))
                fixed = {place for i, place in enumerate(places) if _is_fixed(function, point, i)}
            except Exception:  # a whole number that counts something
                break
            if after is None or not math.isclose(after, before, rel_tol=1e-9):
                break
            if not fixed:
                return code, point
            kept |= fixed
    return None


def _with_numbers(inside: ast.expr, kinds: tuple[type, ...], kept: frozenset[int]) -> (
        tuple[CodeType, list[float], list[int]]):
    """A function of a list, the numbers of the example in it, and the place of each."""
    found = _Numbers(kinds, kept)
    body = found.visit(ast.parse(ast.unparse(inside), mode="eval").body)
    code = compile(ast.fix_missing_locations(ast.Expression(_of_numbers(body))), "<example>",
                   "eval")
    return code, found.point, found.places


def _is_fixed(function: Any, point: list[float], i: int) -> bool:
    """Whether a number can only be what it is: a count of tubes, a standard pressure."""
    for factor in (1.0 + 1e-6, 1.0 - 1e-6):
        try:
            if _number(function([*point[:i], point[i] * factor + (factor - 1.0) * 1e-3,
                                 *point[i + 1:]])) is not None:
                return False
        except Exception:
            continue
    return True


class _Numbers(ast.NodeTransformer):
    """Numbers among the arguments of calls, replaced by the items of a list.

    Args:
        kinds: of numbers that are replaced.
        kept: the places of those that stay, counted among these.
    """

    def __init__(self, kinds: tuple[type, ...], kept: frozenset[int]) -> None:
        self.kinds, self.kept = kinds, kept
        self.seen = 0
        self.point: list[float] = []
        self.places: list[int] = []

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if type(node.value) not in self.kinds:
            return node
        self.seen += 1
        if self.seen - 1 in self.kept:
            return node
        self.places.append(self.seen - 1)
        self.point.append(float(node.value))
        return ast.Subscript(ast.Name(NUMBERS, ast.Load()), ast.Constant(len(self.point) - 1),
                             ast.Load())

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        return ast.Dict(node.keys, [self.visit(item) for item in node.values])  # keys are names

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return ast.Subscript(self.visit(node.value), node.slice, node.ctx)  # no index is a number


def _of_numbers(body: ast.expr) -> ast.Lambda:
    """A function of the list of numbers."""
    function = ast.parse(f"lambda {NUMBERS}: 0", mode="eval").body
    assert isinstance(function, ast.Lambda)
    function.body = body
    return function


def _unrounded(node: ast.expr) -> ast.expr:
    """What stands in round(..., digits)."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and (
            node.func.id in ("round", "float")) and node.args:
        node = node.args[0]
    return node


def _number(result: Any) -> float | None:
    """A result as one float, None if it is none."""
    if not _has_float(result):  # an algorithm of whole numbers has no slopes
        return None
    try:
        number = float(_weighed(result))
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _has_float(result: Any) -> bool:
    if isinstance(result, list | tuple):
        return any(map(_has_float, result))
    return isinstance(result, float)


def _weighed(result: Any) -> Any:
    """One number for a list of them, in which none can stand for another."""
    if isinstance(result, list | tuple):
        return sum(_weighed(item) / (i + 1.0) for i, item in enumerate(result))
    return result


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing that foreign code prints or warns of."""
    with (warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()),
          contextlib.redirect_stderr(io.StringIO())):
        warnings.simplefilter("ignore")
        yield
