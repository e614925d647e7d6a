"""Programs as JAX functions; importing this package does not load JAX."""
