"""Multivariate loops in Numba from their sufficient statistics: normals in lanes, then chain by chain."""

import numpy as np
from _lanes import LANES, TINY, F, U, W, cosine, draw, fast, radius, sine
from numba import njit


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"})
def normals(state, found):
    """Fill rows of `LANES` normals, two at a time; the number of rows is even."""
    for k in range(0, found.shape[0], 2):
        for i in range(LANES):
            r, t = radius(draw(state, i)), F(W(draw(state, i))) * TINY
            found[k, i], found[k + 1, i] = r * cosine(t), r * sine(t)


@fast
def chi_square(df, rng, stock, at):
    """Of df > 1 degrees of freedom, and where the stock of normals is read on; Marsaglia and Tsang."""
    d = F(df / 2 - 1 / 3)
    c = F(1 / np.sqrt(9 * d))
    while True:
        if at + 2 > len(stock):
            at = 0
        x, u = stock[at], F(rng.random())
        at += 1
        v = 1 + c * x
        cube = v * v * v
        if v > 0 and (
            u < 1 - F(0.0331) * x * x * x * x or np.log(u) < F(0.5) * x * x + d * (1 - cube + np.log(max(cube, TINY)))
        ):
            return 2 * d * cube, at


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"})
def wishart_chains(rng, state, d, M, generations, history, last):
    """Sigma = L L', L <- L T/sqrt(M), mu <- mu + L z/sqrt(M), T row by row."""
    needed = 2 * d + d * (d + 1) // 2 + d
    rows = -(-2 * needed // LANES // 2) * 2 + 2
    buffer, spare = np.empty((rows, LANES), F), np.empty((2, LANES), F)
    stock, extra, scale = buffer.ravel(), spare.ravel(), F(1 / np.sqrt(M))
    L, T, mu = np.empty((d, d), F), np.zeros((d, d), F), np.empty(d, F)
    row, at, more = np.empty(d, F), rows * LANES, 2 * LANES
    for chain in range(len(last)):
        L[:], mu[:] = F(0), F(0)
        for i in range(d):
            L[i, i] = F(1)
        for n in range(generations):
            if at + needed > len(stock):
                normals(state, buffer)
                at = 0
            if more + 4 * d > len(extra):
                normals(state, spare)
                more = 0
            for i in range(d):
                total = F(0)
                for k in range(i + 1):
                    total += L[i, k] * stock[at + k]
                mu[i] += scale * total
            at += d
            for i in range(d):
                for j in range(i):
                    T[i, j] = stock[at + j] * scale
                at += i
                square, more = chi_square(F(M - 1 - i), rng, extra, more)
                T[i, i] = np.sqrt(square) * scale
            trace, product, log_det = F(0), F(1), 0.0
            for i in range(d):
                row[: i + 1] = F(0)
                for k in range(i + 1):
                    weight = L[i, k]
                    for j in range(k + 1):
                        row[j] += weight * T[k, j]
                for j in range(i + 1):
                    L[i, j] = row[j]
                    trace += row[j] * row[j]
                product *= row[i]
                if i % 8 == 7 or i == d - 1:
                    log_det += 2 * np.log(product)
                    product = F(1)
            history[n, 0] += mu[0]
            history[n, 1] += trace
            history[n, 2] += log_det
            last[chain] = log_det


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"})
def student_chains(rng, state, d, M, generations, history, last):
    """w <- w + z/chi, chi^2 ~ chi-square(M - d + 1)."""
    buffer = np.empty((8, LANES), F)
    stock, w, at = buffer.ravel(), np.empty(d, F), 8 * LANES
    for chain in range(len(last)):
        w[:], w[0] = F(0), F(1)
        for n in range(generations):
            if at + d + 8 > len(stock):
                normals(state, buffer)
                at = 0
            square, at = chi_square(F(M - d + 1), rng, stock, at)
            scale, squares = 1 / np.sqrt(square), F(0)
            for j in range(d):
                w[j] += stock[at + j] * scale
                squares += w[j] * w[j]
            at += d
            history[n, 0] += w[0]
            history[n, 1] += squares
            last[chain] = squares


def wishart(seed: int, chains: int, d: int, M: int, generations: int) -> np.ndarray:
    """Log det of all chains at the last generation."""
    history, last = np.zeros((generations, 3)), np.empty(chains)
    wishart_chains(*_random(seed), d, M, generations, history, last)
    return last


def student(seed: int, chains: int, d: int, M: int, generations: int) -> np.ndarray:
    """|w|^2 of all chains at the last generation."""
    history, last = np.zeros((generations, 2)), np.empty(chains)
    student_chains(*_random(seed), d, M, generations, history, last)
    return last


def _random(seed: int) -> tuple[np.random.Generator, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng, rng.integers(0, 2**32, (4, LANES), U)
