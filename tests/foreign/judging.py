"""Whether a function is differentiated rightly: against plain floats, and differences of those."""

from __future__ import annotations

import contextlib
import math
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from autograd import Value, jit, value_and_grad
from autograd.checking.error_analysis import Recording
from autograd.checking.finite_differences import EPS, Estimate, differences

VALUE_RTOL = 1e-9
SLOPE_RTOL = 1e-6
MAX_SLOPES = 8  # of one case: the first arguments
NOISE = 1e-3  # of a number, from where on it is nothing else
JUMPS = {"floor", "ceil", "round", "rint", "trunc", "floordiv", "mod", "fmod", "sign", "step"}
SECONDS = 30  # for one case
COMPILED = False  # whether what is judged is ``jit``, not the eager engine

Function = Callable[[list[float]], float]


class SlowError(Exception):
    """A case took longer than a case may."""


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Attributes:
        case: its name.
        verdict: "right"; "refused", with an error; "wrong", another number; or "unclear", where
            the plain floats have no slope that differences could tell.
            Of ``jit``: "same", value and gradient are the eager engine's; "refused"; "other"
            numbers; or "slow".
        why: the message, or the numbers.
    """

    case: str
    verdict: str
    why: str = ""


def judged(case: str, plain: Function, ours: Function, point: Sequence[float],
           ignore: Sequence[str] = ()) -> Outcome:
    """Compare value and gradient with those of plain floats; or those of ``jit`` with the engine's.

    Args:
        case: its name.
        plain: the function on floats, as others have written it.
        ours: the same on Values.
        point: where; ``plain`` is defined there.
        ignore: names of counters, as ``jit`` takes them.
    """
    if COMPILED:
        return Outcome(case, *compiled(ours, point, ignore))
    try:
        with limited(SECONDS):
            found = _judged(case, plain, ours, point)
            if found.verdict != "wrong":
                return found
            if _is_right_nearby(plain, ours, point):
                return Outcome(case, "unclear", f"{found.why}; but beside the point it is right")
            if "derivative" in found.why and (told := _why_differences_fail(ours, point)):
                return Outcome(case, "unclear", f"{found.why}; {told}")
            return found
    except SlowError as error:
        return Outcome(case, "unclear", str(error))
    except Exception as error:  # whatever foreign code makes of a Value is the finding
        return Outcome(case, "refused", said(error))


def _judged(case: str, plain: Function, ours: Function, point: Sequence[float]) -> Outcome:
    expected = float(plain([*point]))
    value, gradient = value_and_grad(ours)([*point])
    return _compared(case, plain, point, expected, float(value), gradient)


def _is_right_nearby(plain: Function, ours: Function, point: Sequence[float]) -> bool:
    """Whether a branch for equal numbers (if D1 == D2) is all that makes a difference."""
    nearby = [x * (1.0 + 1e-5 * (i + 1.0) / len(point)) + 1e-8 for i, x in enumerate(point)]
    try:
        return _judged("", plain, ours, nearby).verdict == "right"
    except Exception:  # it is defined at the point alone
        return False


def _why_differences_fail(ours: Function, point: Sequence[float]) -> str:
    """Whether the number itself is lost in rounding, or a step of it is too small to be seen."""
    recorded = Recording(ours, ([*point],), point, [str(i) for i in range(len(point))])
    result = recorded.outputs[0]
    if not isinstance(result, Value):
        return ""
    if recorded.noise()[0] > NOISE * abs(result.data):
        return "but the number is a rounding error"
    jumps = {node.op.name for node in result.kinks() if node.op is not None} & JUMPS
    return f"but it has a jump there, of {min(jumps)}" if jumps else ""


def _compared(case: str, plain: Function, point: Sequence[float], expected: float, value: float,
              gradient: Sequence[float]) -> Outcome:
    if not (value == expected or abs(value - expected) <= VALUE_RTOL * abs(expected) or (
            math.isnan(value) and math.isnan(expected))):
        return Outcome(case, "wrong", f"the value is {value!r}, not {expected!r}")
    unclear = ""
    for i in range(min(len(point), MAX_SLOPES)):
        slope = float(gradient[i])
        estimate = difference(plain, point, i)
        error = 20.0 * estimate.error + SLOPE_RTOL * max(abs(slope), abs(estimate.value))
        error += 1e-10 * abs(expected) / max(abs(point[i]), 1.0)
        if abs(slope - estimate.value) <= error < 0.05 * max(abs(slope), abs(estimate.value), 1e-9):
            continue
        if slope == 0.0 == estimate.value:
            continue
        if _is_between_sides(plain, point, i, slope):
            continue  # at a kink or a jump
        if abs(slope - estimate.value) <= error or not _is_smooth(plain, point, i, estimate.value):
            unclear = f"derivative {i} is {slope!r}, or {estimate.value!r} +- {estimate.error:.1g}"
            continue
        return Outcome(case, "wrong", f"derivative {i} is {slope!r}, not {estimate.value!r}")
    return Outcome(case, "unclear" if unclear else "right", unclear)


def compiled(ours: Function, point: Sequence[float], ignore: Sequence[str] = ()) -> tuple[str, str]:
    """Whether ``jit`` has the eager engine's value and gradient: recorded, replayed, and beside.

    Args:
        ours: the function on Values.
        point: where.
        ignore: names of counters.
    """
    beside = [x * (1.0 + 1e-4 * (i + 1.0) / len(point)) for i, x in enumerate(point)]
    n_compared = 0
    try:
        with limited(SECONDS):
            eager = value_and_grad(ours)
            fast = jit(value_and_grad(ours), ignore=tuple(ignore))
            for at in (point, beside, point, beside):
                try:
                    value, gradient = eager([*at])
                except Exception:  # it is defined at the point alone
                    continue
                found, slopes = fast([*at])
                n_compared += 1
                for what, a, b in (("the value", found, value), *(
                        (f"derivative {i}", slopes[i], gradient[i]) for i in range(len(at)))):
                    if not _is_same(float(a), float(b), value if what == "the value" else max(
                            map(abs, gradient))):
                        return "other", f"{what} is {float(a)!r}, the eager engine's {float(b)!r}"
    except SlowError as error:
        return "slow", str(error)
    except Exception as error:  # what jit makes of foreign code is the finding
        return "refused", said(error)
    return ("same", "") if n_compared else ("refused", "the eager engine has no result, either")


def _is_same(a: float, b: float, scale: float) -> bool:
    return a == b or (math.isnan(a) and math.isnan(b)) or (
        abs(a - b) <= VALUE_RTOL * abs(b) + 1e-12 * abs(scale))


def difference(plain: Function, point: Sequence[float], position: int) -> Estimate:
    """The derivative by one argument, from differences of plain floats."""

    def at(displacement: float) -> float:
        moved = [*point]
        moved[position] += displacement
        return float(plain(moved))

    def sample(displacement: float) -> list[float] | None:
        try:
            found = at(displacement)
        except SlowError:
            raise
        except Exception:  # it is not defined there
            return None
        return [found] if math.isfinite(found) else None

    rest = at(0.0)
    return differences(sample, lambda displacement: [16.0 * EPS * abs(rest)],
                       abs(point[position]))[0]


def _is_between_sides(plain: Function, point: Sequence[float], position: int,
                      slope: float) -> bool:
    """Whether a slope is that on one side, or between those of both, where they differ."""
    step = 1e-6 * max(abs(point[position]), 1e-3)
    found = []
    for displacement in (-2.0 * step, -step, 0.0, step, 2.0 * step):
        moved = [*point]
        moved[position] += displacement
        try:
            found.append(float(plain(moved)))
        except SlowError:
            raise
        except Exception:  # nor there
            found.append(math.nan)
    far_left, left, here, right, far_right = found
    # Of second order, so that a curvature is no kink.
    sides = [(3.0 * here - 4.0 * left + far_left) / (2.0 * step),
             (-3.0 * here + 4.0 * right - far_right) / (2.0 * step)]
    sides = [side for side in sides if math.isfinite(side)]
    noise = 1e-6 * abs(slope) + 32.0 * EPS * abs(here) / step
    return bool(sides) and min(sides) - noise <= slope <= max(sides) + noise


def _is_smooth(plain: Function, point: Sequence[float], position: int, slope: float) -> bool:
    """Whether plain differences of several sizes agree with a slope, and with each other."""
    agreeing = 0
    for size in (1e-3, 1e-4, 1e-5, 1e-6):
        step = size * max(abs(point[position]), 1e-3)
        sides = []
        for displacement in (-step, step):
            moved = [*point]
            moved[position] += displacement
            try:
                sides.append(float(plain(moved)))
            except SlowError:
                raise
            except Exception:  # nor there
                return False
        agreeing += abs((sides[1] - sides[0]) / (2.0 * step) - slope) <= 1e-3 * abs(slope) + 1e-12
    return agreeing >= 3


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """End what takes longer, where the platform can."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: object) -> None:
        raise SlowError(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def said(error: BaseException) -> str:
    """An error in one line, without the numbers that differ from case to case."""
    first = (str(error).strip().splitlines() or [""])[0]
    first = re.sub(r"0x[0-9a-f]+", "0x..", first)
    first = re.sub(r"(?<![A-Za-z_])-?\d+(\.\d+)?(e[+-]?\d+)?", "#", first)
    return f"{type(error).__name__}: {first[:220]}"
