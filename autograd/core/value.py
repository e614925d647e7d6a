"""Value: a number that remembers how it was computed.

A node is plain data: its number, its op, the operands it was made from, a label. It holds no
closure and no reference to its consumers, so a graph has no cycles and is freed as soon as
nobody holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from math import isfinite
from numbers import Real
from operator import index
from typing import TYPE_CHECKING, Any, NoReturn, SupportsFloat, Union, final

import numpy as np

from autograd.core import context, primitives, undefined
from autograd.core import gamma_functions as gamma_functions  # their rows are of the table
from autograd.core import normal as normal
from autograd.core import primitive as row
from autograd.core import special as special
from autograd.core.aliases import also_called, attributes_elsewhere, refuse_keywords
from autograd.core.arrays import ANSWERS
from autograd.core.call import Call
from autograd.core.context import (
    Moment,
    State,
    dead,
    here,
    listeners_on,
    stored_state,
    switched_on,
)
from autograd.core.forking import lock
from autograd.core.listeners import Listener as Listener
from autograd.core.listeners import listener_here as listener_here
from autograd.core.listeners import listening as listening
from autograd.core.listeners import program_writer as program_writer
from autograd.core.misuse import ELSEWHERE, lost_gradient
from autograd.core.primitives import DOMAIN_ERRORS, TABLE, Primitive, as_float
from autograd.core.switches import is_transforming as is_transforming
from autograd.core.switches import name_scope as name_scope
from autograd.core.switches import no_grad as no_grad
from autograd.core.switches import noting as noting
from autograd.core.switches import recording as recording
from autograd.core.switches import refusal as refusal
from autograd.core.switches import refusals_apart as refusals_apart
from autograd.core.switches import refuse_lost_gradients as refuse_lost_gradients
from autograd.core.switches import taking_indices as taking_indices

if TYPE_CHECKING:
    from autograd.core.row_methods import RowMethods
    from autograd.core.signatures import comparison, equality, operator
else:  # what other operands a method takes, and what it gives for them, is for type checkers
    operator = comparison = equality = lambda method: method
    RowMethods = object

# Reads as 0, but is one particular float object: `node.grad is NOT_COMPUTED` tells a gradient
# that nobody has computed from one that is 0.
NOT_COMPUTED = float("0")

# --- the clock, by which an edit of a leaf is told from the nodes computed before it --------------
# It stands here, and not in a module of its own, for every node that is made reads it.

_now = Moment(0, ())  # of nodes that are made in no scope
_ticking = lock(reentrant=True)


def tick() -> Moment:
    """Advance the clock: nodes made from now on are younger than all that exist."""
    return _advanced(1)


# A switch that died without its end has left states that are not true any more. They are found out
# when they are stale.
context.on_death.append(tick)


def _edit(leaf: Value, number: float) -> None:
    """Set the number of a leaf, and tick: the leaf is younger than all that has read it."""
    global _now
    with _ticking:
        now = Moment(_now.clock + 1, ())
        made = Moment(now.clock, leaf._made.scope) if leaf._made.scope else now
        # One statement without a call: no interruption and no other thread comes in between.
        leaf._made, leaf._data, _now = made, number, now


def foreign_moment(clock: int, scope: tuple[str, ...]) -> Moment:
    """The Moment of a node that another process made; the clock here never runs behind it."""
    if clock > _now.clock:
        _advanced(clock - _now.clock)
    return Moment(clock, tuple(scope))


def _advanced(ticks: int) -> Moment:
    global _now
    with _ticking:  # the clock of all threads, so that no two edits are at one time
        _now = Moment(_now.clock + ticks, ())
        return _now


def _state_now() -> State:
    """The state of the thread or task, with the Moment of the nodes that it makes now."""
    state, now = here(), _now
    if state.moment.clock != now.clock:
        state.moment = Moment(now.clock, state.scope) if state.scope else now
    return state


def _moment_here() -> Moment:
    """The Moment of the leaves that this thread or task makes now."""
    moment = stored_state().moment
    is_of_now = moment is _now or moment.clock == _now.clock
    return moment if is_of_now and not dead else _state_now().moment


def moment_in(scope: str) -> Moment:
    """The Moment of nodes that belong to a scope inside of those that are on here.

    For many small pieces of work of which all nodes are known: it costs a tenth of a
    :class:`name_scope`.
    """
    outside = _moment_here() if switched_on else _now
    return Moment(outside.clock, (*outside.scope, scope))


# --- the node ------------------------------------------------------------------------------------

MOST_DIGITS = 22  # 10**22 is the largest power of 10 that a float holds exactly
_bare = object.__new__
_add, _sub, _mul, _div = primitives.add, primitives.sub, primitives.mul, primitives.div
_neg = primitives.neg


@final
class Value(RowMethods):
    """A float that records the computation graph it belongs to.

    Args:
        data: a real number; ints and NumPy scalars are converted to float.
        label: a name for drawings, explanations and errors.

    Attributes:
        data: the number. Setting it on a leaf is allowed (a training step does); on a
            computed node it is an error.
        grad: the adjoint from the latest ``backward()``; leaves accumulate over passes. It reads
            0 before any pass; setting it to 0 or None forgets it.
        op: the Primitive that made the node, None for a leaf.
        parents: the operands in order: Values, or floats for constants.
        label: the name, "" if it has none.

    Raises:
        TypeError: for data that is not a real number; the message says what to write.

    The slots behind these are read by modules of this project alone, and written by this one and
    by ``copying``:

    - ``_data``: the number, without telling a recorder. Whatever computes, differentiates or
      writes down a graph reads it here (or with :func:`data_of` and :func:`numbers`). What lets a
      number out of the graph, or decides by it, reads ``data``: a replay has to check that.
    - ``_left``, ``_right``: the operands as they are stored, for walks over large graphs; others
      read ``parents``. One or two stand in the node itself, for a tuple would double the objects
      that the garbage collector walks; an n-ary op has the tuple of its operands in ``_left``.
      A result of a function of arrays has its :class:`.call.Call` there and, while a program is
      recorded, in ``_right`` what it is computed from.
    - ``_made``: the Moment of the node, or of a leaf's latest edit.
    - ``_record(primitive, operands)`` is how a primitive of the table makes its node.
    """

    __slots__ = ("_data", "_left", "_made", "_right", "grad", "label", "op")

    grad: float
    op: Primitive | None
    label: str

    def __init__(self, data: SupportsFloat, label: str = "", **elsewhere: NoReturn) -> None:
        if elsewhere:
            refuse_keywords("Value", elsewhere)
        self._data: float = data if data.__class__ is float else as_float(data)
        self.grad = NOT_COMPUTED
        self.op = None
        self._left: Any = None
        self._right: Any = None
        self.label = label
        self._made: Moment = _moment_here() if switched_on else _now

    def __init_subclass__(cls) -> None:
        raise TypeError("Value cannot be subclassed; hold a Value in your class, "
                        "or declare an operation of your own with autograd.primitive(...)")

    @property
    def data(self) -> float:
        """The number."""
        if listeners_on and (listener := listener_here()) is not None:
            listener.read(self)
        return self._data

    @data.setter
    def data(self, number: Any) -> None:
        if self.op is not None:
            raise AttributeError(
                f"the data of {describe(self)} was computed; edit the leaves it came from and "
                "compute it again, or write Value(number) for a new leaf")
        if listeners_on and (listener := listener_here()) is not None:
            listener.edited(self)
        _edit(self, as_float(number))

    @property
    def parents(self) -> tuple[Operand, ...]:
        """The operands in order: Values, or floats for constants; () for a leaf."""
        if self.op is None:
            return ()
        if self._left.__class__ is tuple:
            operands: tuple[Operand, ...] = self._left
            return operands
        if self._left.__class__ is Call:
            return self._left.inputs
        return (self._left,) if self._right is None else (self._left, self._right)

    # --- recording ------------------------------------------------------------------------------

    def _record(self, primitive: Primitive, operands: tuple[Operand, ...]) -> Value:
        """The node ``primitive(*operands)``; operands are Values and floats."""
        numbers: list[Any] = [o._data if o.__class__ is Value else o for o in operands]
        try:
            data = primitive.value(*numbers)
        except DOMAIN_ERRORS as error:
            data = _outside(primitive, error, operands)
        if len(operands) == primitive.arity == 2:
            node = new_node(data, primitive, operands[0], operands[1])
        else:
            node = new_node(data, primitive, operands[0] if primitive.arity == 1 else operands)
        if listeners_on and (listener := listener_here()) is not None:
            listener.computed(node)
        return node

    # --- the reverse pass and its relatives, whose code is in files of their own ----------------

    @also_called()
    def backward(self) -> None:
        """Compute the gradient of this node: afterwards ``x.grad`` is d(self)/dx.

        Leaves add to the grad that they have; computed nodes show the latest pass.

        Raises:
            ValueError: when a leaf's data was edited after it was used.
            ValueError, ZeroDivisionError, OverflowError: where a derivative does not exist.
        """
        from autograd.core.backward import backward

        if listeners_on and (listener := listener_here()) is not None:
            listener.refuse("backward() leaves its results in .grad, which no replay would fill; "
                            "return autograd.gradient(y, xs), or use autograd.grad(f)")
        backward(self)

    def kinks(self, tolerance: float = 1e-9) -> list[Value]:
        """The nodes that sit on or near a kink or a jump, in topological order.

        Args:
            tolerance: how near, relative to the operands' size.
        """
        from autograd.core.graph import kinks

        if listeners_on and (listener := listener_here()) is not None:
            listener.refuse("kinks() depends on all numbers of the graph; ask for them outside")
        return kinks(self, tolerance)

    def __copy__(self) -> Value:
        from autograd.core.copying import twin

        return twin(self, self._left, self._right)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        from autograd.core.copying import deepcopy

        return deepcopy(self, memo)

    def __reduce__(self) -> tuple[Any, ...]:
        from autograd.core.copying import reduce

        return reduce(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {"text/plain": repr(self)} if display_hook is None else display_hook(self)

    # --- micrograd's names, and PyTorch's ---------------------------------------------------------

    def _backward(self) -> None:
        """One step of the backward pass by hand: ``o.grad = 1.0; o._backward()``.

        It adds to the grad of each operand this node's grad times the local derivative.

        Raises:
            ValueError: when a leaf's data was edited after it was used.
            ValueError, ZeroDivisionError, OverflowError: where a derivative does not exist.
        """
        from autograd.core.backward import hand_on

        if listeners_on and (listener := listener_here()) is not None:
            listener.refuse("_backward() leaves its results in .grad, which no replay would fill; "
                            "return autograd.gradient(y, xs), or use autograd.grad(f)")
        hand_on(self)

    def item(self) -> float:
        """The bare number, as ``data``."""
        return self.data

    def detach(self) -> Value:
        """The same number, which counts as a constant to every derivative."""
        return primitives.stopped(self)

    @property
    def _prev(self) -> set[Value]:
        return {p if isinstance(p, Value) else Value(p) for p in self.parents}

    @property
    def _op(self) -> str:
        return self.op.symbol if self.op is not None else ""

    # --- Python's number protocol --------------------------------------------------------------

    @operator
    def __add__(self, other: Any) -> Value:
        if other.__class__ is Value:
            return new_node(self._data + other._data, _add, self, other)
        if other.__class__ is int:
            other = float(other)
        if other.__class__ is float:
            return new_node(self._data + other, _add, self, other)
        return _mixed(_add, self, other)

    @operator
    def __radd__(self, other: Any) -> Value:
        if other.__class__ is int:
            other = float(other)
        if other.__class__ is float:
            return new_node(other + self._data, _add, other, self)
        return _mixed(_add, other, self)

    @operator
    def __sub__(self, other: Any) -> Value:
        if other.__class__ is Value:
            return new_node(self._data - other._data, _sub, self, other)
        return _mixed(_sub, self, other)

    @operator
    def __rsub__(self, other: Any) -> Value:
        return _mixed(_sub, other, self)

    @operator
    def __mul__(self, other: Any) -> Value:
        if other.__class__ is Value:
            return new_node(self._data * other._data, _mul, self, other)
        if other.__class__ is int:
            other = float(other)
        if other.__class__ is float:
            return new_node(self._data * other, _mul, self, other)
        return _mixed(_mul, self, other)

    @operator
    def __rmul__(self, other: Any) -> Value:
        if other.__class__ is int:
            other = float(other)
        if other.__class__ is float:
            return new_node(other * self._data, _mul, other, self)
        return _mixed(_mul, other, self)

    @operator
    def __truediv__(self, other: Any) -> Value:
        return _mixed(_div, self, other)

    @operator
    def __rtruediv__(self, other: Any) -> Value:
        return _mixed(_div, other, self)

    @operator
    def __pow__(self, other: Any) -> Value:
        return _mixed(primitives.pow, self, other)

    @operator
    def __rpow__(self, other: Any) -> Value:
        return _mixed(primitives.pow, other, self)

    def __xor__(self, other: Any) -> Any:
        raise TypeError("in Python ^ is no power; write v ** 2")

    def __rxor__(self, other: Any) -> Any:
        raise TypeError("in Python ^ is no power; write 2 ** v")

    def __neg__(self) -> Value:
        return new_node(-self._data, _neg, self)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return self._record(primitives.absolute, (self,))

    # ``a += b`` is a new node, as ``a = a + b`` is: other names of the first one keep it.

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        if other.__class__ is Value:
            return new_node(self._data + other._data, _add, self, other)
        if switched_on:
            _refuse_lost_update(self, other, "+")
        return self + other

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        if other.__class__ is Value:
            return new_node(self._data - other._data, _sub, self, other)
        if switched_on:
            _refuse_lost_update(self, other, "-")
        return self - other

    @operator
    def __mod__(self, other: Any) -> Value:
        return _mixed(primitives.mod, self, other)

    @operator
    def __rmod__(self, other: Any) -> Value:
        return _mixed(primitives.mod, other, self)

    @operator
    def __floordiv__(self, other: Any) -> Value:
        return _mixed(primitives.floordiv, self, other)

    @operator
    def __rfloordiv__(self, other: Any) -> Value:
        return _mixed(primitives.floordiv, other, self)

    def __divmod__(self, other: Any) -> tuple[Value, Value]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Value, Value]:
        return other // self, other % self

    def __round__(self, digits: int | None = None) -> Value:
        digits = 0 if digits is None else index(digits)
        if abs(digits) > MOST_DIGITS:
            raise ValueError(f"round(v, {digits}): a Value is rounded to at most {MOST_DIGITS} "
                             f"places, -{MOST_DIGITS} <= digits <= {MOST_DIGITS}")
        if digits < 0:
            return self - primitives.ieee_remainder(self, 10.0**-digits)
        return _mixed(primitives.rounded, self, 10.0**digits) if digits else self.rint()

    def __floor__(self) -> Value:
        return self.floor()

    def __ceil__(self) -> Value:
        return self.ceil()

    def __trunc__(self) -> Value:
        return self.trunc()

    @property
    def real(self) -> Value:
        """The Value itself: it is a real number."""
        return self

    @property
    def imag(self) -> float:
        """0: a Value is a real number."""
        return 0.0

    def conjugate(self) -> Value:
        """The Value itself: it is a real number."""
        return self

    @comparison
    def __lt__(self, other: Any) -> Any:
        return _compare("<", self, other)

    @comparison
    def __le__(self, other: Any) -> Any:
        return _compare("<=", self, other)

    @comparison
    def __gt__(self, other: Any) -> Any:
        return _compare(">", self, other)

    @comparison
    def __ge__(self, other: Any) -> Any:
        return _compare(">=", self, other)

    @equality
    def __eq__(self, other: Any) -> Any:
        return _compare("==", self, other)

    @equality
    def __ne__(self, other: Any) -> Any:
        return _compare("!=", self, other)

    __hash__ = object.__hash__  # by identity: two nodes of one number are two nodes

    def __bool__(self) -> bool:
        return bool(_compare("!=", self, 0.0))

    if not TYPE_CHECKING:  # to type checkers a Value is no number, so that math.exp(v) is an error

        def __float__(self) -> float:
            raise refusal(lost_gradient("float(v)"))

        def __int__(self) -> int:
            if switched_on and here().takes_indices:
                return _index(self)
            raise refusal(lost_gradient("int(v)"))

        def __index__(self) -> int:
            if switched_on and here().takes_indices and self.op in _WHOLE:
                return _index(self)
            raise TypeError("a Value is not an index; write int(v.data) if no gradient is to flow "
                            "through it, or, in a function that jit compiles, int(v)")

        def __complex__(self) -> complex:
            raise refusal(lost_gradient("complex(v)"))

    def __repr__(self) -> str:
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data!r}, grad={float(grad_of(self))!r}{label})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec) if spec else repr(self)

    # --- NumPy's protocol ------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        return ANSWERS["value"](self, ufunc, method, inputs, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return ANSWERS["function"](function, arguments, options)

    def clip(self, min: Any = None, max: Any = None, out: None = None) -> Any:
        """What ``np.clip`` asks for: the number, or the bound that it is beyond.

        Args:
            min, max: the bounds, numbers, Values or arrays; None for no bound.
            out: None; the result goes into no array.
        """
        from autograd.core.numpy_protocol import clipped

        if out is not None:
            raise refusal("np.clip of a Value cannot go into an array in place; leave out out=")
        return clipped(self, min, max)


# How a notebook shows a node: set from outside, for the core knows no drawing.
display_hook: Callable[[Value], dict[str, Any]] | None = None

row.value_class.append(Value)
Real.register(Value)
Operand = Union[Value, float]  # noqa: UP007 - evaluated at run time, before 3.14's forward references


# --- making nodes ---------------------------------------------------------------------------------

def new_node(data: float, op: Primitive | None, left: Any, right: Any = None) -> Value:
    """The node of an operation whose number is computed already; no recorder is told.

    Args:
        left, right: the operands, Values and floats; an n-ary op has the tuple of them in left.
    """
    node = _bare(Value)
    node._data = data
    node.grad = NOT_COMPUTED
    node.label = ""
    if switched_on:  # somewhere, perhaps here
        state = stored_state()
        if (state.moment is not _now and state.moment.clock != _now.clock) or dead:
            state = _state_now()
        node._made = state.moment
        if not state.recording:
            node.op = node._left = node._right = None
            return node
    else:
        node._made = _now
    node.op = op
    node._left = left
    node._right = right
    return node


def maker(op: Primitive) -> Callable[[float, Any, Any], Value]:
    """Makes the nodes of many operations of two operands, as :func:`new_node` does one.

    All are of one moment. For use inside of ``recording()`` alone, where every node has operands.
    """
    made = _moment_here() if switched_on else _now

    def make(data: float, left: Any, right: Any) -> Value:
        node = _bare(Value)
        node._data, node.grad, node.label, node._made = data, NOT_COMPUTED, "", made
        node.op, node._left, node._right = op, left, right
        return node

    return make


def _mixed(primitive: Primitive, a: Any, b: Any) -> Value:
    """The node of a binary operator; operands that are not Values are converted to float."""
    x = a._data if a.__class__ is Value else a
    y = b._data if b.__class__ is Value else b
    if x.__class__ is not float:
        if isinstance(x, np.ndarray) or _is_operand(x, primitive):
            return _over_array(primitive, a, b)  # type: ignore[no-any-return]
        x = a = _real_operand(x, primitive)
    if y.__class__ is not float:
        if isinstance(y, np.ndarray) or _is_operand(y, primitive):
            return _over_array(primitive, a, b)  # type: ignore[no-any-return]
        y = b = float(y) if y.__class__ is int else _real_operand(y, primitive)
    try:
        data = primitive.value(x, y)
    except DOMAIN_ERRORS as error:
        data = _outside(primitive, error, (a, b))
    node = new_node(data, primitive, a, b)
    if listeners_on and (listener := listener_here()) is not None:
        listener.computed(node)
    return node


def _real_operand(x: Any, primitive: Primitive) -> float:
    """An operand as a float; a complex one without imaginary part (SciPy's logsumexp) is real."""
    if isinstance(x, complex | np.complexfloating) and x.imag == 0.0:
        x = x.real
    return as_float(x, f"operand of {primitive.symbol}")


def _is_operand(x: Any, primitive: Primitive) -> bool:
    """Whether a list counts as an array, as beside a number of NumPy's: where a - [1, 2] stands.

    In a product it does not: [0.0] * n may mean n of them.
    """
    return x.__class__ is list and primitive in (_add, _sub, _div)


def _outside(primitive: Primitive, error: Exception, operands: tuple[Operand, ...]) -> float:
    """What an operation gives outside its domain, if IEEE's answer is wanted.

    Raises:
        ValueError, ZeroDivisionError, OverflowError: if it is not; the error names the operation
            and its operands, and a recording is told.
    """
    if undefined.is_ieee():
        return undefined.ieee_value(primitive, numbers(operands))
    if listeners_on and (listener := listener_here()) is not None:
        listener.failed(primitive, operands)
    raise primitive.domain_error(
        error, numbers(operands), [name_of(o) for o in operands]) from None


def _over_array(primitive: Primitive, a: Any, b: Any) -> Any:
    from autograd.core.numpy_protocol import over_array

    return over_array(primitive, a, b)


def _refuse_lost_update(node: Value, other: Any, sign: str) -> None:
    """Refuse a step of training that would change a variable of Python, and no parameter.

    Raises:
        TypeError: for a number that is added to a leaf with a gradient, in ``no_grad()``.
    """
    if (node.op is None and not here().recording
            and grad_of(node) is not NOT_COMPUTED and not isinstance(other, np.ndarray)):
        raise TypeError(
            f"in no_grad(), p {sign}= number would make a new Value and leave the parameter "
            f"{describe(node)} as it is; write p.data {sign}= number to set it, or "
            f"p = p {sign} number for a new Value")


# --- comparisons, and Values as whole numbers -----------------------------------------------------

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}

