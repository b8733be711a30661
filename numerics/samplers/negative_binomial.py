"""Negative binomial counts, as Poisson counts of a gamma variable."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers.chi_square import chi_square
from numerics.samplers.cipher import Key, slot_key
from numerics.samplers.poisson import poisson


def negative_binomial(key: Key, shape: Any, mean: Any) -> Array:
    """Return x ~ Poisson(mean/shape Gamma(shape)), the negative binomial law of that shape and mean."""
    squares = chi_square(slot_key(key, 0), 2 * jnp.asarray(shape, dtype=float))
    return poisson(slot_key(key, 1), mean / shape * squares / 2)
