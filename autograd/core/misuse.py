"""What to write instead: the message for a call that would turn a Value into a bare number.

Python asks for the number in ``__float__`` and its like, and does not say why. The message must
not guess: it looks at the instruction that asks, and at what that instruction calls.
"""

from __future__ import annotations

import builtins
import dis
import linecache
import re
import sys
from functools import lru_cache
from importlib import import_module
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any, NamedTuple

from autograd.core.primitive import TABLE, Primitive

# Functions of math that have no row, and what does the same on Values.
_INSTEAD = {
    "pow": "a ** b", "fsum": "autograd.sum(values)", "dist": "autograd.norm([a - b for a, b in "
    "zip(p, q)])", "sumprod": "autograd.dot(p, q)",
    "fma": "a * b + c", "phase": "autograd.atan2(y, x)",
    "remainder": "autograd.ieee_remainder(a, b)"}
# Functions that autograd.math has of Values, too, without a row.
_IN_MATH = ("isnan", "isinf", "isfinite", "isclose", "modf", "frexp", "ldexp", "prod")
_LIBRARIES = sys.stdlib_module_names | {"autograd", "numpy", "scipy", "pandas"}
_OF_ARRAYS = ("autograd.core.numpy_", "autograd.core.arrays", "autograd.core.value")
# By these words NumPy says that a function has no loop for objects.
_OF_OBJECTS = ("loop of ufunc does not support argument", "not supported for the input types",
               "from dtype('O')")
_KEEP = "use the Value itself, which keeps the gradient"

# Attributes that people look for on a Value, and what to write.
ELSEWHERE = {
    "requires_grad requires_grad_": "every Value records, but inside with no_grad(): ...",
    "zero_grad zero_ zero_grad_": "write v.grad = 0.0, or model.zero_grad() for all parameters",
    "retain_grad": "every node shows its grad after backward()",
    "grad_fn children": "write v.op and v.parents",
    "is_leaf": "write v.op is None",
    "numpy tolist value val cpu": "write v.data for the bare number",
    "to cuda": "compiled functions run elsewhere: jit(f, backend=\"jax\")",
    "clone": "write v.identity() for a node of its own, copy.copy(v) for a twin",
    "name": "write v.label",
    "shape size ndim dtype": "a Value is one number; np.shape(v) and np.size(v) take it",
    "T at": "a Value is one number; autograd.values([...]) makes an array of several",
    "sum mean max min prod": "a Value is one number; write sum([a, b]), or autograd.values([a, "
                             "b]).sum()",
    "float double half": "leave it out: a Value holds a Python float",
    "eval realize block_until_ready": "leave it out: a Value is computed when it is written",
    "assign assign_add assign_sub add_ sub_ mul_ div_ copy_ fill_": "write v.data = number, of a "
                                                                   "leaf",
    "simplify expand free_symbols": "a Value has a number; autograd.explain(v) shows formulas",
    "primal tangent deriv derivative": "write autograd.jvp(f, x, direction) for forward mode",
    "matmul mm": "a Value is one number; write a * b, or @ of arrays of Values",
    "subs evalf": "a Value has a number; write a function and call it at another one",
    "diff": "write autograd.gradient(y, x), or autograd.explain(y, wrt=x) for the formula",
    "backprop": "write v.backward()",
    "register_hook": "look at v.grad after backward()"}


class _Asking(NamedTuple):
    """What asks for the bare number.

    Attributes:
        how: "call", "store" (into an array of numbers), "%" (of a text), or "" if unknown.
        name: what is called, as it is written: ``math.exp``; "" if unknown.
        n_arguments: how many it is given.
    """

    how: str
    name: str = ""
    n_arguments: int = 1


