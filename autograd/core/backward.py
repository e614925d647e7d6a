"""The reverse pass: on floats (``backward``) and on Values (``gradient``, a graph again).

Both walk the topological order backwards and hand to each operand the adjoint of its consumer
times the local derivative. The local derivatives come from the table of primitives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd.core import primitives
from autograd.core.array_primitive import pulled_back, pulled_back_recorded
from autograd.core.call import Call
from autograd.core.gates import Gate, Gates, chosen_between, times, under
from autograd.core.graph import (
    collector_at_rest,
    onlooker_at_rest,
    refuse_stale,
    topological_order,
)
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.pytrees import is_container, leaves_of, paths, rebuild
from autograd.core.undefined import is_ieee
from autograd.core.value import (
    NOT_COMPUTED,
    Operand,
    Value,
    data_of,
    grad_of,
    maker,
    name_of,
    numbers,
    recording,
)

_add, _sub, _mul, _dot = primitives.add, primitives.sub, primitives.mul, primitives.dot
_stopped, _where = primitives.stopped, primitives.where


def backward(root: Value) -> None:
    """Fill ``grad`` of every node under the root with d(root)/d(node).

    Leaves add it to what they have; computed nodes are overwritten. Where no adjoint arrives, not
    even one of 0 (in an arm that ``where`` did not take), leaves keep what they had, and computed
    nodes read as not computed. If it fails, every leaf keeps the grad that it had, and all
    computed nodes read as not computed.

    Raises:
        ValueError: when a leaf's data was edited after it was used.
        ValueError, ZeroDivisionError, OverflowError: where a derivative does not exist.
    """
    order = topological_order(root)
    leaves = refuse_stale(order)
    before = [NOT_COMPUTED if leaf.grad is None else leaf.grad for leaf in leaves]
    try:
        for node in order:
            node.grad = NOT_COMPUTED
        root.grad = 1.0
        try:
            _propagate(order)
            is_done = not is_ieee() or all(math.isfinite(leaf.grad) for leaf in leaves)
        except DOMAIN_ERRORS:
            is_done = False
        if not is_done:
            _propagate_by_graphs(root, order)
        for leaf, grad in zip(leaves, before, strict=True):
            leaf.grad = grad if leaf.grad is NOT_COMPUTED else leaf.grad + grad
    except BaseException:  # Ctrl-C too: a pass that did not finish has computed nothing
        for node in order:
            node.grad = NOT_COMPUTED
        for leaf, grad in zip(leaves, before, strict=True):
            leaf.grad = grad
        raise


def hand_on(node: Value) -> None:
    """Add a node's grad times the local derivatives to the grads of its operands.

    Raises:
        ValueError: when a leaf's data was edited after it was used.
        ValueError, ZeroDivisionError, OverflowError: where a derivative does not exist.
    """
    refuse_stale(topological_order(node))
    for parent, local in zip(node.parents, local_derivatives(node), strict=True):
        if local is not None and isinstance(parent, Value):
            parent.grad = grad_of(parent) + grad_of(node) * local


def _propagate(order: list[Value]) -> None:
    """Hand the adjoints down. The ops that programs spend their time in are written out."""
    together: _Together | None = None
    for node in reversed(order):
        op = node.op
        if op is None:
            continue
        adjoint = node.grad
        if adjoint is NOT_COMPUTED and (together is None or node not in together.last_met):
            continue  # in an arm that `where` did not take, whose slope may be infinite
        left, right = node._left, node._right
        if op is _mul:
            if left.__class__ is not Value:
                right.grad += adjoint * left
            elif right.__class__ is not Value:
                left.grad += adjoint * right
            else:
                left.grad += adjoint * right._data
                right.grad += adjoint * left._data
        elif op is _add:
            if left.__class__ is Value:
                left.grad += adjoint
            if right.__class__ is Value:
                right.grad += adjoint
        elif op is _sub:
            if left.__class__ is Value:
                left.grad += adjoint
            if right.__class__ is Value:
                right.grad -= adjoint
        elif op is _dot:
            half = len(left) // 2
            for a, b in zip(left[:half], left[half:]):  # noqa: B905 - halves, and hot
                if b.__class__ is not Value:
                    if a.__class__ is Value:
                        a.grad += adjoint * b
                elif a.__class__ is not Value:
                    b.grad += adjoint * a
                else:
                    a.grad += adjoint * b._data
                    b.grad += adjoint * a._data
        elif op.flat:
            pass
        elif op.arity == 1:
            try:
                left.grad += adjoint * op.partials[0](left._data, node._data)
            except DOMAIN_ERRORS as error:
                raise _derivative_error(node, error) from None
        elif op.arity == 2 and not op.chooses:
            _propagate_binary(node, op.partials, adjoint, left, right)
        elif left.__class__ is Call:
            together = together or _Together(order)
            _send_back(node, adjoint, together)
        else:
            for parent, local in zip(node.parents, local_derivatives(node), strict=True):
                if local is not None and parent.__class__ is Value and (
                        local != 0.0 or not op.chooses):
                    parent.grad += adjoint * local


class _Together:
    """The adjoints of the results of each call, which go back together.

    The result that stands first in the order is met last: what comes after it has given by then,
    and the operands of the call are still to come.

    Args:
        order: all nodes of a pass, in topological order.
    """

    def __init__(self, order: Sequence[Value]) -> None:
        self.results = results_by_call(order)
        self.last_met = {next(iter(results.values())) for results in self.results.values()}
        self.adjoints: dict[Call, list[Any]] = {}

    def adjoints_of(self, node: Value, adjoint: Any) -> list[Any] | None:
        """Take the adjoint of a result; those of all, where this is the last one."""
        call = node._left
        if adjoint is not NOT_COMPUTED:
            all_of_call = self.adjoints.setdefault(call, [0.0] * len(call.numbers))
            before = all_of_call[place_of(node)]
            is_first = before.__class__ is float and before == 0.0
            all_of_call[place_of(node)] = adjoint if is_first else before + adjoint
        return self.adjoints.pop(call, None) if node in self.last_met else None


def results_by_call(order: Sequence[Value]) -> dict[Call, dict[int, Value]]:
    """The results of each call among the nodes, by their places, in order."""
    results: dict[Call, dict[int, Value]] = {}
    for node in order:
        if node._left.__class__ is Call:
            results.setdefault(node._left, {}).setdefault(place_of(node), node)
    return results


def place_of(node: Value) -> int:
    """Which result of its call a node is."""
    place: int = node.op.place  # type: ignore[union-attr]
    return place


def _send_back(node: Value, adjoint: float, together: _Together) -> None:
    """Hand the adjoints of a call's results to its operands, once all are there."""
    received = together.adjoints_of(node, adjoint)
    if received is not None:
        call = node._left
        for parent, gradient in zip(call.inputs, pulled_back(call, received), strict=True):
            if gradient is not None and parent.__class__ is Value:
                parent.grad += gradient


