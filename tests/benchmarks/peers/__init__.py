"""Each peer's side of the benchmarks: one file a peer, which runs in the peer's own environment.

A file has one function for each benchmark that the peer takes part in. It takes the benchmark's
data, a dictionary of NumPy arrays, and returns the Job to be timed. All write the same
mathematics, in double precision, the way the peer's own documentation does.
"""
