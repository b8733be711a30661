"""Dirichlet shares, as gamma variables over their sum."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from numerics.samplers import elementary
from numerics.samplers.chi_square import log_chi_square
from numerics.samplers.cipher import Key


def dirichlet(key: Key, weights: Any, total: Any) -> Array:
    """Return the named entries of x ~ Dirichlet(weights, total - their sum): gamma variables over their sum."""
    rest = jnp.maximum(total - jnp.sum(weights), 0.0)
    return shares(log_chi_square(key, 2 * jnp.append(weights, rest), (len(weights) + 1,)))[:-1]


def shares(logs: Array) -> Array:
    """Return what each of some variables, given by their logarithms, is of their sum."""
    sizes = elementary.exp(logs - jnp.max(logs))
    return sizes / jnp.sum(sizes)
