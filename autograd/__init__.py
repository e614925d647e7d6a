"""A scalar autograd engine: values that remember how they were computed, and their gradients."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .arrays import values
from .backward import gradient
from .graph import edges, leaves, name_scope, scope_of, topological_order
from .primitives import (
    TABLE,
    Primitive,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cbrt,
    cos,
    cosh,
    dot,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    hypot,
    identity,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logsumexp,
    maximum,
    minimum,
    norm,
    prod,
    relu,
    sigmoid,
    sin,
    sinh,
    softplus,
    sqrt,
    sum,
    tan,
    tanh,
    where,
)
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad
from .value import Value, no_grad

if TYPE_CHECKING:
    from .checking import gradcheck
    from .compiler.batching import vmap
    from .compiler.jitting import jit
    from .compiler.recording import RecordingError
    from .custom import primitive
    from .descent import Path, brute_force, descend, evaluations
    from .drawing import draw
    from .plotting import (
        animate,
        plot_decision_boundary,
        plot_descent,
        plot_function,
        plot_history,
        plot_loss_landscape,
        plot_surface,
    )
    from .properties import check_gradients
    from .reports import GradientError
    from .stepping import step_through

# Names whose modules are loaded at first use, so that `import autograd` stays quick.
_LATER = {
    "GradientError": "reports",
    "Path": "descent",
    "RecordingError": "compiler.recording",
    "animate": "plotting",
    "brute_force": "descent",
    "check_gradients": "properties",
    "compare_naive": "mistakes",
    "descend": "descent",
    "draw": "drawing",
    "evaluations": "descent",
    "explain": "explaining",
    "gradcheck": "checking",
    "jit": "compiler.jitting",
    "plot_decision_boundary": "plotting",
    "plot_descent": "plotting",
    "plot_function": "plotting",
    "plot_history": "plotting",
    "plot_loss_landscape": "plotting",
    "plot_surface": "plotting",
    "primitive": "custom",
    "step_through": "stepping",
    "vmap": "compiler.batching",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    if name in ("checking", "compiler", "drawing", "explaining", "plotting", "strategies"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_LATER])


__all__ = [
    "GradientError", "Path", "Primitive", "RecordingError", "TABLE", "Value", "acos", "acosh",
    "animate", "asin", "asinh", "atan", "atan2", "atanh", "brute_force", "cbrt",
    "check_gradients", "compare_naive", "cos", "cosh", "descend", "dot", "draw", "edges", "erf",
    "erfc", "evaluations", "exp", "exp2", "explain", "expm1", "grad", "gradcheck", "gradient",
    "hessian", "hvp", "hypot", "identity", "jacobian", "jit", "jvp", "leaves", "log", "log10",
    "log1p", "log2", "logaddexp", "logsumexp", "maximum", "minimum", "name_scope", "no_grad",
    "norm", "plot_decision_boundary", "plot_descent", "plot_function", "plot_history",
    "plot_loss_landscape", "plot_surface", "primitive", "prod", "relu", "scope_of", "sigmoid",
    "sin", "sinh", "softplus", "sqrt", "step_through", "sum", "tan", "tanh", "topological_order",
    "value_and_grad", "values", "vmap", "where",
]
