"""Binomial counts for any chance, elementwise and without rejection, within 2e-7 of their law in total variation.

Where the law is wide a count is the rounded Cornish-Fisher quantile of one normal variable; where it is not, the least
k with P(x <= k) > u, for which at most `STEPS` probabilities are added up. Either way one cipher's two words are all
that a draw takes. Single precision adds 2.5e-8 standard deviations of the count to the 2e-7, an error that changes sign
from one count to the next. `numerics.samplers.binomials` has the exact law.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from numerics.samplers.box_muller import single_normal
from numerics.samplers.cipher import Key, fraction, word
from numerics.samplers.cornish_fisher import shift, wide
from numerics.samplers.lanes import together
from numerics.samplers.narrow import exp_below_zero, log_of_rest

STEPS = 72
"""Where the law is not wide its mean is at most 29 and P(x > 72) below 1e-11."""


def near_binomial(key: Key, trials: Any, chance: Any) -> Array:
    """Return x ~ Binomial(trials, chance) of one chain, int32; a chance beyond [0, 1] by rounding is moved back.

    Args:
        key: where the words are read.
        trials: whole numbers below 2^31.
        chance: in 64 bits.
    """
    shape = jnp.broadcast_shapes(jnp.shape(trials), jnp.shape(chance))
    if shape:
        raise ValueError(f"shape {shape}: one count is drawn for one key. Give each count a slot of its own.")
    return _lanewise(tuple(key), jnp.asarray(trials, jnp.int32), jnp.asarray(chance, float))


def lanes(key: Key, trials: Array, chance: Array) -> Array:
    """Return x ~ Binomial(trials, chance), int32, for many chains at once: all but slots of the key are arrays."""
    chance = jnp.clip(chance, 0.0, 1.0)
    flipped = chance > 0.5
    rare = jnp.where(flipped, 1 - chance, chance)
    mean, single = trials * rare, rare.astype(jnp.float32)
    variance = mean.astype(jnp.float32) * (1 - single)
    large = wide(variance, 1 - 2 * single)

    def many() -> Array:
        return rounded(word(key), mean, variance, single)

    def few() -> Array:
        return added_up(word(key), trials.astype(float), rare)

    way = jnp.where(large.all(), 0, jnp.where(large.any(), 2, 1))
    count = lax.switch(way, [many, few, lambda: jnp.where(large, many(), few())])
    return jnp.where(flipped, trials - count, count)


_lanewise = together(lambda key, trials, chance: lanes(Key(*key), trials, chance))


def rounded(words: tuple[Array, Array], mean: Array, variance: Array, chance: Array) -> Array:
    """Return the rounded quantile of a normal variable, what is not wide drawn as if it were."""
    base, spread = jnp.floor(mean), jnp.sqrt(jnp.maximum(variance, 14) - np.float32(1 / 12))
    moved = shift(single_normal(*words), spread, 1 - 2 * chance)
    return base.astype(jnp.int32) + jnp.floor((mean - base).astype(jnp.float32) + moved + np.float32(0.5)).astype(
        jnp.int32
    )


def added_up(words: tuple[Array, Array], trials: Array, chance: Array) -> Array:
    """Return the least k with P(x <= k) > u, from P(k + 1) = P(k) ((n + 1)/(k + 1) - 1) p/(1 - p)."""
    left, odds = fraction(words), chance / (1 - chance)
    scaled, mass = (trials + 1) * odds, exp_below_zero(trials * log_of_rest(chance))
    count = jnp.zeros(left.shape, jnp.int32)
    for k in range(STEPS):
        left = left - mass
        count = count + (left >= 0)
        mass = mass * (scaled * (1 / (k + 1)) - odds)
    return jnp.minimum(count, trials.astype(jnp.int32))
