"""The engine: the table of primitives, Value, the graph, the reverse pass, transforms.

``primitive`` (a row) <- ``primitives`` (the table) <- ``value`` <- ``graph`` <- ``backward`` <-
``transforms``, in this order to read; what ``value`` looks at on its way, and can be skipped at
first, is in ``context``, ``switches`` and ``listeners``. Beside them ``numpy_protocol``,
``copying`` and ``pytrees``, and for everybody ``validation`` and ``typing``; ``signatures`` and
``row_methods`` are for type checkers, and ``distribution`` is asked first. Imports NumPy alone.
"""

import os

from autograd.core.distribution import refuse_mixture

refuse_mixture(os.path.dirname(os.path.dirname(__file__)))
