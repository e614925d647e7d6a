"""Plots of functions, descents, surfaces and losses; matplotlib is loaded when one is made."""

from autograd.plotting.functions import (
    CONTOUR_SAMPLES,
    MOST_FRAMES,
    SAMPLES,
    animate,
    plot_decision_boundary,
    plot_descent,
    plot_function,
    plot_history,
    plot_loss_landscape,
    plot_surface,
)

__all__ = [
    "CONTOUR_SAMPLES", "MOST_FRAMES", "SAMPLES", "animate", "plot_decision_boundary",
    "plot_descent", "plot_function", "plot_history", "plot_loss_landscape", "plot_surface",
]
