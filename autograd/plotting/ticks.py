"""Ticks as plain numbers: no common factor or offset in a corner, no powers of ten to read.

The only module that loads matplotlib as it is imported; the others import it where they draw.
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib.ticker import AutoLocator, Formatter, MaxNLocator, ScalarFormatter

from autograd.plotting.sizes import TEXT_SIZE

LETTER = 0.62  # the width of a digit, in its height
STEPS = (1, 2, 2.5, 5, 10)  # between ticks, as AutoLocator has them
PLAIN_FROM, PLAIN_TO = 1e-4, 1e7  # outside of these a number has more zeros than people count


class PlainFormatter(ScalarFormatter):
    """Positional notation, with the same decimals on all ticks; 2e8 where it would be too long."""

    def __init__(self) -> None:
        super().__init__(useOffset=False, useMathText=False)
        self.set_scientific(False)

    def __call__(self, x: float, pos: int | None = None) -> str:
        low, high = _view(self)
        largest, range_ = max(abs(low), abs(high)), abs(high - low)
        if PLAIN_FROM <= largest < PLAIN_TO or not range_:
            return str(super().__call__(x, pos))
        digits = 2 + math.ceil(math.log10(largest / range_) + 1e-9)
        factor, power = f"{x:.{digits}e}".split("e")
        short = factor.rstrip("0").rstrip(".")
        return self.fix_minus(f"{short}e{int(power)}" if float(factor) else "0")


class RoomyLocator(AutoLocator):
    """Ticks of an x axis, as many as leave their numbers apart."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        ticks: Any = super().tick_values(vmin, vmax)
        axis: Any = self.axis
        axes, formatter = axis.axes, axis.get_major_formatter()
        room = axes.bbox.width / axes.figure.dpi * 72.0 / abs(vmax - vmin)  # points for each unit
        for bins in range(len(ticks) - 2, 0, -1):
            letters = max(map(len, formatter.format_ticks(ticks))) + 1  # and a space
            if letters * LETTER * TEXT_SIZE <= room * (ticks[1] - ticks[0]):
                break
            ticks = MaxNLocator(bins, steps=STEPS).tick_values(vmin, vmax)
        return ticks


class EachFormatter(Formatter):
    """Positional notation with the decimals that each number needs, as on a logarithmic axis."""

    def __init__(self, digits: int = 6) -> None:
        self.digits = digits

    def __call__(self, x: float, pos: int | None = None) -> str:
        return self.fix_minus(plain(x, self.digits))


class MinorLogFormatter(EachFormatter):
    """Labels between the powers of ten, where an axis has no more than two of them."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        low, high = _view(self)
        decades = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
        lead = f"{x:.6e}"[0]
        return super().__call__(x, pos) if decades <= 2 and lead in "235" else ""


def _view(formatter: Formatter) -> tuple[float, float]:
    assert formatter.axis is not None  # matplotlib sets it with the formatter
    low, high = formatter.axis.get_view_interval()
    return float(low), float(high)


def plain(x: float, digits: int = 4) -> str:
    """A number with at most so many significant digits, in positional notation where it is short.

    Args:
        x: the number.
        digits: significant digits.
    """
    text = f"{x:.{digits}g}"
    if "e" not in text:
        return text
    if PLAIN_FROM <= abs(x) < PLAIN_TO:
        return f"{float(text):.12f}".rstrip("0").rstrip(".")
    factor, power = text.split("e")
    return f"{factor}e{int(power)}"


def make_plain(axis: Any) -> None:
    """Give an axis plain numbers that keep apart, unless others were chosen for it.

    Args:
        axis: ``ax.xaxis``, ``ax.yaxis`` or ``ax.zaxis``.
    """
    if (axis.axis_name == "x" and axis.axes.name != "3d" and axis.isDefault_majloc
            and isinstance(axis.get_major_locator(), AutoLocator)):
        axis.set_major_locator(RoomyLocator())
        axis.isDefault_majloc = True  # a scale that is set later may still choose its own
    if not axis.isDefault_majfmt:
        return
    if axis.get_scale() == "log":
        axis.set_major_formatter(EachFormatter())
        axis.set_minor_formatter(MinorLogFormatter())
    elif isinstance(axis.get_major_formatter(), ScalarFormatter):  # not that of dates or names
        axis.set_major_formatter(PlainFormatter())


__all__ = ["EachFormatter", "PlainFormatter", "make_plain", "plain"]
