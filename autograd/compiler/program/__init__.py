"""The linear program, the passes that shorten it, and the loops and arrays found again in it."""

from autograd.compiler.program.array_program import ArrayProgram
from autograd.compiler.program.program import (
    RELATIONS,
    VERSION,
    Comparison,
    Guard,
    Program,
    bits_key,
)

__all__ = ["RELATIONS", "VERSION", "ArrayProgram", "Comparison", "Guard", "Program", "bits_key"]
