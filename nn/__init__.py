"""A tiny neural-network library on top of autograd."""

from __future__ import annotations

from .layers import MLP, Layer, Neuron
from .module import Module

__all__ = ["MLP", "Layer", "Module", "Neuron"]
