"""Counts of many types redrawn one after the other: a multinomial as a row of binomials, with chains on the lanes.

The state is S_i = x_i + x_(i+1) + .. + x_(K-1): the tokens of the types from i on. Given the tokens that are left for
these, S'_i, the next type takes Binomial(S'_i, x_i/S_i) of them, and so S'_(i+1) is drawn from S'_i, S_i and S_(i+1).
"""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers.cipher import Key, slot_key
from numerics.samplers.near_binomial import lanes


def counts(sums: Array) -> Array:
    """Return x_i = S_i - S_(i+1), types up to a power of 2."""
    last = len(sums) - 1
    # Written in place: values side by side are a choice for each of them, one by one.
    room = jnp.zeros((1 << last.bit_length(), *sums.shape[1:]), sums.dtype)
    return room.at[last].set(sums[last]).at[:last].set(sums[:-1] - sums[1:])


def tails(weights: Array) -> Array:
    """Return S_i of weights or of counts."""
    return lax.cumsum(weights, reverse=True)


def redrawn(key: Key, samples: Any, sums: Array) -> Array:
    """Return the sums of x' ~ Multinomial(N; x/S_0), int32, from those of x, counts or weights.

    Args:
        key: of many chains.
        samples: N.
        sums: shape (types, chains), or (types, 1) where all have the same.
    """

    def split(i: Array, drawn: Array) -> Array:
        here, after = sums[i].astype(float), sums[i + 1].astype(float)
        share = jnp.where(here > 0, (here - after) / here, 0.0)
        left = drawn[i]
        # One array is written and read again: of two that come of one draw each would draw for itself.
        return drawn.at[i + 1].set(left - lanes(slot_key(key, i), left, share), mode="promise_in_bounds")

    width = jnp.broadcast_shapes(key.chain.shape, sums.shape[1:])
    first = jnp.zeros((len(sums), *width), jnp.int32).at[0].set(jnp.broadcast_to(samples, width))
    return lax.fori_loop(0, len(sums) - 1, split, first)
