"""Every public function of NumPy that takes arrays of floats and gives some, on Values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .documented import quiet
from .judging import Outcome, judged

SPACES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft,
          "np.polynomial.polynomial": np.polynomial.polynomial}
# They read or write files, memory and settings, or give what is in memory by chance.
LEFT_OUT = frozenset("""show_config info test save savez savez_compressed savetxt load loadtxt
    genfromtxt fromfile fromregex get_include set_printoptions get_printoptions printoptions seterr
    geterr seterrcall geterrcall setbufsize getbufsize errstate show_runtime frompyfunc empty
    empty_like frombuffer from_dlpack asmatrix bmat nested_iters copyto put place putmask
    fill_diagonal put_along_axis""".split())
POINT = np.random.default_rng(0).permutation(np.linspace(0.21, 0.93, 12)).tolist()
CLEAR = ("write", "not defined at")  # one of these an error must say

Call = Callable[..., tuple[Any, ...]]


def _calls(x: Any) -> Iterator[tuple[Any, ...]]:
    """Arguments to try, the first that a function takes.

    Args:
        x: twelve numbers.
    """
    vector, matrix = x[:4], x.reshape(3, 4)
    square = x[:9].reshape(3, 3) + np.eye(3)
    places = np.array([0, 1])
    yield from ((matrix,), (vector,), (square,), (square @ square.T,), (1.0 + matrix,),
                (vector, vector[::-1]), (square, x[9:]), (square, square), (matrix, 1.0 + matrix),
                (matrix, 2), (matrix, 0), (vector, 2), (vector, 1, 0), (matrix, [0, 1]),
                (matrix, (4, 3)), (matrix, 1, 0), (matrix, 0, 1), (vector > 0.5, vector, -vector),
                (vector > 0.5, vector), ([vector, vector],), (vector, vector, vector),
                (0.3, np.sort(vector), x[4:8]), (vector, 0.3, 0.7), (vector, [0.3, 0.6]),
                (vector, 0.4), ("ij,ij->i", matrix, matrix), (matrix, (0, 1), (1, 0)),
                (lambda row: row.sum(), 0, matrix), (lambda a, axis: a.sum(axis, keepdims=True),
                                                    matrix, [0]),
                (vector, (2, 2)), (vector, 2, 3.0), (places, matrix), (places, [vector, -vector]),
                ([vector > 0.5, vector <= 0.5], [vector, -vector]),
                (vector, [vector > 0.5], [lambda a: a * a, lambda a: -a]),
                (matrix, np.array([[0, 1, 2, 3]]), 0), (square.reshape(3, 3, 1), 1),
                (matrix.reshape(3, 2, 2), 1), (np.array([1.0, 2.0, 3.0, 4.0]), vector, 1),
                (vector, vector, matrix), (vector, (4, 4)), (vector, vector, [1, 1]),
                (vector, vector, square), (vector, vector, vector, [1, 1, 1]),
                (vector, vector, vector, x.reshape(2, 3, 2)))


def outcomes() -> Iterator[Outcome]:
    """What comes of each function; "wrong" is an error, too, that does not say what to write."""
    for prefix, space in SPACES.items():
        for name in sorted(vars(space)):
            function = getattr(space, name)
            if name.startswith("_") or name in LEFT_OUT or not callable(function) or (
                    inspect.isclass(function)):
                continue
            with quiet():
                number = _number_of(function)
                if number is None:
                    continue
                found = judged(f"{prefix}.{name}", number, number, POINT)
            if found.verdict == "refused" and not any(words in found.why for words in CLEAR):
                found = Outcome(found.case, "wrong", found.why)
            yield found


def _number_of(function: Any) -> Callable[[Any], Any] | None:
    """One number made of what a function gives for the first arguments that it takes, or None."""
    for i, arguments in enumerate(_calls(np.array(POINT))):
        try:
            result = function(*arguments)
        except Exception:  # other arguments are tried
            continue
        if _is_of_floats(result):
            def number(x: Any, i: int = i) -> Any:
                arguments = next(each for k, each in enumerate(_calls(np.stack(x))) if k == i)
                return _weighed(function(*arguments))

            return number
    return None


def _is_of_floats(result: Any) -> bool:
    if isinstance(result, list | tuple):
        return any(map(_is_of_floats, result))
    array = np.asarray(result)
    return array.dtype.kind == "f" and array.size > 0 and bool(np.all(np.isfinite(array)))


def _weighed(result: Any) -> Any:
    if isinstance(result, list | tuple):
        return sum(_weighed(part) / (i + 1.0) for i, part in enumerate(result))
    array = np.asanyarray(result)
    if array.dtype.kind not in "fO":
        return 0.0
    return np.sum(array * np.cos(1.0 + np.arange(array.size).reshape(array.shape)))
