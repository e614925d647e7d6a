"""Neuron, Layer and MLP, with micrograd's defaults and one fused node per neuron.

An activation is the name of a primitive of one operand. To add one, declare it; ``nn.fit`` then
trains with it, drawings show it, and a saved model finds it by its name::

    autograd.primitive("swish", lambda x: x * autograd.sigmoid(x),
                       lambda x, y: autograd.sigmoid(x) * (1.0 + x - y))

    nn.MLP(2, [16, 1], activation="swish")
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from itertools import chain
from operator import methodcaller, mul
from typing import Any, SupportsFloat

import numpy as np

from autograd.core import primitives
from autograd.core.aliases import also_called
from autograd.core.context import Moment
from autograd.core.graph import collector_at_rest
from autograd.core.primitives import TABLE, Primitive
from autograd.core.typing import Array
from autograd.core.validation import as_float, whole
from autograd.core.value import Value, moment_in, name_scope, new_node
from nn.module import Module

Activation = Callable[[Any], Any] | None
Row = Sequence[Value | SupportsFloat] | Array

COMMON = ("relu", "tanh", "sigmoid", "softplus", "linear")  # that an error proposes
_SPELLED = {"relu": "ReLU"}
_dot = primitives.dot


class Neuron(Module):
    """activation(w · x + b): weights drawn from uniform(-1, 1), bias 0.

    Args:
        nin: the number of inputs, at least 1.
        activation: "relu", "tanh", "sigmoid", "softplus" or any other primitive of one operand,
            by name or itself, or "linear".
        nonlin: micrograd's name for the choice between "relu" (True) and "linear" (False).
        generator: where the weights are drawn from; None means Python's ``random`` module, so
            that ``random.seed(n)`` gives the weights that micrograd gives.
        bias: whether there is one; without it the neuron is activation(w · x).

    Attributes:
        w: the weights, a list of nin Values.
        b: the bias, a Value; None without one.
        activation: the name of the activation.

    Raises:
        TypeError, ValueError: for a number of inputs or an activation that does not exist, and
            for a bias that is not True or False.
    """

    @also_called()
    def __init__(self, nin: int, activation: Any = "relu", *, nonlin: bool | None = None,
                 generator: random.Random | None = None, bias: bool = True) -> None:
        self.activation, self._activate = _activation(activation, nonlin)
        draw = (generator or random).uniform
        self.w = [Value(draw(-1, 1), f"w{i}") for i in range(whole(nin, "nin", 1))]
        self.b = Value(0.0, "b") if _has_bias(bias) else None

    def __call__(self, x: Row) -> Value:
        """The neuron's answer, a Value, for a row of nin floats or Values."""
        inputs = (*_checked(x, len(self.w), self), 1.0)
        return self._forward(inputs, _numbers(inputs))

    def _forward(self, inputs: tuple[Any, ...], numbers: list[float],
                 made: Moment | None = None) -> Value:
        """The same for inputs that were checked and that the bias's 1 follows.

        It is activation(dot(w + [b], inputs)). A layer takes the numbers of its inputs, and the
        moment in its scope, once for all neurons, which halves the time of a forward pass.
        """
        if self.b is None:
            weights, inputs = tuple(self.w), inputs[:-1]
        else:
            weights = (*self.w, self.b)
        total = new_node(sum(map(mul, [w._data for w in weights], numbers)), _dot, weights + inputs)
        answer = total if self._activate is None else self._activate(total)
        if made is not None:
            total._made = answer._made = made
        return answer

    def __repr__(self) -> str:
        name = _SPELLED.get(self.activation, self.activation.capitalize())
        return f"{name}Neuron({len(self.w)})"


