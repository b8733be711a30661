"""Chi-square variables, which are gamma variables, through their logarithms."""

from math import log
from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.cipher import Key
from numerics.samplers.log_gamma import log_gamma


def log_chi_square(key: Key, df: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return log x for x ~ chi-square(df) = 2 Gamma(df/2), finite however small x is; -inf for df = 0."""
    half = jnp.broadcast_to(jnp.asarray(df, dtype=float) / 2, shape)
    return jnp.where(half > 0, log(2.0) + log_gamma(key, jnp.where(half > 0, half, 1.0), shape), -jnp.inf)


def chi_square(key: Key, df: Any, shape: tuple[int, ...] = ()) -> Array:
    """Return x ~ chi-square(df), df >= 0; x = 0 for df = 0, the sum of squares of one point about itself."""
    return elementary.exp(log_chi_square(key, df, shape))
