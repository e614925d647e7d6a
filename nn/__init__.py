"""A tiny neural-network library on top of autograd."""

from __future__ import annotations

from . import datasets, schedules
from .drawing import draw
from .layers import MLP, Layer, Neuron
from .losses import (
    LOSSES,
    Loss,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    hinge,
    mean_squared_error,
)
from .module import Module
from .optimizers import SGD, Adam, Optimizer
from .training import History, accuracy, eager_epoch, fit

__all__ = [
    "LOSSES", "MLP", "SGD", "Adam", "History", "Layer", "Loss", "Module", "Neuron", "Optimizer",
    "accuracy", "binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy",
    "datasets", "draw", "eager_epoch", "fit", "hinge", "mean_squared_error", "schedules",
]
