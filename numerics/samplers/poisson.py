"""Poisson counts in 64 bits, by inversion and by rejection: exact.

JAX's own sampler computes in 32 bits, where the logarithm of a probability is lost from rates of 10^5 on.
"""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers.cipher import Key, slot_key
from numerics.samplers.uniform import uniform


def poisson(key: Key, rate: Any) -> Array:
    """Return x ~ Poisson(rate), rate >= 0, a float; below a rate of 10 by inversion, above by rejection."""
    rate = jnp.asarray(rate, dtype=float)
    small = ~(rate >= 10)
    few = _inverted_poisson(slot_key(key, 0), jnp.where(small, rate, 0.0))
    return jnp.where(small, few, _rejected_poisson(slot_key(key, 1), jnp.where(small, 10.0, rate)))


def _inverted_poisson(key: Key, rate: Array) -> Array:
    """Return the least k with P(x <= k) > u."""
    u = uniform(key)

    def passed(state: tuple[Array, Array, Array]) -> Array:
        _, mass, below = state
        return (u >= below + mass) & (mass > 0)

    def onward(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        k, mass, below = state
        return k + 1, mass * rate / (k + 1), below + mass

    return lax.while_loop(passed, onward, (jnp.asarray(0.0), jnp.exp(-rate), jnp.asarray(0.0)))[0]


def _rejected_poisson(key: Key, rate: Array) -> Array:
    """Return x ~ Poisson(rate), rate >= 10, by transformed rejection.

    W. Hoermann, The transformed rejection method for generating Poisson random variables, Insurance Math. Econom. 12
    (1993) 39-45, algorithm PTRS.
    """
    b = 0.931 + 2.53 * jnp.sqrt(rate)
    a = -0.059 + 0.02483 * b
    scale, certain = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)

    def tried(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        trial, _, _ = state
        u, v = uniform(slot_key(key, trial), (2,))
        u, v = u - 0.5, 1 - v
        edge = 0.5 - jnp.abs(u)
        k = jnp.floor((2 * a / edge + b) * u + rate + 0.43)
        log_mass = k * jnp.log(rate) - rate - lax.lgamma(k + 1)
        under = jnp.log(v * scale / (a / edge**2 + b)) <= log_mass
        outside = (k < 0) | ((edge < 0.013) & (v > edge))
        return trial + 1, k, ((edge >= 0.07) & (v <= certain)) | (~outside & under)

    start = jnp.asarray(0), rate, jnp.asarray(False)
    return lax.while_loop(lambda state: ~state[2], tried, start)[1]
