"""The hyperbolic secant law, tilted: exact, by rejection from two exponentials."""

from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from numerics.samplers.cipher import Key, slot_key
from numerics.samplers.uniform import uniform


def hyperbolic_secant(key: Key, mean: Any) -> Array:
    """Return x of density cos(t) exp(t x)/(2 cosh(pi x/2)), tan(t) = mean, by rejection.

    cos(t) exp(t x - pi |x|/2) lies above it, two exponentials back to back, and is hit in more than 3 of 4 trials.
    """
    rate = jnp.arctan2(1.0, mean), jnp.arctan2(1.0, -jnp.asarray(mean))  # pi/2 - t to the right, pi/2 + t to the left

    def tried(state: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        trial, _, _ = state
        side, u, v = uniform(slot_key(key, trial), (3,))
        away = -jnp.log1p(-u)
        x = jnp.where(side * jnp.pi < rate[1], away / rate[0], -away / rate[1])
        return trial + 1, x, v * (1 + jnp.exp(-jnp.pi * jnp.abs(x))) <= 1

    start = jnp.asarray(0), jnp.asarray(0.0), jnp.asarray(False)
    return lax.while_loop(lambda state: ~state[2], tried, start)[1]
