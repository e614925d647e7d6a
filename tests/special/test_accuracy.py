"""Values and derivatives of the library against the truth, over their domains.

Values are SciPy's: what is asserted of them is what it reaches, so that a worse release is seen.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from autograd import Value, exp, gammaln, grad, jit, log, special, value_and_grad
from autograd.core.primitive import Primitive, library

pytest.importorskip("scipy")
mpmath = pytest.importorskip("mpmath")
mp: Any = mpmath.mp.clone()
mp.dps = 40
EPS = 2.0 ** -52
HALF = mp.mpf(1) / 2

Point = tuple[float, ...]
Truth = Callable[..., Any]
IS_DEEP = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
COUNT, COUNT_BY_PARAMETER = (2000, 1000) if IS_DEEP else (24, 8)


# --- points ---------------------------------------------------------------------------------------

def sizes(rng: random.Random, low: float, high: float) -> float:
    return 10.0 ** rng.uniform(low, high)


def of_bessel(rng: random.Random) -> Point:
    """A low whole order, one that is not whole, or a high one."""
    order = rng.choice((float(rng.randint(0, 3)), rng.uniform(0.0, 5.0), 0.999, 1e-5, 0.5,
                        float(rng.randint(4, 50)), rng.uniform(5.0, 50.0)))
    return order, rng.choice((rng.uniform(0.0, 30.0), sizes(rng, -6.0, 2.5)))


def of_gamma(rng: random.Random) -> Point:
    a = rng.choice((sizes(rng, -2.0, 2.0), float(rng.randint(1, 40)), sizes(rng, 1.0, 3.0)))
    return a, rng.choice((a * sizes(rng, -2.0, 1.0), sizes(rng, -6.0, 2.0),
                          a * math.exp(rng.gauss(0.0, 1.0) / math.sqrt(a + 1.0))))


def of_beta(rng: random.Random) -> Point:
    a, b = (rng.choice((sizes(rng, -1.0, 1.3), sizes(rng, 1.0, 3.0))) for _ in "ab")
    spread = math.sqrt(a * b / (a + b + 1.0)) / (a + b)
    middle = a / (a + b) + spread * rng.gauss(0.0, 1.0)
    return a, b, rng.choice((rng.random(), min(max(middle, 1e-3), 0.999)))


def of_scaled(rng: random.Random) -> Point:
    return (rng.choice((rng.uniform(0.0, 45.0), sizes(rng, -10.0, 6.0), rng.uniform(0.0, 2.0))),)


def of_lambert(branch: int) -> Callable[[random.Random], Point]:
    def point(rng: random.Random) -> Point:
        near = -math.exp(-1.0) + sizes(rng, -16.0, -1.0)
        if branch:
            return (rng.choice((near, -sizes(rng, -300.0, -1.0), -0.3678 * rng.random())),)
        return (rng.choice((near, sizes(rng, -300.0, 300.0), -0.3678 * rng.random(),
                            sizes(rng, -3.0, 3.0))),)

    return point


def of_elliptic(rng: random.Random) -> Point:
    return (rng.choice((rng.uniform(-1.0, 1.0), -sizes(rng, -8.0, 8.0), sizes(rng, -10.0, -0.1),
                        1.0 - sizes(rng, -14.0, 0.0))),)


def of_integrals(rng: random.Random) -> Point:
    return (sizes(rng, -10.0, 2.8),)


# --- truths ---------------------------------------------------------------------------------------

def cylinder(f: Truth, sign: int, factor: int = 1) -> tuple[Truth, Truth, Truth]:
    """A function of Bessel's and its derivatives, DLMF 10.6.1 and 10.29.1.

    Args:
        f: of order and operand.
        sign: that of the higher order.
        factor: -1 where e**(v pi i) f obeys the recurrence, and not f.
    """
    f = cache(f)
    return (f, lambda v, x: factor * (f(v - 1, x) + sign * f(v + 1, x)) / 2,
            lambda v, x: (f(v - 2, x) + 2 * sign * f(v, x) + f(v + 2, x)) / 4)


OF_J, OF_Y = cylinder(mp.besselj, -1), cylinder(mp.bessely, -1)
OF_I, OF_K = cylinder(mp.besseli, 1), cylinder(mp.besselk, 1, -1)


def scaled(truths: tuple[Truth, ...], order: int, sign: int) -> tuple[Truth, Truth, Truth]:
    """exp(sign x) times a function, by Leibniz' rule."""
    f, slope, curvature = ((lambda x, f=f: f(order, x)) for f in truths)
    return (lambda x: mp.exp(sign * x) * f(x),
            lambda x: mp.exp(sign * x) * (sign * f(x) + slope(x)),
            lambda x: mp.exp(sign * x) * (f(x) + 2 * sign * slope(x) + curvature(x)))


