"""What people write who come from other libraries: the function of that name, or what to write.

``elementwise_grad`` and ``make_vjp`` are those of HIPS autograd.
"""

from __future__ import annotations

import builtins
import dis
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import wraps
from types import FrameType
from typing import Any

import numpy as np

from autograd.core.aliases import also_called
from autograd.core.linear_maps import vjp
from autograd.core.primitives import sum as sum_of
from autograd.core.pytrees import flatten
from autograd.core.transforms import Argnums, composed_of, grad

_NUMPY = "use NumPy itself (import numpy as np): its functions take arrays of Values"
_PRIMITIVE = ("write autograd.primitive(function, vjp=...) for arrays, or "
              "autograd.primitive(name, value, derivative) for an operation of numbers")
_SYMBOL = 'write Value(2.0, label="x"): a Value has a number'
_ARRAY = "write autograd.values([1.0, 2.0]), or np.stack([v, w]) of Values"
_NN = {
    "BCELoss": 'write loss="binary_cross_entropy" in nn.fit',
    "BCEWithLogitsLoss": 'write loss="binary_cross_entropy_with_logits" in nn.fit',
    "BatchNorm1d": "write a Module of your own", "LayerNorm": "write a Module of your own",
    "Embedding": "write a Module of your own, with lists of Values",
    "Flatten": "write np.ravel(x)", "ModuleList": "write a list: parameters() looks into it",
    "init": "a Module takes seed=; set v.data of its parameters",
    "L1Loss": "write nn.Loss of your own",
    "Conv2d": "there are no convolutions; write a Module of your own",
    "CrossEntropyLoss": 'write loss="cross_entropy" in nn.fit',
    "Dropout": "there is no dropout; l2 in nn.fit, or patience, keeps a network from overfitting",
    "Linear": "write nn.MLP(inputs, [outputs]), whose last layer is linear",
    "MSELoss": 'write loss="mean_squared_error" in nn.fit',
    "Parameter": "write autograd.Value(number); parameters() finds the Values of a Module",
    "ReLU": 'write activation="relu" in nn.MLP, or autograd.relu(x)',
    "Sequential": "write nn.MLP(inputs, [8, 8, outputs]), or a Module that calls its parts in turn",
    "Sigmoid": 'write activation="sigmoid" in nn.MLP, or autograd.sigmoid(x)',
    "Softmax": "write autograd.softmax(x); cross_entropy takes the numbers before it",
    "Tanh": 'write activation="tanh" in nn.MLP, or autograd.tanh(x)',
    "functional": "the functions are autograd's: autograd.relu, autograd.softmax, nn.cross_entropy",
    "optim": "the optimizers are here: nn.SGD, nn.Adam",
}
_AUTOGRAD = {
    "DM": "write autograd.values([1.0, 2.0])", "MX": _SYMBOL, "SX": _SYMBOL,
    "Dual": "write autograd.jvp(f, x, direction) for forward mode",
    "Function": _PRIMITIVE,
    "GradientTape": "write autograd.value_and_grad(f)(x), or y.backward() and then x.grad",
    "Symbol": _SYMBOL, "Expr": _SYMBOL, "Symbols": _SYMBOL,
    "Tensor": "write autograd.Value(2.0), or autograd.values([1.0, 2.0]) for an array",
    "Variable": "write autograd.Value(2.0), or autograd.values([1.0, 2.0]) for an array",
    "array": _ARRAY, "from_numpy": _ARRAY, "asarray": _ARRAY, "stack": _ARRAY, "cat": _ARRAY,
    "autograd": "the functions are here: autograd.grad, autograd.gradcheck",
    "check_grads": "write autograd.gradcheck(f, *inputs), or check_gradients(f, domain)",
    "lambdify": "write the function itself, and autograd.jit(f)",
    "manual_seed": "write np.random.default_rng(seed), or seed= in nn",
    "random": "write np.random, outside of compiled functions",
    "set_default_dtype": "leave it out: Values hold Python floats",
    "checkpoint": "write the function as it is; nothing is kept that would have to be saved",
    "custom_gradient": _PRIMITIVE,
    "custom_jvp": _PRIMITIVE,
    "custom_vjp": _PRIMITIVE,
    "diff": "write autograd.grad(f)(x); autograd.explain(y, wrt=x) shows the formula",
    "enable_grad": "Values record wherever no_grad() is not on",
    "holomorphic_grad": "there are no complex numbers; write real and imaginary part as two",
    "jacfwd": "write autograd.jacobian(f)",
    "jacrev": "write autograd.jacobian(f)",
    "functional": "write autograd.jacobian, autograd.hessian, autograd.vjp, autograd.jvp",
    "hessian_vector_product": "write autograd.hvp(f, x, direction)",
    "lax": "write Python's own loops and conditions: jit records them",
    "make_ggnvp": "write autograd.vjp of autograd.jvp",
    "make_hvp": "write autograd.hvp(f, x, direction)",
    "make_jvp": "write autograd.jvp(f, x, direction)",
    "nn": "that is a package of its own: import nn",
    "misc": "optimizers are in nn; structures are taken as they are",
    "multigrad_dict": "write autograd.grad(f), whose argument may be a dictionary",
    "np": _NUMPY,
    "numpy": _NUMPY,
    "optim": "the optimizers are nn's: nn.SGD, nn.Adam",
    "pmap": "write autograd.vmap, which shares rows out over threads",
    "scipy": "use SciPy itself: scipy.special takes Values, and f.scipy() is for scipy.optimize",
    "set_grad_enabled": "write with autograd.no_grad(): ...",
    "symbols": 'write Value(2.0, label="x"): a Value has a number; jit(f).source() shows formulas',
    "tensor": "write autograd.Value(2.0), or autograd.values([1.0, 2.0]) for an array",
    "test_util": "write autograd.check_gradients(f, domain)",
    "torch": "the functions are autograd's own",
    "tree_map": "write a function of your own; structures of numbers are taken as they are",
    "variable": "write autograd.Value(2.0), or autograd.values([1.0, 2.0]) for an array",
    "wrap_util": "write autograd.grad and its like, which take argnums",
}
_EXTEND = dict.fromkeys(("Box", "VSpace", "defjvp", "defvjp", "defvjp_argnum", "defvjp_argnums",
                         "notrace_primitive"), _PRIMITIVE)