def lost_gradient(call: str) -> str:
    """The message for a Value whose bare number is asked for; to be called by ``__float__``.

    Args:
        call: what Python asks in any case, such as "float(v)".
    """
    frame = _of_the_user(sys._getframe(2))
    asking = _asking(frame.f_code, frame.f_lasti, frame.f_lineno)
    method = asking.name.rpartition(".")[2] if "." in asking.name else ""
    if method == "astype":
        return ("astype(float) would make plain numbers of Values and lose the gradient silently; "
                "leave it out: an array of Values has dtype=object, and NumPy's functions take it")
    if asking.how == "store" or method == "fill":
        return ("an array of plain numbers cannot hold a Value, whose gradient would be lost; make "
                "it with np.zeros(n, dtype=object), np.zeros_like(x) of an array x of Values or "
                "autograd.values(...), or collect the Values in a list; v.data is the bare number")
    if asking.how == "%":
        return ('"%f" % v would take the bare number of v out of its graph; write f"{v:f}" or '
                '"%f" % v.data for a text')
    function = _found(asking.name, frame)
    module, name = _origin(function)
    if module in ("math", "cmath"):
        return _of_math(f"{module}.{name}", name, asking.n_arguments)
    if any(function is each for each in (float, int, complex)):
        return _of_conversion(name)
    if module.split(".")[0] == "numpy":
        return (f"{asking.name}(...) would make plain numbers of Values and lose the gradient "
                "silently; an array of Values has dtype=object; write v.data for the bare number, "
                "through which no gradient flows")
    what = f"{asking.name}(...)" if asking.name else f"{call}, or what calls it,"
    return (f"{what} would lose the gradient of a Value silently; write v.data for the bare "
            "number, through which no gradient flows, or use an operation of autograd")


def explained(error: TypeError) -> TypeError:
    """The same error; where NumPy does not say that it met an array of Values, one that does.

    Args:
        error: what a function raised that was given Values.
    """
    text = str(error)
    if not any(words in text for words in _OF_OBJECTS):
        return error
    if name := _of_special(error.__traceback__):
        return TypeError(
            f"scipy.special.{name} is written in Python, and makes plain arrays of Values: write "
            f"autograd.special.{name}, or autograd.adopt(function), in which SciPy's takes Values")
    return TypeError(
        f"{text}: this is an array of objects to NumPy, as np.array([v, w]) makes it of Values. "
        "Write np.stack([v, w]), or np.zeros_like(x) of an array x of Values and fill it, or "
        "autograd.adopt(function), in which np.array keeps them; SciPy's functions in Python have "
        "others in autograd and autograd.special")


def _of_special(trace: TracebackType | None) -> str:
    """The function of scipy.special that a traceback goes through, if autograd.special has it."""
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__")).startswith("scipy.special."):
            name = frame.f_code.co_name
            return name if hasattr(import_module("autograd.special"), name) else ""
        trace = trace.tb_next
    return ""


