"""The pictures of expression graphs: what is drawn, and what is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from autograd.core.graph import refuse_stale, topological_order
from autograd.core.validation import whole
from autograd.core.value import Value
from autograd.drawing.arrays import in_arrays, shorter
from autograd.drawing.folding import (
    all_units,
    collapse_chains,
    folded_scopes,
    grouped,
    make_units,
)
from autograd.drawing.picture import Picture, number
from autograd.drawing.rendering import Drawing, RendererError
from autograd.drawing.repeats import elided

MAX_SHOWN = 100  # records that a notebook draws by itself
MOST_SEARCHED = 20_000  # nodes in which draw looks for repetitions unasked


def draw(y: Value | Sequence[Value], direction: str = "LR", local_derivatives: bool = False,
         max_nodes: int = 500, depth: int | None = None, scopes: bool = True,
         renderer: str = "", *, merge: bool | None = None, fold: bool | Collection[str] = False,
         unfold: Collection[str] = (), unfold_dots: bool = False,
         elide: bool | None = None) -> Drawing:
    """The expression graph as a picture, operands left, result right.

    A record shows label, number and adjoint; the adjoint of a node that no ``backward()`` has
    reached, such as an arm that ``where`` did not take, reads "grad -" in grey, which is not the
    same as 0. Leaves are blue, constants bare.

    From left to right a picture fits into a column of 900 pixels. Where its ranks side by side
    would be wider, operations are written into their records, and ranks are wrapped: dashed arrows
    lead to the name of a node, and in another row on from that name.

    What repeats in a row, iterations of a loop or operands of a sum, is drawn as its first, its
    last, and a box that stands for the rest ("× 98 more").

    A large graph becomes readable with ``merge=True``: parts that repeat, such as the rows of a
    loss or the neurons of a layer, are drawn once with their number ("× 100") and the range of
    their values, and a chain of additions as one Σ. Where parts that are not quite alike were
    written as arrays, a loop over all pairs of two lists for example, each array is one box. With
    ``fold``, a name scope becomes one box with its counts, and the arrows that cross its border.

    ``autograd.live(y)`` is a page of the same graph, whose leaves have sliders.

    Args:
        y: a Value, or several.
        direction: "LR" (left to right) or "TB" (top to bottom).
        local_derivatives: write on each edge the derivative of the consumer by the operand.
        max_nodes: the largest number of records to draw.
        depth: draw only the nodes at most this many operations away from y.
        scopes: draw a frame around the nodes of each name scope.
        renderer: "dot" or "graphviz-pure" to insist on one.
        merge: draw parts that repeat once; None means where scopes are folded.
        fold: the scopes to draw as one box, by name ("layer 1") or path ("net/layer 1"); True
            means all.
        unfold: the scopes to leave open; alone, it folds all others.
        unfold_dots: draw each dot as its products and their sum.
        elide: draw only the first and last of what repeats more than 10 times; None does so in
            graphs of up to 20,000 nodes.

    Returns:
        A :class:`Drawing`: ``.render("graph.svg")`` writes it, Jupyter shows it, ``.source`` is
        its DOT text, the same for the same program in every run.

    Raises:
        TypeError: when y is not a Value.
        ValueError: for no Value at all, for more than max_nodes records, for a scope that does not
            exist, and when a leaf was edited after its use.
    """
    roots = checked_roots(y)
    if direction not in ("LR", "TB"):
        raise ValueError(f'direction must be "LR" or "TB", not {direction!r}')
    order = topological_order(*roots)
    refuse_stale(order)
    kept = set(order) if depth is None else _near(roots, depth)
    merging = bool(fold or unfold) if merge is None else merge
    eliding = len(kept) <= MOST_SEARCHED if elide is None else elide
    if not (merging or fold or unfold or eliding):
        _refuse(len(kept), max_nodes)  # before any work on a graph of a million nodes
    units = all_units(make_units(order, kept, unfold_dots).values())
    if merging:
        units = collapse_chains(units)
    folded = folded_scopes((unit.scope for unit in units), fold, unfold)
    groups = grouped(units, folded, merging)
    if eliding:
        groups = elided(groups)
    if merging and not folded:
        arrays = in_arrays(units)
        groups = shorter(groups, elided(arrays) if eliding else arrays, len(units))
    _refuse(len(groups), max_nodes)
    return Picture(groups, direction, local_derivatives, scopes, renderer, merging,
                   wrap=True).drawing


def checked_roots(y: Value | Sequence[Value]) -> list[Value]:
    """The Values to draw.

    Raises:
        TypeError: when one is not a Value.
        ValueError: when there is none.
    """
    if y.__class__ is not Value and not hasattr(y, "__iter__"):
        raise TypeError(f"draw needs a Value or several, not {y!r}")
    roots = [y] if isinstance(y, Value) else list(y)
    if not roots:
        raise ValueError("draw needs at least one Value, not an empty sequence")
    for root in roots:
        if root.__class__ is not Value:
            raise TypeError(f"draw needs Values, not {root!r}")
    return roots


def _refuse(count: int, max_nodes: int) -> None:
    if count > max_nodes:
        raise ValueError(f"the graph has {count} nodes, which is more than max_nodes={max_nodes}; "
                         "write merge=True to draw parts that repeat once, elide=True to draw the "
                         "first and the last iteration of loops, fold=True to draw scopes as "
                         "boxes, depth=3 to draw what is near the result, or a larger max_nodes "
                         "if you can read it")


def _near(roots: Sequence[Value], depth: int) -> set[Value]:
    kept, level = set(roots), list(roots)
    for _ in range(whole(depth, "depth")):
        below: dict[Value, None] = {p: None for node in level for p in node.parents
                                    if isinstance(p, Value) and p not in kept}
        kept.update(below)
        level = list(below)
    return kept


def mimebundle(value: Value) -> dict[str, Any]:
    """What Jupyter shows for a Value: its text, and its graph if that is small."""
    bundle: dict[str, Any] = {"text/plain": repr(value)}
    if value.op is not None and len(topological_order(value)) <= MOST_SEARCHED:
        try:
            bundle["image/svg+xml"] = draw(value, max_nodes=MAX_SHOWN)._repr_svg_()
        except (RendererError, ValueError):  # no renderer, too large, a leaf edited after its use
            return bundle  # the text says what there is; draw(value) says what is wrong
    return bundle


__all__ = ["MAX_SHOWN", "Picture", "checked_roots", "draw", "mimebundle", "number"]
