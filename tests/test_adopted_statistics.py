"""Densities of scipy.stats and logsumexp in adopted code, against SciPy's own and differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm, t

from autograd import adopt, grad, jit, value_and_grad

X = np.array([0.3, -1.2, 0.8, 1.7])
COVARIANCE = np.array([[2.0, 0.3], [0.3, 0.7]])


def normal(x: Any) -> Any:
    scale = np.exp(x[1])
    return (norm.logpdf(x[:2], x[0], scale=scale).sum() + norm.pdf(x[3], loc=0.5, scale=scale)
            + norm.cdf(x[2], 0.1, scale) + norm.sf(x[2]) + norm.logcdf(x[0], x[1])
            + norm.logsf(x[3], 0.0, scale))


def student(x: Any) -> Any:
    return np.sum(t.logpdf(x[:2], np.exp(x[3]), 0.2, np.exp(x[2]))) + t.pdf(x[0], 2.4)


def multivariate(x: Any) -> Any:
    covariance = COVARIANCE + np.exp(x[0]) * np.eye(2)
    rows = np.reshape(x, (2, 2))
    return (np.sum(multivariate_normal.logpdf(rows, x[:2], covariance))
            + multivariate_normal.pdf(x[:2], rows[1], cov=COVARIANCE)
            + multivariate_normal.logpdf(X[:2], mean=x[2:], cov=np.exp(x[1]))
            + np.sum(multivariate_normal.logpdf(x, x[0], 1.5))
            + multivariate_normal.logpdf(X[:2], np.zeros(2), np.exp(x[2:]), True))


def exponentials(x: Any) -> Any:
    table = np.reshape(x, (2, 2)) * x[0]
    return (logsumexp(x) + np.sum(logsumexp(table, axis=0) * np.array([1.0, 2.0]))
            + np.sum(table - logsumexp(table, axis=1, keepdims=True) * X[:2])
            + logsumexp(x, b=np.array([1.0, 0.5, 2.0, 3.0])) + logsumexp(table, axis=(0, 1))
            + logsumexp([x[0], x[1], 800.0 * x[3]]))


@pytest.mark.parametrize("function", [normal, student, multivariate, exponentials])
def test_densities_and_their_slopes(function: Any) -> None:
    adopted = adopt(function)
    value, gradient = value_and_grad(adopted)(X)
    assert value == pytest.approx(function(X), rel=1e-12)
    assert adopted(X) == function(X)  # SciPy's own without Values
    h = 1e-5
    for i, direction in enumerate(np.eye(len(X))):
        slope = (function(X + h * direction) - function(X - h * direction)) / (2.0 * h)
        assert gradient[i] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    assert np.allclose(grad(jit(adopted))(X), gradient, rtol=1e-12)


def rest() -> list[Any]:
    return [norm.ppf(0.75), norm(1.0, 2.0).mean(), logsumexp([1.0, 2.0], b=[1.0, -0.1])]


def test_the_rest_is_scipys() -> None:
    assert adopt(rest)() == rest()


@pytest.mark.parametrize(("wrong", "match"), [
    (lambda x: logsumexp(x, return_sign=True), "takes no return_sign"),
    (lambda x: multivariate_normal.logpdf(x[:2], x[2:], np.ones((2, 2)), True), "definite"),
    (lambda x: multivariate_normal.logpdf(x, x[2:], COVARIANCE), "columns"),
])
def test_what_is_refused(wrong: Any, match: str) -> None:
    with pytest.raises((TypeError, ValueError, np.linalg.LinAlgError), match=match):
        grad(adopt(wrong))(X)
