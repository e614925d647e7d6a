"""A tiny neural-network library on top of autograd."""
