"""Small programs of our own, of the kinds that textbooks have: plain ``math``, plain NumPy.

Each takes numbers and gives one; none knows of Values.
"""

# ruff: noqa: B007, B905 - as others write them

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .documented import quiet
from .judging import Outcome, judged

PROGRAMS: dict[str, tuple[Callable[..., Any], list[float]]] = {}


def _program(*point: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[function.__name__.replace("_", " ")] = function, [*point]
        return function

    return enter


def outcomes() -> Iterator[Outcome]:
    """What comes of each."""
    from autograd import adopt

    for name, (function, point) in PROGRAMS.items():
        ours = adopt(function)
        with quiet():
            outcome = judged(name, lambda x, f=function: f(*x), lambda x, f=ours: f(*x), point)
        yield outcome


# --- filters and signals --------------------------------------------------------------------------

SIGNAL = (0.2, 1.1, 1.9, 3.2, 3.9, 5.1, 5.8)


@_program(0.1, 0.5)
def exponential_smoothing(a: Any, start: Any) -> Any:
    level = start
    error = 0.0
    for x in SIGNAL:
        error += (x - level) ** 2
        level += a * (x - level)
    return error


@_program(0.4, 0.3, 0.2)
def holt_winters(a: Any, b: Any, trend: Any) -> Any:
    level, error = SIGNAL[0], 0.0
    for x in SIGNAL[1:]:
        ahead = level + trend
        error += abs(x - ahead)
        new = a * x + (1 - a) * ahead
        trend = b * (new - level) + (1 - b) * trend
        level = new
    return error


@_program(0.1, 0.5, 1.2)
def kalman_filter(process: Any, noise: Any, step: Any) -> Any:
    F = np.array([[1.0, step], [0.0, 1.0]])
    H = np.array([[1.0, 0.0]])
    Q = process * np.array([[step**4 / 4, step**3 / 2], [step**3 / 2, step**2]])
    x, P, loss = np.zeros(2), 10.0 * np.eye(2), 0.0
    for z in SIGNAL:
        x, P = F @ x, F @ P @ F.T + Q
        S = (H @ P @ H.T)[0, 0] + noise
        K = (P @ H.T)[:, 0] / S
        r = z - (H @ x)[0]
        x = x + K * r
        P = (np.eye(2) - np.outer(K, H[0])) @ P
        loss += 0.5 * (math.log(2.0 * math.pi * S) + r * r / S)
    return loss


@_program(0.3, 0.2, 1.0, 0.7)
def extended_kalman_filter(process: Any, noise: Any, x0: Any, y0: Any) -> Any:
    x, P = np.array([x0, y0]), np.eye(2)
    for z in (1.3, 1.5, 1.6):
        P = P + process * np.eye(2)
        r = math.hypot(x[0], x[1])
        H = np.array([x[0] / r, x[1] / r])
        S = H @ P @ H + noise
        K = P @ H / S
        x = x + K * (z - r)
        P = P - np.outer(K, H @ P)
    return x[0] + 2.0 * x[1] + np.trace(P)


@_program(0.2, 0.1, 1.0, 1.5)
def unscented_kalman_filter(process: Any, noise: Any, x0: Any, y0: Any) -> Any:
    mean, P = np.array([x0, y0]), np.eye(2)
    for z in (2.0, 2.1):
        P = P + process * np.eye(2)
        root = np.linalg.cholesky(3.0 * P)
        points = [mean] + [mean + root[:, i] for i in range(2)] + [
            mean - root[:, i] for i in range(2)]
        weights = [1.0 / 3.0] + [1.0 / 6.0] * 4
        seen = [math.sqrt(p[0] ** 2 + p[1] ** 2) for p in points]
        average = sum(w * s for w, s in zip(weights, seen))
        S = sum(w * (s - average) ** 2 for w, s in zip(weights, seen)) + noise
        C = sum(w * (p - mean) * (s - average) for w, p, s in zip(weights, points, seen))
        mean = mean + C / S * (z - average)
        P = P - np.outer(C, C) / S
    return mean[0] + 2.0 * mean[1]


@_program(0.3, 1.2)
def butterworth_response(cutoff: Any, frequency: Any) -> Any:
    return -20.0 * math.log10(math.sqrt(1.0 + (frequency / cutoff) ** 8))


@_program(0.25, 0.9)
def biquad(frequency: Any, q: Any) -> Any:
    w = 2.0 * math.pi * frequency
    alpha = math.sin(w) / (2.0 * q)
    b = [(1 - math.cos(w)) / 2, 1 - math.cos(w), (1 - math.cos(w)) / 2]
    a = [1 + alpha, -2 * math.cos(w), 1 - alpha]
    y = np.zeros(len(SIGNAL))
    for n in range(len(SIGNAL)):
        for k in range(3):
            if n >= k:
                y[n] += b[k] / a[0] * SIGNAL[n - k]
                if k:
                    y[n] -= a[k] / a[0] * y[n - k]
    return np.sum(y**2)


@_program(0.7, 1.3)
def goertzel_power(frequency: Any, scale: Any) -> Any:
    s1 = s2 = 0.0
    coefficient = 2.0 * math.cos(frequency)
    for x in SIGNAL:
        s1, s2 = scale * x + coefficient * s1 - s2, s1
    return s1 * s1 + s2 * s2 - coefficient * s1 * s2


# --- mechanics, robots, orbits --------------------------------------------------------------------

@_program(0.3, 0.8, -0.4)
def robot_arm(a: Any, b: Any, c: Any) -> Any:
    def link(angle: Any, length: float) -> Any:
        s, t = math.sin(angle), math.cos(angle)
        return np.array([[t, -s, length * t], [s, t, length * s], [0.0, 0.0, 1.0]])

    pose = link(a, 1.0) @ link(b, 0.8) @ link(c, 0.5)
    return pose[0, 2] + 2.0 * pose[1, 2] + math.atan2(pose[1, 0], pose[0, 0])


@_program(1.1, 0.7)
def inverse_kinematics(x: Any, y: Any) -> Any:
    c = (x * x + y * y - 1.0 - 0.64) / (2.0 * 0.8)
    elbow = math.acos(max(-1.0, min(1.0, c)))
    shoulder = math.atan2(y, x) - math.atan2(0.8 * math.sin(elbow), 1.0 + 0.8 * math.cos(elbow))
    return math.degrees(shoulder) + math.degrees(elbow) / 2.0


@_program(0.2, 0.5, -0.3, 0.4)
def denavit_hartenberg(t1: Any, t2: Any, t3: Any, d: Any) -> Any:
    T = np.eye(4)
    for theta, offset, a, alpha in ((t1, 0.3, 0.0, math.pi / 2), (t2, 0.0, 0.5, 0.0),
                                    (t3, d, 0.2, -math.pi / 2)):
        ct, st, ca, sa = math.cos(theta), math.sin(theta), math.cos(alpha), math.sin(alpha)
        T = T @ np.array([[ct, -st * ca, st * sa, a * ct], [st, ct * ca, -ct * sa, a * st],
                          [0.0, sa, ca, offset], [0.0, 0.0, 0.0, 1.0]])
    return T[0, 3] + 2.0 * T[1, 3] + 3.0 * T[2, 3]


@_program(0.4, -0.2, 0.7)
def quaternion_of_euler_angles(roll: Any, pitch: Any, yaw: Any) -> Any:
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    q = [cr * cp * cy + sr * sp * sy, sr * cp * cy - cr * sp * sy, cr * sp * cy + sr * cp * sy,
         cr * cp * sy - sr * sp * cy]
    return sum((i + 1) * x for i, x in enumerate(q)) / math.sqrt(sum(x * x for x in q))


@_program(0.3, -0.5, 0.9)
def rodrigues_rotation(x: Any, y: Any, z: Any) -> Any:
    w = np.array([x, y, z])
    theta = np.sqrt(np.sum(w**2))
    k = w / theta
    v = np.array([1.0, 2.0, 3.0])
    out = v * np.cos(theta) + np.cross(k, v) * np.sin(theta) + k * (k @ v) * (1 - np.cos(theta))
    return out @ np.array([1.0, -1.0, 0.5])


@_program(0.3, 1.2)
def kepler_equation(e: Any, M: Any) -> Any:
    E = M
    for _ in range(30):
        step = (E - e * math.sin(E) - M) / (1.0 - e * math.cos(E))
        E -= step
        if abs(step) < 1e-14:
            break
    return 2.0 * math.atan2(math.sqrt(1 + e) * math.sin(E / 2), math.sqrt(1 - e) * math.cos(E / 2))


@_program(7000.0, 0.1, 0.9, 0.3, 1.1, 0.5)
def orbital_elements(a: Any, e: Any, i: Any, node: Any, perigee: Any, nu: Any) -> Any:
    p = a * (1 - e**2)
    r = p / (1 + e * math.cos(nu))
    u = perigee + nu
    x = r * (math.cos(node) * math.cos(u) - math.sin(node) * math.sin(u) * math.cos(i))
    y = r * (math.sin(node) * math.cos(u) + math.cos(node) * math.sin(u) * math.cos(i))
    return x + 2.0 * y + 3.0 * r * math.sin(u) * math.sin(i)


@_program(1.0, 0.4, 0.9)
def three_bodies(mass: Any, x: Any, v: Any) -> Any:
    bodies = [[1.0, [0.0, 0.0], [0.0, -0.1]], [mass, [1.0 + x, 0.0], [0.0, v]],
              [0.1, [-1.0, 0.5], [0.3, 0.2]]]
    for _ in range(20):
        for m, p, w in bodies:
            for m2, p2, _ in bodies:
                if p2 is not p:
                    d = [p2[0] - p[0], p2[1] - p[1]]
                    r3 = math.sqrt(d[0] ** 2 + d[1] ** 2 + 0.01) ** 3
                    w[0] += 0.02 * m2 * d[0] / r3
                    w[1] += 0.02 * m2 * d[1] / r3
        for m, p, w in bodies:
            p[0] += 0.02 * w[0]
            p[1] += 0.02 * w[1]
    return bodies[1][1][0] + 2.0 * bodies[2][1][1]


@_program(1.2, 0.1, 9.81)
def damped_pendulum(angle: Any, damping: Any, g: Any) -> Any:
    def f(y: Any) -> Any:
        return np.array([y[1], -damping * y[1] - g * np.sin(y[0])])

    y, h = np.array([angle, 0.0]), 0.05
    for _ in range(10):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return y[0] + 0.1 * y[1]


@_program(30.0, 45.0, 0.02)
def projectile_with_drag(speed: Any, angle: Any, drag: Any) -> Any:
    a = math.radians(angle)
    x, y, vx, vy, dt = 0.0, 0.0, speed * math.cos(a), speed * math.sin(a), 0.02
    while True:
        v = math.hypot(vx, vy)
        vx -= drag * v * vx * dt
        vy -= (9.81 + drag * v * vy) * dt
        new_x, new_y = x + vx * dt, y + vy * dt
        if new_y < 0.0:
            share = y / (y - new_y)
            return x + share * (new_x - x)
        x, y = new_x, new_y


@_program(50.0, 8.0, 48.9, 2.35)
def haversine(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
    p1, p2 = math.radians(lat1), math.radians(lat2)
    h = (math.sin((p2 - p1) / 2) ** 2
         + math.cos(p1) * math.cos(p2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2)
    return 2.0 * 6371.0 * math.asin(math.sqrt(h))


@_program(2460000.3, 51.5, -0.1)
def solar_elevation(day: Any, latitude: Any, longitude: Any) -> Any:
    n = day - 2451545.0
    mean = (280.46 + 0.9856474 * n) % 360.0
    anomaly = math.radians((357.528 + 0.9856003 * n) % 360.0)
    ecliptic = math.radians(mean + 1.915 * math.sin(anomaly) + 0.02 * math.sin(2 * anomaly))
    declination = math.asin(math.sin(math.radians(23.439)) * math.sin(ecliptic))
    hour = math.radians((day % 1.0) * 360.0 - 180.0 + longitude)
    lat = math.radians(latitude)
    return math.degrees(math.asin(math.sin(lat) * math.sin(declination)
                                  + math.cos(lat) * math.cos(declination) * math.cos(hour)))


# --- statistics and learning ----------------------------------------------------------------------

X = np.array([[0.1, 1.2], [1.4, -0.3], [-0.7, 0.8], [0.9, 0.4], [-1.1, -0.6]])
LABELS = np.array([1.0, 0.0, 1.0, 0.0, 1.0])


@_program(0.2, -0.3, 0.1)
def logistic_regression(a: Any, b: Any, c: Any) -> Any:
    w = np.array([a, b])
    p = 1.0 / (1.0 + np.exp(-(X @ w + c)))
    return -np.mean(LABELS * np.log(p) + (1 - LABELS) * np.log(1 - p)) + 0.01 * np.sum(w**2)


@_program(0.5, -0.2, 0.3, 0.8, 0.1, -0.4)
def softmax_regression(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
    z = X @ np.array([[a, b, c], [d, e, f]])
    z = z - np.max(z, axis=1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    return -np.sum(log_p[np.arange(5), [0, 2, 1, 0, 2]])


@_program(0.4, 0.3, -0.5, 1.1, 0.9)
def gaussian_mixture(alpha: Any, m1: Any, m2: Any, s1: Any, s2: Any) -> Any:
    total = 0.0
    for x in SIGNAL:
        terms = [math.log(w) - math.log(s) - 0.5 * ((x - m) / s) ** 2 for w, m, s in (
            (alpha, m1, s1), (1.0 - alpha, m2, s2))]
        largest = max(terms)
        total += largest + math.log(sum(math.exp(t - largest) for t in terms))
    return total


@_program(0.3, 0.2, 0.7, 1.1)
def hidden_markov_model(stay: Any, switch: Any, low: Any, high: Any) -> Any:
    T = np.array([[1.0 - stay, stay], [switch, 1.0 - switch]])
    alpha = np.array([0.5, 0.5])
    loss = 0.0
    for x in SIGNAL:
        alpha = (alpha @ T) * np.exp(-0.5 * (x - np.array([low, high])) ** 2)
        scale = np.sum(alpha)
        loss += np.log(scale)
        alpha = alpha / scale
    return loss


@_program(1.0, 0.5, 0.1)
def gaussian_process(length: Any, amplitude: Any, noise: Any) -> Any:
    t = np.arange(len(SIGNAL)) / 2.0
    K = amplitude**2 * np.exp(-0.5 * (t[:, None] - t[None, :]) ** 2 / length**2)
    L = np.linalg.cholesky(K + noise * np.eye(len(t)))
    y = np.linalg.solve(L, np.array(SIGNAL))
    return 0.5 * y @ y + np.sum(np.log(np.diag(L)))


@_program(0.3, -0.2, 0.5, 0.7)
def lstm_cell(a: Any, b: Any, c: Any, d: Any) -> Any:
    def sigmoid(x: Any) -> Any:
        return 1.0 / (1.0 + math.exp(-x))

    h = state = 0.0
    for x in SIGNAL:
        forget, write, out = sigmoid(a * x + h), sigmoid(b * x - h), sigmoid(c * x + 0.5 * h)
        state = forget * state + write * math.tanh(d * x + h)
        h = out * math.tanh(state)
    return h + state


@_program(0.2, 0.4, -0.3, 0.6)
def convolution_and_pooling(a: Any, b: Any, c: Any, d: Any) -> Any:
    kernel = np.array([[a, b], [c, d]])
    image = np.sin(np.arange(25.0)).reshape(5, 5)
    out = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            out[i, j] = np.sum(image[i:i + 2, j:j + 2] * kernel)
    out = np.maximum(out, 0.0)
    return np.sum(out.reshape(2, 2, 2, 2).max(axis=(1, 3)) ** 2)


@_program(0.3, 0.5, -0.2)
def attention(a: Any, b: Any, c: Any) -> Any:
    W = np.array([[a, b], [c, 1.0]])
    q, k = X @ W, X @ W.T
    scores = q @ k.T / math.sqrt(2.0)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed = weights @ X
    normal = (mixed - mixed.mean(axis=-1, keepdims=True)) / np.sqrt(mixed.var(
        axis=-1, keepdims=True) + 1e-3)
    return np.sum(normal * np.cos(np.arange(10.0).reshape(5, 2)))


@_program(0.9, 0.1, 0.5)
def soft_dynamic_time_warping(gamma: Any, shift: Any, scale: Any) -> Any:
    other = [shift + scale * x for x in (0.0, 1.0, 2.5, 4.0)]
    n, m = len(SIGNAL), len(other)
    D = [[math.inf] * (m + 1) for _ in range(n + 1)]
    D[0][0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            before = [x for x in (D[i - 1][j], D[i][j - 1], D[i - 1][j - 1]) if x != math.inf]
            least = min(before)
            soft = least - gamma * math.log(sum(math.exp((least - x) / gamma) for x in before))
            D[i][j] = (SIGNAL[i - 1] - other[j - 1]) ** 2 + soft
    return D[n][m]


@_program(0.3, 0.8)
def k_means_distortion(x: Any, y: Any) -> Any:
    centres = np.array([[x, y], [-1.0, 0.2]])
    distances = np.sum((X[:, None, :] - centres[None]) ** 2, axis=2)
    return np.sum(np.min(distances, axis=1))


@_program(1.5, 0.7, 0.4)
def poisson_regression(a: Any, b: Any, c: Any) -> Any:
    total = 0.0
    for (u, v), k in zip(X.tolist(), (1, 0, 3, 2, 1)):
        rate = math.exp(a + b * u + c * v)
        total += rate - k * math.log(rate) + math.lgamma(k + 1)
    return total


@_program(2.0, 3.0, 0.35)
def beta_distribution(a: Any, b: Any, x: Any) -> Any:
    return (math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + (a - 1) * math.log(x)
            + (b - 1) * math.log1p(-x))


# --- finance --------------------------------------------------------------------------------------

@_program(100.0, 105.0, 0.03, 0.2, 0.5)
def black_scholes(spot: Any, strike: Any, rate: Any, sigma: Any, years: Any) -> Any:
    d1 = (math.log(spot / strike) + (rate + sigma**2 / 2) * years) / (sigma * math.sqrt(years))
    d2 = d1 - sigma * math.sqrt(years)
    normal = [0.5 * math.erfc(-d / math.sqrt(2.0)) for d in (d1, d2)]
    return spot * normal[0] - strike * math.exp(-rate * years) * normal[1]


@_program(100.0, 103.0, 0.03, 0.25)
def american_put(spot: Any, strike: Any, rate: Any, sigma: Any) -> Any:
    n, dt = 12, 1.0 / 12
    up = math.exp(sigma * math.sqrt(dt))
    p = (math.exp(rate * dt) - 1 / up) / (up - 1 / up)
    values = [max(strike - spot * up ** (2 * j - n), 0.0) for j in range(n + 1)]
    for i in range(n - 1, -1, -1):
        values = [max(strike - spot * up ** (2 * j - i),
                      math.exp(-rate * dt) * (p * values[j + 1] + (1 - p) * values[j]))
                  for j in range(i + 1)]
    return values[0]


@_program(0.05, 100.0)
def bond_duration(rate: Any, face: Any) -> Any:
    flows = [face * 0.04] * 9 + [face * 1.04]
    worth = [c / (1 + rate) ** (k + 1) for k, c in enumerate(flows)]
    return sum((k + 1) * w for k, w in enumerate(worth)) / sum(worth) + 0.01 * sum(worth)


@_program(950.0, 40.0)
def yield_to_maturity(price: Any, coupon: Any) -> Any:
    y = 0.05
    for _ in range(50):
        f = sum(coupon / (1 + y) ** k for k in range(1, 6)) + 1000.0 / (1 + y) ** 5 - price
        slope = sum(-k * coupon / (1 + y) ** (k + 1) for k in range(1, 6)) - 5000.0 / (1 + y) ** 6
        y, before = y - f / slope, y
        if abs(y - before) < 1e-13:
            break
    return y


# --- numerical methods ----------------------------------------------------------------------------

@_program(2.0, 0.5)
def newton_root(a: Any, b: Any) -> Any:
    x = 1.0
    for _ in range(40):
        x = x - (x**3 + b * x - a) / (3 * x**2 + b)
    return x


@_program(2.5)
def arithmetic_geometric_mean(x: Any) -> Any:
    a, g = 1.0, x
    while abs(a - g) > 1e-15 * abs(a):
        a, g = (a + g) / 2, math.sqrt(a * g)
    return a


@_program(0.7, 1.9)
def simpson_integral(low: Any, high: Any) -> Any:
    n = 20
    h = (high - low) / n
    total = math.exp(-low * low) + math.exp(-high * high)
    for i in range(1, n):
        x = low + i * h
        total += (4 if i % 2 else 2) * math.exp(-x * x)
    return total * h / 3


@_program(0.4, 1.3, 0.9)
def natural_cubic_spline(y1: Any, y2: Any, x: Any) -> Any:
    y = [0.0, y1, y2, 0.5]
    a, b = np.array([[4.0, 1.0], [1.0, 4.0]]), np.array([6 * (y[0] - 2 * y[1] + y[2]),
                                                         6 * (y[1] - 2 * y[2] + y[3])])
    m = [0.0, *np.linalg.solve(a, b), 0.0]
    i = min(int(x), 2)
    t = x - i
    return ((1 - t) * y[i] + t * y[i + 1]
            + ((1 - t) ** 3 - (1 - t)) * m[i] / 6 + (t**3 - t) * m[i + 1] / 6)


@_program(0.3, 2.0)
def heat_equation(diffusion: Any, source: Any) -> Any:
    u = np.zeros(8)
    u[3] = source
    for _ in range(10):
        inner = u[1:-1] + diffusion * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = np.concatenate([[0.0], inner, [0.0]])
    return np.sum(u * np.arange(8))


@_program(1.0, 2.0, 3.0)
def finite_elements(k1: Any, k2: Any, load: Any) -> Any:
    K = np.zeros((4, 4))
    for e, k in enumerate((k1, k2, k1 * k2)):
        K[e:e + 2, e:e + 2] += k * np.array([[1.0, -1.0], [-1.0, 1.0]])
    u = np.linalg.solve(K[1:, 1:], np.array([0.0, load, 1.0]))
    return u @ u


@_program(1.4, 0.3)
def henon_map(a: Any, b: Any) -> Any:
    x = y = 0.1
    for _ in range(8):
        x, y = 1 - a * x * x + y, b * x
    return x + y


@_program(10.0, 28.0, 2.6)
def lorenz_attractor(sigma: Any, rho: Any, beta: Any) -> Any:
    x, y, z = 1.0, 1.0, 1.0
    for _ in range(30):
        x, y, z = (x + 0.01 * sigma * (y - x), y + 0.01 * (x * (rho - z) - y),
                   z + 0.01 * (x * y - beta * z))
    return x + 2 * y + 3 * z


@_program(0.6, 0.02, 0.5)
def predator_and_prey(a: Any, b: Any, c: Any) -> Any:
    state = {"hare": 30.0, "lynx": 4.0}
    for _ in range(25):
        hare, lynx = state["hare"], state["lynx"]
        state["hare"] += 0.05 * (a * hare - b * hare * lynx)
        state["lynx"] += 0.05 * (0.01 * hare * lynx - c * lynx)
    return state["hare"] + 3.0 * state["lynx"]


@_program(0.4, 0.1)
def epidemic(beta: Any, gamma: Any) -> Any:
    s, i, peak = 0.99, 0.01, 0.0
    for _ in range(60):
        new, gone = beta * s * i, gamma * i
        s, i = s - new, i + new - gone
        peak = max(peak, i)
    return peak + s


@_program(1.2, 0.4)
def power_method(a: Any, b: Any) -> Any:
    A = np.array([[2.0 + a, b], [b, 1.0]])
    v = np.array([1.0, 1.0])
    for _ in range(60):
        v = A @ v
        v = v / np.linalg.norm(v)
    return v @ A @ v


@_program(1.3, 0.2, 0.4)
def gram_schmidt(a: Any, b: Any, c: Any) -> Any:
    vectors = [np.array([a, b, 1.0]), np.array([c, 2.0, 0.3]), np.array([0.1, a, c])]
    basis: list[Any] = []
    for v in vectors:
        w = v - sum((v @ e) * e for e in basis) if basis else v
        basis.append(w / np.sqrt(w @ w))
    return sum((i + 1) * e @ np.array([1.0, 2.0, 3.0]) for i, e in enumerate(basis))


@_program(2.0, -1.0, 0.5)
def conjugate_gradients(a: Any, b: Any, c: Any) -> Any:
    A = np.array([[4.0 + a, 1.0, c], [1.0, 3.0, 0.2], [c, 0.2, 2.0]])
    x, r = np.zeros(3), np.array([1.0, b, 2.0])
    p = r
    for _ in range(3):
        step = (r @ r) / (p @ A @ p)
        x = x + step * p
        new = r - step * (A @ p)
        p = new + (new @ new) / (r @ r) * p
        r = new
    return x @ np.array([1.0, 2.0, 3.0])


@_program(0.3, 1.2, -0.7)
def determinant_by_rows(a: Any, b: Any, c: Any) -> Any:
    m = [[2.0, a, 1.0], [b, 3.0, c], [1.0, a * b, 4.0]]
    det = 1.0
    for i in range(3):
        pivot = max(range(i, 3), key=lambda k: abs(m[k][i]))
        if pivot != i:
            m[i], m[pivot] = m[pivot], m[i]
            det = -det
        det *= m[i][i]
        for k in range(i + 1, 3):
            factor = m[k][i] / m[i][i]
            m[k] = [x - factor * y for x, y in zip(m[k], m[i])]
    return det


@_program(0.8, 2.3)
def continued_fraction(x: Any, a: Any) -> Any:
    value = 0.0
    for k in range(12, 0, -1):
        value = k * x / (a + k + value)
    return value


@_program(0.7)
def horner_and_clenshaw(x: Any) -> Any:
    b1 = b2 = 0.0
    for c in (0.3, -0.2, 0.5, 0.7):
        b1, b2 = c + 2 * x * b1 - b2, b1
    value = 0.0
    for c in (1.0, -2.0, 0.5):
        value = value * x + c
    return value + b1 - x * b2


@_program(1.5, 0.3)
def bilinear_table(x: Any, y: Any) -> Any:
    table = [[0.0, 1.0, 4.0], [2.0, 2.5, 3.0], [1.0, 0.0, 5.0]]
    i, j = math.floor(x), math.floor(y)
    u, v = x - i, y - j
    return ((1 - u) * (1 - v) * table[i][j] + u * (1 - v) * table[i + 1][j]
            + (1 - u) * v * table[i][j + 1] + u * v * table[i + 1][j + 1])


@_program(370.5, -30.2)
def angles_in_a_circle(a: Any, b: Any) -> Any:
    turned = (a - b + 180.0) % 360.0 - 180.0
    whole, rest = divmod(a, 90.0)
    return turned + math.fmod(b, 7.0) + rest + whole + math.copysign(a, b) + math.remainder(a, 50.0)


@_program(600.0, 0.02, 1e-5)
def colebrook_friction(reynolds: Any, diameter: Any, roughness: Any) -> Any:
    if reynolds < 2300.0:
        return 64.0 / reynolds + roughness / diameter
    f = 0.02
    for _ in range(40):
        f = (-2.0 * math.log10(roughness / diameter / 3.7 + 2.51 / (reynolds * math.sqrt(f)))) ** -2
    return f


@_program(350.0, 1.2e5)
def van_der_waals(T: Any, P: Any) -> Any:
    a, b, R = 0.364, 4.27e-5, 8.314
    V = R * T / P
    for _ in range(50):
        f = P - R * T / (V - b) + a / V**2
        V -= f / (R * T / (V - b) ** 2 - 2 * a / V**3)
    return V


@_program(80.0, 30.0)
def antoine_and_raoult(T: Any, share: Any) -> Any:
    def pressure(a: float, b: float, c: float) -> Any:
        return 10 ** (a - b / (c + T))

    x = share / 100.0
    first, second = pressure(6.9, 1211.0, 220.8), pressure(6.95, 1344.8, 219.5)
    total = x * first + (1 - x) * second
    return x * first / total + math.log(total)


@_program(0.4, 0.7, 0.2)
def bundle_adjustment(x: Any, y: Any, focal: Any) -> Any:
    rotation, error = np.array([0.1, x, y]), 0.0
    angle = np.sqrt(rotation @ rotation)
    axis = rotation / angle
    for point, seen in zip(np.array([[0.2, 0.1, 2.0], [1.0, -0.4, 3.0]]), X):
        turned = point * np.cos(angle) + np.cross(axis, point) * np.sin(angle) + axis * (
            axis @ point) * (1 - np.cos(angle))
        flat = turned[:2] / turned[2]
        r2 = flat @ flat
        error += np.sum((focal * (1 + 0.1 * r2 + 0.01 * r2**2) * flat - seen) ** 2)
    return error
