"""What a function's code mentions: names, modules that it imports, functions that it hands on."""

from __future__ import annotations

import dis
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Any, NamedTuple


class Instruction(NamedTuple):
    """What is asked of an instruction, as ``dis`` names it."""

    opname: str
    argval: Any
    argrepr: str


@lru_cache(maxsize=512)
def instructions_of(code: CodeType) -> tuple[Instruction, ...]:
    """The instructions of a function's code, which take long to find out."""
    return tuple([Instruction(each.opname, each.argval, each.argrepr)
                  for each in dis.get_instructions(code)])


def has_any(code: CodeType, *opnames: str) -> bool:
    """Whether there may be one of these instructions: quick, and never wrong if it says no."""
    return any(dis.opmap[name] in code.co_code[::2] for name in opnames if name in dis.opmap)


@lru_cache(maxsize=4096)
def names_in(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """What a function's code mentions, its inner functions' included.

    Returns:
        All names, and words, such as the name of an attribute that getattr is given; and the
        names of variables that are not local.
    """
    names, variables = set(code.co_names), set()
    for opname, argval, _ in instructions_of(code):
        if opname in _ON_VARIABLES:
            variables.add(argval)
    for constant in _constants(code.co_consts):
        if isinstance(constant, CodeType):
            inner = names_in(constant)
            names |= inner[0]
            variables |= inner[1]
        elif isinstance(constant, str) and is_name(constant):
            names |= {constant, *constant.split(".")}
        elif isinstance(constant, str) and not _CODE.isdisjoint(names):
            names |= set(re.findall(r"[^\W\d]\w*", constant))
    return frozenset(names), frozenset(variables)


@lru_cache(maxsize=4096)
def texts_in(code: CodeType) -> frozenset[str]:
    """The texts in a function's code, its inner functions' included."""
    found: set[str] = set()
    for constant in _constants(code.co_consts):
        if isinstance(constant, CodeType):
            found |= texts_in(constant)
        elif isinstance(constant, str):
            found.add(constant)
    return frozenset(found)


def is_name(text: str) -> bool:
    """Whether a text may be the name of a variable, an attribute or a module."""
    return len(text) < 200 and text.replace(".", "_").isidentifier()


_CODE = {"eval", "exec", "compile"}
BY_NAME = {*_CODE, "globals", "vars", "import_module", "__import__"}


@lru_cache(maxsize=4096)
def imported_by(code: CodeType) -> frozenset[str]:
    """The modules that a function's code imports, its inner functions' included."""
    found = {argval for opname, argval, _ in instructions_of(code) if opname == "IMPORT_NAME"} if (
        has_any(code, "IMPORT_NAME")) else set()
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= imported_by(constant)
    return frozenset(found)


_ON_VARIABLES = ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL")


def _constants(constants: Any) -> Iterator[Any]:
    for constant in constants:
        if isinstance(constant, tuple | frozenset):
            yield from _constants(constant)
        else:
            yield constant


class Mention(NamedTuple):
    """Something that code finds by a global name, and attributes of modules and classes.

    Attributes:
        name: as it is written.
        found: what that is now.
        is_called: whether it is called at once, not handed on.
        argument: the text that follows, perhaps its first argument.
    """

    name: str
    found: Any
    is_called: bool
    argument: str | None


class _Chain(NamedTuple):
    """Names such as ``np.random.rand``."""

    names: tuple[str, ...]
    is_called: bool
    argument: str | None


def mentions(code: CodeType, space: dict[str, Any]) -> Iterator[Mention]:
    """What a function's code mentions, its inner functions' included.

    Args:
        code: of the function.
        space: the variables of its module.
    """
    for (first, *others), is_called, argument in _chains(code):
        if first in space:
            found = space[first]
            for name in others:
                if isinstance(found, ModuleType):  # no lazy attributes: they would be imported
                    found = vars(found).get(name)
                else:
                    found = getattr(found, name, None) if isinstance(found, type) else None
            yield Mention(".".join((first, *others)), found, is_called, argument)


@lru_cache(maxsize=4096)
def _chains(code: CodeType) -> list[_Chain]:
    """Each global name in a function's code, with the attributes that are asked of it."""
    chains: list[_Chain] = []
    instructions = [i for i in instructions_of(code) if i.opname not in _BETWEEN]
    for i, first in enumerate(instructions):
        if first.opname == "LOAD_GLOBAL":
            end = i + 1
            while end < len(instructions) and instructions[end].opname in _ATTRIBUTES:
                end += 1
            links = instructions[i:end]
            after = instructions[end:end + 2]
            # Which of these marks a call depends on the version of Python.
            is_called = (any(link.opname == "LOAD_METHOD" or "NULL" in link.argrepr
                             for link in links)
                         or any(each.opname == "PUSH_NULL" for each in instructions[i - 1:i])
                         or any(each.opname == "PUSH_NULL" for each in after[:1])
                         or _HAS_NO_MARK)
            texts = [each.argval for each in after if isinstance(each.argval, str)]
            chains.append(_Chain(tuple(link.argval for link in links), is_called,
                                 texts[0] if texts else None))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            chains += _chains(constant)
    return chains


_BETWEEN = ("CACHE", "EXTENDED_ARG", "NOP")
_ATTRIBUTES = ("LOAD_ATTR", "LOAD_METHOD")
_HAS_NO_MARK = sys.version_info < (3, 11)