def _propagate_by_graphs(root: Value, order: list[Value]) -> None:
    """Look again where a derivative does not exist: 0 * sqrt(x) is constant, also at x = 0.

    In graphs one can see that a factor is 0 for any input, and hands nothing on; and what hangs on
    constants alone has no derivative to ask for.
    """
    depends = dependents(order, [node for node in order if node.op is None])
    asked = [node for node in order if node in depends]
    for node, adjoint in zip(asked, adjoints(root, asked), strict=True):
        node.grad = data_of(adjoint)


def _propagate_binary(node: Value, partials: Any, adjoint: float, left: Any, right: Any) -> None:
    x = left._data if left.__class__ is Value else left
    y = right._data if right.__class__ is Value else right
    try:
        if left.__class__ is Value:
            left.grad += adjoint * partials[0](x, y, node._data)
        if right.__class__ is Value:
            right.grad += adjoint * partials[1](x, y, node._data)
    except DOMAIN_ERRORS as error:
        raise _derivative_error(node, error) from None


def local_derivatives(node: Value) -> Sequence[float | None]:
    """The derivative of a node by each of its operands, as floats; None for no adjoint.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: where it does not exist; the message
            names the op and its operands.
    """
    operands, wanted, op = numbers(node.parents), _wanted(node), node.op
    if op is None:
        return ()
    try:
        return op.local_derivatives(operands, node._data, wanted)
    except DOMAIN_ERRORS as error:
        raise _derivative_error(node, error) from None


def _wanted(node: Value) -> list[bool]:
    return [parent.__class__ is Value for parent in node.parents]


def _derivative_error(node: Value, error: Exception) -> Exception:
    assert node.op is not None
    subject = f"the derivative of {node.op.name}"
    if node.label:
        subject += f" (node {node.label!r})"
    return node.op.domain_error(error, numbers(node.parents),
                                [name_of(p) for p in node.parents], subject)


