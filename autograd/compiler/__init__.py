"""Record a computation once, replay it as a linear program."""
