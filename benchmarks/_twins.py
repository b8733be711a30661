"""Loops in Numba with the same tricks as the engine, written plainly: one chain after the other, few allocations."""

from typing import Any

import numpy as np
from numba import njit

U = np.uint32
WIDE = 32
"""Streams of random words that advance together."""


@njit
def fill(state, words):
    """Fill a whole number of rows of `WIDE` words, xoshiro128+ in every column."""
    for k in range(0, len(words), WIDE):
        for i in range(WIDE):
            a, b, c, d = state[0, i], state[1, i], state[2, i], state[3, i]
            words[k + i] = U(a + d)
            c, d = c ^ a, d ^ b
            state[1, i], state[0, i] = b ^ c, a ^ d
            state[2, i], state[3, i] = c ^ U(b << U(9)), U(d << U(11)) | (d >> U(21))


@njit
def by_token(state, alias, M, generations, history):
    """Copy M tokens one by one; types are numbered anew as they come. Returns sum_i p_i^2."""
    limits, others = alias
    types, known = len(limits), 0
    number, counts = np.full(types, -1, np.int32), np.zeros(min(M, types), np.int32)
    tokens, copies = np.empty(M, np.int32), np.empty(M, np.int32)
    words = np.empty(-(-2 * M // WIDE) * WIDE, U)
    fill(state, words)
    for k in range(M):
        kind = np.int64((np.uint64(words[k]) * np.uint64(types)) >> np.uint64(32))
        kind = kind if words[M + k] < limits[kind] else np.int64(others[kind])
        if number[kind] < 0:
            number[kind], known = known, known + 1
        tokens[k] = number[kind]
        counts[number[kind]] += 1
    collision = recorded(counts[:known], M, history[0])
    for n in range(1, generations):
        fill(state, words[: len(words) // 2 // WIDE * WIDE + WIDE])
        counts[:known] = 0
        for k in range(M):
            copies[k] = tokens[(np.uint64(words[k]) * np.uint64(M)) >> np.uint64(32)]
        for k in range(M):
            counts[copies[k]] += 1
        tokens, copies = copies, tokens
        collision = recorded(counts[:known], M, history[n])
    return collision


@njit
def by_type(rng, law, M, generations, history):
    """Split M among the types that are left, one binomial after the other. Returns sum_i p_i^2."""
    shares, counts, left, collision = law.copy(), np.zeros(len(law), np.int64), len(law), 0.0
    for n in range(generations):
        trials, rest, kept = M, 1.0, 0
        for k in range(left):
            share = shares[k]
            count = rng.binomial(trials, min(share / rest, 1.0)) if k < left - 1 else trials
            trials, rest = trials - count, rest - share
            if count:
                counts[kept] = count
                kept += 1
            if not trials:
                break
        left = kept
        for k in range(left):
            shares[k] = counts[k] / M
        collision = recorded(counts[:left], M, history[n])
    return collision


@njit(inline="always")
def recorded(counts, M, sums):
    """Add the number of types left and sum_i p_i^2 to what is recorded; return the latter."""
    left, squares = 0, 0.0
    for count in counts:
        left += count > 0
        squares += np.float64(count) * count
    sums[0] += left
    sums[1] += squares / M / M
    return squares / M / M


@njit
def token_chains(state, alias, M, generations, history, last):
    """Every chain by tokens."""
    for k in range(len(last)):
        last[k] = by_token(state, alias, M, generations, history)


@njit
def type_chains(rng, law, M, generations, history, last):
    """Every chain by types."""
    for k in range(len(last)):
        last[k] = by_type(rng, law, M, generations, history)


def walker(law: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Walker's alias table: type k is taken where a word lies below its limit, else its other."""
    limits, others = law * len(law), np.arange(len(law))
    small, large = list(np.flatnonzero(limits < 1)), list(np.flatnonzero(limits >= 1))
    while small and large:
        k, other = small.pop(), large[-1]
        others[k] = other
        limits[other] -= 1 - limits[k]
        if limits[other] < 1:
            small.append(large.pop())
    limits[small + large] = 1
    return np.minimum(limits * 2.0**32, 2**32 - 1).astype(U), others.astype(np.int32)


def categorical(seed: int, chains: int, law: np.ndarray, alias: Any, M: int, generations: int) -> np.ndarray:
    """sum_i p_i^2 of all chains at the last generation; a binomial costs about as much as ten tokens."""
    rng, history, last = np.random.default_rng(seed), np.zeros((generations, 2)), np.empty(chains)
    if 10 * len(law) < M:
        type_chains(rng, law, M, generations, history, last)
    else:
        token_chains(rng.integers(0, 2**32, (4, WIDE), U), alias, M, generations, history, last)
    return last