def hypergeometric(a: Any) -> tuple[Truth, Truth, Truth]:
    def derivative(n: int) -> Truth:
        factor = mp.pi / 2 * mp.rf(a, n) * mp.rf(HALF, n) / mp.factorial(n)
        return lambda m: factor * mp.hyp2f1(a + n, HALF + n, 1 + n, m)

    return derivative(0), derivative(1), derivative(2)


def lambert(k: int) -> tuple[Truth, Truth, Truth]:
    def w(x: Any) -> Any:
        return mp.lambertw(x, k).real

    return (w, lambda x: 1 / (mp.exp(w(x)) * (1 + w(x))),
            lambda x: -mp.exp(-2 * w(x)) * (2 + w(x)) / (1 + w(x)) ** 3)


def gamma_slope(a: Any, x: Any) -> Any:
    return mp.power(x, a - 1) * mp.exp(-x) / mp.gamma(a)


def beta_slope(a: Any, b: Any, x: Any) -> Any:
    return mp.power(x, a - 1) * mp.power(1 - x, b - 1) / mp.beta(a, b)


# --- sizes: what an error is relative to ----------------------------------------------------------

def amplitude(v: Any, x: Any, truth: Any) -> Any:
    """Of a wave its amplitude, and what half a unit in the last place of x changes beyond 20."""
    if x <= max(v / 2, HALF):
        return abs(truth)
    return max(abs(truth), abs(mp.besselj(v, x)) if x < v else mp.hypot(
        mp.besselj(v, x), mp.bessely(v, x)) * max(1, x / 20))


def of_order(v: int) -> Callable[..., Any]:
    return lambda x, truth: amplitude(v, x, truth)


def scaled_terms(k: int) -> Callable[..., Any]:
    """The derivative of i0e, for that of i1e passes through 0."""
    return lambda x, truth: max(abs(truth), abs(scaled(OF_I, 0, -1)[k](x)))


def itself(*point: Any) -> Any:
    return abs(point[-1])


def gamma_terms(a: Any, x: Any, truth: Any) -> Any:
    return max(abs(truth), gamma_slope(a, x) * (abs(a - 1) / x + 1))


def beta_terms(a: Any, b: Any, x: Any, truth: Any) -> Any:
    return max(abs(truth), beta_slope(a, b, x) * (abs(a - 1) / x + abs(b - 1) / (1 - x)))


def lower_terms(x: Any, truth: Any) -> Any:
    w = mp.lambertw(x, -1).real
    return max(abs(truth), mp.exp(-2 * w) * (2 + abs(w)) / abs(1 + w) ** 3)


class Case:
    """A row with its truths, and the errors that are allowed of value, slope and curvature.

    Args:
        points: draws an operand tuple.
        truths: of the value and its first two derivatives.
        most: units in the last place, of each.
        size: of (operands, truth), what they are units of; one function for all three, or three.
        by: the operand that the derivatives are by, the last one if it is not given.
        has_value: whether the value is tested here, too.
    """

    def __init__(self, points: Callable[[random.Random], Point], truths: tuple[Truth, ...],
                 most: tuple[float, float, float], *size: Callable[..., Any],
                 by: int = -1, has_value: bool = True) -> None:
        self.points, self.truths, self.most, self.by = points, truths, most, by
        self.orders = (0, 1, 2) if has_value else (1, 2)
        self.size = size * 3 if len(size) == 1 else size or (itself,) * 3


