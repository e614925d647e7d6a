"""The loss of a model around its parameters, as a picture over two random directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.core.transforms import scalar
from autograd.core.typing import Array
from autograd.core.validation import positive
from autograd.core.value import Value, data_of, no_grad, restored
from autograd.descent import progress
from autograd.palette import PAPER, VERMILION
from autograd.plotting.axes import Labels, checked_labels, finish, heights
from autograd.plotting.surfaces import Kind, check_kind, draw_heights, sides

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_loss_landscape(model: Any, loss: Callable[[Any], Any], span: float = 1.0,
                        resolution: int = 25, seed: int = 0, kind: Kind = "contour",
                        ax: Axes | None = None, *, labels: Labels = None,
                        view: tuple[float, float] | None = None,
                        zlim: tuple[float, float] | None = None) -> Axes:
    """Draw a model's loss along two random directions through its parameters.

    Each neuron's part of a direction is as long as the neuron's own weight vector
    ("filter-normalized"), so that pictures of different models can be compared. Source: Li, Xu,
    Taylor, Studer, Goldstein: Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018,
    section 4.

    Args:
        model: has ``parameters()``; at the end, also after an error or Ctrl-C, they are what
            they were.
        loss: takes the model, returns one number; it is evaluated resolution**2 times.
        span: how far to go each way; 1 is the length of the model's own weights.
        resolution: points along each side; an odd number has the model itself in the middle.
        seed: of the directions.
        kind: "contour" or "surface".
        ax: where to draw; None makes a new figure.
        labels: of the two directions and of the loss, ("first direction", "second direction",
            "loss") by default.
        view, zlim: as for :func:`plot_surface`, from where to look, and which losses to draw.

    Returns:
        The Axes.

    Raises:
        ValueError: for a model without parameters, or arguments that do not fit.
    """
    check_kind(kind, view)
    texts = checked_labels(labels, 3)
    span = positive(span, "span")
    x, y = sides([(-span, span)] * 2, resolution)
    groups = parameter_groups(model)
    parameters = [parameter for group in groups for parameter in group]
    rng = np.random.default_rng(seed)
    first, second = (filter_normalized_direction(groups, rng) for _ in range(2))
    with restored(parameters), no_grad():
        centre = np.array([parameter.data for parameter in parameters])

        def height(loss: Callable[[Any], Any], place: Sequence[float]) -> float:
            moved = centre + place[0] * first + place[1] * second
            for parameter, number in zip(parameters, moved.tolist(), strict=True):
                parameter.data = number
            return data_of(scalar(loss(model)))

        places = progress([[a, b] for b in y for a in x], "loss landscape")
        z = heights(loss, places, height).reshape(len(y), len(x))
        middle = heights(loss, [[0.0, 0.0]], height)
    ax = draw_heights(x, y, z, kind, texts[2] if texts else "loss", ax, view, zlim)
    ax.plot([0], [0], *([middle] if kind == "surface" else []), "*", color=VERMILION,
            markersize=14, markeredgecolor=PAPER, label=f"the model, loss {middle[0]:.4g}",
            zorder=6)
    finish(ax, ("first direction", "second direction", "loss"), texts)
    return ax


def filter_normalized_direction(groups: Sequence[Sequence[Value]],
                                rng: np.random.Generator) -> Array:
    """A random direction whose part in each group is as long as the group's own vector.

    Args:
        groups: the parameters, as :func:`parameter_groups` gives them.

    Returns:
        One number for each parameter, in order.
    """
    parts = []
    for group in groups:
        part = rng.standard_normal(len(group))
        own = math.hypot(*(parameter.data for parameter in group))
        parts.append(part * (own / math.hypot(*part)))
    return np.concatenate(parts)


def parameter_groups(model: Any) -> list[list[Value]]:
    """The parameters neuron by neuron: its weight vector, and its bias as a group of its own.

    The rule: each list of Values that the model, or a module inside it, holds is one group, and
    so is each row of a matrix; a single Value is a group of one.

    Raises:
        ValueError: for a model without parameters.
    """
    ungrouped = dict.fromkeys(model.parameters())
    if not ungrouped:
        raise ValueError("the model has no parameters")
    groups: list[list[Value]] = []
    waiting: list[Any] = [model]
    seen: dict[int, Any] = {}  # holds the items, so that no id comes twice
    while waiting:
        item = waiting.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item
        parts = _parts(item)
        own = list(dict.fromkeys(part for part in parts
                                 if part.__class__ is Value and part in ungrouped))
        if own:
            for parameter in own:
                del ungrouped[parameter]
            groups += [own] if isinstance(item, list | tuple | np.ndarray) else [[v] for v in own]
        waiting += [part for part in reversed(parts) if part.__class__ is not Value]
    return groups + ([list(ungrouped)] if ungrouped else [])


def _parts(item: Any) -> list[Any]:
    """What a module, a list, a dictionary or an array of Values holds."""
    if isinstance(item, np.ndarray):
        return list(item) if item.dtype == object and item.ndim else []
    if isinstance(item, list | tuple):
        return list(item)
    if isinstance(item, dict):
        return list(item.values())
    if not hasattr(item, "parameters"):
        return []
    slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*vars(item).values()] if not slots else [
        getattr(item, name) for name in slots if hasattr(item, name)]