class Layer(Module):
    """nout neurons that read the same nin inputs.

    Args:
        nin: the number of inputs.
        nout: the number of neurons, at least 1.
        activation, nonlin, generator, bias: as for Neuron.
        name: the name scope of its nodes, and the beginning of its parameters' labels.

    Attributes:
        neurons: the list of Neurons.
    """

    @also_called()
    def __init__(self, nin: int, nout: int, activation: Any = "relu", *,
                 nonlin: bool | None = None, generator: random.Random | None = None,
                 name: str = "layer", bias: bool = True) -> None:
        self._nin = whole(nin, "nin", 1)
        self._scope = name
        with name_scope(name):
            self.neurons = [Neuron(nin, activation, nonlin=nonlin, generator=generator, bias=bias)
                            for _ in range(whole(nout, "nout", 1))]
        prefix = name.replace(" ", "")
        for index, neuron in enumerate(self.neurons, 1):
            start = f"{prefix}.neuron{index}."
            for parameter in neuron.parameters():
                parameter.label = start + parameter.label

    def __call__(self, x: Row) -> Value | list[Value]:
        """A Value for a layer of one neuron, else a list of Values."""
        answers = self._forward(_checked(x, self._nin, self))
        return answers[0] if len(answers) == 1 else answers

    def _forward(self, x: Sequence[Any]) -> list[Value]:
        inputs = (*x, 1.0)
        numbers = _numbers(inputs)
        made = moment_in(self._scope)
        return [neuron._forward(inputs, numbers, made) for neuron in self.neurons]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multilayer perceptron: layers of neurons, each fed by the one before.

    Args:
        nin: the number of inputs.
        nouts: the number of neurons of each layer, as in ``MLP(2, [16, 16, 1])``.
        activation: of all layers but the last.
        seed: of a generator of its own; None draws from Python's ``random`` module, in
            micrograd's order.
        output: the activation of the last layer, linear as in micrograd.
        bias: whether the neurons have one.

    Attributes:
        layers: the list of Layers.

    Raises:
        TypeError, ValueError: for sizes or activations that do not exist.
    """

    @also_called()
    def __init__(self, nin: int, nouts: Sequence[int], activation: Any = "relu",
                 seed: int | None = None, *, output: Any = "linear", bias: bool = True) -> None:
        if isinstance(nouts, int) or not len(nouts):
            raise TypeError(f"nouts is a list with the number of neurons of each layer, not "
                            f"{nouts!r}; write for example [16, 16, 1]")
        _activation(activation, None)  # also where there is no hidden layer to use it
        sizes = [whole(nin, "nin", 1), *(whole(n, "every number in nouts", 1) for n in nouts)]
        generator = None if seed is None else random.Random(seed)
        last = len(nouts)
        with collector_at_rest():
            self.layers = [Layer(sizes[i - 1], sizes[i], output if i == last else activation,
                                 generator=generator, name=f"layer {i}", bias=bias)
                           for i in range(1, last + 1)]

    def __call__(self, x: Row) -> Value | list[Value]:
        """The answer for one row: a Value for one output, else a list of Values.

        Args:
            x: nin floats, ints or Values, as a list, tuple or NumPy row.

        Raises:
            ValueError: for another number of inputs, and for nan among them.
            TypeError: for inputs that are not real numbers.
        """
        inputs = _checked(x, self.layers[0]._nin, self)
        answers: list[Value] = []
        for layer in self.layers:
            inputs = answers = layer._forward(inputs)
        return answers[0] if len(answers) == 1 else answers

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _has_bias(bias: Any) -> bool:
    if bias.__class__ is not bool:  # a number would look as if the bias began there
        raise TypeError(f"bias is True or False, not {bias!r}; the bias begins at 0, and "
                        "neuron.b.data = ... sets it")
    return bool(bias)


def with_activation(model: Neuron | Layer | MLP, activation: Any) -> Neuron | Layer | MLP:
    """A copy of a model with another activation in all layers but the last, or in its only one.

    Args:
        model: stays as it is.
        activation: a name or a primitive, as a Neuron takes it.

    Raises:
        TypeError, ValueError: for an activation that does not exist.
    """
    name, function = _activation(activation, None)
    copied = copy.deepcopy(model)
    layers = layers_of(copied)
    for neuron in chain.from_iterable(layers[:-1] or layers):
        neuron.activation, neuron._activate = name, function
    return copied


def layers_of(model: Neuron | Layer | MLP) -> list[list[Neuron]]:
    """The neurons of each layer of a network, a layer or a neuron."""
    if isinstance(model, Neuron):
        return [[model]]
    return [list(layer.neurons) for layer in (model.layers if isinstance(model, MLP) else [model])]


def _activation(activation: Any, nonlin: bool | None) -> tuple[str, Activation]:
    """The name of an activation and the function; None for a linear neuron."""
    if isinstance(activation, bool):  # Neuron(nin, False), as in micrograd
        activation = "relu" if activation else "linear"
    if nonlin is not None:
        activation = "linear" if not nonlin else "relu" if activation == "linear" else activation
    if isinstance(activation, Primitive) and activation.arity == 1:
        return activation.name, activation
    if activation == "linear":
        return activation, None
    row = TABLE.get(activation) if isinstance(activation, str) else None
    if row is None or row.arity != 1:
        raise ValueError(_no_activation(activation))
    # The method of Value: quicker than the primitive, which takes floats and arrays as well.
    return row.name, methodcaller(row.name)


def _no_activation(activation: Any) -> str:
    """What is wrong with an activation, and what to write."""
    if not isinstance(activation, str):
        return (f"an activation is the name of a primitive of one operand, or the primitive, not "
                f"{activation!r}; write for example {COMMON[0]!r}")
    if activation in TABLE:
        return (f"the primitive {activation!r} cannot be an activation, for it does not take one "
                "operand")
    from difflib import get_close_matches  # only where somebody has misspelt something

    unary = [name for name, row in TABLE.items() if row.arity == 1]
    close = get_close_matches(activation, [*unary, "linear"], n=2)
    meant = f"; did you mean {' or '.join(map(repr, close))}? There are " if close else "; write "
    return (f"there is no activation {activation!r}{meant}{', '.join(map(repr, COMMON))} and the "
            "other primitives of one operand; one of your own is declared with "
            "autograd.primitive(...)")


def _checked(x: Any, nin: int, module: Module) -> Sequence[Any]:
    """The inputs as floats and Values, none of them nan, of the right number."""
    if x.__class__ is not list and x.__class__ is not tuple:
        x = _row(x, nin, module)
    if len(x) != nin:
        raise ValueError(f"this {type(module).__name__} takes {nin} input(s), not {len(x)}")
    for item in x:
        if item.__class__ is not Value and item.__class__ is not float:
            x = [v if v.__class__ is Value else as_float(v, f"input {i}")
                 for i, v in enumerate(x)]
            break
    for item in x:
        number = item._data if item.__class__ is Value else item
        if number != number:
            raise ValueError(f"an input is nan: {_numbers(x)}")
    return x  # type: ignore[no-any-return]


def _numbers(inputs: Sequence[Any]) -> list[float]:
    return [item._data if item.__class__ is Value else item for item in inputs]


def _row(x: Any, nin: int, module: Module) -> list[Any]:
    """One row of another kind than a list or tuple, as a list."""
    name = type(module).__name__
    if isinstance(x, np.ndarray):
        if x.ndim != 1:
            raise ValueError(f"this {name} takes one row of {nin} input(s), not an array of shape "
                             f"{x.shape}; for many rows write model.predict(X) for numbers, or "
                             "[model(row) for row in X] for Values")
        row: list[Any] = x.tolist()
        return row
    if isinstance(x, str | bytes | dict) or not hasattr(x, "__iter__"):
        raise TypeError(f"this {name} takes a row of {nin} input(s), not {x!r}; write a list of "
                        "numbers, also for one input: [x]")
    return list(x)
