"""What the writers of JavaScript and of C share: instructions, functions at need, domains.

The text is made from a checked program and from nothing else: slots are whole numbers, floats are
written out, and of a primitive of one's own only the name is in it, in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from autograd.compiler.backends.interface import Rewrite
from autograd.compiler.program.program import Program, Unsupported
from autograd.compiler.program.steps import KEEPING
from autograd.core.primitives import Primitive, lookup


def checked(program: Program) -> Program:
    """The program, if it is one.

    Raises:
        KeyError: for an operation that is not in the table of primitives.
        ValueError: for a program that is none.
    """
    for op in set(program.ops):
        lookup(op)  # whose error says what to do about an unknown one
    return program.validate()


class SourceWriter:
    """Writes instructions as expressions of a language.

    A subclass says how the language has it:

    Attributes:
        language: its name, for errors.
        emitters: how a primitive is written. {0}, {1} are operands, {all} all of them, {list} a
            list of them, {n} how many.
        functions: the functions that the emitters call, by name. Each may call others.
        relations: how comparisons are written that Python writes in another way.
        infinity, nan: these numbers.
        comment: what matches a comment.
    """

    language = ""
    emitters: ClassVar[Mapping[str, str]] = {}
    functions: ClassVar[Mapping[str, str]] = {}
    relations: ClassVar[Mapping[str, str]] = {}
    infinity = ""
    nan = ""
    comment = ""

    def __init__(self, rewrite: Rewrite | None) -> None:
        self.rewrite = rewrite
        self._own_names: dict[tuple[str, int], str] = {}
        self._own_texts: list[str] = []

    # --- what a language writes in its own way ----------------------------------------------------

    def listed(self, operands: Sequence[str]) -> str:
        """A list of numbers, as an expression."""
        raise NotImplementedError

    def long(self, op: str, operands: Sequence[str]) -> str | None:
        """An operation that is written in a way of its own for so many operands, or None."""
        raise NotImplementedError

    def declaration(self, name: str, expression: str) -> str:
        """A line that gives a result its name."""
        raise NotImplementedError

    def own_function(self, number: int, op: str, inputs: Sequence[str], lines: Sequence[str],
                     result: str) -> tuple[str, str]:
        """The name and the text of a function that computes a primitive of the user's own."""
        raise NotImplementedError

    # --- instructions -----------------------------------------------------------------------------

    def read(self, program: Program, slot: int) -> str:
        """The number in a slot."""
        if program.n_inputs <= slot < program.first:
            return self.number(program.constants[slot - program.n_inputs])
        return program.name(slot)

    def number(self, number: float) -> str:
        """A float; a sign gets brackets, for -(-1) is not --1."""
        text = self.nan if number != number else repr(number).replace("inf", self.infinity)
        return f"({text})" if text.startswith("-") else text

    def relation(self, relation: str) -> str:
        """A comparison's sign."""
        return self.relations.get(relation, relation)

    def instructions(self, program: Program) -> Iterator[str]:
        """All instructions of a program, in order."""
        for slot, (op, operands) in enumerate(zip(program.ops, program.operands, strict=True),
                                              program.first):
            yield self.declaration(program.name(slot), self.expression(
                op, [self.read(program, x) for x in operands]))

    def expression(self, op: str, operands: Sequence[str]) -> str:
        """What an instruction computes."""
        if op in KEEPING:
            relation, outcome = KEEPING[op]
            holds = f"{operands[1]} {self.relation(relation)} {operands[2]}"
            arms = (operands[0], self.nan) if outcome else (self.nan, operands[0])
            return f"{holds} ? {arms[0]} : {arms[1]}"
        if (text := self.long(op, operands)) is not None:
            return text
        if op in self.emitters:
            template = self.emitters[op]
            return template.format(*operands, all=", ".join(operands), n=len(operands),
                                   list=self.listed(operands) if "{list}" in template else "")
        return f"{self._own(op, len(operands))}({', '.join(operands)})"

    def _own(self, op: str, count: int) -> str:
        """The function that computes a primitive of the user's own from so many operands."""
        key = (op, count)
        if key not in self._own_names:
            refusal = f"{self.language} has no way to write {op}"
            if (row := lookup(op)).scipy or row.called:
                raise Unsupported(f"{refusal}, which {'SciPy' if row.scipy else 'Python'} "
                                  f"computes; replay it in Python, or compute {op} before and "
                                  "pass it as an argument", (op,))
            if self.rewrite is None:
                raise Unsupported(refusal, (op,))
            alone = Program(count, (), (op,), (tuple(range(count)),), (count,))
            try:
                written = self.rewrite(alone, [op])
                lines = list(self.instructions(written))
            except Unsupported as error:
                raise Unsupported(f"{refusal}: {error}", (op,)) from None
            name, text = self.own_function(
                len(self._own_names), op, [alone.name(i) for i in range(count)], lines,
                self.read(written, written.outputs[0]))
            self._own_names[key] = name
            self._own_texts.append(text)
        return self._own_names[key]

    # --- what the instructions call ---------------------------------------------------------------

    def prelude(self, body: str) -> Iterator[str]:
        """The functions that a text calls, each after those that it calls itself."""
        needed: set[str] = set()
        missing = self._called("\n".join([*self._own_texts, body]))
        while missing:
            needed |= missing
            missing = self._called("\n".join(self.functions[name] for name in missing)) - needed
        yield from (text for name, text in self.functions.items() if name in needed)
        yield from self._own_texts

    def _called(self, text: str) -> set[str]:
        without_comments = re.sub(self.comment, "", text)
        return self.functions.keys() & set(re.findall(r"(?<![\w.$])[a-zA-Z_]+", without_comments))

    # --- guards and domains -----------------------------------------------------------------------

    def broken(self, relation: str, outcome: bool, left: str, right: str) -> str:
        """The condition on which a guard does not hold."""
        holds = f"{left} {self.relation(relation)} {right}"
        return f"!({holds})" if outcome else holds

    def refusals(self, row: Primitive, operands: Sequence[str], result: str) -> Iterator[str]:
        """The conditions on which the eager engine raises."""
        equal, unequal = self.relation("=="), self.relation("!=")
        if row.arity is None and row.domain and not operands:
            yield f"0 {equal} 0"
        if row.name == "pow":  # what is too large is inf, and no error
            base, exponent = operands
            yield f"{base} {equal} 0 && {exponent} < 0 && {exponent} - {exponent} {equal} 0"
            yield " && ".join([f"{result} {unequal} {result}",
                               *(f"{x} {equal} {x}" for x in operands)])
            return
        if row.raises is None:
            if row.name in self.emitters:  # of finite operands comes what is not finite
                yield " && ".join([f"{result} - {result} {unequal} 0",
                                   *(f"{x} - {x} {equal} 0" for x in operands)])
            else:  # one's own is nan where it raises
                yield " && ".join([f"{result} {unequal} {result}",
                                   *(f"{x} {equal} {x}" for x in operands)])
            return
        for position, relation, bound in row.raises:
            operand = operands[position]
            condition = f"{operand} {self.relation(relation)} {self.number(bound)}"
            if relation != "==":  # of an infinity beyond the bound, exp is defined, and log is nan
                condition += (f" && ({operand} - {operand} {equal} 0 || "
                              f"{result} {unequal} {result})")
            yield condition
