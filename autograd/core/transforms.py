"""Derivatives of functions: grad, value_and_grad, jacobian, hessian, jvp, hvp.

Each calls the function on fresh leaves and differentiates the graph that comes back. Where that
graph hangs on nothing but those leaves, the results are floats; where other Values take part
(those of an outer transform, or a model's parameters) they are Values, so that every transform
nests in every other and no gradient is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, TypeVar, overload

import numpy as np

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.array_primitive import pushed_forward
from autograd.core.backward import (
    adjoints,
    backward,
    local_graphs,
    place_of,
    results_by_call,
)
from autograd.core.call import Call
from autograd.core.composed import numbers_in
from autograd.core.gates import pushed_on, reached_from, times, under
from autograd.core.graph import refuse_stale, topological_order
from autograd.core.misuse import explained
from autograd.core.pytrees import (
    as_array,
    flatten,
    items_of,
    leaves_of,
    rebuild,
    shape_of,
    with_items,
)
from autograd.core.typing import Array
from autograd.core.undefined import Undefined, checked, in_ieee
from autograd.core.value import (
    Operand,
    Value,
    data_of,
    describe,
    recording,
    refuse_lost_gradients,
    tick,
)

if TYPE_CHECKING:
    from autograd.core.signatures import Composing, Gradient, Hessian, Jacobian, ValueAndGradient

Argnums = int | tuple[int, ...]
P = ParamSpec("P")
C = TypeVar("C")


class Trace:
    """One call of a function on fresh leaves in place of the arguments argnums.

    Args:
        function: what is differentiated.
        arguments, keywords: what it is called with; only positional ones are differentiated.
        argnums: which of them.
        has_aux: whether it returns something else beside what is differentiated, as a pair.
    """

    def __init__(self, function: Callable[..., Any], argnums: Argnums, arguments: tuple[Any, ...],
                 keywords: dict[str, Any], has_aux: bool = False) -> None:
        self.single = isinstance(argnums, int)
        positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        for position in positions:
            if not -len(arguments) <= position < len(arguments):
                raise TypeError(f"argnums={argnums} asks for argument {position}, but the function "
                                f"was called with {len(arguments)} positional argument(s)")
        positions = tuple(position % len(arguments) for position in positions)
        self.differentiated = [arguments[position] for position in positions]
        lifted = list(arguments)
        self.started = tick().clock
        refusals: list[str] = []
        with recording(refusals):
            self.leaves = [_lift(number) for number in flatten(self.differentiated)]
            for position, fresh in zip(positions, rebuild(self.differentiated, self.leaves),
                                       strict=True):
                lifted[position] = fresh
            try:
                self.result = function(*lifted, **keywords)
            except TypeError as error:
                if (other := explained(error)) is not error:
                    raise other from error
                raise
            refuse_lost_gradients(refusals)
        self.has_aux, self.aux = has_aux, None
        if has_aux:
            if not isinstance(self.result, tuple) or len(self.result) != 2:
                raise TypeError("has_aux=True says that the function returns a pair (result, aux), "
                                f"but it returned {type(self.result).__name__}; write return "
                                "result, aux")
            self.result, self.aux = self.result

    def with_aux(self, derivative: Any) -> Any:
        """What a transform returns: a pair, if the function does."""
        if not self.has_aux:
            return derivative
        recorded = [leaf for leaf in leaves_of(self.aux) if leaf.__class__ is Value]
        return derivative, (numbers_in(self.aux) if self.is_closed(*recorded) else self.aux)

    def is_closed(self, *results: Any) -> bool:
        """Whether the results hang on Values of this call alone, so that floats say everything.

        A leaf that is older than the call, or a fresh leaf that stands for an outer transform's
        Value, could be asked for its gradient later.
        """
        if any(leaf.parents for leaf in self.leaves):
            return False
        roots = [result for result in results if result.__class__ is Value]
        return all(node.parents or node._made.clock >= self.started
                   for node in topological_order(*roots))

    def rebuild(self, items: list[Any]) -> Any:
        """Flat derivatives by all leaves, in the structure of the arguments."""
        parts = rebuild(self.differentiated, items)
        return parts[0] if self.single else tuple(parts)

    def split(self, table: Array, outer: Any = None) -> Any:
        """A table of derivatives as arrays, in the structure of what has names or is a tuple.

        Args:
            table: a row for each output, a column for each leaf.
            outer: what the rows are of: what the function returned; None for the arguments.
        """
        inner = self.differentiated[0] if self.single else _Arguments(self.differentiated)
        return _divided(table, inner if outer is None else outer, inner)


class _Arguments(tuple[Any, ...]):
    """Several arguments, whose derivatives are a tuple."""

    __slots__ = ()


def _divided(table: Array, outer: Any, inner: Any) -> Any:
    """A table as arrays, one for each part of the structures of its rows and columns."""
    if _has_parts(outer) and not (inner.__class__ is _Arguments
                                  and outer.__class__ is not _Arguments):  # these come first
        return _by_parts(outer, lambda span, part: _divided(table[span], part, inner))
    if _has_parts(inner):
        return _by_parts(inner, lambda span, part: _divided(table[:, span], outer, part))
    return _plain(table.reshape(shape_of(outer) + shape_of(inner)))


def _has_parts(structure: Any) -> bool:
    """Whether a structure is kept: that of a dictionary is, lists and arrays become one array."""
    return structure.__class__ is _Arguments or isinstance(structure, dict) or (
        isinstance(structure, list | tuple) and any(map(_has_parts, structure)))


def _by_parts(structure: Any, make: Callable[[slice, Any], Any]) -> Any:
    made, start = [], 0
    for part in items_of(structure):
        stop = start + len(flatten(part))
        made.append(make(slice(start, stop), part))
        start = stop
    return tuple(made) if structure.__class__ is _Arguments else with_items(structure, made)


def _lift(number: Any) -> Value:
    # A Value of an outer transform gets a node of its own: the inner derivative stops there.
    return primitives.identity(number) if number.__class__ is Value else Value(number)


def _plain(array: Array) -> Any:
    """A number for an array without axes."""
    return array.item() if array.ndim == 0 else array


def scalar(result: Any) -> Any:
    """The one number that a function returned.

    Raises:
        TypeError: when it returned none, or several.
    """
    if isinstance(result, np.ndarray) and result.size == 1:
        result = result.item()
    if result.__class__ is Value:
        return result
    if isinstance(result, list | tuple | dict | np.ndarray):
        raise TypeError("the function must return one number to have a gradient, but returned "
                        f"{len(flatten(result))} in a {type(result).__name__}; write jacobian(f), "
                        "or sum what it returns")
    if result is None:
        raise TypeError("the function returned None; return the Value to differentiate")
    return primitives.as_float(result, "what the function returns")


@overload
def value_and_grad(function: Composing[C], argnums: Argnums = 0, has_aux: bool = False,
                   undefined: Undefined = "raise") -> C: ...
@overload
def value_and_grad(function: Callable[Concatenate[Any, P], Any], argnums: Literal[0] = 0,
                   has_aux: Literal[False] = False,
                   undefined: Undefined = "raise") -> ValueAndGradient[P]: ...
@overload
def value_and_grad(function: Callable[..., Any], argnums: Argnums, has_aux: Literal[False] = False,
                   undefined: Undefined = "raise") -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_grad(function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: Literal[True],
                   undefined: Undefined = "raise") -> Callable[..., tuple[Any, Any]]: ...
@also_called({"argnum": "argnums"})
def value_and_grad(function: Any, argnums: Argnums = 0, has_aux: bool = False,
                   undefined: Undefined = "raise") -> Any:
    """A function that returns (value, gradient) of a function of one output.

    Args:
        function: takes numbers, sequences, arrays or dictionaries of them; returns one number.
        argnums: which positional arguments to differentiate; an int, or a tuple of ints.
        has_aux: whether function returns a pair: the number, and anything else beside it, which
            is handed on: the result is ((value, aux), gradient), that of :func:`grad`,
            :func:`jacobian` and :func:`hessian` (derivative, aux).
        undefined: "raise" for Python's error outside the domain of an operation; "nan" for what
            IEEE 754 says there, inf and nan as NumPy gives them, of the value and of the gradient:
            line searches go on from there.

    Returns:
        A function of the same arguments. The gradient has the structure and shape of the
        argument (a tuple of them for a tuple of argnums). Both are floats unless Values from
        outside take part.

    Raises:
        TypeError: when called, if function returns anything but one number.
        ValueError: for another ``undefined``.
    """
    if checked(undefined) == "nan":
        return _in_ieee(value_and_grad, function, *_options(argnums, has_aux))
    if (composed := composed_of(value_and_grad, function, *_options(argnums, has_aux))) is not None:
        return composed

    @wraps(function)
    def differentiated(*arguments: Any, **keywords: Any) -> tuple[Any, Any]:
        trace = Trace(function, argnums, arguments, keywords, has_aux)
        y = scalar(trace.result)
        if trace.is_closed(y):
            return trace.with_aux(data_of(y)), trace.rebuild(float_gradient(y, trace.leaves))
        return trace.with_aux(y), trace.rebuild(list(adjoints(y, trace.leaves)))

    return _marked(differentiated, value_and_grad, function, *_options(argnums, has_aux))


def _in_ieee(transform: Callable[..., Any], function: Any, *options: Any) -> Any:
    """A derivative that is nan or inf where an operation is not defined."""
    refuse_misuse(transform.__name__, function, options)
    composed = composed_of(in_ieee, function, transform, *options)
    return in_ieee(function, transform, *options) if composed is None else composed


def _marked(derivative: Callable[..., Any], transform: Callable[..., Any],
            *arguments: Any) -> Callable[..., Any]:
    """The derivative, with a note of how it was made: a compiled one is pickled by that.

    Its code stands in the note, too, for whoever wraps a function takes over its attributes.
    """
    code = derivative.__code__
    derivative.__derivative__ = (code, transform, *arguments)  # type: ignore[attr-defined]
    return derivative


def _options(argnums: Argnums, has_aux: bool) -> tuple[Any, ...]:
    """What a transform is made with beside the function."""
    return (argnums, True) if has_aux else (argnums,)


def composed_of(transform: Callable[..., Any], function: Callable[..., Any],
              *options: Any) -> Callable[..., Any] | None:
    """What a compiled function offers in place of a transform of itself, if it is one.

    The derivative of a compiled function is the compiled derivative.
    """
    refuse_misuse(transform.__name__.removesuffix("_of"), function,
                  () if transform is in_ieee else options)
    compose = getattr(function, "__compose__", None)
    if compose is None:
        return None
    hashable = (tuple(option) if isinstance(option, list) else option for option in options)
    composed: Callable[..., Any] = compose(transform, *hashable)
    return composed


_CALLS = {"jvp": "jvp(f, x, direction)", "hvp": "hvp(f, x, direction)",
          "gradcheck": "gradcheck(f, x)", "check_gradients": "check_gradients(f, domain)"}


def refuse_misuse(name: str, function: Any, options: tuple[Any, ...] = ()) -> None:
    """Raise a TypeError for what is no function, or for argnums that are none.

    Args:
        name: of what was called with it.
        function: its first argument.
        options: argnums.
    """
    if function.__class__ is Value:
        instead = ("autograd.gradient(y, x), or y.backward() and then x.grad"
                   if name in ("grad", "value_and_grad") else
                   f"it as a function f, and {_CALLS.get(name, f'{name}(f)(x)')}")
        raise TypeError(f"{name} takes a function, and {describe(function)} is a Value that was "
                        f"computed already; write {instead}")
    if not callable(function):
        raise TypeError(f"{name} takes a function, not {function!r}")
    for argnums in options:
        if not isinstance(argnums, int) and not (
                isinstance(argnums, list | tuple) and all(isinstance(i, int) for i in argnums)):
            raise TypeError(f"argnums says which arguments to differentiate, as an int or a tuple "
                            f"of ints, not {argnums!r}; write {name}(f)(x) for the derivative at x")


def float_gradient(y: Operand, leaves: Sequence[Value]) -> list[float]:
    for leaf in leaves:
        leaf.grad = 0.0
    if y.__class__ is Value:
        backward(y)
    return [leaf.grad for leaf in leaves]


@overload
def grad(function: Composing[C], argnums: Argnums = 0, has_aux: bool = False,
         undefined: Undefined = "raise") -> C: ...
@overload
def grad(function: Callable[Concatenate[Any, P], Any], argnums: Literal[0] = 0,
         has_aux: Literal[False] = False, undefined: Undefined = "raise") -> Gradient[P]: ...
@overload
def grad(function: Callable[..., Any], argnums: Argnums, has_aux: Literal[False] = False,
         undefined: Undefined = "raise") -> Callable[..., Any]: ...
@overload
def grad(function: Callable[..., Any], argnums: Argnums = 0, *, has_aux: Literal[True],
         undefined: Undefined = "raise") -> Callable[..., tuple[Any, Any]]: ...
@also_called({"argnum": "argnums"})
def grad(function: Any, argnums: Argnums = 0, has_aux: bool = False,
         undefined: Undefined = "raise") -> Any:
    """The function's gradient, as a function.

    ``grad(grad(f))`` is the second derivative, and so on to any depth.

    Args:
        function, argnums, has_aux, undefined: as for :func:`value_and_grad`.

    Returns:
        A function of the same arguments, whose result has the structure and shape of the argument:
        what :func:`value_and_grad` gives beside the value. With has_aux it is (gradient, aux).

    Raises:
        TypeError: when called, if function returns anything but one number.
        ValueError: for another ``undefined``.
    """
    if checked(undefined) == "nan":
        return _in_ieee(grad, function, *_options(argnums, has_aux))
    if (composed := composed_of(grad, function, *_options(argnums, has_aux))) is not None:
        return composed
    both: Any = value_and_grad(function, *_options(argnums, has_aux))

    @wraps(function)
    def gradient_of(*arguments: Any, **keywords: Any) -> Any:
        value, gradient = both(*arguments, **keywords)
        return (gradient, value[1]) if has_aux else gradient

    return _marked(gradient_of, grad, function, *_options(argnums, has_aux))


@overload
def jacobian(function: Composing[C], argnums: Argnums = 0, has_aux: bool = False) -> C: ...
@overload
def jacobian(function: Callable[Concatenate[Any, P], Any],
             argnums: Literal[0] = 0) -> Jacobian[P]: ...
@overload
def jacobian(function: Callable[..., Any], argnums: Argnums) -> Callable[..., Any]: ...
@overload
def jacobian(function: Callable[..., Any], argnums: Argnums = 0, *,
             has_aux: Literal[True]) -> Callable[..., tuple[Any, Any]]: ...
@also_called({"argnum": "argnums"})
def jacobian(function: Any, argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """The matrix of derivatives of a function of several outputs, as a function.

    Args:
        function: returns a number, a sequence or an array of numbers.
        argnums, has_aux: as for :func:`value_and_grad`.

    Returns:
        A function whose result has the shape (shape of the output) + (shape of the argument):
        an array, or a number where both are numbers; for a tuple of argnums a tuple of them.
        Dictionaries keep their keys: ``result[key of the output][key of the argument]``.
    """
    if (composed := composed_of(jacobian, function, *_options(argnums, has_aux))) is not None:
        return composed

    @wraps(function)
    def jacobian_of(*arguments: Any, **keywords: Any) -> Any:
        trace = Trace(function, argnums, arguments, keywords, has_aux)
        outputs = flatten(trace.result)
        rows = rows_of_jacobian(outputs, trace)
        flat = [item for row in rows for item in row]
        return trace.with_aux(
            trace.split(as_array(flat, (len(outputs), len(trace.leaves))), trace.result))

    return _marked(jacobian_of, jacobian, function, *_options(argnums, has_aux))


def rows_of_jacobian(outputs: Sequence[Any], trace: Trace) -> list[list[Any]]:
    """One gradient for each output: floats where the graph is the trace's own, else Values."""
    outputs = [scalar(output) for output in outputs]
    if trace.is_closed(*outputs):
        return [float_gradient(output, trace.leaves) for output in outputs]
    return [list(adjoints(output, trace.leaves)) for output in outputs]