def of_whole(order: int, truths: tuple[Truth, ...], most: float) -> Case:
    def points(rng: random.Random) -> Point:
        return (rng.choice((rng.uniform(0.0, 30.0), sizes(rng, -12.0, 2.5))),)

    def fixed(f: Truth) -> Truth:
        return lambda x: f(order, x)

    return Case(points, tuple(map(fixed, truths)), (most,) * 3,
                of_order(order) if truths in (OF_J, OF_Y) else itself)


def of_two(rng: random.Random) -> Point:
    """Of many sizes, alike and unlike."""
    return 10.0 ** rng.uniform(-3.0, 3.0), 10.0 ** rng.uniform(-3.0, 3.0)


def rise(n: int, a: Any, h: Any) -> Any:
    """What a derivative of digamma grows by from a to a + h."""
    return mp.psi(n, a + h) - mp.psi(n, a)


def log_size(a: Any, b: Any, truth: Any) -> Any:
    """The size of a number that is computed by its logarithm."""
    return abs(truth) * max(1, abs(mp.log(abs(truth))))


def in_the_middle(f: Truth, place: int, order: int) -> Truth:
    """A derivative by a parameter, as a quotient of differences."""
    def truth(*point: Any) -> Any:
        with mp.workdps(95):
            here = list(map(mp.mpf, point))
            here[place] += mp.mpf(10) ** -50  # of a whole order mpmath's functions are limits
            step = mp.mpf(10) ** -22

            def moved(steps: int) -> Any:
                return f(*here[:place], here[place] + steps * step, *here[place + 1:])

            return ((moved(1) - moved(-1)) / (2 * step) if order == 1
                    else (moved(1) - 2 * moved(0) + moved(-1)) / step ** 2)

    return truth


def by_parameter(points: Callable[[random.Random], Point], f: Truth, place: int,
                 most: tuple[float, float], *size: Callable[..., Any]) -> Case:
    truths = tuple(in_the_middle(f, place, order) for order in (1, 2))
    return Case(points, (f, *truths), (0.0, *most), *size, by=place,
                has_value=False)


def lower_or_upper_gamma(a: Any, x: Any) -> Any:
    """P, or P - 1."""
    if x < a:
        return mp.gammainc(a, 0, x, regularized=True)
    return -mp.gammainc(a, x, mp.inf, regularized=True)


def lower_or_upper_beta(a: Any, b: Any, x: Any) -> Any:
    """I, or I - 1."""
    if x * (a + b) < a:
        return mp.betainc(a, b, 0, x, regularized=True)
    return -mp.betainc(b, a, 0, 1 - x, regularized=True)


def gamma_spread(a: Any, x: Any, truth: Any) -> Any:
    """What the second derivative by a is the difference of, but for a factor near 1."""
    share = lower_or_upper_gamma(a, x)
    return max(abs(truth), abs(share) * max((mp.log(x) - mp.psi(0, a)) ** 2, mp.psi(1, a)))


def beta_spread(place: int) -> Callable[..., Any]:
    def size(a: Any, b: Any, x: Any, truth: Any) -> Any:
        own, log_x = (b, mp.log1p(-x)) if place else (a, mp.log(x))
        gap = log_x - mp.psi(0, own) + mp.psi(0, a + b)
        variance = mp.psi(1, own) - mp.psi(1, a + b)
        return max(abs(truth), abs(lower_or_upper_beta(a, b, x)) * max(gap ** 2, variance))

    return size


def beside_k(v: Any, x: Any, truth: Any) -> Any:
    """At v = 0 the derivative of K by v is 0."""
    return max(abs(truth), mp.besselk(v, x) * 1e-25)


def wave(v: Any, x: Any, truth: Any) -> Any:
    return amplitude(v, x, truth)