_COMPARING: dict[str, np.ufunc] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal,
    "!=": np.not_equal}


def _compare(relation: str, a: Value, b: Any) -> Any:
    if b.__class__ is not Value:
        if isinstance(b, np.ndarray) and b.ndim > 0:
            return _COMPARING[relation](a, b)
        try:
            b = as_float(b)
        except TypeError:
            return NotImplemented
    outcome = _COMPARISONS[relation](a._data, b._data if b.__class__ is Value else b)
    if listeners_on and (listener := listener_here()) is not None:
        listener.compared(relation, a, b, outcome)
    return outcome


_WHOLE = (primitives.floor, primitives.ceil, primitives.trunc, primitives.rint)


def _index(node: Value) -> int:
    """The whole number of a node, which a recording is made for."""
    if not isfinite(node._data):
        return int(node.data)  # Python's error
    whole = node if node.op in _WHOLE else node.trunc()
    if listeners_on and (listener := listener_here()) is not None:
        listener.compared("==", whole, whole._data, True)
    return int(whole._data)


def whole_number(item: Any) -> Any:
    """A Value that floor, ceil, trunc or rint has made as an int; anything else as it is."""
    return _index(item) if item.__class__ is Value and item.op in _WHOLE else item


# --- what a node holds, of which no recorder is told ----------------------------------------------

