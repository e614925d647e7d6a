"""A scalar autograd engine: values that remember how they were computed, and their gradients."""

from __future__ import annotations

import builtins
from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd import former_paths
from autograd.core import array_primitive as _array_primitive
from autograd.core import numpy_functions as numpy_functions  # they answer NumPy
from autograd.core import undefined as _undefined
from autograd.core import value as _value
from autograd.core.backward import gradient
from autograd.core.composed import clip, log_softmax, softmax, stop_gradient
from autograd.core.gamma_functions import digamma, gamma, gammaln, polygamma
from autograd.core.graph import edges, leaves, name_scope, scope_of, topological_order
from autograd.core.naming import node_names
from autograd.core.normal import (
    erfcinv,
    erfcx,
    erfinv,
    gelu,
    log_ndtr,
    ndtr,
    ndtri,
    sinc,
)
from autograd.core.numpy_protocol import values
from autograd.core.primitives import (
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
    ceil,
    copysign,
    cos,
    cosh,
    dot,
    erf,
    erfc,
    exp,
    exp2,
    expm1,
    floor,
    floordiv,
    fmod,
    hypot,
    identity,
    ieee_remainder,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logsumexp,
    maximum,
    minimum,
    mod,
    norm,
    prod,
    relu,
    rint,
    sigmoid,
    sin,
    sinh,
    softplus,
    sqrt,
    sum,
    tan,
    tanh,
    trunc,
    where,
)
from autograd.core.special import (
    degrees,
    elu,
    hardtanh,
    leaky_relu,
    logit,
    mish,
    radians,
    selu,
    silu,
    softsign,
    xlog1py,
    xlogy,
)
from autograd.core.transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad
from autograd.core.value import Value, no_grad


def _made_for_values(function: Any) -> Any:
    return import_module("autograd.adoption").adopt(function)


_array_primitive.made_for_values = _made_for_values

if TYPE_CHECKING:  # what __getattr__ below finds at run time
    from collections.abc import Sequence

    from autograd import adoption as adoption
    from autograd import checking as checking
    from autograd import compiler as compiler
    from autograd import descent as descent
    from autograd import drawing as drawing
    from autograd import explaining as explaining
    from autograd import extend as extend
    from autograd import linalg as linalg
    from autograd import math as math
    from autograd import pages as pages
    from autograd import parsing as parsing
    from autograd import plotting as plotting
    from autograd import special as special
    from autograd import strategies as strategies
    from autograd.adoption import adopt
    from autograd.checking.gradient_check import gradcheck
    from autograd.checking.properties import check_gradients
    from autograd.checking.reports import GradientError
    from autograd.compiler.jit import jit
    from autograd.compiler.trace.tracer import RecordingError
    from autograd.compiler.vmap import vmap
    from autograd.core.habits import elementwise_grad, make_vjp
    from autograd.core.implicit import implicit
    from autograd.core.linear_maps import linearize, vjp
    from autograd.core.power_series import taylor
    from autograd.descent import Path, brute_force, descend, evaluations
    from autograd.drawing.graph import draw
    from autograd.explaining.chain_rule import explain
    from autograd.explaining.naive_backward import compare_naive
    from autograd.extend import primitive
    from autograd.pages.live_descent import live_descent
    from autograd.pages.live_graph import live, step_through
    from autograd.plotting.functions import (
        animate,
        plot_decision_boundary,
        plot_descent,
        plot_function,
        plot_history,
        plot_loss_landscape,
        plot_surface,
    )

if TYPE_CHECKING:  # modules by their former paths
    from autograd.checking import error_analysis, finite_differences, high_precision
    from autograd.checking import properties as properties
    from autograd.checking import reports as reports
    from autograd.core import backward as backward
    from autograd.core import copying as copying
    from autograd.core import graph as graph
    from autograd.core import numpy_protocol, pytrees
    from autograd.core import primitive as _primitive
    from autograd.core import primitives as primitives
    from autograd.core import transforms as transforms
    from autograd.core import value as value
    from autograd.drawing import folding as folding
    from autograd.drawing import rendering as rendering
    from autograd.explaining import naive_backward
    from autograd.explaining import notation as notation
    from autograd.pages import live_graph
    from autograd.plotting import axes, loss_landscape
    from autograd.plotting import surfaces as surfaces

    arrays = numpy_protocol
    canvas = axes
    custom = extend
    examining = error_analysis
    landscapes = loss_landscape
    mistakes = naive_backward
    oracles = finite_differences
    precise = high_precision
    row = _primitive
    stepping = live_graph
    structures = pytrees

__version__ = "0.1.0"  # of the distribution chainrule; pyproject.toml and nn read it here