INSTEAD: Mapping[str, Mapping[str, str]] = {"autograd": _AUTOGRAD, "autograd.extend": _EXTEND,
                                            "nn": _NN}
# Modules that there are elsewhere, below packages of these names.
MODULES: Mapping[str, str] = {
    **{f"autograd.{name}": instead for name, instead in _AUTOGRAD.items()},
    **{f"nn.{name}": instead for name, instead in _NN.items()},
    "autograd.numpy.linalg": _NUMPY, "autograd.numpy.random": _NUMPY, "autograd.numpy.fft": _NUMPY,
    "autograd.scipy.special": _AUTOGRAD["scipy"], "autograd.scipy.stats": _AUTOGRAD["scipy"],
    "autograd.scipy.linalg": _AUTOGRAD["scipy"],
    "autograd.misc.optimizers": "write nn.fit, or an optimizer such as nn.Adam",
    "autograd.misc.flatten": "structures of numbers are taken as they are",
    "autograd.differential_operators": "write from autograd import grad, jacobian, hessian",
}


def missing(module: str, name: str) -> Exception:
    """The error for a name that a package does not have, with what to write instead if it is known.

    Args:
        module: the package.
        name: what somebody wants of it.
    """
    instead = INSTEAD[module].get(name, "") or _likely(module, name)
    hint = f"; {instead}" if instead else ""
    if instead and _is_import(sys._getframe(2)):  # Python's own would forget what to write
        return ImportError(f"cannot import name {name!r} from {module!r}{hint}", name=module)
    return AttributeError(f"module {module!r} has no attribute {name!r}{hint}")


def _likely(module: str, name: str) -> str:
    """What to write for the name of a function of Python or NumPy, or for one that is misspelt."""
    if module == "autograd" and name in vars(builtins):
        return f"Python's own {name}() takes Values"
    if module == "autograd" and callable(getattr(np, name, None)):
        return f"write np.{name} of an array of Values: autograd.values([v, w])"
    public = [each for each in dir(sys.modules[module]) if not each.startswith("_")]
    found = get_close_matches(name, public, 3, 0.75)
    return f"did you mean {' or '.join(found)}?" if found else ""


def _is_import(frame: FrameType) -> bool:
    """Whether a frame executes ``from ... import ...``."""
    return frame.f_code.co_code[frame.f_lasti] == dis.opmap["IMPORT_FROM"]


@also_called({"argnum": "argnums"})
def elementwise_grad(function: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The derivative of each item of the result by the item of the argument in the same place.

    Args:
        function: works item by item, such as ``np.tanh``; else each derivative is that of the sum
            of all results.
        argnums: as in :func:`.grad`.

    Returns:
        A function of the same arguments, with a result in the shape of the argument.
    """
    composed = composed_of(elementwise_grad, function, argnums)
    if composed is not None:
        return composed

    @wraps(function)
    def total(*arguments: Any, **keywords: Any) -> Any:
        return sum_of(flatten(function(*arguments, **keywords)))

    return grad(total, argnums)


@also_called({"argnum": "argnums"})
def make_vjp(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """:func:`.vjp` as HIPS autograd has it: a function of the arguments gives (pullback, value).

    Args:
        function: returns a number, a sequence, array or dictionary of numbers.
        argnums: the position of the argument to differentiate.
    """
    def made(*arguments: Any, **keywords: Any) -> tuple[Callable[[Any], Any], Any]:
        def by_one(x: Any) -> Any:
            given = list(arguments)
            given[argnums] = x
            return function(*given, **keywords)

        value, pullback = vjp(by_one, (arguments[argnums],))
        return lambda cotangents: pullback(cotangents)[0], value

    return made