@overload
def hessian(function: Composing[C], argnums: Argnums = 0, has_aux: bool = False) -> C: ...
@overload
def hessian(function: Callable[Concatenate[Any, P], Any],
            argnums: Literal[0] = 0) -> Hessian[P]: ...
@overload
def hessian(function: Callable[..., Any], argnums: Argnums) -> Callable[..., Any]: ...
@overload
def hessian(function: Callable[..., Any], argnums: Argnums = 0, *,
            has_aux: Literal[True]) -> Callable[..., tuple[Any, Any]]: ...
@also_called({"argnum": "argnums"})
def hessian(function: Any, argnums: Argnums = 0, has_aux: bool = False) -> Any:
    """The matrix of second derivatives of a function of one output, as a function.

    Each row costs only the part of the graph that the variable's derivative hangs on, so a sparse
    matrix is cheap.

    Args:
        function, argnums, has_aux: as for :func:`value_and_grad`.

    Returns:
        A function whose result has the shape (shape of the argument) * 2: an array, or a number;
        for a tuple of argnums a tuple of tuples of them, and for a dictionary one of dictionaries,
        ``result[first key][second key]``.

    Raises:
        TypeError: when called, if function returns anything but one number.
    """
    if (composed := composed_of(hessian, function, *_options(argnums, has_aux))) is not None:
        return composed

    @wraps(function)
    def hessian_of(*arguments: Any, **keywords: Any) -> Any:
        trace = Trace(function, argnums, arguments, keywords, has_aux)
        firsts = adjoints(scalar(trace.result), trace.leaves)
        rows = rows_of_jacobian(firsts, trace)
        size = len(trace.leaves)
        return trace.with_aux(
            trace.split(as_array([item for row in rows for item in row], (size, size))))

    return _marked(hessian_of, hessian, function, *_options(argnums, has_aux))


