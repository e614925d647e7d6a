"""primitive(...): operations of your own, with derivatives that are checked before they count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autograd.core.array_primitive import ArrayPrimitive
from autograd.core.primitive import Primitive
from autograd.extend.functions import CheckedPrimitive
from autograd.extend.rows import new_row, unregister

F = TypeVar("F", bound=Callable[..., Any])


@overload
def primitive(name: str, value: Callable[..., float],
              partials: Callable[..., Any] | Sequence[Callable[..., Any]],
              domain: str = "", safe: Any = None, kink: Callable[..., float] | None = None,
              latex: str = "", text: str = "", aliases: Sequence[str] = (),
              derivative: str | Sequence[str] = ()) -> Primitive: ...
@overload
def primitive(function: None = None, /, *, vjp: Callable[..., Any],
              jvp: Callable[..., Any] | None = None, name: str = "",
              recorded: Callable[..., Any] | None = None,
              example: Sequence[Any] = (),
              check: bool = True) -> Callable[[Callable[..., Any]], ArrayPrimitive]: ...
@overload
def primitive(function: Callable[..., Any], /, *, vjp: Callable[..., Any],
              jvp: Callable[..., Any] | None = None, name: str = "",
              recorded: Callable[..., Any] | None = None,
              example: Sequence[Any] = (), check: bool = True) -> ArrayPrimitive: ...
def primitive(function: Any = None, /, *arguments: Any, **fields: Any) -> Any:
    """An operation of your own, whose derivative is checked against its values.

    **Of numbers**, ``primitive(name, value, partials, ...)``: a row of the table. Values get
    methods of its name (for one and two operands), and it is drawn, explained, compiled and
    checked like the others::

        cube = autograd.primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
        cube(v)     # or v.cube()

    **Of arrays**, ``primitive(function, vjp=...)``, also as a decorator: any function, in Python,
    NumPy or C, with a vector-Jacobian product of yours::

        @autograd.primitive(vjp=lambda g, x, a, b: (-np.outer(np.linalg.solve(a.T, g), x), ...))
        def solve(a, b):
            return np.linalg.solve(a, b)

    Its results are drawn, explained, examined by ``gradcheck`` and copied as nodes ``solve[0]``,
    ``solve[1]``, ... on all operands; pickles hold the primitive by its name in its module; pages
    that compute by themselves (``live``) refuse it. It is checked at an example at once, and when
    it is first called with Values of each number of operands and results: the vjp, the jvp and the
    derivative of the vjp are compared with differences of the function in one direction, on some
    30 calls. What the function returns counts as hanging on its arguments alone.

    Args:
        name: of numbers, a Python identifier that is not taken; of arrays, what drawings and
            errors call it (the function's own name, if it is left out).
        value: the function on floats; its signature gives the number of operands, ``*xs`` is any
            number. Outside its domain it raises what Python's ``math`` raises.
        partials: for each operand a function of (\\*operands, result) that returns the local
            derivative, in ordinary arithmetic and autograd's functions (never ``math``), so that
            it runs on floats and on Values; for one operand the bare function; for any number of
            operands one function that returns the list of all derivatives.
        domain: for people, the condition on the operands, for example ``"x > 0"``.
        safe: an interval ``(low, high)`` of operands at which value and derivative are finite, or
            one interval for each operand; the check and the test strategies draw from it. If it
            is left out, a few are tried.
        kink: the signed distance of the operands from the nearest kink, if there is one.
        latex, text: templates of the notation; ``{0}``, ``{1}`` are operands, ``{all}`` all.
        aliases: other names for the methods.
        derivative: for each operand the derivative as it is taught, for ``help`` and ``explain``:
            an expression in x (a, b, ... for several operands) and y, the result, such as
            ``"3 * x**2"``; for any number of operands that by each of them, x.

        function: of arrays, numbers, and lists, tuples and dictionaries of them, by position, to
            the same. By keywords nothing is differentiated. An argument without Values is handed
            over as it is; what it returns beside floats (ints, arrays of ints, None) is, too.
        vjp: ``vjp(cotangents, results, *arguments, **keywords)`` gives the gradient of the sum of
            cotangents times results: for one argument in its structure and shape, for several a
            tuple with one for each, None for an argument by which there is none. The cotangents
            have the structure of the results. It is called with numbers; with Values, where its
            result is to be differentiated again or recorded. If it cannot take Values (it calls C),
            second derivatives are an error that says so: write it with NumPy's functions, and
            with primitives.
        jvp: ``jvp(tangents, results, *arguments, **keywords)`` gives the tangents of the results
            in their structure; the tangents are a tuple with one for each argument, None for an
            argument that is constant. Without it, ``autograd.jvp`` takes one vjp for each result.
        recorded: what ``jit`` and ``vmap`` call in place of a function that cannot take Values, to
            write it out: the same in Python and NumPy's functions. The derivative is still the vjp.
        example: arguments to check it at now, not only when it is first called.
        check: whether to check it. Without a check the vjp may be another than that of the
            function (as a straight-through estimator has); ``to_jax`` does not differentiate it.

    Returns:
        The primitive: a function of floats, Values or arrays of them.

    Raises:
        GradientError: when a derivative disagrees with the value: for numbers at once, and nothing
            is added then; for arrays at the first call.
        ValueError: for a name that is taken, or when no safe point is found; when called, for a
            gradient of another shape than its argument.
        TypeError: for a wrong number of partials, or partials that work on floats only; when
            called, where a gradient is missing, and for a function that uses Values from outside.
        RecordingError: under jit or vmap, for a function that can be called neither with Values
            nor by ``recorded``.
    """
    if isinstance(function, str) or (function is None and fields.keys().isdisjoint(("vjp", "jvp"))):
        if function is not None:
            arguments = (function, *arguments)
        return new_row(*arguments, **fields)
    if arguments:
        raise TypeError("a primitive of arrays takes keywords behind the function: "
                        "primitive(function, vjp=..., jvp=...)")
    if function is None and "vjp" in fields:
        return lambda decorated: primitive(decorated, **fields)
    if function is not None and not callable(function):
        raise TypeError("primitive takes the name of an operation of numbers, or a function of "
                        f"arrays, not {function!r}")
    if "vjp" not in fields:
        raise TypeError(f"a primitive of arrays needs the derivative: write primitive("
                        f"{getattr(function, '__name__', 'function')}, vjp=...), where "
                        "vjp(cotangents, results, *arguments) gives the gradient for each argument")
    check, example = fields.pop("check", True), fields.pop("example", ())
    if not check:
        unchecked = ArrayPrimitive(function, **fields)
        unchecked.only_by_vjp = True
        return unchecked
    checked = CheckedPrimitive(function, **fields)
    if len(example):
        checked.check_at(example)
    return checked


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autograd.core.habits import missing

        raise missing(__name__, name)


__all__ = ["ArrayPrimitive", "primitive", "unregister"]