def data_of(operand: Operand) -> float:
    """The bare number of a Value or float, of which no recorder is told."""
    return operand._data if isinstance(operand, Value) else operand


def grad_of(node: Value) -> float:
    """The gradient of a node; None, which people write to forget it, is one not computed."""
    return NOT_COMPUTED if node.grad is None else node.grad


def numbers(operands: Iterable[Operand]) -> list[float]:
    """The bare numbers of operands, of which no recorder is told."""
    return [o._data if o.__class__ is Value else o for o in operands]  # type: ignore[misc]


def name_of(operand: Operand) -> str:
    """The label of an operand, "" if it is a constant or has none."""
    return operand.label if operand.__class__ is Value else ""


def describe(node: Value) -> str:
    """How errors speak of a node: its label or op, and its number."""
    name = f"{node.label!r}" if node.label else (node.op.name if node.op else "a leaf")
    return f"{name} (data={node._data!r})"


# --- edits of leaves ------------------------------------------------------------------------------

def assign(leaves: Iterable[Value], numbers: Iterable[float]) -> None:
    """Edit the data of many leaves at once, as a training step does.

    Ctrl-C in the middle waits until all are set.
    """
    leaves, numbers = list(leaves), list(numbers)
    if listeners_on and (listener := listener_here()) is not None:
        for leaf in leaves:
            listener.edited(leaf)
    try:
        _assign(leaves, numbers)
    except KeyboardInterrupt:
        _assign(leaves, numbers)
        raise


