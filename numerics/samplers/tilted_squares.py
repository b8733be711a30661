"""A normal variable and an exponential of squares that hold it."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.chi_square import chi_square
from numerics.samplers.cipher import Key, slot_key
from numerics.samplers.normal import normal


def tilted_squares(key: Key, variance: Any, df: Any, rate: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return (eps, y), eps = sqrt(variance) z and y = exp(rate (chi + z^2)) with chi ~ chi-square(df)."""
    z, chi = normal(slot_key(key, 0), shape), chi_square(slot_key(key, 1), df, shape)
    return jnp.sqrt(variance) * z, elementary.exp(rate * (chi + z**2))
