"""Binomial counts, by the rejection of `jax.random`: exact."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.samplers.cipher import Key, jax_key


def binomial(key: Key, trials: Any, chance: Any) -> Array:
    """Return x ~ Binomial(trials, chance), a float; a chance beyond [0, 1] by rounding is moved back."""
    return jax.random.binomial(jax_key(key), jnp.asarray(trials, dtype=float), jnp.clip(chance, 0.0, 1.0), dtype=float)
