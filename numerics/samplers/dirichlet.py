"""Dirichlet shares, as gamma variables over their sum."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from numerics.samplers.chi_square import log_chi_square
from numerics.samplers.cipher import Key


def dirichlet(key: Key, weights: Any, total: Any) -> Array:
    """Return the named entries of x ~ Dirichlet(weights, total - their sum): gamma variables over their sum."""
    rest = jnp.maximum(total - jnp.sum(weights), 0.0)
    logs = log_chi_square(key, 2 * jnp.append(weights, rest), (len(weights) + 1,))
    return jax.nn.softmax(logs)[:-1]