def cases_of(name: str, points: Callable[[random.Random], Point], f: Truth,
             most: Sequence[tuple[float, float, float]], *size: Callable[..., Any]
             ) -> dict[str, Case]:
    """A row by its last operand, and by those before it for which there are limits.

    Args:
        name: of the row.
        points, size: as a Case has them.
        f: the value.
        most: for each operand that there are derivatives by, the last one first.
    """
    operands = library()[name].parameters
    places = range(len(operands) - 1, len(operands) - 1 - len(most), -1)
    found = {}
    for place, limits in zip(places, most, strict=True):
        label = name if place == places[0] else f"{name} by {operands[place]}"
        truths = tuple(in_the_middle(f, place, order) for order in (1, 2))
        found[label] = Case(points, (f, *truths), limits, *size, by=place,
                            has_value=place == places[0])
    return found


def of_scaled_orders(rng: random.Random) -> Point:
    return of_bessel(rng)[0], sizes(rng, -3.0, 3.0)


def of_angles(rng: random.Random) -> Point:
    return rng.uniform(-1.57, 1.57), rng.choice((rng.uniform(-1.0, 1.0), -sizes(rng, -3.0, 4.0),
                                                 1.0 - sizes(rng, -10.0, 0.0)))


def of_reals(rng: random.Random) -> Point:
    return (rng.choice((-1.0, 1.0)) * rng.choice((rng.uniform(0.0, 8.0), sizes(rng, -6.0, 2.5))),)


def of_waves(rng: random.Random) -> Point:
    return (rng.choice((-1.0, 1.0)) * rng.choice((rng.uniform(0.0, 8.0), sizes(rng, -6.0, 1.7))),)


def phase(x: Any, truth: Any) -> Any:
    """Of a wave of x**2, what a unit in the last place of x changes."""
    return max(abs(truth), min(1, x * x) * max(1, x * x))


def phase_of_slope(x: Any, truth: Any) -> Any:
    return max(abs(truth), abs(x) * phase(x, truth))


def of_hypergeometric(rng: random.Random) -> Point:
    return rng.uniform(0.1, 5.0), rng.uniform(0.1, 5.0), rng.uniform(-5.0, 20.0)


def of_gauss(rng: random.Random) -> Point:
    return (rng.uniform(0.1, 3.0), rng.uniform(0.1, 3.0), rng.uniform(0.1, 5.0),
            rng.uniform(-1.0, 0.9))


def of_zeta(rng: random.Random) -> Point:
    return 1.0 + sizes(rng, -4.0, 1.5), sizes(rng, -1.0, 2.0)


def dawson_terms(x: Any, truth: Any) -> Any:
    return max(abs(truth), 1 / (1 + x * x))


def scaled_sizes(v: Any, x: Any, truth: Any) -> Any:
    """The derivatives of ive pass through 0."""
    return max(abs(truth), mp.exp(-x) * mp.besseli(v, x) * min(1, 1 / x))


def beside_ke(v: Any, x: Any, truth: Any) -> Any:
    return max(abs(truth), mp.exp(x) * mp.besselk(v, x) * 1e-25)


