"""Powers with a known exponent, as the arithmetic that they are: x**2 is x * x, x**-1 is 1 / x.

These are rounded correctly, and take a tenth of the time of a call of ``pow``.
"""

from __future__ import annotations

from dataclasses import replace

from autograd.compiler.program.program import Guard, Program

SQUARE, INVERSE, ROOT = 2.0, -1.0, 0.5
_STEPS = {SQUARE: "mul", INVERSE: "div", ROOT: "root"}


def powers_written_out(program: Program, roots: bool) -> Program:
    """The program with squares, inverses and perhaps roots in place of such powers.

    Args:
        program: what to rewrite.
        roots: whether ``root`` may be among its operations, which is a step and no row.

    Returns:
        A program whose other results have the same bits; the same one where there is nothing to
        write.
    """
    if "pow" not in program.different_ops:
        return program
    exponents = {slot: number for slot, number in enumerate(program.constants, program.n_inputs)
                 if number in _STEPS and (roots or number != ROOT)}
    found = {i: exponents[operands[1]] for i, (op, operands) in enumerate(
        zip(program.ops, program.operands, strict=True))
        if op == "pow" and operands[1] in exponents}
    if not found:
        return program
    one = None
    if INVERSE in found.values():
        program, one = _with_one(program)
    ops, all_operands = list(program.ops), list(program.operands)
    for i, exponent in found.items():
        base = all_operands[i][0]
        ops[i] = _STEPS[exponent]
        all_operands[i] = {SQUARE: (base, base), INVERSE: (one or 0, base), ROOT: (base,)}[exponent]
    return replace(program, ops=tuple(ops), operands=tuple(all_operands))


def _with_one(program: Program) -> tuple[Program, int]:
    """The program with the constant 1, and its slot."""
    if 1.0 in program.constants:
        return program, program.n_inputs + program.constants.index(1.0)
    first = program.first

    def moved(slot: int) -> int:
        return slot + (slot >= first)

    return Program(program.n_inputs, (*program.constants, 1.0), program.ops,
                   tuple(tuple(map(moved, operands)) for operands in program.operands),
                   tuple(map(moved, program.outputs)),
                   tuple(Guard(g.relation, moved(g.left), moved(g.right), g.outcome)
                         for g in program.guards)), first
