"""Lambert's W, the inverse of w * exp(w), on both of its real branches.

Values and slopes are computed here, so that every back end has them; near the branch point -1/e by
the series in p = sqrt(2 (e x + 1)), of which 1 + W, and so the slope, keeps all its digits there
(Corless et al. 1996, On the Lambert W function, section 4), elsewhere by Fritsch's iteration.

Values and first derivatives are within 5, second ones within 10 units in the last place (that
of the lower branch near its zero, W = -2, of its terms).
"""

from __future__ import annotations

import math
from typing import Any

from autograd.core.primitive import no_slope
from autograd.special.library import library_row

BRANCH_POINT = 0.36787944117144233  # 1 / e, and what is lost in its rounding
_LOST = -1.2428753672788363e-17
_TWICE_E = 5.43656365691809
_LARGEST = 1.7976931348623157e308
_NEAR = -0.3384490858777269  # where p is 0.4; below, the series is used
# The factors of p, p**2, ... in 1 + W.
_SERIES = (
    1.0, -0.3333333333333333, 0.1527777777777778, -0.07962962962962963, 0.044502314814814814,
    -0.02598471487360376, 0.01563563253233392, -0.009616892024299432, 0.006014543252956118,
    -0.0038112980348919993, 0.0024408779911439826, -0.0015769303446867841, 0.0010262633205076071,
    -0.0006720616311561362, 0.0004424730618146209, -0.00029267722472962746,
    0.00019438727605453933, -0.00012957426685274883, 8.665035805208128e-05,
    -5.811360750441382e-05, 3.907668486743905e-05, -2.63380647472311e-05, 1.7790345805079586e-05,
    -1.2040352739559977e-05, 8.163531982496613e-06, -5.544203208567359e-06,
    3.7710949611072535e-06, -2.5687050390550955e-06, 1.7520067268263412e-06,
    -1.1964453089157258e-06, 8.179940565280035e-07)


def _near_branch_point(p: float) -> float:
    """1 + W; p is negative on the lower branch."""
    total = 0.0 * p
    for factor in reversed(_SERIES):
        total = (total + factor) * p
    return total


def _to_branch_point(x: float) -> float:
    """The size of p; 0 at the float that is nearest to -1 / e."""
    if x < -BRANCH_POINT:
        raise ValueError("math domain error")
    return 0.0 * x if x == -BRANCH_POINT else _size(x)


def _size(x: float) -> float:
    """The size of p above the branch point."""
    return math.sqrt(_TWICE_E * ((x + BRANCH_POINT) + _LOST))


def _improved(w: float, x: float) -> float:
    """One step of Fritsch's iteration, of the fourth order."""
    rest = math.log(x / w) - w
    more = 1.0 + w
    scale = 2.0 * more * (more + rest / 1.5)
    return w * (1.0 + rest / more * (scale - rest) / (scale - 2.0 * rest))


def _upper(x: float) -> float:
    """W away from the branch point, on the branch through 0."""
    if x == 0.0 or x > _LARGEST:
        return x
    size = math.log1p(x)
    w = size * (1.0 - math.log1p(size) / (2.0 + size))
    return _improved(_improved(_improved(w, x), x), x)


def _lower(x: float) -> float:
    """W away from the branch point, on the branch below -1."""
    if x >= 0.0:
        raise ValueError("math domain error")
    size = math.log(-x)
    depth = math.log(-size)
    w = size - depth + depth / size
    return _improved(_improved(_improved(w, x), x), x)


def _lambertw(x: float) -> float:
    if x != x:
        return x
    return _near_branch_point(_to_branch_point(x)) - 1.0 if x < _NEAR else _upper(x)


def _lambertwm1(x: float) -> float:
    if x != x:
        return x
    return _near_branch_point(-_to_branch_point(x)) - 1.0 if x < _NEAR else _lower(x)


def _gap(k: float, x: float) -> float:
    """1 + W."""
    if x != x:
        return x
    if k == 0.0:
        return _near_branch_point(_to_branch_point(x)) if x < _NEAR else 1.0 + _upper(x)
    return _near_branch_point(-_to_branch_point(x)) if x < _NEAR else 1.0 + _lower(x)


def _slope(k: float, x: float) -> float:
    """1 / (exp(W) (1 + W))."""
    if x != x:
        return x
    if x <= -BRANCH_POINT:
        raise ValueError("math domain error")
    if x < _NEAR:
        p = _size(x)
        gap = _near_branch_point(p if k == 0.0 else -p)
        return math.exp(1.0 - gap) / gap
    if k == 0.0:
        return 1.0 / (x + math.exp(_upper(x)))
    w = _lower(x)
    return w / (x * (1.0 + w))


_BRANCH: dict[str, Any] = {"orders": 1, "parameters": ("k", "x"), "hidden": True,
                           "safe": ((0.0, 0.0), (-0.36, 1e300)), "domain": "x > -1 / e"}

upper_branch = library_row(
    "lambertw", _lambertw, lambda x, y: lambertw_slope(0.0, x), safe=((-0.36, 1e300),),
    domain="x >= -1 / e (its derivative: x > -1 / e)", latex=r"W_0\left({0}\right)",
    summary="Lambert's W on its branch through 0: the w >= -1 of which w * exp(w) is x.",
    derivative=("1 / (x + exp(y))",), loses_digits="where y is nearly -1")
lower_branch = library_row(
    "lambertwm1", _lambertwm1, lambda x, y: lambertw_slope(-1.0, x), safe=((-0.36, -1e-300),),
    domain="-1 / e <= x < 0 (its derivative: x > -1 / e)", latex=r"W_{{-1}}\left({0}\right)",
    summary="Lambert's W on its lower branch: the w <= -1 of which w * exp(w) is x.",
    derivative=("1 / (x + exp(y))",), loses_digits="where y is nearly -1")
lambertw_gap: Any = library_row(
    "lambertw_gap", _gap, no_slope, lambda k, x, y: lambertw_slope(k, x), **_BRANCH,
    text="1 + W{0}({1})", latex=r"\left(1 + W_{{{0}}}\left({1}\right)\right)",
    summary="1 + W, with all its digits near the branch point.",
    slope="lambertw_slope(k, x) by x, none by k")
lambertw_slope: Any = library_row(
    "lambertw_slope", _slope, no_slope,
    lambda k, x, y: -y * y * (1.0 + 1.0 / lambertw_gap(k, x)), **_BRANCH,
    text="W{0}'({1})", latex=r"W_{{{0}}}'\left({1}\right)",
    summary="The derivative of Lambert's W.",
    slope="-y**2 * (2 + W) / (1 + W) by x, none by k")


def lambertw(x: Any, k: int = 0, tol: float | None = None) -> Any:
    """Lambert's W of real numbers, on a real branch.

    Args:
        x: a number, a Value or an array of them, at least -1 / e; below 0 for k = -1.
        k: the branch, 0 or -1.
        tol: as SciPy has it; of no meaning, for all digits are computed.

    Returns:
        A real number, where ``scipy.special.lambertw`` of a float gives a complex one.

    Raises:
        ValueError: for another branch, and outside of the domain.
    """
    if k not in (0, -1):
        raise ValueError(f"Lambert's W is real on the branches 0 and -1, not on {k!r}")
    return upper_branch(x) if k == 0 else lower_branch(x)
