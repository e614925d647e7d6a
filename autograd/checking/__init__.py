"""Is a gradient right? Comparisons with oracles that know no derivative rule."""

from autograd.checking.gradient_check import (
    DIFFERENCES,
    PRECISE,
    argument_names,
    called,
    gradcheck,
    shown_point,
)

__all__ = ["DIFFERENCES", "PRECISE", "argument_names", "called", "gradcheck", "shown_point"]
