"""check_gradients: is this gradient right everywhere in a domain?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd.checking.gradient_check import (
    argument_names,
    called,
    gradcheck,
    shown_point,
)
from autograd.checking.reports import GradientError, Report, merged
from autograd.core.primitives import DOMAIN_ERRORS
from autograd.core.validation import interval


def check_gradients(f: Callable[..., Any], domain: Any,
                    gradient: Callable[..., Any] | None = None, max_examples: int = 100,
                    rtol: float = 1e-6, atol: float = 0.0) -> Report:
    """Check a gradient at many points of a domain; a failure is shrunk to the simplest point.

    The points are the same in every run, and nothing is written to disk.

    Args:
        f: as in :func:`gradcheck`.
        domain: for each argument an interval ``(low, high)`` or a hypothesis strategy (for
            arrays ``autograd.strategies.arrays_in(shape, low, high)``): a mapping from argument
            names, or a sequence by position. For a single argument the bare interval will do.
        gradient: a gradient written by hand, as in :func:`gradcheck`.
        max_examples: how many points to try.
        rtol, atol: as in :func:`gradcheck`.

    Returns:
        A :class:`Report` over all points. It is truthy where any component was compared at any.

    Raises:
        GradientError: at the simplest point that hypothesis finds; the message shows it.
        ImportError: when hypothesis is not installed.
        TypeError, ValueError: for a domain that does not fit f.
        ValueError, ZeroDivisionError, OverflowError: when f or its derivative does not exist at
            a point of the domain; the message shows the point.
    """
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError:
        raise ImportError('check_gradients needs hypothesis; pip install "chainrule[check]"'
                          ) from None
    specifications = _by_position(f, domain)
    names = argument_names(f, len(specifications))
    points = st.tuples(*(_strategy(specification, name) for name, specification
                         in zip(names, specifications, strict=True)))
    reports: list[Report] = []

    @hypothesis.settings(
        max_examples=max_examples, derandomize=True, deadline=None, database=None,
        report_multiple_bugs=False, print_blob=False, verbosity=hypothesis.Verbosity.quiet,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink))
    @hypothesis.given(points)
    def check(point: tuple[Any, ...]) -> None:
        try:
            reports.append(gradcheck(f, *point, gradient=gradient, rtol=rtol, atol=atol))
        except DOMAIN_ERRORS as error:
            raise type(error)(f"{error} (drawn from the domain: {shown_point(names, point)})"
                              ) from None

    try:
        check()
    except (GradientError, *DOMAIN_ERRORS) as error:
        if hasattr(error, "__notes__"):
            del error.__notes__  # the message shows the point already
        raise error.with_traceback(None) from None
    return merged(reports)


def _by_position(f: Callable[..., Any], domain: Any) -> list[Any]:
    """The parts of a domain in the order of the arguments of f."""
    if isinstance(domain, Mapping):
        parameters = [p for p in inspect.signature(f).parameters.values()
                      if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        names = [p.name for p in parameters][:len(domain)]
        missing = [p.name for p in parameters if p.default is p.empty and p.name not in domain]
        if missing or set(names) != set(domain):
            raise TypeError(f"the domain names {', '.join(map(str, domain))}, but {called(f)} "
                            f"takes {', '.join(p.name for p in parameters)}; name its first "
                            "arguments, all that have no default among them")
        return [domain[name] for name in names]
    if _is_interval(domain) or not isinstance(domain, list | tuple):
        return [domain]
    return list(domain)


def _is_interval(specification: Any) -> bool:
    return (isinstance(specification, list | tuple) and len(specification) == 2
            and all(isinstance(x, int | float | np.number) for x in specification))


def _strategy(specification: Any, name: str) -> Any:
    from hypothesis.strategies import SearchStrategy, floats

    if isinstance(specification, SearchStrategy):
        return specification
    if not _is_interval(specification):
        raise TypeError(f"the domain of {name} must be an interval (low, high) or a hypothesis "
                        f"strategy, not {specification!r}")
    return floats(*interval(specification, f"the domain of {name}"), allow_nan=False)