# Names whose modules are loaded at first use, so that `import autograd` stays quick.
_LATER = {
    "GradientError": "checking.reports",
    "Path": "descent",
    "RecordingError": "compiler.trace.tracer",
    "adopt": "adoption",
    "animate": "plotting.functions",
    "brute_force": "descent",
    "check_gradients": "checking.properties",
    "compare_naive": "explaining.naive_backward",
    "descend": "descent",
    "draw": "drawing.graph",
    "elementwise_grad": "core.habits",
    "evaluations": "descent",
    "explain": "explaining.chain_rule",
    "gradcheck": "checking.gradient_check",
    "implicit": "core.implicit",
    "jit": "compiler.jit",
    "linearize": "core.linear_maps",
    "live": "pages.live_graph",
    "live_descent": "pages.live_descent",
    "make_vjp": "core.habits",
    "plot_decision_boundary": "plotting.functions",
    "plot_descent": "plotting.functions",
    "plot_function": "plotting.functions",
    "plot_history": "plotting.functions",
    "plot_loss_landscape": "plotting.functions",
    "plot_surface": "plotting.functions",
    "primitive": "extend",
    "step_through": "pages.live_graph",
    "taylor": "core.power_series",
    "vjp": "core.linear_maps",
    "vmap": "compiler.vmap",
}

_MODULES = ("adoption", "checking", "compiler", "descent", "drawing", "explaining", "extend",
            "linalg", "math", "pages", "parsing", "plotting", "special", "strategies")
former_paths.register(__name__, former_paths.AUTOGRAD)
former_paths.register_elsewhere(
    __name__, lambda: import_module(f"{__name__}.core.habits").MODULES)


def _display(node: Value) -> dict[str, Any]:
    """How Jupyter shows a node; the drawing is loaded when the first one is shown."""
    bundle: dict[str, Any] = import_module(f"{__name__}.drawing").mimebundle(node)
    return bundle


def _ieee_value(row: Primitive, operands: Sequence[float]) -> float:
    """What IEEE arithmetic gives outside a domain; NumPy's functions are loaded at first use."""
    from autograd.compiler.backends.numpy import ieee_value

    return ieee_value(row, operands)


_value.display_hook = _display
_undefined.ieee_value = _ieee_value


if not TYPE_CHECKING:  # or every name would be there, and a mistyped one, too

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        if name in TABLE and not TABLE[name].hidden:  # declared since: a primitive of the user's
            return TABLE[name]
        if name in _MODULES or name in former_paths.AUTOGRAD:
            return import_module(f"{__name__}.{name}")
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autograd.core.habits import missing

        raise missing(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *(row.name for row in TABLE.values() if not row.hidden)})


__all__ = [
    "GradientError", "Path", "Primitive", "RecordingError", "TABLE", "Value", "acos", "acosh",
    "adopt", "animate", "asin", "asinh", "atan", "atan2", "atanh", "brute_force", "cbrt", "ceil",
    "check_gradients", "clip", "compare_naive", "copysign", "cos", "cosh", "degrees", "descend",
    "digamma", "dot", "draw", "edges", "elementwise_grad", "elu", "erf", "erfc", "erfcinv",
    "erfcx", "erfinv",
    "evaluations", "exp", "exp2", "explain", "expm1", "floor", "floordiv", "fmod", "gamma",
    "gammaln", "gelu", "grad", "gradcheck", "gradient", "hardtanh", "hessian", "hvp", "hypot",
    "identity", "ieee_remainder", "implicit", "jacobian", "jit", "jvp", "leaky_relu", "leaves",
    "linearize", "live", "live_descent", "log", "log10", "log1p", "log2", "log_ndtr",
    "log_softmax", "logaddexp", "logit", "logsumexp", "make_vjp", "maximum", "minimum",
    "mish", "mod",
    "name_scope", "ndtr", "ndtri", "no_grad", "node_names", "norm", "plot_decision_boundary",
    "plot_descent", "plot_function", "plot_history", "plot_loss_landscape", "plot_surface",
    "polygamma", "primitive", "prod", "radians", "relu", "rint", "scope_of", "selu", "sigmoid",
    "silu", "sin", "sinc", "sinh", "softmax", "softplus", "softsign", "sqrt", "step_through",
    "stop_gradient", "sum", "tan", "tanh", "taylor", "topological_order", "trunc",
    "value_and_grad", "values", "vjp", "vmap", "where", "xlog1py", "xlogy",
]

# Every row of the table is a function of the package, also one that is not named above.
globals().update((row.name, row) for row in TABLE.values() if not row.hidden)
__all__ += [row.name for row in TABLE.values()
            if not row.hidden and row.name not in __all__ and not hasattr(builtins, row.name)]