def _assign(leaves: Sequence[Value], numbers: Sequence[float]) -> None:
    _date(leaves)  # before and after, as for a single one
    for leaf, number in zip(leaves, numbers, strict=True):
        leaf._data = number
    _date(leaves)


def _date(leaves: Iterable[Value]) -> None:
    """Note that the leaves are edited now."""
    clock = tick().clock
    made: dict[tuple[str, ...], Moment] = {}
    for leaf in leaves:
        scope = leaf._made.scope
        if scope not in made:
            made[scope] = Moment(clock, scope)
        leaf._made = made[scope]


@contextmanager
def restored(leaves: Sequence[Value]) -> Iterator[None]:
    """Afterwards the leaves have the numbers that they had, and do not count as edited."""
    before = [(leaf._data, leaf._made) for leaf in leaves]
    try:
        yield
    finally:
        for leaf, (data, made) in zip(leaves, before, strict=True):
            leaf._data, leaf._made = data, made


# --- methods and ufuncs that come from the table --------------------------------------------------

UFUNCS: dict[str, Callable[..., Any]] = {
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
    "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b,
}


# SciPy's functions by name, for they are met before the library is loaded.
_OF_LIBRARY = (
    "beta", "betainc", "betaln", "binom", "dawsn", "ellipe", "ellipeinc", "ellipk",
    "ellipkinc", "exp1", "expi", "expn", "exprel", "fresnel", "gammainc", "gammaincc",
    "hyp1f1", "hyp2f1", "i0", "i0e", "i1", "i1e", "iv", "ive", "j0", "j1", "jv", "k0",
    "k0e", "k1", "k1e", "kn", "kv", "kve", "_lambertw", "loggamma", "poch", "_riemann_zeta",
    "spence", "y0", "y1", "yn", "yv", "_zeta",
)