CASES: dict[str, Case] = {
    "dawsn": Case(of_reals, (DAWSON := lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),
                             lambda x: 1 - 2 * x * DAWSON(x),
                             lambda x: -2 * DAWSON(x) - 2 * x * (1 - 2 * x * DAWSON(x))),
                  (20, 12, 60), itself, dawson_terms, lambda x, truth: max(
                      abs(truth), abs(x) / (1 + x ** 4))),
    "fresnel_s": Case(of_waves, (mp.fresnels, lambda x: mp.sin(mp.pi * x * x / 2),
                                 lambda x: mp.pi * x * mp.cos(mp.pi * x * x / 2)),
                      (10, 4, 10), itself, phase, phase_of_slope),
    "fresnel_c": Case(of_waves, (mp.fresnelc, lambda x: mp.cos(mp.pi * x * x / 2),
                                 lambda x: -mp.pi * x * mp.sin(mp.pi * x * x / 2)),
                      (10, 4, 10), itself, phase, phase_of_slope),
    "spence": Case(lambda rng: (abs(of_reals(rng)[0]),),
                   (lambda x: mp.polylog(2, 1 - x).real, lambda x: mp.log(x) / (1 - x),
                    lambda x: (1 / x + mp.log(x) / (1 - x)) / (1 - x)), (8, 4, 6),
                   lambda x, truth: max(abs(truth), abs(x - 1))),
    "exprel": Case(of_reals, (lambda x: mp.expm1(x) / x,
                              lambda x: (mp.exp(x) - mp.expm1(x) / x) / x,
                              lambda x: (mp.exp(x) - 2 * (mp.exp(x) - mp.expm1(x) / x) / x) / x),
                   (5, 8, 8)),
    **cases_of("ive", of_scaled_orders, lambda v, x: mp.exp(-x) * mp.besseli(v, x),
               [(400, 400, 400), (0, 400, 400)], scaled_sizes),
    **cases_of("kve", of_scaled_orders, lambda v, x: mp.exp(x) * mp.besselk(v, x),
               [(250, 250, 250), (0, 400, 400)], beside_ke),
    **cases_of("ellipkinc", of_angles, mp.ellipf, [(10, 100, 150), (0, 200, 400)]),
    **cases_of("ellipeinc", of_angles, mp.ellipe, [(10, 100, 150), (0, 200, 400)]),
    **cases_of("hyp1f1", of_hypergeometric, mp.hyp1f1, [(1000, 1000, 1000)]),
    **cases_of("hyp2f1", of_gauss, mp.hyp2f1, [(3000, 3000, 6000)]),
    **cases_of("zeta", of_zeta, mp.zeta, [(10, 20, 20), (0, 20, 20)]),
    **{f"{letter}v by v": by_parameter(of_bessel, getattr(mp, f"bessel{letter}"), 0, (most, most),
                                       *size)
       for letter, most, size in (("j", 2000, [wave]), ("y", 500, [wave]), ("i", 40, []),
                                  ("k", 400, [beside_k]))},
    **{f"{name} by a": by_parameter(of_gamma, lambda a, x, sign=sign: sign * lower_or_upper_gamma(
        a, x), 0, (2200, 2200), itself, itself, gamma_spread)
       for name, sign in (("gammainc", 1), ("gammaincc", -1))},
    **{f"betainc by {'ab'[place]}": by_parameter(
        of_beta, lower_or_upper_beta, place, (2200, 2200), itself, itself,
        beta_spread(place)) for place in (0, 1)},
    **{f"j{n}": of_whole(n, OF_J, 10) for n in (0, 1)},
    **{f"y{n}": of_whole(n, OF_Y, 15) for n in (0, 1)},
    **{f"i{n}": of_whole(n, OF_I, 12) for n in (0, 1)},
    **{f"k{n}": of_whole(n, OF_K, 10) for n in (0, 1)},
    "jv": Case(of_bessel, OF_J, (800, 800, 1000), amplitude),
    "yv": Case(of_bessel, OF_Y, (250, 250, 250), amplitude),
    "iv": Case(of_bessel, OF_I, (15, 15, 15)),
    "kv": Case(of_bessel, OF_K, (200, 200, 200)),
    **{f"i{n}e": Case(of_scaled, scaled(OF_I, n, -1), (8, 8, 10), itself,
                      *(scaled_terms(k) for k in (1, 2))) for n in (0, 1)},
    **{f"k{n}e": Case(of_scaled, scaled(OF_K, n, 1), (10, 15, 16)) for n in (0, 1)},
    "exp1": Case(of_integrals, (mp.e1, lambda x: -mp.exp(-x) / x,
                                lambda x: mp.exp(-x) * (1 / x + 1 / x**2)), (8, 3, 4)),
    "expi": Case(of_integrals, (mp.ei, lambda x: mp.exp(x) / x,
                                lambda x: mp.exp(x) * (1 / x - 1 / x**2)), (150, 3, 4),
                 lambda x, truth: max(abs(truth), 1), itself,
                 lambda x, truth: mp.exp(x) * (1 / x + 1 / x**2)),
    "expn": Case(lambda rng: (float(rng.randint(0, 20)), *of_integrals(rng)),
                 (mp.expint, lambda n, x: -mp.expint(n - 1, x), lambda n, x: mp.expint(n - 2, x)),
                 (8, 10, 12)),
    "gammainc": Case(of_gamma, (lambda a, x: mp.gammainc(a, 0, x, regularized=True), gamma_slope,
                                lambda a, x: gamma_slope(a, x) * ((a - 1) / x - 1)),
                     (5000, 2200, 2200), itself, itself, gamma_terms),
    "gammaincc": Case(of_gamma, (lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True),
                                 lambda a, x: -gamma_slope(a, x),
                                 lambda a, x: gamma_slope(a, x) * (1 - (a - 1) / x)),
                      (5000, 2200, 2200), itself, itself, gamma_terms),
    "betainc": Case(of_beta, (lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True), beta_slope,
                              lambda a, b, x: beta_slope(a, b, x) * ((a - 1) / x
                                                                     - (b - 1) / (1 - x))),
                    (5000, 2200, 2200), itself, itself, beta_terms),
    "beta": Case(of_two, (mp.beta, lambda a, b: -mp.beta(a, b) * rise(0, a, b),
                          lambda a, b: mp.beta(a, b) * (rise(0, a, b) ** 2 - rise(1, a, b))),
                 (10, 20, 20), log_size, log_size,
                 lambda a, b, truth: mp.beta(a, b) * (rise(0, a, b) ** 2 + mp.psi(1, a)) * max(
                     1, abs(mp.log(mp.beta(a, b)))), by=0),
    "betaln": Case(of_two, (lambda a, b: mp.log(mp.beta(a, b)), lambda a, b: -rise(0, a, b),
                            lambda a, b: -rise(1, a, b)),
                   (10, 10, 10), lambda a, b, truth: max(abs(truth), 1), itself,
                   lambda a, b, truth: mp.psi(1, a), by=0),
    "binom": Case(lambda rng: (sum(pair := of_two(rng)), pair[0]),
                  (mp.binomial, lambda n, k: mp.binomial(n, k) * rise(0, n - k + 1, k),
                   lambda n, k: mp.binomial(n, k) * (rise(0, n - k + 1, k) ** 2
                                                     + rise(1, n - k + 1, k))),
                  (20, 40, 40), log_size, log_size,
                  lambda n, k, truth: mp.binomial(n, k) * (rise(0, n - k + 1, k) ** 2 + mp.psi(
                      1, n - k + 1)) * max(1, mp.log(mp.binomial(n, k))), by=0),
    "factorial": Case(lambda rng: (rng.uniform(-0.9, 150.0),),
                      (lambda x: mp.gamma(x + 1), lambda x: mp.gamma(x + 1) * mp.psi(0, x + 1),
                       lambda x: mp.gamma(x + 1) * (mp.psi(0, x + 1) ** 2 + mp.psi(1, x + 1))),
                      (15, 25, 25), itself, *[
                          lambda x, truth: max(abs(truth), mp.gamma(x + 1))] * 2),
    "lambertw": Case(of_lambert(0), lambert(0), (4, 5, 10)),
    "lambertwm1": Case(of_lambert(-1), lambert(-1), (4, 5, 6), itself, itself, lower_terms),
    "ellipk": Case(of_elliptic, hypergeometric(HALF), (4, 12, 40)),
    "ellipe": Case(of_elliptic, hypergeometric(-HALF), (4, 12, 80)),
}


