"""The engine: the table of primitives, Value, the graph, the reverse pass, transforms.

``primitive`` (a row) <- ``primitives`` (the table) <- ``value`` <- ``graph`` <- ``backward`` <-
``transforms``; beside them ``numpy_protocol``, ``copying`` and ``pytrees``, and for everybody
``validation`` and ``typing``. Imports NumPy alone.
"""
