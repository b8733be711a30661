"""Small counts from one word: alias rows, packed so that a draw is one look-up and one comparison.

A law on 0..127 is cut into 128 columns of 2^25 words each; a column gives its own number below its threshold and one
other number, its alias, above. Threshold and alias share 32 bits. The law that a row draws is known exactly, as whole
multiples of 2^-32, and so is its distance to the one that was asked for.

A. J. Walker, An efficient method for generating discrete random variables with general distributions, ACM Trans. Math.
Softw. 3 (1977) 253-256.
"""

from fractions import Fraction
from math import exp, log1p

import jax.numpy as jnp
import numpy as np
from jax import Array

BITS = 7
"""Binary digits of a column."""
COLUMNS = 2**BITS
FULL = 2 ** (32 - BITS)
"""Words of a column."""


def row(masses: np.ndarray) -> np.ndarray:
    """Return the packed row of a law on 0..127, whose distance to it is at most 128/2^33 in total variation.

    >>> law(row(np.array([0.25, 0.75])))[:3].tolist()
    [0.25, 0.75, 0.0]
    """
    words = np.zeros(COLUMNS, dtype=np.int64)
    words[: len(masses)] = np.rint(np.asarray(masses) * 2.0**32)
    words[np.argmax(words)] += 2**32 - words.sum()
    thresholds, aliases = _levelled(words.tolist())
    # A full column needs no alias but itself, and its threshold is then of no account.
    return np.array([at % FULL << BITS | alias for at, alias in zip(thresholds, aliases, strict=True)], dtype=np.uint32)


def _levelled(words: list[int]) -> tuple[list[int], list[int]]:
    """Return threshold and alias of every column: each short one is filled up from one that has too many words."""
    aliases = list(range(COLUMNS))
    short = [k for k in aliases if words[k] < FULL]
    long = [k for k in aliases if words[k] > FULL]
    left, thresholds = list(words), list(words)
    while short:
        here, there = short.pop(), long[-1]
        thresholds[here], aliases[here] = left[here], there
        left[there] -= FULL - left[here]
        thresholds[there] = left[there]
        if left[there] <= FULL:
            long.pop()
        if left[there] < FULL:
            short.append(there)
    return thresholds, aliases


def law(packed: np.ndarray) -> np.ndarray:
    """Return the probabilities of 0..127 that a row draws, exactly."""
    thresholds, aliases = (packed >> BITS).astype(np.int64), (packed & (COLUMNS - 1)).astype(np.int64)
    own = np.where(aliases == np.arange(COLUMNS), FULL, thresholds)
    words = own + np.bincount(aliases, FULL - own, COLUMNS).astype(np.int64)
    return words / 2.0**32


def picked(rows: Array, index: Array, word: Array) -> Array:
    """Return the number that a word of 32 bits draws from a row of many, int32, elementwise.

    Args:
        rows: packed rows one after the other, flat.
        index: which row.
        word: uniform on 0..2^32 - 1.
    """
    column = word & np.uint32(COLUMNS - 1)
    entry = rows.at[index * COLUMNS + column.astype(jnp.int32)].get(mode="promise_in_bounds")
    own = (word >> np.uint32(BITS)) < (entry >> np.uint32(BITS))
    return jnp.where(own, column, entry & np.uint32(COLUMNS - 1)).astype(jnp.int32)


def binomial_masses(trials: int, chance: float | Fraction) -> np.ndarray:
    """Return the probabilities of 0..127 under Binomial(trials, chance), the last with all beyond it.

    P(k + 1) = P(k) (n - k)/(k + 1) p/(1 - p), from (1 - p)^n, for n p <= 64.
    """
    p = float(chance)
    ratios = [(trials - k) / (k + 1) * p / (1 - p) for k in range(min(trials, COLUMNS - 1))]
    return _with_rest(exp(trials * log1p(-p)) * np.cumprod([1.0, *ratios]))


def poisson_masses(rate: float) -> np.ndarray:
    """Return the probabilities of 0..127 under Poisson(rate), the last with all beyond it, for rates up to 64."""
    return _with_rest(exp(-rate) * np.cumprod([1.0, *(rate / (k + 1) for k in range(COLUMNS - 1))]))


def _with_rest(masses: np.ndarray) -> np.ndarray:
    return np.append(masses[:-1], max(0.0, 1 - masses[:-1].sum()))