def derivative(row: Primitive, order: int, by: int = -1) -> Callable[..., Any]:
    f: Callable[..., Any] = row
    for _ in range(order):
        f = grad(f, by % len(row.parameters))
    return f


def row_of(name: str) -> Primitive:
    return library()[name.partition(" ")[0]]


def drawn(name: str, count: int) -> list[Point]:
    rng = random.Random(name)
    return [CASES[name].points(rng) for _ in range(count)]


def size_of_error(name: str, order: int, point: Point, given: float, truth: Any) -> float:
    """Units in the last place."""
    size = CASES[name].size[order](*map(mp.mpf, point), truth)
    off = abs(mp.mpf(given) - truth) / size / EPS
    return float(off) if off == off else math.inf


def errors(name: str, order: int, given: Callable[..., Any], count: int = COUNT
           ) -> Iterator[tuple[float, Point]]:
    """(units in the last place, point), where a derivative is in the middle of the floats."""
    for point in drawn(name, count):
        truth = CASES[name].truths[order](*map(mp.mpf, point))
        if not 1e-290 < abs(truth) < 1e300:
            continue
        try:
            found = given(*point)
        except OverflowError:
            continue  # what it is made of is beyond the floats
        yield size_of_error(name, order, point, found, truth), point


@pytest.mark.parametrize(("name", "order"), [(name, order) for name, case in CASES.items()
                                             for order in case.orders])
