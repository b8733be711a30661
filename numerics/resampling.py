"""Two types redrawn: x' ~ Binomial(N, x/N), one draw from the two words of one cipher.

With i = min(x, N - x) the rarer type's count is drawn: from an alias row of Binomial(N, i/N) for i <= 64, rows that
depend on N alone, and above by rounding the Cornish-Fisher quantile of one normal variable. Nothing waits for anything:
no trial is ever rejected.
"""

from fractions import Fraction

import jax.numpy as jnp
import numpy as np
from jax import Array

from numerics import alias
from numerics.box_muller import single_normal
from numerics.cornish_fisher import shift

LISTED = 64
"""Up to this count there is a row."""


def rows(samples: int) -> np.ndarray:
    """Return the rows of i = 0..64, flat."""
    listed = range(min(LISTED, samples // 2) + 1)
    return np.concatenate([alias.row(alias.binomial_masses(samples, Fraction(i, samples))) for i in listed])


def redrawn(words: tuple[Array, Array], count: Array, samples: Array, table: Array, *, short: bool = False) -> Array:
    """Return x' ~ Binomial(N, x/N), int32, elementwise.

    Args:
        words: two words of 32 bits.
        count: x, int32.
        samples: N < 2^31, int32.
        table: `rows` of N.
        short: whether N <= 129, so that every rarer count has a row.

    The law is within 1e-7 of the binomial's in total variation for real words; in single precision the edges of the
    cells are off by up to 1e-7 standard deviations, in no preferred direction.
    """
    rare = jnp.minimum(count, samples - count)
    drawn = alias.picked(table, jnp.minimum(rare, LISTED), words[0])
    if not short:
        mean = rare.astype(jnp.float32)
        chance = mean / samples.astype(jnp.float32)
        moved = shift(single_normal(*words), jnp.sqrt(mean * (1 - chance) - 1 / 12), 1 - 2 * chance)
        drawn = jnp.where(rare <= LISTED, drawn, rare + jnp.floor(moved + np.float32(0.5)).astype(jnp.int32))
    return jnp.where(count > samples - count, samples - drawn, drawn)