@also_called()
def jvp(function: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """A function's value and its derivative along a direction (forward mode).

    Args:
        function: returns a number, a sequence or an array of numbers.
        primals: the tuple of arguments; what is not a tuple is the only argument.
        tangents: the direction, in the structure of primals.

    Returns:
        (value, tangent), both in the structure that function returns.

    Raises:
        ValueError: when primals and tangents differ in size.
    """
    if (composed := composed_of(jvp_of, function)) is not None:
        return composed(primals, tangents)  # type: ignore[no-any-return]
    arguments, directions = _arguments_and_directions(primals, tangents)
    trace = Trace(function, tuple(range(len(arguments))), arguments, {})
    outputs = [scalar(output) for output in flatten(trace.result)]
    pushed = push_forward(outputs, trace.leaves, directions)
    if trace.is_closed(*outputs) and not any(d.__class__ is Value for d in directions):
        outputs, pushed = [data_of(o) for o in outputs], [data_of(p) for p in pushed]
    return rebuild(trace.result, outputs), rebuild(trace.result, pushed)


def jvp_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """:func:`jvp` of a function, as a function of (primals, tangents)."""
    return partial(jvp, function)


def _arguments_and_directions(primals: Any, tangents: Any) -> tuple[tuple[Any, ...], list[Any]]:
    arguments = primals if isinstance(primals, tuple) else (primals,)
    directions = [d if d.__class__ is Value else primitives.as_float(d, "a tangent")
                  for d in flatten(tangents)]
    size = len(flatten(arguments))
    if len(directions) != size:
        raise ValueError(f"primals hold {size} numbers and tangents {len(directions)}; "
                         "each argument needs a tangent of its own shape")
    return arguments, directions


def push_forward(outputs: Sequence[Any], leaves: Sequence[Value],
                 directions: Sequence[Any]) -> list[Any]:
    """The derivative of each output along the direction, by the chain rule from the leaves on."""
    order = topological_order(*(output for output in outputs if output.__class__ is Value))
    refuse_stale(order)
    tangent: dict[Value, Any] = dict(zip(leaves, directions, strict=True))
    pushed: dict[Call, list[Any]] = {}
    results = results_by_call(order)
    reached = reached_from(outputs, order)
    with recording():
        for node in order:
            if node._left.__class__ is Call:
                if node not in tangent:
                    _push_through(node, tangent, pushed, results)
                continue
            moving = {parent for parent in node.parents
                      if isinstance(parent, Value) and parent in tangent}
            if node in tangent or not moving or node.op is primitives.stopped:
                continue
            total: Any = None
            locals_ = under(reached.get(node), local_graphs, node, moving)
            for parent, local in zip(node.parents, locals_, strict=True):
                if local is not None and isinstance(parent, Value) and parent in moving:
                    term = pushed_on(node, local, tangent[parent])
                    total = term if total is None else total + term
            tangent[node] = 0.0 if total is None else total
    return [tangent.get(output, 0.0) if output.__class__ is Value else 0.0 for output in outputs]


def _push_through(node: Value, tangent: dict[Value, Any], pushed: dict[Call, list[Any]],
                  results: dict[Call, dict[int, Value]]) -> None:
    """The tangent of a result of a call; those of all its results are computed at once."""
    call = node._left
    if not any(parent.__class__ is Value and parent in tangent for parent in call.inputs):
        return
    if call not in pushed:
        moved = [tangent.get(parent, 0.0) if parent.__class__ is Value else 0.0
                 for parent in call.inputs]
        pushed[call] = pushed_forward(call, moved, results[call])
    found = pushed[call][place_of(node)]
    tangent[node] = 0.0 if found is None else found


@also_called()
def hvp(function: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    """The product of the Hessian of a function of one output with a vector.

    It costs a few gradients, whatever the size; the matrix is never built.

    Args:
        function: returns one number.
        primals: the tuple of arguments; what is not a tuple is the only argument.
        tangents: the vector, in the structure of primals.

    Returns:
        The product in the structure of primals.
    """
    if (composed := composed_of(hvp_of, function)) is not None:
        return composed(primals, tangents)
    arguments, directions = _arguments_and_directions(primals, tangents)
    trace = Trace(function, tuple(range(len(arguments))), arguments, {})
    firsts = adjoints(scalar(trace.result), trace.leaves)
    slope: Any = 0.0
    with recording():
        for first, direction in zip(firsts, directions, strict=True):
            slope = slope + times(first, direction)
    closed = trace.is_closed(slope) and not any(d.__class__ is Value for d in directions)
    products = (float_gradient(slope, trace.leaves) if closed
                else list(adjoints(slope, trace.leaves)))
    result = trace.rebuild(products)
    return result if isinstance(primals, tuple) else result[0]


def hvp_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """:func:`hvp` of a function, as a function of (primals, tangents)."""
    return partial(hvp, function)