def test_it_is_right_to_the_last_places(name: str, order: int) -> None:
    case = CASES[name]
    count = COUNT if 0 in case.orders else COUNT_BY_PARAMETER
    found = list(errors(name, order, derivative(row_of(name), order, case.by), count))
    worst = max(found)
    assert worst[0] <= case.most[order], f"{name} is off by {worst[0]:.3g} at {worst[1]}"
    assert len(found) > count // 3


def test_every_row_that_is_not_hidden_is_tested() -> None:
    tested = {name for name in CASES if " by " not in name}
    assert tested == {row.name for row in library().values() if not row.hidden}


@pytest.mark.parametrize(("name", "rule"), [
    ("ellipe", lambda m: (special.ellipe(m) - special.ellipk(m)) / (2.0 * m)),
    ("gammainc", lambda a, x: exp((a - 1.0) * log(x) - x - gammaln(a)) * (1.0 + 3e-13)),
    ("lambertw", lambda x: 1.0 / (x + exp(special.lambertw(x)))),
    ("j1", lambda x: special.j0(x) - special.j1(x) / x * (1.0 + 2.0 ** -47)),
])
def test_the_test_rejects_rules_that_lose_digits(name: str, rule: Callable[..., Any]) -> None:
    assert max(errors(name, 1, rule, 36))[0] > CASES[name].most[1]


# --- at 0, at poles, at edges ---------------------------------------------------------------------

@pytest.mark.parametrize(("f", "value", "first", "second"), [
    (special.j0, 1.0, 0.0, -0.5), (special.j1, 0.0, 0.5, 0.0),
    (lambda x: special.jv(2, x), 0.0, 0.0, 0.25), (lambda x: special.jv(-1, x), 0.0, -0.5, 0.0),
    (special.i0, 1.0, 0.0, 0.5), (special.i1, 0.0, 0.5, 0.0),
    (lambda x: special.iv(2, x), 0.0, 0.0, 0.25), (lambda x: special.iv(-1, x), 0.0, 0.5, 0.0),
    (special.lambertw, 0.0, 1.0, -2.0), (special.i0e, 1.0, 0.0, 0.0),
    (special.i1e, 0.0, 0.5, 0.0),
    (special.ellipk, math.pi / 2, math.pi / 8, 9 * math.pi / 64),
    (special.ellipe, math.pi / 2, -math.pi / 8, -3 * math.pi / 64),
    (lambda x: special.gammainc(1, x), 0.0, 1.0, -1.0),
    (lambda x: special.gammainc(2, x), 0.0, 0.0, 1.0),
    (lambda x: special.betainc(2, 2, x), 0.0, 0.0, 6.0),
    (lambda x: special.betainc(2, 2, 1.0 - x), 1.0, 0.0, -6.0),
])
def test_at_zero(f: Any, value: float, first: float, second: float) -> None:
    assert (f(0.0), grad(f)(0.0), grad(grad(f))(0.0)) == pytest.approx(
        (value, first, second), rel=1e-15)


def test_waves_and_growth_are_even_or_odd() -> None:
    for f, sign in ((special.j0, 1.0), (special.j1, -1.0), (special.i0, 1.0), (special.i1, -1.0)):
        for order in range(3):
            of = derivative(f, order)
            assert of(-1.7) == sign * (-1.0) ** order * of(1.7)


