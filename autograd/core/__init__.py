"""The engine: the table of primitives, Value, the graph, the reverse pass, transforms.

``primitive`` (a row) <- ``primitives`` (the table) <- ``value`` <- ``graph`` <- ``backward`` <-
``transforms``; beside them ``numpy_protocol``, ``copying`` and ``pytrees``, and for everybody
``validation`` and ``typing``; ``signatures`` is for type checkers, and ``distribution`` is asked
first. Imports NumPy alone.
"""

import os

from autograd.core.distribution import refuse_mixture

refuse_mixture(os.path.dirname(os.path.dirname(__file__)))
