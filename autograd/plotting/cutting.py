"""Surfaces that end at a height, with smooth edges: their faces are cut there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from autograd.core.typing import Array

Corner = tuple[float, float, float]


def draw_cut(solid: Any, x: Array, y: Array, z: Array, zlim: tuple[float, float],
             style: dict[str, Any]) -> None:
    """Draw the part of a surface that is between two heights.

    Args:
        solid: axes of three dimensions.
        x, y, z: the surface; z has the shape (len(y), len(x)), with nan where nothing is.
        zlim: (low, high).
        style: options of matplotlib's Poly3DCollection.
    """
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    faces = cut_faces(x, y, z, *zlim)
    surface = Poly3DCollection(with_equal_corners(faces), **style)
    surface.set_array(np.array([sum(corner[2] for corner in face) / len(face) for face in faces]))
    surface.set_clim(*zlim)
    if faces:
        solid.add_collection3d(surface)
    solid.auto_scale_xyz(x, y, zlim)


def with_equal_corners(faces: list[list[Corner]]) -> Array:
    """Faces with as many corners each, the last one several times: shape (faces, corners, 3).

    Matplotlib takes limits from all corners, and where faces have fewer than others it has not
    written any.
    """
    most = max(map(len, faces), default=0)
    return np.array([face + face[-1:] * (most - len(face)) for face in faces]).reshape(
        len(faces), most, 3)


def cut_faces(x: Array, y: Array, z: Array, low: float, high: float) -> list[list[Corner]]:
    """The faces between neighbouring points, cut at two heights.

    Returns:
        The corners of each face of which something is left, in their order around it.
    """
    faces = []
    for i, (front, back) in enumerate(pairwise(y.tolist())):
        for j, (left, right) in enumerate(pairwise(x.tolist())):
            face: list[Corner] = [(left, front, float(z[i, j])),
                                  (right, front, float(z[i, j + 1])),
                                  (right, back, float(z[i + 1, j + 1])),
                                  (left, back, float(z[i + 1, j]))]
            if all(corner[2] == corner[2] for corner in face):
                faces.append(_below(_below(face, high, 1.0), low, -1.0))
    return [face for face in faces if len(face) > 2]


def _below(face: list[Corner], height: float, sign: float) -> list[Corner]:
    """What is left of a face under a height, or over it where the sign is negative.

    Each edge that crosses the height gets a corner there (Sutherland and Hodgman 1974).
    """
    kept = []
    for corner, after in zip(face, face[1:] + face[:1], strict=True):
        here, there = sign * (corner[2] - height), sign * (after[2] - height)
        if here <= 0.0:
            kept.append(corner)
        if here * there < 0.0:
            share = here / (here - there)
            kept.append((corner[0] + share * (after[0] - corner[0]),
                         corner[1] + share * (after[1] - corner[1]), float(height)))
    return kept


__all__ = ["cut_faces", "draw_cut", "with_equal_corners"]
