"""Rows over the devices of a mesh, those of all processes of ``jax.distributed`` included.

Every process runs the same program on the same numbers; each device gets its share of the rows,
sums over rows are added up over all devices, and every process gets the whole result.
"""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from autograd.compiler.backends.jax.devices import refuse_single_precision
from autograd.core.typing import Array

ROWS = "rows"  # the axis of the mesh over which rows are spread


def checked(mesh: Any) -> Mesh | None:
    """A mesh with an axis for rows.

    Raises:
        TypeError: for what is no mesh.
        ValueError: for a mesh without that axis, or of devices without double precision.
    """
    if mesh is None:
        return None
    if not isinstance(mesh, Mesh):
        raise TypeError(f"mesh is a jax.sharding.Mesh, not {mesh!r}; write "
                        f'jax.make_mesh((n,), ("{ROWS}",))')
    if ROWS not in mesh.axis_names:
        raise ValueError(f"the mesh has the axes {mesh.axis_names}, but rows are spread over one "
                         f'called "{ROWS}"; write jax.make_mesh((n,), ("{ROWS}",))')
    for device in mesh.devices.flat:
        refuse_single_precision(device)
    return _automatic(mesh)


def _automatic(mesh: Mesh) -> Mesh:
    """The same mesh, with XLA to decide where what is computed in between stands."""
    kinds = getattr(jax.sharding, "AxisType", None)
    if kinds is None:  # JAX before 0.6 knows no other way
        return mesh
    return Mesh(mesh.devices, mesh.axis_names,
                axis_types=(kinds.Auto,) * len(mesh.axis_names))


def refuse_rest(mesh: Mesh, n: int, what: str, instead: str) -> None:
    """Refuse rows that are not equally many on each device.

    Args:
        mesh: a mesh that was checked.
        n: how many rows there are.
        what, instead: where they are, and what to do, for the message.

    Raises:
        ValueError: when they do not divide.
    """
    count = mesh.shape[ROWS]
    if n % count:
        raise ValueError(f"{n} rows{what} do not divide over the {count} places of the mesh's "
                         f'axis "{ROWS}"; {instead} a multiple of {count}')


class Spread:
    """Puts arrays on the devices of a mesh.

    Attributes:
        count: over how many places rows are spread.
        everywhere: the sharding of what all devices hold.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.mesh, self.count = mesh, mesh.shape[ROWS]
        self.everywhere = NamedSharding(mesh, PartitionSpec())

    def rows(self, array: Array, axis: int) -> Any:
        """An array whose rows lie along an axis, as many on each device."""
        spec = [ROWS if i == axis else None for i in range(array.ndim)]
        return self._put(array, NamedSharding(self.mesh, PartitionSpec(*spec)))

    def whole(self, array: Array) -> Any:
        """An array that every device holds."""
        return self._put(array, self.everywhere)

    @staticmethod
    def _put(array: Array, sharding: NamedSharding) -> Any:
        array = np.asarray(array)
        return jax.make_array_from_callback(array.shape, sharding, lambda index: array[index])
