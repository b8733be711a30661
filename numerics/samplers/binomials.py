"""Binomial counts by the thousand, exact, and a multinomial as a row of them.

All of an array is drawn in lockstep, every trial from its own word, so that the numbers do not depend on what is drawn
beside them.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers.binomial import binomial
from numerics.samplers.cipher import Key, slot_key, slots


def binomials(key: Key, trials: Array, chances: Array) -> Array:
    """Return x ~ Binomial(trials, chances) elementwise, floats of shape (count,)."""
    return binomial(slots(key, jnp.shape(trials)), trials, chances)


def multinomial(key: Key, trials: Any, weights: Array) -> Array:
    """Return x ~ Multinomial(trials; weights/sum), type after type.

    x_i | x_1..x_(i-1) ~ Binomial(m - x_1 - .. - x_(i-1), w_i/(w_i + .. + w_K)): the last type takes what is left.
    """

    def draw_type(left: Array, this: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        weight, rest, index = this
        # 0/0 where no type of positive weight is left, and then no trial is either.
        chance = jnp.where(rest > 0, weight / rest, 0.0)
        count = binomials(slot_key(key, index), left, chance[None])
        return left - count, count[0]

    rests = lax.cumsum(weights, reverse=True)
    start = jnp.broadcast_to(jnp.asarray(trials, float), (1,))
    return lax.scan(draw_type, start, (weights, rests, jnp.arange(len(weights))))[1]