def of_whole_numbers() -> str:
    """The message for a Value that one of SciPy's factorials of a step was given, or "".

    They refuse floats, which a Value does not look like to them, and would compute what no
    function of floats is; to be called by who answers ``np.isnan``, which they begin with.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("autograd."):
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__") != "scipy.special._basic":
        return ""
    name = frame.f_locals.get("fname")
    if name not in ("factorial2", "factorialk"):
        return ""
    return (f"scipy.special.{name} is a function of whole numbers, which has no derivative; write "
            f"{name}(int(n.data)) for a number without one")


def _of_math(call: str, name: str, n_arguments: int) -> str:
    row = _row(name)
    if name in _INSTEAD:
        instead = _INSTEAD[name]
    elif row is not None and name == "log" and n_arguments == 2:
        instead = "autograd.log(x) / autograd.log(base)"
    elif row is not None and row.arity == 2 and n_arguments > 2:  # math.hypot takes any number
        instead = "autograd.norm([...])"
    elif row is not None:
        method = f"v.{row.name}() (or autograd.{row.name})"
        instead = method if row.arity == 1 else f"autograd.{row.name}(...)"
    elif name in _IN_MATH:
        instead = f"autograd.math.{name}(...)"
    else:
        return (f"{call} of a Value would lose the gradient silently, and autograd has no such "
                f"operation; write v.data in {call}(...) if none is to flow through it")
    return (f"{call} of a Value would lose the gradient silently; write {instead} to record it, or "
            "v.data for the bare number")


def _of_conversion(name: str) -> str:
    if name == "int":
        return (f"int(v) would lose the gradient silently; {_KEEP} (v.trunc() is whole, too), or "
                "write int(v.data) for the bare number; its derivative is 0 wherever it has one. "
                "In a function that jit compiles, int(v) is an index: one recording for each")
    return (f"{name}(v) would lose the gradient silently; leave {name}() out and {_KEEP}, or "
            "write v.data for the bare number")


def _row(name: str) -> Primitive | None:
    for row in TABLE.values():
        if name in (row.name, *row.aliases) and not row.hidden:
            return row
    return None


# --- who asks -------------------------------------------------------------------------------------

def _of_the_user(frame: FrameType) -> FrameType:
    """The frame that has called a library, if one asks."""
    asking: FrameType | None = frame
    while asking is not None:
        module = str(asking.f_globals.get("__name__"))
        if module.split(".")[0] not in _LIBRARIES and not module.startswith(_OF_ARRAYS):
            return asking
        asking = asking.f_back
    return frame


@lru_cache(maxsize=256)
def _asking(code: CodeType, position: int, line: int) -> _Asking:
    # Up to the position, which lies behind a call that was made to Python.
    *before, instruction = [each for each in dis.get_instructions(code) if each.offset <= position]
    if instruction.opname.startswith("STORE_S"):  # a subscript, or a slice
        return _Asking("store")
    if instruction.opname == "BINARY_MODULO" or instruction.argrepr == "%":
        return _Asking("%")
    if not instruction.opname.startswith("CALL"):
        return _Asking("")
    name = _by_places(before, instruction) if sys.version_info >= (3, 11) else (
        _by_line(linecache.getline(code.co_filename, line)))
    return _Asking("call", name, instruction.arg or 0)


def _by_places(before: list[dis.Instruction], call: dis.Instruction) -> str:
    """The name that is called: what is loaded from where the text of the call begins."""
    start = _start(call)
    if None in start:  # python -X no_debug_ranges
        return ""
    parts = [each for each in before if _start(each) == start
             and each.opname not in _NO_PART]
    names = [each.argval for each in parts]
    if not all(each.opname.startswith("LOAD_") for each in parts) or not all(
            isinstance(name, str) for name in names):
        # The result of another call, or an item; of a method the name is known.
        last = parts[-1]  # there is one: what is no LOAD_
        return f".{last.argval}" if last.opname in ("LOAD_METHOD", "LOAD_ATTR") else ""
    return ".".join(names)


# What may lie where a call begins without being a part of what is called.
_NO_PART = {"PUSH_NULL", "PRECALL", "CACHE", "NOP", "EXTENDED_ARG", "KW_NAMES", "LOAD_CONST",
            "RESUME", "COPY_FREE_VARS", "MAKE_CELL", "POP_TOP", "RETURN_GENERATOR"}


def _start(instruction: Any) -> tuple[Any, Any]:
    places = instruction.positions
    return (None, None) if places is None else (places.lineno, places.col_offset)


def _by_line(line: str) -> str:
    """The name that is called, where a line calls a single one."""
    names = set(re.findall(r"([A-Za-z_][\w.]*)\s*\(", line))
    return names.pop() if len(names) == 1 else ""


def _found(name: str, frame: FrameType) -> Any:
    """What a dotted name stands for; attributes are looked up in modules alone."""
    first, *rest = name.split(".")
    found: Any = None
    for space in (frame.f_locals, frame.f_globals, vars(builtins)):
        if first in space:
            found = space[first]
            break
    for part in rest:
        found = vars(found).get(part) if isinstance(found, ModuleType) else None
    return found


def _origin(function: Any) -> tuple[str, str]:
    """The module and the name of a function of C."""
    if function is None:
        return "", ""
    return (str(getattr(function, "__module__", None) or ""),
            str(getattr(function, "__name__", "")))
