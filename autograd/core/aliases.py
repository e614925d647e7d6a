"""Keywords by the names that other libraries have for them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from typing import Any, NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

# Keywords that functions of this purpose take elsewhere, and what to write here. Those that a
# function has itself are its own.
ELSEWHERE = {name: instead for names, instead in {
    "requires_grad": "every Value records, but inside with no_grad(): ...",
    "dtype": "leave it out: a Value holds a Python float",
    "device": 'leave it out; compiled functions run elsewhere: jit(f, backend="jax")',
    "name": 'write label="..."',
    "_children _op _prev": "an operation of your own is autograd.primitive(name, value, "
                           "derivative)",
    "retain_graph": "leave it out: a graph can be walked any number of times",
    "create_graph": "leave it out; write grad(grad(f)) for derivatives of derivatives",
    "gradient grad_tensors grad_outputs": "write (weight * y).backward(), or autograd.vjp",
    "inputs wrt": "write autograd.gradient(y, xs) of a graph; argnums= says which arguments",
    "only_inputs allow_unused materialize_grads": "leave it out: what y does not depend on has "
                                                  "the gradient 0",
    "holomorphic": "there are no complex numbers; write real and imaginary part as two",
    "allow_int": "leave it out: whole numbers count as floats",
    "reduce_axes vectorize strategy outer_jacobian_strategy is_grads_batched unroll": "leave it "
                                                                                      "out",
    "fullgraph dynamic mode options autograph jit_compile reduce_retracing input_signature "
    "fastmath parallel nogil forceobj keep_unused abstracted_axes": "leave it out: it is recorded "
                                                                    "for the arguments it gets",
    "randomness axis_name axis_size spmd_axis_name chunk_size": "leave it out: draw random "
                                                                "numbers outside",
    "axis dim keepdim keepdims": "write NumPy's function, of an array of Values: "
                                 "autograd.values(...)",
    "min max a_min a_max": "write low and high by position: clip(x, 0.0, 1.0)",
    "eps nondet_tol fast_mode check_undefined_grad check_batched_grad modes order": "leave it "
        "out: steps are chosen, and their error is known",
    "raise_exception": "leave it out: the result is falsy where a gradient is wrong",
    "nesterov amsgrad maximize foreach fused differentiable capturable dampening rho": "write an "
        "optimizer of your own with rule(), if it is not among nn's",
    "verbose": "write progress=False for no bar",
    "validation_split": "write validation=(X, y), rows of your own",
    "metrics callbacks shuffle": "leave it out; a loop of your own takes optimizer.step()",
    "nonlin": 'write activation="linear" for a neuron without one',
    "in_features out_features in_channels hidden_layer_sizes": "write nn.MLP(inputs, [8, 8, "
                                                              "outputs])",
}.items() for name in names.split()}


def refuse_keywords(function: str, keywords: Mapping[str, Any]) -> NoReturn:
    """Say of keywords that a function does not have what to write instead.

    Raises:
        TypeError: always.
    """
    name = next((name for name in keywords if name in ELSEWHERE), next(iter(keywords)))
    hint = f"; {ELSEWHERE[name]}" if name in ELSEWHERE else ""
    raise TypeError(f"{function} has no {name}{hint}")


class Elsewhere:
    """An attribute that objects of a class do not have: the error says what to write.

    Args:
        owner: how the error calls them, such as "a Value".
        name: of the attribute.
        instead: what to write.
    """

    def __init__(self, owner: str, name: str, instead: str) -> None:
        self.owner, self.name, self.instead = owner, name, instead

    def __get__(self, item: Any, cls: Any = None) -> Any:
        raise AttributeError(f"{self.owner} has no {self.name}; {self.instead}")


def attributes_elsewhere(cls: type, owner: str, table: Mapping[str, str]) -> None:
    """Let a class say of attributes that it does not have what to write instead.

    Args:
        cls: the class; what it, or an object of it, defines itself stays as it is.
        owner: how errors call its objects.
        table: names, several with spaces between them, and what to write.
    """
    for names, instead in table.items():
        for name in names.split():
            if not hasattr(cls, name):
                setattr(cls, name, Elsewhere(owner, name, instead))


def also_called(names: Mapping[str, str] | None = None, instead: Mapping[str, str] | None = None,
                ) -> Callable[[F], F]:
    """A decorator: keywords may have other names, too, such as ``lr`` for ``learning_rate``.

    Of those that there are elsewhere an error says what to write.

    Args:
        names: the other name, and the parameter's own.
        instead: what to write for keywords that are not in ELSEWHERE, or not of that meaning.

    Raises:
        TypeError: when called, for a parameter under both names, and for those of ``instead``.
    """
    place = len(_ALIASES)
    _ALIASES.append((dict(names or {}), dict(instead or {})))

    def decorate(function: F) -> F:
        @wraps(function)
        def called(*arguments: Any, **keywords: Any) -> Any:
            if keywords:
                keywords = _renamed(function, keywords, *_ALIASES[place])
            return function(*arguments, **keywords)

        return called  # type: ignore[return-value]

    return decorate


# The names of each decorated function. A wrapper that captured them would have them compared at
# every call of a function that is compiled with it.
_ALIASES: list[tuple[Mapping[str, str], Mapping[str, str]]] = []


def _renamed(function: Callable[..., Any], keywords: dict[str, Any], others: Mapping[str, str],
             instead: Mapping[str, str]) -> dict[str, Any]:
    own_names = _parameters(function)
    if keywords.keys() <= own_names:
        return keywords
    renamed: dict[str, Any] = {}
    for name, argument in keywords.items():
        if name in instead:
            raise TypeError(f"{_name_of(function)} has no {name}; {instead[name]}")
        own = others.get(name, name)
        if own not in own_names and own in ELSEWHERE and _ANY not in own_names:
            refuse_keywords(_name_of(function), {own: argument})
        if own in renamed:
            other = next(alias for alias in others if others[alias] == own and alias in keywords)
            raise TypeError(f"{_name_of(function)} was given {own} and {other}, which are the "
                            "same; leave out one of them")
        renamed[own] = argument
    return renamed


_ANY = "**"  # no name that a parameter can have


@lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    """The names of a function's parameters, and _ANY if it takes any keyword."""
    code = function.__code__  # type: ignore[attr-defined]
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    return frozenset(names) | ({_ANY} if code.co_flags & inspect.CO_VARKEYWORDS else set())


def _name_of(function: Callable[..., Any]) -> str:
    return function.__qualname__.removesuffix(".__init__")