def gradient(y: Any, xs: Any) -> Any:
    """The derivatives of y as graphs: Values that can be drawn, explained, differentiated again.

    Args:
        y: a Value (or a number, whose derivatives are 0).
        xs: a Value, or a list, tuple, dictionary or array of Values: leaves or computed nodes.

    Returns:
        Values in the structure of xs.

    Raises:
        TypeError: when y or an x is not a Value.
        ValueError: when a leaf was edited after it was used.
    """
    if callable(y):
        raise TypeError("gradient(y, xs) takes the Value y that was computed from the Values xs; "
                        "for a function write autograd.grad(f)(x)")
    if xs.__class__ is not Value and not is_container(xs):
        xs = list(xs)
    flat = leaves_of(xs)
    for position, x in enumerate(flat):
        if x.__class__ is not Value:
            raise TypeError(f"gradient(y, xs) needs Values, but {paths(xs, 'xs')[position]} is "
                            f"{x!r}; differentiate by the Values that y was computed from")
    return rebuild(xs, map(_as_value, adjoints(y, flat)))


def _as_value(adjoint: Operand) -> Value:
    return adjoint if isinstance(adjoint, Value) else Value(adjoint)


def adjoints(y: Any, xs: Sequence[Value]) -> list[Operand]:
    """d(y)/d(x) for each x, as Values, or as floats where they are constant."""
    if y.__class__ is not Value:
        primitives.as_float(y, "what is differentiated")  # or a clear error
        return [0.0] * len(xs)
    order = topological_order(y)
    refuse_stale(order)
    depends = dependents(order, xs)
    adjoint: dict[Value, Any] = {y: 1.0} if y in depends else {}
    targets = set(xs)
    together: _Together | None = None
    chooses = any(op is not None and op.chooses for op in {node.op for node in order})
    gates = Gates(adjoint) if chooses else None
    with recording(), collector_at_rest(), onlooker_at_rest():
        add_to = _adder(adjoint)
        for node in reversed(order):
            if node not in adjoint:
                if together is None or node not in together.last_met:
                    continue
                received = NOT_COMPUTED
            else:  # a node that nobody asks for gives its adjoint away and keeps none
                received = adjoint[node] if node in targets else adjoint.pop(node)
            if node._left.__class__ is Call:
                together = together or _Together(order)
                _send_back_recorded(node, received, depends, add_to, together, gates)
            elif gates is not None and node.op is not None:
                _send_on_conditions(node, received, depends, gates)
            elif node.op is _dot:
                _send_to_factors(node._left, received, depends, adjoint, add_to)
            elif node.op is not None:
                _send(node, received, depends, add_to)
        if gates is not None:
            return [gates.received(x, adjoint.get(x, 0.0)) for x in xs]
    return [adjoint.get(x, 0.0) for x in xs]


def dependents(order: Sequence[Value], xs: Sequence[Value]) -> set[Any]:
    """The nodes of the order that depend on one of xs, xs themselves included, and the calls."""
    depends: set[Any] = set(xs)
    for node in order:
        left, right = node._left, node._right
        if left.__class__ is Call:
            if left in depends or not depends.isdisjoint(left.inputs):
                depends.update((node, left))
        elif node.op is not _stopped and (
                (left.__class__ is Value and left in depends)
                or (right.__class__ is Value and right in depends)
                or (left.__class__ is tuple and any(
                    parent.__class__ is Value and parent in depends for parent in left))):
            depends.add(node)
    return depends


def _send(node: Value, received: Any, depends: set[Value], add_to: AddTo) -> None:
    """Hand an adjoint on to the operands. The ops that programs are full of are written out."""
    op, left, right = node.op, node._left, node._right
    if op is _mul:
        if left.__class__ is Value and left in depends:
            add_to(left, received, right)
        if right.__class__ is Value and right in depends:
            add_to(right, received, left)
    elif op is _add or op is _sub:
        if left.__class__ is Value and left in depends:
            add_to(left, received, 1.0)
        if right.__class__ is Value and right in depends:
            add_to(right, received, 1.0 if op is _add else -1.0)
    else:
        operands = node.parents
        if not any(p.__class__ is Value and p in depends for p in operands):
            return  # it is one of the x's, and hangs on no other
        for parent, local in zip(operands, local_graphs(node, depends), strict=True):
            if local is not None and parent.__class__ is Value and parent in depends:
                add_to(parent, received, local)


def _send_on_conditions(node: Value, received: Any, depends: set[Value], gates: Gates) -> None:
    """The same as :func:`_send`, where an adjoint may arrive on a condition alone."""
    op, operands = node.op, node.parents
    assert op is not None
    asked = [p.__class__ is Value and p in depends for p in operands]
    if not any(asked):
        return
    gate = gates.of(node)
    if arms := chosen_between(node):
        received = gates.received(node, received)
        for arm, condition, is_first in arms:
            if arm in depends:
                side = Gate(condition, is_first, gate)
                gates.entered(arm, Gate(condition, is_first, None).passed(received), side)
        return
    received = gates.received(node, received, hands_on_once=sum(asked) == 1)
    was_wild = sum(asked) == 1 and gates.is_wild(node)
    locals_ = _locals_under(gate, node, depends)
    for parent, local, is_asked in zip(operands, locals_, asked, strict=True):
        if local is None or not is_asked or parent.__class__ is not Value or (
                local.__class__ is float and local == 0.0):
            continue
        contribution = times(received, local)
        if op.chooses and local.__class__ is Value:
            gates.entered(parent, contribution, Gate(local, True, gate))
        else:
            gates.handed_on(node, parent, contribution, local, was_wild)


