"""Two types redrawn: x' ~ Binomial(N, x/N), one draw from the two words of one cipher.

With i = min(x, N - x) the rarer type's count is drawn: from an alias row of Binomial(N, i/N) for i <= 64, rows that
depend on N alone, and above by rounding the Cornish-Fisher quantile of one normal variable. Nothing waits for anything:
no trial is ever rejected.
"""

from fractions import Fraction
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from numerics.samplers import alias
from numerics.samplers.box_muller import single_normal
from numerics.samplers.cipher import Key, cipher
from numerics.samplers.cornish_fisher import shift
from numerics.samplers.lanes import together

LISTED = 64
"""Up to this count there is a row."""


def rows(samples: int) -> np.ndarray:
    """Return the rows of i = 0..64, flat; those beyond N/2 are never read."""
    table = np.zeros((LISTED + 1, alias.COLUMNS), np.uint32)
    for i in range(min(LISTED, samples // 2) + 1):
        table[i] = alias.row(alias.binomial_masses(samples, Fraction(i, samples)))
    return table.ravel()


def redrawn(key: Key, samples: Any, table: Any, count: Array, *, listed: bool = False) -> Array:
    """Return x' ~ Binomial(N, x/N) of one chain, int32.

    Args:
        key: where the words are read.
        samples: N < 2^31.
        table: `rows` of N.
        count: x, int32.
        listed: whether every rarer count has a row, as for N <= 129.

    In real numbers the law is within 2e-7 of the binomial's in total variation; single precision adds 2.5e-8 standard
    deviations of the count (1e-5 at N = 10^6), an error that changes sign from one count to the next.
    """
    return (_listed if listed else _any)(tuple(key), jnp.asarray(samples, jnp.int32), jnp.asarray(table), count)


def _redrawn(key: tuple[Array, ...], samples: Array, table: Array, count: Array, listed: bool) -> Array:
    """Return the same for many chains, the last axis."""
    rare, rows = jnp.minimum(count, samples - count), table[:, 0]

    def from_row() -> Array:
        return alias.picked(rows, jnp.minimum(rare, LISTED), _words(key)[0])

    def from_normal() -> Array:
        return rounded(_words(key), rare, samples)

    if listed:
        drawn = from_row()
    else:
        small = rare <= LISTED
        way = jnp.where(small.all(), 0, jnp.where(small.any(), 2, 1))
        drawn = lax.switch(way, [from_row, from_normal, lambda: jnp.where(small, from_row(), from_normal())])
    return jnp.where(count > samples - count, samples - drawn, drawn)


_listed = together(lambda *arguments: _redrawn(*arguments, listed=True))
_any = together(lambda *arguments: _redrawn(*arguments, listed=False))


def _words(key: tuple[Array, ...]) -> tuple[Array, Array]:
    key0, key1, chain, generation = key
    return cipher((key0, key1), chain, generation)


def rounded(words: tuple[Array, Array], rare: Array, samples: Array) -> Array:
    """Return the draw that two words give where the rarer type has more than 64 of N tokens."""
    mean = rare.astype(jnp.float32)
    chance = mean * (1 / samples.astype(jnp.float32))
    # A rarer count of less than 65 has a row; its quantile is not asked for.
    spread = jnp.sqrt(jnp.maximum(mean * (1 - chance), 14) - np.float32(1 / 12))
    moved = shift(single_normal(*words), spread, 1 - 2 * chance)
    return rare + jnp.floor(moved + np.float32(0.5)).astype(jnp.int32)
