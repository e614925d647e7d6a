"""Small data sets, made with NumPy from a seed: each returns (X, y).

X has the shape (n, inputs) and y the shape (n,). Classes of the plane's point sets are -1 and 1,
as the hinge loss takes them; those of the truth tables are 0 and 1.
"""

from __future__ import annotations

import numpy as np

from autograd.core.aliases import also_called
from autograd.core.typing import Array
from autograd.core.validation import not_negative, share, whole

Dataset = tuple[Array, Array]
KEYWORDS = {"n_samples": "n", "random_state": "seed"}  # as scikit-learn calls them


def logical_not() -> Dataset:
    """The truth table of NOT: X of shape (2, 1), y of 0 and 1."""
    return np.array([[0.0], [1.0]]), np.array([1.0, 0.0])


def xor() -> Dataset:
    """The truth table of XOR: X of shape (4, 2), y of 0 and 1."""
    return (np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]),
            np.array([0.0, 1.0, 1.0, 0.0]))


def and_of_first_and_last(part: str = "train") -> Dataset:
    """Three bits, and the AND of the first and the last of them, as 0 and 1.

    Args:
        part: "train" for the 5 rows to learn from, "test" for the other 3, "all" for all 8,
            training rows first.
    """
    train = [[1, 0, 1], [0, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]]
    test = [[0, 1, 1], [1, 1, 1], [0, 1, 0]]
    rows = {"train": train, "test": test, "all": train + test}
    if part not in rows:
        raise ValueError(f"part is 'train', 'test' or 'all', not {part!r}")
    X = np.array(rows[part], dtype=float)
    return X, X[:, 0] * X[:, 2]


@also_called(KEYWORDS)
def moons(n: int = 100, noise: float = 0.1, seed: int = 1) -> Dataset:
    """Two interleaved half circles of radius 1.

    Args:
        n: the number of points, half of them (rounded up) in the upper moon.
        noise: the standard deviation of what is added to each coordinate.
        seed: of the noise and of the order.

    Returns:
        X of shape (n, 2); y of -1 (upper moon) and 1.
    """
    upper = np.linspace(0.0, np.pi, _half(n))
    lower = np.linspace(0.0, np.pi, n - len(upper))
    return _two_classes(np.column_stack([np.cos(upper), np.sin(upper)]),
                        np.column_stack([1.0 - np.cos(lower), 0.5 - np.sin(lower)]), noise, seed)


@also_called(KEYWORDS)
def circles(n: int = 100, noise: float = 0.1, seed: int = 1, inner: float = 0.5) -> Dataset:
    """Two circles about the origin: radius 1 and class -1, radius ``inner`` and class 1.

    Args:
        n: the number of points, half of them (rounded up) on the outer circle.
        noise, seed: as for the moons.
        inner: from 0 to below 1.

    Returns:
        X of shape (n, 2); y of -1 and 1.
    """
    inner = share(inner, "inner, the radius of the inner circle,")
    outside = np.linspace(0.0, 2 * np.pi, _half(n), endpoint=False)
    inside = np.linspace(0.0, 2 * np.pi, n - len(outside), endpoint=False)
    return _two_classes(np.column_stack([np.cos(outside), np.sin(outside)]),
                        inner * np.column_stack([np.cos(inside), np.sin(inside)]), noise, seed)


@also_called(KEYWORDS)
def spirals(n: int = 100, noise: float = 0.02, seed: int = 1, turns: float = 1.0) -> Dataset:
    """Two spirals about the origin, from radius 0.1 to 1, one the other turned by half a turn.

    Args:
        n, noise, seed: as for the moons.
        turns: how often each goes round.

    Returns:
        X of shape (n, 2); y of -1 (the spiral that begins to the right) and 1.
    """
    arms = []
    for count, start in ((_half(n), 0.0), (n - _half(n), np.pi)):
        along = np.linspace(0.0, 1.0, count)
        radius, angle = 0.1 + 0.9 * along, start + 2 * np.pi * turns * along
        arms.append(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    return _two_classes(arms[0], arms[1], noise, seed)


@also_called(KEYWORDS)
def line(n: int = 10, intercept: float = 1.0, slope: float = 0.5, noise: float = 0.2,
         seed: int = 1) -> Dataset:
    """Points about a straight line: X from 0 to 10, y = intercept + slope * x + noise.

    Args:
        n: the number of points, at equal distances.
        intercept, slope: of the line.
        noise: the standard deviation of what is added to y.
        seed: of the noise.

    Returns:
        X of shape (n, 1); y of shape (n,).
    """
    _half(n)
    generator = np.random.default_rng(seed)
    x = np.linspace(0.0, 10.0, n)
    return x[:, None], intercept + slope * x + _noise(generator, noise, (n,))


def _half(n: int) -> int:
    return (whole(n, "n, the number of points,", 2) + 1) // 2


def _noise(generator: np.random.Generator, noise: float, shape: tuple[int, ...]) -> Array:
    return not_negative(noise, "noise, a standard deviation,") * generator.standard_normal(shape)


def _two_classes(first: Array, second: Array, noise: float, seed: int) -> Dataset:
    generator = np.random.default_rng(seed)
    X = np.concatenate([first, second])
    X = X + _noise(generator, noise, X.shape)
    y = np.repeat([-1.0, 1.0], [len(first), len(second)])
    order = generator.permutation(len(X))
    return X[order], y[order]
