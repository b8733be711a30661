"""The Gaussian loop in Numba, vectorised by hand, as fast as it could be made.

xoshiro128+ in lanes, Box and Muller with polynomials for the logarithm, sine and cosine, and Marsaglia and Tsang's
gamma whose first try is free of branches.

D. Blackman, S. Vigna, Scrambled linear pseudorandom number generators, ACM Trans. Math. Softw. 47 (2021).
G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, ACM Trans. Math. Softw. 26 (2000).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.polynomial import Chebyshev, Polynomial

LANES = 1024
F, U, W = np.float32, np.uint32, np.int32
ONE, HALF, TINY, LOG2 = F(1), F(0.5), F(2**-32), F(np.log(2))


def _polynomial(f: Callable[[Any], Any], top: float, degree: int) -> tuple[np.float32, ...]:
    """Coefficients of Chebyshev's interpolation on [0, top], lowest first."""
    found = Chebyshev.interpolate(f, degree, domain=[0, top])
    return tuple(map(F, found.convert(kind=Polynomial, domain=[-1, 1], window=[-1, 1]).coef))


def _turn(y: np.ndarray) -> np.ndarray:
    return 2 * np.pi * np.sqrt(np.maximum(y, 1e-12))


L0, L1, L2, L3, L4, L5, L6, L7, L8, L9 = _polynomial(np.log1p, 1, 9)
S0, S1, S2, S3, S4, S5, S6 = _polynomial(lambda y: 2 * np.pi * np.sinc(_turn(y) / np.pi), 0.25, 6)
C0, C1, C2, C3, C4, C5, C6 = _polynomial(lambda y: np.cos(_turn(y)), 0.25, 6)
fast = njit(fastmath={"contract", "reassoc", "nsz", "arcp"}, inline="always")


@fast
def log(u):
    """Of u > 0, as exponent and mantissa."""
    bits = F(u).view(U)
    m = U((bits & U(0x7FFFFF)) | U(0x3F800000)).view(F) - ONE
    high = L4 + m * (L5 + m * (L6 + m * (L7 + m * (L8 + m * L9))))
    return F(W(bits >> U(23)) - W(127)) * LOG2 + (L0 + m * (L1 + m * (L2 + m * (L3 + m * high))))


@fast
def cosine(t):
    """Of 2 pi t, |t| <= 1/2."""
    y = t * t
    return C0 + y * (C1 + y * (C2 + y * (C3 + y * (C4 + y * (C5 + y * C6)))))


@fast
def sine(t):
    """Of 2 pi t, |t| <= 1/2."""
    y = t * t
    return t * (S0 + y * (S1 + y * (S2 + y * (S3 + y * (S4 + y * (S5 + y * S6))))))


@fast
def radius(word):
    """sqrt(-2 log u), u uniform on (0, 1)."""
    return np.sqrt(max(F(-2) * log((F(word) + HALF) * TINY), F(0)))


@fast
def draw(state, i):
    """The next word of lane i: xoshiro128+."""
    a, b, c, d = state[0, i], state[1, i], state[2, i], state[3, i]
    c, d = c ^ a, d ^ b
    state[1, i], state[0, i] = b ^ c, a ^ d
    state[2, i], state[3, i] = c ^ U(b << U(9)), U(d << U(11)) | (d >> U(21))
    return U(a + (d ^ b))


@fast
def again(state, i, x, word, d, c):
    """Marsaglia and Tsang from a first try on, one lane at a time: v^3, d v^3 is Gamma(d + 1/3)."""
    while True:
        v = ONE + c * x
        cube = v * v * v
        if v > 0 and np.log((F(word) + HALF) * TINY) < HALF * x * x + d * (ONE - cube + np.log(cube)):
            return cube
        x = radius(draw(state, i)) * cosine(F(W(draw(state, i))) * TINY)
        word = draw(state, i)


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"})
def refit(state, mu, V, x, words, taken, M):
    """Advance all lanes by one generation."""
    d = F((M - 1) / 2 - 1 / 3)
    c, scale, share = F(1 / np.sqrt(9 * d)), F(2 * d / M), F(1 / np.sqrt(M))
    for k in range(3):
        for i in range(LANES):
            words[k, i] = draw(state, i)
    for i in range(LANES):
        r, t = radius(words[0, i]), F(W(words[1, i])) * TINY
        mu[i] += np.sqrt(V[i]) * share * r * cosine(t)
        y = r * sine(t)
        v = ONE + c * y
        good = (F(words[2, i]) * TINY < ONE - F(0.0331) * y * y * y * y) & (v > 0)
        x[i], taken[i] = y, good
        V[i] *= scale * v * v * v if good else ONE
    for i in range(LANES):
        if not taken[i]:
            V[i] *= scale * again(state, i, x[i], words[2, i], d, c)


@njit(fastmath={"contract", "reassoc", "nsz", "arcp"})
def chunk(state, mu, V, M, generations, history):
    """Advance all lanes by many generations, and add up what is recorded."""
    x, words, taken = np.empty(LANES, F), np.empty((3, LANES), U), np.empty(LANES, np.uint8)
    for n in range(generations):
        refit(state, mu, V, x, words, taken, M)
        first, second, third, fourth, fifth, sixth = F(0), F(0), F(0), F(0), F(0), F(0)
        for i in range(LANES):
            y = log(V[i])
            first, second = first + mu[i], second + mu[i] * mu[i]
            third, fourth = third + V[i], fourth + V[i] * V[i]
            fifth, sixth = fifth + y, sixth + y * y
        history[n, 0] += first
        history[n, 1] += second
        history[n, 2] += third
        history[n, 3] += fourth
        history[n, 4] += fifth
        history[n, 5] += sixth


def advanced(seed: int, chains: int, M: int, generations: int) -> np.ndarray:
    """V of all chains at the last generation."""
    state = np.random.default_rng(seed).integers(0, 2**32, (4, LANES), U)
    history, last = np.zeros((generations, 6)), []
    for _ in range(chains // LANES):
        mu, V = np.zeros(LANES, F), np.ones(LANES, F)
        chunk(state, mu, V, float(M), generations, history)
        last.append(V)
    return np.concatenate(last)
