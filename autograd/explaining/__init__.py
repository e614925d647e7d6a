"""The chain rule written out on one's own graph, and what goes wrong without its care."""

from autograd.explaining.chain_rule import Explanation, Factor, explain, float_adjoints

__all__ = ["Explanation", "Factor", "explain", "float_adjoints"]
