"""Checks of numbers: what they let through, and what they say."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from autograd import Value
from autograd.core.validation import interval, not_negative, positive, share, whole


def test_a_good_number_comes_back_as_pythons_own() -> None:
    checked = [positive(np.float32(0.5), "x"), not_negative(0, "x"), share(Fraction(1, 4), "x"),
               whole(np.int64(7), "x", 7), *interval(np.array([-1, -1]), "x")]
    assert checked == [0.5, 0.0, 0.25, 7, -1.0, -1.0]
    assert [type(x) for x in checked] == [float, float, float, int, float, float]


@pytest.mark.parametrize("check, number, says", [
    (positive, 0.0, "rate must be a finite number above 0, not 0.0"),
    (positive, math.inf, "rate must be a finite number above 0, not inf"),
    (positive, math.nan, "rate must be a finite number above 0, not nan"),
    (not_negative, -5e-324, "rate must be a finite number, 0 or above, not -5e-324"),
    (not_negative, math.inf, "rate must be a finite number, 0 or above, not inf"),
    (share, 1, "rate must be from 0 to below 1, not 1.0"),
    (share, -0.1, "rate must be from 0 to below 1, not -0.1"),
    (whole, -1, "rate must be at least 0, not -1"),
    (interval, (1.0, 0.5), "rate must have a finite low and a finite high that is not below it, "
                           "not (1.0, 0.5)"),
    (interval, [-math.inf, 0.0], "rate must have a finite low and a finite high that is not below "
                                 "it, not [-inf, 0.0]"),
])
def test_a_number_out_of_bounds_is_named(check: Any, number: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:
        check(number, "rate")
    assert str(caught.value) == says


@pytest.mark.parametrize("check, number", [
    (positive, "1"), (not_negative, None), (share, Value(0.5)), (whole, True), (whole, 2.0),
    (whole, Value(2.0)), (interval, 3.0), (interval, (1.0, 2.0, 3.0)), (interval, ("0", 1.0)),
])
def test_what_is_no_such_number_is_a_type_error(check: Any, number: Any) -> None:
    with pytest.raises(TypeError, match=r"rate must be .*, not"):
        check(number, "rate")
