"""live: a page in which a network trains by itself, to watch and to try.

The page runs what ``fit`` runs: the loss of one row with its gradient, and the optimizer's rule,
recorded once and written as JavaScript. It holds nothing of a network but the numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.compiler.backends import python
from autograd.compiler.backends.interface import Unsupported
from autograd.compiler.backends.javascript import to_javascript
from autograd.compiler.program.program import Program
from autograd.compiler.trace.graph_to_program import graph_to_program
from autograd.compiler.trace.inlining import inlined
from autograd.core.value import Value
from autograd.pages.page import Page, asset
from nn.compiled_training import recorded_rows
from nn.job import Job, checked_job
from nn.layers import MLP, Layer, Neuron, layers_of, with_activation
from nn.losses import Loss
from nn.optimizers import Optimizer
from nn.recorded_rule import EagerOnly, RecordedRule
from nn.schedules import constant

ACTIVATIONS = ("tanh", "relu", "sigmoid", "linear")
SCRIPTS = ("live_training.js", "live_plots.js", "live_network.js", "live_panels.js")
MAX_PARAMETERS = 3000  # each is some 100 bytes of a page, for each activation
STEPS = (0, 1, 2, 10, 100, 10_000)  # at which the scalars' program is compared with the scalars


def live(model: Neuron | Layer | MLP, X: Any, y: Any,
         loss: str | Loss | Callable[..., Any] = "mean_squared_error",
         optimizer: str | Optimizer = "sgd", learning_rate: float | None = None, l2: float = 0.0,
         activations: Sequence[Any] = ACTIVATIONS) -> Page:
    """A page in which a model trains: play, pause, step, begin again, and look into its neurons.

    It shows the network, its weights as width and colour; what it answers (over the plane for two
    inputs, as a line for one, else beside the targets); what the chosen neuron computes; and the
    loss. Every step takes all rows, and computes what ``fit(model, X, y, ...)`` does, to rounding.
    The page begins with the model's parameters. Begun again with a seed n, it has those of
    ``MLP(..., seed=n)``: weights drawn from uniform(-1, 1), biases 0. The model itself is not
    changed.

    Args:
        model: a Neuron, Layer or MLP.
        X, y, loss, optimizer, l2: as for ``fit``; the optimizer's rate is where the slider begins.
        learning_rate: the same for an optimizer that is given by name.
        activations: what may be chosen for all layers but the last (for the only one, if there is
            one), beside the model's own. What the loss does not take there is left out, such as
            a tanh where it needs probabilities.

    Returns:
        A Page: ``save(path)`` writes it, Jupyter shows it.

    Raises:
        TypeError, ValueError: for anything that ``fit`` would not take, and for what a page cannot
            compute: another kind of model, a loss of all answers at once, a schedule, more than
            3,000 parameters. The message says what to write instead.
    """
    job = checked_job(model, X, y, loss, optimizer, l2, learning_rate, None)
    _refuse_model(model)
    _refuse_schedule(job.optimizer)
    try:
        rule = RecordedRule(job.optimizer, job.l2)
        own, data = recorded_rows(model, job.loss, job.optimizer, job.rows, job.targets)
        scripts = [_script("rule", rule.program),
                   _script("scalars", _scalars(job.optimizer))]
        choices = _written(_choices(model, activations), job)
    except (EagerOnly, Unsupported) as refusal:
        raise ValueError(f"a page cannot compute this training: {refusal}") from refusal
    networks = ", ".join(f"{{row: row{i}, neurons: neurons{i}}}" for i in range(len(choices)))
    scripts += [text for texts in choices.values() for text in texts]
    rows = np.hstack([data, np.repeat([own.others], len(data), axis=0)])
    return Page(_title(model), body=asset("live_training.html", "nn"),
                style=asset("live_training.css", "nn"),
                script="\n".join([*scripts, f"const networks = [{networks}];",
                                  *(asset(name, "nn") for name in SCRIPTS)]),
                data={**_described(model, job), "rows": rows.tolist(), "choices": list(choices)},
                height=900)


# --- what a page cannot do ------------------------------------------------------------------------

def _refuse_model(model: Any) -> None:
    kinds = (Neuron, Layer, MLP)
    if not isinstance(model, kinds) or type(model).__call__ not in [k.__call__ for k in kinds]:
        raise TypeError(f"nn.live shows a Neuron, a Layer or an MLP, not {type(model).__name__}, "
                        "whose neurons it does not know; nn.fit trains any Module")
    count = len(model.parameters())
    if count > MAX_PARAMETERS:
        raise ValueError(f"the model has {count} parameters, and a page takes {MAX_PARAMETERS}; "
                         "nn.fit trains larger ones")
    if count != sum(len(neuron.parameters()) for layer in layers_of(model) for neuron in layer):
        raise ValueError("two neurons share a parameter, which the page could not show")


def _refuse_schedule(optimizer: Optimizer) -> None:
    if not isinstance(optimizer.schedule, constant):
        raise ValueError("the page's slider is the learning rate; give a number, not the schedule "
                         f"{optimizer.schedule!r}")


# --- programs -------------------------------------------------------------------------------------

def _script(name: str, program: Program) -> str:
    return to_javascript(program, name, rewrite=inlined)


def _written(choices: dict[str, Neuron | Layer | MLP], job: Job) -> dict[str, list[str]]:
    """The scripts of each choice; without those whose answers the loss does not take."""
    written: dict[str, list[str]] = {}
    for name, model in choices.items():
        try:
            written[name] = _network(len(written), model, job)
        except EagerOnly:
            if not written:  # the model's own
                raise
    return written


def _network(number: int, model: Neuron | Layer | MLP, job: Job) -> list[str]:
    """The loss of a row with its gradient, and the outputs of all neurons, of one choice."""
    optimizer = copy.copy(job.optimizer)
    optimizer.parameters = model.parameters()
    row, _ = recorded_rows(model, job.loss, optimizer, job.rows, job.targets)
    inputs = [Value(x) for x in job.rows[0]]
    outputs: list[Value] = []
    given: Any = inputs
    for layer in model.layers if isinstance(model, MLP) else [model]:
        answers = layer(given)
        given = answers if isinstance(answers, list) else [answers]
        outputs += given
    neurons = graph_to_program(outputs, [*inputs, *optimizer.parameters])
    return [_script(f"row{number}", row.program), _script(f"neurons{number}", neurons)]


def _scalars(optimizer: Optimizer) -> Program:
    """The scalars of a step but the rate, from the number of the step.

    Raises:
        Unsupported: when they cannot be recorded.
    """
    what = f"the scalars of {type(optimizer).__name__}"
    step = Value(0.0)
    try:
        program = graph_to_program(optimizer.scalars(step)[1:], [step])  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise Unsupported(f"{what} cannot be recorded: {error}") from error
    kernel = python.compile(program)
    doubled = copy.copy(optimizer)
    doubled.schedule = constant(2.0 * optimizer.learning_rate)
    for number in STEPS:
        found = kernel(np.array([float(number)]))[0]
        if not all(np.array_equal(found, x.scalars(number)[1:]) for x in (optimizer, doubled)):
            raise Unsupported(f"{what} but the first must be arithmetic on the number of the step "
                              "alone")
    return program


def _choices(model: Neuron | Layer | MLP,
             activations: Sequence[Any]) -> dict[str, Neuron | Layer | MLP]:
    """The model, and what it is with each of the other activations, by their names."""
    if isinstance(activations, str) or not isinstance(activations, Sequence):
        raise TypeError(f"activations is a list, not {activations!r}; write for example "
                        "['tanh', 'relu']")
    layers = layers_of(model)
    names = {neuron.activation for layer in layers[:-1] or layers for neuron in layer}
    choices = {names.pop() if len(names) == 1 else "as given": model}
    for activation in activations:
        other = with_activation(model, activation)
        choices.setdefault(layers_of(other)[0][0].activation, other)
    return choices


# --- what the page is told ------------------------------------------------------------------------

def _title(model: Neuron | Layer | MLP) -> str:
    layers = layers_of(model)
    if isinstance(model, Neuron):
        return f"Training a neuron with {len(model.w)} input{'s' * (len(model.w) > 1)}"
    return f"Training a network {'-'.join(map(str, [len(layers[0][0].w), *map(len, layers)]))}"


def _described(model: Neuron | Layer | MLP, job: Job) -> dict[str, Any]:
    """The network, its parameters by their place, and how its answers are read."""
    parameters = job.optimizer.parameters
    place = {parameter: i for i, parameter in enumerate(parameters)}
    layers = layers_of(model)
    upper = None
    if job.loss.threshold is not None and job.loss.classify is not None:
        upper = float(job.loss.classify(np.array([np.inf]))[0])
    return {
        "title": _title(model), "loss": job.loss.name.replace("_", " "), "l2": job.l2,
        "optimizer": type(job.optimizer).__name__, "rate": job.optimizer.learning_rate,
        "memories": len(job.optimizer.memories), "start": [p.data for p in parameters],
        "inputs": len(layers[0][0].w), "outputs": len(layers[-1]),
        "layers": [[{"activation": neuron.activation, "w": [place[w] for w in neuron.w],
                     "b": None if neuron.b is None else place[neuron.b]}
                    for neuron in layer] for layer in layers],
        "threshold": job.loss.threshold, "upper": upper, "manyClasses": job.loss.one_hot}


__all__ = ["live"]
