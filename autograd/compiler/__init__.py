"""Record a computation once, replay it at machine speed.

A function is called once on Values (``trace.tracer``); its graph becomes a linear program
(``program.program``), which ``program.passes`` shorten and one of ``backends`` runs: ``python``
(readable source, the oracle), ``numpy`` (rows at once), ``llvm`` (machine code); or
``backends.javascript`` writes it for a page. ``jit`` and ``vmap`` are the two ways to use it;
``trace.captured_state`` keeps an eye on what the function captures.

What the back ends promise: + - * /, sqrt, comparisons and whatever is chosen by them have the bits
of the eager engine, and the Python back end has them for everything. The other functions of the
NumPy and LLVM back ends are within 8 units in the last place of it. ``dot`` and ``sum`` over many
operands, and sums over rows, may be rounded in another order.
"""
