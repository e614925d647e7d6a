"""A recording that stands alone: its program, from all arguments to all numbers of the result."""

from __future__ import annotations

import dataclasses

from autograd.compiler.program.program import Guard, Program
from autograd.compiler.trace.arguments import Place
from autograd.compiler.trace.tracer import Recording
from autograd.core.pytrees import is_number, is_truth, leaves_of


def standalone(recording: Recording) -> Program:
    """The program of a recording for use outside of Python.

    Its inputs are the numbers among the arguments; captured Values are constants with the numbers
    that they have now. Its outputs are all numbers and truth values (1 or 0) of the result, in
    order, also those that the branch does not compute.
    """
    program = recording.program
    captured = [float(leaf._data) for leaf in recording.captured]
    n_inputs = program.n_inputs - len(captured)
    leaves = [leaf for leaf in leaves_of(recording.results.skeleton)
              if isinstance(leaf, Place) or is_number(leaf) or is_truth(leaf)]
    fixed = [float(leaf) for leaf in leaves if not isinstance(leaf, Place)]
    first = program.first

    def moved(slot: int) -> int:
        return slot if slot < first else slot + len(fixed)

    constants = iter(range(first, first + len(fixed)))
    outputs = tuple(moved(program.outputs[leaf.number]) if isinstance(leaf, Place)
                    else next(constants) for leaf in leaves)
    return dataclasses.replace(
        program, n_inputs=n_inputs, constants=(*captured, *program.constants, *fixed),
        operands=tuple(tuple(map(moved, operands)) for operands in program.operands),
        outputs=outputs, guards=tuple(
            Guard(relation, moved(left), moved(right), outcome)
            for relation, left, right, outcome in program.guards))

