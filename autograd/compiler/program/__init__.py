"""The linear program, the passes that shorten it, and the loops found again in it."""

from autograd.compiler.program.program import (
    RELATIONS,
    VERSION,
    Comparison,
    Guard,
    Program,
    bits_key,
)

__all__ = ["RELATIONS", "VERSION", "Comparison", "Guard", "Program", "bits_key"]
