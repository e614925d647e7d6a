"""Did you mean ...? What people write for what an expression on the command line can be."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

# The names of other programs and languages.
_OTHER_NAMES = {"ln": "log", "lg": "log10", "max": "maximum", "min": "minimum",
                "product": "prod", "logistic": "sigmoid", "pi": "pi", "π": "pi"}
# What is written otherwise in mathematics, as pairs of a pattern and what stands for it here.
_REPAIRS = (
    ("[\u00a0\u2000-\u200a\u202f\u3000]", " "), ("[\u200b\u2060\ufeff]", ""),  # pasted
    (r"^\s*d/d\w\s+", ""), (r"√\s*\(", "sqrt("), (r"√\s*(\w+)", r"sqrt(\1)"),
    (r"\^", "**"), ("²", "**2"), ("³", "**3"), ("[−–]", "-"), ("[×·⋅]", "*"), ("÷", "/"),
    ("π", "pi"), (r"\|([^|]+)\|", r"abs(\1)"),
    (r"^\s*\w+(?:\(\w+\))?\s*=(?!=)\s*", ""),  # y = ..., f(x) = ...
    (r"(?<![\w.])(\d+\.?\d*|\.\d+)\s*(?=[A-Za-z_(])", r"\1*"), (r"\)\s*(?=[\w(])", ")*"),
    (r"(?<=\w)[ \t]+(?=[\w(])", "*"))


def hint(*candidates: str) -> str:
    """The end of an error message, for the candidates that are not empty."""
    found = [each for each in dict.fromkeys(candidates) if each]
    *first, last = found or [""]
    return f"; did you mean {', '.join(first)}{' or ' if first else ''}{last}?" if last else ""


def for_text(text: str, functions: Iterable[str] = ()) -> str:
    """An expression like a text that is none, or "".

    Args:
        text: what somebody wrote.
        functions: names that may stand before their argument without brackets.
    """
    repaired = text.strip()
    names = "|".join(map(re.escape, functions)) or "(?!)"
    for pattern, replacement in (
            (rf"\b({names})\^(\d+)\s*\(([^()]*)\)", r"\1(\3)**\2"),  # sin^2(x)
            (rf"\b({names})\s+(\d*\.?\d*\w+)", r"\1(\2)"),  # sin 2x
            *_REPAIRS):
        repaired = re.sub(pattern, replacement, repaired)
    try:
        ast.parse(repaired, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return repaired if repaired != text.strip() else ""


def for_decimal_comma(text: str) -> str:
    """The text with points for the commas inside of numbers, or ""."""
    repaired = re.sub(r"(?<=\d),(?=\d)", ".", text)
    return repaired if repaired != text else ""


def for_name(name: str, known: Iterable[str]) -> list[str]:
    """Up to three of the known names that somebody may have meant."""
    known = list(known)
    last = name.rpartition(".")[2]  # of np.exp, math.pi
    for same in (last, _OTHER_NAMES.get(last.lower())):
        if same in known:
            return [same]
    letters = sorted(last.lower())
    return [each for each in known if sorted(each.lower()) == letters] or get_close_matches(
        last.lower(), known, 3, 0.7)


def for_call(name: str, arguments: Sequence[str], known: Mapping[str, str]) -> Iterator[str]:
    """Texts that somebody may have meant by a call that there is not; not all can be evaluated.

    Args:
        name: what was called.
        arguments: their texts.
        known: the names of functions, other names for them included, with the names to write.
    """
    last = name.rpartition(".")[2]
    if last == "pow" and len(arguments) == 2:
        yield "**".join(map(_in_brackets, arguments))
    if last in ("log", "ln") and len(arguments) == 2:
        yield f"log({arguments[0]}) / log({arguments[1]})"
    found = dict.fromkeys(known[each] for each in for_name(name, known))
    for each in found:
        yield f"{each}({', '.join(arguments)})"
        if len(arguments) > 2:  # of a function of two numbers
            nested = arguments[0]
            for argument in arguments[1:]:
                nested = f"{each}({nested}, {argument})"
            yield nested
    if not found and len(arguments) == 1 and not name[2:].isidentifier():  # (x + 1)(x - 1), x(2)
        yield f"{_in_brackets(name)}*{_in_brackets(arguments[0])}"


def _in_brackets(text: str) -> str:
    return text if re.fullmatch(r"[\w.]+", text) else f"({text})"
