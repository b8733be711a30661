"""Chi-square variables, which are gamma variables, through their logarithms."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.samplers.cipher import Key, jax_key


def log_chi_square(key: Key, df: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return log x for x ~ chi-square(df) = 2 Gamma(df/2), finite however small x is; -inf for df = 0."""
    half = jnp.broadcast_to(jnp.asarray(df, dtype=float) / 2, shape)
    drawn = jax.random.loggamma(jax_key(key), jnp.where(half > 0, half, 1.0), shape, dtype=float)
    return jnp.where(half > 0, jnp.log(2.0) + drawn, -jnp.inf)


def chi_square(key: Key, df: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return x ~ chi-square(df), df >= 0; x = 0 for df = 0, the sum of squares of one point about itself."""
    return jnp.exp(log_chi_square(key, df, shape))