def _locals_under(gate: Gate | None, node: Value, depends: set[Value]) -> Sequence[Any]:
    """The local derivatives as graphs; nothing is undefined where the node is not reached."""
    op = node.op
    if op is _dot:
        half = len(node._left) // 2
        return (*node._left[half:], *node._left[:half])
    if gate is None or op is _mul or op is _add or op is _sub:
        return local_graphs(node, depends)
    return under(gate.is_open, local_graphs, node, depends)


def _send_back_recorded(node: Value, received: Any, depends: set[Any], add_to: AddTo,
                        together: _Together, gates: Gates | None) -> None:
    """The same as :func:`_send_back`, of graphs."""
    call = node._left
    if call not in depends:
        return
    if gates is not None and received is not NOT_COMPUTED:
        received = gates.received(node, received)
        gates.met(call, node)
    adjoints = together.adjoints_of(node, received)
    if adjoints is None:
        return
    gradients = pulled_back_recorded(call, adjoints, together.results[call])
    for parent, gradient in zip(call.inputs, gradients, strict=True):
        if gradient is not None and parent.__class__ is Value and parent in depends:
            if gates is None:
                add_to(parent, 1.0, gradient)
            else:
                gates.handed_on(call, parent, gradient, None, False)


def _send_to_factors(factors: tuple[Any, ...], received: Any, depends: set[Value],
                     adjoint: dict[Value, Any], add_to: AddTo) -> None:
    """Hand the adjoint of a dot on: to each factor, times the other one."""
    half = len(factors) // 2
    products = maker(_mul)  # once for thousands, mostly
    adjoint_of, is_value = adjoint.get, received.__class__ is Value
    number = data_of(received)
    for parent, other in zip(factors, factors[half:] + factors[:half], strict=True):
        if parent.__class__ is Value and parent in depends:
            if is_value and other.__class__ is Value:
                product = products(number * other._data, received, other)
                before = adjoint_of(parent)
                adjoint[parent] = product if before is None else before + product
            else:
                add_to(parent, received, other)


AddTo = Callable[[Value, Any, Any], None]


def _adder(adjoint: dict[Value, Any]) -> AddTo:
    """Adds an adjoint times a local derivative to what a parent has; for use in ``recording()``."""
    products, sums, adjoint_of = maker(_mul), maker(_add), adjoint.get

    def add_to(parent: Value, received: Any, local: Any) -> None:
        if local.__class__ is Value and received.__class__ is Value:  # as the operators do
            contribution: Any = products(received._data * local._data, received, local)
        elif local.__class__ is float:
            if local == 0.0:
                return  # constant on both sides of a jump
            contribution = times(received, local)
        elif received.__class__ is float and received == 1.0:
            contribution = local
        else:
            contribution = received * local
        before = adjoint_of(parent)
        if before is None:
            adjoint[parent] = contribution
        elif before.__class__ is Value and contribution.__class__ is Value:
            adjoint[parent] = sums(before._data + contribution._data, before, contribution)
        else:
            adjoint[parent] = before + contribution

    return add_to


def local_graphs(node: Value, depends: set[Value] | None = None) -> Sequence[Any]:
    """The local derivatives of a node as graphs, for the operands that depend on the x's."""
    assert node.op is not None
    wanted = [p.__class__ is Value and (depends is None or p in depends) for p in node.parents]
    try:
        return node.op.local_derivatives(node.parents, node, wanted)
    except DOMAIN_ERRORS as error:
        if is_ieee():
            return _ieee_graphs(node, wanted)
        raise _derivative_error(node, error) from None


def _ieee_graphs(node: Value, wanted: Sequence[bool]) -> Sequence[Any]:
    """The local derivatives as IEEE arithmetic has them, nan where the rule itself raises."""
    op = node.op
    assert op is not None
    operands = list(map(_as_value, node.parents))  # Python's own 1.0 / 0.0 is an error

    def each(position: int) -> Any:
        try:
            return (op.partials[position](*operands, node) if op.arity is not None
                    else op.partials(*operands, node)[position])
        except DOMAIN_ERRORS:
            return math.nan

    return [each(position) if wish else None for position, wish in enumerate(wanted)]
