"""Expectation maximisation in Numba, one chain after the other."""

import numpy as np
from numba import njit


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"})
def climb(x, parts, steps, floor):
    """EM of two components: the chance of the second is 1/(1 + exp(a + b x + c x^2)), one exponential a point."""
    for _ in range(steps):
        (w0, w1), (m0, m1), (v0, v1) = parts
        b, c = m0 / v0 - m1 / v1, (1 / v1 - 1 / v0) / 2
        a = np.log(w0 / w1) + np.log(v1 / v0) / 2 + (m1 * m1 / v1 - m0 * m0 / v0) / 2
        total, first, second, all1, all2 = 0.0, 0.0, 0.0, 0.0, 0.0
        for point in x:
            chance = 1 / (1 + np.exp(a + point * (b + point * c)))
            total += chance
            first += chance * point
            second += chance * point * point
            all1 += point
            all2 += point * point
        others = len(x) - total
        m1, m0 = first / total, (all1 - first) / others
        parts[0, 0], parts[0, 1], parts[1, 0], parts[1, 1] = others / len(x), total / len(x), m0, m1
        parts[2, 0] = (all2 - second) / others - m0 * m0 + floor
        parts[2, 1] = second / total - m1 * m1 + floor


@njit
def chains(rng, start, M, generations, steps, floor, history, last):
    """Every chain: draw, climb, record."""
    x = np.empty(M)
    for chain in range(len(last)):
        parts = start.copy()
        for n in range(generations):
            roots = np.sqrt(parts[2])
            for k in range(M):
                j = 1 if rng.random() >= parts[0, 0] else 0
                x[k] = parts[1, j] + roots[j] * rng.standard_normal()
            climb(x, parts, steps, floor)
            w, m, v = parts
            mu = w[0] * m[0] + w[1] * m[1]
            V = w[0] * (v[0] + m[0] * m[0]) + w[1] * (v[1] + m[1] * m[1]) - mu * mu
            history[n, 0] += mu
            history[n, 1] += V
            last[chain] = V


def mixtures(
    seed: int, count: int, start: np.ndarray, M: int, generations: int, steps: int, floor: float
) -> np.ndarray:
    """The variance of a point, of all chains at the last generation."""
    history, last = np.zeros((generations, 2)), np.empty(count)
    chains(np.random.default_rng(seed), start, M, generations, steps, floor, history, last)
    return last
