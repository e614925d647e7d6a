"""A tiny neural-network library on top of autograd."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import autograd.core

if not hasattr(autograd, "former_paths"):
    raise ImportError(
        f"nn needs chainrule's package autograd, but {autograd.__file__}, of another distribution "
        "called autograd, is found first; run \"pip uninstall autograd\", or give each of them an "
        "environment of its own")

from autograd import __version__ as __version__
from autograd import former_paths
from nn import datasets, schedules
from nn.layers import MLP, Layer, Neuron
from nn.losses import (
    LOSSES,
    Loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    mean_squared_error,
)
from nn.module import Module
from nn.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

if TYPE_CHECKING:  # what __getattr__ below finds at run time
    from nn import compiled_training as compiled_training
    from nn import drawing as drawing
    from nn import estimators as estimators
    from nn import live_training as live_training
    from nn import training as training
    from nn.drawing import draw
    from nn.estimators import MLPClassifier as MLPClassifier
    from nn.estimators import MLPRegressor as MLPRegressor
    from nn.live_training import live
    from nn.training import History, accuracy, eager_epoch, fit

    compiled = compiled_training  # its former path

# Names whose modules are loaded at first use: they need the compiler, graphviz or scikit-learn.
_LATER = {
    "History": "training",
    "MLPClassifier": "estimators",
    "MLPRegressor": "estimators",
    "accuracy": "training",
    "draw": "drawing",
    "eager_epoch": "training",
    "fit": "training",
    "live": "live_training",
}

_MODULES = ("compiled_training", "drawing", "estimators", "live_training", "training")
_FORMER = {"compiled": "compiled_training"}
former_paths.register(__name__, _FORMER)
former_paths.register_elsewhere(__name__, lambda: import_module("autograd.core.habits").MODULES)

if not TYPE_CHECKING:  # or every name would be there, and a mistyped one, too

    def __getattr__(name: str) -> Any:
        if name in _LATER:
            return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
        if name in _MODULES or name in _FORMER:
            return import_module(f"{__name__}.{name}")
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autograd.core.habits import missing

        raise missing(__name__, name)


def __dir__() -> list[str]:
    from importlib.util import find_spec  # nothing else needs it

    missing = {name for name, module in _LATER.items() if module == "estimators"
               and find_spec("sklearn") is None}  # or help(nn) would fail
    return sorted({*globals(), *_LATER} - missing)


__all__ = [
    "LOSSES", "MLP", "SGD", "Adagrad", "Adam", "AdamW", "History", "Layer", "Loss", "Module",
    "Neuron", "Optimizer", "RMSprop", "accuracy", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "cross_entropy", "datasets", "draw", "eager_epoch", "fit",
    "hinge", "live", "mean_squared_error", "schedules",
]
