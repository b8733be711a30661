"""Poisson counts for any rate, elementwise and without rejection, within 2e-7 of their law in total variation.

As in `numerics.samplers.near_binomial`: the rounded quantile of one normal variable where the law is wide, elsewhere
the least k with P(x <= k) > u.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array

from numerics.samplers.box_muller import single_normal
from numerics.samplers.cipher import fraction
from numerics.samplers.cornish_fisher import shift, wide
from numerics.samplers.narrow import exp_below_zero

STEPS = 72
"""Where the law is not wide its rate is at most 28 and P(x > 72) below 1e-11."""


def near_poisson(words: tuple[Array, Array], rate: Array) -> Array:
    """Return x ~ Poisson(rate), int32, elementwise, from two words of 32 bits each; rates in 64 bits below 2^31."""
    large = wide(rate, 1.0)
    return jnp.where(large, rounded(words, jnp.where(large, rate, 28.0)), added_up(words, jnp.where(large, 1.0, rate)))


def rounded(words: tuple[Array, Array], rate: Array) -> Array:
    """Return the rounded quantile of a normal variable."""
    base = jnp.floor(rate)
    moved = shift(single_normal(*words), jnp.sqrt(rate - 1 / 12).astype(jnp.float32), 1.0)
    return base.astype(jnp.int32) + jnp.floor((rate - base).astype(jnp.float32) + moved + np.float32(0.5)).astype(
        jnp.int32
    )


def added_up(words: tuple[Array, Array], rate: Array) -> Array:
    """Return the least k with P(x <= k) > u, from P(k + 1) = P(k) rate/(k + 1)."""
    left, mass = fraction(words), exp_below_zero(-rate)
    count = jnp.zeros(left.shape, jnp.int32)
    for k in range(STEPS):
        left = left - mass
        count = count + (left >= 0)
        mass = mass * (rate * (1 / (k + 1)))
    return count
