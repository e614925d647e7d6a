"""One call of a Python function as a program: what it computes, decides, reads and returns."""
