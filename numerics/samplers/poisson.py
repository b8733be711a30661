"""Poisson counts, by inversion and by rejection: exact.

JAX's own sampler computes in 32 bits, where the logarithm of a probability is lost from rates of 10^5 on.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key, Words, fraction, slot_key, word
from numerics.samplers.lanes import elementwise, first_taken, least_passed
from numerics.samplers.log_poisson import log_poisson


def poisson(key: Key, rate: Any) -> Array:
    """Return x ~ Poisson(rate), rate >= 0, a float; below a rate of 10 by inversion, above by rejection."""
    return _poisson(tuple(key), jnp.asarray(rate, float))


@elementwise
def _poisson(place: tuple[Array, ...], rate: Array) -> Array:
    key, small = Key(*place), ~(rate >= 10)
    few = _inverted(slot_key(key, 0), jnp.where(small, rate, 0.0))
    return jnp.where(small, few, _rejected(slot_key(key, 1), jnp.where(small, 10.0, rate), small))


def _inverted(key: Key, rate: Array) -> Array:
    """Return the least k with P(x <= k) > u."""
    none = elementary.exp(-rate)
    return least_passed(fraction(word(key)), none, lambda k, mass: mass * (rate / (k + 1)))


def _rejected(key: Key, rate: Array, skip: Array) -> Array:
    """Return x ~ Poisson(rate), rate >= 10, by transformed rejection; what is skipped is returned at once.

    W. Hoermann, The transformed rejection method for generating Poisson random variables, Insurance Math. Econom. 12
    (1993) 39-45, algorithm PTRS.
    """
    b = 0.931 + 2.53 * jnp.sqrt(rate)
    a = -0.059 + 0.02483 * b
    scale, certain = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)

    def tried(words: Sequence[Words]) -> tuple[Array, Array]:
        u, v = map(fraction, words)
        u, v = u - 0.5, 1 - v
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + rate + 0.43)
        inside = (k >= 0) & ((edge >= 0.013) | (v <= edge))
        k = jnp.maximum(k, 0.0)
        under = elementary.log(v * scale / (a / (edge * edge) + b)) <= log_poisson(k, rate)
        return k, inside & (((edge >= 0.07) & (v <= certain)) | under)

    return first_taken(tried, 2, key, rate, skip | (rate == jnp.inf))
