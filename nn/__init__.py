"""A tiny neural-network library on top of autograd."""

from __future__ import annotations

from autograd import former_paths
from nn import datasets, schedules
from nn.drawing import draw
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
from nn.training import History, accuracy, eager_epoch, fit

former_paths.register(__name__, {"compiled": "compiled_training"})

__all__ = [
    "LOSSES", "MLP", "SGD", "Adagrad", "Adam", "AdamW", "History", "Layer", "Loss", "Module",
    "Neuron", "Optimizer", "RMSprop", "accuracy", "binary_cross_entropy",
    "binary_cross_entropy_with_logits", "cross_entropy", "datasets", "draw", "eager_epoch", "fit",
    "hinge", "mean_squared_error", "schedules",
]
