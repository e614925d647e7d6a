"""Pictures of graphs."""

from autograd.drawing.graph import MAX_SHOWN, Picture, checked_roots, draw, mimebundle, number

__all__ = ["MAX_SHOWN", "Picture", "checked_roots", "draw", "mimebundle", "number"]