def _of_library(name: str) -> Callable[..., Any]:
    def function(*operands: Any) -> Any:
        known = name.removeprefix("_riemann").lstrip("_")
        return getattr(import_module("autograd.special"), known)(*operands)

    return function


UFUNCS.update((name, _of_library(name)) for name in _OF_LIBRARY)


def _unary_method(primitive: Primitive) -> Callable[[Value], Value]:
    def method(self: Value) -> Value:
        try:
            data = primitive.value(self._data)
        except DOMAIN_ERRORS as error:
            data = _outside(primitive, error, (self,))
        node = new_node(data, primitive, self)
        if listeners_on and (listener := listener_here()) is not None:
            listener.computed(node)
        return node

    return method


def _binary_method(primitive: Primitive) -> Callable[[Value, Any], Any]:
    def method(self: Value, other: Any) -> Any:
        return primitive(self, other)

    return method


def install(primitive: Primitive) -> None:
    """Give Values the methods, and NumPy the ufuncs, that a row of the table names.

    Raises:
        ValueError: when the name is an attribute of Value already.
    """
    if primitive.arity not in (1, 2):
        return
    names = (primitive.name, *primitive.aliases)
    taken = [name for name in names if hasattr(Value, name)]
    if taken:
        raise ValueError(f"Value has an attribute {taken[0]!r} already; choose another name")
    make = _unary_method if primitive.arity == 1 else _binary_method
    for name in names:
        method = make(primitive)
        method.__name__, method.__qualname__ = name, f"Value.{name}"
        method.__doc__ = primitive.__doc__
        if not primitive.orders:  # the first operand of others is no Value
            setattr(Value, name, method)
        UFUNCS[name] = primitive


for _primitive in TABLE.values():
    install(_primitive)


attributes_elsewhere(Value, "a Value", ELSEWHERE)