def test_the_kink_of_i0e() -> None:
    x = Value(0.0)
    assert special.i0e(x).kinks() and grad(special.i0e)(1e-9) == pytest.approx(-1.0, rel=1e-8)
    assert grad(special.i0e)(-1e-9) == pytest.approx(1.0, rel=1e-8)
    assert not special.i1e(x).kinks()
    for number in (1e4, 3.0):
        assert grad(special.i0e)(-number) == -grad(special.i0e)(number)
        assert grad(special.i1e)(-number) == grad(special.i1e)(number)


@pytest.mark.parametrize("row", [special.i0e, special.k1e])
def test_third_derivatives_of_scaled_functions_are_refused(row: Any) -> None:
    with pytest.raises(ValueError, match="higher derivatives are not computed"):
        grad(grad(grad(row)))(2.0)


@pytest.mark.parametrize("v", [-0.3, -1.7, -2.0, -3.5])
def test_negative_orders(v: float) -> None:
    for row, truths in ((special.jv, OF_J), (special.yv, OF_Y), (special.iv, OF_I),
                        (special.kv, OF_K)):
        for x in (0.3, 1.7, 6.0):
            for order, truth in enumerate(truths):
                exact = truth(mp.mpf(v), mp.mpf(x))
                assert derivative(row, order)(v, x) == pytest.approx(float(exact), rel=1e-12)


def test_the_branch_point_of_lamberts_w() -> None:
    end = -math.exp(-1.0)  # a little below -1 / e, whose nearest float it is
    for k in (0, -1):
        assert special.lambertw(end, k) == -1.0
        with pytest.raises(ValueError, match="its derivative: x > -1 / e"):
            grad(lambda x, k=k: special.lambertw(x, k))(end)
        with pytest.raises(ValueError, match="-1 / e"):
            special.lambertw(math.nextafter(end, -1.0), k)
    with pytest.raises(ValueError, match="branches 0 and -1, not on 1"):
        special.lambertw(0.1, 1)
    assert special.lambertw(math.inf) == math.inf and math.isnan(special.lambertw(math.nan))


@pytest.mark.parametrize(("f", "operands", "kind", "says"), [
    (special.y0, (0.0,), ValueError, r"y0 is not defined at \(0\.0\): it needs a finite x > 0"),
    (special.k1, (-1.0,), ValueError, "needs x > 0"),
    (special.jv, (0.5, -1.0), ValueError, "or a whole order v"),
    (special.i0, (1000.0,), OverflowError, "i0 overflows"),
    (special.kv, (5.0, 1e-100), OverflowError, "kv overflows"),
    (special.exp1, (0.0,), ValueError, "needs x > 0"),
    (special.gammainc, (-1.0, 1.0), ValueError, "needs a > 0 and x >= 0"),
    (special.betainc, (1.0, 1.0, 1.5), ValueError, "0 <= x <= 1"),
    (special.ellipk, (1.0,), ValueError, "needs x < 1"),
])
def test_outside_a_domain_the_error_says_what_is_needed(f: Any, operands: Point, kind: Any,
                                                        says: str) -> None:
    with pytest.raises(kind, match=says):
        f(*operands)


@pytest.mark.parametrize("backend", ["python", "numpy", "llvm"])
def test_what_is_written_out_in_what_is_written_out_runs_on_every_back_end(backend: str) -> None:
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    for name in ("beta", "betaln", "binom", "factorial"):
        row = library()[name]
        count = len(row.parameters)
        f = jit(value_and_grad(lambda *xs, row=row: row(*xs), tuple(range(count))), backend=backend)
        for point in ((12.25, 3.5), (40.0, 12.0), (3.0, 1.25)):
            value, slopes = f(*point[:count])
            truth = value_and_grad(lambda *xs, row=row: row(*xs), tuple(range(count)))(
                *point[:count])
            assert (value, *slopes) == pytest.approx((truth[0], *truth[1]), rel=1e-13)
    assert [special.comb(float(n), float(k)) for n, k in ((5, 2), (40, 20), (7, 0), (7, 7))] == [
        math.comb(5, 2), math.comb(40, 20), 1.0, 1.0]
