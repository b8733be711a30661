"""Multinomial counts, one binomial after the other: exact."""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers.binomial import binomial
from numerics.samplers.cipher import Key, slot_key


def multinomial(key: Key, trials: Any, chances: Any) -> Array:
    """Return the counts of the named types, x ~ Multinomial(trials; chances, the rest).

    Args:
        key: the slot's key.
        trials: number of trials.
        chances: shape (types,), each >= 0, their sum at most 1; what is missing to 1 falls to types not named.

    One type after the other: x_i | x_1..x_(i-1) ~ Binomial(m - x_1 - .. - x_(i-1), p_i/(1 - p_1 - .. - p_(i-1))).
    """

    def draw_type(before: tuple[Array, Array], this: tuple[Array, Array]) -> tuple[tuple[Array, Array], Array]:
        (left, rest), (chance, slot) = before, this
        # Chances that add up to 1 leave p_K, up to rounding, for the last type, which takes what is left.
        share = jnp.where(chance < rest * (1 - 1e-12), chance / rest, 1.0)
        count = binomial(slot_key(key, slot), left, share)
        return (left - count, rest - chance), count

    start = jnp.asarray(trials, dtype=float), jnp.asarray(1.0)
    return lax.scan(draw_type, start, (chances, jnp.arange(len(chances))))[1]
